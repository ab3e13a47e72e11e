-- hexid: an id of 8 bytes (visitor, fingerprint).
--
-- It is in the schema that the extension is installed into, unlike everything
-- else, because operators are found only through search_path.
--
-- The 8 bytes, their order and their hash never change after the first release.

CREATE TYPE hexid;

CREATE FUNCTION hexid_in(cstring) RETURNS hexid
	AS 'MODULE_PATHNAME', 'hexid_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_in(cstring) IS 'I/O';

CREATE FUNCTION hexid_out(hexid) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hexid_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_out(hexid) IS 'I/O';

CREATE FUNCTION hexid_recv(internal) RETURNS hexid
	AS 'MODULE_PATHNAME', 'hexid_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_recv(internal) IS 'I/O';

CREATE FUNCTION hexid_send(hexid) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hexid_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_send(hexid) IS 'I/O';

CREATE FUNCTION hexid_typanalyze(internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_typanalyze'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_typanalyze(internal) IS 'statistics without values';

CREATE TYPE hexid (
	INPUT = hexid_in,
	OUTPUT = hexid_out,
	RECEIVE = hexid_recv,
	SEND = hexid_send,
	ANALYZE = hexid_typanalyze,
	LIKE = pg_catalog.int8
);
COMMENT ON TYPE hexid IS 'id of 8 bytes, an unsigned number: 16 hex digits';

-- Operators.  The server's selectivity estimators are right for any type with a
-- btree order.

CREATE FUNCTION hexid_eq(hexid, hexid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_eq'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_eq(hexid, hexid) IS 'implementation of = operator';

CREATE FUNCTION hexid_ne(hexid, hexid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_ne'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_ne(hexid, hexid) IS 'implementation of <> operator';

CREATE FUNCTION hexid_lt(hexid, hexid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_lt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_lt(hexid, hexid) IS 'implementation of < operator';

CREATE FUNCTION hexid_le(hexid, hexid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_le'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_le(hexid, hexid) IS 'implementation of <= operator';

CREATE FUNCTION hexid_gt(hexid, hexid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_gt'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_gt(hexid, hexid) IS 'implementation of > operator';

CREATE FUNCTION hexid_ge(hexid, hexid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_ge'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_ge(hexid, hexid) IS 'implementation of >= operator';

CREATE OPERATOR = (
	FUNCTION = hexid_eq, LEFTARG = hexid, RIGHTARG = hexid,
	COMMUTATOR = =, NEGATOR = <>,
	RESTRICT = eqsel, JOIN = eqjoinsel,
	HASHES, MERGES
);
COMMENT ON OPERATOR = (hexid, hexid) IS 'equal';

CREATE OPERATOR <> (
	FUNCTION = hexid_ne, LEFTARG = hexid, RIGHTARG = hexid,
	COMMUTATOR = <>, NEGATOR = =,
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (hexid, hexid) IS 'not equal';

CREATE OPERATOR < (
	FUNCTION = hexid_lt, LEFTARG = hexid, RIGHTARG = hexid,
	COMMUTATOR = >, NEGATOR = >=,
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (hexid, hexid) IS 'less than';

CREATE OPERATOR <= (
	FUNCTION = hexid_le, LEFTARG = hexid, RIGHTARG = hexid,
	COMMUTATOR = >=, NEGATOR = >,
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (hexid, hexid) IS 'less than or equal';

CREATE OPERATOR > (
	FUNCTION = hexid_gt, LEFTARG = hexid, RIGHTARG = hexid,
	COMMUTATOR = <, NEGATOR = <=,
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (hexid, hexid) IS 'greater than';

CREATE OPERATOR >= (
	FUNCTION = hexid_ge, LEFTARG = hexid, RIGHTARG = hexid,
	COMMUTATOR = <=, NEGATOR = <,
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (hexid, hexid) IS 'greater than or equal';

-- Indexes, sorting, hashing

CREATE FUNCTION hexid_cmp(hexid, hexid) RETURNS integer
	AS 'MODULE_PATHNAME', 'hexid_cmp'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_cmp(hexid, hexid) IS 'less-equal-greater';

CREATE FUNCTION hexid_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'hexid_sortsupport'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_sortsupport(internal) IS 'sort support';

CREATE FUNCTION hexid_equalimage(oid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hexid_equalimage'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_equalimage(oid) IS 'equal image';

CREATE OPERATOR CLASS hexid_ops DEFAULT FOR TYPE hexid USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 hexid_cmp(hexid, hexid),
	FUNCTION 2 hexid_sortsupport(internal),
	FUNCTION 4 hexid_equalimage(oid);
COMMENT ON OPERATOR FAMILY hexid_ops USING btree IS 'unsigned order of ids';
COMMENT ON OPERATOR CLASS hexid_ops USING btree IS 'unsigned order of ids';

CREATE FUNCTION hexid_hash(hexid) RETURNS integer
	AS 'MODULE_PATHNAME', 'hexid_hash'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_hash(hexid) IS 'hash';

CREATE FUNCTION hexid_hash_extended(hexid, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hexid_hash_extended'
	LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION hexid_hash_extended(hexid, bigint) IS 'hash';

CREATE OPERATOR CLASS hexid_ops DEFAULT FOR TYPE hexid USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 hexid_hash(hexid),
	FUNCTION 2 hexid_hash_extended(hexid, bigint);
COMMENT ON OPERATOR FAMILY hexid_ops USING hash IS 'hash of ids, the same in every release';
COMMENT ON OPERATOR CLASS hexid_ops USING hash IS 'hash of ids, the same in every release';

-- Aggregates

CREATE FUNCTION hexid_smaller(hexid, hexid) RETURNS hexid
	AS 'MODULE_PATHNAME', 'hexid_smaller'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_smaller(hexid, hexid) IS 'smaller of two';

CREATE FUNCTION hexid_larger(hexid, hexid) RETURNS hexid
	AS 'MODULE_PATHNAME', 'hexid_larger'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_larger(hexid, hexid) IS 'larger of two';

CREATE AGGREGATE min(hexid) (
	SFUNC = hexid_smaller, STYPE = hexid, COMBINEFUNC = hexid_smaller,
	SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(hexid) IS 'minimum value of all hexid input values';

CREATE AGGREGATE max(hexid) (
	SFUNC = hexid_larger, STYPE = hexid, COMBINEFUNC = hexid_larger,
	SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(hexid) IS 'maximum value of all hexid input values';

-- Casts.  All are explicit: with an implicit one to bigint, "WHERE id = 1" would
-- run, and not use the index.  Text is cast through the type's
-- input and output, as the server does for every type.

CREATE FUNCTION hexid_from_bytea(bytea) RETURNS hexid
	AS 'MODULE_PATHNAME', 'hexid_from_bytea'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_from_bytea(bytea) IS 'convert 8 bytes to hexid';

CREATE FUNCTION hexid_to_bytea(hexid) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hexid_to_bytea'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hexid_to_bytea(hexid) IS 'convert hexid to its 8 bytes';

CREATE CAST (bytea AS hexid) WITH FUNCTION hexid_from_bytea(bytea);
COMMENT ON CAST (bytea AS hexid) IS 'the 8 bytes, most significant first';

CREATE CAST (hexid AS bytea) WITH FUNCTION hexid_to_bytea(hexid);
COMMENT ON CAST (hexid AS bytea) IS 'the 8 bytes, most significant first';

CREATE CAST (bigint AS hexid) WITHOUT FUNCTION;
COMMENT ON CAST (bigint AS hexid) IS 'the same 64 bits';

CREATE CAST (hexid AS bigint) WITHOUT FUNCTION;
COMMENT ON CAST (hexid AS bigint) IS 'the same 64 bits, the first one as the sign';

