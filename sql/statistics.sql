-- What ANALYZE puts into the server's catalog: no id, no user id, no text of visitors, no secret.
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('statistics') AS site \gset
SELECT FROM pk_tracking.set_site(:site, 'ip_mask_level', '0') a, pk_tracking.set_site(:site, 'fingerprint_salt_rotation', 'daily') b;
SELECT pk_tracking.add_dimension(:site, 'member', 'visit') AS dimension \gset
-- commonest and rare values of each: 30 visitors, some of them often
SELECT count(*) AS hits, count(*) FILTER (WHERE t.outcome = 'recorded') AS recorded
FROM pk_tracking.track_requests((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('idsite', :'site', 'rec', 1,
	'url', 'https://s.example/needle-url-' || i % 30, 'action_name', 'needle title ' || i % 30, '_id', lpad(to_hex(11184640 + i % 30), 16, 'ac'), 'uid', CASE WHEN i % 2 = 0 THEN 'needle.user' || i % 30 || '@example.com' END,
	'cip', '203.0.113.' || 100 + i % 30, 'urlref', 'https://www.google.com/search?q=needle+word+' || i % 30, 'new_visit', 1,
	'dimension' || :'dimension', 'needle member ' || i % 30, 'pv_id', 'nee' || lpad((i % 30)::text, 3, '0'),
	'lat', 52 + (i % 30) / 1000.0, 'long', 13 + (i % 30) / 1000.0,
	'idgoal', CASE WHEN i % 3 = 0 THEN 0 END, 'ec_id', CASE WHEN i % 3 = 0 THEN 'needle order ' || i END, 'revenue', CASE WHEN i % 3 = 0 THEN 1 END,
	'ec_items', CASE WHEN i % 3 = 0 THEN '[["sku","name","category",1,1]]' END)))
	FROM generate_series(1, 300) i), trusted => true) t;
INSERT INTO pk_tracking.daily_salt_0 (idsite, day, value, expires) SELECT i, '2000-01-01', decode(lpad(to_hex(i), 64, 'ad'), 'hex'), now() + interval '1 day' FROM generate_series(900001, 900100) i;
INSERT INTO pk_tracking.link_key_0 (period, value, created, expires) VALUES (now(), decode(repeat('ad', 32), 'hex'), now(), now()), (now(), decode(repeat('ad', 32), 'hex'), now(), now());
INSERT INTO pk_tracking.session_link_0 SELECT lpad(to_hex(i), 32, 'ad')::uuid, now(), i, 900001 FROM generate_series(1, 100) i;
DO $$
DECLARE
	t regclass;
BEGIN
	FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r' LOOP
		EXECUTE format('ANALYZE %s', t);
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.held() RETURNS TABLE (relation text, "column" name, held text) LANGUAGE sql AS $$
	SELECT s.schemaname || '.' || s.tablename, s.attname, regexp_replace(h.text, '\d+', 'N', 'g')
	FROM pg_stats s, LATERAL (SELECT substring(concat_ws(' ', s.most_common_vals::text, s.histogram_bounds::text, s.most_common_elems::text)
		FROM '(?i)needle|acacacacac|\\x(?:adad)+|adadadad-|203[.]0[.]113|(?<!:)(?:52|13)[.]0') AS text) h
	WHERE h.text IS NOT NULL AND s.schemaname LIKE 'pk\_tracking%'
	UNION ALL
	-- every value of every kind, whatever the view shows
	SELECT st.starelid::regclass::text, a.attname, 'pg_statistic'
	FROM pg_statistic st JOIN pg_attribute a ON a.attrelid = st.starelid AND a.attnum = st.staattnum
		JOIN pg_class c ON c.oid = st.starelid
	WHERE c.relnamespace = 'pk_tracking'::regnamespace
		AND concat_ws(' ', st.stavalues1::text, st.stavalues2::text, st.stavalues3::text, st.stavalues4::text, st.stavalues5::text)
			~* 'needle|acacacacac|\\x(adad)+|adadadad-|203[.]0[.]113|(?<!:)(?:52|13)[.]0'
	ORDER BY 1, 2, 3
$$;
SELECT * FROM pg_temp.held();
-- what plans need of ids is there
SELECT s.tablename, s.attname, s.null_frac BETWEEN 0 AND 1 AS nulls, s.avg_width, s.n_distinct <> 0 AS has_distinct, s.most_common_vals IS NULL AND s.most_common_freqs IS NULL AND s.histogram_bounds IS NULL AS no_values
FROM pg_stats s WHERE s.schemaname = 'pk_tracking' AND s.tablename = 'log_visit' AND s.attname IN ('idvisitor', 'config_id') ORDER BY 2;
-- columns that plans need have their values
SELECT bool_and(s.most_common_vals IS NOT NULL OR s.histogram_bounds IS NOT NULL) AS has_values, count(*)
FROM pg_stats s WHERE s.schemaname = 'pk_tracking' AND s.tablename = 'log_visit' AND s.attname IN ('idsite', 'visit_first_action_time');

-- columns of users, expressions of ids, statistics of several columns: what cannot be kept out is named
CREATE TABLE regress_ids (id hexid, i integer);
INSERT INTO regress_ids SELECT lpad(to_hex(11184640 + i % 7), 16, 'ac')::hexid, i FROM generate_series(1, 100) i;
CREATE INDEX regress_ids_expression ON regress_ids ((coalesce(id, '0000000000000000'::hexid)));
CREATE STATISTICS regress_ids_expressions ON (coalesce(id, '0000000000000001'::hexid)), i FROM regress_ids;
ANALYZE regress_ids;
SELECT s.tablename, s.attname, s.n_distinct, s.most_common_vals IS NULL AND s.histogram_bounds IS NULL AS no_values
FROM pg_stats s WHERE s.tablename LIKE 'regress\_ids%' AND s.attname <> 'i' ORDER BY 1, 2;
SELECT e.n_distinct, e.most_common_vals IS NULL AND e.histogram_bounds IS NULL AS no_values FROM pg_stats_ext_exprs e WHERE e.statistics_name = 'regress_ids_expressions' AND e.expr ~ 'COALESCE';
DROP TABLE regress_ids;
SELECT * FROM pk_tracking.status() s WHERE s.item ~ '^(statistics|index) ';
CREATE STATISTICS regress_several (mcv) ON user_id, idsite FROM pk_tracking.log_visit;
CREATE STATISTICS regress_distinct (ndistinct) ON idsite, idvisitor FROM pk_tracking.log_visit;
CREATE INDEX regress_lower ON pk_tracking.log_visit (idsite, lower(user_id));
CREATE INDEX regress_plain ON pk_tracking.log_visit (user_id);
SELECT * FROM pk_tracking.status() s WHERE s.item ~ '^(statistics|index) ';
ALTER INDEX pk_tracking.regress_lower ALTER COLUMN 2 SET STATISTICS 0;
DROP STATISTICS regress_several;
ANALYZE pk_tracking.log_visit;
SELECT * FROM pg_temp.held();
SELECT * FROM pk_tracking.status() s WHERE s.item ~ '^(statistics|index) ';
DROP STATISTICS regress_distinct;
-- what ANALYZE was let do before stays when it is told to pass over
CREATE INDEX regress_upper ON pk_tracking.log_visit (upper(user_id));
ALTER TABLE pk_tracking.log_visit ALTER COLUMN user_id SET STATISTICS 1000;
SELECT s.item, s.value FROM pk_tracking.status() s WHERE s.item ~ '^(statistics|index|column) ';
ANALYZE pk_tracking.log_visit;
ALTER TABLE pk_tracking.log_visit ALTER COLUMN user_id SET STATISTICS 0;
ALTER INDEX pk_tracking.regress_upper ALTER COLUMN 1 SET STATISTICS 0;
ANALYZE pk_tracking.log_visit;
SELECT DISTINCT h.relation, h."column" FROM pg_temp.held() h ORDER BY 2;
SELECT s.item, regexp_replace(s.remark, 'staattnum = \d+', 'staattnum = N') AS remark FROM pk_tracking.status() s WHERE s.item ~ '^(statistics|index|column) ';
DROP INDEX pk_tracking.regress_upper;
DELETE FROM pg_statistic WHERE starelid = 'pk_tracking.log_visit'::regclass AND staattnum = (SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = 'pk_tracking.log_visit'::regclass AND a.attname = 'user_id');
SELECT * FROM pg_temp.held();
SELECT * FROM pk_tracking.status() s WHERE s.item ~ '^(statistics|index|column) ';
DROP INDEX pk_tracking.regress_lower, pk_tracking.regress_plain;
TRUNCATE pk_tracking.daily_salt_0, pk_tracking.link_key_0, pk_tracking.session_link_0;
