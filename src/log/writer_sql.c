/*
 * writer_sql.c
 *		Writes the log by statements, so that constraints, triggers and rules are
 *		the executor's.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/plan.h"
#include "log/names_internal.h"
#include "log/visit_length.h"
#include "log/visit_read.h"
#include "log/writer.h"

static void
make_insert_visit(KeptPlan *plan, StringInfo sql)
{
	columns_insert_plan(&visit_columns, visit_columns.n, plan, sql);
}

/* A plain page view has the first columns only. */
static void
make_insert_action(KeptPlan *plan, StringInfo sql)
{
	columns_insert_plan(&action_columns, action_columns.n_every, plan, sql);
}

static void
make_insert_wide_action(KeptPlan *plan, StringInfo sql)
{
	columns_insert_plan(&action_columns, action_columns.n, plan, sql);
}

static void
make_insert_name(KeptPlan *plan, StringInfo sql)
{
	columns_insert_plan(&name_columns, name_columns.n, plan, sql);
}

#define UPDATE_KEYS 3			/* parameters before the columns */

/*
 * The version that was decided upon is named by where it stands and which
 * transaction wrote it: a row that another one has changed in between stays.
 */
static void
make_update(KeptPlan *plan, StringInfo sql, int n)
{
	plan->argtypes[0] = TIDOID;
	plan->argtypes[1] = XIDOID;
	plan->argtypes[2] = INT8OID;
	plan->nargs = UPDATE_KEYS;
	columns_update_plan(&visit_columns, n, plan, sql);
	appendStringInfoString(sql, " WHERE ctid OPERATOR(pg_catalog.=) $1"
						   " AND xmin OPERATOR(pg_catalog.=) $2"
						   " AND idvisit OPERATOR(pg_catalog.=) $3");
}

static void
make_update_visit(KeptPlan *plan, StringInfo sql)
{
	make_update(plan, sql, visit_columns.n_every);
}

static void
make_update_seldom(KeptPlan *plan, StringInfo sql)
{
	make_update(plan, sql, visit_columns.n_some);
}

/*
 * Page performance that comes after its page view: the newest of that page
 * view id among the visit's latest actions.  A page view is what has a URL and
 * a title, or their 0, and is no event.
 */
static void
make_update_timings(KeptPlan *plan, StringInfo sql)
{
	int			first = column_find(&action_columns, "time_network");

	plan->argtypes[plan->nargs++] = INT8OID;
	plan->argtypes[plan->nargs++] = TEXTOID;
	appendStringInfoString(sql, "UPDATE pk_tracking.log_link_visit_action SET");
	for (int t = 0; t < HIT_TIMINGS; t++)
	{
		const char *name = action_columns.columns[first + t].name;

		plan->argtypes[plan->nargs++] = INT4OID;
		appendStringInfo(sql, "%s %s = coalesce($%d, %s)",
						 t == 0 ? "" : ",", name, plan->nargs, name);
	}
	appendStringInfoString(sql,
						   " WHERE idvisit OPERATOR(pg_catalog.=) $1"
						   " AND idlink_va OPERATOR(pg_catalog.=) (SELECT r.idlink_va FROM"
						   " (SELECT a.idlink_va, a.idpageview, a.idaction_url, a.idaction_name,"
						   " a.idaction_event_category"
						   " FROM pk_tracking.log_link_visit_action a"
						   " WHERE a.idvisit OPERATOR(pg_catalog.=) $1"
						   " ORDER BY a.idlink_va USING OPERATOR(pg_catalog.>)"
						   " LIMIT " CppAsString2(TIMINGS_LOOK_BACK) ") r"
						   " WHERE r.idpageview OPERATOR(pg_catalog.=) $2"
						   " AND r.idaction_url IS NOT NULL AND r.idaction_name IS NOT NULL"
						   " AND r.idaction_event_category IS NULL"
						   " ORDER BY r.idlink_va USING OPERATOR(pg_catalog.>) LIMIT 1)");
}

static KeptPlan insert_visit_plan = {.make = make_insert_visit};
static KeptPlan update_visit_plan = {.make = make_update_visit};
static KeptPlan update_seldom_plan = {.make = make_update_seldom};
static KeptPlan insert_action_plan = {.make = make_insert_action};
static KeptPlan insert_wide_action_plan = {.make = make_insert_wide_action};
static KeptPlan insert_name_plan = {.make = make_insert_name};
static KeptPlan update_timings_plan = {.make = make_update_timings};

static KeptPlan find_name_plan = {
	.query = "SELECT a.type, a.name, a.url_prefix FROM pk_tracking.log_action a"
	" WHERE a.idsite OPERATOR(pg_catalog.=) $1 AND a.idaction OPERATOR(pg_catalog.=) $2"
	" LIMIT 1",
	.nargs = 2,.argtypes = {INT4OID, INT8OID}
};

/* An insert of one row, which must come to stand in its table. */
static void
insert_row(KeptPlan *plan, Datum *values, const char *nulls)
{
	if (plan_execute(plan, values, nulls, 0, false) != SPI_OK_INSERT || SPI_processed != 1)
		raise_suppressed();
}

static void
sql_insert_visit(Log *log pg_attribute_unused(), const Visit *visit, const NewVisit *new)
{
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];

	visit_values(visit, new, values, nulls);
	insert_row(&insert_visit_plan, values, nulls);
}

static bool
sql_update_visit(Log *log pg_attribute_unused(), const Visit *visit)
{
	KeptPlan   *plan = visit->seldom_changed ? &update_seldom_plan : &update_visit_plan;
	int			n = visit->seldom_changed ? visit_columns.n_some : visit_columns.n_every;
	const void *sources[N_SOURCES] = {[SOURCE_VISIT] = visit};
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];

	visit_length_cover(visit);
	memset(nulls, ' ', UPDATE_KEYS);
	values[0] = PointerGetDatum(&visit->tid);
	values[1] = TransactionIdGetDatum(visit->xmin);
	values[2] = Int64GetDatum(visit->idvisit);
	columns_values(&visit_columns, n, sources, values + UPDATE_KEYS, nulls + UPDATE_KEYS);
	if (plan_execute(plan, values, nulls, 0, true) != SPI_OK_UPDATE)
		elog(ERROR, "could not update a visit");
	return SPI_processed == 1;
}

static void
sql_insert_action(Log *log pg_attribute_unused(), const Visit *visit, const Action *action,
				  const ActionKey *key)
{
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];

	(void) action_values(visit, action, key, values, nulls);
	insert_row(action->wide ? &insert_wide_action_plan : &insert_action_plan, values, nulls);
}

/* sql_update_timings: log_update_timings() by a statement, whatever wrote the action. */
void
sql_update_timings(Log *log pg_attribute_unused(), int64 idvisit, const char *idpageview,
				   const int32 *timings)
{
	Datum		values[2 + HIT_TIMINGS];
	char		nulls[2 + HIT_TIMINGS];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(idvisit);
	values[1] = CStringGetTextDatum(idpageview);
	for (int t = 0; t < HIT_TIMINGS; t++)
	{
		values[2 + t] = Int32GetDatum(timings[t]);
		if (timings[t] == NOT_SENT)
			nulls[2 + t] = 'n';
	}
	if (plan_execute(&update_timings_plan, values, nulls, 0, true) != SPI_OK_UPDATE)
		elog(ERROR, "could not write page performance");
}

static bool
sql_find_name(Log *log pg_attribute_unused(), const LogName *name, bool *same)
{
	Datum		values[2];
	HeapTuple	tuple;
	TupleDesc	desc;
	text	   *found;
	bool		isnull;
	bool		cut;

	values[0] = Int32GetDatum(name->idsite);
	values[1] = Int64GetDatum(name->idaction);
	if (plan_execute(&find_name_plan, values, NULL, 1, true) != SPI_OK_SELECT)
		elog(ERROR, "could not read the dictionary");
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	desc = SPI_tuptable->tupdesc;
	(void) SPI_getbinval(tuple, desc, 3, &isnull);
	cut = !isnull;
	found = DatumGetTextPP(SPI_getbinval(tuple, desc, 2, &isnull));
	*same = name_is(name, DatumGetInt16(SPI_getbinval(tuple, desc, 1, &isnull)), cut, found);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static void
sql_add_name(Log *log, const LogName *name)
{
	const void *sources[N_SOURCES] = {[SOURCE_NAME] = name};
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	bool		same;

	columns_values(&name_columns, name_columns.n, sources, values, nulls);
	if (plan_execute(&insert_name_plan, values, nulls, 0, false) == SPI_OK_INSERT &&
		SPI_processed == 1)
		return;

	/*
	 * A trigger may have put it there itself, or know that it is there; a
	 * number without a name would be lost.
	 */
	if (!sql_find_name(log, name, &same) || !same)
		raise_suppressed();
}

/* nothing_to_settle, nothing_to_flush: of writers that write at once. */
void
nothing_to_settle(Log *log pg_attribute_unused(), int64 idvisit pg_attribute_unused())
{
}

void
nothing_to_flush(Log *log pg_attribute_unused())
{
}

const LogWriter writer_sql = {
	.lookup = visit_lookup,
	.newest_before = visit_newest_before,
	.read_visit = visit_read_by_number,
	.insert_visit = sql_insert_visit,
	.update_visit = sql_update_visit,
	.insert_action = sql_insert_action,
	.update_timings = sql_update_timings,
	.find_name = sql_find_name,
	.add_name = sql_add_name,
	.settle_visit = nothing_to_settle,
	.settle_actions = nothing_to_settle,
	.flush = nothing_to_flush,
	.close = nothing_to_flush,
};
