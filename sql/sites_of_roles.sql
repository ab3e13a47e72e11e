-- Roles that read, or change, some sites only: grant_analyst(role, idsites), grant_admin(role, idsites)
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
END $$;
\pset format unaligned
\pset tuples_only on
\set VERBOSITY terse
DELETE FROM pk_tracking.site WHERE name ~ '^Sites of roles';
SELECT pk_tracking.add_site('Sites of roles: own') AS own \gset
SELECT pk_tracking.add_site('Sites of roles: other') AS other \gset
SELECT pk_tracking.add_goal(s, 'Goal', 'url', '/page') FROM unnest(ARRAY[:own, :other]) s;
SELECT pk_tracking.add_dimension(s, d, d) FROM unnest(ARRAY[:own, :other]) s, unnest('{visit,action}'::text[]) d;
SELECT pk_tracking.add_segment(s, 'Filter', 'countryCode==de') FROM unnest(ARRAY[:own, :other]) s;
SELECT count(*) FROM unnest(ARRAY[:own, :other]) s, generate_series(1, 5) i,
	pk_tracking.track(s, 'https://www.example/page' || i, 'Page', ip => '203.0.113.7', user_agent => 'an agent',
		visitor_id => '00000000000000ab', at => timestamptz '2026-11-16 12:00+00' + i * interval '1 hour', params => '{"dimension1":"value"}');
SELECT bool_and(pk_tracking.rebuild_rollups(s, '2026-11-01', '2026-11-20') > 0) FROM unnest(ARRAY[:own, :other]) s;
CREATE ROLE regress_pkt_one;
CREATE ROLE regress_pkt_all;
SELECT pk_tracking.grant_analyst('regress_pkt_all');
SELECT pk_tracking.grant_analyst('regress_pkt_one', ARRAY[:own]);
-- every table that the role may read, and every view: rows of its own site alone
CREATE FUNCTION pg_temp.sites_seen(role name, own integer, other integer) RETURNS TABLE (relation text, own_rows boolean, other_rows bigint) LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT t.oid::regclass AS name FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'idsite'
		WHERE t.relnamespace = 'pk_tracking'::regnamespace AND t.relkind IN ('r', 'p', 'v', 'm')
			AND has_any_column_privilege(role, t.oid, 'SELECT') ORDER BY t.relname
	LOOP
		EXECUTE format('SET LOCAL ROLE %I', role);
		relation := c.name;
		EXECUTE format('SELECT count(*) FILTER (WHERE idsite = $1) > 0, count(*) FILTER (WHERE idsite IS DISTINCT FROM $1) FROM %s', c.name)
			INTO own_rows, other_rows USING own;
		RESET ROLE;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM pg_temp.sites_seen('regress_pkt_one', :own, :other);
SELECT relation FROM pg_temp.sites_seen('regress_pkt_all', :own, :other) WHERE other_rows = 0 AND relation !~ 'length|conversion|other_id|mark|times';
-- every report: an error for the other site, as for one that does not exist
CREATE FUNCTION pg_temp.try_report(report text, idsite integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM pk_tracking.%I(idsite => $1, from_date => ''2026-11-16'', to_date => ''2026-11-17''%s)', report,
		CASE report WHEN 'report_by' THEN ', dimension => ''countryCode''' WHEN 'report_goals_by' THEN ', dimension => ''countryCode'''
			WHEN 'report_action_dimension' THEN ', dimension => 2' WHEN 'report_action_dimension_urls' THEN ', dimension => 2'
			WHEN 'report_transitions' THEN ', url => ''https://www.example/page1''' WHEN 'report_evolution' THEN ', report => ''report_pages'', labels => ''{https://www.example/page1}'''
			WHEN 'report_funnel' THEN ', steps => ''{pageUrl=@page1}''' ELSE '' END) INTO n USING idsite;
	RETURN 'rows';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;
SET ROLE regress_pkt_one;
SELECT r.name, pg_temp.try_report(r.name, :own) FROM pk_tracking.reports r WHERE pg_temp.try_report(r.name, :own) <> 'rows';
SELECT replace(pg_temp.try_report(r.name, :other), :'other', 'N'), count(*) > 20 FROM pk_tracking.reports r GROUP BY 1;
SELECT count(*), max(name) FROM pk_tracking.report_sites('2026-11-16', '2026-11-17');
SELECT nb_visits FROM pk_tracking.report_visits(:own, '2026-11-16', '2026-11-16', 'range', filter => '@Filter');
-- roll-ups are read, though row security hides other sites
SELECT pk_tracking_internal.rollup_rows_hidden();
SELECT nb_visits, nb_actions FROM pk_tracking.report_visits(:own, '2026-11-01', '2026-11-20', 'range');
RESET ROLE;
-- by who is limited and who is not: what only roll-ups say is what they read
CREATE FUNCTION pg_temp.told(idsite integer, OUT hidden boolean, OUT visits bigint, OUT hits numeric) LANGUAGE plpgsql AS $$
BEGIN
	hidden := pk_tracking_internal.rollup_rows_hidden();
	SELECT r.nb_visits INTO visits FROM pk_tracking.report_visits(told.idsite, '2026-11-16', '2026-11-17', 'range') r;
	SELECT sum(r.nb_hits) INTO hits FROM pk_tracking.report_pages(told.idsite, '2026-11-16', '2026-11-17') r;
END $$;
BEGIN;
UPDATE pk_tracking.rollup_visit SET nb_visits = nb_visits + 1000 WHERE idsite IN (:own, :other);
UPDATE pk_tracking.rollup_fact SET nb_hits = nb_hits + 1000 WHERE idsite IN (:own, :other);
SET LOCAL ROLE regress_pkt_all;
SELECT hidden, visits, hits FROM unnest(ARRAY[:own, :other]) s, pg_temp.told(s);
SET LOCAL ROLE regress_pkt_one;
SELECT hidden, visits, hits FROM pg_temp.told(:own);
ROLLBACK;
-- marks of all sites count for all
BEGIN;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action;
SET LOCAL ROLE regress_pkt_one;
SELECT visits, hits FROM pg_temp.told(:own);
ROLLBACK;
-- who may not read all tables of roll-ups reads the log
BEGIN;
REVOKE SELECT ON pk_tracking.rollup_day FROM regress_pkt_all;
REVOKE SELECT ON pk_tracking.rollup_mark FROM regress_pkt_one;
SET LOCAL ROLE regress_pkt_all;
SELECT visits, hits FROM pg_temp.told(:own);
SET LOCAL ROLE regress_pkt_one;
SELECT visits, hits FROM pg_temp.told(:own);
ROLLBACK;
-- by policies of another kind they are not
CREATE POLICY regress_pkt_policy ON pk_tracking.log_visit AS RESTRICTIVE TO regress_pkt_one USING (visit_total_actions > 1);
SET ROLE regress_pkt_one;
SELECT pk_tracking_internal.rollup_rows_hidden();
RESET ROLE;
DROP POLICY regress_pkt_policy ON pk_tracking.log_visit;
-- a member of roles of different sites sees what all of them have: nothing
CREATE ROLE regress_pkt_two;
SELECT pk_tracking.grant_analyst('regress_pkt_two', ARRAY[:other]);
CREATE ROLE regress_pkt_both IN ROLE regress_pkt_one, regress_pkt_two;
SELECT sum(other_rows), bool_or(own_rows) FROM pg_temp.sites_seen('regress_pkt_both', :own, :other);
-- the last call counts
SELECT pk_tracking.grant_analyst('regress_pkt_two', ARRAY[:own, :other]);
SELECT bool_and(own_rows AND other_rows > 0) FROM pg_temp.sites_seen('regress_pkt_two', :own, :other) WHERE relation IN ('pk_tracking.visit', 'pk_tracking.log_visit');
SELECT pk_tracking.grant_analyst('regress_pkt_two', '{}');
SELECT sum(other_rows), bool_or(own_rows) FROM pg_temp.sites_seen('regress_pkt_two', :own, :other);
-- one without sites, as after an update, keeps the limit
SELECT pk_tracking.grant_analyst('regress_pkt_two');
SELECT sum(other_rows), bool_or(own_rows) FROM pg_temp.sites_seen('regress_pkt_two', :own, :other);
SELECT pk_tracking.grant_admin('regress_pkt_two');
SELECT sum(other_rows), bool_or(own_rows) FROM pg_temp.sites_seen('regress_pkt_two', :own, :other) WHERE relation <> 'pk_tracking.setting';
SELECT has_function_privilege('regress_pkt_two', 'pk_tracking.set_instance(text,text)', 'EXECUTE');
SELECT pk_tracking.grant_all_sites('regress_pkt_two');
SELECT count(*) FROM pg_policy p WHERE p.polroles = ARRAY[(SELECT r.oid FROM pg_roles r WHERE r.rolname = 'regress_pkt_two')];
SELECT pk_tracking.grant_analyst('regress_pkt_two', '{2147483647}');
-- hits and the owner pass by
SELECT outcome FROM pk_tracking.track(:other, 'https://www.example/page9', ip => '203.0.113.8', user_agent => 'an agent');

-- an administrator of one site
CREATE ROLE regress_pkt_admin;
CREATE ROLE regress_pkt_chief;
SELECT pk_tracking.grant_admin('regress_pkt_admin', ARRAY[:own]);
SELECT pk_tracking.grant_admin('regress_pkt_chief');
CREATE TEMP TABLE attempts (n integer, statement text);
INSERT INTO attempts VALUES
	(1, 'SELECT pk_tracking.set_site(%1$s, ''visit_standard_length'', ''900'')'), (2, 'SELECT pk_tracking.reset_site(%1$s, ''visit_standard_length'')'),
	(3, 'SELECT pk_tracking.change_site(%1$s, currency => ''CHF'')'), (4, 'SELECT pk_tracking.apply_recognition_profile(%1$s, ''faq'')'),
	(5, 'SELECT pk_tracking.apply_privacy_profile(%1$s, ''strict'')'), (6, 'SELECT pk_tracking.add_goal(%1$s, ''More'', ''manually'')'),
	(7, 'SELECT pk_tracking.retire_goal(%1$s, 1)'), (8, 'SELECT pk_tracking.add_dimension(%1$s, ''More'', ''action'')'),
	(9, 'SELECT pk_tracking.set_dimension_active(%1$s, 1, false)'), (10, 'SELECT pk_tracking.add_segment(%1$s, ''More'', ''countryCode==at'')'),
	(11, 'SELECT pk_tracking.set_segment(%1$s, ''Filter'', ''countryCode==at'')'), (12, 'SELECT pk_tracking.drop_segment(%1$s, ''Filter'')'),
	(13, 'SELECT pk_tracking.create_token(%1$s, ''a token'')'), (14, 'SELECT pk_tracking.drop_token(''a token'')'),
	(15, 'SELECT pk_tracking.tracking_code(%1$s, ''https://stats.example'')'), (16, 'SELECT pk_tracking_internal.setting_definition_table()'),
	(17, 'UPDATE pk_tracking.site SET idsite = idsite WHERE idsite = %1$s RETURNING 1'), (18, 'UPDATE pk_tracking.goal SET idsite = %2$s WHERE idsite = %1$s RETURNING 1'),
	(19, 'INSERT INTO pk_tracking.setting VALUES (%1$s, ''visit_standard_length'', ''900'') RETURNING 1'), (20, 'DELETE FROM pk_tracking.setting WHERE idsite = %1$s RETURNING 1'),
	(21, 'SELECT pk_tracking.set_instance(''visit_standard_length'', ''900'')'), (22, 'INSERT INTO pk_tracking.setting VALUES (NULL, ''visit_standard_length'', ''900'') RETURNING 1'),
	(23, 'SELECT pk_tracking.add_site(''Sites of roles: new'')'), (24, 'SELECT pk_tracking.create_token(NULL, ''of all'')'), (25, 'DELETE FROM pk_tracking.site WHERE idsite = %1$s RETURNING 1'),
	(26, 'CALL pk_tracking.delete_site(%1$s)'), (27, 'SELECT pk_tracking.forget_subject(%1$s, NULL, ''00000000000000ab'')'), (28, 'DELETE FROM pk_tracking.log_visit WHERE idsite = %1$s RETURNING 1'),
	(29, 'SELECT config_id FROM pk_tracking.log_visit'), (30, 'SELECT salt FROM pk_tracking.salt'),
	(31, 'SELECT s.item FROM pk_tracking.status() s LIMIT 1'), (32, 'SELECT r.row_key FROM pk_tracking.rejected_hit r'), (33, 'SELECT s.name FROM pk_tracking.settings s LIMIT 1');
CREATE FUNCTION pg_temp.try(role name, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	n bigint;
BEGIN
	EXECUTE format('SET LOCAL ROLE %I', role);
	EXECUTE statement INTO answer;
	GET DIAGNOSTICS n = ROW_COUNT;
	RESET ROLE;
	-- all is undone
	RAISE EXCEPTION USING ERRCODE = 'PK000', MESSAGE = CASE WHEN n = 0 THEN 'no row' WHEN answer IN ('false', '0') THEN 'nothing done' ELSE 'done' END;
EXCEPTION WHEN OTHERS THEN
	RESET ROLE;
	RETURN CASE WHEN SQLSTATE = 'PK000' THEN SQLERRM ELSE SQLSTATE END;
END $$;
SELECT a.n, pg_temp.try('regress_pkt_admin', format(a.statement, :own, :other)) AS own, pg_temp.try('regress_pkt_admin', format(a.statement, :other, :own)) AS other,
	pg_temp.try('regress_pkt_chief', format(a.statement, :other, :own)) AS chief
FROM attempts a ORDER BY a.n;
-- no more data than an analyst's
SELECT has_column_privilege(r, 'pk_tracking.log_visit', 'config_id', 'SELECT'), has_table_privilege(r, 'pk_tracking.salt', 'SELECT'), has_table_privilege(r, 'pk_tracking.log_visit', 'INSERT, UPDATE, DELETE, TRUNCATE')
FROM unnest('{regress_pkt_admin,regress_pkt_chief}'::name[]) r;
SELECT relation, own_rows, other_rows FROM pg_temp.sites_seen('regress_pkt_admin', :own, :other) WHERE other_rows > 0;
-- a role that dropped from all to one site keeps nothing of the instance's
SELECT pk_tracking.grant_admin('regress_pkt_chief', ARRAY[:own]);
SELECT a.n, pg_temp.try('regress_pkt_chief', format(a.statement, :other, :own)) FROM attempts a WHERE a.n IN (21, 22, 23, 24, 31, 33) ORDER BY a.n;
-- nor by a call of grant_analyst()
SELECT pk_tracking.grant_all_sites('regress_pkt_chief'), pk_tracking.grant_admin('regress_pkt_chief'), pk_tracking.grant_analyst('regress_pkt_chief', ARRAY[:own]);
SELECT a.n, pg_temp.try('regress_pkt_chief', format(a.statement, :other, :own)) FROM attempts a WHERE a.n IN (21, 22, 23, 24, 31, 33) ORDER BY a.n;
-- tables that it gets to read later are limited, too
CREATE ROLE regress_pkt_later;
SELECT pk_tracking.grant_analyst('regress_pkt_later', ARRAY[:own]);
GRANT SELECT ON pk_tracking.setting, pk_tracking.token, pk_tracking.log_excluded, pk_tracking.erasures TO regress_pkt_later;
SELECT string_agg(relation, ' ') FROM pg_temp.sites_seen('regress_pkt_later', :own, :other) WHERE other_rows > 0 AND relation <> 'pk_tracking.setting';
SELECT count(DISTINCT p.polrelid) = count(DISTINCT c.oid) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'idsite'
	LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polroles = ARRAY['regress_pkt_later'::regrole::oid]
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p')
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');
-- a role may change its name, and another one take it
ALTER ROLE regress_pkt_later RENAME TO regress_pkt_before;
CREATE ROLE regress_pkt_later;
SELECT pk_tracking.grant_analyst('regress_pkt_later', ARRAY[:other]);
SELECT pk_tracking_internal.sites_of_role('regress_pkt_before') = ARRAY[:own], pk_tracking_internal.sites_of_role('regress_pkt_later') = ARRAY[:other];
SELECT pk_tracking.grant_all_sites('regress_pkt_later');
SELECT pk_tracking_internal.sites_of_role('regress_pkt_before') = ARRAY[:own], pk_tracking_internal.sites_of_role('regress_pkt_later');
-- arrays of any form
SELECT pk_tracking.grant_analyst('regress_pkt_later', ARRAY[ARRAY[:other], ARRAY[:own]]);
SELECT pk_tracking_internal.sites_of_role('regress_pkt_later') = ARRAY[:own, :other];
SELECT pk_tracking.grant_analyst('regress_pkt_later', ARRAY[:own, NULL, :own]);
-- whom row security does not concern cannot be limited
CREATE ROLE regress_pkt_free SUPERUSER;
CREATE ROLE regress_pkt_bypass BYPASSRLS;
CREATE ROLE regress_pkt_member IN ROLE regress_pkt_bypass;
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT pk_tracking.grant_analyst('regress_pkt_free', ARRAY[:own]);
SELECT pk_tracking.grant_admin('regress_pkt_bypass', ARRAY[:own]);
SELECT pk_tracking.grant_analyst('regress_pkt_member', ARRAY[:own]);
-- of whoever may become a role without a limit it is told
GRANT regress_pkt_all TO regress_pkt_later;
SELECT pk_tracking.grant_analyst('regress_pkt_later', ARRAY[:own]);
\set VERBOSITY terse
DROP ROLE regress_pkt_member, regress_pkt_bypass, regress_pkt_free;

-- switched off again, for the other tests
DO $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT r FROM unnest('{regress_pkt_later,regress_pkt_before,regress_pkt_both,regress_pkt_two,regress_pkt_one,regress_pkt_all,regress_pkt_admin,regress_pkt_chief}'::name[]) AS t(r) LOOP
		EXECUTE format('DROP OWNED BY %I', c.r);
		EXECUTE format('DROP ROLE %I', c.r);
	END LOOP;
	FOR c IN SELECT p.polrelid::regclass AS name FROM pg_policy p JOIN pg_class t ON t.oid = p.polrelid
		WHERE t.relnamespace = 'pk_tracking'::regnamespace AND p.polname = 'everybody'
	LOOP
		EXECUTE format('DROP POLICY everybody ON %s', c.name);
		EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', c.name);
	END LOOP;
END $$;
ALTER VIEW pk_tracking.visit RESET (security_invoker);
ALTER VIEW pk_tracking.action RESET (security_invoker);
ALTER VIEW pk_tracking.excluded RESET (security_invoker);
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:own, :other);
DELETE FROM pk_tracking.site WHERE idsite IN (:own, :other);
