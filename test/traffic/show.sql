-- What the demo shows of the log.  The recorded trackers are site 1.
SET TimeZone = 'UTC';
SELECT idsite AS week_site FROM traffic.site WHERE look_back > 0 \gset

\echo
\echo 'What the real trackers sent, and what became of it'
\echo '--------------------------------------------------'
\echo
SELECT c.device AS "sent by", host(min(c.ip)) AS address, count(*) AS hits, count(*) FILTER (WHERE (r.result).outcome = 'recorded') AS recorded, count(DISTINCT (r.result).idvisit) AS visits,
	count(*) FILTER (WHERE a.kind = 'page') AS "page views", count(*) FILTER (WHERE a.kind = 'search') AS searches, count(*) FILTER (WHERE a.kind = 'event') AS events,
	count(*) FILTER (WHERE a.kind = 'download') AS downloads, count(*) FILTER (WHERE a.kind = 'outlink') AS outlinks, count(*) FILTER (WHERE a.kind = 'content') AS content,
	count(*) FILTER (WHERE c.kind = 'heartbeat') AS heartbeats, count(*) FILTER (WHERE c.kind = 'goal') AS "goals by hand", count(*) FILTER (WHERE c.kind = 'cart') AS carts, count(*) FILTER (WHERE c.kind = 'order') AS orders
FROM clients.hit c
	LEFT JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n
	LEFT JOIN pk_tracking.action a ON a.idlink_va = (r.result).idlink_va AND a.idvisit = (r.result).idvisit
GROUP BY 1 ORDER BY 1;

\echo 'One real browser (desktop-de) and one server (PHP): every hit, and where it went'
\echo '--------------------------------------------------------------------------------'
\echo '(goals, carts and orders have no action of their own: they stand with their visit''s conversions, below)'
\echo
SELECT dense_rank() OVER (ORDER BY (r.result).idvisit) AS visit, to_char(c.at, 'HH24:MI:SS') AS at, coalesce(nullif(split_part(c.client, '/', 2), ''), 'PHP') AS flow,
	coalesce(a.kind, c.kind) AS kind, (r.result).matched_by AS "matched by", (r.result).reason AS decision, (r.result).idvisitor AS "visitor id",
	left(CASE a.kind WHEN 'event' THEN concat_ws(' / ', a.event_category, a.event_action, a.event_name, a.event_value) WHEN 'search' THEN concat_ws(', ', a.search_keyword, a.search_category, a.search_count || ' results')
		WHEN 'content' THEN concat_ws(' / ', a.content_name, a.content_piece, a.content_target) WHEN 'page' THEN concat_ws(', ', a.title, a.product_name || ' ' || a.product_price)
		ELSE coalesce(a.url, (SELECT string_agg(regexp_replace(p, '%40', '@'), ' ') FROM unnest(regexp_split_to_array(c.query, '&')) p WHERE p ~ '^(idgoal|revenue|ec_id|ping)=')) END, 48) AS what
FROM clients.hit c
	JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n
	LEFT JOIN pk_tracking.action a ON a.idlink_va = (r.result).idlink_va AND a.idvisit = (r.result).idvisit
WHERE c.device IN ('desktop-de', 'matomo-php-tracker')
ORDER BY c.n;

\echo 'Goals that they reached, and orders'
\echo '-----------------------------------'
\echo
SELECT v.device AS "sent by", CASE WHEN k.idgoal > 0 THEN g.name WHEN k.idgoal = 0 THEN 'order ' || k.idorder ELSE 'cart' END AS conversion, k.revenue, k.revenue_subtotal AS "sub total", k.revenue_tax AS tax, k.revenue_shipping AS shipping, k.items,
	(SELECT string_agg(format('%s x %s at %s', i.quantity, n.name, i.price), ', ' ORDER BY n.name) FROM pk_tracking.log_conversion_item i
		JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = i.idsite AND a.idaction = i.idaction_name LIMIT 1) n ON true
		WHERE i.idvisit = k.idvisit AND NOT i.deleted AND k.idgoal <= 0 AND i.idorder = coalesce(k.idorder, '0')) AS contents,
	k.pageviews_before AS "pages before", concat_ws(' ', pk_tracking.referrer_type_name(k.referer_type), k.referer_name, nullif(k.referer_keyword, '')) AS "attributed to"
FROM pk_tracking.log_conversion k
	JOIN LATERAL (SELECT min(c.device) AS device FROM clients.hit c JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n WHERE (r.result).idvisit = k.idvisit) v ON true
	LEFT JOIN pk_tracking.goal g USING (idsite, idgoal)
WHERE k.idsite = 1
ORDER BY k.server_time, k.idvisit, k.idgoal DESC;

\echo 'The same as reports: visit log of that day (report_visit_log), events, searches, goals, products'
\echo '------------------------------------------------------------------------------------------------'
\echo
SELECT l.local_time, l.visitor_type AS visitor, l.visit_total_actions AS actions, l.visit_total_time AS seconds, l.os, l.browser, l.device_type AS device, concat_ws(' ', l.referrer_type, l.referer_name, nullif(l.referer_keyword, '')) AS "from",
	jsonb_array_length(l.conversions) AS conversions,
	left((SELECT string_agg(coalesce(x ->> 'title', x ->> 'search_keyword', x ->> 'event_action', x ->> 'kind'), ' > ' ORDER BY o) FROM jsonb_array_elements(l.actions) WITH ORDINALITY e(x, o)), 70) AS "what they did"
FROM pk_tracking.report_visit_log(1, '2026-11-21', '2026-11-21') l;
SELECT * FROM pk_tracking.report_events(1, '2026-11-21', '2026-11-21');
SELECT * FROM pk_tracking.report_searches(1, '2026-11-21', '2026-11-21');
SELECT * FROM pk_tracking.report_goals(1, '2026-11-21', '2026-11-21');
SELECT * FROM pk_tracking.report_products(1, '2026-11-21', '2026-11-21');

\echo 'The generated week, per site and day of the site''s own clock'
\echo '------------------------------------------------------------'
\echo '(visitors are looked for as far back as a visit lasts, 30 minutes, but at Docs for a week;'
\echo ' News has an old tracker, whose cookies tell of earlier visits)'
\echo
SELECT coalesce(site, 'all sites') AS site,
	CASE WHEN day IS NULL THEN 'all days' ELSE to_char(day, 'Dy YYYY-MM-DD') END AS day,
	count(*) AS visits, sum(visit_total_actions) AS "page views",
	count(*) FILTER (WHERE visitor_type = 'new') AS "new",
	count(*) FILTER (WHERE visitor_type <> 'new') AS returning,
	count(DISTINCT (idsite, idvisitor)) AS "unique visitors"
FROM (SELECT v.*, v.local_time::date AS day FROM pk_tracking.visit v WHERE v.idsite IN (SELECT idsite FROM traffic.site)) v
GROUP BY GROUPING SETS ((site, day), (site), ())
ORDER BY v.site NULLS LAST, v.day NULLS LAST;

\echo 'By what visitors were recognised, and what was decided'
\echo '------------------------------------------------------'
\echo
SELECT CASE WHEN idsite = :week_site THEN 'Docs: back to a week' ELSE 'others: 30 minutes' END AS "look back",
	matched_by AS "matched by", count(*) AS "page views",
	count(*) FILTER (WHERE decision = 'continue') AS "continue",
	count(*) FILTER (WHERE decision = 'unknown') AS "unknown",
	count(*) FILTER (WHERE decision = 'inactivity') AS inactivity,
	count(*) FILTER (WHERE decision = 'midnight') AS midnight,
	count(*) FILTER (WHERE decision = 'user_changed') AS "user changed",
	count(*) FILTER (WHERE decision NOT IN ('continue', 'unknown', 'inactivity', 'midnight', 'user_changed')) AS other
FROM pk_tracking.action
WHERE idsite IN (SELECT idsite FROM traffic.site)
GROUP BY 1, 2 ORDER BY 1, 3 DESC;

\echo 'The shop''s week as reports: visits a day (report_visits)'
\echo '--------------------------------------------------------'
\echo
SELECT min(idsite) AS shop FROM traffic.site \gset
SELECT first_day AS day, nb_visits AS visits, nb_uniq_visitors AS "unique visitors", nb_actions AS actions, nb_pageviews AS "page views", bounce_rate AS "bounce %", avg_time_on_site AS "seconds a visit", nb_visits_converted AS converted, nb_conversions AS conversions, revenue
FROM pk_tracking.report_visits(:shop, '2026-11-14', '2026-11-20');

\echo 'Where its visits came from (report_countries, report_cities; addresses and GeoIP file are made up)'
\echo '--------------------------------------------------------------------------------------------------'
\echo
SELECT * FROM pk_tracking.report_countries(:shop, '2026-11-14', '2026-11-20') LIMIT 10;
SELECT * FROM pk_tracking.report_cities(:shop, '2026-11-14', '2026-11-20') LIMIT 6;

\echo 'By whom (report_referrers, report_campaigns), and its goals (report_goals)'
\echo '--------------------------------------------------------------------------'
\echo
SELECT * FROM pk_tracking.report_referrers(:shop, '2026-11-14', '2026-11-20') LIMIT 10;
SELECT * FROM pk_tracking.report_campaigns(:shop, '2026-11-14', '2026-11-20') LIMIT 6;
SELECT * FROM pk_tracking.report_goals(:shop, '2026-11-14', '2026-11-20');

\echo 'With what'
\echo '---------'
\echo
SELECT config_os AS "system", config_os_version AS version, config_browser_name AS browser, config_browser_version AS "its version",
	config_device_brand AS brand, config_device_model AS model, count(*) AS visits
FROM pk_tracking.log_visit WHERE idsite IN (SELECT idsite FROM traffic.site)
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 7 DESC, 1, 3;

-- someone who logs in, whose visits show most of the rules
SELECT h.idsite, h.visitor
FROM traffic.hit h
	JOIN traffic.result r ON r.source = 'traffic.hit' AND r.n = h.n
WHERE h.kind = 'login' AND h.idsite = :week_site
GROUP BY 1, 2
HAVING count(*) <= 36 AND count(DISTINCT (r.result).idvisit) BETWEEN 3 AND 8
ORDER BY count(DISTINCT (r.result).reason) + count(DISTINCT (r.result).matched_by) DESC, count(DISTINCT h.device) DESC, count(*), 1, 2
LIMIT 1 \gset

\echo 'One generated visitor: visits, and the reason of every decision'
\echo '---------------------------------------------------------------'
\echo '(someone who logs in at Docs, on one device or two; times of the site''s clock)'
\echo
SELECT dense_rank() OVER (ORDER BY v.visit_first_action_time, v.idvisit) AS visit,
	to_char(v.local_time, 'Dy HH24:MI:SS') AS began, v.visit_total_time AS seconds, v.visit_total_actions AS "page views",
	v.visitor_type AS visitor, v.idvisitor AS "visitor id", v.user_id AS "user", v.location_ip AS ip
FROM pk_tracking.visit v
WHERE v.idvisit IN (SELECT (r.result).idvisit FROM traffic.hit h JOIN traffic.result r ON r.source = 'traffic.hit' AND r.n = h.n
	WHERE h.idsite = :idsite AND h.visitor = :visitor)
ORDER BY 1;

SELECT dense_rank() OVER (ORDER BY v.visit_first_action_time, v.idvisit) AS visit,
	to_char(a.server_time AT TIME ZONE s.timezone, 'Dy HH24:MI:SS') AS at, h.device,
	CASE WHEN h.logged_in THEN 'yes' ELSE '' END AS "logged in",
	a.matched_by AS "matched by", a.decision, a.title AS page
FROM traffic.hit h
	JOIN traffic.site s USING (idsite)
	JOIN traffic.result r ON r.source = 'traffic.hit' AND r.n = h.n
	JOIN pk_tracking.action a ON a.idlink_va = (r.result).idlink_va AND a.idvisit = (r.result).idvisit
	JOIN pk_tracking.visit v ON v.idvisit = a.idvisit
WHERE h.idsite = :idsite AND h.visitor = :visitor
ORDER BY a.idlink_va;
