
-- ---------------------------------------------------------------------------
-- rollup/read: how a report reads roll-ups
--
-- Days that are missing, stale or marked, and today, are counted from the log by
-- the same query that builds roll-ups.  The report's own query over the log serves
-- where roll-ups cannot.
-- ---------------------------------------------------------------------------

/*
 * Roll-ups count all rows, which not everybody may be allowed to see.  The policies of
 * grant_analyst(role, idsites) hide whole sites, of roll-ups as well.
 */
CREATE FUNCTION pk_tracking_internal.rollup_rows_hidden() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (
		SELECT FROM unnest('{pk_tracking.log_visit,pk_tracking.log_link_visit_action,
			pk_tracking.log_conversion,pk_tracking.log_conversion_item}'::regclass[]) AS t(relation)
		WHERE row_security_active(t.relation)
			AND (NOT EXISTS (SELECT FROM pg_policy p
					WHERE p.polrelid = t.relation AND p.polname = 'everybody' AND p.polpermissive)
				OR EXISTS (SELECT FROM pg_policy p
					WHERE p.polrelid = t.relation AND p.polname <> 'everybody'
						AND (p.polpermissive OR NOT starts_with(p.polname, 'sites_')))))
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_rows_hidden IS
	'whether row security may hide rows of the log from the caller';

/*
 * What the roll-ups of a relation know of some days of a site.  usable: false if the
 * report must read the log.  stale: days before live_from whose roll-ups do not count; runs: a
 * relation (day, begins, ends) of what is read from the log instead, from live_from
 * on and the stale days, NULL: nothing; its last row may be of several days, with day
 * NULL.  span: days of the longest period for which the report counts visitors.
 * users: whether it counts users, too.
 *
 * An application that has the rights of grant_analyst() before there were roll-ups
 * goes on reading the log.
 */
CREATE FUNCTION pk_tracking_internal.rollup_live(
	relation text,
	idsite integer,
	from_date date,
	to_date date,
	timezone text,
	span integer,
	users boolean,
	OUT usable boolean,
	OUT stale date[],
	OUT live_from date,
	OUT runs text)
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	stale_max integer := 7;
	s record;
	marked datemultirange;
	first_marked date;
	all_gone boolean;
BEGIN
	usable := false;
	-- visitors are not followed for longer (rollup_visit.visitor_ages)
	IF span > 366 OR to_regclass(relation) IS NULL
		OR NOT (has_table_privilege(relation, 'SELECT')
			AND has_table_privilege('pk_tracking.rollup_day', 'SELECT')
			AND has_table_privilege('pk_tracking.rollup_mark', 'SELECT'))
		OR pk_tracking_internal.rollup_rows_hidden() THEN
		RETURN;
	END IF;
	SELECT r.* INTO s FROM pk_tracking.rollup_site r WHERE r.idsite = idsite;
	IF NOT FOUND OR s.timezone <> timezone THEN
		RETURN;
	END IF;
	-- until a day is built, earlier rows may still be found
	IF NOT EXISTS (SELECT FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND d.day >= s.frozen_before AND d.built IS NOT NULL) THEN
		s.first_day := '-infinity';
	END IF;
	SELECT coalesce(range_agg(daterange((m.begins AT TIME ZONE timezone)::date,
			(m.ends AT TIME ZONE timezone)::date, '[]')), '{}'),
			min((m.begins AT TIME ZONE timezone)::date) FILTER (WHERE m.begins > '3999-01-01 BC'),
			bool_or(m.begins = '-infinity')
		INTO marked, first_marked, all_gone
		FROM pk_tracking.rollup_mark m WHERE m.idsite = idsite OR m.idsite IS NULL;
	IF all_gone THEN
		RETURN;
	END IF;

	-- of frozen days the log cannot answer
	IF from_date < s.frozen_before THEN
		stale_max := 366;
	END IF;
	live_from := least(to_date + 1, (now() AT TIME ZONE timezone)::date);
	-- a mark may be of a day before the first one
	stale := ARRAY(
		SELECT g::date
		FROM generate_series(greatest(from_date, s.frozen_before, least(s.first_day, first_marked)),
			live_from - 1, interval '1 day') g
			LEFT JOIN pk_tracking.rollup_day d ON d.idsite = idsite AND d.day = g::date
		WHERE g::date <@ marked
			OR (g::date >= s.first_day AND (d.built IS NOT NULL AND NOT d.stale) IS NOT TRUE)
		LIMIT stale_max + 1);
	-- where no day has roll-ups, the report's own query is quicker
	IF cardinality(stale) > stale_max
		OR live_from - from_date <= cardinality(stale) THEN
		RETURN;
	END IF;
	SELECT '(VALUES ' || string_agg(format('(%L::date, %L::timestamptz, %L::timestamptz)',
				r.day, r.begins, r.ends), ', ')
			|| ') AS run (day, begins, ends)' INTO runs
		FROM (
			SELECT d AS day, pk_tracking_internal.day_begin(d, timezone) AS begins,
				pk_tracking_internal.day_begin(d + 1, timezone) AS ends
			FROM unnest(stale) d
			UNION ALL
			SELECT CASE WHEN greatest(live_from, from_date) = to_date THEN to_date END,
				pk_tracking_internal.day_begin(greatest(live_from, from_date), timezone),
				pk_tracking_internal.day_begin(to_date + 1, timezone)
			WHERE live_from <= to_date) r;

	usable := true;
	IF users AND span > 1 THEN
		usable := NOT EXISTS (SELECT FROM pk_tracking.rollup_day d WHERE d.idsite = idsite
			AND d.day BETWEEN from_date AND live_from - 1 AND d.day <> ALL (stale)
			AND NOT d.users_by_id);
		IF usable AND runs IS NOT NULL THEN
			EXECUTE pk_tracking_internal.rollup_users_query(runs) INTO usable USING idsite;
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_live IS
	'which days of a report are read from roll-ups, and which from the log';

/*
 * The visits of a report, counted, as a relation: the keys of the kind from k1 on
 * and the metrics that report_query() counts.  NULL if the report must read the
 * log.  period_key: of a report by period, k1 of a time, which is put in with
 * format(); the keys begin with k2 then.  first_day: the first day of k1's period,
 * over k1.  condition: of a filter, as rollup_filter() returns it.
 * Parameters as in a report: $1 site, $4 and $5 least and greatest consent, $6 time
 * zone, $7 and $8 first and last day.
 */
CREATE FUNCTION pk_tracking_internal.rollup_source(
	kind text,
	idsite integer,
	from_date date,
	to_date date,
	timezone text,
	span integer,
	period_key text DEFAULT NULL,
	first_day text DEFAULT '$7',
	condition text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	l record;
	key_columns text;
	key_names text;
BEGIN
	SELECT * INTO l
		FROM pk_tracking_internal.rollup_live('pk_tracking.rollup_visit', idsite, from_date,
			to_date, timezone, span, true);
	IF l.usable IS NOT TRUE THEN
		RETURN NULL;
	END IF;
	SELECT string_agg(format('%s AS k%s', e.key, e.n), ', ' ORDER BY e.n),
		string_agg(format('k%s', e.n), ', ' ORDER BY e.n)
		INTO key_columns, key_names
		FROM (
			SELECT format(period_key, '(f.day::timestamp AT TIME ZONE $6)') AS key, 1 AS n
			WHERE period_key IS NOT NULL
			UNION ALL
			SELECT format('f.keys[%s]::%s', t.n, t.type),
				t.n + CASE WHEN period_key IS NULL THEN 0 ELSE 1 END
			FROM pk_tracking_internal.rollup_kind k, unnest(k.types) WITH ORDINALITY AS t (type, n)
			WHERE k.kind = kind) e;
	RETURN format($query$(
			SELECT %1$s,
				sum(f.nb_visits) AS nb_visits,
				sum(pk_tracking_internal.rollup_since(f.nb_uniq_visitors, f.visitor_ages,
					f.visitors, f.day - (%2$s)::date))::bigint AS nb_uniq_visitors,
				sum(pk_tracking_internal.rollup_since(f.nb_users, f.user_ages, f.users,
					f.day - (%2$s)::date))::bigint AS nb_users,
				sum(f.nb_actions)::bigint AS nb_actions,
				sum(f.nb_pageviews)::bigint AS nb_pageviews,
				max(f.max_actions) AS max_actions,
				sum(f.bounce_count) AS bounce_count,
				sum(f.sum_visit_length)::bigint AS sum_visit_length,
				sum(f.nb_visits_converted) AS nb_visits_converted,
				sum(f.nb_conversions) AS nb_conversions,
				sum(f.revenue) AS revenue,
				coalesce(sum(f.nb_visits) FILTER (WHERE f.anonymous), 0) AS nb_visits_anonymous
			FROM (
				SELECT %3$s, f.*
				FROM (
					SELECT r.day, r.nb_visits, r.nb_uniq_visitors, r.nb_users,
						r.max_actions, r.bounce_count, r.nb_visits_converted, r.nb_actions,
						r.nb_pageviews, r.sum_visit_length, r.nb_conversions, r.anonymous,
						r.kind, r.keys, r.revenue, r.visitor_ages, r.visitors, r.user_ages, r.users
					FROM pk_tracking.rollup_visit r
					WHERE r.idsite = $1 AND %4$s
						AND CASE WHEN r.anonymous THEN $5 >= 2 ELSE $4 < 2 END%5$s) f
				WHERE %6$s) f
			GROUP BY %1$s)$query$,
		coalesce(nullif(key_names, ''), '''''::text'), first_day,
		coalesce(nullif(key_columns, ''), '$6 AS site'),
		pk_tracking_internal.rollup_days(kind, idsite, from_date, to_date, l.live_from, l.stale,
			period_key),
		CASE WHEN l.runs IS NOT NULL THEN format(' UNION ALL (%s)',
			pk_tracking_internal.rollup_visit_query(ARRAY[kind], l.runs, span > 1)) ELSE '' END,
		coalesce(condition, 'true'));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_source IS
	'text of a relation with the visits of a report, counted from roll-ups; NULL: the report must read the log';
