/*
 * url.c
 *		Page URLs as the dictionary keeps them (spec matomo 3.3).
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "request/url.h"

PG_FUNCTION_INFO_V1(pkt_url_prefix_text);

/* In the order of log_action.url_prefix; longer ones are tried first. */
static const char *const prefixes[] = {"http://", "http://www.", "https://", "https://www."};

/*
 * url_looks_like_one
 *		A scheme, "://" (or "//" alone) and a host: anything else is recorded
 *		with no URL.
 */
bool
url_looks_like_one(const char *url)
{
	const char *p = url;

	if (pg_strncasecmp(p, "mailto:", 7) == 0 || pg_strncasecmp(p, "javascript:", 11) == 0)
		return false;
	if (p[0] != '/')
	{
		if (!isalpha((unsigned char) *p))
			return false;
		while (isalnum((unsigned char) *p) || *p == '+' || *p == '-' || *p == '.')
			p++;
		if (*p != ':')
			return false;
		p++;
	}
	if (p[0] != '/' || p[1] != '/')
		return false;
	p += 2;
	/* file:///… has no host, all others need one */
	if (*p == '/' && pg_strncasecmp(url, "file:", 5) == 0)
		return true;
	return *p != '\0' && *p != '/' && *p != '?' && *p != '#' && *p != ':';
}

/*
 * url_split_prefix
 *		The code of the prefix that the dictionary keeps apart, and what
 *		follows it; URL_NO_PREFIX and the whole URL if it has none.
 */
int
url_split_prefix(const char *url, const char **rest)
{
	for (int i = (int) lengthof(prefixes) - 1; i >= 0; i--)
	{
		size_t		len = strlen(prefixes[i]);

		if (pg_strncasecmp(url, prefixes[i], len) == 0)
		{
			*rest = url + len;
			return i;
		}
	}
	*rest = url;
	return URL_NO_PREFIX;
}

/*
 * pkt_url_prefix_text
 *		SQL: url_prefix_text(smallint) → text; empty for NULL and unknown codes.
 */
Datum
pkt_url_prefix_text(PG_FUNCTION_ARGS)
{
	int16		code = PG_ARGISNULL(0) ? URL_NO_PREFIX : PG_GETARG_INT16(0);

	if (code < 0 || code >= (int) lengthof(prefixes))
		PG_RETURN_TEXT_P(cstring_to_text(""));
	PG_RETURN_TEXT_P(cstring_to_text(prefixes[code]));
}
