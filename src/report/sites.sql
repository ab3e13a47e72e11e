
-- ---------------------------------------------------------------------------
-- report/sites: all sites beside each other
-- ---------------------------------------------------------------------------

/*
 * The query of report_sites().  $1: the site, or NULL for all; $2, $3: from the
 * begin of the period before, in any of their time zones, to the end of the
 * period; $7, $8: first and last day; $10: first day of the period before.
 *
 * One pass over the visits and conversions of both periods, whatever the number of
 * sites.  As Matomo has it, a growth from nothing is one of 100 %.
 */
CREATE FUNCTION pk_tracking_internal.report_sites_query() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT pg_catalog.regexp_replace($report$
	WITH sites AS MATERIALIZED (
		SELECT s.idsite, s.name,
			pk_tracking_internal.day_begin($10, s.timezone) AS before,
			pk_tracking_internal.day_begin($7, s.timezone) AS begins,
			pk_tracking_internal.day_begin($8 + 1, s.timezone) AS ends
		FROM pk_tracking.site s
		WHERE $1 IS NULL OR s.idsite = $1)
	SELECT s.idsite, s.name, coalesce(m.nb_visits, 0), coalesce(m.nb_uniq_visitors, 0),
		coalesce(m.nb_actions, 0), coalesce(m.nb_pageviews, 0),
		coalesce(g.nb_conversions, 0), coalesce(g.revenue, 0),
		coalesce(g.orders, 0), coalesce(g.orders_revenue, 0),
		coalesce(m.previous_nb_visits, 0), coalesce(m.previous_nb_actions, 0),
		coalesce(m.previous_nb_pageviews, 0), coalesce(g.previous_revenue, 0),
		{evolution m.nb_visits}, {evolution m.nb_actions}, {evolution m.nb_pageviews},
		{evolution g.revenue},
		coalesce(m.nb_visits_anonymous, 0),
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
	FROM sites s
		LEFT JOIN (
			SELECT v.idsite,
				count(*) FILTER (WHERE now) AS nb_visits,
				pk_tracking_internal.report_distinct(v.idvisitor::bigint) FILTER (WHERE now)
					+ count(*) FILTER (WHERE now AND v.consent >= 2) AS nb_uniq_visitors,
				sum(v.visit_total_actions) FILTER (WHERE now) AS nb_actions,
				sum(v.visit_total_interactions - v.visit_total_searches)
					FILTER (WHERE now) AS nb_pageviews,
				count(*) FILTER (WHERE NOT now) AS previous_nb_visits,
				sum(v.visit_total_actions) FILTER (WHERE NOT now) AS previous_nb_actions,
				sum(v.visit_total_interactions - v.visit_total_searches)
					FILTER (WHERE NOT now) AS previous_nb_pageviews,
				count(*) FILTER (WHERE now AND v.consent >= 2) AS nb_visits_anonymous
			FROM pk_tracking.log_visit v
				JOIN sites p ON p.idsite = v.idsite
				CROSS JOIN LATERAL (VALUES (v.visit_first_action_time >= p.begins)) AS x(now)
			WHERE v.visit_first_action_time >= $2 AND v.visit_first_action_time < $3
				AND v.visit_first_action_time >= p.before AND v.visit_first_action_time < p.ends
				AND v.consent BETWEEN $4 AND $5 AND {visit filter v}
			GROUP BY v.idsite) m ON m.idsite = s.idsite
		LEFT JOIN (
			SELECT c.idsite,
				count(*) FILTER (WHERE now) AS nb_conversions,
				sum(c.revenue) FILTER (WHERE now) AS revenue,
				count(*) FILTER (WHERE now AND c.idgoal = 0) AS orders,
				sum(c.revenue) FILTER (WHERE now AND c.idgoal = 0) AS orders_revenue,
				sum(c.revenue) FILTER (WHERE NOT now) AS previous_revenue
			FROM pk_tracking.log_conversion c
				JOIN sites p ON p.idsite = c.idsite
				CROSS JOIN LATERAL (VALUES (c.server_time >= p.begins)) AS x(now)
			WHERE c.server_time >= $2 AND c.server_time < $3
				AND c.server_time >= p.before AND c.server_time < p.ends
				AND c.idgoal >= 0
				AND c.consent BETWEEN $4 AND $5 AND {conversion filter c}
			GROUP BY c.idsite) g ON g.idsite = s.idsite
	ORDER BY s.idsite
	$report$, '\{evolution (\w+)\.(\w+)\}',
	'CASE WHEN \1.previous_\2 > 0 '
		'THEN round(100.0 * (coalesce(\1.\2, 0) - \1.previous_\2) / \1.previous_\2, 1) '
		'WHEN \1.\2 > 0 THEN 100.0 ELSE 0.0 END', 'g')
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_sites_query IS
	'text of the query of report_sites(); does not run it';

/*
 * The first day of the period before: of as many calendar months if the days are
 * whole months, else of as many days.
 */
CREATE FUNCTION pk_tracking_internal.report_day_before(from_date date, to_date date) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN extract(day FROM from_date) = 1 AND extract(day FROM to_date + 1) = 1
			AND to_date - from_date < from_date - date '0001-01-01'
		THEN (from_date - make_interval(months => (12 * (extract(year FROM to_date + 1)
			- extract(year FROM from_date)) + extract(month FROM to_date + 1)
			- extract(month FROM from_date))::integer))::date
		-- at the beginning of time there are fewer days
		ELSE from_date - least(to_date - from_date + 1, from_date - date '0001-01-01') END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_day_before IS
	'first day of the period before a report''s';

/*
 * A filter is applied site by site, for its dimensions and named filters may be
 * the site's.
 */
CREATE FUNCTION pk_tracking.report_sites(from_date date, to_date date,
	visitors text DEFAULT 'all', filter text DEFAULT NULL)
RETURNS TABLE (idsite integer, name text, nb_visits bigint, nb_uniq_visitors bigint,
	nb_actions bigint, nb_pageviews bigint, nb_conversions bigint, revenue numeric,
	orders bigint, orders_revenue numeric,
	previous_nb_visits bigint, previous_nb_actions bigint, previous_nb_pageviews bigint,
	previous_revenue numeric, visits_evolution numeric, actions_evolution numeric,
	pageviews_evolution numeric, revenue_evolution numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	-- days of a site begin at most this much before and after those of UTC
	zones CONSTANT interval := interval '48 hours';
	before date;
	r record;
	s record;
	site record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_arguments(report_sites.from_date,
		report_sites.to_date, report_sites.visitors);
	before := pk_tracking_internal.report_day_before(report_sites.from_date, report_sites.to_date);
	FOR site IN
		SELECT x.idsite, x.timezone FROM pk_tracking.site x WHERE report_sites.filter IS NOT NULL
		UNION ALL
		SELECT NULL, 'UTC' WHERE report_sites.filter IS NULL
		ORDER BY 1
	LOOP
		SELECT * INTO s
			FROM pk_tracking_internal.report_statement(
				pk_tracking_internal.report_sites_query(), site.idsite, report_sites.filter, NULL);
		RETURN QUERY EXECUTE s.statement
			USING site.idsite, before::timestamp AT TIME ZONE 'UTC' - zones,
				(report_sites.to_date + 1)::timestamp AT TIME ZONE 'UTC' + zones,
				r.least_consent, r.greatest_consent, site.timezone,
				report_sites.from_date, report_sites.to_date, s.filter_values, before;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_sites IS
	'all sites, each in its own time zone, with the change to the period before: as many months if the days are whole months, else as many days';
