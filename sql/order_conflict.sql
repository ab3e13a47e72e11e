-- Orders of different visitors with one id: nobody can use up a shop's order ids
-- before the shop does (doc/goals.md, "The same order id from another visitor").
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	PERFORM set_config('test.site', pk_tracking.add_site('orders', ARRAY['https://orders.example'], ecommerce => true)::text, false);
END $$;
CREATE TEMP TABLE token AS SELECT pk_tracking.create_token(current_setting('test.site')::integer, 'shop') AS token;
-- An order; net: the visitor's network.
CREATE FUNCTION pg_temp.o(net integer, minute numeric, query text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', t.outcome, t.outcome_reason) FROM pk_tracking.track_request('idsite=' || current_setting('test.site') || '&rec=1&idgoal=0&' || query, '10.0.0.1'::inet + 65536 * net, 'agent', 'de', '2026-05-04 10:00+00'::timestamptz + minute * interval '1 minute') t
$$;
CREATE FUNCTION pg_temp.token() RETURNS text LANGUAGE sql AS $$ SELECT '&token_auth=' || token FROM token $$;
CREATE TEMP VIEW orders AS
	SELECT c.idsite = current_setting('test.site')::integer AS here, c.idorder, c.order_conflict, c.revenue, c.buster, ltrim(c.idvisitor::text, '0') AS who,
		(SELECT string_agg(i.idorder || ':' || a.name, ',' ORDER BY a.name) FROM pk_tracking.log_conversion_item i JOIN pk_tracking.log_action a ON a.idsite = i.idsite AND a.idaction = i.idaction_sku
			WHERE i.idvisit = c.idvisit AND i.idorder = coalesce(c.idorder, c.order_conflict)) AS items
	FROM pk_tracking.log_conversion c WHERE c.idsite = current_setting('test.site')::integer AND c.idgoal = 0;
CREATE FUNCTION pg_temp.next(VARIADIC settings text[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('test.site', pk_tracking.add_site('orders', ecommerce => true)::text, false);
	UPDATE pk_tracking.token SET idsite = current_setting('test.site')::integer WHERE name = 'shop';
	FOR i IN 1 .. coalesce(array_length(settings, 1), 0) / 2 LOOP
		PERFORM pk_tracking.set_site(current_setting('test.site')::integer, settings[2 * i - 1], settings[2 * i]);
	END LOOP;
	RETURN array_to_string(settings, ' ');
END $$;

\echo 1. One document takes all order ids; the shop sells all the same
SELECT t.outcome, count(*) FROM (SELECT jsonb_agg(format('?idsite=%s&rec=1&idgoal=0&ec_id=%s&revenue=0&cid=%s', current_setting('test.site'), n, lpad(to_hex(n), 16, '0'))) FROM generate_series(1, 60) n) d(d),
	pk_tracking.track_requests(d.d, '192.0.2.66', 'squatter', 'de', '2026-05-04 09:00+00') t GROUP BY 1;
SELECT pg_temp.o(1, 0, '_id=00000000000a0001&ec_id=7&revenue=99.50&ec_items=[["shoe","Shoe","Shoes",99.5,1]]');
SELECT idorder, order_conflict, revenue, who, items FROM orders WHERE '7' IN (idorder, order_conflict) ORDER BY revenue;
SELECT r.nb_conversions, r.revenue, r.order_conflicts FROM pk_tracking.report_orders(current_setting('test.site')::integer, '2026-05-04', '2026-05-04', 'range') r;

\echo 2. A page that is loaded again: by the same visit, the same cookie later, the same user elsewhere
SELECT pg_temp.o(1, 1, '_id=00000000000a0001&ec_id=7&revenue=99.50') AS visit, pg_temp.o(2, 600, '_id=00000000000a0001&ec_id=7&revenue=99.50') AS cookie, pg_temp.o(9, 1, 'cid=0000000000000007&ec_id=7') AS squatter;
SELECT pg_temp.o(3, 0, '_id=00000000000a0003&ec_id=u1&revenue=1') AS "logs in later", pg_temp.o(3, 1, '_id=00000000000a0003&uid=ada&ec_id=u1') AS "reload", pg_temp.o(3, 2, '_id=00000000000a0003&uid=ada') AS "logs in", pg_temp.o(4, 700, 'uid=ada&ec_id=u1') AS "another device", pg_temp.o(4, 2000, '_id=00000000000a0003&ec_id=u1') AS "logged out";
SELECT pg_temp.o(5, 0, 'ec_id=f1&revenue=1') AS "no id", pg_temp.o(5, 1, 'ec_id=f1&revenue=1') AS "same fingerprint", pg_temp.o(5, 2, '_id=00000000000a0005&ec_id=f1') AS "an id now", pg_temp.o(6, 3, '_id=00000000000a0005&ec_id=f1') AS "elsewhere", pg_temp.o(5, 600, 'ec_id=f1&revenue=1') AS "later, not recognised";
SELECT pg_temp.o(20, 0, '_id=00000000000a0020&ec_id=v1&revenue=1'), pg_temp.o(21, 0, '_id=00000000000a0021&ec_id=v1&revenue=2'), pg_temp.o(22, 0, '_id=00000000000a0022&ec_id=v1&revenue=3');
SELECT pg_temp.o(20, 1, '_id=00000000000a0020&ec_id=v1'), pg_temp.o(21, 1, '_id=00000000000a0021&ec_id=v1'), pg_temp.o(23, 600, '_id=00000000000a0022&ec_id=v1'), pg_temp.o(21, 2, '_id=00000000000a0021&ec_id=v2&revenue=4');
SELECT idorder, order_conflict, revenue, buster, CASE WHEN length(who) < 8 THEN who END AS who FROM orders WHERE revenue < 99 AND revenue > 0 AND coalesce(idorder, order_conflict) ~ '[a-z]' ORDER BY coalesce(idorder, order_conflict), revenue, idorder NULLS LAST;

\echo 3. With an open cart, and by track(), whose hits are not authenticated either
SELECT pg_temp.o(30, 0, '_id=00000000000a0030&revenue=5&ec_items=[["a","n","c",5,1],["b","n","c",5,1]]'), pg_temp.o(30, 1, '_id=00000000000a0030&ec_id=7&revenue=6&ec_items=[["b","n","c",6,1]]');
SELECT c.idgoal, c.idorder, c.order_conflict, c.revenue FROM pk_tracking.log_conversion c WHERE c.idsite = current_setting('test.site')::integer AND c.idvisitor = '00000000000a0030';
SELECT i.idorder, a.name, i.deleted FROM pk_tracking.log_conversion_item i JOIN pk_tracking.log_action a ON a.idsite = i.idsite AND a.idaction = i.idaction_sku WHERE i.idsite = current_setting('test.site')::integer AND i.idvisitor = '00000000000a0030' ORDER BY 2;
SELECT t.outcome, t.outcome_reason FROM pk_tracking.track(current_setting('test.site')::integer, visitor_id => '00000000000a0031', at => '2026-05-04 10:00+00', params => '{"idgoal": 0, "ec_id": "7", "revenue": 7}') t;

\echo 4. An authenticated order gets its id; a wrong token is none; again is a reload; trusted stands for a token
SELECT pg_temp.o(40, 0, '_id=00000000000a0040&ec_id=8&revenue=8&token_auth=wrong') AS wrong, pg_temp.o(41, 0, '_id=00000000000a0041&ec_id=8&revenue=88&ec_items=[["c"]]' || pg_temp.token()) AS shop, pg_temp.o(41, 1, '_id=00000000000a0041&ec_id=8' || pg_temp.token()) AS again, pg_temp.o(42, 0, 'cid=0000000000000008&ec_id=8') AS squatter, pg_temp.o(43, 0, 'ec_id=8&revenue=9') AS another;
SELECT t.outcome FROM pk_tracking.track_request('rec=1&idgoal=0&ec_id=9&revenue=10&_id=00000000000a0044&idsite=' || current_setting('test.site'), at => '2026-05-04 10:00+00', trusted => true) t;
SELECT idorder, order_conflict, revenue, CASE WHEN length(who) < 8 THEN who END AS who, items FROM orders WHERE coalesce(idorder, order_conflict) IN ('8', '9') ORDER BY 1, 2, 3;

\echo 5. first: as before, for whoever sends it
SELECT pg_temp.next('order_id_conflict', 'first');
SELECT pg_temp.o(1, 0, 'ec_id=1&revenue=1'), pg_temp.o(2, 0, 'ec_id=1&revenue=1'), pg_temp.o(3, 0, 'ec_id=1&revenue=1' || pg_temp.token());
SELECT pg_temp.next('recognition_rules', 'matomo');
SELECT pg_temp.o(1, 0, 'ec_id=1&revenue=1'), pg_temp.o(2, 0, 'ec_id=1&revenue=1'), pg_temp.o(3, 0, 'ec_id=1&revenue=1' || pg_temp.token());
SELECT pg_temp.next('recognition_rules', 'matomo', 'order_id_conflict', 'keep');
SELECT pg_temp.o(1, 0, 'ec_id=1&revenue=1'), pg_temp.o(2, 0, 'ec_id=1&revenue=2'), pg_temp.o(3, 0, 'ec_id=1&revenue=3' || pg_temp.token());
SELECT idorder, order_conflict, revenue FROM orders ORDER BY revenue;
-- other settings: the user id makes no visitor id; what was kept under keep is known under first
SELECT pg_temp.next('enable_userid_overwrites_visitorid', 'off');
SELECT pg_temp.o(1, 0, '_id=00000000000a0001&uid=ada&ec_id=1&revenue=1'), pg_temp.o(2, 600, '_id=00000000000a0002&uid=ada&ec_id=1') AS "another device", pg_temp.o(3, 0, '_id=00000000000a0003&uid=bob&ec_id=1&revenue=2');
SELECT pk_tracking.set_site(current_setting('test.site')::integer, 'order_id_conflict', 'first');
SELECT pg_temp.o(3, 1, '_id=00000000000a0003&uid=bob&ec_id=1'), pg_temp.o(4, 0, '_id=00000000000a0004&ec_id=1');
DELETE FROM pk_tracking.log_conversion c WHERE c.idsite = current_setting('test.site')::integer AND c.idorder IS NOT NULL;
SELECT pg_temp.o(3, 2, '_id=00000000000a0003&uid=bob&ec_id=1') AS "still known", pg_temp.o(4, 0, '_id=00000000000a0004&ec_id=1&revenue=4') AS free;
SELECT idorder, order_conflict, revenue FROM orders ORDER BY revenue;
-- a random id conflicts with none
SELECT pg_temp.next('anonymize_order_id', 'on');
SELECT pg_temp.o(1, 0, 'ec_id=1'), pg_temp.o(2, 0, 'ec_id=1');
SELECT count(idorder), count(order_conflict) FROM orders;

\echo 6. Anonymous orders have no id, and take none
SELECT pg_temp.next('consent_mode', 'ask_else_anonymous');
SELECT pg_temp.o(1, 0, 'ec_id=1&revenue=1&consent=1'), pg_temp.o(2, 0, 'ec_id=1&revenue=2'), pg_temp.o(3, 0, 'ec_id=1&revenue=3' || pg_temp.token()), pg_temp.o(4, 0, 'ec_id=1&revenue=4&consent=1');
SELECT idorder, order_conflict, revenue, who IS NOT NULL AS visitor FROM orders ORDER BY revenue;
UPDATE pk_tracking.log_conversion c SET order_conflict = '1' WHERE c.idsite = current_setting('test.site')::integer AND c.revenue = 2;

\echo 7. In one document, in one transaction, under REPEATABLE READ, in a raw table; a trigger that keeps the id
SELECT pg_temp.next();
SELECT t.outcome, t.outcome_reason FROM (SELECT jsonb_agg(format('?idsite=%s&rec=1&idgoal=0&ec_id=1&revenue=%s&_id=%s', current_setting('test.site'), n, lpad((CASE n WHEN 5 THEN 9 ELSE 1 + n % 3 END)::text, 16, '0')) || CASE WHEN n = 5 THEN pg_temp.token() ELSE '' END ORDER BY n) FROM generate_series(1, 6) n) d(d),
	pk_tracking.track_requests(d.d, NULL, 'agent', 'de', '2026-05-04 09:00+00') t;
SELECT idorder, order_conflict, revenue, who FROM orders ORDER BY revenue;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.o(50, 0, 'ec_id=2&revenue=1'), pg_temp.o(51, 0, 'ec_id=2&revenue=2'), pg_temp.o(52, 0, 'ec_id=2&revenue=3' || pg_temp.token());
COMMIT;
SELECT idorder, order_conflict, revenue FROM orders WHERE '2' IN (idorder, order_conflict) ORDER BY revenue;
CREATE TABLE regress_pkt_orders (id integer PRIMARY KEY, idsite integer, at timestamptz, _id text, idgoal integer, ec_id text, revenue numeric);
SELECT pk_tracking.attach('regress_pkt_orders');
INSERT INTO regress_pkt_orders SELECT n, current_setting('test.site')::integer, '2026-05-04 09:00+00'::timestamptz + n * interval '1 second', lpad((1 + n % 4)::text, 16, '0'), 0, 'r' || n % 3, n FROM generate_series(1, 24) n;
SELECT idorder, order_conflict, revenue, who FROM orders WHERE coalesce(idorder, order_conflict) ~ '^r' ORDER BY revenue;
SELECT j.reason, count(*) FROM pk_tracking.rejected_hit j WHERE j.raw_table ~ 'regress_pkt_orders' GROUP BY 1;
SELECT pk_tracking.attach('regress_pkt_orders', trusted => true);
INSERT INTO regress_pkt_orders VALUES (30, current_setting('test.site')::integer, '2026-05-04 09:01+00', '0000000000000009', 0, 'r1', 30);
SELECT idorder, order_conflict, revenue, who FROM orders WHERE coalesce(idorder, order_conflict) = 'r1' ORDER BY revenue;
DROP TABLE regress_pkt_orders;
CREATE FUNCTION keeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keeps BEFORE UPDATE ON pk_tracking.log_conversion FOR EACH ROW EXECUTE FUNCTION keeps();
SELECT pg_temp.o(60, 0, 'ec_id=2&revenue=4' || pg_temp.token());
DROP TRIGGER keeps ON pk_tracking.log_conversion;
DROP FUNCTION keeps();

\echo 8. What is told
SELECT r.nb_conversions, r.order_conflicts, r.nb_visits_anonymous FROM pk_tracking.report_orders(current_setting('test.site')::integer, '2026-05-04', '2026-05-05', 'day') r;
SELECT jsonb_path_query_array(r.conversions, '$[*].order_conflict') FROM pk_tracking.report_visit_log(current_setting('test.site')::integer, '2026-05-04', '2026-05-04') r WHERE r.conversions::text ~ 'order_conflict' AND r.conversions::text ~ '"2"' ORDER BY 1;
DELETE FROM pk_tracking.log_conversion c WHERE c.order_conflict IS NOT NULL AND c.idsite <> current_setting('test.site')::integer;
SELECT s.value ~ '^[0-9]+ in the last day$' AS value FROM pk_tracking.status() s WHERE s.item = 'order id conflicts';
UPDATE pk_tracking.log_conversion c SET server_time = now() WHERE c.idsite = current_setting('test.site')::integer AND c.order_conflict = '2';
SELECT s.value, s.remark FROM pk_tracking.status() s WHERE s.item = 'order id conflicts';

SELECT pk_tracking.drop_token('shop');
DELETE FROM pk_tracking.log_conversion;
DELETE FROM pk_tracking.log_conversion_item;
DELETE FROM pk_tracking.setting;
TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit;
