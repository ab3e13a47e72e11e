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

-- 2. Late hits ----------------------------------------------------------------
-- what became of a visit's hits, and of the visit
CREATE FUNCTION pg_temp.series(site integer, who text, VARIADIC hits text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. array_length(hits, 1) LOOP
		RETURN NEXT hits[i] || ': ' || pg_temp.hit(site, who, split_part(hits[i], ' ', 1), split_part(hits[i], ' ', 2));
	END LOOP;
END
$$;
-- A, C, then B between them; by Matomo's rules the visit becomes shorter
SELECT pg_temp.series(s, 'a', '10:00:00 url=http://late.example/a&action_name=A', '10:10:00 url=http://late.example/c&action_name=C', '10:05:00 url=http://late.example/b&action_name=B') FROM unnest(ARRAY[:site, :matomo]) s;
SELECT * FROM pg_temp.visits('a');
-- the goal of more than five minutes is not reached by a late page of the tenth second; hits of one second stand as they arrived
SELECT pg_temp.series(:site, 'b', '10:00:00 url=http://late.example/a&action_name=A', '10:25:00 url=http://late.example/d&action_name=D', '10:00:10 url=http://late.example/b', '10:25:00 url=http://late.example/e&action_name=E', '10:00:10 url=http://late.example/c&action_name=C');
SELECT * FROM pg_temp.visits('b');
-- events, links and content are no previous page; a search has its keyword
SELECT pg_temp.series(:site, 'c', '10:00:00 e_c=c&e_a=a&url=http://late.example/e', '10:10:00 link=http://x.example/', '10:20:00 url=http://late.example/z&action_name=Z', '10:30:00 c_n=ad&url=http://late.example/z',
	'10:15:00 search=shoes', '10:05:00 url=http://late.example/b&action_name=B', '10:12:00 e_c=c&e_a=a', '10:25:00 search=boots', '10:26:00 download=http://late.example/f.pdf');
SELECT * FROM pg_temp.visits('c');
-- before the first action, which began the visit and stays as it is
SELECT pg_temp.series(:site, 'd', '10:10:00 url=http://late.example/a&action_name=A', '10:00:00 url=http://late.example/b&action_name=B', '10:20:00 url=http://late.example/c', '10:05:00 e_c=c&e_a=a', '09:55:00 search=x');
SELECT * FROM pg_temp.visits('d');
SELECT pg_temp.series(:site, 'e', '10:10:00 e_c=c&e_a=a', '10:00:00 url=http://late.example/b&action_name=B', '10:20:00 url=http://late.example/c');
SELECT * FROM pg_temp.visits('e');
SELECT pg_temp.series(:site, 'f', '10:10:00 search=first', '10:15:00 url=http://late.example/b', '10:12:00 e_c=c&e_a=a');
SELECT * FROM pg_temp.visits('f');
-- hits without a row: the time does not count from them, nor are they the last row; late ones and pings change nothing but the visit's length
SELECT pg_temp.series(:site, 'g', '10:00:00 url=http://late.example/a&action_name=A', '10:05:00 idgoal=1', '10:08:00 ping=1');
SELECT * FROM pg_temp.visits('g');
SELECT pg_temp.series(:site, 'g', '10:06:00 url=http://late.example/b&action_name=B', '10:02:00 idgoal=1', '10:03:00 idgoal=0&revenue=1', '10:04:00 ping=1');
SELECT * FROM pg_temp.visits('g');
SELECT pg_temp.series(:site, 'h', '10:00:00 idgoal=1', '10:05:00 url=http://late.example/a&action_name=A', '10:07:00 idgoal=0&revenue=1', '10:06:00 url=http://late.example/b&action_name=B', '10:07:00 url=http://late.example/c&action_name=C');
SELECT * FROM pg_temp.visits('h');
-- no longer than the visit would last; a length that the settings gave
SELECT pk_tracking.set_site(:site, 'visit_standard_length', '300'), pk_tracking.set_site(:site, 'default_time_one_page_visit', '120');
SELECT pg_temp.series(:site, 'i', '10:00:00 url=http://late.example/a&action_name=A', '09:58:00 ping=1', '10:01:00 url=http://late.example/b&action_name=B', '10:05:00 url=http://late.example/d&action_name=D', '10:02:00 url=http://late.example/c');
SELECT * FROM pg_temp.visits('i');
SELECT pk_tracking.reset_site(:site, 'visit_standard_length'), pk_tracking.reset_site(:site, 'default_time_one_page_visit');

-- 3. In every order ----------------------------------------------------------------
-- The hits of a visit in all 120 orders, the first one first: one by one, in a
-- document, and by COPY's way; nothing but positions may differ.
CREATE TABLE late_hits_raw (n integer, query text, at timestamptz);
SELECT pk_tracking.attach('late_hits_raw', trusted => true);
CREATE TEMP TABLE result (how text, what text);
DO $$
DECLARE
	hits CONSTANT text[] := ARRAY['10:00:00 url=http://late.example/a&action_name=A&pv_id=aaaaaa', '10:03:00 e_c=c&e_a=a&pv_id=bbbbbb', '10:07:00 search=shoes&pv_id=cccccc', '10:09:00 idgoal=1',
		'10:11:00 url=http://late.example/d&action_name=D&pv_id=dddddd', '10:15:00 link=http://x.example/&pv_id=eeeeee'];
	o integer[];
	site integer;
	sites integer[] := '{}';
	request text;
	requests jsonb := '[]';
	way text;
BEGIN
	FOREACH way IN ARRAY '{one by one,document,raw table}'::text[] LOOP
		requests := '[]';
		FOR o IN SELECT ARRAY[1, a, b, c, d, e] FROM generate_series(2, 6) a, generate_series(2, 6) b, generate_series(2, 6) c, generate_series(2, 6) d, generate_series(2, 6) e WHERE 2 + 3 + 4 + 5 + 6 = a + b + c + d + e AND a * b * c * d * e = 720 AND cardinality(ARRAY(SELECT DISTINCT unnest(ARRAY[a, b, c, d, e]))) = 5 LOOP
			site := pk_tracking.add_site('late hits');
			sites := sites || site;
			PERFORM pk_tracking.add_goal(site, 'five minutes', 'visit_duration', '5', 'greater_than');
			FOR i IN 1 .. 6 LOOP
				request := format('idsite=%s&rec=1&cid=00000000000000ff&cdt=2026-03-02+%s', site, replace(hits[o[i]], ' ', '&'));
				IF way = 'one by one' THEN
					PERFORM pk_tracking.track_request(request, '203.0.113.7', 'agent', 'en', trusted => true);
				ELSE
					requests := requests || to_jsonb('?' || request);
				END IF;
			END LOOP;
		END LOOP;
		IF way = 'document' THEN
			PERFORM pk_tracking.track_requests(requests, '203.0.113.7', 'agent', 'en', trusted => true);
		ELSIF way = 'raw table' THEN
			INSERT INTO late_hits_raw SELECT n, substr(r, 2), now() FROM jsonb_array_elements_text(requests) WITH ORDINALITY x(r, n) ORDER BY n;
		END IF;
		INSERT INTO result SELECT way, concat_ws(', ', v.visit_first_action_time, v.visit_last_action_time, v.visit_total_time, v.visit_goal_converted, coalesce(pg_temp.name(v.idsite, v.visit_exit_idaction_url), 'NULL'), pg_temp.name(v.idsite, v.visit_exit_idaction_name),
				(SELECT l.idpageview FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit AND l.idlink_va = v.last_idlink_va))
			|| (SELECT string_agg(format(E'\n%s after %s %s, %s s', l.idpageview, coalesce(pg_temp.name(v.idsite, l.idaction_url_ref), 'NULL'), coalesce(pg_temp.name(v.idsite, l.idaction_name_ref), 'NULL'), l.time_spent_ref_action), '' ORDER BY l.idpageview) FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit)
		FROM pk_tracking.log_visit v WHERE v.idsite = ANY (sites);
		sites := '{}';
	END LOOP;
END
$$;
SELECT how, count(*), count(DISTINCT what) FROM result GROUP BY 1 ORDER BY 1;
SELECT what, count(*) FROM result GROUP BY 1;
DROP TABLE late_hits_raw;

-- 4. Old snapshots, users' triggers ----------------------------------------------------------------
-- in REPEATABLE READ the rows that this transaction wrote are seen
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.series(:site, 'k', '10:00:00 url=http://late.example/a&action_name=A', '10:10:00 url=http://late.example/c&action_name=C', '10:05:00 url=http://late.example/b&action_name=B');
COMMIT;
SELECT * FROM pg_temp.visits('k');
-- the log written by statements
CREATE FUNCTION late_hits_noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER noop BEFORE INSERT OR UPDATE ON pk_tracking.log_link_visit_action FOR EACH ROW EXECUTE FUNCTION late_hits_noop();
SELECT pg_temp.series(:site, 'l', '10:00:00 url=http://late.example/a&action_name=A', '10:10:00 url=http://late.example/c&action_name=C', '10:05:00 url=http://late.example/b&action_name=B');
DROP TRIGGER noop ON pk_tracking.log_link_visit_action;
DROP FUNCTION late_hits_noop();
SELECT * FROM pg_temp.visits('l');
-- without consent, and with consent during the visit
SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous');
SELECT (pk_tracking.track_request(format('idsite=%s&rec=1&url=http://late.example/%s&consent=%s', :site, p, c), '198.51.100.8', 'agent', 'en', ('2026-03-02 ' || at || '+00')::timestamptz,
	'{"cookie": "_pk_anonymous=00000000000000aa"}')).outcome FROM (VALUES ('a', 0, '10:00'), ('c', 0, '10:10'), ('b', 0, '10:05'), ('d', 1, '10:07')) h(p, c, at);
SELECT v.visit_total_time, pg_temp.name(v.idsite, v.visit_exit_idaction_url), to_char(a.server_time, 'HH24:MI'), pg_temp.name(a.idsite, a.idaction_url) AS url, pg_temp.name(a.idsite, a.idaction_url_ref) AS previous, a.time_spent_ref_action AS spent, a.consent
FROM pk_tracking.log_link_visit_action a JOIN pk_tracking.log_visit v USING (idvisit) WHERE a.idsite = :site AND (v.idvisitor IS NULL OR v.location_ip = '198.51.0.0' OR a.consent >= 2) AND v.visit_total_time = 601 ORDER BY a.server_time;
SELECT pk_tracking.reset_site(:site, 'consent_mode');
