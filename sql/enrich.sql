-- Location, device, language and referrer on the visit: what the engine makes
-- of what the parts say.  The parts themselves: geoip, user_agent, referrer, url.
\set VERBOSITY terse
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('enrich', ARRAY['https://www.shop.example', 'https://app.example/shop'], 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_site('other', ARRAY['https://sister.example']) AS other \gset
SELECT set_config('test.site', :'site', false) AS "set", pk_tracking.set_site(:site, 'trust_visitors_cookies', 'on') AS trust \gset

-- One hit, and what stands on its visit afterwards.
CREATE TYPE pg_temp.seen AS (visit bigint, new boolean, reason text, type smallint, name text, keyword text, url text);
CREATE FUNCTION pg_temp.hit(minute integer, visitor text, url text, urlref text DEFAULT NULL, more text DEFAULT '')
RETURNS pg_temp.seen LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.tracked;
	result pg_temp.seen;
BEGIN
	r := pk_tracking.track_request(format('idsite=%s&rec=1&_id=%s&url=%s&urlref=%s%s', current_setting('test.site'),
			rpad(visitor, 16, '0'), replace(url, '&', '%26'), replace(coalesce(urlref, ''), '&', '%26'), more),
		'203.0.113.7', 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0', 'fr-CA,fr;q=0.8',
		timestamptz '2026-05-04 10:00:00+00' + minute * interval '1 min');
	SELECT r.idvisit - min(w.idvisit) + 1, r.new_visit, r.reason, v.referer_type, v.referer_name, v.referer_keyword, v.referer_url
		INTO result
		FROM pk_tracking.log_visit v, pk_tracking.log_visit w
		WHERE v.idvisit = r.idvisit AND w.idsite = current_setting('test.site')::integer
		GROUP BY v.idvisit;
	RETURN result;
END
$$;

-- 1. Every type of referrer on a visit that begins
SELECT h.* FROM pg_temp.hit(0, 'a0', 'https://www.shop.example/') h;
SELECT h.* FROM pg_temp.hit(0, 'a1', 'https://www.shop.example/', 'https://www.shop.example/before') h;
SELECT h.* FROM pg_temp.hit(0, 'a2', 'https://www.shop.example/', 'https://app.example/shop/before') h;
SELECT h.* FROM pg_temp.hit(0, 'a3', 'https://www.shop.example/', 'https://app.example/elsewhere') h;
SELECT h.* FROM pg_temp.hit(0, 'a4', 'https://www.shop.example/', 'https://sister.example/x') h;
SELECT h.* FROM pg_temp.hit(0, 'a5', 'https://www.shop.example/', 'https://www.bing.com/search?q=Red+Shoes&form=QBLH') h;
SELECT h.* FROM pg_temp.hit(0, 'a6', 'https://www.shop.example/', 'https://www.google.de/') h;
SELECT h.* FROM pg_temp.hit(0, 'a7', 'https://www.shop.example/', 'https://www.facebook.com/') h;
SELECT h.* FROM pg_temp.hit(0, 'a8', 'https://www.shop.example/', 'https://Blog.example/post?id=1') h;
SELECT h.* FROM pg_temp.hit(0, 'a9', 'https://www.shop.example/?utm_campaign=Spring&utm_term=Shoes', 'https://blog.example/post') h;
SELECT h.* FROM pg_temp.hit(0, 'aa', 'https://www.shop.example/?utm_campaign=Spring', 'https://blog.example/post') h;
SELECT h.* FROM pg_temp.hit(0, 'ab', 'https://www.shop.example/#mtm_campaign=Fragment&mtm_kwd=Word') h;
SELECT h.* FROM pg_temp.hit(0, 'ac', 'https://www.shop.example/', NULL, '&pk_campaign=As%20Parameter&pk_kwd=Sent') h;
SELECT h.* FROM pg_temp.hit(0, 'ad', 'https://www.shop.example/?ignore_referrer=1', 'https://blog.example/post') h;
SELECT h.* FROM pg_temp.hit(0, 'ae', 'https://www.shop.example/', 'no url at all') h;

-- 2. A referrer in mid-visit: a direct visit takes it, another one keeps its own
SELECT h.* FROM pg_temp.hit(1, 'a0', 'https://www.shop.example/2', 'https://blog.example/late') h;
SELECT h.* FROM pg_temp.hit(2, 'a0', 'https://www.shop.example/3', 'https://other.example/later') h;
SELECT h.* FROM pg_temp.hit(3, 'a0', 'https://www.shop.example/4') h;
-- ... but a campaign begins a visit, unless the visit was direct
SELECT h.* FROM pg_temp.hit(4, 'a0', 'https://www.shop.example/?utm_campaign=mail') h;
SELECT h.* FROM pg_temp.hit(5, 'a0', 'https://www.shop.example/?utm_campaign=MAIL') h;
SELECT h.* FROM pg_temp.hit(6, 'a0', 'https://www.shop.example/?utm_campaign=mail2') h;
SELECT h.* FROM pg_temp.hit(4, 'a1', 'https://www.shop.example/?utm_campaign=mail') h;
SELECT v.visitor_type, v.visitor_count_visits, v.visit_total_actions, v.referrer_type, v.referrer_name FROM pk_tracking.visit v
WHERE v.idsite = :site AND v.idvisitor = 'a000000000000000' ORDER BY v.idvisit;

-- 3. The settings that decide about it
SELECT pk_tracking.set_site(:site, 'create_new_visit_when_campaign_changes', 'off') AS off \gset
SELECT h.* FROM pg_temp.hit(7, 'a0', 'https://www.shop.example/?utm_campaign=mail3') h;
SELECT pk_tracking.set_site(:site, 'create_new_visit_when_website_referrer_changes', 'on') AS on \gset
SELECT h.* FROM pg_temp.hit(8, 'a0', 'https://www.shop.example/5', 'https://other.example/again') h;
SELECT h.* FROM pg_temp.hit(9, 'a0', 'https://www.shop.example/6', 'https://other.example/again') h;
SELECT h.* FROM pg_temp.hit(0, 'b0', 'https://www.shop.example/') h;
SELECT h.* FROM pg_temp.hit(1, 'b0', 'https://www.shop.example/', 'https://other.example/') h;
SELECT pk_tracking.set_site(:site, 'campaign_var_name', '{cmp}') AS names \gset
SELECT h.* FROM pg_temp.hit(0, 'b1', 'https://www.shop.example/?utm_campaign=gone&cmp=mine') h;
SELECT h.* FROM pg_temp.hit(0, 'b2', 'https://www.shop.example/?utm_campaign=gone') h;
SELECT h.* FROM pg_temp.hit(0, 'b3', 'https://www.shop.example/', NULL, '&cmp=sent') h;
SELECT pk_tracking.set_site(:site, 'excluded_referrers', '{pay.example}') AS excluded \gset
SELECT h.* FROM pg_temp.hit(0, 'b4', 'https://www.shop.example/', 'https://pay.example/done') h;
SELECT pk_tracking.set_site(:site, 'anonymize_referrer', 'exclude_path') AS anonymize \gset
SELECT h.* FROM pg_temp.hit(0, 'b5', 'https://www.shop.example/', 'https://blog.example/post?id=1') h;
SELECT h.* FROM pg_temp.hit(0, 'b6', 'https://www.shop.example/', 'https://www.bing.com/search?q=secret') h;
SELECT pk_tracking.set_site(:site, 'anonymize_referrer', 'exclude_all') AS anonymize \gset
SELECT h.* FROM pg_temp.hit(0, 'b7', 'https://www.shop.example/', 'https://blog.example/post?id=1') h;

-- 4. Search engines and networks of one's own; seen at once, by open sessions too
SELECT pk_tracking.reset_site(:site, 'anonymize_referrer') AS reset \gset
SELECT h.* FROM pg_temp.hit(0, 'c0', 'https://www.shop.example/', 'https://find.intra.example/?what=Printer') h;
INSERT INTO pk_tracking.referrer_list VALUES ('search', 'Intranet', 'find.intra.example', '{what}'), ('social', 'Canteen', 'canteen.example', '{}');
SELECT h.* FROM pg_temp.hit(0, 'c1', 'https://www.shop.example/', 'https://find.intra.example/?what=Printer') h;
SELECT h.* FROM pg_temp.hit(0, 'c2', 'https://www.shop.example/', 'https://www.canteen.example/menu') h;
UPDATE pk_tracking.referrer_list SET name = 'The finder' WHERE kind = 'search';
SELECT h.name FROM pg_temp.hit(0, 'c3', 'https://www.shop.example/', 'https://find.intra.example/?what=Printer') h;
BEGIN;
DELETE FROM pk_tracking.referrer_list;
SELECT h.name FROM pg_temp.hit(0, 'c4', 'https://www.shop.example/', 'https://find.intra.example/?what=Printer') h;
ROLLBACK;
SELECT h.name FROM pg_temp.hit(0, 'c5', 'https://www.shop.example/', 'https://find.intra.example/?what=Printer') h;
TRUNCATE pk_tracking.referrer_list;
SELECT h.name FROM pg_temp.hit(0, 'c6', 'https://www.shop.example/', 'https://find.intra.example/?what=Printer') h;
INSERT INTO pk_tracking.referrer_list VALUES ('portal', 'x', 'x.example');
-- a site's new URL counts at once
SELECT h.type, h.name FROM pg_temp.hit(0, 'c7', 'https://www.shop.example/', 'https://new.example/') h;
UPDATE pk_tracking.site SET urls = urls || '{https://new.example}' WHERE idsite = :site;
SELECT h.type, h.name FROM pg_temp.hit(0, 'c8', 'https://www.shop.example/', 'https://new.example/') h;

-- 5. Page URLs
CREATE FUNCTION pg_temp.page(url text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked := pk_tracking.track(current_setting('test.site')::integer, url, at => '2026-05-04 12:00+00');
BEGIN
	RETURN (SELECT a.url FROM pk_tracking.action a WHERE a.idvisit = t.idvisit AND a.idlink_va = t.idlink_va);
END
$$;
SELECT pg_temp.page('https://WWW.Shop.example/Path?b=1&gclid=x&utm_campaign=kept&cmp=cut&PHPSESSID=1#top');
SELECT pg_temp.page('https://www.shop.example/p;jsessionid=1;a=2?b=3');
SELECT pg_temp.page('not a url');
SELECT pk_tracking.set_site(:site, 'keep_url_fragment', 'on') AS fragment \gset
SELECT pk_tracking.set_site(:site, 'excluded_query_parameters', '{b,/^x[0-9]$/}') AS excluded \gset
SELECT pg_temp.page('https://www.shop.example/?a=1&b=2&x1=3&x12=4#top');
SELECT pg_temp.page('https://www.shop.example/' || repeat('x', 2000)) = 'https://www.shop.example/' || repeat('x', 1024 - length('https://www.shop.example/')) AS cut;
SELECT pk_tracking.reset_site(:site, 'keep_url_fragment') AS reset, pk_tracking.reset_site(:site, 'excluded_query_parameters') AS reset2 \gset

-- 6. Language and the country that it points to (no GeoIP files here)
CREATE FUNCTION pg_temp.language(lang text) RETURNS TABLE (language text, country text, continent text) LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked := pk_tracking.track(current_setting('test.site')::integer, accept_language => lang, at => '2026-05-04 12:00+00');
BEGIN
	RETURN QUERY SELECT v.location_browser_lang, v.location_country, v.location_continent
		FROM pk_tracking.log_visit v WHERE v.idvisit = t.idvisit;
END
$$;
SELECT left(x.lang, 16) AS lang, l.* FROM unnest(ARRAY['en-US,en;q=0.9', 'de-AT', 'de', 'en', 'es-419', 'pt_BR', 'sr-Latn-RS', 'zh-Hant-TW,zh', 'ja', 'nb,no;q=0.8',
	'*', 'C', 'xx-YY', 'qqq,fr-CH', 'en,fr-CH', 'EN-gb', 'de-de-1996', '', repeat('a', 3000), 'x-klingon']) x(lang), LATERAL pg_temp.language(x.lang) l;
SELECT pk_tracking.set_site(:site, 'enable_language_to_country_guess', 'off') AS off \gset
SELECT l.* FROM pg_temp.language('de') l;
SELECT l.* FROM pg_temp.language('de-CH') l;
SELECT pk_tracking.set_site(:site, 'enable_default_location_provider', 'off') AS off \gset
SELECT l.* FROM pg_temp.language('de-CH') l;
SELECT pk_tracking.reset_site(:site, 'enable_default_location_provider') AS reset \gset
SELECT pk_tracking.set_site(:site, 'geo_level', 'continent') AS level \gset
SELECT l.* FROM pg_temp.language('de-CH') l;
SELECT pk_tracking.reset_site(:site, 'geo_level') AS reset, pk_tracking.set_site(:site, 'recognition_rules', 'matomo') AS rules \gset
SELECT l.* FROM pg_temp.language('sr-Latn-RS') l;
SELECT x.lang, l.*, l.language = '' AS empty FROM unnest(ARRAY['*', '', NULL, ' ', 'x-klingon']) x(lang), pg_temp.language(x.lang) l;
SELECT pk_tracking.reset_site(:site, 'recognition_rules') AS reset \gset

-- 7. Devices: agent, Client Hints as a parameter and as headers
CREATE FUNCTION pg_temp.device(ua text, more text DEFAULT '', headers jsonb DEFAULT NULL)
RETURNS TABLE (os text, version text, browser text, browser_version text, engine text, type smallint, brand text, model text) LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked := pk_tracking.track_request(format('idsite=%s&rec=1', current_setting('test.site')) || more, NULL, ua,
		at => '2026-05-04 12:00+00', headers => headers);
BEGIN
	RETURN QUERY SELECT v.config_os, v.config_os_version, v.config_browser_name, v.config_browser_version, v.config_browser_engine,
			v.config_device_type, v.config_device_brand, v.config_device_model
		FROM pk_tracking.log_visit v WHERE v.idvisit = t.idvisit;
END
$$;
SELECT d.* FROM pg_temp.device('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36') d;
SELECT d.* FROM pg_temp.device('Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1') d;
SELECT d.* FROM pg_temp.device('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36',
	'&uadata={"platform":"Windows","platformVersion":"15.0.0","fullVersionList":[{"brand":"Microsoft Edge","version":"120.0.2210.91"},{"brand":"Chromium","version":"120.0.6099.110"}]}') d;
SELECT d.* FROM pg_temp.device('Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36',
	headers => '{"sec-ch-ua-platform": "\"Android\"", "sec-ch-ua-platform-version": "\"13.0.0\"", "sec-ch-ua-model": "\"SM-S918B\"", "sec-ch-ua-mobile": "?1"}') d;
SELECT d.* FROM pg_temp.device('', '&ua=Mozilla/5.0+(Windows+NT+6.1;+rv:60.0)+Gecko/20100101+Firefox/60.0') d;
-- JSON that is none is absent
SELECT count(*) AS rows, count(d.os) AS os FROM unnest(ARRAY['{', '[]', '5', '"x"', 'null', '{"platform":5}', '{"a":"\u0000"}', '{"a":1e999999}', repeat('[', 60000), '{"fullVersionList":[{"brand":{}}]}']) j,
	LATERAL pg_temp.device('x', '&uadata=' || j) d;

-- 8. The fingerprint: system, browser, major and minor version; not builds, versions of the system, screens
CREATE FUNCTION pg_temp.same(a text, b text, more text DEFAULT '{}') RETURNS boolean LANGUAGE sql AS $$
	SELECT pk_tracking.fingerprint(current_setting('test.site')::integer, '203.0.113.7', a, 'en')
		OPERATOR(public.=) pk_tracking.fingerprint(current_setting('test.site')::integer, '203.0.113.7', b, 'en', params => more::jsonb)
$$;
\set chrome 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.110 Safari/537.36'
SELECT pg_temp.same(:'chrome', :'chrome') AS "the same";
SELECT pg_temp.same(:'chrome', replace(:'chrome', '6099.110', '6099.224')) AS "another build";
SELECT pg_temp.same(:'chrome', replace(:'chrome', 'NT 10.0', 'NT 6.1')) AS "another version of the system";
SELECT pg_temp.same(:'chrome', :'chrome', '{"res": "1x1", "h": 5}') AS "another screen and clock";
SELECT pg_temp.same(:'chrome', replace(:'chrome', 'Chrome/120', 'Chrome/121')) AS "another version";
SELECT pg_temp.same(:'chrome', replace(:'chrome', 'Windows NT 10.0; Win64; x64', 'Macintosh; Intel Mac OS X 10_15_7')) AS "another system";
SELECT pg_temp.same(:'chrome', replace(:'chrome', 'Safari/537.36', 'Safari/537.36 OPR/106.0.0.0')) AS "another browser";
SELECT pg_temp.same(:'chrome', :'chrome', '{"pdf": 1}') AS "another plugin";
SELECT pg_temp.same(:'chrome', :'chrome', '{"cookie": 1}') AS "cookies on";
\set ie 'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko'
SELECT pg_temp.same(:'ie', :'ie', '{"cookie": 1}') AS "cookies on, Internet Explorer";

DELETE FROM pk_tracking.site WHERE idsite IN (:site, :other);
