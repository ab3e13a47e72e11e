
-- ---------------------------------------------------------------------------
-- report/template: the functions that create reports
--
-- Every report takes idsite, from_date, to_date and visitors, checks them, and
-- returns the rows of one query.  What differs stands in the files that call
-- make_report() and make_visit_report().
--
-- Reports run with the rights of their caller: the functions belong to the
-- extension's owner, who may be a superuser, and so must not lend out that
-- owner's rights.  grant_analyst() grants SELECT on what they read: the log
-- alone, no salts, no session links, no settings.  They write nothing, so they
-- run on a standby too.
-- ---------------------------------------------------------------------------

/*
 * Creates the report pk_tracking.name().  result: its columns, as in RETURNS
 * TABLE; first_day and last_day come before them if by_period is true, and the
 * report then has the argument period.  query: the SELECT; r is the row of
 * report_period().  A query that depends on the period begins with EXECUTE; s is
 * the row of report_spans(), and $1 to $8 are what report_query() says.
 * more_arguments: further arguments, after the common ones.
 *
 * Each call is planned for its own days (plan_cache_mode), because the range of
 * times decides which index is best.  jit is off: sub-selects for each row make
 * a plan look dear, and compiling it took longer than running it.
 */
CREATE FUNCTION pk_tracking_internal.make_report(
	name name,
	comment text,
	result text,
	query text,
	by_period boolean DEFAULT false,
	more_arguments text DEFAULT '',
	rows integer DEFAULT 100)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $make_report$
BEGIN
	EXECUTE format($create$
CREATE FUNCTION pk_tracking.%1$I(idsite integer, from_date date, to_date date,
	%2$svisitors text DEFAULT 'all'%3$s)
RETURNS TABLE (%4$s)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS %5$s
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $body$
#variable_conflict use_column
DECLARE
	r record;
	s record;
BEGIN
	SELECT * INTO r
		FROM pk_tracking_internal.report_period(%1$I.idsite, %1$I.from_date, %1$I.to_date,
			%1$I.visitors);%6$s
	RETURN QUERY %7$s%8$s;
END
$body$$create$,
		name,
		CASE WHEN by_period THEN $$period text DEFAULT 'day', $$ ELSE '' END,
		CASE WHEN more_arguments <> '' THEN ', ' || more_arguments ELSE '' END,
		CASE WHEN by_period THEN 'first_day date, last_day date, ' ELSE '' END || result,
		rows,
		CASE WHEN by_period THEN format($$
	SELECT * INTO s FROM pk_tracking_internal.report_spans(%I.period);$$, name) ELSE '' END,
		btrim(query, E'\n\t'),
		CASE WHEN btrim(query, E'\n\t') ~ '^EXECUTE\M' THEN $$
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone,
		r.from_date, r.to_date$$ ELSE '' END);
	EXECUTE format('COMMENT ON FUNCTION pk_tracking.%I IS %L', name, comment);
END
$make_report$;
COMMENT ON FUNCTION pk_tracking_internal.make_report IS
	'creates a report from its result columns and its query';

/*
 * Creates a report that counts visits.  columns: the result's first columns;
 * the metrics follow.  keys, condition, axis: see report_query().  labels: the
 * values of the first columns, by default the keys themselves, k1, k2 and so on;
 * if by_period is true, k1 is the period and the keys given here begin with k2.
 */
CREATE FUNCTION pk_tracking_internal.make_visit_report(
	name name,
	comment text,
	columns text,
	keys text[],
	labels text[] DEFAULT NULL,
	condition text DEFAULT 'true',
	axis text DEFAULT NULL,
	by_period boolean DEFAULT false,
	rows integer DEFAULT 100)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $make_visit_report$
DECLARE
	metrics CONSTANT text := 'nb_visits bigint, nb_uniq_visitors bigint, nb_users bigint, '
		'nb_actions bigint, nb_pageviews bigint, max_actions integer, '
		'bounce_count bigint, bounce_rate numeric, '
		'sum_visit_length bigint, avg_time_on_site bigint, nb_actions_per_visit numeric, '
		'nb_visits_converted bigint, nb_conversions bigint, revenue numeric, '
		'nb_visits_anonymous bigint, anonymous_rate numeric';
BEGIN
	IF labels IS NULL THEN
		SELECT coalesce(array_agg('k' || n ORDER BY n), '{}') INTO labels
		FROM generate_series(1, cardinality(keys)) n;
	END IF;
	PERFORM pk_tracking_internal.make_report(name, comment,
		concat_ws(', ', nullif(columns, ''), metrics),
		format(CASE WHEN by_period
			THEN $$EXECUTE pk_tracking_internal.report_query(
			format(s.key, 'v.visit_first_action_time') || %L::text[],
			ARRAY[s.first_day, s.last_day] || %L::text[],
			%L,
			concat_ws(' CROSS JOIN ', s.spans, %L))$$
			ELSE $$EXECUTE pk_tracking_internal.report_query(
			%L::text[],
			%L::text[],
			%L,
			%L)$$ END,
			keys, labels, condition, axis),
		by_period => by_period, rows => rows);
END
$make_visit_report$;
COMMENT ON FUNCTION pk_tracking_internal.make_visit_report IS
	'creates a report that counts visits from the columns by which it groups them';
