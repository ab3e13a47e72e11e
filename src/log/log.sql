
-- ---------------------------------------------------------------------------
-- log: the user's own tables
--
-- They are no members of the extension, so that pg_dump dumps their rows and
-- DROP EXTENSION does not drop them.  Each is created by a function
-- pk_tracking_internal.make_<name>(), which stands beside the module that uses
-- the table.
-- ---------------------------------------------------------------------------

/*
 * Sessions cache what these tables hold: a change must make them read it again.
 * The trigger fires also where logical replication applies the change.
 */
CREATE FUNCTION pk_tracking_internal.watch(table_name name,
	events text DEFAULT 'INSERT OR UPDATE OR DELETE OR TRUNCATE')
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	trigger_name name := table_name || '_changed';
BEGIN
	EXECUTE format('CREATE TRIGGER %I AFTER %s ON pk_tracking.%I '
		'FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.config_changed()',
		trigger_name, events, table_name);
	EXECUTE format('ALTER TABLE pk_tracking.%I ENABLE ALWAYS TRIGGER %I', table_name, trigger_name);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.watch IS
	'adds the trigger that makes every session read a changed table again';

/*
 * Where a publication has all tables, the UPDATE or DELETE of a row that has no
 * key fails.  A key would cost an index for each hit; whole rows cost nothing
 * unless wal_level is logical, and then the old row of what is changed.
 */
CREATE FUNCTION pk_tracking_internal.identify_by_row(table_name name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	EXECUTE format('ALTER TABLE pk_tracking.%I REPLICA IDENTITY FULL', table_name);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.identify_by_row IS
	'lets rows of a table without a key be updated and deleted where it is published';

/*
 * ANALYZE copies the commonest values of a column, and a histogram, into the
 * server's catalog, where they outlive their rows.  Not of columns that name
 * people or may hold anything that a visitor or a site has typed.  (hexid has
 * statistics without values.)
 */
CREATE FUNCTION pk_tracking_internal.private_columns()
RETURNS TABLE (relation oid, attnum smallint, attname name, attstattarget integer)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 30
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT a.attrelid, a.attnum, a.attname, a.attstattarget::integer
	FROM (VALUES
		('log_visit', '{user_id, location_ip, location_latitude, location_longitude,
			referer_keyword, referer_url, custom_dimensions, custom_variables}'),
		('log_conversion', '{idorder, order_conflict, url, location_latitude, location_longitude,
			referer_keyword, custom_dimensions, custom_variables}'),
		('log_conversion_item', '{idorder}'),
		('log_action', '{name}'),
		('log_link_visit_action', '{idpageview, search_cat, custom_dimensions, custom_variables}'),
		('segment', '{filter}'),
		('rejected_hit', '{row_key}'),
		('rollup_visit', '{keys}'),
		('rollup_fact', '{words}'),
		('token', '{token_hash}')) AS t (name, columns)
		JOIN pg_class c ON c.relname = t.name AND c.relnamespace = 'pk_tracking'::regnamespace
		JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY (t.columns::name[])
$$;
COMMENT ON FUNCTION pk_tracking_internal.private_columns IS
	'the columns of the log whose values must not stand in the server''s catalog';

CREATE FUNCTION pk_tracking_internal.keep_out_of_statistics(table_name name) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT p.relation::regclass AS name, p.attname
		FROM pk_tracking_internal.private_columns() p
		WHERE p.relation = format('pk_tracking.%I', table_name)::regclass
	LOOP
		EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', c.name, c.attname);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.keep_out_of_statistics IS
	'lets ANALYZE pass over columns whose values must not stand in the server''s catalog';

/* In the order in which they need each other. */
CREATE FUNCTION pk_tracking_internal.log_relations() RETURNS name[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT '{
		site, setting, goal, custom_dimension, segment, token, referrer_list, referrer_spam,
		automation_agent,
		log_visit, log_visit_length, log_action, log_new_names, log_deleted_range, log_link_visit_action,
		log_conversion, log_conversion_item, log_other_id, rollup_mark,
		rollup_site, rollup_day, rollup_visit, rollup_fact, rollup_times, log_excluded, log_version,
		ingest_run, rejected_hit, ingest_position, erasures, suppressed, swept_name, page_erasure,
		visit, action, excluded}'::name[]
$$;
COMMENT ON FUNCTION pk_tracking_internal.log_relations IS
	'the tables and views that create_log() makes';

CREATE FUNCTION pk_tracking.create_log(owner name DEFAULT CURRENT_USER) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	relation name;
BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_table',
			MESSAGE = 'the tracking log already exists',
			HINT = 'Use pk_tracking.upgrade_log() to bring an older log up to date.';
	END IF;
	PERFORM pk_tracking_internal.check_role(owner);

	FOREACH relation IN ARRAY pk_tracking_internal.log_relations() LOOP
		EXECUTE format('SELECT pk_tracking_internal.%I()', 'make_' || relation);
	END LOOP;
	FOREACH relation IN ARRAY pk_tracking_internal.log_relations() LOOP
		-- of a view too
		EXECUTE format('ALTER TABLE pk_tracking.%I OWNER TO %I', relation, owner);
	END LOOP;
	PERFORM pk_tracking_internal.take_along();
	PERFORM pk_tracking.grant_owner(owner);
END
$$;
COMMENT ON FUNCTION pk_tracking.create_log IS
	'creates the tables and views of the log, owned by a role (default: the caller)';
