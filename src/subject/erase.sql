
-- ---------------------------------------------------------------------------
-- subject/erase: deletes visits by their numbers
-- ---------------------------------------------------------------------------

/*
 * Children first: a reader without a snapshot of its own sees no row of a visit that
 * is gone.  The trigger of log_visit finds nothing left to do, but for what a hit has
 * added meanwhile.  erasure: entry of the register that counts what is deleted; NULL:
 * none.  The caller has locked the visits, or does not mind waiting for hits.
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
AS $$
BEGIN
	PERFORM pk_tracking_internal.note_ranges(visits);
	DELETE FROM pk_tracking.log_conversion_item i WHERE i.idvisit = ANY (visits);
	GET DIAGNOSTICS n_items = ROW_COUNT;
	DELETE FROM pk_tracking.log_conversion c WHERE c.idvisit = ANY (visits);
	GET DIAGNOSTICS n_conversions = ROW_COUNT;
	DELETE FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = ANY (visits);
	GET DIAGNOSTICS n_actions = ROW_COUNT;
	DELETE FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (visits);
	GET DIAGNOSTICS n_visits = ROW_COUNT;
	n_links := pk_tracking_internal.erase_links(visits);
	UPDATE pk_tracking.erasures e SET visits = e.visits + n_visits,
			actions = e.actions + n_actions, conversions = e.conversions + n_conversions,
			items = e.items + n_items, session_links = e.session_links + n_links
		WHERE e.iderasure = erasure;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.erase_visits IS
	'deletes visits with their actions, conversions, items and session links; returns how many of each';

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
