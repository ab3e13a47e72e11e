/*
 * url_form.c
 *		The one form of URLs that mean the same.  Rule: doc/internals.md,
 *		"Equal URLs".
 *
 * The form is that of RFC 3986, section 6.2, as browsers send it.  What has the
 * form keeps it.
 */
#include "postgres.h"

#include <idn2.h>

#include "base/text.h"
#include "base/url_form.h"

/* Of a character as it stands in a URL. */
#define UNRESERVED	1			/* means the same with and without an escape */
#define RESERVED	2			/* may separate parts: kept as it was sent */

static inline int
class_of(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return UNRESERVED;
	switch (c)
	{
		case '-':
		case '.':
		case '_':
		case '~':
			return UNRESERVED;
		case ':':
		case '/':
		case '?':
		case '#':
		case '[':
		case ']':
		case '@':
		case '!':
		case '$':
		case '&':
		case '\'':
		case '(':
		case ')':
		case '*':
		case '+':
		case ',':
		case ';':
		case '=':
			return RESERVED;
	}
	return 0;
}

/* Does the text end with a "%" that begins no escape, or with one and a digit? */
static inline bool
ends_with_bare(StringInfo buf)
{
	return (buf->len >= 1 && buf->data[buf->len - 1] == '%') ||
		(buf->len >= 2 && buf->data[buf->len - 2] == '%');
}

/*
 * url_append_form
 *		Append a path, a query, a fragment or a part of one: escapes in upper
 *		case, unreserved characters without escapes, those that no URL may hold
 *		with them.  A "%" that begins no escape stays.
 */
void
url_append_form(StringInfo buf, UrlPart part)
{
	const char *p = part.str;
	const char *end;

	if (part.len == 0)
		return;
	/* escapes are those of UTF-8 */
	for (size_t i = 0; i < part.len; i++)
	{
		if (IS_HIGHBIT_SET(p[i]))
		{
			p = text_to_utf8(part.str, part.len);
			part.len = strlen(p);
			break;
		}
	}
	for (end = p + part.len; p < end;)
	{
		const char *run = p;

		while (p < end && class_of(*p) != 0)
			p++;
		if (p > run)
			appendBinaryStringInfo(buf, run, (int) (p - run));
		if (p == end)
			break;
		if (*p != '%')
			appendStringInfo(buf, "%%%02X", (unsigned char) *p++);
		else if (p + 2 < end && url_hex_digit(p[1]) >= 0 && url_hex_digit(p[2]) >= 0)
		{
			char		c = (char) (url_hex_digit(p[1]) * 16 + url_hex_digit(p[2]));

			/* nor may a decoded digit make an escape of what was none */
			if (class_of(c) == UNRESERVED && !(url_hex_digit(c) >= 0 && ends_with_bare(buf)))
				appendStringInfoChar(buf, c);
			else
				appendStringInfo(buf, "%%%02X", (unsigned char) c);
			p += 3;
		}
		else
			appendStringInfoChar(buf, *p++);
	}
}

/* Has a host an escape of a control character?  No name has one. */
static bool
has_control(const char *host, size_t len)
{
	for (size_t i = 0; i + 2 < len; i++)
	{
		if (host[i] == '%' && url_hex_digit(host[i + 2]) >= 0 &&
			(host[i + 1] == '0' || host[i + 1] == '1' ||
			 (host[i + 1] == '7' && url_hex_digit(host[i + 2]) == 15)))
			return true;
	}
	return false;
}

/* Could the text be a host, not less nor more? */
static bool
may_be_host(const char *str)
{
	return str[0] != '\0' && str[strcspn(str, " /?#@:%<>[]\"\\")] == '\0';
}

/*
 * url_host_form
 *		A host in lower case and, if it has other letters than ASCII's, in the
 *		form of the domain name system (xn--), palloc'd.  What is not a valid
 *		name is only in lower case.
 */
char *
url_host_form(const char *host, size_t len)
{
	char	   *lower;
	char	   *name;
	char	   *ascii = NULL;
	bool		is_ascii = true;

	if (memchr(host, '%', len) != NULL && !has_control(host, len))
	{
		UrlPart		part = {host, len};
		char	   *decoded = url_decode_part(part);

		if (may_be_host(decoded))
		{
			host = decoded;
			len = strlen(decoded);
		}
	}
	lower = url_lower(host, len);
	for (const char *p = lower; *p && is_ascii; p++)
		is_ascii = !IS_HIGHBIT_SET(*p);
	if (is_ascii)
		return lower;

	name = text_to_utf8(lower, strlen(lower));
	if (name[0] == '.')			/* a domain and all that is below it */
		name++;
	if (idn2_lookup_u8((const uint8_t *) name, (uint8_t **) &ascii,
					   IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK)
	{
		/* the form of a full-width "/" is "/" */
		if (may_be_host(ascii))
			lower = psprintf("%s%s", lower[0] == '.' ? "." : "", ascii);
		idn2_free(ascii);
	}
	return lower;
}

/*
 * url_append_origin
 *		Append the scheme, the host and the port of a URL, without user and
 *		password.
 */
void
url_append_origin(StringInfo buf, const Url *parts)
{
	char	   *scheme = url_lower(parts->scheme.str ? parts->scheme.str : "", parts->scheme.len);
	const char *port = parts->port.str;
	size_t		len = parts->port.len;
	const char *usual = "";

	if (strcmp(scheme, "http") == 0)
		usual = "80";
	else if (strcmp(scheme, "https") == 0)
		usual = "443";
	appendStringInfo(buf, "%s%s//%s", scheme, scheme[0] ? ":" : "",
					 url_host_form(parts->host.str, parts->host.len));
	while (len > 1 && *port == '0')
		port++, len--;
	if (len > 0 && !(len == strlen(usual) && memcmp(port, usual, len) == 0))
		appendStringInfo(buf, ":%.*s", (int) len, port);

	/* of other schemes an empty path may be another one */
	if (parts->path.len == 0 && (usual[0] || scheme[0] == '\0'))
		appendStringInfoChar(buf, '/');
}

/*
 * url_form
 *		A whole URL in its one form, with its query and fragment, palloc'd.  A
 *		text that does not look like a URL only loses what may be credentials.
 */
char *
url_form(const char *url)
{
	Url			parts;
	StringInfoData buf;

	if (!url_split(url, &parts))
		return url_without_user(pstrdup(url));
	initStringInfo(&buf);
	url_append_origin(&buf, &parts);
	url_append_form(&buf, parts.path);
	if (parts.has_query)
		appendStringInfoChar(&buf, '?');
	url_append_form(&buf, parts.query);
	if (parts.has_fragment)
		appendStringInfoChar(&buf, '#');
	url_append_form(&buf, parts.fragment);
	return buf.data;
}

/*
 * url_cut
 *		Cut a URL in place at max bytes, neither inside a character nor inside
 *		an escape.
 */
void
url_cut(char *url, int max)
{
	size_t		len = strlen(url);

	if (len <= (size_t) max)
		return;
	text_cut_bytes(url, max);
	len = strlen(url);
	for (int back = 1; back <= 2 && (size_t) back <= len; back++)
	{
		if (url[len - back] == '%')
		{
			url[len - back] = '\0';
			break;
		}
	}
}

/*
 * url_without_user
 *		Remove "user:password@" from a URL, in place; gives its argument.  The
 *		text need not be a valid URL.
 */
char *
url_without_user(char *url)
{
	char	   *host = url + strcspn(url, "/?#");
	char	   *at = NULL;

	if (host[0] != '/' || host[1] != '/')
		return url;
	host += 2;
	for (char *p = host; *p != '\0' && *p != '/' && *p != '?' && *p != '#'; p++)
	{
		if (*p == '@')
			at = p;
	}
	if (at != NULL)
		memmove(host, at + 1, strlen(at + 1) + 1);
	return url;
}
