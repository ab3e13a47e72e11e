
-- ---------------------------------------------------------------------------
-- subject/erase: deletes visits by their numbers
-- ---------------------------------------------------------------------------

/*
 * Visits whose actions, conversions and items are gone already: the trigger of log_visit
 * (src/log/delete.sql) does not look for them again.
 */
CREATE FUNCTION pk_tracking_internal.erase_bare_visits(visits bigint[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET pk_tracking_internal.visits_are_bare = 'on'
AS $$
DECLARE
	n bigint;
BEGIN
	DELETE FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (visits);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.erase_bare_visits IS
	'deletes visits of which nothing else is left; returns how many';

/*
 * Children first: a reader without a snapshot of its own sees no row of a visit that
 * is gone.  erasure: entry of the register that counts what is deleted; NULL: none.  No
 * hit can add to the visits any more: the caller has locked them, or their site is gone.
 */
CREATE FUNCTION pk_tracking_internal.erase_visits(
	visits bigint[],
	erasure uuid,
	OUT n_visits bigint, OUT n_actions bigint, OUT n_conversions bigint, OUT n_items bigint,
	OUT n_links bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET row_security = off
AS $$
DECLARE
	n_kept bigint;
BEGIN
	PERFORM pk_tracking_internal.note_ranges(visits);
	DELETE FROM pk_tracking.log_conversion_item i WHERE i.idvisit = ANY (visits);
	GET DIAGNOSTICS n_items = ROW_COUNT;
	DELETE FROM pk_tracking.log_conversion c WHERE c.idvisit = ANY (visits);
	GET DIAGNOSTICS n_conversions = ROW_COUNT;
	DELETE FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = ANY (visits);
	GET DIAGNOSTICS n_actions = ROW_COUNT;
	n_visits := pk_tracking_internal.erase_bare_visits(visits);
	n_links := pk_tracking_internal.erase_links(visits);
	IF pk_tracking_internal.rows_can_be_kept() THEN
		SELECT r.n_visits + r.n_actions + r.n_conversions + r.n_items INTO n_kept
			FROM pk_tracking_internal.count_rows(visits) r;
		IF n_kept > 0 THEN
			PERFORM pk_tracking_internal.raise_rows_kept();
		END IF;
	END IF;
	UPDATE pk_tracking.erasures e SET visits = e.visits + n_visits,
			actions = e.actions + n_actions, conversions = e.conversions + n_conversions,
			items = e.items + n_items, session_links = e.session_links + n_links
		WHERE e.iderasure = erasure;
	PERFORM pk_tracking_internal.erased_now(erasure);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.erase_visits IS
	'deletes visits with their actions, conversions, items and session links; returns how many of each';

/*
 * A BEFORE trigger for each row, or a rule, can keep rows from being deleted or changed,
 * and nobody would be told.  They are rare, so only then it is looked.
 */
CREATE FUNCTION pk_tracking_internal.rows_can_be_kept() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT EXISTS (SELECT FROM pg_class c
		WHERE c.oid IN ('pk_tracking.log_visit'::regclass,
				'pk_tracking.log_link_visit_action'::regclass,
				'pk_tracking.log_conversion'::regclass,
				'pk_tracking.log_conversion_item'::regclass)
			AND (EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid)
				OR EXISTS (SELECT FROM pg_trigger t
				-- 1: for each row, 2: before
				WHERE t.tgrelid = c.oid AND t.tgtype & 3 = 3 AND NOT t.tgisinternal)))
$$;
COMMENT ON FUNCTION pk_tracking_internal.rows_can_be_kept IS
	'whether a trigger or rule of the log could keep rows from being deleted or changed';

CREATE FUNCTION pk_tracking_internal.raise_rows_kept() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'object_not_in_prerequisite_state',
		MESSAGE = 'a trigger or rule has kept rows of the visits',
		HINT = 'Disable the BEFORE triggers and drop the rules on the tables of the log.';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.raise_rows_kept IS
	'the error of functions whose changes a trigger or rule has prevented';

/* The tables are as small as an hour's anonymous sessions, and have no index on visits. */
CREATE FUNCTION pk_tracking_internal.erase_links(visits bigint[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n bigint;
	m bigint;
BEGIN
	DELETE FROM pk_tracking.session_link_0 l WHERE l.idvisit = ANY (visits);
	GET DIAGNOSTICS n = ROW_COUNT;
	DELETE FROM pk_tracking.session_link_1 l WHERE l.idvisit = ANY (visits);
	GET DIAGNOSTICS m = ROW_COUNT;
	RETURN n + m;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.erase_links IS
	'deletes the links of anonymous sessions to visits; returns how many';
