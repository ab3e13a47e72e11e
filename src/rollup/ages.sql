
-- ---------------------------------------------------------------------------
-- rollup/ages: how long ago the visits and visitors of a day were there last
-- ---------------------------------------------------------------------------

CREATE TYPE pk_tracking_internal.rollup_seen AS (n integer, ages smallint[], counts integer[]);
COMMENT ON TYPE pk_tracking_internal.rollup_seen IS
	'of ids: how many were not there before, and how many were, by days since then';

CREATE FUNCTION pk_tracking_internal.rollup_ages_add(internal, bigint, integer) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_add IS 'part of the aggregate rollup_ages()';

CREATE FUNCTION pk_tracking_internal.rollup_ages_result(internal)
RETURNS pk_tracking_internal.rollup_seen
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_result' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_result IS
	'part of the aggregate rollup_ages()';

CREATE FUNCTION pk_tracking_internal.rollup_ages_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_combine IS
	'part of the aggregate rollup_ages(): adds what another worker has collected';

CREATE FUNCTION pk_tracking_internal.rollup_ages_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_serialize IS
	'part of the aggregate rollup_ages(): packs what a worker has collected';

CREATE FUNCTION pk_tracking_internal.rollup_ages_deserialize(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_deserialize IS
	'part of the aggregate rollup_ages(): unpacks what a worker has packed';

CREATE AGGREGATE pk_tracking_internal.rollup_ages(id bigint, age integer) (
	SFUNC = pk_tracking_internal.rollup_ages_add, STYPE = internal, SSPACE = 128,
	FINALFUNC = pk_tracking_internal.rollup_ages_result, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.rollup_ages_combine,
	SERIALFUNC = pk_tracking_internal.rollup_ages_serialize,
	DESERIALFUNC = pk_tracking_internal.rollup_ages_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.rollup_ages(bigint, integer) IS
	'of the ids that are there on a day (age NULL): how many were not there before, and how many were, by days since then';

CREATE FUNCTION pk_tracking_internal.rollup_ages_of_add(internal, integer, smallint[], integer[],
	integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_of_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_of_add IS
	'part of the aggregate rollup_ages_of()';

CREATE FUNCTION pk_tracking_internal.rollup_ages_of_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_of_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_of_combine IS
	'part of the aggregate rollup_ages_of(): adds what another worker has collected';

CREATE FUNCTION pk_tracking_internal.rollup_ages_of_result(internal)
RETURNS pk_tracking_internal.rollup_seen
AS 'MODULE_PATHNAME', 'pkt_rollup_ages_of_result' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_ages_of_result IS
	'part of the aggregate rollup_ages_of()';

CREATE AGGREGATE pk_tracking_internal.rollup_ages_of(n integer, ages smallint[], counts integer[],
	days integer) (
	SFUNC = pk_tracking_internal.rollup_ages_of_add, STYPE = internal, SSPACE = 512,
	FINALFUNC = pk_tracking_internal.rollup_ages_of_result, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.rollup_ages_of_combine,
	SERIALFUNC = pk_tracking_internal.rollup_ages_serialize,
	DESERIALFUNC = pk_tracking_internal.rollup_ages_deserialize,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.rollup_ages_of(integer, smallint[], integer[], integer) IS
	'of the days of a week or month, each so many days after the first: what rollup_ages() would have found for the whole';
