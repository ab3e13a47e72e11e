/*
 * registry.c
 *		The table of settings, and the checks of strings that it names.
 */
#include "postgres.h"

#include <limits.h>

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/ip_range.h"
#include "base/pattern.h"
#include "settings/consent_window.h"
#include "settings/registry.h"

/* Longest name of a cookie that we read or ask the caller to set. */
#define MAX_COOKIE_NAME_LEN 64

/* A longer unknown name gets no suggestion: the comparison would be slow. */
#define MAX_GUESS_LEN 100
#define MAX_GUESS_DISTANCE 4

#define ONE_DAY (24 * 60 * 60)
#define ONE_YEAR (366 * ONE_DAY)

StaticAssertDecl(offsetof(SettingRows, s) == 0, "the registry's offsets are those of Settings");

/*
 * Checks: each takes a string (of a list, an item) and gives the error detail
 * for an invalid one, or NULL.
 */

/* A token of HTTP: names of cookies and headers are tokens. */
static bool
is_token(const char *str)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";

	if (*str == '\0')
		return false;
	for (; *str != '\0'; str++)
	{
		unsigned char c = (unsigned char) *str;

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  strchr(extra, c) != NULL))
			return false;
	}
	return true;
}

static const char *
check_cookie_name(const char *str)
{
	if (strlen(str) > MAX_COOKIE_NAME_LEN || !is_token(str))
		return "A cookie name has 1 to 64 letters, digits and characters of !#$%&'*+-.^_`|~.";
	return NULL;
}

/* The name is in lower case already. */
static const char *
check_header_name(const char *str)
{
	if (!is_token(str))
		return "A header name has letters, digits and characters of !#$%&'*+-.^_`|~.";
	return NULL;
}

/*
 * HTTP_X_FORWARDED_FOR (the form that Matomo's configuration uses) to
 * x-forwarded-for, in place.  Never makes it longer.
 */
static void
normalise_header_name(char *str)
{
	char	   *p;

	if (pg_strncasecmp(str, "HTTP_", 5) == 0 && str[5] != '\0')
		memmove(str, str + 5, strlen(str + 5) + 1);
	for (p = str; *p != '\0'; p++)
		*p = (*p == '_') ? '-' : (char) pg_ascii_tolower((unsigned char) *p);
}

/*
 * An address, a network in CIDR form, or an address with trailing wildcards:
 * doc/internals.md, "Matomo: exclusions".
 */
static const char *
check_ip_range(const char *str)
{
	IpRange		range;

	if (!ip_range_parse(str, &range))
		return "Items are addresses, networks such as 192.0.2.0/24, or patterns such as 192.0.2.*.";
	return NULL;
}

/*
 * The conditions of exclude_requests, "parameter operator value, …":
 * doc/internals.md, "Matomo: exclusions".
 */
static const char *
check_conditions(const char *str)
{
	static const char *const ops[] = {"==", "!=", "=@", "!@", "=^", "=$"};

	if (*str == '\0')
		return NULL;
	for (;;)
	{
		size_t		len = strcspn(str, ",");
		size_t		blank = strspn(str, " ");
		int			op = -1;
		size_t		i;
		int			j;

		/* an operator, after the name of a parameter */
		for (i = blank + 1; i + 1 < len && op < 0; i++)
			for (j = 0; j < (int) lengthof(ops); j++)
				if (strncmp(str + i, ops[j], 2) == 0)
					op = j;

		/*
		 * then a value, except after == and !=: an empty one is a part of
		 * every text
		 */
		if (op > 1 && i + 1 + strspn(str + i + 1, " ") >= len)
			return "The operators =@ !@ =^ =$ must be followed by a value.";
		if (op < 0)
			return "Conditions are separated by commas; each is a parameter, one of == != =@ !@ =^ =$, and a value.";
		if (str[len] == '\0')
			return NULL;
		str += len + 1;
	}
}

/* Every list of choices that has a privacy order goes from weak to strong. */
static const SettingChoice rules_choices[] = {
	{"piwik", RULES_PIWIK}, {"matomo", RULES_MATOMO}, {NULL, 0}
};
static const SettingChoice ip_choices[] = {
	{"full", IP_FULL}, {"masked", IP_MASKED}, {NULL, 0}
};
static const SettingChoice rotation_choices[] = {
	{"never", ROTATION_NEVER}, {"daily", ROTATION_DAILY}, {NULL, 0}
};
static const SettingChoice limit_choices[] = {
	{"just_split", LIMIT_JUST_SPLIT}, {"split_and_exclude", LIMIT_SPLIT_AND_EXCLUDE}, {NULL, 0}
};
static const SettingChoice order_conflict_choices[] = {
	{"keep", ORDER_CONFLICT_KEEP}, {"first", ORDER_CONFLICT_FIRST}, {NULL, 0}
};
static const SettingChoice consent_choices[] = {
	{"not_asked", CONSENT_NOT_ASKED},
	{"ask_else_anonymous", CONSENT_ASK_ELSE_ANONYMOUS},
	{"ask_else_nothing", CONSENT_ASK_ELSE_NOTHING},
	{NULL, 0}
};
static const SettingChoice upgrade_choices[] = {
	{"continue", UPGRADE_CONTINUE}, {"split", UPGRADE_SPLIT}, {NULL, 0}
};
static const SettingChoice geo_choices[] = {
	{"city", GEO_CITY}, {"region", GEO_REGION}, {"country", GEO_COUNTRY},
	{"continent", GEO_CONTINENT}, {"none", GEO_NONE}, {NULL, 0}
};
static const SettingChoice device_choices[] = {
	{"full", DEVICE_FULL}, {"family", DEVICE_FAMILY}, {"none", DEVICE_NONE}, {NULL, 0}
};
static const SettingChoice referrer_choices[] = {
	{"keep", REFERRER_KEEP},
	{"exclude_query", REFERRER_EXCLUDE_QUERY},
	{"exclude_path", REFERRER_EXCLUDE_PATH},
	{"exclude_all", REFERRER_EXCLUDE_ALL},
	{"", REFERRER_KEEP},		/* as Matomo stores it */
	{NULL, 0}
};

#define FIELD(f) .name = #f, .offset = offsetof(Settings, f)

const SettingDef setting_registry[] = {
	/* recognition: doc/internals.md, "Recognition rules" */
	{FIELD(recognition_rules),.type = TYPE_ENUM,.value = "piwik",.choices = rules_choices,
	.description = "rules by which visitors are recognised; sets the defaults that go with them"},
	{FIELD(window_look_back_for_visitor),.type = TYPE_INT,.value = "0",.max = 20 * ONE_YEAR,
		.description = "seconds back to which a visitor's earlier visit is looked up;"
	" visit_standard_length if that is more"},
	{FIELD(visit_standard_length),.type = TYPE_INT,.value = "1800",.min = 1,.max = ONE_YEAR,
	.description = "seconds of inactivity that end a visit"},
	{FIELD(returning_look_back),.type = TYPE_INT,.value = "0",.min = -1,.max = 20 * ONE_YEAR,
		.description = "seconds in which a visitor id's earlier visit makes a returning visitor"
	" (piwik rules); 0: the window, -1: no limit"},
	{FIELD(trust_visitors_cookies),.type = TYPE_BOOL,.value = "off",
	.description = "the visitor id of a cookie decides alone; no fall-back to the fingerprint"},
	{FIELD(use_third_party_id_cookie),.type = TYPE_BOOL,.value = "off",
		.order = ORDER_OFF_IS_STRONG,
	.description = "read and set a cookie of the tracker's own domain"},
	{FIELD(server_cookie),.type = TYPE_BOOL,.value = "off",.order = ORDER_OFF_IS_STRONG,
		.description =
		"set a visitor id cookie from the server, and read it where the hit brings no"
	" other id"},
	{FIELD(cookie_name),.type = TYPE_STRING,.value = "_pk_uid",.check = check_cookie_name,
	.description = "name of the third-party cookie and of the server's cookie"},
	{FIELD(cookie_renewal),.type = TYPE_BOOL,.value = "on",.order = ORDER_OFF_IS_STRONG,
	.description = "set the visitor id cookie with every hit; off: it keeps its first expiry"},
	{FIELD(force_cookieless_tracking),.type = TYPE_BOOL,.value = "off",
		.order = ORDER_ON_IS_STRONG,
	.description = "ignore the visitor ids that cookies carry"},
	{FIELD(enable_fingerprinting_across_websites),.type = TYPE_BOOL,.value = "off",
		.order = ORDER_OFF_IS_STRONG,
	.description = "leave the site out of the fingerprint, so that all sites share it"},
	{FIELD(fingerprint_ip),.type = TYPE_ENUM,.value = "masked",.matomo_value = "full",
		.choices = ip_choices,.order = ORDER_AS_LISTED,
	.description = "IP address that the fingerprint is made of"},
	{FIELD(fingerprint_salt_rotation),.type = TYPE_ENUM,.value = "never",.matomo_value = "daily",
		.choices = rotation_choices,.order = ORDER_AS_LISTED,
		.description = "how often the salt of fingerprints changes; daily needs"
	" create_new_visit_after_midnight and fingerprints per site"},
	{FIELD(use_fingerprint),.type = TYPE_BOOL,.value = "on",.order = ORDER_OFF_IS_STRONG,
	.description = "recognise visitors by fingerprint if no id recognises them"},
	{FIELD(fingerprint_joins_known_ids),.type = TYPE_BOOL,.value = "on",
		.description = "a fingerprint may join a hit with an id to a visit with another id"
	" (piwik rules)"},
	{FIELD(enable_userid_overwrites_visitorid),.type = TYPE_BOOL,.value = "on",
	.description = "derive the visitor id from the user id"},

	/*
	 * visits: doc/internals.md, "Matomo: new visits"; session limits as in
	 * Piwik PRO
	 */
	{FIELD(create_new_visit_after_midnight),.type = TYPE_BOOL,.value = "on",
	.description = "begin a new visit at the site's midnight"},
	{FIELD(create_new_visit_when_campaign_changes),.type = TYPE_BOOL,.value = "on",
	.description = "begin a new visit when another campaign brings the visitor back"},
	{FIELD(create_new_visit_when_website_referrer_changes),.type = TYPE_BOOL,.value = "off",
	.description = "begin a new visit when another website brings the visitor back"},
	{FIELD(create_new_visit_after_x_actions),.type = TYPE_INT,.value = "10000",
		.min = -1,.max = INT_MAX,
	.description = "actions after which a new visit begins; 0 or less: no limit"},
	{FIELD(session_max_duration),.type = TYPE_INT,.value = "0",.max = ONE_YEAR,
	.description = "longest visit in seconds; 0: no limit"},
	{FIELD(session_limit_exceeded_action),.type = TYPE_ENUM,.value = "just_split",
		.choices = limit_choices,
	.description = "after a visit has reached its limit, hits begin a new visit or are excluded"},
	{FIELD(default_time_one_page_visit),.type = TYPE_INT,.value = "0",.max = ONE_DAY,
	.description = "seconds that a visit of one page is assumed to last"},

	/* orders */
	{FIELD(order_id_conflict),.type = TYPE_ENUM,.value = "keep",.matomo_value = "first",
		.choices = order_conflict_choices,
		.description = "another visitor's order with an id that the site has: first: it is"
	" invalid; keep: it is stored without the id"},

	/* names: doc/internals.md, "New names" */
	{FIELD(new_names_per_day),.type = TYPE_INT,.value = "100000",.max = INT_MAX,
		.description = "new URLs, titles and other names that hits without a token may add to"
	" the site's dictionary in a UTC day; 0: no limit"},

	/* privacy: doc/internals.md, "Consent and anonymous visits" */
	{FIELD(ip_mask_level),.type = TYPE_INT,.value = "2",.max = 4,
		.order = ORDER_GREATER_IS_STRONG,
	.description = "bytes of an IPv4 address that are zeroed before it is stored; 4: all"},
	{FIELD(geo_ip),.type = TYPE_ENUM,.value = "full",.choices = ip_choices,
		.order = ORDER_AS_LISTED,
	.description = "IP address that is used to locate identified visitors"},
	{.name = "use_anonymized_ip_for_visit_enrichment",.offset = offsetof(SettingRows, alias),
		.type = TYPE_BOOL,
		.description = "short for fingerprint_ip and geo_ip: masked if on, full if off; under"
	" matomo rules geo_ip only"},
	{FIELD(consent_mode),.type = TYPE_ENUM,.value = "not_asked",
		.choices = consent_choices,.order = ORDER_AS_LISTED,
		.description = "whether visitors are asked for consent, and what is stored of those who"
	" have not given it"},
	{FIELD(consent_upgrade),.type = TYPE_ENUM,.value = "continue",
		.choices = upgrade_choices,.order = ORDER_AS_LISTED,
		.description = "consent given during a visit: the visit becomes the visitor's, or a new one"
	" begins"},
	{FIELD(consent_window),.type = TYPE_STRING,.value = "",.check = check_consent_window,
		.description = "JSON object that describes the window in which visitors are asked for"
	" consent; empty: none"},
	{FIELD(anonymous_session_cookie),.type = TYPE_BOOL,.value = "on",
		.order = ORDER_OFF_IS_STRONG,
	.description = "join an anonymous session's hits by a cookie of 30 minutes"},
	{FIELD(anonymous_cookie_name),.type = TYPE_STRING,.value = "_pk_anonymous",
		.check = check_cookie_name,
	.description = "name of the cookie of an anonymous session"},
	{FIELD(anonymous_query_parameters),.type = TYPE_LIST,.value = "{}",
	.description = "the only query parameters that are kept in URLs of anonymous visits"},
	{FIELD(anonymous_fingerprint),.type = TYPE_BOOL,.value = "on",.order = ORDER_OFF_IS_STRONG,
	.description = "join an anonymous session's hits by a fingerprint that is never stored"},
	{FIELD(anonymous_geo_level),.type = TYPE_ENUM,.value = "city",.choices = geo_choices,
		.order = ORDER_AS_LISTED,
	.description = "finest location that is stored of anonymous visits"},
	{FIELD(geo_level),.type = TYPE_ENUM,.value = "city",.choices = geo_choices,
		.order = ORDER_AS_LISTED,
	.description = "finest location that is stored of identified visits"},
	{FIELD(anonymous_device_level),.type = TYPE_ENUM,.value = "family",
		.choices = device_choices,.order = ORDER_AS_LISTED,
	.description = "device data that are stored of anonymous visits"},
	{FIELD(anonymize_user_id),.type = TYPE_BOOL,.value = "off",.order = ORDER_ON_IS_STRONG,
	.description = "store a salted hash instead of the user id"},
	{FIELD(discard_user_id),.type = TYPE_BOOL,.value = "off",.order = ORDER_ON_IS_STRONG,
	.description = "recognise nobody by a user id, and store none"},
	{FIELD(anonymize_order_id),.type = TYPE_BOOL,.value = "off",.order = ORDER_ON_IS_STRONG,
	.description = "store a random id instead of the order id"},
	{FIELD(anonymize_referrer),.type = TYPE_ENUM,.value = "keep",
		.choices = referrer_choices,.order = ORDER_AS_LISTED,
	.description = "parts of the referrer's URL that are removed"},

	/*
	 * exclusion: doc/internals.md, "Matomo: exclusions"; sites add to the
	 * instance's lists
	 */
	{FIELD(track_bots),.type = TYPE_BOOL,.value = "off",
	.description = "store the hits of bots too"},
	{FIELD(exclude_automation),.type = TYPE_BOOL,.value = "off",
		.description =
		"do not store hits of browsers and libraries that programs drive, unless they have a user "
	"id or a valid token"},
	{FIELD(excluded_ips),.type = TYPE_LIST,.value = "{}",.adds = true,.check = check_ip_range,
		.description = "addresses, networks and patterns such as 10.1.*.* whose hits are not"
	" stored; added to the instance's list"},
	{FIELD(excluded_user_agents),.type = TYPE_LIST,.value = "{}",.adds = true,
		.check = pattern_error,
		.description = "parts of user agents, or /regular expressions/, whose hits are not stored;"
	" added to the instance's list"},
	{FIELD(excluded_query_parameters),.type = TYPE_LIST,.value = "{}",.adds = true,
		.description = "query parameters, or /regular expressions/, that are removed from page"
	" URLs; added to the instance's list"},
	{FIELD(url_query_parameter_to_exclude_from_url),.type = TYPE_LIST,
		.value = "{gclid,fbclid,msclkid,twclid,wbraid,gbraid,yclid,fb_xd_fragment,fb_comment_id,"
		"phpsessid,jsessionid,sessionid,aspsessionid,doing_wp_cron,sid,pk_vid}",
	.description = "query parameters that are always removed from page URLs"},
	{FIELD(excluded_referrers),.type = TYPE_LIST,.value = "{}",.adds = true,
		.description = "hosts, with or without a path, that do not count as referrers; added to the"
	" instance's list"},
	{FIELD(exclude_unknown_urls),.type = TYPE_BOOL,.value = "off",
	.description = "store only hits on the site's own URLs"},
	{FIELD(exclude_requests),.type = TYPE_STRING,.value = "",.check = check_conditions,
		.description = "conditions on request parameters, such as e_c==Media,action_name=^test; a"
	" hit that meets one is not stored"},
	{FIELD(respect_do_not_track),.type = TYPE_BOOL,.value = "off",.order = ORDER_ON_IS_STRONG,
	.description = "do not store hits of browsers that ask not to be tracked"},
	{FIELD(enable_spam_filter),.type = TYPE_BOOL,.value = "on",
	.description = "do not store hits with a referrer known for spam"},
	{FIELD(ignore_visits_cookie_name),.type = TYPE_STRING,.value = "matomo_ignore",
		.check = check_cookie_name,
		.instance_only = true,
	.description = "name of the cookie by which a visitor opts out"},

	/*
	 * pages, referrers, campaigns, search: doc/internals.md, "Matomo: texts",
	 * "Matomo: referrers"
	 */
	{FIELD(keep_url_fragment),.type = TYPE_BOOL,.value = "off",
	.description = "keep the fragment (after #) of page URLs"},
	{FIELD(page_maximum_length),.type = TYPE_INT,.value = "1024",.min = 32,.max = 65535,
	.description = "bytes to which page URLs and titles are cut"},
	{FIELD(campaign_var_name),.type = TYPE_LIST,
		.value = "{pk_cpn,pk_campaign,piwik_campaign,mtm_campaign,matomo_campaign,utm_campaign,"
		"utm_source,utm_medium}",
	.description = "query parameters with the name of a campaign; the first one found counts"},
	{FIELD(campaign_keyword_var_name),.type = TYPE_LIST,
		.value = "{pk_kwd,pk_keyword,piwik_kwd,mtm_kwd,mtm_keyword,matomo_kwd,utm_term}",
	.description = "query parameters with the keyword of a campaign; the first one found counts"},
	{FIELD(site_search),.type = TYPE_BOOL,.value = "on",
	.description = "recognise searches within the site"},
	{FIELD(site_search_query_parameters),.type = TYPE_LIST,
		.value = "{q,query,s,search,searchword,k,keyword,keywords}",
	.description = "query parameters with the keyword of a search within the site"},
	{FIELD(site_search_category_parameters),.type = TYPE_LIST,.value = "{}",
	.description = "query parameters with the category of a search within the site"},

	/* requests: doc/internals.md, "Matomo: requests" */
	{FIELD(tracking_requests_require_authentication),.type = TYPE_BOOL,.value = "on",
		.description = "parameters that change the visitor or the time, such as another IP address,"
	" need a token"},
	{FIELD(tracking_requests_require_authentication_when_custom_timestamp_newer_than),
		.type = TYPE_INT,
		.value = "86400",.max = INT_MAX,
	.description = "age in seconds up to which a hit's time is accepted without a token"},
	{FIELD(bulk_requests_require_authentication),.type = TYPE_BOOL,.value = "off",
		.instance_only = true,
	.description = "bulk requests need a token"},
	{FIELD(bulk_requests_limit),.type = TYPE_INT,.value = "1000",.max = 10000,
		.instance_only = true,
	.description = "requests of a bulk document that are accepted without a token"},
	{FIELD(proxy_client_headers),.type = TYPE_LIST,.value = "{}",.instance_only = true,
		.check = check_header_name,.normalise = normalise_header_name,
		.description = "request headers in which proxies send the visitor's address, such as"
	" x-forwarded-for"},
	{FIELD(proxy_ips),.type = TYPE_LIST,.value = "{}",.instance_only = true,
		.check = check_ip_range,
	.description = "addresses, networks and patterns of our own proxies"},
	{FIELD(proxy_ip_read_last_in_list),.type = TYPE_BOOL,.value = "on",.instance_only = true,
	.description = "use the last address in a proxy's header, not the first"},
	{FIELD(enable_language_to_country_guess),.type = TYPE_BOOL,.value = "on",
	.description = "guess the country from the language if it is unknown"},
	{FIELD(enable_default_location_provider),.type = TYPE_BOOL,.value = "on",
	.description = "guess the country from the browser's language settings without GeoIP data"},

	/* maintenance */
	{FIELD(delete_ingest_runs_older_than),.type = TYPE_INT,.value = "90",.max = 36500,
		.instance_only = true,
		.description = "days after which maintain() deletes the rows of ingest_run and rejected_hit"
	" of a load; 0: never"},
	{FIELD(anonymise_visits_older_than),.type = TYPE_INT,.value = "0",.max = 36500,
		.order = ORDER_SMALLER_IS_STRONG,
		.description = "days after which maintain() makes visits such of people without consent;"
	" 0: never"},
	{FIELD(delete_visits_older_than),.type = TYPE_INT,.value = "0",.max = 36500,
		.order = ORDER_SMALLER_IS_STRONG,
		.description = "days after which maintain() and purge() delete visits with all that belongs"
	" to them; 0: never"},
};

const int	setting_count = lengthof(setting_registry);

StaticAssertDecl(lengthof(setting_registry) <= MAX_SETTINGS, "MAX_SETTINGS is too small");

int
setting_find(const char *name)
{
	int			i;

	for (i = 0; i < setting_count; i++)
		if (pg_strcasecmp(setting_registry[i].name, name) == 0)
			return i;
	return -1;
}

int
setting_lookup(const char *name)
{
	int			i = setting_find(name);
	int			best = -1;
	int			best_distance = MAX_GUESS_DISTANCE + 1;
	int			len = (int) strlen(name);

	if (i >= 0)
		return i;

	if (len <= MAX_GUESS_LEN)
		for (i = 0; i < setting_count; i++)
		{
			const char *other = setting_registry[i].name;
			int			distance;

			distance = varstr_levenshtein_less_equal(name, len, other, (int) strlen(other),
													 1, 1, 1, MAX_GUESS_DISTANCE, true);

			if (distance < best_distance)
			{
				best = i;
				best_distance = distance;
			}
		}

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("setting \"%s\" does not exist", name),
			 best >= 0 ?
			 errhint("Perhaps you meant \"%s\".", setting_registry[best].name) :
			 errhint("The view pk_tracking.settings lists all settings.")));
	return -1;					/* keep compiler quiet */
}
