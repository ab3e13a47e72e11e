
-- ---------------------------------------------------------------------------
-- rollup/build: building roll-ups
--
-- maintain() builds the days that are missing or marked, the oldest first.  One
-- session at a time builds a site; others pass it over.
-- ---------------------------------------------------------------------------

/*
 * Is a transaction running that may have written hits of a day when it was over, or have
 * such hits been committed that the caller's snapshot does not see?  horizon: of the day,
 * rollup_horizon() when its row was there; whoever got that number or a later one looks at
 * the clock and at the row later, and marks hits of that day.  All running transactions with a
 * number hold a lock on it before they look at the clock; a snapshot says less, because
 * its end is not after the oldest number that has not ended.  Those of other databases do
 * not matter, nor autovacuum's, which writes no hits.
 */
CREATE FUNCTION pk_tracking_internal.rollup_awaits(horizon xid8) RETURNS boolean
LANGUAGE sql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM pg_locks l
			LEFT JOIN pg_stat_activity a ON a.pid = l.pid
			LEFT JOIN pg_prepared_xacts p ON l.pid IS NULL AND p.transaction = l.transactionid
			WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
				AND l.pid IS DISTINCT FROM pg_backend_pid()
				AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
				AND age(l.transactionid) > age(horizon::xid)
				AND coalesce(a.datid, (SELECT d.oid FROM pg_database d WHERE d.datname = p.database))
					IS NOT DISTINCT FROM (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
		OR (current_setting('transaction_isolation') <> 'read committed'
			AND (horizon >= pg_snapshot_xmax(pg_current_snapshot())
				OR EXISTS (SELECT FROM pg_snapshot_xip(pg_current_snapshot()) x WHERE x < horizon)))
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_awaits IS
	'whether a transaction is running that began before a day was over';

/* What was counted of some days of a site goes; their rows of rollup_day stay. */
CREATE FUNCTION pk_tracking_internal.rollup_clear(idsite integer, days date[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.rollup_clear_spans(idsite, days);
	PERFORM pk_tracking_internal.rollup_delete(idsite, days);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_clear IS
	'deletes what roll-ups have counted of some days of a site';

/*
 * Days of which the log has no row have nothing to be counted: a site may have very
 * many, after one hit of long ago.  Nothing but the ranges of times is read for
 * that.  Returns how many days are done.
 */
CREATE FUNCTION pk_tracking_internal.rollup_build_empty(idsite integer, timezone text,
	from_date date, to_date date, await boolean)
RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	-- looked at before the rows
	horizons xid8[] := ARRAY(
		SELECT h.horizon FROM (SELECT DISTINCT r.horizon FROM pk_tracking.rollup_day r
			WHERE r.idsite = idsite AND r.horizon IS NOT NULL) h
		WHERE await AND pk_tracking_internal.rollup_awaits(h.horizon));
	-- once, not for each day
	bound interval := pk_tracking_internal.rollup_bound(idsite);
	days date[] := ARRAY(
		WITH d AS MATERIALIZED (
			SELECT r.day, pk_tracking_internal.day_begin(r.day, timezone) AS begins,
				pk_tracking_internal.day_begin(r.day + 1, timezone) AS ends
			FROM pk_tracking.rollup_day r
			WHERE r.idsite = idsite AND r.day BETWEEN from_date AND to_date
				AND (r.built IS NULL OR r.stale)
				AND (r.horizon IS NULL OR r.horizon <> ALL (horizons)))
		SELECT d.day FROM d
		-- a visit may have begun before, and rows may be another day's than their visit
		WHERE NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idsite = idsite
				AND v.visit_first_action_time >= d.begins - bound
				AND v.visit_first_action_time < d.ends
				AND greatest(v.visit_first_action_time, v.visit_last_action_time) >= d.begins)
			AND NOT EXISTS (SELECT FROM pk_tracking.log_link_visit_action l WHERE l.idsite = idsite
				AND l.server_time >= d.begins AND l.server_time < d.ends)
			AND NOT EXISTS (SELECT FROM pk_tracking.log_conversion c WHERE c.idsite = idsite
				AND c.server_time >= d.begins AND c.server_time < d.ends)
			AND NOT EXISTS (SELECT FROM pk_tracking.log_conversion_item i WHERE i.idsite = idsite
				AND i.server_time >= d.begins AND i.server_time < d.ends));
BEGIN
	IF days <> '{}' THEN
		PERFORM pk_tracking_internal.rollup_clear(idsite, days);
		UPDATE pk_tracking.rollup_day d
		SET built = clock_timestamp(), stale = false, horizon = NULL, users_by_id = true
		WHERE d.idsite = idsite AND d.day = ANY (days);
	END IF;
	RETURN cardinality(days);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_empty IS
	'notes which days that are to be built have no rows';

/* Days as a relation run (day, begins, ends) with constants, by which plans are made. */
CREATE FUNCTION pk_tracking_internal.rollup_runs(days date[], timezone text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
SET datestyle = ISO
AS $$
	SELECT format('(VALUES %s) AS run (day, begins, ends)',
		string_agg(format('(%L::date, %L::timestamptz, %L::timestamptz)', d.day,
			pk_tracking_internal.day_begin(d.day, timezone),
			pk_tracking_internal.day_begin(d.day + 1, timezone)), ', ' ORDER BY d.day))
	FROM unnest(days) AS d (day)
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_runs IS
	'text of a relation of days with their begins and ends';

/*
 * The part of rollup_build_runs() for actions and conversions.  What was collected on
 * the way has no statistics: without the switch it might be joined row by row.
 */
CREATE FUNCTION pk_tracking_internal.rollup_build_facts(idsite integer, runs text,
	begins timestamptz, timezone text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET enable_nestloop = off
SET jit = off
AS $$
DECLARE
	kinds text[] := ARRAY(SELECT DISTINCT k.kind FROM pk_tracking_internal.rollup_fact_kind k);
	columns text;
BEGIN
	SELECT string_agg(', ' || c.name, '' ORDER BY c.name) INTO columns
		FROM pk_tracking_internal.rollup_sum_columns() c;
	EXECUTE format('INSERT INTO pk_tracking.rollup_fact (idsite, day, kind, idaction_1, idaction_2, '
		'idaction_3, number, words, consents, nb_hits, nb_visits, nb_uniq_visitors, visit_ages, '
		'visits, visitor_ages, visitors%1$s) SELECT $1, day, kind, nullif(idaction_1, 0), '
		'nullif(idaction_2, 0), nullif(idaction_3, 0), nullif(number, 0), nullif(words, ''{}''), '
		'consents, nb_hits, nb_visits, nb_uniq_visitors, visit_ages, visits, visitor_ages, '
		'visitors%1$s FROM (%2$s) q', columns,
		pk_tracking_internal.rollup_fact_query(kinds, runs, true))
		USING idsite, begins - interval '367 days', NULL::timestamptz, 0, 3, timezone;
	kinds := ARRAY(SELECT k.kind FROM pk_tracking_internal.rollup_times_kind k);
	EXECUTE format('INSERT INTO pk_tracking.rollup_times (idsite, day, idaction_1, consents, kind, '
		'times) SELECT $1, q.* FROM (%s) q', pk_tracking_internal.rollup_times_query(kinds, runs))
		USING idsite, NULL::timestamptz, NULL::timestamptz, 0, 3, timezone;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_facts IS
	'builds the roll-ups of actions and conversions of some days';

/*
 * Builds some days anew, in ascending order.  The caller has locked the site's row of
 * rollup_site.
 */
CREATE FUNCTION pk_tracking_internal.rollup_build_runs(idsite integer, days date[], timezone text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	kinds text[] := ARRAY(SELECT k.kind FROM pk_tracking_internal.rollup_kind k);
	runs text := pk_tracking_internal.rollup_runs(days, timezone);
BEGIN
	PERFORM pk_tracking_internal.rollup_clear(idsite, days);
	EXECUTE 'INSERT INTO pk_tracking.rollup_visit (idsite, day, nb_visits, nb_uniq_visitors, '
		'nb_users, max_actions, bounce_count, nb_visits_converted, nb_actions, nb_pageviews, '
		'sum_visit_length, nb_conversions, anonymous, kind, keys, revenue, visitor_ages, visitors, '
		'user_ages, users) SELECT $1, q.* FROM ('
		|| pk_tracking_internal.rollup_visit_query(kinds, runs) || ') q'
		USING idsite, NULL::timestamptz, NULL::timestamptz, 0, 3, timezone;
	PERFORM pk_tracking_internal.rollup_build_facts(idsite, runs,
		pk_tracking_internal.day_begin(days[1], timezone), timezone);
	EXECUTE format('UPDATE pk_tracking.rollup_day d '
		'SET built = clock_timestamp(), stale = false, horizon = NULL, users_by_id = u.by_id '
		'FROM (%s) u WHERE d.idsite = $1 AND d.day = u.day',
		(SELECT string_agg(format('SELECT %L::date AS day, (%s) AS by_id', d.day,
				pk_tracking_internal.rollup_users_query(
					pk_tracking_internal.rollup_runs(ARRAY[d.day], timezone))), ' UNION ALL ')
			FROM unnest(days) AS d (day)))
		USING idsite;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_runs IS 'builds the roll-ups of some days';

/* $1 is the site. */
CREATE FUNCTION pk_tracking_internal.rollup_users_query(runs text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('SELECT NOT EXISTS (SELECT FROM %s JOIN pk_tracking.log_visit v ON v.idsite = $1 '
		'AND v.visit_first_action_time >= run.begins AND v.visit_first_action_time < run.ends '
		'AND v.user_id IS NOT NULL '
		'AND v.idvisitor::bigint IS DISTINCT FROM pk_tracking.user_id_visitor_id(v.user_id)::bigint)',
		runs)
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_users_query IS
	'text of the query whether the visits of users in some runs of days have the visitor ids that the user ids give';

/*
 * Before sites are built: adds those that rollup_site has not got, and makes of a mark
 * of all sites one of each.  A site without rows begins today;
 * a row of an earlier day, which may come any time, marks its day.
 */
CREATE FUNCTION pk_tracking_internal.rollup_prepare() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	new_sites integer[] := ARRAY(SELECT s.idsite FROM pk_tracking.site s
		WHERE NOT EXISTS (SELECT FROM pk_tracking.rollup_site r WHERE r.idsite = s.idsite));
	mark record;
BEGIN
	FOR mark IN DELETE FROM pk_tracking.rollup_mark m WHERE m.idsite IS NULL RETURNING m.* LOOP
		INSERT INTO pk_tracking.rollup_mark (idsite, begins, ends)
		SELECT s.idsite, mark.begins, mark.ends FROM pk_tracking.rollup_site s;
	END LOOP;
	IF new_sites = '{}' THEN
		RETURN;
	END IF;
	INSERT INTO pk_tracking.rollup_site (idsite, timezone, first_day)
	SELECT s.idsite, s.timezone,
		(least(now(), min(f.first)) AT TIME ZONE s.timezone)::date
	FROM pk_tracking.site s LEFT JOIN (
		SELECT v.idsite, min(v.visit_first_action_time) AS first
		FROM pk_tracking.log_visit v GROUP BY 1
		UNION ALL
		SELECT l.idsite, min(l.server_time) FROM pk_tracking.log_link_visit_action l GROUP BY 1
		UNION ALL
		SELECT c.idsite, min(c.server_time) FROM pk_tracking.log_conversion c GROUP BY 1
		UNION ALL
		SELECT i.idsite, min(i.server_time) FROM pk_tracking.log_conversion_item i GROUP BY 1) f
		ON f.idsite = s.idsite
	WHERE s.idsite = ANY (new_sites)
	GROUP BY s.idsite, s.timezone
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_prepare IS
	'adds new sites to the roll-ups, and spreads marks of all sites';

/*
 * Makes of the marks that this statement's snapshot sees days that are stale, and
 * deletes these marks and no others: what commits later is marked later.  Days
 * that are over get a row; they are built when the transactions have ended that may
 * have written hits of theirs without a mark, as hits of today, or before there was
 * that row (src/log/mark_days.c).  now() is not later than any snapshot of this
 * transaction.
 */
CREATE FUNCTION pk_tracking_internal.rollup_take_marks(idsite integer, timezone text)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	marks tid[];
	days daterange[];
	first date;
	all_gone boolean;
	last CONSTANT date := (now() AT TIME ZONE timezone)::date - 1;
	added boolean;
	horizon xid8;
BEGIN
	SELECT array_agg(m.ctid),
		array_agg(daterange((m.begins AT TIME ZONE timezone)::date,
			(m.ends AT TIME ZONE timezone)::date, '[]')),
		min((m.begins AT TIME ZONE timezone)::date) FILTER (WHERE m.begins > '4000-01-01 00:00+00 BC'),
		bool_or(m.begins = '-infinity')
		INTO marks, days, first, all_gone
		FROM pk_tracking.rollup_mark m WHERE m.idsite = idsite;
	IF marks IS NOT NULL THEN
		-- TRUNCATE takes frozen days, too
		UPDATE pk_tracking.rollup_site s SET frozen_before = '-infinity'
		WHERE s.idsite = idsite AND all_gone;
		UPDATE pk_tracking.rollup_day d SET stale = true
		FROM pk_tracking.rollup_site s
		WHERE d.idsite = idsite AND d.day <@ ANY (days) AND NOT d.stale
			AND s.idsite = idsite AND d.day >= s.frozen_before;
		UPDATE pk_tracking.rollup_site s SET first_day = greatest(first, s.frozen_before)
		WHERE s.idsite = idsite AND first IS NOT NULL AND greatest(first, s.frozen_before) < s.first_day;
		DELETE FROM pk_tracking.rollup_mark m WHERE m.ctid = ANY (marks);
	END IF;
	-- the last day first: its row tells writers of all these days that they are built
	INSERT INTO pk_tracking.rollup_day (idsite, day)
	SELECT idsite, last
	FROM pk_tracking.rollup_site s
	WHERE s.idsite = idsite AND s.first_day <= last
	ON CONFLICT DO NOTHING;
	added := FOUND;
	horizon := pk_tracking_internal.rollup_horizon();
	-- a log that was restored elsewhere has numbers of another server, which are far away
	UPDATE pk_tracking.rollup_day d SET horizon = horizon
	WHERE d.idsite = idsite AND (added AND d.day = last OR d.horizon > horizon);
	INSERT INTO pk_tracking.rollup_day (idsite, day, horizon)
	SELECT idsite, g::date, horizon
	FROM pk_tracking.rollup_site s, generate_series(s.first_day, last, interval '1 day') g
	WHERE s.idsite = idsite
		AND NOT EXISTS (SELECT FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND d.day = g::date);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_take_marks IS
	'notes which days of a site are to be built, and deletes the marks that say so';

/*
 * Locks the roll-ups of a site for a builder, takes their marks, and returns the time
 * zone of their days.  NULL: the site has none, another session is building them and the
 * caller does not wait, or row security hides rows of the log from the caller.
 */
CREATE FUNCTION pk_tracking_internal.rollup_begin(idsite integer, wait boolean) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	s record;
	old_days date[];
BEGIN
	IF pk_tracking_internal.rollup_rows_hidden() THEN
		RETURN NULL;
	END IF;
	IF wait THEN
		PERFORM FROM pk_tracking.rollup_site r WHERE r.idsite = idsite FOR UPDATE;
	END IF;
	SELECT r.timezone AS old_timezone, t.timezone INTO s
	FROM pk_tracking.rollup_site r JOIN pk_tracking.site t ON t.idsite = r.idsite
	WHERE r.idsite = idsite
	FOR UPDATE OF r SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF s.old_timezone <> s.timezone THEN
		-- other days begin and end; what the log has lost stays as it is
		old_days := ARRAY(
			SELECT d.day FROM pk_tracking.rollup_day d JOIN pk_tracking.rollup_site r ON r.idsite = d.idsite
			WHERE d.idsite = idsite AND d.day >= r.frozen_before);
		-- the days' rows tell which weeks and months there are
		PERFORM pk_tracking_internal.rollup_clear(idsite, old_days);
		DELETE FROM pk_tracking.rollup_day d WHERE d.idsite = idsite AND d.day = ANY (old_days);
		UPDATE pk_tracking.rollup_site r SET timezone = s.timezone,
			first_day = greatest(r.first_day - 1, r.frozen_before)
		WHERE r.idsite = idsite;
	END IF;
	PERFORM pk_tracking_internal.rollup_take_marks(idsite, s.timezone);
	RETURN s.timezone;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_begin IS
	'locks a site''s roll-ups for a builder and takes their marks; returns the time zone';

/* The time of the first row of a site before a time; NULL: there is none. */
CREATE FUNCTION pk_tracking_internal.rollup_first_row(idsite integer, before timestamptz)
RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
BEGIN
	RETURN min(f.at)
	FROM (
		SELECT v.visit_first_action_time AS at FROM pk_tracking.log_visit v
		WHERE v.idsite = idsite AND v.visit_first_action_time < before
		UNION ALL
		SELECT l.server_time FROM pk_tracking.log_link_visit_action l
		WHERE l.idsite = idsite AND l.server_time < before
		UNION ALL
		SELECT c.server_time FROM pk_tracking.log_conversion c
		WHERE c.idsite = idsite AND c.server_time < before
		UNION ALL
		SELECT i.server_time FROM pk_tracking.log_conversion_item i
		WHERE i.idsite = idsite AND i.server_time < before) f;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_first_row IS
	'time of the first row of a site before some time';

/*
 * Until a day is built, looks for rows before the first day of a site: transactions that
 * were running when the site was added to the roll-ups may have written some without a
 * mark.  False if one of them may still run: nothing is to be built then.
 */
CREATE FUNCTION pk_tracking_internal.rollup_settle(idsite integer, timezone text, await boolean)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	first date;
BEGIN
	IF EXISTS (SELECT FROM pk_tracking.rollup_day d JOIN pk_tracking.rollup_site s
			ON s.idsite = d.idsite AND d.day >= s.frozen_before
			WHERE d.idsite = idsite AND d.built IS NOT NULL) THEN
		RETURN true;
	END IF;
	IF await AND pk_tracking_internal.rollup_awaits((SELECT d.horizon FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND d.horizon IS NOT NULL ORDER BY d.horizon LIMIT 1)) THEN
		RETURN false;
	END IF;
	first := (pk_tracking_internal.rollup_first_row(idsite,
		(SELECT pk_tracking_internal.day_begin(s.first_day, timezone)
			FROM pk_tracking.rollup_site s WHERE s.idsite = idsite)) AT TIME ZONE timezone)::date;
	IF first IS NOT NULL THEN
		UPDATE pk_tracking.rollup_site s SET first_day = greatest(first, s.frozen_before)
		WHERE s.idsite = idsite AND greatest(first, s.frozen_before) < s.first_day;
		INSERT INTO pk_tracking.rollup_day (idsite, day)
		SELECT idsite, g::date
		FROM pk_tracking.rollup_site s,
			generate_series(s.first_day, (now() AT TIME ZONE timezone)::date - 1, interval '1 day') g
		WHERE s.idsite = idsite
		ON CONFLICT DO NOTHING;
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_settle IS
	'looks for rows of a site before its first day, until a day is built; whether days may be built';

/*
 * The days after "last" that are built next, the oldest first: days with few visits
 * together, because a statement costs as much as many visits.  horizons: of days that
 * are not built yet.
 */
CREATE FUNCTION pk_tracking_internal.rollup_next_days(idsite integer, timezone text,
	from_date date, to_date date, last date, horizons xid8[])
RETURNS date[]
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	days_max CONSTANT integer := 31;
	visits_max CONSTANT bigint := 5000;
	visits bigint := 0;
	days date[] := '{}';
	d record;
BEGIN
	FOR d IN
		SELECT r.day, pk_tracking_internal.day_begin(r.day, timezone) AS begins,
			pk_tracking_internal.day_begin(r.day + 1, timezone) AS ends
		FROM pk_tracking.rollup_day r
		WHERE r.idsite = idsite AND (r.built IS NULL OR r.stale)
			AND r.day BETWEEN from_date AND to_date AND r.day > last
			AND (r.horizon IS NULL OR r.horizon <> ALL (horizons))
		ORDER BY r.day LIMIT days_max
	LOOP
		visits := visits + (
			SELECT count(*) FROM (
				SELECT FROM pk_tracking.log_visit v
				WHERE v.idsite = idsite AND v.visit_first_action_time >= d.begins
					AND v.visit_first_action_time < d.ends
				LIMIT visits_max + 1) v);
		EXIT WHEN visits > visits_max AND days <> '{}';
		days := days || d.day;
	END LOOP;
	RETURN days;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_next_days IS
	'which days of a site are built next';

/*
 * Builds the days of a site that are missing or stale, at least one that is not
 * empty, until the time is up.  await: not those that transactions which are running
 * may have written hits of, without a mark.  Returns how many were built.
 */
CREATE FUNCTION pk_tracking_internal.rollup_build_days(idsite integer, timezone text,
	until timestamptz, from_date date, to_date date, await boolean DEFAULT true)
RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	built integer;
	horizons xid8[];
	days date[];
	last date := '-infinity';
BEGIN
	IF NOT pk_tracking_internal.rollup_settle(idsite, timezone, await) THEN
		RETURN 0;
	END IF;
	built := pk_tracking_internal.rollup_build_empty(idsite, timezone, from_date, to_date, await);
	LOOP
		horizons := ARRAY(
			SELECT h.horizon FROM (SELECT DISTINCT r.horizon FROM pk_tracking.rollup_day r
				WHERE r.idsite = idsite AND r.horizon IS NOT NULL) h
			WHERE await AND pk_tracking_internal.rollup_awaits(h.horizon));
		days := pk_tracking_internal.rollup_next_days(idsite, timezone, from_date, to_date, last, horizons);
		EXIT WHEN days = '{}';
		PERFORM pk_tracking_internal.rollup_build_runs(idsite, days, timezone);
		built := built + cardinality(days);
		EXIT WHEN clock_timestamp() >= until;
		last := days[cardinality(days)];
	END LOOP;
	PERFORM pk_tracking_internal.rollup_build_spans(idsite);
	RETURN built;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_days IS
	'builds days of a site''s roll-ups that are missing or stale';

CREATE FUNCTION pk_tracking_internal.rollup_build_site(idsite integer, until timestamptz,
	from_date date DEFAULT '-infinity', to_date date DEFAULT 'infinity')
RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	timezone CONSTANT text := pk_tracking_internal.rollup_begin(idsite, false);
BEGIN
	RETURN coalesce(pk_tracking_internal.rollup_build_days(idsite, timezone, until,
		from_date, to_date), 0);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_site IS
	'builds roll-ups of a site, unless another session does';

CREATE FUNCTION pk_tracking_internal.rollup_build_all() RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	until timestamptz := clock_timestamp() + interval '1 minute';
	site integer;
	built bigint := 0;
BEGIN
	PERFORM pk_tracking_internal.rollup_prepare();
	-- Sites with nothing to be built are passed over: there may be very many.  Those that
	-- have waited longest come first, so that each gets its turn.
	FOR site IN
		SELECT s.idsite
		FROM pk_tracking.rollup_site s JOIN pk_tracking.site t ON t.idsite = s.idsite
			LEFT JOIN (
				SELECT d.idsite, max(d.day) AS last, max(d.built) AS built,
					bool_or(d.built IS NULL OR d.stale) AS waits
				FROM pk_tracking.rollup_day d GROUP BY d.idsite) d ON d.idsite = s.idsite
		WHERE d.waits OR s.timezone <> t.timezone
			OR coalesce(d.last, s.first_day - 1) < (now() AT TIME ZONE t.timezone)::date - 1
			OR s.idsite IN (SELECT m.idsite FROM pk_tracking.rollup_mark m)
		ORDER BY d.built NULLS FIRST, s.idsite
	LOOP
		built := built + pk_tracking_internal.rollup_build_site(site, until);
		EXIT WHEN built > 0 AND clock_timestamp() >= until;
	END LOOP;
	RETURN built;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_all IS
	'part of maintain(): builds roll-ups for about a minute, at least a day';

/*
 * For whoever deletes rows of a site because of their age, before a time at which a day
 * begins: builds the days before it, the oldest first, until the time is up, and from now
 * on the roll-ups of those that are built stay as they are.  Returns the time before which
 * rows may be deleted; -infinity if another session is building and the caller does not
 * wait.
 *
 * A transaction that has tracked a hit of such a day while it was today, and has not
 * ended since, is not waited for, or it would keep rows from being deleted.
 */
CREATE FUNCTION pk_tracking_internal.rollup_freeze(idsite integer, before timestamptz,
	until timestamptz, wait boolean)
RETURNS timestamptz
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	timezone text;
	first_kept date;
	first_unfrozen date;
	started timestamptz := clock_timestamp();
BEGIN
	-- a log of an older version has none
	IF to_regclass('pk_tracking.rollup_site') IS NULL THEN
		RETURN before;
	END IF;
	PERFORM pk_tracking_internal.rollup_prepare();
	timezone := pk_tracking_internal.rollup_begin(idsite, wait);
	IF timezone IS NULL THEN
		RETURN '-infinity';
	END IF;
	first_kept := (before AT TIME ZONE timezone)::date;
	PERFORM pk_tracking_internal.rollup_build_days(idsite, timezone, until, '-infinity',
		first_kept - 1, false);
	SELECT least(first_kept, min(d.day)) INTO first_unfrozen
		FROM pk_tracking.rollup_day d
		WHERE d.idsite = idsite AND d.day < first_kept AND (d.built IS NULL OR d.stale);
	UPDATE pk_tracking.rollup_site r SET frozen_before = first_unfrozen
		WHERE r.idsite = idsite AND r.frozen_before < first_unfrozen;
	-- nobody was waited for, which is right for frozen days alone
	UPDATE pk_tracking.rollup_day d
		SET built = NULL, horizon = pk_tracking_internal.rollup_horizon()
		WHERE d.idsite = idsite AND d.day >= first_unfrozen AND d.built >= started;
	RETURN pk_tracking_internal.day_begin(first_unfrozen, timezone);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_freeze IS
	'builds roll-ups of days whose rows are about to be deleted by age, and keeps them as they are; returns the time before which rows may be deleted';

CREATE FUNCTION pk_tracking.rebuild_rollups(idsite integer, from_date date, to_date date)
RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	p record;
	first_row timestamptz;
BEGIN
	SELECT * INTO p FROM pk_tracking_internal.report_period(idsite, from_date, to_date, 'all');
	PERFORM pk_tracking_internal.rollup_prepare();
	-- each marked day gets a row of rollup_day: the year 1 would mean many empty ones
	SELECT least(f.first_day, pk_tracking_internal.rollup_first_row(idsite, f.first_day))
		INTO first_row
		FROM (
			SELECT pk_tracking_internal.day_begin(s.first_day, s.timezone) AS first_day
			FROM pk_tracking.rollup_site s WHERE s.idsite = idsite) f;
	INSERT INTO pk_tracking.rollup_mark (idsite, begins, ends)
	SELECT idsite, greatest(p.begins, first_row), p.ends - interval '1 microsecond'
	WHERE greatest(p.begins, first_row) < p.ends;
	RETURN pk_tracking_internal.rollup_build_site(idsite, 'infinity', from_date, to_date);
END
$$;
COMMENT ON FUNCTION pk_tracking.rebuild_rollups IS
	'builds the roll-ups of some days of a site anew; returns how many days it built';
