/*
 * new_names.c
 *		How many new names the hits of strangers may add to the dictionary, by
 *		site and UTC day of their arrival (setting new_names_per_day).
 *
 * The count stands in pk_tracking.log_new_names, which hits only insert into, so
 * that none waits.  It is a sample: of every so many new names one is written
 * down, as so many.  A day of a site has some COUNT_ROWS rows, then, however
 * large the limit, and the count is right to three per cent; a limit below twice
 * COUNT_ROWS is counted exactly.  A row is taken back with the transaction that
 * brought the names.
 *
 * Each backend remembers the sum that it has read, adds its own names, and reads
 * it anew after a share of what was left: as long as no more than BUDGET_SHARE
 * sessions add names at the same time, they cannot go beyond the limit by what
 * they do not know of each other, but for names of transactions that are still
 * open (doc/internals.md, "New names").
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/spi.h"
#include "utils/date.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/plan.h"
#include "log/new_names.h"

#define COUNT_ROWS 1024
#define BUDGET_SHARE 64

/* What this backend knows of a site's day. */
typedef struct SiteDay
{
	int32		idsite;			/* 0: the slot is empty */
	DateADT		day;
	int64		total;			/* names */
	int64		unwritten;		/* of these, not in the table yet */
	int64		read_at;		/* the table is read again when total comes to
								 * this, … */
	int			refused;		/* … or after so many names that came too
								 * late */
} SiteDay;

#define SITE_DAYS 256
static SiteDay site_days[SITE_DAYS];

/* The table of counts, once known; for its invalidations. */
static Oid	relation = InvalidOid;

static KeptPlan sum_plan = {
	.query = "SELECT COALESCE(pg_catalog.sum(n.names), 0)::pg_catalog.int8"
	" FROM pk_tracking.log_new_names n"
	" WHERE n.idsite OPERATOR(pg_catalog.=) $1 AND n.day OPERATOR(pg_catalog.=) $2",
	.nargs = 2,.argtypes = {INT4OID, DATEOID}
};

static KeptPlan insert_plan = {
	.query = "INSERT INTO pk_tracking.log_new_names (idsite, day, names) VALUES ($1, $2, $3)",
	.nargs = 3,.argtypes = {INT4OID, DATEOID, INT4OID}
};

/* Invalidation: the table was emptied, or made anew.  May be called at any time. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	if (relid == InvalidOid || relid == relation)
	{
		new_names_forget();
		relation = InvalidOid;
	}
}

/* new_names_init: called once when the library loads. */
void
new_names_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

/* The UTC day of now. */
static DateADT
today(void)
{
	TimestampTz now = GetCurrentTimestamp();

	return (DateADT) (now / USECS_PER_DAY);
}

/* Read the count as committed now, or written by this transaction. */
static void
read_count(SiteDay *s, int32 idsite, DateADT day, int32 limit)
{
	Datum		values[2];
	bool		isnull;

	if (!OidIsValid(relation))
		relation = get_relname_relid("log_new_names", get_namespace_oid("pk_tracking", false));
	values[0] = Int32GetDatum(idsite);
	values[1] = DateADTGetDatum(day);
	if (plan_execute(&sum_plan, values, NULL, 1, true) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the number of new names");
	s->total = s->unwritten +
		DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	s->read_at = s->total + Max((limit - s->total) / BUDGET_SHARE, 1);
	s->refused = 0;
}

/*
 * new_names_take
 *		May a hit add a new name to the site's dictionary today?  If so, it is
 *		counted in this backend; new_names_write() must follow.  limit: above 0.
 *		Connected to SPI, as the log's owner.
 */
bool
new_names_take(int32 idsite, int32 limit)
{
	SiteDay    *s = &site_days[(uint32) idsite % SITE_DAYS];
	DateADT		day = today();

	if (s->idsite != idsite || s->day != day)
	{
		memset(s, 0, sizeof(SiteDay));
		s->idsite = idsite;
		s->day = day;
	}
	if (s->total >= s->read_at || s->refused >= BUDGET_SHARE)
		read_count(s, idsite, day, limit);
	if (s->total >= limit)
	{
		s->refused++;
		return false;
	}
	s->total++;
	s->unwritten++;
	return true;
}

/*
 * new_names_forget
 *		Names that were counted have been taken back: read all counts again.  May
 *		be called at any time.
 */
void
new_names_forget(void)
{
	memset(site_days, 0, sizeof(site_days));
}

/*
 * new_names_write
 *		Write down that hits of one call have added n new names of the site.
 *		Connected to SPI, as the log's owner.
 */
void
new_names_write(int32 idsite, int32 limit, int n)
{
	SiteDay    *s = &site_days[(uint32) idsite % SITE_DAYS];
	int32		unit = Max(limit / COUNT_ROWS, 1);
	int32		names = n / unit * unit;
	Datum		values[3];
	int			level;

	if (s->idsite == idsite)
		s->unwritten = 0;
	if (pg_prng_double(&pg_global_prng_state) * unit < n % unit)
		names += unit;
	if (names == 0)
		return;
	values[0] = Int32GetDatum(idsite);
	values[1] = DateADTGetDatum(today());
	values[2] = Int32GetDatum(names);
	/* users' code on the table must not run with the caller's search_path */
	level = pin_search_path();
	if (plan_execute(&insert_plan, values, NULL, 0, false) != SPI_OK_INSERT)
		elog(ERROR, "could not write the number of new names");
	AtEOXact_GUC(true, level);
}
