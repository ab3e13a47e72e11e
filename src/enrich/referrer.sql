
-- ---------------------------------------------------------------------------
-- Referrers (enrich/referrer.c).  referrer() itself, which knows sites and
-- their settings, is in track/.
-- ---------------------------------------------------------------------------

CREATE TYPE pk_tracking.referrer_info AS (
	type smallint,
	name text,
	keyword text,
	url text
);
COMMENT ON TYPE pk_tracking.referrer_info IS
	'where a visit came from; type: 1 direct, 2 search engine, 3 website, 6 campaign, 7 social network';

CREATE FUNCTION pk_tracking.referrer_changed(visit pk_tracking.referrer_info, hit pk_tracking.referrer_info) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_referrer_changed';
REVOKE ALL ON FUNCTION pk_tracking.referrer_changed(pk_tracking.referrer_info, pk_tracking.referrer_info) FROM PUBLIC;
COMMENT ON FUNCTION pk_tracking.referrer_changed(pk_tracking.referrer_info, pk_tracking.referrer_info) IS
	'do type, name or keyword of the hit''s referrer differ from the visit''s, but for case?';
