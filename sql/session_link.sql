-- Session links: anonymous sessions, hourly keys, destruction
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
-- pgcrypto stands in public
SET search_path = public;
-- what other tests have left and destroyed
TRUNCATE pk_tracking.secret_destroyed, pk_tracking.link_key_0, pk_tracking.link_key_1, pk_tracking.session_link_0, pk_tracking.session_link_1;

-- c(m): a wall clock, m minutes after ten o'clock of an even hour
CREATE FUNCTION pg_temp.c(m numeric) RETURNS timestamptz LANGUAGE sql AS
	$$ SELECT timestamptz '2024-06-15 10:00+00' + m * interval '1 minute' $$;
-- what a cookie of site 1 leads to at that clock, the hit being of that time
CREATE FUNCTION pg_temp.visits(cookie text, m numeric) RETURNS bigint[] LANGUAGE sql AS
	$$ SELECT pk_tracking_internal.session_link(1, 'cookie', cookie::bytea, pg_temp.c(m), pg_temp.c(m)) $$;
-- and then links that visit
CREATE FUNCTION pg_temp.link(cookie text, m numeric, idvisit bigint) RETURNS bigint[] LANGUAGE sql AS
	$$ SELECT pk_tracking_internal.session_link(1, 'cookie', cookie::bytea, pg_temp.c(m), pg_temp.c(m), idvisit) $$;
CREATE FUNCTION pg_temp.keys() RETURNS TABLE (slot integer, period text, rows bigint, links bigint, pages boolean) LANGUAGE sql AS $$
	SELECT 0, (SELECT string_agg(to_char(period, 'DD HH24'), ',' ORDER BY period) FROM pk_tracking.link_key_0), (SELECT count(*) FROM pk_tracking.link_key_0),
		(SELECT count(*) FROM pk_tracking.session_link_0), pg_relation_size('pk_tracking.link_key_0') + pg_relation_size('pk_tracking.session_link_0') > 0
	UNION ALL
	SELECT 1, (SELECT string_agg(to_char(period, 'DD HH24'), ',' ORDER BY period) FROM pk_tracking.link_key_1), (SELECT count(*) FROM pk_tracking.link_key_1),
		(SELECT count(*) FROM pk_tracking.session_link_1), pg_relation_size('pk_tracking.link_key_1') + pg_relation_size('pk_tracking.session_link_1') > 0
$$;

-- 1. Members, unlogged, never dumped; records and their view are ordinary members
SELECT c.relkind, c.relname, c.relpersistence, coalesce(c.oid = ANY (e.extconfig), false) AS dumped, d.objid IS NOT NULL AS member
FROM pg_class c JOIN pg_extension e ON e.extname = 'pk_tracking'
	LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refobjid = e.oid AND d.deptype = 'e'
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname ~ '^(link_key|session_link|secret)' ORDER BY c.relname COLLATE "C";
-- no unique index, which another transaction's insert would wait for
SELECT i.indexrelid::regclass, i.indisunique FROM pg_index i WHERE i.indrelid::regclass::text ~ '^pk_tracking\.(link_key|session_link)_[01]$' ORDER BY 1;
SELECT count(*) AS toasted FROM pg_class WHERE relnamespace = 'pk_tracking'::regnamespace AND relname ~ '^session_link_[01]$' AND reltoastrelid <> 0;

-- 2. Finding
SELECT pg_temp.visits('one', 0) IS NULL AS "no key, and none is made";
SELECT * FROM pg_temp.keys();
SELECT pg_temp.link('one', 0, 11) AS "nothing yet";
SELECT * FROM pg_temp.keys();
SELECT pg_temp.visits('one', 0) AS one, pg_temp.visits('two', 0) AS two, pg_temp.visits('', 0) AS empty, pg_temp.visits('one' || chr(0001), 0) AS longer,
	pk_tracking_internal.session_link(2, 'cookie', 'one', pg_temp.c(0), pg_temp.c(0)) AS "another site",
	pk_tracking_internal.session_link(1, 'fingerprint', 'one', pg_temp.c(0), pg_temp.c(0)) AS "another kind";
-- it is linked once
SELECT pg_temp.link('one', m, 11) FROM generate_series(1, 5) m;
SELECT links FROM pg_temp.keys() WHERE slot = 0;
-- the documented encoding, with pgcrypto's hmac
CREATE FUNCTION pg_temp.oracle(kind text, idsite integer, data bytea, hour integer) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
	key bytea;
BEGIN
	EXECUTE format('SELECT value FROM pk_tracking.link_key_%s', hour % 2) INTO STRICT key;
	RETURN encode(substr(hmac(int4send(1) || convert_to(kind, 'UTF8') || int4send(4) || int4send(idsite) || int4send(length(data)) || data,
		key, 'sha256'), 1, 16), 'hex')::uuid;
END
$$;
SELECT length(value) FROM pk_tracking.link_key_0;
SELECT link = pg_temp.oracle('c', 1, 'one', 10) AS as_documented, linked, idvisit, idsite FROM pk_tracking.session_link_0;
BEGIN;
SELECT count(*) FROM generate_series(1, 300) i, LATERAL (SELECT pk_tracking_internal.session_link(i * 7919, CASE WHEN i % 2 = 0 THEN 'cookie' ELSE 'fingerprint' END,
	decode(repeat(md5(i::text), i % 40), 'hex'), pg_temp.c(i), pg_temp.c(4), 1000 + i) OFFSET 0) t;
SELECT count(*), count(*) FILTER (WHERE link <> pg_temp.oracle(CASE WHEN (idvisit - 1000) % 2 = 0 THEN 'c' ELSE 'f' END, idsite,
	decode(repeat(md5((idvisit - 1000)::text), (idvisit - 1000)::integer % 40), 'hex'), 10)) AS wrong
FROM pk_tracking.session_link_0 WHERE idvisit > 1000;
ROLLBACK;
-- several visits of one cookie: the nearest in event time first, which is the newest for hits in order
SELECT pg_temp.link('many', 1, 21) AS v21, pg_temp.link('many', 2, 22) AS v22, pg_temp.link('many', 3, 23) AS v23, pg_temp.link('many', 3, 24) AS v24;
SELECT at, pk_tracking_internal.session_link(1, 'cookie', 'many', pg_temp.c(at), pg_temp.c(5)) AS visits,
	pk_tracking_internal.session_link(1, 'cookie', 'many', pg_temp.c(at), pg_temp.c(5), max_visits => 2) AS two
FROM unnest('{-1000000,0,1,1.9,2,2.4,2.6,3,4,1000000}'::numeric[]) at;
-- against a plain sort: an import of years that has one fingerprint
BEGIN;
CREATE TEMP TABLE import ON COMMIT DROP AS SELECT i AS idvisit, timestamptz '2020-01-01' + (i * 7919 % 2000) * interval '1 day' + i * interval '1 s' AS at FROM generate_series(1, 2000) i;
SELECT count(pk_tracking_internal.session_link(1, 'fingerprint', 'carrier', at, pg_temp.c(5), idvisit, 1)) FROM import;
WITH hit AS (SELECT timestamptz '2020-01-01' + (i * 104729 % 2000) * interval '1 day' + i * interval '1 h' AS at FROM generate_series(1, 300) i)
SELECT count(*), count(*) FILTER (WHERE pk_tracking_internal.session_link(1, 'fingerprint', 'carrier', h.at, pg_temp.c(6), max_visits => 7)
	<> (SELECT array_agg(v.idvisit::bigint) FROM (SELECT i.idvisit FROM import i
		ORDER BY abs(extract(epoch FROM i.at - h.at)), i.idvisit DESC LIMIT 7) v)) AS wrong
FROM hit h;
ROLLBACK;

-- 3. Hours.  Ten o'clock's key lives until 11:30
SELECT pg_temp.link('old', 0, 31) AS "10:00";
SELECT m, pg_temp.visits('old', m) AS visits FROM unnest(ARRAY[-31, -1, 0, 59, 60, 89, 90 - 0.1/60, 90, 91, 120, 150, 180, 1440, 52560000]) m;
-- expired or not, the row stands
SELECT count(*) FROM pk_tracking.session_link_0 WHERE idvisit = 31;
-- a hit at 11:10 links it again, under the new key: then it lives until 12:30
SELECT pg_temp.link('old', 70, 31) AS "11:10", pg_temp.link('new', 71, 32) AS "11:11";
SELECT * FROM pg_temp.keys();
SELECT m, pg_temp.visits('old', m) AS old, pg_temp.visits('new', m) AS new, pg_temp.visits('one', m) AS one
FROM unnest('{71,89,90,119,149,150}'::integer[]) m;
SELECT (SELECT value FROM pk_tracking.link_key_0) <> (SELECT value FROM pk_tracking.link_key_1) AS "another key",
	(SELECT link FROM pk_tracking.session_link_0 WHERE idvisit = 31) <> (SELECT link FROM pk_tracking.session_link_1 WHERE idvisit = 31) AS "another link";
-- a visit that both hours know comes once
SELECT pg_temp.visits('old', 72) AS once;

-- 4. Twelve o'clock takes ten o'clock's tables: what is in them goes first
SELECT pg_temp.link('old', 125, 31) AS "12:05";
SELECT * FROM pg_temp.keys();
SELECT kind, idsite, period, expires, destroyed FROM pk_tracking.secret_destroyed ORDER BY destroyed, period;
-- in the last five minutes of an hour the next key is made, by who may write
SELECT pg_temp.link('old', 174, 31) AS "12:54";
SELECT count(*) FROM pk_tracking.link_key_1 WHERE period = pg_temp.c(180);
SELECT pg_temp.visits('old', 176) AS "12:56, reading";
SELECT count(*) FROM pk_tracking.link_key_1 WHERE period = pg_temp.c(180);
SELECT pg_temp.link('old', 176, 31) AS "12:56";
SELECT * FROM pg_temp.keys();
CREATE TEMP TABLE prepared AS SELECT digest(value, 'sha256') AS digest, created FROM pk_tracking.link_key_1;
SELECT pg_temp.link('old', 178, 31) AS "12:58", pg_temp.link('old', 181, 31) AS "13:01";
SELECT * FROM pg_temp.keys();
SELECT digest = digest(k.value, 'sha256') AS same, k.created FROM prepared, pk_tracking.link_key_1 k;
-- if another session reads old links meanwhile, here those of 13 o'clock at 14:57, they stay where they are
SELECT pg_temp.link('old', 241, 31) AS "14:01";
BEGIN;
DECLARE reader CURSOR FOR SELECT idvisit FROM pk_tracking.session_link_1;
FETCH reader;
SELECT pg_temp.link('old', 297, 31) AS "14:57";
SELECT period FROM pk_tracking.link_key_1 ORDER BY 1;
SELECT pg_temp.visits('old', 300) AS "15:00";
ROLLBACK;
SELECT * FROM pg_temp.keys();

-- 5. Destruction.  Nothing that lives
SELECT pk_tracking.destroy_expired_links(pg_temp.c(m)) FROM unnest('{241,269}'::integer[]) m;
SELECT * FROM pg_temp.keys();
-- 14:30: what is of 13 o'clock
SELECT pk_tracking.destroy_expired_links(pg_temp.c(270));
SELECT * FROM pg_temp.keys();
SELECT pg_temp.visits('old', 270) AS "14:30", pg_temp.visits('old', 310) AS "15:10";
SELECT pk_tracking.destroy_expired_links(pg_temp.c(270));
-- not what is in use, here by this session itself
BEGIN;
DECLARE reader CURSOR FOR SELECT created FROM pk_tracking.link_key_0;
FETCH reader;
SELECT pk_tracking.destroy_expired_links(pg_temp.c(330));
COMMIT;
-- the links alone are in use: the key goes, and the links lead nowhere
BEGIN;
DECLARE reader CURSOR FOR SELECT idvisit FROM pk_tracking.session_link_0;
FETCH reader;
SELECT pk_tracking.destroy_expired_links(pg_temp.c(330));
SELECT pg_temp.visits('old', 269) IS NULL AS "no key any more";
SELECT * FROM pg_temp.keys();
COMMIT;
SELECT pk_tracking.destroy_expired_links(pg_temp.c(330));
SELECT * FROM pg_temp.keys();
-- as tracking calls do it: when the next key expires, not before.  m: the clock
CREATE FUNCTION pg_temp.hit(m numeric, idvisit bigint) RETURNS text LANGUAGE sql AS $$
	SELECT pk_tracking_internal.session_link(1, 'cookie', 'hit', pg_temp.c(m), pg_temp.c(m), idvisit, destroy => true)::text;
	SELECT string_agg(coalesce(k.period, 'none'), ', ' ORDER BY k.slot) FROM pg_temp.keys() k;
$$;
SELECT m, pg_temp.hit(m, 41) AS keys FROM unnest(ARRAY[361, 419, 421, 450 - 0.001, 450, 479, 510 - 0.001]) m;
-- a comparison in between: what comes to be there by other means is not looked for
INSERT INTO pk_tracking.link_key_1 VALUES (pg_temp.c(-60), '\x00', pg_temp.c(-60), pg_temp.c(30));
SELECT m, pg_temp.hit(m, NULL) AS keys FROM unnest(ARRAY[485, 509.999, 510, 511]) m;
-- rolled back, it is done by the next call; so it is when the clock was set back
SELECT pg_temp.hit(550, 42);
BEGIN;
SELECT pg_temp.hit(635, NULL);
ROLLBACK;
SELECT * FROM pg_temp.keys();
BEGIN;
SAVEPOINT s;
SELECT pg_temp.hit(636, NULL);
ROLLBACK TO s;
SELECT pg_temp.hit(637, NULL);
COMMIT;
SELECT pg_temp.hit(100, 43), pg_temp.hit(41, NULL) AS "a little", pg_temp.hit(-20, NULL) AS "much";
SELECT pg_temp.hit(190, NULL);
-- a table in use: the call goes on, and one a second later tries again
SELECT pg_temp.hit(361, 44);
BEGIN;
DECLARE reader CURSOR FOR SELECT created FROM pk_tracking.link_key_0;
FETCH reader;
SELECT pg_temp.hit(451, NULL);
COMMIT;
SELECT pg_temp.hit(451 + 0.9/60, NULL), pg_temp.hit(451 + 1.0/60, NULL);
DELETE FROM pk_tracking.secret_destroyed WHERE destroyed > pg_temp.c(330) OR period < '2024-06-15 10:00';
-- rolled back: nothing is destroyed, nothing recorded
SELECT pg_temp.link('back', 600, 51);
BEGIN;
SELECT pk_tracking.destroy_expired_links(pg_temp.c(690));
ROLLBACK;
SELECT pg_temp.visits('back', 601);
SELECT kind, period, destroyed FROM pk_tracking.secret_destroyed ORDER BY destroyed, period;
-- the view has what exists and what does not, and no secret
SELECT kind, idsite, period, created IS NOT NULL AS created, expires, destroyed FROM pk_tracking.secrets
WHERE kind <> 'daily salt' ORDER BY kind COLLATE "C", period;
SELECT attname, atttypid::regtype FROM pg_attribute WHERE attrelid = 'pk_tracking.secrets'::regclass AND attnum > 0 ORDER BY attnum;
-- a key from the future was made by a wrong clock
SELECT pg_temp.link('future', 100000, 61);
SELECT pk_tracking.destroy_expired_links(pg_temp.c(601));
SELECT * FROM pg_temp.keys();
SELECT pk_tracking_internal.session_link(1, 'cookie', 'before 2000', '1999-12-31 23:59+00', '1999-12-31 23:59+00', 62);
SELECT period, expires FROM pk_tracking.link_key_1;
SELECT pk_tracking_internal.session_link(1, 'cookie', 'before 2000', '1999-12-31 23:59+00', clock) FROM unnest('{1999-12-31 23:00+00,2000-01-01 00:29:59+00,2000-01-01 00:30+00}'::timestamptz[]) clock;
SELECT pk_tracking.destroy_expired_links() >= 2 AS "by the clock of the wall";
SELECT * FROM pg_temp.keys();
-- records are kept for 30 days
SELECT count(*) AS old FROM pk_tracking.secret_destroyed WHERE destroyed < now() - interval '30 days';
BEGIN;
INSERT INTO pk_tracking.secret_destroyed (kind, period, destroyed) VALUES ('link key', 'x', pg_temp.c(-30 * 1440)), ('link key', 'y', pg_temp.c(-30 * 1440 - 1));
SELECT pg_temp.link('x', -120, 1);
SELECT pk_tracking.destroy_expired_links(pg_temp.c(0));
SELECT period FROM pk_tracking.secret_destroyed WHERE period IN ('x', 'y');
ROLLBACK;
-- daily salts are recorded, too
BEGIN;
INSERT INTO pk_tracking.daily_salt_5 VALUES (7, '2020-01-01', 'x', '2020-01-01', '2020-01-04'), (8, '2020-01-01', 'x', '2020-01-01', '2020-01-04');
SELECT kind, idsite, period, expires, destroyed FROM pk_tracking.secrets WHERE idsite IN (7, 8) AND period = '2020-01-01' ORDER BY idsite;
SELECT pk_tracking.destroy_expired_salts() >= 1 AS destroyed;
SELECT kind, idsite, period, created, expires, destroyed > now() - interval '1 hour' AS destroyed FROM pk_tracking.secrets WHERE idsite IN (7, 8) AND period = '2020-01-01' ORDER BY idsite;
ROLLBACK;

-- 6. Rolled back: key and links go together, and the next key is another
BEGIN;
SELECT pg_temp.link('undone', 0, 71);
CREATE TEMP TABLE undone AS SELECT digest(value, 'sha256') AS digest FROM pk_tracking.link_key_0;
SAVEPOINT s;
SELECT pg_temp.link('undone', 60, 71);
ROLLBACK TO s;
SELECT pg_temp.visits('undone', 61) AS "the first key is still there";
SELECT * FROM pg_temp.keys();
SELECT pg_temp.link('undone', 61, 71);
COMMIT;
BEGIN;
SAVEPOINT s;
SELECT pg_temp.link('undone', 120, 71);
ROLLBACK TO s;
SELECT pg_temp.visits('undone', 121) AS "under the key of 11";
ROLLBACK;
SELECT * FROM pg_temp.keys();
BEGIN;
SELECT pg_temp.link('undone', 240, 72);
ROLLBACK;
SELECT pg_temp.visits('undone', 240) IS NULL AS "no key";
SELECT pg_temp.link('undone', 240, 73) AS "no visit";
SELECT digest(value, 'sha256') = digest AS same FROM undone, pk_tracking.link_key_0;
-- a key that vanished leaves no match, though its links stand; nor does a key of the same hour made anew
DELETE FROM pk_tracking.link_key_0;
SELECT pg_temp.visits('undone', 241) IS NULL AS "no key";
SELECT count(*) FROM pk_tracking.session_link_0;
INSERT INTO pk_tracking.link_key_0 VALUES (pg_temp.c(240), gen_random_bytes(32), now(), pg_temp.c(330));
SELECT pg_temp.visits('undone', 241) AS "another key";
-- links without a key are emptied, whatever their hour
TRUNCATE pk_tracking.link_key_0;
SELECT pk_tracking.destroy_expired_links(pg_temp.c(241));
SELECT * FROM pg_temp.keys();

-- 7. What is wrong
SELECT pk_tracking_internal.session_link(1, 'cookies', 'x', now(), now());
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', 'infinity', now());
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', now(), '-infinity', 1);
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', now(), now(), 1, 0);
SELECT pk_tracking.destroy_expired_links('infinity');
SELECT pk_tracking_internal.session_link(NULL, 'cookie', 'x', now(), now(), 1) IS NULL AS "null", pk_tracking.destroy_expired_links(NULL) IS NULL AS "null";
BEGIN READ ONLY;
SELECT pg_temp.visits('x', 0) IS NULL AS "none";
SELECT pg_temp.link('x', 0, 1);
ROLLBACK;

-- 8. Nobody else
\set VERBOSITY terse
CREATE ROLE regress_pkt_nobody;
GRANT USAGE ON SCHEMA pk_tracking, pk_tracking_internal TO regress_pkt_nobody;
SET ROLE regress_pkt_nobody;
SELECT value FROM pk_tracking.link_key_0;
SELECT link FROM pk_tracking.session_link_1;
SELECT * FROM pk_tracking.secrets;
SELECT * FROM pk_tracking.secret_destroyed;
SELECT * FROM pk_tracking_internal.secret_list();
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', now(), now());
SELECT pk_tracking.destroy_expired_links();
RESET ROLE;
-- nor with EXECUTE: tables are read and written with the caller's rights
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pk_tracking, pk_tracking_internal TO regress_pkt_nobody;
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', pg_temp.c(0), pg_temp.c(0), 1);
SET ROLE regress_pkt_nobody;
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 10:00+00');
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 10:00+00', 1);
SELECT pk_tracking.destroy_expired_links();
SELECT * FROM pk_tracking.secrets;
RESET ROLE;
GRANT SELECT ON pk_tracking.link_key_0, pk_tracking.link_key_1, pk_tracking.session_link_0, pk_tracking.session_link_1 TO regress_pkt_nobody;
SET ROLE regress_pkt_nobody;
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 10:00+00') AS reading;
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 10:00+00', 2);
RESET ROLE;
DROP OWNED BY regress_pkt_nobody;
-- the owner of a log has all that it takes, with an empty search_path
BEGIN;
SELECT pk_tracking.grant_owner('regress_pkt_nobody');
SET LOCAL ROLE regress_pkt_nobody;
SET LOCAL search_path = '';
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 10:00+00', 2);
SELECT pk_tracking_internal.session_link(1, 'cookie', 'x', '2024-06-15 11:57+00', '2024-06-15 11:57+00', 2);
SELECT pk_tracking.destroy_expired_links();
SELECT DISTINCT kind FROM pk_tracking.secrets WHERE kind = 'link key' AND destroyed IS NOT NULL;
ROLLBACK;
DROP OWNED BY regress_pkt_nobody;
DROP ROLE regress_pkt_nobody;
SELECT pk_tracking.destroy_expired_links();
SELECT * FROM pg_temp.keys();
-- everything is commented, nothing is PUBLIC's
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname ~ '^(link_key|session_link|secret)' AND a.attnum > 0
	AND (c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL);
SELECT proname FROM pg_proc
WHERE pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND proname ~ 'link|secret'
	AND (obj_description(oid, 'pg_proc') IS NULL OR has_function_privilege('public', oid, 'EXECUTE'));
