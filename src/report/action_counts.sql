
-- ---------------------------------------------------------------------------
-- report/action_counts: counting actions, their visits and their visitors
-- ---------------------------------------------------------------------------

/*
 * The text of a query that counts the actions l of the period for which the
 * condition holds, by the keys, which must not be null.  Its columns: k1, k2 and so
 * on; nb_hits, nb_visits, nb_uniq_visitors, nb_visits_anonymous; and the sums: each
 * is NAME AGGREGATE EXPRESSION, of which the aggregate (sum, min, max) gives the
 * same in two steps.
 *
 * Rows are grouped by key and visit, and by key and visitor, and the groups are
 * counted, because count(DISTINCT ...) sorts all rows once for each such number.
 * Each anonymous visit counts as a visitor.
 */
CREATE FUNCTION pk_tracking_internal.action_counts(keys text[], condition text,
	VARIADIC sums text[] DEFAULT '{}')
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($query$
		SELECT %1$s, sum(s.nb_hits) FILTER (WHERE s.of_visit)::bigint AS nb_hits,
			count(*) FILTER (WHERE s.of_visit) AS nb_visits,
			count(s.idvisitor) + count(*)
				FILTER (WHERE s.of_visit AND s.consent >= 2) AS nb_uniq_visitors,
			count(*) FILTER (WHERE s.of_visit AND s.consent >= 2) AS nb_visits_anonymous%2$s
		FROM (
			SELECT %3$s, l.idvisitor, grouping(l.idvisit) = 0 AS of_visit,
				count(*) AS nb_hits, max(l.consent) AS consent%4$s
			FROM pk_tracking.log_link_visit_action l
			WHERE {actions l} AND %5$s
			GROUP BY %6$s, GROUPING SETS ((l.idvisit), (l.idvisitor))) s
		GROUP BY %1$s$query$,
		k.names, s.outside, k.definitions, s.inside, condition, k.expressions)
	FROM (
		SELECT string_agg('k' || n, ', ' ORDER BY n) AS names,
			string_agg(format('%s AS k%s', expression, n), ', ' ORDER BY n) AS definitions,
			string_agg(expression, ', ' ORDER BY n) AS expressions
		FROM unnest(keys) WITH ORDINALITY AS k(expression, n)) k
		CROSS JOIN (
			SELECT string_agg(format(', %s(s.%s) FILTER (WHERE s.of_visit) AS %2$s', m[2], m[1]), ''
					ORDER BY n) AS outside,
				string_agg(format(', %s(%s) AS %s', m[2], m[3], m[1]), '' ORDER BY n) AS inside
			FROM unnest(sums) WITH ORDINALITY AS s(text, n)
				CROSS JOIN LATERAL regexp_match(s.text, '^(\w+) (\w+) (.*)$') AS m) s
$$;
COMMENT ON FUNCTION pk_tracking_internal.action_counts IS
	'text of a query that counts actions, their visits and visitors; does not run it';
