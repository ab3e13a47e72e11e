-- ---------------------------------------------------------------------------
-- track: one hit by function call
-- ---------------------------------------------------------------------------

CREATE TYPE pk_tracking.tracked AS (
	outcome text,
	outcome_reason text,
	idvisit bigint,
	idvisitor @extschema@.hexid,
	config_id @extschema@.hexid,
	matched_by text,
	new_visit boolean,
	reason text,
	visitor_returning smallint,
	idlink_va bigint,
	cookie_name text,
	cookie_value text,
	cookie_max_age integer,
	delete_cookies text[]
);
COMMENT ON TYPE pk_tracking.tracked IS 'what became of a hit, the cookie that the caller should set, and those that he should delete';

CREATE FUNCTION pk_tracking.track(
	idsite integer,
	url text DEFAULT NULL,
	action_name text DEFAULT NULL,
	urlref text DEFAULT NULL,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	visitor_id @extschema@.hexid DEFAULT NULL,
	cid @extschema@.hexid DEFAULT NULL,
	user_id text DEFAULT NULL,
	consent text DEFAULT NULL,
	session_cookie text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	new_visit boolean DEFAULT NULL,
	res text DEFAULT NULL,
	pv_id text DEFAULT NULL,
	params jsonb DEFAULT NULL)
RETURNS pk_tracking.tracked
AS 'MODULE_PATHNAME', 'pkt_track' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.track(integer, text, text, text, inet, text, text, @extschema@.hexid, @extschema@.hexid, text, text, text, timestamptz, boolean, text, text, jsonb)
	IS 'tracks one hit; params holds the fields that have no argument of their own, by their names in the tracking API';

CREATE FUNCTION pk_tracking.track_request(
	query text,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	headers jsonb DEFAULT NULL,
	trusted boolean DEFAULT false,
	strict boolean DEFAULT false)
RETURNS pk_tracking.tracked
AS 'MODULE_PATHNAME', 'pkt_track_request' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.track_request(text, inet, text, text, timestamptz, jsonb, boolean, boolean)
	IS 'tracks one hit from a Matomo or Piwik PRO tracking URL, with what the connection said';

-- Whoever may execute this may pass trusted => true.
CREATE FUNCTION pk_tracking_internal.trusted_tracking() RETURNS void
AS 'MODULE_PATHNAME', 'pkt_trusted_tracking' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.trusted_tracking() IS 'does nothing: the right to execute it is the right to pass trusted => true';

-- a type of its own, because a column may not have the name of an argument
CREATE TYPE pk_tracking.candidate AS (
	rank integer,
	matched_by text,
	idvisit bigint,
	idvisitor @extschema@.hexid,
	config_id @extschema@.hexid,
	visit_first_action_time timestamptz,
	visit_last_action_time timestamptz,
	continues boolean,
	reason text
);
COMMENT ON TYPE pk_tracking.candidate IS 'a visit that may be a hit''s, and what the engine would do with it';

CREATE FUNCTION pk_tracking.match_visitor(
	idsite integer,
	visitor_id @extschema@.hexid DEFAULT NULL,
	visitor_id_source text DEFAULT 'cookie',
	user_id text DEFAULT NULL,
	config_id @extschema@.hexid DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	new_visit boolean DEFAULT false,
	max_candidates integer DEFAULT 100)
RETURNS SETOF pk_tracking.candidate
AS 'MODULE_PATHNAME', 'pkt_match_visitor' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION pk_tracking.match_visitor(integer, @extschema@.hexid, text, text, @extschema@.hexid, timestamptz, boolean, integer)
	IS 'the visits that may be a hit''s, in order of preference, and what the engine would do with each. Reads only. For the log''s owner';

CREATE FUNCTION pk_tracking.fingerprint(
	idsite integer,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	params jsonb DEFAULT NULL)
RETURNS @extschema@.hexid
AS 'MODULE_PATHNAME', 'pkt_fingerprint' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.fingerprint(integer, inet, text, text, timestamptz, jsonb)
	IS 'config_id that such a hit has on the site now; NULL if it has none. For the log''s owner';

