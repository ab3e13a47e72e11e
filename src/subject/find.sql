
-- ---------------------------------------------------------------------------
-- subject/find: the visits of a person
-- ---------------------------------------------------------------------------

/*
 * The keys that were given, as they may stand in the log.  Never a fingerprint: many
 * people have one, and whoever wants to can imitate it.
 */
CREATE FUNCTION pk_tracking_internal.subject_keys(
	idsite integer,
	user_id text,
	visitor_id @extschema@.hexid,
	idorder text,
	idvisits bigint[],
	OUT user_ids text[], OUT visitor_ids bigint[], OUT orders text[], OUT visits bigint[])
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF user_id IS NULL AND visitor_id IS NULL AND idorder IS NULL AND idvisits IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'must specify a user ID, visitor ID, order ID or numbers of visits',
			HINT = 'Pass at least one of the arguments "user_id", "visitor_id", "idorder" and "idvisits".';
	END IF;
	IF user_id = '' OR idorder = '' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a user ID or order ID must not be empty';
	END IF;
	PERFORM pk_tracking_internal.need_site(subject_keys.idsite);
	user_ids := CASE WHEN user_id IS NULL THEN '{}'::text[]
		ELSE pk_tracking_internal.user_id_forms(user_id, true) END;
	visitor_ids := CASE WHEN visitor_id IS NULL THEN '{}'::bigint[]
		ELSE ARRAY[visitor_id::bigint] END;
	orders := CASE WHEN idorder IS NULL THEN '{}'::text[]
		ELSE pk_tracking_internal.user_id_forms(idorder, false) END;
	visits := coalesce(array_remove(idvisits, NULL), '{}');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.subject_keys IS
	'the keys of a person in the forms in which the log may hold them';

/*
 * The visits that the keys lead to, and why.  began_by: only visits that began until
 * then.  Over max_visits: one row more than that.  Each part reads one index, and the
 * row of each visit once: a person's visits lie on as many pages.  Without statistics of
 * ids the planner expects many rows, and would start workers for the few.
 */
CREATE FUNCTION pk_tracking_internal.subject_visits(
	idsite integer,
	user_ids text[],
	visitor_ids bigint[],
	orders text[],
	visits bigint[],
	linked boolean,
	began_by timestamptz,
	max_visits bigint)
RETURNS TABLE (
	idvisit bigint,
	why text[],
	visit_first_action_time timestamptz,
	visit_last_action_time timestamptz,
	visit_total_actions integer,
	idvisitor @extschema@.hexid,
	user_id text,
	consent smallint)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET max_parallel_workers_per_gather = 0
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	site CONSTANT integer := subject_visits.idsite;
	ids CONSTANT @extschema@.hexid[] := ARRAY(
		SELECT i::@extschema@.hexid FROM unnest(visitor_ids) i);
	-- the last that is left of a user id where another has logged in since, or it was taken out
	users CONSTANT @extschema@.hexid[] := ARRAY(
		SELECT pk_tracking.user_id_visitor_id(u) FROM unnest(user_ids) u);
BEGIN
	RETURN QUERY WITH by_key AS MATERIALIZED (
		SELECT v.idvisit, 'user_id'::text AS why, v.visit_first_action_time,
			v.visit_last_action_time, v.visit_total_actions, v.idvisitor, v.user_id, v.consent
		FROM pk_tracking.log_visit v
		WHERE v.idsite = site AND v.user_id = ANY (user_ids)
		UNION ALL
		SELECT v.idvisit, 'visitor_id', v.visit_first_action_time, v.visit_last_action_time,
			v.visit_total_actions, v.idvisitor, v.user_id, v.consent
		FROM pk_tracking.log_visit v
		WHERE v.idsite = site AND v.idvisitor OPERATOR(@extschema@.=) ANY (ids || users)
			AND (v.user_id IS NULL OR v.idvisitor OPERATOR(@extschema@.=) ANY (ids))
		UNION ALL
		SELECT v.idvisit, n.why, v.visit_first_action_time, v.visit_last_action_time,
			v.visit_total_actions, v.idvisitor, v.user_id, v.consent
		FROM (SELECT c.idvisit, 'idorder' AS why FROM pk_tracking.log_conversion c
			WHERE c.idsite = site AND c.idorder = ANY (orders)
			UNION
			SELECT c.idvisit, 'idorder' FROM pk_tracking.log_conversion c
			WHERE c.idsite = site AND c.order_conflict = ANY (orders)
				AND c.order_conflict IS NOT NULL
			UNION
			-- a visit has got another id since, as at a login; its earlier actions have this one
			SELECT o.idvisit, 'earlier_visitor_id' FROM pk_tracking.log_other_id o
			WHERE o.idsite = site AND o.idvisitor OPERATOR(@extschema@.=) ANY (ids || users)) n,
			-- the numbers first, each of which leads to a visit
			LATERAL (SELECT l.* FROM pk_tracking.log_visit l
				WHERE l.idvisit = n.idvisit AND l.idsite = site OFFSET 0) v
		UNION ALL
		SELECT v.idvisit, 'idvisit', v.visit_first_action_time, v.visit_last_action_time,
			v.visit_total_actions, v.idvisitor, v.user_id, v.consent
		FROM pk_tracking.log_visit v
		WHERE v.idsite = site AND v.idvisit = ANY (visits)
		LIMIT 4 * max_visits + 1),
	known AS MATERIALIZED (
		-- a visitor id is a browser's: others may have logged in there, and what is theirs
		-- leads no further
		SELECT array_agg(DISTINCT i.idvisitor)
				FILTER (WHERE i.idvisitor IS NOT NULL AND NOT k.others) AS ids,
			array_agg(DISTINCT k.user_id)
				FILTER (WHERE k.user_id IS NOT NULL AND NOT k.others) AS users,
			array_agg(DISTINCT k.idvisit) AS visits
		FROM (SELECT b.*, user_ids <> '{}' AND b.why = 'earlier_visitor_id'
				AND coalesce(b.user_id <> ALL (user_ids), false) AS others
			FROM by_key b) k, LATERAL (SELECT k.idvisitor
			UNION ALL
			SELECT o.idvisitor FROM pk_tracking.log_other_id o WHERE o.idvisit = k.idvisit) i
		WHERE linked),
	linked_to AS (
		SELECT v.idvisit, 'linked', v.visit_first_action_time, v.visit_last_action_time,
			v.visit_total_actions, v.idvisitor, v.user_id, v.consent
		FROM (SELECT l.idvisit, l.visit_first_action_time, l.visit_last_action_time,
				l.visit_total_actions, l.idvisitor, l.user_id, l.consent
			FROM pk_tracking.log_visit l
			WHERE linked AND l.idsite = site AND l.idvisitor OPERATOR(@extschema@.=)
				ANY ((SELECT k.ids FROM known k)::@extschema@.hexid[])
			UNION ALL
			SELECT l.idvisit, l.visit_first_action_time, l.visit_last_action_time,
				l.visit_total_actions, l.idvisitor, l.user_id, l.consent
			FROM (SELECT DISTINCT o.idvisit FROM pk_tracking.log_other_id o
				WHERE linked AND o.idsite = site AND o.idvisitor OPERATOR(@extschema@.=)
					ANY ((SELECT k.ids FROM known k)::@extschema@.hexid[])) n,
				LATERAL (SELECT b.* FROM pk_tracking.log_visit b
					WHERE b.idvisit = n.idvisit OFFSET 0) l) v
		WHERE (v.user_id IS NULL OR v.user_id = ANY ((SELECT k.users FROM known k)::text[]))
			AND v.idvisit <> ALL ((SELECT k.visits FROM known k)::bigint[])
		LIMIT 2 * max_visits + 1)
	SELECT f.idvisit, array_agg(DISTINCT f.why), f.visit_first_action_time,
		f.visit_last_action_time, f.visit_total_actions, f.idvisitor, f.user_id, f.consent
	FROM (TABLE by_key UNION ALL TABLE linked_to) f
	WHERE f.visit_first_action_time <= began_by
	GROUP BY f.idvisit, f.visit_first_action_time, f.visit_last_action_time,
		f.visit_total_actions, f.idvisitor, f.user_id, f.consent
	ORDER BY f.idvisit LIMIT max_visits + 1;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.subject_visits IS
	'the visits of a person by keys, and why each belongs to them';

CREATE FUNCTION pk_tracking_internal.check_max_visits(max_visits integer) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF max_visits IS NULL OR max_visits < 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'argument "max_visits" must be at least 1';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.check_max_visits IS
	'raises an error if no visit of a person could be found';

CREATE FUNCTION pk_tracking_internal.raise_too_many_visits(max_visits integer) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION USING
		ERRCODE = 'program_limit_exceeded',
		MESSAGE = format('more than %s visits match', max_visits),
		HINT = 'Look whether the key is that of one person; then raise "max_visits".';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.raise_too_many_visits IS
	'the error of functions that find more visits of a person than they may';

CREATE FUNCTION pk_tracking.find_subject(
	idsite integer,
	user_id text DEFAULT NULL,
	visitor_id @extschema@.hexid DEFAULT NULL,
	idorder text DEFAULT NULL,
	idvisits bigint[] DEFAULT NULL,
	linked boolean DEFAULT false,
	max_visits integer DEFAULT 10000)
RETURNS TABLE (
	idvisit bigint,
	why text[],
	visit_first_action_time timestamptz,
	visit_last_action_time timestamptz,
	visit_total_actions integer,
	visit_idvisitor @extschema@.hexid,
	visit_user_id text,
	consent text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE CALLED ON NULL INPUT ROWS 100
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
#variable_conflict use_column
DECLARE
	k record;
	n integer := 0;
BEGIN
	PERFORM pk_tracking_internal.check_max_visits(max_visits);
	k := pk_tracking_internal.subject_keys(find_subject.idsite, find_subject.user_id,
		visitor_id, find_subject.idorder, idvisits);
	FOR idvisit, why, visit_first_action_time, visit_last_action_time, visit_total_actions,
			visit_idvisitor, visit_user_id, consent IN
		SELECT f.idvisit, f.why, f.visit_first_action_time, f.visit_last_action_time,
			f.visit_total_actions, f.idvisitor, f.user_id, pk_tracking.consent_name(f.consent)
		FROM pk_tracking_internal.subject_visits(find_subject.idsite, k.user_ids, k.visitor_ids,
			k.orders, k.visits, coalesce(linked, false), 'infinity', max_visits) f
		ORDER BY f.visit_first_action_time, f.idvisit
	LOOP
		n := n + 1;
		IF n > max_visits THEN
			PERFORM pk_tracking_internal.raise_too_many_visits(max_visits);
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.find_subject IS
	'the visits of a person by user id, visitor id, order id or numbers of visits, and why each was found; linked: also visits of the same visitor ids without another user id; never by fingerprint';
