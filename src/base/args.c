/*
 * args.c
 *		Arguments of SQL functions.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
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

/*
 * arg_header
 *		Text argument n that a request header held: its first HEADER_MAX bytes,
 *		without control characters; "" if it is NULL.
 */
char *
arg_header(FunctionCallInfo fcinfo, int n)
{
	text	   *t;

	if (PG_ARGISNULL(n))
		return pstrdup("");
	t = PG_GETARG_TEXT_PP(n);
	return text_clean(VARDATA_ANY(t),
					  header_length(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)), false);
}

/*
 * header_length
 *		How many of the len bytes of a header are read: whole characters, at most
 *		HEADER_MAX bytes.
 */
size_t
header_length(const char *str, size_t len)
{
	return len <= HEADER_MAX ? len : (size_t) pg_mbcliplen(str, (int) len, HEADER_MAX);
}
