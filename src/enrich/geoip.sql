-- Locations of IP addresses (enrich/geoip.c)

CREATE TYPE pk_tracking.location AS (
	continent text,
	country text,
	region text,
	city text,
	latitude numeric(9,6),
	longitude numeric(9,6),
	asn bigint,
	organisation text
);
COMMENT ON TYPE pk_tracking.location IS 'location of an IP address; unknown parts are NULL';
COMMENT ON COLUMN pk_tracking.location.continent IS
	'continent code, lower case: af, an, as, eu, na, oc, sa';
COMMENT ON COLUMN pk_tracking.location.country IS 'ISO 3166-1 code, lower case';
COMMENT ON COLUMN pk_tracking.location.region IS
	'code of the region within the country, or its name if it has no code';
COMMENT ON COLUMN pk_tracking.location.city IS 'English name of the city';
COMMENT ON COLUMN pk_tracking.location.latitude IS 'degrees north';
COMMENT ON COLUMN pk_tracking.location.longitude IS 'degrees east';
COMMENT ON COLUMN pk_tracking.location.asn IS 'number of the autonomous system';
COMMENT ON COLUMN pk_tracking.location.organisation IS 'organisation of the network';

CREATE FUNCTION pk_tracking.geoip(ip inet) RETURNS pk_tracking.location
	LANGUAGE C STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_geoip';
COMMENT ON FUNCTION pk_tracking.geoip IS
	'location of an IP address according to the GeoIP files; NULL if it is unknown';

CREATE FUNCTION pk_tracking.geoip_files()
RETURNS TABLE (file text, kind text, type text, built timestamptz, age interval, error text)
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED
	ROWS 2
	AS 'MODULE_PATHNAME', 'pkt_geoip_files';
COMMENT ON FUNCTION pk_tracking.geoip_files IS
	'the GeoIP files that this session uses: type, build time, age, and error if one cannot be used';
