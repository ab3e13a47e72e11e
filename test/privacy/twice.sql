-- The same traffic several times: with consent, and refused.  A browser does with
-- cookies what the answer says, and keeps them as long as it says; some refuse or
-- lose theirs, as traffic.device has it.  Sites: 100 + n with consent, 200 + n
-- refused, joined by cookie alone, 300 + n refused, with the settings as they are.
--
-- With consent visitors are told apart by their cookie alone, too, and nobody
-- logs in: one who does on two devices is one visitor, given consent.
SET client_min_messages = warning;
CREATE TABLE traffic.browser (browser text PRIMARY KEY, name text, value text, expires timestamptz);
CREATE TABLE traffic.variant (first_site integer, consent text, settings text[]);
INSERT INTO traffic.variant VALUES
	(100, 'consent=1', '{use_third_party_id_cookie,on,use_fingerprint,off}'),
	(200, 'uia=1', '{anonymous_fingerprint,off}'),
	(300, 'uia=1', '{}');
DO $$
DECLARE
	v record;
	s record;
BEGIN
	FOR v IN SELECT * FROM traffic.variant LOOP
		FOR s IN SELECT * FROM traffic.site LOOP
			INSERT INTO pk_tracking.site (idsite, name, urls, timezone) VALUES (v.first_site + s.idsite, s.name, ARRAY[s.host], s.timezone);
			PERFORM pk_tracking.set_site(v.first_site + s.idsite, 'consent_mode', 'ask_else_anonymous');
			PERFORM pk_tracking.set_site(v.first_site + s.idsite, 'window_look_back_for_visitor', '604800');
			FOR i IN 1 .. coalesce(array_length(v.settings, 1), 0) / 2 LOOP
				PERFORM pk_tracking.set_site(v.first_site + s.idsite, v.settings[2 * i - 1], v.settings[2 * i]);
			END LOOP;
		END LOOP;
	END LOOP;
END $$;

CREATE PROCEDURE traffic.send_with_cookies(first_site integer, consent text)
LANGUAGE plpgsql AS $$
DECLARE
	hit record;
	t pk_tracking.tracked;
	jar record;
	who text;
BEGIN
	FOR hit IN SELECT * FROM traffic.hit ORDER BY n LOOP
		who := concat_ws('/', first_site, hit.idsite, hit.visitor, hit.device, CASE WHEN hit.kind = 'loses cookie' THEN hit.coming END);
		SELECT b.name, b.value INTO jar FROM traffic.browser b WHERE b.browser = who AND b.expires >= hit.at;
		t := pk_tracking.track_request(
			regexp_replace(regexp_replace(hit.query, '&(_id|_idn|uid|_idts|_idvc|_viewts)=[^&]*', '', 'g'), 'idsite=\d+', 'idsite=' || first_site + hit.idsite) || '&' || consent,
			hit.ip, hit.user_agent, hit.accept_language, hit.at, CASE WHEN jar.value IS NOT NULL THEN jsonb_build_object('cookie', jar.name || '=' || jar.value) END);
		IF t.outcome <> 'recorded' THEN
			RAISE EXCEPTION 'hit % was %', hit.n, t.outcome;
		END IF;
		IF hit.kind <> 'no cookie' AND t.cookie_name IS NOT NULL THEN
			INSERT INTO traffic.browser VALUES (who, t.cookie_name, t.cookie_value, hit.at + t.cookie_max_age * interval '1 s')
			ON CONFLICT (browser) DO UPDATE SET name = excluded.name, value = excluded.value, expires = excluded.expires;
		END IF;
		COMMIT;
	END LOOP;
END $$;
SELECT format('CALL traffic.send_with_cookies(%s, %L)', first_site, consent) FROM traffic.variant ORDER BY 1 \gexec

-- What the reports say of each: every number of theirs that does not count visitors.
CREATE TABLE traffic.said (first_site integer, report text, row text, metric text, value numeric);
DO $$
DECLARE
	v record;
	s record;
	f text;
	period text;
BEGIN
	FOR v IN SELECT * FROM traffic.variant LOOP
		FOR s IN SELECT * FROM traffic.site LOOP
			FOREACH f IN ARRAY '{report_visits,report_hours,report_countries,report_regions,report_cities,report_languages,report_browsers,report_systems,report_device_types,report_referrer_types,report_referrers,report_campaigns,report_pages,report_entry_pages,report_exit_pages,report_visitors}'::text[] LOOP
				EXECUTE format($q$
					INSERT INTO traffic.said
					SELECT %s, %L, concat_ws('/', %s, (SELECT string_agg(e.value, '/' ORDER BY e.key) FROM jsonb_each_text(to_jsonb(r)) e WHERE e.key !~ '^((entry_|exit_)?(nb_|max_|bounce|sum_|avg_)|revenue)' AND e.key !~ '_rate$')),
						m.key, m.value::numeric
					FROM pk_tracking.%I(%s, '2026-11-13', '2026-11-22') r, LATERAL jsonb_each_text(to_jsonb(r)) m
					WHERE m.key ~ '^(entry_|exit_)?(nb_|max_|bounce|sum_|avg_)|_rate$' AND m.value IS NOT NULL$q$, v.first_site, f, s.idsite, f, v.first_site + s.idsite);
			END LOOP;
		END LOOP;
	END LOOP;
END $$;

\pset footer off
\pset null ''
\echo 'The same week three times'
\echo '-------------------------'
\echo
WITH total AS (
	SELECT o.n, o.what,
		(SELECT sum(t.value) FROM traffic.said t WHERE t.first_site = v.first_site AND t.report = o.report AND t.metric = o.metric AND t.row ~ o.rows)::text AS value, v.first_site
	FROM traffic.variant v, (VALUES
		(1, 'visits', 'report_visits', 'nb_visits', ''),
		(2, 'page views', 'report_visits', 'nb_pageviews', ''),
		(3, 'session time in seconds', 'report_visits', 'sum_visit_length', ''),
		(4, 'bounces', 'report_visits', 'bounce_count', ''),
		(5, 'visits from Germany', 'report_countries', 'nb_visits', '/de$'),
		(6, 'visits from Tokyo', 'report_cities', 'nb_visits', 'Tokyo'),
		(7, 'visits of new visitors', 'report_visitors', 'nb_visits', '/new$'),
		(8, 'visits of returning visitors', 'report_visitors', 'nb_visits', '/returning'),
		(9, 'anonymous visits', 'report_visits', 'nb_visits_anonymous', '')) o(n, what, report, metric, rows))
SELECT what AS " ", max(value) FILTER (WHERE first_site = 100) AS "all agree", max(value) FILTER (WHERE first_site = 200) AS "all refuse, by cookie",
	max(value) FILTER (WHERE first_site = 300) AS "all refuse, cookie or fingerprint"
FROM total GROUP BY n, what ORDER BY n;

-- of offices, where many sit behind one address with one kind of browser
\echo 'Behind shared addresses, of which several lie in one /16'
\echo '-------------------------------------------------------'
\echo
SELECT count(DISTINCT ip) AS addresses, count(DISTINCT network(set_masklen(ip, 16))) AS "networks /16", count(DISTINCT (ip, agent, accept_language)) AS "different browsers", count(DISTINCT (idsite, visitor)) AS visitors
FROM traffic.device WHERE shared;

-- ---- verdicts ------------------------------------------------------------------
CREATE TABLE traffic.verdict (ok boolean, what text);
INSERT INTO traffic.verdict
SELECT NOT EXISTS (SELECT FROM traffic.said a FULL JOIN (SELECT * FROM traffic.said WHERE first_site = 200) b USING (report, row, metric)
		WHERE coalesce(a.first_site, 100) = 100 AND (a.report = r.report OR b.report = r.report) AND coalesce(metric, '') !~ 'uniq|users|anonymous'
			AND a.value IS DISTINCT FROM b.value AND (a.report IS NOT NULL OR b.report = r.report)),
	r.report || '(): the same to the last digit, whether all agree or all refuse'
-- of a language its country is left out unless anonymous_device_level is full
FROM (SELECT DISTINCT report FROM traffic.said WHERE report NOT IN ('report_visitors', 'report_languages')) r ORDER BY 2;
INSERT INTO traffic.verdict
SELECT count(*) > 200 AND sum(value) > 0, 'there is something to compare: ' || r.report
FROM (SELECT 'report_cities' AS report UNION ALL SELECT 'report_visits') r JOIN traffic.said s ON s.report = r.report AND s.first_site = 100 GROUP BY r.report;
CREATE VIEW traffic.types AS
	SELECT first_site, sum(value) FILTER (WHERE row ~ '/new$') AS new, sum(value) FILTER (WHERE row ~ '/returning') AS returning
	FROM traffic.said WHERE report = 'report_visitors' AND metric = 'nb_visits' GROUP BY 1;
INSERT INTO traffic.verdict
SELECT b.new > a.new, 'new visitors are overstated' FROM traffic.types a, traffic.types b WHERE a.first_site = 100 AND b.first_site = 200
UNION ALL SELECT b.returning < a.returning AND b.returning = 0, 'returning ones understated: there are none' FROM traffic.types a, traffic.types b WHERE a.first_site = 100 AND b.first_site = 200
UNION ALL SELECT count(*) = 0, 'nobody of those who refused has an id, an address or a fingerprint' FROM pk_tracking.log_visit WHERE idsite >= 200 AND (idvisitor IS NOT NULL OR config_id IS NOT NULL OR location_ip NOT IN ('0.0.0.0', '::'))
-- two behind one address, the same browser, at the same time: each has a visit, with its own hits
UNION ALL SELECT count(*) > 5, 'people behind one address with one browser were there at the same time'
	FROM (SELECT d.ip, d.agent, d.accept_language, h.idsite, h.at, h.visitor, lag(h.visitor) OVER w AS other, h.at - lag(h.at) OVER w AS since
		FROM traffic.hit h JOIN traffic.device d USING (idsite, visitor, device) WHERE d.shared AND h.kind <> 'no cookie'
		WINDOW w AS (PARTITION BY d.ip, d.agent, d.accept_language, h.idsite ORDER BY h.at)) x WHERE visitor <> other AND since < '30 min'
-- page views alone, whatever joins the hits
UNION ALL SELECT count(DISTINCT value) = 1, 'page views are the same in all three' FROM (SELECT first_site, sum(value) AS value FROM traffic.said WHERE report = 'report_visits' AND metric = 'nb_pageviews' GROUP BY 1) x;
SELECT CASE WHEN ok THEN 'ok       ' ELSE 'not ok   ' END || what AS " " FROM traffic.verdict \g (format=unaligned tuples_only=on)
SELECT format('privacy: %s passed, %s failed', count(*) FILTER (WHERE ok), count(*) FILTER (WHERE ok IS NOT TRUE)) FROM traffic.verdict \g (format=unaligned tuples_only=on)
