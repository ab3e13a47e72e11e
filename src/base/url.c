/*
 * url.c
 *		The form in which the dictionary stores URLs.  Rule: doc/internals.md, "Matomo: texts".
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"

#include "base/text.h"
#include "base/url.h"
#include "base/url_form.h"

/*
 * Rules of a site.  Names are sorted.  Regular expressions are the server's
 * own; one that does not compile matches nothing.
 */
struct UrlRules
{
	bool		keep_fragment;
	bool		as_matomo;		/* parameters escaped, of equal ones the last */
	int			max_length;		/* bytes */
	int			n_names;
	char	  **names;			/* lower case */
	int			n_expressions;
	regex_t    *expressions;
	MemoryContextCallback release;
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/*
 * Is it /regex/, with PCRE's flags after it or without?  Then give its inner
 * part.
 */
static bool
is_expression(const char *entry, UrlPart *inner)
{
	const char *last = strrchr(entry, '/');

	if (entry[0] != '/' || last == entry || strspn(last + 1, "imsuxUD") != strlen(last + 1))
		return false;
	inner->str = entry + 1;
	inner->len = last - (entry + 1);
	return inner->len > 0;
}

static void
add_expression(UrlRules *rules, UrlPart inner)
{
	pg_wchar   *wide = palloc((inner.len + 1) * sizeof(pg_wchar));
	int			n = pg_mb2wchar_with_len(inner.str, wide, (int) inner.len);

	if (pg_regcomp(&rules->expressions[rules->n_expressions], wide, n,
				   REG_ADVANCED | REG_ICASE | REG_NOSUB, C_COLLATION_OID) == REG_OKAY)
		rules->n_expressions++;
	pfree(wide);
}

static void
add_list(UrlRules *rules, const TextList *list)
{
	for (int i = 0; i < list->n; i++)
	{
		UrlPart		inner;

		if (is_expression(list->items[i], &inner))
			add_expression(rules, inner);
		else if (list->items[i][0] != '\0')
		{
			UrlPart		whole = {list->items[i], strlen(list->items[i])};

			rules->names[rules->n_names++] = url_param_name(whole);
		}
	}
}

/* Before 16, compiled expressions live outside of memory contexts. */
#if PG_VERSION_NUM < 160000
static void
release_expressions(void *arg)
{
	UrlRules   *rules = arg;

	for (int i = 0; i < rules->n_expressions; i++)
		pg_regfree(&rules->expressions[i]);
}
#endif

/*
 * url_rules_create
 *		Rules in the current memory context; they live as long as it does.
 *		Invalid expressions are ignored.
 */
UrlRules *
url_rules_create(const UrlRulesInput *in)
{
	UrlRules   *rules = palloc0(sizeof(UrlRules));
	int			n = 0;

	for (int i = 0; i < in->n_lists; i++)
		n += in->lists[i]->n;

	rules->keep_fragment = in->keep_fragment;
	rules->as_matomo = in->as_matomo;
	rules->max_length = in->max_length;
	rules->names = palloc((n + 2) * sizeof(char *));
	rules->expressions = palloc0((n + 1) * sizeof(regex_t));
#if PG_VERSION_NUM < 160000
	rules->release.func = release_expressions;
	rules->release.arg = rules;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &rules->release);
#endif

	rules->names[rules->n_names++] = pstrdup("ignore_referrer");
	rules->names[rules->n_names++] = pstrdup("ignore_referer");
	for (int i = 0; i < in->n_lists; i++)
		add_list(rules, in->lists[i]);
	qsort(rules->names, rules->n_names, sizeof(char *), compare_names);
	return rules;
}

/* Is the parameter one that is removed? */
static bool
is_excluded(UrlPart part, const UrlRules *rules, const char *const *more)
{
	char	   *name = url_param_name(part);
	bool		found;

	found = bsearch(&name, rules->names, rules->n_names, sizeof(char *), compare_names) != NULL;
	for (; !found && more != NULL && *more != NULL; more++)
		found = strcmp(name, *more) == 0;

	if (!found && rules->n_expressions > 0)
	{
		size_t		len = strlen(name);
		pg_wchar   *wide = palloc((len + 1) * sizeof(pg_wchar));
		int			n = pg_mb2wchar_with_len(name, wide, (int) len);

		for (int i = 0; !found && i < rules->n_expressions; i++)
		{
			int			rc = pg_regexec(&rules->expressions[i], wide, n, 0, NULL, 0, NULL, 0);

			CHECK_FOR_INTERRUPTS();
			found = rc == REG_OKAY;
		}
		pfree(wide);
	}
	pfree(name);
	return found;
}

/* The five HTML escapes that a URL may have. */
static char *
unescape_html(const char *url)
{
	static const struct
	{
		const char *escape;
		char		c;
	}			escapes[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'},
		{"&#039;", '\''}, {"&#39;", '\''}, {"&#x27;", '\''}, {"&apos;", '\''}
	};
	char	   *result = pstrdup(url);
	char	   *to = result;
	const char *p = url;

	if (strchr(url, '&') == NULL)
		return result;
	while (*p)
	{
		size_t		l = 0;

		for (int i = 0; *p == '&' && i < (int) lengthof(escapes) && l == 0; i++)
		{
			if (strncmp(p, escapes[i].escape, strlen(escapes[i].escape)) == 0)
			{
				l = strlen(escapes[i].escape);
				*to++ = escapes[i].c;
			}
		}
		if (l == 0)
			*to++ = *p++;
		p += l;
	}
	*to = '\0';
	return result;
}

/*
 * url_clean
 *		A URL without HTML escapes, white space at its ends, and line breaks.
 */
char *
url_clean(const char *url)
{
	return text_trim(unescape_html(url));
}

/*
 * Matrix parameters (";a=b" in the path) become query parameters.  Only in the
 * path: a semicolon in the fragment belongs to the page.
 */
static void
convert_matrix(char *url)
{
	char	   *authority = strstr(url, "//");
	char	   *path;
	char	   *semicolon;
	char	   *fragment;

	if (authority == NULL)
		return;
	path = authority + 2;
	path += strcspn(path, "/?#");
	semicolon = path + strcspn(path, ";?#");
	if (*semicolon != ';')
		return;
	fragment = semicolon + strcspn(semicolon, "#");
	*semicolon = '?';
	for (char *p = semicolon + 1; p < fragment; p++)
	{
		if (*p == ';' || *p == '?')
			*p = '&';
	}
}

static void
append_part(StringInfo buf, UrlPart part)
{
	if (part.len > 0)
		appendBinaryStringInfo(buf, part.str, (int) part.len);
}

static bool
same_name(UrlPart a, UrlPart b)
{
	return a.len == b.len && memcmp(a.str, b.str, a.len) == 0;
}

/* Is it "name[]", which may be sent many times? */
static bool
is_list(UrlPart name)
{
	return (name.len >= 2 && strncmp(name.str + name.len - 2, "[]", 2) == 0) ||
		(name.len >= 6 && pg_strncasecmp(name.str + name.len - 6, "%5B%5D", 6) == 0);
}

/*
 * Of parameters with the same name Matomo keeps the last value, at the
 * position of the first.  False if the parameter is not the first.
 */
static bool
take_last_value(UrlPart query, UrlParam *param)
{
	UrlParam	other;

	if (is_list(param->name))
		return true;
	while (url_next_param(&query, &other))
	{
		if (!same_name(other.name, param->name))
			continue;
		if (other.name.str < param->name.str)
			return false;
		param->value = other.value;
		param->has_value = other.has_value;
	}
	return true;
}

/*
 * Append a part that has no parameters.  With Matomo's rules it is not brought
 * into the form of equal URLs.
 */
static void
append_text(StringInfo buf, UrlPart part, const UrlRules *rules)
{
	if (rules->as_matomo)
		append_part(buf, part);
	else
		url_append_form(buf, part);
}

/* Append a name or value, with markup escaped as Matomo stores it. */
static void
append_word(StringInfo buf, UrlPart part, const UrlRules *rules)
{
	if (!rules->as_matomo)
		url_append_form(buf, part);
	else if (part.len > 0)
		appendStringInfoString(buf, text_sanitise(pnstrdup(part.str, part.len)));
}

/* Append the parameters that are kept, after the mark if there are any. */
static void
append_params(StringInfo buf, char mark, UrlPart query, const UrlRules *rules,
			  const char *const *more)
{
	UrlPart		rest = query;
	UrlParam	param;

	while (url_next_param(&rest, &param))
	{
		if (is_excluded(param.name, rules, more) ||
			(rules->as_matomo && !take_last_value(query, &param)))
			continue;
		appendStringInfoChar(buf, mark);
		append_word(buf, param.name, rules);
		if (param.has_value)
			appendStringInfoChar(buf, '=');
		append_word(buf, param.value, rules);
		mark = '&';
	}
}

/* Brackets of lists are not escaped. */
static void
decode_brackets(char *str)
{
	char	   *to = str;

	for (const char *p = str; *p;)
	{
		if (p[0] == '%' && p[1] == '5' && (p[2] == 'B' || p[2] == 'b'))
		{
			*to++ = '[';
			p += 3;
		}
		else if (p[0] == '%' && p[1] == '5' && (p[2] == 'D' || p[2] == 'd'))
		{
			*to++ = ']';
			p += 3;
		}
		else
			*to++ = *p++;
	}
	*to = '\0';
}

/* Append the scheme, the host and the port as they were sent, but for the host's case. */
static void
append_origin(StringInfo buf, const Url *parts)
{
	append_part(buf, parts->scheme);
	appendStringInfoString(buf, parts->scheme.len > 0 ? "://" : "//");
	appendStringInfoString(buf, url_lower(parts->host.str, parts->host.len));
	if (parts->port.len > 0)
	{
		appendStringInfoChar(buf, ':');
		append_part(buf, parts->port);
	}
}

/*
 * url_normalise
 *		The form of a URL that is stored, never with user and password; see
 *		doc/internals.md, "Equal URLs" and "Matomo: texts".  NULL if it does
 *		not look like a URL.
 */
char *
url_normalise(const char *url, const UrlRules *rules)
{
	return url_normalise_without(url, rules, NULL);
}

/*
 * url_normalise_without
 *		The same, with more parameters to remove: names in lower case, followed
 *		by NULL.
 */
char *
url_normalise_without(const char *url, const UrlRules *rules, const char *const *names)
{
	char	   *clean = url_clean(url);
	Url			parts;
	StringInfoData buf;

	url_cut(clean, rules->max_length);
	convert_matrix(clean);
	if (!url_split(clean, &parts))
		return NULL;
	if (!rules->keep_fragment)
		parts.has_fragment = false;
	else if (parts.fragment.len > 0 && parts.fragment.str[parts.fragment.len - 1] == '#')
		parts.fragment.len--;

	initStringInfo(&buf);
	if (rules->as_matomo)
		append_origin(&buf, &parts);
	else
		url_append_origin(&buf, &parts);
	append_text(&buf, parts.path, rules);
	append_params(&buf, '?', parts.query, rules, names);
	if (parts.has_fragment && parts.fragment.len > 0)
	{
		UrlPart		own = url_fragment_query(parts.fragment);

		if (own.str != parts.fragment.str && !rules->as_matomo)
		{
			UrlPart		route = {parts.fragment.str, own.str - 1 - parts.fragment.str};
			int			before = buf.len;

			appendStringInfoChar(&buf, '#');
			append_text(&buf, route, rules);
			append_params(&buf, '?', own, rules, names);
			if (buf.len == before + 1)	/* nothing is left */
				buf.data[--buf.len] = '\0';
		}
		/* a page may keep its parameters in the fragment alone */
		else if (parts.query.len == 0)
			append_params(&buf, '#', parts.fragment, rules, names);
		else
		{
			appendStringInfoChar(&buf, '#');
			append_text(&buf, parts.fragment, rules);
		}
	}
	decode_brackets(buf.data);
	url_cut(buf.data, rules->max_length);	/* escaping may have made it
											 * longer */
	return buf.data;
}

/*
 * url_keep_only
 *		A URL without user, fragment, matrix parameters and all query
 *		parameters but those named (in any case).  Of a URL without a host that
 *		is not a path (mailto:, tel:, data:) only the scheme remains.
 */
char *
url_keep_only(const char *url, const TextList *names)
{
	Url			parts;
	UrlPart		query;
	UrlParam	param;
	StringInfoData buf;
	bool		first = true;

	initStringInfo(&buf);
	if (!url_split(url, &parts) || parts.host.len == 0)
	{
		const char *colon = strpbrk(url, ":/\\?#@");
		const char *path = url;
		const char *at;
		size_t		len;

		if (colon != NULL && *colon == ':' && colon > url && strpbrk(colon, "/\\") != colon + 1)
			return pnstrdup(url, colon - url + 1);
		/* the text before an @ may name a user */
		len = strcspn(path, "?#;");
		while ((at = memchr(path, '@', len)) != NULL)
		{
			len -= at + 1 - path;
			path = at + 1;
		}
		return pnstrdup(path, len);
	}
	if (parts.scheme.len > 0)
		appendStringInfo(&buf, "%.*s:", (int) parts.scheme.len, parts.scheme.str);
	appendStringInfo(&buf, "//%.*s", (int) parts.host.len, parts.host.str);
	if (parts.port.len > 0)
		appendStringInfo(&buf, ":%.*s", (int) parts.port.len, parts.port.str);
	for (size_t i = 0; i < parts.path.len; i++)
	{
		while (i < parts.path.len && parts.path.str[i] == ';')
			while (++i < parts.path.len && parts.path.str[i] != '/' && parts.path.str[i] != ';')
				;
		if (i < parts.path.len)
			appendStringInfoCharMacro(&buf, parts.path.str[i]);
	}

	query = parts.query;
	while (names->n > 0 && url_next_param(&query, &param))
	{
		char	   *name = url_decode_part(param.name);
		bool		keep = false;

		for (int i = 0; i < names->n && !keep; i++)
			keep = pg_strcasecmp(name, names->items[i]) == 0;
		if (keep)
		{
			const char *end = param.has_value ? memchr(param.value.str, ';', param.value.len)
				: NULL;

			appendStringInfo(&buf, "%c%.*s", first ? '?' : '&', (int) param.name.len,
							 param.name.str);
			if (param.has_value)
				appendStringInfo(&buf, "=%.*s",
								 (int) (end ? end - param.value.str : (ptrdiff_t) param.value.len),
								 param.value.str);
			first = false;
		}
		pfree(name);
	}
	return buf.data;
}
