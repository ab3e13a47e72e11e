
-- ---------------------------------------------------------------------------
-- report/searches: categories of site searches, searches without results
--
-- report/actions has the keywords.
-- ---------------------------------------------------------------------------

SELECT pk_tracking_internal.make_report('report_search_categories',
	'site searches by category; searches without one are left out',
	'category text, nb_hits bigint, nb_no_result bigint, nb_visits bigint,
	nb_uniq_visitors bigint, nb_pages_per_search numeric, nb_visits_anonymous bigint,
	anonymous_rate numeric',
	$report$
	SELECT pk_tracking.plain_text($1, m.search_cat), m.nb_hits, m.nb_no_result, m.nb_visits, m.nb_uniq_visitors,
		round(m.nb_hits::numeric / m.nb_visits, 1), m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM (
		SELECT l.search_cat, count(*) AS nb_hits,
			count(*) FILTER (WHERE l.search_count = 0) AS nb_no_result,
			count(DISTINCT l.idvisit) AS nb_visits,
			count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit)
				FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
			count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND l.search_cat <> ''
		GROUP BY l.search_cat) m
	ORDER BY m.nb_hits DESC, m.search_cat
	$report$);

SELECT pk_tracking_internal.make_report('report_searches_without_results',
	'keywords of site searches that found nothing; no_result_rate: of all searches for the keyword',
	'keyword text, nb_no_result bigint, nb_hits bigint, no_result_rate numeric,
	nb_visits bigint, nb_uniq_visitors bigint, nb_visits_anonymous bigint,
	anonymous_rate numeric',
	$report$
	SELECT pk_tracking.plain_text($1, n.name), m.nb_no_result, m.nb_hits, round(100.0 * m.nb_no_result / m.nb_hits, 1),
		m.nb_visits, m.nb_uniq_visitors, m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM (
		SELECT l.idaction_name, count(*) AS nb_hits,
			count(*) FILTER (WHERE l.search_count = 0) AS nb_no_result,
			count(DISTINCT l.idvisit) FILTER (WHERE l.search_count = 0) AS nb_visits,
			count(DISTINCT l.idvisitor) FILTER (WHERE l.search_count = 0)
				+ count(DISTINCT l.idvisit)
					FILTER (WHERE l.search_count = 0 AND l.consent >= 2) AS nb_uniq_visitors,
			count(DISTINCT l.idvisit)
				FILTER (WHERE l.search_count = 0 AND l.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND l.idaction_url IS NULL AND l.idaction_name <> 0
		GROUP BY l.idaction_name
		HAVING count(*) FILTER (WHERE l.search_count = 0) > 0) m
		CROSS JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_name AND a.type = 8 LIMIT 1) n
	ORDER BY m.nb_no_result DESC, n.name
	$report$,
	rows => 1000);
