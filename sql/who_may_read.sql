-- who_may_read(): roles of each kind, and none that reads nothing.
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
END $$;
CREATE ROLE regress_pkt_r_super SUPERUSER;
CREATE ROLE regress_pkt_r_nothing;
CREATE ROLE regress_pkt_r_tracker;
CREATE ROLE regress_pkt_r_full;
CREATE ROLE regress_pkt_r_analyst;
CREATE ROLE regress_pkt_r_member IN ROLE regress_pkt_r_analyst;
CREATE ROLE regress_pkt_r_second IN ROLE regress_pkt_r_member;
CREATE ROLE regress_pkt_r_all IN ROLE pg_read_all_data;
CREATE ROLE regress_pkt_r_files IN ROLE pg_read_server_files, pg_execute_server_program;
CREATE ROLE regress_pkt_r_replica REPLICATION;
CREATE ROLE regress_pkt_r_useless;
SELECT pk_tracking.grant_tracker('regress_pkt_r_tracker');
SELECT pk_tracking.grant_tracker('regress_pkt_r_full', answers => 'full');
SELECT pk_tracking.grant_analyst('regress_pkt_r_analyst');
GRANT SELECT ON pk_tracking.site TO regress_pkt_r_useless;
GRANT SELECT (idsite, created) ON pk_tracking.site TO PUBLIC;
\pset format unaligned
SELECT role, object, CASE WHEN length(columns) > 60 THEN '(many)' ELSE columns END AS columns, regexp_replace(how, 'granted by .*?(,|$)', 'granted by (owner)\1') AS how
FROM pk_tracking.who_may_read() WHERE (role ~ '^regress_pkt_r_' OR role = 'PUBLIC') AND object !~ '^pk_tracking\.(?!log_visit$|site$|visit$)';
-- the fingerprint is not among the columns of an analyst
SELECT columns ~ 'idvisitor' AS visitor, columns ~ 'config_id' AS fingerprint FROM pk_tracking.who_may_read() WHERE role = 'regress_pkt_r_analyst' AND object = 'pk_tracking.log_visit';
-- what it says agrees with the server
SELECT p.rolname, c.oid::regclass FROM pg_roles p, pg_class c
WHERE p.rolname ~ '^regress_pkt_r_' AND NOT p.rolsuper AND c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p', 'v')
	AND (has_any_column_privilege(p.oid, c.oid, 'SELECT') AND has_schema_privilege(p.oid, 'pk_tracking', 'USAGE'))
		IS DISTINCT FROM EXISTS (SELECT FROM pk_tracking.who_may_read() w WHERE w.role IN (p.rolname, 'PUBLIC') AND w.object IN (c.oid::regclass::text, 'all tables and views')
			AND w.how !~ 'no USAGE' AND has_schema_privilege(p.oid, 'pk_tracking', 'USAGE'));
REVOKE ALL ON pk_tracking.site FROM PUBLIC;
REVOKE ALL (idsite, created) ON pk_tracking.site FROM PUBLIC;
DROP OWNED BY regress_pkt_r_tracker, regress_pkt_r_full, regress_pkt_r_analyst, regress_pkt_r_useless;
DROP ROLE regress_pkt_r_super, regress_pkt_r_nothing, regress_pkt_r_tracker, regress_pkt_r_full, regress_pkt_r_second, regress_pkt_r_member, regress_pkt_r_analyst, regress_pkt_r_all, regress_pkt_r_files, regress_pkt_r_replica, regress_pkt_r_useless;
