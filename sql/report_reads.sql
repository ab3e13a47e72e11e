-- A report over a day reads that day's pages of the log, not the log: pages of the
-- tables that each report fetches, counted by the server
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item;
SELECT pk_tracking.add_site('reads', '{https://a.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_goal(:site, 'goal', 'manually') AS goal, pk_tracking.add_dimension(:site, 'section', 'action') AS dimension;
-- 60 days, written in the order of time; wide rows, so that few make many pages
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
	SELECT 900000 + n, :site, 1, 2, 'a.example/p' || n FROM generate_series(1, 10) n;
CREATE TEMP TABLE drawn AS SELECT 9000000 + n AS id, '2026-05-01 00:00+00'::timestamptz + n * interval '6 minutes' AS at, (n % 50 + 1)::bigint::hexid AS visitor, 900001 + n % 10 AS page,
	jsonb_build_object('1', jsonb_build_array('n', (SELECT string_agg(md5(n || ':' || i), '') FROM generate_series(1, 40) i))) AS wide
	FROM generate_series(0, 60 * 240 - 1) n;
INSERT INTO pk_tracking.log_visit (idvisit, idsite, idvisitor, visit_first_action_time, visit_last_action_time, visit_entry_idaction_url, visit_exit_idaction_url, visit_total_actions, visit_goal_converted, referer_type, location_country, custom_variables)
	SELECT id, :site, visitor, at, at + interval '5 minutes', page, page, 1, (id % 7 = 0)::integer, 1, 'de', wide FROM drawn ORDER BY at;
INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, idvisitor, server_time, idaction_url, idaction_name, idaction_url_ref, custom_dimensions, custom_variables)
	SELECT id, id, :site, visitor, at, page, 0, 0, '{"1": "x"}', wide FROM drawn ORDER BY at;
INSERT INTO pk_tracking.log_conversion (idvisit, idsite, idvisitor, server_time, idgoal, revenue, custom_variables)
	SELECT id, :site, visitor, at, 1, 1, wide FROM drawn ORDER BY at;
ANALYZE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion;
SELECT count(brin_summarize_new_values(i)) FROM unnest('{pk_tracking.log_visit_time,pk_tracking.log_link_visit_action_time,pk_tracking.log_conversion_time}'::regclass[]) i;

\getenv abs_srcdir PG_ABS_SRCDIR
\set given :abs_srcdir '/test/reports/arguments.sql'
\set calls :abs_srcdir '/test/reports/calls.sql'
\set idsite :site
\set from_date '''2026-06-01'''
\set to_date '''2026-06-01'''
\set filter 'NULL'
\set ECHO none
\i :given
\i :calls
\set ECHO all
-- the server does not count what workers read
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE fetched (report text, tab text, pages bigint);
CREATE PROCEDURE pg_temp.fetch() LANGUAGE plpgsql AS $$
DECLARE
	c record;
	tables CONSTANT text[] := '{log_visit,log_link_visit_action,log_conversion}';
	before bigint[];
BEGIN
	FOR c IN SELECT * FROM report_calls LOOP
		before := ARRAY(SELECT pg_stat_get_xact_blocks_fetched(('pk_tracking.' || t)::regclass) FROM unnest(tables) t);
		EXECUTE 'SELECT count(*) FROM ' || c.call;
		INSERT INTO fetched SELECT c.report, t.t, pg_stat_get_xact_blocks_fetched(('pk_tracking.' || t.t)::regclass) - before[t.n] FROM unnest(tables) WITH ORDINALITY t(t, n);
	END LOOP;
END $$;
CALL pg_temp.fetch();
-- A day has a sixtieth of the pages; the index by time tells 128 pages from the next
-- 128, and visits that went on over midnight are looked for a day earlier.  A table may
-- be read up to four times.  A single scan of it would be more than allowed.
-- report_attribution() looks up the visits of 30 days before, report_visitor() all.
CREATE TEMP VIEW pages AS SELECT t AS tab, pg_relation_size(('pk_tracking.' || t)::regclass) / current_setting('block_size')::integer AS pages FROM unnest('{log_visit,log_link_visit_action,log_conversion}'::text[]) t;
SELECT p.tab, p.pages > 1200 AS many, 4 * (3 * p.pages / 60 + 2 * 128) < p.pages AS tells FROM pages p ORDER BY 1;
SELECT count(DISTINCT report) > 60 AS all_reports, sum(pages) > 5000 AS counted FROM fetched;
SELECT f.report, f.tab, f.pages, p.pages AS of FROM fetched f JOIN pages p USING (tab)
	WHERE f.pages > 4 * (3 * p.pages / 60 + 2 * 128) AND f.report NOT IN ('report_attribution', 'report_visitor') ORDER BY 1, 2;
-- The same where the planner joins by hashing, as it does where a day has many rows.
-- report_visit_log() looks up single visits, report_cohorts() who had been there before.
TRUNCATE fetched;
SET enable_nestloop = off;
CALL pg_temp.fetch();
RESET enable_nestloop;
SELECT count(DISTINCT report) > 60 AS all_reports, sum(pages) > 5000 AS counted FROM fetched;
SELECT f.report, f.tab, f.pages, p.pages AS of FROM fetched f JOIN pages p USING (tab)
	WHERE f.pages > 4 * (3 * p.pages / 60 + 2 * 128) AND f.report NOT IN ('report_attribution', 'report_visitor', 'report_visit_log', 'report_cohorts') ORDER BY 1, 2;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion;
