/*
 * session_link_keys.h
 *		Hours and links, for the two files of session links; see session_link.h.
 */
#ifndef PKT_SESSION_LINK_KEYS_H
#define PKT_SESSION_LINK_KEYS_H

#include "utils/timestamp.h"

#define PERIOD USECS_PER_HOUR
#define AFTERLIFE (30 * USECS_PER_MINUTE)	/* of a key, from its hour's end */

/* The hour of a time, counted from 2000-01-01 UTC. */
static inline int64
period_of(TimestampTz t)
{
	return t / PERIOD - (t % PERIOD < 0 ? 1 : 0);
}

/* When the key of an hour expires. */
static inline TimestampTz
period_expires(int64 period)
{
	return (period + 1) * PERIOD + AFTERLIFE;
}

/* A link as its table has it. */
typedef struct SessionLink
{
	TimestampTz linked;			/* the hit's own time */
	int64		idvisit;
} SessionLink;

/* A link that a look-up found. */
typedef struct FoundLink
{
	int64		idvisit;
	uint64		distance;		/* microseconds from the hit */
	bool		current;		/* under this hour's key */
} FoundLink;

/*
 * The visits of nfound links: writes at most max different ones to idvisits, the
 * nearest first, and gives their number.  Writes the visits with a link of this
 * hour, at most SESSION_LINK_REMEMBERED, to linked.  Reorders found.
 */
extern int	session_link_nearest(FoundLink *found, int nfound, int64 *idvisits, int max,
								 int64 *linked, int *nlinked);

/* May the hour's table of links hold any that a living key leads to? */
extern bool session_link_hour_has_links(int64 period);

/* All links of a session in the hour's table, by time; *n of them, in the context given. */
extern SessionLink *session_link_read_all(int64 period, int32 idsite, const uint8 *link,
										  MemoryContext context, int32 *n);

#endif							/* PKT_SESSION_LINK_KEYS_H */
