
-- ---------------------------------------------------------------------------
-- log/upgrade: the version of the log
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_log_version() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.log_version (
		version integer NOT NULL,
		created timestamptz NOT NULL DEFAULT now());
	PERFORM pk_tracking_internal.identify_by_row('log_version');
	INSERT INTO pk_tracking.log_version (version) VALUES (1);
	COMMENT ON TABLE pk_tracking.log_version IS
		'version of the log''s tables; pk_tracking.upgrade_log() adds a row';
	COMMENT ON COLUMN pk_tracking.log_version.version IS
		'version of the log; the greatest one applies';
	COMMENT ON COLUMN pk_tracking.log_version.created IS 'time at which the log got this version';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_version IS
	'creates the table pk_tracking.log_version';

CREATE FUNCTION pk_tracking.upgrade_log() RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v integer;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	SELECT max(l.version) INTO v FROM pk_tracking.log_version l;
	IF v > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = format('tracking log has version %s, but this extension supports version 1', v),
			HINT = 'Install a newer version of the extension.';
	END IF;
	-- version 1 is the first version: nothing to migrate
	RETURN v;
END
$$;
COMMENT ON FUNCTION pk_tracking.upgrade_log IS
	'upgrades an older log; returns the version of the log';
