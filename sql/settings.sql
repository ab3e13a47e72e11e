DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	DELETE FROM pk_tracking.log_visit;	-- a log would make other warnings
END $$;
\set SHOW_CONTEXT never
-- numbers of sites are not shown: other tests may have made some
SELECT pk_tracking.add_site('one') AS one \gset
SELECT pk_tracking.add_site('two', timezone => 'europe/BERLIN', urls => '{https://two.example/}', currency => 'EUR', ecommerce => false) AS two \gset
SELECT name, urls, timezone, currency, ecommerce FROM pk_tracking.site WHERE idsite IN (:one, :two) ORDER BY idsite;

-- what the tests look at: who says what about a setting
CREATE FUNCTION pg_temp.effective(VARIADIC names text[])
RETURNS TABLE (site text, name text, value text, source text) LANGUAGE sql AS $$
	SELECT coalesce(s.name, '(instance)'), v.name, v.value, v.source
	FROM pk_tracking.settings AS v LEFT JOIN pk_tracking.site AS s USING (idsite)
	WHERE v.name = ANY (names) AND (v.idsite IS NULL OR s.name IN ('one', 'two'))
	ORDER BY array_position(names, v.name), v.idsite NULLS FIRST
$$;
CREATE FUNCTION pg_temp.reset_all() RETURNS void LANGUAGE sql AS $$
	DELETE FROM pk_tracking.setting
$$;

-- the registry: every setting, its default, and its default under matomo rules
SELECT name, value, source, description FROM pk_tracking.settings WHERE idsite IS NULL ORDER BY name COLLATE "C";
SELECT pk_tracking.set_site(:two, 'recognition_rules', 'matomo');
SELECT name, value, source FROM pk_tracking.settings WHERE idsite = :two AND source <> 'default' ORDER BY name COLLATE "C";
-- the same settings for the instance and for each site, and every one described
SELECT count(DISTINCT n), bool_and(described) FROM (
	SELECT count(*) AS n, bool_and(description <> '') AS described FROM pk_tracking.settings GROUP BY idsite) AS x;
-- the registry as a form needs it: the same settings, with the same defaults
SELECT d.name, d.type, d.choices, d.minimum, d.maximum, d.instance_only, d.protects FROM pk_tracking.setting_definitions d ORDER BY d.number;
SELECT d.name, d.default_value, v.value FROM pk_tracking.setting_definitions d FULL JOIN pk_tracking.settings v ON v.name = d.name
WHERE v.idsite IS NULL AND (d.name, d.default_value, d.description) IS DISTINCT FROM (v.name, v.value, v.description);
SELECT d.name, d.matomo_value, v.value FROM pk_tracking.setting_definitions d JOIN pk_tracking.settings v ON v.name = d.name AND v.idsite = :two
WHERE v.name <> 'recognition_rules' AND v.value IS DISTINCT FROM coalesce(d.matomo_value, d.default_value);
-- what is said to protect more does: setting_is_stricter() agrees
SELECT d.name FROM pk_tracking.setting_definitions d CROSS JOIN LATERAL (SELECT CASE d.protects WHEN 'on' THEN 'off' WHEN 'off' THEN 'on' WHEN 'greater' THEN d.minimum::text WHEN 'smaller' THEN '2' WHEN 'later' THEN d.choices[1] END AS weak,
	CASE d.protects WHEN 'on' THEN 'on' WHEN 'off' THEN 'off' WHEN 'greater' THEN d.maximum::text WHEN 'smaller' THEN '1' WHEN 'later' THEN d.choices[cardinality(d.choices)] END AS strong) x
WHERE d.protects IS NOT NULL AND NOT (pk_tracking_internal.setting_is_stricter(d.name, x.strong, x.weak) AND NOT pk_tracking_internal.setting_is_stricter(d.name, x.weak, x.strong));
-- every default may be set explicitly, and stays as it is
BEGIN;
DO $$
DECLARE r record;
BEGIN
	FOR r IN SELECT name, value FROM pk_tracking.settings WHERE idsite IS NULL AND value IS NOT NULL LOOP
		PERFORM pk_tracking.set_instance(r.name, r.value);
		IF r.value <> (SELECT value FROM pk_tracking.setting WHERE idsite IS NULL AND name = r.name) THEN
			RAISE 'default of % is not in its canonical form', r.name;
		END IF;
	END LOOP;
END
$$;
SELECT source, count(*) FROM pk_tracking.settings WHERE idsite IS NULL GROUP BY source ORDER BY source;
ROLLBACK;
SELECT pg_temp.reset_all();

-- values of each type: as they are given and as they are stored
CREATE FUNCTION pg_temp.try(setting text, given text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	PERFORM pk_tracking.set_instance(setting, given);
	RETURN (SELECT t.value FROM pk_tracking.setting AS t WHERE t.idsite IS NULL AND t.name = lower(setting));
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
\pset format unaligned
SELECT setting, given, pg_temp.try(setting, given) AS stored FROM (VALUES
	('use_fingerprint', 'on'), ('use_fingerprint', 'FALSE'), ('use_fingerprint', ' yes '), ('use_fingerprint', '0'),
	('use_fingerprint', 'o'), ('use_fingerprint', ''), ('use_fingerprint', 'maybe'), ('use_fingerprint', NULL),
	('ip_mask_level', '0'), ('ip_mask_level', ' 4 '), ('ip_mask_level', '+3'), ('ip_mask_level', '5'), ('ip_mask_level', '-1'),
	('ip_mask_level', '1.5'), ('ip_mask_level', '0x2'), ('ip_mask_level', ''), ('ip_mask_level', '99999999999999999999'),
	('visit_standard_length', '0'), ('visit_standard_length', '30 min'), ('visit_standard_length', '60'),
	('create_new_visit_after_x_actions', '-1'), ('create_new_visit_after_x_actions', '2147483647'),
	('tracking_requests_require_authentication_when_custom_timestamp_newer_than', '0'),
	('geo_level', 'Country'), ('geo_level', ' none '), ('geo_level', 'planet'), ('geo_level', ''), ('GEO_Level', 'city'),
	('anonymize_referrer', ''), ('anonymize_referrer', 'EXCLUDE_PATH'), ('anonymize_referrer', 'keep'), ('anonymize_referrer', 'drop'),
	('session_limit_exceeded_action', 'split_and_exclude'),
	('cookie_name', '_my.id'), ('cookie_name', 'a=b'), ('cookie_name', 'a b'), ('cookie_name', ''),
	('cookie_name', repeat('x', 64)), ('cookie_name', repeat('x', 65)), ('cookie_name', 'keks' || chr(10)), ('cookie_name', 'a;b'),
	('exclude_requests', ''), ('exclude_requests', 'e_c==Media, action_name=^test'), ('exclude_requests', 'e_c'),
	('exclude_requests', '==x'), ('exclude_requests', 'a==b,'),
	('campaign_var_name', '{}'), ('campaign_var_name', ' { a , "b c", d\"e ,"",f} '), ('campaign_var_name', '{a,"b c",d\"e,"x,y",back\\slash, in side ,"null"}'),
	('campaign_var_name', 'a,b'), ('campaign_var_name', '{a'), ('campaign_var_name', '{a}}'), ('campaign_var_name', '{a,,b}'), ('campaign_var_name', '{a,}'),
	('campaign_var_name', '{NULL}'), ('campaign_var_name', '{{a}}'), ('campaign_var_name', '{"a}'), ('campaign_var_name', '{a"b"}'), ('campaign_var_name', '{a\'), ('campaign_var_name', ''),
	('excluded_ips', '{192.0.2.1,2001:db8::/32,10.1.*.*}'), ('excluded_ips', '{localhost}'), ('excluded_ips', '{10}'),
	('proxy_client_headers', '{HTTP_X_FORWARDED_FOR,CF-Connecting-IP}'), ('proxy_client_headers', '{"X Y"}'),
	('ip_mask_lvl', '1'), ('ipmask', '1'), ('', '1'), (repeat('ip_mask_level', 20), '1'), (NULL, '1')
) AS t (setting, given);
-- lists are text[] literals
SELECT value::text[] FROM pk_tracking.settings WHERE idsite IS NULL AND name = 'campaign_var_name';
SELECT left(pg_temp.try('campaign_var_name', '{' || repeat('x', 1024 * 1024) || '}'), 100);
\pset format aligned
SELECT pg_temp.reset_all();

-- the table itself lets nothing else in
INSERT INTO pk_tracking.setting VALUES (NULL, 'ip_mask_level', 'five');
INSERT INTO pk_tracking.setting VALUES (:one, 'ip_masc_level', '1');
INSERT INTO pk_tracking.setting VALUES (NULL, 'IP_MASK_LEVEL', '03'), (:one, 'GEO_IP', 'MASKED');
UPDATE pk_tracking.setting SET value = '7' WHERE name = 'ip_mask_level';
UPDATE pk_tracking.setting SET name = 'no_such' WHERE name = 'ip_mask_level';
INSERT INTO pk_tracking.setting VALUES (NULL, NULL, '1');
INSERT INTO pk_tracking.setting VALUES (NULL, 'ip_mask_level', NULL);
SELECT idsite IS NULL AS instance, name, value FROM pk_tracking.setting ORDER BY name;
SELECT pg_temp.reset_all();

-- precedence: site, instance, rules, default; and back
SELECT * FROM pg_temp.effective('fingerprint_salt_rotation', 'visit_standard_length');
SELECT pk_tracking.set_instance('visit_standard_length', '600');
SELECT pk_tracking.set_site(:one, 'visit_standard_length', '60');
SELECT pk_tracking.set_instance('recognition_rules', 'matomo');
SELECT pk_tracking.set_site(:two, 'recognition_rules', 'piwik');
SELECT * FROM pg_temp.effective('recognition_rules', 'fingerprint_ip', 'fingerprint_salt_rotation', 'visit_standard_length');
SELECT pk_tracking.set_site(:one, 'visit_standard_length', '90');
SELECT * FROM pg_temp.effective('visit_standard_length');
SELECT pk_tracking.reset_instance('visit_standard_length');
SELECT pk_tracking.reset_site(:one, 'Visit_Standard_Length');
SELECT pk_tracking.reset_site(:one, 'visit_standard_length');
SELECT * FROM pg_temp.effective('visit_standard_length');
SELECT pk_tracking.reset_instance('no_such');
SELECT pk_tracking.reset_site(:one, 'no_such');
SELECT pk_tracking.reset_site(-1, 'geo_ip');
SELECT pk_tracking.set_site(-1, 'geo_ip', 'masked');
SELECT pk_tracking.set_site(NULL, 'geo_ip', 'masked');
SELECT pk_tracking.set_site(:one, 'geo_ip', NULL);
SELECT pg_temp.reset_all();

-- lists of exclusions add up; other lists replace
SELECT pk_tracking.set_instance('excluded_ips', '{192.0.2.1}');
SELECT pk_tracking.set_site(:one, 'excluded_ips', '{192.0.2.2,192.0.2.3}');
SELECT pk_tracking.set_site(:two, 'excluded_ips', '{}');
SELECT pk_tracking.set_site(:one, 'campaign_var_name', '{c}');
SELECT * FROM pg_temp.effective('excluded_ips', 'campaign_var_name');
SELECT pk_tracking.set_instance('excluded_ips', '{}');
SELECT * FROM pg_temp.effective('excluded_ips');
SELECT pg_temp.reset_all();

-- what no site may override
SELECT pk_tracking.set_site(:one, 'proxy_ips', '{192.0.2.1}');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO pk_tracking.setting VALUES (:one, 'bulk_requests_require_authentication', 'on');

-- the alias
SELECT pk_tracking.set_instance('use_anonymized_ip_for_visit_enrichment', 'on');
SELECT pk_tracking.set_site(:two, 'recognition_rules', 'matomo');
SELECT * FROM pg_temp.effective('use_anonymized_ip_for_visit_enrichment', 'fingerprint_ip', 'geo_ip');
-- explicit values beat it on the same level
SELECT pk_tracking.set_instance('geo_ip', 'full');
SELECT * FROM pg_temp.effective('geo_ip');
-- a site's alias beats the instance's explicit value
SELECT pk_tracking.set_site(:one, 'use_anonymized_ip_for_visit_enrichment', 'on');
SELECT * FROM pg_temp.effective('use_anonymized_ip_for_visit_enrichment', 'geo_ip');
-- but it may not weaken either
SELECT pk_tracking.set_instance('geo_ip', 'masked');
SELECT pk_tracking.set_site(:one, 'use_anonymized_ip_for_visit_enrichment', 'off');
SELECT pg_temp.reset_all();
SELECT pk_tracking.set_instance('use_anonymized_ip_for_visit_enrichment', 'on');
SELECT pk_tracking.set_site(:one, 'geo_ip', 'full');
SELECT pk_tracking.set_site(:one, 'use_anonymized_ip_for_visit_enrichment', 'off');
SELECT pg_temp.reset_all();
-- off: both full, with the warning; not under matomo rules, which rotate the salt
SELECT pk_tracking.set_site(:two, 'recognition_rules', 'matomo');
SELECT pk_tracking.set_site(:two, 'use_anonymized_ip_for_visit_enrichment', 'off');
SELECT pk_tracking.set_site(:one, 'use_anonymized_ip_for_visit_enrichment', 'off');
SELECT * FROM pg_temp.effective('use_anonymized_ip_for_visit_enrichment', 'fingerprint_ip', 'geo_ip');
SELECT pg_temp.reset_all();

-- the warning: the full IP in fingerprints, without daily rotation
SELECT pk_tracking.set_instance('fingerprint_ip', 'full');
SELECT pk_tracking.set_instance('fingerprint_salt_rotation', 'daily');
SELECT pk_tracking.set_instance('fingerprint_ip', 'full');
SELECT pk_tracking.set_site(:one, 'create_new_visit_after_midnight', 'off');
SELECT pk_tracking.set_site(:two, 'enable_fingerprinting_across_websites', 'on');
SELECT pk_tracking.set_site(:two, 'geo_ip', 'full');
SELECT pg_temp.reset_all();

-- privacy: a site may strengthen what the instance sets, not weaken it
CREATE TEMP TABLE ladder (name text, steps text[]);
INSERT INTO ladder VALUES
	('ip_mask_level', '{0,1,2,3,4}'),
	('fingerprint_ip', '{full,masked}'),
	('geo_ip', '{full,masked}'),
	('fingerprint_salt_rotation', '{never,daily}'),
	('use_fingerprint', '{on,off}'),
	('force_cookieless_tracking', '{off,on}'),
	('use_third_party_id_cookie', '{on,off}'),
	('enable_fingerprinting_across_websites', '{on,off}'),
	('anonymize_user_id', '{off,on}'),
	('anonymize_order_id', '{off,on}'),
	('anonymize_referrer', '{keep,exclude_query,exclude_path,exclude_all}'),
	('consent_mode', '{not_asked,ask_else_anonymous,ask_else_nothing}'),
	('consent_upgrade', '{continue,split}'),
	('anonymous_session_cookie', '{on,off}'),
	('anonymous_fingerprint', '{on,off}'),
	('anonymous_geo_level', '{city,region,country,continent,none}'),
	('geo_level', '{city,region,country,continent,none}'),
	('anonymous_device_level', '{full,family,none}'),
	('respect_do_not_track', '{off,on}');
-- for each pair: refused when the site comes second, clamped when the instance does
CREATE FUNCTION pg_temp.climb(site integer) RETURNS TABLE (name text, pairs bigint, wrong text) LANGUAGE plpgsql AS $$
DECLARE
	l record;
	i int;
	s int;
	refused boolean;
	v record;
BEGIN
	SET LOCAL client_min_messages = error;
	FOR l IN SELECT * FROM ladder LOOP
		name := l.name;
		pairs := 0;
		wrong := NULL;
		FOR i IN 1 .. cardinality(l.steps) LOOP
			FOR s IN 1 .. cardinality(l.steps) LOOP
				pairs := pairs + 1;
				-- the instance first
				DELETE FROM pk_tracking.setting;
				PERFORM pk_tracking.set_instance(l.name, l.steps[i]);
				BEGIN
					PERFORM pk_tracking.set_site(site, l.name, l.steps[s]);
					refused := false;
				EXCEPTION WHEN insufficient_privilege THEN
					refused := true;
				END;
				IF refused <> (s < i) THEN
					wrong := concat_ws(', ', wrong, 'refuse ' || l.steps[i] || '/' || l.steps[s]);
				END IF;
				SELECT x.value, x.source INTO v FROM pk_tracking.settings AS x WHERE x.idsite = site AND x.name = l.name;
				IF v.value <> l.steps[greatest(i, s)] OR v.source <> (CASE WHEN s < i THEN 'instance' ELSE 'site' END) THEN
					wrong := concat_ws(', ', wrong, 'effective ' || l.steps[i] || '/' || l.steps[s]);
				END IF;
				-- the site first: defaults bind nobody
				DELETE FROM pk_tracking.setting;
				PERFORM pk_tracking.set_site(site, l.name, l.steps[s]);
				PERFORM pk_tracking.set_instance(l.name, l.steps[i]);
				SELECT x.value, x.source INTO v FROM pk_tracking.settings AS x WHERE x.idsite = site AND x.name = l.name;
				IF v.value <> l.steps[greatest(i, s)] OR v.source <> (CASE WHEN s < i THEN 'instance' ELSE 'site' END) THEN
					wrong := concat_ws(', ', wrong, 'clamp ' || l.steps[i] || '/' || l.steps[s]);
				END IF;
			END LOOP;
		END LOOP;
		RETURN NEXT;
	END LOOP;
	DELETE FROM pk_tracking.setting;
END
$$;
SELECT * FROM pg_temp.climb(:one);
SELECT pk_tracking.set_instance('ip_mask_level', '3');
SELECT pk_tracking.set_site(:one, 'ip_mask_level', '2');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO pk_tracking.setting VALUES (:one, 'ip_mask_level', '2');
SELECT pk_tracking.set_site(:one, 'ip_mask_level', '4');
UPDATE pk_tracking.setting SET value = '1' WHERE idsite = :one;
-- the clamp ends with the instance's demand
SELECT pk_tracking.set_instance('ip_mask_level', '4');
SELECT pk_tracking.reset_site(:one, 'ip_mask_level');
SELECT pk_tracking.reset_instance('ip_mask_level');
SELECT pk_tracking.set_site(:one, 'ip_mask_level', '1');
SELECT pk_tracking.set_instance('ip_mask_level', '3');
SELECT * FROM pg_temp.effective('ip_mask_level');
SELECT pk_tracking.reset_instance('ip_mask_level');
SELECT * FROM pg_temp.effective('ip_mask_level');
-- one statement that does both cannot get round it
SELECT pg_temp.reset_all();
INSERT INTO pk_tracking.setting VALUES (NULL, 'ip_mask_level', '3'), (:one, 'ip_mask_level', '1');
SELECT * FROM pg_temp.effective('ip_mask_level');
-- the defaults of matomo rules bind nobody either
SELECT pg_temp.reset_all();
SELECT pk_tracking.set_instance('recognition_rules', 'matomo');
SELECT pk_tracking.set_site(:one, 'fingerprint_salt_rotation', 'never');
SELECT * FROM pg_temp.effective('fingerprint_salt_rotation');
SELECT pg_temp.reset_all();

-- transactions: what is rolled back is not in effect
SELECT pk_tracking.set_site(:one, 'geo_level', 'region');
BEGIN;
SELECT pk_tracking.set_site(:one, 'geo_level', 'none');
SELECT * FROM pg_temp.effective('geo_level');
SAVEPOINT a;
SELECT pk_tracking.set_instance('geo_level', 'continent');
SELECT * FROM pg_temp.effective('geo_level');
ROLLBACK TO a;
SELECT * FROM pg_temp.effective('geo_level');
SELECT 1 / 0;
ROLLBACK;
SELECT * FROM pg_temp.effective('geo_level');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pk_tracking.set_site(:one, 'geo_level', 'country');
SELECT * FROM pg_temp.effective('geo_level');
COMMIT;
SELECT * FROM pg_temp.effective('geo_level');
-- a site that is rolled back, one that is deleted with its settings
BEGIN;
SELECT pk_tracking.add_site('three') AS three \gset
SELECT count(*) > 0 AS there FROM pk_tracking.settings WHERE idsite = :three;
ROLLBACK;
SELECT count(*) FROM pk_tracking.settings WHERE idsite = :three;
SELECT pk_tracking.add_site('four') AS four \gset
SELECT pk_tracking.set_site(:four, 'geo_level', 'none');
SELECT count(*) > 0 AS there FROM pk_tracking.settings WHERE idsite = :four;
DELETE FROM pk_tracking.site WHERE idsite = :four;
SELECT count(*) FROM pk_tracking.settings WHERE idsite = :four;
SELECT count(*) FROM pk_tracking.setting WHERE idsite = :four;

-- the log goes away and comes back; a reading that fails leaves nothing behind
BEGIN;
ALTER TABLE pk_tracking.setting RENAME TO setting_away;
SELECT idsite, source, count(*) > 0 AS there FROM pk_tracking.settings GROUP BY 1, 2;
SAVEPOINT a;
SELECT pk_tracking.set_instance('geo_level', 'none');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO a;
SELECT pk_tracking.add_site('five');
ROLLBACK;
BEGIN;
ALTER TABLE pk_tracking.setting RENAME value TO valeur;
SELECT count(*) FROM pk_tracking.settings;
ROLLBACK;
BEGIN;
DROP INDEX pk_tracking.setting_key;
ALTER TABLE pk_tracking.setting ALTER value TYPE varchar;
SELECT * FROM pg_temp.effective('geo_level');
SELECT pk_tracking.set_instance('geo_level', 'none');
ROLLBACK;
SELECT * FROM pg_temp.effective('geo_level');

-- values that another version has stored: reported once, not used
ALTER TABLE pk_tracking.setting DISABLE TRIGGER setting_check;
INSERT INTO pk_tracking.setting VALUES (NULL, 'ip_mask_level', 'many'), (:one, 'campaign_var_name', '{'), (:one, 'of_tomorrow', '1'), (:one, 'proxy_ips', '{10.0.0.1}');
SELECT * FROM pg_temp.effective('ip_mask_level', 'campaign_var_name', 'proxy_ips');
ALTER TABLE pk_tracking.setting ENABLE TRIGGER setting_check;
ALTER TABLE pk_tracking.site DISABLE TRIGGER site_check;
BEGIN;
UPDATE pk_tracking.site SET timezone = 'Gone/With_The_Wind' WHERE idsite = :one;
\set VERBOSITY terse
SELECT * FROM pg_temp.effective('cookie_name');
\set VERBOSITY default
ROLLBACK;
ALTER TABLE pk_tracking.site ENABLE TRIGGER site_check;
SELECT * FROM pg_temp.effective('ip_mask_level');
SELECT pg_temp.reset_all();

-- a search_path full of traps
\set VERBOSITY terse
CREATE SCHEMA trap;
CREATE FUNCTION trap.boom(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
CREATE FUNCTION trap.boom(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
CREATE OPERATOR trap.= (LEFTARG = integer, RIGHTARG = integer, FUNCTION = trap.boom);
CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.boom);
CREATE OPERATOR trap.~ (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.boom);
CREATE FUNCTION trap.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE 'trapped'; END$$;
BEGIN;
SET LOCAL search_path = trap, pg_catalog;
SELECT pk_tracking.set_site(:one, 'geo_level', 'none');
SELECT pk_tracking.set_instance('geo_level', 'region');
SELECT pk_tracking.reset_instance('geo_level');
INSERT INTO pk_tracking.setting VALUES (:one, 'geo_ip', 'masked');
SELECT pk_tracking.add_goal(:one, 'g', 'url', 'a+', 'regex');
SELECT count(*) > 100 AS many FROM pk_tracking.settings;
ROLLBACK;
DROP SCHEMA trap CASCADE;
\set VERBOSITY default

-- who may: nobody, unless told so
SELECT p.proname FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND a.grantee = 0
	AND p.proname = ANY ('{add_site,add_goal,set_site,set_instance,reset_site,reset_instance,setting_values,setting_name,need_log,setting_check,site_check,config_changed}');
CREATE ROLE regress_pkt_settings;
GRANT USAGE ON SCHEMA pk_tracking, pk_tracking_internal TO regress_pkt_settings;
SET ROLE regress_pkt_settings;
SELECT count(*) FROM pk_tracking.settings;
SELECT pk_tracking.set_instance('geo_level', 'none');
RESET ROLE;
GRANT SELECT ON pk_tracking.settings TO regress_pkt_settings;
GRANT EXECUTE ON FUNCTION pk_tracking_internal.setting_values(), pk_tracking.set_instance(text, text), pk_tracking_internal.need_log(), pk_tracking_internal.setting_name(text) TO regress_pkt_settings;
SELECT pk_tracking.set_site(:one, 'geo_level', 'none');
SET ROLE regress_pkt_settings;
-- sees what is in effect without a right on the tables, and cannot change it
SELECT DISTINCT value FROM pk_tracking.settings WHERE name = 'geo_level' ORDER BY 1;
SELECT count(*) FROM pk_tracking.setting;
SELECT pk_tracking.set_instance('geo_level', 'none');
RESET ROLE;
SELECT current_user = session_user AS myself;
DROP OWNED BY regress_pkt_settings;
DROP ROLE regress_pkt_settings;
SELECT pg_temp.reset_all();

-- sites
SELECT pk_tracking.add_site('');
SELECT pk_tracking.add_site('  ');
\set VERBOSITY terse
SELECT pk_tracking.add_site(NULL);
\set VERBOSITY default
SELECT pk_tracking.add_site('x', timezone => 'Mars/Olympus');
\echo :LAST_ERROR_SQLSTATE
SELECT pk_tracking.add_site('x', timezone => '');
SELECT pk_tracking.add_site('x', timezone => repeat('x', 300));
UPDATE pk_tracking.site SET timezone = 'nowhere' WHERE idsite = :one;
UPDATE pk_tracking.site SET name = '' WHERE idsite = :one;
UPDATE pk_tracking.site SET timezone = 'america/new_york' WHERE idsite = :one RETURNING timezone;
INSERT INTO pk_tracking.site (idsite, name) VALUES (0, 'the instance');

-- goals
SELECT pk_tracking.add_goal(:one, 'buy', 'url', '/thanks');
SELECT pk_tracking.add_goal(:one, 'call', 'manually', revenue => 2.5);
SELECT pk_tracking.add_goal(:two, 'stay', 'visit_duration', '10', 'greater_than', allow_multiple => true);
UPDATE pk_tracking.goal SET deleted = true WHERE idsite = :one AND idgoal = 2;
SELECT pk_tracking.add_goal(:one, 'file', 'file', '\.pdf$', 'regex', case_sensitive => true);
SELECT s.name AS site, idgoal, g.name, match_attribute, pattern, pattern_type, case_sensitive, allow_multiple, revenue, deleted
FROM pk_tracking.goal AS g JOIN pk_tracking.site AS s USING (idsite) WHERE s.name IN ('one', 'two') ORDER BY idsite, idgoal;
SELECT pk_tracking.add_goal(-1, 'x', 'url', 'x');
SELECT pk_tracking.add_goal(NULL, 'x', 'url', 'x');
SELECT pk_tracking.add_goal(:one, '', 'url', 'x');
SELECT pk_tracking.add_goal(:one, 'x', 'path', 'x');
SELECT pk_tracking.add_goal(:one, 'x', NULL, 'x');
SELECT pk_tracking.add_goal(:one, 'x', 'url');
SELECT pk_tracking.add_goal(:one, 'x', 'url', '');
SELECT pk_tracking.add_goal(:one, 'x', 'url', 'x', 'greater_than');
SELECT pk_tracking.add_goal(:one, 'x', 'url', 'x', NULL);
SELECT pk_tracking.add_goal(:one, 'x', 'url', '(', 'regex');
SELECT pk_tracking.add_goal(:one, 'x', 'manually', 'x');
SELECT pk_tracking.add_goal(:one, 'x', 'visit_duration', '10');
SELECT pk_tracking.add_goal(:one, 'x', 'visit_duration', 'ten', 'greater_than');
SELECT pk_tracking.add_goal(:one, 'x', 'url', 'x', revenue => -1);
SELECT pk_tracking.add_goal(:one, 'x', 'url', 'x', revenue => 'NaN');

-- triggers are for their tables
SELECT pk_tracking_internal.setting_check();
SELECT pk_tracking_internal.config_changed();
CREATE TEMP TABLE other (a int);
CREATE TRIGGER t BEFORE INSERT ON other FOR EACH ROW EXECUTE FUNCTION pk_tracking_internal.setting_check();
INSERT INTO other VALUES (1);
CREATE TRIGGER s AFTER INSERT ON other FOR EACH STATEMENT EXECUTE FUNCTION pk_tracking_internal.site_check();
DROP TRIGGER t ON other;
INSERT INTO other VALUES (1);
DROP TABLE other;

-- server parameters
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'pk\_tracking.%' ORDER BY name COLLATE "C";
\set VERBOSITY sqlstate
SET pk_tracking.bulk_memory = '1kB';
\set VERBOSITY default
SET pk_tracking.geoip_city_file = 'a.mmdb', '/b/c.mmdb';
SHOW pk_tracking.geoip_city_file;
RESET pk_tracking.geoip_city_file;
SET pk_tracking.no_such = 1;

DELETE FROM pk_tracking.site WHERE name IN ('one', 'two');
