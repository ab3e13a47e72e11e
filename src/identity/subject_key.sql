
-- Keyed hashes of what a person is known by (identity/subject_key.c).

CREATE FUNCTION pk_tracking_internal.subject_key_hash(idsite integer, kind text, value text)
RETURNS bytea
	LANGUAGE C STABLE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_subject_key_hash';
COMMENT ON FUNCTION pk_tracking_internal.subject_key_hash IS
	'keyed hash of a user id, visitor id, order id or number of a visit, as the register of erasures has it';

CREATE FUNCTION pk_tracking_internal.user_id_forms(user_id text, pseudonyms boolean)
RETURNS text[]
	LANGUAGE C STABLE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'pkt_user_id_forms';
COMMENT ON FUNCTION pk_tracking_internal.user_id_forms IS
	'the forms in which the log may hold a user id or an order id';

/*
 * With the old salt the hashes of all entries lose their meaning, and can be tried no
 * more.  Of the list of the suppressed, they would lose it, too.
 */
CREATE FUNCTION pk_tracking.renew_erasure_salt() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	pgcrypto text;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF EXISTS (SELECT FROM pk_tracking.suppressed) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = 'cannot replace the salt "erasure" while people are suppressed',
			HINT = 'Their hits would be recorded again. Delete the rows of pk_tracking.suppressed first.';
	END IF;
	SELECT n.nspname INTO STRICT pgcrypto
		FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
		WHERE e.extname = 'pgcrypto';
	EXECUTE format('INSERT INTO pk_tracking.salt (name, value) VALUES (''erasure'', %I.gen_random_bytes(32)) '
		'ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value, created = EXCLUDED.created',
		pgcrypto);
END
$$;
COMMENT ON FUNCTION pk_tracking.renew_erasure_salt IS
	'replaces the salt "erasure": from then on the entries of the register erasures no longer tell whom they are about, and replay_erasures() cannot use them';
