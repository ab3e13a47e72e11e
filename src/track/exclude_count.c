/*
 * exclude_count.c
 *		How many hits were excluded.
 *
 * All that is kept of an excluded hit is one more in the count of its site,
 * local day and reason, in pk_tracking.log_excluded.  Hits must not wait for
 * each other there, so a count may be spread over many rows, which the view
 * pk_tracking.excluded adds up.  And a crowd of bots must not make the table
 * grow by a row per hit: each backend goes on adding to the row that it wrote
 * before, which no other backend uses, so that the update is HOT and old
 * versions are pruned.  The row is found by its place: through an index, an old
 * snapshot would make every hit walk over all versions that came since.  If the
 * row is gone or locked by compact_excluded(), or its place is now used by
 * another row, a new one is written.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "storage/itemptr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/plan.h"
#include "log/log.h"
#include "track/exclude_count.h"

/* A row to which this backend adds. */
typedef struct OwnRow
{
	int32		idsite;			/* 0: none */
	int32		day;
	const char *reason;			/* one of the words in the program */
	ItemPointerData tid;
} OwnRow;

/*
 * The rows of a site's day stand in one set, and a set has more places than there
 * are reasons, so that reasons that alternate do not displace each other.  Days
 * that share a set may: then a row more is written, and memory stays bounded.
 */
#define OWN_SETS 32
#define OWN_WAYS 20
typedef struct OwnSet
{
	OwnRow		rows[OWN_WAYS];
	int			next;			/* the row that is replaced next */
} OwnSet;

static OwnSet own_sets[OWN_SETS];

/* Nothing here ever waits: what is locked is passed over. */
static KeptPlan add_plan = {
	.query = "UPDATE pk_tracking.log_excluded SET hits = hits OPERATOR(pg_catalog.+) $5"
	" WHERE ctid OPERATOR(pg_catalog.=) (SELECT e.ctid FROM pk_tracking.log_excluded e"
	" WHERE e.ctid OPERATOR(pg_catalog.=) $1 AND e.idsite OPERATOR(pg_catalog.=) $2"
	" AND e.day OPERATOR(pg_catalog.=) $3 AND e.reason OPERATOR(pg_catalog.=) $4"
	" FOR UPDATE SKIP LOCKED) RETURNING ctid",
	.nargs = 5,.argtypes = {TIDOID, INT4OID, DATEOID, TEXTOID, INT8OID}
};

static KeptPlan insert_plan = {
	.query = "INSERT INTO pk_tracking.log_excluded (idsite, day, reason, hits)"
	" VALUES ($2, $3, $4, $5) RETURNING ctid",
	.nargs = 5,.argtypes = {TIDOID, INT4OID, DATEOID, TEXTOID, INT8OID}
};

/*
 * Make room on the page of our row.  Unlike reading through an index, reading a
 * row by its place does not do that.
 */
static void
prune_page(const ItemPointerData *tid)
{
	Oid			relid = get_relname_relid("log_excluded", get_namespace_oid("pk_tracking", false));
	Relation	rel;

	if (!OidIsValid(relid) || get_rel_relkind(relid) != RELKIND_RELATION)
		return;
	rel = table_open(relid, RowExclusiveLock);
	if (rel->rd_tableam == GetHeapamTableAmRoutine() &&
		ItemPointerGetBlockNumber(tid) < RelationGetNumberOfBlocks(rel))
	{
		Buffer		buffer = ReadBuffer(rel, ItemPointerGetBlockNumber(tid));

		heap_page_prune_opt(rel, buffer);
		ReleaseBuffer(buffer);
	}
	table_close(rel, NoLock);
}

static bool
is_row_of(const OwnRow *row, const ExcludeCount *count)
{
	return row->idsite == count->idsite && row->day == count->day && row->reason == count->reason;
}

/* Our row for the count, or the one that it replaces. */
static OwnRow *
find_own(const ExcludeCount *count)
{
	OwnSet	   *set = &own_sets[((uint32) count->idsite * 31 + (uint32) count->day) % OWN_SETS];

	for (int i = 0; i < OWN_WAYS; i++)
	{
		if (is_row_of(&set->rows[i], count))
			return &set->rows[i];
	}
	set->next = (set->next + 1) % OWN_WAYS;
	return &set->rows[set->next];
}

/* Add to our row, or write one. */
static void
write_count(const ExcludeCount *count)
{
	OwnRow	   *own = find_own(count);
	ItemPointerData tid = own->tid;
	Datum		values[5];
	bool		isnull;
	bool		added = false;

	values[0] = PointerGetDatum(&tid);
	values[1] = Int32GetDatum(count->idsite);
	values[2] = DateADTGetDatum(count->day);
	values[3] = CStringGetTextDatum(count->reason);
	values[4] = Int64GetDatum(count->hits);

	/* an old snapshot could not update what was updated since: it would raise */
	if (is_row_of(own, count) && !IsolationUsesXactSnapshot())
	{
		prune_page(&tid);
		added = plan_execute(&add_plan, values, NULL, 0, false) == SPI_OK_UPDATE_RETURNING &&
			SPI_processed == 1;
	}
	if (!added && (plan_execute(&insert_plan, values, NULL, 0, false) != SPI_OK_INSERT_RETURNING ||
				   SPI_processed != 1))
	{
		/* a user's trigger suppressed the insert */
		own->idsite = 0;
		return;
	}
	own->idsite = count->idsite;
	own->day = count->day;
	own->reason = count->reason;
	own->tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[0],
															SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

/*
 * exclude_count_add
 *		One more hit that was excluded for this reason, which is a constant of
 *		the program.
 */
void
exclude_count_add(ExcludeCounts *counts, const SiteConfig *site, TimestampTz at, const char *reason)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	int32		day;
	ExcludeCount *count;

	if (timestamp2tm(at, &offset, &tm, &fsec, NULL, site->tz) != 0)
		return;					/* no such day; times are checked before */
	day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;

	for (int i = counts->n - 1; i >= 0; i--)
	{
		count = &counts->counts[i];
		if (count->idsite == site->idsite && count->day == day && count->reason == reason)
		{
			count->hits++;
			return;
		}
	}
	if (counts->n == EXCLUDE_COUNTS)
		exclude_count_write(counts);
	count = &counts->counts[counts->n++];
	count->idsite = site->idsite;
	count->day = day;
	count->reason = reason;
	count->hits = 1;
}

/*
 * exclude_count_write
 *		Write the counts, and begin anew.
 */
void
exclude_count_write(ExcludeCounts *counts)
{
	int			guc_level;

	if (counts->n == 0)
		return;

	/* users' code on the table must not run with the caller's search_path */
	guc_level = pin_search_path();
	for (int i = 0; i < counts->n; i++)
		write_count(&counts->counts[i]);
	counts->n = 0;
	AtEOXact_GUC(true, guc_level);
}
