-- Cohorts: a log small enough to check by eye
SET client_min_messages = warning;
SET timezone = 'Asia/Tokyo';	-- a session's time zone must not matter
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
END $$;
SELECT pk_tracking.add_site('cohorts', '{https://c.example}', 'Europe/Berlin') AS cohorts \gset
INSERT INTO pk_tracking.log_visit (idvisit, idsite, visit_first_action_time, visit_last_action_time, idvisitor, consent, location_ip, visit_goal_converted, visit_goal_buyer, visit_total_events, location_country)
SELECT 8620000000 + x.n, :cohorts, x.at::timestamptz, x.at::timestamptz, x.visitor::hexid, CASE WHEN x.visitor IS NULL THEN 3 ELSE 1 END, '0.0.0.0', x.converted, x.buyer, x.events, x.country
FROM (VALUES
	(1, '2026-03-10 10:00Z', '00000000000000aa', 0, 0, 0, 'de'),	-- A was there before
	(2, '2026-03-17 10:00Z', '00000000000000aa', 1, 1, 0, 'de'),
	(3, '2026-03-16 10:00Z', '00000000000000bb', 0, 0, 1, 'de'),	-- B comes in the first week, twice,
	(4, '2026-03-22 22:59:59Z', '00000000000000bb', 1, 0, 0, 'fr'),	-- Sunday, the last second
	(5, '2026-03-22 23:00:00Z', '00000000000000bb', 1, 1, 0, 'fr'),	-- and in the second
	(6, '2026-03-18 10:00Z', '00000000000000cc', 1, 1, 0, 'fr'),	-- C in the first and the third, which begins before the clocks have changed for a day
	(7, '2026-03-29 22:00:00Z', '00000000000000cc', 0, 0, 0, 'fr'),	-- Monday 0:00
	(8, '2026-03-29 21:59:59Z', '00000000000000dd', 0, 0, 0, 'de'),	-- D on Sunday of the second,
	(9, '2026-04-05 21:59:59Z', '00000000000000dd', 1, 0, 2, 'de'),	-- and a week later, on the last day
	(10, '2026-04-05 22:00:00Z', '00000000000000ee', 1, 1, 0, 'de'),	-- E too late
	(11, '2026-03-20 10:00Z', NULL, 0, 0, 0, 'de'), (12, '2026-03-31 10:00Z', NULL, 0, 0, 0, 'de')) AS x(n, at, visitor, converted, buyer, events, country);
SELECT * FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', 'week');
SELECT first_day, period_number, nb_uniq_visitors, nb_returning, returning_rate FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', 'week', acts => 'conversions');
SELECT first_day, period_number, nb_uniq_visitors, nb_returning, returning_rate FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', 'week', acts => 'orders');
SELECT first_day, period_number, nb_uniq_visitors, nb_returning FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', 'week', acts => 'events');
-- of those who came from Germany first
SELECT first_day, period_number, nb_uniq_visitors, nb_returning, nb_visits_anonymous FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', 'week', filter => 'countryCode==de');
SELECT first_day, last_day, period_number, nb_uniq_visitors, nb_returning FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', 'month');
SELECT first_day, last_day, period_number, nb_uniq_visitors, nb_returning FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', 'range');
SELECT first_day, count(*) AS periods, min(nb_uniq_visitors) AS visitors, sum(nb_returning) AS returning FROM pk_tracking.report_cohorts(:cohorts, '2026-03-28', '2026-03-31', 'day') GROUP BY 1 ORDER BY 1;
\set SHOW_CONTEXT never
SELECT * FROM pk_tracking.report_cohorts(:cohorts, '2026-03-16', '2026-04-05', acts => 'purchases');
DELETE FROM pk_tracking.log_visit WHERE idsite = :cohorts;
