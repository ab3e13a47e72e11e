-- The window in which visitors are asked, and the tags for a site's pages
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('window') AS site \gset
CREATE FUNCTION pg_temp.try(json text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM pk_tracking.set_instance('consent_window', json);
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', SQLSTATE, detail);
END
$$;

-- 1. What is taken, and what is not
SELECT json, pg_temp.try(json) FROM unnest(ARRAY[
	'{}', '', '{"position": "bottom"}', '{"position": "left"}', '{"position": 1}', '{"position": "bottom, center"}', '{"position": ""}',
	'["en"]', '{"en": ', '{"title": "Cookies?"}', '{"texts": 1}', '{"texts": {}}', '{"texts": {"english": {}}}', '{"texts": {"EN": {}}}', '{"texts": {"en": "Cookies?"}}',
	'{"texts": {"en": {"title": "t", "text": "t", "agree": "a"}}}',
	'{"texts": {"en": {"title": "t", "text": "t", "agree": "a", "refuse": ""}}}',
	'{"texts": {"en": {"title": "t", "text": "t", "agree": "a", "refuse": " \n"}}}',
	'{"texts": {"en": {"title": "t", "text": "t", "agree": "a", "refuse": 1}}}',
	'{"texts": {"en": {"title": "t", "text": "t", "agree": "a", "refuse": "r", "later": "l"}}}',
	'{"texts": {"en": {"title": "t", "text": "t", "agree": "a", "refuse": "r"}, "pt-br": {"title": "t", "text": "t", "agree": "a", "refuse": "r", "policy": "p"}}}',
	'{"texts": {"en": {"title": "t", "text": "t", "agree": "a", "refuse": "r"}}, "policy_url": "/privacy"}',
	'{"policy_url": "/privacy"}', '{"policy_url": "privacy.html#us"}', '{"policy_url": "https://shop.example.org/p?a=b:c"}', '{"policy_url": "?page=privacy:1"}',
	'{"policy_url": "javascript:alert(1)"}', '{"policy_url": " javascript:alert(1)"}', '{"policy_url": "java\tscript:alert(1)"}', '{"policy_url": "data:text/html,x"}', '{"policy_url": ""}', '{"policy_url": null}',
	'{"colors": {}}', '{"colors": 1}', '{"colors": {"background": "#ffffff", "text": "#222222", "button": "#1a4f8b", "button_text": "#ffffff"}}',
	'{"colors": {"background": "#ffffff", "text": "#222222", "button": "#1a4f8b"}}', '{"colors": {"background": "white", "text": "#222222", "button": "#1a4f8b", "button_text": "#ffffff"}}',
	'{"colors": {"background": "#fffffg", "text": "#222222", "button": "#1a4f8b", "button_text": "#ffffff"}}', '{"colors": {"background": "#fff", "text": "#222222", "button": "#1a4f8b", "button_text": "#ffffff"}}',
	'{"colors": {"background": "#ffffff", "text": "#777777", "button": "#1a4f8b", "button_text": "#ffffff"}}', '{"colors": {"background": "#ffffff", "text": "#767676", "button": "#767676", "button_text": "#ffffff"}}',
	'{"colors": {"background": "#ffffff", "text": "#222222", "button": "#1a4f8b", "button_text": "#336699"}}', '{"colors": {"background": "#ffffff", "text": "#222222", "button": "#1a4f8b", "button_text": "#ffffff", "link": "#000000"}}',
	'{"ask_again_days": 180}', '{"ask_again_days": 0}', '{"ask_again_days": 3651}', '{"ask_again_days": 1.5}', '{"ask_again_days": "180"}', '{"ask_again_days": -1}', '{"ask_again_days": 1e300}',
	'{"ask_again_days": 1e999999}', '{"texts": {"en": {"title": "\u0000", "text": "t", "agree": "a", "refuse": "r"}}}', '{"\u0000": 1}', '{"position": "\ud800"}']) AS json;
SELECT pg_temp.try('{"texts": {"en": {"title": "' || repeat('t', 33000) || '", "text": "t", "agree": "a", "refuse": "r"}}}');

SELECT pg_temp.try('{"texts": ' || repeat('[', 9000) || repeat(']', 9000) || '}');

-- 2. The message
SELECT pk_tracking.set_site(:site, 'consent_window', '{"colour": "#ffffff"}');

-- 3. What the daemon gives to the script on the pages, on one line
SELECT pk_tracking.reset_instance('consent_window'),
	pk_tracking.set_site(:site, 'consent_window', E'{"position": "center",\n "policy_url": "/p"}'), pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous'), pk_tracking.set_site(:site, 'respect_do_not_track', 'on'),
	pk_tracking.set_site(:site, 'anonymous_session_cookie', 'off'), pk_tracking.set_site(:site, 'cookie_renewal', 'off') \g /dev/null
SELECT replace(value, ':' || :site || ',', ':N,') AS page FROM pk_tracking.edge_settings() WHERE name = 'page' AND value::json ->> 'idsite' = :'site';

-- 4. The tags
\pset format unaligned
\pset tuples_only on
CREATE FUNCTION pg_temp.code(mode text, url text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	site integer := (SELECT max(idsite) FROM pk_tracking.site);
BEGIN
	PERFORM pk_tracking.set_site(site, 'consent_mode', mode);
	RETURN replace(pk_tracking.tracking_code(site, url), 'idsite=' || site, 'idsite=N');
END
$$;
SELECT pg_temp.code('not_asked', 'https://stats.example.org');
SELECT pg_temp.code('ask_else_nothing', 'https://stats.example.org/');
SELECT pg_temp.code('ask_else_anonymous', '//stats.example.org/a//');
SELECT pg_temp.code('not_asked', 'https://stats.example.org/"><script>alert(''&'')</script>');
SELECT pg_temp.code('not_asked', 'javascript:alert(1)');
SELECT pg_temp.code('not_asked', 'https://stats.example.org/?a=1');
SELECT pk_tracking.tracking_code(0, 'https://stats.example.org');
SELECT pk_tracking.tracking_code(NULL, 'https://stats.example.org') IS NULL;
DELETE FROM pk_tracking.setting;
