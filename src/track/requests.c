/*
 * requests.c
 *		Several hits by function call: the bulk document of Matomo and Piwik PRO
 *		(doc/internals.md, "Matomo: requests").
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inet.h"
#include "utils/jsonb.h"
#include "utils/tuplestore.h"

#include "base/args.h"
#include "base/compat.h"
#include "base/json.h"
#include "base/wipe.h"
#include "request/bulk_document.h"
#include "request/tracking_api.h"
#include "track/engine.h"
#include "track/rights.h"
#include "track/token.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_track_requests);
PG_FUNCTION_INFO_V1(pkt_track_requests_answer);
PG_FUNCTION_INFO_V1(pkt_track_requests_text);
PG_FUNCTION_INFO_V1(pkt_track_requests_answer_text);

/* For the results, which hold ids and cookies, so that they are never spilled to disk. */
#define RESULTS_MEMORY (32 * 1024)	/* kilobytes */

/* The requests of a document, read. */
typedef struct Requests
{
	int			n;
	Hit		  **hits;
	char	   *token;			/* for the whole document, "" if none */
	bool		trusted;
} Requests;

/* Reads the document that a call was given, NULL if it is none. */
typedef BulkDocument *(*DocumentArgument) (FunctionCallInfo fcinfo);

/*
 * Read what the connection said, which is the same for all hits of a document:
 * they share it, so nothing may change it in place.  Arguments: document, ip,
 * user_agent, accept_language, at, headers, trusted.
 */
static Hit *
read_connection(FunctionCallInfo fcinfo)
{
	Hit		   *said = hit_create();

	said->trusted = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	if (said->trusted)
		check_trusted();
	if (!PG_ARGISNULL(1))
		said->ip = ip_from_inet(PG_GETARG_INET_PP(1));
	if (!PG_ARGISNULL(2))
		said->user_agent = arg_header(fcinfo, 2);
	if (!PG_ARGISNULL(3))
		said->accept_language = arg_header(fcinfo, 3);
	if (!PG_ARGISNULL(5))
		tracking_api_read_headers(said, PG_GETARG_JSONB_P(5));

	/* those that the table of hit fields has a bound for */
	said->shared = palloc0_object(SharedTexts);
	said->shared->context = CurrentMemoryContext;
	said->shared->whole[said->shared->n++] = said->user_agent;
	said->shared->whole[said->shared->n++] = said->accept_language;
	return said;
}

/*
 * A token of a hit's own, because it is wiped when it was checked.  One that is
 * too long is no token, and stays too long.
 */
static char *
copy_token(const char *token)
{
	return pnstrdup(token, TOKEN_MAX + 1);
}

/* Read the requests of a document, with arguments as read_connection() takes them. */
static void
read_requests(FunctionCallInfo fcinfo, BulkDocument *document, const Hit *said, Requests *requests)
{
	char	   *whole = bulk_document_token(document);
	bool		is_request;

	requests->n = 0;
	requests->hits = palloc_array(Hit *, bulk_document_size(document) + 1);
	requests->token = copy_token(whole[0] ? whole : said->token_auth);
	requests->trusted = said->trusted;

	while (bulk_document_next(document, &is_request))
	{
		Hit		   *hit;

		if (!is_request)
			continue;
		hit = hit_create();
		*hit = *said;
		hit->in_bulk = requests->n + 1;
		bulk_document_read(document, hit);

		/* the document's token wins over a request's */
		if (whole[0])
			hit->token_auth = copy_token(whole);
		else if (hit->token_auth == said->token_auth && hit->token_auth[0])
			hit->token_auth = copy_token(hit->token_auth);
		if (!time_arg(fcinfo, 4, hit) && hit->invalid == NULL)
			hit->invalid = "at";
		requests->hits[requests->n++] = hit;
	}
	explicit_bzero(whole, strlen(whole));
	explicit_bzero(said->token_auth, strlen(said->token_auth));
}

/*
 * Track the requests of a document.  NULL for a document is one that is no bulk
 * document: it has one result, which says so.
 */
static Tracked *
track_document(FunctionCallInfo fcinfo, BulkDocument *document, Requests *requests, bool *all_sites)
{
	Hit		   *said = read_connection(fcinfo);
	EngineScope scope;
	Tracked    *results;

	if (document == NULL)
	{
		results = palloc0_object(Tracked);
		results->outcome = OUTCOME_INVALID;
		results->outcome_reason = "document";
		requests->n = 1;
		*all_sites = false;
		return results;
	}
	read_requests(fcinfo, document, said, requests);
	results = palloc_array(Tracked, requests->n + 1);

	engine_enter(&scope);
	engine_run(requests->hits, requests->n, results);
	*all_sites = requests->trusted || token_rights(requests->token, 0) == TOKEN_ALL;
	engine_leave(&scope);
	explicit_bzero(requests->token, strlen(requests->token));
	return results;
}

static void
need_document(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bulk document must not be NULL"), BULK_DOCUMENT_HINT));
}

static BulkDocument *
jsonb_argument(FunctionCallInfo fcinfo)
{
	need_document(fcinfo);
	return bulk_document_from_jsonb(PG_GETARG_JSONB_P(0));
}

static BulkDocument *
text_argument(FunctionCallInfo fcinfo)
{
	text	   *document;

	need_document(fcinfo);
	document = PG_GETARG_TEXT_PP(0);
	return bulk_document_from_text(VARDATA_ANY(document), VARSIZE_ANY_EXHDR(document));
}

/* A row for each request, in their order. */
static Datum
rows(FunctionCallInfo fcinfo, DocumentArgument argument)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	BulkDocument *document;
	Requests	requests;
	Tracked    *results;
	bool		all_sites;
	MemoryContext old;
	bool		full = role_has(GetUserId(), RIGHT_FULL_ANSWERS);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext call;

	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	tuplestore_end(rsinfo->setResult);
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
											  false, Max(work_mem, RESULTS_MEMORY));
	MemoryContextSwitchTo(old);
	call = wiped_call_begin();
	document = argument(fcinfo);
	results = track_document(fcinfo, document, &requests, &all_sites);
	for (int i = 0; i < requests.n; i++)
	{
		Datum		values[TRACKED_COLUMNS];
		bool		nulls[TRACKED_COLUMNS];

		tracked_values(&results[i], full, values, nulls);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	MemoryContextSwitchTo(caller);
	wiped_call_end(call);
	return (Datum) 0;
}

/*
 * The answer that Matomo would give.  Requests that were excluded count as
 * tracked.  Only callers with the right to all sites learn which requests were
 * invalid.
 */
static Datum
answer(FunctionCallInfo fcinfo, DocumentArgument argument)
{
	BulkDocument *document;
	Requests	requests;
	Tracked    *results;
	bool		all_sites;
	int			invalid = 0;
	bool		full = role_has(GetUserId(), RIGHT_FULL_ANSWERS);
	Jsonb	   *answer;
	JsonbParseState *state = NULL;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext call = wiped_call_begin();

	document = argument(fcinfo);
	results = track_document(fcinfo, document, &requests, &all_sites);
	for (int i = 0; i < requests.n; i++)
		invalid += tracked_outcome(&results[i], full) == OUTCOME_INVALID;

	MemoryContextSwitchTo(caller);
	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_push_text(&state, WJB_KEY, "status");
	json_push_text(&state, WJB_VALUE, document != NULL ? "success" : "error");
	json_push_text(&state, WJB_KEY, "tracked");
	json_push_number(&state, WJB_VALUE, requests.n - invalid);
	json_push_text(&state, WJB_KEY, "invalid");
	json_push_number(&state, WJB_VALUE, invalid);
	if (all_sites)
	{
		json_push_text(&state, WJB_KEY, "invalid_indices");
		(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (int i = 0; i < requests.n; i++)
		{
			if (tracked_outcome(&results[i], full) == OUTCOME_INVALID)
				json_push_number(&state, WJB_ELEM, i);
		}
		(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	answer = JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
	wiped_call_end(call);
	PG_RETURN_JSONB_P(answer);
}

/*
 * pkt_track_requests, pkt_track_requests_text
 *		SQL: track_requests(document, …) → set of tracked, in the order of the
 *		requests.  A request that is wrong is outcome "invalid" and harms no
 *		other.  So is a text that is no bulk document; a jsonb that is none is an
 *		error (invalid_parameter_value, program_limit_exceeded).
 */
Datum
pkt_track_requests(PG_FUNCTION_ARGS)
{
	return rows(fcinfo, jsonb_argument);
}

Datum
pkt_track_requests_text(PG_FUNCTION_ARGS)
{
	return rows(fcinfo, text_argument);
}

/*
 * pkt_track_requests_answer, pkt_track_requests_answer_text
 *		SQL: track_requests_answer(document, …) → jsonb.
 */
Datum
pkt_track_requests_answer(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, jsonb_argument);
}

Datum
pkt_track_requests_answer_text(PG_FUNCTION_ARGS)
{
	return answer(fcinfo, text_argument);
}
