
-- ---------------------------------------------------------------------------
-- report/filter: filters of reports
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.filter_sql(filter text,
	OUT condition text, OUT filter_values text[])
AS 'MODULE_PATHNAME', 'pkt_filter_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.filter_sql IS
	'the condition of a filter as SQL over a visit v, and the values that it names as ($9)[n]';

CREATE FUNCTION pk_tracking_internal.filter_dimension_table(
	OUT name text, OUT scope text, OUT type text, OUT operators text, OUT description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'pkt_filter_dimensions' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 80;
COMMENT ON FUNCTION pk_tracking_internal.filter_dimension_table IS
	'the rows of the view filter_dimensions';

CREATE VIEW pk_tracking.filter_dimensions AS
	SELECT d.name, d.scope, d.type, d.operators, d.description
	FROM pk_tracking_internal.filter_dimension_table() AS d;
COMMENT ON VIEW pk_tracking.filter_dimensions IS
	'what a filter of reports can name';
COMMENT ON COLUMN pk_tracking.filter_dimensions.name IS 'name, as in Matomo''s segments';
COMMENT ON COLUMN pk_tracking.filter_dimensions.scope IS
	'what has the value: visit, action or conversion';
COMMENT ON COLUMN pk_tracking.filter_dimensions.type IS 'type of the value';
COMMENT ON COLUMN pk_tracking.filter_dimensions.operators IS 'operators that fit the type';
COMMENT ON COLUMN pk_tracking.filter_dimensions.description IS 'meaning';
