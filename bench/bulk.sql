-- The bulk bench's database: sites, and a day of hits as real sites have them.
-- Variable hits: about how many.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('Shop', ARRAY['https://shop.example.org'], 'Europe/Berlin') \g /dev/null
SELECT pk_tracking.add_site('News', ARRAY['https://news.example.com', 'https://m.news.example.com'], 'America/New_York') \g /dev/null
SELECT pk_tracking.add_site('Blog', ARRAY['https://blog.example.net'], 'UTC') \g /dev/null
SELECT pk_tracking.set_instance('consent_mode', 'ask_else_anonymous') \g /dev/null

CREATE SCHEMA bench;
SELECT setseed(0.42) \g /dev/null

-- agents: many versions of few browsers; the n-th is 1/n as frequent as the first
CREATE TABLE bench.agent AS
SELECT n,
	CASE n % 5
		WHEN 0 THEN format('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%s.0.0.0 Safari/537.36', 142 - n / 5 % 40)
		WHEN 1 THEN format('Mozilla/5.0 (iPhone; CPU iPhone OS %s_%s like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/%s.%s Mobile/15E148 Safari/604.1', 18 - n / 40 % 5, n / 5 % 7, 18 - n / 40 % 5, n / 5 % 7)
		WHEN 2 THEN format('Mozilla/5.0 (Linux; Android %s; SM-G%s) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/%s.0.0.0 Mobile Safari/537.36', 10 + n / 5 % 6, 900 + n, 142 - n / 5 % 40)
		WHEN 3 THEN format('Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_%s) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.%s Safari/605.1.15', n / 35 % 8, n / 5 % 7)
		ELSE format('Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:%s.0) Gecko/20100101 Firefox/%s.0', 144 - n / 5 % 40, 144 - n / 5 % 40)
	END AS user_agent
FROM generate_series(0, 399) n;

-- visits: 1 to 30 hits, most of them few; every fifth visitor has refused, and of
-- the others two thirds have a cookie
CREATE TABLE bench.visit AS
SELECT v,
	visitor,
	1 + (visitor * 7919 % 10 > 5)::int + (visitor * 7919 % 10 > 8)::int AS idsite,
	greatest(1, least(30, round(-4.6 * ln(1 - random()))::int)) AS hits,
	visitor % 5 <> 4 AS agrees,
	visitor % 5 <> 4 AND visitor % 3 < 2 AS has_cookie,
	timestamptz '2026-03-03 00:00:00+00' + random() * interval '23 hours' AS begun,
	(exp(random() * ln(400)) - 1)::int AS agent,
	random() AS source
FROM (SELECT v, (random() * :hits / 6)::bigint AS visitor FROM generate_series(1, (:hits / 5.1)::int) v) x;

CREATE TABLE bench.hit AS
SELECT v.idsite,
	v.begun + n * interval '41 seconds' * (0.2 + random()) AS at,
	CASE WHEN v.visitor % 10 = 0
		THEN format('2001:db8:%s:%s::%s', to_hex(v.visitor * 7919 % 65536), to_hex(v.visitor / 65536), to_hex(1 + v.visitor % 251))::inet
		ELSE format('%s.%s.%s.%s', 11 + v.visitor * 104729 % 180, v.visitor * 7919 / 13 % 256, v.visitor % 256, v.visitor * 31 % 256)::inet END AS ip,
	a.user_agent,
	(ARRAY['en-US,en;q=0.9', 'de-DE,de;q=0.9,en;q=0.8', 'fr', 'es-ES,es;q=0.9'])[1 + v.visitor % 4] AS accept_language,
	(ARRAY['https://shop.example.org', 'https://news.example.com', 'https://blog.example.net'])[v.idsite] || '/' ||
		(ARRAY['products', 'articles', 'help', 'about'])[1 + page % 4] || '/page-' || page ||
		CASE WHEN page % 20 = 0 THEN '?id=' || page ELSE '' END ||
		CASE WHEN n = 0 AND v.source > 0.9 THEN CASE WHEN page % 20 = 0 THEN '&' ELSE '?' END || 'utm_campaign=spring&utm_source=mail' ELSE '' END AS url,
	CASE kind WHEN 0 THEN '' ELSE 'Page number ' || page END AS action_name,
	CASE WHEN n > 0 THEN (ARRAY['https://shop.example.org', 'https://news.example.com', 'https://blog.example.net'])[v.idsite] || '/'
		WHEN v.source < 0.3 THEN 'https://www.google.com/'
		WHEN v.source < 0.4 THEN 'https://www.facebook.com/'
		WHEN v.source < 0.5 THEN 'https://partner.example.info/links'
		ELSE '' END AS urlref,
	CASE WHEN v.has_cookie THEN substr(md5('visitor' || v.visitor), 1, 16) END AS _id,
	substr(md5(v.v || '-' || n), 1, 6) AS pv_id,
	(ARRAY['1920x1080', '390x844', '1536x864', '412x915'])[1 + v.agent % 4] AS res,
	CASE kind WHEN 0 THEN 'video' END AS e_c,
	CASE kind WHEN 0 THEN 'play' END AS e_a,
	CASE kind WHEN 0 THEN 'Clip ' || page % 50 END AS e_n,
	CASE WHEN v.agrees THEN 'granted' ELSE 'denied' END AS consent
FROM bench.visit v
	CROSS JOIN LATERAL generate_series(0, v.hits - 1) h(n)
	CROSS JOIN LATERAL (SELECT exp(random() * ln(8000))::int + 0 * n AS page, (random() * 10 + 0 * n)::int AS kind) p
	JOIN bench.agent a(k, user_agent) ON a.k = v.agent;

-- in the order in which they came
CREATE TABLE bench.hits AS SELECT * FROM bench.hit ORDER BY at;
DROP TABLE bench.hit;

CREATE FUNCTION bench.encode(t text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT replace(replace(replace(replace(replace(replace(t, '%', '%25'), ':', '%3A'), '/', '%2F'), '?', '%3F'), '&', '%26'), ' ', '%20') $$;

-- what a web server's log would have: the query of the tracking request
CREATE TABLE bench.queries AS
SELECT h.at, h.ip, h.user_agent, h.accept_language,
	'idsite=' || h.idsite || '&rec=1&url=' || bench.encode(h.url)
	|| CASE WHEN h.e_c IS NULL THEN '&action_name=' || bench.encode(h.action_name)
		ELSE '&e_c=' || h.e_c || '&e_a=' || h.e_a || '&e_n=' || bench.encode(h.e_n) END
	|| CASE WHEN h.urlref <> '' THEN '&urlref=' || bench.encode(h.urlref) ELSE '' END
	|| coalesce('&_id=' || h._id, '')
	|| '&res=' || h.res || '&h=10&m=2&s=3&pdf=1&cookie=1&pv_id=' || h.pv_id || '&consent=' || h.consent AS query
FROM bench.hits h ORDER BY h.at;

-- the same hits one by one, for calls
CREATE TABLE bench.live AS SELECT row_number() OVER (ORDER BY q.at) AS i, q.* FROM bench.queries q;
ALTER TABLE bench.live ADD PRIMARY KEY (i);
VACUUM ANALYZE;
