
-- ---------------------------------------------------------------------------
-- log/delete: what a visit takes along when it is deleted
-- ---------------------------------------------------------------------------

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
		-- erase_bare_visits() has deleted their rows before
		IF current_setting('pk_tracking_internal.visits_are_bare', true) = 'on' THEN
			RETURN NULL;
		END IF;
		SELECT array_agg(g.idvisit ORDER BY g.idvisit) INTO visits FROM gone g;
		IF visits IS NULL THEN
			RETURN NULL;
		END IF;
		DELETE FROM pk_tracking.log_conversion_item i WHERE i.idvisit = ANY (visits);
		DELETE FROM pk_tracking.log_conversion c WHERE c.idvisit = ANY (visits);
		DELETE FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = ANY (visits);
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
