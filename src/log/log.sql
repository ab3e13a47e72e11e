-- ---------------------------------------------------------------------------
-- visit/log: the user's own tables.  They are no members of the extension, so
-- that pg_dump dumps their rows and DROP EXTENSION does not drop them.
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.create_log(owner name DEFAULT CURRENT_USER) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $create_log$
DECLARE
	obj record;
BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'duplicate_table',
			MESSAGE = 'there is a log already',
			HINT = 'An older log is brought up to date by pk_tracking.upgrade_log().';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = owner) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('role "%s" does not exist', owner);
	END IF;

	-- sites, settings, goals -------------------------------------------------

	CREATE SEQUENCE pk_tracking.site_idsite_seq AS integer;
	CREATE TABLE pk_tracking.site (
		idsite integer NOT NULL DEFAULT nextval('pk_tracking.site_idsite_seq') PRIMARY KEY,
		name text NOT NULL,
		urls text[] NOT NULL DEFAULT '{}',
		timezone text NOT NULL DEFAULT 'UTC',
		currency text NOT NULL DEFAULT 'USD',
		ecommerce boolean NOT NULL DEFAULT true,
		created timestamptz NOT NULL DEFAULT now());
	ALTER SEQUENCE pk_tracking.site_idsite_seq OWNED BY pk_tracking.site.idsite;
	COMMENT ON TABLE pk_tracking.site IS 'websites and apps that are tracked; add one with pk_tracking.add_site()';
	COMMENT ON COLUMN pk_tracking.site.idsite IS 'number of the site, the idsite of the tracking API';
	COMMENT ON COLUMN pk_tracking.site.name IS 'name for people';
	COMMENT ON COLUMN pk_tracking.site.urls IS 'URLs of the site: the main one first, then aliases';
	COMMENT ON COLUMN pk_tracking.site.timezone IS 'time zone in which its days begin and end';
	COMMENT ON COLUMN pk_tracking.site.currency IS 'ISO 4217 code of its revenues';
	COMMENT ON COLUMN pk_tracking.site.ecommerce IS 'does it sell?';
	COMMENT ON COLUMN pk_tracking.site.created IS 'when it was added';

	CREATE TABLE pk_tracking.setting (
		idsite integer REFERENCES pk_tracking.site ON DELETE CASCADE,
		name text NOT NULL,
		value text NOT NULL);
	CREATE UNIQUE INDEX setting_key ON pk_tracking.setting (coalesce(idsite, 0), name);
	COMMENT ON TABLE pk_tracking.setting IS 'settings that differ from their defaults; see view pk_tracking.settings';
	COMMENT ON COLUMN pk_tracking.setting.idsite IS 'site, or NULL for the whole instance';
	COMMENT ON COLUMN pk_tracking.setting.name IS 'name of the setting';
	COMMENT ON COLUMN pk_tracking.setting.value IS 'value as text';

	CREATE TABLE pk_tracking.goal (
		idsite integer NOT NULL REFERENCES pk_tracking.site ON DELETE CASCADE,
		idgoal integer NOT NULL,
		name text NOT NULL,
		match_attribute text NOT NULL,
		pattern text,
		pattern_type text,
		case_sensitive boolean NOT NULL DEFAULT false,
		allow_multiple boolean NOT NULL DEFAULT false,
		revenue numeric NOT NULL DEFAULT 0,
		deleted boolean NOT NULL DEFAULT false,
		PRIMARY KEY (idsite, idgoal));
	COMMENT ON TABLE pk_tracking.goal IS 'goals of a site; add one with pk_tracking.add_goal()';
	COMMENT ON COLUMN pk_tracking.goal.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.goal.idgoal IS 'number of the goal within its site, from 1';
	COMMENT ON COLUMN pk_tracking.goal.name IS 'name for people';
	COMMENT ON COLUMN pk_tracking.goal.match_attribute IS 'url, title, file, external_website, manually, visit_duration, event_category, event_action or event_name';
	COMMENT ON COLUMN pk_tracking.goal.pattern IS 'what the attribute is compared with';
	COMMENT ON COLUMN pk_tracking.goal.pattern_type IS 'contains, exact or regex; greater_than for visit_duration';
	COMMENT ON COLUMN pk_tracking.goal.case_sensitive IS 'does case matter?';
	COMMENT ON COLUMN pk_tracking.goal.allow_multiple IS 'may one visit convert more than once?';
	COMMENT ON COLUMN pk_tracking.goal.revenue IS 'revenue of a conversion unless the hit says otherwise';
	COMMENT ON COLUMN pk_tracking.goal.deleted IS 'no longer converted, kept for reports';

	CREATE TABLE pk_tracking.referrer_list (
		kind text NOT NULL CHECK (kind IN ('search', 'social')),
		name text NOT NULL,
		host text NOT NULL,
		parameters text[] NOT NULL DEFAULT '{}',
		PRIMARY KEY (kind, host));
	COMMENT ON TABLE pk_tracking.referrer_list IS 'search engines and social networks of your own; they win over those that are known by themselves';
	COMMENT ON COLUMN pk_tracking.referrer_list.kind IS 'search or social';
	COMMENT ON COLUMN pk_tracking.referrer_list.name IS 'name, as it is to stand in referer_name';
	COMMENT ON COLUMN pk_tracking.referrer_list.host IS 'host, with all its sub-domains if it is a network, perhaps with the beginning of a path';
	COMMENT ON COLUMN pk_tracking.referrer_list.parameters IS 'query parameters that hold a search''s keyword; none: every page of the host counts as a search without keyword';

	-- a token's hash may not be derived back, as its token is chance
	CREATE TABLE pk_tracking.token (
		token_hash bytea NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
		idsite integer REFERENCES pk_tracking.site ON DELETE CASCADE,
		name text,
		created timestamptz NOT NULL DEFAULT now(),
		expires timestamptz);
	COMMENT ON TABLE pk_tracking.token IS 'who may send what a tracking URL needs authentication for; made by pk_tracking.create_token()';
	COMMENT ON COLUMN pk_tracking.token.token_hash IS 'SHA-256 of the token, which itself is stored nowhere';
	COMMENT ON COLUMN pk_tracking.token.idsite IS 'site, or NULL for all sites';
	COMMENT ON COLUMN pk_tracking.token.name IS 'name for people';
	COMMENT ON COLUMN pk_tracking.token.created IS 'when it was made';
	COMMENT ON COLUMN pk_tracking.token.expires IS 'when it ends; NULL: never';

	CREATE TABLE pk_tracking.referrer_spam (
		host text NOT NULL PRIMARY KEY CHECK (octet_length(host) >= 4));
	COMMENT ON TABLE pk_tracking.referrer_spam IS 'hosts of your own that are known for referrer spam; they add to those that are known by themselves';
	COMMENT ON COLUMN pk_tracking.referrer_spam.host IS 'host; a referrer that contains it anywhere is spam';

	-- what was not recorded --------------------------------------------------
	--
	-- Sums only.  One sum may stand in many rows, so that hits do not wait for
	-- each other; each backend adds to its own, HOT.  Nothing but the site and
	-- the day is indexed.

	CREATE TABLE pk_tracking.log_excluded (
		idsite integer NOT NULL,
		day date NOT NULL,
		hits bigint NOT NULL,
		reason text NOT NULL
	) WITH (fillfactor = 50);
	CREATE INDEX log_excluded_day ON pk_tracking.log_excluded (idsite, day);
	COMMENT ON TABLE pk_tracking.log_excluded IS 'how many hits were excluded; one sum may stand in many rows: read the view pk_tracking.excluded';
	COMMENT ON COLUMN pk_tracking.log_excluded.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_excluded.day IS 'day in the site''s time zone';
	COMMENT ON COLUMN pk_tracking.log_excluded.hits IS 'number of hits';
	COMMENT ON COLUMN pk_tracking.log_excluded.reason IS 'why: bot, rec, do_not_track, exclude_requests, opt_out_cookie, ip, user_agent, referrer_spam, unknown_url, prefetch or session_limit';

	CREATE TABLE pk_tracking.custom_dimension (
		idsite integer NOT NULL REFERENCES pk_tracking.site ON DELETE CASCADE,
		iddimension integer NOT NULL CHECK (iddimension > 0),
		name text NOT NULL,
		scope text NOT NULL CHECK (scope IN ('visit', 'action')),
		extractions jsonb NOT NULL DEFAULT '[]',
		case_sensitive boolean NOT NULL DEFAULT true,
		active boolean NOT NULL DEFAULT true,
		PRIMARY KEY (idsite, iddimension));
	COMMENT ON TABLE pk_tracking.custom_dimension IS 'custom dimensions of a site, sent as dimensionN; add one with pk_tracking.add_dimension()';
	COMMENT ON COLUMN pk_tracking.custom_dimension.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.custom_dimension.iddimension IS 'number of the dimension within its site, from 1: the N of dimensionN';
	COMMENT ON COLUMN pk_tracking.custom_dimension.name IS 'name for people';
	COMMENT ON COLUMN pk_tracking.custom_dimension.scope IS 'visit or action: which row has the value';
	COMMENT ON COLUMN pk_tracking.custom_dimension.extractions IS 'where a value is taken from that is not sent: a list of {"dimension": "url", "urlparam" or "action_name", "pattern": regular expression whose first group it is, or the parameter''s name}; the first that gives one counts';
	COMMENT ON COLUMN pk_tracking.custom_dimension.case_sensitive IS 'does case matter to the patterns?';
	COMMENT ON COLUMN pk_tracking.custom_dimension.active IS 'no longer recorded if false';

	-- visits -----------------------------------------------------------------

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
		custom_variables jsonb
	) WITH (fillfactor = 80);
	ALTER SEQUENCE pk_tracking.log_visit_idvisit_seq OWNED BY pk_tracking.log_visit.idvisit;
	-- The look-up's two indexes.  Nothing that an ordinary hit changes may be
	-- indexed, or its UPDATE is no longer HOT.
	CREATE INDEX log_visit_idvisitor ON pk_tracking.log_visit
		(idsite, idvisitor, visit_first_action_time) WHERE idvisitor IS NOT NULL;
	CREATE INDEX log_visit_config_id ON pk_tracking.log_visit
		(idsite, config_id, visit_first_action_time) WHERE config_id IS NOT NULL;
	CREATE INDEX log_visit_time ON pk_tracking.log_visit USING brin (visit_first_action_time);

	COMMENT ON TABLE pk_tracking.log_visit IS 'one row per visit; readable as view pk_tracking.visit';
	COMMENT ON COLUMN pk_tracking.log_visit.idvisit IS 'number of the visit';
	COMMENT ON COLUMN pk_tracking.log_visit.idvisitor IS 'visitor id; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.config_id IS 'fingerprint of the browser that began the visit; NULL if there is none';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_first_action_time IS 'time of the hit that began the visit';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_last_action_time IS 'latest time of its actions';
	COMMENT ON COLUMN pk_tracking.log_visit.last_idlink_va IS 'its last action';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_entry_idaction_url IS 'URL of the first page view';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_entry_idaction_name IS 'title of the first page view';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_exit_idaction_url IS 'URL of the last page view';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_exit_idaction_name IS 'title of the last page view';
	COMMENT ON COLUMN pk_tracking.log_visit.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_time IS 'seconds from the first action to the latest hit that came, plus 1; 0 for a single action';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_actions IS 'page views, downloads, outlinks, searches and events';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_interactions IS 'page views and searches';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_searches IS 'site searches';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_total_events IS 'events';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_count_visits IS 'the visitor''s how-manieth visit this is';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_seconds_since_first IS 'seconds since the visitor''s first visit began';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_seconds_since_last IS 'seconds since the previous visit began';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_seconds_since_order IS 'seconds since the visitor''s last order; NULL if there was none';
	COMMENT ON COLUMN pk_tracking.log_visit.consent IS '0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_returning IS '0 new, 1 returning, 2 returning customer';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_goal_buyer IS '0 none, 1 ordered, 2 open cart, 3 ordered and open cart';
	COMMENT ON COLUMN pk_tracking.log_visit.visit_goal_converted IS '1 if the visit converted a goal or ordered';
	COMMENT ON COLUMN pk_tracking.log_visit.profilable IS '1 if a hit of the visit carried a visitor or user id';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_type IS '1 direct, 2 search engine, 3 website, 6 campaign, 7 social network';
	COMMENT ON COLUMN pk_tracking.log_visit.config_client_type IS 'kind of client: 1 browser, 2 mobile app, ...';
	COMMENT ON COLUMN pk_tracking.log_visit.config_device_type IS 'kind of device: 0 desktop, 1 smartphone, 2 tablet, ...';
	COMMENT ON COLUMN pk_tracking.log_visit.config_cookie IS 'cookies enabled, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_flash IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_java IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_pdf IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_quicktime IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_realplayer IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_silverlight IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_windowsmedia IS 'plugin, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.visitor_localtime IS 'the visitor''s clock when the visit began';
	COMMENT ON COLUMN pk_tracking.log_visit.location_ip IS 'masked IP address; all zeros for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.user_id IS 'user id of the site''s own login, or its hash';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_name IS 'search engine, website, social network or campaign';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_keyword IS 'keyword of a search or campaign';
	COMMENT ON COLUMN pk_tracking.log_visit.referer_url IS 'referrer URL, cleaned';
	COMMENT ON COLUMN pk_tracking.log_visit.location_browser_lang IS 'primary language of the browser';
	COMMENT ON COLUMN pk_tracking.log_visit.location_continent IS 'continent code';
	COMMENT ON COLUMN pk_tracking.log_visit.location_country IS 'country code, lower case';
	COMMENT ON COLUMN pk_tracking.log_visit.location_region IS 'region code';
	COMMENT ON COLUMN pk_tracking.log_visit.location_city IS 'city';
	COMMENT ON COLUMN pk_tracking.log_visit.location_latitude IS 'degrees; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.location_longitude IS 'degrees; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.location_asn IS 'number of the autonomous system; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.location_organisation IS 'organisation of the network; NULL for an anonymous visit';
	COMMENT ON COLUMN pk_tracking.log_visit.config_resolution IS 'screen resolution, as sent';
	COMMENT ON COLUMN pk_tracking.log_visit.config_os IS 'operating system, Matomo''s short code';
	COMMENT ON COLUMN pk_tracking.log_visit.config_os_version IS 'version of the operating system';
	COMMENT ON COLUMN pk_tracking.log_visit.config_browser_name IS 'browser, Matomo''s short code';
	COMMENT ON COLUMN pk_tracking.log_visit.config_browser_version IS 'version of the browser';
	COMMENT ON COLUMN pk_tracking.log_visit.config_browser_engine IS 'rendering engine';
	COMMENT ON COLUMN pk_tracking.log_visit.config_device_brand IS 'brand of the device';
	COMMENT ON COLUMN pk_tracking.log_visit.config_device_model IS 'model of the device';
	COMMENT ON COLUMN pk_tracking.log_visit.custom_dimensions IS 'custom dimensions of visit scope, number to value; NULL unless used';
	COMMENT ON COLUMN pk_tracking.log_visit.custom_variables IS 'custom variables of visit scope; NULL unless used';

	-- The look-up reads visits backwards by their first action and stops where
	-- none can reach the window: that needs the longest visit so far.  Rows are
	-- only ever inserted, so that no hit waits for another's transaction.
	CREATE TABLE pk_tracking.log_visit_length (
		idsite integer NOT NULL,
		seconds bigint NOT NULL);
	CREATE INDEX log_visit_length_idsite ON pk_tracking.log_visit_length (idsite);
	COMMENT ON TABLE pk_tracking.log_visit_length IS 'upper bounds of the length of a site''s visits; the largest counts';
	COMMENT ON COLUMN pk_tracking.log_visit_length.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_visit_length.seconds IS 'no visit of the site is longer';

	-- actions ----------------------------------------------------------------

	CREATE TABLE pk_tracking.log_action (
		idaction bigint NOT NULL,
		idsite integer NOT NULL,
		type smallint NOT NULL,
		url_prefix smallint,
		name text NOT NULL);
	-- Not unique, on purpose: a unique index would make a hit wait for another
	-- session's open transaction that brings the same new URL.
	CREATE INDEX log_action_key ON pk_tracking.log_action (idsite, idaction);
	COMMENT ON TABLE pk_tracking.log_action IS 'dictionary of URLs, titles, events ...; may hold a row twice, readers fold it';
	COMMENT ON COLUMN pk_tracking.log_action.idaction IS 'first 8 bytes of SHA-256 over the type byte and the name, big-endian; counted up on a collision';
	COMMENT ON COLUMN pk_tracking.log_action.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_action.type IS '1 page URL, 2 outlink, 3 download, 4 page title, 5 SKU, 6 item name, 7 item category, 8 search keyword, 10 event category, 11 event action, 12 event name, 13 content name, 14 content piece, 15 content target, 16 content interaction';
	COMMENT ON COLUMN pk_tracking.log_action.url_prefix IS 'what was cut off the name: 0 http://, 1 http://www., 2 https://, 3 https://www.';
	COMMENT ON COLUMN pk_tracking.log_action.name IS 'the text itself';

	CREATE SEQUENCE pk_tracking.log_link_visit_action_idlink_va_seq;
	CREATE TABLE pk_tracking.log_link_visit_action (
		idlink_va bigint NOT NULL DEFAULT nextval('pk_tracking.log_link_visit_action_idlink_va_seq'),
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
		PRIMARY KEY (idvisit, idlink_va));
	ALTER SEQUENCE pk_tracking.log_link_visit_action_idlink_va_seq OWNED BY pk_tracking.log_link_visit_action.idlink_va;
	CREATE INDEX log_link_visit_action_time ON pk_tracking.log_link_visit_action USING brin (server_time);
	COMMENT ON TABLE pk_tracking.log_link_visit_action IS 'one row per action of a visit; readable as view pk_tracking.action';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idlink_va IS 'number of the action';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idvisit IS 'its visit';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idvisitor IS 'visitor id when the action came; NULL if anonymous';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.server_time IS 'time of the hit';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_url IS 'URL: of the page, of the file or site that was clicked; 0 if there was none, NULL for a site search';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_name IS 'title of a page view (0 if there was none), keyword of a search, name of an event; else NULL';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_url_ref IS 'URL of the page before; 0 for the first, NULL after a site search';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_name_ref IS 'title of the page before, or keyword of a search; 0 for the first';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.pageview_position IS 'page views and searches of the visit up to this action; NULL before the first';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_spent_ref_action IS 'seconds spent on the action before';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_spent IS 'seconds spent on this action; NULL unless filled: the next action''s time_spent_ref_action says the same';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.consent IS '0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.matched_by IS 'what the hit was recognised by: 0 none, 1 user_id, 2 cid, 3 third_party_cookie, 4 cookie, 5 fingerprint, 6 session_link';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.decision IS 'why it continued its visit or began one: 0 continue, 1 unknown, 2 new_visit, 3 inactivity, 4 midnight, 5 user_changed, 6 campaign, 7 website, 8 limit';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idpageview IS 'page view id that the client gave';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.custom_float IS 'value of an event';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_event_category IS 'event category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_event_action IS 'event action';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_name IS 'content name';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_piece IS 'content piece';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_target IS 'content target';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_content_interaction IS 'content interaction';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_sku IS 'SKU of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_name IS 'name of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat IS 'category of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat2 IS 'second category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat3 IS 'third category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat4 IS 'fourth category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.idaction_product_cat5 IS 'fifth category';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.product_price IS 'price of the product viewed';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.search_cat IS 'category of a site search';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.search_count IS 'number of a site search''s results';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_network IS 'page performance, milliseconds';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_server IS 'page performance, milliseconds';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_transfer IS 'page performance, milliseconds';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_dom_processing IS 'page performance, milliseconds';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_dom_completion IS 'page performance, milliseconds';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.time_on_load IS 'page performance, milliseconds';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.custom_dimensions IS 'custom dimensions of action scope; NULL unless used';
	COMMENT ON COLUMN pk_tracking.log_link_visit_action.custom_variables IS 'custom variables of page scope; NULL unless used';

	-- conversions ------------------------------------------------------------

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
		PRIMARY KEY (idvisit, idgoal, buster));
	CREATE UNIQUE INDEX log_conversion_idorder ON pk_tracking.log_conversion (idsite, idorder) WHERE idorder IS NOT NULL;
	CREATE INDEX log_conversion_time ON pk_tracking.log_conversion USING brin (server_time);
	COMMENT ON TABLE pk_tracking.log_conversion IS 'conversions of goals, orders and carts, with the visit''s attributes at that time';
	COMMENT ON COLUMN pk_tracking.log_conversion.idvisit IS 'visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.idlink_va IS 'action that converted';
	COMMENT ON COLUMN pk_tracking.log_conversion.idvisitor IS 'visitor id; NULL if anonymous';
	COMMENT ON COLUMN pk_tracking.log_conversion.server_time IS 'time of the hit';
	COMMENT ON COLUMN pk_tracking.log_conversion.idaction_url IS 'page URL';
	COMMENT ON COLUMN pk_tracking.log_conversion.buster IS 'tells conversions of one goal and visit apart; 0 if only one is allowed';
	COMMENT ON COLUMN pk_tracking.log_conversion.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_conversion.idgoal IS 'goal; 0 order, -1 cart';
	COMMENT ON COLUMN pk_tracking.log_conversion.items IS 'number of items';
	COMMENT ON COLUMN pk_tracking.log_conversion.pageviews_before IS 'page views of the visit before';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_count_visits IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_seconds_since_first IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_seconds_since_order IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.consent IS '0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_conversion.matched_by IS 'what the hit was recognised by, as in log_link_visit_action';
	COMMENT ON COLUMN pk_tracking.log_conversion.visitor_returning IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.referer_type IS 'attributed referrer: as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.config_client_type IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.config_device_type IS 'as in log_visit';
	COMMENT ON COLUMN pk_tracking.log_conversion.idorder IS 'order id; NULL for goals and for anonymous orders';
	COMMENT ON COLUMN pk_tracking.log_conversion.url IS 'page URL as sent';
	COMMENT ON COLUMN pk_tracking.log_conversion.revenue IS 'revenue';
	COMMENT ON COLUMN pk_tracking.log_conversion.revenue_subtotal IS 'sub total';
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
		PRIMARY KEY (idvisit, idorder, idaction_sku));
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
	COMMENT ON COLUMN pk_tracking.log_conversion_item.consent IS '0 not asked, 1 granted, 2 undecided (anonymous), 3 refused (anonymous)';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.deleted IS 'no longer in the cart or order';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.price IS 'price of one';
	COMMENT ON COLUMN pk_tracking.log_conversion_item.idorder IS 'order id, 0 for the cart, ## and a number for an anonymous order';

	-- what an anonymous row may hold ------------------------------------------
	--
	-- The conditions stand in functions of the row, because a CHECK is parsed
	-- again by every statement: as expressions they were a fifth of a hit's
	-- cost.  They are asked for rows without consent only.  Everything in them
	-- is qualified: to pin the search_path would cost more than the condition.
	-- The engine trusts that of a function whose body it finds here, word for
	-- word.

	CREATE FUNCTION pk_tracking.is_anonymous(v pk_tracking.log_visit) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	AS $$
	BEGIN
		RETURN (v.consent OPERATOR(pg_catalog.=) 2 OR v.consent OPERATOR(pg_catalog.=) 3)
			AND v.idvisitor IS NULL AND v.config_id IS NULL AND v.user_id IS NULL
			AND (v.location_ip IS NULL
				OR v.location_ip OPERATOR(pg_catalog.=) '0.0.0.0'::pg_catalog.inet
				OR v.location_ip OPERATOR(pg_catalog.=) '::'::pg_catalog.inet
				OR v.location_ip OPERATOR(pg_catalog.=) '::ffff:0.0.0.0'::pg_catalog.inet)
			AND v.location_latitude IS NULL AND v.location_longitude IS NULL
			AND v.location_asn IS NULL AND v.location_organisation IS NULL
			AND v.custom_dimensions IS NULL AND v.custom_variables IS NULL
			AND v.visitor_returning OPERATOR(pg_catalog.=) 0
			AND v.visitor_count_visits OPERATOR(pg_catalog.=) 1
			AND v.profilable OPERATOR(pg_catalog.=) 0
			AND coalesce(v.visitor_seconds_since_first, 0) OPERATOR(pg_catalog.=) 0
			AND coalesce(v.visitor_seconds_since_last, 0) OPERATOR(pg_catalog.=) 0
			AND coalesce(v.visitor_seconds_since_order, 0) OPERATOR(pg_catalog.=) 0;
	END
	$$;
	CREATE FUNCTION pk_tracking.is_anonymous(a pk_tracking.log_link_visit_action) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	AS $$
	BEGIN
		RETURN (a.consent OPERATOR(pg_catalog.=) 2 OR a.consent OPERATOR(pg_catalog.=) 3)
			AND a.idvisitor IS NULL
			AND a.custom_dimensions IS NULL AND a.custom_variables IS NULL;
	END
	$$;
	CREATE FUNCTION pk_tracking.is_anonymous(c pk_tracking.log_conversion) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	AS $$
	BEGIN
		RETURN (c.consent OPERATOR(pg_catalog.=) 2 OR c.consent OPERATOR(pg_catalog.=) 3)
			AND c.idvisitor IS NULL AND c.idorder IS NULL
			AND c.location_latitude IS NULL AND c.location_longitude IS NULL
			AND coalesce(c.visitor_returning, 0) OPERATOR(pg_catalog.=) 0
			AND coalesce(c.visitor_count_visits, 1) OPERATOR(pg_catalog.=) 1
			AND coalesce(c.visitor_seconds_since_first, 0) OPERATOR(pg_catalog.=) 0
			AND coalesce(c.visitor_seconds_since_order, 0) OPERATOR(pg_catalog.=) 0
			AND c.custom_dimensions IS NULL AND c.custom_variables IS NULL;
	END
	$$;
	CREATE FUNCTION pk_tracking.is_anonymous(i pk_tracking.log_conversion_item) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	AS $$
	BEGIN
		RETURN (i.consent OPERATOR(pg_catalog.=) 2 OR i.consent OPERATOR(pg_catalog.=) 3)
			AND i.idvisitor IS NULL
			AND (i.idorder OPERATOR(pg_catalog.=) '0'::pg_catalog.text
				OR i.idorder OPERATOR(pg_catalog.~) '^##[0-9]{1,10}$'::pg_catalog.text);
	END
	$$;
	FOR obj IN
		SELECT p.oid::regprocedure AS name, p.proargtypes[0]::regtype AS tab
		FROM pg_proc p
		WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname = 'is_anonymous'
	LOOP
		EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', obj.name);
		EXECUTE format('ALTER FUNCTION %s OWNER TO %I', obj.name, owner);
		EXECUTE format('COMMENT ON FUNCTION %s IS %L', obj.name,
			'what a row of a visitor without consent may hold: no id, no address, nothing of his own');
		EXECUTE format('ALTER TABLE %1$s ADD CONSTRAINT %2$s_anonymous CHECK ((consent >= 0 AND consent < 2) OR pk_tracking.is_anonymous(%2$s))',
			obj.tab, split_part(obj.tab::text, '.', 2));
	END LOOP;

	CREATE TABLE pk_tracking.log_version (
		version integer NOT NULL,
		created timestamptz NOT NULL DEFAULT now());
	INSERT INTO pk_tracking.log_version (version) VALUES (1);
	COMMENT ON TABLE pk_tracking.log_version IS 'shape of these tables; raised by pk_tracking.upgrade_log()';
	COMMENT ON COLUMN pk_tracking.log_version.version IS 'log version';
	COMMENT ON COLUMN pk_tracking.log_version.created IS 'when the tables got this shape';

	-- configuration is cached by every backend: changes must be seen at once --

	CREATE TRIGGER setting_check BEFORE INSERT OR UPDATE ON pk_tracking.setting
		FOR EACH ROW EXECUTE FUNCTION pk_tracking.setting_check();
	CREATE TRIGGER setting_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.setting
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER site_check BEFORE INSERT OR UPDATE ON pk_tracking.site
		FOR EACH ROW EXECUTE FUNCTION pk_tracking.site_check();
	CREATE TRIGGER site_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.site
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER referrer_list_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.referrer_list
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER token_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.token
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER custom_dimension_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.custom_dimension
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER referrer_spam_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.referrer_spam
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER goal_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.goal
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER log_action_changed AFTER DELETE OR TRUNCATE ON pk_tracking.log_action
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();
	CREATE TRIGGER log_visit_length_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pk_tracking.log_visit_length
		FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking.config_changed();

	-- also for a replica that is fed by logical replication
	ALTER TABLE pk_tracking.setting ENABLE ALWAYS TRIGGER setting_changed;
	ALTER TABLE pk_tracking.site ENABLE ALWAYS TRIGGER site_changed;
	ALTER TABLE pk_tracking.goal ENABLE ALWAYS TRIGGER goal_changed;
	ALTER TABLE pk_tracking.token ENABLE ALWAYS TRIGGER token_changed;
	ALTER TABLE pk_tracking.custom_dimension ENABLE ALWAYS TRIGGER custom_dimension_changed;
	ALTER TABLE pk_tracking.referrer_list ENABLE ALWAYS TRIGGER referrer_list_changed;
	ALTER TABLE pk_tracking.referrer_spam ENABLE ALWAYS TRIGGER referrer_spam_changed;
	ALTER TABLE pk_tracking.log_action ENABLE ALWAYS TRIGGER log_action_changed;
	ALTER TABLE pk_tracking.log_visit_length ENABLE ALWAYS TRIGGER log_visit_length_changed;

	-- readable views ---------------------------------------------------------

	CREATE VIEW pk_tracking.visit AS
		SELECT v.idvisit, v.idsite, s.name AS site, v.idvisitor, v.user_id,
			v.visit_first_action_time, v.visit_last_action_time, v.visit_total_time,
			v.visit_first_action_time AT TIME ZONE s.timezone AS local_time,
			v.visit_total_actions, v.visit_total_interactions,
			v.visit_total_searches, v.visit_total_events,
			pk_tracking.visitor_type_name(v.visitor_returning) AS visitor_type,
			v.visitor_count_visits,
			v.visitor_seconds_since_first, v.visitor_seconds_since_last, v.visitor_seconds_since_order,
			pk_tracking.consent_name(v.consent) AS consent,
			eu.name AS entry_url, en.name AS entry_title,
			xu.name AS exit_url, xn.name AS exit_title,
			pk_tracking.referrer_type_name(v.referer_type) AS referrer_type,
			v.referer_name, v.referer_keyword, v.referer_url,
			v.location_ip, v.location_country, v.location_region, v.location_city,
			v.location_browser_lang,
			v.config_os, v.config_os_version, v.config_browser_name, v.config_browser_version,
			v.config_device_brand, v.config_device_model, v.config_resolution,
			v.visit_goal_converted = 1 AS converted,
			v.visit_goal_buyer IN (1, 3) AS ordered,
			v.visit_goal_buyer IN (2, 3) AS open_cart,
			v.custom_dimensions, v.custom_variables
		FROM pk_tracking.log_visit v
			JOIN pk_tracking.site s USING (idsite)
			LEFT JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_entry_idaction_url LIMIT 1) eu ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_entry_idaction_name LIMIT 1) en ON true
			LEFT JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_exit_idaction_url LIMIT 1) xu ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = v.idsite AND a.idaction = v.visit_exit_idaction_name LIMIT 1) xn ON true;
	COMMENT ON VIEW pk_tracking.visit IS 'log_visit in words: names instead of action ids and codes';

	CREATE VIEW pk_tracking.action AS
		SELECT l.idlink_va, l.idvisit, l.idsite, l.idvisitor, l.server_time,
			CASE WHEN l.idaction_event_category IS NOT NULL THEN 'event'
				WHEN l.idaction_content_name IS NOT NULL THEN 'content'
				WHEN n.type = 8 THEN 'search'
				ELSE coalesce(pk_tracking.action_type_name(u.type), 'page') END AS kind,
			u.name AS url, CASE WHEN n.type = 4 THEN n.name END AS title, ur.name AS previous_url, nr.name AS previous_title,
			l.pageview_position, l.time_spent_ref_action, l.time_spent,
			pk_tracking.consent_name(l.consent) AS consent,
			pk_tracking.matched_by_name(l.matched_by) AS matched_by,
			pk_tracking.decision_name(l.decision) AS decision,
			l.idpageview,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_event_category LIMIT 1) AS event_category,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_event_action LIMIT 1) AS event_action,
			CASE WHEN n.type = 12 THEN n.name END AS event_name,
			l.custom_float AS event_value,
			CASE WHEN n.type = 8 THEN n.name END AS search_keyword,
			l.search_cat AS search_category, l.search_count,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_name LIMIT 1) AS content_name,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_piece LIMIT 1) AS content_piece,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_target LIMIT 1) AS content_target,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_content_interaction LIMIT 1) AS content_interaction,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_sku LIMIT 1) AS product_sku,
			(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_name LIMIT 1) AS product_name,
			nullif(array_remove(ARRAY[
				(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat2 LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat3 LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat4 LIMIT 1),
				(SELECT a.name FROM pk_tracking.log_action a WHERE a.idsite = l.idsite AND a.idaction = l.idaction_product_cat5 LIMIT 1)], NULL), '{}') AS product_categories,
			l.product_price,
			l.time_network, l.time_server, l.time_transfer,
			l.time_dom_processing, l.time_dom_completion, l.time_on_load,
			l.custom_dimensions, l.custom_variables
		FROM pk_tracking.log_link_visit_action l
			LEFT JOIN LATERAL (SELECT a.type, pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_url LIMIT 1) u ON true
			LEFT JOIN LATERAL (SELECT a.type, a.name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_name LIMIT 1) n ON true
			LEFT JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_url_ref LIMIT 1) ur ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = l.idsite AND a.idaction = l.idaction_name_ref LIMIT 1) nr ON true;
	COMMENT ON VIEW pk_tracking.action IS 'log_link_visit_action in words: names instead of action ids and codes';

	CREATE VIEW pk_tracking.excluded AS
		SELECT e.idsite, e.day, e.reason, sum(e.hits)::bigint AS hits
		FROM pk_tracking.log_excluded e
		GROUP BY e.idsite, e.day, e.reason;
	COMMENT ON VIEW pk_tracking.excluded IS 'how many hits were not recorded, by site, local day and reason';

	-- raw tables -------------------------------------------------------------

	CREATE SEQUENCE pk_tracking.ingest_run_idrun_seq;
	CREATE TABLE pk_tracking.ingest_run (
		idrun bigint NOT NULL DEFAULT nextval('pk_tracking.ingest_run_idrun_seq') PRIMARY KEY,
		way text NOT NULL,
		raw_table text NOT NULL,
		started timestamptz NOT NULL,
		finished timestamptz,
		hits bigint NOT NULL DEFAULT 0,
		recorded bigint NOT NULL DEFAULT 0,
		rejected bigint NOT NULL DEFAULT 0,
		visits_new bigint NOT NULL DEFAULT 0,
		visits_continued bigint NOT NULL DEFAULT 0,
		excluded jsonb NOT NULL DEFAULT '{}',
		ignored jsonb NOT NULL DEFAULT '{}');
	ALTER SEQUENCE pk_tracking.ingest_run_idrun_seq OWNED BY pk_tracking.ingest_run.idrun;
	COMMENT ON TABLE pk_tracking.ingest_run IS 'loads from raw tables, and what became of their hits; of hits without consent nothing, not even their number';
	COMMENT ON COLUMN pk_tracking.ingest_run.idrun IS 'number of the run';
	COMMENT ON COLUMN pk_tracking.ingest_run.way IS 'trigger (a statement of more than one row, or with rejected ones), ingest or replay';
	COMMENT ON COLUMN pk_tracking.ingest_run.raw_table IS 'raw table, as it was named then';
	COMMENT ON COLUMN pk_tracking.ingest_run.started IS 'when it began';
	COMMENT ON COLUMN pk_tracking.ingest_run.finished IS 'when it was done; NULL: it goes on, or was broken off';
	COMMENT ON COLUMN pk_tracking.ingest_run.hits IS 'hits so far: the sum of recorded, excluded, ignored and rejected';
	COMMENT ON COLUMN pk_tracking.ingest_run.recorded IS 'hits that are in the log';
	COMMENT ON COLUMN pk_tracking.ingest_run.rejected IS 'hits that were wrong: a row of rejected_hit for each';
	COMMENT ON COLUMN pk_tracking.ingest_run.visits_new IS 'recorded hits that began a visit';
	COMMENT ON COLUMN pk_tracking.ingest_run.visits_continued IS 'recorded hits that continued one';
	COMMENT ON COLUMN pk_tracking.ingest_run.excluded IS 'hits that were excluded, by reason';
	COMMENT ON COLUMN pk_tracking.ingest_run.ignored IS 'hits that needed no row, by reason';

	CREATE TABLE pk_tracking.rejected_hit (
		idrun bigint NOT NULL REFERENCES pk_tracking.ingest_run ON DELETE CASCADE,
		position bigint NOT NULL,
		raw_table text NOT NULL,
		row_key text,
		parameter text NOT NULL,
		reason text NOT NULL);
	CREATE INDEX rejected_hit_run ON pk_tracking.rejected_hit (idrun, position);
	COMMENT ON TABLE pk_tracking.rejected_hit IS 'rows of raw tables that were wrong: where they stand and why, and nothing of them';
	COMMENT ON COLUMN pk_tracking.rejected_hit.idrun IS 'run';
	COMMENT ON COLUMN pk_tracking.rejected_hit.position IS 'how-manieth row of the run, from 1';
	COMMENT ON COLUMN pk_tracking.rejected_hit.raw_table IS 'raw table, as it was named then';
	COMMENT ON COLUMN pk_tracking.rejected_hit.row_key IS 'primary key of the row, if that is one number or UUID';
	COMMENT ON COLUMN pk_tracking.rejected_hit.parameter IS 'parameter that was wrong, by its name in the tracking API';
	COMMENT ON COLUMN pk_tracking.rejected_hit.reason IS 'invalid_value, unknown_site, unreadable or duplicate_order';

	CREATE TABLE pk_tracking.ingest_position (
		raw_table text NOT NULL PRIMARY KEY,
		relation oid NOT NULL,
		storage oid NOT NULL,
		system_identifier bigint NOT NULL,
		done_before xid8 NOT NULL,
		until_before xid8,
		last_key text,
		idrun bigint,
		changed timestamptz NOT NULL DEFAULT now());
	COMMENT ON TABLE pk_tracking.ingest_position IS 'how far ingest() has come in raw tables';
	COMMENT ON COLUMN pk_tracking.ingest_position.raw_table IS 'raw table';
	COMMENT ON COLUMN pk_tracking.ingest_position.relation IS 'its oid';
	COMMENT ON COLUMN pk_tracking.ingest_position.storage IS 'its file: another one was written anew, and transactions tell nothing any more';
	COMMENT ON COLUMN pk_tracking.ingest_position.system_identifier IS 'the server whose transactions these are';
	COMMENT ON COLUMN pk_tracking.ingest_position.done_before IS 'rows of transactions before this one have been taken, all of them';
	COMMENT ON COLUMN pk_tracking.ingest_position.until_before IS 'rows of transactions from there to before this one are being taken, by key; NULL: none';
	COMMENT ON COLUMN pk_tracking.ingest_position.last_key IS 'key of the last one of them; NULL: none yet';
	COMMENT ON COLUMN pk_tracking.ingest_position.idrun IS 'run that is at it';
	COMMENT ON COLUMN pk_tracking.ingest_position.changed IS 'when it came there';

	-- whose all this is ------------------------------------------------------

	FOR obj IN
		SELECT c.relkind, c.oid::regclass AS name
		FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace
			AND c.relname IN ('site', 'setting', 'goal', 'custom_dimension', 'token', 'referrer_list', 'referrer_spam', 'log_excluded', 'excluded', 'ingest_run', 'rejected_hit', 'ingest_position', 'log_visit', 'log_visit_length', 'log_action',
				'log_link_visit_action', 'log_conversion', 'log_conversion_item', 'log_version',
				'visit', 'action')
			AND NOT EXISTS (SELECT FROM pg_depend d
				WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
	LOOP
		EXECUTE format('ALTER %s %s OWNER TO %I',
			CASE obj.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, obj.name, owner);
	END LOOP;
	PERFORM pk_tracking.grant_owner(owner);
END
$create_log$;
COMMENT ON FUNCTION pk_tracking.create_log(name) IS 'makes the tables and views of the log, owned by a role (default: the caller)';
REVOKE ALL ON FUNCTION pk_tracking.create_log(name) FROM PUBLIC;

CREATE FUNCTION pk_tracking.upgrade_log() RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	v integer;
BEGIN
	IF to_regclass('pk_tracking.log_version') IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_table',
			MESSAGE = 'the tracking log does not exist',
			HINT = 'Create it with pk_tracking.create_log().';
	END IF;
	SELECT max(l.version) INTO v FROM pk_tracking.log_version l;
	IF v > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'feature_not_supported',
			MESSAGE = format('the log has version %s, this extension knows version 1', v),
			HINT = 'Update the extension.';
	END IF;
	-- version 1 is the first one: nothing to migrate
	RETURN v;
END
$$;
COMMENT ON FUNCTION pk_tracking.upgrade_log() IS 'brings an older log up to date; returns the log version';
REVOKE ALL ON FUNCTION pk_tracking.upgrade_log() FROM PUBLIC;

-- sums of excluded hits -----------------------------------------------------

-- Takes what nobody is at, puts its sum back.  Rows in use are passed over, so
-- that nobody waits and two of these at a time cannot count a row twice.
CREATE FUNCTION pk_tracking.compact_excluded() RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
	removed bigint;
	result bigint := 0;
BEGIN
	FOR r IN
		SELECT e.idsite, e.day, e.reason FROM pk_tracking.log_excluded e
		GROUP BY e.idsite, e.day, e.reason HAVING count(*) > 1
	LOOP
		WITH free AS MATERIALIZED (
			SELECT e.ctid AS tid FROM pk_tracking.log_excluded e
			WHERE e.idsite = r.idsite AND e.day = r.day AND e.reason = r.reason
			FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM pk_tracking.log_excluded e
			WHERE e.ctid = ANY (ARRAY(SELECT f.tid FROM free f))
			RETURNING e.hits
		), put AS (
			INSERT INTO pk_tracking.log_excluded (idsite, day, reason, hits)
			SELECT r.idsite, r.day, r.reason, sum(g.hits) FROM gone g HAVING count(*) > 0
			RETURNING 1
		)
		SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM put) INTO removed;
		result := result + removed;
	END LOOP;
	RETURN result;
END
$$;
COMMENT ON FUNCTION pk_tracking.compact_excluded() IS 'adds up the rows of log_excluded that belong together; returns by how many they are fewer';
REVOKE ALL ON FUNCTION pk_tracking.compact_excluded() FROM PUBLIC;

-- words for codes -----------------------------------------------------------

CREATE FUNCTION pk_tracking.matched_by_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_matched_by_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.matched_by_name(smallint) IS 'word for log_link_visit_action.matched_by';
REVOKE ALL ON FUNCTION pk_tracking.matched_by_name(smallint) FROM PUBLIC;

CREATE FUNCTION pk_tracking.decision_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_decision_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.decision_name(smallint) IS 'word for log_link_visit_action.decision';
REVOKE ALL ON FUNCTION pk_tracking.decision_name(smallint) FROM PUBLIC;

CREATE FUNCTION pk_tracking.consent_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_consent_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.consent_name(smallint) IS 'word for the consent columns';
REVOKE ALL ON FUNCTION pk_tracking.consent_name(smallint) FROM PUBLIC;

CREATE FUNCTION pk_tracking.visitor_type_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_visitor_type_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.visitor_type_name(smallint) IS 'word for log_visit.visitor_returning';
REVOKE ALL ON FUNCTION pk_tracking.visitor_type_name(smallint) FROM PUBLIC;

CREATE FUNCTION pk_tracking.referrer_type_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_referrer_type_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.referrer_type_name(smallint) IS 'word for log_visit.referer_type';
REVOKE ALL ON FUNCTION pk_tracking.referrer_type_name(smallint) FROM PUBLIC;

CREATE FUNCTION pk_tracking.action_type_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_action_type_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.action_type_name(smallint) IS 'word for log_action.type';
REVOKE ALL ON FUNCTION pk_tracking.action_type_name(smallint) FROM PUBLIC;

CREATE FUNCTION pk_tracking.url_prefix_text(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_url_prefix_text' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.url_prefix_text(smallint) IS 'what log_action.url_prefix stands for; empty for NULL';
REVOKE ALL ON FUNCTION pk_tracking.url_prefix_text(smallint) FROM PUBLIC;

