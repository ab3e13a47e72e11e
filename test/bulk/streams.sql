-- Random streams of hits, each run in every way there is: one by one, as one
-- COPY, as COPYs of random sizes, by ingest() and by replay().  The logs must be
-- the same but for the numbers of rows; numbers and chance ids are compared as
-- partitions: by the first hit that has them.
-- Variables: seed, hits, rules, trust.
\set ON_ERROR_STOP on
SET client_min_messages = error;
SET timezone = 'UTC';
SELECT setseed(:seed) \g /dev/null
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN PERFORM pk_tracking.create_log(); END IF;
END $$;
SELECT pk_tracking.set_instance('recognition_rules', :'rules'), pk_tracking.set_instance('trust_visitors_cookies', :'trust'),
	pk_tracking.set_instance('fingerprint_salt_rotation', 'never'), pk_tracking.set_instance('enable_fingerprinting_across_websites', 'on') \g /dev/null
DROP TABLE IF EXISTS stream, way, raw_copy, raw_some, raw_ingest, raw_replay;
TRUNCATE pk_tracking.ingest_position;
CREATE TABLE way (name text, idsite integer);
INSERT INTO way SELECT n, pk_tracking.add_site(n) FROM unnest('{live,copy,some,ingest,replay}'::text[]) n;
SELECT pk_tracking.add_goal(idsite, 'g', 'url', 'thanks', 'contains'), pk_tracking.add_goal(idsite, 'm', 'manually', allow_multiple => true) FROM way \g /dev/null

-- n is in pv_id, and in url where there may be no action row
CREATE TABLE stream AS
SELECT n, '2026-01-05 20:00+00'::timestamptz + (n * 11 + CASE WHEN random() < 0.1 THEN -random() * 4000 ELSE 0 END) * interval '1 s' AS at,
	('10.0.' || (random() * 12)::int || '.1')::inet AS ip, 'agent ' || (random() * 2)::int AS user_agent, 'en' AS accept_language,
	CASE WHEN random() < 0.5 THEN lpad(to_hex((random() * 20)::int + 16), 16, '0')::hexid END AS visitor_id,
	CASE WHEN random() < 0.1 THEN 'user ' || (random() * 5)::int END AS user_id,
	CASE WHEN random() < 0.05 THEN true END AS new_visit,
	CASE WHEN random() < 0.9 THEN 'http://example.org/' || (ARRAY['a', 'b', 'thanks', 'c?utm_campaign=x'])[1 + (random() * 3)::int] END AS url,
	CASE WHEN random() < 0.2 THEN 'http://other.example/' || (random() * 3)::int END AS urlref,
	lpad(n::text, 6, '0') AS pv_id,
	CASE (random() * 14)::int
		WHEN 1 THEN '{"e_c": "c", "e_a": "a", "e_v": 1.5}' WHEN 2 THEN '{"search": "s", "search_count": 3}' WHEN 3 THEN '{"idgoal": 2, "revenue": 3}'
		WHEN 4 THEN '{"idgoal": 0, "revenue": 10, "ec_items": [["sku", "name", "cat", 5, 2]]}'
		WHEN 5 THEN jsonb_build_object('idgoal', 0, 'ec_id', 'o' || (random() * 30)::int, 'revenue', 12, 'ec_items', '[["sku", "name", "cat", 6, 2]]'::jsonb)
		WHEN 6 THEN '{"ping": 1}' WHEN 7 THEN '{"download": "http://example.org/f.zip"}' WHEN 8 THEN '{"pf_srv": -3}' WHEN 9 THEN '{"_idvc": 3, "_idts": 1700000000}'
		ELSE '{}' END::jsonb AS params
FROM generate_series(1, :hits) n;
SELECT count(*) AS hits, count(*) FILTER (WHERE late) AS late FROM (SELECT at < max(at) OVER (ORDER BY n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS late FROM stream) s \g /dev/null

-- live: wrong hits raise there
DO $$
DECLARE
	s record;
BEGIN
	FOR s IN SELECT * FROM stream ORDER BY n LOOP
		BEGIN
			PERFORM pk_tracking.track((SELECT idsite FROM way WHERE name = 'live'), s.url, NULL, s.urlref, s.ip, s.user_agent, s.accept_language, s.visitor_id,
				user_id => s.user_id, at => s.at, new_visit => s.new_visit, pv_id => s.pv_id, params => s.params);
		EXCEPTION WHEN invalid_parameter_value THEN
			NULL;
		END;
	END LOOP;
END $$;
SELECT format('CREATE TABLE raw_%s AS SELECT %s AS idsite, * FROM stream %s', name, idsite, CASE WHEN name IN ('copy', 'some') THEN 'LIMIT 0' WHEN name = 'ingest' THEN 'ORDER BY random()' ELSE 'ORDER BY n' END) FROM way WHERE name <> 'live' \gexec
ALTER TABLE raw_ingest ADD PRIMARY KEY (n);
SELECT pk_tracking.attach('raw_copy'), pk_tracking.attach('raw_some') \g /dev/null
