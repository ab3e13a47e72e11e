
-- ---------------------------------------------------------------------------
-- Referrers (enrich/referrer.c).  The function referrer(), which uses a site's
-- settings, is in track/parts.sql.
-- ---------------------------------------------------------------------------

CREATE TYPE pk_tracking.referrer_info AS (
	type smallint,
	name text,
	keyword text,
	url text
);
COMMENT ON TYPE pk_tracking.referrer_info IS
	'the referrer of a visit or hit';
COMMENT ON COLUMN pk_tracking.referrer_info.type IS
	'1 direct, 2 search engine, 3 website, 6 campaign, 7 social network, 8 AI assistant';
COMMENT ON COLUMN pk_tracking.referrer_info.name IS
	'name of the search engine, website, social network, AI assistant or campaign';
COMMENT ON COLUMN pk_tracking.referrer_info.keyword IS 'keyword of a search or campaign';
COMMENT ON COLUMN pk_tracking.referrer_info.url IS 'referrer URL, normalised';

CREATE FUNCTION pk_tracking.referrer_changed(visit pk_tracking.referrer_info,
	hit pk_tracking.referrer_info) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_referrer_changed';
COMMENT ON FUNCTION pk_tracking.referrer_changed IS
	'true if type, name or keyword of the hit''s referrer differ from the visit''s, ignoring case';

CREATE FUNCTION pk_tracking_internal.make_referrer_list() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.referrer_list (
		kind text NOT NULL CHECK (kind IN ('search', 'social', 'ai')),
		name text NOT NULL,
		host text NOT NULL,
		parameters text[] NOT NULL DEFAULT '{}',
		PRIMARY KEY (kind, host));
	COMMENT ON TABLE pk_tracking.referrer_list IS
		'your own search engines, social networks and AI assistants; they take precedence over the built-in lists';
	COMMENT ON COLUMN pk_tracking.referrer_list.kind IS 'search, social or ai';
	COMMENT ON COLUMN pk_tracking.referrer_list.name IS 'name to be stored in referer_name';
	COMMENT ON COLUMN pk_tracking.referrer_list.host IS
		'host, optionally with the beginning of a path; for a social network or an AI assistant all its subdomains too';
	COMMENT ON COLUMN pk_tracking.referrer_list.parameters IS
		'query parameters that hold the keyword of a search; if empty, every page of the host counts as a search without keyword';
	PERFORM pk_tracking_internal.watch('referrer_list');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_referrer_list IS
	'creates the table pk_tracking.referrer_list';
