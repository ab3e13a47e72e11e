/*
 * subject.c
 *		What the functions about data subjects need that SQL cannot do: the locks of
 *		recognition, and waiting for hits.
 *
 * A function that forgets a person holds what a hit of that person holds: the
 * site's gate, shared, and the visitor ids.  So no hit that knows the person by an
 * id is being decided meanwhile.  A hit that a fingerprint brings to one of the
 * visits holds none of these: it meets the lock of the visit's row, finds the
 * version that it read outdated, and looks again.
 *
 * These locks are only tried.  Who cannot have one gives back those that it has
 * (they were taken in a subtransaction, which is rolled back), sleeps, and begins
 * again; so it takes part in no deadlock.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/spi.h"
#include "log/lock.h"
#include "log/log.h"

PG_FUNCTION_INFO_V1(pkt_subject_lock);
PG_FUNCTION_INFO_V1(pkt_subject_nap);
PG_FUNCTION_INFO_V1(pkt_wait_for_writers);

static int
compare_ids(const void *a, const void *b)
{
	uint64		x = (uint64) DatumGetInt64(*(const Datum *) a);
	uint64		y = (uint64) DatumGetInt64(*(const Datum *) b);

	return x < y ? -1 : x > y;
}

/*
 * pkt_subject_lock
 *		SQL: subject_lock(idsite integer, ids bigint[]) → boolean.  Try to lock the
 *		site's gate, shared, and these visitor ids, as a hit does, to the end of the
 *		(sub)transaction; false if one of the locks cannot be had now.  The caller
 *		may read salts.
 */
Datum
pkt_subject_lock(PG_FUNCTION_ARGS)
{
	int32		idsite = PG_GETARG_INT32(0);
	Datum	   *ids;
	int			n;
	bool		locked;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &ids, NULL, &n);
	qsort(ids, n, sizeof(Datum), compare_ids);
	spi_connect();
	/* what the tags of locks are made from changes only while nobody has this */
	log_lock();
	locked = lock_try(LOCK_GATE, idsite, 0);
	for (int i = 0; i < n && locked; i++)
	{
		CHECK_FOR_INTERRUPTS();
		locked = lock_try(LOCK_VISITOR_ID, idsite, (uint64) DatumGetInt64(ids[i]));
	}
	spi_finish();
	PG_RETURN_BOOL(locked);
}

/*
 * pkt_subject_nap
 *		SQL: subject_nap(began timestamptz) → void.  Sleep between two attempts; began:
 *		the time of the first.  Error lock_not_available after lock_timeout.
 */
Datum
pkt_subject_nap(PG_FUNCTION_ARGS)
{
	lock_nap(PG_GETARG_TIMESTAMPTZ(0));
	PG_RETURN_VOID();
}

/*
 * pkt_wait_for_writers
 *		SQL: wait_for_writers(relation regclass) → void.  Wait for the transactions
 *		that have the table locked for writing now to end, without holding up others,
 *		as CREATE INDEX CONCURRENTLY does.  Who comes later has seen what was
 *		committed before this call.  The caller must hold no lock on the table.
 */
Datum
pkt_wait_for_writers(PG_FUNCTION_ARGS)
{
	LOCKTAG		tag;

	SET_LOCKTAG_RELATION(tag, MyDatabaseId, PG_GETARG_OID(0));
	WaitForLockers(tag, ShareLock, false);
	PG_RETURN_VOID();
}
