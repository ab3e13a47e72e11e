-- ---------------------------------------------------------------------------
-- track/trigger: raw tables whose rows are tracked when they are inserted
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.track_rows() RETURNS trigger
AS 'MODULE_PATHNAME', 'pkt_track_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION pk_tracking_internal.track_rows IS
	'trigger of a raw table, created by attach(): tracks the rows of a statement';

CREATE FUNCTION pk_tracking_internal.raw_options(
	raw_table regclass,
	mapping jsonb DEFAULT NULL,
	hit_order text DEFAULT 'given',
	on_error text DEFAULT 'reject',
	trusted boolean DEFAULT false)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'pkt_raw_options'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION pk_tracking_internal.raw_options IS
	'checks the options of a raw table and returns them as its trigger stores them, with the mapping of columns to parameters';

CREATE TYPE pk_tracking.raw_preview_row AS (
	row_number bigint,
	row_key text,
	outcome text,
	outcome_reason text,
	idsite integer,
	at timestamptz,
	url text,
	action_name text,
	idvisitor @extschema@.hexid,
	matched_by text,
	new_visit boolean,
	reason text,
	visitor_returning smallint
);
COMMENT ON TYPE pk_tracking.raw_preview_row IS 'the outcome that a row of a raw table would have';
COMMENT ON COLUMN pk_tracking.raw_preview_row.row_number IS 'ordinal number of the row, from 1';
COMMENT ON COLUMN pk_tracking.raw_preview_row.row_key IS
	'primary key of the row, if it is a single number or UUID';
COMMENT ON COLUMN pk_tracking.raw_preview_row.outcome IS 'as in the type tracked';
COMMENT ON COLUMN pk_tracking.raw_preview_row.outcome_reason IS 'as in the type tracked';
COMMENT ON COLUMN pk_tracking.raw_preview_row.idsite IS 'site';
COMMENT ON COLUMN pk_tracking.raw_preview_row.at IS 'time of the hit';
COMMENT ON COLUMN pk_tracking.raw_preview_row.url IS 'URL of the page, normalised';
COMMENT ON COLUMN pk_tracking.raw_preview_row.action_name IS 'title of the page';
COMMENT ON COLUMN pk_tracking.raw_preview_row.idvisitor IS 'visitor id of the visit';
COMMENT ON COLUMN pk_tracking.raw_preview_row.matched_by IS 'as in the type tracked';
COMMENT ON COLUMN pk_tracking.raw_preview_row.new_visit IS 'as in the type tracked';
COMMENT ON COLUMN pk_tracking.raw_preview_row.reason IS 'as in the type tracked';
COMMENT ON COLUMN pk_tracking.raw_preview_row.visitor_returning IS 'as in the type tracked';

CREATE FUNCTION pk_tracking_internal.raw_preview(raw_table regclass, options jsonb,
	max_rows integer DEFAULT 20)
RETURNS SETOF pk_tracking.raw_preview_row
AS 'MODULE_PATHNAME', 'pkt_raw_preview'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 10000 ROWS 20;
COMMENT ON FUNCTION pk_tracking_internal.raw_preview IS
	'the outcome that the first rows of a raw table would have with options of raw_options(); writes nothing';

CREATE FUNCTION pk_tracking_internal.check_raw_table(raw_table regclass) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT coalesce((SELECT pg_has_role(c.relowner, 'USAGE') FROM pg_class c
		WHERE c.oid = raw_table), false) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('must be owner of table %s', raw_table);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.check_raw_table IS
	'raises an error unless the caller owns the table';

CREATE FUNCTION pk_tracking.attach(
	raw_table regclass,
	mapping jsonb DEFAULT NULL,
	dry_run boolean DEFAULT false,
	hit_order text DEFAULT 'given',
	on_error text DEFAULT 'reject',
	trusted boolean DEFAULT false,
	max_rows integer DEFAULT 20)
RETURNS SETOF pk_tracking.raw_preview_row
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	options jsonb;
	needy text;
	partition regclass;
	partitions bigint := 0;
BEGIN
	PERFORM pk_tracking_internal.check_raw_table(raw_table);
	options := pk_tracking_internal.raw_options(raw_table, mapping, hit_order, on_error, trusted);

	SELECT string_agg(k, ', ' ORDER BY k) INTO needy
	FROM jsonb_object_keys(options->'mapping') k
	WHERE k IN ('cip', 'country', 'region', 'city', 'lat', 'lon', 'long')
		AND NOT coalesce(trusted, false);
	IF needy IS NOT NULL THEN
		RAISE WARNING USING
			MESSAGE = format('hits with %s will be rejected because the table is not trusted', needy),
			HINT = 'Attach the table with trusted => true, or leave the parameters out of the mapping.';
	END IF;

	IF dry_run THEN
		RETURN QUERY SELECT * FROM pk_tracking_internal.raw_preview(raw_table, options, max_rows);
		RETURN;
	END IF;

	-- A statement fires the triggers of the table that it names, so each partition
	-- needs a trigger for rows that are inserted into it directly.
	FOR partition IN
		SELECT t.relid FROM pg_partition_tree(raw_table) t
			JOIN pg_class c ON c.oid = t.relid WHERE c.relkind IN ('r', 'p')
		UNION SELECT raw_table
	LOOP
		EXECUTE format('CREATE OR REPLACE TRIGGER pk_tracking AFTER INSERT ON %s '
			'REFERENCING NEW TABLE AS pk_tracking_rows FOR EACH STATEMENT '
			'EXECUTE FUNCTION pk_tracking_internal.track_rows(%L)', partition, options);
		partitions := partitions + 1;
	END LOOP;
	IF partitions > 1 THEN
		RAISE NOTICE USING
			MESSAGE = format('attached to %s and its %s partitions', raw_table, partitions - 1),
			HINT = 'Rows inserted directly into partitions created later are not tracked until the table is attached again.';
	ELSIF EXISTS (SELECT FROM pg_class c WHERE c.oid = raw_table AND c.relkind = 'p') THEN
		RAISE NOTICE USING
			MESSAGE = format('attached to %s, which has no partitions yet', raw_table),
			HINT = 'Rows inserted directly into partitions are not tracked until the table is attached again.';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.attach IS
	'tracks the rows that are inserted into a raw table from now on; dry_run shows the outcome of its first rows, and writes nothing';

CREATE FUNCTION pk_tracking.detach(raw_table regclass) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attached regclass;
	n bigint := 0;
BEGIN
	PERFORM pk_tracking_internal.check_raw_table(raw_table);
	FOR attached IN
		SELECT g.tgrelid FROM pg_trigger g
		WHERE g.tgname = 'pk_tracking'
			AND g.tgfoid = 'pk_tracking_internal.track_rows()'::regprocedure
			AND (g.tgrelid = raw_table
				OR g.tgrelid IN (SELECT t.relid FROM pg_partition_tree(raw_table) t))
	LOOP
		EXECUTE format('DROP TRIGGER pk_tracking ON %s', attached);
		n := n + 1;
	END LOOP;
	IF n = 0 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('table %s is not attached', raw_table);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.detach IS
	'stops tracking the rows inserted into a raw table and its partitions';
