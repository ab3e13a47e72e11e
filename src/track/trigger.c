/*
 * trigger.c
 *		Raw tables that are tracked as they are filled: the statement trigger
 *		track_rows(), and the C functions behind attach().
 *
 * The trigger becomes the log's owner as track() does; a role that inserts needs
 * no right on the log.  attach() has checked that the table may be tracked.  The
 * trigger checks again only whether its rows may be trusted, by the rights of
 * the table's owner: any owner of a table can write a trigger's arguments.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/spi.h"
#include "base/wipe.h"
#include "settings/gucs.h"
#include "settings/settings.h"
#include "track/batch.h"
#include "track/raw.h"
#include "track/rights.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_track_rows);
PG_FUNCTION_INFO_V1(pkt_raw_options);
PG_FUNCTION_INFO_V1(pkt_raw_preview);

#define PREVIEW_MAX 1000
#define PREVIEW_COLUMNS 13
#define BOOKMARKS_MAX 32768		/* some 50 bytes each */
#define BOOKMARK_EVERY 32		/* rows */

/* The rows of a statement. */
typedef struct Feed
{
	RawMap	   *map;
	Tuplestorestate *rows;
	TupleTableSlot *slot;
	RawRow		row;			/* the one read last */
	int64		n_rows;
	int			reader;			/* our read pointer */
	int			n_bookmarks;	/* read pointers before every so many rows */
	int		   *bookmarks;
	int64		bookmark_every;
} Feed;

static void
feed_open(Feed *feed, RawMap *map, Relation rel, Tuplestorestate *rows)
{
	memset(feed, 0, sizeof(Feed));
	feed->map = map;
	feed->rows = rows;
	feed->slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsMinimalTuple);
	feed->row.values = palloc_array(Datum, map->n_columns + 1);
	feed->row.nulls = palloc_array(bool, map->n_columns + 1);
	feed->n_rows = tuplestore_tuple_count(rows);
	/* one of our own: other triggers read the same rows */
	feed->reader = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
	tuplestore_select_read_pointer(rows, feed->reader);
	tuplestore_rescan(rows);
}

/* Go to the first row again. */
static void
feed_rescan(Feed *feed)
{
	tuplestore_select_read_pointer(feed->rows, feed->reader);
	tuplestore_rescan(feed->rows);
	feed->row.position = 0;
}

/* Read the next row; false if there is none. */
static bool
feed_next(Feed *feed)
{
	tuplestore_select_read_pointer(feed->rows, feed->reader);
	if (!tuplestore_gettupleslot(feed->rows, true, false, feed->slot))
		return false;
	feed->row.position++;
	for (int i = 0; i < feed->map->n_columns; i++)
		feed->row.values[i] = slot_getattr(feed->slot, feed->map->columns[i].attnum,
										   &feed->row.nulls[i]);
	return true;
}

/* Read the row at a position. */
static void
feed_seek(Feed *feed, int64 position)
{
	int64		bookmark = feed->n_bookmarks == 0 ? 0 :
		Min((position - 1) / feed->bookmark_every, feed->n_bookmarks - 1);

	/* the bookmark before it, unless we stand between the two */
	if (feed->n_bookmarks > 0 &&
		(position <= feed->row.position || feed->row.position < bookmark * feed->bookmark_every))
	{
		tuplestore_copy_read_pointer(feed->rows, feed->bookmarks[bookmark], feed->reader);
		feed->row.position = bookmark * feed->bookmark_every;
	}
	tuplestore_select_read_pointer(feed->rows, feed->reader);
	if (position > feed->row.position + 1)
	{
		(void) tuplestore_skiptuples(feed->rows, position - feed->row.position - 1, true);
		feed->row.position = position - 1;
	}
	if (!feed_next(feed))
		elog(ERROR, "could not find a row of the statement again");
}

static void
feed_close(Feed *feed)
{
	ExecDropSingleTupleTableSlot(feed->slot);
}

/*
 * Read all rows for their sites, and lock these.  sort: NULL, or where to put
 * the rows.
 */
static void
survey(Feed *feed, RawSort *sort)
{
	MemoryContext old = CurrentMemoryContext;
	MemoryContext context = wiped_context_create(old, "pk_tracking row");
	RawSites	sites = {0};

	if (sort != NULL)
	{
		feed->bookmark_every = Max(BOOKMARK_EVERY, feed->n_rows / BOOKMARKS_MAX + 1);
		feed->bookmarks = palloc_array(int, feed->n_rows / feed->bookmark_every + 1);
	}
	feed_rescan(feed);
	for (;;)
	{
		int32		idsite;
		TimestampTz at = 0;

		CHECK_FOR_INTERRUPTS();
		if (sort != NULL && feed->row.position % feed->bookmark_every == 0 &&
			feed->row.position < feed->n_rows)
		{
			int			bookmark = tuplestore_alloc_read_pointer(feed->rows, EXEC_FLAG_REWIND);

			tuplestore_copy_read_pointer(feed->rows, feed->reader, bookmark);
			feed->bookmarks[feed->n_bookmarks++] = bookmark;
		}
		if (!feed_next(feed))
			break;
		MemoryContextSwitchTo(context);
		if (sort != NULL)
			raw_site_and_time(feed->map, &feed->row, &idsite, &at);
		else
			idsite = raw_site(feed->map, &feed->row);
		MemoryContextSwitchTo(old);
		wiped_context_reset(context);

		raw_sites_add(&sites, idsite);
		if (sort != NULL)
			raw_sort_add(sort, idsite, at, feed->row.position, NULL);
	}
	raw_sites_lock(&sites);
	MemoryContextDelete(context);
}

/* Run all rows through the engine by site, time and position. */
static void
run_by_time(Feed *feed, RawGroup *group, RawRun *run)
{
	RawSort    *sort = raw_sort_begin(false);
	int64		position;

	survey(feed, sort);
	raw_sort_perform(sort);
	while (raw_sort_next(sort, &position, NULL))
	{
		CHECK_FOR_INTERRUPTS();
		feed_seek(feed, position);
		if (raw_group_add(group, feed->map, &feed->row))
			raw_group_run(group, run);
	}
	raw_group_run(group, run);
	raw_sort_end(sort);
}

/* Run all rows through the engine as they were given. */
static void
run_as_given(Feed *feed, RawGroup *group, RawRun *run)
{
	bool		surveyed = false;

	while (feed_next(feed))
	{
		CHECK_FOR_INTERRUPTS();
		if (!raw_group_add(group, feed->map, &feed->row))
			continue;
		if (!surveyed && feed->row.position < feed->n_rows)
		{
			int64		position = feed->row.position;

			survey(feed, NULL);
			surveyed = true;
			feed_rescan(feed);
			(void) tuplestore_skiptuples(feed->rows, position, true);
			feed->row.position = position;
		}
		raw_group_run(group, run);
	}
	raw_group_run(group, run);
}

/* Raise an error unless the table's owner may track with trusted => true. */
static void
check_trusted_table(Relation rel)
{
	if (!role_has(rel->rd_rel->relowner, RIGHT_TRUSTED))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for the owner of relation \"%s\" to track with trusted => true",
						RelationGetRelationName(rel)),
				 errhint("Grant it with pk_tracking.grant_tracker(role, trusted => true).")));
}

/*
 * pkt_track_rows
 *		SQL: track_rows(), a trigger AFTER INSERT FOR EACH STATEMENT with the
 *		new rows; its argument is what raw_options() gave.  A row that is wrong
 *		is rejected and harms no other.
 */
Datum
pkt_track_rows(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	EngineScope scope;
	Datum		options;
	RawMap	   *map;
	RawRun	   *run;
	RawGroup   *group;
	Feed		feed;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("track_rows() must be called as a trigger")));
	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		trigger->tg_newtable == NULL || trigger->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("track_rows() must be fired AFTER INSERT FOR EACH STATEMENT with the new rows and one argument"),
				 errhint("Create the trigger with pk_tracking.attach().")));
	if (tuplestore_tuple_count(trigger->tg_newtable) == 0)
		return PointerGetDatum(NULL);

	engine_enter(&scope);
	options = DirectFunctionCall1(jsonb_in, CStringGetDatum(trigger->tg_trigger->tgargs[0]));
	map = raw_map(trigger->tg_relation, DatumGetJsonbP(options));
	if (map->trusted)
		check_trusted_table(trigger->tg_relation);
	run = raw_run_create(map, "trigger");
	group = raw_group_create(RAW_GROUP_IN_BATCH);
	feed_open(&feed, map, trigger->tg_relation, trigger->tg_newtable);
	batch_begin(true);
	if (map->order == RAW_ORDER_TIME && feed.n_rows > 1)
		run_by_time(&feed, group, run);
	else
		run_as_given(&feed, group, run);
	batch_end();

	/*
	 * statements of one row come by the thousand: only their errors are
	 * reported
	 */
	if (run->hits > 0 && (feed.n_rows > 1 || run->rejected > 0))
	{
		bool		full = role_has(scope.save_user, RIGHT_FULL_ANSWERS);

		raw_run_write(run, true);
		if (feed.n_rows > 1 || raw_run_rejected(run, full) > 0)
			raw_run_notice(run, full);
	}
	feed_close(&feed);
	engine_leave(&scope);
	return PointerGetDatum(NULL);
}

/*
 * pkt_raw_options
 *		SQL: raw_options(raw_table, mapping, hit_order, on_error, trusted) →
 *		jsonb, checked and with every parameter named.  Reads the catalog only.
 *		Errors: those of raw_options(); wrong_object_type.
 */
Datum
pkt_raw_options(PG_FUNCTION_ARGS)
{
	Relation	rel = raw_open(raw_table_arg(fcinfo), true);
	RawOptions	options = raw_options_args(fcinfo, 2, "given");
	Jsonb	   *result;

	if (strcmp(get_namespace_name(RelationGetNamespace(rel)), "pk_tracking") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is the log's own table", RelationGetRelationName(rel))));
	if (options.trusted)
	{
		check_trusted();
		check_trusted_table(rel);
	}
	result = raw_options(rel, &options);
	table_close(rel, AccessShareLock);
	PG_RETURN_JSONB_P(result);
}

/* What a row would become, as a row of raw_preview_row. */
static void
preview_values(const RawRow *row, const RawMap *map, const Hit *hit, const Tracked *r,
			   bool full, Datum *values, bool *nulls)
{
	Datum		tracked[TRACKED_COLUMNS];
	bool		tracked_nulls[TRACKED_COLUMNS];
	char	   *key = raw_key(map, row);

	tracked_values(r, full, tracked, tracked_nulls);
	memset(nulls, 0, PREVIEW_COLUMNS * sizeof(bool));
	values[0] = Int64GetDatum(row->position);
	nulls[1] = key == NULL;
	values[1] = key ? CStringGetTextDatum(key) : (Datum) 0;
	values[2] = tracked[0];
	values[3] = tracked[1];
	nulls[3] = tracked_nulls[1];
	values[4] = Int32GetDatum(hit->idsite);
	values[5] = TimestampTzGetDatum(hit->at);
	values[6] = CStringGetTextDatum(hit->url);
	nulls[6] = hit->url[0] == '\0';
	values[7] = CStringGetTextDatum(hit->action_name);
	nulls[7] = hit->action_name[0] == '\0';
	/* idvisitor, matched_by, new_visit, reason, returning */
	for (int i = 0; i < 5; i++)
	{
		static const int from[] = {3, 5, 6, 7, 8};

		values[8 + i] = tracked[from[i]];
		nulls[8 + i] = tracked_nulls[from[i]];
	}
}

/*
 * pkt_raw_preview
 *		SQL: raw_preview(raw_table, options, max_rows) → what the first rows
 *		that the table has now would become.  The caller must be allowed to read
 *		it.  Everything is undone again, the salts that it made included.
 */
Datum
pkt_raw_preview(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int32		max = PG_GETARG_INT32(2);
	Relation	rel;
	RawMap	   *map;
	EngineScope scope;
	StringInfoData query;
	Hit		  **hits;
	Tracked    *results;
	RawSpiRow  *rows;
	int			n;
	bool		full = role_has(GetUserId(), RIGHT_FULL_ANSWERS);

	if (max < 1 || max > PREVIEW_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_rows must be between 1 and %d", PREVIEW_MAX)));
	InitMaterializedSRF(fcinfo, 0);
	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	map = raw_map(rel, PG_GETARG_JSONB_P(1));
	if (map->trusted)
		check_trusted_table(rel);

	/* as the caller */
	spi_connect();
	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s FROM %s AS t LIMIT %d", raw_select_list(map, "t"),
					 map->table, max);
	if (SPI_execute(query.data, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the raw table");
	rows = raw_spi_rows(map, 1, &n);
	hits = palloc_array(Hit *, n + 1);
	results = palloc0_array(Tracked, n + 1);
	for (int i = 0; i < n; i++)
		hits[i] = raw_read(map, &rows[i].row);

	engine_enter(&scope);
	if (n > 0)
		raw_engine_run(hits, n, results, true);
	for (int i = 0; i < n; i++)
	{
		Datum		values[PREVIEW_COLUMNS];
		bool		nulls[PREVIEW_COLUMNS];

		preview_values(&rows[i].row, map, hits[i], &results[i], full, values, nulls);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	engine_leave(&scope);
	spi_finish();
	table_close(rel, AccessShareLock);
	return (Datum) 0;
}
