
-- ---------------------------------------------------------------------------
-- subject/delete_site: a site and all that the log has of it
--
-- Procedures that commit cannot pin search_path: what they do stands in functions
-- that pin it, and they call these, commit, and qualify all else.
-- ---------------------------------------------------------------------------

/*
 * The site's row goes first: afterwards hits of the site are invalid.  A call that
 * was broken off can be made again.
 */
CREATE FUNCTION pk_tracking_internal.delete_site_begin(idsite integer, batch integer)
RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	site integer := delete_site_begin.idsite;
	erasure uuid;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	PERFORM pk_tracking_internal.need_read_committed();
	PERFORM pk_tracking_internal.check_batch(batch);
	DELETE FROM pk_tracking.site s WHERE s.idsite = site;
	IF NOT FOUND THEN
		SELECT e.iderasure INTO erasure FROM pk_tracking.erasures e
			WHERE e.idsite = site AND e.function = 'delete_site'
			ORDER BY e.erased_at DESC LIMIT 1;
		IF erasure IS NULL THEN
			PERFORM pk_tracking_internal.need_site(site);
		END IF;
		RETURN erasure;
	END IF;
	INSERT INTO pk_tracking.erasures AS e (function, mode, idsite)
		VALUES ('delete_site', 'erase', site) RETURNING e.iderasure INTO erasure;
	RETURN erasure;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.delete_site_begin IS
	'step of delete_site(): deletes the site and its configuration; returns the entry of the register';

/* The visits after one, by number, so that the whole is one pass; NULL after the last. */
CREATE FUNCTION pk_tracking_internal.delete_site_visits(
	erasure uuid, idsite integer, after bigint, batch integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	visits bigint[];
BEGIN
	visits := ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v
		WHERE v.idsite = delete_site_visits.idsite AND v.idvisit > after
		ORDER BY v.idvisit LIMIT batch);
	PERFORM pk_tracking_internal.erase_visits(visits, erasure);
	RETURN visits[cardinality(visits)];
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.delete_site_visits IS
	'step of delete_site(): deletes a batch of visits; returns the last one''s number';

/* What is left; 0 when nothing is. */
CREATE FUNCTION pk_tracking_internal.delete_site_rest(idsite integer, batch integer)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	relation regclass;
	deleted bigint;
	n bigint := 0;
BEGIN
	FOR relation IN
		SELECT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
			AND a.attname = 'idsite' AND a.atttypid = 'integer'::regtype AND NOT a.attisdropped
			AND c.relname <> 'erasures'
			-- secrets have an end of their own
			AND c.relname !~ '_salt_[0-9]+$|^secret_destroyed$'
		ORDER BY c.relname
	LOOP
		EXECUTE format('DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s '
			'WHERE idsite = $1 LIMIT $2))', relation) USING delete_site_rest.idsite, batch;
		GET DIAGNOSTICS deleted = ROW_COUNT;
		n := n + deleted;
	END LOOP;
	IF n > 0 THEN
		PERFORM pk_tracking_internal.erased_now(e.iderasure) FROM pk_tracking.erasures e
			WHERE e.idsite = delete_site_rest.idsite AND e.function = 'delete_site';
	END IF;
	RETURN n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.delete_site_rest IS
	'step of delete_site(): deletes a batch of rows of each table that are the site''s';

CREATE PROCEDURE pk_tracking.delete_site(idsite integer, batch integer DEFAULT 10000)
LANGUAGE plpgsql
AS $$
DECLARE
	erasure pg_catalog.uuid;
	after pg_catalog.int8 := -9223372036854775808;
BEGIN
	erasure := pk_tracking_internal.delete_site_begin(delete_site.idsite, batch);
	COMMIT;
	-- who had the site's configuration before
	PERFORM pk_tracking_internal.wait_for_writers(
		'pk_tracking.log_visit'::pg_catalog.regclass);
	LOOP
		after := pk_tracking_internal.delete_site_visits(erasure, delete_site.idsite, after, batch);
		COMMIT;
		EXIT WHEN after IS NULL;
	END LOOP;
	WHILE pk_tracking_internal.delete_site_rest(delete_site.idsite, batch)
		OPERATOR(pg_catalog.>) 0
	LOOP
		COMMIT;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE pk_tracking.delete_site IS
	'deletes a site with its configuration, visits, names and counts, in batches with a commit each; if it is broken off, call it again';
