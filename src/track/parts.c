/*
 * parts.c
 *		Parts of the engine alone: normalise_url(), referrer().
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "compat.h"
#include "request/text.h"
#include "track/engine.h"
#include "track/parts.h"
#include "visit/store.h"

PG_FUNCTION_INFO_V1(pkt_normalise_url);
PG_FUNCTION_INFO_V1(pkt_referrer);

#define TEXT_ARG_MAX (1024 * 1024)	/* bytes of a text argument that are read */
#define URLREF_MAX 1500			/* characters, as in the table of hit fields */

static KeptPlan sites_plan = {
	.query = "SELECT s.idsite, u.url FROM pk_tracking.site s, pg_catalog.unnest(s.urls) u(url)",
	.nargs = 0
};

static KeptPlan list_plan = {
	.query = "SELECT l.kind OPERATOR(pg_catalog.=) 'search', l.name, l.host, l.parameters::pg_catalog.text[]"
	" FROM pk_tracking.referrer_list l",
	.nargs = 0
};

static char *
column_text(int row, int column)
{
	char	   *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column);

	return value ? value : pstrdup("");
}

/*
 * parts_site_urls
 *		The URLs of all sites, in the current memory context.
 */
SiteUrl *
parts_site_urls(int *n)
{
	MemoryContext context = CurrentMemoryContext;
	SiteUrl    *sites;
	SPITupleTable *table;

	*n = 0;
	if (store_execute(&sites_plan, NULL, NULL, 0, true) != SPI_OK_SELECT)
		elog(ERROR, "sites could not be read");
	table = SPI_tuptable;
	MemoryContextSwitchTo(context);
	sites = palloc_array(SiteUrl, SPI_processed + 1);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		int32		idsite = DatumGetInt32(SPI_getbinval(table->vals[i], table->tupdesc, 1, &isnull));

		if (site_url_read(column_text((int) i, 2), idsite, &sites[*n]))
			(*n)++;
	}
	SPI_freetuptable(table);
	return sites;
}

/*
 * parts_referrer_list
 *		The user's own search engines and networks, in the current memory
 *		context; NULL if there is no such table.
 */
ReferrerList *
parts_referrer_list(void)
{
	MemoryContext context = CurrentMemoryContext;
	Oid			schema = get_namespace_oid("pk_tracking", false);
	ReferrerList *list;
	SPITupleTable *table;

	if (!OidIsValid(get_relname_relid("referrer_list", schema)))
		return NULL;
	if (store_execute(&list_plan, NULL, NULL, 0, true) != SPI_OK_SELECT)
		elog(ERROR, "referrer list could not be read");
	table = SPI_tuptable;
	MemoryContextSwitchTo(context);
	list = referrer_list_create();
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = table->vals[i];
		bool		isnull;
		bool		search = DatumGetBool(SPI_getbinval(tuple, table->tupdesc, 1, &isnull)) && !isnull;
		Datum		array = SPI_getbinval(tuple, table->tupdesc, 4, &isnull);
		Datum	   *items = NULL;
		bool	   *nulls = NULL;
		int			n = 0;
		int			n_params = 0;
		char	  **params;

		if (!isnull)
			deconstruct_array(DatumGetArrayTypeP(array), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &n);
		params = palloc_array(char *, n + 1);
		for (int j = 0; j < n; j++)
		{
			if (!nulls[j])
				params[n_params++] = TextDatumGetCString(items[j]);
		}
		(void) referrer_list_add(list, search ? KIND_SEARCH_ENGINE : KIND_SOCIAL_NETWORK,
								 column_text((int) i, 2), column_text((int) i, 3), n_params, params);
	}
	referrer_list_finish(list);
	SPI_freetuptable(table);
	return list;
}

/* A text argument, cut to what is sensible; NULL as "". */
static char *
text_arg(FunctionCallInfo fcinfo, int n)
{
	text	   *t;
	size_t		len;

	if (PG_ARGISNULL(n))
		return pstrdup("");
	t = PG_GETARG_TEXT_PP(n);
	len = VARSIZE_ANY_EXHDR(t);
	return text_clean(VARDATA_ANY(t), Min(len, TEXT_ARG_MAX), false);
}

/* The site's settings. */
static const SiteConfig *
config_of(FunctionCallInfo fcinfo)
{
	const SiteConfig *config = PG_ARGISNULL(0) ? NULL : site_config(PG_GETARG_INT32(0));

	if (config == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown site"),
				 errhint("Sites are added with pk_tracking.add_site().")));
	return config;
}

/*
 * pkt_normalise_url
 *		SQL: normalise_url(idsite, url) → text.
 */
Datum
pkt_normalise_url(PG_FUNCTION_ARGS)
{
	EngineScope scope;
	char	   *url = text_arg(fcinfo, 1);
	char	   *result;

	engine_enter(&scope);
	result = url_normalise(url, url_rules_create(&config_of(fcinfo)->s));
	if (result != NULL)
		result = MemoryContextStrdup(scope.caller, result);
	engine_leave(&scope);
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(result));
}

/* Tracking parameters from an object: scalars only. */
static int
read_params(Jsonb *params, ReferrerParam **result)
{
	JsonbIterator *it = JsonbIteratorInit(&params->root);
	JsonbValue	key,
				value;
	int			n = 0;

	if (!JB_ROOT_IS_OBJECT(params))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tracking parameters must be a JSON object")));

	*result = palloc_array(ReferrerParam, JB_ROOT_COUNT(params) + 1);
	(void) JsonbIteratorNext(&it, &key, false);
	while (JsonbIteratorNext(&it, &key, false) == WJB_KEY)
	{
		ReferrerParam *p = &(*result)[n];

		(void) JsonbIteratorNext(&it, &value, true);
		if (value.type == jbvString)
			p->value = text_clean(value.val.string.val, value.val.string.len, false);
		else if (value.type == jbvNumeric)
			p->value = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
		else
			continue;
		p->name = pnstrdup(key.val.string.val, key.val.string.len);
		n++;
	}
	return n;
}

/*
 * pkt_referrer
 *		SQL: referrer(idsite, url, urlref, params, visit) → referrer_info.
 */
Datum
pkt_referrer(PG_FUNCTION_ARGS)
{
	EngineScope scope;
	ReferrerInput in = {0};
	Referrer	visit;
	Referrer	found;
	char	   *urlref = text_arg(fcinfo, 2);
	ReferrerParam *params = NULL;
	Datum		values[4] = {0};
	bool		nulls[4] = {false};
	TupleDesc	desc;
	Datum		result;

	text_cut_chars(urlref, URLREF_MAX);
	in.url = text_arg(fcinfo, 1);
	in.urlref = urlref;
	if (!PG_ARGISNULL(3))
		in.n_params = read_params(PG_GETARG_JSONB_P(3), &params);
	in.params = params;
	if (!PG_ARGISNULL(4))
	{
		visit = referrer_from_datum(PG_GETARG_DATUM(4));
		in.visit = &visit;
	}
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);

	engine_enter(&scope);
	in.s = &config_of(fcinfo)->s;
	in.idsite = PG_GETARG_INT32(0);
	in.rules = url_rules_create(in.s);
	in.sites = parts_site_urls(&in.n_sites);
	in.own = parts_referrer_list();
	referrer_detect(&in, &found);

	MemoryContextSwitchTo(scope.caller);
	values[0] = Int16GetDatum((int16) found.type);
	nulls[1] = found.name == NULL;
	if (found.name != NULL)
		values[1] = CStringGetTextDatum(found.name);
	nulls[2] = found.keyword == NULL;
	if (found.keyword != NULL)
		values[2] = CStringGetTextDatum(found.keyword);
	values[3] = CStringGetTextDatum(found.url);
	result = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	engine_leave(&scope);
	PG_RETURN_DATUM(result);
}
