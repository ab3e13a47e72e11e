/*
 * prepare.c
 *		Everything about a hit that needs no look at the log: validate, exclude,
 *		decide about consent, find out ids.
 *
 * The full address is used here by exclusions and by the fingerprint of an
 * anonymous session.  It then stays in the hit for two steps that are done only
 * if they are needed: the visitor's fingerprint (fingerprints.c) and location
 * (describe.c).  Only record.c stores an address, and masks it first
 * (doc/internals.md, "The journey of a hit").
 */
#include "postgres.h"

#include "base/text.h"
#include "base/url_recode.h"
#include "identity/fingerprint.h"
#include "identity/salt.h"
#include "request/tracking_api.h"
#include "track/anonymise.h"
#include "track/prepare.h"
#include "track/session.h"
#include "track/site_rules.h"
#include "track/suppress.h"
#include "track/token.h"

#define USER_ID_MAX 200			/* characters stored */
#define PING_DEANONYMIZE 4		/* Piwik PRO's heartbeat for consent given
								 * during a visit */

/* The reason for excluding a hit of which nothing is stored and which is not even counted. */
static const char *const reason_consent = "consent";

/* Matomo's rules want texts escaped for HTML. */
static void
sanitise(Hit *hit, const Settings *s)
{
	const HitField *fields;
	int			n;

	if (s->recognition_rules != RULES_MATOMO)
		return;
	fields = hit_fields(&n);
	for (int i = 0; i < n; i++)
	{
		if (fields[i].sanitise)
		{
			char	  **where = (char **) ((char *) hit + fields[i].offset);

			*where = text_sanitise(*where);
		}
	}
}

/* Find out the hit's ids and its user; the fingerprint comes later. */
static void
identify(Work *w)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	Identity   *id = &w->id;
	char	   *user_id = hit->user_id;

	memset(id, 0, sizeof(Identity));
	id->own_source = MATCHED_NONE;

	if (user_id[0] && !s->discard_user_id)
	{
		bool		hashed;

		/* before any id is derived from it */
		if (s->anonymize_user_id)
		{
			const Salt *salt = salt_user_id();
			char	   *pseudonym = palloc(USER_ID_PSEUDONYM_LEN + 1);

			user_id_pseudonym(user_id, strlen(user_id), salt->bytes, salt->len, pseudonym);
			user_id = pseudonym;
		}

		/* by Matomo's rules "0" is a user id, but no visitor id is made of it */
		hashed = s->enable_userid_overwrites_visitorid &&
			(s->recognition_rules == RULES_PIWIK || is_user_id(user_id));
		if (hashed)
		{
			id->user.given = true;
			id->user.id = user_id_hash(user_id, strlen(user_id));
		}

		id->user_id = pstrdup(user_id);
		text_cut_chars(id->user_id, USER_ID_MAX);
	}

	if (!s->force_cookieless_tracking && s->use_third_party_id_cookie && !hit->third_party_id.given)
		hit->third_party_id = tracking_api_cookie_id(hit->cookie_header, s->cookie_name);

	if (hit->cid.given)
	{
		id->own = hit->cid;
		id->own_source = MATCHED_CID;
	}
	else if (!s->force_cookieless_tracking && s->use_third_party_id_cookie &&
			 hit->third_party_id.given)
	{
		id->own = hit->third_party_id;
		id->own_source = MATCHED_THIRD_PARTY_COOKIE;
	}
	else if (!s->force_cookieless_tracking && hit->visitor_id.given)
	{
		id->own = hit->visitor_id;
		id->own_source = MATCHED_COOKIE;
	}
	else if (!s->force_cookieless_tracking && s->server_cookie)
	{
		id->own = tracking_api_cookie_id(hit->cookie_header, s->cookie_name);
		if (id->own.given)
			id->own_source = MATCHED_COOKIE;
	}
}

/* May the hit say what it says?  Afterwards its token is not needed any more, and is wiped. */
static void
authenticate(Work *w)
{
	Hit		   *hit = w->hit;

	if (hit->token_auth[0])
	{
		if (!hit->trusted)
			hit->trusted = token_rights(hit->token_auth, hit->idsite) != TOKEN_NONE;
		explicit_bzero(hit->token_auth, strlen(hit->token_auth));
	}
	tracking_api_authenticate(hit, &w->site->s);
}

/*
 * Name the cookies that are not wanted any more: a visitor without consent shall
 * not keep the visitor id's, and one with consent does not need that of an
 * anonymous session.
 */
static void
name_cookies_to_delete(Work *w, Identification consent)
{
	const Settings *s = &w->site->s;
	const Hit  *hit = w->hit;
	const char *cookies = hit->cookie_header;
	int			n = 0;

	/* callers of track() pass on the ids that the cookies held */
	if (consent != IDENTIFIED &&
		(hit->visitor_id.given || hit->third_party_id.given ||
		 tracking_api_cookie_id(cookies, s->cookie_name).given))
		w->result->delete_cookies[n++] = s->cookie_name;
	if (consent != ANONYMOUS && session_has_cookie(s) &&
		(hit->session_cookie.given ||
		 tracking_api_cookie_id(cookies, s->anonymous_cookie_name).given))
		w->result->delete_cookies[n++] = s->anonymous_cookie_name;
}

/* Why the hit is not to be recorded, in one word; NULL if it is.  It has its full address. */
static const char *
exclusion(Work *w)
{
	const SiteConfig *site = w->site;
	ExcludeInput in = {0};

	in.hit = w->hit;
	in.device = work_device(w);
	in.s = &site->s;
	in.rules = site_rules(site)->exclude;
	if (site->s.exclude_unknown_urls)
		in.urls = site_urls(&in.n_urls);
	if (site->s.enable_spam_filter && w->hit->urlref[0])
		in.spam = site_spam_list();
	if (site->s.exclude_automation)
		in.automation = site_automation();
	return exclude_reason(&in);
}

/* Find the site, the client's address, and the right to say what the hit says; false if invalid. */
static bool
validate(Work *w)
{
	Hit		   *hit = w->hit;
	const Settings *s;

	if (hit->unreadable)
	{
		work_finish(w, OUTCOME_INVALID, hit->invalid);
		return false;
	}
	if (hit->idsite > 0)
		w->site = site_config(hit->idsite);
	if (w->site == NULL)
	{
		work_finish(w, OUTCOME_INVALID, "idsite");
		return false;
	}
	s = &w->site->s;
	if (hit->rmip)
	{
		memset(&hit->ip, 0, sizeof(hit->ip));
		hit->address = NULL;
		hit->cip = pstrdup("");
	}
	else
		proxy_client_ip(hit, site_rules(w->site)->proxy);
	/* Matomo ignores the cid of a user whose id becomes the visitor id */
	if (hit->invalid != NULL && strcmp(hit->invalid, "cid") == 0 &&
		s->recognition_rules == RULES_MATOMO && s->enable_userid_overwrites_visitorid &&
		!s->discard_user_id && hit->user_id[0] != '\0' &&
		(s->anonymize_user_id || is_user_id(hit->user_id)))
		hit->invalid = NULL;
	if (hit->invalid == NULL)
		authenticate(w);
	if (hit->invalid != NULL)
	{
		work_finish(w, OUTCOME_INVALID, hit->invalid);
		return false;
	}
	/* from here on one address has one form, so that one visitor is one */
	if (s->recognition_rules == RULES_PIWIK)
		(void) ip_fold(&hit->ip);
	return true;
}

/*
 * Complete the URL "/path?query", as web servers log it, by the site's main URL.
 * False if the site has none and the hit is a row of a raw table: with its page
 * lost, the row would be of no use, and nobody would notice.
 */
static bool
complete_url(Work *w)
{
	Hit		   *hit = w->hit;
	const char *root;

	if (hit->url[0] != '/' || hit->url[1] == '/' ||
		!(hit->raw || w->site->s.recognition_rules == RULES_PIWIK))
		return true;
	root = site_root(hit->idsite);
	if (root != NULL)
		hit->url = psprintf("%s%s", root, hit->url);
	else if (hit->raw)
		work_finish(w, OUTCOME_INVALID, "url");
	return !w->done;
}

/* Find out the hit's action and what it converts; false if it is invalid. */
static bool
read_action(Work *w)
{
	Hit		   *hit = w->hit;
	const Settings *s = &w->site->s;
	const char *wrong;

	/*
	 * white space around an order's id does not belong to it, and alone is no
	 * id
	 */
	if (hit->ec_id[0] && s->recognition_rules != RULES_MATOMO)
		hit->ec_id = text_trim(hit->ec_id);
	sanitise(hit, s);
	hit_cut(hit);
	w->kind = action_kind(hit, s, &w->search);
	wrong = action_invalid(w->kind, hit);
	if (wrong == NULL)
	{
		w->goals = site_goals(hit->idsite, &w->n_goals);
		wrong = conversion_read(hit, w->kind, s, w->goals, w->n_goals, &w->request);
	}
	if (wrong != NULL)
		work_finish(w, OUTCOME_INVALID, wrong);
	return wrong == NULL;
}

/* The page's own URL, and those of its links, as a page of UTF-8 would have them. */
static void
recode_urls(Hit *hit)
{
	int			encoding = text_encoding(hit->cs);

	hit->url = url_recode(hit->url, encoding);
	hit->link = url_recode(hit->link, encoding);
	hit->download = url_recode(hit->download, encoding);
}

/*
 * prepare_hit
 *		Afterwards either the hit's result stands (w->done), or the hit is to be
 *		recorded.  came: it is a hit that came, not one that match_visitor() asks
 *		about.
 */
void
prepare_hit(Work *w, bool came)
{
	Hit		   *hit = w->hit;
	const Settings *s;
	const char *why;
	Identification consent;

	memset(w->result, 0, sizeof(Tracked));
	if (!validate(w))
		return;
	s = &w->site->s;
	if (!hit->rec)
	{
		work_finish(w, OUTCOME_EXCLUDED, "rec");
		return;
	}
	if (hit->cs[0])
		recode_urls(hit);
	if (hit->url[0] == '\0' && hit->urlref[0] == '\0')
		hit->url = hit->referer_header;
	if (!complete_url(w))
		return;
	if (came && (why = exclusion(w)) != NULL)
	{
		work_finish(w, OUTCOME_EXCLUDED, why);
		return;
	}
	if (hit->ping == PING_DEANONYMIZE && hit->consent != CONSENT_DENIED)
		hit->consent = CONSENT_GRANTED;
	consent = consent_decide(s->consent_mode, hit->consent);
	if (came)
		name_cookies_to_delete(w, consent);
	if (consent == NOTHING)
	{
		work_finish(w, OUTCOME_EXCLUDED, reason_consent);
		return;
	}
	w->anonymous = consent == ANONYMOUS;

	if (!read_action(w))
		return;
	if (w->anonymous)
	{
		session_identify(w);
		/* of the ids nothing is left after this */
		w->suppressed = came && hit_is_suppressed(hit, &w->id);
		anonymise_hit(hit, s);
		w->fingerprint_known = true;
		return;
	}
	identify(w);
	if (came && s->consent_mode == CONSENT_ASK_ELSE_ANONYMOUS &&
		s->consent_upgrade == UPGRADE_CONTINUE)
	{
		session_identify(w);
		w->upgrades = w->session.given;
	}
}

/* tracked_nothing: see prepare.h. */
bool
tracked_nothing(const Tracked *result)
{
	return result->outcome == OUTCOME_EXCLUDED && result->outcome_reason == reason_consent;
}
