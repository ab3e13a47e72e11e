-- the rows of these sites, whatever else is in the log
CREATE TEMP TABLE its_visits AS SELECT v.* FROM pk_tracking.log_visit v JOIN way USING (idsite);
CREATE TEMP TABLE its_actions AS SELECT a.* FROM pk_tracking.log_link_visit_action a JOIN way USING (idsite);
CREATE TEMP TABLE its_conversions AS SELECT c.* FROM pk_tracking.log_conversion c JOIN way USING (idsite);
CREATE TEMP TABLE its_items AS SELECT i.* FROM pk_tracking.log_conversion_item i JOIN way USING (idsite);
ALTER TABLE its_visits ADD PRIMARY KEY (idvisit);
CREATE INDEX ON its_actions (idvisit, idlink_va);
ANALYZE its_visits, its_actions, its_conversions, its_items;
-- The log of a site without the numbers that chance has given: for each visit, its
-- actions, conversions and items, as text; its names, and what was excluded.
CREATE FUNCTION pg_temp.whole_log(site integer) RETURNS SETOF text LANGUAGE sql AS $$
	WITH v AS (
		SELECT v.*, (SELECT min(a.idpageview) FROM its_actions a WHERE a.idvisit = v.idvisit) AS first_hit,
			(SELECT a.idpageview FROM its_actions a WHERE a.idvisit = v.idvisit AND a.idlink_va = v.last_idlink_va) AS last_hit
		FROM its_visits v WHERE v.idsite = site
	), named AS (
		-- visits that have no action are told apart by all that they have
		SELECT v.idvisit, coalesce(v.first_hit, concat_ws(' ', v.visit_first_action_time, v.visit_last_action_time)) AS name, v.idvisitor, v.config_id FROM v
	), ids AS (
		SELECT i.id, min(i.name) || ' of ' || count(*) AS name FROM (
			SELECT n.idvisitor AS id, n.name FROM named n UNION ALL
			SELECT a.idvisitor, a.idpageview FROM its_actions a WHERE a.idsite = site UNION ALL
			SELECT c.idvisitor, n.name FROM its_conversions c JOIN named n USING (idvisit) WHERE c.idsite = site UNION ALL
			SELECT i.idvisitor, n.name FROM its_items i JOIN named n USING (idvisit) WHERE i.idsite = site) i WHERE i.id IS NOT NULL GROUP BY i.id
	), configs AS (
		SELECT n.config_id, min(n.name) || ' of ' || count(*) AS config FROM named n WHERE n.config_id IS NOT NULL GROUP BY 1
	)
	SELECT 'visit ' || (to_jsonb(v) - '{idvisit,idvisitor,config_id,idsite,last_idlink_va}'::text[] || jsonb_build_object('name', n.name, 'visitor', w.name, 'config', c.config))::text
		FROM v JOIN named n USING (idvisit) LEFT JOIN ids w ON w.id = v.idvisitor LEFT JOIN configs c ON c.config_id = v.config_id
	UNION ALL
	SELECT 'action ' || (to_jsonb(a) - '{idvisit,idlink_va,idvisitor,idsite}'::text[] || jsonb_build_object('visit', n.name, 'visitor', w.name,
			'place', (SELECT count(*) FROM its_actions b WHERE b.idvisit = a.idvisit AND b.idlink_va < a.idlink_va)))::text
		FROM its_actions a JOIN named n USING (idvisit) LEFT JOIN ids w ON w.id = a.idvisitor WHERE a.idsite = site
	UNION ALL
	SELECT 'conversion ' || (to_jsonb(c) - '{idvisit,idvisitor,idsite,idlink_va}'::text[] || jsonb_build_object('visit', n.name, 'visitor', w.name,
			'hit', (SELECT a.idpageview FROM its_actions a WHERE a.idvisit = c.idvisit AND a.idlink_va = c.idlink_va)))::text
		FROM its_conversions c JOIN named n USING (idvisit) LEFT JOIN ids w ON w.id = c.idvisitor WHERE c.idsite = site
	UNION ALL
	SELECT 'item ' || (to_jsonb(i) - '{idvisit,idvisitor,idsite}'::text[] || jsonb_build_object('visit', n.name, 'visitor', w.name))::text
		FROM its_items i JOIN named n USING (idvisit) LEFT JOIN ids w ON w.id = i.idvisitor WHERE i.idsite = site
	UNION ALL
	SELECT DISTINCT 'name ' || concat_ws(' ', d.idaction, d.type, d.url_prefix, d.name) FROM pk_tracking.log_action d WHERE d.idsite = site
	UNION ALL
	SELECT 'excluded ' || concat_ws(' ', e.day, e.reason, e.hits) FROM pk_tracking.excluded e WHERE e.idsite = site
$$;
CREATE TEMP TABLE lines AS SELECT w.name, pg_temp.whole_log(w.idsite) AS line FROM way w;
-- Of a run: what became of the hits.  Who refuses is in no count.
CREATE FUNCTION pg_temp.counts(of text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT CASE $1 WHEN 'live' THEN (
		SELECT jsonb_build_object('recorded', count(*) FILTER (WHERE outcome = 'recorded'), 'new', count(*) FILTER (WHERE new_visit), 'rejected', coalesce(string_agg(n::text, ' ' ORDER BY n) FILTER (WHERE outcome = 'invalid'), ''),
			'excluded', (SELECT coalesce(jsonb_object_agg(reason, n), '{}') FROM (SELECT l.reason, count(*) AS n FROM live l WHERE l.outcome = 'excluded' AND l.reason <> 'consent' GROUP BY 1) x),
			'ignored', (SELECT coalesce(jsonb_object_agg(reason, n), '{}') FROM (SELECT l.reason, count(*) AS n FROM live l WHERE l.outcome = 'ignored' GROUP BY 1) x))
		FROM live WHERE NOT (outcome = 'invalid' AND n IN (SELECT r.n FROM refused r)))
	ELSE (
		SELECT jsonb_build_object('recorded', recorded, 'new', visits_new, 'excluded', excluded, 'ignored', ignored,
			'rejected', (SELECT coalesce(string_agg(j.row_key, ' ' ORDER BY j.row_key::integer), '') FROM pk_tracking.rejected_hit j WHERE j.idrun = r.idrun))
		FROM pk_tracking.ingest_run r WHERE raw_table = 'public.raw_' || $1 AND $1 <> 'some'
			AND finished IS NOT NULL AND rejected = (SELECT count(*) FROM pk_tracking.rejected_hit j WHERE j.idrun = r.idrun)
			AND hits = recorded + rejected + (SELECT coalesce(sum(value::bigint), 0) FROM (SELECT * FROM jsonb_each_text(excluded) UNION ALL SELECT * FROM jsonb_each_text(ignored)) c) AND recorded = visits_new + visits_continued) END
$$;
CREATE FUNCTION pg_temp.differences(a text, b text) RETURNS TABLE (way text, line text) LANGUAGE sql AS $$
	WITH x AS (SELECT l.line FROM lines l WHERE l.name = a), y AS (SELECT l.line FROM lines l WHERE l.name = b)
	(SELECT a, line FROM (SELECT * FROM x EXCEPT ALL SELECT * FROM y) l) UNION ALL (SELECT b, line FROM (SELECT * FROM y EXCEPT ALL SELECT * FROM x) l)
	UNION ALL
	-- of statements of one row there is no run
	SELECT w.name, pg_temp.counts(w.name)::text FROM way w WHERE w.name IN (a, b) AND b <> 'some' AND NOT coalesce(pg_temp.counts(a) = pg_temp.counts(b), false)
$$;
-- way, rows that differ from live ones
SELECT w.name, (SELECT count(*) FROM pg_temp.differences('live', w.name)) AS different, (SELECT count(*) FROM lines l WHERE l.name = w.name) > (SELECT count(*) FROM stream) / 4 AS enough
FROM way w WHERE w.name <> 'live' AND NOT (w.name IN ('some', 'ingest') AND :'sort' = 'time') ORDER BY 1;
-- and what these are, if asked
\if :{?more}
	SELECT s.name, s.value FROM pk_tracking.setting s;
	SELECT w.name, d.way, left(d.line, 2000) FROM way w, LATERAL (SELECT * FROM pg_temp.differences('live', w.name) LIMIT 4) d WHERE w.name <> 'live';
\endif
