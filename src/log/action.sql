
-- ---------------------------------------------------------------------------
-- log/action: actions, and the dictionary of their URLs and texts
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_log_action() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.log_action (
		idaction bigint NOT NULL,
		idsite integer NOT NULL,
		type smallint NOT NULL,
		url_prefix smallint,
		name text NOT NULL);
	-- Not unique: a unique index would make a hit wait for an open transaction of
	-- another session that inserts the same new URL.
	CREATE INDEX log_action_key ON pk_tracking.log_action (idsite, idaction);
	PERFORM pk_tracking_internal.identify_by_row('log_action');
	PERFORM pk_tracking_internal.keep_out_of_statistics('log_action');
	COMMENT ON TABLE pk_tracking.log_action IS
		'dictionary of URLs, titles and other texts; may contain a row twice';
	COMMENT ON COLUMN pk_tracking.log_action.idaction IS
		'first 8 bytes of the SHA-256 of the type byte and the name, big-endian; incremented on a collision';
	COMMENT ON COLUMN pk_tracking.log_action.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_action.type IS
		'1 page URL, 2 outlink, 3 download, 4 page title, 5 SKU, 6 item name, 7 item category, 8 search keyword, 10 event category, 11 event action, 12 event name, 13 content name, 14 content piece, 15 content target, 16 content interaction';
	COMMENT ON COLUMN pk_tracking.log_action.url_prefix IS
		'prefix removed from the name: 0 http://, 1 http://www., 2 https://, 3 https://www.; NULL: none';
	COMMENT ON COLUMN pk_tracking.log_action.name IS 'the text, or the URL without its prefix';
	PERFORM pk_tracking_internal.watch('log_action', 'DELETE OR TRUNCATE');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_action IS
	'creates the table pk_tracking.log_action';

/*
 * Unlogged: it costs hits less, and a count that a crash or a replica loses begins
 * anew.
 */
CREATE FUNCTION pk_tracking_internal.make_log_new_names() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE UNLOGGED TABLE pk_tracking.log_new_names (
		idsite integer NOT NULL,
		day date NOT NULL,
		names integer NOT NULL);
	CREATE INDEX log_new_names_day ON pk_tracking.log_new_names (idsite, day);
	COMMENT ON TABLE pk_tracking.log_new_names IS
		'numbers of names that hits without a token have added to log_action, for new_names_per_day; a sample, unlogged, kept for two days';
	COMMENT ON COLUMN pk_tracking.log_new_names.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_new_names.day IS 'UTC day on which the hits came';
	COMMENT ON COLUMN pk_tracking.log_new_names.names IS
		'number of names; the sum of a site''s day is about right';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_new_names IS
	'creates the table pk_tracking.log_new_names';

CREATE FUNCTION pk_tracking_internal.anonymous_action(action record) RETURNS boolean
AS 'MODULE_PATHNAME', 'pkt_anonymous_action' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.anonymous_action IS
	'CHECK of pk_tracking.log_link_visit_action: whether a row may be stored without consent';

CREATE FUNCTION pk_tracking_internal.make_log_link_visit_action() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE SEQUENCE pk_tracking.log_link_visit_action_idlink_va_seq;
	CREATE TABLE pk_tracking.log_link_visit_action (
		idlink_va bigint NOT NULL
			DEFAULT nextval('pk_tracking.log_link_visit_action_idlink_va_seq'),
		idvisit bigint NOT NULL,
		idvisitor @extschema@.hexid,
		server_time timestamptz NOT NULL,
		idaction_url bigint,
		idaction_name bigint,
		idaction_url_ref bigint,
		idaction_name_ref bigint,
		idsite integer NOT NULL,
		pageview_position integer,
		time_spent_ref_action integer,
		time_spent integer,
		consent smallint NOT NULL DEFAULT 0,
		matched_by smallint NOT NULL DEFAULT 0,
		decision smallint NOT NULL DEFAULT 0,
		idpageview text,
		custom_float numeric,
		idaction_event_category bigint,
		idaction_event_action bigint,
		idaction_content_name bigint,
		idaction_content_piece bigint,
		idaction_content_target bigint,
		idaction_content_interaction bigint,
		idaction_product_sku bigint,
		idaction_product_name bigint,
		idaction_product_cat bigint,
		idaction_product_cat2 bigint,
		idaction_product_cat3 bigint,
		idaction_product_cat4 bigint,
		idaction_product_cat5 bigint,
		product_price numeric,
		search_cat text,
		search_count integer,
		time_network integer,
		time_server integer,
		time_transfer integer,
		time_dom_processing integer,
		time_dom_completion integer,
		time_on_load integer,
		custom_dimensions jsonb,
		custom_variables jsonb,
		PRIMARY KEY (idvisit, idlink_va),
		CONSTRAINT log_link_visit_action_anonymous
			CHECK ((consent >= 0 AND consent < 2)
				OR pk_tracking_internal.anonymous_action(log_link_visit_action))
	);
	ALTER SEQUENCE pk_tracking.log_link_visit_action_idlink_va_seq
		OWNED BY pk_tracking.log_link_visit_action.idlink_va;
	CREATE INDEX log_link_visit_action_time ON pk_tracking.log_link_visit_action
		USING brin (server_time);
	PERFORM pk_tracking_internal.keep_out_of_statistics('log_link_visit_action');
	COMMENT ON TABLE pk_tracking.log_link_visit_action IS
		'one row per action of a visit; readable as view pk_tracking.action';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idlink_va IS 'number of the action';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idvisit IS 'its visit';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idvisitor IS
		'visitor id when the action was recorded; NULL if anonymous';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.server_time IS 'time of the hit';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_url IS
		'URL of the page, download or outlink; 0 if there was none, NULL for a site search';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_name IS
		'title of a page view (0 if there was none), keyword of a search or name of an event; otherwise NULL';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_url_ref IS
		'URL of the previous page; 0 for the first page, NULL after a site search';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_name_ref IS
		'title of the previous page, or keyword of a search; 0 for the first page';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.pageview_position IS
		'page views and searches of the visit up to this action; NULL before the first';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_spent_ref_action IS
		'seconds spent on the previous action';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_spent IS
		'seconds spent on this action; usually NULL: time_spent_ref_action of the next action has the same value';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.consent IS
		'0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.matched_by IS
		'what the visitor was recognised by: 0 none, 1 user_id, 2 cid, 3 third_party_cookie, 4 cookie, 5 fingerprint, 6 session_link';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.decision IS
		'why the hit continued its visit or began a new one: 0 continue, 1 unknown, 2 new_visit, 3 inactivity, 4 midnight, 5 user_changed, 6 campaign, 7 website, 8 limit';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idpageview IS
		'page view id sent by the client';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.custom_float IS 'value of an event';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_event_category IS 'event category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_event_action IS 'event action';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_name IS 'content name';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_piece IS 'content piece';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_target IS 'content target';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_interaction IS
		'content interaction';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_sku IS
		'SKU of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_name IS
		'name of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat IS
		'category of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat2 IS
		'its second category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat3 IS
		'its third category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat4 IS
		'its fourth category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat5 IS
		'its fifth category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.product_price IS
		'price of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.search_cat IS 'category of a site search';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.search_count IS
		'number of results of a site search';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_network IS 'milliseconds to connect';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_server IS
		'milliseconds until the server answered';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_transfer IS
		'milliseconds to transfer the page';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_dom_processing IS
		'milliseconds to process the document';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_dom_completion IS
		'milliseconds to complete the document';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_on_load IS
		'milliseconds in the load event';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.custom_dimensions IS
		'custom dimensions of action scope; NULL unless used';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.custom_variables IS
		'custom variables of page scope; NULL unless used';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_link_visit_action IS
	'creates the table pk_tracking.log_link_visit_action';

-- names of codes

CREATE FUNCTION pk_tracking.matched_by_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_matched_by_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.matched_by_name IS
	'name of a code in log_link_visit_action.matched_by';

CREATE FUNCTION pk_tracking.decision_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_decision_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.decision_name IS 'name of a code in log_link_visit_action.decision';

CREATE FUNCTION pk_tracking.action_type_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_action_type_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.action_type_name IS 'name of a code in log_action.type';

CREATE FUNCTION pk_tracking.url_prefix_text(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_url_prefix_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.url_prefix_text IS
	'the prefix that log_action.url_prefix stands for; empty for NULL';

CREATE FUNCTION pk_tracking_internal.make_action() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE VIEW pk_tracking.action AS
		SELECT l.idlink_va, l.idvisit, l.idsite, l.idvisitor, l.server_time,
			CASE WHEN l.idaction_event_category IS NOT NULL THEN 'event'
				WHEN l.idaction_content_name IS NOT NULL THEN 'content'
				WHEN n.type = 8 THEN 'search'
				ELSE coalesce(pk_tracking.action_type_name(u.type), 'page') END AS kind,
			pk_tracking.plain_text(l.idsite, u.name) AS url,
			pk_tracking.plain_text(l.idsite, CASE WHEN n.type = 4 THEN n.name END) AS title,
			pk_tracking.plain_text(l.idsite, ur.name) AS previous_url,
			pk_tracking.plain_text(l.idsite, nr.name) AS previous_title,
			l.pageview_position, l.time_spent_ref_action, l.time_spent,
			pk_tracking.consent_name(l.consent) AS consent,
			pk_tracking.matched_by_name(l.matched_by) AS matched_by,
			pk_tracking.decision_name(l.decision) AS decision,
			l.idpageview,
			(SELECT pk_tracking.plain_text(l.idsite, a.name) FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_event_category
					LIMIT 1) AS event_category,
			(SELECT pk_tracking.plain_text(l.idsite, a.name) FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_event_action
					LIMIT 1) AS event_action,
			pk_tracking.plain_text(l.idsite, CASE WHEN n.type = 12 THEN n.name END) AS event_name,
			l.custom_float AS event_value,
			pk_tracking.plain_text(l.idsite, CASE WHEN n.type = 8 THEN n.name END) AS search_keyword,
			pk_tracking.plain_text(l.idsite, nullif(l.search_cat, '')) AS search_category, l.search_count,
			(SELECT pk_tracking.plain_text(l.idsite, a.name) FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_name
					LIMIT 1) AS content_name,
			(SELECT pk_tracking.plain_text(l.idsite, a.name) FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_piece
					LIMIT 1) AS content_piece,
			(SELECT pk_tracking.plain_text(l.idsite, a.name) FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_target
					LIMIT 1) AS content_target,
			(SELECT pk_tracking.plain_text(l.idsite, a.name) FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_interaction
					LIMIT 1) AS content_interaction,
			(SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_sku
					LIMIT 1) AS product_sku,
			(SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_name
					LIMIT 1) AS product_name,
			nullif(array_remove(ARRAY[
				(SELECT a.name FROM pk_tracking.log_action a
					WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a
					WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat2 LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a
					WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat3 LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a
					WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat4 LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a
					WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat5 LIMIT 1)],
						NULL), '{}') AS product_categories,
			l.product_price,
			l.time_network, l.time_server, l.time_transfer,
			l.time_dom_processing, l.time_dom_completion, l.time_on_load,
			pk_tracking.plain_json(l.idsite, l.custom_dimensions) AS custom_dimensions,
			pk_tracking.plain_json(l.idsite, l.custom_variables) AS custom_variables
		FROM pk_tracking.log_link_visit_action l
			LEFT JOIN LATERAL (SELECT a.type,
				pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name
				FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_url LIMIT 1) u ON true
			LEFT JOIN LATERAL (SELECT a.type, a.name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_name LIMIT 1) n ON true
			LEFT JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name
				FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_url_ref LIMIT 1) ur ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_name_ref LIMIT 1) nr ON true;
	COMMENT ON VIEW pk_tracking.action IS
		'log_link_visit_action with names instead of codes and action ids';
	COMMENT ON COLUMN pk_tracking.action.idlink_va IS 'number of the action';
	COMMENT ON COLUMN pk_tracking.action.idvisit IS 'its visit';
	COMMENT ON COLUMN pk_tracking.action.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.action.idvisitor IS
		'visitor id when the action was recorded; NULL if anonymous';
	COMMENT ON COLUMN pk_tracking.action.server_time IS 'time of the hit';
	COMMENT ON COLUMN pk_tracking.action.kind IS
		'page, download, outlink, search, event or content';
	COMMENT ON COLUMN pk_tracking.action.url IS 'URL of the page, file or website';
	COMMENT ON COLUMN pk_tracking.action.title IS 'title of a page view';
	COMMENT ON COLUMN pk_tracking.action.previous_url IS 'URL of the previous page';
	COMMENT ON COLUMN pk_tracking.action.previous_title IS
		'title of the previous page, or keyword of a search';
	COMMENT ON COLUMN pk_tracking.action.pageview_position IS
		'page views and searches of the visit up to this action; NULL before the first';
	COMMENT ON COLUMN pk_tracking.action.time_spent_ref_action IS
		'seconds spent on the previous action';
	COMMENT ON COLUMN pk_tracking.action.time_spent IS
		'seconds spent on this action; usually NULL: time_spent_ref_action of the next action has the same value';
	COMMENT ON COLUMN pk_tracking.action.consent IS
		'not asked, granted, undecided or refused; an undecided or refused visitor is anonymous';
	COMMENT ON COLUMN pk_tracking.action.matched_by IS
		'what the visitor was recognised by: user_id, cid, third_party_cookie, cookie, fingerprint, session_link or none';
	COMMENT ON COLUMN pk_tracking.action.decision IS
		'why the hit continued its visit or began a new one: continue, unknown, new_visit, inactivity, midnight, user_changed, campaign, website or limit';
	COMMENT ON COLUMN pk_tracking.action.idpageview IS 'page view id sent by the client';
	COMMENT ON COLUMN pk_tracking.action.event_category IS 'event category';
	COMMENT ON COLUMN pk_tracking.action.event_action IS 'event action';
	COMMENT ON COLUMN pk_tracking.action.event_name IS 'event name';
	COMMENT ON COLUMN pk_tracking.action.event_value IS 'event value';
	COMMENT ON COLUMN pk_tracking.action.search_keyword IS 'keyword of a site search';
	COMMENT ON COLUMN pk_tracking.action.search_category IS 'category of a site search';
	COMMENT ON COLUMN pk_tracking.action.search_count IS 'number of results of a site search';
	COMMENT ON COLUMN pk_tracking.action.content_name IS 'content name';
	COMMENT ON COLUMN pk_tracking.action.content_piece IS 'content piece';
	COMMENT ON COLUMN pk_tracking.action.content_target IS 'content target';
	COMMENT ON COLUMN pk_tracking.action.content_interaction IS 'content interaction';
	COMMENT ON COLUMN pk_tracking.action.product_sku IS 'SKU of the product viewed';
	COMMENT ON COLUMN pk_tracking.action.product_name IS 'name of the product viewed';
	COMMENT ON COLUMN pk_tracking.action.product_categories IS 'categories of the product viewed';
	COMMENT ON COLUMN pk_tracking.action.product_price IS 'price of the product viewed';
	COMMENT ON COLUMN pk_tracking.action.time_network IS 'milliseconds to connect';
	COMMENT ON COLUMN pk_tracking.action.time_server IS 'milliseconds until the server answered';
	COMMENT ON COLUMN pk_tracking.action.time_transfer IS 'milliseconds to transfer the page';
	COMMENT ON COLUMN pk_tracking.action.time_dom_processing IS
		'milliseconds to process the document';
	COMMENT ON COLUMN pk_tracking.action.time_dom_completion IS
		'milliseconds to complete the document';
	COMMENT ON COLUMN pk_tracking.action.time_on_load IS 'milliseconds in the load event';
	COMMENT ON COLUMN pk_tracking.action.custom_dimensions IS
		'custom dimensions of action scope: an object of number and value';
	COMMENT ON COLUMN pk_tracking.action.custom_variables IS 'custom variables of page scope';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_action IS 'creates the view pk_tracking.action';
