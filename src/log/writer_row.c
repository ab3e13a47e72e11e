/*
 * writer_row.c
 *		Writes each row of the log at once, without a statement, where nothing on
 *		the tables needs the executor.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "log/names_internal.h"
#include "log/relations.h"
#include "log/visit_length.h"
#include "log/visit_read.h"
#include "log/writer.h"

/*
 * rows_open, rows_of_visits, rows_of_actions, rows_of_names, rows_close
 *		The log's tables, to be written row by row, at most at_once together.
 *		Each is opened when it is first asked for.  They live in the log's
 *		memory context.
 */
void
rows_open(Log *log, int at_once)
{
	log->rows = MemoryContextAllocZero(log->context, sizeof(LogRows));
	log->rows->at_once = at_once;
}

static RowWriter *
open_writer(Log *log, const RowShape *shape, Oid relid)
{
	MemoryContext old = MemoryContextSwitchTo(log->context);
	RowWriter  *w = palloc_object(RowWriter);

	row_writer_open(w, shape, table_open(relid, NoLock), log->rows->at_once);
	MemoryContextSwitchTo(old);
	return w;
}

RowWriter *
rows_of_visits(Log *log)
{
	if (log->rows->visits == NULL)
		log->rows->visits = open_writer(log, &log_relations.visit_shape, log_relations.log_visit);
	return log->rows->visits;
}

RowWriter *
rows_of_actions(Log *log)
{
	if (log->rows->actions == NULL)
		log->rows->actions = open_writer(log, &log_relations.action_shape,
										 log_relations.log_link_visit_action);
	return log->rows->actions;
}

RowWriter *
rows_of_names(Log *log)
{
	if (log->rows->names == NULL)
		log->rows->names = open_writer(log, &log_relations.name_shape, log_relations.log_action);
	return log->rows->names;
}

void
rows_close(Log *log)
{
	RowWriter  *writers[] = {log->rows->visits, log->rows->actions, log->rows->names};

	for (int i = 0; i < (int) lengthof(writers); i++)
	{
		if (writers[i] != NULL)
		{
			row_writer_close(writers[i]);
			table_close(writers[i]->rel, NoLock);
		}
	}
	log->rows = NULL;
}

/* Write a row that everybody who looks from now on in this transaction sees. */
static void
insert_row(RowWriter *w, const Datum *values, const char *nulls, int n)
{
	HeapTuple	row = row_writer_form(w, values, nulls, n);

	row_writer_insert(w, &row, 1);
	CommandCounterIncrement();
}

static void
row_insert_visit(Log *log, const Visit *visit, const NewVisit *new)
{
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];

	visit_values(visit, new, values, nulls);
	insert_row(rows_of_visits(log), values, nulls, visit_columns.n);
}

static bool
row_update_visit(Log *log, const Visit *visit)
{
	RowWriter  *w = rows_of_visits(log);
	ItemPointerData tid = visit->tid;
	int			n = visit->seldom_changed ? visit_columns.n_some : visit_columns.n_every;
	const void *sources[N_SOURCES] = {[SOURCE_VISIT] = visit};
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	HeapTuple	row;

	visit_length_cover(visit);
	row = row_writer_read(w, &tid, visit->xmin);
	if (row == NULL)
		return false;
	columns_values(&visit_columns, n, sources, values, nulls);
	row = row_writer_change(w, row, w->shape->att, values, nulls, n);
	if (!row_writer_update(w, &tid, row))
		return false;
	CommandCounterIncrement();
	return true;
}

static void
row_insert_action(Log *log, const Visit *visit, const Action *action, const ActionKey *key)
{
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];
	int			n = action_values(visit, action, key, values, nulls);

	insert_row(rows_of_actions(log), values, nulls, n);
}

static void
row_add_name(Log *log, const LogName *name)
{
	const void *sources[N_SOURCES] = {[SOURCE_NAME] = name};
	Datum		values[KEPT_PLAN_ARGS];
	char		nulls[KEPT_PLAN_ARGS];

	columns_values(&name_columns, name_columns.n, sources, values, nulls);
	insert_row(rows_of_names(log), values, nulls, name_columns.n);
}

const LogWriter writer_row = {
	.lookup = visit_lookup,
	.newest_before = visit_newest_before,
	.read_visit = visit_read_by_number,
	.insert_visit = row_insert_visit,
	.update_visit = row_update_visit,
	.insert_action = row_insert_action,
	.update_timings = sql_update_timings,
	.find_name = names_find,
	.add_name = row_add_name,
	.settle_visit = nothing_to_settle,
	.settle_actions = nothing_to_settle,
	.flush = nothing_to_flush,
	.close = rows_close,
};
