
-- settings: sites, goals, and what can be set for a site or for the instance

-- triggers of the log's tables

CREATE FUNCTION pk_tracking.setting_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pkt_setting_check' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking.setting_check() IS 'trigger of the table setting: refuses unknown settings and bad values';
REVOKE ALL ON FUNCTION pk_tracking.setting_check() FROM PUBLIC;

CREATE FUNCTION pk_tracking.site_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pkt_site_check' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking.site_check() IS 'trigger of the table site: refuses bad names and unknown time zones';
REVOKE ALL ON FUNCTION pk_tracking.site_check() FROM PUBLIC;

CREATE FUNCTION pk_tracking.config_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pkt_config_changed' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking.config_changed() IS 'trigger of the tables that sessions cache: makes every session read them again';
REVOKE ALL ON FUNCTION pk_tracking.config_changed() FROM PUBLIC;

-- what the functions below need

CREATE FUNCTION pk_tracking.need_log() RETURNS void
	AS 'MODULE_PATHNAME', 'pkt_need_log' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking.need_log() IS 'raises an error if create_log() has not been called yet';
REVOKE ALL ON FUNCTION pk_tracking.need_log() FROM PUBLIC;

CREATE FUNCTION pk_tracking.setting_name(setting text) RETURNS text
	AS 'MODULE_PATHNAME', 'pkt_setting_name' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.setting_name(text) IS 'a setting''s name as it is stored, or an error if there is none';
REVOKE ALL ON FUNCTION pk_tracking.setting_name(text) FROM PUBLIC;

-- what is in effect

CREATE FUNCTION pk_tracking.setting_values(
	OUT idsite integer, OUT name text, OUT value text, OUT source text, OUT description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'pkt_setting_values' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION pk_tracking.setting_values() IS 'the settings in effect for the instance (idsite is null) and for each site';
REVOKE ALL ON FUNCTION pk_tracking.setting_values() FROM PUBLIC;

CREATE VIEW pk_tracking.settings AS
	SELECT v.idsite, v.name, v.value, v.source, v.description
	FROM pk_tracking.setting_values() AS v;
COMMENT ON VIEW pk_tracking.settings IS 'the settings in effect for the instance (idsite is null) and for each site, and where they come from';
COMMENT ON COLUMN pk_tracking.settings.idsite IS 'site, null for the instance';
COMMENT ON COLUMN pk_tracking.settings.name IS 'name of the setting';
COMMENT ON COLUMN pk_tracking.settings.value IS 'value in effect; null for an alias that is not set';
COMMENT ON COLUMN pk_tracking.settings.source IS 'default, rules (default of recognition_rules), instance or site';
COMMENT ON COLUMN pk_tracking.settings.description IS 'what the setting does';
REVOKE ALL ON pk_tracking.settings FROM PUBLIC;

-- changing settings

/*
 * UPDATE first, so that the check runs, and warns, once.  ON CONFLICT is for
 * two sessions that set the same thing for the first time.
 */
CREATE FUNCTION pk_tracking.set_site(idsite integer, setting text, value text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
BEGIN
	PERFORM pk_tracking.need_log();
	setting_name := pk_tracking.setting_name(set_site.setting);
	IF set_site.value IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('the value of setting "%s" must not be null', setting_name),
			HINT = 'Use pk_tracking.reset_site() to go back to the instance''s value.';
	END IF;
	PERFORM FROM pk_tracking.site AS s WHERE s.idsite = set_site.idsite;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('site %s does not exist', coalesce(set_site.idsite::text, 'NULL')),
			HINT = 'Add sites with pk_tracking.add_site().';
	END IF;
	UPDATE pk_tracking.setting AS t SET value = set_site.value
		WHERE coalesce(t.idsite, 0) = set_site.idsite AND t.name = setting_name;
	IF NOT FOUND THEN
		INSERT INTO pk_tracking.setting AS t (idsite, name, value)
			VALUES (set_site.idsite, setting_name, set_site.value)
			ON CONFLICT (coalesce(idsite, 0), name) DO UPDATE SET value = excluded.value;
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.set_site(integer, text, text) IS 'sets something for one site';
REVOKE ALL ON FUNCTION pk_tracking.set_site(integer, text, text) FROM PUBLIC;

/*
 * The names and what they set are documented in README: who applies one can
 * read what he gets in the view settings.
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
			MESSAGE = 'unknown privacy profile',
			HINT = 'Profiles are piwik_pro_classic, piwik_pro_current and strict.';
	END IF;
	FOR s IN SELECT e.key, e.value FROM jsonb_each_text(profiles -> profile) e ORDER BY e.key LOOP
		PERFORM pk_tracking.set_site(apply_privacy_profile.idsite, s.key, s.value);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.apply_privacy_profile(integer, text) IS 'sets what is stored of a site''s visitors without consent: piwik_pro_classic, piwik_pro_current or strict';
REVOKE ALL ON FUNCTION pk_tracking.apply_privacy_profile(integer, text) FROM PUBLIC;

CREATE FUNCTION pk_tracking.set_instance(setting text, value text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
BEGIN
	PERFORM pk_tracking.need_log();
	setting_name := pk_tracking.setting_name(set_instance.setting);
	IF set_instance.value IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('the value of setting "%s" must not be null', setting_name),
			HINT = 'Use pk_tracking.reset_instance() to go back to the default.';
	END IF;
	UPDATE pk_tracking.setting AS t SET value = set_instance.value
		WHERE coalesce(t.idsite, 0) = 0 AND t.name = setting_name;
	IF NOT FOUND THEN
		INSERT INTO pk_tracking.setting AS t (idsite, name, value)
			VALUES (NULL, setting_name, set_instance.value)
			ON CONFLICT (coalesce(idsite, 0), name) DO UPDATE SET value = excluded.value;
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.set_instance(text, text) IS 'sets something for all sites that do not set it themselves';
REVOKE ALL ON FUNCTION pk_tracking.set_instance(text, text) FROM PUBLIC;

CREATE FUNCTION pk_tracking.reset_site(idsite integer, setting text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
BEGIN
	PERFORM pk_tracking.need_log();
	setting_name := pk_tracking.setting_name(reset_site.setting);
	PERFORM FROM pk_tracking.site AS s WHERE s.idsite = reset_site.idsite;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('site %s does not exist', coalesce(reset_site.idsite::text, 'NULL')),
			HINT = 'Add sites with pk_tracking.add_site().';
	END IF;
	DELETE FROM pk_tracking.setting AS t
		WHERE coalesce(t.idsite, 0) = reset_site.idsite AND t.name = setting_name;
END
$$;
COMMENT ON FUNCTION pk_tracking.reset_site(integer, text) IS 'makes a site follow the instance''s setting again';
REVOKE ALL ON FUNCTION pk_tracking.reset_site(integer, text) FROM PUBLIC;

CREATE FUNCTION pk_tracking.reset_instance(setting text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
BEGIN
	PERFORM pk_tracking.need_log();
	setting_name := pk_tracking.setting_name(reset_instance.setting);
	DELETE FROM pk_tracking.setting AS t
		WHERE coalesce(t.idsite, 0) = 0 AND t.name = setting_name;
END
$$;
COMMENT ON FUNCTION pk_tracking.reset_instance(text) IS 'makes the instance follow a setting''s default again';
REVOKE ALL ON FUNCTION pk_tracking.reset_instance(text) FROM PUBLIC;

-- sites and goals

CREATE FUNCTION pk_tracking.add_site(
	name text, urls text[] DEFAULT '{}', timezone text DEFAULT 'UTC',
	currency text DEFAULT 'USD', ecommerce boolean DEFAULT true) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	new_id integer;
BEGIN
	PERFORM pk_tracking.need_log();
	INSERT INTO pk_tracking.site AS s (name, urls, timezone, currency, ecommerce)
		VALUES (add_site.name, add_site.urls, add_site.timezone, add_site.currency, add_site.ecommerce)
		RETURNING s.idsite INTO new_id;
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION pk_tracking.add_site(text, text[], text, text, boolean) IS 'adds a site, gives its number';
REVOKE ALL ON FUNCTION pk_tracking.add_site(text, text[], text, text, boolean) FROM PUBLIC;

CREATE FUNCTION pk_tracking.add_goal(
	idsite integer, name text, match_attribute text, pattern text DEFAULT NULL,
	pattern_type text DEFAULT 'contains', case_sensitive boolean DEFAULT false,
	allow_multiple boolean DEFAULT false, revenue numeric DEFAULT 0) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	attributes CONSTANT text[] := '{url,title,file,external_website,manually,visit_duration,event_category,event_action,event_name}';
	types text[];
	new_id integer;
BEGIN
	PERFORM pk_tracking.need_log();

	IF coalesce(trim(add_goal.name), '') = '' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a goal''s name must not be empty';
	END IF;
	IF (add_goal.match_attribute = ANY (attributes)) IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid match_attribute: "%s"', coalesce(add_goal.match_attribute, 'NULL')),
			DETAIL = format('Allowed values: %s.', array_to_string(attributes, ', '));
	END IF;
	IF (add_goal.revenue >= 0 AND add_goal.revenue < 'Infinity') IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a goal''s revenue must be a number not below zero';
	END IF;

	IF add_goal.match_attribute = 'manually' THEN
		IF add_goal.pattern IS NOT NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = 'a goal that is triggered manually takes no pattern';
		END IF;
		pattern_type := NULL;
	ELSE
		types := CASE add_goal.match_attribute
			WHEN 'visit_duration' THEN '{greater_than}'::text[]
			ELSE '{contains,exact,regex}'::text[] END;
		IF (add_goal.pattern_type = ANY (types)) IS NOT TRUE THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('invalid pattern_type for %s: "%s"',
					add_goal.match_attribute, coalesce(add_goal.pattern_type, 'NULL')),
				DETAIL = format('Allowed values: %s.', array_to_string(types, ', '));
		END IF;
		IF coalesce(add_goal.pattern, '') = '' THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('a goal on %s needs a pattern', add_goal.match_attribute);
		END IF;
		IF add_goal.pattern_type = 'greater_than' AND add_goal.pattern !~ '^[0-9]{1,6}(\.[0-9]{1,6})?$' THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = 'a goal on visit_duration needs a number of minutes as its pattern';
		END IF;
		IF add_goal.pattern_type = 'regex' THEN
			BEGIN
				PERFORM '' ~ add_goal.pattern;
			EXCEPTION WHEN invalid_regular_expression THEN
				RAISE EXCEPTION USING
					ERRCODE = 'invalid_parameter_value',
					MESSAGE = 'a goal''s pattern is not a valid regular expression',
					DETAIL = SQLERRM;
			END;
		END IF;
	END IF;

	-- one after the other within a site; tracking only takes FOR KEY SHARE, which this lets pass
	PERFORM FROM pk_tracking.site AS s WHERE s.idsite = add_goal.idsite FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('site %s does not exist', coalesce(add_goal.idsite::text, 'NULL')),
			HINT = 'Add sites with pk_tracking.add_site().';
	END IF;
	-- a deleted goal keeps its number
	INSERT INTO pk_tracking.goal AS g (idsite, idgoal, name, match_attribute, pattern,
			pattern_type, case_sensitive, allow_multiple, revenue)
		SELECT add_goal.idsite, coalesce(max(o.idgoal), 0) + 1, add_goal.name, add_goal.match_attribute,
			add_goal.pattern, add_goal.pattern_type, add_goal.case_sensitive, add_goal.allow_multiple, add_goal.revenue
		FROM pk_tracking.goal AS o WHERE o.idsite = add_goal.idsite
		RETURNING g.idgoal INTO new_id;
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION pk_tracking.add_goal(integer, text, text, text, text, boolean, boolean, numeric) IS 'adds a goal to a site, gives its number within the site';
REVOKE ALL ON FUNCTION pk_tracking.add_goal(integer, text, text, text, text, boolean, boolean, numeric) FROM PUBLIC;
