-- Visits that are deleted by hand take their actions, conversions and items along,
-- and hits are written as fast as without these triggers.
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('gone', ARRAY['https://gone.example'], ecommerce => true) AS site \gset
SELECT pk_tracking.add_site('stays', ARRAY['https://stays.example'], ecommerce => true) AS other \gset
-- one of the tables that a hit writes must be written by the executor: none is
SELECT relation, reason FROM pk_tracking_internal.slow_tables() ORDER BY relation::text;
CREATE FUNCTION pg_temp.fill(idsite integer) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(t.outcome) FILTER (WHERE t.outcome = 'recorded') FROM generate_series(1, 40) n,
		pk_tracking.track_request(format('idsite=%s&rec=1&_id=%s&%s', idsite, lpad(to_hex(n % 10 + 16), 16, '0'),
			CASE n % 4 WHEN 0 THEN format('idgoal=0&ec_id=o%s&revenue=3&ec_items=[["s%s","n","c",1,1]]', n, n)
				ELSE format('url=https://gone.example/%s&action_name=p', n) END),
			'10.0.0.1'::inet + 65536 * (n % 10), 'agent', 'de', '2026-05-04 10:00+00'::timestamptz + n * interval '1 second') t
$$;
CREATE TEMP VIEW rest AS
	SELECT s.name, (SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idsite = s.idsite) AS visits,
		(SELECT count(*) FROM pk_tracking.log_link_visit_action v WHERE v.idsite = s.idsite) AS actions,
		(SELECT count(*) FROM pk_tracking.log_conversion v WHERE v.idsite = s.idsite) AS conversions,
		(SELECT count(*) FROM pk_tracking.log_conversion_item v WHERE v.idsite = s.idsite) AS items
	FROM pk_tracking.site s WHERE s.name IN ('gone', 'stays') ORDER BY s.name;
SELECT pg_temp.fill(:site), pg_temp.fill(:other);
SELECT * FROM rest;
\echo 1. one, several, all, none
DELETE FROM pk_tracking.log_visit WHERE idvisit = (SELECT min(idvisit) FROM pk_tracking.log_visit WHERE idsite = :site);
SELECT * FROM rest;
DELETE FROM pk_tracking.log_visit v WHERE v.idsite = :site AND v.idvisitor IN (SELECT idvisitor FROM pk_tracking.log_visit WHERE idsite = :site ORDER BY idvisit DESC LIMIT 4);
SELECT * FROM rest;
DELETE FROM pk_tracking.log_visit WHERE false;
WITH d AS (DELETE FROM pk_tracking.log_visit WHERE idsite = :site RETURNING 1) SELECT count(*) FROM d;
SELECT * FROM rest;
-- nor does a user's trigger on DELETE slow hits down, on whatever table
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$;
BEGIN;
CREATE TRIGGER t BEFORE DELETE ON pk_tracking.log_visit FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
CREATE TRIGGER t AFTER DELETE ON pk_tracking.log_conversion FOR EACH ROW EXECUTE FUNCTION pg_temp.nothing();
CREATE TRIGGER t AFTER DELETE OR TRUNCATE ON pk_tracking.log_conversion_item EXECUTE FUNCTION pg_temp.nothing();
SELECT relation, reason FROM pk_tracking_internal.slow_tables() ORDER BY relation::text;
CREATE TRIGGER u AFTER UPDATE ON pk_tracking.log_conversion_item EXECUTE FUNCTION pg_temp.nothing();
SELECT relation, reason FROM pk_tracking_internal.slow_tables() ORDER BY relation::text;
ROLLBACK;
\echo 2. a role that may delete visits alone deletes nothing
SELECT pg_temp.fill(:site);
CREATE ROLE regress_pkt_deletes;
GRANT USAGE ON SCHEMA pk_tracking, public TO regress_pkt_deletes;
GRANT SELECT, DELETE ON pk_tracking.log_visit TO regress_pkt_deletes;
SET ROLE regress_pkt_deletes;
DELETE FROM pk_tracking.log_visit;
RESET ROLE;
SELECT * FROM rest;
REVOKE ALL ON pk_tracking.log_visit FROM regress_pkt_deletes;
DROP OWNED BY regress_pkt_deletes;
DROP ROLE regress_pkt_deletes;
\echo 3. the function of the trigger serves no other table
CREATE TEMP TABLE visits_elsewhere AS SELECT idvisit FROM pk_tracking.log_visit;
CREATE TRIGGER t AFTER DELETE ON visits_elsewhere REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.visits_deleted();
DELETE FROM visits_elsewhere;
DROP TABLE visits_elsewhere;
SELECT * FROM rest;
\echo 4. a site
CREATE TEMP TABLE config AS SELECT pk_tracking.add_goal(:site, 'g', 'url', 'x') AS idgoal;
SELECT pk_tracking.set_site(:site, 'ip_mask_level', '3');
SELECT count(*) > 0 AS names FROM pk_tracking.log_action WHERE idsite = :site;
-- (a sample of new names is counted)
CREATE FUNCTION pg_temp.left_of(site integer) RETURNS SETOF regclass LANGUAGE plpgsql AS $$
DECLARE
	t regclass;
	found boolean;
BEGIN
	FOR t IN SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'idsite' AND a.atttypid = 'integer'::regtype
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' AND c.relname <> 'log_new_names' ORDER BY c.relname
	LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE idsite = $1)', t) INTO found USING site;
		IF found THEN
			RETURN NEXT t;
		END IF;
	END LOOP;
END $$;
SELECT pg_temp.left_of(:site);
CALL pk_tracking.delete_site(:site, batch => 3);
SELECT * FROM rest;
SELECT pg_temp.left_of(:site);
SELECT function, mode, role = session_user AS role, key_kinds, key_hashes, parameters, visits, actions, conversions, items FROM pk_tracking.erasures WHERE idsite = :site;
-- again, as after a call that was broken off
CALL pk_tracking.delete_site(:site);
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track_request(format('idsite=%s&rec=1&url=https://gone.example/', :site)) t;
\set VERBOSITY terse
CALL pk_tracking.delete_site(-5);
CALL pk_tracking.delete_site(NULL);
CALL pk_tracking.delete_site(:other, batch => 0);
BEGIN;
CALL pk_tracking.delete_site(:other);
ROLLBACK;
\set VERBOSITY default
SELECT * FROM rest;
\echo 5. all
BEGIN;
TRUNCATE pk_tracking.log_visit;
SELECT * FROM rest;
ROLLBACK;
BEGIN;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item;
SELECT * FROM rest;
ROLLBACK;
BEGIN;
TRUNCATE pk_tracking.log_conversion, pk_tracking.log_visit;
SELECT * FROM rest;
ROLLBACK;
CALL pk_tracking.delete_site(:other);
SELECT * FROM rest;
