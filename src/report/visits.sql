
-- ---------------------------------------------------------------------------
-- report/visits: visits by day, week, month; new and returning; by hour; by consent
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.report_visits(idsite integer, from_date date, to_date date, period text DEFAULT 'day', visitors text DEFAULT 'all')
RETURNS TABLE (
	first_day date,
	last_day date,
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
	s record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_visits.idsite, report_visits.from_date, report_visits.to_date, report_visits.visitors);
	SELECT * INTO s FROM pk_tracking_internal.report_spans(report_visits.period);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY[format(s.key, 'v.visit_first_action_time')],
			ARRAY[s.first_day, s.last_day],
			axis => s.spans)
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_visits(integer, date, date, text, text) IS 'visits, visitors, page views and time by period: day, week, month or range; every period has a row';

CREATE FUNCTION pk_tracking.report_visitors(idsite integer, from_date date, to_date date, period text DEFAULT 'day', visitors text DEFAULT 'all')
RETURNS TABLE (
	first_day date,
	last_day date,
	visitor_type text,
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
	s record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_visitors.idsite, report_visitors.from_date, report_visitors.to_date, report_visitors.visitors);
	SELECT * INTO s FROM pk_tracking_internal.report_spans(report_visitors.period);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY[format(s.key, 'v.visit_first_action_time'), 'v.visitor_returning'],
			ARRAY[s.first_day, s.last_day, 'pk_tracking.visitor_type_name(k2)'],
			axis => s.spans || ' CROSS JOIN (VALUES (0::smallint), (1::smallint), (2::smallint)) AS type(k2)')
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_visitors(integer, date, date, text, text) IS 'report_visits() for new visitors, returning ones and returning customers apart; an anonymous visit is always a new visitor''s';

CREATE FUNCTION pk_tracking.report_hours(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	hour integer,
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
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 24
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_hours.idsite, report_hours.from_date, report_hours.to_date, report_hours.visitors);
	RETURN QUERY EXECUTE pk_tracking_internal.report_query(
			ARRAY['extract(hour FROM v.visit_first_action_time AT TIME ZONE $6)::integer'],
			ARRAY['k1'],
			axis => 'generate_series(0, 23) AS clock(k1)')
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_hours(integer, date, date, text) IS 'visits by the hour, on the site''s clock, at which they began; every hour has a row';

CREATE FUNCTION pk_tracking.report_consent(idsite integer, from_date date, to_date date, period text DEFAULT 'day', visitors text DEFAULT 'all')
RETURNS TABLE (
	first_day date,
	last_day date,
	nb_visits bigint,
	nb_visits_identified bigint,
	nb_visits_not_asked bigint,
	nb_visits_granted bigint,
	nb_visits_undecided bigint,
	nb_visits_refused bigint,
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
	s record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_consent.idsite, report_consent.from_date, report_consent.to_date, report_consent.visitors);
	SELECT * INTO s FROM pk_tracking_internal.report_spans(report_consent.period);
	RETURN QUERY EXECUTE format($query$
		SELECT %s, %s, coalesce(m.nb_visits, 0), coalesce(m.not_asked + m.granted, 0), coalesce(m.not_asked, 0), coalesce(m.granted, 0),
			coalesce(m.undecided, 0), coalesce(m.refused, 0), coalesce(m.undecided + m.refused, 0),
			round(coalesce(100.0 * (m.undecided + m.refused) / m.nb_visits, 0), 1)
		FROM %s LEFT JOIN (
			SELECT %s AS k1,
				count(*) AS nb_visits,
				count(*) FILTER (WHERE v.consent = 0) AS not_asked,
				count(*) FILTER (WHERE v.consent = 1) AS granted,
				count(*) FILTER (WHERE v.consent = 2) AS undecided,
				count(*) FILTER (WHERE v.consent = 3) AS refused
			FROM pk_tracking.log_visit v
			WHERE v.idsite = $1 AND v.visit_first_action_time >= $2 AND v.visit_first_action_time < $3
				AND v.consent BETWEEN $4 AND $5
			GROUP BY 1) m USING (k1)
		ORDER BY k1$query$, s.first_day, s.last_day, s.spans, format(s.key, 'v.visit_first_action_time'))
		USING r.idsite, r.begins, r.ends, r.least_consent, r.greatest_consent, r.timezone, r.from_date, r.to_date;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_consent(integer, date, date, text, text) IS 'visits by consent and period: identified (not asked, or granted) and anonymous (undecided, or refused)';
