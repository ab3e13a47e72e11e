-- What script/demo --look shows of the shop's log, in lines of at most 80 characters.
SELECT to_char(v.visit_first_action_time, 'HH24:MI:SS') AS "visit since", v.idvisit, left(v.idvisitor::text, 6) AS id,
	v.consent, v.visit_total_actions AS actions, coalesce(v.config_browser_name, '') AS browser, v.location_ip AS address
FROM pk_tracking.visit v WHERE v.idsite = :site ORDER BY v.idvisit DESC LIMIT 5;
SELECT to_char(a.server_time, 'HH24:MI:SS') AS at, a.idvisit, a.kind,
	coalesce('"' || left(a.search_keyword, 16) || '"', left(a.product_name, 18), left(a.title, 18)) AS what, left(regexp_replace(a.url, '^[a-z]+://[^/]*', ''), 28) AS url
FROM pk_tracking.action a WHERE a.idsite = :site ORDER BY a.idlink_va DESC LIMIT 12;
SELECT to_char(c.server_time, 'HH24:MI:SS') AS at, c.idvisit, CASE c.idgoal WHEN 0 THEN 'order ' || c.idorder ELSE 'cart' END AS what, c.items, c.revenue
FROM pk_tracking.log_conversion c WHERE c.idsite = :site ORDER BY c.server_time DESC LIMIT 5;
