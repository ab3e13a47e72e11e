/*
 * dimensions.c
 *		What a filter of reports can name: one table of dimensions, which the view
 *		filter_dimensions shows.
 *
 * Names are those of Matomo's segments.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "report/dimensions.h"

PG_FUNCTION_INFO_V1(pkt_filter_dimensions);

static const DimensionWord device_types[] = {
	{"desktop", 0}, {"smartphone", 1}, {"tablet", 2}, {"feature phone", 3}, {"console", 4},
	{"tv", 5}, {"car browser", 6}, {"smart display", 7}, {"camera", 8},
	{"portable media player", 9}, {"phablet", 10}, {"smart speaker", 11}, {"wearable", 12},
	{"peripheral", 13}, {NULL, 0}
};

static const DimensionWord referrer_types[] = {
	{"direct", 1}, {"search", 2}, {"website", 3}, {"campaign", 6}, {"social", 7},
	{"ai", 8}, {NULL, 0}
};

static const DimensionWord visitor_types[] = {
	{"new", 0}, {"returning", 1}, {"returningCustomer", 2}, {NULL, 0}
};

/*
 * TEXT_OF(name, scope, expression, description), NUMBER_OF(the same),
 * CHOICE_OF(name, scope, expression, words, description).
 */
#define TEXT_OF(name, scope, expression, description) \
	{name, scope, DIMENSION_TEXT, expression, NULL, description}
#define NUMBER_OF(name, scope, expression, description) \
	{name, scope, DIMENSION_NUMBER, expression, NULL, description}
#define CHOICE_OF(name, scope, expression, words, description) \
	{name, scope, DIMENSION_CHOICE, expression, words, description}

static const Dimension dimensions[] =
{
	TEXT_OF("countryCode", SCOPE_VISIT, "v.location_country",
			"country, two lower-case letters"),
	CHOICE_OF("deviceType", SCOPE_VISIT, "v.config_device_type", device_types,
			  "type of device"),
	CHOICE_OF("referrerType", SCOPE_VISIT, "v.referer_type", referrer_types,
			  "type of referrer"),
	CHOICE_OF("visitorType", SCOPE_VISIT, "v.visitor_returning", visitor_types,
			  "new or returning visitor"),
	NUMBER_OF("actions", SCOPE_VISIT, "v.visit_total_actions",
			  "number of actions of the visit"),
	NUMBER_OF("visitDuration", SCOPE_VISIT, "v.visit_total_time",
			  "length of the visit in seconds")
};

/*
 * dimension_find
 *		The dimension of this name, or NULL.  As in Matomo, names are compared
 *		without regard to case.
 */
const Dimension *
dimension_find(const char *name)
{
	for (int i = 0; i < (int) lengthof(dimensions); i++)
	{
		if (pg_strcasecmp(dimensions[i].name, name) == 0)
			return &dimensions[i];
	}
	return NULL;
}

/*
 * dimension_names
 *		All names, for a hint: palloc'd.
 */
const char *
dimension_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(dimensions); i++)
		appendStringInfo(&names, "%s%s", i == 0 ? "" : ", ", dimensions[i].name);
	return names.data;
}

/*
 * pkt_filter_dimensions
 *		SQL: filter_dimension_table() -> the table of dimensions, in its order.
 */
Datum
pkt_filter_dimensions(PG_FUNCTION_ARGS)
{
	static const char *const scopes[] = {
		[SCOPE_VISIT] = "visit",
		[SCOPE_ACTION] = "action",
		[SCOPE_CONVERSION] = "conversion"
	};
	static const char *const types[] = {
		[DIMENSION_TEXT] = "text",
		[DIMENSION_NUMBER] = "number",
		[DIMENSION_CHOICE] = "choice"
	};
	static const char *const operators[] = {
		[DIMENSION_TEXT] = "== != =@ !@ =^ !^ =$ !$",
		[DIMENSION_NUMBER] = "== != > >= < <=",
		[DIMENSION_CHOICE] = "== !="
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < (int) lengthof(dimensions); i++)
	{
		const Dimension *d = &dimensions[i];
		Datum		values[5];
		bool		nulls[5] = {false};

		values[0] = CStringGetTextDatum(d->name);
		values[1] = CStringGetTextDatum(scopes[d->scope]);
		values[2] = CStringGetTextDatum(types[d->type]);
		values[3] = CStringGetTextDatum(operators[d->type]);
		values[4] = CStringGetTextDatum(d->description);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
