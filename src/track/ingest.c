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
#include "log/log.h"
#include "settings/gucs.h"
#include "settings/settings.h"
#include "track/batch.h"
#include "track/raw.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_row_xid);
PG_FUNCTION_INFO_V1(pkt_ingest);

#define BATCH_MAX 1000000

/* How far a walk by transactions has come: the row of ingest_position. */
typedef struct Position
{
	uint64		done_before;
	uint64		until_before;	/* 0: between two passes */
	bool		has_key;
	Datum		key;
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
compare_keys(const void *a, const void *b, void *arg)
{
	const RawSpiRow *x = a;
	const RawSpiRow *y = b;

	if (((const RawColumn *) arg)->type == RAW_UUID)
		return memcmp(DatumGetUUIDP(x->key), DatumGetUUIDP(y->key), UUID_LEN);
	if (DatumGetInt64(x->key) == DatumGetInt64(y->key))
		return 0;
	return DatumGetInt64(x->key) < DatumGetInt64(y->key) ? -1 : 1;
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
	errhint("If none of its present rows has been tracked, delete its row of " \
			"pk_tracking.ingest_position and begin again.")

/*
 * Lock the table's row of ingest_position, making it if there is none, and read
 * it.  Runs as the log's owner.  Two calls of ingest() take turns here.
 */
static void
read_position(Relation rel, const RawMap *map, const RawColumn *key, Position *position)
{
	static KeptPlan insert = {
		.query = "INSERT INTO pk_tracking.ingest_position (raw_table, relation, storage,"
		" system_identifier, done_before)"
		" SELECT $1, $2, $3, $4, '0' WHERE NOT EXISTS"
		" (SELECT FROM pk_tracking.ingest_position p WHERE p.relation OPERATOR(pg_catalog.=) $2)"
		" ON CONFLICT (raw_table) DO NOTHING",
		.nargs = 4,.argtypes = {TEXTOID, OIDOID, OIDOID, INT8OID}
	};
	static KeptPlan select = {
		.query = "SELECT p.relation, p.storage, p.system_identifier, p.done_before,"
		" p.until_before, p.last_key"
		" FROM pk_tracking.ingest_position p"
		" WHERE p.relation OPERATOR(pg_catalog.=) $2 OR p.raw_table OPERATOR(pg_catalog.=) $1"
		" ORDER BY p.relation OPERATOR(pg_catalog.=) $2 DESC LIMIT 1 FOR UPDATE",
		.nargs = 2,.argtypes = {TEXTOID, OIDOID}
	};
	Datum		values[4];
	Datum		d[6];
	bool		isnull[6];
	int			level = pin_search_path();

	values[0] = CStringGetTextDatum(map->table);
	values[1] = ObjectIdGetDatum(RelationGetRelid(rel));
	values[2] = ObjectIdGetDatum(rel->rd_rel->relfilenode);
	values[3] = Int64GetDatum((int64) GetSystemIdentifier());
	(void) plan_execute(&insert, values, NULL, 0, false);
	if (plan_execute(&select, values, NULL, 1, false) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read ingest_position");
	for (int i = 0; i < 6; i++)
		d[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull[i]);
	AtEOXact_GUC(true, level);

	if (DatumGetInt64(d[2]) != (int64) GetSystemIdentifier())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot continue with table \"%s\" because it comes from another server",
						RelationGetRelationName(rel)),
				 POSITION_LOST));
	if (DatumGetObjectId(d[0]) != RelationGetRelid(rel))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot continue with table \"%s\" because another table had this name before",
						RelationGetRelationName(rel)),
				 POSITION_LOST));
	if (DatumGetObjectId(d[1]) != rel->rd_rel->relfilenode)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot continue with table \"%s\" because it was truncated or rewritten",
						RelationGetRelationName(rel)),
				 POSITION_LOST));
	position->done_before = U64FromFullTransactionId(DatumGetFullTransactionId(d[3]));
	position->until_before = isnull[4] ? 0 :
		U64FromFullTransactionId(DatumGetFullTransactionId(d[4]));
	position->has_key = !isnull[5];
	if (position->has_key)
		position->key = key_in(key, TextDatumGetCString(d[5]));
}

static void
write_position(Relation rel, const RawColumn *key, const Position *position, int64 idrun)
{
	static KeptPlan plan = {
		.query = "UPDATE pk_tracking.ingest_position SET done_before = $2, until_before = $3,"
		" last_key = $4, idrun = $5, changed = pg_catalog.clock_timestamp()"
		" WHERE relation OPERATOR(pg_catalog.=) $1",
		.nargs = 5,.argtypes = {OIDOID, XID8OID, XID8OID, TEXTOID, INT8OID}
	};
	Datum		values[5] = {0};
	char		nulls[6] = "     ";
	int			level = pin_search_path();

	values[0] = ObjectIdGetDatum(RelationGetRelid(rel));
	values[1] = FullTransactionIdGetDatum(FullTransactionIdFromU64(position->done_before));
	values[2] = FullTransactionIdGetDatum(FullTransactionIdFromU64(position->until_before));
	nulls[2] = position->until_before == 0 ? 'n' : ' ';
	nulls[3] = position->has_key ? ' ' : 'n';
	if (position->has_key)
		values[3] = CStringGetTextDatum(key_out(key, position->key));
	values[4] = Int64GetDatum(idrun);
	if (plan_execute(&plan, values, nulls, 0, false) != SPI_OK_UPDATE || SPI_processed != 1)
		elog(ERROR, "could not write ingest_position");
	AtEOXact_GUC(true, level);
}

/* Raise an error if one of these rows was updated: its xmin is not what inserted it any more. */
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
					 errhint("Either do not update rows of a raw table, or pass consume => true so that they are deleted as they are read.")));
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

	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("table \"%s\" does not use access method \"heap\"", RelationGetRelationName(rel))));
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
		raw_run_notice(in->run);
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
