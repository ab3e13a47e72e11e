
-- ---------------------------------------------------------------------------
-- subject: locks, and waiting for hits
-- ---------------------------------------------------------------------------

/*
 * Whoever waits for hits, and then looks at what they have written, must not look with a
 * snapshot from before.  A session's default_transaction_isolation holds for the
 * transactions of procedures, too.
 */
CREATE FUNCTION pk_tracking_internal.need_read_committed() RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = format('cannot erase or anonymise at transaction isolation level "%s"',
				current_setting('transaction_isolation')),
			HINT = 'Use READ COMMITTED: an older snapshot does not show what hits have written meanwhile.';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.need_read_committed IS
	'raises an error unless each statement sees what was committed before it';

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
