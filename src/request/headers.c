/*
 * headers.c
 *		Request headers in one form, whichever server wrote them.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

#include "base/args.h"
#include "base/json.h"
#include "request/headers.h"

#define FOR_MAX 64				/* bytes of an address in Forwarded, with its
								 * port */

/*
 * Is each name in lower case, and each value a scalar that is not too long?
 * Reads the JEntries: the names of an object stand together before its values.
 */
static bool
is_normal(const Jsonb *headers)
{
	const JsonbContainer *c = &headers->root;
	uint32		n = JsonContainerSize(c);
	const char *names = (const char *) &c->children[2 * n];
	uint32		len = getJsonbOffset(c, (int) n);
	bool		normal = true;

	for (uint32 i = 0; i < n; i++)
		normal &= !JBE_ISCONTAINER(c->children[n + i]);
	for (uint32 i = 0; i < len; i++)
		normal &= (unsigned char) (names[i] - 'A') >= 26;
	/* hardly any request has so much of them all */
	if (VARSIZE(headers) > HEADER_MAX)
	{
		for (uint32 i = 0; i < n; i++)
			normal &= getJsonbLength(c, (int) (n + i)) <= HEADER_MAX;
	}
	return normal;
}

/* A header's values as one, as RFC 9110 joins header lines; cookies are joined by ";". */
static char *
join_values(JsonbContainer *list, const char *separator)
{
	JsonbIterator *it = JsonbIteratorInit(list);
	JsonbIteratorToken token;
	JsonbValue	v;
	StringInfoData buf;
	bool		first = true;

	initStringInfo(&buf);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		const char *str;
		size_t		len;

		CHECK_FOR_INTERRUPTS();
		if (token != WJB_ELEM || !json_scalar(&v, &str, &len))
			continue;
		if (!first)
			appendStringInfoString(&buf, separator);
		appendBinaryStringInfo(&buf, str, (int) len);
		first = false;
	}
	return buf.data;
}

/*
 * Is a header read from its beginning?  Of any other, which may be a proxy's
 * list of addresses, the first one or the last one counts.
 */
static bool
is_read_from_start(const char *name)
{
	static const char *const names[] = {
		"accept-language", "authorization", "cookie", "referer", "user-agent"
	};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return strncmp(name, "sec-ch-", 7) == 0;
}

/*
 * Cut a value at HEADER_MAX bytes.  A client must not move the address that a
 * proxy has added out of reach, so of a list the middle goes.
 */
static void
cut_value(const char *name, JsonbValue *value)
{
	const char *str = value->val.string.val;
	int			len = value->val.string.len;
	int			rest;
	StringInfoData buf;

	if (len <= HEADER_MAX)
		return;
	if (is_read_from_start(name))
	{
		value->val.string.len = (int) header_length(str, len);
		return;
	}
	rest = pg_mbcliplen(str, len, len - HEADER_MAX / 2 + 1);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, str, pg_mbcliplen(str, len, HEADER_MAX / 2 - 1));
	appendStringInfoChar(&buf, ',');
	appendBinaryStringInfo(&buf, str + rest, len - rest);
	value->val.string.val = buf.data;
	value->val.string.len = buf.len;
}

/*
 * headers_normalise
 *		Headers, a JSON object, with names in lower case and one text for each:
 *		of a list of values, as Go and Node have them, the values joined.  Where
 *		one name comes in two forms, the one in lower case counts.  Values have
 *		at most HEADER_MAX bytes: of longer ones the end goes, of what may be a
 *		list of addresses the middle.  Returns its argument if nothing has to be changed,
 *		or if it is no object, else a copy in the current memory context.
 */
Jsonb *
headers_normalise(Jsonb *headers)
{
	JsonbParseState *state = NULL;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	key,
				value;

	if (headers == NULL || !JB_ROOT_IS_OBJECT(headers) || is_normal(headers))
		return headers;

	(void) pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	it = JsonbIteratorInit(&headers->root);
	token = JsonbIteratorNext(&it, &key, false);
	Assert(token == WJB_BEGIN_OBJECT);

	/*
	 * names come in the order of their bytes, capitals first, and the last
	 * one wins
	 */
	while ((token = JsonbIteratorNext(&it, &key, false)) == WJB_KEY)
	{
		char	   *name = pnstrdup(key.val.string.val, key.val.string.len);

		CHECK_FOR_INTERRUPTS();
		for (char *p = name; *p; p++)
			*p = pg_ascii_tolower((unsigned char) *p);
		(void) JsonbIteratorNext(&it, &value, true);
		json_push_text(&state, WJB_KEY, name);
		if (value.type == jbvBinary && JsonContainerIsArray(value.val.binary.data))
		{
			const char *joined = join_values(value.val.binary.data,
											 strcmp(name, "cookie") == 0 ? "; " : ", ");

			value.type = jbvString;
			value.val.string.val = unconstify(char *, joined);
			value.val.string.len = (int) strlen(joined);
		}
		else if (value.type == jbvBinary)
			value.type = jbvNull;	/* no header is an object */
		if (value.type == jbvString)
			cut_value(name, &value);
		(void) pushJsonbValue(&state, WJB_VALUE, &value);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

/* Read a token or a quoted string at *p, which is moved after it. */
static void
read_value(const char **p, StringInfo value)
{
	bool		quoted = **p == '"';

	resetStringInfo(value);
	if (quoted)
		(*p)++;
	for (; **p != '\0'; (*p)++)
	{
		if (quoted ? **p == '"' : (**p == ';' || **p == ','))
			break;
		if (quoted && **p == '\\' && (*p)[1] != '\0')
			(*p)++;
		appendStringInfoChar(value, **p);
	}
	if (quoted && **p == '"')
		(*p)++;
}

/*
 * headers_forwarded_for
 *		The addresses in a Forwarded header (RFC 7239), in their order, as
 *		X-Forwarded-For would have them: "for=192.0.2.43, for="[2001:db8::17]:80""
 *		is "192.0.2.43,[2001:db8::17]:80".  An element that hides its address, or
 *		tells none, is "unknown".  In the current memory context.
 */
char *
headers_forwarded_for(const char *value)
{
	StringInfoData result;
	StringInfoData part;
	const char *p = value;

	initStringInfo(&result);
	initStringInfo(&part);
	while (*p != '\0')
	{
		const char *address = "unknown";
		char		found[FOR_MAX + 1];
		bool		blank = true;	/* nothing between two commas */

		while (*p != '\0' && *p != ',')
		{
			const char *name;
			size_t		len;

			p += strspn(p, " \t;");
			name = p;
			len = strcspn(p, "=;, \t");
			p += len;
			blank &= len == 0;
			p += strspn(p, " \t");
			if (*p == '=')
			{
				p++;
				p += strspn(p, " \t");
				read_value(&p, &part);
				if (len == 3 && pg_strncasecmp(name, "for", 3) == 0 &&
					part.len > 0 && part.len <= FOR_MAX && part.data[0] != '_' &&
					strchr(part.data, ',') == NULL)
				{
					strlcpy(found, part.data, sizeof(found));
					address = found;
				}
			}
			/* what stands after a quoted string belongs to nothing */
			else if (len == 0 && *p != ',' && *p != '\0')
				p++;
		}
		if (!blank)
			appendStringInfo(&result, "%s%s", result.len > 0 ? "," : "", address);
		if (*p == ',')
			p++;
	}
	return result.data;
}
