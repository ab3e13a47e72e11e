-- Visits are kept as long as the settings say, and what reports read afterwards.
SET client_min_messages = warning;
SET timezone = 'UTC';
\set SHOW_CONTEXT never
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
TRUNCATE pk_tracking.suppressed, pk_tracking.erasures, pk_tracking.log_visit;
-- Days end at other times than UTC's; it is noon now, or an hour before, so that none ends meanwhile.
SELECT set_config('test.zone', format('Etc/GMT%s', replace(to_char(extract(hour FROM now()) - 12, 'SG99'), ' ', '')), false) \g /dev/null
SELECT pk_tracking.add_site('kept', ARRAY['https://kept.example'], timezone => current_setting('test.zone')) AS site \gset
SELECT pk_tracking.add_site('other', ARRAY['https://other.example'], timezone => format('Etc/GMT%s', replace(to_char(extract(hour FROM now()) - 11, 'SG99'), ' ', ''))) AS other \gset
SELECT pk_tracking.set_site(:site, 'create_new_visit_after_midnight', 'off') \g /dev/null
SELECT set_config('test.site', :'site', false), set_config('test.other', :'other', false) \g /dev/null
CREATE FUNCTION pg_temp.midnight(days integer, site text DEFAULT 'kept') RETURNS timestamptz LANGUAGE sql AS $$
	SELECT ((now() AT TIME ZONE s.timezone)::date - days)::timestamp AT TIME ZONE s.timezone FROM pk_tracking.site s WHERE s.name = site
$$;
-- two actions, an order with an item: a visit that begins so many days before today's noon, across the midnight after if late
CREATE FUNCTION pg_temp.visits(site text, days integer[], late boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(DISTINCT t.outcome, ' ') FROM unnest(days) d, generate_series(0, 2) n, pk_tracking.site s,
		pk_tracking.track_request(format('idsite=%s&rec=1&_id=%s&%s', s.idsite, lpad(to_hex(4096 + d), 16, 'a'), CASE n WHEN 2 THEN format('idgoal=0&ec_id=%s-%s&revenue=3&ec_items=[["s","n","c",1,1]]', d, late)
			ELSE format('url=https://%s.example/%s', site, n) END), '10.0.0.1', 'agent', 'de',
			CASE WHEN late THEN pg_temp.midnight(d - 1, site) - interval '10 minutes' ELSE pg_temp.midnight(d, site) + interval '12 hours' END + n * interval '8 minutes', trusted => true) t
	WHERE s.name = site
$$;
CREATE TEMP VIEW held AS
	SELECT s.name, (now() AT TIME ZONE s.timezone)::date - (v.visit_first_action_time AT TIME ZONE s.timezone)::date AS days_ago,
		count(*) AS visits,
		sum((SELECT count(*) FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit)) AS actions,
		sum((SELECT count(*) FROM pk_tracking.log_conversion a WHERE a.idvisit = v.idvisit)) AS conversions,
		sum((SELECT count(*) FROM pk_tracking.log_conversion_item a WHERE a.idvisit = v.idvisit)) AS items
	FROM pk_tracking.log_visit v JOIN pk_tracking.site s USING (idsite) GROUP BY 1, 2 ORDER BY 1, 2;
CREATE TEMP VIEW orphans AS
	SELECT count(*) FROM (SELECT idvisit FROM pk_tracking.log_link_visit_action UNION ALL SELECT idvisit FROM pk_tracking.log_conversion
		UNION ALL SELECT idvisit FROM pk_tracking.log_conversion_item) c WHERE NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = c.idvisit);
CREATE FUNCTION pg_temp.sum_of(site text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(string_agg(r, ';' ORDER BY r)) FROM (
		SELECT v::text FROM pk_tracking.log_visit v JOIN pk_tracking.site s USING (idsite) WHERE s.name = site
		UNION ALL SELECT v::text FROM pk_tracking.log_link_visit_action v JOIN pk_tracking.site s USING (idsite) WHERE s.name = site
		UNION ALL SELECT v::text FROM pk_tracking.log_conversion v JOIN pk_tracking.site s USING (idsite) WHERE s.name = site
		UNION ALL SELECT v::text FROM pk_tracking.log_conversion_item v JOIN pk_tracking.site s USING (idsite) WHERE s.name = site) x (r)
$$;
\echo 1. the setting: fewer days are stricter, and 0 is never
SELECT pk_tracking.set_site(:site, 'delete_visits_older_than', '30');
SELECT pk_tracking.set_instance('delete_visits_older_than', '20');
SELECT value, source FROM pk_tracking.settings WHERE name = 'delete_visits_older_than' AND (idsite IS NULL OR idsite = :site) ORDER BY idsite NULLS FIRST;
SELECT pk_tracking.set_site(:site, 'delete_visits_older_than', '21');
SELECT pk_tracking.set_site(:site, 'delete_visits_older_than', '0');
SELECT pk_tracking.set_site(:site, 'delete_visits_older_than', '-1');
SELECT pk_tracking.set_site(:site, 'delete_visits_older_than', '20');
SELECT pk_tracking.set_site(:site, 'delete_visits_older_than', '10');
SELECT pk_tracking.reset_instance('delete_visits_older_than');
SELECT pk_tracking.set_instance('delete_visits_older_than', '0');
SELECT pk_tracking.set_site(:other, 'delete_visits_older_than', '0');
DELETE FROM pk_tracking.setting WHERE name <> 'create_new_visit_after_midnight';
\echo 2. by hand
SELECT pg_temp.visits('kept', '{1,9,10,11,30,31}'), pg_temp.visits('kept', '{11,10,30}', late => true), pg_temp.visits('other', '{1,11,31}');
TABLE held;
SELECT pg_temp.sum_of('other') AS sum \gset
CALL pk_tracking.purge(:site);
CALL pk_tracking.purge(:site, 30, dry_run => true);
CALL pk_tracking.purge(older_than => 30, dry_run => true);
BEGIN;
CALL pk_tracking.purge(:site, 30, dry_run => true);
CALL pk_tracking.purge(:site, 30);
ROLLBACK;
SELECT count(*) FROM held;
CALL pk_tracking.purge(:site, 30);
CALL pk_tracking.purge(:site, 30);
TABLE held;
TABLE orphans;
SELECT pg_temp.sum_of('other') = :'sum' AS unchanged;
-- one visit in a batch
CALL pk_tracking.purge(:site, older_than => 10, batch => 1);
TABLE held;
TABLE orphans;
SELECT function, mode, role = session_user AS role, idsite = :site AS site, parameters, visits, actions, conversions, items FROM pk_tracking.erasures ORDER BY erased_at;
\echo 3. mistakes
CALL pk_tracking.purge(-7, 30);
CALL pk_tracking.purge(:site, 0);
CALL pk_tracking.purge(:site, 30, batch => 0);
\echo 4. by the settings: purge() and maintain()
SELECT pk_tracking.set_site(:other, 'delete_visits_older_than', '30');
CALL pk_tracking.purge(dry_run => true);
CALL pk_tracking.purge(:other);
TABLE held;
SELECT pk_tracking.set_instance('delete_visits_older_than', '9');
SELECT pk_tracking.set_site(:other, 'delete_visits_older_than', '5');
SELECT done FROM pk_tracking.maintain() WHERE task = 'old visits deleted';
SELECT done FROM pk_tracking.maintain() WHERE task = 'old visits deleted';
TABLE held;
TABLE orphans;
SELECT function, idsite = :site AS kept, parameters, visits FROM pk_tracking.erasures WHERE function = 'maintain' ORDER BY idsite;
DELETE FROM pk_tracking.setting;
-- anonymised: a visit as of somebody without consent, once
SELECT pk_tracking.set_site(:site, 'anonymise_visits_older_than', '9');
SELECT pg_temp.visits('kept', '{8,40,41}');
UPDATE pk_tracking.log_visit SET user_id = 'jane', referer_url = 'https://a.example/?q=1' WHERE idsite = :site;
CREATE TEMP VIEW ages AS
	SELECT (now() AT TIME ZONE s.timezone)::date - (v.visit_first_action_time AT TIME ZONE s.timezone)::date AS days_ago, v.consent, v.idvisitor IS NULL AS nobody, v.config_id IS NULL AS no_fingerprint,
		v.user_id, v.referer_url, v.location_ip, v.location_browser_lang, a.idvisitor IS NULL AS action, c.idorder IS NULL AS no_order, i.idorder ~ '^##' AS item
	FROM pk_tracking.log_visit v JOIN pk_tracking.site s USING (idsite) JOIN LATERAL (SELECT * FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit LIMIT 1) a ON true
		JOIN pk_tracking.log_conversion c ON c.idvisit = v.idvisit JOIN pk_tracking.log_conversion_item i ON i.idvisit = v.idvisit WHERE s.name = 'kept' ORDER BY 1;
SELECT done FROM pk_tracking.maintain() WHERE task = 'old visits anonymised';
SELECT done FROM pk_tracking.maintain() WHERE task = 'old visits anonymised';
TABLE ages;
-- what comes later from earlier days is found within three days, or a week
SELECT pg_temp.visits('kept', '{11,60}');
SELECT done FROM pk_tracking.maintain() WHERE task = 'old visits anonymised';
UPDATE pk_tracking.erasures SET erased_at = erased_at - interval '8 days' WHERE mode = 'anonymise';
SELECT done FROM pk_tracking.maintain() WHERE task = 'old visits anonymised';
SELECT count(*), bool_and(nobody) FILTER (WHERE days_ago > 10) AS anonymous FROM ages;
SELECT parameters - 'before' AS parameters, visits FROM pk_tracking.erasures WHERE mode = 'anonymise' ORDER BY erased_at;
DELETE FROM pk_tracking.setting WHERE name = 'anonymise_visits_older_than';
\echo 5. who tracks can neither purge nor set
CREATE ROLE regress_pkt_tracks;
SELECT pk_tracking.grant_tracker('regress_pkt_tracks', trusted => true);
SET ROLE regress_pkt_tracks;
CALL pk_tracking.purge();
SELECT pk_tracking.set_site(:site, 'delete_visits_older_than', '0');
RESET ROLE;
DROP OWNED BY regress_pkt_tracks;
DROP ROLE regress_pkt_tracks;
\echo 6. a day is read as fast as before: pages are reused, and their summaries follow
TRUNCATE pk_tracking.log_visit;
CREATE FUNCTION pg_temp.fill(days integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO pk_tracking.log_visit (idsite, idvisitor, visit_first_action_time, visit_last_action_time, referer_url)
	SELECT current_setting('test.site')::integer, lpad(to_hex(n), 16, '0')::hexid, t.at, t.at, repeat('x', 300)
	FROM pg_temp.midnight(days) m, generate_series(0, 1499) n, LATERAL (SELECT m + n * interval '57 seconds' AS at) t
$$;
-- the pages that a report of one day reads
CREATE FUNCTION pg_temp.pages(days integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	SET LOCAL enable_seqscan = off;
	FOR i IN 1 .. 2 LOOP
		EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, FORMAT JSON) SELECT * FROM pk_tracking.report_visits(%s, %L, %2$L)',
			current_setting('test.site'), (pg_temp.midnight(days) AT TIME ZONE current_setting('test.zone'))::date) INTO plan;
	END LOOP;
	RETURN (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
END $$;
ALTER TABLE pk_tracking.log_visit SET (autovacuum_enabled = off);
\o /dev/null
SELECT format('SELECT pg_temp.fill(%s)', d) FROM generate_series(60, 31, -1) d \gexec
VACUUM ANALYZE pk_tracking.log_visit;
\o
SELECT pg_temp.pages(45) AS before, pg_relation_size('pk_tracking.log_visit') AS size \gset
-- a month goes by: each night the oldest day goes, and each day new visits come into its pages
\o /dev/null
SELECT unnest(ARRAY[format('CALL pk_tracking.purge(current_setting(''test.site'')::integer, %s)', d + 29), 'VACUUM pk_tracking.log_visit', format('SELECT pg_temp.fill(%s)', d)])
	FROM generate_series(30, 1, -1) d \gexec
\o
SELECT count(*), count(DISTINCT (visit_first_action_time AT TIME ZONE current_setting('test.zone'))::date) AS days FROM pk_tracking.log_visit;
SELECT pg_relation_size('pk_tracking.log_visit') < 1.3 * :size AS reused;
-- summaries are of 128 pages; a day has 80
SELECT d.days, CASE WHEN pg_temp.pages(d.days) <= :before + 3 * 128 THEN 'as before' ELSE format('%s pages instead of %s', pg_temp.pages(d.days), :before) END FROM unnest('{3,10,20,25}'::integer[]) d (days);
-- nothing is missing in the reports; the roll-up of the day that went last is still there
SELECT nb_visits, count(*) AS days FROM pk_tracking.report_visits(:site, (pg_temp.midnight(31) AT TIME ZONE current_setting('test.zone'))::date, (pg_temp.midnight(0) AT TIME ZONE current_setting('test.zone'))::date) GROUP BY 1 ORDER BY 1;
ALTER TABLE pk_tracking.log_visit RESET (autovacuum_enabled);
TRUNCATE pk_tracking.log_visit, pk_tracking.log_deleted_range;
\echo 7. roll-ups go with their site
SELECT pk_tracking.add_site('gone', '{https://g.example}', timezone => 'UTC') AS gone \gset
SELECT t.outcome FROM unnest('{1,2}'::integer[]) n, pk_tracking.track(:gone, 'https://g.example/', at => now() - n * interval '3 days') t;
SELECT pk_tracking.rebuild_rollups(:gone, (now() AT TIME ZONE 'UTC')::date - 10, (now() AT TIME ZONE 'UTC')::date - 1) > 1 AS built;
SELECT t.outcome FROM pk_tracking.track(:gone, 'https://g.example/', at => now() - interval '5 days') t;
CREATE TEMP VIEW parts AS
	SELECT 'rollup_site' AS relname, count(*) AS rows FROM pk_tracking.rollup_site WHERE idsite = :gone UNION ALL SELECT 'rollup_day', count(*) FROM pk_tracking.rollup_day WHERE idsite = :gone
	UNION ALL SELECT 'rollup_mark', count(*) FROM pk_tracking.rollup_mark WHERE idsite = :gone UNION ALL SELECT 'rollup_visit', count(*) FROM pk_tracking.rollup_visit WHERE idsite = :gone;
SELECT relname, rows > 0 AS some FROM parts ORDER BY 1;
CALL pk_tracking.delete_site(:gone);
SELECT relname, rows > 0 AS some FROM parts ORDER BY 1;
SELECT t.done >= 0 FROM pk_tracking.maintain() t WHERE t.task ~ 'roll-ups';
SELECT relname, rows > 0 AS some FROM parts ORDER BY 1;
