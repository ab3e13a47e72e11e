/*
 * session_link.h
 *		Joins the hits of an anonymous session: HMACs of its cookie or, if none
 *		came, of its fingerprint, under a key that is random, hourly and
 *		destroyed, lead to its visit (design section 7).
 *
 * All functions but session_link_init() are called as the log's owner,
 * connected to SPI.  now is always the wall clock, read when the call is made;
 * at is the hit's own time.
 *
 * A hit of an anonymous session:
 *
 *	do
 *		session_link_keys(kind, ..., GetCurrentTimestamp(), true, &keys);
 *		take locks on its lock_keys;
 *	while (!session_link_find(idsite, &keys, at, GetCurrentTimestamp(), ...));
 *	decide; then session_link_add(idsite, &keys, idvisit, at);
 *
 * and session_link_destroy_expired() last, once, by whatever road it came.
 */
#ifndef PKT_SESSION_LINK_H
#define PKT_SESSION_LINK_H

#include "datatype/timestamp.h"
#include "base/hexid.h"

typedef enum SessionLinkKind
{
	SESSION_LINK_COOKIE = 'c',	/* the temporary cookie's value */
	SESSION_LINK_FINGERPRINT = 'f'	/* encoded fingerprint fields with the full IP */
} SessionLinkKind;

#define SESSION_LINK_LEN 16

/* Which visits are linked already is remembered for that many. */
#define SESSION_LINK_REMEMBERED 8

typedef struct SessionLinkKeys
{
	int64		period;			/* the hour, counted from 2000-01-01 UTC */
	/* [0]: under the key of this hour; [1]: of the last, in the first half of this */
	bool		given[2];
	uint8		link[2][SESSION_LINK_LEN];
	uint64		lock_keys[2];	/* for the engine's locks; take those that are given */
	/* the room's own: links of this hour that session_link_find() met */
	int			nlinked;
	int64		linked[SESSION_LINK_REMEMBERED];
} SessionLinkKeys;

extern void session_link_init(void);

/*
 * The HMACs of the len bytes at data under the keys that live at now.  With
 * make, this hour's key is made (race-free) if there is none; for that it takes
 * a lock to the end of the transaction, and waits for it: before locking
 * anything else.  In the last minutes of an hour the next one's key is made
 * too, without waiting.  Without make, or on a standby, given[] may be all false.
 */
extern void session_link_keys(SessionLinkKind kind, int32 idsite,
							  const uint8 *data, size_t len,
							  TimestampTz now, bool make, SessionLinkKeys *out);

/*
 * See to it that this hour has a key, without waiting for anybody.  False if
 * another transaction is at it: for callers who hold locks already.
 */
extern bool session_link_ready(TimestampTz now);

/*
 * The visits that the HMACs lead to, at most max of them, and their number in
 * *n: those linked nearest to at (event times) first, which for hits that come
 * in order is the newest.  Sees what is committed now, in any isolation level.
 * A link that has expired by the clock is never among them; whether the visit
 * goes on is for the caller to decide from its row.
 *
 * False, and nothing found, if the hour is another by now than when the keys
 * were made: the caller makes them again, takes the locks that they name, and
 * looks again.
 */
extern bool session_link_find(int32 idsite, SessionLinkKeys *keys, TimestampTz at,
							  TimestampTz now, int64 *idvisits, int max, int *n);

/*
 * Link the visit under this hour's key, unless session_link_find() met that
 * link already.  Called for every hit of a session: so a link lives 30 to 90
 * minutes from the session's last hit.  The keys must have been made with make,
 * and no subtransaction been aborted since.
 */
extern void session_link_add(int32 idsite, const SessionLinkKeys *keys,
							 int64 idvisit, TimestampTz at);

/*
 * The same for a call with many hits that has their sites for itself, so that
 * nobody else adds links of them: what a session leads to is read once, and
 * its HMACs are made only if they are needed.  Links are kept in the current
 * memory context, in about max bytes.
 *
 * session_links_own() comes first, once a site is the call's own and before
 * anything of it is looked for; again, at no cost, with each later part of the
 * call.  data are those of session_link_keys(), as a number.
 */
typedef struct SessionLinks SessionLinks;

extern SessionLinks *session_links_create(Size max);
extern void session_links_own(SessionLinks *links, int32 idsite, TimestampTz now);
extern int	session_links_find(SessionLinks *links, SessionLinkKind kind, int32 idsite, HexId data,
							   TimestampTz at, TimestampTz now, bool make,
							   int64 *idvisits, int max);
extern void session_links_add(SessionLinks *links, SessionLinkKind kind, int32 idsite, HexId data,
							  int64 idvisit, TimestampTz at, TimestampTz now);

/*
 * Destroy keys and links that have expired.  Never waits for a lock nor fails
 * for want of one; a comparison if nothing is due.  Tables that are emptied
 * stay locked until the end of the transaction: call it last.  If another
 * transaction still has a table open, the call does nothing, and calls from a
 * second later on try again.
 */
extern void session_link_destroy_expired(TimestampTz now);

#endif							/* PKT_SESSION_LINK_H */
