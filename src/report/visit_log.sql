
-- ---------------------------------------------------------------------------
-- report/visit_log: single visits with their actions
-- ---------------------------------------------------------------------------

SELECT pk_tracking_internal.make_report('report_visit_log',
	'visits, the latest first, with their actions, conversions and masked IP address; max_visits: NULL for all',
	'idvisit bigint, local_time timestamp, idvisitor @extschema@.hexid, user_id text,
	consent text, visitor_type text, visitor_count_visits integer,
	visit_total_time integer, visit_total_actions integer, location_ip inet,
	location_country text, location_region text, location_city text,
	location_browser_lang text, os text, os_version text, browser text,
	browser_version text, device_type text, device_brand text, device_model text,
	referrer_type text, referer_name text, referer_keyword text, referer_url text,
	converted boolean, actions jsonb, conversions jsonb',
	$report$
	SELECT v.idvisit, v.visit_first_action_time AT TIME ZONE $6, v.idvisitor,
		pk_tracking.plain_text($1, nullif(v.user_id, '')),
		pk_tracking.consent_name(v.consent),
		pk_tracking.visitor_type_name(v.visitor_returning), v.visitor_count_visits,
		v.visit_total_time, v.visit_total_actions,
		v.location_ip, nullif(v.location_country, ''),
		pk_tracking.plain_text($1, nullif(v.location_region, '')),
		pk_tracking.plain_text($1, nullif(v.location_city, '')), nullif(v.location_browser_lang, ''),
		pk_tracking.os_name(v.config_os), nullif(v.config_os_version, ''),
		pk_tracking.browser_name(v.config_browser_name),
		nullif(v.config_browser_version, ''), pk_tracking.device_type_name(v.config_device_type),
		pk_tracking.device_brand_name(v.config_device_brand),
		nullif(v.config_device_model, ''), pk_tracking.referrer_type_name(v.referer_type),
		nullif(v.referer_name, ''), nullif(v.referer_keyword, ''), nullif(v.referer_url, ''),
		v.visit_goal_converted = 1, acts.list, conv.list
	FROM (
		SELECT v.idvisit
		FROM pk_tracking.log_visit v
		WHERE {visits v}
		ORDER BY v.visit_first_action_time DESC, v.idvisit DESC
		LIMIT $10 OFFSET $11) page
		JOIN pk_tracking.log_visit v ON v.idvisit = page.idvisit
		CROSS JOIN LATERAL (
			SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
				'time', l.server_time AT TIME ZONE $6,
				'kind', CASE WHEN l.idaction_event_category IS NOT NULL THEN 'event'
					WHEN l.idaction_content_name IS NOT NULL THEN 'content'
					WHEN l.idaction_url IS NULL AND n.type = 8 THEN 'search'
					ELSE coalesce(pk_tracking.action_type_name(u.type), 'page') END,
				'url', u.name,
				'title', CASE WHEN n.type = 4 THEN n.name END,
				'keyword', CASE WHEN n.type = 8 THEN n.name END,
				'search_category', pk_tracking.plain_text($1, nullif(l.search_cat, '')),
				'search_count', l.search_count,
				'event_category', ec.name,
				'event_action', ea.name,
				'event_name', CASE WHEN n.type = 12 THEN n.name END,
				'event_value', CASE WHEN l.idaction_event_category IS NOT NULL THEN l.custom_float END,
				'content_name', cn.name,
				'content_piece', cp.name,
				'content_target', ct.name,
				'content_interaction', ci.name,
				'product_sku', ps.name,
				'time_spent_ref_action', l.time_spent_ref_action,
				'matched_by', pk_tracking.matched_by_name(l.matched_by),
				'decision', pk_tracking.decision_name(l.decision))) ORDER BY l.server_time, l.idlink_va), '[]') AS list
			FROM pk_tracking.log_link_visit_action l
				LEFT JOIN LATERAL (SELECT a.type, pk_tracking.plain_text($1,
					pk_tracking.url_prefix_text(a.url_prefix) || a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_url LIMIT 1) u ON true
				LEFT JOIN LATERAL (SELECT a.type, pk_tracking.plain_text($1, a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_name LIMIT 1) n ON true
				LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_event_category
						LIMIT 1) ec ON true
				LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_event_action
						LIMIT 1) ea ON true
				LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_content_name
						LIMIT 1) cn ON true
				LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_content_piece
						LIMIT 1) cp ON true
				LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_content_target
						LIMIT 1) ct ON true
				LEFT JOIN LATERAL (SELECT pk_tracking.plain_text($1, a.name) AS name
					FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_content_interaction
						LIMIT 1) ci ON true
				LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
					WHERE a.idsite = $1 AND a.idaction = l.idaction_product_sku
						LIMIT 1) ps ON true
			WHERE l.idvisit = page.idvisit) acts
		CROSS JOIN LATERAL (
			SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
				'time', c.server_time AT TIME ZONE $6,
				'idgoal', c.idgoal,
				'name', CASE c.idgoal WHEN 0 THEN 'order' WHEN -1 THEN 'cart' ELSE g.name END,
				'idorder', pk_tracking.plain_text($1, c.idorder),
				'order_conflict', pk_tracking.plain_text($1, c.order_conflict),
				'revenue', c.revenue,
				'items', c.items)) ORDER BY c.server_time, c.idgoal, c.buster), '[]') AS list
			FROM pk_tracking.log_conversion c
				LEFT JOIN pk_tracking.goal g ON g.idsite = c.idsite AND g.idgoal = c.idgoal
			WHERE c.idvisit = page.idvisit) conv
	ORDER BY v.visit_first_action_time DESC, v.idvisit DESC
	$report$,
	more_arguments => 'max_visits integer DEFAULT 100, skip_visits integer DEFAULT 0',
	checks => $check$
	PERFORM pk_tracking_internal.report_number('max_visits', report_visit_log.max_visits, 0, NULL,
			'NULL is all visits.'),
		pk_tracking_internal.report_number('skip_visits', report_visit_log.skip_visits, 0, NULL,
			'It is the number of newer visits that are left out.');
	$check$);
