-- The bulk bench's raw tables, with and without the trigger, and the SQL that
-- a data engineer would write for the same rows.
CREATE TABLE bench.plain_query (LIKE bench.queries);
CREATE TABLE bench.tracked_query (LIKE bench.queries);
CREATE TABLE bench.plain_columns (LIKE bench.hits);
CREATE TABLE bench.tracked_columns (LIKE bench.hits);
SELECT pk_tracking.attach('bench.tracked_query', trusted => true) \g /dev/null
SELECT pk_tracking.attach('bench.tracked_columns', trusted => true) \g /dev/null

-- the same tables and indexes
CREATE SCHEMA hand;
CREATE TABLE hand.log_visit (LIKE pk_tracking.log_visit INCLUDING ALL EXCLUDING CONSTRAINTS) WITH (fillfactor = 80);
CREATE TABLE hand.log_link_visit_action (LIKE pk_tracking.log_link_visit_action INCLUDING ALL EXCLUDING CONSTRAINTS);
CREATE TABLE hand.log_action (LIKE pk_tracking.log_action INCLUDING ALL);

-- half an hour of inactivity ends a visit of a cookie, or of address and agent;
-- nothing is located, detected or masked
CREATE PROCEDURE bench.sessionise() LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO hand.log_action (idaction, idsite, type, name)
	SELECT hashtextextended(t.name, t.type), t.idsite, t.type, t.name
	FROM (SELECT DISTINCT h.idsite, x.type, x.name FROM bench.hits h, LATERAL (VALUES (1, h.url), (4, h.action_name)) x(type, name)) t;

	CREATE TEMP TABLE session ON COMMIT DROP AS
	SELECT s.*, sum(s.begins::int) OVER (ORDER BY s.idsite, s.visitor, s.at) AS no
	FROM (SELECT h.*, coalesce(h.at - lag(h.at) OVER w > interval '30 minutes', true) AS begins
		FROM (SELECT r.*, coalesce(('x' || r._id)::bit(64)::bigint, hashtextextended(host(r.ip) || r.user_agent, 0)) AS visitor FROM bench.hits r) h
		WINDOW w AS (PARTITION BY h.idsite, h.visitor ORDER BY h.at)) s;

	INSERT INTO hand.log_visit (idvisit, idsite, idvisitor, config_id, visit_first_action_time, visit_last_action_time,
		visit_total_time, visit_total_actions, visit_total_interactions, visit_entry_idaction_url, visit_exit_idaction_url,
		location_ip, config_resolution, referer_url)
	SELECT s.no, s.idsite, s.visitor::hexid, s.visitor::hexid, min(s.at), max(s.at), extract(epoch FROM max(s.at) - min(s.at))::integer + 1,
		count(*), count(*), (array_agg(hashtextextended(s.url, 1) ORDER BY s.at))[1], (array_agg(hashtextextended(s.url, 1) ORDER BY s.at DESC))[1],
		min(s.ip), min(s.res), (array_agg(s.urlref ORDER BY s.at))[1]
	FROM session s GROUP BY s.no, s.idsite, s.visitor;

	INSERT INTO hand.log_link_visit_action (idvisit, idvisitor, server_time, idaction_url, idaction_name, idaction_url_ref,
		idsite, pageview_position, time_spent_ref_action, idpageview)
	SELECT s.no, s.visitor::hexid, s.at, hashtextextended(s.url, 1), hashtextextended(s.action_name, 4),
		coalesce(lag(hashtextextended(s.url, 1)) OVER w, 0), s.idsite, row_number() OVER w,
		coalesce(extract(epoch FROM s.at - lag(s.at) OVER w)::integer, 0), s.pv_id
	FROM session s WINDOW w AS (PARTITION BY s.no ORDER BY s.at);
END $$;

-- an empty log, and no links of anonymous sessions
CREATE FUNCTION bench.clean() RETURNS void LANGUAGE sql AS $$
	TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_action, pk_tracking.log_visit_length,
		pk_tracking.log_conversion, pk_tracking.log_conversion_item, pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position,
		hand.log_visit, hand.log_link_visit_action, hand.log_action,
		bench.plain_query, bench.tracked_query, bench.plain_columns, bench.tracked_columns;
	SELECT pk_tracking.destroy_expired_links(now() + interval '3 hours');
$$;

-- what came of the last load: all of it, but for some addresses that are crawlers'
CREATE FUNCTION bench.check_load(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.ingest_run;
BEGIN
	SELECT * INTO r FROM pk_tracking.ingest_run ORDER BY idrun DESC LIMIT 1;
	IF r.hits IS DISTINCT FROM wanted OR r.recorded < 0.99 * wanted OR r.rejected <> 0 OR r.finished IS NULL THEN
		RAISE EXCEPTION 'of % hits % are recorded, % rejected, % excluded, % ignored', wanted, r.recorded, r.rejected, r.excluded, r.ignored;
	END IF;
END $$;
