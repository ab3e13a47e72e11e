
-- ---------------------------------------------------------------------------
-- admin/retention: visits are kept as long as the settings say
--
-- Whole days of the site's time zone go, visit by visit: one that has gone on into a
-- later day stays until that day goes.  Visits that somebody has locked, such as a late
-- hit, are passed over; the next call takes them.
-- ---------------------------------------------------------------------------

/*
 * What is to be deleted: of these sites the visits that began, and ended, before.
 * older_than: days; NULL: as the site's setting says.
 */
CREATE FUNCTION pk_tracking_internal.purge_plan(
	idsite integer, older_than integer, setting text DEFAULT 'delete_visits_older_than')
RETURNS TABLE (site integer, days integer, before timestamptz)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF idsite IS NOT NULL THEN
		PERFORM pk_tracking_internal.need_site(idsite);
	END IF;
	IF older_than NOT BETWEEN 1 AND 36500 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'argument "older_than" must be between 1 and 36500';
	END IF;
	RETURN QUERY
		SELECT p.idsite, p.days, pk_tracking_internal.day_begin(p.day, p.timezone)
		FROM (SELECT s.idsite, s.timezone, d.days,
				(now() AT TIME ZONE s.timezone)::date - d.days AS day
			FROM pk_tracking.site s CROSS JOIN LATERAL (
				SELECT coalesce(purge_plan.older_than, (SELECT g.value::integer
					FROM pk_tracking.settings g
					WHERE g.idsite = s.idsite AND g.name = setting))) AS d (days)
			WHERE s.idsite = purge_plan.idsite OR purge_plan.idsite IS NULL) p
		WHERE p.days > 0
		ORDER BY p.idsite;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.purge_plan IS
	'the sites of which visits are to be deleted, or anonymised, and the time before which';

/* The next visits to be deleted, at most so many, by their numbers. */
CREATE FUNCTION pk_tracking_internal.purge_find(idsite integer, before timestamptz, max integer)
RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
BEGIN
	RETURN ARRAY(SELECT f.idvisit
		FROM (SELECT v.idvisit FROM pk_tracking.log_visit v
			WHERE v.idsite = purge_find.idsite AND v.visit_first_action_time < before
				AND v.visit_last_action_time < before
			LIMIT max) f
		ORDER BY f.idvisit);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.purge_find IS
	'visits of a site that have ended before a time';

/* Counted by a thousand, so that the numbers of all visits never stand in memory. */
CREATE FUNCTION pk_tracking_internal.purge_count(idsite integer, before timestamptz,
	OUT visits bigint, OUT actions bigint, OUT conversions bigint, OUT items bigint)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
BEGIN
	SELECT coalesce(sum(n.n_visits), 0), coalesce(sum(n.n_actions), 0),
			coalesce(sum(n.n_conversions), 0), coalesce(sum(n.n_items), 0)
		INTO visits, actions, conversions, items
	FROM (SELECT array_agg(v.idvisit) AS numbers FROM pk_tracking.log_visit v
			WHERE v.idsite = purge_count.idsite AND v.visit_first_action_time < before
				AND v.visit_last_action_time < before
			GROUP BY v.idvisit / 1000) b,
		LATERAL pk_tracking_internal.count_rows(b.numbers) n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.purge_count IS
	'how many rows the visits of a site have that ended before a time';

/*
 * Deletes a batch of visits that are still as old, and that nobody has locked.  erasure:
 * entry of the register that counts them; NULL: one is made, by that function.  visits is
 * NULL if a load has the whole site for itself now: nothing was done.
 */
CREATE FUNCTION pk_tracking_internal.purge_batch(
	idsite integer, before timestamptz, batch bigint[], days integer, function text,
	INOUT erasure uuid,
	OUT visits bigint, OUT actions bigint, OUT conversions bigint, OUT items bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
	locked bigint[];
BEGIN
	IF NOT pk_tracking_internal.subject_lock(idsite, '{}') THEN
		RETURN;
	END IF;
	locked := ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v
		WHERE v.idvisit = ANY (batch) AND v.idsite = purge_batch.idsite
			AND v.visit_first_action_time < before AND v.visit_last_action_time < before
		FOR UPDATE SKIP LOCKED);
	visits := 0;
	actions := 0;
	conversions := 0;
	items := 0;
	IF locked = '{}' THEN
		RETURN;
	END IF;
	IF erasure IS NULL THEN
		INSERT INTO pk_tracking.erasures AS e (function, mode, idsite, parameters)
			VALUES (function, 'erase', idsite, jsonb_build_object('older_than', days))
			RETURNING e.iderasure INTO erasure;
	END IF;
	SELECT e.n_visits, e.n_actions, e.n_conversions, e.n_items
		INTO visits, actions, conversions, items
		FROM pk_tracking_internal.erase_visits(locked, erasure) e;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.purge_batch IS
	'step of purge() and maintain(): deletes a batch of visits; returns how many rows went';

/*
 * Procedures that commit cannot pin search_path: what is to be done stands in functions
 * that pin it, and all else is qualified.  Between batches others get their turn: a load
 * that waits for the site polls for it.
 */
CREATE PROCEDURE pk_tracking.purge(
	idsite integer DEFAULT NULL,
	older_than integer DEFAULT NULL,
	batch integer DEFAULT 1000,
	dry_run boolean DEFAULT false,
	INOUT visits bigint DEFAULT NULL,
	INOUT actions bigint DEFAULT NULL,
	INOUT conversions bigint DEFAULT NULL,
	INOUT items bigint DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
	sites pg_catalog.int4[];
	days pg_catalog.int4[];
	befores pg_catalog.timestamptz[];
	found pg_catalog.int8[];
	erasure pg_catalog.uuid;
	n pg_catalog.record;
	began pg_catalog.timestamptz;
	at pg_catalog.int4;
	went pg_catalog.int8;
BEGIN
	PERFORM pk_tracking_internal.check_batch(batch);
	IF NOT COALESCE(dry_run, true) THEN
		PERFORM pk_tracking_internal.need_read_committed();
	END IF;
	-- no more are found at once
	batch := LEAST(batch, 1000000);
	visits := 0;
	actions := 0;
	conversions := 0;
	items := 0;
	SELECT pg_catalog.array_agg(p.site), pg_catalog.array_agg(p.days),
			pg_catalog.array_agg(p.before)
		INTO sites, days, befores
		FROM pk_tracking_internal.purge_plan(purge.idsite, purge.older_than) p;
	FOR i IN 1 .. COALESCE(pg_catalog.cardinality(sites), 0) LOOP
		IF COALESCE(dry_run, true) THEN
			n := pk_tracking_internal.purge_count(sites[i], befores[i]);
			visits := visits OPERATOR(pg_catalog.+) n.visits;
			actions := actions OPERATOR(pg_catalog.+) n.actions;
			conversions := conversions OPERATOR(pg_catalog.+) n.conversions;
			items := items OPERATOR(pg_catalog.+) n.items;
			CONTINUE;
		END IF;
		erasure := NULL;
		LOOP
			found := pk_tracking_internal.purge_find(sites[i], befores[i], 1000000);
			went := 0;
			at := 1;
			COMMIT;
			EXIT WHEN pg_catalog.cardinality(found) OPERATOR(pg_catalog.=) 0;
			PERFORM pk_tracking_internal.rollup_freeze(sites[i], befores[i], 'infinity', true);
			COMMIT;
			began := pg_catalog.clock_timestamp();
			WHILE at OPERATOR(pg_catalog.<=) pg_catalog.cardinality(found) LOOP
				n := pk_tracking_internal.purge_batch(sites[i], befores[i],
					found[at:at OPERATOR(pg_catalog.+) batch OPERATOR(pg_catalog.-) 1],
					days[i], 'purge', erasure);
				COMMIT;
				IF n.visits IS NULL THEN
					PERFORM pk_tracking_internal.subject_nap(began);
					CONTINUE;
				END IF;
				erasure := n.erasure;
				went := went OPERATOR(pg_catalog.+) n.visits;
				visits := visits OPERATOR(pg_catalog.+) n.visits;
				actions := actions OPERATOR(pg_catalog.+) n.actions;
				conversions := conversions OPERATOR(pg_catalog.+) n.conversions;
				items := items OPERATOR(pg_catalog.+) n.items;
				at := at OPERATOR(pg_catalog.+) batch;
				PERFORM pg_catalog.pg_sleep(0.005);
				COMMIT;
				began := pg_catalog.clock_timestamp();
			END LOOP;
			EXIT WHEN went OPERATOR(pg_catalog.=) 0;
		END LOOP;
	END LOOP;
	IF NOT COALESCE(dry_run, true) THEN
		COMMIT;
		WHILE pk_tracking_internal.repair_ranges(100) OPERATOR(pg_catalog.>) 0 LOOP
			COMMIT;
		END LOOP;
	END IF;
END
$$;
COMMENT ON PROCEDURE pk_tracking.purge IS
	'deletes the visits of a site (default: all sites) that are older than so many days (default: as delete_visits_older_than says), in batches with a commit each; dry_run: only counts them';

/* What maintain() deletes in its own transaction: at most so many visits. */
CREATE FUNCTION pk_tracking_internal.purge_some(max integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	p record;
	n record;
	found bigint[];
	went bigint := 0;
	until timestamptz := clock_timestamp() + interval '1 minute';
	before timestamptz;
BEGIN
	FOR p IN SELECT * FROM pk_tracking_internal.purge_plan(NULL, NULL) LOOP
		EXIT WHEN went >= max;
		PERFORM pk_tracking_internal.need_read_committed();
		found := pk_tracking_internal.purge_find(p.site, p.before, max - went::integer);
		CONTINUE WHEN found = '{}';
		-- roll-ups stay longer than the log; days that are not built yet go later
		before := pk_tracking_internal.rollup_freeze(p.site, p.before, until, false);
		IF before < p.before THEN
			found := pk_tracking_internal.purge_find(p.site, before, max - went::integer);
		END IF;
		CONTINUE WHEN found = '{}';
		n := pk_tracking_internal.purge_batch(p.site, before, found, p.days, 'maintain', NULL);
		went := went + coalesce(n.visits, 0);
	END LOOP;
	RETURN went;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.purge_some IS
	'deletes visits that are older than delete_visits_older_than; returns how many';

/*
 * Anonymises what maintain() may do at once: at most so many visits.  What has been
 * done is an anonymous visit, so only others are looked for; and, but for once a week,
 * only among those that have come of age since the last call that did all, or three days
 * before: what was loaded late, or was locked, has time until then.
 */
CREATE FUNCTION pk_tracking_internal.anonymise_some(max integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
DECLARE
	groups CONSTANT text[] := '{visitor_id,url_queries}';
	p record;
	since timestamptz;
	visits bigint[];
	erasure uuid;
	went bigint := 0;
BEGIN
	FOR p IN SELECT * FROM pk_tracking_internal.purge_plan(NULL, NULL,
		'anonymise_visits_older_than')
	LOOP
		EXIT WHEN went >= max;
		PERFORM pk_tracking_internal.need_read_committed();
		CONTINUE WHEN NOT pk_tracking_internal.subject_lock(p.site, '{}');
		SELECT CASE WHEN max(e.erased_at) FILTER (WHERE (e.parameters ->> 'whole')::boolean)
					> now() - interval '7 days'
				THEN max((e.parameters ->> 'before')::timestamptz)
					FILTER (WHERE (e.parameters ->> 'all')::boolean) - interval '3 days' END
			INTO since
			FROM pk_tracking.erasures e
			WHERE e.idsite = p.site AND e.function = 'maintain' AND e.mode = 'anonymise';
		visits := ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v
			WHERE v.idsite = p.site AND v.consent < 2
				AND v.visit_first_action_time >= coalesce(since, '-infinity')
				AND v.visit_first_action_time < p.before AND v.visit_last_action_time < p.before
			LIMIT max - went
			FOR UPDATE SKIP LOCKED);
		CONTINUE WHEN visits = '{}' AND since IS NOT NULL;
		INSERT INTO pk_tracking.erasures AS e (function, mode, idsite, parameters)
			VALUES ('maintain', 'anonymise', p.site, jsonb_build_object('older_than', p.days,
				'before', p.before, 'what', groups, 'all', cardinality(visits) < max - went,
				'whole', since IS NULL AND cardinality(visits) < max - went))
			RETURNING e.iderasure INTO erasure;
		PERFORM pk_tracking_internal.anonymise_rows(p.site, visits, groups, erasure);
		went := went + cardinality(visits);
	END LOOP;
	RETURN went;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.anonymise_some IS
	'makes visits that are older than anonymise_visits_older_than such of people without consent; returns how many';
