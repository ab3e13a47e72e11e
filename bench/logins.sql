-- Everybody logs in during the visit, all at about the same time: round by
-- round, every visitor sends a hit; from the second on with a user id.
SELECT set_config('bench.visitors', :'visitors', false), set_config('synchronous_commit', 'off', false) \g /dev/null
DO $$
BEGIN
	FOR round IN 1..6 LOOP
		FOR v IN 1..current_setting('bench.visitors')::integer LOOP
			PERFORM pk_tracking.track_request(
				format('idsite=1&rec=1&url=https%%3A%%2F%%2Fshop.example.org%%2Fpage%%2F%s&_id=%s%s', v % 200, lpad(to_hex(v), 16, 'e'),
					CASE WHEN round > 1 THEN '&uid=user' || v ELSE '' END),
				format('%s.%s.1.7', 1 + v / 256, v % 256)::inet, 'Browser of user ' || v, 'de');
			COMMIT;
		END LOOP;
	END LOOP;
END
$$;
