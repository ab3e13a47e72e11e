-- The rules by which hits are given to visits, written once more: slowly, one
-- hit after the other, from their description alone.  It shares no code and no
-- table with the engine.  Names in brackets are headings of doc/internals.md.

-- Does the model follow this rule?  run --without leaves some out, to see that
-- the streams need them: history, joins, late, addresses, carts, money, pings,
-- orders.
CREATE FUNCTION twin.has(rule text) RETURNS boolean
LANGUAGE sql STABLE AS $$
	SELECT rule <> ALL (string_to_array(coalesce(current_setting('twin.without', true), ''), ','))
$$;

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
	last_row integer,				-- the row of the latest hit, if that has one
	location_ip text,
	PRIMARY KEY (run, site, n)
);
-- The actions of a visit, in order of arrival.
CREATE TABLE twin.row (
	run integer,
	n integer,					-- of the visit
	seq integer,					-- 1 arrived first
	at bigint NOT NULL,
	kind text NOT NULL,
	begins boolean NOT NULL,			-- it began the visit
	url text,					-- what a page or a search leaves as the previous page
	name text,
	ref_url text,
	ref_name text,
	spent bigint NOT NULL,
	place integer,					-- pageview_position
	PRIMARY KEY (run, n, seq)
);
CREATE TABLE twin.conversion (run integer, n integer, idgoal integer, idorder text, revenue numeric, items integer);
CREATE INDEX ON twin.conversion (run, n);
CREATE TABLE twin.item (run integer, n integer, idorder text, sku text, price numeric, quantity integer, deleted boolean NOT NULL DEFAULT false,
	PRIMARY KEY (run, n, idorder, sku));
CREATE TABLE twin.bad_money (run integer, site integer);
-- Orders, by the visit and the visitor that they were sent by; conflicts: another one has the id.
CREATE TABLE twin.orders (run integer, site integer, idorder text, n integer, idvisitor text, conflicts boolean);
CREATE UNIQUE INDEX ON twin.orders (run, site, idorder) WHERE NOT conflicts;
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
		WHEN 'returning_look_back' THEN '0'
		WHEN 'fingerprint_joins_known_ids' THEN 'on'
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
		WHEN 'order_id_conflict' THEN
			CASE WHEN twin.value(in_run, in_site, 'recognition_rules') = 'matomo' THEN 'first' ELSE 'keep' END
		WHEN 'use_fingerprint' THEN 'on'
		WHEN 'enable_userid_overwrites_visitorid' THEN 'on'
		WHEN 'create_new_visit_after_midnight' THEN 'on'
		WHEN 'create_new_visit_when_campaign_changes' THEN 'on'
		ELSE 'off' END;
END
$$;

-- [Consent and anonymous visits] An address as it counts: what holds an IPv4 one is that.
CREATE FUNCTION twin.folded(ip inet, matomo boolean) RETURNS inet
LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN NOT matomo AND twin.has('addresses') AND (ip << '::ffff:0:0/96' OR ip << '64:ff9b::/96')
		THEN '0.0.0.0'::inet + (ip - network(set_masklen(ip, 96))) ELSE ip END
$$;

-- [Consent and anonymous visits] The masked address; of a mapped or 6to4 one the IPv4 inside is masked.
CREATE FUNCTION twin.masked(ip inet, level integer) RETURNS inet
LANGUAGE sql STABLE AS $$
	SELECT host(network(set_masklen(ip, CASE
		WHEN family(ip) = 4 THEN 32 - 8 * level
		WHEN ip << '::ffff:0:0/96' THEN 128 - 8 * level
		WHEN ip << '2002::/16' AND twin.has('addresses') THEN (ARRAY[128, 40, 32, 24, 0])[level + 1]
		ELSE (ARRAY[128, 64, 48, 24, 0])[level + 1] END)))::inet
$$;

-- [Matomo: fingerprint] What a fingerprint is made of, in plain sight.
CREATE FUNCTION twin.print(run integer, site integer, hit jsonb, local_day date) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
	ip inet := twin.folded((hit ->> 'ip')::inet, twin.value(run, site, 'recognition_rules') = 'matomo');
	address inet;
	across boolean := twin.value(run, site, 'enable_fingerprinting_across_websites') = 'on';
	day text := '';
BEGIN
	IF ip IS NULL OR twin.value(run, site, 'use_fingerprint') = 'off' THEN
		RETURN NULL;
	END IF;
	IF twin.value(run, site, 'fingerprint_ip') = 'full' THEN
		address := ip;
	ELSE
		address := twin.masked(ip, twin.value(run, site, 'ip_mask_level')::integer);
	END IF;
	IF address IN ('0.0.0.0', '::', '::ffff:0.0.0.0') THEN
		RETURN NULL;
	END IF;
	IF twin.value(run, site, 'fingerprint_salt_rotation') = 'daily' AND NOT across
		AND twin.value(run, site, 'create_new_visit_after_midnight') = 'on' THEN
		day := local_day::text;
	END IF;
	RETURN format('%s|%s|%s|%s|%s|%s', hit ->> 'device', coalesce(hit -> 'params' ->> 'cookie', '0'), host(address),
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

-- [Matomo: goals and orders] Money that can be read, rounded; NULL if it cannot.
CREATE FUNCTION twin.money(said text) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN said ~ '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?$'
		THEN trim_scale(round(said::numeric, 2)) END
$$;

-- [The look-up] The visit that a look-up finds: by id or by fingerprint, within
-- a window; only_user: of no user or of that one; unclaimed: only one without id.
CREATE FUNCTION twin.find(in_run integer, in_site integer, in_id text, in_print text, since bigint, until bigint,
	only_user text DEFAULT NULL, unclaimed boolean DEFAULT false, older_first boolean DEFAULT false) RETURNS twin.visit
LANGUAGE sql STABLE AS $$
	SELECT * FROM twin.visit v
	WHERE v.run = in_run AND v.site = in_site AND (v.idvisitor = in_id OR v.print = in_print)
		AND v.last_at <= until AND (since IS NULL OR v.last_at >= since)
		AND (only_user IS NULL OR v.user_id IS NULL OR v.user_id = only_user)
		AND (NOT unclaimed OR v.profilable = 0)
	ORDER BY v.last_at DESC, CASE WHEN older_first THEN v.n ELSE -v.n END
	LIMIT 1
$$;

-- [Matomo: time] A row of visit in_n.  before: the visit as it stood, its n
-- NULL if this hit begins it.  By arrival, what stands before a row is what the
-- visit had for its exit; by time, the rows after a late one hear of it.
CREATE PROCEDURE twin.add_row(before twin.visit, in_run integer, in_n integer, in_at bigint, in_kind text,
	in_url text, in_name text, in_place integer, len bigint, by_time boolean)
LANGUAGE plpgsql AS $$
DECLARE
	in_seq integer;
BEGIN
	SELECT count(*) + 1 INTO in_seq FROM twin.row r WHERE r.run = in_run AND r.n = in_n;
	INSERT INTO twin.row VALUES (in_run, in_n, in_seq, in_at, in_kind, before.n IS NULL, in_url, in_name,
		CASE WHEN before.n IS NULL THEN '0' ELSE before.exit_url END, CASE WHEN before.n IS NULL THEN '0' ELSE before.exit_name END,
		CASE WHEN before.n IS NULL THEN 0 ELSE greatest(0, least(in_at - before.last_at, len)) END, in_place);
	IF NOT by_time THEN
		RETURN;
	END IF;
	UPDATE twin.row r SET spent = CASE WHEN r.begins OR o.at IS NULL THEN 0 ELSE greatest(0, least(r.at - o.at, len)) END
		FROM (SELECT seq, lag(x.seq) OVER w AS seq_before, lag(x.at) OVER w AS at FROM twin.row x WHERE x.run = in_run AND x.n = in_n
			WINDOW w AS (ORDER BY x.at, x.seq)) o
		WHERE r.run = in_run AND r.n = in_n AND r.seq = o.seq AND in_seq IN (o.seq, o.seq_before);
	UPDATE twin.row r SET ref_url = CASE WHEN p.seq IS NULL THEN '0' ELSE p.url END, ref_name = CASE WHEN p.seq IS NULL THEN '0' ELSE p.name END
		FROM twin.row s LEFT JOIN LATERAL (SELECT x.seq, x.url, x.name FROM twin.row x
			WHERE x.run = in_run AND x.n = in_n AND x.kind IN ('page', 'search') AND (x.at, x.seq) < (s.at, s.seq) ORDER BY x.at DESC, x.seq DESC LIMIT 1) p ON true
		WHERE s.run = in_run AND s.n = in_n AND NOT s.begins AND r.run = s.run AND r.n = s.n AND r.seq = s.seq;
END
$$;

-- [Matomo: goals and orders] What a hit converts in visit in_n: goals, 0 for an
-- order, -1 for a cart.  paid: the revenue, as read.  The id of a row that
-- conflicts with another order begins with an exclamation mark; its items have it.
CREATE PROCEDURE twin.convert(in_run integer, in_n integer, goals integer[], in_idorder text, conflicts boolean, paid numeric, ec_items jsonb,
	open_cart boolean, emptied boolean, carts boolean, strict_money boolean)
LANGUAGE plpgsql AS $$
DECLARE
	goal integer;
	sent jsonb;
	total integer;
	taken boolean := false;
BEGIN
	FOREACH goal IN ARRAY goals LOOP
		IF goal > 0 THEN
			-- the third goal is converted once
			IF goal <> 3 OR NOT EXISTS (SELECT FROM twin.conversion c WHERE c.run = in_run AND c.n = in_n AND c.idgoal = goal) THEN
				INSERT INTO twin.conversion VALUES (in_run, in_n, goal, NULL, paid, NULL);
			END IF;
			CONTINUE;
		END IF;
		SELECT coalesce(jsonb_agg(jsonb_build_object('sku', e ->> 0, 'price', CASE WHEN coalesce(e ->> 3, '') = '' THEN 0
				WHEN strict_money THEN twin.money(e ->> 3) ELSE coalesce(twin.money(e ->> 3), 0) END, 'quantity', coalesce((e ->> 4)::integer, 1))), '[]'),
			coalesce(sum(coalesce((e ->> 4)::integer, 1)), 0)
			INTO sent, total FROM jsonb_array_elements(coalesce(ec_items, '[]')) e;
		-- an order takes an open cart over; a visit's cart is one and the same
		IF open_cart OR (goal = -1 AND carts) THEN
			UPDATE twin.conversion c SET idgoal = goal, idorder = CASE WHEN conflicts THEN '!' ELSE '' END || in_idorder, revenue = CASE WHEN emptied THEN 0 ELSE paid END, items = total
				WHERE c.run = in_run AND c.n = in_n AND c.idgoal = -1;
			taken := FOUND;
		END IF;
		IF NOT taken AND NOT emptied THEN
			INSERT INTO twin.conversion VALUES (in_run, in_n, goal, CASE WHEN conflicts THEN '!' ELSE '' END || in_idorder, paid, total);
		END IF;
		IF open_cart THEN
			UPDATE twin.item i SET idorder = coalesce(in_idorder, '0'), deleted = i.deleted OR NOT sent @> jsonb_build_array(jsonb_build_object('sku', i.sku))
				WHERE i.run = in_run AND i.n = in_n AND i.idorder = '0';
		END IF;
		INSERT INTO twin.item SELECT in_run, in_n, coalesce(in_idorder, '0'), s.sku, s.price, s.quantity
			FROM jsonb_to_recordset(sent) s (sku text, price numeric, quantity integer)
			ON CONFLICT ON CONSTRAINT item_pkey DO UPDATE SET price = excluded.price, quantity = excluded.quantity, deleted = false;
	END LOOP;
END
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
	-- the rules of one rule set alone
	by_time boolean := NOT matomo AND twin.has('late');
	pings boolean := NOT matomo AND twin.has('pings');
	carts boolean := NOT matomo AND twin.has('carts');
	strict_money boolean := NOT matomo AND twin.has('money');
	strangers boolean := NOT matomo AND twin.has('joins') AND twin.value(run, site, 'fingerprint_joins_known_ids') = 'off';
	keeps boolean := twin.has('orders') AND twin.value(run, site, 'order_id_conflict') = 'keep';
	history bigint := CASE WHEN NOT matomo AND twin.has('history') THEN twin.value(run, site, 'returning_look_back')::bigint ELSE 0 END;
	uid text := p ->> 'uid';
	uid_truthy boolean;
	own text;
	own_source text := 'none';
	vid text;
	source text := 'none';
	print text;
	by_id boolean := false;
	by_own_too boolean := false;
	by_print boolean := false;
	user_filter boolean := false;
	row twin.visit;
	no_visit twin.visit;
	earlier twin.visit;
	d bigint;
	known boolean := false;
	over_actions boolean := false;
	ref record;
	is_ping boolean := coalesce(p ->> 'ping', '') = '1';
	is_ecommerce boolean := coalesce(p ->> 'idgoal', '') = '0';
	idorder text := CASE WHEN carts THEN btrim(p ->> 'ec_id', E' \t\n\r\v') ELSE p ->> 'ec_id' END;
	is_order boolean;
	is_cart boolean;
	new_idvisitor text;
	mine text[];
	conflicts boolean := false;
	emptied boolean := false;
	ec_items jsonb := p ->> 'ec_items';
	paid numeric;
	goals integer[] := '{}';
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
	is_order := is_ecommerce AND NOT is_ping AND coalesce(idorder, '') <> '';
	is_cart := is_ecommerce AND NOT is_ping AND NOT is_order;
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
	IF p ->> 'cid' ~* '^[0-9a-f]{16}$' THEN
		own := lower(p ->> 'cid');
		own_source := 'cid';
	ELSIF NOT cookieless AND twin.value(run, site, 'use_third_party_id_cookie') = 'on' AND hit ? 'third_party' THEN
		own := hit ->> 'third_party';
		own_source := 'third_party_cookie';
	ELSIF NOT cookieless AND substr(p ->> '_id', 1, 16) ~* '^[0-9a-f]{16}$' THEN
		own := lower(substr(p ->> '_id', 1, 16));
		own_source := 'cookie';
	END IF;
	IF uid_truthy AND overwrite THEN
		vid := substr(encode(public.digest(convert_to(uid, 'UTF8'), 'sha1'), 'hex'), 1, 16);
		source := 'user_id';
	ELSIF coalesce(p ->> 'cid', '') <> '' AND own_source <> 'cid' THEN
		a.outcome := 'invalid';
		a.outcome_reason := 'cid';
		RETURN a;
	ELSE
		vid := own;
		source := own_source;
	END IF;
	print := twin.print(run, site, hit, local_day);

	-- the sites have three goals: 1 by hand, of a revenue of 7, 2 the address /thanks, both any
	-- number of times, 3 a visit of more than ten minutes, once
	IF idgoal > 3 AND NOT is_ping THEN
		a.outcome := 'invalid';
		a.outcome_reason := 'idgoal';
		RETURN a;
	END IF;
	-- money; what cannot be read is unknown, and said
	IF is_order OR is_cart THEN
		paid := CASE WHEN coalesce(p ->> 'revenue', '') = '' THEN 0 WHEN strict_money THEN twin.money(p ->> 'revenue') ELSE coalesce(twin.money(p ->> 'revenue'), 0) END;
		emptied := carts AND is_cart AND coalesce(ec_items = '[]' AND paid = 0 AND twin.money(coalesce(nullif(p ->> 'revenue', ''), '0')) = 0, false);
	ELSIF idgoal IS NOT NULL THEN
		paid := CASE WHEN coalesce(p ->> 'revenue', '') <> '' AND strict_money THEN twin.money(p ->> 'revenue')
			ELSE coalesce(twin.money(p ->> 'revenue'), CASE idgoal WHEN 1 THEN 7 ELSE 0 END) END;
	END IF;
	IF strict_money AND NOT is_ping THEN
		a.outcome_reason := CASE
			WHEN (is_ecommerce OR idgoal IS NOT NULL) AND p ->> 'revenue' <> '' AND twin.money(p ->> 'revenue') IS NULL THEN 'revenue'
			WHEN is_order AND p ->> 'ec_tx' <> '' AND twin.money(p ->> 'ec_tx') IS NULL THEN 'ec_tx'
			WHEN is_ecommerce AND EXISTS (SELECT FROM jsonb_array_elements(ec_items) e WHERE e ->> 3 <> '' AND twin.money(e ->> 3) IS NULL) THEN 'ec_items' END;
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
			by_own_too := strangers;
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
		user_filter := strangers AND uid IS NOT NULL;
	END IF;

	IF by_id AND vid IS NOT NULL THEN
		-- an index that runs (…, last action descending, number) is read forwards by the other rule set
		row := twin.find(run, site, vid, NULL, CASE WHEN NOT matomo THEN at - back END, at + len, older_first => matomo);
		IF row.n IS NOT NULL THEN
			a.matched_by := source;
		END IF;
	END IF;
	IF row.n IS NULL AND by_own_too AND own IS NOT NULL THEN
		row := twin.find(run, site, own, NULL, at - back, at + len, only_user => uid);
		IF row.n IS NOT NULL THEN
			a.matched_by := own_source;
		END IF;
	END IF;
	IF row.n IS NULL AND by_print AND print IS NOT NULL THEN
		row := twin.find(run, site, NULL, print, at - back, at + len, only_user => CASE WHEN user_filter THEN uid END,
			unclaimed => strangers AND (vid IS NOT NULL OR uid IS NOT NULL));
		IF row.n IS NOT NULL THEN
			a.matched_by := 'fingerprint';
		END IF;
	END IF;
	known := row.n IS NOT NULL;

	-- continue or begin [Matomo: new visits]; a limit drops hits for as long as the
	-- visit would go on
	over_actions := known AND x_actions > 0 AND row.total_actions >= x_actions;
	SELECT * INTO ref FROM twin.referrer(p ->> 'url', p ->> 'urlref', site, row);
	a.reason := CASE
		WHEN NOT known THEN 'unknown'
		WHEN coalesce(p ->> 'new_visit', '') = '1' AND NOT (is_ping AND pings) THEN 'new_visit'
		WHEN NOT row.last_at > at - len THEN 'inactivity'
		WHEN twin.value(run, site, 'create_new_visit_after_midnight') = 'on' AND NOT (is_ping AND pings)
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
	-- [Matomo: visitor ids]; NULL: a random one
	new_idvisitor := CASE WHEN strangers AND vid IS NOT NULL THEN vid
		WHEN known AND (matomo OR source <> 'user_id') THEN row.idvisitor
		ELSE vid END;
	-- [Matomo: goals and orders] an order's id is good once; of another visitor's
	-- order it is kept apart
	IF is_order THEN
		mine := array_remove(ARRAY[CASE WHEN a.new_visit THEN new_idvisitor ELSE row.idvisitor END, own, vid], NULL);
		IF EXISTS (SELECT FROM twin.orders o JOIN twin.visit v ON v.run = o.run AND v.site = o.site AND v.n = o.n
			WHERE o.run = me.run AND o.site = me.site AND o.idorder = me.idorder
				AND ((NOT a.new_visit AND o.n = row.n) OR o.idvisitor = ANY (mine)
					OR (NOT o.conflicts AND (NOT keeps OR v.idvisitor = ANY (mine) OR v.user_id = uid)))) THEN
			a.outcome := 'invalid';
			a.outcome_reason := 'ec_id';
			RETURN a;
		END IF;
		conflicts := EXISTS (SELECT FROM twin.orders o WHERE o.run = me.run AND o.site = me.site AND o.idorder = me.idorder AND NOT o.conflicts);
	END IF;
	a.outcome := 'recorded';
	-- [Matomo: time]
	IF is_order OR is_cart THEN
		goals := ARRAY[CASE WHEN is_order THEN 0 ELSE -1 END];
	ELSIF idgoal IS NOT NULL AND NOT is_ping THEN
		goals := ARRAY[idgoal];
	ELSIF kind <> 'none' THEN
		IF kind = 'page' AND p ->> 'url' LIKE '%/thanks%' THEN
			goals := goals || 2;
		END IF;
		IF NOT a.new_visit AND at - row.first_at > 600 THEN
			goals := goals || 3;
		END IF;
		paid := 0;
	END IF;
	converts := goals <> '{}' AND NOT is_cart;
	IF a.outcome_reason IS NOT NULL THEN
		INSERT INTO twin.bad_money VALUES (run, site);
	END IF;
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
		fresh.idvisitor := coalesce(new_idvisitor, 'rand#' || a.visit);
		fresh.print := print;
		fresh.user_id := uid;
		fresh.first_at := at;
		fresh.last_at := at;
		fresh.total_time := twin.value(run, site, 'default_time_one_page_visit')::bigint + bonus;
		fresh.total_actions := counts::integer;
		fresh.interactions := (kind IN ('page', 'search'))::integer;
		fresh.searches := (kind = 'search')::integer;
		fresh.events := (kind = 'event')::integer;
		fresh.goal_buyer := CASE WHEN is_order THEN 1 WHEN is_cart AND NOT emptied THEN 2 ELSE 0 END;
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
		-- the visitor's latest visit before this one, however long ago; what the
		-- client says counts if it says more
		IF history <> 0 THEN
			SELECT * INTO earlier FROM twin.visit v
			WHERE v.run = me.run AND v.site = me.site AND v.idvisitor = fresh.idvisitor AND v.first_at < at AND (history < 0 OR v.first_at >= at - history)
			ORDER BY v.first_at DESC, v.n DESC LIMIT 1;
			IF FOUND THEN
				d := at - earlier.first_at;
				fresh.count_visits := greatest(earlier.count_visits + 1, CASE WHEN p ->> '_idvc' ~ '^[0-9]{1,9}$' THEN (p ->> '_idvc')::integer END);
				fresh.since_first := greatest(coalesce(earlier.since_first, 0) + d, twin.age(at, p ->> '_idts'));
				fresh.since_last := CASE WHEN twin.age(at, p ->> '_viewts') >= 43200 AND twin.age(at, p ->> '_viewts') < d THEN twin.age(at, p ->> '_viewts') ELSE d END;
				fresh.since_order := least(twin.age(at, p ->> '_ects'), earlier.since_order + d);
				fresh.returning_ := CASE WHEN fresh.since_order IS NOT NULL OR earlier.goal_buyer IN (1, 3) THEN 2 ELSE 1 END;
			END IF;
		END IF;
		IF coalesce(idorder, '') <> '' THEN
			fresh.since_order := 0;
		END IF;
		fresh.last_row := CASE WHEN kind <> 'none' THEN 1 END;
		fresh.location_ip := host(twin.masked(twin.folded((hit ->> 'ip')::inet, matomo), twin.value(run, site, 'ip_mask_level')::integer));
		INSERT INTO twin.visit SELECT fresh.*;
		IF kind <> 'none' THEN
			CALL twin.add_row(no_visit, run, fresh.n, at, kind, fresh.exit_url, fresh.exit_name, nullif(fresh.interactions, 0), len, by_time);
		END IF;
		CALL twin.convert(run, fresh.n, goals, CASE WHEN is_order THEN idorder END, conflicts, paid, ec_items, false, emptied, carts, strict_money);
		a.action_idvisitor := fresh.idvisitor;
		IF is_order THEN
			INSERT INTO twin.orders VALUES (run, site, idorder, a.visit, a.action_idvisitor, conflicts);
		END IF;
		RETURN a;
	END IF;

	a.visit := row.n;
	UPDATE twin.visit v SET
		idvisitor = CASE WHEN vid IS NOT NULL AND (matomo OR source = 'user_id' OR (strangers AND v.profilable = 0)) THEN vid ELSE v.idvisitor END,
		user_id = coalesce(uid, v.user_id),
		last_at = CASE WHEN is_ping THEN v.last_at ELSE greatest(v.last_at, at) END,
		total_time = CASE WHEN by_time THEN greatest(v.total_time, 1 + at - v.first_at) ELSE greatest(0, 1 + at - v.first_at) + bonus END,
		total_actions = v.total_actions + counts::integer,
		interactions = v.interactions + (kind IN ('page', 'search'))::integer,
		searches = v.searches + (kind = 'search')::integer,
		events = v.events + (kind = 'event')::integer,
		goal_buyer = CASE WHEN is_order THEN 1 WHEN NOT is_cart THEN v.goal_buyer
			WHEN emptied THEN CASE WHEN v.goal_buyer IN (1, 3) THEN 1 ELSE 0 END
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
	RETURNING v.idvisitor, v.interactions INTO a.action_idvisitor, d;
	IF kind <> 'none' THEN
		CALL twin.add_row(row, run, row.n, at, kind, CASE kind WHEN 'page' THEN page_url END,
			CASE kind WHEN 'page' THEN page_name WHEN 'search' THEN p ->> 'search' END, nullif(d, 0)::integer, len, by_time);
	END IF;
	-- the exit is the last page or search by time; the last row is that of the latest hit
	IF by_time THEN
		UPDATE twin.visit v SET exit_url = CASE WHEN l.seq IS NULL THEN '0' ELSE l.url END, exit_name = CASE WHEN l.seq IS NULL THEN '0' ELSE l.name END
			FROM (VALUES (1)) one LEFT JOIN LATERAL (SELECT r.seq, r.url, r.name FROM twin.row r
				WHERE r.run = me.run AND r.n = row.n AND r.kind IN ('page', 'search') ORDER BY r.at DESC, r.seq DESC LIMIT 1) l ON true
			WHERE v.run = me.run AND v.site = me.site AND v.n = row.n;
	END IF;
	IF (by_time AND NOT is_ping AND at >= row.last_at) OR (NOT by_time AND kind <> 'none') THEN
		UPDATE twin.visit v SET last_row = (SELECT max(r.seq) FROM twin.row r WHERE r.run = me.run AND r.n = row.n AND me.kind <> 'none')
			WHERE v.run = me.run AND v.site = me.site AND v.n = row.n;
	END IF;
	CALL twin.convert(run, row.n, goals, CASE WHEN is_order THEN idorder END, conflicts, paid, ec_items, row.goal_buyer IN (2, 3), emptied, carts, strict_money);
	IF is_order THEN
		INSERT INTO twin.orders VALUES (run, site, idorder, a.visit, a.action_idvisitor, conflicts);
	END IF;
	RETURN a;
END
$$;
