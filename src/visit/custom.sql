-- ---------------------------------------------------------------------------
-- visit/custom: custom dimensions of a site
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_custom_dimension() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.custom_dimension (
		idsite integer NOT NULL REFERENCES pk_tracking.site ON DELETE CASCADE,
		iddimension integer NOT NULL CHECK (iddimension > 0),
		name text NOT NULL,
		scope text NOT NULL CHECK (scope IN ('visit', 'action')),
		extractions jsonb NOT NULL DEFAULT '[]',
		case_sensitive boolean NOT NULL DEFAULT true,
		active boolean NOT NULL DEFAULT true,
		PRIMARY KEY (idsite, iddimension));
	COMMENT ON TABLE pk_tracking.custom_dimension IS
		'custom dimensions of a site, sent as dimensionN; add one with pk_tracking.add_dimension()';
	COMMENT ON COLUMN pk_tracking.custom_dimension.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.custom_dimension.iddimension IS
		'number of the dimension within its site, from 1: N in dimensionN';
	COMMENT ON COLUMN pk_tracking.custom_dimension.name IS 'display name';
	COMMENT ON COLUMN pk_tracking.custom_dimension.scope IS
		'visit or action: the row that holds the value';
	COMMENT ON COLUMN pk_tracking.custom_dimension.extractions IS
		'where to find a value that was not sent: a list of {"dimension": "url", "urlparam" or "action_name", "pattern": a regular expression whose first group is the value, or the name of the URL parameter}; the first that yields a value wins';
	COMMENT ON COLUMN pk_tracking.custom_dimension.case_sensitive IS
		'true if the patterns distinguish upper and lower case';
	COMMENT ON COLUMN pk_tracking.custom_dimension.active IS 'false: values are no longer recorded';
	PERFORM pk_tracking_internal.watch('custom_dimension');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_custom_dimension IS
	'creates the table pk_tracking.custom_dimension';

CREATE FUNCTION pk_tracking.add_dimension(
	idsite integer, name text, scope text, extractions jsonb DEFAULT '[]',
	case_sensitive boolean DEFAULT true, active boolean DEFAULT true) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	sources CONSTANT text[] := '{url,urlparam,action_name}';
	e jsonb;
	new_id integer;
BEGIN
	PERFORM pk_tracking_internal.need_log();

	IF coalesce(trim(add_dimension.name), '') = '' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'name of a dimension must not be empty';
	END IF;
	IF (add_dimension.scope IN ('visit', 'action')) IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid scope: "%s"', coalesce(add_dimension.scope, 'NULL')),
			HINT = 'Valid values are "visit" and "action".';
	END IF;
	IF add_dimension.case_sensitive IS NULL OR add_dimension.active IS NULL
		OR jsonb_typeof(add_dimension.extractions) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'extractions must be a JSON array, and case_sensitive and active must not be null';
	END IF;
	FOR e IN SELECT v FROM jsonb_array_elements(add_dimension.extractions) AS v LOOP
		IF jsonb_typeof(e) <> 'object' OR (e ->> 'dimension' = ANY (sources)) IS NOT TRUE
			OR coalesce(e ->> 'pattern', '') = '' THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = 'an extraction must have a dimension and a pattern',
				HINT = 'Valid dimensions are "url", "urlparam", and "action_name".';
		END IF;
		IF e ->> 'dimension' <> 'urlparam' THEN
			BEGIN
				PERFORM '' ~ (e ->> 'pattern');
			EXCEPTION WHEN invalid_regular_expression THEN
				RAISE EXCEPTION USING
					ERRCODE = 'invalid_parameter_value',
					MESSAGE = 'pattern of an extraction is not a valid regular expression',
					DETAIL = SQLERRM;
			END;
			-- an alternative that matches the empty string reveals the number of groups
			IF array_length(regexp_match('', '(?:' || (e ->> 'pattern') || ')|()'), 1) < 2 THEN
				RAISE EXCEPTION USING
					ERRCODE = 'invalid_parameter_value',
					MESSAGE = 'pattern of an extraction must have a group in parentheses, which is the value';
			END IF;
		END IF;
	END LOOP;

	PERFORM pk_tracking_internal.need_site(add_dimension.idsite, lock => true);
	INSERT INTO pk_tracking.custom_dimension AS d (idsite, iddimension, name, scope, extractions,
		case_sensitive, active)
		SELECT add_dimension.idsite, coalesce(max(o.iddimension), 0) + 1, add_dimension.name,
			add_dimension.scope,
			add_dimension.extractions, add_dimension.case_sensitive, add_dimension.active
		FROM pk_tracking.custom_dimension AS o WHERE o.idsite = add_dimension.idsite
		RETURNING d.iddimension INTO new_id;
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION pk_tracking.add_dimension IS
	'adds a custom dimension to a site; returns its number: N in dimensionN';

