-- Every parameter of the table of hit fields: a good value, none, one that is
-- too long or too large, and a malformed one, and what stands in the log then.
-- A parameter that has no line here fails the test (doc/tracking.md, "Parameters").
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$
DECLARE
	site integer;
BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	site := pk_tracking.add_site('hit fields', ARRAY['https://a.example']);
	-- no two visitors are joined, and no country is told by the language
	PERFORM pk_tracking.set_site(site, 'trust_visitors_cookies', 'on'), pk_tracking.set_site(site, 'use_fingerprint', 'off'), pk_tracking.set_site(site, 'enable_default_location_provider', 'off');
	PERFORM pk_tracking.add_goal(site, 'by hand', 'manually');
	INSERT INTO pk_tracking.token (token_hash, name) VALUES (sha256('hit-fields-token'), 'hit fields');
	PERFORM set_config('test.site', site::text, false);
	site := pk_tracking.add_site('hit fields, anonymous', ARRAY['https://a.example']);
	PERFORM pk_tracking.set_site(site, 'consent_mode', 'ask_else_anonymous');
	PERFORM set_config('test.anonymous', site::text, false);
END $$;

-- look: an expression over the visit v, the action a (view), its row l, the
-- newest conversion c and number of items i; the wants are its values, or what
-- the hit is answered.  In values and contexts $S is the site, $A one where
-- visitors are anonymous, $I the visitor's id, $T the time of the hit.
CREATE TEMP TABLE line (n serial, name text PRIMARY KEY, look text NOT NULL, good text, good_want text,
	missing_want text, long text, long_want text, malformed text, malformed_want text,
	context text NOT NULL DEFAULT '', before text, trusted boolean NOT NULL DEFAULT true);

INSERT INTO line (name, look, good, good_want, missing_want, long, long_want, malformed, malformed_want, context) VALUES
	('idsite', $$'seen'$$, '$S', 'seen', 'invalid idsite', repeat('9', 1000), 'invalid idsite', 'x', 'invalid idsite', ''),
	('rec', $$'seen'$$, '1', 'seen', 'excluded rec', repeat('1', 100), 'excluded rec', 'yes', 'excluded rec', ''),
	('url', $$left(a.url, 21) || ' ' || octet_length(a.url)$$, 'https://a.example/page', 'https://a.example/pag 22', NULL, 'https://a.example/' || repeat('u', 5000), 'https://a.example/uuu 1024', 'nonsense', NULL, ''),
	('action_name', $$left(a.title, 5) || ' ' || octet_length(a.title)$$, 'Title', 'Title 5', NULL, repeat('t', 5000), 'ttttt 1024', 'a%FFb%00%0Ac', U&'a\FFFDb c 7', ''),
	('cs', 'a.title', 'windows-1252', U&'gr\00FCn', U&'gr\FFFDn', repeat('c', 5000), U&'gr\FFFDn', '%FF%00', U&'gr\FFFDn', 'action_name=gr%FCn'),
	('urlref', $$v.referer_type || coalesce(' ' || length(v.referer_url), '')$$, 'https://b.example/x', '3 19', '1', 'https://b.example/' || repeat('r', 5000), '3 1024', 'not an address', '1', ''),
	('pv_id', 'l.idpageview', 'abc123', 'abc123', NULL, 'abcdefgh', 'abcdef', 'a%FF%00', U&'a\FFFD', ''),
	('uid', $$left(v.user_id, 5) || ' ' || length(v.user_id)$$, 'jo', 'jo 2', NULL, repeat('u', 5000), 'uuuuu 200', 'j%00o%FF', U&'jo\FFFD 3', ''),
	('cid', $$v.idvisitor = '0123456789abcdef'$$, '0123456789abcdef', 'true', 'false', '0123456789abcdef0', 'invalid cid', 'zzzzzzzzzzzzzzzz', 'invalid cid', ''),
	('_id', $$v.idvisitor = '0123456789abcde0'$$, '0123456789abcde0', 'true', 'false', '0123456789abcde0' || repeat('0', 500), 'true', 'zzzzzzzzzzzzzzzz', 'false', ''),
	('bots', $$'seen'$$, '1', 'seen', 'excluded bot', repeat('1', 100), 'excluded bot', 'x', 'excluded bot', 'ua=Googlebot/2.1'),
	('uia', $$'seen'$$, '1', 'excluded consent', 'seen', repeat('1', 100), 'seen', 'x', 'seen', ''),
	('_idvc', 'v.visitor_count_visits', '5', '5', '1', '99999999999', '1', 'five', '1', ''),
	('_idts', 'v.visitor_seconds_since_first', '$T-86400', '86400', '0', repeat('9', 20), '0', '-1', '0', ''),
	('_viewts', 'v.visitor_seconds_since_last', '$T-3600', '3600', '0', repeat('9', 20), '0', '-1', '0', '_idvc=3'),
	('_ects', 'v.visitor_seconds_since_order', '$T-7200', '7200', NULL, repeat('9', 20), NULL, '-1', NULL, ''),
	('res', 'v.config_resolution', '1280x1024', '1280x1024', 'unknown', '12345x67890', '12345x678', '%FF%00', U&'\FFFD', ''),
	('h', 'v.visitor_localtime', '7', '07:05:06', '12:05:06', '99999999999', '12:05:06', 'x', '12:05:06', 'm=5&s=6'),
	('m', 'v.visitor_localtime', '5', '07:05:06', '07:00:06', '99999999999', '07:00:06', 'x', '07:00:06', 'h=7&s=6'),
	('s', 'v.visitor_localtime', '6', '07:05:06', '07:05:00', '99999999999', '07:05:00', 'x', '07:05:00', 'h=7&m=5'),
	('ua', 'v.config_browser_name', 'Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0', 'FF', 'CH', 'Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0 ' || repeat('x', 5000), 'FF', '%FF%FE', 'UNK', ''),
	('uadata', 'v.config_os_version', '{"platform":"Windows","platformVersion":"15.0.0"}', '11', '10', '{"platform":"' || repeat('x', 50000) || '"}', '10', '{"platform"', '10', ''),
	('lang', 'v.location_browser_lang', 'fr', 'fr', 'en', 'fr' || repeat(',de', 20000), 'fr', '%FF%FE', NULL, ''),
	('download', $$a.kind || coalesce(' ' || octet_length(a.url), '')$$, 'https://a.example/f.zip', 'download 23', 'page', 'https://a.example/' || repeat('d', 5000), 'download 1024', '%09+', 'page', ''),
	('link', $$a.kind || coalesce(' ' || octet_length(a.url), '')$$, 'https://b.example/', 'outlink 18', 'page', 'https://b.example/' || repeat('d', 5000), 'outlink 1024', '%09+', 'page', ''),
	('e_c', $$a.kind || coalesce(' ' || octet_length(a.event_category), '')$$, 'Video', 'event 5', 'page', repeat('c', 5000), 'event 1024', '%09+', 'invalid e_c', 'e_a=play'),
	('e_a', $$a.kind || coalesce(' ' || octet_length(a.event_action), '')$$, 'play', 'event 4', 'page', repeat('a', 5000), 'event 1024', '%09+', 'invalid e_a', 'e_c=Video'),
	('e_n', $$left(a.event_name, 3) || ' ' || octet_length(a.event_name)$$, 'Trailer', 'Tra 7', NULL, repeat('n', 5000), 'nnn 1024', '%FF%00', U&'\FFFD 3', 'e_c=Video&e_a=play'),
	('e_v', 'a.event_value', '2.5', '2.5', NULL, repeat('9', 65), NULL, '1,5', NULL, 'e_c=Video&e_a=play'),
	('c_n', $$a.kind || coalesce(' ' || octet_length(a.content_name), '')$$, 'Ad', 'content 2', 'page', repeat('n', 5000), 'content 1024', '%09+', 'page', ''),
	('c_p', 'octet_length(a.content_piece)', 'img.png', '7', NULL, repeat('p', 5000), '1024', '%FF%00', '3', 'c_n=Ad'),
	('c_t', 'octet_length(a.content_target)', 'https://t.example/', '18', NULL, repeat('p', 5000), '1024', '%FF%00', '3', 'c_n=Ad'),
	('c_i', 'octet_length(a.content_interaction)', 'click', '5', NULL, repeat('p', 5000), '1024', '%FF%00', '3', 'c_n=Ad'),
	('search', $$a.kind || coalesce(' ' || octet_length(a.search_keyword), '')$$, 'shoes', 'search 5', 'page', repeat('s', 5000), 'search 1024', '%09+', 'page', ''),
	('search_cat', $$left(a.search_category, 3) || ' ' || length(a.search_category)$$, 'women', 'wom 5', NULL, repeat('c', 5000), 'ccc 200', '%FF%00', U&'\FFFD 1', 'search=x'),
	('search_count', 'a.search_count', '7', '7', NULL, '99999999999', NULL, 'x', NULL, 'search=x'),
	('ca', 'a.kind', '1', 'invalid ca', 'page', repeat('1', 100), 'page', 'x', 'page', ''),
	('_pks', $$left(a.product_sku, 3) || ' ' || octet_length(a.product_sku)$$, 'SKU-1', 'SKU 5', NULL, repeat('s', 5000), 'sss 1024', '%FF%00', U&'\FFFD 3', ''),
	('_pkn', $$left(a.product_name, 3) || ' ' || octet_length(a.product_name)$$, 'Shoe', 'Sho 4', NULL, repeat('s', 5000), 'sss 1024', '%FF%00', U&'\FFFD 3', ''),
	('_pkc', 'a.product_categories', '["Shoes","Red"]', '{Shoes,Red}', NULL, '["a","b","c","d","e","f","g"]', '{a,b,c,d,e}', '[broken', '{[broken}', ''),
	('_pkp', 'a.product_price', '49.90', '49.90', NULL, repeat('9', 65), NULL, '1,5', NULL, ''),
	('_cvar', $$v.custom_variables #>> '{1,0}' || ' ' || length(v.custom_variables #>> '{1,1}')$$, '{"1":["n","value"]}', 'n 5', NULL, '{"1":["n","' || repeat('v', 5000) || '"]}', 'n 200', '{"1":["n",', NULL, ''),
	('cvar', $$l.custom_variables #>> '{1,0}' || ' ' || length(l.custom_variables #>> '{1,1}')$$, '{"1":["n","value"]}', 'n 5', NULL, '{"1":["n","' || repeat('v', 5000) || '"]}', 'n 200', '{"1":["n",', NULL, ''),
	('idgoal', 'c.idgoal', '1', '1', NULL, '99999999999', NULL, 'x', NULL, ''),
	('ec_id', $$c.idgoal || coalesce(' ' || length(c.idorder), '')$$, 'o-$I', '0 18', '-1', '$I' || repeat('o', 200), '0 100', '0', 'invalid ec_id', 'idgoal=0'),
	('revenue', 'c.revenue', '12.50', '12.50', '0', repeat('9', 65), NULL, '1,5', NULL, 'idgoal=0&ec_id=$I'),
	('ec_st', 'c.revenue_subtotal', '12.50', '12.50', NULL, repeat('9', 65), NULL, '1,5', NULL, 'idgoal=0&ec_id=$I'),
	('ec_tx', 'c.revenue_tax', '12.50', '12.50', NULL, repeat('9', 65), NULL, '1,5', NULL, 'idgoal=0&ec_id=$I'),
	('ec_sh', 'c.revenue_shipping', '12.50', '12.50', NULL, repeat('9', 65), NULL, '1,5', NULL, 'idgoal=0&ec_id=$I'),
	('ec_dt', 'c.revenue_discount', '12.50', '12.50', NULL, repeat('9', 65), NULL, '1,5', NULL, 'idgoal=0&ec_id=$I'),
	('ec_items', $$c.items || ' ' || i.n$$, '[["S","Shoe","Shoes",10,2],["T"]]', '3 2', '0 0', '[' || repeat('["S"],', 1000) || '["S"]]', 'invalid ec_items', '[["S"', 'invalid ec_items', 'idgoal=0&ec_id=$I'),
	('_rcn', $$c.referer_type || coalesce(' ' || left(c.referer_name, 3) || ' ' || length(c.referer_name), '')$$, 'spring', '6 spr 6', '1', repeat('c', 5000), '6 ccc 255', '%FF%00', U&'6 \FFFD 1', 'idgoal=1'),
	('_rck', $$c.referer_type || coalesce(' ' || left(c.referer_keyword, 3) || ' ' || length(c.referer_keyword), '')$$, 'shoes', '6 sho 5', '6  0', repeat('c', 5000), '6 ccc 255', '%FF%00', U&'6 \FFFD 1', 'idgoal=1&_rcn=spring'),
	('_ref', $$c.referer_type || coalesce(' ' || c.referer_name, '')$$, 'https://b.example/x', '3 b.example', '1', 'https://b.example/' || repeat('r', 5000), '3 b.example', 'not an address', '1', 'idgoal=1'),
	('country', 'v.location_country', 'de', 'de', NULL, 'deutschland', 'deu', '%FF', NULL, ''),
	('region', 'v.location_region', 'BE', 'BE', NULL, 'BERLIN', 'BER', '%FF%00', U&'\FFFD', 'country=de'),
	('city', $$left(v.location_city, 6) || ' ' || length(v.location_city)$$, 'Berlin', 'Berlin 6', NULL, repeat('c', 5000), 'cccccc 255', '%FF%00', U&'\FFFD 1', 'country=de'),
	('lat', 'v.location_latitude', '52.5', '52.500000', NULL, repeat('9', 100), NULL, '52,5', NULL, 'long=13.4'),
	('long', 'v.location_longitude', '13.4', '13.400000', NULL, repeat('9', 100), NULL, '13,4', NULL, 'lat=52.5'),
	('lon', 'v.location_longitude', '13.4', '13.400000', NULL, repeat('9', 100), NULL, '13,4', NULL, 'lat=52.5'),
	('cip', 'host(v.location_ip)', '198.51.100.1', '198.51.0.0', '203.0.0.0', repeat('1', 5000), NULL, '999.1.1.1', NULL, ''),
	('cdt', 'v.visit_first_action_time', '2026-03-01 10:00:00', '2026-03-01 10:00:00+00', '2026-03-02 12:00:00+00', '2026-03-01 10:00:00' || repeat(' ', 100) || 'x', '2026-03-02 12:00:00+00', 'yesterday', '2026-03-02 12:00:00+00', ''),
	('cdo', 'v.visit_first_action_time', '60', '2026-03-02 11:59:00+00', '2026-03-02 12:00:00+00', '99999999999', '2026-03-02 12:00:00+00', 'x', '2026-03-02 12:00:00+00', '');
INSERT INTO line (name, look, good, good_want, missing_want, long, long_want, malformed, malformed_want, context) VALUES
	('consent', $$'seen'$$, 'denied', 'excluded consent', 'seen', repeat('denied', 100), 'seen', 'maybe', 'seen', ''),
	('rmip', 'host(v.location_ip)', '1', NULL, '203.0.0.0', repeat('1', 100), '203.0.0.0', 'x', '203.0.0.0', ''),
	('dda', 'v.config_os', '1', NULL, 'WIN', repeat('1', 100), 'WIN', 'x', 'WIN', 'idsite=$A'),
	-- the site makes no fingerprints
	('sh', 'v.config_id IS NOT NULL', '1', 'true', 'false', '99999999999', 'false', 'x', 'false', '');
INSERT INTO line (name, look, good, good_want, missing_want, long, long_want, malformed, malformed_want)
SELECT p.name, 'v.config_' || p.col, '1', '1', '0', '99999999999', '0', 'x', '0'
FROM (VALUES ('fla', 'flash'), ('java', 'java'), ('qt', 'quicktime'), ('realp', 'realplayer'), ('pdf', 'pdf'), ('wma', 'windowsmedia'), ('ag', 'silverlight'), ('cookie', 'cookie')) p(name, col);
INSERT INTO line (name, look, good, good_want, missing_want, long, long_want, malformed, malformed_want)
SELECT 'pf_' || p.name, 'a.time_' || p.col, '7', '7', NULL, '16777216', NULL, '-7', 'invalid pf_' || p.name
FROM (VALUES ('net', 'network'), ('srv', 'server'), ('tfr', 'transfer'), ('dm1', 'dom_processing'), ('dm2', 'dom_completion'), ('onl', 'on_load')) p(name, col);
-- these need a visit that there is already
INSERT INTO line (name, look, good, good_want, missing_want, long, long_want, malformed, malformed_want, before) VALUES
	('new_visit', 'v.visitor_count_visits', '1', '2', '1', repeat('1', 100), '1', 'yes', '1', 'action_name=first'),
	('ping', $$coalesce(a.kind, 'no action')$$, '1', 'no action', 'page', repeat('1', 100), 'page', 'x', 'page', 'action_name=first');
INSERT INTO line (name, look, good, good_want, missing_want, long, long_want, malformed, malformed_want, context, trusted) VALUES
	('token_auth', 'host(v.location_ip)', 'hit-fields-token', '198.51.0.0', 'invalid cip', repeat('hit-fields-token', 300), 'invalid cip', '%FF%00', 'invalid cip', 'cip=198.51.100.1', false);

-- What a hit with these parameters shows.
CREATE TEMP SEQUENCE visitor;
CREATE FUNCTION pg_temp.seen(l line, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id text := lpad(to_hex(nextval('visitor')), 16, 'e');
	t timestamptz := '2026-03-02 12:00:00+00';
	base text := concat_ws('&', CASE WHEN l.name <> 'idsite' THEN 'idsite=$S' END, CASE WHEN l.name <> 'rec' THEN 'rec=1' END, CASE WHEN l.name <> '_id' THEN '_id=$I' END);
	query text;
	r pk_tracking.tracked;
	result text;
BEGIN
	-- escaped, but for what is so already
	value := replace(replace(replace(value, '$T', ''), '&', '%26'), '#', '%23');
	IF value ~ '^-[0-9]+$' AND l.name IN ('_idts', '_viewts', '_ects') AND value <> '-1' THEN
		value := extract(epoch FROM t)::bigint + value::bigint;
	END IF;
	FOREACH query IN ARRAY array_remove(ARRAY[base || '&' || l.before, concat_ws('&', base, nullif(l.context, ''), l.name || '=' || value)], NULL) LOOP
		query := replace(replace(replace(query, '$S', current_setting('test.site')), '$A', current_setting('test.anonymous')), '$I', id);
		r := pk_tracking.track_request(query, '203.0.113.77', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36', 'en', t, trusted => l.trusted);
		t := t + interval '1 second';
	END LOOP;
	IF r.outcome <> 'recorded' THEN
		RETURN r.outcome || ' ' || r.outcome_reason;
	END IF;
	EXECUTE format('SELECT (%s)::text FROM pk_tracking.log_visit v
		LEFT JOIN pk_tracking.action a ON a.idvisit = v.idvisit AND a.idlink_va = $2
		LEFT JOIN pk_tracking.log_link_visit_action l ON l.idvisit = v.idvisit AND l.idlink_va = $2
		LEFT JOIN pk_tracking.log_conversion c ON c.idvisit = v.idvisit
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM pk_tracking.log_conversion_item i WHERE i.idvisit = v.idvisit) i
		WHERE v.idvisit = $1', l.look) INTO STRICT result USING r.idvisit, r.idlink_va;
	RETURN result;
END
$$;

-- a new parameter needs a line above, and a line its parameter
SELECT f.name AS "without a test" FROM pk_tracking.hit_fields f WHERE f.name NOT IN (SELECT l.name FROM line l);
SELECT l.name AS "no such parameter" FROM line l WHERE l.name NOT IN (SELECT f.name FROM pk_tracking.hit_fields f);
SELECT l.name AS "incomplete" FROM line l WHERE num_nulls(l.good, l.long, l.malformed) > 0;

-- what is not as it must be
SELECT l.name, v.which, left(v.value, 40) AS value, s.seen, v.want
FROM line l
	CROSS JOIN LATERAL (VALUES (1, 'good', l.good, l.good_want), (2, 'missing', NULL, l.missing_want), (3, 'too long', l.long, l.long_want), (4, 'malformed', l.malformed, l.malformed_want), (5, 'empty', '', l.missing_want)) v(k, which, value, want)
	CROSS JOIN LATERAL (SELECT pg_temp.seen(l, v.value) AS seen) s
WHERE s.seen IS DISTINCT FROM v.want
ORDER BY l.n, v.k;

-- a good value is seen: it gives something else than none, or the test is blind
SELECT l.name AS "the good value makes no difference" FROM line l WHERE l.good_want IS NOT DISTINCT FROM l.missing_want;
DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.token WHERE name = 'hit fields';
