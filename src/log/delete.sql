
-- ---------------------------------------------------------------------------
-- log/delete: what a visit takes along when it is deleted
-- ---------------------------------------------------------------------------

/*
 * For the roll-ups: what the log holds of these sites between these times (first and
 * last action of a visit each) has changed, or is about to, in this transaction, and
 * not by tracking.
 */
CREATE FUNCTION pk_tracking_internal.times_touched(
	idsites integer[], begins timestamptz[], ends timestamptz[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- there are no roll-ups yet
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.times_touched IS
	'called when visits are changed or deleted outside of tracking, with the first and last action of each: whatever was computed from these times is outdated';

/* Whoever changes rows of visits calls this with them, as they stand before the change. */
CREATE FUNCTION pk_tracking_internal.visits_touched(visits bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
	PERFORM pk_tracking_internal.times_touched(array_agg(v.idsite),
			array_agg(v.visit_first_action_time), array_agg(v.visit_last_action_time))
		FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (visits);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.visits_touched IS
	'called before visits are changed outside of tracking: whatever was computed from them is outdated';

/*
 * For the roll-ups: the log is about to lose what it has of the site's days before
 * this one, for good.  Called in a transaction before the first of these visits goes.
 */
CREATE FUNCTION pk_tracking_internal.days_purged(idsite integer, before date) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- there are no roll-ups yet
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.days_purged IS
	'called before retention deletes a site''s visits: whatever was computed from earlier days is final';

/*
 * The statement's snapshot is not that of the DELETE: whoever had a visit locked
 * while it waited has written its actions by now, and these are seen here.
 */
CREATE FUNCTION pk_tracking_internal.visits_deleted() RETURNS trigger
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
	visits bigint[];
BEGIN
	IF TG_RELID <> 'pk_tracking.log_visit'::regclass THEN
		RAISE EXCEPTION USING
			ERRCODE = 'wrong_object_type',
			MESSAGE = 'trigger function "visits_deleted" can only serve table "pk_tracking.log_visit"';
	END IF;
	IF TG_OP = 'DELETE' THEN
		SELECT array_agg(g.idvisit ORDER BY g.idvisit) INTO visits FROM gone g;
		IF visits IS NULL THEN
			RETURN NULL;
		END IF;
		DELETE FROM pk_tracking.log_conversion_item i WHERE i.idvisit = ANY (visits);
		DELETE FROM pk_tracking.log_conversion c WHERE c.idvisit = ANY (visits);
		DELETE FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = ANY (visits);
		PERFORM pk_tracking_internal.times_touched(array_agg(g.idsite),
				array_agg(g.visit_first_action_time), array_agg(g.visit_last_action_time))
			FROM gone g;
		RETURN NULL;
	END IF;
	-- those that the same TRUNCATE has emptied cannot be truncated again, nor need they
	IF EXISTS (SELECT FROM pk_tracking.log_conversion_item) THEN
		TRUNCATE pk_tracking.log_conversion_item;
	END IF;
	IF EXISTS (SELECT FROM pk_tracking.log_conversion) THEN
		TRUNCATE pk_tracking.log_conversion;
	END IF;
	IF EXISTS (SELECT FROM pk_tracking.log_link_visit_action) THEN
		TRUNCATE pk_tracking.log_link_visit_action;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.visits_deleted IS
	'trigger of log_visit: actions, conversions and items go with their visit';

/* Called once the tables are there. */
CREATE FUNCTION pk_tracking_internal.take_along() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- Triggers on DELETE and TRUNCATE alone: one on INSERT or UPDATE, and all hits would
	-- be written by a statement for each row (log/row_writer.c).
	CREATE TRIGGER log_visit_deleted AFTER DELETE ON pk_tracking.log_visit
		REFERENCING OLD TABLE AS gone
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.visits_deleted();
	CREATE TRIGGER log_visit_truncated AFTER TRUNCATE ON pk_tracking.log_visit
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.visits_deleted();
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.take_along IS
	'adds the triggers that delete the rows of a visit with it';
