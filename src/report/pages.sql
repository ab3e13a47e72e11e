
-- ---------------------------------------------------------------------------
-- report/pages: pages by URL or title: views, entries, exits, time, performance
--
-- A view belongs to the local day of its own time; an entry or an exit to that of
-- the view with which the visit began or ended, so that no more visits leave a page
-- on a day than have viewed it.  Each anonymous visit counts as a visitor.
-- ---------------------------------------------------------------------------

/*
 * A relation m(at): the time of the view with which the visit v began or ended, no
 * earlier than the visit and no later: a hit that came late may be.
 */
CREATE FUNCTION pk_tracking_internal.report_page_moment(side text, by text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($query$(
					SELECT least(greatest(%3$s(l.server_time), v.visit_first_action_time),
						v.visit_last_action_time)
					FROM pk_tracking.log_link_visit_action l
					WHERE l.idvisit = v.idvisit AND l.idaction_%2$s = v.visit_%1$s_idaction_%2$s
						AND l.idaction_event_category IS NULL) AS m(at)$query$,
		side, CASE by WHEN 'url' THEN 'url' ELSE 'name' END,
		CASE side WHEN 'entry' THEN 'min' ELSE 'max' END)
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_page_moment IS
	'part of a query: when a visit entered or left; does not run it';

/*
 * FROM and WHERE over the visits v whose first or last page view (side: entry or
 * exit) lies in the period; by: url or title.  Of the few visits that reach beyond
 * the period the view is looked up, in a query of its own that reads the days around
 * its begin and end: as a condition on every visit it would make the planner think
 * that each of them is looked up.
 */
CREATE FUNCTION pk_tracking_internal.report_page_visits(side text, by text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($query$
		FROM pk_tracking.log_visit v
		WHERE {acting visits v}
			AND v.visit_%1$s_idaction_%2$s IS NOT NULL AND (v.visit_%1$s_idaction_%2$s <> 0%3$s)
			AND (v.visit_first_action_time >= $2 AND v.visit_last_action_time < $3
				OR v.idvisit IN (
					SELECT v.idvisit
					FROM pk_tracking.log_visit v
					WHERE v.idsite = $1 AND v.visit_last_action_time >= $2
						AND (v.visit_first_action_time < $2
								AND v.visit_first_action_time >= $2 - {longest visit}
							OR v.visit_last_action_time >= $3
								AND v.visit_first_action_time < $3
								AND v.visit_first_action_time >= $3 - {longest visit})
						AND (SELECT m.at >= $2 AND m.at < $3 FROM %4$s)))$query$,
		side, CASE by WHEN 'url' THEN 'url' ELSE 'name' END,
		-- an untitled page: a search has a keyword there
		CASE by WHEN 'title' THEN format(' OR v.visit_%s_idaction_url <> 0', side) ELSE '' END,
		pk_tracking_internal.report_page_moment(side, by))
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_page_visits IS
	'part of a query: the visits whose entry or exit lies in the period; does not run it';

/*
 * What a page is, by URL or by title.  key: the part of the names of columns;
 * is_page: over an action l, whether it is a view with a key; before: over an action
 * l, whether a page with a key came before it; name: joins n, the name of idaction.
 * A view without a title has the key 0 and the name NULL; one without a URL has none.
 */
CREATE FUNCTION pk_tracking_internal.report_page_keys(OUT by text, OUT key text, OUT is_page text,
	OUT before text, OUT name text)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES ('url', 'url',
		'l.idaction_url <> 0 AND l.idaction_event_category IS NULL',
		'l.idaction_url_ref <> 0',
		'CROSS JOIN LATERAL (SELECT idaction) AS k(idaction)
		CROSS JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = k.idaction AND a.type = 1 LIMIT 1) n'),
		('title', 'name',
		'l.idaction_name IS NOT NULL AND l.idaction_url IS NOT NULL '
			'AND l.idaction_event_category IS NULL',
		'(l.idaction_name_ref <> 0 OR l.idaction_url_ref <> 0)',
		'CROSS JOIN LATERAL (SELECT idaction) AS k(idaction)
		CROSS JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = k.idaction AND a.type = 4
			UNION ALL SELECT NULL WHERE k.idaction = 0 LIMIT 1) n')
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_page_keys IS
	'parts of queries: pages by URL and by title';

SELECT pk_tracking_internal.make_report(CASE r.by WHEN 'url' THEN 'report_pages' ELSE 'report_titles' END,
	pg_catalog.format('pages by %s: views, visits, entries, exits, bounces, seconds until the next action, and loading times in seconds',
		r.by),
	pg_catalog.format('%s text, nb_hits bigint, nb_visits bigint, nb_uniq_visitors bigint,
	entry_nb_visits bigint, entry_nb_actions bigint, entry_sum_visit_length bigint,
	entry_bounce_count bigint, bounce_rate numeric, exit_nb_visits bigint, exit_rate numeric,
	sum_time_spent bigint, avg_time_on_page bigint, nb_hits_with_times bigint, %s,
	nb_visits_anonymous bigint, anonymous_rate numeric', r.by, p.columns),
	pg_catalog.format($report$
	SELECT n.name, coalesce(m.nb_hits, 0), coalesce(m.nb_visits, 0),
		coalesce(least(m.nb_visits, m.nb_uniq_visitors), 0),
		coalesce(e.nb_visits, 0), coalesce(e.nb_actions, 0), coalesce(e.sum_visit_length, 0),
		coalesce(e.bounce_count, 0),
		round(coalesce(100.0 * e.bounce_count / e.nb_visits, 0), 1),
		-- a filter on actions can leave a visit its exit and none of its views
		coalesce(x.nb_visits, 0),
		round(coalesce(100.0 * x.nb_visits / greatest(m.nb_visits, x.nb_visits), 0), 1),
		coalesce(t.sum_time_spent, 0),
		coalesce(round(t.sum_time_spent::numeric / m.nb_hits), 0)::bigint,
		coalesce(m.nb_hits_with_times, 0), %2$s,
		coalesce(m.nb_visits_anonymous, 0),
		round(coalesce(100.0 * m.nb_visits_anonymous / m.nb_visits, 0), 1)
	FROM {from rollups} (
		SELECT k1 AS idaction, c.*, t.times
		FROM {counts of views_by_%9$s} c LEFT JOIN {times of views_by_%9$s} t USING (k1))
		{or from the log} (
		SELECT l.idaction_%1$s AS idaction, %10$s,
			count(coalesce(l.time_network, l.time_server, l.time_transfer, l.time_dom_processing,
				l.time_dom_completion, l.time_on_load)) AS nb_hits_with_times,
			%3$s AS times
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND %6$s
		GROUP BY l.idaction_%1$s) {end of rollups} m
		FULL JOIN {from rollups} (
			SELECT c.k1 AS idaction, c.* FROM {counts of entries_by_%9$s} c)
			{or from the log} (
			SELECT v.visit_entry_idaction_%1$s AS idaction, count(*) AS nb_visits,
				sum(v.visit_total_actions) AS nb_actions,
				sum(v.visit_total_time) AS sum_visit_length,
				count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounce_count
			%4$s
			GROUP BY v.visit_entry_idaction_%1$s) {end of rollups} e USING (idaction)
		FULL JOIN {from rollups} (
			SELECT c.k1 AS idaction, c.* FROM {counts of exits_by_%9$s} c)
			{or from the log} (
			SELECT v.visit_exit_idaction_%1$s AS idaction, count(*) AS nb_visits
			%5$s
			GROUP BY v.visit_exit_idaction_%1$s) {end of rollups} x USING (idaction)
		LEFT JOIN {from rollups} (
			SELECT c.k1 AS idaction, c.sum_time_spent FROM {counts of time_by_%9$s} c)
			{or from the log} (
			SELECT l.idaction_%1$s_ref AS idaction, sum(l.time_spent_ref_action) AS sum_time_spent
			FROM pk_tracking.log_link_visit_action l
			WHERE {actions l} AND %7$s
			GROUP BY l.idaction_%1$s_ref) {end of rollups} t USING (idaction)
		%8$s
	ORDER BY coalesce(m.nb_hits, 0) DESC, n.name
	$report$, r.key, p.results, p.aggregate, pk_tracking_internal.report_page_visits('entry', r.by),
		pk_tracking_internal.report_page_visits('exit', r.by), r.is_page, r.before, r.name, r.by,
		pk_tracking_internal.action_metrics()),
	rows => 1000)
FROM pk_tracking_internal.report_page_keys() r, pk_tracking_internal.report_loading_times() p;

SELECT pk_tracking_internal.make_report(
	pg_catalog.format('report_entry_%s', CASE r.by WHEN 'url' THEN 'pages' ELSE 'titles' END),
	pg_catalog.format('visits by the %s of the page that they began with', r.by),
	pg_catalog.format('%s text, entry_nb_visits bigint, entry_nb_uniq_visitors bigint,
	entry_nb_actions bigint, entry_sum_visit_length bigint, entry_bounce_count bigint,
	bounce_rate numeric, nb_visits_anonymous bigint, anonymous_rate numeric', r.by),
	pg_catalog.format($report$
	SELECT n.name, e.nb_visits, e.nb_uniq_visitors, e.nb_actions, e.sum_visit_length,
		e.bounce_count, round(100.0 * e.bounce_count / e.nb_visits, 1),
		e.nb_visits_anonymous, round(100.0 * e.nb_visits_anonymous / e.nb_visits, 1)
	FROM {from rollups} (SELECT c.k1 AS idaction, c.* FROM {counts of entries_by_%4$s} c)
		{or from the log} (
		SELECT v.visit_entry_idaction_%1$s AS idaction, count(*) AS nb_visits,
			pk_tracking_internal.report_distinct(v.idvisitor::bigint) + count(*)
				FILTER (WHERE v.consent >= 2) AS nb_uniq_visitors,
			sum(v.visit_total_actions) AS nb_actions,
			sum(v.visit_total_time) AS sum_visit_length,
			count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounce_count,
			count(*) FILTER (WHERE v.consent >= 2) AS nb_visits_anonymous
		%2$s
		GROUP BY v.visit_entry_idaction_%1$s) {end of rollups} e
		%3$s
	ORDER BY e.nb_visits DESC, n.name
	$report$, r.key, pk_tracking_internal.report_page_visits('entry', r.by), r.name, r.by),
	rows => 1000)
FROM pk_tracking_internal.report_page_keys() r;

SELECT pk_tracking_internal.make_report(
	pg_catalog.format('report_exit_%s', CASE r.by WHEN 'url' THEN 'pages' ELSE 'titles' END),
	pg_catalog.format('visits by the %s of the page that they ended with; exit_rate: percentage of the visits to the page that ended there',
		r.by),
	pg_catalog.format('%s text, exit_nb_visits bigint, exit_nb_uniq_visitors bigint,
	nb_visits bigint, exit_rate numeric, nb_visits_anonymous bigint,
	anonymous_rate numeric', r.by),
	pg_catalog.format($report$
	-- a view can be another consent's than the visit, and not pass a filter on actions
	SELECT n.name, x.exit_nb_visits, x.exit_nb_uniq_visitors,
		greatest(m.nb_visits, x.exit_nb_visits),
		round(100.0 * x.exit_nb_visits / greatest(m.nb_visits, x.exit_nb_visits), 1),
		x.nb_visits_anonymous, round(100.0 * x.nb_visits_anonymous / x.exit_nb_visits, 1)
	FROM {from rollups} (
		SELECT c.k1 AS idaction, c.nb_visits AS exit_nb_visits,
			c.nb_uniq_visitors AS exit_nb_uniq_visitors, c.nb_visits_anonymous
		FROM {counts of exits_by_%5$s} c)
		{or from the log} (
		SELECT v.visit_exit_idaction_%1$s AS idaction, count(*) AS exit_nb_visits,
			pk_tracking_internal.report_distinct(v.idvisitor::bigint) + count(*)
				FILTER (WHERE v.consent >= 2) AS exit_nb_uniq_visitors,
			count(*) FILTER (WHERE v.consent >= 2) AS nb_visits_anonymous
		%2$s
		GROUP BY v.visit_exit_idaction_%1$s) {end of rollups} x
		LEFT JOIN {from rollups} (
			SELECT c.k1 AS idaction, c.nb_visits FROM {counts of views_by_%5$s} c)
			{or from the log} (
			SELECT l.idaction_%1$s AS idaction,
				pk_tracking_internal.report_distinct(l.idvisit) AS nb_visits
			FROM pk_tracking.log_link_visit_action l
			WHERE {actions l} AND %3$s
			GROUP BY l.idaction_%1$s) {end of rollups} m USING (idaction)
		%4$s
	ORDER BY x.exit_nb_visits DESC, n.name
	$report$, r.key, pk_tracking_internal.report_page_visits('exit', r.by), r.is_page, r.name, r.by),
	rows => 1000)
FROM pk_tracking_internal.report_page_keys() r;

SELECT pk_tracking_internal.make_report(
	pg_catalog.format('report_%s_after_search', CASE r.by WHEN 'url' THEN 'pages' ELSE 'titles' END),
	pg_catalog.format('pages by %s that were viewed right after a site search; nb_hits: all views of such a page',
		r.by),
	pg_catalog.format('%s text, nb_hits_following_search bigint, nb_hits bigint,
	following_search_rate numeric, nb_visits bigint, nb_uniq_visitors bigint,
	nb_visits_anonymous bigint, anonymous_rate numeric', r.by),
	pg_catalog.format($report$
	SELECT n.name, m.nb_hits, m.nb_all_hits, round(100.0 * m.nb_hits / m.nb_all_hits, 1),
		m.nb_visits, least(m.nb_visits, m.nb_uniq_visitors), m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits, 1)
	FROM {from rollups} (
		SELECT k1 AS idaction, c.nb_hits AS nb_all_hits, s.nb_hits, s.nb_visits,
			s.nb_uniq_visitors, s.nb_visits_anonymous
		FROM {counts of views_by_%4$s} c JOIN {counts of after_search_by_%4$s} s USING (k1))
		{or from the log} (
		SELECT l.idaction_%1$s AS idaction, count(*) AS nb_all_hits, %5$s
		FROM (
			-- where a search began the visit, the page after it has the URL 0 before it
			SELECT l.idaction_%1$s, l.idvisit, l.idvisitor, l.consent,
				l.idaction_url_ref IS NULL OR (l.idaction_url_ref = 0
					AND l.idaction_name_ref IN (SELECT a.idaction FROM pk_tracking.log_action a
						WHERE a.idsite = $1 AND a.type = 8)) AS after_search
			FROM pk_tracking.log_link_visit_action l
			WHERE {actions l} AND %2$s) l
		GROUP BY l.idaction_%1$s
		HAVING bool_or(l.after_search)) {end of rollups} m
		%3$s
	ORDER BY m.nb_hits DESC, m.nb_all_hits DESC, n.name
	$report$, r.key, r.is_page, r.name, r.by,
		pk_tracking_internal.action_metrics('l.after_search')),
	rows => 1000)
FROM pk_tracking_internal.report_page_keys() r;
