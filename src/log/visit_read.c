/*
 * visit_read.c
 *		Reads visits from the log's tables.
 *
 * A look-up is a direct index scan, because it must stop where no visit can
 * reach the window any more, which cannot be expressed in SQL: doc/internals.md,
 * "The look-up".
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/plan.h"
#include "log/columns.h"
#include "log/log.h"
#include "log/relations.h"
#include "log/visit_length.h"
#include "log/visit_read.h"
#include "log/writer.h"

static KeptPlan joined_plan = {
	.query = "SELECT 1 FROM pk_tracking.log_link_visit_action l"
	" WHERE l.idvisit OPERATOR(pg_catalog.=) $1 AND l.matched_by OPERATOR(pg_catalog.=) $2"
	" UNION ALL SELECT 1 FROM pk_tracking.log_conversion c"
	" WHERE c.idvisit OPERATOR(pg_catalog.=) $1 AND c.matched_by OPERATOR(pg_catalog.=) $2 LIMIT 1",
	.nargs = 2,.argtypes = {INT8OID, INT2OID}
};

/* Make a Visit of a row; what it points to is in the current memory context. */
static void
visit_from_slot(TupleTableSlot *slot, Visit *visit)
{
	slot_getsomeattrs(slot, log_relations.last_att);
	columns_read_visit(slot, log_relations.visit_shape.att, visit);
}

/*
 * visit_preferred
 *		Is visit a preferred to b?  The newest last action wins, then the newest
 *		visit, or the oldest.
 */
bool
visit_preferred(TimestampTz last_a, int64 idvisit_a, const Visit *b, bool older_first)
{
	return last_a > b->last ||
		(last_a == b->last && (idvisit_a > b->idvisit) != older_first);
}

/* A scan of one of the look-up's indexes, under the newest snapshot. */
typedef struct VisitScan
{
	IndexScanDesc scan;
	TupleTableSlot *slot;
	Snapshot	snapshot;
} VisitScan;

static Relation
lookup_index(Log *log, bool by_config)
{
	if (by_config)
	{
		if (log->by_config == NULL)
			log->by_config = index_open(log_relations.by_config, log->mode);
		return log->by_config;
	}
	if (log->by_visitor_id == NULL)
		log->by_visitor_id = index_open(log_relations.by_visitor_id, log->mode);
	return log->by_visitor_id;
}

/*
 * Begin the scan by the first nkeys of site, id and first action: all visits of
 * the site, those with the id, or those of them that began at upper or before.
 */
static void
begin_scan(VisitScan *s, Log *log, int32 idsite, bool by_config, int nkeys, HexId id,
		   TimestampTz upper)
{
	Relation	index = lookup_index(log, by_config);
	ScanKeyData key[3];

	if (!OidIsValid(log_relations.hexid_eq))
	{
		Oid			op = get_opfamily_member(index->rd_opfamily[1], index->rd_opcintype[1],
											 index->rd_opcintype[1], BTEqualStrategyNumber);

		log_relations.hexid_eq = get_opcode(op);
	}

	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, log_relations.hexid_eq, HexIdGetDatum(id));
	ScanKeyInit(&key[2], 3, BTLessEqualStrategyNumber, F_TIMESTAMPTZ_LE,
				TimestampTzGetDatum(upper));

	s->snapshot = RegisterSnapshot(GetLatestSnapshot());
	s->slot = table_slot_create(log->visits, NULL);
	s->scan = pkt_index_beginscan(log->visits, index, s->snapshot, nkeys);
	index_rescan(s->scan, key, nkeys, NULL, 0);
}

static void
end_scan(VisitScan *s)
{
	index_endscan(s->scan);
	ExecDropSingleTupleTableSlot(s->slot);
	UnregisterSnapshot(s->snapshot);
}

/*
 * visit_lookup_but
 *		The max most preferred visits of the log that the look-up finds, best
 *		first, as committed now (or written by this transaction), without those
 *		that skip() names (NULL: none).  Returns their number.
 *
 * Reads the visits of the key backwards by their first action and stops where
 * none can reach the window, or beat what was found: a visit whose first
 * action lies more than the longest visit before a time did not last to it.
 */
int
visit_lookup_but(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits,
				 bool (*skip) (Log *log, int64 idvisit))
{
	VisitScan	s;
	int64		reach;
	int			found = 0;

	reach = visit_length_bound(idsite);
	log->reach = Min(log->reach, reach);
	reach *= USECS_PER_SEC;

	begin_scan(&s, log, idsite, lookup->by_config, 3, lookup->key, lookup->upper);
	while (index_getnext_slot(s.scan, BackwardScanDirection, s.slot))
	{
		TupleTableSlot *slot = s.slot;
		bool		isnull;
		TimestampTz first;
		TimestampTz last;
		int64		idvisit;
		int			place;

		CHECK_FOR_INTERRUPTS();

		first = DatumGetTimestampTz(slot_getattr(slot, log_relations.att_first, &isnull));
		if (lookup->bounded && first + reach < lookup->lower)
			break;
		if (found == max && first + reach < visits[max - 1].last)
			break;

		last = DatumGetTimestampTz(slot_getattr(slot, log_relations.att_last, &isnull));
		if (last > lookup->upper || (lookup->bounded && last < lookup->lower))
			continue;
		idvisit = DatumGetInt64(slot_getattr(slot, log_relations.att_idvisit, &isnull));
		if (found == max && !visit_preferred(last, idvisit, &visits[max - 1], lookup->older_first))
			continue;
		if (lookup->unclaimed &&
			DatumGetInt16(slot_getattr(slot, log_relations.att_profilable, &isnull)) != 0)
			continue;
		if (lookup->user_filter != NULL)
		{
			Datum		d = slot_getattr(slot, log_relations.att_user_id, &isnull);

			if (!isnull && strcmp(TextDatumGetCString(d), lookup->user_filter) != 0)
				continue;
		}
		if (skip != NULL && skip(log, idvisit))
			continue;

		for (place = found; place > 0; place--)
		{
			if (!visit_preferred(last, idvisit, &visits[place - 1], lookup->older_first))
				break;
		}
		if (found < max)
			found++;
		memmove(&visits[place + 1], &visits[place], (found - place - 1) * sizeof(Visit));
		visit_from_slot(slot, &visits[place]);
	}
	end_scan(&s);
	return found;
}

/* visit_lookup: the same without exception. */
int
visit_lookup(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits)
{
	return visit_lookup_but(log, idsite, lookup, max, visits, NULL);
}

/*
 * visit_newest_before_but
 *		log_newest_before() in the log's tables, without the visits that skip()
 *		names (NULL: none).
 */
bool
visit_newest_before_but(Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
						TimestampTz not_before, Visit *visit,
						bool (*skip) (Log *log, int64 idvisit))
{
	VisitScan	s;
	bool		found = false;

	begin_scan(&s, log, idsite, false, 3, idvisitor, before - 1);
	while (index_getnext_slot(s.scan, BackwardScanDirection, s.slot))
	{
		bool		isnull;
		TimestampTz first;
		int64		idvisit;

		CHECK_FOR_INTERRUPTS();
		first = DatumGetTimestampTz(slot_getattr(s.slot, log_relations.att_first, &isnull));
		idvisit = DatumGetInt64(slot_getattr(s.slot, log_relations.att_idvisit, &isnull));
		if (first < not_before || (found && first < visit->first))
			break;
		if (found && idvisit < visit->idvisit)
			continue;
		if (skip != NULL && skip(log, idvisit))
			continue;
		visit_from_slot(s.slot, visit);
		found = true;
	}
	end_scan(&s);
	return found;
}

/* visit_newest_before: the same without exception. */
bool
visit_newest_before(Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
					TimestampTz not_before, Visit *visit)
{
	return visit_newest_before_but(log, idsite, idvisitor, before, not_before, visit, NULL);
}

/*
 * visit_read_newest
 *		The visits of the look-up's key, whatever their time, that began last:
 *		at most max, and as far back as the look-up has to see.  complete: the
 *		key has no others; else those began at *floor or before.
 */
int
visit_read_newest(Log *log, int32 idsite, const Lookup *lookup, int max,
				  Visit *visits, TimestampTz *floor, bool *complete)
{
	VisitScan	s;
	int64		reach = visit_length_bound(idsite) * USECS_PER_SEC;
	int			n = 0;

	*complete = true;
	begin_scan(&s, log, idsite, lookup->by_config, 2, lookup->key, 0);
	while (index_getnext_slot(s.scan, BackwardScanDirection, s.slot))
	{
		bool		isnull;
		TimestampTz first;

		CHECK_FOR_INTERRUPTS();
		first = DatumGetTimestampTz(slot_getattr(s.slot, log_relations.att_first, &isnull));
		if (n == max || (lookup->bounded && first + reach < lookup->lower))
		{
			*floor = first;
			*complete = false;
			break;
		}
		visit_from_slot(s.slot, &visits[n++]);
	}
	end_scan(&s);
	return n;
}

/* visit_site_is_empty: has the site no visit that a look-up could find? */
bool
visit_site_is_empty(Log *log, int32 idsite)
{
	bool		any = false;

	for (int by_config = 0; by_config <= 1 && !any; by_config++)
	{
		VisitScan	s;

		begin_scan(&s, log, idsite, by_config, 1, 0, 0);
		any = index_getnext_slot(s.scan, ForwardScanDirection, s.slot);
		end_scan(&s);
	}
	return !any;
}

/* visit_read_by_number: the newest version of a visit; false if there is no such row. */
bool
visit_read_by_number(Log *log, int64 idvisit, Visit *visit)
{
	Relation	index = index_open(log_relations.by_number, log->mode);
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot = table_slot_create(log->visits, NULL);
	ScanKeyData key;
	IndexScanDesc scan;
	bool		found;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(idvisit));
	scan = pkt_index_beginscan(log->visits, index, snapshot, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	if (found)
		visit_from_slot(slot, visit);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, NoLock);
	return found;
}

/*
 * log_joined_by_fingerprint
 *		Was any action or conversion of the visit joined to it by a fingerprint?
 *		Then the visit may hold hits of several people.
 */
bool
log_joined_by_fingerprint(Log *log, int64 idvisit)
{
	Datum		values[2];
	bool		result;

	log->writer->settle_actions(log, idvisit);
	values[0] = Int64GetDatum(idvisit);
	values[1] = Int16GetDatum(MATCHED_FINGERPRINT);
	if (plan_execute(&joined_plan, values, NULL, 1, true) != SPI_OK_SELECT)
		elog(ERROR, "could not read the actions of a visit");
	result = SPI_processed > 0;
	SPI_freetuptable(SPI_tuptable);
	return result;
}
