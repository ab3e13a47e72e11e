
-- ---------------------------------------------------------------------------
-- report/loading_times: how long pages took to load
-- ---------------------------------------------------------------------------

/*
 * Loading times: mean, median and 95th percentile of the times that browsers send,
 * and of the page load, their sum.  columns: the result's; aggregates: over actions
 * l; from_rollups: the same over a row t of rollup_times_source(); results: over a
 * row m of these aggregates.  In seconds, NULL if none was sent.
 * The mean page load is the sum of the other means, as they are shown, as in Matomo.
 */
CREATE FUNCTION pk_tracking_internal.report_loading_times(OUT columns text, OUT aggregates text,
	OUT results text, OUT from_rollups text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('avg_%1$s numeric, median_%1$s numeric, p95_%1$s numeric', t.name),
			', ' ORDER BY t.n),
		string_agg(format('avg(%2$s) AS avg_%1$s, percentile_cont(ARRAY[0.5, 0.95]) '
			'WITHIN GROUP (ORDER BY %2$s) AS parts_%1$s', t.name, t.value), ', ' ORDER BY t.n),
		string_agg(format('%2$s, round(m.parts_%1$s[1]::numeric / 1000, 3), '
			'round(m.parts_%1$s[2]::numeric / 1000, 3)', t.name, t.mean), ', ' ORDER BY t.n),
		string_agg(format('t.times[%2$s]::bigint::numeric / nullif(t.times[%3$s], 0)::bigint::numeric AS avg_%1$s, '
			't.times[%4$s:%5$s] AS parts_%1$s', t.name, t.n * 4 - 2, t.n * 4 - 3, t.n * 4 - 1, t.n * 4),
			', ' ORDER BY t.n)
	FROM (
		SELECT n, name, 'l.' || name, format('round(m.avg_%s / 1000, 3)', name)
		FROM unnest(ARRAY['time_network', 'time_server', 'time_transfer', 'time_dom_processing',
			'time_dom_completion', 'time_on_load']) WITH ORDINALITY AS x(name, n)
		UNION ALL
		SELECT 7, 'page_load_time',
			'CASE WHEN num_nonnulls(l.time_network, l.time_server, l.time_transfer, '
			'l.time_dom_processing, l.time_dom_completion, l.time_on_load) > 0 '
			'THEN coalesce(l.time_network, 0) + coalesce(l.time_server, 0) '
			'+ coalesce(l.time_transfer, 0) + coalesce(l.time_dom_processing, 0) '
			'+ coalesce(l.time_dom_completion, 0) + coalesce(l.time_on_load, 0) END',
			'CASE WHEN m.avg_page_load_time IS NOT NULL '
			'THEN coalesce(round(m.avg_time_network / 1000, 3), 0) '
			'+ coalesce(round(m.avg_time_server / 1000, 3), 0) '
			'+ coalesce(round(m.avg_time_transfer / 1000, 3), 0) '
			'+ coalesce(round(m.avg_time_dom_processing / 1000, 3), 0) '
			'+ coalesce(round(m.avg_time_dom_completion / 1000, 3), 0) '
			'+ coalesce(round(m.avg_time_on_load / 1000, 3), 0) END'
	) AS t(n, name, value, mean)
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_loading_times IS
	'parts of a query: mean, median and 95th percentile of loading times';

SELECT pk_tracking_internal.make_report('report_performance',
	'loading times of pages by period (hour, day, week, month, quarter, year or range), in seconds: mean, median and 95th percentile; every period has a row',
	'nb_hits bigint, nb_hits_with_times bigint, ' || p.columns,
	pg_catalog.format($report$
	SELECT {first_day}, {last_day}, {begins}, coalesce(m.nb_hits, 0), coalesce(m.nb_hits_with_times, 0), %s
	FROM {spans} LEFT JOIN {from rollups} (
		SELECT k1, c.nb_hits, c.nb_hits_with_times, %s
		FROM {counts of page_views} c LEFT JOIN {times of page_views} t USING (k1))
		{or from the log} (
		SELECT {span of l.server_time} AS k1, count(*) AS nb_hits,
			count(*) FILTER (WHERE num_nonnulls(l.time_network, l.time_server, l.time_transfer,
				l.time_dom_processing, l.time_dom_completion, l.time_on_load) > 0)
				AS nb_hits_with_times,
			%s
		FROM pk_tracking.log_link_visit_action l
		-- page views: downloads and links have no name, searches have no URL
		WHERE {actions l} AND l.idaction_name IS NOT NULL AND l.idaction_url IS NOT NULL
			AND l.idaction_event_category IS NULL
		GROUP BY 1) {end of rollups} m USING (k1)
	ORDER BY k1
	$report$, p.results, p.from_rollups, p.aggregates),
	by_period => true)
FROM pk_tracking_internal.report_loading_times() p;
