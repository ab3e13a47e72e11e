-- Session links (identity/session_link.c).  The tables are members of the
-- extension, not marked with pg_extension_config_dump(), and unlogged: no dump, WAL
-- or replica contains them.

-- All names and operators are qualified: nothing here depends on search_path.
-- No CHECK: its error message would print the row.
DO $link$
BEGIN
	FOR i IN 0..1 LOOP
		EXECUTE pg_catalog.format($ddl$
			CREATE UNLOGGED TABLE pk_tracking.link_key_%1$s (
				period timestamptz NOT NULL,
				value bytea NOT NULL,
				created timestamptz NOT NULL,
				expires timestamptz NOT NULL
			) WITH (autovacuum_enabled = false);
			REVOKE ALL ON TABLE pk_tracking.link_key_%1$s FROM PUBLIC;
			-- statistics would outlive what they hold
			ALTER TABLE pk_tracking.link_key_%1$s ALTER COLUMN value SET STATISTICS 0;
			COMMENT ON TABLE pk_tracking.link_key_%1$s IS
				'secret key of one hour''s session links; the number of the table is the hour (since 2000-01-01 UTC) modulo 2';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.period IS 'beginning of the hour';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.value IS 'the key: 32 random bytes';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.created IS 'time of creation';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.expires IS
				'from this time on it is no longer used; it is destroyed with the whole table and the session links of its hour';

			CREATE UNLOGGED TABLE pk_tracking.session_link_%1$s (
				link uuid NOT NULL,
				linked timestamptz NOT NULL,
				idvisit bigint NOT NULL,
				idsite integer NOT NULL
			) WITH (autovacuum_enabled = false);
			CREATE INDEX session_link_%1$s_link ON pk_tracking.session_link_%1$s (link, linked);
			REVOKE ALL ON TABLE pk_tracking.session_link_%1$s FROM PUBLIC;
			ALTER TABLE pk_tracking.session_link_%1$s ALTER COLUMN link SET STATISTICS 0,
				ALTER COLUMN linked SET STATISTICS 0, ALTER COLUMN idvisit SET STATISTICS 0;
			COMMENT ON TABLE pk_tracking.session_link_%1$s IS
				'the anonymous visits that sessions of this hour belong to; rows are unusable without the key in link_key_%1$s';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.link IS
				'first 16 bytes of the HMAC-SHA-256 of cookie or fingerprint under the hour''s key';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.linked IS
				'time of the hit that was linked';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.idvisit IS 'visit';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.idsite IS 'site';
			$ddl$, i);
	END LOOP;
END
$link$;

CREATE FUNCTION pk_tracking.destroy_expired_links(
	clock timestamptz DEFAULT pg_catalog.clock_timestamp()) RETURNS integer
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_destroy_expired_links';
COMMENT ON FUNCTION pk_tracking.destroy_expired_links IS
	'empties the tables of session links and keys whose hour has expired, unless they are in use; returns the number of emptied tables';

CREATE FUNCTION pk_tracking_internal.session_link(
	idsite integer,
	kind text,
	data bytea,
	at timestamptz,
	clock timestamptz,
	idvisit bigint DEFAULT NULL,
	max_visits integer DEFAULT 8,
	destroy boolean DEFAULT false)
RETURNS bigint[]
	LANGUAGE C VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_session_link';
COMMENT ON FUNCTION pk_tracking_internal.session_link IS
	'for tests: visits found by a hit at time "at" of an anonymous session (kind "cookie" or "fingerprint") when the clock is at "clock"; NULL if the key does not exist; idvisit: also links this visit; destroy: also destroys expired links and keys, as the end of a tracking call does';
