
-- ---------------------------------------------------------------------------
-- track/requests: a bulk document, several hits in one call
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.track_requests(
	document jsonb,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	headers jsonb DEFAULT NULL,
	trusted boolean DEFAULT false)
RETURNS SETOF pk_tracking.tracked
AS 'MODULE_PATHNAME', 'pkt_track_requests'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 20;
COMMENT ON FUNCTION pk_tracking.track_requests(jsonb, inet, text, text, timestamptz, jsonb, boolean) IS
	'tracks the requests of a Matomo or Piwik PRO bulk document in their order; returns a row for each';

CREATE FUNCTION pk_tracking.track_requests(
	document text,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	headers jsonb DEFAULT NULL,
	trusted boolean DEFAULT false)
RETURNS SETOF pk_tracking.tracked
AS 'MODULE_PATHNAME', 'pkt_track_requests_text'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 20;
COMMENT ON FUNCTION pk_tracking.track_requests(text, inet, text, text, timestamptz, jsonb, boolean) IS
	'the same for a document as a client sent it: one that is no bulk document is one row with the outcome invalid';

CREATE FUNCTION pk_tracking.track_requests_answer(
	document jsonb,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	headers jsonb DEFAULT NULL,
	trusted boolean DEFAULT false)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'pkt_track_requests_answer'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION pk_tracking.track_requests_answer(jsonb, inet, text, text, timestamptz, jsonb, boolean) IS
	'track_requests() that returns Matomo''s answer: status, tracked, invalid, and invalid_indices for a caller with a valid token';

CREATE FUNCTION pk_tracking.track_requests_answer(
	document text,
	ip inet DEFAULT NULL,
	user_agent text DEFAULT NULL,
	accept_language text DEFAULT NULL,
	at timestamptz DEFAULT NULL,
	headers jsonb DEFAULT NULL,
	trusted boolean DEFAULT false)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'pkt_track_requests_answer_text'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION pk_tracking.track_requests_answer(text, inet, text, text, timestamptz, jsonb, boolean) IS
	'the same for a document as a client sent it: one that is no bulk document is answered with the status error';
