/*
 * secret_table.c
 *		Unlogged tables of secrets that expire (design sections 6 and 7): how
 *		they are emptied, and the record of what was destroyed.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "identity/secret_table.h"

/* Our own class of advisory locks: who deletes old records. */
#define RECORD_LOCK_CLASS 0x706e

#define RECORD_LIFETIME "30 days"

/*
 * secret_table_oid
 *		The table of pk_tracking with this name; InvalidOid if there is none.
 */
Oid
secret_table_oid(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("pk_tracking", false));
}

/* Open a table if its lock is to be had at once; NULL if not. */
static Relation
try_open(Oid relid, LOCKMODE mode)
{
	Relation	rel;

	if (!OidIsValid(relid) || !ConditionalLockRelationOid(relid, mode))
		return NULL;
	rel = try_relation_open(relid, NoLock);
	if (rel == NULL)
		UnlockRelationOid(relid, mode);
	return rel;
}

/*
 * secret_table_has_pages
 *		Is there anything in the table, be it dead?  False if it cannot be told
 *		without waiting.
 */
bool
secret_table_has_pages(Oid relid)
{
	Relation	rel = try_open(relid, AccessShareLock);
	bool		result;

	if (rel == NULL)
		return false;
	result = RelationGetNumberOfBlocks(rel) > 0;
	relation_close(rel, AccessShareLock);
	return result;
}

/* True if no row of the table lives. */
static bool
all_dead(Relation rel, AttrNumber expires, TimestampTz now, int64 horizon)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	TableScanDesc scan;
	bool		result = true;

	/*
	 * SnapshotSelf sees what is committed, and leaves no predicate lock on
	 * the table behind, as a serializable snapshot would.
	 */
	scan = table_beginscan(rel, SnapshotSelf, 0, NULL);
	while (result && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		TimestampTz t = DatumGetTimestampTz(slot_getattr(slot, expires, &isnull));

		CHECK_FOR_INTERRUPTS();
		if (!isnull && t > now &&
			(horizon == SECRET_NO_HORIZON || t - horizon <= now))
			result = false;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return result;
}

/*
 * Open a table exclusively if that can be had at once and no query of this
 * session is reading it; NULL if not.
 */
static Relation
try_open_exclusively(Oid relid)
{
	Relation	rel = try_open(relid, AccessExclusiveLock);

	if (rel != NULL && rel->rd_refcnt > 1)
	{
		relation_close(rel, AccessExclusiveLock);
		return NULL;
	}
	return rel;
}

/*
 * secret_table_lock
 *		Take the table exclusively, to the end of the transaction.  False if
 *		that cannot be had at once.
 */
bool
secret_table_lock(Oid relid)
{
	Relation	rel = try_open_exclusively(relid);

	if (rel == NULL)
		return false;
	relation_close(rel, NoLock);
	return true;
}

/*
 * secret_table_lock_dead
 *		Take the table exclusively if nothing in it lives.
 *
 * See secret_table.h.  Waits for no lock, and keeps none unless the answer is
 * SECRET_TABLE_LOCKED.
 */
SecretTableState
secret_table_lock_dead(Oid relid, AttrNumber expires, TimestampTz now,
					   int64 horizon, bool even_empty)
{
	Relation	rel;
	bool		dead;

	if (!OidIsValid(relid))
		return SECRET_TABLE_IN_USE;

	rel = try_open(relid, AccessShareLock);
	if (rel == NULL)
		return SECRET_TABLE_BUSY;
	dead = (even_empty || RelationGetNumberOfBlocks(rel) > 0) &&
		all_dead(rel, expires, now, horizon);
	relation_close(rel, AccessShareLock);
	if (!dead)
		return SECRET_TABLE_IN_USE;

	rel = try_open_exclusively(relid);
	if (rel == NULL)
		return SECRET_TABLE_BUSY;
	/* somebody may have been faster */
	dead = (even_empty || RelationGetNumberOfBlocks(rel) > 0) &&
		all_dead(rel, expires, now, horizon);
	relation_close(rel, dead ? NoLock : AccessExclusiveLock);
	return dead ? SECRET_TABLE_LOCKED : SECRET_TABLE_IN_USE;
}

/* Run a statement about records under the newest snapshot; $1 is now. */
static void
run_record(const char *sql, TimestampTz now, int expected)
{
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		values[1];
	SPIPlanPtr	plan = SPI_prepare(sql, 1, types);
	int			rc;

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
	values[0] = TimestampTzGetDatum(now);
	rc = SPI_execute_snapshot(plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot,
							  false, false, 0);
	if (rc != expected)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(rc));
	SPI_freeplan(plan);
}

/*
 * secret_table_record
 *		Record in pk_tracking.secret_destroyed that the secrets in the table go.
 *		Records older than 30 days go, unless somebody else is at that.
 *
 * Takes the table's name, the expressions, and the wall clock.
 */
void
secret_table_record(const char *name, const char *what, TimestampTz now)
{
	StringInfoData sql;
	LOCKTAG		tag;

	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "INSERT INTO pk_tracking.secret_destroyed"
					 " (kind, idsite, period, created, expires, destroyed)"
					 " SELECT %s, t.created, t.expires, $1 FROM ONLY pk_tracking.%s AS t",
					 what, name);
	run_record(sql.data, now, SPI_OK_INSERT);
	pfree(sql.data);

	/* two deletions of one row: the second would wait for the first */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, RECORD_LOCK_CLASS);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return;
	run_record("DELETE FROM ONLY pk_tracking.secret_destroyed"
			   " WHERE destroyed OPERATOR(pg_catalog.<)"
			   " ($1 OPERATOR(pg_catalog.-) '" RECORD_LIFETIME "'::pg_catalog.interval)",
			   now, SPI_OK_DELETE);
}

/*
 * secret_table_truncate
 *		Empty a table of pk_tracking.
 *
 * Errors: insufficient_privilege.
 */
void
secret_table_truncate(const char *name)
{
	StringInfoData sql;
	int			rc;

	initStringInfo(&sql);
	appendStringInfo(&sql, "TRUNCATE TABLE ONLY pk_tracking.%s", name);
	rc = SPI_execute(sql.data, false, 0);
	if (rc != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
	pfree(sql.data);
}
