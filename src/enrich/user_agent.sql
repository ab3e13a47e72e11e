-- ---------------------------------------------------------------------------
-- enrich/user_agent: systems, browsers and devices (enrich/user_agent.c)
-- ---------------------------------------------------------------------------

CREATE TYPE pk_tracking.device AS (
	os_family text,
	os_version text,
	browser_family text,
	browser_version text,
	browser_engine text,
	client_type smallint,
	device_type smallint,
	brand text,
	model text,
	is_bot boolean,
	config_os text,
	config_browser_name text,
	config_device_brand text);
COMMENT ON TYPE pk_tracking.device IS
	'operating system, browser and device that a user agent tells of';
COMMENT ON COLUMN pk_tracking.device.os_family IS 'operating system';
COMMENT ON COLUMN pk_tracking.device.os_version IS 'its version, major.minor';
COMMENT ON COLUMN pk_tracking.device.browser_family IS
	'name of the browser, of another program or of a bot';
COMMENT ON COLUMN pk_tracking.device.browser_version IS 'its version, major.minor';
COMMENT ON COLUMN pk_tracking.device.browser_engine IS 'the browser''s engine';
COMMENT ON COLUMN pk_tracking.device.client_type IS
	'1 browser, 2 library, 3 feed reader, 4 media player, 5 mobile app, 6 mail and calendar';
COMMENT ON COLUMN pk_tracking.device.device_type IS
	'0 desktop, 1 smartphone, 2 tablet, 3 feature phone, 4 console, 5 TV, 6 car browser, 7 smart display, 8 camera, 9 portable media player, 10 phablet, 11 smart speaker, 12 wearable, 13 peripheral';
COMMENT ON COLUMN pk_tracking.device.brand IS 'manufacturer of the device';
COMMENT ON COLUMN pk_tracking.device.model IS
	'the manufacturer''s name of the device, or "generic desktop"';
COMMENT ON COLUMN pk_tracking.device.is_bot IS 'true for a crawler or another robot';
COMMENT ON COLUMN pk_tracking.device.config_os IS
	'Matomo''s code of the operating system; BOT for a bot, UNK if it has no code';
COMMENT ON COLUMN pk_tracking.device.config_browser_name IS
	'Matomo''s code of a browser, or the name of another program; UNK if it is unknown';
COMMENT ON COLUMN pk_tracking.device.config_device_brand IS 'Matomo''s code of the brand';

CREATE FUNCTION pk_tracking.user_agent(ua text, hints jsonb DEFAULT NULL)
RETURNS pk_tracking.device
AS 'MODULE_PATHNAME', 'pkt_user_agent'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION pk_tracking.user_agent IS
	'operating system, browser and device of a user agent; hints: the values of navigator.userAgentData, or the request headers by lower-case name';

CREATE FUNCTION pk_tracking_internal.user_agent_in_rule_order(ua text, hints jsonb DEFAULT NULL)
RETURNS pk_tracking.device
AS 'MODULE_PATHNAME', 'pkt_user_agent_in_rule_order'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION pk_tracking_internal.user_agent_in_rule_order IS
	'user_agent() without prefilter and cache, to verify that it returns the same';

CREATE FUNCTION pk_tracking.user_agent_rules(
	compile_all boolean DEFAULT false,
	OUT file text,
	OUT rules integer,
	OUT compiled integer,
	OUT without_literal integer,
	OUT memory bigint,
	OUT error text,
	OUT modified timestamptz)
AS 'MODULE_PATHNAME', 'pkt_user_agent_rules' LANGUAGE C VOLATILE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.user_agent_rules IS
	'the user agent rules that this session uses: file, number of rules, number compiled so far, number tried for every user agent, bytes of memory, error if they cannot be used, and the time of the file; compile_all compiles every rule';
