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
#include "utils/numeric.h"
#include "utils/tuplestore.h"

#include "base/args.h"
#include "base/compat.h"
#include "base/json.h"
#include "request/tracking_api.h"
#include "track/engine.h"
#include "track/rights.h"
#include "track/token.h"
#include "track/track.h"

PG_FUNCTION_INFO_V1(pkt_track_requests);
PG_FUNCTION_INFO_V1(pkt_track_requests_answer);

/* Hits are held in memory, a few kilobytes each, until all are recorded. */
#define REQUESTS_MAX 10000

/* For the results, which hold ids and cookies, so that they are never spilled to disk. */
#define RESULTS_MEMORY (32 * 1024)	/* kilobytes */

/* A bulk document, read. */
typedef struct Document
{
	int			n;
	Hit		  **hits;
	char	   *token;			/* for the whole document, "" if none */
	bool		trusted;
} Document;

#define DOCUMENT_HINT \
	errhint("A bulk document is an object with a list \"requests\", or that list itself.")

/*
 * Is it a list, or what PHP makes of a list from which elements were removed: an
 * object whose names are the elements' numbers?
 */
static bool
is_list(JsonbContainer *c)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	v;

	if (!JsonContainerIsObject(c))
		return !JsonContainerIsScalar(c);
	it = JsonbIteratorInit(c);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token != WJB_KEY)
			continue;
		if (v.val.string.len == 0 || (v.val.string.val[0] == '0' && v.val.string.len > 1))
			return false;
		for (int i = 0; i < v.val.string.len; i++)
		{
			if (v.val.string.val[i] < '0' || v.val.string.val[i] > '9')
				return false;
		}
	}
	return true;
}

/*
 * The list of a document's requests, as is_list() takes it.  Errors:
 * invalid_parameter_value for what is no bulk document.
 */
static JsonbContainer *
request_list(Jsonb *document)
{
	JsonbValue	buf;
	JsonbValue *v = NULL;

	if (JB_ROOT_IS_SCALAR(document))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bulk document is neither an object nor a list"), DOCUMENT_HINT));
	if (JB_ROOT_IS_OBJECT(document))
		v = getKeyJsonValueFromContainer(&document->root, "requests", strlen("requests"), &buf);
	if (v != NULL && v->type == jbvBinary && is_list(v->val.binary.data))
		return v->val.binary.data;
	if (v == NULL && is_list(&document->root) &&
		!(JB_ROOT_IS_OBJECT(document) && JB_ROOT_COUNT(document) == 0))
		return &document->root;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("bulk document has no list \"requests\""), DOCUMENT_HINT));
}

/* The text of a member of the document; "" if it is absent or no text. */
static char *
text_member(Jsonb *document, const char *name)
{
	JsonbValue	buf;
	JsonbValue *v = getKeyJsonValueFromContainer(&document->root, name, strlen(name), &buf);

	if (v == NULL || v->type != jbvString)
		return pstrdup("");
	return pnstrdup(v->val.string.val, v->val.string.len);
}

/*
 * Read one request: the text of a URL, of which the query string counts, or an
 * object of parameters.  False for a text without a query string, which Matomo
 * ignores.
 */
static bool
read_entry(Hit *hit, JsonbValue *entry)
{
	if (entry->type == jbvString)
	{
		const char *mark = memchr(entry->val.string.val, '?', entry->val.string.len);
		const char *end = entry->val.string.val + entry->val.string.len;

		if (mark == NULL || mark + 1 == end)
			return false;
		tracking_api_read_query(hit, mark, end - mark);
		return true;
	}
	if (entry->type == jbvBinary && JsonContainerIsObject(entry->val.binary.data))
	{
		tracking_api_read_json(hit, JsonbValueToJsonb(entry), NULL, 0);
		return true;
	}
	hit->invalid = "request";
	hit->unreadable = true;
	return true;
}

/*
 * Read the arguments, which are the same for both functions: document, ip,
 * user_agent, accept_language, at, headers, trusted.  Errors:
 * invalid_parameter_value if it is no bulk document, program_limit_exceeded if
 * it is too long.
 */
static void
read_document(FunctionCallInfo fcinfo, Document *doc)
{
	Jsonb	   *document;
	JsonbValue	entry;
	JsonbContainer *list;
	JsonbIterator *it;
	JsonbIteratorToken token;
	char	   *whole;			/* the document's own token */
	int			size;

	memset(doc, 0, sizeof(Document));
	doc->trusted = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	if (doc->trusted)
		check_trusted();
	whole = pstrdup("");

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bulk document must not be NULL"), DOCUMENT_HINT));
	document = PG_GETARG_JSONB_P(0);
	list = request_list(document);
	if (JB_ROOT_IS_OBJECT(document))
		whole = text_member(document, "token_auth");

	size = JsonContainerSize(list);
	if (size > REQUESTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("bulk document has more than %d requests", REQUESTS_MAX),
				 errhint("Send the requests in several documents.")));
	doc->hits = palloc_array(Hit *, size + 1);
	doc->token = pstrdup(whole);

	it = JsonbIteratorInit(list);

	/*
	 * of names that are numbers, the shorter one comes first: that is their
	 * order
	 */
	while ((token = JsonbIteratorNext(&it, &entry, true)) != WJB_DONE)
	{
		Hit		   *hit;

		if (token != WJB_ELEM && token != WJB_VALUE)
			continue;
		CHECK_FOR_INTERRUPTS();
		hit = hit_create();
		hit->trusted = doc->trusted;
		hit->in_bulk = true;
		if (!PG_ARGISNULL(1))
			hit->ip = ip_from_inet(PG_GETARG_INET_PP(1));
		if (!PG_ARGISNULL(2))
			hit->user_agent = arg_client_text(fcinfo, 2);
		if (!PG_ARGISNULL(3))
			hit->accept_language = arg_client_text(fcinfo, 3);
		if (!PG_ARGISNULL(5))
		{
			tracking_api_read_headers(hit, PG_GETARG_JSONB_P(5));
			if (doc->token[0] == '\0' && hit->token_auth[0])
				doc->token = pstrdup(hit->token_auth);
		}
		if (!read_entry(hit, &entry))
			continue;

		/* the document's token wins over a request's; each copy is wiped */
		if (whole[0])
			hit->token_auth = pstrdup(whole);
		if (!time_arg(fcinfo, 4, hit) && hit->invalid == NULL)
			hit->invalid = "at";
		doc->hits[doc->n++] = hit;
	}
	explicit_bzero(whole, strlen(whole));
}

/*
 * pkt_track_requests
 *		SQL: track_requests(document, …) → set of tracked, in the order of the
 *		requests.  A request that is wrong is outcome "invalid" and harms no
 *		other.
 */
Datum
pkt_track_requests(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	EngineScope scope;
	Document	doc;
	Tracked    *results;
	MemoryContext old;
	bool		full = role_has(GetUserId(), RIGHT_FULL_ANSWERS);

	InitMaterializedSRF(fcinfo, 0);
	old = MemoryContextSwitchTo(rsinfo->econtext->ecxt_per_query_memory);
	tuplestore_end(rsinfo->setResult);
	rsinfo->setResult = tuplestore_begin_heap((rsinfo->allowedModes & SFRM_Materialize_Random) != 0,
											  false, Max(work_mem, RESULTS_MEMORY));
	MemoryContextSwitchTo(old);
	read_document(fcinfo, &doc);
	results = palloc_array(Tracked, doc.n + 1);

	engine_enter(&scope);
	engine_run(doc.hits, doc.n, results);
	engine_leave(&scope);

	for (int i = 0; i < doc.n; i++)
	{
		Datum		values[TRACKED_COLUMNS];
		bool		nulls[TRACKED_COLUMNS];

		tracked_values(&results[i], full, values, nulls);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * pkt_track_requests_answer
 *		SQL: track_requests_answer(document, …) → jsonb, the answer that Matomo
 *		would give.  Requests that were excluded count as tracked.  Only callers
 *		with the right to all sites learn which requests were invalid.
 */
Datum
pkt_track_requests_answer(PG_FUNCTION_ARGS)
{
	EngineScope scope;
	Document	doc;
	Tracked    *results;
	bool		all_sites;
	int			invalid = 0;
	JsonbParseState *state = NULL;

	read_document(fcinfo, &doc);
	results = palloc_array(Tracked, doc.n + 1);

	engine_enter(&scope);
	engine_run(doc.hits, doc.n, results);
	all_sites = doc.trusted || token_rights(doc.token, 0) == TOKEN_ALL;
	engine_leave(&scope);
	explicit_bzero(doc.token, strlen(doc.token));

	for (int i = 0; i < doc.n; i++)
		invalid += results[i].outcome == OUTCOME_INVALID;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_push_text(&state, WJB_KEY, "status");
	json_push_text(&state, WJB_VALUE, "success");
	json_push_text(&state, WJB_KEY, "tracked");
	json_push_number(&state, WJB_VALUE, doc.n - invalid);
	json_push_text(&state, WJB_KEY, "invalid");
	json_push_number(&state, WJB_VALUE, invalid);
	if (all_sites)
	{
		json_push_text(&state, WJB_KEY, "invalid_indices");
		(void) pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (int i = 0; i < doc.n; i++)
		{
			if (results[i].outcome == OUTCOME_INVALID)
				json_push_number(&state, WJB_ELEM, i);
		}
		(void) pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL)));
}
