-- Medians and ratios of bench.run.  A busy machine only adds: where runs
-- spread, the least CPU of them says more.
\pset pager off
\pset footer off
\pset null ''
CREATE VIEW bench.median AS
	SELECT what, script, clients, synchronous_commit,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY hits_per_s) AS hits_per_s,
		percentile_cont(0.5) WITHIN GROUP (ORDER BY cpu_us) AS cpu_us,
		min(cpu_us) AS best_cpu_us, max(hits_per_s) / min(hits_per_s) - 1 AS spread, count(*) AS runs
	FROM bench.run GROUP BY 1, 2, 3, 4;

\echo 'Server:'
SELECT version() AS server, (SELECT count(*) FROM regexp_matches(pg_read_file('/proc/cpuinfo'), '^processor', 'gn')) AS cores;

\echo 'Known visitors: hits/s, CPU µs of the backends per hit, and ratios to the hand-written function'
SELECT m.synchronous_commit AS "sync. commit", m.clients,
	CASE m.script WHEN 'known_request' THEN 'track_request()' WHEN 'known_track' THEN 'track()'
		WHEN 'known_hand' THEN 'by hand' ELSE 'bare insert' END AS contestant,
	round(m.hits_per_s) AS "hits/s", round(m.cpu_us::numeric, 1) AS "CPU µs",
	round((m.hits_per_s / h.hits_per_s)::numeric, 2) AS "hits/s : hand",
	round((m.cpu_us / h.cpu_us)::numeric, 2) AS "CPU : hand",
	round(m.best_cpu_us::numeric, 1) AS "least CPU µs",
	round((m.best_cpu_us / h.best_cpu_us)::numeric, 2) AS "least : hand",
	round(100 * m.spread) || ' %' AS spread
FROM bench.median m
	JOIN bench.median h ON h.script = 'known_hand' AND (h.clients, h.synchronous_commit) = (m.clients, m.synchronous_commit)
WHERE m.what = 'known'
ORDER BY m.synchronous_commit, m.clients, array_position('{known_request,known_track,known_hand,known_insert}', m.script);

\echo 'New visitors'
SELECT m.synchronous_commit AS "sync. commit", m.clients,
	CASE m.script WHEN 'new_request' THEN 'track_request()' ELSE 'by hand' END AS contestant,
	round(m.hits_per_s) AS "hits/s", round(m.cpu_us::numeric, 1) AS "CPU µs",
	round((m.hits_per_s / h.hits_per_s)::numeric, 2) AS "hits/s : hand",
	round((m.cpu_us / h.cpu_us)::numeric, 2) AS "CPU : hand"
FROM bench.median m
	JOIN bench.median h ON h.script = 'new_hand' AND (h.clients, h.synchronous_commit) = (m.clients, m.synchronous_commit)
WHERE m.what = 'new'
ORDER BY m.script DESC;

\echo 'Look-up of an id'
SELECT CASE f.script WHEN 'few_continue' THEN 'continue the newest: track_request()'
		WHEN 'few_amid' THEN 'a visit in their midst: match_visitor()'
		ELSE 'none any more: match_visitor()' END AS hit,
	round(f.cpu_us::numeric, 1) AS "CPU µs, 10 visits", round(m.cpu_us::numeric, 1) AS "CPU µs, many",
	:many AS many, round((m.cpu_us / f.cpu_us)::numeric, 2) AS ratio
FROM bench.median f JOIN bench.median m ON m.script = replace(f.script, 'few', 'many')
WHERE f.what = 'lookup' AND f.script LIKE 'few%'
ORDER BY array_position('{few_continue,few_amid,few_later}', f.script);

\echo 'HOT share of the updates of log_visit'
SELECT :'hot_known' || ' %' AS "known visitors", :'hot_login' || ' %' AS "everybody logs in during the visit";
SELECT format('%s known visitors, medians of %s runs of %s s', :visitors, :runs, :seconds) AS conditions;
