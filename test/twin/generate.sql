-- Random streams.  The same seed gives the same stream on every server.

CREATE SEQUENCE twin.draw;

-- 0 … n-1
CREATE FUNCTION twin.r(n integer) RETURNS integer
LANGUAGE sql VOLATILE AS $$
	SELECT ((hashint8extended(nextval('twin.draw'), current_setting('twin.seed')::bigint) & 2147483647) % n)::integer
$$;

CREATE FUNCTION twin.pick(VARIADIC choices text[]) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN choices[1 + twin.r(cardinality(choices))];
END
$$;

-- A step that changes a setting; rare: no one oftener than others.
CREATE FUNCTION twin.some_setting(nsites integer, rare boolean) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	lists text[] := ARRAY[
		'visit_standard_length:1800:600:3600:60',
		'visit_standard_length:1800:600:3600:7200',
		'window_look_back_for_visitor:0:3600:90000:2678400',
		'window_look_back_for_visitor:3600:90000:2678400:300',
		'trust_visitors_cookies:on:on:off',
		'enable_userid_overwrites_visitorid:off:off:on',
		'create_new_visit_after_midnight:off:off:on',
		'create_new_visit_when_campaign_changes:off:off:on',
		'create_new_visit_when_website_referrer_changes:on:on:off',
		'create_new_visit_after_x_actions:2:3:5:0:-1',
		'create_new_visit_after_x_actions:1:2:4:8',
		'session_max_duration:900:1800:3600:0',
		'session_limit_exceeded_action:split_and_exclude:split_and_exclude:just_split',
		'default_time_one_page_visit:10:0',
		'returning_look_back:-1:-1:0:3600:90000',
		'fingerprint_joins_known_ids:off:off:on',
		'order_id_conflict:keep:first',
		-- privacy: for the instance alone, a site may not weaken it
		'enable_fingerprinting_across_websites:on:on:off',
		'fingerprint_ip:masked:full',
		'fingerprint_salt_rotation:never:daily',
		'ip_mask_level:0:1:2:3:4',
		'force_cookieless_tracking:on:off',
		'use_fingerprint:off:on:on',
		'use_third_party_id_cookie:on:on:off',
		'anonymize_user_id:on:off'];
	which integer := CASE WHEN rare OR twin.r(5) > 0 THEN 1 + twin.r(cardinality(lists)) ELSE 15 + twin.r(2) END;
	choice text[] := string_to_array(lists[which], ':');
	site integer := CASE WHEN which <= 17 AND twin.r(2) = 0 THEN twin.r(nsites) ELSE -1 END;
BEGIN
	-- what the model leaves out is not to be asked for
	IF (choice[1] = 'returning_look_back' AND NOT twin.has('history')) OR (choice[1] = 'fingerprint_joins_known_ids' AND NOT twin.has('joins')) THEN
		RETURN twin.some_setting(nsites, true);
	END IF;
	RETURN jsonb_build_object('set', choice[1], 'value', choice[2 + twin.r(cardinality(choice) - 1)], 'on', site);
END
$$;

-- narrow: hardly more than one device and network, so that fingerprints meet
CREATE FUNCTION twin.some_hit(nsites integer, at bigint, n integer, narrow boolean) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	site integer := twin.r(nsites);
	p jsonb := '{}';
	hit jsonb;
	url text := format('http://site%s.example.org/p%s', site, twin.r(4));
	usual boolean := narrow AND twin.r(6) > 0;
BEGIN
	hit := jsonb_build_object('site', site, 'at', at,
		'device', CASE WHEN usual THEN 'firefox' ELSE twin.pick('firefox', 'firefox', 'firefox', 'chrome', 'iphone') END,
		'lang', CASE WHEN usual THEN 'en-US,en;q=0.9' ELSE twin.pick('en-US,en;q=0.9', 'en-US,en;q=0.9', 'en-us, en', 'de') END);
	IF twin.r(4) > 0 THEN
		p := p || jsonb_build_object('action_name', twin.pick('T1', 'T2'));
	END IF;
	IF twin.r(20) > 0 THEN
		hit := hit || jsonb_build_object('ip', CASE WHEN usual THEN '198.51.100.7' ELSE twin.pick('198.51.100.7', '198.51.100.7', '198.51.100.7', '198.51.100.9', '198.51.7.7', '203.0.113.5',
			'2001:db8:1:2:3:4:5:6', '2001:db8:1:2:9:9:9:9', '2001:db8:1:7::1', '::ffff:198.51.100.7', '::ffff:198.51.7.7', '64:ff9b::c633:6407', '64:ff9b:1::c633:6407',
			'2002:c633:6407::1', '2002:c633:6409:5::2', '2002:c633:1:5::2') END);
	END IF;
	CASE twin.r(10)
		WHEN 0, 1, 2 THEN NULL;
		WHEN 3 THEN p := p || jsonb_build_object('cid', twin.pick('aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'AAAAAAAAAAAAAAAA', 'xyz', 'aaaaaaaaaaaaaaaa1', ''));
		ELSE p := p || jsonb_build_object('_id', twin.pick('aaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'AAAAAAAAAAAAAAAA', 'aaaaaaaaaaaaaaaa77', 'aaaa', 'gggggggggggggggg', ''));
	END CASE;
	IF twin.r(10) = 0 THEN
		p := p || jsonb_build_object('_id', twin.pick('bbbbbbbbbbbbbbbb', 'cccccccccccccccc'));
	END IF;
	IF twin.r(4) = 0 THEN
		p := p || jsonb_build_object('uid', twin.pick('u1', 'u1', 'u2', 'U1', 'a&b', 'a&amp;b', '<x>', '0', ''));
	END IF;
	IF twin.r(8) = 0 THEN
		hit := hit || jsonb_build_object('third_party', twin.pick('aaaaaaaaaaaaaaaa', 'dddddddddddddddd'));
	END IF;
	IF twin.r(6) = 0 THEN
		p := p || jsonb_build_object('cookie', CASE WHEN usual THEN '0' ELSE '1' END);
	END IF;
	IF twin.r(15) = 0 THEN
		p := p || jsonb_build_object('new_visit', twin.pick('1', '1', '0', 'x'));
	END IF;
	CASE twin.r(14)
		WHEN 0 THEN
			p := p || '{"ping": "1"}';
			IF twin.r(4) = 0 THEN
				p := p || '{"new_visit": "1"}';
			END IF;
		WHEN 1 THEN
			p := p || jsonb_build_object('idgoal', '0', 'ec_id', twin.pick('o' || n, 'o' || n, ' o' || n || ' ', '', ' '));
			IF twin.r(3) > 0 THEN
				p := p || jsonb_build_object('revenue', twin.pick('10', '10', '0', '1e2', '3.456', '6,795.00', '12,50', '$5.00', ''));
			END IF;
			IF twin.r(4) = 0 THEN
				p := p || jsonb_build_object('ec_tx', twin.pick('1', '1.5 EUR', ''));
			END IF;
			IF twin.r(3) > 0 THEN
				p := p || jsonb_build_object('ec_items', twin.pick('[]', '[]', '[["s1", "n", "c", 5, 2]]', '[["s2", "n", "c", "7.50", 1]]', '[["s1", "n", "c", "5"], ["s2"]]', '[["s2", "n", "c", "12,50", 3]]'));
			END IF;
		WHEN 2, 4 THEN p := p || CASE twin.r(9)
			WHEN 0 THEN jsonb_build_object('idgoal', '0', 'revenue', '10', 'ec_id', 'again' || twin.r(3))
			WHEN 1 THEN jsonb_build_object('idgoal', '0', 'revenue', '10')
			WHEN 2 THEN jsonb_build_object('e_c', 'c', 'e_a', 'a')
			WHEN 6 THEN jsonb_build_object('search', twin.pick('red', 'blue'))
			WHEN 7 THEN jsonb_build_object('link', 'http://elsewhere.example.net/')
			WHEN 8 THEN jsonb_build_object('download', format('http://site%s.example.org/f.zip', site))
			WHEN 3 THEN jsonb_build_object('idgoal', twin.pick('1', '1', '1', '3', '9'), 'revenue', twin.pick('', '2', '2,00'))
			WHEN 4 THEN jsonb_build_object('ec_id', 'o' || n)
			ELSE jsonb_build_object('c_n', 'banner') END;
		WHEN 3 THEN
			IF twin.r(3) = 0 THEN
				url := format('http://site%s.example.org/thanks', site);
			END IF;
		ELSE NULL;
	END CASE;
	CASE twin.r(8)
		WHEN 0 THEN url := url || twin.pick('?utm_campaign=spring', '?utm_campaign=Spring', '?utm_campaign=spring&utm_term=Shoes', '?utm_campaign=summer');
		WHEN 1, 2 THEN p := p || jsonb_build_object('urlref', twin.pick('http://blog.example.net/x', 'http://news.example.com/', 'http://BLOG.example.net/y',
			'https://www.google.com/', format('http://site%s.example.org/before', site)));
		WHEN 3 THEN
			IF twin.r(3) = 0 THEN
				url := url || twin.pick('?utm_campaign=spring', '?utm_campaign=summer');
				p := p || jsonb_build_object('urlref', twin.pick('http://blog.example.net/x', 'http://news.example.com/'));
			END IF;
		ELSE NULL;
	END CASE;
	IF twin.r(8) = 0 THEN
		IF twin.r(2) = 0 THEN
			p := p || jsonb_build_object('_idvc', twin.pick('0', '1', '2', '7', 'x', '-3'));
		END IF;
		IF twin.r(2) = 0 THEN
			p := p || jsonb_build_object('_idts', (at - twin.pick('0', '43199', '43200', '300000', '600000000', '640000000', '-100')::bigint)::text);
		END IF;
		IF twin.r(2) = 0 THEN
			p := p || jsonb_build_object('_viewts', (at - twin.pick('0', '1', '43199', '43200', '300000', '640000000', '-100')::bigint)::text);
		END IF;
		IF twin.r(3) = 0 THEN
			p := p || jsonb_build_object('_ects', (at - twin.pick('0', '50000', '300000', '640000000', '-100')::bigint)::text);
		END IF;
	END IF;
	RETURN hit || jsonb_build_object('params', p || jsonb_build_object('url', url));
END
$$;

-- Half of the streams come in the order of their times, more or less; the
-- others run over several days, and their hits arrive late, minutes or hours.
-- In calm ones little ends a visit, so that visits grow long.
-- {rules, sites: [time zone …], steps: [settings and hits]}
CREATE FUNCTION twin.scenario(seed bigint, hits integer) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	rules text;
	nsites integer;
	sites jsonb := '[]';
	steps jsonb[] := '{}';
	times bigint[] := '{}';
	arrivals bigint[] := '{}';
	at bigint;
	i integer;
	narrow boolean;
	dense boolean;
	late boolean;
	calm boolean;
	hit jsonb;
BEGIN
	PERFORM set_config('twin.seed', seed::text, false);
	PERFORM setval('twin.draw', 1);
	rules := twin.pick('piwik', 'piwik', 'matomo');
	nsites := 1 + (twin.r(3) = 0)::integer;
	calm := twin.r(4) = 0;
	narrow := twin.r(3) > 0 OR calm;
	dense := twin.r(3) > 0 OR calm;
	late := twin.r(2) = 0;
	FOR i IN 1 .. nsites LOOP
		sites := sites || to_jsonb(twin.pick('UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Kolkata'));
	END LOOP;
	-- days on which clocks change, and others; shortly before somebody's midnight
	at := extract(epoch FROM twin.pick('2025-03-09 03:40:00+00', '2025-03-09 06:50:00+00', '2025-03-10 03:30:00+00', '2025-11-02 03:30:00+00',
		'2025-11-03 04:20:00+00', '2025-03-30 22:30:00+01', '2025-10-26 23:20:00+00', '2025-06-01 18:00:00+00', '2025-06-01 10:00:00+00', '2024-12-31 23:10:00+00')::timestamptz)::bigint;
	FOR i IN 1 .. hits LOOP
		at := at + CASE WHEN late AND dense AND twin.r(8) > 0 THEN twin.pick('0', '1', '5', '30', '60', '60', '120', '300')
			WHEN late THEN twin.pick('0', '1', '60', '300', '900', '1799', '1800', '1801', '7200', '80000', '86400', '200000')
			WHEN dense AND twin.r(5) > 0 THEN twin.pick('0', '1', '5', '30', '60', '60', '120', '300', '-1', '-60', '-300')
			ELSE twin.pick('0', '0', '1', '5', '30', '60', '60', '300', '300', '599', '600', '601', '900', '1500', '1799', '1800', '1801', '1801', '2400', '3599', '3600', '3601',
			'7200', '80000', '86400', '-1', '-60', '-300', '-1799', '-1800', '-1801', '-4000') END::bigint;
		times := times || at;
		arrivals := arrivals || i + CASE WHEN late THEN twin.pick('0', '0', '1', '2', '3', '5', '8', '20')::bigint ELSE 0 END;
	END LOOP;
	times := ARRAY(SELECT t FROM unnest(times, arrivals) WITH ORDINALITY x (t, a, o) ORDER BY a, o);
	FOR i IN 1 .. twin.r(6) LOOP
		steps := steps || twin.some_setting(nsites, false);
	END LOOP;
	FOR i IN 1 .. hits LOOP
		IF twin.r(25) = 0 THEN
			steps := steps || twin.some_setting(nsites, false);
		END IF;
		hit := twin.some_hit(nsites, times[i], i, narrow);
		IF calm THEN
			hit := jsonb_set(hit, '{params}', (hit -> 'params') - '{cid,uid,new_visit,urlref,cookie}'::text[]
				|| jsonb_build_object('url', regexp_replace(hit -> 'params' ->> 'url', '[?].*', ''))) || '{"device": "firefox", "ip": "198.51.100.7", "lang": "de"}';
		END IF;
		steps := steps || hit;
	END LOOP;
	RETURN jsonb_build_object('rules', rules, 'sites', sites, 'steps', to_jsonb(steps));
END
$$;

-- The hits of one visit that stays one whatever comes first: in the order of
-- their times, none before the first, each with a page view id of its own.
CREATE FUNCTION twin.one_visit(seed bigint, hits integer) RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	visit jsonb := '[]';
	at bigint := extract(epoch FROM '2025-06-01 10:00:00+00'::timestamptz)::bigint;
	i integer;
	p jsonb;
BEGIN
	PERFORM set_config('twin.seed', seed::text, false);
	PERFORM setval('twin.draw', 1);
	FOR i IN 1 .. hits LOOP
		p := jsonb_build_object('_id', 'aaaaaaaaaaaaaaaa', 'pv_id', 'h' || i, 'url', format('http://site.example.org/p%s', i));
		IF twin.r(4) > 0 THEN
			p := p || jsonb_build_object('action_name', 'T' || i);
		END IF;
		p := p || CASE CASE WHEN i = 1 THEN 1 + twin.r(15) ELSE twin.r(17) END
			WHEN 0 THEN '{"ping": "1"}'::jsonb
			WHEN 16 THEN '{"ping": "1"}'
			WHEN 1 THEN jsonb_build_object('search', 'word' || i)
			WHEN 2 THEN '{"e_c": "c", "e_a": "a"}'
			WHEN 3 THEN '{"e_c": "c", "e_a": "a", "e_n": "n"}'
			WHEN 4 THEN jsonb_build_object('search', 'word' || i)
			WHEN 5 THEN jsonb_build_object('download', format('http://site.example.org/f%s.zip', i))
			WHEN 6 THEN '{"link": "http://elsewhere.example.net/"}'
			WHEN 7 THEN '{"c_n": "banner"}'
			WHEN 8 THEN '{"idgoal": "1"}'
			WHEN 9 THEN '{"idgoal": "0", "revenue": "10", "ec_items": "[[\"s1\", \"n\", \"c\", 5]]"}'
			WHEN 10 THEN '{"idgoal": "0", "revenue": "0", "ec_items": "[]"}'
			WHEN 11 THEN jsonb_build_object('idgoal', '0', 'revenue', '10', 'ec_id', 'o' || i)
			ELSE '{}' END;
		visit := visit || jsonb_build_object('at', at, 'params', p);
		at := at + twin.pick('0', '0', '1', '30', '100', '200', '220')::bigint;
	END LOOP;
	RETURN visit;
END
$$;
