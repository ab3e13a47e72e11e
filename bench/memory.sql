-- Hits that all differ: ids, addresses, agents, languages, URLs, titles.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('Memory', ARRAY['https://memory.example'], 'Europe/Berlin') \g /dev/null
CREATE SCHEMA bench;

-- up to the n-th of them, from where the last call ended
CREATE SEQUENCE bench.hit;
CREATE PROCEDURE bench.different_hits(n bigint)
LANGUAGE plpgsql AS $$
DECLARE
	i bigint;
BEGIN
	LOOP
		i := nextval('bench.hit');
		PERFORM pk_tracking.track_request(
			format('idsite=1&rec=1&bots=1&url=https%%3A%%2F%%2Fmemory.example%%2Fpage%%2F%s&action_name=Title%%20%s&_id=%s%s%s&res=%sx%s&pv_id=%s',
				i, i, lpad(to_hex(i), 16, '0'),
				CASE WHEN i % 5 = 0 THEN '&uid=user' || i ELSE '' END,
				CASE WHEN i % 7 = 0 THEN '&urlref=https%3A%2F%2Fsite' || i || '.example%2F' ELSE '' END,
				i % 5000, i % 3000, lpad(to_hex(i % 16777216), 6, '0')),
			CASE WHEN i % 3 = 0 THEN format('2001:db8:%s:%s::1', to_hex(i % 65536), to_hex(i / 65536))::inet
				ELSE '1.0.0.0'::inet + (i * 65521) % 3500000000 END,
			format('Mozilla/5.0 (X11; Linux x86_64; rv:%s.0) Gecko/20100101 Firefox/%s.0', i, i),
			format('%s-%s,en;q=0.5', chr(97 + (i % 26)::int) || chr(97 + (i / 26 % 26)::int), chr(65 + (i / 676 % 26)::int) || 'X'),
			timestamptz '2026-11-01 00:00:00+00' + i * interval '100 milliseconds');
		IF i % 200 = 0 THEN
			COMMIT;
		END IF;
		EXIT WHEN i = n;
	END LOOP;
END
$$;
