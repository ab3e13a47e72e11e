-- Goals, orders, carts and items (doc/internals.md, "Matomo: goals and orders").
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	PERFORM set_config('test.site', pk_tracking.add_site('conversion', ARRAY['http://shop.example.org'])::text, false);
END $$;

-- A hit of visitor who at a minute: what became of it.
CREATE FUNCTION pg_temp.hit(who integer, minute numeric, query text) RETURNS text
LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.outcome, t.outcome_reason)
	FROM pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&cid=' || lpad(to_hex(who), 16, '0') || '&' || query,
		'203.0.113.7', 'agent', 'en', '2026-03-02 10:00:00+00'::timestamptz + minute * interval '1 minute') t
$$;
-- percent-escapes; the server's encoding is UTF-8
CREATE FUNCTION pg_temp.e(t text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(CASE WHEN c BETWEEN 45 AND 58 OR c BETWEEN 97 AND 122 OR c BETWEEN 65 AND 90
		THEN chr(c) ELSE '%' || lpad(to_hex(c), 2, '0') END, '' ORDER BY i), '')
	-- rows of two numbers: the sort for the aggregate would take the text along with each
	FROM (SELECT i, get_byte(b, i) AS c FROM convert_to(t, 'UTF8') b, generate_series(0, octet_length(b) - 1) i OFFSET 0) bytes
$$;
CREATE FUNCTION pg_temp.name(action bigint) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN action = 0 THEN '' ELSE
		(SELECT DISTINCT a.name FROM pk_tracking.log_action a WHERE a.idsite = current_setting('test.site')::integer AND a.idaction = action) END
$$;
CREATE TEMP VIEW conversions AS
	SELECT ltrim(c.idvisitor::text, '0') AS who, c.idgoal, g.name AS goal, c.buster, c.revenue, c.items, c.idorder,
		c.pageviews_before AS pages, c.url, pg_temp.name(c.idaction_url) AS action, c.idlink_va IS NOT NULL AS linked, to_char(c.server_time, 'HH24:MI:SS') AS at,
		c.revenue_subtotal AS subtotal, c.revenue_tax AS tax, c.revenue_shipping AS shipping, c.revenue_discount AS discount,
		c.referer_type AS ref, c.referer_name, c.referer_keyword
	FROM pk_tracking.log_conversion c LEFT JOIN pk_tracking.goal g USING (idsite, idgoal)
	WHERE c.idsite = current_setting('test.site')::integer;
CREATE TEMP VIEW items AS
	SELECT ltrim(i.idvisitor::text, '0') AS who, i.idorder, pg_temp.name(i.idaction_sku) AS sku, pg_temp.name(i.idaction_name) AS name,
		concat_ws('|', nullif(pg_temp.name(i.idaction_category), ''), nullif(pg_temp.name(i.idaction_category2), ''), nullif(pg_temp.name(i.idaction_category3), ''),
			nullif(pg_temp.name(i.idaction_category4), ''), nullif(pg_temp.name(i.idaction_category5), '')) AS categories,
		i.price, i.quantity, i.deleted
	FROM pk_tracking.log_conversion_item i WHERE i.idsite = current_setting('test.site')::integer;
CREATE TEMP VIEW visits AS
	SELECT ltrim(v.idvisitor::text, '0') AS who, v.visit_total_actions AS actions, v.visit_total_time AS len, v.visit_goal_converted AS converted,
		v.visit_goal_buyer AS buyer, v.visitor_seconds_since_order AS since_order, v.visitor_returning AS returning
	FROM pk_tracking.log_visit v WHERE v.idsite = current_setting('test.site')::integer;
-- what an invalid hit could leave behind
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', (SELECT count(*) || ':' || sum(xmin::text::bigint) FROM pk_tracking.log_visit),
		(SELECT count(*) FROM pk_tracking.log_link_visit_action), (SELECT count(*) FROM pk_tracking.log_action),
		(SELECT count(*) || ':' || sum(xmin::text::bigint) FROM pk_tracking.log_conversion),
		(SELECT count(*) || ':' || sum(xmin::text::bigint) FROM pk_tracking.log_conversion_item),
		(SELECT string_agg(s.sequencename || '=' || coalesce(s.last_value::text, '-'), ' ' ORDER BY s.sequencename) FROM pg_sequences s WHERE s.schemaname = 'pk_tracking'))
$$;

-- goals: which action reaches which ----------------------------------------
SELECT count(pk_tracking.add_goal(current_setting('test.site')::integer, n, a, p, t, cs)) FROM (VALUES
	('url contains', 'url', '/Thanks?x=', 'contains', false),
	('url exact, case', 'url', 'http://shop.example.org/Exact', 'exact', true),
	('url regex', 'url', 'item-[0-9]{3}\.html$', 'regex', false),
	('title', 'title', 'ÄRGER & <b>', 'contains', false),
	('file', 'file', '.pdf', 'contains', false),
	('outlink', 'external_website', '^https?://partner\.', 'regex', true),
	('category', 'event_category', 'video', 'exact', false),
	('action, case', 'event_action', 'PLAY', 'exact', true),
	('name', 'event_name', '<the_''"name>', 'exact', false)) g(n, a, p, t, cs);

CREATE FUNCTION pg_temp.reached(who integer, query text, minute numeric DEFAULT 0) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	outcome text := pg_temp.hit(who, minute, query);
BEGIN
	RETURN outcome || ': ' || coalesce((SELECT string_agg(c.goal, ', ' ORDER BY c.idgoal) FROM conversions c WHERE c.who = to_hex(reached.who)), '-');
END
$$;
SET client_min_messages = error;	-- the log is not empty
SELECT n, r, q, pg_temp.reached(100 + n::integer, q) FROM (VALUES ('piwik'), ('matomo')) x(r),
	LATERAL (SELECT pk_tracking.set_instance('recognition_rules', r)) y,
	LATERAL unnest(ARRAY[
	'url=' || pg_temp.e('http://shop.example.org/thanks?x=1&utm_campaign=x'),
	'url=' || pg_temp.e('http://shop.example.org/thanks'),
	'url=' || pg_temp.e('http://shop.example.org/Exact'),
	'url=' || pg_temp.e('http://shop.example.org/exact'),
	'url=' || pg_temp.e('http://shop.example.org/Exact/'),
	'url=' || pg_temp.e('http://shop.example.org/ITEM-123.html'),
	'url=' || pg_temp.e('http://shop.example.org/item-12.html'),
	'url=' || pg_temp.e('http://shop.example.org/a') || '&action_name=' || pg_temp.e('So ein Ärger & <B> da'),
	'url=' || pg_temp.e('http://shop.example.org/a') || '&action_name=' || pg_temp.e('Ärger & b'),
	'url=' || pg_temp.e('http://shop.example.org/thanks?x=1') || '&download=' || pg_temp.e('http://x.example/a.PDF'),
	'url=' || pg_temp.e('http://shop.example.org/thanks?x=1') || '&link=' || pg_temp.e('http://x.example/a.pdf'),
	'link=' || pg_temp.e('https://partner.example/'),
	'link=' || pg_temp.e('https://PARTNER.example/'),
	'e_c=Video&e_a=PLAY&url=' || pg_temp.e('http://shop.example.org/thanks?x=1'),
	'e_c=Videos&e_a=play',
	'e_c=c&e_a=a&e_n=' || pg_temp.e('<the_''"name>'),
	'c_n=video&url=' || pg_temp.e('http://shop.example.org/thanks?x=1'),
	'search=video&url=' || pg_temp.e('http://shop.example.org/thanks?x=1'),
	-- several at once
	'url=' || pg_temp.e('http://shop.example.org/thanks?x=item-123.html') || '&action_name=' || pg_temp.e('ärger & <b>')
	]) WITH ORDINALITY q(q, k), LATERAL (SELECT k + CASE r WHEN 'matomo' THEN 50 ELSE 0 END AS n) z ORDER BY n;
SET client_min_messages = warning;
SELECT * FROM conversions WHERE who IN (to_hex(101), to_hex(108), to_hex(114), to_hex(119), to_hex(151), to_hex(169)) ORDER BY 1, 2;
DELETE FROM pk_tracking.setting;

-- a goal is seen at once when it changes
UPDATE pk_tracking.goal SET deleted = true WHERE idsite = current_setting('test.site')::integer;
SELECT pg_temp.reached(200, 'url=' || pg_temp.e('http://shop.example.org/thanks?x=1')), pg_temp.hit(200, 1, 'idgoal=1');
-- one that add_goal() would have refused is never reached and breaks nothing but gets a warning
SET client_min_messages = error;
INSERT INTO pk_tracking.goal (idsite, idgoal, name, match_attribute, pattern, pattern_type, revenue)
	VALUES (current_setting('test.site')::integer, 90, 'broken', 'url', '(', 'regex', 'NaN');
SELECT pg_temp.reached(200, 'url=http://shop.example.org/(', 2);
SET client_min_messages = warning;
DELETE FROM pk_tracking.goal WHERE idsite = current_setting('test.site')::integer;
-- patterns that make other engines run for ever
SELECT pk_tracking.add_goal(current_setting('test.site')::integer, 'slow', 'title', '^(a|aa)+$', 'regex');
SELECT pg_temp.reached(201, 'url=http://shop.example.org/&action_name=' || repeat('a', 5000) || 'b');
DELETE FROM pk_tracking.goal WHERE idsite = current_setting('test.site')::integer;

-- once or many, revenue, duration ------------------------------------------
SELECT pk_tracking.add_goal(current_setting('test.site')::integer, 'thanks', 'url', '/thanks', revenue => 5);
SELECT pk_tracking.add_goal(current_setting('test.site')::integer, 'manual', 'manually', allow_multiple => true, revenue => 1.5);
SELECT pk_tracking.add_goal(current_setting('test.site')::integer, 'long', 'visit_duration', '2.5', 'greater_than');
SELECT pg_temp.hit(300, m, q) FROM (VALUES (0, 'url=http://shop.example.org/thanks'), (1, 'url=http://shop.example.org/thanks'),
	(1.1, 'idgoal=1&revenue=9'), (1.2, 'idgoal=2&url=http://shop.example.org/x%3Fsid%3D1'), (1.2, 'idgoal=2&revenue=3.456'), (1.2, 'idgoal=2&revenue=1e2'),
	(1.3, 'idgoal=2&revenue=0'), (1.3, 'idgoal=2&revenue=-2.5'), (1.3, 'idgoal=2&revenue=abc'), (1.3, 'idgoal=2&revenue=1e99'),
	(1.3, 'idgoal=2&revenue=999999999999.99'), (1.3, 'idgoal=2&revenue=0.1'), (1.3, 'idgoal=2&revenue=' || repeat('9', 80))) h(m, q);
-- after more than 2.5 minutes, not at 2.5, at any action, once
SELECT pg_temp.hit(300, 2.5, 'e_c=c&e_a=a'), pg_temp.hit(300, 2.51, 'ping=1'), pg_temp.hit(300, 2.52, 'idgoal=2');
SELECT count(*) AS "not yet" FROM conversions WHERE who = to_hex(300) AND goal = 'long';
SELECT pg_temp.hit(300, 2.55, 'e_c=c&e_a=a'), pg_temp.hit(300, 3, 'url=http://shop.example.org/');
SELECT goal, buster, revenue, pages, url, action, linked, at FROM conversions WHERE who = to_hex(300) ORDER BY idgoal, buster;
SELECT * FROM visits WHERE who = to_hex(300);
-- the next visit converts anew; a manual goal may begin a visit
SELECT pg_temp.hit(300, 60, 'idgoal=1'), pg_temp.hit(301, 0, 'idgoal=2');
SELECT goal, buster, revenue, pages, at FROM conversions WHERE (who = to_hex(300) AND at >= '11:00:00') OR who = to_hex(301) ORDER BY who;
SELECT * FROM visits WHERE who = to_hex(301);
-- Matomo adds idgoal + 2 seconds (doc/internals.md, "Matomo: time")
SET client_min_messages = error;	-- the log is not empty
SELECT pk_tracking.set_instance('recognition_rules', 'matomo');
SET client_min_messages = warning;
SELECT pg_temp.hit(302, 0, 'url=http://shop.example.org/'), pg_temp.hit(302, 1, 'idgoal=2');
SELECT len FROM visits WHERE who = to_hex(302);
DELETE FROM pk_tracking.setting;
-- more than one once; then once again
UPDATE pk_tracking.goal SET allow_multiple = true WHERE idsite = current_setting('test.site')::integer AND idgoal = 1;
SELECT pg_temp.hit(300, 61, 'idgoal=1'), pg_temp.hit(300, 61, 'idgoal=1');
UPDATE pk_tracking.goal SET allow_multiple = false WHERE idsite = current_setting('test.site')::integer AND idgoal = 1;
SELECT pg_temp.hit(300, 62, 'idgoal=1');
SELECT buster, at FROM conversions WHERE who = to_hex(300) AND at >= '11:00:00' AND idgoal = 1 ORDER BY buster;

-- carts and orders ---------------------------------------------------------
SELECT pg_temp.hit(400, m, q) FROM (VALUES
	(0, 'url=http://shop.example.org/'),
	(1, 'idgoal=0&revenue=25.5&ec_items=' || pg_temp.e('[["s1","Shoe","Shoes",10,2],["s2","Sock",["A","B","C","D","E","F"],5.5]]'))) h(m, q);
SELECT idgoal, buster, revenue, items, pages, at FROM conversions WHERE who = to_hex(400);
SELECT * FROM items WHERE who = to_hex(400) ORDER BY sku;
SELECT * FROM visits WHERE who = to_hex(400);
-- an update is the whole cart
SELECT pg_temp.hit(400, 2, 'idgoal=0&revenue=7&ec_items=' || pg_temp.e('[["s2","Sock, blue","",3.5,2],["s3"]]'));
SELECT idgoal, buster, revenue, items, at FROM conversions WHERE who = to_hex(400);
SELECT * FROM items WHERE who = to_hex(400) ORDER BY sku;
-- the order takes the cart over; the next cart is another
SELECT pg_temp.hit(400, 3, 'idgoal=0&ec_id=A-1&revenue=20.005&ec_st=17&ec_tx=3&ec_sh=&ec_dt=false&url=http://shop.example.org/pay&ec_items=' || pg_temp.e('[["s1","Shoe","Shoes",10,1],["s2","Sock","",3.5,2]]'));
SELECT pg_temp.hit(400, 4, 'idgoal=0&revenue=1&ec_items=' || pg_temp.e('[["s1","Shoe","",1,1]]'));
SELECT idgoal, buster, revenue, items, idorder, subtotal, tax, shipping, discount, pages, url, linked, at FROM conversions WHERE who = to_hex(400) ORDER BY idgoal;
SELECT * FROM items WHERE who = to_hex(400) ORDER BY idorder, sku;
SELECT * FROM visits WHERE who = to_hex(400);
-- a second order of the visit
SELECT pg_temp.hit(400, 5, 'idgoal=0&ec_id=A-2&revenue=1');
SELECT idgoal, buster, revenue, items, idorder FROM conversions WHERE who = to_hex(400) ORDER BY buster;
SELECT * FROM items WHERE who = to_hex(400) AND idorder = 'A-2';
SELECT * FROM visits WHERE who = to_hex(400);
-- carts that were left
SELECT pg_temp.hit(401, 0, 'idgoal=0&revenue=12&ec_items=' || pg_temp.e('[["s1","Shoe","",12,1]]')), pg_temp.hit(402, 0, 'idgoal=0');
SELECT c.who, c.revenue, c.items, i.sku FROM conversions c LEFT JOIN items i ON i.who = c.who AND i.idorder = '0' AND NOT i.deleted WHERE c.idgoal = -1 ORDER BY 1;
-- the visit after an order
SELECT pg_temp.hit(400, 65, 'url=http://shop.example.org/');
SELECT * FROM visits WHERE who = to_hex(400) AND converted = 0;
-- an order may begin a visit
SELECT pg_temp.hit(403, 0, 'idgoal=0&ec_id=B-1&revenue=0');
SELECT * FROM visits WHERE who = to_hex(403);

-- items, one by one --------------------------------------------------------
CREATE FUNCTION pg_temp.order_of(who integer, list text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := pg_temp.state();
	outcome text := pg_temp.hit(who, 0, 'idgoal=0&ec_id=i' || who || '&ec_items=' || pg_temp.e(list));
BEGIN
	IF outcome LIKE 'invalid%' AND before <> pg_temp.state() THEN
		outcome := outcome || ' NOT OK: it left something';
	END IF;
	RETURN outcome || coalesce('; ' || (SELECT string_agg(format('%s/%s/%s/%s/%s', i.sku, i.name, i.categories, i.price, i.quantity), '; ' ORDER BY i.sku COLLATE "C") FROM items i WHERE i.who = to_hex(order_of.who)), '')
		|| coalesce(' = ' || (SELECT c.items FROM conversions c WHERE c.who = to_hex(order_of.who)), '');
END
$$;
SELECT left(list, 60) AS list, pg_temp.order_of(499 + n::integer, list) FROM unnest(ARRAY[
	'', '[]', '[["a"]]', '[[" a "," bar ","  c "]]', '[["","no sku"],["b"]]', '[[null,"x"],["c"]]', '[["d","n","k","9.99","3"]]',
	'[["e",["n1","n2"],"k",1,1],[["f1","f2"],"x"]]', '[["g","n","k",-1,-2]]', '[["h","n","k","abc","abc"]]', '[["i","n","k",1,0],["j","n","k",1,2.9]]',
	'[["k","n","k",1.005,1],["l","n","k",1e3,1],["m","n","k",12345678901234567890,1]]', '[["n","first",[],1,1],["n","last",[],2,5]]',
	'[["o",{"x":1},[["x"],"y"],1,1]]', '["p",["q"]]', '[["r","&quot;x&quot; &#xA9;","&gt; k"]]', '[[7,8,9,10,11]]', '[["t",true,false]]',
	'{"a":["u"]}', '45', '"x"', 'null', 'true', '[["a"', 'nonsense', '[["a"]]]', '[["\u0000"]]',
	'[' || repeat('["x"],', 999) || '["y"]]', '[' || repeat('["x"],', 1000) || '["y"]]', repeat('[', 9000) || repeat(']', 9000), '[["' || repeat('z', 300000) || '"]]'
	]) WITH ORDINALITY l(list, n) ORDER BY n;
-- over-long: cut where the dictionary cuts
SELECT pg_temp.hit(540, 0, 'idgoal=0&ec_id=long&ec_items=' || pg_temp.e('[["' || repeat('s', 2000) || '","' || repeat('ü', 2000) || '"]]'));
SELECT octet_length(sku), octet_length(name) FROM items WHERE idorder = 'long';
-- Matomo decodes HTML
SET client_min_messages = error;	-- the log is not empty
SELECT pk_tracking.set_instance('recognition_rules', 'matomo');
SET client_min_messages = warning;
SELECT pg_temp.order_of(541, '[["&quot;scarysku","&gt; scary"," bar "],["&#x27;Foo &#xA9;","\"& <>"],[["sku1","sku2"],["name1","name2"]]]');
DELETE FROM pk_tracking.setting;
-- as JSON, not as text
SELECT (pk_tracking.track(current_setting('test.site')::integer, visitor_id => '000000000000021e', ip => '203.0.113.7', at => '2026-03-02 10:00:00+00',
	params => '{"idgoal": 0, "ec_id": "json", "revenue": 12.34, "ec_items": [["j", "n", ["a", "b"], 6.17, 2]]}')).outcome;
SELECT revenue, items FROM conversions WHERE idorder = 'json';
SELECT * FROM items WHERE idorder = 'json';
-- ids: cut at 100 characters; "0" is the cart's word among items
SELECT pg_temp.hit(543, 0, 'idgoal=0&ec_id=' || repeat('x', 150)), pg_temp.hit(544, 0, 'idgoal=0&ec_id=0');
SELECT length(idorder) FROM conversions WHERE idorder LIKE 'xxx%';

-- what is wrong leaves nothing ---------------------------------------------
CREATE FUNCTION pg_temp.refused(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := pg_temp.state();
	outcome text := pg_temp.hit(400, 66, query);
BEGIN
	RETURN outcome || CASE WHEN before = pg_temp.state() THEN '' ELSE ' NOT OK: it left something' END;
END
$$;
SELECT q, pg_temp.refused(q) FROM unnest(ARRAY['idgoal=99&url=http://shop.example.org/new', 'idgoal=2147483647', 'idgoal=0&ec_id=A-1&ec_items=[["new"]]', 'idgoal=0&ec_id=A-2',
	'idgoal=0&ec_items=45', 'idgoal=0&ec_items=x']) q;
-- bad items matter to orders and carts alone
SELECT pg_temp.hit(400, 66, 'url=http://shop.example.org/&ec_items=45');
-- track() raises on the programmer's mistakes, not on an order that comes twice
SELECT (pk_tracking.track(current_setting('test.site')::integer, params => '{"idgoal": 99}')).outcome;
SELECT outcome, outcome_reason, idvisit FROM pk_tracking.track(current_setting('test.site')::integer, cid => '0000000000000190', params => '{"idgoal": 0, "ec_id": "A-1"}');
SELECT outcome FROM pk_tracking.track_request('rec=1&idgoal=0&ec_id=A-1&cid=0000000000000190&idsite=' || current_setting('test.site'), strict => true);
-- the visit's attributes are copied as they stand
SELECT count(*) AS conversions, bool_and((c.idvisitor::text, c.consent, c.visitor_returning, c.visitor_count_visits, c.config_browser_name, c.config_device_type, c.location_country)
	IS NOT DISTINCT FROM (v.idvisitor::text, v.consent, v.visitor_returning, v.visitor_count_visits, v.config_browser_name, v.config_device_type, v.location_country)) AS same
FROM pk_tracking.log_conversion c JOIN pk_tracking.log_visit v USING (idvisit) WHERE c.idsite = current_setting('test.site')::integer;
-- the same id on another site is another order
SELECT outcome FROM pk_tracking.track(pk_tracking.add_site('conversion 2'), ip => '203.0.113.7', params => '{"idgoal": 0, "ec_id": "A-1"}');
-- an order that was taken back is none
BEGIN;
SELECT pg_temp.hit(550, 0, 'idgoal=0&ec_id=back&ec_items=' || pg_temp.e('[["back"]]'));
SAVEPOINT s;
SELECT pg_temp.hit(551, 0, 'idgoal=0&ec_id=back2');
ROLLBACK TO s;
SELECT pg_temp.hit(551, 0, 'idgoal=0&ec_id=back2'), pg_temp.hit(550, 1, 'idgoal=0&ec_id=back');
ROLLBACK;
SELECT pg_temp.hit(550, 0, 'idgoal=0&ec_id=back&ec_items=' || pg_temp.e('[["back"]]'));
SELECT count(*) FROM conversions WHERE idorder = 'back';
SELECT sku FROM items WHERE idorder = 'back';
-- random order ids
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'anonymize_order_id', 'on');
SELECT pg_temp.hit(553, 0, 'idgoal=0&ec_id=secret&ec_items=' || pg_temp.e('[["s1"]]')), pg_temp.hit(553, 1, 'idgoal=0&ec_id=secret');
SELECT count(*), count(DISTINCT c.idorder), bool_and(c.idorder ~ '^[0-9a-f]{40}$'), (SELECT count(*) FROM items i WHERE i.idorder = min(c.idorder) OR i.idorder = max(c.idorder)) AS items FROM conversions c WHERE c.who = to_hex(553);
DELETE FROM pk_tracking.setting;

-- attribution --------------------------------------------
SELECT n, pg_temp.hit(600 + n, 0, first), pg_temp.hit(600 + n, 1, 'idgoal=2&' || conversion) FROM (VALUES
	(1, 'url=http://shop.example.org/', ''),
	(2, 'url=http://shop.example.org/&urlref=https://www.google.com/search?q=shoes', ''),
	(3, 'url=http://shop.example.org/%3Futm_campaign%3DSpring%26utm_term%3DSale', ''),
	(4, 'url=http://shop.example.org/%3Futm_campaign%3DSpring', '_rcn=Other+Name&_rck=Key'),
	(5, 'url=http://shop.example.org/%3Futm_campaign%3DSpring', '_ref=https://www.google.com/search?q=shoes'),
	(6, 'url=http://shop.example.org/', '_ref=https://www.google.com/search?q=shoes&_refts=1'),
	(7, 'url=http://shop.example.org/&urlref=https://de.wikipedia.org/', '_ref=https://twitter.com/x'),
	(8, 'url=http://shop.example.org/&urlref=https://de.wikipedia.org/', '_ref=http://shop.example.org/cart'),
	(9, 'url=http://shop.example.org/&urlref=https://de.wikipedia.org/', '_ref=nonsense'),
	(10, 'url=http://shop.example.org/', '_ref=http://pay.example/%3Fx%3D1&url=http://pay.example/%3Futm_campaign%3Dpaid'),
	(11, 'url=http://shop.example.org/', '_rcn=' || repeat('Ä', 300) || '&_rck=' || repeat('b', 300))) h(n, first, conversion) ORDER BY n;
SELECT ('x' || lpad(who, 8, '0'))::bit(32)::integer - 600 AS n, ref, left(referer_name, 20) AS name, length(referer_name) AS l, left(referer_keyword, 20) AS keyword, length(referer_keyword) AS l2
FROM conversions WHERE length(who) = 3 AND ('x' || lpad(who, 8, '0'))::bit(32)::integer > 600 ORDER BY 1;

-- money that cannot be read --------------------------------------------
-- is unknown, not nothing; the result names the parameter, and the hit is counted
SELECT n, q, pg_temp.hit(800 + n, 0, q) FROM (VALUES
	(1, 'idgoal=2&revenue=6%2C795.00'), (2, 'idgoal=2&revenue='), (3, 'idgoal=2'), (4, 'idgoal=0&revenue=12%2C50'), (5, 'idgoal=0&revenue='),
	(6, 'idgoal=0&ec_id=m6&revenue=$5.00&ec_st=1&ec_tx=1%2C5&ec_sh=x&ec_dt='), (7, 'idgoal=0&ec_id=m7&revenue=5&ec_dt=false&ec_sh=x&ec_tx='), (8, 'idgoal=0&ec_st=x&ec_dt=x'), (13, 'idgoal=0&ec_id=m13&revenue=1&ec_tx=0&ec_dt=false'), (14, 'idgoal=2&revenue=false'), (15, 'idgoal=0&revenue=false'),
	(9, 'url=http://shop.example.org/&revenue=x'), (10, 'idgoal=2&revenue=x&ec_st=x'), (11, 'idgoal=0&ec_id=m11&revenue=1e15'), (12, 'idgoal=0&ec_id=m12&revenue=1.5e3')) h(n, q);
SELECT ('x' || lpad(who, 8, '0'))::bit(32)::integer - 800 AS n, idgoal, revenue, subtotal, tax, shipping, discount FROM conversions WHERE ('x' || lpad(who, 8, '0'))::bit(32)::integer BETWEEN 801 AND 815 ORDER BY 1;
-- a price: of the item of an SKU that counts
SELECT n, pg_temp.hit(820 + n, 0, 'idgoal=0&ec_id=p' || n || '&revenue=' || CASE n WHEN 9 THEN 'x' ELSE '1' END || '&ec_items=' || pg_temp.e(items)) FROM (VALUES
	(1, '[["a","n","c","1,50",2],["b","n","c",2,1]]'), (2, '[["a","n","c","",2],["b","n","c",null,1],["c"]]'), (3, '[["a","n","c",true],["b","n","c",false],["c","n","c",[1]],["d","n","c",{"x":1}]]'),
	(4, '[["a","n","c","x",1],["a","n","c",7,1]]'), (5, '[["a","n","c",7,1],["a","n","c","x",1]]'), (6, '[["","n","c","x",1],["b","n","c","1",1]]'), (7, '[["a","n","c",1,"x"]]'), (8, '[["a","n","c",1e15,1]]'), (9, '[["a","n","c","x",1]]')) h(n, items);
SELECT idorder, string_agg(sku || ' ' || coalesce(price::text, 'NULL') || ' x' || quantity, ', ' ORDER BY sku) AS items FROM items WHERE idorder ~ '^p[0-9]$' GROUP BY 1 ORDER BY 1;
-- also if the conversion is no news; not a hit that is invalid, excluded or ignored
SELECT pg_temp.hit(840, 0, 'idgoal=1&revenue=x') AS first, pg_temp.hit(840, 1, 'idgoal=1&revenue=x') AS "no news", pg_temp.hit(840, 2, 'idgoal=99&revenue=x') AS "no goal", pg_temp.hit(812, 2, 'idgoal=0&ec_id=m12&revenue=x') AS "known order",
	pg_temp.hit(840, 2, 'idgoal=1&revenue=x&ping=1') AS ping, pg_temp.hit(841, 2, 'idgoal=1&revenue=x&ping=1') AS ignored, pg_temp.hit(842, 0, 'rec=0&idgoal=1&revenue=x') AS excluded;
SELECT reason, hits FROM pk_tracking.excluded WHERE idsite = current_setting('test.site')::integer AND reason = 'bad_money';
SELECT pk_tracking.compact_excluded() IS NOT NULL AS compacted;
SELECT reason, hits FROM pk_tracking.excluded WHERE idsite = current_setting('test.site')::integer AND reason = 'bad_money';
-- track() raises, and so does a strict request; nothing is stored
SELECT pg_temp.state() AS before \gset
DO $$
DECLARE
	params jsonb;
BEGIN
	FOREACH params IN ARRAY ARRAY['{"idgoal": 2, "revenue": "6,795.00"}', '{"idgoal": 0, "ec_id": "t1", "ec_st": "x", "ec_tx": "x"}', '{"idgoal": 0, "ec_items": [["a", "n", "c", true]]}', '{"idgoal": 0, "revenue": "$5"}']::jsonb[] LOOP
		BEGIN
			PERFORM pk_tracking.track(current_setting('test.site')::integer, params => params);
			RAISE WARNING '% was taken', params;
		EXCEPTION WHEN invalid_parameter_value THEN
			RAISE WARNING '%', sqlerrm;
		END;
		BEGIN
			PERFORM pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1' || (SELECT string_agg(format('&%s=%s', key, pg_temp.e(value)), '') FROM jsonb_each_text(params)), strict => true);
			RAISE WARNING '% was taken', params;
		EXCEPTION WHEN invalid_parameter_value THEN
			RAISE WARNING 'strict: %', sqlerrm;
		END;
	END LOOP;
END
$$;
SELECT pg_temp.state() = :'before' AS nothing_stored;
SELECT hits FROM pk_tracking.excluded WHERE idsite = current_setting('test.site')::integer AND reason = 'bad_money';
-- where it does not matter it raises nothing
SELECT (pk_tracking.track(current_setting('test.site')::integer, 'http://shop.example.org/', ip => '203.0.113.7', at => '2026-03-02 10:00+00', params => '{"revenue": "x", "ec_st": "x"}')).outcome;
-- without consent it is counted, too
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'consent_mode', 'ask_else_anonymous');
SELECT pg_temp.hit(850, 0, 'idgoal=2&revenue=x&consent=0'), pg_temp.hit(851, 0, 'idgoal=0&ec_id=n1&ec_tx=x&consent=0&ec_items=' || pg_temp.e('[["a","n","c","x"]]'));
SELECT hits FROM pk_tracking.excluded WHERE idsite = current_setting('test.site')::integer AND reason = 'bad_money';
DELETE FROM pk_tracking.setting;
-- raw tables count it; the row is no rejected one
CREATE TABLE conversion_raw (n integer PRIMARY KEY, query text, at timestamptz);
INSERT INTO conversion_raw SELECT n, format('idsite=%s&rec=1&cid=%s&idgoal=2&revenue=1%%2C%s', current_setting('test.site'), lpad(to_hex(860 + n), 16, '0'), n), '2026-03-02 10:00+00' FROM generate_series(1, 3) n;
SELECT outcome, outcome_reason FROM pk_tracking.attach('conversion_raw', dry_run => true);
CALL pk_tracking.ingest('conversion_raw');
SELECT hits FROM pk_tracking.excluded WHERE idsite = current_setting('test.site')::integer AND reason = 'bad_money';
DROP TABLE conversion_raw;
-- status() counts the hits that were not recorded
SELECT pg_temp.hit(870, 0, 'idgoal=2&revenue=x') AS sent FROM pk_tracking.status() WHERE item = 'excluded hits';
INSERT INTO pk_tracking.log_excluded (idsite, day, reason, hits) VALUES (current_setting('test.site')::integer, (now() AT TIME ZONE 'UTC')::date, 'bad_money', 1000000);
SELECT value !~ '^1[0-9]{6}' AS "only those that were excluded" FROM pk_tracking.status() WHERE item = 'excluded hits';
DELETE FROM pk_tracking.log_excluded WHERE hits = 1000000;
-- averages are those of known amounts
SELECT nb_conversions, revenue, avg_order_revenue FROM pk_tracking.report_orders(current_setting('test.site')::integer, '2026-03-02', '2026-03-02', 'range');
SELECT sku, orders, revenue, avg_price FROM pk_tracking.report_products(current_setting('test.site')::integer, '2026-03-02', '2026-03-02') WHERE sku IN ('a', 'b') ORDER BY 1;
-- by Matomo's rules what cannot be read is 0, and a goal has its own revenue
SET client_min_messages = error;	-- the log is not empty
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'recognition_rules', 'matomo');
SET client_min_messages = warning;
SELECT pg_temp.hit(880, 0, 'idgoal=2&revenue=x'), pg_temp.hit(881, 0, 'idgoal=0&ec_id=q1&revenue=x&ec_tx=x&ec_items=' || pg_temp.e('[["a","n","c","x"]]'));
SELECT idgoal, revenue, subtotal, tax, i.price FROM conversions c LEFT JOIN items i USING (idorder) WHERE c.who IN (to_hex(880), to_hex(881)) ORDER BY idgoal;
SELECT (pk_tracking.track(current_setting('test.site')::integer, cid => '0000000000000372', at => '2026-03-02 10:00+00', params => '{"idgoal": 2, "revenue": "x"}')).outcome;
DELETE FROM pk_tracking.setting;

-- emptied carts --------------------------------------------
CREATE FUNCTION pg_temp.cart(who integer) RETURNS text LANGUAGE sql AS $$
	SELECT format('buyer %s, converted %s; %s; %s', v.buyer, v.converted,
		coalesce((SELECT string_agg(format('%s: %s items, %s, at %s', CASE c.idgoal WHEN 0 THEN c.idorder ELSE 'cart' END, c.items, coalesce(c.revenue::text, 'NULL'), c.at), ', ' ORDER BY c.idgoal) FROM conversions c WHERE c.who = to_hex($1)), 'no conversion'),
		coalesce((SELECT string_agg(format('%s%s%s', CASE i.idorder WHEN '0' THEN '' ELSE i.idorder || ' ' END, i.sku, CASE WHEN i.deleted THEN ' deleted' END), ', ' ORDER BY i.idorder, i.sku) FROM items i WHERE i.who = to_hex($1)), 'no items'))
	FROM visits v WHERE v.who = to_hex($1)
$$;
CREATE FUNCTION pg_temp.carts(who integer, VARIADIC queries text[]) RETURNS TABLE (query text, cart text) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. array_length(queries, 1) LOOP
		query := queries[i];
		cart := pg_temp.hit(who, i, 'idgoal=0&' || regexp_replace(queries[i], '(ec_items=)(.*)', '\1') || pg_temp.e(coalesce(substring(queries[i] FROM 'ec_items=(.*)'), '')));
		cart := cart || ': ' || pg_temp.cart(who);
		RETURN NEXT;
	END LOOP;
END
$$;
-- an empty list without revenue; then it is a cart again, by the same row; an order takes over an open cart alone
SELECT * FROM pg_temp.carts(900, 'revenue=5&ec_items=[["a","n","c",5,1]]', 'ec_items=[]', 'revenue=0&ec_items=[]', 'revenue=7&ec_items=[["b","n","c",7,1]]', 'revenue=0.00&ec_items=[]', 'ec_id=c1&revenue=3&ec_items=[["d","n","c",3,1]]',
	'ec_items=[]', 'revenue=5&ec_items=[["a","n","c",5,1]]', 'revenue=0.001&ec_items=[]', 'ec_id=c2&ec_items=[]');
-- a visit that begins with one; a cart whose items the client does not know; what is no list without elements; revenue that cannot be read
SELECT * FROM pg_temp.carts(901, 'ec_items=[]', 'revenue=5&ec_items=[]', 'revenue=0&ec_items=["x"]', 'revenue=0&ec_items=[["",1]]', 'revenue=0&ec_items=', 'revenue=0', 'revenue=-1&ec_items=[]', 'revenue=x&ec_items=[]', 'ec_items=[]');
SELECT (pk_tracking.track(current_setting('test.site')::integer, cid => '0000000000000386', ip => '203.0.113.7', at => '2026-03-02 10:05+00', params => '{"idgoal": 0, "revenue": 4, "ec_items": [["a", "n", "c", 4, 1]]}')).outcome,
	(pk_tracking.track(current_setting('test.site')::integer, cid => '0000000000000386', ip => '203.0.113.7', at => '2026-03-02 10:06+00', params => '{"idgoal": 0, "revenue": 0, "ec_items": []}')).outcome, pg_temp.cart(902);
-- by Matomo's rules it is a cart
SET client_min_messages = error;	-- the log is not empty
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'recognition_rules', 'matomo');
SET client_min_messages = warning;
SELECT * FROM pg_temp.carts(903, 'revenue=5&ec_items=[["a","n","c",5,1]]', 'ec_items=[]');
DELETE FROM pk_tracking.setting;
-- none of them is abandoned; one of unknown revenue is
SELECT count(*) FILTER (WHERE idgoal = -1) AS rows, count(*) FILTER (WHERE idgoal = -1 AND items = 0 AND revenue = 0) AS empty FROM conversions;
SELECT abandoned_carts = (SELECT count(*) FROM conversions c WHERE c.idgoal = -1 AND NOT (c.items = 0 AND coalesce(c.revenue, 1) = 0)) AS abandoned FROM pk_tracking.report_orders(current_setting('test.site')::integer, '2026-03-02', '2026-03-02', 'range');
-- without consent: the row that says that a fingerprint joined a hit to the visit stays
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'consent_mode', 'ask_else_anonymous');
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'anonymous_session_cookie', 'off');
SELECT outcome, outcome_reason, matched_by, new_visit
FROM unnest(ARRAY['', '&idgoal=0&revenue=5&ec_items=[["a","n","c",5,1]]', '&idgoal=0&ec_items=[]']) WITH ORDINALITY q(query, n),
	pk_tracking.track_request(format('idsite=%s&rec=1&consent=0', current_setting('test.site')) || replace(q.query, '"', '%22'), '198.51.100.99', 'agent', 'en', '2026-03-02 10:00+00'::timestamptz + n * interval '1 min') t ORDER BY n;
SELECT c.items, c.revenue, pk_tracking.matched_by_name(c.matched_by), v.visit_goal_buyer FROM pk_tracking.log_conversion c JOIN pk_tracking.log_visit v USING (idvisit)
WHERE c.idsite = current_setting('test.site')::integer AND c.idvisitor IS NULL AND c.idgoal = -1;
DELETE FROM pk_tracking.setting;

-- white space around an order's id --------------------------------------------
SELECT * FROM pg_temp.carts(910, 'ec_id= w1 &revenue=1', 'ec_id=w1&revenue=1', 'ec_id=+w2%09%0A&revenue=2', 'ec_id=++&revenue=3', 'ec_id=%200%20&revenue=4');
SELECT pg_temp.hit(911, 0, 'ec_id=+&url=http://shop.example.org/'), pg_temp.hit(912, 0, 'ec_id=+x+&url=http://shop.example.org/');
SELECT who, buyer, since_order FROM visits WHERE who IN (to_hex(911), to_hex(912)) ORDER BY 1;

-- conversion rate: of the visits that acted in the period --------------------------------------------
SELECT pk_tracking.add_site('rate', timezone => 'UTC') AS rate \gset
SELECT pk_tracking.add_goal(:rate, 'g', 'manually', allow_multiple => true) AS goal \gset
SELECT (pk_tracking.track_request(format('idsite=%s&rec=1&cid=%s%s', :rate, lpad(to_hex(who), 16, '0'), query), '203.0.113.7', 'agent', 'en', at::timestamptz)).outcome FROM (VALUES
	(1, '2026-03-02 23:50+00', ''), (2, '2026-03-02 23:50+00', ''), (3, '2026-03-02 23:50+00', ''), (4, '2026-03-03 12:00+00', '')) h(who, at, query);
SELECT pk_tracking.set_site(:rate, 'create_new_visit_after_midnight', 'off');
SELECT (pk_tracking.track_request(format('idsite=%s&rec=1&cid=%s%s', :rate, lpad(to_hex(who), 16, '0'), query), '203.0.113.7', 'agent', 'en', at::timestamptz)).outcome FROM (VALUES
	(1, '2026-03-03 00:05+00', '&idgoal=1'), (2, '2026-03-03 00:05+00', '&idgoal=1'), (2, '2026-03-03 00:06+00', '&idgoal=1'), (3, '2026-03-03 00:07+00', ''),
	-- before its visit's first action
	(5, '2026-03-04 00:05+00', ''), (5, '2026-03-03 23:55+00', '&idgoal=1')) h(who, at, query);
SELECT d::date AS day, r.nb_visits_converted, r.conversion_rate FROM generate_series('2026-03-02'::date, '2026-03-05', '1 day') d, pk_tracking.report_goals(:rate, d::date, d::date) r ORDER BY 1;
SELECT nb_visits_converted, conversion_rate FROM pk_tracking.report_goals(:rate, '2026-03-02', '2026-03-05');

SELECT count(*) AS "amounts that are no multiple of a cent" FROM conversions c WHERE c.revenue <> round(c.revenue, 2);

-- code of the owner's on these tables runs without the caller's search_path
CREATE TABLE conversion_seen (path text);
CREATE FUNCTION conversion_saw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.conversion_seen VALUES (pg_catalog.current_setting('search_path'));
	RETURN NEW;
END
$$;
CREATE TRIGGER saw BEFORE INSERT ON pk_tracking.log_conversion FOR EACH ROW EXECUTE FUNCTION conversion_saw();
SELECT pg_temp.hit(700, 0, 'idgoal=2');
SELECT * FROM conversion_seen;
DROP TRIGGER saw ON pk_tracking.log_conversion;
DROP TABLE conversion_seen;
DROP FUNCTION conversion_saw();
