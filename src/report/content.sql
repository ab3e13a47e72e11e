
-- ---------------------------------------------------------------------------
-- report/content: blocks of content that visitors saw and used
--
-- A row of the log with an interaction is one, any other an impression, as in
-- Matomo.  Visits and visitors are those that saw the content.
-- ---------------------------------------------------------------------------

SELECT pk_tracking_internal.make_report(r.name, r.comment || ': impressions, interactions, and their rate, at most 100',
	r.result_columns || ', nb_impressions bigint, nb_interactions bigint,
	interaction_rate numeric, nb_visits bigint, nb_uniq_visitors bigint,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT %1$s, m.nb_hits, m.nb_interactions,
		-- interactions can be sent without impressions
		round(100.0 * least(m.nb_interactions, m.nb_hits)
			/ greatest(m.nb_hits, 1), 1),
		m.nb_visits, least(m.nb_visits, m.nb_uniq_visitors), m.nb_visits_anonymous,
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
	FROM {from rollups} (
		SELECT %4$s, coalesce(i.nb_hits, 0) AS nb_hits, coalesce(u.nb_hits, 0) AS nb_interactions,
			coalesce(i.nb_visits, 0) AS nb_visits, coalesce(i.nb_uniq_visitors, 0) AS nb_uniq_visitors,
			coalesce(i.nb_visits_anonymous, 0) AS nb_visits_anonymous
		FROM {counts of impressions_%5$s} i
			FULL JOIN {counts of interactions_%5$s} u USING (%6$s))
		{or from the log} (
		SELECT %2$s,
			count(l.idaction_content_interaction) AS nb_interactions,
			%7$s
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND l.idaction_content_name <> 0
		GROUP BY %2$s) {end of rollups} m
		%3$s
	ORDER BY m.nb_hits DESC, m.nb_interactions DESC, %1$s
	$report$, r.names, r.keys, r.joins, r.rollup_keys, r.kind, r.key_numbers,
		pk_tracking_internal.action_metrics('l.idaction_content_interaction IS NULL')),
	rows => 1000)
FROM (
	SELECT x.name, x.comment, replace(x.name, 'report_', '') AS kind,
		string_agg(format('nullif(k%s, 0) AS idaction_content_%s', k.n, k.key), ', ' ORDER BY k.n) AS rollup_keys,
		string_agg(format('k%s', k.n), ', ' ORDER BY k.n) AS key_numbers,
		string_agg(k.result_column || ' text', ', ' ORDER BY k.n) AS result_columns,
		string_agg(format('pk_tracking.plain_text($1, %s.name)', k.key), ', ' ORDER BY k.n) AS names,
		string_agg(format('l.idaction_content_%s', k.key), ', ' ORDER BY k.n) AS keys,
		string_agg(format('LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = m.idaction_content_%1$s LIMIT 1) %1$s ON true',
			k.key), ' ' ORDER BY k.n) AS joins
	FROM (VALUES
			('report_contents', 'content by name and piece', '{name,piece}'),
			('report_content_names', 'content by name', '{name}'),
			('report_content_pieces', 'content by piece', '{piece}')) AS x(name, comment, parts)
		CROSS JOIN LATERAL (
			SELECT u.key, u.n, 'content_' || u.key AS result_column
			FROM unnest(x.parts::text[]) WITH ORDINALITY AS u(key, n)) k
	GROUP BY x.name, x.comment) r;
