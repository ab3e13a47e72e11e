-- Site 2: one id with 10 visits, one with :many, 31 minutes apart, the last of
-- both at 2026-11-01.
SELECT set_config('bench.many', :'many', false), set_config('synchronous_commit', 'off', false) \g /dev/null
DO $$
DECLARE
	many integer := current_setting('bench.many')::integer;
BEGIN
	FOR i IN REVERSE many - 1 .. 0 LOOP
		FOR who IN CASE WHEN i < 10 THEN 1 ELSE 2 END .. 2 LOOP
			PERFORM pk_tracking.track_request(
				format('idsite=2&rec=1&url=https%%3A%%2F%%2Fshop.example.org%%2F&_id=f%s00000000000000', who),
				format('10.%s.0.7', who)::inet,
				'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
				'en-US,en;q=0.9', timestamptz '2026-11-01 00:00:00+00' - i * interval '31 minutes');
		END LOOP;
		COMMIT;
	END LOOP;
END
$$;
DO $$
BEGIN
	IF (SELECT count(*) FROM pk_tracking.log_visit WHERE idsite = 2 AND idvisitor = 'f100000000000000') <> 10
		OR (SELECT count(*) FROM pk_tracking.log_visit WHERE idsite = 2 AND idvisitor = 'f200000000000000')
			<> current_setting('bench.many')::integer THEN
		RAISE EXCEPTION 'the visits for the look-up are not as wanted';
	END IF;
END
$$;
VACUUM ANALYZE;
