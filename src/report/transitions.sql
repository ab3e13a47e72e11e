
-- ---------------------------------------------------------------------------
-- report/transitions: what came before a page and what came after it
-- ---------------------------------------------------------------------------

/*
 * The query of report_transitions(), for a page by URL ($10) or by title ($11).
 *
 * Before a view stands what the log has as its previous page, URL or title: the page
 * itself (a reload), another, a search, or nothing where it began the visit: then the
 * visit's referrer counts.  What came after are the views, searches and clicks that
 * have the page as their previous one, and exits.  An event in between changes
 * nothing.
 *
 * Under piwik rules all that is by time, but for the first page or search of a visit
 * that a late one stands before: the log leaves it without a previous page
 * (log/neighbours.c).  Here the latest one before it comes before it, and the visit's
 * referrer before the earliest.  Under matomo rules what came late has a previous page,
 * so that it is none of those.
 */
CREATE FUNCTION pk_tracking_internal.report_transitions_query(by text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($query$
	WITH this AS MATERIALIZED (
		SELECT coalesce(array_agg(DISTINCT a.idaction), '{}') AS ids
		FROM pk_tracking.log_action a
		WHERE a.idsite = $1 AND %5$s),
	early AS MATERIALIZED (
		SELECT v.idvisit, e.idlink_va AS first, b.idlink_va AS began,
			p.idaction_url AS idaction_url_ref, p.idaction_name AS idaction_name_ref
		FROM pk_tracking.log_link_visit_action e
			JOIN pk_tracking.log_visit v ON v.idvisit = e.idvisit AND v.idsite = $1
				AND v.visit_first_action_time > e.server_time AND v.visit_total_interactions > 1
				AND v.visit_first_action_time >= $2 AND v.visit_first_action_time < $3 + %9$s
			CROSS JOIN LATERAL (SELECT l.idlink_va FROM pk_tracking.log_link_visit_action l
				WHERE l.idvisit = v.idvisit AND l.server_time = v.visit_first_action_time
					AND l.idaction_url_ref = 0 AND l.idaction_name_ref = 0 AND %10$s
				ORDER BY l.idlink_va LIMIT 1) b
			CROSS JOIN LATERAL (SELECT l.idaction_url, l.idaction_name
				FROM pk_tracking.log_link_visit_action l
				WHERE l.idvisit = v.idvisit AND l.server_time < v.visit_first_action_time AND %10$s
				ORDER BY l.server_time DESC, l.idlink_va DESC LIMIT 1) p
		WHERE e.idsite = $1 AND e.server_time >= $2 - %9$s AND e.server_time < $3
			AND e.idaction_url_ref = 0 AND e.idaction_name_ref = 0 AND %11$s),
	views AS (
		SELECT l.*, coalesce(l.idaction_%1$s_ref = ANY (this.ids), false) AS reload
		FROM this, (
			SELECT CASE WHEN y.began IS NULL THEN l.idaction_url_ref
					ELSE y.idaction_url_ref END AS idaction_url_ref,
				CASE WHEN y.began IS NULL THEN l.idaction_name_ref
					ELSE y.idaction_name_ref END AS idaction_name_ref, l.consent
			FROM pk_tracking.log_link_visit_action l LEFT JOIN early y ON y.began = l.idlink_va
			WHERE {actions l} AND %3$s
				AND l.idaction_%1$s = ANY ((SELECT ids FROM this)::bigint[])) l),
	steps AS (
		SELECT 1 AS side, NULL::bigint AS idaction, 'views' AS kind, NULL AS name,
			count(*) AS nb, count(*) FILTER (WHERE l.consent >= 2) AS anonymous
		FROM views l
		UNION ALL
		-- 0 stands for no page, so a search that began the visit is found by its keyword
		SELECT 2, CASE WHEN l.reload THEN NULL
				WHEN coalesce(l.idaction_url_ref, 0) = 0 THEN l.idaction_name_ref
				ELSE l.idaction_%1$s_ref END,
			CASE WHEN l.reload THEN 'reload' END, NULL,
			count(*), count(*) FILTER (WHERE l.consent >= 2)
		FROM views l
		WHERE l.idaction_url_ref IS NULL OR l.idaction_url_ref <> 0 OR l.idaction_name_ref <> 0
		GROUP BY 2, 3
		UNION ALL
		SELECT 2, NULL, coalesce(pk_tracking.referrer_type_name(v.referer_type), 'unknown'),
			nullif(v.referer_name, ''), count(*), count(*) FILTER (WHERE v.consent >= 2)
		%6$s AND v.visit_entry_idaction_%1$s = ANY ((SELECT ids FROM this)::bigint[])
			AND NOT EXISTS (SELECT FROM early y WHERE y.idvisit = v.idvisit)
		GROUP BY 3, 4
		UNION ALL
		SELECT 2, NULL, coalesce(pk_tracking.referrer_type_name(v.referer_type), 'unknown'),
			nullif(v.referer_name, ''), count(*), count(*) FILTER (WHERE l.consent >= 2)
		FROM early y
			JOIN pk_tracking.log_link_visit_action l ON l.idvisit = y.idvisit AND l.idlink_va = y.first
			JOIN pk_tracking.log_visit v ON v.idvisit = y.idvisit
		WHERE {actions l} AND %3$s AND l.idaction_%1$s = ANY ((SELECT ids FROM this)::bigint[])
		GROUP BY 3, 4
		UNION ALL
		SELECT 3, CASE WHEN l.reload THEN NULL WHEN l.idaction_url IS NULL THEN l.idaction_name
				%8$s ELSE l.idaction_url END,
			CASE WHEN l.reload THEN 'reload' END, NULL,
			count(*), count(*) FILTER (WHERE l.consent >= 2)
		FROM (
			SELECT l.idaction_url, l.idaction_name, l.consent,
				coalesce(l.idaction_%1$s = ANY (this.ids), false) AS reload
			FROM pk_tracking.log_link_visit_action l, this
			WHERE {actions l} AND %4$s AND l.idaction_%1$s_ref = ANY (this.ids)
				AND l.idaction_event_category IS NULL AND l.idaction_content_name IS NULL
			UNION ALL
			SELECT l.idaction_url, l.idaction_name, l.consent,
				coalesce(l.idaction_%1$s = ANY (this.ids), false)
			FROM early y JOIN pk_tracking.log_link_visit_action l
				ON l.idvisit = y.idvisit AND l.idlink_va = y.began, this
			WHERE {actions l} AND y.idaction_%1$s_ref = ANY (this.ids)) l
		GROUP BY 2, 3
		UNION ALL
		SELECT 3, NULL, 'exit', NULL, count(*), count(*) FILTER (WHERE v.consent >= 2)
		%7$s AND v.visit_exit_idaction_%1$s = ANY ((SELECT ids FROM this)::bigint[])
		HAVING count(*) > 0)
	SELECT (ARRAY['page', 'before', 'after'])[s.side], coalesce(s.kind, n.kind, 'page'),
		CASE WHEN s.side = 1 THEN coalesce($10, $11) ELSE coalesce(s.name, n.name) END, s.nb,
		round(100 * s.nb / sum(s.nb) OVER (PARTITION BY s.side), 1), s.anonymous,
		round(100.0 * s.anonymous / s.nb, 1)
	FROM steps s
		LEFT JOIN LATERAL (
			SELECT CASE WHEN a.type IN (4, 8) THEN pk_tracking.plain_text($1, a.name)
					ELSE pk_tracking.url_prefix_text(a.url_prefix) || a.name END AS name,
				CASE a.type WHEN 2 THEN 'outlink' WHEN 3 THEN 'download' WHEN 8 THEN 'search' END AS kind
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = s.idaction LIMIT 1) n ON true
	WHERE s.nb > 0
	ORDER BY s.side, s.nb DESC, 2, 3$query$,
		k.key, NULL, k.is_page, k.before,
		CASE by WHEN 'url' THEN
			$c$a.type = 1 AND a.name = regexp_replace($10, '^(https?://)?(www\.)?', '')$c$
			ELSE 'a.type = 4 AND pk_tracking.plain_text($1, a.name) = $11' END,
		pk_tracking_internal.report_page_visits('entry', by), pk_tracking_internal.report_page_visits('exit', by),
		-- a view counts by its title, a click has no name
		CASE by WHEN 'title' THEN 'WHEN l.idaction_name IS NOT NULL THEN l.idaction_name' ELSE '' END,
		'make_interval(secs => (SELECT greatest(max(n.seconds), 86400) '
			'FROM pk_tracking.log_visit_length n WHERE n.idsite = $1))',
		i.is_interaction, replace(i.is_interaction, 'l.', 'e.'))
	FROM pk_tracking_internal.report_page_keys() k,
		-- page views and searches
		(VALUES ('l.idaction_name IS NOT NULL AND l.idaction_event_category IS NULL '
			'AND l.idaction_content_name IS NULL')) AS i(is_interaction)
	WHERE k.by = report_transitions_query.by
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_transitions_query IS
	'text of the query of report_transitions(); does not run it';

SELECT pk_tracking_internal.make_report('report_transitions',
	'what visitors did before and after they viewed a page, given by url or title: previous pages, searches, referrers of visits that began there; next pages, searches, downloads, outlinks, exits; rate: of the rows of the same side',
	'side text, kind text, name text, nb_hits bigint, rate numeric, nb_hits_anonymous bigint,
	anonymous_rate numeric',
	$report$EXECUTE pk_tracking_internal.report_transitions_query(
		CASE WHEN report_transitions.title IS NULL THEN 'url' ELSE 'title' END)$report$,
	own_arguments => 'url text DEFAULT NULL, title text DEFAULT NULL',
	checks => $checks$
	IF num_nonnulls(report_transitions.url, report_transitions.title) <> 1 THEN
		PERFORM pk_tracking_internal.report_error(
			message => 'exactly one of "url" and "title" must be specified',
			hint => 'Pass the page''s url, such as ''https://www.example.org/'', or title => its title.');
	END IF;
	$checks$);
