-- Code that the log's owner puts on the tables runs with the owner's rights.  It must
-- never see the search_path of whoever tracks, not even in a session that has
-- tracked before the code was there; and what it swallows is one clear error.
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	PERFORM set_config('test.site', pk_tracking.add_site('owner code')::text, false);
END $$;
CREATE ROLE regress_pkt_hostile;
SELECT pk_tracking.grant_tracker('regress_pkt_hostile');
CREATE SCHEMA regress_pkt_evil AUTHORIZATION regress_pkt_hostile;
GRANT USAGE ON SCHEMA regress_pkt_evil TO PUBLIC;
CREATE SCHEMA regress_pkt_owner;
CREATE TABLE regress_pkt_owner.seen (what text, path text);
CREATE FUNCTION regress_pkt_owner.look() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO regress_pkt_owner.seen VALUES (lower(TG_TABLE_NAME), current_setting('search_path'));
	RETURN NEW;
END $$;
CREATE FUNCTION regress_pkt_owner.ok(t text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO regress_pkt_owner.seen VALUES (lower('CHECK'), current_setting('search_path'));
	RETURN true;
END $$;

SET ROLE regress_pkt_hostile;
CREATE FUNCTION regress_pkt_evil.lower(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'hijacked by ' || current_user; END $$;
CREATE FUNCTION regress_pkt_evil.lower(name) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN 'hijacked by ' || current_user; END $$;
SET search_path = regress_pkt_evil, pg_catalog, public;
-- this session knows the log before there is any such code
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/1', at => '2026-03-02 12:00+00', cid => '00000000000000e1');
RESET ROLE;
SET search_path = public;

CREATE TRIGGER look BEFORE INSERT ON pk_tracking.log_action FOR EACH ROW EXECUTE FUNCTION regress_pkt_owner.look();
SET ROLE regress_pkt_hostile;
SET search_path = regress_pkt_evil, pg_catalog, public;
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/2', at => '2026-03-02 12:01+00', cid => '00000000000000e1');
SHOW search_path;
RESET ROLE;
SET search_path = public;
DROP TRIGGER look ON pk_tracking.log_action;
SELECT * FROM regress_pkt_owner.seen ORDER BY 1;
TRUNCATE regress_pkt_owner.seen;

CREATE TRIGGER look BEFORE INSERT ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION regress_pkt_owner.look();
SET ROLE regress_pkt_hostile;
SET search_path = regress_pkt_evil, pg_catalog, public;
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/2', at => '2026-03-02 12:02+00', cid => '00000000000000e1');
RESET ROLE;
SET search_path = public;
DROP TRIGGER look ON pk_tracking.log_link_visit_action;
SELECT * FROM regress_pkt_owner.seen ORDER BY 1;
TRUNCATE regress_pkt_owner.seen;

ALTER TABLE pk_tracking.log_action ADD CONSTRAINT regress_ok CHECK (regress_pkt_owner.ok(name)) NOT VALID;
SET ROLE regress_pkt_hostile;
SET search_path = regress_pkt_evil, pg_catalog, public;
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/3', at => '2026-03-02 12:03+00', cid => '00000000000000e1');
RESET ROLE;
SET search_path = public;
ALTER TABLE pk_tracking.log_action DROP CONSTRAINT regress_ok;
SELECT * FROM regress_pkt_owner.seen ORDER BY 1;
TRUNCATE regress_pkt_owner.seen;

-- an index on an expression
CREATE FUNCTION regress_pkt_owner.shorten(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN lower(left(t, 5)); END $$;
CREATE INDEX regress_expr ON pk_tracking.log_link_visit_action (regress_pkt_owner.shorten(idpageview));
SET ROLE regress_pkt_hostile;
SET search_path = regress_pkt_evil, pg_catalog, public;
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/3', at => '2026-03-02 12:04+00', cid => '00000000000000e1', pv_id => 'ABCDEF');
RESET ROLE;
SET search_path = public;
SET enable_seqscan = off;
SELECT count(*) AS indexed_as_the_owner_wrote_it FROM pk_tracking.log_link_visit_action WHERE regress_pkt_owner.shorten(idpageview) = 'abcde' AND idsite = current_setting('test.site')::integer;
RESET enable_seqscan;
DROP INDEX pk_tracking.regress_expr;

-- what a trigger swallows
CREATE FUNCTION regress_pkt_owner.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER swallow BEFORE INSERT ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION regress_pkt_owner.swallow();
\set SHOW_CONTEXT never
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/3', at => '2026-03-02 12:05+00', cid => '00000000000000e1');
DROP TRIGGER swallow ON pk_tracking.log_link_visit_action;
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/3', at => '2026-03-02 12:05+00', cid => '00000000000000e1');

-- lock tags tell nothing about ids, and are the same for all who track
BEGIN;
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, 'https://a.example/3', at => '2026-03-02 12:06+00', cid => '00000000000000e1');
SELECT count(*) > 2 AS held, bool_and(objsubid = 28779) AS ours FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
ROLLBACK;

DROP SCHEMA regress_pkt_owner CASCADE;
DROP SCHEMA regress_pkt_evil CASCADE;
REVOKE ALL ON ALL ROUTINES IN SCHEMA pk_tracking, pk_tracking_internal FROM regress_pkt_hostile;
REVOKE ALL ON SCHEMA pk_tracking, pk_tracking_internal FROM regress_pkt_hostile;
DROP ROLE regress_pkt_hostile;
