-- The cookies that rows name, as a round trip: browsers send, keep and drop
-- what the rows say, and nothing else (doc/tracking.md, "Cookies").
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	PERFORM set_config('test.site', pk_tracking.add_site('cookies')::text, false);
END $$;
-- what each browser holds, and until when
CREATE TEMP TABLE jar (browser text, name text, value text, kind text, until timestamptz, PRIMARY KEY (browser, name));
-- visits and ids get letters in the order in which they turn up
CREATE TEMP TABLE letter (what text, id text, n integer, PRIMARY KEY (what, id));
CREATE FUNCTION pg_temp.letter(what text, id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO letter SELECT letter.what, letter.id, (SELECT count(*) + 1 FROM letter l WHERE l.what = letter.what) WHERE letter.id IS NOT NULL ON CONFLICT DO NOTHING;
	RETURN letter.what || (SELECT l.n FROM letter l WHERE l.what = letter.what AND l.id = letter.id);
END $$;
-- Answer a row: do as it says, and tell what it said.
CREATE FUNCTION pg_temp.obey(browser text, t pk_tracking.tracked, now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM jar j WHERE j.browser = obey.browser AND j.name = ANY (t.delete_cookies);
	IF t.cookie_name IS NOT NULL THEN
		INSERT INTO jar VALUES (browser, t.cookie_name, t.cookie_value, t.cookie_kind, now + t.cookie_max_age * interval '1 s')
		ON CONFLICT ON CONSTRAINT jar_pkey DO UPDATE SET value = excluded.value, kind = excluded.kind, until = excluded.until;
	END IF;
	RETURN concat_ws(' ', t.outcome, pg_temp.letter('V', t.idvisit::text), 'by ' || t.matched_by, t.reason, pg_temp.letter('id', t.idvisitor::text),
		'| ' || t.cookie_kind || ' ' || t.cookie_name || ' ' || pg_temp.letter('id', t.cookie_value) || ' ' || t.cookie_max_age, '| deletes ' || array_to_string(t.delete_cookies, ' '));
END $$;
-- A hit by URL, with the browser's cookies in the header.
CREATE FUNCTION pg_temp.hit(browser text, minute numeric, query text DEFAULT '', net integer DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	now timestamptz := '2024-03-04 10:00+00'::timestamptz + minute * interval '1 minute';
	cookies text := (SELECT string_agg(j.name || '=' || j.value, '; ' ORDER BY j.name) FROM jar j WHERE j.browser = hit.browser AND j.until > now);
BEGIN
	RETURN pg_temp.obey(browser, pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&url=https://a.example/&' || query,
		'10.0.0.1'::inet + 65536 * coalesce(net, ascii(browser)), 'agent', 'de', now, jsonb_build_object('cookie', coalesce(cookies, ''))), now);
END $$;
-- The same by arguments: each kind of cookie has its own.
CREATE FUNCTION pg_temp.arg_hit(browser text, minute numeric, net integer DEFAULT NULL, consent text DEFAULT NULL, user_id text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	now timestamptz := '2024-03-04 10:00+00'::timestamptz + minute * interval '1 minute';
BEGIN
	RETURN pg_temp.obey(browser, pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/', ip => '10.0.0.1'::inet + 65536 * coalesce(net, ascii(browser)), user_agent => 'agent', accept_language => 'de', at => now,
		consent => consent, user_id => user_id,
		visitor_id => (SELECT j.value::hexid FROM jar j WHERE j.browser = arg_hit.browser AND j.kind = 'visitor' AND j.until > now),
		session_cookie => (SELECT j.value FROM jar j WHERE j.browser = arg_hit.browser AND j.kind = 'session' AND j.until > now)), now);
END $$;
CREATE FUNCTION pg_temp.mode(VARIADIC settings text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('test.site', pk_tracking.add_site('cookies')::text, false);
	FOR i IN 1 .. coalesce(array_length(settings, 1), 0) / 2 LOOP
		PERFORM pk_tracking.set_site(current_setting('test.site')::integer, settings[2 * i - 1], settings[2 * i]);
	END LOOP;
	TRUNCATE jar, letter;
	RETURN array_to_string(settings, ' ');
END $$;
\pset tuples_only on
\pset format unaligned
\pset fieldsep '\n'

\echo 1. Off: no visitor id cookie, and none is read
SELECT pg_temp.mode();
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, '_id=00000000000000a1'), pg_temp.hit('a', 2, 'uid=ada'), pg_temp.hit('a', 3, 'cid=00000000000000a1');
INSERT INTO jar VALUES ('b', '_pk_uid', '00000000000000b1', 'visitor', 'infinity');
SELECT pg_temp.hit('b', 0), pg_temp.hit('b', 1, net => 1);

\echo 2. On: a known visitor, from anywhere, and days later
SELECT pg_temp.mode('server_cookie', 'on', 'window_look_back_for_visitor', '604800');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, net => 1), pg_temp.hit('a', 2880, net => 2), pg_temp.hit('a', 2881);
SELECT pg_temp.arg_hit('b', 0), pg_temp.arg_hit('b', 1, 3), pg_temp.arg_hit('b', 2880, 4);
SELECT browser, name, kind, pg_temp.letter('id', value), until FROM jar ORDER BY 1 \g (fieldsep=' ')

\echo 3. A fingerprint match: never the id of the visit, and the same cookie from then on
SELECT pg_temp.mode('server_cookie', 'on');
SELECT pg_temp.hit('a', 0, net => 1), pg_temp.hit('b', 1, net => 1), pg_temp.hit('b', 2, net => 1), pg_temp.hit('a', 3, net => 1), pg_temp.hit('b', 60, net => 2), pg_temp.hit('b', 61, net => 3);

\echo 4. Log-in, log-out, another device: the cookie stays, and is never the hash
SELECT pg_temp.mode('server_cookie', 'on');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, 'uid=ada'), pg_temp.hit('a', 2, 'uid=ada', 1), pg_temp.hit('a', 3), pg_temp.hit('b', 4, 'uid=ada'), pg_temp.hit('b', 5, 'uid=ada'), pg_temp.hit('b', 6, 'uid=bob');
SELECT 'the hash as cookie: ' || count(*) FROM jar WHERE value IN (pk_tracking.user_id_visitor_id('ada')::text, pk_tracking.user_id_visitor_id('bob')::text);
SELECT pg_temp.mode('server_cookie', 'on', 'enable_userid_overwrites_visitorid', 'off');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, 'uid=ada', 1), pg_temp.hit('a', 2, net => 2);

\echo 5. Ids that go before it: cid, _id; the cookie follows them
SELECT pg_temp.mode('server_cookie', 'on');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, '_id=00000000000000a1', 1), pg_temp.hit('a', 2, net => 2), pg_temp.hit('a', 3, 'cid=00000000000000c1', 3), pg_temp.hit('a', 4, net => 4);

\echo 6. Consent given and withdrawn
SELECT pg_temp.mode('server_cookie', 'on', 'consent_mode', 'ask_else_anonymous');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1), pg_temp.hit('a', 2, 'consent=1'), pg_temp.hit('a', 3, 'consent=1', 1), pg_temp.hit('a', 4, 'uia=1'), pg_temp.hit('a', 5, 'uia=1'), pg_temp.hit('a', 6, 'consent=1'), pg_temp.hit('a', 7, 'consent=1', 1);
SELECT pg_temp.arg_hit('b', 0), pg_temp.arg_hit('b', 1, consent => 'granted', user_id => 'bob'), pg_temp.arg_hit('b', 2, consent => 'granted'), pg_temp.arg_hit('b', 3, consent => 'denied'), pg_temp.arg_hit('b', 4, consent => 'denied');
SELECT pg_temp.mode('server_cookie', 'on', 'consent_mode', 'ask_else_nothing');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, 'consent=1'), pg_temp.hit('a', 2, 'uia=1'), pg_temp.hit('a', 3);
SELECT pg_temp.mode('consent_mode', 'ask_else_anonymous');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, 'consent=1'), pg_temp.hit('a', 2, 'consent=1');

\echo 7. A browser sends its first two hits before it has an answer: one visit, whichever cookie it keeps
SELECT pg_temp.mode('server_cookie', 'on');
SELECT pg_temp.hit('a', 0, net => 1), pg_temp.hit('b', 0, net => 1), pg_temp.hit('a', 1, net => 1), pg_temp.hit('b', 2, net => 1);

\echo 7a. The same, and log-in, where a fingerprint joins no two ids: one visit, which is that of the cookie from then on
SELECT pg_temp.mode('server_cookie', 'on', 'fingerprint_joins_known_ids', 'off');
SELECT pg_temp.hit('a', 0, net => 1), pg_temp.hit('b', 0, net => 1), pg_temp.hit('b', 1, net => 1), pg_temp.hit('b', 2, net => 2), pg_temp.hit('b', 3, 'uid=ada', 3), pg_temp.hit('b', 4, net => 3);
SELECT pg_temp.hit('c', 0, net => 4), pg_temp.hit('d', 0, net => 4), pg_temp.hit('c', 1, net => 4), pg_temp.hit('c', 2, net => 5), pg_temp.hit('e', 3, net => 4), pg_temp.hit('e', 4, net => 4), pg_temp.hit('e', 5, net => 6);

\echo 8. cookie_renewal: a cookie keeps its first expiry; another one is named
SELECT pg_temp.mode('server_cookie', 'on', 'cookie_renewal', 'off');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, net => 1), pg_temp.hit('a', 2, 'uid=ada'), pg_temp.hit('a', 3, '_id=00000000000000a1'), pg_temp.hit('a', 4, '_id=00000000000000a1');
SELECT pg_temp.arg_hit('b', 0), pg_temp.arg_hit('b', 1, 1), pg_temp.arg_hit('b', 565919), pg_temp.arg_hit('b', 565920), pg_temp.arg_hit('b', 565921);
SELECT pg_temp.mode('use_third_party_id_cookie', 'on', 'cookie_renewal', 'off', 'consent_mode', 'ask_else_anonymous');
SELECT pg_temp.hit('a', 0, 'consent=1'), pg_temp.hit('a', 1, 'consent=1'), pg_temp.hit('a', 2, 'uia=1'), pg_temp.hit('a', 3, 'uia=1'), pg_temp.hit('a', 4, 'consent=1'), pg_temp.hit('a', 5, 'consent=1');

\echo 9. The third-party cookie keeps its meaning, with and without server_cookie
SELECT pg_temp.mode('use_third_party_id_cookie', 'on');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, net => 1), pg_temp.hit('a', 2, '_id=00000000000000a1', 2);
SELECT pg_temp.mode('use_third_party_id_cookie', 'on', 'server_cookie', 'on');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, net => 1), pg_temp.hit('a', 2, '_id=00000000000000a1', 2);

\echo 10. Other settings: trusted cookies, no cookies, the name and rules and form of Matomo
SELECT pg_temp.mode('server_cookie', 'on', 'trust_visitors_cookies', 'on');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, net => 1), pg_temp.hit('b', 2, '_id=00000000000000b1', 1), pg_temp.hit('a', 3, net => 1);
SELECT pg_temp.mode('server_cookie', 'on', 'force_cookieless_tracking', 'on');
INSERT INTO jar VALUES ('a', '_pk_uid', '00000000000000a1', 'visitor', 'infinity');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, net => 1);
SELECT pg_temp.mode('server_cookie', 'on', 'cookie_name', 'id', 'recognition_rules', 'matomo');
INSERT INTO jar VALUES ('a', '_pk_uid', '00000000000000a1', 'visitor', 'infinity'), ('b', 'id', '0%3DMDAwMDAwMDAwMDAwMDBiMQ%3D%3D%3A_%3D5ca1ab1e', 'visitor', 'infinity');
SELECT pg_temp.hit('a', 0), pg_temp.hit('a', 1, net => 1), pg_temp.hit('b', 2), pg_temp.hit('b', 3, net => 2);

\echo 11. In one document
SELECT pg_temp.mode('server_cookie', 'on');
INSERT INTO jar VALUES ('a', '_pk_uid', '00000000000000a1', 'visitor', 'infinity');
SELECT pg_temp.obey('a', t, '2024-03-04 10:00+00')
FROM pk_tracking.track_requests(format('{"requests": ["?idsite=%1$s&rec=1&url=https://a.example/1", "?idsite=%1$s&rec=1&url=https://a.example/2&uid=ada"]}', current_setting('test.site'))::jsonb, '10.1.0.1', 'agent', 'de', '2024-03-04 10:00+00', headers => '{"cookie": "_pk_uid=00000000000000a1"}') t;
