
-- ---------------------------------------------------------------------------
-- rollup/status: what status() tells of roll-ups
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.rollup_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	d record;
BEGIN
	-- a log of an older version has none
	IF to_regclass('pk_tracking.rollup_day') IS NULL THEN
		RETURN;
	END IF;
	SELECT count(*) AS days, max(e.built) AS built,
		count(*) FILTER (WHERE e.built IS NULL OR e.stale OR r.timezone <> e.timezone) AS missing
		INTO d
	FROM (
		SELECT s.idsite, s.timezone, g::date AS day, b.built, b.stale
		FROM pk_tracking.site s
			JOIN pk_tracking.rollup_site r ON r.idsite = s.idsite
			CROSS JOIN LATERAL generate_series(greatest(r.first_day, r.frozen_before),
				(now() AT TIME ZONE s.timezone)::date - 1, interval '1 day') g
			LEFT JOIN pk_tracking.rollup_day b ON b.idsite = s.idsite AND b.day = g::date) e
		JOIN pk_tracking.rollup_site r ON r.idsite = e.idsite;
	item := 'roll-ups';
	value := format(CASE WHEN d.built IS NULL THEN 'none built yet, %3$s marks waiting'
			ELSE '%1$s days of sites, %2$s missing, %3$s marks waiting, last built %4$s' END,
		d.days, d.missing, (SELECT count(*) FROM pk_tracking.rollup_mark),
		to_char(d.built AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'));
	IF (d.missing > 0 OR d.built IS NULL) AND d.built IS NULL
			AND EXISTS (SELECT FROM pk_tracking.log_visit)
		OR d.missing > 0 AND d.built < now() - interval '2 days' THEN
		remark := 'reports read these days from the log: let a scheduler call pk_tracking.maintain()';
	END IF;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_status IS
	'part of status(): days without roll-ups, marks, age';
