
-- ---------------------------------------------------------------------------
-- report/evolution: the reports that there are, and a row of any of them over time
-- ---------------------------------------------------------------------------

/*
 * Read from the catalog: the members of the extension that take a site, days,
 * visitors and a filter.  Of their columns those that name a row come first and are
 * of other types than bigint and numeric, which counts, sums and rates have.
 */
CREATE VIEW pk_tracking.reports AS
	SELECT p.proname AS name,
		coalesce(c.labels, '{}') AS labels, coalesce(c.numbers, '{}') AS numbers,
		c.arguments, 'period' = ANY (c.arguments) AND 'begins' = ANY (c.columns) AS by_period,
		pg_catalog.obj_description(p.oid, 'pg_proc') AS description,
		p.proargnames[4:p.pronargs - p.pronargdefaults] AS required
	FROM pg_catalog.pg_proc p
		JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
			AND d.objid = p.oid AND d.deptype = 'e'
			AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
		JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'pk_tracking'
		CROSS JOIN LATERAL (
			SELECT array_agg(a.name ORDER BY a.n) FILTER (WHERE a.mode = 't'
					AND a.n < a.first_number
					AND a.name NOT IN ('first_day', 'last_day', 'begins')) AS labels,
				array_agg(a.name ORDER BY a.n) FILTER (WHERE a.mode = 't'
					AND a.n >= a.first_number
					AND a.type IN ('bigint'::pg_catalog.regtype, 'numeric'::pg_catalog.regtype,
						'integer'::pg_catalog.regtype)) AS numbers,
				array_agg(a.name ORDER BY a.n) FILTER (WHERE a.mode = 't') AS columns,
				array_agg(a.name ORDER BY a.n) FILTER (WHERE a.mode = 'i') AS arguments
			FROM (
				SELECT a.name, a.mode, a.type, a.n, min(a.n) FILTER (WHERE a.mode = 't'
					AND a.type IN ('bigint'::pg_catalog.regtype, 'numeric'::pg_catalog.regtype))
					OVER () AS first_number
				FROM unnest(p.proargnames, p.proargmodes, p.proallargtypes)
					WITH ORDINALITY AS a(name, mode, type, n)) a) c
	WHERE p.pronamespace = 'pk_tracking'::pg_catalog.regnamespace
		AND c.arguments[1:3] = '{idsite,from_date,to_date}'
		AND c.arguments @> '{visitors,filter}';
COMMENT ON VIEW pk_tracking.reports IS 'the reports of a period, with their columns and arguments';
COMMENT ON COLUMN pk_tracking.reports.name IS 'name of the function';
COMMENT ON COLUMN pk_tracking.reports.labels IS 'columns that name a row';
COMMENT ON COLUMN pk_tracking.reports.numbers IS 'columns of numbers';
COMMENT ON COLUMN pk_tracking.reports.arguments IS 'names of the arguments, in their order';
COMMENT ON COLUMN pk_tracking.reports.by_period IS
	'true if it has the argument "period", and a row for each period';
COMMENT ON COLUMN pk_tracking.reports.description IS 'what it reports';
COMMENT ON COLUMN pk_tracking.reports.required IS
	'names of its own arguments that have no default: report_evolution() takes them in "arguments"';

/*
 * The types of a report's arguments, and a regular expression for what is certainly
 * a value of such a type.
 */
CREATE FUNCTION pk_tracking_internal.report_argument_forms(report text)
RETURNS TABLE (name text, type text, form text)
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.name, format_type(a.type, NULL),
		CASE a.type WHEN 'integer'::regtype THEN '^-?[0-9]{1,9}$'
			WHEN 'interval'::regtype
				THEN '^[0-9]{1,6} (second|minute|hour|day|week|month|year)s?$|^[0-9]{1,4}:[0-5][0-9](:[0-5][0-9])?$'
			ELSE '' END
	FROM pg_proc p
		CROSS JOIN LATERAL unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) AS a(name, type)
	WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname = report
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_argument_forms IS
	'names and types of a report''s arguments, and what a value must look like';

/*
 * The call of a report as SQL: a query over $1 idsite, $2 and $3 first and last
 * day, $4 visitors, $5 filter, $6 labels, for the numbers of the rows with these
 * labels as JSON objects.  Names come from the catalog; what the user wrote is a
 * parameter or a quoted literal.  missing: the numbers where there is no such row.
 */
CREATE FUNCTION pk_tracking_internal.report_row_query(report text, labels text[], arguments jsonb,
	OUT query text, OUT missing jsonb)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	common CONSTANT text[] := '{idsite,from_date,to_date,period,visitors,filter}';
	chosen record;
	names text;
	wrong record;
	given text;
BEGIN
	-- single visits are no rows that last
	SELECT * INTO chosen FROM pk_tracking.reports r
		WHERE r.name = report AND r.numbers <> '{}' AND NOT 'max_visits' = ANY (r.arguments);
	IF NOT FOUND THEN
		SELECT string_agg(format('"%s"', r.name), ', ' ORDER BY r.name) INTO names
			FROM pk_tracking.reports r
			WHERE r.numbers <> '{}' AND NOT 'max_visits' = ANY (r.arguments);
		PERFORM pk_tracking_internal.report_error(
			message => format('invalid value for argument "report": "%s"', coalesce(report, 'NULL')),
			hint => format('Valid values are %s.', names));
	END IF;
	IF array_ndims(labels) > 1 OR cardinality(labels) > cardinality(chosen.labels) THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('argument "labels" has more elements than a row of %s has labels',
				report),
			hint => format('Its labels are: %s.',
				coalesce(nullif(array_to_string(chosen.labels, ', '), ''), 'none')));
	END IF;
	IF jsonb_typeof(arguments) <> 'object' THEN
		PERFORM pk_tracking_internal.report_error(
			message => 'argument "arguments" must be a JSON object',
			hint => 'Pass the report''s own arguments by name, such as ''{"goal": 1}''.');
	END IF;
	SELECT a.key INTO wrong FROM jsonb_object_keys(arguments) AS a(key)
		WHERE a.key = ANY (common) OR a.key <> ALL (chosen.arguments) LIMIT 1;
	IF FOUND THEN
		SELECT string_agg(format('"%s"', a.name), ', ' ORDER BY a.n) INTO names
			FROM unnest(chosen.arguments) WITH ORDINALITY AS a(name, n)
			WHERE a.name <> ALL (common);
		PERFORM pk_tracking_internal.report_error(
			message => format('%s has no argument of its own "%s"', report, wrong.key),
			hint => format('Its own arguments are: %s.', coalesce(names, 'none')));
	END IF;
	SELECT a.name AS key INTO wrong FROM unnest(chosen.required) WITH ORDINALITY AS a(name, n)
		WHERE NOT coalesce(arguments, '{}') ? a.name ORDER BY a.n LIMIT 1;
	IF FOUND THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('%s needs its argument "%s"', report, wrong.key),
			hint => format('Pass it in argument "arguments": ''{"%s": ...}''.', wrong.key));
	END IF;
	-- what the server would say of a value shows the call that is made of it here
	SELECT a.key, t.type, t.form INTO wrong
		FROM jsonb_each(arguments) AS a
			JOIN pk_tracking_internal.report_argument_forms(report) t ON t.name = a.key
		WHERE a.value <> 'null' AND NOT CASE WHEN t.type ~ '\[\]$'
			THEN jsonb_typeof(a.value) = 'array'
			ELSE jsonb_typeof(a.value) IN ('string', 'number') AND a.value #>> '{}' ~ t.form END
		LIMIT 1;
	IF FOUND THEN
		PERFORM pk_tracking_internal.report_error(
			message => format('invalid value for argument "%s" of %s', wrong.key, report),
			hint => format('It is of the type %s.', wrong.type));
	END IF;
	SELECT string_agg(format(', %I => %L', a.key,
			CASE WHEN jsonb_typeof(a.value) = 'array'
				THEN (SELECT coalesce(array_agg(e.value ORDER BY e.n), '{}')
					FROM jsonb_array_elements_text(a.value) WITH ORDINALITY AS e(value, n))::text
				ELSE a.value #>> '{}' END), '')
		INTO given FROM jsonb_each(arguments) AS a;
	query := format('SELECT to_jsonb(x) FROM (SELECT %s FROM pk_tracking.%I(idsite => $1, '
		'from_date => $2, to_date => $3, visitors => $4, filter => $5%s%s) x WHERE %s LIMIT 2) x',
		(SELECT string_agg(format('x.%I', n.name), ', ' ORDER BY n.n)
			FROM unnest(chosen.numbers) WITH ORDINALITY AS n(name, n)),
		report, CASE WHEN chosen.by_period THEN ', period => ''range''' END, given,
		coalesce((SELECT string_agg(format(
				'(x.%1$I::text = ($6)[%2$s] OR x.%1$I IS NULL AND ($6)[%2$s] IS NULL)',
				l.name, array_lower(labels, 1) + l.n - 1), ' AND ')
			FROM unnest(chosen.labels) WITH ORDINALITY AS l(name, n)
			WHERE l.n <= cardinality(labels)), 'true'));
	SELECT jsonb_object_agg(n.name, CASE WHEN n.name !~ '^(min|max|avg|median|p95)_' THEN 0 END)
		INTO missing FROM unnest(chosen.numbers) AS n(name);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_row_query IS
	'text of the query of report_evolution(), which does not run here, and the numbers of a row that there is not';

/*
 * The report is called once for each period: each call reads the rows of its days,
 * so that all together they read what one call for all days does.
 */
CREATE FUNCTION pk_tracking.report_evolution(idsite integer, from_date date, to_date date,
	report text, labels text[] DEFAULT '{}', period text DEFAULT 'day',
	arguments jsonb DEFAULT NULL, visitors text DEFAULT 'all', filter text DEFAULT NULL)
RETURNS TABLE (first_day date, last_day date, begins timestamptz, numbers jsonb)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	r record;
	s record;
	q record;
	ends timestamptz;
	results jsonb[];
BEGIN
	SELECT * INTO r
		FROM pk_tracking_internal.report_period(report_evolution.idsite,
			report_evolution.from_date, report_evolution.to_date, report_evolution.visitors);
	SELECT * INTO s FROM pk_tracking_internal.report_spans(report_evolution.period,
		r.to_date - r.from_date + 1);
	SELECT * INTO q FROM pk_tracking_internal.report_row_query(report_evolution.report,
		report_evolution.labels, report_evolution.arguments);
	FOR first_day, last_day, begins, ends IN EXECUTE
		format('SELECT %s, %s, %s, lead(%3$s, 1, $3) OVER (ORDER BY k1) FROM %s ORDER BY k1',
			s.first_day, s.last_day, s.begins, s.spans)
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone,
			r.from_date, r.to_date
	LOOP
		EXECUTE format('SELECT array_agg(x) FROM (%s) x(x)', q.query) INTO results
			USING r.idsite, first_day, last_day,
				CASE WHEN report_evolution.period = 'hour'
					THEN pk_tracking_internal.report_part(report_evolution.visitors, begins, ends)
					ELSE report_evolution.visitors END,
				report_evolution.filter, report_evolution.labels;
		IF cardinality(results) > 1 THEN
			PERFORM pk_tracking_internal.report_error(
				message => format('several rows of %s have these labels', report_evolution.report),
				hint => (SELECT format('Pass all labels: %s.', array_to_string(x.labels, ', '))
					FROM pk_tracking.reports x WHERE x.name = report_evolution.report));
		END IF;
		numbers := coalesce(results[1], q.missing);
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_evolution IS
	'a row of any report of the view reports over time: its numbers for each hour, day, week, month, quarter or year; labels: the row''s first columns, in their order; arguments: the report''s own ones, as a JSON object';
