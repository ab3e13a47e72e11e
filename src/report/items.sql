
-- ---------------------------------------------------------------------------
-- report/items: products by name and by category
-- ---------------------------------------------------------------------------

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
	FROM (
		SELECT k.idaction,
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
		FROM pk_tracking.log_conversion_item i
			CROSS JOIN LATERAL (%2$s) AS k(idaction)
		WHERE {items i} AND NOT i.deleted
		GROUP BY k.idaction) m
		FULL JOIN (
			SELECT k.idaction, pk_tracking_internal.report_distinct(l.idvisit) AS nb_visits,
				avg(l.product_price) AS price
			FROM pk_tracking.log_link_visit_action l
				CROSS JOIN LATERAL (%3$s) AS k(idaction)
			WHERE {actions l} AND %4$s
			GROUP BY k.idaction) w ON w.idaction = m.idaction
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = coalesce(m.idaction, w.idaction)
				LIMIT 1) n ON true
	ORDER BY 4 DESC, 2 DESC, 10 DESC, 1
	$report$, r.result_column, r.of_item, r.of_action, r.viewed),
	rows => 1000)
FROM (VALUES
	('report_product_names',
		'products by name: orders, abandoned carts, and visits that viewed one',
		'name', 'VALUES (coalesce(i.idaction_name, 0))',
		'VALUES (coalesce(l.idaction_product_name, 0))',
		'(l.idaction_product_sku <> 0 OR l.idaction_product_name <> 0)'),
	('report_product_categories',
		'products by category: orders, abandoned carts, and visits that viewed one or the page of the category; a product counts for each of its categories',
		'category', $$SELECT DISTINCT x.idaction
			FROM (VALUES (coalesce(i.idaction_category, 0)), (nullif(i.idaction_category2, 0)),
				(nullif(i.idaction_category3, 0)), (nullif(i.idaction_category4, 0)),
				(nullif(i.idaction_category5, 0))) AS x(idaction)
			WHERE x.idaction IS NOT NULL$$,
		$$SELECT DISTINCT x.idaction
			FROM (VALUES (coalesce(l.idaction_product_cat, 0)), (nullif(l.idaction_product_cat2, 0)),
				(nullif(l.idaction_product_cat3, 0)), (nullif(l.idaction_product_cat4, 0)),
				(nullif(l.idaction_product_cat5, 0))) AS x(idaction)
			WHERE x.idaction IS NOT NULL$$,
		'(l.idaction_product_sku <> 0 OR l.idaction_product_cat <> 0)')
) AS r(name, comment, result_column, of_item, of_action, viewed);
