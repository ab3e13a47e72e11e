
-- ---------------------------------------------------------------------------
-- log/conversion: conversions of goals, orders, carts and their items
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.anonymous_conversion(conversion record) RETURNS boolean
AS 'MODULE_PATHNAME', 'pkt_anonymous_conversion' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.anonymous_conversion IS
	'CHECK of pk_tracking.log_conversion: whether a row may be stored without consent';

CREATE FUNCTION pk_tracking_internal.make_log_conversion() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.log_conversion (
		idvisit bigint NOT NULL,
		idlink_va bigint,
		idvisitor @extschema@.hexid,
		server_time timestamptz NOT NULL,
		idaction_url bigint,
		buster bigint NOT NULL DEFAULT 0,
		idsite integer NOT NULL,
		idgoal integer NOT NULL,
		items integer,
		pageviews_before integer,
		visitor_count_visits integer,
		visitor_seconds_since_first integer,
		visitor_seconds_since_order integer,
		consent smallint NOT NULL DEFAULT 0,
		matched_by smallint NOT NULL DEFAULT 0,
		visitor_returning smallint,
		referer_type smallint,
		config_client_type smallint,
		config_device_type smallint,
		idorder text,
		url text,
		revenue numeric,
		revenue_subtotal numeric,
		revenue_tax numeric,
		revenue_shipping numeric,
		revenue_discount numeric,
		referer_name text,
		referer_keyword text,
		location_continent text,
		location_country text,
		location_region text,
		location_city text,
		location_latitude numeric(9,6),
		location_longitude numeric(9,6),
		config_browser_name text,
		config_device_brand text,
		config_device_model text,
		custom_dimensions jsonb,
		custom_variables jsonb,
		order_conflict text,
		PRIMARY KEY (idvisit, idgoal, buster),
		CONSTRAINT log_conversion_anonymous
			CHECK ((consent >= 0 AND consent < 2)
				OR pk_tracking_internal.anonymous_conversion(log_conversion))
	);
	CREATE UNIQUE INDEX log_conversion_idorder ON pk_tracking.log_conversion (idsite, idorder)
		WHERE idorder IS NOT NULL;
	-- few rows; the ids of a visitor are compared as numbers
	CREATE INDEX log_conversion_order_conflict ON pk_tracking.log_conversion
		(idsite, order_conflict, (idvisitor::bigint)) WHERE order_conflict IS NOT NULL;
	-- an index has statistics of its expressions
	ALTER INDEX pk_tracking.log_conversion_order_conflict ALTER COLUMN 3 SET STATISTICS 0;
	CREATE INDEX log_conversion_time ON pk_tracking.log_conversion USING brin (server_time);
	PERFORM pk_tracking_internal.keep_out_of_statistics('log_conversion');
	COMMENT ON TABLE pk_tracking.log_conversion IS
		'conversions of goals, orders and carts, with the attributes of the visit at that time';
	COMMENT ON COLUMN pk_tracking.log_conversion.idvisit IS 'visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.idlink_va IS 'action that converted';
	COMMENT ON COLUMN pk_tracking.log_conversion.idvisitor IS 'visitor id; NULL if anonymous';
	COMMENT ON COLUMN pk_tracking.log_conversion.server_time IS 'time of the hit';
	COMMENT ON COLUMN pk_tracking.log_conversion.idaction_url IS 'page URL';
	COMMENT ON COLUMN pk_tracking.log_conversion.buster IS
		'distinguishes conversions of one goal by one visit; 0 if only one is allowed';
	COMMENT ON COLUMN pk_tracking.log_conversion.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_conversion.idgoal IS 'goal; 0 order, -1 cart';
	COMMENT ON COLUMN pk_tracking.log_conversion.items IS 'number of items';
	COMMENT ON COLUMN pk_tracking.log_conversion.pageviews_before IS
		'number of page views before the conversion';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_count_visits IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_seconds_since_first IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_seconds_since_order IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.consent IS
		'0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_conversion.matched_by IS
		'what the visitor was recognised by, as in log_link_visit_action';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_returning IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.referer_type IS
		'attributed referrer: as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.config_client_type IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.config_device_type IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.idorder IS
		'order id; NULL for goals, for anonymous orders, and for orders of which order_conflict holds it';
	COMMENT ON COLUMN pk_tracking.log_conversion.order_conflict IS
		'order id of an order that has not got it, because another visitor''s order has; else NULL';
	COMMENT ON COLUMN pk_tracking.log_conversion.url IS 'page URL as sent';
	COMMENT ON COLUMN pk_tracking.log_conversion.revenue IS 'revenue';
	COMMENT ON COLUMN pk_tracking.log_conversion.revenue_subtotal IS 'subtotal';
	COMMENT ON COLUMN pk_tracking.log_conversion.revenue_tax IS 'tax';
	COMMENT ON COLUMN pk_tracking.log_conversion.revenue_shipping IS 'shipping';
	COMMENT ON COLUMN pk_tracking.log_conversion.revenue_discount IS 'discount';
	COMMENT ON COLUMN pk_tracking.log_conversion.referer_name IS 'attributed referrer';
	COMMENT ON COLUMN pk_tracking.log_conversion.referer_keyword IS 'attributed keyword';
	COMMENT ON COLUMN pk_tracking.log_conversion.location_continent IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.location_country IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.location_region IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.location_city IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.location_latitude IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.location_longitude IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.config_browser_name IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.config_device_brand IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.config_device_model IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.custom_dimensions IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.custom_variables IS 'as in log_visit';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_conversion IS
	'creates the table pk_tracking.log_conversion';

CREATE FUNCTION pk_tracking_internal.anonymous_item(item record) RETURNS boolean
AS 'MODULE_PATHNAME', 'pkt_anonymous_item' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.anonymous_item IS
	'CHECK of pk_tracking.log_conversion_item: whether a row may be stored without consent';

CREATE FUNCTION pk_tracking_internal.make_log_conversion_item() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.log_conversion_item (
		idvisit bigint NOT NULL,
		idvisitor @extschema@.hexid,
		server_time timestamptz NOT NULL,
		idaction_sku bigint NOT NULL,
		idaction_name bigint,
		idaction_category bigint,
		idaction_category2 bigint,
		idaction_category3 bigint,
		idaction_category4 bigint,
		idaction_category5 bigint,
		idsite integer NOT NULL,
		quantity integer,
		consent smallint NOT NULL DEFAULT 0,
		deleted boolean NOT NULL DEFAULT false,
		price numeric,
		idorder text NOT NULL DEFAULT '0',
		PRIMARY KEY (idvisit, idorder, idaction_sku),
		CONSTRAINT log_conversion_item_anonymous
			CHECK ((consent >= 0 AND consent < 2)
				OR pk_tracking_internal.anonymous_item(log_conversion_item))
	);
	PERFORM pk_tracking_internal.keep_out_of_statistics('log_conversion_item');
	COMMENT ON TABLE pk_tracking.log_conversion_item IS 'items of orders and carts';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idvisit IS 'visit';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idvisitor IS 'visitor id; NULL if anonymous';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.server_time IS 'time of the hit';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idaction_sku IS 'SKU';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idaction_name IS 'name';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idaction_category IS 'category';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idaction_category2 IS 'second category';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idaction_category3 IS 'third category';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idaction_category4 IS 'fourth category';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idaction_category5 IS 'fifth category';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.quantity IS 'quantity';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.consent IS
		'0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.deleted IS
		'true if it is no longer in the cart or order';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.price IS 'unit price';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idorder IS
		'order id, that of order_conflict too; 0 for a cart, ## and a number for an anonymous order';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_conversion_item IS
	'creates the table pk_tracking.log_conversion_item';
