-- anonymise_visits() and anonymous_columns(): groups of columns of stored visits.
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
\echo 1. Every column of the four tables has its place: decide about a new one in src/log/anonymous.c
CREATE TEMP VIEW in_catalog AS
	SELECT c.relname::text AS relation, a.attname::text AS column_name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relname IN ('log_visit', 'log_link_visit_action', 'log_conversion', 'log_conversion_item') AND a.attnum > 0 AND NOT a.attisdropped;
(TABLE in_catalog EXCEPT SELECT relation, column_name FROM pk_tracking.anonymous_columns()) UNION ALL (SELECT relation, column_name FROM pk_tracking.anonymous_columns() EXCEPT TABLE in_catalog);
SELECT relation, column_name FROM pk_tracking.anonymous_columns() GROUP BY 1, 2 HAVING count(*) > 1;
SELECT relation, what, becomes, string_agg(column_name, ' ' ORDER BY column_name) AS columns FROM pk_tracking.anonymous_columns() WHERE what IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
-- what names people or places is in a group
SELECT relation, column_name FROM pk_tracking.anonymous_columns() WHERE what IS NULL AND column_name ~ 'location|config|user|visitor|order|url|dimension|variable|_ip' AND column_name !~ 'idaction_.*name' ORDER BY 1, 2;
-- columns that a row without consent must not fill are in one
SELECT relation, column_name FROM pk_tracking.anonymous_columns() WHERE must_be IS NOT NULL AND (what IS NULL OR becomes IS NULL);

\echo 2. One group after the other changes its columns and no others
SELECT pk_tracking.add_site('anonymised', ARRAY['https://a.example'], timezone => 'Asia/Tokyo', ecommerce => true) AS site \gset
SELECT pk_tracking.add_dimension(:site, 'plan', 'visit') AS d1, pk_tracking.add_dimension(:site, 'colour', 'action') AS d2 \gset
-- a day in Tokyo begins at 15:00
CREATE FUNCTION pg_temp.fill(site integer, at timestamptz, who text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM unnest(ARRAY[
		'url=https://a.example/%3Fmail%3D' || who || '%23x&action_name=t&urlref=https://www.google.com/search%3Fq%3Dword&dimension1=d&pv_id=abcdef&res=10x10&pdf=1&h=1&m=2&s=3&_cvar={"1":["a","b"]}',
		'url=https://a.example/b&dimension2=d&pv_id=abcdeg&link=https%3A%2F%2Fout.example%2F%3Fu%3D' || who,
		'url=https://a.example/c%3Fx%3D1&idgoal=0&ec_id=o-' || who || '&revenue=5&ec_items=%5B%5B%22s%22%2C%22n%22%2C%22c%22%2C5%2C1%5D%5D']) WITH ORDINALITY q (q, n),
		pk_tracking.track_request('idsite=' || site || '&rec=1&lat=50.5&long=8.5&city=Bonn&region=NW&country=de&uid=' || who || '&' || q.q, '10.1.2.3', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'de',
			at + q.n * interval '1 minute', trusted => true) t
	WHERE t.outcome = 'recorded'
$$;
SELECT pg_temp.fill(:site, '2026-05-04 14:00+00', 'before'), pg_temp.fill(:site, '2026-05-04 15:00+00', 'bob'), pg_temp.fill(:site, '2026-05-05 15:00+00', 'after');
CREATE TEMP VIEW here AS SELECT v.idvisit FROM pk_tracking.log_visit v JOIN pk_tracking.site s USING (idsite) WHERE s.name = 'anonymised' AND v.visit_first_action_time BETWEEN '2026-05-04 15:00+00' AND '2026-05-05 14:00+00';
CREATE TEMP VIEW cells AS
	SELECT 'log_visit' AS relation, v.idvisit, 1 AS n, c.key, c.value FROM pk_tracking.log_visit v, jsonb_each_text(to_jsonb(v)) c
	UNION ALL SELECT 'log_link_visit_action', v.idvisit, v.idlink_va, c.key, c.value FROM pk_tracking.log_link_visit_action v, jsonb_each_text(to_jsonb(v)) c
	UNION ALL SELECT 'log_conversion', v.idvisit, v.idgoal, c.key, c.value FROM pk_tracking.log_conversion v, jsonb_each_text(to_jsonb(v)) c
	UNION ALL SELECT 'log_conversion_item', v.idvisit, v.idaction_sku, c.key, c.value FROM pk_tracking.log_conversion_item v, jsonb_each_text(to_jsonb(v)) c;
CREATE TEMP TABLE before AS SELECT c.* FROM cells c JOIN pk_tracking.log_visit v USING (idvisit) WHERE v.idsite = :site;
SELECT count(*), max(rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-05', '2026-05-05', '{all}');
SELECT relation, rows FROM pk_tracking.anonymise_visits(:site, '2026-05-04', '2026-05-06', '{user_id}', dry_run => true);
SELECT count(*) AS changed FROM before b JOIN cells c USING (relation, idvisit, n, key) WHERE c.value IS DISTINCT FROM b.value;
/* The columns that change, and whether each is in one of the groups. */
CREATE FUNCTION pg_temp.changes(VARIADIC groups text[]) RETURNS TABLE (relation text, rows bigint, changed text, "of other groups" text, "of other visits" bigint) LANGUAGE plpgsql AS $$
DECLARE
	g record;
BEGIN
	FOR g IN SELECT * FROM pk_tracking.anonymise_visits((SELECT idsite FROM pk_tracking.site WHERE name = 'anonymised'), '2026-05-05', '2026-05-05', groups, dry_run => false) a WHERE a.rows > 0 LOOP
		SELECT string_agg(DISTINCT b.key, ' ' ORDER BY b.key), string_agg(DISTINCT b.key, ' ') FILTER (WHERE coalesce(a.what, '') <> ALL (groups)), count(*) FILTER (WHERE b.idvisit NOT IN (TABLE here)) INTO changed, "of other groups", "of other visits"
			FROM before b LEFT JOIN cells c USING (relation, idvisit, n, key) LEFT JOIN pk_tracking.anonymous_columns() a ON a.relation = b.relation AND a.column_name = b.key
			WHERE b.relation = g.relation AND c.value IS DISTINCT FROM b.value;
		relation := g.relation; rows := g.rows;
		RETURN NEXT;
	END LOOP;
END $$;
BEGIN; SELECT * FROM pg_temp.changes('address'); ROLLBACK;
BEGIN; SELECT * FROM pg_temp.changes('location'); ROLLBACK;
BEGIN; SELECT * FROM pg_temp.changes('user_id', 'fingerprint'); ROLLBACK;
BEGIN; SELECT * FROM pg_temp.changes('order_id'); SELECT i.idorder FROM pk_tracking.log_conversion_item i WHERE i.idvisit IN (TABLE here); ROLLBACK;
BEGIN; SELECT * FROM pg_temp.changes('device', 'dimensions'); ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.changes('url_queries');
SELECT DISTINCT a.url FROM pk_tracking.action a WHERE a.idvisit IN (TABLE here) ORDER BY 1;
SELECT v.entry_url, v.exit_url, v.referrer_url, v.referrer_keyword FROM pk_tracking.visit v WHERE v.idvisit IN (TABLE here);
SELECT c.url FROM pk_tracking.log_conversion c WHERE c.idvisit IN (TABLE here);
-- the numbers are those that a hit gives
SELECT t.outcome FROM pk_tracking.track_request('idsite=' || :site || '&rec=1&_id=00000000000000ff&url=https://a.example/', '10.200.2.3', 'agent', 'de', '2026-06-04 10:00+00') t;
SELECT count(DISTINCT a.idaction) AS numbers, count(*) AS rows FROM pk_tracking.log_action a WHERE a.idsite = :site AND a.name = 'a.example/';
ROLLBACK;
-- without a visitor id a row is an anonymous one, and holds nothing that such a row must not hold
BEGIN;
SELECT * FROM pg_temp.changes('visitor_id');
SELECT c.relation, c.key, c.value FROM cells c JOIN pk_tracking.anonymous_columns() a ON a.relation = c.relation AND a.column_name = c.key
WHERE c.idvisit IN (TABLE here) AND a.must_be IS NOT NULL AND c.value IS NOT NULL ORDER BY 1, 2;
SELECT nb_visits, nb_uniq_visitors FROM pk_tracking.report_visits(:site, '2026-05-05', '2026-05-05');
ROLLBACK;
SELECT * FROM pg_temp.changes('all');
-- a second time changes nothing more
CREATE TEMP TABLE once AS TABLE cells;
SELECT count(*) FROM pk_tracking.anonymise_visits(:site, '2026-05-05', '2026-05-05', '{all}', false);
(TABLE once EXCEPT TABLE cells) UNION ALL (TABLE cells EXCEPT TABLE once);
SELECT function, mode, parameters, reason, visits, actions, conversions, items FROM pk_tracking.erasures ORDER BY erased_at;

\echo 3. Wrong arguments
SELECT pk_tracking.anonymise_visits(:site, '2026-05-05', '2026-05-05', '{name}');
SELECT pk_tracking.anonymise_visits(:site, '2026-05-05', '2026-05-05', '{}');
SELECT pk_tracking.anonymise_visits(:site, '2026-05-05', '2026-05-04', '{all}');
SELECT pk_tracking.anonymise_visits(-5, '2026-05-05', '2026-05-05', '{all}');
CALL pk_tracking.delete_site(:site);
TRUNCATE pk_tracking.erasures CASCADE;
