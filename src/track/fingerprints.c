/*
 * fingerprints.c
 *		The fingerprints of hits: which salts and which facts they are made of
 *		(doc/internals.md, "Ids and fingerprints").
 */
#include "postgres.h"

#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#include "base/errors.h"
#include "identity/fingerprint.h"
#include "identity/salt.h"
#include "track/anonymise.h"
#include "track/fingerprints.h"

#define SALT_PREPARE_AHEAD (6 * USECS_PER_HOUR) /* before midnight */

/*
 * The memo's key of a fingerprint: the address, the site, the salts and, with
 * has_device, what the agent, the language and the plugins say.  False if the
 * fingerprint cannot be remembered: Client Hints say more than the agent does.
 */
static bool
memo_key(const Work *w, MemoKind kind, const FingerprintInput *in, bool has_device,
		 const Salt *instance, const Salt *daily, MemoKey *key)
{
	const Hit  *hit = w->hit;

	if (w->memo == NULL || hit->uadata != NULL || hit->headers != NULL)
		return false;
	memo_key_begin(w->memo, key, kind, (uint64) in->idsite * 2 + has_device, NULL, NULL);
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

/* Add what the agent and the language say. */
static void
add_device(Work *w, FingerprintInput *in)
{
	in->os = work_device(w)->config_os;
	in->browser = work_device(w)->fingerprint_browser;
	in->browser_version = work_device(w)->browser_version;
	in->user_agent = user_agent_has_rules() ? "" : w->hit->user_agent;
	in->language = work_language(w);
}

/*
 * session_fingerprint
 *		The fingerprint by which a hit without consent finds its session: over
 *		the full address.  It must leave this memory only as an HMAC.
 */
HexId
session_fingerprint(Work *w)
{
	Hit		   *hit = w->hit;
	const Salt *salt = salt_instance();
	bool		has_device = anonymous_device_level(hit, &w->site->s) != DEVICE_NONE;
	FingerprintInput in;
	MemoKey		key;
	bool		memorable;
	int64		known;
	HexId		result;

	memset(&in, 0, sizeof(in));
	in.ip = hit->ip;
	in.os = in.browser = in.browser_version = in.user_agent = in.language = "";
	in.idsite = hit->idsite;
	if (has_device)
		memcpy(in.plugins, hit->plugins, sizeof(hit->plugins));
	memorable = memo_key(w, MEMO_SESSION, &in, has_device, salt, NULL, &key);
	if (memorable && memo_find_id(w->memo, &key, &known))
		return (HexId) known;

	if (has_device)
		add_device(w, &in);
	result = fingerprint_hash(&in, salt->bytes, salt->len, NULL, 0);
	if (memorable)
		memo_keep_id(w->memo, &key, (int64) result);
	return result;
}

/*
 * The local day of a time in the site's time zone, add_days later, and the time
 * at which that day ends.
 */
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
 * The salt of the hit's local day, NULL if it has none.  make: make it, and
 * that of the next day if midnight is near.
 */
static const Salt *
salt_of_day(const Work *w, bool make)
{
	TimestampTz now = GetCurrentTimestamp();
	TimestampTz day_end;
	DateADT		day;
	const Salt *salt;

	local_day(w->hit->at, w->site->tz, 0, &day, &day_end);
	salt = salt_daily(w->hit->idsite, day, day_end, now, make);
	if (salt != NULL && make && day_end > now && day_end - now < SALT_PREPARE_AHEAD)
	{
		local_day(w->hit->at, w->site->tz, 1, &day, &day_end);
		salt_daily_prepare(w->hit->idsite, day, day_end, now);
	}
	return salt;
}

/*
 * work_fingerprint
 *		Find out the hit's fingerprint, if that has not been done: afterwards
 *		w->id.config is its fingerprint, if it has one.  A hit without an
 *		address, or whose address is masked whole, has none.  make_salt: a daily
 *		salt may be made.
 */
void
work_fingerprint(Work *w, bool make_salt)
{
	const Settings *s = &w->site->s;
	Hit		   *hit = w->hit;
	FingerprintInput in;
	const Salt *instance;
	const Salt *daily = NULL;
	MemoKey		key;
	bool		memorable;
	int64		known;

	if (w->fingerprint_known)
		return;
	w->fingerprint_known = true;

	/*
	 * Any hit may ask for none; only a trusted hit may ask for one where the
	 * site makes none.
	 */
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
		daily = salt_of_day(w, make_salt);
		if (daily == NULL)
			return;				/* no hit has a fingerprint of that day */
	}

	w->id.config.given = true;
	memorable = memo_key(w, MEMO_FINGERPRINT, &in, true, instance, daily, &key);
	if (memorable && memo_find_id(w->memo, &key, &known))
	{
		w->id.config.id = (HexId) known;
		return;
	}

	add_device(w, &in);
	if (strcmp(in.browser, "IE") == 0)
		in.plugins[HIT_PLUGIN_COOKIE] = 0;
	w->id.config.id = fingerprint_hash(&in, instance->bytes, instance->len,
									   daily ? daily->bytes : NULL, daily ? daily->len : 0);
	if (memorable)
		memo_keep_id(w->memo, &key, (int64) w->id.config.id);
}

/*
 * hit_fingerprint
 *		The fingerprint that a hit has on its site; false if it has none.
 *		make_salt: a daily salt may be made.  The caller has entered the engine.
 *		Errors: invalid_parameter_value for an unknown site.
 */
bool
hit_fingerprint(Hit *hit, bool make_salt, HexId *fingerprint)
{
	Work	   *w = palloc0_object(Work);

	w->hit = hit;
	if (hit->idsite > 0)
		w->site = site_config(hit->idsite);
	if (w->site == NULL)
		raise_missing_site(ERRCODE_INVALID_PARAMETER_VALUE, hit->idsite);
	hit_cut(hit);
	if (w->site->s.recognition_rules == RULES_PIWIK)
		(void) ip_fold(&hit->ip);
	work_fingerprint(w, make_salt);
	*fingerprint = w->id.config.id;
	return w->id.config.given;
}
