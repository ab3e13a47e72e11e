
-- ---------------------------------------------------------------------------
-- report/goal_summary: all that Matomo tells of a goal, and of all goals together
-- ---------------------------------------------------------------------------

/*
 * Rows: idgoal NULL for all goals and orders, 0 for orders, -1 for abandoned carts,
 * and each goal.  Rates are of the visits with an action or a conversion in the
 * period, of new or of returning visitors: by this meaning, which is that of
 * report_goals(), none is above 100.
 */
SELECT pk_tracking_internal.make_report('report_goal_summary',
	'conversions of all goals and orders together (idgoal NULL), of orders (0), abandoned carts (-1) and each goal, by new and returning visitors, too',
	'idgoal integer, name text, nb_conversions bigint, nb_visits_converted bigint,
	revenue numeric, conversion_rate numeric, items bigint, avg_order_revenue numeric,
	revenue_subtotal numeric, revenue_tax numeric, revenue_shipping numeric,
	revenue_discount numeric,
	nb_conversions_new_visit bigint, nb_visits_converted_new_visit bigint,
	revenue_new_visit numeric, conversion_rate_new_visit numeric,
	nb_conversions_returning_visit bigint, nb_visits_converted_returning_visit bigint,
	revenue_returning_visit numeric, conversion_rate_returning_visit numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT g.idgoal, g.name, coalesce(m.nb_conversions, 0), coalesce(m.nb_visits_converted, 0),
		coalesce(m.revenue, 0),
		round(coalesce(100.0 * m.nb_visits_converted / nullif(t.nb_visits, 0), 0), 1),
		coalesce(m.items, 0), round(coalesce(m.avg_revenue, 0), 2),
		coalesce(m.revenue_subtotal, 0), coalesce(m.revenue_tax, 0),
		coalesce(m.revenue_shipping, 0), coalesce(m.revenue_discount, 0),
		coalesce(m.nb_conversions_new, 0), coalesce(m.nb_visits_converted_new, 0),
		coalesce(m.revenue_new, 0),
		round(coalesce(100.0 * m.nb_visits_converted_new / nullif(t.nb_visits_new, 0), 0), 1),
		coalesce(m.nb_conversions - m.nb_conversions_new, 0),
		coalesce(m.nb_visits_converted - m.nb_visits_converted_new, 0),
		coalesce(m.revenue_returning, 0),
		round(coalesce(100.0 * (m.nb_visits_converted - m.nb_visits_converted_new)
			/ nullif(t.nb_visits - t.nb_visits_new, 0), 0), 1),
		coalesce(m.nb_visits_anonymous, 0),
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits_converted, 0), 0), 1)
	FROM (
		SELECT 1 AS n, NULL::integer AS idgoal, 'all goals and orders' AS name
		UNION ALL
		SELECT 2, 0, 'orders'
		UNION ALL
		SELECT 3, -1, 'abandoned carts'
		UNION ALL
		SELECT 4, coalesce(g.idgoal, c.idgoal), g.name
		FROM (SELECT g.idgoal, g.name, g.deleted FROM pk_tracking.goal g WHERE g.idsite = $1) g
			FULL JOIN (SELECT DISTINCT c.idgoal FROM pk_tracking.log_conversion c
				WHERE {conversions c} AND c.idgoal > 0) c ON c.idgoal = g.idgoal
		WHERE c.idgoal IS NOT NULL OR NOT g.deleted) g
		LEFT JOIN (
			SELECT c.idgoal, c.idgoal >= 0 AS counts, grouping(c.idgoal) AS total,
				count(*) AS nb_conversions, pk_tracking_internal.report_distinct(c.idvisit) AS nb_visits_converted,
				sum(c.revenue) AS revenue, sum(c.items) AS items, avg(c.revenue) AS avg_revenue,
				sum(c.revenue_subtotal) AS revenue_subtotal, sum(c.revenue_tax) AS revenue_tax,
				sum(c.revenue_shipping) AS revenue_shipping,
				sum(c.revenue_discount) AS revenue_discount,
				count(*) FILTER (WHERE v.visitor_returning = 0) AS nb_conversions_new,
				pk_tracking_internal.report_distinct(c.idvisit)
					FILTER (WHERE v.visitor_returning = 0) AS nb_visits_converted_new,
				sum(c.revenue) FILTER (WHERE v.visitor_returning = 0) AS revenue_new,
				sum(c.revenue) FILTER (WHERE v.visitor_returning <> 0) AS revenue_returning,
				pk_tracking_internal.report_distinct(c.idvisit) FILTER (WHERE c.consent >= 2) AS nb_visits_anonymous
			FROM pk_tracking.log_conversion c
				JOIN pk_tracking.log_visit v ON v.idvisit = c.idvisit
					AND v.visit_first_action_time >= $2 - {longest visit}
					AND v.visit_first_action_time < $3 + {longest visit}
			WHERE {conversions c}
				-- a cart without items and revenue was emptied
				AND (c.idgoal >= 0 OR (c.items = 0 AND c.revenue = 0) IS NOT TRUE)
			GROUP BY GROUPING SETS ((c.idgoal), (c.idgoal >= 0))) m
			ON CASE WHEN g.n = 1 THEN m.total = 1 AND m.counts ELSE m.idgoal = g.idgoal END
		CROSS JOIN (
			SELECT count(*) AS nb_visits,
				count(*) FILTER (WHERE a.visitor_returning = 0) AS nb_visits_new
			FROM (%s) a) t
	ORDER BY g.n, g.idgoal
	$report$, pk_tracking_internal.report_acting_visits('v.visitor_returning')));
