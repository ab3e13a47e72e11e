
-- ---------------------------------------------------------------------------
-- subject/sweep: names that nothing uses any more
--
-- A session remembers names that it has seen, and may write a row that refers to one
-- while it is being deleted.  So: delete, commit (all sessions forget their names), wait
-- for the transactions that had the dictionary open before, look again, and put back what
-- is used.  Between, the names are kept in a table, so that a call that is broken off
-- loses none.
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_swept_name() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.swept_name (
		idaction bigint NOT NULL,
		idsite integer NOT NULL,
		type smallint NOT NULL,
		url_prefix smallint,
		name text NOT NULL);
	PERFORM pk_tracking_internal.identify_by_row('swept_name');
	ALTER TABLE pk_tracking.swept_name ALTER COLUMN name SET STATISTICS 0;
	COMMENT ON TABLE pk_tracking.swept_name IS
		'names that sweep_names() has taken out of log_action and not yet let go; empty but while it runs';
	COMMENT ON COLUMN pk_tracking.swept_name.idaction IS 'as in log_action';
	COMMENT ON COLUMN pk_tracking.swept_name.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.swept_name.type IS 'as in log_action';
	COMMENT ON COLUMN pk_tracking.swept_name.url_prefix IS 'as in log_action';
	COMMENT ON COLUMN pk_tracking.swept_name.name IS 'as in log_action';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_swept_name IS
	'creates the table pk_tracking.swept_name';

/* Every reference to a name, from the catalog, so that a new column is not forgotten. */
CREATE FUNCTION pk_tracking_internal.name_uses() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('SELECT r.idsite, u.idaction FROM %s r, LATERAL (VALUES %s) AS u (idaction) WHERE u.idaction <> 0',
			t.relation, t.columns), ' UNION ALL ')
	FROM (SELECT c.oid::regclass AS relation, string_agg(format('(r.%I)', a.attname), ', ') AS columns
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
			AND c.relname IN ('log_visit', 'log_link_visit_action', 'log_conversion',
				'log_conversion_item')
			AND a.attname ~ 'idaction_' AND a.atttypid = 'bigint'::regtype AND NOT a.attisdropped
		GROUP BY c.oid) t
$$;
COMMENT ON FUNCTION pk_tracking_internal.name_uses IS
	'a query of all references from the log to names: site and number';

/* Names that nothing uses: of so many at most, in the order of site and number. */
CREATE FUNCTION pk_tracking_internal.sweep_candidates(
	max_names integer, OUT idsites integer[], OUT idactions bigint[])
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
BEGIN
	-- the dictionary is hashed, and the log streams past it
	EXECUTE format('SELECT array_agg(n.idsite), array_agg(n.idaction) FROM (
		SELECT a.idsite, a.idaction FROM pk_tracking.log_action a
			-- "(other)" of roll-ups
			WHERE a.idaction NOT BETWEEN -100 AND -1
		EXCEPT SELECT u.idsite, u.idaction FROM (%s) u
			JOIN (SELECT DISTINCT a.idsite, a.idaction FROM pk_tracking.log_action a) a
				ON a.idsite = u.idsite AND a.idaction = u.idaction
		ORDER BY 1, 2 LIMIT $1) n', pk_tracking_internal.name_uses())
		INTO idsites, idactions USING max_names;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.sweep_candidates IS
	'step of sweep_names(): names that nothing uses';

CREATE FUNCTION pk_tracking_internal.sweep_delete(idsites integer[], idactions bigint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
	n bigint;
BEGIN
	WITH gone AS (
		DELETE FROM pk_tracking.log_action a
		USING unnest(idsites, idactions) AS c (idsite, idaction)
		WHERE a.idsite = c.idsite AND a.idaction = c.idaction
		RETURNING a.idaction, a.idsite, a.type, a.url_prefix, a.name)
	INSERT INTO pk_tracking.swept_name (idaction, idsite, type, url_prefix, name)
		SELECT g.idaction, g.idsite, g.type, g.url_prefix, g.name FROM gone g;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.sweep_delete IS
	'step of sweep_names(): takes names out of the dictionary, into swept_name';

/*
 * The names in swept_name.  taken: the transaction that took a name out.  A name can be
 * there twice: taken out, written again by a hit, and taken out by another call.
 */
CREATE FUNCTION pk_tracking_internal.sweep_taken(
	OUT idsites integer[], OUT idactions bigint[], OUT taken xid[])
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
	SELECT array_agg(s.idsite), array_agg(s.idaction), array_agg(s.xmin)
	FROM pk_tracking.swept_name s
$$;
COMMENT ON FUNCTION pk_tracking_internal.sweep_taken IS
	'step of sweep_names(): names that have been taken out and not yet let go';

/*
 * Nobody writes any more who has seen these names before they were taken out.  Of others
 * that swept_name has, which another call is taking out now, that is not known yet: it
 * may be the same name, so a row is told by the transaction that wrote it.
 */
CREATE FUNCTION pk_tracking_internal.sweep_settle(idsites integer[], idactions bigint[],
	taken xid[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET jit = off
AS $$
DECLARE
	types smallint[];
	n bigint;
BEGIN
	EXECUTE format('WITH used AS (
			SELECT DISTINCT s.idsite, s.idaction, c.taken
			FROM (%s) u JOIN pk_tracking.swept_name s
				ON s.idsite = u.idsite AND s.idaction = u.idaction
				JOIN unnest($1, $2, $3) AS c (idsite, idaction, taken)
				ON c.idsite = s.idsite AND c.idaction = s.idaction AND c.taken = s.xmin),
		back AS (
			DELETE FROM pk_tracking.swept_name s USING used u
			WHERE s.idsite = u.idsite AND s.idaction = u.idaction AND s.xmin = u.taken
			RETURNING s.idaction, s.idsite, s.type, s.url_prefix, s.name)
		INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
			SELECT b.idaction, b.idsite, b.type, b.url_prefix, b.name FROM back b
			WHERE NOT EXISTS (SELECT FROM pk_tracking.log_action a
				WHERE a.idsite = b.idsite AND a.idaction = b.idaction)',
		pk_tracking_internal.name_uses()) USING idsites, idactions, taken;
	WITH gone AS (
		DELETE FROM pk_tracking.swept_name s
			USING unnest(idsites, idactions, taken) AS c (idsite, idaction, taken)
			WHERE s.idsite = c.idsite AND s.idaction = c.idaction AND s.xmin = c.taken
			RETURNING s.idsite, s.idaction, s.type)
	SELECT count(*), array_agg(g.idsite) FILTER (WHERE NOT g.again),
			array_agg(g.idaction) FILTER (WHERE NOT g.again),
			array_agg(g.type) FILTER (WHERE NOT g.again)
		INTO n, idsites, idactions, types
		-- a hit may have written it again
		FROM (SELECT g.*, EXISTS (SELECT FROM pk_tracking.log_action a
				WHERE a.idsite = g.idsite AND a.idaction = g.idaction) AS again FROM gone g) g;
	PERFORM pk_tracking_internal.rollup_forget_names(idsites, idactions, types);
	IF n > 0 THEN
		INSERT INTO pk_tracking.erasures (function, mode, parameters)
			VALUES ('sweep_names', 'erase', jsonb_build_object('names', n));
	END IF;
	RETURN n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.sweep_settle IS
	'step of sweep_names(): puts back the names that are used after all, and lets the others go; returns their number';

CREATE PROCEDURE pk_tracking.sweep_names(batch integer DEFAULT 10000, INOUT swept bigint DEFAULT NULL)
LANGUAGE plpgsql
AS $$
DECLARE
	idsites pg_catalog.int4[];
	idactions pg_catalog.int8[];
	taken pg_catalog.xid[];
	done pg_catalog.int4;
	last pg_catalog.bool;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	PERFORM pk_tracking_internal.need_read_committed();
	PERFORM pk_tracking_internal.check_batch(batch);
	COMMIT;
	swept := 0;
	-- what an earlier call has left
	SELECT t.idsites, t.idactions, t.taken INTO idsites, idactions, taken
		FROM pk_tracking_internal.sweep_taken() AS t;
	COMMIT;
	IF idactions IS NOT NULL THEN
		PERFORM pk_tracking_internal.wait_for_writers(
			'pk_tracking.log_action'::pg_catalog.regclass);
		swept := pk_tracking_internal.sweep_settle(idsites, idactions, taken);
		COMMIT;
	END IF;
	LOOP
		SELECT c.idsites, c.idactions INTO idsites, idactions
			FROM pk_tracking_internal.sweep_candidates(1000000) AS c;
		EXIT WHEN idactions IS NULL;
		done := 0;
		WHILE done OPERATOR(pg_catalog.<) pg_catalog.cardinality(idactions) LOOP
			PERFORM pk_tracking_internal.sweep_delete(
				idsites[done OPERATOR(pg_catalog.+) 1 : done OPERATOR(pg_catalog.+) batch],
				idactions[done OPERATOR(pg_catalog.+) 1 : done OPERATOR(pg_catalog.+) batch]);
			COMMIT;
			done := done OPERATOR(pg_catalog.+) batch;
		END LOOP;
		last := pg_catalog.cardinality(idactions) OPERATOR(pg_catalog.<) 1000000;
		SELECT t.idsites, t.idactions, t.taken INTO idsites, idactions, taken
			FROM pk_tracking_internal.sweep_taken() AS t;
		COMMIT;
		PERFORM pk_tracking_internal.wait_for_writers(
			'pk_tracking.log_action'::pg_catalog.regclass);
		swept := swept OPERATOR(pg_catalog.+) pk_tracking_internal.sweep_settle(
			idsites, idactions, taken);
		COMMIT;
		EXIT WHEN last;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE pk_tracking.sweep_names IS
	'deletes names (URLs, titles and other texts) that nothing in the log uses any more, in batches with a commit each; waits for open transactions that track, makes no hit wait; if it is broken off, call it again';
