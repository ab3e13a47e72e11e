
-- ---------------------------------------------------------------------------
-- report/place_names: names of countries and languages
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.country_name(code text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_country_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.country_name IS
	'English name of a country code; NULL for an unknown one';

CREATE FUNCTION pk_tracking.language_name(code text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_language_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.language_name IS
	'English name of a language code, with its country if the code has one; NULL for an unknown language';
