-- bench/parts: the same hits with and without a part of the road, by turns.
\set ON_ERROR_STOP on
\pset pager off
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('bench', ARRAY['https://a.example']) \g /dev/null
-- by id, so that the fingerprint is no matter of recognition
SELECT pk_tracking.set_instance('trust_visitors_cookies', 'on') \g /dev/null

CREATE SCHEMA bench;
CREATE TABLE bench.variant (
	no serial PRIMARY KEY,
	part text,			-- '' is what the others are measured against
	hits text,			-- known: visits that go on; new: each begins one
	rules boolean,		-- user agent rules
	places boolean,		-- GeoIP file
	query text,			-- what the tracking URL has more
	ua text,
	ip text);
\set agent 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'
INSERT INTO bench.variant (part, hits, rules, places, query, ua, ip)
SELECT v.part, h.hits, v.rules, v.places, v.query, v.ua, v.ip
FROM (VALUES ('known'), ('new')) h (hits), (VALUES
	(1, '', false, false, '', :'agent', '10.1.2.3'),
	(2, 'user agent, one that is known', true, false, '', :'agent', '10.1.2.3'),
	(3, 'user agent, one never seen', true, false, '', replace(:'agent', '142.0.0.0', '142.0.$R.$N'), '10.1.2.3'),
	(4, 'Client Hints as a parameter', true, false, '&uadata=%7B%22platform%22%3A%22Windows%22%2C%22platformVersion%22%3A%2215.0.0%22%2C%22fullVersionList%22%3A%5B%7B%22brand%22%3A%22Chromium%22%2C%22version%22%3A%22142.0.1%22%7D%2C%7B%22brand%22%3A%22Google%20Chrome%22%2C%22version%22%3A%22142.0.1%22%7D%5D%7D', :'agent', '10.1.2.3'),
	(5, 'location, address that is known', false, true, '', :'agent', '10.1.2.3'),
	(6, 'location, address never seen', false, true, '', :'agent', '10.$R.$A.$B'),
	(7, 'referrer: a page of the site', false, false, '&urlref=https%3A%2F%2Fa.example%2Fbefore', :'agent', '10.1.2.3'),
	(8, 'referrer: search engine', false, false, '&urlref=https%3A%2F%2Fwww.bing.com%2Fsearch%3Fq%3Dred%2Bshoes', :'agent', '10.1.2.3'),
	(9, 'referrer: website', false, false, '&urlref=https%3A%2F%2Fb.example%2Fpage%3Fx%3D1', :'agent', '10.1.2.3'),
	(10, 'campaign in the page''s URL', false, false, '%3Futm_campaign%3Dspring%26utm_term%3Dshoes', :'agent', '10.1.2.3'),
	(11, 'URL with parameters to cut', false, false, '%3Fa%3D1%26gclid%3Dx%26b%3D2%26fbclid%3Dy', :'agent', '10.1.2.3')
) v (n, part, rules, places, query, ua, ip)
ORDER BY h.hits, v.n;
CREATE TABLE bench.took (no integer, round integer, us double precision);

-- nanoseconds that this backend has been on a processor
CREATE FUNCTION bench.cpu() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::bigint
$$;

CREATE PROCEDURE bench.run(v bench.variant, turn integer, places text)
LANGUAGE plpgsql AS $$
DECLARE
	n CONSTANT integer := 2000;
	queries text[];
	uas text[];
	ips inet[];
	began bigint;
	at timestamptz := '2026-01-01 12:00+00'::timestamptz + turn * interval '1 day' + v.no * interval '1 hour';
BEGIN
	PERFORM set_config('pk_tracking.user_agent_rules_file', CASE WHEN v.rules THEN '/usr/share/uap-core/regexes.yaml' ELSE '' END, false);
	PERFORM set_config('pk_tracking.geoip_city_file', CASE WHEN v.places THEN places ELSE '' END, false);
	SELECT array_agg(format('idsite=1&rec=1&action_name=Title&_id=%s&url=https%%3A%%2F%%2Fa.example%%2Fpage%%2F7%s',
			lpad(to_hex(CASE v.hits WHEN 'known' THEN g % 100 ELSE (turn * 100 + v.no) * 10000 + g END), 16, '0'), v.query) ORDER BY g),
		array_agg(replace(replace(v.ua, '$R', (turn * 100 + v.no)::text), '$N', g::text) ORDER BY g),
		array_agg(replace(replace(replace(v.ip, '$R', (turn * 7 + v.no)::text), '$A', (g / 250)::text), '$B', (g % 250)::text)::inet ORDER BY g)
		INTO queries, uas, ips
		FROM generate_series(1, n) g;
	-- the visits that go on, plans and files
	PERFORM pk_tracking.track_request(queries[g], ips[g], uas[1], 'en-US,en', at) FROM generate_series(1, CASE v.hits WHEN 'known' THEN 100 ELSE 1 END) g;
	COMMIT;
	began := bench.cpu();
	FOR g IN 1 .. n LOOP
		PERFORM pk_tracking.track_request(queries[g], ips[g], uas[g], 'en-US,en', at + interval '1 s');
		IF g % 100 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
	INSERT INTO bench.took VALUES (v.no, turn, (bench.cpu() - began) / 1000.0 / n);
	COMMIT;
END
$$;

CREATE PROCEDURE bench.all(rounds integer, places text)
LANGUAGE plpgsql AS $$
DECLARE
	v bench.variant;
BEGIN
	FOR turn IN 1 .. rounds LOOP
		FOR v IN SELECT * FROM bench.variant ORDER BY random() LOOP
			CALL bench.run(v, turn, places);
		END LOOP;
	END LOOP;
END
$$;
CALL bench.all(:rounds, :'places');

WITH median AS (
	SELECT v.*, percentile_cont(0.5) WITHIN GROUP (ORDER BY t.us) AS us
	FROM bench.variant v JOIN bench.took t USING (no) GROUP BY v.no
)
SELECT CASE WHEN m.part = '' THEN 'a hit without any of them' ELSE m.part END AS "microseconds a hit",
	round(max(CASE WHEN m.hits = 'known' THEN m.us - CASE WHEN m.part = '' THEN 0 ELSE b.us END END)::numeric, 1) AS "visit goes on",
	round(max(CASE WHEN m.hits = 'new' THEN m.us - CASE WHEN m.part = '' THEN 0 ELSE b.us END END)::numeric, 1) AS "visit begins"
FROM median m JOIN median b ON b.part = '' AND b.hits = m.hits
GROUP BY m.part ORDER BY min(m.no);
