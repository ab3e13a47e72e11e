-- One call with N hits writes what N calls write: rows, ids as ordinals, answers.
--
-- A stream of hits that are all there is (visitors of all kinds, out of order,
-- campaigns, goals, orders and carts, pings, late page performance, dimensions
-- and variables, places) is tracked twice, each time on an empty log: one by
-- one, and in one document.  The first hits are tracked one by one both times,
-- so that the document meets visits that are there already.  The last stream
-- is tracked one by one both times, by statements and directly.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
SET jit = off;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('bulk engine one', ARRAY['https://one.example']) AS one,
	pk_tracking.add_site('bulk engine two', ARRAY['https://two.example'], 'America/New_York') AS two \gset
SELECT set_config('test.one', :'one', false), set_config('test.two', :'two', false) \g /dev/null
SELECT pk_tracking.add_goal(:one, 'by hand', 'manually', allow_multiple => true, revenue => 2) AS by_hand,
	pk_tracking.add_goal(:one, 'a page', 'url', '/page/3', 'contains') AS a_page,
	pk_tracking.add_dimension(:one, 'of the visit', 'visit') AS of_visit,
	pk_tracking.add_dimension(:one, 'of the action', 'action') AS of_action;

CREATE TEMP TABLE stream (i integer, query text);
CREATE TEMP TABLE kept (mode text, what text, ordinal bigint, row_ jsonb);

-- a stream of n hits within some hours, differing with every seed
CREATE FUNCTION pg_temp.make_stream(n integer, seed double precision) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	at bigint := extract(epoch FROM timestamptz '2026-03-02 22:30+00');
	q text;
	who integer;
	page integer;
	r double precision;
	consents boolean := (SELECT count(*) > 0 FROM pk_tracking.setting WHERE name = 'consent_mode');
BEGIN
	PERFORM setseed(seed);
	DELETE FROM stream;
	FOR i IN 1..n LOOP
		at := at + (random() * 40)::integer;
		who := (power(random(), 2) * 25)::integer;
		page := (power(random(), 2) * 40)::integer;
		q := format('?rec=1&idsite=%s&cdt=%s&cip=10.%s.0.%s&ua=Agent%%20%s&lang=de',
			CASE WHEN who % 4 = 3 THEN current_setting('test.two') ELSE current_setting('test.one') END,
			at - CASE WHEN random() < 0.05 THEN (random() * 6000)::integer ELSE 0 END, who % 7, who, who % 3);
		-- who it is: cookie, cookie and user, cid, nothing
		IF who % 5 < 2 OR random() < 0.1 THEN
			q := q || '&_id=' || lpad(to_hex(who + 1), 16, 'a');
		END IF;
		IF who % 5 = 1 AND random() < 0.4 THEN
			q := q || '&uid=user' || who % 3;
		ELSIF who % 5 = 2 THEN
			q := q || '&cid=' || lpad(to_hex(who + 1), 16, 'c');
		END IF;
		IF consents AND random() < 0.4 THEN
			q := q || '&consent=' || (ARRAY['0', '1'])[1 + (random() < 0.6)::integer];
		END IF;
		IF random() < 0.02 THEN
			q := q || '&new_visit=1';
		END IF;
		IF random() < 0.2 THEN
			q := q || '&res=' || (100 + who) || 'x200';
		END IF;
		IF random() < 0.08 THEN
			q := q || '&urlref=' || (ARRAY['https%3A%2F%2Fwww.google.com%2F', 'https%3A%2F%2Fother.example%2Fx', 'https%3A%2F%2Fthird.example%2Fy'])[1 + (random() * 2)::integer];
		END IF;
		IF random() < 0.05 THEN
			q := q || '&country=' || (ARRAY['de', 'fr', 'us'])[1 + (random() * 2)::integer] || CASE WHEN random() < 0.5 THEN '&city=Somewhere&lat=1.5&long=2.25' ELSE '' END;
		END IF;
		IF random() < 0.1 THEN
			q := q || '&dimension1=' || (random() * 3)::integer || '&dimension2=' || (random() * 3)::integer || '&_cvar=' || '%7B%221%22%3A%5B%22a%22%2C%22' || (random() * 3)::integer || '%22%5D%7D';
		END IF;
		r := random();
		q := q || CASE
			WHEN r < 0.55 THEN format('&url=https%%3A%%2F%%2Fone.example%%2Fpage%%2F%s%s&action_name=Page%%20%s&pv_id=p%s', page,
				CASE WHEN random() < 0.06 THEN '%3Futm_campaign%3Dc' || (random() * 2)::integer ELSE '' END, page, lpad((who * 10 + page % 10)::text, 5, '0'))
			WHEN r < 0.62 THEN format('&url=https%%3A%%2F%%2Fone.example%%2Fpage%%2F%s&e_c=cat&e_a=act%s&e_n=name&e_v=%s', page, page % 3, page)
			WHEN r < 0.66 THEN '&link=https%3A%2F%2Fout.example%2F' || page
			WHEN r < 0.70 THEN '&download=https%3A%2F%2Fone.example%2Ffile' || page
			WHEN r < 0.75 THEN '&search=word' || page || '&search_count=' || page
			WHEN r < 0.78 THEN '&c_n=banner&c_p=piece' || page || '&url=https%3A%2F%2Fone.example%2F'
			WHEN r < 0.83 THEN '&ping=1'
			WHEN r < 0.89 THEN format('&ping=6&pv_id=p%s&pf_net=%s&pf_srv=%s', lpad((who * 10 + page % 10)::text, 5, '0'), page, 2 * page)
			WHEN r < 0.92 THEN '&idgoal=1&revenue=' || page
			WHEN r < 0.95 THEN format('&idgoal=0&revenue=%s&ec_items=%%5B%%5B%%22sku%s%%22%%2C%%22name%%22%%2C%%22cat%%22%%2C2.5%%2C%s%%5D%%5D', page, page % 4, 1 + page % 3)
			WHEN r < 0.98 THEN format('&idgoal=0&ec_id=order%s&revenue=%s&ec_items=%%5B%%5B%%22sku%s%%22%%2C%%22name%%22%%2C%%22cat%%22%%2C2.5%%2C%s%%5D%%5D', page % 20, page, page % 4, 1 + page % 3)
			WHEN r < 0.99 THEN '&idgoal=77'
			ELSE '&e_c=%20&e_a=x' END;
		INSERT INTO stream VALUES (i, q);
	END LOOP;
END $$;

-- track the stream: the first ones one by one, the others by documents of so many
CREATE FUNCTION pg_temp.track_stream(track_mode text, first_ones integer, per_document integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	n integer := (SELECT count(*) FROM stream);
	k integer := 1;
	m integer;
BEGIN
	TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_action,
		pk_tracking.log_conversion, pk_tracking.log_conversion_item, pk_tracking.log_visit_length,
		pk_tracking.session_link_0, pk_tracking.session_link_1;
	CREATE TEMP TABLE answer (i integer, t jsonb) ON COMMIT DROP;
	WHILE k <= n LOOP
		m := CASE WHEN k <= first_ones THEN 1 ELSE least(per_document, n - k + 1) END;
		INSERT INTO answer
		SELECT k - 1 + t.ordinality, to_jsonb(t)
		FROM pk_tracking.track_requests((SELECT jsonb_agg(s.query ORDER BY s.i) FROM stream s WHERE s.i BETWEEN k AND k + m - 1), trusted => true) WITH ORDINALITY t;
		k := k + m;
	END LOOP;

	-- numbers and random ids as ordinals, in the order of their first hit
	CREATE TEMP TABLE visit_no ON COMMIT DROP AS
	SELECT v.idvisit, row_number() OVER (ORDER BY v.idvisit) AS no, dense_rank() OVER (ORDER BY f.first) AS visitor_no, v.idvisitor
	FROM pk_tracking.log_visit v LEFT JOIN (SELECT w.idvisitor, min(w.idvisit) AS first FROM pk_tracking.log_visit w GROUP BY 1) f ON f.idvisitor OPERATOR(public.=) v.idvisitor;
	CREATE TEMP TABLE action_no ON COMMIT DROP AS
	SELECT a.idlink_va, row_number() OVER (ORDER BY a.idlink_va) AS no FROM pk_tracking.log_link_visit_action a;

	INSERT INTO kept
	SELECT track_mode, 'answer', a.i, a.t - '{idvisit,idvisitor,idlink_va,cookie_value,ordinality}'::text[]
		|| jsonb_build_object('visit', v.no, 'visitor', (SELECT min(w.visitor_no) FROM visit_no w WHERE w.idvisitor::text = a.t ->> 'idvisitor'), 'action', l.no)
	FROM answer a LEFT JOIN visit_no v ON v.idvisit = (a.t ->> 'idvisit')::bigint LEFT JOIN action_no l ON l.idlink_va = (a.t ->> 'idlink_va')::bigint
	UNION ALL
	SELECT track_mode, 'visit', n.no, to_jsonb(v) - '{idvisit,idvisitor,last_idlink_va}'::text[]
		|| jsonb_build_object('visitor', n.visitor_no, 'last', l.no)
	FROM pk_tracking.log_visit v JOIN visit_no n USING (idvisit) LEFT JOIN action_no l ON l.idlink_va = v.last_idlink_va
	UNION ALL
	SELECT track_mode, 'action', l.no, to_jsonb(a) - '{idvisit,idvisitor,idlink_va}'::text[]
		|| jsonb_build_object('visit', n.no, 'visitor', (SELECT min(w.visitor_no) FROM visit_no w WHERE w.idvisitor OPERATOR(public.=) a.idvisitor))
	FROM pk_tracking.log_link_visit_action a JOIN visit_no n USING (idvisit) JOIN action_no l USING (idlink_va)
	UNION ALL
	SELECT track_mode, 'conversion', row_number() OVER (ORDER BY n.no, c.idgoal, c.buster), to_jsonb(c) - '{idvisit,idvisitor,idlink_va}'::text[]
		|| jsonb_build_object('visit', n.no, 'action', l.no)
	FROM pk_tracking.log_conversion c JOIN visit_no n USING (idvisit) LEFT JOIN action_no l USING (idlink_va)
	UNION ALL
	SELECT track_mode, 'item', row_number() OVER (ORDER BY n.no, c.idorder, c.idaction_sku, c.server_time, c.price, c.quantity, c.deleted), to_jsonb(c) - '{idvisit,idvisitor}'::text[]
		|| jsonb_build_object('visit', n.no)
	FROM pk_tracking.log_conversion_item c JOIN visit_no n USING (idvisit)
	UNION ALL
	SELECT track_mode, 'name', row_number() OVER (ORDER BY d.idsite, d.idaction), to_jsonb(d) FROM (SELECT DISTINCT * FROM pk_tracking.log_action) d
	UNION ALL
	SELECT track_mode, 'length', d.idsite, to_jsonb(d) FROM (SELECT idsite, max(seconds) AS seconds FROM pk_tracking.log_visit_length GROUP BY 1) d;
	DROP TABLE answer, visit_no, action_no;
END $$;

-- differences between the modes of the last stream
CREATE VIEW pg_temp.difference AS
SELECT what, ordinal, a.mode AS a_mode, b.mode AS b_mode, a.row_ AS a, b.row_ AS b
FROM (SELECT * FROM kept WHERE mode = 'one by one') a
	FULL JOIN (SELECT * FROM kept WHERE mode <> 'one by one') b USING (what, ordinal)
WHERE a.row_ IS DISTINCT FROM b.row_;

-- A trigger on the log has its rows written by statements, one for each; without
-- any they are written directly.
CREATE FUNCTION pg_temp.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';

CREATE FUNCTION pg_temp.compare(n integer, seed double precision, first_ones integer, per_document integer,
	OUT hits bigint, OUT visits bigint, OUT continued_from_before boolean, OUT conversions boolean, OUT differences bigint)
LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM kept;
	PERFORM pg_temp.make_stream(n, seed);
	CREATE TRIGGER by_statements AFTER INSERT ON pk_tracking.log_visit FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.nothing();
	PERFORM pg_temp.track_stream('one by one', n, 1);
	DROP TRIGGER by_statements ON pk_tracking.log_visit;
	PERFORM pg_temp.track_stream('in bulk', first_ones, per_document);
	hits := (SELECT count(*) FROM kept WHERE what = 'answer' AND mode = 'in bulk');
	visits := (SELECT count(*) FROM kept WHERE what = 'visit' AND mode = 'in bulk');
	continued_from_before := first_ones IN (0, n) OR (SELECT count(*) > 0 FROM kept k JOIN kept l USING (mode, what)
		WHERE what = 'answer' AND mode = 'in bulk' AND k.ordinal <= first_ones AND l.ordinal > first_ones AND k.row_ -> 'visit' = l.row_ -> 'visit');
	conversions := (SELECT count(*) > 3 FROM kept WHERE what = 'conversion' AND mode = 'in bulk');
	differences := (SELECT count(*) FROM pg_temp.difference);
END $$;

PREPARE compare_all AS
SELECT c.hits, c.visits > 40 AS many_visits, c.continued_from_before, c.conversions, c.differences
FROM (VALUES (0.1, 0, 400), (0.2, 100, 300), (0.3, 60, 80), (0.4, 400, 1)) v(seed, first_ones, per_document)
	CROSS JOIN LATERAL pg_temp.compare(400, v.seed, v.first_ones, v.per_document) c
ORDER BY v.seed;
EXECUTE compare_all;
SET client_min_messages = error;	-- the log is not empty
SELECT pk_tracking.set_instance('recognition_rules', 'matomo') \g /dev/null
SET client_min_messages = warning;
EXECUTE compare_all;
SET client_min_messages = error;	-- the log is not empty
SELECT pk_tracking.set_instance('recognition_rules', 'piwik') \g /dev/null
SET client_min_messages = warning;
SELECT pk_tracking.set_instance('consent_mode', 'ask_else_anonymous') \g /dev/null
EXECUTE compare_all;
SELECT what, ordinal, a_mode, b_mode, x.key, a -> x.key AS one_by_one, b -> x.key AS in_bulk
FROM pg_temp.difference, LATERAL (SELECT jsonb_object_keys(coalesce(a, b)) AS key) x
WHERE (a -> x.key) IS DISTINCT FROM (b -> x.key) ORDER BY what, ordinal, x.key LIMIT 20;
DELETE FROM pk_tracking.setting;

-- a visit that VACUUM has frozen goes on, by one hit and by many
SELECT pk_tracking.add_site('frozen') AS frozen \gset
SELECT t.new_visit FROM pk_tracking.track(:frozen, visitor_id => '00000000000f0001', at => '2026-06-01 10:00+00') t;
SELECT t.new_visit FROM pk_tracking.track(:frozen, visitor_id => '00000000000f0001', at => '2026-06-01 10:01+00') t;
VACUUM FREEZE pk_tracking.log_visit;
SELECT t.outcome, t.new_visit FROM pk_tracking.track(:frozen, visitor_id => '00000000000f0001', at => '2026-06-01 10:02+00') t;
VACUUM FREEZE pk_tracking.log_visit;
SELECT count(*), count(*) FILTER (WHERE t.outcome = 'recorded') AS recorded, count(*) FILTER (WHERE t.new_visit) AS new
FROM pk_tracking.track_requests((SELECT jsonb_agg(format('?idsite=%s&rec=1&_id=00000000000f0001&url=https://a.example/%s', :'frozen', n)) FROM generate_series(1, 60) n),
	at => '2026-06-01 10:03+00') t;
SELECT v.visit_total_actions, (SELECT count(*) FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit) AS actions FROM pk_tracking.log_visit v WHERE v.idsite = :frozen;

-- a published table that says not which row is meant cannot be updated
ALTER TABLE pk_tracking.log_visit REPLICA IDENTITY NOTHING;
SET client_min_messages = error;
CREATE PUBLICATION regress_pkt_publication FOR TABLE pk_tracking.log_visit;
SELECT t.outcome FROM pk_tracking.track(:frozen, visitor_id => '00000000000f0001', at => '2026-06-01 10:04+00') t;
DROP PUBLICATION regress_pkt_publication;
ALTER TABLE pk_tracking.log_visit REPLICA IDENTITY DEFAULT;
RESET client_min_messages;
SELECT t.outcome, t.new_visit FROM pk_tracking.track(:frozen, visitor_id => '00000000000f0001', at => '2026-06-01 10:04+00') t;

-- users' code that runs when a batch writes what it has kept cannot begin another one in its place
CREATE FUNCTION pg_temp.track_too() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	PERFORM pk_tracking.track(new.idsite, visitor_id => '00000000000f0002', at => '2026-03-03 10:00+00');
	RETURN NULL;
END $$;
CREATE TRIGGER track_too AFTER INSERT ON pk_tracking.log_visit_length FOR EACH ROW EXECUTE FUNCTION pg_temp.track_too();
PREPARE long_visit AS SELECT count(*), count(*) FILTER (WHERE t.outcome = 'recorded') AS recorded, count(*) FILTER (WHERE t.new_visit) AS new
FROM pk_tracking.track_requests((SELECT jsonb_agg(format('?idsite=%s&rec=1&_id=00000000000f0002&url=https://a.example/%s&cdt=%s', :'frozen', n,
	1772532000 + 300 * n)) FROM generate_series(1, 100) n), trusted => true) t;
\set VERBOSITY terse
EXECUTE long_visit;
\set VERBOSITY default
DROP TRIGGER track_too ON pk_tracking.log_visit_length;
EXECUTE long_visit;
