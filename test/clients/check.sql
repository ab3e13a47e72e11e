-- Is what replay.sql has left what the flows mean?  flows.tsv and visits.tsv
-- stand in clients.flow and clients.visit.  Prints a table of what each request
-- became, then a line for each check.
\pset pager off
\pset footer off
\pset null ''
SET client_min_messages = warning;
SET TimeZone = 'UTC';

-- a line for each device that it holds for
CREATE TEMP TABLE want AS
	SELECT f.*, d.device
	FROM clients.flow f CROSS JOIN LATERAL (
		SELECT DISTINCT c.device FROM clients.came c
		WHERE c.flow = f.client AND (f.devices = '*' OR c.device = ANY (string_to_array(f.devices, ' '))) OR c.device = f.client) d;

-- which visit a device's A, B and C are: those that its own hits are in, by the first
CREATE TEMP TABLE label AS
	SELECT w.device, w.visit, (array_agg(b.idvisit ORDER BY b.line, b.part))[1] AS idvisit
	FROM want w JOIN clients.became b USING (device, client, request, part) WHERE w.visit !~ '@' GROUP BY 1, 2;

CREATE TEMP TABLE verdict (check_no serial, name text, wrong bigint, example text);
CREATE TEMP VIEW both_sides AS
	SELECT coalesce(b.device, w.device) AS device, coalesce(b.client, w.client) AS client, coalesce(b.request, w.request) AS request, coalesce(b.part, w.part) AS part,
		format('%s/%s %s.%s', coalesce(b.device, w.device), coalesce(b.client, w.client), coalesce(b.request, w.request), coalesce(b.part, w.part)) AS name,
		w.client IS NOT NULL AS wanted, b.line, b.outcome, b.outcome_reason, b.idvisit, b.kind, b.reason, b.matched_by, b.idvisitor, b.says, b.cookie_id, b.new_visit,
		w.kind AS want_kind, w.visit AS want_visit, w.decision AS want_decision, w.matched_by AS want_by, w.visitor AS want_visitor, w.says AS want_says,
		l.idvisit AS want_idvisit, lag(b.idvisitor) OVER (PARTITION BY b.device ORDER BY b.line, b.part) AS before
	FROM clients.became b FULL JOIN want w USING (device, client, request, part)
		LEFT JOIN label l ON l.device = CASE WHEN w.visit ~ '@' THEN split_part(w.visit, '@', 2) ELSE w.device END AND l.visit = split_part(w.visit, '@', 1);

\echo
\echo 'What each recorded request became'
\echo '---------------------------------'
\echo
SELECT s.device AS "sent by", nullif(s.client, s.device) AS flow, s.request || CASE WHEN s.part > 1 OR EXISTS (SELECT FROM clients.became o WHERE (o.device, o.client, o.request, o.part) = (s.device, s.client, s.request, 2)) THEN '.' || s.part ELSE '' END AS request,
	s.kind AS became, CASE s.outcome WHEN 'recorded' THEN dense_rank() OVER (ORDER BY s.idvisit)::text || CASE WHEN s.new_visit THEN ' new' ELSE '' END ELSE s.outcome END AS visit,
	s.matched_by AS "matched by", s.reason AS decision, s.idvisitor AS "visitor id",
	left(coalesce((SELECT string_agg(format('%s=%s', e.key, regexp_replace(e.value, '\?js=.*', '?…')), ' ' ORDER BY e.key COLLATE "C") FROM jsonb_each_text(s.says - '{pageview_position,time_network,time_server,time_transfer,time_dom_processing,time_dom_completion,time_on_load,pv_id}'::text[]) e), ''), 110) AS "its row says"
FROM both_sides s WHERE s.line IS NOT NULL ORDER BY s.line, s.part;

INSERT INTO verdict (name, wrong, example) SELECT 'every request has its line in flows.tsv, and every line its request', count(*), min(name) FROM both_sides WHERE NOT wanted OR line IS NULL;
INSERT INTO verdict (name, wrong, example) SELECT 'every line of flows.tsv is used', count(*), min(f.client || ' ' || f.request) FROM clients.flow f WHERE NOT EXISTS (SELECT FROM want w WHERE (w.client, w.request, w.part, w.devices) = (f.client, f.request, f.part, f.devices));
INSERT INTO verdict (name, wrong, example) SELECT 'none is rejected', count(*), min(format('%s: %s %s', name, outcome, outcome_reason)) FROM both_sides WHERE line IS NOT NULL AND outcome <> 'recorded';
-- flow by flow
INSERT INTO verdict (name, wrong, example)
SELECT s.client || ': ' || c.name, count(*) FILTER (WHERE NOT coalesce(c.good, false)), min(s.name || ': ' || coalesce(c.got, 'nothing') || ', wanted ' || c.want) FILTER (WHERE NOT coalesce(c.good, false))
FROM both_sides s CROSS JOIN LATERAL (VALUES
	(1, 'kinds', s.kind = s.want_kind, s.kind, s.want_kind),
	(2, 'visits', s.idvisit = s.want_idvisit AND s.reason = s.want_decision, format('visit %s, %s', s.idvisit, s.reason), format('visit %s (%s), %s', s.want_visit, s.want_idvisit, s.want_decision)),
	(3, 'visitors', s.matched_by = s.want_by AND CASE s.want_visitor
			WHEN 'cookie' THEN s.idvisitor::text = s.cookie_id
			WHEN 'user' THEN s.idvisitor = pk_tracking.user_id_visitor_id(CASE s.device WHEN 'matomo-php-tracker' THEN 'kunde@example.org' WHEN 'matomo-tracker (npm)' THEN 'u-7' ELSE 'ann@example.com' END)
			WHEN 'kept' THEN s.idvisitor = s.before
			WHEN 'random' THEN s.cookie_id IS NULL AND s.idvisitor IS NOT NULL END,
		format('%s %s', s.matched_by, s.idvisitor), format('%s, %s', s.want_by, s.want_visitor)),
	(4, 'what the rows say', CASE WHEN s.want_says IS NULL THEN s.says IS NULL ELSE s.says @> s.want_says END, s.says::text, coalesce(s.want_says::text, 'nothing'))) c(n, name, good, got, want)
WHERE s.wanted GROUP BY s.client, c.n, c.name ORDER BY min(s.line), c.n;

INSERT INTO verdict (name, wrong, example)
SELECT 'visit ' || w.visit || ' of ' || w.device, (NOT coalesce(g.got = g.want, false))::integer, format('%s, wanted %s', g.got, g.want)
FROM clients.visit w LEFT JOIN label l USING (device, visit) LEFT JOIN pk_tracking.visit v USING (idvisit)
	CROSS JOIN LATERAL (SELECT concat_ws(' | ', concat_ws(' ', v.referrer_type, v.referrer_name, nullif(v.referrer_keyword, '')), v.visit_total_actions, v.visit_total_interactions, v.visit_total_searches, v.visit_total_events, v.converted, v.ordered, coalesce(v.user_id, '')) AS got,
		concat_ws(' | ', w.referrer, w.actions, w.interactions, w.searches, w.events, w.converted, w.ordered, coalesce(w.user_id, '')) AS want) g
ORDER BY l.idvisit;
INSERT INTO verdict (name, wrong, example) SELECT 'no visit that visits.tsv does not name', count(*), min(v.idvisit::text) FROM pk_tracking.log_visit v WHERE v.idvisit NOT IN (SELECT idvisit FROM label);
INSERT INTO verdict (name, wrong, example) SELECT 'device and language of every browser', count(*), min(v.device) FROM (VALUES ('desktop-de', 'LIN', 'HC', 'de'), ('iphone-fr', 'IOS', 'MF', 'fr'), ('firefox-pl', 'LIN', 'FF', 'pl')) w(device, os, browser, lang)
	LEFT JOIN (SELECT l.device, l.visit, x.* FROM label l JOIN pk_tracking.log_visit x USING (idvisit)) v ON v.device = w.device AND v.visit = 'A'
WHERE (v.config_os, v.config_browser_name, left(v.location_browser_lang, 2)) IS DISTINCT FROM (w.os, w.browser, w.lang);
INSERT INTO verdict (name, wrong, example) SELECT 'the server-side trackers'' own address and time count', count(*), min(v.idvisit::text) FROM label l JOIN pk_tracking.log_visit v USING (idvisit)
WHERE l.device = 'matomo-php-tracker' AND (v.location_ip, v.visit_first_action_time::date) IS DISTINCT FROM ('203.0.0.0', '2026-03-01');
INSERT INTO verdict (name, wrong, example) SELECT 'no full address, no cookie of consent''s or nocookie''s pages', count(*), min(v.idvisit::text) FROM pk_tracking.log_visit v WHERE v.location_ip IS DISTINCT FROM pk_tracking.mask_ip(v.location_ip, 2);

\pset tuples_only on
\pset format unaligned
\echo
SELECT format('%s %s%s', CASE wrong WHEN 0 THEN 'ok      ' ELSE 'FAILED  ' END, name, CASE wrong WHEN 0 THEN '' ELSE format(': %s wrong, e.g. %s', wrong, example) END) FROM verdict ORDER BY check_no;
SELECT format('clients: %s passed, %s failed', count(*) FILTER (WHERE wrong = 0), count(*) FILTER (WHERE wrong <> 0)) FROM verdict;
