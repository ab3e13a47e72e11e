/*
 * exclude_count.c
 *		Hits that are not recorded: whether, and how many.
 *
 * Of an excluded hit nothing is kept but one more in the sum of its site, local
 * day and reason, in pk_tracking.log_excluded.  Hits must not wait for each
 * other there, so a sum may be spread over many rows, which the view
 * pk_tracking.excluded adds up.  And a crowd of bots must not make the table
 * grow by a row per hit: each backend goes on adding to the row that it has
 * written before, which nobody else uses, so that the update is HOT, and has
 * its old versions pruned.  The row is found by its place: through an index an
 * old snapshot would make every hit walk over all that came since.  If that row is gone or locked, by
 * compact_excluded() or by whoever has got its place, a new one is written.
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

#include "log/log.h"
#include "track/exclude_count.h"
#include "track/site_rules.h"

/* The row by which this backend counts; direct-mapped, so that memory is bounded. */
typedef struct OwnRow
{
	int32		idsite;			/* 0: none */
	int32		day;
	const char *reason;			/* one of the words in the program */
	ItemPointerData tid;
} OwnRow;

#define OWN_ROWS 64
static OwnRow own_rows[OWN_ROWS];

/* Nothing here ever waits: what is locked is passed over. */
static KeptPlan add_plan = {
	.query = "UPDATE pk_tracking.log_excluded SET hits = hits OPERATOR(pg_catalog.+) $5"
	" WHERE ctid OPERATOR(pg_catalog.=) (SELECT e.ctid FROM pk_tracking.log_excluded e"
	" WHERE e.ctid OPERATOR(pg_catalog.=) $1 AND e.idsite OPERATOR(pg_catalog.=) $2"
	" AND e.day OPERATOR(pg_catalog.=) $3 AND e.reason OPERATOR(pg_catalog.=) $4"
	" FOR UPDATE SKIP LOCKED) RETURNING ctid",
	.nargs = 5, .argtypes = {TIDOID, INT4OID, DATEOID, TEXTOID, INT8OID}
};

static KeptPlan insert_plan = {
	.query = "INSERT INTO pk_tracking.log_excluded (idsite, day, reason, hits)"
	" VALUES ($2, $3, $4, $5) RETURNING ctid",
	.nargs = 5, .argtypes = {TIDOID, INT4OID, DATEOID, TEXTOID, INT8OID}
};

/*
 * excluded_why
 *		Why the hit is not to be recorded, in one word; NULL if it is.  It has
 *		its full address.
 */
const char *
excluded_why(const Hit *hit, const UserAgent *device, const SiteConfig *site)
{
	ExcludeInput in = {0};

	in.hit = hit;
	in.device = device;
	in.s = &site->s;
	in.rules = site_rules(site)->exclude;
	if (site->s.exclude_unknown_urls)
		in.urls = site_urls(&in.n_urls);
	if (site->s.enable_spam_filter && hit->urlref[0])
		in.spam = site_spam_list();
	return exclude_reason(&in);
}

/*
 * Make room where our row stands.  Reading a row by its place does not do that
 * by itself, as reading through an index does.
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

/* Add to our row, or write one. */
static void
write_sum(const ExcludedSum *sum)
{
	uint32		slot = (uint32) sum->idsite * 31 + (uint32) sum->day * 7 + (uint32) strlen(sum->reason);
	OwnRow	   *own = &own_rows[slot % OWN_ROWS];
	ItemPointerData tid = own->tid;
	Datum		values[5];
	bool		isnull;
	bool		added = false;

	values[0] = PointerGetDatum(&tid);
	values[1] = Int32GetDatum(sum->idsite);
	values[2] = DateADTGetDatum(sum->day);
	values[3] = CStringGetTextDatum(sum->reason);
	values[4] = Int64GetDatum(sum->hits);

	/* an old snapshot could not update what was updated since: it would raise */
	if (own->idsite == sum->idsite && own->day == sum->day && own->reason == sum->reason &&
		!IsolationUsesXactSnapshot())
	{
		prune_page(&tid);
		added = plan_execute(&add_plan, values, NULL, 0, false) == SPI_OK_UPDATE_RETURNING &&
			SPI_processed == 1;
	}
	if (!added && (plan_execute(&insert_plan, values, NULL, 0, false) != SPI_OK_INSERT_RETURNING ||
				   SPI_processed != 1))
	{
		/* somebody's trigger has taken it away */
		own->idsite = 0;
		return;
	}
	own->idsite = sum->idsite;
	own->day = sum->day;
	own->reason = sum->reason;
	own->tid = *(ItemPointer) DatumGetPointer(SPI_getbinval(SPI_tuptable->vals[0],
															SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

/*
 * excluded_add
 *		One more hit that was excluded for this reason, which is a constant of
 *		the program.
 */
void
excluded_add(ExcludedSums *sums, const SiteConfig *site, TimestampTz at, const char *reason)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	int32		day;
	ExcludedSum *sum;

	if (timestamp2tm(at, &offset, &tm, &fsec, NULL, site->tz) != 0)
		return;					/* no such day; times are checked before */
	day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE;

	for (int i = sums->n - 1; i >= 0; i--)
	{
		sum = &sums->sums[i];
		if (sum->idsite == site->idsite && sum->day == day && sum->reason == reason)
		{
			sum->hits++;
			return;
		}
	}
	if (sums->n == EXCLUDED_SUMS)
		excluded_write(sums);
	sum = &sums->sums[sums->n++];
	sum->idsite = site->idsite;
	sum->day = day;
	sum->reason = reason;
	sum->hits = 1;
}

/*
 * excluded_write
 *		Write the sums, and begin anew.
 */
void
excluded_write(ExcludedSums *sums)
{
	int			guc_level;

	if (sums->n == 0)
		return;

	/* what somebody has put on the table must not run by the caller's search_path */
	guc_level = pin_search_path();
	for (int i = 0; i < sums->n; i++)
		write_sum(&sums->sums[i]);
	sums->n = 0;
	AtEOXact_GUC(true, guc_level);
}
