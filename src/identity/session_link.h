/*
 * session_link.h
 *		Joins the hits of an anonymous session: an HMAC of its cookie or, if it
 *		has none, of its fingerprint leads to its visit.  The HMAC's key is
 *		random, changes every hour, and is destroyed.
 *
 * See doc/internals.md, "Session links".  All functions but session_link_init()
 * are called as the log's owner, connected to SPI.  now is always the wall
 * clock, read when the call is made; at is the hit's own time.
 *
 * A hit of an anonymous session:
 *
 *	do
 *		session_link_keys(kind, ..., GetCurrentTimestamp(), true, &keys);
 *		take locks on its lock_keys;
 *	while (!session_link_find(idsite, &keys, at, GetCurrentTimestamp(), ...));
 *	decide; then session_link_add(idsite, &keys, idvisit, at);
 *
 * and at the end of the call, once, session_link_destroy_expired().
 */
#ifndef PKT_SESSION_LINK_H
#define PKT_SESSION_LINK_H

#include "datatype/timestamp.h"
#include "base/hexid.h"
#include "base/index.h"

typedef enum SessionLinkKind
{
	SESSION_LINK_COOKIE = 'c',	/* the temporary cookie's value */
	SESSION_LINK_FINGERPRINT = 'f'	/* encoded fingerprint fields with the
									 * full IP */
} SessionLinkKind;

#define SESSION_LINK_LEN 16
#define SESSION_LINK_TABLES 2	/* tables of links and of keys, in turn */

/* At most this many visits are remembered as already linked. */
#define SESSION_LINK_REMEMBERED 8

typedef struct SessionLinkKeys
{
	int64		period;			/* the hour, counted from 2000-01-01 UTC */

	/*
	 * [0]: under the key of this hour; [1]: of the last, in the first half of
	 * this
	 */
	bool		given[2];
	uint8		link[2][SESSION_LINK_LEN];
	uint64		lock_keys[2];	/* for the engine's locks; take those that are
								 * given */
	/* private: links of this hour that session_link_find() found */
	int			nlinked;
	int64		linked[SESSION_LINK_REMEMBERED];
} SessionLinkKeys;

/* What the tables of links are read by. */
extern const IndexKeys session_link_indexes[SESSION_LINK_TABLES];

extern void session_link_init(void);

/*
 * The HMACs of the len bytes at data under the keys that live at now.  With
 * make, this hour's key is made (race-free) if it does not exist; that waits for
 * a lock, held to the end of the transaction: callers do it before they lock
 * anything else.  In the last minutes of an hour the next hour's key is made
 * too, without waiting.  Without make, or on a standby, given[] may be all
 * false.  Errors: insufficient_privilege; read_only_sql_transaction if a key
 * must be made in one.
 */
extern void session_link_keys(SessionLinkKind kind, int32 idsite,
							  const uint8 *data, size_t len,
							  TimestampTz now, bool make, SessionLinkKeys *out);

/*
 * Make this hour's key, if it does not exist, without waiting: for callers that
 * hold locks already.  False if another transaction is making it.
 */
extern bool session_link_ready(TimestampTz now);

/*
 * The visits that the HMACs lead to, at most max of them, and their number in
 * *n: those linked nearest to at (event times) first, which for hits that come
 * in order is the newest.  Sees what is committed now, in any isolation level.
 * A link that has expired by the clock is never among them; whether the visit
 * continues is for the caller to decide from its row.
 *
 * False, and nothing found, if the hour has changed since the keys were made:
 * the caller makes them again, takes the locks that they name, and repeats the
 * look-up.
 */
extern bool session_link_find(int32 idsite, SessionLinkKeys *keys, TimestampTz at,
							  TimestampTz now, int64 *idvisits, int max, int *n);

/*
 * Link the visit under this hour's key, unless session_link_find() found that
 * link already.  Called for every hit of a session: so a link lives 30 to 90
 * minutes from the session's last hit.  The keys must have been made with make,
 * and no subtransaction aborted since.  Errors: insufficient_privilege;
 * read_only_sql_transaction.
 */
extern void session_link_add(int32 idsite, const SessionLinkKeys *keys,
							 int64 idvisit, TimestampTz at);

/*
 * Destroy keys and links that have expired.  Never waits for a lock; costs a
 * comparison if nothing has expired.  Tables that are emptied stay locked to the
 * end of the transaction: call it last.  If another transaction still uses a
 * table, the call leaves it, and calls from a second later on try again.  Error
 * insufficient_privilege if the caller cannot TRUNCATE the tables.
 */
extern void session_link_destroy_expired(TimestampTz now);

#endif							/* PKT_SESSION_LINK_H */
