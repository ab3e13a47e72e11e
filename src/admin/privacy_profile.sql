
-- ---------------------------------------------------------------------------
-- admin/privacy_profile: named sets of settings for visitors without consent
-- ---------------------------------------------------------------------------

/*
 * A profile sets nothing but settings: the view pk_tracking.settings shows what a
 * site has got.  doc/privacy.md documents each profile.
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
			"anonymous_geo_level": "country", "anonymous_device_level": "none"}}';
	s record;
BEGIN
	IF profile IS NULL OR NOT profiles ? profile THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid value for argument "profile": "%s"', coalesce(profile, 'NULL')),
			HINT = 'Valid values are "piwik_pro_classic", "piwik_pro_current", and "strict".';
	END IF;
	FOR s IN SELECT e.key, e.value FROM jsonb_each_text(profiles -> profile) e ORDER BY e.key LOOP
		PERFORM pk_tracking.set_site(apply_privacy_profile.idsite, s.key, s.value);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.apply_privacy_profile IS
	'applies a named set of settings for a site''s visitors without consent: piwik_pro_classic, piwik_pro_current or strict';
