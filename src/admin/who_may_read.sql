
-- ---------------------------------------------------------------------------
-- admin/who_may_read: who can read what of the log
-- ---------------------------------------------------------------------------

/*
 * From the server's catalog: owners, grants on tables and columns, to roles, to PUBLIC
 * and by membership; and what reads all tables, or their files, without a grant on any.
 * A right on a table is worth nothing without USAGE on the schema.
 */
CREATE FUNCTION pk_tracking.who_may_read()
RETURNS TABLE (role text, object text, columns text, how text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
	WITH relations AS (
		SELECT c.oid, c.oid::regclass::text AS name, c.relowner, c.relacl FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')),
	rights AS (
		SELECT r.oid, r.name, r.relowner AS holder, NULL::text AS columns, 'owns it' AS how
		FROM relations r
		UNION ALL
		SELECT r.oid, r.name, a.grantee, NULL, format('SELECT granted by %s', pg_get_userbyid(a.grantor))
		FROM relations r, aclexplode(r.relacl) a
		WHERE a.privilege_type = 'SELECT' AND a.grantee <> r.relowner
		UNION ALL
		SELECT r.oid, r.name, a.grantee, string_agg(t.attname, ', ' ORDER BY t.attnum),
			format('SELECT granted by %s', pg_get_userbyid(a.grantor))
		FROM relations r JOIN pg_attribute t ON t.attrelid = r.oid AND NOT t.attisdropped,
			aclexplode(t.attacl) a
		WHERE a.privilege_type = 'SELECT' AND a.grantee <> r.relowner
		GROUP BY r.oid, r.name, a.grantee, a.grantor),
	-- what a role holds itself, and what those hold of which it is a member
	held AS (
		SELECT p.oid AS role, h.name, h.columns, h.how FROM rights h JOIN pg_roles p ON p.oid = h.holder
		UNION ALL
		SELECT m.oid, h.name, h.columns,
			format('member of %s: %s', p.rolname, CASE h.how WHEN 'owns it' THEN 'that owns it' ELSE h.how END)
		FROM rights h JOIN pg_roles p ON p.oid = h.holder
			JOIN pg_roles m ON m.oid <> p.oid AND NOT m.rolsuper AND pg_has_role(m.oid, p.oid, 'MEMBER'))
	SELECT p.rolname::text, 'everything', NULL::text, 'superuser'
	FROM pg_roles p WHERE p.rolsuper
	UNION ALL
	SELECT p.rolname, h.name, h.columns, h.how || CASE
		WHEN NOT has_schema_privilege(p.oid, 'pk_tracking', 'USAGE')
		THEN ', but has no USAGE on the schema' ELSE '' END
	FROM held h JOIN pg_roles p ON p.oid = h.role WHERE NOT p.rolsuper
	UNION ALL
	SELECT 'PUBLIC', h.name, h.columns, h.how FROM rights h WHERE h.holder = 0
	UNION ALL
	SELECT m.rolname, w.object, NULL, format('member of %s', p.rolname)
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
	SELECT p.rolname, 'everything that is logged: base backups, replication', NULL,
		'attribute REPLICATION'
	FROM pg_roles p WHERE p.rolreplication AND NOT p.rolsuper
	UNION ALL
	SELECT p.rolname, 'full answers to its hits: visit, visitor id, fingerprint', NULL,
		'grant_tracker(..., answers => ''full'')'
	FROM pg_roles p
	WHERE NOT p.rolsuper AND has_function_privilege(p.oid, 'pk_tracking_internal.full_answers()', 'EXECUTE')
		AND has_schema_privilege(p.oid, 'pk_tracking', 'USAGE')
	ORDER BY 1, 2, 3, 4
$$;
COMMENT ON FUNCTION pk_tracking.who_may_read IS
	'who can read what of the log, and by which right: role, table or view, columns (NULL: all), how';
