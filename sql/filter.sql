-- Filters of reports: grammar, every operator, every dimension, named filters
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('filter', '{https://f.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_site('filter, the other one', '{https://g.example}', 'UTC') AS other \gset
SELECT set_config('test.site', :'site', false) <> set_config('test.other', :'other', false) AS sites;
SELECT pk_tracking.add_dimension(:site, 'plan', 'visit') AS plan, pk_tracking.add_dimension(:site, 'section', 'action') AS section,
	pk_tracking.add_dimension(:other, 'plan', 'visit') AS other_plan, pk_tracking.add_dimension(:other, 'section', 'action') AS other_section;
SELECT pk_tracking.add_goal(:site, 'thanks', 'manually') AS goal;
\set SHOW_CONTEXT never
\pset format unaligned
\pset footer off

-- What there is -------------------------------------------------------------
SELECT d.name, d.scope, d.type, d.words FROM pk_tracking.filter_dimensions d;
SELECT d.type, string_agg(DISTINCT d.operators, ' | ') AS operators FROM pk_tracking.filter_dimensions d GROUP BY d.type ORDER BY d.type;

-- A log small enough to check by eye --------------------------------------------
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
SELECT a.id, s.site, a.type, a.prefix, a.name
FROM unnest(ARRAY[:site, :other]) AS s(site), (VALUES (9101, 1, 2, 'f.example/'), (9102, 1, 3, 'f.example/Shoes/a,b;c'), (9103, 1, 0, 'f.example/shoes/100%'),
	(9201, 4, NULL, 'Home'), (9202, 4, NULL, 'Shoes & "boots"'), (9203, 4, NULL, 'It''s shoes'),
	(9301, 3, NULL, 'https://f.example/list.pdf'), (9302, 2, NULL, 'https://b.example/'), (9401, 8, NULL, 'boots'),
	(9501, 10, NULL, 'Videos'), (9502, 11, NULL, 'play'), (9503, 12, NULL, 'Trailer'), (9504, 10, 2, 'f.example/'), (9601, 5, NULL, 'SKU1'), (9602, 6, NULL, 'Red shoe'), (9603, 7, NULL, 'Shoes'),
	-- the dictionary may hold a row twice
	(9102, 1, 3, 'f.example/Shoes/a,b;c')) AS a(id, type, prefix, name);
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, user_id, consent, visitor_returning, visitor_count_visits,
	visitor_seconds_since_last, visit_total_actions, visit_total_interactions, visit_total_time, visit_goal_converted, visit_goal_buyer, referer_type, referer_name, location_ip, location_country, location_browser_lang,
	config_os, config_browser_name, config_device_type, visit_entry_idaction_url, visit_entry_idaction_name, visit_exit_idaction_url, visitor_localtime, custom_dimensions, custom_variables)
SELECT 7500000000 + x.n, CASE WHEN x.n < 9 THEN :site ELSE :other END, x.at::timestamptz, x.at::timestamptz + x.seconds * interval '1 s', x.visitor::hexid, x.usr, x.consent, x.again, x.again * 3 + 1,
	x.again * 90000, x.actions, x.actions, x.seconds, x.converted, x.buyer, x.rtype, x.rname, CASE WHEN x.consent >= 2 THEN '0.0.0.0'::inet ELSE '203.0.113.0' END, x.country, x.lang,
	x.os, x.browser, x.device, x.entry, NULL, x.entry, x.clock::time, x.dimensions::jsonb, x.variables::jsonb
FROM (VALUES
	(1, '2026-03-28 23:30Z', '00000000000000aa', NULL, 0, 0, 3, 65, 1, 1, 1, NULL, 'de', 'de-at', 'WIN', 'FF', 0, 9101, '22:15', '{"1": "gold"}', '{"1": ["sex", "f"]}'),
	(2, '2026-03-29 09:00Z', '00000000000000aa', 'Jo', 0, 1, 2, 11, 0, 0, 6, 'News Letter', 'de', 'de', 'AND', 'CM', 1, 9102, '11:00', '{"1": "silver"}', NULL),
	(3, '2026-03-29 10:00Z', '00000000000000bb', 'bo', 1, 0, 1, 0, 0, 2, 2, 'Google', 'fr', 'fr', 'IOS', 'MF', 2, 9103, NULL, NULL, NULL),
	(4, '2026-03-29 11:00Z', NULL, NULL, 2, 0, 2, 40, 0, 0, 3, 'b.example', NULL, NULL, NULL, NULL, NULL, 9101, NULL, NULL, NULL),
	(5, '2026-03-29 12:00Z', NULL, NULL, 3, 0, 0, 0, 0, 0, 1, NULL, '', '', '', '', NULL, NULL, NULL, NULL, NULL),
	(9, '2026-03-29 12:00Z', '00000000000000aa', 'Jo', 0, 0, 1, 0, 0, 0, 1, NULL, 'de', 'de', 'WIN', 'FF', 0, 9101, NULL, NULL, NULL))
	AS x(n, at, visitor, usr, consent, again, actions, seconds, converted, buyer, rtype, rname, country, lang, os, browser, device, entry, clock, dimensions, variables);
INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, server_time, idvisitor, consent, idaction_url, idaction_name, idaction_event_category, idaction_event_action, custom_float,
	search_cat, search_count, idaction_product_sku, idaction_product_cat, idaction_product_cat2, custom_dimensions)
SELECT 7500000000 + x.visit * 10 + x.n, v.idvisit, v.idsite, v.visit_first_action_time + x.seconds * interval '1 s', v.idvisitor, v.consent, x.url, x.name, x.category, x.action, x.value, x.cat, x.found, x.sku, NULL, CASE WHEN x.sku > 0 THEN 9603 END, x.dimensions::jsonb
FROM (VALUES
	(1, 1, 0, 9101, 9201, NULL, NULL, NULL::numeric, NULL, NULL, NULL, NULL), (1, 2, 30, 9102, 9202, NULL, NULL, NULL, NULL, NULL, 9601, '{"2": "shop"}'), (1, 3, 60, 9301, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(2, 1, 0, 9102, 9203, NULL, NULL, NULL, NULL, NULL, NULL, '{"2": "shop"}'), (2, 2, 10, 9504, 9503, 9501, 9502, 2.5, NULL, NULL, NULL, NULL),
	(3, 1, 0, 9103, 9201, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(4, 1, 0, 9101, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (4, 2, 20, NULL, 9401, NULL, NULL, NULL, 'all', 0, NULL, NULL), (4, 3, 39, 9302, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	(9, 1, 0, 9101, 9201, NULL, NULL, NULL, NULL, NULL, NULL, NULL))
	AS x(visit, n, seconds, url, name, category, action, value, cat, found, sku, dimensions)
	JOIN pk_tracking.log_visit v ON v.idvisit = 7500000000 + x.visit;
INSERT INTO pk_tracking.log_conversion (idvisit, idsite, server_time, idvisitor, consent, idgoal, idorder, items, revenue)
SELECT v.idvisit, v.idsite, v.visit_first_action_time + interval '60 s', v.idvisitor, v.consent, x.goal, x.idorder, x.items, x.revenue
FROM (VALUES (1, 1, NULL, NULL::integer, 5), (1, 0, 'o1', 3, 119.5), (3, -1, NULL, 1, 50)) AS x(visit, goal, idorder, items, revenue) JOIN pk_tracking.log_visit v ON v.idvisit = 7500000000 + x.visit;
INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, server_time, idvisitor, consent, idaction_sku, idaction_name, idaction_category, quantity, price, idorder, deleted)
SELECT v.idvisit, v.idsite, v.visit_first_action_time + interval '60 s', v.idvisitor, v.consent, 9601, 9602, 9603, x.quantity, 30, x.idorder, x.deleted
FROM (VALUES (1, 3, 'o1', false), (3, 1, '0', true)) AS x(visit, quantity, idorder, deleted) JOIN pk_tracking.log_visit v ON v.idvisit = 7500000000 + x.visit;

-- the visits that a filter lets through, and how many actions, conversions and items of theirs
CREATE FUNCTION pg_temp.visits(filter text, visitors text DEFAULT 'all') RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg((l.idvisit - 7500000000)::text, ' ' ORDER BY l.idvisit), 'none')
	FROM pk_tracking.report_visit_log(current_setting('test.site')::integer, '2026-03-28', '2026-03-30', visitors, filter => filter) l
$$;
CREATE FUNCTION pg_temp.rows(filter text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	s integer := current_setting('test.site')::integer;
BEGIN
	RETURN concat_ws(' ', (SELECT sum(p.nb_hits) FROM pk_tracking.report_pages(s, '2026-03-28', '2026-03-30', filter => filter) p),
		(SELECT sum(c.nb_conversions) FROM pk_tracking.report_conversions(s, '2026-03-28', '2026-03-30', filter => filter) c),
		(SELECT sum(i.quantity) FROM pk_tracking.report_products(s, '2026-03-28', '2026-03-30', filter => filter) i));
END $$;
SELECT f.filter, pg_temp.visits(f.filter) AS visits, pg_temp.rows(f.filter) AS pages_conversions_items
FROM unnest(ARRAY[NULL, 'countryCode==de', 'countryCode==DE', 'countryCode!=de', 'countryCode==', 'countryCode!=', 'countryCode=@E', 'countryCode!@e', 'countryCode=^d', 'countryCode!^d', 'countryCode=$r', 'countryCode!$r',
	-- "," binds more closely than ";"
	'countryCode==de;deviceType==smartphone,referrerType!=direct', 'deviceType==smartphone,referrerType!=direct;countryCode==de', 'countryCode==de,countryCode==fr;consent==granted',
	' countryCode == de ; actions > 2 ', 'COUNTRYCODE==de',
	'actions>2', 'actions>=2', 'actions<2', 'actions<=2', 'actions==2', 'actions!=2', 'actions==2.0', 'actions==', 'actions!=', 'visitCount>3', 'daysSinceLastVisit>=1', 'visitDuration<=11;visitDuration>0',
	'deviceType==tablet', 'deviceType==', 'deviceType!=tablet', 'referrerType==search,referrerType==campaign', 'referrerName=@letter', 'referrerName==news%20letter', 'visitorType==returning', 'consent==undecided,consent==refused',
	'userId==jo', 'userId=@o', 'userId==', 'userId!=', 'visitorId==00000000000000AA', 'visitorId!=00000000000000aa', 'visitorId==', 'visitIp==203.0.113.0', 'visitIp==203.0.0.0/16', 'visitIp!=203.0.0.0/16', 'visitIp==2001:db8::/32',
	-- the night between the clocks of UTC and Berlin, to which summer time comes; the visitor's clock
	'visitStartServerHour==0', 'visitServerHour==11', 'visitEndServerDate==2026-03-29', 'visitEndServerDayOfWeek==1', 'visitEndServerQuarter==1;visitEndServerYear==2026', 'visitLocalHour==22', 'visitLocalHour<12', 'visitLocalHour==',
	'continentCode==eur', 'languageCode=^de', 'browserName==firefox', 'browserCode==FF', 'operatingSystemName=@Windows', 'visitConverted==1', 'visitEcommerceStatus==ordered', 'visitEcommerceStatus==abandonedCart',
	'dimension1==GOLD', 'dimension1!=gold', 'dimension1==', 'dimension2==shop', 'dimension2!=shop', 'customVariableName1==sex;customVariableValue1==f',
	-- URLs without http and www, names to the letter if they are equal, else without regard to case
	'pageUrl==https://f.example/', 'pageUrl==HTTP://WWW.f.example/', 'pageUrl==f.example/Shoes/a%2Cb%3Bc', 'pageUrl==f.example/shoes/a%2cb%3bc', 'pageUrl=^https://www.f.example/shoes', 'pageUrl=$100%25', 'pageUrl=@_', 'pageUrl=@%25', 'pageUrl!@shoes', 'pageUrl!=f.example/',
	'entryPageUrl=@shoes', 'entryPageUrl==', 'exitPageUrl==http://f.example/', 'pageTitle==Home', 'pageTitle==home', 'pageTitle=@shoes', 'pageTitle=@%26', 'pageTitle=@It''s', 'pageTitle=@%22boots%22', 'downloadUrl=@pdf', 'downloadUrl==', 'outlinkUrl!=', 'outlinkUrl==https://b.example/',
	'siteSearchKeyword==boots', 'siteSearchCategory==all', 'siteSearchCount==0', 'eventCategory==Videos', 'eventAction==play;eventName==Trailer;eventValue>2', 'eventUrl=@f.example', 'actionUrl=@example', 'productViewSku==SKU1', 'productViewCategory==Shoes',
	'actionType==events', 'actionType==pageviews', 'actionType==downloads', 'actionType==sitesearches', 'actionServerHour==13',
	-- conditions on actions that "and" joins hold for one action, those on visits and conversions for the same visit
	'pageUrl=@shoes;pageTitle=@shoes', 'pageUrl==f.example/;pageTitle=@shoes', 'pageUrl=@shoes,pageTitle==Home', 'pageUrl=@shoes,visitorType==returning,siteSearchKeyword==boots', 'pageUrl==f.example/,consent==granted;pageTitle==Home,consent==undecided',
	'pageUrl=@shoes;visitConvertedGoalId==1', 'pageUrl=@shoes,visitConvertedGoalId==1', 'pageUrl=@shoes,visitConvertedGoalId==1;pageTitle==Home,visitConvertedGoalId==-1',
	'visitConvertedGoalId==1', 'visitConvertedGoalId!=1', 'visitConvertedGoalName==thanks', 'revenueOrder>100', 'revenueOrder>100;visitConvertedGoalId==1', 'revenueAbandonedCart<=50', 'orderId==o1', 'productSku==SKU1', 'productSku==SKU1;productQuantity>2', 'productCategory!=', 'productName=@red;revenueOrder>1000']) WITH ORDINALITY AS f(filter, n) ORDER BY f.n;
SELECT v.visitors, pg_temp.visits('countryCode==de', v.visitors) AS de, pg_temp.visits('countryCode!=de', v.visitors) AS not_de, pg_temp.visits('userId==', v.visitors) AS no_user
FROM unnest('{all,identified,anonymous}'::text[]) AS v(visitors);

-- Under matomo rules the log has texts escaped; a filter is what people read
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name) VALUES (9204, :site, 4, NULL, 'Fish &amp; chips');
UPDATE pk_tracking.log_link_visit_action SET idaction_name = 9204 WHERE idvisit = 7500000003;
SELECT pk_tracking.set_site(:site, 'recognition_rules', 'matomo');
SELECT pg_temp.visits('pageTitle==Fish %26 chips') AS plain, pg_temp.visits('pageTitle=@amp') AS escape;
SELECT pk_tracking.reset_site(:site, 'recognition_rules');
SELECT pg_temp.visits('pageTitle==Fish %26 chips') AS no_such, pg_temp.visits('pageTitle=@%26amp%3B') AS as_it_is;

-- What is wrong ---------------------------------------------------------------
CREATE FUNCTION pg_temp.try(filter text, statement text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
BEGIN
	IF statement IS NULL THEN
		PERFORM pk_tracking_internal.report_statement('SELECT {visit filter v}', current_setting('test.site')::integer, filter, NULL);
	ELSE
		EXECUTE 'SELECT pk_tracking.' || statement;
	END IF;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' ', SQLSTATE, regexp_replace(message, 'site [1-9]\d*', 'site N'), '|', regexp_replace(hint, '(Valid dimensions are visitorId, userId).*$', '\1 ...'));
END $$;
SELECT f.filter, pg_temp.try(f.filter) FROM unnest(ARRAY['', ' ', ';', ',', 'countryCode', 'countryCode=', 'countryCode=de', 'countryCode===de', 'countryCode==de;', 'countryCode==de,', ';countryCode==de', 'countryCode==de;;actions>1', 'countryCode~de', '==de', '(countryCode==de)',
	'countryCode==de actions>1', 'contryCode==de', 'countryCode==de;größe>1', 'fingerprint==00000000000000aa', 'config_id==1', 'dimension==x', 'dimension0==x', 'dimension3==x', 'dimension01==x', 'dimension99999999999==x', 'customVariableName6==x', 'dimensionN==x',
	'actions=@1', 'actions==many', 'actions==1e5', 'actions==-', 'actions==1 OR true', 'actions>', 'countryCode>de', 'countryCode=@', 'countryCode!^', 'deviceType==phone', 'deviceType=@phone', 'visitorId==jo', 'visitorId==00000000000000ag', 'visitorId==00000000000000aaa', 'visitIp==host', 'visitIp==1.2.3.4/33', 'visitIp=@1',
	'countryCode==%00', 'countryCode==%ff', 'countryCode==a%', 'countryCode==a%zz', '@', '@nothing', ' @nothing', 'countryCode==@nothing']) WITH ORDINALITY AS f(filter, n) ORDER BY n;
SELECT pg_temp.try(string_agg('actions==' || n, ',')) FROM generate_series(1, 200) n;
SELECT pg_temp.try(string_agg('actions==' || n, ',')) FROM generate_series(1, 201) n;
-- the message of a report, and where a character begins
SELECT count(*) FROM pk_tracking.report_pages(:site, '2026-03-28', '2026-03-30', filter => 'pageTitle==größe;actions=>2');

-- Every dimension with every operator, in a report of each kind, by an analyst in a transaction that may write nothing, as on a standby
CREATE ROLE regress_pkt_analyst;
SELECT pk_tracking.grant_analyst('regress_pkt_analyst');
CREATE TEMP TABLE questions AS
	SELECT row_number() OVER () AS n, regexp_replace(d.name, 'N$', CASE WHEN d.name <> 'dimensionN' THEN '1' WHEN d.scope = 'visit' THEN '1' ELSE '2' END) || o.op ||
		CASE WHEN x.absent THEN '' ELSE CASE d.type WHEN 'number' THEN '1' WHEN 'word' THEN split_part(d.words, ', ', 1) WHEN 'visitor id' THEN '00000000000000aa' WHEN 'address' THEN '203.0.0.0/16' ELSE 'x' END END AS filter
	FROM pk_tracking.filter_dimensions d CROSS JOIN LATERAL regexp_split_to_table(d.operators, ' ') AS o(op) CROSS JOIN (VALUES (false), (true)) AS x(absent)
	WHERE NOT x.absent OR o.op IN ('==', '!=');
GRANT SELECT ON questions TO regress_pkt_analyst;
-- a filter over visits and over actions, and what its report gets; of all filters, or of every n-th
CREATE FUNCTION pg_temp.ask(site integer, report text, every_nth integer, first_day date DEFAULT '2026-03-28') RETURNS TABLE (asked boolean, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT count(*) > 200 / $2, sum((SELECT count(*) FROM pk_tracking.%I($1, $3, $3 + 2, filter => q.filter)))::bigint FROM questions q WHERE q.n %% $2 = 0', report)
		USING site, every_nth, first_day;
END $$;
-- the two halves of the visits: a condition and its "not"
CREATE FUNCTION pg_temp.count_of(site integer, filter text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	s record;
	n bigint;
BEGIN
	SELECT * INTO s FROM pk_tracking_internal.report_statement('SELECT count(*) FROM pk_tracking.log_visit v WHERE {visits v} AND $7 <= $8', site, filter, NULL);
	EXECUTE s.statement INTO n USING site, '2026-03-01'::timestamptz, '2026-04-01'::timestamptz, 0, 3, 'UTC'::text, '2026-01-01'::date, '2026-01-01'::date, s.filter_values;
	RETURN n;
END $$;
SET ROLE regress_pkt_analyst;
BEGIN READ ONLY;
SELECT * FROM pg_temp.ask(:site, 'report_countries', 1);
SELECT * FROM pg_temp.ask(:site, 'report_pages', 3);
SELECT * FROM pg_temp.ask(:site, 'report_goals', 7);
SELECT * FROM pg_temp.ask(:site, 'report_products', 7);
SELECT * FROM pg_temp.ask(:other, 'report_countries', 2, '2020-01-01');
SELECT q.filter, x.n, y.n FROM questions q CROSS JOIN LATERAL (SELECT pg_temp.count_of(:site, q.filter) AS n) x
	CROSS JOIN LATERAL (SELECT pg_temp.count_of(:site, regexp_replace(q.filter, '=([=@^$])', CASE WHEN q.filter ~ '==' THEN '!=' ELSE '!\1' END)) AS n) y
WHERE q.filter ~ '=[=@^$]' AND x.n + y.n <> 5;
COMMIT;
RESET ROLE;

-- Nothing of a value gets into SQL ----------------------------------------------
SELECT q.value, s.statement, s.filter_values
FROM unnest(ARRAY['''', '''; DROP TABLE pk_tracking.log_visit; --', '$$', '\', '") OR true OR ("', '($9)[1]', '%1$s', '{range l}', '{visit filter v}']) AS q(value)
	CROSS JOIN LATERAL pk_tracking_internal.report_statement('SELECT {visit filter v}', :site, 'userId=@' || replace(replace(replace(q.value, '%', '%25'), ';', '%3B'), ',', '%2C'), NULL) s;
-- Whatever is asked, the answer is rows or 22023: random bytes, and filters with some of their characters changed
CREATE FUNCTION pg_temp.fuzz(seed double precision, n integer) RETURNS TABLE (state text, many boolean) LANGUAGE plpgsql AS $$
DECLARE
	pieces text[] := (SELECT array_agg(q.filter) FROM questions q);
	asked text;
	s record;
	states text[] := '{}';
BEGIN
	PERFORM setseed(seed);
	FOR i IN 1 .. n LOOP
		IF i % 2 = 0 THEN
			SELECT string_agg(chr(CASE WHEN random() < 0.7 THEN 32 + (random() * 94)::integer ELSE 1 + (random() * 5000)::integer END), '') INTO asked FROM generate_series(1, (random() * 30)::integer);
		ELSE
			asked := pieces[1 + (random() * (cardinality(pieces) - 1))::integer] || substr(';,', 1 + (random() * 2)::integer, 1) || pieces[1 + (random() * (cardinality(pieces) - 1))::integer];
			asked := overlay(asked PLACING substr('%;,=!@<>$^''"\{}()xN10 ', 1 + (random() * 22)::integer, 1) FROM 1 + (random() * length(asked))::integer FOR (random() * 1.2)::integer);
		END IF;
		BEGIN
			SELECT * INTO s FROM pk_tracking_internal.report_statement('SELECT count(*) FROM pk_tracking.log_visit v WHERE {visits v} AND $7 <= $8', current_setting('test.site')::integer, asked, NULL);
			IF i % 10 = 1 THEN
				EXECUTE s.statement USING current_setting('test.site')::integer, now(), now(), 0, 3, 'UTC'::text, '2026-01-01'::date, '2026-01-01'::date, s.filter_values;
			END IF;
			states := states || '00000'::text;
		EXCEPTION WHEN OTHERS THEN
			states := states || SQLSTATE;
			IF SQLSTATE <> '22023' THEN RAISE WARNING '% %', asked, SQLERRM; END IF;
		END;
	END LOOP;
	RETURN QUERY SELECT x.code, count(*) > n / 50 FROM unnest(states) AS x(code) GROUP BY 1 ORDER BY 1;
END $$;
SELECT * FROM pg_temp.fuzz(0.5, 2000);

-- Visits by each dimension of the visit ------------------------------------------
SELECT b.label, b.nb_visits, b.nb_uniq_visitors, b.nb_actions, b.nb_visits_converted, b.revenue FROM pk_tracking.report_by(:site, '2026-03-28', '2026-03-30', 'countryCode') b;
SELECT q.dimension, string_agg(b.label || ' ' || b.nb_visits, ', ' ORDER BY b.n) AS visits
FROM unnest('{continentCode,languageCode,browserCode,browserName,deviceType,referrerType,referrerName,consent,visitorType,visitEcommerceStatus,visitIp,visitorId,userId,dimension1,customVariableName1,entryPageUrl,entryPageTitle,pluginPdf,visitId}'::text[]) WITH ORDINALITY AS q(dimension, n)
	CROSS JOIN LATERAL (SELECT r.label, r.nb_visits, row_number() OVER () AS n FROM pk_tracking.report_by(:site, '2026-03-28', '2026-03-30', q.dimension) r) b
GROUP BY q.dimension, q.n ORDER BY q.n;
-- ranges have a row each, in their order, even if it is empty
SELECT q.dimension, count(*) AS rows, string_agg(b.label || ' ' || b.nb_visits, ', ' ORDER BY b.n) FILTER (WHERE b.nb_visits > 0) AS visits
FROM unnest('{visitDuration,actions,visitCount,daysSinceLastVisit,daysSinceFirstVisit,daysSinceLastEcommerceOrder,visitServerHour,visitStartServerHour,visitLocalHour,visitEndServerDayOfWeek}'::text[]) WITH ORDINALITY AS q(dimension, n)
	CROSS JOIN LATERAL (SELECT r.label, r.nb_visits, row_number() OVER () AS n FROM pk_tracking.report_by(:site, '2026-03-28', '2026-03-30', q.dimension) r) b
GROUP BY q.dimension, q.n ORDER BY q.n;
SELECT b.label, b.nb_visits FROM pk_tracking.report_by(:site, '2026-03-28', '2026-03-30', 'deviceType', 'identified', 'countryCode==de') b;
-- every dimension, as analyst: all visits are in one row or another; nothing in an empty log
SET ROLE regress_pkt_analyst;
BEGIN READ ONLY;
SELECT d.name, (SELECT sum(b.nb_visits) FROM pk_tracking.report_by(:site, '2026-03-28', '2026-03-30', regexp_replace(d.name, 'N$', '1')) b) AS visits
FROM pk_tracking.filter_dimensions d WHERE d.scope = 'visit' AND (SELECT sum(b.nb_visits) FROM pk_tracking.report_by(:site, '2026-03-28', '2026-03-30', regexp_replace(d.name, 'N$', '1')) b) IS DISTINCT FROM 5;
SELECT sum((SELECT coalesce(sum(b.nb_visits), 0) FROM pk_tracking.report_by(:site, '2020-03-28', '2020-03-30', regexp_replace(d.name, 'N$', '1')) b)) AS visits FROM pk_tracking.filter_dimensions d WHERE d.scope = 'visit';
COMMIT;
RESET ROLE;
SELECT pg_temp.try(NULL, format($$report_by(%s, '2026-03-28', '2026-03-30', %L)$$, :'site', x.dimension)) FROM unnest(ARRAY['pageUrl', 'country', 'dimension2', 'dimension3', NULL, '', 'v.user_id', 'fingerprint']) AS x(dimension);

-- As many conditions as there may be: planned without a join for each, which took minutes
SELECT pg_temp.visits(string_agg(x.c, ';')) AS visits FROM (SELECT 'pageUrl=@f.example' FROM generate_series(1, 200)) AS x(c);
SELECT pg_temp.visits(string_agg(x.c, ';')) AS visits FROM (SELECT 'entryPageUrl=@f.example' FROM generate_series(1, 200)) AS x(c);
SELECT count(*) - count(*) FILTER (WHERE m.found[1] = ' OFFSET 0)') AS joins
FROM pk_tracking_internal.filter_condition(:site, repeat('pageTitle==Home;', 199) || 'pageTitle==Home') f CROSS JOIN regexp_matches(f.condition, '\[\d+\]( OFFSET 0\)|\))', 'g') AS m(found);

-- Named filters -----------------------------------------------------------------
SELECT pk_tracking.add_segment(:site, 'Shop-pers 1', 'pageUrl=@shoes;dimension2==shop');
SELECT pk_tracking.add_segment(:site, 'German', 'countryCode==de'), pk_tracking.add_segment(:other, 'German', 'countryCode==at');
SELECT s.name, s.filter FROM pk_tracking.segment s WHERE s.idsite = :site ORDER BY s.name;
SELECT pg_temp.visits('@German') AS german, pg_temp.visits(' @Shop-pers 1 ') AS shoppers, pg_temp.try('@german') AS exact;
-- a name among other conditions; not as one of several of which one will do
SELECT pg_temp.visits('countryCode==de;pageUrl=@shoes;dimension2==shop') AS conditions, pg_temp.visits('@German;@Shop-pers 1') AS names,
	pg_temp.visits('pageUrl=@shoes; @German ;dimension2==shop') AS both, pg_temp.try('@German,countryCode==at'), pg_temp.try('countryCode==at,@German'), pg_temp.try('@German;'), pg_temp.try('@German;@nothing');
SELECT pk_tracking.set_segment(:site, 'German', 'countryCode!=de');
SELECT pg_temp.visits('@German') AS changed;
SELECT pk_tracking.drop_segment(:site, 'German'), pk_tracking.drop_segment(:site, 'German') AS again, pg_temp.try('@German');
SELECT pg_temp.try(NULL, replace(x.s, '$S', :'site')) FROM unnest(ARRAY[$$add_segment($S, 'Shop-pers 1', 'actions>1')$$, $$set_segment($S, 'nothing', 'actions>1')$$, $$add_segment($S, 'bad', 'action>1')$$,
	$$add_segment($S, 'bad', 'dimension3==gold')$$, $$add_segment($S, 'bad', '@Shop-pers 1')$$, $$add_segment($S, 'bad', NULL)$$, $$add_segment($S, '@bad', 'actions>1')$$, $$add_segment($S, NULL, 'actions>1')$$, $$add_segment($S, 'bad ', 'actions>1')$$,
	$$add_segment(0, 'bad', 'actions>1')$$, $$add_segment(NULL, 'bad', 'actions>1')$$, $$set_segment($S, 'Shop-pers 1', '')$$]) WITH ORDINALITY AS x(s, n) ORDER BY x.n;
SET ROLE regress_pkt_analyst;
SELECT r.nb_visits FROM pk_tracking.report_visits(:site, '2026-03-28', '2026-03-30', 'range', filter => '@Shop-pers 1') r;
SELECT pk_tracking.add_segment(:site, 'mine', 'actions>1');
RESET ROLE;

DROP OWNED BY regress_pkt_analyst;
DROP ROLE regress_pkt_analyst;
DELETE FROM pk_tracking.segment;
DELETE FROM pk_tracking.log_conversion_item WHERE idvisit >= 7500000000;
DELETE FROM pk_tracking.log_conversion WHERE idvisit >= 7500000000;
DELETE FROM pk_tracking.log_link_visit_action WHERE idvisit >= 7500000000;
DELETE FROM pk_tracking.log_visit WHERE idvisit >= 7500000000;
DELETE FROM pk_tracking.log_action WHERE idsite IN (:site, :other);
