-- Reports: by hand-made rows with what must come out, and by generated rows
-- against a slow twin that computes every number by a query of its own
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('report', '{https://r.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_site('report, the other one', '{https://o.example}', 'America/New_York') AS other \gset
SELECT set_config('test.site', :'site', false) <> set_config('test.other', :'other', false) AS sites;

-- Days --------------------------------------------------------------------
-- clocks go on and back; at midnight, and over it; a day that there is not
SELECT x.day, x.zone, pk_tracking_internal.day_begin(x.day::date, x.zone) AT TIME ZONE 'UTC' AS begins_utc,
	pk_tracking_internal.day_begin(x.day::date + 1, x.zone) - pk_tracking_internal.day_begin(x.day::date, x.zone) AS length
FROM (VALUES ('2026-03-28', 'Europe/Berlin'), ('2026-03-29', 'Europe/Berlin'), ('2026-10-25', 'Europe/Berlin'), ('2026-03-29', 'UTC'),
	('2018-11-04', 'America/Sao_Paulo'), ('2018-02-17', 'America/Sao_Paulo'), ('2018-02-18', 'America/Sao_Paulo'),
	('2025-03-09', 'America/Havana'), ('2025-11-01', 'America/Havana'), ('2025-11-02', 'America/Havana'), ('2025-11-03', 'America/Havana'),
	('2025-10-26', 'Atlantic/Azores'), ('2025-04-06', 'Australia/Lord_Howe'),
	('2011-12-29', 'Pacific/Apia'), ('2011-12-30', 'Pacific/Apia'), ('2011-12-31', 'Pacific/Apia')) AS x(day, zone);
-- of every instant of a year, quarter by quarter: it lies in the day that its clock shows
WITH days AS MATERIALIZED (
	SELECT z.zone, '2023-12-30'::date + n AS day, pk_tracking_internal.day_begin('2023-12-30'::date + n, z.zone) AS begins, pk_tracking_internal.day_begin('2023-12-31'::date + n, z.zone) AS ends
	FROM unnest('{Europe/Berlin,America/New_York,America/Havana,Atlantic/Azores,America/Santiago,Australia/Lord_Howe,Africa/Cairo,Asia/Beirut,Asia/Kathmandu}'::text[]) AS z(zone), generate_series(0, 370) n)
SELECT d.zone, count(*) AS days, count(*) FILTER (WHERE NOT (SELECT bool_and((t.at AT TIME ZONE d.zone)::date = d.day)
	FROM generate_series(d.begins, d.ends - interval '1 us', interval '30 min') AS t(at))
	OR (d.begins - interval '1 us') AT TIME ZONE d.zone >= d.day) AS wrong
FROM days d GROUP BY 1 ORDER BY 1;

-- Words -------------------------------------------------------------------
SELECT c.code, pk_tracking.browser_name(c.code) AS browser, pk_tracking.os_name(c.code) AS os, pk_tracking.device_brand_name(c.code) AS brand
FROM unnest('{FF,CH,MF,PS,WIN,MAC,AND,UBT,BOT,UNK,"",AP,SA,NOT,curl,"My App",Ff}'::text[]) AS c(code);
SELECT n.code, pk_tracking.device_type_name(n.code::smallint) FROM generate_series(-1, 14) AS n(code);
-- the user agents' own codes come back as their words
SELECT (a.d).browser_family, pk_tracking.browser_name((a.d).config_browser_name) AS browser, (a.d).os_family, pk_tracking.os_name((a.d).config_os) AS os
FROM (SELECT pk_tracking.user_agent('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0') AS d) a;

-- Rows by hand ------------------------------------------------------------
CREATE FUNCTION pg_temp.act(site integer, id bigint, type integer, name text, prefix integer DEFAULT NULL) RETURNS bigint LANGUAGE sql AS $$
	INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name) VALUES (id, site, type, prefix, name) RETURNING idaction;
$$;
SELECT count(pg_temp.act(s.site, a.id, a.type, a.name, a.prefix))
FROM unnest(ARRAY[:site, :other]) AS s(site), (VALUES (101, 1, 'r.example/', 2), (102, 1, 'r.example/shoes', 2), (103, 1, 'r.example/thanks', 2),
	(201, 4, 'Home', NULL), (202, 4, 'Shoes', NULL), (203, 4, 'Thanks', NULL), (301, 3, 'https://r.example/list.pdf', NULL), (302, 2, 'https://b.example/', NULL),
	(401, 8, 'boots', NULL), (402, 8, 'sandals', NULL), (501, 10, 'Videos', NULL), (502, 11, 'play', NULL), (503, 12, 'Trailer', NULL), (504, 10, 'r.example/shoes', 2),
	(601, 5, 'SKU1', NULL), (602, 6, 'Red shoe', NULL), (603, 7, 'Shoes', NULL), (604, 5, 'SKU2', NULL), (605, 6, 'Blue shoe', NULL),
	-- the dictionary may hold a row twice
	(102, 1, 'r.example/shoes', 2), (202, 4, 'Shoes', NULL), (401, 8, 'boots', NULL), (601, 5, 'SKU1', NULL)) AS a(id, type, name, prefix);
SELECT pk_tracking.add_goal(:site, 'thanks', 'url', '/thanks', 'contains', revenue => 5) AS goal,
	pk_tracking.add_goal(:site, 'nobody ever', 'manually') AS second, pk_tracking.add_goal(:site, 'gone', 'manually') AS third;
UPDATE pk_tracking.goal SET deleted = true WHERE idsite = :site AND idgoal = 3;

-- around the change to summer time (29 March), a week's end and a month's end; the last one lies on the other site
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, user_id, consent, visitor_returning, visitor_count_visits,
	visit_total_actions, visit_total_interactions, visit_total_searches, visit_total_events, visit_total_time, visit_goal_converted, visit_goal_buyer,
	referer_type, referer_name, referer_keyword, location_ip, location_country, location_region, location_city, location_browser_lang,
	config_os, config_browser_name, config_browser_version, config_device_type, config_device_brand, visit_entry_idaction_url, visit_entry_idaction_name, visit_exit_idaction_url)
SELECT 7000000000 + x.n, CASE WHEN x.n < 100 THEN :site ELSE :other END, x.at::timestamptz, x.at::timestamptz + x.seconds * interval '1 s', x.visitor::hexid, x.usr, x.consent, x.again, x.again + 1,
	x.actions, x.actions - x.other, 0, 0, x.seconds, x.converted, x.converted,
	x.rtype, x.rname, x.rkey, CASE WHEN x.consent >= 2 THEN '0.0.0.0'::inet ELSE '203.0.0.0' END, x.country, x.region, x.city, 'de',
	x.os, x.browser, '1.0', x.device, x.brand, x.entry, NULL, x.exit
FROM (VALUES
	( 1, '2026-03-27 22:59:59Z', '00000000000000aa', NULL, 0, 0, 2, 0, 11, 0, 1, NULL, NULL, 'de', 'BE', 'Berlin', 'WIN', 'FF', 0, '', 101, 102),	-- Friday, the last second
	( 2, '2026-03-28 22:59:59Z', '00000000000000aa', NULL, 0, 1, 3, 1, 121, 0, 1, NULL, NULL, 'de', 'BE', 'Berlin', 'WIN', 'FF', 0, '', 101, 102),	-- Saturday, the last second
	( 3, '2026-03-28 23:00:00Z', '00000000000000aa', NULL, 0, 1, 1, 0, 0, 0, 2, 'Google', 'shoes', 'de', 'BE', 'Berlin', 'WIN', 'FF', 0, '', 102, 102),	-- Sunday 0:00
	( 4, '2026-03-29 00:59:59Z', NULL, NULL, 2, 0, 4, 2, 66, 0, 1, NULL, NULL, 'de', NULL, NULL, 'AND', 'CM', 1, NULL, 101, 102),	-- 1:59:59, then it is 3:00
	( 5, '2026-03-29 01:00:00Z', NULL, NULL, 3, 0, 1, 0, 0, 0, 6, 'spring', 'sale', 'fr', 'IDF', 'Paris', 'IOS', 'MF', 1, NULL, 102, 102),	-- 3:00
	( 6, '2026-03-29 21:59:59Z', '00000000000000bb', 'jo', 1, 0, 4, 0, 301, 1, 6, 'spring', 'sale', 'fr', 'IDF', 'Paris', 'IOS', 'MF', 1, 'AP', 102, 103),	-- Sunday, the last second
	( 7, '2026-03-29 22:00:00Z', '00000000000000bb', 'jo', 1, 2, 1, 1, 0, 0, 3, 'b.example', NULL, 'fr', 'IDF', 'Paris', 'IOS', 'MF', 1, 'AP', NULL, 0),	-- Monday 0:00
	( 8, '2026-03-31 21:59:59Z', NULL, NULL, 2, 0, 0, 0, 0, 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0),	-- March, the last second
	( 9, '2026-03-31 22:00:00Z', '00000000000000cc', 'jo', 0, 0, 2, 0, 31, 0, 7, 'Mastodon', NULL, 'fr', 'IDF', NULL, 'UNK', 'UNK', NULL, '', 101, 101),	-- 1 April 0:00
	(100, '2026-03-29 12:00:00Z', '00000000000000aa', 'jo', 0, 0, 9, 0, 999, 0, 1, NULL, NULL, 'us', NULL, NULL, 'WIN', 'FF', 0, '', 101, 101))
	AS x(n, at, visitor, usr, consent, again, actions, other, seconds, converted, rtype, rname, rkey, country, region, city, os, browser, device, brand, entry, exit);
INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, server_time, idvisitor, consent, idaction_url, idaction_name, idaction_url_ref, idaction_name_ref,
	time_spent_ref_action, idaction_event_category, idaction_event_action, custom_float, search_count, idaction_product_sku, idaction_product_name, idaction_product_cat, decision)
SELECT 7000000000 + x.visit * 10 + x.n, v.idvisit, v.idsite, v.visit_first_action_time + x.seconds * interval '1 s', v.idvisitor, v.consent, x.url, x.name, x.url_ref, x.name_ref,
	x.spent, x.category, x.action, x.value, x.found, x.sku, CASE WHEN x.sku = 604 THEN 605 WHEN x.sku = 601 THEN 602 END, CASE WHEN x.sku IS NOT NULL THEN 603 END, CASE WHEN x.n = 1 THEN 1 ELSE 0 END
FROM (VALUES
	(1, 1, 0, 101, 201, 0, 0, 0, NULL, NULL, NULL::numeric, NULL, NULL), (1, 2, 10, 102, 202, 101, 201, 10, NULL, NULL, NULL, NULL, 601),
	(2, 1, 0, 101, 201, 0, 0, 0, NULL, NULL, NULL, NULL, NULL), (2, 2, 100, 102, 202, 101, 201, 100, NULL, NULL, NULL, NULL, 601), (2, 3, 120, 301, NULL, 102, 202, 20, NULL, NULL, NULL, NULL, NULL),
	(3, 1, 0, 102, 202, 0, 0, 0, NULL, NULL, NULL, NULL, 601),
	(4, 1, 0, 101, 201, 0, 0, 0, NULL, NULL, NULL, NULL, NULL), (4, 2, 60, 102, 202, 101, 201, 60, NULL, NULL, NULL, NULL, 604), (4, 3, 62, 302, NULL, 102, 202, 2, NULL, NULL, NULL, NULL, NULL), (4, 4, 65, 302, NULL, 102, 202, 3, NULL, NULL, NULL, NULL, NULL),
	(5, 1, 0, 102, 202, 0, 0, 0, NULL, NULL, NULL, NULL, NULL),
	(6, 1, 0, 102, 202, 0, 0, 0, NULL, NULL, NULL, NULL, 601), (6, 2, 100, 504, 503, 102, 202, 100, 501, 502, 2.5, NULL, NULL), (6, 3, 200, NULL, 401, 102, 202, 100, NULL, NULL, NULL, 0, NULL),
		(6, 4, 250, NULL, 401, NULL, 401, 50, NULL, NULL, NULL, 3, NULL), (6, 5, 300, 103, 203, NULL, 401, 50, NULL, NULL, NULL, NULL, NULL),
	(7, 1, 0, 302, NULL, 0, 0, 0, NULL, NULL, NULL, NULL, NULL),
	(9, 1, 0, 101, 201, 0, 0, 0, NULL, NULL, NULL, NULL, NULL), (9, 2, 30, 101, 201, 101, 201, 30, NULL, NULL, NULL, NULL, NULL),
	(100, 1, 0, 101, 201, 0, 0, 0, NULL, NULL, NULL, NULL, NULL))
	AS x(visit, n, seconds, url, name, url_ref, name_ref, spent, category, action, value, found, sku)
	JOIN pk_tracking.log_visit v ON v.idvisit = 7000000000 + x.visit;
INSERT INTO pk_tracking.log_conversion (idvisit, idlink_va, idsite, server_time, idvisitor, consent, idgoal, idorder, items, revenue, revenue_subtotal, revenue_tax, revenue_shipping, revenue_discount, referer_type, referer_name, referer_keyword)
SELECT v.idvisit, NULL, v.idsite, v.visit_first_action_time + interval '1 s' * x.seconds, v.idvisitor, v.consent, x.goal, x.idorder, x.items, x.revenue, x.revenue - x.tax, x.tax, 0, x.discount, x.rtype, x.rname, NULL
FROM (VALUES (6, 300, 1, NULL, NULL::integer, 5, NULL, NULL::numeric, 6, 'spring'), (6, 300, 0, 'o1', 3, 119.5, 19.5, 10, 6, 'spring'), (9, 20, -1, NULL, 1, 50, NULL, NULL, 7, 'Mastodon'))
	AS x(visit, seconds, goal, idorder, items, revenue, tax, discount, rtype, rname) JOIN pk_tracking.log_visit v ON v.idvisit = 7000000000 + x.visit;
INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, server_time, idvisitor, consent, idaction_sku, idaction_name, idaction_category, quantity, price, idorder, deleted)
SELECT v.idvisit, v.idsite, v.visit_first_action_time + interval '1 s' * x.seconds, v.idvisitor, v.consent, x.sku, x.name, 603, x.quantity, x.price, x.idorder, x.deleted
FROM (VALUES (6, 300, 601, 602, 2, 30, 'o1', false), (6, 300, 604, 605, 1, 40, 'o1', false), (9, 20, 601, 602, 1, 50, '0', false), (9, 20, 604, 605, 7, 40, '0', true))
	AS x(visit, seconds, sku, name, quantity, price, idorder, deleted) JOIN pk_tracking.log_visit v ON v.idvisit = 7000000000 + x.visit;
\pset null '(null)'
\pset format unaligned
\pset footer off
-- the weekend's two days, and the day before and after
SELECT * FROM pk_tracking.report_visits(:site, '2026-03-27', '2026-04-01');
SELECT * FROM pk_tracking.report_visits(:site, '2026-03-28', '2026-04-01', 'week');
SELECT * FROM pk_tracking.report_visits(:site, '2026-03-28', '2026-04-01', 'month');
SELECT * FROM pk_tracking.report_visits(:site, '2026-03-28', '2026-04-01', 'range');
SELECT * FROM pk_tracking.report_visits(:site, '2026-03-28', '2026-04-01', 'range', visitors => 'identified');
SELECT * FROM pk_tracking.report_visits(:site, '2026-03-28', '2026-04-01', 'range', visitors => 'anonymous');
SELECT first_day, last_day, visitor_type, nb_visits, nb_uniq_visitors, nb_visits_anonymous, anonymous_rate FROM pk_tracking.report_visitors(:site, '2026-03-28', '2026-03-31', 'week');
SELECT * FROM pk_tracking.report_consent(:site, '2026-03-27', '2026-04-02');
SELECT hour, nb_visits, anonymous_rate FROM pk_tracking.report_hours(:site, '2026-03-28', '2026-03-30') WHERE nb_visits > 0;
SELECT country, nb_visits, nb_uniq_visitors, nb_users, nb_conversions, revenue, anonymous_rate FROM pk_tracking.report_countries(:site, '2026-03-28', '2026-04-01');
SELECT country, region, nb_visits FROM pk_tracking.report_regions(:site, '2026-03-28', '2026-04-01');
SELECT country, region, city, nb_visits FROM pk_tracking.report_cities(:site, '2026-03-28', '2026-04-01');
SELECT language, nb_visits FROM pk_tracking.report_languages(:site, '2026-03-28', '2026-04-01');
SELECT browser, nb_visits, bounce_count, anonymous_rate FROM pk_tracking.report_browsers(:site, '2026-03-28', '2026-04-01');
SELECT browser, version, nb_visits FROM pk_tracking.report_browser_versions(:site, '2026-03-28', '2026-04-01');
SELECT os, nb_visits FROM pk_tracking.report_systems(:site, '2026-03-28', '2026-04-01');
SELECT os, version, nb_visits FROM pk_tracking.report_system_versions(:site, '2026-03-28', '2026-04-01');
SELECT device_type, nb_visits FROM pk_tracking.report_device_types(:site, '2026-03-28', '2026-04-01');
SELECT device_brand, nb_visits FROM pk_tracking.report_device_brands(:site, '2026-03-28', '2026-04-01');
SELECT device_brand, device_model, nb_visits FROM pk_tracking.report_device_models(:site, '2026-03-28', '2026-04-01');
SELECT referrer_type, nb_visits, anonymous_rate FROM pk_tracking.report_referrer_types(:site, '2026-03-28', '2026-04-01');
SELECT referrer_type, referer_name, nb_visits FROM pk_tracking.report_referrers(:site, '2026-03-28', '2026-04-01');
SELECT referer_name, referer_keyword, nb_visits FROM pk_tracking.report_keywords(:site, '2026-03-28', '2026-04-01');
SELECT referer_name, referer_keyword, nb_visits, nb_visits_converted, revenue, anonymous_rate FROM pk_tracking.report_campaigns(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_pages(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_titles(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_pages(:site, '2026-03-28', '2026-04-01', 'anonymous');
SELECT * FROM pk_tracking.report_entry_pages(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_exit_pages(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_downloads(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_outlinks(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_searches(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_events(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_goals(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_conversions(:site, '2026-03-28', '2026-04-01');
SELECT * FROM pk_tracking.report_orders(:site, '2026-03-29', '2026-04-01');
SELECT * FROM pk_tracking.report_products(:site, '2026-03-28', '2026-04-01');
SELECT idvisit - 7000000000 AS visit, local_time, idvisitor, consent, visitor_type, location_ip, location_city, os, browser, device_type, device_brand, referrer_type, referer_name, converted, jsonb_array_length(actions) AS actions
FROM pk_tracking.report_visit_log(:site, '2026-03-28', '2026-04-01');
SELECT idvisit - 7000000000 AS visit, jsonb_pretty(actions) AS actions, conversions FROM pk_tracking.report_visit_log(:site, '2026-03-29', '2026-03-29', max_visits => 1);
SELECT idvisit - 7000000000 AS visit FROM pk_tracking.report_visit_log(:site, '2026-03-28', '2026-04-01', 'anonymous', 2, 1);
-- nothing there: periods and hours have rows, lists do not
SELECT first_day, last_day, nb_visits, bounce_rate, avg_time_on_site, revenue, anonymous_rate FROM pk_tracking.report_visits(:site, '2020-02-27', '2020-03-02');
SELECT first_day, last_day, nb_visits FROM pk_tracking.report_visits(:site, '2019-12-25', '2020-01-12', 'week');
SELECT first_day, last_day, nb_visits FROM pk_tracking.report_visits(:site, '2020-01-31', '2020-04-30', 'month');
SELECT first_day, last_day, nb_visits FROM pk_tracking.report_visits(:site, '2020-01-31', '2020-04-30', 'range');
SELECT count(*), sum(nb_visits) FROM pk_tracking.report_hours(:site, '2020-01-01', '2020-01-31');
SELECT idgoal, name, nb_conversions, conversion_rate FROM pk_tracking.report_goals(:site, '2020-01-01', '2020-01-31');
SELECT count(*) FROM pk_tracking.report_countries(:site, '2020-01-01', '2020-01-31');
SELECT count(*) FROM pk_tracking.report_pages(:site, '2020-01-01', '2020-01-31');
SELECT count(*) FROM pk_tracking.report_visit_log(:site, '2020-01-01', '2020-01-31');
-- one clear error each
\set VERBOSITY terse
DO $$
DECLARE
	s text;
	m text;
	h text;
BEGIN
	FOREACH s IN ARRAY ARRAY['report_visits(0, ''2026-03-28'', ''2026-03-28'')', 'report_visits(NULL, ''2026-03-28'', ''2026-03-28'')',
		'report_visits($S, ''2026-03-29'', ''2026-03-28'')', 'report_visits($S, NULL, ''2026-03-28'')', 'report_visits($S, ''2026-03-28'', ''infinity'')',
		'report_visits($S, ''2026-03-28'', ''2026-03-28'', ''year'')', 'report_visits($S, ''2026-03-28'', ''2026-03-28'', NULL)',
		'report_countries($S, ''2026-03-28'', ''2026-03-28'', ''robots'')', 'report_pages($S, ''2026-03-28'', ''2026-03-28'', NULL)',
		'report_consent($S, ''2026-03-28'', ''2026-03-28'', ''1 day; DROP TABLE x'')', 'report_visit_log(0, ''2026-03-28'', ''2026-03-28'')']
	LOOP
		BEGIN
			EXECUTE 'SELECT * FROM pk_tracking.' || replace(s, '$S', current_setting('test.site'));
			RAISE WARNING 'no error: %', s;
		EXCEPTION WHEN invalid_parameter_value THEN
			GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, h = PG_EXCEPTION_HINT;
			RAISE WARNING USING MESSAGE = format('%s: %s %s', s, m, h);
		END;
	END LOOP;
END $$;
\set VERBOSITY default

-- Generated rows, and the twin ---------------------------------------------
-- three weeks from 18 October: the end of summer time in Berlin and in New York, a month's end, hits over midnight
SELECT pk_tracking.add_site('generated 1', timezone => 'Europe/Berlin') AS gen1, pk_tracking.add_site('generated 2', timezone => 'America/New_York') AS gen2 \gset
SELECT set_config('test.gen1', :'gen1', false) <> set_config('test.gen2', :'gen2', false) AS generated;
SELECT count(pg_temp.act(s.site, a.id, a.type, a.name, a.prefix)) AS actions
FROM unnest(ARRAY[:gen1, :gen2]) AS s(site), (
	SELECT 1000 + n AS id, 1 AS type, format('g.example/%s', n) AS name, 2 AS prefix FROM generate_series(0, 9) n
	UNION ALL SELECT 2000 + n, 4, format('Page %s', n), NULL FROM generate_series(0, 9) n
	UNION ALL SELECT 3000 + n, 3, format('https://g.example/%s.pdf', n), NULL FROM generate_series(0, 2) n
	UNION ALL SELECT 4000 + n, 2, format('https://x.example/%s', n), NULL FROM generate_series(0, 2) n
	UNION ALL SELECT 5000 + n, 8, format('word %s', n), NULL FROM generate_series(0, 4) n
	UNION ALL SELECT 6000 + n, 10 + n % 3, format('event %s', n), NULL FROM generate_series(0, 8) n
	UNION ALL SELECT 7000 + n, 5 + n % 3, format('item %s', n), NULL FROM generate_series(0, 8) n) a;
SELECT count(pk_tracking.add_goal(g.site, format('goal %s', n), 'manually')) AS goals FROM unnest(ARRAY[:gen1, :gen2]) AS g(site), generate_series(1, 2) n;
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, user_id, consent, visitor_returning, visitor_count_visits,
	visit_total_actions, visit_total_interactions, visit_total_searches, visit_total_events, visit_total_time, visit_goal_converted,
	referer_type, referer_name, referer_keyword, location_country, location_region, location_city, location_browser_lang,
	config_os, config_browser_name, config_device_type, config_device_brand, visit_entry_idaction_url, visit_exit_idaction_url, visit_entry_idaction_name, visit_exit_idaction_name)
SELECT 7100000000 + n, CASE WHEN n % 5 < 3 THEN :gen1 ELSE :gen2 END, at, at + n % 900 * interval '1 s',
	CASE WHEN c.consent < 2 THEN lpad(to_hex(n * 7919 % 61), 16, '0')::hexid END, CASE WHEN c.consent < 2 AND n % 4 = 0 THEN format('user %s', n % 23) END, c.consent,
	CASE WHEN c.consent < 2 THEN n * 31 % 3 ELSE 0 END, CASE WHEN c.consent < 2 THEN 1 + n % 3 ELSE 1 END,
	n % 6, n % 6 - (n % 6 > 3)::integer, (n % 6 > 2)::integer, 0, CASE WHEN n % 6 > 1 THEN n % 900 ELSE 0 END, (n % 7 = 0)::integer,
	(ARRAY[1, 2, 3, 6, 7, NULL])[1 + n % 6], (ARRAY[NULL, 'engine', 'site', 'campaign', 'net', ''])[1 + n % 6], CASE WHEN n % 4 > 0 THEN format('key %s', n % 4) END,
	(ARRAY['de', 'fr', 'us', NULL])[1 + n % 4], (ARRAY['A', NULL])[1 + n % 2], (ARRAY['X', 'Y', NULL])[1 + n % 3], (ARRAY['de', 'fr', NULL])[1 + n % 3],
	(ARRAY['WIN', 'MAC', 'UNK', '', NULL])[1 + n % 5], (ARRAY['FF', 'CH', 'my browser', 'UNK', NULL])[1 + n / 2 % 5], (ARRAY[0, 1, 2, NULL])[1 + n / 3 % 4], (ARRAY['AP', 'SA', '', NULL])[1 + n / 5 % 4],
	(ARRAY[1000, 1001, 1002, 0, NULL])[1 + n % 5], (ARRAY[1000, 1003, 1004, 0, NULL])[1 + n / 2 % 5],
	(ARRAY[2000, 2001, 0, 0, NULL])[1 + n % 5], (ARRAY[2000, 2003, 5001, 0, NULL])[1 + n / 2 % 5]
FROM generate_series(1, 700) AS n
	CROSS JOIN LATERAL (SELECT '2026-10-18 00:07:13Z'::timestamptz + n * interval '43 min 21 s' AS at) t
	CROSS JOIN LATERAL (SELECT (ARRAY[0, 1, 1, 2, 3, 0, 0])[1 + n * 13 % 7]::smallint AS consent) c;
-- some on the very stroke of midnight and next to it
UPDATE pk_tracking.log_visit v SET visit_first_action_time = date_trunc('day', v.visit_first_action_time AT TIME ZONE 'Europe/Berlin') AT TIME ZONE 'Europe/Berlin' - v.idvisit % 2 * interval '1 us'
WHERE v.idsite = :gen1 AND v.idvisit % 11 = 0;
INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, server_time, idvisitor, consent, idaction_url, idaction_name, idaction_url_ref, idaction_name_ref,
	time_spent_ref_action, idaction_event_category, idaction_event_action, custom_float, search_count, idaction_product_sku, idaction_product_name, idaction_product_cat)
SELECT v.idvisit * 10 + k, v.idvisit, v.idsite, v.visit_first_action_time + k * interval '1000 s', v.idvisitor, v.consent,
	CASE WHEN h < 5 THEN 1000 + h * k % 10 WHEN h = 5 THEN 3000 + k % 3 WHEN h = 6 THEN 4000 + k % 3 WHEN h = 7 THEN NULL WHEN h = 8 THEN 6000 ELSE 0 END,
	CASE WHEN h < 5 THEN 2000 + h % 10 WHEN h = 7 THEN 5000 + k WHEN h = 8 THEN (ARRAY[6002, 6005, 0])[1 + k % 3] WHEN h = 9 THEN 2009 END,
	CASE WHEN k = 0 THEN 0 ELSE 1000 + h END, CASE WHEN k = 0 THEN 0 ELSE 2000 + h END, CASE WHEN k > 0 THEN h * 17 ELSE 0 END,
	CASE WHEN h = 8 THEN (ARRAY[6000, 6003])[1 + k % 2] END, CASE WHEN h = 8 THEN (ARRAY[6001, 6004])[1 + k / 2 % 2] END, CASE WHEN h = 8 AND k % 2 = 0 THEN k * 1.5 END, CASE WHEN h = 7 THEN k END,
	CASE WHEN h = 1 THEN 7000 + k / 2 * 3 END, CASE WHEN h = 1 THEN 7001 END, CASE WHEN h = 1 THEN 7002 END
FROM pk_tracking.log_visit v CROSS JOIN generate_series(0, 4) AS k CROSS JOIN LATERAL (SELECT ((v.idvisit + v.idvisit / 5 + k * 3) * 7 % 10)::integer AS h) x
WHERE v.idsite IN (:gen1, :gen2) AND k <= v.idvisit / 3 % 5;
INSERT INTO pk_tracking.log_conversion (idvisit, buster, idsite, server_time, idvisitor, consent, idgoal, idorder, order_conflict, items, revenue, revenue_subtotal, referer_type, referer_name, referer_keyword)
SELECT v.idvisit, k, v.idsite, v.visit_first_action_time + k * interval '700 s', v.idvisitor, v.consent, g.goal, CASE WHEN g.goal = 0 AND v.consent < 2 AND v.idvisit % 4 > 0 THEN format('order %s', v.idvisit * 10 + k) END, CASE WHEN g.goal = 0 AND v.consent < 2 AND v.idvisit % 4 = 0 THEN format('order %s', v.idvisit * 10 + k) END,
	CASE WHEN g.goal <= 0 THEN k END, CASE WHEN k % 3 > 0 THEN v.idvisit % 100 + k / 4.0 END, CASE WHEN g.goal = 0 THEN v.idvisit % 100 END, v.referer_type, v.referer_name, v.referer_keyword
FROM pk_tracking.log_visit v CROSS JOIN generate_series(1, 3) AS k CROSS JOIN LATERAL (SELECT (ARRAY[0, 1, 2, 7, 0])[1 + (v.idvisit / 7 + k) % 5] AS goal) g
WHERE v.idsite IN (:gen1, :gen2) AND v.visit_goal_converted = 1;
INSERT INTO pk_tracking.log_conversion (idvisit, buster, idsite, server_time, idvisitor, consent, idgoal, items, revenue)
SELECT v.idvisit, 0, v.idsite, v.visit_first_action_time, v.idvisitor, v.consent, -1, 2, 10.25 FROM pk_tracking.log_visit v WHERE v.idsite IN (:gen1, :gen2) AND v.idvisit % 9 = 0;
INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, server_time, idvisitor, consent, idaction_sku, idaction_name, idaction_category, quantity, price, idorder, deleted)
SELECT c.idvisit, c.idsite, c.server_time, c.idvisitor, c.consent, 7000 + n * 3, 7001 + c.idvisit % 3 * 3, 7002, n + 1, c.idvisit % 10 + 0.5,
	CASE WHEN c.idgoal = -1 THEN '0' WHEN c.consent < 2 THEN coalesce(c.idorder, c.order_conflict) ELSE '##' || c.buster END, c.idvisit % 4 = 0
FROM pk_tracking.log_conversion c CROSS JOIN generate_series(0, 1) AS n WHERE c.idsite IN (:gen1, :gen2) AND c.idgoal <= 0;

-- The twin: local days row by row, every number by a query of its own
CREATE TEMP TABLE asked AS
	SELECT row_number() OVER () AS n, s.site, s.zone, d.from_date, d.to_date, w.visitors, w.consent
	FROM (VALUES (:gen1, 'Europe/Berlin'), (:gen2, 'America/New_York')) AS s(site, zone),
		(VALUES ('2026-10-18'::date, '2026-11-09'::date), ('2026-10-25', '2026-10-25'), ('2026-10-31', '2026-11-01'), ('2026-10-29', '2026-11-04'), ('2026-12-01', '2026-12-02')) AS d(from_date, to_date),
		(VALUES ('all', '{0,1,2,3}'::smallint[]), ('identified', '{0,1}'), ('anonymous', '{2,3}')) AS w(visitors, consent)
	WHERE w.visitors = 'all' OR d.from_date IN ('2026-10-18', '2026-10-25');
CREATE TEMP TABLE tv AS SELECT v.*, to_char(v.visit_first_action_time AT TIME ZONE s.timezone, 'YYYY-MM-DD')::date AS day,
	to_char(v.visit_last_action_time AT TIME ZONE s.timezone, 'YYYY-MM-DD')::date AS last_day,
	to_char(v.visit_first_action_time AT TIME ZONE s.timezone, 'HH24')::integer AS hour,
	(SELECT count(*) FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idgoal <> -1) AS conversions,
	(SELECT sum(c.revenue) FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idgoal <> -1) AS revenue
	FROM pk_tracking.log_visit v JOIN pk_tracking.site s USING (idsite) WHERE v.idsite IN (:gen1, :gen2);
CREATE TEMP TABLE ta AS SELECT l.*, to_char(l.server_time AT TIME ZONE s.timezone, 'YYYY-MM-DD')::date AS day
	FROM pk_tracking.log_link_visit_action l JOIN pk_tracking.site s USING (idsite) WHERE l.idsite IN (:gen1, :gen2);
CREATE TEMP TABLE tc AS SELECT c.*, to_char(c.server_time AT TIME ZONE s.timezone, 'YYYY-MM-DD')::date AS day
	FROM pk_tracking.log_conversion c JOIN pk_tracking.site s USING (idsite) WHERE c.idsite IN (:gen1, :gen2);
CREATE TEMP TABLE ti AS SELECT i.*, to_char(i.server_time AT TIME ZONE s.timezone, 'YYYY-MM-DD')::date AS day
	FROM pk_tracking.log_conversion_item i JOIN pk_tracking.site s USING (idsite) WHERE i.idsite IN (:gen1, :gen2);
CREATE TEMP TABLE t_name AS SELECT DISTINCT a.idsite, a.idaction, a.type, CASE WHEN a.url_prefix = 2 THEN 'https://' ELSE '' END || a.name AS name
	FROM pk_tracking.log_action a WHERE a.idsite IN (:gen1, :gen2);
-- the visits asked for, and what they amount to
CREATE TEMP TABLE xs (LIKE tv);
ALTER TABLE xs ADD COLUMN k integer;
CREATE FUNCTION pg_temp.per_cent(part bigint, whole bigint) RETURNS numeric LANGUAGE sql AS $$ SELECT CASE WHEN whole > 0 THEN round(part * 100.0 / whole, 1) ELSE 0.0 END $$;
CREATE FUNCTION pg_temp.measure(key integer, OUT result text) LANGUAGE plpgsql AS $$
DECLARE
	visits bigint := (SELECT count(*) FROM xs x WHERE x.k = key);
	anonymous bigint := (SELECT count(*) FROM xs x WHERE x.k = key AND consent IN (2, 3));
	actions bigint := (SELECT coalesce(sum(visit_total_actions), 0) FROM xs x WHERE x.k = key);
	bounces bigint := (SELECT count(*) FROM xs x WHERE x.k = key AND visit_total_actions IN (0, 1));
	seconds bigint := (SELECT coalesce(sum(visit_total_time), 0) FROM xs x WHERE x.k = key);
BEGIN
	result := row(visits,
		(SELECT count(*) FROM (SELECT DISTINCT idvisitor FROM xs x WHERE x.k = key AND consent IN (0, 1)) d) + anonymous,
		(SELECT count(*) FROM (SELECT DISTINCT user_id FROM xs x WHERE x.k = key AND user_id IS NOT NULL) d),
		actions,
		(SELECT coalesce(sum(visit_total_interactions), 0) - coalesce(sum(visit_total_searches), 0) FROM xs x WHERE x.k = key),
		(SELECT coalesce(max(visit_total_actions), 0) FROM xs x WHERE x.k = key),
		bounces, pg_temp.per_cent(bounces, visits),
		seconds, CASE WHEN visits > 0 THEN round(seconds / visits::numeric) ELSE 0 END,
		CASE WHEN visits > 0 THEN round(actions / visits::numeric, 1) ELSE 0.0 END,
		(SELECT count(*) FROM xs x WHERE x.k = key AND visit_goal_converted = 1),
		(SELECT coalesce(sum(conversions), 0) FROM xs x WHERE x.k = key), (SELECT coalesce(sum(revenue), 0) FROM xs x WHERE x.k = key),
		anonymous, pg_temp.per_cent(anonymous, visits))::text;
END $$;
CREATE TEMP TABLE differs (report text, n bigint, key text, twin text, report_row text);
CREATE TEMP TABLE compared (report text, n bigint);
-- compare the report's rows with the twin's: the key's columns come first
CREATE FUNCTION pg_temp.compare(report text, keys text, statement text, q asked) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	k record;
	wanted text[] := '{}';
	got text[];
	i integer := 0;
BEGIN
	-- keys is a query of key (text, as a row's first columns) and condition
	TRUNCATE xs;
	FOR k IN EXECUTE keys USING q LOOP
		i := i + 1;
		EXECUTE format('INSERT INTO xs SELECT tv.*, $2 FROM tv WHERE tv.idsite = $1.site AND tv.day BETWEEN $1.from_date AND $1.to_date AND tv.consent = ANY ($1.consent) AND %s', k.condition) USING q, i;
		wanted := wanted || format('(%s,%s', k.key, substr(pg_temp.measure(i), 2));
	END LOOP;
	EXECUTE format('SELECT coalesce(array_agg(r::text), ''{}'') FROM pk_tracking.%s r', statement) INTO got USING q.site, q.from_date, q.to_date, q.visitors;
	INSERT INTO compared VALUES (report, cardinality(wanted));
	INSERT INTO differs SELECT report, q.n, NULL, w, g FROM (SELECT DISTINCT w FROM unnest(wanted) w) a FULL JOIN (SELECT g FROM unnest(got) g) b ON w = g WHERE w IS NULL OR g IS NULL;
	IF cardinality(wanted) <> cardinality(got) THEN
		INSERT INTO differs VALUES (report, q.n, 'rows', cardinality(wanted)::text, cardinality(got)::text);
	END IF;
END $$;
-- where no clock changes at midnight
CREATE FUNCTION pg_temp.midnight(site integer, day date) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT day::timestamp AT TIME ZONE s.timezone FROM pk_tracking.site s WHERE s.idsite = site
$$;
-- as a row's text has it
CREATE FUNCTION pg_temp.cols(VARIADIC c text[]) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN e IS NULL THEN '' WHEN e ~ '[ ,]' OR e = '' THEN '"' || e || '"' ELSE e END, ',' ORDER BY n) FROM unnest(c) WITH ORDINALITY AS u(e, n)
$$;
DO $$
DECLARE
	q asked;
	p text;
	d record;
BEGIN
	FOR q IN SELECT * FROM asked LOOP
		-- days of the calendar, one by one, grouped by what week or month they fall in
		FOR p IN VALUES ('day'), ('week'), ('month'), ('quarter'), ('year'), ('range') LOOP
			PERFORM pg_temp.compare('visits by ' || p,
				format('SELECT pg_temp.cols(min(c)::text, max(c)::text, pg_temp.midnight($1.site, min(c))::text) AS key, format(''tv.day BETWEEN %%L AND %%L'', min(c), max(c)) AS condition
					FROM (SELECT $1.from_date + i AS c FROM generate_series(0, $1.to_date - $1.from_date) i) days GROUP BY %s',
					CASE p WHEN 'day' THEN 'c' WHEN 'week' THEN 'to_char(c, ''IYYY-IW'')' WHEN 'month' THEN 'to_char(c, ''YYYY-MM'')' WHEN 'quarter' THEN 'to_char(c, ''YYYY-Q'')' WHEN 'year' THEN 'to_char(c, ''YYYY'')' ELSE '()' END),
				format('report_visits($1, $2, $3, %L, $4)', p), q);
		END LOOP;
		PERFORM pg_temp.compare('visitors',
			'SELECT pg_temp.cols(min(c)::text, max(c)::text, pg_temp.midnight($1.site, min(c))::text, (ARRAY[''new'', ''returning'', ''returning customer''])[1 + t]) AS key, format(''tv.visitor_returning = %s AND tv.day BETWEEN %L AND %L'', t, min(c), max(c)) AS condition
				FROM (SELECT $1.from_date + i AS c FROM generate_series(0, $1.to_date - $1.from_date) i) days, generate_series(0, 2) t GROUP BY to_char(c, ''IYYY-IW''), t',
			'report_visitors($1, $2, $3, ''week'', $4)', q);
		PERFORM pg_temp.compare('hours', 'SELECT h::text AS key, format(''tv.hour = %s'', h) AS condition FROM generate_series(0, 23) h', 'report_hours($1, $2, $3, $4)', q);
		FOR d IN SELECT * FROM (VALUES
			('countries', '{"coalesce(tv.location_country, ''xx'')"}'::text[], 'true'),
			('regions', '{"coalesce(tv.location_country, ''xx'')",tv.location_region}', 'true'),
			('cities', '{"coalesce(tv.location_country, ''xx'')",tv.location_region,tv.location_city}', 'true'),
			('languages', '{tv.location_browser_lang}', 'true'),
			('browsers', '{"CASE WHEN tv.config_browser_name = ''FF'' THEN ''Firefox'' WHEN tv.config_browser_name = ''CH'' THEN ''Chrome'' WHEN tv.config_browser_name <> ''UNK'' THEN tv.config_browser_name ELSE ''unknown'' END"}', 'true'),
			('systems', '{"CASE WHEN tv.config_os = ''WIN'' THEN ''Windows'' WHEN tv.config_os = ''MAC'' THEN ''Mac'' ELSE ''unknown'' END"}', 'true'),
			('device_types', '{"CASE tv.config_device_type WHEN 0 THEN ''desktop'' WHEN 1 THEN ''smartphone'' WHEN 2 THEN ''tablet'' ELSE ''unknown'' END"}', 'true'),
			('device_brands', '{"CASE tv.config_device_brand WHEN ''AP'' THEN ''Apple'' WHEN ''SA'' THEN ''Samsung'' ELSE ''unknown'' END"}', 'true'),
			('referrer_types', '{"CASE tv.referer_type WHEN 1 THEN ''direct'' WHEN 2 THEN ''search engine'' WHEN 3 THEN ''website'' WHEN 6 THEN ''campaign'' WHEN 7 THEN ''social network'' ELSE ''unknown'' END"}', 'true'),
			('referrers', '{"CASE tv.referer_type WHEN 1 THEN ''direct'' WHEN 2 THEN ''search engine'' WHEN 3 THEN ''website'' WHEN 6 THEN ''campaign'' WHEN 7 THEN ''social network'' ELSE ''unknown'' END","CASE WHEN tv.referer_name <> '''' THEN tv.referer_name END"}', 'true'),
			('keywords', '{tv.referer_name,tv.referer_keyword}', 'tv.referer_type = 2'),
			('campaigns', '{tv.referer_name,tv.referer_keyword}', 'tv.referer_type = 6')) AS v(report, keys, condition)
		LOOP
			PERFORM pg_temp.compare(d.report,
				format('SELECT DISTINCT pg_temp.cols(%1$s) AS key, format(''%%s AND pg_temp.cols(%%s) = %%L'', %2$L, %3$L, pg_temp.cols(%1$s)) AS condition
					FROM tv WHERE tv.idsite = $1.site AND tv.day BETWEEN $1.from_date AND $1.to_date AND tv.consent = ANY ($1.consent) AND %2$s',
					array_to_string(d.keys, ', '), d.condition, array_to_string(d.keys, ', ')),
				format('report_%s($1, $2, $3, $4)', d.report), q);
		END LOOP;
	END LOOP;
END $$;
-- the other reports: statement by statement, row by row
CREATE TEMP TABLE twins (report text, statement text, twin text);
INSERT INTO twins VALUES
('consent', 'report_consent($1, $2, $3, ''day'', $4)', $$
	SELECT d, d, pg_temp.midnight(q.site, d), (SELECT count(*) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent)),
		(SELECT count(*) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent) AND tv.consent IN (0, 1)),
		(SELECT count(*) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent) AND tv.consent = 0),
		(SELECT count(*) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent) AND tv.consent = 1),
		(SELECT count(*) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent) AND tv.consent = 2),
		(SELECT count(*) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent) AND tv.consent = 3),
		(SELECT count(*) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent) AND tv.consent IN (2, 3)),
		(SELECT pg_temp.per_cent(count(*) FILTER (WHERE tv.consent IN (2, 3)), count(*)) FROM tv WHERE tv.idsite = q.site AND tv.day = d AND tv.consent = ANY (q.consent))
	FROM (SELECT $1.*) q, LATERAL (SELECT q.from_date + i AS d FROM generate_series(0, q.to_date - q.from_date) i) days$$),
('pages', 'report_pages($1, $2, $3, $4)', $$
	SELECT n.name, m.hits, m.visits, u.visitors, e.visits, e.actions, e.seconds, e.bounces, pg_temp.per_cent(e.bounces, e.visits),
		x.visits, pg_temp.per_cent(x.visits, greatest(m.visits, x.visits)), t.seconds, CASE WHEN m.hits > 0 THEN round(t.seconds::numeric / m.hits) ELSE 0 END,
		0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		m.anonymous, pg_temp.per_cent(m.anonymous, m.visits)
	FROM (SELECT n.idaction, n.name FROM t_name n WHERE n.idsite = ($1).site AND n.type = 1) n,
		LATERAL (SELECT count(*) AS hits, count(DISTINCT f.idvisit) AS visits, count(DISTINCT f.idvisit) FILTER (WHERE f.consent IN (2, 3)) AS anonymous FROM f WHERE f.idaction_url = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) m,
		LATERAL (SELECT count(*) AS visitors FROM (SELECT DISTINCT idvisitor, CASE WHEN idvisitor IS NULL THEN idvisit END FROM f WHERE f.idaction_url = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) d) u,
		LATERAL (SELECT coalesce(sum(f.time_spent_ref_action), 0) AS seconds FROM f WHERE f.idaction_url_ref = n.idaction AND (n.idaction <> 0 OR f.idaction_url_ref <> 0)) t,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, coalesce(sum(tv.visit_total_actions), 0) AS actions, coalesce(sum(tv.visit_total_time), 0) AS seconds,
			count(*) FILTER (WHERE tv.visit_total_actions < 2) AS bounces, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_entry_idaction_url = n.idaction AND (n.idaction <> 0 OR tv.visit_entry_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(min(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_url = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) e,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_exit_idaction_url = n.idaction AND (n.idaction <> 0 OR tv.visit_exit_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(max(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_url = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) x
	WHERE m.hits > 0 OR e.visits > 0 OR x.visits > 0$$),
('entry_pages', 'report_entry_pages($1, $2, $3, $4)', $$
	SELECT n.name, e.visits, e.visitors, e.actions, e.seconds, e.bounces, pg_temp.per_cent(e.bounces, e.visits), e.anonymous, pg_temp.per_cent(e.anonymous, e.visits)
	FROM (SELECT n.idaction, n.name FROM t_name n WHERE n.idsite = ($1).site AND n.type = 1) n,
		LATERAL (SELECT count(*) AS hits, count(DISTINCT f.idvisit) AS visits, count(DISTINCT f.idvisit) FILTER (WHERE f.consent IN (2, 3)) AS anonymous FROM f WHERE f.idaction_url = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) m,
		LATERAL (SELECT count(*) AS visitors FROM (SELECT DISTINCT idvisitor, CASE WHEN idvisitor IS NULL THEN idvisit END FROM f WHERE f.idaction_url = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) d) u,
		LATERAL (SELECT coalesce(sum(f.time_spent_ref_action), 0) AS seconds FROM f WHERE f.idaction_url_ref = n.idaction AND (n.idaction <> 0 OR f.idaction_url_ref <> 0)) t,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, coalesce(sum(tv.visit_total_actions), 0) AS actions, coalesce(sum(tv.visit_total_time), 0) AS seconds,
			count(*) FILTER (WHERE tv.visit_total_actions < 2) AS bounces, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_entry_idaction_url = n.idaction AND (n.idaction <> 0 OR tv.visit_entry_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(min(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_url = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) e,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_exit_idaction_url = n.idaction AND (n.idaction <> 0 OR tv.visit_exit_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(max(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_url = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) x
	WHERE e.visits > 0$$),
('exit_pages', 'report_exit_pages($1, $2, $3, $4)', $$
	SELECT n.name, x.visits, x.visitors, greatest(m.visits, x.visits), pg_temp.per_cent(x.visits, greatest(m.visits, x.visits)), x.anonymous, pg_temp.per_cent(x.anonymous, x.visits)
	FROM (SELECT n.idaction, n.name FROM t_name n WHERE n.idsite = ($1).site AND n.type = 1) n,
		LATERAL (SELECT count(*) AS hits, count(DISTINCT f.idvisit) AS visits, count(DISTINCT f.idvisit) FILTER (WHERE f.consent IN (2, 3)) AS anonymous FROM f WHERE f.idaction_url = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) m,
		LATERAL (SELECT count(*) AS visitors FROM (SELECT DISTINCT idvisitor, CASE WHEN idvisitor IS NULL THEN idvisit END FROM f WHERE f.idaction_url = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) d) u,
		LATERAL (SELECT coalesce(sum(f.time_spent_ref_action), 0) AS seconds FROM f WHERE f.idaction_url_ref = n.idaction AND (n.idaction <> 0 OR f.idaction_url_ref <> 0)) t,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, coalesce(sum(tv.visit_total_actions), 0) AS actions, coalesce(sum(tv.visit_total_time), 0) AS seconds,
			count(*) FILTER (WHERE tv.visit_total_actions < 2) AS bounces, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_entry_idaction_url = n.idaction AND (n.idaction <> 0 OR tv.visit_entry_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(min(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_url = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) e,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_exit_idaction_url = n.idaction AND (n.idaction <> 0 OR tv.visit_exit_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(max(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_url = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) x
	WHERE x.visits > 0$$),
('titles', 'report_titles($1, $2, $3, $4)', $$
	SELECT n.name, m.hits, m.visits, u.visitors, e.visits, e.actions, e.seconds, e.bounces, pg_temp.per_cent(e.bounces, e.visits),
		x.visits, pg_temp.per_cent(x.visits, greatest(m.visits, x.visits)), t.seconds, CASE WHEN m.hits > 0 THEN round(t.seconds::numeric / m.hits) ELSE 0 END,
		0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		m.anonymous, pg_temp.per_cent(m.anonymous, m.visits)
	FROM (SELECT n.idaction, n.name FROM (SELECT * FROM t_name UNION ALL SELECT ($1).site, 0, 4, NULL) n WHERE n.idsite = ($1).site AND n.type = 4) n,
		LATERAL (SELECT count(*) AS hits, count(DISTINCT f.idvisit) AS visits, count(DISTINCT f.idvisit) FILTER (WHERE f.consent IN (2, 3)) AS anonymous FROM f WHERE f.idaction_name = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) m,
		LATERAL (SELECT count(*) AS visitors FROM (SELECT DISTINCT idvisitor, CASE WHEN idvisitor IS NULL THEN idvisit END FROM f WHERE f.idaction_name = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) d) u,
		LATERAL (SELECT coalesce(sum(f.time_spent_ref_action), 0) AS seconds FROM f WHERE f.idaction_name_ref = n.idaction AND (n.idaction <> 0 OR f.idaction_url_ref <> 0)) t,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, coalesce(sum(tv.visit_total_actions), 0) AS actions, coalesce(sum(tv.visit_total_time), 0) AS seconds,
			count(*) FILTER (WHERE tv.visit_total_actions < 2) AS bounces, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_entry_idaction_name = n.idaction AND (n.idaction <> 0 OR tv.visit_entry_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(min(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_name = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) e,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_exit_idaction_name = n.idaction AND (n.idaction <> 0 OR tv.visit_exit_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(max(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_name = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) x
	WHERE m.hits > 0 OR e.visits > 0 OR x.visits > 0$$),
('entry_titles', 'report_entry_titles($1, $2, $3, $4)', $$
	SELECT n.name, e.visits, e.visitors, e.actions, e.seconds, e.bounces, pg_temp.per_cent(e.bounces, e.visits), e.anonymous, pg_temp.per_cent(e.anonymous, e.visits)
	FROM (SELECT n.idaction, n.name FROM (SELECT * FROM t_name UNION ALL SELECT ($1).site, 0, 4, NULL) n WHERE n.idsite = ($1).site AND n.type = 4) n,
		LATERAL (SELECT count(*) AS hits, count(DISTINCT f.idvisit) AS visits, count(DISTINCT f.idvisit) FILTER (WHERE f.consent IN (2, 3)) AS anonymous FROM f WHERE f.idaction_name = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) m,
		LATERAL (SELECT count(*) AS visitors FROM (SELECT DISTINCT idvisitor, CASE WHEN idvisitor IS NULL THEN idvisit END FROM f WHERE f.idaction_name = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) d) u,
		LATERAL (SELECT coalesce(sum(f.time_spent_ref_action), 0) AS seconds FROM f WHERE f.idaction_name_ref = n.idaction AND (n.idaction <> 0 OR f.idaction_url_ref <> 0)) t,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, coalesce(sum(tv.visit_total_actions), 0) AS actions, coalesce(sum(tv.visit_total_time), 0) AS seconds,
			count(*) FILTER (WHERE tv.visit_total_actions < 2) AS bounces, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_entry_idaction_name = n.idaction AND (n.idaction <> 0 OR tv.visit_entry_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(min(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_name = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) e,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_exit_idaction_name = n.idaction AND (n.idaction <> 0 OR tv.visit_exit_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(max(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_name = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) x
	WHERE e.visits > 0$$),
('exit_titles', 'report_exit_titles($1, $2, $3, $4)', $$
	SELECT n.name, x.visits, x.visitors, greatest(m.visits, x.visits), pg_temp.per_cent(x.visits, greatest(m.visits, x.visits)), x.anonymous, pg_temp.per_cent(x.anonymous, x.visits)
	FROM (SELECT n.idaction, n.name FROM (SELECT * FROM t_name UNION ALL SELECT ($1).site, 0, 4, NULL) n WHERE n.idsite = ($1).site AND n.type = 4) n,
		LATERAL (SELECT count(*) AS hits, count(DISTINCT f.idvisit) AS visits, count(DISTINCT f.idvisit) FILTER (WHERE f.consent IN (2, 3)) AS anonymous FROM f WHERE f.idaction_name = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) m,
		LATERAL (SELECT count(*) AS visitors FROM (SELECT DISTINCT idvisitor, CASE WHEN idvisitor IS NULL THEN idvisit END FROM f WHERE f.idaction_name = n.idaction AND f.idaction_url IS NOT NULL AND f.idaction_event_category IS NULL) d) u,
		LATERAL (SELECT coalesce(sum(f.time_spent_ref_action), 0) AS seconds FROM f WHERE f.idaction_name_ref = n.idaction AND (n.idaction <> 0 OR f.idaction_url_ref <> 0)) t,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, coalesce(sum(tv.visit_total_actions), 0) AS actions, coalesce(sum(tv.visit_total_time), 0) AS seconds,
			count(*) FILTER (WHERE tv.visit_total_actions < 2) AS bounces, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_entry_idaction_name = n.idaction AND (n.idaction <> 0 OR tv.visit_entry_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(min(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_name = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) e,
		LATERAL (SELECT count(*) AS visits, count(DISTINCT coalesce(tv.idvisitor::text, tv.idvisit::text)) AS visitors, count(*) FILTER (WHERE tv.idvisitor IS NULL) AS anonymous FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_exit_idaction_name = n.idaction AND (n.idaction <> 0 OR tv.visit_exit_idaction_url <> 0)
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(max(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_name = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) x
	WHERE x.visits > 0$$),
('downloads', 'report_downloads($1, $2, $3, $4)', $$
	SELECT n.name, count(*), count(DISTINCT f.idvisit), count(DISTINCT coalesce(f.idvisitor::text, f.idvisit::text)), count(DISTINCT f.idvisit) FILTER (WHERE f.idvisitor IS NULL),
		pg_temp.per_cent(count(DISTINCT f.idvisit) FILTER (WHERE f.idvisitor IS NULL), count(DISTINCT f.idvisit))
	FROM f JOIN t_name n ON n.idsite = f.idsite AND n.idaction = f.idaction_url WHERE n.type = 3 GROUP BY n.name$$),
('outlinks', 'report_outlinks($1, $2, $3, $4)', $$
	SELECT n.name, count(*), count(DISTINCT f.idvisit), count(DISTINCT coalesce(f.idvisitor::text, f.idvisit::text)), count(DISTINCT f.idvisit) FILTER (WHERE f.idvisitor IS NULL),
		pg_temp.per_cent(count(DISTINCT f.idvisit) FILTER (WHERE f.idvisitor IS NULL), count(DISTINCT f.idvisit))
	FROM f JOIN t_name n ON n.idsite = f.idsite AND n.idaction = f.idaction_url WHERE n.type = 2 GROUP BY n.name$$),
('searches', 'report_searches($1, $2, $3, $4)', $$
	SELECT n.name, m.hits, m.none, m.visits, m.visitors, round(m.hits::numeric / m.visits, 1), t.seconds, round(t.seconds / m.hits), x.visits, pg_temp.per_cent(x.visits, greatest(m.visits, x.visits)), m.anonymous, pg_temp.per_cent(m.anonymous, m.visits)
	FROM (SELECT DISTINCT * FROM t_name WHERE idsite = ($1).site AND type = 8) n,
		LATERAL (SELECT count(*) AS hits, sum((f.search_count = 0)::integer) AS none, count(DISTINCT f.idvisit) AS visits, count(DISTINCT coalesce(f.idvisitor::text, f.idvisit::text)) AS visitors, count(DISTINCT f.idvisit) FILTER (WHERE f.idvisitor IS NULL) AS anonymous FROM f WHERE f.idaction_name = n.idaction) m,
		LATERAL (SELECT coalesce(sum(f.time_spent_ref_action), 0)::numeric AS seconds FROM f WHERE f.idaction_name_ref = n.idaction AND coalesce(f.idaction_url_ref, 0) = 0) t,
		LATERAL (SELECT count(*) AS visits FROM tv WHERE tv.idsite = ($1).site AND tv.consent = ANY (($1).consent) AND tv.visit_exit_idaction_name = n.idaction
			AND tv.day <= ($1).to_date AND tv.last_day >= ($1).from_date AND (tv.day >= ($1).from_date AND tv.last_day <= ($1).to_date
				OR (SELECT least(greatest(max(ta.day), tv.day), tv.last_day) FROM ta WHERE ta.idvisit = tv.idvisit AND ta.idaction_name = n.idaction AND ta.idaction_event_category IS NULL) BETWEEN ($1).from_date AND ($1).to_date)) x
	WHERE m.hits > 0$$),
('events', 'report_events($1, $2, $3, $4)', $$
	SELECT c.name, a.name, n.name, count(*), count(DISTINCT f.idvisit), count(DISTINCT coalesce(f.idvisitor::text, f.idvisit::text)), sum((f.custom_float IS NOT NULL)::integer),
		sum(f.custom_float), min(f.custom_float), max(f.custom_float), round(avg(f.custom_float), 2), count(DISTINCT f.idvisit) FILTER (WHERE f.idvisitor IS NULL),
		pg_temp.per_cent(count(DISTINCT f.idvisit) FILTER (WHERE f.idvisitor IS NULL), count(DISTINCT f.idvisit))
	FROM f JOIN t_name c ON c.idsite = f.idsite AND c.idaction = f.idaction_event_category JOIN t_name a ON a.idsite = f.idsite AND a.idaction = f.idaction_event_action
		LEFT JOIN t_name n ON n.idsite = f.idsite AND n.idaction = f.idaction_name GROUP BY c.name, a.name, n.name$$),
('goals', 'report_goals($1, $2, $3, $4)', $$
	SELECT i, (SELECT g.name FROM pk_tracking.goal g WHERE g.idsite = ($1).site AND g.idgoal = i), (SELECT count(*) FROM c WHERE c.idgoal = i), (SELECT count(DISTINCT idvisit) FROM c WHERE c.idgoal = i), (SELECT coalesce(sum(revenue), 0) FROM c WHERE c.idgoal = i),
		pg_temp.per_cent((SELECT count(DISTINCT idvisit) FROM c WHERE c.idgoal = i), (SELECT count(*) FROM tv x WHERE x.idsite = ($1).site AND (x.idvisit IN (SELECT idvisit FROM c) OR (x.consent = ANY (($1).consent)
			AND x.day <= ($1).to_date AND (x.visit_last_action_time AT TIME ZONE (SELECT s.timezone FROM pk_tracking.site s WHERE s.idsite = x.idsite))::date >= ($1).from_date)))),
		(SELECT count(DISTINCT idvisit) FROM c WHERE c.idgoal = i AND c.idvisitor IS NULL), (SELECT pg_temp.per_cent(count(DISTINCT idvisit) FILTER (WHERE c.idvisitor IS NULL), count(DISTINCT idvisit)) FROM c WHERE c.idgoal = i)
	FROM unnest('{1,2,7}'::integer[]) i WHERE i < 3 OR EXISTS (SELECT FROM c WHERE c.idgoal = i)$$),
('conversions', 'report_conversions($1, $2, $3, $4)', $$
	SELECT c.idgoal, CASE c.referer_type WHEN 1 THEN 'direct' WHEN 2 THEN 'search engine' WHEN 3 THEN 'website' WHEN 6 THEN 'campaign' WHEN 7 THEN 'social network' ELSE 'unknown' END, nullif(c.referer_name, ''), c.referer_keyword,
		count(*), count(DISTINCT c.idvisit), coalesce(sum(c.revenue), 0), count(DISTINCT c.idvisit) FILTER (WHERE c.idvisitor IS NULL),
		pg_temp.per_cent(count(DISTINCT c.idvisit) FILTER (WHERE c.idvisitor IS NULL), count(DISTINCT c.idvisit))
	FROM c WHERE c.idgoal <> -1 GROUP BY 1, 2, 3, 4$$),
('orders', 'report_orders($1, $2, $3, ''month'', $4)', $$
	SELECT m.a, m.b, pg_temp.midnight(($1).site, m.a), count(c.idvisit) FILTER (WHERE idgoal = 0), count(DISTINCT c.idvisit) FILTER (WHERE idgoal = 0), coalesce(sum(c.revenue) FILTER (WHERE idgoal = 0), 0),
		coalesce(round(sum(c.revenue) FILTER (WHERE idgoal = 0) / nullif(count(c.revenue) FILTER (WHERE idgoal = 0), 0), 2), 0.00), coalesce(sum(c.revenue_subtotal) FILTER (WHERE idgoal = 0), 0), 0, 0, 0,
		coalesce(sum(c.items) FILTER (WHERE idgoal = 0), 0), count(c.idvisit) FILTER (WHERE idgoal = -1), coalesce(sum(c.revenue) FILTER (WHERE idgoal = -1), 0), count(c.order_conflict),
		count(DISTINCT c.idvisit) FILTER (WHERE idgoal = 0 AND c.idvisitor IS NULL), pg_temp.per_cent(count(DISTINCT c.idvisit) FILTER (WHERE idgoal = 0 AND c.idvisitor IS NULL), count(DISTINCT c.idvisit) FILTER (WHERE idgoal = 0))
	FROM (SELECT min(d) AS a, max(d) AS b FROM (SELECT ($1).from_date + i AS d FROM generate_series(0, ($1).to_date - ($1).from_date) i) days GROUP BY to_char(d, 'YYYY-MM')) m
		LEFT JOIN c ON c.day BETWEEN m.a AND m.b GROUP BY m.a, m.b$$),
('products', 'report_products($1, $2, $3, $4)', $$
	SELECT s.name, (SELECT n.name FROM t_name n WHERE n.idsite = s.idsite AND n.idaction = coalesce((SELECT i.idaction_name FROM i WHERE i.idaction_sku = s.idaction ORDER BY i.server_time DESC, i.idvisit DESC LIMIT 1), 7001)), 'item 2',
		(SELECT count(*) FROM (SELECT DISTINCT idvisit, idorder FROM i WHERE i.idaction_sku = s.idaction AND i.idorder <> '0') d),
		(SELECT coalesce(sum(quantity), 0) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder <> '0'),
		(SELECT coalesce(sum(quantity * price), 0) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder <> '0'),
		coalesce((SELECT round(avg(price), 2) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder <> '0'), (SELECT round(avg(price), 2) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder = '0'), 0.00),
		(SELECT coalesce(round(sum(quantity)::numeric / nullif(count(DISTINCT (idvisit, idorder)), 0), 1), 0.0) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder <> '0'),
		(SELECT count(DISTINCT idvisit) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder = '0'),
		(SELECT coalesce(sum(quantity), 0) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder = '0'), (SELECT coalesce(sum(quantity * price), 0) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder = '0'),
		(SELECT count(DISTINCT idvisit) FROM f WHERE f.idaction_product_sku = s.idaction),
		(SELECT count(DISTINCT (idvisit, idorder)) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder <> '0' AND i.idvisitor IS NULL),
		(SELECT pg_temp.per_cent(count(DISTINCT (idvisit, idorder)) FILTER (WHERE i.idvisitor IS NULL), count(DISTINCT (idvisit, idorder))) FROM i WHERE i.idaction_sku = s.idaction AND i.idorder <> '0')
	FROM t_name s WHERE s.idsite = ($1).site AND s.type = 5 AND (s.idaction IN (SELECT i.idaction_sku FROM i) OR s.idaction IN (SELECT f.idaction_product_sku FROM f))$$);
DO $$
DECLARE
	q asked;
	t twins;
	n integer;
	m integer;
BEGIN
	FOR q IN SELECT * FROM asked LOOP
		FOR t IN SELECT * FROM twins LOOP
			EXECUTE format('WITH v AS (SELECT * FROM tv WHERE idsite = ($1).site AND day BETWEEN ($1).from_date AND ($1).to_date AND consent = ANY (($1).consent)),
					f AS (SELECT * FROM ta WHERE idsite = ($1).site AND day BETWEEN ($1).from_date AND ($1).to_date AND consent = ANY (($1).consent)),
					c AS (SELECT * FROM tc WHERE idsite = ($1).site AND day BETWEEN ($1).from_date AND ($1).to_date AND consent = ANY (($1).consent)),
					i AS (SELECT * FROM ti WHERE idsite = ($1).site AND day BETWEEN ($1).from_date AND ($1).to_date AND consent = ANY (($1).consent) AND NOT deleted),
					wanted AS (SELECT row(w.*)::text AS w FROM (%s) w), got AS (SELECT row(g.*)::text AS g FROM pk_tracking.%s g),
					ins AS (INSERT INTO differs SELECT $2, ($1).n, NULL, w, g FROM wanted FULL JOIN got ON w = g WHERE w IS NULL OR g IS NULL)
				SELECT (SELECT count(*) FROM wanted), (SELECT count(*) FROM got)',
				t.twin, replace(replace(replace(replace(t.statement, '$4', '($1).visitors'), '$3', '($1).to_date'), '$2', '($1).from_date'), '($1, ', '(($1).site, '))
				INTO n, m USING q, t.report;
			INSERT INTO compared VALUES (t.report, n);
			IF n <> m THEN INSERT INTO differs VALUES (t.report, q.n, 'rows', n, m); END IF;
		END LOOP;
	END LOOP;
END $$;
SELECT * FROM differs ORDER BY report, n LIMIT 20;
SELECT report, sum(n) AS rows_compared FROM compared GROUP BY report ORDER BY report;

-- A log of visits is whole, however it is cut
SELECT count(*) AS visits, count(DISTINCT l.idvisit) AS different, bool_and(l.idvisit = w.idvisit) AS same
FROM generate_series(0, 600, 100) s CROSS JOIN LATERAL pk_tracking.report_visit_log(:gen1, '2026-10-17', '2026-11-09', 'all', 100, s) WITH ORDINALITY AS l
	JOIN (SELECT idvisit, row_number() OVER (ORDER BY visit_first_action_time DESC, idvisit DESC) AS n FROM tv WHERE idsite = :gen1) w ON w.n = s + l.ordinality;
SELECT (SELECT sum(jsonb_array_length(l.actions)) FROM pk_tracking.report_visit_log(:gen1, '2026-10-17', '2026-11-09', max_visits => NULL) l) = (SELECT count(*) FROM ta WHERE idsite = :gen1) AS all_actions;

-- What the engine writes is what reports read ---------------------------------
SELECT pk_tracking.add_site('tracked', '{https://t.example}', 'Europe/Berlin') AS tracked \gset
SELECT t.outcome, t.new_visit FROM (VALUES
	(1, 'https://t.example/', 'Home', 'https://www.google.com/search?q=shoes', '00000000000000aa', NULL, '2026-05-04 08:00+02'::timestamptz),
	(2, 'https://t.example/shoes', 'Shoes', 'https://t.example/', '00000000000000aa', NULL, '2026-05-04 08:01+02'),
	(3, 'https://t.example/?utm_campaign=spring', 'Home', NULL, '00000000000000bb', 'jo', '2026-05-04 23:59+02'),
	(4, 'https://t.example/', 'Home', NULL, '00000000000000bb', 'jo', '2026-05-05 00:00+02')) AS h(n, url, title, urlref, visitor, usr, at)
	CROSS JOIN LATERAL pk_tracking.track(:tracked, h.url, h.title, h.urlref, '203.0.113.7', 'an agent', 'de', h.visitor::hexid, user_id => h.usr, at => h.at) t ORDER BY h.n;
SELECT first_day, nb_visits, nb_uniq_visitors, nb_users, nb_actions, nb_pageviews, max_actions, bounce_count, sum_visit_length, anonymous_rate
FROM pk_tracking.report_visits(:tracked, '2026-05-04', '2026-05-05');
SELECT first_day, visitor_type, nb_visits FROM pk_tracking.report_visitors(:tracked, '2026-05-04', '2026-05-05') WHERE nb_visits > 0;
SELECT referrer_type, referer_name, nb_visits FROM pk_tracking.report_referrers(:tracked, '2026-05-04', '2026-05-05');
SELECT url, nb_hits, nb_visits, nb_uniq_visitors, sum_time_spent FROM pk_tracking.report_pages(:tracked, '2026-05-04', '2026-05-05');
SELECT url, exit_nb_visits, exit_rate FROM pk_tracking.report_exit_pages(:tracked, '2026-05-04', '2026-05-05');
SELECT local_time, idvisitor, visitor_type, location_ip, referrer_type, jsonb_array_length(actions) AS actions FROM pk_tracking.report_visit_log(:tracked, '2026-05-04', '2026-05-05');
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :tracked;
DELETE FROM pk_tracking.log_visit WHERE idsite = :tracked;

-- Who may, and what it takes ------------------------------------------------
-- an analyst sees the same, in a transaction that may write nothing, as on a standby
CREATE ROLE regress_pkt_analyst;
SELECT pk_tracking.grant_analyst('regress_pkt_analyst');
CREATE FUNCTION pg_temp.digest_of(report text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(x::text, ''|'')), '''') FROM pk_tracking.%s(%s, ''2026-10-18'', ''2026-11-09'') x', report, current_setting('test.gen1')) INTO result;
	RETURN result;
END $$;
CREATE TEMP TABLE reports AS SELECT p.proname AS report, pg_temp.digest_of(p.proname) AS digest FROM pg_proc p
	WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname ~ '^report_' AND p.proretset
		AND p.proargnames[2] = 'from_date' AND p.pronargs - p.pronargdefaults = 3 AND p.proname <> 'report_transitions';
GRANT SELECT ON reports TO regress_pkt_analyst;
SET ROLE regress_pkt_analyst;
BEGIN READ ONLY;
SELECT report, split_part(digest, ' ', 1) AS rows, pg_temp.digest_of(report) = digest AS same FROM reports ORDER BY report;
COMMIT;
SELECT v.config_id FROM pk_tracking.log_visit v;
SELECT v.* FROM pk_tracking.log_visit v;
SELECT * FROM pk_tracking.salt;
SELECT * FROM pk_tracking.setting;
DELETE FROM pk_tracking.log_visit;
RESET ROLE;
\set SHOW_CONTEXT never
-- whoever may execute and may not read reads nothing
CREATE ROLE regress_pkt_nobody;
GRANT USAGE ON SCHEMA pk_tracking, pk_tracking_internal TO regress_pkt_nobody;
SELECT DISTINCT has_function_privilege('regress_pkt_nobody', p.oid, 'EXECUTE') AS nobody, p.prosecdef, p.provolatile
FROM pg_proc p WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname ~ '^report_' AND p.proretset;
SELECT count(*) AS granted FROM (SELECT pk_tracking.grant_analyst('regress_pkt_nobody')) g;
REVOKE SELECT ON pk_tracking.log_link_visit_action FROM regress_pkt_nobody;
SET ROLE regress_pkt_nobody;
SELECT count(*) FROM pk_tracking.report_pages(:gen1, '2026-10-18', '2026-11-09');
RESET ROLE;
DROP OWNED BY regress_pkt_analyst, regress_pkt_nobody;
DROP ROLE regress_pkt_analyst, regress_pkt_nobody;

DELETE FROM pk_tracking.log_conversion_item WHERE idvisit >= 7000000000;
DELETE FROM pk_tracking.log_conversion WHERE idvisit >= 7000000000;
DELETE FROM pk_tracking.log_link_visit_action WHERE idvisit >= 7000000000;
DELETE FROM pk_tracking.log_visit WHERE idvisit >= 7000000000;
DELETE FROM pk_tracking.log_action WHERE idsite IN (:site, :other, :gen1, :gen2);
