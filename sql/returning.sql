-- Who comes back: returning_look_back, the visitor's history before the window.
--
-- A stream of hits of many visitors over several days is tracked in four ways:
-- one by one, in one document, as rows of an attached table, and by replay().
-- All must write the same visits.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
SET jit = off;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
\pset tuples_only on
CREATE TEMP TABLE stream (i serial, who text, at timestamptz, query text);
CREATE TABLE regress_pkt_returning (query text, at timestamptz, ip inet, user_agent text);
SELECT FROM pk_tracking.attach('regress_pkt_returning', trusted => true);
CREATE TABLE regress_pkt_replayed (query text, at timestamptz, ip inet, user_agent text);

-- a hit of a visitor: days and seconds after the beginning, and parameters; each
-- visitor has a network of its own, or that of somebody else
CREATE FUNCTION pg_temp.hit(who text, day numeric, seconds integer, params text, network text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO stream (who, at, query)
	SELECT who, t, format('rec=1&url=http%%3A%%2F%%2Fa.example%%2F%s&cip=%s&cdt=%s&%s', who, '11.0.0.0'::inet + ('x' || substr(md5(coalesce(network, who)), 1, 4))::bit(16)::bigint % 60000 * 65536, extract(epoch FROM t)::bigint,
		regexp_replace(params, '@(-?\d+)', (extract(epoch FROM t)::bigint)::text || '\1', 'g'))
	FROM (SELECT date_trunc('second', timestamptz '2026-03-02 10:00+00' + day * interval '1 day' + seconds * interval '1 second')) x (t)
$$;

-- @-60: the hit's time less 60 seconds
CREATE FUNCTION pg_temp.sent(q text, site integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m text[];
BEGIN
	FOR m IN SELECT regexp_matches(q, '=(\d+)(-\d+)(?=&|$)', 'g') LOOP
		q := replace(q, '=' || m[1] || m[2], '=' || (m[1]::bigint + m[2]::bigint));
	END LOOP;
	RETURN q || '&idsite=' || site;
END
$$;

CREATE FUNCTION pg_temp.run(way text, look_back text, rules text DEFAULT 'piwik') RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	site integer := pk_tracking.add_site(way, ARRAY['http://a.example']);
	s record;
BEGIN
	PERFORM pk_tracking.set_site(site, 'recognition_rules', rules);
	IF look_back <> 'default' THEN
		PERFORM pk_tracking.set_site(site, 'returning_look_back', look_back);
	END IF;
	IF way = 'live' THEN
		FOR s IN SELECT * FROM stream ORDER BY i LOOP
			PERFORM FROM pk_tracking.track_request(pg_temp.sent(s.query, site), '192.0.2.1', trusted => true);
		END LOOP;
	ELSIF way = 'document' THEN
		PERFORM FROM pk_tracking.track_requests(jsonb_build_object('requests',
			(SELECT jsonb_agg('?' || pg_temp.sent(t.query, site) ORDER BY t.i) FROM stream t)), '192.0.2.1', trusted => true);
	ELSIF way = 'attached' THEN
		INSERT INTO regress_pkt_returning SELECT pg_temp.sent(t.query, site), t.at, '192.0.2.1' FROM stream t ORDER BY t.i;
	ELSE
		TRUNCATE regress_pkt_replayed;
		INSERT INTO regress_pkt_replayed SELECT pg_temp.sent(t.query, site), t.at, '192.0.2.1' FROM stream t ORDER BY t.i;
		PERFORM pk_tracking.replay('regress_pkt_replayed', hit_order => 'given', trusted => true);
	END IF;
	RETURN site;
END
$$;

-- the visits of a site, by the page that each began with
CREATE FUNCTION pg_temp.visits(site integer) RETURNS TABLE (who text, began text, visitor text, count integer, since_first integer, since_last integer, since_order integer) LANGUAGE sql AS $$
	SELECT substr(a.name, 11), to_char(v.visit_first_action_time, 'DD HH24:MI:SS'), pk_tracking.visitor_type_name(v.visitor_returning), v.visitor_count_visits,
		v.visitor_seconds_since_first, v.visitor_seconds_since_last, v.visitor_seconds_since_order
	FROM pk_tracking.log_visit v LEFT JOIN pk_tracking.log_action a ON a.idsite = v.idsite AND a.idaction = v.visit_entry_idaction_url
	WHERE v.idsite = site ORDER BY 1, v.idvisit
$$;

-- three days, by cookie, user id and cid
SELECT FROM generate_series(0, 2) d, pg_temp.hit('cookie', d, 0, '_id=aaaaaaaaaaaaaaa1');
SELECT FROM generate_series(0, 2) d, pg_temp.hit('user', d, 0, 'uid=foo');
SELECT FROM generate_series(0, 2) d, pg_temp.hit('cid', d, 0, 'cid=aaaaaaaaaaaaaaa2');
-- never by fingerprint
SELECT pg_temp.hit('browser', 0, 0, '_id=aaaaaaaaaaaaaaa3'), pg_temp.hit('browser', 1, 0, '_id=aaaaaaaaaaaaaaa4'), pg_temp.hit('browser', 2, 0, '');
-- an order in the first visit's first hit, or later in it, or in the last one
SELECT pg_temp.hit('buyer', 0, 0, '_id=aaaaaaaaaaaaaaa5'), pg_temp.hit('buyer', 0, 60, '_id=aaaaaaaaaaaaaaa5&idgoal=0&ec_id=o1&revenue=5'),
	pg_temp.hit('buyer', 1, 0, '_id=aaaaaaaaaaaaaaa5'), pg_temp.hit('buyer', 2, 0, '_id=aaaaaaaaaaaaaaa5');
SELECT pg_temp.hit('first_buys', 0, 0, '_id=aaaaaaaaaaaaaaa6&idgoal=0&ec_id=o2&revenue=5'),
	pg_temp.hit('first_buys', 1, 0, '_id=aaaaaaaaaaaaaaa6'), pg_temp.hit('first_buys', 2, 0, '_id=aaaaaaaaaaaaaaa6');
SELECT pg_temp.hit('last_buys', 0, 0, '_id=aaaaaaaaaaaaaaa7'), pg_temp.hit('last_buys', 1, 0, '_id=aaaaaaaaaaaaaaa7&idgoal=0&ec_id=o3&revenue=5');
-- an open cart buys nothing
SELECT pg_temp.hit('cart', 0, 0, '_id=aaaaaaaaaaaaaaa8'), pg_temp.hit('cart', 0, 60, '_id=aaaaaaaaaaaaaaa8&idgoal=0&revenue=5'), pg_temp.hit('cart', 1, 0, '_id=aaaaaaaaaaaaaaa8');
-- what the client's cookie says counts if it says more: at least half a day for the last visit
SELECT pg_temp.hit('says_more', 0, 0, '_id=aaaaaaaaaaaaaaa9'), pg_temp.hit('says_more', 1, 0, '_id=aaaaaaaaaaaaaaa9&_idvc=9&_idts=@-1000000&_viewts=@-43200&_ects=@-50000');
SELECT pg_temp.hit('says_less', 0, 0, '_id=aaaaaaaaaaaaaa10&_idvc=4'), pg_temp.hit('says_less', 1, 0, '_id=aaaaaaaaaaaaaa10&_idvc=1&_idts=@-10&_viewts=@-43199&_ects=@-2000000000');
SELECT pg_temp.hit('says_later', 0, 0, '_id=aaaaaaaaaaaaaa11&idgoal=0&ec_id=o4&revenue=1'), pg_temp.hit('says_later', 1, 0, '_id=aaaaaaaaaaaaaa11&_viewts=@-90000&_ects=@-90000');
-- another visit within the window, and again
SELECT FROM generate_series(0, 2) d, pg_temp.hit('asks_for_it', 0, d * 60, '_id=aaaaaaaaaaaaaa12&new_visit=1');
-- at the same second the visit that began last is the earlier one, strictly before the hit
SELECT pg_temp.hit('at_once', 0, 0, '_id=aaaaaaaaaaaaaa13&_idvc=5'), pg_temp.hit('at_once', 0, 0, '_id=aaaaaaaaaaaaaa13&_idvc=7&new_visit=1'), pg_temp.hit('at_once', 1, 0, '_id=aaaaaaaaaaaaaa13');
-- the last day comes first: what began later does not count, and is not counted again
SELECT pg_temp.hit('disorder', 2, 0, '_id=aaaaaaaaaaaaaa14'), pg_temp.hit('disorder', 0, 0, '_id=aaaaaaaaaaaaaa14'), pg_temp.hit('disorder', 1, 0, '_id=aaaaaaaaaaaaaa14');
-- a visit takes the user's id in its middle: from then on it is that user's history
SELECT pg_temp.hit('logs_in', 0, 0, '_id=aaaaaaaaaaaaaa15'), pg_temp.hit('logs_in', 0, 60, '_id=aaaaaaaaaaaaaa15&uid=bar'),
	pg_temp.hit('logs_in', 1, 0, 'uid=bar', 'other'), pg_temp.hit('logs_in', 2, 0, '_id=aaaaaaaaaaaaaa15');
-- exactly 100000 seconds, and one more
SELECT pg_temp.hit('at_limit', 0, 0, '_id=aaaaaaaaaaaaaa16'), pg_temp.hit('at_limit', 0, 100000, '_id=aaaaaaaaaaaaaa16'), pg_temp.hit('at_limit', 0, 200001, '_id=aaaaaaaaaaaaaa16');
-- a visit over midnight: the next one follows it, however short the limit
SELECT pg_temp.hit('midnight', 0, 50370, '_id=aaaaaaaaaaaaaa17'), pg_temp.hit('midnight', 0, 50460, '_id=aaaaaaaaaaaaaa17');
\pset tuples_only off
SELECT count(*) AS hits FROM stream;

-- by default the window only, as the FAQ says
SELECT pg_temp.run('live', 'default') AS site \gset
SELECT visitor, count(*) FROM pg_temp.visits(:site) GROUP BY 1 ORDER BY 1;
SELECT v.* FROM pg_temp.visits(:site) v WHERE v.who IN ('cookie', 'user', 'midnight');
-- without a limit
SELECT pg_temp.run('live', '-1') AS site \gset
SELECT v.* FROM pg_temp.visits(:site) v;
CREATE TEMP TABLE unlimited AS SELECT 'live' AS way, v.* FROM pg_temp.visits(:site) v;
-- visits, ids and decisions are the window's
SELECT l.matched_by, l.decision, count(*) FROM pk_tracking.action l WHERE l.idsite = :site AND l.kind = 'page' GROUP BY 1, 2 ORDER BY 1, 2;
-- conversions say what the visit says
SELECT c.idorder, c.visitor_returning, c.visitor_count_visits, c.visitor_seconds_since_first FROM pk_tracking.log_conversion c WHERE c.idsite = :site ORDER BY 1;
-- the last 100000 seconds, and the last one: what the window knows stays known
SELECT pg_temp.run('live', '100000') AS site \gset
SELECT v.* FROM pg_temp.visits(:site) v WHERE v.who IN ('at_limit', 'cookie');
SELECT pg_temp.run('live', '1') AS site \gset
SELECT v.* FROM pg_temp.visits(:site) v WHERE v.who IN ('midnight', 'cookie', 'asks_for_it');
-- no effect under matomo rules
SELECT pg_temp.run('live', '-1', 'matomo') AS site, pg_temp.run('live', 'default', 'matomo') AS other \gset
SELECT count(*) FROM (SELECT * FROM pg_temp.visits(:site) EXCEPT ALL SELECT * FROM pg_temp.visits(:other)) x;

-- every way writes the same; few hits lock their visitors, many keep visits in memory
SELECT pg_temp.run('document', '-1') AS site \gset
INSERT INTO unlimited SELECT 'document', v.* FROM pg_temp.visits(:site) v;
SELECT pg_temp.run('attached', '-1') AS site \gset
INSERT INTO unlimited SELECT 'attached', v.* FROM pg_temp.visits(:site) v;
SELECT pg_temp.run('replay', '-1') AS site \gset
INSERT INTO unlimited SELECT 'replay', v.* FROM pg_temp.visits(:site) v;
SELECT u.way, count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT FROM unlimited l WHERE l.way = 'live' AND (l.who, l.began, l.visitor, l.count, l.since_first, l.since_last, l.since_order)
	IS NOT DISTINCT FROM (u.who, u.began, u.visitor, u.count, u.since_first, u.since_last, u.since_order))) AS different
FROM unlimited u GROUP BY 1 ORDER BY 1;

-- a batch that meets visits of the log, more of a visitor than it reads beforehand,
-- and that has to write and forget what it knows
DELETE FROM stream;
SET pk_tracking.bulk_memory = '1MB';
SELECT FROM generate_series(0, 30) d, pg_temp.hit('often', d, 0, '_id=aaaaaaaaaaaaaaa1');
SELECT FROM generate_series(1, 20) d, pg_temp.hit('often', d + 0.5, 0, '_id=aaaaaaaaaaaaaaa1');
SELECT FROM generate_series(1, 3000) n, pg_temp.hit('filler', 31 + n / 1000.0, 0, '_id=' || lpad(to_hex(n % 1200), 16, 'b'), 'f' || n % 1200);
SELECT FROM generate_series(1, 20) d, pg_temp.hit('often', d + 0.7, 0, '_id=aaaaaaaaaaaaaaa1');
SELECT FROM generate_series(1, 500) n, pg_temp.hit('filler', 40 + n / 1000.0, 0, '_id=' || lpad(to_hex(n * 2), 16, 'b'), 'f' || n * 2);
SELECT pg_temp.run('live', '-1') AS live, pg_temp.run('attached', '-1') AS attached, pg_temp.run('document', '-1') AS document \gset
SELECT visitor, count(*), sum(count) AS counts FROM pg_temp.visits(:live) GROUP BY 1 ORDER BY 1;
SELECT max(v.count) AS latest FROM pg_temp.visits(:live) v WHERE v.who = 'often';
SELECT count(*) FROM (SELECT * FROM pg_temp.visits(:live) EXCEPT ALL SELECT * FROM pg_temp.visits(:attached)) x;
SELECT count(*) FROM (SELECT * FROM pg_temp.visits(:live) EXCEPT ALL SELECT * FROM pg_temp.visits(:document)) x;
-- and again on the log that they have filled
INSERT INTO regress_pkt_returning SELECT pg_temp.sent(t.query, :attached), t.at + interval '100 days', '192.0.2.1'
	FROM (SELECT replace(s.query, 'cdt=', 'nocdt=') AS query, s.at, s.i FROM stream s WHERE s.i % 7 = 0) t ORDER BY t.i;
SELECT FROM (SELECT * FROM stream s WHERE s.i % 7 = 0 ORDER BY s.i) s, pk_tracking.track_request(pg_temp.sent(replace(s.query, 'cdt=', 'nocdt='), :live), '192.0.2.1', at => s.at + interval '100 days', trusted => true);
SELECT count(*), count(*) FILTER (WHERE visitor <> 'new') AS returned FROM pg_temp.visits(:live) v;
SELECT count(*) FROM (SELECT * FROM pg_temp.visits(:live) EXCEPT ALL SELECT * FROM pg_temp.visits(:attached)) x;
RESET pk_tracking.bulk_memory;

-- a limit of actions ends a visit as if it was not known; the history knows it
SELECT pk_tracking.add_site('limits') AS site \gset
SELECT FROM pk_tracking.set_site(:site, 'returning_look_back', '-1'), pk_tracking.set_site(:site, 'create_new_visit_after_x_actions', '1') x;
SELECT t.reason, t.visitor_returning FROM generate_series(0, 1) n, pk_tracking.track(:site, 'http://a.example/', visitor_id => 'aaaaaaaaaaaaaaa1', at => '2026-03-02 10:00+00'::timestamptz + n * interval '1 minute') t;
SELECT v.visitor_count_visits, v.visitor_seconds_since_last FROM pk_tracking.log_visit v WHERE v.idsite = :site ORDER BY v.idvisit;

-- an anonymous visit is nobody's history; one that is given to a visitor counts from its beginning
SELECT pk_tracking.add_site('asks') AS site \gset
SELECT FROM pk_tracking.set_site(:site, 'returning_look_back', '-1'), pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous') x;
CREATE FUNCTION pg_temp.asked(site integer, day integer, seconds integer, consent text, session text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked := pk_tracking.track(site, 'http://a.example/', consent => consent, visitor_id => 'aaaaaaaaaaaaaaa1', session_cookie => session, ip => '192.0.2.1', user_agent => 'a',
		at => '2026-03-02 10:00+00'::timestamptz + day * interval '1 day' + seconds * interval '1 second');
BEGIN
	RETURN (SELECT concat_ws(' ', t.reason, t.matched_by, pk_tracking.visitor_type_name(t.visitor_returning), v.visitor_count_visits, v.visitor_seconds_since_first, v.visitor_seconds_since_last)
		FROM pk_tracking.log_visit v WHERE v.idvisit = t.idvisit);
END
$$;
SELECT pg_temp.asked(:site, 0, 0, 'denied', 'cccccccccccccccc');
SELECT pg_temp.asked(:site, 1, 0, 'granted', NULL);
SELECT pg_temp.asked(:site, 2, 0, 'unknown', 'dddddddddddddddd');
SELECT pg_temp.asked(:site, 2, 60, 'granted', 'dddddddddddddddd');

-- status() says so where nobody returns
SELECT pk_tracking.add_site('nobody returns') AS site \gset
CREATE FUNCTION pg_temp.strangers(site integer, "from" integer, "to" integer, params text DEFAULT '') RETURNS void LANGUAGE sql AS $$
	INSERT INTO regress_pkt_returning SELECT format('rec=1&idsite=%s&url=http%%3A%%2F%%2Fa.example%%2F&cid=%s%s', site, lpad(to_hex(n), 16, '0'), params), timestamptz '2026-03-02 10:00+00' + n * interval '1 minute'
	FROM generate_series("from", "to") n
$$;
BEGIN;
DELETE FROM pk_tracking.log_visit;
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'returning visitors';
SELECT FROM pg_temp.strangers(:site, 1, 999);
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'returning visitors';
ROLLBACK;
SELECT FROM pg_temp.strangers(:site, 1, 1000);
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'returning visitors';
SELECT count(*) > 0 AS set FROM pk_tracking.site s, pk_tracking.set_site(s.idsite, 'returning_look_back', '-1');
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'returning visitors';
SELECT FROM pk_tracking.set_site(:site, 'returning_look_back', '0');
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'returning visitors';
SELECT FROM pk_tracking.set_site(:site, 'recognition_rules', 'matomo');
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'returning visitors';
SELECT FROM pk_tracking.set_site(:site, 'recognition_rules', 'piwik');
SELECT FROM pg_temp.strangers(:site, 2000, 2000, '&_idvc=2');
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'returning visitors';
DROP TABLE regress_pkt_returning, regress_pkt_replayed;
DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.site s WHERE s.name IN ('live', 'document', 'attached', 'replay', 'limits', 'asks', 'nobody returns');
