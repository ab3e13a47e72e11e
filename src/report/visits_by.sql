
-- ---------------------------------------------------------------------------
-- report/visits_by: visits by any dimension of filters that is one of the visit
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.dimension_grouping(name text, visit_dimensions integer[],
	OUT key text, OUT label text, OUT labels text)
AS 'MODULE_PATHNAME', 'pkt_dimension_grouping' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.dimension_grouping IS
	'how report_by() groups visits by a dimension: key and label as SQL, or the labels of the keys 0, 1, 2 and so on';

/*
 * The query of report_by().  Lengths, numbers and days are in Matomo's ranges: each
 * has a row, in its order, and visits without a value have one if there are any.
 */
CREATE FUNCTION pk_tracking_internal.report_by_query(idsite integer, dimension text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	g record;
BEGIN
	SELECT f.key, f.label, string_to_array(f.labels, ',') AS labels INTO g
		FROM pk_tracking_internal.dimension_grouping(coalesce(dimension, ''),
			(SELECT coalesce(array_agg(d.iddimension), '{}') FROM pk_tracking.custom_dimension d
				WHERE d.idsite = report_by_query.idsite AND d.scope = 'visit')) f;
	IF g.labels IS NULL THEN
		RETURN pk_tracking_internal.report_query(ARRAY[g.key],
			ARRAY[format('coalesce(%s, ''Unknown'')', g.label)]);
	END IF;
	RETURN format('SELECT * FROM (%s) AS m(label, nb_visits) '
		'WHERE m.nb_visits > 0 OR m.label <> ''Unknown''',
		pk_tracking_internal.report_query(ARRAY[format('coalesce(%s, %s)', g.key,
				cardinality(g.labels))],
			ARRAY[format('(%L::text[])[k1 + 1]', g.labels || 'Unknown'::text)],
			axis => format('generate_series(0, %s) AS axis(k1)', cardinality(g.labels))));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.report_by_query IS
	'text of the query of report_by(); does not run it';

SELECT pk_tracking_internal.make_report('report_by',
	'visits by a dimension of the view filter_dimensions that is one of the visit, such as resolution or visitDuration; Unknown if there is no value',
	'label text, ' || pk_tracking_internal.visit_metrics(),
	'EXECUTE pk_tracking_internal.report_by_query(report_by.idsite, report_by.dimension)',
	own_arguments => 'dimension text');
