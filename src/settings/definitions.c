/*
 * definitions.c
 *		The registry of settings as rows: what a form needs that changes settings.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "settings/registry.h"
#include "settings/values.h"

PG_FUNCTION_INFO_V1(pkt_setting_definitions);

/* The canonical text of a default; NULL: the setting has none. */
static char *
default_text(const SettingDef *def, const char *given)
{
	const char *detail;
	void	   *value;

	if (given == NULL)
		return NULL;
	value = palloc0(setting_value_size(def));
	if (!setting_parse(def, given, value, &detail))
		elog(ERROR, "invalid default of setting \"%s\"", def->name);
	return setting_format(def, value);
}

/* The choices of an enum as text[], in their order, without second names. */
static Datum
choice_names(const SettingDef *def)
{
	Datum		names[32];
	int			n = 0;

	for (const SettingChoice *c = def->choices; c->name != NULL; c++)
	{
		bool		is_second = false;

		for (const SettingChoice *d = def->choices; d < c; d++)
			is_second |= d->value == c->value;
		Assert(n < (int) lengthof(names));
		if (!is_second)
			names[n++] = CStringGetTextDatum(c->name);
	}
	return PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/* SQL: setting_definition_table() → a row for each setting, in the registry's order. */
Datum
pkt_setting_definitions(PG_FUNCTION_ARGS)
{
	static const char *const types[] = {
		[TYPE_BOOL] = "boolean",
		[TYPE_INT] = "integer",
		[TYPE_ENUM] = "choice",
		[TYPE_STRING] = "text",
		[TYPE_LIST] = "list"
	};
	static const char *const orders[] = {
		[ORDER_NONE] = NULL,
		[ORDER_ON_IS_STRONG] = "on",
		[ORDER_OFF_IS_STRONG] = "off",
		[ORDER_GREATER_IS_STRONG] = "greater",
		[ORDER_SMALLER_IS_STRONG] = "smaller",
		[ORDER_AS_LISTED] = "later"
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < setting_count; i++)
	{
		const SettingDef *def = &setting_registry[i];
		char	   *value = default_text(def, def->value);
		char	   *matomo = default_text(def, def->matomo_value);
		Datum		values[11] = {0};
		bool		nulls[11] = {false};

		values[0] = Int32GetDatum(i + 1);
		values[1] = CStringGetTextDatum(def->name);
		values[2] = CStringGetTextDatum(types[def->type]);
		if ((nulls[3] = value == NULL) == false)
			values[3] = CStringGetTextDatum(value);
		if ((nulls[4] = matomo == NULL) == false)
			values[4] = CStringGetTextDatum(matomo);
		if ((nulls[5] = def->choices == NULL) == false)
			values[5] = choice_names(def);
		nulls[6] = nulls[7] = def->type != TYPE_INT;
		values[6] = Int32GetDatum(def->min);
		values[7] = Int32GetDatum(def->max);
		values[8] = BoolGetDatum(def->instance_only);
		if ((nulls[9] = orders[def->order] == NULL) == false)
			values[9] = CStringGetTextDatum(orders[def->order]);
		values[10] = CStringGetTextDatum(def->description);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
