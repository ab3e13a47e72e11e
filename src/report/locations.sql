
-- ---------------------------------------------------------------------------
-- report/locations: where visits come from
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.report_countries(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	country text,
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
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_countries.idsite, report_countries.from_date, report_countries.to_date, report_countries.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.location_country, ''''), ''xx'')'],
			ARRAY['k1'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_countries(integer, date, date, text) IS 'visits by country: its code, xx if it is not known';

CREATE FUNCTION pk_tracking.report_regions(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	country text,
	region text,
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
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_regions.idsite, report_regions.from_date, report_regions.to_date, report_regions.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.location_country, ''''), ''xx'')', 'nullif(v.location_region, '''')'],
			ARRAY['k1', 'k2'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_regions(integer, date, date, text) IS 'visits by country and region; region is NULL if it is not known';

CREATE FUNCTION pk_tracking.report_cities(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	country text,
	region text,
	city text,
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
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_cities.idsite, report_cities.from_date, report_cities.to_date, report_cities.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['coalesce(nullif(v.location_country, ''''), ''xx'')', 'nullif(v.location_region, '''')', 'nullif(v.location_city, '''')'],
			ARRAY['k1', 'k2', 'k3'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_cities(integer, date, date, text) IS 'visits by country, region and city; region and city are NULL if they are not known';

CREATE FUNCTION pk_tracking.report_languages(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	language text,
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
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_languages.idsite, report_languages.from_date, report_languages.to_date, report_languages.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['nullif(v.location_browser_lang, '''')'],
			ARRAY['k1'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_languages(integer, date, date, text) IS 'visits by the browser''s language; NULL if it is not known';
