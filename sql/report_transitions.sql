-- Transitions of a random log whose hits come late: before and after a page stands
-- what its visits have by time, under piwik rules
SET client_min_messages = warning;
SET timezone = 'America/Los_Angeles';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('random transitions', '{https://x.example}', 'Europe/Berlin') AS site \gset
SELECT set_config('test.site', :'site', false) <> '' AS site, setseed(0.2) IS NULL AS seeded;
DO $$
DECLARE
	at timestamptz := '2026-03-27 20:00Z';
	wrong text;
BEGIN
	FOR i IN 1 .. 600 LOOP
		at := at + random() ^ 3 * interval '60 minutes';
		SELECT t.outcome INTO STRICT wrong FROM pk_tracking.track_request(format('idsite=%s&rec=1&_id=%s&%s', current_setting('test.site'), lpad(to_hex(16 + floor(random() * 4)::integer), 16, '0'),
				CASE floor(random() * 8)
					WHEN 0 THEN 'search=' || (ARRAY['shoes', 'hats%26', 'x'])[1 + floor(random() * 3)::integer]
					WHEN 1 THEN 'url=https%3A%2F%2Fx.example%2Fp2&e_c=C&e_a=A'
					WHEN 2 THEN 'url=https%3A%2F%2Fx.example%2Fp2&download=https%3A%2F%2Fx.example%2Ff.pdf'
					ELSE format('url=https%%3A%%2F%%2Fx.example%%2Fp%s&action_name=T', floor(random() ^ 2 * 6)) END),
			'203.0.113.7', 'an agent', 'de', at - CASE WHEN random() < 0.3 THEN random() * interval '25 minutes' ELSE interval '0' END) t;
		IF wrong <> 'recorded' THEN
			RAISE WARNING '%', wrong;
		END IF;
	END LOOP;
END $$;
SELECT count(DISTINCT v.idvisit) > 10 AS late_before_the_first_hit_of_visits FROM pk_tracking.log_visit v JOIN pk_tracking.log_link_visit_action l USING (idvisit) WHERE v.idsite = :site AND l.server_time < v.visit_first_action_time AND l.idaction_name IS NOT NULL;
-- what is before and after a page by piwik rules is what its visits have by time
CREATE TEMP TABLE page AS SELECT DISTINCT a.idsite, a.idaction, a.name FROM pk_tracking.log_action a JOIN pk_tracking.site s USING (idsite) WHERE a.type = 1 AND s.idsite = current_setting('test.site')::integer;
CREATE TEMP TABLE step AS
	SELECT l.idsite, l.idaction_url, row_number() OVER visit > 1 AS has_previous, count(*) OVER (visit ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING) > 0 AS has_next,
		lag(l.idaction_url) OVER visit AS previous_url, lag(l.idaction_name) OVER visit AS previous_name, lead(l.idaction_url) OVER visit AS next_url, lead(l.idaction_name) OVER visit AS next_name
	FROM pk_tracking.log_link_visit_action l WHERE l.idsite = current_setting('test.site')::integer AND l.idaction_name IS NOT NULL AND l.idaction_event_category IS NULL AND l.idaction_content_name IS NULL
	WINDOW visit AS (PARTITION BY l.idvisit ORDER BY l.server_time, l.idlink_va);
WITH by_hand AS (
	SELECT x.side, s.idaction_url, CASE WHEN x.url IS NULL THEN 'search' WHEN x.url = s.idaction_url THEN 'reload' ELSE 'page' END AS kind,
		CASE WHEN x.url IS NULL THEN pk_tracking.plain_text(s.idsite, (SELECT min(a.name) FROM pk_tracking.log_action a WHERE a.idsite = s.idsite AND a.idaction = x.name AND a.type = 8))
			WHEN x.url <> s.idaction_url THEN 'https://' || (SELECT p.name FROM page p WHERE p.idaction = x.url AND p.idsite = s.idsite) END AS name, count(*) AS n
	FROM step s JOIN page p ON p.idaction = s.idaction_url AND p.idsite = s.idsite
		CROSS JOIN LATERAL (VALUES ('before', s.previous_url, s.previous_name, s.has_previous), ('after', s.next_url, s.next_name, s.has_next)) AS x(side, url, name, there) WHERE x.there GROUP BY 1, 2, 3, 4),
reported AS (
	SELECT t.side, p.idaction AS idaction_url, t.kind, t.name, t.nb_hits AS n FROM page p CROSS JOIN LATERAL pk_tracking.report_transitions(p.idsite, '2026-03-20', '2026-05-30', p.name) t
	WHERE t.side <> 'page' AND t.kind IN ('page', 'search', 'reload'))
SELECT count(*) > 30 AS many, count(*) FILTER (WHERE h.n IS DISTINCT FROM r.n) AS differ
FROM by_hand h FULL JOIN reported r ON (r.side, r.idaction_url, r.kind) = (h.side, h.idaction_url, h.kind) AND coalesce(r.name, '') = coalesce(h.name, '');
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :site;
DELETE FROM pk_tracking.log_visit WHERE idsite = :site;
