-- Bulk documents, tokens, and what needs authentication
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
SELECT pk_tracking.add_site('requests one') AS one, pk_tracking.add_site('requests two') AS two, 987654321 AS unknown \gset

-- documents with $1, $2 and $U for the sites, tracked at noon
CREATE FUNCTION pg_temp.doc(document text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT replace(replace(replace(document, '$1', current_setting('test.one')), '$2', current_setting('test.two')), '$U', '987654321')::jsonb
$$;
CREATE FUNCTION pg_temp.bulk(document text, headers jsonb DEFAULT NULL, trusted boolean DEFAULT false,
	OUT n bigint, OUT said text, OUT site text, OUT url text, OUT at timestamptz, OUT ip text, OUT new_visit boolean)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	rows pk_tracking.tracked[] := ARRAY(SELECT t FROM pk_tracking.track_requests(pg_temp.doc(document), '203.0.113.77', 'agent', 'en', '2026-03-02 12:00+00', headers, trusted) t);
BEGIN
	RETURN QUERY
	SELECT t.ordinality - 1, concat_ws(' ', t.outcome, t.outcome_reason), CASE a.idsite::text WHEN current_setting('test.one') THEN 'one' WHEN current_setting('test.two') THEN 'two' END,
		a.url, a.server_time, host(v.location_ip), t.new_visit
	FROM unnest(rows) WITH ORDINALITY t
		LEFT JOIN pk_tracking.action a ON a.idvisit = t.idvisit AND a.idlink_va = t.idlink_va
		LEFT JOIN pk_tracking.log_visit v ON v.idvisit = t.idvisit
	ORDER BY 1;
END
$$;
CREATE FUNCTION pg_temp.answer(document text, headers jsonb DEFAULT NULL, trusted boolean DEFAULT false) RETURNS jsonb LANGUAGE sql AS $$
	SELECT pk_tracking.track_requests_answer(pg_temp.doc($1), '203.0.113.77', 'agent', 'en', '2026-03-02 12:00+00', $2, $3)
$$;
SELECT set_config('test.one', :'one', false) IS NULL AS x, set_config('test.two', :'two', false) IS NULL AS y \gset

-- 1. Both documents, as texts and as objects; requests of different sites, in their order
SELECT * FROM pg_temp.bulk('{"requests": ["?idsite=$1&rec=1&url=https://a.example/1&_id=aaaaaaaaaaaaaaaa", "https://t.example/ppms.php?idsite=$2&rec=1&url=https://b.example/%C3%A9&_id=aaaaaaaaaaaaaaaa",
	{"idsite": $1, "rec": 1, "url": "https://a.example/2", "_id": "aaaaaaaaaaaaaaaa"}, {"idsite": "$2", "rec": "1", "url": "https://b.example/2", "_id": "aaaaaaaaaaaaaaaa"}], "send_image": 0}');
SELECT * FROM pg_temp.bulk('["?idsite=$1&rec=1&url=https://a.example/3&_id=aaaaaaaaaaaaaaaa"]');
-- the connection's address, agent and language are every request's, unless it says otherwise
SELECT x.params, t.config_id = pk_tracking.fingerprint(:one, '203.0.113.77', ua, lang, '2026-03-02 12:00+00') AS fingerprint
FROM (VALUES (1, '', 'agent', 'en'), (2, '&ua=other', 'other', 'en'), (3, '&lang=de', 'agent', 'de')) x(n, params, ua, lang),
	LATERAL pk_tracking.track_requests(pg_temp.doc(format('["?idsite=$1&rec=1&new_visit=1%s"]', params)), '203.0.113.77', 'agent', 'en', '2026-03-02 12:00+00') t
ORDER BY x.n;

-- a list from which PHP has removed elements: an object with their numbers
SELECT n, said, site, url FROM pg_temp.bulk('{"requests": {"0": "?idsite=$1&rec=1&url=https://a.example/n0", "10": "?idsite=$1&rec=1&url=https://a.example/n10", "2": {"idsite": $2, "rec": 1, "url": "https://b.example/n2"}, "3": "no query"}}');
SELECT n, said, site, url FROM pg_temp.bulk('{"1": "?idsite=$1&rec=1&url=https://a.example/n1"}');
SELECT pg_temp.answer('{"requests": {"1": "?idsite=$U&rec=1", "5": "?idsite=$1&rec=1", "7": "?idsite=$U&rec=1"}}', trusted => true), pg_temp.answer('{"requests": {}}');

-- 2. One bad request does not harm the others
SELECT n, said, site, url, new_visit FROM pg_temp.bulk('{"requests": ["?idsite=$1&rec=1&url=https://a.example/ok1&_id=bbbbbbbbbbbbbbbb", "?idsite=$1&rec=1&url=https://a.example/ok2&_id=bbbbbbbbbbbbbbbb", "?idsite=$U&rec=1",
	"?idsite=$2&rec=1&url=https://b.example/ok3&_id=bbbbbbbbbbbbbbbb", "?idsite=$1&rec=1&cid=abc", "?idsite=-1&rec=1", {}, [], ["idsite", 1], 7, null, true, "", "no query", "idsite=$1&rec=1", "https://t.example/?",
	"?idsite=$1", "?idsite=$1&rec=1&uia=1", "?idsite=$1&rec=1&url=https://a.example/ok4&_id=bbbbbbbbbbbbbbbb"]}');
SELECT pg_temp.answer('{"requests": ["?idsite=$1&rec=1", "?idsite=$1&rec=1", "?idsite=$U&rec=1", "?idsite=$2&rec=1", "?idsite=$1&rec=1&cid=abc", "?idsite=0&rec=1"]}', trusted => true);
SELECT pg_temp.answer('{"requests": ["?idsite=$1&rec=1", "no query", "?idsite=$U&rec=1", "?idsite=$1&rec=0", "?idsite=$1&rec=1&uia=1"]}');
SELECT pg_temp.answer('{"requests": ["?idsite=$1&url=http://example.org&action_name=Test bulk log Pageview&rec=1","?idsite=$1&url=http://example.net/test.htm&action_name=Another bulk page view&rec=1"],"token_auth":"33dc3f2536d3025974cccb4b4d2d98f4"}');
SELECT pg_temp.answer('{"requests": []}'), pg_temp.answer('[]', trusted => true);
SELECT * FROM pg_temp.bulk('{"requests": []}');
-- an order that is not that of time is kept, and what a later request finds is what an earlier one has left
SELECT n, said, at, new_visit FROM pg_temp.bulk('{"requests": ["?idsite=$1&rec=1&_id=cccccccccccccccc&cdo=60", "?idsite=$1&rec=1&_id=cccccccccccccccc&cdo=3000", "?idsite=$1&rec=1&_id=cccccccccccccccc&cdo=30"]}');
-- many visitors, each twice; the same once more
SELECT b.said, b.new_visit, count(*) FROM pg_temp.bulk((SELECT jsonb_agg(format('?idsite=$%s&rec=1&_id=%s&cip=10.%s.0.1', 1 + i % 2, lpad(to_hex(4096 + i % 150), 16, 'd'), i % 150) ORDER BY i)::text FROM generate_series(1, 300) i), trusted => true) b GROUP BY 1, 2 ORDER BY 2;
SELECT b.said, b.new_visit, count(*) FROM pg_temp.bulk((SELECT jsonb_agg(format('?idsite=$%s&rec=1&_id=%s&cip=10.%s.0.1', 1 + i % 2, lpad(to_hex(4096 + i % 150), 16, 'd'), i % 150) ORDER BY i)::text FROM generate_series(1, 300) i), trusted => true) b GROUP BY 1, 2 ORDER BY 2;
SELECT count(DISTINCT v.idvisit) AS visits, sum(v.visit_total_actions) AS counted, (SELECT count(*) FROM pk_tracking.log_link_visit_action l JOIN pk_tracking.log_visit w USING (idvisit) WHERE w.idvisitor::text LIKE 'dddd%' AND w.idsite IN (:one, :two)) AS actions
FROM pk_tracking.log_visit v WHERE v.idvisitor::text LIKE 'dddd%' AND v.idsite IN (:one, :two);

-- 3. What is no bulk document is an error
CREATE FUNCTION pg_temp.raises(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' / ', SQLSTATE, SQLERRM, nullif(hint, ''));
END
$$;
SELECT d, pg_temp.raises(format('SELECT pk_tracking.track_requests(%L::jsonb)', d)) FROM unnest(ARRAY['{}', '{"requests": "secret"}', '{"requests": {"secret": 1}}', '{"requests": {"0": "?idsite=1", "secret": 1}}', '{"requests": {"00": "?idsite=1"}}', '{"requests": {"-1": "?"}}', '{"1": "?idsite=1", "a": 2}', '{"": "?"}', '{"requests": null}', '"secret"', '7', 'null', NULL]) d;
SELECT pg_temp.raises($$SELECT pk_tracking.track_requests_answer('{"a": "secret"}'::jsonb)$$);
SELECT pg_temp.raises($$SELECT pk_tracking.track_requests((SELECT jsonb_agg(i) FROM generate_series(1, 10001) i))$$);
SELECT pg_temp.raises($$SELECT pk_tracking.track_requests('["?idsite=1"]', headers => '[]')$$);
SELECT said FROM pg_temp.bulk(jsonb_build_array(rpad('?idsite=$1&rec=1', 70000, 'x'), '?idsite=$1&rec=1')::text);
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track_requests(format('["?idsite=%s&rec=1"]', :one)::jsonb, at => 'infinity') t;

-- 4. Tokens
SELECT pk_tracking.create_token(:one, 'of one') AS tone \gset
SELECT pk_tracking.create_token(:two, 'of two') AS ttwo \gset
SELECT pk_tracking.create_token(NULL, 'of all') AS tall \gset
SELECT pk_tracking.create_token(name => 'expired', expires => '2026-01-01') AS told \gset
SELECT pk_tracking.create_token(name => 'expires', expires => now() + interval '1 day') AS tsoon \gset
-- one that comes from elsewhere
INSERT INTO pk_tracking.token (token_hash, name) VALUES (sha256('33dc3f2536d3025974cccb4b4d2d98f4'), 'from Matomo'), (sha256(convert_to(repeat('x', 128), 'UTF8')), 'long');
SELECT :'tone' ~ '^[0-9a-f]{64}$' AS form, :'tone' <> :'ttwo' AS chance;
SELECT t.name, coalesce(t.idsite = :one, false) AS one, t.idsite IS NULL AS every, t.token_hash = sha256(convert_to(:'tone', 'UTF8')) AS hash FROM pk_tracking.token t ORDER BY t.name;
SELECT who, tokens.name, r.outcome, r.outcome_reason
FROM (VALUES ('one', :'one'), ('two', :'two')) s(who, id),
	(VALUES (1, 'none', ''), (2, 'of one', :'tone'), (3, 'of two', :'ttwo'), (4, 'of all', :'tall'), (5, 'expired', :'told'), (6, 'expires', :'tsoon'), (7, 'from Matomo', '33dc3f2536d3025974cccb4b4d2d98f4'),
		(8, 'long', repeat('x', 128)), (9, 'too long', repeat('x', 129)), (10, 'wrong', repeat('a', 64)), (11, 'nearly', left(:'tall', 63)), (12, 'upper case', upper(:'tall') || ''), (13, 'its hash', encode(sha256(convert_to(:'tall', 'UTF8')), 'hex'))) tokens(n, name, token),
	LATERAL pk_tracking.track_request(format('idsite=%s&rec=1&cip=198.51.100.7&token_auth=%s', id, token)) r
ORDER BY who, tokens.n;
-- every parameter that needs one, with and without; a wrong token alone is no error
SELECT p, r.outcome || coalesce(' ' || r.outcome_reason, '') AS without, w.outcome || coalesce(' ' || w.outcome_reason, '') AS wrong, t.outcome || coalesce(' ' || t.outcome_reason, '') AS "with"
FROM unnest(ARRAY['', 'cip=198.51.100.7', 'cdt=2026-02-01+00:00:00', 'cdo=100000', 'country=de', 'region=sh', 'city=Kiel', 'lat=54.3', 'long=10.1', 'lon=10.1', 'city=']) WITH ORDINALITY x(p, n),
	LATERAL pk_tracking.track_request(format('idsite=%s&rec=1&%s', :one, p), at => '2026-03-02 12:00+00') r,
	LATERAL pk_tracking.track_request(format('idsite=%s&rec=1&%s&token_auth=%s', :one, p, :'ttwo'), at => '2026-03-02 12:00+00') w,
	LATERAL pk_tracking.track_request(format('idsite=%s&rec=1&%s&token_auth=%s', :one, p, :'tone'), at => '2026-03-02 12:00+00') t
ORDER BY n;
-- the header; the parameter wins over it
SELECT h, p, r.outcome, r.outcome_reason
FROM (VALUES (1, 'Bearer ' || :'tone', ''), (2, 'bearer  ' || :'tall', ''), (3, 'Basic ' || :'tone', ''), (4, :'tone', ''), (5, 'Bearer', ''), (6, 'Bearer ' || :'tone', repeat('a', 64)), (7, 'Bearer x', :'tone')) x(n, value, token),
	LATERAL (SELECT split_part(value, ' ', 1) WHERE n <> 4) h(h), LATERAL (SELECT left(token, 4) = 'aaaa') p(p),
	LATERAL pk_tracking.track_request(format('idsite=%s&rec=1&cip=198.51.100.7&token_auth=%s', :one, token), headers => jsonb_build_object('authorization', value)) r ORDER BY n;
-- in documents: that of the document wins; one of a request is its own
SELECT n, said, ip FROM pg_temp.bulk(format('{"token_auth": "%s", "requests": ["?idsite=$1&rec=1&new_visit=1&cip=198.51.100.7", "?idsite=$2&rec=1&new_visit=1&cip=198.51.100.7", "?idsite=$1&rec=1&new_visit=1&cip=198.51.100.7&token_auth=x"]}', :'tone'));
SELECT n, said, ip FROM pg_temp.bulk(format('{"token_auth": "wrong", "requests": ["?idsite=$1&rec=1&new_visit=1&cip=198.51.100.7&token_auth=%s", "?idsite=$1&rec=1&new_visit=1"]}', :'tone'));
SELECT n, said, ip FROM pg_temp.bulk(format('{"token_auth": "", "requests": ["?idsite=$1&rec=1&new_visit=1&cip=198.51.100.7&token_auth=%s", "?idsite=$1&rec=1&cip=198.51.100.7", {"idsite": $2, "rec": 1, "new_visit": 1, "cip": "198.51.100.7", "token_auth": "%s"}]}', :'tone', :'tall'));
SELECT n, said, ip FROM pg_temp.bulk('["?idsite=$1&rec=1&new_visit=1&cip=198.51.100.7", "?idsite=$2&rec=1&cip=198.51.100.7"]', headers => jsonb_build_object('authorization', 'Bearer ' || :'tone'));
SELECT n, said, ip FROM pg_temp.bulk('["?idsite=$1&rec=1&new_visit=1&cip=198.51.100.7"]', trusted => true);
-- which were invalid is for who may see all sites
SELECT name, pg_temp.answer(format('{"token_auth": "%s", "requests": ["?idsite=$1&rec=1", "?idsite=$U"]}', token)) FROM (VALUES (1, 'one', :'tone'), (2, 'all', :'tall'), (3, 'expired', :'told')) x(n, name, token) ORDER BY n;
SELECT pg_temp.answer('["?idsite=$1&rec=1", "?idsite=$U"]', headers => jsonb_build_object('authorization', 'Bearer ' || :'tall'));
-- documents that must be authenticated
SELECT pk_tracking.set_instance('bulk_requests_require_authentication', 'on');
SELECT n, said FROM pg_temp.bulk(format('["?idsite=$1&rec=1", "?idsite=$1&rec=1&token_auth=%s", "?idsite=$2&rec=1&token_auth=%s"]', :'tone', :'tone'));
SELECT n, said FROM pg_temp.bulk('["?idsite=$1&rec=1"]', trusted => true);
SELECT r.outcome FROM pk_tracking.track_request(format('idsite=%s&rec=1', :one)) r;
SELECT pk_tracking.set_site(:one, 'tracking_requests_require_authentication', 'off');
SELECT n, said FROM pg_temp.bulk('["?idsite=$1&rec=1&cip=198.51.100.7&city=Kiel&cdo=1000000", "?idsite=$2&rec=1"]');
DELETE FROM pk_tracking.setting;
-- an end of a token is seen by the session that has used it
SELECT pk_tracking.drop_token('of one'), pk_tracking.drop_token('of one'), pk_tracking.drop_token(hash => left(upper(encode(sha256(convert_to(:'tall', 'UTF8')), 'hex')), 8));
SELECT r.outcome_reason FROM unnest(ARRAY[:'tone', :'tall', :'tsoon']) WITH ORDINALITY u(t, n), LATERAL pk_tracking.track_request(format('idsite=%s&rec=1&cip=198.51.100.7&token_auth=%s', :one, t)) r ORDER BY n;
UPDATE pk_tracking.token SET expires = now() - interval '1 second' WHERE name = 'expires';
SELECT r.outcome_reason FROM pk_tracking.track_request(format('idsite=%s&rec=1&cip=198.51.100.7&token_auth=%s', :one, :'tsoon')) r;
SELECT pg_temp.raises('SELECT pk_tracking.drop_token()'), pg_temp.raises($$SELECT pk_tracking.drop_token('a', 'b')$$), pg_temp.raises($$SELECT pk_tracking.drop_token(hash => '%%%%%%%%')$$), pg_temp.raises('SELECT pk_tracking.create_token(987654321)');
-- a site takes its tokens along
SELECT pk_tracking.add_site('gone') AS gone \gset
SELECT length(pk_tracking.create_token(:gone));
DELETE FROM pk_tracking.site WHERE idsite = :gone;
SELECT count(*) FROM pk_tracking.token WHERE idsite = :gone;
-- no token stands in any table of ours, in any form but its hash
CREATE FUNCTION pg_temp.tables_with(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	t regclass;
	found boolean;
BEGIN
	FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' LOOP
		EXECUTE format('SELECT EXISTS (SELECT FROM %s x WHERE strpos(x::text, %L) > 0)', t, what) INTO found;
		IF found THEN
			RETURN NEXT t::text;
		END IF;
	END LOOP;
END
$$;
SELECT pg_temp.tables_with(encode(sha256(convert_to(:'ttwo', 'UTF8')), 'hex'));
SELECT pg_temp.tables_with(t) FROM unnest(ARRAY[:'tone', :'ttwo', :'tall', :'told', :'tsoon', '33dc3f2536d3025974cccb4b4d2d98f4']) t;
-- nor in an error
SELECT strpos(pg_temp.raises(format('SELECT pk_tracking.track_request(''idsite=%s&rec=1&cip=198.51.100.7&token_auth=%s'', strict => true)', :one, :'tall')), :'tall') AS shown,
	pg_temp.raises(format('SELECT pk_tracking.track_request(''idsite=%s&rec=1&cip=198.51.100.7&token_auth=%s'', strict => true)', :one, :'tall')) AS said;

-- 5. A visitor's location as the client tells it
CREATE FUNCTION pg_temp.place(params text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.tracked := pk_tracking.track_request(format('idsite=%s&rec=1&new_visit=1&lang=en-US&%s', current_setting('test.one'), params), '203.0.113.77', trusted => true);
BEGIN
	RETURN (SELECT concat_ws(' ', coalesce(v.location_continent, '-'), coalesce(v.location_country, '-'), coalesce(v.location_region, '-'), coalesce(v.location_city, '-'),
			coalesce(v.location_latitude::text, '-'), coalesce(v.location_longitude::text, '-')) FROM pk_tracking.log_visit v WHERE v.idvisit = r.idvisit);
END
$$;
SELECT left(p, 40) AS params, left(place, 40) AS place FROM unnest(ARRAY['', 'country=DE', 'country=de&region=SH&city=Kiel&lat=54.3233&long=10.1228', 'country=us', 'country=toolong', 'region=bavaria', 'city=' || repeat('%C3%A9', 300),
	'lat=54.3&long=10.1', 'lat=54.3&lon=10.1', 'lat=54.3', 'long=10', 'lat=90&long=180', 'lat=-90&long=-180', 'lat=90.1&long=10', 'lat=10&long=180.1', 'lat=x&long=10', 'lat=nan&long=10', 'lat=inf&long=10', 'lat=1e1&long=-.5', 'lat=0x10&long=1', 'lat=1+&long=1']) WITH ORDINALITY u(p, n), LATERAL pg_temp.place(p) x(place) ORDER BY n;
-- not finer than the settings allow
SELECT l, pk_tracking.set_site(:one, 'geo_level', l), pg_temp.place('country=de&region=SH&city=Kiel&lat=54.3233&long=10.1228') FROM unnest('{none,continent,country,region,city}'::text[]) l;
-- a visit that goes on moves, as far as it is said
CREATE FUNCTION pg_temp.moves(VARIADIC params text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.tracked;
	p text;
BEGIN
	FOREACH p IN ARRAY params LOOP
		r := pk_tracking.track_request(format('idsite=%s&rec=1&lang=en-US&cid=eeeeeeeeeeeeeeee&%s', current_setting('test.one'), p), '203.0.113.77', trusted => true);
		RETURN NEXT (SELECT concat_ws(' ', v.visit_total_actions, p, '->', coalesce(v.location_continent, '-'), coalesce(v.location_country, '-'), coalesce(v.location_region, '-'), coalesce(v.location_city, '-'),
			coalesce(v.location_latitude::text, '-'), coalesce(v.location_longitude::text, '-')) FROM pk_tracking.log_visit v WHERE v.idvisit = r.idvisit);
		IF r.new_visit THEN
			UPDATE pk_tracking.log_visit v SET location_continent = 'na' WHERE v.idvisit = r.idvisit;
		END IF;
	END LOOP;
END
$$;
SELECT * FROM pg_temp.moves('', 'city=Boston', 'country=us', 'country=de', 'region=SH&city=Kiel', '', 'lat=54.3&long=10', 'lat=54.4', 'lat=100', 'country=at&city=Wien');
SELECT pk_tracking.set_site(:one, 'geo_level', 'country');
SELECT * FROM pg_temp.moves('region=W&city=Graz&lat=47&long=15', 'country=ch&city=Bern');
SELECT pk_tracking.reset_site(:one, 'geo_level');
SET client_min_messages = error;	-- the log is not empty
SELECT pk_tracking.set_instance('recognition_rules', 'matomo');
SET client_min_messages = warning;
SELECT pg_temp.place('city=%3Cb%3EKiel%3C/b%3E'), pg_temp.place('country=xx');
DELETE FROM pk_tracking.setting;

-- 6. Times, as texts.  Noon is 1772452800
CREATE FUNCTION pg_temp.time_of(value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.tracked := pk_tracking.track_request(format('idsite=%s&rec=1&new_visit=1&cdt=%s', current_setting('test.one'), replace(replace(value, '+', '%2B'), ' ', '%20')), at => '2026-03-02 12:00+00', trusted => true);
BEGIN
	RETURN (SELECT to_char(a.server_time, 'YYYY-MM-DD HH24:MI:SS') FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = r.idvisit AND a.idlink_va = r.idlink_va);
END
$$;
SELECT value, pg_temp.time_of(value) AS at
FROM unnest(ARRAY['1772449200', '2026-03-02 11:30:15', '2026-03-02T11:30:15', '2026-03-02T11:30:15Z', '2026-03-02t11:30:15z', '2026-03-02T11:30:15.987Z', '2026-03-02 11:30', '2026-03-02', '2026/03/02 11:30:15', '2026-03-02 11:30:15 UTC', '2026-03-02 11:30:15 GMT',
	'2026-03-02T12:30:15+01:00', '2026-03-02T12:30:15+0100', '2026-03-02T12:30:15 +01', '2026-03-02T06:00:15-05:30', ' 2026-03-02  11:30:15 ',
	'2026-3-2 9:05', 'yesterday', 'secret', '2026-02-30', '2026-13-01', '2026-03-02 24:00:00', '2026-03-02 11:60', '2026-03-02T', '2026-03-02 11', '2026-03-02T11:30:15+1', '2026-03-02T11:30:15+01:', '2026-03-02T11:30:15+99:00', '2026-03-02T11:30:15X', '2026-03/02', '20260302', '0000-00-00 00:00:00', '2026-03-02T13:00:00+02:00', '2026-03-02T13:00:00', '9999999999999']) WITH ORDINALITY u(value, n)
ORDER BY n;

-- 7. Privileges
CREATE ROLE regress_pkt_requests;
SELECT pk_tracking.grant_tracker('regress_pkt_requests');
SET ROLE regress_pkt_requests;
SELECT t.outcome FROM pk_tracking.track_requests(pg_temp.doc('["?idsite=$1&rec=1"]')) t;
SELECT pg_temp.raises($$SELECT pk_tracking.track_requests('[]', trusted => true)$$), pg_temp.raises($$SELECT pk_tracking.track_requests_answer('[]', trusted => true)$$), pg_temp.raises('SELECT pk_tracking.create_token()'),
	pg_temp.raises($$SELECT pk_tracking.drop_token('of two')$$), pg_temp.raises('SELECT FROM pk_tracking.token');
-- a token counts for who may not read the table
SELECT r.outcome FROM pk_tracking.track_request(format('idsite=%s&rec=1&cip=198.51.100.7&token_auth=%s', :two, :'ttwo')) r;
RESET ROLE;
SELECT pk_tracking.grant_tracker('regress_pkt_requests', true);
SET ROLE regress_pkt_requests;
SELECT pk_tracking.track_requests_answer(pg_temp.doc('["?idsite=$1&rec=1&cip=198.51.100.7", "?"]'), trusted => true);
RESET ROLE;
DROP OWNED BY regress_pkt_requests;
DROP ROLE regress_pkt_requests;
DELETE FROM pk_tracking.token;
