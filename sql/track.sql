-- track() and track_request(): what a page view leaves in the log
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position;
END $$;
SELECT pk_tracking.add_site('track one') AS one, pk_tracking.add_site('track two') AS two \gset

-- first 8 bytes of SHA-256 over the type byte and the name, by pgcrypto
CREATE FUNCTION pg_temp.name_id(type integer, name text) RETURNS bigint LANGUAGE sql AS $$
	SELECT ('x' || encode(substr(digest(set_byte('\x00', 0, type) || convert_to(name, 'UTF8'), 'sha256'), 1, 8), 'hex'))::bit(64)::bigint
$$;
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

-- an expression over the rows of a hit: v (the visit), l (the action), a (the same in words)
CREATE FUNCTION pg_temp.rows_of(r pk_tracking.tracked, expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	IF r.outcome <> 'recorded' THEN
		RETURN concat_ws(' ', r.outcome, r.outcome_reason);
	END IF;
	EXECUTE format('SELECT (%s)::text FROM pk_tracking.log_visit v JOIN pk_tracking.log_link_visit_action l ON l.idvisit = v.idvisit'
		' JOIN pk_tracking.action a ON a.idvisit = l.idvisit AND a.idlink_va = l.idlink_va WHERE l.idvisit = $1 AND l.idlink_va = $2', expression)
		INTO result USING r.idvisit, r.idlink_va;
	RETURN result;
END
$$;

-- 1. A hit with everything: the result and every column of its rows
SELECT pk_tracking.set_site(:one, 'server_cookie', 'on') \g /dev/null
SELECT r.* INTO TEMP r1 FROM pk_tracking.track(:one, 'https://www.a.example/start?x=1', 'Start page', 'https://b.example/from', '203.0.113.77', 'agent',
	'de-CH,en;q=0.5', visitor_id => 'aaaaaaaaaaaaaaaa', user_id => 'jo', consent => 'granted', at => '2026-03-02 12:00:00.7+00',
	res => '1280x1024', pv_id => 'pv0001', params => '{"h": 13, "m": 14, "s": 15, "fla": 1, "java": 1, "qt": 0, "realp": 0, "pdf": 1, "wma": 0, "ag": 0, "cookie": 1}') r;
SELECT outcome, outcome_reason, idvisitor, matched_by, new_visit, reason, visitor_returning, cookie_name, cookie_value, cookie_max_age, cookie_kind FROM r1;
SELECT r.config_id = pk_tracking.fingerprint(:one, '203.0.113.77', 'agent', 'de-CH,en;q=0.5', params => '{"fla": 1, "java": 1, "pdf": 1, "cookie": 1}') AS "config_id is its fingerprint",
	r.idvisitor = pk_tracking.user_id_visitor_id('jo') AS "idvisitor is the user's" FROM r1 r;
SELECT j.key, CASE WHEN j.value IS NULL THEN '-' ELSE j.value END AS value
FROM r1 JOIN pk_tracking.log_visit v USING (idvisit), jsonb_each_text(to_jsonb(v) - '{idvisit,idsite,config_id,last_idlink_va}'::text[]) j ORDER BY j.key COLLATE "C";
SELECT j.key, CASE WHEN j.value IS NULL THEN '-' ELSE j.value END AS value
FROM r1 JOIN pk_tracking.log_link_visit_action l USING (idvisit, idlink_va), jsonb_each_text(to_jsonb(l) - '{idvisit,idlink_va,idsite}'::text[]) j ORDER BY j.key COLLATE "C";
SELECT v.last_idlink_va = r.idlink_va AS last_idlink_va, v.visit_entry_idaction_url = pg_temp.name_id(1, 'a.example/start?x=1') AS entry_url,
	v.visit_entry_idaction_name = pg_temp.name_id(4, 'Start page') AS entry_name, v.visit_exit_idaction_url = v.visit_entry_idaction_url AS exit_url,
	v.visit_exit_idaction_name = v.visit_entry_idaction_name AS exit_name, v.idsite = :one AS idsite, v.config_id = r.config_id AS config_id
FROM r1 r JOIN pk_tracking.log_visit v USING (idvisit);
-- only the masked address is in the rows
SELECT count(*) AS "rows with the address" FROM r1 JOIN pk_tracking.log_visit v USING (idvisit), pk_tracking.log_link_visit_action l, pk_tracking.log_action a
WHERE l.idvisit = v.idvisit AND a.idsite = v.idsite AND (v::text || l::text || a::text) ~ '203\.0\.113';

-- a hit with nothing: defaults
SELECT r.* INTO TEMP r2 FROM pk_tracking.track(:one, at => '2026-03-02 12:00:00+00') r;
SELECT j.key, CASE WHEN j.value IS NULL THEN '-' ELSE j.value END AS value
FROM r2 JOIN pk_tracking.log_visit v USING (idvisit), jsonb_each_text(to_jsonb(v) - '{idvisit,idsite,idvisitor,last_idlink_va}'::text[]) j WHERE j.value IS NOT NULL ORDER BY j.key COLLATE "C";
SELECT j.key, CASE WHEN j.value IS NULL THEN '-' ELSE j.value END AS value
FROM r2 JOIN pk_tracking.log_link_visit_action l USING (idvisit, idlink_va), jsonb_each_text(to_jsonb(l) - '{idvisit,idlink_va,idsite,idvisitor}'::text[]) j WHERE j.value IS NOT NULL ORDER BY j.key COLLATE "C";
SELECT r.config_id IS NULL AS "no fingerprint", r.cookie_value = r.idvisitor::text AS "cookie of the visit" FROM r2 r;

-- an inserted row has an identified visit's defaults
BEGIN;
INSERT INTO pk_tracking.log_visit (idsite, visit_first_action_time, visit_last_action_time) VALUES (:one, '2026-01-01', '2026-01-01');
INSERT INTO pk_tracking.log_link_visit_action (idsite, idvisit, server_time) SELECT :one, max(idvisit), '2026-01-01' FROM pk_tracking.log_visit;
SELECT j.key, j.value FROM (SELECT * FROM pk_tracking.log_visit ORDER BY idvisit DESC LIMIT 1) v, jsonb_each_text(to_jsonb(v) - '{idvisit,idsite}'::text[]) j WHERE j.value IS NOT NULL ORDER BY j.key COLLATE "C";
SELECT j.key, j.value FROM (SELECT * FROM pk_tracking.log_link_visit_action ORDER BY idlink_va DESC LIMIT 1) v, jsonb_each_text(to_jsonb(v) - '{idvisit,idlink_va,idsite}'::text[]) j WHERE j.value IS NOT NULL ORDER BY j.key COLLATE "C";
ROLLBACK;

-- 2. A visit: entry, exit, counters, times, positions.  The third hit comes late
SELECT (pk_tracking.track(:two, url, title, visitor_id => 'bbbbbbbbbbbbbbbb', at => '2026-03-02 12:00+00'::timestamptz + t * interval '1 second')).reason
FROM (VALUES (1, 0, 'http://a.example/1', 'One'), (2, 100, 'http://a.example/2', NULL), (3, 40, NULL, 'Three'), (4, 1899, 'http://a.example/4', 'Four'), (5, 1900, 'not a url', ' ')) x(n, t, url, title) ORDER BY n;
SELECT a.pageview_position AS n, to_char(a.server_time, 'HH24:MI:SS') AS at, a.time_spent_ref_action AS spent, a.kind, a.url, a.title, a.previous_url, a.previous_title, a.matched_by, a.decision, a.consent
FROM pk_tracking.action a WHERE a.idsite = :two ORDER BY a.idlink_va;
SELECT v.idaction_url IS NULL AS no_url, v.idaction_url = 0 AS url_0, v.idaction_name = 0 AS name_0, v.idaction_url_ref = 0 AS ref_0, v.idaction_name_ref = 0 AS name_ref_0
FROM pk_tracking.log_link_visit_action v WHERE v.idsite = :two ORDER BY v.idlink_va;
\x on
SELECT v.site, v.idvisitor, v.user_id, v.visit_first_action_time, v.visit_last_action_time, v.visit_total_time, v.local_time, v.visit_total_actions, v.visit_total_interactions,
	v.visit_total_searches, v.visit_total_events, v.visitor_type, v.visitor_count_visits, v.consent, v.entry_url, v.entry_title, v.exit_url, v.exit_title,
	v.referrer_type, v.location_ip, v.location_browser_lang, v.config_resolution, v.converted, v.ordered, v.open_cart
FROM pk_tracking.visit v WHERE v.idsite = :two;
\x off
-- time spent is bounded by visit_standard_length, total time counts from the first hit
SELECT v.visit_total_time, a.time_spent_ref_action FROM pk_tracking.log_visit v JOIN pk_tracking.log_link_visit_action a ON a.idlink_va = v.last_idlink_va AND a.idvisit = v.idvisit WHERE v.idsite = :two;
-- the local time of a site elsewhere
UPDATE pk_tracking.site SET timezone = 'Asia/Kolkata' WHERE idsite = :two;
SELECT v.local_time FROM pk_tracking.visit v WHERE v.idsite = :two;

-- 3. The same hit both ways gives the same rows
SELECT pk_tracking.add_site('by track') AS a, pk_tracking.add_site('by track_request') AS b \gset
SELECT pk_tracking.set_instance('enable_fingerprinting_across_websites', 'on');
CREATE TEMP TABLE both_ways (n serial, args jsonb, query text);
INSERT INTO both_ways (args, query) VALUES
	('{"url": "https://a.example/ü?a=b&c=d", "title": "Ü & <b>", "id": "aaaaaaaaaaaaaaaa"}', 'url=https%3A%2F%2Fa.example%2F%C3%BC%3Fa%3Db%26c%3Dd&action_name=%C3%9C+%26+%3Cb%3E&_id=aaaaaaaaaaaaaaaa'),
	('{"url": "https://a.example/2", "uid": "jo", "id": "aaaaaaaaaaaaaaaa"}', 'url=https://a.example/2&uid=jo&_id=aaaaaaaaaaaaaaaa'),
	('{"cid": "cccccccccccccccc", "res": "800x600", "pv": "abcdef", "new": true}', 'cid=cccccccccccccccc&res=800x600&pv_id=abcdef&new_visit=1'),
	('{"cid": "cccccccccccccccc", "ref": "https://b.example/", "params": {"_idvc": 4, "_idts": 1740916800, "_viewts": "1740916800", "_ects": "1740916800", "h": 1, "m": 2, "s": 3, "pdf": 1}, "new": true}',
		'cid=cccccccccccccccc&urlref=https://b.example/&_idvc=4&_idts=1740916800&_viewts=1740916800&_ects=1740916800&h=1&m=2&s=3&pdf=1&new_visit=1'),
	('{"url": "", "title": "", "uid": ""}', 'url=&action_name=&uid='),
	('{"params": {"url": "https://a.example/params", "action_name": "Params", "uid": "params", "ua": "other", "lang": "fr", "res": "1x1", "pv_id": "q"}}',
		'url=https://a.example/params&action_name=Params&uid=params&ua=other&lang=fr&res=1x1&pv_id=q');
SELECT b.n, (t).outcome, (t).matched_by, (t).reason,
	((t).outcome, (t).outcome_reason, (t).config_id::text, (t).matched_by, (t).new_visit, (t).reason, (t).visitor_returning, (t).cookie_name, (t).cookie_max_age, (t).cookie_kind)
		IS NOT DISTINCT FROM ((q).outcome, (q).outcome_reason, (q).config_id::text, (q).matched_by, (q).new_visit, (q).reason, (q).visitor_returning, (q).cookie_name, (q).cookie_max_age, (q).cookie_kind) AS same_result
FROM (SELECT b.n,
		pk_tracking.track(:a, b.args->>'url', b.args->>'title', b.args->>'ref', '203.0.113.77', CASE WHEN b.args->'params' ? 'ua' THEN NULL ELSE 'agent' END, CASE WHEN b.args->'params' ? 'lang' THEN NULL ELSE 'de' END,
			(b.args->>'id')::hexid, (b.args->>'cid')::hexid, b.args->>'uid', at => '2026-03-02 12:00+00'::timestamptz + b.n * interval '10 s', new_visit => (b.args->>'new')::boolean,
			res => b.args->>'res', pv_id => b.args->>'pv', params => b.args->'params') AS t,
		pk_tracking.track_request('idsite=' || :b || '&rec=1&' || b.query, '203.0.113.77', 'agent', 'de', '2026-03-02 12:00+00'::timestamptz + b.n * interval '10 s') AS q
	FROM both_ways b ORDER BY b.n OFFSET 0) b ORDER BY b.n;
WITH rows AS (
	SELECT v.idsite, row_number() OVER (PARTITION BY v.idsite ORDER BY v.idvisit) AS n,
		to_jsonb(v) - '{idvisit,idsite,idvisitor,last_idlink_va}'::text[]
			|| jsonb_build_object('id', CASE WHEN v.idvisitor::text ~ '^(a{16}|c{16})$' OR v.user_id IS NOT NULL THEN v.idvisitor::text END,
				'actions', (SELECT jsonb_agg(to_jsonb(l) - '{idvisit,idlink_va,idsite,idvisitor}'::text[] ORDER BY l.idlink_va) FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit)) AS row
	FROM pk_tracking.log_visit v WHERE v.idsite IN (:a, :b))
SELECT x.n, x.row = y.row AS same FROM (SELECT * FROM rows WHERE idsite = :a) x FULL JOIN (SELECT * FROM rows WHERE idsite = :b) y USING (n) ORDER BY n;
SELECT count(*) AS names, count(*) FILTER (WHERE b.idaction IS NOT NULL) AS "in both" FROM pk_tracking.log_action a
	LEFT JOIN pk_tracking.log_action b ON b.idsite = :b AND b.idaction = a.idaction AND b.type = a.type AND b.name = a.name AND coalesce(b.url_prefix, -1) = coalesce(a.url_prefix, -1)
WHERE a.idsite = :a;
SELECT pk_tracking.reset_instance('enable_fingerprinting_across_websites');

-- named arguments beat params; NULL arguments are absent
SELECT pk_tracking.add_site('arguments') AS args \gset
SELECT pg_temp.rows_of(pk_tracking.track(:args, 'https://a.example/arg', 'Argument', ip => '203.0.113.77', user_agent => 'agent', accept_language => 'en', cid => 'cccccccccccccccc', at => '2026-03-02 12:00+00', res => '2x2', pv_id => 'arg',
	params => '{"url": "https://a.example/params", "action_name": "Params", "cid": "dddddddddddddddd", "res": "1x1", "pv_id": "q", "lang": "fr", "idsite": 1, "rec": 0}'),
	$$concat_ws('|', v.idvisitor, a.url, a.title, v.user_id, v.config_resolution, a.idpageview, v.location_browser_lang)$$) AS row;
SELECT (r).outcome, (r).cookie_value IS NULL AS "no cookie" FROM (SELECT pk_tracking.track(:args, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS r OFFSET 0) x;
SELECT (pk_tracking.track_request('idsite=' || :args || '&rec=1', NULL, NULL, NULL, NULL, NULL, NULL, NULL)).outcome;
-- the time too
SELECT pg_temp.rows_of(pk_tracking.track(:args, cid => 'dddddddddddddddd', at => '2026-03-02 12:00+00', params => '{"cdt": "2026-03-02 11:59:00"}'), 'a.server_time') AS at,
	pg_temp.rows_of(pk_tracking.track(:args, cid => 'dddddddddddddddd', new_visit => true, at => '2026-03-02 12:00+00', params => '{"new_visit": 0}'), 'a.decision') AS new_visit;

-- 4. Consent: nothing stored is nothing
SELECT pk_tracking.add_site('consent') AS consent \gset
CREATE TEMP SEQUENCE consent_agent;
CREATE FUNCTION pg_temp.consent(site integer, mode text) RETURNS TABLE (mode_ text, given text, outcome text, reason text, stored boolean, consent text) LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.tracked;
	before text;
BEGIN
	PERFORM pk_tracking.set_site(site, 'consent_mode', mode);
	FOREACH given IN ARRAY '{granted,unknown,denied,GRANTED,NULL,1,0,-1,uia}'::text[] LOOP
		before := pg_temp.state();
		IF given = 'uia' THEN
			r := pk_tracking.track_request(format('idsite=%s&rec=1&uia=1&url=https://a.example/refused/%s', site, mode), '203.0.113.77', 'agent');
		ELSE
			r := pk_tracking.track(site, format('https://a.example/refused/%s/%s', mode, given), ip => '203.0.113.77', user_agent => format('Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/%s.0', nextval('consent_agent')), consent => nullif(given, 'NULL'));
		END IF;
		mode_ := mode;
		outcome := r.outcome;
		reason := r.outcome_reason;
		stored := pg_temp.state() <> before;
		SELECT v.consent INTO consent FROM pk_tracking.visit v WHERE v.idvisit = r.idvisit;
		RETURN NEXT;
	END LOOP;
END
$$;
SELECT * FROM pg_temp.consent(:consent, 'not_asked');
SELECT * FROM pg_temp.consent(:consent, 'ask_else_nothing');
SELECT count(*) AS "names of refused pages" FROM pk_tracking.log_action a WHERE a.idsite = :consent AND a.name ~ 'denied|/0$|not_asked$|ask_else_nothing/(unknown|NULL|-1)';
SELECT pk_tracking.reset_site(:consent, 'consent_mode');

-- 5. Other kinds of hits: which kind wins, which have an action row.  More in action.sql
CREATE FUNCTION pg_temp.kind(site integer, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r pk_tracking.tracked := pk_tracking.track_request(format('idsite=%s&rec=1&url=https://a.example/kind&', site) || query, '203.0.113.77', 'agent');
BEGIN
	RETURN concat_ws(' ', r.outcome, r.outcome_reason, coalesce(
		(SELECT a.kind FROM pk_tracking.action a WHERE a.idlink_va = r.idlink_va AND a.idvisit = r.idvisit), 'no action'));
END
$$;
SELECT q, pg_temp.kind(:consent, q) FROM unnest('{ping=1,idgoal=0,idgoal=0&ec_id=1,idgoal=3,download=https://a.example/f.pdf,link=https://b.example/,e_c=c&e_a=a,c_n=banner,search=word,
	ping=1&e_c=c&e_a=a,idgoal=3&download=x,e_c=c,e_a=a,idgoal=-1,idgoal=x,ping=0,ping=7,ping=4,download=,search=,c_p=x,link=https://b.example/&e_c=c&e_a=a,e_c=c&e_a=a&c_n=n,c_n=n&search=s,download=x&link=y}'::text[]) WITH ORDINALITY x(q, n) ORDER BY n;

-- 6. Forms of a tracking URL
CREATE FUNCTION pg_temp.form(query text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.rows_of(pk_tracking.track_request(replace(query, 'SITE', current_setting('test.site')), at => '2026-03-02 12:00+00'),
		'concat_ws(''|'', ''recorded'', v.idvisitor, a.title)')
$$;
SELECT set_config('test.site', pk_tracking.add_site('forms')::text, false) <> '' AS site;
SELECT replace(q, '&', ' &') AS query, pg_temp.form(q) AS result FROM unnest(ARRAY[
	'idsite=SITE&rec=1&cid=abcdefabcdefabcd&action_name=plain',
	'?idsite=SITE&rec=1&cid=abcdefabcdefabcd&action_name=mark',
	'https://stats.example/matomo.php?idsite=SITE&rec=1&cid=abcdefabcdefabcd&action_name=full+URL',
	'/ppms.php?idsite=SITE&rec=1&cid=abcdefabcdefabcd&action_name=path',
	'idsite=SITE&rec=1&cid=abcdefabcdefabcd&action_name=is+it%3F&url=https://a.example/?x=1',
	'action_name=why?&idsite=SITE&rec=1&cid=abcdefabcdefabcd',
	'&&idsite=SITE&&rec=1&cid=abcdefabcdefabcd&action_name=empty+parts&',
	'idsite=SITE&rec=1&cid=abcdefabcdefabcd&%61ction_name=escaped+name',
	'idsite=SITE&rec=1&cid=abcdefabcdefabcd&ACTION_NAME=case+counts',
	'idsite=SITE&rec=1&cid=0000000000000000&cid=abcdefabcdefabcd&action_name=first&action_name=last',
	'idsite=SITE&rec=0&rec=1&cid=abcdefabcdefabcd&action_name=rec+twice',
	'idsite=SITE&rec=1&rec=0&cid=abcdefabcdefabcd',
	'idsite=SITE&rec=1&rec=&cid=abcdefabcdefabcd',
	'idsite=SITE&rec=1&cid=abcdefabcdefabcd&action_name=first&action_name=',
	'idsite=SITE&rec=1&cid=abcdefabcdefabcd&action_name',
	'idsite=SITE&rec=1&rand=1&apiv=1&send_image=0&_idn=1&gt_ms=5&cid=abcdefabcdefabcd&action_name=unknown+ones']) WITH ORDINALITY x(q, n) ORDER BY n;
-- the Referer header stands in for a missing URL, not for one that is given
SELECT n, pg_temp.rows_of(pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&cid=0000000000000001' || q, headers => '{"referer": "https://a.example/referer"}', at => '2026-03-02 12:00+00'),
	$$coalesce(a.url, 'none')$$) AS url
FROM (VALUES (1, ''), (2, '&url=https://a.example/url'), (3, '&urlref=https://b.example/')) x(n, q) ORDER BY n;

-- 7. Matomo's rules escape texts, the FAQ's rules keep them as sent
SELECT pk_tracking.add_site('escaped') AS escaped \gset
SELECT pk_tracking.set_site(:escaped, 'recognition_rules', 'matomo');
SELECT pg_temp.rows_of(pk_tracking.track(:escaped, action_name => '"Tom" & <Jerry>''s &amp; &eacute;', user_id => 'a&b<', at => '2026-03-02 12:00+00'),
	$$concat_ws('|', v.user_id, a.title, v.idvisitor = pk_tracking.user_id_visitor_id('a&amp;b&lt;'))$$) AS escaped;
SELECT pg_temp.rows_of(pk_tracking.track(:args, action_name => '"Tom" & <Jerry>''s &amp; &eacute;', user_id => 'a&b<', at => '2026-03-02 12:00+00'),
	$$concat_ws('|', v.user_id, a.title, v.idvisitor = pk_tracking.user_id_visitor_id('a&b<'))$$) AS "as sent";
-- a number is no text: it is left alone; what is escaped already is not escaped twice
SELECT t, pg_temp.rows_of(pk_tracking.track(:escaped, action_name => t, cid => 'cccccccccccccccc', at => '2026-03-02 12:00+00'), 'a.title') AS escaped
FROM unnest('{42,1.5,&amp;,&lt;b&gt;,&#039;,&amp;amp;,&unknown;,""}'::text[]) t;

-- 8. The dictionary: one row per name, of whatever prefix; numbers are hashes
SELECT pk_tracking.add_site('dictionary') AS dict, pk_tracking.add_site('another dictionary') AS dict2 \gset
SELECT count((pk_tracking.track(:dict, u, 'https://a.example/x', at => '2026-03-02 12:00+00', visitor_id => 'aaaaaaaaaaaaaaaa')).idvisit)
FROM unnest('{http://a.example/x,https://a.example/x,http://www.a.example/x,https://www.a.example/x,HTTPS://a.example/x,http://a.example/x,ftp://a.example/x,//a.example/x,https://a.example/X,  https://a.example/x  }'::text[]) u;
SELECT a.type, a.url_prefix, a.name, a.idaction = pg_temp.name_id(a.type, a.name) AS hash, count(l.idvisit) AS used
FROM pk_tracking.log_action a LEFT JOIN pk_tracking.log_link_visit_action l ON l.idsite = a.idsite AND l.idaction_url = a.idaction
WHERE a.idsite = :dict GROUP BY 1, 2, 3, 4 ORDER BY a.type, a.name COLLATE "C";
SELECT p, pk_tracking.url_prefix_text(p::smallint) AS text FROM unnest('{0,1,2,3,NULL,9}'::integer[]) p;
-- the same name on another site has the same number and a row of its own
SELECT (pk_tracking.track(:dict2, 'https://a.example/x', at => '2026-03-02 12:00+00')).outcome;
SELECT count(*), count(DISTINCT a.idaction) AS numbers FROM pk_tracking.log_action a WHERE a.idsite IN (:dict, :dict2) AND a.type = 1 AND a.name = 'a.example/x';
-- a number that another name has: the next one is taken, and found again
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name) VALUES
	(pg_temp.name_id(1, 'a.example/collides'), :dict, 1, 2, 'a.example/other'), (pg_temp.name_id(1, 'a.example/collides') + 1, :dict, 4, NULL, 'a.example/collides');
SELECT count((pk_tracking.track(:dict, 'https://a.example/collides', at => '2026-03-02 12:01+00', visitor_id => 'aaaaaaaaaaaaaaaa')).idvisit) FROM generate_series(1, 3);
SELECT a.idaction - pg_temp.name_id(1, 'a.example/collides') AS distance, a.type, a.name FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name IN ('a.example/collides', 'a.example/other') ORDER BY distance;
\c -
SET timezone = 'UTC';
SET datestyle = ISO;
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.name_id(type integer, name text) RETURNS bigint LANGUAGE sql AS $$
	SELECT ('x' || encode(substr(digest(set_byte('\x00', 0, type) || convert_to(name, 'UTF8'), 'sha256'), 1, 8), 'hex'))::bit(64)::bigint
$$;
SELECT (pk_tracking.track(:dict, 'https://a.example/collides', at => '2026-03-02 12:02+00', visitor_id => 'aaaaaaaaaaaaaaaa')).outcome;
SELECT a.url, l.idaction_url - pg_temp.name_id(1, 'a.example/collides') AS distance FROM pk_tracking.log_link_visit_action l JOIN pk_tracking.action a USING (idvisit, idlink_va)
WHERE l.idsite = :dict ORDER BY idlink_va DESC LIMIT 1;
SELECT count(*) FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name = 'a.example/collides';
-- a name that was added in a part of the transaction that is undone is added again
BEGIN;
SAVEPOINT s;
SELECT (pk_tracking.track(:dict, 'https://a.example/undone', 'Undone', at => '2026-03-02 12:03+00', visitor_id => 'aaaaaaaaaaaaaaaa')).outcome;
ROLLBACK TO s;
SELECT count(*) FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name IN ('a.example/undone', 'Undone');
SELECT (pk_tracking.track(:dict, 'https://a.example/undone', 'Undone', at => '2026-03-02 12:03+00', visitor_id => 'aaaaaaaaaaaaaaaa')).outcome;
SELECT count(*) FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name IN ('a.example/undone', 'Undone');
-- and once more if the transaction is
ROLLBACK;
SELECT (pk_tracking.track(:dict, 'https://a.example/undone', 'Undone', at => '2026-03-02 12:03+00', visitor_id => 'aaaaaaaaaaaaaaaa')).outcome;
SELECT count(*) FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name IN ('a.example/undone', 'Undone');
-- undone in a function's exception block
DO $$
BEGIN
	BEGIN
		PERFORM pk_tracking.track(s.idsite, 'https://a.example/block', at => '2026-03-02 12:04+00') FROM pk_tracking.site s WHERE s.name = 'dictionary';
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
	PERFORM pk_tracking.track(s.idsite, 'https://a.example/block', at => '2026-03-02 12:04+00') FROM pk_tracking.site s WHERE s.name = 'dictionary';
END $$;
SELECT count(*) FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name = 'a.example/block';
-- a row that was deleted is written again; TRUNCATE likewise
DELETE FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name = 'Undone';
SELECT (pk_tracking.track(:dict, 'https://a.example/undone', 'Undone', at => '2026-03-02 12:05+00', visitor_id => 'aaaaaaaaaaaaaaaa')).outcome;
SELECT a.type, a.name, count(*) FROM pk_tracking.log_action a WHERE a.idsite = :dict AND a.name IN ('a.example/undone', 'Undone') GROUP BY 1, 2 ORDER BY 1;
BEGIN;
TRUNCATE pk_tracking.log_action;
SELECT (pk_tracking.track(:dict, 'https://a.example/undone', 'Undone', at => '2026-03-02 12:05+00', visitor_id => 'aaaaaaaaaaaaaaaa')).outcome;
SELECT a.type, a.name FROM pk_tracking.log_action a ORDER BY 1;
ROLLBACK;
-- a duplicate row is folded by the views
INSERT INTO pk_tracking.log_action SELECT a.* FROM pk_tracking.log_action a WHERE a.idsite = :dict;
SELECT count(*) = (SELECT count(*) FROM pk_tracking.log_link_visit_action l WHERE l.idsite = :dict) AS "actions once" FROM pk_tracking.action a WHERE a.idsite = :dict;
SELECT count(*) = (SELECT count(*) FROM pk_tracking.log_visit l WHERE l.idsite = :dict) AS "visits once" FROM pk_tracking.visit a WHERE a.idsite = :dict;

-- 9. Ids come from the sequences, one for each row
SELECT (pk_tracking.track(:dict2, at => '2026-03-02 15:00+00')).outcome;
SELECT (SELECT last_value FROM pk_tracking.log_visit_idvisit_seq) - max(v.idvisit) AS visits_ahead, (SELECT last_value FROM pk_tracking.log_link_visit_action_idlink_va_seq) - max(v.last_idlink_va) AS actions_ahead
FROM pk_tracking.log_visit v WHERE v.idsite = :dict2;

-- 10. A statement of many hits, each its own
SELECT pk_tracking.add_site('many') AS many \gset
SELECT count(*) FROM (SELECT pk_tracking.track(:many, 'https://a.example/' || n % 7, at => '2026-03-02 12:00+00'::timestamptz + n * interval '1 s', visitor_id => (n % 5)::bigint::hexid) FROM generate_series(1, 100) n) x;
SELECT count(*) AS visits, sum(v.visit_total_actions) AS actions, min(v.visit_total_actions), max(v.visit_total_actions) FROM pk_tracking.log_visit v WHERE v.idsite = :many;
SELECT count(*) AS names FROM pk_tracking.log_action a WHERE a.idsite = :many;

-- 11. status()
SELECT s.item, CASE WHEN s.item NOT IN ('daily salts', 'returning visitors', 'joins of different ids', 'unknown browsers', 'user agent rules') THEN s.remark END AS remark FROM pk_tracking.status() s WHERE s.item !~ '^salt |^eras|^roll-ups' ORDER BY s.item COLLATE "C";
BEGIN;
SET LOCAL pk_tracking.user_agent_rules_file = '/nonexistent/regexes.yaml';
SET LOCAL pk_tracking.geoip_asn_file = '/nonexistent/asn.mmdb';
SET LOCAL client_min_messages = error;
SELECT s.item, s.value, s.remark FROM pk_tracking.status() s WHERE s.item ~ '^(GeoIP|user agent)' ORDER BY s.item COLLATE "C";
-- tracking goes on, and the agent itself tells fingerprints apart
SELECT pk_tracking.fingerprint(:many, '203.0.113.7', 'agent one') OPERATOR(public.=) pk_tracking.fingerprint(:many, '203.0.113.7', 'agent two') AS same;
ROLLBACK;
SELECT pk_tracking.fingerprint(:many, '203.0.113.7', 'agent one') OPERATOR(public.=) pk_tracking.fingerprint(:many, '203.0.113.7', 'agent two') AS same;
SELECT s.item, s.value ~ '^made \d\d\d\d-\d\d-\d\d$' AS made FROM pk_tracking.status() s WHERE s.item ~ '^salt ' ORDER BY s.item COLLATE "C";
SELECT s.item, s.value FROM pk_tracking.status() s WHERE s.item IN ('log version', 'extension version') ORDER BY 1;
SELECT pk_tracking.set_instance('fingerprint_ip', 'full');
SELECT s.item, s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'settings of the instance';
SELECT pk_tracking.reset_instance('fingerprint_ip');
DELETE FROM pk_tracking.setting;
