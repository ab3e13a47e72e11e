
-- ---------------------------------------------------------------------------
-- report/visitor: what a visitor did
-- ---------------------------------------------------------------------------

/*
 * Its query has the parameters of reports: $10 the visitor id, $11 the user id,
 * $12 max_visits.  who: the condition on the visit v that finds the visitor; visitor
 * ids and user ids have an index.  Only the newest visits are listed, and only of
 * these the names are looked up.
 */
CREATE FUNCTION pk_tracking_internal.report_visitor_query(who text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT replace(replace($report$
	WITH visits AS MATERIALIZED (
		SELECT v.idvisit, v.idvisitor, v.user_id, v.consent, v.visitor_returning,
			v.visitor_count_visits, v.visit_first_action_time, v.visit_last_action_time,
			v.visit_total_time, v.visit_total_actions, v.visit_total_interactions,
			v.visit_total_searches, v.visit_total_events, v.visit_goal_converted,
			v.visit_goal_buyer,
			v.location_country, v.location_city, v.config_os, v.config_browser_name,
			v.config_device_type, v.referer_type, v.referer_name, v.referer_keyword,
			v.visit_entry_idaction_url, v.visit_exit_idaction_url,
			c.nb_conversions, c.revenue, c.orders, c.orders_revenue
		FROM pk_tracking.log_visit v
			CROSS JOIN LATERAL (
				SELECT count(*) AS nb_conversions, sum(c.revenue) AS revenue,
					count(*) FILTER (WHERE c.idgoal = 0) AS orders,
					sum(c.revenue) FILTER (WHERE c.idgoal = 0) AS orders_revenue
				FROM pk_tracking.log_conversion c
				WHERE v.visit_goal_converted = 1 AND c.idvisit = v.idvisit AND c.idgoal >= 0) c
		WHERE v.idsite = $1 AND {who} AND v.consent BETWEEN $4 AND $5 AND {visit filter v})
	SELECT m.visitors, m.users, m.nb_visits, m.nb_actions, m.nb_pageviews, m.nb_searches,
		m.nb_events, m.sum_visit_length,
		round(m.sum_visit_length::numeric / m.nb_visits)::bigint,
		round(m.nb_actions::numeric / m.nb_visits, 1),
		m.nb_visits_converted, m.nb_conversions, coalesce(m.revenue, 0), m.orders,
		coalesce(m.orders_revenue, 0),
		m.first_visit, m.last_visit, m.last_action,
		pk_tracking.referrer_type_name(m.referer_type), nullif(m.referer_name, ''),
		m.countries, m.devices, x.visits
	FROM (
		SELECT array_agg(DISTINCT v.idvisitor) FILTER (WHERE v.idvisitor IS NOT NULL) AS visitors,
			array_agg(DISTINCT v.user_id) FILTER (WHERE v.user_id IS NOT NULL) AS users,
			count(*) AS nb_visits,
			sum(v.visit_total_actions) AS nb_actions,
			sum(v.visit_total_interactions - v.visit_total_searches) AS nb_pageviews,
			sum(v.visit_total_searches) AS nb_searches,
			sum(v.visit_total_events) AS nb_events,
			sum(v.visit_total_time) AS sum_visit_length,
			count(*) FILTER (WHERE v.visit_goal_converted = 1) AS nb_visits_converted,
			sum(v.nb_conversions)::bigint AS nb_conversions,
			sum(v.revenue) AS revenue,
			sum(v.orders)::bigint AS orders,
			sum(v.orders_revenue) AS orders_revenue,
			min(v.visit_first_action_time) AT TIME ZONE $6 AS first_visit,
			max(v.visit_first_action_time) AT TIME ZONE $6 AS last_visit,
			max(v.visit_last_action_time) AT TIME ZONE $6 AS last_action,
			(array_agg(v.referer_type
				ORDER BY v.visit_first_action_time, v.idvisit))[1] AS referer_type,
			(array_agg(v.referer_name
				ORDER BY v.visit_first_action_time, v.idvisit))[1] AS referer_name,
			array_agg(DISTINCT v.location_country)
				FILTER (WHERE v.location_country <> '') AS countries,
			array_agg(DISTINCT pk_tracking.device_type_name(v.config_device_type))
				FILTER (WHERE v.config_device_type IS NOT NULL) AS devices
		FROM visits v) m
		CROSS JOIN (
			SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
				{visit members},
				'visit_total_time', v.visit_total_time,
				'nb_conversions', v.nb_conversions,
				'revenue', v.revenue))
				ORDER BY v.visit_first_action_time DESC, v.idvisit DESC), '[]') AS visits
			FROM (SELECT v.* FROM visits v
				ORDER BY v.visit_first_action_time DESC, v.idvisit DESC LIMIT $12) v) x
	WHERE m.nb_visits > 0
	$report$, '{who}', who), '{visit members}', pk_tracking_internal.report_visit_members())
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_visitor_query IS
	'text of the query of report_visitor(); does not run it';

CREATE FUNCTION pk_tracking.report_visitor(idsite integer,
	visitor_id @extschema@.hexid DEFAULT NULL, user_id text DEFAULT NULL,
	max_visits integer DEFAULT 100, visitors text DEFAULT 'all', filter text DEFAULT NULL)
RETURNS TABLE (visitor_ids @extschema@.hexid[], user_ids text[], nb_visits bigint,
	nb_actions bigint, nb_pageviews bigint, nb_searches bigint, nb_events bigint,
	sum_visit_length bigint, avg_time_on_site bigint, nb_actions_per_visit numeric,
	nb_visits_converted bigint, nb_conversions bigint, revenue numeric,
	orders bigint, orders_revenue numeric,
	first_visit timestamp, last_visit timestamp, last_action timestamp,
	first_referrer_type text, first_referer_name text, countries text[],
	device_types text[], visits jsonb)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	zone CONSTANT text := pk_tracking_internal.report_site(report_visitor.idsite);
	c record;
	s record;
BEGIN
	IF report_visitor.visitor_id IS NULL AND report_visitor.user_id IS NULL THEN
		PERFORM pk_tracking_internal.report_error(
			message => 'at least one of "visitor_id" and "user_id" must be specified',
			hint => 'report_visit_log() shows visitor ids and user ids.');
	END IF;
	PERFORM pk_tracking_internal.report_number('max_visits', report_visitor.max_visits, 0, NULL,
		'NULL is all visits.');
	SELECT * INTO c FROM pk_tracking_internal.report_consents(report_visitor.visitors);
	SELECT * INTO s
		FROM pk_tracking_internal.report_statement(
			pk_tracking_internal.report_visitor_query(concat_ws(' AND ',
				CASE WHEN report_visitor.visitor_id IS NOT NULL
					THEN 'v.idvisitor OPERATOR(@extschema@.=) $10' END,
				CASE WHEN report_visitor.user_id IS NOT NULL THEN 'v.user_id = $11' END)),
			report_visitor.idsite, report_visitor.filter, NULL);
	RETURN QUERY EXECUTE s.statement
		USING report_visitor.idsite, '-infinity'::timestamptz, 'infinity'::timestamptz,
			c.least_consent, c.greatest_consent, zone, NULL::date, NULL::date, s.filter_values,
			report_visitor.visitor_id, report_visitor.user_id, report_visitor.max_visits;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_visitor IS
	'the visits of a visitor id or user id: totals, first and last visit, and the newest visits; no row if there are none; max_visits: NULL for all';
