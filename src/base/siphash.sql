-- base/siphash: the hash that lock tags are made with, for tests

CREATE FUNCTION pk_tracking_internal.siphash(key bytea, message bytea) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_siphash';
COMMENT ON FUNCTION pk_tracking_internal.siphash IS
	'for tests: SipHash-2-4 of a message under a key of 16 bytes';

