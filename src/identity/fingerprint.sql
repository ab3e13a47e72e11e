-- Fingerprints, and the visitor ids that user ids stand for
-- (identity/fingerprint.c, enrich/language.c).  The function fingerprint(), which
-- uses a site's settings and salts, is in track/track.sql.

CREATE FUNCTION pk_tracking.fingerprint_with_salt(
	salt bytea,
	os text,
	browser text,
	browser_version text,
	user_agent text,
	plugins integer[],
	ip inet,
	language text,
	idsite integer)
RETURNS @extschema@.hexid
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_fingerprint_with_salt';
COMMENT ON FUNCTION pk_tracking.fingerprint_with_salt IS
	'config_id of these values under this salt (with the daily salt appended), to verify fingerprints; NULL texts are empty, NULL idsite means the same on all websites';

CREATE FUNCTION pk_tracking.matomo_config_id(
	os text DEFAULT 'UNK',
	browser text DEFAULT 'UNK',
	browser_version text DEFAULT '',
	ip text DEFAULT '0.0.0.0',
	language text DEFAULT '',
	salt text DEFAULT '',
	daily_salt text DEFAULT '',
	idsite integer DEFAULT NULL,
	fla integer DEFAULT 0,
	java integer DEFAULT 0,
	qt integer DEFAULT 0,
	realp integer DEFAULT 0,
	pdf integer DEFAULT 0,
	wma integer DEFAULT 0,
	ag integer DEFAULT 0,
	cookie integer DEFAULT 0)
RETURNS @extschema@.hexid
	LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_matomo_config_id';
COMMENT ON FUNCTION pk_tracking.matomo_config_id IS
	'config_id that Matomo computes (MD5); daily_salt: its salt of the day with the date appended; NULL idsite means the same on all websites';

CREATE FUNCTION pk_tracking.user_id_visitor_id(user_id text) RETURNS @extschema@.hexid
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_user_id_visitor_id';
COMMENT ON FUNCTION pk_tracking.user_id_visitor_id IS
	'visitor id of a user id: the first 8 bytes of its SHA-1';

CREATE FUNCTION pk_tracking.user_id_pseudonym(user_id text, salt bytea) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_user_id_pseudonym';
COMMENT ON FUNCTION pk_tracking.user_id_pseudonym IS
	'the value that anonymize_user_id stores in place of a user id: SHA-1 of the user id and this salt, 40 hex digits';

CREATE FUNCTION pk_tracking.normalise_language(accept_language text) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'pkt_normalise_language';
COMMENT ON FUNCTION pk_tracking.normalise_language IS
	'an Accept-Language value as a plain list in lower case, without quality values, comments and blanks';

