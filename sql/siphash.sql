-- SipHash-2-4, and the tags of locks, which every role can read in pg_locks
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('locks') AS site \gset

-- The 64 published vectors: the key is 00 01 .. 0f, the message the first n bytes of 00 01 02 ..
CREATE TEMP TABLE vector AS
	SELECT n - 1 AS len, decode(v, 'hex') AS hash, substr(m.message, 1, n::int - 1) AS message
	FROM (SELECT string_agg(set_byte('\x00', 0, i), '' ORDER BY i) AS message FROM generate_series(0, 63) i) m,
		regexp_split_to_table($$310e0edd47db6f72 fd67dc93c539f874 5a4fa9d909806c0d 2d7efbd796666785 b7877127e09427cf 8da699cd64557618 cee3fe586e46c9cb 37d1018bf50002ab
6224939a79f5f593 b0e4a90bdf82009e f3b9dd94c5bb5d7a a7ad6b22462fb3f4 fbe50e86bc8f1e75 903d84c02756ea14 eef27a8e90ca23f7 e545be4961ca29a1
db9bc2577fcc2a3f 9447be2cf5e99a69 9cd38d96f0b3c14b bd6179a71dc96dbb 98eea21af25cd6be c7673b2eb0cbf2d0 883ea3e395675393 c8ce5ccd8c030ca8
94af49f6c650adb8 eab8858ade92e1bc f315bb5bb835d817 adcf6b0763612e2f a5c91da7acaa4dde 716595876650a2a6 28ef495c53a387ad 42c341d8fa92d832
ce7cf2722f512771 e37859f94623f3a7 381205bb1ab0e012 ae97a10fd434e015 b4a31508beff4d31 81396229f0907902 4d0cf49ee5d4dcca 5c73336a76d8bf9a
d0a704536ba93e0e 925958fcd6420cad a915c29bc8067318 952b79f3bc0aa6d4 f21df2e41d4535f9 87577519048f53a9 10a56cf5dfcd9adb eb75095ccd986cd0
51a9cb9ecba312e6 96afadfc2ce666c7 72fe52975a4364ee 5a1645b276d592a1 b274cb8ebf87870a 6f9bb4203de7b381 eaecb2a30b22a87f 9924a43cc1315724
bd838d3aafbf8db7 0b1a2a3265d51aea 135079a3231ce660 932b2846e4d70666 e1915f5cb1eca46c f325965ca16d629f 575ff28e60381be5 724506eb4c328a95$$, '\s+') WITH ORDINALITY AS t(v, n);
SELECT count(*), count(*) FILTER (WHERE hash = pk_tracking_internal.siphash('\x000102030405060708090a0b0c0d0e0f', message)) AS same FROM vector;
SELECT len FROM vector WHERE hash <> pk_tracking_internal.siphash('\x000102030405060708090a0b0c0d0e0f', message);
-- another key, another hash
SELECT count(*) FROM vector WHERE hash = pk_tracking_internal.siphash('\x000102030405060708090a0b0c0d0e10', message);
SELECT pk_tracking_internal.siphash('\x00', '');

-- No two kinds, sites or keys share a tag
SELECT count(*), count(DISTINCT tag)
FROM generate_series(1, 40) idsite, generate_series(0, 40) key, unnest(pk_tracking_internal.lock_tags(idsite, key)) tag;

-- A hit holds the tags of its site, visitor id, fingerprint, and visit, and no other
CREATE FUNCTION pg_temp.held() RETURNS bigint[] LANGUAGE sql AS
	$$ SELECT array_agg(l.classid::bigint << 32 | l.objid::bigint) FROM pg_locks l
		WHERE l.locktype = 'advisory' AND l.objsubid = 28779 AND l.pid = pg_backend_pid() $$;
CREATE FUNCTION pg_temp.ours(idsite int, idvisitor text, idvisit bigint, fingerprint bytea) RETURNS bigint[] LANGUAGE sql AS
	$$ SELECT ARRAY[(pk_tracking_internal.lock_tags($1, 0))[1],
		(pk_tracking_internal.lock_tags($1, ('x' || $2)::bit(64)::bigint))[2],
		(pk_tracking_internal.lock_tags($1, ('x' || encode($4, 'hex'))::bit(64)::bigint))[3],
		(pk_tracking_internal.lock_tags($1, $3))[4]] $$;
CREATE FUNCTION pg_temp.hit() RETURNS TABLE(held int, known bool) LANGUAGE plpgsql AS $$
DECLARE
	v record;
BEGIN
	PERFORM pk_tracking.track(current_setting('test.site')::int, url => 'http://l.example/', visitor_id => '0123456789abcdef', address => '203.0.113.9');
	SELECT * INTO v FROM pk_tracking.log_visit WHERE idsite = current_setting('test.site')::int;
	RETURN QUERY SELECT cardinality(pg_temp.held()),
		pg_temp.held() <@ pg_temp.ours(v.idsite, '0123456789abcdef', v.idvisit, decode(v.config_id::text, 'hex'));
END $$;
SELECT set_config('test.site', :'site', false) <> '' AS site;
BEGIN;
SELECT * FROM pg_temp.hit();
COMMIT;
BEGIN;
SELECT * FROM pg_temp.hit();

-- A new salt makes other tags; the transaction's own hits know it at once
SELECT pg_temp.held() AS before, pk_tracking_internal.lock_tags(:site, 0) AS gate \gset
SELECT pk_tracking.renew_lock_salt();
SELECT :'before'::bigint[] && pk_tracking_internal.lock_tags(:site, 0) AS same;
SELECT * FROM pg_temp.hit();
SELECT cardinality(pg_temp.held());
ROLLBACK;
-- and it is rolled back like everything
SELECT :'gate' = pk_tracking_internal.lock_tags(:site, 0)::text AS same;

-- Hints of a salt that is missing, or damaged, name what mends it
\c -
SET client_min_messages = warning;
SELECT set_config('test.site', min(idsite)::text, false) <> '' AS site FROM pk_tracking.site WHERE name = 'locks';
CREATE FUNCTION pg_temp.hit() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	RETURN outcome FROM pk_tracking.track(current_setting('test.site')::int, url => 'http://l.example/', address => '203.0.113.9');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS said = PG_EXCEPTION_HINT;
	RETURN SQLERRM || ': ' || said;
END $$;
-- DELETE and UPDATE by hand send no invalidation: a new session has not read the salt yet
BEGIN;
DELETE FROM pk_tracking.salt WHERE name = 'lock';
SELECT pg_temp.hit();
SELECT pk_tracking.renew_lock_salt();
SELECT pg_temp.hit();
ROLLBACK;
\c -
SET client_min_messages = warning;
BEGIN;
UPDATE pk_tracking.salt SET value = '\x0102' WHERE name = 'lock';
SELECT pk_tracking_internal.lock_tags(1, 1);
ROLLBACK;
BEGIN;
UPDATE pk_tracking.salt SET value = '\x0102' WHERE name = 'lock';
SELECT pk_tracking.renew_lock_salt();
SELECT cardinality(pk_tracking_internal.lock_tags(1, 1));
ROLLBACK;
BEGIN;
DELETE FROM pk_tracking.salt;
SELECT pk_tracking.export_salt('fingerprint');
ROLLBACK;
BEGIN;
DELETE FROM pk_tracking.salt;
SELECT pk_tracking.import_salt('fingerprint', decode(repeat('ab', 32), 'hex'));
SELECT length(pk_tracking.export_salt('fingerprint'));
SELECT pk_tracking.import_salt('lock', decode(repeat('ab', 32), 'hex'));
ROLLBACK;
