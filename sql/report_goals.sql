-- Goals, attribution, products: a log small enough to check by eye
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('goals', '{https://g.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_goal(:site, 'thanks', 'url', '/thanks', revenue => 5) AS goal, pk_tracking.add_goal(:site, 'call', 'manually', allow_multiple => true) AS second,
	pk_tracking.add_goal(:site, 'nobody ever', 'manually') AS third;

-- 29 March has 23 hours
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, consent, visitor_returning, visitor_count_visits, visitor_seconds_since_first,
	visit_total_actions, visit_total_interactions, visit_goal_converted, visit_goal_buyer, referer_type, referer_name, referer_keyword, location_ip, location_country)
SELECT 8500000000 + x.n, :site, x.at::timestamptz, x.at::timestamptz + interval '10 min', x.visitor::hexid, x.consent, x.again, x.count, extract(epoch FROM x.at::timestamptz - x.first::timestamptz),
	2, 2, x.converted, x.buyer, x.rtype, x.rname, x.rkey, '0.0.0.0', x.country
FROM (VALUES
	(1, '2026-03-01 10:00Z', '2026-03-01 10:00Z', '00000000000000aa', 0, 0, 1, 0, 0, 6, 'spring', 'sale', 'de'),	-- A comes by a campaign,
	(2, '2026-03-05 10:00Z', '2026-03-01 10:00Z', '00000000000000aa', 0, 1, 2, 0, 0, 2, 'Google', NULL, 'de'),	-- by a search engine,
	(3, '2026-03-29 00:30Z', '2026-03-01 10:00Z', '00000000000000aa', 0, 1, 3, 1, 1, 1, NULL, NULL, 'de'),	-- and directly, and buys
	(4, '2026-03-29 21:49Z', '2026-03-29 21:49Z', '00000000000000bb', 1, 0, 1, 1, 0, 3, 'b.example', NULL, 'fr'),	-- B, the last minutes of Sunday
	(5, '2026-03-29 22:00Z', '2026-03-29 21:49Z', '00000000000000bb', 1, 1, 2, 1, 0, 1, NULL, NULL, 'fr'),	-- B, Monday 0:00
	(6, '2026-03-29 12:00Z', '2026-03-29 12:00Z', NULL, 2, 0, 1, 1, 0, 6, 'spring', 'sale', 'de'),	-- an anonymous visit
	(7, '2026-02-20 10:00Z', '2026-02-20 10:00Z', '00000000000000cc', 0, 0, 1, 0, 0, 2, 'Bing', 'shoe', 'us'),	-- C, 37 days before
	(8, '2026-03-29 09:00Z', '2026-02-20 10:00Z', '00000000000000cc', 0, 1, 9, 1, 2, 1, NULL, NULL, 'us'),	-- C, who has been there eight times, the log says twice
	(9, '2026-03-29 10:00Z', '2026-03-29 10:00Z', '00000000000000dd', 0, 0, 1, 0, 2, 6, 'spring', NULL, 'us'))	-- D does not convert, and leaves a cart
	AS x(n, at, first, visitor, consent, again, count, converted, buyer, rtype, rname, rkey, country);
INSERT INTO pk_tracking.log_conversion (idvisit, idsite, server_time, idgoal, buster, idorder, revenue, items, idvisitor, consent, visitor_returning, visitor_count_visits, visitor_seconds_since_first, referer_type, referer_name, referer_keyword)
SELECT v.idvisit, v.idsite, v.visit_first_action_time + x.seconds * interval '1 s', x.goal, x.buster, x.idorder, x.revenue, x.items, v.idvisitor, v.consent, v.visitor_returning, v.visitor_count_visits, v.visitor_seconds_since_first,
	v.referer_type, v.referer_name, v.referer_keyword
FROM (VALUES (3, 60, 1, 0, NULL, 5, NULL), (3, 90, 0, 0, 'O1', 100.50, 3), (4, 659, 1, 0, NULL, 5, NULL), (5, 0, 2, 1, NULL, 0, NULL), (5, 1, 2, 2, NULL, 0, NULL), (6, 60, 1, 0, NULL, 5, NULL),
	(8, 0, 2, 3, NULL, 7, NULL), (8, 9, -1, 0, NULL, 20, 1), (9, 9, -1, 0, NULL, 40, 2)) AS x(visit, seconds, goal, buster, idorder, revenue, items)
	JOIN pk_tracking.log_visit v ON v.idvisit = 8500000000 + x.visit;

-- Goals, orders and carts -------------------------------------------------
-- five visits acted on the 29th, three of new visitors
SELECT idgoal, name, nb_conversions, nb_visits_converted, revenue, conversion_rate, items, avg_order_revenue, nb_visits_anonymous, anonymous_rate FROM pk_tracking.report_goal_summary(:site, '2026-03-29', '2026-03-29');
SELECT idgoal, nb_conversions_new_visit, nb_visits_converted_new_visit, revenue_new_visit, conversion_rate_new_visit, nb_conversions_returning_visit, nb_visits_converted_returning_visit, revenue_returning_visit, conversion_rate_returning_visit
FROM pk_tracking.report_goal_summary(:site, '2026-03-29', '2026-03-29');
-- on the 30th visit 5 alone acts
SELECT idgoal, nb_conversions, nb_visits_converted, conversion_rate FROM pk_tracking.report_goal_summary(:site, '2026-03-30', '2026-03-30');

-- by a dimension of the visit: two visits of Germany acted, one of France, two of the USA
SELECT * FROM pk_tracking.report_goals_by(:site, '2026-03-29', '2026-03-29', 'countryCode');
-- of the visit, and as the conversion has it: two meanings, which are one here
SELECT idgoal, label, nb_conversions, nb_visits FROM pk_tracking.report_goals_by(:site, '2026-03-29', '2026-03-29', 'referrerType', goal => 1);
SELECT idgoal, referrer_type, nb_conversions FROM pk_tracking.report_conversions(:site, '2026-03-29', '2026-03-29') WHERE idgoal = 1 ORDER BY 2;
UPDATE pk_tracking.log_conversion SET referer_type = 2, referer_name = 'Google' WHERE idvisit = 8500000003 AND idgoal = 1;
SELECT idgoal, label, nb_conversions, nb_visits FROM pk_tracking.report_goals_by(:site, '2026-03-29', '2026-03-29', 'referrerType', goal => 1);
SELECT idgoal, referrer_type, nb_conversions FROM pk_tracking.report_conversions(:site, '2026-03-29', '2026-03-29') WHERE idgoal = 1 ORDER BY 2;
-- ranges, and what is absent
SELECT idgoal, label, nb_conversions, nb_visits, conversion_rate FROM pk_tracking.report_goals_by(:site, '2026-03-29', '2026-03-29', 'visitCount', filter => 'visitorType!=new');
SELECT idgoal, label, nb_conversions, nb_visits, conversion_rate FROM pk_tracking.report_goals_by(:site, '2026-03-29', '2026-03-29', 'resolution');

-- Hours, by the site's clock: A at 1:31, anonymous at 14:01, B at 23:59:59, C at 11:00; B again at 0:00 of the next day
SELECT * FROM pk_tracking.report_conversion_hours(:site, '2026-03-29', '2026-03-29');
SELECT idgoal, hour, nb_conversions, nb_visits_converted, revenue FROM pk_tracking.report_conversion_hours(:site, '2026-03-30', '2026-03-30');
-- 2:30 comes twice on 25 October
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, visit_total_actions, visit_goal_converted, location_ip)
	VALUES (8500000010, :site, '2026-10-25 00:20Z', '2026-10-25 02:30Z', '00000000000000ee', 3, 1, '0.0.0.0');
INSERT INTO pk_tracking.log_conversion (idvisit, idsite, server_time, idgoal, buster, revenue, idvisitor)
	VALUES (8500000010, :site, '2026-10-25 00:30Z', 2, 10, 1, '00000000000000ee'), (8500000010, :site, '2026-10-25 01:30Z', 2, 11, 2, '00000000000000ee'), (8500000010, :site, '2026-10-25 02:30Z', 2, 12, 4, '00000000000000ee');
SELECT idgoal, hour, nb_conversions, nb_visits_converted, revenue FROM pk_tracking.report_conversion_hours(:site, '2026-10-25', '2026-10-25');

-- How long it took --------------------------------------------------------
SELECT days, nb_conversions, nb_conversions_percentage, nb_visits_converted, revenue, anonymous_rate FROM pk_tracking.report_days_to_conversion(:site, '2026-03-29', '2026-03-29');
SELECT days, nb_conversions FROM pk_tracking.report_days_to_conversion(:site, '2026-03-29', '2026-03-29', goal => 2) WHERE nb_conversions > 0;
SELECT days, nb_conversions FROM pk_tracking.report_days_to_conversion(:site, '2026-03-29', '2026-03-29', goal => 0) WHERE nb_conversions > 0;
SELECT visits, nb_conversions, nb_conversions_percentage, nb_visits_converted, revenue, anonymous_rate FROM pk_tracking.report_visits_to_conversion(:site, '2026-03-29', '2026-03-29');
SELECT visits, nb_conversions FROM pk_tracking.report_visits_to_conversion(:site, '2026-03-30', '2026-03-30') WHERE nb_conversions > 0;

-- Attribution -------------------------------------------------------------
-- A: campaign first, search engine last but for the direct visit; B: the website; C: the search engine is too old
SELECT * FROM pk_tracking.report_attribution(:site, '2026-03-29', '2026-03-29');
SELECT * FROM pk_tracking.report_attribution(:site, '2026-03-29', '2026-03-29', within_days => 60, goal => 2);
-- 25 days reach back to the search engine only
SELECT * FROM pk_tracking.report_attribution(:site, '2026-03-29', '2026-03-29', within_days => 25, goal => 0);
-- in 5 days nothing
SELECT * FROM pk_tracking.report_attribution(:site, '2026-03-29', '2026-03-29', within_days => 5, goal => 0);
-- the earlier visit of B is of the day before
SELECT * FROM pk_tracking.report_attribution(:site, '2026-03-30', '2026-03-30', within_days => NULL);
SELECT * FROM pk_tracking.report_attribution(:site, '2026-03-29', '2026-03-29', visitors => 'anonymous');

-- Products ----------------------------------------------------------------
INSERT INTO pk_tracking.log_action (idaction, idsite, type, name) SELECT a.id, :site, a.type, a.name
FROM (VALUES (8500601, 5, 'SKU1'), (8500602, 6, 'Shoe'), (8500603, 7, 'Shoes'), (8500604, 7, 'Red'), (8500605, 5, 'SKU2'), (8500606, 6, 'Boot'), (8500607, 5, 'SKU3'), (8500608, 6, 'Hat'), (8500602, 6, 'Shoe')) AS a(id, type, name);
-- the order: two SKU1 and one SKU2 of the same name; a cart of C with SKU2, a cart of D with two hats without category and a deleted boot
INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, server_time, idvisitor, idaction_sku, idaction_name, idaction_category, idaction_category2, price, quantity, idorder, deleted)
SELECT v.idvisit, v.idsite, v.visit_first_action_time + interval '90 s', v.idvisitor, x.sku, x.name, x.cat, x.cat2, x.price, x.quantity, x.idorder, x.deleted
FROM (VALUES (3, 8500601, 8500602, 8500603, 8500604, 25.25, 2, 'O1', false), (3, 8500605, 8500602, 8500603, 8500603, 50, 1, 'O1', false),
	(8, 8500605, 8500602, 8500603, NULL, 20, 1, '0', false), (9, 8500607, 8500608, NULL, NULL, 20, 2, '0', false), (9, 8500605, 8500606, 8500604, NULL, 99, 1, '0', true)) AS x(visit, sku, name, cat, cat2, price, quantity, idorder, deleted)
	JOIN pk_tracking.log_visit v ON v.idvisit = 8500000000 + x.visit;
-- A looks at SKU1 and D twice at the boot, which nobody buys, and once at the category Red
INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, server_time, idvisitor, idaction_url, idaction_product_sku, idaction_product_name, idaction_product_cat, idaction_product_cat2, product_price)
SELECT 8500000000 + x.n, v.idvisit, v.idsite, v.visit_first_action_time + x.n * interval '1 s', v.idvisitor, 0, x.sku, x.name, x.cat, x.cat2, x.price
FROM (VALUES (3, 1, 8500601, 8500602, 8500603, 8500604, 30), (9, 2, 8500605, 8500606, 8500603, NULL, 90), (9, 3, 8500605, 8500606, 8500603, NULL, 100), (9, 4, NULL, NULL, 8500604, NULL, NULL)) AS x(visit, n, sku, name, cat, cat2, price)
	JOIN pk_tracking.log_visit v ON v.idvisit = 8500000000 + x.visit;
SELECT * FROM pk_tracking.report_product_names(:site, '2026-03-29', '2026-03-29');
SELECT * FROM pk_tracking.report_product_categories(:site, '2026-03-29', '2026-03-29');
SELECT * FROM pk_tracking.report_product_categories(:site, '2026-03-30', '2026-03-30');
DELETE FROM pk_tracking.log_visit WHERE idsite = :site;
DELETE FROM pk_tracking.log_action WHERE idaction BETWEEN 8500000 AND 8599999;
