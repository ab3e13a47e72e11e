
-- ---------------------------------------------------------------------------
-- settings/definitions: the registry of settings, for forms that change them
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.setting_definition_table(OUT number integer, OUT name text,
	OUT type text, OUT default_value text, OUT matomo_value text, OUT choices text[],
	OUT minimum integer, OUT maximum integer, OUT instance_only boolean, OUT protects text,
	OUT description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'pkt_setting_definitions' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 70;
COMMENT ON FUNCTION pk_tracking_internal.setting_definition_table IS
	'the rows of the view setting_definitions';

CREATE VIEW pk_tracking.setting_definitions AS
	SELECT d.number, d.name, d.type, d.default_value, d.matomo_value, d.choices, d.minimum,
		d.maximum, d.instance_only, d.protects, d.description
	FROM pk_tracking_internal.setting_definition_table() AS d;
COMMENT ON VIEW pk_tracking.setting_definitions IS
	'what each setting may be: type, default, choices, range, and which value protects visitors more';
COMMENT ON COLUMN pk_tracking.setting_definitions.number IS 'place among the settings';
COMMENT ON COLUMN pk_tracking.setting_definitions.name IS 'name of the setting';
COMMENT ON COLUMN pk_tracking.setting_definitions.type IS
	'boolean, integer, choice, text or list';
COMMENT ON COLUMN pk_tracking.setting_definitions.default_value IS
	'default; NULL for an alias, which has none';
COMMENT ON COLUMN pk_tracking.setting_definitions.matomo_value IS
	'default under recognition_rules = matomo; NULL: the same';
COMMENT ON COLUMN pk_tracking.setting_definitions.choices IS 'values of a choice, in their order';
COMMENT ON COLUMN pk_tracking.setting_definitions.minimum IS 'least value of an integer';
COMMENT ON COLUMN pk_tracking.setting_definitions.maximum IS 'greatest value of an integer';
COMMENT ON COLUMN pk_tracking.setting_definitions.instance_only IS
	'true if a site cannot have a value of its own';
COMMENT ON COLUMN pk_tracking.setting_definitions.protects IS
	'which value protects visitors more: on, off, greater, smaller (0 least), later (of the choices); NULL: the setting has nothing to do with privacy';
COMMENT ON COLUMN pk_tracking.setting_definitions.description IS 'what the setting does';
