
-- ---------------------------------------------------------------------------
-- report/loading_times: how long pages took to load
-- ---------------------------------------------------------------------------

/* What rollup_times_of() gives, of page views in the log. */
CREATE AGGREGATE pk_tracking_internal.report_times(integer, integer, integer, integer, integer,
	integer) (
	SFUNC = pk_tracking_internal.rollup_times_add, STYPE = internal, SSPACE = 4096,
	FINALFUNC = pk_tracking_internal.rollup_times_result, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.rollup_times_combine,
	SERIALFUNC = pk_tracking_internal.rollup_times_serialize,
	DESERIALFUNC = pk_tracking_internal.rollup_times_unpack,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.report_times(integer, integer, integer, integer,
	integer, integer) IS
	'of the six loading times and of their sum: number, sum, median and 95th percentile';

/*
 * Loading times: mean, median and 95th percentile of the times that browsers send,
 * and of the page load, their sum, in seconds, NULL if none was sent.  columns: the
 * result's; results: over m.times, which is of rollup_times_of() or, from the log,
 * the aggregate over actions l, which leaves those without times out.
 * The mean page load is the sum of the other means, as they are shown, as in Matomo.
 */
CREATE FUNCTION pk_tracking_internal.report_loading_times(OUT columns text, OUT aggregate text,
	OUT results text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('avg_%1$s numeric, median_%1$s numeric, p95_%1$s numeric', t.name),
			', ' ORDER BY t.n),
		format('pk_tracking_internal.report_times(%1$s) '
			'FILTER (WHERE coalesce(%1$s) IS NOT NULL)',
			string_agg('l.' || t.name, ', ' ORDER BY t.n) FILTER (WHERE t.n < 7)),
		string_agg(format('%s, round(m.times[%s]::numeric / 1000, 3), '
			'round(m.times[%s]::numeric / 1000, 3)',
			CASE t.n WHEN 7 THEN 'CASE WHEN m.times[25] > 0 THEN ' || s.total || ' END'
				ELSE t.mean END, t.n * 4 - 1, t.n * 4), ', ' ORDER BY t.n)
	FROM (
		SELECT n, name, format('round(m.times[%s]::bigint::numeric '
			'/ nullif(m.times[%s], 0)::bigint / 1000, 3)', n * 4 - 2, n * 4 - 3) AS mean
		FROM unnest(ARRAY['time_network', 'time_server', 'time_transfer', 'time_dom_processing',
			'time_dom_completion', 'time_on_load', 'page_load_time']) WITH ORDINALITY AS x(name, n)) t
		CROSS JOIN LATERAL (
			SELECT string_agg(format('coalesce(round(m.times[%s]::bigint::numeric '
				'/ nullif(m.times[%s], 0)::bigint / 1000, 3), 0)', n * 4 - 2, n * 4 - 3), ' + ') AS total
			FROM generate_series(1, 6) n) s
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_loading_times IS
	'parts of a query: mean, median and 95th percentile of loading times';

SELECT pk_tracking_internal.make_report('report_performance',
	'loading times of pages by period (hour, day, week, month, quarter, year or range), in seconds: mean, median and 95th percentile; every period has a row',
	'nb_hits bigint, nb_hits_with_times bigint, ' || p.columns,
	pg_catalog.format($report$
	SELECT {first_day}, {last_day}, {begins}, coalesce(m.nb_hits, 0), coalesce(m.nb_hits_with_times, 0), %s
	FROM {spans} LEFT JOIN {from rollups} (
		SELECT k1, c.nb_hits, c.nb_hits_with_times, t.times
		FROM {counts of page_views} c LEFT JOIN {times of page_views} t USING (k1))
		{or from the log} (
		SELECT {span of l.server_time} AS k1, count(*) AS nb_hits,
			count(coalesce(l.time_network, l.time_server, l.time_transfer, l.time_dom_processing,
				l.time_dom_completion, l.time_on_load)) AS nb_hits_with_times,
			%s AS times
		FROM pk_tracking.log_link_visit_action l
		-- page views: downloads and links have no name, searches have no URL
		WHERE {actions l} AND l.idaction_name IS NOT NULL AND l.idaction_url IS NOT NULL
			AND l.idaction_event_category IS NULL
		GROUP BY 1) {end of rollups} m USING (k1)
	ORDER BY k1
	$report$, p.results, p.aggregate),
	by_period => true)
FROM pk_tracking_internal.report_loading_times() p;
