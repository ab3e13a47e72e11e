/*
 * raw_sort.c
 *		Rows of a raw table by site, time and position.
 *
 * A sort may spill to disk, so only these keys are sorted, never other columns:
 * the rows are found again by their position in a statement, or by their place
 * (ctid) in the raw table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"

#include "base/compat.h"
#include "settings/gucs.h"
#include "track/raw.h"

struct RawSort
{
	Tuplesortstate *state;
	TupleDesc	desc;
	TupleTableSlot *slot;
};

/*
 * raw_sort_begin
 *		An empty sort.  with_place: rows have a place besides their position.
 */
RawSort *
raw_sort_begin(bool with_place)
{
	RawSort    *sort = palloc_object(RawSort);
	AttrNumber	columns[] = {1, 2, 3};
	Oid			operators[] = {Int4LessOperator, Int8LessOperator, Int8LessOperator};
	Oid			collations[] = {InvalidOid, InvalidOid, InvalidOid};
	bool		nulls_first[] = {false, false, false};

	sort->desc = CreateTemplateTupleDesc(with_place ? 4 : 3);
	TupleDescInitEntry(sort->desc, 1, "idsite", INT4OID, -1, 0);
	TupleDescInitEntry(sort->desc, 2, "at", INT8OID, -1, 0);
	TupleDescInitEntry(sort->desc, 3, "position", INT8OID, -1, 0);
	if (with_place)
		TupleDescInitEntry(sort->desc, 4, "place", TIDOID, -1, 0);
	sort->state = tuplesort_begin_heap(sort->desc, 3, columns, operators, collations, nulls_first,
									   Max((int) (BULK_SORT / 1024), 64), NULL, TUPLESORT_NONE);
	sort->slot = MakeSingleTupleTableSlot(sort->desc, &TTSOpsVirtual);
	return sort;
}

/*
 * raw_sort_add
 *		One more row.  place: NULL without places.
 */
void
raw_sort_add(RawSort *sort, int32 idsite, TimestampTz at, int64 position, ItemPointer place)
{
	TupleTableSlot *slot = sort->slot;

	ExecClearTuple(slot);
	slot->tts_values[0] = Int32GetDatum(idsite);
	slot->tts_values[1] = Int64GetDatum(at);
	slot->tts_values[2] = Int64GetDatum(position);
	if (place != NULL)
		slot->tts_values[3] = PointerGetDatum(place);
	memset(slot->tts_isnull, 0, sort->desc->natts * sizeof(bool));
	ExecStoreVirtualTuple(slot);
	tuplesort_puttupleslot(sort->state, slot);
}

/* raw_sort_perform: no more rows; now they can be read. */
void
raw_sort_perform(RawSort *sort)
{
	ExecDropSingleTupleTableSlot(sort->slot);
	tuplesort_performsort(sort->state);
	sort->slot = MakeSingleTupleTableSlot(sort->desc, &TTSOpsMinimalTuple);
}

/*
 * raw_sort_next
 *		The next row's position, and its place unless that is NULL; false after
 *		the last row.
 */
bool
raw_sort_next(RawSort *sort, int64 *position, ItemPointer place)
{
	bool		isnull;

	if (!tuplesort_gettupleslot(sort->state, true, false, sort->slot, NULL))
		return false;
	*position = DatumGetInt64(slot_getattr(sort->slot, 3, &isnull));
	if (place != NULL)
		*place = *(ItemPointer) DatumGetPointer(slot_getattr(sort->slot, 4, &isnull));
	return true;
}

/* raw_sort_end: free the sort. */
void
raw_sort_end(RawSort *sort)
{
	ExecDropSingleTupleTableSlot(sort->slot);
	tuplesort_end(sort->state);
	pfree(sort);
}
