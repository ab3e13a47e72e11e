/*
 * action.c
 *		The kind of action of a hit.
 */
#include "postgres.h"

#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "base/text.h"
#include "base/url.h"
#include "request/tracking_api.h"
#include "visit/action.h"

PG_FUNCTION_INFO_V1(pkt_action_type_name);

/*
 * The value of the first of these parameters that the query has, decoded; NULL
 * if it has none.  Names are not case-sensitive.  list: the values of "name[]"
 * count too, joined by ", ".
 */
static char *
search_param(UrlPart query, const TextList *names, bool list, bool as_matomo)
{
	for (int i = 0; i < names->n; i++)
	{
		UrlPart		rest = query;
		UrlParam	param;
		StringInfoData joined;
		char	   *last = NULL;

		joined.data = NULL;
		while (url_next_param(&rest, &param))
		{
			char	   *name = url_decode_part(param.name);
			size_t		len = strlen(name);
			bool		member = len > 2 && strcmp(name + len - 2, "[]") == 0;

			if (member)
				name[len - 2] = '\0';
			if ((!member || list) && pg_strcasecmp(name, names->items[i]) == 0)
			{
				char	   *value = url_decode_part(param.value);

				value = text_trim(as_matomo ? value : text_join_lines(value));

				if (value[0] == '\0')
					continue;
				if (!member)
					last = value;
				else
				{
					if (joined.data == NULL)
						initStringInfo(&joined);
					else
						appendStringInfoString(&joined, ", ");
					appendStringInfoString(&joined, value);
				}
			}
		}
		if (last != NULL)
			return last;
		if (joined.data != NULL)
			return joined.data;
	}
	return NULL;
}

/*
 * Does the page's URL contain a search?  Reads the query, and the fragment if
 * the query has none.  Rule: doc/internals.md, "Matomo: site search".
 */
static bool
search_in_url(const Hit *hit, const Settings *s, SiteSearch *search)
{
	Url			parts;
	char	   *clean;

	/* most URLs have no parameter at all */
	if (s->site_search_query_parameters.n == 0 || strpbrk(hit->url, "?#") == NULL)
		return false;
	clean = url_clean(hit->url);
	if (!url_split(clean, &parts))
		return false;
	for (int i = 0; i < 2; i++)
	{
		bool		as_matomo = s->recognition_rules == RULES_MATOMO;
		UrlPart		query = i == 0 ? parts.query :
			as_matomo ? parts.fragment : url_fragment_query(parts.fragment);
		char	   *keyword = search_param(query, &s->site_search_query_parameters, false,
										   as_matomo);

		if (keyword == NULL)
			continue;
		search->keyword = keyword;
		search->category = search_param(query, &s->site_search_category_parameters, true,
										as_matomo);
		if (search->category == NULL)
			search->category = pstrdup("");
		if (s->recognition_rules == RULES_MATOMO)
		{
			search->keyword = text_sanitise(search->keyword);
			search->category = text_sanitise(search->category);
		}
		return true;
	}
	return false;
}

/* Is the hit a search?  Then fill search. */
static bool
is_search(const Hit *hit, const Settings *s, SiteSearch *search)
{
	if (!s->site_search)
		return false;
	if (hit->search[0])
	{
		search->keyword = pstrdup(hit->search);
		search->category = pstrdup(hit->search_cat);
		if (s->recognition_rules != RULES_MATOMO)
		{
			search->keyword = text_join_lines(search->keyword);
			search->category = text_join_lines(search->category);
		}
		search->keyword = text_trim(search->keyword);
		search->category = text_trim(search->category);

		/*
		 * Piwik PRO's search_cats; Matomo ignores a list, since it is not a
		 * text
		 */
		if (search->category[0] == '\0' && s->recognition_rules == RULES_PIWIK && hit->n_others > 0)
		{
			search->category = tracking_api_list(hit, "search_cat");
			if (search->category[0] == '\0')
				search->category = tracking_api_list(hit, "search_cats");
			if (search->category[0] == '\0')
				search->category = text_trim(tracking_api_other(hit, "search_cats"));
		}
		if (search->keyword[0])
			return true;
	}
	return search_in_url(hit, s, search);
}

/* Is the text empty or white space only? */
static bool
is_white(const char *str)
{
	return text_trim(pstrdup(str))[0] == '\0';
}

/* Does a click have an address?  White space is not one: nothing would be stored of it. */
static bool
is_click(const char *url)
{
	return url[0] != '\0' && url_clean(url)[0] != '\0';
}

/*
 * action_kind
 *		The kind of action of a hit: the last that applies, in the order page
 *		view, search, content, event, outlink, download, wins; see
 *		doc/internals.md, "Matomo: kinds of action".  Fills search for a site
 *		search.  Pings are those of Piwik PRO, 1 to 6; Matomo knows only 1 and
 *		ignores other numbers.
 */
ActionKind
action_kind(const Hit *hit, const Settings *s, SiteSearch *search)
{
	if (hit->ping == 1 ||
		(s->recognition_rules == RULES_PIWIK && hit->ping >= 1 && hit->ping <= 6))
		return ACTION_PING;
	if (hit->idgoal == 0)
		return ACTION_ECOMMERCE;
	if (hit->idgoal > 0)
		return ACTION_GOAL;
	if (is_click(hit->download))
		return ACTION_DOWNLOAD;
	if (is_click(hit->link))
		return ACTION_OUTLINK;
	if (hit->e_c[0] && hit->e_a[0])
		return ACTION_EVENT;
	if (hit->c_n[0] && !is_white(hit->c_n))
		return ACTION_CONTENT;
	if (is_search(hit, s, search))
		return ACTION_SITE_SEARCH;
	return ACTION_PAGE_VIEW;
}

/*
 * action_invalid
 *		The parameter that makes a hit of this kind invalid, or NULL: an event
 *		without category or action, a custom action of an unknown kind.
 */
const char *
action_invalid(ActionKind kind, const Hit *hit)
{
	if (kind == ACTION_EVENT)
	{
		if (is_white(hit->e_c))
			return "e_c";
		if (is_white(hit->e_a))
			return "e_a";
	}
	if (kind == ACTION_PAGE_VIEW && hit->ca == 1)
		return "ca";
	return NULL;
}

const char *
action_kind_word(ActionKind kind)
{
	switch (kind)
	{
		case ACTION_PAGE_VIEW:
			return "page_view";
		case ACTION_SITE_SEARCH:
			return "site_search";
		case ACTION_CONTENT:
			return "content";
		case ACTION_EVENT:
			return "event";
		case ACTION_OUTLINK:
			return "outlink";
		case ACTION_DOWNLOAD:
			return "download";
		case ACTION_GOAL:
			return "goal";
		case ACTION_ECOMMERCE:
			return "ecommerce";
		case ACTION_PING:
			return "ping";
	}
	return "unknown";
}

/*
 * pkt_action_type_name
 *		SQL: action_type_name(smallint) → text.
 */
Datum
pkt_action_type_name(PG_FUNCTION_ARGS)
{
	static const char *const words[] = {
		NULL, "page", "outlink", "download", "title", "sku", "item", "item category",
		"search", NULL, "event", "event action", "event name", "content",
		"content piece", "content target", "content interaction"
	};
	int16		code = PG_GETARG_INT16(0);

	if (code < 0 || code >= (int) lengthof(words) || words[code] == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(words[code]));
}
