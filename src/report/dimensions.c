/*
 * dimensions.c
 *		What a filter of reports can name: one table of dimensions, which the view
 *		filter_dimensions shows.
 *
 * Names and meanings are those of Matomo's segments, but for consent, pluginX and
 * network…, which are ours.  A fingerprint is none: an analyst may not read it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/errors.h"
#include "report/dimensions.h"

PG_FUNCTION_INFO_V1(pkt_filter_dimensions);
PG_FUNCTION_INFO_V1(pkt_dimension_grouping);

static const DimensionWord device_types[] = {
	{"desktop", 0, "Desktop"}, {"smartphone", 1, "Smartphone"}, {"tablet", 2, "Tablet"},
	{"feature phone", 3, "Feature phone"}, {"console", 4, "Console"}, {"tv", 5, "Tv"},
	{"car browser", 6, "Car browser"}, {"smart display", 7, "Smart display"},
	{"camera", 8, "Camera"}, {"portable media player", 9, "Portable media player"},
	{"phablet", 10, "Phablet"}, {"smart speaker", 11, "Smart speaker"},
	{"wearable", 12, "Wearable"}, {"peripheral", 13, "Peripheral"}, {NULL, 0, NULL}
};

static const DimensionWord client_types[] = {
	{"browser", 1, NULL}, {"library", 2, NULL}, {"feed reader", 3, NULL}, {"media player", 4, NULL},
	{"mobile app", 5, NULL}, {"pim", 6, NULL}, {NULL, 0, NULL}
};

static const DimensionWord referrer_types[] = {
	{"direct", 1, "Direct Entry"}, {"search", 2, "Search Engines"}, {"website", 3, "Websites"},
	{"campaign", 6, "Campaigns"}, {"social", 7, "Social Networks"}, {"ai", 8, "AI Assistants"},
	{NULL, 0, NULL}
};

static const DimensionWord visitor_types[] = {
	{"new", 0, NULL}, {"returning", 1, NULL}, {"returningCustomer", 2, NULL}, {NULL, 0, NULL}
};

static const DimensionWord ecommerce_statuses[] = {
	{"none", 0, NULL}, {"ordered", 1, NULL}, {"abandonedCart", 2, NULL},
	{"orderedThenAbandonedCart", 3, NULL}, {NULL, 0, NULL}
};

static const DimensionWord consents[] = {
	{"not asked", 0, NULL}, {"granted", 1, NULL}, {"undecided", 2, NULL},
	{"refused", 3, NULL}, {NULL, 0, NULL}
};

/* What log_link_visit_action does not store as a code: see the expression. */
static const DimensionWord action_types[] = {
	{"pageviews", 1, NULL}, {"outlinks", 2, NULL}, {"downloads", 3, NULL},
	{"sitesearches", 8, NULL}, {"events", 10, NULL},
	{"contents", 13, NULL}, {NULL, 0, NULL}
};

/* A text that a client sent: under matomo rules the log has it escaped. */
#define PLAIN(column) "pk_tracking.plain_text($1, " column ")"

/* A code or version, of which UNK is an absent one, too. */
#define KNOWN(column) "nullif(nullif(" column ", ''), 'UNK')"

/* Parts of a time by the site's clock. */
#define PART(part, time) "extract(" part " FROM " time " AT TIME ZONE $6)"
#define FIRST_ACTION "v.visit_first_action_time"
#define LAST_ACTION "v.visit_last_action_time"
/* ISO weeks and Sunday as 1, as MySQL counts them for Matomo */
#define DAY_OF_WEEK(time) "(" PART("dow", time) " + 1)"
#define DAYS(seconds) "(" seconds " / 86400)"

/* A member of a custom variable: [name, value] by slot. */
#define VARIABLE(alias, member) \
	PLAIN(alias ".custom_variables -> '%d' ->> " member)

/*
 * The table.  SCOPE, then the name: .type, .expression and so on.  Of a row of
 * another scope than the visit .key has no use.
 */
#define VISIT(n, t, e, d, ...) \
	{.name = n, .scope = SCOPE_VISIT, .type = DIMENSION_##t, .expression = e, \
		.description = d, __VA_ARGS__}
#define ACTION(n, t, e, d, ...) \
	{.name = n, .scope = SCOPE_ACTION, .type = DIMENSION_##t, .expression = e, \
		.description = d, __VA_ARGS__}
#define CONVERSION(n, t, e, d, ...) \
	{.name = n, .scope = SCOPE_CONVERSION, .type = DIMENSION_##t, .expression = e, \
		.description = d, __VA_ARGS__}
#define PRODUCT(n, t, e, d, ...) \
	{.name = n, .scope = SCOPE_ITEM, .type = DIMENSION_##t, .expression = e, \
		.description = d, __VA_ARGS__}

#define EN_DASH "\xE2\x80\x93"
#define HOURS "00,01,02,03,04,05,06,07,08,09,10,11,12,13,14,15,16,17,18,19,20,21,22,23"
#define DAYS_SINCE \
	"0 days,1 day,2 days,3 days,4 days,5 days,6 days,7 days,8-14 days,15-30 days,31-60 days," \
	"61-120 days,121-364 days,365+ days"
#define DAYS_BUCKET(seconds) \
	"width_bucket(" DAYS(seconds) ", '{1,2,3,4,5,6,7,8,15,31,61,121,365}'::integer[])"
/* The name of a row of the dictionary by its number, as the label of a report. */
#define NAME_OF(type, name) \
	"(SELECT " PLAIN(name) " FROM pk_tracking.log_action a WHERE a.idsite = $1 " \
	"AND a.idaction = k1 AND a.type = " type " LIMIT 1)"
/* The number of a title, NULL for the keyword of a search or another name. */
#define TITLE_KEY(column) \
	"(SELECT a.idaction FROM pk_tracking.log_action a WHERE a.idsite = $1 " \
	"AND a.idaction = " column " AND a.type = 4 LIMIT 1)"

static const Dimension visit_dimensions[] =
{
	/* the visitor */
	VISIT("visitorId", VISITOR, "v.idvisitor", "visitor id",.key = "v.idvisitor::text"),
	VISIT("userId", TEXT, PLAIN("v.user_id"), "user id, or its hash"),
	VISIT("visitorType", CHOICE, "v.visitor_returning",
		  "new, or returning, or a returning customer",.words = visitor_types),
	VISIT("visitCount", NUMBER, "v.visitor_count_visits",
		  "number of the visit among those of its visitor",
		  .key = "width_bucket(v.visitor_count_visits, "
		  "'{2,3,4,5,6,7,8,9,15,26,51,101,201}'::integer[])",
		  .labels = "1 visit,2 visits,3 visits,4 visits,5 visits,6 visits,"
		  "7 visits,8 visits,"
		  "9-14 visits,"
		  "15-25 visits,26-50 visits,51-100 visits,101-200 visits,201+ visits"),
	VISIT("daysSinceFirstVisit", NUMBER, DAYS("v.visitor_seconds_since_first"),
		  "whole days since the visitor's first visit",
		  .key = DAYS_BUCKET("v.visitor_seconds_since_first"),.labels = DAYS_SINCE),
	VISIT("daysSinceLastVisit", NUMBER, DAYS("v.visitor_seconds_since_last"),
		  "whole days since the visitor's previous visit; 0 for a new visitor",
		  .key = "CASE WHEN v.visitor_returning = 0 THEN 0 ELSE 1 + "
		  DAYS_BUCKET("v.visitor_seconds_since_last") " END",
		  .labels = "New visits," DAYS_SINCE),
	VISIT("daysSinceLastEcommerceOrder", NUMBER, DAYS("v.visitor_seconds_since_order"),
		  "whole days since the visitor's last order",
		  .key = DAYS_BUCKET("v.visitor_seconds_since_order"),.labels = DAYS_SINCE),
	VISIT("secondsSinceFirstVisit", NUMBER, "v.visitor_seconds_since_first",
		  "seconds since the visitor's first visit"),
	VISIT("secondsSinceLastVisit", NUMBER, "v.visitor_seconds_since_last",
		  "seconds since the visitor's previous visit; 0 for a new visitor"),
	VISIT("secondsSinceLastEcommerceOrder", NUMBER, "v.visitor_seconds_since_order",
		  "seconds since the visitor's last order"),
	VISIT("consent", CHOICE, "v.consent", "consent to tracking",.words = consents),
	VISIT("profilable", NUMBER, "v.profilable", "1 if a hit had a visitor or user id, else 0"),

	/* the visit */
	VISIT("visitId", NUMBER, "v.idvisit", "number of the visit"),
	VISIT("visitIp", ADDRESS, "v.location_ip",
		  "masked IP address, or a network that it lies in, such as 192.0.2.0/24"),
	VISIT("visitDuration", NUMBER, "v.visit_total_time", "length in seconds",
		  .key = "width_bucket(v.visit_total_time, "
		  "'{11,31,61,121,241,421,601,901,1801}'::integer[])",
		  .labels = "0" EN_DASH "10s,11" EN_DASH "30s,31" EN_DASH "60s,1-2 min,2-4 min,"
		  "4-7 min,7-10 min,10-15 min,15-30 min,30+ min"),
	VISIT("actions", NUMBER, "v.visit_total_actions",
		  "number of page views, downloads, outlinks, searches and events",
		  .key = "width_bucket(v.visit_total_actions, '{1,2,3,4,5,6,8,11,15,21}'::integer[])",
		  .labels = "0 pages,1 page,2 pages,3 pages,4 pages,5 pages,6-7 pages,8-10 pages,"
		  "11-14 pages,15-20 pages,21+ pages"),
	VISIT("interactions", NUMBER, "v.visit_total_interactions",
		  "number of page views and searches"),
	VISIT("searches", NUMBER, "v.visit_total_searches", "number of site searches"),
	VISIT("events", NUMBER, "v.visit_total_events", "number of events"),
	VISIT("visitConverted", NUMBER, "v.visit_goal_converted",
		  "1 if the visit converted a goal or ordered, else 0"),
	VISIT("visitEcommerceStatus", CHOICE, "v.visit_goal_buyer",
		  "what the visit ended with",.words = ecommerce_statuses),
	VISIT("visitStartServerHour", NUMBER, PART("hour", FIRST_ACTION),
		  "hour of the first action by the site's clock",
		  .key = PART("hour", FIRST_ACTION) "::integer",.labels = HOURS),
	VISIT("visitStartServerMinute", NUMBER, PART("minute", FIRST_ACTION),
		  "minute of the first action by the site's clock"),
	VISIT("visitServerHour", NUMBER, PART("hour", LAST_ACTION),
		  "hour of the last action by the site's clock",
		  .key = PART("hour", LAST_ACTION) "::integer",.labels = HOURS),
	VISIT("visitEndServerMinute", NUMBER, PART("minute", LAST_ACTION), "minute of the last action"),
	VISIT("visitEndServerSecond", NUMBER, "trunc(" PART("second", LAST_ACTION) ")",
		  "second of the last action"),
	VISIT("visitEndServerDate", TEXT, "to_char(" LAST_ACTION " AT TIME ZONE $6, 'YYYY-MM-DD')",
		  "day of the last action by the site's clock, such as 2026-11-30"),
	VISIT("visitEndServerDayOfWeek", NUMBER, DAY_OF_WEEK(LAST_ACTION),
		  "day of the week of the last action: 1 Sunday to 7 Saturday",
		  .key = "(" PART("isodow", FIRST_ACTION) " - 1)::integer",
		  .labels = "Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday"),
	VISIT("visitEndServerDayOfMonth", NUMBER, PART("day", LAST_ACTION),
		  "day of the month of the last action"),
	VISIT("visitEndServerDayOfYear", NUMBER, PART("doy", LAST_ACTION),
		  "day of the year of the last action"),
	VISIT("visitEndServerWeekOfYear", NUMBER, PART("week", LAST_ACTION),
		  "ISO week of the last action"),
	VISIT("visitEndServerMonth", NUMBER, PART("month", LAST_ACTION), "month of the last action"),
	VISIT("visitEndServerQuarter", NUMBER, PART("quarter", LAST_ACTION),
		  "quarter of the last action"),
	VISIT("visitEndServerYear", NUMBER, PART("year", LAST_ACTION), "year of the last action"),
	VISIT("visitLocalHour", NUMBER, "extract(hour FROM v.visitor_localtime)",
		  "hour of the visitor's clock when the visit began, as sent",
		  .key = "extract(hour FROM v.visitor_localtime)::integer",.labels = HOURS),
	VISIT("visitLocalMinute", NUMBER, "extract(minute FROM v.visitor_localtime)",
		  "minute of the visitor's clock when the visit began, as sent"),
	VISIT("entryPageUrl", URL, "v.visit_entry_idaction_url", "URL of the first page view",
		  .types = "1",.key = "nullif(v.visit_entry_idaction_url, 0)",
		  .label = NAME_OF("1", "pk_tracking.url_prefix_text(a.url_prefix) || a.name")),
	VISIT("entryPageTitle", NAME, "v.visit_entry_idaction_name", "title of the first page view",
		  .types = "4",.key = TITLE_KEY("v.visit_entry_idaction_name"),.label = NAME_OF("4",
																						"a.name")),
	VISIT("exitPageUrl", URL, "v.visit_exit_idaction_url", "URL of the last page view",
		  .types = "1",.key = "nullif(v.visit_exit_idaction_url, 0)",
		  .label = NAME_OF("1", "pk_tracking.url_prefix_text(a.url_prefix) || a.name")),
	VISIT("exitPageTitle", NAME, "v.visit_exit_idaction_name", "title of the last page view",
		  .types = "4",.key = TITLE_KEY("v.visit_exit_idaction_name"),.label = NAME_OF("4",
																					   "a.name")),

	/* where from */
	VISIT("referrerType", CHOICE, "v.referer_type", "type of referrer",.words = referrer_types),
	VISIT("referrerName", TEXT, PLAIN("v.referer_name"),
		  "search engine, website, social network, AI assistant or campaign"),
	VISIT("referrerKeyword", TEXT, PLAIN("v.referer_keyword"), "keyword of the search or campaign"),
	VISIT("referrerUrl", TEXT, PLAIN("v.referer_url"), "URL of the referrer"),
	VISIT("continentCode", TEXT, "pk_tracking.continent_code(v.location_country)",
		  "continent of the country: afr, amc, amn, ams, ant, asi, eur, oce",
		  .label = "pk_tracking.continent_name(k1)"),
	VISIT("countryCode", TEXT, "v.location_country", "country, two letters; xx if it is unknown",
		  .key = "coalesce(nullif(v.location_country, ''), 'xx')",
		  .label = "CASE WHEN k1 <> 'xx' THEN coalesce(pk_tracking.country_name(k1), k1) END"),
	VISIT("regionCode", TEXT, PLAIN("v.location_region"), "code of the region within its country"),
	VISIT("city", TEXT, PLAIN("v.location_city"), "city"),
	VISIT("latitude", NUMBER, "v.location_latitude", "degrees"),
	VISIT("longitude", NUMBER, "v.location_longitude", "degrees"),
	VISIT("languageCode", TEXT, "v.location_browser_lang",
		  "language of the browser, such as de-at",
	/* German of Germany is German, as in Matomo */
		  .key = "nullif(regexp_replace(nullif(v.location_browser_lang, 'xx'), "
		  "'^([a-z]+)-\\1$', '\\1'), '')",
		  .label = "coalesce(pk_tracking.language_name(k1) || ' (' || k1 || ')', k1)"),
	VISIT("networkNumber", NUMBER, "v.location_asn", "number of the autonomous system"),
	VISIT("networkOrganisation", TEXT, PLAIN("v.location_organisation"),
		  "organisation of the network"),

	/* with what */
	VISIT("browserCode", TEXT, KNOWN("v.config_browser_name"), "browser, such as FF",
		  .label = "pk_tracking.browser_name(k1)"),
	VISIT("browserName", TEXT, "pk_tracking.browser_name(" KNOWN("v.config_browser_name") ")",
		  "browser, such as Firefox"),
	VISIT("browserVersion", TEXT, KNOWN("v.config_browser_version"), "version of the browser"),
	VISIT("browserEngine", TEXT, KNOWN("v.config_browser_engine"),
		  "engine of the browser, such as Blink",
		  .label = "CASE k1 WHEN 'Blink' THEN 'Blink (Chrome, Opera)' "
		  "WHEN 'WebKit' THEN 'WebKit (Safari)' "
		  "WHEN 'Gecko' THEN 'Gecko (Firefox)' WHEN 'Trident' THEN 'Trident (IE)' ELSE k1 END"),
	VISIT("operatingSystemCode", TEXT, KNOWN("v.config_os"), "operating system, such as AND",
		  .label = "pk_tracking.os_name(k1)"),
	VISIT("operatingSystemName", TEXT, "pk_tracking.os_name(" KNOWN("v.config_os") ")",
		  "operating system, such as Android"),
	VISIT("operatingSystemVersion", TEXT, KNOWN("v.config_os_version"),
		  "version of the operating system"),
	VISIT("deviceType", CHOICE, "v.config_device_type", "type of device",.words = device_types),
	VISIT("deviceBrand", TEXT, "pk_tracking.device_brand_name(" KNOWN("v.config_device_brand") ")",
		  "manufacturer of the device, such as Apple"),
	VISIT("deviceModel", TEXT, PLAIN(KNOWN("v.config_device_model")), "model of the device"),
	VISIT("clientType", CHOICE, "v.config_client_type", "type of program",.words = client_types),
	VISIT("resolution", TEXT, KNOWN("v.config_resolution"), "screen resolution, such as 1920x1080"),
	VISIT("pluginCookie", NUMBER, "v.config_cookie", "1 if the browser takes cookies, as sent"),
	VISIT("pluginFlash", NUMBER, "v.config_flash", "1 if the browser has Flash, as sent"),
	VISIT("pluginJava", NUMBER, "v.config_java", "1 if the browser has Java, as sent"),
	VISIT("pluginPdf", NUMBER, "v.config_pdf", "1 if the browser shows PDF, as sent"),
	VISIT("pluginQuicktime", NUMBER, "v.config_quicktime",
		  "1 if the browser has QuickTime, as sent"),
	VISIT("pluginRealplayer", NUMBER, "v.config_realplayer",
		  "1 if the browser has RealPlayer, as sent"),
	VISIT("pluginSilverlight", NUMBER, "v.config_silverlight",
		  "1 if the browser has Silverlight, as sent"),
	VISIT("pluginWindowsmedia", NUMBER, "v.config_windowsmedia",
		  "1 if the browser has Windows Media, as sent"),
	VISIT("dimensionN", TEXT, PLAIN("v.custom_dimensions ->> '%d'"),
		  "custom dimension number N of the visit",.numbered = true),
	VISIT("customVariableNameN", TEXT, VARIABLE("v", "0"),
		  "name of the visit's custom variable in slot N",.numbered = true),
	VISIT("customVariableValueN", TEXT, VARIABLE("v", "1"),
		  "value of the visit's custom variable in slot N",.numbered = true)
};

static const Dimension row_dimensions[] =
{
	/* actions */
	ACTION("pageUrl", URL, "l.idaction_url", "URL of a page view",.types = "1"),
	ACTION("pageTitle", NAME, "l.idaction_name", "title of a page view",.types = "4"),
	ACTION("actionUrl", URL, "l.idaction_url", "URL of a page view, download, outlink or event",
		   .types = "1, 2, 3, 10"),
	ACTION("downloadUrl", NAME, "l.idaction_url", "URL of a download",.types = "3"),
	ACTION("outlinkUrl", NAME, "l.idaction_url", "URL of an outlink",.types = "2"),
	ACTION("siteSearchKeyword", NAME, "l.idaction_name", "keyword of a site search",.types = "8"),
	ACTION("siteSearchCategory", TEXT, PLAIN("l.search_cat"), "category of a site search"),
	ACTION("siteSearchCount", NUMBER, "l.search_count", "number of results of a site search"),
	ACTION("eventCategory", NAME, "l.idaction_event_category", "category of an event",
		   .types = "10"),
	ACTION("eventAction", NAME, "l.idaction_event_action", "action of an event",.types = "11"),
	ACTION("eventName", NAME, "l.idaction_name", "name of an event",.types = "12"),
	ACTION("eventUrl", URL, "l.idaction_url", "URL of the page of an event",.types = "10"),
	ACTION("eventValue", NUMBER,
		   "CASE WHEN l.idaction_event_category IS NOT NULL THEN l.custom_float END",
		   "value of an event"),
	ACTION("contentName", NAME, "l.idaction_content_name", "name of a content block",.types = "13"),
	ACTION("contentPiece", NAME, "l.idaction_content_piece", "piece of a content block",
		   .types = "14"),
	ACTION("contentTarget", NAME, "l.idaction_content_target", "target of a content block",
		   .types = "15"),
	ACTION("contentInteraction", NAME, "l.idaction_content_interaction",
		   "interaction with a content block",.types = "16"),
	ACTION("productViewSku", NAME, "l.idaction_product_sku", "SKU of a product viewed",
		   .types = "5"),
	ACTION("productViewName", NAME, "l.idaction_product_name", "name of a product viewed",
		   .types = "6"),
	ACTION("productViewCategory", NAME, "l.idaction_product_cat, l.idaction_product_cat2, "
		   "l.idaction_product_cat3, l.idaction_product_cat4, l.idaction_product_cat5",
		   "category of a product viewed",.types = "7"),
	ACTION("productViewPrice", NUMBER, "l.product_price", "price of a product viewed"),
	ACTION("actionType", CHOICE,
		   "CASE WHEN l.idaction_event_category IS NOT NULL THEN 10 "
		   "WHEN l.idaction_content_name IS NOT NULL THEN 13 WHEN l.idaction_url IS NULL THEN 8 "
		   "ELSE coalesce((SELECT a.type FROM pk_tracking.log_action a WHERE a.idsite = $1 "
		   "AND a.idaction = l.idaction_url LIMIT 1), 1) END",
		   "kind of action",.words = action_types),
	ACTION("actionServerHour", NUMBER, PART("hour", "l.server_time"),
		   "hour of the action by the site's clock"),
	ACTION("actionServerMinute", NUMBER, PART("minute", "l.server_time"), "minute of the action"),
	ACTION("timeSpent", NUMBER, "l.time_spent", "seconds until the next action"),
	ACTION("dimensionN", TEXT, PLAIN("l.custom_dimensions ->> '%d'"),
		   "custom dimension number N of the action",.numbered = true),
	ACTION("customVariablePageNameN", TEXT, VARIABLE("l", "0"),
		   "name of the action's custom variable in slot N",.numbered = true),
	ACTION("customVariablePageValueN", TEXT, VARIABLE("l", "1"),
		   "value of the action's custom variable in slot N",.numbered = true),

	/* conversions, orders and carts */
	CONVERSION("visitConvertedGoalId", NUMBER, "c.idgoal",
			   "number of a goal that the visit converted"),
	CONVERSION("visitConvertedGoalName", TEXT,
			   "(SELECT g.name FROM pk_tracking.goal g "
			   "WHERE g.idsite = $1 AND g.idgoal = c.idgoal)",
			   "name of a goal that the visit converted"),
	CONVERSION("orderId", TEXT, PLAIN("c.idorder"), "id of an order"),
	CONVERSION("revenueOrder", NUMBER, "CASE WHEN c.idgoal = 0 THEN c.revenue END",
			   "revenue of an order",.alone = true),
	CONVERSION("revenueAbandonedCart", NUMBER, "CASE WHEN c.idgoal = -1 THEN c.revenue END",
			   "revenue left in a cart",.alone = true),
	CONVERSION("revenueSubtotal", NUMBER, "c.revenue_subtotal", "subtotal of an order"),
	CONVERSION("revenueTax", NUMBER, "c.revenue_tax", "tax of an order"),
	CONVERSION("revenueShipping", NUMBER, "c.revenue_shipping", "shipping costs of an order"),
	CONVERSION("revenueDiscount", NUMBER, "c.revenue_discount", "discount of an order"),
	PRODUCT("productSku", NAME, "i.idaction_sku",
			"SKU of a product that was ordered or put into a cart",.types = "5"),
	PRODUCT("productName", NAME, "i.idaction_name", "its name",.types = "6"),
	PRODUCT("productCategory", NAME, "i.idaction_category, i.idaction_category2, "
			"i.idaction_category3, i.idaction_category4, i.idaction_category5",
			"a category of it",.types = "7"),
	PRODUCT("productPrice", NUMBER, "i.price", "its price"),
	PRODUCT("productQuantity", NUMBER, "i.quantity", "how many of it")
};

#define N_DIMENSIONS ((int) (lengthof(visit_dimensions) + lengthof(row_dimensions)))

/* The dimensions of visits, then the others. */
static const Dimension *
dimension_at(int i)
{
	return i < (int) lengthof(visit_dimensions) ? &visit_dimensions[i] :
		&row_dimensions[i - lengthof(visit_dimensions)];
}

/* Does the site have this custom dimension? */
static bool
has_custom(const int *numbers, int number)
{
	for (; *numbers != 0; numbers++)
	{
		if (*numbers == number)
			return true;
	}
	return false;
}

/* The number at the end of a name, or 0; *stem is the length of what is before. */
static int
number_of(const char *name, int *stem)
{
	int			len = strlen(name);
	int			digits = 0;

	while (digits < len && isdigit((unsigned char) name[len - digits - 1]))
		digits++;
	*stem = len - digits;
	return digits > 0 && digits < 10 && name[*stem] != '0' ? atoi(name + *stem) : 0;
}

/* The dimension with its number in place of "%d". */
static const Dimension *
numbered(const Dimension *d, const char *name, int number)
{
	Dimension  *copy = palloc(sizeof(Dimension));

	*copy = *d;
	copy->name = pstrdup(name);
	copy->expression = psprintf(d->expression, number);
	return copy;
}

/*
 * dimension_find
 *		The dimension of this name, or NULL.  Names are compared without regard
 *		to case.  custom: the custom dimensions that the site has; slots of custom
 *		variables are those that exist.
 */
const Dimension *
dimension_find(const char *name, const CustomDimensions *custom)
{
	int			stem;
	int			number = number_of(name, &stem);

	for (int i = 0; i < N_DIMENSIONS; i++)
	{
		const Dimension *d = dimension_at(i);

		if (!d->numbered)
		{
			if (pg_strcasecmp(d->name, name) == 0)
				return d;
			continue;
		}
		if (number == 0 || (int) strlen(d->name) != stem + 1 ||
			pg_strncasecmp(d->name, name, stem) != 0)
			continue;
		if (strcmp(d->name, "dimensionN") != 0 ? number <= 5 :
			has_custom(d->scope == SCOPE_VISIT ? custom->visit : custom->action, number))
			return numbered(d, name, number);
	}
	return NULL;
}

/*
 * dimension_names
 *		All names, or those of the visit, for a hint: palloc'd.  dimensionN may be
 *		of visits or actions.
 */
const char *
dimension_names(bool of_visit)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < N_DIMENSIONS; i++)
	{
		const Dimension *d = dimension_at(i);

		if (d->scope == SCOPE_VISIT || (!of_visit && strcmp(d->name, "dimensionN") != 0))
			appendStringInfo(&names, "%s%s", i == 0 ? "" : ", ", d->name);
	}
	return names.data;
}

/*
 * dimension_operators
 *		The operators that fit a type, for a hint and the view.
 */
const char *
dimension_operators(DimensionType type)
{
	switch (type)
	{
		case DIMENSION_TEXT:
		case DIMENSION_NAME:
		case DIMENSION_URL:
			return "== != =@ !@ =^ !^ =$ !$";
		case DIMENSION_NUMBER:
			return "== != > >= < <=";
		case DIMENSION_CHOICE:
		case DIMENSION_VISITOR:
		case DIMENSION_ADDRESS:
			return "== !=";
	}
	return "";
}

/* The words of a choice, as an array; NULL: none. */
static char *
words_of(const Dimension *d)
{
	StringInfoData words;

	if (d->words == NULL)
		return NULL;
	initStringInfo(&words);
	for (const DimensionWord *w = d->words; w->word != NULL; w++)
		appendStringInfo(&words, "%s%s", w == d->words ? "" : ", ", w->word);
	return words.data;
}

/*
 * pkt_filter_dimensions
 *		SQL: filter_dimension_table() -> the table of dimensions, in its order.
 */
Datum
pkt_filter_dimensions(PG_FUNCTION_ARGS)
{
	static const char *const scopes[] = {
		[SCOPE_VISIT] = "visit",
		[SCOPE_ACTION] = "action",
		[SCOPE_CONVERSION] = "conversion",
		[SCOPE_ITEM] = "item"
	};
	static const char *const types[] = {
		[DIMENSION_TEXT] = "text",
		[DIMENSION_NAME] = "text",
		[DIMENSION_URL] = "url",
		[DIMENSION_NUMBER] = "number",
		[DIMENSION_CHOICE] = "word",
		[DIMENSION_VISITOR] = "visitor id",
		[DIMENSION_ADDRESS] = "address"
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < N_DIMENSIONS; i++)
	{
		const Dimension *d = dimension_at(i);
		char	   *words = words_of(d);
		Datum		values[6];
		bool		nulls[6] = {false};

		values[0] = CStringGetTextDatum(d->name);
		values[1] = CStringGetTextDatum(scopes[d->scope]);
		values[2] = CStringGetTextDatum(types[d->type]);
		values[3] = CStringGetTextDatum(dimension_operators(d->type));
		nulls[4] = words == NULL;
		if (words != NULL)
			values[4] = CStringGetTextDatum(words);
		values[5] = CStringGetTextDatum(d->description);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/*
 * dimension_numbers
 *		The numbers of an integer[], and a 0 after them.
 */
int *
dimension_numbers(ArrayType *array)
{
	Datum	   *elements;
	int			n;
	int		   *numbers;

	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &elements, NULL, &n);
	numbers = palloc(sizeof(int) * (n + 1));
	for (int i = 0; i < n; i++)
		numbers[i] = DatumGetInt32(elements[i]);
	numbers[n] = 0;
	return numbers;
}

/* The labels of a choice by their codes: SQL over the key k1. */
static char *
word_sql(const Dimension *d)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "CASE k1");
	for (const DimensionWord *w = d->words; w->word != NULL; w++)
		appendStringInfo(&sql, " WHEN %d THEN '%s'", w->code,
						 w->label != NULL ? w->label : w->word);
	appendStringInfoString(&sql, " END");
	return sql.data;
}

/* What visits are grouped by. */
static const char *
key_sql(const Dimension *d)
{
	if (d->key != NULL)
		return d->key;
	if (d->type == DIMENSION_TEXT)
		return psprintf("nullif(%s, '')", d->expression);
	if (d->type == DIMENSION_ADDRESS)
		return psprintf("host(%s)", d->expression);
	return d->expression;
}

/*
 * pkt_dimension_grouping
 *		SQL: dimension_grouping(name, visit_dimensions integer[]) -> how report_by()
 *		groups visits: key over the visit v, label over the key k1, and the labels
 *		of the keys 0, 1, 2 and so on, or NULL.
 */
Datum
pkt_dimension_grouping(PG_FUNCTION_ARGS)
{
	static const int none[] = {0};
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	CustomDimensions custom = {
		.visit = dimension_numbers(PG_GETARG_ARRAYTYPE_P(1)),
		.action = none
	};
	const Dimension *d = dimension_find(name, &custom);
	TupleDesc	desc;
	Datum		result[3];
	bool		nulls[3] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (d == NULL || d->scope != SCOPE_VISIT)
	{
		errors_without_context();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"dimension\""),
				 errhint("Valid values are %s.", dimension_names(true))));
	}

	result[0] = CStringGetTextDatum(key_sql(d));
	result[1] = CStringGetTextDatum(d->label != NULL ? d->label :
									d->words != NULL ? word_sql(d) : "k1::text");
	nulls[2] = d->labels == NULL;
	if (d->labels != NULL)
		result[2] = CStringGetTextDatum(d->labels);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, result, nulls)));
}
