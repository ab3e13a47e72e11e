-- Replays the goldens and compares.  Called by test/golden/run, which sets
-- :data (a table golden.scenario is filled from it) and checks the last line.
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
SET client_min_messages = error;
SET check_function_bodies = off;	-- the log is made later

CREATE FUNCTION golden.urlencode(t text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$
	SELECT coalesce(string_agg(CASE WHEN b BETWEEN 48 AND 57 OR b BETWEEN 65 AND 90 OR b BETWEEN 97 AND 122
			THEN chr(b) ELSE '%' || upper(lpad(to_hex(b), 2, '0')) END, '' ORDER BY i), '')
	FROM (SELECT i, get_byte(convert_to(t, 'UTF8'), i) AS b
		FROM generate_series(0, octet_length(convert_to(t, 'UTF8')) - 1) i) s
$$;

-- Matomo's settings under our names
CREATE FUNCTION golden.apply_settings(s jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	k text;
	v text;
	is_bool boolean;
BEGIN
	DELETE FROM pk_tracking.setting;
	PERFORM pk_tracking.set_instance('recognition_rules', 'matomo');
	FOR k, v IN SELECT * FROM jsonb_each_text(s -> 'tracker') LOOP
		is_bool := k IN ('trust_visitors_cookies', 'enable_userid_overwrites_visitorid',
			'create_new_visit_after_midnight', 'enable_fingerprinting_across_websites',
			'create_new_visit_when_campaign_changes', 'create_new_visit_when_website_referrer_changes',
			'use_third_party_id_cookie');
		PERFORM pk_tracking.set_instance(k, CASE WHEN is_bool THEN CASE v WHEN '1' THEN 'on' ELSE 'off' END ELSE v END);
	END LOOP;
	FOR k, v IN SELECT * FROM jsonb_each_text(s -> 'privacy') LOOP
		CASE k
			WHEN 'anonymizeUserId' THEN
				PERFORM pk_tracking.set_instance('anonymize_user_id', CASE WHEN v::boolean THEN 'on' ELSE 'off' END);
			WHEN 'ipAddressMaskLength' THEN
				PERFORM pk_tracking.set_instance('ip_mask_level',
					CASE WHEN s -> 'privacy' ->> 'ipAnonymizerEnabled' = 'false' THEN '0' ELSE v END);
			WHEN 'ipAnonymizerEnabled' THEN
				IF NOT v::boolean THEN
					PERFORM pk_tracking.set_instance('ip_mask_level', '0');
				END IF;
			WHEN 'useAnonymizedIpForVisitEnrichment' THEN
				PERFORM pk_tracking.set_instance('use_anonymized_ip_for_visit_enrichment', CASE WHEN v::boolean THEN 'on' ELSE 'off' END);
			WHEN 'forceCookielessTracking' THEN
				PERFORM pk_tracking.set_instance('force_cookieless_tracking', CASE WHEN v::boolean THEN 'on' ELSE 'off' END);
			ELSE
				RAISE EXCEPTION 'the runner does not know the privacy setting %', k;
		END CASE;
	END LOOP;
END
$$;

-- Conversions and items as the goldens write them: an absent key is NULL, 0 is "none".
CREATE FUNCTION golden.conversions(sites integer[], visits bigint[]) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(c) - '{idvisit,idlink_va,idaction_url,idsite,consent,matched_by,server_time,custom_dimensions,custom_variables,location_continent}'::text[]
			|| jsonb_build_object(
				'visit', array_position(visits, c.idvisit) - 1,
				'site', array_position(sites, c.idsite) - 1,
				'action', (SELECT count(*) FROM pk_tracking.log_link_visit_action l WHERE l.idsite = ANY (sites) AND l.idlink_va < c.idlink_va) * nullif(c.idlink_va, 0) / c.idlink_va,
				'server_time', to_char(c.server_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')))
		ORDER BY c.idvisit, c.idgoal, c.buster), '[]')
	FROM pk_tracking.log_conversion c WHERE c.idsite = ANY (sites)
$$;

CREATE FUNCTION golden.action_name(site integer, action bigint) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT CASE WHEN action = 0 THEN '0'::jsonb ELSE
		(SELECT to_jsonb(a.name) FROM pk_tracking.log_action a WHERE a.idsite = site AND a.idaction = action LIMIT 1) END
$$;

CREATE FUNCTION golden.items(sites integer[], visits bigint[]) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
			'visit', array_position(visits, i.idvisit) - 1,
			'site', array_position(sites, i.idsite) - 1,
			'idvisitor', i.idvisitor, 'idorder', i.idorder,
			'server_time', to_char(i.server_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
			'sku', golden.action_name(i.idsite, i.idaction_sku),
			'name', golden.action_name(i.idsite, i.idaction_name),
			'category', golden.action_name(i.idsite, i.idaction_category),
			'category2', golden.action_name(i.idsite, i.idaction_category2),
			'category3', golden.action_name(i.idsite, i.idaction_category3),
			'category4', golden.action_name(i.idsite, i.idaction_category4),
			'category5', golden.action_name(i.idsite, i.idaction_category5),
			'price', i.price, 'quantity', i.quantity, 'deleted', i.deleted::integer))
		ORDER BY i.idvisit, i.idorder, golden.action_name(i.idsite, i.idaction_sku)), '[]')
	FROM pk_tracking.log_conversion_item i WHERE i.idsite = ANY (sites)
$$;

-- Rows without an order of their own.  Random visitor ids are translated as
-- the visits' were; a buster of * is any.
CREATE FUNCTION golden.compare_sets(what text, want jsonb, got jsonb, names jsonb) RETURNS SETOF text
LANGUAGE sql AS $$
	WITH w AS (
		SELECT r, row_number() OVER (PARTITION BY r) AS n FROM (
			SELECT CASE WHEN e ->> 'buster' = '*' THEN e - 'buster' || '{"any_buster": true}' ELSE e END
				|| jsonb_build_object('idvisitor', coalesce(names ->> (e ->> 'idvisitor'), e ->> 'idvisitor')) AS r
			FROM jsonb_array_elements(coalesce(want, '[]')) e) x),
	g AS (
		-- a buster is any where it is not 0
		SELECT r, row_number() OVER (PARTITION BY r) AS n FROM (
			SELECT CASE WHEN e ->> 'buster' <> '0' THEN e - 'buster' || '{"any_buster": true}' ELSE e END AS r
			FROM jsonb_array_elements(got) e) x)
	SELECT CASE WHEN w.r IS NULL THEN format('%s: %s is ours alone', what, g.r)
		ELSE format('%s: %s is Matomo''s alone', what, w.r) END
	FROM w FULL JOIN g ON w.r = g.r AND w.n = g.n
	WHERE w.r IS NULL OR g.r IS NULL
$$;

-- One scenario: a row per difference.
CREATE FUNCTION golden.replay(sc jsonb) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	sites integer[] := '{}';
	hit jsonb;
	res jsonb;
	site jsonb;
	h integer := 0;
	t pk_tracking.tracked;
	asked record;
	query text;
	visits bigint[] := '{}';
	n integer;
	want jsonb;
	got record;
	k text;
	w text;
	g text;
	names jsonb := '{}';
	row_here jsonb;
	row_there jsonb;
	expected_ids text[];
	document jsonb := '[]';
	answers pk_tracking.tracked[];
BEGIN
	PERFORM golden.apply_settings(coalesce(sc -> 'settings', '{}'));
	FOR site IN SELECT * FROM jsonb_array_elements(sc -> 'sites') LOOP
		sites := sites || pk_tracking.add_site(sc ->> 'id',
			ARRAY[format('http://%s.example.org', site ->> 'host')], site ->> 'timezone');
		-- the goals that every site of the goldens has
		PERFORM pk_tracking.add_goal(sites[cardinality(sites)], 'thanks', 'url', '/thanks', revenue => 5);
		PERFORM pk_tracking.add_goal(sites[cardinality(sites)], 'manual', 'manually', allow_multiple => true);
		PERFORM pk_tracking.add_goal(sites[cardinality(sites)], 'signup event', 'event_action', 'signup', 'exact', revenue => 2);
	END LOOP;

	-- all hits in one document
	IF sc ->> 'transport' = 'bulk' THEN
		FOR hit IN SELECT * FROM jsonb_array_elements(sc -> 'hits') LOOP
			SELECT '?' || string_agg(golden.urlencode(key) || '=' || golden.urlencode(value), '&')
				INTO query FROM jsonb_each_text(coalesce(hit -> 'params', '{}') || jsonb_strip_nulls(jsonb_build_object(
					'idsite', sites[coalesce((hit ->> 'site')::integer, 0) + 1], 'rec', 1, 'send_image', 0, 'apiv', 1,
					'cdt', hit ->> 'cdt', 'cip', hit ->> 'ip', 'ua', hit ->> 'ua', 'lang', hit ->> 'lang')));
			document := document || to_jsonb(query);
		END LOOP;
		answers := ARRAY(SELECT r FROM pk_tracking.track_requests(jsonb_build_object('requests', document), trusted => true) r);
	END IF;

	-- hits, one statement each, in the order of sending
	FOR hit IN SELECT * FROM jsonb_array_elements(sc -> 'hits') LOOP
		SELECT string_agg(golden.urlencode(key) || '=' || golden.urlencode(value), '&')
			INTO query FROM jsonb_each_text(hit -> 'params');
		query := format('idsite=%s&rec=1&send_image=0&apiv=1', sites[coalesce((hit ->> 'site')::integer, 0) + 1])
			|| coalesce('&' || query, '');

		IF answers IS NOT NULL THEN
			t := answers[h + 1];
			IF t.idvisit IS NOT NULL AND t.idvisit <> ALL (visits) THEN
				visits := visits || t.idvisit;
			END IF;
			h := h + 1;
			CONTINUE;
		END IF;
		-- a time among the parameters is left to them
		t := pk_tracking.track_request(query, (hit ->> 'ip')::inet, hit ->> 'ua', hit ->> 'lang',
			CASE WHEN NOT hit -> 'params' ? 'cdt' THEN (hit ->> 'cdt')::timestamp AT TIME ZONE 'UTC' END,
			trusted => hit -> 'params' ? 'cdt' AND NOT coalesce((hit ->> 'noauth')::boolean, false));

		IF t.idvisit IS NOT NULL AND t.idvisit <> ALL (visits) THEN
			visits := visits || t.idvisit;
		END IF;
		res := sc -> 'results' -> h;
		IF (res ->> 'http_status')::integer < 300 AND t.outcome = 'invalid' THEN
			RETURN NEXT format('hit %s: invalid (%s), Matomo took it', h, t.outcome_reason);
		ELSIF (res ->> 'http_status')::integer >= 400 AND t.outcome <> 'invalid' THEN
			RETURN NEXT format('hit %s: %s, Matomo refused it', h, t.outcome);
		END IF;
		n := array_position(visits, t.idvisit) - 1;
		-- a heartbeat that changes nothing has no visit there
		IF hit -> 'params' ? 'ping' AND res ->> 'visit' IS NULL AND NOT coalesce(t.new_visit, false) THEN
			n := NULL;
		END IF;
		IF n IS DISTINCT FROM (res ->> 'visit')::integer THEN
			RETURN NEXT format('hit %s: visit %s, Matomo %s', h, n, res ->> 'visit');
		END IF;
		IF coalesce(t.new_visit, false) IS DISTINCT FROM (jsonb_array_length(res -> 'new_visits') > 0) THEN
			RETURN NEXT format('hit %s: new visit %s, Matomo %s', h, t.new_visit, res -> 'new_visits');
		END IF;
		h := h + 1;
	END LOOP;

	-- a document has one answer
	IF answers IS NOT NULL THEN
		SELECT count(*) FILTER (WHERE a.outcome <> 'invalid') AS tracked, count(*) FILTER (WHERE a.outcome = 'invalid') AS invalid, count(*) FILTER (WHERE a.new_visit) AS begun
			INTO asked FROM unnest(answers) a;
		res := sc -> 'results' -> 0;
		IF (asked.tracked, asked.invalid) IS DISTINCT FROM (((res ->> 'body')::jsonb ->> 'tracked')::bigint, ((res ->> 'body')::jsonb ->> 'invalid')::bigint) THEN
			RETURN NEXT format('tracked %s, invalid %s, Matomo %s', asked.tracked, asked.invalid, res ->> 'body');
		END IF;
		IF asked.begun <> jsonb_array_length(res -> 'new_visits') THEN
			RETURN NEXT format('%s new visits, Matomo %s', asked.begun, res -> 'new_visits');
		END IF;
	END IF;

	-- the table of visits at the end
	SELECT count(*) INTO n FROM pk_tracking.log_visit v WHERE v.idsite = ANY (sites);
	IF n <> jsonb_array_length(sc -> 'final' -> 'visits') THEN
		RETURN NEXT format('%s visits, Matomo %s', n, jsonb_array_length(sc -> 'final' -> 'visits'));
		RETURN;
	END IF;
	SELECT array_agg(v ->> 'idvisitor') INTO expected_ids FROM jsonb_array_elements(sc -> 'final' -> 'visits') v;
	h := 0;
	FOR got IN
		SELECT v.*, row_to_json(v)::jsonb AS j,
			(SELECT max(a.idlink_va) FROM pk_tracking.log_link_visit_action a WHERE a.idvisit = v.idvisit) AS last_action
		FROM pk_tracking.log_visit v WHERE v.idsite = ANY (sites) ORDER BY v.idvisit
	LOOP
		want := sc -> 'final' -> 'visits' -> h;

		-- random ids are compared as classes: one of ours for each of theirs
		g := got.idvisitor::text;
		w := want ->> 'idvisitor';
		IF w LIKE 'rand#%' THEN
			IF names ? w AND names ->> w <> g THEN
				RETURN NEXT format('visit %s: idvisitor %s is not that of the earlier %s', h, g, w);
			ELSIF NOT names ? w AND (g = ANY (expected_ids) OR EXISTS (SELECT FROM jsonb_each_text(names) e
				WHERE e.key LIKE 'rand#%' AND e.value = g)) THEN
				RETURN NEXT format('visit %s: idvisitor %s, Matomo a new random one', h, g);
			END IF;
			names := names || jsonb_build_object(w, g);
		ELSIF w IS DISTINCT FROM g THEN
			RETURN NEXT format('visit %s: idvisitor %s, Matomo %s', h, g, w);
		END IF;

		FOREACH k IN ARRAY ARRAY['visit_first_action_time', 'visit_last_action_time'] LOOP
			g := to_char((got.j ->> k)::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS');
			IF g IS DISTINCT FROM want ->> k THEN
				RETURN NEXT format('visit %s: %s %s, Matomo %s', h, k, g, want ->> k);
			END IF;
		END LOOP;
		FOREACH k IN ARRAY ARRAY['user_id', 'visitor_returning', 'visitor_count_visits', 'visit_total_time',
			'visit_total_actions', 'visit_total_interactions', 'visitor_seconds_since_first',
			'visitor_seconds_since_last', 'visitor_seconds_since_order', 'profilable',
			'location_browser_lang', 'config_resolution', 'visitor_localtime', 'visit_goal_buyer', 'visit_goal_converted',
			'config_cookie', 'config_flash', 'config_java', 'config_pdf', 'config_quicktime',
			'config_realplayer', 'config_silverlight', 'config_windowsmedia',
			'referer_type', 'referer_name', 'referer_keyword', 'referer_url',
			'location_country', 'location_region', 'location_city', 'location_latitude', 'location_longitude'] LOOP
			IF got.j ->> k IS DISTINCT FROM want ->> k THEN
				RETURN NEXT format('visit %s: %s %s, Matomo %s', h, k, coalesce(got.j ->> k, 'NULL'), coalesce(want ->> k, 'NULL'));
			END IF;
		END LOOP;

		-- an address has several spellings
		IF got.location_ip IS DISTINCT FROM (want ->> 'location_ip')::inet THEN
			RETURN NEXT format('visit %s: location_ip %s, Matomo %s', h, got.location_ip, want ->> 'location_ip');
		END IF;

		-- devices: codes as Matomo has them, but for what is on the list of known gaps
		FOREACH k IN ARRAY ARRAY['config_os', 'config_os_version', 'config_browser_name', 'config_browser_version',
			'config_browser_engine', 'config_client_type', 'config_device_type', 'config_device_brand', 'config_device_model'] LOOP
			g := coalesce(got.j ->> k, 'NULL');
			w := coalesce(want ->> k, 'NULL');
			IF g <> w THEN
				UPDATE golden.device_gap d SET used = d.used + 1
					WHERE d.name = k AND d.matomo = w AND d.ours = g;
				IF NOT FOUND THEN
					RETURN NEXT format('visit %s: %s %s, Matomo %s', h, k, g, w);
				END IF;
			END IF;
		END LOOP;

		-- fingerprints are salted: which of a scenario's visits share one is what counts
		g := coalesce(got.config_id::text, 'none');
		w := 'config#' || (want ->> 'config_class');
		IF coalesce(names ->> w, g) <> g THEN
			RETURN NEXT format('visit %s: its fingerprint is not that of an earlier visit, Matomo''s is', h);
		ELSIF NOT names ? w AND EXISTS (SELECT FROM jsonb_each_text(names) e WHERE e.key LIKE 'config#%' AND e.value = g) THEN
			RETURN NEXT format('visit %s: its fingerprint is that of an earlier visit, Matomo''s is another', h);
		END IF;
		names := names || jsonb_build_object(w, g);

		-- what happened within
		FOREACH k IN ARRAY ARRAY['visit_total_searches', 'visit_total_events'] LOOP
			IF got.j ->> k IS DISTINCT FROM want ->> k THEN
				RETURN NEXT format('visit %s: %s %s, Matomo %s', h, k, got.j ->> k, want ->> k);
			END IF;
		END LOOP;
		FOREACH k IN ARRAY ARRAY['entry', 'exit'] LOOP
			g := golden.name(got.idsite, (got.j ->> ('visit_' || k || '_idaction_url'))::bigint)::text
				|| ' ' || golden.name(got.idsite, (got.j ->> ('visit_' || k || '_idaction_name'))::bigint)::text;
			w := (want -> ('visit_' || k || '_url'))::text || ' ' || (want -> ('visit_' || k || '_name'))::text;
			IF g IS DISTINCT FROM w THEN
				RETURN NEXT format('visit %s: %s %s, Matomo %s', h, k, g, w);
			END IF;
		END LOOP;
		IF got.last_idlink_va IS DISTINCT FROM got.last_action THEN
			RETURN NEXT format('visit %s: last_idlink_va is not its last action', h);
		END IF;
		h := h + 1;
	END LOOP;

	-- actions: every column; a key that is absent there is NULL
	h := 0;
	FOR got IN
		SELECT a.*, row_to_json(a)::jsonb AS j
		FROM pk_tracking.log_link_visit_action a
		WHERE a.idsite = ANY (sites) ORDER BY a.idlink_va
	LOOP
		want := sc -> 'final' -> 'actions' -> h;
		w := want ->> 'idvisitor';
		g := got.idvisitor::text;
		IF coalesce(names ->> w, w) IS DISTINCT FROM g AND NOT (w LIKE 'rand#%' AND NOT names ? w) THEN
			RETURN NEXT format('action %s: idvisitor %s, Matomo %s', h, g, w);
		END IF;
		row_there := want - ARRAY['action', 'idvisitor', 'site'];
		row_here := jsonb_build_object(
			'visit', array_position(visits, got.idvisit) - 1,
			'server_time', to_char(got.server_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
			'url_type', golden.type(got.idsite, got.idaction_url),
			'name_type', golden.type(got.idsite, got.idaction_name),
			'custom_float', got.custom_float, 'product_price', got.product_price);
		FOREACH k IN ARRAY ARRAY['idpageview', 'pageview_position', 'time_spent_ref_action', 'time_spent',
			'search_cat', 'search_count', 'time_network', 'time_server', 'time_transfer',
			'time_dom_processing', 'time_dom_completion', 'time_on_load'] LOOP
			row_here := row_here || jsonb_build_object(k, got.j -> k);
		END LOOP;
		FOREACH k IN ARRAY ARRAY['url', 'name', 'url_ref', 'name_ref', 'event_category', 'event_action',
			'content_name', 'content_piece', 'content_target', 'content_interaction',
			'product_sku', 'product_name', 'product_cat', 'product_cat2', 'product_cat3',
			'product_cat4', 'product_cat5'] LOOP
			row_here := row_here || jsonb_build_object(k, golden.name(got.idsite, (got.j ->> ('idaction_' || k))::bigint));
		END LOOP;
		row_here := jsonb_strip_nulls(row_here);
		FOR k IN SELECT jsonb_object_keys(row_here || row_there) LOOP
			IF row_here -> k IS DISTINCT FROM row_there -> k THEN
				RETURN NEXT format('action %s: %s %s, Matomo %s', h, k,
					coalesce(row_here ->> k, 'NULL'), coalesce(row_there ->> k, 'NULL'));
			END IF;
		END LOOP;
		h := h + 1;
	END LOOP;
	IF h <> jsonb_array_length(sc -> 'final' -> 'actions') THEN
		RETURN NEXT format('%s actions, Matomo %s', h, jsonb_array_length(sc -> 'final' -> 'actions'));
	END IF;

	RETURN QUERY SELECT golden.compare_sets('conversion', sc -> 'final' -> 'conversions',
		golden.conversions(sites, visits), names);
	RETURN QUERY SELECT golden.compare_sets('item', sc -> 'final' -> 'items',
		golden.items(sites, visits), names);
END
$$;

SELECT pk_tracking.create_log();

-- What an action id stands for: 0 is none, and NULL is a JSON null.
CREATE FUNCTION golden.name(site integer, id bigint) RETURNS jsonb
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN id IS NULL THEN 'null' WHEN id = 0 THEN '0'
		ELSE (SELECT to_jsonb(pk_tracking.url_prefix_text(a.url_prefix) || a.name)
			FROM pk_tracking.log_action a WHERE a.idsite = site AND a.idaction = id LIMIT 1) END
$$;
CREATE FUNCTION golden.type(site integer, id bigint) RETURNS smallint
LANGUAGE sql STABLE AS $$
	SELECT a.type FROM pk_tracking.log_action a WHERE a.idsite = site AND a.idaction = id LIMIT 1
$$;

SELECT pk_tracking.import_salt('user_id', convert_to('oracle-fixed-userid-salt', 'UTF8'));

CREATE TABLE golden.difference (id text, what text);
-- differences that are meant: what they say must match, and there must be one
CREATE VIEW golden.judged AS
	SELECT d.id, d.what FROM golden.difference d
	WHERE NOT EXISTS (SELECT FROM golden.accepted a WHERE a.id = d.id AND d.what ~ a.pattern)
	UNION ALL
	SELECT a.id, 'the accepted difference is gone: ' || a.pattern FROM golden.accepted a
	WHERE EXISTS (SELECT FROM golden.scenario s WHERE s.j ->> 'id' = a.id)
		AND NOT EXISTS (SELECT FROM golden.difference d WHERE d.id = a.id AND d.what ~ a.pattern);

-- each scenario in a transaction of its own, as its requests would be
DO $$
DECLARE
	s record;
BEGIN
	FOR s IN SELECT * FROM golden.scenario ORDER BY line LOOP
		INSERT INTO golden.difference SELECT s.j ->> 'id', r FROM golden.replay(s.j) r;
		COMMIT;
	END LOOP;
END
$$;

-- a scenario waits if it is on the list; one that agrees, or is unknown, must leave it
\echo
\echo 'Goldens by family'
SELECT split_part(s.j ->> 'id', '/', 1) AS family,
	count(*) AS scenarios,
	sum(jsonb_array_length(s.j -> 'hits')) AS hits,
	count(*) FILTER (WHERE d.n IS NULL AND w.id IS NULL) AS identical,
	count(*) FILTER (WHERE d.n IS NOT NULL AND w.id IS NULL) AS different,
	count(w.id) AS waiting
FROM golden.scenario s
	LEFT JOIN (SELECT id, count(*) AS n FROM golden.judged GROUP BY id) d ON d.id = s.j ->> 'id'
	LEFT JOIN golden.waiting w ON w.id = s.j ->> 'id'
GROUP BY 1 ORDER BY 1;

\pset tuples_only on
\echo 'Accepted differences:'
SELECT DISTINCT format('  %s: %s', a.id, a.reason) FROM golden.accepted a
	JOIN golden.scenario s ON s.j ->> 'id' = a.id ORDER BY 1;
SELECT format('device: %s is %s where Matomo says %s (%s visits): %s', d.name, d.ours, d.matomo, d.used, d.why)
FROM golden.device_gap d ORDER BY 1;
\echo 'Waiting:'
SELECT format('  %s: waits for %s', w.id, w.waits_for) FROM golden.waiting w ORDER BY 1;
SELECT format('differs: %s: %s', d.id, d.what)
FROM golden.judged d LEFT JOIN golden.waiting w USING (id) WHERE w.id IS NULL ORDER BY 1 LIMIT 200;
SELECT format('not waiting any more, take it off the list: %s', w.id)
FROM golden.waiting w WHERE NOT EXISTS (SELECT FROM golden.judged d WHERE d.id = w.id);

SELECT format('no gap any more, take it off the list: %s %s', d.name, d.matomo) FROM golden.device_gap d WHERE d.used = 0;

SELECT format('golden: %s identical, %s different, %s waiting',
	count(*) FILTER (WHERE d.id IS NULL AND w.id IS NULL),
	count(*) FILTER (WHERE d.id IS NOT NULL AND w.id IS NULL)
		+ (SELECT count(*) FROM golden.device_gap WHERE used = 0)
		+ (SELECT count(*) FROM golden.waiting w2 WHERE NOT EXISTS (SELECT FROM golden.judged d2 WHERE d2.id = w2.id)),
	count(w.id))
FROM golden.scenario s
	LEFT JOIN (SELECT DISTINCT id FROM golden.judged) d ON d.id = s.j ->> 'id'
	LEFT JOIN golden.waiting w ON w.id = s.j ->> 'id';
