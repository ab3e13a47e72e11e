
-- ---------------------------------------------------------------------------
-- report/entry_exit: pages where visits begin and end
--
-- They count the visits of the period.  A visit without page views has neither.
-- ---------------------------------------------------------------------------

SELECT pk_tracking_internal.make_report('report_entry_pages',
	'visits by the page that they began with',
	'url text, entry_nb_visits bigint, entry_nb_uniq_visitors bigint,
	entry_nb_actions bigint, entry_sum_visit_length bigint, entry_bounce_count bigint,
	bounce_rate numeric, nb_visits_anonymous bigint, anonymous_rate numeric',
	$report$
	SELECT n.name, m.nb_visits, m.nb_uniq_visitors, m.nb_actions, m.sum_visit_length,
		m.bounce_count,
		round(coalesce(100.0 * m.bounce_count / nullif(m.nb_visits, 0), 0), 1),
		m.nb_visits_anonymous,
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
	FROM (
		SELECT v.visit_entry_idaction_url AS idaction,
			count(*) AS nb_visits,
			count(DISTINCT v.idvisitor) + count(*)
				FILTER (WHERE v.consent >= 2) AS nb_uniq_visitors,
			sum(v.visit_total_actions) AS nb_actions,
			sum(v.visit_total_time) AS sum_visit_length,
			count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounce_count,
			count(*) FILTER (WHERE v.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_visit v
		WHERE {visits v}
			AND v.visit_entry_idaction_url <> 0
		GROUP BY v.visit_entry_idaction_url) m
		CROSS JOIN LATERAL (SELECT pk_tracking.plain_text($1,
			pk_tracking.url_prefix_text(a.url_prefix) || a.name) AS name
			FROM pk_tracking.log_action a WHERE a.idsite = $1 AND a.idaction = m.idaction LIMIT 1) n
	ORDER BY m.nb_visits DESC, n.name
	$report$,
	rows => 1000);

/*
 * The rate compares visits with themselves: of those visits of the period that saw
 * the page, at whatever time, how many ended there.  So it never exceeds 100, over
 * midnight too.  Actions lie no further from the visit's beginning than
 * log_visit_length says; late ones may be older.
 */
SELECT pk_tracking_internal.make_report('report_exit_pages',
	'visits by the page that they ended with; nb_visits: those that saw it; exit_rate: percentage of these that ended there',
	'url text, exit_nb_visits bigint, exit_nb_uniq_visitors bigint, nb_visits bigint,
	exit_rate numeric, nb_visits_anonymous bigint, anonymous_rate numeric',
	$report$
	SELECT n.name, m.exit_nb_visits, m.exit_nb_uniq_visitors, p.nb_visits,
		round(100.0 * m.exit_nb_visits / p.nb_visits, 1),
		m.nb_visits_anonymous,
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.exit_nb_visits, 0), 0), 1)
	FROM (
		SELECT v.visit_exit_idaction_url AS idaction,
			count(*) AS exit_nb_visits,
			count(DISTINCT v.idvisitor) + count(*)
				FILTER (WHERE v.consent >= 2) AS exit_nb_uniq_visitors,
			count(*) FILTER (WHERE v.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_visit v
		WHERE {visits v}
			AND v.visit_exit_idaction_url <> 0
		GROUP BY v.visit_exit_idaction_url) m
		JOIN (
			SELECT s.idaction, count(*) AS nb_visits
			FROM (
				SELECT l.idaction_url AS idaction, l.idvisit
				FROM pk_tracking.log_visit v
					JOIN pk_tracking.log_link_visit_action l USING (idvisit)
				WHERE {visits v} AND l.idaction_url <> 0
					AND l.server_time >= $2 - (SELECT make_interval(secs =>
						greatest(max(b.seconds), 86400)) FROM pk_tracking.log_visit_length b
						WHERE b.idsite = $1)
					AND l.server_time < $3 + (SELECT make_interval(secs =>
						greatest(max(b.seconds), 86400)) FROM pk_tracking.log_visit_length b
						WHERE b.idsite = $1)
				UNION
				SELECT v.visit_exit_idaction_url, v.idvisit
				FROM pk_tracking.log_visit v
				WHERE {visits v}) s
			GROUP BY s.idaction) p USING (idaction)
		CROSS JOIN LATERAL (SELECT pk_tracking.plain_text($1,
			pk_tracking.url_prefix_text(a.url_prefix) || a.name) AS name
			FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction LIMIT 1) n
	ORDER BY m.exit_nb_visits DESC, n.name
	$report$,
	rows => 1000);
