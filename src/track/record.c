/*
 * record.c
 *		Recognise, decide and write one hit (doc/internals.md, "The journey of a
 *		hit").
 *
 * A pass looks for the hit's visit, decides whether the hit continues it or
 * begins a new one, takes the locks that this needs, and writes.  Whatever was
 * looked up before a lock was taken is looked up again after it, in another
 * pass.  If a lock is needed that comes earlier in the order, later ones are
 * given back first: nothing has been written yet.
 *
 * Nothing is written before the hit is known to be good, so that no constraint
 * can fail.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/itemptr.h"
#include "utils/inval.h"
#include "utils/timestamp.h"

#include "enrich/geoip.h"
#include "enrich/language.h"
#include "log/conversion_write.h"
#include "log/mark.h"
#include "log/neighbours.h"
#include "request/tracking_api.h"
#include "track/anonymise.h"
#include "track/describe.h"
#include "track/fingerprints.h"
#include "track/record.h"
#include "track/session.h"
#include "track/suppress.h"

#define COOKIE_LIFETIME 33955200	/* seconds: 13 months (393 days) */
#define SESSION_COOKIE_LIFETIME 1800	/* seconds: of an anonymous session's
										 * cookie */

/* A hit that is being recorded. */
typedef struct Recording
{
	Work	   *w;
	Held		held;
	int			n_lookups;		/* none for a hit without consent */
	Lookup		lookups[MAX_LOOKUPS];
	ItemPointerData refused;	/* the version of a visit whose update did
								 * nothing */
	TransactionId refused_xmin;

	/* of one pass */
	bool		is_found;
	Visit		found;
	MatchedBy	matched_by;
	bool		gives_consent;	/* found is an anonymous session's, whose
								 * visitor consents now */
	Decision	d;
	Referrer	referrer;
	ReferrerEffect effect;
} Recording;

/* How a pass goes on. */
typedef enum Step
{
	STEP_ON,
	STEP_AGAIN,					/* from the look-up on */
	STEP_DONE,
	STEP_MISSED_LOCK			/* of a group, which is rolled back */
} Step;

/* The visitor's time of day, in microseconds; a part that is out of range counts as 0. */
static int64
local_time(const Hit *hit)
{
	int64		of_day = (hit->at % USECS_PER_DAY + USECS_PER_DAY) % USECS_PER_DAY / USECS_PER_SEC;
	int			h = hit->local_h == NOT_SENT ? (int) (of_day / SECS_PER_HOUR) : hit->local_h;
	int			m = hit->local_m == NOT_SENT ? (int) (of_day / SECS_PER_MINUTE % MINS_PER_HOUR) :
		hit->local_m;
	int			s = hit->local_s == NOT_SENT ? (int) (of_day % SECS_PER_MINUTE) : hit->local_s;

	if (h < 0 || h > 23)
		h = 0;
	if (m < 0 || m > 59)
		m = 0;
	if (s < 0 || s > 59)
		s = 0;
	return ((int64) h * SECS_PER_HOUR + m * SECS_PER_MINUTE + s) * USECS_PER_SEC;
}

/* Does the visitor's browser hold this id in its cookie? */
static bool
has_visitor_cookie(const Work *w, HexId id)
{
	const Hit  *hit = w->hit;
	OptionalId	held = tracking_api_cookie_id(hit->cookie_header, w->site->s.cookie_name);

	if (!held.given && hit->id_from_cookie)
		held = hit->visitor_id;
	return held.given && held.id == id;
}

/*
 * The cookie that the caller should set.  An anonymous session's own lasts a
 * little longer with every hit.  A visitor's, of a site that has one, holds the
 * id of the visit if the hit's visitor was unknown and began it, or made it
 * theirs by giving consent during it; else the id that the hit brought; else a
 * new id.  Never the id of a visit that was matched by fingerprint, and never
 * the hash of a user id.  given: the visit, if its id is the hit's own or new.
 */
static void
choose_cookie(Work *w, const Visit *given)
{
	const Settings *s = &w->site->s;
	CookieToSet *c = &w->result->cookie;

	if (s->force_cookieless_tracking)
		return;
	if (w->anonymous)
	{
		c->given = w->session.cookie.given || w->session.new_cookie.given;
		c->kind = COOKIE_SESSION;
		c->name = s->anonymous_cookie_name;
		c->value = w->session.cookie.given ? w->session.cookie.id : w->session.new_cookie.id;
		c->max_age = SESSION_COOKIE_LIFETIME;
		return;
	}
	if (!s->server_cookie && !s->use_third_party_id_cookie)
		return;
	c->kind = COOKIE_VISITOR;
	c->name = s->cookie_name;
	c->max_age = COOKIE_LIFETIME;
	if (given != NULL && !(w->id.user.given && given->idvisitor == w->id.user.id))
		c->value = given->idvisitor;
	else if (w->id.own.given)
		c->value = w->id.own.id;
	else
		c->value = hexid_random();
	c->given = s->cookie_renewal || !has_visitor_cookie(w, c->value);
}

/*
 * The hit is not recorded because of what the log has of the visitor.  An answer
 * that must not tell that needs what it would say of a hit that is recorded.
 */
static void
finish_by_log(Work *w, Outcome outcome, const char *why)
{
	work_finish(w, outcome, why);
	w->result->by_log = true;
	w->result->bad_parameter = w->request.bad_money;
	choose_cookie(w, NULL);
}

/* Tell the caller what became of a recorded hit. */
static void
tell_result(Work *w, const Decision *d, MatchedBy matched_by, const Visit *visit,
			NullableInt idlink_va)
{
	Tracked    *r = w->result;

	r->outcome = OUTCOME_RECORDED;
	r->by_log = false;
	r->bad_parameter = w->request.bad_money;
	r->idvisit = visit->idvisit;
	r->has_idvisitor = visit->has_idvisitor;
	r->idvisitor = visit->idvisitor;
	r->has_config_id = visit->has_config_id;
	r->config_id = visit->config_id;
	r->matched_by = matched_by;
	r->new_visit = d->begin;
	r->reason = d->reason;
	r->returning = visit->returning;
	r->has_idlink_va = !idlink_va.isnull;
	r->idlink_va = idlink_va.value;

	/* a visit that was given a visitor has just got its id */
	choose_cookie(w, (d->begin && !d->known) || matched_by == MATCHED_SESSION_LINK ? visit : NULL);
	w->done = true;
}

/*
 * Mark the days that a hit has changed, if the first of them is over: those of
 * its visit and its own.  before: the visit as it was, NULL if it has begun.
 * margin: how long before the visit began it may have rows that were changed.
 */
static void
mark_days(Work *w, const Visit *before, const Visit *visit, TimestampTz margin)
{
	TimestampTz from = Min(visit->first - margin, w->hit->at);

	if (from < mark_today(w->site->tz))
		mark_note(w->log, before, visit, from, Max(visit->last, w->hit->at), w->site->tz);
}

/* Write a visit that begins, its first action and its conversions. */
static void
write_new_visit(Work *w, const Decision *d, MatchedBy matched_by, Visit *visit)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	NewVisit	new;
	const UserAgent *device;
	bool		as_matomo = s->recognition_rules == RULES_MATOMO && !w->anonymous;
	Action		action;
	char		language[6];
	NullableInt idlink_va = no_int();

	memset(&new, 0, sizeof(new));
	new.has_details = true;
	describe_place(w, as_matomo, visit, &new);
	describe_referrer(w, NULL, &visit->referrer);
	new.location_ip = hit->ip;
	ip_mask(&new.location_ip, w->anonymous ? IP_MASK_LEVEL_MAX : s->ip_mask_level);
	device = work_device(w);
	language_primary(work_language(w), language);
	if (w->anonymous)
	{
		DeviceLevel level = anonymous_device_level(hit, s);

		device = anonymise_device(device, level);
		new.has_details = level == DEVICE_FULL;
		anonymise_language(language, level);
	}
	describe_device(device, as_matomo, &new);
	/* Matomo has a word for an unknown language, but not for none */
	new.browser_lang = language[0] != '\0' ? language :
		!as_matomo ? NULL : work_language(w)[0] != '\0' ? "xx" : "";
	memcpy(new.plugins, hit->plugins, sizeof(new.plugins));
	new.localtime = local_time(hit);

	describe_action(w, &action);
	describe_custom(w, visit, &action);
	lifecycle_action(hit, s, true, NULL, visit, &action);
	describe_conversions(w, d, matched_by, &action, visit);
	visit->idvisit = log_next_idvisit();
	if (action_has_row(w->kind))
		idlink_va = visit->last_idlink_va = some_int(log_next_idlink_va());
	log_insert_visit(w->log, visit, &new);
	if (!idlink_va.isnull)
		log_insert_action(w->log, visit, hit, &action, idlink_va.value, matched_by, d->reason);
	conversion_write(w->log, &w->conversions, visit, idlink_va);
	mark_days(w, NULL, visit, 0);
	tell_result(w, d, matched_by, visit, idlink_va);
}

/*
 * Write a hit that continues a visit.  referrer: the one that the visit gets,
 * NULL if it keeps its own; before: the visit as it was found.  False, with
 * nothing written, if the visit is not the newest version any more.
 */
static bool
write_continued(Work *w, const Decision *d, MatchedBy matched_by, const Referrer *referrer,
				const Visit *before, Visit *visit)
{
	const Settings *s = &w->site->s;
	Action		action;
	NullableInt idlink_va = no_int();
	bool		has_row = action_has_row(w->kind);
	bool		late = lifecycle_is_late(w->hit, s, visit);
	bool		late_timings = w->kind != ACTION_PAGE_VIEW && w->hit->pv_id[0] &&
		describe_has_timings(w->hit);
	Neighbours	neighbours;

	if (has_row && late)
		log_read_neighbours(w->log, visit->idvisit, w->hit->at, w->kind, &neighbours);
	else if (has_row && TIMESTAMP_IS_NOEND(visit->last_row) &&
			 s->recognition_rules != RULES_MATOMO)
		visit->last_row = log_last_row(w->log, visit->idvisit);
	if (referrer != NULL)
	{
		visit->referrer = *referrer;
		visit->seldom_changed = true;
	}
	describe_move(w, visit);
	describe_action(w, &action);
	describe_custom(w, visit, &action);
	lifecycle_continue(w->hit, &w->id, s, visit);
	if (w->kind != ACTION_PING)
		lifecycle_action(w->hit, s, false, has_row && late ? &neighbours : NULL, visit, &action);
	describe_conversions(w, d, matched_by, &action, visit);
	if (has_row)
		idlink_va = some_int(log_next_idlink_va());

	/*
	 * the row of the latest hit by time; by Matomo's rules the row that came
	 * last
	 */
	if (s->recognition_rules == RULES_MATOMO ? has_row : w->kind != ACTION_PING && !late)
		visit->last_idlink_va = idlink_va;
	if (!log_update_visit(w->log, visit))
		return false;
	if (!idlink_va.isnull)
		log_insert_action(w->log, visit, w->hit, &action, idlink_va.value, matched_by, d->reason);
	if (has_row && late)
	{
		NeighbourChanges changes;

		lifecycle_neighbours(w->hit, s, &neighbours, &action, &changes);
		log_update_neighbours(w->log, visit->idvisit, &neighbours, &changes);
	}
	conversion_write(w->log, &w->conversions, visit, idlink_va);
	/* page performance that came after its page view */
	if (late_timings)
		log_update_timings(w->log, visit->idvisit, w->hit->pv_id, w->hit->timings);
	mark_other_id(before, visit);

	/*
	 * the page view may have come late, and be earlier than the visit's first
	 * action
	 */
	mark_days(w, before, visit, late_timings ? s->visit_standard_length * USECS_PER_SEC : 0);
	tell_result(w, d, matched_by, visit, idlink_va);
	return true;
}

/*
 * Make the session's keys anew because the hour has turned.  That may wait, so
 * it is done without any lock.  A group begins again instead; one that holds
 * its sites exclusively does not see the hour turn.
 */
static Step
renew_session_keys(Recording *r)
{
	Held	   *held = &r->held;

	if (held->group != NULL)
	{
		held->group->missed = held->group->hour_turned = true;
		return STEP_MISSED_LOCK;
	}
	held_give_back(held);
	lock_give_back(LOCK_GATE, held->idsite, 0);

	r->w->session.keys_made = false;
	session_make_keys(r->w);
	lock_take(LOCK_GATE, held->idsite, 0);
	held_add_session_keys(held, r->w);
	held_lock_ids(held);
	return STEP_AGAIN;
}

/* Would the hit continue this visit, by all rules? */
static bool
would_continue(Work *w, const Visit *visit)
{
	Referrer	referrer;
	Decision	d = lifecycle_decide(w->hit, w->kind, &w->id, w->site, visit);

	if (d.begin)
		return false;
	describe_referrer(w, &visit->referrer, &referrer);
	return !lifecycle_referrer(d, referrer_effect(&visit->referrer, &referrer, &w->site->s)).begin;
}

/* Find the first visit that the recognition rule's look-ups lead to. */
static Step
look_up(Recording *r)
{
	Work	   *w = r->w;

	/* no look-up of this pass has reckoned with a longest visit yet */
	w->log->reach = PG_INT64_MAX;
	r->is_found = false;
	r->matched_by = MATCHED_NONE;
	for (int i = 0; i < r->n_lookups; i++)
	{
		if (r->lookups[i].by_config)
		{
			work_fingerprint(w, true);
			if (!w->id.config.given)
				continue;
			r->lookups[i].key = w->id.config.id;
			if (held_lock_fingerprint(&r->held, w->id.config.id) && i > 0)
				return STEP_AGAIN;
		}
		if (log_lookup(w->log, w->hit->idsite, &r->lookups[i], 1, &r->found) == 1)
		{
			r->is_found = true;
			r->matched_by = r->lookups[i].matched_by;
			break;
		}
	}
	return STEP_ON;
}

/*
 * Find the visit that the hit may continue: that of its anonymous session, for
 * a hit without consent and for one that gives it during the session; else the
 * one that the look-ups lead to.
 */
static Step
find_visit(Recording *r)
{
	Work	   *w = r->w;

	r->gives_consent = false;
	if (!w->anonymous && !w->upgrades)
		return look_up(r);

	if (!session_find_visit(w, &r->found, &r->is_found))
		return renew_session_keys(r);
	if (w->anonymous)
	{
		r->matched_by = w->session.kind == SESSION_LINK_COOKIE ?
			MATCHED_SESSION_LINK : MATCHED_FINGERPRINT;
		return STEP_ON;
	}
	if (!r->is_found || !would_continue(w, &r->found) ||
		log_joined_by_fingerprint(w->log, r->found.idvisit))
		return look_up(r);
	r->gives_consent = true;
	r->matched_by = MATCHED_SESSION_LINK;
	return STEP_ON;
}

/* Does the hit continue the visit that was found? */
static void
decide(Recording *r)
{
	Work	   *w = r->w;

	r->effect = REFERRER_KEEPS;
	r->d = lifecycle_decide(w->hit, w->kind, &w->id, w->site, r->is_found ? &r->found : NULL);
	if (!r->d.begin)
	{
		describe_referrer(w, &r->found.referrer, &r->referrer);
		r->effect = referrer_effect(&r->found.referrer, &r->referrer, &w->site->s);
		r->d = lifecycle_referrer(r->d, r->effect);
	}
	if (w->anonymous)
		r->d.known = false;
}

/*
 * Is the order that has the hit's order id of the hit's visitor?  ids: those of
 * the visitor, n of them.  visit: the hit's.
 */
static bool
is_own_order(Work *w, const KnownOrder *known, const Visit *visit, const HexId *ids, int n)
{
	Visit		other;
	bool		there;

	if (!known->held)
		return false;
	if (known->idvisit == visit->idvisit)
		return true;
	for (int i = 0; i < n; i++)
	{
		if (known->has_idvisitor && known->idvisitor == ids[i])
			return true;
	}

	/* its visit may have got another id since, and tells the user */
	there = log_read_visit(w->log, w->hit->idsite, known->idvisit, &other);
	for (int i = 0; there && i < n; i++)
	{
		if (other.has_idvisitor && other.idvisitor == ids[i])
			return true;
	}
	return there && w->id.user_id != NULL && other.user_id != NULL &&
		strcmp(w->id.user_id, other.user_id) == 0;
}

/*
 * Lock the hit's order id and see whether the site knows the order already: an
 * order that its visitor sends twice counts once, and the second hit leaves
 * nothing.  visit: that of the hit, as it is before the hit, or about to begin.
 * Without consent the id is not kept.
 */
static Step
claim_order(Recording *r, const Visit *visit)
{
	Work	   *w = r->w;
	KnownOrder	known;
	HexId		ids[3];
	int			n = 0;

	if (w->request.kind != CONVERT_ORDER || w->anonymous)
		return STEP_ON;
	if (!held_lock_order(&r->held, w->request.idorder))
		return STEP_MISSED_LOCK;

	if (visit->has_idvisitor)
		ids[n++] = visit->idvisitor;
	if (w->id.own.given)
		ids[n++] = w->id.own.id;
	if (w->id.user.given)
		ids[n++] = w->id.user.id;
	conversion_order_known(w->hit->idsite, w->request.idorder, visit->idvisit, ids, n, &known);
	w->request.claim = conversion_claim(&known, is_own_order(w, &known, visit, ids, n),
										w->hit->trusted, &w->site->s);
	if (w->request.claim != ORDER_REPEATED)
		return STEP_ON;
	finish_by_log(w, OUTCOME_INVALID, "ec_id");
	w->result->duplicate_order = true;
	return STEP_DONE;
}

/*
 * Let the visitor's visits before the window say that a visit's visitor
 * returns.  A random id has no earlier visit.  The id is locked.
 */
static void
look_back(Work *w, HexId random_id, Visit *visit)
{
	const Settings *s = &w->site->s;
	TimestampTz not_before = DT_NOBEGIN;
	Visit		earlier;

	if (s->returning_look_back == 0 || s->recognition_rules != RULES_PIWIK ||
		visit->idvisitor == random_id)
		return;
	if (s->returning_look_back > 0)
		not_before = visit->first - s->returning_look_back * USECS_PER_SEC;
	if (log_newest_before(w->log, visit->idsite, visit->idvisitor, visit->first, not_before,
						  &earlier))
		lifecycle_history(w->hit, &earlier, visit);
}

/* Give an anonymous visit to the hit's visitor, who may have been here before. */
static void
give_to_visitor(Recording *r, Visit *visit)
{
	Work	   *w = r->w;
	HexId		random_id = hexid_random();
	Visit		previous;
	bool		known = false;

	for (int i = 0; i < r->n_lookups && !known; i++)
	{
		if (!r->lookups[i].by_config)
			known = log_lookup(w->log, w->hit->idsite, &r->lookups[i], 1, &previous) == 1;
	}
	lifecycle_upgrade(w->hit, &w->id, &w->site->s, known ? &previous : NULL, random_id, visit);
	look_back(w, random_id, visit);
}

/*
 * The visit was not the newest version, so it is looked for again.  If the same
 * version comes back, it is a user's trigger that suppressed the update.
 */
static Step
note_refused(Recording *r)
{
	const Visit *found = &r->found;

	if (TransactionIdIsValid(r->refused_xmin) && r->refused_xmin == found->xmin &&
		ItemPointerEquals(&r->refused, &r->found.tid))
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("could not track the hit because its visit cannot be updated"),
				 errhint("A trigger on pk_tracking.log_visit may suppress the update.")));
	r->refused = found->tid;
	r->refused_xmin = found->xmin;
	return STEP_AGAIN;
}

/*
 * Has a fingerprint joined the hit to a visit that another id has claimed?
 * Under piwik rules that is counted, because these may be two people.
 */
static bool
joined_other_id(const Recording *r)
{
	OptionalId	vid = identity_visitor_id(&r->w->id);

	return r->matched_by == MATCHED_FINGERPRINT && vid.given &&
		r->found.profilable == 1 && r->found.idvisitor != vid.id &&
		r->w->site->s.recognition_rules == RULES_PIWIK;
}

/* Write the hit into the visit that was found. */
static Step
continue_visit(Recording *r)
{
	Work	   *w = r->w;
	Visit		visit;
	Step		step;

	/*
	 * A row that our transaction has written needs no more than that: others
	 * do not see the visit, or wait for us.
	 */
	if (!TransactionIdIsCurrentTransactionId(r->found.xmin))
	{
		if (!held_lock_visit(&r->held, r->found.idvisit))
			return r->held.group != NULL ? STEP_MISSED_LOCK : STEP_AGAIN;
		if (r->held.group != NULL && r->held.group->brief && !log_try_lock_visit(r->found.idvisit))
			return STEP_MISSED_LOCK;
	}
	if (r->gives_consent)
	{
		/* from now on the visit is found by its fingerprint, too */
		work_fingerprint(w, true);
		if (w->id.config.given && held_lock_fingerprint(&r->held, w->id.config.id))
			return STEP_AGAIN;
	}
	step = claim_order(r, &r->found);
	if (step != STEP_ON)
		return step;

	visit = r->found;
	if (w->anonymous)
		lifecycle_stay_anonymous(w->hit, &w->site->s, &visit);
	else if (r->gives_consent)
		give_to_visitor(r, &visit);

	if (!write_continued(w, &r->d, r->matched_by,
						 r->effect == REFERRER_REPLACES ? &r->referrer : NULL, &r->found, &visit))
	{
		held_give_back_order(&r->held, w->request.idorder);
		return note_refused(r);
	}
	if (w->anonymous)
		session_link_visit(w, visit.idvisit);
	w->result->joined_other_id = joined_other_id(r);
	return STEP_DONE;
}

/* Take the locks that a new visit of an identified visitor needs, and make it. */
static Step
make_visit(Recording *r, Visit *visit)
{
	Work	   *w = r->w;
	HexId		random_id = hexid_random();
	Step		step;

	work_fingerprint(w, true);
	if (w->id.config.given && held_lock_fingerprint(&r->held, w->id.config.id))
		return STEP_AGAIN;
	if (log_longest_is_news(w->log, w->hit->idsite))
		return STEP_AGAIN;

	lifecycle_begin(w->hit, &w->id, &w->site->s, r->d.known ? &r->found : NULL, random_id, visit);

	/*
	 * The visit gets a known visitor's id.  Other hits look for it under that
	 * id, and may be continuing the visitor's earlier visit now: lock the id
	 * and look again.
	 */
	if (r->d.known && visit->has_idvisitor && !held_has_id(&r->held, visit->idvisitor))
		return held_lock_another_id(&r->held, visit->idvisitor) ? STEP_AGAIN : STEP_MISSED_LOCK;
	step = claim_order(r, visit);
	if (step == STEP_ON)
		look_back(w, random_id, visit);
	return step;
}

/* Write the hit as the first one of a new visit. */
static Step
begin_visit(Recording *r)
{
	Work	   *w = r->w;
	Visit		visit;

	if (w->anonymous)
	{
		lifecycle_begin_anonymous(w->hit, &w->site->s, &visit);
		/* a fingerprint has joined nothing to a visit that begins */
		if (!r->is_found || r->matched_by != MATCHED_SESSION_LINK)
			r->matched_by = MATCHED_NONE;
	}
	else
	{
		Step		step = make_visit(r, &visit);

		if (step != STEP_ON)
			return step;
	}
	write_new_visit(w, &r->d, r->matched_by, &visit);
	if (w->anonymous)
		session_link_visit(w, visit.idvisit);
	return STEP_DONE;
}

/* One pass. */
static Step
pass(Recording *r)
{
	Work	   *w = r->w;
	Step		step = find_visit(r);

	if (step != STEP_ON)
		return step;
	decide(r);
	if (r->d.excluded)
	{
		finish_by_log(w, OUTCOME_EXCLUDED, "session_limit");
		return STEP_DONE;
	}
	if (!r->d.begin)
		return continue_visit(r);
	/* a heartbeat begins no visit */
	if (w->kind == ACTION_PING)
	{
		finish_by_log(w, OUTCOME_IGNORED, action_kind_word(w->kind));
		return STEP_DONE;
	}
	return begin_visit(r);
}

/*
 * record_hit
 *		Recognise, decide and write one hit that has been prepared; its log is
 *		open.  locks: those of its group, NULL for a hit that is recorded alone,
 *		which takes its locks itself.  False if the group misses a lock; it is
 *		rolled back then.  Otherwise the hit's result stands.
 *
 * The visit of a hit without consent is that of its session: it has no visitor,
 * and is always a new visitor's.  The keys of the session are locked in the
 * place of visitor ids.
 */
bool
record_hit(Work *w, GroupLocks *locks)
{
	Recording	r;
	Step		step;

	w->log->hit_names.limit = w->hit->trusted || w->hit->of_owner ? 0 :
		w->site->s.new_names_per_day;
	w->log->hit_names.added = 0;
	w->log->hit_names.refused = false;
	r.w = w;
	r.n_lookups = 0;
	r.refused_xmin = InvalidTransactionId;
	held_init(&r.held, w->hit->idsite, locks);
	if (locks == NULL)
	{
		session_make_keys(w);
		lock_take(LOCK_GATE, w->hit->idsite, 0);
	}
	if (!w->anonymous)
	{
		r.n_lookups = recognise_lookups(w->hit, &w->id, &w->site->s, r.lookups);
		held_add_visitor_ids(&r.held, w, r.lookups, r.n_lookups);
	}
	held_add_session_keys(&r.held, w);
	held_lock_ids(&r.held);

	/*
	 * only now: who forgets a person has the same locks, and what was
	 * suppressed while we waited for them is known when we have them
	 */
	AcceptInvalidationMessages();
	if (w->suppressed || (!w->anonymous && hit_is_suppressed(w->hit, &w->id)))
	{
		finish_by_log(w, OUTCOME_EXCLUDED, "suppressed");
		return true;
	}

	do
	{
		CHECK_FOR_INTERRUPTS();
		step = pass(&r);
	} while (step == STEP_AGAIN);
	w->names_added = w->log->hit_names.added;
	w->names_refused = w->log->hit_names.refused;
	return step == STEP_DONE;
}
