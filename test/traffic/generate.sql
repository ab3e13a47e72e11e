-- A week of traffic for three made-up sites, 2026-11-14 to 2026-11-20, as hits
-- in the order of their times: table traffic.hit.  Touches nothing of the
-- extension's.  psql variables: first_site (number of the first site, default
-- 1), seed (default 1), scale (visitors in percent, default 100).
--
-- The same on every server: chance is a hash of what it is for, and nothing but
-- products of it is used.
--
-- Who comes: browsers that keep their cookie; people who log in, now and then
-- on a second device; browsers that refuse cookies, or lose them after every
-- visit; and, on the news site, an old tracker that sends visit counts and
-- times of earlier visits.  Every sixth sits behind an address that others
-- share, every third of the rest has IPv6.  Addresses are private or reserved
-- for documentation.
\if :{?first_site} \else \set first_site 1 \endif
\if :{?seed} \else \set seed 1 \endif
\if :{?scale} \else \set scale 100 \endif

CREATE SCHEMA traffic;

CREATE TABLE traffic.site AS
SELECT n - 1 + :first_site AS idsite, name, host, timezone, language, pages, look_back, visitors * :scale / 100 AS visitors
FROM (VALUES
	(1, 'Shop', 'https://shop.example.org', 'Europe/Berlin', 'de-DE,de;q=0.9,en;q=0.8', 400, 0, 640),
	(2, 'News', 'http://www.news.example.com', 'America/New_York', 'en-US,en;q=0.9', 900, 0, 520),
	(3, 'Docs', 'https://docs.example.net', 'Asia/Tokyo', 'ja,en-US;q=0.9,en;q=0.8', 150, 604800, 440)
) s (n, name, host, timezone, language, pages, look_back, visitors);

CREATE FUNCTION traffic.hash(what text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT encode(sha256(convert_to(what, 'UTF8')), 'hex') $$;

-- evenly spread from 0 to just below 1
CREATE FUNCTION traffic.chance(what text) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT ('x' || left(encode(sha256(convert_to(what, 'UTF8')), 'hex'), 12))::bit(48)::bigint / 281474976710656.0::float8 $$;

CREATE TABLE traffic.agent (n integer, user_agent text, resolution text);
INSERT INTO traffic.agent VALUES
	(0, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36', '1920x1080'),
	(1, 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1', '390x844'),
	(2, 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36', '412x915'),
	(3, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15', '1512x982'),
	(4, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0', '1536x864'),
	(5, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0', '1920x1200'),
	(6, 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36', '1440x900'),
	(7, 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '2560x1440'),
	(8, 'Mozilla/5.0 (Linux; Android 15; SM-S928B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36', '384x832'),
	(9, 'Mozilla/5.0 (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.7 Mobile/15E148 Safari/604.1', '820x1180');

-- A device of a visitor: address, browser, language.
CREATE TABLE traffic.device AS
SELECT s.idsite, v.visitor, d.device, v.kind, v.shared,
	CASE
		WHEN v.shared THEN format('100.%s.%s.%s', 64 + s.idsite % 64, v.office, v.office)::inet
		WHEN chance.ipv6 < 0.33 THEN format('2001:db8:%s:%s::%s', to_hex((chance.net * 65536)::integer % 65536),
			to_hex(d.device), to_hex(v.visitor))::inet
		ELSE format('10.%s.%s.%s', floor(chance.net * 256), v.visitor / 200, 1 + v.visitor % 200)::inet
	END AS ip,
	-- an office has one kind of machine, so that fingerprints are shared there
	CASE WHEN v.shared THEN v.office % 3 ELSE floor(10 * chance.agent * chance.agent)::integer END AS agent,
	CASE WHEN chance.language < 0.8 OR v.shared THEN s.language
		ELSE (ARRAY['fr-FR,fr;q=0.9', 'es-ES,es;q=0.9,en;q=0.5', 'pt-BR,pt;q=0.8', 'zh-CN,zh;q=0.9', 'en-GB,en;q=0.7'])[1 + floor(chance.language * 25)::integer % 5]
	END AS accept_language
FROM traffic.site s
	CROSS JOIN LATERAL (
		SELECT g AS visitor,
			traffic.chance(concat_ws('/', :seed, s.idsite - :first_site, g, 'shared')) < 0.17 AS shared,
			floor(8 * traffic.chance(concat_ws('/', :seed, s.idsite - :first_site, g, 'office')))::integer + 1 AS office,
			CASE
				WHEN k < 0.45 THEN 'cookie'
				WHEN k < 0.60 THEN CASE WHEN s.idsite - :first_site = 1 THEN 'old tracker' ELSE 'cookie' END
				WHEN k < 0.75 THEN 'login'
				WHEN k < 0.92 THEN 'no cookie'
				ELSE 'loses cookie'
			END AS kind
		FROM generate_series(1, s.visitors) g
			CROSS JOIN LATERAL traffic.chance(concat_ws('/', :seed, s.idsite - :first_site, g, 'kind')) k
	) v
	CROSS JOIN generate_series(1, CASE WHEN v.kind = 'login' THEN 2 ELSE 1 END) AS d (device)
	CROSS JOIN LATERAL (SELECT
		traffic.chance(concat_ws('/', :seed, s.idsite - :first_site, v.visitor, d.device, 'ipv6')) AS ipv6,
		traffic.chance(concat_ws('/', :seed, s.idsite - :first_site, v.visitor, d.device, 'net')) AS net,
		traffic.chance(concat_ws('/', :seed, s.idsite - :first_site, v.visitor, d.device, 'agent')) AS agent,
		traffic.chance(concat_ws('/', :seed, s.idsite - :first_site, v.visitor, d.device, 'language')) AS language
	) chance;

-- When they come: quiet nights, busy noons and evenings, by the site's clock.
CREATE TABLE traffic.hour AS
SELECT hour::integer - 1 AS hour,
	(sum(weight) OVER (ORDER BY hour) - weight)::float8 / sum(weight) OVER () AS from_share,
	sum(weight) OVER (ORDER BY hour)::float8 / sum(weight) OVER () AS to_share
FROM unnest('{10,6,4,3,3,4,9,18,30,40,44,46,50,46,42,42,44,46,50,56,60,54,40,24}'::integer[])
	WITH ORDINALITY w (weight, hour);

CREATE TABLE traffic.coming AS
SELECT c.*,
	row_number() OVER (PARTITION BY c.idsite, c.visitor ORDER BY c.starts, c.coming) AS ordinal,
	lag(c.starts) OVER (PARTITION BY c.idsite, c.visitor ORDER BY c.starts, c.coming) AS previous
FROM (
	SELECT d.idsite, d.visitor, v.coming, d.kind,
		-- every third coming of a user is on the other device
		CASE WHEN d.kind = 'login' AND chance.device < 0.33 THEN 2 ELSE 1 END AS device,
		((timestamp '2026-11-14' + floor(chance.day * 7) * interval '1 day' + h.hour * interval '1 hour'
			+ floor(chance.second * 3600000) * interval '1 millisecond') AT TIME ZONE s.timezone) AS starts
	FROM traffic.device d JOIN traffic.site s USING (idsite)
		CROSS JOIN LATERAL (SELECT :seed || '/' || d.idsite - :first_site || '/' || d.visitor AS who) w
		CROSS JOIN LATERAL (SELECT traffic.chance(w.who || '/comings') AS u) u
		CROSS JOIN LATERAL generate_series(1, 1 + floor(9 * u.u * u.u * u.u)::integer) AS v (coming)
		CROSS JOIN LATERAL (SELECT
			traffic.chance(w.who || '/' || v.coming || '/device') AS device,
			traffic.chance(w.who || '/' || v.coming || '/day') AS day,
			traffic.chance(w.who || '/' || v.coming || '/hour') AS hour,
			traffic.chance(w.who || '/' || v.coming || '/second') AS second
		) chance
		JOIN traffic.hour h ON chance.hour >= h.from_share AND chance.hour < h.to_share
	WHERE d.device = 1
) c;

-- What they look at: few pages often, many seldom.
CREATE TABLE traffic.step AS
SELECT c.idsite, c.visitor, c.coming, h.step, w.who || '/' || h.step AS what,
	c.starts + sum(CASE
			WHEN h.step = 1 THEN 0
			-- sometimes lunch comes between
			WHEN chance.pause < 0.02 THEN 1500000 + floor(chance.gap * 2400000)
			ELSE 2000 + floor(chance.gap * chance.gap * chance.gap * 600000) END)
		OVER (PARTITION BY c.idsite, c.visitor, c.coming ORDER BY h.step) * interval '1 millisecond' AS at,
	floor(s.pages * chance.page * chance.page * chance.page)::integer AS page
FROM traffic.coming c JOIN traffic.site s USING (idsite)
	CROSS JOIN LATERAL (SELECT :seed || '/' || c.idsite - :first_site || '/' || c.visitor || '/' || c.coming AS who) w
	CROSS JOIN LATERAL (SELECT traffic.chance(w.who || '/steps') AS u) u
	CROSS JOIN LATERAL generate_series(1, 1 + floor(29.999 * u.u * u.u * u.u * u.u)::integer) AS h (step)
	CROSS JOIN LATERAL (SELECT
		traffic.chance(w.who || '/' || h.step || '/gap') AS gap,
		traffic.chance(w.who || '/' || h.step || '/pause') AS pause,
		traffic.chance(w.who || '/' || h.step || '/page') AS page
	) chance;

CREATE TABLE traffic.hit AS
SELECT row_number() OVER (ORDER BY q.at, q.idsite, q.visitor, q.coming, q.step)::integer AS n,
	q.at, q.ip, q.user_agent, q.accept_language,
	-- as the JavaScript tracker writes it
	'action_name=Page%20' || q.page || '&idsite=' || q.idsite || '&rec=1'
	|| '&r=' || floor(traffic.chance(q.what || '/r') * 1000000)
	|| to_char(q.at AT TIME ZONE q.timezone, '"&h="FMHH24"&m="FMMI"&s="FMSS')
	|| '&url=' || q.escaped_host || '%2Fpage%2F' || q.page
	|| CASE
		WHEN q.step > 1 OR q.from_where < 0.70 THEN ''
		WHEN q.from_where < 0.76 THEN '%3Futm_campaign%3Dnewsletter-' || to_char(q.at, 'IW') || '%26utm_medium%3Dmail'
		WHEN q.from_where < 0.80 THEN '%3Fmtm_campaign%3DAutumn%2520Sale%26mtm_kwd%3D' || (ARRAY['boots', 'coats', 'umbrellas'])[1 + q.page % 3] || '%26gclid%3Dx' || q.page
		ELSE '' END
	|| CASE
		WHEN q.step > 1 THEN '&urlref=' || q.escaped_host || '%2Fpage%2F' || q.previous_page
		WHEN q.from_where < 0.40 THEN '&urlref=https%3A%2F%2Fwww.google.com%2F'
		WHEN q.from_where < 0.48 THEN '&urlref=https%3A%2F%2Fblog' || floor(q.from_where * 100) || '.example%2Flinks'
		WHEN q.from_where < 0.54 THEN '&urlref=https%3A%2F%2Fduckduckgo.com%2F'
		WHEN q.from_where < 0.58 THEN '&urlref=https%3A%2F%2Fwww.bing.com%2Fsearch%3Fq%3Dproduct%2B' || q.page || '%26form%3DQBLH'
		WHEN q.from_where < 0.64 THEN '&urlref=https%3A%2F%2F' || (ARRAY['www.facebook.com', 'l.instagram.com', 'www.linkedin.com', 'mastodon.social'])[1 + q.page % 4] || '%2F'
		WHEN q.from_where >= 0.70 AND q.from_where < 0.76 THEN '&urlref=https%3A%2F%2Fmail.example.org%2Finbox'
		ELSE '' END
	|| CASE WHEN q.cookie IS NOT NULL THEN '&_id=' || q.cookie || '&_idn=' || (q.ordinal = 1 AND q.step = 1)::integer ELSE '' END
	|| CASE WHEN q.kind = 'old tracker' THEN
		'&_idts=' || extract(epoch FROM q.first_ever)::bigint
		|| '&_idvc=' || q.visits_before + q.ordinal
		|| '&_viewts=' || coalesce(extract(epoch FROM q.previous)::bigint, 0)
		ELSE '' END
	|| CASE WHEN q.logged_in THEN '&uid=user' || q.visitor || '%40example.org' ELSE '' END
	|| '&send_image=0&pdf=1&qt=0&realp=0&wma=0&fla=0&java=0&ag=0'
	|| '&cookie=' || (q.cookie IS NOT NULL)::integer
	|| '&res=' || q.resolution
	|| '&pv_id=' || left(traffic.hash(q.what || '/pv_id'), 6) AS query,
	-- what really was, for checks
	q.idsite, q.visitor, q.device, q.kind, q.coming, q.step, q.shared, q.cookie, q.logged_in
FROM (
	SELECT st.*, c.ordinal, c.previous, c.starts, c.device, d.kind, d.shared, d.ip, d.accept_language,
		a.user_agent, a.resolution, s.timezone,
		replace(replace(s.host, ':', '%3A'), '/', '%2F') AS escaped_host,
		lag(st.page) OVER (PARTITION BY st.idsite, st.visitor, st.coming ORDER BY st.step) AS previous_page,
		traffic.chance(st.what || '/from') AS from_where,
		CASE d.kind
			WHEN 'no cookie' THEN NULL
			WHEN 'loses cookie' THEN left(traffic.hash(concat_ws('/', :seed, st.idsite - :first_site, st.visitor, 'cookie', c.coming)), 16)
			ELSE left(traffic.hash(concat_ws('/', :seed, st.idsite - :first_site, st.visitor, 'cookie of device', c.device)), 16)
		END AS cookie,
		-- most are still logged in when they come again, some log in on the way
		d.kind = 'login' AND (
			c.ordinal > 1 AND traffic.chance(concat_ws('/', :seed, st.idsite - :first_site, st.visitor, c.coming, 'login')) < 0.7
			OR st.step > 1 + floor(4 * traffic.chance(concat_ws('/', :seed, st.idsite - :first_site, st.visitor, c.coming, 'login at')))) AS logged_in,
		floor(12 * traffic.chance(concat_ws('/', :seed, st.idsite - :first_site, st.visitor, 'visits before')))::integer AS visits_before,
		timestamptz '2026-11-13 12:00:00+00'
			- floor(400 * traffic.chance(concat_ws('/', :seed, st.idsite - :first_site, st.visitor, 'first ever'))) * interval '1 day' AS first_ever
	FROM traffic.step st
		JOIN traffic.coming c USING (idsite, visitor, coming)
		JOIN traffic.device d USING (idsite, visitor, device)
		JOIN traffic.agent a ON a.n = d.agent
		JOIN traffic.site s USING (idsite)
) q;
CREATE UNIQUE INDEX ON traffic.hit (n);
ANALYZE traffic.hit;
