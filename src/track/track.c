/*
 * track.c
 *		One hit by function call: track(), track_request(), and functions that
 *		show how they work: match_visitor(), fingerprint().
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/args.h"
#include "base/compat.h"
#include "base/errors.h"
#include "base/wipe.h"
#include "request/tracking_api.h"
#include "track/engine.h"
#include "track/fingerprints.h"
#include "track/rights.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_track);
PG_FUNCTION_INFO_V1(pkt_track_request);
PG_FUNCTION_INFO_V1(pkt_match_visitor);
PG_FUNCTION_INFO_V1(pkt_fingerprint);

static const char *const outcome_words[] = {"recorded", "ignored", "excluded", "invalid"};
static const char *const cookie_words[] = {"visitor", "session"};

/*
 * time_arg
 *		Set the hit's time to argument n, or, if that is NULL, to the start of the
 *		statement.  False if it is out of range.
 */
bool
time_arg(FunctionCallInfo fcinfo, int n, Hit *hit)
{
	TimestampTz now = GetCurrentStatementStartTimestamp();

	return hit_set_time(hit, PG_ARGISNULL(n) ? now : PG_GETARG_TIMESTAMPTZ(n), now);
}

/* Raise an error for a hit that is invalid.  Names the parameter and shows no value. */
static void
raise_invalid(const Hit *hit, const char *parameter)
{
	if (strcmp(parameter, "idsite") == 0)
		raise_missing_site(ERRCODE_INVALID_PARAMETER_VALUE, hit->idsite);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for tracking parameter \"%s\"", parameter)));
}

/* The row type of the result, looked up once for each call in a statement. */
static TupleDesc
result_desc(FunctionCallInfo fcinfo)
{
	TupleDesc	desc = (TupleDesc) fcinfo->flinfo->fn_extra;

	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		desc = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
		fcinfo->flinfo->fn_extra = desc;
	}
	return desc;
}

static Datum
word(const char *str)
{
	return PointerGetDatum(cstring_to_text(str));
}

/* The columns about the visit and its visitor. */
static void
visit_values(const Tracked *r, Datum *values, bool *nulls)
{
	memset(nulls + 2, false, 8 * sizeof(bool));
	values[2] = Int64GetDatum(r->idvisit);
	nulls[3] = !r->has_idvisitor;
	values[3] = HexIdGetDatum(r->idvisitor);
	nulls[4] = !r->has_config_id;
	values[4] = HexIdGetDatum(r->config_id);
	values[5] = word(matched_by_word(r->matched_by));
	values[6] = BoolGetDatum(r->new_visit);
	values[7] = word(reason_word(r->reason));
	values[8] = Int16GetDatum(r->returning);
	nulls[9] = !r->has_idlink_va;
	values[9] = Int64GetDatum(r->idlink_va);
}

/*
 * tracked_values
 *		The values of a row of type pk_tracking.tracked, TRACKED_COLUMNS of them.
 *		full: all that is known.  A short answer is the same whether or not the
 *		visitor has a visit, because whoever asks may roll back the hit
 *		(doc/internals.md, "The tracked row and cookies").
 */
void
tracked_values(const Tracked *r, bool full, Datum *values, bool *nulls)
{
	bool		as_recorded = r->by_log && !full;
	Outcome		outcome = tracked_outcome(r, full);
	const char *reason = as_recorded ? r->bad_parameter : r->outcome_reason;

	memset(nulls, true, TRACKED_COLUMNS * sizeof(bool));
	memset(values, 0, TRACKED_COLUMNS * sizeof(Datum));

	nulls[0] = false;
	values[0] = word(outcome_words[outcome]);
	nulls[1] = reason == NULL;
	if (reason)
		values[1] = word(reason);
	if (full && r->outcome == OUTCOME_RECORDED)
		visit_values(r, values, nulls);
	if (r->cookie.given && (!r->by_log || as_recorded))
	{
		char		hex[HEXID_TEXT_LEN + 1];

		nulls[10] = nulls[11] = nulls[12] = nulls[13] = false;
		hexid_format(r->cookie.value, hex);
		values[10] = word(r->cookie.name);
		values[11] = word(hex);
		values[12] = Int32GetDatum(r->cookie.max_age);
		values[13] = word(cookie_words[r->cookie.kind]);
	}
	nulls[14] = r->delete_cookies[0] == NULL;
	if (r->delete_cookies[0] != NULL)
	{
		Datum		names[lengthof(r->delete_cookies)];
		int			n = 0;

		while (n < (int) lengthof(r->delete_cookies) && r->delete_cookies[n] != NULL)
		{
			names[n] = word(r->delete_cookies[n]);
			n++;
		}
		values[14] = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
	}
}

static Datum
tracked_datum(FunctionCallInfo fcinfo, const Tracked *r)
{
	Datum		values[TRACKED_COLUMNS];
	bool		nulls[TRACKED_COLUMNS];

	tracked_values(r, role_has(GetUserId(), RIGHT_FULL_ANSWERS), values, nulls);
	return HeapTupleGetDatum(heap_form_tuple(result_desc(fcinfo), values, nulls));
}

/*
 * pkt_track
 *		SQL: track(idsite, …) → tracked.  Arguments win over params.  Errors:
 *		invalid_parameter_value for a hit that is invalid.
 */
Datum
pkt_track(PG_FUNCTION_ARGS)
{
	EngineScope scope;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext call = wiped_call_begin();
	Hit		   *hit = hit_create();
	Tracked		result;
	Datum		datum;

	if (!PG_ARGISNULL(16))
	{
		/* arguments win over params, even over params that are wrong */
		static const char *const skip[] = {"idsite", "cid"};

		tracking_api_read_json(hit, PG_GETARG_JSONB_P(16), skip, PG_ARGISNULL(8) ? 1 : 2);
	}
	/* params may not set these */
	hit->rec = true;
	hit->trusted = false;
	hit->strict = true;

	hit->idsite = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);
	if (!PG_ARGISNULL(1))
		hit->url = arg_client_text(fcinfo, 1);
	if (!PG_ARGISNULL(2))
		hit->action_name = arg_client_text(fcinfo, 2);
	if (!PG_ARGISNULL(3))
		hit->urlref = arg_client_text(fcinfo, 3);
	if (!PG_ARGISNULL(4))
	{
		hit->ip = ip_from_inet(PG_GETARG_INET_PP(4));
		hit->cip = pstrdup("");
	}
	/* what a header held: no mistake of the programmer's */
	if (!PG_ARGISNULL(17))
	{
		if (!PG_ARGISNULL(4))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("arguments \"ip\" and \"address\" cannot both be given"),
					 errhint("Pass ip if the address is of type inet, or address if it is the "
							 "text of a header or a log.")));
		hit->address = arg_client_text(fcinfo, 17);
		if (hit->address[0] != '\0')
			hit->cip = pstrdup("");
	}
	if (!PG_ARGISNULL(5))
		hit->user_agent = arg_header(fcinfo, 5);
	if (!PG_ARGISNULL(6))
		hit->accept_language = arg_header(fcinfo, 6);
	if (!PG_ARGISNULL(7))
	{
		hit->visitor_id.given = hit->id_from_cookie = true;
		hit->visitor_id.id = PG_GETARG_HEXID(7);
	}
	if (!PG_ARGISNULL(8))
	{
		hit->cid.given = true;
		hit->cid.id = PG_GETARG_HEXID(8);
	}
	if (!PG_ARGISNULL(9))
		hit->user_id = arg_client_text(fcinfo, 9);
	if (!PG_ARGISNULL(10) && !consent_parse(arg_client_text(fcinfo, 10), &hit->consent))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"consent\""),
				 errhint("Valid values are \"granted\", \"denied\" and \"unknown\".")));
	/* a wrong cookie is the client's mistake, so no error */
	if (!PG_ARGISNULL(11))
	{
		char	   *cookie = arg_client_text(fcinfo, 11);

		hit->session_cookie.given = strlen(cookie) == HEXID_TEXT_LEN &&
			hexid_parse(cookie, HEXID_TEXT_LEN, &hit->session_cookie.id);
	}
	if (!time_arg(fcinfo, 12, hit))
		raise_invalid(hit, "at");
	if (!PG_ARGISNULL(12))
	{
		hit->cdt = pstrdup("");
		hit->cdo_given = false;
	}
	if (!PG_ARGISNULL(13))
		hit->new_visit = PG_GETARG_BOOL(13);
	if (!PG_ARGISNULL(14))
		hit->resolution = arg_client_text(fcinfo, 14);
	if (!PG_ARGISNULL(15))
		hit->pv_id = arg_client_text(fcinfo, 15);

	engine_enter(&scope);
	engine_run(&hit, 1, &result);
	engine_leave(&scope);

	/*
	 * an order that is sent twice is a page that was loaded again, so no
	 * error
	 */
	if (result.outcome == OUTCOME_INVALID && !result.duplicate_order)
		raise_invalid(hit, result.outcome_reason);
	MemoryContextSwitchTo(caller);
	datum = tracked_datum(fcinfo, &result);
	wiped_call_end(call);
	PG_RETURN_DATUM(datum);
}

/*
 * check_trusted
 *		Raise an error unless the current user may pass trusted => true, that is,
 *		may execute trusted_tracking().  Errors: insufficient_privilege.
 */
void
check_trusted(void)
{
	if (!role_has(GetUserId(), RIGHT_TRUSTED))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to track with trusted => true"),
				 errhint("Grant it with pk_tracking.grant_tracker(role, trusted => true).")));
}

/*
 * pkt_track_request
 *		SQL: track_request(query, …) → tracked.  A client's mistake is outcome
 *		"invalid", or with strict => true an error (invalid_parameter_value).
 */
Datum
pkt_track_request(PG_FUNCTION_ARGS)
{
	EngineScope scope;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext call = wiped_call_begin();
	Hit		   *hit = hit_create();
	Tracked		result;
	Datum		datum;
	bool		strict = !PG_ARGISNULL(7) && PG_GETARG_BOOL(7);

	hit->strict = strict;
	hit->trusted = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	if (hit->trusted)
		check_trusted();

	if (!PG_ARGISNULL(1))
		hit->ip = ip_from_inet(PG_GETARG_INET_PP(1));
	if (!PG_ARGISNULL(2))
		hit->user_agent = arg_header(fcinfo, 2);
	if (!PG_ARGISNULL(3))
		hit->accept_language = arg_header(fcinfo, 3);
	if (!PG_ARGISNULL(5))
		tracking_api_read_headers(hit, PG_GETARG_JSONB_P(5));
	if (!PG_ARGISNULL(0))
	{
		text	   *query = PG_GETARG_TEXT_PP(0);

		tracking_api_read_query(hit, VARDATA_ANY(query), VARSIZE_ANY_EXHDR(query));
	}
	if (!time_arg(fcinfo, 4, hit) && hit->invalid == NULL)
		hit->invalid = "at";

	engine_enter(&scope);
	engine_run(&hit, 1, &result);
	engine_leave(&scope);
	if (strict && result.outcome == OUTCOME_INVALID &&
		(!result.by_log || role_has(GetUserId(), RIGHT_FULL_ANSWERS)))
		raise_invalid(hit, result.outcome_reason);
	MemoryContextSwitchTo(caller);
	datum = tracked_datum(fcinfo, &result);
	wiped_call_end(call);
	PG_RETURN_DATUM(datum);
}

/*
 * pkt_match_visitor
 *		SQL: match_visitor(idsite, visitor_id, visitor_id_source, user_id,
 *		config_id, at, new_visit, max_candidates) → set of candidate.
 */
Datum
pkt_match_visitor(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EngineScope scope;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext call = wiped_call_begin();
	Hit		   *hit = hit_create();
	Candidate  *candidates;
	bool		config_given = !PG_ARGISNULL(4);
	HexId		config = config_given ? PG_GETARG_HEXID(4) : 0;
	int			max = PG_ARGISNULL(7) ? 100 : PG_GETARG_INT32(7);
	int			n;

	if (max < 1 || max > 10000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_candidates must be between 1 and 10000")));

	hit->rec = true;
	hit->consent = CONSENT_GRANTED; /* nothing is stored */
	hit->idsite = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);
	if (!PG_ARGISNULL(1))
	{
		OptionalId	id = {true, PG_GETARG_HEXID(1)};
		char	   *source = arg_client_text(fcinfo, 2);

		if (pg_strcasecmp(source, "cookie") == 0 || source[0] == '\0')
			hit->visitor_id = id;
		else if (pg_strcasecmp(source, "cid") == 0)
			hit->cid = id;
		else if (pg_strcasecmp(source, "third_party_cookie") == 0)
			hit->third_party_id = id;
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid value for argument \"visitor_id_source\""),
					 errhint("Valid values are \"cookie\", \"cid\" and \"third_party_cookie\".")));
	}
	hit->user_id = arg_client_text(fcinfo, 3);
	if (!time_arg(fcinfo, 5, hit))
		raise_invalid(hit, "at");
	hit->new_visit = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);

	MemoryContextSwitchTo(caller);
	InitMaterializedSRF(fcinfo, 0);
	MemoryContextSwitchTo(call);
	candidates = palloc_array(Candidate, max);

	engine_enter(&scope);
	n = engine_candidates(hit, config_given, config, max, candidates);
	engine_leave(&scope);

	for (int i = 0; i < n; i++)
	{
		const Candidate *c = &candidates[i];
		Datum		values[9];
		bool		nulls[9] = {false};

		values[0] = Int32GetDatum(i + 1);
		values[1] = word(matched_by_word(c->matched_by));
		values[2] = Int64GetDatum(c->visit.idvisit);
		values[3] = HexIdGetDatum(c->visit.idvisitor);
		nulls[3] = !c->visit.has_idvisitor;
		values[4] = HexIdGetDatum(c->visit.config_id);
		nulls[4] = !c->visit.has_config_id;
		values[5] = TimestampTzGetDatum(c->visit.first);
		values[6] = TimestampTzGetDatum(c->visit.last);
		values[7] = BoolGetDatum(c->continues);
		values[8] = word(reason_word(c->reason));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(caller);
	wiped_call_end(call);
	return (Datum) 0;
}

/*
 * pkt_fingerprint
 *		SQL: fingerprint(idsite, ip, user_agent, accept_language, at, params) →
 *		hexid.  Makes no salt: NULL for a day that has none.
 */
Datum
pkt_fingerprint(PG_FUNCTION_ARGS)
{
	EngineScope scope;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext call = wiped_call_begin();
	Hit		   *hit = hit_create();
	HexId		config;
	bool		given;

	if (!PG_ARGISNULL(5))
		tracking_api_read_json(hit, PG_GETARG_JSONB_P(5), NULL, 0);
	hit->idsite = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);
	if (!PG_ARGISNULL(1))
		hit->ip = ip_from_inet(PG_GETARG_INET_PP(1));
	if (!PG_ARGISNULL(2))
		hit->user_agent = arg_header(fcinfo, 2);
	if (!PG_ARGISNULL(3))
		hit->accept_language = arg_header(fcinfo, 3);
	if (!time_arg(fcinfo, 4, hit))
		raise_invalid(hit, "at");

	engine_enter(&scope);
	given = hit_fingerprint(hit, false, &config);
	engine_leave(&scope);
	MemoryContextSwitchTo(caller);
	wiped_call_end(call);
	if (!given)
		PG_RETURN_NULL();
	PG_RETURN_HEXID(config);
}
