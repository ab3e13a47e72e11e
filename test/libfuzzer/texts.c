/*
 * texts.c
 *		Fuzz target: what settings hold and headers say: networks, patterns,
 *		languages, referrers, URLs, proxies' headers, addresses.
 *
 * The first byte chooses the configuration.  The first lines of the input are
 * items of a list, up to an empty one; those behind it are what they are tried on.
 */
#include "postgres.h"

#include "base/ip.h"
#include "base/ip_range.h"
#include "base/pattern.h"
#include "base/text.h"
#include "base/url.h"
#include "base/url_form.h"
#include "base/url_recode.h"
#include "enrich/language.h"
#include "enrich/referrer.h"
#include "request/headers.h"
#include "track/site_rules.h"

#include "harness.h"

#define ITEMS_MAX 8

void
fuzz_begin(void)
{
	(void) fuzz_config(0);
}

/* The server's limit for an expression that is too complex, and nothing else. */
bool
fuzz_may_raise(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_STATEMENT_TOO_COMPLEX;
}

/* Each network alone must say what the sorted set of them says. */
static void
try_address(const char *const *items, int n, const IpRangeSet *set, const char *text)
{
	PktIp		ip;
	bool		any = false;

	if (!ip_parse(text, strlen(text), &ip))
	{
		MUST(ip.len == 0);
		return;
	}
	for (int i = 0; i < n; i++)
	{
		IpRangeSet	one = ip_range_set(&items[i], 1);

		any |= ip_range_set_has(&one, &ip);
	}
	MUST(ip_range_set_has(set, &ip) == any);
	for (int level = 0; level <= IP_MASK_LEVEL_MAX; level++)
	{
		PktIp		masked = ip;

		ip_mask(&masked, level);
		MUST(masked.len == ip.len && (level < IP_MASK_LEVEL_MAX || ip_is_blank(&masked)));
	}
}

static void
try_pattern(PatternSet *set, const char *text)
{
	bool		found = pattern_set_matches(set, text, 1024);

	MUST(pattern_set_matches(set, text, 1024) == found);
}

static void
try_language(const char *text)
{
	char		buf[1024];
	char		small[7];
	char		primary[6];
	char		country[3];
	size_t		len = language_normalise(text, strlen(text), buf, sizeof(buf));

	MUST(len < sizeof(buf) && strlen(buf) == len);
	fuzz_valid(buf);
	language_primary(buf, primary);
	MUST(strlen(primary) < sizeof(primary));
	for (int i = 0; i < 4; i++)
	{
		language_country(buf, i & 1, i & 2, country);
		MUST(strlen(country) < sizeof(country));
	}
	len = language_normalise(text, strlen(text), small, sizeof(small));
	MUST(len < sizeof(small) && strlen(small) == len);
}

/* A URL as the page's and as the referrer's. */
static void
try_url(const SiteConfig *site, const char *text)
{
	const SiteRules *rules = site_rules(site);
	static const char *const none[] = {"a", NULL};
	ReferrerInput in = {0};
	Referrer	found;
	Referrer	other;
	Url			parts;
	char	   *copy;

	in.idsite = site->idsite;
	in.s = &site->s;
	in.rules = rules->url;
	in.sites = site_urls(&in.n_sites);
	in.own = site_referrer_list();
	in.url = "http://127.0.0.1:8099/";
	in.urlref = text;
	referrer_detect(&in, &found);
	fuzz_valid(found.name);
	fuzz_valid(found.keyword);
	fuzz_valid(found.url);
	in.url = text;
	in.urlref = "https://www.example.com/";
	referrer_detect(&in, &other);
	fuzz_valid(other.name);
	fuzz_valid(other.keyword);
	(void) referrer_effect(&found, &other, &site->s);
	for (int how = REFERRER_KEEP; how <= REFERRER_EXCLUDE_ALL; how++)
	{
		Referrer	less = found;

		referrer_anonymise(&less, (ReferrerAnonymisation) how);
		fuzz_valid(less.url);
	}

	fuzz_valid(url_normalise(text, rules->url));
	fuzz_valid(url_keep_only(text, &site->s.campaign_var_name));
	fuzz_valid(url_normalise_without(text, rules->url, none));
	copy = url_clean(text);
	fuzz_valid(copy);
	fuzz_valid(url_form(copy));
	fuzz_valid(url_host(text));
	fuzz_valid(url_unescape(text));
	fuzz_valid(url_without_user(pstrdup(text)));
	if (url_split(text, &parts))
		fuzz_valid(url_host_form(parts.host.str, parts.host.len));
	copy = pstrdup(text);
	url_cut(copy, 20);
	MUST(strlen(copy) <= 20);
	fuzz_valid(copy);
}

static void
try_text(const char *text)
{
	static const char *const sets[] = {"iso-8859-1", "windows-1252", "shift_jis", "euc-kr", "gb2312"};
	char	   *copy;

	for (int i = 0; i < (int) lengthof(sets); i++)
	{
		int			encoding = text_encoding(sets[i]);

		fuzz_valid(url_recode(pstrdup(text), encoding));
		fuzz_valid(text_decode(text, strlen(text), encoding));
	}
	fuzz_valid(text_sanitise(pstrdup(text)));
	fuzz_valid(text_unescape(pstrdup(text)));
	fuzz_valid(text_trim(pstrdup(text)));
	fuzz_valid(text_join_lines(pstrdup(text)));
	copy = pstrdup(text);
	text_cut_chars(copy, 5);
	fuzz_valid(copy);
	copy = pstrdup(text);
	text_cut_bytes(copy, 5);
	MUST(strlen(copy) <= 5);
	fuzz_valid(copy);
	fuzz_valid(headers_forwarded_for(text));
}

void
fuzz_one(const uint8_t *data, size_t len)
{
	const SiteConfig *site;
	char	   *rest;
	const char *items[ITEMS_MAX];
	int			n = 0;
	PatternSet *patterns;
	IpRangeSet	ranges;

	if (len < 1)
		return;
	site = fuzz_config(data[0] % n_configs);
	rest = fuzz_text(data + 1, len - 1);
	while (n < ITEMS_MAX && rest[0] != '\0' && rest[0] != '\n')
	{
		IpRange		range;

		items[n] = fuzz_line(&rest);
		(void) pattern_error(items[n]);
		(void) ip_range_parse(items[n++], &range);
	}
	ranges = ip_range_set(items, n);
	patterns = pattern_set_create(items, n);
	if (rest[0] == '\n')
		rest++;
	for (int i = 0; i < ITEMS_MAX && rest[0] != '\0'; i++)
	{
		char	   *text = fuzz_line(&rest);

		try_address(items, n, &ranges, text);
		try_pattern(patterns, text);
		try_language(text);
		try_url(site, text);
		try_text(text);
	}
}
