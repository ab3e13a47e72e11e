
-- ---------------------------------------------------------------------------
-- subject/export: all that the log holds of a person
-- ---------------------------------------------------------------------------

/* What a row names by number: URLs, titles and other texts, by column. */
CREATE FUNCTION pk_tracking_internal.names_of_row(idsite integer, r jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
BEGIN
	RETURN (SELECT jsonb_object_agg(e.key, pk_tracking.url_prefix_text(a.url_prefix) || a.name)
		FROM jsonb_each_text(r) e,
			LATERAL pk_tracking_internal.name_by_number(names_of_row.idsite, e.value::bigint) a
		WHERE strpos(e.key, 'idaction_') > 0 AND e.value <> '0' AND a.name IS NOT NULL);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.names_of_row IS
	'the names of the dictionary that a row of the log refers to, by column';

/*
 * Whole rows, so that a new column is there by itself; sql/subject.sql compares with
 * the catalog.
 */
CREATE FUNCTION pk_tracking.export_subject(
	idsite integer,
	user_id text DEFAULT NULL,
	visitor_id @extschema@.hexid DEFAULT NULL,
	idorder text DEFAULT NULL,
	idvisits bigint[] DEFAULT NULL,
	linked boolean DEFAULT false,
	max_visits integer DEFAULT 10000)
RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
	site CONSTANT integer := export_subject.idsite;
	visits bigint[];
	reasons jsonb;
	columns jsonb;
BEGIN
	SELECT array_agg(f.idvisit ORDER BY f.visit_first_action_time, f.idvisit),
			jsonb_object_agg(f.idvisit, f.why)
		INTO visits, reasons
		FROM pk_tracking.find_subject(site, export_subject.user_id, visitor_id,
			export_subject.idorder, idvisits, linked, max_visits) f;
	SELECT jsonb_object_agg(t.relname, t.columns) INTO columns FROM (
		SELECT c.relname, jsonb_object_agg(a.attname, coalesce(col_description(c.oid, a.attnum), ''))
			AS columns
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace
			AND c.relname IN ('log_visit', 'log_link_visit_action', 'log_conversion',
				'log_conversion_item')
			AND a.attnum > 0 AND NOT a.attisdropped
		GROUP BY c.relname) t;
	RETURN jsonb_build_object(
		'exported_at', statement_timestamp(),
		'site', (SELECT jsonb_build_object('idsite', s.idsite, 'name', s.name, 'urls', s.urls,
				'timezone', s.timezone, 'currency', s.currency)
			FROM pk_tracking.site s WHERE s.idsite = site),
		'columns', columns,
		'custom_dimensions', coalesce((SELECT jsonb_object_agg(d.iddimension, d.name)
			FROM pk_tracking.custom_dimension d WHERE d.idsite = site), '{}'),
		'goals', coalesce((SELECT jsonb_object_agg(g.idgoal, g.name)
			FROM pk_tracking.goal g WHERE g.idsite = site), '{}'),
		'visits', coalesce((SELECT jsonb_agg(jsonb_build_object(
				'why', reasons -> v.idvisit::text,
				'log_visit', to_jsonb(v),
				'earlier_visitor_ids', coalesce((SELECT jsonb_agg(o.idvisitor ORDER BY o.idvisitor::text)
					FROM pk_tracking.log_other_id o WHERE o.idvisit = v.idvisit), '[]'),
				'names', coalesce(pk_tracking_internal.names_of_row(site, to_jsonb(v)), '{}'),
				'log_link_visit_action', coalesce((SELECT jsonb_agg(to_jsonb(l)
						|| jsonb_build_object('names',
							coalesce(pk_tracking_internal.names_of_row(site, to_jsonb(l)), '{}'))
						ORDER BY l.server_time, l.idlink_va)
					FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit), '[]'),
				'log_conversion', coalesce((SELECT jsonb_agg(to_jsonb(c)
						|| jsonb_build_object('names',
							coalesce(pk_tracking_internal.names_of_row(site, to_jsonb(c)), '{}'))
						ORDER BY c.server_time, c.idgoal, c.buster)
					FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit), '[]'),
				'log_conversion_item', coalesce((SELECT jsonb_agg(to_jsonb(i)
						|| jsonb_build_object('names',
							coalesce(pk_tracking_internal.names_of_row(site, to_jsonb(i)), '{}'))
						ORDER BY i.server_time, i.idorder, i.idaction_sku)
					FROM pk_tracking.log_conversion_item i WHERE i.idvisit = v.idvisit), '[]'))
			ORDER BY v.visit_first_action_time, v.idvisit)
			FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (visits)), '[]'));
END
$$;
COMMENT ON FUNCTION pk_tracking.export_subject IS
	'all that the log holds of a person, as jsonb: the rows of the visits that find_subject() finds, with the names of their pages and an explanation of each column';
