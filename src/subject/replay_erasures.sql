
-- ---------------------------------------------------------------------------
-- subject/replay_erasures: forgets again what an older backup has brought back
-- ---------------------------------------------------------------------------

/*
 * What tells the log from others: the time of its first version, to the microsecond.
 * Dumps, backups and replicas have it, too, whereas of the salts a dump has none.
 */
CREATE FUNCTION pk_tracking_internal.log_created() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT min(v.created) FROM pk_tracking.log_version v
$$;
COMMENT ON FUNCTION pk_tracking_internal.log_created IS
	'when the log was created: the same in all its backups, and in no other log';

CREATE FUNCTION pk_tracking.export_erasures() RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	RETURN jsonb_build_object(
		'exported_at', statement_timestamp(),
		'log_created', pk_tracking_internal.log_created(),
		'salt', encode(pk_tracking.export_salt('erasure'), 'hex'),
		'erasures', coalesce((SELECT jsonb_agg(to_jsonb(e) ORDER BY e.erased_at, e.iderasure)
			FROM pk_tracking.erasures e), '[]'),
		'suppressed', coalesce((SELECT jsonb_agg(to_jsonb(s) ORDER BY s.suppressed_at, s.key_hash)
			FROM pk_tracking.suppressed s), '[]'));
END
$$;
COMMENT ON FUNCTION pk_tracking.export_erasures IS
	'the register of erasures with the salt of its hashes, for replay_erasures(): keep it beside the backups, and secret';

/* The keys in the log whose hashes an entry has: of visits that began before it. */
CREATE FUNCTION pk_tracking_internal.keys_of_hashes(
	idsite integer, hashes bytea[],
	OUT user_ids text[], OUT visitor_ids bigint[], OUT orders text[], OUT visits bigint[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	site CONSTANT integer := keys_of_hashes.idsite;
BEGIN
	user_ids := ARRAY(SELECT u.user_id FROM (SELECT DISTINCT v.user_id FROM pk_tracking.log_visit v
			WHERE v.idsite = site AND v.user_id IS NOT NULL) u
		WHERE pk_tracking_internal.subject_key_hash(site, 'user_id', u.user_id) = ANY (hashes));
	visitor_ids := ARRAY(SELECT u.idvisitor::bigint FROM (
			SELECT v.idvisitor FROM pk_tracking.log_visit v
			WHERE v.idsite = site AND v.idvisitor IS NOT NULL
			UNION SELECT o.idvisitor FROM pk_tracking.log_other_id o WHERE o.idsite = site) u
		WHERE pk_tracking_internal.subject_key_hash(site, 'visitor_id', u.idvisitor::text) = ANY (hashes));
	orders := ARRAY(SELECT o.idorder FROM (
			SELECT c.idorder FROM pk_tracking.log_conversion c
			WHERE c.idsite = site AND c.idorder IS NOT NULL
			UNION SELECT c.order_conflict FROM pk_tracking.log_conversion c
			WHERE c.idsite = site AND c.order_conflict IS NOT NULL) o
		WHERE pk_tracking_internal.subject_key_hash(site, 'idorder', o.idorder) = ANY (hashes));
	visits := ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v
		WHERE v.idsite = site
			AND pk_tracking_internal.subject_key_hash(site, 'idvisit', v.idvisit::text) = ANY (hashes));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.keys_of_hashes IS
	'the user ids, visitor ids, order ids and numbers of visits of a site''s log that have one of these hashes; reads the whole log';

/* An entry of the document again.  Returns the numbers of rows, by table. */
CREATE FUNCTION pk_tracking_internal.replay_erasure(entry jsonb)
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	e record;
	k record;
	n record;
	visits bigint[];
	before timestamptz;
	groups text[] := pk_tracking_internal.anonymise_groups('{all}');
BEGIN
	SELECT * INTO e FROM jsonb_to_record(entry) AS r (function text, mode text, idsite integer,
		erased_at timestamptz, key_kinds text[], key_hashes bytea[], parameters jsonb);
	IF e.function = 'forget_subject' THEN
		k := pk_tracking_internal.keys_of_hashes(e.idsite, e.key_hashes);
		-- visits of others lead no further if a user id was given, be it gone from the log
		IF 'user_id' = ANY (e.key_kinds) THEN
			k.user_ids := k.user_ids || '{""}';
		END IF;
		visits := pk_tracking_internal.subject_lock_visits(e.idsite, k.user_ids, k.visitor_ids,
			k.orders, k.visits, coalesce((e.parameters ->> 'linked')::boolean, false), e.erased_at,
			2147483647);
	ELSIF e.function = 'anonymise_visits' THEN
		groups := ARRAY(SELECT jsonb_array_elements_text(e.parameters -> 'what'));
		visits := ARRAY(SELECT v.idvisit
			FROM pk_tracking.log_visit v JOIN pk_tracking.site s ON s.idsite = v.idsite
			WHERE v.idsite = e.idsite AND v.visit_first_action_time <= e.erased_at
				AND v.visit_first_action_time >= pk_tracking_internal.day_begin(
					(e.parameters ->> 'from_date')::date, s.timezone)
				AND v.visit_first_action_time < pk_tracking_internal.day_begin(
					(e.parameters ->> 'to_date')::date + 1, s.timezone)
			ORDER BY v.idvisit FOR UPDATE OF v);
	ELSIF e.function IN ('purge', 'maintain') THEN
		IF e.parameters ? 'what' THEN
			groups := ARRAY(SELECT jsonb_array_elements_text(e.parameters -> 'what'));
		END IF;
		-- what was older then; nothing if the entry does not say how old
		SELECT pk_tracking_internal.day_begin((e.erased_at AT TIME ZONE s.timezone)::date
				- (e.parameters ->> 'older_than')::integer, s.timezone)
			INTO before FROM pk_tracking.site s WHERE s.idsite = e.idsite;
		-- roll-ups stay longer than the log, as they did then
		IF e.mode = 'erase' THEN
			PERFORM pk_tracking_internal.rollup_freeze(e.idsite, before, 'infinity', true);
		END IF;
		visits := ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v
			WHERE v.idsite = e.idsite AND v.visit_first_action_time < before
				AND v.visit_last_action_time < before
				AND (e.mode = 'erase' OR v.consent < 2)
			ORDER BY v.idvisit FOR UPDATE);
	ELSIF e.function = 'delete_site' THEN
		visits := ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v
			WHERE v.idsite = e.idsite AND v.visit_first_action_time <= e.erased_at
			ORDER BY v.idvisit FOR UPDATE);
	ELSE
		visits := '{}';
	END IF;
	IF e.mode = 'erase' THEN
		n := pk_tracking_internal.erase_visits(visits, NULL);
	ELSE
		n := pk_tracking_internal.anonymise_rows(e.idsite, visits, groups, NULL);
	END IF;
	IF e.function = 'delete_site' THEN
		DELETE FROM pk_tracking.site s WHERE s.idsite = e.idsite;
		WHILE pk_tracking_internal.delete_site_rest(e.idsite, 10000) > 0 LOOP
			NULL;
		END LOOP;
	END IF;
	RETURN ARRAY[n.n_visits, n.n_actions, n.n_conversions, n.n_items, n.n_links];
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.replay_erasure IS
	'carries out an entry of the register of erasures again, on visits that began before it';

/*
 * Is it a document of export_erasures()?  Asked before anything is written: what a
 * constraint refuses would stand in the error, with hashes and reasons.
 */
CREATE FUNCTION pk_tracking_internal.is_register(document jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN jsonb_typeof(document -> 'erasures') = 'array'
		AND jsonb_typeof(document -> 'suppressed') = 'array'
		AND document ->> 'salt' ~ '^[0-9a-f]{64}$'
		AND isfinite((document ->> 'log_created')::timestamptz)
		AND NOT EXISTS (SELECT FROM jsonb_to_recordset(document -> 'erasures') AS r (
				iderasure uuid, erased_at timestamptz, role text, function text, mode text,
				idsite integer, key_kinds text[], key_hashes bytea[], parameters jsonb,
				visits bigint, actions bigint, conversions bigint, items bigint,
				session_links bigint)
			WHERE num_nulls(r.iderasure, r.erased_at, r.role, r.function, r.mode, r.key_kinds,
				r.key_hashes, r.parameters, r.visits, r.actions, r.conversions, r.items,
				r.session_links) > 0 OR NOT isfinite(r.erased_at))
		AND NOT EXISTS (SELECT FROM jsonb_to_recordset(document -> 'suppressed') AS s (
				idsite integer, key_hash bytea, kind text, suppressed_at timestamptz,
				iderasure uuid)
			WHERE num_nulls(s.idsite, s.key_hash, s.kind, s.suppressed_at) > 0);
EXCEPTION WHEN data_exception THEN
	RETURN false;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.is_register IS
	'whether a document is one of export_erasures()';

CREATE FUNCTION pk_tracking.replay_erasures(document jsonb)
RETURNS TABLE (iderasure uuid, erased_at timestamptz, function text, idsite integer, visits bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT ROWS 100
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
#variable_conflict use_column
DECLARE
	entry jsonb;
	e record;
	salt bytea;
	counts bigint[];
BEGIN
	PERFORM pk_tracking_internal.need_log();
	PERFORM pk_tracking_internal.need_read_committed();
	IF pk_tracking_internal.is_register(document) IS NOT TRUE THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'the document is not one of export_erasures()';
	END IF;
	-- sites, visits and periods of another log would be taken for ours
	IF (document ->> 'log_created')::timestamptz
		IS DISTINCT FROM pk_tracking_internal.log_created()
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = 'the document is the register of another log',
			DETAIL = format('It is of the log that was created at %s; this one was created at %s.',
				document ->> 'log_created', pk_tracking_internal.log_created()),
			HINT = 'Restore a backup of that log first, with all its tables.';
	END IF;
	salt := decode(document ->> 'salt', 'hex');
	IF salt <> pk_tracking.export_salt('erasure') THEN
		IF EXISTS (SELECT FROM pk_tracking.erasures r WHERE r.key_hashes <> '{}'
			AND NOT document -> 'erasures' @> jsonb_build_array(jsonb_build_object('iderasure', r.iderasure)))
			-- of the suppressed that have lost their entry the hash is all that there is
			OR EXISTS (SELECT FROM pk_tracking.suppressed s WHERE s.iderasure IS NULL
				AND NOT document -> 'suppressed' @> jsonb_build_array(jsonb_build_object(
					'idsite', s.idsite, 'key_hash', s.key_hash)))
		THEN
			RAISE EXCEPTION USING
				ERRCODE = 'object_not_in_prerequisite_state',
				MESSAGE = 'the register has entries under another salt that the document does not have',
				HINT = 'Replay the document before you erase anything else.';
		END IF;
		PERFORM pk_tracking.import_salt('erasure', salt);
	END IF;

	FOR entry IN SELECT d.value FROM jsonb_array_elements(document -> 'erasures') d
		ORDER BY (d.value ->> 'erased_at')::timestamptz, d.value ->> 'iderasure'
	LOOP
		SELECT * INTO e FROM jsonb_to_record(entry) AS r (iderasure uuid, erased_at timestamptz,
			role text, function text, mode text, idsite integer, key_kinds text[],
			key_hashes bytea[], parameters jsonb, reason text, visits bigint, actions bigint,
			conversions bigint, items bigint, session_links bigint);
		INSERT INTO pk_tracking.erasures AS r (iderasure, erased_at, role, function, mode, idsite,
				key_kinds, key_hashes, parameters, reason, visits, actions, conversions, items,
				session_links)
			VALUES (e.iderasure, e.erased_at, e.role, e.function, e.mode, e.idsite, e.key_kinds,
				e.key_hashes, e.parameters, e.reason, e.visits, e.actions, e.conversions, e.items,
				e.session_links)
			ON CONFLICT DO NOTHING;
		CONTINUE WHEN e.idsite IS NULL;
		counts := pk_tracking_internal.replay_erasure(entry);
		-- of an entry that was here already, rows are in the files again
		IF 0 < ANY (counts) THEN
			PERFORM pk_tracking_internal.erased_now(e.iderasure);
		END IF;
		iderasure := e.iderasure;
		erased_at := e.erased_at;
		function := e.function;
		idsite := e.idsite;
		visits := counts[1];
		RETURN NEXT;
	END LOOP;
	INSERT INTO pk_tracking.suppressed AS s (idsite, key_hash, kind, suppressed_at, iderasure)
		SELECT d.idsite, d.key_hash, d.kind, d.suppressed_at, d.iderasure
		FROM jsonb_to_recordset(document -> 'suppressed') AS d (idsite integer, key_hash bytea,
			kind text, suppressed_at timestamptz, iderasure uuid)
		ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION pk_tracking.replay_erasures IS
	'after an older backup was restored: erases and anonymises again what the document of export_erasures() lists, and suppresses again; returns the visits that each entry met';
