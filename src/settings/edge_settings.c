/*
 * edge_settings.c
 *		What an HTTP daemon asks of the settings: edge_settings(), consent_window().
 *
 * Its role may execute these two functions and cannot read the settings: some of
 * them, such as excluded_ips, hold addresses.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/spi.h"
#include "settings/site_config.h"
#include "settings/values.h"

PG_FUNCTION_INFO_V1(pkt_edge_settings);
PG_FUNCTION_INFO_V1(pkt_consent_window);

/* What it takes to go back to the caller's rights. */
typedef struct Caller
{
	Oid			user;
	int			sec_context;
} Caller;

/* Become the owner of the settings' tables, with SPI connected. */
static void
become_owner(Caller *caller)
{
	AcceptInvalidationMessages();
	if (!settings_tables_exist())
		raise_missing_log();

	/* an error resets this with the (sub)transaction */
	GetUserIdAndSecContext(&caller->user, &caller->sec_context);
	SetUserIdAndSecContext(settings_owner(), caller->sec_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	spi_connect();
}

static void
become_caller(const Caller *caller)
{
	spi_finish();
	SetUserIdAndSecContext(caller->user, caller->sec_context);
}

static void
put_row(ReturnSetInfo *rsinfo, const char *name, const char *value)
{
	Datum		values[2] = {CStringGetTextDatum(name), CStringGetTextDatum(value)};
	bool		nulls[2] = {false, false};

	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/* Adds a name in the context given, if the list does not have it. */
static List *
add_name(List *names, const char *name, MemoryContext context)
{
	ListCell   *cell;
	MemoryContext old;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
			return names;
	}
	old = MemoryContextSwitchTo(context);
	names = lappend(names, pstrdup(name));
	MemoryContextSwitchTo(old);
	return names;
}

static List *
add_cookies(List *names, const Settings *s, MemoryContext context)
{
	names = add_name(names, s->cookie_name, context);
	names = add_name(names, s->anonymous_cookie_name, context);
	return add_name(names, s->ignore_visits_cookie_name, context);
}

/*
 * What the script on the pages of a site must know, as a JSON object on one line;
 * palloc'd.  The names are those of client/pk.js and client/consent.js.
 */
static char *
page_settings(int32 idsite, const Settings *s)
{
	const SettingDef *mode = &setting_registry[setting_lookup("consent_mode")];
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"idsite\":%d,\"consent\":\"%s\",\"cookies\":%s,\"sessionCookie\":%s,"
					 "\"respectDoNotTrack\":%s,\"renew\":%s",
					 idsite, setting_format(mode, &s->consent_mode),
					 s->force_cookieless_tracking ? "false" : "true",
					 s->anonymous_session_cookie ? "true" : "false",
					 s->respect_do_not_track ? "true" : "false",
					 s->cookie_renewal ? "true" : "false");
	if (s->consent_window[0] != '\0')
	{
		Datum text = CStringGetDatum(s->consent_window);
		Jsonb	   *window = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, text));

		/* on one line, whatever the setting looks like */
		appendStringInfoString(&buf, ",\"window\":");
		(void) JsonbToCString(&buf, &window->root, VARSIZE(window));
	}
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

/*
 * pkt_edge_settings
 *		SQL: edge_settings() → set of (name, value).  Errors: there is no log.
 */
Datum
pkt_edge_settings(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext caller_context = CurrentMemoryContext;
	MemoryContext work;
	List	   *cookies = NIL;
	ListCell   *cell;
	Caller		caller;
	Settings	s;
	Resolution	res;
	int32	   *ids;
	uint64		n;

	InitMaterializedSRF(fcinfo, 0);
	become_owner(&caller);
	work = AllocSetContextCreate(CurrentMemoryContext, "pk_tracking edge_settings",
								 ALLOCSET_DEFAULT_SIZES);
	resolve_settings(&instance_settings()->rows, NULL, &s, &res);
	cookies = add_cookies(cookies, &s, caller_context);
	put_row(rsinfo, "opt_out_cookie", s.ignore_visits_cookie_name);
	for (int i = 0; i < s.proxy_client_headers.n; i++)
		put_row(rsinfo, "proxy_header", s.proxy_client_headers.items[i]);

	ids = all_sites(&n);
	for (uint64 k = 0; k < n; k++)
	{
		char		number[12];
		SiteSettings *site;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		old = MemoryContextSwitchTo(work);
		site = site_settings(ids[k]);
		if (site != NULL)		/* else it has just been deleted */
		{
			cookies = add_cookies(cookies, &site->config.s, caller_context);
			pg_ltoa(ids[k], number);
			put_row(rsinfo, "site", number);
			put_row(rsinfo, "page", page_settings(ids[k], &site->config.s));
		}
		MemoryContextSwitchTo(old);
		MemoryContextReset(work);
	}
	foreach(cell, cookies)
		put_row(rsinfo, "cookie", lfirst(cell));
	become_caller(&caller);
	return (Datum) 0;
}

/*
 * pkt_consent_window
 *		SQL: consent_window(idsite) → json.  Errors: there is no log.
 */
Datum
pkt_consent_window(PG_FUNCTION_ARGS)
{
	MemoryContext caller_context = CurrentMemoryContext;
	char	   *window = NULL;
	Caller		caller;
	SiteSettings *site;

	become_owner(&caller);
	site = site_settings(PG_GETARG_INT32(0));
	if (site != NULL && site->config.s.consent_window[0] != '\0')
		window = MemoryContextStrdup(caller_context, site->config.s.consent_window);
	become_caller(&caller);
	if (window == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(window));
}
