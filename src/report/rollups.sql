
-- ---------------------------------------------------------------------------
-- report/rollups: what roll-ups count for the reports of actions and conversions
--
-- The expressions are those of the reports; the names of the kinds stand in the
-- reports' queries, as {counts of KIND}.
-- ---------------------------------------------------------------------------

INSERT INTO pk_tracking_internal.rollup_origin (source, relation, alias, moment, within)
VALUES ('actions', 'pk_tracking.log_link_visit_action l', 'l', 'l.server_time',
		'l.server_time >= run.begins AND l.server_time < run.ends'),
	('conversions', 'pk_tracking.log_conversion c', 'c', 'c.server_time',
		'c.server_time >= run.begins AND c.server_time < run.ends'),
	('items', 'pk_tracking.log_conversion_item i', 'i', 'i.server_time',
		'i.server_time >= run.begins AND i.server_time < run.ends');

-- actions

SELECT pk_tracking_internal.make_rollup_fact_kind(r.kind, 'actions', '{l.idaction_url}',
	pg_catalog.format('l.idaction_url IN (SELECT a.idaction FROM pk_tracking.log_action a '
		'WHERE a.idsite = $1 AND a.type = %s)', r.action_type))
FROM (VALUES ('downloads', 3), ('outlinks', 2)) AS r (kind, action_type);

SELECT pk_tracking_internal.make_rollup_fact_kind('searches', 'actions', '{l.idaction_name}',
	'l.idaction_url IS NULL AND l.idaction_name <> 0',
	sums => '{nb_no_result total coalesce((l.search_count = 0)::integer\, 0)}');

SELECT pk_tracking_internal.make_rollup_fact_kind('time_by_search', 'actions', '{l.idaction_name_ref}',
	'coalesce(l.idaction_url_ref, 0) = 0 AND l.idaction_name_ref <> 0',
	sums => '{sum_time_spent total l.time_spent_ref_action}', visits => false, visitors => false);

SELECT pk_tracking_internal.make_rollup_fact_kind('searches_without_results', 'actions',
	'{l.idaction_name}',
	'l.idaction_url IS NULL AND l.idaction_name <> 0 AND l.search_count = 0');

SELECT pk_tracking_internal.make_rollup_fact_kind('search_categories', 'actions', '{}',
	$$l.search_cat <> ''$$, words => '{l.search_cat}',
	sums => '{nb_no_result total coalesce((l.search_count = 0)::integer\, 0)}');

SELECT pk_tracking_internal.make_rollup_fact_kind('events', 'actions',
	'{l.idaction_event_category, "coalesce(l.idaction_event_action, 0)", "coalesce(l.idaction_name, 0)"}',
	'l.idaction_event_category IS NOT NULL',
	sums => '{nb_events_with_value total (l.custom_float IS NOT NULL)::integer,
		sum_event_value sum l.custom_float, min_event_value min l.custom_float,
		max_event_value max l.custom_float}');

SELECT pk_tracking_internal.make_rollup_fact_kind(pg_catalog.format('%s_%s', s.side, r.kind), 'actions',
	r.keys::text[], 'l.idaction_content_name <> 0 AND l.idaction_content_interaction ' || s.condition,
	visits => s.side = 'impressions', visitors => s.side = 'impressions')
FROM (VALUES
		('contents', '{l.idaction_content_name, "coalesce(l.idaction_content_piece, 0)"}'),
		('content_names', '{l.idaction_content_name}'),
		('content_pieces', '{"coalesce(l.idaction_content_piece, 0)"}')) AS r (kind, keys),
	(VALUES ('impressions', 'IS NULL'), ('interactions', 'IS NOT NULL')) AS s (side, condition);

-- pages

SELECT pk_tracking_internal.make_rollup_fact_kind('views_by_' || r.by, 'actions',
	ARRAY['l.idaction_' || r.key], r.is_page, sums => '{nb_hits_with_times total (coalesce(l.time_network\, l.time_server\, l.time_transfer\, l.time_dom_processing\, l.time_dom_completion\, l.time_on_load) IS NOT NULL)::integer}')
FROM pk_tracking_internal.report_page_keys() r;

INSERT INTO pk_tracking_internal.rollup_times_kind (kind, key, condition)
SELECT 'views_by_' || r.by, 'l.idaction_' || r.key, r.is_page
FROM pk_tracking_internal.report_page_keys() r
UNION ALL
SELECT 'page_views', NULL, r.is_page FROM pk_tracking_internal.report_page_keys() r WHERE r.by = 'title';

SELECT pk_tracking_internal.make_rollup_fact_kind('page_views', 'actions', '{}', r.is_page,
	sums => '{nb_hits_with_times total (coalesce(l.time_network\, l.time_server\, l.time_transfer\, l.time_dom_processing\, l.time_dom_completion\, l.time_on_load) IS NOT NULL)::integer}',
	visits => false, visitors => false)
FROM pk_tracking_internal.report_page_keys() r WHERE r.by = 'title';

SELECT pk_tracking_internal.make_rollup_fact_kind('time_by_' || r.by, 'actions',
	ARRAY[pg_catalog.format('coalesce(l.idaction_%s_ref, 0)', r.key)], r.before,
	sums => '{sum_time_spent total l.time_spent_ref_action}', visits => false, visitors => false)
FROM pk_tracking_internal.report_page_keys() r;

-- where a search began the visit, the page after it has the URL 0 before it
SELECT pk_tracking_internal.make_rollup_fact_kind('after_search_by_' || r.by, 'actions',
	ARRAY['l.idaction_' || r.key], r.is_page || ' AND (l.idaction_url_ref IS NULL OR l.idaction_url_ref = 0
		AND l.idaction_name_ref IN (SELECT a.idaction FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.type = 8))')
FROM pk_tracking_internal.report_page_keys() r;

-- An entry or an exit is at the time of its page view; a visit within a day needs none.
INSERT INTO pk_tracking_internal.rollup_origin (source, relation, alias, moment, within)
SELECT pg_catalog.format('%s_by_%s', s.sides, r.by), 'pk_tracking.log_visit v', 'v',
	pg_catalog.format('CASE WHEN (v.visit_first_action_time AT TIME ZONE $6)::date = '
		'(v.visit_last_action_time AT TIME ZONE $6)::date THEN v.visit_first_action_time '
		'ELSE (SELECT m.at FROM %s) END', pk_tracking_internal.report_page_moment(s.side, r.by)),
	pg_catalog.format('v.visit_first_action_time < run.ends AND v.visit_last_action_time >= run.begins '
		'AND v.visit_first_action_time >= run.begins - (SELECT pk_tracking_internal.rollup_bound($1)) '
		'AND CASE WHEN v.visit_first_action_time >= run.begins AND v.visit_last_action_time < run.ends '
		'THEN true ELSE (SELECT m.at >= run.begins AND m.at < run.ends FROM %s) END',
		pk_tracking_internal.report_page_moment(s.side, r.by))
FROM pk_tracking_internal.report_page_keys() r,
	(VALUES ('entry', 'entries'), ('exit', 'exits')) AS s (side, sides);

SELECT pk_tracking_internal.make_rollup_fact_kind(pg_catalog.format('%s_by_%s', s.sides, r.by),
	pg_catalog.format('%s_by_%s', s.sides, r.by),
	ARRAY[pg_catalog.format('v.visit_%s_idaction_%s', s.side, r.key)],
	pg_catalog.format('v.visit_%1$s_idaction_%2$s IS NOT NULL AND (v.visit_%1$s_idaction_%2$s <> 0%3$s)',
		s.side, r.key, CASE r.by WHEN 'title'
			THEN pg_catalog.format(' OR v.visit_%s_idaction_url <> 0', s.side) ELSE '' END),
	sums => s.sums::text[])
FROM pk_tracking_internal.report_page_keys() r,
	(VALUES ('entry', 'entries', '{nb_actions total v.visit_total_actions,
			sum_visit_length total v.visit_total_time,
			bounce_count total (v.visit_total_actions <= 1)::integer}'),
		('exit', 'exits', '{}')) AS s (side, sides, sums);

-- conversions

SELECT pk_tracking_internal.make_rollup_fact_kind('goals', 'conversions', '{}', 'c.idgoal > 0',
	number => 'c.idgoal', sums => '{revenue sum c.revenue}', visitors => false);

SELECT pk_tracking_internal.make_rollup_fact_kind('conversions', 'conversions', '{}', 'c.idgoal >= 0',
	number => 'c.idgoal',
	words => '{c.referer_type::text, "nullif(c.referer_name, '''')", "nullif(c.referer_keyword, '''')"}',
	sums => '{revenue sum c.revenue}', visitors => false);

SELECT pk_tracking_internal.make_rollup_fact_kind('conversion_hours', 'conversions', '{}', 'c.idgoal >= 0',
	number => 'c.idgoal', words => '{extract(hour FROM c.server_time AT TIME ZONE $6)::integer::text}',
	sums => '{revenue sum c.revenue}', visitors => false);

SELECT pk_tracking_internal.make_rollup_fact_kind(r.unit || '_to_conversion' || g.kind, 'conversions',
	'{}', 'c.idgoal >= 0', number => coalesce(g.goal, b.bucket),
	words => CASE WHEN g.goal IS NULL THEN '{}' ELSE ARRAY[b.bucket] END,
	sums => '{revenue sum c.revenue}', visitors => false)
FROM pk_tracking_internal.report_conversion_steps() r
	CROSS JOIN LATERAL pg_catalog.format('width_bucket(%s, %L::integer[])', r.value, r.steps) AS b (bucket),
	(VALUES ('', NULL), ('_by_goal', 'c.idgoal')) AS g (kind, goal);

SELECT pk_tracking_internal.make_rollup_fact_kind('orders', 'conversions', '{}', 'c.idgoal = 0',
	sums => '{revenue sum c.revenue, nb_revenues total (c.revenue IS NOT NULL)::integer,
		revenue_subtotal sum c.revenue_subtotal, revenue_tax sum c.revenue_tax,
		revenue_shipping sum c.revenue_shipping, revenue_discount sum c.revenue_discount,
		items total c.items, order_conflicts total (c.order_conflict IS NOT NULL)::integer}',
	visitors => false);

-- a cart without items and revenue was emptied
SELECT pk_tracking_internal.make_rollup_fact_kind('carts', 'conversions', '{}', 'c.idgoal = -1',
	sums => '{abandoned_carts total ((c.items = 0 AND c.revenue = 0) IS NOT TRUE)::integer,
		revenue sum c.revenue, order_conflicts total (c.order_conflict IS NOT NULL)::integer}',
	visits => false, visitors => false);

-- Visits that acted: on each day from their first action to their last, and where they
-- converted.
INSERT INTO pk_tracking_internal.rollup_origin (source, relation, alias, moment, within)
VALUES ('acting_visits', $$pk_tracking.log_visit v CROSS JOIN LATERAL (
		SELECT v.visit_first_action_time AS at
		UNION ALL
		SELECT pk_tracking_internal.day_begin(d.day::date, $6)
		FROM generate_series((v.visit_first_action_time AT TIME ZONE $6)::date + 1,
			(v.visit_last_action_time AT TIME ZONE $6)::date, interval '1 day') AS d (day)
		WHERE (v.visit_first_action_time AT TIME ZONE $6)::date
			< (v.visit_last_action_time AT TIME ZONE $6)::date) p$$, 'v', 'p.at',
	'v.visit_first_action_time < run.ends AND v.visit_last_action_time >= run.begins
		AND v.visit_first_action_time >= run.begins - (SELECT pk_tracking_internal.rollup_bound($1))
		AND p.at >= run.begins AND p.at < run.ends');
SELECT pk_tracking_internal.make_rollup_fact_kind('acting_visits', s.source, '{}', 'true', visitors => false)
FROM (VALUES ('acting_visits'), ('conversions')) AS s (source);

-- products

-- the latest name of a product is that with the greatest time, and number of the visit or action
SELECT pk_tracking_internal.make_rollup_fact_kind('product_orders', 'items', '{i.idaction_sku}',
	$$NOT i.deleted AND i.idorder <> '0'$$, part => 'i.idorder',
	sums => '{quantity total i.quantity, revenue sum i.price * i.quantity, prices sum i.price,
		lines total (i.price IS NOT NULL)::integer}', visitors => false);
SELECT pk_tracking_internal.make_rollup_fact_kind('product_carts', 'items', '{i.idaction_sku}',
	$$NOT i.deleted AND i.idorder = '0'$$,
	sums => '{quantity total i.quantity, revenue sum i.price * i.quantity, prices sum i.price,
		lines total (i.price IS NOT NULL)::integer}', visitors => false);
SELECT pk_tracking_internal.make_rollup_fact_kind('product_names', 'items',
	'{i.idaction_sku, "coalesce(i.idaction_name, 0)", "coalesce(i.idaction_category, 0)"}',
	'NOT i.deleted', visits => false, visitors => false,
	sums => '{latest max trunc(extract(epoch FROM i.server_time) * 1000000) * 18446744073709551616 + i.idvisit}');
SELECT pk_tracking_internal.make_rollup_fact_kind('product_views', 'actions', '{l.idaction_product_sku}',
	'l.idaction_product_sku <> 0', visitors => false,
	sums => '{prices sum l.product_price, lines total (l.product_price IS NOT NULL)::integer}');
SELECT pk_tracking_internal.make_rollup_fact_kind('product_views_names', 'actions',
	'{l.idaction_product_sku, "coalesce(l.idaction_product_name, 0)", "coalesce(l.idaction_product_cat, 0)"}',
	'l.idaction_product_sku <> 0', visits => false, visitors => false,
	sums => '{latest max trunc(extract(epoch FROM l.server_time) * 1000000) * 18446744073709551616 + l.idlink_va}');

INSERT INTO pk_tracking_internal.rollup_origin (source, relation, alias, moment, within)
SELECT s.source, s.relation, o.alias, o.moment, o.within
FROM pk_tracking_internal.report_product_keys() r
	CROSS JOIN LATERAL (VALUES ('items_by_' || r.by, r.items, 'items'),
		('actions_by_' || r.by, r.actions, 'actions')) AS s (source, relation, of)
	JOIN pk_tracking_internal.rollup_origin o ON o.source = s.of
WHERE r.by = 'category';

SELECT pk_tracking_internal.make_rollup_fact_kind(s.side || '_by_' || r.by,
	CASE r.by WHEN 'category' THEN 'items_by_category' ELSE 'items' END, ARRAY[r.item_key],
	'NOT i.deleted AND ' || s.condition, part => s.part,
	sums => '{quantity total i.quantity, revenue sum i.price * i.quantity, prices sum i.price,
		lines total (i.price IS NOT NULL)::integer}', visitors => false)
FROM pk_tracking_internal.report_product_keys() r,
	(VALUES ('ordered', $$i.idorder <> '0'$$, 'i.idorder'), ('left', $$i.idorder = '0'$$, NULL))
		AS s (side, condition, part);
SELECT pk_tracking_internal.make_rollup_fact_kind('viewed_by_' || r.by,
	CASE r.by WHEN 'category' THEN 'actions_by_category' ELSE 'actions' END, ARRAY[r.action_key],
	r.viewed, visitors => false,
	sums => '{prices sum l.product_price, lines total (l.product_price IS NOT NULL)::integer}')
FROM pk_tracking_internal.report_product_keys() r;
