-- sweep_names(): names that nothing uses any more.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
-- all names of other tests go, so that the numbers are ours
TRUNCATE pk_tracking.log_visit, pk_tracking.log_action, pk_tracking.erasures, pk_tracking.suppressed;
SELECT pk_tracking.add_site('swept', ARRAY['https://w.example'], ecommerce => true) AS site \gset
CREATE FUNCTION pg_temp.hit(site integer, uid text, minute numeric, query text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.outcome, t.outcome_reason) FROM pk_tracking.track_request('idsite=' || site || '&rec=1&uid=' || uid || '&' || query, ('10.' || length(uid) || '.0.1')::inet, 'agent', 'de', '2026-05-04 10:00+00'::timestamptz + minute * interval '1 minute') t
$$;
/* A name in every column that can refer to one, of a person and in general. */
CREATE FUNCTION pg_temp.everywhere(site integer, uid text) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM unnest(ARRAY[
		'url=https://w.example/?mail=' || uid || '&action_name=Hello%20' || uid,
		'url=https://w.example/all&search=' || uid,
		'url=https://w.example/event/' || uid || '&e_c=c' || uid || '&e_a=a' || uid || '&e_n=n' || uid,
		'url=https://w.example/content/' || uid || '&c_n=n' || uid || '&c_p=p' || uid || '&c_t=https%3A%2F%2Ft.example%2F' || uid || '&c_i=i' || uid,
		'url=https://w.example/product/' || uid || '&_pks=s' || uid || '&_pkn=n' || uid || '&_pkc=%5B%22c1' || uid || '%22,%22c2' || uid || '%22,%22c3' || uid || '%22,%22c4' || uid || '%22,%22c5' || uid || '%22%5D&_pkp=1',
		'url=https://w.example/f&idgoal=0&ec_id=order-' || uid || '&revenue=5&ec_items=%5B%5B%22is' || uid || '%22%2C%22in' || uid || '%22%2C%5B%22ic1' || uid || '%22,%22ic2' || uid || '%22%5D%2C5%2C1%5D%5D']) WITH ORDINALITY q (q, n)
	WHERE pg_temp.hit(site, uid, n, q) = 'recorded'
$$;
SELECT pg_temp.everywhere(:site, 'ann'), pg_temp.everywhere(:site, 'barbara');
SELECT count(*) FILTER (WHERE name ~ 'ann') AS ann, count(*) FILTER (WHERE name ~ 'barbara') AS barbara, count(*) FILTER (WHERE name !~ 'ann|barbara') AS both FROM pk_tracking.log_action WHERE idsite = :site;
\echo 1. nothing that is used goes
CALL pk_tracking.sweep_names();
SELECT count(*) FILTER (WHERE name ~ 'ann') AS ann, count(*) FILTER (WHERE name ~ 'barbara') AS barbara, count(*) FILTER (WHERE name !~ 'ann|barbara') AS both FROM pk_tracking.log_action WHERE idsite = :site;
\echo 2. what one person alone used goes with the person
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'ann');
SELECT count(*) FILTER (WHERE name ~ 'ann') AS ann, count(*) FILTER (WHERE name ~ 'barbara') AS barbara, count(*) FILTER (WHERE name !~ 'ann|barbara') AS both FROM pk_tracking.log_action WHERE idsite = :site;
CALL pk_tracking.sweep_names(batch => 2);
SELECT count(*) FILTER (WHERE name ~ 'ann') AS ann, count(*) FILTER (WHERE name ~ 'barbara') AS barbara, count(*) FILTER (WHERE name !~ 'ann|barbara') AS both FROM pk_tracking.log_action WHERE idsite = :site;
-- this session has seen them, and gives them again when they are needed
SELECT pg_temp.everywhere(:site, 'ann');
SELECT count(*) FILTER (WHERE name ~ 'ann') AS ann, count(*) FILTER (WHERE name ~ 'barbara') AS barbara FROM pk_tracking.log_action WHERE idsite = :site;
SELECT count(*) AS "without a name" FROM pk_tracking.action WHERE idsite = :site AND kind = 'page' AND url IS NULL;
\echo 3. anonymised URLs lose their queries; then these go
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-04', '2026-05-04', '{url_queries}', dry_run => false);
CALL pk_tracking.sweep_names();
SELECT name FROM pk_tracking.log_action WHERE idsite = :site AND name ~ 'mail=';
\echo 4. a call that was broken off
BEGIN;
SELECT pk_tracking_internal.sweep_delete(ARRAY[:site], ARRAY[a.idaction]) FROM pk_tracking.log_action a WHERE a.idsite = :site AND a.name = 'w.example/all';
COMMIT;
SELECT count(*) FROM pk_tracking.swept_name;
CALL pk_tracking.sweep_names();
SELECT (SELECT count(*) FROM pk_tracking.swept_name) AS left, (SELECT count(*) FROM pk_tracking.log_action WHERE idsite = :site AND name = 'w.example/all') AS back;
-- twice in the dictionary, and not used
INSERT INTO pk_tracking.log_action (idaction, idsite, type, name) VALUES (5, :site, 1, 'x'), (5, :site, 1, 'x'), (6, :site, 4, 'y');
CALL pk_tracking.sweep_names();
\echo 5. every column of the log that refers to a name is looked at
SELECT count(*) > 20 AS many, count(*) FILTER (WHERE position(format('(r.%I)', a.attname) in u.u) = 0) AS forgotten
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, pk_tracking_internal.name_uses() u
WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' AND c.relname !~ '^rollup_' AND a.attname ~ '^(visit_.*)?idaction_' AND NOT a.attisdropped;
CALL pk_tracking.sweep_names(0);
BEGIN;
CALL pk_tracking.sweep_names();
ROLLBACK;
CALL pk_tracking.delete_site(:site);
TRUNCATE pk_tracking.erasures CASCADE;
\echo 6. roll-ups keep no name: what was counted for it is counted for (other)
CREATE TABLE pk_tracking.rollup_regress (idsite integer, n integer, idaction_1 bigint, idaction_2 bigint);
INSERT INTO pk_tracking.log_action (idaction, idsite, type, name) VALUES (7, :site, 1, 'gone.example/'), (8, :site, 4, 'Gone'), (9, :site, 4, 'Written again');
INSERT INTO pk_tracking.rollup_regress VALUES (:site, 1, 7, 8), (:site, 2, 7, NULL), (:site, 3, 9, 0), (0, 4, 7, 8);
SELECT pk_tracking_internal.sweep_delete(ARRAY[:site], ARRAY[9]::bigint[]);
INSERT INTO pk_tracking.log_action (idaction, idsite, type, name) VALUES (9, :site, 4, 'Written again');
SELECT pk_tracking_internal.sweep_settle(t.idsites, t.idactions, t.taken) FROM pk_tracking_internal.sweep_taken() t;
SELECT n, idaction_1, idaction_2 FROM pk_tracking.rollup_regress WHERE n = 3;
CALL pk_tracking.sweep_names();
SELECT r.n, a.name AS first, b.name AS second FROM pk_tracking.rollup_regress r
	LEFT JOIN pk_tracking.log_action a ON a.idsite = r.idsite AND a.idaction = r.idaction_1
	LEFT JOIN pk_tracking.log_action b ON b.idsite = r.idsite AND b.idaction = r.idaction_2 WHERE r.n <> 3 ORDER BY 1;
-- and (other) stays
CALL pk_tracking.sweep_names();
SELECT a.idaction, a.type, a.name FROM pk_tracking.log_action a WHERE a.idsite = :site AND a.idaction < 0 AND a.name = '(other)' ORDER BY 1;
DROP TABLE pk_tracking.rollup_regress;
DELETE FROM pk_tracking.log_action WHERE idsite = :site;
