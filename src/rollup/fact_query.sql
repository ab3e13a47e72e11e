
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
 * The things of some kinds as the text of a query, a row for each thing and kind.
 * runs: a relation run (day, begins, ends), of which "day" may be null: then it is
 * the thing's own.  found: the condition that finds them.  history: only what says
 * when a visit or visitor was there before, of things before run.begins.
 *
 * A run's rows are looked up by themselves (OFFSET 0), so that no plan reads a whole
 * table for them.
 */
CREATE FUNCTION pk_tracking_internal.rollup_things(kinds text[], runs text, history boolean)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format($query$
		SELECT %1$s, %2$s.anonymous, CASE WHEN %9$s THEN %2$s.idvisit END AS idvisit,
			CASE WHEN f.counts_visitors THEN %2$s.visitor END AS visitor, f.*
		FROM %3$s CROSS JOIN LATERAL (
			SELECT %2$s.*, %2$s.consent >= 2 AS anonymous, %2$s.idvisitor::bigint AS visitor,
				%4$s AS moment
			FROM %5$s
			WHERE %2$s.idsite = $1 AND %2$s.consent BETWEEN $4 AND $5 AND %6$s
			OFFSET 0) AS %2$s
			CROSS JOIN LATERAL (VALUES %7$s) AS f (kind, idaction_1, idaction_2, idaction_3, number,
				words, part, counts_visits, counts_visitors%8$s, holds)
		WHERE f.holds%10$s$query$,
		CASE WHEN history
			THEN format('run.day, (%s.moment AT TIME ZONE $6)::date AS before', s.alias)
			ELSE format('coalesce(run.day, (%s.moment AT TIME ZONE $6)::date) AS day', s.alias) END,
		s.alias, runs, s.moment, s.relation,
		CASE WHEN history THEN format('%1$s.idvisit = run.idvisit AND %2$s < run.begins '
			'AND %2$s >= $2%3$s', s.alias, s.moment, CASE WHEN s.visitors THEN '' ELSE ' AND run.own' END)
			ELSE s.within END,
		s.kinds, CASE WHEN history THEN '' ELSE s.names END,
		CASE WHEN history THEN 'f.counts_visits AND run.own' ELSE 'f.counts_visits' END,
		CASE WHEN history THEN ' AND (f.counts_visitors OR run.own)' ELSE '' END), ' UNION ALL ')
	FROM (
		SELECT s.relation, s.alias, s.moment, s.within,
			string_agg(format('(%L, %s, %s, %s, %s, %s, %s, %s, %s%s, %s)', k.kind,
				coalesce('(' || k.keys[1] || ')::bigint', '0::bigint'),
				coalesce('(' || k.keys[2] || ')::bigint', '0::bigint'),
				coalesce('(' || k.keys[3] || ')::bigint', '0::bigint'),
				coalesce('(' || k.number || ')::integer', '0'),
				CASE WHEN k.words = '{}' THEN $q$'{}'::text[]$q$
					ELSE format('ARRAY[%s]::text[]', array_to_string(k.words, ', ')) END,
				coalesce(k.part, $q$''::text$q$), k.visits::text, k.visitors::text,
				CASE WHEN history THEN '' ELSE k.expressions END, k.condition),
				', ' ORDER BY k.kind) AS kinds,
			max(k.names) AS names, bool_or(k.visitors) AS visitors
		FROM (
			SELECT k.kind, k.source, k.keys, k.number, k.words, k.visits, k.part, k.visitors,
				k.condition,
				string_agg(', ' || coalesce('(' || m.expression || ')::numeric', 'NULL::numeric'), ''
					ORDER BY c.name) AS expressions,
				string_agg(', ' || c.name, '' ORDER BY c.name) AS names
			FROM pk_tracking_internal.rollup_fact_kind k
				CROSS JOIN pk_tracking_internal.rollup_sum_columns() c
				LEFT JOIN LATERAL pk_tracking_internal.rollup_sums(k.sums) m ON m.col = c.name
			WHERE k.kind = ANY (kinds) AND (k.visits OR k.visitors OR NOT history)
			GROUP BY k.kind, k.source) k
			JOIN pk_tracking_internal.rollup_origin s USING (source)
		GROUP BY s.source) s
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_things IS
	'text of a query of the things that roll-ups count; does not run it';

/*
 * The query that counts the things of some runs of days, as the columns of
 * rollup_fact but the site; idaction_1 and so on are 0 where there is none.
 * history: false if ages are not needed, because each day is counted by itself.
 * Parameters: $1 site, $2 how far back is looked, $4 and
 * $5 least and greatest consent, $6 time zone.
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
	keys CONSTANT text := 'day, kind, idaction_1, idaction_2, idaction_3, number, words';
	before text := pk_tracking_internal.rollup_things(kinds, 'earlier run', true);
	totals text;
	names text;
BEGIN
	SELECT string_agg(format(', %s(%s) AS %2$s', c.aggregate, c.name), '' ORDER BY c.name),
		string_agg(', ' || c.name, '' ORDER BY c.name)
		INTO totals, names
		FROM pk_tracking_internal.rollup_sum_columns() c;
	IF before IS NULL OR NOT history THEN
		before := format('SELECT %s, NULL::date AS before, false AS anonymous, NULL::bigint AS idvisit, '
			'NULL::bigint AS visitor, NULL::text AS part FROM thing WHERE false', keys);
	END IF;
	RETURN format($query$
	WITH thing AS MATERIALIZED (%1$s),
	visitor AS (
		SELECT DISTINCT t.day, t.visitor FROM thing t WHERE t.visitor IS NOT NULL),
	earlier AS MATERIALIZED (
		SELECT t.day, d.begins, t.idvisit, bool_or(t.own) AS own
		FROM (SELECT t.day, pk_tracking_internal.day_begin(t.day, $6) AS begins
				FROM (SELECT DISTINCT t.day FROM thing t) t) d
			CROSS JOIN LATERAL (
				SELECT t.day, t.idvisit, true AS own
				FROM thing t WHERE t.day = d.day AND t.idvisit IS NOT NULL
				UNION ALL
				SELECT w.day, v.idvisit, false
				FROM visitor w CROSS JOIN LATERAL (
					SELECT v.idvisit FROM pk_tracking.log_visit v WHERE v.idsite = $1
						AND v.idvisitor OPERATOR(@extschema@.=) w.visitor::@extschema@.hexid
						AND v.visit_first_action_time >= $2 - interval '30 days'
						AND v.visit_first_action_time < d.begins + interval '30 days'
					UNION ALL
					SELECT o.idvisit FROM pk_tracking.log_other_id o WHERE o.idsite = $1
						AND o.idvisitor OPERATOR(@extschema@.=) w.visitor::@extschema@.hexid
					OFFSET 0) v
				WHERE w.day = d.day) t
		GROUP BY t.day, d.begins, t.idvisit),
	before AS MATERIALIZED (%2$s),
	before_visit AS MATERIALIZED (
		SELECT %3$s, idvisit, part,
			max(before) FILTER (WHERE NOT anonymous) AS identified,
			max(before) FILTER (WHERE anonymous) AS anonymously
		FROM before WHERE idvisit IS NOT NULL
		GROUP BY %3$s, idvisit, part),
	visit AS MATERIALIZED (
		SELECT %3$s, anonymous, idvisit, part, count(*) AS nb_hits%4$s
		FROM thing
		GROUP BY %3$s, anonymous, idvisit, part),
	-- what counts a visit twice, and so is taken off where both consents are counted
	mixed AS (
		SELECT m.idvisit
		FROM (SELECT idvisit, anonymous FROM visit WHERE idvisit IS NOT NULL
			UNION SELECT idvisit, anonymous FROM before WHERE idvisit IS NOT NULL) m
		GROUP BY m.idvisit HAVING count(*) > 1),
	too_much AS (
		SELECT %3$s, age, sum(n)::integer AS n
		FROM (
			SELECT %3$s, day - x.before AS age, x.n
			FROM (
				SELECT %3$s, idvisit, part, bool_or(NOT anonymous) AS now_identified,
					bool_or(anonymous) AS now_anonymously
				FROM visit WHERE idvisit IN (SELECT idvisit FROM mixed)
				GROUP BY %3$s, idvisit, part) v
				LEFT JOIN before_visit USING (%3$s, idvisit, part)
				CROSS JOIN LATERAL (VALUES (greatest(identified, anonymously), 1),
					(identified, CASE WHEN now_identified THEN -1 ELSE 0 END),
					(anonymously, CASE WHEN now_anonymously THEN -1 ELSE 0 END)) AS x (before, n)) x
		GROUP BY %3$s, age HAVING sum(n) <> 0),
	visitors AS (
		SELECT %3$s, coalesce(sum(n) FILTER (WHERE age IS NULL), 0)::integer AS nb_uniq_visitors,
			array_agg(age ORDER BY age) FILTER (WHERE age IS NOT NULL) AS visitor_ages,
			array_agg(n ORDER BY age) FILTER (WHERE age IS NOT NULL) AS visitors
		FROM (
			SELECT %3$s, CASE WHEN day - before <= 366 THEN (day - before)::smallint END AS age,
				count(*)::integer AS n
			FROM (
				SELECT %3$s, visitor, max(before) AS before
				FROM (SELECT DISTINCT %3$s, visitor FROM thing WHERE visitor IS NOT NULL) t
					LEFT JOIN before USING (%3$s, visitor)
				GROUP BY %3$s, visitor) t
			GROUP BY %3$s, age) v
		GROUP BY %3$s)
	SELECT %3$s, anonymous::integer::smallint AS consents, nb_hits, nb_visits,
		coalesce(nb_uniq_visitors, 0) AS nb_uniq_visitors, visit_ages, visits, visitor_ages,
		visitors%5$s
	FROM (
		SELECT %3$s, anonymous, sum(nb_hits)::bigint AS nb_hits,
			coalesce(sum(n) FILTER (WHERE age IS NULL), 0)::integer AS nb_visits,
			array_agg(age ORDER BY age) FILTER (WHERE age IS NOT NULL) AS visit_ages,
			array_agg(n ORDER BY age) FILTER (WHERE age IS NOT NULL) AS visits%4$s
		FROM (
			SELECT %3$s, v.anonymous,
				CASE WHEN day - before <= 366 THEN (day - before)::smallint END AS age,
				count(idvisit)::integer AS n, sum(nb_hits) AS nb_hits%4$s
			FROM (
				SELECT v.*, CASE WHEN v.anonymous THEN b.anonymously ELSE b.identified END AS before
				FROM visit v LEFT JOIN before_visit b USING (%3$s, idvisit, part)) v
			GROUP BY %3$s, v.anonymous, age) v
		GROUP BY %3$s, anonymous) v
		LEFT JOIN (SELECT w.*, false AS anonymous FROM visitors w) w USING (%3$s, anonymous)
	UNION ALL
	SELECT %3$s, 2::smallint, 0, coalesce(sum(n) FILTER (WHERE age IS NULL OR age > 366), 0)::integer,
		0, array_agg(age::smallint ORDER BY age) FILTER (WHERE age <= 366),
		array_agg(n ORDER BY age) FILTER (WHERE age <= 366), NULL, NULL%6$s
	FROM too_much
	GROUP BY %3$s$query$,
		pk_tracking_internal.rollup_things(kinds, runs, false), before, keys, totals, names,
		regexp_replace(names, '\w+', 'NULL', 'g'));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_fact_query IS
	'text of the query that counts things for roll-ups, and for days that have none; does not run it';
