/*
 * tracked.h
 *		What became of a hit.
 */
#ifndef PKT_TRACKED_H
#define PKT_TRACKED_H

#include "visit/visit.h"

typedef enum Outcome
{
	OUTCOME_RECORDED,
	OUTCOME_IGNORED,
	OUTCOME_EXCLUDED,
	OUTCOME_INVALID
} Outcome;

typedef enum CookieKind
{
	COOKIE_VISITOR,				/* the visitor id */
	COOKIE_SESSION				/* of an anonymous session */
} CookieKind;

/* The cookie that the caller should set. */
typedef struct CookieToSet
{
	bool		given;
	CookieKind	kind;
	const char *name;
	HexId		value;
	int32		max_age;		/* seconds */
} CookieToSet;

/* What became of a hit: the composite type pk_tracking.tracked. */
typedef struct Tracked
{
	Outcome		outcome;
	const char *outcome_reason; /* of a recorded hit bad_parameter */
	bool		joined_other_id;	/* recorded: by fingerprint, in a visit
									 * with another id */
	bool		duplicate_order;	/* invalid because the order is there
									 * already */
	bool		by_log;			/* ignored, excluded or a duplicate order, for
								 * what the log has; bad_parameter and cookie
								 * are those that the hit would have if it
								 * were recorded */
	const char *bad_parameter;	/* whose amount or address cannot be read */
	int64		idvisit;
	bool		has_idvisitor;
	HexId		idvisitor;
	bool		has_config_id;
	HexId		config_id;
	MatchedBy	matched_by;
	bool		new_visit;
	Reason		reason;
	int16		returning;
	bool		has_idlink_va;	/* is there an action row? */
	int64		idlink_va;
	CookieToSet cookie;
	const char *delete_cookies[2];	/* names of cookies to delete, NULL: none */
} Tracked;

/*
 * tracked_outcome
 *		The outcome that a role is told; full: it may know what the log has.
 */
static inline Outcome
tracked_outcome(const Tracked *r, bool full)
{
	return r->by_log && !full ? OUTCOME_RECORDED : r->outcome;
}

#endif							/* PKT_TRACKED_H */
