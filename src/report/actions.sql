
-- ---------------------------------------------------------------------------
-- report/actions: pages, titles, downloads, outlinks, searches, events
--
-- An action belongs to the local day of its own time.  Its anonymous visits count
-- as visitors of their own.
-- ---------------------------------------------------------------------------

/*
 * The time spent on a page stands in the rows of the actions after it, so every
 * row is counted twice in one pass: for its page, and for the page before.
 */
CREATE FUNCTION pk_tracking.report_pages(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	url text,
	nb_hits bigint,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	sum_time_spent bigint,
	avg_time_on_page bigint,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_pages.idsite, report_pages.from_date, report_pages.to_date, report_pages.visitors);
	RETURN QUERY
		SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors, m.sum_time_spent,
			coalesce(round(m.sum_time_spent::numeric / nullif(m.nb_visits, 0)), 0)::bigint,
			m.nb_visits_anonymous, round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
		FROM (
			SELECT x.idaction,
				count(*) FILTER (WHERE x.here) AS nb_hits,
				count(DISTINCT l.idvisit) FILTER (WHERE x.here) AS nb_visits,
				count(DISTINCT l.idvisitor) FILTER (WHERE x.here)
					+ count(DISTINCT l.idvisit) FILTER (WHERE x.here AND l.consent >= 2) AS nb_uniq_visitors,
				coalesce(sum(l.time_spent_ref_action) FILTER (WHERE NOT x.here), 0) AS sum_time_spent,
				count(DISTINCT l.idvisit) FILTER (WHERE x.here AND l.consent >= 2) AS nb_visits_anonymous
			FROM pk_tracking.log_link_visit_action l
				CROSS JOIN LATERAL (VALUES (l.idaction_url, true), (l.idaction_url_ref, false)) AS x(idaction, here)
			WHERE l.idsite = r.idsite AND l.server_time >= r.begins AND l.server_time < r.ends
				AND l.consent BETWEEN r.least_consent AND r.greatest_consent
				AND x.idaction <> 0
			GROUP BY x.idaction
			HAVING count(*) FILTER (WHERE x.here) > 0) m
			CROSS JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction AND a.type = 1 LIMIT 1) n
		ORDER BY m.nb_hits DESC, n.name;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_pages(integer, date, date, text) IS 'page views by URL; sum_time_spent: seconds until the next action';

CREATE FUNCTION pk_tracking.report_titles(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	title text,
	nb_hits bigint,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	sum_time_spent bigint,
	avg_time_on_page bigint,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_titles.idsite, report_titles.from_date, report_titles.to_date, report_titles.visitors);
	RETURN QUERY
		SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors, m.sum_time_spent,
			coalesce(round(m.sum_time_spent::numeric / nullif(m.nb_visits, 0)), 0)::bigint,
			m.nb_visits_anonymous, round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
		FROM (
			SELECT x.idaction,
				count(*) FILTER (WHERE x.here) AS nb_hits,
				count(DISTINCT l.idvisit) FILTER (WHERE x.here) AS nb_visits,
				count(DISTINCT l.idvisitor) FILTER (WHERE x.here)
					+ count(DISTINCT l.idvisit) FILTER (WHERE x.here AND l.consent >= 2) AS nb_uniq_visitors,
				coalesce(sum(l.time_spent_ref_action) FILTER (WHERE NOT x.here), 0) AS sum_time_spent,
				count(DISTINCT l.idvisit) FILTER (WHERE x.here AND l.consent >= 2) AS nb_visits_anonymous
			FROM pk_tracking.log_link_visit_action l
				CROSS JOIN LATERAL (VALUES (l.idaction_name, true), (l.idaction_name_ref, false)) AS x(idaction, here)
			WHERE l.idsite = r.idsite AND l.server_time >= r.begins AND l.server_time < r.ends
				AND l.consent BETWEEN r.least_consent AND r.greatest_consent
				AND x.idaction <> 0
			GROUP BY x.idaction
			HAVING count(*) FILTER (WHERE x.here) > 0) m
			CROSS JOIN LATERAL (SELECT a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction AND a.type = 4 LIMIT 1) n
		ORDER BY m.nb_hits DESC, n.name;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_titles(integer, date, date, text) IS 'page views by title; sum_time_spent: seconds until the next action';

CREATE FUNCTION pk_tracking.report_downloads(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	url text,
	nb_hits bigint,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_downloads.idsite, report_downloads.from_date, report_downloads.to_date, report_downloads.visitors);
	RETURN QUERY
		SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors,
			m.nb_visits_anonymous, round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
		FROM (
			SELECT l.idaction_url, count(*) AS nb_hits,
				count(DISTINCT l.idvisit) AS nb_visits,
				count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
				count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous
			FROM pk_tracking.log_link_visit_action l
			WHERE l.idsite = r.idsite AND l.server_time >= r.begins AND l.server_time < r.ends
				AND l.consent BETWEEN r.least_consent AND r.greatest_consent
				AND l.idaction_url <> 0
			GROUP BY l.idaction_url) m
			CROSS JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction_url AND a.type = 3 LIMIT 1) n
		ORDER BY m.nb_hits DESC, n.name;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_downloads(integer, date, date, text) IS 'downloads by URL';

CREATE FUNCTION pk_tracking.report_outlinks(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	url text,
	nb_hits bigint,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_outlinks.idsite, report_outlinks.from_date, report_outlinks.to_date, report_outlinks.visitors);
	RETURN QUERY
		SELECT n.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors,
			m.nb_visits_anonymous, round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
		FROM (
			SELECT l.idaction_url, count(*) AS nb_hits,
				count(DISTINCT l.idvisit) AS nb_visits,
				count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
				count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous
			FROM pk_tracking.log_link_visit_action l
			WHERE l.idsite = r.idsite AND l.server_time >= r.begins AND l.server_time < r.ends
				AND l.consent BETWEEN r.least_consent AND r.greatest_consent
				AND l.idaction_url <> 0
			GROUP BY l.idaction_url) m
			CROSS JOIN LATERAL (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name AS name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction_url AND a.type = 2 LIMIT 1) n
		ORDER BY m.nb_hits DESC, n.name;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_outlinks(integer, date, date, text) IS 'clicks on links to other websites by URL';

CREATE FUNCTION pk_tracking.report_searches(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	keyword text,
	nb_hits bigint,
	nb_no_result bigint,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_searches.idsite, report_searches.from_date, report_searches.to_date, report_searches.visitors);
	RETURN QUERY
		SELECT n.name, m.nb_hits, m.nb_no_result, m.nb_visits, m.nb_uniq_visitors,
			m.nb_visits_anonymous, round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
		FROM (
			SELECT l.idaction_name, count(*) FILTER (WHERE l.search_count = 0) AS nb_no_result,
				count(*) AS nb_hits,
				count(DISTINCT l.idvisit) AS nb_visits,
				count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
				count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous
			FROM pk_tracking.log_link_visit_action l
			WHERE l.idsite = r.idsite AND l.server_time >= r.begins AND l.server_time < r.ends
				AND l.consent BETWEEN r.least_consent AND r.greatest_consent
				AND l.idaction_url IS NULL AND l.idaction_name <> 0
			GROUP BY l.idaction_name) m
			CROSS JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction_name AND a.type = 8 LIMIT 1) n
		ORDER BY m.nb_hits DESC, n.name;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_searches(integer, date, date, text) IS 'site searches by keyword; nb_no_result: how many said that they found nothing';

CREATE FUNCTION pk_tracking.report_events(idsite integer, from_date date, to_date date, visitors text DEFAULT 'all')
RETURNS TABLE (
	category text,
	action text,
	name text,
	nb_events bigint,
	nb_visits bigint,
	nb_uniq_visitors bigint,
	nb_events_with_value bigint,
	sum_event_value numeric,
	min_event_value numeric,
	max_event_value numeric,
	avg_event_value numeric,
	nb_visits_anonymous bigint,
	anonymous_rate numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT COST 10000 ROWS 1000
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	r record;
BEGIN
	SELECT * INTO r FROM pk_tracking_internal.report_period(report_events.idsite, report_events.from_date, report_events.to_date, report_events.visitors);
	RETURN QUERY
		SELECT ec.name, ea.name, en.name, m.nb_hits, m.nb_visits, m.nb_uniq_visitors, m.nb_events_with_value,
			m.sum_event_value, m.min_event_value, m.max_event_value, round(m.sum_event_value / nullif(m.nb_events_with_value, 0), 2),
			m.nb_visits_anonymous, round(coalesce(100.0 * m.nb_visits_anonymous / nullif(m.nb_visits, 0), 0), 1)
		FROM (
			SELECT l.idaction_event_category, l.idaction_event_action, nullif(l.idaction_name, 0) AS idaction_name,
				count(*) AS nb_hits,
				count(DISTINCT l.idvisit) AS nb_visits,
				count(DISTINCT l.idvisitor) + count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_uniq_visitors,
				count(DISTINCT l.idvisit) FILTER (WHERE l.consent >= 2) AS nb_visits_anonymous,
				count(l.custom_float) AS nb_events_with_value,
				sum(l.custom_float) AS sum_event_value, min(l.custom_float) AS min_event_value, max(l.custom_float) AS max_event_value
			FROM pk_tracking.log_link_visit_action l
			WHERE l.idsite = r.idsite AND l.server_time >= r.begins AND l.server_time < r.ends
				AND l.consent BETWEEN r.least_consent AND r.greatest_consent
				AND l.idaction_event_category IS NOT NULL
			GROUP BY l.idaction_event_category, l.idaction_event_action, nullif(l.idaction_name, 0)) m
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction_event_category LIMIT 1) ec ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction_event_action LIMIT 1) ea ON true
			LEFT JOIN LATERAL (SELECT a.name FROM pk_tracking.log_action a
				WHERE a.idsite = r.idsite AND a.idaction = m.idaction_name LIMIT 1) en ON true
		ORDER BY m.nb_hits DESC, ec.name, ea.name, en.name;
END
$$;
COMMENT ON FUNCTION pk_tracking.report_events(integer, date, date, text) IS 'events by category, action and name; name is NULL if there was none';
