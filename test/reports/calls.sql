-- Every report that there is, from the catalog, as a call: creates report_calls
-- (report, call), with the arguments that arguments.sql has.  psql's variables:
-- idsite, from_date, to_date (quoted), and filter (NULL or quoted).
CREATE TEMP TABLE report_calls AS
WITH given AS (
	SELECT * FROM report_given
	UNION ALL
	-- all visits, and those of the log of the tests
	VALUES ('report_live', 'at', quote_literal('2026-03-29 00:55+00')), ('report_live', 'max_visits', 'NULL'), ('report_visit_log', 'max_visits', 'NULL')),
common (argument, value) AS (VALUES
	('idsite', :'idsite'), ('from_date', :'from_date'), ('to_date', :'to_date'), ('filter', :'filter'))
SELECT p.proname::text AS report,
	format('pk_tracking.%I(%s)', p.proname, string_agg(format('%I => %s', a.argument,
		coalesce(g.value, c.value, 'this argument needs a value in test/reports/arguments.sql')), ', ' ORDER BY a.n)) AS call
FROM pg_proc p
	JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	CROSS JOIN LATERAL unnest(p.proargnames) WITH ORDINALITY AS a(argument, n)
	LEFT JOIN given g ON g.report = p.proname AND g.argument = a.argument
	LEFT JOIN common c ON c.argument = a.argument
WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname ~ '^report_' AND a.n <= p.pronargs
	AND (g.value IS NOT NULL OR c.value IS NOT NULL OR a.n <= p.pronargs - p.pronargdefaults)
GROUP BY p.oid, p.proname;
