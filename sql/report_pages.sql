-- Reports on pages, transitions, searches, content and custom values, on a log that
-- is small enough to count by eye.  Berlin: on 29 March 2026 clocks go from 2:00 to
-- 3:00, so that day begins at 23:00 UTC on the 28th and ends at 22:00 UTC.
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('pages', '{https://p.example}', 'Europe/Berlin') AS site \gset
SELECT set_config('test.site', :'site', false) IS NOT NULL AS site,
	pk_tracking.add_dimension(:site, 'plan', 'visit') AS plan, pk_tracking.add_dimension(:site, 'section', 'action') AS section;
SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous'), pk_tracking.set_site(:site, 'create_new_visit_after_midnight', 'off') \g /dev/null
-- a hit of one visitor; each has a network of their own
CREATE FUNCTION pg_temp.hit(visitor text, at timestamptz, query text, consent integer DEFAULT 1) RETURNS text
LANGUAGE sql AS $$
	SELECT concat_ws(' ', outcome, outcome_reason)
	FROM pk_tracking.track_request(format('idsite=%s&rec=1&consent=%s%s&url=https://p.example%s', current_setting('test.site'), consent,
			CASE WHEN consent = 1 THEN '&_id=' || lpad(visitor, 16, '0') ELSE '' END, query),
		(('x' || visitor)::bit(8)::integer || '.0.2.1')::inet, 'Mozilla/5.0 (X11; Linux x86_64; rv:124.0) Gecko/20100101 Firefox/124.0', 'de', at)
$$;
SELECT h.visitor, h.at, h.query, pg_temp.hit(h.visitor, h.at::timestamptz, h.query, h.consent) AS outcome
FROM (VALUES
	-- a: two pages before the clocks change, two after it; 15 minutes from 1:50 to 3:05
	(1, 'aa', '2026-03-29 00:30Z', '/a&action_name=A&urlref=https://news.example/story&pf_net=10&pf_srv=100&pf_tfr=20&pf_dm1=200&pf_dm2=50&pf_onl=20&_cvar={"1":["kind","new"]}', 1),
	(2, 'aa', '2026-03-29 00:31Z', '/b&action_name=B&pf_net=20&pf_srv=200&pf_tfr=40&pf_dm1=400&pf_dm2=100&pf_onl=40&dimension2=docs&cvar={"1":["box","red"]}', 1),
	(3, 'aa', '2026-03-29 00:50Z', '/a&action_name=A&pf_srv=300', 1),
	(4, 'aa', '2026-03-29 01:05Z', '/shop/x&action_name=X&dimension2=shop&cvar={"1":["box","red"],"2":["box","blue"]}', 1),
	-- b: begins at 23:50, ends at 0:10
	(5, 'bb', '2026-03-28 22:50Z', '/a&action_name=A&urlref=https://www.google.com/search?q=p', 1),
	(6, 'bb', '2026-03-28 23:05Z', '/b&action_name=B&dimension2=docs', 1),
	(7, 'bb', '2026-03-28 23:10Z', '/b&e_c=video&e_a=play&dimension2=docs', 1),
	-- c: views a page before midnight, and after it leaves an event alone
	(8, 'cc', '2026-03-28 22:55Z', '/b&action_name=B', 1),
	(9, 'cc', '2026-03-28 23:02Z', '/b&e_c=video&e_a=play', 1),
	-- d: refuses consent; one page, then a file
	(10, 'dd', '2026-03-29 10:00Z', '/a&action_name=A', 0),
	(11, 'dd', '2026-03-29 10:01Z', '/a&download=https://p.example/list.pdf', 0),
	-- e: begins with a search that finds nothing; reloads a page; a page without a title; a link
	(12, 'ee', '2026-03-29 12:00Z', '/find&search=boots&search_cat=shoes&search_count=0', 1),
	(13, 'ee', '2026-03-29 12:01Z', '/shop/x&action_name=X&c_n=&pf_srv=500', 1),
	(14, 'ee', '2026-03-29 12:02Z', '/shop/x&action_name=X', 1),
	(15, 'ee', '2026-03-29 12:03Z', '/shop/y', 1),
	(16, 'ee', '2026-03-29 12:04Z', '/shop/y&link=https://else.example/', 1),
	-- f: the same search finds something; content is seen three times and used once, other content used without being seen
	(17, 'ff', '2026-03-29 13:00Z', '/b&action_name=B&urlref=https://news.example/other', 1),
	(18, 'ff', '2026-03-29 13:00:10Z', '/b&c_n=Teaser&c_p=img1&c_t=/x', 1),
	(19, 'ff', '2026-03-29 13:00:20Z', '/b&c_n=Teaser&c_p=img2&c_t=/x', 1),
	(20, 'ff', '2026-03-29 13:00:30Z', '/b&c_n=Teaser&c_p=img2&c_t=/x&c_i=click', 1),
	(21, 'ff', '2026-03-29 13:00:40Z', '/b&c_n=Footer&c_p=text&c_t=/x&c_i=click', 1),
	(22, 'ff', '2026-03-29 13:01Z', '/find&search=boots&search_cat=shoes&search_count=3', 1),
	(23, 'ff', '2026-03-29 13:02Z', '/find?q=socks', 1),
	(24, 'ff', '2026-03-29 13:03Z', '/shop/z?size=a/b&action_name=Z', 1),
	-- the last second of the day, and the first of the next
	(25, 'ab', '2026-03-29 21:59:59Z', '/last&action_name=Last', 1),
	(26, 'ac', '2026-03-29 22:00:00Z', '/first&action_name=First', 1)) AS h(n, visitor, at, query, consent)
ORDER BY h.n;
\pset null '(null)'
\pset format unaligned
\pset footer off
-- Pages: of two days, and of each
SELECT url, nb_hits, nb_visits, nb_uniq_visitors, entry_nb_visits, entry_nb_actions, entry_sum_visit_length, entry_bounce_count, bounce_rate,
	exit_nb_visits, exit_rate, sum_time_spent, avg_time_on_page, nb_visits_anonymous, anonymous_rate
FROM pk_tracking.report_pages(:site, '2026-03-28', '2026-03-29');
SELECT day, url, nb_hits, nb_visits, entry_nb_visits, exit_nb_visits, exit_rate, sum_time_spent
FROM (VALUES ('2026-03-28'::date), ('2026-03-29'), ('2026-03-30')) d(day), pk_tracking.report_pages(:site, d.day, d.day) r ORDER BY day, nb_hits DESC, url;
-- /a: 370 ms, nothing, 300 ms, nothing; the mean page load is the sum of the means: 10 + 200 + 20 + 200 + 50 + 20
\x on
SELECT url, nb_hits_with_times, avg_time_network, median_time_network, p95_time_network, avg_time_server, median_time_server, p95_time_server,
	avg_time_transfer, p95_time_transfer, avg_time_dom_processing, p95_time_dom_processing, avg_time_dom_completion, p95_time_dom_completion, avg_time_on_load, p95_time_on_load,
	avg_page_load_time, median_page_load_time, p95_page_load_time
FROM pk_tracking.report_pages(:site, '2026-03-28', '2026-03-29') WHERE url ~ '/(a|b|last)$' ORDER BY url;
SELECT * FROM pk_tracking.report_performance(:site, '2026-03-28', '2026-03-29');
\x off
SELECT title, nb_hits, nb_visits, nb_uniq_visitors, entry_nb_visits, entry_bounce_count, exit_nb_visits, exit_rate, sum_time_spent, avg_time_on_page, avg_page_load_time, nb_visits_anonymous
FROM pk_tracking.report_titles(:site, '2026-03-28', '2026-03-29');
SELECT url, nb_hits, nb_uniq_visitors, entry_nb_visits, exit_nb_visits, sum_time_spent, anonymous_rate FROM pk_tracking.report_pages(:site, '2026-03-29', '2026-03-29', 'anonymous');
SELECT url, nb_hits, nb_uniq_visitors, entry_nb_visits, exit_nb_visits, sum_time_spent, anonymous_rate FROM pk_tracking.report_pages(:site, '2026-03-29', '2026-03-29', 'identified');
-- Entries and exits
SELECT * FROM pk_tracking.report_entry_pages(:site, '2026-03-28', '2026-03-29');
SELECT * FROM pk_tracking.report_entry_titles(:site, '2026-03-28', '2026-03-29');
SELECT * FROM pk_tracking.report_exit_pages(:site, '2026-03-28', '2026-03-29');
SELECT * FROM pk_tracking.report_exit_titles(:site, '2026-03-28', '2026-03-29');
SELECT day, 'entry' AS side, url, entry_nb_visits FROM (VALUES ('2026-03-28'::date), ('2026-03-29')) d(day), pk_tracking.report_entry_pages(:site, d.day, d.day) r
UNION ALL SELECT day, 'exit', url, exit_nb_visits FROM (VALUES ('2026-03-28'::date), ('2026-03-29')) d(day), pk_tracking.report_exit_pages(:site, d.day, d.day) r ORDER BY 1, 2, 3;
-- Folders
SELECT path, is_folder, nb_pages, nb_hits, nb_visits, nb_uniq_visitors, entry_nb_visits, entry_bounce_count, exit_nb_visits, exit_rate, sum_time_spent, nb_visits_anonymous
FROM pk_tracking.report_page_tree(:site, '2026-03-28', '2026-03-29');
SELECT f.folder, path, is_folder, nb_pages, nb_hits
FROM unnest('{/shop,/shop/,p.example/shop,https://www.p.example/shop/,p.example,else.example,/sho,/shop/x,"",NULL}'::text[]) WITH ORDINALITY f(folder, n),
	pk_tracking.report_page_tree(:site, '2026-03-28', '2026-03-29', f.folder) r ORDER BY f.n, nb_hits DESC, path;
-- Transitions
SELECT * FROM pk_tracking.report_transitions(:site, '2026-03-28', '2026-03-29', 'https://p.example/b');
SELECT * FROM pk_tracking.report_transitions(:site, '2026-03-29', '2026-03-29', 'p.example/b');
SELECT * FROM pk_tracking.report_transitions(:site, '2026-03-29', '2026-03-29', 'http://www.p.example/shop/x');
SELECT * FROM pk_tracking.report_transitions(:site, '2026-03-29', '2026-03-29', title => 'X');
SELECT * FROM pk_tracking.report_transitions(:site, '2026-03-29', '2026-03-29', 'https://p.example/a', visitors => 'anonymous');
SELECT count(*) FROM pk_tracking.report_transitions(:site, '2026-03-29', '2026-03-29', 'https://p.example/unknown');
-- Searches
SELECT * FROM pk_tracking.report_pages_after_search(:site, '2026-03-28', '2026-03-29');
SELECT * FROM pk_tracking.report_titles_after_search(:site, '2026-03-28', '2026-03-29');
SELECT * FROM pk_tracking.report_search_categories(:site, '2026-03-28', '2026-03-29');
SELECT * FROM pk_tracking.report_searches_without_results(:site, '2026-03-28', '2026-03-29');
-- Referring pages
SELECT referer_name, referer_url, nb_visits, nb_actions FROM pk_tracking.report_referring_pages(:site, '2026-03-28', '2026-03-29');
-- Content
SELECT * FROM pk_tracking.report_contents(:site, '2026-03-28', '2026-03-29');
SELECT content_name, nb_impressions, nb_interactions, interaction_rate, nb_visits FROM pk_tracking.report_content_names(:site, '2026-03-28', '2026-03-29');
SELECT content_piece, nb_impressions, nb_interactions, interaction_rate, nb_visits FROM pk_tracking.report_content_pieces(:site, '2026-03-28', '2026-03-29');
-- Custom dimensions and variables: an event, too, has the dimension; time goes on over midnight
SELECT * FROM pk_tracking.report_action_dimension(:site, '2026-03-28', '2026-03-29', 2);
SELECT value, url, nb_hits, nb_visits, sum_time_spent FROM pk_tracking.report_action_dimension_urls(:site, '2026-03-28', '2026-03-29', 2);
SELECT * FROM pk_tracking.report_custom_variables(:site, '2026-03-28', '2026-03-29');
-- Errors
\set VERBOSITY terse
SELECT * FROM pk_tracking.report_transitions(:site, '2026-03-29', '2026-03-29');
SELECT * FROM pk_tracking.report_transitions(:site, '2026-03-29', '2026-03-29', 'https://p.example/b', 'B');
DO $$
DECLARE
	dimension integer;
	m text;
BEGIN
	FOREACH dimension IN ARRAY '{1,3,NULL}'::integer[] LOOP
		BEGIN
			PERFORM pk_tracking.report_action_dimension(current_setting('test.site')::integer, '2026-03-29', '2026-03-29', dimension);
			RAISE WARNING 'no error: %', dimension;
		EXCEPTION WHEN invalid_parameter_value THEN
			GET STACKED DIAGNOSTICS m = MESSAGE_TEXT;
			RAISE WARNING '%', replace(m, 'site ' || current_setting('test.site'), 'site N');
		END;
	END LOOP;
END $$;
\set VERBOSITY default
-- An analyst, and a log without hits
SELECT pk_tracking.add_site('no pages', '{https://n.example}', 'Europe/Berlin') AS empty \gset
SELECT pk_tracking.add_dimension(:empty, 'section', 'action') AS section;
SELECT set_config('test.empty', :'empty', false) IS NOT NULL AS empty;
CREATE ROLE regress_pkt_page_analyst;
SELECT pk_tracking.grant_analyst('regress_pkt_page_analyst');
SET ROLE regress_pkt_page_analyst;
DO $$
DECLARE
	f record;
	n bigint;
	of_empty bigint;
BEGIN
	FOR f IN SELECT * FROM (VALUES ('pages', ''), ('titles', ''), ('entry_pages', ''), ('entry_titles', ''), ('exit_pages', ''), ('exit_titles', ''),
			('pages_after_search', ''), ('titles_after_search', ''), ('page_tree', ''), ('page_tree', ', ''/shop/'''), ('transitions', ', ''p.example/b'''), ('performance', ''),
			('search_categories', ''), ('searches_without_results', ''), ('referring_pages', ''), ('contents', ''), ('content_names', ''), ('content_pieces', ''),
			('action_dimension', ', D'), ('action_dimension_urls', ', D'), ('custom_variables', '')) AS f(name, arguments) LOOP
		EXECUTE format('SELECT (SELECT count(*) FROM pk_tracking.report_%1$s(%2$s, ''2026-03-28'', ''2026-03-29''%3$s)), (SELECT count(*) FROM pk_tracking.report_%1$s(%4$s, ''2026-03-28'', ''2026-03-29''%5$s))',
			f.name, current_setting('test.site'), replace(f.arguments, 'D', '2'), current_setting('test.empty'), replace(f.arguments, 'D', '1')) INTO n, of_empty;
		RAISE WARNING '%: % rows, % without hits', f.name, n, of_empty;
	END LOOP;
END $$;
RESET ROLE;
DROP OWNED BY regress_pkt_page_analyst;
DROP ROLE regress_pkt_page_analyst;
-- Searches: time on results, events' included, and exits --------------------
-- 2 April: boots at 10:01 has an event at 10:02 and is followed by hats at 10:05, which ends the visit; late is searched for 10 seconds before midnight; owl a minute after it, and ends a visit that began before
SELECT h.at, pg_temp.hit(h.visitor, h.at::timestamptz, h.query) AS outcome
FROM (VALUES (1, 'ad', '2026-04-02 08:00Z', '/a&action_name=A'), (2, 'ad', '2026-04-02 08:01Z', '/find&search=boots'), (3, 'ad', '2026-04-02 08:02Z', '/find&e_c=video&e_a=play'), (4, 'ad', '2026-04-02 08:05Z', '/find&search=hats'),
	(5, 'ae', '2026-04-02 21:59:50Z', '/find&search=late'), (6, 'ae', '2026-04-02 22:00:20Z', '/b&action_name=B'),
	(7, 'af', '2026-04-02 21:58Z', '/a&action_name=A'), (8, 'af', '2026-04-02 22:01Z', '/find&search=owl')) AS h(n, visitor, at, query) ORDER BY h.n;
SELECT d.day, s.keyword, s.nb_hits, s.nb_visits, s.nb_pages_per_search, s.sum_time_spent, s.avg_time_on_page, s.exit_nb_visits, s.exit_rate
FROM (VALUES ('2026-03-29'::date), ('2026-04-02'), ('2026-04-03')) AS d(day) CROSS JOIN LATERAL pk_tracking.report_searches(:site, d.day, d.day) s ORDER BY 1, 2;
SELECT keyword, nb_hits, sum_time_spent, exit_nb_visits, exit_rate FROM pk_tracking.report_searches(:site, '2026-04-02', '2026-04-03') ORDER BY 1;
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :site;
DELETE FROM pk_tracking.log_visit WHERE idsite = :site;

-- Transitions where hits came late -------------------------------------------
-- by piwik rules what counts is the time of hits: search, b, a, c; and b, a.  By Matomo's the order of arrival: a, b, c, search; and a, b
SELECT pk_tracking.add_site('transitions', '{https://t.example}', 'Europe/Berlin') AS piwik, pk_tracking.add_site('transitions as matomo', '{https://t.example}', 'Europe/Berlin') AS matomo \gset
SELECT pk_tracking.set_site(:matomo, 'recognition_rules', 'matomo');
SELECT t.outcome, count(*) FROM unnest(ARRAY[:piwik, :matomo]) AS s(site)
	CROSS JOIN LATERAL (SELECT x.*, pk_tracking.track_request(format('idsite=%s&rec=1&_id=%s&%s', s.site, x.who, x.query), '203.0.113.7', 'an agent', 'de', ('2026-03-29 ' || x.at || 'Z')::timestamptz) AS r
		FROM (VALUES (1, '00000000000000a1', '10:10', 'url=https://t.example/a&action_name=A&urlref=https://r.example/'), (2, '00000000000000a1', '10:00', 'url=https://t.example/b&action_name=B'),
			(3, '00000000000000a1', '10:20', 'url=https://t.example/c&action_name=C'), (4, '00000000000000a1', '09:55', 'search=x'),
			(5, '00000000000000a2', '11:10', 'url=https://t.example/a&action_name=A'), (6, '00000000000000a2', '11:00', 'url=https://t.example/b&action_name=B')) AS x(n, who, at, query) ORDER BY x.n) h
	CROSS JOIN LATERAL (SELECT (h.r).outcome) t GROUP BY 1;
SELECT p.page, t.side, t.kind, t.name, t.nb_hits FROM (VALUES ('a'), ('b'), ('c')) AS p(page) CROSS JOIN LATERAL pk_tracking.report_transitions(:piwik, '2026-03-29', '2026-03-29', 't.example/' || p.page) t ORDER BY 1, array_position('{page,before,after}', t.side), 3, 4;
SELECT p.page, t.side, t.kind, t.name, t.nb_hits FROM (VALUES ('a'), ('b'), ('c')) AS p(page) CROSS JOIN LATERAL pk_tracking.report_transitions(:matomo, '2026-03-29', '2026-03-29', 't.example/' || p.page) t ORDER BY 1, array_position('{page,before,after}', t.side), 3, 4;
-- by title it is the same, and so is it with a filter
SELECT count(*) AS differ FROM (VALUES ('a'), ('b'), ('c')) AS p(page) CROSS JOIN LATERAL (
	(SELECT side, kind, nb_hits FROM pk_tracking.report_transitions(:piwik, '2026-03-29', '2026-03-29', 't.example/' || p.page)
		EXCEPT ALL SELECT side, kind, nb_hits FROM pk_tracking.report_transitions(:piwik, '2026-03-29', '2026-03-29', title => upper(p.page)))
	UNION ALL (SELECT side, kind, nb_hits FROM pk_tracking.report_transitions(:piwik, '2026-03-29', '2026-03-29', 't.example/' || p.page, filter => 'pageUrl=@/b')
		EXCEPT ALL SELECT side, kind, nb_hits FROM pk_tracking.report_transitions(:piwik, '2026-03-29', '2026-03-29', 't.example/' || p.page))) d WHERE p.page <> 'c';
DELETE FROM pk_tracking.log_visit WHERE idsite IN (:piwik, :matomo);

-- Log-ins ------------------------------------------------------------------
-- a log-in amid a visit changes its visitor id: a page viewed before and after it has one visit, and so one visitor
SELECT pk_tracking.add_site('log-in', '{https://p.example}', 'UTC') AS changing \gset
SELECT set_config('test.site', :'changing', false) IS NOT NULL AS site, pk_tracking.add_dimension(:changing, 'section', 'action') AS section;
SELECT h.n, pg_temp.hit('ad', h.at::timestamptz, h.query) AS outcome
FROM (VALUES (1, '2026-03-29 10:00Z', '/a&action_name=A&dimension1=docs&c_n=Ad&cvar={"1":["box","red"]}'), (2, '2026-03-29 10:01Z', '/a&action_name=A&dimension1=docs&cvar={"1":["box","red"]}'), (3, '2026-03-29 10:02Z', '/a&e_c=C&e_a=A'),
	(4, '2026-03-29 10:03Z', '/a&search=x&search_cat=c&search_count=0'), (5, '2026-03-29 10:04Z', '/a&action_name=A'), (6, '2026-03-29 10:05Z', '/a&download=https://p.example/f'), (7, '2026-03-29 10:06Z', '/a&link=https://else.example/'), (8, '2026-03-29 10:06:10Z', '/a&c_n=Ad&c_p=img'),
	(11, '2026-03-29 10:10Z', '/a&action_name=A&dimension1=docs&cvar={"1":["box","red"]}&uid=kim'), (12, '2026-03-29 10:11Z', '/a&e_c=C&e_a=A&uid=kim'), (13, '2026-03-29 10:12Z', '/a&search=x&search_cat=c&search_count=0&uid=kim'),
	(14, '2026-03-29 10:13Z', '/a&action_name=A&uid=kim'), (15, '2026-03-29 10:14Z', '/a&download=https://p.example/f&uid=kim'), (16, '2026-03-29 10:15Z', '/a&link=https://else.example/&uid=kim'), (17, '2026-03-29 10:15:10Z', '/a&c_n=Ad&c_p=img&uid=kim')) AS h(n, at, query) ORDER BY h.n;
SELECT count(DISTINCT l.idvisit) AS visits, count(DISTINCT l.idvisitor) AS ids FROM pk_tracking.log_link_visit_action l WHERE l.idsite = :changing;
SELECT r.report, r.rows, r.nb_visits, r.nb_uniq_visitors FROM (VALUES ('action_dimension', 'dimension => 1'), ('action_dimension_urls', 'dimension => 1'), ('content_names', NULL), ('content_pieces', NULL), ('contents', NULL), ('custom_variables', NULL),
	('downloads', NULL), ('events', NULL), ('outlinks', NULL), ('page_tree', NULL), ('pages', NULL), ('pages_after_search', NULL), ('search_categories', NULL), ('searches', NULL), ('searches_without_results', NULL), ('titles', NULL), ('titles_after_search', NULL)) AS v(report, own)
	CROSS JOIN LATERAL (SELECT v.report, (xpath('count(//row)', x.doc))[1] AS rows, array_to_string(xpath('//nb_visits/text()', x.doc), ' ') AS nb_visits, array_to_string(xpath('//nb_uniq_visitors/text()', x.doc), ' ') AS nb_uniq_visitors
		FROM query_to_xml(format('SELECT * FROM pk_tracking.report_%s(%s)', v.report, concat_ws(', ', :'changing', '''2026-03-29'', ''2026-03-29''', v.own)), false, false, '') AS x(doc)) r ORDER BY 1;
DELETE FROM pk_tracking.log_visit WHERE idsite = :changing;
