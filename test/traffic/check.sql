-- Is what load.sql has left in the log right?  For a log that holds nothing
-- else and was kept under default settings but for the look-back.  Prints a line for each check;
-- the last line is "traffic: N passed, N failed".
\pset pager off
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
SET TimeZone = 'UTC';

CREATE TEMP TABLE verdict (check_no serial, name text, wrong bigint, example text);

-- r.source, r.n and everything that track_request() answered
CREATE TEMP VIEW answered AS
	SELECT r.source, r.n, (r.result).* FROM traffic.result r;

-- actions in their order, with what to judge them by
CREATE TEMP TABLE act AS
	SELECT a.*, c.kind, c.kind IN ('page', 'search') AS interaction, date_trunc('second', a.server_time) AS at,
		(a.server_time AT TIME ZONE s.timezone)::date AS local_day,
		row_number() OVER w AS place,
		lag(a.server_time) OVER w AS before
	FROM pk_tracking.log_link_visit_action a JOIN pk_tracking.site s USING (idsite)
		JOIN pk_tracking.action c USING (idvisit, idlink_va)
	WINDOW w AS (PARTITION BY a.idvisit ORDER BY a.server_time, a.idlink_va);
ANALYZE act;

-- each hit of the recorded clients, and each generated one
CREATE TEMP TABLE sent (source text, n integer, kind text);
INSERT INTO sent SELECT 'traffic.hit', n, 'page view' FROM traffic.hit;
SELECT to_regclass('clients.hit') IS NOT NULL AS clients \gset
\if :clients
INSERT INTO sent SELECT 'clients.hit', n, kind FROM clients.hit;
\endif

-- visits whose every hit has an action: their actions tell all about them
CREATE TEMP TABLE plain AS
	SELECT r.idvisit FROM answered r WHERE r.outcome = 'recorded' GROUP BY 1 HAVING bool_and(r.idlink_va IS NOT NULL);

INSERT INTO verdict (name, wrong, example)
SELECT 'every hit is recorded, but heartbeats that come too late', count(*), min(format('%s %s: %s %s', s.source, s.n, r.outcome, r.outcome_reason))
FROM sent s LEFT JOIN answered r USING (source, n)
WHERE r.outcome IS DISTINCT FROM 'recorded'
	AND (s.kind <> 'heartbeat' OR (r.outcome, r.outcome_reason) IS DISTINCT FROM ('ignored', 'ping'));

INSERT INTO verdict (name, wrong, example)
SELECT 'heartbeats, goals, orders and carts have no action, all others one of their kind', count(*), min(format('%s %s: %s, %s', s.source, s.n, s.kind, a.kind))
FROM sent s JOIN answered r USING (source, n) LEFT JOIN act a USING (idlink_va, idvisit)
WHERE r.outcome = 'recorded' AND coalesce(a.kind, 'none') <> CASE
	WHEN s.kind IN ('heartbeat', 'goal', 'order', 'cart') THEN 'none'
	WHEN s.kind = 'site search' THEN 'search'
	-- a page whose URL holds a keyword
	WHEN s.kind = 'page view' THEN CASE WHEN a.kind = 'search' THEN 'search' ELSE 'page' END
	ELSE s.kind END;

INSERT INTO verdict (name, wrong, example)
SELECT 'nothing that real trackers sent is invalid', count(*), min(format('%s %s: %s', s.source, s.n, r.outcome_reason))
FROM sent s LEFT JOIN answered r USING (source, n)
WHERE r.outcome IS NULL OR r.outcome = 'invalid';

INSERT INTO verdict (name, wrong, example)
SELECT 'an action for every recorded hit, in the visit that was answered, and no other', count(*), min(format('%s %s', r.source, r.n))
FROM (SELECT * FROM answered WHERE outcome = 'recorded' AND idlink_va IS NOT NULL) r
	FULL JOIN pk_tracking.log_link_visit_action a USING (idlink_va, idvisit)
WHERE r.n IS NULL OR a.idlink_va IS NULL;

INSERT INTO verdict (name, wrong, example)
SELECT 'the answers say what the action rows say', count(*), min(format('%s %s', r.source, r.n))
FROM answered r JOIN pk_tracking.action a USING (idlink_va, idvisit)
WHERE (r.matched_by, r.reason, r.new_visit) IS DISTINCT FROM (a.matched_by, a.decision, a.decision <> 'continue');

INSERT INTO verdict (name, wrong, example)
SELECT 'visit_total_actions, _interactions, _searches, _events count the action rows', count(*), min(format('visit %s', v.idvisit))
FROM pk_tracking.log_visit v LEFT JOIN (
	SELECT idvisit, count(*) FILTER (WHERE kind <> 'content') AS actions, count(*) FILTER (WHERE interaction) AS interactions,
		count(*) FILTER (WHERE kind = 'search') AS searches, count(*) FILTER (WHERE kind = 'event') AS events
	FROM act GROUP BY 1) a USING (idvisit)
WHERE (v.visit_total_actions, v.visit_total_interactions, v.visit_total_searches, v.visit_total_events)
	IS DISTINCT FROM (coalesce(a.actions, 0), coalesce(a.interactions, 0), coalesce(a.searches, 0), coalesce(a.events, 0));

INSERT INTO verdict (name, wrong, example)
SELECT 'first and last time, total time, last action agree with the actions', count(*), min(format('visit %s', v.idvisit))
FROM pk_tracking.log_visit v JOIN (
	SELECT idvisit, min(server_time) AS first, max(server_time) AS last, max(idlink_va) AS last_action, count(*) AS n
	FROM act GROUP BY 1) a USING (idvisit)
	JOIN plain USING (idvisit)
WHERE v.visit_first_action_time <> a.first OR v.visit_last_action_time <> a.last OR v.last_idlink_va <> a.last_action
	OR v.visit_total_time <> CASE WHEN a.n = 1 THEN 0
		ELSE extract(epoch FROM date_trunc('second', a.last) - date_trunc('second', a.first)) + 1 END;

INSERT INTO verdict (name, wrong, example)
SELECT 'entry and exit page are those of the first and the last page view', count(*), min(format('visit %s', v.idvisit))
FROM pk_tracking.log_visit v
	JOIN (SELECT DISTINCT ON (idvisit) idvisit, idaction_url, idaction_name FROM act WHERE kind = 'page' ORDER BY idvisit, place) e USING (idvisit)
	JOIN (SELECT DISTINCT ON (idvisit) idvisit, idaction_url, idaction_name FROM act WHERE kind = 'page' ORDER BY idvisit, place DESC) x USING (idvisit)
	-- a search stands in for a page
WHERE NOT EXISTS (SELECT FROM act a WHERE a.idvisit = v.idvisit AND a.kind = 'search') AND (v.visit_entry_idaction_url, v.visit_entry_idaction_name, v.visit_exit_idaction_url, v.visit_exit_idaction_name)
	IS DISTINCT FROM (e.idaction_url, e.idaction_name, x.idaction_url, x.idaction_name);

INSERT INTO verdict (name, wrong, example)
SELECT 'the first action of a visit begins it, all others continue it', count(*), min(format('visit %s', idvisit))
FROM act JOIN plain USING (idvisit) WHERE (place = 1) IS DISTINCT FROM (decision <> 0);

INSERT INTO verdict (name, wrong, example)
SELECT 'page views and searches of a visit are numbered from 1, other actions have their page''s number', count(*), min(format('visit %s', idvisit))
FROM (SELECT *, count(*) FILTER (WHERE interaction) OVER (PARTITION BY idvisit ORDER BY idlink_va) AS seen FROM act) act
WHERE coalesce(pageview_position, 0) <> seen;

INSERT INTO verdict (name, wrong, example)
SELECT 'no pause of more than 1800 seconds within a visit', count(*), min(format('visit %s', idvisit))
FROM act JOIN plain USING (idvisit) WHERE at - date_trunc('second', before) > interval '1800 seconds';

INSERT INTO verdict (name, wrong, example)
SELECT 'no visit runs over its site''s midnight', count(*), min(format('visit %s', idvisit))
FROM (SELECT idvisit FROM act GROUP BY 1 HAVING min(local_day) <> max(local_day)) m;

-- two visits of one visitor are apart, or there is a reason why they are not
INSERT INTO verdict (name, wrong, example)
SELECT 'visits of one visitor are more than 1800 seconds apart, or a day or a user is between', count(*),
	min(format('visit %s after %s, %s', n.idvisit, n.earlier, pk_tracking.decision_name(f.decision)))
FROM (
	SELECT v.idvisit, v.idsite, v.visit_first_action_time AS starts, v.user_id,
		lag(v.idvisit) OVER w AS earlier, lag(v.visit_last_action_time) OVER w AS ended,
		lag(v.user_id) OVER w AS earlier_user
	FROM pk_tracking.log_visit v
	WINDOW w AS (PARTITION BY v.idsite, v.idvisitor ORDER BY v.visit_first_action_time, v.idvisit)
) n
	JOIN pk_tracking.site s USING (idsite)
	JOIN act f ON f.idvisit = n.idvisit AND f.place = 1
	JOIN plain ON plain.idvisit = n.idvisit
WHERE date_trunc('second', n.starts) - date_trunc('second', n.ended) <= interval '1800 seconds'
	AND (n.starts AT TIME ZONE s.timezone)::date = (n.ended AT TIME ZONE s.timezone)::date
	-- new_visit, user_changed, campaign
	AND f.decision NOT IN (2, 5, 6);

INSERT INTO verdict (name, wrong, example)
SELECT 'a campaign begins a visit only where the visit before had another source', count(*), min(format('visit %s', n.idvisit))
FROM (
	SELECT v.idvisit, v.referer_type, lag(v.referer_type) OVER w AS earlier_type,
		(v.referer_type, v.referer_name, v.referer_keyword) IS NOT DISTINCT FROM
			(lag(v.referer_type) OVER w, lag(v.referer_name) OVER w, lag(v.referer_keyword) OVER w) AS same
	FROM pk_tracking.log_visit v
	WINDOW w AS (PARTITION BY v.idsite, v.idvisitor ORDER BY v.visit_first_action_time, v.idvisit)
) n
	JOIN act f ON f.idvisit = n.idvisit AND f.place = 1
WHERE f.decision = 6 AND (n.referer_type <> 6 OR n.earlier_type = 1 OR n.same);

INSERT INTO verdict (name, wrong, example)
SELECT 'page and title are what was sent', count(*), min(format('hit %s: %s, %s', h.n, a.url, a.title))
FROM traffic.hit h
	JOIN traffic.site s USING (idsite)
	JOIN answered r ON r.source = 'traffic.hit' AND r.n = h.n
	JOIN pk_tracking.action a USING (idlink_va, idvisit)
WHERE (a.url, a.title) IS DISTINCT FROM (
	s.host || '/page/' || substring(h.query FROM '%2Fpage%2F([0-9]+)'),
	'Page ' || substring(h.query FROM '^action_name=Page%20([0-9]+)'));

INSERT INTO verdict (name, wrong, example)
SELECT 'no visit holds a full address', count(*), min(format('visit %s', v.idvisit))
FROM pk_tracking.log_visit v
WHERE v.location_ip IS DISTINCT FROM pk_tracking.mask_ip(v.location_ip, 2);

-- Who keeps a cookie, and whose browser and network nobody else on the site
-- has, can be told from the hits alone: a pause or a midnight ends a visit.
CREATE TEMP TABLE lonely AS
	SELECT idsite, visitor
	FROM (
		SELECT idsite, visitor, kind, count(*) OVER (PARTITION BY idsite, user_agent, accept_language, network) AS n
		FROM (SELECT DISTINCT idsite, visitor, kind, user_agent, accept_language, pk_tracking.mask_ip(ip, 2) AS network
			FROM traffic.hit) d
	) c
	WHERE kind IN ('cookie', 'old tracker', 'no cookie') AND n = 1
	EXCEPT
	-- nor did they come back by a campaign in mid-visit
	SELECT idsite, visitor
	FROM (SELECT h.*, h.at - lag(h.at) OVER (PARTITION BY h.idsite, h.visitor ORDER BY h.n) AS pause FROM traffic.hit h) h
	WHERE h.query LIKE '%\_campaign\%3D%' AND h.pause <= interval '1801 seconds';

CREATE TEMP TABLE expected AS
	SELECT h.n, h.idsite, h.visitor, h.kind, h.cookie,
		count(*) FILTER (WHERE begins) OVER (PARTITION BY h.idsite, h.visitor ORDER BY h.n) AS visit_no
	FROM (
		SELECT h.*, lag(h.at) OVER w IS NULL
			OR date_trunc('second', h.at) - date_trunc('second', lag(h.at) OVER w) > interval '1800 seconds'
			OR (h.at AT TIME ZONE s.timezone)::date <> (lag(h.at) OVER w AT TIME ZONE s.timezone)::date AS begins
		FROM traffic.hit h JOIN lonely USING (idsite, visitor) JOIN traffic.site s USING (idsite)
		WINDOW w AS (PARTITION BY h.idsite, h.visitor ORDER BY h.n)
	) h;

INSERT INTO verdict (name, wrong, example)
SELECT 'there are such visitors', (count(DISTINCT (idsite, visitor)) < 100 AND bool_or(true))::integer, NULL FROM expected;

INSERT INTO verdict (name, wrong, example)
SELECT 'visitors alone on their fingerprint: visits as window functions find them', count(*),
	min(format('site %s, visitor %s, visit %s', idsite, visitor, visit_no))
FROM (
	SELECT e.idsite, e.visitor, e.visit_no
	FROM expected e JOIN answered r ON r.source = 'traffic.hit' AND r.n = e.n
	GROUP BY 1, 2, 3
	HAVING min(r.idvisit) <> max(r.idvisit) OR count(*) <> (SELECT v.visit_total_actions FROM pk_tracking.log_visit v WHERE v.idvisit = min(r.idvisit))
) x;

INSERT INTO verdict (name, wrong, example)
SELECT 'their visits carry their cookie', count(*), min(format('hit %s', e.n))
FROM expected e JOIN answered r ON r.source = 'traffic.hit' AND r.n = e.n JOIN pk_tracking.log_visit v USING (idvisit)
WHERE e.cookie IS NOT NULL AND v.idvisitor::text <> e.cookie;

-- what generate.sql made them come from is what stands on their visits; a later referrer replaces a direct one
INSERT INTO verdict (name, wrong, example)
SELECT 'a new visit says where it came from', count(*), min(format('hit %s: %s', c.n, c.came_from))
FROM (
	SELECT h.n, concat_ws(' ', v.referer_type, v.referer_name) AS came_from, CASE
			WHEN h.query LIKE '%newsletter%' THEN '6 newsletter-' || to_char(h.at, 'IW')
			WHEN h.query LIKE '%mtm\_campaign%' THEN '6 autumn sale'
			WHEN h.query LIKE '%urlref=https\%3A\%2F\%2Fwww.google%' THEN '2 Google'
			WHEN h.query LIKE '%urlref=https\%3A\%2F\%2Fblog%' THEN '3 ' || substring(h.query FROM '(blog[0-9]+\.example)')
			WHEN h.query LIKE '%duckduckgo%' THEN '2 DuckDuckGo'
			WHEN h.query LIKE '%bing.com%' THEN '2 Bing'
			WHEN h.query LIKE '%instagram%' THEN '7 Instagram'
			WHEN h.query LIKE '%linkedin%' THEN '7 LinkedIn'
			WHEN h.query LIKE '%mastodon%' THEN '7 Mastodon'
			-- its bare address is that of a search, as in Matomo
			WHEN h.query LIKE '%facebook%' THEN '2 Facebook'
			ELSE '1' END AS sent_by
	FROM traffic.hit h JOIN answered r ON r.source = 'traffic.hit' AND r.n = h.n JOIN pk_tracking.log_visit v USING (idvisit)
	WHERE r.new_visit
) c
WHERE c.came_from <> c.sent_by AND c.sent_by <> '1';

INSERT INTO verdict (name, wrong, example)
SELECT 'every visit has a city, a system and a browser', count(*), min(format('visit %s', v.idvisit))
FROM pk_tracking.log_visit v JOIN traffic.site s USING (idsite)
WHERE v.location_city IS NULL OR v.config_os = 'UNK' OR v.config_browser_name = 'UNK';

INSERT INTO verdict (name, wrong, example)
SELECT 'visit counts and times of an old tracker count', count(*), min(format('hit %s', h.n))
FROM traffic.hit h JOIN lonely USING (idsite, visitor)
	JOIN answered r ON r.source = 'traffic.hit' AND r.n = h.n JOIN pk_tracking.log_visit v USING (idvisit)
WHERE h.kind = 'old tracker' AND r.new_visit
	AND (v.visitor_count_visits < substring(h.query FROM '_idvc=([0-9]+)')::integer
		OR v.visitor_returning <> 1
		OR v.visitor_seconds_since_first <> floor(extract(epoch FROM h.at))::bigint - substring(h.query FROM '_idts=([0-9]+)')::bigint);

SELECT CASE WHEN wrong = 0 THEN 'ok       ' || name ELSE format('FAILED   %s: %s times; %s', name, wrong, example) END
FROM verdict ORDER BY check_no;
SELECT format('traffic: %s passed, %s failed', count(*) FILTER (WHERE wrong = 0), count(*) FILTER (WHERE wrong <> 0)) FROM verdict;
