
-- ---------------------------------------------------------------------------
-- log/visit: visits
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.anonymous_visit(visit record) RETURNS boolean
AS 'MODULE_PATHNAME', 'pkt_anonymous_visit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.anonymous_visit IS
	'CHECK of pk_tracking.log_visit: whether a row may be stored without consent';

CREATE FUNCTION pk_tracking_internal.make_log_visit() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE SEQUENCE pk_tracking.log_visit_idvisit_seq;
	CREATE TABLE pk_tracking.log_visit (
		idvisit bigint NOT NULL DEFAULT nextval('pk_tracking.log_visit_idvisit_seq') PRIMARY KEY,
		idvisitor @extschema@.hexid,
		config_id @extschema@.hexid,
		visit_first_action_time timestamptz NOT NULL,
		visit_last_action_time timestamptz NOT NULL,
		last_idlink_va bigint,
		visit_entry_idaction_url bigint,
		visit_entry_idaction_name bigint,
		visit_exit_idaction_url bigint DEFAULT 0,
		visit_exit_idaction_name bigint,
		idsite integer NOT NULL,
		visit_total_time integer NOT NULL DEFAULT 0,
		visit_total_actions integer NOT NULL DEFAULT 0,
		visit_total_interactions integer NOT NULL DEFAULT 0,
		visit_total_searches integer NOT NULL DEFAULT 0,
		visit_total_events integer NOT NULL DEFAULT 0,
		visitor_count_visits integer NOT NULL DEFAULT 1,
		visitor_seconds_since_first integer DEFAULT 0,
		visitor_seconds_since_last integer DEFAULT 0,
		visitor_seconds_since_order integer,
		consent smallint NOT NULL DEFAULT 0,
		visitor_returning smallint NOT NULL DEFAULT 0,
		visit_goal_buyer smallint NOT NULL DEFAULT 0,
		visit_goal_converted smallint NOT NULL DEFAULT 0,
		profilable smallint NOT NULL DEFAULT 0,
		referer_type smallint,
		config_client_type smallint,
		config_device_type smallint,
		config_cookie smallint,
		config_flash smallint,
		config_java smallint,
		config_pdf smallint,
		config_quicktime smallint,
		config_realplayer smallint,
		config_silverlight smallint,
		config_windowsmedia smallint,
		visitor_localtime time,
		location_ip inet,
		user_id text,
		referer_name text,
		referer_keyword text,
		referer_url text,
		location_browser_lang text,
		location_continent text,
		location_country text,
		location_region text,
		location_city text,
		location_latitude numeric(9,6),
		location_longitude numeric(9,6),
		location_asn bigint,
		location_organisation text,
		config_resolution text,
		config_os text,
		config_os_version text,
		config_browser_name text,
		config_browser_version text,
		config_browser_engine text,
		config_device_brand text,
		config_device_model text,
		custom_dimensions jsonb,
		custom_variables jsonb,
		CONSTRAINT log_visit_anonymous
			CHECK ((consent >= 0 AND consent < 2)
				OR pk_tracking_internal.anonymous_visit(log_visit))
	) WITH (fillfactor = 80);
	ALTER SEQUENCE pk_tracking.log_visit_idvisit_seq OWNED BY pk_tracking.log_visit.idvisit;
	-- The two indexes of the look-up.  No column that an ordinary hit changes may be
	-- indexed, or its UPDATE would no longer be HOT.
	CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit
		(idsite, idvisitor, visit_first_action_time) WHERE idvisitor IS NOT NULL;
	CREATE INDEX log_visit_config_id ON pk_tracking.log_visit
		(idsite, config_id, visit_first_action_time) WHERE config_id IS NOT NULL;
	-- for data subjects; a hit that names no user costs it nothing
	CREATE INDEX log_visit_user_id ON pk_tracking.log_visit (idsite, user_id)
		WHERE user_id IS NOT NULL;
	CREATE INDEX log_visit_time ON pk_tracking.log_visit USING brin (visit_first_action_time);
	PERFORM pk_tracking_internal.keep_out_of_statistics('log_visit');
	COMMENT ON TABLE pk_tracking.log_visit IS
		'one row per visit; readable as view pk_tracking.visit';
	COMMENT ON COLUMN pk_tracking.log_visit.idvisit IS 'number of the visit';
	COMMENT ON COLUMN pk_tracking.log_visit.idvisitor IS 'visitor id; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.config_id IS
		'fingerprint of the browser that began the visit; NULL if there is none';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_first_action_time IS
		'time of the hit that began the visit';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_last_action_time IS 'time of its latest action';
	COMMENT ON COLUMN pk_tracking.log_visit.last_idlink_va IS
		'number of the row of its latest action; NULL if the latest hit has none';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_entry_idaction_url IS
		'URL of the first page view';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_entry_idaction_name IS
		'title of the first page view';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_exit_idaction_url IS 'URL of the last page view';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_exit_idaction_name IS
		'title of the last page view';
	COMMENT ON COLUMN pk_tracking.log_visit.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_time IS
		'seconds from the first action to the latest hit received, plus 1; 0 for a single action';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_actions IS
		'page views, downloads, outlinks, searches and events';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_interactions IS 'page views and searches';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_searches IS 'site searches';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_events IS 'events';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_count_visits IS
		'ordinal number of this visit among the visitor''s visits';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_seconds_since_first IS
		'seconds since the visitor''s first visit began';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_seconds_since_last IS
		'seconds since the visitor''s previous visit began';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_seconds_since_order IS
		'seconds since the visitor''s last order; NULL if there is none';
	COMMENT ON COLUMN pk_tracking.log_visit.consent IS
		'0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_returning IS
		'0 new, 1 returning, 2 returning customer';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_goal_buyer IS
		'0 none, 1 ordered, 2 open cart, 3 ordered and open cart';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_goal_converted IS
		'1 if the visit converted a goal or ordered';
	COMMENT ON COLUMN pk_tracking.log_visit.profilable IS
		'1 if a hit of the visit carried a visitor or user id';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_type IS
		'1 direct, 2 search engine, 3 website, 6 campaign, 7 social network, 8 AI assistant';
	COMMENT ON COLUMN pk_tracking.log_visit.config_client_type IS
		'1 browser, 2 library, 3 feed reader, 4 media player, 5 mobile app, 6 mail and calendar';
	COMMENT ON COLUMN pk_tracking.log_visit.config_device_type IS
		'0 desktop, 1 smartphone, 2 tablet, 3 feature phone, 4 console, 5 TV, 6 car browser, 7 smart display, 8 camera, 9 portable media player, 10 phablet, 11 smart speaker, 12 wearable, 13 peripheral';
	COMMENT ON COLUMN pk_tracking.log_visit.config_cookie IS
		'1 if the browser accepts cookies, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_flash IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_java IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_pdf IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_quicktime IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_realplayer IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_silverlight IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_windowsmedia IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_localtime IS
		'local time of the visitor when the visit began, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.location_ip IS
		'masked IP address; all zeros for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.user_id IS
		'user id of the site''s own login, or its hash';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_name IS
		'name of the search engine, website, social network, AI assistant or campaign';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_keyword IS 'keyword of a search or campaign';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_url IS 'referrer URL, normalised';
	COMMENT ON COLUMN pk_tracking.log_visit.location_browser_lang IS
		'primary language of the browser';
	COMMENT ON COLUMN pk_tracking.log_visit.location_continent IS 'continent code';
	COMMENT ON COLUMN pk_tracking.log_visit.location_country IS 'country code, lower case';
	COMMENT ON COLUMN pk_tracking.log_visit.location_region IS 'region code';
	COMMENT ON COLUMN pk_tracking.log_visit.location_city IS 'city';
	COMMENT ON COLUMN pk_tracking.log_visit.location_latitude IS
		'degrees; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.location_longitude IS
		'degrees; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.location_asn IS
		'number of the network''s autonomous system; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.location_organisation IS
		'organisation of the network; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.config_resolution IS 'screen resolution, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_os IS 'operating system, Matomo''s short code';
	COMMENT ON COLUMN pk_tracking.log_visit.config_os_version IS 'version of the operating system';
	COMMENT ON COLUMN pk_tracking.log_visit.config_browser_name IS 'browser, Matomo''s short code';
	COMMENT ON COLUMN pk_tracking.log_visit.config_browser_version IS 'version of the browser';
	COMMENT ON COLUMN pk_tracking.log_visit.config_browser_engine IS 'rendering engine';
	COMMENT ON COLUMN pk_tracking.log_visit.config_device_brand IS 'brand of the device';
	COMMENT ON COLUMN pk_tracking.log_visit.config_device_model IS 'model of the device';
	COMMENT ON COLUMN pk_tracking.log_visit.custom_dimensions IS
		'custom dimensions of visit scope, number to value; NULL unless used';
	COMMENT ON COLUMN pk_tracking.log_visit.custom_variables IS
		'custom variables of visit scope; NULL unless used';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_visit IS
	'creates the table pk_tracking.log_visit';

CREATE FUNCTION pk_tracking_internal.make_log_visit_length() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- The look-up reads visits backwards by their first action.  To stop where no
	-- visit can reach the window it must know the longest visit so far.  Rows are
	-- only inserted, never updated, so that no hit waits for another transaction.
	CREATE TABLE pk_tracking.log_visit_length (
		idsite integer NOT NULL,
		seconds bigint NOT NULL);
	CREATE INDEX log_visit_length_idsite ON pk_tracking.log_visit_length (idsite);
	PERFORM pk_tracking_internal.identify_by_row('log_visit_length');
	COMMENT ON TABLE pk_tracking.log_visit_length IS
		'upper bounds of the length of a site''s visits; the greatest one applies';
	COMMENT ON COLUMN pk_tracking.log_visit_length.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_visit_length.seconds IS 'no visit of the site is longer';
	PERFORM pk_tracking_internal.watch('log_visit_length');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_visit_length IS
	'creates the table pk_tracking.log_visit_length';

-- names of codes

CREATE FUNCTION pk_tracking.consent_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_consent_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.consent_name IS 'name of a code in the columns consent';

CREATE FUNCTION pk_tracking.visitor_type_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_visitor_type_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.visitor_type_name IS
	'name of a code in log_visit.visitor_returning';

CREATE FUNCTION pk_tracking.referrer_type_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_referrer_type_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.referrer_type_name IS 'name of a code in log_visit.referer_type';

CREATE FUNCTION pk_tracking_internal.make_visit() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE VIEW pk_tracking.visit AS
		SELECT v.idvisit, v.idsite, s.name AS site, v.idvisitor,
			pk_tracking.plain_text(v.idsite, v.user_id) AS user_id,
			v.visit_first_action_time, v.visit_last_action_time, v.visit_total_time,
			v.visit_first_action_time AT TIME ZONE s.timezone AS local_time,
			v.visit_total_actions, v.visit_total_interactions,
			v.visit_total_searches, v.visit_total_events,
			pk_tracking.visitor_type_name(v.visitor_returning) AS visitor_type,
			v.visitor_count_visits,
			v.visitor_seconds_since_first, v.visitor_seconds_since_last,
			v.visitor_seconds_since_order,
			pk_tracking.consent_name(v.consent) AS consent,
			pk_tracking.plain_text(v.idsite, eu.name) AS entry_url,
			pk_tracking.plain_text(v.idsite, en.name) AS entry_title,
			pk_tracking.plain_text(v.idsite, xu.name) AS exit_url,
			pk_tracking.plain_text(v.idsite, xn.name) AS exit_title,
			pk_tracking.referrer_type_name(v.referer_type) AS referrer_type,
			v.referer_name AS referrer_name, v.referer_keyword AS referrer_keyword,
			v.referer_url AS referrer_url,
			v.location_ip, v.location_country,
			pk_tracking.plain_text(v.idsite, v.location_region) AS location_region,
			pk_tracking.plain_text(v.idsite, v.location_city) AS location_city,
			v.location_browser_lang,
			v.config_os, v.config_os_version, v.config_browser_name, v.config_browser_version,
			v.config_device_brand, v.config_device_model, v.config_resolution,
			v.visit_goal_converted = 1 AS converted,
			v.visit_goal_buyer IN (1, 3) AS ordered,
			v.visit_goal_buyer IN (2, 3) AS open_cart,
			pk_tracking.plain_json(v.idsite, v.custom_dimensions) AS custom_dimensions,
			pk_tracking.plain_json(v.idsite, v.custom_variables) AS custom_variables
		FROM pk_tracking.log_visit v
			JOIN pk_tracking.site s USING (idsite)
			LEFT JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name
				FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_entry_idaction_url
					LIMIT 1) eu ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_entry_idaction_name
					LIMIT 1) en ON true
			LEFT JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name
				FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_exit_idaction_url
					LIMIT 1) xu ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_exit_idaction_name
					LIMIT 1) xn ON true;
	COMMENT ON VIEW pk_tracking.visit IS 'log_visit with names instead of codes and action ids';
	COMMENT ON COLUMN pk_tracking.visit.idvisit IS 'number of the visit';
	COMMENT ON COLUMN pk_tracking.visit.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.visit.site IS 'name of the site';
	COMMENT ON COLUMN pk_tracking.visit.idvisitor IS 'visitor id; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.visit.user_id IS 'user id of the site''s own login, or its hash';
	COMMENT ON COLUMN pk_tracking.visit.visit_first_action_time IS
		'time of the hit that began the visit';
	COMMENT ON COLUMN pk_tracking.visit.visit_last_action_time IS 'time of its latest action';
	COMMENT ON COLUMN pk_tracking.visit.visit_total_time IS
		'seconds from the first action to the latest hit received, plus 1; 0 for a single action';
	COMMENT ON COLUMN pk_tracking.visit.local_time IS
		'visit_first_action_time by the site''s clock';
	COMMENT ON COLUMN pk_tracking.visit.visit_total_actions IS
		'page views, downloads, outlinks, searches and events';
	COMMENT ON COLUMN pk_tracking.visit.visit_total_interactions IS 'page views and searches';
	COMMENT ON COLUMN pk_tracking.visit.visit_total_searches IS 'site searches';
	COMMENT ON COLUMN pk_tracking.visit.visit_total_events IS 'events';
	COMMENT ON COLUMN pk_tracking.visit.visitor_type IS 'new, returning or returning customer';
	COMMENT ON COLUMN pk_tracking.visit.visitor_count_visits IS
		'ordinal number of this visit among the visitor''s visits';
	COMMENT ON COLUMN pk_tracking.visit.visitor_seconds_since_first IS
		'seconds since the visitor''s first visit began';
	COMMENT ON COLUMN pk_tracking.visit.visitor_seconds_since_last IS
		'seconds since the visitor''s previous visit began';
	COMMENT ON COLUMN pk_tracking.visit.visitor_seconds_since_order IS
		'seconds since the visitor''s last order; NULL if there is none';
	COMMENT ON COLUMN pk_tracking.visit.consent IS
		'not asked, granted, undecided or refused; an undecided or refused visitor is anonymous';
	COMMENT ON COLUMN pk_tracking.visit.entry_url IS 'URL of the first page view';
	COMMENT ON COLUMN pk_tracking.visit.entry_title IS 'title of the first page view';
	COMMENT ON COLUMN pk_tracking.visit.exit_url IS 'URL of the last page view';
	COMMENT ON COLUMN pk_tracking.visit.exit_title IS 'title of the last page view';
	COMMENT ON COLUMN pk_tracking.visit.referrer_type IS
		'direct, search engine, website, campaign, social network or AI assistant';
	COMMENT ON COLUMN pk_tracking.visit.referrer_name IS
		'name of the search engine, website, social network, AI assistant or campaign';
	COMMENT ON COLUMN pk_tracking.visit.referrer_keyword IS 'keyword of a search or campaign';
	COMMENT ON COLUMN pk_tracking.visit.referrer_url IS 'referrer URL, normalised';
	COMMENT ON COLUMN pk_tracking.visit.location_ip IS
		'masked IP address; all zeros for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.visit.location_country IS 'country code, lower case';
	COMMENT ON COLUMN pk_tracking.visit.location_region IS 'region code';
	COMMENT ON COLUMN pk_tracking.visit.location_city IS 'city';
	COMMENT ON COLUMN pk_tracking.visit.location_browser_lang IS 'primary language of the browser';
	COMMENT ON COLUMN pk_tracking.visit.config_os IS
		'operating system, Matomo''s short code; see os_name()';
	COMMENT ON COLUMN pk_tracking.visit.config_os_version IS 'version of the operating system';
	COMMENT ON COLUMN pk_tracking.visit.config_browser_name IS
		'browser, Matomo''s short code; see browser_name()';
	COMMENT ON COLUMN pk_tracking.visit.config_browser_version IS 'version of the browser';
	COMMENT ON COLUMN pk_tracking.visit.config_device_brand IS
		'brand of the device, Matomo''s short code; see device_brand_name()';
	COMMENT ON COLUMN pk_tracking.visit.config_device_model IS 'model of the device';
	COMMENT ON COLUMN pk_tracking.visit.config_resolution IS 'screen resolution, as sent';
	COMMENT ON COLUMN pk_tracking.visit.converted IS
		'true if the visit converted a goal or ordered';
	COMMENT ON COLUMN pk_tracking.visit.ordered IS 'true if the visit ordered';
	COMMENT ON COLUMN pk_tracking.visit.open_cart IS
		'true if the visit left a cart that was not ordered';
	COMMENT ON COLUMN pk_tracking.visit.custom_dimensions IS
		'custom dimensions of visit scope: an object of number and value';
	COMMENT ON COLUMN pk_tracking.visit.custom_variables IS 'custom variables of visit scope';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_visit IS 'creates the view pk_tracking.visit';
