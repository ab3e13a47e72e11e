-- Hits that are not recorded, why, and how many; addresses behind proxies
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
SELECT pk_tracking.add_site('exclude', '{http://test.com}') AS site, pk_tracking.add_site('exclude two') AS two \gset
SELECT set_config('test.site', :'site', false) \g /dev/null

-- what becomes of a hit: "recorded", or why not
CREATE FUNCTION pg_temp.why(query text DEFAULT '', ip inet DEFAULT '192.0.2.1', agent text DEFAULT 'agent', headers jsonb DEFAULT NULL,
	site integer DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN t.outcome = 'excluded' THEN t.outcome_reason ELSE concat_ws(' ', t.outcome, t.outcome_reason) END
	FROM pk_tracking.track_request(format('idsite=%s&rec=1&%s', coalesce(site, current_setting('test.site')::integer), query), ip, agent, headers => headers) t
$$;
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END
$$;
-- cases and what is expected of them; a row that comes out is wrong
CREATE TEMP TABLE cases (n serial, setting text, value text, query text DEFAULT '', ip inet DEFAULT '192.0.2.1', agent text DEFAULT 'agent', headers jsonb, expected text);
CREATE FUNCTION pg_temp.failures() RETURNS TABLE (n integer, setting text, value text, query text, ip inet, agent text, headers jsonb, expected text, got text)
LANGUAGE plpgsql AS $$
DECLARE
	c record;
	site integer := current_setting('test.site');
BEGIN
	FOR c IN SELECT * FROM cases ORDER BY cases.n LOOP
		IF c.setting IS NOT NULL THEN
			PERFORM pk_tracking.set_instance(c.setting, c.value);
		END IF;
		got := pg_temp.why(c.query, c.ip, c.agent, c.headers);
		IF got IS DISTINCT FROM c.expected THEN
			SELECT c.n, c.setting, c.value, c.query, c.ip, c.agent, c.headers, c.expected INTO n, setting, value, query, ip, agent, headers, expected;
			RETURN NEXT;
		END IF;
		DELETE FROM pk_tracking.setting s WHERE s.name = c.setting;
	END LOOP;
	-- nobody has been asked at all?
	IF NOT FOUND THEN
		RETURN NEXT;
	END IF;
	DELETE FROM cases;
END
$$;

-- 1. Bots: by agent
INSERT INTO cases (agent, expected) VALUES
	('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'bot'), ('Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 'bot'),
	('Mozilla/5.0 (compatible; YandexBot/3.0)', 'bot'), ('Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)', 'bot'), ('facebookexternalhit/1.1', 'bot'),
	('baiduspider', 'bot'), ('text BingBot here', 'bot'), ('BingPreview', 'bot'), ('a YottaaMonitor', 'bot'), ('cloudflare-alwaysonline/1.0', 'bot'), ('Pingdom.com_bot_version_1.4', 'bot'), ('Exabot/2.0', 'bot'),
	('sogou spider', 'bot'), ('Sosospider', 'bot'), ('AdsBot-Google', 'bot'), ('Google Page Speed Insights', 'bot'), ('Google web snippet', 'bot'), ('Google Web Preview', 'bot'), ('Googlebot-Video', 'bot'),
	('this is an agent from a user', 'recorded'), ('Mozilla', 'recorded'), ('', 'recorded'),
	('Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0', 'recorded');
SELECT * FROM pg_temp.failures();
-- by address, and those next to them
INSERT INTO cases (ip, expected) SELECT i::inet, 'bot' FROM unnest('{66.249.85.36,66.249.91.150,64.233.172.1,64.233.172.200,64.233.172.6,66.249.88.216,66.249.83.204,1.202.218.8,::ffff:1.202.218.8,216.239.32.0,216.239.63.255,72.30.198.1,72.30.207.255,64.4.0.1,131.253.31.255,157.59.255.255}'::text[]) i;
INSERT INTO cases (ip, expected) SELECT i::inet, 'recorded' FROM unnest('{66.248.91.150,66.250.91.150,66.249.2.1,66.249.60.1,1.202.218.7,1.202.218.9,::1.202.218.8,216.239.31.255,216.239.64.0,72.30.191.255,72.30.208.0,131.253.32.0,0.0.0.0,255.255.255.255}'::text[]) i;
-- through a proxy of Google's come people, through others' bots
INSERT INTO cases (ip, headers, expected) SELECT i::inet, '{"via": "1.1 Chrome-Compression-Proxy"}', 'recorded' FROM unnest('{216.239.32.0,66.249.93.251,173.194.0.1}'::text[]) i;
INSERT INTO cases (ip, headers, expected) SELECT i::inet, '{"via": "1.1 Chrome-Compression-Proxy"}', 'bot' FROM unnest('{72.30.198.1,64.4.0.1}'::text[]) i;
INSERT INTO cases (ip, agent, headers, expected) VALUES ('66.249.93.251', 'agent', '{"via": "1.1 other"}', 'bot'), ('66.249.93.251', 'Googlebot/2.1', '{"via": "1.1 Chrome-Compression-Proxy"}', 'bot');
-- who wants them, by parameter or setting
INSERT INTO cases (setting, value, query, agent, expected) VALUES (NULL, NULL, 'bots=1', 'Googlebot/2.1', 'recorded'), (NULL, NULL, 'bots=0', 'Googlebot/2.1', 'bot'),
	('track_bots', 'on', '', 'Googlebot/2.1', 'recorded'), ('track_bots', 'off', '', 'Googlebot/2.1', 'bot');
SELECT * FROM pg_temp.failures();
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track(:site, user_agent => 'Googlebot/2.1') t
UNION ALL SELECT t.outcome, t.outcome_reason FROM pk_tracking.track(:site, user_agent => 'Googlebot/2.1', params => '{"bots": 1}') t;

-- 2. Do not track
INSERT INTO cases (setting, value, headers, expected) VALUES
	('respect_do_not_track', 'on', '{"dnt": "1"}', 'do_not_track'), ('respect_do_not_track', 'on', '{"dnt": 1}', 'do_not_track'), ('respect_do_not_track', 'on', '{"dnt": "1, 0"}', 'do_not_track'),
	('respect_do_not_track', 'on', '{"x-do-not-track": "1"}', 'do_not_track'), ('respect_do_not_track', 'on', '{"sec-gpc": "1"}', 'do_not_track'),
	('respect_do_not_track', 'on', '{"dnt": "0"}', 'recorded'), ('respect_do_not_track', 'on', '{"x-do-not-track": "10"}', 'recorded'), ('respect_do_not_track', 'on', '{"sec-gpc": "0"}', 'recorded'),
	('respect_do_not_track', 'on', '{"dnt": {"1": 1}, "sec-gpc": true, "x-do-not-track": null}', 'recorded'), ('respect_do_not_track', 'on', NULL, 'recorded'),
	('respect_do_not_track', 'off', '{"dnt": "1", "x-do-not-track": "1", "sec-gpc": "1"}', 'recorded');
SELECT * FROM pg_temp.failures();

-- 3. Conditions on requests
INSERT INTO cases (setting, value, query, expected) SELECT 'exclude_requests', x.condition, q, 'exclude_requests' FROM (VALUES
	('foo==', '{foo=,bar=1}'::text[]), ('foo!=', '{foo=b}'), ('foo==bar', '{foo=bar,foo=BAR,foo=b%61r}'), ('foo!=bar', '{foo=bar1,x=1}'), ('foo=@bar', '{foo=bar,foo=bar1,foo=fffBar1}'),
	('foo!@bar', '{foo=hello,foo=ba,x=1}'), ('foo=^bar', '{foo=bar,foo=bar1}'), ('foo=$bar', '{foo=bar,foo=fffbar}'), ('foo==test,bar==foo%2Cbar', '{foo=test,bar=foo%2Cbar}'),
	(' foo == test , bar=^ x', '{foo=test,bar=xy}'), ('foo=@%C3%84', '{foo=%C3%A4x}'), ('e_c==Media,action_name=^test', '{e_c=media&e_a=x,action_name=Testing}'), ('url=@/private/', '{url=http%3A%2F%2Ftest.com%2Fprivate%2F1}'),
	('foo==a=b', '{foo=a%3Db}'), ('foo=@==', '{foo=x%3D%3D}')) x(condition, queries), unnest(x.queries) q;
INSERT INTO cases (setting, value, query, expected) SELECT 'exclude_requests', x.condition, q, 'recorded' FROM (VALUES
	('foo==', '{foo=b}'::text[]), ('foo!=', '{foo=,x=1}'), ('foo==bar', '{foo=bar1,x=1,xfoo=bar}'), ('foo!=bar', '{foo=bar,foo=Bar}'), ('foo=@bar', '{x=1,foo=ba}'),
	('foo!@bar', '{foo=bar,foo=bar1,foo=fffbar1}'), ('foo=^bar', '{foo=fffbar1,x=1,foo=ba}'), ('foo=$bar', '{foo=bar1,x=1,foo=ar}'), ('foo==test,bar==foo%2Cbar', '{bar=foo%252Cbar,bar=foo}'),
	('action_name=^test', '{action_name=a+test}'), ('', '{foo=}')) x(condition, queries), unnest(x.queries) q;
SELECT * FROM pg_temp.failures();
SELECT c, pg_temp.try(format('SELECT pk_tracking.set_instance(''exclude_requests'', %L)', c)) FROM unnest('{foo=bar,foo=@,"a==b,c=^ ",==x,"a==b,,c==d",foo!@,foo!=}'::text[]) c;

-- 4. Opting out by cookie
INSERT INTO cases (headers, expected) VALUES
	('{"cookie": "matomo_ignore=ignore%3DKg%3D%3D"}', 'opt_out_cookie'), ('{"cookie": "a=b; matomo_ignore=ignore=Kg==; c=d"}', 'opt_out_cookie'), ('{"cookie": "matomo_ignore=x%3DKg%3D%3D%3Aignore%3DKg%3D%3D"}', 'opt_out_cookie'),
	('{"cookie": "matomo_ignore=ignore=Kw=="}', 'recorded'), ('{"cookie": "matomo_ignore=1"}', 'recorded'), ('{"cookie": "matomo_ignore="}', 'recorded'), ('{"cookie": "matomo_ignore"}', 'recorded'),
	('{"cookie": "xmatomo_ignore=ignore=Kg=="}', 'recorded'), ('{"cookie": "piwik_ignore=ignore=Kg=="}', 'recorded'), ('{"cookie": "matomo_ignore=noignore=Kg=="}', 'recorded'), ('{"cookie": ";;=;"}', 'recorded'),
	(jsonb_build_object('cookie', 'matomo_ignore=' || repeat('ignore=', 10000)), 'recorded');
INSERT INTO cases (setting, value, headers, expected) VALUES
	('ignore_visits_cookie_name', 'piwik_ignore', '{"cookie": "piwik_ignore=ignore=Kg=="}', 'opt_out_cookie'), ('ignore_visits_cookie_name', 'piwik_ignore', '{"cookie": "matomo_ignore=ignore=Kg=="}', 'recorded');
SELECT * FROM pg_temp.failures();

-- 5. Addresses: each form of an entry, what it means and what it does not
INSERT INTO cases (setting, value, ip, expected) SELECT 'excluded_ips', x.list, i::inet, x.expected FROM (VALUES
	('{12.12.12.12}', 'ip', '{12.12.12.12,::ffff:12.12.12.12}'::text[]), ('{12.12.12.12}', 'recorded', '{12.12.12.11,12.12.12.13,::12.12.12.12,0.0.0.0,255.255.255.255}'),
	('{12.12.12.12/32}', 'ip', '{12.12.12.12}'), ('{12.12.12.12/32}', 'recorded', '{12.12.12.11,12.12.12.13}'),
	('{12.12.12.*}', 'ip', '{12.12.12.0,12.12.12.12,12.12.12.255}'), ('{12.12.12.*}', 'recorded', '{12.12.11.255,12.12.13.0,0.0.0.0,255.255.255.255}'),
	('{12.12.12.0/24}', 'ip', '{12.12.12.0,12.12.12.12,12.12.12.255}'), ('{12.12.12.0/24}', 'recorded', '{12.12.11.255,12.12.13.0,0.0.0.0,255.255.255.255}'),
	('{12.12.*.*,13.*}', 'ip', '{12.12.0.0,12.12.255.255,13.0.0.0,13.255.255.255}'), ('{12.12.*.*,13.*}', 'recorded', '{12.11.255.255,12.13.0.0,14.0.0.0}'),
	('{12.12.12.77/25}', 'ip', '{12.12.12.0,12.12.12.127}'), ('{12.12.12.77/25}', 'recorded', '{12.12.12.128,12.12.11.255}'), ('{0.0.0.0/0}', 'ip', '{0.0.0.0,255.255.255.255}'), ('{0.0.0.0/0}', 'recorded', '{2001:db8::1}'),
	('{2001:db8::1}', 'ip', '{2001:db8::1}'), ('{2001:db8::1}', 'recorded', '{2001:db8::2,2001:db8:0:1::1}'), ('{2001:DB8:1::/47}', 'ip', '{2001:db8::1,2001:db8:1:ffff::1}'), ('{2001:DB8:1::/47}', 'recorded', '{2001:db8:2::,2001:db7:ffff::}'),
	('{::/0}', 'ip', '{2001:db8::1,::}'), ('{::/0}', 'recorded', '{12.12.12.12,::ffff:12.12.12.12}'), ('{::ffff:12.12.12.0/120}', 'ip', '{12.12.12.1,::ffff:12.12.12.255}'), ('{::ffff:12.12.12.0/120}', 'recorded', '{12.12.13.1}'),
	-- many entries, some within others, in no order
	('{12.12.12.12,10.0.0.0/8,10.1.2.3,2001:db8::/32,11.0.0.0/24,10.0.0.0/9,9.9.9.9}', 'ip', '{10.200.0.1,10.1.2.3,10.1.2.4,12.12.12.12,9.9.9.9,11.0.0.255,2001:db8:ffff::1}'),
	('{12.12.12.12,10.0.0.0/8,10.1.2.3,2001:db8::/32,11.0.0.0/24,10.0.0.0/9,9.9.9.9}', 'recorded', '{9.9.9.10,9.255.255.255,11.0.1.0,12.12.12.11,2001:db9::}')) x(list, expected, ips), unnest(x.ips) i;
INSERT INTO cases (setting, value, ip, expected) VALUES ('excluded_ips', '{0.0.0.0/0,::/0}', NULL, 'recorded');
SELECT * FROM pg_temp.failures();
SELECT i, pg_temp.try(format('SELECT pk_tracking.set_instance(''excluded_ips'', %L)', format('{%s}', i))) FROM unnest('{12.12.12,12.12.12.256,12.*.12.*,*.12.12.12,*,12.12.12.12.*,12.12.12.12*,12.12.12.0/33,12.12.12.0/,12.12.12.0/-1,12.12.12.12:80,2001:db8::/129,2001:db8:*,12.0.0.0/8/8,example.com,12.*}'::text[]) i;
-- a site adds to the instance's
SELECT pk_tracking.set_instance('excluded_ips', '{12.12.12.12}');
SELECT pk_tracking.set_site(:site, 'excluded_ips', '{13.13.13.13}');
SELECT i, pg_temp.why(ip => i::inet) AS one, pg_temp.why(ip => i::inet, site => :two) AS two FROM unnest('{12.12.12.12,13.13.13.13,14.14.14.14}'::text[]) i;
DELETE FROM pk_tracking.setting;

-- 6. User agents
INSERT INTO cases (setting, value, query, agent, expected) SELECT 'excluded_user_agents', x.list, 'bots=1', a, x.expected FROM (VALUES
	('{mozilla}', 'user_agent', '{"this has mozilla in it",MOZILLA,xMozilla/5}'::text[]), ('{mozilla}', 'recorded', '{mozill,"",agent}'),
	('{cHrOmE,notinthere,"&^%"}', 'user_agent', '{"CHROME is here","12&^%345"}'), ('{cHrOmE,notinthere,"&^%"}', 'recorded', '{"12&345",notinther}'),
	('{"/zot|spider|crawl|scanner/i"}', 'user_agent', '{"A Zot","SISTRIX CRAWLing",adscanner}'), ('{"/zot|spider|crawl|scanner/i"}', 'recorded', '{agent}'),
	('{"/google|yahoo/"}', 'user_agent', '{"see http://google.com/x",help.yahoo.com}'), ('{"/google|yahoo/"}', 'recorded', '{"Google Thing","YAHOO"}'),
	('{"/^a\\d+$/",other}', 'user_agent', '{a12,"another one"}'), ('{"/^a\\d+$/",other}', 'recorded', '{a12b,A12}'), ('{"/^x/",/usr/bin}', 'user_agent', '{"run from /usr/bin/x"}'), ('{ärger}', 'user_agent', '{"ein ÄRGERnis"}')) x(list, expected, agents), unnest(x.agents) a;
SELECT * FROM pg_temp.failures();
SELECT a, pg_temp.try(format('SELECT pk_tracking.set_instance(''excluded_user_agents'', %L)', ARRAY[a])) FROM unnest('{"/Mozilla/5.0/i)","/a(b/","/[/i",/ab/e,/ok/}'::text[]) a;
SELECT pg_temp.try(format('SELECT pk_tracking.set_instance(''excluded_user_agents'', %L)', ARRAY['/' || repeat('a', 5000) || '/']));
SELECT pk_tracking.set_instance('excluded_user_agents', '{first}');
SELECT pk_tracking.set_site(:site, 'excluded_user_agents', '{second}');
SELECT a, pg_temp.why(agent => a) AS one, pg_temp.why(agent => a, site => :two) AS two FROM unnest('{"the first","the second","the third"}'::text[]) a;
DELETE FROM pk_tracking.setting;

-- words of robots that are also names of apps and phones; "recorded" are people
INSERT INTO cases (agent, expected) VALUES
	('Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 WhatsApp/24.12.78', 'recorded'),
	('Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.71 Mobile Safari/537.36 WhatsApp/2.24.13.77', 'recorded'),
	('Mozilla/5.0 (Linux; Android 12; Abbot X1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36', 'recorded'),
	('Mozilla/5.0 (Linux; Android 12; Abbot X1 Build/SP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36', 'recorded'),
	('Mozilla/5.0 (Linux; Android 13; CUBOT KINGKONG 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36', 'recorded'),
	('Spiderman/2.0 (iPhone; iOS 17.0)', 'recorded'), ('TicketValidator/4.1', 'recorded'), ('TicketValidator/4.1 (Android 13; Zebra TC26)', 'recorded'), ('TicketValidator/4.1 CFNetwork/1410.0.3 Darwin/22.6.0', 'recorded'),
	('NewsReader/3.2 (iPhone; iOS 17.5; +https://newsreader.example/app)', 'recorded'),
	('Mozilla/5.0 (Linux; Android 13; Pixel 7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36 ShopApp/2.1 (+https://shop.example)', 'recorded'),
	('Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Lighthouse/4.2', 'recorded'),
	('BookApp/2.0 Uptime/1.1 (Android 14; Pixel 7)', 'recorded'),
	('WhatsApp/2.23.20.0 A', 'bot'), ('WhatsApp/2.2413.51 W', 'bot'), ('W3C_Validator/1.3 http://validator.w3.org/services', 'bot'), ('Validator.nu/LV http://validator.w3.org/services', 'bot'), ('FeedValidator/1.3', 'bot'),
	('Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)', 'bot'), ('Mozilla/5.0 (compatible; Uptime/1.0; http://uptime.com)', 'bot'),
	('Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse', 'bot'),
	('Mozilla/5.0 (compatible; SemanticScholar; +https://semanticscholar.org)', 'bot'), ('FeedReader/1.0 (+https://feeds.example/)', 'bot'), ('Tiny/21.05 (Linux; +https://rss.example/)', 'bot'),
	('Mozilla/5.0 (Windows NT 10.0; Win64; x64) (compatible; Thing/1.0; +https://thing.example)', 'bot'), ('Mozilla/5.0 (Linux; Android 10; TestBot/1.0) AppleWebKit/537.36', 'bot'),
	('Mozilla/5.0 (Linux;u;Android 4.2.2;zh-cn;) AppleWebKit/534.46 (KHTML,like Gecko) Version/5.1 Mobile Safari/10600.6.3 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)', 'bot'),
	('Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.6478.71 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'bot');
SELECT * FROM pg_temp.failures();

-- programs: only if the site wants it, and never with a user id or a valid token
CREATE TEMP TABLE program AS SELECT a FROM unnest(ARRAY['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36',
	'Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1', 'Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5',
	'curl/8.5.0', 'python-requests/2.31.0', 'Go-http-client/1.1', 'Wget/1.21']) a;
INSERT INTO cases (agent, expected) SELECT a, 'recorded' FROM program;
INSERT INTO cases (setting, value, agent, expected) SELECT 'exclude_automation', 'on', a, 'automation' FROM program;
SELECT pk_tracking.create_token(:site, 'programs') AS program_token \gset
INSERT INTO cases (setting, value, agent, query, expected) VALUES
	('exclude_automation', 'on', 'curl/8.5.0', 'uid=jo', 'recorded'), ('exclude_automation', 'on', 'curl/8.5.0', 'token_auth=' || :'program_token', 'recorded'),
	('exclude_automation', 'on', 'curl/8.5.0', 'token_auth=wrong', 'automation'), ('exclude_automation', 'on', 'curl/8.5.0', 'bots=1', 'recorded'),
	('exclude_automation', 'on', 'okhttp/4.12.0', '', 'recorded'), ('exclude_automation', 'on', 'Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0', '', 'recorded'),
	('exclude_automation', 'on', 'LoadTest 7', '', 'recorded'), ('exclude_automation', 'on', 'Googlebot/2.1', 'uid=jo', 'bot');
SELECT * FROM pg_temp.failures();
INSERT INTO pk_tracking.automation_agent VALUES ('loadTEST'), ('/^probe\d/');
INSERT INTO cases (setting, value, agent, expected) VALUES ('exclude_automation', 'on', 'LoadTest 7', 'automation'), ('exclude_automation', 'on', 'probe1', 'automation'), ('exclude_automation', 'on', 'a probe1', 'recorded'), (NULL, NULL, 'LoadTest 7', 'recorded');
SELECT * FROM pg_temp.failures();
SELECT a, pg_temp.try(format('INSERT INTO pk_tracking.automation_agent VALUES (%L)', a)) FROM unnest('{"","/a(b/","/ok/i"}'::text[]) a;
DELETE FROM pk_tracking.automation_agent;

-- 7. Referrer spam
INSERT INTO cases (query, expected) SELECT 'urlref=' || r, 'referrer_spam' FROM unnest('{http://semalt.com,http://semalt.com/crawler?u=x,http://www.SEMALT.com/,https://buttons-for-website.com/,http://7makemoneyonline.com,http://sub.7makemoneyonline.com/a,http://o-o-6-o-o.com,darodar.com,http://user:pw@semalt.com:80/,//semalt.com,http://SEMALT.com#x}'::text[]) r;
INSERT INTO cases (query, expected) SELECT 'urlref=' || r, 'recorded' FROM unnest('{http://valid.domain/,http://semalt.co/,http://semalt-com.example/,sem,"",http://www.google.com/,http://xsemal.tcom/,http://ok.example/?u=semalt.com,http://ok.example/semalt.com,http://mysemalt.com/,http://semalt.com.example/,http://ok.example/#semalt.com,https://www.google.com/search?q=darodar.com}'::text[]) r;
INSERT INTO cases (setting, value, query, expected) VALUES ('enable_spam_filter', 'off', 'urlref=http://semalt.com', 'recorded');
-- long referrers: the host counts, however many labels it has
INSERT INTO cases (query, expected) VALUES ('urlref=http://' || repeat('x.', 20000) || 'semalt.com', 'referrer_spam'), ('urlref=http://' || repeat('x.', 500) || 'semalt.com', 'referrer_spam'), ('urlref=http://' || repeat('semalt.co', 6000), 'recorded');
SELECT * FROM pg_temp.failures();
-- one's own, known at once, with their sub-domains; the look-up finds what a search for each host finds
SELECT pg_temp.why('urlref=http://mine.example/');
INSERT INTO pk_tracking.referrer_spam VALUES ('Mine.example'), ('spam.test'), ('a.bc'), ('https://www.Whole.example/path'), ('bücher-spam.example');
SELECT r, pg_temp.why('urlref=' || r) FROM unnest('{http://mine.example/,http://not-mine.example.org/,http://notmine.example/,http://sub.mine.example/,http://min.example/,http://whole.example/,http://xn--bcher-spam-9db.example/,http://spam.test,http://a.bc,http://a.bd}'::text[]) r;
SELECT pg_temp.try('INSERT INTO pk_tracking.referrer_spam VALUES (''a.b'')');
DELETE FROM pk_tracking.referrer_spam;
SELECT pg_temp.why('urlref=http://mine.example/');
BEGIN;
INSERT INTO pk_tracking.referrer_spam SELECT format('host%s.spam.invalid', i) FROM generate_series(1, 5000) i;
SELECT sum((pg_temp.why(format('urlref=http://host%s.spam.invalid/', i)) = 'referrer_spam')::int) AS spam FROM generate_series(1, 5001, 250) i;
DELETE FROM pk_tracking.referrer_spam;
INSERT INTO pk_tracking.referrer_spam SELECT DISTINCT substr(md5(i::text), 1, 4 + i % 3) FROM generate_series(1, 400) i;
SELECT count(*) AS referrers, sum(spam::int) BETWEEN 30 AND 400 AS "some are spam", count(*) FILTER (WHERE got <> CASE WHEN spam THEN 'referrer_spam' ELSE 'recorded' END) AS wrong
FROM (SELECT r, EXISTS (SELECT FROM pk_tracking.referrer_spam s WHERE '.' || lower(r) LIKE '%.' || s.host) AS spam, pg_temp.why('urlref=http://' || r) AS got
	FROM (SELECT CASE i % 4 WHEN 0 THEN upper(s.host) WHEN 1 THEN 'a.b.' || s.host WHEN 2 THEN 'a' || s.host ELSE s.host || '.a' END AS r FROM generate_series(1, 500) i, LATERAL (SELECT substr(md5((i % 450)::text), 1, 4 + i % 3) AS host) s) x) y;
SELECT pg_temp.why('urlref=http://host5001.spam.invalid/'), pg_temp.why('urlref=http://host4.spam.invalie/');
ROLLBACK;
SELECT pg_temp.why('urlref=http://host1.spam.invalid/');

-- 8. Pages that are not the site's
SELECT pk_tracking.set_site(:site, 'exclude_unknown_urls', 'on');
INSERT INTO cases (query, expected) SELECT 'url=' || u, 'recorded' FROM unnest('{http://test.com,https://test.com,http://test.com/uri,https://test.com/?query,http://TEST.com:8080/,http://www.test.com/}'::text[]) u;
INSERT INTO cases (query, expected) SELECT 'url=' || u, 'unknown_url' FROM unnest('{http://xtest.com,http://sub.test.com/,http://test.com.org/,http://test.co/,test,"",http://}'::text[]) u;
-- the page is the Referer, as it is for what is recorded
INSERT INTO cases (query, headers, expected) VALUES ('x=1', '{"referer": "http://test.com/a"}', 'recorded'), ('x=1', '{"referer": "http://other.com/a"}', 'unknown_url'), ('urlref=http://x.example', '{"referer": "http://test.com/a"}', 'unknown_url');
SELECT * FROM pg_temp.failures();
UPDATE pk_tracking.site SET urls = '{http://test.com,https://sub.test2.com}' WHERE idsite = :site;
INSERT INTO cases (query, expected) SELECT 'url=http://' || u, 'unknown_url' FROM unnest('{sub.test.com,sub.sub.test.com,subtest.com,test.com.org,test2.com,x.sub.test2.com,xsub.test2.com,sub.test2.com.org}'::text[]) u;
INSERT INTO cases (query, expected) SELECT 'url=http://' || u, 'recorded' FROM unnest('{test.com,sub.test2.com/x}'::text[]) u;
SELECT * FROM pg_temp.failures();
UPDATE pk_tracking.site SET urls = '{http://test.com/path,http://test2.com/sub/dir,http://.wild.com}' WHERE idsite = :site;
INSERT INTO cases (query, expected) SELECT 'url=http://' || u, 'recorded' FROM unnest('{test.com/path,test.com/path/,test.com/path/test,test.com/path?q,test2.com/sub/dir,test2.com/sub/dir/x,wild.com/,a.wild.com,a.b.wild.com/x}'::text[]) u;
INSERT INTO cases (query, expected) SELECT 'url=http://' || u, 'unknown_url' FROM unnest('{test.com/path1,test.com/,test.com,test.com/foo,test2.com/sub/foo/,test2.com/sub/,test2.com/,test2.com/dir/sub,notwild.com}'::text[]) u;
SELECT * FROM pg_temp.failures();
SELECT pk_tracking.set_site(:site, 'exclude_unknown_urls', 'off');
SELECT pg_temp.why('url=http://other.example/');
-- another site's pages are not this one's
SELECT pk_tracking.set_site(:two, 'exclude_unknown_urls', 'on');
SELECT pg_temp.why('url=http://test.com/path', site => :two);
DELETE FROM pk_tracking.setting;

-- 9. Fetched before anybody asked
INSERT INTO cases (headers, expected) VALUES ('{"x-purpose": "preview"}', 'prefetch'), ('{"x-purpose": "Instant"}', 'prefetch'), ('{"x-moz": "prefetch"}', 'prefetch'), ('{"x-purpose": "other"}', 'recorded'), ('{"x-moz": "preview"}', 'recorded');
SELECT * FROM pg_temp.failures();

-- 10. The order; and what stands before and behind all of it
SELECT pk_tracking.set_instance('respect_do_not_track', 'on'), pk_tracking.set_instance('exclude_requests', 'foo==bar'), pk_tracking.set_instance('excluded_ips', '{12.12.12.12}'),
	pk_tracking.set_instance('excluded_user_agents', '{zzz}'), pk_tracking.set_instance('exclude_unknown_urls', 'on'), pk_tracking.set_instance('consent_mode', 'ask_else_nothing') \g /dev/null
UPDATE pk_tracking.site SET urls = '{http://test.com}' WHERE idsite = :site;
SELECT pg_temp.why('foo=bar&rec=0&urlref=http://semalt.com', '12.12.12.12', 'zzz Googlebot/2.1', h) AS rec,
	pg_temp.why('foo=bar&urlref=http://semalt.com', '12.12.12.12', 'zzz Googlebot/2.1', h) AS "1", pg_temp.why('foo=bar&urlref=http://semalt.com', '12.12.12.12', 'zzz', h) AS "2",
	pg_temp.why('foo=bar&urlref=http://semalt.com', '12.12.12.12', 'zzz', h - 'dnt') AS "3", pg_temp.why('urlref=http://semalt.com', '12.12.12.12', 'zzz', h - 'dnt') AS "4",
	pg_temp.why('urlref=http://semalt.com', '12.12.12.12', 'zzz', h - 'dnt' - 'cookie') AS "5", pg_temp.why('urlref=http://semalt.com', '12.12.12.13', 'zzz', h - 'dnt' - 'cookie') AS "6",
	pg_temp.why('urlref=http://semalt.com', '12.12.12.13', 'agent', h - 'dnt' - 'cookie') AS "7", pg_temp.why('', '12.12.12.13', 'agent', h - 'dnt' - 'cookie') AS "8",
	pg_temp.why('url=http://test.com/', '12.12.12.13', 'agent', h - 'dnt' - 'cookie') AS "9", pg_temp.why('url=http://test.com/', '12.12.12.13', 'agent') AS "10",
	pg_temp.why('url=http://test.com/&cid=x', '12.12.12.12', 'agent') AS "before"
FROM (SELECT '{"dnt": "1", "cookie": "matomo_ignore=ignore=Kg==", "x-moz": "prefetch"}'::jsonb) x(h);
-- what is asked about a visitor is asked all the same
SELECT count(*) FROM pk_tracking.match_visitor(:site, 'feedfacecafebeef');
DELETE FROM pk_tracking.setting;

-- 11. Counts: by site, local day and reason; those without consent are not even counted
TRUNCATE pk_tracking.log_excluded;
SELECT pk_tracking.add_site('east', timezone => 'Asia/Tokyo') AS east, pk_tracking.add_site('west', timezone => 'America/Los_Angeles') AS west \gset
SELECT count(*) FROM generate_series(1, 3) i, LATERAL pk_tracking.track(:east, user_agent => 'Googlebot/2.1', at => timestamptz '2026-03-02 12:00+00' + i * interval '2 hours') t;
SELECT count(*) FROM generate_series(1, 3) i, LATERAL pk_tracking.track(:west, user_agent => 'Googlebot/2.1', at => timestamptz '2026-03-02 04:00+00' + i * interval '2 hours') t;
SELECT pg_temp.why('rec=0', site => :west), pg_temp.why('uia=1', site => :west), pg_temp.why('uia=1', agent => 'Googlebot/2.1', site => :west), pg_temp.why('', '192.0.2.1', site => :west), pg_temp.why('cid=x', site => :west);
SELECT s.name, CASE WHEN e.day < '2026-03-10' THEN e.day END AS day, e.reason, e.hits FROM pk_tracking.excluded e JOIN pk_tracking.site s USING (idsite) ORDER BY 1, 2, 3;
-- beyond a visit's limit
SELECT pk_tracking.set_site(:west, 'session_max_duration', '60'), pk_tracking.set_site(:west, 'session_limit_exceeded_action', 'split_and_exclude') \g /dev/null
SELECT t.outcome, t.outcome_reason FROM generate_series(1, 3) i, LATERAL pk_tracking.track(:west, cid => 'feedfacecafebeef', at => timestamptz '2026-03-05 12:00+00' + i * interval '50 seconds') t ORDER BY i;
SELECT e.reason, e.hits FROM pk_tracking.excluded e WHERE e.idsite = :west AND e.day = '2026-03-05';
-- what is rolled back does not count; what was counted before still does
BEGIN;
SELECT pg_temp.why(agent => 'Googlebot/2.1', site => :two);
SAVEPOINT s;
SELECT pg_temp.why(agent => 'Googlebot/2.1', site => :two);
ROLLBACK TO s;
SELECT pg_temp.why(agent => 'Googlebot/2.1', site => :two);
COMMIT;
BEGIN;
SELECT pg_temp.why(agent => 'Googlebot/2.1', site => :two);
ROLLBACK;
SELECT pg_temp.why(agent => 'Googlebot/2.1', site => :two);
SELECT e.reason, e.hits FROM pk_tracking.excluded e WHERE e.idsite = :two;
-- a crowd of one reason makes no crowd of rows, and leaves nothing of itself
TRUNCATE pk_tracking.log_excluded;
DO $$
BEGIN
	FOR i IN 1 .. 1000 LOOP
		PERFORM pg_temp.why('_id=feedfacecafebeef&uid=jo', '203.0.113.77', 'Googlebot/2.1');
	END LOOP;
END
$$;
SELECT count(*) AS rows, sum(e.hits) AS hits, count(*) FILTER (WHERE e::text ~ '203\.0|feedface|jo|Google') AS telling FROM pk_tracking.log_excluded e;
-- each hit a transaction of its own: old versions are pruned on the way
TRUNCATE pk_tracking.log_excluded;
CREATE PROCEDURE pg_temp.crowd() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 2000 LOOP
		PERFORM pg_temp.why(agent => 'Googlebot/2.1');
		COMMIT;
	END LOOP;
END
$$;
CALL pg_temp.crowd();
SELECT count(*) AS rows, sum(e.hits) AS hits, pg_relation_size('pk_tracking.log_excluded') <= 10 * 8192 AS small FROM pk_tracking.log_excluded e;
-- an old snapshot writes a row instead
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.why(agent => 'Googlebot/2.1');
SELECT pg_temp.why(agent => 'Googlebot/2.1');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT pg_temp.why(agent => 'Googlebot/2.1');
COMMIT;
SELECT count(*) AS rows, sum(e.hits) AS hits FROM pk_tracking.log_excluded e;
SELECT pk_tracking.compact_excluded();
SELECT count(*) AS rows, sum(e.hits) AS hits FROM pk_tracking.log_excluded e;
SELECT pk_tracking.compact_excluded();
SELECT pg_temp.why(agent => 'Googlebot/2.1');
SELECT sum(e.hits) AS hits FROM pk_tracking.excluded e;
-- compacting keeps every sum, and puts nothing together that differs
INSERT INTO pk_tracking.log_excluded (idsite, day, reason, hits) SELECT i % 3 + 1000, date '2026-01-01' + i % 2, CASE i % 5 WHEN 0 THEN 'ip' ELSE 'bot' END, i FROM generate_series(1, 300) i;
CREATE TEMP TABLE sums AS SELECT * FROM pk_tracking.excluded;
SELECT pk_tracking.compact_excluded();
SELECT count(*) AS changed FROM (TABLE sums EXCEPT TABLE pk_tracking.excluded) x;
SELECT count(*), count(DISTINCT (idsite, day, reason)) FROM pk_tracking.log_excluded;
-- reasons that alternate have a row each, not one for each hit
TRUNCATE pk_tracking.log_excluded;
CREATE FUNCTION pg_temp.alternate() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 5 LOOP
		PERFORM pg_temp.why(agent => 'Googlebot/2.1');
		PERFORM pk_tracking.track_request(format('idsite=%s&rec=0', current_setting('test.site')));
		PERFORM pg_temp.why('urlref=http://semalt.com');
		PERFORM pg_temp.why(headers => '{"x-moz": "prefetch"}');
	END LOOP;
END
$$;
SELECT pg_temp.alternate();
SELECT reason, count(*) AS rows, sum(hits) AS hits FROM pk_tracking.log_excluded GROUP BY reason ORDER BY reason;
-- another row that has got the place of ours is not ours
TRUNCATE pk_tracking.log_excluded;
INSERT INTO pk_tracking.log_excluded (idsite, day, reason, hits) VALUES (1000, '2026-01-01', 'bot', 1);
SELECT pg_temp.why(agent => 'Googlebot/2.1');
SELECT e.idsite = :site AS ours, e.hits FROM pk_tracking.log_excluded e ORDER BY 1;

-- 12. Who only tracks is counted, and reads nothing; triggers run where they should
CREATE ROLE regress_pkt_exclude;
SELECT pk_tracking.grant_tracker('regress_pkt_exclude');
GRANT CREATE ON SCHEMA public TO regress_pkt_exclude;
SET ROLE regress_pkt_exclude;
SELECT outcome, outcome_reason FROM pk_tracking.track(:site, user_agent => 'Googlebot/2.1');
SELECT s, pg_temp.try(s) FROM unnest(ARRAY['SELECT * FROM pk_tracking.excluded', 'SELECT * FROM pk_tracking.log_excluded', 'SELECT * FROM pk_tracking.referrer_spam', 'SELECT pk_tracking.compact_excluded()',
	'INSERT INTO pk_tracking.log_excluded VALUES (1, now(), 1, ''bot'')']) s;
RESET ROLE;
SELECT sum(hits) FROM pk_tracking.excluded WHERE idsite = :site;
CREATE FUNCTION pg_temp.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'path %', current_setting('search_path'); END $$;
CREATE TRIGGER look BEFORE INSERT OR UPDATE ON pk_tracking.log_excluded FOR EACH ROW EXECUTE FUNCTION pg_temp.look();
SET search_path = public, pg_catalog;
SELECT pg_temp.try('SELECT pk_tracking.track(' || :site || ', user_agent => ''Googlebot/2.1'')');
RESET search_path;
DROP TRIGGER look ON pk_tracking.log_excluded;
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON pk_tracking.log_excluded FOR EACH ROW EXECUTE FUNCTION pg_temp.refuse();
SELECT outcome_reason FROM pk_tracking.track(:site, user_agent => 'Googlebot/2.1');
DROP TRIGGER refuse ON pk_tracking.log_excluded;
SELECT outcome_reason FROM pk_tracking.track(:site, user_agent => 'Googlebot/2.1');
SELECT sum(hits) FROM pk_tracking.excluded WHERE idsite = :site;

SELECT s.value = format('%s today', (SELECT sum(e.hits) FROM pk_tracking.excluded e WHERE e.idsite = :site)) AS status FROM pk_tracking.status() s WHERE s.item = 'excluded hits';

-- 13. Addresses behind proxies: seen by what is stored unmasked
SELECT pk_tracking.set_instance('ip_mask_level', '0') \g /dev/null
CREATE TEMP TABLE proxied (n serial, remote inet, headers jsonb, trusted text DEFAULT '{X-Forwarded-For}', proxies text DEFAULT '{}', last boolean DEFAULT true, expected inet);
CREATE FUNCTION pg_temp.proxy_failures() RETURNS TABLE (n integer, remote inet, headers jsonb, expected inet, got inet) LANGUAGE plpgsql AS $$
DECLARE
	p record;
	t pk_tracking.tracked;
BEGIN
	FOR p IN SELECT * FROM proxied ORDER BY proxied.n LOOP
		PERFORM pk_tracking.set_instance('proxy_client_headers', p.trusted), pk_tracking.set_instance('proxy_ips', p.proxies), pk_tracking.set_instance('proxy_ip_read_last_in_list', p.last::text);
		t := pk_tracking.track_request(format('idsite=%s&rec=1&new_visit=1', current_setting('test.site')), p.remote, 'agent', headers => p.headers);
		SELECT v.location_ip INTO got FROM pk_tracking.log_visit v WHERE v.idvisit = t.idvisit;
		IF got IS DISTINCT FROM p.expected THEN
			SELECT p.n, p.remote, p.headers, p.expected INTO n, remote, headers, expected;
			RETURN NEXT;
		END IF;
	END LOOP;
	IF NOT FOUND THEN
		RETURN NEXT;
	END IF;
	DELETE FROM proxied;
END
$$;
-- the table of Matomo's tests: the first of a list
INSERT INTO proxied (remote, headers, trusted, proxies, last, expected) VALUES
	('127.0.0.1', '{"x-forwarded-for": ""}', '{}', '{}', false, '127.0.0.1'), ('128.252.135.4', NULL, '{}', '{}', false, '128.252.135.4'),
	('128.252.135.4', '{"x-forwarded-for": "137.18.2.13, 128.252.135.4"}', '{}', '{}', false, '128.252.135.4'),
	('137.18.2.13', '{"x-forwarded-for": "137.18.2.13, 128.252.135.4, 192.168.1.10"}', '{HTTP_X_FORWARDED_FOR}', '{}', false, '128.252.135.4'),
	('192.168.1.10', '{"x-forwarded-for": "128.252.135.4, 192.168.1.10"}', '{HTTP_X_FORWARDED_FOR}', '{}', false, '128.252.135.4'),
	('192.168.1.10', '{"x-forwarded-for": "128.252.135.4, 192.168.1.10, 192.168.1.10"}', '{HTTP_X_FORWARDED_FOR}', '{}', false, '128.252.135.4'),
	('192.168.1.10', '{"x-forwarded-for": "128.252.135.4, 192.168.1.20, 192.168.1.10"}', '{HTTP_X_FORWARDED_FOR}', '{192.168.1.*}', false, '128.252.135.4'),
	('::ffff:7f00:10', '{"x-forwarded-for": "128.252.135.4, [::ffff:7f00:20], [::ffff:7f00:10]"}', '{HTTP_X_FORWARDED_FOR}', '{::ffff:7f00:0/120}', false, '128.252.135.4');
-- the last of a list
INSERT INTO proxied (remote, headers, expected) SELECT '10.9.9.9', jsonb_build_object('x-forwarded-for', x.value), x.expected::inet FROM (VALUES
	('', '10.9.9.9'), ('  ', '10.9.9.9'), (' 127.0.0.1 ', '127.0.0.1'), ('192.168.1.1 ,127.0.0.1 ', '127.0.0.1'), ('2001:db8:cafe::17 , 192.168.1.1', '192.168.1.1'), ('192.168.1.1 , 2001:db8:cafe::17', '2001:db8:cafe::17'),
	('192.168.1.1,', '192.168.1.1'), (',192.168.1.1,', '192.168.1.1'), (',', '10.9.9.9'), (', ,', '10.9.9.9')) x(value, expected);
INSERT INTO proxied (remote, headers, proxies, expected) SELECT '10.9.9.9', jsonb_build_object('x-forwarded-for', x.value), '{10.10.10.10}', x.expected::inet FROM (VALUES
	(' 127.0.0.1 , 10.10.10.10', '127.0.0.1'), ('192.168.1.1 ,127.0.0.1 , 10.10.10.10', '127.0.0.1'), ('192.168.1.1 , 2001:db8:cafe::17, 10.10.10.10', '2001:db8:cafe::17'), (',192.168.1.1,, 10.10.10.10', '192.168.1.1'),
	('10.10.10.10, 10.10.10.10', '10.9.9.9'), ('10.10.10.10', '10.10.10.10'), ('1.1.1.1, 10.10.10.10:4711', '1.1.1.1'), ('1.1.1.1, 10.10.10.11', '10.10.10.11')) x(value, expected);
-- cleaned; what is no address is none, and so is what is unknown
INSERT INTO proxied (remote, headers, expected) SELECT '10.9.9.9', jsonb_build_object('x-forwarded-for', x.value), x.expected::inet FROM (VALUES
	('1.2.3.4:8080', '1.2.3.4'), ('[2001:db8::1]:443', '2001:db8::1'), ('1.2.3.4/32', '1.2.3.4'), ('[2001:db8::1]', '2001:db8::1'), ('nonsense', NULL), ('1.1.1.1, nonsense', NULL), ('for=1.2.3.4', NULL), ('unknown', NULL),
	('1.1.1.1, Unknown', NULL), ('unknown, 1.1.1.1', '1.1.1.1'), (repeat('1.1.1.1,', 5000) || '2.2.2.2', '2.2.2.2'), (repeat('x', 60000), NULL)) x(value, expected);
-- headers in their order; of a header with several values the values count, one that is a number did not come; nothing that is not named
INSERT INTO proxied (remote, headers, trusted, last, expected) VALUES
	('10.9.9.9', '{"x-forwarded-for": "1.1.1.1", "x-real-ip": "2.2.2.2"}', '{x-real-ip,x-forwarded-for}', true, '2.2.2.2'), ('10.9.9.9', '{"x-forwarded-for": "1.1.1.1", "x-real-ip": "2.2.2.2"}', '{x-forwarded-for,x-real-ip}', true, '1.1.1.1'),
	('10.9.9.9', '{"x-forwarded-for": "unknown", "x-real-ip": "2.2.2.2"}', '{x-forwarded-for,x-real-ip}', true, '2.2.2.2'), ('10.9.9.9', '{"x-forwarded-for": "", "x-real-ip": "2.2.2.2"}', '{x-forwarded-for,x-real-ip}', true, '2.2.2.2'),
	('10.9.9.9', '{"x-forwarded-for": ["1.1.1.1"], "x-real-ip": 2}', '{x-real-ip,x-forwarded-for}', true, '1.1.1.1'), ('10.9.9.9', '{"x-real-ip": "2.2.2.2"}', '{x-forwarded-for}', true, '10.9.9.9'),
	-- by the last address a client that sends the header itself gains nothing, by the first it does
	('10.9.9.9', '{"x-forwarded-for": "6.6.6.6, 1.1.1.1"}', '{x-forwarded-for}', true, '1.1.1.1'), ('10.9.9.9', '{"x-forwarded-for": "6.6.6.6, 1.1.1.1"}', '{x-forwarded-for}', false, '6.6.6.6'),
	('10.9.9.9', '{"x-forwarded-for": "10.9.9.9, 1.1.1.1"}', '{x-forwarded-for}', false, '1.1.1.1'), ('10.9.9.9', '{"x-forwarded-for": "10.9.9.9, 1.1.1.1, 10.9.9.9"}', '{x-forwarded-for}', true, '10.9.9.9'),
	(NULL, '{"x-forwarded-for": "1.1.1.1"}', '{x-forwarded-for}', true, '1.1.1.1'), (NULL, '{"x-forwarded-for": "unknown"}', '{x-forwarded-for}', true, NULL);
SELECT * FROM pg_temp.proxy_failures();
-- exclusion goes by the visitor's address, and cip beats all
SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for}'), pk_tracking.set_instance('excluded_ips', '{12.12.12.12}') \g /dev/null
SELECT pg_temp.why('', '12.12.12.12', headers => '{"x-forwarded-for": "1.1.1.1"}') AS visitor, pg_temp.why('', '1.1.1.1', headers => '{"x-forwarded-for": "12.12.12.12"}') AS proxied;
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track_request(format('idsite=%s&rec=1&cip=12.12.12.12', :site), '1.1.1.1', headers => '{"x-forwarded-for": "2.2.2.2"}', trusted => true) t;
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track_request(format('idsite=%s&rec=1&cip=1.1.1.1', :site), '12.12.12.12', headers => '{"x-forwarded-for": "12.12.12.12"}', trusted => true) t;
SELECT h, pg_temp.try(format('SELECT pk_tracking.set_instance(''proxy_client_headers'', %L)', h)) FROM unnest('{"{x forwarded}","{\"\"}","{X_Real_IP}"}'::text[]) h;
SELECT value FROM pk_tracking.settings WHERE idsite IS NULL AND name = 'proxy_client_headers';
SELECT pg_temp.try(format('SELECT pk_tracking.set_site(%s, ''proxy_client_headers'', ''{x-real-ip}'')', :site));

SELECT pk_tracking.reset_instance(s.name) FROM pk_tracking.setting s WHERE s.idsite IS NULL \g /dev/null
DELETE FROM pk_tracking.setting;
DROP OWNED BY regress_pkt_exclude;
DROP ROLE regress_pkt_exclude;
