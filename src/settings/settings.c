/*
 * settings.c
 *		The one registry of settings, their values per site, and the cache of
 *		site configurations.
 *
 * A setting is one line of the registry below: everything else (parsing,
 * printing, defaults, precedence, privacy order, the view) is driven by it.
 *
 * Values live in the table pk_tracking.setting, which belongs to the log's
 * owner.  Each backend keeps what it has read: the instance's rows once, and
 * per site the effective values.  Statement triggers on the tables send a
 * relcache invalidation, which makes every backend read again.
 */
#include "postgres.h"

#include <limits.h>

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "common/string.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "base/errors.h"
#include "base/ip_range.h"
#include "base/pattern.h"
#include "settings/settings.h"

#define SCHEMA_NAME "pk_tracking"

/* Longest value that is accepted, in bytes: lists of addresses may be long. */
#define MAX_VALUE_LEN (1024 * 1024)

/* Longest name of a cookie that we read or ask the caller to set. */
#define MAX_COOKIE_NAME_LEN 64

/* Beyond this an unknown name is not worth a search for what was meant. */
#define MAX_GUESS_LEN 100
#define MAX_GUESS_DISTANCE 4

#define ONE_DAY (24 * 60 * 60)
#define ONE_YEAR (366 * ONE_DAY)

/* GUCs: set by superusers only, since backends open what they name. */
char	   *pkt_geoip_city_file = NULL;
char	   *pkt_geoip_asn_file = NULL;
char	   *pkt_user_agent_rules_file = NULL;

/* Memory that one bulk statement may use before it writes out a batch. */
int			pkt_bulk_memory = 64 * 1024;

/*
 * The registry
 */

typedef enum SettingType
{
	TYPE_BOOL,
	TYPE_INT,
	TYPE_ENUM,
	TYPE_STRING,
	TYPE_LIST
} SettingType;

/* Which of two values of a setting protects the visitor more. */
typedef enum PrivacyOrder
{
	ORDER_NONE,					/* has nothing to do with privacy */
	ORDER_ON_IS_STRONG,
	ORDER_OFF_IS_STRONG,
	ORDER_GREATER_IS_STRONG,
	ORDER_AS_LISTED				/* an enum's choices go from weak to strong */
} PrivacyOrder;

/* A value of an enum setting.  A second name for the same value comes later. */
typedef struct SettingChoice
{
	const char *name;
	int			value;
} SettingChoice;

typedef struct SettingDef
{
	const char *name;
	size_t		offset;			/* of its field in SettingRows */
	SettingType type;
	const char *value;			/* default; NULL: none, it is an alias */
	const char *matomo_value;	/* default under matomo rules, NULL: the same */
	PrivacyOrder order;
	bool		instance_only;	/* a site may not override it */
	bool		adds;			/* a list: the site's is added to the instance's */
	int			min;
	int			max;
	const SettingChoice *choices;
	/* what is wrong with a string (or a list's item); NULL: nothing */
	const char *(*check) (const char *str);
	/* brings a string (or a list's item) into the form that is stored */
	void		(*normalise) (char *str);
	const char *description;
} SettingDef;

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

/* Room for the registry's growth: arrays by setting have this size. */
#define MAX_SETTINGS 80

/*
 * Values as parsed, and which of them were given.  Settings comes first, so
 * that a field has the same offset in both.
 */
typedef struct SettingRows
{
	Settings	s;
	bool		alias;			/* use_anonymized_ip_for_visit_enrichment, which is no field of its own */
	bool		given[MAX_SETTINGS];
} SettingRows;

StaticAssertDecl(offsetof(SettingRows, s) == 0, "the registry's offsets are those of Settings");

static const char *check_cookie_name(const char *str);
static const char *check_ip_range(const char *str);
static const char *check_header_name(const char *str);
static const char *check_conditions(const char *str);
static void normalise_header_name(char *str);

#define FIELD(f) .name = #f, .offset = offsetof(Settings, f)

static const SettingDef registry[] = {
	/* recognition: design sections 4 and 5, spec 1 */
	{FIELD(recognition_rules), .type = TYPE_ENUM, .value = "piwik", .choices = rules_choices,
	.description = "rules by which visitors are recognised; sets the defaults that go with them"},
	{FIELD(window_look_back_for_visitor), .type = TYPE_INT, .value = "0", .max = 20 * ONE_YEAR,
	.description = "seconds in which a visitor's earlier visit is looked for; visit_standard_length if that is more"},
	{FIELD(visit_standard_length), .type = TYPE_INT, .value = "1800", .min = 1, .max = ONE_YEAR,
	.description = "seconds of inactivity that end a visit"},
	{FIELD(trust_visitors_cookies), .type = TYPE_BOOL, .value = "off",
	.description = "a cookie's visitor id alone decides; no fall-back to the fingerprint"},
	{FIELD(use_third_party_id_cookie), .type = TYPE_BOOL, .value = "off", .order = ORDER_OFF_IS_STRONG,
	.description = "read and set a cookie of the tracker's own domain"},
	{FIELD(cookie_name), .type = TYPE_STRING, .value = "_pk_uid", .check = check_cookie_name,
	.description = "name of the third-party cookie"},
	{FIELD(force_cookieless_tracking), .type = TYPE_BOOL, .value = "off", .order = ORDER_ON_IS_STRONG,
	.description = "ignore the visitor ids that cookies carry"},
	{FIELD(enable_fingerprinting_across_websites), .type = TYPE_BOOL, .value = "off", .order = ORDER_OFF_IS_STRONG,
	.description = "leave the site out of the fingerprint, so that all sites share it"},
	{FIELD(fingerprint_ip), .type = TYPE_ENUM, .value = "masked", .matomo_value = "full",
		.choices = ip_choices, .order = ORDER_AS_LISTED,
	.description = "IP address that enters the fingerprint"},
	{FIELD(fingerprint_salt_rotation), .type = TYPE_ENUM, .value = "never", .matomo_value = "daily",
		.choices = rotation_choices, .order = ORDER_AS_LISTED,
	.description = "how often the fingerprint's salt changes; daily needs create_new_visit_after_midnight and fingerprints per site"},
	{FIELD(use_fingerprint), .type = TYPE_BOOL, .value = "on", .order = ORDER_OFF_IS_STRONG,
	.description = "recognise visitors by fingerprint where ids do not"},
	{FIELD(enable_userid_overwrites_visitorid), .type = TYPE_BOOL, .value = "on",
	.description = "a user id gives the visitor id"},

	/* visits: spec 1.5, 1.8, 9; session limits as in Piwik PRO */
	{FIELD(create_new_visit_after_midnight), .type = TYPE_BOOL, .value = "on",
	.description = "begin a new visit at the site's midnight"},
	{FIELD(create_new_visit_when_campaign_changes), .type = TYPE_BOOL, .value = "on",
	.description = "begin a new visit when another campaign brings the visitor back"},
	{FIELD(create_new_visit_when_website_referrer_changes), .type = TYPE_BOOL, .value = "off",
	.description = "begin a new visit when another website brings the visitor back"},
	{FIELD(create_new_visit_after_x_actions), .type = TYPE_INT, .value = "10000", .min = -1, .max = INT_MAX,
	.description = "actions after which a new visit begins; 0 or less: no limit"},
	{FIELD(session_max_duration), .type = TYPE_INT, .value = "0", .max = ONE_YEAR,
	.description = "seconds after which a visit is at its limit; 0: no limit"},
	{FIELD(session_limit_exceeded_action), .type = TYPE_ENUM, .value = "just_split", .choices = limit_choices,
	.description = "what follows a visit that has reached its limit: a new visit, or nothing that counts"},
	{FIELD(default_time_one_page_visit), .type = TYPE_INT, .value = "0", .max = ONE_DAY,
	.description = "seconds that a visit of one page is taken to last"},

	/* privacy: spec 4.2 to 4.4, design section 7 */
	{FIELD(ip_mask_level), .type = TYPE_INT, .value = "2", .max = 4, .order = ORDER_GREATER_IS_STRONG,
	.description = "bytes of an IPv4 address that are zeroed before it is stored; 4: all"},
	{FIELD(geo_ip), .type = TYPE_ENUM, .value = "full", .choices = ip_choices, .order = ORDER_AS_LISTED,
	.description = "IP address that identified visitors are located by"},
	{.name = "use_anonymized_ip_for_visit_enrichment", .offset = offsetof(SettingRows, alias), .type = TYPE_BOOL,
	.description = "short for fingerprint_ip and geo_ip: masked if on, full if off; under matomo rules geo_ip only"},
	{FIELD(consent_mode), .type = TYPE_ENUM, .value = "not_asked", .choices = consent_choices, .order = ORDER_AS_LISTED,
	.description = "whether visitors are asked, and what is stored of those who did not agree"},
	{FIELD(consent_upgrade), .type = TYPE_ENUM, .value = "continue", .choices = upgrade_choices, .order = ORDER_AS_LISTED,
	.description = "consent given in mid-visit: the visit becomes the visitor's, or a new one begins"},
	{FIELD(anonymous_session_cookie), .type = TYPE_BOOL, .value = "on", .order = ORDER_OFF_IS_STRONG,
	.description = "join an anonymous session's hits by a cookie of 30 minutes"},
	{FIELD(anonymous_cookie_name), .type = TYPE_STRING, .value = "_pk_anonymous", .check = check_cookie_name,
	.description = "name of the cookie of an anonymous session"},
	{FIELD(anonymous_query_parameters), .type = TYPE_LIST, .value = "{}",
	.description = "query parameters that are kept in the addresses that an anonymous visitor leaves; no others are"},
	{FIELD(anonymous_fingerprint), .type = TYPE_BOOL, .value = "on", .order = ORDER_OFF_IS_STRONG,
	.description = "join an anonymous session's hits by a fingerprint that is never stored"},
	{FIELD(anonymous_geo_level), .type = TYPE_ENUM, .value = "city", .choices = geo_choices, .order = ORDER_AS_LISTED,
	.description = "finest location that is stored of an anonymous visit"},
	{FIELD(geo_level), .type = TYPE_ENUM, .value = "city", .choices = geo_choices, .order = ORDER_AS_LISTED,
	.description = "finest location that is stored of an identified visit"},
	{FIELD(anonymous_device_level), .type = TYPE_ENUM, .value = "family", .choices = device_choices, .order = ORDER_AS_LISTED,
	.description = "what is stored of an anonymous visitor's device"},
	{FIELD(anonymize_user_id), .type = TYPE_BOOL, .value = "off", .order = ORDER_ON_IS_STRONG,
	.description = "store a salted hash instead of the user id"},
	{FIELD(anonymize_order_id), .type = TYPE_BOOL, .value = "off", .order = ORDER_ON_IS_STRONG,
	.description = "store a random id instead of the order id"},
	{FIELD(anonymize_referrer), .type = TYPE_ENUM, .value = "keep", .choices = referrer_choices, .order = ORDER_AS_LISTED,
	.description = "what is dropped from the referrer's address"},

	/* exclusion: spec 4.5, 3.3; sites add to the instance's lists */
	{FIELD(track_bots), .type = TYPE_BOOL, .value = "off",
	.description = "store the hits of bots too"},
	{FIELD(excluded_ips), .type = TYPE_LIST, .value = "{}", .adds = true, .check = check_ip_range,
	.description = "addresses, networks and patterns such as 10.1.*.* whose hits are not stored; a site adds to the instance's"},
	{FIELD(excluded_user_agents), .type = TYPE_LIST, .value = "{}", .adds = true, .check = pattern_error,
	.description = "parts of user agents, or /regular expressions/, whose hits are not stored; a site adds to the instance's"},
	{FIELD(excluded_query_parameters), .type = TYPE_LIST, .value = "{}", .adds = true,
	.description = "query parameters, or /regular expressions/, that are cut from page addresses; a site adds to the instance's"},
	{FIELD(url_query_parameter_to_exclude_from_url), .type = TYPE_LIST,
		.value = "{gclid,fbclid,msclkid,twclid,wbraid,gbraid,yclid,fb_xd_fragment,fb_comment_id,"
		"phpsessid,jsessionid,sessionid,aspsessionid,doing_wp_cron,sid,pk_vid}",
	.description = "query parameters that are always cut from page addresses"},
	{FIELD(excluded_referrers), .type = TYPE_LIST, .value = "{}", .adds = true,
	.description = "hosts, with or without a path, that do not count as referrers; a site adds to the instance's"},
	{FIELD(exclude_unknown_urls), .type = TYPE_BOOL, .value = "off",
	.description = "store only hits on the site's own addresses"},
	{FIELD(exclude_requests), .type = TYPE_STRING, .value = "", .check = check_conditions,
	.description = "conditions on request parameters, such as e_c==Media,action_name=^test; a hit that meets one is not stored"},
	{FIELD(respect_do_not_track), .type = TYPE_BOOL, .value = "off", .order = ORDER_ON_IS_STRONG,
	.description = "do not store hits of browsers that ask not to be tracked"},
	{FIELD(enable_spam_filter), .type = TYPE_BOOL, .value = "on",
	.description = "do not store hits with a referrer known for spam"},
	{FIELD(ignore_visits_cookie_name), .type = TYPE_STRING, .value = "matomo_ignore", .check = check_cookie_name,
		.instance_only = true,
	.description = "name of the cookie by which a visitor opts out"},

	/* pages, referrers, campaigns, search: spec 3.3, 5, 7 */
	{FIELD(keep_url_fragment), .type = TYPE_BOOL, .value = "off",
	.description = "keep what follows # in page addresses"},
	{FIELD(page_maximum_length), .type = TYPE_INT, .value = "1024", .min = 32, .max = 65535,
	.description = "bytes to which page addresses and titles are cut"},
	{FIELD(campaign_var_name), .type = TYPE_LIST,
		.value = "{pk_cpn,pk_campaign,piwik_campaign,mtm_campaign,matomo_campaign,utm_campaign,utm_source,utm_medium}",
	.description = "query parameters that name a campaign, the first one found counts"},
	{FIELD(campaign_keyword_var_name), .type = TYPE_LIST,
		.value = "{pk_kwd,pk_keyword,piwik_kwd,mtm_kwd,mtm_keyword,matomo_kwd,utm_term}",
	.description = "query parameters that give a campaign's keyword, the first one found counts"},
	{FIELD(site_search), .type = TYPE_BOOL, .value = "on",
	.description = "recognise searches within the site"},
	{FIELD(site_search_query_parameters), .type = TYPE_LIST,
		.value = "{q,query,s,search,searchword,k,keyword,keywords}",
	.description = "query parameters that carry the keyword of a search within the site"},
	{FIELD(site_search_category_parameters), .type = TYPE_LIST, .value = "{}",
	.description = "query parameters that carry the category of a search within the site"},

	/* requests: spec 4.1, 4.6, 6.3 */
	{FIELD(tracking_requests_require_authentication), .type = TYPE_BOOL, .value = "on",
	.description = "parameters that speak for somebody else, such as another IP address or an old time, need a token"},
	{FIELD(tracking_requests_require_authentication_when_custom_timestamp_newer_than), .type = TYPE_INT,
		.value = "86400", .max = INT_MAX,
	.description = "seconds back to which a time may be given without a token"},
	{FIELD(bulk_requests_require_authentication), .type = TYPE_BOOL, .value = "off", .instance_only = true,
	.description = "bulk requests need a token"},
	{FIELD(proxy_client_headers), .type = TYPE_LIST, .value = "{}", .instance_only = true,
		.check = check_header_name, .normalise = normalise_header_name,
	.description = "request headers in which proxies pass on the visitor's address, such as x-forwarded-for"},
	{FIELD(proxy_ips), .type = TYPE_LIST, .value = "{}", .instance_only = true, .check = check_ip_range,
	.description = "addresses, networks and patterns of our own proxies"},
	{FIELD(proxy_ip_read_last_in_list), .type = TYPE_BOOL, .value = "on", .instance_only = true,
	.description = "of the addresses in a proxy's header the last one counts, else the first"},
	{FIELD(enable_language_to_country_guess), .type = TYPE_BOOL, .value = "on",
	.description = "guess the country from the language if it is not known otherwise"},
	{FIELD(enable_default_location_provider), .type = TYPE_BOOL, .value = "on",
	.description = "guess the country from the browser's language settings without GeoIP data"},

	/* upkeep */
	{FIELD(delete_ingest_runs_older_than), .type = TYPE_INT, .value = "90", .max = 36500, .instance_only = true,
	.description = "days after which maintain() deletes what ingest_run and rejected_hit say of a load; 0: never"},
};

#define NSETTINGS ((int) lengthof(registry))

StaticAssertDecl(lengthof(registry) <= MAX_SETTINGS, "MAX_SETTINGS is too small");

/* Places in the registry that the code speaks of; looked up by settings_init(). */
static int	rules_index;
static int	fingerprint_ip_index;
static int	geo_ip_index;
static int	alias_index;

/* The defaults, parsed, by RecognitionRules.  Strings and lists of these are shared by all. */
static Settings defaults[2];

typedef enum ValueSource
{
	SOURCE_DEFAULT,
	SOURCE_RULES,
	SOURCE_INSTANCE,
	SOURCE_SITE
} ValueSource;

static const char *const source_names[] = {"default", "rules", "instance", "site"};

/* Where the effective values came from. */
typedef struct Resolution
{
	uint8		source[MAX_SETTINGS];	/* ValueSource */

	/* 1 + registry index of the site's setting that was too weak, or 0 */
	uint8		refused[MAX_SETTINGS];
	bool		alias;			/* meaningful if its source is not the default */
} Resolution;

/*
 * The cache
 */

/*
 * The instance's rows.  Sites point to its strings and lists, so an outdated
 * one lives on until the last site read under it has gone.
 */
typedef struct InstanceSettings
{
	MemoryContext context;
	uint64		generation;
	int			users;			/* SiteSettings that point here */
	SettingRows rows;
} InstanceSettings;

typedef struct SiteSettings
{
	SiteConfig	config;			/* what callers see */
	struct SiteRules *rules;	/* where config.rules points to */
	MemoryContext context;
	uint64		generation;
	InstanceSettings *instance;
	MemoryContextCallback release;
	Resolution	resolution;
} SiteSettings;

typedef struct SiteEntry
{
	int32		idsite;			/* hash key */
	SiteSettings *settings;
} SiteEntry;

/* Parent of what the cache holds. */
static MemoryContext cache_context = NULL;
static HTAB *site_hash = NULL;
static InstanceSettings *current_instance = NULL;

/* The site of the last hit, most often that of the next. */
static SiteSettings *last_site = NULL;

/* Raised by every invalidation.  What was read under an older one is outdated. */
static uint64 generation = 1;

/* The tables, as last seen. */
static Oid	site_relid = InvalidOid;
static Oid	setting_relid = InvalidOid;

/* What is stored and not valid is reported once per backend: by setting, and in two more places. */
#define REPORTED_NAME MAX_SETTINGS
#define REPORTED_TIMEZONE (MAX_SETTINGS + 1)
static bool reported[MAX_SETTINGS + 2];

static SPIPlanPtr site_plan = NULL;
static SPIPlanPtr sites_plan = NULL;
static SPIPlanPtr setting_plan = NULL;

/*
 * Names are qualified and operators written out: the caller's search_path
 * must not choose them.  coalesce() is what the table's unique index is on.
 */
static const char *const site_query =
"SELECT s.timezone FROM pk_tracking.site AS s WHERE s.idsite OPERATOR(pg_catalog.=) $1";
static const char *const sites_query =
"SELECT s.idsite FROM pk_tracking.site AS s ORDER BY s.idsite";
static const char *const setting_query =
"SELECT v.name, v.value FROM pk_tracking.setting AS v WHERE coalesce(v.idsite, 0) OPERATOR(pg_catalog.=) $1";

PG_FUNCTION_INFO_V1(pkt_setting_check);
PG_FUNCTION_INFO_V1(pkt_site_check);
PG_FUNCTION_INFO_V1(pkt_config_changed);
PG_FUNCTION_INFO_V1(pkt_setting_values);
PG_FUNCTION_INFO_V1(pkt_setting_name);
PG_FUNCTION_INFO_V1(pkt_need_log);


/*
 * ---- Values: text to C and back ----
 */

/* A token as HTTP defines it: what names of cookies and headers are made of. */
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

/* A cookie's name: gives what is wrong with it, or NULL. */
static const char *
check_cookie_name(const char *str)
{
	if (strlen(str) > MAX_COOKIE_NAME_LEN || !is_token(str))
		return "A cookie's name has 1 to 64 letters, digits and characters of !#$%&'*+-.^_`|~.";
	return NULL;
}

/* A header's name, already in lower case: gives what is wrong with it, or NULL. */
static const char *
check_header_name(const char *str)
{
	if (!is_token(str))
		return "A header's name has letters, digits and characters of !#$%&'*+-.^_`|~.";
	return NULL;
}

/*
 * HTTP_X_FORWARDED_FOR (as Matomo's configuration writes it: spec 4.1) to
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
 * An address, a network in CIDR form, or one with trailing wildcards (spec
 * 4.5, step 6).  Gives what is wrong with it, or NULL.
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
 * The conditions of exclude_requests: "parameter operator value, …" (spec 4.5,
 * step 4).  Gives what is wrong with them, or NULL.
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

		/* an operator, behind the name of a parameter */
		for (i = blank + 1; i + 1 < len && op < 0; i++)
			for (j = 0; j < (int) lengthof(ops); j++)
				if (strncmp(str + i, ops[j], 2) == 0)
					op = j;
		/* behind it, unless it is == or !=, a value: nothing is a part of everything */
		if (op > 1 && i + 1 + strspn(str + i + 1, " ") >= len)
			return "A value is missing behind one of =@ !@ =^ =$.";
		if (op < 0)
			return "Conditions are separated by commas; each is a parameter, one of == != =@ !@ =^ =$, and a value.";
		if (str[len] == '\0')
			return NULL;
		str += len + 1;
	}
}

/* White space as array_in() knows it: the locale has no say. */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* A palloc'd copy without white space at either end. */
static char *
trimmed(const char *str)
{
	size_t		len;

	while (is_blank(*str))
		str++;
	len = strlen(str);
	while (len > 0 && is_blank(str[len - 1]))
		len--;
	return pnstrdup(str, len);
}

/*
 * Read a text[] literal of one dimension.  Not array_in(), since a stored
 * value that is wrong must not raise.  Takes the text, gives the list in the
 * current memory context; false, and why, if it is no such list.
 */
static bool
parse_list(const SettingDef *def, const char *text, TextList *list, const char **why)
{
	static const char *const form =
		"The form is {a,b}; items with commas, braces, quotes or backslashes stand in double quotes.";
	const char *p;
	char	   *to = palloc(strlen(text) + 1);	/* items and their NULs take no more room than this */
	int			room = 1;

	for (p = text; *p != '\0'; p++)
		if (*p == ',')
			room++;
	list->n = 0;
	list->items = palloc(mul_size(sizeof(char *), room));
	*why = form;

	p = text;
	while (is_blank(*p))
		p++;
	if (*p++ != '{')
		return false;
	while (is_blank(*p))
		p++;
	if (*p == '}')
		p++;
	else
		for (;;)
		{
			char	   *item = to;
			char	   *end = to;	/* of the item, blanks behind it left out */
			bool		quoted;

			while (is_blank(*p))
				p++;
			quoted = (*p == '"');
			if (quoted)
				p++;
			while (*p != '\0' && (quoted ? *p != '"' : strchr(",{}\"", *p) == NULL))
			{
				bool		escaped = (*p == '\\');

				if (escaped && *++p == '\0')
					return false;
				*to++ = *p;
				if (quoted || escaped || !is_blank(*p))
					end = to;
				p++;
			}
			if (quoted && *p++ != '"')
				return false;
			*end = '\0';
			to = end + 1;
			if (!quoted && (end == item || pg_strcasecmp(item, "null") == 0))
				return false;
			if (end == item)
			{
				/* as a part of something it would match everything */
				*why = "Items must not be empty.";
				return false;
			}
			if (def->normalise)
				def->normalise(item);
			if (def->check && (*why = def->check(item)) != NULL)
				return false;
			*why = form;
			list->items[list->n++] = item;

			while (is_blank(*p))
				p++;
			if (*p == ',')
				p++;
			else if (*p++ == '}')
				break;
			else
				return false;
		}
	while (is_blank(*p))
		p++;
	return *p == '\0';
}

/*
 * Read a value as SET does.  Takes the setting and the text; gives the value
 * at dest (of the setting's C type; what it points to in the current memory
 * context).  False, and why (NULL: the allowed values say it), if the value
 * is not allowed.  Never raises.
 */
static bool
parse_value(const SettingDef *def, const char *text, void *dest, const char **why)
{
	char	   *str;

	*why = NULL;
	if (strlen(text) > MAX_VALUE_LEN)
	{
		*why = "The value is longer than 1 MB.";
		return false;
	}

	switch (def->type)
	{
		case TYPE_BOOL:
			str = trimmed(text);
			return parse_bool(str, (bool *) dest);

		case TYPE_INT:
			{
				char	   *end;
				int			val;

				str = trimmed(text);
				errno = 0;
				val = strtoint(str, &end, 10);
				if (end == str || *end != '\0' || errno != 0 || val < def->min || val > def->max)
					return false;
				*(int32 *) dest = val;
				return true;
			}

		case TYPE_ENUM:
			{
				const SettingChoice *c;

				str = trimmed(text);
				for (c = def->choices; c->name != NULL; c++)
					if (pg_strcasecmp(c->name, str) == 0)
					{
						*(int *) dest = c->value;
						return true;
					}
				return false;
			}

		case TYPE_STRING:
			str = trimmed(text);
			if (def->normalise)
				def->normalise(str);
			if (def->check && (*why = def->check(str)) != NULL)
				return false;
			*(char **) dest = str;
			return true;

		case TYPE_LIST:
			return parse_list(def, text, (TextList *) dest, why);
	}
	return false;				/* not reached */
}

/* Write an item of a list as array_out() does. */
static void
append_item(StringInfo buf, const char *item)
{
	const char *p;
	bool		quote = (*item == '\0' || pg_strcasecmp(item, "null") == 0);

	for (p = item; *p != '\0' && !quote; p++)
		quote = is_blank(*p) || strchr("{},\"\\", *p) != NULL;
	if (!quote)
	{
		appendStringInfoString(buf, item);
		return;
	}
	appendStringInfoChar(buf, '"');
	for (p = item; *p != '\0'; p++)
	{
		if (*p == '"' || *p == '\\')
			appendStringInfoChar(buf, '\\');
		appendStringInfoChar(buf, *p);
	}
	appendStringInfoChar(buf, '"');
}

/* The canonical text of a value, palloc'd: the one that is stored and shown. */
static char *
format_value(const SettingDef *def, const void *src)
{
	switch (def->type)
	{
		case TYPE_BOOL:
			return pstrdup(*(const bool *) src ? "on" : "off");

		case TYPE_INT:
			return psprintf("%d", *(const int32 *) src);

		case TYPE_ENUM:
			{
				const SettingChoice *c;

				for (c = def->choices; c->name != NULL; c++)
					if (c->value == *(const int *) src)
						return pstrdup(c->name);
				break;
			}

		case TYPE_STRING:
			return pstrdup(*(char *const *) src);

		case TYPE_LIST:
			{
				const TextList *list = src;
				StringInfoData buf;
				int			i;

				initStringInfo(&buf);
				appendStringInfoChar(&buf, '{');
				for (i = 0; i < list->n; i++)
				{
					if (i > 0)
						appendStringInfoChar(&buf, ',');
					append_item(&buf, list->items[i]);
				}
				appendStringInfoChar(&buf, '}');
				return buf.data;
			}
	}
	elog(ERROR, "setting \"%s\" has an impossible value", def->name);
	return NULL;				/* keep compiler quiet */
}

/* What a setting takes, as a sentence for an error's detail. */
static char *
allowed_values(const SettingDef *def)
{
	switch (def->type)
	{
		case TYPE_BOOL:
			return pstrdup("Allowed values: on, off.");

		case TYPE_INT:
			return psprintf("Allowed values: whole numbers from %d to %d.", def->min, def->max);

		case TYPE_ENUM:
			{
				const SettingChoice *c;
				StringInfoData buf;

				initStringInfo(&buf);
				appendStringInfoString(&buf, "Allowed values: ");
				for (c = def->choices; c->name != NULL; c++)
					if (c->name[0] != '\0')
						appendStringInfo(&buf, "%s%s", c == def->choices ? "" : ", ", c->name);
				appendStringInfoChar(&buf, '.');
				return buf.data;
			}

		case TYPE_STRING:
		case TYPE_LIST:
			break;
	}
	return pstrdup("");			/* their checks say what is wrong */
}

/* Size of a setting's C type. */
static size_t
value_size(const SettingDef *def)
{
	switch (def->type)
	{
		case TYPE_BOOL:
			return sizeof(bool);
		case TYPE_INT:
			return sizeof(int32);
		case TYPE_ENUM:
			return sizeof(int);
		case TYPE_STRING:
			return sizeof(char *);
		case TYPE_LIST:
			return sizeof(TextList);
	}
	return 0;					/* not reached */
}

/*
 * How much a value protects the visitor, to be compared with another value of
 * the same setting.
 */
static int
strength(const SettingDef *def, const void *value)
{
	switch (def->order)
	{
		case ORDER_NONE:
			return 0;
		case ORDER_ON_IS_STRONG:
			return *(const bool *) value ? 1 : 0;
		case ORDER_OFF_IS_STRONG:
			return *(const bool *) value ? 0 : 1;
		case ORDER_GREATER_IS_STRONG:
			return *(const int32 *) value;
		case ORDER_AS_LISTED:
			{
				int			i;

				for (i = 0; def->choices[i].name != NULL; i++)
					if (def->choices[i].value == *(const int *) value)
						return i;
				break;
			}
	}
	return 0;
}

/* A setting's place in the registry, by name in any case; -1 if there is none. */
static int
find_setting(const char *name)
{
	int			i;

	for (i = 0; i < NSETTINGS; i++)
		if (pg_strcasecmp(registry[i].name, name) == 0)
			return i;
	return -1;
}

/* The same, or an error that says which name may have been meant. */
static int
lookup_setting(const char *name)
{
	int			i = find_setting(name);
	int			best = -1;
	int			best_distance = MAX_GUESS_DISTANCE + 1;
	int			len = (int) strlen(name);

	if (i >= 0)
		return i;

	if (len <= MAX_GUESS_LEN)
		for (i = 0; i < NSETTINGS; i++)
		{
			int			distance = varstr_levenshtein_less_equal(name, len,
																 registry[i].name, (int) strlen(registry[i].name),
																 1, 1, 1, MAX_GUESS_DISTANCE, true);

			if (distance < best_distance)
			{
				best = i;
				best_distance = distance;
			}
		}

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("there is no setting \"%s\"", name),
			 best >= 0 ?
			 errhint("Perhaps you meant the setting \"%s\".", registry[best].name) :
			 errhint("The view pk_tracking.settings lists all settings.")));
	return -1;					/* keep compiler quiet */
}


/*
 * ---- Effective values ----
 */

/*
 * What one level (the site, or the instance) says about a setting: its own
 * value, else what the alias gives (which leaves the hash alone under matomo
 * rules: spec 4.3).  NULL if it says nothing; *by is the setting that said it.
 */
static const void *
level_value(const SettingRows *rows, int i, RecognitionRules rules, int *by)
{
	static const IpUse alias_values[] = {IP_FULL, IP_MASKED};

	*by = i;
	if (rows->given[i])
		return (const char *) rows + registry[i].offset;
	if (rows->given[alias_index] &&
		(i == geo_ip_index || (i == fingerprint_ip_index && rules == RULES_PIWIK)))
	{
		*by = alias_index;
		return &alias_values[rows->alias ? 1 : 0];
	}
	return NULL;
}

/*
 * Site override, else instance value, else the rule set's default, else the
 * default (design section 4).  A site's value that protects less than the
 * instance's explicit one does not count: the instance may have been made
 * stricter after the site was set.
 *
 * Takes the rows of the instance and of the site (NULL: the instance's own
 * values are wanted).  Gives the values, which point into the rows given, and
 * where they came from; joined lists are made in the current memory context.
 */
static void
resolve(const SettingRows *instance, const SettingRows *site, Settings *result, Resolution *res)
{
	RecognitionRules rules = RULES_PIWIK;
	int			i;

	memset(res, 0, sizeof(*res));
	if (site && site->given[rules_index])
		rules = site->s.recognition_rules;
	else if (instance->given[rules_index])
		rules = instance->s.recognition_rules;

	for (i = 0; i < NSETTINGS; i++)
	{
		const SettingDef *def = &registry[i];
		const void *site_value = NULL;
		const void *instance_value;
		const void *value;
		int			site_by = i;
		int			instance_by;

		if (i == alias_index)
			continue;

		instance_value = level_value(instance, i, rules, &instance_by);
		if (site)
			site_value = level_value(site, i, rules, &site_by);

		if (site_value && instance_value &&
			strength(def, site_value) < strength(def, instance_value))
		{
			res->refused[i] = (uint8) (site_by + 1);
			site_value = NULL;
		}

		if (site_value)
		{
			value = site_value;
			res->source[i] = SOURCE_SITE;
		}
		else if (instance_value)
		{
			value = instance_value;
			res->source[i] = SOURCE_INSTANCE;
		}
		else
		{
			value = (const char *) &defaults[rules] + def->offset;
			res->source[i] = (rules == RULES_MATOMO && def->matomo_value) ? SOURCE_RULES : SOURCE_DEFAULT;
		}
		memcpy((char *) result + def->offset, value, value_size(def));

		if (def->adds && site_value && instance_value)
		{
			const TextList *a = instance_value;
			const TextList *b = site_value;
			TextList *list = (TextList *) ((char *) result + def->offset);

			if (a->n > 0)
			{
				list->n = a->n + b->n;
				list->items = palloc(mul_size(sizeof(char *), list->n));
				memcpy(list->items, a->items, sizeof(char *) * a->n);
				if (b->n > 0)
					memcpy(list->items + a->n, b->items, sizeof(char *) * b->n);
			}
		}
	}

	if (site && site->given[alias_index])
	{
		res->alias = site->alias;
		res->source[alias_index] = SOURCE_SITE;
	}
	else if (instance->given[alias_index])
	{
		res->alias = instance->alias;
		res->source[alias_index] = SOURCE_INSTANCE;
	}
}


/*
 * ---- Reading the tables ----
 */

/*
 * Look up the tables' OIDs, which the invalidation callback compares with.
 * False if there is no log.
 */
static bool
find_tables(void)
{
	Oid			schema = get_namespace_oid(SCHEMA_NAME, true);
	Oid			site = InvalidOid;
	Oid			setting = InvalidOid;

	if (OidIsValid(schema))
	{
		site = get_relname_relid("site", schema);
		setting = get_relname_relid("setting", schema);
	}
	if (site != site_relid || setting != setting_relid)
	{
		/* another log than the one that is cached */
		site_relid = site;
		setting_relid = setting;
		generation++;
	}
	return OidIsValid(site) && OidIsValid(setting);
}

/* Error if there is no log. */
static void
require_tables(void)
{
	if (!find_tables())
		raise_missing_log();
}

/*
 * Run one of the queries, SPI connected.  Takes the plan's place (prepared
 * when first used; the plan cache itself notices when the tables change), its
 * text and the int4 parameter if it has one.  Leaves the rows in SPI_tuptable.
 *
 * Always under a fresh snapshot: an invalidation is heard of only once, so
 * what is read after it must be what it announced, in a REPEATABLE READ
 * transaction too.
 */
static void
run_query(SPIPlanPtr *plan, const char *query, bool has_param, int32 param)
{
	Oid			type = INT4OID;
	Datum		value = Int32GetDatum(param);
	int			rc;

	if (*plan == NULL)
	{
		SPIPlanPtr	p = SPI_prepare(query, has_param ? 1 : 0, &type);

		if (p == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		rc = SPI_keepplan(p);
		if (rc != 0)
			elog(ERROR, "SPI_keepplan failed: %s", SPI_result_code_string(rc));
		*plan = p;
	}
	rc = SPI_execute_snapshot(*plan, has_param ? &value : NULL, NULL,
							  GetLatestSnapshot(), InvalidSnapshot, true, false, 0);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(rc));
}

/* A level of SPI of our own: the caller's SPI_tuptable stays as it is. */
static void
connect_spi(void)
{
	int			rc = SPI_connect();

	if (rc != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed: %s", SPI_result_code_string(rc));
}

/* Leave that level again. */
static void
finish_spi(void)
{
	int			rc = SPI_finish();

	if (rc != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed: %s", SPI_result_code_string(rc));
}

/*
 * Read the rows of the instance (idsite 0) or of a site, SPI connected.
 * Strings and lists go into the context given.  A stored value that is not
 * valid (an older or newer version wrote it) counts as not given.
 */
static void
load_rows(int32 idsite, MemoryContext context, SettingRows *rows)
{
	uint64		n;
	uint64		k;
	SPITupleTable *table;

	memset(rows, 0, sizeof(*rows));
	run_query(&setting_plan, setting_query, true, idsite);
	n = SPI_processed;
	table = SPI_tuptable;
	for (k = 0; k < n; k++)
	{
		char	   *name = SPI_getvalue(table->vals[k], table->tupdesc, 1);
		char	   *text = SPI_getvalue(table->vals[k], table->tupdesc, 2);
		int			i = name ? find_setting(name) : -1;
		const char *why;

		if (i >= 0 && text && !(registry[i].instance_only && idsite != 0))
		{
			MemoryContext old = MemoryContextSwitchTo(context);

			rows->given[i] = parse_value(&registry[i], text, (char *) rows + registry[i].offset, &why);
			MemoryContextSwitchTo(old);
			if (rows->given[i])
				continue;
		}
		if (!reported[i >= 0 ? i : REPORTED_NAME])
		{
			reported[i >= 0 ? i : REPORTED_NAME] = true;
			ereport(WARNING,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("stored setting \"%s\" is not valid and is ignored", name ? name : ""),
					 errhint("Set it again or reset it.")));
		}
	}
	SPI_freetuptable(table);
}

/* The relcache callback: somebody changed (or redefined) one of the tables. */
static void
invalidate(Datum arg pg_attribute_unused(), Oid relid)
{
	/* may run anywhere, at abort too: nothing but a count is safe here */
	if (!OidIsValid(relid) || relid == site_relid || relid == setting_relid)
		generation++;
}

/* Free an instance's rows that are neither current nor pointed to. */
static void
drop_instance_if_unused(InstanceSettings *instance)
{
	if (instance->users == 0 && instance != current_instance)
		MemoryContextDelete(instance->context);
}

/* The memory context of a SiteSettings goes away. */
static void
release_instance(void *arg)
{
	InstanceSettings *instance = arg;

	instance->users--;
	drop_instance_if_unused(instance);
}

/*
 * The instance's rows, from the cache or (SPI connected) from the table.  The
 * result is safe until the next call, unless it is counted in its users.
 */
static InstanceSettings *
instance_settings(void)
{
	MemoryContext context;
	InstanceSettings *instance;
	InstanceSettings *old = current_instance;

	if (old && old->generation == generation)
		return old;

	/* an error in here frees it with the transaction */
	context = AllocSetContextCreate(CurTransactionContext, "pk_tracking instance settings", ALLOCSET_SMALL_SIZES);
	instance = MemoryContextAllocZero(context, sizeof(InstanceSettings));
	instance->context = context;
	/* before the read: an invalidation that comes during it outdates it */
	instance->generation = generation;
	load_rows(0, context, &instance->rows);

	MemoryContextSetParent(context, cache_context);
	current_instance = instance;
	if (old)
		drop_instance_if_unused(old);
	return instance;
}

/*
 * A site's values as the table has them, SPI connected; NULL if there is no
 * such site.  The result belongs to the transaction until the caller says
 * otherwise.
 */
static SiteSettings *
load_site(int32 idsite)
{
	MemoryContext context;
	MemoryContext old_context;
	SiteSettings *site;
	SettingRows rows;
	char	   *zone;
	uint64		started;

	require_tables();
	started = generation;
	run_query(&site_plan, site_query, true, idsite);
	if (SPI_processed == 0)
		return NULL;
	zone = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);

	context = AllocSetContextCreate(CurTransactionContext, "pk_tracking site settings", ALLOCSET_SMALL_SIZES);
	site = MemoryContextAllocZero(context, sizeof(SiteSettings));
	site->context = context;
	site->generation = started;
	site->instance = instance_settings();
	site->instance->users++;
	site->release.func = release_instance;
	site->release.arg = site->instance;
	MemoryContextRegisterResetCallback(context, &site->release);

	load_rows(idsite, context, &rows);
	old_context = MemoryContextSwitchTo(context);
	resolve(&site->instance->rows, &rows, &site->config.s, &site->resolution);
	MemoryContextSwitchTo(old_context);

	site->config.idsite = idsite;
	site->config.context = context;
	site->config.rules = &site->rules;
	site->config.tz = zone ? pg_tzset(zone) : NULL;
	if (site->config.tz == NULL)
	{
		/* site_check() let it in, so the server's time zone data changed */
		if (!reported[REPORTED_TIMEZONE])
			ereport(WARNING,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a site's time zone is not known to the server any more, using UTC"),
					 errdetail("Its number is %d.", idsite)));
		reported[REPORTED_TIMEZONE] = true;
		site->config.tz = pg_tzset("GMT");
	}
	return site;
}

/* Take what a site's entry holds out of the cache; callers may use it until the transaction ends. */
static void
retire(SiteSettings *site)
{
	if (last_site == site)
		last_site = NULL;
	MemoryContextSetParent(site->context, TopTransactionContext);
}

/*
 * The slow path of site_settings(): read the site and put it into the cache,
 * or take it out if it has gone.
 */
static SiteSettings *
refresh_site(int32 idsite)
{
	SiteSettings *site;
	SiteEntry  *entry;
	bool		found;

	if (site_hash == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(int32);
		ctl.entrysize = sizeof(SiteEntry);
		ctl.hcxt = cache_context;
		site_hash = hash_create("pk_tracking sites", 16, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	connect_spi();
	site = load_site(idsite);
	finish_spi();

	if (site == NULL)
	{
		entry = hash_search(site_hash, &idsite, HASH_FIND, NULL);
		if (entry)
		{
			retire(entry->settings);
			hash_search(site_hash, &idsite, HASH_REMOVE, NULL);
		}
		return NULL;
	}

	entry = hash_search(site_hash, &idsite, HASH_ENTER, &found);
	if (found)
		retire(entry->settings);
	entry->settings = site;
	MemoryContextSetParent(site->context, cache_context);
	last_site = site;
	return site;
}

/* As site_config(), with what only this file knows. */
static SiteSettings *
site_settings(int32 idsite)
{
	SiteEntry  *entry;

	/* what others have committed counts at once, in a long transaction too */
	AcceptInvalidationMessages();

	if (last_site && last_site->config.idsite == idsite && last_site->generation == generation)
		return last_site;
	if (site_hash)
	{
		entry = hash_search(site_hash, &idsite, HASH_FIND, NULL);
		if (entry && entry->settings->generation == generation)
		{
			last_site = entry->settings;
			return last_site;
		}
	}
	return refresh_site(idsite);
}

/*
 * The configuration of a site; see settings.h.  Error if there is no log.
 */
const SiteConfig *
site_config(int32 idsite)
{
	SiteSettings *site = site_settings(idsite);

	return site ? &site->config : NULL;
}


/*
 * ---- Triggers ----
 */

/* Attribute number of a trigger table's column of the type; error if it has none. */
static int
trigger_column(TriggerData *trigdata, const char *name, Oid type)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			attno = SPI_fnumber(desc, name);

	if (attno <= 0 || TupleDescAttr(desc, attno - 1)->atttypid != type)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("table \"%s\" is not one that this trigger is made for",
						RelationGetRelationName(trigdata->tg_relation))));
	return attno;
}

/* The row that a BEFORE INSERT OR UPDATE trigger is about to let in; error if it is no such trigger. */
static HeapTuple
trigger_row(FunctionCallInfo fcinfo, const char *function)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_BEFORE(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) ||
		!(TRIGGER_FIRED_BY_INSERT(trigdata->tg_event) || TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event)))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be fired BEFORE INSERT OR UPDATE FOR EACH ROW", function)));
	return TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event) ? trigdata->tg_newtuple : trigdata->tg_trigtuple;
}

/*
 * A fingerprint over the full IP that never changes can be turned back into
 * the IP by whoever holds the salt (design section 6): say so to the person
 * who has just chosen it.  Takes what the change leads to, and the setting.
 */
static void
warn_if_full_ip(const Settings *s, int i)
{
	size_t		offset = registry[i].offset;

	if (s->fingerprint_ip != IP_FULL || settings_rotate_daily(s))
		return;
	if (i == fingerprint_ip_index || i == alias_index || i == rules_index ||
		offset == offsetof(Settings, fingerprint_salt_rotation) ||
		offset == offsetof(Settings, create_new_visit_after_midnight) ||
		offset == offsetof(Settings, enable_fingerprinting_across_websites))
		ereport(WARNING,
				(errmsg("fingerprints are made of the full IP address, and their salt does not change daily"),
				 errhint("Set fingerprint_ip to masked, or fingerprint_salt_rotation to daily with create_new_visit_after_midnight on and enable_fingerprinting_across_websites off.")));
}

/*
 * setting_check() RETURNS trigger: BEFORE INSERT OR UPDATE FOR EACH ROW on
 * pk_tracking.setting.  Stores the canonical name and value; error for unknown
 * names, values that are not allowed, settings that no site may override, and
 * site values that weaken what the instance explicitly demands (design
 * section 4).
 */
Datum
pkt_setting_check(PG_FUNCTION_ARGS)
{
	HeapTuple	row = trigger_row(fcinfo, "setting_check");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			columns[2];
	Datum		values[2];
	bool		nulls[2] = {false, false};
	int			idsite_column = trigger_column(trigdata, "idsite", INT4OID);
	Datum		idsite_datum;
	bool		is_instance;
	int32		idsite;
	const SettingDef *def;
	SettingRows instance;
	SettingRows site;
	SettingRows *changed;
	Settings	result;
	Resolution	res;
	const char *why;
	int			i;
	int			j;
	bool		isnull;
	char	   *str;

	columns[0] = trigger_column(trigdata, "name", TEXTOID);
	columns[1] = trigger_column(trigdata, "value", TEXTOID);
	for (j = 0; j < 2; j++)
	{
		values[j] = SPI_getbinval(row, desc, columns[j], &isnull);
		if (isnull)
			return PointerGetDatum(row);	/* the NOT NULL constraint speaks */
	}
	idsite_datum = SPI_getbinval(row, desc, idsite_column, &is_instance);
	idsite = is_instance ? 0 : DatumGetInt32(idsite_datum);

	i = lookup_setting(TextDatumGetCString(values[0]));
	def = &registry[i];
	if (!is_instance && def->instance_only)
		ereport(ERROR,
				(errcode(ERRCODE_CANT_CHANGE_RUNTIME_PARAM),
				 errmsg("setting \"%s\" cannot be set for a site", def->name),
				 errhint("Set it for the instance with pk_tracking.set_instance().")));

	connect_spi();
	load_rows(0, CurrentMemoryContext, &instance);
	if (is_instance)
		memset(&site, 0, sizeof(site));
	else
		load_rows(idsite, CurrentMemoryContext, &site);
	changed = is_instance ? &instance : &site;

	str = TextDatumGetCString(values[1]);
	if (!parse_value(def, str, (char *) changed + def->offset, &why))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 strlen(str) <= 200 ?
				 errmsg("invalid value for setting \"%s\": \"%s\"", def->name, str) :
				 errmsg("invalid value for setting \"%s\"", def->name),
				 errdetail("%s", why ? why : allowed_values(def))));
	changed->given[i] = true;

	resolve(&instance, is_instance ? NULL : &site, &result, &res);
	for (j = 0; j < NSETTINGS; j++)
		if (res.refused[j] == i + 1)
		{
			int			by;

			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("a site may not weaken the instance's setting \"%s\"", registry[j].name),
					 errdetail("The instance demands \"%s\".",
							   format_value(&registry[j],
											level_value(&instance, j, result.recognition_rules, &by))),
					 errhint("A site's value must be at least as strict. The instance's is changed with pk_tracking.set_instance() or pk_tracking.reset_instance().")));
		}
	warn_if_full_ip(&result, i);

	str = format_value(def, (char *) changed + def->offset);
	/* these must outlive SPI_finish() */
	values[0] = SPI_datumTransfer(CStringGetTextDatum(def->name), false, -1);
	values[1] = SPI_datumTransfer(CStringGetTextDatum(str), false, -1);
	finish_spi();

	row = heap_modify_tuple_by_cols(row, desc, 2, columns, values, nulls);
	return PointerGetDatum(row);
}

/*
 * site_check() RETURNS trigger: BEFORE INSERT OR UPDATE FOR EACH ROW on
 * pk_tracking.site.  The site's number must be positive (0 stands for the
 * instance in the index of settings), its name must not be empty, its time
 * zone one that the server knows; the zone's own spelling is stored.
 */
Datum
pkt_site_check(PG_FUNCTION_ARGS)
{
	HeapTuple	row = trigger_row(fcinfo, "site_check");
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	int			idsite_column = trigger_column(trigdata, "idsite", INT4OID);
	int			name_column = trigger_column(trigdata, "name", TEXTOID);
	int			timezone_column = trigger_column(trigdata, "timezone", TEXTOID);
	Datum		value;
	bool		isnull;

	value = SPI_getbinval(row, desc, idsite_column, &isnull);
	if (!isnull && DatumGetInt32(value) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a site's number must be greater than zero")));

	value = SPI_getbinval(row, desc, name_column, &isnull);
	if (!isnull && *trimmed(TextDatumGetCString(value)) == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a site's name must not be empty")));

	value = SPI_getbinval(row, desc, timezone_column, &isnull);
	if (!isnull)
	{
		char	   *name = TextDatumGetCString(value);
		pg_tz	   *tz = pg_tzset(name);
		const char *canonical;

		if (tz == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" not recognized", name),
					 errhint("The view pg_timezone_names lists time zones.")));
		if (!pg_tz_acceptable(tz))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("time zone \"%s\" appears to use leap seconds", name),
					 errdetail("PostgreSQL does not support leap seconds.")));
		canonical = pg_get_timezone_name(tz);
		if (canonical && strcmp(canonical, name) != 0)
		{
			isnull = false;
			value = CStringGetTextDatum(canonical);
			row = heap_modify_tuple_by_cols(row, desc, 1, &timezone_column, &value, &isnull);
		}
	}
	return PointerGetDatum(row);
}

/*
 * config_changed() RETURNS trigger: AFTER … FOR EACH STATEMENT on the tables
 * that backends cache.  Every backend, this one included, hears at the end of
 * the command or of the transaction that the table has changed.
 */
Datum
pkt_config_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"config_changed\" must be fired AFTER a change")));
	CacheInvalidateRelcacheByRelid(RelationGetRelid(trigdata->tg_relation));
	return PointerGetDatum(NULL);
}


/*
 * ---- Functions for SQL ----
 */

/* Put the rows of the instance (idsite 0) or of a site into the result. */
static void
put_values(ReturnSetInfo *rsinfo, int32 idsite, const Settings *s, const Resolution *res)
{
	int			i;

	for (i = 0; i < NSETTINGS; i++)
	{
		const SettingDef *def = &registry[i];
		Datum		values[5] = {0};
		bool		nulls[5] = {false};
		const void *value;

		if (idsite == 0)
			nulls[0] = true;
		else
			values[0] = Int32GetDatum(idsite);
		values[1] = CStringGetTextDatum(def->name);
		value = (i == alias_index) ? (const void *) &res->alias : (const char *) s + def->offset;
		if (i == alias_index && res->source[i] == SOURCE_DEFAULT)
			nulls[2] = true;
		else
			values[2] = CStringGetTextDatum(format_value(def, value));
		values[3] = CStringGetTextDatum(source_names[res->source[i]]);
		values[4] = CStringGetTextDatum(def->description);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
}

/* Owner of a table. */
static Oid
table_owner(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

/*
 * setting_values() RETURNS TABLE: every setting's effective value, for the
 * instance (idsite NULL) and for each site, through the cache that tracking
 * uses.  Reads the tables as their owner: who may execute it may see settings.
 * Without a log, only the defaults.
 */
Datum
pkt_setting_values(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext work;
	MemoryContext old;
	Settings	s;
	Resolution	res;
	Oid			user;
	int			sec_context;
	int32	   *ids;
	uint64		n;
	uint64		k;

	InitMaterializedSRF(fcinfo, 0);
	AcceptInvalidationMessages();

	if (!find_tables())
	{
		static const SettingRows nothing;

		resolve(&nothing, NULL, &s, &res);
		put_values(rsinfo, 0, &s, &res);
		return (Datum) 0;
	}

	/* an error resets this with the (sub)transaction */
	GetUserIdAndSecContext(&user, &sec_context);
	SetUserIdAndSecContext(table_owner(site_relid),
						   sec_context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);

	work = AllocSetContextCreate(CurrentMemoryContext, "pk_tracking setting_values", ALLOCSET_DEFAULT_SIZES);

	connect_spi();
	old = MemoryContextSwitchTo(work);
	resolve(&instance_settings()->rows, NULL, &s, &res);
	put_values(rsinfo, 0, &s, &res);
	MemoryContextSwitchTo(old);

	run_query(&sites_plan, sites_query, false, 0);
	n = SPI_processed;
	ids = palloc(mul_size(sizeof(int32), n + 1));
	for (k = 0; k < n; k++)
	{
		bool		isnull;

		ids[k] = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[k], SPI_tuptable->tupdesc, 1, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);

	for (k = 0; k < n; k++)
	{
		SiteSettings *site;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(work);
		old = MemoryContextSwitchTo(work);
		site = site_settings(ids[k]);
		if (site)				/* else it has just been removed */
			put_values(rsinfo, ids[k], &site->config.s, &site->resolution);
		MemoryContextSwitchTo(old);
	}
	finish_spi();
	MemoryContextDelete(work);
	SetUserIdAndSecContext(user, sec_context);
	return (Datum) 0;
}

/* setting_name(text): the name as it is stored; error if there is no such setting. */
Datum
pkt_setting_name(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the setting's name must not be null")));
	PG_RETURN_TEXT_P(cstring_to_text(registry[lookup_setting(text_to_cstring(PG_GETARG_TEXT_PP(0)))].name));
}

/* need_log(): error if there is no log. */
Datum
pkt_need_log(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	require_tables();
	PG_RETURN_VOID();
}


/*
 * ---- Start ----
 */

/* Registry index of a setting that the code relies on. */
static int
known_setting(const char *name)
{
	int			i = find_setting(name);

	if (i < 0)
		elog(ERROR, "setting \"%s\" is missing from the registry", name);
	return i;
}

/*
 * Called by _PG_init(): parse the defaults, register for invalidations, define
 * the GUCs.
 */
void
settings_init(void)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	int			i;

	rules_index = known_setting("recognition_rules");
	fingerprint_ip_index = known_setting("fingerprint_ip");
	geo_ip_index = known_setting("geo_ip");
	alias_index = known_setting("use_anonymized_ip_for_visit_enrichment");

	for (i = 0; i < NSETTINGS; i++)
	{
		const SettingDef *def = &registry[i];
		char	   *piwik = (char *) &defaults[RULES_PIWIK] + def->offset;
		char	   *matomo = (char *) &defaults[RULES_MATOMO] + def->offset;
		const char *why;

		if (def->value == NULL)
			continue;
		if (!parse_value(def, def->value, piwik, &why))
			elog(ERROR, "setting \"%s\" has an invalid default", def->name);
		/* the two share what a string or list points to */
		memcpy(matomo, piwik, value_size(def));
		if (def->matomo_value && !parse_value(def, def->matomo_value, matomo, &why))
			elog(ERROR, "setting \"%s\" has an invalid default", def->name);
	}
	MemoryContextSwitchTo(old);

	cache_context = AllocSetContextCreate(TopMemoryContext, "pk_tracking settings", ALLOCSET_SMALL_SIZES);
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);

	DefineCustomIntVariable("pk_tracking.bulk_memory",
							"Sets the memory that a bulk statement may use before it writes a batch.",
							NULL,
							&pkt_bulk_memory,
							64 * 1024, 1024, MAX_KILOBYTES,
							PGC_SUSET, GUC_UNIT_KB,
							NULL, NULL, NULL);
	DefineCustomStringVariable("pk_tracking.geoip_asn_file",
							   "Lists the GeoIP files with networks and their organisations.",
							   "Several files are separated by commas and searched in this order.",
							   &pkt_geoip_asn_file,
							   "",
							   PGC_SUSET, GUC_LIST_INPUT | GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("pk_tracking.geoip_city_file",
							   "Lists the GeoIP files with cities or countries.",
							   "Several files are separated by commas and searched in this order.",
							   &pkt_geoip_city_file,
							   "",
							   PGC_SUSET, GUC_LIST_INPUT | GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("pk_tracking.user_agent_rules_file",
							   "Sets the file with the rules by which user agents are told apart.",
							   NULL,
							   &pkt_user_agent_rules_file,
							   "/usr/share/uap-core/regexes.yaml",
							   PGC_SUSET, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);

	MarkGUCPrefixReserved("pk_tracking");
}
