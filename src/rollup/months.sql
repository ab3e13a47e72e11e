
-- ---------------------------------------------------------------------------
-- rollup/months: the days of a calendar month added up
--
-- A year of pages is many rows.  A month whose days are all built has rows of its own,
-- whose day is the first one and whose kind ends in ":month"; a report reads them
-- instead of the days'.  They are made of the days' rows, and go with any of them.
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.rollup_clear_months(idsite integer, days date[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	months date[] := ARRAY(
		SELECT DISTINCT date_trunc('month', d.day)::date FROM unnest(days) AS d (day));
BEGIN
	months := ARRAY(SELECT d.day FROM pk_tracking.rollup_day d
		WHERE d.idsite = idsite AND d.day = ANY (months) AND d.month_built);
	IF months = '{}' THEN
		RETURN;
	END IF;
	UPDATE pk_tracking.rollup_day d SET month_built = false
	WHERE d.idsite = idsite AND d.day = ANY (months);
	DELETE FROM pk_tracking.rollup_fact r
	WHERE r.idsite = idsite AND r.day = ANY (months)
		AND r.kind = ANY (ARRAY(SELECT k.kind || ':month' FROM pk_tracking_internal.rollup_fact_kind k));
	DELETE FROM pk_tracking.rollup_times r
	WHERE r.idsite = idsite AND r.day = ANY (months)
		AND r.kind = ANY (ARRAY(SELECT k.kind || ':month' FROM pk_tracking_internal.rollup_times_kind k));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_clear_months IS
	'deletes the sums of the months of some days of a site';

/* The caller has locked the site's row of rollup_site. */
CREATE FUNCTION pk_tracking_internal.rollup_build_months(idsite integer) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	month date;
	last date;
BEGIN
	FOR month, last IN
		SELECT d.day, (d.day + interval '1 month')::date - 1
		FROM pk_tracking.rollup_day d
		WHERE d.idsite = idsite AND d.day = date_trunc('month', d.day)::date AND NOT d.month_built
	LOOP
		CONTINUE WHEN (SELECT count(*) FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND d.day BETWEEN month AND last
				AND d.built IS NOT NULL AND NOT d.stale) <= last - month;
		-- those of another time zone
		DELETE FROM pk_tracking.rollup_fact r
		WHERE r.idsite = idsite AND r.day = month
			AND r.kind = ANY (ARRAY(SELECT k.kind || ':month' FROM pk_tracking_internal.rollup_fact_kind k));
		DELETE FROM pk_tracking.rollup_times r
		WHERE r.idsite = idsite AND r.day = month
			AND r.kind = ANY (ARRAY(SELECT k.kind || ':month' FROM pk_tracking_internal.rollup_times_kind k));
		INSERT INTO pk_tracking.rollup_fact (idsite, day, kind, idaction_1, idaction_2, idaction_3,
			number, words, consents, nb_hits, nb_visits, visit_ages, visits, nb_uniq_visitors,
			visitor_ages, visitors, amount_1, amount_2, amount_3, amount_4, amount_5, amount_6,
			amount_7, amount_8, minimum, maximum)
		SELECT idsite, month, r.kind || ':month', r.idaction_1, r.idaction_2, r.idaction_3, r.number,
			r.words, r.consents, r.nb_hits, (r.by_visit).n, (r.by_visit).ages, (r.by_visit).counts,
			(r.by_visitor).n, (r.by_visitor).ages, (r.by_visitor).counts, r.amount_1, r.amount_2,
			r.amount_3, r.amount_4, r.amount_5, r.amount_6, r.amount_7, r.amount_8, r.minimum,
			r.maximum
		FROM (
			SELECT r.kind, r.idaction_1, r.idaction_2, r.idaction_3, r.number, r.words, r.consents,
				sum(r.nb_hits) AS nb_hits,
				pk_tracking_internal.rollup_ages_of(r.nb_visits, r.visit_ages, r.visits,
					r.day - month) AS by_visit,
				pk_tracking_internal.rollup_ages_of(r.nb_uniq_visitors, r.visitor_ages, r.visitors,
					r.day - month) AS by_visitor,
				sum(r.amount_1) AS amount_1, sum(r.amount_2) AS amount_2, sum(r.amount_3) AS amount_3,
				sum(r.amount_4) AS amount_4, sum(r.amount_5) AS amount_5, sum(r.amount_6) AS amount_6,
				sum(r.amount_7) AS amount_7, sum(r.amount_8) AS amount_8, min(r.minimum) AS minimum,
				max(r.maximum) AS maximum
			FROM pk_tracking.rollup_fact r
			WHERE r.idsite = idsite AND r.day BETWEEN month AND last
				AND r.kind = ANY (ARRAY(SELECT k.kind FROM pk_tracking_internal.rollup_fact_kind k))
			GROUP BY r.kind, r.idaction_1, r.idaction_2, r.idaction_3, r.number, r.words,
				r.consents) r;
		INSERT INTO pk_tracking.rollup_times (idsite, day, kind, idaction_1, consents, times)
		SELECT idsite, month, r.kind || ':month', r.idaction_1, r.consents,
			pk_tracking_internal.rollup_times_together(r.times)
		FROM pk_tracking.rollup_times r
		WHERE r.idsite = idsite AND r.day BETWEEN month AND last
			AND r.kind = ANY (ARRAY(SELECT k.kind FROM pk_tracking_internal.rollup_times_kind k))
		GROUP BY r.kind, r.idaction_1, r.consents;
		UPDATE pk_tracking.rollup_day d SET month_built = true
		WHERE d.idsite = idsite AND d.day = month;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_months IS
	'adds up the months of a site whose days are all built';

/*
 * The condition over rows r of a kind, of the days from from_date on that a report reads
 * from roll-ups: those of whole months, if there are, and the other days.  period_key,
 * live_from, stale: as rollup_fact_source() has them; months lie within a period if it
 * is no shorter.
 */
CREATE FUNCTION pk_tracking_internal.rollup_days(kind text, idsite integer, from_date date,
	to_date date, live_from date, stale date[], period_key text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	months date[] := '{}';
BEGIN
	IF to_date - from_date >= 27
		AND (period_key IS NULL OR period_key ~ 'date_trunc\(''(month|quarter|year)''|^\$7') THEN
		months := ARRAY(
			SELECT d.day FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND d.day BETWEEN from_date AND to_date AND d.month_built
				AND (d.day + interval '1 month')::date <= least(live_from, to_date + 1)
				AND NOT EXISTS (SELECT FROM unnest(stale) AS s (day)
					WHERE s.day >= d.day AND s.day < (d.day + interval '1 month')::date)
			ORDER BY d.day);
	END IF;
	IF months = '{}' THEN
		RETURN format('r.kind = %L AND r.day BETWEEN $7 AND $8 AND r.day < %L '
			'AND r.day <> ALL (%L::date[])', kind, live_from, stale);
	END IF;
	-- hidden from statistics, which may be older than the months' rows and then tell of none
	RETURN format('(r.kind = ANY (ARRAY(SELECT %L)) AND r.day = ANY (ARRAY(SELECT unnest(%L::date[]))) '
			'OR r.kind = ANY (ARRAY(SELECT %L)) AND r.day = ANY (ARRAY(SELECT unnest(%L::date[]))))',
		kind || ':month', months, kind,
		ARRAY(SELECT d.day FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND d.day BETWEEN from_date AND least(live_from - 1, to_date)
				AND d.day <> ALL (stale) AND date_trunc('month', d.day)::date <> ALL (months)));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_days IS
	'part of a query: the rows of a kind of some days, or of their months; does not run it';
