
-- ---------------------------------------------------------------------------
-- rollup/fact_query: the query that counts actions, entries, exits, conversions
-- ---------------------------------------------------------------------------

/*
 * Where the things come from that are counted.  Each source is a relation with an
 * alias that the kinds' expressions use, and a time.
 */
CREATE TABLE pk_tracking_internal.rollup_origin (
	source text PRIMARY KEY,
	relation text NOT NULL,
	alias text NOT NULL,
	moment text NOT NULL,
	within text NOT NULL);
COMMENT ON TABLE pk_tracking_internal.rollup_origin IS
	'what roll-ups count; filled when the extension is installed';
COMMENT ON COLUMN pk_tracking_internal.rollup_origin.source IS 'name';
COMMENT ON COLUMN pk_tracking_internal.rollup_origin.relation IS
	'its FROM clause; the main table has the columns idsite, idvisit, idvisitor and consent';
COMMENT ON COLUMN pk_tracking_internal.rollup_origin.alias IS 'alias of the main table';
COMMENT ON COLUMN pk_tracking_internal.rollup_origin.moment IS 'the time to which a thing belongs';
COMMENT ON COLUMN pk_tracking_internal.rollup_origin.within IS
	'whether that time lies between run.begins and run.ends, so that an index can find them';

CREATE TABLE pk_tracking_internal.rollup_fact_kind (
	kind text NOT NULL,
	source text NOT NULL,
	keys text[] NOT NULL,
	number text,
	words text[] NOT NULL,
	condition text NOT NULL,
	visits boolean NOT NULL,
	part text,
	visitors boolean NOT NULL,
	sums text[] NOT NULL,
	PRIMARY KEY (kind, source));
COMMENT ON TABLE pk_tracking_internal.rollup_fact_kind IS
	'by what roll-ups count actions, entries, exits and conversions; filled when the extension is installed';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.kind IS 'name';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.source IS 'as in rollup_origin; a kind may have several';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.keys IS
	'expressions over the source, numbers of names by which it counts; none is null';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.number IS
	'an expression that is an integer by which it counts; NULL: none';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.words IS
	'expressions that are texts by which it counts';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.condition IS 'what is counted, over the source';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.visits IS 'whether visits are counted';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.part IS
	'an expression that is the part of a visit, a text, that is counted instead of the visit; NULL: none';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.visitors IS
	'whether unique visitors are counted, too';
COMMENT ON COLUMN pk_tracking_internal.rollup_fact_kind.sums IS
	'NAME AGGREGATE EXPRESSION of each further number: the aggregate is sum, min, max, or total for a sum that is a bigint';

CREATE FUNCTION pk_tracking_internal.make_rollup_fact_kind(kind text, source text, keys text[],
	condition text, sums text[] DEFAULT '{}', number text DEFAULT NULL, words text[] DEFAULT '{}',
	visits boolean DEFAULT true, part text DEFAULT NULL, visitors boolean DEFAULT true)
RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO pk_tracking_internal.rollup_fact_kind
		(kind, source, keys, number, words, condition, visits, part, visitors, sums)
	VALUES (kind, source, keys, number, words, condition, visits, part, visitors, sums)
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_fact_kind IS
	'lets roll-ups count things of a source by some keys';

/*
 * What a kind adds up: the column of rollup_fact, the name, the aggregate over
 * several rows, the type of the result, and the expression.
 */
CREATE FUNCTION pk_tracking_internal.rollup_sums(sums text[], OUT col text, OUT name text,
	OUT aggregate text, OUT type text, OUT expression text)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT ROWS 8
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE x.aggregate WHEN 'min' THEN 'minimum' WHEN 'max' THEN 'maximum'
			ELSE 'amount_' || row_number() OVER (PARTITION BY x.aggregate IN ('min', 'max') ORDER BY x.n) END,
		x.name, CASE x.aggregate WHEN 'total' THEN 'sum' ELSE x.aggregate END,
		CASE x.aggregate WHEN 'total' THEN 'bigint' ELSE 'numeric' END, x.expression
	FROM (
		SELECT m[1] AS name, m[2] AS aggregate, m[3] AS expression, n
		FROM unnest(sums) WITH ORDINALITY AS u (text, n)
			CROSS JOIN LATERAL regexp_match(u.text, '^(\w+) (\w+) (.*)$') AS m) x
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_sums IS 'what a kind of roll-ups adds up';

/* The columns of rollup_fact for that. */
CREATE FUNCTION pk_tracking_internal.rollup_sum_columns(OUT name text, OUT aggregate text)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES ('amount_1', 'sum'), ('amount_2', 'sum'), ('amount_3', 'sum'), ('amount_4', 'sum'),
		('amount_5', 'sum'), ('amount_6', 'sum'), ('amount_7', 'sum'), ('amount_8', 'sum'),
		('maximum', 'max'), ('minimum', 'min')
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_sum_columns IS
	'columns of rollup_fact that are added up, and how';

/*
 * What a kind reads of a source, over the source's alias: ", EXPRESSION AS NAME" of each
 * key; names: ", NAME" of each; sums: likewise each value that is added up, by the name
 * of its column; keys: the keys as columns of rollup_fact.
 */
CREATE FUNCTION pk_tracking_internal.rollup_fact_columns(kind text, OUT source text,
	OUT expressions text, OUT names text, OUT sums text, OUT keys text)
RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL SAFE STRICT ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT k.source, n.expressions, n.names,
		(SELECT coalesce(string_agg(format(', (%s)::%s AS %I', m.expression, m.type, m.col), ''
				ORDER BY m.col), '')
			FROM pk_tracking_internal.rollup_sums(k.sums) m),
		n.keys
	FROM pk_tracking_internal.rollup_fact_kind k
		CROSS JOIN LATERAL (
			SELECT coalesce(string_agg(format(', (%s)::%s AS %s', e.expression, e.type, e.name), ''
					ORDER BY e.name), '') AS expressions,
				coalesce(string_agg(', ' || e.name, '' ORDER BY e.name), '') AS names,
				format('%s AS idaction_1, %s AS idaction_2, %s AS idaction_3, %s AS number, '
						'ARRAY[%s]::text[] AS words',
					CASE WHEN cardinality(k.keys) >= 1 THEN 'k1' ELSE '0::bigint' END,
					CASE WHEN cardinality(k.keys) >= 2 THEN 'k2' ELSE '0::bigint' END,
					CASE WHEN cardinality(k.keys) >= 3 THEN 'k3' ELSE '0::bigint' END,
					CASE WHEN k.number IS NOT NULL THEN 'number' ELSE '0' END,
					string_agg(e.name, ', ' ORDER BY e.name) FILTER (WHERE e.type = 'text')) AS keys
			FROM (
				SELECT u.key AS expression, 'bigint' AS type, 'k' || u.n AS name
				FROM unnest(k.keys) WITH ORDINALITY AS u (key, n)
				UNION ALL
				SELECT k.number, 'integer', 'number' WHERE k.number IS NOT NULL
				UNION ALL
				SELECT u.word, 'text', 'w' || u.n
				FROM unnest(k.words) WITH ORDINALITY AS u (word, n)) e) n
	WHERE k.kind = rollup_fact_columns.kind
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_fact_columns IS
	'parts of the query that counts a kind of things; does not run it';

/*
 * The query that counts a kind of things, over the relations that
 * rollup_fact_query() makes of its sources: thing_SOURCE, whose rows have a day, and
 * before_SOURCE, earlier rows, which say when visits and visitors were there before:
 * of the day's own visits, and of all visits of the day's visitors.  mixed_SOURCE: the
 * rows of both of visits that have acted under both consents.
 *
 * Parts of a visit that are counted instead of it get numbers, because rollup_ages()
 * takes numbers.  Words may be null, so nothing is joined by keys.
 */
CREATE FUNCTION pk_tracking_internal.rollup_fact_kind_query(kind text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	k record;
	totals text;
	no_sums text;
	result text;
BEGIN
	SELECT min(c.names) AS names, min(c.keys) AS keys, bool_or(f.visits) AS visits,
			bool_or(f.visitors) AS visitors, bool_or(f.part IS NOT NULL) AS in_parts,
			string_agg(format('SELECT %1$s.day, %1$s.before, %1$s.anonymous, %1$s.visitor, %1$s.idvisit, '
					'%1$s.own%2$s%3$s FROM %4$s %1$s WHERE %5$s',
				s.alias, c.expressions || coalesce(', (' || f.part || ')::text AS part', ''), c.sums,
				CASE WHEN f.visits OR f.visitors THEN format('(SELECT * FROM thing_%1$s UNION ALL '
					'SELECT * FROM before_%1$s)', c.source) ELSE 'thing_' || c.source END,
				f.condition), ' UNION ALL ') AS rows,
			string_agg(format('SELECT %1$s.day, %1$s.before, %1$s.anonymous, %1$s.idvisit%2$s '
				'FROM mixed_%3$s %1$s WHERE %4$s', s.alias,
				c.expressions || coalesce(', (' || f.part || ')::text AS part', ''), c.source,
				f.condition), ' UNION ALL ') AS mixed_rows
		INTO k
		FROM pk_tracking_internal.rollup_fact_columns(kind) c
			JOIN pk_tracking_internal.rollup_origin s USING (source)
			JOIN pk_tracking_internal.rollup_fact_kind f ON f.kind = rollup_fact_kind_query.kind
				AND f.source = c.source;
	SELECT string_agg(CASE WHEN m.col IS NULL THEN format(', NULL::numeric AS %s', c.name)
				ELSE format(', (%s(%I) FILTER (WHERE t.before IS NULL))::numeric AS %2$I',
					c.aggregate, c.name) END, '' ORDER BY c.name),
		string_agg(', NULL', '')
		INTO totals, no_sums
		FROM pk_tracking_internal.rollup_sum_columns() c
			LEFT JOIN (
				SELECT DISTINCT m.col FROM pk_tracking_internal.rollup_fact_kind f,
					pk_tracking_internal.rollup_sums(f.sums) m
				WHERE f.kind = rollup_fact_kind_query.kind) m ON m.col = c.name;
	result := format($query$
	SELECT t.day, %1$L::text AS kind, %2$s, t.anonymous::integer::smallint AS consents, t.nb_hits,
		%3$s AS nb_visits, %4$s AS nb_uniq_visitors, %5$s%6$s
	FROM (
		SELECT t.day, t.anonymous%7$s, count(*) FILTER (WHERE t.before IS NULL) AS nb_hits%8$s%9$s%10$s
		FROM (%11$s) t
		-- a sort compares the keys first, which have the most values
		GROUP BY %12$s t.anonymous, t.day
		HAVING count(*) FILTER (WHERE t.before IS NULL) > 0) t$query$,
		kind, k.keys, CASE WHEN k.visits THEN '(t.by_visit).n' ELSE '0' END,
		CASE WHEN k.visitors THEN '(t.by_visitor).n' ELSE '0' END,
		CASE WHEN k.visits THEN '(t.by_visit).ages AS visit_ages, (t.by_visit).counts AS visits'
			ELSE 'NULL::smallint[] AS visit_ages, NULL::integer[] AS visits' END
		|| CASE WHEN k.visitors
			THEN ', (t.by_visitor).ages AS visitor_ages, (t.by_visitor).counts AS visitors'
			ELSE ', NULL::smallint[] AS visitor_ages, NULL::integer[] AS visitors' END,
		(SELECT string_agg(', t.' || c.name, '' ORDER BY c.name)
			FROM pk_tracking_internal.rollup_sum_columns() c),
		k.names,
		CASE WHEN k.visits THEN ', pk_tracking_internal.rollup_ages(CASE WHEN t.own THEN t.idvisit END, '
			't.day - t.before) AS by_visit' ELSE '' END,
		CASE WHEN k.visitors THEN ', pk_tracking_internal.rollup_ages(t.visitor, t.day - t.before) '
			'AS by_visitor' ELSE '' END,
		totals,
		CASE WHEN k.in_parts THEN format('SELECT t.day, t.before, t.anonymous, t.visitor, '
			'dense_rank() OVER (ORDER BY t.idvisit, t.part) AS idvisit, t.own%s%s FROM (%s) t', k.names,
			(SELECT string_agg(', t.' || m.col, '') FROM (
				SELECT DISTINCT m.col FROM pk_tracking_internal.rollup_fact_kind f,
					pk_tracking_internal.rollup_sums(f.sums) m
				WHERE f.kind = rollup_fact_kind_query.kind) m), k.rows)
			ELSE k.rows END,
		regexp_replace(k.names, '^, (.*)$', '\1,'));
	IF k.visits THEN
		-- what counts a visit twice, and so is taken off where both consents are counted
		result := result || format($query$
	UNION ALL
	SELECT t.day, %1$L::text, %2$s, 2::smallint, 0,
		coalesce(sum(t.n) FILTER (WHERE t.age IS NULL OR t.age > 366), 0)::integer, 0,
		array_agg(t.age::smallint ORDER BY t.age) FILTER (WHERE t.age <= 366),
		array_agg(t.n ORDER BY t.age) FILTER (WHERE t.age <= 366), NULL, NULL%3$s
	FROM (
		SELECT t.day%4$s, t.day - x.before AS age, sum(x.n)::integer AS n
		FROM (
			SELECT t.day%4$s, max(t.before) FILTER (WHERE NOT t.anonymous) AS identified,
				max(t.before) FILTER (WHERE t.anonymous) AS anonymously,
				bool_or(t.before IS NULL AND NOT t.anonymous) AS now_identified,
				bool_or(t.before IS NULL AND t.anonymous) AS now_anonymously
			FROM (%5$s) t
			GROUP BY t.day, t.idvisit%4$s%6$s HAVING bool_or(t.before IS NULL)) t
			CROSS JOIN LATERAL (VALUES (greatest(identified, anonymously), 1),
				(identified, CASE WHEN now_identified THEN -1 ELSE 0 END),
				(anonymously, CASE WHEN now_anonymously THEN -1 ELSE 0 END)) AS x (before, n)
		GROUP BY t.day, t.day - x.before%4$s HAVING sum(x.n) <> 0) t
	GROUP BY t.day%4$s$query$,
			kind, k.keys, no_sums, k.names, k.mixed_rows,
			CASE WHEN k.in_parts THEN ', t.part' ELSE '' END);
	END IF;
	RETURN result;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_fact_kind_query IS
	'part of the query that counts things for roll-ups, for one kind; does not run it';

/*
 * The query that counts the things of some runs of days, as the columns of
 * rollup_fact but the site; idaction_1 and so on are 0 where there is none.
 * runs: a relation run (day, begins, ends), of which "day" may be null: then it is
 * the thing's own.  history: false if ages are not needed, because each day is counted
 * by itself.  Parameters: $1 site, $2 how far back is looked, $4 and
 * $5 least and greatest consent, $6 time zone.
 *
 * Each source is read once, then each kind counts by itself.  A run's rows are looked
 * up by themselves (OFFSET 0), so that no plan reads a whole table for them.
 *
 * A visitor's earlier visits are found by the index that recognises visitors, and
 * those whose visit has another id now by log_other_id; "own" are the visits of the
 * day itself, which were there before where they last over midnight.  Visits begin
 * near their actions, but not always where rows were changed by hand: 30 days.
 */
CREATE FUNCTION pk_tracking_internal.rollup_fact_query(kinds text[], runs text,
	history boolean)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	s record;
	things text := '';
	befores text := '';
	of_mixed text := '';
	visits text[] := '{}';		-- SELECTs of day and visit, of day and visitor, of visits and consent
	visitors text[] := '{}';
	consents text[] := '{}';
	visit_columns text[] := '{consent, idvisitor}';
BEGIN
	FOR s IN
		SELECT o.source, o.relation, o.alias, o.moment, o.within, k.visits, k.visitors, k.condition,
			(SELECT string_agg(DISTINCT format(', %s.%s', o.alias, m[1]), '')
				FROM regexp_matches(k.text, '\m' || o.alias || '\.(\w+)', 'g') m
				WHERE m[1] NOT IN ('consent', 'idvisitor')) AS columns
		FROM pk_tracking_internal.rollup_origin o
			JOIN (
				SELECT k.source, bool_or(k.visits) AS visits, bool_or(k.visitors) AS visitors,
					string_agg(concat_ws(' ', array_to_string(k.keys, ' '), array_to_string(k.words, ' '),
						k.number, k.part, k.condition, array_to_string(k.sums, ' ')), ' ')
						|| format(' %s.idvisit', min(o.alias)) AS text,
					-- one kind alone needs no other rows
					CASE WHEN count(*) = 1 THEN min(k.condition) ELSE 'true' END AS condition
				FROM pk_tracking_internal.rollup_fact_kind k
					JOIN pk_tracking_internal.rollup_origin o USING (source)
				WHERE k.kind = ANY (kinds)
				GROUP BY k.source) k USING (source)
		ORDER BY o.source
	LOOP
		things := things || format($query$%1$s
	thing_%2$s AS MATERIALIZED (
		SELECT coalesce(run.day, (%3$s.moment AT TIME ZONE $6)::date) AS day, NULL::date AS before,
			%3$s.consent >= 2 AS anonymous, %3$s.idvisitor::bigint AS visitor, true AS own%4$s
		FROM %5$s CROSS JOIN LATERAL (
			SELECT %3$s.consent, %3$s.idvisitor, %6$s AS moment%4$s
			FROM %7$s
			WHERE %3$s.idsite = $1 AND %3$s.consent BETWEEN $4 AND $5 AND %8$s AND (%9$s)
			OFFSET 0) AS %3$s)$query$,
			CASE WHEN things <> '' THEN ',' END, s.source, s.alias, s.columns, runs, s.moment, s.relation,
			s.within, s.condition);
		IF s.relation = 'pk_tracking.log_visit v' THEN
			-- several sources are visits: these are looked up once
			visit_columns := visit_columns || ARRAY(
				SELECT m[1] FROM regexp_matches(concat_ws(' ', s.columns, s.moment), '\mv\.(\w+)', 'g') m);
			befores := befores || format($query$,
	before_%1$s AS MATERIALIZED (
		SELECT v.day, (v.moment AT TIME ZONE $6)::date AS before, v.consent >= 2 AS anonymous,
			v.idvisitor::bigint AS visitor, v.own%2$s
		FROM (SELECT v.*, %3$s AS moment FROM earlier_visit v OFFSET 0) v
		WHERE v.moment < v.begins AND v.moment >= $2%4$s AND (%5$s)
			AND (v.moment AT TIME ZONE $6)::date >= v.day - 366)$query$,
				s.source, s.columns, s.moment,
				CASE WHEN s.visitors THEN '' ELSE ' AND v.own' END, s.condition);
		ELSE
			befores := befores || format($query$,
	before_%1$s AS MATERIALIZED (
		SELECT run.day, (%2$s.moment AT TIME ZONE $6)::date AS before, %2$s.consent >= 2 AS anonymous,
			%2$s.idvisitor::bigint AS visitor, run.own%3$s
		FROM (SELECT * FROM earlier run WHERE %6$s) run CROSS JOIN LATERAL (
			SELECT %2$s.consent, %2$s.idvisitor, %4$s AS moment%3$s
			FROM %5$s
			WHERE %2$s.idsite = $1 AND %2$s.consent BETWEEN $4 AND $5 AND %2$s.idvisit = run.idvisit
				AND %4$s < run.begins AND %4$s >= $2 AND (%7$s)
			OFFSET 0) AS %2$s
		WHERE (%2$s.moment AT TIME ZONE $6)::date >= run.day - 366)$query$,
				s.source, s.alias, s.columns, s.moment, s.relation,
				CASE WHEN s.visitors THEN 'true' ELSE 'run.own' END, s.condition);
		END IF;
		IF s.visits THEN
			visits := visits || format('SELECT t.day, t.idvisit FROM thing_%s t', s.source);
			consents := consents || format('SELECT t.idvisit, t.anonymous FROM thing_%1$s t UNION ALL '
				'SELECT t.idvisit, t.anonymous FROM before_%1$s t WHERE t.own', s.source);
			of_mixed := of_mixed || format($query$,
	mixed_%1$s AS MATERIALIZED (
		SELECT t.day, t.before, t.anonymous%2$s FROM thing_%1$s %3$s
		WHERE %3$s.idvisit IN (SELECT m.idvisit FROM mixed m)
		UNION ALL
		SELECT t.day, t.before, t.anonymous%2$s FROM before_%1$s %3$s
		WHERE %3$s.own AND %3$s.idvisit IN (SELECT m.idvisit FROM mixed m))$query$,
				s.source, s.columns, s.alias);
			of_mixed := replace(of_mixed, 'SELECT t.day, t.before, t.anonymous', format(
				'SELECT %1$s.day, %1$s.before, %1$s.anonymous', s.alias));
		END IF;
		IF s.visitors THEN
			visitors := visitors || format('SELECT t.day, t.visitor FROM thing_%s t '
				'WHERE t.visitor IS NOT NULL', s.source);
		END IF;
	END LOOP;
	RETURN format($query$
	WITH %1$s,
	own_visit AS MATERIALIZED (
		SELECT t.day, t.idvisit FROM (%2$s) t WHERE t.idvisit IS NOT NULL GROUP BY t.day, t.idvisit),
	visitor AS MATERIALIZED (
		SELECT t.day, t.visitor FROM (%3$s) t GROUP BY t.visitor, t.day ORDER BY t.visitor),
	day AS MATERIALIZED (
		SELECT t.day, pk_tracking_internal.day_begin(t.day, $6) AS begins
		FROM (SELECT v.day FROM own_visit v UNION SELECT w.day FROM visitor w) t),
	earlier AS MATERIALIZED (
		SELECT t.idvisit, t.day, d.begins, t.own
		FROM (
			SELECT t.idvisit, t.day, bool_or(t.own) AS own
			FROM (
				SELECT v.day, v.idvisit, true AS own FROM own_visit v
				UNION ALL
				SELECT w.day, v.idvisit, false
				FROM visitor w JOIN day d USING (day)
					CROSS JOIN LATERAL (
						SELECT v.idvisit FROM pk_tracking.log_visit v WHERE v.idsite = $1
							AND v.idvisitor OPERATOR(@extschema@.=) w.visitor::@extschema@.hexid
							AND v.visit_first_action_time >= $2 - interval '30 days'
							AND v.visit_first_action_time < d.begins + interval '30 days'
						UNION ALL
						SELECT o.idvisit FROM pk_tracking.log_other_id o WHERE o.idsite = $1
							AND o.idvisitor OPERATOR(@extschema@.=) w.visitor::@extschema@.hexid
						OFFSET 0) v) t
			GROUP BY t.idvisit, t.day) t
			JOIN day d USING (day)
		WHERE %4$s),
	earlier_visit AS MATERIALIZED (
		SELECT run.*, v.*
		FROM earlier run CROSS JOIN LATERAL (
			SELECT %9$s FROM pk_tracking.log_visit v
			WHERE v.idvisit = run.idvisit AND v.idsite = $1 AND v.consent BETWEEN $4 AND $5
			OFFSET 0) v)%5$s,
	mixed AS MATERIALIZED (
		SELECT t.idvisit FROM (%6$s) t WHERE t.idvisit IS NOT NULL
		GROUP BY t.idvisit HAVING bool_or(t.anonymous) AND NOT bool_and(t.anonymous))%7$s%8$s$query$,
		things,
		coalesce(nullif(array_to_string(visits, ' UNION ALL '), ''),
			'SELECT NULL::date AS day, NULL::bigint AS idvisit WHERE false'),
		coalesce(nullif(array_to_string(visitors, ' UNION ALL '), ''),
			'SELECT NULL::date AS day, NULL::bigint AS visitor WHERE false'),
		history::text, befores,
		coalesce(nullif(array_to_string(consents, ' UNION ALL '), ''),
			'SELECT NULL::bigint AS idvisit, false AS anonymous WHERE false'),
		of_mixed,
		(SELECT string_agg(pk_tracking_internal.rollup_fact_kind_query(k.kind), ' UNION ALL ')
			FROM (SELECT DISTINCT u.kind FROM unnest(kinds) AS u (kind) ORDER BY 1) k),
		(SELECT string_agg(DISTINCT 'v.' || u.name, ', ') FROM unnest(visit_columns) AS u (name)
			WHERE u.name <> 'idvisit'));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_fact_query IS
	'text of the query that counts things for roll-ups, and for days that have none; does not run it';
