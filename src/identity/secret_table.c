/*
 * secret_table.c
 *		Unlogged tables of secrets that expire: how they are emptied, the record
 *		of what was destroyed, and when secrets in memory are wiped.
 *
 * See doc/internals.md, "Salts".
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/tableam.h"
#include "access/xact.h"
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

/* Our own class of advisory locks: for deleting old records. */
#define RECORD_LOCK_CLASS 0x706e

#define RECORD_LIFETIME "30 days"

/*
 * ---- Secrets in memory ----
 */

static void
secret_xact_callback(XactEvent event, void *arg)
{
	SecretModule *module = arg;

	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:

			/* may be rolled back, of which nobody will tell this session */
			/* FALLTHROUGH */
		case XACT_EVENT_PREPARE:
			module->forget(module->destroyed);
			/* FALLTHROUGH */
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
			module->wipe();
			module->destroyed = false;
			break;
		default:
			break;
	}
}

/* Which secrets were made in the subtransaction is not remembered: all are wiped. */
static void
secret_subxact_callback(SubXactEvent event, SubTransactionId mySubid,
						SubTransactionId parentSubid, void *arg)
{
	SecretModule *module = arg;

	(void) mySubid;
	(void) parentSubid;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		module->forget(module->destroyed);
		module->wipe();
	}
}

void
secret_module_register(SecretModule *module)
{
	RegisterXactCallback(secret_xact_callback, module);
	RegisterSubXactCallback(secret_subxact_callback, module);
}


/*
 * ---- Tables ----
 */

Oid
secret_table_oid(const char *name)
{
	return get_relname_relid(name, get_namespace_oid("pk_tracking", false));
}

/* Open a table; NULL if it does not exist or cannot be locked without waiting. */
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
	 * SnapshotSelf sees what is committed and, unlike a serializable
	 * snapshot, leaves no predicate lock on the table.
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
 * Open a table with an exclusive lock; NULL if the lock cannot be taken without
 * waiting, or if a query of this session is reading the table.
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

bool
secret_table_lock(Oid relid)
{
	Relation	rel = try_open_exclusively(relid);

	if (rel == NULL)
		return false;
	relation_close(rel, NoLock);
	return true;
}

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
	/* another session may have emptied and refilled it meanwhile */
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

	/* do not wait for another session that deletes the same records */
	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, 0, 0, RECORD_LOCK_CLASS);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return;
	run_record("DELETE FROM ONLY pk_tracking.secret_destroyed"
			   " WHERE destroyed OPERATOR(pg_catalog.<)"
			   " ($1 OPERATOR(pg_catalog.-) '" RECORD_LIFETIME "'::pg_catalog.interval)",
			   now, SPI_OK_DELETE);
}

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
