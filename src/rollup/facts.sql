
-- ---------------------------------------------------------------------------
-- rollup/facts: what is counted, and the query that counts it
-- ---------------------------------------------------------------------------

/*
 * A report registers what it groups visits by when it is made, so that the report
 * and its roll-up are made from the same expressions.
 */
CREATE TABLE pk_tracking_internal.rollup_kind (
	kind text PRIMARY KEY,
	keys text[] NOT NULL,
	types text[] NOT NULL,
	condition text NOT NULL);
COMMENT ON TABLE pk_tracking_internal.rollup_kind IS
	'what roll-ups count visits by; the reports fill it when the extension is installed';
COMMENT ON COLUMN pk_tracking_internal.rollup_kind.kind IS 'name of the report without report_';
COMMENT ON COLUMN pk_tracking_internal.rollup_kind.keys IS
	'expressions over a visit v, by which visits are grouped besides the day; $6 is the time zone';
COMMENT ON COLUMN pk_tracking_internal.rollup_kind.types IS 'types of the keys';
COMMENT ON COLUMN pk_tracking_internal.rollup_kind.condition IS 'which visits are counted, over v';

CREATE FUNCTION pk_tracking_internal.make_rollup_kind(kind text, keys text[],
	types text[], condition text DEFAULT 'true')
RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO pk_tracking_internal.rollup_kind (kind, keys, types, condition)
	VALUES (kind, keys, types, condition)
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_kind IS
	'lets roll-ups count visits by some keys, of these types';

/*
 * The query that counts the visits of some runs of days, as the columns of
 * rollup_visit but the site.  runs: a relation (begins, ends), instants.  history:
 * false if ages are not needed, because each day is counted by itself.
 * Parameters: $1 site, $4 and $5 least and greatest consent, $6 time zone.
 *
 * The visits (x) are read once, and so are the earlier visits of their visitors, which
 * have a day "before"; each kind then counts these (seen) by itself: its keys keep their
 * types.  Keys may be null, so nothing is joined by them.
 *
 * The previous day of a visitor is looked up by the index that recognises visitors, in
 * the visits of a year before, one by one (OFFSET 0), so that no plan reads the whole
 * log for them; a user is found in the visits of the visitor id, which is right where
 * users_by_id holds.  Users get numbers, because rollup_ages() takes numbers.
 */
CREATE FUNCTION pk_tracking_internal.rollup_visit_query(kinds text[], runs text,
	history boolean DEFAULT true)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	columns text;
	counted text;
BEGIN
	SELECT string_agg(DISTINCT ', v.' || c.name, '')
		INTO columns
		FROM (SELECT m[1] AS name FROM pk_tracking_internal.rollup_kind k,
				regexp_matches(array_to_string(k.keys || k.condition, ' '), '\mv\.(\w+)', 'g') m
			WHERE k.kind = ANY (kinds)
			UNION ALL SELECT unnest('{consent, visit_first_action_time, user_id, visit_total_actions,
				visit_total_time, visit_goal_converted}'::text[])) c;
	SELECT string_agg(format($query$
	SELECT g.day, g.nb_visits::integer AS nb_visits,
		(CASE WHEN g.anonymous THEN g.nb_visits ELSE (g.visitors).n END)::integer AS nb_uniq_visitors,
		(g.users).n AS nb_users, g.max_actions, g.bounce_count::integer AS bounce_count,
		g.nb_visits_converted::integer AS nb_visits_converted, g.nb_actions::bigint AS nb_actions,
		g.nb_pageviews::bigint AS nb_pageviews, g.sum_visit_length::bigint AS sum_visit_length,
		coalesce(g.nb_conversions, 0)::bigint AS nb_conversions, g.anonymous,
		%1$L::text AS kind, ARRAY[%2$s]::text[] AS keys, g.revenue,
		(g.visitors).ages AS visitor_ages, (g.visitors).counts AS visitors,
		(g.users).ages AS user_ages, (g.users).counts AS users
	FROM (
		SELECT v.day, v.anonymous%3$s, count(*) FILTER (WHERE v.before IS NULL) AS nb_visits,
			max(v.visit_total_actions) FILTER (WHERE v.before IS NULL) AS max_actions,
			count(*) FILTER (WHERE v.before IS NULL AND v.visit_total_actions <= 1) AS bounce_count,
			count(*) FILTER (WHERE v.before IS NULL AND v.visit_goal_converted = 1)
				AS nb_visits_converted,
			sum(v.visit_total_actions) FILTER (WHERE v.before IS NULL) AS nb_actions,
			sum(v.nb_pageviews) AS nb_pageviews,
			sum(v.visit_total_time) FILTER (WHERE v.before IS NULL) AS sum_visit_length,
			sum(v.nb_conversions) AS nb_conversions, sum(v.revenue) AS revenue,
			pk_tracking_internal.rollup_ages(v.visitor, v.day - v.before) AS visitors,
			pk_tracking_internal.rollup_ages(v.user_number, v.day - v.before) AS users
		FROM seen v WHERE %4$s
		-- a sort compares the keys first, which have the most values
		GROUP BY %5$s v.anonymous, v.day
		HAVING count(*) FILTER (WHERE v.before IS NULL) > 0) g$query$,
			k.kind,
			(SELECT string_agg(format('g.k%s::text', n), ', ' ORDER BY n)
				FROM generate_series(1, cardinality(k.keys)) n),
			(SELECT coalesce(string_agg(format(', %s AS k%s', e.key, e.n), '' ORDER BY e.n), '')
				FROM unnest(k.keys) WITH ORDINALITY AS e (key, n)),
			k.condition,
			(SELECT coalesce(string_agg(format('k%s,', n), ' ' ORDER BY n), '')
				FROM generate_series(1, cardinality(k.keys)) n)), ' UNION ALL ')
		INTO counted
		FROM pk_tracking_internal.rollup_kind k WHERE k.kind = ANY (kinds);
	RETURN format($query$
	WITH x AS MATERIALIZED (
		SELECT (v.visit_first_action_time AT TIME ZONE $6)::date AS day, NULL::date AS before,
			v.consent >= 2 AS anonymous, v.idvisitor%1$s,
			v.visit_total_interactions - v.visit_total_searches AS nb_pageviews,
			CASE WHEN v.visit_goal_converted = 1 THEN (SELECT count(*)
				FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit
					AND c.idgoal >= 0) END AS nb_conversions,
			CASE WHEN v.visit_goal_converted = 1 THEN (SELECT sum(c.revenue)
				FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit
					AND c.idgoal >= 0) END AS revenue
		FROM %2$s JOIN pk_tracking.log_visit v ON v.idsite = $1
			AND v.visit_first_action_time >= run.begins AND v.visit_first_action_time < run.ends
			AND v.consent BETWEEN $4 AND $5),
	visitors AS (
		SELECT DISTINCT x.day, x.day::timestamp AT TIME ZONE $6 AS begins, x.idvisitor
		FROM x WHERE x.idvisitor IS NOT NULL AND %3$s
		ORDER BY x.idvisitor),	-- the index is read in its order
	users AS (
		SELECT x.user_id, row_number() OVER () AS user_number
		FROM x WHERE x.user_id IS NOT NULL GROUP BY x.user_id),
	seen AS MATERIALIZED (
		SELECT v.day, v.before, v.anonymous, v.idvisitor::bigint AS visitor, u.user_number%1$s,
			v.nb_pageviews, v.nb_conversions, v.revenue
		FROM x v LEFT JOIN users u USING (user_id)
		UNION ALL
		SELECT w.day, (v.visit_first_action_time AT TIME ZONE $6)::date, v.consent >= 2,
			v.idvisitor::bigint, u.user_number%1$s, NULL, NULL, NULL
		FROM visitors w CROSS JOIN LATERAL (
			SELECT v.idvisitor%1$s FROM pk_tracking.log_visit v WHERE v.idsite = $1
				AND v.idvisitor OPERATOR(@extschema@.=) w.idvisitor
				AND v.visit_first_action_time < w.begins + interval '1 day'
				AND v.visit_first_action_time >= w.begins - interval '368 days'
				AND (v.visit_first_action_time AT TIME ZONE $6)::date < w.day
				AND v.consent BETWEEN $4 AND $5
			OFFSET 0) v
			LEFT JOIN users u USING (user_id))%4$s$query$,
		columns, runs, history::text, counted);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_visit_query IS
	'text of the query that counts visits for roll-ups, and for days that have none; does not run it';
