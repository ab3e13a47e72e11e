
-- ---------------------------------------------------------------------------
-- report/acting_visits: counting conversions, and the visits that rates are of
-- ---------------------------------------------------------------------------

/*
 * A query for the columns, expressions over a visit v, of each visit with an action
 * or a conversion in the period.  A late hit may convert before the first action of
 * its visit, and a conversion can be another consent's than the visit.  Those are
 * few: the visits of conversions are looked up, not put together with all the others.
 */
CREATE FUNCTION pk_tracking_internal.report_acting_visits(columns text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($query$
		SELECT %1$s FROM pk_tracking.log_visit v WHERE {acting visits v}
		UNION ALL
		SELECT %1$s
		FROM (
			SELECT c.idvisit FROM pk_tracking.log_conversion c WHERE {conversions c}
			GROUP BY c.idvisit) c
			LEFT JOIN pk_tracking.log_visit v ON v.idvisit = c.idvisit
				AND v.visit_first_action_time >= $2 - {longest visit}
				AND v.visit_first_action_time < $3 + {longest visit}
		WHERE ({acting visits v}) IS NOT TRUE$query$, columns)
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_acting_visits IS
	'text of a query for the visits with an action or a conversion in the period; does not run it';

/* The columns that count the conversions c of a group and their visits. */
CREATE FUNCTION pk_tracking_internal.report_conversion_metrics() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'count(*) AS nb_conversions, '
		'pk_tracking_internal.report_distinct(c.idvisit) AS nb_visits_converted, '
		'coalesce(sum(c.revenue), 0) AS revenue, '
		'pk_tracking_internal.report_distinct(c.idvisit) FILTER (WHERE c.consent >= 2) '
		'AS nb_visits_anonymous'
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_conversion_metrics IS
	'part of a query: counts the conversions of a group and their visits';
