
-- ---------------------------------------------------------------------------
-- rollup/fact_read: how a report of actions or conversions reads roll-ups
-- ---------------------------------------------------------------------------

/* The longest visit of a site; a day at least, for visits that no hit has written. */
CREATE FUNCTION pk_tracking_internal.rollup_bound(idsite integer) RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT make_interval(secs => greatest(max(l.seconds), 86400))
	FROM pk_tracking.log_visit_length l WHERE l.idsite = rollup_bound.idsite
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_bound IS 'how long visits of a site last at most';

/*
 * What a report counts, as a relation: from k1 on the keys of the kind, that is the
 * numbers of names, the number and the words; nb_hits, nb_visits, nb_uniq_visitors,
 * nb_visits_anonymous; and the kind's sums by their names.  NULL if the report must
 * read the log.  period_key, first_day and parameters: as in rollup_source().
 */
CREATE FUNCTION pk_tracking_internal.rollup_fact_source(
	kind text,
	idsite integer,
	from_date date,
	to_date date,
	timezone text,
	span integer,
	period_key text DEFAULT NULL,
	first_day text DEFAULT '$7')
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	l record;
	key_columns text;
	key_names text;
	sums text;
	columns CONSTANT text := (SELECT string_agg('r.' || c.name, ', ' ORDER BY c.name)
		FROM pk_tracking_internal.rollup_sum_columns() c);
BEGIN
	SELECT * INTO l
		FROM pk_tracking_internal.rollup_live('pk_tracking.rollup_fact', idsite, from_date,
			to_date, timezone, span, false);
	IF l.usable IS NOT TRUE THEN
		RETURN NULL;
	END IF;
	SELECT string_agg(format('%s AS k%s', e.key, e.n), ', ' ORDER BY e.n),
		string_agg(format('k%s', e.n), ', ' ORDER BY e.n)
		INTO key_columns, key_names
		FROM (
			SELECT x.key, row_number() OVER (ORDER BY x.part, x.n) AS n
			FROM (
				SELECT 1 AS part, 1 AS n,
					format(period_key, '(f.day::timestamp AT TIME ZONE $6)') AS key
				WHERE period_key IS NOT NULL
				UNION ALL
				SELECT 2, n, format('f.idaction_%s', n)
				FROM (SELECT DISTINCT cardinality(k.keys) AS keys FROM pk_tracking_internal.rollup_fact_kind k
					WHERE k.kind = kind) k, generate_series(1, k.keys) n
				UNION ALL
				SELECT DISTINCT 3, 1, 'f.number'
				FROM pk_tracking_internal.rollup_fact_kind k WHERE k.kind = kind AND k.number IS NOT NULL
				UNION ALL
				SELECT 4, n, format('f.words[%s]', n)
				FROM (SELECT DISTINCT cardinality(k.words) AS words FROM pk_tracking_internal.rollup_fact_kind k
					WHERE k.kind = kind) k, generate_series(1, k.words) n) x) e;
	SELECT string_agg(DISTINCT format(', %s(f.%s)::%s AS %s', c.aggregate, c.col, c.type, c.name), '')
		INTO sums
		FROM pk_tracking_internal.rollup_fact_kind k
			CROSS JOIN LATERAL pk_tracking_internal.rollup_sums(k.sums) c
		WHERE k.kind = kind;
	RETURN format($query$(
			SELECT %1$s, sum(f.nb_hits)::bigint AS nb_hits,
				sum(f.n)::bigint AS nb_visits,
				coalesce(sum(CASE f.consents WHEN 0 THEN pk_tracking_internal.rollup_since(
					f.nb_uniq_visitors, f.visitor_ages, f.visitors, f.days) WHEN 1 THEN f.n END), 0)::bigint
					AS nb_uniq_visitors,
				coalesce(sum(f.n) FILTER (WHERE f.consents = 1), 0)::bigint AS nb_visits_anonymous%2$s
			FROM (
				SELECT f.*, pk_tracking_internal.rollup_since(f.nb_visits, f.visit_ages, f.visits, f.days) AS n
				FROM (
					SELECT %3$s, f.*, f.day - %4$s AS days
					FROM (
						SELECT r.day, coalesce(r.idaction_1, 0) AS idaction_1,
							coalesce(r.idaction_2, 0) AS idaction_2, coalesce(r.idaction_3, 0) AS idaction_3,
							coalesce(r.number, 0) AS number, coalesce(r.words, '{}') AS words, r.consents,
							r.nb_hits, r.nb_visits, r.nb_uniq_visitors, r.visit_ages, r.visits,
							r.visitor_ages, r.visitors, %5$s
						FROM pk_tracking.rollup_fact r
						WHERE r.idsite = $1 AND %6$s
							AND ($4 < 2 OR r.consents = 1) AND ($5 >= 2 OR r.consents = 0)%7$s) f) f) f
			GROUP BY %1$s)$query$,
		coalesce(key_names, '''''::text'), coalesce(sums, ''), coalesce(key_columns, '$6 AS site'),
		CASE WHEN period_key IS NULL THEN '$7' ELSE replace(first_day, 'k1',
			format(period_key, '(f.day::timestamp AT TIME ZONE $6)')) END,
		columns, pk_tracking_internal.rollup_days(kind, idsite, from_date, to_date, l.live_from, l.stale,
			period_key),
		CASE WHEN l.runs IS NOT NULL THEN format(' UNION ALL (SELECT r.day, r.idaction_1, '
			'r.idaction_2, r.idaction_3, r.number, r.words, r.consents, r.nb_hits, r.nb_visits, '
			'r.nb_uniq_visitors, r.visit_ages, r.visits, r.visitor_ages, r.visitors, %s FROM (%s) r)',
			columns, pk_tracking_internal.rollup_fact_query(ARRAY[kind], l.runs, span > 1)) ELSE '' END);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_fact_source IS
	'text of a relation with what a report of actions or conversions counts, from roll-ups; NULL: the report must read the log';
