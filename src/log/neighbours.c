/*
 * neighbours.c
 *		The rows of a visit among which the row of a late hit comes to stand.
 *
 * The rows of a visit stand in the order of (server_time, idlink_va): a late row
 * stands behind all rows of its own second, because it arrived after them.  The
 * caller holds the visit's lock, under which alone its rows are written.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/plan.h"
#include "log/neighbours.h"
#include "log/writer.h"

static KeptPlan last_row_plan = {
	.query = "SELECT pg_catalog.max(l.server_time) FROM pk_tracking.log_link_visit_action l"
	" WHERE l.idvisit OPERATOR(pg_catalog.=) $1",
	.nargs = 1,.argtypes = {INT8OID}
};

static KeptPlan rows_plan = {
	.query = "SELECT l.idlink_va, l.server_time, l.decision, l.idaction_url, l.idaction_name,"
	" l.idaction_event_category IS NULL FROM pk_tracking.log_link_visit_action l"
	" WHERE l.idvisit OPERATOR(pg_catalog.=) $1",
	.nargs = 1,.argtypes = {INT8OID}
};

/*
 * One row, by its whole key: so the index is chosen even where the log was empty
 * when the statement was planned.
 */
static KeptPlan update_plan = {
	.query = "UPDATE pk_tracking.log_link_visit_action SET"
	" time_spent_ref_action = COALESCE($3, time_spent_ref_action),"
	" idaction_url_ref = CASE WHEN $4 THEN $5 ELSE idaction_url_ref END,"
	" idaction_name_ref = CASE WHEN $4 THEN $6 ELSE idaction_name_ref END"
	" WHERE idvisit OPERATOR(pg_catalog.=) $1 AND idlink_va OPERATOR(pg_catalog.=) $2",
	.nargs = 6,.argtypes = {INT8OID, INT8OID, INT4OID, BOOLOID, INT8OID, INT8OID}
};

/* A row of the visit, as far as it matters here. */
typedef struct ActionRow
{
	int64		idlink_va;
	TimestampTz at;
	bool		begins;			/* it began the visit */
	bool		interaction;	/* a page view or a site search */
	NullableInt url;
	NullableInt name;
} ActionRow;

/*
 * The rows of the visit to which the latest late hit of a batch came: nobody else
 * writes rows of its visits, so that they are read once.
 */
typedef struct KnownRows
{
	int64		idvisit;
	int			n;
	int			size;
	ActionRow  *rows;
} KnownRows;

static NullableInt
int8_column(HeapTuple tuple, TupleDesc desc, int column)
{
	bool		isnull;
	Datum		d = SPI_getbinval(tuple, desc, column, &isnull);

	return isnull ? no_int() : some_int(DatumGetInt64(d));
}

static void
row_from_tuple(HeapTuple tuple, TupleDesc desc, ActionRow *row)
{
	bool		isnull;

	row->idlink_va = int8_column(tuple, desc, 1).value;
	row->at = DatumGetTimestampTz(SPI_getbinval(tuple, desc, 2, &isnull));
	row->begins = DatumGetInt16(SPI_getbinval(tuple, desc, 3, &isnull)) != REASON_CONTINUE;
	row->url = int8_column(tuple, desc, 4);
	row->name = int8_column(tuple, desc, 5);
	row->interaction = !row->name.isnull &&
		DatumGetBool(SPI_getbinval(tuple, desc, 6, &isnull));
}

/* Does row a stand before row b? */
static inline bool
stands_before(const ActionRow *a, const ActionRow *b)
{
	return a->at < b->at || (a->at == b->at && a->idlink_va < b->idlink_va);
}

/* neighbours_note: see neighbours.h. */
void
neighbours_note(Log *log, int64 idvisit, const Action *action, const ActionKey *key)
{
	KnownRows  *known = log->known_rows;
	ActionRow  *row;

	if (known->idvisit != idvisit)
		return;
	if (known->n == known->size)
	{
		known->size *= 2;
		known->rows = repalloc_huge(known->rows, known->size * sizeof(ActionRow));
	}
	row = &known->rows[known->n++];
	row->idlink_va = key->idlink_va;
	row->at = key->at;
	row->begins = key->reason != REASON_CONTINUE;
	row->url = action->idaction_url;
	row->name = action->idaction_name;
	row->interaction = is_interaction(action->kind);
}

/* The visit's rows, n of them. */
static ActionRow *
read_rows(Log *log, int64 idvisit, int *n)
{
	KnownRows  *known = log->known_rows;
	Datum		value = Int64GetDatum(idvisit);
	ActionRow  *rows;

	if (known != NULL && known->idvisit == idvisit)
	{
		*n = known->n;
		return known->rows;
	}
	log->writer->settle_actions(log, idvisit);
	if (plan_execute(&rows_plan, &value, NULL, 0, true) != SPI_OK_SELECT)
		elog(ERROR, "could not read the actions of a visit");
	*n = (int) SPI_processed;
	rows = MemoryContextAllocHuge(log->context, (*n + 8) * sizeof(ActionRow));
	for (int i = 0; i < *n; i++)
		row_from_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &rows[i]);
	SPI_freetuptable(SPI_tuptable);

	if (log->writer->alone)
	{
		if (known == NULL)
			log->known_rows = known = MemoryContextAllocZero(log->context, sizeof(KnownRows));
		else
			pfree(known->rows);
		known->idvisit = idvisit;
		known->n = *n;
		known->size = *n + 8;
		known->rows = rows;
	}
	return rows;
}

/*
 * log_last_row
 *		The time of the visit's last row; DT_NOBEGIN if it has none.
 */
TimestampTz
log_last_row(Log *log, int64 idvisit)
{
	Datum		value = Int64GetDatum(idvisit);
	bool		isnull;
	Datum		d;

	log->writer->settle_actions(log, idvisit);
	if (plan_execute(&last_row_plan, &value, NULL, 1, true) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the actions of a visit");
	d = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	SPI_freetuptable(SPI_tuptable);
	return isnull ? DT_NOBEGIN : DatumGetTimestampTz(d);
}

/*
 * log_read_neighbours
 *		The rows around that of a hit of this time and kind, which is not written
 *		yet.  The result is in the current memory context.
 */
void
log_read_neighbours(Log *log, int64 idvisit, TimestampTz at, ActionKind kind,
					Neighbours *neighbours)
{
	int			n;
	ActionRow  *rows = read_rows(log, idvisit, &n);
	const ActionRow *previous = NULL;
	const ActionRow *next = NULL;
	const ActionRow *interaction_before = NULL;
	const ActionRow *interaction_after = NULL;

	for (int i = 0; i < n; i++)
	{
		const ActionRow *row = &rows[i];

		if (row->at <= at)
		{
			if (previous == NULL || stands_before(previous, row))
				previous = row;
			if (row->interaction &&
				(interaction_before == NULL || stands_before(interaction_before, row)))
				interaction_before = row;
		}
		else
		{
			if (next == NULL || stands_before(row, next))
				next = row;
			if (row->interaction &&
				(interaction_after == NULL || stands_before(row, interaction_after)))
				interaction_after = row;
		}
	}

	memset(neighbours, 0, sizeof(Neighbours));
	neighbours->previous = previous ? previous->at : DT_NOBEGIN;
	neighbours->url_ref = neighbours->name_ref = some_int(0);
	if (interaction_before != NULL)
	{
		/*
		 * a search leaves its keyword and no page; the one that began the
		 * visit, page 0
		 */
		neighbours->url_ref = interaction_before->url;
		if (interaction_before->url.isnull && interaction_before->begins)
			neighbours->url_ref = some_int(0);
		neighbours->name_ref = interaction_before->name;
	}
	neighbours->is_last_interaction = interaction_after == NULL;

	/* what begins a visit has nothing before it, whatever comes late */
	if (next != NULL && !next->begins)
	{
		neighbours->next = some_int(next->idlink_va);
		neighbours->next_at = next->at;
	}
	else
		neighbours->next = no_int();
	if (!is_interaction(kind))
		return;
	/* count them first: a visit may have thousands of rows */
	for (int pass = 1; pass <= 2; pass++)
	{
		if (pass == 2)
			neighbours->referring = palloc_array(int64, neighbours->n_referring + 1);
		neighbours->n_referring = 0;
		for (int i = 0; i < n; i++)
		{
			if (rows[i].at <= at || rows[i].begins ||
				(interaction_after != NULL && stands_before(interaction_after, &rows[i])))
				continue;
			if (pass == 2)
				neighbours->referring[neighbours->n_referring] = rows[i].idlink_va;
			neighbours->n_referring++;
		}
	}
}

/* Change one row; it comes to refer to the hit if refers is true. */
static void
update_row(int64 idvisit, int64 idlink_va, const Neighbours *neighbours,
		   const NeighbourChanges *changes, bool refers)
{
	bool		is_next = !neighbours->next.isnull && neighbours->next.value == idlink_va;
	Datum		values[6];
	char		nulls[6];

	memset(nulls, ' ', sizeof(nulls));
	values[0] = Int64GetDatum(idvisit);
	values[1] = Int64GetDatum(idlink_va);
	nulls[2] = is_next ? ' ' : 'n';
	values[2] = Int32GetDatum(changes->next_time_spent);
	values[3] = BoolGetDatum(refers);
	nulls[4] = changes->url_ref.isnull ? 'n' : ' ';
	values[4] = Int64GetDatum(changes->url_ref.value);
	nulls[5] = changes->name_ref.isnull ? 'n' : ' ';
	values[5] = Int64GetDatum(changes->name_ref.value);
	if (plan_execute(&update_plan, values, nulls, 0, true) != SPI_OK_UPDATE)
		elog(ERROR, "could not update the actions of a visit");
}

/*
 * log_update_neighbours
 *		Change the rows behind the hit's row, which log_read_neighbours() found.
 */
void
log_update_neighbours(Log *log, int64 idvisit, const Neighbours *neighbours,
					  const NeighbourChanges *changes)
{
	if (neighbours->n_referring == 0 && neighbours->next.isnull)
		return;
	log->writer->settle_actions(log, idvisit);
	for (int i = 0; i < neighbours->n_referring; i++)
		update_row(idvisit, neighbours->referring[i], neighbours, changes, true);
	/* where rows come to refer to the hit, the next row is among them */
	if (neighbours->n_referring == 0 && !neighbours->next.isnull)
		update_row(idvisit, neighbours->next.value, neighbours, changes, false);
}
