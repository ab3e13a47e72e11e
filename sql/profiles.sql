-- Recognition profiles.  The table at the end stands in README: the stage readme
-- compares.
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	DELETE FROM pk_tracking.log_visit;	-- a log would make other warnings
END $$;
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, hint);
END
$$;

-- every profile gives every setting of the table a value or takes it away
SELECT * FROM pk_tracking_internal.recognition_profiles();
SELECT count(*) FROM pk_tracking_internal.recognition_profiles() p WHERE NOT EXISTS (SELECT FROM pk_tracking.settings s WHERE s.name = p.setting);
SELECT pk_tracking.add_site('profile') AS site \gset
CREATE TEMP TABLE profile (name text, place integer);
INSERT INTO profile VALUES ('faq', 1), ('cookies', 2), ('cookieless', 3), ('matomo', 4);
-- what stands in the table of settings, whatever was applied before, and which warnings that gives
CREATE FUNCTION pg_temp.applied(site integer, before text, profile text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM pk_tracking.setting;
	PERFORM pk_tracking.apply_recognition_profile(site, before);
	PERFORM pk_tracking.apply_recognition_profile(site, profile);
	RETURN (SELECT string_agg(t.name || '=' || t.value, ' ' ORDER BY t.name) FROM pk_tracking.setting t WHERE coalesce(t.idsite, 0) = coalesce(site, 0));
END
$$;
SELECT p.name, count(DISTINCT pg_temp.applied(:site, b.name, p.name)) AS results, bool_and(pg_temp.applied(:site, b.name, p.name) = pg_temp.applied(NULL, b.name, p.name)) AS as_instance,
	bool_and(pg_temp.applied(:site, b.name, p.name) = (SELECT string_agg(r.setting || '=' || (to_jsonb(r) ->> p.name), ' ' ORDER BY r.setting) FROM pk_tracking_internal.recognition_profiles() r)) AS as_in_table
FROM profile p, profile b GROUP BY 1, p.place ORDER BY p.place;
DELETE FROM pk_tracking.setting;
-- nothing else is touched
SELECT pk_tracking.set_site(:site, 'ip_mask_level', '3'), pk_tracking.set_site(:site, 'consent_mode', 'ask_else_nothing'), pk_tracking.set_site(:site, 'visit_standard_length', '60');
SELECT FROM pk_tracking.apply_recognition_profile(:site, 'cookies');
SELECT t.name, t.value FROM pk_tracking.setting t WHERE t.idsite = :site AND t.name IN ('ip_mask_level', 'consent_mode', 'visit_standard_length') ORDER BY 1;
DELETE FROM pk_tracking.setting;

-- add_site() has it, too
SELECT pk_tracking.add_site('profile with', profile => 'cookies') AS with_profile, pk_tracking.add_site('profile without') AS without \gset
SELECT s.idsite = :with_profile AS with_profile, s.name, s.value, s.source FROM pk_tracking.settings s WHERE s.idsite IN (:with_profile, :without) AND s.name IN ('returning_look_back', 'fingerprint_joins_known_ids') ORDER BY 1, 2;
SELECT pg_temp.try($$SELECT pk_tracking.add_site('profile wrong', profile => 'lax')$$), (SELECT count(*) FROM pk_tracking.site s WHERE s.name = 'profile wrong') AS sites;
SELECT pg_temp.try(format('SELECT pk_tracking.apply_recognition_profile(%s, NULL)', :site));
SELECT pg_temp.try('SELECT pk_tracking.apply_recognition_profile(NULL, ''FAQ'')');
SELECT pg_temp.try('SELECT pk_tracking.apply_recognition_profile(0, ''faq'')');

-- one that would weaken the instance's privacy setting is refused whole
DELETE FROM pk_tracking.setting;
CREATE FUNCTION pg_temp.refused(site integer, setting text, value text, profile text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	PERFORM pk_tracking.set_instance(setting, value);
	result := pg_temp.try(format('SELECT pk_tracking.apply_recognition_profile(%s, %L)', site, profile));
	result := concat_ws(' | ', (SELECT count(*) FROM pk_tracking.setting t WHERE t.idsite = site) || ' rows', split_part(result, ' | ', 2));
	DELETE FROM pk_tracking.setting;
	RETURN result;
END
$$;
SELECT s.setting, p.name, pg_temp.refused(:site, s.setting, s.value, p.name)
FROM (VALUES ('force_cookieless_tracking', 'on'), ('fingerprint_ip', 'masked'), ('fingerprint_salt_rotation', 'daily'), ('use_fingerprint', 'off'), ('use_anonymized_ip_for_visit_enrichment', 'on')) s (setting, value), profile p ORDER BY s.setting, p.place;

-- What a profile does: the table of README.
CREATE FUNCTION pg_temp.tried(profile text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	person integer := pk_tracking.add_site('profile person', profile => profile);
	crowd integer := pk_tracking.add_site('profile crowd', profile => profile);
	neighbours integer := pk_tracking.add_site('profile neighbours', profile => profile);
	id hexid;
	near boolean;
	daily boolean;
	stored text;
	counts text;
	week text;
BEGIN
	-- one person, once a day for a week, whose cookie stays
	PERFORM FROM generate_series(0, 6) d, pk_tracking.track(person, 'http://a.example/', visitor_id => 'aaaaaaaaaaaaaaaa', ip => '203.0.113.10', user_agent => 'a', at => '2026-03-02 10:00+00'::timestamptz + d * interval '1 day');
	SELECT format('%s visits of %s, new %s', count(*), CASE count(DISTINCT v.idvisitor) WHEN 1 THEN '1 visitor' ELSE count(DISTINCT v.idvisitor) || ' visitors' END,
			CASE count(*) FILTER (WHERE v.visitor_returning = 0) WHEN 1 THEN 'once' ELSE 'each time' END), count(DISTINCT v.config_id) > 1
		INTO week, daily FROM pk_tracking.log_visit v WHERE v.idsite = person;
	-- 100 people, a cookie each, one address, one browser, 10 seconds apart
	PERFORM FROM generate_series(1, 100) n, pk_tracking.track(crowd, 'http://a.example/', visitor_id => n::bigint::hexid, ip => '203.0.113.10', user_agent => 'a', at => '2026-03-02 10:00+00'::timestamptz + n * interval '10 seconds');
	SELECT format('%s of %s', CASE count(*) WHEN 1 THEN '1 visit' ELSE count(*) || ' visits' END, CASE count(DISTINCT v.idvisitor) WHEN 1 THEN '1 visitor' ELSE count(DISTINCT v.idvisitor) || ' visitors' END)
		INTO counts FROM pk_tracking.log_visit v WHERE v.idsite = crowd;
	-- what is stored; neighbours: another address of the same masked network
	PERFORM FROM pk_tracking.track(neighbours, 'http://a.example/', visitor_id => 'aaaaaaaaaaaaaaaa', ip => '203.0.113.10', user_agent => 'a', at => '2026-03-02 10:00+00'),
		pk_tracking.track(neighbours, 'http://a.example/', visitor_id => 'bbbbbbbbbbbbbbbb', ip => '203.0.114.20', user_agent => 'a', at => '2026-03-02 12:00+00') x;
	SELECT count(DISTINCT v.config_id) = 1, bool_or(v.location_ip::text <> '203.0.0.0/32') INTO near, stored FROM pk_tracking.log_visit v WHERE v.idsite = neighbours;
	SELECT concat_ws(', ', CASE WHEN v.idvisitor = 'aaaaaaaaaaaaaaaa' THEN 'cookie id' ELSE 'no cookie id' END,
			CASE WHEN daily THEN 'daily ' ELSE '' END || 'fingerprint of the ' || CASE WHEN near THEN 'masked' ELSE 'full' END || ' address', CASE WHEN stored::boolean THEN 'the full address' END)
		INTO stored FROM pk_tracking.log_visit v WHERE v.idsite = person ORDER BY v.idvisit LIMIT 1;
	RETURN format('| `%s` | %s | %s | %s |', profile, stored, counts, week);
END
$$;
\pset tuples_only on
\pset format unaligned
SELECT pg_temp.tried(p.name) FROM profile p ORDER BY p.place;
DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.site s WHERE s.name LIKE 'profile%';
