CREATE EXTENSION pgcrypto;

CREATE EXTENSION pk_tracking;

SELECT FROM pk_tracking.create_log();

-- by id, so that equal browsers do not make one visitor
SELECT FROM pk_tracking.set_instance('trust_visitors_cookies', 'on');

SELECT FROM pk_tracking.add_site('bench', ARRAY['https://a.example']);

SELECT FROM pk_tracking.add_site('bench of those who refuse', ARRAY['https://b.example']);

SELECT FROM pk_tracking.set_site(2, 'consent_mode', 'ask_else_anonymous');

SELECT FROM pk_tracking.add_site('bench of those who are looked for', ARRAY['https://a.example']);

-- a revision without the setting counts the same hits without it
SELECT FROM pk_tracking.settings s, LATERAL pk_tracking.set_site(3, s.name, '-1') WHERE s.name = 'returning_look_back' LIMIT 1;

CREATE SCHEMA bench;

CREATE FUNCTION bench.query(idsite integer, visitor integer, page integer) RETURNS text LANGUAGE sql STABLE
RETURN format('idsite=%s&rec=1&action_name=Title%%20%s&_id=%s&url=https%%3A%%2F%%2Fa.example%%2Fpage%%2F%s&res=1920x1080&h=10&m=2&s=3&pdf=1&cookie=1&pv_id=abcdef',
	idsite, page, lpad(to_hex(visitor), 16, 'a'), page);

-- hits one by one, 100 visitors or as many as hits; a commit every 50 lets the server prune pages
CREATE PROCEDURE bench.live(idsite integer, hits integer, visitors integer, apart double precision DEFAULT 0.5, first timestamptz DEFAULT '2026-01-01 12:00+00') LANGUAGE plpgsql AS $$
DECLARE
	queries CONSTANT text[] := (SELECT array_agg(bench.query(idsite, g % visitors, g % 500) ORDER BY g) FROM generate_series(1, hits) g);
	ips CONSTANT inet[] := (SELECT array_agg(('10.1.' || g % visitors % 200 || '.7')::inet ORDER BY g) FROM generate_series(1, hits) g);
BEGIN
	FOR g IN 1 .. hits LOOP
		PERFORM pk_tracking.track_request(queries[g], ips[g],
			'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36', 'en-US,en;q=0.9',
			first + g * apart * interval '1 s');
		IF g % 50 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END $$;

CREATE PROCEDURE bench.known(n integer) LANGUAGE plpgsql AS 'BEGIN CALL bench.live(1, n, 100); END';

CREATE PROCEDURE bench.new(n integer) LANGUAGE plpgsql AS 'BEGIN CALL bench.live(1, n, n + 1); END';

-- the same with a look-up of earlier visits that finds none
CREATE PROCEDURE bench.new_looks_back(n integer) LANGUAGE plpgsql AS 'BEGIN CALL bench.live(3, n, n + 1); END';

-- hits of 100 visitors, each of which begins a visit, as an hour has passed; counted, and without the look-up
CREATE PROCEDURE bench.returns(n integer) LANGUAGE plpgsql AS 'BEGIN CALL bench.live(3, n, 100, 36); END';

CREATE PROCEDURE bench.returns_unseen(n integer) LANGUAGE plpgsql AS 'BEGIN CALL bench.live(1, n, 100, 36); END';

CREATE PROCEDURE bench.anonymous(n integer) LANGUAGE plpgsql AS 'BEGIN CALL bench.live(2, n, 100); END';

-- of today, which the others are not; and of a day that roll-ups count, without and with later days of the same visitors
CREATE PROCEDURE bench.today(n integer) LANGUAGE plpgsql AS 'BEGIN CALL bench.live(1, n, 100, 0, now()); END';

CREATE PROCEDURE bench.counted(n integer) LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.live(1, 100, 100);
	PERFORM pk_tracking.maintain();
	COMMIT;
	CALL bench.live(1, n, 100);
END $$;

CREATE PROCEDURE bench.counted_later(n integer) LANGUAGE plpgsql AS $$
BEGIN
	CALL bench.live(1, 100, 100);
	CALL bench.live(1, 100, 100, 0.5, '2026-01-03 12:00+00');
	PERFORM pk_tracking.maintain();
	COMMIT;
	CALL bench.live(1, n, 100);
END $$;

-- one statement: five hits a visit, columns or URLs
CREATE TABLE bench.raw_columns (idsite integer, at timestamptz, ip inet, user_agent text, url text, action_name text, _id text, accept_language text);

CREATE TABLE bench.raw_urls (query text, at timestamptz, ip inet, user_agent text);

SELECT FROM pk_tracking.attach('bench.raw_columns', trusted => true);

SELECT FROM pk_tracking.attach('bench.raw_urls', trusted => true);

CREATE PROCEDURE bench.columns(n integer) LANGUAGE sql AS $$
	INSERT INTO bench.raw_columns SELECT 1, '2026-01-01 12:00+00'::timestamptz + g * interval '0.5 s', ('10.1.' || g % (n / 5) % 200 || '.7')::inet,
		'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36', 'https://a.example/page/' || g % 500, 'Title ' || g % 500,
		lpad(to_hex(g % (n / 5)), 16, 'a'), 'en-US,en;q=0.9'
	FROM generate_series(1, n) g
$$;

CREATE PROCEDURE bench.urls(n integer) LANGUAGE sql AS $$
	INSERT INTO bench.raw_urls SELECT bench.query(1 + (g % 5 = 0)::integer, g % (n / 5), g % 500), '2026-01-01 12:00+00'::timestamptz + g * interval '0.5 s',
		('10.1.' || g % (n / 5) % 200 || '.7')::inet, 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Safari/537.36'
	FROM generate_series(1, n) g
$$;
