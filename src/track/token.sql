
-- track/token: authentication for the tracking parameters that need it

CREATE FUNCTION pk_tracking_internal.make_token() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- a plain hash is safe, because a token is random
	CREATE TABLE pk_tracking.token (
		token_hash bytea NOT NULL PRIMARY KEY CHECK (octet_length(token_hash) = 32),
		idsite integer REFERENCES pk_tracking.site ON DELETE CASCADE,
		name text,
		created timestamptz NOT NULL DEFAULT now(),
		expires timestamptz);
	PERFORM pk_tracking_internal.keep_out_of_statistics('token');
	COMMENT ON TABLE pk_tracking.token IS
		'tokens for the tracking parameters that need authentication; pk_tracking.create_token() creates them';
	COMMENT ON COLUMN pk_tracking.token.token_hash IS 'SHA-256 of the token, which is not stored';
	COMMENT ON COLUMN pk_tracking.token.idsite IS 'site, or NULL for all sites';
	COMMENT ON COLUMN pk_tracking.token.name IS 'display name';
	COMMENT ON COLUMN pk_tracking.token.created IS 'time of creation';
	COMMENT ON COLUMN pk_tracking.token.expires IS 'time at which it expires; NULL: never';
	PERFORM pk_tracking_internal.watch('token');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_token IS 'creates the table pk_tracking.token';

CREATE FUNCTION pk_tracking.create_token(
	idsite integer DEFAULT NULL,
	name text DEFAULT NULL,
	expires timestamptz DEFAULT NULL)
RETURNS text
AS 'MODULE_PATHNAME', 'pkt_create_token' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION pk_tracking.create_token IS
	'creates a token for token_auth of one site, or of all sites (NULL), and returns it; only its hash is stored';

CREATE FUNCTION pk_tracking.drop_token(name text DEFAULT NULL, hash text DEFAULT NULL)
	RETURNS integer
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	dropped integer;
BEGIN
	PERFORM pk_tracking_internal.need_log();
	IF (drop_token.name IS NULL) = (drop_token.hash IS NULL) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'either name or hash must be given';
	END IF;
	IF drop_token.hash !~ '^[0-9A-Fa-f]{8,64}$' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'hash must consist of 8 to 64 hexadecimal digits';
	END IF;
	DELETE FROM pk_tracking.token AS t
		WHERE t.name = drop_token.name
			OR starts_with(encode(t.token_hash, 'hex'), lower(drop_token.hash));
	GET DIAGNOSTICS dropped = ROW_COUNT;
	RETURN dropped;
END
$$;
COMMENT ON FUNCTION pk_tracking.drop_token IS
	'deletes the tokens with this name, or whose hash (token_hash in hex) begins with these digits; returns their number';
