-- The log: who owns it, what it refuses, what it outlives
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END
$$;

-- 1. create_log() is called once
SELECT pg_temp.try('SELECT pk_tracking.create_log()');
SELECT pg_temp.try('SELECT pk_tracking.create_log(''regress_pkt_nobody'')');
SELECT pg_typeof(pk_tracking.create_log(NULL))::text = 'void' AS "nothing for nobody";

-- 2. Every table, column, view and function says what it is
SELECT c.relkind, c.relname FROM pg_class c
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND obj_description(c.oid, 'pg_class') IS NULL ORDER BY 1, 2;
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND col_description(c.oid, a.attnum) IS NULL ORDER BY 1, a.attnum;
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND obj_description(p.oid, 'pg_proc') IS NULL ORDER BY 1;

-- 3. What is the user's is no member of the extension, what is secret is
SELECT c.relkind, c.relname, d.objid IS NOT NULL AS member FROM pg_class c
	LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname !~ '_[0-9]+$' ORDER BY 3, 1, 2;
SELECT count(*) AS "salt tables that are no members, or dumped" FROM pg_class c
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relname ~ 'salt' AND c.relkind = 'r'
	AND (NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		OR c.oid = ANY (SELECT unnest(e.extconfig) FROM pg_extension e WHERE e.extname = 'pk_tracking'));
SELECT count(*) AS "daily salts that are logged" FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relname ~ '^(daily|late)_salt' AND c.relkind = 'r' AND c.relpersistence <> 'u';
SELECT extconfig IS NULL AS "nothing marked for dump" FROM pg_extension WHERE extname = 'pk_tracking';
SELECT pg_temp.try('DROP EXTENSION pk_tracking');
SELECT pg_temp.try('DROP SCHEMA pk_tracking');
SELECT pg_temp.try('DROP EXTENSION pgcrypto');
SELECT to_regclass('pk_tracking.log_visit') IS NOT NULL AS "still there";

-- 4. Anonymous rows can hold nothing that tells who it was.  Each column by itself, on INSERT and UPDATE
CREATE FUNCTION pg_temp.refuses(tab text, key text, good jsonb, bad jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	name text;
	col text;
	value jsonb;
	level integer;
	said text;
	-- a statement that inserts a row given as JSON
	insert_row CONSTANT text := 'INSERT INTO pk_tracking.%1$I (%2$s) SELECT %2$s FROM jsonb_populate_record(NULL::pk_tracking.%1$I, %3$L)';
	r jsonb;
BEGIN
	FOREACH level IN ARRAY '{2,3}'::integer[] LOOP
		r := good || jsonb_build_object('consent', level, key, -1);
		said := pg_temp.try(format(insert_row, tab, (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(r) k), r));
		RETURN NEXT format('%s, consent %s: a good row: %s', tab, level, said);

		FOR name, value IN SELECT * FROM jsonb_each(bad) LOOP
			col := split_part(name, ' ', 1);
			r := good || jsonb_build_object('consent', level, key, -2) || jsonb_build_object(col, value);
			said := pg_temp.try(format(insert_row, tab, (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(r) k), r));
			IF said !~ ('^23514 .*' || tab || '_anonymous') THEN
				RETURN NEXT format('NOT OK %s, consent %s: INSERT with %s: %s', tab, level, name, said);
			END IF;
			said := pg_temp.try(format('UPDATE pk_tracking.%1$I SET %2$I = (jsonb_populate_record(NULL::pk_tracking.%1$I, %3$L)).%2$I WHERE %4$I = -1', tab, col, r, key));
			IF said !~ ('^23514 .*' || tab || '_anonymous') THEN
				RETURN NEXT format('NOT OK %s, consent %s: UPDATE to %s: %s', tab, level, name, said);
			END IF;
			-- an identified row may hold it, and then not become anonymous
			r := r || jsonb_build_object('consent', 0, key, -3);
			said := pg_temp.try(format(insert_row, tab, (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(r) k), r));
			IF said <> 'done' THEN
				RETURN NEXT format('NOT OK %s: identified, with %s: %s', tab, name, said);
			END IF;
			said := pg_temp.try(format('UPDATE pk_tracking.%I SET consent = %s WHERE %I = -3', tab, level, key));
			IF said !~ ('^23514 .*' || tab || '_anonymous') THEN
				RETURN NEXT format('NOT OK %s: to consent %s with %s: %s', tab, level, name, said);
			END IF;
			EXECUTE format('DELETE FROM pk_tracking.%1$I WHERE %2$I IN (-2, -3)', tab, key);
		END LOOP;
		EXECUTE format('DELETE FROM pk_tracking.%1$I WHERE %2$I = -1', tab, key);
	END LOOP;
	RETURN NEXT format('%s: %s columns and values tried', tab, (SELECT count(*) FROM jsonb_object_keys(bad)));

	FOREACH level IN ARRAY '{-1,4,32767}'::integer[] LOOP
		r := good || jsonb_build_object('consent', level, key, -1);
		said := pg_temp.try(format(insert_row, tab, (SELECT string_agg(quote_ident(k), ', ') FROM jsonb_object_keys(r) k), r));
		IF said !~ ('^23514 .*' || tab || '_anonymous') THEN
			RETURN NEXT format('NOT OK %s: consent %s: %s', tab, level, said);
		END IF;
	END LOOP;
END
$$;
BEGIN;
SELECT pg_temp.refuses('log_visit', 'idvisit',
	'{"idvisit": -7, "idsite": 1, "visit_first_action_time": "2026-01-01", "visit_last_action_time": "2026-01-01", "location_ip": "0.0.0.0", "location_country": "de", "location_city": "Kiel", "config_os": "LIN",
		"visitor_returning": 0, "visitor_count_visits": 1, "profilable": 0, "visit_total_actions": 3, "visit_goal_converted": 1, "visitor_seconds_since_first": 0, "visitor_seconds_since_last": 0}',
	'{"idvisitor": "feedfacecafebeef", "config_id": "feedfacecafebeef", "user_id": "jo", "user_id empty": "", "location_ip": "203.0.113.77", "location_ip masked": "203.0.0.0", "location_ip 6": "2001:db8::", "location_latitude": 1, "location_longitude": 1,
		"location_asn": 64500, "location_organisation": "x", "custom_dimensions": {"1": "x"}, "custom_dimensions empty": {}, "custom_variables": {"1": "x"},
		"visitor_returning": 1, "visitor_returning customer": 2, "visitor_count_visits": 2, "profilable": 1,
		"visitor_seconds_since_first": 86400, "visitor_seconds_since_last": 86400, "visitor_seconds_since_order": 86400}');
SELECT pg_temp.refuses('log_link_visit_action', 'idlink_va',
	'{"idlink_va": -7, "idvisit": -7, "idsite": 1, "server_time": "2026-01-01", "idaction_url": 5, "pageview_position": 1}',
	'{"idvisitor": "feedfacecafebeef", "custom_dimensions": {"1": "x"}, "custom_variables": {"1": "x"}}');
SELECT pg_temp.refuses('log_conversion', 'buster',
	'{"idvisit": -7, "idsite": 1, "server_time": "2026-01-01", "idgoal": 1, "buster": 0, "revenue": 5, "location_country": "de", "visitor_returning": 0, "visitor_count_visits": 1}',
	'{"idvisitor": "feedfacecafebeef", "idorder": "A1", "idorder 0": "0", "order_conflict": "A1", "location_latitude": 1, "location_longitude": 1, "custom_dimensions": {"1": "x"}, "custom_variables": {"1": "x"},
		"visitor_returning": 1, "visitor_returning customer": 2, "visitor_count_visits": 2, "visitor_seconds_since_first": 86400, "visitor_seconds_since_order": 86400}');
SELECT pg_temp.refuses('log_conversion_item', 'idaction_sku',
	'{"idvisit": -7, "idsite": 1, "server_time": "2026-01-01", "idaction_sku": 1, "quantity": 2, "price": 5, "idorder": "0"}',
	'{"idvisitor": "feedfacecafebeef", "idorder": "A1", "idorder empty": "", "idorder hash": "##", "idorder long": "##12345678901", "idorder no digit": "##x", "idorder of a shop": "#1001"}');
SELECT pg_temp.refuses('log_conversion_item', 'idaction_sku',
	'{"idvisit": -7, "idsite": 1, "server_time": "2026-01-01", "idaction_sku": 1, "idorder": "##12345"}', '{"idvisitor": "feedfacecafebeef"}');
-- an address of zeros, of either family, or none
SELECT pg_temp.try(format('INSERT INTO pk_tracking.log_visit (idsite, visit_first_action_time, visit_last_action_time, consent, location_ip) VALUES (1, now(), now(), 2, %L)', ip)) FROM unnest('{0.0.0.0,::,NULL}'::text[]) ip;
-- the same where the owner has made columns wider, or domains; what other tests have left might not fit
TRUNCATE pk_tracking.log_conversion, pk_tracking.log_conversion_item;
CREATE DOMAIN pg_temp.past AS integer CHECK (value >= 0);
ALTER TABLE pk_tracking.log_conversion ALTER visitor_count_visits TYPE bigint,
	ALTER visitor_seconds_since_first TYPE pg_temp.past, ALTER visitor_seconds_since_order TYPE bigint;
ALTER TABLE pk_tracking.log_conversion_item ALTER idorder TYPE varchar(20);
SELECT pg_temp.refuses('log_conversion', 'buster',
	'{"idvisit": -7, "idsite": 1, "server_time": "2026-01-01", "idgoal": 1, "buster": 0, "visitor_returning": 0, "visitor_count_visits": 1,
		"visitor_seconds_since_first": 0}',
	'{"visitor_count_visits": 2, "visitor_count_visits big": 4294967297, "visitor_seconds_since_first": 86400,
		"visitor_seconds_since_order": 86400, "visitor_seconds_since_order big": 4294967296}');
SELECT pg_temp.refuses('log_conversion_item', 'idaction_sku',
	'{"idvisit": -7, "idsite": 1, "server_time": "2026-01-01", "idaction_sku": 1, "idorder": "##12345"}', '{"idorder": "A1"}');
ROLLBACK;

-- 5. Versions
SELECT pk_tracking.upgrade_log();
SELECT pk_tracking.add_site('log test') AS site \gset
SELECT (pk_tracking.track(:site, at => '2026-03-02 12:00+00')).outcome;
INSERT INTO pk_tracking.log_version (version) VALUES (3);
\c -
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END
$$;
SET client_min_messages = warning;
SELECT pg_temp.try(format('SELECT pk_tracking.track(%s)', :site)) ~ '^55000.*version 3' AS "track refuses a newer log", pg_temp.try('SELECT pk_tracking.upgrade_log()') AS upgrade;
SELECT pg_temp.try(format('SELECT pk_tracking.track(%s)', :site));
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'log version';
BEGIN;
DELETE FROM pk_tracking.log_version;
SELECT pg_temp.try(format('SELECT pk_tracking.track(%s)', :site)) ~ '^55000' AS "nor one of no version";
ROLLBACK;
DELETE FROM pk_tracking.log_version WHERE version = 3;
-- mended, it goes on in the same session
SELECT (pk_tracking.track(:site, at => '2026-03-02 12:00+00')).outcome;
-- a column of another type is refused, not misread
SELECT v.statement, pg_temp.try(format('DO $$ BEGIN TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_action; '
		'DROP VIEW pk_tracking.visit, pk_tracking.action CASCADE; ALTER TABLE pk_tracking.%s; '
		'PERFORM pk_tracking.track(%s, consent => ''granted'', at => ''2026-03-02 12:00+00''); RAISE ''tracked''; END $$', v.statement, :site)) AS result
FROM (VALUES ('log_visit ALTER consent TYPE numeric'),
	('log_visit ALTER user_id TYPE integer USING 7'),
	('log_visit ALTER visit_total_actions TYPE bigint'),
	('log_link_visit_action ALTER consent TYPE numeric'),
	('log_action ALTER name TYPE integer USING 7'),
	('log_action RENAME type TO kind')) v(statement);
SELECT (pk_tracking.track(:site, at => '2026-03-02 12:00+00')).outcome;

-- 6. A log of a role that is no superuser, tracked by one that may do nothing else
CREATE ROLE regress_pkt_owner;
CREATE ROLE regress_pkt_tracker;
BEGIN;
DO $$
DECLARE
	t regclass;
BEGIN
	-- all that create_log() made
	FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v')
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
	LOOP
		IF EXISTS (SELECT FROM pg_class c WHERE c.oid = t AND c.relkind = 'r') THEN
			EXECUTE format('DROP TABLE %s CASCADE', t);
		END IF;
	END LOOP;
END $$;
SELECT pg_temp.try('SELECT pk_tracking.track(1)');
SELECT pg_temp.try('SELECT pk_tracking.track_request(''idsite=1&rec=1'')');
SELECT pg_temp.try('SELECT * FROM pk_tracking.match_visitor(1)');
SELECT pg_temp.try('SELECT pk_tracking.add_site(''x'')');
SELECT pg_temp.try('SELECT pk_tracking.set_instance(''ip_mask_level'', ''3'')');
SELECT pg_temp.try('SELECT pk_tracking.upgrade_log()');
SELECT item, value, remark FROM pk_tracking.status() WHERE item = 'log';
SELECT pg_temp.try('SELECT pk_tracking.create_log(''regress_pkt_nobody'')');
SELECT pk_tracking.create_log('regress_pkt_owner');
SELECT pk_tracking.grant_tracker('regress_pkt_tracker');
SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND pg_get_userbyid(c.relowner) = 'regress_pkt_owner' AND c.relkind IN ('r', 'v', 'S') ORDER BY 1;
SET ROLE regress_pkt_owner;
SELECT pk_tracking.add_site('own', timezone => 'Europe/Berlin');
SELECT pk_tracking.set_site(1, 'fingerprint_salt_rotation', 'daily');
SELECT (pk_tracking.track(1, 'https://a.example/', ip => '203.0.113.77', user_agent => 'agent')).outcome;
SELECT v.location_ip, v.config_id IS NOT NULL AS config FROM pk_tracking.log_visit v;
SET ROLE regress_pkt_tracker;
SELECT t.outcome, t.reason, t.matched_by FROM pk_tracking.track(1, 'https://a.example/2', ip => '203.0.113.77', user_agent => 'agent') t;
SELECT t.outcome, t.reason, t.matched_by FROM pk_tracking.track_request('idsite=1&rec=1&_id=feedfacecafebeef', '198.51.100.7', 'agent') t;
SELECT current_user = 'regress_pkt_tracker' AS "still the caller";
SET ROLE regress_pkt_owner;
SELECT count(*), sum(visit_total_actions) FROM pk_tracking.visit;
SELECT count(*) FROM pk_tracking.match_visitor(1, 'feedfacecafebeef');
SELECT pk_tracking.fingerprint(1, '203.0.113.77', 'agent') IS NOT NULL AS fingerprint;
SELECT count(*) > 5 AS status FROM pk_tracking.status();
-- given to another role, which grant_owner() gives what it needs
RESET ROLE;
CREATE ROLE regress_pkt_heir;
DO $$
DECLARE
	obj record;
BEGIN
	FOR obj IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND pg_get_userbyid(c.relowner) = 'regress_pkt_owner' AND c.relkind IN ('r', 'v') LOOP
		EXECUTE format('ALTER %s %s OWNER TO regress_pkt_heir', CASE obj.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, obj.name);
	END LOOP;
END $$;
SELECT pk_tracking.grant_owner('regress_pkt_heir');
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA pk_tracking, pk_tracking_internal FROM regress_pkt_owner;
SET ROLE regress_pkt_tracker;
SELECT t.outcome, t.reason, t.matched_by FROM pk_tracking.track(1, 'https://a.example/3', ip => '203.0.113.77', user_agent => 'agent') t;
ROLLBACK;
-- back with the old log, in the same session
SELECT (pk_tracking.track(:site, at => '2026-03-02 12:00+00')).outcome;
SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idsite = :site;
DROP ROLE regress_pkt_owner, regress_pkt_tracker;
DELETE FROM pk_tracking.setting;
