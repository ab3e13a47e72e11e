-- Whose data it is, at the edges: a visit in which several people logged in, odd numbers, a
-- document that is none, and what replay_erasures() does to roll-ups and to the register
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_action, pk_tracking.erasures, pk_tracking.suppressed;
SELECT pk_tracking.add_site('edges', ARRAY['https://e.example']) AS site \gset
CREATE FUNCTION pg_temp.hit(site integer, query text, at timestamptz) RETURNS bigint LANGUAGE sql AS $$
	SELECT t.idvisit FROM pk_tracking.track_request('idsite=' || site || '&rec=1&url=https://e.example/&' || query, '192.0.2.1', 'agent', 'de', at, trusted => true) t
$$;

\echo 1. three users of one browser, one after the other: the visit has the last one''s id
SELECT count(DISTINCT pg_temp.hit(:site, 'uid=' || u, '2026-05-04 10:00+00')) AS visits FROM unnest('{ann,bea,cid}'::text[]) u;
SELECT v.user_id FROM pk_tracking.log_visit v WHERE v.idsite = :site;
SELECT u, f.why FROM unnest('{ann,bea,cid,dan}'::text[]) u LEFT JOIN LATERAL pk_tracking.find_subject(:site, u) f ON true;
-- of the others no more than that visit, linked or not
SELECT count(DISTINCT pg_temp.hit(:site, 'uid=cid', at)) AS visits FROM unnest('{2026-05-01 10:00+00,2026-05-02 10:00+00}'::timestamptz[]) at;
SELECT u, l, count(*) FROM unnest('{ann,bea,cid}'::text[]) u, unnest('{f,t}'::boolean[]) l, pk_tracking.find_subject(:site, u, linked => l) f GROUP BY u, l ORDER BY u, l;
SELECT jsonb_array_length(pk_tracking.export_subject(:site, 'ann') -> 'visits') AS handed_over;
CREATE TEMP TABLE kept AS SELECT v.* FROM pk_tracking.log_visit v JOIN pk_tracking.find_subject(:site, 'ann') f USING (idvisit);
CREATE TEMP TABLE kept_ids AS SELECT * FROM pk_tracking.log_other_id WHERE idsite = :site;
SELECT max(f.rows) FROM pk_tracking.forget_subject(:site, 'ann', dry_run => true) f;
SELECT max(f.rows) FROM pk_tracking.forget_subject(:site, 'ann', linked => true, suppress => true) f;
SELECT count(*) FROM pk_tracking.log_other_id WHERE idsite = :site;
-- one key was given, and one is suppressed
SELECT e.key_kinds, (SELECT count(*) FROM pk_tracking.suppressed s WHERE s.kind = 'visitor_id') AS suppressed_ids FROM pk_tracking.erasures e;

-- nor is a visit lost whose user id was taken out, while the visitor id tells it
SELECT pg_temp.hit(:site, 'uid=fay', '2026-05-03 10:00+00') > 0;
SELECT max(a.rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-03', '2026-05-03', '{user_id}', false) a;
SELECT f.why, f.visit_user_id FROM pk_tracking.find_subject(:site, 'fay') f;
SELECT max(f.rows) FROM pk_tracking.forget_subject(:site, 'fay') f;
SELECT count(*) FROM pk_tracking.find_subject(:site, 'fay') f;
DELETE FROM pk_tracking.erasures WHERE function = 'anonymise_visits' OR NOT (parameters ->> 'suppress')::boolean;

\echo 2. an older backup: the visit goes again, and the register knows that rows are in the files again
UPDATE pk_tracking.erasures SET erased_by = '3', vacuumed_at = now(), scrubbed_at = now(), scrubbed_lsn = '0/1', wal_recycled_at = now();
INSERT INTO pk_tracking.log_visit SELECT * FROM kept;
INSERT INTO pk_tracking.log_other_id SELECT * FROM kept_ids;
SELECT r.function, r.visits FROM pk_tracking.replay_erasures(pk_tracking.export_erasures()) r;
SELECT e.erased_by > '3' AS later, e.scrubbed_at, e.wal_recycled_at FROM pk_tracking.erasures e;
-- a call that meets nothing changes nothing
UPDATE pk_tracking.erasures SET scrubbed_at = '2026-05-05';
SELECT max(r.visits) FROM pk_tracking.replay_erasures(pk_tracking.export_erasures()) r;
SELECT e.scrubbed_at FROM pk_tracking.erasures e;

SELECT count(*) FROM pk_tracking.find_subject(:site, 'cid') f;

\echo 3. what was purged stays counted in roll-ups when a purge is replayed
SELECT pg_temp.hit(:site, 'uid=eve', at) > 0 AS hit FROM unnest(ARRAY['2026-05-04 10:00+00', now()]) at;
SELECT pk_tracking.rebuild_rollups(:site, '2026-05-01', '2026-05-31') AS days;
CREATE TEMP TABLE before AS SELECT * FROM pk_tracking.report_visits(:site, '2026-05-04', '2026-05-04');
INSERT INTO pk_tracking.erasures (function, mode, idsite, parameters) VALUES ('purge', 'erase', :site, '{"older_than": 10}');
SELECT r.function, r.visits FROM pk_tracking.replay_erasures(pk_tracking.export_erasures()) r WHERE r.visits > 0;
SELECT count(*) FROM pk_tracking.maintain() \g /dev/null
SELECT b.nb_visits, b IS NOT DISTINCT FROM r AS same FROM before b, pk_tracking.report_visits(:site, '2026-05-04', '2026-05-04') r;

\echo 4. numbers
SELECT pk_tracking.find_subject(:site, 'eve', max_visits => NULL);
SELECT pk_tracking.find_subject(:site, 'eve', max_visits => -1);
SELECT pk_tracking.export_subject(:site, 'eve', max_visits => -2);
SET lock_timeout = '2 s';
SELECT pk_tracking.forget_subject(:site, 'eve', max_visits => NULL);
RESET lock_timeout;
SELECT pk_tracking.forget_subject(:site, 'eve', max_visits => 0, dry_run => true);
SELECT pg_temp.hit(:site, 'uid=eve', '2026-05-04 10:00+00') > 0;
CALL pk_tracking.purge(:site, 10, batch => 2147483647);
SELECT pk_tracking.erase_pages(1::regclass);

\echo 5. a document that is none: one error, and no row in it
CREATE FUNCTION pg_temp.tried(path text[], value jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
	detail text;
BEGIN
	PERFORM pk_tracking.replay_erasures(jsonb_set(pk_tracking.export_erasures(), path, value));
	RETURN 'replayed';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat(said, nullif(' DETAIL ' || detail, ' DETAIL '));
END $$;
SELECT t.path, t.value, pg_temp.tried(t.path, t.value) FROM (VALUES ('{log_created}'::text[], '"x"'::jsonb), ('{log_created}', 'null'), ('{salt}', '"x"'), ('{erasures}', '[3]'), ('{erasures}', '[{"a": 3}]'),
	('{erasures,0,function}', 'null'), ('{erasures,0,erased_at}', '"yesterday or so"'), ('{erasures,0,erased_at}', '"infinity"'), ('{erasures,0,key_hashes}', '"x"'), ('{erasures,0,key_hashes}', 'null'),
	('{erasures,0,iderasure}', '7'), ('{suppressed}', '[3]'), ('{suppressed}', '[{"idsite": 1}]'), ('{suppressed,0,kind}', 'null'), ('{erasures,0,reason}', '"a letter"')) t (path, value);
CALL pk_tracking.delete_site(:site);
TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;
