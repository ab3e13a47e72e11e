-- What an HTTP daemon asks besides tracking: numbers of batches, and some settings
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('edge') AS site \gset
SELECT pk_tracking.add_site('edge, another') AS other \gset
CREATE ROLE regress_pkt_edge;
SELECT pk_tracking.grant_tracker('regress_pkt_edge', edge => true);
\set daemon '''11111111-1111-4111-8111-111111111111'''
\set first '''aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa'''
\set second '''bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'''

-- 1. A batch's number is written with its hits
SET ROLE regress_pkt_edge;
SELECT outcome FROM pk_tracking.track_batch(:daemon, 1, :first), pk_tracking.track_request(format('idsite=%s&rec=1&url=https%%3A%%2F%%2Fa.example%%2F1&_id=00000000000000e1', :site));
SELECT pk_tracking.batch_done(:daemon, 1, :first) AS committed, pk_tracking.batch_done(:daemon, 2, :first) AS to_come;
BEGIN;
SELECT FROM pk_tracking.track_batch(:daemon, 2, :first);
ROLLBACK;
SELECT pk_tracking.batch_done(:daemon, 2, :first) AS rolled_back;
-- numbers rise, with gaps
SELECT pk_tracking.track_batch(:daemon, 1, :first);
SELECT pk_tracking.track_batch(:daemon, 7, :first);
SELECT pk_tracking.batch_done(:daemon, 6, :first) AS "6", pk_tracking.batch_done(:daemon, 7, :first) AS "7", pk_tracking.batch_done(:daemon, 8, :first) AS "8";

-- 2. Once another session has asked, the one before commits no more
SELECT pk_tracking.batch_done(:daemon, 8, :second) AS "8";
SELECT pk_tracking.track_batch(:daemon, 8, :first);
SELECT pk_tracking.track_batch(:daemon, 8, :second);
SELECT pk_tracking.batch_done(:daemon, 8, :second) AS "8";
-- also of a daemon of which nothing is known
SELECT pk_tracking.batch_done('22222222-2222-4222-8222-222222222222', 1, :second) AS unknown;
SELECT pk_tracking.track_batch('22222222-2222-4222-8222-222222222222', 1, :first);
SELECT pk_tracking.track_batch(NULL, 1, :first) IS NULL AS nothing, pk_tracking.batch_done(:daemon, NULL, :first) IS NULL AS unknown;

-- 3. The settings that it needs, and no others
RESET ROLE;
SELECT pk_tracking.set_instance('proxy_client_headers', '{x-forwarded-for,Forwarded}'), pk_tracking.set_instance('excluded_ips', '{203.0.113.7}'), pk_tracking.set_instance('ignore_visits_cookie_name', 'go_away'),
	pk_tracking.set_site(:site, 'cookie_name', 'shop_id'), pk_tracking.set_site(:other, 'anonymous_cookie_name', 'anon') \g /dev/null
SET ROLE regress_pkt_edge;
SELECT name, value FROM pk_tracking.edge_settings() WHERE name NOT IN ('site', 'page') ORDER BY name COLLATE "C", value COLLATE "C";
SELECT count(*) AS "both sites" FROM pk_tracking.edge_settings() WHERE name = 'site' AND value IN (:'site', :'other');
SELECT count(*) AS "of both pages" FROM pk_tracking.edge_settings() WHERE name = 'page' AND value::json ->> 'idsite' IN (:'site', :'other');
SELECT pk_tracking.consent_window(:site) IS NULL AS not_set, pk_tracking.consent_window(0) IS NULL AS no_site;
RESET ROLE;
SELECT pk_tracking.set_site(:site, 'consent_window', '{"position": "top"}') \g /dev/null
SELECT pk_tracking.set_site(:site, 'consent_window', '["en"]');
SELECT pk_tracking.set_site(:site, 'consent_window', '{"en": ');
SET ROLE regress_pkt_edge;
SELECT pk_tracking.consent_window(:site), pk_tracking.consent_window(:other) IS NULL AS not_set;
SELECT * FROM pk_tracking.settings LIMIT 1;
SELECT * FROM pk_tracking.edge_batch;
SELECT * FROM pk_tracking.site LIMIT 1;
RESET ROLE;

-- 4. An update of its row is HOT
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT n_tup_hot_upd = n_tup_upd AS hot FROM pg_stat_user_tables WHERE relid = 'pk_tracking.edge_batch'::regclass;

-- maintain() forgets senders that are gone for long
INSERT INTO pk_tracking.edge_batch VALUES ('33333333-3333-4333-8333-333333333333', :first, 1, now() - interval '401 days'), ('44444444-4444-4444-8444-444444444444', :first, 1, now() - interval '399 days');
SELECT task, done FROM pk_tracking.maintain() WHERE task ~ 'batches';
SELECT daemon FROM pk_tracking.edge_batch WHERE daemon::text ~ '^[34]' ORDER BY daemon;

-- 5. The rights go with the next call that does not ask for them
SELECT pk_tracking.grant_tracker('regress_pkt_edge');
SET ROLE regress_pkt_edge;
SELECT pk_tracking.track_batch(:daemon, 9, :second);
SELECT pk_tracking.batch_done(:daemon, 9, :second);
SELECT pk_tracking.edge_settings();
SELECT pk_tracking.consent_window(1);
RESET ROLE;
DELETE FROM pk_tracking.setting;
DELETE FROM pk_tracking.edge_batch;
DROP OWNED BY regress_pkt_edge;
DROP ROLE regress_pkt_edge;
