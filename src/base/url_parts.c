/*
 * url_parts.c
 *		URLs: their parts and their query parameters.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/text.h"
#include "base/url_parts.h"

PG_FUNCTION_INFO_V1(pkt_url_prefix_text);

/* By code, log_action.url_prefix; longer ones are tried first. */
static const char *const prefixes[] = {"http://", "http://www.", "https://", "https://www."};

/*
 * url_looks_like_one
 *		Does it have a scheme, "://" (or "//" alone) and a host?  Anything else
 *		is recorded without a URL.
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
 *		The code of the prefix, which the dictionary stores separately, and the
 *		rest of the URL; URL_NO_PREFIX and the whole URL if it has none.
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

/* Up to the first of the delimiters, or to the end. */
static UrlPart
part_until(const char **p, const char *delimiters)
{
	UrlPart		part;

	part.str = *p;
	part.len = strcspn(*p, delimiters);
	*p += part.len;
	return part;
}

/*
 * url_split
 *		Split a URL into its parts.  False if it does not look like one.
 */
bool
url_split(const char *url, Url *parts)
{
	const char *p = url;
	const char *end;
	UrlPart		authority;
	const char *host;

	memset(parts, 0, sizeof(*parts));
	if (!url_looks_like_one(url))
		return false;

	parts->scheme = part_until(&p, ":/");
	if (*p == ':')
		p++;
	p += 2;						/* two slashes, as url_looks_like_one() saw */

	authority = part_until(&p, "/?#");
	host = authority.str;
	end = authority.str + authority.len;
	for (const char *at = end; at > authority.str; at--)
	{
		if (at[-1] == '@')
		{
			parts->user.str = authority.str;
			parts->user.len = at - 1 - authority.str;
			host = at;
			break;
		}
	}
	parts->host.str = host;
	parts->host.len = end - host;
	{
		const char *bracket = *host == '[' ? memchr(host, ']', end - host) : NULL;
		const char *after = bracket ? bracket + 1 : host;
		const char *colon = memchr(after, ':', end - after);

		if (colon != NULL)
		{
			parts->host.len = colon - host;
			parts->port.str = colon + 1;
			parts->port.len = end - (colon + 1);
		}
	}
	if (parts->host.len == 0 && (parts->user.str != NULL || parts->port.str != NULL))
		return false;

	parts->path = part_until(&p, "?#");
	if (*p == '?')
	{
		p++;
		parts->has_query = true;
		parts->query = part_until(&p, "#");
	}
	if (*p == '#')
	{
		p++;
		parts->has_fragment = true;
		parts->fragment.str = p;
		parts->fragment.len = strlen(p);
	}
	return true;
}

/*
 * url_next_param
 *		The next parameter of a query string, which then begins after it; false
 *		at the end.  Skips empty ones ("&&").
 */
bool
url_next_param(UrlPart *query, UrlParam *param)
{
	while (query->len > 0)
	{
		const char *start = query->str;
		const char *amp = memchr(start, '&', query->len);
		size_t		len = amp ? (size_t) (amp - start) : query->len;
		size_t		skip = amp ? len + 1 : len;
		const char *eq;

		query->str += skip;
		query->len -= skip;
		if (len == 0)
			continue;
		eq = memchr(start, '=', len);
		param->has_value = eq != NULL;
		param->name.str = start;
		param->name.len = eq ? (size_t) (eq - start) : len;
		param->value.str = eq ? eq + 1 : start + len;
		param->value.len = eq ? len - param->name.len - 1 : 0;
		return true;
	}
	return false;
}

/*
 * url_decode_part
 *		A part as valid text, with percent-escapes and "+" decoded.  Invalid
 *		escapes, and those of bytes that are not UTF-8, are not changed.
 */
char *
url_decode_part(UrlPart part)
{
	char	   *buf = palloc(part.len + 1);
	size_t		n = 0;
	bool		escaped = false;
	char	   *result;

	for (size_t i = 0; i < part.len; i++)
	{
		const char *p = part.str + i;

		if (*p == '+')
			buf[n++] = ' ';
		else if (*p == '%' && i + 2 < part.len && url_hex_digit(p[1]) >= 0 &&
				 url_hex_digit(p[2]) >= 0)
		{
			buf[n++] = (char) (url_hex_digit(p[1]) * 16 + url_hex_digit(p[2]));
			escaped = true;
			i += 2;
		}
		else
			buf[n++] = *p;
	}
	/* escapes are UTF-8, the rest is in the database's encoding */
	result = escaped ? text_decode(buf, n, 0) : text_clean(buf, n, false);
	pfree(buf);
	return result;
}

/*
 * url_unescape
 *		A text with its percent-escapes decoded, valid and palloc'd; "+" stays.
 *		NULL if it has none, so that the text itself is all there is to compare.
 */
char *
url_unescape(const char *str)
{
	size_t		len = strlen(str);
	char	   *buf;
	char	   *result;
	size_t		n = 0;

	if (memchr(str, '%', len) == NULL)
		return NULL;
	buf = palloc(len + 1);
	for (size_t i = 0; i < len; i++)
	{
		if (str[i] == '%' && i + 2 < len && url_hex_digit(str[i + 1]) >= 0 &&
			url_hex_digit(str[i + 2]) >= 0)
		{
			buf[n++] = (char) (url_hex_digit(str[i + 1]) * 16 + url_hex_digit(str[i + 2]));
			i += 2;
		}
		else
			buf[n++] = str[i];
	}
	result = text_decode(buf, n, 0);
	pfree(buf);
	return result;
}

/*
 * url_fragment_query
 *		The query of a fragment, as applications have it that keep their routes
 *		there: what follows its first "?", else the whole fragment.
 */
UrlPart
url_fragment_query(UrlPart fragment)
{
	const char *mark = fragment.len > 0 ? memchr(fragment.str, '?', fragment.len) : NULL;

	if (mark != NULL)
	{
		fragment.len -= mark + 1 - fragment.str;
		fragment.str = mark + 1;
	}
	return fragment;
}

/* The name of a parameter: decoded, in lower case, without the "[]" of a list. */
char *
url_param_name(UrlPart name)
{
	char	   *decoded = url_decode_part(name);
	char	   *lower = url_lower(decoded, strlen(decoded));
	size_t		len = strlen(lower);

	if (len > 2 && strcmp(lower + len - 2, "[]") == 0)
		lower[len - 2] = '\0';
	pfree(decoded);
	return lower;
}

/*
 * url_param
 *		The decoded value of a parameter of a query string; NULL if it is
 *		absent.  If it was sent several times, the last value wins.  Names are
 *		case-sensitive, as in the tracking API.
 */
char *
url_param(UrlPart query, const char *name)
{
	UrlParam	param;
	UrlPart		found = {NULL, 0};
	size_t		len = strlen(name);

	while (url_next_param(&query, &param))
	{
		bool		same;

		if (memchr(param.name.str, '%', param.name.len) != NULL ||
			memchr(param.name.str, '+', param.name.len) != NULL)
		{
			char	   *decoded = url_decode_part(param.name);

			same = strcmp(decoded, name) == 0;
			pfree(decoded);
		}
		else
			same = param.name.len == len && memcmp(param.name.str, name, len) == 0;
		if (same)
			found = param.value;
	}
	return found.str ? url_decode_part(found) : NULL;
}

/*
 * The lower-case letter of a letter.  A table of our own for the scripts with
 * case that hosts and keywords use, so that names are the same on every
 * server, whatever its collations.  No letter changes its length in UTF-8.
 */
static pg_wchar
lower_letter(pg_wchar c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c < 0x100)				/* Latin-1 */
		return c >= 0xC0 && c <= 0xDE && c != 0xD7 ? c + 32 : c;
	if (c < 0x180)				/* Latin Extended-A; U+0130 is i in Turkish
								 * only */
	{
		if (c == 0x130 || c == 0x138 || c == 0x149 || c == 0x17F)
			return c;
		if (c == 0x178)
			return 0xFF;
		if ((c >= 0x139 && c <= 0x148) || c >= 0x179)
			return c % 2 == 1 ? c + 1 : c;
		return c % 2 == 0 ? c + 1 : c;
	}
	if (c >= 0x386 && c <= 0x3AB)	/* Greek */
	{
		if (c == 0x386)
			return 0x3AC;
		if (c >= 0x388 && c <= 0x38A)
			return c + 37;
		if (c == 0x38C)
			return 0x3CC;
		if (c == 0x38E || c == 0x38F)
			return c + 63;
		return c >= 0x391 && c != 0x3A2 ? c + 32 : c;
	}
	if (c >= 0x400 && c <= 0x52F)	/* Cyrillic */
	{
		if (c < 0x410)
			return c + 80;
		if (c < 0x430)
			return c + 32;
		if (c == 0x4C0)
			return 0x4CF;
		if (c >= 0x4C1 && c <= 0x4CE)
			return c % 2 == 1 ? c + 1 : c;
		if ((c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || c >= 0x4D0)
			return c % 2 == 0 ? c + 1 : c;
		return c;
	}
	if (c >= 0x531 && c <= 0x556)	/* Armenian */
		return c + 48;
	if (c >= 0x1E00 && c <= 0x1EFF && !(c >= 0x1E96 && c <= 0x1E9F))	/* Latin, Vietnamese */
		return c % 2 == 0 ? c + 1 : c;
	return c;
}

/*
 * url_lower
 *		len bytes at str in lower case, palloc'd.  Letters outside ASCII change
 *		only if the database's encoding is UTF-8.
 */
char *
url_lower(const char *str, size_t len)
{
	char	   *result = pnstrdup(str, len);
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;

	len = strlen(result);
	for (size_t i = 0; i < len;)
	{
		unsigned char *p = (unsigned char *) result + i;
		int			l = 1;

		if (!IS_HIGHBIT_SET(*p))
			*p = (unsigned char) lower_letter(*p);
		else if (utf8)
		{
			l = pg_utf_mblen(p);
			if (i + l > len || !pg_utf8_islegal(p, l))
				l = 1;
			else if (l <= 3)
			{
				pg_wchar	c = utf8_to_unicode(p);
				pg_wchar	lower = lower_letter(c);

				if (lower != c)
					unicode_to_utf8(lower, p);
			}
		}
		i += l;
	}
	return result;
}

/*
 * url_host
 *		A URL's host in lower case; NULL if it has none.
 */
char *
url_host(const char *url)
{
	Url			parts;

	if (!url_split(url, &parts) || parts.host.len == 0)
		return NULL;
	return url_lower(parts.host.str, parts.host.len);
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
