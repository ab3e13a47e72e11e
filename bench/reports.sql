-- Section reports: each report for a day and for the month, beside the SQL that an
-- analyst would write on the views.  :rounds rounds, by turns; prints a row for
-- each, the medians in milliseconds, and the slowest five.
\set QUIET on
\pset pager off
SET client_min_messages = error;
\ir reports_by_hand.sql
-- arguments of reports that have some without a default
\set page https://shop.example/section0/page/0
\set dimension 2
\set steps '{pageUrl=@section1,pageUrl=@section2}'
\ir ../test/reports/arguments.sql
CREATE TEMP TABLE measured (report text, span text, what text, ms numeric);
-- runs it to its last row, as a client would: count(whole), not count(*), or the planner would
-- leave out of by-hand SQL every column that is not needed to count rows
CREATE FUNCTION pg_temp.took(sql text, begins timestamptz, ends timestamptz) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := clock_timestamp();
BEGIN
	EXECUTE 'SELECT count(whole) FROM (' || sql || ') whole' USING begins, ends;
	RETURN extract(epoch FROM clock_timestamp() - began) * 1000;
END $$;
SELECT set_config('bench.rounds', :'rounds', false), set_config('bench.only', :'only', false) \g /dev/null
DO $$
DECLARE
	r record;
	s record;
	own text;
BEGIN
	FOR i IN 1 .. current_setting('bench.rounds')::integer LOOP
		FOR s IN SELECT x.span, x.a::date, x.b::date FROM (VALUES ('day', '2026-06-15', '2026-06-15'), ('month', '2026-06-01', '2026-06-30')) x(span, a, b) LOOP
			FOR r IN SELECT p.name, h.sql FROM pk_tracking.reports p LEFT JOIN by_hand h ON h.report = p.name
				WHERE p.name ~ current_setting('bench.only') ORDER BY p.name LOOP
				own := coalesce((SELECT string_agg(format(', %I => %s', g.argument, g.value), '') FROM report_given g WHERE g.report = r.name), '');
				INSERT INTO measured SELECT r.name, s.span, 'report', pg_temp.took(format('SELECT * FROM pk_tracking.%I(1, %L, %L%s)', r.name, s.a, s.b, own), NULL, NULL);
				INSERT INTO measured SELECT r.name, s.span, 'by hand', pg_temp.took(r.sql, s.a::timestamp AT TIME ZONE 'Europe/Berlin', (s.b + 1)::timestamp AT TIME ZONE 'Europe/Berlin');
			END LOOP;
		END LOOP;
	END LOOP;
END $$;
CREATE TEMP VIEW medians AS
	SELECT report, span, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE what = 'report')::numeric, 1) AS report_ms,
		round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE what = 'by hand')::numeric, 1) AS by_hand_ms
	FROM measured GROUP BY 1, 2;
\echo 'Each report, milliseconds; ratio: to SQL on the views'
SELECT *, round(report_ms / by_hand_ms, 2) AS ratio FROM medians ORDER BY span, report;
\echo 'The slowest five'
SELECT report, span, report_ms FROM medians ORDER BY report_ms DESC LIMIT 5;
\pset tuples_only on
\pset format unaligned
\echo 'Slower than by hand:'
SELECT format('%s %s: %s ms, by hand %s ms', report, span, report_ms, by_hand_ms) FROM medians WHERE report_ms > 1.1 * by_hand_ms ORDER BY 1;
