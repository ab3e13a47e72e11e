
-- ---------------------------------------------------------------------------
-- report/goals_by: conversions by any dimension of the visit
-- ---------------------------------------------------------------------------

/*
 * The query of report_goals_by(); $10 is the dimension, $11 the goal.  Values are
 * those of the visit as it is, by the words of report_by(); the referrer that a
 * conversion has stored is what report_conversions() counts.  Rates are of the
 * visits with this value that acted or converted in the period, as in
 * report_goals().
 */
CREATE FUNCTION pk_tracking_internal.report_goals_by_query(idsite integer, dimension text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	g record;
	label text;
BEGIN
	SELECT f.key, f.label, string_to_array(f.labels, ',') AS labels INTO g
		FROM pk_tracking_internal.dimension_grouping(coalesce(dimension, ''),
			(SELECT coalesce(array_agg(d.iddimension), '{}') FROM pk_tracking.custom_dimension d
				WHERE d.idsite = report_goals_by_query.idsite AND d.scope = 'visit')) f;
	label := CASE WHEN g.labels IS NULL THEN g.label ELSE format('(%L::text[])[k1 + 1]', g.labels) END;
	RETURN format($query$
	SELECT m.idgoal, m.label, m.nb_conversions, m.nb_visits_converted, m.revenue, t.nb_visits,
		round(100.0 * m.nb_visits_converted / t.nb_visits, 1),
		m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits_converted, 1)
	FROM (
		-- a visit has one k1, so visits of a label can be added
		SELECT m.idgoal, coalesce(%2$s, 'Unknown') AS label,
			sum(m.nb_conversions)::bigint AS nb_conversions,
			sum(m.nb_visits_converted)::bigint AS nb_visits_converted,
			sum(m.revenue) AS revenue, sum(m.nb_visits_anonymous)::bigint AS nb_visits_anonymous
		FROM (
			SELECT c.idgoal, %1$s AS k1, %3$s
			FROM pk_tracking.log_conversion c
				JOIN pk_tracking.log_visit v ON v.idvisit = c.idvisit
					AND v.visit_first_action_time >= $2 - {longest visit}
					AND v.visit_first_action_time < $3 + {longest visit}
			WHERE {conversions c} AND c.idgoal >= 0 AND ($11 IS NULL OR c.idgoal = $11)
			GROUP BY 1, 2) m
		GROUP BY 1, 2) m
		JOIN (
			SELECT coalesce(%2$s, 'Unknown') AS label, sum(t.nb_visits)::bigint AS nb_visits
			FROM (SELECT v.k1, count(*) AS nb_visits FROM (%4$s) v GROUP BY 1) t
			GROUP BY 1) t ON t.label = m.label
	ORDER BY m.idgoal, m.nb_conversions DESC, m.label$query$, g.key, label,
		pk_tracking_internal.report_conversion_metrics(),
		pk_tracking_internal.report_acting_visits(g.key || ' AS k1'));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_goals_by_query IS
	'text of the query of report_goals_by(); does not run it';

SELECT pk_tracking_internal.make_report('report_goals_by',
	'conversions of goals (idgoal 0: orders) by a dimension of the view filter_dimensions that is one of the visit; conversion_rate: percentage of the visits with this value; goal: NULL for all',
	'idgoal integer, label text, nb_conversions bigint, nb_visits_converted bigint,
	revenue numeric, nb_visits bigint, conversion_rate numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	'EXECUTE pk_tracking_internal.report_goals_by_query(report_goals_by.idsite, report_goals_by.dimension)',
	own_arguments => 'dimension text', more_arguments => 'goal integer DEFAULT NULL');
