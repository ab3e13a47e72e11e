/*
 * json.c
 *		Fuzz target: a bulk document, through track_requests_answer() up to the
 *		engine.
 *
 * The first byte chooses the configuration.  A member "headers" of the document
 * is also what the connection tells.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "track/engine.h"

#include "harness.h"

extern Datum pkt_track_requests_answer(PG_FUNCTION_ARGS);

static int	config;

void
engine_enter(EngineScope *scope)
{
	(void) scope;
}

void
engine_leave(EngineScope *scope)
{
	(void) scope;
}

void
engine_run(Hit **hits, int n, Tracked *results)
{
	memset(results, 0, n * sizeof(Tracked));
	for (int i = 0; i < n; i++)
	{
		if (!hits[i]->unreadable)
			hits[i]->idsite = config + 1;
		fuzz_hit(hits[i]);
		results[i].outcome = i % 2 ? OUTCOME_INVALID : OUTCOME_RECORDED;
	}
}

void
fuzz_begin(void)
{
	(void) fuzz_config(0);
}

/* What is no JSON, or no bulk document, is the caller's error. */
bool
fuzz_may_raise(int sqlerrcode)
{
	switch (sqlerrcode)
	{
		case ERRCODE_INVALID_TEXT_REPRESENTATION:
		case ERRCODE_UNTRANSLATABLE_CHARACTER:
		case ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE:
		case ERRCODE_INVALID_PARAMETER_VALUE:
		case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
		case ERRCODE_STATEMENT_TOO_COMPLEX:
			return true;
		default:
			return false;
	}
}

void
fuzz_one(const uint8_t *data, size_t len)
{
	LOCAL_FCINFO(fcinfo, 7);
	Datum		document;
	JsonbValue	buf;
	JsonbValue *headers = NULL;
	Jsonb	   *answer;

	if (len < 1)
		return;
	config = data[0] % n_configs;
	document = DirectFunctionCall1(jsonb_in, CStringGetDatum(fuzz_text(data + 1, len - 1)));
	if (JB_ROOT_IS_OBJECT(DatumGetJsonbP(document)))
		headers = getKeyJsonValueFromContainer(&DatumGetJsonbP(document)->root, "headers",
											   strlen("headers"), &buf);

	memset(fcinfo, 0, SizeForFunctionCallInfo(7));
	fcinfo->nargs = 7;
	fcinfo->args[0].value = document;
	fcinfo->args[1].value = DirectFunctionCall1(inet_in, CStringGetDatum("203.0.113.9"));
	fcinfo->args[2].value = CStringGetTextDatum("Mozilla/5.0 (Windows NT 10.0) Firefox/115.0");
	fcinfo->args[3].value = CStringGetTextDatum("de-AT,de;q=0.9");
	fcinfo->args[4].value = TimestampTzGetDatum((TimestampTz) 26 * 365 * 86400 * USECS_PER_SEC);
	fcinfo->args[5].isnull = headers == NULL;
	if (headers != NULL)
		fcinfo->args[5].value = JsonbPGetDatum(JsonbValueToJsonb(headers));
	fcinfo->args[6].value = BoolGetDatum(false);
	answer = DatumGetJsonbP(pkt_track_requests_answer(fcinfo));
	MUST(JB_ROOT_IS_OBJECT(answer));
}
