-- ---------------------------------------------------------------------------
-- request/hit: the table of hit fields, which is in request/hit.c
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.hit_field_table(
	OUT name text, OUT type text, OUT max_length integer, OUT unit text,
	OUT bad_value text, OUT privacy text, OUT description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'pkt_hit_fields' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 80;
COMMENT ON FUNCTION pk_tracking_internal.hit_field_table IS 'the rows of the view hit_fields';

CREATE VIEW pk_tracking.hit_fields AS
	SELECT f.name, f.type, f.max_length, f.unit, f.bad_value, f.privacy, f.description
	FROM pk_tracking_internal.hit_field_table() AS f;
COMMENT ON VIEW pk_tracking.hit_fields IS
	'the parameters that tracking reads; in addition it reads dimensionN, lists of search_cat[], and the site''s campaign parameters';
COMMENT ON COLUMN pk_tracking.hit_fields.name IS 'name in the tracking API';
COMMENT ON COLUMN pk_tracking.hit_fields.type IS 'type; a value of another type is a bad value';
COMMENT ON COLUMN pk_tracking.hit_fields.max_length IS
	'length at which longer texts are cut; NULL: no text, or cut at page_maximum_length when stored';
COMMENT ON COLUMN pk_tracking.hit_fields.unit IS 'unit of max_length: bytes or characters';
COMMENT ON COLUMN pk_tracking.hit_fields.bad_value IS
	'effect of a bad value: ignored (as if not sent), repaired (text made valid) or invalid (the hit is refused)';
COMMENT ON COLUMN pk_tracking.hit_fields.privacy IS
	'whom the value may describe: none, device or person';
COMMENT ON COLUMN pk_tracking.hit_fields.description IS 'meaning of the parameter';

