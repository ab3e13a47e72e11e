
-- ---------------------------------------------------------------------------
-- settings/profile: named sets of settings by which visitors are recognised
-- ---------------------------------------------------------------------------

/*
 * Every profile sets each of these, so that none leaves anything of another.
 * NULL: no value of its own, so that the default of the rules counts.
 */
CREATE FUNCTION pk_tracking_internal.recognition_profiles()
RETURNS TABLE (setting text, faq text, cookies text, cookieless text, matomo text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 14
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES
		('recognition_rules', 'piwik', 'piwik', 'piwik', 'matomo'),
		('fingerprint_joins_known_ids', 'on', 'off', 'on', NULL),
		('returning_look_back', '0', '-1', '0', NULL),
		('force_cookieless_tracking', 'off', 'off', 'on', 'off'),
		('fingerprint_ip', 'masked', 'masked', 'full', NULL),
		('fingerprint_salt_rotation', 'never', 'never', 'daily', NULL),
		('use_fingerprint', 'on', 'on', 'on', 'on'),
		('trust_visitors_cookies', 'off', 'off', 'off', 'off'),
		('enable_fingerprinting_across_websites', 'off', 'off', 'off', 'off'),
		('use_third_party_id_cookie', 'off', 'off', 'off', 'off'),
		('enable_userid_overwrites_visitorid', 'on', 'on', 'on', 'on'),
		('create_new_visit_after_midnight', 'on', 'on', 'on', 'on'),
		('window_look_back_for_visitor', NULL, NULL, NULL, NULL),
		('visit_standard_length', NULL, NULL, NULL, NULL)
$$;
COMMENT ON FUNCTION pk_tracking_internal.recognition_profiles IS
	'the values of apply_recognition_profile(); NULL: no value of its own';

/*
 * Values that are taken away go first, and a masked address before, a full one
 * after the salt's rotation: so no warning is about a state that does not stay.
 */
CREATE FUNCTION pk_tracking.apply_recognition_profile(idsite integer, profile text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF profile IS NULL OR profile NOT IN ('faq', 'cookies', 'cookieless', 'matomo') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid value for argument "profile": "%s"',
				coalesce(profile, 'NULL')),
			HINT = 'Valid values are "faq", "cookies", "cookieless", and "matomo".';
	END IF;
	IF idsite IS NOT NULL THEN
		PERFORM pk_tracking_internal.need_site(idsite);
	END IF;
	FOR r IN
		SELECT p.setting, to_jsonb(p) ->> profile AS value
		FROM pk_tracking_internal.recognition_profiles() p
		ORDER BY CASE WHEN to_jsonb(p) ->> profile IS NULL THEN 1
			WHEN p.setting <> 'fingerprint_ip' THEN 3
			WHEN to_jsonb(p) ->> profile = 'masked' THEN 2 ELSE 4 END, p.setting
	LOOP
		IF idsite IS NULL AND r.value IS NULL THEN
			PERFORM pk_tracking.reset_instance(r.setting);
		ELSIF idsite IS NULL THEN
			PERFORM pk_tracking.set_instance(r.setting, r.value);
		ELSIF r.value IS NULL THEN
			PERFORM pk_tracking.reset_site(idsite, r.setting);
		ELSE
			PERFORM pk_tracking.set_site(idsite, r.setting, r.value);
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.apply_recognition_profile IS
	'applies a named set of settings by which visitors of a site (NULL: of the instance) are recognised: faq, cookies, cookieless or matomo';
