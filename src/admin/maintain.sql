-- ---------------------------------------------------------------------------
-- admin/maintain: the work of a scheduler, so that nothing is kept longer than
-- it may be, even if no hits arrive
-- ---------------------------------------------------------------------------

/*
 * Of equal rows of the dictionary, the physically first one is kept.  Every
 * session chooses the same one, so two calls at a time cannot remove both.  Hits
 * only insert into the dictionary; rows that are locked are skipped.  Emptied
 * tables stay locked to the end of the transaction, so they come last.
 */
CREATE FUNCTION pk_tracking.maintain() RETURNS TABLE (task text, done bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	duplicates tid[];
	days integer;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF pg_is_in_recovery() THEN
		RAISE EXCEPTION USING
			ERRCODE = 'read_only_sql_transaction',
			MESSAGE = 'cannot maintain the log on a standby';
	END IF;

	-- what was deleted by an earlier call, and is dead for all now
	task := 'ranges of deleted rows summarised anew';
	done := pk_tracking_internal.repair_ranges(200);
	RETURN NEXT;

	-- likewise, and rows of roll-ups that an earlier call has built anew; before this call
	-- builds some
	task := 'pages with erased rows overwritten';
	SELECT coalesce(sum(e.pages_written), 0) INTO done
		FROM pk_tracking_internal.erase_some(50000) e;
	RETURN NEXT;

	task := 'old visits deleted';
	done := pk_tracking_internal.purge_some(100000);
	RETURN NEXT;

	task := 'old visits anonymised';
	done := pk_tracking_internal.anonymise_some(20000);
	RETURN NEXT;

	task := 'sums of excluded hits joined';
	done := pk_tracking.compact_excluded();
	RETURN NEXT;

	task := 'duplicate names removed';
	done := 0;
	SELECT array_agg(d.tid) INTO duplicates
	FROM (SELECT a.ctid AS tid, min(a.ctid)
		OVER (PARTITION BY a.idsite, a.idaction, a.type, a.name) AS first
		FROM pk_tracking.log_action a
		WHERE (a.idsite, a.idaction) IN (
			SELECT b.idsite, b.idaction FROM pk_tracking.log_action b
			GROUP BY b.idsite, b.idaction HAVING count(*) > 1)) d
	WHERE d.tid <> d.first;
	-- even a DELETE of no rows would make every session read the configuration again
	IF duplicates IS NOT NULL THEN
		DELETE FROM pk_tracking.log_action a
		WHERE a.ctid = ANY (ARRAY(
			SELECT f.ctid FROM pk_tracking.log_action f
			WHERE f.ctid = ANY (duplicates)
			FOR UPDATE SKIP LOCKED));
		GET DIAGNOSTICS done = ROW_COUNT;
	END IF;
	RETURN NEXT;

	-- Not a run that is still in progress, however long it takes.  Rejected hits are
	-- deleted with their run.
	task := 'old loads forgotten';
	done := 0;
	SELECT s.value::integer INTO days FROM pk_tracking.settings s
		WHERE s.idsite IS NULL AND s.name = 'delete_ingest_runs_older_than';
	IF days > 0 THEN
		DELETE FROM pk_tracking.ingest_run r
		WHERE r.idrun = ANY (ARRAY(
			SELECT o.idrun FROM pk_tracking.ingest_run o
			WHERE coalesce(o.finished, o.started) < now() - days * interval '1 day'
				AND NOT EXISTS (SELECT FROM pk_tracking.ingest_position p
					WHERE o.finished IS NULL AND p.idrun = o.idrun
						AND p.changed > now() - interval '1 day')
			FOR UPDATE SKIP LOCKED));
		GET DIAGNOSTICS done = ROW_COUNT;
	END IF;
	RETURN NEXT;

	-- a hit in a daemon's spool, at most a year old, may still be asked for
	task := 'old batches of HTTP daemons forgotten';
	DELETE FROM pk_tracking.edge_batch b WHERE b.changed < now() - interval '400 days';
	GET DIAGNOSTICS done = ROW_COUNT;
	RETURN NEXT;

	task := 'old counts of new names deleted';
	DELETE FROM pk_tracking.log_new_names n
	WHERE n.day < (now() AT TIME ZONE 'UTC')::date - 1;
	GET DIAGNOSTICS done = ROW_COUNT;
	RETURN NEXT;

	task := 'days of roll-ups built';
	done := pk_tracking_internal.rollup_build_all();
	RETURN NEXT;

	task := 'expired salts destroyed';
	done := pk_tracking.destroy_expired_salts();
	RETURN NEXT;

	task := 'tables of expired session links emptied';
	done := pk_tracking.destroy_expired_links();
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION pk_tracking.maintain IS
	'for a scheduler: destroys expired salts and session links, joins sums of excluded hits, removes duplicate names, deletes and anonymises visits that are older than delete_visits_older_than and anonymise_visits_older_than, forgets old loads and counts of new names, builds roll-ups for about a minute; no hit waits for it; returns a row for each task';
