-- What the demo shows of the log.  The recorded trackers are site 1.
SET TimeZone = 'UTC';
SELECT idsite AS week_site FROM traffic.site WHERE look_back > 0 \gset

\echo
\echo 'What the real trackers sent, and what became of it'
\echo '--------------------------------------------------'
\echo '(heartbeats that come when the visit is over are answered "ignored")'
\echo
SELECT c.device AS "sent by", host(min(c.ip)) AS address,
	count(*) FILTER (WHERE c.kind = 'page view') AS "page views",
	count(*) FILTER (WHERE c.kind = 'page view' AND c.outcome = 'recorded') AS recorded,
	count(DISTINCT c.idvisit) AS visits,
	count(*) FILTER (WHERE c.kind <> 'page view') AS "other hits",
	count(*) FILTER (WHERE c.kind <> 'page view' AND c.outcome = 'recorded') AS "recorded too",
	string_agg(DISTINCT c.kind, ', ') FILTER (WHERE c.kind <> 'page view') AS "other hits are"
FROM (SELECT c.*, (r.result).outcome, (r.result).idvisit
	FROM clients.hit c LEFT JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n) c
GROUP BY 1 ORDER BY 1;

\echo 'One real browser (desktop-de): why each page view went where it went'
\echo '--------------------------------------------------------------------'
\echo
SELECT dense_rank() OVER (ORDER BY a.idvisit) AS visit, to_char(a.server_time, 'HH24:MI:SS') AS at,
	split_part(c.client, '/', 2) AS flow, a.idvisitor AS "visitor id", a.matched_by AS "matched by", a.decision,
	left(a.url, 42) AS url
FROM clients.hit c
	JOIN traffic.result r ON r.source = 'clients.hit' AND r.n = c.n
	JOIN pk_tracking.action a ON a.idlink_va = (r.result).idlink_va AND a.idvisit = (r.result).idvisit
WHERE c.device = 'desktop-de'
ORDER BY a.idlink_va;

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

\echo 'Where visits came from: the ten cities with most'
\echo '------------------------------------------------'
\echo '(addresses are made up, and so is the GeoIP file that the demo has made for them)'
\echo
SELECT location_country AS country, location_region AS region, location_city AS city, count(*) AS visits,
	round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS "%"
FROM pk_tracking.log_visit WHERE idsite IN (SELECT idsite FROM traffic.site)
GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2 LIMIT 10;

SELECT coalesce(location_continent, 'unknown') AS continent, coalesce(location_country, 'unknown') AS country, count(*) AS visits
FROM pk_tracking.log_visit WHERE idsite IN (SELECT idsite FROM traffic.site)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2;

\echo 'With what'
\echo '---------'
\echo
SELECT config_os AS "system", config_os_version AS version, config_browser_name AS browser, config_browser_version AS "its version",
	config_device_brand AS brand, config_device_model AS model, count(*) AS visits
FROM pk_tracking.log_visit WHERE idsite IN (SELECT idsite FROM traffic.site)
GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 7 DESC, 1, 3;

\echo 'Sent by whom'
\echo '------------'
\echo
SELECT referrer_type AS referrer, coalesce(referer_name, '') AS name, count(*) AS visits, round(avg(visit_total_actions), 2) AS "actions a visit"
FROM pk_tracking.visit WHERE idsite IN (SELECT idsite FROM traffic.site)
GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 15;

\echo 'Campaigns and their keywords'
\echo '----------------------------'
\echo
SELECT site, referer_name AS campaign, referer_keyword AS keyword, count(*) AS visits,
	count(*) FILTER (WHERE visitor_type <> 'new') AS "of returning visitors"
FROM pk_tracking.visit WHERE idsite IN (SELECT idsite FROM traffic.site) AND referrer_type = 'campaign'
GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2, 3;

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
