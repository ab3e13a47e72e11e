
-- ---------------------------------------------------------------------------
-- settings/site: sites
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.site_check() RETURNS trigger
	AS 'MODULE_PATHNAME', 'pkt_site_check' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking_internal.site_check IS
	'trigger of the table site: refuses invalid names and unknown time zones';

CREATE FUNCTION pk_tracking_internal.make_site() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE SEQUENCE pk_tracking.site_idsite_seq AS integer;
	CREATE TABLE pk_tracking.site (
		idsite integer NOT NULL DEFAULT nextval('pk_tracking.site_idsite_seq') PRIMARY KEY,
		name text NOT NULL,
		urls text[] NOT NULL DEFAULT '{}',
		timezone text NOT NULL DEFAULT 'UTC',
		currency text NOT NULL DEFAULT 'USD',
		ecommerce boolean NOT NULL DEFAULT true,
		created timestamptz NOT NULL DEFAULT now());
	ALTER SEQUENCE pk_tracking.site_idsite_seq OWNED BY pk_tracking.site.idsite;
	COMMENT ON TABLE pk_tracking.site IS
		'tracked websites and apps; add one with pk_tracking.add_site()';
	COMMENT ON COLUMN pk_tracking.site.idsite IS 'number of the site: idsite in the tracking API';
	COMMENT ON COLUMN pk_tracking.site.name IS 'display name';
	COMMENT ON COLUMN pk_tracking.site.urls IS 'URLs of the site: the main URL first, then aliases';
	COMMENT ON COLUMN pk_tracking.site.timezone IS 'time zone of its days';
	COMMENT ON COLUMN pk_tracking.site.currency IS 'currency of its revenue, an ISO 4217 code';
	COMMENT ON COLUMN pk_tracking.site.ecommerce IS 'true if it records orders and carts';
	COMMENT ON COLUMN pk_tracking.site.created IS 'time of creation';
	CREATE TRIGGER site_check BEFORE INSERT OR UPDATE ON pk_tracking.site
		FOR EACH ROW EXECUTE FUNCTION pk_tracking_internal.site_check();
	PERFORM pk_tracking_internal.watch('site');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_site IS 'creates the table pk_tracking.site';

/*
 * lock: the site's row is locked to the end of the transaction, so that goals
 * and dimensions of one site are numbered one after the other.  Tracking takes
 * FOR KEY SHARE only, which this lock lets pass.
 */
CREATE FUNCTION pk_tracking_internal.need_site(idsite integer, lock boolean DEFAULT false)
	RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF lock THEN
		PERFORM FROM pk_tracking.site s WHERE s.idsite = need_site.idsite FOR NO KEY UPDATE;
	ELSE
		PERFORM FROM pk_tracking.site s WHERE s.idsite = need_site.idsite;
	END IF;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('site %s does not exist', coalesce(idsite::text, 'NULL')),
			HINT = 'Add sites with pk_tracking.add_site().';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.need_site IS 'raises an error if the site does not exist';

CREATE FUNCTION pk_tracking.add_site(
	name text, urls text[] DEFAULT '{}', timezone text DEFAULT 'UTC',
	currency text DEFAULT 'USD', ecommerce boolean DEFAULT true,
	profile text DEFAULT NULL) RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	new_id integer;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	INSERT INTO pk_tracking.site AS s (name, urls, timezone, currency, ecommerce)
		VALUES (add_site.name, add_site.urls, add_site.timezone, add_site.currency,
			add_site.ecommerce)
		RETURNING s.idsite INTO new_id;
	IF add_site.profile IS NOT NULL THEN
		PERFORM pk_tracking.apply_recognition_profile(new_id, add_site.profile);
	END IF;
	RETURN new_id;
END
$$;
COMMENT ON FUNCTION pk_tracking.add_site IS 'adds a site, with a recognition profile if one is named; returns its number';
