-- Texts as people read them: under Matomo's rules the log holds HTML escapes,
-- and reports, views and the visit log do not show them
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
\pset null '(null)'
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('plain', '{https://p.example}') AS plain \gset
SELECT pk_tracking.add_site('escaped', '{https://e.example}') AS escaped \gset
SELECT pk_tracking.set_site(:escaped, 'recognition_rules', 'matomo');
SELECT pk_tracking.add_dimension(s, 'A & B', 'visit') AS visit, pk_tracking.add_dimension(s, 'C < D', 'action') AS action,
	pk_tracking.add_goal(s, 'Thanks & "bye"', 'url', '/thanks', revenue => 5) AS goal
FROM unnest(ARRAY[:plain, :escaped]) s;

-- the same hits for both: what one sent is what comes out
CREATE FUNCTION pg_temp.enc(t text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(CASE WHEN c ~ '[a-zA-Z0-9]' THEN c ELSE '%' || upper(encode(convert_to(c, 'UTF8'), 'hex')) END, '' ORDER BY n)
	FROM regexp_split_to_table(t, '') WITH ORDINALITY AS x(c, n)
$$;
CREATE FUNCTION pg_temp.hit(site integer, minute integer, VARIADIC params text[]) RETURNS text LANGUAGE sql AS $$
	SELECT t.outcome FROM pk_tracking.track_request(format('idsite=%s&rec=1&_id=00000000000000aa&', site)
		|| (SELECT string_agg(params[i] || '=' || pg_temp.enc(params[i + 1]), '&') FROM generate_series(1, cardinality(params), 2) i),
		'203.0.113.7', 'an agent', 'de', '2026-05-04 08:00Z'::timestamptz + minute * interval '1 minute', trusted => true) t
$$;
SELECT s.n, h.*
FROM unnest(ARRAY[:plain, :escaped]) WITH ORDINALITY AS s(site, n) CROSS JOIN LATERAL (SELECT
	pg_temp.hit(s.site, 0, 'url', 'https://e.example/a?w=%22x%22&b=1', 'action_name', 'Tom & "Jerry" <1>', 'urlref', 'https://www.google.com/search?q=cats+%26+dogs',
		'uid', 'o''neil & co', 'dimension1', 'gold & "silver"', 'dimension2', 'x < y', 'city', 'Foo & Bar', 'country', 'de', 'cvar', '{"1":["k <","v >"]}') AS page,
	pg_temp.hit(s.site, 1, 'url', 'https://e.example/a', 'search', 'salt & pepper', 'search_cat', 'Fish & chips', 'search_count', '0', 'uid', 'o''neil & co') AS search,
	pg_temp.hit(s.site, 2, 'url', 'https://e.example/a', 'e_c', 'Cat & 1', 'e_a', 'Act > 2', 'e_n', 'Name "3"', 'uid', 'o''neil & co') AS event,
	pg_temp.hit(s.site, 3, 'url', 'https://e.example/a', 'c_n', 'Con & 1', 'c_p', 'Pie > 2', 'c_t', 'https://e.example/?a=1&b=2', 'uid', 'o''neil & co') AS content,
	pg_temp.hit(s.site, 4, 'url', 'https://e.example/p', 'action_name', '&amp; &lt; 100% &copy; it&nbsp;is', '_pks', 'S&K', '_pkn', 'P & "Q"', '_pkc', 'C < D', '_pkp', '7.5', 'uid', 'o''neil & co') AS product,
	pg_temp.hit(s.site, 5, 'url', 'https://e.example/thanks', 'action_name', 'Thanks', 'uid', 'o''neil & co') AS thanks,
	pg_temp.hit(s.site, 6, 'url', 'https://e.example/thanks', 'idgoal', '0', 'ec_id', 'o & 1', 'revenue', '9', 'ec_items', '[["S&K","P & \"Q\"",["C < D"],9,1]]', 'uid', 'o''neil & co') AS ordered) h;
-- the log has them as Matomo's has
SELECT count(*) FILTER (WHERE a.name ~ '&(amp|lt|gt|quot|#039);') > 0 AS escaped, a.idsite = :escaped AS matomo
FROM pk_tracking.log_action a WHERE a.idsite IN (:plain, :escaped) GROUP BY 2 ORDER BY 2;

\pset format unaligned
\pset footer off
CREATE FUNCTION pg_temp.both(report text, query text) RETURNS TABLE (what text, rules text, said text) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 0 .. 1 LOOP
		RETURN QUERY EXECUTE format('SELECT %L::text, %L::text, q::text FROM (%s) q', report, (ARRAY['piwik', 'matomo'])[i + 1], query)
			USING (current_setting('test.sites')::integer[])[i + 1], '2026-05-04'::date;
	END LOOP;
END $$;
SELECT set_config('test.sites', ARRAY[:plain, :escaped]::text, false) IS NOT NULL AS sites;
SELECT * FROM pg_temp.both('titles', 'SELECT title FROM pk_tracking.report_titles($1, $2, $2)');
SELECT * FROM pg_temp.both('pages', 'SELECT url FROM pk_tracking.report_pages($1, $2, $2)');
SELECT * FROM pg_temp.both('entry', 'SELECT url FROM pk_tracking.report_entry_pages($1, $2, $2)');
SELECT * FROM pg_temp.both('searches', 'SELECT keyword FROM pk_tracking.report_searches($1, $2, $2)');
SELECT * FROM pg_temp.both('events', 'SELECT category, action, name FROM pk_tracking.report_events($1, $2, $2)');
SELECT * FROM pg_temp.both('products', 'SELECT sku, name, category FROM pk_tracking.report_products($1, $2, $2)');
SELECT * FROM pg_temp.both('keywords', 'SELECT referer_name, referer_keyword FROM pk_tracking.report_keywords($1, $2, $2)');
SELECT * FROM pg_temp.both('goals', 'SELECT name FROM pk_tracking.report_goals($1, $2, $2)');
SELECT * FROM pg_temp.both('cities', 'SELECT city FROM pk_tracking.report_cities($1, $2, $2)');
SELECT * FROM pg_temp.both('visit log', 'SELECT user_id, location_city, jsonb_path_query_array(actions, ''$[*].title'') AS titles, jsonb_path_query_array(actions, ''$[*].keyword'') AS keywords,
	jsonb_path_query_array(actions, ''$[*].search_category'') AS categories, jsonb_path_query_array(actions, ''$[*].event_name'') AS events,
	jsonb_path_query_array(actions, ''$[*].content_name'') AS contents, jsonb_path_query_array(conversions, ''$[*].idorder'') AS orders FROM pk_tracking.report_visit_log($1, $2, $2)');
SELECT * FROM pg_temp.both('visit', 'SELECT user_id, entry_url, entry_title, exit_title, location_city, referrer_keyword, custom_dimensions FROM pk_tracking.visit WHERE idsite = $1');
SELECT * FROM pg_temp.both('action', 'SELECT url, title, previous_title, search_keyword, search_category, event_category, event_action, event_name, content_name, content_piece, content_target,
	product_sku, product_name, product_categories, custom_dimensions, custom_variables FROM pk_tracking.action WHERE idsite = $1 ORDER BY idlink_va');

-- other rules: what the log holds is read by them, and one is warned
RESET client_min_messages;
SELECT pk_tracking.set_site(:plain, 'recognition_rules', 'piwik');	-- nothing changes
SELECT pk_tracking.set_site(:plain, 'recognition_rules', 'matomo');
SELECT pk_tracking.reset_site(:plain, 'recognition_rules');
SELECT pk_tracking.add_site('empty', '{https://n.example}') AS empty \gset
SELECT pk_tracking.set_site(:empty, 'recognition_rules', 'matomo');	-- it has no log
SELECT pk_tracking.set_site(:plain, 'visit_standard_length', '1800');
SET client_min_messages = warning;
SELECT pk_tracking.plain_text(:escaped, 'a &amp;lt; &lt;b&gt; &quot;&#039; &copy; & &#39; &amp') AS escaped, pk_tracking.plain_text(:plain, 'a &amp; b') AS plain,
	pk_tracking.plain_text(NULL, 'x') AS no_site, pk_tracking.plain_text(:escaped, NULL) AS no_text, pk_tracking.plain_text(2000000000, 'a &amp; b') AS unknown_site;
SELECT pk_tracking.plain_json(:escaped, '{"1": "a &amp; b", "2": ["&lt;", 3, null, {"&gt;": true}]}') AS escaped, pk_tracking.plain_json(:plain, '{"1": "a &amp; b"}') AS plain,
	pk_tracking.plain_json(:escaped, '"&lt;"') AS scalar, pk_tracking.plain_json(:escaped, NULL) AS nothing;
DELETE FROM pk_tracking.setting;
