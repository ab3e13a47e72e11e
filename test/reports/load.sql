-- A log filled with the recorded hits, and Matomo's answers beside it: schema
-- reports.  Called by test/reports/run, which has filled reports.site, reports.hit
-- and reports.recorded, for answers.sql and for what compares segments.
\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.set_instance('recognition_rules', 'matomo'),
	pk_tracking.set_instance('site_search_query_parameters', '{q,k}'),
	pk_tracking.set_instance('site_search_category_parameters', '{cat}') \g /dev/null

-- The recorded requests say idsite, so the sites get the same numbers here.
DO $$
DECLARE
	s record;
	n integer;
	goal integer[];
	dimension integer[];
BEGIN
	FOR s IN SELECT * FROM reports.site ORDER BY idsite LOOP
		LOOP
			n := pk_tracking.add_site(s.url, ARRAY[s.url], s.timezone, 'EUR');
			EXIT WHEN n = s.idsite;
			IF n > s.idsite THEN
				RAISE EXCEPTION 'there is no site % to be had', s.idsite;
			END IF;
		END LOOP;
		goal := ARRAY[
			pk_tracking.add_goal(n, 'thanks', 'url', '/thanks', revenue => 5),
			pk_tracking.add_goal(n, 'manual', 'manually', allow_multiple => true),
			pk_tracking.add_goal(n, 'signup', 'event_action', 'signup', 'exact', revenue => 2),
			pk_tracking.add_goal(n, 'pdf', 'file', '\.pdf', 'regex', allow_multiple => true, revenue => 1.5),
			pk_tracking.add_goal(n, 'long', 'visit_duration', '5', 'greater_than'),
			pk_tracking.add_goal(n, 'title', 'title', 'About', revenue => 0.1)];
		dimension := ARRAY[
			pk_tracking.add_dimension(n, 'plan', 'visit'),
			pk_tracking.add_dimension(n, 'section', 'action'),
			pk_tracking.add_dimension(n, 'path', 'action',
				'[{"dimension": "url", "pattern": "example.org/([a-z]+)/"}]', case_sensitive => true)];
		IF goal <> '{1,2,3,4,5,6}' OR dimension <> '{1,2,3}' THEN
			RAISE EXCEPTION 'goals % and dimensions %', goal, dimension;
		END IF;
	END LOOP;
END
$$;

-- In documents of 200, a transaction each, authenticated.
DO $$
DECLARE
	d record;
	bad text;
BEGIN
	FOR d IN
		SELECT h.idsite, (h.line - 1) / 200 AS part,
			jsonb_build_object('requests', jsonb_agg(h.request ORDER BY h.line)) AS document
		FROM (SELECT *, row_number() OVER (PARTITION BY idsite ORDER BY n) AS line FROM reports.hit) h
		GROUP BY 1, 2 ORDER BY 1, 2
	LOOP
		SELECT string_agg(format('%s (%s)', t.outcome, t.outcome_reason), ', ') INTO bad
			FROM pk_tracking.track_requests(d.document, trusted => true) t WHERE t.outcome <> 'recorded';
		IF bad IS NOT NULL THEN
			RAISE WARNING 'site %, document %: %', d.idsite, d.part, bad;
		END IF;
		COMMIT;
	END LOOP;
END
$$;
ANALYZE;

-- Matomo's answers, a row each.  A month is asked for by a day of it.
CREATE TABLE reports.answer AS
	SELECT r.idsite, r.j ->> 'segment' AS segment, r.j ->> 'method' AS method, r.j ->> 'period' AS period,
		p.first_day, p.last_day, r.j -> 'answer' AS answer
	FROM reports.recorded r
		CROSS JOIN LATERAL (SELECT split_part(r.j ->> 'date', ',', 1)::date AS day) d
		CROSS JOIN LATERAL (SELECT
			CASE WHEN r.j ->> 'period' IN ('day', 'range') THEN d.day
				ELSE date_trunc(r.j ->> 'period', d.day)::date END AS first_day,
			CASE r.j ->> 'period' WHEN 'day' THEN d.day
				WHEN 'range' THEN split_part(r.j ->> 'date', ',', 2)::date
				ELSE (date_trunc(r.j ->> 'period', d.day) + ('1 ' || (r.j ->> 'period'))::interval)::date - 1 END AS last_day) p;

-- One number or text of one row of an answer.  A row within an answer is known by
-- its label; members of members are named by their way (goals/idgoal=1/revenue).
CREATE FUNCTION reports.cells(answer jsonb) RETURNS TABLE (label text, metric text, value text)
LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(r.j ->> 'label', ''), c.metric, c.value
	FROM jsonb_array_elements(CASE jsonb_typeof(answer) WHEN 'array' THEN answer ELSE jsonb_build_array(answer) END) AS r(j)
		CROSS JOIN LATERAL (
			WITH RECURSIVE member(metric, value) AS (
				SELECT e.key, e.value FROM jsonb_each(r.j) e WHERE e.key <> 'label'
				UNION ALL
				SELECT m.metric || '/' || e.key, e.value
				FROM member m CROSS JOIN LATERAL jsonb_each(CASE jsonb_typeof(m.value) WHEN 'object' THEN m.value END) e)
			SELECT m.metric, m.value #>> '{}' AS value FROM member m WHERE jsonb_typeof(m.value) <> 'object') c
$$;

-- Equal, or numbers that differ by the noise of sums; a rate or mean by half of
-- the last digit that Matomo shows, a rate by half of ours, too (per cent with one decimal).
CREATE FUNCTION reports.same(theirs text, ours text, metric text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
	SELECT theirs IS NOT DISTINCT FROM ours
		OR CASE WHEN theirs ~ '^-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$' AND ours ~ '^-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$'
			THEN abs(theirs::numeric - ours::numeric) <= CASE WHEN metric ~ '(^|_)(rate|avg|per)(_|$)'
				THEN greatest(0.5001 * 10.0 ^ -coalesce(length(substring(theirs FROM '\.(.*)')), 0), 0.000001,
					CASE WHEN metric ~ '(^|_)rate(_|$)' THEN 0.000501 END) ELSE 0.000001 END
			ELSE false END
$$;
