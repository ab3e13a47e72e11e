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
	('refuses', 0, 'unknown', 'home'), ('refuses', 1, 'denied', 'prices'), ('refuses', 3, 'denied', 'order')) h(w, m, c, p) \g /dev/null
SELECT pg_temp.visit(:ask_site, w, m, c, p) FROM (VALUES
	('unsure', 40, 'unknown', 'home'), ('unsure', 42, 'unknown', 'help')) h(w, m, c, p) \g /dev/null
SELECT pg_temp.visit(:ask_site, w, m, c, p) FROM (VALUES
	('agrees', 80, 'unknown', 'home'), ('agrees', 81, 'unknown', 'prices'), ('agrees', 83, 'granted', 'order')) h(w, m, c, p) \g /dev/null

\echo
\echo 'Consent: one refuses, one has not decided, one agrees in mid-visit'
\echo '------------------------------------------------------------------'
\echo '(consent_mode = ask_else_anonymous; server_cookie = on. Three people of one'
\echo ' office with one kind of browser. "sent": what the hit said; "set", "delete":'
\echo ' what the row told the caller to do with cookies.)'
\echo
SELECT who, consent AS sent, dense_rank() OVER (ORDER BY (t).idvisit) AS visit, (t).matched_by AS "matched by",
	coalesce(left((t).idvisitor::text, 6), 'nobody') AS id, (t).cookie_kind AS "set", array_to_string((t).delete_cookies, ', ') AS "delete"
FROM said ORDER BY n;

\echo
\echo 'What is stored of them'
\echo '----------------------'
\echo '(Refused and undecided: no id, no address, no user, no parameters of URLs. Who'
\echo ' agrees gets an id and the user from then on; what the visit had stored before'
\echo ' stays as coarse as it was, so its address stays zeros.)'
\echo
SELECT row_number() OVER (ORDER BY v.idvisit) AS visit, v.consent, left(v.idvisitor::text, 6) AS id, split_part(v.user_id, '@', 1) AS "user", v.location_ip AS ip,
	concat_ws(' ', v.config_os, v.config_browser_name, v.config_browser_version) AS device, regexp_replace(v.exit_url, '^https://[^/]*', '') AS "last page"
FROM pk_tracking.visit v WHERE v.idsite = :ask_site ORDER BY v.idvisit;

\echo
\echo 'How many visits were identified, undecided, refused'
\echo '---------------------------------------------------'
\echo
SELECT first_day AS day, nb_visits AS visits, nb_visits_granted AS identified, nb_visits_undecided AS undecided, nb_visits_refused AS refused, anonymous_rate AS "% anonymous"
FROM pk_tracking.report_consent(:ask_site, '2026-11-19', '2026-11-19');
