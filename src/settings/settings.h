/*
 * settings.h
 *		Settings and the configuration of a site: the face of settings/ to the
 *		other floors.
 *
 * Values that change what is stored are in the table pk_tracking.setting, see
 * doc/internals.md, "Settings"; server parameters (gucs.h) are for files and
 * memory only.
 */
#ifndef PKT_SETTINGS_H
#define PKT_SETTINGS_H

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/palloc.h"

#include "base/text_list.h"

typedef enum RecognitionRules
{
	RULES_PIWIK,
	RULES_MATOMO
} RecognitionRules;

typedef enum IpUse
{
	IP_MASKED,
	IP_FULL
} IpUse;

typedef enum SaltRotation
{
	ROTATION_NEVER,
	ROTATION_DAILY
} SaltRotation;

typedef enum LimitAction
{
	LIMIT_JUST_SPLIT,
	LIMIT_SPLIT_AND_EXCLUDE
} LimitAction;

typedef enum OrderConflict
{
	ORDER_CONFLICT_FIRST,
	ORDER_CONFLICT_KEEP
} OrderConflict;

typedef enum ConsentMode
{
	CONSENT_NOT_ASKED,
	CONSENT_ASK_ELSE_NOTHING,
	CONSENT_ASK_ELSE_ANONYMOUS
} ConsentMode;

typedef enum ConsentUpgrade
{
	UPGRADE_CONTINUE,
	UPGRADE_SPLIT
} ConsentUpgrade;

typedef enum GeoLevel
{
	GEO_NONE,
	GEO_CONTINENT,
	GEO_COUNTRY,
	GEO_REGION,
	GEO_CITY
} GeoLevel;

typedef enum DeviceLevel
{
	DEVICE_NONE,
	DEVICE_FAMILY,
	DEVICE_FULL
} DeviceLevel;

typedef enum ReferrerAnonymisation
{
	REFERRER_KEEP,
	REFERRER_EXCLUDE_QUERY,
	REFERRER_EXCLUDE_PATH,
	REFERRER_EXCLUDE_ALL
} ReferrerAnonymisation;

/*
 * Effective values for one site: site override, else instance value, else the
 * rule set's default, else the default.  A privacy setting of the instance that
 * is stricter than the site's wins.  A site's excluded_ips,
 * excluded_user_agents, excluded_query_parameters and excluded_referrers are
 * added to the instance's instead of replacing them.  Strings and lists live as
 * long as the SiteConfig that holds them.
 */
typedef struct Settings
{
	/* recognition */
	RecognitionRules recognition_rules;
	int32		window_look_back_for_visitor;	/* seconds */
	int32		visit_standard_length;	/* seconds */
	int32		returning_look_back;	/* seconds, 0: the window, -1: no
										 * limit */
	bool		trust_visitors_cookies;
	bool		use_third_party_id_cookie;
	bool		server_cookie;
	char	   *cookie_name;
	bool		cookie_renewal;
	bool		force_cookieless_tracking;
	bool		enable_fingerprinting_across_websites;
	IpUse		fingerprint_ip;
	SaltRotation fingerprint_salt_rotation;
	bool		use_fingerprint;
	bool		fingerprint_joins_known_ids;
	bool		enable_userid_overwrites_visitorid;

	/* visits */
	bool		create_new_visit_after_midnight;
	bool		create_new_visit_when_campaign_changes;
	bool		create_new_visit_when_website_referrer_changes;
	int32		create_new_visit_after_x_actions;	/* <= 0: off */
	int32		session_max_duration;	/* seconds, 0: off */
	LimitAction session_limit_exceeded_action;
	int32		default_time_one_page_visit;	/* seconds */

	/* orders */
	OrderConflict order_id_conflict;

	/* names */
	int32		new_names_per_day;	/* 0: no limit */

	/* privacy */
	int32		ip_mask_level;
	IpUse		geo_ip;
	ConsentMode consent_mode;
	ConsentUpgrade consent_upgrade;
	bool		anonymous_session_cookie;
	char	   *anonymous_cookie_name;
	char	   *consent_window; /* a JSON object, or "" */
	TextList	anonymous_query_parameters;
	bool		anonymous_fingerprint;
	GeoLevel	anonymous_geo_level;
	GeoLevel	geo_level;
	DeviceLevel anonymous_device_level;
	bool		anonymize_user_id;
	bool		discard_user_id;
	bool		anonymize_order_id;
	ReferrerAnonymisation anonymize_referrer;

	/* exclusion */
	bool		track_bots;
	bool		exclude_automation;
	TextList	excluded_ips;
	TextList	excluded_user_agents;
	TextList	excluded_query_parameters;
	TextList	url_query_parameter_to_exclude_from_url;
	TextList	excluded_referrers;
	bool		exclude_unknown_urls;
	char	   *exclude_requests;
	bool		respect_do_not_track;
	bool		enable_spam_filter;
	char	   *ignore_visits_cookie_name;

	/* pages, referrers, campaigns, search */
	bool		keep_url_fragment;
	int32		page_maximum_length;	/* bytes */
	TextList	campaign_var_name;
	TextList	campaign_keyword_var_name;
	bool		site_search;
	TextList	site_search_query_parameters;
	TextList	site_search_category_parameters;

	/* requests */
	bool		tracking_requests_require_authentication;
	/* seconds */
	int32		tracking_requests_require_authentication_when_custom_timestamp_newer_than;
	bool		bulk_requests_require_authentication;
	int32		bulk_requests_limit;	/* requests of a document without a
										 * token */
	TextList	proxy_client_headers;
	TextList	proxy_ips;
	bool		proxy_ip_read_last_in_list;
	bool		enable_language_to_country_guess;
	bool		enable_default_location_provider;

	/* maintenance; read by maintain() */
	int32		delete_ingest_runs_older_than;	/* days, 0: never */
	int32		delete_visits_older_than;	/* days, 0: never */
	int32		anonymise_visits_older_than;	/* days, 0: never */
} Settings;

typedef struct SiteConfig
{
	int32		idsite;
	pg_tz	   *tz;
	Settings	s;

	/* for data derived from the settings: lives as long as they do */
	MemoryContext context;
	struct SiteRules **rules;	/* track/site_rules.c; NULL until made */
} SiteConfig;

/*
 * Does the fingerprint use a salt of the site's day?  Not where a visit may last
 * over midnight, nor where sites share fingerprints.  See
 * doc/internals.md, "Salts".
 */
static inline bool
settings_rotate_daily(const Settings *s)
{
	return s->fingerprint_salt_rotation == ROTATION_DAILY &&
		s->create_new_visit_after_midnight &&
		!s->enable_fingerprinting_across_websites;
}

/* Parse the defaults, create the cache; once, when the library loads. */
extern void settings_init(void);

/*
 * The configuration of a site; NULL if no site has this number.  Call it for
 * every hit: the answer follows what other sessions commit.  The result stays
 * valid until the end of the transaction, even if it is replaced meanwhile.
 * Callers run as the log's owner, not in parallel mode.  Error undefined_table
 * if the log does not exist.
 */
extern const SiteConfig *site_config(int32 idsite);

#endif							/* PKT_SETTINGS_H */
