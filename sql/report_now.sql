-- Sites beside each other, what happens now, and single visitors: a log small
-- enough to check by eye
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('now: Berlin', '{https://b.example}', 'Europe/Berlin') AS berlin \gset
SELECT pk_tracking.add_site('now: Kiritimati', '{https://k.example}', 'Pacific/Kiritimati') AS kiritimati \gset
SELECT pk_tracking.add_site('now: Midway', '{https://m.example}', 'Pacific/Midway') AS midway \gset
SELECT pk_tracking.add_goal(:berlin, 'thanks', 'url', '/thanks', revenue => 5) AS goal \gset
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name) VALUES (8700001, :berlin, 1, 2, 'b.example/'), (8700002, :berlin, 1, 2, 'b.example/thanks'), (8700001, :berlin, 1, 2, 'b.example/');
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, user_id, consent, visitor_returning, visitor_count_visits, visit_total_time,
	visit_total_actions, visit_total_interactions, visit_total_searches, visit_goal_converted, visit_goal_buyer, referer_type, referer_name, location_ip, location_country, config_os, config_browser_name, config_device_type,
	visit_entry_idaction_url, visit_exit_idaction_url)
SELECT 8700000000 + x.n, x.site, x.at::timestamptz, x.at::timestamptz + x.seconds * interval '1 s', x.visitor::hexid, x.usr, x.consent, x.count - 1, x.count, x.seconds,
	x.actions, x.actions, x.searches, x.converted, x.buyer, x.rtype, x.rname, '0.0.0.0', x.country, 'WIN', 'FF', x.device, 8700001, 8700002
FROM (VALUES
	(1, :berlin, '2026-03-28 22:59:59Z', '00000000000000aa', NULL, 0, 1, 60, 2, 0, 0, 0, 1, NULL, 'de', 0),	-- Berlin, Saturday, the last second
	(2, :berlin, '2026-03-28 23:00:00Z', '00000000000000bb', 'jo', 0, 1, 600, 5, 1, 1, 1, 3, 'x.example', 'de', 1),	-- Sunday, the first
	(3, :berlin, '2026-03-29 21:50:00Z', '00000000000000bb', 'jo', 1, 2, 599, 1, 0, 0, 0, 1, NULL, 'fr', 1),	-- Sunday, the last ten minutes
	(4, :berlin, '2026-03-29 21:30:00Z', NULL, NULL, 2, 1, 1200, 3, 0, 0, 0, 6, 'spring', 'de', 0),	-- anonymous
	(5, :berlin, '2026-03-29 22:00:00Z', '00000000000000cc', 'jo', 0, 1, 0, 1, 0, 0, 0, 1, NULL, 'de', 0),	-- Monday
	(6, :kiritimati, '2026-03-28 10:00:00Z', '00000000000000dd', NULL, 0, 1, 1, 1, 0, 0, 0, 1, NULL, NULL, NULL),	-- Kiritimati, Sunday, the first second
	(7, :kiritimati, '2026-03-29 10:00:00Z', '00000000000000dd', NULL, 0, 2, 1, 1, 0, 0, 0, 1, NULL, NULL, NULL),	-- Monday
	(8, :midway, '2026-03-30 10:59:59Z', '00000000000000ee', NULL, 0, 1, 1, 1, 0, 0, 0, 1, NULL, NULL, NULL),	-- Midway, Sunday, the last second
	(9, :midway, '2026-03-28 11:00:00Z', '00000000000000ee', NULL, 0, 1, 1, 7, 0, 0, 0, 1, NULL, NULL, NULL),	-- Saturday,
	(10, :midway, '2026-03-28 12:00:00Z', '00000000000000ee', NULL, 0, 1, 1, 8, 0, 0, 0, 1, NULL, NULL, NULL))	-- twice
	AS x(n, site, at, visitor, usr, consent, count, seconds, actions, searches, converted, buyer, rtype, rname, country, device);
INSERT INTO pk_tracking.log_conversion (idvisit, idsite, server_time, idgoal, idorder, revenue, idvisitor, consent)
SELECT v.idvisit, v.idsite, v.visit_first_action_time + x.seconds * interval '1 s', x.goal, x.idorder, x.revenue, v.idvisitor, v.consent
FROM (VALUES (2, 10, 1, NULL, 5), (2, 20, 0, 'N1', 45), (2, 30, -1, NULL, 99)) AS x(visit, seconds, goal, idorder, revenue) JOIN pk_tracking.log_visit v ON v.idvisit = 8700000000 + x.visit;
-- of visit 4 an action in the first and in the last of ten minutes, of visit 3 one in the last
INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, server_time, idvisitor, consent, idaction_url, idaction_content_name)
SELECT 8700000000 + x.n, v.idvisit, v.idsite, x.at::timestamptz, v.idvisitor, v.consent, 8700001, x.content
FROM (VALUES (1, 4, '2026-03-29 21:39:59Z', NULL), (2, 4, '2026-03-29 21:40:00Z', NULL), (3, 4, '2026-03-29 21:40:59Z', NULL), (4, 4, '2026-03-29 21:49:00Z', NULL), (5, 3, '2026-03-29 21:49:59Z', NULL),
	(6, 3, '2026-03-29 21:49:59Z', 8700001), (7, 3, '2026-03-29 21:50:00Z', NULL)) AS x(n, visit, at, content) JOIN pk_tracking.log_visit v ON v.idvisit = 8700000000 + x.visit;

-- Sites -------------------------------------------------------------------
-- each by its own Sunday, beside its own Saturday
SELECT name, nb_visits, nb_uniq_visitors, nb_actions, nb_pageviews, nb_conversions, revenue, orders, orders_revenue, nb_visits_anonymous, anonymous_rate
FROM pk_tracking.report_sites('2026-03-29', '2026-03-29') WHERE name LIKE 'now: %';
SELECT name, nb_visits, previous_nb_visits AS before, visits_evolution, previous_nb_actions AS actions_before, actions_evolution, previous_nb_pageviews AS pageviews_before, pageviews_evolution, previous_revenue AS revenue_before, revenue_evolution
FROM pk_tracking.report_sites('2026-03-29', '2026-03-29') WHERE name LIKE 'now: %';
SELECT name, nb_visits, previous_nb_visits, visits_evolution, revenue_evolution FROM pk_tracking.report_sites('2026-03-30', '2026-03-31') WHERE name LIKE 'now: %';
-- a month, and the month before
SELECT name, nb_visits, previous_nb_visits FROM pk_tracking.report_sites('2026-04-01', '2026-04-30') WHERE name LIKE 'now: %';
SELECT x.f, x.t, pk_tracking_internal.report_day_before(x.f, x.t) FROM (VALUES ('2026-03-29'::date, '2026-03-29'::date), ('2026-03-01', '2026-03-31'), ('2024-02-01', '2024-03-31'), ('2026-01-01', '2026-12-31'), ('2026-03-01', '2026-03-30'), ('2026-03-02', '2026-03-31')) AS x(f, t);
-- a filter, the kinds of visitors
SELECT name, nb_visits, nb_actions, revenue FROM pk_tracking.report_sites('2026-03-29', '2026-03-29', filter => 'deviceType==smartphone') WHERE name LIKE 'now: %';
SELECT name, nb_visits, nb_uniq_visitors FROM pk_tracking.report_sites('2026-03-29', '2026-03-29', 'anonymous') WHERE name LIKE 'now: %';
-- as many sites as the role may see
SELECT count(*) = (SELECT count(*) FROM pk_tracking.site) AS all_sites FROM pk_tracking.report_sites('2026-03-29', '2026-03-29');
CREATE ROLE regress_pkt_now;
SELECT pk_tracking.grant_analyst('regress_pkt_now');
ALTER TABLE pk_tracking.site ENABLE ROW LEVEL SECURITY;
CREATE POLICY regress_pkt_now ON pk_tracking.site TO regress_pkt_now USING (name = 'now: Berlin');
SET ROLE regress_pkt_now;
SELECT name, nb_visits FROM pk_tracking.report_sites('2026-03-29', '2026-03-29');
RESET ROLE;
DROP POLICY regress_pkt_now ON pk_tracking.site;
ALTER TABLE pk_tracking.site DISABLE ROW LEVEL SECURITY;
\set SHOW_CONTEXT never
SELECT * FROM pk_tracking.report_sites('2026-03-30', '2026-03-29');
SELECT * FROM pk_tracking.report_sites('2026-03-30', '2026-03-30', 'robots');

-- Now ---------------------------------------------------------------------
-- the ten minutes up to 23:49:59: two visits; 3 begins a second later, and 1 and 2 are over
SELECT local_time, nb_visits, nb_uniq_visitors, nb_visits_converted, nb_actions, actions_per_minute, nb_visits_anonymous, jsonb_array_length(visits) AS visits
FROM pk_tracking.report_live(:berlin, 10, at => '2026-03-29 23:49:59.9+02');
SELECT local_time, nb_visits, nb_actions, actions_per_minute, jsonb_array_length(visits) AS visits FROM pk_tracking.report_live(:berlin, 10, 1, at => '2026-03-29 23:50:00+02');
SELECT jsonb_pretty(visits) FROM pk_tracking.report_live(:berlin, 10, at => '2026-03-29 23:50:00+02');
-- visit 2 lasts until 0:10, on the day that clocks change
SELECT nb_visits, nb_visits_converted, nb_actions FROM pk_tracking.report_live(:berlin, at => '2026-03-29 00:39:59+01');
SELECT nb_visits, nb_visits_converted, nb_actions FROM pk_tracking.report_live(:berlin, at => '2026-03-29 00:40:00+01');
SELECT nb_visits, nb_visits_anonymous FROM pk_tracking.report_live(:berlin, 10, at => '2026-03-29 23:50:00+02', visitors => 'anonymous');
SELECT nb_visits, nb_actions FROM pk_tracking.report_live(:berlin, 10, at => '2026-03-29 23:50:00+02', filter => 'deviceType==smartphone');
SELECT nb_visits, nb_actions, actions_per_minute, visits FROM pk_tracking.report_live(:midway, 3);
-- what a hit of now does is there at once
SELECT outcome FROM pk_tracking.track(:midway, 'https://m.example/', ip => '203.0.113.7', user_agent => 'an agent', visitor_id => '00000000000000ab');
SELECT nb_visits, nb_uniq_visitors, nb_actions, visits -> 0 ->> 'idvisitor' AS visitor, visits -> 0 ->> 'entry_url' AS url FROM pk_tracking.report_live(:midway, 5);
SELECT * FROM pk_tracking.report_live(:berlin, 0);
SELECT * FROM pk_tracking.report_live(:berlin, NULL);
SELECT * FROM pk_tracking.report_live(0);

-- Visitors ----------------------------------------------------------------
SELECT * FROM pk_tracking.report_visitor(:berlin, '00000000000000bb', max_visits => 0) \gx
SELECT jsonb_pretty(visits) FROM pk_tracking.report_visitor(:berlin, '00000000000000bb', max_visits => 1);
-- two visitor ids of one user
SELECT visitor_ids, user_ids, nb_visits, nb_actions, first_visit, last_visit, last_action, countries, jsonb_array_length(visits) AS visits FROM pk_tracking.report_visitor(:berlin, user_id => 'jo');
SELECT visitor_ids, nb_visits FROM pk_tracking.report_visitor(:berlin, '00000000000000cc', 'jo');
SELECT visitor_ids, nb_visits FROM pk_tracking.report_visitor(:berlin, user_id => 'jo', filter => 'countryCode==fr');
SELECT count(*) AS none FROM pk_tracking.report_visitor(:berlin, '00000000000000dd');
SELECT * FROM pk_tracking.report_visitor(:berlin);
SELECT * FROM pk_tracking.report_visitor(0, '00000000000000dd');

DROP OWNED BY regress_pkt_now;
DROP ROLE regress_pkt_now;
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:berlin, :kiritimati, :midway);
DELETE FROM pk_tracking.log_action WHERE idaction BETWEEN 8700000 AND 8799999;
