/*
 * exclude.c
 *		Hits that are excluded: bots, spam, and what the settings name
 *		(doc/internals.md, "Matomo: exclusions").
 */
#include "postgres.h"

#include "common/base64.h"
#include "utils/builtins.h"

#include "base/ip_range.h"
#include "base/json.h"
#include "request/tracking_api.h"
#include "track/exclude.h"

#define AGENT_MAX 2048			/* bytes of a user agent that are looked at */
#define COOKIE_MAX 256			/* bytes of an opt-out cookie */

/* Networks of known crawlers. */
static const char *const google_networks[] = {
	"216.239.32.0/19", "64.233.160.0/19", "66.249.80.0/20", "72.14.192.0/18",
	"209.85.128.0/17", "66.102.0.0/20", "74.125.0.0/16", "64.18.0.0/20",
	"207.126.144.0/20", "173.194.0.0/16"
};

static const char *const bot_networks[] = {
	"64.4.0.0/18", "65.52.0.0/14", "157.54.0.0/15", "157.56.0.0/14",
	"157.60.0.0/16", "207.46.0.0/16", "207.68.128.0/18", "207.68.192.0/20",
	"131.253.26.0/20", "131.253.24.0/20", "72.30.198.0/20", "72.30.196.0/20",
	"98.137.207.0/20", "1.202.218.8"
};

/* Bots that the rules for user agents do not know. */
static const char *const bot_agents[] = {
	"YottaaMonitor", "CloudFlare-AlwaysOnline", "Google Page Speed Insights", "Google web snippet"
};

/*
 * Browsers without a person and libraries, which are no bots: a server may well
 * send its own visitors' hits with one.
 */
static const char *const automation_agents[] = {
	"HeadlessChrome", "PhantomJS", "SkypeUriPreview", "/^curl\\//i", "python-requests",
	"Go-http-client", "/^Wget\\//i", "Python-urllib", "python-httpx", "aiohttp/", "libwww-perl",
	"/^Java\\//i", "Apache-HttpClient", "GuzzleHttp", "node-fetch", "/^axios\\//i", "HTTPie/",
	"PostmanRuntime", "insomnia/", "puppeteer", "playwright", "selenium", "webdriver", "slimerjs",
	"jsdom/", "cypress/", "k6/", "Apache-JMeter", "WindowsPowerShell"
};

typedef enum ConditionOp
{
	OP_EQUAL,
	OP_NOT_EQUAL,
	OP_CONTAINS,
	OP_NOT_CONTAINS,
	OP_BEGINS,
	OP_ENDS
} ConditionOp;

static const char *const ops[] = {"==", "!=", "=@", "!@", "=^", "=$"};

/* One condition of exclude_requests. */
typedef struct Condition
{
	char	   *param;
	ConditionOp op;
	char	   *value;			/* lower case */
	size_t		len;
} Condition;

struct ExcludeRules
{
	IpRangeSet	google;
	IpRangeSet	bots;
	PatternSet *bot_agents;
	IpRangeSet	ips;
	PatternSet *agents;
	int			n_conditions;
	Condition  *conditions;
};

/*
 * exclude_automation_create
 *		The agents of programs: our own, and n more of the user's, in the
 *		current memory context.
 */
PatternSet *
exclude_automation_create(const char *const *more, int n)
{
	const char **all = palloc_array(const char *, lengthof(automation_agents) + n);

	memcpy(all, automation_agents, sizeof(automation_agents));
	for (int i = 0; i < n; i++)
		all[lengthof(automation_agents) + i] = more[i];
	return pattern_set_create(all, lengthof(automation_agents) + n);
}

/* A part without blanks at either end. */
static UrlPart
without_blanks(const char *str, size_t len)
{
	while (len > 0 && *str == ' ')
		str++, len--;
	while (len > 0 && str[len - 1] == ' ')
		len--;
	return (UrlPart)
	{
		str, len
	};
}

/* "param op value" at the first operator behind a name; false if there is none. */
static bool
read_condition(UrlPart text, Condition *c)
{
	for (size_t i = 1; i + 1 < text.len; i++)
	{
		for (int op = 0; op < (int) lengthof(ops); op++)
		{
			UrlPart		name = without_blanks(text.str, i);
			UrlPart		value;
			char	   *decoded;

			if (strncmp(text.str + i, ops[op], 2) != 0)
				continue;
			value = without_blanks(text.str + i + 2, text.len - i - 2);
			decoded = url_decode_part(value);
			c->param = pnstrdup(name.str, name.len);
			c->op = (ConditionOp) op;
			c->value = url_lower(decoded, strlen(decoded));
			c->len = strlen(c->value);
			pfree(decoded);
			/* every value contains the empty text, which cannot be meant */
			return c->len > 0 || op == OP_EQUAL || op == OP_NOT_EQUAL;
		}
	}
	return false;
}

/*
 * exclude_rules_create
 *		Rules of what the settings exclude, in the current memory context; they
 *		live as long as it does.  Items that cannot be read exclude nothing.
 */
ExcludeRules *
exclude_rules_create(const Settings *s)
{
	ExcludeRules *rules = palloc0_object(ExcludeRules);
	const char *p = s->exclude_requests;
	int			room = 1;

	rules->google = ip_range_set(google_networks, lengthof(google_networks));
	rules->bots = ip_range_set(bot_networks, lengthof(bot_networks));
	rules->bot_agents = pattern_set_create(bot_agents, lengthof(bot_agents));
	rules->ips = ip_range_set((const char *const *) s->excluded_ips.items, s->excluded_ips.n);
	rules->agents = pattern_set_create((const char *const *) s->excluded_user_agents.items,
									   s->excluded_user_agents.n);

	for (const char *c = p; *c; c++)
		room += *c == ',';
	rules->conditions = palloc_array(Condition, room);
	for (;;)
	{
		size_t		len = strcspn(p, ",");

		if (read_condition(without_blanks(p, len), &rules->conditions[rules->n_conditions]))
			rules->n_conditions++;
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	return rules;
}

/*
 * A request header by its lower-case name, "" if it did not come.  Its value may
 * be a number: callers may write {"dnt": 1}.
 */
static const char *
header(const Hit *hit, const char *name)
{
	JsonbValue	buf;
	JsonbValue *v;
	char	   *value;

	if (hit->headers == NULL)
		return "";
	v = getKeyJsonValueFromContainer(&hit->headers->root, name, strlen(name), &buf);
	if (v != NULL && v->type == jbvNumeric)
		return json_scalar_text(v);
	value = tracking_api_header(hit->headers, name);
	return value ? value : "";
}

static bool
is_bot(const ExcludeInput *in)
{
	const Hit  *hit = in->hit;
	const char *via;

	if (in->device->is_bot || ip_range_set_has(&in->rules->bots, &hit->ip) ||
		pattern_set_matches(in->rules->bot_agents, hit->user_agent, AGENT_MAX))
		return true;
	if (!ip_range_set_has(&in->rules->google, &hit->ip))
		return false;

	/* people whose browser fetches its pages through Google are no bots */
	via = header(hit, "via");
	return strstr(url_lower(via, strlen(via)), "chrome-compression-proxy") == NULL;
}

/* Does the browser ask not to be tracked? */
static bool
asks_not_to_be_tracked(const Hit *hit)
{
	return header(hit, "dnt")[0] == '1' ||
		strcmp(header(hit, "x-do-not-track"), "1") == 0 ||
		strcmp(header(hit, "sec-gpc"), "1") == 0;
}

/* Does a value, in lower case, have what a condition names, be it negated or not? */
static bool
has_value(const Condition *c, const char *value)
{
	size_t		len = strlen(value);

	switch (c->op)
	{
		case OP_EQUAL:
		case OP_NOT_EQUAL:
			return strcmp(value, c->value) == 0;
		case OP_CONTAINS:
		case OP_NOT_CONTAINS:
			return strstr(value, c->value) != NULL;
		case OP_BEGINS:
			return strncmp(value, c->value, c->len) == 0;
		case OP_ENDS:
			return len >= c->len && strcmp(value + len - c->len, c->value) == 0;
	}
	return false;
}

/* Is it a parameter with a URL? */
static bool
is_url_param(const char *name)
{
	static const char *const names[] = {"url", "urlref", "link", "download", "_ref", "c_t"};

	for (int i = 0; i < (int) lengthof(names); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/*
 * Is one of the conditions met?  A parameter that did not come is an empty one.
 * URLs are compared as sent and, but for Matomo's rules, decoded.
 */
static bool
meets_condition(const ExcludeInput *in)
{
	for (int i = 0; i < in->rules->n_conditions; i++)
	{
		const Condition *c = &in->rules->conditions[i];
		char	   *sent = tracking_api_param(in->hit, c->param);
		char	   *value = url_lower(sent, strlen(sent));
		bool		found = has_value(c, value);

		if (!found && in->s->recognition_rules != RULES_MATOMO && is_url_param(c->param))
		{
			char	   *decoded = url_unescape(sent);

			found = decoded != NULL && has_value(c, url_lower(decoded, strlen(decoded)));
		}
		if (found != (c->op == OP_NOT_EQUAL || c->op == OP_NOT_CONTAINS))
			return true;
	}
	return false;
}

/*
 * Does the value of an opt-out cookie say "ignore"?  It is a list of
 * name=base64, separated by colons; ignore must be "*".
 */
static bool
says_ignore(const char *value, size_t len)
{
	const char *end = value + len;

	while (value < end)
	{
		const char *colon = memchr(value, ':', end - value);
		const char *stop = colon ? colon : end;
		char		decoded[COOKIE_MAX];

		if (stop - value > 7 && memcmp(value, "ignore=", 7) == 0 &&
			pg_b64_decode(value + 7, (int) (stop - value - 7), (void *) decoded,
						  sizeof(decoded)) == 1 &&
			decoded[0] == '*')
			return true;
		value = stop + 1;
	}
	return false;
}

/* Has the visitor opted out by the cookie of that name? */
static bool
has_opted_out(const char *cookies, const char *name)
{
	size_t		name_len = strlen(name);

	while (*cookies)
	{
		size_t		len = strcspn(cookies, ";");
		UrlPart		cookie = without_blanks(cookies, len);

		if (cookie.len > name_len && cookie.len - name_len < COOKIE_MAX &&
			memcmp(cookie.str, name, name_len) == 0 && cookie.str[name_len] == '=')
		{
			UrlPart		value = {cookie.str + name_len + 1, cookie.len - name_len - 1};
			char	   *decoded = url_decode_part(value);

			if (says_ignore(decoded, strlen(decoded)))
				return true;
		}
		cookies += len;
		if (*cookies == ';')
			cookies++;
	}
	return false;
}

/* Is the page below the site's URL?  Paths end with a slash. */
static bool
is_below(const SiteUrl *page, const SiteUrl *site)
{
	const char *host = page->host;

	if (site->host[0] == '.')
	{
		/* the domain and all that is below it */
		size_t		len = strlen(host);
		size_t		tail = strlen(site->host) - 1;

		if (len > tail && host[len - tail - 1] == '.')
			host += len - tail;
		if (strcmp(host, site->host + 1) != 0)
			return false;
	}
	else if (strcmp(host, site->host) != 0)
		return false;
	return strncmp(page->path, site->path, strlen(site->path)) == 0;
}

/*
 * Is the page not one of the site's?  Host and path must match one of its
 * URLs; a hit that names no page is on none of them.
 */
static bool
is_unknown_page(const ExcludeInput *in)
{
	const Hit  *hit = in->hit;
	SiteUrl		page;

	/* the URL that the engine will take for the page */
	if (!site_url_read(hit->url[0] || hit->urlref[0] ? hit->url : hit->referer_header,
					   hit->idsite, &page))
		return true;
	for (int i = 0; i < in->n_urls; i++)
	{
		if (in->urls[i].idsite == hit->idsite && is_below(&page, &in->urls[i]))
			return false;
	}
	return true;
}

/* Is the page fetched before the visitor asks for it? */
static bool
is_prefetch(const Hit *hit)
{
	const char *purpose = header(hit, "x-purpose");

	return pg_strcasecmp(purpose, "preview") == 0 || pg_strcasecmp(purpose, "instant") == 0 ||
		pg_strcasecmp(header(hit, "x-moz"), "prefetch") == 0;
}

/*
 * exclude_reason
 *		Why the hit is not to be recorded, in one word; NULL if it is.  The
 *		order is Matomo's, so that counts by reason can be compared.
 */
const char *
exclude_reason(const ExcludeInput *in)
{
	const Hit  *hit = in->hit;
	const Settings *s = in->s;

	if (!s->track_bots && !hit->bots && is_bot(in))
		return "bot";
	/* neither people nor the site's own servers are suspected */
	if (in->automation != NULL && !hit->bots && hit->user_id[0] == '\0' && !hit->trusted &&
		pattern_set_matches(in->automation, hit->user_agent, AGENT_MAX))
		return "automation";
	if (s->respect_do_not_track && asks_not_to_be_tracked(hit))
		return "do_not_track";
	if (meets_condition(in))
		return "exclude_requests";
	if (has_opted_out(hit->cookie_header, s->ignore_visits_cookie_name))
		return "opt_out_cookie";
	if (ip_range_set_has(&in->rules->ips, &hit->ip))
		return "ip";
	if (pattern_set_matches(in->rules->agents, hit->user_agent, AGENT_MAX))
		return "user_agent";
	if (s->enable_spam_filter && in->spam != NULL && spam_list_finds(in->spam, hit->urlref))
		return "referrer_spam";
	if (s->exclude_unknown_urls && is_unknown_page(in))
		return "unknown_url";
	if (is_prefetch(hit))
		return "prefetch";
	return NULL;
}
