
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
 * Each visit comes once for each kind.  The previous day of a visitor is looked up by the
 * index that recognises visitors, in the visits of a year before; a user is found
 * in the visits of the visitor id, which is right where users_by_id holds.
 */
CREATE FUNCTION pk_tracking_internal.rollup_visit_query(kinds text[], runs text,
	history boolean DEFAULT true)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	facts text;
	columns text;
BEGIN
	SELECT string_agg(format('(%L, ARRAY[%s]::text[], %s)', k.kind,
			(SELECT string_agg(format('(%s)::text', e.key), ', ' ORDER BY e.n)
				FROM unnest(k.keys) WITH ORDINALITY AS e (key, n)),
			k.condition), ', ')
		INTO facts
		FROM pk_tracking_internal.rollup_kind k WHERE k.kind = ANY (kinds);
	SELECT string_agg(DISTINCT 'v.' || c.name, ', ')
		INTO columns
		FROM (SELECT m[1] AS name FROM regexp_matches(facts, '\mv\.(\w+)', 'g') m
			UNION ALL SELECT unnest('{idvisit, idvisitor, user_id, visit_first_action_time, consent,
				visit_total_actions, visit_total_interactions, visit_total_searches,
				visit_total_time, visit_goal_converted}'::text[])) c;
	RETURN format($query$
	WITH x AS MATERIALIZED (
		SELECT v.day, f.kind, f.keys, v.consent >= 2 AS anonymous, v.idvisitor, v.user_id,
			v.visit_total_actions, v.visit_total_time, v.visit_goal_converted,
			v.visit_total_interactions - v.visit_total_searches AS nb_pageviews,
			v.nb_conversions, v.revenue
		FROM (
			SELECT (v.visit_first_action_time AT TIME ZONE $6)::date AS day, %1$s,
				CASE WHEN v.visit_goal_converted = 1 THEN (SELECT count(*)
					FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit
						AND c.idgoal >= 0) END AS nb_conversions,
				CASE WHEN v.visit_goal_converted = 1 THEN (SELECT sum(c.revenue)
					FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit
						AND c.idgoal >= 0) END AS revenue
			FROM %2$s JOIN pk_tracking.log_visit v ON v.idsite = $1
				AND v.visit_first_action_time >= run.begins AND v.visit_first_action_time < run.ends
				AND v.consent BETWEEN $4 AND $5
			OFFSET 0) v
			CROSS JOIN LATERAL (VALUES %3$s) AS f (kind, keys, holds)
		WHERE f.holds),
	visitors AS (
		SELECT DISTINCT x.day, x.day::timestamp AT TIME ZONE $6 AS begins, x.idvisitor
		FROM x WHERE x.idvisitor IS NOT NULL AND %4$s),
	history AS MATERIALIZED (
		SELECT w.day, f.kind, f.keys, v.idvisitor, v.user_id,
			(v.visit_first_action_time AT TIME ZONE $6)::date AS before
		FROM visitors w
			JOIN pk_tracking.log_visit v ON v.idsite = $1
				AND v.idvisitor OPERATOR(@extschema@.=) w.idvisitor
				AND v.visit_first_action_time < w.begins + interval '1 day'
				AND v.visit_first_action_time >= w.begins - interval '368 days'
				AND (v.visit_first_action_time AT TIME ZONE $6)::date < w.day
				AND v.consent BETWEEN $4 AND $5
			CROSS JOIN LATERAL (VALUES %3$s) AS f (kind, keys, holds)
		WHERE f.holds),
	visitor AS (
		SELECT x.day, x.kind, x.keys, x.anonymous, x.idvisitor,
			count(*) AS nb_visits, max(x.visit_total_actions) AS max_actions,
			count(*) FILTER (WHERE x.visit_total_actions <= 1) AS bounce_count,
			count(*) FILTER (WHERE x.visit_goal_converted = 1) AS nb_visits_converted,
			sum(x.visit_total_actions) AS nb_actions, sum(x.nb_pageviews) AS nb_pageviews,
			sum(x.visit_total_time) AS sum_visit_length,
			sum(x.nb_conversions) AS nb_conversions, sum(x.revenue) AS revenue
		FROM x
		GROUP BY x.day, x.kind, x.keys, x.anonymous, x.idvisitor),
	visitors_by_age AS (
		SELECT g.day, g.kind, g.keys, g.anonymous, (g.day - h.prev)::smallint AS age,
			sum(CASE WHEN g.anonymous THEN g.nb_visits WHEN g.idvisitor IS NOT NULL THEN 1
				ELSE 0 END)::integer AS n,
			sum(g.nb_visits) AS nb_visits, max(g.max_actions) AS max_actions,
			sum(g.bounce_count) AS bounce_count,
			sum(g.nb_visits_converted) AS nb_visits_converted,
			sum(g.nb_actions) AS nb_actions, sum(g.nb_pageviews) AS nb_pageviews,
			sum(g.sum_visit_length) AS sum_visit_length,
			sum(g.nb_conversions) AS nb_conversions, sum(g.revenue) AS revenue
		FROM visitor g
			LEFT JOIN (
				SELECT h.day, h.kind, h.keys, h.idvisitor, max(h.before) AS prev
				FROM history h
				GROUP BY h.day, h.kind, h.keys, h.idvisitor) h
				ON h.day = g.day AND h.kind = g.kind AND h.keys = g.keys
					AND h.idvisitor OPERATOR(@extschema@.=) g.idvisitor
		GROUP BY g.day, g.kind, g.keys, g.anonymous, g.day - h.prev),
	users_by_age AS (
		SELECT g.day, g.kind, g.keys, g.anonymous, (g.day - h.prev)::smallint AS age,
			count(*)::integer AS n
		FROM (
			SELECT DISTINCT x.day, x.kind, x.keys, x.anonymous, x.user_id
			FROM x WHERE x.user_id IS NOT NULL) g
			LEFT JOIN (
				SELECT h.day, h.kind, h.keys, h.user_id, max(h.before) AS prev
				FROM history h WHERE h.user_id IS NOT NULL
				GROUP BY h.day, h.kind, h.keys, h.user_id) h
				ON h.day = g.day AND h.kind = g.kind AND h.keys = g.keys
					AND h.user_id = g.user_id
		GROUP BY g.day, g.kind, g.keys, g.anonymous, g.day - h.prev)
	SELECT g.day, g.nb_visits, g.nb_uniq_visitors, coalesce(u.nb_users, 0) AS nb_users,
		g.max_actions, g.bounce_count, g.nb_visits_converted, g.nb_actions, g.nb_pageviews,
		g.sum_visit_length, g.nb_conversions, g.anonymous, g.kind, g.keys, g.revenue,
		g.visitor_ages, g.visitors, u.user_ages, u.users
	FROM (
		SELECT g.day, g.kind, g.keys, g.anonymous,
			coalesce(sum(g.n) FILTER (WHERE g.age IS NULL), 0)::integer AS nb_uniq_visitors,
			array_agg(g.age ORDER BY g.age) FILTER (WHERE g.age IS NOT NULL AND g.n > 0)
				AS visitor_ages,
			array_agg(g.n ORDER BY g.age) FILTER (WHERE g.age IS NOT NULL AND g.n > 0)
				AS visitors,
			sum(g.nb_visits)::integer AS nb_visits, max(g.max_actions) AS max_actions,
			sum(g.bounce_count)::integer AS bounce_count,
			sum(g.nb_visits_converted)::integer AS nb_visits_converted,
			sum(g.nb_actions)::bigint AS nb_actions, sum(g.nb_pageviews)::bigint AS nb_pageviews,
			sum(g.sum_visit_length)::bigint AS sum_visit_length,
			coalesce(sum(g.nb_conversions), 0)::bigint AS nb_conversions,
			sum(g.revenue) AS revenue
		FROM visitors_by_age g
		GROUP BY g.day, g.kind, g.keys, g.anonymous) g
		LEFT JOIN (
			SELECT u.day, u.kind, u.keys, u.anonymous,
				coalesce(sum(u.n) FILTER (WHERE u.age IS NULL), 0)::integer AS nb_users,
				array_agg(u.age ORDER BY u.age) FILTER (WHERE u.age IS NOT NULL) AS user_ages,
				array_agg(u.n ORDER BY u.age) FILTER (WHERE u.age IS NOT NULL) AS users
			FROM users_by_age u
			GROUP BY u.day, u.kind, u.keys, u.anonymous) u
			USING (day, kind, keys, anonymous)$query$,
		columns, runs, facts, history::text);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_visit_query IS
	'text of the query that counts visits for roll-ups, and for days that have none; does not run it';
