
-- ---------------------------------------------------------------------------
-- track/parts: single steps of tracking, with the settings of a site
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.normalise_url(idsite integer, url text) RETURNS text
AS 'MODULE_PATHNAME', 'pkt_normalise_url'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 100;
COMMENT ON FUNCTION pk_tracking.normalise_url IS
	'a page''s URL as it is stored for this site; NULL if the text is no URL; for the owner of the log';

CREATE FUNCTION pk_tracking.referrer(
	idsite integer,
	url text,
	urlref text DEFAULT NULL,
	params jsonb DEFAULT NULL,
	visit pk_tracking.referrer_info DEFAULT NULL)
RETURNS pk_tracking.referrer_info
AS 'MODULE_PATHNAME', 'pkt_referrer'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.referrer IS
	'the referrer of a hit on this page with this referrer URL; params: tracking parameters; visit: the referrer of the visit that the hit continues; for the owner of the log';
