/*
 * session_link_batch.h
 *		Session links in the memory of a batch.
 *
 * For a batch that has locked its sites exclusively, so that no other session
 * adds links of them: the links of a session are read once, and its HMACs are
 * computed only if they are needed.  Links are kept in the current memory
 * context of session_link_batch_create(), in about max bytes.
 *
 * Callers, now and at are as in session_link.h; data are the 8 bytes that
 * session_link_keys() takes, as a number, the first byte the most significant.
 */
#ifndef PKT_SESSION_LINK_BATCH_H
#define PKT_SESSION_LINK_BATCH_H

#include "identity/session_link.h"

typedef struct SessionLinkBatch SessionLinkBatch;

extern SessionLinkBatch *session_link_batch_create(Size max);

/*
 * The batch has locked the site.  Call it before anything of the site is looked
 * up, and again, at no cost, with each later group: it notices the hour's end.
 */
extern void session_link_batch_own(SessionLinkBatch *batch, int32 idsite, TimestampTz now);

/* As session_link_find(); gives the number of visits. */
extern int	session_link_batch_find(SessionLinkBatch *batch, SessionLinkKind kind, int32 idsite,
									HexId data, TimestampTz at, TimestampTz now, bool make,
									int64 *idvisits, int max);

/* As session_link_add(), for the session that was looked up last. */
extern void session_link_batch_add(SessionLinkBatch *batch, SessionLinkKind kind, int32 idsite,
								   HexId data, int64 idvisit, TimestampTz at, TimestampTz now);

#endif							/* PKT_SESSION_LINK_BATCH_H */
