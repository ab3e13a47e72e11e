
-- ---------------------------------------------------------------------------
-- report/attribution: which visits led to a conversion
-- ---------------------------------------------------------------------------

/*
 * The touches of a conversion are the visit that converted and the earlier visits
 * of its visitor that began in the days before the conversion; an anonymous visit
 * has no earlier ones.  The referrers are those of the visits; the one that the
 * conversion has stored is another matter (report_conversions()).
 *
 * The second condition on the age of an earlier visit follows from the first; it
 * lets the indexes by time be used.
 */
SELECT pk_tracking_internal.make_report('report_attribution',
	'conversions (idgoal 0: orders) by the referrer of the first, of the last, and of the last not direct of the visits that led to them within a number of days; goal: NULL for all',
	'idgoal integer, referrer_type text, referer_name text, referer_keyword text,
	first_nb_conversions bigint, first_revenue numeric,
	last_nb_conversions bigint, last_revenue numeric,
	last_not_direct_nb_conversions bigint, last_not_direct_revenue numeric',
	$report$
	SELECT t.idgoal, coalesce(pk_tracking.referrer_type_name(t.referer_type), 'unknown'),
		t.referer_name, t.referer_keyword,
		count(*) FILTER (WHERE t.model = 1),
		coalesce(sum(t.revenue) FILTER (WHERE t.model = 1), 0),
		count(*) FILTER (WHERE t.model = 2),
		coalesce(sum(t.revenue) FILTER (WHERE t.model = 2), 0),
		count(*) FILTER (WHERE t.model = 3),
		coalesce(sum(t.revenue) FILTER (WHERE t.model = 3), 0)
	FROM (
		SELECT c.idgoal, c.revenue, m.model, r.referrer[1]::smallint AS referer_type,
			nullif(r.referrer[2], '') AS referer_name,
			nullif(r.referrer[3], '') AS referer_keyword
		FROM (
			SELECT c.idgoal, c.revenue,
				ARRAY[own.referer_type::text, own.referer_name, own.referer_keyword] AS own,
				array_agg(ARRAY[e.referer_type::text, e.referer_name, e.referer_keyword]
					ORDER BY e.visit_first_action_time, e.idvisit)
					FILTER (WHERE e.idvisit IS NOT NULL) AS earlier,
				array_agg(ARRAY[e.referer_type::text, e.referer_name, e.referer_keyword]
					ORDER BY e.visit_first_action_time DESC, e.idvisit DESC)
					FILTER (WHERE e.referer_type <> 1 AND own.referer_type = 1) AS not_direct
			FROM pk_tracking.log_conversion c
				JOIN pk_tracking.log_visit own ON own.idvisit = c.idvisit
				LEFT JOIN pk_tracking.log_visit e ON e.idsite = $1
					AND e.idvisitor OPERATOR(@extschema@.=) own.idvisitor
					AND e.visit_first_action_time < own.visit_first_action_time
					AND ($10 IS NULL
						OR e.visit_first_action_time >= c.server_time - $10 * interval '24 hours')
					AND ($10 IS NULL
						OR e.visit_first_action_time >= $2 - $10 * interval '24 hours')
			WHERE {conversions c} AND c.idgoal >= 0 AND ($11 IS NULL OR c.idgoal = $11)
			GROUP BY c.idvisit, c.idgoal, c.buster, own.idvisit) c
			CROSS JOIN (VALUES (1), (2), (3)) AS m(model)
			CROSS JOIN LATERAL (SELECT CASE
				WHEN m.model = 1 AND c.earlier IS NOT NULL
					THEN ARRAY[c.earlier[1][1], c.earlier[1][2], c.earlier[1][3]]
				WHEN m.model = 3 AND c.not_direct IS NOT NULL
					THEN ARRAY[c.not_direct[1][1], c.not_direct[1][2], c.not_direct[1][3]]
				ELSE c.own END) AS r(referrer)) t
	GROUP BY 1, t.referer_type, 3, 4
	ORDER BY 1, 5 DESC, 7 DESC, 9 DESC, 2, 3, 4
	$report$,
	more_arguments => 'within_days integer DEFAULT 30, goal integer DEFAULT NULL',
	checks => $check$
	PERFORM pk_tracking_internal.report_number('within_days', report_attribution.within_days, 0, 36500,
		'NULL is any number of days.');
	$check$,
	rows => 1000);
