-- Funnels: a log small enough to check by eye, and beside a
-- slow twin on generated rows
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('funnel', '{https://f.example}', 'Europe/Berlin') AS site \gset
SELECT pk_tracking.add_site('twin', '{https://w.example}', 'Europe/Berlin') AS twin \gset
-- pages A to D; the dictionary may hold a row twice
INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name) SELECT 8600000 + n, s.site, 1, 2, 'f.example/' || chr((96 + n)::integer)
	FROM (VALUES (:site), (:twin)) AS s(site), unnest('{1,2,3,4,1}'::bigint[]) AS n;
-- a visit: its visitor, NULL if anonymous; its first action; and its pages, each with the seconds since the first
CREATE FUNCTION pg_temp.visit(site integer, id bigint, visitor text, at timestamptz, pages text) RETURNS void LANGUAGE sql AS $$
	INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, consent, location_ip, visit_total_actions)
		VALUES (id, site, at, at + interval '1 h', visitor::hexid, CASE WHEN visitor IS NULL THEN 2 ELSE 0 END, '0.0.0.0', 1);
	INSERT INTO pk_tracking.log_link_visit_action (idlink_va, idvisit, idsite, server_time, idvisitor, consent, idaction_url)
		SELECT id * 10 + x.n, id, site, at + substr(x.page, 2)::integer * interval '1 s', visitor::hexid, CASE WHEN visitor IS NULL THEN 2 ELSE 0 END, 8600000 + ascii(x.page) - 96
		FROM string_to_table(pages, ' ') WITH ORDINALITY AS x(page, n);
$$;

-- By hand -----------------------------------------------------------------
SELECT pg_temp.visit(:site, 8600000000 + x.n, x.visitor, x.at::timestamptz, x.pages) IS NULL AS made FROM (VALUES
	(1, '00000000000000aa', '2026-03-29 10:00+02', 'a0 b10 c40'),	-- all the way
	(2, '00000000000000bb', '2026-03-29 00:30Z', 'a0 d5 b1801'),	-- to b, before and after the clocks change, in half an hour and a second
	(3, NULL, '2026-03-29 12:00+02', 'a0 a5 b65 b70'),	-- anonymous; b a minute after the a before it
	(4, '00000000000000cc', '2026-03-29 13:00+02', 'b0 a10'),	-- b before a: only a
	(5, '00000000000000dd', '2026-03-29 13:00+02', 'b0 c10'),	-- never a
	(6, '00000000000000cc', '2026-03-29 14:00+02', 'b0 c0'),	-- the visitor of 4 comes back: b and c in one second, in this order
	(7, '00000000000000ee', '2026-03-28 23:59:59+01', 'a0 b1'),	-- a the day before
	(8, '00000000000000ff', '2026-03-29 23:59:58+02', 'a0 b1 c2'))	-- c the day after
	AS x(n, visitor, at, pages);
-- steps of one visit
SELECT * FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a,pageUrl=$/b,pageUrl=$/c}');
-- steps of a visitor within a day: visits 4 and 6 are one way
SELECT * FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a,pageUrl=$/b,pageUrl=$/c}', '1 day');
-- within half an hour the visitors of 2 and 4 do not arrive; a second more, and the former does
SELECT step, nb_reached, nb_dropped FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a,pageUrl=$/b,pageUrl=$/c}', '30 min');
SELECT step, nb_reached, nb_dropped FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a,pageUrl=$/b,pageUrl=$/c}', '30 min 1 s');
-- the days before and after
SELECT step, nb_reached, nb_dropped FROM pk_tracking.report_funnel(:site, '2026-03-28', '2026-03-30', '{pageUrl=$/a,pageUrl=$/b,pageUrl=$/c}');
-- an action is one step: twice a needs two of them
SELECT step, nb_reached, nb_dropped FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a,pageUrl=$/a}');
SELECT step, step_filter, nb_reached, nb_dropped, step_rate, conversion_rate, median_time FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a}');
SELECT step, nb_reached, nb_anonymous, anonymous_rate FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a,pageUrl=$/b}', visitors => 'anonymous');
SELECT step, nb_reached FROM pk_tracking.report_funnel(:site, '2026-03-31', '2026-03-31', '{pageUrl=$/a,pageUrl=$/b}');

-- Beside a twin -----------------------------------------------------------
-- it walks through the actions of each visit or visitor and tries every beginning
SELECT setseed(0.17);
SELECT count(pg_temp.visit(:twin, 8610000000 + n, CASE WHEN random() < 0.8 THEN lpad(to_hex((random() * 60)::integer), 16, '0') END,
	'2026-04-01 00:00+02'::timestamptz + floor(random() * 20 * 86400) * interval '1 s',
	(SELECT string_agg(chr(97 + floor(random() * 4)::integer) || floor(random() * 900)::integer, ' ') FROM generate_series(0, (n * 7 + i) % 6) AS i WHERE n > 0)))
FROM generate_series(1, 400) AS n, generate_series(1, 1) AS i;
CREATE FUNCTION pg_temp.furthest(pages text[], times timestamptz[], steps text[], within interval) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	best integer := 0;
	k integer;
BEGIN
	FOR i IN 1 .. cardinality(pages) LOOP
		CONTINUE WHEN pages[i] <> steps[1];
		k := 1;
		FOR j IN i + 1 .. cardinality(pages) LOOP
			IF k < cardinality(steps) AND pages[j] = steps[k + 1] AND (within IS NULL OR times[j] <= times[i] + within) THEN
				k := k + 1;
			END IF;
		END LOOP;
		best := greatest(best, k);
	END LOOP;
	RETURN best;
END $$;
SELECT x.steps, x.within, x.reached = x.twin AS same, x.reached[1] > 0 AS begun, x.reached[cardinality(x.steps)] > 0 AS ended FROM (
SELECT w.steps, w.within, (SELECT array_agg(f.nb_reached ORDER BY f.step) FROM pk_tracking.report_funnel(:twin, '2026-04-01', '2026-04-21',
		(SELECT array_agg('pageUrl=$/' || s.page ORDER BY s.n) FROM unnest(w.steps) WITH ORDINALITY AS s(page, n)), w.within) f) AS reached,
	(SELECT array_agg(t.reached ORDER BY t.k) FROM (SELECT k, count(*) FILTER (WHERE x.furthest >= k) AS reached
		FROM (SELECT pg_temp.furthest(array_agg(chr(96 + (l.idaction_url - 8600000)::integer) ORDER BY l.server_time, l.idlink_va), array_agg(l.server_time ORDER BY l.server_time, l.idlink_va), w.steps, w.within) AS furthest
			FROM pk_tracking.log_link_visit_action l WHERE l.idsite = :twin
			GROUP BY CASE WHEN w.within IS NULL OR l.idvisitor IS NULL THEN l.idvisit::text ELSE l.idvisitor::text END) x,
			generate_series(1, cardinality(w.steps)) AS k GROUP BY k) t) AS twin
FROM (VALUES ('{a,b}'::text[], NULL::interval), ('{a,b,c,d}', NULL), ('{a,a,a}', NULL), ('{d,c,b,a}', NULL), ('{a,b,c,d}', '1 hour'), ('{a,b,c,d}', '5 days'), ('{b,a,b,a,b}', '3 days'), ('{c,c}', '10 s'), ('{a,b,c,d}', '40 days')) AS w(steps, within)) x;

\set SHOW_CONTEXT never
-- Mistakes ----------------------------------------------------------------
SELECT * FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{}');
SELECT * FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', NULL);
SELECT * FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', ARRAY[NULL]);
SELECT * FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', (SELECT array_agg('pageUrl==' || n) FROM generate_series(1, 21) n));
SELECT * FROM pk_tracking.report_funnel(:site, '2026-03-29', '2026-03-29', '{pageUrl=$/a}', '-1 day');

DELETE FROM pk_tracking.log_visit WHERE idsite IN (:site, :twin);
DELETE FROM pk_tracking.log_action WHERE idaction BETWEEN 8600000 AND 8699999;
