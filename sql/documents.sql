-- Bulk documents as clients send them: what is too long, what is malformed
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	DELETE FROM pk_tracking.token;
END $$;
SELECT pk_tracking.add_site('documents') AS site \gset
SELECT set_config('test.site', :'site', false) IS NULL AS x \gset
CREATE FUNCTION pg_temp.doc(document text) RETURNS text LANGUAGE sql AS $$
	SELECT replace(document, '$S', current_setting('test.site'))
$$;
CREATE FUNCTION pg_temp.said(document text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.outcome, t.outcome_reason), ', ') FROM pk_tracking.track_requests(pg_temp.doc(document)) t
$$;
CREATE FUNCTION pg_temp.said(document jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', t.outcome, t.outcome_reason), ', ') FROM pk_tracking.track_requests(pg_temp.doc(document::text)::jsonb) t
$$;
CREATE FUNCTION pg_temp.raises(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	context text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(' / ', SQLSTATE, SQLERRM, substring(context, 'JSON data.*'));
END
$$;

-- 1. A request of more than 64 kB is invalid, whatever makes it long, and harms no other
CREATE TEMP TABLE long AS SELECT * FROM (VALUES
	(1, 'text', to_jsonb('?idsite=$S&rec=1&a=' || repeat('x', 70000))),
	(2, 'value', jsonb_build_object('idsite', '$S', 'rec', 1, 'action_name', repeat('x', 70000))),
	(3, 'members', (SELECT jsonb_object_agg('m' || i, i) FROM generate_series(1, 10000) i) || '{"idsite": "$S", "rec": 1}'),
	(4, 'items', jsonb_build_object('idsite', '$S', 'rec', 1, 'idgoal', 0, 'ec_id', 'a', 'revenue', 1, 'ec_items', (SELECT jsonb_agg(jsonb_build_array('s' || i, 'n', 'c', 1, 1)) FROM generate_series(1, 5000) i))),
	(5, 'items, an object', jsonb_build_object('idsite', '$S', 'rec', 1, 'idgoal', 0, 'ec_id', 'b', 'revenue', 1, 'ec_items', (SELECT jsonb_object_agg('s' || i, i) FROM generate_series(1, 10000) i))),
	(6, 'list', jsonb_build_object('idsite', '$S', 'rec', 1, 'dimension1', (SELECT jsonb_agg(i) FROM generate_series(1, 10000) i))),
	(7, 'name', jsonb_build_object('idsite', '$S', 'rec', 1, repeat('n', 70000), 1)),
	(8, 'nested', jsonb_build_object('idsite', '$S', 'rec', 1, 'cvar', (SELECT jsonb_object_agg(i, jsonb_build_array('name', 'value')) FROM generate_series(1, 5000) i))),
	(9, 'just not too long', jsonb_build_object('idsite', '$S', 'rec', 1, 'action_name', repeat('x', 65000)))
) x(n, what, request);
SELECT what, pg_temp.said(jsonb_build_array('?idsite=$S&rec=1', request, '?idsite=$S&rec=1')), pg_temp.said(jsonb_build_array('?idsite=$S&rec=1', request, '?idsite=$S&rec=1')::text) FROM long ORDER BY n;
-- a number of few bytes is not printed as one of many: 3000 of them would be 400 MB
SELECT name, t.outcome, t.outcome_reason
FROM (VALUES ('other', '1e131000'::jsonb), ('list', (SELECT jsonb_agg('1e131000'::jsonb) FROM generate_series(1, 3000))), ('_pkc', (SELECT jsonb_agg('1e131000'::jsonb) FROM generate_series(1, 3000))),
	('ec_items', jsonb_build_array('["a", "b", "c", 1e131000, 1]'::jsonb)), ('cvar', '{"1": ["a", 1e-16000]}'), ('action_name', '1e131000')) x(name, v), pk_tracking.track_requests(jsonb_build_array(jsonb_build_object('idsite', :site, 'rec', 1, 'idgoal', 0, 'ec_id', name, 'revenue', 1, name, v))) t;

-- 2. As text: what is no document is one invalid row, with nothing raised that could be logged
SELECT left(d, 40) AS document, length(d), pg_temp.said(d) AS rows, pk_tracking.track_requests_answer(pg_temp.doc(d)) AS answer FROM unnest(ARRAY['', ' ', 'secret', '5', '"secret"', 'null', '{}', '{"secret": 1}', '{"requests": "secret"}', '{"requests": {"secret": 1}}', '{"requests": {"00": "?idsite=$S"}}',
	'{"requests": ["?idsite=$S&rec=1"]', '{"requests": ["?idsite=$S&rec=1", secret]}', '{"requests": ["?idsite=$S&rec=1"]} secret', '["?idsite=$S&rec=1"', '["?idsite=$S&rec=1', '["?idsite=$S&rec=1\', '[1,]', '{"requests"', '{"requests":', '{1: 2}', E'["a\nb"]',
	repeat('[', 100000), repeat('[', 100) || repeat(']', 100), (SELECT jsonb_agg(i)::text FROM generate_series(1, 10001) i)]) WITH ORDINALITY u(d, n) ORDER BY n;
SELECT d AS document, pg_temp.said(d) AS rows, pk_tracking.track_requests_answer(pg_temp.doc(d)) AS answer FROM unnest(ARRAY['[]', '{"requests": []}', '{"requests": {}}', ' { "requests" : [ "?idsite=$S&rec=1" , { "idsite" : $S , "rec" : 1 } ] } ', E'[\n\t"?idsite=$S&rec=1"\r\n]',
	'{"\u0072equest\u0073": ["?idsite=$S&rec=1"], "\\u0072equests": 1, "\u0072equest": 2, "\u0172equests": 3, "\requests": 4}', '{"\u0072equests": ["\u003fidsite=$S&rec=1"]}', '{"requests": ["?idsite=$S&rec=1"], "requests": ["?idsite=$S", "x"]}', '{"10": "?idsite=$S&rec=1", "2": "?idsite=$S&rec=1", "2": "?idsite=$S"}',
	'[{"idsite": $S, "rec": 1, "a": "]}\"\\"}, "?idsite=$S&rec=1&a=\"]\\", [], {}, 7, -1.5e3, null, true, "", "no query", ["a", {"b": "]"}], {"a": {"b": [1, "}"]}}]',
	-- one request that jsonb cannot hold harms no other
	'[{"idsite": $S, "rec": 1, "a": "\u0000"}, "?idsite=$S&rec=1&a=\u0000", {"idsite": $S, "rec": 1, "revenue": 1e400000}, "?idsite=$S&rec=1"]']) WITH ORDINALITY u(d, n) ORDER BY n;
-- both forms read a document alike
CREATE TEMP TABLE alike AS SELECT * FROM unnest(ARRAY['["?idsite=$S&rec=1&url=http://a.example/%C3%A9", {"idsite": "$S", "rec": "1", "url": "http://a.example/\u00e9\"", "dimension1": ["a", "b"]}, "x", "?", 5, {"rec": 1}]', '{"requests": {"1": "?idsite=$S&rec=1", "0": {"idsite": $S}}}',
	'{"0": "?idsite=$S&rec=1", "1": null}', '{"token_auth": "x", "requests": ["?idsite=$S&rec=1&cip=10.0.0.1"]}', '[[[["?"]]]]']) WITH ORDINALITY u(d, n);
SELECT d, pg_temp.said(d) = pg_temp.said(pg_temp.doc(d)::jsonb) AS alike FROM alike ORDER BY n;
-- a token of the document, however its name is written, and those of its requests
SELECT pk_tracking.create_token(NULL, 'of documents') AS token \gset
SELECT pg_temp.said(format(d, :'token')) FROM unnest(ARRAY['{"token_auth": "%s", "requests": ["?idsite=$S&rec=1&cip=10.0.0.1"]}', '{"requests": ["?idsite=$S&rec=1&cip=10.0.0.1"], "token\u005fauth": "%s"}', '["?idsite=$S&rec=1&cip=10.0.0.1&token_auth=%s"]', '{"token_auth": ["%s"], "requests": ["?idsite=$S&rec=1&cip=10.0.0.1"]}']) WITH ORDINALITY u(d, n) ORDER BY n;
SELECT pk_tracking.track_requests_answer(pg_temp.doc(format('{"token_auth": "%s", "requests": ["?idsite=$S&rec=1", "?idsite=0&rec=1"]}', :'token')));
-- a literal without a type, a parameter without a type, and NULL are texts
SELECT t.outcome_reason FROM pk_tracking.track_requests('{') t;
PREPARE documents AS SELECT pk_tracking.track_requests_answer($1);
EXECUTE documents('{');
SELECT pg_temp.raises('SELECT pk_tracking.track_requests(NULL)'), pg_temp.raises('SELECT pk_tracking.track_requests_answer(NULL::jsonb)'), pg_temp.raises($$SELECT pk_tracking.track_requests('{}'::jsonb)$$);

-- 3. A header is cut at 8 kB, of documents and of single hits
CREATE FUNCTION pg_temp.headers(n integer) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('user-agent', 'Mozilla/5.0 ' || repeat('x', n), 'cookie', repeat('x', n) || ';_pk_uid=aaaaaaaaaaaaaaaa', 'Referer', jsonb_build_array('http://a.example/' || repeat(U&'\00FC', n)))
$$;
SELECT FROM pk_tracking.set_site(:site, 'use_third_party_id_cookie', 'on') a, pk_tracking.set_site(:site, 'page_maximum_length', '2000') b;
CREATE TEMP TABLE cut AS SELECT n, t.* FROM unnest(ARRAY[10, 4000, 9000]) n, LATERAL (SELECT * FROM pk_tracking.track_request(format('idsite=%s&rec=1&new_visit=1', :site), headers => pg_temp.headers(n))
	UNION ALL SELECT t.* FROM pk_tracking.track_requests(format('["?idsite=%s&rec=1&new_visit=1"]', :site), headers => pg_temp.headers(n)) t) t;
SELECT n, t.outcome, t.matched_by, t.idvisitor = 'aaaaaaaaaaaaaaaa' AS cookie, octet_length(a.url) AS url FROM cut t LEFT JOIN pk_tracking.action a USING (idvisit, idlink_va) ORDER BY n, t.idlink_va;
-- the hits of a document share what the connection said, and none changes it
CREATE TEMP TABLE shared AS SELECT * FROM pk_tracking.track_requests(format('["?idsite=%1$s&rec=1", "?idsite=%1$s&rec=1&url=http://a.example/2&cs=windows-1252", "?idsite=%1$s&rec=1&cs=windows-1252", "?idsite=%1$s&rec=1"]', :site),
	'10.0.0.1', repeat('a', 3000), headers => '{"referer": "http://a.example/%FC;b=1"}');
SELECT t.outcome, t.config_id = (SELECT min(t.config_id) FROM shared t) AS same, a.url FROM shared t JOIN pk_tracking.action a USING (idvisit, idlink_va) ORDER BY t.idlink_va;

-- 4. Without a token: so many requests, in groups of so many visitors
DELETE FROM pk_tracking.setting;
CREATE FUNCTION pg_temp.many(n integer, more text DEFAULT '', token text DEFAULT '', trusted boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', s.n, s.outcome, s.outcome_reason), ', ' ORDER BY s.first)
	FROM (SELECT t.outcome, t.outcome_reason, count(*) AS n, min(t.ordinality) AS first
		FROM pk_tracking.track_requests(jsonb_build_object('token_auth', $3, 'requests', (SELECT jsonb_agg(format('?idsite=%s&rec=1&_id=%s&%s', current_setting('test.site'), lpad(to_hex(i), 16, '0'), replace($2, '$i', i::text)) ORDER BY i) FROM generate_series(1, $1) i))::text,
			'10.0.0.1', at => '2026-03-02 12:00+00', trusted => $4) WITH ORDINALITY t GROUP BY 1, 2) s
$$;
SELECT pg_temp.many(1100) AS "default", pg_temp.many(1100, token => :'token') AS token, pg_temp.many(1100, trusted => true) AS trusted, pg_temp.many(1100, token => 'wrong') AS wrong;
SELECT FROM pk_tracking.set_instance('bulk_requests_limit', '3');
SELECT pg_temp.many(3) AS "limit", pg_temp.many(5) AS more, pg_temp.many(5, token => :'token') AS token, pg_temp.many(5, 'token_auth=' || :'token') AS tokens, pg_temp.many(5, CASE WHEN true THEN 'cdt=1' END) AS others;
SELECT pg_temp.said(format('["?idsite=$S&rec=1", "x", "?idsite=0&rec=1", "?idsite=$S&rec=1", "?idsite=$S&rec=1", "?idsite=$S&rec=1&token_auth=%s", "?idsite=$S&rec=1"]', :'token'));
SELECT FROM pk_tracking.set_site(:site, 'tracking_requests_require_authentication', 'off');
SELECT pg_temp.many(5) AS "everybody is trusted, and still a stranger";
SELECT FROM pk_tracking.set_instance('bulk_requests_limit', '0');
SELECT pg_temp.many(2), pg_temp.many(2, token => :'token');
DELETE FROM pk_tracking.setting;
-- locks of orders are kept, so they are few
SELECT pg_temp.many(100, 'idgoal=0&revenue=1&ec_id=order$i') AS orders, pg_temp.many(100, 'idgoal=0&revenue=1&ec_id=order$i') AS again;
-- and carts of a visit replace each other's items, whose versions stay until the end
SELECT pg_temp.many(100, 'idgoal=0&revenue=1&ec_items=[[%22a%22]]') AS carts, pg_temp.many(100, 'idgoal=0&revenue=1&ec_items=[[%22a%22]]', token => :'token') AS token, pg_temp.many(100, 'idgoal=0&revenue=0&ec_items=[]') AS emptied;
SELECT pg_temp.many(13, 'idgoal=0&revenue=1&ec_items=[' || string_agg(format('[%%22%s%%22]', i), ',') || ']') AS items FROM generate_series(1, 1000) i;
-- few visitors, who come back to 300 visits of one day: locks of visits are few, too
CREATE FUNCTION pg_temp.back(at timestamptz, trusted boolean, OUT outcome text, OUT new_visit boolean, OUT n bigint) RETURNS SETOF record LANGUAGE sql AS $$
	SELECT t.outcome, t.new_visit, count(*) FROM pk_tracking.track_requests((SELECT jsonb_agg(format('?idsite=%s&rec=1&_id=%s&cdo=%s', current_setting('test.site'), lpad(to_hex(i % 10), 16, 'c'), 2400 * (i / 10)) ORDER BY i)::text FROM generate_series(0, 299) i),
		'10.0.0.3', at => $1, trusted => $2) t GROUP BY 1, 2
$$;
SELECT FROM pk_tracking.set_site(:site, 'trust_visitors_cookies', 'on');
SELECT * FROM pg_temp.back('2026-03-04 22:00+00', true);
BEGIN;
SELECT * FROM pg_temp.back('2026-03-04 22:05+00', false);
SELECT count(*) FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.locktype = 'advisory' AND l.objsubid = 28779;
COMMIT;
SELECT v.visit_total_actions, count(*) FROM pk_tracking.log_visit v WHERE v.idsite = :site AND v.idvisitor::text LIKE 'cccc%' GROUP BY 1;
-- sessions without consent, days with salts of their own, several sites, visitors that come again in another group
SELECT FROM pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous') a, pk_tracking.set_site(:site, 'fingerprint_salt_rotation', 'daily') b, pk_tracking.set_site(:site, 'trust_visitors_cookies', 'on') c;
SELECT pg_temp.many(200), pg_temp.many(200, 'consent=granted'), pg_temp.many(200, 'consent=granted&cdo=80000'), pg_temp.many(200, 'consent=granted&url=http://a.example/$i');
SELECT v.consent, count(DISTINCT v.idvisitor) AS visitors, count(*) AS visits, sum(v.visit_total_actions) AS actions FROM pk_tracking.log_visit v WHERE v.idsite = :site AND v.consent > 0 GROUP BY 1 ORDER BY 1;
SELECT t.outcome, t.outcome_reason, t.new_visit, count(*) FROM pk_tracking.track_requests((SELECT jsonb_agg(format('?idsite=%s&rec=1&consent=granted&_id=%s', :site, lpad(to_hex(i % 150), 16, 'b')) ORDER BY i)::text FROM generate_series(1, 300) i), '10.0.0.1', at => '2026-03-02 14:00+00') t GROUP BY 1, 2, 3 ORDER BY 3;

DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.token;
DELETE FROM pk_tracking.site s WHERE s.name = 'documents';
