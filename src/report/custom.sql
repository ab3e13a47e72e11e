
-- ---------------------------------------------------------------------------
-- report/custom: custom dimensions of actions, custom variables
--
-- Visits without consent have neither.
-- ---------------------------------------------------------------------------

/*
 * The time spent on an action stands in the row of the visit's next one, which is
 * looked up: it may lie on another day, or not pass the filter.  Searches are left
 * out, as in Matomo.
 */
SELECT pk_tracking_internal.make_report(r.name, r.comment,
	r.result_columns || ', nb_hits bigint, nb_visits bigint, nb_uniq_visitors bigint,
	sum_time_spent bigint, avg_time_on_dimension bigint, bounce_count bigint,
	bounce_rate numeric, exit_nb_visits bigint, exit_rate numeric',
	pg_catalog.format($report$
	SELECT pk_tracking.plain_text($1, m.value)%1$s, m.nb_hits, m.nb_visits,
		least(m.nb_visits, m.nb_uniq_visitors),
		m.sum_time_spent,
		round(m.sum_time_spent::numeric / m.nb_hits)::bigint, m.bounce_count,
		round(100.0 * m.bounce_count / m.nb_visits, 1), m.exit_nb_visits,
		round(100.0 * m.exit_nb_visits / m.nb_visits, 1)
	FROM (
		SELECT l.custom_dimensions ->> $10::text AS value%2$s, count(*) AS nb_hits,
			pk_tracking_internal.report_distinct(l.idvisit) AS nb_visits,
			pk_tracking_internal.report_distinct(l.idvisitor::bigint) AS nb_uniq_visitors,
			coalesce(sum((SELECT n.time_spent_ref_action
				FROM pk_tracking.log_link_visit_action n
				WHERE n.idvisit = l.idvisit
					AND (n.server_time, n.idlink_va) > (l.server_time, l.idlink_va)
				ORDER BY n.server_time, n.idlink_va LIMIT 1)), 0) AS sum_time_spent,
			pk_tracking_internal.report_distinct(l.idvisit)
				FILTER (WHERE v.visit_total_actions <= 1) AS bounce_count,
			count(*) FILTER (WHERE v.last_idlink_va = l.idlink_va) AS exit_nb_visits
		FROM pk_tracking.log_link_visit_action l
			JOIN pk_tracking.log_visit v ON v.idvisit = l.idvisit
				-- so that the visits of other times are not read
				AND v.visit_first_action_time >= $2 - {longest visit}
				AND v.visit_first_action_time < $3 + {longest visit}
			%3$s
		WHERE {actions l} AND l.idaction_url IS NOT NULL
			AND l.custom_dimensions ->> $10::text IS NOT NULL
		GROUP BY 1%4$s) m
	ORDER BY m.nb_hits DESC, m.value%1$s
	$report$, r.name_column, r.key, r.names, r.further_group),
	own_arguments => 'dimension integer',
	checks => pg_catalog.replace($checks$
	IF NOT EXISTS (SELECT FROM pk_tracking.custom_dimension d
		WHERE d.idsite = r.idsite AND d.iddimension = REPORT.dimension AND d.scope = 'action') THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('site %s has no custom dimension %s of actions', r.idsite,
				coalesce(REPORT.dimension::text, 'NULL')),
			hint => 'Custom dimensions of actions are in the table pk_tracking.custom_dimension.');
	END IF;
	$checks$, 'REPORT', r.name),
	rows => 1000)
FROM (VALUES
	('report_action_dimension',
		'actions by the value of a custom dimension of actions, with seconds until the next action, bounces and exits',
		'value text', '', '', '', ''),
	('report_action_dimension_urls',
		'report_action_dimension() by value and URL, without scheme and www., of the page, file or link',
		'value text, url text', ', m.url', ', p.url',
		-- a page, an event on it and content of it have numbers of their own
		$names$LEFT JOIN (
				SELECT a.idaction, min(regexp_replace(a.name, '^https?://(www\.)?', '')) AS url
				FROM pk_tracking.log_action a
				WHERE a.idsite = $1 AND a.type IN (1, 2, 3, 10, 13)
				GROUP BY a.idaction) p ON p.idaction = l.idaction_url$names$, ', 2')
) AS r(name, comment, result_columns, name_column, key, names, further_group);

SELECT pk_tracking_internal.make_report('report_custom_variables',
	'custom variables of scope visit and page by name and value; nb_actions: actions of these visits, or those that sent the variable',
	'scope text, name text, value text, nb_visits bigint, nb_uniq_visitors bigint,
	nb_actions bigint',
	$report$
	SELECT m.scope, pk_tracking.plain_text($1, m.name), pk_tracking.plain_text($1, m.value),
		m.nb_visits, least(m.nb_visits, m.nb_uniq_visitors), m.nb_actions
	FROM (
		SELECT 'visit' AS scope, c.pair ->> 0 AS name, c.pair ->> 1 AS value,
			pk_tracking_internal.report_distinct(v.idvisit) AS nb_visits,
			pk_tracking_internal.report_distinct(v.idvisitor::bigint) AS nb_uniq_visitors,
			sum(v.visit_total_actions) AS nb_actions
		FROM pk_tracking.log_visit v
			CROSS JOIN LATERAL (SELECT DISTINCT e.value
				FROM jsonb_each(v.custom_variables) e) AS c(pair)
		WHERE {visits v} AND v.custom_variables IS NOT NULL
		GROUP BY 2, 3
		UNION ALL
		SELECT 'page', c.pair ->> 0, c.pair ->> 1,
			pk_tracking_internal.report_distinct(l.idvisit),
			pk_tracking_internal.report_distinct(l.idvisitor::bigint), count(*)
		FROM pk_tracking.log_link_visit_action l
			CROSS JOIN LATERAL (SELECT DISTINCT e.value
				FROM jsonb_each(l.custom_variables) e) AS c(pair)
		WHERE {actions l} AND l.custom_variables IS NOT NULL
		GROUP BY 2, 3) m
	ORDER BY m.scope DESC, m.nb_visits DESC, m.name, m.value
	$report$,
	rows => 1000);
