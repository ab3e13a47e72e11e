-- Every :every-th visitor logs in during the visit, all at about the same time:
-- round by round, every visitor sends a hit; from the second on they with a user
-- id.  Ids begin with :prefix.
SELECT set_config('bench.visitors', :'visitors', false), set_config('bench.every', :'every', false), set_config('bench.prefix', :'prefix', false),
	set_config('synchronous_commit', 'off', false) \g /dev/null
DO $$
BEGIN
	FOR round IN 1..6 LOOP
		FOR v IN 1..current_setting('bench.visitors')::integer LOOP
			PERFORM pk_tracking.track_request(
				format('idsite=1&rec=1&url=https%%3A%%2F%%2Fshop.example.org%%2Fpage%%2F%s&_id=%s%s', v % 200, current_setting('bench.prefix') || lpad(to_hex(v), 15, '0'),
					CASE WHEN round > 1 AND v % current_setting('bench.every')::integer = 0 THEN '&uid=user' || current_setting('bench.prefix') || v ELSE '' END),
				format('%s.%s.1.7', 1 + v / 256, v % 256)::inet, 'Browser of user ' || current_setting('bench.prefix') || v, 'de');
			COMMIT;
		END LOOP;
	END LOOP;
END
$$;
