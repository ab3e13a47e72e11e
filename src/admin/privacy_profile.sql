
-- ---------------------------------------------------------------------------
-- admin/privacy_profile: named sets of settings that protect visitors
-- ---------------------------------------------------------------------------

/*
 * A profile sets nothing but settings: the view pk_tracking.settings shows what a
 * site has got.  doc/privacy.md documents each profile.  Those of Piwik PRO set what
 * that has; the others weaken nothing: a value that protects visitors more stays.
 */
CREATE FUNCTION pk_tracking.apply_privacy_profile(idsite integer, profile text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	profiles CONSTANT jsonb := '{
		"piwik_pro_classic": {"consent_mode": "ask_else_anonymous", "consent_upgrade": "continue",
			"anonymous_session_cookie": "on", "anonymous_fingerprint": "on",
			"anonymous_geo_level": "city", "anonymous_device_level": "full"},
		"piwik_pro_current": {"consent_mode": "ask_else_anonymous", "consent_upgrade": "continue",
			"anonymous_session_cookie": "on", "anonymous_fingerprint": "on",
			"anonymous_geo_level": "country", "anonymous_device_level": "full"},
		"strict": {"consent_mode": "ask_else_anonymous", "consent_upgrade": "split",
			"anonymous_session_cookie": "off", "anonymous_fingerprint": "on",
			"anonymous_geo_level": "country", "anonymous_device_level": "none"},
		"cnil": {"delete_visits_older_than": "760", "cookie_renewal": "off",
			"ip_mask_level": "2", "fingerprint_ip": "masked", "geo_ip": "masked",
			"geo_level": "city", "anonymous_geo_level": "city",
			"discard_user_id": "on", "anonymize_order_id": "on"}}';
	s record;
BEGIN
	IF profile IS NULL OR NOT profiles ? profile THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid value for argument "profile": "%s"', coalesce(profile, 'NULL')),
			HINT = 'Valid values are "piwik_pro_classic", "piwik_pro_current", "strict", and "cnil".';
	END IF;
	PERFORM pk_tracking_internal.need_log(), pk_tracking_internal.need_site(idsite);
	FOR s IN SELECT e.key, e.value FROM jsonb_each_text(profiles -> profile) e ORDER BY e.key LOOP
		CONTINUE WHEN profile !~ '^piwik_pro' AND pk_tracking_internal.setting_is_stricter(s.key,
			pk_tracking_internal.setting_value(apply_privacy_profile.idsite, s.key), s.value);
		PERFORM pk_tracking.set_site(apply_privacy_profile.idsite, s.key, s.value);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.apply_privacy_profile IS
	'applies a named set of settings for a site''s visitors without consent, piwik_pro_classic, piwik_pro_current or strict, or for all, cnil';
