-- Wrong input, one by one: each gets what its field's rule says, and what is
-- refused leaves nothing behind (doc/tracking.md, "How bad values are treated").
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	PERFORM set_config('test.site', pk_tracking.add_site('bad input')::text, false);
END $$;

-- everything that a hit could leave behind: rows and their versions, sequences
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text := '';
	t text;
	part text;
BEGIN
	FOREACH t IN ARRAY '{log_visit,log_link_visit_action,log_action,log_conversion,log_conversion_item,log_visit_length,site,setting}'::text[] LOOP
		EXECUTE format('SELECT count(*) || '':'' || coalesce(sum(x.xmin::text::bigint), 0) FROM pk_tracking.%I x', t) INTO part;
		result := result || t || '=' || part || ' ';
	END LOOP;
	SELECT string_agg(s.sequencename || '=' || coalesce(s.last_value::text, 'unused'), ' ' ORDER BY s.sequencename)
		INTO part FROM pg_sequences s WHERE s.schemaname = 'pk_tracking';
	RETURN result || part;
END
$$;

CREATE TEMP TABLE heard (said text);	-- every error's text
CREATE TEMP SEQUENCE agent;

-- A request: what becomes of it, and the value of an expression over v (the
-- visit), a (the action in words) and l (its row).
-- $S stands for the site.
CREATE FUNCTION pg_temp.hit(label text, query text, want text,
	expression text DEFAULT NULL, value text DEFAULT NULL,
	ip inet DEFAULT '203.0.113.77', at timestamptz DEFAULT '2026-03-02 12:00:00+00',
	headers jsonb DEFAULT NULL, trusted boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := pg_temp.state();
	r pk_tracking.tracked;
	got text;
	said text;
	detail text;
	hint text;
BEGIN
	query := replace(query, '$S', current_setting('test.site'));
	BEGIN
		r := pk_tracking.track_request(query, ip, format('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:109.0) Gecko/20100101 Firefox/%s.0', nextval('agent')), 'en', at, headers, trusted);
		got := concat_ws(' ', r.outcome, r.outcome_reason);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		INSERT INTO heard VALUES (concat_ws(' ', said, detail, hint));
		got := 'error ' || SQLSTATE || ' ' || said;
	END;
	IF got <> want THEN
		RETURN format('NOT OK %s: %s, wanted %s', label, got, want);
	END IF;
	IF want <> 'recorded' AND pg_temp.state() <> before THEN
		RETURN format('NOT OK %s: something was stored', label);
	END IF;
	IF r.outcome IN ('invalid', 'excluded', 'ignored') AND num_nonnulls(r.idvisit, r.idvisitor, r.config_id,
		r.matched_by, r.new_visit, r.reason, r.visitor_returning, r.idlink_va, r.cookie_name, r.cookie_value, r.cookie_max_age, r.cookie_kind) > 0
	THEN
		RETURN format('NOT OK %s: a result that says too much', label);
	END IF;
	IF expression IS NOT NULL THEN
		EXECUTE format('SELECT (%s)::text FROM pk_tracking.log_visit v JOIN pk_tracking.action a ON a.idvisit = v.idvisit'
			' JOIN pk_tracking.log_link_visit_action l ON l.idvisit = a.idvisit AND l.idlink_va = a.idlink_va'
			' WHERE v.idvisit = $1.idvisit AND a.idlink_va = $1.idlink_va', expression) INTO got USING r;
		IF got IS DISTINCT FROM value THEN
			RETURN format('NOT OK %s: %s is %s', label, expression, coalesce(left(got, 200), 'null'));
		END IF;
	END IF;
	RETURN 'ok ' || label;
END
$$;

-- A statement that must raise an error of the state, whose text matches.
CREATE FUNCTION pg_temp.raises(label text, statement text, state text, pattern text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := pg_temp.state();
	said text;
	detail text;
	hint text;
BEGIN
	BEGIN
		EXECUTE replace(statement, '$S', current_setting('test.site'));
		RETURN format('NOT OK %s: no error', label);
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
		INSERT INTO heard VALUES (concat_ws(' ', said, detail, hint));
		IF SQLSTATE <> state OR said !~ pattern THEN
			RETURN format('NOT OK %s: %s %s', label, SQLSTATE, said);
		END IF;
	END;
	IF pg_temp.state() <> before THEN
		RETURN format('NOT OK %s: something was stored', label);
	END IF;
	RETURN 'ok ' || label;
END
$$;

\pset format unaligned
\pset tuples_only on

-- the harness itself: a good hit is recorded and changes something
SELECT pg_temp.hit('a good hit', 'idsite=$S&rec=1&_id=feedfacecafebeef&url=https://a.example/', 'recorded', 'v.idvisitor', 'feedfacecafebeef');
SELECT pg_temp.hit('a good hit is seen', 'idsite=$S&rec=1', 'recorded', 'pg_temp.state() <> ''''', 'true');

-- _id: ignored if shorter than 16 or not hex in its first 16 characters
SELECT pg_temp.hit('_id of ' || n, 'idsite=$S&rec=1&_id=' || value, 'recorded', $$v.profilable || ' ' || (v.idvisitor::text ~ '^feedface')$$, '0 false')
FROM (VALUES
	('0 characters', ''), ('1 character', 'f'), ('15 characters', 'feedfacecafebee'), ('15 and a blank', 'feedfacecafebee%20'),
	('16, one not hex', 'feedfacecafebeeg'), ('16, the first not hex', '-eedfacecafebeef'), ('16, a dot within', 'feedface.afebeef'),
	('20, one of 16 not hex', 'feedfacecafebee.1234'), ('16 with NUL', 'feedfacecafebee%00'), ('16 bytes, invalid UTF-8', 'feedfacecafebee%FF'),
	('8 two-byte characters', '%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9'), ('blank before', '+feedfacecafebeef'), ('0x', '0xfeedfacecafebe')) x(n, value);
SELECT pg_temp.hit('_id of ' || n, 'idsite=$S&rec=1&_id=' || value, 'recorded', 'v.idvisitor', 'feedfacecafebeef')
FROM (VALUES
	('16', 'feedfacecafebeef'), ('16, upper case', 'FEEDFACECAFEBEEF'), ('16, mixed case', 'FeedFaceCafeBeef'), ('17', 'feedfacecafebeef0'),
	('17, the last not hex', 'feedfacecafebeef.'), ('17, the last a NUL', 'feedfacecafebeef%00'), ('16, percent-escaped', '%66eedfacecafebee%66'),
	('5000', 'feedfacecafebeef' || repeat('z', 4984))) x(n, value);

-- cid: 16 hex digits, or the hit is invalid
SELECT pg_temp.hit('cid of ' || n, 'idsite=$S&rec=1&_id=feedfacecafebeef&cid=' || value, 'invalid cid')
FROM (VALUES
	('1', 'f'), ('15', 'feedfacecafebee'), ('17', 'feedfacecafebeef0'), ('16, one not hex', 'feedfacecafebeeg'), ('16, blank at the end', 'feedfacecafebee%20'),
	('16, blank before', '+eedfacecafebeef'), ('16 with NUL', 'feedfacecafebee%00'), ('16 and NUL', 'feedfacecafebeef%00'), ('16 bytes, invalid UTF-8', 'feedfacecafebee%FF'),
	('20', 'feedfacecafebeef1234'), ('5000', repeat('f', 5000)), ('a broken escape', 'feedfacecafebe%f')) x(n, value);
SELECT pg_temp.hit('cid empty: absent', 'idsite=$S&rec=1&_id=feedfacecafebeef&cid=', 'recorded', 'v.idvisitor', 'feedfacecafebeef');
SELECT pg_temp.hit('cid in upper case', 'idsite=$S&rec=1&cid=FEEDFACECAFEBEEF', 'recorded', 'v.idvisitor', 'feedfacecafebeef');
SELECT pg_temp.hit('cid wrong, then right: the last counts', 'idsite=$S&rec=1&cid=x&cid=feedfacecafebeef', 'recorded', 'v.idvisitor', 'feedfacecafebeef');
SELECT pg_temp.hit('cid right, then wrong: the last counts', 'idsite=$S&rec=1&cid=feedfacecafebeef&cid=x', 'invalid cid');

-- idsite
SELECT pg_temp.hit('idsite ' || n, query, 'invalid idsite')
FROM (VALUES
	('missing', 'rec=1'), ('empty', 'idsite=&rec=1'), ('0', 'idsite=0&rec=1'), ('-1', 'idsite=-1&rec=1'), ('-$S', 'idsite=-$S&rec=1'), ('text', 'idsite=one&rec=1'),
	('unknown', 'idsite=2147483647&rec=1'), ('2147483648', 'idsite=2147483648&rec=1'), ('4294967296 more', 'idsite=' || 4294967296 + current_setting('test.site')::bigint || '&rec=1'),
	('20 digits', 'idsite=99999999999999999999&rec=1'), ('1000 digits', 'idsite=' || repeat('9', 1000) || '&rec=1'), ('blank before', 'idsite=+$S&rec=1'), ('plus', 'idsite=%2B$S&rec=1'),
	('leading zero', 'idsite=0$S&rec=1'), ('fraction', 'idsite=$S.0&rec=1'), ('exponent', 'idsite=$Se0&rec=1'), ('hex', 'idsite=0x1&rec=1'), ('NUL', 'idsite=$S%00&rec=1'),
	('no query', NULL), ('empty query', ''), ('question mark alone', '?'), ('nothing but &', '&&&&'), ('no value', 'idsite&rec=1')) x(n, query);
SELECT pg_temp.hit('idsite wrong, then right: the last counts', 'idsite=x&idsite=$S&rec=1', 'recorded');
SELECT pg_temp.hit('idsite right, then unknown: the last counts', 'idsite=$S&idsite=2147483647&rec=1', 'invalid idsite');
SELECT pg_temp.hit('of two that are wrong one is named', 'idsite=x&cid=x', 'invalid idsite');

-- rec
SELECT pg_temp.hit('rec ' || n, 'idsite=$S' || query, 'excluded rec')
FROM (VALUES ('missing', ''), ('empty', '&rec='), ('0', '&rec=0'), ('text', '&rec=yes'), ('blank before', '&rec=+1'), ('leading zero', '&rec=01')) x(n, query);

-- integers that do not print back as they were sent: the default
SELECT pg_temp.hit('_idvc=' || value, 'idsite=$S&rec=1&_idvc=' || value, 'recorded', 'v.visitor_count_visits', '1')
FROM unnest('{+5,%2B5,05,5.0,5e0,0x5,5%20,5%00,five,99999999999,99999999999999999999,-0,-,%EF%BC%95,2147483648}'::text[]) value;
SELECT pg_temp.hit('_idvc=5', 'idsite=$S&rec=1&_idvc=5', 'recorded', 'v.visitor_count_visits', '5');
SELECT pg_temp.hit('_idvc right, then wrong: the last counts', 'idsite=$S&rec=1&_idvc=5&_idvc=x', 'recorded', 'v.visitor_count_visits', '1');
SELECT pg_temp.hit('_idvc at its greatest', 'idsite=$S&rec=1&_id=feedfacecafe0001&_idvc=2147483647', 'recorded', 'v.visitor_count_visits', '2147483647');
SELECT pg_temp.hit('the visit after it: no overflow', 'idsite=$S&rec=1&_id=feedfacecafe0001&new_visit=1', 'recorded', 'v.visitor_count_visits', '2147483647');
SELECT pg_temp.hit('new_visit=' || value, 'idsite=$S&rec=1&_id=feedfacecafe0002&new_visit=' || value, 'recorded', 'v.visitor_count_visits', '1')
FROM unnest('{1,+1,01,1.0,yes,0}'::text[]) value;
SELECT pg_temp.hit('new_visit=1 once more', 'idsite=$S&rec=1&_id=feedfacecafe0002&new_visit=1', 'recorded', 'v.visitor_count_visits', '2');
SELECT pg_temp.hit('_idts=' || value, 'idsite=$S&rec=1&_idts=' || value, 'recorded', 'v.visitor_seconds_since_first', '0')
FROM unnest('{-1,0,01740916800,1740916800.0,+1740916800,99999999999999999999,999999999999999999,2026-01-01,-999999999999999999}'::text[]) value;
SELECT pg_temp.hit('_viewts and _ects=' || value, 'idsite=$S&rec=1&_ects=' || value || '&_viewts=' || value, 'recorded',
	$$v.visitor_seconds_since_last || ' ' || coalesce(v.visitor_seconds_since_order::text, 'null')$$, '0 null')
FROM unnest('{-1,0,01740916800,1740916800.0,99999999999999999999,999999999999999999}'::text[]) value;
SELECT pg_temp.hit('fla=' || value, 'idsite=$S&rec=1&fla=' || value, 'recorded', 'v.config_flash', '0')
FROM unnest('{x,+1,01,1.0,99999999999}'::text[]) value;
-- whatever is stored of them: no error
SELECT pg_temp.hit('plugins=' || value, replace('idsite=$S&rec=1&fla=V&java=V&qt=V&realp=V&pdf=V&wma=V&ag=V&cookie=V', 'V', value), 'recorded')
FROM unnest('{-1,2,32768,-32769,2147483647,-2147483648}'::text[]) value;
SELECT pg_temp.hit('local time ' || value, 'idsite=$S&rec=1&' || value, 'recorded', 'v.visitor_localtime', want)
FROM (VALUES ('h=24&m=60&s=61', '00:00:00'), ('h=-1&m=5&s=6', '00:05:06'), ('h=23&m=59&s=59', '23:59:59'), ('h=2147483647&m=1&s=-2147483648', '00:01:00'),
	('h=x&m=5&s=6', '12:05:06'), ('h=07&m=5&s=6', '12:05:06'), ('', '12:00:00')) x(value, want);

-- texts that are too long: cut as their field says, never inside a character
SELECT pg_temp.hit('url of 5000 bytes', 'idsite=$S&rec=1&url=https://a.example/' || repeat('u', 5000), 'recorded', $$octet_length(a.url) || ' ' || left(a.url, 20)$$, '1024 https://a.example/uu');
SELECT pg_temp.hit('title of 5000 bytes', 'idsite=$S&rec=1&action_name=' || repeat('t', 5000), 'recorded', 'octet_length(a.title)', '1024');
SELECT pg_temp.hit('title of 600 two-byte characters', 'idsite=$S&rec=1&action_name=' || repeat('%C3%A9', 600), 'recorded', $$length(a.title) || ' ' || octet_length(a.title)$$, '512 1024');
SELECT pg_temp.hit('the same, one byte later', 'idsite=$S&rec=1&action_name=x' || repeat('%C3%A9', 600), 'recorded', $$length(a.title) || ' ' || octet_length(a.title)$$, '512 1023');
SELECT pg_temp.hit('title of 400 four-byte characters, one byte later', 'idsite=$S&rec=1&action_name=x' || repeat('%F0%9F%98%80', 400), 'recorded', $$length(a.title) || ' ' || octet_length(a.title)$$, '256 1021');
SELECT pg_temp.hit('uid of 5000: hashed whole, stored to 200', 'idsite=$S&rec=1&uid=' || repeat('u', 5000), 'recorded',
	$$length(v.user_id) || ' ' || (v.idvisitor = pk_tracking.user_id_visitor_id(repeat('u', 5000)))$$, '200 true');
SELECT pg_temp.hit('uid of 300 two-byte characters: 200 of them', 'idsite=$S&rec=1&uid=' || repeat('%C3%A9', 300), 'recorded', 'length(v.user_id)', '200');
SELECT pg_temp.hit('res too long', 'idsite=$S&rec=1&res=12345x67890', 'recorded', 'v.config_resolution', '12345x678');
SELECT pg_temp.hit('pv_id too long', 'idsite=$S&rec=1&pv_id=abcdefgh', 'recorded', 'l.idpageview', 'abcdef');
SELECT pg_temp.hit('lang of 60000 bytes', 'idsite=$S&rec=1&lang=de' || repeat(',en', 20000), 'recorded', 'v.location_browser_lang', 'de');
SELECT pg_temp.hit('lang of one long word', 'idsite=$S&rec=1&lang=' || repeat('d', 60000), 'recorded', 'coalesce(length(v.location_browser_lang), 0) <= 20', 'true');
SELECT pg_temp.hit('urlref of 60000 bytes', 'idsite=$S&rec=1&urlref=https://b.example/' || repeat('r', 60000), 'recorded', 'coalesce(length(v.referer_url), 0) <= 1500', 'true');
SELECT pg_temp.hit('ua of 60000 bytes', 'idsite=$S&rec=1&ua=' || repeat('a', 60000), 'recorded');
SELECT pg_temp.hit('ua: what stands behind 2048 bytes does not count', 'idsite=$S&rec=1&ua=' || repeat('a', 2048) || 'bbb', 'recorded',
	$$v.config_id = pk_tracking.fingerprint(v.idsite, '203.0.113.77', repeat('a', 2048), 'en')$$, 'true');
SELECT pg_temp.hit('an unknown parameter of 60000 bytes', 'idsite=$S&rec=1&x=' || repeat('a', 60000), 'recorded');
SELECT pg_temp.hit('a parameter''s name of 60000 bytes', 'idsite=$S&rec=1&' || repeat('a', 60000) || '=1', 'recorded');
SELECT pg_temp.hit('a parameter''s name of escapes', 'idsite=$S&rec=1&' || repeat('%75', 20000) || '=1', 'recorded');
SELECT pg_temp.hit('a query of 65536 bytes', rpad(replace('idsite=$S&rec=1&x=', '$S', current_setting('test.site')), 65536, 'a'), 'recorded');
SELECT pg_temp.hit('a query of 65537 bytes', rpad(replace('idsite=$S&rec=1&x=', '$S', current_setting('test.site')), 65537, 'a'), 'invalid query');
SELECT pg_temp.hit('a query of 10 MB', rpad(replace('idsite=$S&rec=1&_id=feedfacecafebeef&x=', '$S', current_setting('test.site')), 10000000, 'a'), 'invalid query');
SELECT pg_temp.hit('20000 parameters', 'idsite=$S&rec=1' || repeat('&a=', 20000), 'recorded');
SELECT pg_temp.hit('the same parameter 4000 times', 'idsite=$S&rec=1' || repeat('&action_name=x', 4000) || '&action_name=last', 'recorded', 'a.title', 'last');

-- invalid UTF-8 after percent-decoding: every invalid byte becomes U+FFFD
SELECT pg_temp.hit('title ' || value, 'idsite=$S&rec=1&action_name=' || value, 'recorded', $$replace(a.title, U&'\FFFD', '?')$$, want)
FROM (VALUES
	('a%FFb', 'a?b'), ('a%80b', 'a?b'), ('%C3', '?'), ('%C3b', '?b'), ('%E2%82', '??'), ('%E2%82b', '??b'), ('%F0%9F%98', '???'),
	('%C0%80', '??'), ('%C0%AF', '??'), ('%C1%81', '??'), ('%E0%80%80', '???'), ('%F0%80%80%80', '????'),
	('%ED%A0%80', '???'), ('%ED%BF%BF', '???'), ('%ED%A0%BD%ED%B8%80', '??????'), ('%F4%90%80%80', '????'), ('%F8%88%80%80%80', '?????'), ('%FE%FF', '??'),
	('%C3%A9', 'é'), ('%E2%82%AC', '€'), ('%F0%9F%98%80', '😀'), ('%ED%9F%BF', U&'\D7FF'), ('%EF%BF%BD', '?')) x(value, want);
SELECT pg_temp.hit('uid with invalid UTF-8', 'idsite=$S&rec=1&uid=a%FFb', 'recorded', $$replace(v.user_id, U&'\FFFD', '?')$$, 'a?b');
SELECT pg_temp.hit('url with invalid UTF-8', 'idsite=$S&rec=1&url=https://a.example/%FF%C0%80', 'recorded', 'a.url', 'https://a.example/%EF%BF%BD%EF%BF%BD%EF%BF%BD');
SELECT pg_temp.hit('everything invalid', 'idsite=$S&rec=1&res=%FF&pv_id=%FF&lang=%FF&ua=%FF&urlref=%FF&cdt=%FF&ec_id=%FF&_idvc=%FF&new_visit=%FF&h=%FF', 'recorded');
SELECT pg_temp.hit('everything invalid as UTF-8 at its bound', 'idsite=$S&rec=1&res=12345678%E2%82&pv_id=12345%E2%82', 'recorded', $$replace(v.config_resolution || ' ' || l.idpageview, U&'\FFFD', '?')$$, '12345678? 12345?');

-- broken percent-escapes stay as they are, NUL goes
SELECT pg_temp.hit('title ' || value, 'idsite=$S&rec=1&action_name=' || value, 'recorded', 'a.title', want)
FROM (VALUES ('100%', '100%'), ('%4', '%4'), ('%zz', '%zz'), ('%4z', '%4z'), ('%%41', '%A'), ('%u0041', '%u0041'), ('a+b', 'a b'), ('%2B', '+'), ('%26%3D', '&='), ('a=b', 'a=b'),
	('a%00b', 'ab'), ('%00%00ab', 'ab'), ('ab%00', 'ab'), ('a%0Ab%0Dc', 'a b c'), ('++a++', 'a'), ('%09a%20', 'a')) x(value, want);
SELECT pg_temp.hit('title of NUL alone', 'idsite=$S&rec=1&action_name=%00', 'recorded', 'l.idaction_name', '0');
SELECT pg_temp.hit('uid of NUL alone is none', 'idsite=$S&rec=1&uid=%00', 'recorded', $$coalesce(v.user_id, 'none') || v.profilable$$, 'none0');
SELECT pg_temp.hit('uid with NUL', 'idsite=$S&rec=1&uid=a%00b', 'recorded', $$v.user_id || ' ' || (v.idvisitor = pk_tracking.user_id_visitor_id('ab'))$$, 'ab true');
SELECT pg_temp.hit('url that is none: ' || value, 'idsite=$S&rec=1&url=' || value, 'recorded', 'l.idaction_url', '0')
FROM unnest('{a,a.example,%2Fpath,http:,http:%2F%2F,javascript:alert(1),mailto:a@a.example,:%2F%2Fx,%00,%20}'::text[]) value;

-- times
SELECT pg_temp.hit('at ' || value, 'idsite=$S&rec=1&_id=feedfacecafebeef', 'invalid at', at => value::timestamptz)
FROM unnest('{infinity,-infinity,1970-01-01,4713-01-01 BC,2999-01-01,294276-12-31}'::text[]) value;
SELECT pg_temp.hit('at 21 years ' || CASE sign WHEN 1 THEN 'ahead' ELSE 'ago' END, 'idsite=$S&rec=1', 'invalid at', at => now() + sign * interval '21 years') FROM unnest('{1,-1}'::integer[]) sign;
SELECT pg_temp.hit('at not given: now', 'idsite=$S&rec=1', 'recorded', $$v.visit_first_action_time = date_trunc('second', statement_timestamp())$$, 'true', at => NULL);
SELECT pg_temp.hit('at with fractions: cut to the second', 'idsite=$S&rec=1', 'recorded', 'v.visit_first_action_time', '2026-03-02 11:59:59+00', at => '2026-03-02 11:59:59.999999+00');

-- cip, cdt, cdo: doc/internals.md, "Matomo: requests".  at is 2026-03-02 12:00:00, 1772452800
SELECT pg_temp.hit('cip untrusted', 'idsite=$S&rec=1&cip=203.0.113.78', 'invalid cip');
SELECT pg_temp.hit('cip untrusted, no address', 'idsite=$S&rec=1&cip=secret', 'invalid cip');
SELECT pg_temp.hit('cip empty: absent', 'idsite=$S&rec=1&cip=', 'recorded', 'host(v.location_ip)', '203.0.0.0');
SELECT pg_temp.hit('cip trusted', 'idsite=$S&rec=1&cip=198.51.100.78', 'recorded', 'host(v.location_ip)', '198.51.0.0', trusted => true);
SELECT pg_temp.hit('cip trusted: ' || value, 'idsite=$S&rec=1&cip=' || value, 'recorded', $$coalesce(v.config_id::text, 'none') || ' ' || coalesce(host(v.location_ip), '0.0.0.0')$$, 'none 0.0.0.0', trusted => true)
FROM unnest('{secret,198.51.100,198.51.100.256,198.51.100.78.9,::g,%FF}'::text[]) value;
SELECT pg_temp.hit('cdt ' || n, 'idsite=$S&rec=1&cdt=' || value, 'recorded', 'v.visit_first_action_time', want, trusted => trusted)
FROM (VALUES
	('a second ago', '1772452799', '2026-03-02 11:59:59+00', false), ('now', '1772452800', '2026-03-02 12:00:00+00', false),
	('86399 s ago', '1772366401', '2026-03-01 12:00:01+00', false), ('in the future: ignored', '1772452801', '2026-03-02 12:00:00+00', false),
	('in the future, trusted: ignored', '1772452801', '2026-03-02 12:00:00+00', true), ('86400 s ago, trusted', '1772366400', '2026-03-01 12:00:00+00', true),
	('a year ago, trusted', '1740916800', '2025-03-02 12:00:00+00', true), ('as text', '2026-03-02+11:30:00', '2026-03-02 11:30:00+00', false),
	('as text, escaped', '2026-03-02%2011%3A30%3A00', '2026-03-02 11:30:00+00', false), ('20 years ago: ignored', '1141732800', '2026-03-02 12:00:00+00', true),
	('of 30 years: ignored', '825768000', '2026-03-02 12:00:00+00', false), ('0: ignored', '0', '2026-03-02 12:00:00+00', false),
	('-1: ignored', '-1', '2026-03-02 12:00:00+00', false), ('garbage: ignored', 'garbage', '2026-03-02 12:00:00+00', false),
	('too many digits: ignored', '99999999999999999999', '2026-03-02 12:00:00+00', false), ('no such day', '2026-13-41+25:61:61', '2026-03-02 12:00:00+00', false),
	('empty', '', '2026-03-02 12:00:00+00', false), ('long', repeat('1', 5000), '2026-03-02 12:00:00+00', false)) x(n, value, want, trusted);
SELECT pg_temp.hit('cdt 86400 s ago', 'idsite=$S&rec=1&cdt=1772366400', 'invalid cdt');
SELECT pg_temp.hit('cdt a year ago', 'idsite=$S&rec=1&cdt=2025-03-02+12:00:00', 'invalid cdt');
SELECT pg_temp.hit('cdo ' || value, 'idsite=$S&rec=1&' || value, 'recorded', 'v.visit_first_action_time', want, trusted => trusted)
FROM (VALUES ('cdo=60', '2026-03-02 11:59:00+00', false), ('cdo=-60', '2026-03-02 11:59:00+00', false), ('cdo=x', '2026-03-02 12:00:00+00', false), ('cdo=86399', '2026-03-01 12:00:01+00', false),
	('cdo=86400', '2026-03-01 12:00:00+00', true), ('cdo=60&cdt=1772452740', '2026-03-02 11:58:00+00', false), ('cdo=2147483647', '2026-03-02 12:00:00+00', true), ('cdo=-2147483648', '2026-03-02 12:00:00+00', true)) x(value, want, trusted);
SELECT pg_temp.hit('cdo 86400', 'idsite=$S&rec=1&cdo=86400', 'invalid cdo');
SELECT pg_temp.hit('cdt and cdo, together a day', 'idsite=$S&rec=1&cdo=60&cdt=1772366460', 'invalid cdt');

-- headers
SELECT pg_temp.hit('odd headers', 'idsite=$S&rec=1', 'recorded', headers => '{"cookie": 5, "referer": ["x"], "user-agent": {}, "accept-language": null, "x": "y"}');
SELECT pg_temp.hit('long headers', 'idsite=$S&rec=1', 'recorded', headers => jsonb_build_object('cookie', repeat('a=b; ', 100000), 'referer', repeat('r', 100000), 'user-agent', repeat('u', 100000)));
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'use_third_party_id_cookie', 'on');
SELECT pg_temp.hit('third-party cookie ' || value, 'idsite=$S&rec=1', 'recorded', 'v.profilable', '0', headers => jsonb_build_object('cookie', '_pk_uid=' || value))
FROM unnest(ARRAY['', 'feedface', 'feedfacecafebeef0', 'feedfacecafebeeg', '0=', '0=feedface', '0=!!!!', '0=' || repeat('A', 300), repeat('f', 5000), '=', 'feedfacecafebeef:x', '%', '%6', '%00', '0=YWFh', '0=_:_:_']) value;
SELECT pk_tracking.reset_site(current_setting('test.site')::integer, 'use_third_party_id_cookie');

-- strict: the same as errors, which name the parameter and show no value
SELECT pg_temp.raises('strict: ' || n, format('SELECT pk_tracking.track_request(%L, ''203.0.113.77'', ''secret agent'', strict => true, at => %L)', query, at), '22023', pattern)
FROM (VALUES ('cid', 'idsite=$S&rec=1&cid=feedface', '"cid"', '2026-03-02 12:00+00'), ('idsite', 'idsite=987654321&rec=1&uid=secret', '^site 987654321 does not exist$', '2026-03-02 12:00+00'), ('no idsite', 'rec=1&uid=secret', '^site 0 does not exist$', '2026-03-02 12:00+00'),
	('cip', 'idsite=$S&rec=1&cip=203.0.113.78', '"cip"', '2026-03-02 12:00+00'), ('cdt', 'idsite=$S&rec=1&cdt=1740916801', '"cdt"', '2026-03-02 12:00+00'),
	('query', rpad('idsite=$S&rec=1&uid=secret', 70000, 'x'), '"query"', '2026-03-02 12:00+00'), ('at', 'idsite=$S&rec=1&uid=secret', '"at"', 'infinity')) x(n, query, pattern, at);
SELECT pg_temp.hit('a good hit, strict', 'idsite=$S&rec=1', 'recorded');
SELECT r.outcome, r.outcome_reason FROM pk_tracking.track_request('idsite=' || current_setting('test.site'), strict => true) r;

-- track(): what its programmer got wrong
SELECT pg_temp.raises(n, statement, state, pattern)
FROM (VALUES
	('track: unknown site', $$SELECT pk_tracking.track(987654321, user_id => 'secret', ip => '203.0.113.77')$$, '22023', '^site 987654321 does not exist$'),
	('track: site 0', $$SELECT pk_tracking.track(0)$$, '22023', '^site 0 does not exist$'),
	('track: site -1', $$SELECT pk_tracking.track(-1)$$, '22023', '^site -1 does not exist$'),
	('track: site NULL', $$SELECT pk_tracking.track(NULL)$$, '22023', '^site 0 does not exist$'),
	('track: consent', $$SELECT pk_tracking.track($S, consent => 'secret')$$, '22023', '"consent"'),
	('track: consent empty', $$SELECT pk_tracking.track($S, consent => '')$$, '22023', '"consent"'),
	('track: at infinite', $$SELECT pk_tracking.track($S, at => 'infinity', user_id => 'secret')$$, '22023', '"at"'),
	('track: at -infinity', $$SELECT pk_tracking.track($S, at => '-infinity')$$, '22023', '"at"'),
	('track: at far away', $$SELECT pk_tracking.track($S, at => '1990-01-01')$$, '22023', '"at"'),
	('track: params a list', $$SELECT pk_tracking.track($S, params => '["secret"]')$$, '22023', 'JSON object'),
	('track: params a string', $$SELECT pk_tracking.track($S, params => '"secret"')$$, '22023', 'JSON object'),
	('track: params a number', $$SELECT pk_tracking.track($S, params => '1')$$, '22023', 'JSON object'),
	('track: params null', $$SELECT pk_tracking.track($S, params => 'null')$$, '22023', 'JSON object'),
	('track: cid in params', $$SELECT pk_tracking.track($S, params => '{"cid": "feedface"}')$$, '22023', '"cid"'),
	('track: cip in params', $$SELECT pk_tracking.track($S, params => '{"cip": "203.0.113.78"}')$$, '22023', '"cip"'),
	('track: visitor_id short', $$SELECT pk_tracking.track($S, visitor_id => 'feedface')$$, '22P02', '^invalid input syntax for type hexid$'),
	('track: visitor_id of 17', $$SELECT pk_tracking.track($S, visitor_id => 'feedfacecafebeef0')$$, '22P02', '^invalid input syntax for type hexid$'),
	('track: cid not hex', $$SELECT pk_tracking.track($S, cid => 'feedfacecafebeeg')$$, '22P02', '^invalid input syntax for type hexid$'),
	('track_request: headers a list', $$SELECT pk_tracking.track_request('idsite=$S&rec=1', headers => '["secret"]')$$, '22023', 'JSON object'),
	('track_request: headers a string', $$SELECT pk_tracking.track_request('idsite=$S&rec=1', headers => '"_pk_uid=feedfacecafebeef"')$$, '22023', 'JSON object'),
	('match_visitor: unknown site', $$SELECT * FROM pk_tracking.match_visitor(987654321, 'feedfacecafebeef')$$, '22023', '^site 987654321 does not exist$'),
	('match_visitor: site NULL', $$SELECT * FROM pk_tracking.match_visitor(NULL)$$, '22023', '^site 0 does not exist$'),
	('match_visitor: source', $$SELECT * FROM pk_tracking.match_visitor($S, 'feedfacecafebeef', 'secret')$$, '22023', '"visitor_id_source"'),
	('match_visitor: at', $$SELECT * FROM pk_tracking.match_visitor($S, 'feedfacecafebeef', at => 'infinity')$$, '22023', '"at"'),
	('match_visitor: no candidates', $$SELECT * FROM pk_tracking.match_visitor($S, max_candidates => 0)$$, '22023', 'max_candidates'),
	('match_visitor: too many candidates', $$SELECT * FROM pk_tracking.match_visitor($S, max_candidates => 10001)$$, '22023', 'max_candidates'),
	('match_visitor: id', $$SELECT * FROM pk_tracking.match_visitor($S, 'feedface')$$, '22P02', '^invalid input syntax for type hexid$'),
	('fingerprint: unknown site', $$SELECT pk_tracking.fingerprint(987654321, '203.0.113.77')$$, '22023', 'site'),
	('fingerprint: at', $$SELECT pk_tracking.fingerprint($S, '203.0.113.77', at => 'infinity')$$, '22023', '"at"'),
	('fingerprint: params', $$SELECT pk_tracking.fingerprint($S, '203.0.113.77', params => '[]')$$, '22023', 'JSON object'),
	('hexid: short', $$SELECT 'feedface'::hexid$$, '22P02', '^invalid input syntax for type hexid$'),
	('hexid: not hex', $$SELECT 'feedfacecafebeeg'::hexid$$, '22P02', '^invalid input syntax for type hexid$'),
	('hexid: from text', $$SELECT ('feedfacecafe' || 'bee')::hexid$$, '22P02', '^invalid input syntax for type hexid$')) x(n, statement, state, pattern);

-- params of odd shape are absent, not an error
SELECT (pk_tracking.track(current_setting('test.site')::integer, at => '2026-03-02 12:00+00', params => '{"uid": ["secret"], "_id": {"a": 1}, "cid": null, "_idvc": true, "new_visit": 1.5, "x": 1, "": 2, "res": 5}')).outcome;
SELECT (pk_tracking.track(current_setting('test.site')::integer, at => '2026-03-02 12:00+00', params => jsonb_build_object('uid', repeat('x', 300000), 'action_name', repeat('y', 3000000)))).outcome;

-- none of these errors tells an address, an id, a user, or any value that was sent
SELECT count(*) > 30 AS heard, count(*) FILTER (WHERE said ~* '203\.0\.113|feedface|secret|cafe|17409168|garbage') AS told FROM heard;
SELECT said FROM heard GROUP BY said ORDER BY said COLLATE "C";
DELETE FROM pk_tracking.setting;

-- a NUL in an escaped name is no end of it
SELECT outcome, outcome_reason FROM pk_tracking.track_request(format('idsite=%s&url=https://a/&%%72ec%%00f197002b9a08=1', current_setting('test.site')));
-- arguments beat params that are wrong
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, cid => '0123456789abcdef', params => '{"cid": "zz", "idsite": "zz"}');
SELECT outcome FROM pk_tracking.track(current_setting('test.site')::integer, params => '{"cid": "zz"}');
