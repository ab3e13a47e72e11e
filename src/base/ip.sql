-- IP addresses: reading and masking (base/ip.c)

CREATE FUNCTION pk_tracking.mask_ip(ip inet, level integer) RETURNS inet
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_mask_ip';
COMMENT ON FUNCTION pk_tracking.mask_ip IS
	'the address with its last 1, 2, 3 or 4 bytes (IPv4) zeroed, or its first 64, 48, 24 or 0 bits (IPv6) kept; level 0 keeps all';

CREATE FUNCTION pk_tracking.parse_ip(address text) RETURNS inet
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_parse_ip';
COMMENT ON FUNCTION pk_tracking.parse_ip IS
	'an address as a client or proxy wrote it, without port, brackets and prefix length; NULL if the text is no address';

