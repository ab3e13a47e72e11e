
-- ---------------------------------------------------------------------------
-- report/template: the functions that create reports
--
-- Every report takes idsite, from_date, to_date, visitors and filter, checks
-- them, and returns the rows of one query.  What differs stands in the files that
-- call make_report() and make_visit_report().
--
-- How a report is written: as a SELECT over the log, in which these parameters
-- stand for the arguments
--		$1			site
--		$2, $3		begin and end of the period, end excluded
--		$4, $5		least and greatest consent of the visitors asked for
--		$6			time zone of the site
--		$7, $8		first and last day
--		$9			values of the filter; only the filter's own SQL uses them
--		$10, ...	the report's own arguments, in their order
-- and these markers for conditions; v, l, c and i are aliases of the tables
--		{visits v}				rows of log_visit that began in the period
--		{acting visits v}		rows of log_visit that may have acted in the period: that
--								began before its end and did not end before it
--		{longest visit}			an interval: no visit of the site lasted longer
--								(what is of a visit, is looked for so long before and after)
--		{actions l}				rows of log_link_visit_action by their time
--		{conversions c}			rows of log_conversion by their time
--		{items i}				rows of log_conversion_item by their time
--								(each with site, consent and filter)
--		{visit filter v}, {action filter l}, {conversion filter c},
--		{item filter i}			the filter alone; true if there is none
-- A report by period has four more
--		{spans}					a relation with a row for each period, k1
--		{span of TIME}			the k1 of a time
--		{first_day}, {last_day}, {begins}
--								what the report shows of k1
-- What roll-ups count, too, may be read from them:
--		{rollup KIND} (SELECT ...) {end of rollup}
--								a relation that counts by the keys of KIND, see
--								rollup_source() and rollup_fact_source()
--		{from rollups} ... {or from the log} ... {end of rollups}
--								two texts for the same; in the first one
--								{counts of KIND} is such a relation, and {times of KIND}
--								one of loading times, see rollup_times_source()
-- report_statement() puts SQL for the markers: of a report without a filter what
-- one would write by hand.  A query reads each table of the log once, and only its
-- period, by the ranges that these conditions give.
--
-- Reports run with the rights of their caller: the functions belong to the
-- extension's owner, who may be a superuser, and so must not lend out that
-- owner's rights.  grant_analyst() grants SELECT on what they read: the log
-- alone, no salts, no session links, no settings.  They write nothing, so they
-- run on a standby too.
-- ---------------------------------------------------------------------------

/*
 * A report's query with SQL in place of its markers of rows.  make_report() does this
 * once, report_statement() for a query that is made when the report is called.
 */
CREATE FUNCTION pk_tracking_internal.report_rows(query text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text := query;
BEGIN
	statement := replace(statement, '{acting visits v}',
		'v.idsite = $1 AND v.visit_first_action_time < $3 '
		'AND v.visit_first_action_time >= $2 - {longest visit} AND v.visit_last_action_time >= $2 '
		'AND v.consent BETWEEN $4 AND $5 AND {visit filter v}');
	statement := replace(statement, '{visits v}',
		'v.idsite = $1 AND v.visit_first_action_time >= $2 AND v.visit_first_action_time < $3 '
		'AND v.consent BETWEEN $4 AND $5 AND {visit filter v}');
	IF strpos(query, '{actions ') > 0 OR strpos(query, '{conversions ') > 0
		OR strpos(query, '{items ') > 0 THEN
		statement := regexp_replace(statement, '\{(action|conversion|item)s ([a-z]+)\}',
			'\2.idsite = $1 AND \2.server_time >= $2 AND \2.server_time < $3 '
			'AND \2.consent BETWEEN $4 AND $5 AND {\1 filter \2}', 'g');
	END IF;
	RETURN statement;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_rows IS
	'a report''s query with its markers of rows as SQL';

/*
 * Creates the report pk_tracking.name().  result: its columns, as in RETURNS
 * TABLE; first_day, last_day and begins come before them if by_period is true, and
 * the report then has the argument period.  query: as above, or EXECUTE and an
 * expression that makes such a query of the arguments.
 *
 * own_arguments stand between to_date and visitors, more_arguments between
 * visitors and filter; both are lists as in CREATE FUNCTION, name first.  checks:
 * statements in PL/pgSQL that run before the query, and see the arguments as
 * NAME.ARGUMENT and the row of report_period() as r.
 *
 * Each call is planned for its own days and filter, because the range of times
 * decides which index is best: EXECUTE plans anew.  jit is off: sub-selects for
 * each row make a plan look dear, and compiling it took longer than running it.
 */
CREATE FUNCTION pk_tracking_internal.make_report(
	name name,
	comment text,
	result text,
	query text,
	by_period boolean DEFAULT false,
	own_arguments text DEFAULT '',
	more_arguments text DEFAULT '',
	checks text DEFAULT '',
	rows integer DEFAULT 100)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $make_report$
DECLARE
	body text := pk_tracking_internal.report_rows(btrim(query, E'\n\t'));
	arguments text;
BEGIN
	-- the names of the report's own arguments: each follows a comma and has a type
	SELECT string_agg(format(', %I.%s', name, m.matched[1]), '' ORDER BY m.n) INTO arguments
		FROM regexp_matches(concat_ws(', ', nullif(own_arguments, ''), nullif(more_arguments, '')),
			'(?:^|,)\s*([a-z_]+)\s+[a-z]', 'g') WITH ORDINALITY AS m(matched, n);
	EXECUTE format($create$
CREATE FUNCTION pk_tracking.%1$I(idsite integer, from_date date, to_date date,
	%2$svisitors text DEFAULT 'all', %3$sfilter text DEFAULT NULL)
RETURNS TABLE (%4$s)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS %5$s
SET search_path = pg_catalog, pg_temp
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
	SELECT * INTO s
		FROM pk_tracking_internal.report_statement(%7$s, %1$I.idsite, %1$I.filter, %8$s,
			CASE WHEN r.whole_days THEN r.from_date END, r.to_date, r.timezone);
	RETURN QUERY EXECUTE s.statement
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone,
			r.from_date, r.to_date, s.filter_values%9$s;
END
$body$$create$,
		name,
		CASE WHEN by_period THEN $$period text DEFAULT 'day', $$ ELSE '' END
			|| CASE WHEN own_arguments <> '' THEN own_arguments || ', ' ELSE '' END,
		CASE WHEN more_arguments <> '' THEN more_arguments || ', ' ELSE '' END,
		CASE WHEN by_period THEN 'first_day date, last_day date, begins timestamptz, ' ELSE '' END
			|| result,
		rows,
		CASE WHEN checks <> '' THEN E'\n\t' || btrim(checks, E'\n\t') ELSE '' END,
		CASE WHEN body ~ '^EXECUTE\M' THEN substr(body, 8) ELSE format('$query$%s$query$', body) END,
		CASE WHEN by_period THEN format('%I.period', name) ELSE 'NULL' END,
		arguments);
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
 * types: of the keys, if the visits are to be counted in roll-ups, too.
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
	rows integer DEFAULT 100,
	types text[] DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $make_visit_report$
DECLARE
	kind text;	-- of roll-ups
BEGIN
	IF labels IS NULL THEN
		SELECT coalesce(array_agg('k' || n ORDER BY n), '{}') INTO labels
		FROM generate_series(1, cardinality(keys)) n;
	END IF;
	IF types IS NOT NULL THEN
		kind := regexp_replace(name, '^report_', '');
		PERFORM pk_tracking_internal.make_rollup_kind(kind, keys, types, condition);
	END IF;
	IF by_period THEN
		keys := '{span of v.visit_first_action_time}'::text || keys;
		labels := ARRAY['{first_day}', '{last_day}', '{begins}'] || labels;
		axis := concat_ws(' CROSS JOIN ', '{spans}', axis);
	END IF;
	PERFORM pk_tracking_internal.make_report(name, comment,
		concat_ws(', ', nullif(columns, ''), pk_tracking_internal.visit_metrics()),
		pk_tracking_internal.report_query(keys, labels, condition, axis,
			kind),
		by_period => by_period, rows => rows);
END
$make_visit_report$;
COMMENT ON FUNCTION pk_tracking_internal.make_visit_report IS
	'creates a report that counts visits from the columns by which it groups them';
