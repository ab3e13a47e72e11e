
-- ---------------------------------------------------------------------------
-- subject/columns: what a column of the log says of a person
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.anonymous_columns()
RETURNS TABLE (relation text, column_name text, what text, becomes text, must_be text)
AS 'MODULE_PATHNAME', 'pkt_anonymous_columns' LANGUAGE C STABLE STRICT PARALLEL SAFE ROWS 150;
COMMENT ON FUNCTION pk_tracking.anonymous_columns IS
	'every column of visits, actions, conversions and items: the group in which anonymise_visits() changes it, what it becomes, and what it must be in a row without consent';
