-- A log for the section rollups: site 1, the 366 days before today, :visits visits with
-- :actions actions each, evenly spread, and one day, the 40th before today, with :crowd
-- more.  A visitor comes 3.3 times a year at random days, every tenth visit is anonymous,
-- every twentieth converts, every hundredth orders.  2,000 pages, the first ones far more
-- popular.  bench.visits_query() and
-- bench.actions_query() make the rows of the visits from a to b, which bench/rollups.sh loads by COPY; what is random is a hash of the visit's number.
SET client_min_messages = warning;
CREATE EXTENSION pk_tracking CASCADE;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('rollups', '{https://shop.example.org}', 'Europe/Berlin') \g /dev/null
SELECT pk_tracking.add_goal(1, 'goal', 'url', '/thanks', revenue => 5) \g /dev/null
-- ids say what they are: 1,000,000 a type
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
SELECT t.type * 1000000 + n, 1, t.type, CASE WHEN t.type = 1 THEN 2 END, format(t.name, n, n % 20)
FROM (VALUES (1, 'shop.example.org/section%2$s/page/%1$s', 2000), (4, 'Page %s', 2000), (3, 'https://shop.example.org/file/%s.pdf', 100), (2, 'https://partner%s.example/', 100),
	(8, 'keyword %s', 500), (10, 'Category %s', 10), (11, 'Action %s', 20), (12, 'Name %s', 200),
	(5, 'SKU%s', 500), (6, 'Product %s', 500), (7, 'Group %s', 20)) AS t(type, name, names), generate_series(0, t.names - 1) n;

CREATE SCHEMA bench;
CREATE FUNCTION bench.day(ago integer) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT ((now() AT TIME ZONE 'Europe/Berlin')::date - ago)::timestamp AT TIME ZONE 'Europe/Berlin'
$$;
-- between 0 and 1
CREATE FUNCTION bench.draw(n bigint, seed bigint) RETURNS double precision LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN (hashint8extended(n, seed) & 4294967295) / 4294967296.0::double precision;
CREATE FUNCTION bench.drawn(a bigint, b bigint, visits bigint, crowd bigint)
RETURNS TABLE (n bigint, at timestamptz, anonymous boolean, visitor bigint, after integer, kind double precision) LANGUAGE sql STABLE AS $$
	SELECT n, CASE WHEN n < visits THEN bench.day(366) + n * ((bench.day(0) - bench.day(366)) / visits)
			ELSE bench.day(40) + (n - visits) * (interval '23 hours' / crowd) END,
		n % 10 = 9, (bench.draw(n, 1) * visits / 3)::bigint, 10 + (bench.draw(n, 2) * 120)::integer, bench.draw(n, 3)
	FROM generate_series(a, b) n
$$;
CREATE FUNCTION bench.page(n bigint, k integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN floor(2000 * bench.draw(n, 10 + k) ^ 3)::integer;

-- the columns that are set, and the query that sets them
CREATE VIEW bench.visit_columns AS SELECT 'idvisit, idsite, idvisitor, visit_first_action_time, visit_last_action_time, consent, visit_entry_idaction_url, visit_entry_idaction_name,
	visit_exit_idaction_url, visit_exit_idaction_name, visit_total_time, visit_total_actions, visit_total_interactions, visit_total_searches, visit_total_events,
	visitor_count_visits, visitor_returning, visit_goal_converted, visit_goal_buyer, referer_type, referer_name, referer_keyword, location_ip, location_country, location_region, location_city,
	location_browser_lang, config_resolution, config_os, config_os_version, config_browser_name, config_browser_version, config_browser_engine, config_device_type, config_device_brand, config_device_model,
	config_cookie, visitor_seconds_since_first, visitor_seconds_since_last' AS names;
CREATE FUNCTION bench.visits_query(a bigint, b bigint, visits bigint, crowd bigint, actions integer) RETURNS text LANGUAGE sql AS $$
	SELECT format($query$
	SELECT n, 1, CASE WHEN NOT anonymous THEN lpad(to_hex(visitor), 16, '0')::hexid END, at, at + %5$s * after * interval '1 s', CASE WHEN anonymous THEN 2 ELSE 1 END,
		1000000 + bench.page(n, 0), 4000000 + bench.page(n, 0), 1000000 + bench.page(n, %5$s), 4000000 + bench.page(n, %5$s),
		%5$s * after + 1, %5$s + 1, %5$s + 1 - (kind < 0.1)::integer, (kind < 0.05)::integer, (kind BETWEEN 0.05 AND 0.1)::integer,
		CASE WHEN anonymous THEN 1 ELSE 1 + n %% 4 END, CASE WHEN anonymous OR n %% 4 = 0 THEN 0 ELSE 1 END, (n %% 20 = 0)::integer, (n %% 100 = 0)::integer,
		(ARRAY[1, 1, 2, 3, 6, 7])[1 + n %% 6], CASE n %% 6 WHEN 2 THEN 'Google' WHEN 3 THEN 'site' || n %% 100 || '.example' WHEN 4 THEN 'campaign' || n %% 12 WHEN 5 THEN 'Mastodon' END,
		CASE WHEN n %% 6 IN (2, 4) THEN 'keyword ' || n %% 300 END, '0.0.0.0', (ARRAY['de', 'fr', 'us', 'at', 'pl'])[1 + n %% 5], 'R' || n %% 16, 'City ' || n %% 200, (ARRAY['de', 'fr-fr', 'en-us'])[1 + n %% 3],
		(ARRAY['1920x1080', '390x844', '1366x768'])[1 + n %% 3], (ARRAY['WIN', 'AND', 'IOS', 'MAC'])[1 + n %% 4], (10 + n %% 5)::text, (ARRAY['CH', 'FF', 'MF', 'CM'])[1 + n %% 4], (100 + n %% 30) || '.0',
		(ARRAY['Blink', 'Gecko', 'WebKit', 'Blink'])[1 + n %% 4], (ARRAY[0, 1, 2])[1 + n %% 3], (ARRAY['', 'AP', 'SA'])[1 + n %% 3], 'Model ' || n %% 50,
		1, CASE WHEN anonymous THEN 0 ELSE (n %% 4) * 86400 END, CASE WHEN anonymous THEN 0 ELSE (n %% 4) * 86400 END
	FROM bench.drawn(%1$s, %2$s, %3$s, %4$s)$query$, a, b, visits, crowd, actions - 1)
$$;
CREATE VIEW bench.action_columns AS SELECT 'idlink_va, idvisit, idsite, idvisitor, consent, server_time, idaction_url, idaction_name, idaction_url_ref, idaction_name_ref, pageview_position,
	time_spent_ref_action, decision, idpageview, custom_float, idaction_event_category, idaction_event_action, search_count, time_server' AS names;
-- the second action may be a search, an event or a download
CREATE FUNCTION bench.actions_query(a bigint, b bigint, visits bigint, crowd bigint, actions integer) RETURNS text LANGUAGE sql AS $$
	SELECT format($query$
	SELECT d.n * %5$s + k, d.n, 1, CASE WHEN NOT d.anonymous THEN lpad(to_hex(d.visitor), 16, '0')::hexid END, CASE WHEN d.anonymous THEN 2 ELSE 1 END,
		d.at + k * d.after * interval '1 s',
		CASE x.kind WHEN 'search' THEN NULL WHEN 'download' THEN 3000000 + x.page %% 100 ELSE 1000000 + x.page END,
		CASE x.kind WHEN 'page' THEN 4000000 + x.page WHEN 'search' THEN 8000000 + x.page %% 500 WHEN 'event' THEN 12000000 + x.page %% 200 ELSE 0 END,
		CASE k WHEN 0 THEN 0 ELSE 1000000 + bench.page(d.n, k - 1) END, CASE k WHEN 0 THEN 0 ELSE 4000000 + bench.page(d.n, k - 1) END,
		k + 1, CASE k WHEN 0 THEN 0 ELSE d.after END, CASE k WHEN 0 THEN 2 ELSE 0 END, lpad(to_hex(d.n %% 16777216), 6, '0'), CASE WHEN x.kind = 'event' THEN x.page %% 7 END,
		CASE WHEN x.kind = 'event' THEN 10000000 + x.page %% 10 END, CASE WHEN x.kind = 'event' THEN 11000000 + x.page %% 20 END,
		CASE WHEN x.kind = 'search' THEN x.page %% 4 END, CASE WHEN k = 0 THEN x.page %% 400 END
	FROM bench.drawn(%1$s, %2$s, %3$s, %4$s) d CROSS JOIN generate_series(0, %5$s - 1) k
		CROSS JOIN LATERAL (SELECT bench.page(d.n, k) AS page, CASE WHEN k <> 1 OR d.kind >= 0.15 THEN 'page'
			WHEN d.kind < 0.05 THEN 'search' WHEN d.kind < 0.1 THEN 'event' ELSE 'download' END AS kind) x$query$, a, b, visits, crowd, actions)
$$;
-- the indexes are made last
CREATE TABLE bench.definitions AS SELECT indexrelid::regclass::text AS index, pg_get_indexdef(indexrelid) AS definition, c.conname, pg_get_constraintdef(c.oid) AS key, indrelid::regclass::text AS relation
	FROM pg_index LEFT JOIN pg_constraint c ON c.conindid = indexrelid AND c.contype = 'p'
	WHERE indrelid IN ('pk_tracking.log_visit'::regclass, 'pk_tracking.log_link_visit_action'::regclass);
CREATE FUNCTION bench.indexes(there boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	d record;
BEGIN
	FOR d IN TABLE bench.definitions LOOP
		EXECUTE CASE WHEN there THEN CASE WHEN d.conname IS NULL THEN d.definition ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', d.relation, d.conname, d.key) END
			ELSE CASE WHEN d.conname IS NULL THEN format('DROP INDEX %s', d.index) ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', d.relation, d.conname) END END;
	END LOOP;
END $$;
SELECT bench.indexes(false) \g /dev/null
