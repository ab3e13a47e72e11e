
-- ---------------------------------------------------------------------------
-- rollup/tables: what was counted of days that are over
--
-- See doc/internals.md, "Roll-ups".
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_rollup_site() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.rollup_site (
		idsite integer PRIMARY KEY,
		timezone text NOT NULL,
		first_day date NOT NULL,
		frozen_before date NOT NULL DEFAULT '-infinity');
	COMMENT ON TABLE pk_tracking.rollup_site IS 'sites that have roll-ups';
	COMMENT ON COLUMN pk_tracking.rollup_site.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.rollup_site.timezone IS
		'time zone of the days; after another one was set, no roll-up is read until maintain() has built them anew';
	COMMENT ON COLUMN pk_tracking.rollup_site.first_day IS
		'day of the first row of the log; earlier days are known to be empty';
	COMMENT ON COLUMN pk_tracking.rollup_site.frozen_before IS
		'roll-ups of earlier days stay as they are, because the log has lost rows of them';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_site IS
	'creates the table pk_tracking.rollup_site';

CREATE FUNCTION pk_tracking_internal.make_rollup_day() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.rollup_day (
		idsite integer NOT NULL,
		day date NOT NULL,
		horizon xid8,
		built timestamptz,
		stale boolean NOT NULL DEFAULT false,
		users_by_id boolean NOT NULL DEFAULT false,
		spans_built text[] NOT NULL DEFAULT '{}',
		PRIMARY KEY (idsite, day));
	COMMENT ON TABLE pk_tracking.rollup_day IS 'days of sites and their roll-ups';
	COMMENT ON COLUMN pk_tracking.rollup_day.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.rollup_day.day IS 'day in the site''s time zone';
	COMMENT ON COLUMN pk_tracking.rollup_day.horizon IS
		'transactions with an earlier number may have written hits of that day when it was over; NULL: they have ended';
	COMMENT ON COLUMN pk_tracking.rollup_day.built IS
		'time at which the day''s roll-ups were built; NULL: there are none';
	COMMENT ON COLUMN pk_tracking.rollup_day.stale IS
		'whether rows of the day were changed since';
	COMMENT ON COLUMN pk_tracking.rollup_day.users_by_id IS
		'whether each visit of a user has the visitor id that the user id gives; else nb_users is good for this day alone';
	COMMENT ON COLUMN pk_tracking.rollup_day.spans_built IS
		'the spans that begin with this day whose days were added up: week, month';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_day IS
	'creates the table pk_tracking.rollup_day';

/*
 * nb_uniq_visitors of the days a to b is, over their rows, nb_uniq_visitors and those
 * of visitors whose age reaches back before a: rollup_since().  So each visitor is
 * counted on the first of these days.  Likewise nb_users.
 */
CREATE FUNCTION pk_tracking_internal.make_rollup_visit() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.rollup_visit (
		idsite integer NOT NULL,
		day date NOT NULL,
		nb_visits integer NOT NULL,
		nb_uniq_visitors integer NOT NULL,
		nb_users integer NOT NULL,
		max_actions integer NOT NULL,
		bounce_count integer NOT NULL,
		nb_visits_converted integer NOT NULL,
		nb_actions bigint NOT NULL,
		nb_pageviews bigint NOT NULL,
		sum_visit_length bigint NOT NULL,
		nb_conversions bigint NOT NULL,
		anonymous boolean NOT NULL,
		kind text NOT NULL,
		keys text[] NOT NULL,
		revenue numeric,
		visitor_ages smallint[],
		visitors integer[],
		user_ages smallint[],
		users integer[]);
	CREATE INDEX rollup_visit_day ON pk_tracking.rollup_visit (idsite, kind, day);
	PERFORM pk_tracking_internal.identify_by_row('rollup_visit');
	PERFORM pk_tracking_internal.keep_out_of_statistics('rollup_visit');
	COMMENT ON TABLE pk_tracking.rollup_visit IS
		'roll-ups of the reports that count visits';
	COMMENT ON COLUMN pk_tracking.rollup_visit.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.rollup_visit.day IS 'local day on which the visits began';
	COMMENT ON COLUMN pk_tracking.rollup_visit.kind IS 'what visits are counted by';
	COMMENT ON COLUMN pk_tracking.rollup_visit.keys IS 'values of it';
	COMMENT ON COLUMN pk_tracking.rollup_visit.anonymous IS
		'whether the visits are anonymous (consent undecided or refused)';
	COMMENT ON COLUMN pk_tracking.rollup_visit.nb_visits IS 'visits';
	COMMENT ON COLUMN pk_tracking.rollup_visit.nb_uniq_visitors IS
		'visitors without a visit of the same keys on an earlier day of a year, and anonymous visits';
	COMMENT ON COLUMN pk_tracking.rollup_visit.nb_users IS
		'users without a visit of the same keys on an earlier day of a year';
	COMMENT ON COLUMN pk_tracking.rollup_visit.visitor_ages IS
		'days since the visitors in "visitors" had the last visit of the same keys, ascending; NULL: there are none';
	COMMENT ON COLUMN pk_tracking.rollup_visit.visitors IS 'visitors by visitor_ages';
	COMMENT ON COLUMN pk_tracking.rollup_visit.user_ages IS
		'days since the users in "users" had the last visit of the same keys, ascending; NULL: there are none';
	COMMENT ON COLUMN pk_tracking.rollup_visit.users IS 'users by user_ages';
	COMMENT ON COLUMN pk_tracking.rollup_visit.max_actions IS 'actions of the visit with the most';
	COMMENT ON COLUMN pk_tracking.rollup_visit.bounce_count IS 'visits of one action';
	COMMENT ON COLUMN pk_tracking.rollup_visit.nb_visits_converted IS 'visits with a conversion';
	COMMENT ON COLUMN pk_tracking.rollup_visit.nb_actions IS 'actions';
	COMMENT ON COLUMN pk_tracking.rollup_visit.nb_pageviews IS 'page views';
	COMMENT ON COLUMN pk_tracking.rollup_visit.sum_visit_length IS 'seconds';
	COMMENT ON COLUMN pk_tracking.rollup_visit.nb_conversions IS 'conversions of the visits';
	COMMENT ON COLUMN pk_tracking.rollup_visit.revenue IS 'their revenue; NULL: none';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_visit IS
	'creates the table pk_tracking.rollup_visit';
