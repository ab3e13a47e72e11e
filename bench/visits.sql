-- A log of :visits visits for look-ups, written by SQL straight into log_visit:
-- four visits a visitor, 30 days evenly spread, the last at 2026-10-31; every
-- visitor with its own fingerprint.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
CREATE EXTENSION pg_prewarm;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('Look-up', ARRAY['https://shop.example.org'], 'UTC') \g /dev/null
SELECT pk_tracking.set_instance('create_new_visit_after_midnight', 'off') \g /dev/null
SET synchronous_commit = off;
SET maintenance_work_mem = '1GB';

-- the indexes are made at the end
CREATE TEMP TABLE def AS
	SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS def FROM pg_index
	WHERE indrelid = 'pk_tracking.log_visit'::regclass AND NOT indisprimary;
SELECT format('DROP INDEX %s', name) FROM def \gexec
ALTER TABLE pk_tracking.log_visit DROP CONSTRAINT log_visit_pkey;

INSERT INTO pk_tracking.log_visit (idvisitor, config_id, visit_first_action_time, visit_last_action_time, last_idlink_va,
	visit_entry_idaction_url, visit_entry_idaction_name, visit_exit_idaction_url, visit_exit_idaction_name, idsite,
	visit_total_time, visit_total_actions, visit_total_interactions, profilable, referer_type, config_device_type, config_cookie,
	visitor_localtime, location_ip, location_browser_lang, location_continent, location_country, location_region, location_city,
	location_latitude, location_longitude, config_resolution, config_os, config_os_version, config_browser_name, config_browser_version, config_browser_engine)
SELECT lpad(to_hex(v % (:visits / 4)), 16, 'a')::hexid, lpad(to_hex(v % (:visits / 4)), 16, 'b')::hexid,
	t.at, t.at + interval '5 minutes', v, 1, 2, 3, 4, 1, 301, 4, 4, 1, 1, 0, 1,
	'12:00', '10.1.0.0', 'en', 'eur', 'de', 'BE', 'Berlin', 52.52, 13.405, '1920x1080', 'WIN', '10', 'CH', '142.0', 'Blink'
FROM generate_series(0, :visits - 1) v,
	LATERAL (SELECT timestamptz '2026-10-01 00:00:00+00' + v * (interval '30 days' / :visits) AS at) t;
INSERT INTO pk_tracking.log_visit_length VALUES (1, 1800);

ALTER TABLE pk_tracking.log_visit ADD PRIMARY KEY (idvisit);
SELECT def FROM def \gexec
VACUUM (ANALYZE, FREEZE) pk_tracking.log_visit;
VACUUM ANALYZE;
