-- One address has one form, whoever wrote it; headers of proxies in every form
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('address one') AS one, pk_tracking.add_site('address two') AS two \gset
SELECT set_config('test.one', :'one', false) IS NULL AS x, set_config('test.two', :'two', false) IS NULL AS y \g /dev/null
SELECT pk_tracking.set_instance('ip_mask_level', '0') \g /dev/null

CREATE FUNCTION pg_temp.stored(t pk_tracking.tracked) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.outcome, t.outcome_reason, host(v.location_ip), t.reason)
	FROM (SELECT) one LEFT JOIN pk_tracking.log_visit v ON v.idvisit = t.idvisit
$$;

-- 1. IPv4-mapped and NAT64 forms are the IPv4 address: in an argument, a header, cip, a raw table
SELECT pg_temp.stored(pk_tracking.track(:one, 'https://a.example/', ip => '203.0.113.9', user_agent => 'a', at => '2026-03-02 10:00+00')) AS plain;
SELECT i AS ip, pg_temp.stored(pk_tracking.track(:one, 'https://a.example/', ip => i, user_agent => 'a', at => '2026-03-02 10:00+00')) AS argument
FROM unnest('{::ffff:203.0.113.9,64:ff9b::203.0.113.9,64:ff9b:1::203.0.113.9,::203.0.113.9,64:ff9b::1:203.0.113.9}'::inet[]) WITH ORDINALITY u(i, n) ORDER BY n;
SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}') \g /dev/null
SELECT i AS ip, pg_temp.stored(pk_tracking.track_request('idsite=' || current_setting('test.one') || '&rec=1', '192.0.2.1', 'a', at => '2026-03-02 10:01+00', headers => jsonb_build_object('x-forwarded-for', i))) AS header,
	pg_temp.stored(pk_tracking.track_request('idsite=' || current_setting('test.one') || '&rec=1&cip=' || i, '192.0.2.1', 'a', at => '2026-03-02 10:01+00', trusted => true)) AS cip
FROM unnest('{::ffff:203.0.113.9,[::ffff:203.0.113.9]:4711,64:ff9b::203.0.113.9}'::text[]) WITH ORDINALITY u(i, n) ORDER BY n;
CREATE TEMP TABLE raw (id integer PRIMARY KEY, idsite integer, ip text, ua text, at timestamptz);
SET client_min_messages = error;
SELECT * FROM pk_tracking.attach('raw');
INSERT INTO raw SELECT n, :one, i, 'a', '2026-03-02 10:02+00' FROM unnest('{203.0.113.9,::ffff:203.0.113.9,64:ff9b::203.0.113.9}'::text[]) WITH ORDINALITY u(i, n);
SET client_min_messages = warning;
SELECT count(*) AS visits, sum(visit_total_actions) AS actions FROM pk_tracking.log_visit WHERE idsite = :one AND location_ip = '203.0.113.9';
SELECT count(DISTINCT pk_tracking.fingerprint(:one, i, 'a', at => '2026-03-02 10:00+00')) FROM unnest('{203.0.113.9,::ffff:203.0.113.9,64:ff9b::203.0.113.9}'::inet[]) i;
-- the mask is that of the IPv4 address
SELECT pk_tracking.set_instance('ip_mask_level', '2') \g /dev/null
SELECT i AS ip, pg_temp.stored(pk_tracking.track(:one, 'https://a.example/', ip => i, new_visit => true, at => '2026-03-02 10:05+00')) AS masked
FROM unnest('{203.0.113.9,::ffff:203.0.113.9,64:ff9b::203.0.113.9}'::inet[]) WITH ORDINALITY u(i, n) ORDER BY n;
-- networks: whichever form the list or the hit has
CREATE FUNCTION pg_temp.excluded(list text, i inet) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pk_tracking.set_instance('excluded_ips', list);
	RETURN (pk_tracking.track(current_setting('test.one')::integer, 'https://a.example/', ip => i, at => '2026-03-02 10:06+00')).outcome;
END
$$;
SELECT list, i AS ip, pg_temp.excluded(list, i) FROM (VALUES
	('{203.0.113.0/24}', '{203.0.113.9,::ffff:203.0.113.9,64:ff9b::203.0.113.9}'::inet[]), ('{64:ff9b::203.0.113.0/120}', '{203.0.113.9,64:ff9b::203.0.113.9,203.0.114.9}'), ('{64:ff9b::203.0.113.9}', '{203.0.113.9,203.0.113.8}'),
	('{64:ff9b::/96}', '{198.51.100.1}'), ('{64:ff9b::/64}', '{198.51.100.1,64:ff9b::198.51.100.1,64:ff9b::1:0:0}')) l(list, ips), unnest(ips) WITH ORDINALITY u(i, n);
SELECT pk_tracking.set_instance('excluded_ips', '{}') \g /dev/null
-- as Matomo: two visitors, and stored as it came
SELECT pk_tracking.set_site(:two, 'recognition_rules', 'matomo'), pk_tracking.set_instance('ip_mask_level', '0') \g /dev/null
SELECT i AS ip, pg_temp.stored(pk_tracking.track(:two, 'https://a.example/', ip => i, user_agent => 'a', at => '2026-03-02 10:00+00')) AS matomo
FROM unnest('{203.0.113.9,::ffff:203.0.113.9}'::inet[]) WITH ORDINALITY u(i, n) ORDER BY n;

-- 2. A 6to4 address holds an IPv4 address, which the mask hides as well
SELECT i AS ip, level, pk_tracking.mask_ip(i, level) AS masked
FROM unnest('{2002:cb00:7109:1::1,2002:c633:6407:1:2:3:4:5,2003:cb00:7109:1::1}'::inet[]) i, generate_series(0, 4) level ORDER BY 1, 2;
SELECT pk_tracking.set_instance('ip_mask_level', '2'), pk_tracking.set_instance('consent_mode', 'ask_else_anonymous') \g /dev/null
SELECT pg_temp.stored(pk_tracking.track(:one, 'https://a.example/', ip => '2002:cb00:7109:1::1', consent => 'granted', at => '2026-03-02 11:00+00')) AS "6to4",
	pg_temp.stored(pk_tracking.track(:one, 'https://a.example/', ip => '2002:cb00:7109:1::1', consent => 'unknown', at => '2026-03-02 11:00+00')) AS anonymous;
SELECT pk_tracking.reset_instance('consent_mode') \g /dev/null

-- 3. Forwarded (RFC 7239)
SELECT pk_tracking.set_instance('ip_mask_level', '0'), pk_tracking.set_instance('proxy_client_headers', '{forwarded,x-real-ip}'), pk_tracking.set_instance('proxy_ips', '{10.0.0.0/8}') \g /dev/null
CREATE FUNCTION pg_temp.behind(headers jsonb, remote inet DEFAULT '192.0.2.1') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked := pk_tracking.track_request('idsite=' || current_setting('test.one') || '&rec=1&new_visit=1', remote, 'a', headers => headers);
BEGIN
	RETURN (SELECT coalesce(host(v.location_ip), 'none') FROM pk_tracking.log_visit v WHERE v.idvisit = t.idvisit);
END
$$;
SELECT h AS forwarded, pg_temp.behind(jsonb_build_object('forwarded', h)) FROM unnest(ARRAY[
	'for=192.0.2.43', 'For="[2001:db8:cafe::17]:4711"', 'for=192.0.2.60;proto=http;by=203.0.113.43', 'proto=https; for=192.0.2.60:8080', 'for=192.0.2.43, for=198.51.100.17', 'for=192.0.2.43,for="10.1.2.3:80"',
	'for=192.0.2.43, for=unknown', 'for=unknown', 'for=_gazonk', 'for="_SEVKISEK"', 'for="unknown:80"', 'by=203.0.113.43', 'for=192.0.2.43, by=10.1.2.3', '', ',', 'for=', 'for', '=', ';;for=192.0.2.43;;', 'for="192.0.2.\43"',
	'for="192.0.2.43', 'host="a,b";for=192.0.2.43', 'host="a\",for=6.6.6.6";for=192.0.2.43', 'for="1,2"', 'x for=192.0.2.43', 'forx=1.1.1.1', '192.0.2.43']) WITH ORDINALITY u(h, n) ORDER BY n;
SELECT length(h), pg_temp.behind(jsonb_build_object('forwarded', h)) FROM unnest(ARRAY[repeat('for=1.1.1.1,', 1000) || 'for=2.2.2.2', repeat('"', 5000), repeat('=', 5001), repeat('for="\', 1000)]) h;

-- 4. "unknown" hides the visitor: it is no address, and never the proxy's
SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for,x-real-ip}') \g /dev/null
SELECT h AS "x-forwarded-for", pg_temp.behind(jsonb_build_object('x-forwarded-for', h)) FROM unnest('{"1.1.1.1, unknown","unknown","1.1.1.1, unknown, 10.0.0.1","unknown, 1.1.1.1","nonsense","","1.1.1.1, UNKNOWN:80"}'::text[]) WITH ORDINALITY u(h, n) ORDER BY n;
SELECT pg_temp.behind('{"x-forwarded-for": "unknown", "x-real-ip": "2.2.2.2"}');
-- two such visitors are not one
SELECT count(DISTINCT (pk_tracking.track_request(format('idsite=%s&rec=1', :one), '192.0.2.1', 'same', at => '2026-03-02 12:00+00', headers => '{"x-forwarded-for": "unknown"}')).idvisit) FROM generate_series(1, 2);
-- as Matomo: the connection's
SELECT pg_temp.stored(pk_tracking.track_request(format('idsite=%s&rec=1', :two), '192.0.2.1', 'x', at => '2026-03-02 12:00+00', headers => '{"x-forwarded-for": "1.1.1.1, unknown"}')) AS matomo;

-- 5. Names of headers in any case, and lists of values
SELECT x.headers, pg_temp.behind(x.headers) FROM (VALUES
	(1, '{"X-Forwarded-For": "1.1.1.1"}'::jsonb), (2, '{"X-FORWARDED-FOR": "1.1.1.1", "x-forwarded-for": "2.2.2.2"}'), (3, '{"x-forwarded-for": ["1.1.1.1"]}'), (4, '{"X-Forwarded-For": ["1.1.1.1", "2.2.2.2, 10.0.0.1"]}'),
	(5, '{"X-Forwarded-For": [], "X-Real-Ip": ["3.3.3.3"]}'), (6, '{"X-Forwarded-For": [[1], null, {"a": "b"}, "4.4.4.4"]}'), (7, '{"X-Forwarded-For": {"A": "1.1.1.1"}}'), (8, '{}'), (9, '{"Y": "1.1.1.1", "": [1]}')) x(n, headers) ORDER BY n;
SELECT pk_tracking.set_instance('respect_do_not_track', 'on') \g /dev/null
SELECT h AS headers, t.outcome, t.outcome_reason FROM unnest(ARRAY['{"DNT": "1"}', '{"dnt": ["1"]}', '{"Dnt": 1}', '{"DNT": "0"}', '{"Cookie": ["a=b", "matomo_ignore=ignore=Kg=="]}', '{"COOKIE": "matomo_ignore=ignore=Kg=="}', '{"User-Agent": ["Googlebot/2.1"]}']::jsonb[]) WITH ORDINALITY u(h, n),
	LATERAL pk_tracking.track_request(format('idsite=%s&rec=1', :one), headers => h) t ORDER BY n;
SELECT (pk_tracking.track_request(format('idsite=%s&rec=1', :one), headers => '{"Referer": "https://a.example/from-referer"}')).idvisit AS visit \gset
SELECT a.url FROM pk_tracking.action a WHERE a.idvisit = :visit;
SELECT pk_tracking.user_agent('', '{"Sec-CH-UA-Platform": ["\"Android\""], "SEC-CH-UA-MOBILE": "?1"}') = pk_tracking.user_agent('', '{"sec-ch-ua-platform": "\"Android\"", "sec-ch-ua-mobile": "?1"}') AS same;
SELECT pk_tracking.create_token(:one) AS token \gset
SELECT pg_temp.stored(pk_tracking.track_request(format('idsite=%s&rec=1&cip=5.5.5.5', :one), headers => jsonb_build_object('Authorization', ARRAY['Bearer ' || :'token'])));


-- 6. status() tells that visitors seem to be behind a proxy
CREATE FUNCTION pg_temp.addresses(level integer, proxies text, addresses inet[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM pk_tracking.log_link_visit_action WHERE server_time > now() - interval '1 hour';
	DELETE FROM pk_tracking.log_visit WHERE visit_first_action_time > now() - interval '1 hour';
	PERFORM pk_tracking.set_instance('ip_mask_level', level::text), pk_tracking.set_instance('proxy_ips', proxies);
	PERFORM pk_tracking.track(current_setting('test.one')::integer, 'https://a.example/', ip => addresses[1 + i % cardinality(addresses)], new_visit => true) FROM generate_series(0, 11) i;
	RETURN (SELECT s.value FROM pk_tracking.status() s WHERE s.item = 'addresses');
END
$$;
SELECT x.n, l AS level, pg_temp.addresses(l, proxies, addresses) FROM (VALUES
	(1, '{0,2,3}'::integer[], '{}', '{127.0.0.1,10.1.2.3}'::inet[]), (2, '{0,2,3}', '{}', '{192.168.1.7,172.20.0.1}'), (3, '{0,2}', '{}', '{203.0.113.9,198.51.100.7,10.0.0.1}'), (4, '{0,1,2,3}', '{198.51.100.0/24,192.0.2.*}', '{198.51.100.7,192.0.2.1,203.0.113.9}'),
	(5, '{0,1,3}', '{}', '{fd00:1::1,fe80::1}'), (6, '{4}', '{}', '{127.0.0.1}'), (7, '{0,1,2,3,4}', '{}', '{::1}'), (8, '{2}', '{}', '{172.32.0.1,11.0.0.1,192.169.0.1}'), (9, '{2}', '{10.*,12.1.*.*,2001:db8::/32}', '{12.1.5.5,2001:db8::1}')) x(n, levels, proxies, addresses), unnest(levels) WITH ORDINALITY u(l, o) ORDER BY 1, o;
SELECT s.remark FROM pk_tracking.status() s WHERE s.item = 'addresses';

SELECT pk_tracking.reset_instance(s.name) FROM pk_tracking.setting s WHERE s.idsite IS NULL \g /dev/null
DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.token;
