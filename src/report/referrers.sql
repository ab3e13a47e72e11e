
-- ---------------------------------------------------------------------------
-- report/referrers: what brought the visits
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.report_referrer_types(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	referrer_type text,
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
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 10
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_referrer_types.idsite, report_referrer_types.from_date, report_referrer_types.to_date, report_referrer_types.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['v.referer_type'],
			ARRAY['coalesce(pk_tracking.referrer_type_name(k1), ''unknown'')'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_referrer_types(integer, date, date, text) IS 'visits by type of referrer: direct, search engine, website, social network, campaign';

CREATE FUNCTION pk_tracking.report_referrers(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	referrer_type text,
	referer_name text,
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
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_referrers.idsite, report_referrers.from_date, report_referrers.to_date, report_referrers.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['v.referer_type', 'nullif(v.referer_name, '''')'],
			ARRAY['coalesce(pk_tracking.referrer_type_name(k1), ''unknown'')', 'k2'])
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_referrers(integer, date, date, text) IS 'visits by referrer: type, and name of the search engine, website, social network or campaign';

CREATE FUNCTION pk_tracking.report_keywords(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	referer_name text,
	referer_keyword text,
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
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_keywords.idsite, report_keywords.from_date, report_keywords.to_date, report_keywords.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['nullif(v.referer_name, '''')', 'nullif(v.referer_keyword, '''')'],
			ARRAY['k1', 'k2'], 'v.referer_type = 2')
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_keywords(integer, date, date, text) IS 'visits from search engines by engine and keyword; keyword is NULL if it is not known';

CREATE FUNCTION pk_tracking.report_campaigns(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	referer_name text,
	referer_keyword text,
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
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_campaigns.idsite, report_campaigns.from_date, report_campaigns.to_date, report_campaigns.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['nullif(v.referer_name, '''')', 'nullif(v.referer_keyword, '''')'],
			ARRAY['k1', 'k2'], 'v.referer_type = 6')
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_campaigns(integer, date, date, text) IS 'visits from campaigns by name and keyword; keyword is NULL if there was none';
