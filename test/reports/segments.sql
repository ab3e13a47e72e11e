-- Compares our reports with a filter with Matomo's answers with the same segment,
-- cell by cell.  Called by test/reports/run after answers.sql, whose list of
-- deliberate differences holds here, too; differences-segments.txt has those of
-- single segments.  The last line is "reports: N identical, N different", of both.
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
SET client_min_messages = warning;
CREATE TABLE reports.segment_accepted (n serial, segment text, method text, site text, period text, label text, metric text, how text, reason text);
\copy reports.segment_accepted (segment, method, site, period, label, metric, how, reason) FROM PROGRAM 'sed "/^#/d" "$PKT_REPORTS/differences-segments.txt"'

-- tables of their own, with statistics: the plan of one query for all was a nested loop
CREATE TABLE reports.asked AS
	SELECT a.idsite, a.segment, a.method, a.period, a.answer, l.metric AS label_is,
		reports.ours(m.query, a.idsite, a.first_day, a.last_day, a.segment) AS ours
	FROM reports.answer a JOIN reports.method m USING (method) LEFT JOIN reports.label_is l USING (method)
	WHERE a.segment IS NOT NULL;
CREATE TABLE reports.theirs AS
	SELECT a.idsite, a.segment, a.method, a.period, coalesce(r.j ->> a.label_is, r.j ->> 'label', '') AS label, c.metric, c.value
	FROM reports.asked a
		CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(a.answer) WHEN 'array' THEN a.answer ELSE jsonb_build_array(a.answer) END) AS r(j)
		CROSS JOIN LATERAL reports.cells(r.j) c;
CREATE TABLE reports.our AS
	SELECT a.idsite, a.segment, a.method, a.period, c.label, c.metric, c.value
	FROM reports.asked a CROSS JOIN LATERAL reports.cells(a.ours) c;
CREATE TABLE reports.labels AS
	SELECT idsite, segment, method, period, label, t.label IS NOT NULL AS theirs, o.label IS NOT NULL AS ours
	FROM (SELECT DISTINCT idsite, segment, method, period, label FROM reports.theirs) t
		FULL JOIN (SELECT DISTINCT idsite, segment, method, period, label FROM reports.our) o USING (idsite, segment, method, period, label);
ANALYZE reports.theirs, reports.our, reports.labels;
CREATE TABLE reports.our_metrics AS SELECT DISTINCT method, metric FROM reports.our;

CREATE TABLE reports.segment_cell AS
	SELECT t.idsite, t.segment, t.method, t.period, t.label, t.metric, t.value AS theirs, o.value AS ours
	FROM reports.theirs t JOIN reports.our_metrics USING (method, metric)
		JOIN reports.labels l USING (idsite, segment, method, period, label)
		LEFT JOIN reports.our o USING (idsite, segment, method, period, label, metric)
	WHERE l.ours
	UNION ALL
	-- a number that no row of ours has is one cell of each method, site and period
	(SELECT DISTINCT ON (t.idsite, t.method, t.period, t.metric) t.idsite, t.segment, t.method, t.period, t.label, t.metric, t.value, NULL
	FROM reports.theirs t
	WHERE NOT EXISTS (SELECT FROM reports.our_metrics m WHERE (m.method, m.metric) = (t.method, t.metric))
	ORDER BY t.idsite, t.method, t.period, t.metric, t.segment, t.label)
	UNION ALL
	SELECT l.idsite, l.segment, l.method, l.period, l.label, 'row', CASE WHEN l.theirs THEN 'a row' END, CASE WHEN l.ours THEN 'a row' END
	FROM reports.labels l;
ANALYZE reports.segment_cell;

-- what differs, and the entries of both lists that fit a cell but for its label
CREATE TABLE reports.segment_difference AS
	SELECT * FROM reports.segment_cell d WHERE NOT reports.same(d.theirs, d.ours, d.metric);
CREATE TABLE reports.candidate AS
	WITH kind AS (SELECT DISTINCT idsite, segment, method, period, metric FROM reports.segment_difference)
	SELECT d.*, true AS of_segment, a.n, a.label, a.how
	FROM kind d JOIN reports.segment_accepted a
		ON d.segment ~ ('^(?:' || a.segment || ')$') AND d.method ~ ('^(?:' || a.method || ')$')
			AND d.idsite::text ~ ('^(?:' || a.site || ')$') AND d.period ~ ('^(?:' || a.period || ')$')
			AND d.metric ~ ('^(?:' || a.metric || ')$')
	UNION ALL
	SELECT d.*, false, a.n, a.label, a.how
	FROM kind d JOIN reports.accepted a
		ON d.method ~ ('^(?:' || a.method || ')$') AND d.idsite::text ~ ('^(?:' || a.site || ')$')
			-- an answer for a week has what one for a month has
			AND (d.period ~ ('^(?:' || a.period || ')$') OR d.period = 'week' AND 'month' ~ ('^(?:' || a.period || ')$'))
			AND d.metric ~ ('^(?:' || a.metric || ')$');
CREATE INDEX ON reports.candidate (idsite, segment, method, period, metric);
ANALYZE reports.candidate;

CREATE TABLE reports.segment_judged AS
	SELECT d.*, (SELECT min(c.n) FROM reports.candidate c
			WHERE (c.idsite, c.segment, c.method, c.period, c.metric) = (d.idsite, d.segment, d.method, d.period, d.metric)
				AND c.of_segment AND d.label ~ ('^(?:' || c.label || ')$') AND reports.is_such(c.how, d.theirs, d.ours)) AS of_segment,
		(SELECT min(c.n) FROM reports.candidate c
			WHERE (c.idsite, c.segment, c.method, c.period, c.metric) = (d.idsite, d.segment, d.method, d.period, d.metric)
				AND NOT c.of_segment AND d.label ~ ('^(?:' || c.label || ')$') AND reports.is_such(c.how, d.theirs, d.ours)) AS n
	FROM reports.segment_difference d;

\pset tuples_only on
\pset format unaligned
\echo 'Accepted differences of single segments, with the number of cells:'
SELECT format('  %s %s %s: %s', count(d.of_segment), a.segment, a.method, a.reason)
FROM reports.segment_accepted a LEFT JOIN reports.segment_judged d ON d.of_segment = a.n GROUP BY a.n, a.segment, a.method, a.reason ORDER BY a.n;
\echo 'Differences with a segment:'
SELECT format('  %s: %s %s %s %s: %s, Matomo %s', segment, method, idsite, period, concat_ws(' ', nullif(label, ''), metric),
	coalesce(ours, 'nothing'), coalesce(theirs, 'nothing'))
FROM reports.segment_judged WHERE n IS NULL AND of_segment IS NULL ORDER BY segment, method, metric, label, idsite, period LIMIT 100;
SELECT format('  no difference any more, take it off the list: %s %s %s %s: %s', a.segment, a.method, a.label, a.metric, a.reason)
FROM reports.segment_accepted a WHERE :own AND NOT EXISTS (SELECT FROM reports.segment_judged d WHERE d.of_segment = a.n);
-- a method that is asked for with a segment must be mapped
SELECT format('  no report for %s', m.method)
FROM (SELECT DISTINCT method FROM reports.answer WHERE segment IS NOT NULL) m
WHERE NOT EXISTS (SELECT FROM reports.method r WHERE r.method = m.method) AND NOT EXISTS (SELECT FROM reports.without w WHERE w.method = m.method);
SELECT format('reports: %s identical, %s different',
	(SELECT count(*) FROM reports.segment_cell) - (SELECT count(*) FROM reports.segment_judged) + :identical,
	(SELECT count(*) FROM reports.segment_judged WHERE n IS NULL AND of_segment IS NULL)
	+ (SELECT count(*) FROM reports.segment_accepted a WHERE :own AND NOT EXISTS (SELECT FROM reports.segment_judged d WHERE d.of_segment = a.n))
	+ :different);
