
-- ---------------------------------------------------------------------------
-- rollup/since: those of a day who were not there before
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.rollup_since(n integer, ages smallint[], counts integer[],
	days integer)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pkt_rollup_since' LANGUAGE C IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION pk_tracking_internal.rollup_since IS
	'how many of a day''s visits or visitors were not there on the given number of days before: n and the counts of greater ages';
