-- Consent: who is recorded as whom, what is stored of those who refuse or have
-- not decided, how their hits are joined, and what happens when a visitor
-- changes their mind (doc/internals.md, "Consent and anonymous visits").
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	PERFORM set_config('test.site', pk_tracking.add_site('consent', ARRAY['https://shop.example.org'])::text, false);
	PERFORM pk_tracking.add_goal(current_setting('test.site')::integer, 'thanks', 'url', 'thanks?secret=', 'contains', allow_multiple => true);
	PERFORM pk_tracking.add_dimension(current_setting('test.site')::integer, 'plan', 'visit');
	PERFORM pk_tracking.add_dimension(current_setting('test.site')::integer, 'part', 'action');
END $$;
SELECT current_setting('test.site')::integer AS site \gset

-- Browsers: what cookies each holds.
CREATE TEMP TABLE jar (browser text, name text, value text, PRIMARY KEY (browser, name));
-- Visits get letters in the order in which they turn up.
CREATE TEMP TABLE letter (idvisit bigint PRIMARY KEY, n serial);
CREATE FUNCTION pg_temp.visit(id bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO letter (idvisit) SELECT id WHERE id IS NOT NULL AND NOT EXISTS (SELECT FROM letter l WHERE l.idvisit = id);
	RETURN (SELECT CASE WHEN l.n <= 26 THEN chr(64 + l.n) ELSE chr(64 + (l.n - 1) / 26) || chr(65 + (l.n - 1) % 26) END FROM letter l WHERE l.idvisit = id);
END $$;
-- What a browser, or none, sends at a minute after ten; it does with cookies as it is told.
CREATE FUNCTION pg_temp.hit(browser text, minute numeric, query text DEFAULT '', ip inet DEFAULT NULL,
	agent text DEFAULT 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', trusted boolean DEFAULT false)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked;
	cookies text := (SELECT string_agg(j.name || '=' || j.value, '; ' ORDER BY j.name) FROM jar j WHERE j.browser = hit.browser);
BEGIN
	-- each visitor has an own address, unless the test says otherwise
	t := pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&url=https://shop.example.org/&' || query, coalesce(ip, '198.51.100.77'::inet + coalesce(ascii(browser), 0)), agent, 'de-AT,de;q=0.9',
		'2026-03-02 10:00+00'::timestamptz + minute * interval '1 minute', jsonb_build_object('cookie', coalesce(cookies, '')), trusted);
	IF browser IS NOT NULL THEN
		DELETE FROM jar j WHERE j.browser = hit.browser AND (j.name = ANY (t.delete_cookies) OR j.name = t.cookie_name);
		IF t.cookie_name IS NOT NULL THEN
			INSERT INTO jar VALUES (browser, t.cookie_name, t.cookie_value);
		END IF;
	END IF;
	RETURN concat_ws(' ', t.outcome, t.outcome_reason, pg_temp.visit(t.idvisit), CASE WHEN t.new_visit THEN 'new' END, t.reason, 'by ' || t.matched_by,
		CASE WHEN t.idvisitor IS NOT NULL THEN 'somebody' END, 'sets ' || t.cookie_name || ' ' || t.cookie_max_age, 'deletes ' || nullif(t.delete_cookies::text, '{}'));
END $$;
CREATE FUNCTION pg_temp.mode(VARIADIC settings text[] DEFAULT '{}') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM pk_tracking.setting WHERE idsite = current_setting('test.site')::integer;
	PERFORM pk_tracking.set_site(current_setting('test.site')::integer, 'consent_mode', 'ask_else_anonymous');
	FOR i IN 1 .. coalesce(array_length(settings, 1), 0) / 2 LOOP
		PERFORM pk_tracking.set_site(current_setting('test.site')::integer, settings[2 * i - 1], settings[2 * i]);
	END LOOP;
	DELETE FROM jar;
END $$;
-- the visits of a letter as they stand
CREATE TEMP VIEW visits AS
	SELECT pg_temp.visit(v.idvisit) AS visit, pk_tracking.consent_name(v.consent) AS consent, v.idvisitor IS NOT NULL AS visitor, v.config_id IS NOT NULL AS config, v.user_id AS "user",
		CASE WHEN v.location_ip = '0.0.0.0' THEN 'zeros' ELSE 'masked' END AS ip, v.visit_total_actions AS actions, v.visit_total_time AS seconds, v.visitor_count_visits AS nth, v.visitor_returning AS ret, v.profilable
	FROM pk_tracking.log_visit v JOIN letter l USING (idvisit) ORDER BY l.n;

-- 1. Who may be recorded as whom ------------------------------------------------
CREATE FUNCTION pg_temp.stored(t pk_tracking.tracked) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN concat_ws(' ', t.outcome, t.outcome_reason, (SELECT concat(pk_tracking.consent_name(v.consent), ', ', host(v.location_ip), CASE WHEN v.idvisitor IS NOT NULL THEN ', visitor' END) FROM pk_tracking.log_visit v WHERE v.idvisit = t.idvisit));
END $$;
CREATE FUNCTION pg_temp.matrix() RETURNS TABLE (mode text, way text, result text) LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked;
BEGIN
	FOREACH mode IN ARRAY '{not_asked,ask_else_nothing,ask_else_anonymous}'::text[] LOOP
		PERFORM pg_temp.mode('consent_mode', mode);
		FOREACH way IN ARRAY '{"",consent=unknown,consent=-1,consent=x,uia=2,consent=granted,consent=GRANTED,consent=1,uia=0,consent=denied,consent=0,uia=1,uia=1&consent=1,consent=1&uia=1,consent=0&uia=0,ping=4&uia=1}'::text[] LOOP
			t := pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&url=https://shop.example.org/&new_visit=1&' || way, '203.0.113.77', 'agent', 'de', '2026-03-01 10:00+00');
			result := pg_temp.stored(t);
			RETURN NEXT;
		END LOOP;
		-- by argument, which beats the parameter
		FOREACH way IN ARRAY '{NULL,unknown,granted,denied}'::text[] LOOP
			t := pk_tracking.track(current_setting('test.site')::integer, 'https://shop.example.org/', ip => '203.0.113.77', consent => way, params => '{"uia": 1}', new_visit => true, at => '2026-03-01 11:00+00');
			result := pg_temp.stored(t);
			way := concat('uia=1, argument ', coalesce(way, 'NULL'));
			RETURN NEXT;
		END LOOP;
	END LOOP;
END $$;
SELECT * FROM pg_temp.matrix();
SELECT pk_tracking.track(:site, consent => 'maybe');

-- 2. What is left: a hit that tells everything ------------------------------------
SELECT pg_temp.mode('anonymous_device_level', 'full');
CREATE TEMP TABLE everything AS SELECT
	'action_name=Title&urlref=https://u:p@www.google.com/search?q=shoes%26sid=secret1%23frag&_id=00000000ab1efa11&cid=00000000ab1efa12&uid=secret2&_idvc=7&_idts=1772000000&_viewts=1772400000&_ects=1772400000'
	|| '&_rcn=secret3&_rck=secret4&_ref=https://blog.example/?secret5&res=1920x1080&pdf=1&fla=1&java=1&qt=1&realp=1&wma=1&ag=1&cookie=1&h=1&m=2&s=3&pv_id=abcdef'
	|| '&dimension1=secret6&dimension2=secret7&_cvar={"1":["secret8","secret9"]}&cvar={"1":["secret8","secret9"]}&pf_net=1&pf_srv=2&pf_tfr=3&pf_dm1=4&pf_dm2=5&pf_onl=6' AS q;
SELECT pg_temp.hit(NULL, 0, q || '&url=https://shop.example.org/thanks?secret=secret10%26keep=1%23secret11&_pks=sku&_pkn=name&_pkc=cat&_pkp=9.5') FROM everything;
SELECT pg_temp.hit(NULL, 1, q || '&idgoal=0&ec_id=secret12&revenue=10&ec_st=8&ec_tx=1&ec_sh=1&ec_dt=0.5&ec_items=[["sku","name",["c1","c2","c3","c4","c5"],5,2]]') FROM everything;
SELECT pg_temp.hit(NULL, 2, q || '&link=https://out.example/x?a=secret13') FROM everything;
SELECT pg_temp.hit(NULL, 3, q || '&download=https://shop.example.org/f.pdf?a=secret14') FROM everything;
SELECT pg_temp.hit(NULL, 4, q || '&e_c=cat&e_a=act&e_n=name&e_v=3&url=https://shop.example.org/e?secret15') FROM everything;
SELECT pg_temp.hit(NULL, 5, q || '&c_n=content&c_p=https://shop.example.org/i.png?secret16&c_t=/go?secret17&c_i=click&url=https://shop.example.org/c?secret18') FROM everything;
SELECT pg_temp.hit(NULL, 6, q || '&search=boots&search_cat=shoes&search_count=3') FROM everything;
SELECT pg_temp.hit(NULL, 7, q || '&idgoal=0&revenue=3&ec_items=[["sku","name","c1",5,2]]') FROM everything;
-- every column that is set in any of the rows; keys, times and ids of names left out
CREATE FUNCTION pg_temp.columns(tab regclass, ids bigint[]) RETURNS TABLE (col text, vals text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format($q$
		SELECT e.key, string_agg(DISTINCT CASE WHEN e.key ~ '^(idaction|idvisit$|idlink_va|idsite$|last_idlink|visit_(entry|exit))' THEN '...' ELSE e.value END, ' | ')
		FROM %s r, LATERAL jsonb_each_text(jsonb_strip_nulls(to_jsonb(r))) e WHERE r.idvisit = ANY ($1) GROUP BY 1 ORDER BY e.key COLLATE "C"$q$, tab) USING ids;
END $$;
SELECT * FROM pg_temp.columns('pk_tracking.log_visit', ARRAY(SELECT idvisit FROM letter));
SELECT * FROM pg_temp.columns('pk_tracking.log_link_visit_action', ARRAY(SELECT idvisit FROM letter));
SELECT * FROM pg_temp.columns('pk_tracking.log_conversion', ARRAY(SELECT idvisit FROM letter));
SELECT * FROM pg_temp.columns('pk_tracking.log_conversion_item', ARRAY(SELECT idvisit FROM letter));
SELECT a.kind, a.url, a.content_piece, a.content_target, a.previous_url FROM pk_tracking.action a JOIN letter USING (idvisit) ORDER BY a.idlink_va;
-- nowhere in any table
CREATE FUNCTION pg_temp.anywhere(what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c record;
	n bigint;
	result text := '';
BEGIN
	FOR c IN SELECT oid::regclass AS tab FROM pg_class WHERE relnamespace = 'pk_tracking'::regnamespace AND relkind = 'r' ORDER BY relname LOOP
		EXECUTE format('SELECT count(*) FROM %s r WHERE r::text ~* $1', c.tab) INTO n USING what;
		IF n > 0 THEN result := result || format('%s: %s ', c.tab, n); END IF;
	END LOOP;
	RETURN result;
END $$;
-- the settings are asked for so that it is seen to look
SELECT pg_temp.anywhere('secret1?[0-9]|ab1efa1|198[.]51[.]100') AS secrets, pg_temp.anywhere('ask_else_anonymous') AS settings;
SELECT pg_temp.mode('anonymous_query_parameters', '{keep,Q}');
SELECT pg_temp.hit(NULL, 60, q || '&url=https://u:p@shop.example.org:8080/thanks?secret=secret10%26keep=1%26KEEP=2%26keep%23secret11') FROM everything;
SELECT pg_temp.hit(NULL, 61, q || '&link=https://out.example/x?keep=%2525%26a=secret13') FROM everything;
SELECT a.url, v.referrer_url FROM pk_tracking.action a JOIN letter USING (idvisit) JOIN pk_tracking.visit v USING (idvisit) WHERE a.server_time >= '2026-03-02 11:00+00' ORDER BY a.idlink_va;

-- devices and languages: three levels, and dda=1
DO $$ BEGIN
	FOR l IN 1 .. 3 LOOP
		PERFORM pg_temp.mode('anonymous_device_level', (ARRAY['none', 'family', 'full'])[l]);
		PERFORM pg_temp.hit(NULL, 100 + 10 * l + dda, 'new_visit=1&res=1920x1080&pdf=1&cookie=1&h=1&m=0&s=0&dda=' || dda) FROM generate_series(0, 1) dda;
	END LOOP;
END $$;
SELECT to_char(visit_first_action_time, 'HH24:MI') AS at, config_os, config_os_version AS os_v, config_browser_name AS browser, config_browser_version AS b_v, config_browser_engine AS engine, config_device_type AS type, config_client_type AS client,
	config_resolution AS res, config_pdf AS pdf, config_cookie AS cookie, visitor_localtime AS clock, location_browser_lang AS lang, location_country AS country
FROM pk_tracking.log_visit WHERE idsite = :site AND visit_first_action_time >= '2026-03-02 11:40+00' ORDER BY visit_first_action_time;
-- places, here by the language alone
DO $$ BEGIN
	FOR l IN 1 .. 5 LOOP
		PERFORM pg_temp.mode('anonymous_geo_level', (ARRAY['none', 'continent', 'country', 'region', 'city'])[l]);
		PERFORM pg_temp.hit(NULL, 200 + l, 'new_visit=1');
		-- what a trusted sender says of the place is cut alike
		PERFORM pg_temp.hit(NULL, 210 + l, 'new_visit=1&country=pl&region=14&city=Warszawa&lat=52&long=21', trusted => true);
	END LOOP;
	PERFORM pg_temp.mode('geo_level', 'none', 'anonymous_geo_level', 'city');
	PERFORM pg_temp.hit(NULL, 220, 'new_visit=1');
END $$;
SELECT to_char(visit_first_action_time, 'HH24:MI') AS at, location_continent AS continent, location_country AS country, location_region AS region, location_city AS city, location_latitude AS lat
FROM pk_tracking.log_visit WHERE idsite = :site AND visit_first_action_time >= '2026-03-02 13:20+00' ORDER BY 1;

-- 3. The tables refuse anything else ------------------------------------------------
CREATE FUNCTION pg_temp.refuses(tab regclass) RETURNS TABLE (accepted text, refused text) LANGUAGE plpgsql AS $$
DECLARE
	c record;
	v text;
	ok boolean[];
	a text[] := '{}';
	r text[] := '{}';
	needed text := CASE tab::text WHEN 'pk_tracking.log_visit' THEN 'visit_first_action_time, visit_last_action_time' ELSE 'server_time' END;
	needed_values text := CASE tab::text WHEN 'pk_tracking.log_visit' THEN 'now(), now()' ELSE 'now()' END;
BEGIN
	needed := needed || CASE tab::text WHEN 'pk_tracking.log_conversion' THEN ', idgoal' WHEN 'pk_tracking.log_conversion_item' THEN ', idaction_sku' ELSE '' END;
	needed_values := needed_values || CASE tab::text WHEN 'pk_tracking.log_conversion' THEN ', 1' WHEN 'pk_tracking.log_conversion_item' THEN ', 1' ELSE '' END;
	FOR c IN SELECT attname, atttypid::regtype::text AS type FROM pg_attribute WHERE attrelid = tab AND attnum > 0 AND NOT attisdropped
		AND attname NOT IN ('idvisit', 'idsite', 'server_time', 'visit_first_action_time', 'visit_last_action_time', 'consent', 'idgoal', 'idaction_sku', 'idlink_va') OR attrelid = tab AND attname = 'idlink_va' AND tab::text ~ 'conversion$'
		ORDER BY attname COLLATE "C"
	LOOP
		v := CASE c.type WHEN 'public.hexid' THEN '00000000000000ff' WHEN 'hexid' THEN '00000000000000ff' WHEN 'inet' THEN '198.51.100.0' WHEN 'jsonb' THEN '{}' WHEN 'text' THEN 'x' WHEN 'boolean' THEN 'true'
			WHEN 'time without time zone' THEN '10:00' ELSE '2' END;
		ok := '{}';
		FOR i IN 0 .. 3 LOOP
			BEGIN
				-- undecided, refused, a code that there is not; and an honest row that is changed
				EXECUTE format('INSERT INTO %s (idvisit, idsite, consent, %s%s) VALUES (-77, 1, %s, %s%s)', tab, needed, CASE WHEN i = 3 THEN '' ELSE format(', %I', c.attname) END,
					(ARRAY[2, 3, 4, 2])[i + 1], needed_values, CASE WHEN i = 3 THEN '' ELSE format(', %L', v) END);
				IF i = 3 THEN
					EXECUTE format('UPDATE %s SET %I = %L WHERE idvisit = -77', tab, c.attname, v);
				END IF;
				EXECUTE format('DELETE FROM %s WHERE idvisit = -77', tab);
				ok := ok || true;
			EXCEPTION WHEN check_violation THEN
				ok := ok || false;
			END;
		END LOOP;
		IF ok = '{t,t,f,t}' THEN a := a || c.attname::text;
		ELSIF ok = '{f,f,f,f}' THEN r := r || c.attname::text;
		ELSE RAISE EXCEPTION '% of %: %', c.attname, tab, ok;
		END IF;
	END LOOP;
	RETURN QUERY SELECT array_to_string(a, ' '), array_to_string(r, ' ');
END $$;
\x on
SELECT * FROM pg_temp.refuses('pk_tracking.log_visit');
SELECT * FROM pg_temp.refuses('pk_tracking.log_link_visit_action');
SELECT * FROM pg_temp.refuses('pk_tracking.log_conversion');
SELECT * FROM pg_temp.refuses('pk_tracking.log_conversion_item');
\x off
-- nor may a row change sides and keep what it has; NULL is no consent
INSERT INTO pk_tracking.log_visit (idvisit, idsite, idvisitor, visit_first_action_time, visit_last_action_time) VALUES (-78, :site, '00000000000000ff', now(), now());
UPDATE pk_tracking.log_visit SET consent = 3 WHERE idvisit = -78;
UPDATE pk_tracking.log_visit SET consent = -1 WHERE idvisit = -78;
UPDATE pk_tracking.log_visit SET consent = NULL WHERE idvisit = -78;
DELETE FROM pk_tracking.log_visit WHERE idvisit = -78;
INSERT INTO pk_tracking.log_conversion_item (idvisit, server_time, idaction_sku, idsite, consent, idorder) VALUES (-77, now(), 1, 1, 2, '##1'), (-77, now(), 1, 1, 2, '0');
INSERT INTO pk_tracking.log_conversion_item (idvisit, server_time, idaction_sku, idsite, consent, idorder) VALUES (-77, now(), 1, 1, 2, '##x');
INSERT INTO pk_tracking.log_conversion_item (idvisit, server_time, idaction_sku, idsite, consent, idorder) VALUES (-77, now(), 1, 1, 2, '2026-0001');
DELETE FROM pk_tracking.log_conversion_item WHERE idvisit = -77;

-- 4. Sessions ---------------------------------------------------------------------------
TRUNCATE letter RESTART IDENTITY;
SELECT pg_temp.mode();
-- 30 minutes, by cookie: the address and the browser do not matter
SELECT pg_temp.hit('a', 1000);
SELECT pg_temp.hit('a', 1000 + 1799 / 60.0, ip => '192.0.2.1', agent => 'other');
SELECT pg_temp.hit('a', 1000 + (1799 + 1800) / 60.0, ip => '192.0.2.1', agent => 'other') AS "1800 seconds";
SELECT pg_temp.hit('a', 1000 + (1799 + 1800 + 1801) / 60.0, ip => '192.0.2.1', agent => 'other') AS "1801 seconds";
-- the same by fingerprint
SELECT pg_temp.hit(NULL, m) FROM unnest(ARRAY[1200, 1200 + 1799 / 60.0, 1200 + (1799 + 1800) / 60.0, 1200 + (1799 + 3601) / 60.0]) m;
-- midnight, at 14:00
SELECT pg_temp.hit('m', 839.9), pg_temp.hit('m', 840), pg_temp.hit('m', 840.1);
-- two behind one address: different browsers; the same browser, by cookie and without
SELECT pg_temp.hit('b', 1300, ip => '192.0.2.9'), pg_temp.hit('c', 1300.1, ip => '192.0.2.9', agent => 'other');
SELECT pg_temp.hit('b', 1300.2, ip => '192.0.2.9'), pg_temp.hit('c', 1300.3, ip => '192.0.2.9', agent => 'other');
SELECT pg_temp.hit('d', 1300.4, ip => '192.0.2.9') AS "same browser, no cookie yet", pg_temp.hit('d', 1300.5, ip => '192.0.2.9') AS "it has one now";
SELECT pg_temp.hit('e', 1300.6, ip => '192.0.2.10') AS "the next address", pg_temp.hit('e', 1300.7, ip => '192.0.2.9') AS "its cookie decides";
-- with the cookie as argument, as _id, in another form, not at all
SELECT t.matched_by, pg_temp.visit(t.idvisit), t.cookie_value, t.cookie_max_age FROM pk_tracking.track(:site, session_cookie => '00000000000c00c1', at => '2026-03-04 10:00') t;
SELECT t.matched_by, pg_temp.visit(t.idvisit), t.cookie_value FROM pk_tracking.track(:site, session_cookie => '00000000000C00C1', at => '2026-03-04 10:01') t;
SELECT t.matched_by, pg_temp.visit(t.idvisit), t.cookie_value <> '00000000000c00c1' AS "a cookie of its own", t.delete_cookies FROM pk_tracking.track(:site, visitor_id => '00000000000c00c1', at => '2026-03-04 10:02') t;
SELECT t.matched_by, pg_temp.visit(t.idvisit), length(t.cookie_value) FROM pk_tracking.track(:site, session_cookie => 'no id', at => '2026-03-04 10:03') t;
-- no fingerprint without an address; each such hit is a visit
SELECT pg_temp.hit(NULL, 1400, 'rmip=1'), pg_temp.hit(NULL, 1400.1, 'rmip=1'), pg_temp.hit(NULL, 1400.2, ip => '0.0.0.0');
SELECT pg_temp.hit('r', 1400.3, 'rmip=1'), pg_temp.hit('r', 1400.4, 'rmip=1');
SELECT pg_temp.hit(NULL, 1410, 'sh=0'), pg_temp.hit(NULL, 1410.1, 'sh=0'), pg_temp.hit(NULL, 1410.2, 'sh=1'), pg_temp.hit(NULL, 1410.3);
-- settings
SELECT pg_temp.mode('anonymous_fingerprint', 'off');
SELECT pg_temp.hit(NULL, 1500), pg_temp.hit(NULL, 1500.1), pg_temp.hit('f', 1500.2), pg_temp.hit('f', 1500.3);
SELECT pg_temp.hit(NULL, 1501, 'sh=1') AS "not trusted", pg_temp.hit(NULL, 1501.1, 'sh=1') AS "not trusted";
SELECT pg_temp.hit(NULL, 1502, 'sh=1', trusted => true) AS trusted, pg_temp.hit(NULL, 1502.1, 'sh=1', trusted => true) AS trusted;
SELECT pg_temp.mode('anonymous_session_cookie', 'off');
SELECT pg_temp.hit('g', 1600), pg_temp.hit('g', 1600.1), pg_temp.hit(NULL, 1600.2, '_id=00000000000c00c2');
SELECT pg_temp.mode('anonymous_session_cookie', 'off', 'anonymous_fingerprint', 'off');
SELECT pg_temp.hit('h', 1700), pg_temp.hit('h', 1700.1), pg_temp.hit(NULL, 1700.2), pg_temp.hit(NULL, 1700.3, '_id=00000000000c00c2');
SELECT pg_temp.mode('force_cookieless_tracking', 'on');
SELECT pg_temp.hit('i', 1800), pg_temp.hit('i', 1800.1, '_id=00000000000c00c2');
SELECT pg_temp.mode('anonymous_cookie_name', 'xyz', 'anonymous_device_level', 'none');
SELECT pg_temp.hit('j', 1900), pg_temp.hit('j', 1900.1), pg_temp.hit(NULL, 1900.2, agent => 'other') AS "devices are not told apart";
-- out of order: a visit goes on into its past, and an hour late too
SELECT pg_temp.mode();
SELECT pg_temp.hit('k', 2010), pg_temp.hit('k', 2000), pg_temp.hit('k', 2030), pg_temp.hit('k', 1900) AS "before it", pg_temp.hit('k', 2011);
-- of two visits of one cookie the one that goes on, whatever came last
SELECT pg_temp.hit('k', 2200), pg_temp.hit('k', 2012), pg_temp.hit('k', 2201);
-- limits hold, pings begin nothing
SELECT pg_temp.hit(NULL, 2300, 'ping=1');
SELECT pg_temp.hit('l', 2300), pg_temp.hit('l', 2301, 'ping=1'), pg_temp.hit('l', 2302, 'new_visit=1');
SELECT pg_temp.mode('create_new_visit_after_x_actions', '2');
SELECT pg_temp.hit('l', 2400), pg_temp.hit('l', 2400.1), pg_temp.hit('l', 2400.2), pg_temp.hit('l', 2400.3);
SELECT count(*) AS visits, count(DISTINCT (idvisitor, config_id, user_id, location_ip, visitor_count_visits, visitor_returning)) AS kinds, min(visitor_returning), max(visitor_count_visits) FROM pk_tracking.log_visit JOIN letter USING (idvisit);

-- 5. Minds that change --------------------------------------------------------------------
TRUNCATE letter RESTART IDENTITY;
SELECT pg_temp.mode('use_third_party_id_cookie', 'on');
-- undecided, refuses; and cannot take it back but by agreeing
SELECT pg_temp.hit('a', 3000), pg_temp.hit('a', 3001, 'uia=1'), pg_temp.hit('a', 3002);
SELECT visit, consent, actions FROM visits;
-- agrees: the visit continues, now as an identified one
SELECT pg_temp.hit('a', 3003, 'consent=1&idgoal=0&ec_items=[["s","n","c",1,1]]') AS agrees, pg_temp.hit('a', 3004, 'consent=1') AS "and stays";
SELECT * FROM visits;
SELECT to_char(a.server_time, 'HH24:MI') AS at, pk_tracking.consent_name(a.consent) AS consent, a.idvisitor IS NOT NULL AS visitor, a.idvisitor = v.idvisitor AS same FROM pk_tracking.log_link_visit_action a JOIN letter USING (idvisit) JOIN pk_tracking.log_visit v USING (idvisit) ORDER BY a.idlink_va;
SELECT j.value = v.idvisitor::text AS "its cookie is the visitor's id" FROM jar j, pk_tracking.log_visit v JOIN letter USING (idvisit) WHERE j.browser = 'a';
-- withdraws: another visit; agrees again; and again
SELECT pg_temp.hit('a', 3005, 'uia=1') AS withdraws, pg_temp.hit('a', 3006, 'uia=1');
SELECT pg_temp.hit('a', 3007, 'consent=1') AS again, pg_temp.hit('a', 3008, 'uia=1'), pg_temp.hit('a', 3009, 'consent=1');
SELECT * FROM visits;
-- ping=4, with nothing else; in a visit's end; without any visit; with split
TRUNCATE letter RESTART IDENTITY;
SELECT pg_temp.hit('b', 3100), pg_temp.hit('b', 3101, 'ping=4'), pg_temp.hit('b', 3102, 'uia=0');
SELECT pg_temp.hit('c', 3100, agent => 'c'), pg_temp.hit('c', 3140, 'ping=4', agent => 'c') AS "too late", pg_temp.hit('c', 3141, 'consent=1', agent => 'c');
SELECT pg_temp.hit(NULL, 3150, 'ping=4', '192.0.2.99') AS "no visit";
SELECT pg_temp.mode('use_third_party_id_cookie', 'on', 'consent_upgrade', 'split');
SELECT pg_temp.hit('d', 3200), pg_temp.hit('d', 3201, 'ping=4') AS "begins nothing", pg_temp.hit('d', 3202, 'consent=1');
SELECT pg_temp.hit('e', 3200, agent => 'e'), pg_temp.hit('e', 3201, 'consent=1', agent => 'e'), pg_temp.hit('e', 3202, 'uia=1', agent => 'e'), pg_temp.hit('e', 3203, 'consent=1', agent => 'e') AS "its earlier visit again";
SELECT * FROM visits;
-- midnight and new_visit at the moment of agreeing
TRUNCATE letter RESTART IDENTITY;
SELECT pg_temp.mode('use_third_party_id_cookie', 'on');
SELECT pg_temp.hit('f', 839.9), pg_temp.hit('f', 840, 'consent=1') AS midnight;
SELECT pg_temp.hit('g', 3300), pg_temp.hit('g', 3301, 'consent=1&new_visit=1');
-- never by fingerprint: one agrees, without cookies, then as one of two whom it has joined
SELECT pg_temp.hit(NULL, 3400), pg_temp.hit(NULL, 3401, 'consent=1') AS "nobody's visit", pg_temp.hit(NULL, 3402) AS "goes on";
SELECT pg_temp.hit('h', 3500, ip => '192.0.2.20'), pg_temp.hit('i', 3501, ip => '192.0.2.20') AS "joined by fingerprint", pg_temp.hit('h', 3502, 'consent=1', '192.0.2.20') AS "stays out", pg_temp.hit('i', 3503, ip => '192.0.2.20') AS "goes on as nobody";
-- the same if only a cart was joined, which the other's has replaced
SELECT pg_temp.hit('j', 3600, ip => '192.0.2.21'), pg_temp.hit('k', 3601, 'idgoal=0&ec_items=[["his","n","c",1,1]]', '192.0.2.21'), pg_temp.hit('j', 3602, 'idgoal=0&ec_items=[["hers","n","c",1,1]]', '192.0.2.21'), pg_temp.hit('j', 3603, 'consent=1', '192.0.2.21') AS "stays out";
SELECT * FROM visits;
-- a returning visitor: known by cookie id, by user id
TRUNCATE letter RESTART IDENTITY;
SELECT pg_temp.mode('use_third_party_id_cookie', 'on', 'window_look_back_for_visitor', '86400');
SELECT pg_temp.hit(NULL, 4000, 'consent=1&_id=00000000000000e1', '192.0.2.50', 'other'), pg_temp.hit(NULL, 4001, 'consent=1&uid=jo', '203.0.113.51', 'another');
SELECT pg_temp.hit('l', 4100), pg_temp.hit('l', 4101, 'consent=1&cid=00000000000000e1');
SELECT pg_temp.hit('m', 4200), pg_temp.hit('m', 4201, 'consent=1&uid=jo');
SELECT pg_temp.hit('n', 4300), pg_temp.hit('n', 4301, 'consent=1&_idvc=5&_idts=1700000000');
SELECT * FROM visits;
SELECT name, left(value, 0) || CASE WHEN value IN ('00000000000000e1', pk_tracking.user_id_visitor_id('jo')::text) THEN value ELSE 'random' END AS value FROM jar ORDER BY browser;
-- orders, carts and goals before and after
TRUNCATE letter RESTART IDENTITY;
SELECT pg_temp.mode('use_third_party_id_cookie', 'on');
SELECT pg_temp.hit('o', 5000, 'url=https://shop.example.org/thanks?secret=1'), pg_temp.hit('o', 5001, 'idgoal=0&ec_id=A1&revenue=5&ec_items=[["a","n","c",5,1]]'), pg_temp.hit('o', 5002, 'idgoal=0&ec_id=A1&revenue=6&ec_items=[["a","n","c",6,1]]') AS "the same id, which nobody knows",
	pg_temp.hit('o', 5003, 'idgoal=0&revenue=7&ec_items=[["b","n","c",3,1],["d","n","c",4,1]]');
SELECT pg_temp.hit('o', 5004, 'consent=1&idgoal=0&ec_id=A2&revenue=3&ec_items=[["b","n","c",3,1]]'), pg_temp.hit('o', 5005, 'consent=1&url=https://shop.example.org/thanks?secret=1'), pg_temp.hit('o', 5006, 'consent=1&idgoal=0&ec_id=A2');
SELECT c.idgoal, c.buster, pk_tracking.consent_name(c.consent) AS consent, c.idvisitor IS NOT NULL AS visitor, c.idorder, c.url, c.revenue, c.items, c.visitor_returning AS ret FROM pk_tracking.log_conversion c JOIN letter USING (idvisit) ORDER BY c.server_time, 1;
SELECT i.idorder, pk_tracking.consent_name(i.consent) AS consent, i.idvisitor IS NOT NULL AS visitor, (SELECT DISTINCT a.name FROM pk_tracking.log_action a WHERE a.idsite = :site AND a.idaction = i.idaction_sku) AS sku, i.deleted FROM pk_tracking.log_conversion_item i JOIN letter USING (idvisit) ORDER BY i.server_time, 4;
SELECT visit, consent, visitor, ret FROM visits;
-- found by its id later, though the anonymous part lasted longer than any visit before
SELECT pk_tracking.add_site('long', ARRAY['https://shop.example.org']) AS long \gset
SELECT set_config('test.site', :'long', false) = :'long' AS set;
TRUNCATE letter RESTART IDENTITY;
SELECT pg_temp.mode('use_third_party_id_cookie', 'on');
SELECT count(*) FILTER (WHERE h ~ '^recorded A') AS recorded FROM generate_series(0, 300, 25) m, LATERAL (SELECT pg_temp.hit('p', m) AS h OFFSET 0) x;
SELECT pg_temp.hit('p', 301, 'consent=1'), pg_temp.hit('p', 302, 'consent=1');

-- 6. Bulk documents --------------------------------------------------------------------------
SELECT set_config('test.site', :'site', false) = :'site' AS set;
SELECT pg_temp.mode('use_third_party_id_cookie', 'off');
CREATE FUNCTION pg_temp.bulk(n integer, day date) RETURNS TABLE (outcome text, who text, visits bigint, hits bigint) LANGUAGE sql AS $$
	WITH doc AS (SELECT jsonb_build_object('requests', jsonb_agg(format('?idsite=%s&rec=1&url=https://shop.example.org/%s&cdt=%s&ua=agent%s&%s', current_setting('test.site'), i,
			(extract(epoch FROM day) + i * 5)::bigint, i % 5,
			CASE i % 3 WHEN 0 THEN 'uia=1' WHEN 1 THEN '_id=' || lpad(to_hex(i % (n / 6) + 256), 12, '0') || to_char(day, 'MMDD') ELSE 'consent=1&cid=' || lpad(to_hex(i % (n / 6) + 512), 12, '0') || to_char(day, 'MMDD') END) ORDER BY i)) AS d FROM generate_series(0, n - 1) i)
	SELECT t.outcome, CASE WHEN t.idvisitor IS NULL THEN 'nobody' ELSE 'somebody' END || ' by ' || t.matched_by, count(DISTINCT t.idvisit), count(*)
	FROM doc, pk_tracking.track_requests(doc.d, '203.0.113.5', 'agent', 'de', trusted => true) t GROUP BY 1, 2 ORDER BY 1, 2
$$;
SELECT * FROM pg_temp.bulk(30, '2026-03-10');
-- more than 64 keys
SELECT * FROM pg_temp.bulk(600, '2026-03-11');
-- the same one by one
SELECT t.outcome, CASE WHEN t.idvisitor IS NULL THEN 'nobody' ELSE 'somebody' END || ' by ' || t.matched_by AS who, count(DISTINCT t.idvisit) AS visits, count(*) AS hits
FROM (SELECT i FROM generate_series(0, 599) i ORDER BY i) i, LATERAL (SELECT t.* FROM pk_tracking.track_request(format('idsite=%s&rec=1&url=https://shop.example.org/%s&cdt=%s&ua=agent%s&%s', current_setting('test.site'), i,
			(extract(epoch FROM date '2026-03-13') + i * 5)::bigint, i % 5,
			CASE i % 3 WHEN 0 THEN 'uia=1' WHEN 1 THEN '_id=' || lpad(to_hex(i % 100 + 256), 12, '0') || '0313' ELSE 'consent=1&cid=' || lpad(to_hex(i % 100 + 512), 12, '0') || '0313' END), '203.0.113.5', 'agent', 'de', trusted => true) t OFFSET 0) t GROUP BY 1, 2 ORDER BY 1, 2;
-- a whole session in one document, with its turn
SELECT t.outcome, t.reason, t.matched_by, t.idvisitor IS NOT NULL AS somebody, count(*) OVER (PARTITION BY t.idvisit) AS "hits of the visit", t.delete_cookies
FROM pk_tracking.track_requests(jsonb_build_array('?idsite=' || :site || '&rec=1&uia=1&_id=00000000000c00d1', '?idsite=' || :site || '&rec=1&_id=00000000000c00d1', '?idsite=' || :site || '&rec=1&ping=4&_id=00000000000c00d1', '?idsite=' || :site || '&rec=1&consent=1&_id=00000000000c00d1'), '203.0.113.6') t;

-- 7. Nothing stored means nothing --------------------------------------------------------------
-- every table's rows and size, every sequence, before and after
CREATE FUNCTION pg_temp.state() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c record;
	n text;
	result text := '';
BEGIN
	FOR c IN SELECT oid::regclass AS tab, relkind FROM pg_class WHERE relnamespace = 'pk_tracking'::regnamespace AND relkind IN ('r', 'S') ORDER BY relname LOOP
		IF c.relkind = 'r' THEN
			EXECUTE format('SELECT concat_ws('':'', count(*), md5(string_agg(r::text || r.xmin::text, ''|'' ORDER BY r.ctid)), pg_relation_size(%L)) FROM %s r', c.tab, c.tab) INTO n;
		ELSE
			EXECUTE format('SELECT concat_ws('':'', last_value, log_cnt, is_called) FROM %s', c.tab) INTO n;
		END IF;
		result := result || format('%s=%s ', c.tab, n);
	END LOOP;
	RETURN result;
END $$;
CREATE FUNCTION pg_temp.nothing() RETURNS TABLE (mode text, hit text, outcome text, nothing boolean) LANGUAGE plpgsql AS $$
DECLARE
	state text;
BEGIN
	FOREACH mode IN ARRAY '{not_asked,ask_else_nothing}'::text[] LOOP
		PERFORM pg_temp.mode('consent_mode', mode);
		state := pg_temp.state();
		FOREACH hit IN ARRAY ARRAY['uia=1', 'consent=0', 'consent=denied&uid=jo&idgoal=0&ec_id=N1&ec_items=[["new sku","n","c",1,1]]', 'uia=1&_id=00000000000000f1&url=https://shop.example.org/never/seen&dimension1=x', 'uia=1&idgoal=77']
			|| CASE WHEN mode = 'not_asked' THEN '{}'::text[] ELSE ARRAY['', 'consent=x', '_id=00000000000000f1&uid=jo&url=https://shop.example.org/never/seen&dimension1=x', 'ping=1', 'search=new+word'] END
		LOOP
			outcome := pg_temp.hit(NULL, 6000, hit);
			nothing := pg_temp.state() = state;
			RETURN NEXT;
		END LOOP;
	END LOOP;
END $$;
SELECT * FROM pg_temp.nothing();
-- a hit that is stored changes it, or the test would prove nothing
SELECT pg_temp.mode();
SELECT pg_temp.state() AS state \gset
SELECT pg_temp.hit(NULL, 6000, 'consent=1') IS NOT NULL AS sent;
SELECT pg_temp.state() <> :'state' AS changed;
-- nor does a refused document
SELECT pg_temp.mode('consent_mode', 'ask_else_nothing');
SELECT pg_temp.state() AS state \gset
SELECT t.outcome, t.outcome_reason, count(*) FROM pk_tracking.track_requests((SELECT jsonb_agg('?idsite=' || :site || '&rec=1&url=https://shop.example.org/nowhere' || i) FROM generate_series(1, 100) i), '203.0.113.6') t GROUP BY 1, 2;
SELECT pg_temp.state() = :'state' AS nothing;

-- 8. Profiles, reports --------------------------------------------------------------------------
CREATE FUNCTION pg_temp.profiles() RETURNS TABLE (profile text, sets text) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH profile IN ARRAY '{piwik_pro_classic,piwik_pro_current,strict,cnil}'::text[] LOOP
		PERFORM pg_temp.mode(), pk_tracking.apply_privacy_profile(current_setting('test.site')::integer, profile);
		SELECT string_agg(v.name || '=' || v.value, ' ' ORDER BY v.name) INTO sets FROM pk_tracking_internal.setting_values() v WHERE v.idsite = current_setting('test.site')::integer AND v.source = 'site';
		RETURN NEXT;
	END LOOP;
END $$;
SELECT * FROM pg_temp.profiles();
-- strict and cnil weaken nothing, whether it was set for the site or for all
SELECT pg_temp.mode('consent_mode', 'ask_else_nothing', 'anonymous_geo_level', 'none', 'ip_mask_level', '3', 'delete_visits_older_than', '90', 'geo_level', 'country', 'anonymous_fingerprint', 'off');
SELECT pk_tracking.apply_privacy_profile(:site, 'strict'), pk_tracking.apply_privacy_profile(:site, 'cnil');
SELECT v.name, v.value, v.source FROM pk_tracking_internal.setting_values() v WHERE v.idsite = :site AND v.source <> 'default' ORDER BY v.name COLLATE "C";
SELECT pg_temp.mode();
SELECT pk_tracking.set_instance('ip_mask_level', '4'), pk_tracking.set_instance('consent_mode', 'ask_else_nothing'), pk_tracking.set_instance('delete_visits_older_than', '800');
SELECT pk_tracking.apply_privacy_profile(:site, 'strict'), pk_tracking.apply_privacy_profile(:site, 'cnil');
SELECT v.name, v.value, v.source FROM pk_tracking_internal.setting_values() v WHERE v.idsite = :site AND v.name IN ('ip_mask_level', 'consent_mode', 'delete_visits_older_than') ORDER BY v.name COLLATE "C";
SELECT pk_tracking.reset_instance('ip_mask_level'), pk_tracking.reset_instance('consent_mode'), pk_tracking.reset_instance('delete_visits_older_than');
-- cnil: what is stored of a visitor who has a user id and orders
SELECT pg_temp.mode();
SELECT pk_tracking.apply_privacy_profile(:site, 'cnil');
SELECT t.outcome, t.idvisit AS cnil FROM pk_tracking.track_request('idsite=' || :site || '&rec=1&url=https://shop.example.org/&_id=c0ffee00c0ffee00&uid=jane@example.org&idgoal=0&ec_id=ORDER-77&revenue=7&consent=1', '203.0.113.77', 'agent', 'fr', trusted => true) t \gset
SELECT v.idvisitor, v.user_id, v.location_ip, c.idorder <> 'ORDER-77' AND c.idorder ~ '^[0-9a-f]{40}$' AS random FROM pk_tracking.log_visit v JOIN pk_tracking.log_conversion c USING (idvisit) WHERE v.idvisit = :cnil;
-- nor does a user id recognise anybody, nor stand for a visitor id
SELECT t.new_visit FROM pk_tracking.track_request('idsite=' || :site || '&rec=1&url=https://shop.example.org/&uid=jane@example.org&consent=1', '198.51.100.1', 'another agent', 'fr', trusted => true) t;
SELECT pg_temp.mode();
SELECT pk_tracking.apply_privacy_profile(:site, 'lax');
SELECT pk_tracking.apply_privacy_profile(:site, NULL);
SELECT pk_tracking.apply_privacy_profile(0, 'strict');
SELECT nb_visits = nb_visits_identified + nb_visits_undecided + nb_visits_refused AS sums, nb_visits_undecided > 0 AS undecided, nb_visits_refused > 0 AS refused, nb_visits_granted > 0 AS granted FROM pk_tracking.report_consent(:site, '2026-03-02', '2026-03-02');
-- no constraint has ever fired: every anonymous row there is, and the 100,000th order of a visit
SELECT pg_temp.mode();
SELECT pg_temp.hit('y', 6500, 'idgoal=0&ec_id=x1&ec_items=[["a","n","c",1,1]]') IS NOT NULL AS sent;
UPDATE pk_tracking.log_conversion SET buster = 99999 WHERE (idvisit, idgoal) = ((SELECT idvisit FROM letter ORDER BY n DESC LIMIT 1), 0);
SELECT left(pg_temp.hit('y', 6501, 'idgoal=0&ec_id=x2&ec_items=[["a","n","c",1,1]]'), 8) AS sent;
SELECT count(*) > 100 AS many, count(*) FILTER (WHERE NOT pk_tracking_internal.anonymous_visit(v)) AS wrong FROM pk_tracking.log_visit v WHERE v.consent >= 2;

-- 9. What a scheduler does ------------------------------------------------------------------------
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
	SELECT a.idaction, a.idsite, a.type, a.url_prefix, a.name FROM pk_tracking.log_action a, generate_series(1, 3) WHERE a.idsite = :site AND a.name = 'shop.example.org/thanks';
INSERT INTO pk_tracking.log_excluded (idsite, day, hits, reason) VALUES (:site, '2026-03-02', 1, 'bot'), (:site, '2026-03-02', 2, 'bot');
CREATE TEMP TABLE names AS SELECT DISTINCT idaction, idsite, type, url_prefix, name FROM pk_tracking.log_action;
-- an hour long ago, as in a database that has fallen silent; none else, or its tables may be in use
TRUNCATE pk_tracking.link_key_0, pk_tracking.link_key_1, pk_tracking.session_link_0, pk_tracking.session_link_1;
SELECT pk_tracking_internal.session_link(:site, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 10:00+00', 1) IS NOT NULL AS linked;
-- other tests may have left more
SELECT m.task, CASE m.task WHEN 'duplicate names removed' THEN m.done >= 3 WHEN 'sums of excluded hits joined' THEN m.done >= 1 WHEN 'tables of expired session links emptied' THEN m.done = 2 ELSE m.done >= 0 END AS done FROM pk_tracking.maintain() m;
SELECT m.task, m.done FROM pk_tracking.maintain() m WHERE m.task !~ 'salts|ranges';
SELECT count(*) AS "names lost" FROM (TABLE names EXCEPT SELECT idaction, idsite, type, url_prefix, name FROM pk_tracking.log_action) x;
SELECT count(*) AS "names left" FROM pk_tracking.log_action WHERE idsite = :site AND name = 'shop.example.org/thanks';
SELECT hits FROM pk_tracking.log_excluded WHERE idsite = :site;
SELECT count(*) AS links FROM pk_tracking.session_link_0 WHERE linked < '2025-01-01';
-- a name that was removed and comes again is there again
SELECT pg_temp.hit('z', 7000, 'consent=1&url=https://shop.example.org/thanks') IS NOT NULL AS sent;
DELETE FROM pk_tracking.setting;
