
-- ---------------------------------------------------------------------------
-- report/conversions: how long it takes until visitors convert
--
-- A conversion belongs to the local day of its own time; the visitor's history is
-- what the conversion has stored: visitor_seconds_since_first is the age of the
-- visitor's first visit when the converting visit began.
-- ---------------------------------------------------------------------------

/*
 * How long it took until a conversion c: the value, and the least values of its steps, as
 * Matomo has them.
 */
CREATE FUNCTION pk_tracking_internal.report_conversion_steps(OUT unit text, OUT value text,
	OUT steps text)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES ('days', 'c.visitor_seconds_since_first / 86400', '{0,1,2,3,4,5,6,7,8,15,31,61,121,365}'),
		('visits', 'c.visitor_count_visits', '{1,2,3,4,5,6,7,8,9,15,26,51,101}')
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_conversion_steps IS
	'the steps of report_days_to_conversion() and report_visits_to_conversion()';

/*
 * The words are Matomo's, as the steps are.  Every step has a row.  goal: NULL for all
 * goals and orders; 0 for orders.
 */
SELECT pk_tracking_internal.make_report(r.name, r.comment,
	pg_catalog.format('%s text, nb_conversions bigint, nb_conversions_percentage numeric,
	nb_visits_converted bigint, revenue numeric, nb_visits_anonymous bigint,
	anonymous_rate numeric', r.result_column),
	pg_catalog.format($report$
	SELECT CASE WHEN step.least = step.greatest THEN step.least::text
			WHEN step.greatest IS NULL THEN step.least || '+'
			ELSE step.least || '-' || step.greatest END
			|| CASE WHEN step.greatest = 1 THEN ' %1$s' ELSE ' %1$ss' END,
		coalesce(m.nb_conversions, 0),
		round(coalesce(100.0 * m.nb_conversions / nullif(sum(m.nb_conversions) OVER (), 0), 0), 1),
		coalesce(m.nb_visits_converted, 0), coalesce(m.revenue, 0),
		coalesce(m.nb_visits_anonymous, 0),
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits_converted, 0), 0), 1)
	FROM (SELECT b.least, lead(b.least) OVER (ORDER BY b.least) - 1 AS greatest,
			row_number() OVER (ORDER BY b.least) AS n
		FROM unnest(%3$L::integer[]) AS b(least)) step
		LEFT JOIN {from rollups} (
			SELECT c.k1 AS n, c.nb_hits AS nb_conversions, c.nb_visits AS nb_visits_converted,
				c.revenue, c.nb_visits_anonymous
			FROM {counts of %5$s_to_conversion} c WHERE $10 IS NULL
			UNION ALL
			SELECT c.k2::integer, c.nb_hits, c.nb_visits, c.revenue, c.nb_visits_anonymous
			FROM {counts of %5$s_to_conversion_by_goal} c WHERE c.k1 = $10)
			{or from the log} (
			SELECT width_bucket(%2$s, %3$L::integer[]) AS n, %4$s
			FROM pk_tracking.log_conversion c
			WHERE {conversions c} AND c.idgoal >= 0 AND ($10 IS NULL OR c.idgoal = $10)
			GROUP BY 1) {end of rollups} m USING (n)
	ORDER BY n
	$report$, r.unit, k.value, k.steps,
		pk_tracking_internal.report_conversion_metrics(), k.unit),
	more_arguments => 'goal integer DEFAULT NULL', rows => 14)
FROM (VALUES
	('report_days_to_conversion',
		'conversions by the days between the visitor''s first visit and the one that converted; goal: NULL for all, 0 for orders',
		'days', 'day'),
	('report_visits_to_conversion',
		'conversions by the number of visits that the visitor made, the one that converted included; goal: NULL for all, 0 for orders',
		'visits', 'visit')
) AS r(name, comment, result_column, unit)
	JOIN pk_tracking_internal.report_conversion_steps() k ON k.unit = r.result_column;
