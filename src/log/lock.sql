-- log/lock: what locks look like to others, for tests

CREATE FUNCTION pk_tracking_internal.lock_tags(idsite integer, key bigint) RETURNS bigint[]
	LANGUAGE C STABLE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_lock_tags';
COMMENT ON FUNCTION pk_tracking_internal.lock_tags IS
	'for tests: what the tags of locks with this site and key hold, for site, visitor id, fingerprint, visit and order';

