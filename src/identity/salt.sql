-- Salts (identity/salt.c).  The tables are members of the extension and are not
-- marked with pg_extension_config_dump(), so that no dump contains a secret.

CREATE TABLE pk_tracking.salt (
	name text PRIMARY KEY,
	value bytea NOT NULL,
	created timestamptz NOT NULL DEFAULT pg_catalog.now()
);
-- No CHECK on value: its error message would print the row.
REVOKE ALL ON TABLE pk_tracking.salt FROM PUBLIC;
-- statistics would hold the secrets, and outlive them, here and below
ALTER TABLE pk_tracking.salt ALTER COLUMN value SET STATISTICS 0;
COMMENT ON TABLE pk_tracking.salt IS
	'secret salts that are kept as long as the instance exists; see export_salt() and import_salt()';
COMMENT ON COLUMN pk_tracking.salt.name IS
	'"fingerprint" (keys every config_id), "user_id" (for anonymize_user_id), "lock" (hides ids in lock tags) or "erasure" (keys the hashes in the tables erasures and suppressed)';
COMMENT ON COLUMN pk_tracking.salt.value IS 'the salt: 32 random bytes, or the imported value';
COMMENT ON COLUMN pk_tracking.salt.created IS 'time of its creation or import';

-- All names and operators are qualified: nothing here depends on search_path.
DO $salt$
DECLARE
	pgcrypto pg_catalog.text;
	salt_table pg_catalog.text;
BEGIN
	SELECT n.nspname::pg_catalog.text INTO STRICT pgcrypto
		FROM pg_catalog.pg_extension AS e
		JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
		WHERE e.extname OPERATOR(pg_catalog.=) 'pgcrypto';
	EXECUTE pg_catalog.format(
		'INSERT INTO pk_tracking.salt (name, value)
		SELECT ''fingerprint'', %1$I.gen_random_bytes(32)
		UNION ALL
		SELECT ''user_id'', %1$I.gen_random_bytes(32)
		UNION ALL
		SELECT ''lock'', %1$I.gen_random_bytes(32)
		UNION ALL
		SELECT ''erasure'', %1$I.gen_random_bytes(32)', pgcrypto);

	FOREACH salt_table IN ARRAY ARRAY[
		'daily_salt_0', 'daily_salt_1', 'daily_salt_2', 'daily_salt_3',
		'daily_salt_4', 'daily_salt_5', 'daily_salt_6', 'daily_salt_7',
		'late_salt_0', 'late_salt_1', 'late_salt_2', 'late_salt_3']
	LOOP
		EXECUTE pg_catalog.format($ddl$
			CREATE UNLOGGED TABLE pk_tracking.%1$I (
				idsite integer NOT NULL,
				day date NOT NULL,
				value bytea NOT NULL,
				created timestamptz NOT NULL DEFAULT pg_catalog.now(),
				expires timestamptz NOT NULL,
				PRIMARY KEY (idsite, day)
			);
			REVOKE ALL ON TABLE pk_tracking.%1$I FROM PUBLIC;
			ALTER TABLE pk_tracking.%1$I ALTER COLUMN value SET STATISTICS 0;
			COMMENT ON TABLE pk_tracking.%1$I IS %2$L;
			COMMENT ON COLUMN pk_tracking.%1$I.idsite IS 'site';
			COMMENT ON COLUMN pk_tracking.%1$I.day IS 'day in the site''s time zone';
			COMMENT ON COLUMN pk_tracking.%1$I.value IS 'the salt: 32 random bytes';
			COMMENT ON COLUMN pk_tracking.%1$I.created IS 'time of creation';
			COMMENT ON COLUMN pk_tracking.%1$I.expires IS
				'from this time on it is no longer used; it is destroyed with the whole table';
			$ddl$,
			salt_table,
			CASE WHEN pg_catalog.starts_with(salt_table, 'daily')
				THEN 'secret daily salts created before the end of their day; the number of the table is the day (since 2000-01-01) modulo 8'
				ELSE 'secret daily salts created after the end of their day (imports); the number of the table is the UTC day of creation (since 2000-01-01) modulo 4'
			END);
	END LOOP;
END
$salt$;

CREATE FUNCTION pk_tracking.export_salt(name text) RETURNS bytea
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_export_salt';
COMMENT ON FUNCTION pk_tracking.export_salt IS
	'returns the secret salt "fingerprint", "user_id" or "erasure", to move an instance; its holder can try all IP addresses, or ids';

CREATE FUNCTION pk_tracking.import_salt(name text, value bytea) RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_import_salt';
COMMENT ON FUNCTION pk_tracking.import_salt IS
	'replaces the salt "fingerprint" or "erasure" (32 bytes) or "user_id" (1 to 1024 bytes); the value is part of the statement, which log_statement and other parameters may log';

CREATE FUNCTION pk_tracking.renew_lock_salt() RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_renew_lock_salt';
COMMENT ON FUNCTION pk_tracking.renew_lock_salt IS
	'replaces the salt "lock", or makes it if it is missing; waits for open transactions that have tracked hits, and holds up tracking to the end of its own';

CREATE FUNCTION pk_tracking.destroy_expired_salts() RETURNS integer
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_destroy_expired_salts';
COMMENT ON FUNCTION pk_tracking.destroy_expired_salts IS
	'empties the tables whose daily salts have all expired, unless they are in use; returns the number of emptied tables';

CREATE FUNCTION pk_tracking_internal.daily_salt_digest(
	idsite integer,
	day date,
	day_end timestamptz,
	at timestamptz,
	make boolean)
RETURNS bytea
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_daily_salt_digest';
COMMENT ON FUNCTION pk_tracking_internal.daily_salt_digest IS
	'for tests: SHA-256 of the daily salt that a hit of this site and day would use at this time; NULL if it does not exist and make is false';

CREATE FUNCTION pk_tracking.prepare_daily_salt(
	idsite integer,
	day date,
	day_end timestamptz,
	at timestamptz)
RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_prepare_daily_salt';
COMMENT ON FUNCTION pk_tracking.prepare_daily_salt IS
	'creates the daily salt of a site''s coming day in advance, unless another session is creating it';

