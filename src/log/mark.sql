
-- ---------------------------------------------------------------------------
-- log/mark: which older days were changed, for the roll-ups
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_log_other_id() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.log_other_id (
		idvisit bigint NOT NULL,
		idvisitor @extschema@.hexid NOT NULL,
		idsite integer NOT NULL,
		PRIMARY KEY (idvisit, idvisitor));
	CREATE INDEX log_other_id_idvisitor ON pk_tracking.log_other_id (idsite, idvisitor);
	COMMENT ON TABLE pk_tracking.log_other_id IS
		'visitor ids that a visit has had and its earlier actions still have, so that these actions are found by their visitor id';
	COMMENT ON COLUMN pk_tracking.log_other_id.idvisit IS 'visit';
	COMMENT ON COLUMN pk_tracking.log_other_id.idvisitor IS 'visitor id of some of its actions';
	COMMENT ON COLUMN pk_tracking.log_other_id.idsite IS 'site';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_other_id IS
	'creates the table pk_tracking.log_other_id';

CREATE FUNCTION pk_tracking_internal.mark_changes() RETURNS trigger
AS 'MODULE_PATHNAME', 'pkt_mark_changes' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.mark_changes IS
	'trigger on the tables of the log: marks the days whose rows a statement has changed';

CREATE FUNCTION pk_tracking_internal.rollup_horizon() RETURNS xid8
AS 'MODULE_PATHNAME', 'pkt_rollup_horizon' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_horizon IS
	'a number that is greater than those of all transactions that have one; for builders of roll-ups';

CREATE FUNCTION pk_tracking_internal.make_rollup_mark() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	table_name name;
BEGIN
	CREATE TABLE pk_tracking.rollup_mark (
		idsite integer,
		begins timestamptz NOT NULL,
		ends timestamptz NOT NULL);
	PERFORM pk_tracking_internal.identify_by_row('rollup_mark');
	COMMENT ON TABLE pk_tracking.rollup_mark IS
		'times of older days whose rows were changed since their roll-ups were built; rows are only inserted, and maintain() deletes them';
	COMMENT ON COLUMN pk_tracking.rollup_mark.idsite IS 'site; NULL: all';
	COMMENT ON COLUMN pk_tracking.rollup_mark.begins IS
		'time of the first row that was changed; -infinity: all visits are gone, also those of frozen days';
	COMMENT ON COLUMN pk_tracking.rollup_mark.ends IS 'time of the last one';

	FOREACH table_name IN ARRAY
		'{log_visit, log_link_visit_action, log_conversion, log_conversion_item}'::name[]
	LOOP
		EXECUTE format('CREATE TRIGGER %1$I AFTER INSERT ON pk_tracking.%2$I '
			'REFERENCING NEW TABLE AS new_rows '
			'FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.mark_changes()',
			table_name || '_mark_insert', table_name);
		EXECUTE format('CREATE TRIGGER %1$I AFTER UPDATE ON pk_tracking.%2$I '
			'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows '
			'FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.mark_changes()',
			table_name || '_mark_update', table_name);
		EXECUTE format('CREATE TRIGGER %1$I AFTER DELETE ON pk_tracking.%2$I '
			'REFERENCING OLD TABLE AS old_rows '
			'FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.mark_changes()',
			table_name || '_mark_delete', table_name);
		EXECUTE format('CREATE TRIGGER %1$I AFTER TRUNCATE ON pk_tracking.%2$I '
			'FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.mark_changes()',
			table_name || '_mark_truncate', table_name);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_mark IS
	'creates the table pk_tracking.rollup_mark, and the triggers that fill it';

/*
 * Marks what was changed: rows of a site between begins and ends, of a visitor
 * (a hexid as a number; NULL: none).  A roll-up of a day has the previous day of
 * each of its visitors, so the visitors' later days within a year are marked too.
 * Of very many visitors they are not looked up: all later days are marked.
 */
CREATE FUNCTION pk_tracking_internal.mark_rows(idsites integer[], idvisitors bigint[],
	begins timestamptz[], ends timestamptz[])
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO pk_tracking.rollup_mark (idsite, begins, ends)
	SELECT r.idsite, min(r.begins), max(r.ends)
	FROM unnest(idsites, begins, ends) AS r (idsite, begins, ends)
	GROUP BY r.idsite, date_trunc('day', r.begins, 'UTC');

	INSERT INTO pk_tracking.rollup_mark (idsite, begins, ends)
	SELECT w.idsite, min(w.begins), max(w.ends)
	FROM (
		SELECT r.idsite, r.idvisitor, min(r.begins) AS begins,
			-- a visit may have begun before the rows, but not longer before than visits last
			min(r.begins) - make_interval(secs => (SELECT greatest(max(l.seconds), 86400)
				FROM pk_tracking.log_visit_length l WHERE l.idsite = r.idsite)) AS begun
		FROM unnest(idsites, idvisitors, begins, ends) AS r (idsite, idvisitor, begins, ends)
		WHERE r.idvisitor IS NOT NULL
		GROUP BY r.idsite, r.idvisitor) c
	CROSS JOIN LATERAL (
		SELECT v.idsite,
			least(v.visit_first_action_time, (SELECT min(a.server_time)
				FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit)) AS begins,
			greatest(v.visit_first_action_time, v.visit_last_action_time) AS ends
		FROM (
			SELECT v.idsite, v.idvisit, v.visit_first_action_time, v.visit_last_action_time
			FROM pk_tracking.log_visit v
			WHERE v.idsite = c.idsite
				AND v.idvisitor OPERATOR(@extschema@.=) c.idvisitor::@extschema@.hexid
				AND v.visit_first_action_time >= c.begun
				AND v.visit_first_action_time < c.begins + interval '368 days'
			UNION ALL
			SELECT v.idsite, v.idvisit, v.visit_first_action_time, v.visit_last_action_time
			FROM pk_tracking.log_other_id o JOIN pk_tracking.log_visit v ON v.idvisit = o.idvisit
			WHERE o.idsite = c.idsite
				AND o.idvisitor OPERATOR(@extschema@.=) c.idvisitor::@extschema@.hexid
				AND v.visit_first_action_time >= c.begun
				AND v.visit_first_action_time < c.begins + interval '368 days') v
		WHERE v.visit_last_action_time >= c.begins OR v.visit_first_action_time >= c.begins) w
	GROUP BY w.idsite, date_trunc('day', w.begins, 'UTC');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.mark_rows IS
	'marks the days of changed rows, and the later days of their visitors';
