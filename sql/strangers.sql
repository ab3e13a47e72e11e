-- Strangers behind one address: fingerprint_joins_known_ids.  What recognition
-- decides is in recognise_piwik; here: how many, what rows say, every way alike,
-- and what status() tells.
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
CREATE TABLE regress_pkt_strangers (query text, at timestamptz, ip inet, user_agent text);
SELECT FROM pk_tracking.attach('regress_pkt_strangers', trusted => true);

-- 100 strangers, an id each, one masked network, one browser, 10 s apart
CREATE FUNCTION pg_temp.strangers(site integer) RETURNS TABLE (visits bigint, ids bigint, joined bigint, counted numeric) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM FROM generate_series(1, 100) n, pk_tracking.track(site, 'http://a.example/', visitor_id => n::bigint::hexid, ip => ('203.0.113.' || n)::inet, user_agent => 'a',
		at => '2026-03-02 10:00+00'::timestamptz + n * interval '10 seconds');
	RETURN QUERY SELECT count(*), count(DISTINCT v.idvisitor),
		(SELECT count(*) FROM pk_tracking.action a WHERE a.idsite = site AND a.matched_by = 'fingerprint'),
		(SELECT sum(e.hits) FROM pk_tracking.excluded e WHERE e.idsite = site AND e.reason = 'joined_other_id' AND e.day = '2026-03-02')
		FROM pk_tracking.log_visit v WHERE v.idsite = site;
END
$$;
SELECT pk_tracking.add_site('stranger joined') AS joined, pk_tracking.add_site('stranger apart') AS apart \gset
SELECT FROM pk_tracking.set_site(:apart, 'fingerprint_joins_known_ids', 'off');
SELECT * FROM pg_temp.strangers(:joined);
SELECT * FROM pg_temp.strangers(:apart);

-- what is counted: joined to another id, by fingerprint, continuing; neither hits
-- without an id nor those that the visit is given to, nor another site's
SELECT pk_tracking.add_site('stranger counted') AS site \gset
CREATE FUNCTION pg_temp.counted(site integer) RETURNS bigint LANGUAGE sql AS $$
	SELECT coalesce(sum(e.hits), 0)::bigint FROM pk_tracking.excluded e WHERE e.idsite = site AND e.reason = 'joined_other_id'
$$;
SELECT t.outcome, t.outcome_reason, t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', at => '2026-03-02 10:00+00') t;
SELECT t.outcome, t.outcome_reason, t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', visitor_id => 'aaaaaaaaaaaaaaaa', at => '2026-03-02 10:01+00') t;
SELECT pg_temp.counted(:site);
SELECT t.outcome, t.outcome_reason, t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', visitor_id => 'bbbbbbbbbbbbbbbb', at => '2026-03-02 10:02+00') t;
SELECT pg_temp.counted(:site);
SELECT t.outcome, t.outcome_reason, t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', at => '2026-03-02 10:03+00') t;
SELECT t.outcome, t.outcome_reason, t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', visitor_id => 'bbbbbbbbbbbbbbbb', new_visit => true, at => '2026-03-02 10:04+00') t;
SELECT pg_temp.counted(:site);
SELECT FROM pk_tracking.set_site(:site, 'recognition_rules', 'matomo');
SELECT t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', visitor_id => 'cccccccccccccccc', at => '2026-03-02 11:00+00') t;
SELECT t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', visitor_id => 'dddddddddddddddd', at => '2026-03-02 11:01+00') t;
SELECT pg_temp.counted(:site);
-- the log's rows say nothing of it, and a document counts the same
SELECT pk_tracking.add_site('stranger document') AS site \gset
SELECT count(*) FILTER (WHERE t.outcome = 'recorded') FROM pk_tracking.track_requests(jsonb_build_object('requests', (SELECT jsonb_agg(format('?idsite=%s&rec=1&url=http%%3A%%2F%%2Fa.example%%2F&_id=%s&cdt=%s', :site, lpad(n::text, 16, '0'), 1772445600 + n) ORDER BY n) FROM generate_series(1, 100) n)), '192.0.2.1', trusted => true) t;
SELECT pg_temp.counted(:site);

-- a visit that is given to a visitor in its middle: what was written before keeps its id
SELECT pk_tracking.add_site('stranger relabelled') AS site \gset
SELECT FROM pk_tracking.set_site(:site, 'fingerprint_joins_known_ids', 'off') a, pk_tracking.set_site(:site, 'server_cookie', 'on') b;
SELECT t.idvisit, t.idvisitor AS random FROM pk_tracking.track(:site, 'http://a.example/', ip => '192.0.2.1', at => '2026-03-02 10:00+00') t \gset
SELECT t.idvisit = :idvisit AS same, t.idvisitor, t.cookie_value FROM pk_tracking.track(:site, 'http://a.example/2', ip => '192.0.2.1', visitor_id => 'aaaaaaaaaaaaaaaa', at => '2026-03-02 10:01+00') t;
SELECT v.idvisitor, v.profilable FROM pk_tracking.log_visit v WHERE v.idsite = :site;
SELECT a.idvisitor = :'random' AS random, a.idvisitor = 'aaaaaaaaaaaaaaaa' AS own FROM pk_tracking.action a WHERE a.idsite = :site ORDER BY a.idlink_va;
-- the browser that had no cookie comes back with the one it was given
SELECT t.matched_by, t.reason FROM pk_tracking.track(:site, 'http://a.example/3', ip => '192.0.2.1', visitor_id => :'random', at => '2026-03-02 10:02+00') t;
-- where nobody else took the visit, it is found by that id, and is claimed
SELECT t.idvisit, t.idvisitor AS random FROM pk_tracking.track(:site, 'http://a.example/', ip => '198.51.100.1', at => '2026-03-02 10:00+00') t \gset
SELECT t.idvisit = :idvisit AS same, t.matched_by FROM pk_tracking.track(:site, 'http://a.example/2', ip => '198.51.100.1', visitor_id => :'random', at => '2026-03-02 10:01+00') t;
SELECT t.idvisit = :idvisit AS same, t.matched_by FROM pk_tracking.track(:site, 'http://a.example/2', ip => '198.51.100.1', visitor_id => 'bbbbbbbbbbbbbbbb', at => '2026-03-02 10:02+00') t;
SELECT v.idvisitor = :'random' AS random, v.profilable FROM pk_tracking.log_visit v WHERE v.idvisit = :idvisit;
-- consent in mid-visit: an earlier visit is found by the own cookie, too
SELECT FROM pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous');
SELECT t.idvisit AS earlier FROM pk_tracking.track(:site, 'http://a.example/', consent => 'granted', visitor_id => 'cccccccccccccccc', at => '2026-03-02 11:55+00') t \gset
SELECT t.idvisitor IS NULL AS nobody FROM pk_tracking.track(:site, 'http://a.example/', consent => 'unknown', session_cookie => 'eeeeeeeeeeeeeeee', at => '2026-03-02 12:00+00') t;
SELECT t.matched_by, t.reason, t.visitor_returning, t.idvisitor = pk_tracking.user_id_visitor_id('foo') AS user FROM pk_tracking.track(:site, 'http://a.example/', consent => 'granted', visitor_id => 'cccccccccccccccc', user_id => 'foo', session_cookie => 'eeeeeeeeeeeeeeee', at => '2026-03-02 12:01+00') t;

-- random hits of few people: one by one, in a document, and as rows of a table
SELECT setseed(0.5) \g /dev/null
CREATE TEMP TABLE stream AS SELECT n, format('rec=1&url=http%%3A%%2F%%2Fa.example%%2F%s&cip=%s.0.0.1&cdt=%s%s%s%s', n % 7, 10 + floor(random() * 3), 1772445600 + n * 20 - (random() < 0.1)::integer * floor(random() * 4000)::integer,
	CASE WHEN random() < 0.6 THEN '&_id=' || repeat(to_hex(floor(random() * 6)::integer), 16) ELSE '' END, CASE WHEN random() < 0.2 THEN '&uid=u' || floor(random() * 3) ELSE '' END,
	CASE WHEN random() < 0.05 THEN '&new_visit=1' ELSE '' END) AS query FROM generate_series(1, 1500) n;
CREATE FUNCTION pg_temp.run(way text, settings jsonb) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	site integer := pk_tracking.add_site('stranger ' || way);
BEGIN
	PERFORM pk_tracking.set_site(site, s.key, s.value) FROM jsonb_each_text(settings) s;
	IF way = 'live' THEN
		PERFORM FROM (SELECT * FROM stream ORDER BY n) s, pk_tracking.track_request(s.query || '&idsite=' || site, '192.0.2.1', trusted => true);
	ELSIF way = 'document' THEN
		PERFORM FROM pk_tracking.track_requests(jsonb_build_object('requests', (SELECT jsonb_agg('?' || s.query || '&idsite=' || site ORDER BY s.n) FROM stream s)), '192.0.2.1', trusted => true);
	ELSE
		INSERT INTO regress_pkt_strangers SELECT s.query || '&idsite=' || site, to_timestamp(substring(s.query, 'cdt=(\d+)')::bigint), '192.0.2.1' FROM stream s ORDER BY s.n;
	END IF;
	RETURN site;
END
$$;
-- the visits of a site in their order, random ids left out
CREATE FUNCTION pg_temp.visits(site integer) RETURNS TABLE (n bigint, id text, userid text, first timestamptz, last timestamptz, actions integer, claimed smallint, hits text) LANGUAGE sql AS $$
	SELECT row_number() OVER (ORDER BY v.idvisit), CASE WHEN v.profilable = 1 THEN v.idvisitor::text END, v.user_id, v.visit_first_action_time, v.visit_last_action_time, v.visit_total_actions, v.profilable,
		(SELECT string_agg(a.matched_by || ' ' || a.decision, ',' ORDER BY a.idlink_va) FROM pk_tracking.action a WHERE a.idvisit = v.idvisit)
	FROM pk_tracking.log_visit v WHERE v.idsite = site
$$;
CREATE FUNCTION pg_temp.ways(settings jsonb) RETURNS TABLE (visits bigint, document_differs bigint, attached_differs bigint, counted bigint, document_counted bigint, attached_counted bigint) LANGUAGE plpgsql AS $$
DECLARE
	live integer := pg_temp.run('live', settings);
	document integer := pg_temp.run('document', settings);
	attached integer := pg_temp.run('attached', settings);
BEGIN
	RETURN QUERY SELECT (SELECT count(*) FROM pg_temp.visits(live)),
		(SELECT count(*) FROM (SELECT * FROM pg_temp.visits(live) EXCEPT SELECT * FROM pg_temp.visits(document)) x), (SELECT count(*) FROM (SELECT * FROM pg_temp.visits(live) EXCEPT SELECT * FROM pg_temp.visits(attached)) x),
		pg_temp.counted(live), pg_temp.counted(document), pg_temp.counted(attached);
END
$$;
SELECT w.visits > 50 AS visits, w.document_differs, w.attached_differs, w.counted, w.document_counted, w.attached_counted FROM pg_temp.ways('{"fingerprint_joins_known_ids": "off"}') w;
SELECT w.visits > 50 AS visits, w.document_differs, w.attached_differs, w.counted > 100 AS counted, w.document_counted = w.counted AS document, w.attached_counted = w.counted AS attached FROM pg_temp.ways('{}') w;
SELECT w.visits > 100 AS visits, w.document_differs, w.attached_differs, w.counted, w.document_counted, w.attached_counted FROM pg_temp.ways('{"fingerprint_joins_known_ids": "off", "enable_userid_overwrites_visitorid": "off", "window_look_back_for_visitor": "10000", "returning_look_back": "-1"}') w;

-- status(): joins of today and yesterday where they are made
SELECT s.value = format('%s today and yesterday', (SELECT coalesce(sum(e.hits), 0) FROM pk_tracking.excluded e JOIN pk_tracking.site t USING (idsite) WHERE e.reason = 'joined_other_id' AND e.day >= (now() AT TIME ZONE t.timezone)::date - 1)) AS value
	FROM pk_tracking.status() s WHERE s.item = 'joins of different ids';
SELECT s.value AS before FROM pk_tracking.status() s WHERE s.item = 'excluded hits' \gset
SELECT pk_tracking.add_site('stranger today') AS today \gset
CREATE FUNCTION pg_temp.joins() RETURNS integer LANGUAGE sql AS $$
	SELECT split_part(s.value, ' ', 1)::integer FROM pk_tracking.status() s WHERE s.item = 'joins of different ids'
$$;
SELECT pg_temp.joins() AS joins \gset
SELECT FROM generate_series(1, 4) n, pk_tracking.track(:today, 'http://a.example/', visitor_id => n::bigint::hexid, ip => '192.0.2.1');
SELECT pg_temp.joins() - :joins AS more, s.remark FROM pk_tracking.status() s WHERE s.item = 'joins of different ids';
SELECT s.value = :'before' AS not_excluded FROM pk_tracking.status() s WHERE s.item = 'excluded hits';
SELECT FROM pk_tracking.set_site(:today, 'fingerprint_joins_known_ids', 'off');
SELECT pg_temp.joins() - :joins AS more;

DROP TABLE regress_pkt_strangers;
DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.site s WHERE s.name LIKE 'stranger %';
