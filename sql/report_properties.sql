-- Properties of every report, on random logs that the engine has written: rates
-- lie between 0 and 100, parts do not exceed the whole, visitors identified and
-- anonymous make up all, periods make up the range, and nothing fails
SET client_min_messages = warning;
SET timezone = 'America/Los_Angeles';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;

-- Two logs: by either rules, visits that go on over midnight, late hits, a change
-- of clocks in between, goals, orders, carts, and consent in every state.
SELECT setseed(0.2) IS NULL AS seeded;
CREATE FUNCTION pg_temp.one_of(VARIADIC items text[]) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT items[1 + floor(random() * cardinality(items))::integer]
$$;
CREATE TEMP TABLE made (site integer, outcome text);
DO $$
DECLARE
	site integer;
	rules text;
	at timestamptz;
	who integer;
	query text;
BEGIN
	FOREACH rules IN ARRAY ARRAY['piwik', 'matomo'] LOOP
		site := pk_tracking.add_site('random ' || rules, '{https://x.example}', CASE rules WHEN 'piwik' THEN 'Europe/Berlin' ELSE 'Australia/Lord_Howe' END);
		PERFORM pk_tracking.set_site(site, 'recognition_rules', rules);
		PERFORM pk_tracking.set_site(site, 'consent_mode', 'ask_else_anonymous');
		PERFORM pk_tracking.set_site(site, 'create_new_visit_after_midnight', 'off');
		PERFORM pk_tracking.add_goal(site, 'thanks', 'url', '/p0', revenue => 3), pk_tracking.add_goal(site, 'manual', 'manually', allow_multiple => true);
		PERFORM pk_tracking.add_dimension(site, 'plan', 'visit'), pk_tracking.add_dimension(site, 'section', 'action');
		at := '2026-03-27 20:00Z';
		FOR i IN 1 .. 400 LOOP
			at := at + random() ^ 3 * interval '20 minutes' + CASE WHEN random() < 0.05 THEN interval '1 hour' ELSE '0' END;
			who := floor(random() * 25);
			query := format('idsite=%s&rec=1&_id=%s', site, lpad(to_hex(who + 10), 16, '0'))
				|| pg_temp.one_of('', '', '&uid=user' || who % 5) || pg_temp.one_of('&consent=1', '&consent=1', '&consent=0', '')
				|| CASE who % 3 WHEN 0 THEN '&dimension1=gold' ELSE '' END
				|| CASE floor(random() * 12)
					WHEN 0 THEN '&url=https%3A%2F%2Fx.example%2Fp1&search=' || pg_temp.one_of('shoes', 'hats%26', 'x') || '&search_count=' || floor(random() * 3) || pg_temp.one_of('', '&search_cat=c')
					WHEN 1 THEN '&url=https%3A%2F%2Fx.example%2Fp2&e_c=C' || who % 3 || '&e_a=A' || pg_temp.one_of('', '&e_n=N') || pg_temp.one_of('', '&e_v=2.5', '&e_v=-1')
					WHEN 2 THEN '&url=https%3A%2F%2Fx.example%2Fp2&download=https%3A%2F%2Fx.example%2Ff.pdf'
					WHEN 3 THEN '&url=https%3A%2F%2Fx.example%2Fp2&link=https%3A%2F%2Fy.example%2F'
					WHEN 4 THEN '&url=https%3A%2F%2Fx.example%2Fp3&c_n=Ad&c_p=' || pg_temp.one_of('a.png', 'b.png') || pg_temp.one_of('', '&c_i=click') || '&c_t=https%3A%2F%2Fy.example%2F'
					WHEN 5 THEN '&url=https%3A%2F%2Fx.example%2Fp3&idgoal=0&revenue=' || who || pg_temp.one_of('', '&ec_id=o' || i, '&ec_id=o' || i) || '&ec_items=' || '%5B%5B%22s' || who % 4 || '%22%2C%22n%22%2C%22c%22%2C5%2C2%5D%5D'
					WHEN 6 THEN '&url=https%3A%2F%2Fx.example%2Fp3&idgoal=2&revenue=1'
					ELSE '&url=https%3A%2F%2Fx.example%2Fp' || floor(random() ^ 2 * 6) || pg_temp.one_of('', '&action_name=T%26' || floor(random() * 4), '&action_name=T') || pg_temp.one_of('', '', '&_pks=s' || who % 6 || '&_pkp=7')
						|| pg_temp.one_of('', '&dimension2=x', '&pf_net=3&pf_srv=4') || pg_temp.one_of('', '', '', '&urlref=https%3A%2F%2Fwww.google.com%2F%3Fq%3Dcats', '&urlref=https%3A%2F%2Fr.example%2F') END;
			INSERT INTO made SELECT site, t.outcome FROM pk_tracking.track_request(query, format('203.0.%s.7', who)::inet, 'Mozilla/5.0 (Windows NT 10.0; rv:121.0) Gecko/20100101 Firefox/12' || who % 3 || '.0',
				pg_temp.one_of('de', 'fr'), at - CASE WHEN random() < 0.05 THEN interval '3 hours' ELSE '0' END, trusted => true) t;
		END LOOP;
	END LOOP;
END $$;
SELECT outcome = 'recorded' AS recorded, count(*) > 500 AS many FROM made GROUP BY 1 ORDER BY 1;
-- what makes it hard is there
SELECT count(*) FILTER (WHERE (v.visit_first_action_time AT TIME ZONE s.timezone)::date <> (v.visit_last_action_time AT TIME ZONE s.timezone)::date) > 5 AS over_midnight,
	count(*) FILTER (WHERE v.consent >= 2) > 20 AS anonymous, count(*) FILTER (WHERE v.visit_goal_converted = 1) > 20 AS converted
FROM pk_tracking.log_visit v JOIN pk_tracking.site s USING (idsite) WHERE v.idsite IN (SELECT made.site FROM made);

-- every report with the arguments that have no default; one that is not known here fails below
\getenv abs_srcdir PG_ABS_SRCDIR
\set given :abs_srcdir '/test/reports/arguments.sql'
\set page 'https://x.example/p1'
\set visitor 000000000000000c
\set dimension 2
\set steps '{pageUrl=@p1,pageUrl=@p2}'
\set ECHO none
\i :given
\set ECHO all
CREATE TEMP TABLE report AS
	SELECT p.oid, p.proname AS report, p.proargnames[1:p.pronargs] AS names,
		(SELECT string_agg(format('%I => %s', p.proargnames[n], a.value), ', ') FROM generate_series(1, p.pronargs) n JOIN report_given a ON a.report = p.proname AND a.argument = p.proargnames[n]) AS own,
		ARRAY(SELECT p.proargnames[n] FROM generate_series(1, p.pronargs - p.pronargdefaults) n
			WHERE p.proargnames[n] NOT IN ('idsite', 'from_date', 'to_date') AND NOT EXISTS (SELECT FROM report_given a WHERE a.report = p.proname AND a.argument = p.proargnames[n])) AS missing
	FROM pg_proc p WHERE p.pronamespace = 'pk_tracking'::regnamespace AND p.proname ~ '^report_' AND p.proretset;
SELECT r.report, r.missing FROM report r WHERE r.missing <> '{}' ORDER BY 1;

CREATE TEMP TABLE found (report text, what text, q text, n integer, row jsonb);
CREATE TEMP TABLE row_of (n integer, visitors text, period text, j jsonb);
DO $$
DECLARE
	r report;
	site integer;
	days date[];
	who text;
	span text;
	call text;
	calls integer := 0;
BEGIN
	FOR r IN SELECT * FROM report WHERE missing = '{}' ORDER BY report LOOP
		FOR site IN SELECT DISTINCT made.site FROM made ORDER BY 1 LOOP
			FOREACH days SLICE 1 IN ARRAY ARRAY[['2026-03-27', '2026-04-06'], ['2026-03-29', '2026-03-29'], ['2020-01-01', '2020-01-02']]::date[] LOOP
				TRUNCATE row_of;
				FOREACH who IN ARRAY CASE WHEN 'visitors' = ANY (r.names) THEN '{all,identified,anonymous}'::text[] ELSE '{all}' END LOOP
					FOREACH span IN ARRAY CASE WHEN 'period' = ANY (r.names) THEN '{hour,day,week,month,range}'::text[] ELSE '{none}' END LOOP
						CONTINUE WHEN r.report = 'report_evolution' AND span = 'hour' AND days[2] > days[1] + 1;	-- a call for each hour
						calls := calls + 1;
						call := format('SELECT to_jsonb(x)%s FROM pk_tracking.%I(%s) x', CASE r.report WHEN 'report_evolution' THEN ' - ''numbers'' || numbers' END, r.report, concat_ws(', ',
							CASE WHEN 'idsite' = ANY (r.names) THEN 'idsite => ' || site END, CASE WHEN 'from_date' = ANY (r.names) THEN format('from_date => %L, to_date => %L', days[1], days[2]) END, r.own,
							CASE WHEN 'visitors' = ANY (r.names) THEN format('visitors => %L', who) END, CASE WHEN 'period' = ANY (r.names) THEN format('period => %L', span) END));
						BEGIN
							EXECUTE format('INSERT INTO row_of SELECT %s, %L, %L, j FROM (%s) s(j)', calls, who, span, call);
						EXCEPTION WHEN OTHERS THEN
							INSERT INTO found VALUES (r.report, SQLERRM, call, NULL, NULL);
						END;
					END LOOP;
				END LOOP;
				INSERT INTO found SELECT r.report, p.what, x.visitors || ' ' || x.period || ' ' || days::text, x.n, x.j FROM row_of x
					CROSS JOIN LATERAL (
						SELECT e.key || ' out of range' FROM jsonb_each(x.j) e WHERE e.key ~ '_rate$|_share$' AND NOT nullif(e.value, 'null')::numeric BETWEEN 0 AND 100
						UNION ALL SELECT e.key || ' is negative' FROM jsonb_each(x.j) e WHERE e.key ~ '^(nb_|sum_time|sum_visit|avg_time|max_actions|bounce)|_nb_' AND nullif(e.value, 'null')::numeric < 0
						UNION ALL SELECT format('%s exceeds %s', c.part, c.whole) FROM (VALUES ('nb_visits_anonymous', 'nb_visits'), ('nb_uniq_visitors', 'nb_visits'), ('bounce_count', 'nb_visits'), ('nb_visits_converted', 'nb_visits'),
							('nb_visits', 'nb_hits'), ('nb_visits_converted', 'nb_conversions'), ('entry_nb_uniq_visitors', 'entry_nb_visits'), ('exit_nb_uniq_visitors', 'exit_nb_visits'), ('exit_nb_visits', 'nb_visits'),
							('entry_bounce_count', 'entry_nb_visits'), ('nb_events_with_value', 'nb_events'), ('nb_no_result', 'nb_hits'), ('nb_visits_identified', 'nb_visits')) c(part, whole)
							WHERE (x.j ->> c.part)::numeric > (x.j ->> c.whole)::numeric) p(what)
					-- a page's own visits may begin where it was not an entry, and so on: each report says what its columns are
					WHERE NOT (p.what = 'exit_nb_visits exceeds nb_visits' AND r.report <> 'report_exit_pages')
						AND NOT (p.what = 'nb_visits_converted exceeds nb_visits' AND r.report ~ 'goal|conversion');
				-- identified and anonymous visitors make up all, and periods the range
				INSERT INTO found SELECT r.report, format('%s: all %s, identified and anonymous %s', k.key, k.all, k.parts), k.period || ' ' || days::text, NULL, NULL
				FROM (SELECT x.period, e.key, sum(e.value::numeric) FILTER (WHERE x.visitors = 'all') AS all, sum(e.value::numeric) FILTER (WHERE x.visitors <> 'all') AS parts
					FROM row_of x CROSS JOIN LATERAL jsonb_each(x.j) e
					WHERE e.key IN ('nb_visits', 'nb_hits', 'nb_actions', 'nb_events', 'nb_conversions', 'entry_nb_visits', 'exit_nb_visits', 'sum_visit_length', 'nb_uniq_visitors', 'orders', 'quantity')
						AND jsonb_typeof(e.value) = 'number'
						-- a page has a row where one of the visits ended
						AND NOT (r.report = 'report_exit_pages' AND e.key = 'nb_visits')
						-- and a value where some visit with it converted
						AND NOT (r.report = 'report_goals_by' AND e.key = 'nb_visits')
					GROUP BY 1, 2) k
				-- consent may change during a visit, whose actions are then counted on both sides
				-- and these list keywords, or pages, that only some searches or views of them choose
				WHERE 'visitors' = ANY (r.names) AND NOT (k.key = 'nb_hits' AND r.report ~ '_after_search$|_without_results$') AND CASE WHEN k.key IN ('nb_visits', 'nb_uniq_visitors') THEN coalesce(k.all, 0) > coalesce(k.parts, 0) ELSE k.all IS DISTINCT FROM k.parts END;
				INSERT INTO found SELECT r.report, format('%s: range %s, by %s %s', k.key, k.whole, k.period, k.parts), k.visitors || ' ' || days::text, NULL, NULL
				FROM (SELECT x.visitors, x.period, e.key, sum(e.value::numeric) AS parts, (SELECT sum((y.j ->> e.key)::numeric) FROM row_of y WHERE y.visitors = x.visitors AND y.period = 'range') AS whole
					FROM row_of x CROSS JOIN LATERAL jsonb_each(x.j) e
					WHERE x.period <> 'none' AND e.key IN ('nb_visits', 'nb_hits', 'nb_actions', 'nb_conversions', 'sum_visit_length', 'items') AND jsonb_typeof(e.value) = 'number'
						-- a visit views a page in several hours or days
						AND NOT (r.report = 'report_evolution' AND e.key = 'nb_visits')
					GROUP BY 1, 2, 3) k
				WHERE k.whole IS DISTINCT FROM k.parts;
			END LOOP;
		END LOOP;
	END LOOP;
	PERFORM set_config('test.calls', calls::text, false);
END $$;
SELECT f.report, f.what, f.q, f.row FROM found f ORDER BY 1, 2, 3 LIMIT 20;
-- a value has one row
SELECT d.name, made.site, b.label, count(*) FROM (SELECT DISTINCT m.site FROM made m) made CROSS JOIN pk_tracking.filter_dimensions d
	CROSS JOIN LATERAL pk_tracking.report_by(made.site, '2026-03-27', '2026-04-06', regexp_replace(d.name, 'N$', '1')) b
WHERE d.scope = 'visit' GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY d.name, made.site - (SELECT min(m.site) FROM made m), b.label;
SELECT current_setting('test.calls')::integer > 500 AS many_calls, (SELECT count(*) FROM report WHERE missing = '{}') > 30 AS many_reports;
DELETE FROM pk_tracking.setting;
