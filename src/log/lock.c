/*
 * lock.c
 *		Locks on what hits of several sessions may want at once: sites, visitor
 *		ids, fingerprints, visits and orders.
 *
 * track/locks.c decides which of them a hit or a group takes, and in which
 * order.  They are advisory locks in a class of our own (field 4 of the lock tag;
 * pg_locks shows it as objsubid), so that users' advisory locks cannot conflict
 * with ours.  pg_locks is readable by all and shows 64 bits of our choice of each:
 * they are a hash of site and key under a secret, from which neither can be
 * computed, nor another lock's, by whoever knows what some locks stand for.  Each
 * kind has a key of its own.  A collision is a needless wait, never a wrong
 * answer.  lock_timeout and the deadlock detector work as for any lock.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/siphash.h"
#include "base/spi.h"
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

/* The labels under which the keys of the hashes are made: LockKind, and this. */
#define LABEL_ORDER_ID (LOCK_ORDER + 1)
#define LABELS (LABEL_ORDER_ID + 1)

PG_FUNCTION_INFO_V1(pkt_lock_tags);

/* The key of the hash under a label. */
static const SipKey *
label_key(int label)
{
	static SipKey keys[LABELS];
	static uint64 made_for = 0;
	uint64		version;
	const SipKey *key = salt_lock_key(&version);

	if (made_for != version)
	{
		for (int i = 0; i < LABELS; i++)
			keys[i] = siphash_subkey(key, i);
		made_for = version;
	}
	return &keys[label];
}

static uint64
lock_hash(LockKind kind, int32 idsite, uint64 key)
{
	uint64		message[2] = {key, (uint32) idsite};

	return siphash(label_key(kind), message, sizeof(uint64) + sizeof(uint32));
}

static void
lock_tag(LOCKTAG *tag, LockKind kind, int32 idsite, uint64 key)
{
	uint64		h = lock_hash(kind, idsite, key);

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
	return siphash(label_key(LABEL_ORDER_ID), idorder, strlen(idorder));
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

/*
 * pk_tracking_internal.lock_tags(idsite integer, key bigint) RETURNS bigint[]
 *
 * The hashes in the tags of the locks with this site and key, in the order of
 * LockKind.
 */
Datum
pkt_lock_tags(PG_FUNCTION_ARGS)
{
	Datum		tags[LABEL_ORDER_ID];

	spi_connect();
	for (int kind = 0; kind < LABEL_ORDER_ID; kind++)
		tags[kind] = Int64GetDatum((int64) lock_hash(kind, PG_GETARG_INT32(0),
													 (uint64) PG_GETARG_INT64(1)));
	spi_finish();
	PG_RETURN_ARRAYTYPE_P(construct_array(tags, LABEL_ORDER_ID, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
