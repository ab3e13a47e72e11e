
-- settings: values that can be set for a site or for the whole instance

-- the table, and the triggers of this and other tables

CREATE FUNCTION pk_tracking_internal.setting_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pkt_setting_check' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.setting_check IS
	'trigger of the table setting: refuses unknown names and invalid values';

CREATE FUNCTION pk_tracking_internal.config_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pkt_config_changed' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.config_changed IS
	'trigger of tables that sessions cache: makes every session read them again';

CREATE FUNCTION pk_tracking_internal.make_setting() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.setting (
		idsite integer REFERENCES pk_tracking.site ON DELETE CASCADE,
		name text NOT NULL,
		value text NOT NULL);
	CREATE UNIQUE INDEX setting_key ON pk_tracking.setting (coalesce(idsite, 0), name);
	PERFORM pk_tracking_internal.identify_by_row('setting');
	COMMENT ON TABLE pk_tracking.setting IS
		'settings that differ from their defaults; see view pk_tracking.settings';
	COMMENT ON COLUMN pk_tracking.setting.idsite IS 'site, or NULL for the whole instance';
	COMMENT ON COLUMN pk_tracking.setting.name IS 'name of the setting';
	COMMENT ON COLUMN pk_tracking.setting.value IS 'value as text';
	CREATE TRIGGER setting_check BEFORE INSERT OR UPDATE ON pk_tracking.setting
		FOR EACH ROW EXECUTE FUNCTION pk_tracking_internal.setting_check();
	PERFORM pk_tracking_internal.watch('setting');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_setting IS 'creates the table pk_tracking.setting';

-- used by the functions below

CREATE FUNCTION pk_tracking_internal.need_log() RETURNS void
	AS 'MODULE_PATHNAME', 'pkt_need_log' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.need_log IS
	'raises an error if the tracking log does not exist';

CREATE FUNCTION pk_tracking_internal.setting_name(setting text) RETURNS text
	AS 'MODULE_PATHNAME', 'pkt_setting_name' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.setting_name IS
	'name of a setting as it is stored; raises an error if the setting does not exist';

CREATE FUNCTION pk_tracking_internal.setting_is_stricter(setting text, value text, than text)
RETURNS boolean
	AS 'MODULE_PATHNAME', 'pkt_setting_is_stricter' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.setting_is_stricter IS
	'whether a value of a setting protects visitors more than another';

-- values in effect

CREATE FUNCTION pk_tracking_internal.setting_values(
	OUT idsite integer, OUT name text, OUT value text, OUT source text, OUT description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'pkt_setting_values' LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1000;
COMMENT ON FUNCTION pk_tracking_internal.setting_values IS 'the rows of the view settings';

CREATE VIEW pk_tracking.settings AS
	SELECT v.idsite, v.name, v.value, v.source, v.description
	FROM pk_tracking_internal.setting_values() AS v;
COMMENT ON VIEW pk_tracking.settings IS
	'the settings in effect for the instance (idsite is NULL) and for each site, and their sources';
COMMENT ON COLUMN pk_tracking.settings.idsite IS 'site, or NULL for the instance';
COMMENT ON COLUMN pk_tracking.settings.name IS 'name of the setting';
COMMENT ON COLUMN pk_tracking.settings.value IS
	'value in effect; NULL for an alias that is not set';
COMMENT ON COLUMN pk_tracking.settings.source IS
	'source of the value: default, rules (the default of recognition_rules), instance or site';
COMMENT ON COLUMN pk_tracking.settings.description IS 'what the setting does';

-- changing settings

CREATE FUNCTION pk_tracking_internal.setting_value(idsite integer, setting text) RETURNS text
	AS 'MODULE_PATHNAME', 'pkt_setting_value' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.setting_value IS
	'a setting''s value in effect for a site, or for the instance if idsite is NULL';

/*
 * Called before a change with the values that it may change, and after it: are
 * the texts of a log that is not empty now read by other rules (plain_text.sql)?
 */
CREATE FUNCTION pk_tracking_internal.warn_of_other_rules(idsite integer, before text)
RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF pk_tracking_internal.setting_value(warn_of_other_rules.idsite, 'recognition_rules')
			IS DISTINCT FROM before
		AND has_column_privilege('pk_tracking.log_visit', 'idsite', 'SELECT')
		AND (CASE WHEN warn_of_other_rules.idsite IS NOT NULL
			THEN EXISTS (SELECT FROM pk_tracking.log_visit v
				WHERE v.idsite = warn_of_other_rules.idsite)
			ELSE EXISTS (SELECT FROM pk_tracking.log_visit v
				WHERE NOT EXISTS (SELECT FROM pk_tracking.setting t
					WHERE t.idsite = v.idsite AND t.name = 'recognition_rules')) END)
	THEN
		RAISE WARNING USING
			MESSAGE = 'log was written under other recognition rules',
			DETAIL = 'Under matomo rules texts are stored escaped for HTML, and all texts of a site are read by its present rules.',
			HINT = 'Set the rules of a site before its first hit, or add another site.';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.warn_of_other_rules IS
	'warns if a log is now read by other recognition rules than before';

/*
 * UPDATE comes first, so that the trigger checks and warns once.  ON CONFLICT is
 * for two sessions that set the same setting for the first time.
 */
CREATE FUNCTION pk_tracking.set_site(idsite integer, setting text, value text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
	rules text;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	setting_name := pk_tracking_internal.setting_name(set_site.setting);
	IF set_site.value IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('the value of setting "%s" must not be null', setting_name),
			HINT = 'Use pk_tracking.reset_site() to go back to the instance''s value.';
	END IF;
	PERFORM pk_tracking_internal.need_site(set_site.idsite);
	IF setting_name = 'recognition_rules' THEN
		rules := pk_tracking_internal.setting_value(set_site.idsite, setting_name);
	END IF;
	UPDATE pk_tracking.setting AS t SET value = set_site.value
		WHERE coalesce(t.idsite, 0) = set_site.idsite AND t.name = setting_name;
	IF NOT FOUND THEN
		INSERT INTO pk_tracking.setting AS t (idsite, name, value)
			VALUES (set_site.idsite, setting_name, set_site.value)
			ON CONFLICT (coalesce(idsite, 0), name) DO UPDATE SET value = excluded.value;
	END IF;
	IF setting_name = 'recognition_rules' THEN
		PERFORM pk_tracking_internal.warn_of_other_rules(set_site.idsite, rules);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.set_site IS 'sets a setting for one site';

CREATE FUNCTION pk_tracking.set_instance(setting text, value text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
	rules text;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	setting_name := pk_tracking_internal.setting_name(set_instance.setting);
	IF set_instance.value IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'null_value_not_allowed',
			MESSAGE = format('the value of setting "%s" must not be null', setting_name),
			HINT = 'Use pk_tracking.reset_instance() to go back to the default.';
	END IF;
	IF setting_name = 'recognition_rules' THEN
		rules := pk_tracking_internal.setting_value(NULL, setting_name);
	END IF;
	UPDATE pk_tracking.setting AS t SET value = set_instance.value
		WHERE coalesce(t.idsite, 0) = 0 AND t.name = setting_name;
	IF NOT FOUND THEN
		INSERT INTO pk_tracking.setting AS t (idsite, name, value)
			VALUES (NULL, setting_name, set_instance.value)
			ON CONFLICT (coalesce(idsite, 0), name) DO UPDATE SET value = excluded.value;
	END IF;
	IF setting_name = 'recognition_rules' THEN
		PERFORM pk_tracking_internal.warn_of_other_rules(NULL, rules);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.set_instance IS
	'sets a setting for all sites that have no value of their own';

CREATE FUNCTION pk_tracking.reset_site(idsite integer, setting text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
	rules text;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	setting_name := pk_tracking_internal.setting_name(reset_site.setting);
	PERFORM pk_tracking_internal.need_site(reset_site.idsite);
	IF setting_name = 'recognition_rules' THEN
		rules := pk_tracking_internal.setting_value(reset_site.idsite, setting_name);
	END IF;
	DELETE FROM pk_tracking.setting AS t
		WHERE coalesce(t.idsite, 0) = reset_site.idsite AND t.name = setting_name;
	IF setting_name = 'recognition_rules' THEN
		PERFORM pk_tracking_internal.warn_of_other_rules(reset_site.idsite, rules);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.reset_site IS
	'removes a site''s own value of a setting: the instance''s value applies again';

CREATE FUNCTION pk_tracking.reset_instance(setting text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	setting_name text;
	rules text;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	setting_name := pk_tracking_internal.setting_name(reset_instance.setting);
	IF setting_name = 'recognition_rules' THEN
		rules := pk_tracking_internal.setting_value(NULL, setting_name);
	END IF;
	DELETE FROM pk_tracking.setting AS t
		WHERE coalesce(t.idsite, 0) = 0 AND t.name = setting_name;
	IF setting_name = 'recognition_rules' THEN
		PERFORM pk_tracking_internal.warn_of_other_rules(NULL, rules);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.reset_instance IS
	'removes the instance''s value of a setting: its default applies again';

-- sites and goals

