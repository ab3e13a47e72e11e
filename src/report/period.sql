
-- ---------------------------------------------------------------------------
-- report/period: the rows that a report counts, and the query that counts visits
-- ---------------------------------------------------------------------------

/*
 * The beginning of a local day.  Where clocks go back over midnight there are two
 * midnights, and the day begins with the first one; where they leap over midnight,
 * the day begins with the first instant that exists.
 */
CREATE FUNCTION pk_tracking_internal.day_begin(day date, timezone text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	midnight timestamp := day::timestamp;
	begins timestamptz := midnight AT TIME ZONE timezone;
	before timestamptz := begins - interval '4 hours';
	first timestamptz;
BEGIN
	-- midnight by the clock before the change
	first := (midnight - ((before AT TIME ZONE timezone) - (before AT TIME ZONE 'UTC')))
		AT TIME ZONE 'UTC';
	IF first < begins AND first AT TIME ZONE timezone = midnight THEN
		RETURN first;
	END IF;
	RETURN begins;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.day_begin IS 'instant at which a local day begins';

/* Checks what every report is given but its site. */
CREATE FUNCTION pk_tracking_internal.report_arguments(
	from_date date,
	to_date date,
	visitors text,
	OUT least_consent smallint,
	OUT greatest_consent smallint)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF (from_date BETWEEN '0001-01-01' AND '9999-12-31') IS NOT TRUE
		OR (to_date BETWEEN '0001-01-01' AND '9999-12-31') IS NOT TRUE THEN
		PERFORM pk_tracking_internal.report_error(
			message => 'first and last day of a report must be between 0001-01-01 and 9999-12-31',
			hint => 'Pass two days, such as ''2026-11-01'' and ''2026-11-30''.');
	END IF;
	IF from_date > to_date THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('first day of the report (%s) must not be later than its last day (%s)',
				to_char(from_date, 'YYYY-MM-DD'), to_char(to_date, 'YYYY-MM-DD')),
			hint => 'Pass the earlier day first.');
	END IF;
	SELECT c.least_consent, c.greatest_consent INTO least_consent, greatest_consent
		FROM pk_tracking_internal.report_consents(visitors) c;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_arguments IS
	'checks days and kind of visitors of a report; returns the range of consent';

/* The codes of consent that an argument "visitors" stands for. */
CREATE FUNCTION pk_tracking_internal.report_consents(
	visitors text,
	OUT least_consent smallint,
	OUT greatest_consent smallint)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CASE visitors
		WHEN 'all' THEN least_consent := 0; greatest_consent := 3;
		WHEN 'identified' THEN least_consent := 0; greatest_consent := 1;
		WHEN 'anonymous' THEN least_consent := 2; greatest_consent := 3;
		ELSE
			PERFORM pk_tracking_internal.report_error(
				message => format('invalid value for argument "visitors": "%s"', coalesce(visitors, 'NULL')),
				hint => 'Valid values are "all", "identified", and "anonymous".');
	END CASE;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_consents IS
	'range of consent of a kind of visitors; an error for an unknown one';

/* The time zone of a report's site. */
CREATE FUNCTION pk_tracking_internal.report_site(idsite integer, OUT timezone text)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	SELECT s.timezone INTO timezone FROM pk_tracking.site s WHERE s.idsite = report_site.idsite;
	IF NOT FOUND THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('site %s does not exist', coalesce(idsite::text, 'NULL')),
			hint => 'Add sites with pk_tracking.add_site().');
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_site IS
	'time zone of a site; an error if there is no log or no such site';

/*
 * visitors: as the user wrote it; or, of report_evolution(), behind it the part of
 * the days that is asked for, see report_part().
 */
CREATE FUNCTION pk_tracking_internal.report_period(
	INOUT idsite integer,
	INOUT from_date date,
	INOUT to_date date,
	visitors text,
	OUT timezone text,
	OUT begins timestamptz,
	OUT ends timestamptz,
	OUT least_consent smallint,
	OUT greatest_consent smallint,
	OUT whole_days boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part text[] := regexp_match(visitors, '^([a-z]+) from (-[0-9]{1,11}|[0-9]{1,12}) to (-[0-9]{1,11}|[0-9]{1,12})$');
BEGIN
	timezone := pk_tracking_internal.report_site(idsite);
	SELECT a.least_consent, a.greatest_consent INTO least_consent, greatest_consent
		FROM pk_tracking_internal.report_arguments(from_date, to_date, coalesce(part[1], visitors)) a;
	begins := coalesce(to_timestamp(part[2]::float8),
		pk_tracking_internal.day_begin(from_date, timezone));
	ends := coalesce(to_timestamp(part[3]::float8),
		pk_tracking_internal.day_begin(to_date + 1, timezone));
	whole_days := part IS NULL;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_period IS
	'checks the common arguments of reports; returns the site''s time zone, begin and end of the period, and the range of consent';

/*
 * What report_evolution() passes to a report as visitors, so that it reports a part
 * of its days: days are all that a report's own arguments can say.
 */
CREATE FUNCTION pk_tracking_internal.report_part(visitors text, begins timestamptz, ends timestamptz)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('%s from %s to %s', visitors, extract(epoch FROM begins)::bigint,
		extract(epoch FROM ends)::bigint)
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_part IS
	'argument "visitors" by which report_evolution() has a report of hours';

/*
 * The periods of a report as SQL, over the parameters of reports (template.sql).
 * spans: a relation with a row, k1, for each period.  key: the k1 of a time, which
 * is put in with format().  begins, first_day, last_day: expressions over k1, the
 * part of the period that the report covers: its first instant and its days.
 *
 * days: of the whole report, which must not have periods without end.
 *
 * Hours are those of the site's clock, told apart by their instants: a day on which
 * clocks change has 23 or 25 of them.  Where clocks change by half an hour, the
 * part of an hour before the change and the part after it are two.
 */
CREATE FUNCTION pk_tracking_internal.report_spans(
	period text,
	days integer,
	OUT spans text,
	OUT key text,
	OUT begins text,
	OUT first_day text,
	OUT last_day text)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	length text := CASE period WHEN 'quarter' THEN '3 months' ELSE '1 ' || period END;
	most CONSTANT integer := 100000;
	n bigint := CASE period WHEN 'hour' THEN days::bigint * 24 WHEN 'day' THEN days
		WHEN 'week' THEN days / 7 WHEN 'month' THEN days / 31 END;
BEGIN
	IF n > most THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('a report has at most %s periods', most),
			hint => 'Ask for fewer days, or for longer periods.');
	END IF;
	first_day := 'greatest(k1::date, $7)';
	begins := format('pk_tracking_internal.day_begin(%s, $6)', first_day);
	IF period = 'hour' THEN
		-- no zone's clock begins an hour at other instants than these
		spans := '(SELECT date_trunc(''hour'', t.at, $6), min(t.at) '
			'FROM generate_series($2, $3 - interval ''1 us'', interval ''15 min'') AS t(at) '
			'GROUP BY 1) AS span(k1, hour_begins)';
		key := 'date_trunc(''hour'', %s, $6)';
		begins := 'hour_begins';
		first_day := '(hour_begins AT TIME ZONE $6)::date';
		last_day := first_day;
	ELSIF period IN ('day', 'week', 'month', 'quarter', 'year') THEN
		spans := format('generate_series(date_trunc(%L, $7::timestamp), $8::timestamp, '
			'interval %L) AS span(k1)', period, length);
		key := format('date_trunc(%L, %%s AT TIME ZONE $6)', period);
		last_day := format('least((k1 + interval %L)::date - 1, $8)', length);
	ELSIF period = 'range' THEN
		spans := '(VALUES ($7::timestamp)) AS span(k1)';
		key := '$7::timestamp';
		last_day := '$8';
	ELSE
		PERFORM pk_tracking_internal.report_error(
			message => format('invalid value for argument "period": "%s"', coalesce(period, 'NULL')),
			hint => 'Valid values are "hour", "day", "week", "month", "quarter", "year", and "range".');
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_spans IS 'the periods of a report as SQL';

/*
 * A report's query with roll-ups in place of what it would count in the log; NULL if
 * they cannot answer: all is read from roll-ups, or nothing.  period_key and
 * first_day: of a report by period, as report_spans() has them.  condition and
 * filter_values: of the filter; NULL without one.
 */
CREATE FUNCTION pk_tracking_internal.report_from_rollups(query text, idsite integer,
	from_date date, to_date date, timezone text, span integer, period_key text, first_day text,
	condition text, filter_values text[])
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	statement text;
	rollup text;
	relation text;
	of_keys text;	-- the filter
BEGIN
	-- a log of an older version has no roll-ups, nor has a site before the first maintain()
	IF to_regclass('pk_tracking.rollup_site') IS NULL
		OR NOT has_table_privilege('pk_tracking.rollup_site', 'SELECT') THEN
		RETURN NULL;
	END IF;
	IF NOT EXISTS (SELECT FROM pk_tracking.rollup_site r
			WHERE r.idsite = report_from_rollups.idsite) THEN
		RETURN NULL;
	END IF;
	statement := regexp_replace(query,
		'\{from rollups\}(.*?)\{or from the log\}.*?\{end of rollups\}', '\1', 'g');
	statement := regexp_replace(statement, '\{rollup ([a-z_]+?)\}.*?\{end of rollup\}',
		'{counts of \1}', 'g');
	IF statement = query THEN
		RETURN NULL;
	END IF;
	FOR rollup IN SELECT DISTINCT m.matched[1]
		FROM regexp_matches(statement, '\{counts of ([a-z_]+)\}', 'g') AS m (matched)
	LOOP
		IF NOT EXISTS (SELECT FROM pk_tracking_internal.rollup_kind k WHERE k.kind = rollup) THEN
			relation := CASE WHEN condition IS NULL
				THEN pk_tracking_internal.rollup_fact_source(rollup, idsite, from_date, to_date,
					timezone, span, period_key, coalesce(first_day, '$7')) END;
		ELSIF condition IS NULL THEN
			relation := pk_tracking_internal.rollup_source(rollup, idsite, from_date, to_date,
				timezone, span, period_key, coalesce(first_day, '$7'));
		ELSE
			of_keys := pk_tracking_internal.rollup_filter(rollup, idsite, timezone, condition,
				filter_values);
			relation := CASE WHEN of_keys IS NOT NULL
				THEN pk_tracking_internal.rollup_source(rollup, idsite, from_date, to_date,
					timezone, span, period_key, coalesce(first_day, '$7'), of_keys) END;
		END IF;
		statement := replace(statement, format('{counts of %s}', rollup), relation);
		EXIT WHEN statement IS NULL;
	END LOOP;
	FOR rollup IN SELECT DISTINCT m.matched[1]
		FROM regexp_matches(statement, '\{times of ([a-z_]+)\}', 'g') AS m (matched)
	LOOP
		statement := replace(statement, format('{times of %s}', rollup),
			pk_tracking_internal.rollup_times_source(rollup, idsite, from_date, to_date,
				timezone, span, period_key));
	END LOOP;
	RETURN statement;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_from_rollups IS
	'text of a report''s query that reads roll-ups; NULL: it must read the log';

/*
 * No visit of a site lasts longer: what log_visit_length says, and a day at least, for
 * visits that no hit has written.
 */
CREATE FUNCTION pk_tracking_internal.report_longest_visit(idsite integer) RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT make_interval(secs => greatest(max(l.seconds), 86400))
	FROM pk_tracking.log_visit_length l WHERE l.idsite = report_longest_visit.idsite
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_longest_visit IS
	'upper bound of the length of a site''s visits';

/*
 * The statement of a report.  query: with the markers that template.sql explains,
 * which are replaced; period: of a report by period.  filter: as the user
 * wrote it.  Of its text nothing gets into the statement: its SQL is made of the
 * expressions of the table of dimensions (filter.c) and of $9, filter_values.  The days
 * and the time zone, if given, let it read roll-ups.
 */
CREATE FUNCTION pk_tracking_internal.report_statement(
	query text,
	idsite integer,
	filter text,
	period text,
	from_date date DEFAULT NULL,
	to_date date DEFAULT NULL,
	timezone text DEFAULT NULL,
	OUT statement text,
	OUT filter_values text[])
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	condition text;
	filtered text;
	of_v text := 'true';	-- over a visit v
	of_visit text := 'true';	-- over a row \1 that has an idvisit
	-- days of the longest period
	span integer := least(to_date - from_date, 10000) + 1;
	s record;
BEGIN
	SELECT NULL AS key, NULL AS first_day INTO s;
	IF query ~ '\{span' THEN
		SELECT * INTO s FROM pk_tracking_internal.report_spans(period, to_date - from_date + 1);
		-- roll-ups know no hours
		span := CASE WHEN period <> 'hour' THEN least(span, CASE period WHEN 'day' THEN 1
			WHEN 'week' THEN 7 WHEN 'month' THEN 31 WHEN 'quarter' THEN 92 WHEN 'year' THEN 366 END) END;
	END IF;
	IF filter IS NOT NULL THEN
		SELECT f.condition, f.filter_values INTO condition, filter_values
			FROM pk_tracking_internal.filter_condition(idsite, filter) f;
	END IF;
	IF from_date IS NOT NULL THEN
		statement := pk_tracking_internal.report_from_rollups(query, idsite, from_date, to_date,
			timezone, span, s.key, s.first_day, condition, filter_values);
	END IF;
	IF statement IS NULL THEN
		statement := query;
		IF strpos(query, '{from rollups}') > 0 THEN
			statement := regexp_replace(statement, '\{from rollups\}.*?\{or from the log\}', '', 'g');
		END IF;
		IF strpos(query, '{end of rollup') > 0 THEN
			statement := regexp_replace(statement, '\{rollup [a-z_]+\}|\{end of rollups?\}', '', 'g');
		END IF;
	END IF;
	IF query ~ '\{span' THEN
		statement := replace(statement, '{spans}', s.spans);
		statement := replace(statement, '{begins}', s.begins);
		statement := replace(statement, '{first_day}', s.first_day);
		statement := replace(statement, '{last_day}', s.last_day);
		statement := regexp_replace(statement, '\{span of ([a-z_.]+)\}',
			format(s.key, '\1'), 'g');
	END IF;
	statement := pk_tracking_internal.report_rows(statement);
	IF strpos(statement, '{longest visit}') > 0 THEN
		-- a constant, by which the planner knows how many visits there are
		statement := replace(statement, '{longest visit}',
			format('%L::interval', pk_tracking_internal.report_longest_visit(idsite)));
	END IF;
	IF filter IS NOT NULL THEN
		-- a filter that looks at other rows than the visit's is asked once, not for
		-- each table that the report reads
		IF condition ~ '\mEXISTS\M' AND query !~ 'FILTER \(WHERE[^)]*\{visit filter v\}' THEN
			of_v := 'v.idvisit IN (SELECT filtered.idvisit FROM filtered)';
			of_visit := '\1.idvisit IN (SELECT filtered.idvisit FROM filtered)';
			filtered := pk_tracking_internal.filter_ranges(idsite, format(
				'WITH filtered AS MATERIALIZED (SELECT v.idvisit FROM pk_tracking.log_visit v '
				'WHERE v.idsite = $1 AND {range v} AND %s)', condition));
			statement := CASE WHEN statement ~ '^\s*WITH\M'
				THEN filtered || regexp_replace(statement, '^\s*WITH\M', ',')
				ELSE filtered || statement END;
		ELSE
			of_v := pk_tracking_internal.filter_ranges(idsite, condition);
			of_visit := pk_tracking_internal.filter_ranges(idsite, format(
				'EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = \1.idvisit '
				'AND v.idsite = $1 AND {range v} AND %s)', condition));
		END IF;
	END IF;
	statement := replace(statement, '{visit filter v}', of_v);
	IF strpos(statement, ' filter ') > 0 THEN
		statement := regexp_replace(statement, '\{(?:action|conversion|item) filter ([a-z]+)\}',
			of_visit, 'g');
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_statement IS
	'a report''s query with the SQL of its period and its filter, and the filter''s values; does not run it';

/*
 * The query of every report that counts visits, with the markers of
 * report_statement(): one pass over the rows of the
 * period, by a range of visit_first_action_time that its BRIN index can use.
 *
 * keys: expressions over the visit v by which visits are grouped.  labels: the
 * first columns of the result, expressions over the keys k1, k2 and so on.
 * condition: over v.  axis: a relation of keys that all appear in the result, in
 * their order, even without visits; without it the result is ordered by number of
 * visits.  kind: by which the visits may be read from roll-ups.
 *
 * Each anonymous visit counts as a visitor.  A bounce is a visit of at most one
 * action, as in Matomo.  Conversions are those of the counted visits.  They are
 * looked up for each group: a sub-select for each visit would make the plan look so
 * dear that the planner finds a sort of all visits no dearer than hashing.
 */
CREATE FUNCTION pk_tracking_internal.report_query(keys text[], labels text[],
	condition text DEFAULT 'true', axis text DEFAULT NULL, kind text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key_columns text;
	key_names text;
BEGIN
	SELECT string_agg(format('%s AS k%s', k.expression, k.n), ', ' ORDER BY k.n),
		string_agg(format('k%s', k.n), ', ' ORDER BY k.n)
		INTO key_columns, key_names
		FROM unnest(keys) WITH ORDINALITY AS k(expression, n);
	RETURN format($query$
		SELECT %s, coalesce(m.nb_visits, 0), coalesce(m.nb_uniq_visitors, 0),
			coalesce(m.nb_users, 0),
			coalesce(m.nb_actions, 0), coalesce(m.nb_pageviews, 0), coalesce(m.max_actions, 0),
			coalesce(m.bounce_count, 0),
			round(coalesce(100.0 * m.bounce_count / m.nb_visits, 0), 1),
			coalesce(m.sum_visit_length, 0),
			coalesce(round(m.sum_visit_length::numeric / m.nb_visits), 0)::bigint,
			round(coalesce(m.nb_actions::numeric / m.nb_visits, 0), 1),
			coalesce(m.nb_visits_converted, 0), coalesce(m.nb_conversions, 0)::bigint,
			coalesce(m.revenue, 0),
			coalesce(m.nb_visits_anonymous, 0),
			round(coalesce(100.0 * m.nb_visits_anonymous / m.nb_visits, 0), 1)
		FROM %s %s(
			SELECT g.*, c.*
			FROM (
				SELECT %s,
					count(*) AS nb_visits,
					pk_tracking_internal.report_distinct(v.idvisitor::bigint) + count(*)
						FILTER (WHERE v.consent >= 2) AS nb_uniq_visitors,
					pk_tracking_internal.report_distinct(v.user_id) AS nb_users,
					sum(v.visit_total_actions) AS nb_actions,
					sum(v.visit_total_interactions - v.visit_total_searches) AS nb_pageviews,
					max(v.visit_total_actions) AS max_actions,
					count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounce_count,
					sum(v.visit_total_time) AS sum_visit_length,
					count(*) FILTER (WHERE v.visit_goal_converted = 1) AS nb_visits_converted,
					array_agg(v.idvisit) FILTER (WHERE v.visit_goal_converted = 1) AS converted,
					count(*) FILTER (WHERE v.consent >= 2) AS nb_visits_anonymous
				FROM pk_tracking.log_visit v
				WHERE {visits v} AND %s
				GROUP BY %s) g
				CROSS JOIN LATERAL (
					SELECT count(*) AS nb_conversions, sum(c.revenue) AS revenue
					FROM pk_tracking.log_conversion c
					WHERE c.idvisit = ANY (g.converted) AND c.idgoal >= 0) c)%s m %s
		ORDER BY %s$query$,
		array_to_string(labels, ', '),
		CASE WHEN axis IS NOT NULL THEN axis || ' LEFT JOIN' END,
		CASE WHEN kind IS NOT NULL THEN format('{rollup %s} ', kind) END,
		key_columns, condition, array_to_string(keys, ', '),
		CASE WHEN kind IS NOT NULL THEN ' {end of rollup}' END,
		CASE WHEN axis IS NOT NULL THEN format('USING (%s)', key_names) END,
		CASE WHEN axis IS NULL THEN 'm.nb_visits DESC, ' ELSE '' END || key_names);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_query IS
	'text of a query that counts visits; does not run it';

/*
 * The metrics of a visit as columns, in the order in which report_query() computes
 * them.
 */
CREATE FUNCTION pk_tracking_internal.visit_metrics() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT 'nb_visits bigint, nb_uniq_visitors bigint, nb_users bigint, '
		'nb_actions bigint, nb_pageviews bigint, max_actions integer, '
		'bounce_count bigint, bounce_rate numeric, '
		'sum_visit_length bigint, avg_time_on_site bigint, nb_actions_per_visit numeric, '
		'nb_visits_converted bigint, nb_conversions bigint, revenue numeric, '
		'nb_visits_anonymous bigint, anonymous_rate numeric'
$$;
COMMENT ON FUNCTION pk_tracking_internal.visit_metrics IS
	'the result columns of reports that count visits';
