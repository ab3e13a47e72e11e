
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
 * The visits are read once, and so are the earlier visits of their visitors; each kind
 * then counts these by itself: its keys keep their types, and only it knows their
 * number.  Keys may be null, so nothing is joined by them, but added and grouped.
 * A row of h, whose "before" is not null, says when a visitor of a day was there before.
 *
 * The previous day of a visitor is looked up by the
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
	columns text;
	counted text;
BEGIN
	SELECT string_agg(DISTINCT ', v.' || c.name, '')
		INTO columns
		FROM (SELECT m[1] AS name FROM pk_tracking_internal.rollup_kind k,
				regexp_matches(array_to_string(k.keys || k.condition, ' '), '\mv\.(\w+)', 'g') m
			WHERE k.kind = ANY (kinds)
			UNION ALL SELECT unnest('{consent, idvisitor, user_id, visit_total_actions, visit_total_time,
				visit_goal_converted}'::text[])) c;
	SELECT string_agg(format($query$
	SELECT g.day, sum(g.nb_visits)::integer AS nb_visits,
		coalesce(sum(g.n) FILTER (WHERE g.age IS NULL), 0)::integer AS nb_uniq_visitors,
		coalesce(sum(g.users) FILTER (WHERE g.age IS NULL), 0)::integer AS nb_users,
		max(g.max_actions) AS max_actions, sum(g.bounce_count)::integer AS bounce_count,
		sum(g.nb_visits_converted)::integer AS nb_visits_converted,
		sum(g.nb_actions)::bigint AS nb_actions, sum(g.nb_pageviews)::bigint AS nb_pageviews,
		sum(g.sum_visit_length)::bigint AS sum_visit_length,
		coalesce(sum(g.nb_conversions), 0)::bigint AS nb_conversions, g.anonymous,
		%1$L::text AS kind, ARRAY[%2$s]::text[] AS keys, sum(g.revenue) AS revenue,
		array_agg(g.age ORDER BY g.age) FILTER (WHERE g.age IS NOT NULL AND g.n > 0) AS visitor_ages,
		array_agg(g.n ORDER BY g.age) FILTER (WHERE g.age IS NOT NULL AND g.n > 0) AS visitors,
		array_agg(g.age ORDER BY g.age) FILTER (WHERE g.age IS NOT NULL AND g.users > 0) AS user_ages,
		array_agg(g.users ORDER BY g.age) FILTER (WHERE g.age IS NOT NULL AND g.users > 0) AS users
	FROM (
		SELECT v.day, v.anonymous%3$s, NULL::smallint AS age,
			CASE WHEN v.anonymous THEN count(*) ELSE 0 END::integer AS n, 0 AS users,
			count(*) AS nb_visits, max(v.visit_total_actions) AS max_actions,
			count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounce_count,
			count(*) FILTER (WHERE v.visit_goal_converted = 1) AS nb_visits_converted,
			sum(v.visit_total_actions) AS nb_actions, sum(v.nb_pageviews) AS nb_pageviews,
			sum(v.visit_total_time) AS sum_visit_length,
			sum(v.nb_conversions) AS nb_conversions, sum(v.revenue) AS revenue
		FROM x v WHERE %4$s
		GROUP BY v.day, v.anonymous%5$s
		UNION ALL
		SELECT w.day, false%5$s, w.age, count(*)::integer, 0, NULL, NULL, NULL, NULL, NULL, NULL,
			NULL, NULL, NULL
		FROM (
			SELECT v.day%3$s, (v.day - max(v.before))::smallint AS age
			FROM (
				SELECT v.day, v.before, v.visitor%6$s FROM x v WHERE v.visitor IS NOT NULL AND NOT v.anonymous
				UNION ALL SELECT v.day, v.before, v.visitor%6$s FROM h v) v
			WHERE %4$s
			GROUP BY v.day, v.visitor%5$s HAVING bool_or(v.before IS NULL)) w
		GROUP BY w.day, w.age%5$s
		UNION ALL
		SELECT w.day, w.anonymous%5$s, w.age, 0, count(*)::integer, NULL, NULL, NULL, NULL, NULL, NULL,
			NULL, NULL, NULL
		FROM (
			SELECT v.day, v.anonymous%3$s, (v.day - max(v.before))::smallint AS age
			FROM (
				SELECT v.day, v.before, v.anonymous, v.user_id%6$s FROM x v WHERE v.user_id IS NOT NULL
				UNION ALL SELECT v.day, v.before, v.anonymous, v.user_id%6$s FROM h v
				WHERE v.user_id IS NOT NULL) v
			WHERE %4$s
			GROUP BY v.day, v.anonymous, v.user_id%5$s HAVING bool_or(v.before IS NULL)) w
		GROUP BY w.day, w.anonymous, w.age%5$s) g
	GROUP BY g.day, g.anonymous%5$s$query$,
			k.kind,
			(SELECT string_agg(format('g.k%s::text', n), ', ' ORDER BY n)
				FROM generate_series(1, cardinality(k.keys)) n),
			(SELECT coalesce(string_agg(format(', %s AS k%s', e.key, e.n), '' ORDER BY e.n), '')
				FROM unnest(k.keys) WITH ORDINALITY AS e (key, n)),
			k.condition,
			(SELECT coalesce(string_agg(format(', k%s', n), '' ORDER BY n), '')
				FROM generate_series(1, cardinality(k.keys)) n),
			(SELECT coalesce(string_agg(DISTINCT ', v.' || m[1], ''), '')
				FROM regexp_matches(array_to_string(k.keys || k.condition, ' '), '\mv\.(\w+)', 'g') m
				WHERE m[1] NOT IN ('user_id'))), ' UNION ALL ')
		INTO counted
		FROM pk_tracking_internal.rollup_kind k WHERE k.kind = ANY (kinds);
	RETURN format($query$
	WITH x AS MATERIALIZED (
		SELECT (v.visit_first_action_time AT TIME ZONE $6)::date AS day, NULL::date AS before,
			v.consent >= 2 AS anonymous, v.idvisitor::bigint AS visitor%1$s,
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
		FROM x WHERE x.idvisitor IS NOT NULL AND %3$s),
	h AS MATERIALIZED (
		SELECT w.day, (v.visit_first_action_time AT TIME ZONE $6)::date AS before,
			v.consent >= 2 AS anonymous, v.idvisitor::bigint AS visitor%1$s
		FROM visitors w
			JOIN pk_tracking.log_visit v ON v.idsite = $1
				AND v.idvisitor OPERATOR(@extschema@.=) w.idvisitor
				AND v.visit_first_action_time < w.begins + interval '1 day'
				AND v.visit_first_action_time >= w.begins - interval '368 days'
				AND (v.visit_first_action_time AT TIME ZONE $6)::date < w.day
				AND v.consent BETWEEN $4 AND $5)%4$s$query$,
		columns, runs, history::text, counted);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_visit_query IS
	'text of the query that counts visits for roll-ups, and for days that have none; does not run it';
