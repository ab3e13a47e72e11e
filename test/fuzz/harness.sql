-- What sends the fuzzer's hits and judges what comes of them: schema fuzz.
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null

-- four sites; 2 and 4 are Matomo's, 4 has neither goals nor dimensions
SELECT pk_tracking.add_site('fuzz ' || i, ARRAY['http://shop.example.org', 'https://a.example/x'], (ARRAY['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia'])[i]) FROM generate_series(1, 4) i \g /dev/null
SELECT pk_tracking.add_goal(i, g.name, g.attribute, g.pattern, g.type, allow_multiple => g.multiple, revenue => 1.5)
FROM generate_series(1, 3) i, (VALUES
	('by hand', 'manually', NULL, NULL, true), ('pages', 'url', 'shop', 'contains', false), ('titles', 'title', '^.{1,3}$', 'regex', true), ('files', 'file', 'f', 'contains', true),
	('events', 'event_category', 'Video', 'contains', true), ('long', 'visit_duration', '2', 'greater_than', false)) g(name, attribute, pattern, type, multiple) \g /dev/null
SELECT pk_tracking.add_dimension(i, 'visit', 'visit'), pk_tracking.add_dimension(i, 'action', 'action', '[{"dimension": "url", "pattern": "/(.*)/"}, {"dimension": "urlparam", "pattern": "q"}]') FROM generate_series(1, 3) i \g /dev/null
INSERT INTO pk_tracking.token (token_hash, name) VALUES (sha256('secret-token'), 'fuzz');

CREATE SCHEMA fuzz;
CREATE TABLE fuzz.input (n integer PRIMARY KEY, query text, document text, ip text, user_agent text, accept_language text, at text, headers text, trusted boolean);
CREATE TABLE fuzz.result (n integer, part bigint, t pk_tracking.tracked);
CREATE TABLE fuzz.touched (idvisit bigint PRIMARY KEY, first_n integer);
CREATE TABLE fuzz.wrong (id serial, n integer, what text);
-- what the hits of all batches came to
CREATE TABLE fuzz.total (kind text PRIMARY KEY, hits bigint NOT NULL);
CREATE TABLE fuzz.memory (batch integer, contexts bigint, process bigint, by_name jsonb);

-- The settings of a batch: [[site or 0, name, value], ...], and nothing else.
-- What the settings' own checks refuse is left out.
CREATE FUNCTION fuzz.settings(wanted jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	w jsonb;
BEGIN
	DELETE FROM pk_tracking.setting;
	PERFORM pk_tracking.set_site(i, 'recognition_rules', 'matomo') FROM unnest('{2,4}'::integer[]) i;
	FOR w IN SELECT e FROM jsonb_array_elements(wanted) WITH ORDINALITY x(e, o) ORDER BY o LOOP
		BEGIN
			IF (w ->> 0)::integer = 0 THEN
				PERFORM pk_tracking.set_instance(w ->> 1, w ->> 2);
			ELSE
				PERFORM pk_tracking.set_site((w ->> 0)::integer, w ->> 1, w ->> 2);
			END IF;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE LIKE 'XX%' THEN
				RAISE;
			END IF;
		END;
	END LOOP;
END
$$;

-- Rows that this session has inserted, updated or deleted so far, table by table.
CREATE FUNCTION fuzz.written() RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	r bigint[];
	t regclass;
BEGIN
	FOREACH t IN ARRAY '{pk_tracking.log_visit,pk_tracking.log_link_visit_action,pk_tracking.log_conversion,pk_tracking.log_conversion_item,pk_tracking.log_action,pk_tracking.log_visit_length}'::regclass[] LOOP
		r := r || pg_stat_get_xact_tuples_inserted(t) || pg_stat_get_xact_tuples_updated(t) + pg_stat_get_xact_tuples_deleted(t);
	END LOOP;
	RETURN r || (SELECT last_value FROM pk_tracking.log_visit_idvisit_seq) || (SELECT last_value FROM pk_tracking.log_link_visit_action_idlink_va_seq);
END
$$;

-- Is it a document that track_requests() takes?
CREATE FUNCTION fuzz.is_document(d jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(jsonb_array_length(CASE WHEN jsonb_typeof(d) = 'array' THEN d WHEN jsonb_typeof(d) = 'object' AND jsonb_typeof(d -> 'requests') = 'array' THEN d -> 'requests' END) <= 10000, false)
$$;

-- Send one; its results go into fuzz.result.  What is wrong with them, or NULL.
CREATE FUNCTION fuzz.send(i fuzz.input) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	document jsonb;
	headers jsonb;
	results pk_tracking.tracked[];
	r pk_tracking.tracked;
	before bigint[];
	made bigint[];
	said text;
	kind text;
BEGIN
	-- what the server itself would not take for jsonb does not get as far as to us
	BEGIN
		document := i.document::jsonb;
		headers := i.headers::jsonb;
	EXCEPTION WHEN data_exception OR statement_too_complex THEN
		INSERT INTO fuzz.total VALUES ('no jsonb', 1) ON CONFLICT ON CONSTRAINT total_pkey DO UPDATE SET hits = total.hits + 1;
		RETURN NULL;
	END;
	before := fuzz.written();
	BEGIN
		IF i.document IS NULL THEN
			results := ARRAY[pk_tracking.track_request(i.query, i.ip::inet, i.user_agent, i.accept_language, i.at::timestamptz, headers, i.trusted)];
		ELSE
			results := ARRAY(SELECT t FROM pk_tracking.track_requests(document, i.ip::inet, i.user_agent, i.accept_language, i.at::timestamptz, headers, i.trusted) t);
		END IF;
	EXCEPTION WHEN OTHERS THEN
		GET STACKED DIAGNOSTICS said = MESSAGE_TEXT;
		IF i.document IS NOT NULL AND SQLSTATE = '22023' AND said LIKE '%bulk document%' AND NOT fuzz.is_document(document) THEN
			INSERT INTO fuzz.total VALUES ('no bulk document', 1) ON CONFLICT ON CONSTRAINT total_pkey DO UPDATE SET hits = total.hits + 1;
			RETURN NULL;
		END IF;
		RETURN format('raised %s: %s', SQLSTATE, said);
	END;
	made := fuzz.written();
	FOR j IN 1 .. array_length(made, 1) LOOP
		made[j] := made[j] - before[j];
	END LOOP;
	IF i.document IS NOT NULL AND NOT fuzz.is_document(document) THEN
		RETURN 'a document that is none was taken';
	END IF;
	INSERT INTO fuzz.result SELECT i.n, o, results[o] FROM generate_subscripts(results, 1) o;
	FOREACH r IN ARRAY results LOOP
		IF r.outcome IS NULL OR r.outcome NOT IN ('recorded', 'ignored', 'excluded', 'invalid') THEN
			RETURN format('outcome %s', coalesce(r.outcome, 'NULL'));
		END IF;
		IF r.outcome = 'recorded' AND (r.outcome_reason NOT IN ('revenue', 'ec_st', 'ec_tx', 'ec_sh', 'ec_dt', 'ec_items') OR r.idvisit IS NULL OR r.new_visit IS NULL OR r.reason IS NULL) THEN
			RETURN 'recorded, with a result that says too little or too much';
		END IF;
		IF r.outcome <> 'recorded' AND (r.outcome_reason IS NULL OR num_nonnulls(r.idvisit, r.idvisitor, r.config_id, r.matched_by, r.new_visit, r.reason, r.visitor_returning, r.idlink_va, r.cookie_name, r.cookie_value, r.cookie_kind) > 0) THEN
			RETURN format('%s, with a result that says too little or too much', r.outcome);
		END IF;
	END LOOP;
	-- a document may have been rolled back inside and begun again
	IF i.document IS NULL THEN
		IF r.outcome <> 'recorded' AND EXISTS (SELECT FROM unnest(made) m WHERE m <> 0) THEN
			RETURN format('%s (%s), and something was written: %s', r.outcome, r.outcome_reason, made);
		END IF;
		IF r.outcome = 'recorded' AND (made[1] <> r.new_visit::integer OR made[3] <> (r.idlink_va IS NOT NULL)::integer) THEN
			RETURN format('recorded, new visit %s, action %s, but written: %s', r.new_visit, r.idlink_va IS NOT NULL, made);
		END IF;
	END IF;
	RETURN NULL;
END
$$;

-- The visits in fuzz.touched, against their rows.
CREATE FUNCTION fuzz.judge_visits() RETURNS SETOF fuzz.wrong LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT 0, t.first_n, format('visit %s does not agree with its actions: %s, they say %s', v.idvisit,
		(v.visit_total_actions, v.visit_total_interactions, v.visit_total_searches, v.visit_total_events),
		(coalesce(a.actions, 0), coalesce(a.interactions, 0), coalesce(a.searches, 0), coalesce(a.events, 0)))
	FROM fuzz.touched t JOIN pk_tracking.log_visit v USING (idvisit) LEFT JOIN LATERAL (
		SELECT count(*) FILTER (WHERE k.kind <> 'content') AS actions, count(*) FILTER (WHERE k.kind IN ('page', 'search')) AS interactions,
			count(*) FILTER (WHERE k.kind = 'search') AS searches, count(*) FILTER (WHERE k.kind = 'event') AS events
		FROM pk_tracking.log_link_visit_action l LEFT JOIN LATERAL (SELECT CASE
				WHEN l.idaction_event_category IS NOT NULL THEN 'event' WHEN l.idaction_content_name IS NOT NULL THEN 'content'
				WHEN (SELECT n.type FROM pk_tracking.log_action n WHERE n.idsite = l.idsite AND n.idaction = l.idaction_name LIMIT 1) = 8 THEN 'search'
				-- the address of a click can be unreadable; a page without one has the name 0
				WHEN l.idaction_url = 0 AND l.idaction_name IS NULL THEN 'click'
				WHEN (SELECT u.type FROM pk_tracking.log_action u WHERE u.idsite = l.idsite AND u.idaction = l.idaction_url LIMIT 1) IN (2, 3) THEN 'click'
				ELSE 'page' END AS kind) k ON true
		WHERE l.idvisit = t.idvisit) a ON true
	WHERE (v.visit_total_actions, v.visit_total_interactions, v.visit_total_searches, v.visit_total_events)
		IS DISTINCT FROM (coalesce(a.actions, 0), coalesce(a.interactions, 0), coalesce(a.searches, 0), coalesce(a.events, 0));

	RETURN QUERY SELECT 0, t.first_n, format('visit %s: goal_converted %s, goal_buyer %s do not agree with its conversions', v.idvisit, v.visit_goal_converted, v.visit_goal_buyer)
	FROM fuzz.touched t JOIN pk_tracking.log_visit v USING (idvisit)
	WHERE coalesce(v.visit_goal_converted, 0) <> EXISTS (SELECT FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idgoal >= 0)::integer
		OR coalesce(v.visit_goal_buyer, 0) % 2 <> EXISTS (SELECT FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idgoal = 0)::integer
		-- the row of a cart that was emptied stays
		OR coalesce(v.visit_goal_buyer, 0) / 2 NOT IN (
			EXISTS (SELECT FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idgoal = -1)::integer,
			EXISTS (SELECT FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idgoal = -1 AND (c.items = 0 AND c.revenue = 0) IS NOT TRUE)::integer);

	RETURN QUERY SELECT 0, t.first_n, format('visit %s: times %s, %s, total %s', v.idvisit, v.visit_first_action_time, v.visit_last_action_time, v.visit_total_time)
	FROM fuzz.touched t JOIN pk_tracking.log_visit v USING (idvisit)
	WHERE v.visit_first_action_time > v.visit_last_action_time OR v.visit_total_time < 0;

	RETURN QUERY SELECT 0, t.first_n, format('visit %s: a conversion or an item of another site, or an item of no conversion', t.idvisit)
	FROM fuzz.touched t JOIN pk_tracking.log_visit v USING (idvisit)
	WHERE EXISTS (SELECT FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idsite <> v.idsite)
		OR EXISTS (SELECT FROM pk_tracking.log_link_visit_action c WHERE c.idvisit = v.idvisit AND c.idsite <> v.idsite)
		OR EXISTS (SELECT FROM pk_tracking.log_conversion_item i WHERE i.idvisit = v.idvisit AND (i.idsite <> v.idsite OR NOT EXISTS (
			SELECT FROM pk_tracking.log_conversion c WHERE c.idvisit = i.idvisit AND (i.idorder = '0' AND c.idgoal = -1 OR c.idgoal = 0 AND i.idorder IN (c.idorder, c.order_conflict)
				-- an anonymous visitor's: the conversion has no number, its items have one of chance
				OR c.idgoal = 0 AND c.idorder IS NULL AND c.consent >= 2 AND i.idorder LIKE '#%'))));
END
$$;

-- The visits that the results name, against their rows.
CREATE FUNCTION fuzz.judge() RETURNS SETOF fuzz.wrong LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM fuzz.touched;
	INSERT INTO fuzz.touched SELECT (t).idvisit, min(n) FROM fuzz.result WHERE (t).outcome = 'recorded' GROUP BY 1;

	RETURN QUERY SELECT 0, r.n, format('recorded, but there is no visit %s', (r.t).idvisit)
	FROM fuzz.result r WHERE (r.t).outcome = 'recorded' AND NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = (r.t).idvisit);

	RETURN QUERY SELECT 0, r.n, format('recorded, but there is no action %s of visit %s', (r.t).idlink_va, (r.t).idvisit)
	FROM fuzz.result r WHERE (r.t).idlink_va IS NOT NULL AND NOT EXISTS (SELECT FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = (r.t).idvisit AND a.idlink_va = (r.t).idlink_va);

	RETURN QUERY SELECT * FROM fuzz.judge_visits();

	RETURN QUERY SELECT 0, r.n, format('action %s of visit %s: %s has no row in the dictionary', a.idlink_va, a.idvisit, d.k)
	FROM fuzz.result r JOIN pk_tracking.log_link_visit_action a ON a.idvisit = (r.t).idvisit AND a.idlink_va = (r.t).idlink_va
		CROSS JOIN LATERAL (VALUES ('url', a.idaction_url), ('name', a.idaction_name), ('event category', a.idaction_event_category), ('event action', a.idaction_event_action),
			('content name', a.idaction_content_name), ('content piece', a.idaction_content_piece), ('content target', a.idaction_content_target), ('SKU', a.idaction_product_sku), ('category', a.idaction_product_cat)) d(k, id)
	WHERE d.id <> 0 AND NOT EXISTS (SELECT FROM pk_tracking.log_action x WHERE x.idsite = a.idsite AND x.idaction = d.id);
END
$$;

-- The rows of fuzz.input, each in a transaction of its own, then judged.
CREATE PROCEDURE fuzz.batch() LANGUAGE plpgsql AS $$
DECLARE
	i fuzz.input;
	what text;
BEGIN
	FOR i IN SELECT * FROM fuzz.input ORDER BY n LOOP
		what := fuzz.send(i);
		IF what IS NOT NULL THEN
			INSERT INTO fuzz.wrong (n, what) VALUES (i.n, what);
			COMMIT;
			RETURN;
		END IF;
		COMMIT;
	END LOOP;
	INSERT INTO fuzz.wrong (n, what) SELECT w.n, w.what FROM fuzz.judge() w;
	INSERT INTO fuzz.total
		SELECT (t).outcome || coalesce(' ' || (t).outcome_reason, ''), count(*) FROM fuzz.result GROUP BY 1
		UNION ALL SELECT '  with an action', count(*) FROM fuzz.result WHERE (t).idlink_va IS NOT NULL
		UNION ALL SELECT '  new visits', count(*) FROM fuzz.result WHERE (t).new_visit
		ON CONFLICT ON CONSTRAINT total_pkey DO UPDATE SET hits = total.hits + EXCLUDED.hits;
	COMMIT;
END
$$;

-- The same in one transaction, for whoever makes a failure smaller: the first
-- thing that is wrong, or NULL.  For an empty log, and to be rolled back.
CREATE FUNCTION fuzz.replay() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	i fuzz.input;
	result text;
BEGIN
	FOR i IN SELECT * FROM fuzz.input ORDER BY n LOOP
		result := fuzz.send(i);
		IF result IS NOT NULL THEN
			RETURN result;
		END IF;
	END LOOP;
	RETURN (SELECT w.what FROM fuzz.judge() w ORDER BY w.n LIMIT 1);
END
$$;

-- The whole log, at the end.
CREATE FUNCTION fuzz.judge_all() RETURNS TABLE (name text, wrong bigint) LANGUAGE sql AS $$
	SELECT 'an action row for every recorded hit that has one, and no other', abs((SELECT count(*) FROM pk_tracking.log_link_visit_action) - coalesce((SELECT hits FROM fuzz.total WHERE kind = '  with an action'), 0))
	UNION ALL SELECT 'a visit for every hit that began one, and no other', abs((SELECT count(*) FROM pk_tracking.log_visit) - coalesce((SELECT hits FROM fuzz.total WHERE kind = '  new visits'), 0))
	UNION ALL SELECT 'no action without its visit', count(*) FROM pk_tracking.log_link_visit_action a WHERE NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = a.idvisit AND v.idsite = a.idsite)
	UNION ALL SELECT 'no conversion without its visit', count(*) FROM pk_tracking.log_conversion a WHERE NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = a.idvisit AND v.idsite = a.idsite)
	UNION ALL SELECT 'no item without its visit', count(*) FROM pk_tracking.log_conversion_item a WHERE NOT EXISTS (SELECT FROM pk_tracking.log_visit v WHERE v.idvisit = a.idvisit AND v.idsite = a.idsite)
	UNION ALL SELECT 'every excluded hit that is counted is counted once',
		abs(coalesce((SELECT sum(hits) FROM pk_tracking.excluded WHERE reason NOT IN ('joined_other_id', 'bad_money', 'too_many_names')), 0) - coalesce((SELECT sum(hits) FROM fuzz.total WHERE kind LIKE 'excluded %' AND kind <> 'excluded consent'), 0))::bigint
$$;
