
-- ---------------------------------------------------------------------------
-- report/distinct: how many different visits, visitors or users
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.report_distinct_add(internal, value bigint) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_distinct_add' LANGUAGE C IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION pk_tracking_internal.report_distinct_add(internal, bigint) IS
	'transition of the aggregate report_distinct()';

CREATE FUNCTION pk_tracking_internal.report_distinct_add(internal, value text) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_distinct_add_text' LANGUAGE C IMMUTABLE PARALLEL SAFE
CALLED ON NULL INPUT;
COMMENT ON FUNCTION pk_tracking_internal.report_distinct_add(internal, text) IS
	'transition of the aggregate report_distinct()';

CREATE FUNCTION pk_tracking_internal.report_distinct_count(internal) RETURNS bigint
AS 'MODULE_PATHNAME', 'pkt_distinct_count' LANGUAGE C IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION pk_tracking_internal.report_distinct_count IS
	'result of the aggregate report_distinct()';

CREATE FUNCTION pk_tracking_internal.report_distinct_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_distinct_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION pk_tracking_internal.report_distinct_combine IS
	'puts two states of the aggregate report_distinct() together';

CREATE FUNCTION pk_tracking_internal.report_distinct_send(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'pkt_distinct_send' LANGUAGE C IMMUTABLE PARALLEL SAFE STRICT;
COMMENT ON FUNCTION pk_tracking_internal.report_distinct_send IS
	'a state of the aggregate report_distinct() from a parallel worker';

CREATE FUNCTION pk_tracking_internal.report_distinct_receive(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_distinct_receive' LANGUAGE C IMMUTABLE PARALLEL SAFE STRICT;
COMMENT ON FUNCTION pk_tracking_internal.report_distinct_receive IS
	'a state of the aggregate report_distinct() of a parallel worker';

/*
 * count(DISTINCT value) without a sort.  Reports count by no other means: a single
 * sorted aggregate in a query makes the rows of all its groups be sorted.
 */
CREATE AGGREGATE pk_tracking_internal.report_distinct(bigint) (
	SFUNC = pk_tracking_internal.report_distinct_add, STYPE = internal, SSPACE = 256,
	FINALFUNC = pk_tracking_internal.report_distinct_count, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.report_distinct_combine,
	SERIALFUNC = pk_tracking_internal.report_distinct_send,
	DESERIALFUNC = pk_tracking_internal.report_distinct_receive, PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.report_distinct(bigint) IS
	'how many different numbers there are, NULL left out: of visits or visitors';

CREATE AGGREGATE pk_tracking_internal.report_distinct(text) (
	SFUNC = pk_tracking_internal.report_distinct_add, STYPE = internal, SSPACE = 256,
	FINALFUNC = pk_tracking_internal.report_distinct_count, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.report_distinct_combine,
	SERIALFUNC = pk_tracking_internal.report_distinct_send,
	DESERIALFUNC = pk_tracking_internal.report_distinct_receive, PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.report_distinct(text) IS
	'how many different texts there are, NULL left out: of users';
