/*
 * later_visits.c
 *		The later visits of a visitor, whose days roll-ups count by the earlier ones.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/hexid.h"
#include "base/index.h"
#include "log/later_visits.h"
#include "log/relations.h"

/*
 * later_visits
 *		The visits of a visitor id, but for one, that began from one time to before
 *		another, and lasted to since or longer: *later has them, the latest first;
 *		NULL: there are none.  Returns their number.
 */
int
later_visits(Log *log, int32 idsite, HexId idvisitor, int64 but_idvisit, TimestampTz from,
			 TimestampTz before, TimestampTz since, LaterVisit **later)
{
	Relation	index = index_open(log_relations.by_visitor_id, AccessShareLock);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(log->visits, NULL);
	ScanKeyData key[4];
	IndexScanDesc scan;
	int			n = 0;
	int			size = 0;

	*later = NULL;
	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, index_equality(index, 1),
				HexIdGetDatum(idvisitor));
	ScanKeyInit(&key[2], 3, BTGreaterEqualStrategyNumber, F_TIMESTAMPTZ_GE,
				TimestampTzGetDatum(from));
	ScanKeyInit(&key[3], 3, BTLessStrategyNumber, F_TIMESTAMPTZ_LT, TimestampTzGetDatum(before));
	scan = pkt_index_beginscan(log->visits, index, snapshot, 4);
	index_rescan(scan, key, 4, NULL, 0);
	while (index_getnext_slot(scan, BackwardScanDirection, slot))
	{
		LaterVisit	v;
		bool		isnull;

		CHECK_FOR_INTERRUPTS();
		v.idvisit = DatumGetInt64(slot_getattr(slot, log_relations.att_idvisit, &isnull));
		v.first = DatumGetTimestampTz(slot_getattr(slot, log_relations.att_first, &isnull));
		v.last = DatumGetTimestampTz(slot_getattr(slot, log_relations.att_last, &isnull));
		v.last = Max(v.last, v.first);
		if (v.last < since || v.idvisit == but_idvisit)
			continue;
		if (n == size)
		{
			size = Max(2 * size, 8);
			*later = *later == NULL ? palloc_array(LaterVisit, size) :
				repalloc_array(*later, LaterVisit, size);
		}
		(*later)[n++] = v;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	return n;
}

/*
 * later_visits_widen
 *		Let the times of n visits contain those of their actions.
 */
void
later_visits_widen(LaterVisit *later, int n)
{
	static const IndexKeys keys = {"log_link_visit_action", 1, {"idvisit"}};
	Relation	rel;
	Relation	index;
	AttrNumber	att;
	Snapshot	snapshot;
	TupleTableSlot *slot;
	IndexScanDesc scan;

	if (n == 0)
		return;
	rel = table_open(log_relations.log_link_visit_action, AccessShareLock);
	att = get_attnum(RelationGetRelid(rel), "server_time");
	index = index_by_keys(rel, &keys, AccessShareLock);
	if (index == NULL)
		raise_missing_index(&keys);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = pkt_index_beginscan(rel, index, snapshot, 1);
	for (int i = 0; i < n; i++)
	{
		LaterVisit *v = &later[i];
		ScanKeyData key;

		ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(v->idvisit));
		index_rescan(scan, &key, 1, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			bool		isnull;
			TimestampTz at;

			CHECK_FOR_INTERRUPTS();
			at = DatumGetTimestampTz(slot_getattr(slot, att, &isnull));
			v->first = Min(v->first, at);
			v->last = Max(v->last, at);
		}
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
}
