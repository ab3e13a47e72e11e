-- Every public function under an empty search_path, and under one where
-- hostile objects come first: the same answers
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
CREATE ROLE regress_pkt_path;
CREATE SCHEMA regress_pkt_evil;
CREATE SCHEMA regress_pkt_tools;

-- operators on the usual types, functions and tables of the usual names: using one is an error
DO $$
DECLARE
	t text;
	o text;
	f text;
BEGIN
	FOREACH t IN ARRAY '{int2,int4,int8,text,name,timestamptz,oid,bytea,inet,bool,jsonb,anyarray,regclass,xid,tid,public.hexid}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION regress_pkt_evil.op(%1$s, %1$s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RAISE ''''evil operator on %1$s''''; END''', t);
		FOREACH o IN ARRAY '{=,<>,<,<=,>,>=,||,+,-,~,!~}'::text[] LOOP
			EXECUTE format('CREATE OPERATOR regress_pkt_evil.%s (LEFTARG = %2$s, RIGHTARG = %2$s, FUNCTION = regress_pkt_evil.op)', o, t);
		END LOOP;
	END LOOP;
	FOREACH f IN ARRAY ARRAY['max(int8)', 'max(int4)', 'min(timestamptz)', 'now()', 'format(text, text)', 'lower(text)', 'trim(text)', 'btrim(text)', 'to_regclass(text)', 'to_char(timestamp, text)',
		'array_to_string(text[], text)', 'current_setting(text)', 'pg_get_userbyid(oid)', 'has_schema_privilege(name, oid, text)', 'nextval(regclass)', 'pg_is_in_recovery()', 'unnest(text[])', 'set_config(text, text, boolean)', 'date_trunc(text, timestamp)', 'count(int8)', 'sum(int4)', 'sum(numeric)', 'string_agg(text, text)', 'isfinite(date)', 'unnest(anyarray)', 'generate_series(timestamp, timestamp, interval)', 'jsonb_agg(jsonb)',
		'gen_random_bytes(int4)', 'digest(bytea, text)', 'hmac(bytea, bytea, text)', 'hexid_eq(public.hexid, public.hexid)', 'statement_timestamp()', 'clock_timestamp()']
	LOOP
		EXECUTE format('CREATE FUNCTION regress_pkt_evil.%s RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE ''''evil function''''; END''', f);
	END LOOP;
	FOREACH t IN ARRAY '{site,setting,goal,token,log_visit,log_action,log_link_visit_action,log_conversion,log_conversion_item,log_version,log_visit_length,salt,secret_destroyed,link_key_0,session_link_0,pg_class,pg_proc,pg_roles,pg_extension,pg_depend,pg_namespace}'::text[] LOOP
		EXECUTE format('CREATE TABLE regress_pkt_evil.%I (evil integer)', t);
	END LOOP;
	CREATE DOMAIN regress_pkt_evil.hexid AS text CHECK (false);
	CREATE DOMAIN regress_pkt_evil.text AS integer;
END $$;

-- runs a statement, nothing else: no operator, no unqualified name
CREATE FUNCTION regress_pkt_tools.run(statement pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$
DECLARE
	result pg_catalog.text;
BEGIN
	EXECUTE statement INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN pg_catalog.concat_ws(' ', SQLSTATE, pg_catalog.regexp_replace(SQLERRM, 'site [1-9][0-9]*', 'site N'));
END
$$;

-- all calls in their order, which UPDATE alone does not promise
CREATE FUNCTION regress_pkt_tools.run_all(result_column pg_catalog.text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT calls.n, calls.statement FROM regress_pkt_tools.calls ORDER BY calls.n LOOP
		EXECUTE pg_catalog.format('UPDATE regress_pkt_tools.calls SET %I = $1 WHERE n OPERATOR(pg_catalog.=) $2', result_column)
			USING regress_pkt_tools.run(c.statement), c.n;
	END LOOP;
END
$$;

SELECT pk_tracking.add_site('search path') AS site \gset
-- for reports: rows that do not grow from one pass to the next
SELECT pk_tracking.add_site('reports', timezone => 'Europe/Berlin') AS reports \gset
SELECT pk_tracking.add_goal(:reports, 'goal', 'manually') AS goal, pk_tracking.add_dimension(:reports, 'section', 'action') AS dimension;
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
	SELECT n, :reports, n, CASE WHEN n = 1 THEN 2 END, format('name %s', n) FROM generate_series(1, 16) n;
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, user_id, consent, visit_total_actions, visit_goal_converted, referer_type, referer_name, referer_url, visit_entry_idaction_url, visit_exit_idaction_url,
		visit_entry_idaction_name, visit_exit_idaction_name, custom_variables)
	SELECT 6000000000 + n, :reports, '2026-03-02 12:00+00'::timestamptz + n * interval '1 h', '2026-03-03 12:00+00', CASE WHEN n < 7 THEN '00000000000000aa'::hexid END, CASE WHEN n < 3 THEN 'jo' END, CASE WHEN n < 7 THEN 0 ELSE 2 END, n, (n < 5)::integer,
		(ARRAY[6, 2, 3])[1 + n % 3], 'name', CASE WHEN n = 2 THEN 'https://b.example/' END, 1, 1, 4, 4, CASE WHEN n < 7 THEN '{"1": ["a", "b"]}'::jsonb END FROM generate_series(0, 8) n;
INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, server_time, idvisitor, consent, idaction_url, idaction_name, idaction_url_ref, idaction_name_ref, time_spent_ref_action, idaction_event_category, idaction_event_action, custom_float, search_cat, search_count, idaction_product_sku,
		idaction_content_name, idaction_content_piece, time_server, custom_dimensions, custom_variables)
	SELECT 6000000000 + v.idvisit % 1000 * 10 + k, v.idvisit, v.idsite, v.visit_first_action_time + k * interval '1 min', v.idvisitor, v.consent, (ARRAY[1, 2, 3, NULL, 1, 1, 1])[k], (ARRAY[4, 0, 0, 8, 12, 4])[k], CASE WHEN k <> 6 THEN 1 END, CASE WHEN k = 6 THEN 8 ELSE 4 END, 5,
		CASE WHEN k = 5 THEN 10 END, CASE WHEN k = 5 THEN 11 END, 1.5, CASE WHEN k = 4 AND v.consent = 0 THEN 'category' END, 0, CASE WHEN k = 1 THEN 5 END,
		CASE WHEN k = 7 THEN 13 END, CASE WHEN k = 7 THEN 14 END, CASE WHEN k = 1 THEN 100 END, CASE WHEN k = 1 AND v.consent = 0 THEN '{"1": "x"}'::jsonb END, CASE WHEN k = 1 AND v.consent = 0 THEN '{"1": ["a", "b"]}'::jsonb END
	FROM pk_tracking.log_visit v, generate_series(1, 7) k WHERE v.idsite = :reports;
INSERT INTO pk_tracking.log_conversion (idvisit, buster, idsite, server_time, idvisitor, consent, idgoal, items, revenue, referer_type)
	SELECT v.idvisit, 0, v.idsite, v.visit_first_action_time, v.idvisitor, v.consent, g, 1, 2.5, 6 FROM pk_tracking.log_visit v, generate_series(-1, 1) g WHERE v.idsite = :reports AND v.visit_goal_converted = 1;
INSERT INTO pk_tracking.log_conversion_item (idvisit, idsite, server_time, idvisitor, consent, idaction_sku, idaction_name, idaction_category, quantity, price, idorder)
	SELECT v.idvisit, v.idsite, v.visit_first_action_time, v.idvisitor, v.consent, 5, 6, 7, 2, 1.25, 'o' FROM pk_tracking.log_visit v WHERE v.idsite = :reports AND v.visit_goal_converted = 1;
CREATE TABLE regress_pkt_tools.keyed AS SELECT i AS id FROM generate_series(1, 3) i;
ALTER TABLE regress_pkt_tools.keyed ADD PRIMARY KEY (id);
CREATE TABLE regress_pkt_tools.raw (idsite integer, at timestamptz);
INSERT INTO regress_pkt_tools.raw VALUES (0, NULL);
CREATE TABLE regress_pkt_tools.calls (n serial, statement text, plain text, empty text, hostile text);
INSERT INTO regress_pkt_tools.calls (statement) SELECT replace(replace(s, '$S', :'site'), '$R', :'reports') FROM unnest(ARRAY[
	$$SELECT (pk_tracking.track($S, 'https://a.example/', 'Title', 'https://b.example/', '203.0.113.77', 'agent', 'en', 'feedfacecafebeef', at => '2026-03-02 12:00+00', params => '{"_idvc": 2}')).outcome$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/', user_id => 'jo', ip => '203.0.113.77', at => '2026-03-02 12:00+00')).outcome$$,
	$$SELECT (pk_tracking.track($S, cid => 'feedfacecafebeef', new_visit => true, at => '2026-03-02 12:01+00')).reason$$,
	$$SELECT (pk_tracking.track_request('idsite=$S&rec=1&_id=feedfacecafebeef&url=https://a.example/2', '203.0.113.77', 'agent', 'en', '2026-03-02 12:02+00', '{"cookie": "a=b"}', true, true)).matched_by$$,
	$$SELECT (pk_tracking.track_request('idsite=0')).outcome_reason$$,
	$$SELECT pk_tracking.track_requests('["?idsite=0", "?idsite=0&token_auth=x"]')$$,
	$$SELECT pk_tracking.track_requests_answer('{"token_auth": "x", "requests": ["?idsite=$S&rec=1&_id=feedfacecafebeef", "?idsite=$S&rec=1&_id=feedfacecafebeef", "?idsite=0"]}', '203.0.113.77', 'agent', 'en', '2026-03-02 12:03+00', '{"a": "b"}', true)$$,
	$$SELECT pg_catalog.length(pk_tracking.create_token($S, 'search path'))$$,
	$$SELECT pk_tracking.drop_token('search path')$$,
	$$SELECT pk_tracking.drop_token(hash => '0123456789abcdef')$$,
	$$SELECT pk_tracking.track(0)$$,
	$$SELECT m.matched_by FROM pk_tracking.match_visitor($S, 'feedfacecafebeef', at => '2026-03-02 12:02+00') m LIMIT 1$$,
	$$SELECT pk_tracking.fingerprint($S, '203.0.113.77', 'agent', 'en', '2026-03-02 12:02+00', '{"pdf": 1}')$$,
	$$SELECT pk_tracking.fingerprint_with_salt('\x00112233445566778899aabbccddeeff', 'a', 'b', 'c', 'd', '{0,0,0,0,0,0,0,0}', '203.0.113.77', 'en', 1)$$,
	$$SELECT pk_tracking.matomo_config_id('WIN', 'FF', '3.6', '156.5.3.2', 'fr', 'SALT')$$,
	$$SELECT pk_tracking.user_id_visitor_id('foo')$$,
	$$SELECT pk_tracking.user_id_pseudonym('foobar', 'simpleuseridsalt1')$$,
	$$SELECT pk_tracking.user_agent('curl/7.88.1', '{"platform": "Windows"}')$$,
	$$SELECT pk_tracking_internal.user_agent_in_rule_order('curl/7.88.1')$$,
	$$SELECT r.rules OPERATOR(pg_catalog.>) 0 FROM pk_tracking.user_agent_rules() r$$,
	$$SELECT pk_tracking.normalise_language('en-US, de;q=0.5')$$,
	$$SELECT pk_tracking.normalise_url($S, 'https://A.example/x;a=1?utm_source=b&sid=c#d')$$,
	$$SELECT pk_tracking.normalise_url(0, 'https://a.example/')$$,
	$$SELECT pk_tracking.referrer($S, 'https://a.example/?utm_source=b', 'https://www.google.com/search?q=c', '{"utm_medium": "d"}', '(6,b,c,)')$$,
	$$SELECT pk_tracking.referrer($S, 'https://a.example/', 'https://b.example/')$$,
	$$SELECT pk_tracking.referrer_changed('(6,b,c,)', '(6,B,d,)')$$,
	$$SELECT pk_tracking.mask_ip('203.0.113.77', 2)$$,
	$$SELECT pk_tracking.parse_ip('[2001:db8::1]:80')$$,
	$$SELECT pk_tracking.geoip('203.0.113.77')$$,
	$$SELECT f.kind FROM pk_tracking.geoip_files() f$$,
	$$SELECT pg_catalog.length(pk_tracking.export_salt('fingerprint'))$$,
	$$SELECT pk_tracking.import_salt('user_id', pk_tracking.export_salt('user_id'))$$,
	$$SELECT pk_tracking.import_salt('no such', '\x00')$$,
	$$SELECT pk_tracking.renew_lock_salt()$$,
	$$SELECT pg_catalog.array_length(pk_tracking_internal.lock_tags(1, 2), 1)$$,
	$$SELECT pk_tracking_internal.siphash('\x000102030405060708090a0b0c0d0e0f', '\x00')$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.destroy_expired_salts())$$,
	$$SELECT pg_catalog.length(pk_tracking_internal.daily_salt_digest($S, CURRENT_DATE, pg_catalog.now(), pg_catalog.now(), true))$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.prepare_daily_salt($S, CURRENT_DATE, pg_catalog.now(), pg_catalog.now()))$$,
	$$SELECT pk_tracking_internal.session_link($S, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 10:00+00', 1)$$,
	$$SELECT pk_tracking_internal.session_link($S, 'cookie', 'x', '2024-06-15 10:00+00', '2024-06-15 11:57+00', 2)$$,
	$$SELECT pk_tracking.destroy_expired_links('2024-06-15 18:00+00')$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.destroy_expired_links())$$,
	$$SELECT l.kind FROM pk_tracking_internal.secret_list() l WHERE l.kind OPERATOR(pg_catalog.=) 'instance salt'$$,
	$$SELECT s.kind FROM pk_tracking.secrets s WHERE s.kind OPERATOR(pg_catalog.=) 'user id salt'$$,
	$$SELECT pk_tracking.set_instance('ip_mask_level', '2')$$,
	$$SELECT pk_tracking.set_instance('excluded_ips', '{10.0.0.0/8}')$$,
	$$SELECT pk_tracking.set_instance('no_such', 'x')$$,
	$$SELECT pk_tracking.set_site($S, 'ip_mask_level', '3')$$,
	$$SELECT pk_tracking.set_site($S, 'ip_mask_level', '1')$$,
	$$SELECT pk_tracking.set_site(0, 'ip_mask_level', '3')$$,
	$$SELECT s.value FROM pk_tracking.settings s WHERE s.idsite OPERATOR(pg_catalog.=) $S AND s.name OPERATOR(pg_catalog.=) 'ip_mask_level'$$,
	$$SELECT v.source FROM pk_tracking_internal.setting_values() v WHERE v.idsite OPERATOR(pg_catalog.=) $S AND v.name OPERATOR(pg_catalog.=) 'ip_mask_level'$$,
	$$SELECT pk_tracking_internal.setting_name('IP_mask_level')$$,
	$$SELECT pk_tracking.reset_site($S, 'ip_mask_level')$$,
	$$SELECT pk_tracking.reset_instance('ip_mask_level')$$,
	$$SELECT pk_tracking.reset_instance('excluded_ips')$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.add_site('another', '{https://a.example}', 'Europe/Berlin', 'EUR', false))$$,
	$$SELECT pk_tracking.add_site('another', timezone => 'No/Where')$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.add_site('another', profile => 'cookies'))$$,
	$$SELECT pk_tracking.apply_recognition_profile($S, 'matomo'), pk_tracking.apply_recognition_profile($S, 'faq')$$,
	$$SELECT pk_tracking.apply_recognition_profile(NULL, 'lax')$$,
	$$SELECT pk_tracking.tracking_code($S, 'https://stats.example/')$$,
	$$SELECT pk_tracking.tracking_code($S, 'stats')$$,
	$$SELECT p.faq FROM pk_tracking_internal.recognition_profiles() p WHERE p.setting OPERATOR(pg_catalog.=) 'use_fingerprint'$$,
	$$SELECT pk_tracking.apply_privacy_profile($S, 'strict')$$,
	$$SELECT pk_tracking_internal.setting_is_stricter('ip_mask_level', '3', '2')$$,
	$$SELECT s.value FROM pk_tracking.settings s WHERE s.idsite OPERATOR(pg_catalog.=) $S AND s.name OPERATOR(pg_catalog.=) 'consent_mode'$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/?a=b', ip => '203.0.113.77', session_cookie => '00000000000000ab', consent => 'denied', at => '2026-03-02 12:02+00')).outcome$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/?a=b', session_cookie => '00000000000000ab', consent => 'denied', at => '2026-03-02 12:02+00')).matched_by$$,
	$$SELECT pk_tracking.reset_site($S, 'consent_upgrade')$$,
	$$SELECT pk_tracking.reset_site($S, 'anonymous_session_cookie')$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/', session_cookie => '00000000000000ac', consent => 'unknown', at => '2026-03-02 12:02+00')).outcome$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/', session_cookie => '00000000000000ac', consent => 'granted', at => '2026-03-02 12:02+00')).delete_cookies$$,
	$$SELECT pk_tracking.reset_site($S, 'consent_mode')$$,
	$$SELECT pk_tracking.apply_privacy_profile($S, 'lax')$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.add_goal($S, 'goal', 'url', 'thanks', 'contains'))$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.add_goal($S, 'goal', 'title', '^a+$', 'regex', true, true, 1.5))$$,
	$$SELECT pk_tracking.add_goal($S, 'goal', 'nothing')$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.add_dimension($S, 'plan', 'visit'))$$,
	$$SELECT pg_catalog.pg_typeof(pk_tracking.add_dimension($S, 'section', 'action', '[{"dimension": "url", "pattern": "/([a-z]+)$"}]'))$$,
	$$SELECT pk_tracking.add_dimension($S, 'plan', 'nothing')$$,
	$$SELECT (pk_tracking.track_request('idsite=$S&rec=1&_id=feedfacecafebeef&url=https://a.example/section&dimension1=gold&e_c=c&e_a=a&e_v=2.5&_cvar={"1":["a","b"]}', '203.0.113.77', 'agent', 'en', '2026-03-02 12:03+00')).outcome$$,
	$$SELECT (pk_tracking.track_request('idsite=$S&rec=1&_id=feedfacecafebeef&pv_id=abcdef&ping=1&pf_net=5', '203.0.113.77', 'agent', 'en', '2026-03-02 12:03+00')).outcome$$,
	$$SELECT f.type FROM pk_tracking_internal.hit_field_table() f WHERE f.name OPERATOR(pg_catalog.=) 'e_v'$$,
	$$SELECT f.description FROM pk_tracking.hit_fields f WHERE f.name OPERATOR(pg_catalog.=) 'e_v'$$,
	$$SELECT pk_tracking_internal.need_log()$$,
	$$SELECT pk_tracking_internal.need_site(0)$$,
	$$SELECT pk_tracking_internal.need_site($S, lock => true)$$,
	$$SELECT pk_tracking.create_log()$$,
	$$SELECT pk_tracking.upgrade_log()$$,
	$$SELECT pk_tracking_internal.trusted_tracking()$$,
	$$SELECT pk_tracking_internal.full_answers()$$,
	$$SELECT pk_tracking_internal.grant_right('regress_pkt_path', 'full_answers', true)$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/', user_agent => 'Googlebot/2.1', at => '2026-03-02 12:00+00')).outcome_reason$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/', urlref => 'https://semalt.com/', at => '2026-03-02 12:00+00')).outcome_reason$$,
	$$SELECT pk_tracking.compact_excluded() OPERATOR(pg_catalog.>=) 0$$,
	$$SELECT pk_tracking_internal.check_batch(1)$$,
	$$SELECT pk_tracking_internal.check_batch(0)$$,
	$$SELECT pk_tracking_internal.subject_lock($S, '{5,3}')$$,
	$$SELECT pk_tracking_internal.subject_nap(pg_catalog.now())$$,
	$$SELECT pk_tracking_internal.wait_for_writers('pk_tracking.log_new_names')$$,
	$$SELECT pk_tracking_internal.note_ranges(ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v))$$,
	$$SELECT pk_tracking_internal.deleted_for_all('pk_tracking.log_visit', '3')$$,
	$$SELECT pk_tracking_internal.repair_ranges(10) OPERATOR(pg_catalog.>=) 0$$,
	$$SELECT p.days FROM pk_tracking_internal.purge_plan($S, 30) p$$,
	$$SELECT pk_tracking_internal.purge_find($S, '2000-01-01', 10)$$,
	$$SELECT pk_tracking_internal.purge_count($S, '2000-01-01')$$,
	$$SELECT (pk_tracking_internal.purge_batch($S, '2000-01-01', '{-5}', 30, 'purge', NULL)).visits$$,
	$$SELECT pk_tracking_internal.purge_some(10)$$,
	$$SELECT pk_tracking_internal.anonymise_some(10)$$,
	$$SELECT pk_tracking_internal.erase_bare_visits('{}')$$,
	$$SELECT pk_tracking_internal.need_read_committed()$$,
	$$SELECT pk_tracking_internal.log_created() IS NOT NULL$$,
	$$SELECT b.item FROM pk_tracking_internal.brin_status() b$$,
	$$SELECT (pk_tracking_internal.erase_visits('{-5}', NULL)).n_visits$$,
	$$SELECT pk_tracking_internal.erase_links('{-5}')$$,
	$$SELECT pk_tracking_internal.rows_can_be_kept()$$,
	$$SELECT pk_tracking_internal.raise_rows_kept()$$,
	$$SELECT n.n_visits FROM pk_tracking_internal.count_changes('{-5}', '{address}') n$$,
	$$SELECT pk_tracking_internal.anonymous_changes('log_conversion', '{order_id}') IS NULL$$,
	$$SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 100 FROM pk_tracking.anonymous_columns()$$,
	$$SELECT (pk_tracking.track($S, 'https://a.example/?q=1', user_id => 'subject', visitor_id => 'feedfacecafebe01', ip => '10.7.0.1', user_agent => 'agent', at => '2026-03-02 12:00+00')).outcome$$,
	$$SELECT f.why FROM pk_tracking.find_subject($S, user_id => 'subject', visitor_id => 'feedfacecafebe01', idorder => 'none', idvisits => '{-5}', linked => true) f LIMIT 1$$,
	$$SELECT pg_catalog.jsonb_array_length(pk_tracking.export_subject($S, 'subject') -> 'visits') OPERATOR(pg_catalog.>) 0$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking.anonymise_visits($S, '2026-03-02', '2026-03-02', '{url_queries,address}', dry_run => false)$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking.forget_subject($S, 'subject', mode => 'anonymise')$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking.forget_subject($S, 'subject', idorder => 'none', visitor_id => 'feedfacecafebe01')$$,
	$$SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM pk_tracking.replay_erasures(pk_tracking.export_erasures())$$,
	$$SELECT pk_tracking.renew_erasure_salt()$$,
	$$SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 FROM pk_tracking.who_may_read()$$,
	$$SELECT pg_catalog.count(m.task) FROM pk_tracking.maintain() m WHERE m.done OPERATOR(pg_catalog.>=) 0$$,
	$$SELECT pg_catalog.count(e.erased) OPERATOR(pg_catalog.>) 0 FROM pk_tracking.erase_pages('pk_tracking.log_visit', 100) e$$,
	$$SELECT pg_catalog.count(e.relation) OPERATOR(pg_catalog.>=) 0 FROM pk_tracking_internal.erase_some(100) e$$,
	$$SELECT pg_catalog.count(e.item) OPERATOR(pg_catalog.>=) 0 FROM pk_tracking_internal.erasure_status() e$$,
	$$SELECT pg_catalog.count(t) OPERATOR(pg_catalog.>) 0 FROM pk_tracking_internal.erasable_tables() t, pk_tracking_internal.members_of(t) m$$,
	$$SELECT pg_catalog.count(t) OPERATOR(pg_catalog.>=) 0 FROM pk_tracking_internal.tables_to_erase() t WHERE pk_tracking_internal.table_waits_for_vacuum(t) IS NOT NULL$$,
	$$SELECT pk_tracking_internal.settle_erasures()$$,
	$$SELECT pk_tracking_internal.newest_erasure('3') IS NULL, pk_tracking_internal.wal_holders('0/1') IS NULL, pk_tracking_internal.holds_wal_before('0/1')$$,
	$$SELECT pk_tracking_internal.rollup_clear($S, '{2020-01-01}')$$,
	-- builds what reports below are read from
	$$SELECT pk_tracking.rebuild_rollups($S, '2020-01-01', '2099-01-01') OPERATOR(pg_catalog.>=) 0$$,
	$$SELECT s.value FROM pk_tracking_internal.rollup_status() s WHERE s.item OPERATOR(pg_catalog.=) 'nothing'$$,
	$$SELECT e.hits OPERATOR(pg_catalog.>) 0 FROM pk_tracking.excluded e WHERE e.idsite OPERATOR(pg_catalog.=) $S AND e.reason OPERATOR(pg_catalog.=) 'bot'$$,
	$$SELECT pg_catalog.concat_ws(' ', pk_tracking.matched_by_name(4::int2), pk_tracking.decision_name(3::int2), pk_tracking.consent_name(1::int2), pk_tracking.visitor_type_name(1::int2),
		pk_tracking.referrer_type_name(3::int2), pk_tracking.action_type_name(4::int2), pk_tracking.url_prefix_text(2::int2))$$,
	$$SELECT r FROM pk_tracking.report_visits($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_visitors($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_hours($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_consent($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_countries($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_regions($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_cities($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_languages($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_browsers($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_browser_versions($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_systems($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_system_versions($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_device_types($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_device_brands($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_device_models($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_referrer_types($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_referrers($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_keywords($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_campaigns($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_pages($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_titles($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_downloads($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_outlinks($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_searches($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_events($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_entry_pages($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_exit_pages($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_entry_titles($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_exit_titles($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_pages_after_search($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_titles_after_search($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_page_tree($R, '2026-03-02', '2026-03-31', '/') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_transitions($R, '2026-03-02', '2026-03-31', 'https://name 1') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_transitions($R, '2026-03-02', '2026-03-31', title => 'name 4') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_performance($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_search_categories($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_searches_without_results($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_referring_pages($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_contents($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_content_names($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_content_pieces($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_action_dimension($R, '2026-03-02', '2026-03-31', 1) r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_action_dimension_urls($R, '2026-03-02', '2026-03-31', 1) r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_custom_variables($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_goals($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_conversions($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_conversion_hours($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_orders($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_products($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT ROW(r.visit_total_actions, r.actions) FROM pk_tracking.report_visit_log($R, '2026-03-01', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_visits($R, '2026-03-02', '2026-03-31', 'week', 'identified') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_visits($R, '2026-03-02', '2026-03-31', 'range') r$$,
	$$SELECT pk_tracking.report_visits(0, '2026-03-02', '2026-03-31')$$,
	$$SELECT r.begins FROM pk_tracking_internal.report_period($R, '2026-03-02', '2026-03-31', 'all') r$$,
	$$SELECT pk_tracking_internal.report_spans('month', 30)$$,
	$$SELECT r FROM pk_tracking.report_goal_summary($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_days_to_conversion($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_visits_to_conversion($R, '2026-03-02', '2026-03-31', goal => 0) r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_attribution($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_product_names($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_product_categories($R, '2026-03-02', '2026-03-31') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_cohorts($R, '2026-03-02', '2026-03-31', 'week') r LIMIT 1$$,
	$$SELECT r.nb_visits OPERATOR(pg_catalog.>) 0 FROM pk_tracking.report_sites('2026-03-02', '2026-03-31') r WHERE r.idsite OPERATOR(pg_catalog.=) $R$$,
	$$SELECT r.nb_visits FROM pk_tracking.report_live($R, 10, at => '2026-01-01 00:00+00') r$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking.report_visitor($R, '0123456789abcdef') r$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking.report_visitor($R, user_id => 'nobody') r$$,
	$$SELECT e.numbers FROM pk_tracking.report_evolution($R, '2026-03-02', '2026-03-31', 'report_attribution', '{1}', 'month', '{"goal": 99, "within_days": 3}') e$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking.reports$$,
	$$SELECT q.missing FROM pk_tracking_internal.report_row_query('report_countries', '{de}', NULL) q$$,
	$$SELECT r FROM pk_tracking.report_funnel($R, '2026-03-02', '2026-03-31', '{actionType!=events,eventCategory!=x}', '1 day') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_funnel($R, '2026-03-02', '2026-03-31', '{pageUrl!=https://x.example/}') r LIMIT 1$$,
	$$SELECT pk_tracking_internal.report_funnel_query('{true}', true)$$,
	$$SELECT r FROM pk_tracking.report_goals_by($R, '2026-03-02', '2026-03-31', 'visitDuration') r LIMIT 1$$,
	$$SELECT pk_tracking_internal.report_goals_by_query($R, 'countryCode')$$,
	$$SELECT pk_tracking_internal.report_sites_query()$$,
	$$SELECT pk_tracking_internal.report_day_before('2026-03-01', '2026-03-31')$$,
	$$SELECT pk_tracking_internal.report_live_query()$$,
	$$SELECT pk_tracking_internal.report_visit_members()$$,
	$$SELECT pk_tracking_internal.report_visitor_query('true')$$,
	$$SELECT pk_tracking_internal.report_spans('hour', 30)$$,
	$$SELECT pk_tracking_internal.report_site($R)$$,
	$$SELECT pk_tracking_internal.report_arguments('2026-03-02', '2026-03-31', 'all')$$,
	$$SELECT pk_tracking_internal.report_consents('identified')$$,
	$$SELECT r FROM pk_tracking.report_visits($R, '2026-03-29', '2026-03-29', 'hour') r LIMIT 1$$,
	$$SELECT pg_catalog.length(l.columns) OPERATOR(pg_catalog.>) 0 FROM pk_tracking_internal.report_loading_times() l$$,
	$$SELECT k.is_page FROM pk_tracking_internal.report_page_keys() k LIMIT 1$$,
	$$SELECT pk_tracking_internal.report_page_visits('entry', 'title')$$,
	$$SELECT pk_tracking_internal.report_acting_visits('v.idvisit')$$,
	$$SELECT pk_tracking_internal.report_conversion_metrics(), pk_tracking_internal.action_metrics('true')$$,
	$$SELECT pk_tracking_internal.report_longest_visit($S)$$,
	$$SELECT pk_tracking_internal.report_distinct(x.n), pk_tracking_internal.report_distinct(x.n::pg_catalog.text), pk_tracking_internal.report_times(x.n::pg_catalog.int4, NULL, NULL, NULL, NULL, NULL) FROM pg_catalog.unnest('{1,1,2}'::pg_catalog.int8[]) AS x(n)$$,
	$$SELECT pg_catalog.length(pk_tracking_internal.report_transitions_query('title')) OPERATOR(pg_catalog.>) 0$$,
	$$SELECT pk_tracking_internal.report_query('{v.consent}', '{k1}')$$,
	$$SELECT pk_tracking_internal.visit_metrics()$$,
	$$SELECT r FROM pk_tracking.report_by($R, '2026-03-02', '2026-03-31', 'entryPageUrl') r LIMIT 1$$,
	$$SELECT pg_catalog.string_agg(r.label, ' ') FROM pk_tracking.report_by($R, '2026-03-02', '2026-03-31', 'visitorId') r$$,
	$$SELECT pg_catalog.string_agg(r.label, ' ') FROM pk_tracking.report_by($R, '2026-03-02', '2026-03-31', 'visitDuration') r$$,
	$$SELECT pk_tracking_internal.report_by_query($R, 'deviceType')$$,
	$$SELECT g FROM pk_tracking_internal.dimension_grouping('city', '{}') g$$,
	$$SELECT s FROM pk_tracking_internal.report_statement('SELECT {spans} {span of c.server_time} WHERE {conversions c}', $R, 'countryCode==de', 'month') s$$,
	$$SELECT f FROM pk_tracking_internal.filter_sql('countryCode!=de,deviceType==tablet;actions>2', false, '$9', '{}', '{}') f$$,
	$$SELECT f FROM pk_tracking_internal.filter_condition($R, 'visitorId==feedfacecafebeef,pageUrl!@x', true, '($10)[1]') f$$,
	$$SELECT pk_tracking_internal.filter_ranges($R, '{range l}')$$,
	$$SELECT pg_catalog.concat_ws(' ', pk_tracking.continent_code('mx'), pk_tracking.continent_name('amn'), pk_tracking.country_name('mx'), pk_tracking.language_name('es-mx'))$$,
	$$SELECT pk_tracking_internal.check_segment($R, 'all', 'actions>=0')$$,
	$$SELECT pk_tracking.add_segment($R, 'all', 'actions>=0')$$,
	$$SELECT pk_tracking.set_segment($R, 'all', 'actions>=0,pageUrl=@x')$$,
	$$SELECT pk_tracking_internal.named_filter($R, '@all')$$,
	$$SELECT r FROM pk_tracking.report_entry_pages($R, '2026-03-02', '2026-03-31', filter => '@all') r LIMIT 1$$,
	$$SELECT pk_tracking.drop_segment($R, 'all')$$,
	$$SELECT d.operators FROM pk_tracking_internal.filter_dimension_table() d WHERE d.name OPERATOR(pg_catalog.=) 'countryCode'$$,
	$$SELECT d.type FROM pk_tracking_internal.setting_definition_table() d WHERE d.name OPERATOR(pg_catalog.=) 'ip_mask_level'$$,
	$$SELECT d.description FROM pk_tracking.filter_dimensions d WHERE d.name OPERATOR(pg_catalog.=) 'actions'$$,
	$$SELECT r FROM pk_tracking.report_visits($R, '2026-03-02', '2026-03-31', 'range', filter => 'deviceType!=tablet;countryCode!=xx') r$$,
	$$SELECT r FROM pk_tracking.report_pages($R, '2026-03-02', '2026-03-31', filter => 'deviceType!=tablet;countryCode!=xx') r LIMIT 1$$,
	$$SELECT r FROM pk_tracking.report_goals($R, '2026-03-02', '2026-03-31', filter => 'visitIp==203.0.113.0/8,siteSearchKeyword==x;userId==jo,pageUrl!=x,visitorId!=feedfacecafebeef;revenueOrder>=0,visitConvertedGoalId>-2') r LIMIT 1$$,
	$$SELECT pk_tracking_internal.day_begin('2026-03-29', 'Europe/Berlin')$$,
	$$SELECT pg_catalog.concat_ws(' ', pk_tracking.browser_name('FF'), pk_tracking.os_name('WIN'), pk_tracking.device_brand_name('AP'), pk_tracking.device_type_name(1::int2))$$,
	$$SELECT s.value FROM pk_tracking.status() s WHERE s.item OPERATOR(pg_catalog.=) 'log version'$$,
	$$SELECT pk_tracking_internal.raw_options('regress_pkt_tools.raw')$$,
	$$SELECT pk_tracking_internal.check_raw_table('regress_pkt_tools.raw')$$,
	$$SELECT p.outcome FROM pk_tracking_internal.raw_preview('regress_pkt_tools.raw', '{"mapping": {"idsite": "idsite"}}', 1) p$$,
	$$SELECT pk_tracking.attach('regress_pkt_tools.raw')$$,
	$$SELECT pg_catalog.concat_ws(' ', s.value, s.remark) FROM pk_tracking_internal.raw_table_status() s WHERE s.item OPERATOR(pg_catalog.=) 'raw table regress_pkt_tools.raw'$$,
	$$INSERT INTO regress_pkt_tools.raw VALUES ($S, '2026-03-02 12:00+00'), (0, NULL) RETURNING pk_tracking_internal.row_xid('3') OPERATOR(pg_catalog.>) '0'$$,
	$$SELECT pk_tracking.detach('regress_pkt_tools.raw')$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.proxy_status()$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.relation_status()$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.lookup_indexes() l WHERE l.index IS NULL$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.indexed_changes()$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.slow_tables()$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.publication_status()$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.statistics_status()$$,
	$$SELECT pg_catalog.string_agg(t::pg_catalog.text, ' ') FROM pk_tracking.publication_tables() t$$,
	$$SELECT pk_tracking.replay('regress_pkt_tools.raw')$$,
	$$CALL pk_tracking.ingest('regress_pkt_tools.raw')$$,
	$$SELECT pk_tracking.ingest_resume('regress_pkt_tools.keyed', '1')$$,
	$$DELETE FROM pk_tracking.ingest_position p WHERE p.raw_table OPERATOR(pg_catalog.=) 'regress_pkt_tools.keyed' RETURNING p.key_column, p.greatest_key, p.taken$$,
	$$SELECT pk_tracking_internal.check_role('regress_pkt_path')$$,
	$$SELECT pk_tracking_internal.check_role('regress_pkt_missing')$$,
	$$SELECT pk_tracking_internal.grant_execute('regress_pkt_path', '^track$')$$,
	$$SELECT pk_tracking.grant_owner('regress_pkt_path')$$,
	$$SELECT pk_tracking.grant_tracker('regress_pkt_path', true, 'full')$$,
	$$SELECT pk_tracking.grant_analyst('regress_pkt_path')$$,
	$$SELECT pk_tracking.grant_analyst('regress_pkt_path', ARRAY[$S])$$,
	$$SELECT pk_tracking_internal.sites_of_role('regress_pkt_path') OPERATOR(pg_catalog.=) ARRAY[$S]$$,
	$$SELECT pk_tracking.grant_admin('regress_pkt_path')$$,
	$$SELECT pk_tracking.grant_all_sites('regress_pkt_path')$$,
	$$SELECT pk_tracking_internal.limit_to_sites('regress_pkt_path', NULL)$$,
	$$SELECT pk_tracking.change_site($S, currency => 'CHF')$$,
	$$SELECT pk_tracking.retire_goal($S, 999)$$,
	$$SELECT pk_tracking.set_dimension_active($S, 999, false)$$,
	$$SELECT pk_tracking_internal.web_refusal(10)$$,
	$$SELECT pk_tracking_internal.web_check_role('regress_pkt_path')$$,
	$$SELECT pk_tracking.grant_web('regress_pkt_path', 'regress_pkt_path')$$,
	$$SELECT e.refusal FROM pk_tracking_internal.web_enter('regress_pkt_path', NULL) e$$,
	$$SELECT e.refusal FROM pk_tracking_internal.web_enter(NULL, '\x00') e$$,
	$$SELECT pk_tracking.revoke_web('regress_pkt_missing')$$,
	$$SELECT pg_catalog.pg_get_userbyid(pk_tracking_internal.web_caller()) OPERATOR(pg_catalog.=) CURRENT_USER$$,
	$$SELECT pg_catalog.length(pk_tracking.create_web_token('path', 'regress_pkt_path'))$$,
	$$SELECT w.name FROM pk_tracking.web_tokens() w WHERE w.name OPERATOR(pg_catalog.=) 'path'$$,
	$$SELECT pk_tracking.drop_web_token(w.hash) FROM pk_tracking.web_tokens() w WHERE w.name OPERATOR(pg_catalog.=) 'path'$$,
	$$SELECT pg_catalog.cardinality(pk_tracking_internal.api_public_reports()) OPERATOR(pg_catalog.>) 10$$,
	$$SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 10 FROM pk_tracking_internal.api_reports($S)$$,
	$$SELECT pg_catalog.json_typeof(pk_tracking_internal.api_report_list(NULL))$$,
	$$SELECT pk_tracking_internal.api_argument_list('[{"name": "a", "type": "text", "category": "S"}, {"name": "b", "type": "text[]", "category": "A"}]', '{a,b}', '$1')$$,
	$$SELECT c.call FROM pk_tracking_internal.api_report_call('visits', '{"from_date": "2026-03-02", "to_date": "2026-03-02"}', 1, '$1') c$$,
	$$SELECT pk_tracking_internal.api_number('{"limit": "5"}', 'limit', 10, 100)$$,
	$$SELECT pk_tracking_internal.api_report('visits', '{"from_date": "2026-03-02", "to_date": "2026-03-02", "sort": "-nb_visits"}', $S) OPERATOR(pg_catalog.->) 'more'$$,
	$$SELECT pg_catalog.left(pk_tracking_internal.api_report_copy('visits', '{"from_date": "2026-03-02", "to_date": "2026-03-02"}', $S), 24)$$,
	$$SELECT pk_tracking_internal.api_session('token', $S) OPERATOR(pg_catalog.->>) 'public'$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.api_admin_functions()$$,
	$$SELECT pk_tracking_internal.api_call('change_site', '{"idsite": $S, "urls": ["https://path.example"]}')$$,
	$$SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 30 FROM pk_tracking_internal.api_settings($S)$$,
	$$SELECT pg_catalog.count(*) FROM pk_tracking_internal.api_users()$$,
	$$SELECT pk_tracking_internal.api_admin('segments', '{"idsite": "$S"}')$$,
	$$SELECT v.site FROM pk_tracking.visit v WHERE v.idsite OPERATOR(pg_catalog.=) $S LIMIT 1$$,
	$$SELECT a.event_category FROM pk_tracking.action a WHERE a.idsite OPERATOR(pg_catalog.=) $S AND a.kind OPERATOR(pg_catalog.=) 'event' LIMIT 1$$,
	$$SELECT a.url FROM pk_tracking.action a WHERE a.idsite OPERATOR(pg_catalog.=) $S ORDER BY a.idlink_va LIMIT 1$$
]) WITH ORDINALITY x(s, n) ORDER BY n;

-- none is left out but transitions of aggregates, trigger functions, which setting and site fire, those that create_log(), CHECKs and the install script call, and procedures that commit, which come last
SELECT p.proname FROM pg_proc p WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND p.proname !~ '^(make|anonymous)_|^report_distinct_|^(watch|identify_by_row|keep_out_of_statistics|private_columns|take_along|visits_deleted)$|^(mark_|rollup_(await|begin|build|forget|freeze|prepare|rows_hidden|since|take|live|source|users|visit)|log_relations$|upgrade_to_)|^(delete_site|purge$|sweep_|name_uses$|subject_|anonymise_|anonymous_|register_erasure|replay_erasure|keys_of_hashes|count_rows|counts_by_relation|user_id_forms|names_of_row|name_by_number|name_without_query|urls_without_query|raise_too_many_visits|check_max_visits|is_register)'
	AND NOT EXISTS (SELECT FROM regress_pkt_tools.calls c WHERE c.statement ~ ('pk_tracking(_internal)?\.' || p.proname || '\(')) ORDER BY 1;

DO $$ BEGIN PERFORM regress_pkt_tools.run_all('plain'); END $$;

-- in a session that has no plans yet
\c -
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
SET search_path = '';
DO $$ BEGIN PERFORM regress_pkt_tools.run_all('empty'); END $$;
\c -
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
CREATE TEMP TABLE setting (idsite integer, name text, value text);
CREATE TEMP TABLE log_visit (idvisit bigint);
SET search_path = pg_temp, regress_pkt_evil, pg_catalog, public;
-- the trap works
SELECT regress_pkt_tools.run('SELECT ''a''::pg_catalog.text = ''b''::pg_catalog.text'), regress_pkt_tools.run('SELECT now()'), regress_pkt_tools.run('SELECT evil FROM log_action'), regress_pkt_tools.run('SELECT ''feedfacecafebeef''::hexid');
DO $$ BEGIN PERFORM regress_pkt_tools.run_all('hostile'); END $$;
RESET search_path;
\pset format unaligned
\pset tuples_only on
SELECT CASE WHEN c.empty IS NOT DISTINCT FROM c.plain AND c.hostile IS NOT DISTINCT FROM c.plain THEN 'ok ' || regexp_replace(c.statement, '^.*?(pk_tracking(_internal)?\.[a-z_]+).*$', '\1') ||
		CASE WHEN c.plain ~ '^[0-9A-Z]{5} ' THEN ': ' || c.plain ELSE '' END
	ELSE format('NOT OK %s: plain %s, empty %s, hostile %s', c.statement, c.plain, c.empty, c.hostile) END
FROM regress_pkt_tools.calls c ORDER BY c.n;
\pset tuples_only off
\pset format aligned
-- reports have something to say
SELECT c.statement FROM regress_pkt_tools.calls c WHERE c.statement ~ 'report_' AND c.plain IS NULL;

-- create_log() itself, and everything on what it has made
BEGIN;
DO $$
DECLARE
	t regclass;
BEGIN
	-- all that create_log() made
	FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'v')
		AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
	LOOP
		IF EXISTS (SELECT FROM pg_class c WHERE c.oid = t AND c.relkind = 'r') THEN
			EXECUTE format('DROP TABLE %s CASCADE', t);
		END IF;
	END LOOP;
END $$;
SET LOCAL search_path = pg_temp, regress_pkt_evil, pg_catalog, public;
SELECT pk_tracking.create_log('regress_pkt_path');
SELECT pk_tracking.add_site('first');
SELECT (pk_tracking.track(1, 'https://a.example/', visitor_id => 'feedfacecafebeef')).outcome;
SELECT v.idvisitor, v.entry_url FROM pk_tracking.visit v;
ROLLBACK;

-- ids need their operators, which stand where the extension was put
SELECT 'feedfacecafebeef'::hexid = 'feedfacecafebeef' AS found;
SET search_path = '';
SELECT 'feedfacecafebeef'::public.hexid OPERATOR(public.=) 'feedfacecafebeef' AS found;
RESET search_path;

-- procedures that commit cannot be pinned: nothing in them depends on the path
CREATE FUNCTION regress_pkt_tools.rows_of(site integer) RETURNS bigint LANGUAGE sql SET search_path = pg_catalog AS $$
	SELECT (SELECT count(*) FROM pk_tracking.site s WHERE s.idsite = site) + (SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idsite = site)
		+ (SELECT count(*) FROM pk_tracking.log_action a WHERE a.idsite = site) $$;
SELECT pk_tracking.add_site('path', ARRAY['https://path.example']) AS path \gset
SELECT (pk_tracking.track(:path, 'https://path.example/')).outcome;
SELECT regress_pkt_tools.rows_of(:path) > 2 AS before;
SET search_path = pg_temp, regress_pkt_evil, pg_catalog, public;
CALL pk_tracking.purge(:path, 36500) \gset
CALL pk_tracking.sweep_names() \gset
CALL pk_tracking.delete_site(:path);
SELECT regress_pkt_tools.rows_of(:path) AS after;
RESET search_path;

DELETE FROM pk_tracking.log_visit WHERE idsite = :reports;
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :reports;
DELETE FROM pk_tracking.log_conversion WHERE idsite = :reports;
DELETE FROM pk_tracking.log_conversion_item WHERE idsite = :reports;
DELETE FROM pk_tracking.log_action WHERE idsite = :reports;
DROP SCHEMA regress_pkt_tools CASCADE;
DROP SCHEMA regress_pkt_evil CASCADE;
DROP OWNED BY regress_pkt_path;
DROP ROLE regress_pkt_path;
DELETE FROM pk_tracking.setting;
