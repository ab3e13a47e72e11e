-- Raw tables as web servers fill them: relative URLs, times, lists of addresses; tables that cannot be one
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position, pk_tracking.log_excluded;
END $$;
SELECT pk_tracking.add_site('raw values', ARRAY['https://shop.example:8443/shop/']) AS one, pk_tracking.add_site('raw values 2') AS two, pk_tracking.add_site('raw values 3', ARRAY['.example.org']) AS three \gset
SELECT pk_tracking.set_instance('ip_mask_level', '0') \g /dev/null

CREATE TABLE raw_values (id integer PRIMARY KEY, idsite integer, url text, ip text, at timestamptz);
CREATE VIEW outcome_of AS SELECT w.id, coalesce(j.parameter || ' ' || j.reason, 'ok') AS outcome, a.url AS page, host(v.location_ip) AS ip, a.server_time
FROM raw_values w LEFT JOIN pk_tracking.rejected_hit j ON j.row_key = w.id::text
	LEFT JOIN pk_tracking.action a ON a.idsite = w.idsite AND a.server_time = date_trunc('second', w.at) AND j.row_key IS NULL
	LEFT JOIN pk_tracking.log_visit v ON v.idvisit = a.idvisit
ORDER BY w.id;
SELECT * FROM pk_tracking.attach('raw_values');

-- 1. A relative URL is completed by the site's main URL; without one the row is rejected
INSERT INTO raw_values SELECT n, site, url, '192.0.2.1', '2026-03-02 10:00+00'::timestamptz + n * interval '1 hour' FROM (VALUES
	(1, :one, '/z?a=1'), (2, :one, '/'), (3, :one, '//other.example/p'), (4, :one, 'https://shop.example/abs'), (5, :two, '/z'), (6, :two, 'https://a.example/z'), (7, :three, '/z'), (8, :one, 'z'), (9, :one, NULL), (10, :one, '/%F0%9F%98%80')) x(n, site, url);
SELECT id, outcome, page FROM outcome_of;
-- every way in; and by Matomo's rules raw tables alone
SELECT (pk_tracking.track(:one, '/by/track', at => '2026-03-05 10:00+00')).idvisit AS visit \gset
SELECT url FROM pk_tracking.action WHERE idvisit = :visit;
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track(:two, '/by/track', at => '2026-03-05 10:00+00') t;
SELECT pk_tracking.set_site(:one, 'exclude_unknown_urls', 'on') \g /dev/null
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track(:one, '/by/track', at => '2026-03-05 10:01+00') t;
SELECT pk_tracking.reset_site(:one, 'exclude_unknown_urls'), pk_tracking.set_site(:one, 'recognition_rules', 'matomo') \g /dev/null
TRUNCATE raw_values, pk_tracking.rejected_hit;
INSERT INTO raw_values VALUES (11, :one, '/m', '192.0.2.1', '2026-03-06 10:00+00');
SELECT id, outcome, page FROM outcome_of;
SELECT (pk_tracking.track(:one, '/by/track', at => '2026-03-06 11:00+00')).idvisit AS visit \gset
SELECT url FROM pk_tracking.action WHERE idvisit = :visit;
SELECT pk_tracking.reset_site(:one, 'recognition_rules') \g /dev/null
-- a changed main URL counts at once
UPDATE pk_tracking.site SET urls = '{http://new.example}' WHERE idsite = :one;
INSERT INTO raw_values VALUES (12, :one, '/n', '192.0.2.1', '2026-03-07 10:00+00');
SELECT id, outcome, page FROM outcome_of WHERE id = 12;

-- 2. Times: none is not now; more than a minute ahead is wrong
TRUNCATE raw_values, pk_tracking.rejected_hit;
INSERT INTO raw_values VALUES (21, :one, '/t', '192.0.2.1', NULL), (22, :one, '/t', '192.0.2.1', now() + interval '50 s'), (23, :one, '/t', '192.0.2.1', now() + interval '90 s'), (24, :one, '/t', '192.0.2.1', now() + interval '1 year'), (25, :one, '/t', '192.0.2.1', 'infinity');
SELECT w.id, coalesce(j.parameter || ' ' || j.reason, 'ok') AS outcome FROM raw_values w LEFT JOIN pk_tracking.rejected_hit j ON j.row_key = w.id::text ORDER BY 1;
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track(:one, 'https://a.example/', at => statement_timestamp() + interval '50 s', ip => '192.0.2.200') t;
SELECT pk_tracking.track(:one, 'https://a.example/', at => now() + interval '90 s');
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track_request(format('idsite=%s&rec=1', :one), at => now() + interval '90 s') t;
-- a statement that lasts reads rows that are younger than itself
SELECT t.outcome FROM pk_tracking.track(:one, 'https://a.example/', at => (SELECT clock_timestamp() + interval '59 s' FROM pg_sleep(2))) t;
-- a column of another name; without one now is right
CREATE TABLE raw_no_time (id integer PRIMARY KEY, url text, t timestamptz);
SELECT * FROM pk_tracking.attach('raw_no_time', format('{"idsite": {"value": %s}, "url": "url", "at": "t"}', :one)::jsonb);
INSERT INTO raw_no_time VALUES (26, '/u', NULL);
SELECT row_key, parameter, reason FROM pk_tracking.rejected_hit WHERE row_key = '26';
SELECT * FROM pk_tracking.attach('raw_no_time', format('{"idsite": {"value": %s}, "url": "url"}', :one)::jsonb);
INSERT INTO raw_no_time VALUES (27, '/u', NULL);
SELECT row_key, parameter, reason FROM pk_tracking.rejected_hit WHERE row_key = '27';

-- 3. An ip column holds what a header holds; what cannot be read is no address, and is counted
TRUNCATE raw_values, pk_tracking.rejected_hit;
SELECT pk_tracking.set_instance('proxy_ips', '{10.0.0.0/8}') \g /dev/null
INSERT INTO raw_values SELECT n, :one, '/ip', ip, '2026-03-08 10:00+00'::timestamptz + n * interval '1 hour' FROM (VALUES (31, '198.51.100.1'), (32, '198.51.100.1, 10.1.1.1'), (33, '6.6.6.6, 198.51.100.2:4711, 10.1.1.1'), (34, '[2001:db8::1]:80'), (35, 'unknown'), (36, ''), (37, '-'), (38, NULL),
	(39, 'nonsense'), (40, '198.51.100.300'), (41, '198.51.100.1, nonsense')) x(n, ip);
SELECT id, outcome, ip FROM outcome_of;
SELECT item, value FROM pk_tracking.status() WHERE item = 'excluded hits';

-- 4. track(address => …) takes the same
CREATE FUNCTION pg_temp.address(address text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked := pk_tracking.track((SELECT min(idsite) FROM raw_values), '/address', address => address, new_visit => true, at => '2026-03-10 10:00+00');
BEGIN
	RETURN concat_ws(' ', t.outcome, t.outcome_reason, (SELECT host(v.location_ip) FROM pk_tracking.log_visit v WHERE v.idvisit = t.idvisit));
END
$$;
SELECT a AS address, pg_temp.address(a) FROM unnest('{198.51.100.7:4444,"",NULL,-,[2001:db8::7]:1,"198.51.100.7, 10.0.0.1",unknown,nonsense,::ffff:198.51.100.7}'::text[]) WITH ORDINALITY u(a, n) ORDER BY n;
SELECT pk_tracking.track(:one, address => '198.51.100.7', ip => '198.51.100.7');
SELECT reason, hits FROM pk_tracking.excluded WHERE idsite = :one AND day = '2026-03-10';

-- 5. Relations that cannot be a raw table, and what to do instead
CREATE VIEW raw_view AS SELECT * FROM raw_values;
CREATE MATERIALIZED VIEW raw_matview AS SELECT * FROM raw_values;
CREATE FOREIGN DATA WRAPPER raw_wrapper;
CREATE SERVER raw_server FOREIGN DATA WRAPPER raw_wrapper;
CREATE FOREIGN TABLE raw_foreign (id integer, idsite integer, url text) SERVER raw_server;
CREATE TABLE raw_parted (id integer, idsite integer, url text) PARTITION BY LIST (idsite);
\set VERBOSITY default
SELECT pk_tracking.attach('raw_view');
SELECT pk_tracking.attach('raw_matview', dry_run => true);
SELECT pk_tracking.attach('raw_foreign');
CALL pk_tracking.ingest('raw_view');
CALL pk_tracking.ingest('raw_matview');
CALL pk_tracking.ingest('raw_foreign');
CALL pk_tracking.ingest('raw_parted');
SELECT pk_tracking.replay('raw_view');

-- 6. A read-only transaction
BEGIN READ ONLY;
SELECT pk_tracking.track(:one, 'https://a.example/');
ROLLBACK;

DROP FOREIGN DATA WRAPPER raw_wrapper CASCADE;
DROP TABLE raw_values, raw_no_time, raw_parted CASCADE;
SELECT pk_tracking.reset_instance(s.name) FROM pk_tracking.setting s WHERE s.idsite IS NULL \g /dev/null
DELETE FROM pk_tracking.setting;
