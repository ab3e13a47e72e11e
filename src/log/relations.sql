
-- log/relations: indexes and ways of writing, for status()

CREATE FUNCTION pk_tracking_internal.lookup_indexes()
RETURNS TABLE (relation regclass, keys text, index regclass)
AS 'MODULE_PATHNAME', 'pkt_lookup_indexes' LANGUAGE C STABLE STRICT PARALLEL UNSAFE ROWS 6;
COMMENT ON FUNCTION pk_tracking_internal.lookup_indexes IS
	'part of status(): the tables that hits read by an index, the columns, and the index that serves; NULL: none';

CREATE FUNCTION pk_tracking_internal.slow_tables()
RETURNS TABLE (relation regclass, reason text)
AS 'MODULE_PATHNAME', 'pkt_slow_tables' LANGUAGE C STABLE STRICT PARALLEL UNSAFE ROWS 5;
COMMENT ON FUNCTION pk_tracking_internal.slow_tables IS
	'part of status(): the tables that make all hits be written by a statement for each row, and why';

CREATE FUNCTION pk_tracking_internal.indexed_changes()
RETURNS TABLE (index regclass, columns text)
AS 'MODULE_PATHNAME', 'pkt_indexed_changes' LANGUAGE C STABLE STRICT PARALLEL UNSAFE ROWS 1;
COMMENT ON FUNCTION pk_tracking_internal.indexed_changes IS
	'part of status(): indexes of log_visit on columns that hits change, which keep its updates from being HOT';
