-- Session links (identity/session_link.c).  Members of the extension and never
-- marked with pg_extension_config_dump(), unlogged: in no dump, WAL or replica.

-- Names are qualified and operators too: nothing here depends on search_path.
-- No CHECK: its error would print the row.
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
			COMMENT ON TABLE pk_tracking.link_key_%1$s IS 'secret key of one hour''s session links; the table is hour (since 2000-01-01 UTC) mod 2';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.period IS 'begin of the hour';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.value IS 'the key: 32 random bytes';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.created IS 'when it was made';
			COMMENT ON COLUMN pk_tracking.link_key_%1$s.expires IS 'from then on it is not used any more, and destroyed with the whole table and the hour''s links';

			CREATE UNLOGGED TABLE pk_tracking.session_link_%1$s (
				link uuid NOT NULL,
				linked timestamptz NOT NULL,
				idvisit bigint NOT NULL,
				idsite integer NOT NULL
			) WITH (autovacuum_enabled = false);
			CREATE INDEX session_link_%1$s_link ON pk_tracking.session_link_%1$s (link, linked);
			REVOKE ALL ON TABLE pk_tracking.session_link_%1$s FROM PUBLIC;
			COMMENT ON TABLE pk_tracking.session_link_%1$s IS 'which anonymous visit a session of this hour belongs to; rows without a living key in link_key_%1$s lead nowhere';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.link IS 'first 16 bytes of the HMAC-SHA-256 of cookie or fingerprint under the hour''s key';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.linked IS 'time of the hit that was linked';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.idvisit IS 'visit';
			COMMENT ON COLUMN pk_tracking.session_link_%1$s.idsite IS 'site';
			$ddl$, i);
	END LOOP;
END
$link$;

CREATE FUNCTION pk_tracking.destroy_expired_links(clock timestamptz DEFAULT pg_catalog.clock_timestamp()) RETURNS integer
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_destroy_expired_links';
COMMENT ON FUNCTION pk_tracking.destroy_expired_links(timestamptz) IS
	'empty the tables of session links and of their keys whose hour has expired, unless somebody is using them; the number of tables emptied';

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
COMMENT ON FUNCTION pk_tracking_internal.session_link(integer, text, bytea, timestamptz, timestamptz, bigint, integer, boolean) IS
	'for tests: the visits that a hit at this time of an anonymous session (kind "cookie" or "fingerprint") finds when the clock shows this, NULL if no key lives; with idvisit that visit is linked then; with destroy the call ends as a tracking call does, which destroys what has expired';
