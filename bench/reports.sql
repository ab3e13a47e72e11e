-- Section reports: each report for a day and for the month, beside the SQL that an
-- analyst would write on the views.  :rounds rounds, by turns; prints a row for
-- each, the medians in milliseconds of CPU, and the slowest five.
\set QUIET on
\pset pager off
SET client_min_messages = error;
-- only this backend's time is measured
SET max_parallel_workers_per_gather = 0;
\ir reports_by_hand.sql
-- arguments of reports that have some without a default
\set page https://shop.example/section0/page/0
\set dimension 2
\set steps '{pageUrl=@section1,pageUrl=@section2}'
\ir ../test/reports/arguments.sql
CREATE TEMP TABLE measured (round integer, report text, span text, what text, ms numeric);
-- the kernel brings the number up to date when a process sleeps
CREATE FUNCTION pg_temp.cpu_ms() RETURNS numeric LANGUAGE sql AS
	$$SELECT pg_sleep(0.0002); SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1e6$$;
-- A contestant's CPU is written down.  A query is run to its last row, as a client would:
-- count(whole), not count(*), or the planner would leave out of by-hand SQL every column that is
-- not needed to count rows.  One that takes too long is stopped, and has taken at least so long.
CREATE FUNCTION pg_temp.measure(round integer, report text, span text, what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	a CONSTANT date := CASE span WHEN 'day' THEN '2026-06-15' ELSE '2026-06-01' END;
	b CONSTANT date := CASE span WHEN 'day' THEN '2026-06-15' ELSE '2026-06-30' END;
	own CONSTANT text := (SELECT string_agg(format(', %I => %s', g.argument, g.value), '') FROM report_given g WHERE g.report = measure.report);
	sql text := format('SELECT * FROM pk_tracking.%I(1, %L, %L%s)', report, a, b, own);
	began numeric;
BEGIN
	IF what = 'by hand' THEN
		sql := (SELECT h.sql FROM by_hand h WHERE h.report = measure.report);
	END IF;
	began := pg_temp.cpu_ms();
	BEGIN
		EXECUTE 'SELECT count(whole) FROM (' || sql || ') whole' USING a::timestamp AT TIME ZONE 'Europe/Berlin', (b + 1)::timestamp AT TIME ZONE 'Europe/Berlin';
	EXCEPTION WHEN query_canceled THEN
		NULL;
	END;
	INSERT INTO measured VALUES (round, report, span, what, pg_temp.cpu_ms() - began);
END $$;
SET statement_timeout = '90s';
SELECT format('SELECT pg_temp.measure(%s, %L, %L, %L)', i, p.name, s, w)
FROM generate_series(1, :rounds) i, unnest('{day,month}'::text[]) s, pk_tracking.reports p, unnest('{report,by hand}'::text[]) WITH ORDINALITY AS w(w, n)
WHERE p.name ~ :'only' ORDER BY i, s, p.name, w.n
\o /dev/null
\gexec
\o
SET statement_timeout = 0;
CREATE TEMP VIEW medians AS
SELECT report, span, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.ms)::numeric, 1) AS report_ms,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY h.ms)::numeric, 1) AS by_hand_ms,
	round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.ms / greatest(h.ms, 0.1))::numeric, 2) AS ratio
FROM measured r JOIN measured h USING (round, report, span) WHERE r.what = 'report' AND h.what = 'by hand' GROUP BY 1, 2;
\echo 'Each report, milliseconds of CPU; ratio: to SQL on the views'
SELECT d.report, d.report_ms AS day_ms, d.by_hand_ms AS day_by_hand_ms, d.ratio AS day_ratio, m.report_ms AS month_ms, m.by_hand_ms AS month_by_hand_ms, m.ratio AS month_ratio
FROM medians d JOIN medians m USING (report) WHERE d.span = 'day' AND m.span = 'month' ORDER BY 1;
\echo 'The slowest five'
SELECT report, span, report_ms FROM medians ORDER BY report_ms DESC LIMIT 5;
\pset tuples_only on
\pset format unaligned
\echo 'Slower than by hand:'
SELECT format('%s %s: %s ms, by hand %s ms', report, span, report_ms, by_hand_ms) FROM medians WHERE ratio > 1.1 ORDER BY ratio DESC;
\if :{?samples}
\pset fieldsep '\t'
\o :samples
SELECT format('reports.%s.%s.%s_ms', span, replace(report, 'report_', ''), CASE what WHEN 'report' THEN 'report' ELSE 'hand' END), round, round(ms, 3) FROM measured ORDER BY 1, 2;
\o
\endif
