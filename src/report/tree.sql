
-- ---------------------------------------------------------------------------
-- report/tree: pages by folder
-- ---------------------------------------------------------------------------

/*
 * One level of the tree of paths.  $10 is the folder: a path, of all hosts, or host
 * and path.  A folder's next step ends with a slash; a page is what is left of its
 * URL.  Slashes in a query are no folders.
 */
SELECT pk_tracking_internal.make_report('report_page_tree',
	'pages and folders in a folder of page URLs; folder: a path as /shop/, or with the host as www.example.org/shop/; path: the folder for the next call, or the page',
	'path text, is_folder boolean, nb_pages bigint, nb_hits bigint, nb_visits bigint,
	nb_uniq_visitors bigint, entry_nb_visits bigint, entry_bounce_count bigint,
	bounce_rate numeric, exit_nb_visits bigint, exit_rate numeric, sum_time_spent bigint,
	avg_time_on_page bigint, nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	WITH folder AS (
		SELECT rtrim(regexp_replace(coalesce($10, '/'), '^(https?://)?(www\.)?', ''), '/') || '/' AS path),
	step AS MATERIALIZED (
		SELECT s.idaction, s.path, s.is_folder,
			dense_rank() OVER (ORDER BY s.path, s.is_folder) AS n
		FROM (
			SELECT a.idaction, f.path || CASE WHEN p.rest ~ '^[^?#]*/'
					THEN split_part(p.rest, '/', 1) || '/' ELSE p.rest END AS path,
				p.rest ~ '^[^?#]*/' AS is_folder
			FROM folder f
				JOIN pk_tracking.log_action a ON a.idsite = $1 AND a.type = 1
				CROSS JOIN LATERAL (
					SELECT CASE WHEN left(f.path, 1) = '/'
						THEN regexp_replace(a.name, '^[^/?#]*/?', '/')
						ELSE regexp_replace(a.name, '^([^/?#]*)/?', '\1/') END AS name) u
				CROSS JOIN LATERAL (SELECT substr(u.name, length(f.path) + 1) AS rest) p
			WHERE starts_with(u.name, f.path)) s
		GROUP BY s.idaction, s.path, s.is_folder)
	SELECT k.path, k.is_folder, coalesce(m.nb_pages, 0), coalesce(m.nb_hits, 0),
		coalesce(m.nb_visits, 0), coalesce(least(m.nb_visits, m.nb_uniq_visitors), 0),
		coalesce(e.nb_visits, 0), coalesce(e.bounce_count, 0),
		round(coalesce(100.0 * e.bounce_count / e.nb_visits, 0), 1),
		coalesce(x.nb_visits, 0),
		round(coalesce(100.0 * x.nb_visits / greatest(m.nb_visits, x.nb_visits), 0), 1),
		coalesce(t.sum_time_spent, 0),
		coalesce(round(t.sum_time_spent::numeric / m.nb_hits), 0)::bigint,
		coalesce(m.nb_visits_anonymous, 0),
		round(coalesce(100.0 * m.nb_visits_anonymous / m.nb_visits, 0), 1)
	FROM (
		SELECT s.n, pk_tracking_internal.report_distinct(l.idaction_url) AS nb_pages,
			%5$s
		FROM pk_tracking.log_link_visit_action l JOIN step s ON s.idaction = l.idaction_url
		WHERE {actions l} AND %1$s
		GROUP BY s.n) m
		FULL JOIN (
			SELECT s.n, sum(c.nb_visits)::bigint AS nb_visits,
				sum(c.bounce_count)::bigint AS bounce_count
			FROM (
				SELECT v.visit_entry_idaction_url AS idaction, count(*) AS nb_visits,
					count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounce_count
				%3$s
				GROUP BY v.visit_entry_idaction_url) c JOIN step s USING (idaction)
			GROUP BY s.n) e USING (n)
		FULL JOIN (
			SELECT s.n, sum(c.nb_visits)::bigint AS nb_visits
			FROM (
				SELECT v.visit_exit_idaction_url AS idaction, count(*) AS nb_visits
				%4$s
				GROUP BY v.visit_exit_idaction_url) c JOIN step s USING (idaction)
			GROUP BY s.n) x USING (n)
		LEFT JOIN (
			SELECT s.n, sum(l.time_spent_ref_action) AS sum_time_spent
			FROM pk_tracking.log_link_visit_action l JOIN step s ON s.idaction = l.idaction_url_ref
			WHERE {actions l} AND %2$s
			GROUP BY s.n) t USING (n)
		JOIN (SELECT DISTINCT n, path, is_folder FROM step) k USING (n)
	ORDER BY coalesce(m.nb_hits, 0) DESC, k.path, k.is_folder
	$report$, r.is_page, r.before, pk_tracking_internal.report_page_visits('entry', 'url'),
		pk_tracking_internal.report_page_visits('exit', 'url'),
		pk_tracking_internal.action_metrics()),
	own_arguments => $arguments$folder text DEFAULT '/'$arguments$,
	rows => 100)
FROM pk_tracking_internal.report_page_keys() r
WHERE r.by = 'url';
