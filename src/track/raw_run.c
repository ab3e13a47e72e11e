/*
 * raw_run.c
 *		A run of raw rows through the engine, group by group: counts, rejected
 *		hits, and the sites of a statement of more than one group.
 *
 * Callers have entered the engine.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/json.h"
#include "base/plan.h"
#include "base/spi.h"
#include "base/wipe.h"
#include "log/lock.h"
#include "log/log.h"
#include "settings/gucs.h"
#include "settings/settings.h"
#include "track/prepare.h"
#include "track/raw.h"

/* The engine's own memory for a hit, which counts as a part of BULK_HITS. */
#define HIT_OVERHEAD 4096

/*
 * raw_group_create
 *		An empty group, for max hits, in the current memory context.
 */
RawGroup *
raw_group_create(int max)
{
	RawGroup   *group = palloc0_object(RawGroup);

	group->max = max;
	group->size = 64;
	group->hits = palloc_array(Hit *, group->size);
	group->positions = palloc_array(int64, group->size);
	group->keys = palloc_array(char *, group->size);
	group->context = wiped_context_create(CurrentMemoryContext, "pk_tracking raw group");
	return group;
}

/*
 * raw_group_add
 *		Read a row into the group.  True if the group is full now and has to be
 *		run.
 */
bool
raw_group_add(RawGroup *group, const RawMap *map, const RawRow *row)
{
	MemoryContext old;

	if (group->n == group->size)
	{
		group->size *= 2;
		group->hits = repalloc(group->hits, group->size * sizeof(Hit *));
		group->positions = repalloc(group->positions, group->size * sizeof(int64));
		group->keys = repalloc(group->keys, group->size * sizeof(char *));
	}
	old = MemoryContextSwitchTo(group->context);
	group->hits[group->n] = raw_read(map, row);
	group->positions[group->n] = row->position;
	group->keys[group->n] = raw_key(map, row);
	MemoryContextSwitchTo(old);
	group->n++;

	return group->n >= group->max ||
		MemoryContextMemAllocated(group->context, true) + (Size) group->n * HIT_OVERHEAD >
		BULK_HITS;
}

/* One more of that reason. */
static void
count_reason(RawRun *run, RawCount *counts, int *n, const char *reason)
{
	for (int i = 0; i < *n; i++)
	{
		if (strcmp(counts[i].reason, reason) == 0)
		{
			counts[i].n++;
			return;
		}
	}
	if (*n == RAW_REASONS)
		return;
	counts[*n].reason = MemoryContextStrdup(run->context, reason);
	counts[(*n)++].n = 1;
}

/* Why a hit was rejected, in one word. */
static const char *
rejected_why(const Tracked *result, const Hit *hit)
{
	if (result->duplicate_order)
		return "duplicate_order";
	if (hit->unreadable)
		return "unreadable";
	if (strcmp(result->outcome_reason, "idsite") == 0)
		return "unknown_site";
	return "invalid_value";
}

static Datum
text_array(Datum *values, bool *nulls, int n)
{
	int			lower = 1;

	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower, TEXTOID, -1, false,
											  TYPALIGN_INT));
}

/* Write down which rows were rejected: their position and why, nothing of their contents. */
static void
write_rejected(RawRun *run, const RawGroup *group, const int *which, const Tracked *results, int n)
{
	static KeptPlan plan = {
		.query = "INSERT INTO pk_tracking.rejected_hit"
		" (idrun, raw_table, position, row_key, parameter, reason)"
		" SELECT $1, $2, r.position, r.row_key, r.parameter, r.reason"
		" FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4),"
		" pg_catalog.unnest($5), pg_catalog.unnest($6))"
		" AS r (position, row_key, parameter, reason)",
		.nargs = 6,.argtypes = {INT8OID, TEXTOID, INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID}
	};
	Datum	   *positions = palloc_array(Datum, n);
	Datum	   *keys = palloc0_array(Datum, n);
	bool	   *no_key = palloc_array(bool, n);
	Datum	   *parameters = palloc_array(Datum, n);
	Datum	   *reasons = palloc_array(Datum, n);
	Datum		values[6];
	int			level;

	for (int i = 0; i < n; i++)
	{
		const Tracked *result = &results[which[i]];

		positions[i] = Int64GetDatum(group->positions[which[i]]);
		no_key[i] = group->keys[which[i]] == NULL;
		if (!no_key[i])
			keys[i] = CStringGetTextDatum(group->keys[which[i]]);
		parameters[i] = CStringGetTextDatum(result->outcome_reason);
		reasons[i] = CStringGetTextDatum(rejected_why(result, group->hits[which[i]]));
	}
	raw_run_begin(run);
	values[0] = Int64GetDatum(run->idrun);
	values[1] = CStringGetTextDatum(run->map->table);
	values[2] = PointerGetDatum(construct_array(positions, n, INT8OID, 8, FLOAT8PASSBYVAL,
												TYPALIGN_DOUBLE));
	values[3] = text_array(keys, no_key, n);
	values[4] = text_array(parameters, NULL, n);
	values[5] = text_array(reasons, NULL, n);
	level = pin_search_path();
	if (plan_execute(&plan, values, NULL, 0, false) != SPI_OK_INSERT)
		elog(ERROR, "could not write rejected hits");
	AtEOXact_GUC(true, level);
}

/*
 * raw_engine_run
 *		engine_run(), with no subtransaction left open after an error: otherwise
 *		a statement outside a transaction block would leave its session inside an
 *		aborted one.  undo: roll back everything that it has written.
 */
void
raw_engine_run(Hit **hits, int n, Tracked *results, bool undo)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	int			level = GetCurrentTransactionNestLevel();

	PG_TRY();
	{
		if (undo)
		{
			BeginInternalSubTransaction(NULL);
			MemoryContextSwitchTo(context);
		}
		engine_run(hits, n, results);
		if (undo)
		{
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
		}
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		while (GetCurrentTransactionNestLevel() > level)
			RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		ReThrowError(error);
	}
	PG_END_TRY();
}

/*
 * raw_group_run
 *		Record the hits of a group, count what became of them, and empty it.
 *		Errors: those of engine_run(); invalid_parameter_value for a hit that is
 *		wrong if the map says so.
 */
void
raw_group_run(RawGroup *group, RawRun *run)
{
	MemoryContext old = MemoryContextSwitchTo(group->context);
	Tracked    *results = palloc_array(Tracked, group->n + 1);
	int		   *rejected = palloc_array(int, group->n + 1);
	int			n_rejected = 0;

	/* a connection of its own, so that SPI's memory goes with the group */
	spi_connect();
	MemoryContextSwitchTo(group->context);
	if (group->n > 0)
		raw_engine_run(group->hits, group->n, results, false);

	for (int i = 0; i < group->n; i++)
	{
		const Tracked *r = &results[i];

		/* a visitor who refuses is not even counted */
		if (tracked_nothing(r))
			continue;
		if (r->outcome == OUTCOME_INVALID && group->hits[i]->consent == CONSENT_DENIED)
			continue;
		run->hits++;
		run->by_log += r->by_log;
		switch (r->outcome)
		{
			case OUTCOME_RECORDED:
				run->recorded++;
				if (r->new_visit)
					run->visits_new++;
				else
					run->visits_continued++;
				break;
			case OUTCOME_IGNORED:
				count_reason(run, run->ignored, &run->n_ignored, r->outcome_reason);
				break;
			case OUTCOME_EXCLUDED:
				count_reason(run, run->excluded, &run->n_excluded, r->outcome_reason);
				break;
			case OUTCOME_INVALID:
				/* an order that is sent twice is a page that was loaded again */
				if (run->map->raise && !r->duplicate_order)
					ereport(ERROR,
							(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							 errmsg("invalid value for tracking parameter \"%s\" in row "
									INT64_FORMAT,
									r->outcome_reason, group->positions[i])));
				run->rejected++;
				run->duplicates += r->duplicate_order;
				rejected[n_rejected++] = i;
				break;
		}
	}
	if (n_rejected > 0)
		write_rejected(run, group, rejected, results, n_rejected);
	spi_finish();

	MemoryContextSwitchTo(old);
	wiped_context_reset(group->context);
	group->n = 0;
}

/*
 * raw_run_create
 *		A run without rows so far, in the current memory context.  way: trigger,
 *		ingest or replay.
 */
RawRun *
raw_run_create(const RawMap *map, const char *way)
{
	RawRun	   *run = palloc0_object(RawRun);

	run->map = map;
	run->way = way;
	run->started = GetCurrentTimestamp();
	run->context = CurrentMemoryContext;
	return run;
}

/*
 * raw_run_begin
 *		Make the run's row, unless it has one.
 */
void
raw_run_begin(RawRun *run)
{
	static KeptPlan plan = {
		.query = "INSERT INTO pk_tracking.ingest_run (way, raw_table, started)"
		" VALUES ($1, $2, $3) RETURNING idrun",
		.nargs = 3,.argtypes = {TEXTOID, TEXTOID, TIMESTAMPTZOID}
	};
	Datum		values[3];
	bool		isnull;
	int			level;

	if (run->idrun != 0)
		return;
	values[0] = CStringGetTextDatum(run->way);
	values[1] = CStringGetTextDatum(run->map->table);
	values[2] = TimestampTzGetDatum(run->started);
	level = pin_search_path();
	if (plan_execute(&plan, values, NULL, 0, false) != SPI_OK_INSERT_RETURNING ||
		SPI_processed != 1)
		elog(ERROR, "could not write a row of ingest_run");
	run->idrun = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
											 &isnull));
	SPI_freetuptable(SPI_tuptable);
	AtEOXact_GUC(true, level);
}

/* Counts by reason as jsonb. */
static Datum
counts_jsonb(const RawCount *counts, int n)
{
	JsonbParseState *state = NULL;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < n; i++)
	{
		json_push_text(&state, WJB_KEY, counts[i].reason);
		json_push_number(&state, WJB_VALUE, counts[i].n);
	}
	return JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}

/*
 * raw_run_write
 *		Write the counts so far into the run's row; finished: these are all.
 */
void
raw_run_write(RawRun *run, bool finished)
{
	static KeptPlan plan = {
		.query = "UPDATE pk_tracking.ingest_run SET finished = $2, hits = $3, recorded = $4,"
		" excluded = $5, ignored = $6, rejected = $7, visits_new = $8, visits_continued = $9"
		" WHERE idrun OPERATOR(pg_catalog.=) $1",
		.nargs = 9,.argtypes = {INT8OID, TIMESTAMPTZOID, INT8OID, INT8OID, JSONBOID, JSONBOID,
		INT8OID, INT8OID, INT8OID}
	};
	Datum		values[9];
	char		nulls[10] = "         ";
	int			level;

	raw_run_begin(run);
	values[0] = Int64GetDatum(run->idrun);
	values[1] = TimestampTzGetDatum(GetCurrentTimestamp());
	nulls[1] = finished ? ' ' : 'n';
	values[2] = Int64GetDatum(run->hits);
	values[3] = Int64GetDatum(run->recorded);
	values[4] = counts_jsonb(run->excluded, run->n_excluded);
	values[5] = counts_jsonb(run->ignored, run->n_ignored);
	values[6] = Int64GetDatum(run->rejected);
	values[7] = Int64GetDatum(run->visits_new);
	values[8] = Int64GetDatum(run->visits_continued);
	level = pin_search_path();
	if (plan_execute(&plan, values, nulls, 0, false) != SPI_OK_UPDATE)
		elog(ERROR, "could not write a row of ingest_run");
	AtEOXact_GUC(true, level);
}

static int64
sum(const RawCount *counts, int n)
{
	int64		result = 0;

	for (int i = 0; i < n; i++)
		result += counts[i].n;
	return result;
}

/*
 * raw_run_rejected
 *		How many rejected rows may be told of; full: all of them.
 */
int64
raw_run_rejected(const RawRun *run, bool full)
{
	return full ? run->rejected : run->rejected - run->duplicates;
}

/*
 * raw_run_notice
 *		Tell the counts.  full: all of them; else none by which whoever inserts
 *		could try out who has a visit.
 */
void
raw_run_notice(const RawRun *run, bool full)
{
	int64		recorded = run->recorded + run->by_log;
	int64		rejected = raw_run_rejected(run, full);

	ereport(NOTICE,
			(full ?
			 errmsg(INT64_FORMAT " hits of %s: " INT64_FORMAT " recorded"
					" (" INT64_FORMAT " new visits), " INT64_FORMAT " excluded, "
					INT64_FORMAT " ignored, " INT64_FORMAT " rejected",
					run->hits, run->map->table, run->recorded, run->visits_new,
					sum(run->excluded, run->n_excluded), sum(run->ignored, run->n_ignored),
					run->rejected) :
			 errmsg(INT64_FORMAT " hits of %s: " INT64_FORMAT " recorded, "
					INT64_FORMAT " excluded, " INT64_FORMAT " rejected",
					run->hits, run->map->table, recorded,
					run->hits - recorded - rejected, rejected),
			 rejected == 0 ? 0 :
			 errhint("See pk_tracking.rejected_hit, run " INT64_FORMAT ".", run->idrun)));
}

/*
 * raw_sites_add
 *		One more site of a statement; a number that is no site's is left out.  The
 *		list lives in the context in which its first site was added.
 */
void
raw_sites_add(RawSites *sites, int32 idsite)
{
	int			low = 0;
	int			high = sites->n;

	if (idsite <= 0 || idsite == sites->last || site_config(idsite) == NULL)
		return;
	sites->last = idsite;
	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (sites->idsites[middle] < idsite)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < sites->n && sites->idsites[low] == idsite)
		return;
	if (sites->n == sites->size)
	{
		sites->size = sites->size == 0 ? 16 : sites->size * 2;
		sites->idsites = sites->n == 0 ? palloc_array(int32, sites->size) :
			repalloc(sites->idsites, sites->size * sizeof(int32));
	}
	memmove(sites->idsites + low + 1, sites->idsites + low, (sites->n - low) * sizeof(int32));
	sites->idsites[low] = idsite;
	sites->n++;
}

/*
 * raw_sites_lock
 *		Lock the gates of sites exclusively, in ascending order, to the end of
 *		the transaction.  A statement of more than one group must do so: each
 *		group takes its locks in order, but together they are in none.  Waits
 *		without holding any gate, so that it blocks nobody, and not at all if the
 *		transaction has tracked before, because nothing would detect two that
 *		wait for each other like that.  Errors: lock_not_available.
 */
void
raw_sites_lock(const RawSites *sites)
{
	TimestampTz began = GetCurrentTimestamp();

	for (;;)
	{
		int			have = 0;

		while (have < sites->n && lock_try_gate_exclusive(sites->idsites[have]))
			have++;
		if (have == sites->n)
			return;
		while (have > 0)
			lock_give_back_gate_exclusive(sites->idsites[--have]);

		if (lock_holds_any())
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("cannot track this many hits in a transaction that has already tracked hits"),
					 errhint("Load raw rows in a transaction of their own.")));
		lock_nap(began);
	}
}
