-- ---------------------------------------------------------------------------
-- track/track: one hit by function call
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
	cookie_kind text,
	delete_cookies text[]
);
COMMENT ON TYPE pk_tracking.tracked IS
	'outcome of a hit, the cookie that the caller should set, and the cookies that the caller should delete; what is about the visit is NULL for a tracker without answers => full';
COMMENT ON COLUMN pk_tracking.tracked.outcome IS 'recorded, ignored, excluded or invalid';
COMMENT ON COLUMN pk_tracking.tracked.outcome_reason IS
	'reason why the hit was ignored or excluded, or the name of the invalid parameter; of a recorded hit the first parameter whose amount or address cannot be read';
COMMENT ON COLUMN pk_tracking.tracked.idvisit IS 'visit that the hit belongs to';
COMMENT ON COLUMN pk_tracking.tracked.idvisitor IS 'visitor id of the visit; NULL if anonymous';
COMMENT ON COLUMN pk_tracking.tracked.config_id IS 'fingerprint of the hit; NULL if it has none';
COMMENT ON COLUMN pk_tracking.tracked.matched_by IS
	'what the visitor was recognised by, as in the view action';
COMMENT ON COLUMN pk_tracking.tracked.new_visit IS 'true if the hit began a visit';
COMMENT ON COLUMN pk_tracking.tracked.reason IS
	'why the hit continued its visit or began a new one: decision in the view action';
COMMENT ON COLUMN pk_tracking.tracked.visitor_returning IS
	'0 new, 1 returning, 2 returning customer';
COMMENT ON COLUMN pk_tracking.tracked.idlink_va IS 'action that was recorded; NULL if none';
COMMENT ON COLUMN pk_tracking.tracked.cookie_name IS 'name of the cookie to set; NULL: none';
COMMENT ON COLUMN pk_tracking.tracked.cookie_value IS 'value of the cookie to set';
COMMENT ON COLUMN pk_tracking.tracked.cookie_max_age IS 'lifetime of the cookie to set, in seconds';
COMMENT ON COLUMN pk_tracking.tracked.cookie_kind IS
	'visitor: the cookie to set holds the visitor id; session: that of an anonymous session';
COMMENT ON COLUMN pk_tracking.tracked.delete_cookies IS 'names of the cookies to delete';

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
	params jsonb DEFAULT NULL,
	address text DEFAULT NULL)
RETURNS pk_tracking.tracked
AS 'MODULE_PATHNAME', 'pkt_track'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.track IS
	'tracks one hit; address is the client''s address as a header or a log has it, instead of ip; params holds the fields that have no argument of their own, by their names in the tracking API';

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
AS 'MODULE_PATHNAME', 'pkt_track_request'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.track_request IS
	'tracks one hit from a Matomo or Piwik PRO tracking URL; the other arguments are those of the connection';

-- A role that may execute this function may pass trusted => true.
CREATE FUNCTION pk_tracking_internal.trusted_tracking() RETURNS void
AS 'MODULE_PATHNAME', 'pkt_trusted_tracking' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.trusted_tracking IS
	'does nothing; the right to execute it is the right to pass trusted => true';

-- A role that may execute this function gets full answers.
CREATE FUNCTION pk_tracking_internal.full_answers() RETURNS void
AS 'MODULE_PATHNAME', 'pkt_full_answers' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.full_answers IS
	'does nothing; the right to execute it is the right to answers that tell of the visit';

-- a type, because a column of RETURNS TABLE cannot have the name of an argument
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
COMMENT ON TYPE pk_tracking.candidate IS
	'a visit that a hit may belong to, and what tracking would do with it';
COMMENT ON COLUMN pk_tracking.candidate.rank IS 'order of preference, from 1';
COMMENT ON COLUMN pk_tracking.candidate.matched_by IS
	'what the visitor was recognised by, as in the view action';
COMMENT ON COLUMN pk_tracking.candidate.idvisit IS 'visit';
COMMENT ON COLUMN pk_tracking.candidate.idvisitor IS 'visitor id of the visit';
COMMENT ON COLUMN pk_tracking.candidate.config_id IS 'fingerprint of the visit';
COMMENT ON COLUMN pk_tracking.candidate.visit_first_action_time IS
	'time of the hit that began the visit';
COMMENT ON COLUMN pk_tracking.candidate.visit_last_action_time IS 'time of its latest action';
COMMENT ON COLUMN pk_tracking.candidate.continues IS 'true if the hit would continue this visit';
COMMENT ON COLUMN pk_tracking.candidate.reason IS
	'why the hit would continue the visit or begin a new one';

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
AS 'MODULE_PATHNAME', 'pkt_match_visitor'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION pk_tracking.match_visitor IS
	'the visits that a hit may belong to, in order of preference, and what tracking would do with each; read-only; for the owner of the log';

CREATE FUNCTION pk_tracking.fingerprint(
	idsite integer,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	params jsonb DEFAULT NULL)
RETURNS @extschema@.hexid
AS 'MODULE_PATHNAME', 'pkt_fingerprint'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION pk_tracking.fingerprint IS
	'config_id of such a hit on the site at this time; NULL if it has none; for the owner of the log';

