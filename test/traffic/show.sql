-- What the demo shows of the log, in lines of at most 80 characters.  The recorded
-- trackers are site 1.
SET TimeZone = 'UTC';
SELECT idsite AS week_site FROM traffic.site WHERE look_back > 0 \gset
-- control characters of texts that a tracker has spoilt
CREATE FUNCTION pg_temp.shown(t text, n integer) RETURNS text LANGUAGE sql AS $$ SELECT left(regexp_replace(t, '[\u0001-\u001f\u007f-\u009f]', '?', 'g'), n) $$;

\echo
\echo 'What the real trackers sent, and what became of it'
\echo '--------------------------------------------------'
\echo '(The requests were recorded from three browsers with the JavaScript tracker and'
\echo ' from two libraries. "other": searches, downloads, outlinks, content,'
\echo ' heartbeats and carts.)'
\echo
SELECT c.device AS "sent by", count(*) AS hits, count(DISTINCT (r.result).idvisit) AS visits,
	count(*) FILTER (WHERE a.kind = 'page') AS pages, count(*) FILTER (WHERE a.kind = 'event') AS events,
	count(*) FILTER (WHERE a.kind NOT IN ('page', 'event') OR c.kind IN ('heartbeat', 'cart')) AS other,
	count(*) FILTER (WHERE c.kind = 'goal') AS goals, count(*) FILTER (WHERE c.kind = 'order') AS orders
FROM clients.hit c
	LEFT JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n
	LEFT JOIN pk_tracking.action a ON a.idlink_va = (r.result).idlink_va AND a.idvisit = (r.result).idvisit
GROUP BY 1 ORDER BY 1;

\echo
\echo 'A PHP library and a browser (desktop-de): every hit, and where it went'
\echo '----------------------------------------------------------------------'
\echo '(In the order of arrival. "id": the first digits of the visitor id that the'
\echo ' visit has after the hit. It changes where somebody logs in: the user id makes'
\echo ' it then. After the log-out the cookie leads back to the visit before the'
\echo ' log-in. Two more browsers log in as the same user: their hits go to the same'
\echo ' visit. The garbled name is what the page sent. Goals, carts and orders have no'
\echo ' action of their own; they stand with the conversions, below.)'
\echo
SELECT dense_rank() OVER (ORDER BY (r.result).idvisit) AS visit, coalesce(a.kind, c.kind) AS kind,
	(r.result).matched_by AS "matched by", (r.result).reason AS decision, left((r.result).idvisitor::text, 4) AS id,
	pg_temp.shown(CASE a.kind WHEN 'event' THEN concat_ws(' / ', a.event_category, a.event_action, a.event_name, a.event_value) WHEN 'search' THEN concat_ws(', ', a.search_keyword, a.search_category, a.search_count || ' results')
		WHEN 'content' THEN concat_ws(' / ', a.content_name, a.content_piece, a.content_target) WHEN 'page' THEN concat_ws(', ', a.title, a.product_name || ' ' || a.product_price)
		ELSE coalesce(a.url, (SELECT string_agg(regexp_replace(p, '%40', '@'), ' ') FROM unnest(regexp_split_to_array(c.query, '&')) p WHERE p ~ '^(revenue|ec_id|ping)=')) END, 25) AS what
FROM clients.hit c
	JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n
	LEFT JOIN pk_tracking.action a ON a.idlink_va = (r.result).idlink_va AND a.idvisit = (r.result).idvisit
WHERE c.device IN ('desktop-de', 'matomo-php-tracker')
ORDER BY c.n;

\echo
\echo 'Goals that they reached, and orders'
\echo '-----------------------------------'
\echo '("from": the campaign, search engine or website that is credited)'
\echo
SELECT v.device AS "sent by", CASE WHEN k.idgoal > 0 THEN g.name WHEN k.idgoal = 0 THEN 'order ' || coalesce(k.idorder, k.order_conflict) ELSE 'cart' END AS conversion, k.revenue,
	(SELECT string_agg(format('%s x %s at %s', i.quantity, n.name, i.price), ', ' ORDER BY n.name) FROM pk_tracking.log_conversion_item i
		JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = i.idsite AND a.idaction = i.idaction_name LIMIT 1) n ON true
		WHERE i.idvisit = k.idvisit AND NOT i.deleted AND k.idgoal <= 0 AND i.idorder = coalesce(k.idorder, k.order_conflict, '0')) AS contents,
	coalesce(nullif(k.referer_name, ''), pk_tracking.referrer_type_name(k.referer_type)) AS "from"
FROM pk_tracking.log_conversion k
	JOIN LATERAL (SELECT min(c.device) AS device FROM clients.hit c JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n WHERE (r.result).idvisit = k.idvisit) v ON true
	LEFT JOIN pk_tracking.goal g USING (idsite, idgoal)
WHERE k.idsite = 1
ORDER BY k.server_time, k.idvisit, k.idgoal DESC;

\echo
\echo 'The browsers'' day as reports'
\echo '----------------------------'
\echo '(report_visit_log, _events, _searches, _goals, _products; reports have more'
\echo ' columns than are shown here. The visits last seconds, because a program moved'
\echo ' the browsers; the second one of each is a returning visitor''s.)'
\echo
SELECT to_char(l.local_time, 'HH24:MI:SS') AS began, replace(l.visitor_type, 'returning customer', 'customer') AS visitor, l.visit_total_time AS seconds, l.browser,
	pg_temp.shown((SELECT string_agg(coalesce(x ->> 'title', x ->> 'search_keyword', x ->> 'event_action', x ->> 'kind'), ' > ' ORDER BY o) FROM jsonb_array_elements(l.actions) WITH ORDINALITY e(x, o)), 27) AS "actions"
FROM pk_tracking.report_visit_log(1, '2026-11-21', '2026-11-21') l;
SELECT category, action, pg_temp.shown(name, 16) AS name, nb_events, nb_visits, sum_event_value FROM pk_tracking.report_events(1, '2026-11-21', '2026-11-21');
SELECT keyword, nb_hits, nb_no_result, nb_visits, nb_uniq_visitors FROM pk_tracking.report_searches(1, '2026-11-21', '2026-11-21');
SELECT idgoal, name, nb_conversions, revenue, conversion_rate FROM pk_tracking.report_goals(1, '2026-11-21', '2026-11-21');
SELECT name, category, orders, quantity, revenue, avg_price, abandoned_carts FROM pk_tracking.report_products(1, '2026-11-21', '2026-11-21');

\echo
\echo 'The generated week: visits per day of the site''s own clock'
\echo '----------------------------------------------------------'
\echo '("back": visits of returning visitors. Visitors are looked for as far back as a'
\echo ' visit may pause, 30 minutes, so that at Shop hardly anybody returns; at Docs'
\echo ' for a week; News has an old tracker, whose cookies tell of earlier visits. A'
\echo ' few visits of the last night run into a second Saturday.)'
\echo
SELECT coalesce(to_char(day, 'Dy YYYY-MM-DD'), 'all days') AS day,
	count(*) FILTER (WHERE site = 'Docs') AS "Docs", count(*) FILTER (WHERE site = 'Docs' AND back) AS back,
	count(*) FILTER (WHERE site = 'News') AS "News", count(*) FILTER (WHERE site = 'News' AND back) AS back,
	count(*) FILTER (WHERE site = 'Shop') AS "Shop", count(*) FILTER (WHERE site = 'Shop' AND back) AS back
FROM (SELECT v.site, v.visitor_type <> 'new' AS back, v.local_time::date AS day FROM pk_tracking.visit v WHERE v.idsite IN (SELECT idsite FROM traffic.site)) v
GROUP BY ROLLUP (v.day) ORDER BY v.day NULLS LAST;
SELECT site, count(*) AS visits, sum(visit_total_actions) AS "page views", count(DISTINCT idvisitor) AS "unique visitors"
FROM pk_tracking.visit WHERE idsite IN (SELECT idsite FROM traffic.site) GROUP BY site ORDER BY site;

\echo
\echo 'By what visitors were recognised, and what was decided'
\echo '------------------------------------------------------'
\echo '(Page views. "none" and "unknown": nobody was found, a new visitor''s visit'
\echo ' begins. "inactivity": the visitor was found, but the last visit is over; only'
\echo ' Docs looks back that far.)'
\echo
SELECT CASE WHEN idsite = :week_site THEN 'Docs' ELSE 'others' END AS site, matched_by AS "matched by",
	count(*) FILTER (WHERE decision = 'continue') AS "continue",
	count(*) FILTER (WHERE decision = 'unknown') AS "unknown",
	count(*) FILTER (WHERE decision = 'inactivity') AS inactivity,
	count(*) FILTER (WHERE decision = 'midnight') AS midnight,
	count(*) FILTER (WHERE decision NOT IN ('continue', 'unknown', 'inactivity', 'midnight')) AS other
FROM pk_tracking.action
WHERE idsite IN (SELECT idsite FROM traffic.site)
GROUP BY 1, 2 ORDER BY 1, count(*) DESC;

\echo
\echo 'The shop''s week as reports: visits a day (report_visits)'
\echo '--------------------------------------------------------'
\echo
SELECT min(idsite) AS shop FROM traffic.site \gset
SELECT first_day AS day, nb_visits AS visits, nb_uniq_visitors AS visitors, nb_pageviews AS pages, bounce_rate AS "bounce %", avg_time_on_site AS seconds, revenue
FROM pk_tracking.report_visits(:shop, '2026-11-14', '2026-11-20');

\echo
\echo 'Where its visits came from (report_countries, report_cities)'
\echo '------------------------------------------------------------'
\echo '(addresses and GeoIP file are made up)'
\echo
SELECT country, nb_visits, nb_uniq_visitors, bounce_rate, avg_time_on_site FROM pk_tracking.report_countries(:shop, '2026-11-14', '2026-11-20') LIMIT 10;
SELECT country, region, city, nb_visits, nb_uniq_visitors, bounce_rate FROM pk_tracking.report_cities(:shop, '2026-11-14', '2026-11-20') LIMIT 6;

\echo
\echo 'By whom (report_referrers, report_campaigns), and its goals (report_goals)'
\echo '--------------------------------------------------------------------------'
\echo '(Facebook is among the search engines: so it is in Matomo''s list. A page with'
\echo ' the goal "Page 1" is worth 2; the other goal is worth nothing.)'
\echo
SELECT referrer_type, referer_name, nb_visits, bounce_rate, nb_conversions FROM pk_tracking.report_referrers(:shop, '2026-11-14', '2026-11-20') LIMIT 10;
SELECT referer_name, referer_keyword, nb_visits, bounce_rate, nb_conversions FROM pk_tracking.report_campaigns(:shop, '2026-11-14', '2026-11-20') LIMIT 6;
SELECT idgoal, name, nb_conversions, revenue, conversion_rate FROM pk_tracking.report_goals(:shop, '2026-11-14', '2026-11-20');

\echo
\echo 'With what'
\echo '---------'
\echo '(the log keeps Matomo''s codes: CH Chrome, MF Mobile Safari, AP Apple …; the'
\echo ' view pk_tracking.visit and the reports have the names)'
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

\echo
\echo 'One generated visitor: visits, and the reason of every decision'
\echo '---------------------------------------------------------------'
\echo '(Someone who logs in at Docs, on one device or two; times of the site''s clock.'
\echo ' "id": the first half of the visitor id. The log-in makes the visitor id of the'
\echo ' visit that of the user. A visit on another device without log-in is somebody'
\echo ' new: nothing ties it to the user. A visit of one page lasts 0 seconds.)'
\echo
SELECT dense_rank() OVER (ORDER BY v.visit_first_action_time, v.idvisit) AS visit,
	to_char(v.local_time, 'Dy HH24:MI:SS') AS began, v.visit_total_time AS seconds, v.visit_total_actions AS pages,
	v.visitor_type AS visitor, left(v.idvisitor::text, 8) AS id, split_part(v.user_id, '@', 1) AS "user"
FROM pk_tracking.visit v
WHERE v.idvisit IN (SELECT (r.result).idvisit FROM traffic.hit h JOIN traffic.result r ON r.source = 'traffic.hit' AND r.n = h.n
	WHERE h.idsite = :idsite AND h.visitor = :visitor)
ORDER BY 1;

SELECT dense_rank() OVER (ORDER BY v.visit_first_action_time, v.idvisit) AS visit,
	to_char(a.server_time AT TIME ZONE s.timezone, 'Dy HH24:MI:SS') AS at, h.device,
	CASE WHEN h.logged_in THEN 'yes' ELSE '' END AS "user",
	a.matched_by AS "matched by", a.decision, a.title AS page
FROM traffic.hit h
	JOIN traffic.site s USING (idsite)
	JOIN traffic.result r ON r.source = 'traffic.hit' AND r.n = h.n
	JOIN pk_tracking.action a ON a.idlink_va = (r.result).idlink_va AND a.idvisit = (r.result).idvisit
	JOIN pk_tracking.visit v ON v.idvisit = a.idvisit
WHERE h.idsite = :idsite AND h.visitor = :visitor
ORDER BY a.idlink_va;
