-- The rules by which hits are given to visits, written once more: slowly, one
-- hit after the other, from their description alone.  It shares no code and no
-- table with the engine.  Names in brackets are headings of doc/internals.md.

CREATE TABLE twin.visit (
	run integer NOT NULL,
	site integer NOT NULL,
	n integer NOT NULL,				-- order of beginning within the run, from 1
	idvisitor text NOT NULL,			-- hex digits, or rand#n
	print text,						-- what the fingerprint is made of
	user_id text,
	first_at bigint NOT NULL,
	last_at bigint NOT NULL,
	total_time bigint NOT NULL,
	total_actions integer NOT NULL,
	returning_ integer NOT NULL,
	count_visits integer NOT NULL,
	since_first bigint,
	since_last bigint,
	since_order bigint,
	profilable integer NOT NULL,
	ref_type integer NOT NULL,
	ref_name text NOT NULL,
	ref_keyword text NOT NULL,
	interactions integer NOT NULL,
	searches integer NOT NULL,
	events integer NOT NULL,
	goal_buyer integer NOT NULL,
	goal_converted integer NOT NULL,
	entry_url text,					-- 0 is "none", as there
	entry_name text,
	exit_url text,
	exit_name text,
	PRIMARY KEY (run, site, n)
);
CREATE TABLE twin.orders (run integer, site integer, idorder text, PRIMARY KEY (run, site, idorder));
CREATE TABLE twin.setting (run integer, site integer, name text, value text, PRIMARY KEY (run, site, name));

CREATE TYPE twin.answer AS (
	outcome text,
	outcome_reason text,
	visit integer,
	new_visit boolean,
	matched_by text,
	reason text,
	action_idvisitor text
);

-- A setting: the site's, the instance's, the rules' default.
CREATE FUNCTION twin.value(in_run integer, in_site integer, in_name text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	found_value text;
BEGIN
	SELECT s.value INTO found_value FROM twin.setting s
	WHERE s.run = in_run AND s.name = in_name AND s.site IN (in_site, -1) ORDER BY s.site DESC LIMIT 1;
	IF found_value IS NOT NULL THEN
		RETURN found_value;
	END IF;
	RETURN CASE in_name
		WHEN 'recognition_rules' THEN 'piwik'
		WHEN 'visit_standard_length' THEN '1800'
		WHEN 'window_look_back_for_visitor' THEN '0'
		WHEN 'create_new_visit_after_x_actions' THEN '10000'
		WHEN 'session_max_duration' THEN '0'
		WHEN 'session_limit_exceeded_action' THEN 'just_split'
		WHEN 'default_time_one_page_visit' THEN '0'
		WHEN 'ip_mask_level' THEN '2'
		WHEN 'fingerprint_ip' THEN
			CASE WHEN twin.value(in_run, in_site, 'recognition_rules') = 'matomo' THEN 'full' ELSE 'masked' END
		WHEN 'fingerprint_salt_rotation' THEN
			CASE WHEN twin.value(in_run, in_site, 'recognition_rules') = 'matomo' THEN 'daily' ELSE 'never' END
		WHEN 'use_fingerprint' THEN 'on'
		WHEN 'enable_userid_overwrites_visitorid' THEN 'on'
		WHEN 'create_new_visit_after_midnight' THEN 'on'
		WHEN 'create_new_visit_when_campaign_changes' THEN 'on'
		ELSE 'off' END;
END
$$;

-- [Consent and anonymous visits] The masked address; NULL if nothing is left of it.
CREATE FUNCTION twin.masked(ip inet, level integer) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN level = 4 THEN NULL
		WHEN level = 0 THEN host(ip)
		WHEN family(ip) = 4 THEN host(network(set_masklen(ip, 32 - 8 * level)))
		ELSE host(network(set_masklen(ip, (ARRAY[64, 48, 24])[level]))) END
$$;

-- [Matomo: fingerprint] What a fingerprint is made of, in plain sight.
CREATE FUNCTION twin.print(run integer, site integer, hit jsonb, local_day date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	ip inet := (hit ->> 'ip')::inet;
	address text;
	across boolean := twin.value(run, site, 'enable_fingerprinting_across_websites') = 'on';
	day text := '';
BEGIN
	IF ip IS NULL OR twin.value(run, site, 'use_fingerprint') = 'off' THEN
		RETURN NULL;
	END IF;
	IF twin.value(run, site, 'fingerprint_ip') = 'full' THEN
		address := host(ip);
	ELSE
		address := twin.masked(ip, twin.value(run, site, 'ip_mask_level')::integer);
	END IF;
	IF address IS NULL THEN
		RETURN NULL;
	END IF;
	IF twin.value(run, site, 'fingerprint_salt_rotation') = 'daily' AND NOT across
		AND twin.value(run, site, 'create_new_visit_after_midnight') = 'on' THEN
		day := local_day::text;
	END IF;
	RETURN format('%s|%s|%s|%s|%s|%s', hit ->> 'device', coalesce(hit -> 'params' ->> 'cookie', '0'), address,
		regexp_replace(lower(coalesce(hit ->> 'lang', '')), ';q=[0-9.]*|\s', '', 'g'),
		CASE WHEN across THEN '' ELSE site::text END, day);
END
$$;

-- [Matomo: referrers] Where a hit comes from: type, name, keyword.  As much of it as the
-- generator's hits need.
CREATE FUNCTION twin.referrer(url text, urlref text, site integer, visit twin.visit,
	OUT ref_type integer, OUT ref_name text, OUT ref_keyword text)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	host text := lower(substring(urlref FROM '^https?://([^/]+)'));
BEGIN
	ref_type := 1;
	ref_name := '';
	ref_keyword := '';
	IF url ~ '[?&]utm_campaign=[^&]' THEN
		ref_type := 6;
		ref_name := lower(substring(url FROM '[?&]utm_campaign=([^&]+)'));
		ref_keyword := lower(coalesce(substring(url FROM '[?&]utm_term=([^&]+)'), ''));
		IF ref_keyword = '' THEN
			IF visit.ref_type = 6 AND visit.ref_name = ref_name THEN
				ref_keyword := visit.ref_keyword;
			ELSE
				ref_keyword := coalesce(host, '');
			END IF;
		END IF;
	ELSIF host IS NULL OR host = format('site%s.example.org', site) THEN
		NULL;
	ELSIF host = 'www.google.com' THEN
		ref_type := 2;
		ref_name := 'Google';
	ELSE
		ref_type := 3;
		ref_name := host;
	END IF;
END
$$;

-- [Recognition rules] What a cookie's time says, in seconds before the hit.
CREATE FUNCTION twin.age(at bigint, said text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN said ~ '^[0-9]{1,15}$' AND at - said::bigint BETWEEN 0 AND 20::bigint * 365 * 86400
		THEN at - said::bigint END
$$;

-- One hit: what becomes of it, and of the table of visits.
CREATE FUNCTION twin.hit(in_run integer, hit jsonb, zone text) RETURNS twin.answer
LANGUAGE plpgsql AS $$
<<me>>
DECLARE
	run integer := in_run;
	p jsonb := hit -> 'params';
	site integer := (hit ->> 'site')::integer;
	at bigint := (hit ->> 'at')::bigint;
	matomo boolean := twin.value(run, site, 'recognition_rules') = 'matomo';
	overwrite boolean := twin.value(run, site, 'enable_userid_overwrites_visitorid') = 'on';
	trust boolean := twin.value(run, site, 'trust_visitors_cookies') = 'on';
	cookieless boolean := twin.value(run, site, 'force_cookieless_tracking') = 'on';
	len bigint := twin.value(run, site, 'visit_standard_length')::bigint;
	back bigint := greatest(len, twin.value(run, site, 'window_look_back_for_visitor')::bigint);
	x_actions integer := twin.value(run, site, 'create_new_visit_after_x_actions')::integer;
	max_duration bigint := twin.value(run, site, 'session_max_duration')::bigint;
	dropping boolean := twin.value(run, site, 'session_limit_exceeded_action') = 'split_and_exclude';
	local_day date := (to_timestamp(at) AT TIME ZONE zone)::date;
	uid text := p ->> 'uid';
	uid_truthy boolean;
	vid text;
	source text := 'none';
	print text;
	by_id boolean := false;
	by_print boolean := false;
	user_filter boolean := false;
	row twin.visit;
	known boolean := false;
	over_actions boolean := false;
	ref record;
	is_ping boolean := coalesce(p ->> 'ping', '') = '1';
	is_ecommerce boolean := coalesce(p ->> 'idgoal', '') = '0';
	idorder text := p ->> 'ec_id';
	is_order boolean;
	idgoal integer := CASE WHEN p ->> 'idgoal' ~ '^[1-9]$' THEN (p ->> 'idgoal')::integer END;
	kind text;
	counts boolean;
	page_url text;
	page_name text;
	converts boolean;
	bonus integer := 0;
	a twin.answer;
	fresh twin.visit;
BEGIN
	a.matched_by := 'none';
	is_order := is_ecommerce AND coalesce(idorder, '') <> '';
	-- [Matomo: kinds of action]
	kind := CASE WHEN is_ecommerce OR idgoal IS NOT NULL OR is_ping THEN 'none'
		WHEN p ? 'download' THEN 'download' WHEN p ? 'link' THEN 'outlink' WHEN p ? 'e_c' THEN 'event'
		WHEN p ? 'c_n' THEN 'content' WHEN p ? 'search' THEN 'search' ELSE 'page' END;
	counts := kind NOT IN ('none', 'content');
	page_url := coalesce(regexp_replace(p ->> 'url', '[?].*', ''), '0');
	page_name := coalesce(p ->> 'action_name', '0');

	-- user id [Matomo: user ids]
	IF uid = '' THEN
		uid := NULL;
	END IF;
	IF uid IS NOT NULL AND matomo THEN
		uid := replace(uid, '&amp;', '&');
		uid := replace(replace(replace(replace(uid, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;');
	END IF;
	IF uid IS NOT NULL AND twin.value(run, site, 'anonymize_user_id') = 'on' THEN
		uid := encode(public.digest(convert_to(uid || 'twin-salt', 'UTF8'), 'sha1'), 'hex');
	END IF;
	uid_truthy := uid IS NOT NULL AND NOT (matomo AND uid = '0');

	-- visitor id [Matomo: visitor ids]; the other rule set refuses a bad cid in any case
	IF NOT matomo AND coalesce(p ->> 'cid', '') <> '' AND p ->> 'cid' !~* '^[0-9a-f]{16}$' THEN
		a.outcome := 'invalid';
		a.outcome_reason := 'cid';
		RETURN a;
	END IF;
	IF uid_truthy AND overwrite THEN
		vid := substr(encode(public.digest(convert_to(uid, 'UTF8'), 'sha1'), 'hex'), 1, 16);
		source := 'user_id';
	ELSIF coalesce(p ->> 'cid', '') <> '' THEN
		IF p ->> 'cid' !~* '^[0-9a-f]{16}$' THEN
			a.outcome := 'invalid';
			a.outcome_reason := 'cid';
			RETURN a;
		END IF;
		vid := lower(p ->> 'cid');
		source := 'cid';
	ELSIF NOT cookieless AND twin.value(run, site, 'use_third_party_id_cookie') = 'on' AND hit ? 'third_party' THEN
		vid := hit ->> 'third_party';
		source := 'third_party_cookie';
	ELSIF NOT cookieless AND substr(p ->> '_id', 1, 16) ~* '^[0-9a-f]{16}$' THEN
		vid := lower(substr(p ->> '_id', 1, 16));
		source := 'cookie';
	END IF;
	print := twin.print(run, site, hit, local_day);

	-- the sites have two goals: 1 by hand, 2 the address /thanks, both any number of times
	IF idgoal > 2 AND NOT is_ping THEN
		a.outcome := 'invalid';
		a.outcome_reason := 'idgoal';
		RETURN a;
	END IF;

	-- which look-ups [Matomo: recognition; the other rule set: Recognition rules]
	IF matomo THEN
		IF vid IS NOT NULL AND trust THEN
			by_id := true;
		ELSIF uid IS NOT NULL THEN
			by_id := true;
			by_print := true;
			user_filter := uid_truthy;
		ELSIF coalesce(p ->> 'cid', '') <> '' THEN
			by_id := true;
		ELSIF vid IS NULL THEN
			by_print := true;
		ELSE
			by_id := true;
			by_print := true;
		END IF;
	ELSE
		IF source = 'user_id' THEN
			by_id := true;
			by_print := true;
		ELSIF source = 'cid' THEN
			by_id := true;
		ELSIF vid IS NOT NULL AND trust THEN
			by_id := true;
		ELSIF vid IS NOT NULL THEN
			by_id := true;
			by_print := true;
		ELSE
			by_print := true;
		END IF;
	END IF;

	IF by_id AND vid IS NOT NULL THEN
		SELECT * INTO row FROM twin.visit v
		WHERE v.run = me.run AND v.site = me.site AND v.idvisitor = vid
			AND v.last_at <= at + len AND (matomo OR v.last_at >= at - back)
		ORDER BY v.last_at DESC,
			-- an index that runs (…, last action descending, number) is read forwards there
			CASE WHEN matomo THEN v.n ELSE -v.n END
		LIMIT 1;
		known := FOUND;
		IF known THEN
			a.matched_by := source;
		END IF;
	END IF;
	IF NOT known AND by_print AND print IS NOT NULL THEN
		SELECT * INTO row FROM twin.visit v
		WHERE v.run = me.run AND v.site = me.site AND v.print = me.print
			AND v.last_at BETWEEN at - back AND at + len
			AND (NOT user_filter OR v.user_id IS NULL OR v.user_id = uid)
		ORDER BY v.last_at DESC, v.n DESC
		LIMIT 1;
		known := FOUND;
		IF known THEN
			a.matched_by := 'fingerprint';
		END IF;
	END IF;

	-- continue or begin [Matomo: new visits]; a limit drops hits for as long as the
	-- visit would go on
	over_actions := known AND x_actions > 0 AND row.total_actions >= x_actions;
	SELECT * INTO ref FROM twin.referrer(p ->> 'url', p ->> 'urlref', site, row);
	a.reason := CASE
		WHEN NOT known THEN 'unknown'
		WHEN coalesce(p ->> 'new_visit', '') = '1' THEN 'new_visit'
		WHEN NOT row.last_at > at - len THEN 'inactivity'
		WHEN twin.value(run, site, 'create_new_visit_after_midnight') = 'on'
			AND (to_timestamp(row.last_at) AT TIME ZONE zone)::date <> local_day THEN 'midnight'
		WHEN NOT overwrite AND row.user_id <> '' AND NOT (matomo AND row.user_id = '0') AND uid_truthy AND row.user_id <> uid THEN 'user_changed'
		WHEN over_actions OR (max_duration > 0 AND at - row.first_at >= max_duration) THEN 'limit'
		WHEN ref.ref_type = 6 AND row.ref_type <> 1 AND (ref.ref_type, ref.ref_name, ref.ref_keyword) <> (row.ref_type, row.ref_name, row.ref_keyword)
			AND twin.value(run, site, 'create_new_visit_when_campaign_changes') = 'on' THEN 'campaign'
		WHEN ref.ref_type = 3 AND (ref.ref_type, ref.ref_name, ref.ref_keyword) <> (row.ref_type, row.ref_name, row.ref_keyword)
			AND twin.value(run, site, 'create_new_visit_when_website_referrer_changes') = 'on' THEN 'website'
		ELSE 'continue' END;
	a.new_visit := a.reason <> 'continue';
	IF a.reason = 'limit' AND dropping THEN
		a.outcome := 'excluded';
		a.outcome_reason := 'session_limit';
		RETURN a;
	END IF;
	IF over_actions THEN
		a.reason := 'limit';
	END IF;
	-- [Matomo: recognition] by the limit of actions a visitor is not found at all; what led to
	-- the visit at its limit is still said
	IF over_actions AND a.new_visit THEN
		known := false;
	END IF;
	-- [Matomo: referrers] a keyword is taken from a visit that goes on alone
	IF a.new_visit THEN
		SELECT * INTO ref FROM twin.referrer(p ->> 'url', p ->> 'urlref', site, NULL);
	END IF;
	-- [Matomo: kinds of action]
	IF is_ping AND a.new_visit THEN
		a.outcome := 'ignored';
		a.outcome_reason := 'ping';
		RETURN a;
	END IF;
	-- an order's id is good once
	IF is_order THEN
		IF EXISTS (SELECT FROM twin.orders o WHERE o.run = me.run AND o.site = me.site AND o.idorder = me.idorder) THEN
			a.outcome := 'invalid';
			a.outcome_reason := 'ec_id';
			RETURN a;
		END IF;
		INSERT INTO twin.orders VALUES (run, site, idorder);
	END IF;
	a.outcome := 'recorded';
	-- [Matomo: time]
	converts := NOT is_ping AND (is_order OR idgoal IS NOT NULL OR (kind <> 'none' AND coalesce(p ->> 'url', '') LIKE '%/thanks%'));
	IF matomo AND known AND NOT is_ping THEN
		IF is_order THEN
			bonus := 2;
		ELSIF idgoal IS NOT NULL THEN
			bonus := idgoal + 2;
		ELSIF converts THEN
			bonus := 1;
		END IF;
	END IF;

	IF a.new_visit THEN
		SELECT coalesce(max(v.n), 0) + 1 INTO a.visit FROM twin.visit v WHERE v.run = me.run;
		fresh.run := run;
		fresh.site := site;
		fresh.n := a.visit;
		-- [Matomo: visitor ids]
		fresh.idvisitor := CASE WHEN known AND (matomo OR source <> 'user_id') THEN row.idvisitor
			ELSE coalesce(vid, 'rand#' || a.visit) END;
		fresh.print := print;
		fresh.user_id := uid;
		fresh.first_at := at;
		fresh.last_at := at;
		fresh.total_time := twin.value(run, site, 'default_time_one_page_visit')::bigint + bonus;
		fresh.total_actions := counts::integer;
		fresh.interactions := (kind IN ('page', 'search'))::integer;
		fresh.searches := (kind = 'search')::integer;
		fresh.events := (kind = 'event')::integer;
		fresh.goal_buyer := CASE WHEN is_order THEN 1 WHEN is_ecommerce THEN 2 ELSE 0 END;
		fresh.goal_converted := converts::integer;
		fresh.entry_url := CASE kind WHEN 'page' THEN page_url WHEN 'search' THEN '0' END;
		-- the recorded originals: a search's keyword, and no page is 0
		fresh.entry_name := CASE kind WHEN 'page' THEN page_name WHEN 'search' THEN p ->> 'search' ELSE '0' END;
		fresh.exit_url := CASE kind WHEN 'page' THEN page_url ELSE '0' END;
		fresh.exit_name := CASE kind WHEN 'page' THEN page_name WHEN 'search' THEN p ->> 'search' ELSE '0' END;
		fresh.profilable := (vid IS NOT NULL)::integer;
		fresh.ref_type := ref.ref_type;
		fresh.ref_name := ref.ref_name;
		fresh.ref_keyword := ref.ref_keyword;
		-- [Matomo: returning visitors]
		IF known THEN
			fresh.count_visits := row.count_visits + 1;
			fresh.since_first := row.since_first + (at - row.first_at);
			fresh.since_last := at - row.first_at;
			fresh.since_order := row.since_order + (at - row.first_at);
		ELSE
			fresh.count_visits := 1;
			fresh.since_first := 0;
			fresh.since_last := 0;
		END IF;
		IF fresh.since_first < 0 THEN
			fresh.since_first := NULL;
		END IF;
		IF fresh.since_last < 0 THEN
			fresh.since_last := NULL;
		END IF;
		IF fresh.since_order < 0 THEN
			fresh.since_order := NULL;
		END IF;
		IF matomo THEN
			fresh.returning_ := CASE
				WHEN (known AND row.since_order <> 0) OR coalesce(idorder, '') <> '' THEN 2
				WHEN known THEN 1 ELSE 0 END;
		ELSE
			fresh.count_visits := greatest(fresh.count_visits,
				CASE WHEN p ->> '_idvc' ~ '^[0-9]{1,9}$' THEN (p ->> '_idvc')::integer END);
			fresh.since_first := coalesce(twin.age(at, p ->> '_idts'), fresh.since_first);
			fresh.since_last := coalesce(twin.age(at, p ->> '_viewts'), fresh.since_last);
			fresh.since_order := coalesce(twin.age(at, p ->> '_ects'), fresh.since_order);
			fresh.returning_ := CASE
				WHEN twin.age(at, p ->> '_ects') IS NOT NULL OR (known AND row.since_order IS NOT NULL) THEN 2
				WHEN known OR fresh.count_visits > 1 OR twin.age(at, p ->> '_idts') >= 43200
					OR twin.age(at, p ->> '_viewts') >= 43200 THEN 1
				ELSE 0 END;
		END IF;
		IF coalesce(idorder, '') <> '' THEN
			fresh.since_order := 0;
		END IF;
		INSERT INTO twin.visit SELECT fresh.*;
		a.action_idvisitor := fresh.idvisitor;
		RETURN a;
	END IF;

	a.visit := row.n;
	UPDATE twin.visit v SET
		idvisitor = CASE WHEN vid IS NOT NULL AND (matomo OR source = 'user_id') THEN vid ELSE v.idvisitor END,
		user_id = coalesce(uid, v.user_id),
		last_at = CASE WHEN is_ping THEN v.last_at ELSE greatest(v.last_at, at) END,
		total_time = greatest(0, 1 + at - v.first_at) + bonus,
		total_actions = v.total_actions + counts::integer,
		interactions = v.interactions + (kind IN ('page', 'search'))::integer,
		searches = v.searches + (kind = 'search')::integer,
		events = v.events + (kind = 'event')::integer,
		goal_buyer = CASE WHEN is_ping OR NOT is_ecommerce THEN v.goal_buyer WHEN is_order THEN 1
			WHEN v.goal_buyer IN (1, 3) THEN 3 ELSE 2 END,
		goal_converted = greatest(v.goal_converted, converts::integer),
		entry_url = CASE WHEN kind = 'page' THEN coalesce(v.entry_url, page_url) ELSE v.entry_url END,
		entry_name = CASE WHEN kind = 'page' AND v.entry_url IS NULL AND NOT matomo THEN page_name ELSE v.entry_name END,
		exit_url = CASE kind WHEN 'page' THEN page_url WHEN 'search' THEN NULL ELSE v.exit_url END,
		exit_name = CASE kind WHEN 'page' THEN CASE WHEN matomo THEN coalesce(p ->> 'action_name', v.exit_name) ELSE page_name END WHEN 'search' THEN p ->> 'search' ELSE v.exit_name END,
		since_order = CASE WHEN coalesce(idorder, '') <> '' THEN 0 ELSE v.since_order END,
		profilable = greatest(v.profilable, (vid IS NOT NULL)::integer),
		ref_type = CASE WHEN v.ref_type = 1 THEN ref.ref_type ELSE v.ref_type END,
		ref_name = CASE WHEN v.ref_type = 1 THEN ref.ref_name ELSE v.ref_name END,
		ref_keyword = CASE WHEN v.ref_type = 1 THEN ref.ref_keyword ELSE v.ref_keyword END
	WHERE v.run = me.run AND v.site = me.site AND v.n = row.n
	RETURNING v.idvisitor INTO a.action_idvisitor;
	RETURN a;
END
$$;
