-- The list of secrets that exist or were destroyed (identity/secret_table.c).

CREATE TABLE pk_tracking.secret_destroyed (
	kind text NOT NULL,
	idsite integer,
	period text,
	created timestamptz,
	expires timestamptz,
	destroyed timestamptz NOT NULL
);
-- as pk_tracking_internal.identify_by_row() does
ALTER TABLE pk_tracking.secret_destroyed REPLICA IDENTITY FULL;
REVOKE ALL ON TABLE pk_tracking.secret_destroyed FROM PUBLIC;
COMMENT ON TABLE pk_tracking.secret_destroyed IS
	'list of the secrets that were destroyed in the last 30 days; contains no secret';
COMMENT ON COLUMN pk_tracking.secret_destroyed.kind IS
	'"daily salt" or "link key" (destroyed together with the session links of its hour)';
COMMENT ON COLUMN pk_tracking.secret_destroyed.idsite IS
	'site; NULL if the secret served all sites';
COMMENT ON COLUMN pk_tracking.secret_destroyed.period IS 'the site''s local day, or the hour (UTC)';
COMMENT ON COLUMN pk_tracking.secret_destroyed.created IS 'time of creation';
COMMENT ON COLUMN pk_tracking.secret_destroyed.expires IS 'time from which it was no longer used';
COMMENT ON COLUMN pk_tracking.secret_destroyed.destroyed IS 'time at which its table was emptied';

CREATE FUNCTION pk_tracking_internal.secret_list()
RETURNS TABLE (kind text, idsite integer, period text, created timestamptz, expires timestamptz,
	destroyed timestamptz)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
BEGIN
	RETURN QUERY SELECT CASE s.name
			WHEN 'fingerprint' THEN 'instance salt'
			WHEN 'user_id' THEN 'user id salt'
			ELSE s.name || ' salt'
		END, NULL::integer, NULL::text, s.created, NULL::timestamptz, NULL::timestamptz
		FROM pk_tracking.salt s;
	RETURN QUERY SELECT d.kind, d.idsite, d.period, d.created, d.expires, d.destroyed
		FROM pk_tracking.secret_destroyed d;

	-- unlogged tables cannot be read on a standby, and are empty there
	IF pg_is_in_recovery() THEN
		RETURN;
	END IF;
	FOR r IN
		SELECT c.oid::regclass AS name, c.relname LIKE 'link%' AS link
		FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
			AND c.relname ~ '^((daily|late)_salt|link_key)_[0-9]+$'
	LOOP
		RETURN QUERY EXECUTE format(
			'SELECT %L, %s, t.created, t.expires, NULL::timestamptz FROM %s t',
			CASE WHEN r.link THEN 'link key' ELSE 'daily salt' END,
			CASE WHEN r.link
				THEN $q$NULL::integer, to_char(t.period AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')$q$
				ELSE $q$t.idsite, to_char(t.day::timestamp, 'YYYY-MM-DD')$q$ END,
			r.name);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.secret_list IS 'the rows of the view secrets';

CREATE VIEW pk_tracking.secrets AS
	SELECT l.kind, l.idsite, l.period, l.created, l.expires, l.destroyed
	FROM pk_tracking_internal.secret_list() AS l;
COMMENT ON VIEW pk_tracking.secrets IS
	'the salts and link keys that exist (destroyed is NULL) or were destroyed in the last 30 days, without the secrets themselves';
COMMENT ON COLUMN pk_tracking.secrets.kind IS
	'instance salt, user id salt, lock salt, daily salt or link key';
COMMENT ON COLUMN pk_tracking.secrets.idsite IS 'site; NULL if the secret serves all sites';
COMMENT ON COLUMN pk_tracking.secrets.period IS
	'the site''s local day, or the hour (UTC); NULL if the secret has no period';
COMMENT ON COLUMN pk_tracking.secrets.created IS 'time of creation';
COMMENT ON COLUMN pk_tracking.secrets.expires IS
	'time after which it is no longer used; NULL: never';
COMMENT ON COLUMN pk_tracking.secrets.destroyed IS 'time of its destruction; NULL: it exists';
