
-- ---------------------------------------------------------------------------
-- report/visits: the reports that count visits
-- ---------------------------------------------------------------------------

-- by time

SELECT pk_tracking_internal.make_visit_report('report_visits',
	'visits, visitors, page views and times by period (hour, day, week, month, quarter, year or range); every period has a row',
	'', '{}', types => '{}', by_period => true);

SELECT pk_tracking_internal.make_visit_report('report_visitors',
	'report_visits() by type of visitor: new, returning, returning customer; an anonymous visit is always one of a new visitor',
	'visitor_type text', ARRAY['v.visitor_returning'], types => '{smallint}',
	labels => ARRAY['pk_tracking.visitor_type_name(k2)'],
	axis => '(VALUES (0::smallint), (1::smallint), (2::smallint)) AS type(k2)', by_period => true);

SELECT pk_tracking_internal.make_visit_report('report_hours',
	'visits by the hour at which they began, by the site''s clock; every hour has a row',
	'hour integer', ARRAY['extract(hour FROM v.visit_first_action_time AT TIME ZONE $6)::integer'],
	types => '{integer}', axis => 'generate_series(0, 23) AS clock(k1)', rows => 24);

SELECT pk_tracking_internal.make_rollup_kind('consent', ARRAY['v.consent'], '{smallint}');
SELECT pk_tracking_internal.make_report('report_consent',
	'visits by consent and period: identified (not asked, or granted) and anonymous (undecided, or refused)',
	'nb_visits bigint, nb_visits_identified bigint, nb_visits_not_asked bigint,
	nb_visits_granted bigint, nb_visits_undecided bigint, nb_visits_refused bigint,
	nb_visits_anonymous bigint, anonymous_rate numeric',
	$report$
	SELECT {first_day}, {last_day}, {begins},
		coalesce(m.nb_visits, 0), coalesce(m.not_asked + m.granted, 0),
		coalesce(m.not_asked, 0), coalesce(m.granted, 0),
		coalesce(m.undecided, 0), coalesce(m.refused, 0), coalesce(m.undecided + m.refused, 0),
		round(coalesce(100.0 * (m.undecided + m.refused) / m.nb_visits, 0), 1)
	FROM {spans} LEFT JOIN (
		SELECT c.k1,
			sum(c.nb_visits)::bigint AS nb_visits,
			coalesce(sum(c.nb_visits) FILTER (WHERE c.k2 = 0), 0)::bigint AS not_asked,
			coalesce(sum(c.nb_visits) FILTER (WHERE c.k2 = 1), 0)::bigint AS granted,
			coalesce(sum(c.nb_visits) FILTER (WHERE c.k2 = 2), 0)::bigint AS undecided,
			coalesce(sum(c.nb_visits) FILTER (WHERE c.k2 = 3), 0)::bigint AS refused
		FROM {rollup consent} (
			SELECT {span of v.visit_first_action_time} AS k1, v.consent AS k2,
				count(*) AS nb_visits
			FROM pk_tracking.log_visit v
			WHERE {visits v}
			GROUP BY 1, 2) {end of rollup} c
		GROUP BY c.k1) m USING (k1)
	ORDER BY k1
	$report$,
	by_period => true);

-- by location

SELECT pk_tracking_internal.make_visit_report('report_countries',
	'visits by country code; xx if it is unknown',
	'country text', ARRAY[$$coalesce(nullif(v.location_country, ''), 'xx')$$], types => '{text}');

SELECT pk_tracking_internal.make_visit_report('report_regions',
	'visits by country and region; region is NULL if it is unknown',
	'country text, region text',
	ARRAY[$$coalesce(nullif(v.location_country, ''), 'xx')$$, $$nullif(v.location_region, '')$$],
	labels => ARRAY['k1', 'pk_tracking.plain_text($1, k2)'], types => '{text,text}');

SELECT pk_tracking_internal.make_visit_report('report_cities',
	'visits by country, region and city; region and city are NULL if they are unknown',
	'country text, region text, city text',
	ARRAY[$$coalesce(nullif(v.location_country, ''), 'xx')$$, $$nullif(v.location_region, '')$$,
		$$nullif(v.location_city, '')$$],
	labels => ARRAY['k1', 'pk_tracking.plain_text($1, k2)', 'pk_tracking.plain_text($1, k3)'], types => '{text,text,text}');

SELECT pk_tracking_internal.make_visit_report('report_languages',
	'visits by browser language; NULL if it is unknown',
	'language text', ARRAY[$$nullif(v.location_browser_lang, '')$$], types => '{text}');

-- by system, browser and device

SELECT pk_tracking_internal.make_visit_report('report_browsers',
	'visits by browser or other program',
	'browser text', ARRAY[$$coalesce(nullif(v.config_browser_name, ''), 'UNK')$$],
	labels => ARRAY['pk_tracking.browser_name(k1)'], types => '{text}');

SELECT pk_tracking_internal.make_visit_report('report_browser_versions',
	'visits by browser and version; version is NULL if it is unknown',
	'browser text, version text',
	ARRAY[$$coalesce(nullif(v.config_browser_name, ''), 'UNK')$$,
		$$CASE WHEN v.config_browser_version NOT IN ('', 'UNK')
			THEN v.config_browser_version END$$],
	labels => ARRAY['pk_tracking.browser_name(k1)', 'k2'], types => '{text,text}');

SELECT pk_tracking_internal.make_visit_report('report_systems',
	'visits by family of operating systems: distributions are GNU/Linux, iPadOS is iOS',
	'os text', ARRAY[$$pk_tracking.os_family(coalesce(v.config_os, ''))$$], types => '{text}');

SELECT pk_tracking_internal.make_visit_report('report_system_versions',
	'visits by operating system and version; version is NULL if it is unknown',
	'os text, version text',
	ARRAY[$$coalesce(nullif(v.config_os, ''), 'UNK')$$,
		$$CASE WHEN v.config_os_version NOT IN ('', 'UNK') THEN v.config_os_version END$$],
	labels => ARRAY['pk_tracking.os_name(k1)', 'k2'], types => '{text,text}');

SELECT pk_tracking_internal.make_visit_report('report_device_types',
	'visits by type of device',
	'device_type text', ARRAY['v.config_device_type'], types => '{smallint}',
	labels => ARRAY[$$coalesce(pk_tracking.device_type_name(k1), 'unknown')$$]);

SELECT pk_tracking_internal.make_visit_report('report_device_brands',
	'visits by manufacturer of the device',
	'device_brand text', ARRAY[$$coalesce(nullif(v.config_device_brand, ''), 'UNK')$$],
	labels => ARRAY['pk_tracking.device_brand_name(k1)'], types => '{text}');

SELECT pk_tracking_internal.make_visit_report('report_device_models',
	'visits by manufacturer and model of the device; model is NULL if it is unknown',
	'device_brand text, device_model text',
	ARRAY[$$coalesce(nullif(v.config_device_brand, ''), 'UNK')$$,
		$$CASE WHEN v.config_device_model NOT IN ('', 'UNK') THEN v.config_device_model END$$],
	labels => ARRAY['pk_tracking.device_brand_name(k1)', 'k2'], types => '{text,text}');

-- by referrer

SELECT pk_tracking_internal.make_visit_report('report_referrer_types',
	'visits by type of referrer: direct, search engine, website, social network, AI assistant, campaign',
	'referrer_type text', ARRAY['v.referer_type'], types => '{smallint}',
	labels => ARRAY[$$coalesce(pk_tracking.referrer_type_name(k1), 'unknown')$$], rows => 10);

SELECT pk_tracking_internal.make_visit_report('report_referrers',
	'visits by referrer: type, and name of the search engine, website, social network, AI assistant or campaign',
	'referrer_type text, referer_name text',
	ARRAY['v.referer_type', $$nullif(v.referer_name, '')$$], types => '{smallint,text}',
	labels => ARRAY[$$coalesce(pk_tracking.referrer_type_name(k1), 'unknown')$$, 'k2']);

SELECT pk_tracking_internal.make_visit_report('report_referring_pages',
	'visits by the page of another website or social network that led to them: type, name and URL',
	'referrer_type text, referer_name text, referer_url text',
	ARRAY['v.referer_type', $$nullif(v.referer_name, '')$$, $$nullif(v.referer_url, '')$$],
	labels => ARRAY[$$coalesce(pk_tracking.referrer_type_name(k1), 'unknown')$$, 'k2', 'k3'],
	condition => 'v.referer_type IN (3, 7, 8)', rows => 1000);

SELECT pk_tracking_internal.make_visit_report('report_keywords',
	'visits from search engines by engine and keyword; keyword is NULL if it is unknown',
	'referer_name text, referer_keyword text',
	ARRAY[$$nullif(v.referer_name, '')$$, $$nullif(v.referer_keyword, '')$$],
	condition => 'v.referer_type = 2', types => '{text,text}');

SELECT pk_tracking_internal.make_visit_report('report_campaigns',
	'visits from campaigns by name and keyword; keyword is NULL if there was none',
	'referer_name text, referer_keyword text',
	ARRAY[$$nullif(v.referer_name, '')$$, $$nullif(v.referer_keyword, '')$$],
	condition => 'v.referer_type = 6', types => '{text,text}');
