-- Random streams of hits, each run in every way there is: one by one, as one
-- COPY, as COPYs of random sizes, by ingest() and by replay().  The logs must be
-- the same but for the numbers of rows; numbers and chance ids are compared as
-- partitions: by the first hit that has them.
-- Variables: seed, hits, rules, consent (consent_mode), upgrade (consent_upgrade),
-- form (columns, or query: tracking URLs and headers), sort (given or time);
-- every other setting that recognition knows is drawn.
\set ON_ERROR_STOP on
SET client_min_messages = error;
SET timezone = 'UTC';
SELECT setseed(:seed) \g /dev/null
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN PERFORM pk_tracking.create_log(); END IF;
END $$;
DROP TABLE IF EXISTS stream, way, live, refused, raw_copy, raw_some, raw_ingest, raw_replay CASCADE;
TRUNCATE pk_tracking.ingest_position;
TRUNCATE pk_tracking.ingest_run CASCADE;
DELETE FROM pk_tracking.setting;
SELECT pk_tracking.set_instance('recognition_rules', :'rules'), pk_tracking.set_instance('consent_mode', :'consent'), pk_tracking.set_instance('consent_upgrade', :'upgrade') \g /dev/null
SELECT pk_tracking.set_instance(split_part(s, ' ', 1), (string_to_array(s, ' '))[2 + (random() * (cardinality(string_to_array(s, ' ')) - 1) - 0.5)::integer])
FROM unnest(ARRAY['trust_visitors_cookies on', 'visit_standard_length 300 600 7200', 'window_look_back_for_visitor 3600 90000', 'enable_userid_overwrites_visitorid off',
		'create_new_visit_after_midnight off', 'create_new_visit_when_campaign_changes off', 'create_new_visit_when_website_referrer_changes on', 'create_new_visit_after_x_actions 2 5 20',
		'session_max_duration 600 3600', 'session_limit_exceeded_action split_and_exclude', 'default_time_one_page_visit 10', 'enable_fingerprinting_across_websites on on', 'fingerprint_ip full masked',
		'fingerprint_salt_rotation daily never', 'use_fingerprint off', 'use_third_party_id_cookie on', 'force_cookieless_tracking on', 'ip_mask_level 0 1 3 4', 'anonymize_user_id on', 'discard_user_id on',
		'anonymous_session_cookie off', 'anonymous_fingerprint off', 'anonymous_device_level none full', 'excluded_ips {10.0.11.0/24}', 'anonymize_referrer exclude_path', 'geo_ip masked']) s
WHERE random() < CASE WHEN s ~ '^(use_fingerprint|force_cookieless|trust_vis|anonymous_(session|finger)|create_new_visit_after_x)' THEN 0.25 ELSE 0.4 END \g /dev/null

CREATE TABLE way (name text, idsite integer);
INSERT INTO way SELECT n, pk_tracking.add_site(n) FROM unnest('{live,copy,some,ingest,replay}'::text[]) n;
SELECT pk_tracking.add_goal(idsite, 'g', 'url', 'thanks', 'contains'), pk_tracking.add_goal(idsite, 'm', 'manually', allow_multiple => true),
	pk_tracking.add_dimension(idsite, 'v', 'visit'), pk_tracking.add_dimension(idsite, 'a', 'action') FROM way \g /dev/null

-- Visitors with an address, an agent, ids and a mind of their own, which they
-- change; now and then a cookie is missing, or somebody else's.
-- n is in pv_id, and in url where there may be no action row.
CREATE TABLE stream AS
SELECT n, at, ip, user_agent, accept_language,
	CASE WHEN random() < 0.5 THEN lpad(to_hex(who + 16), 16, '0')::hexid END AS visitor_id,
	CASE WHEN random() < 0.04 THEN lpad(to_hex(who % 5 + 64), 16, 'c')::hexid END AS cid,
	CASE WHEN random() < 0.1 THEN 'user ' || who % 5 END AS user_id,
	CASE WHEN random() < 0.05 THEN 'denied' WHEN random() < 0.3 THEN NULL ELSE (ARRAY['unknown', 'granted', 'unknown', 'denied', 'granted', 'denied', 'granted'])[1 + (who + n / (60 + who * 5)) % 7] END AS consent,
	CASE WHEN random() < 0.6 THEN lpad(to_hex(CASE WHEN random() < 0.9 THEN who ELSE who / 2 END + 4096), 16, 'e')::hexid END AS session_cookie,
	CASE WHEN random() < 0.04 THEN true END AS new_visit,
	CASE WHEN random() < 0.9 THEN 'http://example.org/' || (ARRAY['a', 'b', 'thanks', 'c?utm_campaign=x', 'd?utm_campaign=y', 'e?q=w%20x', 'f?secret=1&x=' || who])[1 + (random() * 6)::int] END AS url,
	CASE WHEN random() < 0.2 THEN 'http://other.example/' || (random() * 3)::int END AS urlref,
	lpad(n::text, 6, '0') AS pv_id,
	CASE (random() * 20)::int
		WHEN 1 THEN '{"e_c": "c", "e_a": "a", "e_v": 1.5}' WHEN 2 THEN '{"search": "s", "search_count": 3}' WHEN 3 THEN '{"idgoal": 2, "revenue": 3}'
		WHEN 4 THEN '{"idgoal": 0, "revenue": 10, "ec_items": [["sku", "name", "cat", 5, 2]]}'
		WHEN 5 THEN jsonb_build_object('idgoal', 0, 'ec_id', 'o' || (random() * 30)::int, 'revenue', 12, 'ec_items', '[["sku", "name", "cat", 6, 2]]'::jsonb)
		WHEN 6 THEN '{"ping": 1}' WHEN 7 THEN '{"download": "http://example.org/f.zip"}' WHEN 8 THEN '{"pf_srv": -3}' WHEN 9 THEN '{"_idvc": 3, "_idts": 1700000000}'
		-- agrees now
		WHEN 10 THEN '{"ping": 4}' WHEN 11 THEN '{"dimension1": "x", "dimension2": "y", "cvar": {"1": ["a", "b"]}}' WHEN 12 THEN '{"c_n": "banner"}'
		WHEN 13 THEN '{"dda": 1}' WHEN 14 THEN '{"rmip": 1}' WHEN 15 THEN '{"sh": 0}' WHEN 16 THEN '{"idgoal": 77}'
		WHEN 17 THEN jsonb_build_object('ping', 6, 'pf_net', 3, 'pv_id', lpad(greatest(n - (random() * 20)::int, 1)::text, 6, '0'))
		ELSE '{}' END::jsonb AS params
FROM (SELECT n, who, '2026-01-05 22:20+00'::timestamptz + (n * 8 + n / 150 * 1500 + CASE WHEN random() < 0.1 THEN -random() * 4000 ELSE 0 END) * interval '1 s' + n * interval '1 ms' AS at,
		('10.0.' || CASE WHEN random() < 0.9 THEN who / 2 ELSE (random() * 12)::int END || '.1')::inet AS ip,
		CASE WHEN random() < 0.02 THEN 'Googlebot/2.1' ELSE 'agent ' || who % 3 END AS user_agent, CASE who % 7 WHEN 0 THEN 'de' ELSE 'en' END AS accept_language
	FROM (SELECT n, (power(random(), 1.5) * 24)::int AS who FROM generate_series(1, :hits) n OFFSET 0) s OFFSET 0) s;
-- pv_id is an argument; the late page performance of another page view's is not told apart by it
UPDATE stream SET pv_id = params ->> 'pv_id', params = params - 'pv_id' WHERE params ? 'pv_id';
SELECT :'sort' = 'time' AS sorted, :'form' = 'query' AS queries \gset
\if :sorted
	CREATE TABLE s AS SELECT row_number() OVER (ORDER BY at) AS m, * FROM stream;
	UPDATE s SET n = m, pv_id = CASE WHEN params ? 'pf_net' THEN pv_id ELSE lpad(m::text, 6, '0') END;
	ALTER TABLE s DROP COLUMN m;
	DROP TABLE stream;
	ALTER TABLE s RENAME TO stream;
\endif
ALTER TABLE stream ADD PRIMARY KEY (n);
CREATE TABLE refused AS SELECT n FROM stream WHERE consent = 'denied';
CREATE TABLE live (n integer, outcome text, reason text, new_visit boolean, matched_by text);

\if :queries
	CREATE OR REPLACE FUNCTION escaped(t text) RETURNS text LANGUAGE sql AS $$
		SELECT string_agg(CASE WHEN c ~ '[A-Za-z0-9_.~-]' THEN c ELSE '%' || upper(encode(convert_to(c, 'UTF8'), 'hex')) END, '' ORDER BY o) FROM regexp_split_to_table($1, '') WITH ORDINALITY u(c, o)
	$$;
	ALTER TABLE stream ADD query text, ADD headers jsonb;
	UPDATE stream s SET query = 'rec=1' || (SELECT string_agg('&' || p.key || '=' || escaped(p.value), '') FROM jsonb_each_text(jsonb_strip_nulls(s.params || jsonb_build_object('_id', s.visitor_id::text, 'cid', s.cid::text, 'uid', s.user_id,
			'consent', s.consent, 'new_visit', s.new_visit::int, 'url', s.url, 'urlref', s.urlref, 'pv_id', s.pv_id))) p),
		headers = jsonb_build_object('cookie', concat_ws('; ', '_pk_anonymous=' || s.session_cookie, CASE WHEN random() < 0.2 THEN '_pk_uid=' || lpad(to_hex(s.n % 24 + 16), 16, '0') END));
	ALTER TABLE stream DROP visitor_id, DROP cid, DROP user_id, DROP consent, DROP session_cookie, DROP new_visit, DROP url, DROP urlref, DROP pv_id, DROP params;
	DO $$
	DECLARE
		s record;
	BEGIN
		FOR s IN SELECT * FROM stream ORDER BY n LOOP
			INSERT INTO live SELECT s.n, t.outcome, t.outcome_reason, t.new_visit, t.matched_by
			FROM pk_tracking.track_request('idsite=' || (SELECT idsite FROM way WHERE name = 'live') || '&' || s.query, s.ip, s.user_agent, s.accept_language, s.at, s.headers) t;
			IF s.n % 50 = 0 THEN COMMIT; END IF;
		END LOOP;
	END $$;
\else
	-- wrong hits raise there
	DO $$
	DECLARE
		s record;
	BEGIN
		FOR s IN SELECT * FROM stream ORDER BY n LOOP
			BEGIN
				INSERT INTO live SELECT s.n, t.outcome, t.outcome_reason, t.new_visit, t.matched_by
				FROM pk_tracking.track((SELECT idsite FROM way WHERE name = 'live'), s.url, NULL, s.urlref, s.ip, s.user_agent, s.accept_language, s.visitor_id, cid => s.cid, consent => s.consent,
					session_cookie => s.session_cookie::text, user_id => s.user_id, at => s.at, new_visit => s.new_visit, pv_id => s.pv_id, params => s.params) t;
			EXCEPTION WHEN invalid_parameter_value THEN
				INSERT INTO live VALUES (s.n, 'invalid');
			END;
			IF s.n % 50 = 0 THEN COMMIT; END IF;
		END LOOP;
	END $$;
\endif
-- each way has a site of its own, and its rows
SELECT format('CREATE VIEW rows_%s AS SELECT %s FROM stream', name, CASE WHEN :'form' = 'query' THEN format('n, at, ip, user_agent, accept_language, %L || query AS query, headers', 'idsite=' || idsite || '&') ELSE idsite || ' AS idsite, *' END)
FROM way WHERE name <> 'live' \gexec
SELECT format('CREATE TABLE raw_%1$s AS SELECT * FROM rows_%1$s %2$s', name, CASE WHEN name IN ('copy', 'some') THEN 'LIMIT 0' WHEN name = 'ingest' OR :'sort' = 'time' THEN 'ORDER BY random()' ELSE 'ORDER BY n' END) FROM way WHERE name <> 'live' \gexec
SELECT format('ALTER TABLE raw_%s ADD PRIMARY KEY (n)', name) FROM way WHERE name <> 'live' \gexec
SELECT pk_tracking.attach('raw_copy', hit_order => :'sort'), pk_tracking.attach('raw_some') \g /dev/null
