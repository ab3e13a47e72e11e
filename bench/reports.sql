-- Section reports: each report for a day and for the month, beside the SQL that an
-- analyst would write on the views.  :rounds rounds, by turns; prints a row for
-- each, the medians in milliseconds, and the slowest five.
\set QUIET on
\pset pager off
SET client_min_messages = error;
CREATE TEMP TABLE by_hand (report text, sql text);
-- the kinds: what visits by a column, actions by a name are on the views
INSERT INTO by_hand SELECT 'report_' || r.report, format($$SELECT %1$s, count(*), count(DISTINCT idvisitor), count(DISTINCT user_id), sum(visit_total_actions), max(visit_total_actions),
	count(*) FILTER (WHERE visit_total_actions <= 1), sum(visit_total_time), count(*) FILTER (WHERE converted), count(*) FILTER (WHERE consent IN ('undecided', 'refused'))
	FROM pk_tracking.visit WHERE idsite = 1 AND visit_first_action_time >= $1 AND visit_first_action_time < $2 %2$s GROUP BY %1$s ORDER BY 2 DESC$$, r.columns, r.condition)
FROM (VALUES ('visits', 'local_time::date', ''), ('visitors', 'local_time::date, visitor_type', ''), ('hours', 'extract(hour FROM local_time)', ''), ('countries', 'location_country', ''),
	('regions', 'location_country, location_region', ''), ('cities', 'location_country, location_region, location_city', ''), ('languages', 'location_browser_lang', ''),
	('browsers', 'config_browser_name', ''), ('browser_versions', 'config_browser_name, config_browser_version', ''), ('systems', 'config_os', ''), ('system_versions', 'config_os, config_os_version', ''),
	('device_brands', 'config_device_brand', ''), ('device_models', 'config_device_brand, config_device_model', ''), ('referrer_types', 'referrer_type', ''), ('referrers', 'referrer_type, referrer_name', ''),
	('keywords', 'referrer_name, referrer_keyword', 'AND referrer_type = ''search engine'''), ('campaigns', 'referrer_name, referrer_keyword', 'AND referrer_type = ''campaign'''),
	('entry_pages', 'entry_url', ''), ('entry_titles', 'entry_title', ''), ('exit_pages', 'exit_url', ''), ('exit_titles', 'exit_title', ''), ('by', 'location_country', ''),
	('referring_pages', 'referrer_url', ''), ('consent', 'local_time::date, consent', '')) AS r(report, columns, condition)
UNION ALL SELECT 'report_' || r.report, format($$SELECT %1$s, count(*), count(DISTINCT idvisit), count(DISTINCT idvisitor), count(DISTINCT idvisit) FILTER (WHERE consent IN ('undecided', 'refused'))
	FROM pk_tracking.action WHERE idsite = 1 AND server_time >= $1 AND server_time < $2 AND kind = %2$L GROUP BY %1$s ORDER BY 2 DESC$$, r.columns, r.kind)
FROM (VALUES ('pages', 'url', 'page'), ('titles', 'title', 'page'), ('downloads', 'url', 'download'), ('outlinks', 'url', 'outlink'), ('searches', 'search_keyword', 'search'),
	('events', 'event_category, event_action, event_name', 'event'), ('search_categories', 'search_category', 'search'), ('contents', 'content_name, content_piece', 'content'),
	('content_names', 'content_name', 'content'), ('content_pieces', 'content_piece', 'content')) AS r(report, columns, kind)
UNION ALL SELECT 'report_' || r.report, format($$SELECT %1$s, count(*), count(DISTINCT c.idvisit), sum(c.revenue), count(DISTINCT c.idvisit) FILTER (WHERE v.consent IN ('undecided', 'refused'))
	FROM pk_tracking.log_conversion c JOIN pk_tracking.visit v USING (idvisit) WHERE c.idsite = 1 AND c.server_time >= $1 AND c.server_time < $2 AND %2$s GROUP BY %1$s ORDER BY 2 DESC$$, r.columns, r.condition)
FROM (VALUES ('goals', 'c.idgoal', 'c.idgoal > 0'), ('orders', '(c.server_time AT TIME ZONE ''Europe/Berlin'')::date, c.idgoal', 'c.idgoal <= 0'),
	('conversions', 'c.idgoal, c.referer_type, c.referer_name, c.referer_keyword', 'c.idgoal >= 0'), ('goals_by', 'c.idgoal, v.referrer_type', 'c.idgoal >= 0'),
	('conversion_hours', 'c.idgoal, extract(hour FROM c.server_time AT TIME ZONE ''Europe/Berlin'')', 'c.idgoal >= 0')) AS r(report, columns, condition);
-- arguments of reports that have some without a default
\set page https://shop.example/section0/page/0
\set dimension 2
\set steps '{pageUrl=@section1,pageUrl=@section2}'
\ir ../test/reports/arguments.sql
CREATE TEMP TABLE measured (report text, span text, what text, ms numeric);
-- runs it to its last row, as a client would
CREATE FUNCTION pg_temp.took(sql text, begins timestamptz, ends timestamptz) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	began timestamptz := clock_timestamp();
BEGIN
	EXECUTE 'SELECT count(*) FROM (' || sql || ') x' USING begins, ends;
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
				IF r.sql IS NOT NULL THEN
					INSERT INTO measured SELECT r.name, s.span, 'by hand', pg_temp.took(r.sql, s.a::timestamp AT TIME ZONE 'Europe/Berlin', (s.b + 1)::timestamp AT TIME ZONE 'Europe/Berlin');
				END IF;
				IF r.sql IS NOT NULL THEN
					INSERT INTO measured SELECT r.name, s.span, 'by hand', pg_temp.took(r.sql, s.a::timestamp AT TIME ZONE 'Europe/Berlin', (s.b + 1)::timestamp AT TIME ZONE 'Europe/Berlin');
				END IF;
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
