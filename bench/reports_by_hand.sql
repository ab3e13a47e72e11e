-- For the section reports: by_hand (report, sql), the SQL that an analyst would write
-- on the views for what a report returns, column by column; $1 and $2 are begin and
-- end of the period.  bench/reports.sql runs it beside the report, and compares.
CREATE TEMP TABLE by_hand (report text, sql text);

-- visits by something
INSERT INTO by_hand SELECT 'report_' || r.report, format($$
SELECT %1$s, count(*) AS n, count(DISTINCT v.idvisitor) + count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')), count(DISTINCT v.user_id), sum(v.visit_total_actions),
	sum(v.visit_total_interactions - v.visit_total_searches), max(v.visit_total_actions), count(*) FILTER (WHERE v.visit_total_actions <= 1), round(100.0 * count(*) FILTER (WHERE v.visit_total_actions <= 1) / count(*), 1),
	sum(v.visit_total_time), round(avg(v.visit_total_time))::bigint, round(avg(v.visit_total_actions), 1), count(*) FILTER (WHERE v.converted), coalesce(sum(c.conversions), 0)::bigint, coalesce(sum(c.revenue), 0),
	count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')), round(100.0 * count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')) / count(*), 1)
FROM pk_tracking.visit v LEFT JOIN (SELECT idvisit, count(*) AS conversions, sum(revenue) AS revenue FROM pk_tracking.log_conversion WHERE idgoal >= 0 AND server_time >= $1 GROUP BY idvisit) c USING (idvisit) %3$s
WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 AND %2$s GROUP BY %1$s ORDER BY n DESC$$, r.columns, coalesce(r.condition, 'true'), r.joined)
FROM (VALUES ('visits', 'v.local_time::date, v.local_time::date, v.local_time::date::timestamp AT TIME ZONE ''Europe/Berlin''', NULL, NULL), ('visitors', 'v.local_time::date, v.local_time::date, v.local_time::date::timestamp AT TIME ZONE ''Europe/Berlin'', v.visitor_type', NULL, NULL),
	('hours', 'extract(hour FROM v.local_time)::integer', NULL, NULL), ('countries', 'v.location_country', NULL, NULL), ('by', 'v.location_country', NULL, NULL),
	('regions', 'v.location_country, v.location_region', NULL, NULL), ('cities', 'v.location_country, v.location_region, v.location_city', NULL, NULL), ('languages', 'v.location_browser_lang', NULL, NULL),
	('browsers', 'pk_tracking.browser_name(v.config_browser_name)', NULL, NULL), ('browser_versions', 'pk_tracking.browser_name(v.config_browser_name), v.config_browser_version', NULL, NULL),
	('systems', 'pk_tracking.os_family(v.config_os)', NULL, NULL), ('system_versions', 'pk_tracking.os_name(v.config_os), v.config_os_version', NULL, NULL),
	('device_types', 'pk_tracking.device_type_name(l.config_device_type)', NULL, 'JOIN pk_tracking.log_visit l USING (idvisit)'), ('device_brands', 'pk_tracking.device_brand_name(v.config_device_brand)', NULL, NULL),
	('device_models', 'pk_tracking.device_brand_name(v.config_device_brand), v.config_device_model', NULL, NULL), ('referrer_types', 'v.referrer_type', NULL, NULL), ('referrers', 'v.referrer_type, v.referrer_name', NULL, NULL),
	('keywords', 'v.referrer_name, v.referrer_keyword', $$v.referrer_type = 'search engine'$$, NULL), ('campaigns', 'v.referrer_name, v.referrer_keyword', $$v.referrer_type = 'campaign'$$, NULL),
	('referring_pages', 'v.referrer_type, v.referrer_name, v.referrer_url', $$v.referrer_type IN ('website', 'social network', 'AI assistant')$$, NULL)) AS r(report, columns, condition, joined);
INSERT INTO by_hand VALUES ('report_consent', $$
SELECT v.local_time::date, v.local_time::date, v.local_time::date::timestamp AT TIME ZONE 'Europe/Berlin', count(*), count(*) FILTER (WHERE v.consent IN ('not asked', 'granted')), count(*) FILTER (WHERE v.consent = 'not asked'), count(*) FILTER (WHERE v.consent = 'granted'),
	count(*) FILTER (WHERE v.consent = 'undecided'), count(*) FILTER (WHERE v.consent = 'refused'), count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')), round(100.0 * count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')) / count(*), 1)
FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 GROUP BY 1, 2, 3 ORDER BY 1$$),
('report_visit_log', $$
SELECT v.*, a.list, c.list FROM (SELECT * FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 ORDER BY v.visit_first_action_time DESC, v.idvisit DESC LIMIT 100) v
	LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(a)) ORDER BY a.server_time, a.idlink_va) AS list FROM pk_tracking.action a WHERE a.idvisit = v.idvisit) a ON true
	LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_strip_nulls(to_jsonb(c)) ORDER BY c.server_time) AS list FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit) c ON true$$);

-- actions by something: metrics are what every one of these reports counts
CREATE TEMP TABLE part (name text, sql text);
INSERT INTO part VALUES ('metrics', $$count(*) AS hits, count(DISTINCT a.idvisit) AS visits, count(DISTINCT a.idvisitor) + count(DISTINCT a.idvisit) FILTER (WHERE a.consent IN ('undecided', 'refused')) AS visitors,
	count(DISTINCT a.idvisit) FILTER (WHERE a.consent IN ('undecided', 'refused')) AS anonymous$$),
('times', (SELECT string_agg(format('round(avg(%1$s) / 1000, 3) AS avg_%2$s, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY %1$s) / 1000)::numeric, 3) AS median_%2$s, round((percentile_cont(0.95) WITHIN GROUP (ORDER BY %1$s) / 1000)::numeric, 3) AS p95_%2$s', t.value, t.name), ', ' ORDER BY t.n)
	FROM (VALUES (1, 'a.time_network', 'a'), (2, 'a.time_server', 'b'), (3, 'a.time_transfer', 'c'), (4, 'a.time_dom_processing', 'd'), (5, 'a.time_dom_completion', 'e'), (6, 'a.time_on_load', 'f'),
		(7, 'a.time_network + a.time_server + a.time_transfer + a.time_dom_processing + a.time_dom_completion + a.time_on_load', 'g')) AS t(n, value, name))),
('of', $$FROM pk_tracking.action a WHERE a.idsite = 1 AND a.server_time >= $1 AND a.server_time < $2$$);
CREATE FUNCTION pg_temp.fill(sql text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	p record;
BEGIN
	FOR p IN SELECT * FROM part LOOP
		sql := replace(sql, '{' || p.name || '}', p.sql);
	END LOOP;
	RETURN sql;
END $$;
INSERT INTO by_hand SELECT 'report_' || r.report, pg_temp.fill(format('SELECT %1$s, %2$s, round(100.0 * m.anonymous / m.visits, 1) FROM (SELECT %3$s, {metrics}, %4$s AS other {of} AND %5$s GROUP BY %3$s) m ORDER BY m.hits DESC',
	regexp_replace(r.columns, '\ma\.', 'm.', 'g'), r.result, r.columns, r.extra, r.condition))
FROM (VALUES ('downloads', 'a.url', 'm.hits, m.visits, m.visitors, m.anonymous', '0', $$a.kind = 'download'$$), ('outlinks', 'a.url', 'm.hits, m.visits, m.visitors, m.anonymous', '0', $$a.kind = 'outlink'$$),
	('search_categories', 'a.search_category', 'm.hits, m.other, m.visits, m.visitors, round(m.hits::numeric / m.visits, 1), m.anonymous', 'count(*) FILTER (WHERE a.search_count = 0)', $$a.search_category <> ''$$),
	('events', 'a.event_category, a.event_action, a.event_name', 'm.hits, m.visits, m.visitors, m.other[1]::bigint, m.other[2], m.other[3], m.other[4], round(m.other[2] / nullif(m.other[1], 0), 2), m.anonymous',
		'ARRAY[count(a.event_value), sum(a.event_value), min(a.event_value), max(a.event_value)]', $$a.kind = 'event'$$),
	('contents', 'a.content_name, a.content_piece', 'm.hits, m.other, round(100.0 * least(m.other, m.hits) / greatest(m.hits, 1), 1), m.visits, m.visitors, m.anonymous', 'count(a.content_interaction)', $$a.kind = 'content'$$),
	('content_names', 'a.content_name', 'm.hits, m.other, round(100.0 * least(m.other, m.hits) / greatest(m.hits, 1), 1), m.visits, m.visitors, m.anonymous', 'count(a.content_interaction)', $$a.kind = 'content'$$),
	('content_pieces', 'a.content_piece', 'm.hits, m.other, round(100.0 * least(m.other, m.hits) / greatest(m.hits, 1), 1), m.visits, m.visitors, m.anonymous', 'count(a.content_interaction)', $$a.kind = 'content'$$)) AS r(report, columns, result, extra, condition);
INSERT INTO by_hand SELECT t.report, pg_temp.fill(t.sql) FROM (VALUES
('report_searches', $$SELECT m.keyword, m.hits, m.other, m.visits, m.visitors, round(m.hits::numeric / m.visits, 1), coalesce(m.time, 0), coalesce(round(m.time::numeric / m.hits), 0), m.exits, round(100.0 * m.exits / m.visits, 1), m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM (SELECT a.search_keyword AS keyword, {metrics}, count(*) FILTER (WHERE a.search_count = 0) AS other, sum(a.time) AS time, count(*) FILTER (WHERE a.last) AS exits
	FROM (SELECT a.kind, a.search_keyword, a.search_count, a.idvisit, a.idvisitor, a.consent, lead(a.time_spent_ref_action) OVER visit AS time, lead(a.idlink_va) OVER visit IS NULL AS last {of}
		WINDOW visit AS (PARTITION BY a.idvisit ORDER BY a.server_time, a.idlink_va)) a
	WHERE a.kind = 'search' GROUP BY 1) m ORDER BY m.hits DESC$$),
('report_searches_without_results', $$SELECT m.keyword, m.other, m.hits, round(100.0 * m.other / m.hits, 1), m.visits, m.visitors, m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM (SELECT a.search_keyword AS keyword, count(*) AS hits, count(*) FILTER (WHERE a.search_count = 0) AS other, count(DISTINCT a.idvisit) FILTER (WHERE a.search_count = 0) AS visits,
	count(DISTINCT a.idvisitor) FILTER (WHERE a.search_count = 0) + count(DISTINCT a.idvisit) FILTER (WHERE a.search_count = 0 AND a.consent IN ('undecided', 'refused')) AS visitors,
	count(DISTINCT a.idvisit) FILTER (WHERE a.search_count = 0 AND a.consent IN ('undecided', 'refused')) AS anonymous {of} AND a.kind = 'search' GROUP BY 1) m WHERE m.other > 0 ORDER BY m.other DESC$$),
('report_performance', $$SELECT a.day, a.day, a.day::timestamp AT TIME ZONE 'Europe/Berlin', count(*), count(a.time_server), {times} FROM (SELECT (a.server_time AT TIME ZONE 'Europe/Berlin')::date AS day, a.* {of} AND a.kind = 'page') a GROUP BY 1 ORDER BY 1$$)) AS t(report, sql);
INSERT INTO by_hand SELECT format('report_%ss', r.by), pg_temp.fill(replace($$
WITH m AS MATERIALIZED (SELECT a.{by}, {metrics}, count(a.time_server) AS timed, {times} {of} AND a.kind = 'page' GROUP BY 1),
e AS MATERIALIZED (SELECT v.entry_{by} AS {by}, count(*) AS n, sum(v.visit_total_actions) AS actions, sum(v.visit_total_time) AS time, count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounces
	FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 GROUP BY 1),
x AS MATERIALIZED (SELECT v.exit_{by} AS {by}, count(*) AS n FROM pk_tracking.visit v
	WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 - interval '1 day' AND v.visit_first_action_time < $2 AND v.visit_last_action_time >= $1 AND v.visit_last_action_time < $2 GROUP BY 1),
t AS MATERIALIZED (SELECT a.previous_{by} AS {by}, sum(a.time_spent_ref_action) AS time {of} GROUP BY 1)
SELECT m.{by}, m.hits, m.visits, m.visitors, coalesce(e.n, 0), coalesce(e.actions, 0), coalesce(e.time, 0), coalesce(e.bounces, 0), round(coalesce(100.0 * e.bounces / e.n, 0), 1),
	coalesce(x.n, 0), round(coalesce(100.0 * x.n / m.visits, 0), 1), coalesce(t.time, 0), round(coalesce(t.time, 0)::numeric / m.hits)::bigint, m.timed, m.avg_a, m.median_a, m.p95_a, m.avg_b, m.median_b, m.p95_b, m.avg_c, m.median_c, m.p95_c,
	m.avg_d, m.median_d, m.p95_d, m.avg_e, m.median_e, m.p95_e, m.avg_f, m.median_f, m.p95_f, m.avg_a + m.avg_b + m.avg_c + m.avg_d + m.avg_e + m.avg_f, m.median_g, m.p95_g, m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM m LEFT JOIN e USING ({by}) LEFT JOIN x USING ({by}) LEFT JOIN t USING ({by}) ORDER BY m.hits DESC$$, '{by}', r.by)) FROM (VALUES ('url'), ('title')) AS r(by);
UPDATE by_hand SET report = 'report_pages' WHERE report = 'report_urls';
INSERT INTO by_hand SELECT 'report_entry_' || r.report, replace($$
SELECT v.entry_{by}, count(*) AS n, count(DISTINCT v.idvisitor) + count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')), sum(v.visit_total_actions), sum(v.visit_total_time), count(*) FILTER (WHERE v.visit_total_actions <= 1),
	round(100.0 * count(*) FILTER (WHERE v.visit_total_actions <= 1) / count(*), 1), count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')), round(100.0 * count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')) / count(*), 1)
FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 GROUP BY 1 ORDER BY n DESC$$, '{by}', r.by) FROM (VALUES ('pages', 'url'), ('titles', 'title')) AS r(report, by)
UNION ALL SELECT 'report_exit_' || r.report, pg_temp.fill(replace($$
WITH x AS MATERIALIZED (SELECT v.exit_{by} AS {by}, count(*) AS n, count(DISTINCT v.idvisitor) + count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')) AS visitors, count(*) FILTER (WHERE v.consent IN ('undecided', 'refused')) AS anonymous FROM pk_tracking.visit v
	WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 - interval '1 day' AND v.visit_first_action_time < $2 AND v.visit_last_action_time >= $1 AND v.visit_last_action_time < $2 GROUP BY 1),
m AS MATERIALIZED (SELECT a.{by}, count(DISTINCT a.idvisit) AS visits {of} AND a.kind = 'page' GROUP BY 1)
SELECT x.{by}, x.n, x.visitors, m.visits, round(100.0 * x.n / m.visits, 1), x.anonymous, round(100.0 * x.anonymous / x.n, 1) FROM x JOIN m USING ({by}) ORDER BY x.n DESC$$, '{by}', r.by)) FROM (VALUES ('pages', 'url'), ('titles', 'title')) AS r(report, by)
UNION ALL SELECT format('report_%s_after_search', r.report), pg_temp.fill(replace($$
SELECT m.{by}, m.hits, m.all_hits, round(100.0 * m.hits / m.all_hits, 1), m.visits, m.visitors, m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM (SELECT a.{by}, count(*) AS all_hits, count(*) FILTER (WHERE a.before = 'search') AS hits, count(DISTINCT a.idvisit) FILTER (WHERE a.before = 'search') AS visits,
		count(DISTINCT a.idvisitor) FILTER (WHERE a.before = 'search') + count(DISTINCT a.idvisit) FILTER (WHERE a.before = 'search' AND a.consent IN ('undecided', 'refused')) AS visitors,
		count(DISTINCT a.idvisit) FILTER (WHERE a.before = 'search' AND a.consent IN ('undecided', 'refused')) AS anonymous
	FROM (SELECT a.kind, a.{by}, a.idvisit, a.idvisitor, a.consent, lag(a.kind) OVER (PARTITION BY a.idvisit ORDER BY a.server_time, a.idlink_va) AS before {of} AND a.kind IN ('page', 'search')) a
	WHERE a.kind = 'page' GROUP BY 1) m WHERE m.hits > 0 ORDER BY m.hits DESC$$, '{by}', r.by)) FROM (VALUES ('pages', 'url'), ('titles', 'title')) AS r(report, by);
INSERT INTO by_hand SELECT r.report, pg_temp.fill(replace($$
SELECT m.*, round(100.0 * m.exits / m.visits, 1) FROM (SELECT m.value{url}, count(*) AS hits, count(DISTINCT m.idvisit) AS visits, count(DISTINCT m.idvisitor), coalesce(sum(m.time), 0), round(coalesce(sum(m.time), 0)::numeric / count(*))::bigint,
		count(DISTINCT m.idvisit) FILTER (WHERE v.visit_total_actions <= 1), round(100.0 * count(DISTINCT m.idvisit) FILTER (WHERE v.visit_total_actions <= 1) / count(DISTINCT m.idvisit), 1), count(*) FILTER (WHERE m.last) AS exits
	FROM (SELECT a.idvisit, a.idvisitor, regexp_replace(a.url, '^https?://(www\.)?', '') AS url, a.custom_dimensions ->> '2' AS value, lead(a.time_spent_ref_action) OVER visit AS time, lead(a.idlink_va) OVER visit IS NULL AS last {of}
		WINDOW visit AS (PARTITION BY a.idvisit ORDER BY a.server_time, a.idlink_va)) m JOIN pk_tracking.visit v USING (idvisit)
	WHERE m.value IS NOT NULL GROUP BY m.value{url}) m ORDER BY m.hits DESC$$, '{url}', r.url)) FROM (VALUES ('report_action_dimension', ''), ('report_action_dimension_urls', ', m.url')) AS r(report, url);
INSERT INTO by_hand SELECT t.report, pg_temp.fill(t.sql) FROM (VALUES
('report_page_tree', $$
WITH m AS MATERIALIZED (SELECT split_part(regexp_replace(a.url, '^https?://[^/]*/', ''), '/', 1) AS step, count(DISTINCT a.url) AS pages, {metrics} {of} AND a.kind = 'page' GROUP BY 1),
e AS MATERIALIZED (SELECT split_part(regexp_replace(v.entry_url, '^https?://[^/]*/', ''), '/', 1) AS step, count(*) AS n, count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounces
	FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 GROUP BY 1),
x AS MATERIALIZED (SELECT split_part(regexp_replace(v.exit_url, '^https?://[^/]*/', ''), '/', 1) AS step, count(*) AS n FROM pk_tracking.visit v
	WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 - interval '1 day' AND v.visit_first_action_time < $2 AND v.visit_last_action_time >= $1 AND v.visit_last_action_time < $2 GROUP BY 1),
t AS MATERIALIZED (SELECT split_part(regexp_replace(a.previous_url, '^https?://[^/]*/', ''), '/', 1) AS step, sum(a.time_spent_ref_action) AS time {of} GROUP BY 1)
SELECT '/' || m.step || '/', true, m.pages, m.hits, m.visits, m.visitors, e.n, e.bounces, round(100.0 * e.bounces / e.n, 1), x.n, round(100.0 * x.n / m.visits, 1), t.time, round(t.time::numeric / m.hits)::bigint, m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM m LEFT JOIN e USING (step) LEFT JOIN x USING (step) LEFT JOIN t USING (step) ORDER BY m.hits DESC$$),
('report_evolution', $$
SELECT m.day, m.*, e.*, x.*, t.* FROM (SELECT (a.server_time AT TIME ZONE 'Europe/Berlin')::date AS day, {metrics}, count(a.time_server), {times} {of} AND a.kind = 'page' AND a.url = 'https://shop.example/section0/page/0' GROUP BY 1) m
	LEFT JOIN (SELECT v.local_time::date AS day, count(*), sum(v.visit_total_actions), sum(v.visit_total_time), count(*) FILTER (WHERE v.visit_total_actions <= 1) AS bounces
		FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 AND v.entry_url = 'https://shop.example/section0/page/0' GROUP BY 1) e USING (day)
	LEFT JOIN (SELECT (v.visit_last_action_time AT TIME ZONE 'Europe/Berlin')::date AS day, count(*) FROM pk_tracking.visit v
		WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 - interval '1 day' AND v.visit_first_action_time < $2 AND v.visit_last_action_time >= $1 AND v.visit_last_action_time < $2 AND v.exit_url = 'https://shop.example/section0/page/0' GROUP BY 1) x USING (day)
	LEFT JOIN (SELECT (a.server_time AT TIME ZONE 'Europe/Berlin')::date AS day, sum(a.time_spent_ref_action) {of} AND a.previous_url = 'https://shop.example/section0/page/0' GROUP BY 1) t USING (day) ORDER BY 1$$),
('report_transitions', $$
WITH l AS MATERIALIZED (SELECT a.kind, a.consent, a.url, a.search_keyword, lag(a.kind) OVER visit AS kind_before, lag(a.url) OVER visit AS url_before, lag(a.search_keyword) OVER visit AS keyword_before, lead(a.idvisit) OVER visit IS NULL AS last, v.referrer_type, v.referrer_name
	{of} AND a.kind IN ('page', 'search', 'download', 'outlink') WINDOW visit AS (PARTITION BY a.idvisit ORDER BY a.server_time, a.idlink_va))
SELECT s.*, round(100 * s.n / sum(s.n) OVER (PARTITION BY s.side), 1), round(100.0 * s.anonymous / s.n, 1) FROM (
	SELECT 'page' AS side, 'views' AS kind, 'https://shop.example/section0/page/0' AS name, count(*) AS n, count(*) FILTER (WHERE consent IN ('undecided', 'refused')) AS anonymous FROM l WHERE kind = 'page' AND url = 'https://shop.example/section0/page/0'
	UNION ALL SELECT 'before', coalesce(kind_before, referrer_type), CASE WHEN kind_before IS NULL THEN referrer_name ELSE coalesce(keyword_before, url_before) END, count(*), count(*) FILTER (WHERE consent IN ('undecided', 'refused'))
		FROM l WHERE kind = 'page' AND url = 'https://shop.example/section0/page/0' GROUP BY 2, 3
	UNION ALL SELECT 'after', kind, coalesce(search_keyword, url), count(*), count(*) FILTER (WHERE consent IN ('undecided', 'refused')) FROM l WHERE url_before = 'https://shop.example/section0/page/0' GROUP BY 2, 3
	UNION ALL SELECT 'after', 'exit', NULL, count(*), count(*) FILTER (WHERE consent IN ('undecided', 'refused')) FROM l WHERE kind = 'page' AND url = 'https://shop.example/section0/page/0' AND last) s ORDER BY s.side, s.n DESC$$),
('report_funnel', $$
WITH l AS (SELECT a.idvisit, a.consent IN ('undecided', 'refused') AS anonymous, min(a.server_time) FILTER (WHERE a.url LIKE '%section1%') AS one, array_agg(a.server_time ORDER BY a.server_time) FILTER (WHERE a.url LIKE '%section1%') AS two {of} AND a.url LIKE '%section1%' GROUP BY 1, 2),
m AS (SELECT count(*) AS n1, count(*) FILTER (WHERE two[2] IS NOT NULL) AS n2, count(*) FILTER (WHERE anonymous) AS a1, count(*) FILTER (WHERE anonymous AND two[2] IS NOT NULL) AS a2, percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM two[2] - one)) AS hop FROM l)
SELECT 1, n1, n1 - n2, 100, NULL::numeric, a1, round(100.0 * a1 / n1, 1) FROM m UNION ALL SELECT 2, n2, 0, round(100.0 * n2 / n1, 1), hop::numeric, a2, round(100.0 * a2 / n2, 1) FROM m$$)) AS t(report, sql);
UPDATE by_hand SET sql = replace(sql, 'FROM pk_tracking.action a WHERE', 'FROM pk_tracking.action a JOIN pk_tracking.visit v USING (idvisit) WHERE') WHERE report = 'report_transitions';

-- who comes back
INSERT INTO by_hand VALUES ('report_cohorts', $$
WITH acts AS (SELECT v.idvisitor, v.local_time::date AS day FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 AND v.idvisitor IS NOT NULL GROUP BY 1, 2),
cohort AS (SELECT a.idvisitor, min(a.day) AS cohort FROM acts a WHERE NOT EXISTS (SELECT FROM pk_tracking.visit e WHERE e.idsite = 1 AND e.idvisitor = a.idvisitor AND e.visit_first_action_time < $1) GROUP BY 1)
SELECT c.cohort, a.day, count(*), round(100.0 * count(*) / first_value(count(*)) OVER (PARTITION BY c.cohort ORDER BY a.day), 1) FROM acts a JOIN cohort c USING (idvisitor) GROUP BY 1, 2 ORDER BY 1, 2$$),
('report_custom_variables', $$
SELECT 'visit', c.value ->> 0, c.value ->> 1, count(DISTINCT v.idvisit), count(DISTINCT v.idvisitor), sum(v.visit_total_actions) FROM pk_tracking.visit v, jsonb_each(v.custom_variables) c WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 AND v.visit_first_action_time < $2 GROUP BY 2, 3
UNION ALL SELECT 'page', c.value ->> 0, c.value ->> 1, count(DISTINCT a.idvisit), count(DISTINCT a.idvisitor), count(*) FROM pk_tracking.action a, jsonb_each(a.custom_variables) c WHERE a.idsite = 1 AND a.server_time >= $1 AND a.server_time < $2 GROUP BY 2, 3$$);

-- conversions: rates are of the visits that acted or converted in the period
INSERT INTO part VALUES ('conversions', $$count(*) AS n, count(DISTINCT c.idvisit) AS visits, coalesce(sum(c.revenue), 0) AS revenue, count(DISTINCT c.idvisit) FILTER (WHERE c.consent >= 2) AS anonymous$$),
('converted', $$FROM pk_tracking.log_conversion c WHERE c.idsite = 1 AND c.server_time >= $1 AND c.server_time < $2$$),
('acted', $$SELECT v.idvisit FROM pk_tracking.visit v WHERE v.idsite = 1 AND v.visit_first_action_time >= $1 - interval '1 day' AND v.visit_first_action_time < $2 AND v.visit_last_action_time >= $1
	UNION SELECT c.idvisit FROM pk_tracking.log_conversion c WHERE c.idsite = 1 AND c.server_time >= $1 AND c.server_time < $2$$);
INSERT INTO by_hand SELECT t.report, pg_temp.fill(t.sql) FROM (VALUES
('report_goals', $$SELECT g.idgoal, g.name, coalesce(m.n, 0), coalesce(m.visits, 0), coalesce(m.revenue, 0), round(coalesce(100.0 * m.visits / (SELECT count(*) FROM ({acted}) a), 0), 1), coalesce(m.anonymous, 0), round(coalesce(100.0 * m.anonymous / m.visits, 0), 1)
FROM pk_tracking.goal g LEFT JOIN (SELECT c.idgoal, {conversions} {converted} AND c.idgoal > 0 GROUP BY 1) m USING (idgoal) WHERE g.idsite = 1 AND NOT g.deleted ORDER BY 1$$),
('report_conversions', $$SELECT m.idgoal, m.type, m.name, m.keyword, m.n, m.visits, m.revenue, m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM (SELECT c.idgoal, pk_tracking.referrer_type_name(c.referer_type) AS type, c.referer_name AS name, c.referer_keyword AS keyword, {conversions} {converted} AND c.idgoal >= 0 GROUP BY 1, 2, 3, 4) m ORDER BY 1, 5 DESC$$),
('report_conversion_hours', $$SELECT m.idgoal, m.hour, m.n, m.visits, m.revenue, m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM (SELECT c.idgoal, extract(hour FROM c.server_time AT TIME ZONE 'Europe/Berlin')::integer AS hour, {conversions} {converted} AND c.idgoal >= 0 GROUP BY 1, 2) m ORDER BY 1, 2$$),
('report_orders', $$SELECT m.day, m.day, m.day::timestamp AT TIME ZONE 'Europe/Berlin', m.n, m.visits, m.revenue, round(m.average, 2), m.subtotal, m.tax, m.shipping, m.discount, m.items, m.carts, m.cart_revenue, m.conflicts, m.anonymous, round(coalesce(100.0 * m.anonymous / nullif(m.visits, 0), 0), 1)
FROM (SELECT (c.server_time AT TIME ZONE 'Europe/Berlin')::date AS day, count(*) FILTER (WHERE c.idgoal = 0) AS n, count(DISTINCT c.idvisit) FILTER (WHERE c.idgoal = 0) AS visits, sum(c.revenue) FILTER (WHERE c.idgoal = 0) AS revenue, avg(c.revenue) FILTER (WHERE c.idgoal = 0) AS average,
	sum(c.revenue_subtotal) FILTER (WHERE c.idgoal = 0) AS subtotal, sum(c.revenue_tax) FILTER (WHERE c.idgoal = 0) AS tax, sum(c.revenue_shipping) FILTER (WHERE c.idgoal = 0) AS shipping, sum(c.revenue_discount) FILTER (WHERE c.idgoal = 0) AS discount, sum(c.items) FILTER (WHERE c.idgoal = 0) AS items,
	count(*) FILTER (WHERE c.idgoal = -1) AS carts, sum(c.revenue) FILTER (WHERE c.idgoal = -1) AS cart_revenue, count(c.order_conflict) AS conflicts, count(DISTINCT c.idvisit) FILTER (WHERE c.idgoal = 0 AND c.consent >= 2) AS anonymous {converted} AND c.idgoal <= 0 GROUP BY 1) m ORDER BY 1$$),
('report_goals_by', $$SELECT m.idgoal, m.type, m.n, m.visits, m.revenue, t.n, round(100.0 * m.visits / t.n, 1), m.anonymous, round(100.0 * m.anonymous / m.visits, 1)
FROM (SELECT c.idgoal, v.referrer_type AS type, count(*) AS n, count(DISTINCT c.idvisit) AS visits, sum(c.revenue) AS revenue, count(DISTINCT c.idvisit) FILTER (WHERE c.consent >= 2) AS anonymous
		FROM pk_tracking.log_conversion c JOIN pk_tracking.visit v USING (idvisit) WHERE c.idsite = 1 AND c.server_time >= $1 AND c.server_time < $2 AND c.idgoal >= 0 GROUP BY 1, 2) m
	JOIN (SELECT v.referrer_type AS type, count(*) AS n FROM ({acted}) a JOIN pk_tracking.visit v USING (idvisit) GROUP BY 1) t USING (type) ORDER BY 1, 3 DESC$$),
('report_goal_summary', $$SELECT m.*, round(100.0 * m.visits / t.n, 1), round(100.0 * m.visits_new / t.n_new, 1), round(100.0 * (m.visits - m.visits_new) / (t.n - t.n_new), 1), round(100.0 * m.anonymous / m.visits, 1)
FROM (SELECT c.idgoal, c.idgoal >= 0, count(*) AS n, count(DISTINCT c.idvisit) AS visits, sum(c.revenue), sum(c.items), avg(c.revenue), sum(c.revenue_subtotal), sum(c.revenue_tax), sum(c.revenue_shipping), sum(c.revenue_discount), count(*) FILTER (WHERE v.visitor_type = 'new'),
		count(DISTINCT c.idvisit) FILTER (WHERE v.visitor_type = 'new') AS visits_new, sum(c.revenue) FILTER (WHERE v.visitor_type = 'new'), sum(c.revenue) FILTER (WHERE v.visitor_type <> 'new'), count(DISTINCT c.idvisit) FILTER (WHERE c.consent >= 2) AS anonymous
		FROM pk_tracking.log_conversion c JOIN pk_tracking.visit v USING (idvisit) WHERE c.idsite = 1 AND c.server_time >= $1 AND c.server_time < $2 GROUP BY GROUPING SETS ((c.idgoal), (c.idgoal >= 0))) m
	CROSS JOIN (SELECT count(*) AS n, count(*) FILTER (WHERE v.visitor_type = 'new') AS n_new FROM ({acted}) a JOIN pk_tracking.visit v USING (idvisit)) t$$),
('report_attribution', $$
WITH c AS (SELECT c.idvisit, c.idgoal, c.revenue, c.server_time, v.idvisitor, v.referrer_type, v.referrer_name, v.referrer_keyword FROM pk_tracking.log_conversion c JOIN pk_tracking.visit v USING (idvisit) WHERE c.idsite = 1 AND c.server_time >= $1 AND c.server_time < $2 AND c.idgoal >= 0),
j AS (SELECT c.idvisit, c.idgoal, c.revenue, e.idvisit AS earlier, e.visit_first_action_time, e.referrer_type, e.referrer_name, e.referrer_keyword
	FROM c JOIN pk_tracking.visit e ON e.idsite = 1 AND e.idvisitor = c.idvisitor AND e.visit_first_action_time <= c.server_time AND e.visit_first_action_time >= c.server_time - interval '30 days'
	WHERE e.visit_first_action_time >= $1 - interval '30 days' AND e.visit_first_action_time < $2
	UNION ALL SELECT c.idvisit, c.idgoal, c.revenue, c.idvisit, c.server_time, c.referrer_type, c.referrer_name, c.referrer_keyword FROM c WHERE c.idvisitor IS NULL),
t AS (SELECT j.idgoal, j.revenue, j.referrer_type, j.referrer_name, j.referrer_keyword, row_number() OVER (PARTITION BY j.idvisit, j.idgoal ORDER BY j.visit_first_action_time, j.earlier) = 1 AS first, j.earlier = j.idvisit AS last,
		row_number() OVER (PARTITION BY j.idvisit, j.idgoal ORDER BY j.referrer_type = 'direct', j.visit_first_action_time DESC, j.earlier DESC) = 1 AS not_direct
	FROM j)
SELECT t.idgoal, t.referrer_type, t.referrer_name, t.referrer_keyword, count(*) FILTER (WHERE first), sum(revenue) FILTER (WHERE first), count(*) FILTER (WHERE last), sum(revenue) FILTER (WHERE last), count(*) FILTER (WHERE not_direct), sum(revenue) FILTER (WHERE not_direct)
FROM t WHERE first OR last OR not_direct GROUP BY 1, 2, 3, 4 ORDER BY 1, 5 DESC$$)) AS t(report, sql)
UNION ALL SELECT r.report, pg_temp.fill(format($$SELECT m.step, m.n, round(100.0 * m.n / sum(m.n) OVER (), 1), m.visits, m.revenue, m.anonymous, round(100.0 * m.anonymous / m.visits, 1) FROM (SELECT width_bucket(%s, %L::integer[]) AS step, {conversions} {converted} AND c.idgoal >= 0 GROUP BY 1) m ORDER BY 1$$, r.value, r.steps))
FROM (VALUES ('report_days_to_conversion', 'c.visitor_seconds_since_first / 86400', '{0,1,2,3,4,5,6,7,8,15,31,61,121,365}'), ('report_visits_to_conversion', 'c.visitor_count_visits', '{1,2,3,4,5,6,7,8,9,15,26,51,101}')) AS r(report, value, steps)
UNION ALL SELECT r.report, format($$SELECT coalesce(m.name, w.name), coalesce(m.orders, 0), coalesce(m.quantity, 0), coalesce(m.revenue, 0), round(coalesce(m.price, w.price, 0), 2), coalesce(m.carts, 0), coalesce(w.visits, 0), coalesce(m.anonymous, 0)
FROM (SELECT %1$s AS name, count(DISTINCT (i.idvisit, i.idorder)) FILTER (WHERE i.idorder <> '0') AS orders, sum(i.quantity) FILTER (WHERE i.idorder <> '0') AS quantity, sum(i.price * i.quantity) FILTER (WHERE i.idorder <> '0') AS revenue, avg(i.price) FILTER (WHERE i.idorder <> '0') AS price,
		count(DISTINCT i.idvisit) FILTER (WHERE i.idorder = '0') AS carts, count(DISTINCT (i.idvisit, i.idorder)) FILTER (WHERE i.idorder <> '0' AND i.consent >= 2) AS anonymous
		FROM pk_tracking.log_conversion_item i WHERE i.idsite = 1 AND i.server_time >= $1 AND i.server_time < $2 AND NOT i.deleted GROUP BY 1) m
	FULL JOIN (SELECT %2$s AS name, count(DISTINCT a.idvisit) AS visits, avg(a.product_price) AS price FROM pk_tracking.action a WHERE a.idsite = 1 AND a.server_time >= $1 AND a.server_time < $2 AND a.product_sku IS NOT NULL GROUP BY 1) w USING (name) ORDER BY 4 DESC$$,
	format('(SELECT n.name FROM pk_tracking.log_action n WHERE n.idsite = 1 AND n.idaction = i.%s LIMIT 1)', r.id), r.viewed)
FROM (VALUES ('report_products', 'idaction_sku', 'a.product_sku'), ('report_product_names', 'idaction_name', 'a.product_name'), ('report_product_categories', 'idaction_category', 'unnest(a.product_categories)')) AS r(report, id, viewed);
