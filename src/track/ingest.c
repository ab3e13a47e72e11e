/*
 * ingest.c
 *		ingest(): tracks the rows of a raw table, batch by batch.
 *
 * The raw table is read with queries as the caller, so that the caller's rights
 * and the table's row security hold; its hits go through the engine as the log's
 * owner.
 *
 * How ingest() takes every row once without deleting it: a transaction's rows
 * appear at once, in no order of any key, so the walk goes by transactions.
 * Before a pass, it notes the oldest transaction that is running, the horizon.
 * All rows that older transactions have inserted are visible then, and none will
 * follow; a subtransaction is younger than its parent, so this holds for its
 * rows, too.  A pass takes the rows of the transactions from the last horizon up
 * to this one.  This set does not change, so it can be walked through by key, in
 * batches, each committed together with its last key.  The next pass begins at
 * this horizon.
 *
 * This is right only as long as every row keeps the transaction that inserted
 * it.  Whatever breaks that is refused: rows that were updated, tables that were
 * rewritten or came from another server, and partitioned tables (use attach()).
 * ingest_resume() begins a new walk then: a pass over all transactions that has
 * come to a certain key already, by default the greatest that was ever taken.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/xid8.h"

#include "base/compat.h"
#include "base/plan.h"
#include "base/spi.h"
#include "base/wipe.h"
#include "log/log.h"
#include "settings/gucs.h"
#include "settings/settings.h"
#include "track/batch.h"
#include "track/raw.h"
#include "track/rights.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_row_xid);
PG_FUNCTION_INFO_V1(pkt_ingest);
PG_FUNCTION_INFO_V1(pkt_ingest_resume);

#define BATCH_MAX 1000000

/* How far a walk by transactions has come: the row of ingest_position. */
typedef struct Position
{
	uint64		done_before;
	uint64		until_before;	/* 0: between two passes */
	bool		has_key;
	Datum		key;
	int64		taken;			/* rows so far */
	bool		has_greatest;	/* false, with rows taken: their key was
								 * another column */
	Datum		greatest;		/* key so far */
} Position;

/* One call of ingest(). */
typedef struct Ingest
{
	Oid			relid;
	RawOptions	options;
	int			batch;			/* rows */
	const char *key;			/* name of the column, NULL: primary key */
	bool		consume;
	RawRun	   *run;			/* NULL before the first batch */
	int64		rows;			/* read so far */
	bool		opened;			/* this call began the current pass */
	bool		done;
} Ingest;

/* A recent transaction id, with its epoch. */
static uint64
full_xid(TransactionId xid)
{
	FullTransactionId next = ReadNextFullTransactionId();
	uint32		epoch = EpochFromFullTransactionId(next);

	if (!TransactionIdIsNormal(xid))
		return xid;
	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return U64FromFullTransactionId(FullTransactionIdFromEpochAndXid(epoch, xid));
}

/*
 * pkt_row_xid
 *		SQL: row_xid(xid) → xid8, the transaction that a row's xmin is.
 */
Datum
pkt_row_xid(PG_FUNCTION_ARGS)
{
	PG_RETURN_FULLTRANSACTIONID(FullTransactionIdFromU64(full_xid(PG_GETARG_TRANSACTIONID(0))));
}

/* The type of the parameter that a key is compared with. */
static Oid
key_type(const RawColumn *c)
{
	return c->type == RAW_INT ? INT8OID : c->typid;
}

/* A key as a parameter: an integer is a bigint. */
static Datum
key_datum(const RawColumn *c, Datum value)
{
	if (c->type != RAW_INT || c->width == 8)
		return value;
	return Int64GetDatum(c->width == 2 ? DatumGetInt16(value) : DatumGetInt32(value));
}

static char *
key_out(const RawColumn *c, Datum key)
{
	if (c->type == RAW_UUID)
		return DatumGetCString(DirectFunctionCall1(uuid_out, key));
	return psprintf(INT64_FORMAT, DatumGetInt64(key));
}

static Datum
key_in(const RawColumn *c, char *str)
{
	if (c->type == RAW_UUID)
		return DirectFunctionCall1(uuid_in, CStringGetDatum(str));
	return DirectFunctionCall1(int8in, CStringGetDatum(str));
}

static int
key_compare(const RawColumn *c, Datum a, Datum b)
{
	if (c->type == RAW_UUID)
		return memcmp(DatumGetUUIDP(a), DatumGetUUIDP(b), UUID_LEN);
	if (DatumGetInt64(a) == DatumGetInt64(b))
		return 0;
	return DatumGetInt64(a) < DatumGetInt64(b) ? -1 : 1;
}

static int
compare_keys(const void *a, const void *b, void *arg)
{
	return key_compare(arg, ((const RawSpiRow *) a)->key, ((const RawSpiRow *) b)->key);
}

static int
compare_times(const void *a, const void *b)
{
	const RawSpiRow *x = a;
	const RawSpiRow *y = b;

	if (x->idsite != y->idsite)
		return x->idsite < y->idsite ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->row.position < y->row.position ? -1 : x->row.position > y->row.position;
}

/* Run rows that are in memory through the engine; the caller has entered it. */
static void
run_rows(const RawMap *map, RawSpiRow *rows, int n, RawRun *run, int64 before)
{
	RawGroup   *group = raw_group_create(RAW_GROUP_IN_BATCH);
	bool		sorted = map->order == RAW_ORDER_TIME;
	bool		locked = false;

	for (int i = 0; i < n; i++)
	{
		rows[i].row.position = before + i + 1;
		if (sorted)
			raw_site_and_time(map, &rows[i].row, &rows[i].idsite, &rows[i].at);
	}
	if (sorted)
		qsort(rows, n, sizeof(RawSpiRow), compare_times);
	batch_begin(true);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!raw_group_add(group, map, &rows[i].row))
			continue;
		if (!locked && i + 1 < n)
		{
			RawSites	sites = {0};

			for (int j = 0; j < n; j++)
			{
				if (!sorted)
					rows[j].idsite = raw_site(map, &rows[j].row);
				raw_sites_add(&sites, rows[j].idsite);
			}
			raw_sites_lock(&sites);
			locked = true;
		}
		raw_group_run(group, run);
	}
	raw_group_run(group, run);
	batch_end();
}

#define POSITION_LOST \
	errdetail("It is not known which of its rows have been tracked."), \
	errhint("Go on after the greatest key that has been tracked with " \
			"pk_tracking.ingest_resume(). If none of its present rows has been tracked, delete " \
			"its row of pk_tracking.ingest_position instead.")

/* A row of ingest_position, as it is stored; texts are NULL where it has NULL. */
typedef struct StoredPosition
{
	Oid			relation;
	Oid			storage;
	int64		system_identifier;
	uint64		done_before;
	uint64		until_before;	/* 0: NULL */
	char	   *last_key;
	char	   *key_column;
	char	   *greatest_key;
	int64		taken;
	char	   *raw_table;
} StoredPosition;

#define POSITION_COLUMNS 10

/*
 * Lock the table's row of ingest_position and read it; false if there is none.
 * It is the row with the table's OID on this server, else that with its name.
 * Runs as the log's owner.  Two calls of ingest() take turns here.
 */
static bool
find_position(Relation rel, const RawMap *map, StoredPosition *stored)
{
	static KeptPlan select = {
		.query = "SELECT p.relation, p.storage, p.system_identifier, p.done_before,"
		" p.until_before, p.last_key, p.key_column::pg_catalog.text, p.greatest_key, p.taken,"
		" p.raw_table"
		" FROM pk_tracking.ingest_position p"
		" WHERE (p.relation OPERATOR(pg_catalog.=) $2"
		" AND p.system_identifier OPERATOR(pg_catalog.=) $3)"
		" OR p.raw_table OPERATOR(pg_catalog.=) $1"
		" ORDER BY p.relation OPERATOR(pg_catalog.=) $2"
		" AND p.system_identifier OPERATOR(pg_catalog.=) $3 DESC LIMIT 1 FOR UPDATE",
		.nargs = 3,.argtypes = {TEXTOID, OIDOID, INT8OID}
	};
	Datum		values[3];
	Datum		d[POSITION_COLUMNS];
	bool		isnull[POSITION_COLUMNS];
	int			level = pin_search_path();

	values[0] = CStringGetTextDatum(map->table);
	values[1] = ObjectIdGetDatum(RelationGetRelid(rel));
	values[2] = Int64GetDatum((int64) GetSystemIdentifier());
	if (plan_execute(&select, values, NULL, 1, false) != SPI_OK_SELECT)
		elog(ERROR, "could not read ingest_position");
	AtEOXact_GUC(true, level);
	if (SPI_processed == 0)
		return false;
	for (int i = 0; i < POSITION_COLUMNS; i++)
		d[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull[i]);
	stored->relation = DatumGetObjectId(d[0]);
	stored->storage = DatumGetObjectId(d[1]);
	stored->system_identifier = DatumGetInt64(d[2]);
	stored->done_before = U64FromFullTransactionId(DatumGetFullTransactionId(d[3]));
	stored->until_before = isnull[4] ? 0 :
		U64FromFullTransactionId(DatumGetFullTransactionId(d[4]));
	stored->last_key = isnull[5] ? NULL : TextDatumGetCString(d[5]);
	stored->key_column = isnull[6] ? NULL : TextDatumGetCString(d[6]);
	stored->greatest_key = isnull[7] ? NULL : TextDatumGetCString(d[7]);
	stored->taken = DatumGetInt64(d[8]);
	stored->raw_table = TextDatumGetCString(d[9]);
	return true;
}

/* Is the greatest key that was loaded a value of this column? */
static bool
knows_greatest(const StoredPosition *stored, const RawColumn *key)
{
	return stored->greatest_key != NULL && stored->key_column != NULL &&
		strcmp(stored->key_column, key->name) == 0;
}

/*
 * Lock the table's row of ingest_position, making it if there is none, and read
 * it.  Runs as the log's owner.
 */
static void
read_position(Relation rel, const RawMap *map, const RawColumn *key, Position *position)
{
	static KeptPlan insert = {
		.query = "INSERT INTO pk_tracking.ingest_position (raw_table, relation, storage,"
		" system_identifier, done_before)"
		" SELECT $1, $2, $3, $4, '0' WHERE NOT EXISTS"
		" (SELECT FROM pk_tracking.ingest_position p WHERE p.relation OPERATOR(pg_catalog.=) $2"
		" AND p.system_identifier OPERATOR(pg_catalog.=) $4)"
		" ON CONFLICT (raw_table) DO NOTHING",
		.nargs = 4,.argtypes = {TEXTOID, OIDOID, OIDOID, INT8OID}
	};
	StoredPosition stored;
	Datum		values[4];
	int			level = pin_search_path();

	values[0] = CStringGetTextDatum(map->table);
	values[1] = ObjectIdGetDatum(RelationGetRelid(rel));
	values[2] = ObjectIdGetDatum(rel->rd_rel->relfilenode);
	values[3] = Int64GetDatum((int64) GetSystemIdentifier());
	(void) plan_execute(&insert, values, NULL, 0, false);
	AtEOXact_GUC(true, level);
	if (!find_position(rel, map, &stored))
		elog(ERROR, "could not read ingest_position");

	if (stored.system_identifier != (int64) GetSystemIdentifier())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot continue with table \"%s\" because it comes from another server",
						RelationGetRelationName(rel)),
				 POSITION_LOST));
	if (stored.relation != RelationGetRelid(rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot continue with table \"%s\" because another table had this name before",
						RelationGetRelationName(rel)),
				 POSITION_LOST));
	if (stored.storage != rel->rd_rel->relfilenode)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot continue with table \"%s\" because it was truncated or rewritten",
						RelationGetRelationName(rel)),
				 POSITION_LOST));
	if (stored.last_key != NULL && stored.key_column != NULL &&
		strcmp(stored.key_column, key->name) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot continue with table \"%s\" by the key \"%s\"",
						RelationGetRelationName(rel), key->name),
				 errdetail("A load that was interrupted went by the key \"%s\".",
						   stored.key_column),
				 errhint("Finish it with the same key first.")));
	position->done_before = stored.done_before;
	position->until_before = stored.until_before;
	position->has_key = stored.last_key != NULL;
	if (position->has_key)
		position->key = key_in(key, stored.last_key);
	position->taken = stored.taken;
	position->has_greatest = knows_greatest(&stored, key);
	if (position->has_greatest)
		position->greatest = key_in(key, stored.greatest_key);
}

/* Count n rows up to the position's key. */
static void
count_taken(Position *position, const RawColumn *key, int n)
{
	if (n == 0)
		return;
	if (position->taken == 0 ||
		(position->has_greatest && key_compare(key, position->key, position->greatest) > 0))
	{
		position->has_greatest = true;
		position->greatest = position->key;
	}
	position->taken += n;
}

static void
write_position(Relation rel, const RawColumn *key, const Position *position, int64 idrun)
{
	static KeptPlan plan = {
		.query = "UPDATE pk_tracking.ingest_position SET done_before = $2, until_before = $3,"
		" last_key = $4, idrun = $5, key_column = $6, greatest_key = $7, taken = $8,"
		" changed = pg_catalog.clock_timestamp()"
		" WHERE relation OPERATOR(pg_catalog.=) $1"
		" AND system_identifier OPERATOR(pg_catalog.=) $9",
		.nargs = 9,.argtypes = {OIDOID, XID8OID, XID8OID, TEXTOID, INT8OID, NAMEOID, TEXTOID,
		INT8OID, INT8OID}
	};
	Datum		values[9] = {0};
	char		nulls[10] = "         ";
	NameData	name;
	int			level = pin_search_path();

	values[0] = ObjectIdGetDatum(RelationGetRelid(rel));
	values[1] = FullTransactionIdGetDatum(FullTransactionIdFromU64(position->done_before));
	values[2] = FullTransactionIdGetDatum(FullTransactionIdFromU64(position->until_before));
	nulls[2] = position->until_before == 0 ? 'n' : ' ';
	nulls[3] = position->has_key ? ' ' : 'n';
	if (position->has_key)
		values[3] = CStringGetTextDatum(key_out(key, position->key));
	values[4] = Int64GetDatum(idrun);
	nulls[4] = idrun == 0 ? 'n' : ' ';
	namestrcpy(&name, key->name);
	values[5] = NameGetDatum(&name);
	nulls[6] = position->has_greatest ? ' ' : 'n';
	if (position->has_greatest)
		values[6] = CStringGetTextDatum(key_out(key, position->greatest));
	values[7] = Int64GetDatum(position->taken);
	values[8] = Int64GetDatum((int64) GetSystemIdentifier());
	if (plan_execute(&plan, values, nulls, 0, false) != SPI_OK_UPDATE || SPI_processed != 1)
		elog(ERROR, "could not write ingest_position");
	AtEOXact_GUC(true, level);
}

/*
 * Raise an error if one of these rows was updated: its xmin is then no longer the
 * transaction that inserted it.
 */
static void
check_updated(Relation rel, ItemPointer tids, int n)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

	for (int i = 0; i < n; i++)
	{
		HeapTupleData tuple;
		Buffer		buffer;

		tuple.t_self = tids[i];
		if (!heap_fetch(rel, snapshot, &tuple, &buffer, false))
			continue;
		if (tuple.t_data->t_infomask & HEAP_UPDATED)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("cannot continue with table \"%s\" because a row was updated",
							RelationGetRelationName(rel)),
					 errdetail("It is not known whether the row has been tracked."),
					 errhint("Either do not update rows of a raw table, or have them deleted as they are read: consume => true, from the first row on.")));
		ReleaseBuffer(buffer);
	}
	UnregisterSnapshot(snapshot);
}

/*
 * Read the next rows of the pass, by key, and move the position past them.
 * over: there are no more.  Runs as the caller.
 */
static RawSpiRow *
read_pass(Relation rel, const RawMap *map, int key_column, Position *position, int batch, int *n,
		  bool *over)
{
	const RawColumn *key = &map->columns[key_column];
	const char *name = quote_identifier(key->name);
	StringInfoData query;
	Oid			types[4] = {XID8OID, XID8OID, INT4OID, key_type(key)};
	Datum		values[4];
	Oid			tid_types[1];
	Datum		tid_values[1];
	int			n_tids;
	ItemPointer tids;
	Datum	   *tid_datums;
	RawSpiRow  *rows;
	bool		isnull;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT t.ctid, t.%s FROM ONLY %s AS t"
					 " WHERE pk_tracking_internal.row_xid(t.xmin) OPERATOR(pg_catalog.>=) $1"
					 " AND pk_tracking_internal.row_xid(t.xmin) OPERATOR(pg_catalog.<) $2",
					 name, map->table);
	if (position->has_key)
		appendStringInfo(&query, " AND t.%s OPERATOR(pg_catalog.>) $4", name);
	appendStringInfo(&query, " ORDER BY t.%s LIMIT $3", name);
	values[0] = FullTransactionIdGetDatum(FullTransactionIdFromU64(position->done_before));
	values[1] = FullTransactionIdGetDatum(FullTransactionIdFromU64(position->until_before));
	values[2] = Int32GetDatum(batch);
	values[3] = position->key;
	if (SPI_execute_with_args(query.data, position->has_key ? 4 : 3, types, values,
							  NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the raw table");
	n_tids = (int) SPI_processed;
	tids = palloc_array(ItemPointerData, n_tids + 1);
	tid_datums = palloc_array(Datum, n_tids + 1);
	for (int i = 0; i < n_tids; i++)
	{
		tids[i] = *(ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[i],
															   SPI_tuptable->tupdesc, 1, &isnull));
		tid_datums[i] = PointerGetDatum(&tids[i]);
	}
	*over = n_tids == 0;
	if (n_tids > 0)
	{
		position->has_key = true;
		position->key = key_datum(key, SPI_getbinval(SPI_tuptable->vals[n_tids - 1],
													 SPI_tuptable->tupdesc, 2, &isnull));
	}
	/* before the first pass no row was tracked, so updates do no harm */
	if (position->done_before > 0)
		check_updated(rel, tids, n_tids);

	/* by place, so that the server sorts nothing but places */
	resetStringInfo(&query);
	appendStringInfo(&query, "SELECT %s FROM ONLY %s AS t"
					 " WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1)",
					 raw_select_list(map, "t"), map->table);
	tid_types[0] = get_array_type(TIDOID);
	tid_values[0] = PointerGetDatum(construct_array(tid_datums, n_tids, TIDOID,
													sizeof(ItemPointerData),
													false, TYPALIGN_SHORT));
	if (SPI_execute_with_args(query.data, 1, tid_types, tid_values,
							  NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the raw table");
	rows = raw_spi_rows(map, 1, n);
	for (int i = 0; i < *n; i++)
		rows[i].key = key_datum(key, rows[i].row.values[key_column]);
	qsort_arg(rows, *n, sizeof(RawSpiRow), compare_keys, unconstify(RawColumn *, key));
	return rows;
}

/* Delete rows and read them.  Runs as the caller. */
static RawSpiRow *
read_consumed(const RawMap *map, int key_column, int batch, int *n)
{
	StringInfoData query;
	RawSpiRow  *rows;

	initStringInfo(&query);
	appendStringInfo(&query, "DELETE FROM ONLY %s AS t WHERE t.ctid OPERATOR(pg_catalog.=) ANY"
					 " (ARRAY(SELECT s.ctid FROM ONLY %s AS s", map->table, map->table);
	if (key_column >= 0)
		appendStringInfo(&query, " ORDER BY s.%s", quote_identifier(map->columns[key_column].name));
	appendStringInfo(&query, " LIMIT %d FOR UPDATE SKIP LOCKED)) RETURNING %s", batch,
					 raw_select_list(map, "t"));
	if (SPI_execute(query.data, false, 0) != SPI_OK_DELETE_RETURNING)
		elog(ERROR, "could not delete rows of the raw table");
	rows = raw_spi_rows(map, 1, n);
	if (key_column >= 0)
	{
		RawColumn  *key = &map->columns[key_column];

		for (int i = 0; i < *n; i++)
			rows[i].key = key_datum(key, rows[i].row.values[key_column]);
		qsort_arg(rows, *n, sizeof(RawSpiRow), compare_keys, key);
	}
	return rows;
}

/* Raise an error if rows have been tracked and left there: they would be tracked again. */
static void
check_not_walked(Relation rel, const RawMap *map)
{
	StoredPosition stored;

	if (find_position(rel, map, &stored) && stored.taken > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot consume table \"%s\" because rows of it have been tracked without being deleted",
						RelationGetRelationName(rel)),
				 errhint("Delete the rows that have been tracked, and the table's row of "
						 "pk_tracking.ingest_position.")));
}

/* Raise an error unless rows of the table keep the transaction that inserted them. */
static void
check_heap(Relation rel)
{
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" does not use access method \"heap\"",
						RelationGetRelationName(rel))));
}

/* Track one batch; afterwards its transaction can be committed. */
static void
ingest_batch(Ingest *in, MemoryContext long_lived)
{
	Relation	rel = raw_open(in->relid, false);
	EngineScope scope;
	MemoryContext context;
	RawMap	   *map;
	int			key = -1;
	Position	position = {0};
	bool		over = false;
	RawSpiRow  *rows;
	int			n;

	check_heap(rel);
	if (in->options.trusted)
		check_trusted();

	/* a connection for each batch, so that SPI's memory goes with it */
	spi_connect();
	context = CurrentMemoryContext;
	/* columns may have changed since the last batch */
	map = raw_map(rel, raw_options(rel, &in->options));
	if (!in->consume || in->key != NULL || map->key >= 0)
		key = raw_map_key(map, rel, in->key);
	if (in->run == NULL)
	{
		MemoryContextSwitchTo(long_lived);
		in->run = raw_run_create(map, "ingest");
		MemoryContextSwitchTo(context);
	}
	in->run->map = map;

	if (in->consume)
	{
		engine_enter(&scope);
		MemoryContextSwitchTo(context);
		check_not_walked(rel, map);
		engine_leave(&scope);
		rows = read_consumed(map, key, in->batch, &n);
		over = n == 0;
	}
	else
	{
		engine_enter(&scope);
		MemoryContextSwitchTo(context);
		read_position(rel, map, &map->columns[key], &position);
		engine_leave(&scope);
		if (position.until_before == 0)
		{
			Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());

			position.until_before = Max(full_xid(snapshot->xmin), position.done_before);
			UnregisterSnapshot(snapshot);
			in->opened = true;
		}
		rows = read_pass(rel, map, key, &position, in->batch, &n, &over);
	}

	engine_enter(&scope);
	raw_run_begin(in->run);
	run_rows(map, rows, n, in->run, in->rows);
	in->rows += n;
	/* after a pass that an earlier call began comes one of this call */
	in->done = over && (in->consume || in->opened);
	if (!in->consume)
	{
		count_taken(&position, &map->columns[key], n);
		if (over)
		{
			position.done_before = position.until_before;
			position.until_before = 0;
			position.has_key = false;
		}
		write_position(rel, &map->columns[key], &position, in->run->idrun);
	}
	raw_run_write(in->run, in->done);
	engine_leave(&scope);
	if (in->done)
		raw_run_notice(in->run, role_has(GetUserId(), RIGHT_FULL_ANSWERS));
	in->run->map = NULL;
	spi_finish();
	table_close(rel, NoLock);
}

/*
 * pkt_ingest
 *		SQL: CALL ingest(raw_table, mapping, batch, key, consume, hit_order,
 *		on_error, trusted).  Commits after each batch.
 */
Datum
pkt_ingest(PG_FUNCTION_ARGS)
{
	Ingest		in = {0};
	MemoryContext context;
	MemoryContext caller = CurrentMemoryContext;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("ingest() cannot run inside a transaction block"),
				 errhint("It commits after each batch.")));
	in.relid = raw_table_arg(fcinfo);
	if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	wipe_at_end(CurrentMemoryContext);
	/* SPI's context outlives the transactions */
	in.options = raw_options_args(fcinfo, 5, "given");
	in.batch = PG_ARGISNULL(2) ? 10000 : PG_GETARG_INT32(2);
	in.key = PG_ARGISNULL(3) ? NULL : pstrdup(NameStr(*PG_GETARG_NAME(3)));
	in.consume = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	if (in.batch < 1 || in.batch > BATCH_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("batch must be between 1 and %d", BATCH_MAX)));
	context = CurrentMemoryContext;

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		PushActiveSnapshot(GetTransactionSnapshot());
		ingest_batch(&in, context);
		PopActiveSnapshot();
		if (in.done)
			break;				/* committed by the end of the call */
		SPI_commit();
	}
	spi_finish();
	MemoryContextSwitchTo(caller);
	PG_RETURN_VOID();
}

/* A key as a user writes it. */
static Datum
key_read(const RawColumn *c, char *str)
{
	if (c->typid == TIMESTAMPTZOID)
		return DirectFunctionCall3(timestamptz_in, CStringGetDatum(str),
								   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	return key_in(c, str);
}

/* The same for output. */
static char *
key_show(const RawColumn *c, Datum key)
{
	if (c->typid == TIMESTAMPTZOID)
		return DatumGetCString(DirectFunctionCall1(timestamptz_out, key));
	return key_out(c, key);
}

/* What ingest_resume() counts in a raw table. */
typedef struct ResumeCounts
{
	int64		taken;			/* rows up to the key */
	int64		left;			/* rows after it */
	int64		young;			/* rows up to the key that a later pass would
								 * take */
} ResumeCounts;

/* Count the rows up to a key, or all as left without one.  Runs as the caller. */
static ResumeCounts
count_rows(const RawMap *map, const RawColumn *key, bool has_bound, Datum bound, uint64 horizon)
{
	const char *name = quote_identifier(key->name);
	Oid			types[2] = {key_type(key), XID8OID};
	Datum		values[2];
	ResumeCounts counts;
	StringInfoData query;
	bool		isnull;

	initStringInfo(&query);
	if (has_bound)
		appendStringInfo(&query, "SELECT pg_catalog.count(*) FILTER (WHERE t.%s"
						 " OPERATOR(pg_catalog.<=) $1), pg_catalog.count(*) FILTER (WHERE t.%s"
						 " OPERATOR(pg_catalog.>) $1), pg_catalog.count(*) FILTER (WHERE t.%s"
						 " OPERATOR(pg_catalog.<=) $1 AND pk_tracking_internal.row_xid(t.xmin)"
						 " OPERATOR(pg_catalog.>=) $2) FROM ONLY %s AS t",
						 name, name, name, map->table);
	else
		appendStringInfo(&query, "SELECT 0::pg_catalog.int8, pg_catalog.count(*),"
						 " 0::pg_catalog.int8 FROM ONLY %s AS t", map->table);
	values[0] = bound;
	values[1] = FullTransactionIdGetDatum(FullTransactionIdFromU64(horizon));
	if (SPI_execute_with_args(query.data, has_bound ? 2 : 0, types, values, NULL, false, 0) !=
		SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the raw table");
	counts.taken = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											   &isnull));
	counts.left = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2,
											  &isnull));
	counts.young = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 3,
											   &isnull));
	return counts;
}

/*
 * Give the table a position as this server has it: a pass over all transactions
 * up to the horizon that has come to position->key.  Runs as the log's owner.
 */
static void
write_resumed(Relation rel, const RawMap *map, const RawColumn *key, const StoredPosition *stored,
			  const Position *position)
{
	static KeptPlan plan = {
		.query = "INSERT INTO pk_tracking.ingest_position AS p (raw_table, relation, storage,"
		" system_identifier, done_before) VALUES ($1, $2, $3, $4, '0')"
		" ON CONFLICT (raw_table) DO UPDATE SET relation = EXCLUDED.relation,"
		" storage = EXCLUDED.storage, system_identifier = EXCLUDED.system_identifier",
		.nargs = 4,.argtypes = {TEXTOID, OIDOID, OIDOID, INT8OID}
	};
	Datum		values[4];
	int			level = pin_search_path();

	values[0] = CStringGetTextDatum(stored != NULL ? stored->raw_table : map->table);
	values[1] = ObjectIdGetDatum(RelationGetRelid(rel));
	values[2] = ObjectIdGetDatum(rel->rd_rel->relfilenode);
	values[3] = Int64GetDatum((int64) GetSystemIdentifier());
	if (plan_execute(&plan, values, NULL, 0, false) != SPI_OK_INSERT)
		elog(ERROR, "could not write ingest_position");
	AtEOXact_GUC(true, level);
	write_position(rel, key, position, 0);
}

/* Find out up to which key rows count as taken; false: none of them does. */
static bool
resume_bound(Relation rel, const RawColumn *key, const StoredPosition *stored, char *up_to,
			 Datum *bound)
{
	bool		known = stored != NULL && knows_greatest(stored, key);
	Datum		greatest = known ? key_in(key, stored->greatest_key) : (Datum) 0;

	if (up_to == NULL)
	{
		if (known)
			*bound = greatest;
		else if (stored == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("table \"%s\" has not been loaded yet",
							RelationGetRelationName(rel)),
					 errhint("pk_tracking.ingest() begins with its first row. To leave out rows "
							 "that have been tracked in another way, name their greatest key with "
							 "up_to.")));
		else if (stored->taken > 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("it is not known up to which key the rows of table \"%s\" have been tracked",
							RelationGetRelationName(rel)),
					 errhint("Name the greatest key that has been tracked with up_to.")));
		return known;
	}
	*bound = key_read(key, up_to);
	if (known && key_compare(key, *bound, greatest) < 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("rows of table \"%s\" after this key have been tracked already",
						RelationGetRelationName(rel)),
				 errdetail("The greatest key that has been tracked is %s.",
						   key_show(key, greatest)),
				 errhint("Leave out up_to to go on after it. To track rows a second time on "
						 "purpose, delete the table's row of pk_tracking.ingest_position.")));
	if (!known && stored != NULL && stored->taken > 0)
		ereport(WARNING,
				(errmsg("it is not known whether rows of table \"%s\" after this key have been tracked",
						RelationGetRelationName(rel)),
				 errhint("If some have, ingest() tracks them a second time.")));
	return true;
}

/*
 * pkt_ingest_resume
 *		SQL: ingest_resume(raw_table, up_to, key) → number of rows that are left
 *		to ingest().  For a table whose rows do not have the transactions any
 *		more by which ingest() knows them: rows up to a key count as taken.
 *		Errors: object_not_in_prerequisite_state where the table needs no
 *		resuming, and where rows would be taken twice.
 */
Datum
pkt_ingest_resume(PG_FUNCTION_ARGS)
{
	Relation	rel = raw_open(raw_table_arg(fcinfo), false);
	char	   *up_to = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	const char *name = PG_ARGISNULL(2) ? NULL : NameStr(*PG_GETARG_NAME(2));
	RawMap	   *map;
	const RawColumn *key;
	EngineScope scope;
	MemoryContext context;
	StoredPosition row;
	StoredPosition *stored;
	Position	position = {0};
	ResumeCounts counts;
	Snapshot	snapshot;

	check_heap(rel);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	context = CurrentMemoryContext;
	map = raw_map_bare(rel);
	engine_enter(&scope);
	MemoryContextSwitchTo(context);
	stored = find_position(rel, map, &row) ? &row : NULL;
	engine_leave(&scope);
	if (stored != NULL && stored->system_identifier == (int64) GetSystemIdentifier() &&
		stored->relation == RelationGetRelid(rel) && stored->storage == rel->rd_rel->relfilenode)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("ingest() can continue with table \"%s\" as it is",
						RelationGetRelationName(rel)),
				 errhint("Call pk_tracking.ingest() again.")));
	if (name == NULL && stored != NULL)
		name = stored->key_column;
	key = &map->columns[raw_map_key(map, rel, name)];
	position.has_key = resume_bound(rel, key, stored, up_to, &position.key);

	snapshot = RegisterSnapshot(GetLatestSnapshot());
	position.until_before = full_xid(snapshot->xmin);
	UnregisterSnapshot(snapshot);
	counts = count_rows(map, key, position.has_key, position.key, position.until_before);
	if (counts.young > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot resume table \"%s\" while a transaction is running that is older than its rows",
						RelationGetRelationName(rel)),
				 errhint("Try again when all transactions have ended that ran when the rows were "
						 "written, this one included.")));
	if (stored != NULL && counts.taken > stored->taken)
		ereport(WARNING,
				(errmsg(INT64_FORMAT " rows of table \"%s\" count as tracked, but only "
						INT64_FORMAT " have been",
						counts.taken, RelationGetRelationName(rel), stored->taken),
				 errhint("Rows with smaller keys that had not been tracked yet are left out.")));

	position.taken = counts.taken;
	position.has_greatest = position.has_key;
	position.greatest = position.key;
	engine_enter(&scope);
	write_resumed(rel, map, key, stored, &position);
	engine_leave(&scope);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	table_close(rel, NoLock);
	PG_RETURN_INT64(counts.left);
}
