/*
 * lifecycle.c
 *		Whether a hit continues a visit or begins one, and what it changes.
 *
 * Rules: doc/internals.md, "Recognition rules", "Matomo: new visits" and
 * "Matomo: returning visitors".  All times are times of hits in whole seconds;
 * days are days in the site's time zone.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "visit/lifecycle.h"

PG_FUNCTION_INFO_V1(pkt_matched_by_name);
PG_FUNCTION_INFO_V1(pkt_decision_name);
PG_FUNCTION_INFO_V1(pkt_visitor_type_name);
PG_FUNCTION_INFO_V1(pkt_referrer_type_name);

static const char *const matched_by_words[] = {
	"none", "user_id", "cid", "third_party_cookie", "cookie", "fingerprint", "session_link"
};
static const char *const reason_words[] = {
	"continue", "unknown", "new_visit", "inactivity", "midnight", "user_changed",
	"campaign", "website", "limit"
};

/* A cookie's time that is older than this is ignored. */
#define COOKIE_AGE_MAX ((int64) 20 * 365 * SECS_PER_DAY)

/* A cookie's visit at least this old makes a visitor a returning one. */
#define HALF_A_DAY (SECS_PER_DAY / 2)

/* Whole seconds from one hit to another. */
static inline int64
seconds(TimestampTz from, TimestampTz to)
{
	return (to - from) / USECS_PER_SEC;
}

/* A number of seconds as the integer columns hold it. */
static inline int64
clamp_int32(int64 n)
{
	return Max(Min(n, PG_INT32_MAX), PG_INT32_MIN);
}

/*
 * is_user_id
 *		Is it a user id by Matomo's rules?  Matomo treats "0" as no user id.
 */
bool
is_user_id(const char *user_id)
{
	return user_id != NULL && strcmp(user_id, "0") != 0;
}

/*
 * identity_visitor_id
 *		The visitor id of a hit: the user id's hash, else the id that it sent.
 */
OptionalId
identity_visitor_id(const Identity *id)
{
	if (id->user.given)
		return id->user;
	return id->own;
}

/* Are both times on the same day in the site's time zone? */
static bool
same_day(TimestampTz a, TimestampTz b, pg_tz *tz)
{
	struct pg_tm ta,
				tb;
	fsec_t		fsec;
	int			offset;

	if (a == b)
		return true;
	if (a > b ? a - b >= 2 * USECS_PER_DAY : b - a >= 2 * USECS_PER_DAY)
		return false;
	if (timestamp2tm(a, &offset, &ta, &fsec, NULL, tz) != 0 ||
		timestamp2tm(b, &offset, &tb, &fsec, NULL, tz) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return ta.tm_year == tb.tm_year && ta.tm_mon == tb.tm_mon && ta.tm_mday == tb.tm_mday;
}

/*
 * lifecycle_decide
 *		Does the hit continue the visit that recognition found (NULL: none), or
 *		begin one, and why?  The first rule that applies wins; see
 *		doc/internals.md, "Matomo: new visits".  lifecycle_referrer() may
 *		change the decision.
 */
Decision
lifecycle_decide(const Hit *hit, ActionKind kind, const Identity *id, const SiteConfig *site,
				 const Visit *found)
{
	const Settings *s = &site->s;

	/*
	 * a ping begins no visit: by the piwik rules, what only asks for a new
	 * one does not end this
	 */
	bool		may_begin = kind != ACTION_PING || s->recognition_rules == RULES_MATOMO;
	Decision	d = {.begin = true,.known = false,.excluded = false,.reason = REASON_UNKNOWN};

	if (found == NULL)
		return d;

	d.known = true;
	if (hit->new_visit && may_begin)
		d.reason = REASON_NEW_VISIT;
	else if (!(found->last > hit->at - (int64) s->visit_standard_length * USECS_PER_SEC))
		d.reason = REASON_INACTIVITY;
	else if (s->create_new_visit_after_midnight && may_begin &&
			 !same_day(found->last, hit->at, site->tz))
		d.reason = REASON_MIDNIGHT;
	else if (!s->enable_userid_overwrites_visitorid &&
			 found->user_id != NULL && id->user_id != NULL &&
			 (s->recognition_rules == RULES_PIWIK ||
			  (is_user_id(found->user_id) && is_user_id(id->user_id))) &&
			 strcmp(found->user_id, id->user_id) != 0)
		d.reason = REASON_USER_CHANGED;
	else if (s->session_max_duration > 0 &&
			 seconds(found->first, hit->at) >= s->session_max_duration)
	{
		d.reason = REASON_LIMIT;
		d.excluded = s->session_limit_exceeded_action == LIMIT_SPLIT_AND_EXCLUDE;
	}
	else
	{
		d.begin = false;
		d.reason = REASON_CONTINUE;
	}

	if (s->create_new_visit_after_x_actions > 0 &&
		found->total_actions >= s->create_new_visit_after_x_actions)
	{
		/* hits are dropped as long as the visit would continue */
		d.excluded = s->session_limit_exceeded_action == LIMIT_SPLIT_AND_EXCLUDE &&
			(!d.begin || d.excluded);
		/* as if no visit was found: the visitor counts as new */
		d.begin = true;
		d.known = false;
		d.reason = REASON_LIMIT;
	}
	return d;
}

/*
 * lifecycle_referrer
 *		Change the decision to continue, if the hit's referrer begins a visit.
 */
Decision
lifecycle_referrer(Decision d, ReferrerEffect effect)
{
	if (effect == REFERRER_NEW_CAMPAIGN || effect == REFERRER_NEW_WEBSITE)
	{
		d.begin = true;
		d.reason = effect == REFERRER_NEW_CAMPAIGN ? REASON_CAMPAIGN : REASON_WEBSITE;
	}
	return d;
}

/* The age of a cookie's time; false if it is not plausible. */
static bool
cookie_age(int64 unixtime, TimestampTz at, int64 *age)
{
	int64		now = timestamptz_to_time_t(at);

	if (unixtime <= 0 || unixtime > now)
		return false;
	*age = now - unixtime;
	return *age < COOKIE_AGE_MAX;
}

/* Seconds since an event, from the previous visit's column; NULL if negative. */
static NullableInt
since_previous(NullableInt value, TimestampTz previous_first, TimestampTz at)
{
	int64		n;

	if (value.isnull)
		return no_int();
	n = value.value + seconds(previous_first, at);
	return n < 0 ? no_int() : some_int(clamp_int32(n));
}

/* The number of the visit after the previous one; a cookie may have sent any number. */
static int32
next_visit(const Visit *previous)
{
	if (previous == NULL)
		return 1;
	return previous->count_visits < PG_INT32_MAX ? previous->count_visits + 1 : PG_INT32_MAX;
}

/*
 * Set the columns about returning by Matomo's rules:
 * doc/internals.md, "Matomo: returning visitors".
 */
static void
returning_matomo(const Hit *hit, const Visit *previous, Visit *visit)
{
	bool		order = hit->ec_id[0] != '\0';

	if (previous == NULL)
	{
		visit->count_visits = 1;
		visit->since_first = visit->since_last = some_int(0);
		visit->since_order = order ? some_int(0) : no_int();
		visit->returning = order ? 2 : 0;
		return;
	}

	visit->count_visits = next_visit(previous);
	visit->since_first = since_previous(previous->since_first, previous->first, hit->at);
	visit->since_last = since_previous(some_int(0), previous->first, hit->at);
	visit->since_order = order ? some_int(0) :
		since_previous(previous->since_order, previous->first, hit->at);

	/* Matomo takes zero for no order */
	if (order || (!previous->since_order.isnull && previous->since_order.value != 0))
		visit->returning = 2;
	else
		visit->returning = 1;
}

/* The same by the piwik rules, by which the visitor id cookie counts too. */
static void
returning_piwik(const Hit *hit, const Visit *previous, Visit *visit)
{
	int64		first_age = 0,
				last_age = 0,
				order_age = 0;
	bool		has_first = cookie_age(hit->idts, hit->at, &first_age);
	bool		has_last = cookie_age(hit->viewts, hit->at, &last_age);
	bool		has_order = cookie_age(hit->ects, hit->at, &order_age);
	bool		order = hit->ec_id[0] != '\0';
	bool		previous_order = previous != NULL &&
		(!previous->since_order.isnull || previous->goal_buyer == 1 || previous->goal_buyer == 3);

	visit->count_visits = Max(Max(hit->idvc, 1), next_visit(previous));

	if (has_first)
		visit->since_first = some_int(first_age);
	else
		visit->since_first = previous ?
			since_previous(previous->since_first, previous->first, hit->at) : some_int(0);

	if (has_last)
		visit->since_last = some_int(last_age);
	else
		visit->since_last = previous ?
			since_previous(some_int(0), previous->first, hit->at) : some_int(0);

	if (order)
		visit->since_order = some_int(0);
	else if (has_order)
		visit->since_order = some_int(order_age);
	else
		visit->since_order = previous ?
			since_previous(previous->since_order, previous->first, hit->at) : no_int();

	if (has_order || previous_order)
		visit->returning = 2;
	else if (visit->count_visits > 1 || previous != NULL ||
			 (has_first && first_age >= HALF_A_DAY) ||
			 (has_last && last_age >= HALF_A_DAY))
		visit->returning = 1;
	else
		visit->returning = 0;
}

/*
 * lifecycle_begin
 *		The visit that a hit begins.  previous is the visit by which the
 *		visitor is known, or NULL; random_id is for an unknown visitor without
 *		an id.  The log sets idvisit.
 */
void
lifecycle_begin(const Hit *hit, const Identity *id, const Settings *s,
				const Visit *previous, HexId random_id, Visit *visit)
{
	OptionalId	vid = identity_visitor_id(id);

	memset(visit, 0, sizeof(Visit));
	visit->idsite = hit->idsite;
	visit->consent = consent_state(s->consent_mode, hit->consent);
	visit->first = visit->last = hit->at;

	visit->has_config_id = id->config.given;
	visit->config_id = id->config.id;

	visit->has_idvisitor = true;
	if (s->recognition_rules == RULES_PIWIK &&
		(id->user.given || (vid.given && !s->fingerprint_joins_known_ids)))
		visit->idvisitor = vid.id;
	else if (previous != NULL && previous->has_idvisitor)
		visit->idvisitor = previous->idvisitor;
	else if (vid.given)
		visit->idvisitor = vid.id;
	else
		visit->idvisitor = random_id;

	visit->user_id = id->user_id;
	visit->profilable = vid.given ? 1 : 0;

	if (s->recognition_rules == RULES_MATOMO)
		returning_matomo(hit, previous, visit);
	else
		returning_piwik(hit, previous, visit);

	visit->last_idlink_va = no_int();
	visit->last_row = DT_NOBEGIN;
	visit->entry_url = visit->entry_name = no_int();
	visit->exit_url = some_int(0);
	visit->exit_name = no_int();
	visit->total_time = s->default_time_one_page_visit;
	visit->resolution = hit->resolution[0] ? hit->resolution : RESOLUTION_UNKNOWN;
}

/*
 * lifecycle_history
 *		Set the columns about returning of a visit that lifecycle_begin() or
 *		lifecycle_upgrade() has made, by an earlier visit of its idvisitor that
 *		began before it (returning_look_back): doc/internals.md, "Recognition
 *		rules".  What the hit's cookie says counts if it says more.
 */
void
lifecycle_history(const Hit *hit, const Visit *earlier, Visit *visit)
{
	int64		passed = seconds(earlier->first, visit->first);
	int64		since_first = passed + (earlier->since_first.isnull ? 0
										: earlier->since_first.value);
	int64		since_last = passed;
	NullableInt since_order = no_int();
	int64		age;
	bool		ordered = !earlier->since_order.isnull ||
		earlier->goal_buyer == 1 || earlier->goal_buyer == 3;

	if (cookie_age(hit->idts, visit->first, &age))
		since_first = Max(since_first, age);
	/* a cookie that is new gives its own visit as the last one */
	if (cookie_age(hit->viewts, visit->first, &age) && age >= HALF_A_DAY)
		since_last = Min(since_last, age);
	if (!earlier->since_order.isnull)
		since_order = some_int(clamp_int32(earlier->since_order.value + passed));
	if (cookie_age(hit->ects, visit->first, &age))
	{
		ordered = true;
		if (since_order.isnull || age < since_order.value)
			since_order = some_int(age);
	}
	if (hit->ec_id[0] != '\0')
		since_order = some_int(0);

	visit->count_visits = Max(hit->idvc, next_visit(earlier));
	visit->since_first = some_int(clamp_int32(since_first));
	visit->since_last = some_int(clamp_int32(since_last));
	visit->since_order = since_order;
	visit->returning = ordered ? 2 : 1;
}

/*
 * lifecycle_begin_anonymous
 *		The visit that a hit without consent begins: it has no visitor and
 *		counts as a new visitor's.  The hit's ids have been removed.
 */
void
lifecycle_begin_anonymous(const Hit *hit, const Settings *s, Visit *visit)
{
	Identity	nobody;

	memset(&nobody, 0, sizeof(nobody));
	lifecycle_begin(hit, &nobody, s, NULL, 0, visit);
	visit->has_idvisitor = false;
}

/*
 * lifecycle_stay_anonymous
 *		A further hit without consent: an undecided visitor may have refused.
 */
void
lifecycle_stay_anonymous(const Hit *hit, const Settings *s, Visit *visit)
{
	if (visit->consent == STATE_UNDECIDED &&
		consent_state(s->consent_mode, hit->consent) == STATE_REFUSED)
	{
		visit->consent = STATE_REFUSED;
		visit->seldom_changed = true;
	}
}

/*
 * lifecycle_upgrade
 *		An anonymous visit becomes that of a visitor who has agreed during the
 *		visit (consent_upgrade = continue).  previous: an earlier visit of the
 *		visitor, or NULL.  The columns about returning are set as if the
 *		visitor had agreed at the visit's start.
 */
void
lifecycle_upgrade(const Hit *hit, const Identity *id, const Settings *s,
				  const Visit *previous, HexId random_id, Visit *visit)
{
	Hit			first = *hit;
	Visit		begun;

	first.at = visit->first;
	lifecycle_begin(&first, id, s, previous, random_id, &begun);
	visit->consent = begun.consent;
	visit->has_idvisitor = begun.has_idvisitor;
	visit->idvisitor = begun.idvisitor;
	visit->has_config_id = begun.has_config_id;
	visit->config_id = begun.config_id;
	visit->returning = begun.returning;
	visit->count_visits = begun.count_visits;
	visit->since_first = begun.since_first;
	visit->since_last = begun.since_last;
	visit->since_order = begun.since_order;
	visit->seldom_changed = true;
}

/*
 * lifecycle_continue
 *		The changes that any hit makes to the visit that it continues: times,
 *		ids, user.
 */
void
lifecycle_continue(const Hit *hit, const Identity *id, const Settings *s, Visit *visit)
{
	OptionalId	vid = identity_visitor_id(id);
	int64		total_time = Max(0, 1 + seconds(visit->first, hit->at));

	/*
	 * a late hit makes no visit shorter; by Matomo's rules the hit that came
	 * last counts
	 */
	if (s->recognition_rules != RULES_MATOMO)
		total_time = Max(total_time, visit->total_time);
	visit->total_time = (int32) clamp_int32(total_time);

	/*
	 * By Matomo's rules the visit takes the newest id; by the piwik rules it
	 * keeps its id, except that a user id's hash replaces it, and that a
	 * visit without one takes the first where ids are kept apart.
	 */
	if (s->recognition_rules == RULES_MATOMO)
	{
		if (vid.given)
		{
			visit->has_idvisitor = true;
			visit->idvisitor = vid.id;
		}
	}
	else if (id->user.given ||
			 (vid.given && visit->profilable == 0 && !s->fingerprint_joins_known_ids))
	{
		visit->has_idvisitor = true;
		visit->idvisitor = vid.id;
	}

	if (id->user_id != NULL)
		visit->user_id = id->user_id;
	if (vid.given)
		visit->profilable = 1;
}

/*
 * lifecycle_is_late
 *		Does the hit come late: is it earlier than the visit's last action?  By
 *		Matomo's rules the order of arrival counts, and no hit is late.
 */
bool
lifecycle_is_late(const Hit *hit, const Settings *s, const Visit *visit)
{
	return hit->at < visit->last && s->recognition_rules != RULES_MATOMO;
}

/* The time spent on an action: until the next one, and no longer than a visit lasts by itself. */
static int32
time_spent(TimestampTz from, TimestampTz to, const Settings *s)
{
	if (TIMESTAMP_IS_NOBEGIN(from))
		return 0;
	return (int32) Max(0, Min(seconds(from, to), s->visit_standard_length));
}

/*
 * lifecycle_action
 *		Apply a hit that is not a ping to a visit that lifecycle_begin() or
 *		lifecycle_continue() has prepared.  action->kind, idaction_url and
 *		idaction_name are given; sets the other columns that every row has.
 *		visit->last is still the one before the hit, unless the visit has just
 *		begun, and visit->last_row the time of the last row before it.
 *		neighbours: of a late hit that has a row, else NULL.
 */
void
lifecycle_action(const Hit *hit, const Settings *s, bool begun, const Neighbours *neighbours,
				 Visit *visit, Action *action)
{
	bool		searched = action->kind == ACTION_SITE_SEARCH;

	if (begun)
	{
		action->idaction_url_ref = action->idaction_name_ref = some_int(0);
		action->time_spent_ref_action = 0;
		visit->entry_name = visit->exit_url = visit->exit_name = some_int(0);
	}
	else
	{
		if (neighbours != NULL)
		{
			action->idaction_url_ref = neighbours->url_ref;
			action->idaction_name_ref = neighbours->name_ref;
			action->time_spent_ref_action = time_spent(neighbours->previous, hit->at, s);
		}
		else
		{
			action->idaction_url_ref = visit->exit_url;
			action->idaction_name_ref = visit->exit_name;
			/* by Matomo's rules the time counts from hits without a row, too */
			action->time_spent_ref_action =
				time_spent(s->recognition_rules == RULES_MATOMO ? visit->last : visit->last_row,
						   hit->at, s);
		}
		/* a later hit may send what the first one did not */
		if (hit->resolution[0] &&
			(visit->resolution == NULL || strcmp(visit->resolution, RESOLUTION_UNKNOWN) == 0))
		{
			visit->resolution = hit->resolution;
			visit->seldom_changed = true;
		}
	}
	visit->last = Max(visit->last, hit->at);
	if (action_has_row(action->kind))
		visit->last_row = Max(visit->last_row, hit->at);

	if (action->kind == ACTION_PAGE_VIEW || searched || action->kind == ACTION_EVENT ||
		action->kind == ACTION_OUTLINK || action->kind == ACTION_DOWNLOAD)
		visit->total_actions++;
	if (action->kind == ACTION_PAGE_VIEW || searched)
		visit->total_interactions++;
	if (searched)
		visit->total_searches++;
	if (action->kind == ACTION_EVENT)
		visit->total_events++;
	visit->seldom_changed |= searched || action->kind == ACTION_EVENT;

	/* events, downloads and so on have the position of their page view */
	action->pageview_position = visit->total_interactions > 0 ?
		some_int(visit->total_interactions) : no_int();

	if (action->kind == ACTION_PAGE_VIEW)
	{
		/*
		 * by Matomo's rules the title is that of the first hit, even if it
		 * has none
		 */
		if (begun || (visit->entry_url.isnull && s->recognition_rules == RULES_PIWIK))
			visit->entry_name = action->idaction_name;
		if (visit->entry_url.isnull)
			visit->entry_url = action->idaction_url;
	}

	/* the exit is the last page or search by time */
	if (neighbours != NULL && !neighbours->is_last_interaction)
		return;
	if (action->kind == ACTION_PAGE_VIEW)
	{
		visit->exit_url = action->idaction_url;
		/* by Matomo's rules a page without a title leaves the last one's */
		if (action->idaction_name.value != 0 || s->recognition_rules == RULES_PIWIK)
			visit->exit_name = action->idaction_name;
	}
	else if (searched)
	{
		if (begun)
		{
			visit->entry_url = some_int(0);
			visit->entry_name = action->idaction_name;
		}
		else
			visit->exit_url = no_int();
		visit->exit_name = action->idaction_name;
	}
}

/*
 * lifecycle_neighbours
 *		What the late hit, to which lifecycle_action() was applied, changes in the
 *		rows behind its own.
 */
void
lifecycle_neighbours(const Hit *hit, const Settings *s, const Neighbours *neighbours,
					 const Action *action, NeighbourChanges *changes)
{
	changes->next_time_spent = neighbours->next.isnull ? 0 :
		time_spent(hit->at, neighbours->next_at, s);
	/* as the exit: a page its URL and title, a search its keyword alone */
	changes->url_ref = action->kind == ACTION_PAGE_VIEW ? action->idaction_url : no_int();
	changes->name_ref = action->idaction_name;
}

/* Words for codes; NULL for an unknown code. */
const char *
matched_by_word(int code)
{
	return code >= 0 && code < (int) lengthof(matched_by_words) ? matched_by_words[code] : NULL;
}

const char *
reason_word(int code)
{
	return code >= 0 && code < (int) lengthof(reason_words) ? reason_words[code] : NULL;
}

static Datum
word_or_null(FunctionCallInfo fcinfo, const char *word)
{
	if (word == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(word));
}

/* SQL: matched_by_name(smallint) → text. */
Datum
pkt_matched_by_name(PG_FUNCTION_ARGS)
{
	return word_or_null(fcinfo, matched_by_word(PG_GETARG_INT16(0)));
}

/* SQL: decision_name(smallint) → text. */
Datum
pkt_decision_name(PG_FUNCTION_ARGS)
{
	return word_or_null(fcinfo, reason_word(PG_GETARG_INT16(0)));
}

/* SQL: visitor_type_name(smallint) → text. */
Datum
pkt_visitor_type_name(PG_FUNCTION_ARGS)
{
	static const char *const words[] = {"new", "returning", "returning customer"};
	int16		code = PG_GETARG_INT16(0);

	return word_or_null(fcinfo, code >= 0 && code < (int) lengthof(words) ? words[code] : NULL);
}

/* SQL: referrer_type_name(smallint) → text. */
Datum
pkt_referrer_type_name(PG_FUNCTION_ARGS)
{
	switch (PG_GETARG_INT16(0))
	{
		case 1:
			return word_or_null(fcinfo, "direct");
		case 2:
			return word_or_null(fcinfo, "search engine");
		case 3:
			return word_or_null(fcinfo, "website");
		case 6:
			return word_or_null(fcinfo, "campaign");
		case 7:
			return word_or_null(fcinfo, "social network");
		case 8:
			return word_or_null(fcinfo, "AI assistant");
		default:
			return word_or_null(fcinfo, NULL);
	}
}
