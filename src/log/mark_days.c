/*
 * mark_days.c
 *		Whether a change of an older day needs a mark, and writing it.
 *
 * A change needs no mark while neither its day nor a later one of its site has
 * roll-ups, nor is about to get them.  A builder says what it is about to build in
 * rollup_day, and only then waits for all transactions whose numbers are lower
 * than the next one (rollup_day.horizon).  A writer gets its number, and then
 * looks at rollup_day.  So either the writer sees the builder's rows, though they
 * are not committed, and leaves a mark; or the builder waits for the writer, and
 * sees what it has written.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "storage/bufmgr.h"
#include "storage/proc.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/xid8.h"

#include "base/compat.h"
#include "base/index.h"
#include "base/plan.h"
#include "log/mark_days.h"
#include "log/relations.h"

PG_FUNCTION_INFO_V1(pkt_rollup_horizon);

/* The tables, as last looked up. */
typedef struct MarkRelations
{
	bool		valid;			/* else they are to be looked up */
	bool		readable;		/* the tables of roll-ups are as we make them */
	bool		plain;			/* marks may be written without the executor */
	Oid			mark;
	Oid			site;
	Oid			site_index;
	AttrNumber	site_timezone;
	AttrNumber	site_first_day;
	Oid			day;
	Oid			day_index;
	AttrNumber	day_day;
	AttrNumber	day_horizon;
	AttrNumber	day_built;
	Oid			other_id;		/* log_other_id */
	Oid			other_id_index;
} MarkRelations;

static MarkRelations relations;

static const IndexKeys site_keys = {"rollup_site", 1, {"idsite"}};
static const IndexKeys day_keys = {"rollup_day", 2, {"idsite", "day"}};
static const IndexKeys other_id_keys = {"log_other_id", 2, {"idsite", "idvisitor"}};

/*
 * What is known of a site.  That a day is counted may be forgotten to be untrue: a
 * mark too many does no harm.  That none is counted holds for this transaction: who
 * builds it from now on waits for us.
 */
typedef struct SiteDays
{
	int32		idsite;
	TimestampTz counted_before; /* a change before that needs a mark */
	LocalTransactionId lxid;
	TimestampTz uncounted_from; /* one from then on does not, in lxid */
} SiteDays;

#define SITES 64				/* direct-mapped */
static SiteDays site_days[SITES];

/* Ranges that this (sub)transaction has marked. */
typedef struct Marked
{
	int32		idsite;
	LocalTransactionId lxid;
	SubTransactionId subid;
	TimestampTz from;
	TimestampTz to;
} Marked;

#define MARKED 16
static Marked marked[MARKED];
static int	next_marked = 0;

/* Visitors whose later visits this (sub)transaction has marked, but for one visit. */
typedef struct Looked
{
	int32		idsite;
	SubTransactionId subid;
	LocalTransactionId lxid;
	int64		idvisit;
	HexId		id;
	TimestampTz from;
} Looked;

#define LOOKED 16
static Looked looked[LOOKED];
static int	next_looked = 0;

static KeptPlan mark_plan = {
	.query = "INSERT INTO pk_tracking.rollup_mark (idsite, begins, ends) VALUES ($1, $2, $3)",
	.nargs = 3,.argtypes = {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID}
};

/* Invalidation: look a table up again that has changed. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	const MarkRelations *r = &relations;

	if (relid == InvalidOid || relid == r->mark || relid == r->site || relid == r->day ||
		relid == r->other_id)
	{
		relations.valid = false;
		/* another log may have other sites of the same numbers */
		memset(site_days, 0, sizeof(site_days));
	}
}

/* mark_days_init: called once when the library loads. */
void
mark_days_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

/* mark_day: the local day of a time. */
DateADT
mark_day(TimestampTz at, pg_tz *tz)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;

	if (timestamp2tm(at, &offset, &tm, &fsec, NULL, tz) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;
}

/* mark_day_begin: the local midnight; of two the later one. */
TimestampTz
mark_day_begin(DateADT day, pg_tz *tz)
{
	struct pg_tm tm;
	TimestampTz result;
	int			offset;

	memset(&tm, 0, sizeof(tm));
	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_isdst = -1;
	offset = DetermineTimeZoneOffset(&tm, tz);
	if (tm2timestamp(&tm, 0, &offset, &result) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return result;
}

/* Is rollup_mark a table that has nothing but our three columns, and of which nothing hangs? */
static bool
is_plain(Relation rel)
{
	static const char *const names[] = {"idsite", "begins", "ends"};
	static const Oid types[] = {INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	TupleDesc	desc = RelationGetDescr(rel);

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relispartition ||
		rel->rd_rel->relam != HEAP_TABLE_AM_OID || rel->rd_rel->relowner != log_relations.owner ||
		rel->rd_rules != NULL || rel->trigdesc != NULL || desc->natts != lengthof(names) ||
		(desc->constr != NULL && (desc->constr->num_check > 0 || desc->constr->num_defval > 0)))
		return false;
	for (int i = 0; i < (int) lengthof(names); i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || att->atttypid != types[i] ||
			strcmp(NameStr(att->attname), names[i]) != 0)
			return false;
	}
	return true;
}

/* The number of the column; 0 if it is not there, or of another type. */
static AttrNumber
find_column(Oid relid, const char *name, Oid type)
{
	AttrNumber	att = get_attnum(relid, name);

	return att > 0 && get_atttype(relid, att) == type ? att : 0;
}

static Oid
find_index(Relation rel, const IndexKeys *keys)
{
	Relation	index = index_by_keys(rel, keys, AccessShareLock);
	Oid			result = InvalidOid;

	if (index != NULL)
	{
		result = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	return result;
}

/* Open and lock the table of that name; NULL if it is not there, or no ordinary table. */
static Relation
open_named(const char *name, Oid *relid)
{
	Relation	rel = NULL;

	*relid = get_relname_relid(name, get_namespace_oid("pk_tracking", false));
	if (OidIsValid(*relid))
		rel = try_table_open(*relid, AccessShareLock);
	if (rel != NULL && rel->rd_rel->relkind != RELKIND_RELATION)
	{
		table_close(rel, AccessShareLock);
		rel = NULL;
	}
	return rel;
}

/* Fill relations.  What changes meanwhile makes it invalid. */
static void
find_relations(void)
{
	MarkRelations *r = &relations;
	Relation	rel;

	r->valid = true;
	r->plain = r->readable = false;
	rel = open_named("rollup_mark", &r->mark);
	if (rel != NULL)
	{
		r->plain = is_plain(rel);
		table_close(rel, AccessShareLock);
	}
	r->other_id_index = InvalidOid;
	rel = open_named("log_other_id", &r->other_id);
	if (rel != NULL)
	{
		r->other_id_index = find_index(rel, &other_id_keys);
		table_close(rel, AccessShareLock);
	}
	rel = open_named("rollup_site", &r->site);
	if (rel == NULL)
		return;
	r->site_index = find_index(rel, &site_keys);
	r->site_timezone = find_column(r->site, "timezone", TEXTOID);
	r->site_first_day = find_column(r->site, "first_day", DATEOID);
	table_close(rel, AccessShareLock);
	rel = open_named("rollup_day", &r->day);
	if (rel == NULL)
		return;
	r->day_index = find_index(rel, &day_keys);
	r->day_day = find_column(r->day, "day", DATEOID);
	r->day_horizon = find_column(r->day, "horizon", XID8OID);
	r->day_built = find_column(r->day, "built", TIMESTAMPTZOID);
	table_close(rel, AccessShareLock);
	r->readable = OidIsValid(r->site_index) && r->site_timezone > 0 && r->site_first_day > 0 &&
		OidIsValid(r->day_index) && r->day_day > 0 && r->day_horizon > 0 && r->day_built > 0;
}

/* A scan that sees also what other transactions have not committed. */
typedef struct DirtyScan
{
	Relation	rel;
	Relation	index;
	SnapshotData snapshot;
	IndexScanDesc scan;
	TupleTableSlot *slot;
} DirtyScan;

static void
begin_scan(DirtyScan *s, Relation rel, Oid index, ScanKey key, int nkeys)
{
	s->rel = rel;
	s->index = index_open(index, AccessShareLock);
	InitDirtySnapshot(s->snapshot);
	s->slot = table_slot_create(rel, NULL);
	s->scan = pkt_index_beginscan(rel, s->index, &s->snapshot, nkeys);
	index_rescan(s->scan, key, nkeys, NULL, 0);
}

static void
end_scan(DirtyScan *s)
{
	index_endscan(s->scan);
	ExecDropSingleTupleTableSlot(s->slot);
	index_close(s->index, AccessShareLock);
}

/*
 * Has the site roll-ups, and might a change of that day matter to them by what
 * rollup_site says?  *need: it does.
 */
static bool
look_at_site(Relation rel, int32 idsite, DateADT day, pg_tz *tz, bool *need)
{
	DirtyScan	s;
	ScanKeyData key;
	bool		found = false;

	*need = false;
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	begin_scan(&s, rel, relations.site_index, &key, 1);
	while (!*need && index_getnext_slot(s.scan, ForwardScanDirection, s.slot))
	{
		bool		no_zone;
		bool		no_day;
		Datum		zone = slot_getattr(s.slot, relations.site_timezone, &no_zone);
		DateADT		first = DatumGetDateADT(slot_getattr(s.slot, relations.site_first_day,
														 &no_day));

		found = true;

		/*
		 * earlier days are known to be empty; days of another time zone are
		 * others
		 */
		*need = no_zone || no_day || day < first ||
			pg_strcasecmp(TextDatumGetCString(zone), pg_get_timezone_name(tz)) != 0;
	}
	end_scan(&s);
	return found;
}

/*
 * The first day of the site, from that one on, that is counted, or for the count of
 * which this transaction is not waited for.  False if there is none.
 */
static bool
find_counted_day(int32 idsite, DateADT from, DateADT *day)
{
	Relation	rel = try_table_open(relations.day, AccessShareLock);
	FullTransactionId own = GetTopFullTransactionIdIfAny();
	DirtyScan	s;
	ScanKeyData key[2];
	bool		found = false;

	*day = from;
	if (rel == NULL)
		return true;
	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	ScanKeyInit(&key[1], 2, BTGreaterEqualStrategyNumber, F_DATE_GE, DateADTGetDatum(from));
	begin_scan(&s, rel, relations.day_index, key, 2);
	while (!found && index_getnext_slot(s.scan, ForwardScanDirection, s.slot))
	{
		bool		not_built;
		bool		awaits_none;
		bool		isnull;
		Datum		horizon;

		(void) slot_getattr(s.slot, relations.day_built, &not_built);
		horizon = slot_getattr(s.slot, relations.day_horizon, &awaits_none);
		found = !not_built || awaits_none || !FullTransactionIdIsValid(own) ||
			!FullTransactionIdPrecedes(own, DatumGetFullTransactionId(horizon));
		*day = DatumGetDateADT(slot_getattr(s.slot, relations.day_day, &isnull));
	}
	end_scan(&s);
	table_close(rel, AccessShareLock);
	return found;
}

/*
 * Look at the tables.  *until: with the result true, that of a change before that
 * it is true, too.
 */
static bool
look(int32 idsite, TimestampTz from, pg_tz *tz, TimestampTz *until)
{
	Relation	sites;
	DateADT		day;
	DateADT		counted;
	bool		need = false;
	bool		found = false;

	*until = from + 1;
	if (!relations.valid)
		find_relations();
	sites = relations.readable ? try_table_open(relations.site, AccessShareLock) : NULL;
	if (sites == NULL || !relations.valid)
	{
		if (sites != NULL)
			table_close(sites, AccessShareLock);
		return true;
	}

	/*
	 * nothing is built at all: a row that a builder has added would be in a
	 * block
	 */
	if (RelationGetNumberOfBlocks(sites) > 0)
	{
		day = mark_day(from, tz);
		found = look_at_site(sites, idsite, day, tz, &need);
	}
	table_close(sites, AccessShareLock);
	if (!found || need)
		return need;
	if (!find_counted_day(idsite, day, &counted))
		return false;
	*until = mark_day_begin(counted + 1, tz);
	return true;
}

/*
 * mark_days_counted
 *		Do roll-ups count rows of the site at that time or later, or are they about
 *		to without waiting for us?  Only then a change needs a mark.  tz: the
 *		site's time zone.  Call it after something has been written.
 */
bool
mark_days_counted(int32 idsite, TimestampTz from, pg_tz *tz)
{
	SiteDays   *s = &site_days[(uint32) idsite % SITES];
	TimestampTz until;

	if (s->idsite != idsite)
	{
		memset(s, 0, sizeof(SiteDays));
		s->idsite = idsite;
		s->counted_before = DT_NOBEGIN;
	}
	if (from < s->counted_before)
		return true;
	if (s->lxid == pkt_my_lxid() && from >= s->uncounted_from)
		return false;
	if (look(idsite, from, tz, &until))
	{
		s->counted_before = until;
		return true;
	}
	s->lxid = pkt_my_lxid();
	s->uncounted_from = from;
	return false;
}

/*
 * mark_days_looked
 *		Has this (sub)transaction marked the visits of the visitor id from that time
 *		on, but for idvisit?  If not, it counts as done.  Nobody else begins one
 *		meanwhile: the visitor is locked.
 */
bool
mark_days_looked(int32 idsite, int64 idvisit, HexId id, TimestampTz from)
{
	LocalTransactionId lxid = pkt_my_lxid();
	SubTransactionId subid = GetCurrentSubTransactionId();
	Looked	   *l;

	for (int i = 0; i < LOOKED; i++)
	{
		l = &looked[i];
		if (l->lxid == lxid && l->subid == subid && l->idsite == idsite && l->id == id &&
			l->idvisit == idvisit && l->from <= from)
			return true;
	}
	l = &looked[next_looked++ % LOOKED];
	l->idsite = idsite;
	l->subid = subid;
	l->lxid = lxid;
	l->idvisit = idvisit;
	l->id = id;
	l->from = from;
	return false;
}

/* mark_days_had_id: has a visit of the site had the visitor id, or may it have? */
bool
mark_days_had_id(int32 idsite, HexId id)
{
	Relation	rel;
	Relation	index;
	ScanKeyData key[2];
	Snapshot	snapshot;
	TupleTableSlot *slot;
	IndexScanDesc scan;
	bool		found;

	if (!relations.valid)
		find_relations();
	rel = OidIsValid(relations.other_id_index) ?
		try_table_open(relations.other_id, AccessShareLock) : NULL;
	if (rel == NULL || !relations.valid || RelationGetNumberOfBlocks(rel) == 0)
	{
		if (rel != NULL)
			table_close(rel, AccessShareLock);
		return rel == NULL || !relations.valid;
	}
	index = index_open(relations.other_id_index, AccessShareLock);
	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, index_equality(index, 1), HexIdGetDatum(id));
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	slot = table_slot_create(rel, NULL);
	scan = pkt_index_beginscan(rel, index, snapshot, 2);
	index_rescan(scan, key, 2, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(rel, AccessShareLock);
	return found;
}

/* Has this (sub)transaction marked that already? */
static bool
is_marked(int32 idsite, TimestampTz from, TimestampTz to)
{
	LocalTransactionId lxid = pkt_my_lxid();
	SubTransactionId subid = GetCurrentSubTransactionId();

	for (int i = 0; i < MARKED; i++)
	{
		const Marked *m = &marked[i];

		if (m->lxid == lxid && m->subid == subid && m->idsite == idsite && m->from <= from &&
			m->to >= to)
			return true;
	}
	return false;
}

/* Write the row as an INSERT would; false if it needs one. */
static bool
write_plainly(Datum *values)
{
	bool		nulls[3] = {false, false, false};
	Relation	rel;
	HeapTuple	tuple;

	if (!relations.valid)
		find_relations();
	if (!relations.plain || XactReadOnly)
		return false;
	rel = try_table_open(relations.mark, RowExclusiveLock);
	if (rel == NULL || !relations.valid)
	{
		if (rel != NULL)
			table_close(rel, NoLock);
		return false;
	}
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	table_insert_row(rel, tuple);
	heap_freetuple(tuple);
	table_close(rel, NoLock);
	return true;
}

/*
 * mark_days_write
 *		Mark the days of rows of the site between from and to, unless this
 *		(sub)transaction has.  Callers are connected to SPI.
 */
void
mark_days_write(int32 idsite, TimestampTz from, TimestampTz to)
{
	Datum		values[3];
	Marked	   *m;

	if (is_marked(idsite, from, to))
		return;
	values[0] = Int32GetDatum(idsite);
	values[1] = TimestampTzGetDatum(from);
	values[2] = TimestampTzGetDatum(to);
	if (!write_plainly(values) && plan_execute(&mark_plan, values, NULL, 0, true) != SPI_OK_INSERT)
		elog(ERROR, "could not mark changed days");
	m = &marked[next_marked++ % MARKED];
	m->idsite = idsite;
	m->from = from;
	m->to = to;
	m->lxid = pkt_my_lxid();
	m->subid = GetCurrentSubTransactionId();
}

/*
 * pkt_rollup_horizon
 *		SQL: a number that no transaction has yet, so that all that have one have a
 *		lower one.  For who takes marks and builds days: what this session knows of
 *		its marks and of days that are not counted is forgotten, because it does not
 *		wait for itself.
 */
Datum
pkt_rollup_horizon(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	memset(site_days, 0, sizeof(site_days));
	memset(marked, 0, sizeof(marked));
	memset(looked, 0, sizeof(looked));
	PG_RETURN_FULLTRANSACTIONID(ReadNextFullTransactionId());
}
