
-- ---------------------------------------------------------------------------
-- admin/who_may_read: who can read what of the log
-- ---------------------------------------------------------------------------

/*
 * The sites whose rows a role may read in a table, by the policies of
 * limit_to_sites(), its own ones and those of roles whose rights it has; NULL: all.
 */
CREATE FUNCTION pk_tracking_internal.sites_in_table(role oid, relation regclass)
RETURNS integer[]
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result integer[];
	sites integer[];
BEGIN
	IF NOT (SELECT c.relrowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls
				AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')
			FROM pg_class c, pg_roles r WHERE c.oid = relation AND r.oid = role)
	THEN
		RETURN NULL;
	END IF;
	FOR sites IN
		SELECT (regexp_match(pg_get_expr(p.polqual, p.polrelid), '\{[0-9,]*\}'))[1]::integer[]
		FROM pg_policy p
		WHERE p.polrelid = relation AND NOT p.polpermissive AND p.polcmd IN ('*', 'r')
			AND starts_with(p.polname, 'sites_') AND cardinality(p.polroles) = 1
			AND p.polroles[1] <> 0 AND pg_has_role(role, p.polroles[1], 'USAGE')
	LOOP
		result := CASE WHEN result IS NULL THEN sites
			ELSE ARRAY(SELECT s FROM unnest(result) s WHERE s = ANY (sites) ORDER BY s) END;
	END LOOP;
	RETURN result;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.sites_in_table IS
	'the sites whose rows a role may read in a table, by its limit to some sites; NULL: all';

/*
 * Views and functions outside the extension that read the log with the rights of
 * another role than the one who asks: views by pg_depend, through any number of
 * views; functions SECURITY DEFINER if the catalog knows that they depend on the log,
 * or their text names the schema.  A text that builds the name cannot be seen.
 */
CREATE FUNCTION pk_tracking_internal.readers_elsewhere()
RETURNS TABLE (object text, owner oid, acl aclitem[], kind "char", privilege text, reads text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE log AS (
		SELECT c.oid FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
			-- tables and views that hold no data of visitors
			AND c.relname NOT IN ('hit_fields', 'filter_dimensions', 'reports', 'setting_definitions')),
	uses AS (
		SELECT DISTINCT v.oid AS view, d.refobjid AS relation
		FROM pg_rewrite w JOIN pg_class v ON v.oid = w.ev_class AND v.relkind IN ('v', 'm')
			JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
				AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> v.oid
		WHERE v.relnamespace <> 'pk_tracking'::regnamespace),
	views AS (
		SELECT u.view, u.relation FROM uses u JOIN log l ON l.oid = u.relation
		UNION
		SELECT u.view, v.relation FROM uses u JOIN views v ON v.view = u.relation),
	functions AS (
		SELECT p.oid, p.proname FROM pg_proc p
		WHERE p.prosecdef AND p.pronamespace NOT IN ('pk_tracking'::regnamespace,
				'pk_tracking_internal'::regnamespace)
			AND (p.prosrc ~ '\mpk_tracking\M' OR EXISTS (SELECT FROM pg_depend d
				WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
					AND d.refclassid = 'pg_class'::regclass
					AND (d.refobjid IN (SELECT l.oid FROM log l)
						OR d.refobjid IN (SELECT v.view FROM views v)))))
	SELECT c.oid::regclass::text, c.relowner, coalesce(c.relacl, acldefault('r', c.relowner)),
		c.relkind, 'SELECT', (SELECT string_agg(v.relation::regclass::text, ', ' ORDER BY 1)
			FROM views v WHERE v.view = c.oid)
	FROM pg_class c
	WHERE c.oid IN (SELECT v.view FROM views v)
		AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
	UNION ALL
	SELECT p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner)), 'f',
		'EXECUTE', 'the log'
	FROM functions f JOIN pg_proc p ON p.oid = f.oid
$$;
COMMENT ON FUNCTION pk_tracking_internal.readers_elsewhere IS
	'views, and functions SECURITY DEFINER, of other schemas that read the log, and who may use them';

/*
 * From the server's catalog: owners, grants on tables and columns, to roles, to PUBLIC
 * and by membership; and what reads all tables, or their files, without a grant on any.
 * A right on a table is worth nothing without USAGE on the schema.
 */
CREATE FUNCTION pk_tracking.who_may_read()
RETURNS TABLE (role text, object text, columns text, sites integer[], how text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
	WITH relations AS (
		SELECT c.oid, c.oid::regclass::text AS name, c.relowner, c.relacl,
			-- whose policies limit what is read
			CASE WHEN c.relkind IN ('r', 'p') THEN c.oid
				WHEN 'security_invoker=true' = ANY (c.reloptions)
				THEN to_regclass(CASE c.relname WHEN 'visit' THEN 'pk_tracking.log_visit'
					WHEN 'action' THEN 'pk_tracking.log_link_visit_action'
					WHEN 'excluded' THEN 'pk_tracking.log_excluded' END) END AS limited_as
		FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')),
	rights AS (
		SELECT r.oid, r.name, r.limited_as, r.relowner AS holder, NULL::text AS columns, 'owns it' AS how
		FROM relations r
		UNION ALL
		SELECT r.oid, r.name, r.limited_as, a.grantee, NULL, format('SELECT granted by %s', pg_get_userbyid(a.grantor))
		FROM relations r, aclexplode(r.relacl) a
		WHERE a.privilege_type = 'SELECT' AND a.grantee <> r.relowner
		UNION ALL
		SELECT r.oid, r.name, r.limited_as, a.grantee, string_agg(t.attname, ', ' ORDER BY t.attnum),
			format('SELECT granted by %s', pg_get_userbyid(a.grantor))
		FROM relations r JOIN pg_attribute t ON t.attrelid = r.oid AND NOT t.attisdropped,
			aclexplode(t.attacl) a
		WHERE a.privilege_type = 'SELECT' AND a.grantee <> r.relowner
		GROUP BY r.oid, r.name, r.limited_as, a.grantee, a.grantor),
	-- what a role holds itself, and what those hold of which it is a member
	held AS (
		SELECT p.oid AS role, p.oid AS as_role, h.limited_as, h.name, h.columns, h.how
		FROM rights h JOIN pg_roles p ON p.oid = h.holder
		UNION ALL
		-- a member may become the role that holds it, and then reads what that reads
		SELECT m.oid, p.oid, h.limited_as, h.name, h.columns,
			format('member of %s: %s', p.rolname, CASE h.how WHEN 'owns it' THEN 'that owns it' ELSE h.how END)
		FROM rights h JOIN pg_roles p ON p.oid = h.holder
			JOIN pg_roles m ON m.oid <> p.oid AND NOT m.rolsuper AND pg_has_role(m.oid, p.oid, 'MEMBER'))
	SELECT p.rolname::text, 'everything', NULL::text, NULL::integer[], 'superuser'
	FROM pg_roles p WHERE p.rolsuper
	UNION ALL
	SELECT p.rolname, h.name, h.columns,
		pk_tracking_internal.sites_in_table(h.as_role, h.limited_as), h.how || CASE
		WHEN NOT has_schema_privilege(p.oid, 'pk_tracking', 'USAGE')
		THEN ', but has no USAGE on the schema' ELSE '' END
	FROM held h JOIN pg_roles p ON p.oid = h.role WHERE NOT p.rolsuper
	UNION ALL
	SELECT 'PUBLIC', h.name, h.columns, NULL, h.how FROM rights h WHERE h.holder = 0
	UNION ALL
	SELECT m.rolname, w.object, NULL, NULL, format('member of %s', p.rolname)
	FROM (VALUES
			('pg_read_all_data', 'all tables and views'),
			('pg_read_server_files', 'files of the server, those of tables among them'),
			('pg_write_server_files', 'whatever a file that it writes makes the server read'),
			('pg_execute_server_program', 'whatever the operating system''s user of the server reads'),
			('pg_read_all_stats', 'statements of others while they run, with values that are written into them'))
			AS w (name, object)
		JOIN pg_roles p ON p.rolname = w.name
		JOIN pg_roles m ON m.oid <> p.oid AND NOT m.rolsuper AND pg_has_role(m.oid, p.oid, 'MEMBER')
	WHERE m.rolname !~ '^pg_'
	UNION ALL
	SELECT p.rolname, 'everything that is logged: base backups, replication', NULL, NULL,
		'attribute REPLICATION'
	FROM pg_roles p WHERE p.rolreplication AND NOT p.rolsuper
	UNION ALL
	SELECT p.rolname, 'full answers to its hits: visit, visitor id, fingerprint', NULL, NULL,
		'grant_tracker(..., answers => ''full'')'
	FROM pg_roles p
	WHERE NOT p.rolsuper AND has_function_privilege(p.oid, 'pk_tracking_internal.full_answers()', 'EXECUTE')
		AND has_schema_privilege(p.oid, 'pk_tracking', 'USAGE')
	UNION ALL
	SELECT coalesce(g.rolname, 'PUBLIC'), e.object, NULL, NULL, CASE e.kind
			WHEN 'm' THEN format('%s granted: a copy of what role "%s" read in %s', e.privilege, o.rolname, e.reads)
			ELSE format('%s granted: reads %s with the rights of role "%s"', e.privilege, e.reads, o.rolname)
		END
	FROM pk_tracking_internal.readers_elsewhere() e JOIN pg_roles o ON o.oid = e.owner,
		aclexplode(e.acl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
	WHERE a.privilege_type = e.privilege AND (g.oid IS NOT NULL OR a.grantee = 0)
		AND NOT coalesce(g.rolsuper, false)
	ORDER BY 1, 2, 3, 5
$$;
COMMENT ON FUNCTION pk_tracking.who_may_read IS
	'who can read what of the log, and by which right: role, table, view or function, columns and sites (NULL: all), how';
