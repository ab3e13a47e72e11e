
-- ---------------------------------------------------------------------------
-- report/funnel: how many went through a series of steps, and how many left
-- ---------------------------------------------------------------------------

/*
 * The query of report_funnel().  steps: a condition over the action l for each
 * step.  over_visits: true if a visitor may take the steps in several visits, in
 * the time of the parameter $11; else all of them are steps of one visit.
 *
 * An action counts as step k if it matches step k and an earlier action of the
 * same visit (or visitor) counts as step k - 1; "earlier" is by time, then by
 * number.  Of all ways to step k the one that began last is kept (s), for it has
 * the most time left: so one pass over the actions in their order finds everybody
 * who can reach a step, without a join for each step.  p is the s, and t the time,
 * of the latest action before that counted as the step.
 *
 * The rows that do not match any step are left out before the sort.  OFFSET 0
 * keeps the conditions from being computed twice.
 */
CREATE FUNCTION pk_tracking_internal.report_funnel_query(steps text[], over_visits boolean)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	query text;
	matches text := '';
	any_match text := '';
	counts text := '';
	rows text := '';
	last_step integer := cardinality(steps);
BEGIN
	FOR k IN 1 .. last_step LOOP
		matches := matches || format(', (%s) AS m%s', steps[k], k);
		any_match := any_match || format(' OR m%s', k);
		counts := counts || format(
			', count(*) FILTER (WHERE s%1$s IS NOT NULL AND p%1$s IS NULL) AS n%1$s'
			', count(*) FILTER (WHERE s%1$s IS NOT NULL AND p%1$s IS NULL AND consent >= 2) AS a%1$s'
			|| CASE WHEN k > 1 THEN
			', percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM at - t%2$s)::float8)'
			' FILTER (WHERE s%1$s IS NOT NULL AND p%1$s IS NULL) AS hop%1$s'
			', percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM at - s%1$s)::float8)'
			' FILTER (WHERE s%1$s IS NOT NULL AND p%1$s IS NULL) AS way%1$s' ELSE '' END,
			k, k - 1);
		rows := rows || format(CASE WHEN k > 1 THEN ', (%1$s, n%1$s, n%2$s, a%1$s, hop%1$s, way%1$s)'
			ELSE ', (%1$s, n%1$s, NULL::bigint, a%1$s, NULL::float8, NULL::float8)' END, k, k - 1);
	END LOOP;
	query := format($query$
		SELECT * FROM (
			SELECT %s, l.server_time AS at, l.idlink_va AS id, l.consent%s
			FROM pk_tracking.log_link_visit_action l %s
			WHERE {actions l} OFFSET 0) l
		WHERE %s$query$,
		CASE WHEN over_visits
			THEN 'v.idvisitor, CASE WHEN v.idvisitor IS NULL THEN l.idvisit END AS idvisit'
			ELSE 'NULL AS idvisitor, l.idvisit' END,
		matches,
		CASE WHEN over_visits
			THEN 'JOIN pk_tracking.log_visit v ON v.idvisit = l.idvisit' ELSE '' END,
		substr(any_match, 4));
	FOR k IN 1 .. last_step LOOP
		query := format($query$
			SELECT *, max(s%1$s) OVER past AS p%1$s,
				max(at) FILTER (WHERE s%1$s IS NOT NULL) OVER past AS t%1$s
			FROM (SELECT *, CASE WHEN %2$s END AS s%1$s FROM (%3$s) l OFFSET 0) l
			WINDOW past AS (PARTITION BY idvisitor, idvisit ORDER BY at, id
				ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)$query$,
			k,
			CASE WHEN k = 1 THEN 'm1 THEN at'
				WHEN over_visits
					THEN format('m%1$s AND p%2$s >= at - $11 THEN p%2$s', k, k - 1)
				ELSE format('m%1$s THEN p%2$s', k, k - 1) END,
			query);
	END LOOP;
	RETURN format($query$
	SELECT f.step, ($10)[array_lower($10, 1) + f.step - 1], f.reached,
		f.reached - coalesce(lead(f.reached) OVER (ORDER BY f.step), f.reached),
		round(coalesce(100.0 * f.reached / nullif(coalesce(f.before, f.reached), 0), 0), 1),
		round(coalesce(100.0 * f.reached
			/ nullif(first_value(f.reached) OVER (ORDER BY f.step), 0), 0), 1),
		round(f.hop)::bigint, round(f.way)::bigint, f.anonymous,
		round(coalesce(100.0 * f.anonymous / nullif(f.reached, 0), 0), 1)
	FROM (SELECT %s FROM (%s) l) m
		CROSS JOIN LATERAL (VALUES %s) AS f(step, reached, before, anonymous, hop, way)
	ORDER BY f.step$query$,
		substr(counts, 3), query, substr(rows, 3));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_funnel_query IS
	'text of the query of report_funnel(); does not run it';

CREATE FUNCTION pk_tracking.report_funnel(idsite integer, from_date date, to_date date,
	steps text[], within interval DEFAULT NULL,
	visitors text DEFAULT 'all', filter text DEFAULT NULL)
RETURNS TABLE (step integer, step_filter text, nb_reached bigint, nb_dropped bigint,
	step_rate numeric, conversion_rate numeric, median_time bigint, median_total_time bigint,
	nb_anonymous bigint, anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 10
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	most_steps CONSTANT integer := 20;
	conditions text[] := '{}';
	step_values text[] := '{}';
	c record;
	r record;
	s record;
BEGIN
	SELECT * INTO r
		FROM pk_tracking_internal.report_period(report_funnel.idsite, report_funnel.from_date,
			report_funnel.to_date, report_funnel.visitors);
	IF (cardinality(report_funnel.steps) BETWEEN 1 AND most_steps) IS NOT TRUE
		OR array_ndims(report_funnel.steps) <> 1
		OR array_position(report_funnel.steps, NULL) IS NOT NULL THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('steps of a funnel must be a list of 1 to %s filters', most_steps),
			hint => 'Each step is a filter of actions, such as pageUrl=@/cart.');
	END IF;
	IF report_funnel.within NOT BETWEEN interval '0' AND interval '36500 days' THEN
		PERFORM pk_tracking_internal.report_error(
			message => 'argument "within" must be between 0 and 36500 days',
			hint => 'Without it all steps belong to one visit.');
	END IF;
	FOR k IN 1 .. cardinality(report_funnel.steps) LOOP
		-- the values of all steps are one array; a step names its part of it
		SELECT f.condition, f.filter_values INTO c
			FROM pk_tracking_internal.filter_condition(report_funnel.idsite,
				report_funnel.steps[array_lower(report_funnel.steps, 1) + k - 1], true,
				format('($12)[%s:]', cardinality(step_values) + 1)) f;
		conditions := conditions
			|| pk_tracking_internal.filter_ranges(report_funnel.idsite, c.condition);
		step_values := step_values || c.filter_values;
	END LOOP;
	SELECT * INTO s
		FROM pk_tracking_internal.report_statement(
			pk_tracking_internal.report_funnel_query(conditions, report_funnel.within IS NOT NULL),
			report_funnel.idsite, report_funnel.filter, NULL);
	RETURN QUERY EXECUTE s.statement
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone,
			r.from_date, r.to_date, s.filter_values, report_funnel.steps,
			-- a day is 24 hours, whatever the clocks do
			make_interval(secs => extract(epoch FROM report_funnel.within)::float8), step_values;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_funnel IS
	'visits, or with an interval visitors, that took the steps in their order: how many reached each, and left after it; steps: filters of actions';
