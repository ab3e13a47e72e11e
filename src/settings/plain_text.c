/*
 * plain_text.c
 *		Texts of the log as people read them.
 *
 * Under Matomo's rules the log holds texts escaped for HTML, as Matomo's own does.
 * Reports, views and the visit log show them through these functions: without
 * the escapes where the site's rules are Matomo's, else as they are.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/text.h"
#include "settings/site_config.h"

PG_FUNCTION_INFO_V1(pkt_plain_text);
PG_FUNCTION_INFO_V1(pkt_plain_json);

/*
 * Are the texts of the site's log escaped?  Reads the settings as their owner:
 * an analyst may not read them, and learns only this.
 */
static bool
is_escaped(int32 idsite)
{
	const SiteConfig *site;
	Oid			user;
	int			sec_context;

	if (!settings_tables_exist())
		return false;
	/* an error resets this with the (sub)transaction */
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(settings_owner(),
						   sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
	site = site_config(idsite);
	SetUserIdAndSecContext(user, sec_context);
	return site != NULL && site->s.recognition_rules == RULES_MATOMO;
}

/*
 * SQL: plain_text(idsite integer, value text) -> text.  A text without "&", as
 * most are, costs no look at the site.  An unknown site's is returned as it is.
 */
Datum
pkt_plain_text(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(1);

	if (memchr(VARDATA_ANY(value), '&', VARSIZE_ANY_EXHDR(value)) == NULL ||
		!is_escaped(PG_GETARG_INT32(0)))
		PG_RETURN_TEXT_P(value);
	PG_RETURN_TEXT_P(cstring_to_text(text_unsanitise(text_to_cstring(value))));
}

static void
unescape_value(JsonbValue *v)
{
	if (v->type != jbvString || memchr(v->val.string.val, '&', v->val.string.len) == NULL)
		return;
	v->val.string.val = text_unsanitise(pnstrdup(v->val.string.val, v->val.string.len));
	v->val.string.len = (int) strlen(v->val.string.val);
}

/*
 * SQL: plain_json(idsite integer, value jsonb) -> jsonb.  As plain_text(), for the
 * texts and names in a document.
 */
Datum
pkt_plain_json(PG_FUNCTION_ARGS)
{
	Jsonb	   *value = PG_GETARG_JSONB_P(1);
	JsonbIterator *it;
	JsonbParseState *state = NULL;
	JsonbIteratorToken token;
	JsonbValue	v;
	JsonbValue *result = NULL;
	bool		scalar = JB_ROOT_IS_SCALAR(value);

	if (memchr(VARDATA(value), '&', VARSIZE(value) - VARHDRSZ) == NULL ||
		!is_escaped(PG_GETARG_INT32(0)))
		PG_RETURN_JSONB_P(value);

	it = JsonbIteratorInit(&value->root);
	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		bool		holds = (token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM);

		if (holds)
			unescape_value(&v);
		if (token == WJB_BEGIN_ARRAY)
			v.val.array.rawScalar = scalar;
		result = pushJsonbValue(&state, token,
								holds || (token == WJB_BEGIN_ARRAY && scalar) ? &v : NULL);
		scalar = false;
	}
	PG_RETURN_JSONB_P(JsonbValueToJsonb(result));
}
