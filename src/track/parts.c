/*
 * parts.c
 *		Steps of the engine by themselves: normalise_url(), referrer().
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/args.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/text.h"
#include "track/engine.h"
#include "track/site_rules.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_normalise_url);
PG_FUNCTION_INFO_V1(pkt_referrer);

#define URLREF_MAX 1500			/* characters, as in the table of hit fields */

/* The configuration of the site that is argument 0. */
static const SiteConfig *
config_of(FunctionCallInfo fcinfo)
{
	int32		idsite = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);
	const SiteConfig *config = idsite > 0 ? site_config(idsite) : NULL;

	if (config == NULL)
		raise_missing_site(ERRCODE_INVALID_PARAMETER_VALUE, idsite);
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
	char	   *url = arg_client_text(fcinfo, 1);
	char	   *result;

	engine_enter(&scope);
	result = url_normalise(url, site_rules(config_of(fcinfo))->url);
	if (result != NULL)
		result = MemoryContextStrdup(scope.caller, result);
	engine_leave(&scope);
	if (result == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(result));
}

/* Read the texts and numbers of a JSON object as tracking parameters; gives their number. */
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
			p->value = DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(value.val.numeric)));
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
	const SiteConfig *site;
	Referrer	visit;
	Referrer	found;
	char	   *urlref = arg_client_text(fcinfo, 2);
	ReferrerParam *params = NULL;
	Datum		values[4] = {0};
	bool		nulls[4] = {false};
	TupleDesc	desc;
	Datum		result;

	text_cut_chars(urlref, URLREF_MAX);
	in.url = arg_client_text(fcinfo, 1);
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
	site = config_of(fcinfo);
	in.s = &site->s;
	in.idsite = site->idsite;
	in.rules = site_rules(site)->url;
	in.sites = site_urls(&in.n_sites);
	in.own = site_referrer_list();
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
