/*
 * visit_length.c
 *		The longest visit of each site, by which a look-up knows where it may
 *		stop.
 *
 * A look-up reads the visits of a visitor backwards by their first action.  It
 * may stop at one that began longer before the window than any visit of the
 * site has ever lasted.  log_visit_length holds that bound: rows are only
 * inserted, and the largest of a site counts, so that no hit waits for another's
 * transaction.  The bound is raised before a longer visit is written.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/guc.h"

#include "base/plan.h"
#include "log/visit_length.h"

/* Steps of the published upper bound: doubled from an hour, so that few rows come. */
#define LENGTH_STEP SECS_PER_HOUR

/*
 * The bound of each site, as published.  Emptied when the table changes;
 * reading it again under a fresh snapshot is log_longest_is_news().
 */
typedef struct LongestEntry
{
	int32		idsite;
	int64		seconds;
} LongestEntry;

#define LONGEST_SLOTS 1024		/* direct-mapped: memory is bounded */
static LongestEntry longest_cache[LONGEST_SLOTS];

static KeptPlan longest_plan = {
	.query = "SELECT pg_catalog.max(l.seconds) FROM pk_tracking.log_visit_length l"
	" WHERE l.idsite OPERATOR(pg_catalog.=) $1",
	.nargs = 1,.argtypes = {INT4OID}
};

static KeptPlan raise_plan = {
	.query = "INSERT INTO pk_tracking.log_visit_length (idsite, seconds) VALUES ($1, $2)",
	.nargs = 2,.argtypes = {INT4OID, INT8OID}
};

/* visit_length_forget: the table has changed. */
void
visit_length_forget(void)
{
	memset(longest_cache, 0, sizeof(longest_cache));
}

static int64
read_longest(int32 idsite)
{
	Datum		value = Int32GetDatum(idsite);
	bool		isnull = true;
	int64		seconds = 0;

	if (plan_execute(&longest_plan, &value, NULL, 1, true) == SPI_OK_SELECT && SPI_processed == 1)
	{
		Datum		d = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			seconds = DatumGetInt64(d);
	}
	SPI_freetuptable(SPI_tuptable);
	return seconds;
}

static LongestEntry *
longest_slot(int32 idsite)
{
	return &longest_cache[(uint32) idsite % LONGEST_SLOTS];
}

/* visit_length_bound: upper bound of the length of the site's visits, in seconds. */
int64
visit_length_bound(int32 idsite)
{
	LongestEntry *e = longest_slot(idsite);

	if (e->idsite != idsite)
		return visit_length_newest(idsite);
	return e->seconds;
}

/* visit_length_newest: the bound, read anew. */
int64
visit_length_newest(int32 idsite)
{
	/*
	 * reading may process an invalidation, which empties the cache: fill the
	 * slot last
	 */
	int64		now = read_longest(idsite);
	LongestEntry *e = longest_slot(idsite);

	e->seconds = now;
	e->idsite = idsite;
	return now;
}

/* visit_length_step: the bound that is published for a visit of that length. */
int64
visit_length_step(int64 length)
{
	int64		step = LENGTH_STEP;

	while (step < length)
		step *= 2;
	return step;
}

/* visit_length_publish: raise the bound before a visit of that length is written. */
void
visit_length_publish(int32 idsite, int64 length)
{
	Datum		values[2];
	int			level;

	values[0] = Int32GetDatum(idsite);
	values[1] = Int64GetDatum(visit_length_step(length));

	/*
	 * rare enough to be pinned always; the table's trigger empties the cache,
	 * here too
	 */
	level = pin_search_path();
	plan_execute(&raise_plan, values, NULL, 0, false);
	AtEOXact_GUC(true, level);
}

/* visit_length_cover: raise the bound if this visit, which is about to be written, is longer. */
void
visit_length_cover(const Visit *visit)
{
	int64		length = (visit->last - visit->first) / USECS_PER_SEC;

	if (length > visit_length_bound(visit->idsite))
		visit_length_publish(visit->idsite, length);
}
