
-- ---------------------------------------------------------------------------
-- subject: locks, and waiting for hits
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.subject_lock(idsite integer, ids bigint[]) RETURNS boolean
AS 'MODULE_PATHNAME', 'pkt_subject_lock' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.subject_lock IS
	'tries to lock a site and visitor ids as a hit does; false if another session has one of the locks';

CREATE FUNCTION pk_tracking_internal.subject_nap(began timestamptz) RETURNS void
AS 'MODULE_PATHNAME', 'pkt_subject_nap' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.subject_nap IS
	'sleeps between two attempts to lock; an error after lock_timeout';

CREATE FUNCTION pk_tracking_internal.wait_for_writers(relation regclass) RETURNS void
AS 'MODULE_PATHNAME', 'pkt_wait_for_writers' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.wait_for_writers IS
	'waits for the transactions that are writing to a table to end, without holding up hits';

/* Arguments of the procedures that work in batches. */
CREATE FUNCTION pk_tracking_internal.check_batch(batch integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF batch IS NULL OR batch < 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'argument "batch" must be at least 1';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.check_batch IS
	'raises an error if a batch would have no rows';
