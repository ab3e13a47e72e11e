/*
 * referrer.c
 *		The referrer of a visit: its type, name, keyword and URL.  Rule:
 *		doc/internals.md, "Matomo: referrers".
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/text.h"
#include "base/url_form.h"
#include "enrich/referrer.h"
#include "enrich/referrer_lists.h"

PG_FUNCTION_INFO_V1(pkt_referrer_changed);

#define NAME_MAX_CHARS 255		/* of names and keywords */
#define URL_MAX_CHARS 1500

/* ---- lists of engines and networks ------------------------------------ */

/* An engine, network or assistant under one of its hosts. */
typedef struct ListEntry
{
	char	   *host;
	const char *path;			/* the beginning of the path, "" for any */
	ReferrerKind kind;
	const char *name;
	int			n_params;
	char	  **params;
	const char *hidden;			/* as in KnownEngine */
} ListEntry;

struct ReferrerList
{
	int			n;
	int			allocated;
	ListEntry  *entries;		/* by host, kind, longest path first */
};

static ReferrerList *known = NULL;

/*
 * referrer_list_create
 *		An empty list in the current memory context, in which entries must be
 *		added too.
 */
ReferrerList *
referrer_list_create(void)
{
	ReferrerList *list = palloc0(sizeof(ReferrerList));

	list->allocated = 16;
	list->entries = palloc_array(ListEntry, list->allocated);
	return list;
}

static ListEntry *
new_entry(ReferrerList *list)
{
	if (list->n == list->allocated)
	{
		list->allocated *= 2;
		list->entries = repalloc_array(list->entries, ListEntry, list->allocated);
	}
	return &list->entries[list->n++];
}

/* Without "www.". */
static const char *
without_www(const char *host)
{
	return strncmp(host, "www.", 4) == 0 && host[4] ? host + 4 : host;
}

/*
 * referrer_list_add
 *		Add one host of an engine, a network or an assistant, with or without scheme and
 *		path.  params: the parameters with an engine's keyword; an engine
 *		without parameters matches every URL of its host.  Name and params are
 *		not copied.  False if the text has no host.
 */
bool
referrer_list_add(ReferrerList *list, ReferrerKind kind, const char *name,
				  const char *host, int n_params, char **params)
{
	const char *scheme = strstr(host, "://");
	ListEntry  *entry;
	size_t		len;

	if (scheme)
		host = scheme + 3;
	if (pg_strncasecmp(host, "www.", 4) == 0)
		host += 4;
	len = strcspn(host, "/");
	if (len == 0)
		return false;

	entry = new_entry(list);
	entry->host = url_host_form(host, len);
	entry->path = host[len] == '\0' || strcmp(host + len, "/") == 0 ? "" : pstrdup(host + len);
	entry->kind = kind;
	entry->name = name;
	entry->n_params = n_params;
	entry->params = params;
	entry->hidden = n_params == 0 ? "*" : NULL;
	return true;
}

static int
compare_entries(const void *a, const void *b)
{
	const ListEntry *x = a;
	const ListEntry *y = b;
	int			c = strcmp(x->host, y->host);

	if (c == 0)
		c = (int) x->kind - (int) y->kind;
	if (c == 0)
		c = (strlen(x->path) < strlen(y->path)) - (strlen(x->path) > strlen(y->path));
	if (c == 0)
		c = strcmp(x->path, y->path);
	if (c == 0)
		c = strcmp(x->name, y->name);
	return c;
}

/* referrer_list_finish: make a list ready for look-ups. */
void
referrer_list_finish(ReferrerList *list)
{
	qsort(list->entries, list->n, sizeof(ListEntry), compare_entries);
}

/* The words of a blank-separated list. */
static int
words(const char *str, char ***result)
{
	char	   *copy = pstrdup(str);
	int			n = 1;

	for (const char *p = str; *p; p++)
		n += *p == ' ';
	*result = palloc_array(char *, n);
	n = 0;
	for (char *p = strtok(copy, " "); p != NULL; p = strtok(NULL, " "))
		(*result)[n++] = p;
	return n;
}

/* Add the networks or assistants of a table. */
static void
add_networks(ReferrerList *list, ReferrerKind kind, const KnownNetwork *table, int n_table)
{
	for (int i = 0; i < n_table; i++)
	{
		char	  **hosts;
		int			n = words(table[i].hosts, &hosts);

		for (int j = 0; j < n; j++)
			(void) referrer_list_add(list, kind, table[i].name, hosts[j], 0, NULL);
		pfree(hosts[0]);
		pfree(hosts);
	}
}

/* The list in code, sorted at its first use. */
static const ReferrerList *
known_list(void)
{
	if (known == NULL)
	{
		MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pk_tracking referrers",
													  ALLOCSET_DEFAULT_SIZES);
		MemoryContext old = MemoryContextSwitchTo(context);
		ReferrerList *list = referrer_list_create();
		char	  **hosts;

		for (int i = 0; i < n_known_engines; i++)
		{
			const KnownEngine *e = &known_engines[i];
			char	  **params;
			int			n_params = words(e->parameters, &params);
			int			n = words(e->hosts, &hosts);

			for (int j = 0; j < n; j++)
			{
				(void) referrer_list_add(list, KIND_SEARCH_ENGINE, e->name, hosts[j], n_params,
										 params);
				list->entries[list->n - 1].hidden = e->hidden;
			}
			pfree(hosts[0]);
			pfree(hosts);
		}
		add_networks(list, KIND_SOCIAL_NETWORK, known_networks, n_known_networks);
		add_networks(list, KIND_AI_ASSISTANT, known_assistants, n_known_assistants);
		referrer_list_finish(list);
		MemoryContextSwitchTo(old);
		MemoryContextSetParent(context, TopMemoryContext);
		known = list;
	}
	return known;
}

/* Does the path begin with this prefix, and end there or at a boundary? */
static bool
path_begins(const char *path, const char *beginning)
{
	size_t		len = strlen(beginning);

	if (len == 0)
		return true;
	if (strncmp(path, beginning, len) != 0)
		return false;
	return beginning[len - 1] == '/' || path[len] == '\0' || !isalnum((unsigned char) path[len]);
}

/* The entry with exactly this host. */
static const ListEntry *
find_host(const ReferrerList *list, ReferrerKind kind, const char *host, const char *path)
{
	int			low = 0,
				high = list->n;

	while (low < high)
	{
		int			mid = low + (high - low) / 2;

		if (strcmp(list->entries[mid].host, host) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < list->n && strcmp(list->entries[low].host, host) == 0; low++)
	{
		if (list->entries[low].kind == kind && path_begins(path, list->entries[low].path))
			return &list->entries[low];
	}
	return NULL;
}

static inline bool
is_country(const char *label, size_t len)
{
	return len == 2 && label[0] >= 'a' && label[0] <= 'z' && label[1] >= 'a' && label[1] <= 'z';
}

/*
 * The host with "{}" in place of its last labels if they are a country's, or
 * com; else NULL.
 */
static char *
country_end(const char *host)
{
	static const char *const second[] = {"com", "co", "ne", "org", "net"};
	const char *last = strrchr(host, '.');
	size_t		keep;

	if (last == NULL || last == host)
		return NULL;
	keep = last - host;
	if (is_country(last + 1, strlen(last + 1)))
	{
		const char *p = last;

		while (p > host && p[-1] != '.')
			p--;
		for (int i = 0; p > host + 1 && i < (int) lengthof(second); i++)
		{
			if ((size_t) (last - p) == strlen(second[i]) && strncmp(p, second[i], last - p) == 0)
			{
				keep = p - 1 - host;
				break;
			}
		}
	}
	else if (strcmp(last, ".com") != 0)
		return NULL;
	return psprintf("%.*s.{}", (int) keep, host);
}

/* The entry with this host, or with the host for all countries. */
static const ListEntry *
find_pattern(const ReferrerList *list, ReferrerKind kind, const char *host, const char *path)
{
	const ListEntry *found = find_host(list, kind, host, path);
	char	   *end;

	if (found != NULL)
		return found;
	end = country_end(host);
	if (end != NULL)
		found = find_host(list, kind, end, path);
	if (found == NULL && host[0] && host[1] && host[2] == '.' && is_country(host, 2))
	{
		char	   *begin = psprintf("{}%s", host + 2);

		found = find_host(list, kind, begin, path);
		pfree(begin);
	}
	if (end != NULL)
		pfree(end);
	return found;
}

/* ---- parts of the detection ------------------------------------------- */

/* A referrer or page URL, split into its parts. */
typedef struct Address
{
	const char *text;
	bool		valid;
	Url			parts;
	char	   *host;			/* in the form of equal hosts */
	char	   *path;
} Address;

static char *
part_text(UrlPart part)
{
	return pnstrdup(part.str ? part.str : "", part.len);
}

static void
read_page(const char *url, Address *page)
{
	memset(page, 0, sizeof(*page));
	page->text = url_clean(url ? url : "");
	page->valid = url_split(page->text, &page->parts);
	page->host = url_host_form(page->parts.host.str ? page->parts.host.str : "",
							   page->parts.host.len);
	page->path = part_text(page->parts.path);
	if (!page->valid)
	{
		/*
		 * apps send texts that are not URLs: their query string is read all
		 * the same
		 */
		const char *mark = page->text +strcspn(page->text, "?#");

		if (*mark == '?')
		{
			page->parts.query.str = mark + 1;
			page->parts.query.len = strcspn(mark + 1, "#");
			mark += 1 + page->parts.query.len;
		}
		if (*mark == '#')
		{
			page->parts.fragment.str = mark + 1;
			page->parts.fragment.len = strlen(mark + 1);
		}
	}
}

/* The host as it is stored: in Matomo as it was sent, in lower case. */
static const char *
stored_host(const ReferrerInput *in, const Address *page)
{
	if (in->s->recognition_rules == RULES_MATOMO && page->parts.host.len > 0)
		return url_lower(page->parts.host.str, page->parts.host.len);
	return page->host;
}

/* Reduce the fragment to its own query, which Matomo does not know. */
static void
own_queries(const ReferrerInput *in, Address *page)
{
	if (in->s->recognition_rules != RULES_MATOMO)
		page->parts.fragment = url_fragment_query(page->parts.fragment);
}

/* A copy, cut to its bound. */
static char *
bounded(const char *str, int max)
{
	char	   *copy = pstrdup(str);

	text_cut_chars(copy, max);
	return copy;
}

/* A name or keyword of a campaign or search: in lower case, trimmed. */
static char *
lower_bounded(const char *str)
{
	char	   *lower = url_lower(str, strlen(str));

	text_cut_chars(lower, NAME_MAX_CHARS);
	return lower;
}

/* Equal except for case; NULL counts as empty. */
static bool
same_text(const char *a, const char *b)
{
	char	   *x = url_lower(a ? a : "", a ? strlen(a) : 0);
	char	   *y = url_lower(b ? b : "", b ? strlen(b) : 0);
	bool		same = strcmp(x, y) == 0;

	pfree(x);
	pfree(y);
	return same;
}

/* The first of the parameters that is not empty, trimmed; NULL if there is none. */
static char *
first_param(UrlPart query, const TextList *names)
{
	for (int i = 0; query.len > 0 && i < names->n; i++)
	{
		char	   *value = url_param(query, names->items[i]);

		if (value != NULL)
		{
			value = text_trim(value);
			if (value[0] != '\0')
				return value;
		}
	}
	return NULL;
}

/* The same from tracking parameters. */
static char *
first_tracking_param(const ReferrerInput *in, const TextList *names)
{
	for (int i = 0; i < names->n; i++)
	{
		for (int j = in->n_params - 1; j >= 0; j--)
		{
			if (strcmp(in->params[j].name, names->items[i]) == 0)
			{
				char	   *value = text_trim(pstrdup(in->params[j].value));

				if (value[0] != '\0')
					return value;
				break;
			}
		}
	}
	return NULL;
}

/* Does the host end with this tail, after a dot? */
static bool
host_ends(const char *host, const char *tail)
{
	size_t		h = strlen(host);
	size_t		t = strlen(tail);

	return h >= t && strcmp(host + h - t, tail) == 0 && (h == t || host[h - t - 1] == '.');
}

/*
 * Is the referrer in the list of excluded ones?  An entry is a host, or
 * ".host" with all its sub-domains, and optionally the beginning of a path.
 */
static bool
is_ignored(const Address *ref, const TextList *list)
{
	for (int i = 0; i < list->n; i++)
	{
		const char *entry = list->items[i];
		const char *scheme = strstr(entry, "://");
		const char *path;
		char	   *host;
		bool		same;

		if (scheme)
			entry = scheme + 3;
		path = entry + strcspn(entry, "/");
		if (path == entry)
			continue;
		host = url_host_form(entry, path - entry);
		if (host[0] == '.')
			same = host_ends(ref->host, host + 1);
		else
			same = strcmp(without_www(host), without_www(ref->host)) == 0;
		pfree(host);
		if (same && (path[0] == '\0' || strcmp(path, "/") == 0 ||
					 strncmp(ref->path, path, strlen(path)) == 0))
			return true;
	}
	return false;
}

/*
 * site_url_read
 *		A URL of a site, prepared for comparison.  False if it is not a URL.
 *		The scheme and "//" may be missing; a host that begins with a dot means
 *		all its sub-domains.
 */
bool
site_url_read(const char *url, int32 idsite, SiteUrl *out)
{
	Address		page;

	if (strstr(url, "//") == NULL)
		url = psprintf("//%s", url);
	read_page(url, &page);
	if (!page.valid || page.host[0] == '\0')
		return false;
	out->idsite = idsite;
	out->host = pstrdup(without_www(page.host));
	out->path = psprintf("%s%s", page.path,
						 page.path[0] && page.path[strlen(page.path) - 1] == '/' ? "" : "/");
	return true;
}

/*
 * The site's URL to which a page belongs: the one with the longest path.  NULL
 * if the page belongs to no known site; *own tells whether it belongs to this
 * site.
 */
static const char *
matching_site(const ReferrerInput *in, const Address *page, bool *own)
{
	const char *host = without_www(page->host);
	size_t		len = strlen(page->path);
	char	   *path = psprintf("%s%s", page->path, len > 0 &&
								page->path[len - 1] == '/' ? "" : "/");
	const char *best = NULL;

	*own = false;
	for (int i = 0; i < in->n_sites; i++)
	{
		const SiteUrl *site = &in->sites[i];

		if (site->host[0] == '.' ? !host_ends(host, site->host + 1) : strcmp(host, site->host) != 0)
			continue;
		if (strncmp(path, site->path, strlen(site->path)) != 0)
			continue;
		if (best == NULL || strlen(site->path) > strlen(best))
		{
			best = site->path;
			*own = site->idsite == in->idsite;
		}
		else if (strlen(site->path) == strlen(best) && site->idsite == in->idsite)
			*own = true;
	}
	return best;
}

/* Is this path, query and fragment one on which no keyword is expected? */
static bool
is_hidden(const char *rest, const char *hidden)
{
	if (rest[0] == '\0' || strcmp(rest, "/") == 0)
		return true;
	while (hidden != NULL && *hidden)
	{
		size_t		len = strcspn(hidden, " ");

		if (len > 0 && hidden[len - 1] == '*')
		{
			if (strncmp(rest, hidden, len - 1) == 0)
				return true;
		}
		else if (strlen(rest) == len && strncmp(rest, hidden, len) == 0)
			return true;
		hidden += len;
		hidden += strspn(hidden, " ");
	}
	return false;
}

/* A parameter of the query, else of the fragment, which some engines use. */
static char *
page_param(const Address *page, const char *name)
{
	char	   *value = page->parts.query.len > 0 ? url_param(page->parts.query, name) : NULL;

	if (value == NULL && page->parts.fragment.len > 0)
		value = url_param(page->parts.fragment, name);
	return value;
}

/* Google's form for advanced searches, as the user would have typed it. */
static char *
advanced_search(const Address *page)
{
	char	   *all = page_param(page, "as_q");
	char	   *any = page_param(page, "as_oq");
	char	   *phrase = page_param(page, "as_epq");
	char	   *none = page_param(page, "as_eq");
	StringInfoData buf;

	initStringInfo(&buf);
	if (all && *all)
		appendStringInfo(&buf, " %s", all);
	if (any && *any)
	{
		appendStringInfoChar(&buf, ' ');
		for (const char *p = any; *p; p++)
		{
			if (*p == ' ')
				appendStringInfoString(&buf, " OR ");
			else
				appendStringInfoChar(&buf, *p);
		}
	}
	if (phrase && *phrase)
		appendStringInfo(&buf, " \"%s\"", phrase);
	if (none && *none)
		appendStringInfo(&buf, " -%s", none);
	return text_trim(buf.data);
}

/*
 * Is the page a search engine's?  Then give its name, and the keyword or NULL.
 */
static bool
detect_search(const ReferrerList *list, const Address *ref, const char **name, const char **keyword)
{
	const ListEntry *e = find_pattern(list, KIND_SEARCH_ENGINE, without_www(ref->host), ref->path);
	char	   *value = NULL;
	bool		present = false;

	if (e == NULL)
		return false;
	*name = e->name;
	*keyword = NULL;

	if (strncmp(e->name, "Google", 6) == 0 && strstr(ref->text, "as_") != NULL)
		value = advanced_search(ref);
	for (int i = 0; i < e->n_params && (value == NULL || *value == '\0'); i++)
	{
		char	   *v = page_param(ref, e->params[i]);

		if (v != NULL)
		{
			present = true;
			value = text_trim(v);
		}
	}
	if (value == NULL || *value == '\0')
	{
		/* the path, and everything after it */
		if (!present && !is_hidden(ref->parts.path.str ? ref->parts.path.str : "", e->hidden))
			return false;
	}
	else
		*keyword = lower_bounded(value);

	if (strcmp(e->name, "Google") == 0)
	{
		char	   *tbm = page_param(ref, "tbm");

		if (tbm && strcmp(tbm, "isch") == 0)
			*name = "Google Images";
		else if (tbm && strcmp(tbm, "vid") == 0)
			*name = "Google Video";
		else if (tbm && strcmp(tbm, "shop") == 0)
			*name = "Google Shopping";
	}
	return true;
}

/* Is the host a network's or an assistant's, or below one? */
static bool
detect_network(const ReferrerList *list, ReferrerKind kind, const char *host, const char *path,
			   const char **name)
{
	while (host != NULL)
	{
		const ListEntry *e = find_pattern(list, kind, host, path);

		if (e != NULL)
		{
			*name = e->name;
			return true;
		}
		host = strchr(host, '.');
		if (host != NULL)
			host++;
	}
	return false;
}

/*
 * Assistants, search engines, then networks; in the user's own list before the
 * one in code.  Assistants come first because they live on hosts of engines.
 */
static bool
detect_known(const ReferrerInput *in, const Address *ref, Referrer *out)
{
	for (int i = 0; i < 2; i++)
	{
		const ReferrerList *list = i == 0 ? in->own : known_list();

		if (list == NULL || list->n == 0)
			continue;
		if (in->s->recognition_rules != RULES_MATOMO &&
			detect_network(list, KIND_AI_ASSISTANT, ref->host, ref->path, &out->name))
		{
			out->type = REFERRER_AI_ASSISTANT;
			return true;
		}
		if (detect_search(list, ref, &out->name, &out->keyword))
		{
			out->type = REFERRER_SEARCH;
			return true;
		}
		if (detect_network(list, KIND_SOCIAL_NETWORK, ref->host, ref->path, &out->name))
		{
			out->type = REFERRER_SOCIAL;
			return true;
		}
	}
	return false;
}

/* The keyword of a search, for a campaign without one. */
static const char *
search_keyword(const ReferrerInput *in, const Address *ref)
{
	const char *name;
	const char *keyword = NULL;

	if (in->own == NULL || !detect_search(in->own, ref, &name, &keyword))
		(void) detect_search(known_list(), ref, &name, &keyword);
	return keyword;
}

/*
 * Is it a campaign?  Tries the parameters of the page's query string, then of
 * its fragment, then the referrer, then tracking parameters.
 */
static bool
detect_campaign(const ReferrerInput *in, const Address *page, const Address *ref, Referrer *out)
{
	const TextList *names = &in->s->campaign_var_name;
	const TextList *keywords = &in->s->campaign_keyword_var_name;
	const char *name = first_param(page->parts.query, names);
	const char *keyword = first_param(page->parts.query, keywords);
	const char *found;

	if (name == NULL || keyword == NULL)
	{
		if ((found = first_param(page->parts.fragment, names)) != NULL)
			name = found;
		if ((found = first_param(page->parts.fragment, keywords)) != NULL)
			keyword = found;
	}

	if (keyword == NULL && ref->host[0] != '\0')
	{
		if (name != NULL)
			keyword = search_keyword(in, ref);
		if (keyword == NULL &&
			(strstr(ref->host, "googleads") != NULL || strstr(ref->host, "doubleclick") != NULL))
		{
			/* an advertisement on another page */
			char	   *url = page_param(ref, "url");
			char	   *host = url ? url_host(url) : NULL;

			if (host != NULL)
			{
				keyword = psprintf("(adwords) %s", host);
				if (name == NULL)
				{
					char	   *type = page_param(ref, "ad_type");

					name = type && *type ? psprintf("AdWords (%s)", type) : "AdWords";
				}
			}
		}
	}

	if ((found = first_tracking_param(in, names)) != NULL)
		name = found;
	if ((found = first_tracking_param(in, keywords)) != NULL)
		keyword = found;
	if (name == NULL)
		return false;

	if (keyword == NULL)
	{
		/* names that differ in case only are the same campaign here too */
		if (in->visit != NULL && in->visit->type == REFERRER_CAMPAIGN &&
			same_text(in->visit->name, lower_bounded(name)))
			keyword = in->visit->keyword;
		else
			keyword = stored_host(in, ref);
	}

	out->type = REFERRER_CAMPAIGN;
	out->name = lower_bounded(name);
	out->keyword = lower_bounded(keyword ? keyword : "");
	return true;
}

/* A campaign parameter of the page, or sent as a tracking parameter; NULL if there is none. */
static const char *
campaign_param(const ReferrerInput *in, const Address *page, const TextList *names)
{
	const char *value = first_tracking_param(in, names);

	if (value == NULL)
		value = first_param(page->parts.query, names);
	return value != NULL ? value : first_param(page->parts.fragment, names);
}

/* The names of a list without utm_source. */
static TextList
without_source(const TextList *names)
{
	TextList	others = {0, palloc_array(char *, names->n + 1)};

	for (int i = 0; i < names->n; i++)
	{
		if (strcmp(names->items[i], "utm_source") != 0)
			others.items[others.n++] = names->items[i];
	}
	return others;
}

/*
 * Assistants add utm_source, and nothing else, to the links that they show,
 * and often hide their page as a referrer: is the parameter the name or the
 * host of one, and the only one of a campaign?
 */
static bool
detect_tagged_assistant(const ReferrerInput *in, const Address *page, Referrer *out)
{
	static char *source_name[] = {"utm_source"};
	const TextList source = {1, source_name};
	const char *value;
	TextList	others;
	char	   *lower;

	if (in->s->recognition_rules == RULES_MATOMO ||
		(in->n_params == 0 && strstr(page->text, "utm_source") == NULL))
		return false;
	value = campaign_param(in, page, &source);
	others = without_source(&in->s->campaign_var_name);
	if (value == NULL || campaign_param(in, page, &others) != NULL ||
		campaign_param(in, page, &in->s->campaign_keyword_var_name) != NULL)
		return false;
	lower = url_host_form(value, strlen(value));
	for (int i = 0; i < 2; i++)
	{
		const ReferrerList *list = i == 0 ? in->own : known_list();
		bool		found = list != NULL &&
			detect_network(list, KIND_AI_ASSISTANT, lower, "", &out->name);

		for (int j = 0; list != NULL && !found && j < list->n; j++)
		{
			found = list->entries[j].kind == KIND_AI_ASSISTANT &&
				pg_strcasecmp(list->entries[j].name, value) == 0;
			if (found)
				out->name = list->entries[j].name;
		}
		if (found)
		{
			out->type = REFERRER_AI_ASSISTANT;
			return true;
		}
	}
	return false;
}

/* Parameters without meaning that some hosts add to every address. */
static const struct
{
	const char *host;			/* the host's end; with a final dot: a label
								 * anywhere in it */
	const char *names[12];
}			noise[] = {
	{"instagram.com", {"e", "s"}},
	{"facebook.com", {"h", "p"}},
	{"google.", {"ust", "usg", "usd", "sa", "sntz", "ei", "bvm", "ved", "client", "channel"}},
	{"googleusercontent.", {"ust", "usg", "usd", "sa", "sntz", "ei", "bvm", "ved", "client",
	"channel"}},
	{"main.exoclick.com", {"data", "wpn"}},
	{"youtube.com", {"redir_token", "html_redirect", "continuation", "feature"}},
	{"bing.com", {"cvid", "refig", "elv", "plvar", "setlang", "qs", "cc", "mkt", "pc", "form",
	"src"}}
};

static const char *const *
noise_of(const char *host)
{
	for (int i = 0; i < (int) lengthof(noise); i++)
	{
		const char *h = noise[i].host;

		if (h[strlen(h) - 1] == '.')
		{
			const char *at = strstr(host, h);

			if (at != NULL && (at == host || at[-1] == '.'))
				return noise[i].names;
		}
		else if (host_ends(host, h))
			return noise[i].names;
	}
	return NULL;
}

/* ---- functions for other modules ------------------------------------------------- */

/*
 * referrer_detect
 *		The referrer of a hit.  Strings of the result are palloc'd or constant.
 *		Never raises for what a client sent.
 */
void
referrer_detect(const ReferrerInput *in, Referrer *out)
{
	Address		page;
	Address		ref;
	char	   *ignore;
	char	   *url;

	out->type = REFERRER_DIRECT;
	out->name = NULL;
	out->keyword = NULL;
	out->url = "";

	read_page(in->url, &page);
	own_queries(in, &page);
	ignore = page.parts.query.len > 0 ? url_param(page.parts.query, "ignore_referrer") : NULL;
	if (ignore == NULL && page.parts.query.len > 0)
		ignore = url_param(page.parts.query, "ignore_referer");
	if (ignore != NULL && strcmp(ignore, "1") == 0)
		return;

	read_page(in->urlref, &ref);
	own_queries(in, &ref);
	if (!ref.valid || is_ignored(&ref, &in->s->excluded_referrers))
		read_page("", &ref);

	url = ref.valid ? url_normalise_without(ref.text, in->rules, noise_of(ref.host)) : NULL;
	if (url != NULL)
	{
		text_cut_chars(url, URL_MAX_CHARS);
		out->url = url;
	}

	if (!detect_tagged_assistant(in, &page, out) && !detect_campaign(in, &page, &ref, out) &&
		ref.host[0] != '\0')
	{
		bool		own;
		const char *path = matching_site(in, &ref, &own);

		if (path == NULL && !in->s->exclude_unknown_urls)
			own = strcmp(ref.host, page.host) == 0;
		if (!own && !detect_known(in, &ref, out))
		{
			out->type = REFERRER_WEBSITE;
			if (path != NULL)
				out->name = bounded(psprintf("%s%.*s", stored_host(in, &ref),
											 (int) strlen(path) - 1, path), NAME_MAX_CHARS);
			else
				out->name = bounded(stored_host(in, &ref), NAME_MAX_CHARS);
		}
	}

	referrer_anonymise(out, in->s->anonymize_referrer);
}

/*
 * referrer_anonymise
 *		Remove what the setting anonymize_referrer says.  Campaigns keep name
 *		and keyword, every referrer its type.
 */
void
referrer_anonymise(Referrer *r, ReferrerAnonymisation how)
{
	Url			parts;

	if (how == REFERRER_KEEP)
		return;

	if (r->url[0] != '\0')
	{
		if (how == REFERRER_EXCLUDE_ALL || !url_split(r->url, &parts))
			r->url = "";
		else if (how == REFERRER_EXCLUDE_QUERY)
			r->url = pnstrdup(r->url, strcspn(r->url, "?#"));
		else
			r->url = psprintf("%.*s%s//%.*s%s%.*s/",
							  (int) parts.scheme.len, parts.scheme.str ? parts.scheme.str : "",
							  parts.scheme.len > 0 ? ":" : "",
							  (int) parts.host.len, parts.host.str,
							  parts.port.len > 0 ? ":" : "",
							  (int) parts.port.len, parts.port.str ? parts.port.str : "");
	}
	if (r->type != REFERRER_CAMPAIGN && r->keyword != NULL)
		r->keyword = "";
	if (how == REFERRER_EXCLUDE_ALL && r->type == REFERRER_WEBSITE)
		r->name = "";
}

/*
 * referrer_changed
 *		Does the hit have another referrer than the visit?  Rule:
 *		doc/internals.md, "Matomo: new visits".
 */
bool
referrer_changed(const Referrer *visit, const Referrer *hit)
{
	return visit->type != hit->type || !same_text(visit->name, hit->name) ||
		!same_text(visit->keyword, hit->keyword);
}

/*
 * referrer_effect
 *		The effect of a hit's referrer on the visit that the hit would
 *		continue.
 */
ReferrerEffect
referrer_effect(const Referrer *visit, const Referrer *hit, const Settings *s)
{
	if (hit->type == REFERRER_DIRECT)
		return REFERRER_KEEPS;
	if (referrer_changed(visit, hit))
	{
		if (hit->type == REFERRER_CAMPAIGN && s->create_new_visit_when_campaign_changes &&
			visit->type != REFERRER_DIRECT)
			return REFERRER_NEW_CAMPAIGN;
		if (hit->type == REFERRER_WEBSITE && s->create_new_visit_when_website_referrer_changes)
			return REFERRER_NEW_WEBSITE;
	}
	return visit->type == REFERRER_DIRECT ? REFERRER_REPLACES : REFERRER_KEEPS;
}

/*
 * referrer_from_datum
 *		Read a value of the type pk_tracking.referrer_info.
 */
Referrer
referrer_from_datum(Datum datum)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(datum);
	Referrer	r;
	bool		isnull;
	Datum		d;

	d = GetAttributeByNum(row, 1, &isnull);
	r.type = isnull ? REFERRER_DIRECT : (ReferrerType) DatumGetInt16(d);
	d = GetAttributeByNum(row, 2, &isnull);
	r.name = isnull ? NULL : TextDatumGetCString(d);
	d = GetAttributeByNum(row, 3, &isnull);
	r.keyword = isnull ? NULL : TextDatumGetCString(d);
	d = GetAttributeByNum(row, 4, &isnull);
	r.url = isnull ? "" : TextDatumGetCString(d);
	return r;
}

/*
 * pkt_referrer_changed
 *		SQL: referrer_changed(visit, hit) → boolean.
 */
Datum
pkt_referrer_changed(PG_FUNCTION_ARGS)
{
	Referrer	visit = referrer_from_datum(PG_GETARG_DATUM(0));
	Referrer	hit = referrer_from_datum(PG_GETARG_DATUM(1));

	PG_RETURN_BOOL(referrer_changed(&visit, &hit));
}
