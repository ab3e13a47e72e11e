/*
 * site_rules.c
 *		What is made once of a site's settings, and of the tables that say which
 *		URLs are whose.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/plan.h"
#include "log/log.h"
#include "track/site_rules.h"

/* Something that is read whole from a table. */
typedef struct TableCache
{
	const char *table;			/* in schema pk_tracking */
	Oid			relid;			/* of the table, once known */
	uint64		changes;		/* of it that we have heard of */
	uint64		read_at;		/* changes when it was read */
	MemoryContext context;		/* NULL: nothing has been read */
	void	   *content;		/* in the context */
	int			n;
} TableCache;

static TableCache urls_cache = {.table = "site"};
static TableCache list_cache = {.table = "referrer_list"};
static TableCache spam_cache = {.table = "referrer_spam"};
static TableCache goals_cache = {.table = "goal"};
static TableCache dimensions_cache = {.table = "custom_dimension"};
static TableCache tokens_cache = {.table = "token"};

static KeptPlan urls_plan = {
	.query = "SELECT s.idsite, u.url FROM pk_tracking.site s, pg_catalog.unnest(s.urls) u(url)",
	.nargs = 0
};

static KeptPlan list_plan = {
	.query = "SELECT l.kind OPERATOR(pg_catalog.=) 'search', l.name, l.host, l.parameters"
	" FROM pk_tracking.referrer_list l",
	.nargs = 0
};

static KeptPlan spam_plan = {
	.query = "SELECT r.host FROM pk_tracking.referrer_spam r",
	.nargs = 0
};

static KeptPlan goals_plan = {
	.query = "SELECT g.idsite, g.idgoal, g.match_attribute, g.pattern, g.pattern_type,"
	" g.case_sensitive, g.allow_multiple, g.revenue"
	" FROM pk_tracking.goal g WHERE NOT g.deleted"
	" ORDER BY g.idsite USING OPERATOR(pg_catalog.<), g.idgoal USING OPERATOR(pg_catalog.<)",
	.nargs = 0
};

static KeptPlan tokens_plan = {
	.query = "SELECT t.token_hash, t.idsite, t.expires FROM pk_tracking.token t",
	.nargs = 0
};

static KeptPlan dimensions_plan = {
	.query = "SELECT d.idsite, d.iddimension, d.scope OPERATOR(pg_catalog.=) 'visit',"
	" d.case_sensitive, d.extractions FROM pk_tracking.custom_dimension d"
	" WHERE d.active ORDER BY d.idsite USING OPERATOR(pg_catalog.<),"
	" d.iddimension USING OPERATOR(pg_catalog.<)",
	.nargs = 0
};

/* May run anywhere: nothing but counts. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	TableCache *caches[] = {&urls_cache, &list_cache, &spam_cache, &goals_cache, &tokens_cache, &dimensions_cache};

	for (int i = 0; i < (int) lengthof(caches); i++)
	{
		if (!OidIsValid(relid) || relid == caches[i]->relid)
			caches[i]->changes++;
	}
}

/* Called once when the library loads. */
void
site_rules_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

/* What a site cuts from its URLs, by its settings. */
static UrlRules *
make_url_rules(const Settings *s)
{
	const TextList *const lists[] = {
		&s->excluded_query_parameters, &s->url_query_parameter_to_exclude_from_url,
		&s->campaign_var_name, &s->campaign_keyword_var_name
	};
	UrlRulesInput in = {
		.keep_fragment = s->keep_url_fragment,
		.as_matomo = s->recognition_rules == RULES_MATOMO,
		.max_length = s->page_maximum_length,
		.n_lists = lengthof(lists),
		.lists = lists
	};

	return url_rules_create(&in);
}

/*
 * site_rules
 *		The rules of a site; made when first asked for.
 */
const SiteRules *
site_rules(const SiteConfig *site)
{
	if (*site->rules == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(site->context);
		SiteRules  *rules = palloc0_object(SiteRules);

		rules->url = make_url_rules(&site->s);
		rules->exclude = exclude_rules_create(&site->s);
		rules->proxy = proxy_rules_create(&site->s);
		*site->rules = rules;
		MemoryContextSwitchTo(old);
	}
	return *site->rules;
}

static char *
column_text(HeapTuple tuple, TupleDesc desc, int column)
{
	char	   *value = SPI_getvalue(tuple, desc, column);

	return value ? value : pstrdup("");
}

/* Make the URLs of all sites of the rows that were read. */
static void *
make_urls(SPITupleTable *table, uint64 rows, int *n)
{
	SiteUrl    *urls = palloc_array(SiteUrl, rows + 1);

	*n = 0;
	for (uint64 i = 0; i < rows; i++)
	{
		bool		isnull;
		int32		idsite = DatumGetInt32(SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull));

		if (site_url_read(column_text(table->vals[i], table->tupdesc, 2), idsite, &urls[*n]))
			(*n)++;
	}
	return urls;
}

/* Make a list of search engines and networks of the rows that were read. */
static void *
make_list(SPITupleTable *table, uint64 rows, int *n)
{
	ReferrerList *list = referrer_list_create();
	TupleDesc	desc = table->tupdesc;

	*n = (int) rows;
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple	tuple = table->vals[i];
		bool		isnull;
		bool		search = DatumGetBool(SPI_getbinval(tuple, desc, 1, &isnull));
		Datum		array = SPI_getbinval(tuple, desc, 4, &isnull);
		Datum	   *items = NULL;
		bool	   *nulls = NULL;
		int			n_items = 0;
		int			n_params = 0;
		char	  **params;

		if (!isnull)
			deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT,
							  &items, &nulls, &n_items);
		params = palloc_array(char *, n_items + 1);
		for (int j = 0; j < n_items; j++)
		{
			if (!nulls[j])
				params[n_params++] = TextDatumGetCString(items[j]);
		}
		(void) referrer_list_add(list, search ? KIND_SEARCH_ENGINE : KIND_SOCIAL_NETWORK,
								 column_text(tuple, desc, 2), column_text(tuple, desc, 3), n_params, params);
	}
	referrer_list_finish(list);
	return list;
}

/* Make the list of spam hosts of the rows that were read. */
static void *
make_spam(SPITupleTable *table, uint64 rows, int *n)
{
	SpamList   *list = spam_list_create();

	*n = (int) rows;
	for (uint64 i = 0; i < rows; i++)
		spam_list_add(list, column_text(table->vals[i], table->tupdesc, 1));
	spam_list_finish(list);
	return list;
}

/* Make the goals of all sites of the rows that were read. */
static void *
make_goals(SPITupleTable *table, uint64 rows, int *n)
{
	Goal	   *goals = palloc0_array(Goal, rows + 1);
	TupleDesc	desc = table->tupdesc;

	*n = (int) rows;
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple	tuple = table->vals[i];
		Goal	   *goal = &goals[i];
		bool		isnull;

		goal->idsite = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull));
		goal->idgoal = DatumGetInt32(SPI_getbinval(tuple, desc, 2, &isnull));
		goal->case_sensitive = DatumGetBool(SPI_getbinval(tuple, desc, 6, &isnull));
		goal->allow_multiple = DatumGetBool(SPI_getbinval(tuple, desc, 7, &isnull));
		goal->revenue = DatumGetNumericCopy(SPI_getbinval(tuple, desc, 8, &isnull));
		if (numeric_is_nan(goal->revenue) || numeric_is_inf(goal->revenue))
			goal->revenue = DatumGetNumeric(DirectFunctionCall1(int4_numeric, Int32GetDatum(0)));
		if (!goal_make(goal, column_text(tuple, desc, 3), column_text(tuple, desc, 4),
					   column_text(tuple, desc, 5)))
			ereport(WARNING,
					(errmsg("goal %d of site %d can never be reached: its pattern is not valid",
							goal->idgoal, goal->idsite),
					 errhint("Goals are added with pk_tracking.add_goal(), which checks them.")));
	}
	return goals;
}

/* Make the tokens of the rows that were read. */
static void *
make_tokens(SPITupleTable *table, uint64 rows, int *n)
{
	Token	   *tokens = palloc_array(Token, rows + 1);

	*n = 0;
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple	tuple = table->vals[i];
		Token	   *token = &tokens[*n];
		bool		isnull;
		Datum		column = SPI_getbinval(tuple, table->tupdesc, 1, &isnull);
		bytea	   *hash;

		if (isnull)
			continue;
		hash = DatumGetByteaPP(column);
		if (VARSIZE_ANY_EXHDR(hash) != TOKEN_HASH_LEN)
			continue;
		memcpy(token->hash, VARDATA_ANY(hash), TOKEN_HASH_LEN);
		token->idsite = DatumGetInt32(SPI_getbinval(tuple, table->tupdesc, 2, &isnull));
		if (isnull)
			token->idsite = 0;
		token->expires = DatumGetTimestampTz(SPI_getbinval(tuple, table->tupdesc, 3, &isnull));
		if (isnull)
			token->expires = DT_NOEND;
		(*n)++;
	}
	return tokens;
}

/* Make the custom dimensions of the rows that were read. */
static void *
make_dimensions(SPITupleTable *table, uint64 rows, int *n)
{
	CustomDimensions *all = custom_dimensions_create((int) rows);
	TupleDesc	desc = table->tupdesc;

	*n = (int) rows;
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple	tuple = table->vals[i];
		bool		isnull;
		int32		idsite = DatumGetInt32(SPI_getbinval(tuple, desc, 1, &isnull));
		int32		number = DatumGetInt32(SPI_getbinval(tuple, desc, 2, &isnull));
		bool		of_visit = DatumGetBool(SPI_getbinval(tuple, desc, 3, &isnull));
		bool		case_sensitive = DatumGetBool(SPI_getbinval(tuple, desc, 4, &isnull));
		Datum		extractions = SPI_getbinval(tuple, desc, 5, &isnull);

		custom_dimensions_add(all, idsite, number, of_visit, case_sensitive,
							  isnull ? NULL : DatumGetJsonbP(extractions));
	}
	return all;
}

/*
 * Read a table if it has not been read, or has changed since.  What was made
 * of it before may still be in use: it lives on to the end of the transaction.
 */
static void
refresh(TableCache *cache, KeptPlan *plan,
		void *(*make) (SPITupleTable *table, uint64 rows, int *n))
{
	MemoryContext old_context = CurrentMemoryContext;
	MemoryContext context;
	SPITupleTable *table;
	uint64		rows;
	uint64		changes;

	if (cache->context != NULL && cache->read_at == cache->changes)
		return;

	cache->relid = get_relname_relid(cache->table, get_namespace_oid("pk_tracking", false));

	/* before the read: a change that comes during it outdates it */
	changes = cache->changes;
	if (plan_execute(plan, NULL, NULL, 0, true) != SPI_OK_SELECT)
		elog(ERROR, "table \"%s\" could not be read", cache->table);
	table = SPI_tuptable;
	rows = SPI_processed;

	context = AllocSetContextCreate(CurTransactionContext, "pk_tracking table", ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(context);
	if (cache->context != NULL)
		MemoryContextSetParent(cache->context, TopTransactionContext);
	cache->context = NULL;
	cache->content = make(table, rows, &cache->n);
	MemoryContextSetParent(context, TopMemoryContext);
	cache->context = context;
	cache->read_at = changes;
	MemoryContextSwitchTo(old_context);
	SPI_freetuptable(table);
}

/* See site_rules.h. */
const SiteUrl *
site_urls(int *n)
{
	refresh(&urls_cache, &urls_plan, make_urls);
	*n = urls_cache.n;
	return urls_cache.content;
}

/* See site_rules.h. */
const ReferrerList *
site_referrer_list(void)
{
	refresh(&list_cache, &list_plan, make_list);
	return list_cache.content;
}

/* See site_rules.h. */
const Token *
site_tokens(int *n)
{
	refresh(&tokens_cache, &tokens_plan, make_tokens);
	*n = tokens_cache.n;
	return tokens_cache.content;
}

/* See site_rules.h. */
const SpamList *
site_spam_list(void)
{
	refresh(&spam_cache, &spam_plan, make_spam);
	return spam_cache.content;
}

/* See site_rules.h. */
const Goal *
site_goals(int32 idsite, int *n)
{
	refresh(&goals_cache, &goals_plan, make_goals);
	return goals_of_site(goals_cache.content, goals_cache.n, idsite, n);
}

/* See site_rules.h. */
const CustomDimensions *
site_custom_dimensions(void)
{
	refresh(&dimensions_cache, &dimensions_plan, make_dimensions);
	return dimensions_cache.content;
}
