
-- texts of the log as people read them (settings/plain_text.c)

CREATE FUNCTION pk_tracking.plain_text(idsite integer, value text) RETURNS text
	AS 'MODULE_PATHNAME', 'pkt_plain_text' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.plain_text IS
	'a text of a site''s log as people read it: without the HTML escapes that it has under matomo rules';

CREATE FUNCTION pk_tracking.plain_json(idsite integer, value jsonb) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'pkt_plain_json' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.plain_json IS
	'plain_text() of the texts in a document, such as custom_dimensions';
