-- Loads of raw tables: what a statement reads and writes, what a dry run leaves,
-- what is not tracked, batches, status() and maintain()
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position;
END $$;
CREATE SCHEMA regress_pkt_loads;
SET search_path = regress_pkt_loads, public;
SELECT pk_tracking.add_site('loads one') AS one, pk_tracking.add_site('loads two') AS two, pk_tracking.add_site('loads three') AS three \gset
CREATE TABLE raw (id serial PRIMARY KEY, idsite integer, at timestamptz, visitor_id hexid, ip inet, url text);

-- 1. A statement of many visitors asks for each only once, not at all where the
-- site's log is empty, and writes each visit once
CREATE FUNCTION counters(OUT inserted bigint, OUT updated bigint, OUT read bigint) LANGUAGE sql AS $$
	SELECT pg_stat_get_xact_tuples_inserted(v), pg_stat_get_xact_tuples_updated(v),
		pg_stat_get_xact_numscans(v) + (SELECT sum(pg_stat_get_xact_numscans(i.indexrelid)) FROM pg_index i WHERE i.indrelid = v)
	FROM CAST('pk_tracking.log_visit'::regclass AS oid) v
$$;
CREATE FUNCTION crowd(site integer, minute integer, OUT inserted bigint, OUT updated bigint, OUT read bigint) LANGUAGE plpgsql AS $$
DECLARE
	before record;
	after record;
BEGIN
	SELECT * INTO before FROM counters();
	INSERT INTO raw (idsite, at, visitor_id, url) SELECT site, '2026-01-05 10:00+00'::timestamptz + minute * interval '1 min' + k * interval '1 s', lpad(to_hex(i), 16, 'a')::hexid, 'http://a.example/' || k
	FROM generate_series(1, 4) k, generate_series(1, 100) i ORDER BY k, i;
	SELECT * INTO after FROM counters();
	inserted := after.inserted - before.inserted;
	updated := after.updated - before.updated;
	read := after.read - before.read;
END $$;
SELECT pk_tracking.attach('raw');
BEGIN; SELECT inserted, updated, read < 5 AS "not read" FROM crowd(:one, 0); COMMIT;
BEGIN; SELECT inserted, updated, read BETWEEN 100 AND 104 AS "read once each" FROM crowd(:one, 1); COMMIT;
SELECT count(*) AS visits, min(v.visit_total_actions), max(v.visit_total_actions) FROM pk_tracking.log_visit v WHERE v.idsite = :one;
SELECT pk_tracking.detach('raw');

-- 2. A dry run leaves nothing, whatever it would have become
CREATE FUNCTION rows_of_all(OUT counts jsonb) LANGUAGE plpgsql AS $$
DECLARE
	r record;
	n bigint;
BEGIN
	counts := '{}';
	FOR r IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' LOOP
		EXECUTE format('SELECT count(*) FROM %s', r.name) INTO n;
		counts := counts || jsonb_build_object(r.name, n);
	END LOOP;
END $$;
SELECT pk_tracking.set_site(:two, 'consent_mode', 'ask_else_anonymous'), pk_tracking.set_site(:two, 'excluded_ips', '{198.51.100.*}');
SELECT pk_tracking.add_goal(:two, 'thanks', 'url', 'thanks', 'contains');
CREATE TABLE dry (id integer PRIMARY KEY, idsite integer, at timestamptz, ip inet, user_agent text, consent text, url text, idgoal integer, ec_id text);
INSERT INTO dry VALUES (1, :two, '2026-01-05 10:00', '192.0.2.1', 'a', 'granted', 'http://new.example/thanks', NULL, NULL), (2, :two, '2026-01-05 10:00', '192.0.2.1', 'a', NULL, 'http://new.example/', NULL, NULL),
	(3, :two, '2026-01-05 10:00', '198.51.100.1', 'a', NULL, 'http://new.example/', NULL, NULL), (4, :two, '2026-01-05 10:01', '192.0.2.1', 'a', 'granted', NULL, 0, 'order'), (5, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT counts AS before FROM rows_of_all() \gset
SELECT d.row_key, d.outcome, d.outcome_reason, d.new_visit FROM pk_tracking.attach('dry', dry_run => true) d;
SELECT counts = :'before' AS "nothing written" FROM rows_of_all();
-- attached, the same rows become just that
SELECT pk_tracking.attach('dry');
CREATE TABLE dry_rows AS TABLE dry;
TRUNCATE dry;
INSERT INTO dry SELECT * FROM dry_rows ORDER BY id;
SELECT r.recorded, r.excluded, r.rejected, r.visits_new FROM pk_tracking.ingest_run r WHERE r.raw_table = 'regress_pkt_loads.dry';

-- 3. What is not tracked: updates, also those of ON CONFLICT, and what comes while the trigger is disabled
SELECT pk_tracking.attach('raw');
CREATE FUNCTION hits(site integer) RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM pk_tracking.log_link_visit_action a WHERE a.idsite = site $$;
INSERT INTO raw (id, idsite, at, url) VALUES (10001, :three, '2026-01-05 10:00+00', 'http://a.example/') ON CONFLICT (id) DO UPDATE SET url = 'updated';
INSERT INTO raw (id, idsite, at, url) VALUES (10001, :three, '2026-01-05 10:00+00', 'http://a.example/') ON CONFLICT (id) DO UPDATE SET url = 'updated';
INSERT INTO raw (id, idsite, at, url) VALUES (10001, :three, '2026-01-05 10:00+00', 'http://a.example/'), (10002, :three, '2026-01-05 10:00+00', 'http://a.example/') ON CONFLICT (id) DO NOTHING;
UPDATE raw SET url = 'again' WHERE id > 10000;
SELECT hits(:three);
-- COPY into a partitioned table
CREATE TABLE parted (LIKE raw) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (1) TO (100);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200);
SELECT pk_tracking.attach('parted');
ALTER TABLE parted ALTER idsite SET DEFAULT :three;
COPY parted (id, at, url) FROM stdin;
1	2026-01-05 11:00+00	http://p.example/1
101	2026-01-05 11:01+00	http://p.example/2
2	2026-01-05 11:02+00	http://p.example/3
102	infinity	http://p.example/4
\.
SELECT r.raw_table, r.hits, r.recorded, (SELECT string_agg(j.position::text, ' ') FROM pk_tracking.rejected_hit j WHERE j.idrun = r.idrun) AS rejected FROM pk_tracking.ingest_run r ORDER BY r.idrun DESC LIMIT 1;
SELECT a.url FROM pk_tracking.action a WHERE a.idsite = :three AND a.url ~ 'p.example' ORDER BY a.idlink_va;

-- 4. ingest(): each batch is a transaction of its own, so that a site is held no longer
CREATE TABLE load (LIKE raw INCLUDING ALL);
INSERT INTO load SELECT i, :three, '2026-01-06 10:00+00'::timestamptz + i * interval '1 s', lpad(to_hex(i % 100), 16, 'b')::hexid, NULL, 'http://load.example/' || i FROM generate_series(1, 1000) i;
-- what is older than every running transaction, autovacuum's too
CREATE PROCEDURE settled(t regclass) LANGUAGE plpgsql AS $$
DECLARE
	done boolean := false;
BEGIN
	WHILE NOT done LOOP
		COMMIT;
		PERFORM pg_sleep(0.01);
		EXECUTE format('SELECT bool_and(pk_tracking_internal.row_xid(xmin) < pg_snapshot_xmin(pg_current_snapshot())) FROM %s', t) INTO done;
	END LOOP;
END $$;
CALL settled('load');
CALL pk_tracking.ingest('load', batch => 250);
SELECT count(*) AS actions FROM pk_tracking.log_link_visit_action a WHERE a.idsite = :three AND a.server_time >= '2026-01-06' GROUP BY a.xmin::text ORDER BY min(a.idlink_va);

-- 5. status()
CREATE VIEW state AS SELECT s.item, regexp_replace(s.value, 'load \d+|\d{4}-\d\d-\d\d \d\d:\d\d', 'N', 'g') AS value, s.remark FROM pk_tracking.status() s WHERE s.item ~ '^(raw table|load|rejected)';
SELECT regexp_replace(item, '^load \d+', 'load N') AS item, value, remark FROM state;
ALTER TABLE raw DISABLE TRIGGER pk_tracking;
ALTER TABLE dry RENAME COLUMN url TO page;
CREATE TABLE parted_3 PARTITION OF parted FOR VALUES FROM (200) TO (300);
ALTER TABLE parted_2 DISABLE TRIGGER pk_tracking;
-- a load that was broken off: its second batch has a row that it cannot take
CREATE TABLE broken (LIKE raw INCLUDING ALL);
INSERT INTO broken SELECT i, CASE WHEN i <= 2 THEN :three ELSE 0 END, '2026-01-07 10:00+00', NULL, NULL, NULL FROM generate_series(1, 3) i;
CALL settled('broken');
CALL pk_tracking.ingest('broken', batch => 2, on_error => 'raise');
SELECT regexp_replace(item, '^load \d+', 'load N') AS item, value, regexp_replace(remark, '\d{4}-\d\d-\d\d \d\d:\d\d', 'N') AS remark FROM state;
-- nothing of what was disabled
INSERT INTO raw (idsite, at) VALUES (:three, '2026-01-08 10:00+00');
SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idsite = :three AND v.visit_last_action_time >= '2026-01-08';
ALTER TABLE raw ENABLE TRIGGER pk_tracking;
SELECT pk_tracking.detach('dry');
SELECT pk_tracking.attach('parted');
ALTER TABLE parted_2 ENABLE TRIGGER pk_tracking;
-- who owned it may not be trusted any more
CREATE ROLE regress_pkt_untrusted;
SELECT pk_tracking.grant_tracker('regress_pkt_untrusted', trusted => true);
CREATE TABLE trusting (idsite integer, country text);
ALTER TABLE trusting OWNER TO regress_pkt_untrusted;
SELECT pk_tracking.attach('trusting', trusted => true);
SELECT * FROM state WHERE item ~ 'trusting';
REVOKE EXECUTE ON FUNCTION pk_tracking_internal.trusted_tracking() FROM regress_pkt_untrusted;
SELECT * FROM state WHERE item ~ 'trusting';
DROP TABLE trusting;
-- gone on with, it is done
CALL pk_tracking.ingest('broken');
SELECT regexp_replace(item, '^load \d+', 'load N') AS item, value, remark FROM state;

-- 6. maintain() forgets loads, with their rejected hits, but for one that goes on
SELECT count(*) AS runs, (SELECT count(*) > 0 FROM pk_tracking.rejected_hit) AS rejected FROM pk_tracking.ingest_run \gset
-- hundreds of sites of other tests would be given roll-ups first
INSERT INTO pk_tracking.rollup_site (idsite, timezone, first_day) SELECT s.idsite, s.timezone, (now() AT TIME ZONE s.timezone)::date FROM pk_tracking.site s ON CONFLICT DO NOTHING;
DELETE FROM pk_tracking.rollup_mark;
SELECT m.done FROM pk_tracking.maintain() m WHERE m.task ~ 'loads';
SELECT count(*) = :runs AS all, :'rejected' AS rejected FROM pk_tracking.ingest_run;
UPDATE pk_tracking.ingest_run SET started = started - interval '91 days', finished = finished - interval '91 days' WHERE raw_table IN ('regress_pkt_loads.dry', 'regress_pkt_loads.parted', 'regress_pkt_loads.broken');
INSERT INTO pk_tracking.ingest_run (way, raw_table, started) VALUES ('ingest', 'goes on', now() - interval '1000 days'), ('ingest', 'does not', now() - interval '1000 days');
INSERT INTO pk_tracking.ingest_position (raw_table, relation, storage, system_identifier, done_before, idrun, changed) SELECT r.raw_table, 1, 1, 1, '3', r.idrun, now() - CASE r.raw_table WHEN 'goes on' THEN interval '1 hour' ELSE interval '2 days' END FROM pk_tracking.ingest_run r WHERE r.raw_table ~ '^(goes|does)';
SELECT pk_tracking.set_instance('delete_ingest_runs_older_than', '0');
SELECT m.done FROM pk_tracking.maintain() m WHERE m.task ~ 'loads';
SELECT pk_tracking.set_instance('delete_ingest_runs_older_than', '92');
SELECT m.done FROM pk_tracking.maintain() m WHERE m.task ~ 'loads';
SELECT pk_tracking.set_site(:one, 'delete_ingest_runs_older_than', '3');
SELECT pk_tracking.reset_instance('delete_ingest_runs_older_than');
SELECT m.done FROM pk_tracking.maintain() m WHERE m.task ~ 'loads';
SELECT r.raw_table, count(*) FROM pk_tracking.ingest_run r GROUP BY r.raw_table ORDER BY r.raw_table COLLATE "C";
SELECT count(*) AS rejected FROM pk_tracking.rejected_hit;

-- 7. With hardly any work_mem: ids and cookies of a document's answers, and what
-- the engine reads and writes for them, are not put into temporary files
CREATE TABLE document AS SELECT jsonb_agg(jsonb_build_object('idsite', :two, 'rec', 1, 'consent', i % 3 - 1, '_id', lpad(to_hex(i % 2500), 16, 'd'), 'uid', 'user ' || i, 'url', 'http://doc.example/' || i) ORDER BY i) AS d FROM generate_series(1, 5000) i;
SET work_mem = '64kB';
SET log_temp_files = 0;
SET client_min_messages = log;
SELECT count(*), count(t.idvisitor) > 1000 AS ids, count(t.cookie_value) > 3000 AS cookies FROM document, pk_tracking.track_requests(d, ip => '192.0.2.9', user_agent => 'a', at => '2026-01-20 10:00+00', trusted => true) t;
RESET client_min_messages;
RESET log_temp_files;
RESET work_mem;
SET client_min_messages = warning;

-- 8. What is written row by row is what the executor would have written.
-- Times of a page range that was summarised before are found through the index
CREATE TABLE ranges (idsite integer, at timestamptz, visitor_id hexid, url text);
SELECT pk_tracking.attach('ranges');
INSERT INTO ranges SELECT :three, '2012-02-01 12:00+00'::timestamptz + i * interval '1 s', lpad(to_hex(i % 50), 16, 'c')::hexid, 'http://a.example/' FROM generate_series(1, 500) i;
SELECT brin_summarize_new_values('pk_tracking.log_link_visit_action_time') >= 0 AS summarised, brin_summarize_new_values('pk_tracking.log_visit_time') >= 0 AS "visits too";
INSERT INTO ranges SELECT :three, '2012-02-01 12:00+00'::timestamptz + (i * 7919 % 20011 - 10000) * interval '1 s', lpad(to_hex(i % 50), 16, 'c')::hexid, 'http://a.example/' FROM generate_series(1, 2000) i;
CREATE FUNCTION in_ten_minutes(OUT actions text, OUT visits text) LANGUAGE plpgsql AS $$
DECLARE
	t timestamptz;
	a bigint;
	v bigint;
BEGIN
	FOR t IN SELECT generate_series('2012-02-01 09:00+00'::timestamptz, '2012-02-01 15:00+00', '10 min') LOOP
		EXECUTE format('SELECT count(*) FROM pk_tracking.log_link_visit_action WHERE server_time >= %L AND server_time < %L', t, t + interval '10 min') INTO a;
		EXECUTE format('SELECT count(*) FROM pk_tracking.log_visit WHERE visit_first_action_time >= %L AND visit_first_action_time < %L', t, t + interval '10 min') INTO v;
		actions := concat_ws(' ', actions, a);
		visits := concat_ws(' ', visits, v);
	END LOOP;
END $$;
SET enable_seqscan = off;
SET enable_indexscan = off;
SELECT * FROM in_ten_minutes() \gset
RESET enable_seqscan;
RESET enable_indexscan;
SET enable_bitmapscan = off;
SELECT actions = :'actions' AS "actions found", visits = :'visits' AS "visits found", actions ~ '[1-9].*[1-9]' AS any FROM in_ten_minutes();
RESET enable_bitmapscan;
-- a column whose default came and went is NULL in new rows
ALTER TABLE pk_tracking.log_link_visit_action ADD COLUMN regress_pkt_extra integer DEFAULT 7;
ALTER TABLE pk_tracking.log_link_visit_action ALTER COLUMN regress_pkt_extra DROP DEFAULT;
INSERT INTO ranges SELECT :three, '2012-02-02 12:00+00'::timestamptz + i * interval '1 s', lpad(to_hex(i % 50), 16, 'c')::hexid, 'http://a.example/' FROM generate_series(1, 200) i;
SELECT regress_pkt_extra, count(*) FROM pk_tracking.log_link_visit_action WHERE idsite = :three AND server_time BETWEEN '2012-02-01' AND '2012-03-01' GROUP BY 1 ORDER BY 1;
ALTER TABLE pk_tracking.log_link_visit_action DROP COLUMN regress_pkt_extra;
INSERT INTO ranges SELECT :three, '2012-02-03 12:00+00'::timestamptz + i * interval '1 s', lpad(to_hex(i % 50), 16, 'c')::hexid, 'http://a.example/' FROM generate_series(1, 200) i;
SELECT count(*) FROM pk_tracking.log_link_visit_action WHERE idsite = :three AND server_time BETWEEN '2012-02-03' AND '2012-03-01';

RESET search_path;
DROP SCHEMA regress_pkt_loads CASCADE;
DROP OWNED BY regress_pkt_untrusted;
DROP ROLE regress_pkt_untrusted;
DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:one, :two, :three);
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite IN (:one, :two, :three);
DELETE FROM pk_tracking.log_conversion WHERE idsite IN (:one, :two, :three);
TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position;
