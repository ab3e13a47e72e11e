-- Referrers and campaigns
\set VERBOSITY terse
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('shop', '{http://shop.example.org}') AS shop \gset

-- what a Matomo tracker stored for these first hits of a visit
CREATE TEMP TABLE recorded (url text, urlref text, params jsonb, type smallint, name text, keyword text, referer_url text);
INSERT INTO recorded VALUES
	('http://shop.example.org/p', 'https://www.google.com/', NULL, 2, 'Google', NULL, 'https://www.google.com/'),
	('http://shop.example.org/later', NULL, NULL, 1, NULL, NULL, ''),
	('http://shop.example.org/p', 'https://www.google.com/search?q=red+shoes', NULL, 2, 'Google', 'red shoes', 'https://www.google.com/search?q=red+shoes'),
	('http://shop.example.org/p', 'https://duckduckgo.com/', NULL, 2, 'DuckDuckGo', NULL, 'https://duckduckgo.com/'),
	('http://shop.example.org/p', 'http://other.example.net/page?x=1', NULL, 3, 'other.example.net', NULL, 'http://other.example.net/page?x=1'),
	('http://shop.example.org/p', 'http://other.example.net/page2', NULL, 3, 'other.example.net', NULL, 'http://other.example.net/page2'),
	('http://shop.example.org/p', 'https://www.third.example.com/z', NULL, 3, 'www.third.example.com', NULL, 'https://www.third.example.com/z'),
	('http://shop.example.org/p?utm_campaign=Spring&utm_term=shoes', NULL, NULL, 6, 'spring', 'shoes', ''),
	('http://shop.example.org/p?utm_campaign=Summer', NULL, NULL, 6, 'summer', '', ''),
	('http://shop.example.org/p?utm_source=newsletter&utm_medium=email', NULL, NULL, 6, 'newsletter', '', ''),
	('http://shop.example.org/p?mtm_campaign=Spring&mtm_kwd=kw', NULL, NULL, 6, 'spring', 'kw', ''),
	('http://shop.example.org/p?gclid=abc', 'https://www.google.com/', NULL, 2, 'Google', NULL, 'https://www.google.com/'),
	('http://shop.example.org/p?utm_campaign=Spring', 'https://www.google.com/search?q=x', NULL, 6, 'spring', 'x', 'https://www.google.com/search?q=x'),
	('http://shop.example.org/thanks', NULL, NULL, 1, NULL, NULL, ''),
	('http://shop.example.org/p', NULL, '{"_rcn": "CookieCamp", "_rck": "ckw", "_ref": "http://other.example.net/", "_refts": "1741770000"}', 1, NULL, NULL, ''),
	('http://shop.example.org/1?utm_campaign=Spring', NULL, NULL, 6, 'spring', '', ''),
	('http://shop.example.org/2?utm_campaign=Summer', NULL, NULL, 6, 'summer', '', ''),
	('http://shop.example.org/1', 'http://other.example.net/page?x=1', NULL, 3, 'other.example.net', NULL, 'http://other.example.net/page?x=1'),
	('http://shop.example.org/2?utm_campaign=Spring', NULL, NULL, 6, 'spring', '', ''),
	('http://shop.example.org/1', 'https://www.google.com/', NULL, 2, 'Google', NULL, 'https://www.google.com/'),
	('http://shop.example.org/1', 'https://www.google.com/search?q=red+shoes', NULL, 2, 'Google', 'red shoes', 'https://www.google.com/search?q=red+shoes'),
	('http://shop.example.org/1?utm_source=newsletter&utm_medium=email', NULL, NULL, 6, 'newsletter', '', ''),
	('http://shop.example.org/1?pk_campaign=Spring&pk_kwd=kw', NULL, NULL, 6, 'spring', 'kw', ''),
	('http://shop.example.org/2#utm_campaign=Frag', NULL, NULL, 6, 'frag', '', ''),
	('http://shop.example.org/1', NULL, '{"_rcn": "CookieCamp", "_rck": "ckw", "_ref": "http://other.example.net/", "_refts": "1741770000"}', 1, NULL, NULL, ''),
	('http://shop.example.org/1', 'https://www.facebook.com/', NULL, 2, 'Facebook', NULL, 'https://www.facebook.com/'),
	('http://shop.example.org/1?utm_campaign=Spring&utm_term=shoes', NULL, NULL, 6, 'spring', 'shoes', ''),
	('http://shop.example.org/1', NULL, NULL, 1, NULL, NULL, ''),
	('http://shop.example.org/2?utm_campaign=Spring&utm_term=shoes', NULL, NULL, 6, 'spring', 'shoes', ''),
	('http://shop.example.org/2', 'http://other.example.net/page?x=1', NULL, 3, 'other.example.net', NULL, 'http://other.example.net/page?x=1'),
	('http://shop.example.org/2', 'https://www.third.example.com/z', NULL, 3, 'www.third.example.com', NULL, 'https://www.third.example.com/z'),
	('http://shop.example.org/0', 'http://shop.example.org/prev', NULL, 1, NULL, NULL, 'http://shop.example.org/prev'),
	('http://blog.example.org/2', 'http://other.example.net/page?x=1', NULL, 3, 'other.example.net', NULL, 'http://other.example.net/page?x=1'),
	('http://127.0.0.1:8099/', 'https://www.google.com/search?q=shoes', NULL, 2, 'Google', 'shoes', 'https://www.google.com/search?q=shoes');
SELECT count(*) FROM recorded;
SELECT r.*, pk_tracking.referrer(:shop, r.url, r.urlref, r.params) AS found FROM recorded r
WHERE pk_tracking.referrer(:shop, r.url, r.urlref, r.params) IS DISTINCT FROM (r.type, r.name, r.keyword, r.referer_url)::pk_tracking.referrer_info;

-- cases: page, referrer, and what comes of it as a row of referrer_info; the URL, where it is not given, is the referrer
CREATE TEMP TABLE cases (n serial, url text DEFAULT 'http://shop.example.org/p', urlref text, type smallint, name text, keyword text, stored text);
CREATE TEMP VIEW failed AS
	SELECT c.n, c.url, c.urlref, f FROM cases c, LATERAL (SELECT pk_tracking.referrer((SELECT max(idsite) FROM pk_tracking.site WHERE site.name = 'shop'), c.url, c.urlref) AS f) x
	WHERE x.f IS DISTINCT FROM (c.type, c.name, c.keyword, coalesce(c.stored, c.urlref, ''))::pk_tracking.referrer_info ORDER BY c.n;

-- search engines
INSERT INTO cases (urlref, type, name, keyword, stored) VALUES
	('https://www.google.com/search?q=matomo', 2, 'Google', 'matomo', NULL),
	('https://www.google.co.uk/search?q=Red%20SHOES&sa=X&ved=abc&ei=def', 2, 'Google', 'red shoes', 'https://www.google.co.uk/search?q=Red%20SHOES'),
	('http://google.com.br/#q=a', 2, 'Google', 'a', 'http://google.com.br/'),
	('https://google.de', 2, 'Google', NULL, 'https://google.de/'),
	('https://www.google.com/search', 2, 'Google', NULL, NULL),
	('https://www.google.com/search?q=', 2, 'Google', NULL, NULL),
	('https://www.google.com/url?sa=t&url=http%3A%2F%2Fshop.example.org%2F&usg=x', 2, 'Google', NULL, 'https://www.google.com/url?url=http%3A%2F%2Fshop.example.org%2F'),
	('https://www.google.com/search?q=cats&tbm=isch', 2, 'Google Images', 'cats', NULL),
	('https://www.google.com/search?q=cats&tbm=vid', 2, 'Google Video', 'cats', NULL),
	('https://www.google.com/search?q=cats&tbm=shop', 2, 'Google Shopping', 'cats', NULL),
	('https://www.google.com/imgres?imgurl=x', 2, 'Google Images', NULL, NULL),
	('https://www.google.com/search?as_q=one+two&as_epq=three+four&as_oq=five+six&as_eq=seven', 2, 'Google', 'one two five or six "three four" -seven', NULL),
	('https://mail.google.com/mail', 3, 'mail.google.com', NULL, NULL),
	('https://www.google.com/intl/en/about', 3, 'www.google.com', NULL, NULL),
	('android-app://com.google.android.googlequicksearchbox/', 2, 'Google', NULL, NULL),
	('android-app://com.google.android.googlequicksearchbox/https/www.google.com', 2, 'Google', NULL, NULL),
	('https://www.bing.com/search?q=matomo', 2, 'Bing', 'matomo', NULL),
	('https://www.bing.com/search?q=a&cvid=1&FORM=QBLH&PC=U316&cc=de', 2, 'Bing', 'a', 'https://www.bing.com/search?q=a'),
	('https://www.bing.com/images/search?q=a', 2, 'Bing Images', 'a', NULL),
	('https://de.search.yahoo.com/search;_ylt=A?p=a+b', 2, 'Yahoo!', 'a b', 'https://de.search.yahoo.com/search?_ylt=A&p=a+b'),
	('https://r.search.yahoo.com/_ylt=A/RV=2', 2, 'Yahoo!', NULL, NULL),
	('https://search.yahoo.co.jp/search?p=a', 2, 'Yahoo! Japan', 'a', NULL),
	('https://yandex.ru/search/?text=a', 2, 'Yandex', 'a', NULL),
	('https://yandex.com.tr/clck/jsredir?from=x', 2, 'Yandex', NULL, NULL),
	('https://www.baidu.com/link?url=x', 2, 'Baidu', NULL, NULL),
	('https://www.baidu.com/s?wd=a', 2, 'Baidu', 'a', NULL),
	('https://www.ecosia.org/search?q=a', 2, 'Ecosia', 'a', NULL),
	('https://www.qwant.com/', 2, 'Qwant', NULL, NULL),
	('https://www.startpage.com/', 2, 'StartPage', NULL, NULL),
	('https://search.brave.com/', 2, 'Brave', NULL, NULL),
	('https://duckduckgo.com/?q=a', 2, 'DuckDuckGo', 'a', NULL),
	('https://duckduckgo.com/about', 3, 'duckduckgo.com', NULL, NULL),
	('https://search.naver.com/search.naver?query=%EA%B0%80', 2, 'Naver', U&'\AC00', NULL),
	('https://www.seznam.cz/', 3, 'www.seznam.cz', NULL, NULL),
	('https://www.google.com/search?q=%C3%9CBER+%D0%9F%D0%A0', 2, 'Google', U&'\00FCber \043F\0440', NULL),
	('https://www.google.com/search?q=%FCber', 2, 'Google', '%fcber', NULL),
	('https://www.google.com/search?q=100%+wool%2', 2, 'Google', '100% wool%2', NULL),
	('https://www.google.com/search?q=%00%0d%0a', 2, 'Google', NULL, 'https://www.google.com/search?q=%00%0D%0A'),
	('https://www.google.com/search?q=a&q=b', 2, 'Google', 'b', NULL);

-- networks
INSERT INTO cases (urlref, type, name, stored) VALUES
	('https://twitter.com/matomo_org', 7, 'Twitter', NULL),
	('https://t.co/abc', 7, 'Twitter', NULL),
	('https://x.com/a', 7, 'Twitter', NULL),
	('https://netflix.com/a', 3, 'netflix.com', NULL),
	('https://l.instagram.com/?u=http%3A%2F%2Fa.com&e=x&s=1', 7, 'Instagram', 'https://l.instagram.com/?u=http%3A%2F%2Fa.com'),
	('https://l.facebook.com/l.php?u=1&h=2&p=3', 7, 'Facebook', 'https://l.facebook.com/l.php?u=1'),
	('https://m.facebook.com/', 7, 'Facebook', NULL),
	('https://www.facebook.com/a', 7, 'Facebook', NULL),
	('http://facebook.com.example.net/', 3, 'facebook.com.example.net', NULL),
	('http://notfacebook.com/', 3, 'notfacebook.com', NULL),
	('https://www.youtube.com/redirect?redir_token=a&q=b', 7, 'YouTube', 'https://www.youtube.com/redirect?q=b'),
	('https://www.linkedin.com/feed', 7, 'LinkedIn', NULL),
	('android-app://com.linkedin.android/', 7, 'LinkedIn', NULL),
	('https://www.pinterest.co.uk/pin/1', 7, 'Pinterest', NULL),
	('https://out.reddit.com/t3', 7, 'reddit', NULL),
	('https://away.vk.com/away.php', 7, 'Vkontakte', NULL),
	('https://mastodon.social/@a', 7, 'Mastodon', NULL),
	('https://go.bsky.app/redirect', 7, 'Bluesky', NULL),
	('https://WWW.TIKTOK.COM/', 7, 'TikTok', 'https://www.tiktok.com/');

-- websites
INSERT INTO cases (urlref, type, name, stored) VALUES
	('https://de.wikipedia.org/wiki/X', 3, 'de.wikipedia.org', NULL),
	('https://payment.provider.info/', 3, 'payment.provider.info', NULL),
	('http://Other.Example.NET:8080/Path?SID=1&a=2#frag', 3, 'other.example.net', 'http://other.example.net:8080/Path?a=2'),
	('http://user:pass@other.example.net/', 3, 'other.example.net', 'http://other.example.net/'),
	('http://xn--mnchen-3ya.example/', 3, 'xn--mnchen-3ya.example', NULL),
	(U&'http://M\00DCNCHEN.example/', 3, 'xn--mnchen-3ya.example', 'http://xn--mnchen-3ya.example/'),
	('http://[2001:DB8::1]:8080/', 3, '[2001:db8::1]', 'http://[2001:db8::1]:8080/'),
	('http://192.0.2.1/', 3, '192.0.2.1', NULL),
	('http://localhost/', 3, 'localhost', NULL),
	('//other.example.net/x', 3, 'other.example.net', NULL),
	(' http://other.example.net/?a=1&amp;b=2 ', 3, 'other.example.net', 'http://other.example.net/?a=1&b=2'),
	('http://other.example.net/?utm_source=x', 3, 'other.example.net', 'http://other.example.net/'),
	('http://www.shop.example.org.evil.example/', 3, 'www.shop.example.org.evil.example', NULL),
	('http://sub.shop.example.org/', 3, 'sub.shop.example.org', NULL);

-- direct entries: own hosts, and what is no referrer
INSERT INTO cases (url, urlref, type, stored) VALUES
	('http://shop.example.org/p', 'http://shop.example.org/', 1, NULL),
	('http://shop.example.org/p', 'https://SHOP.example.org:8443/x?a=1', 1, 'https://shop.example.org:8443/x?a=1'),
	('http://shop.example.org/p', 'http://www.shop.example.org/x', 1, NULL),
	('http://elsewhere.example/p', 'http://shop.example.org/x', 1, NULL),
	('http://elsewhere.example/p', 'http://Elsewhere.example/x', 1, 'http://elsewhere.example/x'),
	('http://[2001:db8::1]/p', 'http://[2001:DB8::1]:80/x', 1, 'http://[2001:db8::1]/x'),
	('http://shop.example.org/p', NULL, 1, ''),
	('http://shop.example.org/p', '', 1, ''),
	('http://shop.example.org/p', 'x', 1, ''),
	('http://shop.example.org/p', 'other.example.net/', 1, ''),
	('http://shop.example.org/p', 'http:///other', 1, ''),
	('http://shop.example.org/p', 'javascript:alert(1)', 1, ''),
	('http://shop.example.org/p', '%FF%FE', 1, ''),
	('http://shop.example.org/p?ignore_referrer=1', 'https://www.google.com/search?q=a', 1, ''),
	('http://shop.example.org/p?utm_source=a&ignore_referer=1', 'https://t.co/a', 1, ''),
	(NULL, NULL, 1, '');
INSERT INTO cases (url, urlref, type, name) VALUES
	('http://shop.example.org/p?ignore_referrer=0', 'http://other.example.net/', 3, 'other.example.net'),
	(NULL, 'http://other.example.net/', 3, 'other.example.net'),
	('', 'http://other.example.net/', 3, 'other.example.net');

-- campaigns
INSERT INTO cases (url, urlref, type, name, keyword, stored) VALUES
	('http://shop.example.org/?pk_campaign=Campaign%20Name&pk_kwd=Campaign%20Keyword', NULL, 6, 'campaign name', 'campaign keyword', NULL),
	('http://shop.example.org/?utm_campaign=GA Campaign&piwik_kwd=Piwik kwd&utm_term=x#pk_campaign=NOT TRACKED', NULL, 6, 'ga campaign', 'piwik kwd', NULL),
	('http://shop.example.org/#pk_campaign=CREDITED TO GOAL PLEASE', 'http://example.org/referrer', 6, 'credited to goal please', 'example.org', NULL),
	('http://shop.example.org/?utm_campaign=a#pk_campaign=b', NULL, 6, 'b', '', NULL),
	('http://shop.example.org/?utm_campaign=a#utm_term=c', NULL, 6, 'a', 'c', NULL),
	('http://shop.example.org/?utm_term=c#utm_campaign=a', NULL, 6, 'a', 'c', NULL),
	('http://shop.example.org/?utm_campaign=GA+Campaign', 'http://www.bing.com/search?q=whatever', 6, 'ga campaign', 'whatever', NULL),
	('http://shop.example.org/?utm_campaign=GA+Campaign', 'http://thing1.com/x', 6, 'ga campaign', 'thing1.com', NULL),
	('http://shop.example.org/?utm_campaign=Adwords+campaign', 'http://googleads.g.doubleclick.net/pagead/ads?client=ca-x&ad_type=text&url=http%3A%2F%2Fwww.adwords-publisher-website.org%2Fx', 6, 'adwords campaign', '(adwords) www.adwords-publisher-website.org', NULL),
	('http://shop.example.org/?utm_campaign=AdWords+campaign', 'http://www.google.com/aclk?sa=l&q=nintendo+consoles+second+hand', 6, 'adwords campaign', 'nintendo consoles second hand', 'http://www.google.com/aclk?q=nintendo+consoles+second+hand'),
	('http://shop.example.org/', 'http://googleads.g.doubleclick.net/pagead/ads?ad_type=text_image&url=http%3A%2F%2Fexample.com%2F', 6, 'adwords (text_image)', '(adwords) example.com', NULL),
	('http://shop.example.org/', 'http://googleads.g.doubleclick.net/pagead/ads?ad_type=text&url=http%3A%2F%2Fwww.example.com%2Fa%2Fb', 6, 'adwords (text)', '(adwords) www.example.com', NULL),
	('http://shop.example.org/', 'http://googleads.g.doubleclick.net/pagead/ads?url=http%3A%2F%2Fwww.example.com', 6, 'adwords', '(adwords) www.example.com', NULL),
	('http://shop.example.org/', 'http://googleads.g.doubleclick.net/pagead/ads?url=x', 3, 'googleads.g.doubleclick.net', NULL, NULL),
	('http://shop.example.org/?utm_campaign=a', 'http://shop.example.org/', 6, 'a', 'shop.example.org', NULL),
	('http://shop.example.org/?utm_campaign=&utm_source=b&utm_medium=c', NULL, 6, 'b', '', NULL),
	('http://shop.example.org/?utm_source=b&pk_cpn=c', NULL, 6, 'c', '', NULL),
	('http://shop.example.org/?UTM_SOURCE=b', NULL, 1, NULL, NULL, NULL),
	('http://shop.example.org/?utm_source=%20%20', NULL, 1, NULL, NULL, NULL),
	('http://shop.example.org/?utm_term=b', NULL, 1, NULL, NULL, NULL),
	('http://shop.example.org/?utm%5Fsource=%C3%84%FF', NULL, 6, U&'\00E4%ff', '', NULL),
	('http://shop.example.org/?a=1&amp;utm_source=b&amp;utm_term=c', NULL, 6, 'b', 'c', NULL),
	('app/screen?utm_source=b#utm_term=c', NULL, 6, 'b', 'c', NULL);
SELECT * FROM failed;
SELECT type, count(*) FROM cases GROUP BY 1 ORDER BY 1;

-- bounds: 255 characters of names and keywords, page_maximum_length bytes of URLs
SELECT length(r.name) AS name, length(r.keyword) AS keyword, length(r.url) AS url
FROM (VALUES ('http://shop.example.org/?utm_campaign=' || repeat('%C3%A4', 300) || '&utm_term=' || repeat('b', 100000), 'http://a.example/' || repeat('x', 100000)),
	('http://shop.example.org/', 'http://' || repeat('a.', 700) || 'example/' || repeat('x', 100000)),
	('http://shop.example.org/', 'http://www.google.com/search?q=' || repeat('x', 100000)),
	('http://shop.example.org/?' || repeat('a=b&', 100000) || 'utm_source=c', NULL)) v(url, urlref),
	LATERAL pk_tracking.referrer(:shop, v.url, v.urlref) r;

-- tracking parameters win over what stands in the page's address
SELECT r.type, r.name, r.keyword FROM (VALUES
	('http://shop.example.org/', '{"utm_campaign": "Given", "utm_term": "Word"}'::jsonb),
	('http://shop.example.org/?utm_campaign=a&utm_term=b', '{"utm_campaign": "Given"}'),
	('http://shop.example.org/?utm_campaign=a&utm_term=b', '{"utm_campaign": "", "utm_term": 5, "utm_source": {"a": 1}, "utm_medium": null}'),
	('http://shop.example.org/', '{"utm_term": "Word"}'),
	('http://shop.example.org/', '{"_rcn": "a", "_rck": "b"}')) v(url, params),
	LATERAL pk_tracking.referrer(:shop, v.url, NULL, v.params) r;
SELECT pk_tracking.referrer(:shop, 'http://shop.example.org/', NULL, '[1]');

-- a campaign without a keyword keeps that of the visit; capitals make no other campaign
SELECT r.name, r.keyword FROM (VALUES ('spring', NULL), ('spring', 'http://thing1.com/'), ('Spring', NULL), ('Spring', 'http://thing1.com/'), ('summer', NULL)) v(name, urlref),
	LATERAL pk_tracking.referrer(:shop, 'http://shop.example.org/?utm_campaign=' || v.name, v.urlref, visit => (6, 'spring', 'shoes', '')::pk_tracking.referrer_info) r;
SELECT (pk_tracking.referrer(:shop, 'http://shop.example.org/?utm_campaign=spring', visit => (3, 'spring', 'shoes', '')::pk_tracking.referrer_info)).keyword;

-- sites on one host: the longest path decides
BEGIN;
SELECT pk_tracking.add_site('host', '{http://multi.example,https://shared.example/a/,".wild.example","",":"}') AS a \gset
SELECT pk_tracking.add_site('below', '{http://multi.example/b,shared.example/a/}') AS b \gset
SELECT v.urlref, a.type AS type_a, a.name AS name_a, b.type AS type_b, b.name AS name_b FROM (VALUES
	('http://multi.example/'), ('http://www.multi.example/bc'), ('http://multi.example/b'), ('http://multi.example/b/c?d'), ('https://shared.example/'), ('https://shared.example/a'),
	('http://x.wild.example/'), ('http://wild.example/'), ('http://awild.example/')) v(urlref),
	LATERAL pk_tracking.referrer(:a, 'http://multi.example/', v.urlref) a, LATERAL pk_tracking.referrer(:b, 'http://multi.example/b/', v.urlref) b;
-- unknown addresses do not make a host the site's own
SELECT pk_tracking.set_site(:a, 'exclude_unknown_urls', 'on');
SELECT r.type FROM pk_tracking.referrer(:a, 'http://other.example.net/', 'http://other.example.net/x') r;
ROLLBACK;

-- referrers that do not count
SELECT pk_tracking.set_site(:shop, 'excluded_referrers', '{payment.example,.bank.example,https://www.Some.example/pay,/}');
SELECT v.urlref, r.type, r.name, r.url FROM (VALUES ('https://payment.example/x'), ('https://www.payment.example/x'), ('https://sub.payment.example/x'), ('https://a.bank.example/'), ('https://bank.example/'), ('https://ebank.example/'),
	('https://some.example/'), ('https://some.example/pay/done')) v(urlref), LATERAL pk_tracking.referrer(:shop, 'http://shop.example.org/', v.urlref) r;
-- a campaign counts all the same
SELECT r.* FROM pk_tracking.referrer(:shop, 'http://shop.example.org/?utm_source=a', 'https://payment.example/x') r;
SELECT pk_tracking.reset_site(:shop, 'excluded_referrers');

-- names of parameters by setting
SELECT pk_tracking.set_site(:shop, 'campaign_var_name', '{from,Von}'), pk_tracking.set_site(:shop, 'campaign_keyword_var_name', '{word}');
SELECT r.name, r.keyword, r.url FROM pk_tracking.referrer(:shop, 'http://shop.example.org/?Von=a&word=b&utm_source=c', 'http://a.example/?word=1&utm_source=2') r;
SELECT pk_tracking.reset_site(:shop, 'campaign_var_name'), pk_tracking.reset_site(:shop, 'campaign_keyword_var_name');

-- what anonymize_referrer leaves
CREATE TEMP TABLE kinds (n serial, url text, urlref text);
INSERT INTO kinds (url, urlref) VALUES
	('http://shop.example.org/', 'https://user:pw@www.foo.com:8080/path/?bar=baz'),
	('http://shop.example.org/', 'https://www.google.com/search?q=a'),
	('http://shop.example.org/', 'https://www.facebook.com/page?a=b'),
	('http://shop.example.org/', 'http://shop.example.org/path?a=b'),
	('http://shop.example.org/?utm_campaign=campaign&utm_term=campaignkeyword', 'https://www.foo.com/path/?bar=baz'),
	('http://shop.example.org/', NULL);
SELECT pk_tracking.set_site(:shop, 'anonymize_referrer', 'exclude_query');
SELECT r.* FROM kinds k, LATERAL pk_tracking.referrer(:shop, k.url, k.urlref) r ORDER BY k.n;
SELECT pk_tracking.set_site(:shop, 'anonymize_referrer', 'exclude_path');
SELECT r.* FROM kinds k, LATERAL pk_tracking.referrer(:shop, k.url, k.urlref) r ORDER BY k.n;
SELECT pk_tracking.set_site(:shop, 'anonymize_referrer', 'exclude_all');
SELECT r.* FROM kinds k, LATERAL pk_tracking.referrer(:shop, k.url, k.urlref) r ORDER BY k.n;
SELECT pk_tracking.reset_site(:shop, 'anonymize_referrer');

-- has the referrer changed?
SELECT v.visit, v.hit, pk_tracking.referrer_changed(v.visit::pk_tracking.referrer_info, v.hit::pk_tracking.referrer_info) AS changed FROM (VALUES
	('(6,spring,shoes,)', '(6,Spring,SHOES,http://a.example/)'), ('(6,spring,"",)', '(6,spring,,)'), ('(6,spring,shoes,)', '(6,spring,,)'),
	('(6,spring,,)', '(6,summer,,)'), ('(1,,,)', '(6,spring,,)'), ('(3,a.example,,x)', '(3,A.example,,y)'), ('(3,a.example,,)', '(2,a.example,,)'), ('(1,,,)', '(1,,,)')) v(visit, hit);

-- the user's own engines and networks
BEGIN;
DROP TABLE IF EXISTS pk_tracking.referrer_list;
CREATE TABLE pk_tracking.referrer_list (kind text NOT NULL, name text NOT NULL, host text NOT NULL, parameters text[] NOT NULL DEFAULT '{}');
INSERT INTO pk_tracking.referrer_list VALUES
	('search', 'Our search', 'https://www.Find.example/in', '{s,NULL,t}'), ('search', 'Our other search', 'find.example', '{x}'), ('search', 'Every page', 'all.{}', '{}'),
	('social', 'Our network', 'net.example', '{}'), ('social', 'Twitter of ours', 'x.com', '{}'), ('social', 'Nothing', '', '{}');
SELECT v.urlref, r.type, r.name, r.keyword FROM (VALUES ('http://find.example/in?t=a'), ('http://find.example/in/x?s=b'), ('http://find.example/inner?x=c'), ('http://find.example/?t=d'), ('http://find.example/'),
	('http://find.example/e'), ('http://all.co.uk/x/y'), ('http://www.all.com/'), ('http://a.b.net.example/'), ('https://x.com/a'), ('https://t.co/a'), ('https://www.google.com/')) v(urlref),
	LATERAL pk_tracking.referrer(:shop, 'http://shop.example.org/', v.urlref) r;
SELECT r.keyword FROM pk_tracking.referrer(:shop, 'http://shop.example.org/?utm_source=a', 'http://find.example/in?t=a') r;
ROLLBACK;

-- AI assistants: by host, or by utm_source where no other campaign parameter came; not under Matomo's rules
CREATE TEMP TABLE assistants (n serial, url text, urlref text);
INSERT INTO assistants (url, urlref) SELECT 'http://shop.example.org/', 'https://' || u FROM unnest(ARRAY[
	'chatgpt.com/', 'chat.openai.com/c/1', 'www.perplexity.ai/search?q=x', 'copilot.microsoft.com/', 'www.bing.com/chat?q=x', 'www.bing.com/search?q=x', 'gemini.google.com/app', 'claude.ai/chat/1',
	'chat.deepseek.com/', 'chat.mistral.ai/chat', 'grok.com/', 'x.com/i/grok', 'x.com/i/other', 'www.meta.ai/', 'you.com/search?q=x', 'poe.com/', 'www.phind.com/', 'huggingface.co/chat/', 'huggingface.co/models', 'notchatgpt.com/']) u;
INSERT INTO assistants (url, urlref) VALUES
	('http://shop.example.org/', 'android-app://com.openai.chatgpt/'),
	('http://shop.example.org/?utm_source=chatgpt.com', NULL),
	('http://shop.example.org/?utm_source=ChatGPT', 'https://chatgpt.com/'),
	('http://shop.example.org/?utm_source=perplexity', NULL),
	('http://shop.example.org/#utm_source=www.perplexity.ai', NULL),
	('http://shop.example.org/?utm_source=chatgpt.com&utm_medium=referral', NULL),
	('http://shop.example.org/?utm_source=chatgpt.com&utm_term=shoes', NULL),
	('http://shop.example.org/?utm_source=chatgpt.com&mtm_campaign=spring', NULL),
	('http://shop.example.org/?utm_source=newsletter', 'https://chatgpt.com/'),
	('http://shop.example.org/?utm_campaign=chatgpt.com', NULL);
SELECT pk_tracking.add_site('as Matomo', '{http://shop.example.org}') AS as_matomo \gset
SELECT pk_tracking.set_site(:as_matomo, 'recognition_rules', 'matomo');
SELECT replace(a.url, 'http://shop.example.org', '') AS url, a.urlref, p.type, p.name, p.keyword, m.type AS matomo, m.name
FROM assistants a, LATERAL pk_tracking.referrer(:shop, a.url, a.urlref) p, LATERAL pk_tracking.referrer(:as_matomo, a.url, a.urlref) m ORDER BY a.n;
SELECT r.type, r.name FROM unnest(ARRAY['{"utm_source": "claude.ai"}', '{"utm_source": "claude.ai", "pk_cpn": "x"}']::jsonb[]) p, pk_tracking.referrer(:shop, 'http://shop.example.org/', NULL, p) r;
SELECT pk_tracking.referrer_type_name(8::smallint);
BEGIN;
DELETE FROM pk_tracking.referrer_list;
INSERT INTO pk_tracking.referrer_list VALUES ('ai', 'Our assistant', 'ask.intra.example'), ('search', 'A search engine of ours', 'phind.com');
SELECT u, s = :shop AS piwik, r.type, r.name FROM unnest(ARRAY[:shop, :as_matomo]) s, unnest(ARRAY['https://a.ask.intra.example/x', 'https://phind.com/']) u, pk_tracking.referrer(s, 'http://shop.example.org/', u) r;
SELECT r.type, r.name FROM unnest(ARRAY['ask.intra.example', 'our+assistant']) v, pk_tracking.referrer(:shop, 'http://shop.example.org/?utm_source=' || v) r;
SELECT t.idvisit AS asked FROM pk_tracking.track_request(format('idsite=%s&rec=1&url=http://shop.example.org/%%3Futm_source%%3Dour%%2Bassistant', :shop), '203.0.113.5', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0') t \gset
SELECT v.referrer_type, v.referrer_name FROM pk_tracking.visit v WHERE v.idvisit = :asked;
ROLLBACK;

SELECT pk_tracking.referrer(0, 'http://a.com/');
SELECT pk_tracking.referrer(NULL, 'http://a.com/');
DELETE FROM pk_tracking.setting;
