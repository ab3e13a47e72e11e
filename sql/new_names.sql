-- New names of strangers' hits are bounded by site and day; beyond the bound
-- "(too many)" stands in their place (doc/internals.md, "New names").
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
TRUNCATE pk_tracking.log_new_names;
CREATE SCHEMA regress_pkt_names;
SET search_path = regress_pkt_names, public;
CREATE FUNCTION next(VARIADIC settings text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('test.site', pk_tracking.add_site('names', ARRAY['https://n.example'])::text, false);
	FOR i IN 1 .. coalesce(array_length(settings, 1), 0) / 2 LOOP
		PERFORM pk_tracking.set_site(current_setting('test.site')::integer, settings[2 * i - 1], settings[2 * i]);
	END LOOP;
	RETURN array_to_string(settings, ' ');
END $$;
-- a hit, and what its action shows
CREATE FUNCTION hit(query text, trusted boolean DEFAULT false, minute integer DEFAULT 0) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked := pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&_id=00000000000000c1&' || query, '203.0.113.9', 'agent', 'de', '2026-06-01 10:00+00'::timestamptz + minute * interval '1 minute', trusted => hit.trusted);
BEGIN
	RETURN (SELECT coalesce(string_agg(concat_ws(', ', a.url, a.title, a.event_category || ':' || a.event_action), ''), t.outcome) FROM pk_tracking.action a WHERE a.idlink_va = t.idlink_va);
END $$;
CREATE FUNCTION counted() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(n.names) FROM pk_tracking.log_new_names n WHERE n.idsite = current_setting('test.site')::integer AND n.day = (now() AT TIME ZONE 'UTC')::date $$;
CREATE FUNCTION names() RETURNS TABLE (type smallint, url_prefix smallint, name text, n bigint) LANGUAGE sql AS $$
	SELECT a.type, a.url_prefix, a.name, count(*) FROM pk_tracking.log_action a WHERE a.idsite = current_setting('test.site')::integer GROUP BY 1, 2, 3 ORDER BY 1, 3
$$;
CREATE FUNCTION too_many() RETURNS bigint LANGUAGE sql AS $$ SELECT coalesce(sum(e.hits), 0)::bigint FROM pk_tracking.excluded e WHERE e.idsite = current_setting('test.site')::integer AND e.reason = 'too_many_names' $$;

\echo 1. Within the limit, at it, beyond it; known names need no counting
SELECT next('new_names_per_day', '5');
SELECT hit('url=https://n.example/1&action_name=One'), hit('url=https://n.example/2&action_name=Two'), counted();
SELECT hit('url=https://n.example/1&action_name=Two'), counted(), too_many();
SELECT hit('url=https://n.example/3&action_name=Three') AS "one of two", hit('url=https://n.example/4'), hit('url=https://n.example/2&action_name=Three'), hit('url=https://n.example/1&action_name=One') AS known, counted(), too_many();
SELECT hit('e_c=a&e_a=b&url=https://n.example/1') AS event, hit('link=http://elsewhere.example/'), hit('search=x'), too_many();
SELECT * FROM names();
SELECT u.url, u.nb_hits FROM pk_tracking.report_pages(current_setting('test.site')::integer, '2026-06-01', '2026-06-01') u ORDER BY 1;

\echo 2. Authenticated hits are not bounded, and not counted; what they bring is known to others
SELECT hit('url=https://n.example/5&action_name=Five', trusted => true), hit('url=https://n.example/5&action_name=Five'), hit('url=https://n.example/6'), counted(), too_many();

\echo 3. Another limit, none; another site; goals and extractions see the real text
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'new_names_per_day', '6');
SELECT hit('url=https://n.example/6'), hit('url=https://n.example/7'), counted();
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'new_names_per_day', '0');
SELECT hit('url=https://n.example/7'), hit('url=https://n.example/8'), counted();
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'new_names_per_day', '1');
SELECT pk_tracking.add_goal(current_setting('test.site')::integer, 'thanks', 'url', '/thanks') > 0 AS goal, pk_tracking.add_dimension(current_setting('test.site')::integer, 'section', 'action', '[{"dimension": "url", "pattern": "n.example/([a-z]+)"}]') > 0 AS dimension;
SELECT hit('url=https://n.example/thanks?secret=9&action_name=Thanks');
SELECT c.idgoal, c.url, (SELECT a.custom_dimensions FROM pk_tracking.log_link_visit_action a WHERE a.idlink_va = c.idlink_va) FROM pk_tracking.log_conversion c WHERE c.idsite = current_setting('test.site')::integer;
SELECT hit('idgoal=0&ec_id=1&revenue=5&ec_items=[["s1","Shoe",["a","b"],5,1],["s2","Sock","a",1,1]]');
SELECT a.name, i.quantity, i.price FROM pk_tracking.log_conversion_item i JOIN pk_tracking.log_action a ON a.idsite = i.idsite AND a.idaction = i.idaction_sku WHERE i.idsite = current_setting('test.site')::integer;
SELECT next('new_names_per_day', '1');
SELECT hit('url=https://n.example/1'), hit('url=https://n.example/2'), hit('link=https://n.example/1');

\echo 4. What is taken back does not count; what another session has counted does, also under an old snapshot
SELECT next('new_names_per_day', '3');
BEGIN;
SELECT hit('url=https://n.example/1'), counted();
SAVEPOINT a;
SELECT hit('url=https://n.example/2'), hit('url=https://n.example/3'), hit('url=https://n.example/4'), counted();
ROLLBACK TO a;
SELECT counted();
ROLLBACK;
SELECT counted();
SELECT hit('url=https://n.example/1'), hit('url=https://n.example/2'), hit('url=https://n.example/3'), counted();
SELECT next('new_names_per_day', '3');
INSERT INTO pk_tracking.log_new_names VALUES (current_setting('test.site')::integer, (now() AT TIME ZONE 'UTC')::date, 2), (current_setting('test.site')::integer, (now() AT TIME ZONE 'UTC')::date - 1, 100);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT hit('url=https://n.example/1'), hit('url=https://n.example/2');
COMMIT;
SELECT current_setting('test.site') AS site \gset
\c -
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = regress_pkt_names, public;
SET test.site = :site;
SELECT hit('url=https://n.example/3'), hit('url=https://n.example/1'), counted(), too_many();

\echo 5. A document, a raw table, ingest(): the same; replay() has no limit
SELECT next('new_names_per_day', '20');
SELECT t.outcome, count(*)
FROM (SELECT jsonb_agg(format('?idsite=%s&rec=1&url=https://n.example/%s&cid=%s', current_setting('test.site'), n % 40, lpad(to_hex(n), 16, '0')) ORDER BY n) FROM generate_series(1, 100) n) d(d),
	pk_tracking.track_requests(d.d, '192.0.2.66', 'agent', 'de', '2026-06-01 09:00+00') t GROUP BY 1;
SELECT count(*) FILTER (WHERE n.name <> '(too many)') AS names, count(*) FILTER (WHERE n.name = '(too many)') AS too_many, too_many() AS hits, counted() FROM names() n;
CREATE TABLE raw (id integer PRIMARY KEY, idsite integer, at timestamptz, ip inet, url text, action_name text);
CREATE TABLE loaded (LIKE raw INCLUDING ALL);
SELECT next('new_names_per_day', '20');
SELECT pk_tracking.attach('raw');
INSERT INTO raw SELECT n, current_setting('test.site')::integer, '2026-06-01 09:00+00', '10.0.0.1'::inet + n, 'https://n.example/' || n % 40, 'T' || n % 40 FROM generate_series(1, 400) n;
SELECT count(*) FILTER (WHERE n.name <> '(too many)') AS names, count(*) FILTER (WHERE n.name = '(too many)') AS too_many, too_many() AS hits, counted() FROM names() n;
SELECT next('new_names_per_day', '20');
INSERT INTO loaded SELECT r.id, current_setting('test.site')::integer, r.at, r.ip, r.url, r.action_name FROM raw r;
CALL pk_tracking.ingest('loaded', batch => 100);
SELECT count(*) FILTER (WHERE n.name <> '(too many)') AS names, count(*) FILTER (WHERE n.name = '(too many)') AS too_many, too_many() AS hits, counted() FROM names() n;
SELECT next('new_names_per_day', '20');
UPDATE loaded SET idsite = current_setting('test.site')::integer;
SELECT pk_tracking.replay('loaded');
SELECT count(*) FILTER (WHERE n.name <> '(too many)') AS names, count(*) FILTER (WHERE n.name = '(too many)') AS too_many, too_many() AS hits, counted() FROM names() n;

\echo 6. A large limit is counted by samples, right to some per cent; the rows stay few
SELECT next('new_names_per_day', '20480');
INSERT INTO raw SELECT n, current_setting('test.site')::integer, '2026-06-01 09:00+00', '10.0.0.1', 'https://n.example/' || n, NULL FROM generate_series(1001, 4000) n;
DO $$ BEGIN
	FOR i IN 1 .. 300 LOOP
		PERFORM pk_tracking.track(current_setting('test.site')::integer, 'https://n.example/one/' || i, ip => '10.0.0.1', at => '2026-06-01 09:00+00');
	END LOOP;
END $$;
SELECT counted() BETWEEN 3300 - 600 AND 3300 + 600 AS about_right, counted() % 20 AS unit, (SELECT count(*) < 100 FROM pk_tracking.log_new_names n WHERE n.idsite = current_setting('test.site')::integer) AS few, too_many();

\echo 7. status() and maintain()
SELECT s.value ~ '^[0-9]+ hits today and yesterday$' AS value FROM pk_tracking.status() s WHERE s.item = 'names too many';
DELETE FROM pk_tracking.log_excluded e WHERE e.reason = 'too_many_names';
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'names too many';
SELECT next('new_names_per_day', '1');
SELECT t.outcome FROM generate_series(1, 3) n, pk_tracking.track(current_setting('test.site')::integer, 'https://n.example/' || n, ip => '10.0.0.1') t;
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'names too many';
INSERT INTO pk_tracking.log_new_names SELECT current_setting('test.site')::integer, (now() AT TIME ZONE 'UTC')::date - n, 1 FROM generate_series(0, 4) n;
SELECT m.done >= 3 AS deleted FROM pk_tracking.maintain() m WHERE m.task ~ 'new names';
SELECT (now() AT TIME ZONE 'UTC')::date - n.day AS days_ago, count(*) FROM pk_tracking.log_new_names n WHERE n.idsite = current_setting('test.site')::integer GROUP BY 1 ORDER BY 1;
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'new_names_per_day', '-1');

\echo 8. the counts belong to this server: what is worth publishing can be published
SET client_min_messages = error;
SELECT format('CREATE PUBLICATION regress_pkt_names FOR TABLE %s', string_agg(t::text, ', ')) AS publish FROM pk_tracking.publication_tables() t \gset
:publish;
DROP PUBLICATION regress_pkt_names;
SET client_min_messages = warning;

RESET search_path;
DROP SCHEMA regress_pkt_names CASCADE;
-- other tests join these tables
DO $$
DECLARE
	tab regclass;
BEGIN
	FOREACH tab IN ARRAY '{pk_tracking.log_visit,pk_tracking.log_link_visit_action,pk_tracking.log_action,pk_tracking.log_conversion,pk_tracking.log_conversion_item,pk_tracking.log_excluded,pk_tracking.log_new_names}'::regclass[] LOOP
		EXECUTE format('DELETE FROM %s l WHERE l.idsite IN (SELECT s.idsite FROM pk_tracking.site s WHERE s.name = ''names'')', tab);
	END LOOP;
END $$;
DELETE FROM pk_tracking.setting;
TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position;
