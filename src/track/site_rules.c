/*
 * site_rules.c
 *		Rules that are made once from a site's settings, and the contents of the
 *		user's tables, read once.
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

/*
 * A table of the user's that is read whole and kept until it changes.  To add
 * one: its SQL with a trigger by watch(), a UserTable with its query and
 * reader here, and an accessor.
 */
typedef struct UserTable
{
	const char *name;			/* in schema pk_tracking */
	KeptPlan	plan;			/* the query that reads it */

	/*
	 * Make the content, in the current memory context, of the rows that were
	 * read.
	 */
	void	   *(*make) (SPITupleTable *rows, uint64 n_rows, int *n);

	/* filled by refresh() */
	bool		listed;			/* in read_tables */
	struct UserTable *next;
	Oid			relid;
	uint64		changes;		/* of the table that we have heard of */
	uint64		read_at;		/* changes when it was read */
	MemoryContext context;		/* of content; NULL: none */
	void	   *content;
	int			n;				/* what make gave */
} UserTable;

/* The tables that have been read in this backend. */
static UserTable *read_tables = NULL;

/* Invalidation: a table has changed.  May be called at any time, so it only counts. */
static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	for (UserTable *t = read_tables; t != NULL; t = t->next)
	{
		if (!OidIsValid(relid) || relid == t->relid)
			t->changes++;
	}
}

/* site_rules_init: called once, when the library loads. */
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

/*
 * Read a table if it has not been read, or has changed since.  The content that
 * was made of it before may still be in use: it lives on to the end of the
 * transaction.
 */
static void
refresh(UserTable *t)
{
	MemoryContext old_context = CurrentMemoryContext;
	MemoryContext context;
	SPITupleTable *rows;
	uint64		n_rows;
	uint64		changes;

	if (t->context != NULL && t->read_at == t->changes)
		return;

	if (!t->listed)
	{
		t->listed = true;
		t->next = read_tables;
		read_tables = t;
	}
	t->relid = get_relname_relid(t->name, get_namespace_oid("pk_tracking", false));

	/* before the read: a change that comes during it outdates it */
	changes = t->changes;
	if (plan_execute(&t->plan, NULL, NULL, 0, true) != SPI_OK_SELECT)
		elog(ERROR, "could not read table \"%s\"", t->name);
	rows = SPI_tuptable;
	n_rows = SPI_processed;

	context = AllocSetContextCreate(CurTransactionContext, "pk_tracking table",
									ALLOCSET_SMALL_SIZES);
	MemoryContextSwitchTo(context);
	if (t->context != NULL)
		MemoryContextSetParent(t->context, TopTransactionContext);
	t->context = NULL;
	t->content = t->make(rows, n_rows, &t->n);
	MemoryContextSetParent(context, TopMemoryContext);
	t->context = context;
	t->read_at = changes;
	MemoryContextSwitchTo(old_context);
	SPI_freetuptable(rows);
}

static char *
column_text(HeapTuple tuple, TupleDesc desc, int column)
{
	char	   *value = SPI_getvalue(tuple, desc, column);

	return value ? value : pstrdup("");
}

/* The URLs of all sites. */
static void *
make_urls(SPITupleTable *rows, uint64 n_rows, int *n)
{
	SiteUrl    *urls = palloc_array(SiteUrl, n_rows + 1);

	*n = 0;
	for (uint64 i = 0; i < n_rows; i++)
	{
		bool		isnull;
		int32		idsite = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));

		if (site_url_read(column_text(rows->vals[i], rows->tupdesc, 2), idsite, &urls[*n]))
			(*n)++;
	}
	return urls;
}

static UserTable urls_table = {
	.name = "site",
	.plan.query = "SELECT s.idsite, u.url"
	" FROM pk_tracking.site s, pg_catalog.unnest(s.urls) u(url)",
	.make = make_urls
};

/* site_urls: see site_rules.h. */
const SiteUrl *
site_urls(int *n)
{
	refresh(&urls_table);
	*n = urls_table.n;
	return urls_table.content;
}

/* What relative URLs of a site begin with. */
typedef struct SiteRoot
{
	int32		idsite;
	const char *root;			/* scheme://host:port */
} SiteRoot;

/* The roots of all sites that have a URL, in ascending order of the sites. */
static void *
make_roots(SPITupleTable *rows, uint64 n_rows, int *n)
{
	SiteRoot   *roots = palloc_array(SiteRoot, n_rows + 1);

	*n = 0;
	for (uint64 i = 0; i < n_rows; i++)
	{
		char	   *url = column_text(rows->vals[i], rows->tupdesc, 2);
		Url			parts;
		bool		isnull;

		/*
		 * as where URLs are compared: the scheme may be missing, and a dot
		 * means sub-domains
		 */
		if (strstr(url, "//") == NULL)
			url = psprintf("//%s", url);
		if (!url_split(url, &parts))
			continue;
		if (parts.host.len > 0 && parts.host.str[0] == '.')
		{
			parts.host.str++;
			parts.host.len--;
		}
		if (parts.host.len == 0)
			continue;
		roots[*n].idsite = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		roots[(*n)++].root =
			psprintf("%.*s://%.*s%s%.*s",
					 parts.scheme.len > 0 ? (int) parts.scheme.len : 4,
					 parts.scheme.len > 0 ? parts.scheme.str : "http",
					 (int) parts.host.len, parts.host.str,
					 parts.port.len > 0 ? ":" : "",
					 (int) parts.port.len, parts.port.len > 0 ? parts.port.str : "");
	}
	return roots;
}

static UserTable roots_table = {
	.name = "site",
	.plan.query = "SELECT s.idsite, s.urls[1] FROM pk_tracking.site s ORDER BY s.idsite",
	.make = make_roots
};

static int
compare_roots(const void *a, const void *b)
{
	int32		x = ((const SiteRoot *) a)->idsite;
	int32		y = ((const SiteRoot *) b)->idsite;

	return x < y ? -1 : x > y;
}

/* site_root: see site_rules.h. */
const char *
site_root(int32 idsite)
{
	SiteRoot	wanted = {.idsite = idsite};
	const SiteRoot *found;

	refresh(&roots_table);
	found = bsearch(&wanted, roots_table.content, roots_table.n, sizeof(SiteRoot), compare_roots);
	return found != NULL ? found->root : NULL;
}

/* The user's search engines, networks and assistants. */
static void *
make_list(SPITupleTable *rows, uint64 n_rows, int *n)
{
	ReferrerList *list = referrer_list_create();
	TupleDesc	desc = rows->tupdesc;

	*n = (int) n_rows;
	for (uint64 i = 0; i < n_rows; i++)
	{
		HeapTuple	tuple = rows->vals[i];
		bool		isnull;
		char	   *word = column_text(tuple, desc, 1);
		ReferrerKind kind = strcmp(word, "search") == 0 ? KIND_SEARCH_ENGINE :
			strcmp(word, "ai") == 0 ? KIND_AI_ASSISTANT : KIND_SOCIAL_NETWORK;
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
		(void) referrer_list_add(list, kind, column_text(tuple, desc, 2),
								 column_text(tuple, desc, 3), n_params, params);
	}
	referrer_list_finish(list);
	return list;
}

static UserTable list_table = {
	.name = "referrer_list",
	.plan.query = "SELECT l.kind, l.name, l.host, l.parameters"
	" FROM pk_tracking.referrer_list l",
	.make = make_list
};

/* site_referrer_list: see site_rules.h. */
const ReferrerList *
site_referrer_list(void)
{
	refresh(&list_table);
	return list_table.content;
}

/* The list of spam hosts: our own and the user's. */
static void *
make_spam(SPITupleTable *rows, uint64 n_rows, int *n)
{
	SpamList   *list = spam_list_create();

	*n = (int) n_rows;
	for (uint64 i = 0; i < n_rows; i++)
		spam_list_add(list, column_text(rows->vals[i], rows->tupdesc, 1));
	spam_list_finish(list);
	return list;
}

static UserTable spam_table = {
	.name = "referrer_spam",
	.plan.query = "SELECT r.host FROM pk_tracking.referrer_spam r",
	.make = make_spam
};

/* site_spam_list: see site_rules.h. */
const SpamList *
site_spam_list(void)
{
	refresh(&spam_table);
	return spam_table.content;
}

/* The user agents of programs: our own and the user's. */
static void *
make_automation(SPITupleTable *rows, uint64 n_rows, int *n)
{
	const char **agents = palloc_array(const char *, n_rows + 1);

	*n = (int) n_rows;
	for (uint64 i = 0; i < n_rows; i++)
		agents[i] = column_text(rows->vals[i], rows->tupdesc, 1);
	return exclude_automation_create(agents, *n);
}

static UserTable automation_table = {
	.name = "automation_agent",
	.plan.query = "SELECT a.agent FROM pk_tracking.automation_agent a",
	.make = make_automation
};

/* site_automation: see site_rules.h. */
PatternSet *
site_automation(void)
{
	refresh(&automation_table);
	return automation_table.content;
}

/* The goals of all sites, by site and number. */
static void *
make_goals(SPITupleTable *rows, uint64 n_rows, int *n)
{
	Goal	   *goals = palloc0_array(Goal, n_rows + 1);
	TupleDesc	desc = rows->tupdesc;

	*n = (int) n_rows;
	for (uint64 i = 0; i < n_rows; i++)
	{
		HeapTuple	tuple = rows->vals[i];
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
					(errmsg("goal %d of site %d can never be reached because its pattern is not valid",
							goal->idgoal, goal->idsite),
					 errhint("Add goals with pk_tracking.add_goal(), which checks their patterns.")));
	}
	return goals;
}

static UserTable goals_table = {
	.name = "goal",
	.plan.query = "SELECT g.idsite, g.idgoal, g.match_attribute, g.pattern, g.pattern_type,"
	" g.case_sensitive, g.allow_multiple, g.revenue"
	" FROM pk_tracking.goal g WHERE NOT g.deleted"
	" ORDER BY g.idsite USING OPERATOR(pg_catalog.<), g.idgoal USING OPERATOR(pg_catalog.<)",
	.make = make_goals
};

/* site_goals: see site_rules.h. */
const Goal *
site_goals(int32 idsite, int *n)
{
	refresh(&goals_table);
	return goals_of_site(goals_table.content, goals_table.n, idsite, n);
}

/* Who is not to be tracked again, in the order of site and hash. */
static void *
make_suppressed(SPITupleTable *rows, uint64 n_rows, int *n)
{
	SuppressedKey *keys = palloc_array(SuppressedKey, n_rows + 1);

	*n = 0;
	for (uint64 i = 0; i < n_rows; i++)
	{
		bool		isnull;
		bytea	   *hash = DatumGetByteaPP(SPI_getbinval(rows->vals[i], rows->tupdesc, 2, &isnull));

		if (VARSIZE_ANY_EXHDR(hash) != SUBJECT_KEY_LEN)
			continue;
		keys[*n].idsite = DatumGetInt32(SPI_getbinval(rows->vals[i], rows->tupdesc, 1, &isnull));
		memcpy(keys[*n].hash, VARDATA_ANY(hash), SUBJECT_KEY_LEN);
		(*n)++;
	}
	return keys;
}

static UserTable suppressed_table = {
	.name = "suppressed",
	.plan.query = "SELECT s.idsite, s.key_hash FROM pk_tracking.suppressed s ORDER BY 1, 2",
	.make = make_suppressed
};

/* site_suppressed: see site_rules.h. */
const SuppressedKey *
site_suppressed(int *n)
{
	refresh(&suppressed_table);
	*n = suppressed_table.n;
	return suppressed_table.content;
}

/* The tokens of all sites. */
static void *
make_tokens(SPITupleTable *rows, uint64 n_rows, int *n)
{
	Token	   *tokens = palloc_array(Token, n_rows + 1);

	*n = 0;
	for (uint64 i = 0; i < n_rows; i++)
	{
		HeapTuple	tuple = rows->vals[i];
		Token	   *token = &tokens[*n];
		bool		isnull;
		Datum		column = SPI_getbinval(tuple, rows->tupdesc, 1, &isnull);
		bytea	   *hash;

		if (isnull)
			continue;
		hash = DatumGetByteaPP(column);
		if (VARSIZE_ANY_EXHDR(hash) != TOKEN_HASH_LEN)
			continue;
		memcpy(token->hash, VARDATA_ANY(hash), TOKEN_HASH_LEN);
		token->idsite = DatumGetInt32(SPI_getbinval(tuple, rows->tupdesc, 2, &isnull));
		if (isnull)
			token->idsite = 0;
		token->expires = DatumGetTimestampTz(SPI_getbinval(tuple, rows->tupdesc, 3, &isnull));
		if (isnull)
			token->expires = DT_NOEND;
		(*n)++;
	}
	return tokens;
}

static UserTable tokens_table = {
	.name = "token",
	.plan.query = "SELECT t.token_hash, t.idsite, t.expires FROM pk_tracking.token t",
	.make = make_tokens
};

/* site_tokens: see site_rules.h. */
const Token *
site_tokens(int *n)
{
	refresh(&tokens_table);
	*n = tokens_table.n;
	return tokens_table.content;
}

/* The custom dimensions of all sites. */
static void *
make_dimensions(SPITupleTable *rows, uint64 n_rows, int *n)
{
	CustomDimensions *all = custom_dimensions_create((int) n_rows);
	TupleDesc	desc = rows->tupdesc;

	*n = (int) n_rows;
	for (uint64 i = 0; i < n_rows; i++)
	{
		HeapTuple	tuple = rows->vals[i];
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

static UserTable dimensions_table = {
	.name = "custom_dimension",
	.plan.query = "SELECT d.idsite, d.iddimension, d.scope OPERATOR(pg_catalog.=) 'visit',"
	" d.case_sensitive, d.extractions FROM pk_tracking.custom_dimension d"
	" WHERE d.active ORDER BY d.idsite USING OPERATOR(pg_catalog.<),"
	" d.iddimension USING OPERATOR(pg_catalog.<)",
	.make = make_dimensions
};

/* site_custom_dimensions: see site_rules.h. */
const CustomDimensions *
site_custom_dimensions(void)
{
	refresh(&dimensions_table);
	return dimensions_table.content;
}
