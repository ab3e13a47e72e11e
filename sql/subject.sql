-- A person's data: find_subject(), export_subject(), forget_subject(), the register of
-- erasures, replay_erasures().  Whatever is done with one person, the rows of all others
-- stay as they are, by checksum.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;
END $$;
SELECT pk_tracking.add_site('subjects', ARRAY['https://s.example'], ecommerce => true) AS site \gset
SELECT pk_tracking.add_site('subjects elsewhere', ARRAY['https://t.example'], ecommerce => true) AS other \gset
SELECT set_config('test.site', :'site', false) IS NOT NULL AS ok;
SELECT pk_tracking.add_dimension(:site, 'plan', 'visit') AS visit_dimension, pk_tracking.add_dimension(:site, 'colour', 'action') AS action_dimension \gset

-- One hit after the other: a person's network, user id, cookie, minute, what it says.
CREATE FUNCTION pg_temp.hit(site integer, net integer, minute numeric, query text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.outcome, t.outcome_reason) FROM pk_tracking.track_request('idsite=' || site || '&rec=1&' || query, '10.0.0.1'::inet + 65536 * net, 'agent', 'de',
		'2026-05-04 10:00+00'::timestamptz + minute * interval '1 minute', headers => '{"referer": "https://search.example/?q=word"}') t
$$;
-- one: a single visit, with everything; its name is in a URL, a title, a search, an event
CREATE FUNCTION pg_temp.everything(site integer, uid text, net integer, minute numeric) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM unnest(ARRAY[
		'url=https://s.example/?mail=' || uid || '%40x.example&action_name=Hello%20' || uid || '&urlref=https://www.google.com/search%3Fq%3D' || uid || '&dimension1=' || uid,
		'url=https://s.example/b&dimension2=' || uid || '&search=' || uid,
		'url=https://s.example/c&e_c=mail&e_a=' || uid || '&e_n=n&e_v=3',
		'url=https://s.example/d&c_n=ad&c_p=' || uid || '&c_t=https%3A%2F%2Fads.example%2F%3Fu%3D' || uid || '&c_i=click',
		'url=https://s.example/e&link=https%3A%2F%2Fout.example%2F%3Fu%3D' || uid,
		'url=https://s.example/f&idgoal=0&ec_id=order-' || uid || '&revenue=5&ec_items=%5B%5B%22sku%22%2C%22name%22%2C%22cat%22%2C5%2C1%5D%5D',
		'url=https://s.example/g&idgoal=0&ec_items=%5B%5B%22cart-' || uid || '%22%2C%22name%22%2C%22cat%22%2C5%2C1%5D%5D&revenue=7']) WITH ORDINALITY q (q, n)
	WHERE pg_temp.hit(site, net, minute + n / 10.0, q || '&uid=' || uid || '&_id=' || substr(md5(uid), 1, 16)) = 'recorded'
$$;
SELECT pg_temp.everything(:site, 'one', 1, 0), pg_temp.everything(:other, 'one', 1, 0);
-- many: a thousand visits, one statement of an attached table; others beside them
CREATE TABLE pg_temp.raw (idsite integer, at timestamptz, ip inet, user_agent text, url text, uid text);
SELECT count(*) FROM pk_tracking.attach('pg_temp.raw');
INSERT INTO pg_temp.raw SELECT :site, '2026-01-01 00:00+00'::timestamptz + n * interval '2 hours', '10.200.0.1'::inet + n % 3 * 65536, 'agent', 'https://s.example/' || n % 50,
	CASE WHEN n % 3 = 0 THEN 'many' ELSE 'other' || n % 7 END FROM generate_series(1, 3000) n;
-- hot: one visit of forty pages
SELECT count(*) FROM generate_series(1, 40) n WHERE pg_temp.hit(:site, 2, 100 + n / 10.0, 'uid=hot&url=https://s.example/hot/' || n % 5) = 'recorded';
-- cookie: two visits of a browser without a login, one with; somebody else has logged in there
SELECT pg_temp.hit(:site, 3, 200, '_id=c00c1ec00c1ec00c&url=https://s.example/1'), pg_temp.hit(:site, 3, 300, '_id=c00c1ec00c1ec00c&url=https://s.example/2');
SELECT pk_tracking.set_site(:site, 'enable_userid_overwrites_visitorid', 'off');
SELECT pg_temp.hit(:site, 3, 400, '_id=c00c1ec00c1ec00c&uid=anna&url=https://s.example/3'), pg_temp.hit(:site, 3, 500, '_id=c00c1ec00c1ec00c&uid=bert&url=https://s.example/4');
SELECT pk_tracking.reset_site(:site, 'enable_userid_overwrites_visitorid');
-- an order that has not got its id, and people of whom nothing else is known
SELECT pg_temp.hit(:site, 4, 600, '_id=00000000000000a4&idgoal=0&ec_id=order-one&revenue=6');
SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous');
SELECT pg_temp.hit(:site, 5, 700, 'consent=0&url=https://s.example/anonymous');
SELECT pk_tracking.reset_site(:site, 'consent_mode');
-- as the site escapes it
SELECT pg_temp.hit(:site, 6, 800, 'uid=O%27Neil+%26+sons&url=https://s.example/5');
SELECT pk_tracking.set_site(:site, 'anonymize_user_id', 'on');
SELECT pg_temp.hit(:site, 7, 900, 'uid=hidden&url=https://s.example/6');
SELECT pk_tracking.reset_site(:site, 'anonymize_user_id');

\echo 1. Find, by each key
CREATE FUNCTION pg_temp.found(VARIADIC args text[]) RETURNS TABLE (why text, visits bigint, users text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT array_to_string(f.why, '',''), count(*), string_agg(DISTINCT CASE WHEN f.visit_user_id ~ ''^[0-9a-f]{40}$'' THEN ''(hash)'' ELSE f.visit_user_id END, '','')
		FROM pk_tracking.find_subject(%s, %s) f GROUP BY 1 ORDER BY 1', current_setting('test.site'), array_to_string(args, ', '));
END $$;
SELECT * FROM pg_temp.found($$user_id => 'one'$$);
SELECT * FROM pg_temp.found($$user_id => 'many'$$);
SELECT * FROM pg_temp.found($$user_id => 'hot'$$);
SELECT * FROM pg_temp.found($$user_id => 'O''Neil & sons'$$);
SELECT * FROM pg_temp.found($$user_id => 'hidden'$$);
SELECT * FROM pg_temp.found($$user_id => 'nobody'$$);
SELECT * FROM pg_temp.found($$visitor_id => 'c00c1ec00c1ec00c'$$);
SELECT * FROM pg_temp.found($$user_id => 'anna'$$);
SELECT * FROM pg_temp.found($$user_id => 'anna'$$, 'linked => true');
SELECT * FROM pg_temp.found($$idorder => 'order-one'$$);
SELECT * FROM pg_temp.found($$user_id => 'one'$$, $$idorder => 'order-one'$$);
SELECT * FROM pg_temp.found(format('idvisits => ARRAY(SELECT idvisit FROM pk_tracking.log_visit WHERE user_id = ''hot'')'));
-- of another site nothing is found
SELECT * FROM pg_temp.found(format('idvisits => ARRAY(SELECT idvisit FROM pk_tracking.log_visit WHERE user_id = ''one'' AND idsite = %s)', :other));
SELECT * FROM pg_temp.found($$user_id => 'many'$$, 'max_visits => 1000');
SELECT * FROM pg_temp.found($$user_id => 'many'$$, 'max_visits => 999');
SELECT * FROM pg_temp.found('max_visits => 5');
SELECT * FROM pg_temp.found($$user_id => ''$$);
SELECT * FROM pk_tracking.find_subject(-5, 'one');

\echo 2. Export: every column of the catalog, each explained, names by column
CREATE TEMP TABLE export AS SELECT pk_tracking.export_subject(:site, 'one') AS e;
SELECT jsonb_array_length(e -> 'visits') AS visits, e #> '{visits,0,why}' AS why, jsonb_array_length(e #> '{visits,0,log_link_visit_action}') AS actions,
	jsonb_array_length(e #> '{visits,0,log_conversion}') AS conversions, jsonb_array_length(e #> '{visits,0,log_conversion_item}') AS items FROM export;
CREATE TEMP VIEW exported AS
	SELECT r.relation, k.key FROM export e, (VALUES ('log_visit', '{visits,0,log_visit}'::text[]), ('log_link_visit_action', '{visits,0,log_link_visit_action,0}'),
		('log_conversion', '{visits,0,log_conversion,0}'), ('log_conversion_item', '{visits,0,log_conversion_item,0}')) r (relation, path), jsonb_object_keys(e.e #> r.path) k (key) WHERE k.key <> 'names';
CREATE TEMP VIEW in_catalog AS
	SELECT c.relname::text AS relation, a.attname::text AS key FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relname IN ('log_visit', 'log_link_visit_action', 'log_conversion', 'log_conversion_item') AND a.attnum > 0 AND NOT a.attisdropped;
SELECT (SELECT count(*) > 140 FROM in_catalog) AS many;
(TABLE in_catalog EXCEPT TABLE exported) UNION ALL (TABLE exported EXCEPT TABLE in_catalog);
SELECT t.key AS relation, c.key AS "not explained" FROM export, jsonb_each(e -> 'columns') t, jsonb_each_text(t.value) c WHERE coalesce(c.value, '') = '';
(TABLE in_catalog EXCEPT SELECT t.key, c.key FROM export, jsonb_each(e -> 'columns') t, jsonb_each(t.value) c);
-- other tables with a number of a visit, a visitor or a user
SELECT DISTINCT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
	AND a.attname IN ('idvisit', 'idvisitor', 'user_id', 'config_id') AND c.relname NOT IN (SELECT relation FROM in_catalog) ORDER BY 1;
SELECT DISTINCT n.key, n.value FROM export, jsonb_path_query(e, '$.visits[*].**.names') j, jsonb_each_text(j) n WHERE n.value ~ 'one' ORDER BY 1, 2;
SELECT e -> 'custom_dimensions' AS dimensions, e #> '{visits,0,log_visit,custom_dimensions}' AS visit, e #>> '{visits,0,log_visit,referer_url}' AS referrer FROM export;
SELECT jsonb_array_length(pk_tracking.export_subject(:site, 'many') -> 'visits') AS many, pk_tracking.export_subject(:site, 'nobody') -> 'visits' AS nobody;

\echo 3. Forget
/* All rows but those of some visits. */
CREATE FUNCTION pg_temp.checksum(without bigint[]) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(r, E'\n' ORDER BY r)) FROM (
		SELECT v::text AS r FROM pk_tracking.log_visit v WHERE v.idvisit <> ALL (without)
		UNION ALL SELECT l::text FROM pk_tracking.log_link_visit_action l WHERE l.idvisit <> ALL (without)
		UNION ALL SELECT c::text FROM pk_tracking.log_conversion c WHERE c.idvisit <> ALL (without)
		UNION ALL SELECT i::text FROM pk_tracking.log_conversion_item i WHERE i.idvisit <> ALL (without)
		UNION ALL SELECT a::text FROM pk_tracking.log_action a) t
$$;
/* Forgets, and says what became of others' rows. */
CREATE FUNCTION pg_temp.forget(VARIADIC args text[]) RETURNS TABLE (visits bigint, actions bigint, conversions bigint, items bigint, links bigint, rest text, others text) LANGUAGE plpgsql AS $$
DECLARE
	ids bigint[];
	before text;
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(f.idvisit), ''{}'') FROM pk_tracking.find_subject(%s, %s) f', current_setting('test.site'),
		(SELECT string_agg(a, ', ') FROM unnest(args) a WHERE a !~ '^(mode|reason|dry_run|suppress)')) INTO ids;
	before := pg_temp.checksum(ids);
	RETURN QUERY EXECUTE format('SELECT max(rows) FILTER (WHERE relation = ''log_visit''), max(rows) FILTER (WHERE relation = ''log_link_visit_action''), max(rows) FILTER (WHERE relation = ''log_conversion''),
		max(rows) FILTER (WHERE relation = ''log_conversion_item''), max(rows) FILTER (WHERE relation = ''session_link''), NULL::text, NULL::text
		FROM pk_tracking.forget_subject(%s, %s)', current_setting('test.site'), array_to_string(args, ', '));
	visits := NULL; actions := NULL; conversions := NULL; items := NULL; links := NULL;
	rest := (SELECT format('%s visits, %s actions, %s conversions, %s items', n.n_visits, n.n_actions, n.n_conversions, n.n_items) FROM pk_tracking_internal.count_rows(ids) n);
	others := CASE WHEN pg_temp.checksum(ids) = before THEN 'unchanged' ELSE 'CHANGED' END;
	RETURN NEXT;
END $$;
SELECT count(*) FROM pg_temp.forget($$user_id => 'nobody'$$);
SELECT * FROM pg_temp.forget($$user_id => 'many'$$, 'dry_run => true');
BEGIN;
SELECT * FROM pg_temp.forget($$user_id => 'one'$$, $$reason => 'letter of 4 May'$$);
SELECT * FROM pg_temp.forget($$user_id => 'many'$$);
SELECT * FROM pg_temp.forget($$user_id => 'hot'$$);
SELECT * FROM pg_temp.forget($$visitor_id => 'c00c1ec00c1ec00c'$$);
SELECT * FROM pg_temp.forget($$idorder => 'order-one'$$);
SELECT * FROM pg_temp.forget($$user_id => 'O''Neil & sons'$$);
SELECT * FROM pg_temp.found($$user_id => 'one'$$) UNION ALL SELECT * FROM pg_temp.found($$user_id => 'many'$$) UNION ALL SELECT * FROM pg_temp.found($$user_id => 'hot'$$);
SELECT function, mode, idsite = :site AS here, key_kinds, cardinality(key_hashes) AS hashes, parameters, reason, visits, actions, conversions, items FROM pk_tracking.erasures ORDER BY erased_at, visits, key_kinds;
-- the register does not say who it was
SELECT count(*) FROM pk_tracking.erasures e WHERE e::text ~ 'one|many|hot|c00c1e|Neil';
ROLLBACK;
-- a second time nothing is left to do; the first has forgotten the person of one site only
SELECT * FROM pg_temp.forget($$user_id => 'one'$$);
SELECT * FROM pg_temp.forget($$user_id => 'one'$$);
SELECT count(*) FROM pk_tracking.log_visit WHERE user_id = 'one' AND idsite = :other;

\echo 4. Anonymise
SELECT pg_temp.everything(:site, 'two', 11, 2000);
CREATE TEMP TABLE of_two AS SELECT idvisit FROM pk_tracking.find_subject(:site, 'two');
-- the names of its URLs without their queries are there already, so that no row is added
SELECT count(*) FROM unnest(ARRAY['url=https://s.example/', 'url=https://s.example/&link=https://out.example/', 'url=https://s.example/&c_n=a&c_t=https://ads.example/']) q WHERE pg_temp.hit(:site, 13, 1990, q) = 'recorded';
SELECT * FROM pg_temp.forget($$user_id => 'two'$$, $$mode => 'anonymise'$$);
SELECT * FROM pg_temp.found($$user_id => 'two'$$) UNION ALL SELECT * FROM pg_temp.found($$idorder => 'order-two'$$) UNION ALL SELECT * FROM pg_temp.found(format('visitor_id => %L', substr(md5('two'), 1, 16)));
SELECT v.consent, v.idvisitor, v.config_id, v.user_id, v.location_ip, v.location_country, v.config_browser_name, v.custom_dimensions, v.referer_type, v.referer_name, v.referer_keyword, v.referer_url
	FROM pk_tracking.log_visit v JOIN of_two USING (idvisit);
SELECT kind, url, title, previous_url, event_action, search_keyword, content_target, consent, custom_dimensions FROM pk_tracking.action JOIN of_two USING (idvisit) ORDER BY idlink_va;
SELECT c.idgoal, c.buster, c.idorder, c.order_conflict, c.url, c.revenue, c.consent, c.idvisitor FROM pk_tracking.log_conversion c JOIN of_two USING (idvisit) ORDER BY idgoal;
SELECT i.idorder, i.consent, i.idvisitor, i.price FROM pk_tracking.log_conversion_item i JOIN of_two USING (idvisit) ORDER BY idorder;

\echo 5. Suppress
SELECT * FROM pg_temp.forget($$user_id => 'hot'$$, 'suppress => true');
SELECT * FROM pg_temp.forget($$visitor_id => 'c00c1ec00c1ec00c'$$, 'suppress => true');
SELECT pg_temp.hit(:site, 2, 3000, 'uid=hot&url=https://s.example/1'), pg_temp.hit(:site, 3, 3000, '_id=c00c1ec00c1ec00c&url=https://s.example/1'),
	pg_temp.hit(:site, 3, 3000, 'cid=c00c1ec00c1ec00c&url=https://s.example/1'), pg_temp.hit(:site, 3, 3000, 'uid=anna&_id=c00c1ec00c1ec00c&url=https://s.example/1'),
	pg_temp.hit(:other, 2, 3000, 'uid=hot&url=https://t.example/1'), pg_temp.hit(:site, 2, 3000, 'uid=hotter&url=https://s.example/1');
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track_requests(jsonb_build_array('?rec=1&uid=hot&url=https://s.example/2&idsite=' || :site, '?rec=1&uid=cold&url=https://s.example/2&idsite=' || :site), NULL, 'agent', 'de') t;
INSERT INTO pg_temp.raw VALUES (:site, '2026-05-06 00:00+00', '10.2.0.1', 'agent', 'https://s.example/3', 'hot'), (:site, '2026-05-06 00:00+00', '10.2.0.1', 'agent', 'https://s.example/3', 'cold');
SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous');
SELECT pg_temp.hit(:site, 2, 3100, 'consent=0&uid=hot&url=https://s.example/1'), pg_temp.hit(:site, 2, 3100, 'consent=0&uid=cold&url=https://s.example/1');
SELECT pk_tracking.reset_site(:site, 'consent_mode');
SELECT pk_tracking.set_site(:site, 'anonymize_user_id', 'on');
SELECT pg_temp.hit(:site, 2, 3200, 'uid=hot&url=https://s.example/1');
SELECT pk_tracking.reset_site(:site, 'anonymize_user_id');
SELECT * FROM pg_temp.found($$user_id => 'hot'$$);
SELECT reason, sum(hits) FROM pk_tracking.excluded WHERE idsite = :site GROUP BY reason;
-- whoever may track is not told so
CREATE ROLE regress_pkt_subject;
SELECT pk_tracking.grant_tracker('regress_pkt_subject');
SET ROLE regress_pkt_subject;
SELECT t.outcome, t.outcome_reason, t.idvisit FROM pk_tracking.track(current_setting('test.site')::integer, 'https://s.example/1', user_id => 'hot') t;
SELECT count(*) FROM pk_tracking.find_subject(current_setting('test.site')::integer, 'hot');
SELECT count(*) FROM pk_tracking.forget_subject(current_setting('test.site')::integer, 'hot');
RESET ROLE;
DROP OWNED BY regress_pkt_subject;
DROP ROLE regress_pkt_subject;
-- a row less, and the person is tracked again
DELETE FROM pk_tracking.suppressed WHERE kind = 'visitor_id';
SELECT pg_temp.hit(:site, 3, 3300, '_id=c00c1ec00c1ec00c&url=https://s.example/1');
SELECT max(rows) FROM pk_tracking.forget_subject(:site, visitor_id => 'c00c1ec00c1ec00c');
SELECT * FROM pk_tracking.renew_erasure_salt();

\echo 6. An older backup
CREATE TEMP TABLE kept_visits AS TABLE pk_tracking.log_visit;
CREATE TEMP TABLE kept_actions AS TABLE pk_tracking.log_link_visit_action;
CREATE TEMP TABLE kept_conversions AS TABLE pk_tracking.log_conversion;
CREATE TEMP TABLE kept_items AS TABLE pk_tracking.log_conversion_item;
SELECT pg_temp.everything(:site, 'three', 12, 4000);
INSERT INTO kept_visits SELECT * FROM pk_tracking.log_visit WHERE user_id = 'three';
INSERT INTO kept_actions SELECT * FROM pk_tracking.log_link_visit_action WHERE idvisit IN (SELECT idvisit FROM kept_visits WHERE user_id = 'three');
INSERT INTO kept_conversions SELECT * FROM pk_tracking.log_conversion WHERE idvisit IN (SELECT idvisit FROM kept_visits WHERE user_id = 'three');
INSERT INTO kept_items SELECT * FROM pk_tracking.log_conversion_item WHERE idvisit IN (SELECT idvisit FROM kept_visits WHERE user_id = 'three');
SELECT max(rows) FROM pk_tracking.forget_subject(:site, idorder => 'order-three');
SELECT max(rows) FROM pk_tracking.forget_subject(:site, user_id => 'many', mode => 'anonymise', suppress => true);
SELECT max(rows) FROM pk_tracking.forget_subject(:site, idvisits => ARRAY(SELECT idvisit FROM pk_tracking.log_visit WHERE user_id = 'other1' AND idsite = :site));
CREATE TEMP TABLE document AS SELECT pk_tracking.export_erasures() AS d;
SELECT pg_temp.checksum('{}') AS right_log \gset
CREATE FUNCTION pg_temp.restore() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE pk_tracking.log_visit, pk_tracking.erasures, pk_tracking.suppressed;
	INSERT INTO pk_tracking.log_visit TABLE kept_visits;
	INSERT INTO pk_tracking.log_link_visit_action TABLE kept_actions;
	INSERT INTO pk_tracking.log_conversion TABLE kept_conversions;
	INSERT INTO pk_tracking.log_conversion_item TABLE kept_items;
	PERFORM pk_tracking.import_salt('erasure', sha256('another instance'));
END $$;
SELECT pg_temp.restore();
SELECT pg_temp.checksum('{}') = :'right_log' AS right;
SELECT count(*) FROM pk_tracking.find_subject(:site, 'many');
SELECT r.function, r.visits FROM document, pk_tracking.replay_erasures(d) r WHERE r.visits > 0 ORDER BY r.visits;
SELECT pg_temp.checksum('{}') = :'right_log' AS right;
SELECT pg_temp.hit(:site, 9, 5000, 'uid=many&url=https://s.example/1');
-- again: nothing more
SELECT r.function, r.visits FROM document, pk_tracking.replay_erasures(d) r WHERE r.visits > 0 ORDER BY r.visits;
SELECT pg_temp.checksum('{}') = :'right_log' AS right;
-- what came after an erasure is not touched
SELECT (pk_tracking.track(:site, 'https://s.example/1', user_id => 'three', ip => '10.9.0.1', user_agent => 'agent')).outcome;
SELECT max(r.visits) FROM document, pk_tracking.replay_erasures(d) r;
SELECT count(*) FROM pk_tracking.find_subject(:site, 'three');
SELECT pg_temp.restore();
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'other2');
SELECT count(*) FROM document, pk_tracking.replay_erasures(d);
SELECT pk_tracking.replay_erasures('{}');
TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;
-- a purge again: what was older then, and no more; a deleted site; an entry of a later version does nothing
SELECT pk_tracking.add_site('replayed', timezone => 'Asia/Tokyo') AS replayed \gset
SELECT count(t.outcome) FROM unnest(ARRAY['2026-02-01 14:00+00', '2026-02-01 15:30+00', '2026-03-01 10:00+00']::timestamptz[]) WITH ORDINALITY u (at, n), pk_tracking.track(:replayed, 'https://r.example/', visitor_id => lpad(u.n::text, 16, '0')::hexid, at => u.at) t;
CREATE FUNCTION pg_temp.entry(function text, parameters jsonb, mode text DEFAULT 'erase') RETURNS jsonb LANGUAGE sql AS $$
	SELECT pk_tracking.export_erasures() || jsonb_build_object('erasures', jsonb_build_array(jsonb_build_object('iderasure', gen_random_uuid(), 'erased_at', '2026-02-12 01:00+00', 'role', 'r', 'function', function, 'mode', mode,
		'idsite', (SELECT idsite FROM pk_tracking.site WHERE name = 'replayed'), 'key_kinds', '{}'::text[], 'key_hashes', '{}'::text[], 'parameters', parameters, 'visits', 0, 'actions', 0, 'conversions', 0, 'items', 0, 'session_links', 0)))
$$;
SELECT r.visits FROM pk_tracking.replay_erasures(pg_temp.entry('purge', '{}')) r;
SELECT r.visits FROM pk_tracking.replay_erasures(pg_temp.entry('something', '{}')) r;
SELECT r.visits FROM pk_tracking.replay_erasures(pg_temp.entry('maintain', '{"older_than": 10, "what": ["visitor_id"]}', 'anonymise')) r;
SELECT consent, count(*) FROM pk_tracking.log_visit WHERE idsite = :replayed GROUP BY consent ORDER BY consent;
SELECT r.visits FROM pk_tracking.replay_erasures(pg_temp.entry('purge', '{"older_than": 10}')) r;
SELECT visit_first_action_time FROM pk_tracking.log_visit WHERE idsite = :replayed ORDER BY 1;
SELECT r.visits FROM pk_tracking.replay_erasures(pg_temp.entry('delete_site', '{}')) r;
SELECT count(*) FROM pk_tracking.site WHERE name = 'replayed';
TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;
-- with its salt gone an entry is nobody's
SELECT pk_tracking.renew_erasure_salt();
SELECT count(*) AS others FROM document, jsonb_array_elements(d -> 'erasures') e, jsonb_array_elements_text(e -> 'key_hashes') h
	WHERE h::bytea = pk_tracking_internal.subject_key_hash(:site, 'user_id', 'many');

-- a long list: even ones of one site, odd ones of the other, and nobody else
SELECT count(DISTINCT n) FROM generate_series(1, 50) n, pk_tracking.forget_subject(CASE n % 2 WHEN 0 THEN :site ELSE :other END, 'listed' || n, suppress => true);
SELECT h.said, h.here, count(*) FROM (SELECT n % 2 = s.odd AND n <= 50 AS here, pg_temp.hit(s.site, 40, 30000 + n, 'url=https://s.example/&uid=listed' || n) AS said
	FROM (VALUES (0, :site), (1, :other)) AS s (odd, site), generate_series(1, 60) n) h GROUP BY 1, 2 ORDER BY 1, 2;
TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;

\echo 7. Wrong arguments
SELECT pk_tracking.forget_subject(:site);
SELECT pk_tracking.forget_subject(:site, 'x', mode => 'delete');
SELECT pk_tracking.forget_subject(:site, idorder => 'x', suppress => true);
SELECT pk_tracking.forget_subject(:site, 'other3', max_visits => 3);
SELECT pk_tracking.forget_subject(0, 'x');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pk_tracking.forget_subject(:site, 'x');
ROLLBACK;
DROP TABLE pg_temp.raw;
CALL pk_tracking.delete_site(:site);
CALL pk_tracking.delete_site(:other);
TRUNCATE pk_tracking.erasures CASCADE;
