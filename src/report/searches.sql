
-- ---------------------------------------------------------------------------
-- report/searches: site searches by keyword and category, and without results
-- ---------------------------------------------------------------------------

SELECT pk_tracking_internal.make_report('report_searches',
	'site searches by keyword, with the time spent on their results and the visits that ended there; nb_no_result: number of searches without results',
	'keyword text, nb_hits bigint, nb_no_result bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_pages_per_search numeric, sum_time_spent bigint,
	avg_time_on_page bigint, exit_nb_visits bigint, exit_rate numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_no_result::bigint, m.nb_visits,
		least(m.nb_visits, m.nb_uniq_visitors),
		round(m.nb_hits::numeric / m.nb_visits, 1), coalesce(t.sum_time_spent, 0),
		coalesce(round(t.sum_time_spent::numeric / m.nb_hits), 0)::bigint,
		coalesce(x.exit_nb_visits, 0),
		-- a filter on actions can leave a visit its exit and none of its searches
		round(coalesce(100.0 * x.exit_nb_visits / greatest(m.nb_visits, x.exit_nb_visits), 0), 1),
		m.nb_visits_anonymous, round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM {rollup searches} (%1$s) {end of rollup} m
		LEFT JOIN {from rollups} (
			SELECT c.k1, c.sum_time_spent FROM {counts of time_by_search} c)
			{or from the log} (
			-- a search is the name of the action before, without a page
			SELECT l.idaction_name_ref AS k1, sum(l.time_spent_ref_action) AS sum_time_spent
			FROM pk_tracking.log_link_visit_action l
			WHERE {actions l} AND coalesce(l.idaction_url_ref, 0) = 0 AND l.idaction_name_ref <> 0
			GROUP BY l.idaction_name_ref) {end of rollups} t USING (k1)
		LEFT JOIN {from rollups} (
			SELECT c.k1, c.nb_visits AS exit_nb_visits FROM {counts of exits_by_title} c)
			{or from the log} (
			SELECT v.visit_exit_idaction_name AS k1, count(*) AS exit_nb_visits
			%2$s AND v.visit_exit_idaction_name IN (SELECT a.idaction
				FROM pk_tracking.log_action a WHERE a.idsite = $1 AND a.type = 8)
			GROUP BY v.visit_exit_idaction_name) {end of rollups} x USING (k1)
		CROSS JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.k1 AND a.type = 8 LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, pk_tracking_internal.action_counts('{l.idaction_name}',
		'l.idaction_url IS NULL AND l.idaction_name <> 0',
		'nb_no_result count(*) FILTER (WHERE l.search_count = 0)'),
		pk_tracking_internal.report_page_visits('exit', 'title')),
	rows => 1000);

SELECT pk_tracking_internal.make_report('report_search_categories',
	'site searches by category; searches without one are left out',
	'category text, nb_hits bigint, nb_no_result bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_pages_per_search numeric, nb_visits_anonymous bigint,
	anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT pk_tracking.plain_text($1, m.search_cat), m.nb_hits, m.nb_no_result, m.nb_visits,
		least(m.nb_visits, m.nb_uniq_visitors),
		round(m.nb_hits::numeric / m.nb_visits, 1), m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM {from rollups} (SELECT c.k1 AS search_cat, c.* FROM {counts of search_categories} c)
		{or from the log} (
		SELECT l.search_cat, count(*) FILTER (WHERE l.search_count = 0) AS nb_no_result,
			%s
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND l.search_cat <> ''
		GROUP BY l.search_cat) {end of rollups} m
	ORDER BY m.nb_hits DESC, m.search_cat
	$report$, pk_tracking_internal.action_metrics()));

SELECT pk_tracking_internal.make_report('report_searches_without_results',
	'keywords of site searches that found nothing; no_result_rate: of all searches for the keyword',
	'keyword text, nb_no_result bigint, nb_hits bigint, no_result_rate numeric,
	nb_visits bigint, nb_uniq_visitors bigint, nb_visits_anonymous bigint,
	anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT pk_tracking.plain_text($1, n.name), m.nb_hits, m.nb_all_hits, round(100.0 * m.nb_hits / m.nb_all_hits, 1),
		m.nb_visits, least(m.nb_visits, m.nb_uniq_visitors), m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM {from rollups} (
		SELECT n.k1 AS idaction_name, s.nb_hits AS nb_all_hits, n.nb_hits, n.nb_visits,
			n.nb_uniq_visitors, n.nb_visits_anonymous
		FROM {counts of searches_without_results} n JOIN {counts of searches} s USING (k1))
		{or from the log} (
		SELECT l.idaction_name, count(*) AS nb_all_hits,
			%s
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND l.idaction_url IS NULL AND l.idaction_name <> 0
		GROUP BY l.idaction_name
		HAVING count(*) FILTER (WHERE l.search_count = 0) > 0) {end of rollups} m
		CROSS JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_name AND a.type = 8 LIMIT 1) n
	ORDER BY m.nb_hits DESC, n.name
	$report$, pk_tracking_internal.action_metrics('l.search_count = 0')),
	rows => 1000);
