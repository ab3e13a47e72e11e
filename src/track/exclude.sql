
-- ---------------------------------------------------------------------------
-- track/exclude: hits that are not recorded
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_referrer_spam() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.referrer_spam (
		host text NOT NULL PRIMARY KEY CHECK (octet_length(host) >= 4));
	COMMENT ON TABLE pk_tracking.referrer_spam IS
		'your own hosts of referrer spam, in addition to the built-in list';
	COMMENT ON COLUMN pk_tracking.referrer_spam.host IS
		'host; a referrer on it or on one of its subdomains is spam';
	PERFORM pk_tracking_internal.watch('referrer_spam');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_referrer_spam IS
	'creates the table pk_tracking.referrer_spam';

CREATE FUNCTION pk_tracking_internal.make_automation_agent() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	-- an expression that is not valid raises an error here, not with a hit

	CREATE TABLE pk_tracking.automation_agent (
		agent text NOT NULL PRIMARY KEY CHECK (agent <> '' AND octet_length(agent) <= 4096
			AND coalesce('' ~ substring(agent FROM '^/(.+)/[imsuxUD]*$'), true) IS NOT NULL));
	COMMENT ON TABLE pk_tracking.automation_agent IS
		'your own user agents of programs, in addition to the built-in list; they count if exclude_automation is on';
	COMMENT ON COLUMN pk_tracking.automation_agent.agent IS
		'part of a user agent, or /regular expression/';
	PERFORM pk_tracking_internal.watch('automation_agent');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_automation_agent IS
	'creates the table pk_tracking.automation_agent';

CREATE FUNCTION pk_tracking_internal.make_log_excluded() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	--
	-- Sums only.  One sum may be spread over many rows, so that hits do not wait for
	-- each other: each backend adds to a row of its own.  Only site and day are
	-- indexed, so that the UPDATE is HOT.

	CREATE TABLE pk_tracking.log_excluded (
		idsite integer NOT NULL,
		day date NOT NULL,
		hits bigint NOT NULL,
		reason text NOT NULL
	) WITH (fillfactor = 50);
	CREATE INDEX log_excluded_day ON pk_tracking.log_excluded (idsite, day);
	PERFORM pk_tracking_internal.identify_by_row('log_excluded');
	COMMENT ON TABLE pk_tracking.log_excluded IS
		'numbers of excluded hits, and of recorded ones with an unreadable amount (bad_money), joined to another id (joined_other_id) or with a name too many (too_many_names); one sum may be spread over many rows, see the view pk_tracking.excluded';
	COMMENT ON COLUMN pk_tracking.log_excluded.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.log_excluded.day IS 'day in the site''s time zone';
	COMMENT ON COLUMN pk_tracking.log_excluded.hits IS 'number of hits';
	COMMENT ON COLUMN pk_tracking.log_excluded.reason IS
		'reason: bot, automation, rec, do_not_track, exclude_requests, opt_out_cookie, ip, user_agent, referrer_spam, unknown_url, prefetch, session_limit or suppressed; bad_money: recorded, but an amount could not be read; bad_address: recorded, but without the address, which could not be read; joined_other_id: recorded in a visit with another id; too_many_names: recorded with (too many) in place of a new name';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_log_excluded IS
	'creates the table pk_tracking.log_excluded';

CREATE FUNCTION pk_tracking_internal.make_excluded() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE VIEW pk_tracking.excluded AS
		SELECT e.idsite, e.day, e.reason, sum(e.hits)::bigint AS hits
		FROM pk_tracking.log_excluded e
		GROUP BY e.idsite, e.day, e.reason;
	COMMENT ON VIEW pk_tracking.excluded IS
		'number of hits that were not recorded, and of recorded ones with an unreadable amount or address (bad_money, bad_address), joined to another id (joined_other_id) or with a name too many (too_many_names), by site, local day and reason';
	COMMENT ON COLUMN pk_tracking.excluded.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.excluded.day IS 'day in the site''s time zone';
	COMMENT ON COLUMN pk_tracking.excluded.reason IS 'reason, as in log_excluded';
	COMMENT ON COLUMN pk_tracking.excluded.hits IS 'number of hits';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_excluded IS 'creates the view pk_tracking.excluded';

-- Deletes the rows of a sum that are not locked and inserts their total.  Locked
-- rows are skipped, so that nobody waits and two calls at a time cannot count a
-- row twice.
CREATE FUNCTION pk_tracking.compact_excluded() RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
	removed bigint;
	result bigint := 0;
BEGIN
	FOR r IN
		SELECT e.idsite, e.day, e.reason FROM pk_tracking.log_excluded e
		GROUP BY e.idsite, e.day, e.reason HAVING count(*) > 1
	LOOP
		WITH free AS MATERIALIZED (
			SELECT e.ctid AS tid FROM pk_tracking.log_excluded e
			WHERE e.idsite = r.idsite AND e.day = r.day AND e.reason = r.reason
			FOR UPDATE SKIP LOCKED
		), gone AS (
			DELETE FROM pk_tracking.log_excluded e
			WHERE e.ctid = ANY (ARRAY(SELECT f.tid FROM free f))
			RETURNING e.hits
		), put AS (
			INSERT INTO pk_tracking.log_excluded (idsite, day, reason, hits)
			SELECT r.idsite, r.day, r.reason, sum(g.hits) FROM gone g HAVING count(*) > 0
			RETURNING 1
		)
		SELECT (SELECT count(*) FROM gone) - (SELECT count(*) FROM put) INTO removed;
		result := result + removed;
	END LOOP;
	RETURN result;
END
$$;
COMMENT ON FUNCTION pk_tracking.compact_excluded IS
	'joins the rows of log_excluded that belong together; returns the number of rows removed';
