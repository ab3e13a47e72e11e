/*
 * functions.c
 *		Triggers and SQL functions of sites and settings.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/spi.h"
#include "settings/site_config.h"
#include "settings/values.h"

PG_FUNCTION_INFO_V1(pkt_setting_check);
PG_FUNCTION_INFO_V1(pkt_site_check);
PG_FUNCTION_INFO_V1(pkt_config_changed);
PG_FUNCTION_INFO_V1(pkt_setting_values);
PG_FUNCTION_INFO_V1(pkt_setting_name);
PG_FUNCTION_INFO_V1(pkt_setting_value);
PG_FUNCTION_INFO_V1(pkt_setting_is_stricter);
PG_FUNCTION_INFO_V1(pkt_need_log);

/* By ValueSource, as the view pk_tracking.settings shows them. */
static const char *const source_names[] = {"default", "rules", "instance", "site"};


/*
 * ---- Triggers ----
 */

/* Attribute number of a column of a trigger's table; error if it has none of this name and type. */
static int
trigger_column(TriggerData *trigdata, const char *name, Oid type)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			attno = SPI_fnumber(desc, name);

	if (attno <= 0 || TupleDescAttr(desc, attno - 1)->atttypid != type)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("table \"%s\" has no column \"%s\" of type %s",
						RelationGetRelationName(trigdata->tg_relation), name,
						format_type_be(type))));
	return attno;
}

/*
 * The row that a BEFORE INSERT OR UPDATE trigger is about to store; error if
 * the function was called in any other way.
 */
static HeapTuple
trigger_row(FunctionCallInfo fcinfo, const char *function)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!(TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) ||
		  TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired BEFORE INSERT OR UPDATE FOR EACH ROW",
						function)));
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ?
		trigdata->tg_newtuple : trigdata->tg_trigtuple;
}

/*
 * Whoever holds the salt can compute the IP address from a fingerprint over the
 * full address whose salt never changes.  Warn the user who has just chosen that.
 * Takes the values that the change leads to, and the changed setting.
 */
static void
warn_if_full_ip(const Settings *s, int i)
{
	size_t		offset = setting_registry[i].offset;

	if (s->fingerprint_ip != IP_FULL || settings_rotate_daily(s))
		return;
	if (i == fingerprint_ip_index || i == alias_index || i == rules_index ||
		offset == offsetof(Settings, fingerprint_salt_rotation) ||
		offset == offsetof(Settings, create_new_visit_after_midnight) ||
		offset == offsetof(Settings, enable_fingerprinting_across_websites))
		ereport(WARNING,
				(errmsg("fingerprints are computed from the full IP address, "
						"and their salt does not change daily"),
				 errhint("Set fingerprint_ip to masked, or fingerprint_salt_rotation to daily with "
						 "create_new_visit_after_midnight on and "
						 "enable_fingerprinting_across_websites off.")));
}

/* Error if setting i of a site is weaker than the instance's, as resolve_settings() found. */
static void
refuse_weaker_value(const SettingRows *instance, const Settings *result, const Resolution *res,
					int i)
{
	for (int j = 0; j < setting_count; j++)
		if (res->refused[j] == i + 1)
		{
			int			by;

			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("setting \"%s\" of a site cannot be weaker than that of the instance",
							setting_registry[j].name),
					 errdetail("The value of the instance is \"%s\".",
							   setting_format(&setting_registry[j],
											  level_value(instance, j, result->recognition_rules,
														  &by))),
					 errhint("Choose a value at least as strict, or change the instance's with "
							 "pk_tracking.set_instance() or pk_tracking.reset_instance().")));
		}
}

/*
 * setting_check() RETURNS trigger: BEFORE INSERT OR UPDATE FOR EACH ROW on
 * pk_tracking.setting.  Stores the canonical name and value.  Errors: unknown
 * names, invalid values, settings that no site can override, and a site's
 * values that protect the visitor less than the instance's explicit ones.
 */
Datum
pkt_setting_check(PG_FUNCTION_ARGS)
{
	HeapTuple	row = trigger_row(fcinfo, "setting_check");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			columns[2];
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			idsite_column = trigger_column(trigdata, "idsite", INT4OID);
	Datum		idsite_datum;
	bool		is_instance;
	int32		idsite;
	const SettingDef *def;
	SettingRows instance;
	SettingRows site;
	SettingRows *changed;
	Settings	result;
	Resolution	res;
	const char *detail;
	int			i;
	bool		isnull;
	char	   *str;

	columns[0] = trigger_column(trigdata, "name", TEXTOID);
	columns[1] = trigger_column(trigdata, "value", TEXTOID);
	for (int j = 0; j < 2; j++)
	{
		values[j] = SPI_getbinval(row, desc, columns[j], &isnull);
		if (isnull)
			return PointerGetDatum(row);	/* the NOT NULL constraint reports
											 * it */
	}
	idsite_datum = SPI_getbinval(row, desc, idsite_column, &is_instance);
	idsite = is_instance ? 0 : DatumGetInt32(idsite_datum);

	i = setting_lookup(TextDatumGetCString(values[0]));
	def = &setting_registry[i];
	if (!is_instance && def->instance_only)
		ereport(ERROR,
				(errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM),
				 errmsg("setting \"%s\" cannot be set for a site", def->name),
				 errhint("Set it for the instance with pk_tracking.set_instance().")));

	spi_connect();
	load_setting_rows(0, CurrentMemoryContext, &instance);
	if (is_instance)
		memset(&site, 0, sizeof(site));
	else
		load_setting_rows(idsite, CurrentMemoryContext, &site);
	changed = is_instance ? &instance : &site;

	str = TextDatumGetCString(values[1]);
	if (!setting_parse(def, str, (char *) changed + def->offset, &detail))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 strlen(str) <= 200 ?
				 errmsg("invalid value for setting \"%s\": \"%s\"", def->name, str) :
				 errmsg("invalid value for setting \"%s\"", def->name),
				 detail ? errdetail("%s", detail) : errhint("%s", setting_valid_values(def))));
	changed->given[i] = true;

	resolve_settings(&instance, is_instance ? NULL : &site, &result, &res);
	refuse_weaker_value(&instance, &result, &res, i);
	warn_if_full_ip(&result, i);

	str = setting_format(def, (char *) changed + def->offset);
	/* these must outlive SPI_finish() */
	values[0] = SPI_datumTransfer(CStringGetTextDatum(def->name), false, -1);
	values[1] = SPI_datumTransfer(CStringGetTextDatum(str), false, -1);
	spi_finish();

	row = heap_modify_tuple_by_cols(row, desc, 2, columns, values, nulls);
	return PointerGetDatum(row);
}

/*
 * site_check() RETURNS trigger: BEFORE INSERT OR UPDATE FOR EACH ROW on
 * pk_tracking.site.  The site's number must be positive (0 means the instance
 * in the index of settings), its name not empty, its time zone known to the
 * server; the zone's own spelling is stored.
 */
Datum
pkt_site_check(PG_FUNCTION_ARGS)
{
	HeapTuple	row = trigger_row(fcinfo, "site_check");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			idsite_column = trigger_column(trigdata, "idsite", INT4OID);
	int			name_column = trigger_column(trigdata, "name", TEXTOID);
	int			timezone_column = trigger_column(trigdata, "timezone", TEXTOID);
	Datum		value;
	bool		isnull;

	value = SPI_getbinval(row, desc, idsite_column, &isnull);
	if (!isnull && DatumGetInt32(value) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("site number must be greater than zero")));

	value = SPI_getbinval(row, desc, name_column, &isnull);
	if (!isnull && *trim_blanks(TextDatumGetCString(value)) == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("site name must not be empty")));

	value = SPI_getbinval(row, desc, timezone_column, &isnull);
	if (!isnull)
	{
		char	   *name = TextDatumGetCString(value);
		pg_tz	   *tz = pg_tzset(name);
		const char *canonical;

		if (tz == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" not recognized", name),
					 errhint("The view pg_timezone_names lists time zones.")));
		if (!pg_tz_acceptable(tz))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" appears to use leap seconds", name),
					 errdetail("PostgreSQL does not support leap seconds.")));
		canonical = pg_get_timezone_name(tz);
		if (canonical && strcmp(canonical, name) != 0)
		{
			isnull = false;
			value = CStringGetTextDatum(canonical);
			row = heap_modify_tuple_by_cols(row, desc, 1, &timezone_column, &value, &isnull);
		}
	}
	return PointerGetDatum(row);
}

/*
 * config_changed() RETURNS trigger: AFTER … FOR EACH STATEMENT on the tables
 * that backends cache.  Every backend, this one included, learns at the end of
 * the command or of the transaction that the table has changed.
 */
Datum
pkt_config_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"config_changed\" must be fired AFTER a change")));
	CacheInvalidateRelcacheByRelid(RelationGetRelid(trigdata->tg_relation));
	return PointerGetDatum(NULL);
}


/*
 * ---- Functions for SQL ----
 */

/* Add the rows of the instance (idsite 0) or of a site to the result. */
static void
put_values(ReturnSetInfo *rsinfo, int32 idsite, const Settings *s, const Resolution *res)
{
	int			i;

	for (i = 0; i < setting_count; i++)
	{
		const SettingDef *def = &setting_registry[i];
		Datum		values[5] = {0};
		bool		nulls[5] = {false};
		const void *value;

		if (idsite == 0)
			nulls[0] = true;
		else
			values[0] = Int32GetDatum(idsite);
		values[1] = CStringGetTextDatum(def->name);
		value = (i == alias_index) ? (const void *) &res->alias : (const char *) s + def->offset;
		if (i == alias_index && res->source[i] == SOURCE_DEFAULT)
			nulls[2] = true;
		else
			values[2] = CStringGetTextDatum(setting_format(def, value));
		values[3] = CStringGetTextDatum(source_names[res->source[i]]);
		values[4] = CStringGetTextDatum(def->description);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/*
 * setting_values() RETURNS TABLE: every setting's effective value, for the
 * instance (idsite NULL) and for each site, from the cache that tracking uses.
 * Reads the tables as their owner: a role that may execute the function may see
 * all settings.  Without a log, only the defaults.
 */
Datum
pkt_setting_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext old;
	Settings	s;
	Resolution	res;
	Oid			user;
	int			sec_context;
	int32	   *ids;
	uint64		n;

	InitMaterializedSRF(fcinfo, 0);
	AcceptInvalidationMessages();

	if (!settings_tables_exist())
	{
		static const SettingRows nothing;

		resolve_settings(&nothing, NULL, &s, &res);
		put_values(rsinfo, 0, &s, &res);
		return (Datum) 0;
	}

	/* an error resets this with the (sub)transaction */
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(settings_owner(),
						   sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);

	work = AllocSetContextCreate(CurrentMemoryContext, "pk_tracking setting_values",
								 ALLOCSET_DEFAULT_SIZES);

	spi_connect();
	old = MemoryContextSwitchTo(work);
	resolve_settings(&instance_settings()->rows, NULL, &s, &res);
	put_values(rsinfo, 0, &s, &res);
	MemoryContextSwitchTo(old);

	ids = all_sites(&n);
	for (uint64 k = 0; k < n; k++)
	{
		SiteSettings *site;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(work);
		old = MemoryContextSwitchTo(work);
		site = site_settings(ids[k]);
		if (site != NULL)		/* else it has just been deleted */
			put_values(rsinfo, ids[k], &site->config.s, &site->resolution);
		MemoryContextSwitchTo(old);
	}
	spi_finish();
	MemoryContextDelete(work);
	SetUserIdAndSecContext(user, sec_context);
	return (Datum) 0;
}

/* setting_name(text): the canonical name of a setting. */
Datum
pkt_setting_name(PG_FUNCTION_ARGS)
{
	int			i;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("setting name must not be null")));
	i = setting_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	PG_RETURN_TEXT_P(cstring_to_text(setting_registry[i].name));
}

/*
 * setting_value(idsite, setting): a setting's effective value, of the instance if
 * idsite is NULL; NULL for an unknown site.  Reads the tables with the caller's
 * rights.
 */
Datum
pkt_setting_value(PG_FUNCTION_ARGS)
{
	const Settings *s = NULL;
	Settings	of_instance;
	const SettingDef *def;
	char	   *value;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	def = &setting_registry[setting_lookup(text_to_cstring(PG_GETARG_TEXT_PP(1)))];
	if (!settings_tables_exist())
		raise_missing_log();
	if (PG_ARGISNULL(0))
	{
		Resolution	res;

		AcceptInvalidationMessages();
		spi_connect();
		resolve_settings(&instance_settings()->rows, NULL, &of_instance, &res);
		spi_finish();
		s = &of_instance;
	}
	else
	{
		const SiteConfig *site = site_config(PG_GETARG_INT32(0));

		if (site == NULL)
			PG_RETURN_NULL();
		s = &site->s;
	}
	value = setting_format(def, (const char *) s + def->offset);
	PG_RETURN_TEXT_P(cstring_to_text(value));
}

/*
 * setting_is_stricter(setting, value, than): does the value protect visitors more
 * than the other?  False if either is no value of the setting, or it has nothing to
 * do with privacy.
 */
Datum
pkt_setting_is_stricter(PG_FUNCTION_ARGS)
{
	const SettingDef *def;
	SettingRows rows[2];
	const char *detail;

	def = &setting_registry[setting_lookup(text_to_cstring(PG_GETARG_TEXT_PP(0)))];
	for (int i = 0; i < 2; i++)
	{
		if (!setting_parse(def, text_to_cstring(PG_GETARG_TEXT_PP(i + 1)),
						   (char *) &rows[i] + def->offset, &detail))
			PG_RETURN_BOOL(false);
	}
	PG_RETURN_BOOL(setting_strength(def, (char *) &rows[0] + def->offset) >
				   setting_strength(def, (char *) &rows[1] + def->offset));
}

/* need_log(): error if the tracking log does not exist. */
Datum
pkt_need_log(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	if (!settings_tables_exist())
		raise_missing_log();
	PG_RETURN_VOID();
}
