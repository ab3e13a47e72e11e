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
 *		The visits of a visitor id that began from one time to before another, and
 *		lasted to since or longer: *later has them, the latest first; NULL: there
 *		are none.  Returns their number.
 */
int
later_visits(Log *log, int32 idsite, HexId idvisitor, TimestampTz from, TimestampTz before,
			 TimestampTz since, LaterVisit **later)
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
		v.first = DatumGetTimestampTz(slot_getattr(slot, log_relations.att_first, &isnull));
		v.last = DatumGetTimestampTz(slot_getattr(slot, log_relations.att_last, &isnull));
		v.last = Max(v.last, v.first);
		if (v.last < since)
			continue;
		v.idvisit = DatumGetInt64(slot_getattr(slot, log_relations.att_idvisit, &isnull));
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

/* later_visit_widen: let the range contain the times of the visit's actions. */
void
later_visit_widen(int64 idvisit, TimestampTz *from, TimestampTz *to)
{
	static const IndexKeys keys = {"log_link_visit_action", 1, {"idvisit"}};
	Relation	rel = table_open(log_relations.log_link_visit_action, AccessShareLock);
	AttrNumber	att = get_attnum(RelationGetRelid(rel), "server_time");
	Relation	index = index_by_keys(rel, &keys, AccessShareLock);
	Snapshot	snapshot;
	TupleTableSlot *slot;
	ScanKeyData key;
	IndexScanDesc scan;

	if (index == NULL)
		raise_missing_index(&keys);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(idvisit));
	scan = pkt_index_beginscan(rel, index, snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		TimestampTz at;

		CHECK_FOR_INTERRUPTS();
		at = DatumGetTimestampTz(slot_getattr(slot, att, &isnull));
		*from = Min(*from, at);
		*to = Max(*to, at);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
}
