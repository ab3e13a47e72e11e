-- Runs a stream through the engine and through the model, hit by hit.

CREATE SEQUENCE twin.run_number;

CREATE FUNCTION twin.urlencode(t text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT coalesce(string_agg(CASE WHEN b BETWEEN 48 AND 57 OR b BETWEEN 65 AND 90 OR b BETWEEN 97 AND 122
			THEN chr(b) ELSE '%' || upper(lpad(to_hex(b), 2, '0')) END, '' ORDER BY i), '')
	FROM (SELECT i, get_byte(convert_to(t, 'UTF8'), i) AS b
		FROM generate_series(0, octet_length(convert_to(t, 'UTF8')) - 1) i) s
$$;

-- What an action id stands for: 0 is none.
CREATE FUNCTION twin.name(in_site integer, id bigint) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN id = 0 THEN '0' ELSE (SELECT pk_tracking.url_prefix_text(a.url_prefix) || a.name
		FROM pk_tracking.log_action a WHERE a.idsite = in_site AND a.idaction = id LIMIT 1) END
$$;

CREATE FUNCTION twin.user_agent(device text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE device
		WHEN 'firefox' THEN 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:121.0) Gecko/20100101 Firefox/121.0'
		WHEN 'chrome' THEN 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36'
		ELSE 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1' END
$$;

-- A visit as the engine has it: its actions in order of arrival, its
-- conversions and items; the model's likewise.
CREATE FUNCTION twin.engine_rows(visit bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object(
		'rows', (SELECT string_agg(format('%s %s|%s %s %s', extract(epoch FROM l.server_time)::bigint, twin.name(l.idsite, l.idaction_url_ref), twin.name(l.idsite, l.idaction_name_ref),
				l.time_spent_ref_action, coalesce(l.pageview_position::text, '-')), E'; ' ORDER BY l.idlink_va)
			FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = visit),
		'conversions', (SELECT string_agg(format('%s %s %s %s', c.idgoal, coalesce(c.idorder, '!' || c.order_conflict, '-'), coalesce(trim_scale(c.revenue)::text, 'NULL'), coalesce(c.items::text, 'NULL')), '; '
				ORDER BY c.idgoal, coalesce(c.idorder, '!' || c.order_conflict) COLLATE "C", c.revenue, c.items)
			FROM pk_tracking.log_conversion c WHERE c.idvisit = visit),
		'items', (SELECT string_agg(format('%s %s %s %s %s', i.idorder, twin.name(i.idsite, i.idaction_sku), coalesce(trim_scale(i.price)::text, 'NULL'), i.quantity, i.deleted), '; '
				ORDER BY i.idorder COLLATE "C", twin.name(i.idsite, i.idaction_sku) COLLATE "C")
			FROM pk_tracking.log_conversion_item i WHERE i.idvisit = visit))
$$;

CREATE FUNCTION twin.model_rows(in_run integer, visit integer) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object(
		'rows', (SELECT string_agg(format('%s %s|%s %s %s', r.at, r.ref_url, r.ref_name, r.spent, coalesce(r.place::text, '-')), '; ' ORDER BY r.seq)
			FROM twin.row r WHERE r.run = in_run AND r.n = visit),
		'conversions', (SELECT string_agg(format('%s %s %s %s', c.idgoal, coalesce(c.idorder, '-'), coalesce(trim_scale(c.revenue)::text, 'NULL'), coalesce(c.items::text, 'NULL')), '; '
				ORDER BY c.idgoal, c.idorder COLLATE "C", c.revenue, c.items)
			FROM twin.conversion c WHERE c.run = in_run AND c.n = visit),
		'items', (SELECT string_agg(format('%s %s %s %s %s', i.idorder, i.sku, coalesce(trim_scale(i.price)::text, 'NULL'), i.quantity, i.deleted), '; '
				ORDER BY i.idorder COLLATE "C", i.sku COLLATE "C")
			FROM twin.item i WHERE i.run = in_run AND i.n = visit))
$$;

-- What holds of each visit of the engine's whatever came when, under the rules
-- that go by time; NULL if it does.
CREATE FUNCTION twin.broken_law(visit bigint) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN v.visit_total_time < extract(epoch FROM v.visit_last_action_time - v.visit_first_action_time) THEN 'the visit lasted longer than its total time'
		WHEN v.visit_last_action_time < (SELECT max(l.server_time) FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = visit) THEN 'an action after the last one'
		WHEN x.page AND (v.visit_exit_idaction_url, v.visit_exit_idaction_name) IS DISTINCT FROM (x.idaction_url, x.idaction_name) THEN 'the exit is not the last page'
		WHEN NOT x.page AND v.visit_exit_idaction_name IS DISTINCT FROM x.idaction_name THEN 'the exit is not the last search'
		WHEN EXISTS (SELECT FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = visit AND l.time_spent_ref_action < 0) THEN 'a negative time spent'
		END
	FROM pk_tracking.log_visit v LEFT JOIN LATERAL (
		SELECT l.idaction_url IS NOT NULL AS page, l.idaction_url, l.idaction_name FROM pk_tracking.log_link_visit_action l
		WHERE l.idvisit = visit AND l.idaction_name IS NOT NULL AND l.idaction_event_category IS NULL
		ORDER BY l.server_time DESC, l.idlink_va DESC LIMIT 1) x ON true
	WHERE v.idvisit = visit
$$;

CREATE FUNCTION twin.add_goals(site integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pk_tracking.add_goal(site, 'by hand', 'manually', allow_multiple => true, revenue => 7);
	PERFORM pk_tracking.add_goal(site, 'thanks', 'url', '/thanks', allow_multiple => true);
	PERFORM pk_tracking.add_goal(site, 'long', 'visit_duration', '10', 'greater_than');
END
$$;

-- The first difference in words, or NULL; nhits: how many hits agreed.
CREATE FUNCTION twin.run(sc jsonb, OUT difference text, OUT nhits integer, OUT nvisits integer)
LANGUAGE plpgsql AS $$
<<me>>
DECLARE
	run integer := nextval('twin.run_number');
	ids integer[] := '{}';
	visits bigint[] := '{}';		-- the engine's number of the model's n-th visit
	names jsonb := '{}';			-- the engine's id for rand#n
	step jsonb;
	site integer;
	t pk_tracking.tracked;
	a twin.answer;
	ours text;
	model text;
	query text;
	idvisitor text;
	g record;
	v twin.visit;
	k integer := 0;
	id text;
BEGIN
	nhits := 0;
	nvisits := 0;
	DELETE FROM pk_tracking.setting;
	PERFORM pk_tracking.set_instance('recognition_rules', sc ->> 'rules');
	INSERT INTO twin.setting VALUES (run, -1, 'recognition_rules', sc ->> 'rules');
	FOR site IN 0 .. jsonb_array_length(sc -> 'sites') - 1 LOOP
		ids := ids || pk_tracking.add_site('twin', ARRAY[format('http://site%s.example.org', site)], sc -> 'sites' ->> site);
		PERFORM twin.add_goals(ids[site + 1]);
	END LOOP;

	FOR step IN SELECT * FROM jsonb_array_elements(sc -> 'steps') LOOP
		k := k + 1;
		site := coalesce((step ->> 'site')::integer, (step ->> 'on')::integer);
		IF site >= cardinality(ids) THEN
			CONTINUE;
		END IF;
		IF step ? 'set' THEN
			IF site < 0 THEN
				PERFORM pk_tracking.set_instance(step ->> 'set', step ->> 'value');
			ELSE
				PERFORM pk_tracking.set_site(ids[site + 1], step ->> 'set', step ->> 'value');
			END IF;
			INSERT INTO twin.setting VALUES (run, site, step ->> 'set', step ->> 'value')
				ON CONFLICT ON CONSTRAINT setting_pkey DO UPDATE SET value = excluded.value;
			CONTINUE;
		END IF;

		SELECT format('idsite=%s&rec=1', ids[site + 1]) || coalesce('&' || string_agg(key || '=' || twin.urlencode(value), '&'), '')
			INTO query FROM jsonb_each_text(step -> 'params');
		t := pk_tracking.track_request(query, (step ->> 'ip')::inet, twin.user_agent(step ->> 'device'), step ->> 'lang',
			to_timestamp((step ->> 'at')::bigint),
			CASE WHEN step ? 'third_party' THEN jsonb_build_object('cookie', '_pk_uid=' || (step ->> 'third_party')) END);
		a := twin.hit(run, step, sc -> 'sites' ->> site);

		IF t.new_visit AND a.new_visit AND a.outcome = 'recorded' THEN
			visits[a.visit] := t.idvisit;
		END IF;
		ours := concat_ws(' ', t.outcome, t.outcome_reason, CASE WHEN t.outcome = 'recorded' THEN
			concat_ws(' ', 'visit', array_position(visits, t.idvisit), CASE WHEN t.new_visit THEN 'new' END, t.matched_by, t.reason) END);
		model := concat_ws(' ', a.outcome, a.outcome_reason, CASE WHEN a.outcome = 'recorded' THEN
			concat_ws(' ', 'visit', a.visit, CASE WHEN a.new_visit THEN 'new' END, a.matched_by, a.reason) END);
		IF ours <> model THEN
			difference := format('step %s: engine "%s", twin "%s"', k, ours, model);
			RETURN;
		END IF;
		nhits := nhits + 1;
		IF a.outcome <> 'recorded' THEN
			CONTINUE;
		END IF;
		nvisits := nvisits + a.new_visit::integer;

		SELECT * INTO v FROM twin.visit x WHERE x.run = me.run AND x.site = me.site AND x.n = a.visit;
		SELECT l.*, ac.idvisitor::text AS action_idvisitor, ac.matched_by AS action_matched, ac.decision AS action_decision INTO g
			FROM pk_tracking.log_visit l LEFT JOIN pk_tracking.log_link_visit_action ac ON ac.idvisit = l.idvisit AND ac.idlink_va = t.idlink_va
			WHERE l.idvisit = t.idvisit;
		-- random ids: one of the engine's for each of the model's
		id := v.idvisitor;
		IF id LIKE 'rand#%' THEN
			IF NOT names ? id THEN
				IF EXISTS (SELECT FROM jsonb_each_text(names) e WHERE e.value = g.idvisitor::text) THEN
					difference := format('step %s: a random id that is not new', k);
					RETURN;
				END IF;
				names := names || jsonb_build_object(id, g.idvisitor::text);
			END IF;
			id := names ->> id;
		END IF;
		ours := jsonb_strip_nulls(jsonb_build_object('idvisitor', g.idvisitor::text, 'user_id', g.user_id,
			'first', extract(epoch FROM g.visit_first_action_time)::bigint, 'last', extract(epoch FROM g.visit_last_action_time)::bigint,
			'total_time', g.visit_total_time, 'total_actions', g.visit_total_actions, 'returning', g.visitor_returning,
			'count', g.visitor_count_visits, 'since_first', g.visitor_seconds_since_first, 'since_last', g.visitor_seconds_since_last,
			'since_order', g.visitor_seconds_since_order, 'profilable', g.profilable::integer, 'config', g.config_id IS NOT NULL,
			'referrer', g.referer_type, 'ref_name', coalesce(g.referer_name, ''), 'ref_keyword', coalesce(g.referer_keyword, ''),
			'interactions', g.visit_total_interactions, 'searches', g.visit_total_searches, 'events', g.visit_total_events,
			'buyer', g.visit_goal_buyer, 'converted', g.visit_goal_converted::integer,
			'entry_url', twin.name(g.idsite, g.visit_entry_idaction_url), 'entry_name', twin.name(g.idsite, g.visit_entry_idaction_name),
			'exit_url', twin.name(g.idsite, g.visit_exit_idaction_url), 'exit_name', twin.name(g.idsite, g.visit_exit_idaction_name),
			'last_row', (SELECT nullif(count(*), 0) FROM pk_tracking.log_link_visit_action o WHERE o.idvisit = g.idvisit AND o.idlink_va <= g.last_idlink_va),
			'location_ip', host(g.location_ip),
			'result_returning', t.visitor_returning, 'result_idvisitor', t.idvisitor::text,
			'action_idvisitor', g.action_idvisitor, 'action_matched', pk_tracking.matched_by_name(g.action_matched),
			'action_decision', pk_tracking.decision_name(g.action_decision)) || twin.engine_rows(t.idvisit));
		model := jsonb_strip_nulls(jsonb_build_object('idvisitor', id, 'user_id', v.user_id,
			'first', v.first_at, 'last', v.last_at,
			'total_time', v.total_time, 'total_actions', v.total_actions, 'returning', v.returning_,
			'count', v.count_visits, 'since_first', v.since_first, 'since_last', v.since_last,
			'since_order', v.since_order, 'profilable', v.profilable, 'config', v.print IS NOT NULL,
			'referrer', v.ref_type, 'ref_name', v.ref_name, 'ref_keyword', v.ref_keyword,
			'interactions', v.interactions, 'searches', v.searches, 'events', v.events,
			'buyer', v.goal_buyer, 'converted', v.goal_converted,
			'entry_url', v.entry_url, 'entry_name', v.entry_name, 'exit_url', v.exit_url, 'exit_name', v.exit_name,
			'last_row', v.last_row, 'location_ip', v.location_ip,
			'result_returning', v.returning_, 'result_idvisitor', id,
			'action_idvisitor', CASE WHEN t.idlink_va IS NOT NULL THEN coalesce(names ->> a.action_idvisitor, a.action_idvisitor) END,
			'action_matched', CASE WHEN t.idlink_va IS NOT NULL THEN a.matched_by END,
			'action_decision', CASE WHEN t.idlink_va IS NOT NULL THEN a.reason END) || twin.model_rows(run, a.visit));
		IF ours <> model THEN
			SELECT format('step %s (%s): ', k, concat_ws(' ', a.matched_by, a.reason)) || string_agg(format('%s: engine %s, twin %s', e.key, coalesce(x.value, 'NULL'), coalesce(m.value, 'NULL')), '; ' ORDER BY e.key)
				INTO difference
				FROM (SELECT jsonb_object_keys(ours::jsonb || model::jsonb) AS key) e
				LEFT JOIN jsonb_each_text(ours::jsonb) x USING (key) LEFT JOIN jsonb_each_text(model::jsonb) m USING (key)
				WHERE (x.value = m.value) IS NOT TRUE;
			RETURN;
		END IF;
		IF sc ->> 'rules' = 'piwik' AND twin.has('late') AND twin.broken_law(t.idvisit) IS NOT NULL THEN
			difference := format('step %s: %s', k, twin.broken_law(t.idvisit));
			RETURN;
		END IF;
	END LOOP;

	IF (SELECT count(*) FROM pk_tracking.log_visit l WHERE l.idsite = ANY (ids)) <> nvisits THEN
		difference := 'visits that no hit has begun';
	ELSIF (SELECT coalesce(sum(e.hits), 0) FROM pk_tracking.excluded e WHERE e.idsite = ANY (ids) AND e.reason = 'bad_money')
		<> (SELECT count(*) FROM twin.bad_money b WHERE b.run = me.run) THEN
		difference := 'another number of hits with bad money';
	END IF;
END
$$;

-- A shorter stream that still differs: steps go, half of them, a quarter, one
-- by one; then parameters.
CREATE FUNCTION twin.shrink(sc jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	size integer;
	i integer;
	k text;
	try jsonb;
	again boolean;
BEGIN
	size := greatest(jsonb_array_length(sc -> 'steps') / 2, 1);
	LOOP
		again := false;
		i := 0;
		WHILE i < jsonb_array_length(sc -> 'steps') LOOP
			try := jsonb_set(sc, '{steps}', (SELECT coalesce(jsonb_agg(s ORDER BY o), '[]') FROM jsonb_array_elements(sc -> 'steps') WITH ORDINALITY x (s, o)
				WHERE o <= i OR o > i + size));
			IF (SELECT difference FROM twin.run(try)) IS NOT NULL THEN
				sc := try;
				again := true;
			ELSE
				i := i + size;
			END IF;
		END LOOP;
		EXIT WHEN size = 1 AND NOT again;
		size := greatest(size / 2, 1);
	END LOOP;
	FOR i IN 0 .. jsonb_array_length(sc -> 'steps') - 1 LOOP
		CONTINUE WHEN sc -> 'steps' -> i ? 'set';
		FOR k IN SELECT jsonb_object_keys(sc -> 'steps' -> i -> 'params') LOOP
			try := sc #- ARRAY['steps', i::text, 'params', k];
			IF (SELECT difference FROM twin.run(try)) IS NOT NULL THEN
				sc := try;
			END IF;
		END LOOP;
		FOREACH k IN ARRAY ARRAY['ip', 'lang', 'third_party'] LOOP
			try := sc #- ARRAY['steps', i::text, k];
			IF (SELECT difference FROM twin.run(try)) IS NOT NULL THEN
				sc := try;
			END IF;
		END LOOP;
	END LOOP;
	FOR i IN 0 .. jsonb_array_length(sc -> 'sites') - 1 LOOP
		try := jsonb_set(sc, ARRAY['sites', i::text], '"UTC"');
		IF (SELECT difference FROM twin.run(try)) IS NOT NULL THEN
			sc := try;
		END IF;
	END LOOP;
	RETURN sc;
END
$$;

-- The order in which a permutation has the hits of a visit: the first stays
-- first, and hits of one second among themselves as they are.
CREATE FUNCTION twin.permutation(visit jsonb, which integer) RETURNS jsonb
LANGUAGE sql VOLATILE AS $$
	WITH h AS MATERIALIZED (
		SELECT hit, o, (hit ->> 'at')::bigint AS at,
			CASE WHEN o = 1 THEN 0 WHEN which = 0 THEN o ELSE 1 + twin.r(1000000) + o / 1000.0 END AS place
		FROM jsonb_array_elements(visit) WITH ORDINALITY x (hit, o))
	SELECT jsonb_agg(hit ORDER BY place)
	FROM (SELECT hit, at, row_number() OVER (PARTITION BY at ORDER BY o) AS k FROM h) a
		JOIN (SELECT at, place, row_number() OVER (PARTITION BY at ORDER BY place) AS k FROM h) b USING (at, k)
$$;

-- What must not depend on the order in which a visit's hits came: on a site
-- that has this visit alone.
CREATE FUNCTION twin.essence(site integer) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT format('%s visits; ', count(*)) || string_agg(format('first %s, last %s, total %s, actions %s, exit %s|%s, last row %s, goals %s; ',
			v.visit_first_action_time, v.visit_last_action_time, v.visit_total_time, v.visit_total_actions, twin.name(site, v.visit_exit_idaction_url), twin.name(site, v.visit_exit_idaction_name),
			(SELECT l.idpageview FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit AND l.idlink_va = v.last_idlink_va),
			(SELECT string_agg(c.idgoal::text, ',' ORDER BY c.idgoal) FROM pk_tracking.log_conversion c WHERE c.idvisit = v.idvisit AND c.idgoal > 0))
		|| coalesce((SELECT string_agg(format('%s after %s|%s, %s s', l.idpageview, twin.name(site, l.idaction_url_ref), twin.name(site, l.idaction_name_ref), l.time_spent_ref_action), '; ' ORDER BY l.idpageview COLLATE "C")
			FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = v.idvisit), ''), ' / ' ORDER BY v.idvisit)
	FROM pk_tracking.log_visit v WHERE v.idsite = site
$$;

-- One visit, its hits in several orders, each on a site of its own: one by one,
-- and all sites' in one document.  The first difference in words, or NULL.
CREATE FUNCTION twin.any_order(seed bigint, norders integer, OUT difference text, OUT nhits integer)
LANGUAGE plpgsql AS $$
DECLARE
	visit jsonb;
	hits jsonb;
	hit jsonb;
	requests jsonb := '[]';
	request text;
	expected text;
	site integer;
	sites integer[] := '{}';
	way integer;
	i integer;
BEGIN
	visit := twin.one_visit(seed, 8);
	nhits := 0;
	DELETE FROM pk_tracking.setting;
	FOR way IN 1 .. 2 LOOP
		FOR i IN 0 .. norders - 1 LOOP
			site := pk_tracking.add_site('twin', ARRAY['http://site.example.org']);
			PERFORM twin.add_goals(site);
			sites := sites || site;
			hits := twin.permutation(visit, i);
			FOR hit IN SELECT * FROM jsonb_array_elements(hits) LOOP
				SELECT format('idsite=%s&rec=1&cip=198.51.100.7&cdt=%s', site, hit ->> 'at') || '&' || string_agg(key || '=' || twin.urlencode(value), '&')
					INTO request FROM jsonb_each_text(hit -> 'params');
				IF way = 1 THEN
					PERFORM pk_tracking.track_request(request, user_agent => twin.user_agent('firefox'), accept_language => 'en', trusted => true);
				ELSE
					requests := requests || to_jsonb('?' || request);
				END IF;
				nhits := nhits + 1;
			END LOOP;
		END LOOP;
	END LOOP;
	PERFORM pk_tracking.track_requests(jsonb_build_object('requests', requests), user_agent => twin.user_agent('firefox'), accept_language => 'en', trusted => true);
	expected := twin.essence(sites[1]);
	FOR i IN 2 .. cardinality(sites) LOOP
		IF twin.essence(sites[i]) IS DISTINCT FROM expected THEN
			difference := format(E'order %s differs%s:\n  in order %s\n  here     %s\n  hits %s', (i - 1) % norders, CASE WHEN i > norders THEN ' in a document' END,
				expected, twin.essence(sites[i]), (SELECT string_agg(h ->> 'at' || ' ' || (h -> 'params'), E'\n       ') FROM jsonb_array_elements(visit) h));
			RETURN;
		END IF;
	END LOOP;
END
$$;

CREATE TABLE twin.result (seed bigint PRIMARY KEY, rules text, nhits integer, nvisits integer, difference text);

CREATE PROCEDURE twin.run_all(first_seed bigint, total_hits integer, per_stream integer, max_failures integer)
LANGUAGE plpgsql AS $$
DECLARE
	seed bigint := first_seed;
	sc jsonb;
	r record;
	done integer := 0;
	failures integer := 0;
BEGIN
	WHILE done < total_hits AND failures < max_failures LOOP
		sc := twin.scenario(seed, per_stream);
		SELECT * INTO r FROM twin.run(sc);
		INSERT INTO twin.result VALUES (seed, sc ->> 'rules', r.nhits, r.nvisits, r.difference);
		done := done + r.nhits;
		COMMIT;
		IF r.difference IS NOT NULL THEN
			failures := failures + 1;
			sc := twin.shrink(sc);
			COMMIT;
			RAISE INFO 'seed %: % %', seed, (SELECT difference FROM twin.run(sc)),
				E'\n  rules ' || (sc ->> 'rules') || ', sites ' || (sc ->> 'sites') || (SELECT string_agg(E'\n  ' || o || '. ' || (CASE WHEN s ? 'at'
					THEN jsonb_set(s, '{at}', to_jsonb(to_char(to_timestamp((s ->> 'at')::bigint) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))) ELSE s END)::text, '' ORDER BY o)
					FROM jsonb_array_elements(sc -> 'steps') WITH ORDINALITY x (s, o));
			COMMIT;
		END IF;
		seed := seed + 1;
	END LOOP;
	-- some visits in every order of arrival
	WHILE twin.has('late') AND seed < first_seed + done / per_stream * 5 / 4 AND failures < max_failures LOOP
		SELECT * INTO r FROM twin.any_order(seed, 8);
		INSERT INTO twin.result VALUES (seed, 'any order', r.nhits, 16, r.difference);
		COMMIT;
		IF r.difference IS NOT NULL THEN
			failures := failures + 1;
			RAISE INFO 'seed %: %', seed, r.difference;
		END IF;
		seed := seed + 1;
	END LOOP;
END
$$;
