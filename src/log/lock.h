/*
 * lock.h
 *		Locks on sites, visitor ids, fingerprints, visits and orders:
 *		transaction-level advisory locks in a private class.
 *
 * Each call takes them in the order of LockKind (doc/internals.md, "Locks").
 * track/locks.h has the locks of one hit and those of a group.
 */
#ifndef PKT_LOCK_H
#define PKT_LOCK_H

#include "postgres.h"

#include "datatype/timestamp.h"

#include "base/hexid.h"

typedef enum LockKind
{
	LOCK_GATE,					/* a site; shared by single hits, exclusive
								 * for large groups */
	LOCK_VISITOR_ID,
	LOCK_FINGERPRINT,
	LOCK_VISIT,
	LOCK_ORDER					/* an order id, hashed by lock_order_key() */
} LockKind;

extern void lock_take(LockKind kind, int32 idsite, uint64 key);
extern bool lock_try(LockKind kind, int32 idsite, uint64 key);
extern void lock_give_back(LockKind kind, int32 idsite, uint64 key);
extern uint64 lock_order_key(const char *idorder);
extern bool lock_try_gate_exclusive(int32 idsite);
extern void lock_give_back_gate_exclusive(int32 idsite);
extern bool lock_holds_any(void);
extern void lock_nap(TimestampTz began);

#endif							/* PKT_LOCK_H */
