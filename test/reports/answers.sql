-- Compares our reports with Matomo's answers, cell by cell.  Called by
-- test/reports/run; the last line is "reports: N identical, N different".
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
SET client_min_messages = warning;
\i :here/methods.sql
-- The deliberate differences: regular expressions of whole values; how: what the
-- cells of such a difference are like.
CREATE TABLE reports.accepted (n serial, method text, site text, period text, label text, metric text, how text, reason text);
\copy reports.accepted (method, site, period, label, metric, how, reason) FROM PROGRAM 'sed "/^#/d" "$PKT_REPORTS/differences.txt"'
DO $$
DECLARE
	unknown text;
BEGIN
	SELECT a.how INTO unknown FROM reports.accepted a WHERE a.how !~ '^(absent|extra|more|less|within [0-9.]+|any)$' LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown kind of difference: %', unknown;
	END IF;
END
$$;

-- Our rows for one question, as Matomo's answer has them.
CREATE FUNCTION reports.ours(query text, idsite integer, first_day date, last_day date, filter text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	result jsonb;
BEGIN
	EXECUTE format('SELECT coalesce(jsonb_agg(coalesce(to_jsonb(q) -> ''row'', to_jsonb(q))), ''[]'') FROM (%s) q',
			replace(query, '{filter}', CASE WHEN filter IS NULL THEN '' ELSE ', filter => $4' END))
		INTO result USING idsite, first_day, last_day, filter;
	RETURN result;
END
$$;

-- Every cell of both sides; a row that one side alone has is a cell of its own (metric "row").
CREATE TABLE reports.cell AS
	WITH asked AS MATERIALIZED (
		SELECT a.idsite, a.method, a.period, a.answer, l.metric AS label_is,
			reports.ours(m.query, a.idsite, a.first_day, a.last_day, NULL) AS ours
		FROM reports.answer a JOIN reports.method m USING (method) LEFT JOIN reports.label_is l USING (method)
		WHERE a.segment IS NULL),
	theirs AS (
		SELECT a.idsite, a.method, a.period, coalesce(r.j ->> a.label_is, r.j ->> 'label', '') AS label, c.metric, c.value
		FROM asked a
			CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(a.answer) WHEN 'array' THEN a.answer ELSE jsonb_build_array(a.answer) END) AS r(j)
			CROSS JOIN LATERAL reports.cells(r.j) c),
	our AS (
		SELECT a.idsite, a.method, a.period, c.label, c.metric, c.value
		FROM asked a CROSS JOIN LATERAL reports.cells(a.ours) c),
	labels AS (
		SELECT idsite, method, period, label, t.label IS NOT NULL AS theirs, o.label IS NOT NULL AS ours
		FROM (SELECT DISTINCT idsite, method, period, label FROM theirs) t
			FULL JOIN (SELECT DISTINCT idsite, method, period, label FROM our) o USING (idsite, method, period, label))
	SELECT t.idsite, t.method, t.period, t.label, t.metric, t.value AS theirs, o.value AS ours
	FROM theirs t JOIN labels l USING (idsite, method, period, label)
		LEFT JOIN our o USING (idsite, method, period, label, metric)
	WHERE l.ours
	UNION ALL
	SELECT l.idsite, l.method, l.period, l.label, 'row', CASE WHEN l.theirs THEN 'a row' END, CASE WHEN l.ours THEN 'a row' END
	FROM labels l;

-- Numbers may differ by half of the last digit that Matomo shows, where it rounds.
CREATE VIEW reports.difference AS
	SELECT c.* FROM reports.cell c WHERE NOT reports.same(c.theirs, c.ours, c.metric);
CREATE FUNCTION reports.is_such(how text, theirs text, ours text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE split_part(how, ' ', 1)
		WHEN 'absent' THEN ours IS NULL
		WHEN 'extra' THEN theirs IS NULL
		WHEN 'more' THEN ours::numeric > theirs::numeric
		WHEN 'less' THEN ours::numeric < theirs::numeric
		WHEN 'within' THEN abs(ours::numeric - theirs::numeric) <= split_part(how, ' ', 2)::numeric
		ELSE true END
$$;

-- Each difference, with the number of the first entry that it is.  Entry by entry:
-- the server keeps only some regular expressions compiled.
CREATE TABLE reports.judged AS SELECT d.*, NULL::integer AS n FROM reports.difference d;
DO $$
DECLARE
	a reports.accepted;
BEGIN
	FOR a IN SELECT * FROM reports.accepted ORDER BY n LOOP
		UPDATE reports.judged d SET n = a.n WHERE d.n IS NULL
			AND d.method ~ ('^(?:' || a.method || ')$') AND d.idsite::text ~ ('^(?:' || a.site || ')$')
			AND d.period ~ ('^(?:' || a.period || ')$') AND d.label ~ ('^(?:' || a.label || ')$')
			AND d.metric ~ ('^(?:' || a.metric || ')$') AND reports.is_such(a.how, d.theirs, d.ours);
	END LOOP;
END
$$;

\pset tuples_only on
\pset format unaligned
\echo 'Accepted differences, with the number of cells:'
SELECT format('  %s %s: %s', count(d.n), a.method, a.reason)
FROM reports.accepted a LEFT JOIN reports.judged d USING (n) GROUP BY a.n, a.method, a.reason ORDER BY a.n;
\echo 'Differences:'
SELECT format('  %s %s %s %s: %s, Matomo %s', method, idsite, period, concat_ws(' ', nullif(label, ''), metric),
	coalesce(ours, 'nothing'), coalesce(theirs, 'nothing'))
FROM reports.judged WHERE n IS NULL ORDER BY method, metric, label, idsite, period LIMIT 100;
SELECT format('  no difference any more, take it off the list: %s %s %s %s: %s', a.method, a.label, a.metric, a.how, a.reason)
FROM reports.accepted a WHERE :own AND NOT EXISTS (SELECT FROM reports.judged d WHERE d.n = a.n);
-- a method that nobody maps must be listed too
SELECT format('  no report for %s', m.method)
FROM (SELECT DISTINCT method FROM reports.answer WHERE segment IS NULL) m
WHERE NOT EXISTS (SELECT FROM reports.method r WHERE r.method = m.method)
	AND NOT EXISTS (SELECT FROM reports.without w WHERE w.method = m.method);

SELECT format('reports: %s identical, %s different', (SELECT count(*) FROM reports.cell) - (SELECT count(*) FROM reports.judged),
	(SELECT count(*) FROM reports.judged WHERE n IS NULL)
	+ (SELECT count(*) FROM reports.accepted a WHERE :own AND NOT EXISTS (SELECT FROM reports.judged d WHERE d.n = a.n))
	+ (SELECT count(*) FROM (SELECT DISTINCT method FROM reports.answer WHERE segment IS NULL) m
		WHERE NOT EXISTS (SELECT FROM reports.method r WHERE r.method = m.method)
			AND NOT EXISTS (SELECT FROM reports.without w WHERE w.method = m.method)));
