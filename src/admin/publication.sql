
-- ---------------------------------------------------------------------------
-- admin/publication: the log in logical replication
-- ---------------------------------------------------------------------------

/*
 * Not what belongs to this server alone: secrets and tokens, how far its loads
 * and erase_pages() are, and the version of the log, which create_log() has stamped there.  Tables
 * that are not logged cannot be published.
 */
CREATE FUNCTION pk_tracking.publication_tables() RETURNS SETOF regclass
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.oid::regclass FROM pg_class c
	WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p')
		AND c.relpersistence = 'p'
		AND c.relname NOT IN ('token', 'log_version', 'ingest_run', 'ingest_position',
			'rejected_hit', 'page_erasure')
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
			AND d.objid = c.oid AND d.deptype = 'e')
	ORDER BY c.relname
$$;
COMMENT ON FUNCTION pk_tracking.publication_tables IS
	'the tables that are worth publishing by logical replication: the log and what configures it, no secrets';

CREATE FUNCTION pk_tracking_internal.publication_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('publication %s', p.pubname), format('has %s', string_agg(p.tablename, ', ' ORDER BY p.tablename)),
		'its subscribers get salts or hashes of tokens; with the salt whoever has fingerprints can try addresses: publish what publication_tables() lists'
	FROM pg_publication_tables p
	WHERE p.schemaname = 'pk_tracking' AND p.tablename IN ('salt', 'token')
	GROUP BY p.pubname
	UNION ALL
	SELECT format('publication %s', p.pubname), format('has %s', string_agg(p.tablename, ', ' ORDER BY p.tablename)),
		'rows without a replica identity cannot be updated or deleted: ALTER TABLE ... REPLICA IDENTITY FULL'
	FROM pg_publication_tables p
		JOIN pg_publication u ON u.pubname = p.pubname AND (u.pubupdate OR u.pubdelete)
		JOIN pg_class c ON c.oid = to_regclass(format('%I.%I', p.schemaname, p.tablename))
	WHERE p.schemaname = 'pk_tracking' AND c.relreplident <> 'f'
		AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid
			AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END)
	GROUP BY p.pubname
$$;
COMMENT ON FUNCTION pk_tracking_internal.publication_status IS
	'part of status(): publications that have secrets, or tables whose rows they cannot identify';
