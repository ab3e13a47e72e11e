-- What an answer tells the role that tracks: nothing of anybody who is on the
-- site, unless the right to full answers was granted (doc/privacy.md, "What
-- answers tell").  A role that may track may also roll back, and so try out who
-- would be recognised.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	PERFORM set_config('test.site', pk_tracking.add_site('answers', ARRAY['https://answers.example'])::text, false);
END $$;
CREATE ROLE regress_pkt_asks;
CREATE ROLE regress_pkt_group;
CREATE ROLE regress_pkt_knows;
CREATE SCHEMA regress_pkt_asks AUTHORIZATION regress_pkt_asks;
SELECT pk_tracking.grant_tracker('regress_pkt_asks');
SELECT pk_tracking.grant_tracker('regress_pkt_group');

-- Ada is on the site: by fingerprint, by cookie, as a user, with an order, and as somebody without a name
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://answers.example/', ip => '192.0.2.1', user_agent => 'ada', accept_language => 'de', visitor_id => '00000000000000ad', user_id => 'ada', at => '2026-04-01 10:00');
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'consent_mode', 'ask_else_anonymous');
SELECT outcome, new_visit, idvisitor FROM pk_tracking.track(current_setting('test.site')::integer, 'https://answers.example/', ip => '192.0.2.9', user_agent => 'nameless', accept_language => 'de', at => '2026-04-01 10:00');
SELECT pk_tracking.add_goal(current_setting('test.site')::integer, 'asked', 'manually') AS idgoal \gset

-- A hit that is tried: the row without the values of random cookies, rolled back.
CREATE FUNCTION pg_temp.try(query text, ip inet, agent text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.tracked;
BEGIN
	BEGIN
		r := pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&' || query, ip, agent, 'de', '2026-04-01 10:10', strict => false);
		RAISE 'undo' USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
	END;
	IF r.cookie_value <> coalesce(substring(query FROM '_id=([0-9a-f]+)'), '') THEN
		r.cookie_value := 'random';
	END IF;
	RETURN r::text;
END $$;
-- The same hit of somebody who is there and of somebody who is not.
CREATE FUNCTION pg_temp.tell() RETURNS TABLE (hit text, of_ada text, differs text) LANGUAGE plpgsql SECURITY INVOKER AS $$
DECLARE
	stranger text;
	q text[];
BEGIN
	FOREACH q SLICE 1 IN ARRAY '{{page,consent=1&url=https://answers.example/},{cookie,consent=1&url=https://answers.example/&_id=00000000000000ad},{user,consent=1&url=https://answers.example/&uid=ada},{cid,consent=1&url=https://answers.example/&cid=00000000000000ad},{heartbeat,consent=1&ping=1},{heartbeat with cookie,consent=1&ping=1&_id=00000000000000ad},{goal,consent=1&idgoal=1},{order,consent=1&idgoal=0&ec_id=ours&revenue=5}}'::text[] LOOP
		hit := q[1];
		of_ada := pg_temp.try(q[2], '192.0.2.1', 'ada');
		stranger := pg_temp.try(replace(replace(q[2], '00000000000000ad', '00000000000000bc'), 'uid=ada', 'uid=bob'), '198.51.100.1', 'stranger');
		differs := CASE WHEN replace(stranger, '00000000000000bc', '00000000000000ad') <> of_ada THEN 'differs: ' || stranger END;
		RETURN NEXT;
	END LOOP;
	FOREACH q SLICE 1 IN ARRAY '{{nameless page,url=https://answers.example/},{nameless heartbeat,ping=1},{nameless goal,idgoal=1},{nameless heartbeat with id,ping=1&_id=00000000000000ad},{agrees now,consent=1&url=https://answers.example/}}'::text[] LOOP
		hit := q[1];
		of_ada := pg_temp.try(q[2], '192.0.2.9', 'nameless');
		stranger := pg_temp.try(q[2], '198.51.100.1', 'stranger');
		differs := CASE WHEN stranger <> of_ada THEN 'differs: ' || stranger END;
		RETURN NEXT;
	END LOOP;
END $$;

\echo 1. A tracker learns nothing
SET ROLE regress_pkt_asks;
SELECT * FROM pg_temp.tell();
RESET ROLE;

\echo 2. Nor where rows name a cookie
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'server_cookie', 'on');
SET ROLE regress_pkt_asks;
SELECT * FROM pg_temp.tell();
RESET ROLE;
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'cookie_renewal', 'off');
SET ROLE regress_pkt_asks;
SELECT hit, differs FROM pg_temp.tell() WHERE differs IS NOT NULL;
RESET ROLE;
SELECT pk_tracking.reset_site(current_setting('test.site')::integer, 'cookie_renewal');

\echo 3. Nor after a limit of the session
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'create_new_visit_after_x_actions', '1');
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'session_limit_exceeded_action', 'split_and_exclude');
SELECT concat_ws(' ', outcome, outcome_reason) AS owner FROM pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&consent=1', '192.0.2.1', 'ada', 'de', '2026-04-01 10:10');
SET ROLE regress_pkt_asks;
SELECT hit, differs FROM pg_temp.tell() WHERE differs IS NOT NULL;
RESET ROLE;
SELECT pk_tracking.reset_site(current_setting('test.site')::integer, 'create_new_visit_after_x_actions');
SELECT pk_tracking.reset_site(current_setting('test.site')::integer, 'session_limit_exceeded_action');
SELECT pk_tracking.reset_site(current_setting('test.site')::integer, 'server_cookie');

\echo 4. By the other ways in
SET ROLE regress_pkt_asks;
BEGIN;
SELECT t FROM unnest('{ada,eve}'::text[]) agent, pk_tracking.track(current_setting('test.site')::integer, address => 'unknown', user_agent => agent, visitor_id => CASE agent WHEN 'ada' THEN '00000000000000ad'::hexid END, user_id => agent, consent => 'granted', at => '2026-04-01 10:10', params => '{"ping": 1}') t;
SELECT t FROM pk_tracking.track(current_setting('test.site')::integer, 'https://answers.example/', ip => '192.0.2.1', user_agent => 'ada', accept_language => 'de', consent => 'granted', at => '2026-04-01 10:10') t;
SELECT t FROM pk_tracking.track_requests(format('["?idsite=%1$s&rec=1&consent=1&_id=00000000000000ad", "?idsite=%1$s&rec=1&consent=1&ping=1&_id=00000000000000bc", "?idsite=0"]', current_setting('test.site'))::jsonb, '192.0.2.1', 'ada', 'de', '2026-04-01 10:10') t;
ROLLBACK;
CREATE TABLE regress_pkt_asks.raw (id integer PRIMARY KEY, idsite integer, url text, ip inet, ua text, lang text, _id text, consent text, ping integer, at timestamptz);
INSERT INTO regress_pkt_asks.raw VALUES (1, current_setting('test.site')::integer, 'https://answers.example/', '192.0.2.1', 'ada', 'de', '00000000000000ad', '1', NULL, '2026-04-01 10:10'),
	(2, current_setting('test.site')::integer, NULL, '192.0.2.1', 'ada', 'de', '00000000000000bc', '1', 1, '2026-04-01 10:10'), (3, current_setting('test.site')::integer, NULL, '198.51.100.7', 'eve', 'de', NULL, '1', 1, '2026-04-01 10:10');
SELECT row_number, outcome, outcome_reason, idvisitor, matched_by, new_visit, reason, visitor_returning FROM pk_tracking.attach('regress_pkt_asks.raw', '{"idsite": "idsite", "url": "url", "ip": "ip", "ua": "ua", "lang": "lang", "_id": "_id", "consent": "consent", "ping": "ping", "at": "at"}', dry_run => true);
SELECT pk_tracking.attach('regress_pkt_asks.raw', '{"idsite": "idsite", "url": "url", "ip": "ip", "ua": "ua", "lang": "lang", "_id": "_id", "consent": "consent", "ping": "ping", "at": "at"}');
SET client_min_messages = notice;
BEGIN;
INSERT INTO regress_pkt_asks.raw SELECT id + 10, idsite, url, ip, ua, lang, _id, consent, ping, at FROM regress_pkt_asks.raw;
ROLLBACK;
SET client_min_messages = warning;
RESET ROLE;

-- two orders of one id: whoever finds no visit of Ada's makes one, which the second order would find again
CREATE FUNCTION pg_temp.twice(ip text, agent text) RETURNS TABLE (way text, told text) LANGUAGE plpgsql AS $$
DECLARE
	order_query text := '?idsite=' || current_setting('test.site') || '&rec=1&consent=1&_id=00000000000000bc&idgoal=0&ec_id=twice&revenue=1';
	document jsonb;
BEGIN
	BEGIN
		way := 'requests'; told := '';
		SELECT string_agg(concat_ws(' ', t.outcome, t.outcome_reason), ', ') INTO told FROM (VALUES (ip, agent), ('203.0.113.77', 'other')) AS h (ip, agent), pk_tracking.track_request(order_query, h.ip::inet, h.agent, 'de', '2026-04-01 10:10', strict => current_user = 'regress_pkt_asks') t;
		RETURN NEXT;
		RAISE 'undo' USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
	END;
	document := jsonb_build_object('requests', jsonb_build_array(order_query || '&ua=' || agent, order_query || '&ua=other'));
	BEGIN
		way := 'document';
		SELECT string_agg(concat_ws(' ', t.outcome, t.outcome_reason), ', ') INTO told FROM pk_tracking.track_requests(document, ip::inet, agent, 'de', '2026-04-01 10:10') t;
		RETURN NEXT;
		RAISE 'undo' USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
	END;
	BEGIN
		way := 'answer'; told := pk_tracking.track_requests_answer(document, ip::inet, agent, 'de', '2026-04-01 10:10');
		RETURN NEXT;
		RAISE 'undo' USING ERRCODE = 'P0099';
	EXCEPTION WHEN SQLSTATE 'P0099' THEN
	END;
END $$;
SET ROLE regress_pkt_asks;
SELECT a.way, a.told AS of_ada, s.told AS of_stranger FROM pg_temp.twice('192.0.2.1', 'ada') a JOIN pg_temp.twice('198.51.100.1', 'stranger') s USING (way);
CREATE TABLE regress_pkt_asks.orders (idsite integer, ip inet, ua text, _id text, consent text, idgoal integer, ec_id text, revenue text, at timestamptz);
SELECT pk_tracking.attach('regress_pkt_asks.orders');
SET client_min_messages = notice;
BEGIN;
INSERT INTO regress_pkt_asks.orders SELECT current_setting('test.site')::integer, i::inet, i, '00000000000000bc', '1', 0, 'twice', '1', '2026-04-01 10:10' FROM unnest('{198.51.100.1,203.0.113.77}'::text[]) i;
INSERT INTO regress_pkt_asks.orders VALUES (current_setting('test.site')::integer, '198.51.100.1', 'x', '00000000000000bc', '1', 0, 'twice', '1', '2026-04-01 10:10');
ROLLBACK;
SET client_min_messages = warning;
RESET ROLE;
-- the owner is told
SELECT way, told FROM pg_temp.twice('198.51.100.1', 'stranger');

\echo 5. The right to full answers: granted, in the same session at once, to a member of a role, taken away
SELECT pk_tracking.grant_tracker('regress_pkt_asks', answers => 'full');
CREATE TEMP TABLE ada AS SELECT v.idvisit FROM pk_tracking.log_visit v WHERE v.idsite = current_setting('test.site')::integer AND v.user_id = 'ada';
GRANT SELECT ON ada TO PUBLIC;
SET ROLE regress_pkt_asks;
SELECT hit, of_ada ~ ('^\(recorded,,' || a.idvisit || ',') AS is_ada, differs IS NOT NULL AS differs FROM ada a, pg_temp.tell();
SELECT row_number, outcome, outcome_reason, idvisitor, matched_by, new_visit, reason, visitor_returning FROM pk_tracking.attach('regress_pkt_asks.raw', '{"idsite": "idsite", "url": "url", "ip": "ip", "ua": "ua", "lang": "lang", "_id": "_id", "consent": "consent", "ping": "ping", "at": "at"}', dry_run => true);
SET client_min_messages = notice;
BEGIN;
INSERT INTO regress_pkt_asks.raw SELECT id + 10, idsite, url, ip, ua, lang, _id, consent, ping, at FROM regress_pkt_asks.raw;
ROLLBACK;
SET client_min_messages = warning;
RESET ROLE;
SELECT pk_tracking.grant_tracker('regress_pkt_asks', answers => 'short');
SET ROLE regress_pkt_asks;
SELECT count(differs) AS differ FROM pg_temp.tell();
RESET ROLE;
SELECT pk_tracking.grant_tracker('regress_pkt_group', answers => 'full');
GRANT regress_pkt_group TO regress_pkt_asks;
SET ROLE regress_pkt_asks;
SELECT count(differs) > 0 AS by_group FROM pg_temp.tell();
RESET ROLE;
REVOKE regress_pkt_group FROM regress_pkt_asks;
SET ROLE regress_pkt_asks;
SELECT count(differs) > 0 AS by_group FROM pg_temp.tell();
RESET ROLE;
SELECT pk_tracking.grant_tracker('regress_pkt_group');
SET ROLE regress_pkt_group;
SELECT count(differs) > 0 AS default_takes_it_away FROM pg_temp.tell();
RESET ROLE;
-- two roles by turns in one session
SELECT pk_tracking.grant_tracker('regress_pkt_group', trusted => true, answers => 'full');
SET ROLE regress_pkt_group;
SELECT (pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00')).new_visit AS "group";
SET ROLE regress_pkt_asks;
SELECT (pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00')).new_visit AS asks;
SET ROLE regress_pkt_group;
SELECT (pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00')).new_visit AS "group";
RESET ROLE;
-- owner and superuser see all
CREATE FUNCTION regress_pkt_asks.by_owner() RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT t.new_visit FROM pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00') t $$;
GRANT EXECUTE ON FUNCTION regress_pkt_asks.by_owner TO regress_pkt_asks;
SELECT pk_tracking.grant_owner('regress_pkt_knows');
SET ROLE regress_pkt_knows;
SELECT (pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00')).new_visit AS owner;
RESET ROLE;
SELECT (pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00')).new_visit AS superuser;
ALTER ROLE regress_pkt_asks SUPERUSER;
SET ROLE regress_pkt_asks;
SELECT regress_pkt_asks.by_owner() AS owners_function, (pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00')).new_visit AS superuser;
RESET ROLE;
ALTER ROLE regress_pkt_asks NOSUPERUSER;
SET ROLE regress_pkt_asks;
SELECT regress_pkt_asks.by_owner() AS owners_function, (pk_tracking.track(current_setting('test.site')::integer, ip => '203.0.113.5', consent => 'granted', at => '2026-04-02 10:00')).new_visit AS asks;
SELECT pk_tracking_internal.full_answers();
RESET ROLE;
SELECT pk_tracking.grant_tracker('regress_pkt_asks', answers => 'all');
SELECT pk_tracking.grant_tracker('regress_pkt_missing', answers => 'full');

DROP FUNCTION regress_pkt_asks.by_owner();
DROP OWNED BY regress_pkt_asks, regress_pkt_group, regress_pkt_knows CASCADE;
DROP ROLE regress_pkt_asks, regress_pkt_group, regress_pkt_knows;
DELETE FROM pk_tracking.setting;
TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit;
