-- Raw tables: attach, detach, ingest, replay
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
SELECT pk_tracking.add_site('attach one') AS one, pk_tracking.add_site('attach two') AS two, pk_tracking.add_site('attach three') AS three, pk_tracking.add_site('attach four') AS four \gset
CREATE SCHEMA regress_pkt_raw;
SET search_path = regress_pkt_raw, public;
CREATE VIEW hits AS SELECT a.idsite, a.url, a.title, a.kind, a.server_time, host(v.location_ip) AS ip, v.user_id, v.idvisitor
	FROM pk_tracking.action a JOIN pk_tracking.log_visit v USING (idvisit);
CREATE VIEW runs AS SELECT r.way, r.raw_table, r.finished IS NOT NULL AS finished, r.hits, r.recorded, r.rejected, r.visits_new AS new, r.visits_continued AS continued, r.excluded, r.ignored
	FROM pk_tracking.ingest_run r ORDER BY r.idrun;
CREATE VIEW rejected AS SELECT j.raw_table, j.position, j.row_key, j.parameter, j.reason FROM pk_tracking.rejected_hit j ORDER BY j.idrun, j.position;
CREATE FUNCTION sanely(s text) RETURNS text LANGUAGE sql AS $$ SELECT regexp_replace($1, '\m\d{2,}\M', 'N', 'g') $$;

-- 1. Columns by their names, of every type that can be read
CREATE DOMAIN short_text AS text CHECK (length(VALUE) < 100);
CREATE TABLE raw (
	id bigint PRIMARY KEY, at timestamptz, idsite integer, gone integer, url short_text, action_name varchar(50), ip inet, user_agent text,
	accept_language text, user_id text, visitor_id hexid, new_visit boolean, e_c text, e_a text, e_n char(5), e_v numeric, revenue float8,
	dimension1 integer, pf_srv smallint, cvar jsonb, res text, consent text, unrelated point);
ALTER TABLE raw DROP COLUMN gone;
SELECT jsonb_pretty(pk_tracking_internal.raw_options('raw'));
SELECT * FROM pk_tracking.attach('raw');
SET client_min_messages = notice;
INSERT INTO raw (id, at, idsite, url, action_name, ip, user_agent, visitor_id) VALUES
	(1, '2026-01-05 10:00+00', :one, 'http://a.example/1', 'Title', '203.0.113.77', 'agent', '00000000000000aa'),
	(2, '2026-01-05 10:01+00', :one, 'http://a.example/2', NULL, '203.0.113.77', 'agent', '00000000000000aa'),
	(3, '2026-01-05 10:02+00', :one, NULL, 'No URL', '203.0.113.77', 'agent', NULL);
-- one row says nothing if it is right
INSERT INTO raw (id, at, idsite, ip, user_agent, e_c, e_a, e_n, e_v) VALUES (4, '2026-01-05 10:03+00', :one, '203.0.113.77', 'agent', 'cat', 'act', 'n', 1.5);
-- bad rows, each for a reason of its own; the others go in
INSERT INTO raw (id, at, idsite, url, visitor_id) VALUES (5, '2026-01-05 11:00+00', 987654321, NULL, NULL), (6, '2026-01-05 11:00+00', NULL, NULL, NULL),
	(7, 'infinity', :one, NULL, NULL), (8, '1926-01-05', :one, NULL, NULL), (9, '2026-01-05 11:00+00', :one, 'http://a.example/good', '00000000000000bb');
INSERT INTO raw (id, at, idsite, pf_srv) VALUES (10, '2026-01-05 11:00+00', :one, -5);
INSERT INTO raw (id, at, idsite, consent) VALUES (11, '2026-01-05 11:00+00', :one, 'perhaps');
-- who refuses leaves no trace, not even a number
INSERT INTO raw (id, at, idsite, consent, pf_srv) VALUES (12, '2026-01-05 11:00+00', :one, 'denied', NULL), (13, '2026-01-05 11:00+00', :one, 'denied', -5);
-- excluded and ignored
SELECT pk_tracking.set_site(:one, 'excluded_ips', '{198.51.100.*}');
INSERT INTO raw (id, at, idsite, ip, user_agent) VALUES (14, '2026-01-05 11:00+00', :one, '198.51.100.1', 'agent'), (15, '2026-01-05 11:00+00', :one, '203.0.113.1', 'Googlebot/2.1');
SELECT pk_tracking.reset_site(:one, 'excluded_ips');
-- nothing inserted, nothing said
INSERT INTO raw (id) SELECT 1 WHERE false;
INSERT INTO raw (id, at, idsite) VALUES (1, '2026-01-05 11:00+00', :one), (16, '2026-01-05 11:00+00', :one) ON CONFLICT DO NOTHING;
INSERT INTO raw (id, at, idsite) VALUES (16, '2026-01-05 11:00+00', :one), (16, '2026-01-05 11:00+00', :one) ON CONFLICT (id) DO NOTHING;
INSERT INTO raw (id, at, idsite, url) SELECT 100 + i, '2026-01-05 12:00+00'::timestamptz + i * interval '1 min', :one, 'http://a.example/select' FROM generate_series(1, 3) i;
COPY raw (id, at, idsite, url, new_visit, user_id) FROM stdin;
200	2026-01-05 13:00+00	0	http://a.example/copy	\N	\N
201	2026-01-05 13:00+00	-1	http://a.example/copy	t	jo
\.
SET client_min_messages = warning;
SELECT h.url, h.title, h.kind, h.server_time, h.ip FROM hits h WHERE h.idsite = :one ORDER BY h.server_time, h.url;
SELECT * FROM runs;
SELECT raw_table, position, row_key, sanely(parameter) AS parameter, reason FROM rejected;
-- nothing of a row but its key
SELECT count(*) FILTER (WHERE j::text ~ '203\.|198\.|example|agent|00aa') AS telling FROM pk_tracking.rejected_hit j;
-- all or nothing
SELECT * FROM pk_tracking.attach('raw', on_error => 'raise');
INSERT INTO raw (id, at, idsite, url) VALUES (300, '2026-01-05 14:00+00', :one, 'http://a.example/raise'), (301, '2026-01-05 14:00+00', 987654321, NULL);
SELECT count(*) FROM raw WHERE id >= 300;
SELECT count(*) FROM hits h WHERE h.url ~ 'raise';
SELECT pk_tracking.detach('raw');
INSERT INTO raw (id, at, idsite, url) VALUES (302, '2026-01-05 14:00+00', :one, 'http://a.example/detached');
SELECT count(*) FROM hits h WHERE h.url ~ 'detached';
SELECT pk_tracking.detach('raw');

-- 2. Mappings
CREATE FUNCTION try(t regclass, m jsonb, o text DEFAULT 'given', e text DEFAULT 'reject', trusted boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN pk_tracking_internal.raw_options(t, m, o, e, trusted)->'mapping';
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;
CREATE TABLE odd (site text, "when" bigint, page text, address text, hidden jsonb, pay money, yes boolean, link integer[], t timestamp, u uuid);
CREATE VIEW a_view AS SELECT 1 AS idsite;
SELECT m, try('odd', m::jsonb) FROM (VALUES
	(1, NULL), (2, '{}'), (3, '[]'), (4, '3'), (5, '{"idsite": "site"}'), (6, '{"idsite": "nowhere"}'), (7, '{"idsite": "site", "urls": "page"}'),
	(8, '{"idsite": {"value": 1}, "url": "page", "at": "when", "ip": "address"}'), (9, '{"idsite": {"value": 1}, "url": "pay"}'), (10, '{"idsite": {"value": 1}, "at": "page"}'),
	(11, '{"idsite": {"value": 1}, "ip": "when"}'), (12, '{"idsite": {"value": null}}'), (13, '{"idsite": {"value": [1]}}'), (14, '{"idsite": {"column": "site"}, "bots": "yes"}'), (15, '{"idsite": {"column": "site", "value": 1}}'),
	(16, '{"idsite": 1}'), (17, '{"idsite": "site", "url": null}'), (18, '{"query": "page"}'), (19, '{"query": {"value": "idsite=1"}}'), (20, '{"params": "hidden"}'), (21, '{"params": "page"}'), (22, '{"query": "hidden"}'),
	(23, '{"idsite": "site", "uid": "page", "user_id": "address"}'), (24, '{"idsite": "site", "dimension0": "page"}'), (25, '{"idsite": "site", "dimension12": "page"}'), (26, '{"idsite": "site", "link": "link"}'), (27, '{"idsite": "yes"}'),
	(28, '{"idsite": "site", "at": "t", "uid": "u"}'), (29, '{"idsite": "site", "at": {"value": 1}}'), (30, '{"idsite": "site", "cid": "u"}'), (31, '{"idsite": "ctid"}')) x(n, m) ORDER BY n;
SELECT try('a_view', NULL), try('pk_tracking.site', NULL), try('odd', '{"idsite": "site"}', 'backwards'), try('odd', '{"idsite": "site"}', 'given', 'ignore'), try(NULL, NULL);
SELECT pk_tracking.attach(NULL);
-- a column that has gone is an error of the INSERT
SELECT * FROM pk_tracking.attach('odd', '{"idsite": "site", "url": "page", "at": "t"}');
INSERT INTO odd (site, page, t) VALUES (:one, 'http://a.example/odd', '2026-01-05 15:00'), ('x', '', NULL);
ALTER TABLE odd RENAME COLUMN page TO pages;
INSERT INTO odd (site, pages) VALUES (:one, 'http://a.example/odd');
SELECT h.url, h.server_time FROM hits h WHERE h.url ~ 'odd';
DROP TABLE odd;

-- 3. The whole query string in one column, and parameters in a jsonb
CREATE TABLE q (query text, ip text, user_agent text, accept_language text, at timestamptz, headers jsonb);
SELECT * FROM pk_tracking.attach('q');
INSERT INTO q VALUES
	(format('https://t.example/matomo.php?idsite=%s&rec=1&url=http%%3A%%2F%%2Fb.example%%2F%%C3%%A9&_id=00000000000000cc&uid=jo', :two), '203.0.113.9', 'agent', 'en', '2026-01-05 10:00+00', '{"dnt": "0"}'),
	(format('idsite=%s&url=x', :two), '203.0.113.9', 'agent', 'en', '2026-01-05 10:00+00', NULL),
	(format('idsite=%s&rec=1&cid=x', :two), '203.0.113.9', 'agent', 'en', '2026-01-05 10:00+00', NULL),
	(format('idsite=%s&rec=1&cip=1.2.3.4', :two), '203.0.113.9', 'agent', 'en', '2026-01-05 10:00+00', NULL),
	(format('idsite=%s&rec=1', :two), 'not an address', 'agent', 'en', '2026-01-05 10:00+00', NULL),
	(format('idsite=%s&rec=1', :two), '203.0.113.9', 'agent', 'en', '2026-01-05 10:00+00', '[]'),
	(repeat('x', 70000), NULL, NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL, NULL, NULL), ('', '', '', '', NULL, '{}');
SELECT h.url, h.ip, h.user_id FROM hits h WHERE h.idsite = :two;
SELECT hits, recorded, excluded, rejected FROM runs OFFSET (SELECT count(*) - 1 FROM runs);
SELECT position, parameter, reason FROM pk_tracking.rejected_hit WHERE idrun = (SELECT max(idrun) FROM pk_tracking.ingest_run) ORDER BY position;
CREATE TABLE p (p jsonb, site integer, ip inet);
SELECT * FROM pk_tracking.attach('p', '{"params": "p", "idsite": "site", "ip": "ip", "dimension3": {"value": "x"}}');
INSERT INTO p VALUES ('{"url": "http://b.example/p", "idsite": 0, "rec": 0, "search_cat": ["a", "b"], "search": "s", "cip": "1.2.3.4"}', :two, '203.0.113.10'), ('[]', :two, NULL), (NULL, :two, NULL);
SELECT h.url, h.kind, h.ip FROM hits h WHERE h.idsite = :two AND h.ip = '203.0.0.0' ORDER BY 1, 2;
-- trust
SELECT count(*) FROM pk_tracking.attach('p', '{"params": "p", "idsite": "site", "country": {"value": "de"}}', dry_run => true);

-- 4. What would become of the rows that are there
SELECT count(*) AS visits FROM pk_tracking.log_visit \gset
SELECT d.row_number, d.outcome, d.outcome_reason, d.url, d.new_visit, d.matched_by FROM pk_tracking.attach('raw', dry_run => true, max_rows => 9) d;
SELECT count(*) = :visits AS same FROM pk_tracking.log_visit;
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'raw'::regclass;
SELECT pk_tracking.set_site(:three, 'fingerprint_salt_rotation', 'daily');
SELECT count(*) AS salts FROM (SELECT FROM pk_tracking.daily_salt_0 UNION ALL SELECT FROM pk_tracking.daily_salt_1) s \gset
SELECT d.outcome, d.new_visit FROM pk_tracking.attach('raw', jsonb_build_object('idsite', jsonb_build_object('value', :three), 'ip', 'ip', 'user_agent', 'user_agent', 'at', 'at'), dry_run => true, max_rows => 2) d;
SELECT count(*) = :salts AS "no salts made" FROM (SELECT FROM pk_tracking.daily_salt_0 UNION ALL SELECT FROM pk_tracking.daily_salt_1) s;
SELECT pk_tracking.reset_site(:three, 'fingerprint_salt_rotation');
SELECT pk_tracking_internal.raw_preview('raw', '{}'), 1;
SELECT pk_tracking_internal.raw_preview('raw', '3'), 1;
SELECT pk_tracking.attach('raw', dry_run => true, max_rows => 0);

-- 5. Order: as given, or by site and time; more rows than fit into bulk_memory at once
CREATE TABLE ordered (n serial, site integer, at timestamptz, visitor hexid, url text);
CREATE FUNCTION fill(a integer, b integer) RETURNS bigint LANGUAGE sql AS $$
	WITH i AS (INSERT INTO ordered (site, at, visitor, url) SELECT CASE i % 2 WHEN 0 THEN a ELSE b END, '2026-01-06 00:00+00'::timestamptz + (i * 7919 % 6007) * interval '3 s',
		lpad(to_hex(i % 97 + 256), 16, '0')::hexid, 'http://c.example/' || i FROM generate_series(1, 6000) i RETURNING 1) SELECT count(*) FROM i
$$;
SELECT pk_tracking.set_instance('trust_visitors_cookies', 'on');
SELECT * FROM pk_tracking.attach('ordered', '{"idsite": "site", "at": "at", "visitor_id": "visitor", "url": "url"}', hit_order => 'time');
SET pk_tracking.bulk_memory = '1MB';
SELECT fill(:three, :three);
RESET pk_tracking.bulk_memory;
SELECT hits, recorded, new, continued FROM runs OFFSET (SELECT count(*) - 1 FROM runs);
-- the same, one by one, in order of time: the same visits
SELECT (pk_tracking.track(:four, o.url, visitor_id => o.visitor, at => o.at)).outcome, count(*) FROM (SELECT * FROM ordered ORDER BY at, n OFFSET 0) o GROUP BY 1;
CREATE FUNCTION visits(site integer) RETURNS TABLE (visitor hexid, first timestamptz, last timestamptz, actions integer, urls text) LANGUAGE sql AS $$
	SELECT v.idvisitor, v.visit_first_action_time, v.visit_last_action_time, v.visit_total_actions, md5(string_agg(a.server_time || a.url, ' ' ORDER BY a.server_time, a.url))
	FROM pk_tracking.log_visit v JOIN pk_tracking.action a USING (idvisit) WHERE v.idsite = $1 GROUP BY v.idvisit
$$;
SELECT count(*) >= 97 AS visits, count(*) FILTER (WHERE f IS NULL OR t IS NULL) AS different FROM visits(:three) t FULL JOIN visits(:four) f USING (visitor, first, last, actions, urls);
-- as given, in many chunks too
SELECT * FROM pk_tracking.attach('ordered', '{"idsite": "site", "at": "at", "visitor_id": "visitor", "url": "url"}');
TRUNCATE ordered;
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:three, :four); DELETE FROM pk_tracking.log_link_visit_action WHERE idsite IN (:three, :four);
SET pk_tracking.bulk_memory = '1MB';
SELECT fill(:three, :three);
RESET pk_tracking.bulk_memory;
SELECT (pk_tracking.track(:four, o.url, visitor_id => o.visitor, at => o.at)).outcome, count(*) FROM (SELECT * FROM ordered ORDER BY n OFFSET 0) o GROUP BY 1;
SELECT count(*) >= 97 AS visits, count(*) FILTER (WHERE f IS NULL OR t IS NULL) AS different FROM visits(:three) t FULL JOIN visits(:four) f USING (visitor, first, last, actions, urls);
-- several sites in one statement of many chunks
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:three, :four); DELETE FROM pk_tracking.log_link_visit_action WHERE idsite IN (:three, :four);
SET pk_tracking.bulk_memory = '1MB';
SELECT fill(:three, :four);
RESET pk_tracking.bulk_memory;
SELECT idsite = :three AS three, sum(visit_total_actions) AS actions FROM pk_tracking.log_visit WHERE idsite IN (:three, :four) GROUP BY 1 ORDER BY 1;
SELECT pk_tracking.detach('ordered');
SELECT pk_tracking.reset_instance('trust_visitors_cookies');

-- 6. ingest: by key, or consuming
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:three, :four); DELETE FROM pk_tracking.log_link_visit_action WHERE idsite IN (:three, :four);
TRUNCATE pk_tracking.ingest_run CASCADE;
CREATE TABLE load (id integer PRIMARY KEY, uu uuid UNIQUE NOT NULL, nullable bigint UNIQUE, idsite integer, at timestamptz, ip inet, url text);
CREATE FUNCTION more(a integer, b integer, site integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO load SELECT i, md5(i::text)::uuid, NULL, site, '2026-01-07 10:00+00'::timestamptz + i * interval '1 s', '10.0.0.1'::inet + i % 7 * 65536, 'http://d.example/' || i FROM generate_series(a, b) i
$$;
SELECT more(1, 250, :three);
CALL pk_tracking.ingest('load', batch => 100);
CALL pk_tracking.ingest('load', batch => 100);
SELECT more(251, 260, :three), more(-5, 0, :three);
CALL pk_tracking.ingest('load');
SELECT count(*), count(DISTINCT url) FROM hits h WHERE h.idsite = :three;
SELECT * FROM runs;
SELECT raw_table, done_before > '0' AS done, until_before, last_key FROM pk_tracking.ingest_position;
-- what makes it unsure is refused
UPDATE load SET url = '' WHERE id = 7;
CALL pk_tracking.ingest('load');
DELETE FROM load WHERE id = 7;
CALL pk_tracking.ingest('load');
VACUUM FULL load;
CALL pk_tracking.ingest('load');
ALTER TABLE load RENAME TO load_1;
CREATE TABLE load (LIKE load_1 INCLUDING ALL);
CALL pk_tracking.ingest('load');
DROP TABLE load;
ALTER TABLE load_1 RENAME TO load;
BEGIN;
CALL pk_tracking.ingest('load');
ROLLBACK;
CALL pk_tracking.ingest('load', key => 'nullable');
CALL pk_tracking.ingest('load', key => 'url');
CALL pk_tracking.ingest('load', batch => 0);
CALL pk_tracking.ingest(NULL);
CALL pk_tracking.ingest('a_view');
-- a new beginning, by another key, with what a broken-off call has left
DELETE FROM pk_tracking.ingest_position;
DELETE FROM pk_tracking.log_visit WHERE idsite = :three; DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :three;
INSERT INTO load VALUES (1000, 'ffffffff-0000-0000-0000-000000000000', NULL, 987654321, NULL, NULL, NULL);
CALL pk_tracking.ingest('load', batch => 100, key => 'uu', on_error => 'raise');
SELECT last_key, until_before IS NOT NULL AS "a pass goes on" FROM pk_tracking.ingest_position;
SELECT count(*) FROM hits h WHERE h.idsite = :three;
CALL pk_tracking.ingest('load', batch => 100, key => 'uu', hit_order => 'time');
SELECT count(*), count(DISTINCT url) FROM hits h WHERE h.idsite = :three;
SELECT hits, recorded, rejected FROM runs OFFSET (SELECT count(*) - 1 FROM runs);
-- consuming; the rows were taken before, for another site
DELETE FROM pk_tracking.ingest_position;
CALL pk_tracking.ingest('load', jsonb_build_object('idsite', jsonb_build_object('value', :four), 'url', 'url', 'at', 'at', 'ip', 'ip'), batch => 100, consume => true);
SELECT (SELECT count(*) FROM load) AS left, count(*), count(DISTINCT url) FROM hits h WHERE h.idsite = :four;

-- 7. replay
SELECT more(1, 250, :four);
\set VERBOSITY sqlstate
SELECT pk_tracking.replay('load');
\set VERBOSITY terse
DELETE FROM pk_tracking.log_visit WHERE idsite = :four; DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :four;
SELECT pk_tracking.replay('load');
SELECT count(*), count(DISTINCT url) FROM hits h WHERE h.idsite = :four;
DELETE FROM pk_tracking.log_visit WHERE idsite = :four; DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :four;
INSERT INTO load (id, uu, idsite) VALUES (1000, 'ffffffff-0000-0000-0000-000000000000', 987654321);
SELECT pk_tracking.replay('load', hit_order => 'given', on_error => 'raise');
SELECT pk_tracking.replay('load', hit_order => 'given');
SELECT pk_tracking.replay(NULL);

-- 8. Partitions
CREATE TABLE parted (id bigint, idsite integer, at timestamptz, url text, PRIMARY KEY (id, idsite)) PARTITION BY LIST (idsite);
SET client_min_messages = notice;
SELECT * FROM pk_tracking.attach('parted');
CREATE TABLE parted_1 (url text, extra text, at timestamptz, id bigint NOT NULL, idsite integer NOT NULL);
ALTER TABLE parted_1 DROP COLUMN extra;
SELECT set_config('test.one', :'one', false) IS NULL AS x, set_config('test.two', :'two', false) IS NULL AS y \gset
DO $$ BEGIN
	EXECUTE format('ALTER TABLE parted ATTACH PARTITION parted_1 FOR VALUES IN (%s)', current_setting('test.one'));
	EXECUTE format('CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (%s)', current_setting('test.two'));
END $$;
SELECT * FROM pk_tracking.attach('parted');
INSERT INTO parted VALUES (1, :one, '2026-01-08 10:00+00', 'http://p.example/1'), (2, :two, '2026-01-08 10:00+00', 'http://p.example/2');
INSERT INTO parted_1 (id, idsite, at, url) VALUES (3, :one, '2026-01-08 10:01+00', 'http://p.example/3');
SELECT h.url, count(*) FROM hits h WHERE h.url ~ '//p\.example' GROUP BY 1 ORDER BY 1;
CALL pk_tracking.ingest('parted');
SELECT pk_tracking.detach('parted');
SELECT count(*) AS triggers FROM pg_trigger t WHERE t.tgfoid = 'pk_tracking_internal.track_rows'::regproc AND t.tgrelid::regclass::text ~ 'parted';
SET client_min_messages = warning;

-- 9. Rights
CREATE ROLE regress_pkt_loader;
CREATE ROLE regress_pkt_inserter;
CREATE SCHEMA regress_pkt_theirs AUTHORIZATION regress_pkt_loader;
GRANT USAGE ON SCHEMA regress_pkt_theirs TO regress_pkt_inserter;
SET ROLE regress_pkt_loader;
CREATE TABLE regress_pkt_theirs.raw (id serial PRIMARY KEY, idsite integer, url text, at timestamptz);
GRANT INSERT ON regress_pkt_theirs.raw TO regress_pkt_inserter;
GRANT USAGE ON SEQUENCE regress_pkt_theirs.raw_id_seq TO regress_pkt_inserter;
SELECT pk_tracking.attach('regress_pkt_theirs.raw');
CREATE TRIGGER t AFTER INSERT ON regress_pkt_theirs.raw REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.track_rows('{}');
RESET ROLE;
SELECT pk_tracking.grant_tracker('regress_pkt_loader');
SET ROLE regress_pkt_loader;
SELECT pk_tracking.attach('regress_pkt_theirs.raw', trusted => true);
SELECT pk_tracking.attach('regress_pkt_raw.raw');
SELECT pk_tracking.attach('regress_pkt_theirs.raw');
SELECT pk_tracking.replay('regress_pkt_theirs.raw');
SET ROLE regress_pkt_inserter;
INSERT INTO regress_pkt_theirs.raw (idsite, url, at) VALUES (:one, 'http://theirs.example/', '2026-01-09 10:00+00'), (:two, 'http://theirs.example/', '2026-01-09 10:00+00');
SELECT count(*) FROM regress_pkt_theirs.raw;
SELECT count(*) FROM pk_tracking.rejected_hit;
RESET ROLE;
SELECT h.idsite = :one AS one, h.url FROM hits h WHERE h.url ~ 'theirs' ORDER BY 1;
-- ingest reads as its caller
GRANT EXECUTE ON PROCEDURE pk_tracking.ingest TO regress_pkt_inserter;
GRANT USAGE ON SCHEMA pk_tracking, pk_tracking_internal TO regress_pkt_inserter;
SET ROLE regress_pkt_inserter;
CALL pk_tracking.ingest('regress_pkt_theirs.raw');
SET ROLE regress_pkt_loader;
CALL pk_tracking.ingest('regress_pkt_theirs.raw', batch => 1);
RESET ROLE;
SELECT h.idsite = :one AS one, h.url, count(*) FROM hits h WHERE h.url ~ 'theirs' GROUP BY 1, 2 ORDER BY 1;
-- a hand-made trigger may not trust itself
SET ROLE regress_pkt_loader;
CREATE TRIGGER mine AFTER INSERT ON regress_pkt_theirs.raw REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.track_rows('{"mapping": {"idsite": "idsite"}, "trusted": true}');
INSERT INTO regress_pkt_theirs.raw (idsite) VALUES (1);
DROP TRIGGER mine ON regress_pkt_theirs.raw;
CREATE TRIGGER mine BEFORE INSERT ON regress_pkt_theirs.raw FOR EACH ROW EXECUTE FUNCTION pk_tracking_internal.track_rows('{}');
INSERT INTO regress_pkt_theirs.raw (idsite) VALUES (1);
RESET ROLE;
SELECT pk_tracking_internal.track_rows();

-- 10. The other direction: a table of one's own with what became of the hits
CREATE TABLE answers (id integer PRIMARY KEY, outcome text, idvisit bigint, new_visit boolean);
INSERT INTO answers SELECT l.id, t.outcome, t.idvisit, t.new_visit FROM load l, LATERAL pk_tracking.track(l.idsite, l.url, ip => l.ip, at => l.at + interval '1 day') t WHERE l.id BETWEEN 1 AND 3;
SELECT a.id, a.outcome, a.new_visit, h.url, h.server_time FROM answers a JOIN pk_tracking.action h USING (idvisit) ORDER BY a.id;
-- once a row, in the order in which the planner reads
TRUNCATE answers;
INSERT INTO answers SELECT l.id, t.outcome, t.idvisit, t.new_visit FROM (SELECT * FROM load WHERE id BETWEEN 11 AND 210 ORDER BY id DESC OFFSET 0) l, LATERAL pk_tracking.track(l.idsite, l.url, ip => l.ip, at => l.at + interval '2 days') t;
SELECT count(*) AS answers, count(DISTINCT a.idvisit) AS visits, max(a.id) FILTER (WHERE a.new_visit) AS first, (SELECT count(*) FROM pk_tracking.log_link_visit_action h WHERE h.idvisit IN (SELECT b.idvisit FROM answers b)) AS actions FROM answers a;
-- a hit that the table refuses is not tracked either
INSERT INTO answers SELECT l.id, t.outcome, t.idvisit, t.new_visit FROM load l, LATERAL pk_tracking.track(l.idsite, l.url, ip => l.ip, at => l.at + interval '3 days') t WHERE l.id IN (11, 12);
SELECT count(*) FROM pk_tracking.log_link_visit_action h WHERE h.server_time >= '2026-01-10' AND h.server_time < '2026-01-11' AND h.idsite IN (:one, :two, :three, :four);

DROP SCHEMA regress_pkt_theirs CASCADE;
RESET search_path;
DROP SCHEMA regress_pkt_raw CASCADE;
DROP OWNED BY regress_pkt_loader, regress_pkt_inserter;
DROP ROLE regress_pkt_loader, regress_pkt_inserter;
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:one, :two, :three, :four);
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite IN (:one, :two, :three, :four);
TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position;
