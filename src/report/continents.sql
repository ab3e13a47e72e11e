
-- ---------------------------------------------------------------------------
-- report/continents: the continents of countries
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.continent_code(country text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_continent_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.continent_code IS
	'code of the continent of a country code: afr, amc, amn, ams, ant, asi, eur or oce';

CREATE FUNCTION pk_tracking.continent_name(code text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_continent_name' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.continent_name IS 'name of a continent''s code';
