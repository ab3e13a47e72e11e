/*
 * args.c
 *		Arguments of SQL functions.
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/args.h"
#include "base/text.h"

#define CLIENT_TEXT_MAX (1024 * 1024)	/* bytes of a client's text that are
										 * read */

/*
 * arg_text
 *		Text argument n as it was passed, "" if it is NULL.
 */
char *
arg_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? pstrdup("") : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/*
 * arg_client_text
 *		Text argument n that comes from a client: the first megabyte, without
 *		control characters (text_clean()); "" if it is NULL.
 */
char *
arg_client_text(FunctionCallInfo fcinfo, int n)
{
	text	   *t;
	size_t		len;

	if (PG_ARGISNULL(n))
		return pstrdup("");
	t = PG_GETARG_TEXT_PP(n);
	len = VARSIZE_ANY_EXHDR(t);
	return text_clean(VARDATA_ANY(t), Min(len, CLIENT_TEXT_MAX), false);
}
