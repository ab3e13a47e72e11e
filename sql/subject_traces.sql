-- After a person was forgotten, nothing of that person stands in any column of any table of the
-- schemas, whatever their types: all of them are searched, by the catalog, so that a table that is
-- added later is searched, too.  The same search finds each of these things before.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_action, pk_tracking.erasures, pk_tracking.suppressed;
SELECT pk_tracking.add_site('traces', ARRAY['https://s.example'], ecommerce => true) AS site \gset
SELECT pk_tracking.add_dimension(:site, 'plan', 'visit') AS visit_dimension, pk_tracking.add_dimension(:site, 'colour', 'action') AS action_dimension \gset
-- whole addresses, and user ids beside visitor ids
SELECT pk_tracking.set_site(:site, 'ip_mask_level', '0'), pk_tracking.set_site(:site, 'enable_userid_overwrites_visitorid', 'off') \g /dev/null
SELECT set_config('test.site', :'site', false) \g /dev/null

-- what is searched for: as it is, and as the bytes of it
CREATE TEMP TABLE needle (kind text, text text);
CREATE FUNCTION pg_temp.person(name text, id text, ip text) RETURNS text LANGUAGE sql AS $$
	TRUNCATE pg_temp.needle;
	INSERT INTO needle VALUES ('user id', name || '-user'), ('visitor id', id), ('address', host(ip::inet)), ('order id', name || '-order'), ('e-mail in a URL', name || '-mail'),
		('title', name || '-title'), ('search', name || '-search'), ('event', name || '-event'), ('dimension', name || '-dimension'), ('variable', name || '-variable'),
		('referrer', name || '-referrer'), ('item', name || '-item'), ('campaign', name || '-campaign');
	SELECT string_agg(DISTINCT concat_ws(' ', t.outcome, t.outcome_reason), ', ') FROM unnest(ARRAY[
		'url=https://s.example/%3Fmail%3D' || name || '-mail%40x.example&action_name=' || name || '-title&urlref=https://www.example.net/%3Fu%3D' || name || '-referrer&dimension1=' || name || '-dimension',
		'url=https://s.example/a&dimension2=' || name || '-dimension&search=' || name || '-search&cvar={"1":["k","' || name || '-variable"]}&_cvar={"1":["k","' || name || '-variable"]}',
		'url=https://s.example/b&e_c=c&e_a=' || name || '-event',
		'url=https://s.example/c&link=https%3A%2F%2Fout.example%2F%3Fmail%3D' || name || '-mail',
		'url=https://s.example/d%3Fmail%3D' || name || '-mail&idgoal=0&ec_id=' || name || '-order&revenue=5&ec_items=[["' || name || '-item","n","c",5,1]]',
		'url=https://s.example/e%3Fpk_campaign%3D' || name || '-campaign&new_visit=1']) WITH ORDINALITY q (query, n),
		pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&uid=' || name || '-user&_id=' || id || '&' || query, ip::inet, 'agent', 'de', '2026-05-04 10:00+00'::timestamptz + n * interval '1 minute', trusted => true) t
$$;
-- a visit that has had the cookie's id before a login
CREATE FUNCTION pg_temp.login(name text, id text, ip text) RETURNS bigint LANGUAGE sql AS $$
	SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'enable_userid_overwrites_visitorid', 'on');
	SELECT t.outcome FROM unnest(ARRAY['', '&uid=' || name || '-user']) WITH ORDINALITY u (uid, n), pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&url=https://s.example/&_id=' || id || u.uid, ip::inet, 'agent', 'de', '2026-05-03 10:00+00'::timestamptz + u.n * interval '1 minute', trusted => true) t;
	SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'enable_userid_overwrites_visitorid', 'off');
	SELECT count(*) FROM pk_tracking.log_other_id o WHERE o.idvisitor = id::hexid
$$;
-- of both schemas every table, and what ANALYZE has kept of them (of campaigns, which reports group by, it does)
CREATE FUNCTION pg_temp.traces() RETURNS TABLE (kind text, "where" text) LANGUAGE plpgsql AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT a.attrelid::regclass AS relation, a.attname FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
		WHERE r.relnamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND r.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped
	LOOP
		RETURN QUERY EXECUTE format('SELECT n.kind, %L FROM needle n WHERE EXISTS (SELECT FROM %s t
			WHERE strpos(t.%I::text, n.text) > 0 OR strpos(t.%3$I::text, encode(convert_to(n.text, ''UTF8''), ''hex'')) > 0)',
			replace(c.relation::text, 'pk_tracking.', '') || '.' || c.attname, c.relation, c.attname);
	END LOOP;
	RETURN QUERY SELECT n.kind, 'statistics of ' || s.tablename FROM needle n, pg_stats s WHERE s.schemaname ~ '^pk_tracking' AND n.kind <> 'campaign' AND strpos(s::text, n.text) > 0;
END $$;

\echo 1. erased
SELECT pg_temp.login('ann', 'ada0ada0ada0ada0', '10.77.66.55'), pg_temp.person('ann', 'ada0ada0ada0ada0', '10.77.66.55');
SELECT pk_tracking.rebuild_rollups(:site, '2026-05-01', '2026-05-31') \g /dev/null
ANALYZE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item, pk_tracking.log_action;
SELECT t.kind, string_agg("where", ', ' ORDER BY "where") AS "where" FROM pg_temp.traces() t GROUP BY t.kind ORDER BY t.kind;
-- looked for and not found
SELECT n.kind AS missed FROM needle n WHERE NOT EXISTS (SELECT FROM pg_temp.traces() t WHERE t.kind = n.kind);
SELECT * FROM pk_tracking.forget_subject(:site, 'ann-user', suppress => true, reason => 'a letter');
-- names are swept; roll-ups are built anew, as maintain() does
SELECT pk_tracking.rebuild_rollups(:site, '2026-05-01', '2026-05-31') \g /dev/null
SELECT t.kind, t."where" FROM pg_temp.traces() t ORDER BY 1, 2;
CALL pk_tracking.sweep_names();
SELECT t.kind, t."where" FROM pg_temp.traces() t ORDER BY 1, 2;
-- nor does a hit of the suppressed leave any
SELECT pg_temp.person('ann', 'ada0ada0ada0ada0', '10.77.66.55');
SELECT t.kind, t."where" FROM pg_temp.traces() t ORDER BY 1, 2;

\echo 2. anonymised: titles, searches, events, items and campaigns stay
SELECT pg_temp.login('bob', 'bada0bada0bada0b', '10.77.66.56'), pg_temp.person('bob', 'bada0bada0bada0b', '10.77.66.56');
SELECT count(DISTINCT t.kind) FROM pg_temp.traces() t;
SELECT pk_tracking.rebuild_rollups(:site, '2026-05-01', '2026-05-31') \g /dev/null
SELECT * FROM pk_tracking.forget_subject(:site, visitor_id => 'bada0bada0bada0b', mode => 'anonymise');
SELECT pk_tracking.rebuild_rollups(:site, '2026-05-01', '2026-05-31') \g /dev/null
CALL pk_tracking.sweep_names();
SELECT t.kind, t."where" FROM pg_temp.traces() t ORDER BY 1, 2;

\echo 3. purged: roll-ups of its days stay, and have campaigns
SELECT pg_temp.login('cid', 'cacacacacacacaca', '10.77.66.57'), pg_temp.person('cid', 'cacacacacacacaca', '10.77.66.57');
SELECT count(DISTINCT t.kind) FROM pg_temp.traces() t;
CALL pk_tracking.purge(:site, 1);
CALL pk_tracking.sweep_names();
SELECT t.kind, t."where" FROM pg_temp.traces() t ORDER BY 1, 2;

\echo 4. the site
SELECT pg_temp.login('dan', 'dadadadadadadada', '10.77.66.58'), pg_temp.person('dan', 'dadadadadadadada', '10.77.66.58');
SELECT count(DISTINCT t.kind) FROM pg_temp.traces() t;
CALL pk_tracking.delete_site(:site);
SELECT t.kind, t."where" FROM pg_temp.traces() t ORDER BY 1, 2;
TRUNCATE pk_tracking.erasures, pk_tracking.suppressed;
