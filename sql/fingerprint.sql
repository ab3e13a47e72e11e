-- Fingerprints, user ids, languages, salts
SET client_min_messages = warning;
-- pgcrypto and hexid stand in public
SET search_path = public;
-- what other tests have left
DO $$ BEGIN
	FOR i IN 0..7 LOOP EXECUTE format('TRUNCATE pk_tracking.daily_salt_%s', i); END LOOP;
	FOR i IN 0..3 LOOP EXECUTE format('TRUNCATE pk_tracking.late_salt_%s', i); END LOOP;
END $$;

-- 1. Languages: doc/internals.md, "Matomo: fingerprint"
WITH vector(input, expected) AS (VALUES
	('en-gb', 'en-gb'),
	('en-us,en;q=0.5', 'en-us,en'),
	('en-us,chrome://global/locale/intl.properties', 'en-us'),
	('en,en-securid', 'en'),
	('en-securid,en', 'en'),
	('en-us,en-securid,en', 'en-us,en'),
	('en-us,x-en-securid', 'en-us,x-en-securid'),
	('en-us,en-x-securid', 'en-us,en-x-securid'),
	('en-us, en', 'en-us,en'),
	('en-ca, en-us ,en', 'en-ca,en-us,en'),
	(' ( comment ) en-us (another comment) ', 'en-us'),
	(' ( \( start ) en-us ( \) end ) ', 'en-us'),
	(' ( \) en-ca, \( ) en-us ( \) ,en ) ', 'en-us'),
	-- and from the rules
	('', ''),
	('en-US,en;q=0.5', 'en-us,en'),
	('de_DE.UTF-8', 'de-de'),
	('C', 'c'),
	('fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr-ch,fr,en,de,*'),
	('sr-SP,sr;q=0.8', 'sr-rs,sr'),
	('chrome://x', ''),
	('a,chrome:b,chrome:c,d', 'a'),
	('en-securid', ''),
	('en-securid,en-securid,en', 'en-securid,en'),
	('en;q=,de;q=1', 'en;q=,de'),
	('en;q=0.5;q=0.6', 'en'),
	('en(', 'en('),
	('en)(a)b', 'en)b'),
	('en\', 'en\'),
	(E'e\tn\r\n-\x01us\x7f', 'en-us'),
	(U&'\00E9en\2028,de', 'en,de'))
SELECT to_json(input) AS input, pk_tracking.normalise_language(input) AS normalised,
	pk_tracking.normalise_language(input) = expected AS ok
FROM vector;
SELECT length(pk_tracking.normalise_language(repeat('a', 5000))) AS length,
	pk_tracking.normalise_language(repeat(' ', 1023) || 'de') AS "first 1024 bytes",
	pk_tracking.normalise_language(repeat('\', 1024)) = '' AS quoted,
	pk_tracking.normalise_language(repeat('(', 1024)) = repeat('(', 1024) AS open;
-- a normal list stays as it is
SELECT count(*) FROM unnest('{en-us\,en,de,zh-hans-cn\,zh}'::text[]) AS l
WHERE pk_tracking.normalise_language(l) <> l;

-- 2. User ids: doc/internals.md, "Matomo: user ids"
SELECT user_id, pk_tracking.user_id_visitor_id(user_id) AS visitor_id,
	pk_tracking.user_id_visitor_id(user_id)::text = expected AS ok
FROM (VALUES ('foo', '0beec7b5ea3f0fdb'), ('1', '356a192b7913b04c'), ('2', 'da4b9237bacccdf1'),
	('email@example.com', '9395988394d4568d'), ('new-email@example.com', 'c9ade7a5a103b2ed'),
	('new-user-id@one-weeklater', '72d4b5565daf5546')) AS vector(user_id, expected);
SELECT pk_tracking.user_id_pseudonym('foobar', 'simpleuseridsalt1');
SELECT count(*), count(*) FILTER (WHERE pk_tracking.user_id_visitor_id(u)::text
		<> encode(substr(digest(u, 'sha1'), 1, 8), 'hex')) AS id_wrong,
	count(*) FILTER (WHERE pk_tracking.user_id_pseudonym(u, s)
		<> encode(digest(convert_to(u, getdatabaseencoding()) || s, 'sha1'), 'hex')) AS pseudonym_wrong
FROM (SELECT repeat(md5(i::text), i % 5) || i || U&'\00E9' AS u, gen_random_bytes(1 + i % 1024) AS s
	FROM generate_series(1, 2000) AS i) AS t;

-- 3. Matomo's config_id: doc/internals.md, "Matomo: fingerprint"
SELECT pk_tracking.matomo_config_id(os => 'WIN', browser => 'FF', browser_version => '3.6', fla => 1, java => 1, cookie => 1,
	ip => '156.5.3.2', language => 'fr', salt => 'SALT', idsite => 1) AS "6785d917ee4fc85e";
SELECT pk_tracking.matomo_config_id(os => 'WIN', browser => 'FF', browser_version => '3.6', fla => 1, java => 1, cookie => 1,
	ip => '156.5.3.2', language => 'fr', salt => 'SALT', daily_salt => 'abcdefghijklmnoprstuvwxyz0123456' || '2010-03-06',
	idsite => 1) AS "54170e16b12bab9d";
SELECT pk_tracking.matomo_config_id(idsite => 1) AS "cd2428661374bb17";
-- every item has its place
SELECT pk_tracking.matomo_config_id('a', 'b', 'c', 'ip', repeat('l', 25), 'salt', 'daily', 77, 1, 2, 3, 4, 5, 6, 7, 8)::text
	= left(md5('abc' || '12' || '0' || '3456' || '0' || '78' || 'ip' || repeat('l', 20) || 'salt' || 'daily' || '77'), 16) AS ok;
SELECT pk_tracking.matomo_config_id(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::text
	= left(md5('0000000000'), 16) AS ok;

-- 4. Our config_id: the documented encoding, with pgcrypto's hmac
CREATE FUNCTION pg_temp.field(bytes bytea) RETURNS bytea LANGUAGE sql AS
	$$ SELECT int4send(length(coalesce(bytes, ''))) || coalesce(bytes, '') $$;
CREATE FUNCTION pg_temp.bytes(string text) RETURNS bytea LANGUAGE sql AS
	$$ SELECT convert_to(string, getdatabaseencoding()) $$;
CREATE FUNCTION pg_temp.oracle(salt bytea, os text, browser text, browser_version text, user_agent text,
	plugins integer[], ip inet, language text, idsite integer) RETURNS text LANGUAGE sql AS $$
	SELECT encode(substr(hmac(
		pg_temp.field(pg_temp.bytes(os)) || pg_temp.field(pg_temp.bytes(browser))
		|| pg_temp.field(pg_temp.bytes(browser_version)) || pg_temp.field(pg_temp.bytes(user_agent))
		|| pg_temp.field(pg_temp.bytes(array_to_string(plugins, ',')))
		|| pg_temp.field(substr(inet_send(ip), 5))
		|| pg_temp.field(substr(pg_temp.bytes(language), 1, 20))
		|| pg_temp.field(pg_temp.bytes(nullif(idsite, 0)::text)),
		salt, 'sha256'), 1, 8), 'hex') $$;

-- the vectors of fingerprint.c
WITH salt(a, b) AS (VALUES (
	'\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'::bytea,
	'\x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f'::bytea))
SELECT pk_tracking.fingerprint_with_salt(a, 'WIN', 'FF', '3.6', '', '{1,1,0,0,0,0,0,1,0}', '156.5.0.0', 'fr', 1) AS "6d2a7c2d3563c067",
	pk_tracking.fingerprint_with_salt(a || b, 'WIN', 'FF', '3.6', '', '{1,1,0,0,0,0,0,1,0}', '156.5.0.0', 'fr', 1) AS "59e71af9330af401",
	pk_tracking.fingerprint_with_salt(a, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS "2c608804daaaa8bf",
	pk_tracking.fingerprint_with_salt(a || b, '', '', '', '', '{}', NULL, '', 0) AS "c07ae45423bba485"
FROM salt;

-- random inputs: salts of 1 to 300 bytes, UTF-8, long user agents, both families
WITH input AS (
	SELECT gen_random_bytes(CASE WHEN i % 3 = 0 THEN 64 WHEN i % 3 = 1 THEN 32 ELSE 1 + i % 300 END) AS salt,
		(ARRAY['WIN', 'MAC', 'AND', '', U&'\00FCnix'])[1 + i % 5] AS os,
		(ARRAY['FF', 'CH', 'SF', 'UNK'])[1 + i % 4] AS browser,
		(i % 140)::text AS browser_version,
		CASE WHEN i % 2 = 0 THEN '' ELSE repeat(md5(i::text), i % 70) END AS user_agent,
		ARRAY(SELECT (random() * 4294967295 - 2147483648)::integer >> (((i + k) % 4) * 10)
			FROM generate_series(1, 9) AS k) AS plugins,
		CASE WHEN i % 7 = 0 THEN NULL
			WHEN i % 2 = 0 THEN '0.0.0.0'::inet + (random() * 4294967295)::bigint
			ELSE set_masklen('2001:db8::'::inet + (random() * 9e18)::bigint, i % 129) END AS ip,
		CASE i % 4 WHEN 0 THEN 'en-us,en' WHEN 1 THEN '' WHEN 2 THEN repeat('de-', 9) ELSE repeat(U&'\00E9', 15) END AS language,
		CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN 0 ELSE (random() * 2147483647)::integer END AS idsite
	FROM generate_series(1, 3000) AS i)
SELECT count(*), count(*) FILTER (WHERE
	pk_tracking.fingerprint_with_salt(salt, os, browser, browser_version, user_agent, plugins, ip, language, idsite)::text
	IS DISTINCT FROM pg_temp.oracle(salt, os, browser, browser_version, user_agent, plugins, ip, language, idsite)) AS wrong
FROM input;

-- each of these is another browser; the last two are not
SELECT count(*), count(DISTINCT pk_tracking.fingerprint_with_salt('salt', os, browser, version, ua, plugins, ip, language, idsite)::text)
FROM (VALUES
	('MAC', 'FF', '33.0', '', '{0}'::integer[], '125.1.55.55'::inet, 'en', 1),
	('GNU', 'FF', '33.0', '', '{0}', '125.1.55.55', 'en', 1),
	('MAC', 'CH', '33.0', '', '{0}', '125.1.55.55', 'en', 1),
	('MAC', 'FF', '34.0', '', '{0}', '125.1.55.55', 'en', 1),
	('MAC', 'FF3', '3.0', '', '{0}', '125.1.55.55', 'en', 1),
	('MAC', 'FF', '33.0', 'x', '{0}', '125.1.55.55', 'en', 1),
	('MAC', 'FF', '33.0', '', '{1}', '125.1.55.55', 'en', 1),
	('MAC', 'FF', '33.0', '', '{0,1}', '125.1.55.55', 'en', 1),
	('MAC', 'FF', '33.0', '', '{0}', '125.1.0.0', 'en', 1),
	('MAC', 'FF', '33.0', '', '{0}', '::ffff:125.1.55.55', 'en', 1),
	('MAC', 'FF', '33.0', '', '{0}', NULL, 'en', 1),
	('MAC', 'FF', '33.0', '', '{0}', '125.1.55.55', 'fr', 1),
	('MAC', 'FF', '33.0', '', '{0}', '125.1.55.55', 'en', 2),
	('MAC', 'FF', '33.0', '', '{0}', '125.1.55.55', 'en', 0),
	('MAC', 'FF', '33.0', '', '{0}', '125.1.55.55/8', 'en', 1),
	('MAC', 'FF', '33.0', '', '{0,0,0,0,0,0,0,0,0}', '125.1.55.55', 'en', NULL))
	AS browser(os, browser, version, ua, plugins, ip, language, idsite);
SELECT pk_tracking.fingerprint_with_salt('', '', '', '', '', '{1,2,3,4,5,6,7,8,9,10}', NULL, '', 1);
SELECT pk_tracking.fingerprint_with_salt('', '', '', '', '', '{{1},{2}}', NULL, '', 1);
SELECT pk_tracking.fingerprint_with_salt('', '', '', '', '', '{1,NULL}', NULL, '', 1);

-- 5. Salts
SELECT name, length(value), length(value) = length(pk_tracking.export_salt(name)) AS exported FROM pk_tracking.salt WHERE name <> 'lock' ORDER BY name;
SELECT count(DISTINCT value) FROM pk_tracking.salt;
-- another installation has others
CREATE TEMP TABLE before AS SELECT name, digest(value, 'sha256') AS digest FROM pk_tracking.salt;
BEGIN;
DROP EXTENSION pk_tracking CASCADE;
CREATE EXTENSION pk_tracking;
SELECT count(*) AS same FROM pk_tracking.salt AS s JOIN before AS b ON b.digest = digest(s.value, 'sha256');
ROLLBACK;
-- export, import
BEGIN;
SELECT pk_tracking.import_salt('user_id', 'oracle-fixed-userid-salt');
SELECT convert_from(pk_tracking.export_salt('user_id'), 'UTF8');
SELECT pk_tracking.import_salt('fingerprint', decode(repeat('ab', 32), 'hex'));
SELECT pk_tracking.export_salt('fingerprint') = decode(repeat('ab', 32), 'hex') AS imported;
SAVEPOINT s;
DELETE FROM pk_tracking.salt WHERE name = 'user_id';
SELECT pk_tracking.export_salt('user_id');
ROLLBACK TO s;
SELECT pk_tracking.import_salt('user_id', decode(repeat('00', 1024), 'hex'));
SELECT length(pk_tracking.export_salt('user_id'));
ROLLBACK;
SELECT count(*) AS same FROM pk_tracking.salt AS s JOIN before AS b ON b.digest = digest(s.value, 'sha256');
SELECT pk_tracking.import_salt('fingerprint', 'short');
SELECT pk_tracking.import_salt('user_id', '');
SELECT pk_tracking.import_salt('user_id', decode(repeat('00', 1025), 'hex'));
SELECT pk_tracking.import_salt('secret', 'value');
SELECT pk_tracking.export_salt('secret');

-- 6. Daily salts, UTC.  d(n): the day n days from a fixed one; noon(n): a wall clock on that day
CREATE FUNCTION pg_temp.d(n integer) RETURNS date LANGUAGE sql AS
	$$ SELECT date '2024-06-15' + n $$;
CREATE FUNCTION pg_temp.noon(n integer) RETURNS timestamptz LANGUAGE sql AS
	$$ SELECT (pg_temp.d(n) + time '12:00') AT TIME ZONE 'UTC' $$;
-- the digest that a hit of day n of a site would use, seen from a wall clock
CREATE FUNCTION pg_temp.salt(idsite integer, n integer, at timestamptz, make boolean) RETURNS bytea LANGUAGE sql AS
	$$ SELECT pk_tracking_internal.daily_salt_digest(idsite, pg_temp.d(n), (pg_temp.d(n) + 1)::timestamp AT TIME ZONE 'UTC', at, make) $$;
CREATE FUNCTION pg_temp.used() RETURNS TABLE (daily bigint, late bigint) LANGUAGE plpgsql AS $$
BEGIN
	daily := 0; late := 0;
	FOR i IN 0..7 LOOP EXECUTE format('SELECT $1 + count(*) FROM pk_tracking.daily_salt_%s', i) INTO daily USING daily; END LOOP;
	FOR i IN 0..3 LOOP EXECUTE format('SELECT $1 + count(*) FROM pk_tracking.late_salt_%s', i) INTO late USING late; END LOOP;
	RETURN NEXT;
END $$;
SELECT relname, relpersistence, coalesce(c.oid = ANY (extconfig), false) AS dumped
FROM pg_class AS c LEFT JOIN pg_extension AS e ON extname = 'pk_tracking'
WHERE relnamespace = 'pk_tracking'::regnamespace AND relkind = 'r' AND relname ~ 'salt' ORDER BY relname COLLATE "C";
SELECT count(*) AS members FROM pg_depend
WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass AND classid = 'pg_class'::regclass
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'pk_tracking') AND objid::regclass::text ~ 'salt';

SELECT pg_temp.salt(1, 0, pg_temp.noon(0), false) IS NULL AS "none yet";
SELECT length(pg_temp.salt(1, 0, pg_temp.noon(0), true));
-- the same until two days after the day's end, another for another site or day
CREATE TEMP TABLE seen AS SELECT pg_temp.salt(1, 0, pg_temp.noon(0), false) AS digest;
SELECT n, pg_temp.salt(1, 0, pg_temp.noon(n), false) = digest AS same FROM seen, generate_series(-1, 4) AS n ORDER BY n;
SELECT pg_temp.salt(1, 0, (pg_temp.d(3))::timestamp AT TIME ZONE 'UTC' - interval '1 us', false) = digest AS same,
	pg_temp.salt(1, 0, (pg_temp.d(3))::timestamp AT TIME ZONE 'UTC', false) IS NULL AS expired FROM seen;
SELECT count(DISTINCT d) FROM (SELECT digest FROM seen UNION ALL SELECT pg_temp.salt(2, 0, pg_temp.noon(0), true)
	UNION ALL SELECT pg_temp.salt(1, 1, pg_temp.noon(0), true) UNION ALL SELECT pg_temp.salt(1, -8, pg_temp.noon(-8), true)) AS t(d);
SELECT pg_temp.salt(1, 0, pg_temp.noon(0), true) = digest AS "still the same" FROM seen;
-- daily_salt_n: n = day mod 8, before 2000 too
BEGIN;
SELECT length(pk_tracking_internal.daily_salt_digest(1, '1999-12-31', '2000-01-01 00:00+00', '1999-12-31 12:00+00', true));
SELECT idsite, day, expires AT TIME ZONE 'UTC' AS expires FROM pk_tracking.daily_salt_7 WHERE day = '1999-12-31';
SELECT length(pk_tracking_internal.daily_salt_digest(1, '1999-12-20', '1999-12-21 00:00+00', '1999-12-31 12:00+00', true));
SELECT idsite, day, expires AT TIME ZONE 'UTC' AS expires FROM pk_tracking.late_salt_3 WHERE day = '1999-12-20';
ROLLBACK;
-- made after its day's end: late, lives two days from then on
SELECT * FROM pg_temp.used();
CREATE TEMP TABLE late AS SELECT pg_temp.salt(3, -1, pg_temp.noon(0), true) AS d1, pg_temp.salt(3, -30, pg_temp.noon(0), true) AS d30;
SELECT * FROM pg_temp.used();
SELECT n, pg_temp.salt(3, -1, pg_temp.noon(n), false) = d1 AS d1, pg_temp.salt(3, -30, pg_temp.noon(n), false) = d30 AS d30
FROM late, generate_series(0, 3) AS n ORDER BY n;
-- four days later the same table is used again: what expired goes first
SELECT tableoid::regclass, count(*) FROM pk_tracking.late_salt_0 GROUP BY 1;
SELECT pg_temp.salt(3, -30, pg_temp.noon(4), true) = d30 AS same FROM late;
SELECT tableoid::regclass, count(*) FROM pk_tracking.late_salt_0 GROUP BY 1;
-- and if another salt keeps the table alive, the row is replaced
UPDATE pk_tracking.late_salt_0 SET expires = created;
INSERT INTO pk_tracking.late_salt_0 VALUES (99, '2020-01-01', 'x', now(), 'infinity');
CREATE TEMP TABLE replaced AS SELECT pg_temp.salt(3, -30, pg_temp.noon(4), false) IS NULL AS expired,
	digest(value, 'sha256') AS digest FROM pk_tracking.late_salt_0 WHERE idsite = 3;
SELECT expired, pg_temp.salt(3, -30, pg_temp.noon(4), true) = digest AS same FROM replaced;
SELECT idsite, day, created AT TIME ZONE 'UTC' AS created FROM pk_tracking.late_salt_0 ORDER BY idsite LIMIT 1;
DELETE FROM pk_tracking.late_salt_0 WHERE idsite = 99;
-- a day far ahead is a wrong clock: kept with the late ones, two days from now
SELECT length(pg_temp.salt(4, 1000, pg_temp.noon(0), true));
SELECT n, pg_temp.salt(4, 1000, pg_temp.noon(n), false) IS NOT NULL AS there FROM generate_series(0, 3) AS n ORDER BY n;
SELECT pk_tracking_internal.daily_salt_digest(1, 'infinity', now(), now(), true);
SELECT pk_tracking_internal.daily_salt_digest(1, '2024-01-01', 'infinity', now(), true);
-- what a rolled-back transaction made is not used by the next, nor after ROLLBACK TO
BEGIN;
SAVEPOINT s;
CREATE TEMP TABLE undone ON COMMIT DROP AS SELECT 1;
SELECT length(pg_temp.salt(5, 0, pg_temp.noon(0), true));
ROLLBACK TO s;
SELECT pg_temp.salt(5, 0, pg_temp.noon(0), false) IS NULL AS none;
ROLLBACK;
-- beforehand
SELECT pk_tracking.prepare_daily_salt(6, pg_temp.d(1), pg_temp.noon(1), pg_temp.noon(0));
SELECT length(pg_temp.salt(6, 1, pg_temp.noon(0), false));
SELECT pk_tracking.prepare_daily_salt(6, pg_temp.d(n), pg_temp.noon(n), pg_temp.noon(0)) FROM unnest('{-1,0,10}'::integer[]) AS n;
SELECT n, pg_temp.salt(6, n, pg_temp.noon(0), false) IS NULL AS none FROM unnest('{-1,0,10}'::integer[]) AS n;

-- 7. Destruction: only tables whose salts have all expired
SELECT pk_tracking.destroy_expired_salts();
SELECT pk_tracking.destroy_expired_salts();
DO $$
BEGIN
	FOR i IN 0..7 LOOP EXECUTE format('TRUNCATE pk_tracking.daily_salt_%s', i); END LOOP;
	FOR i IN 0..3 LOOP EXECUTE format('TRUNCATE pk_tracking.late_salt_%s', i); END LOOP;
END $$;
INSERT INTO pk_tracking.daily_salt_0 VALUES (1, '2020-01-01', 'x', now(), now() - interval '1 s'), (2, '2020-01-01', 'x', now(), now() + interval '1 h');
INSERT INTO pk_tracking.daily_salt_1 VALUES (1, '2020-01-01', 'x', now(), now() - interval '1 s'), (2, '2020-01-01', 'x', now(), now());
INSERT INTO pk_tracking.late_salt_2 VALUES (1, '2020-01-01', 'x', now(), now() - interval '1 s');
INSERT INTO pk_tracking.late_salt_3 VALUES (1, '2020-01-01', 'x', now(), now() + interval '1 h');
-- not what is in use
BEGIN;
DECLARE c CURSOR FOR SELECT idsite FROM pk_tracking.late_salt_2;
FETCH c;
SELECT pk_tracking.destroy_expired_salts();
COMMIT;
SELECT * FROM pg_temp.used();
SELECT pk_tracking.destroy_expired_salts();
SELECT pg_relation_size('pk_tracking.daily_salt_0') > 0 AS d0, pg_relation_size('pk_tracking.daily_salt_1') > 0 AS d1,
	pg_relation_size('pk_tracking.late_salt_2') > 0 AS l2, pg_relation_size('pk_tracking.late_salt_3') > 0 AS l3;
-- a table of the round before is emptied when its turn comes
TRUNCATE pk_tracking.daily_salt_0, pk_tracking.late_salt_3;
SELECT count(*) FROM (SELECT pg_temp.salt(1, -8, pg_temp.noon(-8), true) FROM generate_series(1, 2)) AS t;
SELECT length(pg_temp.salt(1, 0, pg_temp.noon(0), true));
SELECT * FROM pg_temp.used();

-- 8. Nobody else
\set VERBOSITY terse
CREATE ROLE regress_pkt_nobody;
SET ROLE regress_pkt_nobody;
SELECT value FROM pk_tracking.salt;
RESET ROLE;
-- not even with USAGE on the schema
GRANT USAGE ON SCHEMA pk_tracking, pk_tracking_internal TO regress_pkt_nobody;
SET ROLE regress_pkt_nobody;
SELECT value FROM pk_tracking.salt;
SELECT value FROM pk_tracking.daily_salt_0;
SELECT pk_tracking.export_salt('user_id');
SELECT pk_tracking.import_salt('user_id', 'x');
SELECT pk_tracking.destroy_expired_salts();
SELECT pk_tracking_internal.daily_salt_digest(1, '2024-01-01', now(), now(), true);
RESET ROLE;
-- nor with EXECUTE: the tables are read with the caller's rights
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pk_tracking, pk_tracking_internal TO regress_pkt_nobody;
BEGIN;
SELECT length(pk_tracking.export_salt('user_id'));
SET LOCAL ROLE regress_pkt_nobody;
SELECT pk_tracking.export_salt('user_id');
ROLLBACK;
SET ROLE regress_pkt_nobody;
SELECT pk_tracking.import_salt('user_id', 'x');
SELECT pk_tracking_internal.daily_salt_digest(1, '2024-01-01', '2024-01-02', now(), true);
RESET ROLE;
-- a role with what create_log() grants can do all of it, with an empty search_path
DO $$
BEGIN
	GRANT SELECT, INSERT, UPDATE ON pk_tracking.salt TO regress_pkt_nobody;
	GRANT SELECT, INSERT, DELETE ON pk_tracking.secret_destroyed TO regress_pkt_nobody;
	FOR i IN 0..7 LOOP EXECUTE format('GRANT SELECT, INSERT, UPDATE, TRUNCATE ON pk_tracking.daily_salt_%s TO regress_pkt_nobody', i); END LOOP;
	FOR i IN 0..3 LOOP EXECUTE format('GRANT SELECT, INSERT, UPDATE, TRUNCATE ON pk_tracking.late_salt_%s TO regress_pkt_nobody', i); END LOOP;
END $$;
BEGIN;
SET LOCAL ROLE regress_pkt_nobody;
SET LOCAL search_path = '';
SELECT pk_tracking.import_salt('user_id', 'x');
SELECT pk_tracking.export_salt('user_id');
SELECT length(pk_tracking_internal.daily_salt_digest(7, '2024-01-01', '2024-01-02', '2024-01-01', true));
SELECT pk_tracking.destroy_expired_salts() >= 1 AS destroyed;
ROLLBACK;
-- everything is commented, nothing is PUBLIC's
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON attrelid = c.oid
WHERE relnamespace = 'pk_tracking'::regnamespace AND relkind = 'r' AND relname ~ 'salt' AND attnum > 0
	AND (col_description(c.oid, attnum) IS NULL OR obj_description(c.oid, 'pg_class') IS NULL);
SELECT proname FROM pg_proc
WHERE pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND proname ~ 'salt|ip$|fingerprint_with|matomo_config|user_id_|language'
	AND (obj_description(oid, 'pg_proc') IS NULL OR has_function_privilege('public', oid, 'EXECUTE'));
DROP OWNED BY regress_pkt_nobody;
DROP ROLE regress_pkt_nobody;

\set VERBOSITY default

-- 9. pgcrypto in another schema, with an odd name, and moved while in use
SELECT length(pg_temp.salt(8, 0, pg_temp.noon(0), true));
CREATE SCHEMA "odd ""schema";
ALTER EXTENSION pgcrypto SET SCHEMA "odd ""schema";
SELECT length(pg_temp.salt(9, 0, pg_temp.noon(0), true));
BEGIN;
DROP EXTENSION pk_tracking CASCADE;
CREATE EXTENSION pk_tracking;
SELECT name, length(value) FROM pk_tracking.salt ORDER BY name;
ROLLBACK;
ALTER EXTENSION pgcrypto SET SCHEMA public;
DROP SCHEMA "odd ""schema";
