
-- ---------------------------------------------------------------------------
-- report/names: names of the codes of systems, browsers and devices
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.browser_name(code text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_browser_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.browser_name IS
	'name of a browser code in log_visit.config_browser_name; a name without a code is returned as it is';

CREATE FUNCTION pk_tracking.os_name(code text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_os_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.os_name IS 'name of a code in log_visit.config_os';

CREATE FUNCTION pk_tracking.os_family(code text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_os_family' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.os_family IS
	'family of a code in log_visit.config_os: GNU/Linux for Ubuntu, iOS for iPadOS';

CREATE FUNCTION pk_tracking.device_type_name(code smallint) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_device_type_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.device_type_name IS
	'name of a code in log_visit.config_device_type';

CREATE FUNCTION pk_tracking.device_brand_name(code text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_device_brand_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.device_brand_name IS
	'name of a code in log_visit.config_device_brand';
