
-- ---------------------------------------------------------------------------
-- visit/goal: goals of a site
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_goal() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.goal (
		idsite integer NOT NULL REFERENCES pk_tracking.site ON DELETE CASCADE,
		idgoal integer NOT NULL,
		name text NOT NULL,
		match_attribute text NOT NULL,
		pattern text,
		pattern_type text,
		case_sensitive boolean NOT NULL DEFAULT false,
		allow_multiple boolean NOT NULL DEFAULT false,
		revenue numeric NOT NULL DEFAULT 0,
		deleted boolean NOT NULL DEFAULT false,
		PRIMARY KEY (idsite, idgoal));
	COMMENT ON TABLE pk_tracking.goal IS 'goals of a site; add one with pk_tracking.add_goal()';
	COMMENT ON COLUMN pk_tracking.goal.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.goal.idgoal IS 'number of the goal within its site, from 1';
	COMMENT ON COLUMN pk_tracking.goal.name IS 'display name';
	COMMENT ON COLUMN pk_tracking.goal.match_attribute IS
		'url, title, file, external_website, manually, visit_duration, event_category, event_action or event_name';
	COMMENT ON COLUMN pk_tracking.goal.pattern IS
		'the value or expression that the attribute is compared with';
	COMMENT ON COLUMN pk_tracking.goal.pattern_type IS
		'contains, exact or regex; greater_than for visit_duration';
	COMMENT ON COLUMN pk_tracking.goal.case_sensitive IS
		'true if the pattern distinguishes upper and lower case';
	COMMENT ON COLUMN pk_tracking.goal.allow_multiple IS
		'true if a visit may convert it more than once';
	COMMENT ON COLUMN pk_tracking.goal.revenue IS 'revenue of a conversion if the hit sends none';
	COMMENT ON COLUMN pk_tracking.goal.deleted IS
		'true if it is no longer converted; its row is kept for reports';
	PERFORM pk_tracking_internal.watch('goal');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_goal IS 'creates the table pk_tracking.goal';

CREATE FUNCTION pk_tracking.add_goal(
	idsite integer, name text, match_attribute text, pattern text DEFAULT NULL,
	pattern_type text DEFAULT 'contains', case_sensitive boolean DEFAULT false,
	allow_multiple boolean DEFAULT false, revenue numeric DEFAULT 0) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	attributes CONSTANT text[] := '{url, title, file, external_website, manually,
		visit_duration, event_category, event_action, event_name}';
	types text[];
	new_id integer;
BEGIN
	PERFORM pk_tracking_internal.need_log();

	IF coalesce(trim(add_goal.name), '') = '' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'name of a goal must not be empty';
	END IF;
	IF (add_goal.match_attribute = ANY (attributes)) IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid match_attribute: "%s"', coalesce(add_goal.match_attribute, 'NULL')),
			HINT = format('Valid values are "%s".', array_to_string(attributes, '", "'));
	END IF;
	IF (add_goal.revenue >= 0 AND add_goal.revenue < 'Infinity') IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'revenue of a goal must be a number not less than zero';
	END IF;

	IF add_goal.match_attribute = 'manually' THEN
		IF add_goal.pattern IS NOT NULL THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = 'a goal with match_attribute "manually" must not have a pattern';
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
				HINT = CASE add_goal.match_attribute
					WHEN 'visit_duration' THEN 'The only valid value is "greater_than".'
					ELSE 'Valid values are "contains", "exact", and "regex".' END;
		END IF;
		IF coalesce(add_goal.pattern, '') = '' THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('a goal with match_attribute "%s" must have a pattern', add_goal.match_attribute);
		END IF;
		IF add_goal.pattern_type = 'greater_than'
			AND add_goal.pattern !~ '^[0-9]{1,6}(\.[0-9]{1,6})?$' THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = 'pattern of a goal with match_attribute "visit_duration" must be a number of minutes';
		END IF;
		IF add_goal.pattern_type = 'regex' THEN
			BEGIN
				PERFORM '' ~ add_goal.pattern;
			EXCEPTION WHEN invalid_regular_expression THEN
				RAISE EXCEPTION USING
					ERRCODE = 'invalid_parameter_value',
					MESSAGE = 'pattern of a goal is not a valid regular expression',
					DETAIL = SQLERRM;
			END;
		END IF;
	END IF;

	PERFORM pk_tracking_internal.need_site(add_goal.idsite, lock => true);
	-- a deleted goal keeps its number
	INSERT INTO pk_tracking.goal AS g (idsite, idgoal, name, match_attribute, pattern,
			pattern_type, case_sensitive, allow_multiple, revenue)
		SELECT add_goal.idsite, coalesce(max(o.idgoal), 0) + 1, add_goal.name,
			add_goal.match_attribute,
			add_goal.pattern, add_goal.pattern_type, add_goal.case_sensitive,
			add_goal.allow_multiple, add_goal.revenue
		FROM pk_tracking.goal AS o WHERE o.idsite = add_goal.idsite
		RETURNING g.idgoal INTO new_id;
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION pk_tracking.add_goal IS
	'adds a goal to a site; returns its number within the site';
