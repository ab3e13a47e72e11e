
-- ---------------------------------------------------------------------------
-- report/devices: what visitors use
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.report_browsers(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	browser text,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_users bigint,
	nb_actions bigint,
	nb_pageviews bigint,
	max_actions integer,
	bounce_count bigint,
	bounce_rate numeric,
	sum_visit_length bigint,
	avg_time_on_site bigint,
	nb_actions_per_visit numeric,
	nb_visits_converted bigint,
	nb_conversions bigint,
	revenue numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_browsers.idsite, report_browsers.from_date, report_browsers.to_date, report_browsers.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.config_browser_name, ''''), ''UNK'')'],
			ARRAY['pk_tracking.browser_name(k1)'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_browsers(integer, date, date, text) IS 'visits by browser or other program';

CREATE FUNCTION pk_tracking.report_browser_versions(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	browser text,
	version text,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_users bigint,
	nb_actions bigint,
	nb_pageviews bigint,
	max_actions integer,
	bounce_count bigint,
	bounce_rate numeric,
	sum_visit_length bigint,
	avg_time_on_site bigint,
	nb_actions_per_visit numeric,
	nb_visits_converted bigint,
	nb_conversions bigint,
	revenue numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_browser_versions.idsite, report_browser_versions.from_date, report_browser_versions.to_date, report_browser_versions.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.config_browser_name, ''''), ''UNK'')', 'CASE WHEN v.config_browser_version NOT IN ('''', ''UNK'') THEN v.config_browser_version END'],
			ARRAY['pk_tracking.browser_name(k1)', 'k2'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_browser_versions(integer, date, date, text) IS 'visits by browser and version; version is NULL if it is not known';

CREATE FUNCTION pk_tracking.report_systems(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	os text,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_users bigint,
	nb_actions bigint,
	nb_pageviews bigint,
	max_actions integer,
	bounce_count bigint,
	bounce_rate numeric,
	sum_visit_length bigint,
	avg_time_on_site bigint,
	nb_actions_per_visit numeric,
	nb_visits_converted bigint,
	nb_conversions bigint,
	revenue numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_systems.idsite, report_systems.from_date, report_systems.to_date, report_systems.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.config_os, ''''), ''UNK'')'],
			ARRAY['pk_tracking.os_name(k1)'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_systems(integer, date, date, text) IS 'visits by operating system';

CREATE FUNCTION pk_tracking.report_system_versions(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	os text,
	version text,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_users bigint,
	nb_actions bigint,
	nb_pageviews bigint,
	max_actions integer,
	bounce_count bigint,
	bounce_rate numeric,
	sum_visit_length bigint,
	avg_time_on_site bigint,
	nb_actions_per_visit numeric,
	nb_visits_converted bigint,
	nb_conversions bigint,
	revenue numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_system_versions.idsite, report_system_versions.from_date, report_system_versions.to_date, report_system_versions.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.config_os, ''''), ''UNK'')', 'CASE WHEN v.config_os_version NOT IN ('''', ''UNK'') THEN v.config_os_version END'],
			ARRAY['pk_tracking.os_name(k1)', 'k2'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_system_versions(integer, date, date, text) IS 'visits by operating system and version; version is NULL if it is not known';

CREATE FUNCTION pk_tracking.report_device_types(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	device_type text,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_users bigint,
	nb_actions bigint,
	nb_pageviews bigint,
	max_actions integer,
	bounce_count bigint,
	bounce_rate numeric,
	sum_visit_length bigint,
	avg_time_on_site bigint,
	nb_actions_per_visit numeric,
	nb_visits_converted bigint,
	nb_conversions bigint,
	revenue numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_device_types.idsite, report_device_types.from_date, report_device_types.to_date, report_device_types.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['v.config_device_type'],
			ARRAY['coalesce(pk_tracking.device_type_name(k1), ''unknown'')'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_device_types(integer, date, date, text) IS 'visits by type of device';

CREATE FUNCTION pk_tracking.report_device_brands(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	device_brand text,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_users bigint,
	nb_actions bigint,
	nb_pageviews bigint,
	max_actions integer,
	bounce_count bigint,
	bounce_rate numeric,
	sum_visit_length bigint,
	avg_time_on_site bigint,
	nb_actions_per_visit numeric,
	nb_visits_converted bigint,
	nb_conversions bigint,
	revenue numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_device_brands.idsite, report_device_brands.from_date, report_device_brands.to_date, report_device_brands.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.config_device_brand, ''''), ''UNK'')'],
			ARRAY['pk_tracking.device_brand_name(k1)'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_device_brands(integer, date, date, text) IS 'visits by maker of the device';

CREATE FUNCTION pk_tracking.report_device_models(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	device_brand text,
	device_model text,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_users bigint,
	nb_actions bigint,
	nb_pageviews bigint,
	max_actions integer,
	bounce_count bigint,
	bounce_rate numeric,
	sum_visit_length bigint,
	avg_time_on_site bigint,
	nb_actions_per_visit numeric,
	nb_visits_converted bigint,
	nb_conversions bigint,
	revenue numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 100
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_device_models.idsite, report_device_models.from_date, report_device_models.to_date, report_device_models.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.config_device_brand, ''''), ''UNK'')', 'CASE WHEN v.config_device_model NOT IN ('''', ''UNK'') THEN v.config_device_model END'],
			ARRAY['pk_tracking.device_brand_name(k1)', 'k2'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_device_models(integer, date, date, text) IS 'visits by maker and model of the device; model is NULL if it is not known';
