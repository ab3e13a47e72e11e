-- A log for the section reports: site 1, June 2026, :visits visits with three
-- actions each, written in the order of time by SQL.  2,000 pages, the first ones
-- far more popular; every third visit is of a visitor with an id of their own;
-- every tenth is anonymous, every twentieth converts, every hundredth orders.
SET client_min_messages = warning;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('reports', '{https://shop.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_goal(:site, 'goal', 'url', '/thanks', revenue => 5), pk_tracking.add_goal(:site, 'another', 'manually') \g /dev/null
SELECT pk_tracking.add_dimension(:site, 'plan', 'visit'), pk_tracking.add_dimension(:site, 'section', 'action') \g /dev/null
SELECT setseed(0.5) \g /dev/null

-- ids say what they are: 1,000,000 a type
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
SELECT t.type * 1000000 + n, :site, t.type, CASE WHEN t.type = 1 THEN 2 END, format(t.name, n, n % 20)
FROM (VALUES (1, 'shop.example/section%2$s/page/%1$s', 2000), (4, 'Page %s', 2000), (3, 'https://shop.example/file/%s.pdf', 100), (2, 'https://partner%s.example/', 100),
	(8, 'keyword %s', 500), (10, 'Category %s', 10), (11, 'Action %s', 20), (12, 'Name %s', 200), (13, 'Content %s', 20), (14, 'piece%s.png', 20),
	(5, 'SKU%s', 500), (6, 'Product %s', 500), (7, 'Group %s', 20)) AS t(type, name, names), generate_series(0, t.names - 1) n;

CREATE TEMP TABLE drawn AS
SELECT n, '2026-05-31 22:00Z'::timestamptz + n * (interval '30 days' / :visits) AS at, n % 10 = 9 AS anonymous, (hashint4((n * 7) % (:visits / 3))::bigint & 2147483647) AS visitor,
	floor(2000 * random() ^ 3)::integer AS page1, floor(2000 * random() ^ 3)::integer AS page2, floor(2000 * random() ^ 3)::integer AS page3,
	random() AS kind2, random() AS kind3, (random() * 60)::integer AS after2, (random() * 120)::integer AS after3, random() AS r
FROM generate_series(0, :visits - 1) n;

INSERT INTO pk_tracking.log_visit (idvisit, idsite, idvisitor, visit_first_action_time, visit_last_action_time, consent, visit_entry_idaction_url, visit_entry_idaction_name,
	visit_exit_idaction_url, visit_exit_idaction_name, visit_total_time, visit_total_actions, visit_total_interactions, visit_total_searches, visit_total_events,
	visitor_count_visits, visitor_returning, visit_goal_converted, visit_goal_buyer, referer_type, referer_name, referer_keyword, location_ip, location_country, location_region, location_city,
	location_browser_lang, config_resolution, config_os, config_os_version, config_browser_name, config_browser_version, config_browser_engine, config_device_type, config_device_brand, config_device_model,
	config_cookie, visitor_localtime, user_id, custom_dimensions, visitor_seconds_since_first, visitor_seconds_since_last)
SELECT n, :site, CASE WHEN NOT anonymous THEN lpad(to_hex(visitor), 16, '0')::hexid END, at, at + (after2 + after3) * interval '1 s', CASE WHEN anonymous THEN 2 ELSE 1 END,
	1000000 + page1, 4000000 + page1, 1000000 + CASE WHEN kind3 < 0.88 THEN page3 WHEN kind2 < 0.85 THEN page2 ELSE page1 END, 4000000 + page3,
	after2 + after3 + 1, 3, 1 + (kind2 < 0.85)::integer + (kind2 >= 0.95)::integer + (kind3 < 0.88)::integer, (kind2 >= 0.95)::integer, (kind2 BETWEEN 0.85 AND 0.95)::integer,
	CASE WHEN anonymous THEN 1 ELSE 1 + n % 4 END, CASE WHEN anonymous OR n % 4 = 0 THEN 0 ELSE 1 END, (n % 20 = 0)::integer, (n % 100 = 0)::integer,
	(ARRAY[1, 1, 2, 3, 6, 7])[1 + n % 6], CASE n % 6 WHEN 2 THEN 'Google' WHEN 3 THEN 'site' || n % 100 || '.example' WHEN 4 THEN 'campaign' || n % 12 WHEN 5 THEN 'Mastodon' END,
	CASE WHEN n % 6 IN (2, 4) THEN 'keyword ' || n % 300 END, '0.0.0.0', (ARRAY['de', 'fr', 'us', 'at', 'pl'])[1 + n % 5], 'R' || n % 16, 'City ' || n % 200, (ARRAY['de', 'fr-fr', 'en-us'])[1 + n % 3],
	(ARRAY['1920x1080', '390x844', '1366x768'])[1 + n % 3], (ARRAY['WIN', 'AND', 'IOS', 'MAC'])[1 + n % 4], (10 + n % 5)::text, (ARRAY['CH', 'FF', 'MF', 'CM'])[1 + n % 4], (100 + n % 30) || '.0',
	(ARRAY['Blink', 'Gecko', 'WebKit', 'Blink'])[1 + n % 4], (ARRAY[0, 1, 2])[1 + n % 3], (ARRAY['', 'AP', 'SA'])[1 + n % 3], 'Model ' || n % 50,
	1, CASE WHEN NOT anonymous THEN (at AT TIME ZONE 'UTC')::time END, CASE WHEN NOT anonymous AND n % 50 = 0 THEN 'user' || visitor % 5000 END,
	CASE WHEN NOT anonymous AND n % 5 = 0 THEN jsonb_build_object('1', 'plan ' || n % 4) END, CASE WHEN anonymous THEN 0 ELSE (n % 4) * 86400 END, CASE WHEN anonymous THEN 0 ELSE (n % 4) * 86400 END
FROM drawn ORDER BY n;

INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, idvisitor, consent, server_time, idaction_url, idaction_name, idaction_url_ref, idaction_name_ref, pageview_position,
	time_spent_ref_action, decision, idpageview, custom_float, idaction_event_category, idaction_event_action, idaction_content_name, idaction_content_piece, search_cat, search_count,
	idaction_product_sku, idaction_product_name, idaction_product_cat, product_price, time_network, time_server, time_transfer, time_dom_processing, time_dom_completion, time_on_load, custom_dimensions)
SELECT d.n::bigint * 3 + k, d.n, :site, CASE WHEN NOT d.anonymous THEN lpad(to_hex(d.visitor), 16, '0')::hexid END, CASE WHEN d.anonymous THEN 2 ELSE 1 END,
	d.at + CASE k WHEN 0 THEN 0 WHEN 1 THEN d.after2 ELSE d.after2 + d.after3 END * interval '1 s',
	CASE x.kind WHEN 'search' THEN NULL WHEN 'download' THEN 3000000 + x.page % 100 WHEN 'outlink' THEN 2000000 + x.page % 100 ELSE 1000000 + x.page END,
	CASE x.kind WHEN 'page' THEN 4000000 + x.page WHEN 'search' THEN 8000000 + x.page % 500 WHEN 'event' THEN 12000000 + x.page % 200 ELSE 0 END,
	CASE k WHEN 0 THEN 0 WHEN 1 THEN 1000000 + d.page1 ELSE CASE WHEN d.kind2 < 0.85 THEN 1000000 + d.page2 WHEN d.kind2 >= 0.95 THEN NULL ELSE 1000000 + d.page1 END END,
	CASE k WHEN 0 THEN 0 WHEN 1 THEN 4000000 + d.page1 ELSE CASE WHEN d.kind2 < 0.85 THEN 4000000 + d.page2 WHEN d.kind2 >= 0.95 THEN 8000000 + d.page2 % 500 ELSE 4000000 + d.page1 END END,
	k + 1, CASE k WHEN 0 THEN 0 WHEN 1 THEN d.after2 ELSE d.after3 END, CASE k WHEN 0 THEN 2 ELSE 0 END, lpad(to_hex(d.n % 16777216), 6, '0'), CASE WHEN x.kind = 'event' THEN x.page % 7 END,
	CASE WHEN x.kind = 'event' THEN 10000000 + x.page % 10 END, CASE WHEN x.kind = 'event' THEN 11000000 + x.page % 20 END,
	CASE WHEN x.kind = 'content' THEN 13000000 + x.page % 20 END, CASE WHEN x.kind = 'content' THEN 14000000 + x.page % 20 END,
	CASE WHEN x.kind = 'search' THEN 'category ' || x.page % 5 END, CASE WHEN x.kind = 'search' THEN x.page % 4 END,
	CASE WHEN x.kind = 'page' AND x.page % 10 = 0 THEN 5000000 + x.page / 10 END, CASE WHEN x.kind = 'page' AND x.page % 10 = 0 THEN 6000000 + x.page / 10 END, CASE WHEN x.kind = 'page' AND x.page % 10 = 0 THEN 7000000 + x.page % 20 END,
	CASE WHEN x.kind = 'page' AND x.page % 10 = 0 THEN x.page % 90 + 0.5 END,
	CASE WHEN x.timed THEN x.page % 80 END, CASE WHEN x.timed THEN x.page % 400 END, CASE WHEN x.timed THEN x.page % 200 END, CASE WHEN x.timed THEN x.page % 900 END, CASE WHEN x.timed THEN x.page % 300 END, CASE WHEN x.timed THEN x.page % 50 END,
	CASE WHEN NOT d.anonymous AND k = 0 THEN jsonb_build_object('2', 'section ' || x.page % 8) END
FROM drawn d CROSS JOIN generate_series(0, 2) k CROSS JOIN LATERAL (SELECT CASE k WHEN 0 THEN d.page1 WHEN 1 THEN d.page2 ELSE d.page3 END AS page, k = 0 AND d.n % 2 = 0 AS timed,
	CASE WHEN k = 1 AND d.kind2 >= 0.95 THEN 'search' WHEN k = 1 AND d.kind2 >= 0.85 THEN 'event' WHEN k = 2 AND d.kind3 >= 0.98 THEN 'content'
		WHEN k = 2 AND d.kind3 >= 0.93 THEN 'outlink' WHEN k = 2 AND d.kind3 >= 0.88 THEN 'download' ELSE 'page' END AS kind) x
ORDER BY d.n, k;

INSERT INTO pk_tracking.log_conversion (idvisit, idlink_va, idsite, server_time, idvisitor, consent, idgoal, buster, idorder, items, revenue, revenue_subtotal, revenue_tax, revenue_shipping, revenue_discount, referer_type, referer_name, referer_keyword, visitor_count_visits, visitor_returning, visitor_seconds_since_first)
SELECT v.idvisit, v.idvisit * 3 + 2, :site, v.visit_last_action_time, v.idvisitor, v.consent, g, 0, CASE g WHEN 0 THEN 'order ' || v.idvisit END, CASE WHEN g <= 0 THEN 2 END, CASE g WHEN 1 THEN 5 ELSE 100 + v.idvisit % 50 END,
	CASE g WHEN 0 THEN 90 END, CASE g WHEN 0 THEN 10 END, CASE g WHEN 0 THEN 3 END, CASE g WHEN 0 THEN 0 END, v.referer_type, v.referer_name, v.referer_keyword, v.visitor_count_visits, v.visitor_returning, v.visitor_seconds_since_first
FROM pk_tracking.log_visit v, unnest('{0,1,-1}'::integer[]) g
WHERE CASE g WHEN 0 THEN v.idvisit % 100 = 0 WHEN -1 THEN v.idvisit % 100 = 50 ELSE v.idvisit % 20 = 0 END
ORDER BY v.idvisit;
INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, server_time, idvisitor, consent, idaction_sku, idaction_name, idaction_category, quantity, price, idorder, deleted)
SELECT c.idvisit, :site, c.server_time, c.idvisitor, c.consent, 5000000 + (c.idvisit / 100 + i * 7) % 500, 6000000 + (c.idvisit / 100 + i * 7) % 500, 7000000 + (c.idvisit / 100 + i * 7) % 20, i, 20 + i, coalesce(c.idorder, '0'), false
FROM pk_tracking.log_conversion c, generate_series(1, 2) i WHERE c.idgoal <= 0
ORDER BY c.idvisit;
INSERT INTO pk_tracking.log_visit_length VALUES (:site, 3600);
DROP TABLE drawn;
VACUUM ANALYZE;
