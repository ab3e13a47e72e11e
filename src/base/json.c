/*
 * json.c
 *		Scalars of JSON documents, read as text and written.
 */
#include "postgres.h"

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/json.h"
#include "base/text.h"

/* Digits behind the dot that are printed, and the least number with too many before it. */
#define NUMBER_DIGITS 64
#define NUMBER_LIMIT "1e64"

/* Stands for a number that has more: no reader takes it for one. */
static const char too_long[] = "1e999";

/*
 * Is a number printed with few digits?  Few bytes of jsonb may be a number of
 * 130,000.
 */
static bool
is_short(Numeric n)
{
	static Numeric limit = NULL;
	Datum		value = NumericGetDatum(n);

	if (limit == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		limit = DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(NUMBER_LIMIT),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));
		MemoryContextSwitchTo(old);
	}
	return DatumGetInt32(DirectFunctionCall1(numeric_scale, value)) <= NUMBER_DIGITS &&
		DatumGetInt32(DirectFunctionCall2(numeric_cmp, value, NumericGetDatum(limit))) < 0 &&
		DatumGetInt32(DirectFunctionCall2(numeric_cmp, DirectFunctionCall1(numeric_uminus, value),
										  NumericGetDatum(limit))) < 0;
}

/*
 * json_is_short
 *		Does a document have no number that is printed with very many digits?
 */
bool
json_is_short(Jsonb *jsonb)
{
	JsonbIterator *it = JsonbIteratorInit(&jsonb->root);
	JsonbIteratorToken token;
	JsonbValue	v;

	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		CHECK_FOR_INTERRUPTS();
		if ((token == WJB_VALUE || token == WJB_ELEM) && v.type == jbvNumeric &&
			!is_short(v.val.numeric))
			return false;
	}
	return true;
}

/*
 * json_scalar
 *		A scalar as a tracking URL would carry it: true is 1, false is 0.  The
 *		text is not terminated and may point into the document.  A number of very
 *		many digits is none.  False for null, lists and objects.
 */
bool
json_scalar(const JsonbValue *v, const char **str, size_t *len)
{
	switch (v->type)
	{
		case jbvString:
			*str = v->val.string.val;
			*len = v->val.string.len;
			return true;
		case jbvNumeric:
			*str = !is_short(v->val.numeric) ? too_long :
				DatumGetCString(DirectFunctionCall1(numeric_out,
													NumericGetDatum(v->val.numeric)));
			*len = strlen(*str);
			return true;
		case jbvBool:
			*str = v->val.boolean ? "1" : "0";
			*len = 1;
			return true;
		default:
			return false;
	}
}

/*
 * json_scalar_text
 *		The same as a string of its own; NULL for null, lists and objects.
 */
char *
json_scalar_text(const JsonbValue *v)
{
	const char *str;
	size_t		len;

	return json_scalar(v, &str, &len) ? pnstrdup(str, len) : NULL;
}

/*
 * json_push_text, json_push_number
 *		Add a key, a value or an element (token) to a document being built; str
 *		must last until the document is complete.
 */
void
json_push_text(JsonbParseState **state, JsonbIteratorToken token, const char *str)
{
	JsonbValue	v;

	v.type = jbvString;
	v.val.string.val = unconstify(char *, str);
	v.val.string.len = (int) strlen(str);
	(void) pushJsonbValue(state, token, &v);
}

void
json_push_number(JsonbParseState **state, JsonbIteratorToken token, int64 n)
{
	JsonbValue	v;

	v.type = jbvNumeric;
	v.val.numeric = int64_to_numeric(n);
	(void) pushJsonbValue(state, token, &v);
}

/* Let a parser be interrupted: an action for each member and element. */
static pkt_json_result
interruptible(void *state pg_attribute_unused(), bool isnull pg_attribute_unused())
{
	CHECK_FOR_INTERRUPTS();
	return pkt_json_go_on;
}

static pkt_json_result
interruptible_field(void *state pg_attribute_unused(), char *name pg_attribute_unused(),
					bool isnull pg_attribute_unused())
{
	CHECK_FOR_INTERRUPTS();
	return pkt_json_go_on;
}

/*
 * json_is_valid
 *		Is the text, len bytes in the database's encoding, JSON, not nested deeper
 *		than text_to_jsonb() takes it?  Never raises for its input.
 */
bool
json_is_valid(const char *str, size_t len)
{
	JsonSemAction actions;
	JsonLexContext *lex;
	bool		valid;

	if (len > PG_INT32_MAX || text_json_is_deep(str, len))
		return false;
	memset(&actions, 0, sizeof(actions));
	actions.object_field_start = interruptible_field;
	actions.array_element_start = interruptible;
	lex = pkt_json_lexer(str, len);
	valid = pg_parse_json(lex, &actions) == JSON_SUCCESS;
	pkt_json_lexer_free(lex);
	return valid;
}
