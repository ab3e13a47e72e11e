-- What the demo shows of consent: a visitor who refuses, one who has not decided,
-- and one who agrees in mid-visit, on a site of its own.  Writes; nothing of it is
-- looked at by check.sql.
SET TimeZone = 'UTC';
SET client_min_messages = warning;
SELECT pk_tracking.add_site('Asks first', ARRAY['https://ask.example.org'], profile => 'faq') AS ask_site \gset
SELECT pk_tracking.set_site(:ask_site, 'consent_mode', 'ask_else_anonymous'), pk_tracking.set_site(:ask_site, 'server_cookie', 'on') \g /dev/null
CREATE TEMP TABLE browser (who text PRIMARY KEY, cookie text, visitor public.hexid);
CREATE TEMP TABLE said (n serial, who text, at timestamptz, consent text, page text, t pk_tracking.tracked);
-- a hit of a browser that does with cookies as it is told
CREATE FUNCTION pg_temp.visit(site integer, browser text, minute integer, consent text, page text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	t pk_tracking.tracked;
	b record;
	clock timestamptz := '2026-11-19 10:00+00'::timestamptz + minute * interval '1 min';
BEGIN
	SELECT max(x.cookie) AS cookie, (SELECT y.visitor FROM browser y WHERE y.who = visit.browser) AS visitor INTO b FROM browser x WHERE x.who = visit.browser;
	t := pk_tracking.track(site, 'https://ask.example.org/' || page || '?session=4711', initcap(page), 'https://www.google.com/search?q=ask', '203.0.113.42',
		'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36', 'de-AT,de;q=0.9',
		visitor_id => b.visitor, user_id => CASE WHEN consent = 'granted' THEN 'maria@example.org' END, consent => consent, session_cookie => b.cookie, at => clock);
	INSERT INTO browser VALUES (browser, CASE t.cookie_kind WHEN 'session' THEN t.cookie_value END, CASE t.cookie_kind WHEN 'visitor' THEN t.cookie_value::public.hexid END)
	ON CONFLICT (who) DO UPDATE SET cookie = excluded.cookie, visitor = excluded.visitor;
	INSERT INTO said (who, at, consent, page, t) VALUES (browser, clock, consent, page, t);
END $$;
-- the other two come from the same office: with the cookie they are told apart
SELECT pg_temp.visit(:ask_site, w, m, c, p) FROM (VALUES
	('1 refuses', 0, 'unknown', 'home'), ('1 refuses', 1, 'denied', 'prices'), ('1 refuses', 3, 'denied', 'order')) h(w, m, c, p) \g /dev/null
SELECT pg_temp.visit(:ask_site, w, m, c, p) FROM (VALUES
	('2 has not decided', 40, 'unknown', 'home'), ('2 has not decided', 42, 'unknown', 'help')) h(w, m, c, p) \g /dev/null
SELECT pg_temp.visit(:ask_site, w, m, c, p) FROM (VALUES
	('3 agrees in mid-visit', 80, 'unknown', 'home'), ('3 agrees in mid-visit', 81, 'unknown', 'prices'), ('3 agrees in mid-visit', 83, 'granted', 'order')) h(w, m, c, p) \g /dev/null

\echo
\echo 'Consent: one who refuses, one who has not decided, one who agrees in mid-visit'
\echo '------------------------------------------------------------------------------'
\echo '(consent_mode = ask_else_anonymous; three people of one office, 203.0.113.42, with one kind of browser.'
\echo ' What each hit said, and what the caller was told to do with cookies)'
\echo
SELECT who, to_char(at, 'HH24:MI') AS at, consent AS "consent sent", page, dense_rank() OVER (ORDER BY (t).idvisit) AS visit, (t).reason, (t).matched_by AS "matched by",
	coalesce((t).idvisitor::text, 'nobody') AS "visitor id", (t).cookie_name || ', ' || CASE WHEN (t).cookie_max_age > 86400 THEN (t).cookie_max_age / 86400 || ' days' ELSE (t).cookie_max_age / 60 || ' minutes' END AS "cookie to set",
	array_to_string((t).delete_cookies, ', ') AS "to delete"
FROM said ORDER BY n;

\echo 'What is stored of them'
\echo '----------------------'
\echo
SELECT row_number() OVER (ORDER BY v.idvisit) AS visit, v.consent, v.idvisitor AS "visitor id", l.config_id AS fingerprint, v.user_id AS "user", v.location_ip AS ip,
	concat_ws(' ', v.location_country, v.location_city) AS place, concat_ws(' ', v.config_os, v.config_browser_name, v.config_browser_version) AS device, v.visit_total_actions AS "page views",
	v.visit_total_time AS seconds, v.exit_url AS "last page", v.referrer_url AS referrer
FROM pk_tracking.visit v JOIN pk_tracking.log_visit l USING (idvisit) WHERE v.idsite = :ask_site ORDER BY v.idvisit;

\echo 'How many visits were identified, undecided, refused'
\echo '---------------------------------------------------'
\echo
SELECT first_day AS day, nb_visits AS visits, nb_visits_granted AS identified, nb_visits_undecided AS undecided, nb_visits_refused AS refused, anonymous_rate AS "% anonymous"
FROM pk_tracking.report_consent(:ask_site, '2026-11-19', '2026-11-19');
