
-- ---------------------------------------------------------------------------
-- subject/forget: erases or anonymises the visits of a person
-- ---------------------------------------------------------------------------

/*
 * Whoever polls for locks and holds others, from an earlier call of the transaction,
 * may be waited for by those that it waits for, and nothing would notice.
 */
CREATE FUNCTION pk_tracking_internal.subject_wait(began timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF clock_timestamp() > began + interval '60 s' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'lock_not_available',
			MESSAGE = 'could not lock the visits because hits kept them busy',
			HINT = 'Call the function again, in a transaction of its own.';
	END IF;
	PERFORM pk_tracking_internal.subject_nap(began);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.subject_wait IS
	'sleeps between two attempts to lock visits; an error after a minute or lock_timeout';

/* The site's gate alone, shared, to the end of the transaction. */
CREATE FUNCTION pk_tracking_internal.subject_gate(idsite integer) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	began CONSTANT timestamptz := clock_timestamp();
BEGIN
	WHILE NOT pk_tracking_internal.subject_lock(idsite, '{}') LOOP
		PERFORM pk_tracking_internal.subject_wait(began);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.subject_gate IS
	'waits until no statement keeps visits of a site in memory';

/*
 * Finds the visits and locks them.  The locks are those of the person's hits, so none of
 * these is being decided, and what they have written is seen; a hit without an id of the
 * person's meets the lock of the visit's row (subject.c).
 */
CREATE FUNCTION pk_tracking_internal.subject_try(
	idsite integer, user_ids text[], visitor_ids bigint[], orders text[], visits bigint[],
	linked boolean, began_by timestamptz, max_visits bigint, ids bigint[],
	OUT locked boolean, OUT matched bigint[], OUT matched_ids bigint[])
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
	locked := pk_tracking_internal.subject_lock(idsite, ids);
	SELECT coalesce(array_agg(f.idvisit), '{}'), coalesce(array_agg(DISTINCT f.idvisitor::bigint)
			FILTER (WHERE f.idvisitor IS NOT NULL), '{}')
		INTO matched, matched_ids
		FROM pk_tracking_internal.subject_visits(idsite, user_ids, visitor_ids, orders, visits,
			linked, began_by, max_visits) f;
	IF locked AND matched_ids <@ ids AND cardinality(matched) <= max_visits THEN
		PERFORM FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (matched)
			ORDER BY v.idvisit FOR UPDATE NOWAIT;
	ELSE
		locked := false;
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.subject_try IS
	'finds the visits of a person and tries to lock them and their visitor ids';

/* The visits of a person, locked. */
CREATE FUNCTION pk_tracking_internal.subject_lock_visits(
	idsite integer, user_ids text[], visitor_ids bigint[], orders text[], visits bigint[],
	linked boolean, began_by timestamptz, max_visits integer)
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	began CONSTANT timestamptz := clock_timestamp();
	-- hits with such a user id have this visitor id
	ids bigint[] := visitor_ids || ARRAY(SELECT pk_tracking.user_id_visitor_id(u)::bigint
		FROM unnest(user_ids) u);
	t record;
BEGIN
	PERFORM pk_tracking_internal.need_read_committed();
	SELECT false AS locked, '{}'::bigint[] AS matched, '{}'::bigint[] AS matched_ids INTO t;
	LOOP
		BEGIN
			t := pk_tracking_internal.subject_try(idsite, user_ids, visitor_ids, orders, visits,
				linked, began_by, max_visits, ids);
			IF t.locked THEN
				RETURN t.matched;
			END IF;
			-- the subtransaction is rolled back, and its locks with it
			RAISE EXCEPTION USING ERRCODE = 'lock_not_available';
		EXCEPTION WHEN lock_not_available THEN
			NULL;
		END;
		IF cardinality(t.matched) > max_visits THEN
			PERFORM pk_tracking_internal.raise_too_many_visits(max_visits);
		END IF;
		IF t.matched_ids <@ ids THEN
			PERFORM pk_tracking_internal.subject_wait(began);
		ELSE
			ids := ids || t.matched_ids;
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.subject_lock_visits IS
	'finds the visits of a person and locks them and their visitor ids; waits for hits of that person';

CREATE FUNCTION pk_tracking.forget_subject(
	idsite integer,
	user_id text DEFAULT NULL,
	visitor_id @extschema@.hexid DEFAULT NULL,
	idorder text DEFAULT NULL,
	idvisits bigint[] DEFAULT NULL,
	linked boolean DEFAULT false,
	mode text DEFAULT 'erase',
	reason text DEFAULT NULL,
	dry_run boolean DEFAULT false,
	suppress boolean DEFAULT false,
	max_visits integer DEFAULT 10000)
RETURNS TABLE (relation text, rows bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT ROWS 5
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	site CONSTANT integer := forget_subject.idsite;
	k record;
	n record;
	visits bigint[];
	erasure uuid;
BEGIN
	IF mode IS NULL OR mode NOT IN ('erase', 'anonymise') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid value for argument "mode": "%s"', coalesce(mode, 'NULL')),
			HINT = 'Valid values are "erase" and "anonymise".';
	END IF;
	PERFORM pk_tracking_internal.check_max_visits(max_visits);
	k := pk_tracking_internal.subject_keys(site, forget_subject.user_id, visitor_id,
		forget_subject.idorder, idvisits);
	IF suppress AND forget_subject.user_id IS NULL AND visitor_id IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'only a user ID or visitor ID can be suppressed',
			HINT = 'Later hits are known by these alone.';
	END IF;
	IF coalesce(dry_run, true) THEN
		visits := ARRAY(SELECT f.idvisit FROM pk_tracking_internal.subject_visits(site, k.user_ids,
			k.visitor_ids, k.orders, k.visits, coalesce(linked, false), 'infinity', max_visits) f);
		IF cardinality(visits) > max_visits THEN
			PERFORM pk_tracking_internal.raise_too_many_visits(max_visits);
		END IF;
		n := pk_tracking_internal.count_rows(visits);
	ELSE
		visits := pk_tracking_internal.subject_lock_visits(site, k.user_ids, k.visitor_ids,
			k.orders, k.visits, coalesce(linked, false), 'infinity', max_visits);
		erasure := pk_tracking_internal.register_erasure(site, k.user_ids, k.visitor_ids, k.orders,
			k.visits, coalesce(linked, false), mode, forget_subject.reason,
			coalesce(suppress, false));
		IF mode = 'erase' THEN
			n := pk_tracking_internal.erase_visits(visits, erasure);
		ELSE
			n := pk_tracking_internal.anonymise_rows(site, visits,
				pk_tracking_internal.anonymise_groups('{all}'), erasure);
		END IF;
	END IF;
	RETURN QUERY SELECT * FROM pk_tracking_internal.counts_by_relation(
		ARRAY[n.n_visits, n.n_actions, n.n_conversions, n.n_items, n.n_links]);
END
$$;
COMMENT ON FUNCTION pk_tracking.forget_subject IS
	'erases or anonymises the visits of a person, which find_subject() finds, with all that belongs to them; returns the number of rows by table; suppress: later hits with this user id or visitor id are excluded';
