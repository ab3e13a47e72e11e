-- Kinds of actions and their parameters: what each becomes in the log, under
-- both rule sets, when it is good, missing, too long or malformed.
\set VERBOSITY terse
SET client_min_messages = warning;
SET TimeZone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('actions', ARRAY['https://a.example']) AS site \gset
SELECT pk_tracking.add_goal(:site, 'by hand', 'manually', allow_multiple => true) AS idgoal;
SELECT pk_tracking.add_site('actions, other', ARRAY['https://b.example']) AS other \gset
SELECT pk_tracking.add_site('actions, Matomo', ARRAY['https://m.example']) AS matomo \gset
SELECT pk_tracking.set_site(:matomo, 'recognition_rules', 'matomo') AS rules \gset
-- a visit for each visitor, although all have the same browser
SELECT pk_tracking.set_site(i, 'trust_visitors_cookies', 'on') AS trust FROM unnest(ARRAY[:site, :other, :matomo]) AS i \g (format=unaligned tuples_only=on)

CREATE TEMP SEQUENCE visitor;
-- One hit of a visitor of its own (or of the one named), and its action row:
-- what is not NULL in the view, but for what every row has.
CREATE FUNCTION pg_temp.hit(site integer, query text, visitor text DEFAULT NULL, at timestamptz DEFAULT '2026-03-02 12:00+00')
RETURNS pk_tracking.tracked LANGUAGE sql AS $$
	SELECT pk_tracking.track_request(format('idsite=%s&rec=1&_id=%s&', site,
			coalesce(rpad(visitor, 16, '0'), lpad(to_hex(nextval('pg_temp.visitor')), 16, '0'))) || query,
		'203.0.113.77', 'agent', 'en', at)
$$;
CREATE FUNCTION pg_temp.row_of(r pk_tracking.tracked) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN coalesce(
		(SELECT left((jsonb_strip_nulls(to_jsonb(a) - ARRAY['idlink_va', 'idvisit', 'idsite', 'idvisitor', 'server_time', 'consent',
			'matched_by', 'decision', 'pageview_position', 'time_spent_ref_action']))::text, 400)
			FROM pk_tracking.action a WHERE a.idlink_va = r.idlink_va AND a.idvisit = r.idvisit),
		concat_ws(' ', r.outcome, r.outcome_reason));
END
$$;
CREATE FUNCTION pg_temp.act(site integer, query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN pg_temp.row_of(pg_temp.hit(site, query));
END
$$;
-- what stands on the hit's visit (v) and action (l)
CREATE FUNCTION pg_temp.look(r pk_tracking.tracked, what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT ' || what || ' FROM pk_tracking.log_visit v LEFT JOIN pk_tracking.log_link_visit_action l'
		' ON l.idvisit = v.idvisit AND l.idlink_va = $2 WHERE v.idvisit = $1' INTO result USING r.idvisit, r.idlink_va;
	RETURN coalesce(result, concat_ws(' ', r.outcome, r.outcome_reason));
END
$$;

-- 1. Every parameter that the table has, and that it is said what it is
SELECT name, type, max_length, unit, bad_value, privacy, description FROM pk_tracking.hit_fields;
SELECT count(*) AS "without description" FROM pk_tracking.hit_fields f WHERE f.description IS NULL;

-- 2. The kinds
SELECT q, pg_temp.act(:site, 'url=https://a.example/page&' || q) AS action FROM unnest(ARRAY[
	'action_name=Title', '',
	'e_c=Video&e_a=play', 'e_c=Video&e_a=play&e_n=Trailer&e_v=2.5', 'e_c=Video&e_a=play&e_n=+', 'e_c=Video', 'e_a=play',
	'e_c=+&e_a=play', 'e_c=Video&e_a=%09+', 'e_c=+&e_a=+&download=x',
	'e_c=+Video+&e_a=pl%0Aay', 'e_c=a&e_a=b&action_name=Title',
	'search=red+shoes', 'search=red+shoes&search_cat=women&search_count=7', 'search=+', 'search=x&search_count=0', 'search=x&action_name=Title',
	'c_n=Ad', 'c_n=Ad&c_p=img.png&c_t=https://t.example', 'c_n=Ad&c_i=click', 'c_p=img.png',
	'link=https://other.example/x%23y', 'link=mailto:jo@example.org', 'link=+https://x.example/+', 'link=&download=', 'link=https://x.example/%3Fsid=1%26amp;b',
	'download=https://a.example/f.zip', 'download=no+url',
	'ca=1', 'ca=1&e_c=a&e_a=b', 'ca=1&search=x', 'ca=0', 'ca=2', 'ca=x', 'ca=1&ping=1']) WITH ORDINALITY x(q, n) ORDER BY n;
-- without a page
SELECT q, pg_temp.act(:site, q) AS action FROM unnest(ARRAY['e_c=a&e_a=b', 'c_n=Ad', 'search=x', 'action_name=T', 'url=nonsense&e_c=a&e_a=b', 'url=//x']) WITH ORDINALITY x(q, n) ORDER BY n;

-- 3. Numbers: event values, counts, prices, page performance
SELECT v, pg_temp.act(:site, 'e_c=a&e_a=b&e_v=' || v) LIKE '%event_value%' AS taken,
	substring(pg_temp.act(:site, 'e_c=a&e_a=b&e_v=' || v) FROM '"event_value": ([^,}]*)') AS value
FROM unnest(ARRAY['0', '1', '-1', '+1', '%2B1', '1.', '.5', '00.50', '1e3', '1E-3', '1e', '1e39', '1e-38', '1.2.3', '1,5', ' 1', '0x10', 'NaN', 'Infinity', 'x', '.',
	'123456789012345678901234567890.123456789', repeat('9', 64), repeat('9', 65)]) WITH ORDINALITY x(v, n) ORDER BY n;
SELECT v, pg_temp.act(:site, 'search=x&search_count=' || v) AS action
FROM unnest(ARRAY['', '0', '12', '-1', '-5', '1.5', 'x', '2147483647', '2147483648', '01']) WITH ORDINALITY x(v, n) ORDER BY n;
SELECT v, pg_temp.act(:site, 'action_name=T&pf_srv=' || v) AS action
FROM unnest(ARRAY['', '0', '5', '-1', '-2', '-2147483648', '-99999999999', '16777215', '16777216', '99999999999', '1.5', 'x']) WITH ORDINALITY x(v, n) ORDER BY n;
SELECT p, pg_temp.act(:site, 'action_name=T&' || p || '=7') AS good, pg_temp.act(:site, 'e_c=a&e_a=b&' || p || '=-7') AS bad
FROM unnest(ARRAY['pf_net', 'pf_srv', 'pf_tfr', 'pf_dm1', 'pf_dm2', 'pf_onl']) WITH ORDINALITY x(p, n) ORDER BY n;
SELECT q, pg_temp.act(:site, 'action_name=T&' || q) AS action FROM unnest(ARRAY[
	'_pks=SKU%261&_pkn=%26quot;Shoe%26quot;&_pkc=Shoes&_pkp=49.90', '_pkc=["Shoes","Red","","c","d","e","f"]', '_pkc=[1,{"a":2},"ok"]', '_pkc=[broken', '_pkp=x', '_pkp=1e2',
	'_pks=a&search=x']) WITH ORDINALITY x(q, n) ORDER BY n;

-- 4. Lengths: names at page_maximum_length bytes, the rest at their own
SELECT p, (pg_temp.hit(:site, CASE p WHEN 'e_n' THEN 'e_c=x&e_a=x&' WHEN 'c_t' THEN 'c_n=x&' ELSE '' END
	|| p || '=' || p || repeat('%C3%BC', 1000))).outcome
FROM unnest(ARRAY['action_name', 'e_n', 'search', 'download', 'c_t', '_pkn']) AS p;
SELECT a.type, left(a.name, 8) AS name, octet_length(a.name) AS bytes FROM pk_tracking.log_action a
WHERE a.idsite = :site AND octet_length(a.name) > 900 ORDER BY 1;
SELECT pg_temp.look(pg_temp.hit(:site, 'search=x&search_cat=' || repeat('%C3%BC', 300)), 'length(l.search_cat)') AS search_cat;

-- 5. Site search by URL: the site's own parameters, in query or fragment
SELECT q, pg_temp.act(:site, 'action_name=Title&url=' || replace(replace(q, '&', '%26'), '#', '%23')) AS action FROM unnest(ARRAY[
	'https://a.example/s?q=red%2520shoes', 'https://a.example/s?Q=CASE', 'https://a.example/s?q=', 'https://a.example/s?q=+%2520+&search=second', 'https://a.example/s?x=1&keyword=a%2526b',
	'https://a.example/s#q=fragment', 'https://a.example/s?a=b#k=fragment', 'https://a.example/s;q=matrix', 'https://a.example/q', 'https://a.example/s?q[]=list', 'no url?q=x']) WITH ORDINALITY x(q, n) ORDER BY n;
SELECT pk_tracking.set_site(:site, 'site_search_query_parameters', '{find}'), pk_tracking.set_site(:site, 'site_search_category_parameters', '{cat,Kind}');
SELECT q, pg_temp.act(:site, 'action_name=Title&url=https://a.example/s?' || replace(q, '&', '%26')) AS action FROM unnest(ARRAY[
	'q=old', 'find=new', 'find=new&cat=shoes', 'find=new&kind=shoes', 'find=new&cat[]=a&cat[]=b', 'cat=shoes', 'find=new&search_count=3']) WITH ORDINALITY x(q, n) ORDER BY n;
SELECT pg_temp.act(:site, 'url=https://a.example/?find=by+url&search=by+parameter&search_cat=c&search_count=2');
SELECT q, pg_temp.act(:site, q) AS action FROM unnest(ARRAY['search=x&search_cat[]=a&search_cat[]=b', 'search=x&search_cat%5B%5D=a', 'search=x&search_cat=s&search_cat[]=a', 'search=x&search_cats=s', 'search=x&search_cats[]=a&search_cats[]=b']) WITH ORDINALITY x(q, n) ORDER BY n;
SELECT pg_temp.row_of(pk_tracking.track(:site, params => '{"search": "x", "search_cat": ["a", "b", 3], "search_count": 4}'));
SELECT pk_tracking.set_site(:site, 'site_search', 'off');
SELECT q, pg_temp.act(:site, 'action_name=Title&' || q) AS action FROM unnest(ARRAY['search=x', 'url=https://a.example/?find=new']) WITH ORDINALITY x(q, n) ORDER BY n;
SELECT pk_tracking.reset_site(:site, 'site_search'), pk_tracking.reset_site(:site, 'site_search_query_parameters'), pk_tracking.reset_site(:site, 'site_search_category_parameters');

-- 6. Matomo's rules: escaped names, lists are no texts, one kind of ping
SELECT q, pg_temp.act(:matomo, 'url=https://m.example/page&' || q) AS action FROM unnest(ARRAY[
	'action_name=a<b>%26c', 'e_c=a%26b&e_a="x"&e_n=<i>', 'search=a<b', 'search=x', 'search=x&search_cat[]=a', 'search=x&search_cat=a%26b', 'c_n=<Ad>&c_t=https://t.example/?a%26b',
	'link=https://x.example/?a%26b<c>', 'download=https://m.example/a%26amp;b.zip', 'url=https://m.example/?q=a%26lt;b',
	'ping=2&action_name=T', 'ping=5&action_name=T', '_pks=a%26b', '_cvar={"1":["<a>","b"]}&cvar={"1":["<a>","b"]}']) WITH ORDINALITY x(q, n) ORDER BY n;

-- 7. What they do to the visit
CREATE FUNCTION pg_temp.visit(r pk_tracking.tracked) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN coalesce((SELECT format('%s %s: actions %s, interactions %s, searches %s, events %s, time %s, last %s, entry %s %s, exit %s %s, %s', r.outcome, coalesce(r.outcome_reason, r.reason),
			w.visit_total_actions, w.visit_total_interactions, w.visit_total_searches, w.visit_total_events, w.visit_total_time,
			to_char(w.visit_last_action_time, 'MI:SS'),
			coalesce(v.entry_url, w.visit_entry_idaction_url::text, 'NULL'), coalesce(v.entry_title, w.visit_entry_idaction_name::text, 'NULL'),
			coalesce(v.exit_url, w.visit_exit_idaction_url::text, 'NULL'), coalesce(v.exit_title, w.visit_exit_idaction_name::text, 'NULL'),
			w.config_resolution)
		FROM pk_tracking.visit v JOIN pk_tracking.log_visit w USING (idvisit) WHERE v.idvisit = r.idvisit),
		concat_ws(' ', r.outcome, r.outcome_reason));
END
$$;
CREATE FUNCTION pg_temp.series(site integer, who text, VARIADIC queries text[]) RETURNS TABLE (query text, visit text) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. array_length(queries, 1) LOOP
		RETURN QUERY SELECT queries[i], pg_temp.visit(pg_temp.hit(site, queries[i], who, timestamptz '2026-03-02 12:00+00' + i * interval '1 min'));
	END LOOP;
END
$$;
SELECT * FROM pg_temp.series(:site, 'b1', 'e_c=a&e_a=b&url=https://a.example/e', 'ping=1&res=1x1', 'search=x&res=1280x1024x32', 'action_name=T&url=https://a.example/p&res=2x2', 'url=https://a.example/untitled',
	'link=https://x.example/', 'c_n=Ad', 'idgoal=0', 'idgoal=1', 'ping=2', 'ping=3', 'ping=4', 'ping=5', 'ping=6', 'ping=7');
SELECT * FROM pg_temp.series(:matomo, 'b2', 'e_c=a&e_a=b&url=https://m.example/e', 'search=x', 'action_name=T&url=https://m.example/p', 'url=https://m.example/untitled', 'ping=1');
SELECT * FROM pg_temp.series(:site, 'b3', 'ping=1', 'idgoal=0&url=https://a.example/order', 'ping=1', 'action_name=T&url=https://a.example/p');
SELECT * FROM pg_temp.series(:site, 'b4', 'search=x', 'action_name=T&url=https://a.example/p');
-- a heartbeat keeps no visit open, but it may name the user
SELECT pg_temp.visit(pg_temp.hit(:site, 'ping=1&uid=jo', 'b3', '2026-03-02 12:33:59+00')), pg_temp.visit(pg_temp.hit(:site, 'ping=1', 'b3', '2026-03-02 12:34+00')) AS late;
SELECT v.user_id, v.visit_last_action_time FROM pk_tracking.log_visit v WHERE v.user_id = 'jo' AND v.idsite = :site;

-- 8. Page performance that comes after its page view
SELECT r.outcome FROM pg_temp.hit(:site, 'action_name=first&pv_id=aaaaaa', 'c1') r;
SELECT r.outcome FROM pg_temp.hit(:site, 'action_name=second&pv_id=bbbbbb&pf_net=1', 'c1') r;
SELECT r.outcome FROM pg_temp.hit(:site, 'e_c=a&e_a=b&pv_id=aaaaaa', 'c1') r;
SELECT r.outcome FROM pg_temp.hit(:site, 'ping=5&pv_id=aaaaaa&pf_net=10&pf_onl=60', 'c1') r;
SELECT r.outcome FROM pg_temp.hit(:site, 'e_c=late&e_a=b&pv_id=bbbbbb&pf_srv=2&pf_net=-1', 'c1') r;
SELECT r.outcome FROM pg_temp.hit(:site, 'ping=1&pv_id=cccccc&pf_net=99', 'c1') r;
SELECT r.outcome FROM pg_temp.hit(:site, 'ping=1&pf_net=99', 'c1') r;
SELECT r.outcome FROM pg_temp.hit(:site, 'ping=1&pv_id=aaaaaa&pf_net=99', 'c2') r;
SELECT a.kind, a.title, a.event_category, a.idpageview, a.time_network, a.time_server, a.time_on_load
FROM pk_tracking.action a WHERE a.idsite = :site AND a.idvisitor = 'c100000000000000' ORDER BY a.idlink_va;

-- 9. Custom dimensions: of visit and action, sent and extracted
SELECT pk_tracking.add_dimension(:site, 'plan', 'visit') AS plan, pk_tracking.add_dimension(:site, 'section', 'action', '[{"dimension": "urlparam", "pattern": "Section"}, {"dimension": "url", "pattern": "example/([A-Z]+)/"}, {"dimension": "action_name", "pattern": "^(.)- "}]', false) AS section,
	pk_tracking.add_dimension(:site, 'retired', 'visit', active => false) AS retired, pk_tracking.add_dimension(:other, 'one of its own', 'action') AS other_one;
SELECT n, pg_temp.look(pg_temp.hit(:site, q.query, 'd1'), $$concat_ws(' | ', left(v.custom_dimensions::text, 40), length(v.custom_dimensions ->> '1'), 'action', left(l.custom_dimensions::text, 22), length(l.custom_dimensions ->> '2'))$$) AS dimensions
FROM (VALUES (1, 'dimension1=gold&dimension2=a'), (2, 'dimension2=b'), (3, 'dimension1=&dimension2='), (4, 'dimension1=+silver+&dimension3=x&dimension9=y&dimension01=z&dimension=w&dimensionx=v'), (5, 'e_c=a&e_a=b&dimension2=event'),
	(6, 'ping=1&dimension1=ping&dimension2=ping'), (7, 'dimension1=' || repeat('x', 300)), (8, 'dimension1=first&dimension1=last&dimension2=' || repeat('%C3%BC', 251)), (9, 'url=https://a.example/News/1'), (10, 'url=https://a.example/News/1?section=param'),
	(11, 'url=https://a.example/News/1&dimension2=sent'), (12, 'action_name=N- title'), (13, 'dimension1=bad%FFbyte%00')) q(n, query)
ORDER BY n;
SELECT pg_temp.row_of(pk_tracking.track(:site, params => '{"dimension1": "x", "dimension2": 5}')), pg_temp.act(:other, 'dimension1=x&dimension2=y') AS other_site;
-- a file's or a link's own URL by Matomo's rules, the page's by ours
SELECT rules, n, pg_temp.look(pg_temp.hit(:site, q.query, 'd1'), $$coalesce(l.custom_dimensions ->> '2', 'none')$$) AS section
FROM (VALUES (1, 'url=https://a.example/News/1&download=https://a.example/Files/1.pdf'), (2, 'url=https://a.example/News/1&link=https://x.example/Else/'), (3, 'url=https://a.example/News/1&download=https://a.example/1.pdf')) q(n, query),
	(VALUES ('piwik')) r(rules) ORDER BY n;
SELECT pk_tracking.set_site(:site, 'recognition_rules', 'matomo') \g /dev/null
SELECT rules, n, pg_temp.look(pg_temp.hit(:site, q.query, 'd1'), $$coalesce(l.custom_dimensions ->> '2', 'none')$$) AS section
FROM (VALUES (1, 'url=https://a.example/News/1&download=https://a.example/Files/1.pdf'), (2, 'url=https://a.example/News/1&link=https://x.example/Else/'), (3, 'url=https://a.example/News/1&download=https://a.example/1.pdf')) q(n, query),
	(VALUES ('matomo')) r(rules) ORDER BY n;
SELECT pk_tracking.reset_site(:site, 'recognition_rules') \g /dev/null
-- changes count at once, a visit's are cleared to NULL
UPDATE pk_tracking.custom_dimension SET active = false WHERE idsite = :site AND iddimension = 2;
SELECT pg_temp.act(:site, 'dimension2=x');
SELECT pg_temp.look(pg_temp.hit(:site, 'dimension1=', 'd1'), 'v.custom_dimensions IS NULL') AS cleared;
-- what add_dimension() refuses
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
SELECT replace(args, :'site', 'SITE') AS args, pg_temp.try(format('SELECT pk_tracking.add_dimension(%s)', args)) AS error FROM unnest(ARRAY[
	format('%s, '' '', ''visit''', :site), format('%s, ''a'', ''page''', :site), format('%s, ''a'', NULL', :site), '0, ''a'', ''visit''', 'NULL, ''a'', ''visit''',
	format('%s, ''a'', ''visit'', ''{}''', :site), format('%s, ''a'', ''visit'', ''[true]''', :site), format('%s, ''a'', ''visit'', ''[{"dimension": "cookie", "pattern": "a"}]''', :site),
	format('%s, ''a'', ''visit'', ''[{"dimension": "url", "pattern": "(a"}]''', :site), format('%s, ''a'', ''visit'', ''[{"dimension": "url", "pattern": "a"}]''', :site),
	format('%s, ''a'', ''visit'', ''[{"dimension": "url"}]''', :site), format('%s, ''a'', ''visit'', NULL', :site)]) WITH ORDINALITY x(args, n) ORDER BY n;
-- ... and what stands in the table all the same does no harm
INSERT INTO pk_tracking.custom_dimension (idsite, iddimension, name, scope, extractions) VALUES
	(:other, 7, 'broken', 'action', '[{"dimension": "url", "pattern": "(a"}, {"dimension": "url", "pattern": "no group"}, 1, {"dimension": "x", "pattern": "(.)"}, {"dimension": "url", "pattern": "(ok)"}]'),
	(:other, 8, 'no list', 'action', '{"a": 1}');
SELECT pg_temp.act(:other, 'url=https://b.example/no+group/ok'), pg_temp.act(:other, 'url=https://b.example/');

-- 10. Custom variables
SELECT n, pg_temp.look(pg_temp.hit(:site, q.query, 'e1'), $$concat_ws(' ', v.custom_variables, 'action', l.custom_variables)$$) AS variables
FROM (VALUES (1, '_cvar={"1":["type","new"],"5":["n",5]}&cvar={"2":["page","x"]}'), (2, '_cvar={"1":["type","old"],"3":["three",true]}'), (3, '_cvar={"0":["a","b"],"6":["a","b"],"2":["","b"],"4":["a"],"3":["a",["b"]],"x":["a","b"]}'),
	(4, '_cvar=[1]&cvar=nonsense'), (5, '_cvar={"1":["type",""]}'), (6, 'e_c=a&e_a=b&cvar={"1":["on","event"]}'), (7, 'ping=1&_cvar={"2":["by","ping"]}&cvar={"2":["by","ping"]}')) q(n, query)
ORDER BY n;
SELECT pg_temp.look(pg_temp.hit(:site, format('_cvar={"1":["%s","%s"]}', repeat('n', 300), repeat('%C3%BC', 300))),
	$$concat_ws(' ', length(v.custom_variables -> '1' ->> 0), length(v.custom_variables -> '1' ->> 1))$$) AS lengths;

-- 11. The dictionary: one text of two types, of two sites, and after an abort
SELECT pg_temp.act(:other, 'action_name=same&url=https://b.example/same'), pg_temp.act(:other, 'e_c=same&e_a=same&e_n=same&url=https://b.example/same'),
	pg_temp.act(:other, 'e_c=b.example/same&e_a=same&url=https://b.example/same') AS category_like_url, pg_temp.act(:other, 'search=same'), pg_temp.act(:other, 'c_n=same&c_p=same&c_t=same&c_i=same');
SELECT a.type, a.name, a.url_prefix FROM pk_tracking.log_action a WHERE a.idsite = :other AND a.name LIKE '%same' ORDER BY 1, 2, 3;
BEGIN;
SELECT pg_temp.act(:other, 'e_c=aborted&e_a=aborted&e_n=aborted');
SAVEPOINT s;
SELECT pg_temp.act(:other, 'search=aborted&search_cat=c');
ROLLBACK TO s;
SELECT pg_temp.act(:other, 'search=aborted');
ROLLBACK;
SELECT count(*) AS "of the aborted" FROM pk_tracking.log_action a WHERE a.idsite = :other AND a.name = 'aborted';
SELECT pg_temp.act(:other, 'e_c=aborted&e_a=aborted&e_n=aborted'), pg_temp.act(:other, 'search=aborted');
SELECT a.idsite = :other AS other, a.type, count(*) FROM pk_tracking.log_action a WHERE a.name IN ('aborted', 'Video', 'red shoes') AND a.idsite IN (:site, :other) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) - count(DISTINCT (a.idsite, a.idaction)) AS "numbers given twice" FROM pk_tracking.log_action a WHERE a.idsite IN (:site, :other, :matomo);
SELECT count(*) AS "names without a row" FROM pk_tracking.log_link_visit_action l
	CROSS JOIN LATERAL jsonb_each_text(jsonb_strip_nulls(to_jsonb(l))) e
WHERE l.idsite IN (:site, :other, :matomo) AND e.key LIKE 'idaction%' AND e.value <> '0'
	AND NOT EXISTS (SELECT FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = e.value::bigint);

-- 12. In a statement of many hits, and from track()
SELECT t.outcome, pg_temp.row_of(t) AS action, t.idlink_va IS NULL AS "no action"
FROM (VALUES (1, '{"e_c": "a", "e_a": "b", "e_v": 1.5}'::jsonb), (2, '{"download": "https://a.example/f"}'), (3, '{"ping": 1}'), (4, '{"c_n": "x"}'), (5, '{"e_c": " ", "e_a": "b"}'), (6, '{"pf_net": 5}')) q(n, p)
	CROSS JOIN LATERAL pk_tracking.track(:site, 'https://a.example/', visitor_id => 'f100000000000000', params => q.p, at => '2026-03-02 12:00+00') t WHERE q.n <> 5 ORDER BY n;
SELECT pg_temp.try(format($$SELECT pk_tracking.track(%s, params => '{"e_c": " ", "e_a": "b"}')$$, :site)) AS "a programmer's mistake";
SELECT pg_temp.try(format($$SELECT pk_tracking.track(%s, params => '{"pf_net": -7}')$$, :site)) AS "a programmer's mistake";

-- 13. A line break is a space, so that words stay apart; Matomo removes it
SELECT q.q AS query, i = :site AS piwik, pg_temp.act(i, q.q) AS action FROM unnest(ARRAY['action_name=Red%0AShoes', 'action_name=%0D%0ARed%0D%0A+Shoes%0A', 'e_c=a%0Ab&e_a=c%0Dd&e_n=e%0D%0Af', 'search=red%0Ashoes&search_cat=a%0Ab',
	'url=https://a.example/%3Fq%3Dred%250Ashoes', 'c_n=a%0Ab&c_p=c%0Ad&c_t=https://a.example/%0Ax', 'url=https://a.example/a%0Ab', 'link=https://c.example/a%0Ab']) WITH ORDINALITY q(q, n), unnest(ARRAY[:site, :matomo]) i ORDER BY n, piwik DESC;

-- 14. Pages in other character sets: cs says which; UTF-8 counts as UTF-8 all the same; what cannot be decoded keeps its escapes
SELECT q.q AS query, pg_temp.act(i, q.q) AS action, i = :site AS piwik FROM unnest(ARRAY[
	'url=https://a.example/%3Fq%3Dgr%25FCn&cs=windows-1252', 'url=https://a.example/%3Fq%3Dgr%25FCn&cs=ISO-8859-1', 'url=https://a.example/%3Fq%3Dgr%25C3%25BCn&cs=windows-1252',
	'url=https://a.example/%3Fq%3D%25F1%25EB%25EE%25E2%25EE&cs=windows-1251', 'url=https://a.example/%3Fq%3D%25D3%25CC%25CF%25D7%25CF&cs=koi8-r', 'url=https://a.example/%3Fq%3D%25D6%25D0%25CE%25C4&cs=gbk', 'url=https://a.example/%3Fq%3D%25D6%25D0%25CE%25C4&cs=GB2312',
	'url=https://a.example/%3Fq%3D%2593%25FA%2596%257B&cs=shift_jis', 'url=https://a.example/%3Fq%3D%2593%25FA%2596%7B&cs=Shift_JIS', 'url=https://a.example/%3Fq%3D%25C7%25D1%25B1%25DB&cs=euc-kr', 'url=https://a.example/%3Fq%3D%25A4%25A4%25A4%25E5&cs=big5', 'url=https://a.example/%3Fq%3D%25E3%25F9&cs=iso-8859-2',
	'url=https://a.example/%3Fq%3Dgr%25FCn', 'url=https://a.example/%3Fq%3Dgr%25F6n', 'url=https://a.example/%3Fq%3Dgr%25FCn&cs=macintosh', 'url=https://a.example/%3Fq%3Dgr%25FCn&cs=utf-8', 'url=https://a.example/%3Fq%3D%2581%25FF&cs=gbk',
	'action_name=gr%FCn&cs=windows-1252', 'action_name=gr%C3%BCn&cs=windows-1252', 'action_name=%93%FA%96{&cs=shift_jis', 'action_name=gr%81n&cs=windows-1252', 'action_name=gr%FCn', 'e_c=%D6%D0&e_a=%CE%C4&cs=gbk', 'cvar={"1":["k","gr%FCn"]}&cs=latin1',
	'url=https://a.example/gr%25FCn/%3Fa%3D%25FC%252F%2526&cs=windows-1252', 'link=https://c.example/%3Fx%3D%25FC&cs=windows-1252', 'search=x&search_cats=gr%FCn&cs=windows-1252']) WITH ORDINALITY q(q, n), unnest(ARRAY[:site, :matomo]) i ORDER BY n, piwik DESC;
SELECT t.outcome, pg_temp.row_of(t) AS action FROM pk_tracking.track(:site, 'https://a.example/?q=gr%FCn', params => '{"cs": "windows-1252"}', at => '2026-03-02 12:00+00') t;
