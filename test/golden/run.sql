-- Replays the goldens and compares.  Called by test/golden/run, which sets
-- :data (a table golden.scenario is filled from it) and checks the last line.
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
SET client_min_messages = error;

SELECT pk_tracking.create_log() \gset

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
			'use_third_party_id_cookie', 'enable_spam_filter');
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
			WHEN 'anonymizeReferrer' THEN
				PERFORM pk_tracking.set_instance('anonymize_referrer', CASE v WHEN '' THEN 'keep' ELSE v END);
			WHEN 'anonymizeOrderId' THEN
				PERFORM pk_tracking.set_instance('anonymize_order_id', CASE WHEN v::boolean THEN 'on' ELSE 'off' END);
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

-- A visit as the goldens write it, but for what only classes can compare.
CREATE FUNCTION golden.visit_row(v pk_tracking.log_visit) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	j jsonb := to_jsonb(v);
	row_here jsonb := '{}';
	k text;
BEGIN
	FOREACH k IN ARRAY ARRAY['user_id', 'visitor_returning', 'visitor_count_visits', 'visit_total_time',
		'visit_total_actions', 'visit_total_interactions', 'visit_total_searches', 'visit_total_events',
		'visitor_seconds_since_first', 'visitor_seconds_since_last', 'visitor_seconds_since_order', 'profilable',
		'location_browser_lang', 'config_resolution', 'visitor_localtime', 'visit_goal_buyer', 'visit_goal_converted',
		'config_cookie', 'config_flash', 'config_java', 'config_pdf', 'config_quicktime',
		'config_realplayer', 'config_silverlight', 'config_windowsmedia',
		'referer_type', 'referer_name', 'referer_keyword', 'referer_url', 'idvisitor',
		'location_country', 'location_region', 'location_city', 'location_latitude', 'location_longitude'] LOOP
		row_here := row_here || jsonb_build_object(k, j -> k);
	END LOOP;
	RETURN row_here || jsonb_build_object(
		'visit_first_action_time', to_char(v.visit_first_action_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
		'visit_last_action_time', to_char(v.visit_last_action_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
		'visit_entry_url', golden.name(v.idsite, v.visit_entry_idaction_url),
		'visit_entry_name', golden.name(v.idsite, v.visit_entry_idaction_name),
		'visit_exit_url', golden.name(v.idsite, v.visit_exit_idaction_url),
		'visit_exit_name', golden.name(v.idsite, v.visit_exit_idaction_name));
END
$$;

-- The visits of a scenario by their number in it.
CREATE FUNCTION golden.visit_rows(sites integer[], visits bigint[]) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(array_position(visits, v.idvisit) - 1, golden.visit_row(v)), '{}')
	FROM pk_tracking.log_visit v WHERE v.idsite = ANY (sites) AND v.idvisit = ANY (visits)
$$;

-- What differs between two states of the visits, as visit_changes has it.
CREATE FUNCTION golden.visit_changes(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(n, changed), '{}') FROM (
		SELECT b.key AS n, jsonb_object_agg(c.key, c.value) AS changed
		FROM jsonb_each(before) b, jsonb_each(after -> b.key) c
		WHERE b.value -> c.key <> c.value
		GROUP BY b.key) s
$$;

-- An action as the goldens write it, but for its visitor id: NULL is absent.
CREATE FUNCTION golden.action_row(a pk_tracking.log_link_visit_action, sites integer[], visits bigint[]) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	j jsonb := to_jsonb(a);
	k text;
	row_here jsonb;
BEGIN
	row_here := jsonb_build_object(
		'visit', array_position(visits, a.idvisit) - 1,
		'site', array_position(sites, a.idsite) - 1,
		'server_time', to_char(a.server_time AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
		'url_type', golden.type(a.idsite, a.idaction_url),
		'name_type', golden.type(a.idsite, a.idaction_name),
		'custom_float', a.custom_float, 'product_price', a.product_price);
	FOREACH k IN ARRAY ARRAY['idpageview', 'pageview_position', 'time_spent_ref_action', 'time_spent',
		'search_cat', 'search_count', 'time_network', 'time_server', 'time_transfer',
		'time_dom_processing', 'time_dom_completion', 'time_on_load'] LOOP
		row_here := row_here || jsonb_build_object(k, j -> k);
	END LOOP;
	FOREACH k IN ARRAY ARRAY['url', 'name', 'url_ref', 'name_ref', 'event_category', 'event_action',
		'content_name', 'content_piece', 'content_target', 'content_interaction',
		'product_sku', 'product_name', 'product_cat', 'product_cat2', 'product_cat3',
		'product_cat4', 'product_cat5'] LOOP
		row_here := row_here || jsonb_build_object(k, golden.name(a.idsite, (j ->> ('idaction_' || k))::bigint));
	END LOOP;
	RETURN jsonb_strip_nulls(row_here);
END
$$;

-- Conversions or items after a hit: what it inserted is added, what it changed
-- is found by the members of keys and changed.
CREATE FUNCTION golden.carried_on(had jsonb, inserted jsonb, changes jsonb, keys text[]) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(jsonb_strip_nulls(r || coalesce((
		SELECT c -> 'changed' FROM jsonb_array_elements(coalesce(changes, '[]')) c
		WHERE (SELECT bool_and(NOT c ? k OR c -> k = r -> k) FROM unnest(keys) k) LIMIT 1), '{}'))), '[]')
		|| coalesce(inserted, '[]')
	FROM jsonb_array_elements(had) r
	-- an order takes the place of the visit's cart: of its row, and of its items
	WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(coalesce(inserted, '[]')) i
		WHERE i -> 'visit' = r -> 'visit'
			AND CASE WHEN r ? 'idgoal' THEN r ->> 'idgoal' = '-1' AND i ->> 'idgoal' = '0'
				ELSE r ->> 'idorder' = '0' AND i ->> 'idorder' <> '0' END)
$$;
CREATE FUNCTION golden.without_visitor(rows jsonb) RETURNS jsonb
LANGUAGE sql AS $$
	SELECT coalesce(jsonb_agg(r || '{"idvisitor": null}'), '[]') FROM jsonb_array_elements(rows) r
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
	before jsonb := '{}';
	after jsonb;
	last_action bigint;
	conversions jsonb := '[]';
	items jsonb := '[]';
	config public.hexid;
	candidate pk_tracking.candidate;
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
		-- what match_visitor() says, asked just before
		candidate := NULL;
		IF NOT hit -> 'params' ? 'cdt' THEN
			config := pk_tracking.fingerprint(sites[coalesce((hit ->> 'site')::integer, 0) + 1], (hit ->> 'ip')::inet,
				hit ->> 'ua', hit ->> 'lang', (hit ->> 'cdt')::timestamp AT TIME ZONE 'UTC', hit -> 'params');
			SELECT * INTO candidate FROM pk_tracking.match_visitor(sites[coalesce((hit ->> 'site')::integer, 0) + 1],
				CASE WHEN hit -> 'params' ->> 'cid' ~* '^[0-9a-f]{16}$' THEN (hit -> 'params' ->> 'cid')::public.hexid
					WHEN hit -> 'params' ->> '_id' ~* '^[0-9a-f]{16}' THEN substr(hit -> 'params' ->> '_id', 1, 16)::public.hexid END,
				CASE WHEN hit -> 'params' ->> 'cid' ~* '^[0-9a-f]{16}$' THEN 'cid' ELSE 'cookie' END,
				hit -> 'params' ->> 'uid', config, (hit ->> 'cdt')::timestamp AT TIME ZONE 'UTC',
				coalesce(hit -> 'params' ->> 'new_visit', '0') ~ '^-?[1-9][0-9]*$', 1);
		END IF;
		SELECT coalesce(max(l.idlink_va), 0) INTO last_action FROM pk_tracking.log_link_visit_action l WHERE l.idsite = ANY (sites);

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
		IF (CASE WHEN t.new_visit THEN jsonb_build_array(n) ELSE '[]' END) IS DISTINCT FROM res -> 'new_visits' THEN
			RETURN NEXT format('hit %s: new visit %s, Matomo %s', h, t.new_visit, res -> 'new_visits');
		END IF;

		-- what match_visitor() has said.  It does not know where the hit comes
		-- from, so that a visit which a campaign or a website splits still goes on.
		IF t.outcome = 'recorded' AND NOT hit -> 'params' ? 'cdt' THEN
			IF t.matched_by IS DISTINCT FROM coalesce(candidate.matched_by, 'none')
				OR (CASE WHEN candidate.idvisit IS NULL THEN t.reason <> 'unknown' OR NOT t.new_visit
					WHEN candidate.continues THEN candidate.reason <> 'continue'
						OR NOT (t.reason IN ('campaign', 'website') OR (t.idvisit = candidate.idvisit AND t.reason = 'continue' AND NOT t.new_visit))
					ELSE t.reason <> candidate.reason OR NOT t.new_visit END) THEN
				RETURN NEXT format('hit %s: by %s, %s; match_visitor() said %s, %s', h, t.matched_by, t.reason, candidate.matched_by, candidate.reason);
			END IF;
		ELSIF t.outcome = 'ignored' AND t.outcome_reason = 'ping' AND candidate.continues
			-- a campaign or website again
			AND NOT hit -> 'params' ?| ARRAY['url', 'urlref'] THEN
			RETURN NEXT format('hit %s: a heartbeat without a visit; match_visitor() said %s', h, candidate.reason);
		END IF;
		IF t.idlink_va IS NOT NULL AND NOT EXISTS (SELECT FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = t.idvisit AND l.idlink_va = t.idlink_va
			AND pk_tracking.matched_by_name(l.matched_by) = t.matched_by AND pk_tracking.decision_name(l.decision) = t.reason) THEN
			RETURN NEXT format('hit %s: its action row does not say %s, %s', h, t.matched_by, t.reason);
		END IF;

		-- what it inserted and changed
		after := golden.visit_rows(sites, visits);
		want := (SELECT coalesce(jsonb_object_agg(c ->> 'visit', c -> 'changed'), '{}') FROM jsonb_array_elements(res -> 'visit_changes') c);
		IF golden.visit_changes(before, after) IS DISTINCT FROM want THEN
			RETURN NEXT format('hit %s: changes %s, Matomo %s', h, golden.visit_changes(before, after), want);
		END IF;
		before := after;
		n := 0;
		FOR want IN SELECT golden.action_row(l, sites, visits) FROM pk_tracking.log_link_visit_action l
			WHERE l.idsite = ANY (sites) AND l.idlink_va > last_action ORDER BY l.idlink_va
		LOOP
			IF want IS DISTINCT FROM (res -> 'actions' -> n) - ARRAY['action', 'idvisitor'] THEN
				RETURN NEXT format('hit %s: inserts action %s, Matomo %s', h, want, res -> 'actions' -> n);
			END IF;
			n := n + 1;
		END LOOP;
		IF n <> jsonb_array_length(res -> 'actions') THEN
			RETURN NEXT format('hit %s: inserts %s actions, Matomo %s', h, n, jsonb_array_length(res -> 'actions'));
		END IF;
		conversions := golden.carried_on(conversions, res -> 'conversions', res -> 'conversion_changes', ARRAY['visit', 'idgoal', 'idorder', 'buster']);
		items := golden.carried_on(items, res -> 'items', res -> 'item_changes', ARRAY['visit', 'idorder', 'sku']);
		RETURN QUERY SELECT format('hit %s: ', h) || x FROM golden.compare_sets('conversion', golden.without_visitor(conversions),
			golden.without_visitor(golden.conversions(sites, visits)), '{}') x;
		RETURN QUERY SELECT format('hit %s: ', h) || x FROM golden.compare_sets('item', golden.without_visitor(items),
			golden.without_visitor(golden.items(sites, visits)), '{}') x;
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
		SELECT v.*, v AS row, row_to_json(v)::jsonb AS j,
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

		row_here := golden.visit_row(got.row);
		FOR k IN SELECT jsonb_object_keys(want) UNION SELECT jsonb_object_keys(row_here) LOOP
			-- compared elsewhere: as classes, as addresses, through a list of gaps
			CONTINUE WHEN k = ANY (ARRAY['idvisitor', 'config_class', 'location_ip', 'visit', 'site', 'last_action',
				'config_os', 'config_os_version', 'config_browser_name', 'config_browser_version',
				'config_browser_engine', 'config_client_type', 'config_device_type', 'config_device_brand', 'config_device_model']);
			IF row_here -> k IS DISTINCT FROM want -> k THEN
				RETURN NEXT format('visit %s: %s %s, Matomo %s', h, k, coalesce(row_here ->> k, 'NULL'), coalesce(want ->> k, 'NULL'));
			END IF;
		END LOOP;
		IF (got.idsite, got.idvisit) IS DISTINCT FROM (sites[(want ->> 'site')::integer + 1], visits[(want ->> 'visit')::integer + 1]) THEN
			RETURN NEXT format('visit %s: of another site, or out of order', h);
		END IF;

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

		IF got.last_idlink_va IS DISTINCT FROM got.last_action THEN
			RETURN NEXT format('visit %s: last_idlink_va is not its last action', h);
		END IF;
		h := h + 1;
	END LOOP;

	-- actions: every column; a key that is absent there is NULL
	h := 0;
	FOR got IN
		SELECT a.idvisitor, golden.action_row(a, sites, visits) AS row
		FROM pk_tracking.log_link_visit_action a
		WHERE a.idsite = ANY (sites) ORDER BY a.idlink_va
	LOOP
		want := sc -> 'final' -> 'actions' -> h;
		w := want ->> 'idvisitor';
		g := got.idvisitor::text;
		-- a random id that no visit has kept
		IF w LIKE 'rand#%' AND NOT names ? w AND NOT EXISTS (SELECT FROM jsonb_each_text(names) e WHERE e.value = g) THEN
			names := names || jsonb_build_object(w, g);
		END IF;
		IF coalesce(names ->> w, w) IS DISTINCT FROM g THEN
			RETURN NEXT format('action %s: idvisitor %s, Matomo %s', h, g, w);
		END IF;
		row_there := want - ARRAY['action', 'idvisitor'];
		row_here := got.row;
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
		BEGIN
			INSERT INTO golden.difference SELECT s.j ->> 'id', r FROM golden.replay(s.j) r;
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO golden.difference VALUES (s.j ->> 'id', 'raises: ' || SQLERRM);
		END;
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
