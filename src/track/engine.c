/*
 * engine.c
 *		The one engine: N hits of one statement, in the order given.
 *
 * Prepare (validate, exclude, consent, ids), lock, then for each hit recognise,
 * decide and write.  Nothing is written before a hit is known to be good, so
 * that no constraint can fire and "nothing stored" is nothing.
 *
 * The order in which the full address may be used is that of design section 7:
 * exclusions, location, fingerprint, mask; only the mask's result goes on.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/errors.h"
#include "base/text.h"
#include "enrich/geoip.h"
#include "enrich/language.h"
#include "enrich/user_agent.h"
#include "identity/fingerprint.h"
#include "identity/salt.h"
#include "identity/session_link.h"
#include "log/conversion_write.h"
#include "log/lock.h"
#include "log/log.h"
#include "request/tracking_api.h"
#include "settings/gucs.h"
#include "track/anonymise.h"
#include "track/describe.h"
#include "track/engine.h"
#include "track/exclude_count.h"
#include "track/site_rules.h"
#include "track/token.h"
#include "track/work.h"
#include "visit/action.h"
#include "visit/conversion.h"

#define USER_ID_MAX 200			/* characters stored */
#define COOKIE_LIFETIME 33955200	/* seconds: 13 months (393 days) */
#define SESSION_COOKIE_LIFETIME 1800	/* seconds: an anonymous session's */
#define LANGUAGE_BUFFER 1024
#define SESSION_VISITS_MAX 8	/* visits of one session's links that are looked at */
#define PING_DEANONYMIZE 4		/* Piwik PRO's: consent in mid-visit */
#define RANDOM_POOL 64			/* ids */
#define SALT_PREPARE_AHEAD (6 * USECS_PER_HOUR)	/* before midnight */

/* The one reason for excluding that is not even counted. */
static const char *const reason_consent = "consent";

/*
 * A batch: several calls of engine_run() by one statement, which keep the
 * visits that they read and write in memory together.  From its first call of
 * many hits on it has the gates of all its sites.
 */
static struct
{
	int			open;			/* how often begun and not ended: code of somebody's may nest statements */
	bool		running;		/* the store is open, and keeps visits in memory */
	bool		busy;			/* with a hit */
	MemoryContext context;		/* that lives as long */
	SubTransactionId subid;		/* whose end is the batch's end, if it fails */
	Log		log;
	Memo	   *memo;			/* while it is running */
	bool		unread;			/* nobody reads its answers: cookies need not be given out */
	SessionLinks *links;		/* while it is running, if it is unread */
}			batch;


/*
 * engine_enter
 *		Become the owner of the log, as referential integrity becomes the owner
 *		of a table, and connect to SPI.  Whoever calls needs no right on any
 *		table.  An error on the way is undone by the end of the (sub)transaction.
 */
void
engine_enter(EngineScope *scope)
{
	Oid			owner = log_owner();

	GetUserIdAndSecContext(&scope->save_user, &scope->save_sec_context);
	SetUserIdAndSecContext(owner, scope->save_sec_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);

	scope->caller = CurrentMemoryContext;
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	/* from here on everything lives in SPI's procedure context */
}

/* engine_leave: undo engine_enter. */
void
engine_leave(EngineScope *scope)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	SetUserIdAndSecContext(scope->save_user, scope->save_sec_context);
	MemoryContextSwitchTo(scope->caller);
}

static void
finish(Work *w, Outcome outcome, const char *why)
{
	w->result->outcome = outcome;
	w->result->outcome_reason = why;
	w->done = true;
}

/* Texts as the rule set wants them: HTML-escaped under Matomo's (spec 1.2, 3.3). */
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

/* Who the hit says it is: ids and user, but for the fingerprint. */
static void
identify(Work *w)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	Identity   *id = &w->id;
	char	   *user_id = hit->user_id;

	memset(id, 0, sizeof(Identity));
	id->own_source = MATCHED_NONE;

	if (user_id[0])
	{
		bool		hashed;

		/* before any id is derived (spec 1.1) */
		if (s->anonymize_user_id)
		{
			const Salt *salt = salt_user_id();
			char	   *pseudonym = palloc(41);

			user_id_pseudonym(user_id, strlen(user_id), salt->bytes, salt->len, pseudonym);
			user_id = pseudonym;
		}

		/* by Matomo's rules "0" is a user id, but none that is hashed */
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
	else if (!s->force_cookieless_tracking && s->use_third_party_id_cookie && hit->third_party_id.given)
	{
		id->own = hit->third_party_id;
		id->own_source = MATCHED_THIRD_PARTY_COOKIE;
	}
	else if (!s->force_cookieless_tracking && hit->visitor_id.given)
	{
		id->own = hit->visitor_id;
		id->own_source = MATCHED_COOKIE;
	}
}

/* May the hit say what it says?  Its token is not needed any more, and wiped. */
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

/* Do anonymous sessions have a cookie?  Not one that has the name of the visitor id's. */
static bool
has_session_cookie(const Settings *s)
{
	return s->anonymous_session_cookie && !s->force_cookieless_tracking &&
		strcmp(s->anonymous_cookie_name, s->cookie_name) != 0;
}

/*
 * The cookies that have had their day: who has not agreed shall not keep the
 * visitor id's, who has agreed needs that of an anonymous session no more.
 */
static void
name_cookies_to_delete(Work *w, Identification consent)
{
	const Settings *s = &w->site->s;
	const Hit  *hit = w->hit;
	const char *cookies = hit->cookie_header;
	int			n = 0;

	/* who calls track() passes on what stood in them */
	if (consent != IDENTIFIED &&
		(hit->visitor_id.given || hit->third_party_id.given ||
		 tracking_api_cookie_id(cookies, s->cookie_name).given))
		w->result->delete_cookies[n++] = s->cookie_name;
	if (consent != ANONYMOUS && has_session_cookie(s) &&
		(hit->session_cookie.given ||
		 tracking_api_cookie_id(cookies, s->anonymous_cookie_name).given))
		w->result->delete_cookies[n++] = s->anonymous_cookie_name;
}

/*
 * A key of what a fingerprint is made of: address, site, plugins and, if
 * has_device, what the agent and the language say.  False if there is nothing
 * to remember it by.  A visitor's hits are alike; Client Hints say more than
 * the agent.
 */
static bool
browser_key(const Work *w, MemoKind kind, const FingerprintInput *in, bool has_device,
			const Salt *instance, const Salt *daily, MemoKey *key)
{
	const Hit  *hit = w->hit;

	if (batch.memo == NULL || hit->uadata != NULL || hit->headers != NULL)
		return false;
	memo_key_begin(batch.memo, key, kind, (uint64) in->idsite * 2 + has_device, NULL, NULL);
	if (has_device)
	{
		memo_key_add(key, hit->user_agent, strlen(hit->user_agent) + 1);
		memo_key_add(key, hit->accept_language, strlen(hit->accept_language) + 1);
		memo_key_add(key, in->plugins, sizeof(in->plugins));
	}
	memo_key_add(key, in->ip.bytes, in->ip.len);
	memo_key_add(key, instance->bytes, instance->len);
	if (daily != NULL)
		memo_key_add(key, daily->bytes, daily->len);
	return true;
}

/*
 * The anonymous session that a hit may belong to (design section 7): by its
 * cookie, or, only if none came, by a fingerprint over the full address, which
 * leaves this memory as an HMAC alone.  A hit that consents is joined by its
 * cookie only: one person's consent must not identify another's hits.
 */
static void
find_session(Work *w)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	Session    *session = &w->session;
	FingerprintInput in;
	const Salt *salt;
	bool		has_device;
	MemoKey		key;
	bool		memorable;
	int64		known;

	if (has_session_cookie(s))
	{
		OptionalId	id;

		session->cookie = hit->session_cookie;
		if (!session->cookie.given)
			session->cookie = tracking_api_cookie_id(hit->cookie_header, s->anonymous_cookie_name);
		session->cookie.given &= session->cookie.id != 0;

		/*
		 * Piwik PRO's tracker keeps its temporary id where the lasting one
		 * stands.  It leads to the session, but is not given back as its cookie:
		 * it may be the lasting one.
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
	/* to have one where the site makes none, a hit must be trusted */
	if (!s->anonymous_fingerprint && !(hit->sh == 1 && hit->trusted))
		return;

	salt = salt_instance();
	has_device = anonymous_device_level(hit, s) != DEVICE_NONE;
	session->given = true;
	session->kind = SESSION_LINK_FINGERPRINT;

	memset(&in, 0, sizeof(in));
	in.ip = hit->ip;
	in.os = in.browser = in.browser_version = in.user_agent = in.language = "";
	in.idsite = hit->idsite;
	if (has_device)
		memcpy(in.plugins, hit->plugins, sizeof(hit->plugins));
	memorable = browser_key(w, MEMO_SESSION, &in, has_device, salt, NULL, &key);
	if (memorable && memo_find_id(batch.memo, &key, &known))
	{
		session->data = (HexId) known;
		return;
	}
	if (has_device)
	{
		in.os = work_device(w)->config_os;
		in.browser = work_device(w)->fingerprint_browser;
		in.browser_version = work_device(w)->browser_version;
		in.user_agent = user_agent_has_rules() ? "" : hit->user_agent;
		in.language = work_language(w);
	}
	session->data = fingerprint_hash(&in, salt->bytes, salt->len, NULL, 0);
	if (memorable)
		memo_keep_id(batch.memo, &key, (int64) session->data);
}

/*
 * Everything about a hit that needs no look at the log.  Afterwards either its
 * outcome stands, or it is to be recorded.  came: it is one that came, not one
 * that somebody asks about.
 */
static void
prepare(Work *w, bool came)
{
	Hit		   *hit = w->hit;
	const char *why;
	const char *wrong;
	Identification consent;

	memset(w->result, 0, sizeof(Tracked));

	if (hit->unreadable)
	{
		finish(w, OUTCOME_INVALID, hit->invalid);
		return;
	}
	if (hit->idsite > 0)
		w->site = site_config(hit->idsite);
	if (w->site == NULL)
	{
		finish(w, OUTCOME_INVALID, "idsite");
		return;
	}
	if (hit->rmip)
	{
		memset(&hit->ip, 0, sizeof(hit->ip));
		hit->cip = pstrdup("");
	}
	else
		proxy_client_ip(hit, site_rules(w->site)->proxy);
	/* Matomo does not look at the cid of a user whose id is a visitor id (spec 1.2) */
	if (hit->invalid != NULL && strcmp(hit->invalid, "cid") == 0 &&
		w->site->s.recognition_rules == RULES_MATOMO &&
		w->site->s.enable_userid_overwrites_visitorid &&
		hit->user_id[0] != '\0' &&
		(w->site->s.anonymize_user_id || is_user_id(hit->user_id)))
		hit->invalid = NULL;
	if (hit->invalid == NULL)
		authenticate(w);
	if (hit->invalid != NULL)
	{
		finish(w, OUTCOME_INVALID, hit->invalid);
		return;
	}
	if (!hit->rec)
	{
		finish(w, OUTCOME_EXCLUDED, "rec");
		return;
	}
	if (hit->url[0] == '\0' && hit->urlref[0] == '\0')
		hit->url = hit->referer_header;
	if (came && (why = excluded_why(hit, work_device(w), w->site)) != NULL)
	{
		finish(w, OUTCOME_EXCLUDED, why);
		return;
	}
	if (hit->ping == PING_DEANONYMIZE && hit->consent != CONSENT_DENIED)
		hit->consent = CONSENT_GRANTED;
	consent = consent_decide(w->site->s.consent_mode, hit->consent);
	if (came)
		name_cookies_to_delete(w, consent);
	if (consent == NOTHING)
	{
		finish(w, OUTCOME_EXCLUDED, reason_consent);
		return;
	}
	w->anonymous = consent == ANONYMOUS;

	sanitise(hit, &w->site->s);
	hit_cut(hit);
	w->kind = action_kind(hit, &w->site->s, &w->search);
	wrong = action_invalid(w->kind, hit);
	if (wrong != NULL)
	{
		finish(w, OUTCOME_INVALID, wrong);
		return;
	}
	w->goals = site_goals(hit->idsite, &w->n_goals);
	wrong = conversion_read(hit, w->kind, &w->site->s, w->goals, w->n_goals, &w->request);
	if (wrong != NULL)
	{
		finish(w, OUTCOME_INVALID, wrong);
		return;
	}
	if (w->anonymous)
	{
		find_session(w);
		anonymise_hit(hit, &w->site->s);
		w->config_known = true;
		return;
	}
	identify(w);
	if (came && w->site->s.consent_mode == CONSENT_ASK_ELSE_ANONYMOUS &&
		w->site->s.consent_upgrade == UPGRADE_CONTINUE)
	{
		find_session(w);
		w->upgrades = w->session.given;
	}
}

/* The hit's languages, normalised; when first asked for. */
const char *
work_language(Work *w)
{
	if (w->language == NULL)
	{
		char		buffer[LANGUAGE_BUFFER];

		language_normalise(w->hit->accept_language, strlen(w->hit->accept_language),
						   buffer, sizeof(buffer));
		w->language = pstrdup(buffer);
	}
	return w->language;
}

/* What the agent and the Client Hints say; read when first asked for. */
const UserAgent *
work_device(Work *w)
{
	if (w->device == NULL)
		w->device = user_agent_detect(w->hit->user_agent, w->hit->uadata, w->hit->headers);
	return w->device;
}

/* See work.h. */
Memo *
engine_memo(void)
{
	return batch.memo;
}

/* The local day of a time in the site's time zone, and when that day ends. */
static void
local_day(TimestampTz at, pg_tz *tz, int add_days, DateADT *day, TimestampTz *day_end)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			offset;
	Timestamp	midnight;

	if (timestamp2tm(at, &offset, &tm, &fsec, NULL, tz) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	*day = date2j(tm.tm_year, tm.tm_mon, tm.tm_mday) - POSTGRES_EPOCH_JDATE + add_days;

	j2date(*day + 1 + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	offset = DetermineTimeZoneOffset(&tm, tz);
	if (tm2timestamp(&tm, 0, &offset, &midnight) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	*day_end = midnight;
}

/*
 * The hit's fingerprint, computed when a rule first asks for it.  Without an
 * address, or with one that is masked whole, there is none (design section 5).
 */
static void
compute_config(Work *w, bool make_salt)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	FingerprintInput in;
	const Salt *instance;
	const Salt *daily = NULL;
	MemoKey		key;
	bool		memorable;
	int64		known;

	if (w->config_known)
		return;
	w->config_known = true;

	/* a hit may do without one; to have one where the site makes none, it must be trusted */
	if (hit->sh == 0 || (!s->use_fingerprint && !(hit->sh == 1 && hit->trusted)))
		return;
	memset(&in, 0, sizeof(in));
	in.ip = hit->ip;
	if (s->fingerprint_ip == IP_MASKED)
		ip_mask(&in.ip, s->ip_mask_level);
	if (ip_is_blank(&in.ip))
		return;

	memcpy(in.plugins, hit->plugins, sizeof(hit->plugins));
	in.idsite = s->enable_fingerprinting_across_websites ? 0 : hit->idsite;

	instance = salt_instance();
	if (settings_rotate_daily(s))
	{
		TimestampTz now = GetCurrentTimestamp();
		TimestampTz day_end;
		DateADT		day;

		local_day(hit->at, w->site->tz, 0, &day, &day_end);
		daily = salt_daily(hit->idsite, day, day_end, now, make_salt);
		if (daily == NULL)
			return;				/* nobody has a fingerprint of that day */
		if (make_salt && day_end > now && day_end - now < SALT_PREPARE_AHEAD)
		{
			local_day(hit->at, w->site->tz, 1, &day, &day_end);
			salt_daily_prepare(hit->idsite, day, day_end, now);
		}
	}

	memorable = browser_key(w, MEMO_CONFIG_ID, &in, true, instance, daily, &key);
	if (memorable && memo_find_id(batch.memo, &key, &known))
	{
		w->id.config.given = true;
		w->id.config.id = (HexId) known;
		return;
	}

	in.os = work_device(w)->config_os;
	in.browser = work_device(w)->fingerprint_browser;
	in.browser_version = work_device(w)->browser_version;
	in.user_agent = user_agent_has_rules() ? "" : hit->user_agent;
	if (strcmp(in.browser, "IE") == 0)
		in.plugins[HIT_PLUGIN_COOKIE] = 0;
	in.language = work_language(w);
	w->id.config.given = true;
	w->id.config.id = fingerprint_hash(&in, instance->bytes, instance->len,
									   daily ? daily->bytes : NULL, daily ? daily->len : 0);
	if (memorable)
		memo_keep_id(batch.memo, &key, (int64) w->id.config.id);
}

/*
 * A random id, not 0.  The system is asked for many at once; each is wiped
 * when it is given out.
 */
static HexId
random_id(void)
{
	static HexId pool[RANDOM_POOL];
	static int	left = 0;
	HexId		id;

	do
	{
		if (left == 0)
		{
			random_bytes(pool, sizeof(pool));
			left = RANDOM_POOL;
		}
		id = pool[--left];
		explicit_bzero(&pool[left], sizeof(HexId));
	} while (id == 0);
	return id;
}

/* The visitor's clock; a part that is out of range counts as 0 (spec 3.1). */
static int64
local_time(const Hit *hit)
{
	int64		of_day = (hit->at % USECS_PER_DAY + USECS_PER_DAY) % USECS_PER_DAY / USECS_PER_SEC;
	int			h = hit->local_h == NOT_SENT ? (int) (of_day / SECS_PER_HOUR) : hit->local_h;
	int			m = hit->local_m == NOT_SENT ? (int) (of_day / SECS_PER_MINUTE % MINS_PER_HOUR) : hit->local_m;
	int			s = hit->local_s == NOT_SENT ? (int) (of_day % SECS_PER_MINUTE) : hit->local_s;

	if (h < 0 || h > 23)
		h = 0;
	if (m < 0 || m > 59)
		m = 0;
	if (s < 0 || s > 59)
		s = 0;
	return ((int64) h * SECS_PER_HOUR + m * SECS_PER_MINUTE + s) * USECS_PER_SEC;
}

/*
 * The cookie that the caller should set (design section 3): the id of the
 * visit that an unknown visitor has begun, or has made his by agreeing in its
 * midst, else the hit's own id, else a new one; never the id of a visit that was matched by fingerprint, never a user
 * id's hash.
 */
static void
choose_cookie(Work *w, const Decision *d, MatchedBy matched_by, const Visit *visit)
{
	CookieToSet *c = &w->result->cookie;
	/* an upgraded visit has got its id now */
	bool		given_id = (d->begin && !d->known) || matched_by == MATCHED_SESSION_LINK;

	if (w->site->s.force_cookieless_tracking)
		return;
	if (w->anonymous)
	{
		/* the session's, that came or is given out now, anew with every hit */
		c->given = w->session.cookie.given || w->session.new_cookie.given;
		c->name = w->site->s.anonymous_cookie_name;
		c->value = w->session.cookie.given ? w->session.cookie.id : w->session.new_cookie.id;
		c->max_age = SESSION_COOKIE_LIFETIME;
		return;
	}
	c->given = true;
	c->name = w->site->s.cookie_name;
	c->max_age = COOKIE_LIFETIME;
	if (given_id && !(w->id.user.given && visit->idvisitor == w->id.user.id))
		c->value = visit->idvisitor;
	else if (w->id.own.given)
		c->value = w->id.own.id;
	else
		c->value = random_id();
}

/* Tell the caller what became of a recorded hit. */
static void
report(Work *w, const Decision *d, MatchedBy matched_by, const Visit *visit, NullableInt idlink_va)
{
	Tracked    *r = w->result;

	r->outcome = OUTCOME_RECORDED;
	r->outcome_reason = NULL;
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
	choose_cookie(w, d, matched_by, visit);
	w->done = true;
}

/* Write a visit that begins.  previous: the visit by which the visitor is known. */
static void
write_new_visit(Work *w, const Decision *d, MatchedBy matched_by, Visit *visit)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	NewVisit	extra;
	Action		action;
	char		primary[6];
	NullableInt idlink_va = no_int();

	memset(&extra, 0, sizeof(extra));
	extra.as_matomo = s->recognition_rules == RULES_MATOMO && !w->anonymous;
	extra.has_details = true;
	describe_place(w, &extra.location);
	extra.device = work_device(w);
	describe_referrer(w, NULL, &visit->referrer);
	extra.location_ip = hit->ip;
	ip_mask(&extra.location_ip, w->anonymous ? IP_MASK_LEVEL_MAX : s->ip_mask_level);
	language_primary(work_language(w), primary);
	extra.browser_lang = primary;
	if (w->anonymous)
	{
		DeviceLevel level = anonymous_device_level(hit, s);

		extra.device = anonymise_device(extra.device, level);
		extra.has_details = level == DEVICE_FULL;
		anonymise_language(primary, level);
	}
	if (extra.as_matomo)
	{
		/* what is unknown has a word there */
		if (primary[0] == '\0')
			extra.browser_lang = "xx";
		if (extra.location.country[0] == '\0' && s->geo_level >= GEO_COUNTRY)
			strcpy(extra.location.country, "xx");
	}
	memcpy(extra.plugins, hit->plugins, sizeof(extra.plugins));
	extra.localtime = local_time(hit);

	describe_action(w, &action);
	describe_custom(w, visit, &action);
	lifecycle_action(hit, s, true, visit, &action);
	describe_conversions(w, d, matched_by, &action, visit);
	visit->idvisit = log_next_idvisit();
	if (action_has_row(w->kind))
		idlink_va = visit->last_idlink_va = some_int(log_next_idlink_va());
	log_insert_visit(w->log, visit, &extra);
	if (!idlink_va.isnull)
		log_insert_action(w->log, visit, hit, &action, idlink_va.value, matched_by, d->reason);
	conversion_write(w->log, &w->conversions, visit, idlink_va);
	report(w, d, matched_by, visit, idlink_va);
}

/*
 * Write a hit that continues a visit; false if the visit has changed meanwhile.
 * referrer: the one that it gets, NULL if it keeps its own.
 */
static bool
write_continued(Work *w, const Decision *d, MatchedBy matched_by, const Referrer *referrer,
				Visit *visit)
{
	const Settings *s = &w->site->s;
	Action		action;
	NullableInt idlink_va = no_int();

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
		lifecycle_action(w->hit, s, false, visit, &action);
	describe_conversions(w, d, matched_by, &action, visit);
	if (action_has_row(w->kind))
		idlink_va = visit->last_idlink_va = some_int(log_next_idlink_va());
	if (!log_update_visit(w->log, visit))
		return false;
	if (!idlink_va.isnull)
		log_insert_action(w->log, visit, w->hit, &action, idlink_va.value, matched_by, d->reason);
	conversion_write(w->log, &w->conversions, visit, idlink_va);
	/* page performance that came too late for its page view */
	if (w->kind != ACTION_PAGE_VIEW && w->hit->pv_id[0] && describe_has_timings(w->hit))
		log_update_timings(w->log, visit->idvisit, w->hit->pv_id, w->hit->timings);
	report(w, d, matched_by, visit, idlink_va);
	return true;
}

/* A lock, by its place in the order: kind, then site, then key. */
typedef struct LockKey
{
	LockKind	kind;
	int32		idsite;
	uint64		key;
} LockKey;

/* What a call with several hits has locked: see run_many(). */
typedef struct ManyLocks
{
	bool		whole_sites;	/* the gates, for itself: no other lock is needed */
	int			n;
	int			size;
	LockKey    *keys;			/* in order */
	bool		missed;			/* a lock was not to be had at once */
	LockKey		missing;
	bool		hour_turned;	/* the keys of sessions, and their locks, are old */
} ManyLocks;

/* What this call has locked for a hit, apart from the site's gate. */
#define MAX_ID_KEYS 16

typedef struct Held
{
	ManyLocks  *many;			/* NULL: the call has one hit to record */
	int32		idsite;
	int			n_ids;
	HexId		ids[MAX_ID_KEYS];	/* sorted */
	bool		config;			/* the hit's fingerprint */
	HexId		config_id;
	bool		visit;
	int64		idvisit;
	bool		order;			/* the hit's order id */
} Held;

/* Note an id that is to be locked, or has been. */
static void
add_id(Held *held, HexId id)
{
	int			i;

	for (i = 0; i < held->n_ids; i++)
	{
		if (held->ids[i] == id)
			return;
	}
	/* the visitor was given another id again and again while we waited */
	if (held->n_ids == MAX_ID_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not track the hit: its visitor keeps changing"),
				 errhint("Track it again.")));
	for (i = held->n_ids++; i > 0 && held->ids[i - 1] > id; i--)
		held->ids[i] = held->ids[i - 1];
	held->ids[i] = id;
}

/* Note the ids that are looked for, and the one that the hit will write. */
static void
add_ids(const Work *w, const Lookup *lookups, int n_lookups, Held *held)
{
	OptionalId	vid = identity_visitor_id(&w->id);

	for (int i = 0; i < n_lookups; i++)
	{
		if (!lookups[i].by_config)
			add_id(held, lookups[i].key);
	}
	if (vid.given)
		add_id(held, vid.id);
}

static bool
has_id(const Held *held, HexId id)
{
	for (int i = 0; i < held->n_ids; i++)
	{
		if (held->ids[i] == id)
			return true;
	}
	return false;
}

static int
compare_keys(const LockKey *a, const LockKey *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->idsite != b->idsite)
		return a->idsite < b->idsite ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return 0;
}

/* Note a key in its place. */
static void
add_key(ManyLocks *many, LockKind kind, int32 idsite, uint64 key)
{
	LockKey		k = {kind, idsite, key};
	int			low = 0;
	int			high = many->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (compare_keys(&many->keys[middle], &k) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < many->n && compare_keys(&many->keys[low], &k) == 0)
		return;
	if (many->n == many->size)
	{
		many->size *= 2;
		many->keys = repalloc_array(many->keys, LockKey, many->size);
	}
	memmove(&many->keys[low + 1], &many->keys[low], (many->n - low) * sizeof(LockKey));
	many->keys[low] = k;
	many->n++;
}

/*
 * A lock that several hits' call finds it needs while it is at work, out of
 * the order, so without waiting.  False if it cannot be had: all is to be
 * begun again.
 */
static bool
lock_in_passing(ManyLocks *many, LockKind kind, int32 idsite, uint64 key)
{
	if (many->whole_sites)
		return true;
	if (lock_try(kind, idsite, key))
	{
		add_key(many, kind, idsite, key);
		return true;
	}
	many->missed = true;
	many->missing.kind = kind;
	many->missing.idsite = idsite;
	many->missing.key = key;
	return false;
}

static void
lock_ids(Held *held)
{
	if (held->many != NULL)
		return;					/* locked before the first hit */
	for (int i = 0; i < held->n_ids; i++)
		lock_take(LOCK_VISITOR_ID, held->idsite, held->ids[i]);
}

static void
give_back_visit(Held *held)
{
	if (held->visit && held->many == NULL)
		lock_give_back(LOCK_VISIT, held->idsite, (uint64) held->idvisit);
	held->visit = false;
}

/*
 * Lock the fingerprint.  What comes later in the order is given back first.
 * False if it was held already.
 */
static bool
lock_config(Held *held, HexId config_id)
{
	if (held->config || held->many != NULL)
		return false;
	give_back_visit(held);
	lock_take(LOCK_CONFIG_ID, held->idsite, config_id);
	held->config = true;
	held->config_id = config_id;
	return true;
}

/* Lock one more id, giving back what stands behind it in the order if we have to wait. */
static void
lock_another_id(Held *held, HexId id)
{
	if (held->many != NULL)
	{
		if (lock_in_passing(held->many, LOCK_VISITOR_ID, held->idsite, id))
			add_id(held, id);
		return;
	}
	give_back_visit(held);
	if (lock_try(LOCK_VISITOR_ID, held->idsite, id))
	{
		add_id(held, id);
		return;
	}
	if (held->config)
		lock_give_back(LOCK_CONFIG_ID, held->idsite, held->config_id);
	held->config = false;
	for (int i = held->n_ids - 1; i >= 0; i--)
		lock_give_back(LOCK_VISITOR_ID, held->idsite, held->ids[i]);
	add_id(held, id);
	lock_ids(held);
}

/*
 * Lock the visit that is to be continued.  False if we had to wait: its row
 * is an old version then.
 */
static bool
lock_visit(Held *held, int64 idvisit)
{
	bool		at_once;

	if (held->visit && held->idvisit == idvisit)
		return true;
	give_back_visit(held);
	if (held->many != NULL)
		at_once = lock_in_passing(held->many, LOCK_VISIT, held->idsite, (uint64) idvisit);
	else
		at_once = lock_try(LOCK_VISIT, held->idsite, (uint64) idvisit);
	if (!at_once && held->many == NULL)
		lock_take(LOCK_VISIT, held->idsite, (uint64) idvisit);
	held->visit = at_once || held->many == NULL;
	held->idvisit = idvisit;
	return at_once;
}

/*
 * Lock the hit's order id, the last of all locks, and see whether the site has
 * such an order.  False, and the hit is finished, if it has: one that is sent
 * twice counts once, and the second leaves nothing.  False, and it is not, if
 * a call of several hits misses the lock.
 */
static bool
claim_order(Work *w, Held *held)
{
	const char *idorder = w->request.idorder;

	if (w->request.kind != CONVERT_ORDER ||
		consent_decide(w->site->s.consent_mode, w->hit->consent) != IDENTIFIED)
		return true;			/* without consent the id is not kept */
	if (!held->order && held->many != NULL &&
		!lock_in_passing(held->many, LOCK_ORDER, held->idsite, lock_order_key(idorder)))
		return false;
	if (!held->order && held->many == NULL)
		lock_take(LOCK_ORDER, held->idsite, lock_order_key(idorder));
	held->order = true;
	if (!conversion_order_known(held->idsite, idorder))
		return true;
	finish(w, OUTCOME_INVALID, "ec_id");
	w->result->duplicate_order = true;
	return false;
}

static void
give_back_order(Work *w, Held *held)
{
	if (held->order && held->many == NULL)
		lock_give_back(LOCK_ORDER, held->idsite, lock_order_key(w->request.idorder));
	held->order = false;
}

/*
 * The first visit that the rule's look-ups find.  False, and again set, if a
 * lock had to be waited for on the way: whatever was looked up before is old.
 */
static bool
find_visit(Log *log, Work *w, Lookup *lookups, int n_lookups, Held *held,
		   Visit *found, MatchedBy *matched_by, bool *again)
{
	/* without a look-up there is none that could have stopped too early */
	log->reach = PG_INT64_MAX;
	*again = false;
	*matched_by = MATCHED_NONE;
	for (int i = 0; i < n_lookups; i++)
	{
		if (lookups[i].by_config)
		{
			compute_config(w, true);
			if (!w->id.config.given)
				continue;
			lookups[i].key = w->id.config.id;
			if (lock_config(held, w->id.config.id) && i > 0)
			{
				*again = true;
				return false;
			}
		}
		if (log_lookup(log, w->hit->idsite, &lookups[i], 1, found) == 1)
		{
			*matched_by = lookups[i].matched_by;
			return true;
		}
	}
	return false;
}

/* A trigger of somebody's has swallowed an update. */
static void
not_updatable(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("could not track the hit: its visit cannot be updated"),
			 errhint("A trigger on pk_tracking.log_visit may suppress the update.")));
}

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
 * The HMACs that lead to the hit's anonymous session, and a cookie for the
 * visitor who came without one, which is to lead there too.  A hit without
 * consent makes the hour's key if there is none.  That may wait: before any
 * lock.
 */
static void
make_session_keys(Work *w)
{
	const Settings *s = &w->site->s;
	Session    *session = &w->session;

	if (session->keys_made)
		return;
	if (session->given)
		link_keys(w, session->kind, session->data, &session->keys);
	if (w->anonymous && !session->cookie.given && has_session_cookie(s) &&
		!(batch.open > 0 && batch.unread))
	{
		session->new_cookie.given = true;
		session->new_cookie.id = random_id();
		link_keys(w, SESSION_LINK_COOKIE, session->new_cookie.id, &session->new_keys);
	}
	session->keys_made = true;
}

/* Note the HMACs as ids that are to be locked. */
static void
add_session_keys(const Work *w, Held *held)
{
	const Session *session = &w->session;

	for (int i = 0; session->given && i < (int) lengthof(session->keys.given); i++)
	{
		if (session->keys.given[i])
			add_id(held, session->keys.lock_keys[i]);
	}
}

/*
 * Find the visit of the hit's session: the first that goes on, else the
 * nearest.  False if the hour has turned since the keys were made, and with
 * them the locks.
 */
static bool
find_linked(Log *log, Work *w, Visit *found, bool *is_found)
{
	Session    *session = &w->session;
	int64		idvisits[SESSION_VISITS_MAX];
	int			n = 0;

	*is_found = false;
	if (!session->given)
		return true;
	if (session->in_memory)
		n = session_links_find(batch.links, session->kind, w->hit->idsite, session->data, w->hit->at,
							   session_clock(w), w->anonymous, idvisits, SESSION_VISITS_MAX);
	else if (!session_link_find(w->hit->idsite, &session->keys, w->hit->at, session_clock(w),
								idvisits, SESSION_VISITS_MAX, &n))
		return false;
	for (int i = 0; i < n; i++)
	{
		Visit		visit;
		bool		goes_on;

		/* one that has been given a visitor is no session's any more */
		if (!log_read_visit(log, w->hit->idsite, idvisits[i], &visit) ||
			visit.consent < STATE_UNDECIDED)
			continue;
		goes_on = !lifecycle_decide(w->hit, &w->id, w->site, &visit).begin;
		if (goes_on || !*is_found)
			*found = visit;
		*is_found = true;
		if (goes_on)
			break;
	}
	return true;
}

/*
 * The hour has turned: make the keys anew, which may have to wait, so without
 * any lock.  False in a call with several hits, which is begun again; one that
 * has whole sites does not see the hour turn.
 */
static bool
renew_session_keys(Work *w, Held *held)
{
	if (held->many != NULL)
	{
		held->many->missed = held->many->hour_turned = true;
		return false;
	}
	give_back_visit(held);
	if (held->config)
		lock_give_back(LOCK_CONFIG_ID, held->idsite, held->config_id);
	held->config = false;
	for (int i = held->n_ids - 1; i >= 0; i--)
		lock_give_back(LOCK_VISITOR_ID, held->idsite, held->ids[i]);
	lock_give_back(LOCK_GATE, held->idsite, 0);

	w->session.keys_made = false;
	make_session_keys(w);
	lock_take(LOCK_GATE, held->idsite, 0);
	add_session_keys(w, held);
	lock_ids(held);
	return true;
}

/* Lead the session's next hits to the visit, by whatever they will carry. */
static void
link_session(Work *w, int64 idvisit)
{
	Session    *session = &w->session;

	if (session->given && session->in_memory)
		session_links_add(batch.links, session->kind, w->hit->idsite, session->data,
						  idvisit, w->hit->at, session_clock(w));
	else if (session->given)
		session_link_add(w->hit->idsite, &session->keys, idvisit, w->hit->at);
	if (session->new_cookie.given)
		session_link_add(w->hit->idsite, &session->new_keys, idvisit, w->hit->at);
}

/*
 * Record a hit without consent: the visit is that of its session, nobody's,
 * and always a new visitor's.  Locks as in record(), with the session's HMACs
 * in the place of visitor ids.
 */
static bool
record_anonymous(Log *log, Work *w, ManyLocks *many)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	MatchedBy	by_session = w->session.kind == SESSION_LINK_COOKIE ?
		MATCHED_SESSION_LINK : MATCHED_FINGERPRINT;
	Held		held;
	ItemPointerData refused;
	TransactionId refused_xmin = InvalidTransactionId;

	memset(&held, 0, sizeof(held));
	held.idsite = hit->idsite;
	held.many = many;
	if (many == NULL)
	{
		make_session_keys(w);
		lock_take(LOCK_GATE, hit->idsite, 0);
	}
	add_session_keys(w, &held);
	lock_ids(&held);

	for (;;)
	{
		Visit		found;
		Visit		visit;
		bool		is_found;
		Decision	d;
		Referrer	referrer;
		ReferrerEffect effect = REFERRER_KEEPS;

		CHECK_FOR_INTERRUPTS();

		if (!find_linked(log, w, &found, &is_found))
		{
			if (!renew_session_keys(w, &held))
				return false;
			continue;
		}
		d = lifecycle_decide(hit, &w->id, w->site, is_found ? &found : NULL);
		if (!d.begin)
		{
			describe_referrer(w, &found.referrer, &referrer);
			effect = referrer_effect(&found.referrer, &referrer, s);
			d = lifecycle_referrer(d, effect);
		}
		d.known = false;
		if (d.excluded)
		{
			finish(w, OUTCOME_EXCLUDED, "session_limit");
			return true;
		}

		if (!d.begin)
		{
			if (!lock_visit(&held, found.idvisit))
			{
				if (many != NULL)
					return false;
				continue;
			}
			/*
			 * What a fingerprint alone has joined must be told by a row, or the
			 * visit could be taken for one person's: no cookie without it.
			 */
			if (by_session == MATCHED_FINGERPRINT && !action_has_row(w->kind))
				w->session.new_cookie.given = false;
			visit = found;
			lifecycle_stay_anonymous(hit, s, &visit);
			if (write_continued(w, &d, by_session,
								effect == REFERRER_REPLACES ? &referrer : NULL, &visit))
			{
				link_session(w, visit.idvisit);
				return true;
			}
			if (TransactionIdIsValid(refused_xmin) && refused_xmin == found.xmin &&
				ItemPointerEquals(&refused, &found.tid))
				not_updatable();
			refused = found.tid;
			refused_xmin = found.xmin;
			continue;
		}
		if (w->kind == ACTION_PING)
		{
			finish(w, OUTCOME_IGNORED, action_kind_word(w->kind));
			return true;
		}
		lifecycle_begin_anonymous(hit, s, &visit);
		/* a fingerprint has joined nothing to a visit that begins */
		write_new_visit(w, &d, is_found && by_session == MATCHED_SESSION_LINK ?
						MATCHED_SESSION_LINK : MATCHED_NONE, &visit);
		link_session(w, visit.idvisit);
		return true;
	}
}

/* Would the hit continue this visit, by all the rules? */
static bool
goes_on(Work *w, const Visit *visit)
{
	Referrer	referrer;
	Decision	d = lifecycle_decide(w->hit, &w->id, w->site, visit);

	if (d.begin)
		return false;
	describe_referrer(w, &visit->referrer, &referrer);
	return !lifecycle_referrer(d, referrer_effect(&visit->referrer, &referrer, &w->site->s)).begin;
}

/* An anonymous visit becomes the hit's visitor's, who may have been here before. */
static void
upgrade(Log *log, Work *w, const Lookup *lookups, int n_lookups, Visit *visit)
{
	Visit		previous;
	bool		known = false;

	for (int i = 0; i < n_lookups && !known; i++)
	{
		if (!lookups[i].by_config)
			known = log_lookup(log, w->hit->idsite, &lookups[i], 1, &previous) == 1;
	}
	lifecycle_upgrade(w->hit, &w->id, &w->site->s, known ? &previous : NULL, random_id(), visit);
}

/*
 * Recognise, decide and write one hit.
 *
 * Locks go in one order in every call: gate, visitor ids sorted, fingerprint,
 * visit, order id (design section 5).  The fingerprint's key is taken only when the rule
 * goes on to it or a visit is about to be begun.  Whatever was looked up before
 * a lock was taken is looked up again after it; when a lock is needed that
 * stands earlier in the order, later ones are given back first, nothing having
 * been written.
 *
 * many: the locks of a call with several hits, NULL if this is the only one.
 * False if such a call misses a lock; it is rolled back then.
 */
static bool
record(Log *log, Work *w, ManyLocks *many)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	Lookup		lookups[MAX_LOOKUPS];
	int			n_lookups;
	Held		held;
	ItemPointerData refused;	/* the version whose update did nothing */
	TransactionId refused_xmin = InvalidTransactionId;

	if (w->anonymous)
		return record_anonymous(log, w, many);

	memset(&held, 0, sizeof(held));
	held.idsite = hit->idsite;
	held.many = many;

	if (many == NULL)
	{
		make_session_keys(w);
		lock_take(LOCK_GATE, hit->idsite, 0);
	}
	n_lookups = recognise_lookups(hit, &w->id, s, lookups);
	add_ids(w, lookups, n_lookups, &held);
	add_session_keys(w, &held);
	lock_ids(&held);

	for (;;)
	{
		Visit		found;
		Visit		visit;
		bool		is_found;
		bool		upgraded;		/* it is an anonymous session's, whose visitor agrees */
		bool		again;
		MatchedBy	matched_by;
		Decision	d;
		Referrer	referrer;
		ReferrerEffect effect = REFERRER_KEEPS;

		CHECK_FOR_INTERRUPTS();

		upgraded = false;
		if (w->upgrades)
		{
			if (!find_linked(log, w, &found, &upgraded))
			{
				if (!renew_session_keys(w, &held))
					return false;
				continue;
			}
			upgraded = upgraded && goes_on(w, &found) &&
				!log_joined_by_fingerprint(w->log, found.idvisit);
		}
		if (upgraded)
		{
			is_found = true;
			matched_by = MATCHED_SESSION_LINK;
		}
		else
		{
			is_found = find_visit(log, w, lookups, n_lookups, &held, &found, &matched_by, &again);
			if (again)
				continue;
		}

		d = lifecycle_decide(hit, &w->id, w->site, is_found ? &found : NULL);
		if (!d.begin)
		{
			describe_referrer(w, &found.referrer, &referrer);
			effect = referrer_effect(&found.referrer, &referrer, s);
			d = lifecycle_referrer(d, effect);
		}
		if (d.excluded)
		{
			finish(w, OUTCOME_EXCLUDED, "session_limit");
			return true;
		}

		if (!d.begin)
		{
			if (!lock_visit(&held, found.idvisit))
			{
				if (many != NULL)
					return false;
				continue;
			}
			/* the visit will be found by the fingerprint too */
			if (upgraded)
			{
				compute_config(w, true);
				if (w->id.config.given && lock_config(&held, w->id.config.id))
					continue;
			}
			if (!claim_order(w, &held))
				return w->done;
			visit = found;
			if (upgraded)
				upgrade(log, w, lookups, n_lookups, &visit);
			if (write_continued(w, &d, matched_by,
								effect == REFERRER_REPLACES ? &referrer : NULL, &visit))
				return true;

			give_back_order(w, &held);

			/* not the newest version: look again, unless it is that one still */
			if (TransactionIdIsValid(refused_xmin) && refused_xmin == found.xmin &&
				ItemPointerEquals(&refused, &found.tid))
				not_updatable();
			refused = found.tid;
			refused_xmin = found.xmin;
			continue;
		}

		/* a heartbeat begins no visit (spec 3.6) */
		if (w->kind == ACTION_PING)
		{
			finish(w, OUTCOME_IGNORED, action_kind_word(w->kind));
			return true;
		}

		compute_config(w, true);
		if (w->id.config.given && lock_config(&held, w->id.config.id))
			continue;
		if (log_longest_is_news(log, hit->idsite))
			continue;

		lifecycle_begin(hit, &w->id, s, d.known ? &found : NULL, random_id(), &visit);

		/*
		 * A known visitor's id, under which others look for the visit to come
		 * and may be continuing the earlier one: lock it, and look again.
		 */
		if (d.known && visit.has_idvisitor && !has_id(&held, visit.idvisitor))
		{
			lock_another_id(&held, visit.idvisitor);
			if (many != NULL && many->missed)
				return false;
			continue;
		}

		if (!claim_order(w, &held))
			return w->done;
		write_new_visit(w, &d, matched_by, &visit);
		return true;
	}
}

/*
 * ---- Several hits in one call ----
 *
 * A call with several hits to record holds the locks of all of them, so it
 * takes them in the order in which a single hit's call takes its few: gates,
 * visitor ids, fingerprints, visits, order ids, each by site and key.  A day's salt that
 * has to be made is locked between the ids and the fingerprints, as for a
 * single hit, by site and day.  Which visits it will come to it does not know
 * beforehand, nor under which earlier id a known visitor may turn out to be
 * looked for: those locks are only tried.  If one cannot be had, the call is
 * rolled back (it runs in a subtransaction, so its locks go too) and begins
 * again with that lock in its place among the others.
 *
 * So no engine call waits for a lock that stands before one it has taken, and
 * no two of them can deadlock.
 *
 * With more than MANY_KEYS ids and fingerprints the server's table of locks
 * would suffer, and with more than MANY_HITS hits it pays to keep their visits
 * in memory, which needs the sites for oneself (the latter only if nobody is
 * in the way).  Such a call takes the gates of its sites for itself, which
 * others share, and needs no lock besides.  It does not queue for them, or all
 * hits of the site would queue behind it: it tries all of them, and if one
 * cannot be had it gives back the others and sleeps, holding nothing.  What
 * holds nothing blocks nobody, but for the locks that an earlier call of the
 * transaction took: after one it does not wait at all, but raises an error,
 * since nobody would notice two transactions that poll for each other's.
 */
#define MANY_KEYS 64
#define MANY_HITS 48			/* that are better written together */
#define MANY_ATTEMPTS 20
#define FLUSH_CHECK 64			/* hits between two looks at the memory that is used */

typedef enum ManyResult
{
	MANY_DONE,
	MANY_MISSED_LOCK,
	MANY_TOO_MANY_KEYS
} ManyResult;

/* The last transaction of this session that has recorded a hit. */
static LocalTransactionId tracked_in = InvalidLocalTransactionId;

/* By site and time, so by site and day. */
static int
compare_work(const void *a, const void *b)
{
	const Work *x = *(Work *const *) a;
	const Work *y = *(Work *const *) b;

	if (x->hit->idsite != y->hit->idsite)
		return x->hit->idsite < y->hit->idsite ? -1 : 1;
	if (x->hit->at != y->hit->at)
		return x->hit->at < y->hit->at ? -1 : 1;
	return 0;
}

/* Take all locks of one kind, in their order. */
static void
lock_kind(const ManyLocks *many, LockKind kind)
{
	for (int i = 0; i < many->n; i++)
	{
		if (many->keys[i].kind == kind)
			lock_take(kind, many->keys[i].idsite, many->keys[i].key);
	}
}

static int
count_kind(const ManyLocks *many, LockKind kind)
{
	int			n = 0;

	for (int i = 0; i < many->n; i++)
		n += many->keys[i].kind == kind;
	return n;
}

/* One after the other; false if a lock is missed. */
static bool
record_each(Log *log, Work **work, int n, ManyLocks *many)
{
	bool		all = true;
	MemoryContext old = CurrentMemoryContext;
	MemoryContext context = NULL;

	/* only what is not tried again may forget at once what it has made */
	if (many != NULL && many->whole_sites)
		context = AllocSetContextCreate(old, "pk_tracking hit", ALLOCSET_DEFAULT_SIZES);
	for (int i = 0; i < n && all; i++)
	{
		if (context != NULL)
			MemoryContextSwitchTo(context);
		work[i]->log = log;
		all = record(log, work[i], many);
		MemoryContextSwitchTo(old);
		if (context != NULL)
			MemoryContextReset(context);
		if (i % FLUSH_CHECK == 0)
			log_flush(log);
	}
	return all;
}

/* Keep visits in memory from now on; false if the tables do not allow it. */
static bool
batch_run(void)
{
	MemoryContext old = MemoryContextSwitchTo(batch.context);

	if (!batch.running)
	{
		batch.running = log_open_batch(&batch.log);
		if (batch.running)
		{
			batch.memo = memo_create();
			if (batch.unread)
				batch.links = session_links_create((Size) pkt_bulk_memory * 1024 / 16);
		}
	}
	MemoryContextSwitchTo(old);
	return batch.running;
}

static bool
batch_running(void)
{
	return batch.running;
}

static void
batch_abandon(void)
{
	batch.open = 0;
	batch.running = batch.busy = false;
	batch.memo = NULL;
	batch.links = NULL;
}

static void
batch_transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		batch_abandon();
}

/* What failed is the batch's own subtransaction, or one around it. */
static void
batch_subtransaction_ended(SubXactEvent event, SubTransactionId mine,
						   SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && batch.open > 0 && mine <= batch.subid)
		batch_abandon();
}

/* Called once when the library loads. */
void
engine_init(void)
{
	RegisterXactCallback(batch_transaction_ended, NULL);
	RegisterSubXactCallback(batch_subtransaction_ended, NULL);
}

/*
 * engine_batch_begin, engine_batch_end
 *		Around the calls of engine_run() by which one statement brings its hits.
 *		Both belong between engine_enter() and engine_leave(), in one and the
 *		same subtransaction; the memory context in which it begins must live to
 *		the end.  Visits and actions stand in the log after the end;
 *		an error on the way forgets them.  unread: nobody will see the results'
 *		cookies, so none are given out.
 */
void
engine_batch_begin(bool unread)
{
	if (batch.open++ > 0)
		return;
	batch.unread = unread;
	batch.running = false;
	batch.memo = NULL;
	batch.links = NULL;
	batch.context = CurrentMemoryContext;
	batch.subid = GetCurrentSubTransactionId();
}

void
engine_batch_end(void)
{
	if (--batch.open > 0)
		return;
	if (batch.running)
		log_close(&batch.log);
	batch.running = false;
	batch.memo = NULL;
	batch.links = NULL;
}

/* Record these hits in their order; false if a lock is missed. */
static bool
record_all(Work **work, int n, ManyLocks *many)
{
	Log		log;
	int			guc_level = -1;
	bool		all;

	/* who has whole sites may keep their visits in memory */
	if (many != NULL && many->whole_sites)
	{
		bool		alone = batch.open == 0;
		bool		in_memory;

		if (alone)
			engine_batch_begin(false);
		in_memory = batch_run();
		if (in_memory)
		{
			batch.busy = true;
			(void) record_each(&batch.log, work, n, many);
			batch.busy = false;
		}
		if (alone)
			engine_batch_end();
		if (in_memory)
			return true;
	}

	log_open(&log, RowExclusiveLock);

	/*
	 * Our own statements are qualified throughout.  Code that somebody has put
	 * on the log must not run with the owner's rights through the caller's
	 * search_path.
	 */
	if (log_has_user_code())
		guc_level = pin_search_path();
	all = record_each(&log, work, n, many);
	log_close(&log);
	if (guc_level >= 0)
		AtEOXact_GUC(true, guc_level);
	return all;
}

/* Forget what an attempt that was rolled back has found out. */
static void
begin_again(Work **work, int n, ManyLocks *many)
{
	Tracked		fresh;
	int			kept = 0;

	/* fingerprints may have been made with a salt that is no more */
	for (int i = 0; i < many->n; i++)
	{
		if (many->keys[i].kind != LOCK_CONFIG_ID)
			many->keys[kept++] = many->keys[i];
	}
	many->n = kept;
	for (int i = 0; i < n; i++)
	{
		work[i]->config_known = work[i]->anonymous;
		memset(&work[i]->id.config, 0, sizeof(work[i]->id.config));
		/* so may the HMACs of sessions */
		work[i]->session.keys_made = false;
		work[i]->done = false;
		fresh = (Tracked) {0};
		memcpy(fresh.delete_cookies, work[i]->result->delete_cookies, sizeof(fresh.delete_cookies));
		*work[i]->result = fresh;
	}
	many->missed = false;
}

/* Lock in order, then record. */
static ManyResult
lock_and_record(Work **work, int n, ManyLocks *many)
{
	Work	  **by_day = palloc_array(Work *, n);

	/* an hour's key is made before anything is locked */
	for (int i = 0; i < n; i++)
	{
		Held		held;

		memset(&held, 0, sizeof(held));
		make_session_keys(work[i]);
		add_session_keys(work[i], &held);
		for (int j = 0; j < held.n_ids; j++)
			add_key(many, LOCK_VISITOR_ID, work[i]->hit->idsite, held.ids[j]);
	}
	if (count_kind(many, LOCK_VISITOR_ID) > MANY_KEYS)
		return MANY_TOO_MANY_KEYS;

	lock_kind(many, LOCK_GATE);
	lock_kind(many, LOCK_VISITOR_ID);

	memcpy(by_day, work, n * sizeof(Work *));
	qsort(by_day, n, sizeof(Work *), compare_work);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		compute_config(by_day[i], true);
		if (by_day[i]->id.config.given)
			add_key(many, LOCK_CONFIG_ID, by_day[i]->hit->idsite, by_day[i]->id.config.id);
	}
	if (count_kind(many, LOCK_VISITOR_ID) + count_kind(many, LOCK_CONFIG_ID) > MANY_KEYS)
		return MANY_TOO_MANY_KEYS;

	lock_kind(many, LOCK_CONFIG_ID);
	lock_kind(many, LOCK_VISIT);
	lock_kind(many, LOCK_ORDER);
	return record_all(work, n, many) ? MANY_DONE : MANY_MISSED_LOCK;
}

/* Have the gates of these sites for oneself, if they are to be had at once. */
static bool
try_whole_sites(const LockKey *gates, int n, bool needs_session_key)
{
	int			have = 0;

	while (have < n && lock_try_whole_site(gates[have].idsite))
		have++;
	/* who makes the hour's key may be waiting for one of the gates */
	if (have == n && (!needs_session_key || session_link_ready(GetCurrentTimestamp())))
		return true;
	while (have > 0)
		lock_give_back_whole_site(gates[--have].idsite);
	return false;
}

/* Wait until they are. */
static void
lock_whole_sites(const LockKey *gates, int n, bool needs_session_key)
{
	TimestampTz began = GetCurrentTimestamp();

	for (;;)
	{
		if (try_whole_sites(gates, n, needs_session_key))
			return;

		if (tracked_in == pkt_my_lxid())
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("could not track that many visitors after other hits of the same transaction"),
					 errhint("Track a large bulk document in a transaction of its own.")));
		lock_nap(began);
	}
}

static bool
any_anonymous(Work **work, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (work[i]->anonymous)
			return true;
	}
	return false;
}

/* Record n hits, having the gates of their sites for oneself. */
static void
record_whole_sites(Work **work, int n, ManyLocks *many)
{
	TimestampTz now = GetCurrentTimestamp();
	bool		in_memory = batch.open > 0 && batch.unread && batch_run();

	for (int i = 0; in_memory && i < many->n && many->keys[i].kind == LOCK_GATE; i++)
		session_links_own(batch.links, many->keys[i].idsite, now);
	for (int i = 0; i < n; i++)
	{
		work[i]->session.now = now;
		work[i]->session.in_memory = in_memory;
		if (!in_memory)
			make_session_keys(work[i]);
	}
	many->whole_sites = true;
	(void) record_all(work, n, many);
}

/* Record n hits, n > 1, in their order. */
static void
run_many(Work **work, int n)
{
	ManyLocks	many = {.size = MANY_KEYS};
	int			n_gates;
	volatile ManyResult result = MANY_TOO_MANY_KEYS;

	many.keys = palloc_array(LockKey, many.size);
	for (int i = 0; i < n; i++)
		add_key(&many, LOCK_GATE, work[i]->hit->idsite, 0);
	n_gates = many.n;
	if (batch_running())
	{
		lock_whole_sites(many.keys, n_gates, any_anonymous(work, n));
		record_whole_sites(work, n, &many);
		return;
	}
	if (n > MANY_HITS && try_whole_sites(many.keys, n_gates, any_anonymous(work, n)))
	{
		record_whole_sites(work, n, &many);
		return;
	}
	for (int i = 0; i < n && many.n - n_gates <= MANY_KEYS; i++)
	{
		Lookup		lookups[MAX_LOOKUPS];
		int			n_lookups;
		Held		held;

		memset(&held, 0, sizeof(held));
		if (work[i]->anonymous)
			continue;
		n_lookups = recognise_lookups(work[i]->hit, &work[i]->id, &work[i]->site->s, lookups);
		add_ids(work[i], lookups, n_lookups, &held);
		for (int j = 0; j < held.n_ids; j++)
			add_key(&many, LOCK_VISITOR_ID, work[i]->hit->idsite, held.ids[j]);
	}

	for (int attempt = 1; many.n - n_gates <= MANY_KEYS || attempt > 1; attempt++)
	{
		MemoryContext context = CurrentMemoryContext;
		ResourceOwner owner = CurrentResourceOwner;

		BeginInternalSubTransaction(NULL);
		MemoryContextSwitchTo(context);
		PG_TRY();
		{
			result = lock_and_record(work, n, &many);
		}
		PG_CATCH();
		{
			ErrorData  *error;

			/* the caller's handler knows its own subtransaction only */
			MemoryContextSwitchTo(context);
			error = CopyErrorData();
			FlushErrorState();
			RollbackAndReleaseCurrentSubTransaction();
			MemoryContextSwitchTo(context);
			CurrentResourceOwner = owner;
			ReThrowError(error);
		}
		PG_END_TRY();
		if (result == MANY_DONE)
			ReleaseCurrentSubTransaction();
		else
			RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (result == MANY_DONE)
			return;
		if (result == MANY_TOO_MANY_KEYS)
			break;
		if (attempt == MANY_ATTEMPTS)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not track the hits: their visitors keep changing"),
					 errhint("Track them again.")));
		if (!many.hour_turned)
			add_key(&many, many.missing.kind, many.missing.idsite, many.missing.key);
		many.hour_turned = false;
		begin_again(work, n, &many);
	}

	begin_again(work, n, &many);
	lock_whole_sites(many.keys, n_gates, any_anonymous(work, n));
	record_whole_sites(work, n, &many);
}

/*
 * Count the hits that were excluded, but for those without consent: of them
 * nothing is stored at all.
 */
static void
count_excluded(const Work *work, int n)
{
	ExcludedSums sums;

	sums.n = 0;
	for (int i = 0; i < n; i++)
	{
		const Tracked *r = work[i].result;

		if (r->outcome == OUTCOME_EXCLUDED && r->outcome_reason != reason_consent)
			excluded_add(&sums, work[i].site, work[i].hit->at, r->outcome_reason);
	}
	excluded_write(&sums);
}

/*
 * engine_run
 *		Record n hits in the order given; results[i] tells what became of
 *		hits[i].  The caller has entered the engine.  Errors: on a standby, and
 *		what the server raises (lock_timeout, serialization_failure, …); a hit that is wrong is
 *		no error but OUTCOME_INVALID.
 */
void
engine_run(Hit **hits, int n, Tracked *results)
{
	Work	   *work = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(Work));
	Work	  **to_record = palloc_array(Work *, n);
	int			n_to_record = 0;

	/* its visits would be in the memory of a call that they may not outlive */
	if (batch.busy)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("hits cannot be tracked by code that runs while hits are written")));

	memset(work, 0, n * sizeof(Work));

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot track hits on a standby"),
				 errhint("Send them to the primary. Reports run here, too.")));

	/* settings that another session has changed count from now on */
	AcceptInvalidationMessages();

	for (int i = 0; i < n; i++)
	{
		work[i].hit = hits[i];
		work[i].result = &results[i];
		prepare(&work[i], true);
		if (!work[i].done)
			to_record[n_to_record++] = &work[i];
	}
	if (n_to_record == 1 && !batch_running())
		(void) record_all(to_record, 1, NULL);
	else if (n_to_record > 0)
		run_many(to_record, n_to_record);
	if (n_to_record > 0)
		tracked_in = pkt_my_lxid();
	count_excluded(work, n);

	/*
	 * Last of all: an emptied table stays locked to the end of the transaction.
	 * What links anonymous sessions goes with the next call of all, whatever
	 * becomes of its hits.
	 */
	if (n <= MANY_KEYS)
		salt_destroy_expired(GetCurrentTimestamp());
	session_link_destroy_expired(GetCurrentTimestamp());
}

/*
 * engine_candidates
 *		The visits that may be the hit's, in order of preference, and what the
 *		engine would do with each; at most max.  Reads only: no lock, no salt.
 *		The caller has entered the engine.  Error for an unknown site.
 */
int
engine_candidates(Hit *hit, bool config_given, HexId config, int max, Candidate *candidates)
{
	Work	   *w = palloc0_object(Work);
	Tracked		ignored;
	Lookup		lookups[MAX_LOOKUPS];
	Visit	   *visits = palloc((max + 1) * sizeof(Visit));
	int			n_lookups;
	int			n = 0;
	Log		log;

	AcceptInvalidationMessages();
	w->hit = hit;
	w->result = &ignored;
	prepare(w, false);
	if (w->site == NULL)
		raise_missing_site(ERRCODE_INVALID_PARAMETER_VALUE, hit->idsite);
	if (w->done)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\"", ignored.outcome_reason)));
	w->id.config.given = config_given;
	w->id.config.id = config;
	w->config_known = true;

	log_open(&log, AccessShareLock);
	n_lookups = recognise_lookups(hit, &w->id, &w->site->s, lookups);
	for (int i = 0; i < n_lookups; i++)
	{
		int			found;

		if (lookups[i].by_config)
		{
			if (!config_given)
				continue;
			lookups[i].key = config;
		}
		found = log_lookup(&log, hit->idsite, &lookups[i], max, visits);
		for (int j = 0; j < found && n < max; j++)
		{
			Candidate  *c;
			Decision	d;
			bool		known = false;

			for (int k = 0; k < n; k++)
				known |= candidates[k].visit.idvisit == visits[j].idvisit;
			if (known)
				continue;
			d = lifecycle_decide(hit, &w->id, w->site, &visits[j]);
			c = &candidates[n++];
			c->visit = visits[j];
			c->matched_by = lookups[i].matched_by;
			c->continues = !d.begin;
			c->reason = d.reason;
		}
	}
	log_close(&log);
	return n;
}

/*
 * engine_fingerprint
 *		The fingerprint that a hit has on its site; false if it has none.
 *		make_salt: may a daily salt be made?  The caller has entered the engine.
 */
bool
engine_fingerprint(Hit *hit, bool make_salt, HexId *config)
{
	Work	   *w = palloc0_object(Work);

	w->hit = hit;
	if (hit->idsite > 0)
		w->site = site_config(hit->idsite);
	if (w->site == NULL)
		raise_missing_site(ERRCODE_INVALID_PARAMETER_VALUE, hit->idsite);
	hit_cut(hit);
	compute_config(w, make_salt);
	*config = w->id.config.id;
	return w->id.config.given;
}
