/*
 * recognise.h
 *		The look-ups that find the visits a hit may continue, in the order of a
 *		rule set.
 */
#ifndef PKT_RECOGNISE_H
#define PKT_RECOGNISE_H

#include "visit/lifecycle.h"

/* One search on log_visit. */
typedef struct Lookup
{
	bool		by_config;		/* key is a fingerprint (the column
								 * config_id), else a visitor id (idvisitor) */
	HexId		key;
	MatchedBy	matched_by;		/* how a hit is recognised if this finds a
								 * visit */
	bool		bounded;		/* is there a lower bound? */
	TimestampTz lower;			/* visit_last_action_time, both inclusive */
	TimestampTz upper;
	const char *user_filter;	/* only visits without a user or of this one;
								 * NULL: any */
	bool		unclaimed;		/* only visits with profilable = 0 */
	bool		older_first;	/* among visits with the same last action */
} Lookup;

#define MAX_LOOKUPS 3

extern int	recognise_lookups(const Hit *hit, const Identity *id, const Settings *s,
							  Lookup *lookups);

#endif							/* PKT_RECOGNISE_H */
