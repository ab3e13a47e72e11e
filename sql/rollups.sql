-- Roll-ups: marks, building, and that a report from roll-ups is the report from the log, cell by cell
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item;
-- the log is empty: hundreds of sites of other tests would be told so, day by day, in maintain()'s minute
TRUNCATE pk_tracking.rollup_site, pk_tracking.rollup_day, pk_tracking.rollup_visit, pk_tracking.rollup_fact, pk_tracking.rollup_times, pk_tracking.rollup_mark;
INSERT INTO pk_tracking.rollup_site (idsite, timezone, first_day) SELECT s.idsite, s.timezone, (now() AT TIME ZONE s.timezone)::date FROM pk_tracking.site s;
SELECT pk_tracking.add_site('rollups', '{https://u.example}', 'Europe/Berlin') AS site \gset
SELECT set_config('test.site', :'site', false) <> '' AS site;
SELECT pk_tracking.set_site(:site, 'consent_mode', 'ask_else_anonymous');
SELECT pk_tracking.set_site(:site, 'create_new_visit_after_midnight', 'off');
SELECT pk_tracking.add_goal(:site, 'thanks', 'url', 'thanks') AS goal;
SELECT t.task IS NOT NULL AS built FROM pk_tracking.maintain() t WHERE t.task ~ 'roll-ups';

-- Who leaves a mark -------------------------------------------------------
-- in the site's days before today; hits are written by the engine, the rest is done by hand
CREATE FUNCTION pg_temp.marks() RETURNS TABLE (first_day_ago integer, last_day_ago integer) LANGUAGE sql AS $$
	WITH gone AS (DELETE FROM pk_tracking.rollup_mark m WHERE m.idsite = current_setting('test.site')::integer OR m.idsite IS NULL RETURNING m.begins, m.ends)
	SELECT DISTINCT CASE WHEN isfinite(g.begins) THEN (now() AT TIME ZONE 'Europe/Berlin')::date - (g.begins AT TIME ZONE 'Europe/Berlin')::date END,
		CASE WHEN isfinite(g.ends) THEN (now() AT TIME ZONE 'Europe/Berlin')::date - (g.ends AT TIME ZONE 'Europe/Berlin')::date END FROM gone g ORDER BY 1 DESC, 2 DESC
$$;
-- noon of a day before today
CREATE FUNCTION pg_temp.noon(ago integer) RETURNS timestamptz LANGUAGE sql AS $$
	SELECT ((now() AT TIME ZONE 'Europe/Berlin')::date - ago + time '12:00') AT TIME ZONE 'Europe/Berlin'
$$;
CREATE FUNCTION pg_temp.hit(query text, at timestamptz DEFAULT now()) RETURNS text LANGUAGE sql AS $$
	SELECT t.outcome || CASE WHEN t.new_visit THEN ', new' ELSE '' END
	FROM pk_tracking.track_request(format('idsite=%s&rec=1&consent=1&url=https%%3A%%2F%%2Fu.example%%2F&%s', current_setting('test.site'), query), ip => '203.0.113.7', at => hit.at) t
$$;
SELECT * FROM pg_temp.marks();
\echo today
SELECT pg_temp.hit('_id=00000000000000aa');
SELECT pg_temp.hit('_id=00000000000000aa&idgoal=1');
SELECT pg_temp.hit('_id=00000000000000aa&uid=anna');
SELECT * FROM pg_temp.marks();
\echo a late hit, which begins a visit; then another on that day, and one that comes after visits of its visitor
SELECT pg_temp.hit('_id=00000000000000bb', pg_temp.noon(3));
SELECT * FROM pg_temp.marks();
SELECT pg_temp.hit('_id=00000000000000bb&idgoal=1', pg_temp.noon(3) + interval '1 minute');
SELECT * FROM pg_temp.marks();
SELECT pg_temp.hit('_id=00000000000000bb', pg_temp.noon(9));
SELECT * FROM pg_temp.marks();
\echo a visit over midnight
SELECT pg_temp.hit('_id=00000000000000bc', pg_temp.noon(5) + interval '11 hours 50 minutes');
SELECT pg_temp.hit('_id=00000000000000bc', pg_temp.noon(5) + interval '12 hours 10 minutes');
SELECT * FROM pg_temp.marks();
\echo a user who logs in: the actions before keep their visitor id, and are found by it
SELECT pg_temp.hit('_id=00000000000000bb&uid=bea', pg_temp.noon(3) + interval '2 minutes');
SELECT count(*) AS other_ids, min(o.idvisitor::text) AS idvisitor FROM pk_tracking.log_other_id o WHERE o.idsite = :site AND o.idvisitor = '00000000000000bb';
SELECT * FROM pg_temp.marks();
\echo an action of a visit over midnight without a visitor id: the days of the visit, whose entry or exit may be another
SELECT pg_temp.hit('consent=0', pg_temp.noon(7) + interval '11 hours 50 minutes');
SELECT pg_temp.hit('consent=0', pg_temp.noon(7) + interval '12 hours 10 minutes');
SELECT * FROM pg_temp.marks();
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = current_setting('test.site')::integer AND server_time = pg_temp.noon(7) + interval '12 hours 10 minutes';
SELECT * FROM pg_temp.marks();
\echo a statement that was undone: its marks are gone, and are left anew
BEGIN;
SAVEPOINT a;
SELECT pg_temp.hit('_id=00000000000000b9', pg_temp.noon(14));
ROLLBACK TO a;
SELECT pg_temp.hit('_id=00000000000000b9', pg_temp.noon(14));
COMMIT;
SELECT * FROM pg_temp.marks();
\echo marks that the same transaction has taken, and built their day, are left anew, too
BEGIN;
SELECT pg_temp.hit('_id=00000000000000b9', pg_temp.noon(14));
SELECT pk_tracking.rebuild_rollups(:site, (pg_temp.noon(14))::date, (pg_temp.noon(14))::date) > 0 AS built;
SELECT pg_temp.hit('_id=00000000000000b9', pg_temp.noon(14));
COMMIT;
SELECT * FROM pg_temp.marks();
\echo a site of which nothing is built, nor is about to be: none
SELECT pk_tracking.add_site('rollups of nothing', '{https://n.example}', 'Europe/Berlin') AS uncounted \gset
SELECT t.outcome, t.new_visit FROM unnest('{9,3,3}'::integer[]) n, pk_tracking.track(:uncounted, 'https://n.example/', cid => '00000000000000aa', at => pg_temp.noon(n)) t;
SELECT count(*) AS marks FROM pk_tracking.rollup_mark m WHERE m.idsite = :uncounted;
\echo by hand: UPDATE, INSERT, DELETE
UPDATE pk_tracking.log_visit SET location_country = 'nz' WHERE idsite = :site AND visit_first_action_time = pg_temp.noon(9);
SELECT * FROM pg_temp.marks();
UPDATE pk_tracking.log_conversion SET revenue = 7 WHERE idsite = :site AND server_time < pg_temp.noon(1);
SELECT * FROM pg_temp.marks();
UPDATE pk_tracking.log_link_visit_action SET custom_float = 1 WHERE idsite = :site AND server_time = pg_temp.noon(9);
SELECT * FROM pg_temp.marks();
INSERT INTO pk_tracking.log_visit (idsite, visit_first_action_time, visit_last_action_time, idvisitor) VALUES (:site, pg_temp.noon(12), pg_temp.noon(12), '00000000000000cc');
SELECT * FROM pg_temp.marks();
DELETE FROM pk_tracking.log_visit WHERE idsite = :site AND visit_first_action_time = pg_temp.noon(9);
SELECT * FROM pg_temp.marks();
-- the visit had another id
DELETE FROM pk_tracking.log_visit WHERE idsite = :site AND visit_first_action_time = pg_temp.noon(3);
SELECT count(*) AS other_ids FROM pk_tracking.log_other_id o WHERE o.idvisitor = '00000000000000bb';
SELECT * FROM pg_temp.marks();
\echo of many rows all days from the first one on
INSERT INTO pk_tracking.log_link_visit_action (idsite, idvisit, server_time) SELECT :site, 0, pg_temp.noon(15) FROM generate_series(1, 10001);
SELECT * FROM pg_temp.marks();
DELETE FROM pk_tracking.log_link_visit_action WHERE idvisit = 0 AND idsite = :site;
SELECT * FROM pg_temp.marks();
\echo rows that are loaded while an index is missing
BEGIN;
DROP INDEX pk_tracking.log_visit_idvisitor;
INSERT INTO pk_tracking.log_visit (idsite, visit_first_action_time, visit_last_action_time) VALUES (:site, pg_temp.noon(2), pg_temp.noon(2));
SELECT * FROM pg_temp.marks();
ROLLBACK;
\echo nothing that changes no rows, and all that TRUNCATE takes
UPDATE pk_tracking.log_visit SET location_country = 'nz' WHERE false;
DELETE FROM pk_tracking.log_conversion WHERE false;
SELECT * FROM pg_temp.marks();
BEGIN;
TRUNCATE pk_tracking.log_conversion_item;
SELECT m.idsite, m.begins < '3999-01-01 BC' AS all_before, isfinite(m.begins) AS frozen_days_stay, m.ends FROM pk_tracking.rollup_mark m WHERE m.idsite IS NULL;
ROLLBACK;
\echo hits are still written without the executor
SELECT count(*) AS slow FROM pk_tracking_internal.slow_tables();

-- Building ----------------------------------------------------------------
-- of rows whose marks are still there
TRUNCATE pk_tracking.log_visit;
SELECT pg_temp.hit('_id=00000000000000bb', least(pg_temp.noon(n), now())) FROM unnest('{12,4,3,0}'::integer[]) n;
SELECT t.done > 0 AS built FROM pk_tracking.maintain() t WHERE t.task ~ 'roll-ups';
SELECT min((now() AT TIME ZONE 'Europe/Berlin')::date - d.day) AS from_ago, max((now() AT TIME ZONE 'Europe/Berlin')::date - d.day) AS to_ago,
	count(*) FILTER (WHERE d.built IS NULL OR d.stale) AS missing FROM pk_tracking.rollup_day d WHERE d.idsite = :site;
SELECT t.done FROM pk_tracking.maintain() t WHERE t.task ~ 'roll-ups';
SELECT pk_tracking.rebuild_rollups(:site, (pg_temp.noon(8))::date, (pg_temp.noon(2))::date) AS rebuilt;
-- a horizon of another server, from where the log was restored, is none that would never come
UPDATE pk_tracking.rollup_day d SET built = NULL, horizon = '9000000000000000000' WHERE d.idsite = :site AND d.day = (pg_temp.noon(2))::date;
SELECT pk_tracking_internal.rollup_begin(:site, false);
SELECT count(*) AS far_away FROM pk_tracking.rollup_day d WHERE d.idsite = :site AND d.horizon = '9000000000000000000';
SELECT pk_tracking.rebuild_rollups(:site, (pg_temp.noon(2))::date, (pg_temp.noon(2))::date) AS rebuilt;
-- from long before the first row on
SELECT count(*) AS days, min(d.day) AS first FROM pk_tracking.rollup_day d WHERE d.idsite = :site \gset before_
SELECT pk_tracking.rebuild_rollups(:site, '0001-01-01', '9999-12-31') = :before_days AS rebuilt;
SELECT count(*) = :before_days AND min(d.day) = :'before_first' AS same_days FROM pk_tracking.rollup_day d WHERE d.idsite = :site;
SELECT pk_tracking.rebuild_rollups(:site, '0001-01-01', '0001-12-31') AS rebuilt;
SELECT pk_tracking.rebuild_rollups(:site, '2026-01-02', '2026-01-01');
SELECT pk_tracking.rebuild_rollups(0, '2026-01-01', '2026-01-01');
SELECT count(*) FROM pk_tracking.status() s WHERE s.item = 'roll-ups' AND s.value ~ '^\d+ days of sites, \d+ missing, \d+ marks waiting, last built \d' AND s.remark IS NULL;
-- marks of days before the first one count beside those of TRUNCATE
BEGIN;
TRUNCATE pk_tracking.log_conversion_item;
SELECT pg_temp.hit('_id=00000000000000bd', pg_temp.noon(20));
SELECT nb_visits FROM pk_tracking.report_visits(:site, (pg_temp.noon(21))::date, (pg_temp.noon(11))::date, 'range');
TRUNCATE pk_tracking.log_visit;
SELECT pg_temp.hit('_id=00000000000000bd', pg_temp.noon(20));
SELECT nb_visits FROM pk_tracking.report_visits(:site, (pg_temp.noon(21))::date, (pg_temp.noon(11))::date, 'range');
ROLLBACK;

-- From roll-ups as from the log -------------------------------------------
CREATE TABLE rollups_raw (idsite integer, url text, _id text, consent text, at timestamptz);
SELECT FROM pk_tracking.attach('rollups_raw');
CREATE FUNCTION pg_temp.pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT choices[1 + floor(random() * cardinality(choices))::integer] $$;
CREATE FUNCTION pg_temp.answer(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	EXECUTE format('SELECT coalesce(string_agg(x::text, E''\n''), '''') FROM pk_tracking.%s x', call) INTO answer;
	RETURN answer;
END $$;
/* Reports of random days: how many differ.  With another time zone noted no roll-up is read. */
CREATE FUNCTION pg_temp.compare(n integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	reports CONSTANT text[] := ARRAY(SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.prosrc ~ 'rollups?[} ]'
		AND p.proname ~ coalesce(nullif(current_setting('test.reports', true), ''), '^report_') ORDER BY 1);
	site CONSTANT integer := current_setting('test.site');
	calls text[] := '{}';
	answers text[];
	others text[];
	report text;
	first integer;
BEGIN
	FOR i IN 1 .. n LOOP
		report := reports[1 + floor(random() * cardinality(reports))::integer];
		first := CASE WHEN random() < 0.3 THEN 67 ELSE floor(random() * 24)::integer END;	-- whole months, or some days
		calls := calls || format('%s(%s, %L, %L, visitors => %L%s)', report, site, (pg_temp.noon(first))::date, (pg_temp.noon(CASE first WHEN 67 THEN 0 ELSE first END - floor(random() * 24)::integer))::date,
			pg_temp.pick('all', 'all', 'identified', 'anonymous'),
			CASE WHEN EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname = report AND p.proargnames @> '{period}')
				THEN format(', period => %L', pg_temp.pick('hour', 'day', 'week', 'month', 'quarter', 'year', 'range')) ELSE '' END
			|| CASE WHEN EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname = report AND p.proargnames @> '{goal}')
				THEN format(', goal => %s', pg_temp.pick('NULL', '0', '1')) ELSE '' END
			|| CASE WHEN random() < 0.2 THEN format(', filter => %L', pg_temp.pick('countryCode==nz', 'countryCode!=nz', 'countryCode==xx', 'deviceType==desktop', 'referrerType==website',
				'visitorType==new', 'consent==granted', 'languageCode==de', 'referrerName==a.example', 'referrerName==', 'countryCode==nz,countryCode==de', 'actions>2')) ELSE '' END);
	END LOOP;
	answers := ARRAY(SELECT pg_temp.answer(c) FROM unnest(calls) WITH ORDINALITY AS u (c, n) ORDER BY u.n);
	BEGIN
		UPDATE pk_tracking.rollup_site SET timezone = 'none';
		others := ARRAY(SELECT pg_temp.answer(c) FROM unnest(calls) WITH ORDINALITY AS u (c, n) ORDER BY u.n);
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
	END;
	FOR i IN 1 .. n LOOP
		IF answers[i] <> others[i] AND current_setting('test.show', true) = 'on' THEN
			RAISE WARNING E'%\nfrom roll-ups:\n%\nfrom the log:\n%', calls[i], answers[i], others[i];
		END IF;
	END LOOP;
	RETURN (SELECT count(*) FROM unnest(answers, others) AS u (a, b) WHERE u.a <> u.b);
END $$;
/* Parameters of a random action. */
CREATE FUNCTION pg_temp.act() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE floor(random() * 9)::integer
		WHEN 0 THEN '&download=https%3A%2F%2Fu.example%2F' || pg_temp.pick('a', 'b') || '.pdf'
		WHEN 1 THEN '&link=https%3A%2F%2Fo.example%2F' || pg_temp.pick('a', 'b')
		WHEN 2 THEN '&search=' || pg_temp.pick('one', 'two') || pg_temp.pick('', '&search_cat=c', '&search_count=0', '&search_cat=d&search_count=3')
		WHEN 3 THEN '&e_c=' || pg_temp.pick('c', 'd') || '&e_a=play' || pg_temp.pick('', '&e_n=n', '&e_v=1.5', '&e_n=n&e_v=-2')
		WHEN 4 THEN '&c_n=' || pg_temp.pick('banner', 'teaser') || '&c_p=' || pg_temp.pick('p', 'q') || pg_temp.pick('', '', '&c_i=click')
		WHEN 5 THEN '&_pks=' || pg_temp.pick('s1', 's2') || '&_pkn=' || pg_temp.pick('n1', 'n2') || '&_pkc=' || pg_temp.pick('c1', 'c2', '%5B%22c2%22%2C%22c1%22%5D') || '&_pkp=' || pg_temp.pick('10', '12.50')
		WHEN 6 THEN '&idgoal=0&revenue=' || floor(random() * 1000) / 10 || '&ec_id=' || random()
			|| '&ec_items=%5B%5B%22s' || pg_temp.pick('1', '2') || '%22%2C%22n1%22%2C' || pg_temp.pick('%22c1%22', '%5B%22c1%22%2C%22c3%22%2C%22c1%22%5D') || '%2C5%2C' || pg_temp.pick('1', '3') || '%5D%5D'
		ELSE '&url=https%3A%2F%2Fu.example%2F' || pg_temp.pick('', 'a', 'b', 'dir%2Fc', 'thanks') || '&action_name=' || pg_temp.pick('A', 'B', '')
			|| pg_temp.pick('', '&pf_net=' || floor(random() * 99) || '&pf_srv=' || floor(random() * 999) || '&pf_onl=7') END
$$;
/* Something happens.  kind: one of those that are listed, NULL for any. */
CREATE FUNCTION pg_temp.happen(kind text DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	this CONSTANT integer := current_setting('test.site');
	at timestamptz := now() - random() ^ 2 * interval '66 days';
	id text := lpad(to_hex(1 + floor(random() * 12)::integer), 16, '0');
	victim bigint := (SELECT v.idvisit FROM pk_tracking.log_visit v WHERE v.idsite = current_setting('test.site')::integer ORDER BY random() LIMIT 1);
	actor record;
	buyer bigint := (SELECT c.idvisit FROM pk_tracking.log_conversion c WHERE c.idsite = current_setting('test.site')::integer ORDER BY random() LIMIT 1);
BEGIN
	kind := coalesce(kind, pg_temp.pick('live', 'late', 'late', 'late', 'user', 'late user', 'goal', 'order', 'anonymous', 'consents', 'delete', 'country', 'visitor', 'move', 'revenue',
		'conversion', 'add', 'refuse', 'batch', 'zone', 'acts', 'acts', 'acts', 'acts', 'live acts', 'action', 'moved action', 'deleted action', 'added action', 'item', 'deleted item',
		'maintain', 'maintain', 'maintain'));
	SELECT l.idvisit, l.idlink_va, v.visit_first_action_time + (random() - 0.5) * interval '20 hours' AS at INTO actor
		FROM pk_tracking.log_link_visit_action l JOIN pk_tracking.log_visit v USING (idvisit) WHERE l.idsite = this ORDER BY random() LIMIT 1;
	CASE kind
		WHEN 'live' THEN PERFORM pg_temp.hit('_id=' || id);
		WHEN 'late' THEN PERFORM pg_temp.hit('_id=' || id || '&urlref=https%3A%2F%2F' || pg_temp.pick('a', 'b') || '.example%2F', at + n * interval '10 minutes') FROM generate_series(1, 3) n;
		WHEN 'user' THEN PERFORM pg_temp.hit('_id=' || id || '&uid=u' || id);
		WHEN 'late user' THEN PERFORM pg_temp.hit('_id=' || id || CASE WHEN n > 1 THEN '&uid=u' || right(id, 1) ELSE '' END, at + n * interval '10 minutes') FROM generate_series(1, 3) n;
		WHEN 'goal' THEN PERFORM pg_temp.hit('_id=' || id || '&url=https%3A%2F%2Fu.example%2Fthanks', at);
		WHEN 'order' THEN PERFORM pg_temp.hit('_id=' || id || '&idgoal=0&revenue=' || floor(random() * 1000) / 10 || '&ec_id=' || random(), at);
		WHEN 'anonymous' THEN PERFORM pg_temp.hit('_id=' || id || '&consent=0', at);
		WHEN 'consents' THEN	-- and takes it back
			PERFORM pg_temp.hit('_id=' || id || '&consent=' || n % 2, at + n * interval '5 minutes') FROM generate_series(0, 3) n;
		WHEN 'delete' THEN DELETE FROM pk_tracking.log_visit WHERE idvisit = victim;
		WHEN 'delete added' THEN	-- its actions would mark its days, too, had it any
			DELETE FROM pk_tracking.log_visit WHERE idvisit = (SELECT v.idvisit FROM pk_tracking.log_visit v WHERE v.idsite = this
				AND NOT EXISTS (SELECT FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit) ORDER BY random() LIMIT 1);
		WHEN 'country' THEN UPDATE pk_tracking.log_visit SET location_country = pg_temp.pick('de', 'nz') WHERE idvisit = victim AND consent < 2;
		WHEN 'visitor' THEN UPDATE pk_tracking.log_visit SET idvisitor = '00000000000000ff' WHERE idvisit = victim AND consent < 2;
		WHEN 'move' THEN	-- with its actions; not far, because hits may still continue it
			at := (SELECT v.visit_first_action_time + (random() - 0.5) * interval '20 hours' FROM pk_tracking.log_visit v WHERE v.idvisit = victim);
			UPDATE pk_tracking.log_link_visit_action l SET server_time = l.server_time + (at - v.visit_first_action_time) FROM pk_tracking.log_visit v WHERE v.idvisit = victim AND l.idvisit = v.idvisit;
			UPDATE pk_tracking.log_visit SET visit_first_action_time = at, visit_last_action_time = at + (visit_last_action_time - visit_first_action_time) WHERE idvisit = victim;
		WHEN 'revenue' THEN UPDATE pk_tracking.log_conversion SET revenue = coalesce(revenue, 0) + 1 WHERE idvisit = buyer;
		WHEN 'conversion' THEN DELETE FROM pk_tracking.log_conversion WHERE idvisit = buyer;
		WHEN 'add' THEN INSERT INTO pk_tracking.log_visit (idsite, idvisitor, visit_first_action_time, visit_last_action_time, visit_total_actions) VALUES (this, id::hexid, at, at, 2);
		WHEN 'refuse' THEN
			UPDATE pk_tracking.log_link_visit_action SET consent = 3, idvisitor = NULL, custom_dimensions = NULL, custom_variables = NULL WHERE idvisit = victim;
			UPDATE pk_tracking.log_visit SET consent = 3, idvisitor = NULL, config_id = NULL, user_id = NULL, location_ip = NULL, visitor_returning = 0, visitor_count_visits = 1,
				profilable = 0, visitor_seconds_since_first = 0, visitor_seconds_since_last = 0, visitor_seconds_since_order = NULL WHERE idvisit = victim;
		WHEN 'batch' THEN	-- a statement with many hits keeps its visits in memory
			INSERT INTO rollups_raw (idsite, url, _id, consent, at)
			SELECT this, 'https://u.example/', lpad(to_hex(n % 12), 16, '0'), '1', now() - n % 4 * interval '1 day' + n * interval '1 minute' - interval '2 hours' FROM generate_series(1, 80) n;
		WHEN 'acts', 'live acts' THEN
			IF kind = 'live acts' THEN
				at := now() - interval '1 hour';
			ELSIF random() < 0.5 THEN	-- over midnight
				at := date_trunc('day', at, 'Europe/Berlin') + interval '23 hours 40 minutes';
			END IF;
			PERFORM pg_temp.hit(pg_temp.act() || CASE WHEN random() < 0.8 THEN '&_id=' || id || '&consent=' || CASE WHEN random() < 0.85 THEN 1 ELSE 0 END ELSE '&consent=0' END,
				least(at + n * random() * interval '10 minutes', now())) FROM generate_series(1, 1 + floor(random() * 6)::integer) n;
		WHEN 'action' THEN UPDATE pk_tracking.log_link_visit_action SET idaction_event_action = 0, custom_float = 7, search_count = 0, time_spent_ref_action = 9
			WHERE (idvisit, idlink_va) = (actor.idvisit, actor.idlink_va);
		WHEN 'moved action' THEN UPDATE pk_tracking.log_link_visit_action SET server_time = actor.at WHERE (idvisit, idlink_va) = (actor.idvisit, actor.idlink_va);
		WHEN 'deleted action' THEN DELETE FROM pk_tracking.log_link_visit_action WHERE (idvisit, idlink_va) = (actor.idvisit, actor.idlink_va);
		WHEN 'added action' THEN INSERT INTO pk_tracking.log_link_visit_action (idsite, idvisit, idvisitor, consent, server_time, idaction_url, idaction_name)
			SELECT l.idsite, l.idvisit, l.idvisitor, l.consent, actor.at, l.idaction_url, l.idaction_name FROM pk_tracking.log_link_visit_action l WHERE (l.idvisit, l.idlink_va) = (actor.idvisit, actor.idlink_va);
		WHEN 'item' THEN UPDATE pk_tracking.log_conversion_item i SET quantity = coalesce(quantity, 0) + 1 WHERE i.idvisit = (SELECT x.idvisit FROM pk_tracking.log_conversion_item x WHERE x.idsite = this ORDER BY random() LIMIT 1);
		WHEN 'deleted item' THEN DELETE FROM pk_tracking.log_conversion_item i WHERE i.idvisit = (SELECT x.idvisit FROM pk_tracking.log_conversion_item x WHERE x.idsite = this ORDER BY random() LIMIT 1);
		WHEN 'zone' THEN UPDATE pk_tracking.site SET timezone = pg_temp.pick('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu') WHERE idsite = this;
		WHEN 'maintain' THEN PERFORM pk_tracking.maintain();
	END CASE;
	RETURN kind;
END $$;

-- so that whole months are built
SELECT pg_temp.hit('_id=00000000000000bb', pg_temp.noon(66));
SELECT setseed(coalesce(nullif(current_setting('test.seed', true), ''), '0.25')::double precision);
DO $$
DECLARE
	differences integer := 0;
	happened text[] := '{}';
	built integer;
BEGIN
	FOR i IN 1 .. coalesce(nullif(current_setting('test.steps', true), ''), '60')::integer LOOP
		happened := happened || pg_temp.happen();
		COMMIT;
		differences := differences + pg_temp.compare(3);
		IF differences > 0 AND current_setting('test.show', true) = 'on' THEN
			RAISE EXCEPTION 'different after %', happened;
		END IF;
	END LOOP;
	RAISE WARNING 'different answers: %', differences;
END $$;

-- Would a forgotten mark be noticed? ---------------------------------------
-- Each mutant forgets one; then things happen that it should have marked.
CREATE FUNCTION pg_temp.noticed(mutant text, VARIADIC kinds text[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	differences integer := 0;
BEGIN
	PERFORM pg_temp.happen('order') FROM generate_series(1, 8);
	PERFORM pg_temp.happen('add') FROM generate_series(1, 12);	-- which have no actions
	PERFORM pk_tracking.maintain();
	EXECUTE mutant;
	FOR i IN 1 .. 150 LOOP
		IF i % 10 = 0 THEN
			PERFORM pk_tracking.maintain();	-- a report with many marks in its days reads the log
		END IF;
		PERFORM pg_temp.happen(k) FROM unnest(kinds) k;
		differences := differences + pg_temp.compare(3);
		EXIT WHEN differences > 0;
	END LOOP;
	RETURN differences > 0;
END $$;
BEGIN;
SELECT pg_temp.noticed($$SELECT$$, 'late', 'delete', 'move') AS without_a_mutant;
ROLLBACK;
-- the engine's, and those by hand
BEGIN;
SELECT pg_temp.noticed($m$
	CREATE FUNCTION pg_temp.forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER forgets BEFORE INSERT ON pk_tracking.rollup_mark FOR EACH ROW EXECUTE FUNCTION pg_temp.forget()$m$, 'late', 'anonymous') AS late_hits;
ROLLBACK;
BEGIN;
SELECT pg_temp.noticed(regexp_replace(pg_get_functiondef('pk_tracking_internal.mark_rows'::regproc), E'(INSERT INTO pk_tracking.rollup_mark.*?;)(.*?)INSERT INTO pk_tracking.rollup_mark.*?;', '\1\2'), 'delete', 'add', 'maintain') AS later_days_of_their_visitors;
ROLLBACK;
BEGIN;
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_visit DISABLE TRIGGER log_visit_mark_delete', 'delete added') AS deleted_visits;
ROLLBACK;
BEGIN;
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_visit DISABLE TRIGGER log_visit_mark_update', 'country', 'move') AS changed_visits;
ROLLBACK;
BEGIN;
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_visit DISABLE TRIGGER log_visit_mark_insert', 'add') AS added_visits;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(goals|orders|visits|conversions)$';
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_conversion DISABLE TRIGGER log_conversion_mark_update', 'order', 'maintain', 'revenue') AS changed_conversions;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(goals|orders|visits|conversions)$';
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_conversion DISABLE TRIGGER log_conversion_mark_delete', 'order', 'maintain', 'conversion') AS deleted_conversions;
ROLLBACK;
-- rows of actions and items, and the ids that actions have and their visits have not
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles|events|searches|performance)$';
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_link_visit_action DISABLE TRIGGER log_link_visit_action_mark_insert', 'acts', 'maintain', 'added action') AS added_actions;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles|events|searches|performance)$';
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_link_visit_action DISABLE TRIGGER log_link_visit_action_mark_update', 'acts', 'maintain', 'action') AS changed_actions;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles|events|searches|performance)$';
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_link_visit_action DISABLE TRIGGER log_link_visit_action_mark_delete', 'acts', 'maintain', 'deleted action') AS deleted_actions;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_products$';
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_conversion_item DISABLE TRIGGER log_conversion_item_mark_update', 'acts', 'acts', 'maintain', 'item') AS changed_items;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_products$';
SELECT pg_temp.noticed('ALTER TABLE pk_tracking.log_conversion_item DISABLE TRIGGER log_conversion_item_mark_delete', 'acts', 'acts', 'maintain', 'deleted item') AS deleted_items;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles)$';
SELECT pg_temp.noticed($m$
	CREATE FUNCTION pg_temp.forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER forgets BEFORE INSERT ON pk_tracking.log_other_id FOR EACH ROW EXECUTE FUNCTION pg_temp.forget()$m$, 'late user', 'late', 'maintain') AS other_ids;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles)$';
SELECT pg_temp.noticed($m$
	CREATE FUNCTION pg_temp.one_more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.nb_hits := NEW.nb_hits + 1; RETURN NEW; END';
	CREATE TRIGGER one_more BEFORE INSERT ON pk_tracking.rollup_fact FOR EACH ROW EXECUTE FUNCTION pg_temp.one_more()$m$, 'acts', 'acts', 'maintain') AS facts_changed;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles|performance)$';
SELECT pg_temp.noticed($m$
	CREATE FUNCTION pg_temp.forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER forgets BEFORE INSERT ON pk_tracking.rollup_times FOR EACH ROW EXECUTE FUNCTION pg_temp.forget()$m$, 'acts', 'acts', 'maintain') AS times;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles|events)$';
SELECT pg_temp.noticed($m$UPDATE pk_tracking.rollup_fact SET nb_hits = nb_hits + 1 WHERE kind LIKE '%:month'$m$, VARIADIC '{}') AS months_changed;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles|events)$';
SELECT pg_temp.noticed($m$UPDATE pk_tracking.rollup_fact SET nb_hits = nb_hits + 1 WHERE kind LIKE '%:week'$m$, VARIADIC '{}') AS weeks_changed;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(countries|visitors)$';
SELECT pg_temp.noticed($m$UPDATE pk_tracking.rollup_visit SET nb_visits = nb_visits + 1 WHERE kind LIKE '%:week'$m$, VARIADIC '{}') AS weeks_of_visits_changed;
ROLLBACK;
BEGIN;
SET LOCAL test.reports = '^report_(pages|titles|events)$';
SELECT pg_temp.noticed(regexp_replace(pg_get_functiondef('pk_tracking_internal.rollup_clear_spans'::regproc), 'CONTINUE WHEN first_days', 'CONTINUE WHEN true OR first_days'), 'acts', 'acts', 'maintain') AS spans_not_cleared;
ROLLBACK;
-- and the roll-ups are what is read
BEGIN;
SELECT pg_temp.noticed('UPDATE pk_tracking.rollup_visit SET nb_visits = nb_visits + 1', VARIADIC '{}') AS roll_ups_changed;
ROLLBACK;

-- From roll-ups alone -----------------------------------------------------
-- retention empties the log of days that are over; what these reports say of them stays
UPDATE pk_tracking.site SET timezone = 'Europe/Berlin' WHERE idsite = :site;	-- as noon() counts days
SELECT bool_and(pg_temp.happen(k) IS NOT NULL) AS happened FROM unnest('{order,goal,acts,acts,late user,acts,acts}'::text[]) k, generate_series(1, 6);
SELECT FROM pk_tracking.maintain();
-- of another time zone nothing is left, of weeks and months neither
BEGIN;
SELECT count(DISTINCT s.span) AS spans FROM pk_tracking.rollup_day d, unnest(d.spans_built) AS s (span) WHERE d.idsite = :site;
UPDATE pk_tracking.site SET timezone = 'Asia/Kathmandu' WHERE idsite = :site;
SELECT pk_tracking_internal.rollup_begin(:site, false);
SELECT (SELECT count(*) FROM pk_tracking.rollup_visit r WHERE r.idsite = :site) AS visits, (SELECT count(*) FROM pk_tracking.rollup_fact r WHERE r.idsite = :site) AS facts,
	(SELECT count(*) FROM pk_tracking.rollup_times r WHERE r.idsite = :site) AS times;
ROLLBACK;
CREATE TEMP TABLE answers AS
SELECT p.proname::text AS report, format('%s(%s, %L, %L%s)', p.proname, :site, (pg_temp.noon(22))::date, (pg_temp.noon(10))::date,
		CASE WHEN p.proargnames @> '{period}' THEN ', period => ''week''' ELSE '' END) AS call
FROM pg_proc p WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname ~ '^report_' AND p.prosrc ~ 'rollups?[} ]';
ALTER TABLE answers ADD before text, ADD after text, ADD total numeric;
UPDATE answers SET before = pg_temp.answer(call);
DO $$
DECLARE
	n bigint;
BEGIN
	CALL pk_tracking.purge(current_setting('test.site')::integer, 9, visits => n, actions => n, conversions => n, items => n);
END $$;
SELECT count(*) AS visits FROM pk_tracking.log_visit v WHERE v.idsite = :site AND v.visit_first_action_time < pg_temp.noon(10);
UPDATE answers SET after = pg_temp.answer(call);
SELECT a.report AS does_not_stay FROM answers a WHERE a.after IS DISTINCT FROM a.before;
SELECT count(*) FILTER (WHERE a.before <> '') > 35 AS most_say_something FROM answers a;
SELECT a.report FROM answers a ORDER BY a.report COLLATE "C";
-- and if names are gone, too, what was counted for them is counted for "(other)"
CREATE FUNCTION pg_temp.total(call text) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE
	total numeric;
BEGIN
	EXECUTE format('SELECT sum((to_jsonb(x) ->> c.name)::numeric) FROM pk_tracking.%s x,
		unnest(''{nb_hits,nb_events,nb_impressions,nb_interactions,quantity,abandoned_quantity}''::text[]) AS c (name)', call) INTO total;
	RETURN total;
END $$;
UPDATE answers SET total = pg_temp.total(call);
DELETE FROM pk_tracking.log_conversion_item WHERE idsite = :site;
DELETE FROM pk_tracking.log_conversion WHERE idsite = :site;
DELETE FROM pk_tracking.log_link_visit_action WHERE idsite = :site;
DELETE FROM pk_tracking.log_visit WHERE idsite = :site;
DO $$
DECLARE
	n bigint;
BEGIN
	CALL pk_tracking.sweep_names(swept => n);
END $$;
SELECT count(*) AS names FROM pk_tracking.log_action a WHERE a.idsite = :site AND a.idaction > 0;
-- but for reports of names to which something applies: now it applies to "(other)"
SELECT a.report AS differs FROM answers a WHERE a.total <> pg_temp.total(a.call) AND a.report !~ '_(after_search|without_results)$';
SELECT count(*) > 5 AS some_say_other FROM answers a WHERE pg_temp.answer(a.call) ~ '\(other\)';

SELECT pk_tracking.detach('rollups_raw');
DROP TABLE rollups_raw;
TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item;
