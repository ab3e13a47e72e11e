
-- ---------------------------------------------------------------------------
-- admin/grants: what each role may do.  Nothing is granted to PUBLIC.
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.check_role(role name) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('role "%s" does not exist', role);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.check_role IS 'raises an error if the role does not exist';

/*
 * USAGE on both schemas, for the functions of pk_tracking call those of
 * pk_tracking_internal with the rights of their caller, and EXECUTE on the
 * functions whose names match the pattern, in either schema.
 */
CREATE FUNCTION pk_tracking_internal.grant_execute(role name, name_pattern text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	routine regprocedure;
BEGIN
	PERFORM pk_tracking_internal.check_role(role);
	EXECUTE format('GRANT USAGE ON SCHEMA pk_tracking, pk_tracking_internal TO %I', role);
	FOR routine IN
		SELECT p.oid FROM pg_proc p
		WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace)
			AND p.proname ~ name_pattern
	LOOP
		EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', routine, role);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.grant_execute IS
	'grants a role USAGE on both schemas and EXECUTE on the functions whose names match a regular expression';

CREATE FUNCTION pk_tracking.grant_owner(role name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obj record;
BEGIN
	PERFORM pk_tracking_internal.grant_execute(role, '');
	-- the type hexid, and pgcrypto, which salts come from, may be in any schema
	FOR obj IN
		SELECT e.extnamespace::regnamespace AS name FROM pg_extension e
		WHERE e.extname IN ('pgcrypto', 'pk_tracking')
	LOOP
		IF NOT has_schema_privilege(role, obj.name::oid, 'USAGE') THEN
			EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', obj.name, role);
		END IF;
	END LOOP;
	EXECUTE format('GRANT SELECT ON pk_tracking_internal.rollup_kind TO %I', role);
	-- salts and session links: members of the extension, because they are secret
	FOR obj IN
		SELECT c.oid::regclass AS name
		FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace
			AND c.relkind IN ('r', 'p', 'v') AND d.deptype = 'e'
	LOOP
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %s TO %I', obj.name,
			role);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_owner IS
	'grants a log''s owner what tracking needs; create_log() calls it, and you call it after ALTER TABLE ... OWNER TO';

/*
 * A call grants and takes away, so that the role has afterwards what the call
 * says.
 */
CREATE FUNCTION pk_tracking_internal.grant_right(role name, name text, granted boolean)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format(CASE WHEN granted
			THEN 'GRANT EXECUTE ON FUNCTION pk_tracking_internal.%I() TO %I'
			ELSE 'REVOKE EXECUTE ON FUNCTION pk_tracking_internal.%I() FROM %I' END, name, role);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.grant_right IS
	'grants a role a right that is the right to execute a function of this name, or takes it away';

CREATE FUNCTION pk_tracking.grant_tracker(
	role name,
	trusted boolean DEFAULT false,
	answers text DEFAULT 'short',
	edge boolean DEFAULT false)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF answers NOT IN ('short', 'full') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid value for argument "answers": "%s"', answers),
			HINT = 'Valid values are "short" and "full".';
	END IF;
	PERFORM pk_tracking_internal.grant_execute(role,
		'^(track|track_request|track_requests|track_requests_answer|attach|detach|ingest|ingest_resume'
		'|track_rows|raw_options|raw_preview|check_raw_table|row_xid)$');
	PERFORM pk_tracking_internal.grant_right(role, 'trusted_tracking', trusted);
	PERFORM pk_tracking_internal.grant_right(role, 'full_answers', answers = 'full');
	IF edge THEN
		PERFORM pk_tracking_internal.grant_execute(role,
			'^(track_batch|batch_done|edge_settings|consent_window)$');
	ELSE
		EXECUTE format('REVOKE EXECUTE ON FUNCTION pk_tracking.track_batch, pk_tracking.batch_done, '
			'pk_tracking.edge_settings, pk_tracking.consent_window FROM %I', role);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_tracker IS
	'lets a role track, and nothing else; trusted: the role may also pass trusted => true; answers: short, or full to be told of the visit that a hit belongs to; edge: it may also ask what an HTTP daemon asks';

/*
 * Reports run with their caller's rights (report/template.sql), so an analyst
 * reads the log itself: all that reports and views show.  Of visits that is
 * every column but the fingerprint, which the holder of its salt could turn
 * back into an IP address.  No salts, no session links, no settings, no right
 * to write.
 */
CREATE FUNCTION pk_tracking.grant_analyst(role name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obj record;
BEGIN
	PERFORM pk_tracking_internal.grant_execute(role,
		'^(report|filter)_|^rollup_(source|live|rows_hidden|since|visit_query|users_query)$'
		'|^(user_id_visitor_id|named_filter|dimension_grouping|need_log|day_begin|continent_code|continent_name'
		'|country_name|language_name'
		'|matched_by_name|decision_name|consent_name|visitor_type_name'
		'|referrer_type_name|action_type_name|url_prefix_text|plain_text|plain_json'
		'|browser_name|os_name|os_family|device_type_name|device_brand_name)$');
	FOR obj IN
		SELECT c.oid::regclass AS name
		FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace
			AND (c.relname IN ('visit', 'action', 'filter_dimensions', 'reports') AND c.relkind = 'v'
				OR c.relname IN ('site', 'goal', 'custom_dimension', 'segment',
					'log_action', 'log_link_visit_action',
					'log_conversion', 'log_conversion_item', 'log_visit_length', 'log_other_id',
					'rollup_site', 'rollup_day', 'rollup_mark', 'rollup_visit')
					AND c.relkind IN ('r', 'p'))
	LOOP
		EXECUTE format('GRANT SELECT ON %s TO %I', obj.name, role);
	END LOOP;
	FOR obj IN
		SELECT a.attrelid::regclass AS name,
			string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) AS columns
		FROM pg_attribute a
		WHERE a.attrelid = to_regclass('pk_tracking.log_visit')
			AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'config_id'
		GROUP BY a.attrelid
	LOOP
		EXECUTE format('GRANT SELECT (%s) ON %s TO %I', obj.columns, obj.name, role);
	END LOOP;
	EXECUTE format('GRANT SELECT ON pk_tracking_internal.rollup_kind TO %I', role);
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_analyst IS
	'lets a role read the reports, the views visit and action, and the tables behind them without fingerprints, and nothing else';
