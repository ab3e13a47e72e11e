
-- ---------------------------------------------------------------------------
-- report/goals: goals, orders, products
--
-- A conversion belongs to the local day of its own time.  idgoal 0 is an order,
-- -1 an abandoned cart.
-- ---------------------------------------------------------------------------

SELECT pk_tracking_internal.make_report('report_goals',
	'conversions by goal; conversion_rate: percentage of the visits with an action or a conversion in the period that converted the goal',
	'idgoal integer, name text, nb_conversions bigint, nb_visits_converted bigint,
	revenue numeric, conversion_rate numeric, nb_visits_anonymous bigint,
	anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT coalesce(g.idgoal, m.idgoal), g.name, coalesce(m.nb_conversions, 0),
		coalesce(m.nb_visits_converted, 0), coalesce(m.revenue, 0),
		round(coalesce(100.0 * m.nb_visits_converted / nullif(t.nb_visits, 0), 0), 1),
		coalesce(m.nb_visits_anonymous, 0),
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits_converted, 0), 0), 1)
	FROM (SELECT g.idgoal, g.name, g.deleted FROM pk_tracking.goal g WHERE g.idsite = $1) g
		FULL JOIN {from rollups} (
			SELECT m.k1 AS idgoal, m.nb_hits AS nb_conversions, m.nb_visits AS nb_visits_converted,
				m.revenue, m.nb_visits_anonymous
			FROM {counts of goals} m)
			{or from the log} (
			SELECT c.idgoal, %s
			FROM pk_tracking.log_conversion c
			WHERE {conversions c}
				AND c.idgoal > 0
			GROUP BY c.idgoal) {end of rollups} m ON m.idgoal = g.idgoal
		CROSS JOIN {from rollups} (
			SELECT coalesce(sum(a.nb_visits), 0) AS nb_visits FROM {counts of acting_visits} a)
			{or from the log} (
			SELECT count(*) AS nb_visits FROM (%s) a) {end of rollups} t
	WHERE m.idgoal IS NOT NULL OR NOT g.deleted
	ORDER BY coalesce(g.idgoal, m.idgoal)
	$report$, pk_tracking_internal.report_conversion_metrics(),
		pk_tracking_internal.report_acting_visits('v.idvisit')));

SELECT pk_tracking_internal.make_report('report_conversions',
	'conversions of goals (idgoal 0: orders) by the referrer that they are attributed to',
	'idgoal integer, referrer_type text, referer_name text, referer_keyword text,
	nb_conversions bigint, nb_visits_converted bigint, revenue numeric,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT m.idgoal, coalesce(pk_tracking.referrer_type_name(m.referer_type), 'unknown'),
		m.referer_name, m.referer_keyword, m.nb_conversions, m.nb_visits_converted,
		coalesce(m.revenue, 0), m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits_converted, 1)
	FROM {from rollups} (
		SELECT m.k1 AS idgoal, m.k2::smallint AS referer_type, m.k3 AS referer_name,
			m.k4 AS referer_keyword, m.nb_hits AS nb_conversions, m.nb_visits AS nb_visits_converted,
			m.revenue, m.nb_visits_anonymous
		FROM {counts of conversions} m)
		{or from the log} (
		SELECT c.idgoal, c.referer_type, nullif(c.referer_name, '') AS referer_name,
			nullif(c.referer_keyword, '') AS referer_keyword,
			%s
		FROM pk_tracking.log_conversion c
		WHERE {conversions c} AND c.idgoal >= 0
		GROUP BY 1, 2, 3, 4) {end of rollups} m
	ORDER BY 1, 5 DESC, 2, 3, 4
	$report$, pk_tracking_internal.report_conversion_metrics()));

/*
 * report_hours() counts the conversions of the visits that began at an hour, this
 * the conversions that happened then.
 */
SELECT pk_tracking_internal.make_report('report_conversion_hours',
	'conversions of goals (idgoal 0: orders) by the hour at which they happened, by the site''s clock',
	'idgoal integer, hour integer, nb_conversions bigint, nb_visits_converted bigint,
	revenue numeric, nb_visits_anonymous bigint, anonymous_rate numeric',
	pg_catalog.format($report$
	SELECT m.idgoal, m.hour, m.nb_conversions, m.nb_visits_converted, m.revenue,
		m.nb_visits_anonymous,
		round(100.0 * m.nb_visits_anonymous / m.nb_visits_converted, 1)
	FROM {from rollups} (
		SELECT m.k1 AS idgoal, m.k2::integer AS hour, m.nb_hits AS nb_conversions,
			m.nb_visits AS nb_visits_converted, coalesce(m.revenue, 0) AS revenue,
			m.nb_visits_anonymous
		FROM {counts of conversion_hours} m)
		{or from the log} (
		SELECT c.idgoal, extract(hour FROM c.server_time AT TIME ZONE $6)::integer AS hour,
			%s
		FROM pk_tracking.log_conversion c
		WHERE {conversions c} AND c.idgoal >= 0
		GROUP BY 1, 2) {end of rollups} m
	ORDER BY m.idgoal, m.hour
	$report$, pk_tracking_internal.report_conversion_metrics()));

SELECT pk_tracking_internal.make_report('report_orders',
	'orders and abandoned carts by period (hour, day, week, month, quarter, year or range); every period has a row',
	'nb_conversions bigint, nb_visits_converted bigint, revenue numeric,
	avg_order_revenue numeric, revenue_subtotal numeric, revenue_tax numeric,
	revenue_shipping numeric, revenue_discount numeric, items bigint,
	abandoned_carts bigint, abandoned_revenue numeric, order_conflicts bigint,
	nb_visits_anonymous bigint,
	anonymous_rate numeric',
	$report$
	SELECT {first_day}, {last_day}, {begins}, coalesce(m.nb_conversions, 0),
		coalesce(m.nb_visits_converted, 0),
		coalesce(m.revenue, 0), round(coalesce(m.revenue / nullif(m.nb_revenues, 0), 0), 2),
		coalesce(m.revenue_subtotal, 0), coalesce(m.revenue_tax, 0),
		coalesce(m.revenue_shipping, 0), coalesce(m.revenue_discount, 0),
		coalesce(m.items, 0), coalesce(m.abandoned_carts, 0), coalesce(m.abandoned_revenue, 0),
		coalesce(m.order_conflicts, 0), coalesce(m.nb_visits_anonymous, 0),
		round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits_converted, 0), 0), 1)
	FROM {spans} LEFT JOIN {from rollups} (
		SELECT k1, o.nb_hits AS nb_conversions, o.nb_visits AS nb_visits_converted, o.revenue,
			o.nb_revenues, o.revenue_subtotal, o.revenue_tax, o.revenue_shipping, o.revenue_discount,
			o.items, c.abandoned_carts, c.revenue AS abandoned_revenue,
			coalesce(o.order_conflicts, 0) + coalesce(c.order_conflicts, 0) AS order_conflicts,
			o.nb_visits_anonymous
		FROM {counts of orders} o FULL JOIN {counts of carts} c USING (k1))
		{or from the log} (
		SELECT {span of c.server_time} AS k1,
			count(*) FILTER (WHERE c.idgoal = 0) AS nb_conversions,
			pk_tracking_internal.report_distinct(c.idvisit) FILTER (WHERE c.idgoal = 0) AS nb_visits_converted,
			sum(c.revenue) FILTER (WHERE c.idgoal = 0) AS revenue,
			count(c.revenue) FILTER (WHERE c.idgoal = 0) AS nb_revenues,
			sum(c.revenue_subtotal) FILTER (WHERE c.idgoal = 0) AS revenue_subtotal,
			sum(c.revenue_tax) FILTER (WHERE c.idgoal = 0) AS revenue_tax,
			sum(c.revenue_shipping) FILTER (WHERE c.idgoal = 0) AS revenue_shipping,
			sum(c.revenue_discount) FILTER (WHERE c.idgoal = 0) AS revenue_discount,
			sum(c.items) FILTER (WHERE c.idgoal = 0) AS items,
			-- a cart without items and revenue was emptied
			count(*) FILTER (WHERE c.idgoal = -1
				AND (c.items = 0 AND c.revenue = 0) IS NOT TRUE) AS abandoned_carts,
			sum(c.revenue) FILTER (WHERE c.idgoal = -1) AS abandoned_revenue,
			count(c.order_conflict) AS order_conflicts,
			pk_tracking_internal.report_distinct(c.idvisit)
				FILTER (WHERE c.idgoal = 0 AND c.consent >= 2) AS nb_visits_anonymous
		FROM pk_tracking.log_conversion c
		WHERE {conversions c} AND c.idgoal <= 0
		GROUP BY 1) {end of rollups} m USING (k1)
	ORDER BY k1
	$report$,
	by_period => true);

SELECT pk_tracking_internal.make_report('report_products',
	'products by SKU: orders, quantity, revenue, abandoned carts, and visits that viewed the product; avg_price: of what was ordered, else of carts, else as shown; name and category are the latest ones',
	'sku text, name text, category text, orders bigint, quantity bigint, revenue numeric,
	avg_price numeric, avg_quantity numeric, abandoned_carts bigint,
	abandoned_quantity bigint, abandoned_revenue numeric, nb_visits bigint,
	orders_anonymous bigint, anonymous_rate numeric',
	$report$
	SELECT ns.name, nn.name, nc.name, coalesce(m.orders, 0), coalesce(m.quantity, 0),
		coalesce(m.revenue, 0),
		round(coalesce(m.prices / nullif(m.lines, 0), m.cart_price, w.price, 0), 2),
		round(coalesce(m.quantity::numeric / nullif(m.orders, 0), 0), 1),
		coalesce(m.abandoned_carts, 0), coalesce(m.abandoned_quantity, 0),
		coalesce(m.abandoned_revenue, 0), coalesce(w.nb_visits, 0),
		coalesce(m.orders_anonymous, 0),
		round(coalesce(100.0 * m.orders_anonymous / nullif(m.orders, 0), 0), 1)
	FROM {from rollups} (
		SELECT k1 AS idaction_sku, n.idaction_name, n.idaction_category, o.nb_visits AS orders,
			o.quantity, o.revenue, o.prices, o.lines, c.nb_visits AS abandoned_carts,
			c.quantity AS abandoned_quantity, c.revenue AS abandoned_revenue,
			c.prices / nullif(c.lines, 0) AS cart_price, o.nb_visits_anonymous AS orders_anonymous
		FROM {counts of product_orders} o FULL JOIN {counts of product_carts} c USING (k1)
			LEFT JOIN (
				SELECT DISTINCT ON (x.k1) x.k1, x.k2 AS idaction_name, x.k3 AS idaction_category
				FROM {counts of product_names} x ORDER BY x.k1, x.latest DESC) n USING (k1))
		{or from the log} (
		SELECT i.idaction_sku,
			(array_agg(i.idaction_name ORDER BY i.server_time DESC,
				i.idvisit DESC))[1] AS idaction_name,
			(array_agg(i.idaction_category ORDER BY i.server_time DESC,
				i.idvisit DESC))[1] AS idaction_category,
			count(DISTINCT (i.idvisit, i.idorder)) FILTER (WHERE i.idorder <> '0') AS orders,
			sum(i.quantity) FILTER (WHERE i.idorder <> '0') AS quantity,
			sum(i.price * i.quantity) FILTER (WHERE i.idorder <> '0') AS revenue,
			sum(i.price) FILTER (WHERE i.idorder <> '0') AS prices,
			count(i.price) FILTER (WHERE i.idorder <> '0') AS lines,
			pk_tracking_internal.report_distinct(i.idvisit)
				FILTER (WHERE i.idorder = '0') AS abandoned_carts,
			sum(i.quantity) FILTER (WHERE i.idorder = '0') AS abandoned_quantity,
			sum(i.price * i.quantity) FILTER (WHERE i.idorder = '0') AS abandoned_revenue,
			avg(i.price) FILTER (WHERE i.idorder = '0') AS cart_price,
			count(DISTINCT (i.idvisit, i.idorder))
				FILTER (WHERE i.idorder <> '0' AND i.consent >= 2) AS orders_anonymous
		FROM pk_tracking.log_conversion_item i
		WHERE {items i}
			AND NOT i.deleted
		GROUP BY i.idaction_sku) {end of rollups} m
		FULL JOIN {from rollups} (
			SELECT k1 AS idaction_sku, v.nb_visits, v.prices / nullif(v.lines, 0) AS price,
				n.idaction_name, n.idaction_category
			FROM {counts of product_views} v
				LEFT JOIN (
					SELECT DISTINCT ON (x.k1) x.k1, x.k2 AS idaction_name, x.k3 AS idaction_category
					FROM {counts of product_views_names} x ORDER BY x.k1, x.latest DESC) n USING (k1))
			{or from the log} (
			SELECT l.idaction_product_sku AS idaction_sku,
				pk_tracking_internal.report_distinct(l.idvisit) AS nb_visits,
				avg(l.product_price) AS price,
				(array_agg(l.idaction_product_name ORDER BY l.server_time DESC,
					l.idlink_va DESC))[1] AS idaction_name,
				(array_agg(l.idaction_product_cat ORDER BY l.server_time DESC,
					l.idlink_va DESC))[1] AS idaction_category
			FROM pk_tracking.log_link_visit_action l
			WHERE {actions l}
				AND l.idaction_product_sku <> 0
			GROUP BY l.idaction_product_sku) {end of rollups} w ON w.idaction_sku = m.idaction_sku
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1 AND a.idaction = coalesce(m.idaction_sku, w.idaction_sku)
				LIMIT 1) ns ON true
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1
				AND a.idaction = coalesce(nullif(m.idaction_name, 0), w.idaction_name)
					LIMIT 1) nn ON true
		LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
			WHERE a.idsite = $1
				AND a.idaction = coalesce(nullif(m.idaction_category, 0), w.idaction_category)
					LIMIT 1) nc ON true
	ORDER BY 6 DESC, 4 DESC, 1
	$report$,
	rows => 1000);
