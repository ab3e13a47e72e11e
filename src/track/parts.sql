
-- ---------------------------------------------------------------------------
-- track/parts: parts of the engine alone, with a site's settings
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.normalise_url(idsite integer, url text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_normalise_url' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION pk_tracking.normalise_url(integer, text)
	IS 'the form of a page''s address that is kept on this site; NULL if it is no URL. For the log''s owner';

CREATE FUNCTION pk_tracking.referrer(
	idsite integer,
	url text,
	urlref text DEFAULT NULL,
	params jsonb DEFAULT NULL,
	visit pk_tracking.referrer_info DEFAULT NULL)
RETURNS pk_tracking.referrer_info
AS 'MODULE_PATHNAME', 'pkt_referrer' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.referrer(integer, text, text, jsonb, pk_tracking.referrer_info)
	IS 'where a hit on this page with this referrer comes from; params: tracking parameters, visit: what the visit that goes on has. For the log''s owner';
