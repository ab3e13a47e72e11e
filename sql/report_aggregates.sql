-- The aggregates by which reports count without sorting rows: they give what
-- count(DISTINCT ...) and percentile_cont() give
SET client_min_messages = warning;
SELECT setseed(0.3) IS NULL AS seeded;
-- groups of one row and of many, values that occur once and often, in order and not
CREATE TEMP TABLE numbers AS
SELECT CASE WHEN n % 3 = 0 THEN n % 7 ELSE floor(random() ^ 4 * 5000)::integer END AS k, n AS ascending,
	CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN n / 20 WHEN 2 THEN floor(random() * 50) WHEN 3 THEN -floor(random() * 9e18) ELSE floor(random() * 9e18) END::bigint AS number,
	CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'üser' || floor(random() * 300) ELSE repeat('x', n % 200) END AS word,
	CASE WHEN n % 6 > 0 THEN floor(random() ^ 3 * 30000) END::integer AS ms
FROM generate_series(1, 60000) n;

-- what is not the same; nothing to count, and NULL alone, too
CREATE TEMP VIEW differences AS
SELECT k FROM (
	SELECT k, count(DISTINCT number) AS a1, count(DISTINCT ascending) AS a2, count(DISTINCT word) AS a3, count(DISTINCT number) FILTER (WHERE ms > 29990) AS a4,
		percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY ms) AS a5, percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY -(ascending % 3)) AS a6
	FROM numbers GROUP BY GROUPING SETS ((k), ())) a
	FULL JOIN (
		SELECT k, pk_tracking_internal.report_distinct(number) AS b1, pk_tracking_internal.report_distinct(ascending::bigint) AS b2,
			pk_tracking_internal.report_distinct(word) AS b3, pk_tracking_internal.report_distinct(number) FILTER (WHERE ms > 29990) AS b4,
			nullif((pk_tracking_internal.report_times(NULL, ms, NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') AS b5, nullif((pk_tracking_internal.report_times(NULL, -(ascending % 3), NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') AS b6
		FROM numbers GROUP BY GROUPING SETS ((k), ())) b USING (k)
	-- the row of all has the key NULL, and joins with nothing: compared below
	WHERE k IS NOT NULL AND (a1, a2, a3, a4) IS DISTINCT FROM (b1, b2, b3, b4) OR k IS NOT NULL AND (a5, a6) IS DISTINCT FROM (b5, b6);
CREATE TEMP VIEW all_rows AS
SELECT count(DISTINCT number) = pk_tracking_internal.report_distinct(number) AS numbers, count(DISTINCT ascending) = pk_tracking_internal.report_distinct(ascending::bigint) AS ascending,
	count(DISTINCT word) = pk_tracking_internal.report_distinct(word) AS words,
	percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY ms) = nullif((pk_tracking_internal.report_times(NULL, ms, NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') AS percentiles
FROM numbers;
SELECT count(*), count(DISTINCT k) > 3000 AS many_groups, max(n) > 2000 AS large_ones FROM (SELECT k, count(*) AS n FROM numbers GROUP BY k) x;
SELECT count(*) FROM differences;
SELECT * FROM all_rows;
-- what does not fit into work_mem is sorted on disk
SET work_mem = '64kB';
SELECT count(*) FROM differences;
SELECT * FROM all_rows;
SET enable_hashagg = off;
SELECT count(*) FROM differences;
RESET enable_hashagg;
RESET work_mem;
SELECT pk_tracking_internal.report_distinct(number), nullif((pk_tracking_internal.report_times(NULL, ms, NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') FROM numbers WHERE false;
SELECT pk_tracking_internal.report_distinct(NULL::bigint), pk_tracking_internal.report_distinct(NULL::text), nullif((pk_tracking_internal.report_times(NULL, NULL, NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') FROM numbers;
-- states of parallel workers, in memory and on disk
CREATE TABLE report_numbers AS TABLE numbers;
CREATE VIEW report_all_rows AS
SELECT k % 3 AS k, pk_tracking_internal.report_distinct(number) AS numbers, pk_tracking_internal.report_distinct(word) AS words, pk_tracking_internal.report_distinct(number) FILTER (WHERE number < 0 AND ms < 2) AS few,
	nullif((pk_tracking_internal.report_times(NULL, ms, NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') AS percentiles
FROM report_numbers GROUP BY 1;
CREATE TEMP TABLE serial AS TABLE report_all_rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
DO $$
DECLARE
	line text;
	partial boolean := false;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN SELECT * FROM report_all_rows' LOOP
		partial := partial OR line ~ 'Partial HashAggregate';
	END LOOP;
	ASSERT partial, 'workers do not aggregate';
END $$;
SELECT count(*) FROM (TABLE serial INTERSECT TABLE report_all_rows) x;
SET work_mem = '64kB';
SELECT count(*) FROM (TABLE serial INTERSECT TABLE report_all_rows) x;
-- workers that have nothing
SELECT pk_tracking_internal.report_distinct(number), pk_tracking_internal.report_distinct(word), nullif((pk_tracking_internal.report_times(NULL, ms, NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') FROM report_numbers WHERE ascending < 0;
SELECT pk_tracking_internal.report_distinct(number), pk_tracking_internal.report_distinct(word), nullif((pk_tracking_internal.report_times(NULL, ms, NULL, NULL, NULL, NULL))[7:8], '{NULL,NULL}') FROM report_numbers WHERE ascending IN (1, 2);
RESET ALL;
SET client_min_messages = warning;
DROP VIEW report_all_rows;
DROP TABLE report_numbers;
-- an error amid such a sort leaves nothing behind
SET work_mem = '64kB';
SELECT pk_tracking_internal.report_distinct(ascending::bigint / (60000 - ascending)) FROM numbers;
SELECT pk_tracking_internal.report_distinct(number) = count(DISTINCT number) AS same FROM numbers;
-- states of a limit that ends before they are asked
SELECT sum(d) >= 0 AS counted FROM (SELECT k, pk_tracking_internal.report_distinct(number) AS d FROM numbers GROUP BY k LIMIT 1) x;
