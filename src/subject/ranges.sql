
-- ---------------------------------------------------------------------------
-- subject/ranges: BRIN indexes after visits were deleted
--
-- A BRIN index has the least and the greatest time of each range of pages.  Visits
-- that come later reuse the pages of those that were deleted, and the summary of
-- such a range then spans all the time between: a report of any day reads it.  So
-- ranges that have lost rows are noted, and summarised anew once nobody can see
-- these rows any more (doc/internals.md, "Retention").
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.deleted_for_all(relation regclass, deleted xid8)
RETURNS boolean
AS 'MODULE_PATHNAME', 'pkt_deleted_for_all' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.deleted_for_all IS
	'whether no transaction can see rows any more that a transaction has deleted';

/* Unlogged: what a crash or a restore loses is a summary that is too wide. */
CREATE FUNCTION pk_tracking_internal.make_log_deleted_range() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE UNLOGGED TABLE pk_tracking.log_deleted_range (
		relation text NOT NULL,
		page bigint NOT NULL,
		deleted xid8 NOT NULL);
	COMMENT ON TABLE pk_tracking.log_deleted_range IS
		'where rows of the log were deleted, until the BRIN indexes have been told; rows are only inserted, and purge() and maintain() delete them';
	COMMENT ON COLUMN pk_tracking.log_deleted_range.relation IS 'table of the log';
	COMMENT ON COLUMN pk_tracking.log_deleted_range.page IS 'first of 128 pages';
	COMMENT ON COLUMN pk_tracking.log_deleted_range.deleted IS
		'transaction that has deleted rows there';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_deleted_range IS
	'creates the table pk_tracking.log_deleted_range';

/* Called before the visits are deleted, in the same transaction. */
CREATE FUNCTION pk_tracking_internal.note_ranges(visits bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
	INSERT INTO pk_tracking.log_deleted_range (relation, page, deleted)
	SELECT DISTINCT r.relation, ((r.tid::text::point)[0]::bigint / 128) * 128, pg_current_xact_id()
	FROM (SELECT 'log_visit' AS relation, v.ctid AS tid
			FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (visits)
		UNION ALL SELECT 'log_link_visit_action', l.ctid
			FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = ANY (visits)
		UNION ALL SELECT 'log_conversion', c.ctid
			FROM pk_tracking.log_conversion c WHERE c.idvisit = ANY (visits)) r;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.note_ranges IS
	'notes the pages of visits that are about to be deleted, for repair_ranges()';

/*
 * Summarises ranges anew, at most so many.  That reads their pages, and holds nobody up
 * but VACUUM of the table and such like, to the end of the transaction; where one of
 * these runs, the table is left for another time.  The last pages, which
 * rows are being added to, have no summary yet.
 */
CREATE FUNCTION pk_tracking_internal.repair_ranges(max integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	name text;
	rel regclass;
	r record;
	i record;
	first bigint;
	pages bigint;
	n bigint := 0;
BEGIN
	FOREACH name IN ARRAY ARRAY(SELECT DISTINCT g.relation
		FROM pk_tracking.log_deleted_range g ORDER BY 1)
	LOOP
		BEGIN
			EXECUTE format('LOCK TABLE pk_tracking.%I IN SHARE UPDATE EXCLUSIVE MODE NOWAIT', name);
		EXCEPTION WHEN lock_not_available THEN
			CONTINUE;
		END;
		rel := format('pk_tracking.%I', name);
		pages := pg_relation_size(rel) / current_setting('block_size')::integer;
		FOR r IN
			SELECT g.page, array_agg(g.ctid) AS tids
			FROM pk_tracking.log_deleted_range g WHERE g.relation = name
			GROUP BY g.page
			HAVING bool_and(pk_tracking_internal.deleted_for_all(rel, g.deleted))
			ORDER BY g.page
		LOOP
			EXIT WHEN n >= max;
			FOR i IN
				SELECT x.indexrelid::regclass AS index, coalesce((SELECT o.option_value::bigint
					FROM pg_options_to_table(c.reloptions) o
					WHERE o.option_name = 'pages_per_range'), 128) AS step
				FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
					JOIN pg_am a ON a.oid = c.relam
				WHERE x.indrelid = rel AND x.indisvalid AND a.amname = 'brin'
			LOOP
				first := r.page - r.page % i.step;
				WHILE first < r.page + 128 AND first + i.step <= pages LOOP
					PERFORM brin_desummarize_range(i.index, first),
						brin_summarize_range(i.index, first);
					first := first + i.step;
				END LOOP;
			END LOOP;
			DELETE FROM pk_tracking.log_deleted_range g WHERE g.ctid = ANY (r.tids);
			n := n + 1;
		END LOOP;
	END LOOP;
	RETURN n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.repair_ranges IS
	'lets BRIN indexes of the log forget rows that were deleted; returns how many ranges of 128 pages were looked at';
