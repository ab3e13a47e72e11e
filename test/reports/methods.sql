-- What each of Matomo's methods is here: a query over our reports, whose columns
-- have the names of Matomo's metrics, and label its label.  $1 site, $2 and $3
-- first and last day, $4 a filter.  Called by answers.sql.
--
-- Where Matomo's row is a sum of ours (a page under two hosts is one path), the
-- query adds up.  Labels are translated, numbers are not.

CREATE TABLE reports.method (method text PRIMARY KEY, query text NOT NULL);

-- two reports of ours answer this method, one by names and one by codes
INSERT INTO reports.answer (idsite, method, period, first_day, last_day, answer)
	SELECT idsite, method || '?by=code', period, first_day, last_day, answer FROM reports.answer WHERE method = 'UserCountry.getCountry' AND segment IS NULL;

-- methods that have no report here, and why
CREATE TABLE reports.without (method text PRIMARY KEY, reason text NOT NULL);

-- a code of Matomo's report in place of its label, where ours gives the code
CREATE TABLE reports.label_is (method text PRIMARY KEY, metric text NOT NULL);
INSERT INTO reports.label_is VALUES ('UserCountry.getCountry?by=code', 'code'), ('MultiSites.getOne', 'idsite'),
	('VisitTime.getByDayOfWeek', 'day_of_week');

-- %XX of UTF-8
CREATE FUNCTION reports.decoded(t text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN t !~ '%[0-9A-Fa-f]{2}' THEN t ELSE
		convert_from((SELECT string_agg(CASE WHEN m[1] ~ '^%' THEN decode(substr(m[1], 2), 'hex') ELSE convert_to(m[1], 'UTF8') END, '' ORDER BY n)
			FROM regexp_matches(t, '(%[0-9A-Fa-f]{2}|[^%]+|%)', 'g') WITH ORDINALITY AS x(m, n)), 'UTF8') END
$$;

-- the path that Matomo's flat reports show
CREATE FUNCTION reports.path(url text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE p.path WHEN '' THEN '/' ELSE reports.decoded(p.path) END
	FROM (SELECT regexp_replace(url, '^[a-z]+://[^/]*', '') AS path) p
$$;

-- a language as Matomo names it: language and country, but for the country that the language's name implies
CREATE FUNCTION reports.language(code text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce('{"de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "zh": "Chinese", "ja": "Japanese", "pl": "Polish", "pt": "Portuguese"}'::jsonb
			->> split_part(code, '-', 1), 'Unknown')
		|| coalesce(' - ' || ('{"at": "Austria", "br": "Brazil", "cn": "China", "gb": "United Kingdom", "jp": "Japan", "us": "United States"}'::jsonb ->> split_part(code, '-', 2)), '')
$$;

INSERT INTO reports.method VALUES
('VisitsSummary.get', $$
	SELECT '' AS label, v.*, v.bounce_rate / 100 AS bounce_rate
	FROM pk_tracking.report_visits($1, $2, $3, 'range'{filter}) v$$),
('VisitsSummary.getUniqueVisitors', $$
	SELECT '' AS label, v.* FROM pk_tracking.report_visits($1, $2, $3, 'range'{filter}) v$$),
('VisitsSummary.getUsers', $$
	SELECT '' AS label, v.* FROM pk_tracking.report_visits($1, $2, $3, 'range'{filter}) v$$),
('VisitFrequency.get', $$
	SELECT jsonb_object_agg(e.key || CASE v.visitor_type WHEN 'new' THEN '_new' ELSE '_returning' END,
		CASE WHEN e.key = 'bounce_rate' THEN to_jsonb(v.bounce_rate / 100) ELSE e.value END) || '{"label": ""}' AS row
	FROM pk_tracking.report_visitors($1, $2, $3, 'range'{filter}) v CROSS JOIN LATERAL jsonb_each(to_jsonb(v)) e
	WHERE v.visitor_type <> 'returning customer'$$),
('Actions.get', $$
	SELECT '' AS label, p.nb_pageviews, p.nb_uniq_pageviews, d.nb_downloads, d.nb_uniq_downloads,
		o.nb_outlinks, o.nb_uniq_outlinks, s.nb_searches, s.nb_keywords
	FROM (SELECT coalesce(sum(nb_hits), 0) AS nb_pageviews, coalesce(sum(nb_visits), 0) AS nb_uniq_pageviews
			FROM pk_tracking.report_pages($1, $2, $3{filter})) p,
		(SELECT coalesce(sum(nb_hits), 0) AS nb_downloads, coalesce(sum(nb_visits), 0) AS nb_uniq_downloads
			FROM pk_tracking.report_downloads($1, $2, $3{filter})) d,
		(SELECT coalesce(sum(nb_hits), 0) AS nb_outlinks, coalesce(sum(nb_visits), 0) AS nb_uniq_outlinks
			FROM pk_tracking.report_outlinks($1, $2, $3{filter})) o,
		(SELECT coalesce(sum(nb_hits), 0) AS nb_searches, count(*) AS nb_keywords
			FROM pk_tracking.report_searches($1, $2, $3{filter})) s$$),
('Actions.getPageUrls', $$
	SELECT reports.path(url) AS label, sum(nb_hits) AS nb_hits, sum(nb_visits) AS nb_visits,
		sum(nb_uniq_visitors) AS nb_uniq_visitors, sum(sum_time_spent) AS sum_time_spent,
		coalesce(round(sum(sum_time_spent) / nullif(sum(nb_hits), 0)), 0) AS avg_time_on_page,
		sum(entry_nb_visits) AS entry_nb_visits, sum(entry_nb_actions) AS entry_nb_actions,
		sum(entry_sum_visit_length) AS entry_sum_visit_length, sum(entry_bounce_count) AS entry_bounce_count,
		coalesce(sum(entry_bounce_count) / nullif(sum(entry_nb_visits), 0), 0) AS bounce_rate,
		sum(exit_nb_visits) AS exit_nb_visits, coalesce(sum(exit_nb_visits) / nullif(sum(nb_visits), 0), 0) AS exit_rate
	FROM pk_tracking.report_pages($1, $2, $3{filter}) GROUP BY 1$$),
('Actions.getPageTitles', $$
	SELECT coalesce(title, 'Page Name not defined') AS label, p.*, bounce_rate / 100 AS bounce_rate, exit_rate / 100 AS exit_rate
	FROM pk_tracking.report_titles($1, $2, $3{filter}) p$$),
('Actions.getEntryPageUrls', $$
	SELECT reports.path(url) AS label, sum(entry_nb_visits) AS entry_nb_visits, sum(entry_nb_uniq_visitors) AS entry_nb_uniq_visitors,
		sum(entry_nb_actions) AS entry_nb_actions, sum(entry_sum_visit_length) AS entry_sum_visit_length,
		sum(entry_bounce_count) AS entry_bounce_count, sum(entry_bounce_count) / sum(entry_nb_visits) AS bounce_rate
	FROM pk_tracking.report_entry_pages($1, $2, $3{filter}) GROUP BY 1$$),
('Actions.getEntryPageTitles', $$
	SELECT coalesce(title, 'Page Name not defined') AS label, p.*, bounce_rate / 100 AS bounce_rate
	FROM pk_tracking.report_entry_titles($1, $2, $3{filter}) p$$),
('Actions.getExitPageUrls', $$
	SELECT reports.path(url) AS label, sum(exit_nb_visits) AS exit_nb_visits, sum(exit_nb_uniq_visitors) AS exit_nb_uniq_visitors,
		sum(nb_visits) AS nb_visits, sum(exit_nb_visits) / nullif(sum(nb_visits), 0) AS exit_rate
	FROM pk_tracking.report_exit_pages($1, $2, $3{filter}) GROUP BY 1$$),
('Actions.getExitPageTitles', $$
	SELECT coalesce(title, 'Page Name not defined') AS label, p.*, exit_rate / 100 AS exit_rate
	FROM pk_tracking.report_exit_titles($1, $2, $3{filter}) p$$),
('Actions.getPageUrlsFollowingSiteSearch', $$
	-- labels of this method have no slash before a folder
	SELECT replace(regexp_replace(reports.path(url), '^/([^?]*/)', '\1'), '+', ' ') AS label, sum(nb_hits_following_search) AS nb_hits_following_search, sum(nb_hits) AS nb_hits
	FROM pk_tracking.report_pages_after_search($1, $2, $3{filter}) GROUP BY 1$$),
('Actions.getSiteSearchCategories', $$
	SELECT category AS label, p.*, nb_hits AS nb_actions
	FROM pk_tracking.report_search_categories($1, $2, $3{filter}) p$$),
('Actions.getSiteSearchNoResultKeywords', $$
	SELECT keyword AS label, nb_hits FROM pk_tracking.report_searches_without_results($1, $2, $3{filter})$$),
('Contents.getContentNames', $$
	SELECT concat_ws(' - ', content_name, content_piece) AS label, p.*, interaction_rate / 100 AS interaction_rate
	FROM pk_tracking.report_contents($1, $2, $3{filter}) p$$),
('Contents.getContentPieces', $$
	SELECT concat_ws(' - ', content_piece, content_name) AS label, p.*, interaction_rate / 100 AS interaction_rate
	FROM pk_tracking.report_contents($1, $2, $3{filter}) p$$),
('PagePerformance.get', $$
	SELECT '' AS label, p.* FROM pk_tracking.report_performance($1, $2, $3, 'range'{filter}) p$$),
('Actions.getDownloads', $$
	SELECT regexp_replace(url, '^[a-z]+://', '') AS label, p.* FROM pk_tracking.report_downloads($1, $2, $3{filter}) p$$),
('Actions.getOutlinks', $$
	SELECT regexp_replace(url, '^[a-z]+://', '') AS label, p.* FROM pk_tracking.report_outlinks($1, $2, $3{filter}) p$$),
('Actions.getSiteSearchKeywords', $$
	SELECT keyword AS label, p.*, exit_rate / 100 AS exit_rate FROM pk_tracking.report_searches($1, $2, $3{filter}) p$$),
('DevicesDetection.getType', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'deviceType'{filter}) p$$),
('DevicesDetection.getBrand', $$
	SELECT CASE device_brand WHEN 'unknown' THEN 'Unknown' ELSE device_brand END AS label, p.* FROM pk_tracking.report_device_brands($1, $2, $3{filter}) p$$),
('DevicesDetection.getModel', $$
	SELECT concat_ws(' - ', nullif(device_brand, 'unknown'), CASE device_model WHEN 'generic desktop' THEN 'Generic Desktop' WHEN 'SM-S918B' THEN 'Galaxy S23 Ultra' WHEN 'SM-G991B' THEN 'Galaxy S21 5G'
		ELSE coalesce(device_model, 'Generic Smartphone') END) AS label, p.*
	FROM pk_tracking.report_device_models($1, $2, $3{filter}) p$$),
('DevicesDetection.getOsFamilies', $$
	SELECT os AS label, p.* FROM pk_tracking.report_systems($1, $2, $3{filter}) p$$),
('DevicesDetection.getOsVersions', $$
	SELECT replace(concat_ws(' ', os, version), 'iPadOS', 'iOS') AS label, p.* FROM pk_tracking.report_system_versions($1, $2, $3{filter}) p$$),
('DevicesDetection.getBrowsers', $$
	SELECT browser AS label, p.* FROM pk_tracking.report_browsers($1, $2, $3{filter}) p$$),
('DevicesDetection.getBrowserVersions', $$
	SELECT concat_ws(' ', browser, version) AS label, p.* FROM pk_tracking.report_browser_versions($1, $2, $3{filter}) p$$),
('UserCountry.getCountry', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'countryCode'{filter}) p$$),
('UserCountry.getCountry?by=code', $$
	SELECT country AS label, p.* FROM pk_tracking.report_countries($1, $2, $3{filter}) p$$),
('UserLanguage.getLanguageCode', $$
	SELECT CASE p.label WHEN 'Unknown' THEN to_jsonb(p) || '{"label": "Unknown (xx)"}' ELSE to_jsonb(p) END AS row FROM pk_tracking.report_by($1, $2, $3, 'languageCode'{filter}) p$$),
('UserLanguage.getLanguage', $$
	SELECT reports.language(split_part(language, '-', 1)) AS label, sum(nb_visits) AS nb_visits, sum(nb_uniq_visitors) AS nb_uniq_visitors, sum(nb_users) AS nb_users, sum(nb_actions) AS nb_actions, max(max_actions) AS max_actions,
		sum(bounce_count) AS bounce_count, sum(sum_visit_length) AS sum_visit_length, sum(nb_visits_converted) AS nb_visits_converted
	FROM pk_tracking.report_languages($1, $2, $3{filter}) p GROUP BY 1$$),
('VisitTime.getVisitInformationPerServerTime', $$
	SELECT to_char(h.hour, 'FM00') AS label, h.*, coalesce(c.nb_conversions, 0) AS nb_conversions, coalesce(c.revenue, 0) AS revenue, c.goals
	FROM pk_tracking.report_hours($1, $2, $3{filter}) h
		LEFT JOIN (SELECT c.hour, sum(c.nb_conversions) AS nb_conversions, sum(c.revenue) AS revenue,
				jsonb_object_agg('idgoal=' || c.idgoal, jsonb_build_object('nb_conversions', c.nb_conversions, 'nb_visits_converted', c.nb_visits_converted, 'revenue', c.revenue)) AS goals
			FROM pk_tracking.report_conversion_hours($1, $2, $3{filter}) c GROUP BY 1) c USING (hour)$$),
('Referrers.getReferrerType', $$
	-- a type can have conversions and no visit: as the conversion has stored it
	SELECT CASE referrer_type WHEN 'direct' THEN 'Direct Entry' WHEN 'search engine' THEN 'Search Engines' WHEN 'website' THEN 'Websites'
		WHEN 'campaign' THEN 'Campaigns' WHEN 'social network' THEN 'Social Networks' ELSE referrer_type END AS label, p.*, coalesce(p.nb_visits, 0) AS nb_visits,
		array_position('{direct,search engine,website,-,-,campaign,social network,AI assistant}', referrer_type) AS referrer_type,
		coalesce(c.nb_conversions, 0) AS nb_conversions, coalesce(c.revenue, 0) AS revenue, c.goals
	FROM pk_tracking.report_referrer_types($1, $2, $3{filter}) p
		FULL JOIN (SELECT c.referrer_type, sum(c.nb_conversions) AS nb_conversions, sum(c.revenue) AS revenue,
				jsonb_object_agg('idgoal=' || c.idgoal, jsonb_build_object('nb_conversions', c.nb_conversions, 'nb_visits_converted', c.nb_visits_converted, 'revenue', c.revenue)) AS goals
			FROM (SELECT c.referrer_type, c.idgoal, sum(c.nb_conversions) AS nb_conversions, sum(c.nb_visits_converted) AS nb_visits_converted, sum(c.revenue) AS revenue
				FROM pk_tracking.report_conversions($1, $2, $3{filter}) c GROUP BY 1, 2) c GROUP BY 1) c USING (referrer_type)$$),
('Referrers.getCampaigns', $$
	SELECT concat_ws(' - ', referer_name, referer_keyword) AS label, p.* FROM pk_tracking.report_campaigns($1, $2, $3{filter}) p$$),
('Referrers.getKeywords', $$
	SELECT concat(referer_keyword, ' - ', referer_name) AS label, p.* FROM pk_tracking.report_keywords($1, $2, $3{filter}) p$$),
('Referrers.getSearchEngines', $$
	SELECT concat(referer_name, ' - ', coalesce(referer_keyword, 'Keyword not defined')) AS label, p.* FROM pk_tracking.report_keywords($1, $2, $3{filter}) p$$);
INSERT INTO reports.method SELECT 'CustomDimensions.getCustomDimension?idDimension=' || n, format($$
	SELECT concat(value, ' - ', reports.decoded(url)) AS label, nb_hits, nb_visits, nb_uniq_visitors, sum_time_spent,
		avg_time_on_dimension, bounce_count, exit_nb_visits, bounce_rate / 100 AS bounce_rate, exit_rate / 100 AS exit_rate
	FROM pk_tracking.report_action_dimension_urls($1, $2, $3, %s{filter}) d$$, n)
FROM unnest('{2,3}'::integer[]) n;

-- goals: all together, orders, carts, and each
INSERT INTO reports.method SELECT 'Goals.get' || m.name, format($$
	SELECT '' AS label, g.*, g.conversion_rate / 100 AS conversion_rate, g.conversion_rate_new_visit / 100 AS conversion_rate_new_visit,
		g.conversion_rate_returning_visit / 100 AS conversion_rate_returning_visit
	FROM pk_tracking.report_goal_summary($1, $2, $3{filter}) g WHERE g.idgoal %s$$, m.goal)
FROM (VALUES ('', 'IS NULL'), ('?idGoal=ecommerceOrder', '= 0'), ('?idGoal=ecommerceAbandonedCart', '= -1')) AS m(name, goal)
UNION ALL SELECT 'Goals.get?idGoal=' || n, format($$
	SELECT '' AS label, g.*, g.conversion_rate / 100 AS conversion_rate, g.conversion_rate_new_visit / 100 AS conversion_rate_new_visit,
		g.conversion_rate_returning_visit / 100 AS conversion_rate_returning_visit
	FROM pk_tracking.report_goal_summary($1, $2, $3{filter}) g WHERE g.idgoal = %s$$, n)
FROM unnest('{1,2,4,5,6}'::integer[]) n;
INSERT INTO reports.method VALUES
('Goals.getDaysToConversion', $$
	SELECT days AS label, d.* FROM pk_tracking.report_days_to_conversion($1, $2, $3{filter}) d$$),
('Goals.getVisitsUntilConversion', $$
	SELECT visits AS label, d.* FROM pk_tracking.report_visits_to_conversion($1, $2, $3{filter}) d$$),
('Goals.getItemsName', $$
	SELECT coalesce(name, 'Product Name not defined') AS label, i.* FROM pk_tracking.report_product_names($1, $2, $3{filter}) i WHERE orders > 0$$),
('Goals.getItemsCategory', $$
	SELECT coalesce(category, 'Product Category not defined') AS label, i.* FROM pk_tracking.report_product_categories($1, $2, $3{filter}) i WHERE orders > 0$$),
('Goals.getItemsSku', $$
	SELECT sku AS label, i.* FROM pk_tracking.report_products($1, $2, $3{filter}) i WHERE orders > 0$$),
('Goals.getItemsSku?abandonedCarts=1', $$
	SELECT sku AS label, i.abandoned_carts, i.nb_visits FROM pk_tracking.report_products($1, $2, $3{filter}) i WHERE abandoned_carts > 0$$),
('MultiSites.getOne', $$
	SELECT s.idsite::text AS label, s.*, s.visits_evolution / 100 AS visits_evolution, s.actions_evolution / 100 AS actions_evolution,
		s.pageviews_evolution / 100 AS pageviews_evolution, s.revenue_evolution / 100 AS revenue_evolution,
		s.previous_nb_pageviews AS "previous_Actions_nb_pageviews", s.previous_revenue AS "previous_Goal_revenue"
	FROM pk_tracking.report_sites($2, $3{filter}) s WHERE s.idsite = $1$$);
INSERT INTO reports.method VALUES
('Resolution.getResolution', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'resolution'{filter}) p$$),
('UserCountry.getContinent', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'continentCode'{filter}) p$$),
('DevicesDetection.getBrowserEngines', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'browserEngine'{filter}) p$$),
('VisitTime.getVisitInformationPerLocalTime', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'visitLocalHour'{filter}) p$$),
('VisitTime.getByDayOfWeek', $$
	SELECT array_position('{Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday}', p.label) AS label, p.nb_visits, p.nb_uniq_visitors, p.nb_actions, p.nb_users, p.sum_visit_length, p.bounce_count, p.nb_visits_converted,
		array_position('{Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday}', p.label) AS day_of_week
	FROM pk_tracking.report_by($1, $2, $3, 'visitEndServerDayOfWeek'{filter}) p$$),
('VisitorInterest.getNumberOfVisitsByDaysSinceLast', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'daysSinceLastVisit'{filter}) p$$),
('VisitorInterest.getNumberOfVisitsByVisitCount', $$
	SELECT p.*, round(p.nb_visits / nullif(sum(p.nb_visits) OVER (), 0), 2) AS nb_visits_percentage FROM pk_tracking.report_by($1, $2, $3, 'visitCount'{filter}) p$$),
('VisitorInterest.getNumberOfVisitsPerPage', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'actions'{filter}) p$$),
('VisitorInterest.getNumberOfVisitsPerVisitDuration', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'visitDuration'{filter}) p$$),
('UserId.getUsers', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'userId'{filter}) p WHERE p.label <> 'Unknown'$$),
('CustomDimensions.getCustomDimension?idDimension=1', $$
	SELECT p.* FROM pk_tracking.report_by($1, $2, $3, 'dimension1'{filter}) p WHERE p.label <> 'Unknown'$$),
('DevicePlugins.getPlugin', $$
	SELECT x.plugin AS label, coalesce((SELECT p.nb_visits FROM pk_tracking.report_by($1, $2, $3, 'plugin' || x.plugin{filter}) p WHERE p.label = '1'), 0) AS nb_visits,
		coalesce((SELECT round(sum(p.nb_visits) FILTER (WHERE p.label = '1') / sum(p.nb_visits), 2)
			FROM pk_tracking.report_by($1, $2, $3, 'plugin' || x.plugin{filter}) p), 0) AS nb_visits_percentage
	FROM unnest('{Cookie,Flash,Java,Pdf,Quicktime,Realplayer,Silverlight,Windowsmedia}'::text[]) AS x(plugin)$$);

-- no report of ours
INSERT INTO reports.without VALUES
('Referrers.getAll', 'keywords, websites, networks and campaigns in one list: getKeywords, getWebsites, getSocials and getCampaigns compare their numbers'),
('Resolution.getConfiguration', 'system, browser and resolution together: report_by() takes one dimension at a time');

-- the same rows under other labels
INSERT INTO reports.method SELECT 'Referrers.getReferrerType?idGoal=0', m.query FROM reports.method m WHERE m.method = 'Referrers.getReferrerType';
INSERT INTO reports.method SELECT m.method, format($$
	SELECT %s AS label, sum(nb_events) AS nb_events, sum(nb_visits) AS nb_visits, sum(nb_uniq_visitors) AS nb_uniq_visitors, sum(nb_events_with_value) AS nb_events_with_value,
		coalesce(sum(sum_event_value), 0) AS sum_event_value, min(min_event_value) AS min_event_value, max(max_event_value) AS max_event_value,
		round(coalesce(sum(sum_event_value) / nullif(sum(nb_events_with_value), 0), 0), 2) AS avg_event_value
	FROM pk_tracking.report_events($1, $2, $3{filter}) GROUP BY 1$$, m.label)
FROM (VALUES ('Events.getCategory', $$concat_ws(' - ', category, action)$$), ('Events.getAction', $$concat_ws(' - ', action, name)$$), ('Events.getName', $$concat_ws(' - ', coalesce(name, 'Event Name not defined'), action)$$)) m(method, label);
INSERT INTO reports.method VALUES
('Referrers.getWebsites', $$
	SELECT concat(referer_name, '/', coalesce(nullif(regexp_replace(referer_url, '^[a-z]+://[^/]*/?', ''), ''), 'index')) AS label, p.*
	FROM pk_tracking.report_referring_pages($1, $2, $3{filter}) p WHERE referrer_type = 'website'$$),
('Referrers.getSocials', $$
	SELECT concat(referer_name, ' - ', referer_url) AS label, p.* FROM pk_tracking.report_referring_pages($1, $2, $3{filter}) p WHERE referrer_type = 'social network'$$),
('Referrers.getUrlsForSocial', $$
	SELECT regexp_replace(referer_url, '^[a-z]+://', '') AS label, p.* FROM pk_tracking.report_referring_pages($1, $2, $3{filter}) p WHERE referrer_type = 'social network'$$),
('Referrers.get', $$
	SELECT '' AS label, v.*, n.*, round(v."Referrers_visitorsFromDirectEntry" / nullif(v.all, 0), 2) AS "Referrers_visitorsFromDirectEntry_percent",
		round(v."Referrers_visitorsFromSearchEngines" / nullif(v.all, 0), 2) AS "Referrers_visitorsFromSearchEngines_percent", round(v."Referrers_visitorsFromCampaigns" / nullif(v.all, 0), 2) AS "Referrers_visitorsFromCampaigns_percent",
		round(v."Referrers_visitorsFromSocialNetworks" / nullif(v.all, 0), 2) AS "Referrers_visitorsFromSocialNetworks_percent", round(v."Referrers_visitorsFromWebsites" / nullif(v.all, 0), 2) AS "Referrers_visitorsFromWebsites_percent"
	FROM (SELECT sum(nb_visits) AS all, coalesce(sum(nb_visits) FILTER (WHERE referrer_type = 'direct'), 0) AS "Referrers_visitorsFromDirectEntry", coalesce(sum(nb_visits) FILTER (WHERE referrer_type = 'search engine'), 0) AS "Referrers_visitorsFromSearchEngines",
			coalesce(sum(nb_visits) FILTER (WHERE referrer_type = 'campaign'), 0) AS "Referrers_visitorsFromCampaigns", coalesce(sum(nb_visits) FILTER (WHERE referrer_type = 'social network'), 0) AS "Referrers_visitorsFromSocialNetworks",
			coalesce(sum(nb_visits) FILTER (WHERE referrer_type = 'website'), 0) AS "Referrers_visitorsFromWebsites" FROM pk_tracking.report_referrer_types($1, $2, $3{filter})) v,
		(SELECT count(*) FILTER (WHERE referrer_type = 'search engine') AS "Referrers_distinctSearchEngines", count(*) FILTER (WHERE referrer_type = 'social network') AS "Referrers_distinctSocialNetworks",
			count(*) FILTER (WHERE referrer_type = 'website') AS "Referrers_distinctWebsites", count(*) FILTER (WHERE referrer_type = 'campaign') AS "Referrers_distinctCampaigns",
			(SELECT count(DISTINCT coalesce(referer_keyword, '')) FROM pk_tracking.report_keywords($1, $2, $3{filter})) AS "Referrers_distinctKeywords",
			(SELECT count(DISTINCT referer_url) FROM pk_tracking.report_referring_pages($1, $2, $3{filter}) WHERE referrer_type = 'website') AS "Referrers_distinctWebsitesUrls"
		FROM pk_tracking.report_referrers($1, $2, $3{filter})) n$$),
('UserCountry.getCity', $$
	SELECT CASE WHEN city IS NULL THEN 'Unknown' ELSE city END AS label, sum(nb_visits) AS nb_visits, sum(nb_actions) AS nb_actions, max(max_actions) AS max_actions,
		sum(bounce_count) AS bounce_count, sum(sum_visit_length) AS sum_visit_length, sum(nb_visits_converted) AS nb_visits_converted, sum(nb_conversions) AS nb_conversions, sum(revenue) AS revenue
	FROM pk_tracking.report_cities($1, $2, $3{filter}) GROUP BY 1$$),
('UserCountry.getRegion', $$
	SELECT CASE WHEN region IS NULL THEN 'Unknown' ELSE region END AS label, sum(nb_visits) AS nb_visits, sum(nb_actions) AS nb_actions, max(max_actions) AS max_actions,
		sum(bounce_count) AS bounce_count, sum(sum_visit_length) AS sum_visit_length, sum(nb_visits_converted) AS nb_visits_converted, sum(nb_conversions) AS nb_conversions, sum(revenue) AS revenue
	FROM pk_tracking.report_regions($1, $2, $3{filter}) GROUP BY 1$$);
