
-- ---------------------------------------------------------------------------
-- report/live: what happens on a site now
-- ---------------------------------------------------------------------------

/*
 * A visit v as members of a JSON object: text of the arguments of
 * jsonb_build_object(); $1 is the site and $6 its time zone.
 */
CREATE FUNCTION pk_tracking_internal.report_visit_members() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT $members$
		'idvisit', v.idvisit,
		'idvisitor', v.idvisitor,
		'user_id', v.user_id,
		'consent', pk_tracking.consent_name(v.consent),
		'visitor_type', pk_tracking.visitor_type_name(v.visitor_returning),
		'visitor_count_visits', v.visitor_count_visits,
		'first_action', v.visit_first_action_time AT TIME ZONE $6,
		'last_action', v.visit_last_action_time AT TIME ZONE $6,
		'visit_total_actions', v.visit_total_actions,
		'converted', v.visit_goal_converted = 1,
		'ordered', v.visit_goal_buyer IN (1, 3),
		'location_country', v.location_country,
		'location_city', nullif(v.location_city, ''),
		'os', pk_tracking.os_name(v.config_os),
		'browser', pk_tracking.browser_name(v.config_browser_name),
		'device_type', pk_tracking.device_type_name(v.config_device_type),
		'referrer_type', pk_tracking.referrer_type_name(v.referer_type),
		'referer_name', nullif(v.referer_name, ''),
		'referer_keyword', nullif(v.referer_keyword, ''),
		'entry_url', (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = v.visit_entry_idaction_url LIMIT 1),
		'last_url', (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = v.visit_exit_idaction_url LIMIT 1)$members$
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_visit_members IS
	'text of the members of a visit in report_live() and report_visitor()';

/*
 * Its query has the parameters of reports: $2 and $3 are the begin and the end of
 * the minutes, $10 their number, $11 max_visits.
 *
 * A visit is there if it has been active in these minutes, be it by a ping.  The
 * column that says so, visit_last_action_time, must not be indexed; but no visit
 * lasts longer than log_visit_length says, so the newest visits are found by their
 * first action, and the newest actions by their time: both by BRIN indexes, which
 * read the end of the tables only.
 */
CREATE FUNCTION pk_tracking_internal.report_live_query() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT replace($report$
	WITH visits AS MATERIALIZED (
		SELECT v.idvisit, v.idvisitor, v.user_id, v.consent, v.visitor_returning,
			v.visitor_count_visits, v.visit_first_action_time, v.visit_last_action_time,
			v.visit_total_actions, v.visit_goal_converted, v.visit_goal_buyer,
			v.location_country, v.location_city, v.config_os, v.config_browser_name,
			v.config_device_type, v.referer_type, v.referer_name, v.referer_keyword,
			v.visit_entry_idaction_url, v.visit_exit_idaction_url
		FROM pk_tracking.log_visit v
		WHERE {acting visits v}),
	actions AS (
		SELECT floor(extract(epoch FROM l.server_time - $2) / 60)::integer AS minute, count(*) AS n
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND l.idaction_content_name IS NULL
		GROUP BY 1)
	SELECT ($3 - interval '1 s') AT TIME ZONE $6, m.nb_visits, m.nb_uniq_visitors, m.nb_visits_converted,
		(SELECT coalesce(sum(a.n), 0)::bigint FROM actions a),
		(SELECT array_agg(coalesce(a.n, 0) ORDER BY t.minute)
			FROM generate_series(0, $10 - 1) AS t(minute)
				LEFT JOIN actions a ON a.minute = t.minute),
		m.nb_visits_anonymous, x.visits
	FROM (
		SELECT count(*) AS nb_visits,
			pk_tracking_internal.report_distinct(v.idvisitor::bigint) + count(*)
				FILTER (WHERE v.consent >= 2) AS nb_uniq_visitors,
			count(*) FILTER (WHERE v.visit_goal_converted = 1) AS nb_visits_converted,
			count(*) FILTER (WHERE v.consent >= 2) AS nb_visits_anonymous
		FROM visits v) m
		CROSS JOIN (
			SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
				{visit members}))
				ORDER BY v.visit_last_action_time DESC, v.idvisit DESC), '[]') AS visits
			FROM (SELECT v.* FROM visits v
				ORDER BY v.visit_last_action_time DESC, v.idvisit DESC LIMIT $11) v) x
	$report$, '{visit members}', pk_tracking_internal.report_visit_members())
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_live_query IS
	'text of the query of report_live(); does not run it';

CREATE FUNCTION pk_tracking.report_live(idsite integer, minutes integer DEFAULT 30,
	max_visits integer DEFAULT 10, at timestamptz DEFAULT NULL,
	visitors text DEFAULT 'all', filter text DEFAULT NULL)
RETURNS TABLE (local_time timestamp, nb_visits bigint, nb_uniq_visitors bigint,
	nb_visits_converted bigint, nb_actions bigint, actions_per_minute bigint[],
	nb_visits_anonymous bigint, visits jsonb)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	ends timestamptz;
	zone CONSTANT text := pk_tracking_internal.report_site(report_live.idsite);
	c record;
	s record;
BEGIN
	PERFORM pk_tracking_internal.report_instant('at', report_live.at);
	-- hits have whole seconds: that of now is included
	ends := date_trunc('second', coalesce(report_live.at, statement_timestamp())) + interval '1 s';
	PERFORM pk_tracking_internal.report_number('minutes', coalesce(report_live.minutes, 0), 1, 1440,
			'Without it the last 30 minutes are reported.'),
		pk_tracking_internal.report_number('max_visits', report_live.max_visits, 0, NULL,
			'NULL is all visits.');
	SELECT * INTO c FROM pk_tracking_internal.report_consents(report_live.visitors);
	SELECT * INTO s
		FROM pk_tracking_internal.report_statement(pk_tracking_internal.report_live_query(),
			report_live.idsite, report_live.filter, NULL);
	RETURN QUERY EXECUTE s.statement
		USING report_live.idsite, ends - make_interval(mins => report_live.minutes), ends,
			c.least_consent, c.greatest_consent, zone, (ends AT TIME ZONE zone)::date,
			(ends AT TIME ZONE zone)::date, s.filter_values, report_live.minutes,
			report_live.max_visits;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_live IS
	'visits that were active in the last minutes, actions in each of these minutes (the latest last), and the visits with the latest action; at: NULL for now; max_visits: NULL for all';
