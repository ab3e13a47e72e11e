-- The live bench's database: a site, the hand-written function, known visitors.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION pk_tracking;
SELECT pk_tracking.create_log() \g /dev/null
SELECT pk_tracking.add_site('Bench', ARRAY['https://shop.example.org'], 'UTC') \g /dev/null
SELECT pk_tracking.add_site('Few and many', ARRAY['https://shop.example.org'], 'UTC') \g /dev/null
SELECT pk_tracking.add_site('Shared networks', ARRAY['https://shop.example.org'], 'UTC') \g /dev/null
-- runs may see midnight
SELECT pk_tracking.set_instance('create_new_visit_after_midnight', 'off') \g /dev/null

-- What a careful user would write, on tables of the same shape, indexes and
-- CHECKs (the CHECKs' functions take the row, so they are made anew).
CREATE SCHEMA hand;
CREATE TABLE hand.log_visit (LIKE pk_tracking.log_visit INCLUDING ALL EXCLUDING CONSTRAINTS) WITH (fillfactor = 80);
CREATE TABLE hand.log_link_visit_action (LIKE pk_tracking.log_link_visit_action INCLUDING ALL EXCLUDING CONSTRAINTS);

CREATE FUNCTION hand.is_anonymous(v hand.log_visit) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN v.consent IN (2, 3) AND v.idvisitor IS NULL AND v.user_id IS NULL; END';
CREATE FUNCTION hand.is_anonymous(a hand.log_link_visit_action) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN a.consent IN (2, 3) AND a.idvisitor IS NULL; END';
ALTER TABLE hand.log_visit ADD CHECK ((consent >= 0 AND consent < 2) OR hand.is_anonymous(log_visit));
ALTER TABLE hand.log_link_visit_action ADD CHECK ((consent >= 0 AND consent < 2) OR hand.is_anonymous(log_link_visit_action));

CREATE SCHEMA bench;
CREATE FUNCTION hand.track(site integer, visitor hexid, config hexid, page bigint, title bigint, address inet, at timestamptz)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	visit record;
	visit_id bigint;
	action_id bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(site, hashtext(visitor::text));

	SELECT v.idvisit, v.visit_first_action_time, v.visit_last_action_time, v.visit_total_actions,
		v.visit_exit_idaction_url, v.visit_exit_idaction_name
	INTO visit
	FROM hand.log_visit v
	WHERE v.idsite = site AND v.idvisitor = visitor
		AND v.visit_last_action_time BETWEEN at - interval '30 minutes' AND at + interval '30 minutes'
	ORDER BY v.visit_first_action_time DESC
	LIMIT 1;

	IF FOUND THEN
		INSERT INTO hand.log_link_visit_action (idvisit, idvisitor, server_time, idaction_url, idaction_name,
			idaction_url_ref, idaction_name_ref, idsite, pageview_position, time_spent_ref_action)
		VALUES (visit.idvisit, visitor, at, page, title,
			visit.visit_exit_idaction_url, visit.visit_exit_idaction_name, site, visit.visit_total_actions + 1,
			extract(epoch FROM at - visit.visit_last_action_time)::integer)
		RETURNING idlink_va INTO action_id;

		UPDATE hand.log_visit v
		SET visit_last_action_time = at,
			visit_total_time = extract(epoch FROM at - visit.visit_first_action_time)::integer + 1,
			visit_total_actions = v.visit_total_actions + 1,
			visit_total_interactions = v.visit_total_interactions + 1,
			visit_exit_idaction_url = page,
			visit_exit_idaction_name = title,
			last_idlink_va = action_id
		WHERE v.idvisit = visit.idvisit;
		RETURN visit.idvisit;
	END IF;

	INSERT INTO hand.log_visit (idvisitor, config_id, visit_first_action_time, visit_last_action_time, idsite,
		visit_entry_idaction_url, visit_entry_idaction_name, visit_exit_idaction_url, visit_exit_idaction_name,
		visit_total_actions, visit_total_interactions, location_ip, location_browser_lang, config_resolution)
	VALUES (visitor, config, at, at, site, page, title, page, title, 1, 1,
		set_masklen(network(set_masklen(address, 16))::inet, 32), 'en', '1920x1080')
	RETURNING idvisit INTO visit_id;
	INSERT INTO hand.log_link_visit_action (idvisit, idvisitor, server_time, idaction_url, idaction_name,
		idaction_url_ref, idaction_name_ref, idsite, pageview_position)
	VALUES (visit_id, visitor, at, page, title, 0, 0, site, 1)
	RETURNING idlink_va INTO action_id;
	UPDATE hand.log_visit SET last_idlink_va = action_id WHERE idvisit = visit_id;
	RETURN visit_id;
END
$$;

-- The known visitors' visits begin: a log with one visit of each.
CREATE PROCEDURE bench.begin_known(visitors integer)
LANGUAGE plpgsql AS $$
BEGIN
	TRUNCATE pk_tracking.log_visit, pk_tracking.log_link_visit_action, hand.log_visit, hand.log_link_visit_action;
	COMMIT;
	FOR v IN 1..visitors LOOP
		PERFORM pk_tracking.track_request(
			format('idsite=1&rec=1&url=https%%3A%%2F%%2Fshop.example.org%%2Fpage%%2F%s&action_name=Page%%20%s&_id=%s&res=1920x1080',
				v % 2000, v % 2000, lpad(to_hex(v), 16, 'a')),
			format('%s.%s.0.7', 1 + v / 256, v % 256)::inet,
			'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
			'en-US,en;q=0.9');
		PERFORM hand.track(1, lpad(to_hex(v), 16, 'a')::hexid, lpad(to_hex(v), 16, 'b')::hexid, v % 2000, v % 2000,
			format('%s.%s.0.7', 1 + v / 256, v % 256)::inet, now());
		IF v % 100 = 0 THEN
			COMMIT;
		END IF;
	END LOOP;
END
$$;
