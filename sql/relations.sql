-- Relations of the schema that an administrator has changed: indexes that are
-- invalid, extra, of another kind or under another name, row security, triggers
-- that suppress or track.  A hit finds its visit, or one clear error says why not.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('relations') AS site \gset
SELECT FROM pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous');
SELECT set_config('test.site', :'site', false) <> '' AS ok;
-- one identified visitor and one without consent: does the hit continue the visit?
CREATE FUNCTION pg_temp.hit(minute integer) RETURNS TABLE (outcome text, known boolean, anonymous boolean)
LANGUAGE sql VOLATILE AS $$
	SELECT k.outcome, NOT k.new_visit, NOT a.new_visit
	FROM pk_tracking.track(current_setting('test.site')::integer, 'https://r.example/' || minute, visitor_id => '00000000000e0001', consent => 'granted',
			at => '2026-03-02 12:00+00'::timestamptz + minute * interval '1 minute') k,
		pk_tracking.track(current_setting('test.site')::integer, 'https://r.example/', ip => '198.51.100.7', user_agent => 'Mozilla/5.0',
			consent => 'unknown') a
$$;
CREATE FUNCTION pg_temp.odd() RETURNS TABLE (item text, value text, remark text) LANGUAGE sql VOLATILE AS $$
	SELECT s.item, s.value, s.remark FROM pk_tracking.status() s WHERE s.item ~ '^(index|look-up in|table) '
$$;
SELECT * FROM pg_temp.hit(0);
SELECT * FROM pg_temp.hit(1);
SELECT * FROM pg_temp.odd();

-- a second index on the tables of session links, one that is not valid, one on an
-- expression, one of some rows
CREATE INDEX regress_second ON pk_tracking.session_link_0 (link, linked);
CREATE INDEX regress_second_1 ON pk_tracking.session_link_1 (link, linked);
SELECT * FROM pg_temp.hit(2);
UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('pk_tracking.regress_second'::regclass, 'pk_tracking.session_link_1_link'::regclass);
ALTER TABLE pk_tracking.session_link_0 SET (fillfactor = 100);
ALTER TABLE pk_tracking.session_link_1 SET (fillfactor = 100);
SELECT * FROM pg_temp.hit(3);
SELECT * FROM pg_temp.odd();
UPDATE pg_index SET indisvalid = true WHERE indexrelid IN ('pk_tracking.regress_second'::regclass, 'pk_tracking.session_link_1_link'::regclass);
DROP INDEX pk_tracking.regress_second, pk_tracking.regress_second_1;
CREATE INDEX regress_second ON pk_tracking.session_link_0 ((idsite + 1)) WHERE idvisit > 0;
CREATE INDEX regress_second_1 ON pk_tracking.session_link_1 ((idsite + 1)) WHERE idvisit > 0;
SELECT * FROM pg_temp.hit(4);
-- the server's own statements find the rows by it
SET enable_seqscan = off;
SELECT count(*) > 0 AS indexed FROM (SELECT l.idsite, l.idvisit FROM pk_tracking.session_link_0 l WHERE l.idsite + 1 = :site + 1 AND l.idvisit > 0
	UNION ALL SELECT l.idsite, l.idvisit FROM pk_tracking.session_link_1 l WHERE l.idsite + 1 = :site + 1 AND l.idvisit > 0) l;
RESET enable_seqscan;
DROP INDEX pk_tracking.regress_second, pk_tracking.regress_second_1;
-- none at all
BEGIN;
ALTER EXTENSION pk_tracking DROP TABLE pk_tracking.session_link_0;
ALTER EXTENSION pk_tracking DROP TABLE pk_tracking.session_link_1;
DROP INDEX pk_tracking.session_link_0_link, pk_tracking.session_link_1_link;
SELECT (pg_temp.odd()).*;
CREATE FUNCTION pg_temp.try(minute integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	hint text;
BEGIN
	PERFORM * FROM pg_temp.hit(minute);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN state || ': ' || regexp_replace(message, 'link_\d', 'link_N', 'g') || '; ' || regexp_replace(hint, 'link_\d', 'link_N', 'g');
END $$;
SELECT pg_temp.try(5);
ROLLBACK;

-- the indexes of the look-up under other names; their names are those of others
BEGIN;
ALTER INDEX pk_tracking.log_visit_idvisitor RENAME TO regress_a;
ALTER INDEX pk_tracking.log_visit_config_id RENAME TO regress_b;
ALTER INDEX pk_tracking.log_action_key RENAME TO regress_c;
CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit USING hash (idvisitor);
CREATE INDEX log_visit_config_id ON pk_tracking.log_visit (idsite, config_id, visit_first_action_time) WHERE config_id IS NOT NULL AND idvisit < 0;
CREATE INDEX log_action_key ON pk_tracking.log_action USING brin (idsite, idaction);
SELECT * FROM pg_temp.hit(6);
SELECT (pg_temp.odd()).*;
SELECT count(*) FROM pk_tracking.log_action a WHERE a.idsite = :site AND a.type = 1;
ROLLBACK;

-- none that serves: an error, never a visit more
CREATE FUNCTION pg_temp.try(minute integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text;
	message text;
	hint text;
BEGIN
	PERFORM * FROM pg_temp.hit(minute);
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN state || ': ' || message || '; ' || hint;
END $$;
CREATE FUNCTION pg_temp.try_with(ddl text) RETURNS TABLE (error text, item text, value text, remark text) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		EXECUTE 'DROP INDEX pk_tracking.log_visit_idvisitor';
		EXECUTE ddl;
		error := pg_temp.try(7);
		FOR item, value, remark IN SELECT * FROM pg_temp.odd() LOOP
			RETURN NEXT;
		END LOOP;
		RAISE SQLSTATE 'RX000';
	EXCEPTION WHEN SQLSTATE 'RX000' THEN
	END;
END $$;
\x on
SELECT * FROM pg_temp.try_with('');
SELECT * FROM pg_temp.try_with('CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit USING hash (idvisitor)');
SELECT * FROM pg_temp.try_with('CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit (idsite, idvisitor, visit_first_action_time DESC)');
SELECT * FROM pg_temp.try_with('CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit (idvisitor, idsite, visit_first_action_time)');
SELECT * FROM pg_temp.try_with($$CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit (idsite, idvisitor, visit_first_action_time) WHERE user_id IS NOT NULL$$);
SELECT * FROM pg_temp.try_with($$CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit (idsite, idvisitor, visit_first_action_time);
	UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pk_tracking.log_visit_idvisitor'::regclass$$);
-- one that says more than is needed serves
SELECT * FROM pg_temp.try_with('CREATE INDEX wider ON pk_tracking.log_visit (idsite, idvisitor, visit_first_action_time, idvisit) INCLUDE (consent)');
\x off
-- no primary key
BEGIN;
ALTER TABLE pk_tracking.log_visit DROP CONSTRAINT log_visit_pkey;
SELECT pg_temp.try(8);
ROLLBACK;
-- no index of the dictionary: names are found by statements
BEGIN;
DROP INDEX pk_tracking.log_action_key;
SELECT * FROM pg_temp.hit(9);
SELECT (pg_temp.odd()).*;
ROLLBACK;
SELECT * FROM pg_temp.hit(10);

-- an index on what every hit changes
BEGIN;
CREATE INDEX regress_last ON pk_tracking.log_visit (visit_last_action_time);
CREATE INDEX regress_country ON pk_tracking.log_visit (location_country);
CREATE INDEX regress_same ON pk_tracking.log_action (idsite, idaction);
SELECT (pg_temp.odd()).*;
ROLLBACK;

-- a trigger of the owner's keeps names out of the dictionary: those that are in it already are found
CREATE FUNCTION pg_temp.once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF EXISTS (SELECT FROM pk_tracking.log_action a WHERE a.idsite = NEW.idsite AND a.idaction = NEW.idaction) THEN
		RETURN NULL;
	END IF;
	IF NEW.name LIKE '%secret%' THEN
		RETURN NULL;
	END IF;
	RETURN NEW;
END $$;
CREATE TRIGGER once BEFORE INSERT ON pk_tracking.log_action FOR EACH ROW EXECUTE FUNCTION pg_temp.once();
SELECT * FROM pg_temp.hit(11);
SELECT (t).outcome FROM pk_tracking.track(:site, 'https://r.example/secret', visitor_id => '00000000000e0001', at => '2026-03-02 12:12+00') t;
SELECT * FROM pg_temp.odd();
DROP TRIGGER once ON pk_tracking.log_action;
SELECT count(*) AS visits, count(*) FILTER (WHERE n.name IS NULL) AS without_name
FROM pk_tracking.log_link_visit_action a LEFT JOIN pk_tracking.log_action n ON n.idsite = a.idsite AND n.idaction = a.idaction_url
WHERE a.idsite = :site AND a.idvisitor IS NOT NULL;

-- a trigger on rejected_hit that reads, and tracks: the visits of its own load are there
SELECT pk_tracking.add_site('relations, rejected') AS rejected \gset
SELECT set_config('test.rejected', :'rejected', false) <> '' AS ok;
CREATE TABLE public.regress_seen (visits bigint, actions bigint);
CREATE FUNCTION pg_temp.track_rejected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.regress_seen SELECT count(*), sum(v.visit_total_actions) FROM pk_tracking.log_visit v
		WHERE v.idsite = current_setting('test.rejected')::integer;
	PERFORM pk_tracking.track(current_setting('test.rejected')::integer, 'https://r.example/rejected', visitor_id => '00000000000e0002', at => '2026-03-03 10:06+00');
	RETURN NULL;
END $$;
CREATE TRIGGER track_rejected AFTER INSERT ON pk_tracking.rejected_hit FOR EACH ROW EXECUTE FUNCTION pg_temp.track_rejected();
CREATE TABLE regress_raw (idsite integer, url text, visitor_id text, at timestamptz);
INSERT INTO regress_raw SELECT :rejected, 'https://r.example/' || i % 10, '00000000000e0002', '2026-03-03 10:00+00'::timestamptz + i * interval '1 second' FROM generate_series(1, 300) i
	UNION ALL SELECT 0, 'https://r.example/', NULL, '2026-03-03 10:01+00';
CALL pk_tracking.ingest('regress_raw', '{"idsite": "idsite", "url": "url", "_id": "visitor_id", "cdt": "at"}', consume => true, trusted => true);
TABLE regress_seen;
SELECT count(*) AS visits, sum(v.visit_total_actions) AS actions FROM pk_tracking.log_visit v WHERE v.idsite = :rejected;
DROP TRIGGER track_rejected ON pk_tracking.rejected_hit;
DROP TABLE regress_seen, regress_raw;

-- row security of the tables does not hold for the log's owner, not even if it is forced
ALTER TABLE pk_tracking.log_visit ENABLE ROW LEVEL SECURITY;
SELECT * FROM pg_temp.hit(13);
SELECT * FROM pg_temp.odd();
ALTER TABLE pk_tracking.log_visit FORCE ROW LEVEL SECURITY;
SELECT * FROM pg_temp.hit(14);
SELECT * FROM pg_temp.odd();
ALTER TABLE pk_tracking.log_visit NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;

-- what makes the log be written by statements, and why
BEGIN;
CREATE TRIGGER regress_slow AFTER INSERT ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION pg_temp.once();
ALTER TABLE pk_tracking.log_visit ADD COLUMN mine text DEFAULT 'x';
CREATE TRIGGER regress_slow AFTER INSERT ON pk_tracking.log_conversion FOR EACH ROW EXECUTE FUNCTION pg_temp.once();
SELECT (pg_temp.odd()).*;
ROLLBACK;
BEGIN;
CREATE ROLE regress_pkt_other;
ALTER TABLE pk_tracking.log_action OWNER TO regress_pkt_other;
ALTER TABLE pk_tracking.log_link_visit_action ADD COLUMN mine integer GENERATED ALWAYS AS (idsite + 1) STORED;
SELECT (pg_temp.odd()).*;
ROLLBACK;
SELECT count(*) FROM pg_temp.odd();
