
-- ---------------------------------------------------------------------------
-- report/filter: filters of reports
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.filter_sql(filter text, over_actions boolean,
	parameter text, visit_dimensions integer[], action_dimensions integer[],
	OUT condition text, OUT filter_values text[])
AS 'MODULE_PATHNAME', 'pkt_filter_sql' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.filter_sql IS
	'the condition of a filter as SQL over a visit v or an action l, and the values that it names as (parameter)[n]';

/*
 * The condition of a site's filter over a visit v or, if over_actions is true, over
 * an action l, and its values, which it names as (parameter)[n].  In SQL $1 is the
 * site, $6 its time zone; filter_ranges() puts in the limits of time.
 */
CREATE FUNCTION pk_tracking_internal.filter_condition(
	idsite integer,
	filter text,
	over_actions boolean DEFAULT false,
	parameter text DEFAULT '$9',
	OUT condition text,
	OUT filter_values text[])
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT f.condition, f.filter_values
	FROM (SELECT coalesce(array_agg(d.iddimension) FILTER (WHERE d.scope = 'visit'), '{}') AS visit,
			coalesce(array_agg(d.iddimension) FILTER (WHERE d.scope = 'action'), '{}') AS action
		FROM pk_tracking.custom_dimension d
		WHERE d.idsite = filter_condition.idsite) d
		CROSS JOIN LATERAL pk_tracking_internal.filter_sql(
			pk_tracking_internal.named_filter(filter_condition.idsite, filter_condition.filter),
			over_actions, parameter, d.visit, d.action) f
$$;
COMMENT ON FUNCTION pk_tracking_internal.filter_condition IS
	'the condition of a site''s filter as SQL, and its values; does not run it';

/*
 * A condition of filter_condition() with its limits of time: rows of other tables
 * than the report's are looked for around its period, $2 to $3, so that their
 * indexes on time can be used.  An action that came late may be older than the first
 * action of its visit.
 */
CREATE FUNCTION pk_tracking_internal.filter_ranges(idsite integer, condition text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bound CONSTANT interval := pk_tracking_internal.report_longest_visit(idsite);
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES ('v', 'v.visit_first_action_time', 1), ('l', 'l.server_time', 2),
		('c', 'c.server_time', 2), ('i', 'i.server_time', 2)) AS t(alias, moment, bounds)
	LOOP
		condition := replace(condition, format('{range %s}', r.alias),
			format('%1$s >= $2 - %2$L::interval AND %1$s < $3 + %2$L::interval', r.moment,
				bound * r.bounds));
	END LOOP;
	RETURN condition;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.filter_ranges IS
	'a filter''s SQL with its limits of time';

CREATE FUNCTION pk_tracking_internal.filter_dimension_table(
	OUT name text, OUT scope text, OUT type text, OUT operators text, OUT words text,
	OUT description text)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'pkt_filter_dimensions' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 80;
COMMENT ON FUNCTION pk_tracking_internal.filter_dimension_table IS
	'the rows of the view filter_dimensions';

CREATE VIEW pk_tracking.filter_dimensions AS
	SELECT d.name, d.scope, d.type, d.operators, d.words, d.description
	FROM pk_tracking_internal.filter_dimension_table() AS d;
COMMENT ON VIEW pk_tracking.filter_dimensions IS
	'what a filter of reports can name';
COMMENT ON COLUMN pk_tracking.filter_dimensions.name IS 'name, as in Matomo''s segments';
COMMENT ON COLUMN pk_tracking.filter_dimensions.scope IS
	'what has the value: visit, or an action, a conversion or an item of an order or cart of it';
COMMENT ON COLUMN pk_tracking.filter_dimensions.type IS 'type of the value';
COMMENT ON COLUMN pk_tracking.filter_dimensions.operators IS 'operators that fit the type';
COMMENT ON COLUMN pk_tracking.filter_dimensions.words IS 'its values, of a word';
COMMENT ON COLUMN pk_tracking.filter_dimensions.description IS 'meaning';

-- named filters

CREATE FUNCTION pk_tracking_internal.make_segment() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.segment (
		idsite integer NOT NULL REFERENCES pk_tracking.site ON DELETE CASCADE,
		name text NOT NULL CHECK (name <> ''),
		filter text NOT NULL,
		PRIMARY KEY (idsite, name));
	PERFORM pk_tracking_internal.keep_out_of_statistics('segment');
	COMMENT ON TABLE pk_tracking.segment IS
		'named filters of reports; add one with pk_tracking.add_segment()';
	COMMENT ON COLUMN pk_tracking.segment.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.segment.name IS 'name: a report takes it as @name';
	COMMENT ON COLUMN pk_tracking.segment.filter IS 'the filter';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_segment IS 'creates the table pk_tracking.segment';

/*
 * A filter in which the conditions that a @name stands for are in its place.  No value
 * contains a ";" of its own.
 */
CREATE FUNCTION pk_tracking_internal.named_filter(idsite integer, filter text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	part text;
	found_filter text;
	parts text[] := '{}';
BEGIN
	IF filter !~ '(^|;)\s*@' THEN
		RETURN filter;
	END IF;
	FOREACH part IN ARRAY string_to_array(filter, ';') LOOP
		IF part !~ '^\s*@' THEN
			parts := parts || part;
			CONTINUE;
		END IF;
		SELECT s.filter INTO found_filter FROM pk_tracking.segment s
			WHERE s.idsite = named_filter.idsite AND s.name = btrim(substr(ltrim(part), 2));
		IF NOT FOUND THEN
			PERFORM pk_tracking_internal.report_error(
				message => format('site %s has no filter of this name', idsite),
				hint => (SELECT CASE WHEN count(*) = 0 THEN 'Add filters with pk_tracking.add_segment().'
					ELSE format('Valid names are %s.', string_agg('@' || s.name, ', ' ORDER BY s.name)) END
					FROM pk_tracking.segment s WHERE s.idsite = named_filter.idsite));
		END IF;
		IF found_filter <> '' THEN
			parts := parts || found_filter;
		END IF;
	END LOOP;
	RETURN array_to_string(parts, ';');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.named_filter IS
	'a filter with the conditions that the names in it stand for';

CREATE FUNCTION pk_tracking_internal.check_segment(idsite integer, name text, filter text) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	PERFORM pk_tracking_internal.need_site(idsite);
	IF coalesce(name, '') !~ '^[[:alnum:]][[:alnum:] _.-]{0,99}$' OR name ~ ' $' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'invalid name of a filter',
			HINT = 'A name has letters, digits, spaces, "_", "." and "-", begins with a letter or digit, and is no longer than 100 characters.';
	END IF;
	IF filter IS NULL OR filter ~ '^\s*@' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a named filter must not be null or a name itself';
	END IF;
	PERFORM pk_tracking_internal.filter_condition(idsite, filter);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.check_segment IS
	'raises an error if a named filter cannot be used';

CREATE FUNCTION pk_tracking.add_segment(idsite integer, name text, filter text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.check_segment(idsite, name, filter);
	INSERT INTO pk_tracking.segment (idsite, name, filter)
		VALUES (add_segment.idsite, add_segment.name, add_segment.filter)
		ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'unique_violation',
			MESSAGE = format('site %s already has a filter "%s"', idsite, name),
			HINT = 'Change it with pk_tracking.set_segment().';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.add_segment IS
	'gives a filter of reports a name: a report of this site takes it as @name';

CREATE FUNCTION pk_tracking.set_segment(idsite integer, name text, filter text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.check_segment(idsite, name, filter);
	UPDATE pk_tracking.segment s SET filter = set_segment.filter
		WHERE s.idsite = set_segment.idsite AND s.name = set_segment.name;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'no_data_found',
			MESSAGE = format('site %s has no filter "%s"', idsite, name),
			HINT = 'Add it with pk_tracking.add_segment().';
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking.set_segment IS 'changes a named filter of reports';

CREATE FUNCTION pk_tracking.drop_segment(idsite integer, name text) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	DELETE FROM pk_tracking.segment s
		WHERE s.idsite = drop_segment.idsite AND s.name = drop_segment.name;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pk_tracking.drop_segment IS
	'removes a named filter of reports; false if there is none of this name';
