-- Hits that come late, and pings (doc/internals.md, "Matomo: time").
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('late hits', ARRAY['http://late.example'], timezone => 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_site('late hits as matomo') AS matomo \gset
SELECT pk_tracking.set_site(:matomo, 'recognition_rules', 'matomo');
SELECT pk_tracking.add_goal(s, 'five minutes', 'visit_duration', '5', 'greater_than', allow_multiple => true) FROM unnest(ARRAY[:site, :matomo]) s;

-- A hit of visitor who: what became of it.
CREATE FUNCTION pg_temp.hit(site integer, who text, at text, query text DEFAULT '') RETURNS text
LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.outcome, t.outcome_reason, t.reason)
	FROM pk_tracking.track_request(format('idsite=%s&rec=1&cid=%s&%s', site, right('0000000000000000' || encode(convert_to(who, 'UTF8'), 'hex'), 16), query),
		'203.0.113.7', 'agent', 'en', ('2026-03-02 ' || at || '+00')::timestamptz) t
$$;
CREATE FUNCTION pg_temp.name(site integer, action bigint) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN action = 0 THEN '-' ELSE (SELECT DISTINCT replace(a.name, 'late.example', '') FROM pk_tracking.log_action a WHERE a.idsite = site AND a.idaction = action) END
$$;
-- The visits, each with its rows in order of time.
CREATE FUNCTION pg_temp.visits(who text) RETURNS TABLE (visit text, action text) LANGUAGE sql AS $$
	SELECT CASE WHEN a.n = 1 THEN format('%s%s to %s, %s s, exit %s %s%s', CASE s.rules WHEN 'matomo' THEN 'matomo: ' END, to_char(v.visit_first_action_time, 'HH24:MI:SS'), to_char(v.visit_last_action_time, 'HH24:MI:SS'),
			v.visit_total_time, coalesce(pg_temp.name(v.idsite, v.visit_exit_idaction_url), 'NULL'), coalesce(pg_temp.name(v.idsite, v.visit_exit_idaction_name), 'NULL'),
			coalesce(', last row of ' || (SELECT to_char(l.server_time, 'MI:SS') FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit AND l.idlink_va = v.last_idlink_va), ', last hit without row')) END,
		format('%s %s %s after %s %s, %s s%s', to_char(a.server_time, 'HH24:MI:SS'), coalesce(pg_temp.name(v.idsite, a.idaction_url), 'NULL'), coalesce(pg_temp.name(v.idsite, a.idaction_name), 'NULL'),
			coalesce(pg_temp.name(v.idsite, a.idaction_url_ref), 'NULL'), coalesce(pg_temp.name(v.idsite, a.idaction_name_ref), 'NULL'), a.time_spent_ref_action,
			(SELECT ', goal' FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idlink_va = a.idlink_va))
	FROM pk_tracking.log_visit v
		CROSS JOIN LATERAL (SELECT x.value AS rules FROM pk_tracking.settings x WHERE x.idsite = v.idsite AND x.name = 'recognition_rules') s
		LEFT JOIN LATERAL (SELECT *, row_number() OVER (ORDER BY server_time, idlink_va) AS n FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit) a ON true
	WHERE v.idvisitor = right('0000000000000000' || encode(convert_to(who, 'UTF8'), 'hex'), 16)::hexid AND v.idsite IN (SELECT idsite FROM pk_tracking.site WHERE name LIKE 'late hits%')
	ORDER BY v.idsite, v.idvisit, a.n
$$;

-- 1. Pings ----------------------------------------------------------------
-- a ping begins no visit, so that new_visit and midnight (here 23:00) do not end the one that it prolongs
SELECT s = :matomo AS matomo, pg_temp.hit(s, 'p', '22:50', 'url=http://late.example/a&action_name=A') AS page, pg_temp.hit(s, 'p', '22:55', 'ping=1&new_visit=1') AS new_visit,
	pg_temp.hit(s, 'p', '23:05', 'ping=6') AS midnight, pg_temp.hit(s, 'p', '23:06', 'ping=3&new_visit=1') AS both, pg_temp.hit(s, 'p', '23:20', 'ping=1') AS "too late" FROM unnest(ARRAY[:site, :matomo]) s;
SELECT * FROM pg_temp.visits('p');
-- a page begins one
SELECT pg_temp.hit(:site, 'p', '23:07', 'url=http://late.example/b') AS midnight, pg_temp.hit(:site, 'p', '23:08', 'url=http://late.example/c&new_visit=1') AS new_visit;
-- all else still ends it
SELECT pk_tracking.set_site(:site, 'session_max_duration', '600');
SELECT pg_temp.hit(:site, 'q', '10:00', 'url=http://late.example/a'), pg_temp.hit(:site, 'q', '10:09:59', 'ping=1&new_visit=1'), pg_temp.hit(:site, 'q', '10:10', 'ping=1') AS "limit";
SELECT pk_tracking.reset_site(:site, 'session_max_duration');
SELECT pg_temp.hit(:site, 'r', '10:00', 'url=http://late.example/a?utm_campaign=x'), pg_temp.hit(:site, 'r', '10:01', 'ping=1&url=http://late.example/a?utm_campaign=y') AS campaign;
-- without consent, too
SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous');
SELECT pg_temp.hit(:site, 's', '22:50', 'url=http://late.example/a&consent=0'), pg_temp.hit(:site, 's', '22:55', 'ping=1&new_visit=1'), pg_temp.hit(:site, 's', '23:05', 'ping=1');
SELECT visit_total_time FROM pk_tracking.log_visit WHERE idsite = :site AND idvisitor IS NULL;
SELECT pk_tracking.reset_site(:site, 'consent_mode');
