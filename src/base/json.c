/*
 * json.c
 *		Scalars of JSON documents, read as text and written.
 */
#include "postgres.h"

#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

#include "base/compat.h"
#include "base/json.h"

/*
 * json_scalar
 *		A scalar as a tracking URL would carry it: true is 1, false is 0.  The
 *		text is not terminated and may point into the document.  False for null,
 *		lists and objects.
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
			*str = DatumGetCString(DirectFunctionCall1(numeric_out,
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

/* json_is_object: whether a text is a JSON object. */
bool
json_is_object(const char *str)
{
	JsonLexContext *lex = pkt_json_lexer(str, strlen(str));

	return str[strspn(str, " \t\r\n")] == '{' &&
		pg_parse_json(lex, &nullSemAction) == JSON_SUCCESS;
}
