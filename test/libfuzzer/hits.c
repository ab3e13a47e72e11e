/*
 * hits.c
 *		A hit's way up to the log, under several configurations; and what stands
 *		for the functions that would look at the database.
 *
 * The linker takes the first definition of a function, and this file comes
 * first.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/crypto.h"
#include "base/text.h"
#include "enrich/language.h"
#include "identity/salt.h"
#include "log/names.h"
#include "request/tracking_api.h"
#include "settings/effective.h"
#include "settings/values.h"
#include "track/anonymise.h"
#include "track/describe.h"
#include "track/fingerprints.h"
#include "track/prepare.h"
#include "track/rights.h"
#include "track/site_rules.h"
#include "visit/custom.h"
#include "visit/recognise.h"

#include "harness.h"

/* Settings of each configuration: names and values, by turns. */
static const char *const given[][16] = {
	{NULL},
	{"recognition_rules", "matomo", NULL},
	{"consent_mode", "ask_else_anonymous", "anonymous_fingerprint", "on",
		"anonymize_referrer", "exclude_query", "anonymous_query_parameters", "{q,/^a/}", NULL},
	{"recognition_rules", "matomo", "tracking_requests_require_authentication", "off",
		"enable_spam_filter", "on", "exclude_unknown_urls", "on",
		"respect_do_not_track", "on", NULL},
	{"excluded_query_parameters", "{a,/^x.*y$/i}", "excluded_user_agents", "{curl,/fire.?fox/i}",
		"excluded_ips", "{203.0.113.0/28,10.*.*.*,2001:db8::/32}",
		"excluded_referrers", "{google.com}",
		"exclude_requests", "e_c==Video,action_name=^t,url=@%2C", NULL},
	{"page_maximum_length", "32", "keep_url_fragment", "on", "exclude_automation", "on",
		"use_third_party_id_cookie", "on", "proxy_client_headers", "{x-forwarded-for,forwarded}",
		"proxy_ips", "{10.0.0.0/8}", NULL},
	{"force_cookieless_tracking", "on", "anonymize_user_id", "on", "anonymize_order_id", "on",
		"campaign_var_name", "{utm_campaign}", "site_search_query_parameters", "{action_name}",
		NULL},
	{"recognition_rules", "matomo", "consent_mode", "ask_else_anonymous", "ip_mask_level", "3",
		"enable_fingerprinting_across_websites", "on", NULL},
};

const int	n_configs = lengthof(given);
static SiteConfig configs[lengthof(given)];
static struct SiteRules *config_rules[lengthof(given)];

static SiteUrl urls[8];
static int	n_urls;
static CustomDimensions *dimensions;
static ReferrerList *referrers;
static SpamList *spam;
static PatternSet *automation;
static Goal goals[8];
static int	n_goals;
static Token token;

#define ROOT "https://shop.example.org:8443"

static void
add_goal(const char *attribute, const char *pattern, const char *type)
{
	Goal	   *goal = &goals[n_goals++];

	goal->idsite = 1;
	goal->idgoal = n_goals;
	goal->allow_multiple = n_goals % 2;
	goal->case_sensitive = n_goals % 3 == 0;
	goal->revenue = int64_to_numeric(n_goals);
	MUST(goal_make(goal, attribute, pattern, type));
}

static void
make_config(int n)
{
	SettingRows *rows = palloc0(sizeof(SettingRows));
	Resolution	res;

	for (int i = 0; given[n][i] != NULL; i += 2)
	{
		int			index = setting_find(given[n][i]);
		const SettingDef *def = &setting_registry[index];
		const char *detail;

		MUST(index >= 0);
		if (!setting_parse(def, given[n][i + 1], (char *) rows + def->offset, &detail))
			fuzz_broken("%s: %s", given[n][i], detail ? detail : "not valid");
		rows->given[index] = true;
	}
	resolve_settings(rows, NULL, &configs[n].s, &res);
	configs[n].idsite = n + 1;
	configs[n].tz = pg_tzset("Europe/Berlin");
	MUST(configs[n].tz != NULL);
	configs[n].context = TopMemoryContext;
	configs[n].rules = &config_rules[n];
}

/* Everything that a site has, once. */
static void
make_site(void)
{
	const char *agents[] = {"my-robot"};
	char	   *parameters[] = {"q", "such"};
	const char *from_url = "[{\"dimension\":\"url\",\"pattern\":\"/d/(.*)\"}]";
	const char *from_param = "[{\"dimension\":\"urlparam\",\"pattern\":\"p\"}]";

	MUST(site_url_read("http://127.0.0.1:8099", 1, &urls[n_urls++]));
	MUST(site_url_read(ROOT "/de/", 1, &urls[n_urls++]));
	MUST(site_url_read("http://other.example.net/path/", 2, &urls[n_urls++]));
	dimensions = custom_dimensions_create(3 * n_configs);
	for (int site = 1; site <= n_configs; site++)
	{
		custom_dimensions_add(dimensions, site, 1, true, true, text_to_jsonb(pstrdup(from_url)));
		custom_dimensions_add(dimensions, site, 2, false, false, text_to_jsonb(pstrdup(from_param)));
		custom_dimensions_add(dimensions, site, 3, false, false, NULL);
	}
	referrers = referrer_list_create();
	(void) referrer_list_add(referrers, KIND_SEARCH_ENGINE, "Suche", "suche.{}", 2, parameters);
	(void) referrer_list_add(referrers, KIND_SOCIAL_NETWORK, "Netz", "netz.example", 0, NULL);
	referrer_list_finish(referrers);
	spam = spam_list_create();
	spam_list_add(spam, "spam.example");
	spam_list_finish(spam);
	automation = exclude_automation_create(agents, lengthof(agents));
	add_goal("url", "/thanks", "contains");
	add_goal("url", "http://127.0.0.1:8099/a%20b", "exact");
	add_goal("title", "^(a|b)+c?d", "regex");
	add_goal("file", ".zip", "contains");
	add_goal("external_website", "example", "contains");
	add_goal("event_name", "Play", "exact");
	add_goal("manually", "", "contains");
	add_goal("visit_duration", "5", "greater_than");
	token.expires = DT_NOEND;
	sha256_bytes("secret-token", strlen("secret-token"), token.hash);
}

const SiteConfig *
fuzz_config(int n)
{
	static bool made = false;

	if (!made)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		made = true;
		for (int i = 0; i < n_configs; i++)
			make_config(i);
		make_site();
		MemoryContextSwitchTo(old);
	}
	return &configs[n];
}

/* What would look at the database. */

const SiteConfig *
site_config(int32 idsite)
{
	return idsite >= 1 && idsite <= n_configs ? fuzz_config(idsite - 1) : NULL;
}

const SiteUrl *
site_urls(int *n)
{
	*n = n_urls;
	return urls;
}

const char *
site_root(int32 idsite)
{
	return idsite % 2 == 1 ? ROOT : NULL;
}

const CustomDimensions *
site_custom_dimensions(void)
{
	return dimensions;
}

const ReferrerList *
site_referrer_list(void)
{
	return referrers;
}

const Token *
site_tokens(int *n)
{
	*n = 1;
	return &token;
}

/* somebody else is, so that ids are hashed and compared */
const SuppressedKey *
site_suppressed(int *n)
{
	static SuppressedKey key = {.idsite = 1};

	*n = 1;
	return &key;
}

const SpamList *
site_spam_list(void)
{
	return spam;
}

PatternSet *
site_automation(void)
{
	return automation;
}

const Goal *
site_goals(int32 idsite, int *n)
{
	(void) idsite;
	*n = n_goals;
	return goals;
}

/* every answer is full */
bool
role_has(Oid role, Right right)
{
	(void) role;
	(void) right;
	return true;
}

static const uint8 salt_bytes[SALT_LEN] = "a salt that is none";
static const Salt some_salt = {SALT_LEN, salt_bytes};

const Salt *
salt_instance(void)
{
	return &some_salt;
}

const Salt *
salt_user_id(void)
{
	return &some_salt;
}

const Salt *
salt_erasure(void)
{
	return &some_salt;
}

const Salt *
salt_daily(int32 idsite, DateADT day, TimestampTz day_end, TimestampTz now, bool make)
{
	(void) idsite, (void) day, (void) day_end, (void) now, (void) make;
	return &some_salt;
}

void
salt_daily_prepare(int32 idsite, DateADT day, TimestampTz day_end, TimestampTz now)
{
	(void) idsite, (void) day, (void) day_end, (void) now;
}

/* No conversion of character sets is known: those are libraries of the server. */
Oid
FindDefaultConversionProc(int32 for_encoding, int32 to_encoding)
{
	(void) for_encoding, (void) to_encoding;
	return InvalidOid;
}

/* The dictionary: what is written there must be valid, and of bounded length. */

int64
name_of_url(Log *log, int32 idsite, int type, const char *url)
{
	(void) log, (void) type;
	if (url == NULL)
		return 0;
	fuzz_valid(url);
	MUST(strlen(url) <= (size_t) configs[idsite - 1].s.page_maximum_length);
	return 1;
}

int64
name_of_text(Log *log, int32 idsite, int type, const char *name, int max_length)
{
	(void) log, (void) idsite, (void) type, (void) max_length;
	fuzz_valid(name);
	return name[0] != '\0';
}

/* Texts of a hit are valid whatever was sent, and none is NULL. */
static void
check_texts(const Hit *hit)
{
	int			n;
	const HitField *fields = hit_fields(&n);

	for (int i = 0; i < n; i++)
	{
		const HitField *f = &fields[i];
		const char *text;

		if (f->type != FIELD_TEXT && f->type != FIELD_LIST && f->type != FIELD_AMOUNT)
			continue;
		text = *(char *const *) ((const char *) hit + f->offset);
		MUST(text != NULL);
		fuzz_valid(text);
	}
	if (hit->invalid != NULL)
		fuzz_valid(hit->invalid);
}

/* A visit that begins with the hit. */
static void
describe(Work *w)
{
	const Settings *s = &w->site->s;
	bool		as_matomo = s->recognition_rules == RULES_MATOMO;
	Visit		visit;
	NewVisit	new;
	Action		action;
	Decision	d = {.begin = true,.reason = REASON_UNKNOWN};
	Referrer	again;

	memset(&new, 0, sizeof(new));
	if (w->anonymous)
		lifecycle_begin_anonymous(w->hit, s, &visit);
	else
	{
		Lookup		lookups[MAX_LOOKUPS];

		work_fingerprint(w, true);
		MUST(recognise_lookups(w->hit, &w->id, s, lookups) <= MAX_LOOKUPS);
		lifecycle_begin(w->hit, &w->id, s, NULL, 1, &visit);
	}
	visit.idvisit = 1;
	describe_referrer(w, NULL, &visit.referrer);
	fuzz_valid(visit.referrer.name);
	fuzz_valid(visit.referrer.keyword);
	fuzz_valid(visit.referrer.url);
	describe_place(w, as_matomo, &visit, &new);
	fuzz_valid(visit.country);
	fuzz_valid(visit.region);
	fuzz_valid(visit.city);
	describe_device(w->anonymous ?
					anonymise_device(work_device(w), anonymous_device_level(w->hit, s)) :
					work_device(w), as_matomo, &new);
	fuzz_valid(new.browser_name);
	fuzz_valid(new.device_model);
	fuzz_valid(work_language(w));
	describe_action(w, &action);
	describe_custom(w, &visit, &action);
	lifecycle_action(w->hit, s, true, NULL, &visit, &action);
	describe_conversions(w, &d, MATCHED_NONE, &action, &visit);

	/* and one that another hit of the same continues */
	describe_referrer(w, &visit.referrer, &again);
	(void) referrer_effect(&visit.referrer, &again, s);
	describe_move(w, &visit);
	fuzz_valid(visit.city);
}

void
fuzz_hit(Hit *hit)
{
	Work		w;
	Tracked		result;

	memset(&w, 0, sizeof(w));
	w.hit = hit;
	w.result = &result;
	check_texts(hit);
	prepare_hit(&w, true);
	check_texts(hit);
	if (w.done)
	{
		MUST(result.outcome != OUTCOME_RECORDED);
		fuzz_valid(result.outcome_reason);
		return;
	}
	describe(&w);
}
