-- ---------------------------------------------------------------------------
-- privacy/grants: who may do what.  Nothing is granted to PUBLIC.
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.check_role(role name) RETURNS void
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
COMMENT ON FUNCTION pk_tracking.check_role(name) IS 'raises an error if there is no such role';
REVOKE ALL ON FUNCTION pk_tracking.check_role(name) FROM PUBLIC;

CREATE FUNCTION pk_tracking.grant_owner(role name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obj record;
BEGIN
	PERFORM pk_tracking.check_role(role);
	EXECUTE format('GRANT USAGE ON SCHEMA pk_tracking TO %I', role);
	FOR obj IN
		SELECT p.oid::regprocedure AS name
		FROM pg_proc p
		WHERE p.pronamespace = 'pk_tracking'::regnamespace
	LOOP
		EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', obj.name, role);
	END LOOP;
	-- salts come from pgcrypto, wherever it stands
	FOR obj IN
		SELECT e.extnamespace::regnamespace AS name FROM pg_extension e
		WHERE e.extname IN ('pgcrypto', 'pk_tracking')
	LOOP
		IF NOT has_schema_privilege(role, obj.name::oid, 'USAGE') THEN
			EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', obj.name, role);
		END IF;
	END LOOP;
	-- salts, and what else is a member of the extension because it is secret
	FOR obj IN
		SELECT c.oid::regclass AS name
		FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace
			AND c.relkind IN ('r', 'p', 'v') AND d.deptype = 'e'
	LOOP
		EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %s TO %I', obj.name, role);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_owner(name) IS 'gives the owner of a log what he needs of the schema; called by create_log(), and after ALTER TABLE ... OWNER TO';
REVOKE ALL ON FUNCTION pk_tracking.grant_owner(name) FROM PUBLIC;

CREATE FUNCTION pk_tracking.grant_tracker(role name, trusted boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obj record;
BEGIN
	PERFORM pk_tracking.check_role(role);
	EXECUTE format('GRANT USAGE ON SCHEMA pk_tracking TO %I', role);
	FOR obj IN
		SELECT p.oid::regprocedure AS name
		FROM pg_proc p
		WHERE p.pronamespace = 'pk_tracking'::regnamespace
			AND p.proname IN ('track', 'track_request', 'track_requests', 'track_requests_answer',
				'attach', 'detach', 'ingest', 'track_rows', 'raw_options', 'raw_preview', 'check_raw_table', 'row_xid')
	LOOP
		EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', obj.name, role);
	END LOOP;
	IF trusted THEN
		EXECUTE format('GRANT EXECUTE ON FUNCTION pk_tracking.trusted_tracking() TO %I', role);
	ELSE
		EXECUTE format('REVOKE EXECUTE ON FUNCTION pk_tracking.trusted_tracking() FROM %I', role);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_tracker(name, boolean) IS 'lets a role track, and nothing else; trusted: it may pass trusted => true';
REVOKE ALL ON FUNCTION pk_tracking.grant_tracker(name, boolean) FROM PUBLIC;

/*
 * Reports run with their caller's rights (report/period.sql), so an analyst
 * reads the log itself: everything that reports and views show, of visits all
 * but the fingerprint, which whoever holds its salt can turn back into an
 * address.  No salts, no links, no settings, no right to write.
 */
CREATE FUNCTION pk_tracking.grant_analyst(role name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obj record;
BEGIN
	PERFORM pk_tracking.check_role(role);
	EXECUTE format('GRANT USAGE ON SCHEMA pk_tracking TO %I', role);
	FOR obj IN
		SELECT p.oid::regprocedure AS name
		FROM pg_proc p
		WHERE p.pronamespace = 'pk_tracking'::regnamespace
			AND (p.proname ~ '^report_'
				OR p.proname IN ('day_begin', 'matched_by_name', 'decision_name', 'consent_name', 'visitor_type_name',
					'referrer_type_name', 'action_type_name', 'url_prefix_text',
					'browser_name', 'os_name', 'device_type_name', 'device_brand_name'))
	LOOP
		EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', obj.name, role);
	END LOOP;
	FOR obj IN
		SELECT c.oid::regclass AS name
		FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace
			AND (c.relname IN ('visit', 'action') AND c.relkind = 'v'
				OR c.relname IN ('site', 'goal', 'log_action', 'log_link_visit_action', 'log_conversion', 'log_conversion_item')
					AND c.relkind IN ('r', 'p'))
	LOOP
		EXECUTE format('GRANT SELECT ON %s TO %I', obj.name, role);
	END LOOP;
	FOR obj IN
		SELECT a.attrelid::regclass AS name, string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum) AS columns
		FROM pg_attribute a
		WHERE a.attrelid = to_regclass('pk_tracking.log_visit')
			AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'config_id'
		GROUP BY a.attrelid
	LOOP
		EXECUTE format('GRANT SELECT (%s) ON %s TO %I', obj.columns, obj.name, role);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_analyst(name) IS 'lets a role read reports, the views visit and action and what stands behind them but fingerprints, and nothing else';
REVOKE ALL ON FUNCTION pk_tracking.grant_analyst(name) FROM PUBLIC;
