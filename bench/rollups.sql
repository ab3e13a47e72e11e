-- Section rollups: each usual report once, over :days days before today, from roll-ups
-- (:from = rollups) or from the log (:from = log).  Prints name and milliseconds.
SET client_min_messages = error;
SELECT set_config('bench.days', :'days', false), set_config('bench.from', :'from', false) \g /dev/null
BEGIN;
CREATE TEMP TABLE measured (report text, ms numeric) ON COMMIT DROP;
DO $$
DECLARE
	r text;
	began timestamptz;
	today CONSTANT date := (now() AT TIME ZONE 'Europe/Berlin')::date;
BEGIN
	-- with another time zone noted no roll-up is read
	IF current_setting('bench.from') = 'log' THEN
		UPDATE pk_tracking.rollup_site SET timezone = 'none';
	END IF;
	FOREACH r IN ARRAY '{visits,visitors,hours,countries,regions,cities,languages,browsers,browser_versions,systems,system_versions,device_types,
		device_brands,device_models,referrer_types,referrers,keywords,campaigns,consent,pages,titles,entry_pages,exit_pages,downloads,outlinks,searches,
		events,goals,orders,products}'::text[] LOOP
		r := regexp_replace(r, '\s', '', 'g');
		began := clock_timestamp();
		EXECUTE format('SELECT count(*) FROM pk_tracking.report_%s(1, %L, %L) x', r, today - current_setting('bench.days')::integer, today - 1);
		INSERT INTO measured VALUES (r, extract(epoch FROM clock_timestamp() - began) * 1000);
	END LOOP;
END $$;
\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'
SELECT report, round(ms, 2) FROM measured;
ROLLBACK;
