
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
COMMENT ON FUNCTION pk_tracking.track_requests IS
	'tracks the requests of a Matomo or Piwik PRO bulk document in their order; returns a row for each';

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
COMMENT ON FUNCTION pk_tracking.track_requests_answer IS
	'track_requests() that returns Matomo''s answer: status, tracked, invalid, and invalid_indices for a caller with a valid token';
