-- What holds for every log, whatever several sessions did at once and however
-- they ended.  test/locks/run and test/storm/run read this into their databases.
-- The view broken names what breaks a rule, and is empty.  It knows the visits of
-- page views and orders.

-- the order of a visit's rows is that of their times, by Matomo's rules that of their arrival
CREATE FUNCTION by_time() RETURNS boolean LANGUAGE sql STABLE AS
	$$SELECT s.value <> 'matomo' FROM pk_tracking.settings s WHERE s.name = 'recognition_rules' AND s.idsite IS NULL$$;

-- What the actions make of each visit, where that is not what the visit says.  An
-- order is the last hit of a visit, and may be the first, without being an action.
CREATE VIEW wrong_visits AS
SELECT v.idsite, v.idvisit, v.visit_total_actions, a.n, a.chained, a.placed, a.begun, c.orders
FROM pk_tracking.log_visit v
	LEFT JOIN (SELECT l.idvisit, count(*) AS n, max(l.server_time) AS last_time,
			bool_and(l.pageview_position = l.place) AS placed,
			bool_and(l.idaction_url_ref = CASE WHEN l.decision <> 0 THEN 0 ELSE coalesce(l.before, 0) END) AS chained,
			count(*) FILTER (WHERE l.decision <> 0) AS begun,
			(array_agg(l.idaction_url ORDER BY l.idlink_va))[1] AS entry,
			(array_agg(l.idaction_url ORDER BY l.in_order DESC))[1] AS exit,
			(array_agg(l.idlink_va ORDER BY l.in_order DESC))[1] AS last
		FROM (SELECT x.*, lag(x.idaction_url) OVER (PARTITION BY x.idvisit ORDER BY x.in_order) AS before
			FROM (SELECT y.*, row_number() OVER (PARTITION BY y.idvisit ORDER BY y.idlink_va) AS place,
					row_number() OVER (PARTITION BY y.idvisit ORDER BY CASE WHEN (SELECT by_time()) THEN y.server_time END, y.idlink_va) AS in_order
				FROM pk_tracking.log_link_visit_action y) x) l
		GROUP BY l.idvisit) a USING (idvisit)
	LEFT JOIN (SELECT k.idvisit, count(*) AS orders, max(k.server_time) AS last_time
		FROM pk_tracking.log_conversion k GROUP BY k.idvisit) c USING (idvisit)
WHERE (v.visit_total_actions = coalesce(a.n, 0) AND v.visit_total_interactions = coalesce(a.n, 0)
	AND v.visit_last_action_time = greatest(a.last_time, c.last_time)
	AND coalesce(a.placed, true)
	AND CASE WHEN c.orders IS NULL THEN
			v.last_idlink_va = a.last AND v.visit_entry_idaction_url = a.entry AND v.visit_exit_idaction_url = a.exit
				AND a.chained AND a.begun = 1
		ELSE coalesce(a.begun, 0) <= 1 END) IS NOT TRUE;

-- names that rows point to and that are not there
CREATE VIEW missing_names AS
SELECT r.idsite, r.idvisit, r.id
FROM (SELECT l.idsite, l.idvisit, unnest(ARRAY[l.idaction_url, l.idaction_name, l.idaction_url_ref, l.idaction_name_ref]) AS id
		FROM pk_tracking.log_link_visit_action l
	UNION ALL
	SELECT v.idsite, v.idvisit, unnest(ARRAY[v.visit_entry_idaction_url, v.visit_entry_idaction_name, v.visit_exit_idaction_url, v.visit_exit_idaction_name])
		FROM pk_tracking.log_visit v
	UNION ALL
	SELECT k.idsite, k.idvisit, k.idaction_url FROM pk_tracking.log_conversion k) r
WHERE r.id <> 0 AND NOT EXISTS (SELECT FROM pk_tracking.log_action n WHERE n.idsite = r.idsite AND n.idaction = r.id);

-- rows of visits that are not there, or are another site's
CREATE VIEW orphans AS
SELECT r.*
FROM (SELECT 'action' AS kind, l.idsite, l.idvisit FROM pk_tracking.log_link_visit_action l
	UNION ALL SELECT 'conversion', k.idsite, k.idvisit FROM pk_tracking.log_conversion k
	UNION ALL SELECT 'session link', s.idsite, s.idvisit FROM pk_tracking.session_link_0 s
	UNION ALL SELECT 'session link', s.idsite, s.idvisit FROM pk_tracking.session_link_1 s) r
WHERE NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = r.idvisit AND v.idsite = r.idsite);

CREATE VIEW broken AS
SELECT 'visit does not add up' AS rule, w.idsite, w.idvisit::text AS which FROM wrong_visits w
UNION ALL SELECT 'name is missing', m.idsite, m.idvisit::text || ' ' || m.id FROM missing_names m
UNION ALL SELECT o.kind || ' without a visit', o.idsite, o.idvisit::text FROM orphans o;

-- our locks in this database
CREATE VIEW our_locks AS
SELECT l.* FROM pg_locks l
WHERE l.locktype = 'advisory' AND l.objsubid BETWEEN 28779 AND 28782
	AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database());

-- indexes that do not match their tables; it needs amcheck, which not every server comes with
CREATE FUNCTION can_check_indexes() RETURNS boolean LANGUAGE sql STABLE AS
	$$SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'amcheck')$$;
CREATE FUNCTION broken_indexes() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	i regclass;
BEGIN
	SET LOCAL client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS amcheck;
	FOR i IN SELECT x.indexrelid FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')
	LOOP
		BEGIN
			PERFORM bt_index_check(i, true);
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT i || ': ' || SQLERRM;
		END;
	END LOOP;
END
$$;
