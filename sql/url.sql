-- Addresses of pages in the form in which they are kept
\set VERBOSITY terse
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;

-- sites: nothing set; fragments kept; parameters excluded by name, and by regular expression
SELECT pk_tracking.add_site('plain') AS plain \gset
SELECT pk_tracking.add_site('fragments') AS kept \gset
SELECT pk_tracking.add_site('names') AS names \gset
SELECT pk_tracking.add_site('expressions') AS expressions \gset
SELECT pk_tracking.set_site(s, 'keep_url_fragment', 'on') FROM unnest(ARRAY[:kept, :names, :expressions]) s;
SELECT pk_tracking.set_site(:names, 'excluded_query_parameters', '{P4,p2,VAR[value][date]}');
SELECT pk_tracking.set_site(:expressions, 'excluded_query_parameters', '{"/p[4|2]/","/^VAR.*/","/((/",/}');

-- NULL in the last column: as in the one before
CREATE TEMP TABLE cases (n serial, url text, plain text, excluded text);
INSERT INTO cases (url, plain, excluded) VALUES
	('http:////wrongurl', NULL, NULL),
	('http://username:password@hostname:80/path?phpSESSID=value#anchor', 'http://hostname/path#anchor', NULL),
	('http://a.com/index?p1=v1&utm_campaign=X&utm_term=Y', 'http://a.com/index?p1=v1', NULL),
	('http://a.com/index?p1=v1&P2=v2&p3=v3', 'http://a.com/index?p1=v1&P2=v2&p3=v3', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?p1=v1&p2[]=v;2a&p2[]=v2b&p2[]=v2c&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p2[]=v;2a&p2[]=v2b&p2[]=v2c&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?p1=v1&p2=&p3=v3&p4', 'http://a.com/index?p1=v1&p2=&p3=v3&p4', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?p1=v1&&p2=v;2&p3=v%3b3&p4=v4&&', 'http://a.com/index?p1=v1&p2=v;2&p3=v%3B3&p4=v4', 'http://a.com/index?p1=v1&p3=v%3B3'),
	('http://a.com/index?p1=v1&p2%5B%5D=v2&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p2[]=v2&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?var%5Bvalue%5D%5Bdate%5D=01.01.2012', 'http://a.com/index?var[value][date]=01.01.2012', 'http://a.com/index'),
	('http://a.com/index;jsessionid=value;p1=v1;p2=v2', 'http://a.com/index?p1=v1&p2=v2', 'http://a.com/index?p1=v1'),
	('http://a.com/index;jsessionid=value?p1=v1&p2=v2', 'http://a.com/index?p1=v1&p2=v2', 'http://a.com/index?p1=v1'),
	('https://www.example.com?gclid=1234', 'https://www.example.com/', NULL),
	('https://www.example.com?fbclid=1234', 'https://www.example.com/', NULL),
	('https://www.example.com?msclkid=1234', 'https://www.example.com/', NULL),
	('https://www.example.com?yclid=1234', 'https://www.example.com/', NULL),
	('https://www.example.com?twclid=1234', 'https://www.example.com/', NULL),
	('https://www.example.com?wbraid=1234', 'https://www.example.com/', NULL),
	('https://www.example.com?gbraid=1234', 'https://www.example.com/', NULL),
	('https://www.example.com?random=1234&yclid=qwerty', 'https://www.example.com/?random=1234', NULL),
	('http://wrongurl/#', 'http://wrongurl/', NULL),
	('http://a.com/x#test=1#', 'http://a.com/x#test=1', NULL),
	-- a fragment is a query string only where there is none
	('http://a.com/x#p2=1&utm_source=news&p3=2', 'http://a.com/x#p2=1&p3=2', 'http://a.com/x#p3=2'),
	('http://a.com/x?p1=1#p2=1&utm_source=news', 'http://a.com/x?p1=1#p2=1&utm_source=news', NULL),
	('http://a.com/x?utm_source=news#top', 'http://a.com/x#top', NULL),
	('http://a.com/x#a;b?c', 'http://a.com/x#a;b?c', NULL),
	('http://a.com/x;a=1#b;c', 'http://a.com/x?a=1#b;c', NULL),
	-- hosts and what stands around them
	('HTTP://WWW.Example.COM/Path?Q=V', 'http://www.example.com/Path?Q=V', NULL),
	('//Example.COM/Path', '//example.com/Path', NULL),
	('http://User:Pass@Word@EXAMPLE.com:8080/', 'http://example.com:8080/', NULL),
	('http://[2001:DB8::1]:8080/x', 'http://[2001:db8::1]:8080/x', NULL),
	('http://[2001:DB8::1]', 'http://[2001:db8::1]/', NULL),
	('http://[2001:DB8::1/x', 'http://[2001:DB8::1/x', NULL),
	('http://XN--MNCHEN-3YA.example/', 'http://xn--mnchen-3ya.example/', NULL),
	('http://a.com:/x', 'http://a.com/x', NULL),
	('http://user@/x', NULL, NULL),
	('http://@/x', NULL, NULL),
	('http://:80/x', NULL, NULL),
	('http://', NULL, NULL),
	('http://?x', NULL, NULL),
	('file:///C:/x.html', 'file:///C:/x.html', NULL),
	('android-app://com.Example.App/x', 'android-app://com.example.app/x', NULL),
	('mailto:somebody@example.com', NULL, NULL),
	('javascript:void(0)', NULL, NULL),
	('a.com/x', NULL, NULL),
	('/x', NULL, NULL),
	('x', NULL, NULL),
	('', NULL, NULL),
	(' ', NULL, NULL),
	(NULL, NULL, NULL),
	-- HTML, white space, line breaks
	(E' \thttp://a.com/\r\nx?a=1&amp;b=2\n ', 'http://a.com/x?a=1&b=2', NULL),
	('http://a.com/?a=&lt;&gt;&quot;&#039;&amp;amp;', 'http://a.com/?a=%3C%3E%22''&amp;', NULL),
	('http://a.com/?a=1&copy=2', 'http://a.com/?a=1&copy=2', NULL),
	('http://a.com/?a=1&amp;sid=2&amp;ignore_referrer=1&ignore_referer=1', 'http://a.com/?a=1', NULL),
	-- odd query strings
	('http://a.com/x?', 'http://a.com/x', NULL),
	('http://a.com?', 'http://a.com/', NULL),
	('http://a.com/x?&&&', 'http://a.com/x', NULL),
	('http://a.com/x?=1&=', 'http://a.com/x?=1&=', NULL),
	('http://a.com/x?p%32=1&%70%32=2&p%3=3&%=4&%zz=5', 'http://a.com/x?p2=1&p2=2&p%3=3&%=4&%zz=5', 'http://a.com/x?p%3=3&%=4&%zz=5'),
	('http://a.com/x?a=b=c?d=e&p2=f', 'http://a.com/x?a=b=c?d=e&p2=f', 'http://a.com/x?a=b=c?d=e'),
	('http://a.com/x?%ff%fe=%ff&a=%00', 'http://a.com/x?%FF%FE=%FF&a=%00', NULL),
	('http://a.com/x?p1=%5b%5D%5', 'http://a.com/x?p1=[]%5', NULL),
	('http://a.com/p2/p2?xp2x=1', 'http://a.com/p2/p2?xp2x=1', NULL);

-- what is not as it should be
SELECT c.url, x.* FROM cases c, LATERAL (VALUES
	('kept', pk_tracking.normalise_url(:kept, c.url), c.plain),
	('names', pk_tracking.normalise_url(:names, c.url), coalesce(c.excluded, c.plain)),
	-- p[4|2] is found anywhere in a name
	('expressions', pk_tracking.normalise_url(:expressions, c.url), CASE WHEN c.url ~ 'xp2x' THEN 'http://a.com/p2/p2' ELSE coalesce(c.excluded, c.plain) END),
	('plain', pk_tracking.normalise_url(:plain, c.url), regexp_replace(c.plain, '#.*', ''))
) x(site, found, should_be) WHERE x.found IS DISTINCT FROM x.should_be ORDER BY c.n, x.site;
SELECT count(*) AS cases FROM cases;

-- what has this form keeps it
SELECT c.url, c.plain, pk_tracking.normalise_url(:kept, c.plain) FROM cases c
WHERE c.plain NOT LIKE '%&amp;%' AND pk_tracking.normalise_url(:kept, c.plain) IS DISTINCT FROM c.plain;

-- lengths: bytes, never within a character
SELECT length(pk_tracking.normalise_url(:plain, 'http://a.com/' || repeat('x', 100000))) AS len,
	length(pk_tracking.normalise_url(:plain, 'http://' || repeat('A', 100000))) AS host,
	length(pk_tracking.normalise_url(:plain, 'http://a.com/?' || repeat('a=1&', 100000))) AS query;
SELECT pk_tracking.set_site(:plain, 'page_maximum_length', '32');
SELECT pk_tracking.normalise_url(:plain, 'http://a.example/?gclid=1234567890&a=1') AS cut_before_it_is_cleaned,
	octet_length(pk_tracking.normalise_url(:plain, 'http://a.example/x' || repeat(E'\u20ac', 10))) AS bytes;

-- equal URLs are one page: each array's URLs have one form, which keeps itself; the last is that form
CREATE TEMP TABLE equal (urls text[]);
INSERT INTO equal VALUES
	('{http://a.com/caf%c3%a9,http://a.com/café,http://a.com/caf%C3%a9,http://a.com/caf%C3%A9}'),
	('{http://a.com/%7euser,http://a.com/%7Euser,http://a.com/~user}'),
	('{http://a.com/%61%2Db,http://a.com/a%2db,http://a.com/a-b}'),
	('{http://a.com,http://a.com:80,http://a.com:/,HTTP://A.COM:0080,http://user:secret@a.com,http://a.com?,http://a.com/}'),
	('{https://a.com:443/x,https://a.com/x}'),
	('{//a.com,//a.com/}'),
	('{http://a.com:443,http://a.com:443/}'),
	('{https://a.com:80,https://a.com:80/}'),
	('{http://münchen.example,http://MÜNCHEN.example/,http://m%C3%BCnchen.example/,http://XN--MNCHEN-3YA.example/,http://xn--mnchen-3ya.example/}'),
	('{http://faß.example/,http://xn--fa-hia.example/}'),
	('{http://例え.example/x,http://xn--r8jz45g.example/x}'),
	('{http://пример.example/,http://ПРИМЕР.example/,http://xn--e1afmkfd.example/}'),
	('{"http://a.com/a b",http://a.com/a%20b}'),
	('{http://a.com/?ü=ß&%41=%2f,http://a.com/?%C3%BC=%c3%9f&A=%2F,http://a.com/?%C3%BC=%C3%9F&A=%2F}'),
	('{"http://a.com/?q=\"<x>|{}",http://a.com/?q=%22%3Cx%3E%7C%7B%7D}'),
	('{http://a.com/#%c3%bc%41,http://a.com/#üA,http://a.com/#%C3%BCA}'),
	('{http://a.com/?a%5b%5D=1,http://a.com/?a[]=1}'),
	-- a reserved character is not its escape; nothing becomes an escape that was none
	('{http://a.com/a%2fb%3f,http://a.com/a%2Fb%3F}'),
	('{http://a.com/%%34%31,http://a.com/%%341}'),
	('{http://a.com/%u00fc100%,http://a.com/%u00fc100%}');
SELECT e.urls, x.* FROM equal e, LATERAL (SELECT array_agg(DISTINCT pk_tracking.normalise_url(:kept, u)) AS forms FROM unnest(e.urls) u) x
WHERE x.forms <> e.urls[array_length(e.urls, 1):] OR pk_tracking.normalise_url(:kept, x.forms[1]) <> x.forms[1];
-- what is no name of a host stays
SELECT pk_tracking.normalise_url(:kept, E'http://\U0001F600.example\u2026\u00fc/') = E'http://\U0001F600.example\u2026\u00fc/' AS kept;
-- nor are control characters decoded, of which a host would lose some and be another, or none, the next time
SELECT u, pk_tracking.normalise_url(:kept, u) FROM unnest('{http://a.com%0A/,http://%0Aa.com/,http://%C3%A4%00.com/,http://%7f%09/,http://%00。/}'::text[]) u;
-- what ends a host is not made of another character, nor is a host made empty
SELECT u = pk_tracking.normalise_url(:kept, u) AS kept FROM unnest(ARRAY[E'http://a.com\uFF0Fb.com/', E'http://a\uFF20b.com/', E'http://a\uFF1A80/', E'http://a\uFF05\uFF14\uFF11/', E'http://\u2100.com/', E'http://\uFEFF/', E'http://a\uFF3B/']) u;

-- user and password are stored nowhere, under any rules
SELECT pk_tracking.add_site('piwik', '{http://shop.example/}') AS p, pk_tracking.add_site('matomo', '{http://shop.example/}') AS m \gset
SELECT pk_tracking.set_site(:m, 'recognition_rules', 'matomo');
SELECT pk_tracking.add_dimension(s, 'whole', 'action', '[{"dimension": "url", "pattern": "(.*)"}]') FROM unnest(ARRAY[:p, :m]) s;
SELECT t.outcome FROM unnest(ARRAY[:p, :m]) s, unnest(ARRAY[
	'url=http://u:s3cret@shop.example/x&urlref=http://u:s3cret@url-partner.example/y&action_name=t',
	'url=http://u:s3cret@shop.example/x&link=http://u:s3cret@url-partner.example/y%3Fa%3D%257e',
	'url=http://u:s3cret@shop.example/x&download=ftp://u:s3cret@url-partner.example/z.pdf',
	'url=http://u:s3cret@shop.example/x&c_n=n&c_p=http://u:s3cret@url-partner.example/p&c_t=//u:s3cret@url-partner.example/t',
	'url=http://u:s3cret@shop.example/x&idgoal=0&ec_id=1&_ref=http://u:s3cret@url-partner.example/r',
	'url=http://u:s3cret@shop.example/x&e_c=a&e_a=b']) p,
	pk_tracking.track_request(format('idsite=%s&rec=1&_id=0123456789abcdef&%s', s, p), '203.0.113.5', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0') t;
SELECT DISTINCT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a WHERE a.name LIKE '%url-partner.example%' ORDER BY 1;
SELECT count(*) FILTER (WHERE r LIKE '%s3cret%') AS leaks, count(*) > 30 AS rows FROM (
	SELECT v::text FROM pk_tracking.log_visit v UNION ALL SELECT v::text FROM pk_tracking.log_link_visit_action v
	UNION ALL SELECT v::text FROM pk_tracking.log_action v UNION ALL SELECT v::text FROM pk_tracking.log_conversion v) x(r);
SELECT v.idsite = :p AS piwik, v.referer_name, v.referer_url FROM pk_tracking.log_visit v WHERE v.idsite IN (:p, :m) ORDER BY v.idsite;

-- a site's own host in either form is the site, and a referrer has one name
SELECT pk_tracking.add_site('idn', '{http://münchen.example/}') AS idn \gset
SELECT u, (pk_tracking.referrer(:idn, 'http://xn--mnchen-3ya.example/', u)).* FROM unnest(ARRAY['http://xn--mnchen-3ya.example/a', 'http://MÜNCHEN.example/a', 'http://köln.example/a', 'http://xn--kln-sna.example/a']) u;

-- goals, extractions and conditions compare URLs as sent and decoded; Matomo as sent
SELECT pk_tracking.add_site('compared', '{http://shop.example/}') AS c, pk_tracking.add_site('compared as Matomo', '{http://shop.example/}') AS cm \gset
SELECT pk_tracking.set_site(:cm, 'recognition_rules', 'matomo');
SELECT pk_tracking.add_goal(s, g.name, g.attribute, g.pattern, g.type, allow_multiple => true) IS NOT NULL AS added FROM unnest(ARRAY[:c, :cm]) s,
	(VALUES ('contains', 'url', '/café', 'contains'), ('exact', 'url', 'http://shop.example/caf%C3%A9', 'exact'), ('regex', 'url', '/caf.$', 'regex'), ('file', 'file', 'prüf bericht', 'contains'), ('link', 'external_website', 'köln', 'contains')) g(name, attribute, pattern, type);
SELECT pk_tracking.add_dimension(s, 'page', 'action', '[{"dimension": "url", "pattern": "/(caf[^/?]+)"}]'), pk_tracking.add_dimension(s, 'umlaut', 'action', '[{"dimension": "url", "pattern": "/(.*ü.*)$"}]'),
	pk_tracking.add_dimension(s, 'parameter', 'action', '[{"dimension": "urlparam", "pattern": "x"}]') FROM unnest(ARRAY[:c, :cm]) s;
SELECT t.* FROM (VALUES ('url=http://shop.example/caf%25c3%25a9'), ('url=http://shop.example/caf%C3%A9'), ('url=http://shop.example/m%25C3%25BCll'), ('url=http://shop.example/x&download=http://f.example/pr%25C3%25BCf%2520bericht'),
	('url=http://shop.example/x&link=http://f.example/k%25C3%25B6ln'), ('url=http://shop.example/%23/route%3Fx%3D1%26y%3D2')) q(query), LATERAL (SELECT q.query, s = :c AS piwik,
	(pk_tracking.track_request(format('idsite=%s&rec=1&_id=fedcba9876543210&%s', s, q.query), '203.0.113.6', 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0')).outcome FROM unnest(ARRAY[:c, :cm]) s) t;
SELECT a.idsite = :c AS piwik, u.name, array_agg(g.name ORDER BY g.name) FILTER (WHERE g.name IS NOT NULL) AS goals, a.custom_dimensions FROM pk_tracking.log_link_visit_action a
	JOIN pk_tracking.log_action u ON u.idaction = a.idaction_url AND u.idsite = a.idsite LEFT JOIN pk_tracking.log_conversion v ON v.idlink_va = a.idlink_va
	LEFT JOIN pk_tracking.goal g ON g.idsite = v.idsite AND g.idgoal = v.idgoal
WHERE a.idsite IN (:c, :cm) GROUP BY a.idlink_va, a.idsite, u.name, a.custom_dimensions ORDER BY a.idsite, a.idlink_va;
SELECT c AS condition, u AS url, (SELECT array_agg(t.outcome_reason ORDER BY s) FROM unnest(ARRAY[:c, :cm]) s, pk_tracking.set_site(s, 'exclude_requests', c), pk_tracking.track_request(format('idsite=%s&rec=1&url=%s', s, u), '203.0.113.7', 'x') t) AS "piwik, matomo"
FROM unnest(ARRAY['url=@/café', 'url=^http://shop.example/caf%C3%A9', 'url!@/café']) c, unnest(ARRAY['http://shop.example/caf%25c3%25a9', 'http://shop.example/caf%C3%A9', 'http://shop.example/tee']) u;
SELECT pk_tracking.reset_site(s, 'exclude_requests') FROM unnest(ARRAY[:c, :cm]) s;

-- a fragment's own query begins at its first "?"; Matomo does not know it
SELECT pk_tracking.set_site(s, 'keep_url_fragment', 'on') FROM unnest(ARRAY[:c, :cm]) s;
SELECT replace(u, 'http://shop.example', '') AS url, replace(pk_tracking.normalise_url(:c, u), 'http://shop.example', '') AS piwik, pr.type, pr.name, replace(pk_tracking.normalise_url(:cm, u), 'http://shop.example', '') AS matomo, mr.type, mr.name
FROM unnest('{http://shop.example/#/route?utm_campaign=b&x=1,http://shop.example/?a=1#/route?utm_campaign=b&x=1,http://shop.example/#/route?utm_campaign=b,http://shop.example/#?utm_campaign=b,http://shop.example/#/route?a?utm_campaign=b,http://shop.example/#utm_campaign=b&x=1,http://shop.example/#/a?b}'::text[]) u,
	pk_tracking.referrer(:c, u) pr, pk_tracking.referrer(:cm, u) mr;
SELECT pk_tracking.add_site('searched') AS searched \gset
SELECT t.outcome FROM unnest(ARRAY['http://shop.example/%23!/search%3Fq%3Dshoes', 'http://shop.example/%23q%3Dhats']) u, pk_tracking.track_request(format('idsite=%s&rec=1&_id=fedcba9876543210&url=%s', :searched, u), '203.0.113.7', 'x') t;
SELECT n.name, n.type FROM pk_tracking.log_link_visit_action a JOIN pk_tracking.log_action n ON n.idaction = a.idaction_name AND n.idsite = a.idsite WHERE a.idsite = :searched ORDER BY a.idlink_va;

-- settings of campaigns count too
SELECT pk_tracking.set_site(:kept, 'campaign_var_name', '{from}');
SELECT pk_tracking.normalise_url(:kept, 'http://a.com/?FROM=x&utm_campaign=y&utm_term=z') AS url;

-- Matomo escapes markup in parameters, and keeps the last of those with one name
SELECT pk_tracking.set_site(:plain, 'page_maximum_length', '1024'), pk_tracking.set_site(:kept, 'recognition_rules', 'matomo');
SELECT u AS url, pk_tracking.normalise_url(:plain, u) AS piwik, pk_tracking.normalise_url(:kept, u) AS matomo FROM unnest(ARRAY[
	'http://a.com/?js=f([''a'',"b"]);&<c>', 'http://a.com/it''s?a=1&b=2&a=3&A=4&a', 'http://a.com/?a[]=1&a%5b%5d=2&a[]=3', 'http://a.com/?a=&quot;&amp;lt;1', 'http://a.com/#a=''&a="']) u;

SELECT pk_tracking.normalise_url(0, 'http://a.com/');
SELECT pk_tracking.normalise_url(NULL, 'http://a.com/');
DELETE FROM pk_tracking.setting;
