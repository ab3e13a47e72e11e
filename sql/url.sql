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
	('http://username:password@hostname:80/path?phpSESSID=value#anchor', 'http://username:password@hostname:80/path#anchor', NULL),
	('http://a.com/index?p1=v1&utm_campaign=X&utm_term=Y', 'http://a.com/index?p1=v1', NULL),
	('http://a.com/index?p1=v1&P2=v2&p3=v3', 'http://a.com/index?p1=v1&P2=v2&p3=v3', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?p1=v1&p2[]=v;2a&p2[]=v2b&p2[]=v2c&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p2[]=v;2a&p2[]=v2b&p2[]=v2c&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?p1=v1&p2=&p3=v3&p4', 'http://a.com/index?p1=v1&p2=&p3=v3&p4', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?p1=v1&&p2=v;2&p3=v%3b3&p4=v4&&', 'http://a.com/index?p1=v1&p2=v;2&p3=v%3b3&p4=v4', 'http://a.com/index?p1=v1&p3=v%3b3'),
	('http://a.com/index?p1=v1&p2%5B%5D=v2&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p2[]=v2&p3=v3&p4=v4', 'http://a.com/index?p1=v1&p3=v3'),
	('http://a.com/index?var%5Bvalue%5D%5Bdate%5D=01.01.2012', 'http://a.com/index?var[value][date]=01.01.2012', 'http://a.com/index'),
	('http://a.com/index;jsessionid=value;p1=v1;p2=v2', 'http://a.com/index?p1=v1&p2=v2', 'http://a.com/index?p1=v1'),
	('http://a.com/index;jsessionid=value?p1=v1&p2=v2', 'http://a.com/index?p1=v1&p2=v2', 'http://a.com/index?p1=v1'),
	('https://www.example.com?gclid=1234', 'https://www.example.com', NULL),
	('https://www.example.com?fbclid=1234', 'https://www.example.com', NULL),
	('https://www.example.com?msclkid=1234', 'https://www.example.com', NULL),
	('https://www.example.com?yclid=1234', 'https://www.example.com', NULL),
	('https://www.example.com?twclid=1234', 'https://www.example.com', NULL),
	('https://www.example.com?wbraid=1234', 'https://www.example.com', NULL),
	('https://www.example.com?gbraid=1234', 'https://www.example.com', NULL),
	('https://www.example.com?random=1234&yclid=qwerty', 'https://www.example.com?random=1234', NULL),
	('http://wrongurl/#', 'http://wrongurl/', NULL),
	('http://a.com/x#test=1#', 'http://a.com/x#test=1', NULL),
	-- a fragment is a query string only where there is none
	('http://a.com/x#p2=1&utm_source=news&p3=2', 'http://a.com/x#p2=1&p3=2', 'http://a.com/x#p3=2'),
	('http://a.com/x?p1=1#p2=1&utm_source=news', 'http://a.com/x?p1=1#p2=1&utm_source=news', NULL),
	('http://a.com/x?utm_source=news#top', 'http://a.com/x#top', NULL),
	('http://a.com/x#a;b?c', 'http://a.com/x#a;b?c', NULL),
	('http://a.com/x;a=1#b;c', 'http://a.com/x?a=1#b;c', NULL),
	-- hosts and what stands around them
	('HTTP://WWW.Example.COM/Path?Q=V', 'HTTP://www.example.com/Path?Q=V', NULL),
	('//Example.COM/Path', '//example.com/Path', NULL),
	('http://User:Pass@Word@EXAMPLE.com:8080/', 'http://User:Pass@Word@example.com:8080/', NULL),
	('http://[2001:DB8::1]:8080/x', 'http://[2001:db8::1]:8080/x', NULL),
	('http://[2001:DB8::1]', 'http://[2001:db8::1]', NULL),
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
	('http://a.com/?a=&lt;&gt;&quot;&#039;&amp;amp;', 'http://a.com/?a=<>"''&amp;', NULL),
	('http://a.com/?a=1&copy=2', 'http://a.com/?a=1&copy=2', NULL),
	('http://a.com/?a=1&amp;sid=2&amp;ignore_referrer=1&ignore_referer=1', 'http://a.com/?a=1', NULL),
	-- odd query strings
	('http://a.com/x?', 'http://a.com/x', NULL),
	('http://a.com?', 'http://a.com', NULL),
	('http://a.com/x?&&&', 'http://a.com/x', NULL),
	('http://a.com/x?=1&=', 'http://a.com/x?=1&=', NULL),
	('http://a.com/x?p%32=1&%70%32=2&p%3=3&%=4&%zz=5', 'http://a.com/x?p%32=1&%70%32=2&p%3=3&%=4&%zz=5', 'http://a.com/x?p%3=3&%=4&%zz=5'),
	('http://a.com/x?a=b=c?d=e&p2=f', 'http://a.com/x?a=b=c?d=e&p2=f', 'http://a.com/x?a=b=c?d=e'),
	('http://a.com/x?%ff%fe=%ff&a=%00', 'http://a.com/x?%ff%fe=%ff&a=%00', NULL),
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

-- hosts in any script; the same on every server
SELECT pk_tracking.normalise_url(:kept, E'http://M\u00dcNCHEN.example/\u00dc') = E'http://m\u00fcnchen.example/\u00dc' AS latin,
	pk_tracking.normalise_url(:kept, E'http://\u041f\u0420\u0418\u041c\u0415\u0420.example/') = E'http://\u043f\u0440\u0438\u043c\u0435\u0440.example/' AS cyrillic,
	pk_tracking.normalise_url(:kept, E'http://\u0391\u0398\u0389\u039d\u0391.example/') = E'http://\u03b1\u03b8\u03ae\u03bd\u03b1.example/' AS greek,
	pk_tracking.normalise_url(:kept, E'http://\u0141\u00d3D\u0179.example/') = E'http://\u0142\u00f3d\u017a.example/' AS polish,
	pk_tracking.normalise_url(:kept, E'http://\u4f8b\u3048.example/\U0001F600') = E'http://\u4f8b\u3048.example/\U0001F600' AS none,
	pk_tracking.normalise_url(:kept, 'http://IIII.example/') AS "I";
-- so many letters have another lower case, which is its own
SELECT count(*) FILTER (WHERE h <> 'http://' || chr(c) || '/') AS capitals, count(*) FILTER (WHERE pk_tracking.normalise_url(:kept, h) <> h) AS unstable
FROM (SELECT c, pk_tracking.normalise_url(:kept, 'http://' || chr(c) || '/') AS h
	FROM unnest(ARRAY(SELECT generate_series(192, 1423) UNION ALL SELECT generate_series(7680, 7935))) c) x;

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
