/*
 * replay.c
 *		replay(): tracks all rows of a raw table, by time, into the empty log of
 *		their sites.
 *
 * The raw table is read twice with queries as the caller, so that the caller's
 * rights and the table's row security hold: first for sites and times, by which
 * places of rows are sorted, then for the hits, in that order.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/plan.h"
#include "base/spi.h"
#include "base/wipe.h"
#include "track/raw.h"
#include "track/rights.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_replay);

#define FETCH 1000				/* rows that are read at a time */

/* One call of replay(). */
typedef struct Replay
{
	RawMap	   *map;
	RawSort    *sort;
	RawSites	sites;
	MemoryContext context;		/* lives as long as the call */
	MemoryContext scratch;		/* of the rows that were read last */
} Replay;

/* Raise an error unless the sites' log is empty: it might hold the same rows already. */
static void
check_empty_log(const RawSites *sites)
{
	static KeptPlan plan = {
		.query = "SELECT v.idsite FROM pk_tracking.log_visit v"
		" WHERE v.idsite OPERATOR(pg_catalog.=) ANY ($1) LIMIT 1",
		.nargs = 1,.argtypes = {INT4ARRAYOID}
	};
	Datum	   *datums = palloc_array(Datum, sites->n + 1);
	Datum		values[1];
	bool		isnull;

	for (int i = 0; i < sites->n; i++)
		datums[i] = Int32GetDatum(sites->idsites[i]);
	values[0] = PointerGetDatum(construct_array(datums, sites->n, INT4OID, 4, true, TYPALIGN_INT));
	if (plan_execute(&plan, values, NULL, 1, false) == SPI_OK_SELECT && SPI_processed > 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot replay rows of site %d because its log is not empty",
						DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
													&isnull))),
				 errhint("Replay into a site without visits, or track the rows with pk_tracking.ingest().")));
}

/* Compare rows by their place, which is their key here. */
static int
compare_places(const void *a, const void *b)
{
	return ItemPointerCompare((ItemPointer) DatumGetPointer(((const RawSpiRow *) a)->key),
							  (ItemPointer) DatumGetPointer(((const RawSpiRow *) b)->key));
}

/* Give the rows that SPI has just read their places, and sort them by place. */
static void
sort_by_place(RawSpiRow *rows, int n)
{
	for (int i = 0; i < n; i++)
	{
		bool		isnull;

		rows[i].key = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);
	}
	qsort(rows, n, sizeof(RawSpiRow), compare_places);
}

static RawSpiRow *
find_place(RawSpiRow *rows, int n, ItemPointer tid)
{
	RawSpiRow	wanted = {.key = PointerGetDatum(tid)};
	RawSpiRow  *row = bsearch(&wanted, rows, n, sizeof(RawSpiRow), compare_places);

	if (row == NULL)
		elog(ERROR, "could not find a row of the raw table again");
	return row;
}

/* Read all rows for their sites, times and places. */
static void
read_keys(Replay *r)
{
	StringInfoData query;
	SPIPlanPtr	plan;
	Portal		portal;
	int64		position = 0;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT t.ctid, %s FROM ONLY %s AS t",
					 raw_select_list(r->map, "t"), r->map->table);
	plan = SPI_prepare(query.data, 0, NULL);
	portal = SPI_cursor_open(NULL, plan, NULL, NULL, true);
	for (;;)
	{
		RawSpiRow  *rows;
		int			n;

		SPI_cursor_fetch(portal, true, FETCH);
		if (SPI_processed == 0)
			break;
		MemoryContextSwitchTo(r->scratch);
		rows = raw_spi_rows(r->map, 2, &n);
		for (int i = 0; i < n; i++)
		{
			bool		by_time = r->map->order == RAW_ORDER_TIME;
			bool		isnull;
			Datum		place = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1,
											  &isnull);

			CHECK_FOR_INTERRUPTS();
			raw_site_and_time(r->map, &rows[i].row, &rows[i].idsite, &rows[i].at);
			/* without an order by time they stay as they come */
			raw_sort_add(r->sort, by_time ? rows[i].idsite : 0, by_time ? rows[i].at : 0,
						 ++position, (ItemPointer) DatumGetPointer(place));
			MemoryContextSwitchTo(r->context);
			raw_sites_add(&r->sites, rows[i].idsite);
			MemoryContextSwitchTo(r->scratch);
		}
		MemoryContextSwitchTo(r->context);
		wiped_context_reset(r->scratch);
		SPI_freetuptable(SPI_tuptable);
	}
	SPI_cursor_close(portal);
	raw_sort_perform(r->sort);
}

/* Read the rows again in the order of the sort, and track them. */
static void
track_sorted(Replay *r, RawRun *run)
{
	RawGroup   *group = raw_group_create(RAW_GROUP_MAX);
	Oid			tid_array = get_array_type(TIDOID);
	StringInfoData query;
	SPIPlanPtr	plan;
	EngineScope scope;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT t.ctid, %s FROM ONLY %s AS t"
					 " WHERE t.ctid OPERATOR(pg_catalog.=) ANY ($1)",
					 raw_select_list(r->map, "t"), r->map->table);
	plan = SPI_prepare(query.data, 1, &tid_array);
	for (;;)
	{
		ItemPointerData places[FETCH];
		int64		positions[FETCH];
		Datum		datums[FETCH];
		Datum		values[1];
		RawSpiRow  *rows;
		int			n = 0;
		int			found;

		while (n < FETCH && raw_sort_next(r->sort, &positions[n], &places[n]))
		{
			datums[n] = PointerGetDatum(&places[n]);
			n++;
		}
		if (n == 0)
			break;
		MemoryContextSwitchTo(r->scratch);
		values[0] = PointerGetDatum(construct_array(datums, n, TIDOID, sizeof(ItemPointerData),
													false, TYPALIGN_SHORT));
		/* under the statement's snapshot, as the first reading */
		if (SPI_execute_plan(plan, values, NULL, true, 0) != SPI_OK_SELECT ||
			(int) SPI_processed != n)
			elog(ERROR, "could not find the rows of the raw table again");
		rows = raw_spi_rows(r->map, 2, &found);
		sort_by_place(rows, n);
		for (int i = 0; i < n; i++)
		{
			RawSpiRow  *row = find_place(rows, n, &places[i]);

			CHECK_FOR_INTERRUPTS();
			row->row.position = positions[i];
			MemoryContextSwitchTo(r->context);
			if (raw_group_add(group, r->map, &row->row))
			{
				engine_enter(&scope);
				raw_group_run(group, run);
				engine_leave(&scope);
			}
		}
		wiped_context_reset(r->scratch);
		SPI_freetuptable(SPI_tuptable);
	}
	engine_enter(&scope);
	raw_group_run(group, run);
	raw_run_write(run, true);
	engine_leave(&scope);
}

/*
 * pkt_replay
 *		SQL: replay(from_table, mapping, hit_order, on_error, trusted) → number
 *		of hits.  One statement: all rows of the table that the caller can see
 *		are tracked, or none.
 */
Datum
pkt_replay(PG_FUNCTION_ARGS)
{
	Oid			relid = raw_table_arg(fcinfo);
	RawOptions	options = raw_options_args(fcinfo, 2, "time");
	Replay		r = {0};
	Relation	rel;
	RawRun	   *run;
	EngineScope scope;
	int64		result;

	if (options.trusted)
		check_trusted();
	rel = raw_open(relid, false);
	spi_connect();
	r.context = CurrentMemoryContext;
	r.scratch = wiped_context_create(r.context, "pk_tracking rows");
	r.map = raw_map(rel, raw_options(rel, &options));
	r.map->of_owner = true;
	r.sort = raw_sort_begin(true);
	read_keys(&r);

	engine_enter(&scope);
	raw_sites_lock(&r.sites);
	check_empty_log(&r.sites);
	engine_leave(&scope);

	run = raw_run_create(r.map, "replay");
	track_sorted(&r, run);
	raw_sort_end(r.sort);
	raw_run_notice(run, role_has(GetUserId(), RIGHT_FULL_ANSWERS));
	result = run->hits;
	spi_finish();
	table_close(rel, NoLock);
	PG_RETURN_INT64(result);
}
