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
	COMMENT ON TABLE pk_tracking.custom_dimension IS 'custom dimensions of a site, sent as dimensionN; add one with pk_tracking.add_dimension()';
	COMMENT ON COLUMN pk_tracking.custom_dimension.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.custom_dimension.iddimension IS 'number of the dimension within its site, from 1: the N of dimensionN';
	COMMENT ON COLUMN pk_tracking.custom_dimension.name IS 'name for people';
	COMMENT ON COLUMN pk_tracking.custom_dimension.scope IS 'visit or action: which row has the value';
	COMMENT ON COLUMN pk_tracking.custom_dimension.extractions IS 'where a value is taken from that is not sent: a list of {"dimension": "url", "urlparam" or "action_name", "pattern": regular expression whose first group it is, or the parameter''s name}; the first that gives one counts';
	COMMENT ON COLUMN pk_tracking.custom_dimension.case_sensitive IS 'does case matter to the patterns?';
	COMMENT ON COLUMN pk_tracking.custom_dimension.active IS 'no longer recorded if false';
	PERFORM pk_tracking_internal.watch('custom_dimension');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_custom_dimension() IS 'creates the table pk_tracking.custom_dimension';

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
			MESSAGE = 'a dimension''s name must not be empty';
	END IF;
	IF (add_dimension.scope IN ('visit', 'action')) IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid scope: "%s"', coalesce(add_dimension.scope, 'NULL')),
			DETAIL = 'Allowed values: visit, action.';
	END IF;
	IF add_dimension.case_sensitive IS NULL OR add_dimension.active IS NULL
		OR jsonb_typeof(add_dimension.extractions) IS DISTINCT FROM 'array' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a dimension needs a list of extractions, case_sensitive and active';
	END IF;
	FOR e IN SELECT v FROM jsonb_array_elements(add_dimension.extractions) AS v LOOP
		IF jsonb_typeof(e) <> 'object' OR (e ->> 'dimension' = ANY (sources)) IS NOT TRUE
			OR coalesce(e ->> 'pattern', '') = '' THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = 'an extraction needs a dimension and a pattern',
				DETAIL = format('Allowed dimensions: %s.', array_to_string(sources, ', '));
		END IF;
		IF e ->> 'dimension' <> 'urlparam' THEN
			BEGIN
				PERFORM '' ~ (e ->> 'pattern');
			EXCEPTION WHEN invalid_regular_expression THEN
				RAISE EXCEPTION USING
					ERRCODE = 'invalid_parameter_value',
					MESSAGE = 'an extraction''s pattern is not a valid regular expression',
					DETAIL = SQLERRM;
			END;
			-- an alternative that matches the empty string shows whether there is a group
			IF array_length(regexp_match('', '(?:' || (e ->> 'pattern') || ')|()'), 1) < 2 THEN
				RAISE EXCEPTION USING
					ERRCODE = 'invalid_parameter_value',
					MESSAGE = 'an extraction''s pattern needs a group in parentheses: the value';
			END IF;
		END IF;
	END LOOP;

	PERFORM pk_tracking_internal.need_site(add_dimension.idsite, lock => true);
	INSERT INTO pk_tracking.custom_dimension AS d (idsite, iddimension, name, scope, extractions, case_sensitive, active)
		SELECT add_dimension.idsite, coalesce(max(o.iddimension), 0) + 1, add_dimension.name, add_dimension.scope,
			add_dimension.extractions, add_dimension.case_sensitive, add_dimension.active
		FROM pk_tracking.custom_dimension AS o WHERE o.idsite = add_dimension.idsite
		RETURNING d.iddimension INTO new_id;
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION pk_tracking.add_dimension(integer, text, text, jsonb, boolean, boolean) IS 'adds a custom dimension to a site, gives its number: the N of dimensionN';

