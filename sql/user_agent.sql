-- User agents: what is said of those in test/user_agent/agents.tsv, the
-- prefilter, Client Hints, and files that are missing, broken or replaced.
-- The rules are those of the package uap-core.
\set VERBOSITY terse
CREATE TEMP TABLE agent (n serial, os text, os_version text, browser text, browser_version text, device_type text, client_type text, brand text, gap text, ua text);
\copy agent (os, os_version, browser, browser_version, device_type, client_type, brand, gap, ua) FROM PROGRAM 'cat "$PG_ABS_SRCDIR/test/user_agent/agents.tsv"'
SELECT count(*) >= 150 AS enough FROM agent;

CREATE TEMP VIEW answer AS
	SELECT a.*, ARRAY[d.config_os, coalesce(d.os_version, ''), CASE WHEN d.is_bot THEN '' ELSE d.config_browser_name END,
			CASE WHEN d.is_bot THEN '' ELSE coalesce(d.browser_version, '') END, coalesce(d.device_type::text, ''), coalesce(d.client_type::text, ''),
			CASE WHEN a.brand = '' THEN '' ELSE coalesce(d.brand, '') END] AS got,
		ARRAY[a.os, a.os_version, a.browser, a.browser_version, a.device_type, a.client_type, a.brand] AS expected
	FROM agent a, pk_tracking.user_agent(a.ua) d;

-- not as expected, and no known gap
SELECT expected, got, ua FROM answer WHERE gap = '' AND got <> expected ORDER BY n;
-- gaps that are none any more; those of older rules may be closed
SELECT expected, gap, ua FROM answer WHERE gap <> '' AND gap !~ '^older rules ' AND got = expected ORDER BY n;
-- the gaps, by name
SELECT gap, count(*) FROM answer WHERE gap <> '' GROUP BY gap ORDER BY gap COLLATE "C";

-- prefilter and cache change nothing: cached, and hostile ones too
CREATE TEMP TABLE odd AS
	SELECT ua FROM agent
	UNION ALL SELECT left(ua, length(ua) / 2) FROM agent
	UNION ALL SELECT upper(ua) FROM agent
	UNION ALL SELECT lower(ua) FROM agent
	UNION ALL SELECT reverse(ua) FROM agent
	UNION ALL SELECT substr(a.ua, 1, 60) || substr(b.ua, 40) FROM agent a JOIN agent b ON b.n = a.n + 17
	UNION ALL SELECT repeat(x, 2000) FROM unnest(ARRAY['a', 'Mozilla/5.0 (', 'bot ', '; ', '1.', 'Android ', 'Linux; Android 10; ', 'é', 'ab-', ' ', '/', 'CFNetwork/', 'crawl']) x;
SELECT count(*) >= 1000 AS enough, count(*) FILTER (WHERE pk_tracking.user_agent(ua) IS DISTINCT FROM pk_tracking_internal.user_agent_in_rule_order(ua)) AS differ,
	count(*) FILTER (WHERE pk_tracking.user_agent(ua) IS DISTINCT FROM pk_tracking.user_agent(ua)) AS differ_cached
FROM odd;
-- of a long agent the first 1024 bytes count
SELECT pk_tracking.user_agent(rpad('', 1024, 'x') || ' Firefox/121.0') = pk_tracking.user_agent(rpad('', 1024, 'x')) AS cut,
	(pk_tracking.user_agent('Mozilla/5.0 (Windows NT 10.0; rv:121.0) Gecko/20100101 Firefox/121.0 ' || repeat('x', 10000))).config_browser_name;

-- nothing
SELECT * FROM pk_tracking.user_agent(NULL);
SELECT pk_tracking.user_agent(NULL, NULL) = pk_tracking.user_agent('') AS same, pk_tracking.user_agent('', '{}') = pk_tracking.user_agent('') AS same;

-- Client Hints, as an object and as headers
\set win 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
\set mac 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
\set and 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36'
\set lin 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
CREATE TEMP TABLE hint (n serial, ua text, hints jsonb);
INSERT INTO hint (ua, hints) VALUES
	(:'win', '{"platform": "Windows", "platformVersion": "15.0.0"}'),
	(:'win', '{"platform": "Windows", "platformVersion": "10.0.0"}'),
	(:'win', '{"platform": "Windows", "platformVersion": "0.3.0"}'),
	(:'win', '{"platform": "Windows", "platformVersion": ""}'),
	(:'win', '{"sec-ch-ua-platform": "\"Windows\"", "sec-ch-ua-platform-version": "\"15.0.0\""}'),
	(:'mac', '{"platform": "macOS", "platformVersion": "14.2.1"}'),
	(:'mac', '{"platform": "macOS"}'),
	(:'and', '{"platform": "Android", "platformVersion": "14.0.0", "model": "Pixel 8", "mobile": true}'),
	(:'and', '{"platform": "Android", "platformVersion": "13", "model": "SM-X906C", "mobile": false}'),
	(:'and', '{"sec-ch-ua-platform": "\"Android\"", "sec-ch-ua-platform-version": "\"13.0.0\"", "sec-ch-ua-model": "\"SM-S918B\"", "sec-ch-ua-mobile": "?1"}'),
	(:'lin', '{"platform": "Linux", "platformVersion": "6.5.0"}'),
	(:'lin', '{"platform": "Chrome OS", "platformVersion": "15662.64.0"}'),
	(:'win', '{"fullVersionList": [{"brand": "Not_A Brand", "version": "8.0.0.0"}, {"brand": "Chromium", "version": "120.0.6099.130"}, {"brand": "Google Chrome", "version": "120.0.6099.130"}]}'),
	(:'win', '{"brands": [{"brand": "Not_A Brand", "version": "8"}, {"brand": "Chromium", "version": "120"}, {"brand": "Google Chrome", "version": "120"}]}'),
	(:'win', '{"fullVersionList": [{"brand": "Not_A Brand", "version": "8.0.0.0"}, {"brand": "Chromium", "version": "120.0.6099.130"}, {"brand": "Brave", "version": "120.0.0.0"}]}'),
	(:'win', '{"fullVersionList": [{"brand": "Opera GX", "version": "106.0.4998.61"}, {"brand": "Chromium", "version": "120.0.6099.130"}, {"brand": "Not;A=Brand", "version": "99.0.0.0"}]}'),
	(:'win', '{"sec-ch-ua": "\"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"120\", \"Microsoft Edge\";v=\"120\""}'),
	(:'win', '{"sec-ch-ua": "\"Chromium\";v=\"120\"", "sec-ch-ua-full-version-list": "\"Chromium\";v=\"120.0.6099.130\", \"Microsoft Edge\";v=\"120.5.2210.91\""}'),
	(:'win', '{"brands": [{"brand": "Chromium", "version": "120"}, {"brand": "Some Thing", "version": "7"}]}'),
	(:'win', '{"platform": "macOS", "platformVersion": "13.1", "sec-ch-ua-platform": "\"Windows\""}'),
	(:'win' || ' Vivaldi/6.5.3206.50', '{"fullVersionList": [{"brand": "Chromium", "version": "120.0.6099.130"}, {"brand": "Google Chrome", "version": "120.0.6099.130"}]}'),
	('', '{"platform": "Android", "platformVersion": "14", "mobile": true, "brands": [{"brand": "Google Chrome", "version": "120"}]}');
SELECT h.n, d.os_version, d.browser_version, d.client_type, d.device_type, d.brand, d.model, d.config_os, d.config_browser_name
FROM hint h, pk_tracking.user_agent(h.ua, h.hints) d ORDER BY h.n;
SELECT count(*) FILTER (WHERE pk_tracking.user_agent(ua, hints) IS DISTINCT FROM pk_tracking_internal.user_agent_in_rule_order(ua, hints)) AS differ FROM hint;
-- hints that make no sense say nothing
SELECT h, pk_tracking.user_agent(:'win', h) = pk_tracking.user_agent(:'win') AS same FROM unnest(ARRAY[
	'{}', '{"platform": 1, "mobile": "yes", "brands": {}}', '{"brands": [1, [], {"brand": 1}, {"version": "x"}]}', '{"sec-ch-ua": "\"", "sec-ch-ua-mobile": "1", "sec-ch-ua-platform": "Windows"}',
	'{"sec-ch-ua": ["x"]}', '{"platform": {"a": "b"}}']::jsonb[]) h;
SELECT pk_tracking.user_agent('x', '[]');
SELECT octet_length(d.model) AS model FROM pk_tracking.user_agent(:'and', jsonb_build_object('model', repeat('é', 1000))) d;

-- the fingerprint's share: the same for other builds and system versions, another for other systems, browsers and versions
SELECT (d.config_os, d.config_browser_name, d.browser_version) = (e.config_os, e.config_browser_name, e.browser_version) AS same
FROM (VALUES ('120.0.6099.71', 'Windows NT 10.0; Win64; x64'), ('120.0.0.0', 'Windows NT 6.1; Win64; x64'), ('121.0.0.0', 'Windows NT 10.0; Win64; x64'),
	('120.0.0.0', 'Macintosh; Intel Mac OS X 10_15_7'), ('120.0.0.0', 'X11; Linux x86_64')) v (version, system),
	pk_tracking.user_agent(format('Mozilla/5.0 (%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%s Safari/537.36', system, version)) d,
	pk_tracking.user_agent(:'win') e;

-- the rules: all of them compile, within this memory
SELECT file, rules > 1000 AS many, compiled = rules AS compiled, without_literal < 20 AS filtered, memory < 8 * 1024 * 1024 AS small, error FROM pk_tracking.user_agent_rules(true);

-- more agents than the cache holds: memory stays
SELECT count(pk_tracking.user_agent(rpad('agent ' || i, 1500, 'x'))) FROM generate_series(1, 5000) i;
SELECT memory AS before FROM pk_tracking.user_agent_rules() \gset
SELECT count(pk_tracking.user_agent(rpad('agent ' || i, 1500, 'y'))) FROM generate_series(1, 5000) i;
SELECT memory <= :before + 65536 AS bounded FROM pk_tracking.user_agent_rules();

-- no file: one warning, and everything unknown but the hints
\c -
\set VERBOSITY terse
SET pk_tracking.user_agent_rules_file = '/nonexistent/regexes.yaml';
\set win 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
SELECT * FROM pk_tracking.user_agent(:'win');
SELECT config_os, os_version FROM pk_tracking.user_agent(:'win', '{"platform": "Windows", "platformVersion": "15.0.0"}');
SELECT file, rules, compiled, without_literal, error FROM pk_tracking.user_agent_rules();
SET pk_tracking.user_agent_rules_file = '';
SELECT error FROM pk_tracking.user_agent_rules();
SET pk_tracking.user_agent_rules_file = '/';
SELECT error FROM pk_tracking.user_agent_rules();
RESET pk_tracking.user_agent_rules_file;
SELECT config_os, os_version FROM pk_tracking.user_agent(:'win');

-- files that are none, and one that is replaced; written by the server, next to its data
SELECT current_setting('data_directory') || '/pkt_rules.yaml' AS file \gset
SET pk_tracking.user_agent_rules_file = :'file';
CREATE TEMP TABLE content (n serial, text text);
INSERT INTO content (text) VALUES (''), ('a'), ('[1, 2]'), ('{a: b}'), ('{user_agent_parsers: [{regex: "x"}]}'), ('{user_agent_parsers: [1]}'), ('{user_agent_parsers: [{family: "x"}]}'),
	('{user_agent_parsers: {a: [*b]}}'), ('{user_agent_parsers: [{regex: [x]}]}'), ('{"'), ('{user_agent_parsers: [{regex: "(A"}], os_parsers: [{regex: "(B)"}], device_parsers: [{regex: "(C)"}]}');
CREATE FUNCTION pg_temp.put(text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY (SELECT %L) TO %L', $1, current_setting('pk_tracking.user_agent_rules_file'));
END
$$;
CREATE PROCEDURE pg_temp.try() LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT * FROM content ORDER BY n LOOP
		PERFORM pg_temp.put(c.text);
		COMMIT;
		RAISE INFO '%: %', c.text, (SELECT error FROM pk_tracking.user_agent_rules(true));
		COMMIT;
	END LOOP;
END
$$;
CALL pg_temp.try();
-- a broken rule is left out, the others work
SELECT os_family, browser_family FROM pk_tracking.user_agent('A B');
SELECT pg_temp.put('{user_agent_parsers: [{regex: "(A)|(?=(X))"}, {regex: "([Bb]x{0,2})y?z", v1_replacement: "$1!"}], os_parsers: [{regex: "q", os_replacement: "Windows"}, {regex: "(B)"}], device_parsers: [{regex: "(C)"}], other: {a: [b]}}');
SELECT rules, without_literal FROM pk_tracking.user_agent_rules();
SELECT d.os_family, d.browser_family, d.browser_version, d.config_os FROM unnest('{A B,xq,bxxz,byz,"X Q"}'::text[]) u, pk_tracking.user_agent(u) d;
-- a broken one in its place: what was read stays
SELECT pg_temp.put('a');
SELECT rules, error FROM pk_tracking.user_agent_rules();
SELECT os_family FROM pk_tracking.user_agent('xq');
-- an agent made to be hard is given up
SELECT pg_temp.put('{user_agent_parsers: [{regex: "(x+x+)+(y|z)+w"}], os_parsers: [{regex: "(.*)*(.*)*(.*)*q"}], device_parsers: [{regex: "x"}]}');
SELECT browser_family, os_family FROM pk_tracking.user_agent(repeat('x', 1000));
SELECT pg_temp.put('');
RESET pk_tracking.user_agent_rules_file;
SELECT config_os FROM pk_tracking.user_agent(:'win');
SELECT format('rm -f -- %L', :'file') AS remove \gset
COPY (SELECT) TO PROGRAM :'remove';

-- status() tells how old the rules are, and how many browsers of the last day are unknown
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
END $$;
SELECT s.value ~ ' rules, of \d{4}-\d\d-\d\d$' AS age, s.remark IS NOT NULL = (u.modified < now() - interval '1 year') AS remark, s.remark ~ '^more than a year old' OR s.remark IS NULL AS old
FROM pk_tracking.status() s, pk_tracking.user_agent_rules() u WHERE s.item = 'user agent rules';
BEGIN;
DELETE FROM pk_tracking.log_visit;
SELECT pk_tracking.add_site('unknown browsers') AS unknown \gset
SELECT count(pk_tracking.track(:unknown, 'http://a.example/', ip => format('%s.1.1.1', i)::inet, user_agent => CASE WHEN i % 5 = 0 THEN 'Strange/1' ELSE 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' END, visitor_id => lpad(to_hex(i), 16, '0')::hexid)) FROM generate_series(1, 99) i;
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'unknown browsers';
SELECT count(pk_tracking.track(:unknown, 'http://a.example/', ip => '150.1.1.1', user_agent => 'Strange/1', visitor_id => '00000000000000ff')) FROM generate_series(1, 1) i;
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'unknown browsers';
ROLLBACK;
