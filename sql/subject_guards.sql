-- What stands in the way of an erasure is an error and not half of one: row-level security,
-- triggers, odd arguments; what dry_run counts is what is changed; a document of
-- export_erasures() neither does more than was done nor tracks the suppressed again.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_action, pk_tracking.erasures, pk_tracking.suppressed;
SELECT pk_tracking.add_site('guards', ARRAY['https://g.example'], ecommerce => true) AS site \gset
CREATE FUNCTION pg_temp.hit(site integer, uid text, query text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.outcome, t.outcome_reason) FROM pk_tracking.track_request('idsite=' || site || '&rec=1&uid=' || uid || '&' || query, ('10.' || length(uid) || '.0.1')::inet, 'agent', 'de', '2026-05-04 10:00+00') t
$$;
CREATE FUNCTION pg_temp.rows() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) FROM pk_tracking.log_visit), (SELECT count(*) FROM pk_tracking.log_link_visit_action),
		(SELECT count(*) FROM pk_tracking.log_conversion), (SELECT count(*) FROM pk_tracking.log_conversion_item))
$$;
SELECT pg_temp.hit(:site, 'ann', 'url=https://g.example/?a=1'), pg_temp.hit(:site, 'ann', 'idgoal=0&ec_id=A&revenue=5&ec_items=%5B%5B%22sku%22%2C%22name%22%2C%22cat%22%2C5%2C1%5D%5D'),
	pg_temp.hit(:site, 'robert', 'url=https://g.example/b');

\echo 1. dry_run counts what is changed
SELECT w.what, string_agg(c.rows::text, ' ' ORDER BY c.relation) AS counted
FROM unnest(ARRAY['address', 'order_id', 'url_queries', 'visitor_id', 'all']) w (what), pk_tracking.anonymise_visits(:site, '2026-05-04', '2026-05-04', ARRAY[w.what]) c GROUP BY w.what ORDER BY w.what;
BEGIN;
SELECT w.what, string_agg(c.rows::text, ' ' ORDER BY c.relation) AS changed
FROM unnest(ARRAY['address', 'order_id', 'url_queries', 'visitor_id', 'all']) w (what), pk_tracking.anonymise_visits(:site, '2026-05-04', '2026-05-04', ARRAY[w.what], false) c GROUP BY w.what ORDER BY w.what;
ROLLBACK;

\echo 2. a trigger that keeps rows
CREATE FUNCTION pg_temp.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE OR UPDATE ON pk_tracking.log_visit FOR EACH ROW EXECUTE FUNCTION pg_temp.keep();
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'ann');
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'ann', mode => 'anonymise');
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-04', '2026-05-04', '{address}', false);
CALL pk_tracking.purge(:site, 1);
DROP TRIGGER keep ON pk_tracking.log_visit;
SELECT pg_temp.rows(), (SELECT count(*) FROM pk_tracking.erasures) AS entries;
-- one that keeps none is nobody's business
CREATE FUNCTION pg_temp.pass() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
BEGIN;
CREATE TRIGGER pass BEFORE DELETE ON pk_tracking.log_visit FOR EACH ROW EXECUTE FUNCTION pg_temp.pass();
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'ann');
ROLLBACK;

\echo 3. rows that row-level security hides
CREATE ROLE regress_guard;
BEGIN;
DO $$
DECLARE
	r regclass;
BEGIN
	FOR r IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'S') LOOP
		EXECUTE format('GRANT ALL ON %s TO regress_guard', r);
	END LOOP;
END $$;
GRANT USAGE ON SCHEMA pk_tracking, pk_tracking_internal TO regress_guard;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA pk_tracking, pk_tracking_internal TO regress_guard;
-- of this table alone, whatever was limited to sites before
DO $$
DECLARE
	r regclass;
BEGIN
	FOR r IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relrowsecurity LOOP
		EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', r);
	END LOOP;
END $$;
ALTER TABLE pk_tracking.log_visit ENABLE ROW LEVEL SECURITY;
SET LOCAL ROLE regress_guard;
SAVEPOINT s;
SELECT count(*) FROM pk_tracking.find_subject(:site, 'ann');
ROLLBACK TO s;
SELECT pk_tracking.export_subject(:site, 'ann') -> 'visits';
ROLLBACK TO s;
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'ann');
ROLLBACK TO s;
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-04', '2026-05-04', '{address}', false);
ROLLBACK TO s;
SELECT pk_tracking_internal.purge_find(:site, now(), 5);
ROLLBACK TO s;
-- names that hidden rows use are used
SELECT cardinality(idactions) FROM pk_tracking_internal.sweep_candidates(100);
ROLLBACK TO s;
SELECT count(*) FROM pk_tracking.replay_erasures(pk_tracking.export_erasures());
ROLLBACK;
DROP ROLE regress_guard;

\echo 4. what maintain() anonymised is anonymised again, and no more
SELECT pk_tracking.set_site(:site, 'anonymise_visits_older_than', '10');
CREATE TEMP TABLE kept AS TABLE pk_tracking.log_visit;
SELECT * FROM pk_tracking.maintain() WHERE task ~ 'anonymised';
CREATE TEMP TABLE done AS TABLE pk_tracking.log_visit;
CREATE TEMP TABLE document AS SELECT pk_tracking.export_erasures() AS d;
-- the backup is from before
UPDATE pk_tracking.log_visit v SET (idvisitor, user_id, location_ip, config_id, consent) = (k.idvisitor, k.user_id, k.location_ip, k.config_id, k.consent)
	FROM kept k WHERE k.idvisit = v.idvisit;
TRUNCATE pk_tracking.erasures CASCADE;
SELECT r.function, r.visits FROM document, pk_tracking.replay_erasures(d) r;
SELECT count(*) AS different FROM (TABLE pk_tracking.log_visit EXCEPT TABLE done) x;
-- again: nothing, as they are anonymous
SELECT r.function, r.visits FROM document, pk_tracking.replay_erasures(d) r;
SELECT pk_tracking.reset_site(:site, 'anonymise_visits_older_than');

\echo 5. the suppressed stay so
TRUNCATE pk_tracking.erasures CASCADE;
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'carl', suppress => true);
DELETE FROM pk_tracking.erasures;
SELECT pg_temp.hit(:site, 'carl', 'url=https://g.example/c');
SELECT count(*) FROM pk_tracking.replay_erasures(pk_tracking.export_erasures() || jsonb_build_object('salt', repeat('ab', 32), 'erasures', '[]'::jsonb, 'suppressed', '[]'::jsonb));
SELECT pg_temp.hit(:site, 'carl', 'url=https://g.example/c');

\echo 6. odd arguments
CALL pk_tracking.purge(:site, 1, dry_run => NULL);
SELECT pg_temp.rows();
CALL pk_tracking.purge(:site, 2147483647, dry_run => true);
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-04', 'infinity', '{all}');
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '-infinity', '2026-05-04', '{all}');
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-04', '5874897-12-31', '{all}');
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '4713-01-01 BC', '2026-05-04', '{all}');
SELECT max(rows) FROM pk_tracking.anonymise_visits(:site, '2026-05-04', '2026-05-04', '{{user_id,location}}');
\echo 7. of visits that are deleted with their rows these are not looked for again
CREATE TEMP TABLE deletes (rows bigint);
CREATE FUNCTION pg_temp.note_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO deletes SELECT count(*) FROM gone; RETURN NULL; END $$;
CREATE TRIGGER note AFTER DELETE ON pk_tracking.log_link_visit_action REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.note_delete();
SELECT pg_temp.hit(:site, 'gustave', 'url=https://g.example/g'), pg_temp.hit(:site, 'henriette', 'url=https://g.example/h');
BEGIN;
SELECT max(rows) FROM pk_tracking.forget_subject(:site, 'gustave');
SELECT count(*) AS statements, sum(rows) AS actions FROM deletes;
-- a DELETE by hand takes them along, afterwards as ever
DELETE FROM pk_tracking.log_visit WHERE user_id = 'henriette';
SELECT count(*) AS statements, sum(rows) AS actions FROM deletes;
ROLLBACK;
DROP TRIGGER note ON pk_tracking.log_link_visit_action;

\echo 8. blanks that came along with a user id or order id
SELECT u.sent, pg_temp.hit(:site, u.sent, 'url=https://g.example/d') AS said FROM unnest(ARRAY['dora', '%20dora', 'dora+', '+dora+', '%20%20dora', 'dora.x']) u (sent);
SELECT k.key, (SELECT string_agg(DISTINCT quote_literal(f.visit_user_id), ', ' ORDER BY quote_literal(f.visit_user_id)) FROM pk_tracking.find_subject(:site, k.key) f) AS found
	FROM unnest(ARRAY['dora', ' dora', ' dora ', '  dora', 'do ra']) k (key);
SELECT pg_temp.hit(:site, 'order', 'idgoal=0&revenue=5&ec_id=+X+7');
SELECT count(*) FROM pk_tracking.find_subject(:site, idorder => 'X 7');
SELECT pk_tracking.set_site(:site, 'anonymize_user_id', 'on');
SELECT pg_temp.hit(:site, '%20ella', 'url=https://g.example/e');
SELECT pk_tracking.reset_site(:site, 'anonymize_user_id');
SELECT count(*) FROM pk_tracking.find_subject(:site, 'ella');
-- who is suppressed is so with blanks, too
SELECT rows FROM pk_tracking.forget_subject(:site, ' dora', suppress => true) WHERE relation = 'log_visit';
SELECT u.sent, pg_temp.hit(:site, u.sent, 'url=https://g.example/d') AS said FROM unnest(ARRAY['dora', '+dora+', 'dora.x']) u (sent);
TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;

\echo 9. the register of another log
CREATE TEMP TABLE own AS SELECT pk_tracking.export_erasures() AS d;
SELECT pg_temp.rows() AS rows \gset
SELECT count(*) FROM own, pk_tracking.replay_erasures(d || jsonb_build_object('log_created', now() - interval '1 microsecond'));
SELECT count(*) FROM own, pk_tracking.replay_erasures(d - 'log_created');
SELECT count(*) FROM own, pk_tracking.replay_erasures(d || '{"log_created": "some time"}');
SELECT count(*) FROM own, pk_tracking.replay_erasures(d);
-- whatever the time zone
SET timezone = 'Asia/Kathmandu';
SELECT count(*) FROM own, pk_tracking.replay_erasures(d);
SET timezone = 'UTC';
SELECT pg_temp.rows() = :'rows' AS unchanged, (SELECT count(*) FROM pk_tracking.erasures) AS entries;

\echo 10. BRIN indexes where visits are anonymised by age
SELECT item, value, remark FROM pk_tracking.status() WHERE value = 'BRIN';
SELECT pk_tracking.set_site(:site, 'anonymise_visits_older_than', '10');
SELECT item, value, remark FROM pk_tracking.status() WHERE value = 'BRIN';
BEGIN;
-- as doc/performance.md, "After a purge", has it
DROP INDEX pk_tracking.log_visit_time;
CREATE INDEX log_visit_time ON pk_tracking.log_visit (visit_first_action_time);
CREATE INDEX besides ON pk_tracking.log_link_visit_action (server_time);
SELECT count(*) FROM pk_tracking.status() WHERE value = 'BRIN';
ROLLBACK;
SELECT pk_tracking.set_site(:site, 'anonymise_visits_older_than', '0');
SELECT count(*) FROM pk_tracking.status() WHERE value = 'BRIN';
SELECT pk_tracking.reset_site(:site, 'anonymise_visits_older_than');

\echo 11. the id that a visit had before a login
-- a cookie's visit that logs in, another of the cookie, and one in which somebody else logs in
SELECT string_agg(t.outcome || CASE WHEN t.new_visit THEN ' new' ELSE '' END, ', ' ORDER BY h.n) FROM (VALUES (1, '', 0), (2, '&uid=ida', 1), (3, '', 1440), (4, '', 2880), (5, '&uid=otto', 2881)) h (n, user_id, minute),
	pk_tracking.track_request('idsite=' || :site || '&rec=1&url=https://g.example/i&_id=1da01da01da01da0' || h.user_id, '10.99.0.1', 'agent', 'de', '2026-05-04 10:00+00'::timestamptz + h.minute * interval '1 minute') t;
CREATE FUNCTION pg_temp.found(VARIADIC args text[]) RETURNS TABLE (why text, visits bigint, users text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT array_to_string(f.why, '',''), count(*), string_agg(DISTINCT coalesce(f.visit_user_id, ''-''), '','') FROM pk_tracking.find_subject(%s, %s) f GROUP BY 1 ORDER BY 1',
		(SELECT idsite FROM pk_tracking.site WHERE name = 'guards' ORDER BY idsite DESC LIMIT 1), array_to_string(args, ', '));
END $$;
SELECT * FROM pg_temp.found($$visitor_id => '1da01da01da01da0'$$);
SELECT * FROM pg_temp.found($$user_id => 'ida'$$);
SELECT * FROM pg_temp.found($$user_id => 'ida'$$, 'linked => true');
SELECT v ->> 'earlier_visitor_ids' AS earlier, count(*) FROM jsonb_array_elements(pk_tracking.export_subject(:site, 'ida', linked => true) -> 'visits') v GROUP BY 1 ORDER BY 1;
CREATE TEMP TABLE had_visits AS SELECT v.* FROM pk_tracking.log_visit v WHERE v.idvisit IN (SELECT f.idvisit FROM pk_tracking.find_subject(:site, visitor_id => '1da01da01da01da0') f);
CREATE TEMP TABLE had_actions AS SELECT l.* FROM pk_tracking.log_link_visit_action l WHERE l.idvisit IN (SELECT idvisit FROM had_visits);
SELECT max(rows) FROM pk_tracking.forget_subject(:site, visitor_id => '1da01da01da01da0');
CREATE TEMP VIEW holders AS SELECT (SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idvisitor = '1da01da01da01da0') AS visits, (SELECT count(*) FROM pk_tracking.log_link_visit_action l WHERE l.idvisitor = '1da01da01da01da0') AS actions,
	(SELECT count(*) FROM pk_tracking.log_other_id o WHERE o.idvisitor = '1da01da01da01da0') AS ids;
TABLE holders;
-- an older backup has it, too
CREATE TEMP TABLE register AS SELECT pk_tracking.export_erasures() AS d;
TRUNCATE pk_tracking.erasures CASCADE;
INSERT INTO pk_tracking.log_visit TABLE had_visits;
INSERT INTO pk_tracking.log_link_visit_action TABLE had_actions;
TABLE holders;
SELECT r.function, r.visits FROM register, pk_tracking.replay_erasures(d) r;
TABLE holders;
-- anonymised: no row has it
TRUNCATE pk_tracking.erasures CASCADE;
INSERT INTO pk_tracking.log_visit TABLE had_visits;
INSERT INTO pk_tracking.log_link_visit_action TABLE had_actions;
SELECT max(rows) FROM pk_tracking.forget_subject(:site, visitor_id => '1da01da01da01da0', mode => 'anonymise');
TABLE holders;

\echo 12. a rule that keeps rows
-- last: plans of this session stay without the table that the rule has taken out of them
CREATE RULE keep AS ON DELETE TO pk_tracking.log_conversion DO INSTEAD NOTHING;
SELECT max(rows) FROM pk_tracking.forget_subject(:site, idvisits => ARRAY(SELECT idvisit FROM pk_tracking.log_visit));
DROP RULE keep ON pk_tracking.log_conversion;
SELECT pg_temp.rows();
\c -
SET client_min_messages = warning;
CALL pk_tracking.delete_site(:site);
TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;
