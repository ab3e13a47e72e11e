
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
	FOR obj IN SELECT unnest('{rollup_kind, rollup_fact_kind, rollup_origin, rollup_times_kind}'::name[]) AS name LOOP
		EXECUTE format('GRANT SELECT ON pk_tracking_internal.%I TO %I', obj.name, role);
	END LOOP;
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

/* The sites to which limit_to_sites() has limited a role; NULL: it is not limited. */
CREATE FUNCTION pk_tracking_internal.sites_of_role(role name) RETURNS integer[]
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (regexp_match(pg_get_expr(p.polqual, p.polrelid), '\{[0-9,]*\}'))[1]::integer[]
	FROM pg_policy p
	WHERE p.polrelid = to_regclass('pk_tracking.log_visit') AND NOT p.polpermissive
		AND p.polroles = ARRAY[(SELECT r.oid FROM pg_roles r WHERE r.rolname = role)]
		AND starts_with(p.polname, 'sites_')
$$;
COMMENT ON FUNCTION pk_tracking_internal.sites_of_role IS
	'the sites to which a role is limited; NULL: it is not';

/*
 * What an administrator of all sites may do besides, one of some sites may not: add
 * sites, set what holds for the instance, and read status(), for which it gets names and
 * times of salts and loads, and no more of them.  A call grants it, or takes it away.
 */
CREATE FUNCTION pk_tracking_internal.grant_instance(role name, granted boolean) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	form CONSTANT text := CASE WHEN granted THEN 'GRANT %s TO %I' ELSE 'REVOKE %s FROM %I' END;
	what text;
BEGIN
	FOR what IN
		SELECT format('EXECUTE ON ROUTINE %s', p.oid::regprocedure) FROM pg_proc p
		WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace)
			AND p.proname ~ ('^(add_site|set_instance|reset_instance|status|geoip_files|user_agent_rules'
				'|(rollup|relation|brin|publication|statistics|proxy|raw_table)_status|lookup_indexes'
				'|slow_tables|indexed_changes|setting_values|publication_tables|private_columns)$')
		UNION ALL
		SELECT format('SELECT (created) ON %s', c.oid::regclass) FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
			AND c.relname ~ '^(daily|late)_salt_[0-9]+$'
		UNION ALL
		SELECT unnest(ARRAY['INSERT ON pk_tracking.site', 'USAGE ON SEQUENCE pk_tracking.site_idsite_seq',
			'SELECT ON pk_tracking.settings, pk_tracking.log_version, pk_tracking.ingest_run',
			'SELECT (name, created) ON pk_tracking.salt', 'SELECT (idrun) ON pk_tracking.rejected_hit',
			'SELECT (idrun, changed) ON pk_tracking.ingest_position'])
	LOOP
		EXECUTE format(form, what, role);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.grant_instance IS
	'grants a role what an administrator of all sites may do besides one of some sites, or takes it away';

/*
 * Row security does not concern whoever has the rights of the log's owner, or may
 * become such a role by SET ROLE: a limit would only seem to be one.
 */
CREATE FUNCTION pk_tracking_internal.check_can_be_limited(role name) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	holder CONSTANT oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = role);
	free record;
BEGIN
	SELECT r.rolname, CASE WHEN r.rolsuper THEN 'has SUPERUSER' WHEN r.rolbypassrls THEN 'has BYPASSRLS'
			ELSE 'owns the log' END AS why
		INTO free
		FROM pg_roles r
		WHERE pg_has_role(holder, r.oid, 'MEMBER') AND (r.rolsuper OR r.rolbypassrls
			OR r.oid = (SELECT c.relowner FROM pg_class c
				WHERE c.oid = to_regclass('pk_tracking.log_visit')))
		ORDER BY r.oid <> holder, r.rolname LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_grant_operation',
			MESSAGE = format('role "%s" cannot be limited to some sites', role),
			DETAIL = CASE WHEN free.rolname = role THEN format('It %s.', free.why)
				ELSE format('It is a member of role "%s", which %s.', free.rolname, free.why) END,
			HINT = 'Use a role without these rights.';
	END IF;
	SELECT r.rolname INTO free
		FROM pg_roles r
		WHERE r.oid <> holder AND pg_has_role(holder, r.oid, 'MEMBER')
			AND has_any_column_privilege(r.oid, 'pk_tracking.log_visit', 'SELECT')
			AND pk_tracking_internal.sites_of_role(r.rolname) IS NULL
		ORDER BY r.rolname LIMIT 1;
	IF FOUND THEN
		RAISE WARNING USING
			MESSAGE = format('role "%s" reads all sites when it becomes role "%s"', role, free.rolname),
			HINT = format('Limit role "%s" too, or revoke the membership.', free.rolname);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.check_can_be_limited IS
	'raises an error if row security does not concern a role';

/*
 * Lets a role read and change rows of some sites only, of whichever tables it has rights on
 * or will have (NULL: of all sites), in place of what an earlier call said.
 *
 * By row-level security, which is switched on with the first role that is limited so.
 * The policy "everybody" lets others see what they saw; those of a role are
 * restrictive, so that a role that is a member of several such roles sees the sites
 * that all of them have, never more.  Views of the log then read with the rights of their
 * caller, or they would show all sites.  The log's owner, as whom hits are recorded,
 * passes by all of it.
 *
 * Of settings, those of the instance are read by everybody who may read settings, and so are
 * marks of all sites, which TRUNCATE leaves.
 */
CREATE FUNCTION pk_tracking_internal.limit_to_sites(role name, idsites integer[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	holder CONSTANT oid := (SELECT r.oid FROM pg_roles r WHERE r.rolname = role);
	-- in the form that sites_of_role() reads
	sites CONSTANT integer[] := CASE WHEN idsites IS NOT NULL
		THEN ARRAY(SELECT DISTINCT s FROM unnest(idsites) s ORDER BY s) END;
	own CONSTANT text := format('idsite = ANY (%L::integer[])', sites);
	policy text := 'sites_' || md5(role);
	obj record;
BEGIN
	IF sites IS NOT NULL THEN
		PERFORM pk_tracking_internal.need_site(s) FROM unnest(sites) s;
		PERFORM pk_tracking_internal.check_can_be_limited(role);
		PERFORM pk_tracking_internal.grant_instance(role, false);
	END IF;
	FOR obj IN
		SELECT p.polname, p.polrelid::regclass AS relation
		FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND NOT p.polpermissive
			AND p.polroles = ARRAY[holder] AND starts_with(p.polname, 'sites_')
	LOOP
		EXECUTE format('DROP POLICY %I ON %s', obj.polname, obj.relation);
	END LOOP;
	IF sites IS NULL THEN
		RETURN;
	END IF;
	-- of a role that had this name before
	WHILE EXISTS (SELECT FROM pg_policy p WHERE starts_with(p.polname, policy)) LOOP
		policy := 'sites_' || md5(policy);
	END LOOP;
	-- also tables that it may not read yet; those of the extension are nobody's but the owner's
	FOR obj IN
		SELECT c.oid::regclass AS relation, c.relname, c.relrowsecurity
		FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p')
			AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
				AND d.objid = c.oid AND d.deptype = 'e')
			AND EXISTS (SELECT FROM pg_attribute a
				WHERE a.attrelid = c.oid AND a.attname = 'idsite' AND NOT a.attisdropped)
		ORDER BY c.relname
	LOOP
		IF NOT obj.relrowsecurity THEN
			EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', obj.relation);
			IF NOT EXISTS (SELECT FROM pg_policy p
				WHERE p.polrelid = obj.relation AND p.polname = 'everybody')
			THEN
				EXECUTE format('CREATE POLICY everybody ON %s USING (true) WITH CHECK (true)',
					obj.relation);
			END IF;
		END IF;
		-- rows of all sites: what is set for them, and what TRUNCATE has marked
		IF obj.relname IN ('setting', 'rollup_mark') THEN
			EXECUTE format('CREATE POLICY %I ON %s AS RESTRICTIVE FOR SELECT TO %I '
				'USING (idsite IS NULL OR %s)', policy || '_read', obj.relation, role, own);
			EXECUTE format('CREATE POLICY %I ON %s AS RESTRICTIVE FOR INSERT TO %I WITH CHECK (%s)',
				policy || '_add', obj.relation, role, own);
			EXECUTE format('CREATE POLICY %I ON %s AS RESTRICTIVE FOR UPDATE TO %I USING (%s)',
				policy || '_change', obj.relation, role, own);
			EXECUTE format('CREATE POLICY %I ON %s AS RESTRICTIVE FOR DELETE TO %I USING (%s)',
				policy || '_drop', obj.relation, role, own);
		ELSE
			EXECUTE format('CREATE POLICY %I ON %s AS RESTRICTIVE TO %I USING (%s)',
				policy, obj.relation, role, own);
		END IF;
	END LOOP;
	FOR obj IN
		SELECT c.oid::regclass AS relation FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'v'
			AND c.relname IN ('visit', 'action', 'excluded')
			AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
	LOOP
		EXECUTE format('ALTER VIEW %s SET (security_invoker = true)', obj.relation);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.limit_to_sites IS
	'limits a role to rows of some sites, or of all sites again (NULL), by row-level security';

/*
 * Reports run with their caller's rights (report/template.sql), so an analyst
 * reads the log itself: all that reports and views show.  Of visits that is
 * every column but the fingerprint, which the holder of its salt could turn
 * back into an IP address.  No salts, no session links, no settings, no right
 * to write.
 */
CREATE FUNCTION pk_tracking.grant_analyst(role name, idsites integer[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	obj record;
BEGIN
	IF role IS NULL THEN
		RETURN;
	END IF;
	idsites := coalesce(idsites, pk_tracking_internal.sites_of_role(role));
	PERFORM pk_tracking_internal.grant_execute(role,
		'^(report|filter)_|^rollup_(source|live|rows_hidden|visit_query|users_query|filter|days|spans|fact_source'
		'|fact_query|things|sums|sum_columns|since|bound|times|times_query|times_source|times_add'
		'|times_pack|times_serialize|times_unpack|times_combine|times_merge|times_result|times_of)$'
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
					'rollup_site', 'rollup_day', 'rollup_mark', 'rollup_visit', 'rollup_fact',
					'rollup_times')
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
	FOR obj IN SELECT unnest('{rollup_kind, rollup_fact_kind, rollup_origin, rollup_times_kind}'::name[]) AS name LOOP
		EXECUTE format('GRANT SELECT ON pk_tracking_internal.%I TO %I', obj.name, role);
	END LOOP;
	PERFORM pk_tracking_internal.limit_to_sites(role, idsites);
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_analyst IS
	'lets a role read the reports, the views visit and action, and the tables behind them without fingerprints, and nothing else; idsites: of these sites only (NULL: as before, at first of all)';

CREATE FUNCTION pk_tracking.grant_all_sites(role name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.check_role(role);
	PERFORM pk_tracking_internal.limit_to_sites(role, NULL);
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_all_sites IS
	'lifts the limit to some sites of grant_analyst() and grant_admin()';

/* An administrator reads data as an analyst does, and no more. */
CREATE FUNCTION pk_tracking.grant_admin(role name, idsites integer[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF role IS NULL THEN
		RETURN;
	END IF;
	idsites := coalesce(idsites, pk_tracking_internal.sites_of_role(role));
	PERFORM pk_tracking_internal.grant_execute(role,
		'^(set_site|reset_site|change_site|apply_recognition_profile|apply_privacy_profile'
		'|add_goal|retire_goal|add_dimension|set_dimension_active'
		'|add_segment|set_segment|drop_segment|create_token|drop_token|tracking_code|consent_window'
		'|setting_definition_table|setting_name|setting_value|setting_is_stricter'
		'|need_site|warn_of_other_rules|recognition_profiles|check_segment)$');
	EXECUTE format('GRANT SELECT ON pk_tracking.setting_definitions, pk_tracking.log_excluded, '
		'pk_tracking.excluded TO %I', role);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON pk_tracking.setting, pk_tracking.goal, '
		'pk_tracking.custom_dimension, pk_tracking.segment, pk_tracking.token TO %I', role);
	EXECUTE format('GRANT UPDATE ON pk_tracking.site TO %I', role);
	PERFORM pk_tracking_internal.grant_instance(role, idsites IS NULL);
	-- last: it limits what the role has now
	PERFORM pk_tracking.grant_analyst(role, idsites);
END
$$;
COMMENT ON FUNCTION pk_tracking.grant_admin IS
	'lets a role change sites, settings, goals, dimensions, filters and tokens, and read what an analyst reads; idsites: as of grant_analyst()';
