/*
 * lock.c
 *		Locks on what hits of several sessions may want at once: sites, visitor
 *		ids, fingerprints, visits and orders.
 *
 * track/locks.c decides which of them a hit or a group takes, and in which
 * order.  They are advisory locks in a class of our own (field 4 of the lock tag;
 * pg_locks shows it as objsubid), so that users' advisory locks cannot conflict
 * with ours.  Keys are hashed under a secret seed, because pg_locks is readable
 * by all: a collision is a needless wait, never a wrong answer.  lock_timeout
 * and the deadlock detector work as for any lock.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/timestamp.h"

#include "identity/salt.h"
#include "log/lock.h"

#define LOCK_CLASS 0x706b
#define GATE_NAP 2				/* milliseconds */

/*
 * test/locks builds the library with one kind of lock missing, to show that
 * the concurrency tests notice.
 */
#ifndef PKT_MUTANT_WITHOUT_LOCK
#define PKT_MUTANT_WITHOUT_LOCK (-1)
#endif

static void
lock_tag(LOCKTAG *tag, LockKind kind, int32 idsite, uint64 key)
{
	struct
	{
		uint64		key;
		int32		idsite;
		int32		kind;
	}			k = {key, idsite, kind};
	uint64		h = hash_bytes_extended((const unsigned char *) &k, sizeof(k), salt_lock_seed());

	SET_LOCKTAG_ADVISORY(*tag, MyDatabaseId, (uint32) (h >> 32), (uint32) h, LOCK_CLASS);
}

static LOCKMODE
lock_mode(LockKind kind)
{
	return kind == LOCK_GATE ? ShareLock : ExclusiveLock;
}

/*
 * lock_take
 *		Wait for a lock and hold it to the end of the transaction.
 */
void
lock_take(LockKind kind, int32 idsite, uint64 key)
{
	LOCKTAG		tag;

	if ((int) kind == PKT_MUTANT_WITHOUT_LOCK)
		return;
	lock_tag(&tag, kind, idsite, key);
	(void) LockAcquire(&tag, lock_mode(kind), false, false);
}

/*
 * lock_try
 *		The same without waiting; false if it cannot be had now.
 */
bool
lock_try(LockKind kind, int32 idsite, uint64 key)
{
	LOCKTAG		tag;

	if ((int) kind == PKT_MUTANT_WITHOUT_LOCK)
		return true;
	lock_tag(&tag, kind, idsite, key);
	return LockAcquire(&tag, lock_mode(kind), false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * lock_give_back
 *		Release a lock that this call took.  Valid only if nothing was written
 *		under it, or if whoever takes it next can do without what was written
 *		(track/stranger_groups.c).  If an earlier call of the transaction took it,
 *		too, it stays locked.
 */
void
lock_give_back(LockKind kind, int32 idsite, uint64 key)
{
	LOCKTAG		tag;

	if ((int) kind == PKT_MUTANT_WITHOUT_LOCK)
		return;
	lock_tag(&tag, kind, idsite, key);
	(void) LockRelease(&tag, lock_mode(kind), false);
}

/*
 * lock_order_key
 *		The key that LOCK_ORDER takes for an order id.
 */
uint64
lock_order_key(const char *idorder)
{
	return hash_bytes_extended((const unsigned char *) idorder, (int) strlen(idorder),
							   salt_lock_seed());
}

/*
 * lock_try_gate_exclusive
 *		Take a site's gate exclusively, without waiting, so that no other session
 *		decides about any of its visitors.  False if another session does now.
 */
bool
lock_try_gate_exclusive(int32 idsite)
{
	LOCKTAG		tag;

	if (LOCK_GATE == PKT_MUTANT_WITHOUT_LOCK)
		return true;
	lock_tag(&tag, LOCK_GATE, idsite, 0);
	return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

/* lock_give_back_gate_exclusive: release a gate that this call took exclusively. */
void
lock_give_back_gate_exclusive(int32 idsite)
{
	LOCKTAG		tag;

	if (LOCK_GATE == PKT_MUTANT_WITHOUT_LOCK)
		return;
	lock_tag(&tag, LOCK_GATE, idsite, 0);
	(void) LockRelease(&tag, ExclusiveLock, false);
}

/*
 * lock_holds_any
 *		Does this transaction hold a lock of ours?  Looks through all locks of
 *		the server, so call it only after failing to get one.
 */
bool
lock_holds_any(void)
{
	LockData   *data = GetLockStatusData();

	for (int i = 0; i < data->nelements; i++)
	{
		const LockInstanceData *l = &data->locks[i];

		if (l->pid == MyProcPid && l->holdMask != 0 &&
			l->locktag.locktag_type == LOCKTAG_ADVISORY && l->locktag.locktag_field4 == LOCK_CLASS)
			return true;
	}
	return false;
}

/*
 * lock_nap
 *		Sleep a little between two attempts to take locks, holding none of them.
 *		began: the time of the first attempt.  Errors: lock_not_available after
 *		lock_timeout.
 */
void
lock_nap(TimestampTz began)
{
	if (LockTimeout > 0 &&
		TimestampDifferenceExceeds(began, GetCurrentTimestamp(), LockTimeout))
		ereport(ERROR,
				(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
				 errmsg("canceling statement due to lock timeout")));
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
					 GATE_NAP, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}
