/*
 * session.c
 *		The anonymous session of a hit without consent, or of one that gives it
 *		now (doc/internals.md, "Consent and anonymous visits").
 */
#include "postgres.h"

#include "port/pg_bswap.h"
#include "utils/timestamp.h"

#include "identity/session_link_batch.h"
#include "request/tracking_api.h"
#include "track/fingerprints.h"
#include "track/session.h"

#define SESSION_VISITS_MAX 8	/* visits that one session is looked for in */

/*
 * session_has_cookie
 *		Do the site's anonymous sessions have a cookie?  It must not have the
 *		name of the visitor id's cookie.
 */
bool
session_has_cookie(const Settings *s)
{
	return s->anonymous_session_cookie && !s->force_cookieless_tracking &&
		strcmp(s->anonymous_cookie_name, s->cookie_name) != 0;
}

/*
 * session_identify
 *		Find out which anonymous session the hit may belong to: that of its
 *		cookie, or, if it has none, that of a fingerprint over the full address,
 *		which leaves this memory only as an HMAC.  A hit with consent is joined
 *		by its cookie alone: one person's consent must not identify another's
 *		hits.
 */
void
session_identify(Work *w)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	Session    *session = &w->session;

	if (session_has_cookie(s))
	{
		OptionalId	id;

		session->cookie = hit->session_cookie;
		if (!session->cookie.given)
			session->cookie = tracking_api_cookie_id(hit->cookie_header, s->anonymous_cookie_name);
		session->cookie.given &= session->cookie.id != 0;

		/*
		 * Piwik PRO's tracker keeps its temporary id in the place of the
		 * lasting one.  It leads to the session, but is not given back as its
		 * cookie, because it may be the lasting one.
		 */
		id = session->cookie.given ? session->cookie : hit->visitor_id;
		if (id.given && id.id != 0)
		{
			session->given = true;
			session->kind = SESSION_LINK_COOKIE;
			session->data = id.id;
			return;
		}
	}
	if (!w->anonymous || hit->sh == 0 || ip_is_blank(&hit->ip))
		return;
	/* only a trusted hit may ask for a fingerprint where the site makes none */
	if (!s->anonymous_fingerprint && !(hit->sh == 1 && hit->trusted))
		return;

	session->given = true;
	session->kind = SESSION_LINK_FINGERPRINT;
	session->data = session_fingerprint(w);
}

/* The time by which links expire: that of a group, or now. */
static TimestampTz
session_clock(const Work *w)
{
	return w->session.now != 0 ? w->session.now : GetCurrentTimestamp();
}

/* The HMACs of a cookie or a fingerprint. */
static void
link_keys(Work *w, SessionLinkKind kind, HexId data, SessionLinkKeys *keys)
{
	uint64		bytes = pg_hton64(data);

	session_link_keys(kind, w->hit->idsite, (const uint8 *) &bytes, sizeof(bytes),
					  session_clock(w), w->anonymous, keys);
}

/*
 * Does the hit get a new cookie that will lead to its session, too?  A hit that a
 * fingerprint joined must leave a row that says so, or the visit could be taken
 * for one person's: without such a row it gets none.  That does not depend on
 * whether there is a visit to join, which the answer would tell otherwise.
 */
static bool
wants_cookie(const Work *w)
{
	const Session *session = &w->session;

	if (!w->anonymous || session->cookie.given || w->unread || !session_has_cookie(&w->site->s))
		return false;
	return !session->given || session->kind == SESSION_LINK_COOKIE || action_has_row(w->kind);
}

/*
 * session_make_keys
 *		Make the HMACs that lead to the hit's anonymous session, and, for a
 *		visitor without a cookie, a new cookie that will lead there too.  A hit
 *		without consent makes the hour's key if there is none yet, which may
 *		wait: call this before taking any lock.
 */
void
session_make_keys(Work *w)
{
	Session    *session = &w->session;

	if (session->keys_made)
		return;
	if (session->given)
		link_keys(w, session->kind, session->data, &session->keys);
	if (wants_cookie(w))
	{
		session->new_cookie.given = true;
		session->new_cookie.id = hexid_random();
		link_keys(w, SESSION_LINK_COOKIE, session->new_cookie.id, &session->new_keys);
	}
	session->keys_made = true;
}

/*
 * session_find_visit
 *		Find the visit of the hit's session: the first one that the hit would
 *		continue, else the nearest.  False if the hour has turned since the keys
 *		were made: they and their locks are outdated.
 */
bool
session_find_visit(Work *w, Visit *found, bool *is_found)
{
	Session    *session = &w->session;
	int64		idvisits[SESSION_VISITS_MAX];
	int			n = 0;

	*is_found = false;
	if (!session->given)
		return true;
	if (w->links != NULL)
		n = session_link_batch_find(w->links, session->kind, w->hit->idsite, session->data,
									w->hit->at, session_clock(w), w->anonymous, idvisits,
									SESSION_VISITS_MAX);
	else if (!session_link_find(w->hit->idsite, &session->keys, w->hit->at, session_clock(w),
								idvisits, SESSION_VISITS_MAX, &n))
		return false;
	for (int i = 0; i < n; i++)
	{
		Visit		visit;
		bool		goes_on;

		/* a visit that has got a visitor belongs to no session any more */
		if (!log_read_visit(w->log, w->hit->idsite, idvisits[i], &visit) ||
			visit.consent < STATE_UNDECIDED)
			continue;
		goes_on = !lifecycle_decide(w->hit, w->kind, &w->id, w->site, &visit).begin;
		if (goes_on || !*is_found)
			*found = visit;
		*is_found = true;
		if (goes_on)
			break;
	}
	return true;
}

/*
 * session_link_visit
 *		Lead the session's next hits to the visit, whatever they will carry.
 */
void
session_link_visit(Work *w, int64 idvisit)
{
	Session    *session = &w->session;

	if (session->given && w->links != NULL)
		session_link_batch_add(w->links, session->kind, w->hit->idsite, session->data,
							   idvisit, w->hit->at, session_clock(w));
	else if (session->given)
		session_link_add(w->hit->idsite, &session->keys, idvisit, w->hit->at);
	if (session->new_cookie.given)
		session_link_add(w->hit->idsite, &session->new_keys, idvisit, w->hit->at);
}
