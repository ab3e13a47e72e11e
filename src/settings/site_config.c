/*
 * site_config.c
 *		Reading the tables of sites and settings, and the cache of site
 *		configurations.
 *
 * Values are stored in the table pk_tracking.setting, which belongs to the
 * log's owner.  Each backend keeps what it has read: the instance's rows once,
 * and per site the effective values.  Statement triggers on the tables send a
 * relcache invalidation, upon which every backend reads again.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/plan.h"
#include "base/spi.h"
#include "settings/site_config.h"
#include "settings/values.h"

#define SCHEMA_NAME "pk_tracking"

typedef struct SiteEntry
{
	int32		idsite;			/* hash key */
	SiteSettings *settings;
} SiteEntry;

/* Parent of all contexts of the cache. */
static MemoryContext cache_context = NULL;
static HTAB *site_hash = NULL;
static InstanceSettings *current_instance = NULL;

/* The site of the last hit: the next hit is most often of the same site. */
static SiteSettings *last_site = NULL;

/* Incremented by every invalidation: what was read under an older one is outdated. */
static uint64 generation = 1;

/* The tables, as last seen. */
static Oid	site_relid = InvalidOid;
static Oid	setting_relid = InvalidOid;

/* Invalid stored values are reported once per backend: by setting, and for two more kinds. */
#define REPORTED_NAME MAX_SETTINGS
#define REPORTED_TIMEZONE (MAX_SETTINGS + 1)
static bool reported[MAX_SETTINGS + 2];


/*
 * ---- Reading the tables ----
 */

/*
 * The queries.  Names are qualified and operators written out: the caller's
 * search_path must not choose them.  The table's unique index is on coalesce().
 */
static KeptPlan site_plan = {
	.query =
	"SELECT s.timezone FROM pk_tracking.site AS s WHERE s.idsite OPERATOR(pg_catalog.=) $1",
	.nargs = 1,.argtypes = {INT4OID}
};

static KeptPlan sites_plan = {
	.query = "SELECT s.idsite FROM pk_tracking.site AS s ORDER BY s.idsite",
	.nargs = 0
};

static KeptPlan setting_plan = {
	.query = "SELECT v.name, v.value FROM pk_tracking.setting AS v"
	" WHERE coalesce(v.idsite, 0) OPERATOR(pg_catalog.=) $1",
	.nargs = 1,.argtypes = {INT4OID}
};

/*
 * Run one of the queries, SPI connected; idsite is its parameter, if it has one.
 * Leaves the rows in SPI_tuptable.
 *
 * Always under a fresh snapshot: an invalidation is received only once, so
 * what is read after it must include the change that it announced, in a
 * REPEATABLE READ transaction too.
 */
static void
settings_query(KeptPlan *plan, int32 idsite)
{
	Datum		value = Int32GetDatum(idsite);

	plan_read(plan, &value, 0);
}

/* Also notes the tables' OIDs, which the invalidation callback compares with. */
bool
settings_tables_exist(void)
{
	Oid			schema = get_namespace_oid(SCHEMA_NAME, true);
	Oid			site = InvalidOid;
	Oid			setting = InvalidOid;

	if (OidIsValid(schema))
	{
		site = get_relname_relid("site", schema);
		setting = get_relname_relid("setting", schema);
	}
	if (site != site_relid || setting != setting_relid)
	{
		/* another log than the cached one */
		site_relid = site;
		setting_relid = setting;
		generation++;
	}
	return OidIsValid(site) && OidIsValid(setting);
}

Oid
settings_owner(void)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(site_relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", site_relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

void
load_setting_rows(int32 idsite, MemoryContext context, SettingRows *rows)
{
	uint64		n;
	uint64		k;
	SPITupleTable *table;

	memset(rows, 0, sizeof(*rows));
	settings_query(&setting_plan, idsite);
	n = SPI_processed;
	table = SPI_tuptable;
	for (k = 0; k < n; k++)
	{
		char	   *name = SPI_getvalue(table->vals[k], table->tupdesc, 1);
		char	   *text = SPI_getvalue(table->vals[k], table->tupdesc, 2);
		int			i = name ? setting_find(name) : -1;
		const char *detail;

		if (i >= 0 && text &&!(setting_registry[i].instance_only && idsite != 0))
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			rows->given[i] = setting_parse(&setting_registry[i], text,
										   (char *) rows + setting_registry[i].offset, &detail);
			MemoryContextSwitchTo(old);
			if (rows->given[i])
				continue;
		}
		if (!reported[i >= 0 ? i : REPORTED_NAME])
		{
			reported[i >= 0 ? i : REPORTED_NAME] = true;
			ereport(WARNING,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("ignoring invalid stored value of setting \"%s\"", name ? name : ""),
					 errhint("Set it again with pk_tracking.set_instance() or "
							 "pk_tracking.set_site(), or reset it.")));
		}
	}
	SPI_freetuptable(table);
}

int32 *
all_sites(uint64 *n)
{
	int32	   *ids;

	settings_query(&sites_plan, 0);
	*n = SPI_processed;
	ids = palloc(mul_size(sizeof(int32), *n + 1));
	for (uint64 k = 0; k < *n; k++)
	{
		bool		isnull;

		ids[k] = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[k], SPI_tuptable->tupdesc, 1,
											 &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return ids;
}


/*
 * ---- The cache ----
 */

/* The relcache callback: one of the tables was changed or redefined. */
static void
invalidate(Datum arg pg_attribute_unused(), Oid relid)
{
	/* may run anywhere, at abort too: only the counter may be touched here */
	if (!OidIsValid(relid) || relid == site_relid || relid == setting_relid)
		generation++;
}

/* Free an instance's rows that are neither current nor pointed to. */
static void
drop_instance_if_unused(InstanceSettings *instance)
{
	if (instance->users == 0 && instance != current_instance)
		MemoryContextDelete(instance->context);
}

/* Reset callback of a SiteSettings' memory context. */
static void
release_instance(void *arg)
{
	InstanceSettings *instance = arg;

	instance->users--;
	drop_instance_if_unused(instance);
}

InstanceSettings *
instance_settings(void)
{
	MemoryContext context;
	InstanceSettings *instance;
	InstanceSettings *old = current_instance;

	if (old && old->generation == generation)
		return old;

	/* if an error follows, the transaction frees it */
	context = AllocSetContextCreate(CurTransactionContext, "pk_tracking instance settings",
									ALLOCSET_SMALL_SIZES);
	instance = MemoryContextAllocZero(context, sizeof(InstanceSettings));
	instance->context = context;
	/* taken before the read: an invalidation during it outdates the result */
	instance->generation = generation;
	load_setting_rows(0, context, &instance->rows);

	MemoryContextSetParent(context, cache_context);
	current_instance = instance;
	if (old)
		drop_instance_if_unused(old);
	return instance;
}

/*
 * Read a site, SPI connected; NULL if there is none with this number.  The
 * result belongs to the transaction until the caller changes its parent
 * context.
 */
static SiteSettings *
load_site(int32 idsite)
{
	MemoryContext context;
	MemoryContext old_context;
	SiteSettings *site;
	SettingRows rows;
	char	   *zone;
	uint64		started;

	if (!settings_tables_exist())
		raise_missing_log();
	started = generation;
	settings_query(&site_plan, idsite);
	if (SPI_processed == 0)
		return NULL;
	zone = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

	context = AllocSetContextCreate(CurTransactionContext, "pk_tracking site settings",
									ALLOCSET_SMALL_SIZES);
	site = MemoryContextAllocZero(context, sizeof(SiteSettings));
	site->context = context;
	site->generation = started;
	site->instance = instance_settings();
	site->instance->users++;
	site->release.func = release_instance;
	site->release.arg = site->instance;
	MemoryContextRegisterResetCallback(context, &site->release);

	load_setting_rows(idsite, context, &rows);
	old_context = MemoryContextSwitchTo(context);
	resolve_settings(&site->instance->rows, &rows, &site->config.s, &site->resolution);
	MemoryContextSwitchTo(old_context);

	site->config.idsite = idsite;
	site->config.context = context;
	site->config.rules = &site->rules;
	site->config.tz = zone ? pg_tzset(zone) : NULL;
	if (site->config.tz == NULL)
	{
		/*
		 * site_check() accepted it, so the server's time zone data has
		 * changed
		 */
		if (!reported[REPORTED_TIMEZONE])
			ereport(WARNING,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("site has an unrecognized time zone, using UTC"),
					 errdetail("The number of the site is %d.", idsite)));
		reported[REPORTED_TIMEZONE] = true;
		site->config.tz = pg_tzset("GMT");
	}
	return site;
}

/* A site's values leave the cache; callers may use them until the transaction ends. */
static void
retire(SiteSettings *site)
{
	if (last_site == site)
		last_site = NULL;
	MemoryContextSetParent(site->context, TopTransactionContext);
}

/*
 * The slow path of site_settings(): read the site and put it into the cache,
 * or remove it if the site was deleted.
 */
static SiteSettings *
refresh_site(int32 idsite)
{
	SiteSettings *site;
	SiteEntry  *entry;
	bool		found;

	if (site_hash == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(int32);
		ctl.entrysize = sizeof(SiteEntry);
		ctl.hcxt = cache_context;
		site_hash = hash_create("pk_tracking sites", 16, &ctl,
								HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	spi_connect();
	site = load_site(idsite);
	spi_finish();

	if (site == NULL)
	{
		entry = hash_search(site_hash, &idsite, HASH_FIND, NULL);
		if (entry)
		{
			retire(entry->settings);
			hash_search(site_hash, &idsite, HASH_REMOVE, NULL);
		}
		return NULL;
	}

	entry = hash_search(site_hash, &idsite, HASH_ENTER, &found);
	if (found)
		retire(entry->settings);
	entry->settings = site;
	MemoryContextSetParent(site->context, cache_context);
	last_site = site;
	return site;
}

SiteSettings *
site_settings(int32 idsite)
{
	SiteEntry  *entry;

	/* changes that others committed count at once, in a long transaction too */
	AcceptInvalidationMessages();

	if (last_site && last_site->config.idsite == idsite && last_site->generation == generation)
		return last_site;
	if (site_hash)
	{
		entry = hash_search(site_hash, &idsite, HASH_FIND, NULL);
		if (entry && entry->settings->generation == generation)
		{
			last_site = entry->settings;
			return last_site;
		}
	}
	return refresh_site(idsite);
}

const SiteConfig *
site_config(int32 idsite)
{
	SiteSettings *site = site_settings(idsite);

	return site ? &site->config : NULL;
}

void
settings_init(void)
{
	effective_init();
	cache_context = AllocSetContextCreate(TopMemoryContext, "pk_tracking settings",
										  ALLOCSET_SMALL_SIZES);
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
}
