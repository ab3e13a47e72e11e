
-- ---------------------------------------------------------------------------
-- report/items: products by name and by category
-- ---------------------------------------------------------------------------

/*
 * By what products are counted: relations of items i and of actions l, and the columns of
 * theirs that are the numbers of names.  A product counts once for each of its
 * categories; without one it counts for 0.
 */
CREATE FUNCTION pk_tracking_internal.report_product_keys(OUT by text, OUT items text,
	OUT item_key text, OUT actions text, OUT action_key text, OUT viewed text)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES ('name', 'pk_tracking.log_conversion_item i', 'coalesce(i.idaction_name, 0)',
			'pk_tracking.log_link_visit_action l', 'coalesce(l.idaction_product_name, 0)',
			'(l.idaction_product_sku <> 0 OR l.idaction_product_name <> 0)'),
		('category', '(SELECT i.*, k.idaction AS one_category
				FROM pk_tracking.log_conversion_item i CROSS JOIN LATERAL (SELECT DISTINCT x.idaction
					FROM (VALUES (coalesce(i.idaction_category, 0)), (nullif(i.idaction_category2, 0)),
						(nullif(i.idaction_category3, 0)), (nullif(i.idaction_category4, 0)),
						(nullif(i.idaction_category5, 0))) AS x (idaction)
					WHERE x.idaction IS NOT NULL) k) AS i', 'i.one_category',
			'(SELECT l.*, k.idaction AS one_category
				FROM pk_tracking.log_link_visit_action l CROSS JOIN LATERAL (SELECT DISTINCT x.idaction
					FROM (VALUES (coalesce(l.idaction_product_cat, 0)), (nullif(l.idaction_product_cat2, 0)),
						(nullif(l.idaction_product_cat3, 0)), (nullif(l.idaction_product_cat4, 0)),
						(nullif(l.idaction_product_cat5, 0))) AS x (idaction)
					WHERE x.idaction IS NOT NULL) k) AS l', 'l.one_category',
			'(l.idaction_product_sku <> 0 OR l.idaction_product_cat <> 0)')
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_product_keys IS
	'by what the reports of products'' names and categories count';

/*
 * One line of an order or a cart, or one view of a product, counts once for its
 * name, and once for each of its categories; without one it counts for NULL.
 * avg_price: the mean of the prices of the lines that were ordered; of what was never
 * ordered the mean of those in carts, else of the prices shown.
 */
SELECT pk_tracking_internal.make_report(r.name, r.comment,
	pg_catalog.format('%s text, orders bigint, quantity bigint, revenue numeric,
	avg_price numeric, avg_quantity numeric, abandoned_carts bigint,
	abandoned_quantity bigint, abandoned_revenue numeric, nb_visits bigint,
	orders_anonymous bigint, anonymous_rate numeric', r.result_column),
	pg_catalog.format($report$
	SELECT n.name, coalesce(m.orders, 0), coalesce(m.quantity, 0), coalesce(m.revenue, 0),
		round(coalesce(m.price, m.cart_price, w.price, 0), 2),
		round(coalesce(m.quantity::numeric / nullif(m.orders, 0), 0), 1),
		coalesce(m.abandoned_carts, 0), coalesce(m.abandoned_quantity, 0),
		coalesce(m.abandoned_revenue, 0), coalesce(w.nb_visits, 0),
		coalesce(m.orders_anonymous, 0),
		round(coalesce(100.0 * m.orders_anonymous / nullif(m.orders, 0), 0), 1)
	FROM {from rollups} (
		SELECT k1 AS idaction, o.nb_visits AS orders, o.quantity, o.revenue,
			o.prices / nullif(o.lines, 0) AS price, c.nb_visits AS abandoned_carts,
			c.quantity AS abandoned_quantity, c.revenue AS abandoned_revenue,
			c.prices / nullif(c.lines, 0) AS cart_price, o.nb_visits_anonymous AS orders_anonymous
		FROM {counts of ordered_by_%2$s} o FULL JOIN {counts of left_by_%2$s} c USING (k1))
		{or from the log} (
		SELECT %4$s AS idaction,
			count(DISTINCT (i.idvisit, i.idorder)) FILTER (WHERE i.idorder <> '0') AS orders,
			sum(i.quantity) FILTER (WHERE i.idorder <> '0') AS quantity,
			sum(i.price * i.quantity) FILTER (WHERE i.idorder <> '0') AS revenue,
			avg(i.price) FILTER (WHERE i.idorder <> '0') AS price,
			pk_tracking_internal.report_distinct(i.idvisit) FILTER (WHERE i.idorder = '0') AS abandoned_carts,
			sum(i.quantity) FILTER (WHERE i.idorder = '0') AS abandoned_quantity,
			sum(i.price * i.quantity) FILTER (WHERE i.idorder = '0') AS abandoned_revenue,
			avg(i.price) FILTER (WHERE i.idorder = '0') AS cart_price,
			count(DISTINCT (i.idvisit, i.idorder))
				FILTER (WHERE i.idorder <> '0' AND i.consent >= 2) AS orders_anonymous
		FROM %3$s
		WHERE {items i} AND NOT i.deleted
		GROUP BY %4$s) {end of rollups} m
		FULL JOIN {from rollups} (
			SELECT v.k1 AS idaction, v.nb_visits, v.prices / nullif(v.lines, 0) AS price
			FROM {counts of viewed_by_%2$s} v)
			{or from the log} (
			SELECT %6$s AS idaction, pk_tracking_internal.report_distinct(l.idvisit) AS nb_visits,
				avg(l.product_price) AS price
			FROM %5$s
			WHERE {actions l} AND %7$s
			GROUP BY %6$s) {end of rollups} w ON w.idaction = m.idaction
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = coalesce(m.idaction, w.idaction)
				LIMIT 1) n ON true
	ORDER BY 4 DESC, 2 DESC, 10 DESC, 1
	$report$, r.result_column, k.by, k.items, k.item_key, k.actions, k.action_key, k.viewed),
	rows => 1000)
FROM (VALUES
	('report_product_names',
		'products by name: orders, abandoned carts, and visits that viewed one', 'name'),
	('report_product_categories',
		'products by category: orders, abandoned carts, and visits that viewed one or the page of the category; a product counts for each of its categories',
		'category')
) AS r(name, comment, result_column)
	JOIN pk_tracking_internal.report_product_keys() k ON k.by = r.result_column;
