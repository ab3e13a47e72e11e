-- Bulk roads for the fuzzer's hits, and what judges them: schema fuzz, after harness.sql.
\set QUIET on
SET client_min_messages = warning;

CREATE TABLE fuzz.given (n integer PRIMARY KEY, query text, ip text, user_agent text, accept_language text, at timestamptz, headers jsonb);
CREATE TABLE fuzz.by_time (LIKE fuzz.given INCLUDING ALL);
CREATE TABLE fuzz.document (LIKE fuzz.given INCLUDING ALL);
-- hits by table and outcome
CREATE TABLE fuzz.outcome (way text, outcome text, hits bigint);

-- Leave only what the sites have.
CREATE FUNCTION fuzz.empty() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, pk_tracking.log_conversion, pk_tracking.log_conversion_item,
		pk_tracking.log_action, pk_tracking.log_visit_length, pk_tracking.log_excluded, pk_tracking.ingest_run, pk_tracking.rejected_hit,
		fuzz.given, fuzz.by_time, fuzz.document, fuzz.outcome, fuzz.touched, fuzz.result;
END
$$;
SELECT pk_tracking.attach('fuzz.given', '{"query": "query", "ip": "ip", "user_agent": "user_agent", "accept_language": "accept_language", "at": "at", "headers": "headers"}'),
	pk_tracking.attach('fuzz.by_time', '{"query": "query", "ip": "ip", "user_agent": "user_agent", "accept_language": "accept_language", "at": "at", "headers": "headers"}', hit_order => 'time', trusted => true) \g /dev/null

-- The rows of fuzz.document, 200 to a document, each document in a transaction of its own.
CREATE PROCEDURE fuzz.documents() LANGUAGE plpgsql AS $$
DECLARE
	d record;
BEGIN
	FOR d IN SELECT min(n) AS n, jsonb_build_object('requests', jsonb_agg('?' || query ORDER BY n), 'token_auth', CASE WHEN min(n) % 3 = 0 THEN 'secret-token' END) AS requests,
			min(user_agent) AS agent, min(accept_language) AS language, (array_agg(headers ORDER BY n))[1] AS headers, count(*) AS hits
		FROM fuzz.document GROUP BY n / 600 ORDER BY 1
	LOOP
		INSERT INTO fuzz.result SELECT d.n, t.o, t.t
			FROM (SELECT t, row_number() OVER () AS o FROM pk_tracking.track_requests(d.requests, '203.0.113.7', d.agent, d.language,
				'2026-01-05 10:00+00'::timestamptz + d.n * interval '1 s', d.headers) t) t;
		COMMIT;
	END LOOP;
END
$$;

-- All of a batch.  What is wrong goes into fuzz.wrong, what is right into fuzz.total.
CREATE FUNCTION fuzz.judge_bulk(rows bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO fuzz.outcome SELECT r.raw_table, x.k, x.v
		FROM pk_tracking.ingest_run r, LATERAL (VALUES ('recorded', r.recorded), ('rejected', r.rejected)
			UNION ALL SELECT 'excluded ' || e.key, e.value::bigint FROM jsonb_each_text(r.excluded) e
			UNION ALL SELECT 'ignored ' || e.key, e.value::bigint FROM jsonb_each_text(r.ignored) e) x(k, v);
	INSERT INTO fuzz.outcome SELECT 'document', CASE (r.t).outcome WHEN 'invalid' THEN 'rejected' ELSE (r.t).outcome || coalesce(' ' || (r.t).outcome_reason, '') END, count(*)
		FROM fuzz.result r GROUP BY 2;
	INSERT INTO fuzz.total SELECT o.outcome, sum(o.hits) FROM fuzz.outcome o WHERE o.hits > 0 GROUP BY 1
		ON CONFLICT ON CONSTRAINT total_pkey DO UPDATE SET hits = total.hits + EXCLUDED.hits;

	-- hits without consent of which nothing is stored are not counted, rows without a query string are no requests
	INSERT INTO fuzz.wrong (n, what) SELECT 0, format('%s: %s hits, of which %s rejected; %s rows of rejected_hit', r.raw_table, r.hits, r.rejected, count(j))
		FROM pk_tracking.ingest_run r LEFT JOIN pk_tracking.rejected_hit j USING (idrun)
		GROUP BY r.idrun HAVING count(j) <> r.rejected OR r.finished IS NULL
			OR r.hits <> r.recorded + r.rejected + coalesce((SELECT sum(e.value::bigint) FROM jsonb_each_text(r.excluded || r.ignored) e), 0);
	INSERT INTO fuzz.wrong (n, what) SELECT 0, format('%s rows, %s results of documents', (SELECT count(*) FROM fuzz.document WHERE query <> ''), (SELECT count(*) FROM fuzz.result))
		WHERE (SELECT count(*) FROM fuzz.document WHERE query <> '') <> (SELECT count(*) FROM fuzz.result);
	INSERT INTO fuzz.wrong (n, what) SELECT 0, format('recorded with an action: %s hits of documents, and %s actions', r.n, a.n)
		FROM (SELECT count(*) AS n FROM fuzz.result WHERE (t).idlink_va IS NOT NULL) r, (SELECT count(*) AS n FROM pk_tracking.log_link_visit_action) a WHERE r.n > a.n;

	-- every visit, whatever made it
	INSERT INTO fuzz.touched SELECT idvisit, 0 FROM pk_tracking.log_visit;
	INSERT INTO fuzz.wrong (n, what) SELECT w.n, w.what FROM fuzz.judge_visits() w;
	INSERT INTO fuzz.wrong (n, what) SELECT 0, format('action %s without its visit', a.idlink_va) FROM pk_tracking.log_link_visit_action a
		WHERE NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = a.idvisit AND v.idsite = a.idsite);

	-- without consent there is no person
	INSERT INTO fuzz.wrong (n, what) SELECT 0, format('anonymous visit %s has a person in it', v.idvisit) FROM pk_tracking.log_visit v
		WHERE v.consent >= 2 AND (num_nonnulls(v.idvisitor, v.user_id, v.config_id) > 0
			OR host(v.location_ip) NOT IN ('0.0.0.0', '::', '::ffff:0.0.0.0'));
END
$$;
