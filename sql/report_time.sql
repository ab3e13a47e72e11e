-- Reports over time: hours on days of clock changes, quarters, years, and a row
-- of any report over time, with values computed by hand
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('time', '{https://t.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_site('half an hour', '{https://h.example}', 'Australia/Lord_Howe') AS howe \gset
SELECT pk_tracking.add_site('off the full hour', '{https://k.example}', 'Asia/Kathmandu') AS nepal \gset
CREATE FUNCTION pg_temp.visits(site integer, first_id bigint, times text[]) RETURNS bigint LANGUAGE sql AS $$
	WITH v AS (INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, visit_total_actions, visit_total_interactions,
			location_country, visit_entry_idaction_url, visit_exit_idaction_url)
		SELECT first_id + t.n, site, t.at::timestamptz, t.at::timestamptz, lpad(to_hex(t.n), 16, '0')::hexid, 1, 1, CASE WHEN t.n % 2 = 1 THEN 'de' ELSE 'fr' END, 0, 0
		FROM unnest(times) WITH ORDINALITY AS t(at, n) RETURNING 1)
	SELECT count(*) FROM v
$$;

-- Hours -------------------------------------------------------------------
-- 29 March: 1:59:59 is followed by 3:00; 25 October: 2:59:59 by 2:00
SELECT pg_temp.visits(:site, 8100000000, '{2026-03-28 22:59:59Z,2026-03-28 23:00:00Z,2026-03-29 00:59:59Z,2026-03-29 01:00:00Z,2026-03-29 21:59:59Z,2026-03-29 22:00:00Z,
	2026-10-24 21:59:59Z,2026-10-24 22:00:00Z,2026-10-25 00:00:00Z,2026-10-25 00:59:59Z,2026-10-25 01:00:00Z,2026-10-25 01:59:59Z,2026-10-25 02:00:00Z,2026-10-25 22:59:59Z,2026-10-25 23:00:00Z}');
SELECT first_day, last_day, to_char(begins AT TIME ZONE 'Europe/Berlin', 'HH24:MI') AS clock, begins AT TIME ZONE 'UTC' AS begins_utc, nb_visits
FROM pk_tracking.report_visits(:site, '2026-03-29', '2026-03-29', 'hour');
SELECT first_day, last_day, to_char(begins AT TIME ZONE 'Europe/Berlin', 'HH24:MI') AS clock, begins AT TIME ZONE 'UTC' AS begins_utc, nb_visits
FROM pk_tracking.report_visits(:site, '2026-10-25', '2026-10-25', 'hour');
-- by the clock alone both hours are one
SELECT hour, nb_visits FROM pk_tracking.report_hours(:site, '2026-10-25', '2026-10-25') WHERE nb_visits > 0;
-- over midnight
SELECT first_day, count(*) AS hours, sum(nb_visits) AS visits FROM pk_tracking.report_visits(:site, '2026-10-24', '2026-10-26', 'hour') GROUP BY 1 ORDER BY 1;
-- clocks go back by half an hour, from 2:00 to 1:30, and forward from 2:00 to 2:30
SELECT pg_temp.visits(:howe, 8200000000, '{2026-04-04 14:00:00Z,2026-04-04 14:59:59Z,2026-04-04 15:00:00Z,2026-04-04 15:29:59Z,2026-04-04 15:30:00Z,2026-10-03 15:29:59Z,2026-10-03 15:30:00Z}');
SELECT to_char(begins AT TIME ZONE 'Australia/Lord_Howe', 'HH24:MI') AS clock, begins AT TIME ZONE 'UTC' AS begins_utc, nb_visits
FROM pk_tracking.report_visits(:howe, '2026-04-05', '2026-04-05', 'hour') LIMIT 5;
SELECT to_char(begins AT TIME ZONE 'Australia/Lord_Howe', 'HH24:MI') AS clock, begins AT TIME ZONE 'UTC' AS begins_utc, nb_visits
FROM pk_tracking.report_visits(:howe, '2026-10-04', '2026-10-04', 'hour') LIMIT 5;
SELECT pg_temp.visits(:nepal, 8300000000, '{2026-05-03 18:15:00Z,2026-05-03 19:14:59Z,2026-05-03 19:15:00Z}');
SELECT to_char(begins AT TIME ZONE 'Asia/Kathmandu', 'HH24:MI') AS clock, begins AT TIME ZONE 'UTC' AS begins_utc, nb_visits
FROM pk_tracking.report_visits(:nepal, '2026-05-04', '2026-05-04', 'hour') LIMIT 3;
-- no visit is in two hours or in none: visits every seven minutes around each change of clocks
CREATE TEMP TABLE zones AS
	SELECT z.zone, pk_tracking.add_site('zone', '{https://z.example}', z.zone) AS site, array_agg(d.day::date ORDER BY d.day) AS days
	FROM unnest('{Europe/Berlin,America/New_York,America/Havana,Atlantic/Azores,America/Santiago,Australia/Lord_Howe,Africa/Cairo,Asia/Beirut,America/St_Johns}'::text[]) AS z(zone),
		generate_series('2024-01-01', '2024-12-31', interval '1 day') AS d(day)
	WHERE pk_tracking_internal.day_begin(d.day::date + 1, z.zone) - pk_tracking_internal.day_begin(d.day::date, z.zone) <> interval '24 hours' GROUP BY 1;
SELECT sum(pg_temp.visits(z.site, 8400000000 + z.site * 1000000::bigint, (SELECT array_agg(t.at::text ORDER BY t.at)
	FROM unnest(z.days) AS d(day), generate_series(pk_tracking_internal.day_begin(d.day, z.zone), pk_tracking_internal.day_begin(d.day + 1, z.zone) - interval '1 us', interval '7 min') AS t(at)))) AS visits
FROM zones z;
SELECT z.zone, d.day, count(*) AS hours, sum(h.nb_visits) AS visits,
	bool_and(h.nb_visits = (SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idsite = z.site AND v.visit_first_action_time >= h.begins AND v.visit_first_action_time < h.next)) AS equal
FROM zones z CROSS JOIN LATERAL unnest(z.days) AS d(day) CROSS JOIN LATERAL (SELECT nb_visits, begins, lead(begins, 1, 'infinity') OVER (ORDER BY begins) AS next
	FROM pk_tracking.report_visits(z.site, d.day, d.day + 1, 'hour')) h
WHERE (h.begins AT TIME ZONE z.zone)::date = d.day
GROUP BY 1, 2 ORDER BY 1, 2;

-- Quarters and years ------------------------------------------------------
SELECT p.period, first_day, last_day, begins AT TIME ZONE 'UTC' AS begins_utc, nb_visits
FROM unnest('{quarter,year,range}'::text[]) WITH ORDINALITY AS p(period, n) CROSS JOIN LATERAL pk_tracking.report_visits(:site, '2025-12-31', '2026-11-15', p.period) ORDER BY p.n, first_day;
-- every report by period takes them
SELECT p.period, count(*) AS rows FROM unnest('{hour,day,week,month,quarter,year,range}'::text[]) WITH ORDINALITY AS p(period, n)
	CROSS JOIN LATERAL (SELECT FROM pk_tracking.report_orders(:site, '2026-10-24', '2026-10-26', p.period)) r GROUP BY p.n, 1 ORDER BY p.n;
SELECT p.period, count(*) AS rows FROM unnest('{hour,day,week,month,quarter,year,range}'::text[]) WITH ORDINALITY AS p(period, n)
	CROSS JOIN LATERAL (SELECT FROM pk_tracking.report_consent(:site, '2026-10-24', '2026-10-26', p.period)) r GROUP BY p.n, 1 ORDER BY p.n;
SELECT p.period, count(*) AS rows FROM unnest('{hour,day,week,month,quarter,year,range}'::text[]) WITH ORDINALITY AS p(period, n)
	CROSS JOIN LATERAL (SELECT FROM pk_tracking.report_visitors(:site, '2026-10-24', '2026-10-26', p.period)) r GROUP BY p.n, 1 ORDER BY p.n;
\set SHOW_CONTEXT never
SELECT * FROM pk_tracking.report_visits(:site, '2026-10-24', '2026-10-26', 'minute');
SELECT * FROM pk_tracking.report_visits(:site, '2026-10-24', '2026-10-26', NULL);

-- A row over time ---------------------------------------------------------
-- the odd visits came from Germany
SELECT first_day, last_day, numbers ->> 'nb_visits' AS visits, numbers ->> 'revenue' AS revenue, numbers -> 'bounce_rate' AS bounce_rate, numbers -> 'avg_time_on_site' AS time
FROM pk_tracking.report_evolution(:site, '2026-03-28', '2026-03-31', 'report_countries', '{de}');
SELECT first_day, last_day, m.nb_visits, m.nb_uniq_visitors, m.bounce_rate FROM pk_tracking.report_evolution(:site, '2026-01-01', '2026-12-31', 'report_countries', '{fr}', 'quarter'),
	jsonb_to_record(numbers) AS m(nb_visits bigint, nb_uniq_visitors bigint, bounce_rate numeric);
-- a report without labels; one by period, by a part of its labels; one with an argument of its own
SELECT first_day, last_day, numbers -> 'nb_visits_not_asked' AS visits FROM pk_tracking.report_evolution(:site, '2026-10-20', '2026-10-31', 'report_consent', period => 'week');
SELECT first_day, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-10-24', '2026-10-26', 'report_visitors', '{new}');
SELECT first_day, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-10-24', '2026-10-26', 'report_hours', '{2}');
SELECT first_day, numbers -> 'nb_conversions' AS conversions FROM pk_tracking.report_evolution(:site, '2026-10-24', '2026-10-24', 'report_days_to_conversion', ARRAY['0 days'], arguments => '{"goal": 1}');
-- by hour, told apart by their instants: the odd visits of 25 October began at 2:00, at 2:00 again, and at 3:00
SELECT first_day, to_char(begins AT TIME ZONE 'Europe/Berlin', 'HH24:MI') AS clock, begins AT TIME ZONE 'UTC' AS begins_utc, numbers -> 'nb_visits' AS visits
FROM pk_tracking.report_evolution(:site, '2026-10-25', '2026-10-25', 'report_countries', '{de}', 'hour') WHERE numbers ->> 'nb_visits' <> '0';
SELECT count(*) AS hours, sum((numbers ->> 'nb_visits')::integer) AS visits FROM pk_tracking.report_evolution(:site, '2026-10-25', '2026-10-25', 'report_countries', '{de}', 'hour');
SELECT z.zone, d.day, count(*) AS hours, sum((e.numbers ->> 'nb_visits')::integer) AS visits, bool_and(e.begins = h.begins AND (e.numbers ->> 'nb_visits')::integer = h.nb_visits) AS equal
FROM zones z CROSS JOIN LATERAL (SELECT z.days[1]) AS d(day)
	CROSS JOIN LATERAL (SELECT *, row_number() OVER () AS n FROM pk_tracking.report_evolution(z.site, d.day, d.day, 'report_countries', '{fr}', 'hour')) e
	JOIN LATERAL (SELECT *, row_number() OVER () AS n FROM pk_tracking.report_visits(z.site, d.day, d.day, 'hour', filter => 'countryCode==fr')) h USING (n) WHERE z.zone IN ('Europe/Berlin', 'Australia/Lord_Howe', 'America/Havana') GROUP BY 1, 2 ORDER BY 1;
-- roll-ups of the day know no hours
SELECT pk_tracking.rebuild_rollups(:site, '2026-10-25', '2026-10-25') IS NOT NULL AS rebuilt;
SELECT begins AT TIME ZONE 'UTC' AS begins_utc, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-10-25', '2026-10-25', 'report_countries', '{de}', 'hour') WHERE numbers ->> 'nb_visits' <> '0';
-- of a report with an argument that has no default, and of one by period
SELECT begins AT TIME ZONE 'UTC' AS begins_utc, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_by', '{France}', 'hour', '{"dimension": "countryCode"}') WHERE numbers ->> 'nb_visits' <> '0';
SELECT begins AT TIME ZONE 'UTC' AS begins_utc, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_visitors', '{new}', 'hour', visitors => 'identified') WHERE numbers ->> 'nb_visits' <> '0';
-- a label that is absent; a filter; kinds of visitors
UPDATE pk_tracking.log_visit SET location_browser_lang = CASE WHEN idvisit % 2 = 0 THEN 'de' END WHERE idsite = :site;
SELECT first_day, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_languages', ARRAY[NULL]);
SELECT first_day, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_languages', '{de}', filter => 'countryCode==de');
SELECT first_day, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_languages', '{de}', visitors => 'anonymous');
-- what the user writes is a value
SELECT first_day, numbers -> 'nb_visits' AS visits FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_countries', ARRAY['de'' OR true --']);
\set VERBOSITY terse
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_attribution', '{0,x}', arguments => '{"within_days": "1); DROP TABLE x; --"}');
\set VERBOSITY default
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_attribution', '{0,x}', arguments => '{"within_days)": 1}');
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_countries', arguments => '{"idsite": 1}');
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_attribution', arguments => '[1]');
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_countries', '{de,BE}');
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_countries');
\set VERBOSITY terse
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_nothing', '{de}');
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', 'report_visit_log');
SELECT count(*) FROM pk_tracking.report_evolution(:site, '2026-03-29', '2026-03-29', NULL);
\set VERBOSITY default
-- how rows of each report are named
SELECT name, labels, by_period FROM pk_tracking.reports WHERE name IN ('report_visits', 'report_hours', 'report_goals', 'report_events', 'report_orders', 'report_attribution', 'report_product_names', 'report_cohorts') ORDER BY 1;
SELECT name FROM pk_tracking.reports WHERE numbers = '{}' OR description IS NULL OR labels && '{nb_visits,nb_hits,nb_conversions,revenue}' ORDER BY 1;
DELETE FROM pk_tracking.log_visit WHERE idvisit BETWEEN 8100000000 AND 8999999999;
