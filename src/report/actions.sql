
-- ---------------------------------------------------------------------------
-- report/actions: pages, titles, downloads, outlinks, searches, events
--
-- An action belongs to the local day of its own time.  Each anonymous visit counts
-- as a visitor.
-- ---------------------------------------------------------------------------

/*
 * The time spent on a page is stored in the rows of the next actions, so one pass
 * counts every row twice: for its page and for the previous page.
 */
SELECT pk_tracking_internal.make_report(r.name, r.comment,
	pg_catalog.format('%s text, nb_hits bigint, nb_visits bigint, nb_uniq_visitors bigint,
	sum_time_spent bigint, avg_time_on_page bigint, nb_visits_anonymous bigint,
	anonymous_rate numeric', r.result_column),
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors, m.sum_time_spent,
		coalesce(round(m.sum_time_spent::numeric / nullif(m.nb_visits, 0)), 0)::bigint,
		m.nb_visits_anonymous,
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
	FROM (
		SELECT x.idaction,
			count(*) FILTER (WHERE x.here) AS nb_hits,
			count(DISTINCT l.idvisit) FILTER (WHERE x.here) AS nb_visits,
			count(DISTINCT l.idvisitor) FILTER (WHERE x.here)
				+ count(DISTINCT l.idvisit)
					FILTER (WHERE x.here AND l.consent >= 2) AS nb_uniq_visitors,
			coalesce(sum(l.time_spent_ref_action) FILTER (WHERE NOT x.here), 0) AS sum_time_spent,
			count(DISTINCT l.idvisit)
				FILTER (WHERE x.here AND l.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_link_visit_action l
			CROSS JOIN LATERAL (VALUES (l.%1$s, true), (l.%1$s_ref, false)) AS x(idaction, here)
		WHERE {actions l}
			AND x.idaction <> 0
		GROUP BY x.idaction
		HAVING count(*) FILTER (WHERE x.here) > 0) m
		CROSS JOIN LATERAL (SELECT %2$s AS name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction AND a.type = %3$s LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, r.action_column, r.name_of_action, r.action_type),
	rows => 1000)
FROM (VALUES
	('report_pages', 'page views by URL; sum_time_spent: seconds until the next action',
		'url', 'idaction_url', 'pk_tracking.url_prefix_text(a.url_prefix) || a.name', 1),
	('report_titles', 'page views by title; sum_time_spent: seconds until the next action',
		'title', 'idaction_name', 'a.name', 4)
) AS r(name, comment, result_column, action_column, name_of_action, action_type);

SELECT pk_tracking_internal.make_report(r.name, r.comment,
	'url text, nb_hits bigint, nb_visits bigint, nb_uniq_visitors bigint,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors,
		m.nb_visits_anonymous,
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
	FROM (
		SELECT l.idaction_url, count(*) AS nb_hits,
			count(DISTINCT l.idvisit) AS nb_visits,
			count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit)
				FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
			count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l}
			AND l.idaction_url <> 0
		GROUP BY l.idaction_url) m
		CROSS JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_url AND a.type = %s LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, r.action_type),
	rows => 1000)
FROM (VALUES
	('report_downloads', 'downloads by URL', 3),
	('report_outlinks', 'clicks on links to other websites by URL', 2)
) AS r(name, comment, action_type);

SELECT pk_tracking_internal.make_report('report_searches',
	'site searches by keyword; nb_no_result: number of searches without results',
	'keyword text, nb_hits bigint, nb_no_result bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_visits_anonymous bigint, anonymous_rate numeric',
	$report$
	SELECT n.name, m.nb_hits, m.nb_no_result, m.nb_visits, m.nb_uniq_visitors,
		m.nb_visits_anonymous,
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
	FROM (
		SELECT l.idaction_name, count(*) FILTER (WHERE l.search_count = 0) AS nb_no_result,
			count(*) AS nb_hits,
			count(DISTINCT l.idvisit) AS nb_visits,
			count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit)
				FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
			count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l}
			AND l.idaction_url IS NULL AND l.idaction_name <> 0
		GROUP BY l.idaction_name) m
		CROSS JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_name AND a.type = 8 LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$,
	rows => 1000);

SELECT pk_tracking_internal.make_report('report_events',
	'events by category, action and name; name is NULL if none was sent',
	'category text, action text, name text, nb_events bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_events_with_value bigint, sum_event_value numeric,
	min_event_value numeric, max_event_value numeric, avg_event_value numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	$report$
	SELECT ec.name, ea.name, en.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors,
		m.nb_events_with_value,
		m.sum_event_value, m.min_event_value, m.max_event_value,
		round(m.sum_event_value / nullif(m.nb_events_with_value, 0), 2),
		m.nb_visits_anonymous,
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
	FROM (
		SELECT l.idaction_event_category, l.idaction_event_action,
			nullif(l.idaction_name, 0) AS idaction_name,
			count(*) AS nb_hits,
			count(DISTINCT l.idvisit) AS nb_visits,
			count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit)
				FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
			count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous,
			count(l.custom_float) AS nb_events_with_value,
			sum(l.custom_float) AS sum_event_value, min(l.custom_float) AS min_event_value,
			max(l.custom_float) AS max_event_value
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l}
			AND l.idaction_event_category IS NOT NULL
		GROUP BY l.idaction_event_category, l.idaction_event_action, nullif(l.idaction_name, 0)) m
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_event_category LIMIT 1) ec ON true
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_event_action LIMIT 1) ea ON true
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_name LIMIT 1) en ON true
	ORDER BY m.nb_hits DESC, ec.name, ea.name, en.name
	$report$,
	rows => 1000);
