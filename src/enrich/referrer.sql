
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
COMMENT ON FUNCTION pk_tracking.referrer_changed(pk_tracking.referrer_info, pk_tracking.referrer_info) IS
	'do type, name or keyword of the hit''s referrer differ from the visit''s, but for case?';

CREATE FUNCTION pk_tracking_internal.make_referrer_list() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
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
	PERFORM pk_tracking_internal.watch('referrer_list');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_referrer_list() IS 'creates the table pk_tracking.referrer_list';
