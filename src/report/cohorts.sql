
-- ---------------------------------------------------------------------------
-- report/cohorts: who came back, by the period of the first visit
-- ---------------------------------------------------------------------------

/*
 * A visitor is of the cohort of the period in which the first visit of theirs that
 * the log has began.  The filter chooses visitors by that visit, for visitors of a
 * campaign rarely come back by it; what they did later counts however they came.
 * Nobody sees whether an anonymous visitor comes back: those are in no cohort, and
 * their visits are counted by the side.
 *
 * One pass gives a row for each visitor and period.  Visitors who had been there
 * before the report begins are found by the index of visitors.
 */
SELECT pk_tracking_internal.make_report('report_cohorts',
	'visitors by the period of their first visit, and how many of them acted in it (period_number 0) and in each later one; acts: visits, conversions, orders, events or searches',
	'period_number integer, nb_uniq_visitors bigint, nb_returning bigint,
	returning_rate numeric, nb_visits_anonymous bigint',
	$report$
	WITH periods AS MATERIALIZED (
		SELECT k1, {first_day} AS first_day, {last_day} AS last_day, {begins} AS begins,
			row_number() OVER (ORDER BY k1) AS n
		FROM {spans}),
	acts AS MATERIALIZED (
		SELECT v.idvisitor, {span of v.visit_first_action_time} AS k1,
			min(v.visit_first_action_time) AS first,
			min(v.visit_first_action_time) FILTER (WHERE {visit filter v}) AS first_chosen,
			bool_or(CASE $10 WHEN 'visits' THEN true
				WHEN 'conversions' THEN v.visit_goal_converted = 1
				WHEN 'orders' THEN v.visit_goal_buyer IN (1, 3)
				WHEN 'events' THEN v.visit_total_events > 0
				WHEN 'searches' THEN v.visit_total_searches > 0 END) AS acted,
			count(*) FILTER (WHERE v.consent >= 2 AND {visit filter v}) AS nb_anonymous
		FROM pk_tracking.log_visit v
		WHERE v.idsite = $1 AND v.visit_first_action_time >= $2
			AND v.visit_first_action_time < $3 AND v.consent BETWEEN $4 AND $5
		GROUP BY 1, 2),
	visitors AS (
		SELECT a.idvisitor, a.k1, a.acted, min(a.k1) OVER visitor AS cohort,
			min(a.first) OVER visitor = min(a.first_chosen) OVER visitor AS chosen
		FROM acts a
		WHERE a.idvisitor IS NOT NULL
		WINDOW visitor AS (PARTITION BY a.idvisitor)),
	counts AS (
		SELECT a.cohort, a.k1, count(*) AS nb_visitors,
			count(*) FILTER (WHERE a.acted) AS nb_returning
		FROM visitors a
		WHERE a.chosen AND NOT EXISTS (
			SELECT FROM pk_tracking.log_visit e
			WHERE e.idsite = $1 AND e.idvisitor OPERATOR(@extschema@.=) a.idvisitor
				AND e.visit_first_action_time < $2)
		GROUP BY 1, 2)
	SELECT cohort.first_day, cohort.last_day, cohort.begins, (p.n - cohort.n)::integer,
		coalesce(size.nb_visitors, 0), coalesce(m.nb_returning, 0),
		round(coalesce(100.0 * m.nb_returning / size.nb_visitors, 0), 1),
		coalesce(x.nb_anonymous, 0)
	FROM periods cohort
		JOIN periods p ON p.n >= cohort.n
		LEFT JOIN counts size ON size.cohort = cohort.k1 AND size.k1 = cohort.k1
		LEFT JOIN counts m ON m.cohort = cohort.k1 AND m.k1 = p.k1
		LEFT JOIN (SELECT a.k1, a.nb_anonymous FROM acts a WHERE a.idvisitor IS NULL) x
			ON x.k1 = cohort.k1
	ORDER BY cohort.n, p.n
	$report$,
	by_period => true, own_arguments => $$acts text DEFAULT 'visits'$$,
	checks => $check$
	IF (report_cohorts.acts IN ('visits', 'conversions', 'orders', 'events', 'searches')) IS NOT TRUE THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('invalid value for argument "acts": "%s"',
				coalesce(report_cohorts.acts, 'NULL')),
			hint => 'Valid values are "visits", "conversions", "orders", "events", and "searches".');
	END IF;
	$check$,
	rows => 1000);
