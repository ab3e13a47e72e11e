-- Recognition by the FAQ's rules (recognition_rules = piwik, the default).
--
-- A scenario is a text of lines:
--   set NAME=VALUE          a setting of its site(s); instance NAME=VALUE for the instance
--   zone NAME               the site's time zone
--   from TIME               the time that the offsets of its hits count from
--   OFFSET PARAM=VALUE … -> VISIT MATCHED_BY REASON [cookie=…]
--                           a hit, and the visit it must go to (numbered in order of
--                           appearance); or -> excluded REASON
--   visit ID USER RETURNING COUNT ACTIONS [COLUMN=VALUE …]
--                           the visits at the end, one line each, in order
--   config N = M, config N <> M, config N none
--                           fingerprints of visits
-- Parameters have the tracking API's names, but for ip, ua, lang (what the
-- connection said; a default if not given), id (_id), tp (the third-party
-- cookie, tpname its name) and site (1, 2: of the scenario).  @-60 is the hit's
-- time less 60 seconds.  An id of one letter stands for 16 of it; #foo is the
-- hash of user foo; ?1, ?2 are random ids; ~ is a 40-digit pseudonym and #~ its hash.
--
-- Each scenario runs by track_request(), and again on a fresh site by track()
-- where that can say the same.  Before each hit match_visitor() is asked, and
-- must have named what track() then does.
SET client_min_messages = warning;
SET timezone = 'UTC';
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;

CREATE TEMP TABLE scenario_hits (n integer, visit integer, idvisit bigint);
CREATE TEMP TABLE scenario_count (name text, via text, ok boolean);

-- the id that a letter or a #user stands for; other values are taken as they are
CREATE FUNCTION pg_temp.id_of(word text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN word ~ '^[A-F]$' THEN repeat(lower(word), 16)
		WHEN word ~ '^#' THEN pk_tracking.user_id_visitor_id(substr(word, 2))::text
		ELSE word END
$$;

CREATE FUNCTION pg_temp.percent(value text) RETURNS text LANGUAGE sql AS $$
	SELECT replace(replace(replace(replace(replace(value, '%', '%25'), '&', '%26'), '+', '%2B'), '=', '%3D'), '#', '%23')
$$;

CREATE FUNCTION pg_temp.run(scenario text, via text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	part text[];
	kv text[];
	sites integer[];
	site integer;
	base timestamptz := '2026-03-02 12:00:00+00';
	at timestamptz;
	key text;
	value text;
	h jsonb;		-- the hit's parameters
	ip inet;
	ua text;
	lang text;
	query text;
	want text[];
	n integer := 0;		-- hits
	n_visits integer := 0;
	n_lines integer := 0;
	r pk_tracking.tracked;
	m record;
	got integer;
	act record;
	v record;
	use_tp boolean := scenario ~ 'set use_third_party_id_cookie=on';
	source text;
	own text;
	given text[] := '{}';	-- every id that was sent
	randoms text[] := '{}';
	word text;
	got_id text;
	cookie text;
	prior integer;
	hashes text[] := '{}';
BEGIN
	DELETE FROM pk_tracking.setting;
	DELETE FROM scenario_hits;
	sites := ARRAY[pk_tracking.add_site('one'), pk_tracking.add_site('two')];
	IF scenario ~ '->.* cookie=' THEN
		PERFORM pk_tracking.set_site(s, 'server_cookie', 'on') FROM unnest(sites) s;
	END IF;

	FOREACH line IN ARRAY regexp_split_to_array(scenario, E'\n') LOOP
		line := btrim(line, E' \t');
		CONTINUE WHEN line = '';

		IF line ~ '^(set|instance) ' THEN
			kv := regexp_match(line, '^(?:set|instance) ([a-z_]+)=(.*)$');
			IF line ~ '^set ' THEN
				PERFORM pk_tracking.set_site(s, kv[1], kv[2]) FROM unnest(sites) s;
			ELSE
				PERFORM pk_tracking.set_instance(kv[1], kv[2]);
			END IF;

		ELSIF line ~ '^zone ' THEN
			UPDATE pk_tracking.site t SET timezone = substr(line, 6) WHERE t.idsite = ANY (sites);

		ELSIF line ~ '^from ' THEN
			base := substr(line, 6)::timestamptz;

		ELSIF line ~ '^config ' THEN
			part := regexp_split_to_array(line, ' +');
			SELECT a.config_id AS a, b.config_id AS b INTO v
			FROM (SELECT l.config_id FROM scenario_hits s JOIN pk_tracking.log_visit l USING (idvisit) WHERE s.visit = part[2]::integer LIMIT 1) a
				LEFT JOIN (SELECT l.config_id FROM scenario_hits s JOIN pk_tracking.log_visit l USING (idvisit) WHERE s.visit::text = part[4] LIMIT 1) b ON true;
			IF (part[3] = 'none' AND v.a IS NOT NULL) OR (part[3] = '=' AND (v.a = v.b) IS NOT TRUE)
				OR (part[3] = '<>' AND (v.a <> v.b) IS NOT TRUE)
			THEN
				RETURN NEXT format('%s: not so', line);
			END IF;

		ELSIF line ~ '^-?[0-9]+ ' THEN
			n := n + 1;
			part := regexp_split_to_array(line, ' +');
			at := base + part[1]::integer * interval '1 second';
			h := '{}';
			FOREACH word IN ARRAY part[2:] LOOP
				EXIT WHEN word = '->';
				kv := regexp_match(word, '^([A-Za-z_]+)=(.*)$');
				value := kv[2];
				IF value ~ '^@' THEN
					value := (extract(epoch FROM at)::bigint + substr(value, 2)::bigint)::text;
				END IF;
				h := h || jsonb_build_object(kv[1], value);
			END LOOP;
			want := part[array_position(part, '->') + 1:];
			site := sites[coalesce(h->>'site', '1')::integer];
			ip := CASE WHEN h->>'ip' = 'none' THEN NULL ELSE coalesce(h->>'ip', '192.0.2.1')::inet END;
			ua := coalesce(h->>'ua', 'agent');
			lang := coalesce(h->>'lang', 'en');

			-- what match_visitor() says beforehand
			IF h ? 'cid' THEN
				source := 'cid'; own := pg_temp.id_of(h->>'cid');
			ELSIF h ? 'tp' AND use_tp AND NOT h ? 'tpname' THEN
				source := 'third_party_cookie'; own := (regexp_match(pg_temp.id_of(h->>'tp'), '^[0-9a-fA-F]{16}$'))[1];
			ELSE
				source := 'cookie'; own := (regexp_match(pg_temp.id_of(h->>'id'), '^[0-9a-fA-F]{16}'))[1];
			END IF;
			IF own IS NULL AND h ? 'tp' AND use_tp AND NOT h ? 'tpname' THEN
				own := repeat('a', 16);	-- the one form of cookie that is tested
			END IF;
			SELECT c.* INTO m FROM pk_tracking.match_visitor(site, own::hexid, source, h->>'uid',
				pk_tracking.fingerprint(site, ip, ua, lang, at, h), at, coalesce(h->>'new_visit' = '1', false)) c
				WHERE c.rank = 1;
			IF own IS NOT NULL THEN
				given := given || lower(own);
			END IF;
			IF h ? 'uid' THEN
				hashes := hashes || pg_temp.id_of('#' || (h->>'uid'));
			END IF;

			IF via = 'track_request' THEN
				query := format('idsite=%s&rec=1', site);
				FOR key, value IN SELECT j.key, j.value FROM jsonb_each_text(h) j LOOP
					CONTINUE WHEN key IN ('ip', 'ua', 'lang', 'site', 'tp', 'tpname');
					query := query || format('&%s=%s', CASE key WHEN 'id' THEN '_id' ELSE key END,
						pg_temp.percent(CASE WHEN key IN ('id', 'cid') THEN pg_temp.id_of(value) ELSE value END));
				END LOOP;
				r := pk_tracking.track_request(query, ip, ua, lang, at,
					jsonb_build_object('cookie', format('x=1; %s=%s; y=2', coalesce(h->>'tpname', '_pk_uid'), pg_temp.id_of(h->>'tp'))));
			ELSE
				r := pk_tracking.track(site, ip => ip, user_agent => ua, accept_language => lang,
					visitor_id => (regexp_match(pg_temp.id_of(h->>'id'), '^[0-9a-fA-F]{16}'))[1]::hexid, cid => pg_temp.id_of(h->>'cid')::hexid,
					user_id => h->>'uid', at => at, new_visit => h->>'new_visit' = '1',
					params => h - '{ip,ua,lang,site,id,cid,uid,new_visit}'::text[]);
			END IF;

			IF want[1] = 'excluded' THEN
				IF (r.outcome = 'excluded' AND r.outcome_reason = want[2] AND r.idvisit IS NULL) IS NOT TRUE THEN
					RETURN NEXT format('hit %s: %s', n, r);
				END IF;
				CONTINUE;
			ELSIF r.outcome <> 'recorded' THEN
				RETURN NEXT format('hit %s: %s %s', n, r.outcome, r.outcome_reason);
				CONTINUE;
			END IF;

			SELECT s.visit INTO got FROM scenario_hits s WHERE s.idvisit = r.idvisit LIMIT 1;
			prior := got;
			IF got IS NULL THEN
				n_visits := n_visits + 1;
				got := n_visits;
			END IF;
			INSERT INTO scenario_hits VALUES (n, got, r.idvisit);
			IF (got::text, r.matched_by, r.reason) <> (want[1], want[2], want[3]) THEN
				RETURN NEXT format('hit %s: got %s %s %s, wanted %s', n, got, r.matched_by, r.reason, array_to_string(want, ' '));
			END IF;
			IF r.new_visit <> (prior IS NULL) OR r.new_visit <> (r.reason <> 'continue') THEN
				RETURN NEXT format('hit %s: new_visit is %s', n, r.new_visit);
			END IF;

			-- the rows say the same as the result
			SELECT l.* INTO v FROM pk_tracking.log_visit l WHERE l.idvisit = r.idvisit;
			SELECT a.* INTO act FROM pk_tracking.action a WHERE a.idvisit = r.idvisit AND a.idlink_va = r.idlink_va;
			IF (v.idvisitor = r.idvisitor AND v.visitor_returning = r.visitor_returning AND v.idsite = site
				AND (v.last_idlink_va = r.idlink_va OR act.server_time < v.visit_last_action_time) AND act.matched_by = r.matched_by AND act.decision = r.reason
				AND act.idvisitor = r.idvisitor AND act.server_time = at) IS NOT TRUE
				OR coalesce(v.config_id::text, '-') <> coalesce(r.config_id::text, '-')
			THEN
				RETURN NEXT format('hit %s: the rows differ from the result: %s, %s, %s', n, r, v, act);
			END IF;

			-- match_visitor() said so
			IF m.rank IS NULL THEN
				IF r.matched_by <> 'none' OR r.reason <> 'unknown' THEN
					RETURN NEXT format('hit %s: match_visitor() finds nothing', n);
				END IF;
			ELSIF m.matched_by <> r.matched_by OR m.reason <> r.reason OR m.continues = r.new_visit
				OR (m.continues AND m.idvisit <> r.idvisit)
			THEN
				RETURN NEXT format('hit %s: match_visitor() says %s', n, m);
			END IF;

			-- the cookie to set: never what may not be one, and what is wanted
			cookie := r.cookie_value;
			IF cookie = ANY (hashes) AND NOT cookie = ANY (given) THEN
				RETURN NEXT format('hit %s: the cookie is a user id''s hash', n);
			END IF;
			IF r.matched_by = 'fingerprint' AND r.reason <> 'limit' AND NOT cookie = ANY (given)
				AND EXISTS (SELECT FROM pk_tracking.log_visit l WHERE l.idvisitor::text = cookie)
			THEN
				RETURN NEXT format('hit %s: the cookie is the id of a visit that was matched by fingerprint', n);
			END IF;
			word := regexp_replace(array_to_string(want[4:], ' '), '^cookie=', '');
			IF word = 'visit' AND (cookie = v.idvisitor::text) IS NOT TRUE
				OR word = 'fresh' AND (cookie IS NULL OR cookie = ANY (given) OR cookie = v.idvisitor::text)
				OR word = 'none' AND cookie IS NOT NULL
				OR word NOT IN ('', 'visit', 'fresh', 'none') AND (cookie = pg_temp.id_of(word)) IS NOT TRUE
			THEN
				RETURN NEXT format('hit %s: cookie %s, wanted %s', n, cookie, word);
			END IF;

		ELSIF line ~ '^visit ' THEN
			n_lines := n_lines + 1;
			part := regexp_split_to_array(line, ' +');
			SELECT l.* INTO v FROM pk_tracking.log_visit l
				WHERE l.idvisit = (SELECT s.idvisit FROM scenario_hits s WHERE s.visit = n_lines LIMIT 1);
			got_id := v.idvisitor::text;
			word := pg_temp.id_of(part[2]);
			IF word ~ '^\?' THEN
				IF got_id = ANY (given) OR got_id = ANY (hashes) OR got_id = repeat('0', 16) THEN
					RETURN NEXT format('visit %s: %s is no random id', n_lines, got_id);
				END IF;
				IF randoms[substr(word, 2)::integer] IS NULL THEN
					IF got_id = ANY (randoms) THEN
						RETURN NEXT format('visit %s: %s is another random id', n_lines, got_id);
					END IF;
					randoms[substr(word, 2)::integer] := got_id;
				END IF;
				word := randoms[substr(word, 2)::integer];
			ELSIF part[2] = '#~' THEN
				word := pk_tracking.user_id_visitor_id(v.user_id)::text;
			END IF;
			IF got_id IS DISTINCT FROM word THEN
				RETURN NEXT format('visit %s: idvisitor %s, wanted %s', n_lines, got_id, part[2]);
			END IF;
			IF part[3] = '~' AND v.user_id !~ '^[0-9a-f]{40}$'
				OR part[3] <> '~' AND coalesce(v.user_id, '-') <> part[3]
			THEN
				RETURN NEXT format('visit %s: user_id %s, wanted %s', n_lines, v.user_id, part[3]);
			END IF;
			IF (v.visitor_returning::text, v.visitor_count_visits::text, v.visit_total_actions::text) <> (part[4], part[5], part[6]) THEN
				RETURN NEXT format('visit %s: returning %s, count %s, actions %s', n_lines,
					v.visitor_returning, v.visitor_count_visits, v.visit_total_actions);
			END IF;
			FOREACH word IN ARRAY part[7:] LOOP
				kv := regexp_match(word, '^([a-z_]+)=(.*)$');
				value := CASE kv[1]
					WHEN 'first' THEN extract(epoch FROM v.visit_first_action_time - base)::integer::text
					WHEN 'last' THEN extract(epoch FROM v.visit_last_action_time - base)::integer::text
					WHEN 'time' THEN v.visit_total_time::text
					WHEN 'since_first' THEN coalesce(v.visitor_seconds_since_first::text, 'null')
					WHEN 'since_last' THEN coalesce(v.visitor_seconds_since_last::text, 'null')
					WHEN 'since_order' THEN coalesce(v.visitor_seconds_since_order::text, 'null')
					WHEN 'profilable' THEN v.profilable::text
					WHEN 'ip' THEN coalesce(host(v.location_ip), 'null') END;
				IF value IS DISTINCT FROM kv[2] THEN
					RETURN NEXT format('visit %s: %s is %s, wanted %s', n_lines, kv[1], value, kv[2]);
				END IF;
			END LOOP;

		ELSE
			RAISE 'scenario line not understood: %', line;
		END IF;
	END LOOP;

	SELECT count(*) INTO got FROM pk_tracking.log_visit l WHERE l.idsite = ANY (sites);
	IF got <> n_lines OR got <> n_visits THEN
		RETURN NEXT format('%s visits, wanted %s', got, n_lines);
	END IF;
	SELECT count(*) INTO got FROM pk_tracking.log_link_visit_action l WHERE l.idsite = ANY (sites);
	IF got <> (SELECT sum(l.visit_total_actions) FROM pk_tracking.log_visit l WHERE l.idsite = ANY (sites)) THEN
		RETURN NEXT format('%s action rows', got);
	END IF;
	IF EXISTS (SELECT FROM pk_tracking.log_visit l LEFT JOIN pk_tracking.log_link_visit_action a USING (idvisit)
		WHERE l.idsite = ANY (sites) AND (a.idsite <> l.idsite OR a.idvisit IS NULL)) THEN
		RETURN NEXT 'an action row of another site';
	END IF;
	DELETE FROM pk_tracking.setting;
END
$$;

CREATE FUNCTION pg_temp.scenario(name text, scenario text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	wrong text[];
	all_wrong text[] := '{}';
	via text;
BEGIN
	FOREACH via IN ARRAY '{track_request,track}'::text[] LOOP
		CONTINUE WHEN via = 'track' AND scenario ~ '(\mtp=|\mid=[0-9a-zA-Z.]{2,15}\M|\mid=[0-9a-zA-Z.]{17,})';
		wrong := ARRAY(SELECT pg_temp.run(scenario, via));
		all_wrong := all_wrong || ARRAY(SELECT via || ': ' || w FROM unnest(wrong) w);
		INSERT INTO scenario_count VALUES (name, via, wrong = '{}');
	END LOOP;
	RETURN CASE WHEN all_wrong = '{}' THEN 'ok ' || name
		ELSE 'NOT OK ' || name || E'\n  ' || array_to_string(all_wrong, E'\n  ') END;
END
$$;

\pset format unaligned
\pset tuples_only on


-- Rule 1: a user id is given: its hash, then the fingerprint
SELECT pg_temp.scenario('rule 1: found by the user id''s hash, another network', $$
0 uid=foo -> 1 none unknown
600 uid=foo ip=198.51.100.1 -> 1 user_id continue
visit #foo foo 0 1 2 first=0 last=600 time=601 profilable=1
$$);
SELECT pg_temp.scenario('rule 1: found by the user id''s hash, same fingerprint', $$
0 uid=foo -> 1 none unknown
600 uid=foo -> 1 user_id continue
visit #foo foo 0 1 2
$$);
SELECT pg_temp.scenario('rule 1: hash not found, the fingerprint joins; the hash replaces the id', $$
0 id=A -> 1 none unknown
60 uid=foo id=A -> 1 fingerprint continue
120 uid=foo ip=198.51.100.1 -> 1 user_id continue
visit #foo foo 0 1 3
$$);
SELECT pg_temp.scenario('rule 1: hash not found, the own cookie''s id is not looked for', $$
0 id=A -> 1 none unknown
60 uid=foo id=A ip=198.51.100.1 -> 2 none unknown
visit A - 0 1 1
visit #foo foo 0 1 1
$$);
SELECT pg_temp.scenario('rule 1: hash not found, other fingerprint', $$
0 uid=foo -> 1 none unknown
60 uid=bar ip=198.51.100.1 -> 2 none unknown
visit #foo foo 0 1 1
visit #bar bar 0 1 1
$$);
SELECT pg_temp.scenario('rule 1: the hash goes before the fingerprint, whose visit is newer', $$
0 uid=foo -> 1 none unknown
60 id=A ip=198.51.100.1 -> 2 none unknown
120 uid=foo ip=198.51.100.1 -> 1 user_id continue
visit #foo foo 0 1 2
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('rule 1: another user with the same fingerprint takes the visit over', $$
0 uid=foo -> 1 none unknown
60 uid=bar -> 1 fingerprint continue
visit #bar bar 0 1 2
$$);
SELECT pg_temp.scenario('rule 1 before rule 2: a cid does not count beside a user id', $$
0 cid=C -> 1 none unknown
60 uid=foo cid=C ip=198.51.100.1 -> 2 none unknown
visit C - 0 1 1
visit #foo foo 0 1 1
$$);
SELECT pg_temp.scenario('rule 1 before rule 2: nor does it keep from the fingerprint', $$
0 -> 1 none unknown
60 uid=foo cid=C -> 1 fingerprint continue
visit #foo foo 0 1 2
$$);
SELECT pg_temp.scenario('rule 1 before rule 3: trusted cookies do not count beside a user id', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
60 id=B ip=198.51.100.1 -> 2 none unknown
120 uid=foo id=A ip=198.51.100.1 -> 2 fingerprint continue
visit A - 0 1 1
visit #foo foo 0 1 2
$$);
SELECT pg_temp.scenario('rule 1: 0 is a user id', $$
0 uid=0 -> 1 none unknown
60 uid=0 ip=198.51.100.1 -> 1 user_id continue
visit #0 0 0 1 2
$$);
SELECT pg_temp.scenario('rule 1: a user id is hashed as sent, not escaped', $$
0 uid=a&<b> -> 1 none unknown
60 uid=a&<b> ip=198.51.100.1 -> 1 user_id continue
visit #a&<b> a&<b> 0 1 2
$$);
SELECT pg_temp.scenario('rule 1, then rule 4: after logout the fingerprint joins, the visit keeps its user', $$
0 uid=foo id=A -> 1 none unknown
60 id=A -> 1 fingerprint continue
visit #foo foo 0 1 2
$$);
SELECT pg_temp.scenario('rule 1, then rule 4: after logout in another network', $$
0 uid=foo id=A -> 1 none unknown
60 id=A ip=198.51.100.1 -> 2 none unknown
visit #foo foo 0 1 1
visit A - 0 1 1
$$);

-- Rule 2: a cid is given: that id only
SELECT pg_temp.scenario('rule 2: found by cid, another network', $$
0 cid=C -> 1 none unknown
60 cid=C ip=198.51.100.1 -> 1 cid continue
visit C - 0 1 2 profilable=1
$$);
SELECT pg_temp.scenario('rule 2: found by cid, same fingerprint', $$
0 cid=C -> 1 none unknown
60 cid=C -> 1 cid continue
visit C - 0 1 2
$$);
SELECT pg_temp.scenario('rule 2: not found, same fingerprint: no fall-back', $$
0 cid=C -> 1 none unknown
60 cid=D -> 2 none unknown
120 cid=C -> 1 cid continue
visit C - 0 1 2
visit D - 0 1 1
$$);
SELECT pg_temp.scenario('rule 2: not found, other fingerprint', $$
0 cid=C -> 1 none unknown
60 cid=D ip=198.51.100.1 -> 2 none unknown
visit C - 0 1 1
visit D - 0 1 1
$$);
SELECT pg_temp.scenario('rule 2 before rule 4: the cid wins over the cookie', $$
0 id=A -> 1 none unknown
30 cid=C id=A -> 2 none unknown
60 cid=C id=A -> 2 cid continue
90 cid=A id=B -> 1 cid continue
visit A - 0 1 2
visit C - 0 1 2
$$);
SELECT pg_temp.scenario('rule 2 before rule 4: the cid wins over the third-party cookie', $$
set use_third_party_id_cookie=on
0 tp=A -> 1 none unknown
30 cid=C tp=A -> 2 none unknown
visit A - 0 1 1
visit C - 0 1 1
$$);
SELECT pg_temp.scenario('rule 2: a cid in upper case is the same id', $$
0 cid=ABCDEFABCDEFABCD -> 1 none unknown
60 cid=abcdefabcdefabcd ip=198.51.100.1 -> 1 cid continue
visit abcdefabcdefabcd - 0 1 2
$$);

-- Rule 3: cookies are trusted and there is one: that id only
SELECT pg_temp.scenario('rule 3: found by cookie, another network', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
60 id=A ip=198.51.100.1 -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('rule 3: found by cookie, same fingerprint', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('rule 3: not found, same fingerprint: no fall-back', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
60 id=B -> 2 none unknown
120 id=A -> 1 cookie continue
visit A - 0 1 2
visit B - 0 1 1
$$);
SELECT pg_temp.scenario('rule 3: not found, other fingerprint', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
60 id=B ip=198.51.100.1 -> 2 none unknown
visit A - 0 1 1
visit B - 0 1 1
$$);
SELECT pg_temp.scenario('rule 3 needs an id: without one the fingerprint decides (rule 5)', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
60 -> 1 fingerprint continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('rule 3: the third-party cookie is trusted likewise', $$
set trust_visitors_cookies=on
set use_third_party_id_cookie=on
0 tp=A -> 1 none unknown
60 tp=B -> 2 none unknown
90 tp=A ip=198.51.100.1 -> 1 third_party_cookie continue
visit A - 0 1 2
visit B - 0 1 1
$$);

-- Rule 4: a cookie's id, then the fingerprint
SELECT pg_temp.scenario('rule 4: found by cookie, another network', $$
0 id=A -> 1 none unknown
60 id=A ip=198.51.100.1 -> 1 cookie continue
visit A - 0 1 2 ip=192.0.0.0
$$);
SELECT pg_temp.scenario('rule 4: found by cookie, same fingerprint', $$
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('rule 4: not found, the fingerprint joins; the visit keeps its id', $$
0 id=A -> 1 none unknown
60 id=B -> 1 fingerprint continue
120 id=A -> 1 cookie continue
visit A - 0 1 3
$$);
SELECT pg_temp.scenario('rule 4: not found, other fingerprint', $$
0 id=A -> 1 none unknown
60 id=B ip=198.51.100.1 -> 2 none unknown
visit A - 0 1 1
visit B - 0 1 1
$$);
SELECT pg_temp.scenario('rule 4: the id goes before the fingerprint, whose visit is newer', $$
0 id=A -> 1 none unknown
60 id=B ip=198.51.100.1 -> 2 none unknown
120 id=A ip=198.51.100.1 -> 1 cookie continue
visit A - 0 1 2
visit B - 0 1 1
$$);
SELECT pg_temp.scenario('rule 4: the third-party cookie goes before the first party''s', $$
set use_third_party_id_cookie=on
0 id=A -> 1 none unknown
60 id=B ip=198.51.100.1 -> 2 none unknown
120 tp=A id=B ip=203.0.113.1 -> 1 third_party_cookie continue
visit A - 0 1 2
visit B - 0 1 1
$$);
SELECT pg_temp.scenario('rule 4: the third-party cookie is not read unless enabled', $$
0 id=A -> 1 none unknown
60 tp=A ip=198.51.100.1 -> 2 none unknown
visit A - 0 1 1
visit ?1 - 0 1 1 profilable=0
$$);
SELECT pg_temp.scenario('rule 4: the third-party cookie in Matomo''s form, with a signature', $$
set use_third_party_id_cookie=on
0 id=A -> 1 none unknown
60 tp=0=YWFhYWFhYWFhYWFhYWFhYQ==:_=5ca1ab1e ip=198.51.100.1 -> 1 third_party_cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('rule 4: the third-party cookie is that of the name that is set', $$
set use_third_party_id_cookie=on
0 id=A -> 1 none unknown
60 tp=A tpname=other ip=198.51.100.1 -> 2 none unknown
visit A - 0 1 1
visit ?1 - 0 1 1
$$);
SELECT pg_temp.scenario('rule 4: an id in upper case is the same id', $$
0 id=ABCDEFABCDEFABCD -> 1 none unknown
60 id=abcdefabcdefabcd ip=198.51.100.1 -> 1 cookie continue cookie=abcdefabcdefabcd
visit abcdefabcdefabcd - 0 1 2
$$);
SELECT pg_temp.scenario('rule 4: of a longer id the first 16 characters count', $$
0 id=abcdef0123456789.1767225600.5. -> 1 none unknown cookie=abcdef0123456789
60 id=abcdef0123456789 ip=198.51.100.1 -> 1 cookie continue
visit abcdef0123456789 - 0 1 2
$$);
SELECT pg_temp.scenario('rule 4 needs an id: a short one, or one of other characters, is none', $$
0 id=abcdef012345678 -> 1 none unknown
60 id=abcdef012345678g -> 1 fingerprint continue
120 id=abcdef012345678 ip=198.51.100.1 -> 2 none unknown
visit ?1 - 0 1 2
visit ?2 - 0 1 1
$$);

-- Rule 5: nothing: the fingerprint only
SELECT pg_temp.scenario('rule 5: found by fingerprint', $$
0 -> 1 none unknown
60 -> 1 fingerprint continue
visit ?1 - 0 1 2 profilable=0
$$);
SELECT pg_temp.scenario('rule 5: other agent', $$
0 -> 1 none unknown
60 ua=Firefox/121.0 -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
config 1 <> 2
$$);
SELECT pg_temp.scenario('rule 5: other language', $$
0 -> 1 none unknown
60 lang=fr -> 2 none unknown
120 lang=EN;q=0.9 -> 1 fingerprint continue
visit ?1 - 0 1 2
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('rule 5: other plugins', $$
0 cookie=1 -> 1 none unknown
60 cookie=1 pdf=1 -> 2 none unknown
120 cookie=1 -> 1 fingerprint continue
visit ?1 - 0 1 2
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('rule 5: other network', $$
0 -> 1 none unknown
60 ip=198.51.100.1 -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('rule 5: finds the visit of a visitor with an id, which it keeps', $$
0 id=A -> 1 none unknown
60 -> 1 fingerprint continue
visit A - 0 1 2 profilable=1
$$);
SELECT pg_temp.scenario('rule 5, then rule 4: a visit begun without an id keeps its random one', $$
0 -> 1 none unknown
60 id=A -> 1 fingerprint continue
120 id=A ip=198.51.100.1 -> 2 none unknown
visit ?1 - 0 1 2 profilable=1
visit A - 0 1 1
$$);

-- Which of several visits
SELECT pg_temp.scenario('newest last action wins, though another visit began later', $$
0 id=A -> 1 none unknown
60 id=A new_visit=1 ip=198.51.100.1 -> 2 cookie new_visit
120 -> 1 fingerprint continue
180 id=A ip=203.0.113.1 -> 1 cookie continue
visit A - 0 1 3
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('among equal last actions the newest visit wins', $$
0 id=A -> 1 none unknown
60 id=A new_visit=1 ip=198.51.100.1 -> 2 cookie new_visit
60 -> 1 fingerprint continue
90 id=A ip=203.0.113.1 -> 2 cookie continue
visit A - 0 1 2
visit A - 1 2 2
$$);
SELECT pg_temp.scenario('a long visit is found behind one that began later', $$
0 id=A -> 1 none unknown
60 id=A new_visit=1 ip=198.51.100.1 -> 2 cookie new_visit
1500 -> 1 fingerprint continue
3000 -> 1 fingerprint continue
4500 -> 1 fingerprint continue
6000 id=A ip=203.0.113.1 -> 1 cookie continue
visit A - 0 1 5 time=6001
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('a very long visit is found by fingerprint behind many that began later', $$
set create_new_visit_after_midnight=off
from 2026-03-02 20:00:00+00
0 id=A -> 1 none unknown
1700 id=A -> 1 cookie continue
3400 id=A -> 1 cookie continue
5100 id=A -> 1 cookie continue
6800 id=A -> 1 cookie continue
8500 id=A -> 1 cookie continue
10200 id=A -> 1 cookie continue
11900 id=A -> 1 cookie continue
13600 id=A -> 1 cookie continue
15300 id=A -> 1 cookie continue
17000 id=A -> 1 cookie continue
18700 id=A -> 1 cookie continue
20400 id=A -> 1 cookie continue
22100 id=A -> 1 cookie continue
23800 id=A -> 1 cookie continue
10000 id=B ip=198.51.100.1 -> 2 none unknown
11000 id=B ip=198.51.100.1 new_visit=1 -> 3 cookie new_visit
25000 -> 1 fingerprint continue
visit A - 0 1 16
visit B - 0 1 1
visit B - 1 2 1
$$);
SELECT pg_temp.scenario('a late hit goes to the newest last action, not to the nearest', $$
0 id=A -> 1 none unknown
900 id=A new_visit=1 -> 2 cookie new_visit
100 id=A -> 2 cookie continue
visit A - 0 1 1
visit A - 1 2 2 first=900 last=900
$$);

-- The window's ends
SELECT pg_temp.scenario('window, rule 1: a gap of 1799 s', $$
0 uid=foo -> 1 none unknown
1799 uid=foo ip=198.51.100.1 -> 1 user_id continue
visit #foo foo 0 1 2 time=1800
$$);
SELECT pg_temp.scenario('window, rule 1: a gap of 1800 s', $$
0 uid=foo -> 1 none unknown
1800 uid=foo ip=198.51.100.1 -> 2 user_id inactivity
visit #foo foo 0 1 1 time=0
visit #foo foo 1 2 1
$$);
SELECT pg_temp.scenario('window, rule 1: a gap of 1801 s', $$
0 uid=foo -> 1 none unknown
1801 uid=foo ip=198.51.100.1 -> 2 none unknown
visit #foo foo 0 1 1
visit #foo foo 0 1 1
$$);
SELECT pg_temp.scenario('window, rule 2: a gap of 1799 s', $$
0 cid=C -> 1 none unknown
1799 cid=C ip=198.51.100.1 -> 1 cid continue
visit C - 0 1 2 time=1800
$$);
SELECT pg_temp.scenario('window, rule 2: a gap of 1800 s', $$
0 cid=C -> 1 none unknown
1800 cid=C ip=198.51.100.1 -> 2 cid inactivity
visit C - 0 1 1 time=0
visit C - 1 2 1
$$);
SELECT pg_temp.scenario('window, rule 2: a gap of 1801 s', $$
0 cid=C -> 1 none unknown
1801 cid=C ip=198.51.100.1 -> 2 none unknown
visit C - 0 1 1
visit C - 0 1 1
$$);
SELECT pg_temp.scenario('window, rule 4: a gap of 1799 s', $$
0 id=A -> 1 none unknown
1799 id=A ip=198.51.100.1 -> 1 cookie continue
visit A - 0 1 2 time=1800
$$);
SELECT pg_temp.scenario('window, rule 4: a gap of 1800 s', $$
0 id=A -> 1 none unknown
1800 id=A ip=198.51.100.1 -> 2 cookie inactivity
visit A - 0 1 1 time=0
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('window, rule 4: a gap of 1801 s', $$
0 id=A -> 1 none unknown
1801 id=A ip=198.51.100.1 -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('window, rule 3: a gap of 1799 s', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
1799 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('window, rule 3: a gap of 1800 s', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
1800 id=A -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('window, rule 3: a gap of 1801 s', $$
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
1801 id=A -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('window, rule 5: a gap of 1799 s', $$
0 -> 1 none unknown
1799 -> 1 fingerprint continue
visit ?1 - 0 1 2
$$);
SELECT pg_temp.scenario('window, rule 5: a gap of 1800 s', $$
0 -> 1 none unknown
1800 -> 2 fingerprint inactivity
visit ?1 - 0 1 1
visit ?1 - 1 2 1
$$);
SELECT pg_temp.scenario('window, rule 5: a gap of 1801 s', $$
0 -> 1 none unknown
1801 -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('window: beyond it neither id nor fingerprint finds', $$
0 id=A -> 1 none unknown
1801 id=A -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('window: the half hour is measured from the last action', $$
0 id=A -> 1 none unknown
1799 id=A -> 1 cookie continue
3598 id=A -> 1 cookie continue
5397 id=A -> 1 cookie continue
7197 id=A -> 2 cookie inactivity
visit A - 0 1 4 first=0 last=5397 time=5398
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('window: a hit 1800 s late joins', $$
1800 id=A -> 1 none unknown
0 id=A -> 1 cookie continue
visit A - 0 1 2 first=1800 last=1800 time=0
$$);
SELECT pg_temp.scenario('window: a hit 1801 s late does not', $$
1801 id=A -> 1 none unknown
0 id=A -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('window: a late hit joins by fingerprint', $$
1800 -> 1 none unknown
0 -> 1 fingerprint continue
visit ?1 - 0 1 2 first=1800 last=1800
$$);
SELECT pg_temp.scenario('window: a hit 1801 s late does not join by fingerprint', $$
1801 -> 1 none unknown
0 -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('look-back 3600: found to the end, the visit is over', $$
set window_look_back_for_visitor=3600
0 id=A -> 1 none unknown
3600 id=A ip=198.51.100.1 -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 2 1 since_first=3600 since_last=3600
$$);
SELECT pg_temp.scenario('look-back 3600: not found one second later', $$
set window_look_back_for_visitor=3600
0 id=A -> 1 none unknown
3601 id=A -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('look-back 3600: the fingerprint likewise', $$
set window_look_back_for_visitor=3600
0 -> 1 none unknown
3600 -> 2 fingerprint inactivity
7201 -> 3 none unknown
visit ?1 - 0 1 1
visit ?1 - 1 2 1
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('look-back 86400: found to the end, the visit is over', $$
set window_look_back_for_visitor=86400
0 id=A -> 1 none unknown
86400 id=A ip=198.51.100.1 -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 2 1 since_first=86400 since_last=86400
$$);
SELECT pg_temp.scenario('look-back 86400: not found one second later', $$
set window_look_back_for_visitor=86400
0 id=A -> 1 none unknown
86401 id=A -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('look-back 86400: the fingerprint likewise', $$
set window_look_back_for_visitor=86400
0 -> 1 none unknown
86400 -> 2 fingerprint inactivity
172801 -> 3 none unknown
visit ?1 - 0 1 1
visit ?1 - 1 2 1
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('look-back 3600 does not lengthen the look-ahead', $$
set window_look_back_for_visitor=3600
1801 id=A -> 1 none unknown
0 id=A -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('look-back 3600: half an hour still ends the visit', $$
set window_look_back_for_visitor=3600
0 id=A -> 1 none unknown
1799 id=A -> 1 cookie continue
3599 id=A -> 2 cookie inactivity
visit A - 0 1 2
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('look-back below visit_standard_length does not shorten the window', $$
set window_look_back_for_visitor=60
0 id=A -> 1 none unknown
1800 id=A -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('visit_standard_length 600: 599 s', $$
set visit_standard_length=600
0 id=A -> 1 none unknown
599 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('visit_standard_length 600: 600 s', $$
set visit_standard_length=600
0 id=A -> 1 none unknown
600 id=A -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('visit_standard_length 600: 601 s', $$
set visit_standard_length=600
0 id=A -> 1 none unknown
601 id=A -> 2 none unknown
visit A - 0 1 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('visit_standard_length 600: late hits', $$
set visit_standard_length=600
1800 id=A -> 1 none unknown
1200 id=A -> 1 cookie continue
1199 id=A -> 2 none unknown
visit A - 0 1 2
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('visit_standard_length 7200: two hours of patience', $$
set visit_standard_length=7200
0 id=A -> 1 none unknown
7199 id=A -> 1 cookie continue
14399 id=A -> 2 cookie inactivity
visit A - 0 1 2
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('visit_standard_length 600 with look-back 1800', $$
set visit_standard_length=600
set window_look_back_for_visitor=1800
0 id=A -> 1 none unknown
1800 id=A -> 2 cookie inactivity
3601 id=A -> 3 none unknown
visit A - 0 1 1
visit A - 1 2 1
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('visit_standard_length shortened and lengthened in mid-stream', $$
0 id=A -> 1 none unknown
1000 id=A -> 1 cookie continue
set visit_standard_length=300
1300 id=A -> 2 cookie inactivity
set visit_standard_length=7200
8000 id=A -> 2 cookie continue
visit A - 0 1 2
visit A - 1 2 2
$$);

-- Returning visitors: what the cookie says
SELECT pg_temp.scenario('returning by _idvc=1', $$
0 id=A _idvc=1 -> 1 none unknown
visit A - 0 1 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('returning by _idvc=2', $$
0 id=A _idvc=2 -> 1 none unknown
visit A - 1 2 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('returning by _idvc=7', $$
0 id=A _idvc=7 -> 1 none unknown
visit A - 1 7 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('returning by _idvc=0', $$
0 id=A _idvc=0 -> 1 none unknown
visit A - 0 1 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('returning by _idvc=-3', $$
0 id=A _idvc=-3 -> 1 none unknown
visit A - 0 1 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('returning by _idvc=x', $$
0 id=A _idvc=x -> 1 none unknown
visit A - 0 1 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('returning by _idvc=02', $$
0 id=A _idvc=02 -> 1 none unknown
visit A - 0 1 1 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('count = max(_idvc, previous + 1): the cookie''s is greater', $$
0 id=A -> 1 none unknown
1800 id=A _idvc=7 -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 7 1
$$);
SELECT pg_temp.scenario('count = max(_idvc, previous + 1): the previous one is greater', $$
0 id=A _idvc=7 -> 1 none unknown
1800 id=A _idvc=3 -> 2 cookie inactivity
3600 id=A -> 3 cookie inactivity
visit A - 1 7 1
visit A - 1 8 1
visit A - 1 9 1
$$);
SELECT pg_temp.scenario('returning by _idts, 43199 s old', $$
0 id=A _idts=@-43199 -> 1 none unknown
visit A - 0 1 1 since_first=43199
$$);
SELECT pg_temp.scenario('returning by _idts, 43200 s old', $$
0 id=A _idts=@-43200 -> 1 none unknown
visit A - 1 1 1 since_first=43200
$$);
SELECT pg_temp.scenario('returning by _idts, 0 s old', $$
0 id=A _idts=@-0 -> 1 none unknown
visit A - 0 1 1 since_first=0
$$);
SELECT pg_temp.scenario('returning by _idts, 630719999 s old', $$
0 id=A _idts=@-630719999 -> 1 none unknown
visit A - 1 1 1 since_first=630719999
$$);
SELECT pg_temp.scenario('returning by _idts, 630720000 s old', $$
0 id=A _idts=@-630720000 -> 1 none unknown
visit A - 0 1 1 since_first=0
$$);
SELECT pg_temp.scenario('returning by _idts in the future: not believed', $$
0 id=A _idts=@1 -> 1 none unknown
visit A - 0 1 1 since_first=0
$$);
SELECT pg_temp.scenario('returning by _idts that is no number: not believed', $$
0 id=A _idts=yesterday -> 1 none unknown
visit A - 0 1 1 since_first=0
$$);
SELECT pg_temp.scenario('returning by _viewts, 43199 s old', $$
0 id=A _viewts=@-43199 -> 1 none unknown
visit A - 0 1 1 since_last=43199
$$);
SELECT pg_temp.scenario('returning by _viewts, 43200 s old', $$
0 id=A _viewts=@-43200 -> 1 none unknown
visit A - 1 1 1 since_last=43200
$$);
SELECT pg_temp.scenario('returning by _viewts, 0 s old', $$
0 id=A _viewts=@-0 -> 1 none unknown
visit A - 0 1 1 since_last=0
$$);
SELECT pg_temp.scenario('returning by _viewts, 630719999 s old', $$
0 id=A _viewts=@-630719999 -> 1 none unknown
visit A - 1 1 1 since_last=630719999
$$);
SELECT pg_temp.scenario('returning by _viewts, 630720000 s old', $$
0 id=A _viewts=@-630720000 -> 1 none unknown
visit A - 0 1 1 since_last=0
$$);
SELECT pg_temp.scenario('returning by _viewts in the future: not believed', $$
0 id=A _viewts=@1 -> 1 none unknown
visit A - 0 1 1 since_last=0
$$);
SELECT pg_temp.scenario('returning by _viewts that is no number: not believed', $$
0 id=A _viewts=yesterday -> 1 none unknown
visit A - 0 1 1 since_last=0
$$);
SELECT pg_temp.scenario('returning customer by _ects, 0 s old', $$
0 id=A _ects=@-0 -> 1 none unknown
visit A - 2 1 1 since_order=0
$$);
SELECT pg_temp.scenario('returning customer by _ects, 1 s old', $$
0 id=A _ects=@-1 -> 1 none unknown
visit A - 2 1 1 since_order=1
$$);
SELECT pg_temp.scenario('returning customer by _ects, 43200 s old', $$
0 id=A _ects=@-43200 -> 1 none unknown
visit A - 2 1 1 since_order=43200
$$);
SELECT pg_temp.scenario('returning customer by _ects, 630719999 s old', $$
0 id=A _ects=@-630719999 -> 1 none unknown
visit A - 2 1 1 since_order=630719999
$$);
SELECT pg_temp.scenario('returning customer by _ects, 630720000 s old', $$
0 id=A _ects=@-630720000 -> 1 none unknown
visit A - 0 1 1 since_order=null
$$);
SELECT pg_temp.scenario('returning customer by _ects in the future: not believed', $$
0 id=A _ects=@1 -> 1 none unknown
visit A - 0 1 1 since_order=null
$$);
SELECT pg_temp.scenario('returning customer goes before returning', $$
0 id=A _idvc=5 _idts=@-90000 _viewts=@-50000 _ects=@-60000 -> 1 none unknown
visit A - 2 5 1 since_first=90000 since_last=50000 since_order=60000
$$);
SELECT pg_temp.scenario('returning by a previous visit; times count from its beginning', $$
0 id=A -> 1 none unknown
1000 id=A -> 1 cookie continue
2800 id=A -> 2 cookie inactivity
4600 id=A -> 3 cookie inactivity
visit A - 0 1 2 since_first=0 since_last=0 since_order=null
visit A - 1 2 1 since_first=2800 since_last=2800 since_order=null
visit A - 1 3 1 since_first=4600 since_last=1800 since_order=null
$$);
SELECT pg_temp.scenario('the cookie''s times go before those of the previous visit', $$
0 id=A -> 1 none unknown
1800 id=A _idts=@-50 _viewts=@-40 -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 2 1 since_first=50 since_last=40
$$);
SELECT pg_temp.scenario('times that are not believed: those of the previous visit', $$
0 id=A _idts=@-100 -> 1 none unknown
1800 id=A _idts=@1 _viewts=@-630720000 -> 2 cookie inactivity
visit A - 0 1 1 since_first=100
visit A - 1 2 1 since_first=1900 since_last=1800
$$);
SELECT pg_temp.scenario('a previous visit has an order: returning customer', $$
0 id=A _ects=@-100 -> 1 none unknown
1800 id=A -> 2 cookie inactivity
3600 id=A -> 3 cookie inactivity
visit A - 2 1 1 since_order=100
visit A - 2 2 1 since_order=1900
visit A - 2 3 1 since_order=3700
$$);
SELECT pg_temp.scenario('a previous visit''s order just now counts too', $$
0 id=A _ects=@0 -> 1 none unknown
1800 id=A -> 2 cookie inactivity
visit A - 2 1 1 since_order=0
visit A - 2 2 1 since_order=1800
$$);
SELECT pg_temp.scenario('a visit that goes on does not become returning', $$
0 id=A -> 1 none unknown
60 id=A _idvc=9 _idts=@-90000 _viewts=@-90000 _ects=@-5 -> 1 cookie continue
visit A - 0 1 2 since_first=0 since_last=0 since_order=null
$$);
SELECT pg_temp.scenario('known by fingerprint is returning too', $$
0 -> 1 none unknown
1800 -> 2 fingerprint inactivity
visit ?1 - 0 1 1
visit ?1 - 1 2 1 since_first=1800 since_last=1800
$$);

-- Addresses: what enters the fingerprint, and what is stored
SELECT pg_temp.scenario('masked (level 2): the same /16 joins, another does not', $$
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.0.77.9 -> 1 fingerprint continue
120 ip=192.1.2.1 -> 2 none unknown
visit ?1 - 0 1 2 ip=192.0.0.0
visit ?2 - 0 1 1 ip=192.1.0.0
$$);
SELECT pg_temp.scenario('fingerprint_ip full: only the same address joins; what is stored is masked', $$
set fingerprint_ip=full
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.0.2.2 -> 2 none unknown
120 ip=192.0.2.1 -> 1 fingerprint continue
visit ?1 - 0 1 2 ip=192.0.0.0
visit ?2 - 0 1 1 ip=192.0.0.0
config 1 <> 2
$$);
SELECT pg_temp.scenario('level 0: only the same address joins, it is stored whole', $$
set ip_mask_level=0
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.0.2.2 -> 2 none unknown
120 ip=192.0.2.1 -> 1 fingerprint continue
visit ?1 - 0 1 2 ip=192.0.2.1
visit ?2 - 0 1 1 ip=192.0.2.2
$$);
SELECT pg_temp.scenario('level 1: the same /24 joins', $$
set ip_mask_level=1
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.0.2.77 -> 1 fingerprint continue
120 ip=192.0.3.1 -> 2 none unknown
visit ?1 - 0 1 2 ip=192.0.2.0
visit ?2 - 0 1 1 ip=192.0.3.0
$$);
SELECT pg_temp.scenario('level 3: the same /8 joins', $$
set ip_mask_level=3
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.255.2.77 -> 1 fingerprint continue
120 ip=193.0.2.1 -> 2 none unknown
visit ?1 - 0 1 2 ip=192.0.0.0
visit ?2 - 0 1 1 ip=193.0.0.0
$$);
SELECT pg_temp.scenario('level 4: masked whole there is no fingerprint, never matched', $$
set ip_mask_level=4
0 -> 1 none unknown
60 -> 2 none unknown
120 id=A -> 3 none unknown
180 id=A -> 3 cookie continue
240 id=B -> 4 none unknown
visit ?1 - 0 1 1 ip=0.0.0.0
visit ?2 - 0 1 1 ip=0.0.0.0
visit A - 0 1 2 ip=0.0.0.0
visit B - 0 1 1
config 1 none
config 3 none
$$);
SELECT pg_temp.scenario('level 4 with fingerprint_ip full: there is one', $$
set ip_mask_level=4
set fingerprint_ip=full
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.0.2.1 -> 1 fingerprint continue
120 ip=192.0.2.2 -> 2 none unknown
visit ?1 - 0 1 2 ip=0.0.0.0
visit ?2 - 0 1 1 ip=0.0.0.0
$$);
SELECT pg_temp.scenario('IPv6, level 2: the same /48 joins', $$
0 ip=2001:db8:1:1::1 -> 1 none unknown
60 ip=2001:db8:1:ffff::2 -> 1 fingerprint continue
120 ip=2001:db8:2::1 -> 2 none unknown
visit ?1 - 0 1 2 ip=2001:db8:1::
visit ?2 - 0 1 1 ip=2001:db8:2::
$$);
SELECT pg_temp.scenario('IPv6, level 1: the same /64 joins', $$
set ip_mask_level=1
0 ip=2001:db8:1:1::1 -> 1 none unknown
60 ip=2001:db8:1:1:ffff::2 -> 1 fingerprint continue
120 ip=2001:db8:1:2::1 -> 2 none unknown
visit ?1 - 0 1 2 ip=2001:db8:1:1::
visit ?2 - 0 1 1 ip=2001:db8:1:2::
$$);
SELECT pg_temp.scenario('IPv6, level 4: no fingerprint', $$
set ip_mask_level=4
0 ip=2001:db8::1 -> 1 none unknown
60 ip=2001:db8::1 -> 2 none unknown
visit ?1 - 0 1 1 ip=::
visit ?2 - 0 1 1 ip=::
config 1 none
$$);
SELECT pg_temp.scenario('IPv4 in IPv6: masked as IPv4', $$
0 ip=::ffff:192.0.2.1 -> 1 none unknown
60 ip=::ffff:192.0.3.1 -> 1 fingerprint continue
120 ip=::ffff:192.1.3.1 -> 2 none unknown
visit ?1 - 0 1 2 ip=192.0.0.0
visit ?2 - 0 1 1 ip=192.1.0.0
$$);
SELECT pg_temp.scenario('no address at all: no fingerprint, never matched', $$
0 ip=none -> 1 none unknown
60 ip=none -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
config 1 none
config 2 none
$$);
SELECT pg_temp.scenario('no address, full: neither', $$
set fingerprint_ip=full
0 ip=none -> 1 none unknown
60 ip=none -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
config 1 none
$$);
SELECT pg_temp.scenario('no address: ids are found all the same', $$
0 ip=none id=A -> 1 none unknown
60 ip=none id=A -> 1 cookie continue
120 ip=none id=B -> 2 none unknown
180 ip=none uid=foo -> 3 none unknown
240 ip=none uid=foo -> 3 user_id continue
visit A - 0 1 2
visit B - 0 1 1
visit #foo foo 0 1 2
$$);
SELECT pg_temp.scenario('an address of zeros is none', $$
0 ip=0.0.0.0 -> 1 none unknown
60 ip=0.0.0.0 -> 2 none unknown
120 ip=:: -> 3 none unknown
180 ip=:: -> 4 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
visit ?3 - 0 1 1
visit ?4 - 0 1 1
config 1 none
config 3 none
$$);
SELECT pg_temp.scenario('the FAQ''s switch off: the full address enters the fingerprint', $$
set use_anonymized_ip_for_visit_enrichment=off
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.0.2.2 -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('the FAQ''s switch on: the masked one does', $$
set use_anonymized_ip_for_visit_enrichment=on
0 ip=192.0.2.1 -> 1 none unknown
60 ip=192.0.99.2 -> 1 fingerprint continue
visit ?1 - 0 1 2
$$);

-- Across websites
SELECT pg_temp.scenario('each site has fingerprints of its own', $$
0 site=1 -> 1 none unknown
60 site=2 -> 2 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
config 1 <> 2
$$);
SELECT pg_temp.scenario('across websites the fingerprints are equal, visits never joined', $$
set enable_fingerprinting_across_websites=on
0 site=1 -> 1 none unknown
60 site=2 -> 2 none unknown
120 site=1 -> 1 fingerprint continue
180 site=2 -> 2 fingerprint continue
visit ?1 - 0 1 2
visit ?2 - 0 1 2
config 1 = 2
$$);
SELECT pg_temp.scenario('ids do not join visits of two sites, nor make their visitor known', $$
0 site=1 id=A -> 1 none unknown
60 site=2 id=A -> 2 none unknown
120 site=1 uid=foo ip=198.51.100.1 -> 3 none unknown
180 site=2 uid=foo ip=198.51.100.1 -> 4 none unknown
240 site=1 cid=C -> 5 none unknown
300 site=2 cid=C -> 6 none unknown
visit A - 0 1 1
visit A - 0 1 1
visit #foo foo 0 1 1
visit #foo foo 0 1 1
visit C - 0 1 1
visit C - 0 1 1
$$);

-- Fingerprints and cookies switched off
SELECT pg_temp.scenario('use_fingerprint off: nothing but ids', $$
set use_fingerprint=off
0 -> 1 none unknown
60 -> 2 none unknown
120 id=A -> 3 none unknown
180 id=A -> 3 cookie continue
240 id=B -> 4 none unknown
300 uid=foo id=A -> 5 none unknown
visit ?1 - 0 1 1
visit ?2 - 0 1 1
visit A - 0 1 2
visit B - 0 1 1
visit #foo foo 0 1 1
config 1 none
config 3 none
$$);
SELECT pg_temp.scenario('force_cookieless_tracking: cookie ids are ignored', $$
set force_cookieless_tracking=on
0 id=A -> 1 none unknown cookie=none
60 id=A ip=198.51.100.1 -> 2 none unknown cookie=none
120 id=B -> 1 fingerprint continue cookie=none
visit ?1 - 0 1 2 profilable=0
visit ?2 - 0 1 1 profilable=0
$$);
SELECT pg_temp.scenario('force_cookieless_tracking: the third-party cookie too', $$
set force_cookieless_tracking=on
set use_third_party_id_cookie=on
0 tp=A -> 1 none unknown cookie=none
60 tp=A ip=198.51.100.1 -> 2 none unknown cookie=none
visit ?1 - 0 1 1
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('force_cookieless_tracking: cid and user id still work', $$
set force_cookieless_tracking=on
0 cid=C id=A -> 1 none unknown cookie=none
60 cid=C ip=198.51.100.1 -> 1 cid continue cookie=none
120 uid=foo ip=203.0.113.1 -> 2 none unknown cookie=none
180 uid=foo -> 2 user_id continue cookie=none
visit C - 0 1 2
visit #foo foo 0 1 2
$$);
SELECT pg_temp.scenario('force_cookieless_tracking with trust: nothing to trust', $$
set force_cookieless_tracking=on
set trust_visitors_cookies=on
0 id=A -> 1 none unknown
60 id=B -> 1 fingerprint continue
visit ?1 - 0 1 2
$$);

-- enable_userid_overwrites_visitorid off: the user id gives no visitor id, rules 2 to 5 decide
SELECT pg_temp.scenario('overwrite off: found by cookie', $$
set enable_userid_overwrites_visitorid=off
0 uid=foo id=A -> 1 none unknown
60 uid=foo id=A ip=198.51.100.1 -> 1 cookie continue
visit A foo 0 1 2
$$);
SELECT pg_temp.scenario('overwrite off: a user alone is found by fingerprint only', $$
set enable_userid_overwrites_visitorid=off
0 uid=foo -> 1 none unknown
60 uid=foo -> 1 fingerprint continue
120 uid=foo ip=198.51.100.1 -> 2 none unknown
visit ?1 foo 0 1 2 profilable=0
visit ?2 foo 0 1 1
$$);
SELECT pg_temp.scenario('overwrite off: cid only', $$
set enable_userid_overwrites_visitorid=off
0 uid=foo cid=C -> 1 none unknown
60 uid=foo cid=D -> 2 none unknown
120 uid=foo cid=C ip=198.51.100.1 -> 1 cid continue
visit C foo 0 1 2
visit D foo 0 1 1
$$);
SELECT pg_temp.scenario('overwrite off: trusted cookie only', $$
set enable_userid_overwrites_visitorid=off
set trust_visitors_cookies=on
0 uid=foo id=A -> 1 none unknown
60 uid=foo id=B -> 2 none unknown
visit A foo 0 1 1
visit B foo 0 1 1
$$);
SELECT pg_temp.scenario('overwrite off: another user begins a visit of a known visitor', $$
set enable_userid_overwrites_visitorid=off
0 uid=foo id=A -> 1 none unknown
60 uid=bar id=A -> 2 cookie user_changed
visit A foo 0 1 1
visit A bar 1 2 1
$$);
SELECT pg_temp.scenario('overwrite off: anonymous, foo, anonymous, bar', $$
set enable_userid_overwrites_visitorid=off
0 id=A -> 1 none unknown
60 id=A uid=foo -> 1 cookie continue
120 id=A -> 1 cookie continue
180 id=A uid=bar -> 2 cookie user_changed
visit A foo 0 1 3
visit A bar 1 2 1
$$);
SELECT pg_temp.scenario('overwrite off: user changed by fingerprint', $$
set enable_userid_overwrites_visitorid=off
0 uid=foo -> 1 none unknown
60 uid=bar -> 2 fingerprint user_changed
visit ?1 foo 0 1 1
visit ?1 bar 1 2 1
$$);
SELECT pg_temp.scenario('overwrite on: a later user id overwrites the visit''s', $$
0 uid=foo -> 1 none unknown
60 uid=bar -> 1 fingerprint continue
120 -> 1 fingerprint continue
visit #bar bar 0 1 3
$$);
SELECT pg_temp.scenario('anonymize_user_id: a pseudonym is stored, and hashed', $$
set anonymize_user_id=on
0 uid=foo -> 1 none unknown
60 uid=foo ip=198.51.100.1 -> 1 user_id continue
120 uid=bar ip=203.0.113.1 -> 2 none unknown
visit #~ ~ 0 1 2
visit #~ ~ 0 1 1
$$);

-- Midnight
SELECT pg_temp.scenario('midnight: UTC', $$
zone UTC
from 2026-03-02 23:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: New York, its own midnight', $$
zone America/New_York
from 2026-03-03 04:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: New York, midnight of UTC', $$
zone America/New_York
from 2026-03-02 23:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: New York, the midnight after clocks went forward', $$
zone America/New_York
from 2026-03-09 03:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: New York, where midnight was the day before', $$
zone America/New_York
from 2026-03-09 04:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: New York, the midnight after clocks went back', $$
zone America/New_York
from 2026-11-02 04:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: New York, where midnight was before clocks went back', $$
zone America/New_York
from 2026-11-02 03:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: Berlin, the midnight before clocks go forward', $$
zone Europe/Berlin
from 2026-03-28 22:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: Berlin, clocks go forward', $$
zone Europe/Berlin
from 2026-03-29 00:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: Berlin, the midnight after clocks went forward', $$
zone Europe/Berlin
from 2026-03-29 21:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: Berlin, where midnight was the day before', $$
zone Europe/Berlin
from 2026-03-29 22:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: Berlin, the midnight before clocks go back', $$
zone Europe/Berlin
from 2026-10-24 21:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: Berlin, clocks go back', $$
zone Europe/Berlin
from 2026-10-25 00:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: Berlin, the midnight after clocks went back', $$
zone Europe/Berlin
from 2026-10-25 22:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: Berlin, where midnight was before clocks went back', $$
zone Europe/Berlin
from 2026-10-25 21:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: the first second of the day, and the last', $$
from 2026-03-03 00:00:00+00
-1 id=A -> 1 none unknown
0 id=A -> 2 cookie midnight
1700 id=A -> 2 cookie continue
visit A - 0 1 1
visit A - 1 2 2
$$);
SELECT pg_temp.scenario('midnight: by fingerprint', $$
from 2026-03-02 23:59:30+00
0 -> 1 none unknown
60 -> 2 fingerprint midnight
visit ?1 - 0 1 1
visit ?1 - 1 2 1
$$);
SELECT pg_temp.scenario('midnight: a late hit of the day before', $$
from 2026-03-03 00:00:00+00
30 id=A -> 1 none unknown
-30 id=A -> 2 cookie midnight
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('midnight off', $$
set create_new_visit_after_midnight=off
from 2026-03-02 23:59:30+00
0 id=A -> 1 none unknown
60 id=A -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('midnight: the time zone is changed in mid-stream', $$
from 2026-03-02 23:30:00+00
0 id=A -> 1 none unknown
zone America/New_York
1790 id=A -> 1 cookie continue
1860 id=A -> 1 cookie continue
zone UTC
1870 id=A -> 1 cookie continue
visit A - 0 1 4
$$);
SELECT pg_temp.scenario('midnight: inactivity is named first', $$
from 2026-03-02 23:59:30+00
0 id=A -> 1 none unknown
1800 id=A -> 2 cookie inactivity
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('daily salts: after midnight the fingerprint is another', $$
set fingerprint_salt_rotation=daily
from 2026-03-02 23:58:00+00
0 -> 1 none unknown
60 -> 1 fingerprint continue
180 -> 2 none unknown
visit ?1 - 0 1 2
visit ?2 - 0 1 1
config 1 <> 2
$$);
SELECT pg_temp.scenario('daily salts have no effect where visits run over midnight', $$
set fingerprint_salt_rotation=daily
set create_new_visit_after_midnight=off
from 2026-03-02 23:58:00+00
0 -> 1 none unknown
180 -> 1 fingerprint continue
visit ?1 - 0 1 2
$$);
SELECT pg_temp.scenario('daily salts have no effect where fingerprints cross websites', $$
set fingerprint_salt_rotation=daily
set enable_fingerprinting_across_websites=on
from 2026-03-02 23:58:00+00
0 -> 1 none unknown
180 -> 2 fingerprint midnight
visit ?1 - 0 1 1
visit ?1 - 1 2 1
config 1 = 2
$$);

-- Limits
SELECT pg_temp.scenario('create_new_visit_after_x_actions: the visitor starts again from nothing', $$
set create_new_visit_after_x_actions=3
0 id=A -> 1 none unknown
10 id=A -> 1 cookie continue
20 id=A -> 1 cookie continue
30 id=A -> 2 cookie limit cookie=A
visit A - 0 1 3
visit A - 0 1 1 since_first=0 since_last=0
$$);
SELECT pg_temp.scenario('create_new_visit_after_x_actions: without an id, under a new one', $$
set create_new_visit_after_x_actions=2
0 -> 1 none unknown
10 -> 1 fingerprint continue
20 -> 2 fingerprint limit cookie=visit
visit ?1 - 0 1 2
visit ?2 - 0 1 1
$$);
SELECT pg_temp.scenario('create_new_visit_after_x_actions off', $$
set create_new_visit_after_x_actions=0
0 id=A -> 1 none unknown
10 id=A -> 1 cookie continue
20 id=A -> 1 cookie continue
visit A - 0 1 3
$$);
SELECT pg_temp.scenario('session_max_duration: split, the visitor stays known', $$
set session_max_duration=600
0 id=A -> 1 none unknown
599 id=A -> 1 cookie continue
600 id=A -> 2 cookie limit
700 id=A -> 2 cookie continue
visit A - 0 1 2
visit A - 1 2 2
$$);
SELECT pg_temp.scenario('session_max_duration, split_and_exclude: what follows does not count', $$
set session_max_duration=600
set session_limit_exceeded_action=split_and_exclude
0 id=A -> 1 none unknown
599 id=A -> 1 cookie continue
600 id=A -> excluded session_limit
1000 id=A -> excluded session_limit
2399 id=A -> 2 cookie inactivity
visit A - 0 1 2
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('session_max_duration, split_and_exclude: a new visit may be asked for', $$
set session_max_duration=600
set session_limit_exceeded_action=split_and_exclude
0 id=A -> 1 none unknown
600 id=A -> excluded session_limit
700 id=A new_visit=1 -> 2 cookie new_visit
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('create_new_visit_after_x_actions with split_and_exclude', $$
set create_new_visit_after_x_actions=2
set session_limit_exceeded_action=split_and_exclude
0 id=A -> 1 none unknown
10 id=A -> 1 cookie continue
20 id=A -> excluded session_limit
1810 id=A -> 2 cookie limit
visit A - 0 1 2
visit A - 0 1 1
$$);

-- new_visit, and which id a new visit has
SELECT pg_temp.scenario('new_visit=1 begins a visit of a known visitor', $$
0 id=A -> 1 none unknown
60 id=A new_visit=1 -> 2 cookie new_visit
120 id=A -> 2 cookie continue
visit A - 0 1 1
visit A - 1 2 2
$$);
SELECT pg_temp.scenario('new_visit=1 of an unknown visitor', $$
0 id=A new_visit=1 -> 1 none unknown
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('new_visit=0 is nothing', $$
0 id=A -> 1 none unknown
60 id=A new_visit=0 -> 1 cookie continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('new_visit is named before inactivity and midnight', $$
from 2026-03-02 23:59:30+00
0 id=A -> 1 none unknown
1800 id=A new_visit=1 -> 2 cookie new_visit
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('a new visit takes the earlier idvisitor, not the hit''s', $$
0 id=A -> 1 none unknown
60 id=B new_visit=1 -> 2 fingerprint new_visit cookie=B
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('a new visit takes the earlier idvisitor, the hit has none', $$
0 id=A -> 1 none unknown
60 new_visit=1 -> 2 fingerprint new_visit cookie=fresh
visit A - 0 1 1
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('a new visit of a known visitor: a user id''s hash goes before the earlier id', $$
0 id=A -> 1 none unknown
60 uid=foo new_visit=1 -> 2 fingerprint new_visit cookie=fresh
visit A - 0 1 1
visit #foo foo 1 2 1
$$);
SELECT pg_temp.scenario('a new visit after logout takes the earlier idvisitor, but no user', $$
0 uid=foo -> 1 none unknown
60 id=A new_visit=1 -> 2 fingerprint new_visit cookie=A
visit #foo foo 0 1 1
visit #foo - 1 2 1
$$);

-- The cookie to set
SELECT pg_temp.scenario('cookie: an unknown visitor gets the visit''s id', $$
0 -> 1 none unknown cookie=visit
visit ?1 - 0 1 1
$$);
SELECT pg_temp.scenario('cookie: an unknown visitor with an id keeps it', $$
0 id=A -> 1 none unknown cookie=A
60 cid=C -> 2 none unknown cookie=C
visit A - 0 1 1
visit C - 0 1 1
$$);
SELECT pg_temp.scenario('cookie: a known visitor keeps its own', $$
0 id=A -> 1 none unknown cookie=A
60 id=A ip=198.51.100.1 -> 1 cookie continue cookie=A
1860 id=A ip=198.51.100.1 -> 2 cookie inactivity cookie=A
visit A - 0 1 2
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('cookie: a visitor joined by fingerprint keeps its own', $$
0 id=A -> 1 none unknown
60 id=B -> 1 fingerprint continue cookie=B
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('cookie: a visitor joined by fingerprint without an id gets a fresh one', $$
0 id=A -> 1 none unknown
60 -> 1 fingerprint continue cookie=fresh
1860 -> 2 fingerprint inactivity cookie=fresh
visit A - 0 1 2
visit A - 1 2 1
$$);
SELECT pg_temp.scenario('cookie: never a user id''s hash', $$
0 uid=foo -> 1 none unknown cookie=fresh
60 uid=foo ip=198.51.100.1 -> 1 user_id continue cookie=fresh
120 uid=foo id=A -> 1 user_id continue cookie=A
180 uid=bar id=B ip=203.0.113.1 -> 2 none unknown cookie=B
visit #foo foo 0 1 3
visit #bar bar 0 1 1
$$);
SELECT pg_temp.scenario('cookie: nor that of a visit matched by fingerprint', $$
0 uid=foo -> 1 none unknown
60 -> 1 fingerprint continue cookie=fresh
120 new_visit=1 -> 2 fingerprint new_visit cookie=fresh
visit #foo foo 0 1 2
visit #foo - 1 2 1
$$);
SELECT pg_temp.scenario('cookie: the third-party id is kept', $$
set use_third_party_id_cookie=on
0 tp=A id=B -> 1 none unknown cookie=A
60 tp=A -> 1 third_party_cookie continue cookie=A
visit A - 0 1 2
$$);

-- fingerprint_joins_known_ids off: a fingerprint joins no two ids
SELECT pg_temp.scenario('strangers: two cookies, one fingerprint', $$
set fingerprint_joins_known_ids=off
0 id=A -> 1 none unknown cookie=A
10 id=B -> 2 none unknown cookie=B
20 id=A -> 1 cookie continue
30 id=B ip=198.51.100.1 -> 2 cookie continue
visit A - 0 1 2 profilable=1
visit B - 0 1 2 profilable=1
$$);
SELECT pg_temp.scenario('strangers: by default they are one, as the FAQ says', $$
0 id=A -> 1 none unknown
10 id=B -> 1 fingerprint continue
visit A - 0 1 2
$$);
SELECT pg_temp.scenario('strangers: a visit without an id takes that of the first hit that has one', $$
set fingerprint_joins_known_ids=off
0 -> 1 none unknown cookie=visit
60 id=A -> 1 fingerprint continue cookie=A
120 id=B -> 2 none unknown
180 id=A ip=198.51.100.1 -> 1 cookie continue
visit A - 0 1 3 profilable=1
visit B - 0 1 1
$$);
SELECT pg_temp.scenario('strangers: what is claimed is passed over, the next best is taken', $$
set fingerprint_joins_known_ids=off
0 -> 1 none unknown
30 cid=C -> 2 none unknown
60 id=A -> 1 fingerprint continue
visit A - 0 1 2
visit C - 0 1 1
$$);
SELECT pg_temp.scenario('strangers: a hit without an id joins any visit', $$
set fingerprint_joins_known_ids=off
0 id=A -> 1 none unknown
60 -> 1 fingerprint continue cookie=fresh
120 id=B -> 2 none unknown
180 -> 2 fingerprint continue
visit A - 0 1 2
visit B - 0 1 2
$$);
SELECT pg_temp.scenario('strangers: a cid and a trusted cookie are looked for alone, as ever', $$
set fingerprint_joins_known_ids=off
set trust_visitors_cookies=on
0 -> 1 none unknown
60 cid=C -> 2 none unknown
120 id=A -> 3 none unknown
180 cid=C ip=198.51.100.1 -> 2 cid continue
visit ?1 - 0 1 1
visit C - 0 1 2
visit A - 0 1 1
$$);
SELECT pg_temp.scenario('strangers: a new visit has the hit''s own id, and the visitor is known', $$
set fingerprint_joins_known_ids=off
0 -> 1 none unknown
60 id=A new_visit=1 -> 2 fingerprint new_visit cookie=A
120 id=A -> 2 cookie continue
1920 id=A -> 3 cookie inactivity
1930 new_visit=1 -> 4 fingerprint new_visit
visit ?1 - 0 1 1
visit A - 1 2 2
visit A - 1 3 1
visit A - 1 4 1 profilable=0
$$);
SELECT pg_temp.scenario('strangers: a user who logs in is found by the own cookie', $$
set fingerprint_joins_known_ids=off
0 id=A -> 1 none unknown
60 uid=foo id=A ip=198.51.100.1 -> 1 cookie continue
120 uid=foo ip=203.0.113.1 -> 1 user_id continue
visit #foo foo 0 1 3
$$);
SELECT pg_temp.scenario('strangers: or by the cid, and trust does not matter', $$
set fingerprint_joins_known_ids=off
set trust_visitors_cookies=on
0 cid=C -> 1 none unknown
60 uid=foo cid=C ip=198.51.100.1 -> 1 cid continue
120 id=A ip=203.0.113.1 -> 2 none unknown
180 uid=bar id=A ip=203.0.113.9 -> 2 cookie continue
240 uid=other ip=192.0.2.9 -> 3 none unknown
visit #foo foo 0 1 2
visit #bar bar 0 1 2
visit #other other 0 1 1
$$);
SELECT pg_temp.scenario('strangers: the own cookie finds no other user''s visit', $$
set fingerprint_joins_known_ids=off
set enable_userid_overwrites_visitorid=off
0 uid=bar id=A -> 1 none unknown
set enable_userid_overwrites_visitorid=on
60 uid=foo id=A -> 2 none unknown
120 uid=bar id=A -> 1 cookie continue
visit #bar bar 0 1 2
visit #foo foo 0 1 1
$$);
SELECT pg_temp.scenario('strangers: a user id alone joins by fingerprint what is nobody''s', $$
set fingerprint_joins_known_ids=off
0 -> 1 none unknown
60 uid=foo -> 1 fingerprint continue cookie=fresh
120 uid=bar -> 2 none unknown
180 uid=foo ip=198.51.100.1 -> 1 user_id continue
240 uid=bar ip=198.51.100.1 -> 2 user_id continue
visit #foo foo 0 1 3
visit #bar bar 0 1 2
$$);
SELECT pg_temp.scenario('strangers: a user who could only join somebody else''s visit begins one', $$
set fingerprint_joins_known_ids=off
0 id=A -> 1 none unknown
60 uid=foo -> 2 none unknown
120 uid=foo id=B -> 2 user_id continue
180 id=B -> 3 none unknown
visit A - 0 1 1
visit #foo foo 0 1 2
visit B - 0 1 1
$$);
SELECT pg_temp.scenario('strangers: user ids that give no visitor id join what is nobody''s or their own', $$
set fingerprint_joins_known_ids=off
set enable_userid_overwrites_visitorid=off
0 uid=foo -> 1 none unknown
60 uid=bar -> 2 none unknown
120 uid=foo -> 1 fingerprint continue
180 uid=bar id=B -> 2 fingerprint continue
240 uid=bar -> 3 none unknown
300 uid=foo id=C -> 1 fingerprint continue
visit C foo 0 1 3 profilable=1
visit B bar 0 1 2 profilable=1
visit ?1 bar 0 1 1 profilable=0
$$);
SELECT pg_temp.scenario('strangers: a pseudonym is compared as it is stored', $$
set fingerprint_joins_known_ids=off
set anonymize_user_id=on
set enable_userid_overwrites_visitorid=off
0 uid=foo -> 1 none unknown
60 uid=foo -> 1 fingerprint continue
120 uid=bar -> 2 none unknown
visit ?1 ~ 0 1 2
visit ?2 ~ 0 1 1
$$);
SELECT pg_temp.scenario('strangers: by third-party cookie, within the window', $$
set fingerprint_joins_known_ids=off
set use_third_party_id_cookie=on
0 -> 1 none unknown
60 tp=A -> 1 fingerprint continue
120 tp=B -> 2 none unknown
3000 -> 3 none unknown
visit A - 0 1 2
visit B - 0 1 1
visit ?1 - 0 1 1
$$);
SELECT pg_temp.scenario('strangers: no effect under matomo rules', $$
set recognition_rules=matomo
set fingerprint_joins_known_ids=off
0 id=A -> 1 none unknown
10 id=B -> 1 fingerprint continue
visit B - 0 1 2
$$);

-- how many, and nothing wrong
SELECT count(DISTINCT name) || ' scenarios, ' || count(*) || ' runs, ' || count(*) FILTER (WHERE NOT ok) || ' not ok' FROM scenario_count;
SELECT count(*) || ' settings left' FROM pk_tracking.setting;
DELETE FROM pk_tracking.site s WHERE s.name IN ('one', 'two');
