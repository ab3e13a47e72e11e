
-- ---------------------------------------------------------------------------
-- admin/erase_pages: deleted rows are overwritten in the files, and the register
-- says how far that is
--
-- A row that was deleted stays in its page until VACUUM, or a hit that passes by, takes
-- it away, and its bytes stay in the page's free space after that.  So a table is read,
-- with its TOAST table and its B-trees: what is free is overwritten, and pages on which
-- there is still something for VACUUM to take away are remembered.  Once none of these
-- is left, nothing is left of rows that were deleted before the first reading began:
-- a page that was seen without such rows has been overwritten since, and an index, which
-- is read after its table, has no entry of a row that VACUUM has taken away.
--
-- What is remembered is in a table that is logged: if the server crashes, the next call
-- goes on where the last that committed has stopped.
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.wipe_pages(
	relation regclass, first bigint, max_pages bigint, before xid8,
	OUT pages_read bigint, OUT pages_written bigint, OUT next_page bigint, OUT to_vacuum bigint[],
	OUT keys_left bigint)
AS 'MODULE_PATHNAME', 'pkt_wipe_pages' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking_internal.wipe_pages IS
	'step of erase_pages(): overwrites what is free in pages of a heap or a B-tree; next_page: NULL at the end; to_vacuum: pages with rows that were deleted before a transaction and that VACUUM has not taken away; keys_left: of how many pages of an index the high key is that of no row and had to stay';

CREATE FUNCTION pk_tracking_internal.pages_to_vacuum(relation regclass, pages bigint[], before xid8)
RETURNS bigint[]
AS 'MODULE_PATHNAME', 'pkt_pages_to_vacuum' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking_internal.pages_to_vacuum IS
	'which of these pages of a heap still have rows that were deleted before a transaction and that VACUUM has not taken away';

CREATE FUNCTION pk_tracking_internal.check_erasable(relation regclass) RETURNS void
AS 'MODULE_PATHNAME', 'pkt_check_erasable' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.check_erasable IS
	'raises an error if the relation is no table, or not one that the caller owns';

CREATE FUNCTION pk_tracking_internal.holds_wal_before(lsn pg_lsn) RETURNS boolean
AS 'MODULE_PATHNAME', 'pkt_holds_wal_before' LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION pk_tracking_internal.holds_wal_before IS
	'whether a file of pg_wal holds WAL from before a position: also one that waits to be used again';

CREATE FUNCTION pk_tracking_internal.server_number() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.system_identifier FROM pg_control_system() c
$$;
COMMENT ON FUNCTION pk_tracking_internal.server_number IS
	'the system identifier, which tells servers apart';

CREATE FUNCTION pk_tracking_internal.make_page_erasure() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.page_erasure (
		relation oid NOT NULL PRIMARY KEY,
		server bigint NOT NULL,
		before xid8 NOT NULL,
		covers xid8 NOT NULL,
		begun_at timestamptz NOT NULL,
		member oid,
		next_page bigint NOT NULL DEFAULT 0,
		found bigint[] NOT NULL DEFAULT '{}',
		found_toast bigint[] NOT NULL DEFAULT '{}',
		due bigint[],
		due_toast bigint[],
		found_keys oid[] NOT NULL DEFAULT '{}',
		due_keys oid[] NOT NULL DEFAULT '{}',
		read_at timestamptz,
		vacuumed_before xid8,
		clean_before xid8,
		clean_at timestamptz,
		clean_lsn pg_lsn);
	COMMENT ON TABLE pk_tracking.page_erasure IS
		'how far erase_pages() has got with a table; deleted rows make it begin anew';
	COMMENT ON COLUMN pk_tracking.page_erasure.relation IS 'number of the table';
	COMMENT ON COLUMN pk_tracking.page_erasure.server IS
		'system identifier of the server; a row of another one, from a dump, says nothing';
	COMMENT ON COLUMN pk_tracking.page_erasure.before IS
		'rows that were deleted before this transaction are overwritten';
	COMMENT ON COLUMN pk_tracking.page_erasure.covers IS
		'erasures before this transaction are overwritten then: of roll-ups, those whose days have been built anew';
	COMMENT ON COLUMN pk_tracking.page_erasure.begun_at IS 'when the first reading began';
	COMMENT ON COLUMN pk_tracking.page_erasure.member IS
		'the table, its TOAST table or index that is being read; NULL: none';
	COMMENT ON COLUMN pk_tracking.page_erasure.next_page IS 'page of it with which to go on';
	COMMENT ON COLUMN pk_tracking.page_erasure.found IS
		'pages of the table in which this reading found deleted rows that VACUUM has not taken away';
	COMMENT ON COLUMN pk_tracking.page_erasure.found_toast IS 'the same of its TOAST table';
	COMMENT ON COLUMN pk_tracking.page_erasure.due IS
		'pages of the table in which every reading found such rows; NULL: not yet read to the end';
	COMMENT ON COLUMN pk_tracking.page_erasure.due_toast IS 'the same of its TOAST table';
	COMMENT ON COLUMN pk_tracking.page_erasure.found_keys IS
		'indexes in which this reading found keys between pages that may be copies of deleted rows'' and could not be replaced';
	COMMENT ON COLUMN pk_tracking.page_erasure.due_keys IS
		'the same of the last reading: to be made anew';
	COMMENT ON COLUMN pk_tracking.page_erasure.read_at IS 'when the last reading ended';
	COMMENT ON COLUMN pk_tracking.page_erasure.vacuumed_before IS
		'VACUUM has taken away what was deleted before this transaction';
	COMMENT ON COLUMN pk_tracking.page_erasure.clean_before IS
		'what was deleted before this transaction is overwritten';
	COMMENT ON COLUMN pk_tracking.page_erasure.clean_at IS 'since when it is';
	COMMENT ON COLUMN pk_tracking.page_erasure.clean_lsn IS
		'WAL before this position may still hold it';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_page_erasure IS
	'creates the table pk_tracking.page_erasure';

/* The tables of which erasures delete rows that tell of people, roll-ups among them. */
CREATE FUNCTION pk_tracking_internal.erasable_tables() RETURNS SETOF oid
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.oid FROM pg_class c
	WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
		AND c.relname ~ '^(log_(visit|link_visit_action|conversion|conversion_item|action|other_id)|swept_name|rollup_(?!mark$|day$|site$).*)$'
	ORDER BY c.oid
$$;
COMMENT ON FUNCTION pk_tracking_internal.erasable_tables IS
	'the tables of the log of which erasures delete rows';

/* The table itself, its TOAST table, and the B-trees of both: heaps before their indexes. */
CREATE FUNCTION pk_tracking_internal.members_of(relation oid)
RETURNS TABLE (member oid, ordinal bigint)
LANGUAGE sql STABLE PARALLEL SAFE STRICT ROWS 6
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT m.oid, row_number() OVER (ORDER BY m.kind, m.oid)
	FROM (SELECT members_of.relation AS oid, 0 AS kind
		UNION ALL SELECT c.reltoastrelid, 1 FROM pg_class c
		WHERE c.oid = members_of.relation AND c.reltoastrelid <> 0
		UNION ALL SELECT i.indexrelid, 2
		FROM pg_class t JOIN pg_index i ON i.indrelid IN (t.oid, t.reltoastrelid)
			JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am a ON a.oid = x.relam
		WHERE t.oid = members_of.relation AND a.amname = 'btree' AND x.relkind = 'i') m
$$;
COMMENT ON FUNCTION pk_tracking_internal.members_of IS
	'a table, its TOAST table and their B-tree indexes, in the order in which they are read';

/* The erasures that nobody has overwritten yet, by the transactions that have deleted. */
CREATE FUNCTION pk_tracking_internal.newest_erasure(before xid8) RETURNS xid8
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.erased_by FROM pk_tracking.erasures e
	WHERE e.scrubbed_at IS NULL AND e.erased_by < newest_erasure.before
	ORDER BY e.erased_by DESC LIMIT 1
$$;
COMMENT ON FUNCTION pk_tracking_internal.newest_erasure IS
	'the last transaction before another that has erased something';

/*
 * Before which transaction a reading that overwrites what was deleted before another one
 * covers all erasures.  Roll-ups count, and name, what was erased until their days are
 * built anew, so a reading covers no erasure that a mark may be of.  A day that is to
 * be built anew does not tell since when: nothing that is not covered yet is, nor while
 * the transaction that has built a day may still be running.
 */
CREATE FUNCTION pk_tracking_internal.erasures_covered(table_id oid, before xid8) RETURNS xid8
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	oldest_mark integer;
	building boolean;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = table_id AND c.relname ^@ 'rollup_'
		AND c.relnamespace = 'pk_tracking'::regnamespace)
	THEN
		RETURN before;
	END IF;
	building := EXISTS (SELECT FROM pk_tracking.rollup_day d
		WHERE d.stale OR age(d.xmin) <= age(before::xid));
	-- roll-ups are of days that are over, by the site's time zone or the one it had
	SELECT max(age(m.xmin)) INTO oldest_mark FROM pk_tracking.rollup_mark m
		LEFT JOIN pk_tracking.site s ON s.idsite = m.idsite
		LEFT JOIN pk_tracking.rollup_site r ON r.idsite = m.idsite
		WHERE (m.begins < greatest(date_trunc('day', clock_timestamp(), s.timezone),
			date_trunc('day', clock_timestamp(), r.timezone))) IS NOT FALSE;
	RETURN coalesce((SELECT e.erased_by FROM pk_tracking.erasures e
		WHERE e.scrubbed_at IS NULL AND e.erased_by < before
			AND (building OR age(e.erased_by::xid) <= oldest_mark)
		ORDER BY e.erased_by LIMIT 1), before);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.erasures_covered IS
	'before which transaction erasures are over in a table, once all is overwritten that was deleted before another';

/*
 * Goes on with a table, or begins: at most so many pages.  Returns a row for each of its
 * relations that was read.
 */
CREATE FUNCTION pk_tracking_internal.erase_table(table_id oid, max_pages bigint)
RETURNS TABLE (relation regclass, pages_read bigint, pages_written bigint, next_page bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	budget bigint := max_pages;
	state pk_tracking.page_erasure;
	-- all transactions before it have ended
	ended CONSTANT xid8 := pg_snapshot_xmin(pg_current_snapshot());
	this CONSTANT oid := table_id;
	toast oid;
	at bigint;
	m record;
	w record;
BEGIN
	DELETE FROM pk_tracking.page_erasure p
		WHERE p.server <> pk_tracking_internal.server_number();
	INSERT INTO pk_tracking.page_erasure AS p (relation, server, before, covers, begun_at)
		VALUES (this, pk_tracking_internal.server_number(), ended, ended, clock_timestamp())
		ON CONFLICT DO NOTHING;
	SELECT * INTO state FROM pk_tracking.page_erasure p WHERE p.relation = this FOR UPDATE;
	SELECT c.reltoastrelid INTO toast FROM pg_class c WHERE c.oid = this;

	IF state.member IS NULL THEN
		-- a new reading: of what was deleted up to now, or once more of what VACUUM
		-- had not taken away
		IF state.due IS NULL
			OR pk_tracking_internal.newest_erasure(ended) >= state.before
		THEN
			state.before := ended;
			state.covers := pk_tracking_internal.erasures_covered(this, ended);
			state.begun_at := clock_timestamp();
			state.due := NULL;
			state.due_toast := NULL;
		END IF;
		state.found := '{}';
		state.found_toast := '{}';
		state.found_keys := '{}';
		state.next_page := 0;
		at := 0;
	ELSE
		-- an index may have been dropped, or made anew with a number of its own: the
		-- indexes are read again
		SELECT o.ordinal INTO at FROM pk_tracking_internal.members_of(this) o
			WHERE o.member = state.member;
		IF at IS NULL THEN
			at := CASE WHEN toast <> 0 THEN 3 ELSE 2 END;
			state.next_page := 0;
		END IF;
	END IF;

	FOR m IN SELECT o.member FROM pk_tracking_internal.members_of(this) o
		WHERE o.ordinal >= at ORDER BY o.ordinal
	LOOP
		state.member := m.member;
		IF budget <= 0 THEN
			relation := m.member;
			pages_read := 0;
			pages_written := 0;
			next_page := 0;
			RETURN NEXT;
			EXIT;
		END IF;
		w := pk_tracking_internal.wipe_pages(m.member, state.next_page, budget, state.before);
		budget := budget - w.pages_read;
		IF m.member = this THEN
			state.found := state.found || w.to_vacuum;
		ELSIF m.member = toast THEN
			state.found_toast := state.found_toast || w.to_vacuum;
		END IF;
		IF w.keys_left > 0 AND m.member <> ALL (state.found_keys) THEN
			state.found_keys := state.found_keys || m.member;
		END IF;
		relation := m.member;
		pages_read := w.pages_read;
		pages_written := w.pages_written;
		next_page := w.next_page;
		RETURN NEXT;
		state.next_page := coalesce(w.next_page, 0);
		EXIT WHEN w.next_page IS NOT NULL;
		state.member := NULL;
	END LOOP;

	IF state.member IS NULL THEN
		IF state.due IS NULL THEN
			state.due := state.found;
			state.due_toast := state.found_toast;
		ELSE
			state.due := ARRAY(SELECT unnest(state.due) INTERSECT SELECT unnest(state.found));
			state.due_toast := ARRAY(SELECT unnest(state.due_toast)
				INTERSECT SELECT unnest(state.found_toast));
		END IF;
		state.found := '{}';
		state.found_toast := '{}';
		state.due_keys := state.found_keys;
		state.read_at := clock_timestamp();
		IF state.due = '{}' AND state.due_toast = '{}' THEN
			state.vacuumed_before := state.covers;
		END IF;
		IF state.due = '{}' AND state.due_toast = '{}' AND state.due_keys = '{}' THEN
			state.clean_before := state.covers;
			state.clean_at := clock_timestamp();
			state.clean_lsn := pg_current_wal_insert_lsn();
			state.due := NULL;
			state.due_toast := NULL;
		END IF;
	END IF;
	UPDATE pk_tracking.page_erasure p SET before = state.before, covers = state.covers,
			begun_at = state.begun_at,
			member = state.member, next_page = state.next_page, found = state.found,
			found_toast = state.found_toast, due = state.due, due_toast = state.due_toast,
			found_keys = state.found_keys, due_keys = state.due_keys, read_at = state.read_at,
			vacuumed_before = state.vacuumed_before, clean_before = state.clean_before,
			clean_at = state.clean_at, clean_lsn = state.clean_lsn
		WHERE p.relation = this;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.erase_table IS
	'step of erase_pages(): reads on in a table, its TOAST table and its indexes, at most so many pages';

/*
 * Tables with deleted rows of erasures that are not overwritten yet, and that have ended
 * for all transactions.  What another server has deleted is not in these files.
 */
CREATE FUNCTION pk_tracking_internal.tables_to_erase() RETURNS SETOF oid
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT t.oid FROM pk_tracking_internal.erasable_tables() t (oid)
		LEFT JOIN pk_tracking.page_erasure p ON p.relation = t.oid
			AND p.server = pk_tracking_internal.server_number()
		CROSS JOIN LATERAL (SELECT pk_tracking_internal.erasures_covered(t.oid,
			pg_snapshot_xmin(pg_current_snapshot())) AS covered OFFSET 0) c
	WHERE EXISTS (SELECT FROM pk_tracking.erasures e
		WHERE e.scrubbed_at IS NULL AND e.erased_by < c.covered
			AND (p.clean_before IS NULL OR e.erased_by >= p.clean_before))
	ORDER BY p.member IS NULL, t.oid
$$;
COMMENT ON FUNCTION pk_tracking_internal.tables_to_erase IS
	'the tables with deleted rows of erasures that are not overwritten yet';

/*
 * Waits for VACUUM?  Looks only at pages that had something for it.  If none has any more,
 * what VACUUM has left in the pages is to be overwritten.
 */
CREATE FUNCTION pk_tracking_internal.table_waits_for_vacuum(table_id oid) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	state pk_tracking.page_erasure;
	toast regclass;
BEGIN
	SELECT * INTO state FROM pk_tracking.page_erasure p
		WHERE p.relation = table_id AND p.server = pk_tracking_internal.server_number()
		FOR UPDATE;
	IF state.member IS NOT NULL OR state.due IS NULL
		OR pk_tracking_internal.newest_erasure(pg_snapshot_xmin(pg_current_snapshot()))
			>= state.before
	THEN
		RETURN false;
	END IF;
	SELECT nullif(c.reltoastrelid, 0)::regclass INTO toast FROM pg_class c
		WHERE c.oid = table_id;
	state.due := pk_tracking_internal.pages_to_vacuum(table_id, state.due, state.before);
	state.due_toast := coalesce(pk_tracking_internal.pages_to_vacuum(toast, state.due_toast,
		state.before), '{}');
	UPDATE pk_tracking.page_erasure p SET due = state.due, due_toast = state.due_toast,
			vacuumed_before = CASE WHEN state.due = '{}' AND state.due_toast = '{}'
				THEN state.covers ELSE p.vacuumed_before END
		WHERE p.relation = table_id;
	RETURN state.due <> '{}' OR state.due_toast <> '{}'
		-- rows that come may make room or a key; an index made anew has another number
		OR (state.due_keys <> '{}' AND state.read_at > now() - interval '1 hour'
			AND NOT EXISTS (SELECT FROM unnest(state.due_keys) k
				WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = k)));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.table_waits_for_vacuum IS
	'whether a table that was read has deleted rows that VACUUM has still to take away';

/*
 * Writes into the register what has become true since.  Positions in the WAL that are
 * yet to come are another server's.
 */
CREATE FUNCTION pk_tracking_internal.settle_erasures() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- transactions from here on have not begun, if they are this server's; but this one
	-- may have since the snapshot was taken
	next CONSTANT xid8 := pg_snapshot_xmax(pg_current_snapshot());
	this CONSTANT xid8 := pg_current_xact_id_if_assigned();
	done record;
	recycled pg_lsn;
	position pg_lsn;
BEGIN
	SELECT min(coalesce(p.vacuumed_before, '0')) AS vacuumed,
			min(coalesce(p.clean_before, '0')) AS clean,
			max(p.clean_at) AS at, max(p.clean_lsn) AS lsn INTO done
		FROM pk_tracking_internal.erasable_tables() t (oid)
			LEFT JOIN pk_tracking.page_erasure p ON p.relation = t.oid
				AND p.server = pk_tracking_internal.server_number();
	-- both may be found in one call, and the VACUUM came first
	UPDATE pk_tracking.erasures e SET vacuumed_at = CASE WHEN e.erased_by < done.clean
			THEN least(done.at, clock_timestamp()) ELSE clock_timestamp() END
		WHERE e.vacuumed_at IS NULL AND (e.erased_by < done.vacuumed
			OR (e.erased_by >= next AND e.erased_by IS DISTINCT FROM this));
	UPDATE pk_tracking.erasures e SET scrubbed_at = coalesce(done.at, clock_timestamp()),
			scrubbed_lsn = coalesce(done.lsn, pg_current_wal_insert_lsn())
		WHERE e.scrubbed_at IS NULL AND (e.erased_by < done.clean
			OR (e.erased_by >= next AND e.erased_by IS DISTINCT FROM this));
	FOR position IN SELECT DISTINCT e.scrubbed_lsn FROM pk_tracking.erasures e
		WHERE e.wal_recycled_at IS NULL AND e.scrubbed_at IS NOT NULL ORDER BY 1
	LOOP
		EXIT WHEN position <= pg_current_wal_insert_lsn()
			AND pk_tracking_internal.holds_wal_before(position);
		recycled := position;
	END LOOP;
	UPDATE pk_tracking.erasures e SET wal_recycled_at = clock_timestamp()
		WHERE e.wal_recycled_at IS NULL AND e.scrubbed_at IS NOT NULL
			AND e.scrubbed_lsn <= recycled;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.settle_erasures IS
	'writes into the register which erasures have been vacuumed, overwritten, and have left the WAL';

/* What erase_pages() without a table, and maintain(), do. */
CREATE FUNCTION pk_tracking_internal.erase_some(max_pages bigint)
RETURNS TABLE (relation regclass, pages_read bigint, pages_written bigint, next_page bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	budget bigint := max_pages;
	this oid;
BEGIN
	FOR this IN SELECT t FROM pk_tracking_internal.tables_to_erase() t LOOP
		CONTINUE WHEN pk_tracking_internal.table_waits_for_vacuum(this);
		FOR relation, pages_read, pages_written, next_page IN
			SELECT e.relation, e.pages_read, e.pages_written, e.next_page
			FROM pk_tracking_internal.erase_table(this, budget) e
		LOOP
			budget := budget - pages_read;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN budget <= 0;
	END LOOP;
	PERFORM pk_tracking_internal.settle_erasures();
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.erase_some IS
	'overwrites deleted rows of erasures in tables that VACUUM has been through, at most so many pages';

/* What keeps WAL from before a position here. */
CREATE FUNCTION pk_tracking_internal.wal_holders(lsn pg_lsn) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(h.holder, ', ') FROM (
		SELECT format('replication slot %I', s.slot_name) AS holder
		FROM pg_replication_slots s WHERE s.restart_lsn < wal_holders.lsn
		UNION ALL
		SELECT 'the archiver, which has not archived it yet'
		FROM pg_stat_archiver a
		WHERE current_setting('archive_mode') <> 'off' AND NOT pg_is_in_recovery()
			AND substr(coalesce(a.last_archived_wal, repeat('0', 24)), 9, 16)
				< substr(pg_walfile_name(CASE WHEN pg_is_in_recovery() THEN NULL
					ELSE wal_holders.lsn END), 9, 16)
		UNION ALL
		SELECT format('wal_keep_size = %s', current_setting('wal_keep_size'))
		WHERE current_setting('wal_keep_size') <> '0') h
$$;
COMMENT ON FUNCTION pk_tracking_internal.wal_holders IS
	'part of status(): what keeps WAL from before a position on this server';

/*
 * What is not clean yet.  Rows of the latest erasures may still be seen by transactions
 * that are open; then VACUUM leaves them.
 */
CREATE FUNCTION pk_tracking_internal.erasure_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
	WITH due AS MATERIALIZED (
		SELECT t.oid, p.member, p.before,
			pk_tracking_internal.erasures_covered(t.oid,
				pg_snapshot_xmax(pg_current_snapshot()))
				<= min(e.erased_by::text::numeric)::text::xid8 AS counted,
			coalesce(cardinality(p.due), 0) + coalesce(cardinality(p.due_toast), 0) AS pages,
			p.due_keys, max(e.erased_by::text::numeric)::text::xid8 AS newest,
			count(*) AS erasures
		FROM pk_tracking_internal.erasable_tables() t (oid)
			LEFT JOIN pk_tracking.page_erasure p ON p.relation = t.oid
				AND p.server = pk_tracking_internal.server_number()
			JOIN pk_tracking.erasures e ON e.scrubbed_at IS NULL
				AND e.erased_by < pg_snapshot_xmax(pg_current_snapshot())
				AND (p.clean_before IS NULL OR e.erased_by >= p.clean_before)
		GROUP BY t.oid, p.relation)
	SELECT format('erased rows of %s', d.oid::regclass),
		CASE WHEN d.member IS NOT NULL THEN 'are being overwritten'
			WHEN d.counted THEN 'are counted in roll-ups'
			WHEN d.newest < d.before AND d.pages > 0
			THEN format('wait for VACUUM in %s pages', d.pages)
			WHEN d.newest < d.before AND d.due_keys <> '{}' THEN 'have left keys in an index'
			ELSE 'are in the files' END,
		CASE WHEN d.member IS NOT NULL THEN 'the next maintain() goes on'
			WHEN d.counted
			THEN 'maintain() builds them anew; then VACUUM (INDEX_CLEANUP ON), and maintain() again'
			WHEN d.newest < d.before AND d.pages = 0 AND d.due_keys <> '{}'
			THEN (SELECT string_agg(format('REINDEX INDEX CONCURRENTLY %s', k::regclass), '; ')
				FROM unnest(d.due_keys) k)
			WHEN NOT pg_is_in_recovery()
				AND NOT pk_tracking_internal.deleted_for_all(d.oid::regclass, d.newest)
			THEN 'transactions that are open, prepared ones, standbys or slots may still see them: VACUUM leaves them as long'
			ELSE format('VACUUM (INDEX_CLEANUP ON) %s; then maintain() overwrites what it leaves',
				d.oid::regclass) END
	FROM due d
	UNION ALL
	SELECT 'WAL with erased rows', format('of %s erasures, from before %s', count(*), max(e.scrubbed_lsn)),
		coalesce('kept by ' || pk_tracking_internal.wal_holders(max(e.scrubbed_lsn)),
			'goes with checkpoints to come')
			|| CASE WHEN current_setting('archive_mode') <> 'off'
				THEN '; the archive holds it as long as you keep it' ELSE '' END
	FROM pk_tracking.erasures e
	WHERE e.scrubbed_at IS NOT NULL AND e.wal_recycled_at IS NULL
	HAVING count(*) > 0
$$;
COMMENT ON FUNCTION pk_tracking_internal.erasure_status IS
	'part of status(): tables with rows that are erased and not overwritten yet, and WAL that holds them';

CREATE FUNCTION pk_tracking.erase_pages(
	relation regclass DEFAULT NULL,
	max_pages bigint DEFAULT NULL)
RETURNS TABLE (erased regclass, pages_read bigint, pages_written bigint, next_page bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	budget bigint := coalesce(max_pages, 9223372036854775807);
	this record;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF pg_is_in_recovery() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'read_only_sql_transaction',
			MESSAGE = 'cannot overwrite pages on a standby',
			HINT = 'Call it on the primary: what it writes is replicated.';
	END IF;
	IF budget < 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'argument "max_pages" must be positive';
	END IF;
	IF relation IS NULL THEN
		RETURN QUERY SELECT e.relation, e.pages_read, e.pages_written, e.next_page
			FROM pk_tracking_internal.erase_some(budget) e;
		RETURN;
	END IF;
	IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = erase_pages.relation) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = format('relation with OID %s does not exist', relation::oid);
	END IF;
	-- a table, or the partitions of one; all else raises an error
	FOR this IN SELECT c.oid FROM pg_class c
		WHERE c.oid = erase_pages.relation AND c.relkind <> 'p'
		UNION ALL SELECT t.relid FROM pg_partition_tree(erase_pages.relation) t
			JOIN pg_class c ON c.oid = t.relid
		WHERE t.isleaf AND t.level > 0 AND c.relkind = 'r'
			AND EXISTS (SELECT FROM pg_class p
				WHERE p.oid = erase_pages.relation AND p.relkind = 'p')
		ORDER BY 1
	LOOP
		PERFORM pk_tracking_internal.check_erasable(this.oid);
		FOR erased, pages_read, pages_written, next_page IN
			SELECT e.relation, e.pages_read, e.pages_written, e.next_page
			FROM pk_tracking_internal.erase_table(this.oid, budget) e
		LOOP
			budget := budget - pages_read;
			RETURN NEXT;
		END LOOP;
		EXIT WHEN budget <= 0;
	END LOOP;
	PERFORM pk_tracking_internal.settle_erasures();
END
$$;
COMMENT ON FUNCTION pk_tracking.erase_pages IS
	'overwrites what deleted rows have left in the files of a table, its TOAST table and its B-tree indexes, at most so many pages, after VACUUM (INDEX_CLEANUP ON); without a table: of erasures, where VACUUM has been; next_page is where it stopped, and the next call goes on, or NULL';
