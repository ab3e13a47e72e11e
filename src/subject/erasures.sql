
-- ---------------------------------------------------------------------------
-- subject/erasures: the register of what was forgotten
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_erasures() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.erasures (
		iderasure uuid NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
		erased_at timestamptz NOT NULL DEFAULT now(),
		role text NOT NULL DEFAULT session_user,
		function text NOT NULL,
		mode text NOT NULL,
		idsite integer,
		key_kinds text[] NOT NULL DEFAULT '{}',
		key_hashes bytea[] NOT NULL DEFAULT '{}',
		parameters jsonb NOT NULL DEFAULT '{}',
		reason text,
		visits bigint NOT NULL DEFAULT 0,
		actions bigint NOT NULL DEFAULT 0,
		conversions bigint NOT NULL DEFAULT 0,
		items bigint NOT NULL DEFAULT 0,
		session_links bigint NOT NULL DEFAULT 0);
	PERFORM pk_tracking_internal.add_erasure_state();
	ALTER TABLE pk_tracking.erasures ALTER COLUMN key_hashes SET STATISTICS 0,
		ALTER COLUMN reason SET STATISTICS 0;
	COMMENT ON TABLE pk_tracking.erasures IS
		'what was erased or anonymised, when, by whom and why; of a person only keyed hashes of the keys that were asked for';
	COMMENT ON COLUMN pk_tracking.erasures.iderasure IS 'number of the entry';
	COMMENT ON COLUMN pk_tracking.erasures.erased_at IS 'time of the erasure';
	COMMENT ON COLUMN pk_tracking.erasures.role IS 'role that had logged in';
	COMMENT ON COLUMN pk_tracking.erasures.function IS
		'forget_subject, anonymise_visits, purge, maintain, delete_site or sweep_names';
	COMMENT ON COLUMN pk_tracking.erasures.mode IS 'erase or anonymise';
	COMMENT ON COLUMN pk_tracking.erasures.idsite IS 'site; NULL: all';
	COMMENT ON COLUMN pk_tracking.erasures.key_kinds IS
		'kinds of the keys of a person: user_id, visitor_id, idorder, idvisit';
	COMMENT ON COLUMN pk_tracking.erasures.key_hashes IS
		'HMAC-SHA-256 of each key in each form in which the log may hold it, with its kind and the site, under the salt "erasure"; a pseudonym until that is destroyed';
	COMMENT ON COLUMN pk_tracking.erasures.parameters IS 'other arguments of the call';
	COMMENT ON COLUMN pk_tracking.erasures.reason IS 'reason, as the caller gave it';
	COMMENT ON COLUMN pk_tracking.erasures.visits IS 'number of visits';
	COMMENT ON COLUMN pk_tracking.erasures.actions IS 'number of their actions';
	COMMENT ON COLUMN pk_tracking.erasures.conversions IS 'number of their conversions';
	COMMENT ON COLUMN pk_tracking.erasures.items IS 'number of items of their orders and carts';
	COMMENT ON COLUMN pk_tracking.erasures.session_links IS
		'number of links of anonymous sessions to them';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_erasures IS
	'creates the table pk_tracking.erasures';

/*
 * How far an erasure is in the files (src/admin/erase_pages.sql).  For upgrade_log(), too:
 * of what an older log has erased it is not known.
 */
CREATE FUNCTION pk_tracking_internal.add_erasure_state() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $$
BEGIN
	ALTER TABLE pk_tracking.erasures
		ADD COLUMN IF NOT EXISTS erased_by xid8 NOT NULL DEFAULT pg_current_xact_id(),
		ADD COLUMN IF NOT EXISTS vacuumed_at timestamptz,
		ADD COLUMN IF NOT EXISTS scrubbed_at timestamptz,
		ADD COLUMN IF NOT EXISTS scrubbed_lsn pg_lsn,
		ADD COLUMN IF NOT EXISTS wal_recycled_at timestamptz;
	COMMENT ON COLUMN pk_tracking.erasures.erased_by IS
		'last transaction that has erased for this entry';
	COMMENT ON COLUMN pk_tracking.erasures.vacuumed_at IS
		'when it was seen that VACUUM has taken the rows away; NULL: not yet';
	COMMENT ON COLUMN pk_tracking.erasures.scrubbed_at IS
		'when erase_pages() or maintain() had overwritten what they left in the files; NULL: not yet';
	COMMENT ON COLUMN pk_tracking.erasures.scrubbed_lsn IS
		'WAL before this position may still hold them';
	COMMENT ON COLUMN pk_tracking.erasures.wal_recycled_at IS
		'when it was seen that pg_wal of this server holds no WAL from before scrubbed_lsn any more; NULL: not yet';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.add_erasure_state IS
	'adds the columns to the register that say how far an erasure is in the files';

CREATE FUNCTION pk_tracking_internal.make_suppressed() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.suppressed (
		idsite integer NOT NULL,
		key_hash bytea NOT NULL,
		kind text NOT NULL,
		suppressed_at timestamptz NOT NULL DEFAULT now(),
		iderasure uuid REFERENCES pk_tracking.erasures ON DELETE SET NULL,
		PRIMARY KEY (idsite, key_hash));
	ALTER TABLE pk_tracking.suppressed ALTER COLUMN key_hash SET STATISTICS 0;
	COMMENT ON TABLE pk_tracking.suppressed IS
		'people whose hits are excluded since they were forgotten; delete a row, and they are tracked again';
	COMMENT ON COLUMN pk_tracking.suppressed.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.suppressed.key_hash IS
		'HMAC-SHA-256 of the id, as in erasures.key_hashes';
	COMMENT ON COLUMN pk_tracking.suppressed.kind IS 'user_id or visitor_id';
	COMMENT ON COLUMN pk_tracking.suppressed.suppressed_at IS 'since when';
	COMMENT ON COLUMN pk_tracking.suppressed.iderasure IS 'entry of the register';
	PERFORM pk_tracking_internal.watch('suppressed');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_suppressed IS
	'creates the table pk_tracking.suppressed';

/*
 * Rows were erased, or changed, for an entry: it is not yet known that they have gone from
 * the files (src/admin/erase_pages.sql).
 */
CREATE FUNCTION pk_tracking_internal.erased_now(erasure uuid) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE pk_tracking.erasures e SET erased_by = pg_current_xact_id(), vacuumed_at = NULL,
			scrubbed_at = NULL, scrubbed_lsn = NULL, wal_recycled_at = NULL
		WHERE e.iderasure = erasure AND e.erased_by <> pg_current_xact_id()
$$;
COMMENT ON FUNCTION pk_tracking_internal.erased_now IS
	'notes in the register that this transaction has erased rows for an entry';

/* Writes a person's entry: of the keys only hashes.  Returns its number. */
CREATE FUNCTION pk_tracking_internal.register_erasure(
	idsite integer, user_ids text[], visitor_ids bigint[], orders text[], visits bigint[],
	linked boolean, mode text, reason text, suppress boolean)
RETURNS uuid
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	site CONSTANT integer := register_erasure.idsite;
	kinds text[];
	hashes bytea[];
	erasure uuid;
BEGIN
	SELECT array_agg(k.kind), array_agg(pk_tracking_internal.subject_key_hash(site, k.kind, k.value))
		INTO kinds, hashes
		FROM (SELECT 'user_id' AS kind, u AS value FROM unnest(user_ids) u
			UNION ALL SELECT 'visitor_id', i::@extschema@.hexid::text FROM unnest(visitor_ids) i
			UNION ALL SELECT 'idorder', o FROM unnest(orders) o
			UNION ALL SELECT 'idvisit', v::text FROM unnest(visits) v) k;
	INSERT INTO pk_tracking.erasures AS e (function, mode, idsite, key_kinds, key_hashes,
			parameters, reason)
		VALUES ('forget_subject', mode, site,
			ARRAY(SELECT DISTINCT k.kind FROM unnest(kinds) AS k (kind) ORDER BY k.kind),
			-- where another has logged in since, only the visitor id of the user id is left
			coalesce(hashes, '{}') || ARRAY(
				SELECT pk_tracking_internal.subject_key_hash(site, 'visitor_id',
					pk_tracking.user_id_visitor_id(u)::text) FROM unnest(user_ids) u),
			jsonb_build_object('linked', linked, 'suppress', suppress), reason)
		RETURNING e.iderasure INTO erasure;
	IF suppress THEN
		INSERT INTO pk_tracking.suppressed (idsite, key_hash, kind, iderasure)
			SELECT site, k.hash, k.kind, erasure FROM unnest(kinds, hashes) AS k (kind, hash)
			WHERE k.kind IN ('user_id', 'visitor_id')
			ON CONFLICT DO NOTHING;
	END IF;
	RETURN erasure;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.register_erasure IS
	'writes an entry of the register erasures for a person';
