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
-- limited to some sites: by a table or a view of its caller's rights, not where it becomes another role
SELECT pk_tracking.add_site('Who may read: one') AS one \gset
SELECT pk_tracking.add_site('Who may read: two') AS two \gset
CREATE ROLE regress_pkt_s_one;
CREATE ROLE regress_pkt_s_two;
CREATE ROLE regress_pkt_s_both IN ROLE regress_pkt_s_one, regress_pkt_s_two, regress_pkt_r_analyst;
SELECT pk_tracking.grant_analyst('regress_pkt_s_one', ARRAY[:one]), pk_tracking.grant_analyst('regress_pkt_s_two', ARRAY[:one, :two]);
GRANT SELECT ON pk_tracking.rejected_hit, pk_tracking.settings TO regress_pkt_s_one;
SELECT role, object, CASE WHEN length(columns) > 60 THEN '(many)' ELSE columns END AS columns,
	(SELECT array_agg(CASE s WHEN :one THEN 'one' WHEN :two THEN 'two' END) FROM unnest(sites) s) AS sites, regexp_replace(how, 'granted by .*?(,|$)', 'granted by (owner)\1') AS how
FROM pk_tracking.who_may_read() WHERE role ~ '^regress_pkt_s_' AND object ~ '^pk_tracking\.(log_visit|visit|settings|rejected_hit)$';
-- it agrees with the server
CREATE FUNCTION pg_temp.sites_read(role name, object text) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
	result integer[];
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE format('SELECT array_agg(DISTINCT idsite ORDER BY idsite) FROM %s', object) INTO result;
	RESET ROLE;
	RETURN result;
END $$;
SELECT count(*) FROM unnest(ARRAY[:one, :two]) s, pk_tracking.track(s, 'https://www.example/', ip => '203.0.113.7', user_agent => 'an agent');
SELECT w.role, w.object FROM pk_tracking.who_may_read() w
WHERE w.role ~ '^regress_pkt_s_(one|two)' AND w.object IN ('pk_tracking.site', 'pk_tracking.log_visit', 'pk_tracking.visit', 'pk_tracking.log_action')
	AND w.sites IS DISTINCT FROM pg_temp.sites_read(w.role, w.object);
-- views and functions elsewhere that read the log with their owner's rights
CREATE SCHEMA who_may_read;
CREATE VIEW who_may_read.visits AS SELECT idsite, user_id FROM pk_tracking.log_visit;
CREATE VIEW who_may_read.on_it AS SELECT count(*) FROM who_may_read.visits;
CREATE VIEW who_may_read.invoker WITH (security_invoker) AS SELECT idsite FROM pk_tracking.log_visit;
CREATE VIEW who_may_read.harmless AS SELECT name FROM pk_tracking.filter_dimensions;
CREATE MATERIALIZED VIEW who_may_read.copy AS SELECT name FROM pk_tracking.site;
CREATE FUNCTION who_may_read.by_text() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM pk_tracking.log_visit';
CREATE FUNCTION who_may_read.by_body() RETURNS bigint LANGUAGE sql SECURITY DEFINER BEGIN ATOMIC SELECT count(*) FROM who_may_read.visits; END;
CREATE FUNCTION who_may_read.invoked() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM pk_tracking.log_visit';
GRANT SELECT ON ALL TABLES IN SCHEMA who_may_read TO regress_pkt_r_nothing;
REVOKE EXECUTE ON FUNCTION who_may_read.by_body FROM PUBLIC;
GRANT EXECUTE ON FUNCTION who_may_read.by_body TO regress_pkt_r_nothing;
SELECT role, object, sites, replace(how, format('"%s"', current_user), '(owner)') AS how FROM pk_tracking.who_may_read() WHERE object ~ '^who_may_read';
\set VERBOSITY terse
SET client_min_messages = error;
DROP SCHEMA who_may_read CASCADE;
DROP OWNED BY regress_pkt_s_one, regress_pkt_s_two, regress_pkt_s_both;
DROP ROLE regress_pkt_s_both, regress_pkt_s_one, regress_pkt_s_two;
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT p.polrelid::regclass AS name FROM pg_policy p WHERE p.polname = 'everybody' LOOP
		EXECUTE format('DROP POLICY everybody ON %s', c.name);
		EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', c.name);
	END LOOP;
END $$;
ALTER VIEW pk_tracking.visit RESET (security_invoker);
ALTER VIEW pk_tracking.action RESET (security_invoker);
ALTER VIEW pk_tracking.excluded RESET (security_invoker);
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:one, :two);
DELETE FROM pk_tracking.site WHERE idsite IN (:one, :two);
REVOKE ALL ON pk_tracking.site FROM PUBLIC;
REVOKE ALL (idsite, created) ON pk_tracking.site FROM PUBLIC;
DROP OWNED BY regress_pkt_r_tracker, regress_pkt_r_full, regress_pkt_r_analyst, regress_pkt_r_useless;
DROP ROLE regress_pkt_r_super, regress_pkt_r_nothing, regress_pkt_r_tracker, regress_pkt_r_full, regress_pkt_r_second, regress_pkt_r_member, regress_pkt_r_analyst, regress_pkt_r_all, regress_pkt_r_files, regress_pkt_r_replica, regress_pkt_r_useless;
