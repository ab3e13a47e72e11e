/*
 * exclude_count.h
 *		Hits that are not recorded: whether, and how many.
 *
 * Callers have entered the engine.
 */
#ifndef PKT_EXCLUDED_H
#define PKT_EXCLUDED_H

#include "datatype/timestamp.h"

#include "enrich/user_agent.h"
#include "request/hit.h"
#include "settings/settings.h"

/* What is to be counted at the end of an engine call. */
typedef struct ExcludedSum
{
	int32		idsite;
	int32		day;			/* DateADT, local to the site */
	const char *reason;
	int64		hits;
} ExcludedSum;

#define EXCLUDED_SUMS 32		/* more are written out in between */

typedef struct ExcludedSums
{
	int			n;
	ExcludedSum sums[EXCLUDED_SUMS];
} ExcludedSums;

extern const char *excluded_why(const Hit *hit, const UserAgent *device, const SiteConfig *site);
extern void excluded_add(ExcludedSums *sums, const SiteConfig *site, TimestampTz at,
						 const char *reason);
extern void excluded_write(ExcludedSums *sums);

#endif							/* PKT_EXCLUDED_H */
