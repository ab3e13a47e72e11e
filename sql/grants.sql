-- Who may do what: from the catalog, and by trying
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
CREATE ROLE regress_pkt_tracker;
CREATE ROLE regress_pkt_trusted;
CREATE ROLE regress_pkt_analyst;
CREATE ROLE regress_pkt_nobody;
SELECT pk_tracking.add_site('grants') AS site \gset
SELECT set_config('test.site', :'site', false) <> '' AS site;

-- 1. PUBLIC may do nothing
SELECT p.oid::regprocedure AS "functions that anybody may execute" FROM pg_proc p
WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND has_function_privilege('regress_pkt_nobody', p.oid, 'EXECUTE') ORDER BY 1;
SELECT p.oid::regprocedure AS "functions whose ACL names PUBLIC" FROM pg_proc p
WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0)) ORDER BY 1;
SELECT c.oid::regclass AS "relations that anybody may use" FROM pg_class c
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'S', 'm', 'f')
	AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege('regress_pkt_nobody', c.oid, 'USAGE, SELECT, UPDATE')
		ELSE has_table_privilege('regress_pkt_nobody', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege('regress_pkt_nobody', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') END ORDER BY 1;
SELECT s AS schema, has_schema_privilege('regress_pkt_nobody', s, 'USAGE') AS usage, has_schema_privilege('regress_pkt_nobody', s, 'CREATE') AS create FROM unnest('{pk_tracking,pk_tracking_internal}'::text[]) s;
-- but for the type's own functions, which stand elsewhere
SELECT count(*) > 10 AS "functions of hexid", bool_and(has_function_privilege('regress_pkt_nobody', p.oid, 'EXECUTE')) AS "for everybody"
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pk_tracking'
WHERE p.pronamespace NOT IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace);
-- no function runs with its owner's rights but those of web tokens, and every one in SQL has its search_path pinned
SELECT p.oid::regprocedure AS "security definer" FROM pg_proc p WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND p.prosecdef ORDER BY 1;
SELECT p.oid::regprocedure AS "search_path not pinned" FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND l.lanname IN ('sql', 'plpgsql') AND p.prokind <> 'p' AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false) ORDER BY 1;
SELECT count(*) AS "called by CHECKs, written in C" FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'pk_tracking_internal'::regnamespace AND p.proname ~ '^anonymous_' AND l.lanname = 'c';

-- what each role may, by the catalog
CREATE FUNCTION pg_temp.may(role name) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT 'execute ' || p.proname FROM pg_proc p WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND has_schema_privilege(role, p.pronamespace, 'USAGE') AND has_function_privilege(role, p.oid, 'EXECUTE')
	UNION ALL
	SELECT lower(x.priv) || ' ' || c.relname FROM pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) x(priv)
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v', 'p', 'm', 'f') AND has_table_privilege(role, c.oid, x.priv)
	UNION ALL
	SELECT lower(x.priv) || ' ' || c.relname FROM pg_class c, unnest('{SELECT,USAGE,UPDATE}'::text[]) x(priv)
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege(role, c.oid, x.priv)
	ORDER BY 1
$$;
SELECT pk_tracking.grant_tracker('regress_pkt_tracker');
SELECT pk_tracking.grant_tracker('regress_pkt_trusted', trusted => true);
SELECT pk_tracking.grant_analyst('regress_pkt_analyst');
SELECT pg_temp.may('regress_pkt_nobody') AS nobody;
SELECT pg_temp.may('regress_pkt_tracker') AS tracker;
SELECT pg_temp.may('regress_pkt_trusted') AS "trusted tracker";
SELECT pg_temp.may('regress_pkt_analyst') AS analyst;
SELECT pk_tracking.grant_tracker('regress_pkt_missing');
SELECT pk_tracking.grant_analyst('regress_pkt_missing');
SELECT pk_tracking.grant_owner('regress_pkt_missing');

-- 2. The same by trying.  Every function and relation of the schema, and what must not be possible
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE replace(statement, '$S', current_setting('test.site'));
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;
CREATE TEMP TABLE attempts (n serial, statement text);
GRANT SELECT ON attempts TO PUBLIC;
INSERT INTO attempts (statement) VALUES
	('SELECT pk_tracking.track($S, at => ''2026-03-02 12:00+00'')'), ('SELECT pk_tracking.track_request(''idsite=$S&rec=1'', at => ''2026-03-02 12:00+00'')'),
	('SELECT pk_tracking.track_request(''idsite=$S&rec=1&cip=203.0.113.77'', at => ''2026-03-02 12:00+00'', trusted => true)'), ('SELECT pk_tracking_internal.trusted_tracking()'),
	('SELECT * FROM pk_tracking.match_visitor($S)'), ('SELECT pk_tracking.fingerprint($S, ''203.0.113.77'')'), ('SELECT pk_tracking.user_id_visitor_id(''x'')'), ('SELECT pk_tracking.mask_ip(''203.0.113.77'', 2)'),
	('SELECT pk_tracking.set_instance(''ip_mask_level'', ''0'')'), ('SELECT pk_tracking.set_site($S, ''ip_mask_level'', ''0'')'), ('SELECT pk_tracking.reset_instance(''ip_mask_level'')'), ('SELECT pk_tracking.reset_site($S, ''ip_mask_level'')'),
	('SELECT * FROM pk_tracking.rejected_hit'), ('SELECT * FROM pk_tracking.ingest_run'), ('SELECT * FROM pk_tracking.ingest_position'), ('SELECT pk_tracking.replay(''pg_class'')'), ('SELECT pk_tracking.attach(''pk_tracking.log_visit'')'), ('SELECT pk_tracking_internal.track_rows()'), ('SELECT pk_tracking.add_site(''x'')'), ('SELECT pk_tracking.apply_recognition_profile($S, ''faq'')'), ('SELECT pk_tracking.add_goal($S, ''x'', ''manually'')'), ('SELECT pk_tracking.create_log()'), ('SELECT pk_tracking.upgrade_log()'), ('SELECT * FROM pk_tracking.status()'),
	('SELECT pk_tracking.export_salt(''fingerprint'')'), ('SELECT pk_tracking.import_salt(''fingerprint'', ''\x00'')'), ('SELECT pk_tracking.destroy_expired_salts()'),
	('SELECT pk_tracking.grant_tracker(current_user, true)'), ('SELECT pk_tracking.grant_owner(current_user)'), ('SELECT pk_tracking.grant_analyst(current_user)'),
	('SELECT * FROM pk_tracking.salt'), ('SELECT * FROM pk_tracking.setting'), ('SELECT * FROM pk_tracking.settings'), ('SELECT * FROM pk_tracking.site'), ('SELECT * FROM pk_tracking.goal'),
	('SELECT count(*) FROM pk_tracking.visit'), ('SELECT count(*) FROM pk_tracking.action'), ('SELECT url, title FROM pk_tracking.action LIMIT 1'), ('SELECT * FROM pk_tracking.log_visit'), ('SELECT count(*) FROM pk_tracking.log_visit'), ('SELECT idvisit FROM pk_tracking.log_link_visit_action'),
	('SELECT * FROM pk_tracking.log_action'), ('SELECT * FROM pk_tracking.log_conversion'), ('SELECT * FROM pk_tracking.log_conversion_item'), ('SELECT * FROM pk_tracking.log_visit_length'), ('SELECT * FROM pk_tracking.log_version'),
	('INSERT INTO pk_tracking.log_visit (idsite, visit_first_action_time, visit_last_action_time) VALUES (1, now(), now())'), ('UPDATE pk_tracking.log_visit SET user_id = ''x'''), ('DELETE FROM pk_tracking.log_visit'), ('TRUNCATE pk_tracking.log_action'),
	('SELECT nextval(''pk_tracking.log_visit_idvisit_seq'')'), ('SELECT last_value FROM pk_tracking.log_visit_idvisit_seq'), ('CREATE TABLE pk_tracking.x ()'), ('DROP TABLE pk_tracking.log_visit'), ('ALTER TABLE pk_tracking.log_visit DISABLE TRIGGER ALL'),
	('CREATE TRIGGER t BEFORE INSERT ON pk_tracking.log_visit FOR EACH ROW EXECUTE FUNCTION pk_tracking_internal.config_changed()'), ('LOCK TABLE pk_tracking.log_visit'), ('SET pk_tracking.bulk_memory = ''1MB''');
SET ROLE regress_pkt_tracker;
SELECT a.statement, pg_temp.try(a.statement) AS tracker FROM attempts a ORDER BY a.n;
SET ROLE regress_pkt_trusted;
SELECT a.statement, pg_temp.try(a.statement) AS "trusted tracker" FROM attempts a WHERE pg_temp.try(a.statement) !~ '^42501' ORDER BY a.n;
SET ROLE regress_pkt_analyst;
SELECT a.statement, pg_temp.try(a.statement) AS analyst FROM attempts a WHERE pg_temp.try(a.statement) !~ '^42501' ORDER BY a.n;
SET ROLE regress_pkt_nobody;
SELECT a.statement, pg_temp.try(a.statement) AS nobody FROM attempts a WHERE pg_temp.try(a.statement) !~ '^42501' ORDER BY a.n;
RESET ROLE;
-- the right to be trusted is taken away again, and is that of the outer user
SELECT pk_tracking.grant_tracker('regress_pkt_trusted');
SET ROLE regress_pkt_trusted;
SELECT pg_temp.try('SELECT pk_tracking.track_request(''idsite=$S&rec=1'', trusted => true)');
SELECT pg_temp.try('SELECT pk_tracking.track_request(''idsite=$S&rec=1'', trusted => NULL, at => ''2026-03-02 12:00+00'')');
RESET ROLE;

-- 3. A trigger that the owner has put on the log runs with the owner's rights and a pinned search_path
CREATE SCHEMA regress_pkt_evil AUTHORIZATION regress_pkt_tracker;
CREATE TABLE seen (what text, path text, who text, outer_user text);
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.seen VALUES (TG_TABLE_NAME, current_setting('search_path'), current_user, session_user);
	-- unqualified: a hostile now() must not be found
	PERFORM now();
	RETURN NULL;
END
$$;
CREATE TRIGGER look AFTER INSERT ON pk_tracking.log_visit FOR EACH ROW EXECUTE FUNCTION look();
CREATE TRIGGER look_again AFTER UPDATE ON pk_tracking.log_visit FOR EACH STATEMENT EXECUTE FUNCTION look();
CREATE TRIGGER look AFTER INSERT ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION look();
CREATE TRIGGER look AFTER INSERT ON pk_tracking.log_action FOR EACH ROW EXECUTE FUNCTION look();
SET ROLE regress_pkt_tracker;
CREATE FUNCTION regress_pkt_evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE 'evil now() as %', current_user; END $$;
CREATE TABLE regress_pkt_evil.seen (what text, path text, who text, outer_user text);
SET search_path = regress_pkt_evil, pg_catalog, public;
SELECT (pk_tracking.track(current_setting('test.site')::integer, 'https://grants.example/1', visitor_id => 'aaaaaaaaaaaaaaaa', at => '2026-03-02 12:00+00')).outcome;
SELECT (pk_tracking.track(current_setting('test.site')::integer, 'https://grants.example/2', visitor_id => 'aaaaaaaaaaaaaaaa', at => '2026-03-02 12:00+00')).outcome;
-- the caller's own path is as it was, also after an error
SHOW search_path;
SELECT pg_catalog.concat_ws(' ', outcome, outcome_reason) FROM pk_tracking.track_request('idsite=0');
SHOW search_path;
RESET search_path;
RESET ROLE;
SELECT what, path, who = session_user AS "owner's rights", count(*) FROM seen GROUP BY 1, 2, 3 ORDER BY what;
SELECT count(*) AS evil FROM regress_pkt_evil.seen;
-- a trigger that fails aborts the hit, and current_user is as before
CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no visits today'; END $$;
CREATE TRIGGER fail BEFORE INSERT ON pk_tracking.log_visit FOR EACH ROW EXECUTE FUNCTION fail();
SET ROLE regress_pkt_tracker;
SELECT pg_temp.try('SELECT pk_tracking.track($S, new_visit => true)'), current_user;
BEGIN;
SAVEPOINT s;
SELECT pk_tracking.track(current_setting('test.site')::integer);
ROLLBACK TO s;
SELECT current_user, current_setting('search_path');
SELECT count(*) FROM pk_tracking.log_visit;
ROLLBACK;
RESET ROLE;
DROP TRIGGER fail ON pk_tracking.log_visit;
DROP TRIGGER look ON pk_tracking.log_visit;
DROP TRIGGER look_again ON pk_tracking.log_visit;
DROP TRIGGER look ON pk_tracking.log_link_visit_action;
DROP TRIGGER look ON pk_tracking.log_action;

-- 4. A tracker that is hostile: operators, functions, tables and types of its own, in a session that has not tracked before
GRANT USAGE ON SCHEMA regress_pkt_evil TO PUBLIC;
\c -
SET client_min_messages = warning;
SET ROLE regress_pkt_tracker;
DO $$
DECLARE
	t text;
	o text;
	f text;
BEGIN
	FOREACH t IN ARRAY '{int2,int4,int8,text,timestamptz,oid,xid,tid,name,"hexid"}'::text[] LOOP
		FOREACH o IN ARRAY '{=,<>,<,<=,>,>=,-,+,||}'::text[] LOOP
			EXECUTE format('CREATE OR REPLACE FUNCTION regress_pkt_evil.op(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RAISE ''''evil operator as %%'''', current_user; END''', t);
			EXECUTE format('CREATE OPERATOR regress_pkt_evil.%s (LEFTARG = %2$s, RIGHTARG = %2$s, FUNCTION = regress_pkt_evil.op)', o, t);
		END LOOP;
	END LOOP;
	FOREACH f IN ARRAY '{max(int8),max(int4),min(timestamptz),nextval(regclass),format(text\,text),set_config(text\,text\,boolean),to_regclass(text),lower(text),digest(text\,text),gen_random_bytes(int4),statement_timestamp(),sha256(bytea)}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION regress_pkt_evil.%s RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE ''''evil function as %%'''', current_user; END''', f);
	END LOOP;
	CREATE DOMAIN regress_pkt_evil.hexid AS text CHECK (false);
	CREATE TABLE regress_pkt_evil.log_visit (idvisit bigint);
	CREATE TABLE regress_pkt_evil.site (idsite integer);
	CREATE TEMP TABLE log_visit (idvisit bigint, idsite integer);
	CREATE TEMP TABLE site (idsite integer, timezone text);
	CREATE TEMP TABLE setting (idsite integer, name text, value text);
	CREATE TEMP TABLE log_action (idaction bigint);
	CREATE TEMP TABLE salt (name text, value bytea);
	CREATE TEMP TABLE tracked (outcome integer);
	INSERT INTO setting VALUES (NULL, 'ip_mask_level', '0');
END $$;
SET search_path = pg_temp, regress_pkt_evil, pg_catalog, public;
SELECT (pk_tracking.track(:site, 'https://grants.example/evil', 'Evil', 'https://b.example/', '203.0.113.77', 'agent', 'en', user_id => 'evil', params => '{"_idvc": 3}')).outcome;
SELECT (pk_tracking.track_request('idsite=' OPERATOR(pg_catalog.||) :'site' OPERATOR(pg_catalog.||) '&rec=1&_id=feedfacecafebeef&url=https://grants.example/evil2', '203.0.113.77', 'agent')).outcome;
SELECT (pk_tracking.track_request('idsite=' OPERATOR(pg_catalog.||) :'site' OPERATOR(pg_catalog.||) '&rec=1&_id=feedfacecafebeef&new_visit=1', '203.0.113.77', 'agent', 'en', NULL, '{"cookie": "a=b"}')).outcome;
RESET search_path;
RESET ROLE;
SELECT v.location_ip, count(*) FROM pk_tracking.log_visit v WHERE v.idsite = :site AND v.location_ip IS NOT NULL GROUP BY 1;
-- no part of the hits is in the hostile tables
SELECT (SELECT count(*) FROM regress_pkt_evil.log_visit) AS evil, (SELECT count(*) FROM pg_temp.log_visit) AS temp, (SELECT count(*) FROM pg_temp.log_action) AS action;
-- a session that was in another role before: rights are those of the moment
SET ROLE regress_pkt_nobody;
SELECT pk_tracking.track(1);
RESET ROLE;
REVOKE ALL ON FUNCTION pk_tracking.track_request(text, inet, text, text, timestamptz, jsonb, boolean, boolean) FROM regress_pkt_tracker;
SET ROLE regress_pkt_tracker;
SELECT pk_tracking.track_request('idsite=1&rec=1');
RESET ROLE;

DROP SCHEMA regress_pkt_evil CASCADE;
DROP FUNCTION look();
DROP FUNCTION fail();
DROP TABLE seen;
DROP OWNED BY regress_pkt_tracker, regress_pkt_trusted, regress_pkt_analyst, regress_pkt_nobody;
DROP ROLE regress_pkt_tracker, regress_pkt_trusted, regress_pkt_analyst, regress_pkt_nobody;
DELETE FROM pk_tracking.setting;
