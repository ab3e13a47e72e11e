
-- ---------------------------------------------------------------------------
-- report/report_error: errors about the arguments of reports
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.report_error(message text, hint text) RETURNS void
AS 'MODULE_PATHNAME', 'pkt_report_error' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.report_error IS
	'raises invalid_parameter_value with a hint, and without the statements that led to it';

/* An argument that is a number between these two, or NULL; most: NULL for no limit. */
CREATE FUNCTION pk_tracking_internal.report_number(argument text, value integer,
	least_value integer, most_value integer, hint text)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF value < least_value OR value > most_value THEN
		PERFORM pk_tracking_internal.report_error(CASE
			WHEN most_value IS NULL THEN format('argument "%s" must be at least %s', argument, least_value)
			ELSE format('argument "%s" must be between %s and %s', argument, least_value, most_value) END,
			hint);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_number IS
	'raises an error if an argument of a report is a number out of its range';

/* An instant between the first and the last day that a report can have, or NULL. */
CREATE FUNCTION pk_tracking_internal.report_instant(argument text, value timestamptz)
RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF value < '0001-01-01 00:00Z' OR value >= '10000-01-01 00:00Z' THEN
		PERFORM pk_tracking_internal.report_error(
			format('argument "%s" must be between 0001-01-01 and 9999-12-31', argument),
			'Pass an instant, such as ''2026-11-30 12:00+01'', or NULL for now.');
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_instant IS
	'raises an error if an argument of a report is an instant out of its range';
