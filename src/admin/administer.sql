
-- ---------------------------------------------------------------------------
-- admin/administer: changes of what add_site(), add_goal() and add_dimension() made
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.change_site(
	idsite integer,
	name text DEFAULT NULL,
	urls text[] DEFAULT NULL,
	timezone text DEFAULT NULL,
	currency text DEFAULT NULL,
	ecommerce boolean DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	PERFORM pk_tracking_internal.need_log();
	PERFORM pk_tracking_internal.need_site(change_site.idsite);
	UPDATE pk_tracking.site s SET
			name = coalesce(change_site.name, s.name),
			urls = coalesce(change_site.urls, s.urls),
			timezone = coalesce(change_site.timezone, s.timezone),
			currency = coalesce(change_site.currency, s.currency),
			ecommerce = coalesce(change_site.ecommerce, s.ecommerce)
		WHERE s.idsite = change_site.idsite;
END
$$;
COMMENT ON FUNCTION pk_tracking.change_site IS
	'changes a site; what is NULL stays as it is';

CREATE FUNCTION pk_tracking.retire_goal(idsite integer, idgoal integer) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	UPDATE pk_tracking.goal g SET deleted = true
		WHERE g.idsite = retire_goal.idsite AND g.idgoal = retire_goal.idgoal AND NOT g.deleted;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pk_tracking.retire_goal IS
	'lets a goal convert no more; its conversions stay, and its number is not used again; false if there is no such goal';

CREATE FUNCTION pk_tracking.set_dimension_active(idsite integer, iddimension integer, active boolean)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM pk_tracking_internal.need_log();
	UPDATE pk_tracking.custom_dimension d SET active = set_dimension_active.active
		WHERE d.idsite = set_dimension_active.idsite
			AND d.iddimension = set_dimension_active.iddimension;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION pk_tracking.set_dimension_active IS
	'switches a custom dimension on or off; false if there is no such dimension';
