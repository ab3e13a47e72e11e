/*
 * describe.c
 *		What a hit says of its visit and its action: referrer, place, names,
 *		dimensions, conversions.
 *
 * Only names of the dictionary are written here.  A batch remembers the results
 * for texts that come again (memo.h).
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/text.h"
#include "base/url_form.h"
#include "enrich/language.h"
#include "log/names.h"
#include "request/tracking_api.h"
#include "track/anonymise.h"
#include "track/describe.h"
#include "track/site_rules.h"
#include "visit/custom.h"

#define SEARCH_CATEGORY_MAX 200 /* characters stored */
#define CAMPAIGN_PARAMS_MAX 64	/* tracking parameters that may name a
								 * campaign */

/*
 * describe_referrer
 *		Where the hit comes from.  visit: the referrer of the visit that the hit
 *		would continue, NULL for a visit that begins.
 */
void
describe_referrer(Work *w, const Referrer *visit, Referrer *found)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	ReferrerInput in = {0};
	ReferrerParam params[CAMPAIGN_PARAMS_MAX];
	const TextList *names[] = {&s->campaign_var_name, &s->campaign_keyword_var_name};
	MemoKey		key;
	bool		memorable = false;
	Memo	   *memo = w->memo;

	/* campaigns may be sent as tracking parameters too */
	for (int i = 0; hit->n_others > 0 && i < (int) lengthof(names); i++)
	{
		for (int j = 0; j < names[i]->n && in.n_params < CAMPAIGN_PARAMS_MAX; j++)
		{
			char	   *value = tracking_api_other(hit, names[i]->items[j]);

			if (value[0] == '\0')
				continue;
			params[in.n_params].name = names[i]->items[j];
			params[in.n_params++].value = value;
		}
	}

	in.idsite = hit->idsite;
	in.url = hit->url;
	in.urlref = hit->urlref;
	in.params = params;
	in.s = s;
	in.rules = site_rules(w->site)->url;
	if (hit->urlref[0])
	{
		in.sites = site_urls(&in.n_sites);
		in.own = site_referrer_list();
	}
	else if (in.n_params > 0 || strstr(hit->url, "utm_source") != NULL)
		in.own = site_referrer_list();
	in.visit = visit;

	/* of a page's URL without parameters only site and host matter */
	if (memo != NULL && hit->urlref[0] && in.n_params == 0 && strpbrk(hit->url, "?#&") == NULL)
	{
		const char *host = strstr(hit->url, "//");
		size_t		len = host == NULL ? strlen(hit->url) :
			host + 2 - hit->url + strcspn(host + 2, "/");
		const void *lists[] = {in.sites, in.own};

		memorable = true;
		memo_key_begin(memo, &key, MEMO_REFERRER, 0, w->site, in.rules);
		memo_key_add(&key, lists, sizeof(lists));
		memo_key_add(&key, hit->urlref, strlen(hit->urlref) + 1);
		memo_key_add(&key, hit->url, len);
	}
	if (!memorable || !memo_find_referrer(memo, &key, found))
	{
		referrer_detect(&in, found);
		if (memorable)
			memo_keep_referrer(memo, &key, found);
	}
	if (w->anonymous)
	{
		/* what was searched for stood in the URL's query */
		found->url = url_keep_only(found->url, &s->anonymous_query_parameters);
		if (found->type == REFERRER_SEARCH)
			found->keyword = NULL;
	}
	if (s->recognition_rules != RULES_MATOMO && found->url[0] == '\0')
		found->url = NULL;
}

/*
 * Degrees as a parameter has them: sign, digits, one point, an exponent.  False
 * if it is no number, or further than max from 0.
 */
static bool
parse_degrees(const char *str, double max, double *degrees)
{
	char	   *end;

	if (str[0] == '\0' || strspn(str, "+-.0123456789eE") != strlen(str))
		return false;
	*degrees = strtod(str, &end);
	return *end == '\0' && end != str && *degrees >= -max && *degrees <= max;
}

/*
 * Put what the hit itself says of its visitor's place into where, as far as
 * level allows.  Such parameters need authentication, which has been checked.  A
 * country other than the one found by address discards everything else that was
 * found.  False if the hit says nothing.
 */
static bool
override_location(const Hit *hit, GeoLevel level, GeoLocation *where)
{
	double		latitude;
	double		longitude;
	bool		has_latitude;
	bool		has_longitude;
	bool		any = false;

	/* a code; anything else is none */
	if (hit->country[0] && level >= GEO_COUNTRY &&
		strspn(hit->country, "abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == strlen(hit->country))
	{
		char		country[sizeof(where->country)];

		strlcpy(country, hit->country, sizeof(country));
		for (char *c = country; *c; c++)
			*c = pg_ascii_tolower((unsigned char) *c);
		if (strlen(hit->country) < sizeof(country) && strcmp(country, where->country) != 0)
		{
			where->continent[0] = where->region[0] = where->city[0] = '\0';
			where->has_coordinates = false;
			strcpy(where->country, country);
		}
		any = true;
	}
	if (hit->region[0] && level >= GEO_REGION)
	{
		strlcpy(where->region, hit->region, sizeof(where->region));
		any = true;
	}
	if (level < GEO_CITY)
		return any;

	if (hit->city[0])
	{
		char	   *city = pstrdup(hit->city);

		text_cut_bytes(city, sizeof(where->city) - 1);
		strlcpy(where->city, city, sizeof(where->city));
		any = true;
	}
	has_latitude = parse_degrees(hit->latitude, 90, &latitude);
	has_longitude = parse_degrees(hit->longitude, 180, &longitude);
	if ((has_latitude && has_longitude) ||
		((has_latitude || has_longitude) && where->has_coordinates))
	{
		if (has_latitude)
			where->latitude = latitude;
		if (has_longitude)
			where->longitude = longitude;
		where->has_coordinates = true;
		any = true;
	}
	return any;
}

/* Where the visitor is, as far as the settings let it be known. */
static void
find_place(Work *w, GeoLocation *where)
{
	const Settings *s = &w->site->s;
	GeoLevel	level = w->anonymous ? anonymous_geo_level(s) : s->geo_level;
	PktIp		ip = w->hit->ip;

	if (s->geo_ip == IP_MASKED)
		ip_mask(&ip, s->ip_mask_level);
	(void) geoip_lookup(&ip, level, where);
	if (where->country[0] == '\0' &&
		s->enable_default_location_provider && level >= GEO_COUNTRY)
		language_country(work_language(w), s->enable_language_to_country_guess,
						 s->recognition_rules == RULES_MATOMO, where->country);
	(void) override_location(w->hit, level, where);
	if (w->anonymous)
		geoip_make_anonymous(where);
}

static const char *
known_or_null(const char *str)
{
	return str[0] ? str : NULL;
}

/* Put the visit in a place, which must live as long as the visit. */
static void
set_place(Visit *visit, const GeoLocation *where)
{
	visit->continent = known_or_null(where->continent);
	visit->country = known_or_null(where->country);
	visit->region = known_or_null(where->region);
	visit->city = known_or_null(where->city);
	visit->latitude = visit->longitude = NULL;
	if (where->has_coordinates)
	{
		visit->latitude = DatumGetNumeric(geoip_degrees(where->latitude));
		visit->longitude = DatumGetNumeric(geoip_degrees(where->longitude));
	}
}

/*
 * describe_place
 *		Where the visitor is when a visit begins.
 */
void
describe_place(Work *w, bool as_matomo, Visit *visit, NewVisit *new)
{
	GeoLocation *where = palloc0_object(GeoLocation);

	find_place(w, where);
	/* Matomo has a word for an unknown country */
	if (as_matomo && where->country[0] == '\0' && w->site->s.geo_level >= GEO_COUNTRY)
		strcpy(where->country, "xx");
	set_place(visit, where);
	new->asn = where->asn;
	new->organisation = known_or_null(where->organisation);
}

/*
 * describe_device
 *		The device with which a visit begins.  as_matomo: what is unknown is an
 *		empty text, not NULL.
 */
void
describe_device(const UserAgent *device, bool as_matomo, NewVisit *new)
{
	const char *const texts[] = {
		device->config_os, device->os_version, device->config_browser_name, device->browser_version,
		device->browser_engine, device->config_device_brand, device->model
	};
	const char **const members[] = {
		&new->os, &new->os_version, &new->browser_name, &new->browser_version,
		&new->browser_engine, &new->device_brand, &new->device_model
	};

	for (int i = 0; i < (int) lengthof(texts); i++)
		*members[i] = as_matomo ? texts[i] : known_or_null(texts[i]);
	if (as_matomo && device->os_version[0] == '\0' && strcmp(device->config_os, "UNK") == 0)
		new->os_version = "UNK";
	new->client_type = device->client_type;
	new->device_type = device->device_type;
}

/*
 * describe_move
 *		Move a visit that continues to the place that the hit says, if any.  A
 *		hit without consent continues anonymous visits only, and one with consent
 *		makes the visit its visitor's before, so w->anonymous tells of both.
 */
void
describe_move(Work *w, Visit *visit)
{
	const Hit  *hit = w->hit;
	const Settings *s = &w->site->s;
	GeoLevel	level = w->anonymous ? anonymous_geo_level(s) : s->geo_level;
	GeoLocation *where;
	const char *continent = visit->continent;
	bool		moved;

	if (!hit->country[0] && !hit->region[0] && !hit->city[0] && !hit->latitude[0] &&
		!hit->longitude[0])
		return;

	where = palloc0_object(GeoLocation);
	if (visit->country != NULL)
		strlcpy(where->country, visit->country, sizeof(where->country));
	if (visit->region != NULL)
		strlcpy(where->region, visit->region, sizeof(where->region));
	if (visit->city != NULL)
		strlcpy(where->city, visit->city, sizeof(where->city));
	where->has_coordinates = visit->latitude != NULL && visit->longitude != NULL;
	if (where->has_coordinates)
	{
		where->latitude = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
															 NumericGetDatum(visit->latitude)));
		where->longitude = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
															  NumericGetDatum(visit->longitude)));
	}
	if (!override_location(hit, level, where))
		return;
	if (w->anonymous)
		where->has_coordinates = false;

	/* the continent of another country is not known */
	moved = visit->country != NULL && strcmp(visit->country, where->country) != 0;
	set_place(visit, where);
	visit->continent = moved ? NULL : continent;
	visit->seldom_changed = true;
}

/* The normalised URL of the page; NULL if there is none. */
static const char *
page_url(Work *w)
{
	if (!w->page_url_known)
	{
		w->page_url = url_normalise(w->hit->url, site_rules(w->site)->url);
		if (w->anonymous && w->page_url != NULL)
			w->page_url = url_keep_only(w->page_url, &w->site->s.anonymous_query_parameters);
		w->page_url_known = true;
	}
	return w->page_url;
}

/*
 * The memo's key of a text of the hit that becomes a name of the dictionary.  It
 * contains the site and w->anonymous: without consent the same URL loses
 * parameters that are not allowed, and each site has its own list of them.
 */
static void
name_key(const Memo *memo, const Work *w, MemoKind kind, int type, const char *text, MemoKey *key)
{
	memo_key_begin(memo, key, kind, (uint64) (type * 2 + w->anonymous), w->site,
				   site_rules(w->site)->url);
	memo_key_add(key, text, strlen(text));
}

/* The number of the page's URL for an action of this type; 0 if there is none. */
static int64
page_id(Work *w, int type)
{
	Memo	   *memo = w->memo;
	MemoKey		key;
	int64		idaction;

	if (memo == NULL)
		return name_of_url(w->log, w->hit->idsite, type, page_url(w));
	name_key(memo, w, MEMO_PAGE, type, w->hit->url, &key);
	if (memo_find_id(memo, &key, &idaction))
		return idaction;
	idaction = name_of_url(w->log, w->hit->idsite, type, page_url(w));
	if (!w->log->hit_names.refused)
		memo_keep_id(memo, &key, idaction);
	return idaction;
}

/* A name with spaces for its line breaks, which Matomo removes. */
static const char *
one_line(const Work *w, const char *name)
{
	if (w->site->s.recognition_rules == RULES_MATOMO || strpbrk(name, "\r\n") == NULL)
		return name;
	return text_join_lines(pstrdup(name));
}

/* The number of another name; 0 if there is none. */
static int64
name_id(Work *w, int type, const char *name)
{
	int			max = w->site->s.page_maximum_length;
	Memo	   *memo = w->memo;
	MemoKey		key;
	int64		idaction;

	if (name[0] == '\0')
		return 0;
	name = one_line(w, name);
	if (memo == NULL)
		return name_of_text(w->log, w->hit->idsite, type, name, max);
	name_key(memo, w, MEMO_NAME, type, name, &key);
	if (memo_find_id(memo, &key, &idaction))
		return idaction;
	idaction = name_of_text(w->log, w->hit->idsite, type, name, max);
	if (!w->log->hit_names.refused)
		memo_keep_id(memo, &key, idaction);
	return idaction;
}

/*
 * The URL of a link or a download: whole, but for user and password, and for
 * what an anonymous visitor may not leave.
 */
static const char *
clicked_url(Work *w, const char *url)
{
	char	   *clean = url_clean(url);

	clean = w->site->s.recognition_rules == RULES_MATOMO ?
		url_without_user(clean) : url_form(clean);
	return w->anonymous ? url_keep_only(clean, &w->site->s.anonymous_query_parameters) : clean;
}

/*
 * A content's target, which is a URL, or its piece, which may be one: as sent,
 * but for user and password, and for the parameters that an anonymous visitor
 * may not leave.
 */
static const char *
content_part(Work *w, const char *part, bool is_url)
{
	Url			url;

	part = url_without_user(is_url ? text_trim(pstrdup(part)) : pstrdup(part));
	if (!w->anonymous || (!is_url && !url_split(part, &url)))
		return part;
	return url_keep_only(part, &w->site->s.anonymous_query_parameters);
}

/* The number of an item's text, which is kept without HTML escapes; 0 if there is none. */
static int64
item_name(Work *w, int type, const char *name)
{
	return name_of_text(w->log, w->hit->idsite, type, url_clean(one_line(w, name)),
						w->site->s.page_maximum_length);
}

/* The product or category that a page shows. */
static void
name_product(Work *w, Action *action)
{
	const Hit  *hit = w->hit;
	Jsonb	   *list = hit->pkc[0] == '[' ? text_to_jsonb(hit->pkc) : NULL;
	int			n = 0;

	action->product_sku = item_name(w, ACTION_TYPE_SKU, hit->pks);
	action->product_name = item_name(w, ACTION_TYPE_ITEM_NAME, hit->pkn);
	action->product_price = hit->pkp;
	if (list != NULL && JB_ROOT_IS_ARRAY(list))
	{
		for (uint32 i = 0; i < JB_ROOT_COUNT(list) && n < ACTION_CATEGORIES; i++)
		{
			JsonbValue *v = getIthJsonbValueFromContainer(&list->root, i);

			if (v != NULL && v->type == jbvString && v->val.string.len > 0)
				action->product_categories[n++] =
					item_name(w, ACTION_TYPE_ITEM_CATEGORY,
							  pnstrdup(v->val.string.val, v->val.string.len));
		}
	}
	else
		action->product_categories[0] = item_name(w, ACTION_TYPE_ITEM_CATEGORY, hit->pkc);
	action->wide = true;
}

/* describe_has_timings: did the hit bring any page performance? */
bool
describe_has_timings(const Hit *hit)
{
	for (int t = 0; t < HIT_TIMINGS; t++)
	{
		if (hit->timings[t] != NOT_SENT)
			return true;
	}
	return false;
}

/*
 * describe_action
 *		The hit's action, its names as numbers of the dictionary.  For a hit
 *		without an action row only its kind and consent are set.
 */
void
describe_action(Work *w, Action *action)
{
	const Settings *s = &w->site->s;
	const Hit  *hit = w->hit;

	memset(action, 0, sizeof(Action));
	action->kind = w->kind;
	action->consent = consent_state(s->consent_mode, hit->consent);
	if (!action_has_row(w->kind))
		return;
	if (hit->pv_id[0] || s->recognition_rules == RULES_MATOMO)
		action->idpageview = hit->pv_id;
	action->idaction_url = action->idaction_name = no_int();
	action->search_count = NOT_SENT;
	for (int t = 0; t < HIT_TIMINGS; t++)
		action->timings[t] = NOT_SENT;
	action->wide = w->kind != ACTION_PAGE_VIEW;

	switch (w->kind)
	{
		case ACTION_PAGE_VIEW:
			action->idaction_url = some_int(page_id(w, ACTION_TYPE_URL));
			action->idaction_name = some_int(name_id(w, ACTION_TYPE_TITLE, hit->action_name));
			if (describe_has_timings(hit))
			{
				memcpy(action->timings, hit->timings, sizeof(action->timings));
				action->wide = true;
			}
			if (hit->pks[0] || hit->pkn[0] || hit->pkc[0] || hit->pkp != NULL)
				name_product(w, action);
			break;

		case ACTION_SITE_SEARCH:
			action->idaction_name = some_int(name_id(w, ACTION_TYPE_SEARCH, w->search.keyword));
			text_cut_chars(w->search.category, SEARCH_CATEGORY_MAX);
			if (w->search.category[0] || s->recognition_rules == RULES_MATOMO)
				action->search_cat = w->search.category;
			if (hit->search_count >= 0)
				action->search_count = hit->search_count;
			break;

		case ACTION_EVENT:
			action->idaction_url = some_int(page_id(w, ACTION_TYPE_EVENT));
			action->event_category = name_id(w, ACTION_TYPE_EVENT, hit->e_c);
			action->event_action = name_id(w, ACTION_TYPE_EVENT_ACTION, hit->e_a);
			if (hit->e_n[0])
			{
				int64		name = name_id(w, ACTION_TYPE_EVENT_NAME, hit->e_n);

				if (name != 0)
					action->idaction_name = some_int(name);
			}
			action->custom_float = hit->e_v;
			break;

		case ACTION_CONTENT:
			/* the whole URL, as for links and downloads */
			action->idaction_url = some_int(page_url(w) == NULL ? 0 :
											name_id(w, ACTION_TYPE_CONTENT, page_url(w)));
			action->content_name = name_id(w, ACTION_TYPE_CONTENT, hit->c_n);
			action->content_piece = name_id(w, ACTION_TYPE_CONTENT_PIECE,
											content_part(w, hit->c_p, false));
			action->content_target = name_id(w, ACTION_TYPE_CONTENT_TARGET,
											 content_part(w, hit->c_t, true));
			action->content_interaction = name_id(w, ACTION_TYPE_CONTENT_INTERACTION, hit->c_i);
			break;

		case ACTION_OUTLINK:
			action->idaction_url = some_int(name_id(w, ACTION_TYPE_OUTLINK,
													clicked_url(w, hit->link)));
			break;

		case ACTION_DOWNLOAD:
			action->idaction_url = some_int(name_id(w, ACTION_TYPE_DOWNLOAD,
													clicked_url(w, hit->download)));
			break;

		case ACTION_GOAL:
		case ACTION_ECOMMERCE:
		case ACTION_PING:
			break;
	}
}

/*
 * describe_custom
 *		Custom dimensions and variables, of the visit and of the action.  Hits
 *		without consent leave none.
 */
void
describe_custom(Work *w, Visit *visit, Action *action)
{
	const Hit  *hit = w->hit;
	const char *url = hit->url;
	CustomChanges changes;

	if (visit->consent >= STATE_UNDECIDED)
		return;

	/*
	 * Matomo looks at the URL of the action, which is the file's or the
	 * link's
	 */
	if (w->site->s.recognition_rules == RULES_MATOMO && w->kind == ACTION_DOWNLOAD)
		url = hit->download;
	else if (w->site->s.recognition_rules == RULES_MATOMO && w->kind == ACTION_OUTLINK)
		url = hit->link;
	custom_read(hit, url, &w->site->s, site_custom_dimensions(), &changes);
	if (changes.visit_dimensions != NULL)
		visit->custom_dimensions = custom_merge(visit->custom_dimensions, changes.visit_dimensions);
	if (changes.visit_variables != NULL)
		visit->custom_variables = custom_merge(visit->custom_variables, changes.visit_variables);
	visit->seldom_changed |= changes.visit_dimensions != NULL || changes.visit_variables != NULL;

	if (action_has_row(action->kind) &&
		(changes.action_dimensions != NULL || changes.action_variables != NULL))
	{
		action->custom_dimensions = custom_merge(NULL, changes.action_dimensions);
		action->custom_variables = changes.action_variables;
		action->wide = true;
	}
}

/*
 * describe_conversions
 *		The hit's conversions, and their traces in the visit, which must be as it
 *		will be after the hit.
 */
void
describe_conversions(Work *w, const Decision *d, MatchedBy matched_by, const Action *action,
					 Visit *visit)
{
	Hit		   *hit = w->hit;
	ConversionInput *in = &w->conversion_input;
	Referrer	cookie;
	bool		has_cookie = false;

	in->hit = hit;
	in->s = &w->site->s;
	in->request = &w->request;
	in->n_goals = w->n_goals;
	in->goals = w->goals;
	in->kind = w->kind;
	in->begun = d->begin;
	in->known = d->known;
	in->matched_by = matched_by;
	in->idaction_url = action->idaction_url;
	if (!conversion_decide(in, visit, &w->conversions))
		return;
	in->page_url = page_url(w);

	if (conversion_wants_cookie(hit, &visit->referrer))
	{
		ReferrerInput r = {0};
		char	   *host = url_host(hit->url);

		/* of the page only its host counts: that would be a direct entry */
		r.idsite = hit->idsite;
		r.url = host != NULL && host[0] ? psprintf("http://%s/", host) : "";
		r.urlref = hit->ref;
		r.s = &w->site->s;
		r.rules = site_rules(w->site)->url;
		r.sites = site_urls(&r.n_sites);
		r.own = site_referrer_list();
		referrer_detect(&r, &cookie);
		has_cookie = true;
	}
	conversion_attribute(hit, &visit->referrer, has_cookie ? &cookie : NULL,
						 &w->conversions.referrer);
}
