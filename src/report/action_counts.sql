
-- ---------------------------------------------------------------------------
-- report/action_counts: counting actions, their visits and their visitors
-- ---------------------------------------------------------------------------

/*
 * The columns that count the rows l of a group, their visits and their visitors.  A
 * log-in changes the visitor id of the visit's later actions: reports show at most as
 * many visitors as visits.
 */
CREATE FUNCTION pk_tracking_internal.action_metrics(condition text DEFAULT NULL) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($columns$count(*)%1$s AS nb_hits,
			pk_tracking_internal.report_distinct(l.idvisit)%1$s AS nb_visits,
			pk_tracking_internal.report_distinct(l.idvisitor::bigint)%1$s
				+ pk_tracking_internal.report_distinct(l.idvisit)
					FILTER (WHERE l.consent >= 2%2$s) AS nb_uniq_visitors,
			pk_tracking_internal.report_distinct(l.idvisit)
				FILTER (WHERE l.consent >= 2%2$s) AS nb_visits_anonymous$columns$,
		' FILTER (WHERE ' || condition || ')', ' AND ' || condition)
$$;
COMMENT ON FUNCTION pk_tracking_internal.action_metrics IS
	'part of a query: counts the actions of a group for which a condition holds, their visits and visitors';

/*
 * The text of a query that counts the actions l of the period for which the
 * condition holds, by the keys.  Its columns: k1, k2 and so on; nb_hits, nb_visits,
 * nb_uniq_visitors, nb_visits_anonymous; and the sums, each of which is NAME and an
 * aggregate over l.  Each anonymous visit counts as a visitor.
 */
CREATE FUNCTION pk_tracking_internal.action_counts(keys text[], condition text,
	VARIADIC sums text[] DEFAULT '{}')
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($query$
		SELECT %1$s, %2$s%3$s
		FROM pk_tracking.log_link_visit_action l
		WHERE {actions l} AND %4$s
		GROUP BY %5$s$query$,
		k.definitions, pk_tracking_internal.action_metrics(), s.definitions, condition,
		k.expressions)
	FROM (
		SELECT string_agg(format('%s AS k%s', expression, n), ', ' ORDER BY n) AS definitions,
			string_agg(expression, ', ' ORDER BY n) AS expressions
		FROM unnest(keys) WITH ORDINALITY AS k(expression, n)) k
		CROSS JOIN (
			SELECT string_agg(format(', %2$s AS %1$s', m[1], m[2]), '' ORDER BY n) AS definitions
			FROM unnest(sums) WITH ORDINALITY AS s(text, n)
				CROSS JOIN LATERAL regexp_match(s.text, '^(\w+) (.*)$') AS m) s
$$;
COMMENT ON FUNCTION pk_tracking_internal.action_counts IS
	'text of a query that counts actions, their visits and visitors; does not run it';
