-- Sends traffic.hit, and clients.hit if it is there, through track_request(),
-- one transaction a hit.  What came back: traffic.result; how long it took:
-- traffic.run.  Says how far it is in NOTICEs "progress: N of N".
CREATE TABLE traffic.result (source text, n integer, result pk_tracking.tracked);
CREATE TABLE traffic.run (source text, hits bigint, seconds double precision);

CREATE PROCEDURE traffic.send(source regclass)
LANGUAGE plpgsql AS $$
DECLARE
	hits bigint;
	sent bigint := 0;
	started timestamptz;
	hit record;
	t pk_tracking.tracked;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s', source) INTO hits;
	started := clock_timestamp();
	FOR hit IN EXECUTE format('SELECT n, at, ip, user_agent, accept_language, query FROM %s ORDER BY n', source) LOOP
		t := pk_tracking.track_request(hit.query, hit.ip, hit.user_agent, hit.accept_language, hit.at);
		INSERT INTO traffic.result VALUES (source::text, hit.n, t);
		COMMIT;
		sent := sent + 1;
		IF sent % 500 = 0 THEN
			RAISE NOTICE 'progress: % of %', sent, hits;
		END IF;
	END LOOP;
	INSERT INTO traffic.run VALUES (source::text, hits, extract(epoch FROM clock_timestamp() - started));
END
$$;

-- the generated sites have the numbers that their hits were generated with
DO $$
DECLARE
	s record;
	given integer;
BEGIN
	FOR s IN SELECT * FROM traffic.site ORDER BY idsite LOOP
		given := pk_tracking.add_site(s.name, ARRAY[s.host], s.timezone, profile => 'faq');
		IF given <> s.idsite THEN
			RAISE EXCEPTION 'site % got number %, its hits say %', s.name, given, s.idsite;
		END IF;
		PERFORM pk_tracking.add_goal(given, 'Page 1', 'url', s.host || '/page/1', 'exact', revenue => 2), pk_tracking.add_goal(given, 'Longer than 20 minutes', 'visit_duration', '20', 'greater_than');
		IF s.look_back > 0 THEN
			PERFORM pk_tracking.set_site(s.idsite, 'window_look_back_for_visitor', s.look_back::text);
		END IF;
	END LOOP;
END
$$;

SELECT to_regclass('clients.hit') IS NOT NULL AS clients \gset
\if :clients
CALL traffic.send('clients.hit');
\endif
CALL traffic.send('traffic.hit');
ANALYZE traffic.result;
ANALYZE pk_tracking.log_visit;
ANALYZE pk_tracking.log_action;
ANALYZE pk_tracking.log_link_visit_action;
