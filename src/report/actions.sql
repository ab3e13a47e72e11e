
-- ---------------------------------------------------------------------------
-- report/actions: pages, titles, downloads, outlinks, searches, events
--
-- An action belongs to the local day of its own time.
-- ---------------------------------------------------------------------------

/*
 * The time spent on a page is stored in the rows of the next actions.  A view
 * without a title counts for 0, which shows as NULL: its row has 0 or NULL there,
 * as have clicks on links and content, so the URL must be a page's.
 */
SELECT pk_tracking_internal.make_report(r.name, r.comment,
	pg_catalog.format('%s text, nb_hits bigint, nb_visits bigint, nb_uniq_visitors bigint,
	sum_time_spent bigint, avg_time_on_page bigint, nb_visits_anonymous bigint,
	anonymous_rate numeric', r.result_column),
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors, coalesce(t.sum_time_spent, 0),
		round(coalesce(t.sum_time_spent, 0)::numeric / m.nb_hits)::bigint,
		m.nb_visits_anonymous, round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM (%1$s) m
		LEFT JOIN (
			SELECT %2$s AS k1, sum(l.time_spent_ref_action)::bigint AS sum_time_spent
			FROM pk_tracking.log_link_visit_action l
			WHERE {actions l} AND l.time_spent_ref_action <> 0
			GROUP BY 1) t USING (k1)
		CROSS JOIN LATERAL (%3$s) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, pk_tracking_internal.action_counts(ARRAY[r.here], r.condition), r.before, r.names),
	rows => 1000)
FROM (VALUES
	('report_pages', 'page views by URL; sum_time_spent: seconds until the next action',
		'url', 'l.idaction_url', 'l.idaction_url <> 0', 'l.idaction_url_ref',
		$$SELECT pk_tracking.plain_text($1,
			pk_tracking.url_prefix_text(a.url_prefix) || a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k1 AND a.type = 1 LIMIT 1$$),
	('report_titles',
		'page views by title, NULL if they had none; sum_time_spent: seconds until the next action',
		'title', 'coalesce(l.idaction_name, 0)', $$(l.idaction_name <> 0
			OR l.idaction_event_category IS NULL AND l.idaction_content_name IS NULL
				AND EXISTS (SELECT FROM pk_tracking.log_action a WHERE a.idsite = $1
					AND a.idaction = l.idaction_url AND a.type = 1))$$,
		$$CASE WHEN l.idaction_name_ref <> 0 OR l.idaction_url_ref <> 0
			THEN coalesce(l.idaction_name_ref, 0) END$$,
		$$SELECT pk_tracking.plain_text($1, a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k1 AND a.type = 4
			UNION ALL SELECT NULL WHERE m.k1 = 0
			LIMIT 1$$)
) AS r(name, comment, result_column, here, condition, before, names);

SELECT pk_tracking_internal.make_report(r.name, r.comment,
	'url text, nb_hits bigint, nb_visits bigint, nb_uniq_visitors bigint,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors,
		m.nb_visits_anonymous, round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM (%s) m
		CROSS JOIN LATERAL (SELECT pk_tracking.plain_text($1,
			pk_tracking.url_prefix_text(a.url_prefix) || a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k1 LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, pk_tracking_internal.action_counts('{l.idaction_url}',
		pg_catalog.format('l.idaction_url IN (SELECT a.idaction FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.type = %s)', r.action_type))),
	rows => 1000)
FROM (VALUES
	('report_downloads', 'downloads by URL', 3),
	('report_outlinks', 'clicks on links to other websites by URL', 2)
) AS r(name, comment, action_type);

SELECT pk_tracking_internal.make_report('report_searches',
	'site searches by keyword; nb_no_result: number of searches without results',
	'keyword text, nb_hits bigint, nb_no_result bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_no_result::bigint, m.nb_visits, m.nb_uniq_visitors,
		m.nb_visits_anonymous, round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM (%s) m
		CROSS JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k1 AND a.type = 8 LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, pk_tracking_internal.action_counts('{l.idaction_name}',
		'l.idaction_url IS NULL AND l.idaction_name <> 0',
		'nb_no_result sum coalesce((l.search_count = 0)::integer, 0)')),
	rows => 1000);

SELECT pk_tracking_internal.make_report('report_events',
	'events by category, action and name; name is NULL if none was sent',
	'category text, action text, name text, nb_events bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_events_with_value bigint, sum_event_value numeric,
	min_event_value numeric, max_event_value numeric, avg_event_value numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT ec.name, ea.name, en.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors,
		m.nb_events_with_value::bigint,
		m.sum_event_value, m.min_event_value, m.max_event_value,
		round(m.sum_event_value / nullif(m.nb_events_with_value, 0), 2),
		m.nb_visits_anonymous, round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM (%s) m
		LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k1 LIMIT 1) ec ON true
		LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k2 LIMIT 1) ea ON true
		LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k3 LIMIT 1) en ON true
	ORDER BY m.nb_hits DESC, ec.name, ea.name, en.name
	$report$, pk_tracking_internal.action_counts(
		'{l.idaction_event_category, "coalesce(l.idaction_event_action, 0)",
			"coalesce(l.idaction_name, 0)"}',
		'l.idaction_event_category IS NOT NULL',
		'nb_events_with_value sum (l.custom_float IS NOT NULL)::integer',
		'sum_event_value sum l.custom_float', 'min_event_value min l.custom_float',
		'max_event_value max l.custom_float')),
	rows => 1000);
