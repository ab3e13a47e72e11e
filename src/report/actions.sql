
-- ---------------------------------------------------------------------------
-- report/actions: downloads, outlinks, events
--
-- An action belongs to the local day of its own time.
-- ---------------------------------------------------------------------------

SELECT pk_tracking_internal.make_report(r.name, r.comment,
	'url text, nb_hits bigint, nb_visits bigint, nb_uniq_visitors bigint,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_visits, least(m.nb_visits, m.nb_uniq_visitors),
		m.nb_visits_anonymous, round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM {rollup %s} (%s) {end of rollup} m
		CROSS JOIN LATERAL (SELECT pk_tracking.plain_text($1,
			pk_tracking.url_prefix_text(a.url_prefix) || a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k1 LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, r.kind, pk_tracking_internal.action_counts('{l.idaction_url}',
		pg_catalog.format('l.idaction_url IN (SELECT a.idaction FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.type = %s)', r.action_type))),
	rows => 1000)
FROM (VALUES
	('report_downloads', 'downloads', 'downloads by URL', 3),
	('report_outlinks', 'outlinks', 'clicks on links to other websites by URL', 2)
) AS r(name, kind, comment, action_type);

SELECT pk_tracking_internal.make_report('report_events',
	'events by category, action and name; name is NULL if none was sent',
	'category text, action text, name text, nb_events bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_events_with_value bigint, sum_event_value numeric,
	min_event_value numeric, max_event_value numeric, avg_event_value numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT ec.name, ea.name, en.name, m.nb_hits, m.nb_visits,
		least(m.nb_visits, m.nb_uniq_visitors),
		m.nb_events_with_value::bigint,
		m.sum_event_value, m.min_event_value, m.max_event_value,
		round(m.sum_event_value / nullif(m.nb_events_with_value, 0), 2),
		m.nb_visits_anonymous, round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM {rollup events} (%s) {end of rollup} m
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
		'nb_events_with_value count(l.custom_float)',
		'sum_event_value sum(l.custom_float)', 'min_event_value min(l.custom_float)',
		'max_event_value max(l.custom_float)')),
	rows => 1000);
