-- Every report of the catalog: as an analyst and in a transaction that may write
-- nothing, with a filter, and with an empty log
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('catalog', '{https://a.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_site('empty', '{https://e.example}', 'Europe/Berlin') AS empty \gset
SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous') IS NULL AS set, pk_tracking.set_site(:site, 'trust_visitors_cookies', 'on') IS NULL AS set;
SELECT pk_tracking.add_goal(:site, 'all', 'url', 'a.example', 'contains') AS goal, pk_tracking.add_dimension(:site, 'section', 'action') AS dimension, pk_tracking.add_dimension(:empty, 'section', 'action') AS dimension;
SELECT outcome, count(*) FROM generate_series(1, 12) i, unnest(ARRAY['uia=1', 'consent=-1',  'consent=1&_id=00000000000000' || to_hex(16 + i)]) c,
	unnest(ARRAY['urlref=https://b.example/page&dimension1=x&cvar={"1":["n","v"]}', 'e_c=a&e_a=b', 'search=w&search_cat=c&search_count=0', 'pf_srv=10', 'link=https://o.example/', 'download=https://a.example/f', 'c_n=n&c_p=p', 'idgoal=0&ec_id=C' || i || md5(c) || '&revenue=3&ec_items=[["s","n","c",1,1]]']) WITH ORDINALITY k(k, n),
	LATERAL pk_tracking.track_request(format('idsite=%s&rec=1&action_name=T&url=https://a.example/p%s&%s&%s', :site, i, c, k.k), ('198.' || (length(c) + 50) || '.100.' || i)::inet, 'agent', 'de-DE',
		'2026-03-29 00:40+00'::timestamptz + i * interval '1 min' + k.n * interval '1 s') GROUP BY 1;

CREATE TEMP TABLE answers (caller text, report text, call text, digest text);
CREATE FUNCTION pg_temp.digest_of(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT count(*) || '' '' || coalesce(md5(string_agg(x::text, ''|'')), '''') FROM %s x', call) INTO result;
	RETURN result;
END $$;
CREATE ROLE regress_pkt_catalog;
SELECT pk_tracking.grant_analyst('regress_pkt_catalog');
\getenv abs_srcdir PG_ABS_SRCDIR
\set given :abs_srcdir '/test/reports/arguments.sql'
\set calls :abs_srcdir '/test/reports/calls.sql'
\set idsite :site
\set from_date '''2026-03-28'''
\set to_date '''2026-03-30'''
\set filter 'NULL'
\set ECHO none
\i :given
\i :calls
\set ECHO all
CREATE TEMP TABLE calls AS SELECT 'whole' AS kind, * FROM report_calls;
DROP TABLE report_calls;
\set filter '''countryCode!=zz;actions>=1'''
\set ECHO none
\i :calls
\set ECHO all
INSERT INTO calls SELECT 'filter', * FROM report_calls;
DROP TABLE report_calls;
\set filter '''actions>=1000'''
\set ECHO none
\i :calls
\set ECHO all
INSERT INTO calls SELECT 'nothing', * FROM report_calls;
DROP TABLE report_calls;
\set filter 'NULL'
\set idsite :empty
\set ECHO none
\i :calls
\set ECHO all
INSERT INTO calls SELECT 'empty', * FROM report_calls;
-- report_sites() has the sites of other tests, too
UPDATE calls SET call = format('(SELECT * FROM %s s WHERE s.idsite = %s)', call, CASE kind WHEN 'empty' THEN :empty ELSE :site END) WHERE report = 'report_sites';
INSERT INTO answers SELECT 'owner', report, kind, pg_temp.digest_of(call) FROM calls;
GRANT SELECT ON calls, answers TO regress_pkt_catalog;
SET ROLE regress_pkt_catalog;
BEGIN READ ONLY;
SELECT c.report, c.kind FROM calls c JOIN answers a ON a.report = c.report AND a.call = c.kind WHERE pg_temp.digest_of(c.call) <> a.digest;
COMMIT;
RESET ROLE;
-- a filter that lets all visits through changes nothing, one that lets none through is as an empty site
SELECT report FROM answers WHERE call IN ('whole', 'filter') GROUP BY 1 HAVING count(DISTINCT digest) > 1 ORDER BY 1;
SELECT a.report FROM answers a JOIN answers b USING (report) WHERE a.call = 'nothing' AND b.call = 'whole' AND a.digest = b.digest AND b.digest <> '0 ' ORDER BY 1;
-- there is something in every report
SELECT a.report FROM answers a JOIN answers b USING (report) WHERE a.call = 'whole' AND b.call = 'empty' AND a.digest = b.digest ORDER BY 1;
SELECT count(DISTINCT report) > 40 AS many, count(*) = 4 * count(DISTINCT report) AS all FROM answers;
-- each report has a test with values computed by hand
\set files :abs_srcdir '/sql'
\set tested `cd :'files' && cat report.sql report_cohorts.sql report_funnel.sql report_goals.sql report_now.sql report_pages.sql report_time.sql filter.sql`
\set ECHO none
SELECT DISTINCT report AS without_a_test FROM answers WHERE strpos(:'tested', report || '(') = 0 ORDER BY 1;
SELECT length(:'tested') > 50000 AS read;
\set ECHO all
DROP OWNED BY regress_pkt_catalog;
DROP ROLE regress_pkt_catalog;
DELETE FROM pk_tracking.log_visit WHERE idsite = :site;
