-- Wrong arguments of reports: one clear error of ours, with a hint and without the
-- statements that found it
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('arguments', '{https://a.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_dimension(:site, 'section', 'action') AS dimension, pk_tracking.add_goal(:site, 'all', 'url', 'a.example', 'contains') AS goal;
-- so that something is compared with what is passed
SELECT outcome FROM pk_tracking.track(:site, 'https://a.example/p1', ip => '203.0.113.7', user_agent => 'an agent', visitor_id => '0000000000000011');

-- what a call says: its error, or that it returns rows
CREATE FUNCTION pg_temp.said(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
	message text;
	hint text;
	context text;
BEGIN
	EXECUTE 'SELECT count(*) FROM ' || call;
	RETURN 'rows';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN code || ' ' || regexp_replace(message, 'site [0-9]+', 'site N') || coalesce(E'\n  ' || nullif(hint, ''), ' without a hint') || CASE WHEN context <> '' THEN E'\n  and where it was found' ELSE '' END;
END
$$;

-- Days, for every report that takes them
\getenv abs_srcdir PG_ABS_SRCDIR
\set given :abs_srcdir '/test/reports/arguments.sql'
\set calls :abs_srcdir '/test/reports/calls.sql'
\set idsite :site
\set from_date '''FROM'''
\set to_date '''TO'''
\set filter 'NULL'
\set ECHO none
\i :given
\i :calls
\set ECHO all
SELECT d.days, pg_temp.said(replace(replace(c.call, 'FROM', split_part(d.days, ' to ', 1)), 'TO', split_part(d.days, ' to ', 2))) AS said,
	count(*) = (SELECT count(*) FROM report_calls WHERE call ~ 'from_date') AS of_all
FROM report_calls c CROSS JOIN (VALUES (1, '2026-11-02 to 2026-11-01'), (2, '-infinity to 2026-11-01'), (3, '2026-11-01 to infinity'), (4, '0001-12-31 BC to 2026-11-01'), (5, '4714-11-24 BC to 4714-11-24 BC'),
	(6, '2026-11-01 to 5874897-12-31'), (7, '5874897-12-31 to 5874897-12-31'), (8, '10000-01-01 to 10000-01-01'), (9, '0001-01-01 to 0001-01-02'), (10, '9999-12-30 to 9999-12-31')) AS d(n, days)
WHERE c.call ~ 'from_date' GROUP BY d.n, d.days, 2 ORDER BY d.n, 2;
-- periods without end
SELECT p.period, left(pg_temp.said(format('pk_tracking.report_visits(%s, ''0001-01-01'', ''9999-12-31'', %L)', :site, p.period)), 60), left(pg_temp.said(format('pk_tracking.report_evolution(%s, ''0001-01-01'', ''9999-12-31'', ''report_pages'', period => %L)', :site, p.period)), 60) FROM unnest('{hour,day,week,month}'::text[]) p(period);
SELECT pg_temp.said(format('pk_tracking.report_sites(%s)', x.a)) FROM unnest(ARRAY['NULL, NULL', $$'0001-01-01', '9999-12-31'$$, $$'0001-01-01', '0001-01-01'$$, $$'9999-12-31', '9999-12-31'$$, $$'2026-11-01', NULL$$]) AS x(a);

-- Numbers, times and words
SELECT x.report, x.arguments, pg_temp.said(format('pk_tracking.%s(%s%s)', x.report, :site, CASE WHEN x.report IN ('report_live', 'report_visitor') THEN ', ' ELSE $$, '2026-11-01', '2026-11-30', $$ END || x.arguments)) AS said
FROM (VALUES ('report_attribution', 'within_days => -1'), ('report_attribution', 'within_days => 2147483647'), ('report_attribution', 'within_days => 0'), ('report_attribution', 'within_days => NULL'), ('report_attribution', 'goal => 99'),
	('report_visit_log', 'max_visits => -1'), ('report_visit_log', 'skip_visits => -1'), ('report_visit_log', 'max_visits => 2147483647, skip_visits => 2147483647'), ('report_visit_log', 'max_visits => NULL, skip_visits => NULL'),
	('report_live', 'max_visits => -1'), ('report_live', 'minutes => 1441'), ('report_live', $$at => 'infinity'$$), ('report_live', $$at => '294276-12-31 23:59:59Z'$$), ('report_live', $$at => '4713-01-01 BC'$$),
	('report_visitor', $$'0000000000000011', max_visits => -1$$), ('report_visitor', 'max_visits => 1'),
	('report_funnel', $$'{pageUrl=@a,pageUrl=@b}', '-1 day'$$), ('report_funnel', $$'{pageUrl=@a,pageUrl=@b}', '178000000 years'$$), ('report_funnel', '''{}'''), ('report_funnel', 'ARRAY[NULL]'), ('report_funnel', '''{{pageUrl=@a,pageUrl=@b}}'''), ('report_funnel', '''{pageUrl=@a,pageUrl}'''),
	('report_visits', $$'decade'$$), ('report_visits', $$visitors => 'robots'$$), ('report_visits', 'period => NULL'), ('report_cohorts', $$acts => 'dances'$$),
	('report_transitions', 'NULL'), ('report_transitions', $$'https://a.example/', 'A'$$), ('report_action_dimension', '9'), ('report_action_dimension', 'NULL'), ('report_by', $$'colour'$$), ('report_by', 'NULL'), ('report_goals_by', $$'pageUrl'$$),
	('report_page_tree', 'NULL')) AS x(report, arguments);

-- Filters: the message says where
SELECT f, pg_temp.said(format('pk_tracking.report_pages(%s, ''2026-11-01'', ''2026-11-30'', filter => %L)', :site, f)) AS said
FROM unnest(ARRAY['countryCode', 'countryCode==de;colour==red', 'countryCode==de;actions=@1', 'countryCode==de;actions>', 'countryCode==de;actions>x', 'countryCode==de, deviceType==fridge', 'countryCode==de;visitIp==1', 'countryCode==de;visitorId==1', '@nobody', 'city==%FF']) AS f;
SELECT pg_temp.said(format('pk_tracking.report_pages(%s, ''2026-11-01'', ''2026-11-30'', filter => %L)', :site, 'actions>1' || repeat(',actions>1', 200))) AS said;
-- as psql shows it
SELECT * FROM pk_tracking.report_pages(:site, '2026-11-01', '2026-11-30', filter => 'countryCode==de;browserName');

-- report_evolution() ----------------------------------------------------------
SELECT x.arguments, pg_temp.said(format('pk_tracking.report_evolution(%s, ''2026-11-01'', ''2026-11-01'', %s)', :site, x.arguments)) AS said
FROM (VALUES ($$'report_by'$$), ($$'report_by', arguments => '{"dimension": "countryCode"}'$$), ($$'report_by', arguments => '{"dimension": null}'$$), ($$'report_by', arguments => '{"dimension": ["countryCode"]}'$$), ($$'report_by', arguments => '{"dimension": {"a": 1}}'$$),
	($$'report_action_dimension', arguments => '{}'$$), ($$'report_action_dimension', arguments => '{"dimension": "one"}'$$), ($$'report_action_dimension', arguments => '{"dimension": 1e30}'$$), ($$'report_action_dimension', arguments => '{"dimension": 1}'$$), ($$'report_action_dimension', arguments => '{"dimension": "1"}'$$),
	($$'report_funnel'$$), ($$'report_funnel', arguments => '{"steps": "pageUrl=@a"}'$$), ($$'report_funnel', '{1}', arguments => '{"steps": ["pageUrl=@a", "pageUrl=@b"], "within": "7 days"}'$$), ($$'report_funnel', arguments => '{"steps": ["pageUrl=@a"], "within": "soon"}'$$), ($$'report_transitions'$$),
	($$'report_goals_by', arguments => '{"dimension": "countryCode", "colour": 1}'$$), ($$'report_pages', arguments => '[1]'$$), ($$'report_pages', '{{a,b}}'$$), ($$'report_pages', '{a,b}'$$), ($$'report_visit_log'$$), ($$NULL$$), ($$'report_countries', period => 'decade'$$)) AS x(arguments);
SELECT name, required FROM pk_tracking.reports WHERE required <> '{}' ORDER BY 1;
DELETE FROM pk_tracking.log_visit WHERE idsite = :site;
