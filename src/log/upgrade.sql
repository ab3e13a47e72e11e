
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
	INSERT INTO pk_tracking.log_version (version) VALUES (2);
	COMMENT ON TABLE pk_tracking.log_version IS
		'version of the log''s tables; pk_tracking.upgrade_log() adds a row';
	COMMENT ON COLUMN pk_tracking.log_version.version IS
		'version of the log; the greatest one applies';
	COMMENT ON COLUMN pk_tracking.log_version.created IS 'time at which the log got this version';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_version IS
	'creates the table pk_tracking.log_version';

/*
 * Version 2 has tables for roll-ups and erasures, and triggers on the log.  Nobody
 * writes the log meanwhile, so that no change of an older day goes without a mark.
 */
CREATE FUNCTION pk_tracking_internal.upgrade_to_2() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation name;
	owner name;
	reader record;
BEGIN
	LOCK TABLE pk_tracking.log_visit, pk_tracking.log_link_visit_action,
		pk_tracking.log_conversion, pk_tracking.log_conversion_item IN ACCESS EXCLUSIVE MODE;
	SELECT pg_get_userbyid(c.relowner) INTO owner
		FROM pg_class c WHERE c.oid = 'pk_tracking.log_visit'::regclass;
	FOREACH relation IN ARRAY pk_tracking_internal.log_relations() LOOP
		CONTINUE WHEN to_regclass(format('pk_tracking.%I', relation)) IS NOT NULL;
		EXECUTE format('SELECT pk_tracking_internal.%I()', 'make_' || relation);
		EXECUTE format('ALTER TABLE pk_tracking.%I OWNER TO %I', relation, owner);
		-- who reads the log for reports reads roll-ups too
		FOR reader IN
			SELECT pg_get_userbyid(g.grantee) AS name
			FROM pg_class c, aclexplode(c.relacl) g
			WHERE c.oid = 'pk_tracking.log_link_visit_action'::regclass
				AND g.privilege_type = 'SELECT' AND g.grantee NOT IN (0, c.relowner)
				AND (relation ^@ 'rollup_' OR relation = 'log_other_id')
		LOOP
			EXECUTE format('GRANT SELECT ON pk_tracking.%I TO %I', relation, reader.name);
		END LOOP;
	END LOOP;
	PERFORM pk_tracking_internal.take_along();
	PERFORM pk_tracking_internal.add_erasure_state();
	INSERT INTO pk_tracking.log_other_id (idvisit, idvisitor, idsite)
	SELECT DISTINCT a.idvisit, a.idvisitor, a.idsite
	FROM pk_tracking.log_link_visit_action a
		JOIN pk_tracking.log_visit v ON v.idvisit = a.idvisit
	WHERE a.idvisitor IS NOT NULL
		AND v.idvisitor::bigint IS DISTINCT FROM a.idvisitor::bigint;
	PERFORM pk_tracking.grant_owner(owner);
	INSERT INTO pk_tracking.log_version (version) VALUES (2);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.upgrade_to_2 IS
	'part of upgrade_log(): adds to a log of version 1 what version 2 has';

CREATE FUNCTION pk_tracking.upgrade_log() RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v integer;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	SELECT max(l.version) INTO v FROM pk_tracking.log_version l;
	IF v > 2 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = format('tracking log has version %s, but this extension supports version 2', v),
			HINT = 'Install a newer version of the extension.';
	END IF;
	IF v = 1 THEN
		PERFORM pk_tracking_internal.upgrade_to_2();
		v := 2;
	END IF;
	RETURN v;
END
$$;
COMMENT ON FUNCTION pk_tracking.upgrade_log IS
	'upgrades an older log; returns the version of the log';
