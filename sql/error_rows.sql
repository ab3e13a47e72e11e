-- An error never prints a row of the log: what a CHECK refuses, it refuses by itself,
-- without the server's DETAIL, which holds ids (doc/privacy.md, "Statements and the
-- server's log").
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('rows', ARRAY['https://rows.example'], ecommerce => true) AS site \gset
SELECT t.outcome FROM pk_tracking.track_request('idsite=' || :site || '&rec=1&idgoal=0&ec_id=secretorder&revenue=9&ec_items=' || '[["sku","name","category",3,1]]'
	|| '&uid=secretuser&url=https://rows.example/secretpage', '10.1.2.3', 'agent', 'de', '2026-05-04 10:00+00') t;
SELECT t.outcome FROM pk_tracking.track(:site, 'https://rows.example/secretpage', user_id => 'secretuser', ip => '10.1.2.3', user_agent => 'agent', at => '2026-05-04 10:01+00') t;

/* Everything that a client or the server's log gets of an error but the statement. */
CREATE FUNCTION pg_temp.told(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text; d text; h text; c text; t text; k text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, t = TABLE_NAME, k = CONSTRAINT_NAME, c = COLUMN_NAME;
	RETURN concat_ws(E'\n', SQLSTATE || ' ' || m, nullif('DETAIL ' || d, 'DETAIL '), nullif('HINT ' || h, 'HINT '), concat_ws(' ', t, k, c));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.told(s) FROM unnest(ARRAY[
	'UPDATE pk_tracking.log_visit SET consent = 3 WHERE user_id = ''secretuser''',
	'UPDATE pk_tracking.log_visit SET consent = 7 WHERE user_id = ''secretuser''',
	'UPDATE pk_tracking.log_visit SET consent = -1 WHERE user_id = ''secretuser''',
	'UPDATE pk_tracking.log_visit SET consent = 2, idvisitor = NULL, config_id = NULL, user_id = NULL WHERE user_id = ''secretuser''',
	'UPDATE pk_tracking.log_link_visit_action SET consent = 2 WHERE idsite = ' || :site,
	'UPDATE pk_tracking.log_link_visit_action SET consent = 9 WHERE idsite = ' || :site,
	'UPDATE pk_tracking.log_conversion SET consent = 2 WHERE idsite = ' || :site,
	'UPDATE pk_tracking.log_conversion SET consent = 2, idvisitor = NULL WHERE idsite = ' || :site,
	'UPDATE pk_tracking.log_conversion_item SET consent = 2 WHERE idsite = ' || :site,
	'UPDATE pk_tracking.log_conversion_item SET consent = 2, idvisitor = NULL WHERE idsite = ' || :site]) s
	WHERE EXISTS (SELECT FROM pk_tracking.log_visit WHERE user_id = 'secretuser');
\pset tuples_only off
\pset format aligned
-- an action, so that its CHECK has had a row to refuse
SELECT count(*) > 0 AS actions FROM pk_tracking.log_link_visit_action WHERE idsite = :site;
-- an ALTER TABLE that looks through all rows says no more either
ALTER TABLE pk_tracking.log_visit DROP CONSTRAINT log_visit_anonymous;
UPDATE pk_tracking.log_visit SET consent = 3 WHERE user_id = 'secretuser';
SELECT pg_temp.told('ALTER TABLE pk_tracking.log_visit ADD CONSTRAINT log_visit_anonymous
	CHECK ((consent >= 0 AND consent < 2) OR pk_tracking_internal.anonymous_visit(log_visit))');
UPDATE pk_tracking.log_visit SET consent = 0 WHERE user_id = 'secretuser';
ALTER TABLE pk_tracking.log_visit ADD CONSTRAINT log_visit_anonymous
	CHECK ((consent >= 0 AND consent < 2) OR pk_tracking_internal.anonymous_visit(log_visit));
-- the four CHECKs are all that the tables have; another one would print rows
SELECT c.conrelid::regclass, c.conname FROM pg_constraint c
WHERE c.connamespace = 'pk_tracking'::regnamespace AND c.contype = 'c' AND c.conrelid::regclass::text ~ '\.log_'
	AND pg_get_constraintdef(c.oid) !~ 'pk_tracking_internal.anonymous_(visit|action|conversion|item)\('
ORDER BY 1, 2;
DELETE FROM pk_tracking.log_visit WHERE idsite = :site;
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :site;
DELETE FROM pk_tracking.log_conversion WHERE idsite = :site;
DELETE FROM pk_tracking.log_conversion_item WHERE idsite = :site;
