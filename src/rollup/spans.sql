
-- ---------------------------------------------------------------------------
-- rollup/spans: the days of a week or a calendar month added up
--
-- A year of pages is many rows.  A week or month whose days are all built has rows of
-- its own, whose day is the first one and whose kind ends in ":week" or ":month"; a
-- report reads them instead of the days'.  They are made of the days' rows, and go with
-- any of them.
-- ---------------------------------------------------------------------------

/* What days are added up to, the longest first; the spans are those of date_trunc(). */
CREATE FUNCTION pk_tracking_internal.rollup_spans(OUT span text, OUT length interval,
	OUT least_days integer)
RETURNS SETOF record
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES ('month', interval '1 month', 28), ('week', interval '1 week', 7)
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_spans IS
	'what days of roll-ups are added up to';

/* The rows of some days go; of spans that begin with these days, where a span is named. */
CREATE FUNCTION pk_tracking_internal.rollup_delete(idsite integer, days date[],
	span text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	ending CONSTANT text := coalesce(':' || span, '');
BEGIN
	-- the kinds are named for the sake of the indexes
	DELETE FROM pk_tracking.rollup_visit r
	WHERE r.idsite = idsite AND r.day = ANY (days)
		AND r.kind = ANY (ARRAY(SELECT k.kind || ending FROM pk_tracking_internal.rollup_kind k));
	DELETE FROM pk_tracking.rollup_fact r
	WHERE r.idsite = idsite AND r.day = ANY (days)
		AND r.kind = ANY (ARRAY(SELECT k.kind || ending FROM pk_tracking_internal.rollup_fact_kind k));
	DELETE FROM pk_tracking.rollup_times r
	WHERE r.idsite = idsite AND r.day = ANY (days)
		AND r.kind = ANY (ARRAY(SELECT k.kind || ending FROM pk_tracking_internal.rollup_times_kind k));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_delete IS
	'deletes rows of roll-ups: of some days of a site, or of the spans that begin with them';

CREATE FUNCTION pk_tracking_internal.rollup_clear_spans(idsite integer, days date[]) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	span text;
	first_days date[];
BEGIN
	FOR span IN SELECT s.span FROM pk_tracking_internal.rollup_spans() s LOOP
		first_days := ARRAY(
			SELECT d.day FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND span = ANY (d.spans_built)
				AND d.day = ANY (ARRAY(
					SELECT date_trunc(span, u.day)::date FROM unnest(days) AS u (day))));
		CONTINUE WHEN first_days = '{}';
		UPDATE pk_tracking.rollup_day d SET spans_built = array_remove(d.spans_built, span)
		WHERE d.idsite = idsite AND d.day = ANY (first_days);
		PERFORM pk_tracking_internal.rollup_delete(idsite, first_days, span);
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_clear_spans IS
	'deletes the sums of the weeks and months of some days of a site';

/* The caller has locked the site's row of rollup_site. */
CREATE FUNCTION pk_tracking_internal.rollup_build_spans(idsite integer) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_variable
DECLARE
	span text;
	first date;
	last date;
BEGIN
	FOR span, first, last IN
		SELECT s.span, d.day, (d.day + s.length)::date - 1
		FROM pk_tracking_internal.rollup_spans() s
			JOIN pk_tracking.rollup_day d ON d.day = date_trunc(s.span, d.day)::date
		WHERE d.idsite = idsite AND s.span <> ALL (d.spans_built)
	LOOP
		CONTINUE WHEN (SELECT count(*) FROM pk_tracking.rollup_day d
			WHERE d.idsite = idsite AND d.day BETWEEN first AND last
				AND d.built IS NOT NULL AND NOT d.stale) <= last - first;
		INSERT INTO pk_tracking.rollup_visit (idsite, day, kind, keys, anonymous, nb_visits,
			nb_uniq_visitors, visitor_ages, visitors, nb_users, user_ages, users, max_actions,
			bounce_count, nb_visits_converted, nb_actions, nb_pageviews, sum_visit_length,
			nb_conversions, revenue)
		SELECT idsite, first, r.kind || ':' || span, r.keys, r.anonymous, r.nb_visits,
			(r.by_visitor).n, (r.by_visitor).ages, (r.by_visitor).counts,
			(r.by_user).n, (r.by_user).ages, (r.by_user).counts, r.max_actions,
			r.bounce_count, r.nb_visits_converted, r.nb_actions, r.nb_pageviews, r.sum_visit_length,
			r.nb_conversions, r.revenue
		FROM (
			SELECT r.kind, r.keys, r.anonymous, sum(r.nb_visits) AS nb_visits,
				pk_tracking_internal.rollup_ages_of(r.nb_uniq_visitors, r.visitor_ages, r.visitors,
					r.day - first) AS by_visitor,
				pk_tracking_internal.rollup_ages_of(r.nb_users, r.user_ages, r.users,
					r.day - first) AS by_user,
				max(r.max_actions) AS max_actions, sum(r.bounce_count) AS bounce_count,
				sum(r.nb_visits_converted) AS nb_visits_converted, sum(r.nb_actions) AS nb_actions,
				sum(r.nb_pageviews) AS nb_pageviews, sum(r.sum_visit_length) AS sum_visit_length,
				sum(r.nb_conversions) AS nb_conversions, sum(r.revenue) AS revenue
			FROM pk_tracking.rollup_visit r
			WHERE r.idsite = idsite AND r.day BETWEEN first AND last
				AND r.kind = ANY (ARRAY(SELECT k.kind FROM pk_tracking_internal.rollup_kind k))
			GROUP BY r.kind, r.keys, r.anonymous) r;
		INSERT INTO pk_tracking.rollup_fact (idsite, day, kind, idaction_1, idaction_2, idaction_3,
			number, words, consents, nb_hits, nb_visits, visit_ages, visits, nb_uniq_visitors,
			visitor_ages, visitors, amount_1, amount_2, amount_3, amount_4, amount_5, amount_6,
			amount_7, amount_8, minimum, maximum)
		SELECT idsite, first, r.kind || ':' || span, r.idaction_1, r.idaction_2, r.idaction_3, r.number,
			r.words, r.consents, r.nb_hits, (r.by_visit).n, (r.by_visit).ages, (r.by_visit).counts,
			(r.by_visitor).n, (r.by_visitor).ages, (r.by_visitor).counts, r.amount_1, r.amount_2,
			r.amount_3, r.amount_4, r.amount_5, r.amount_6, r.amount_7, r.amount_8, r.minimum,
			r.maximum
		FROM (
			SELECT r.kind, r.idaction_1, r.idaction_2, r.idaction_3, r.number, r.words, r.consents,
				sum(r.nb_hits) AS nb_hits,
				pk_tracking_internal.rollup_ages_of(r.nb_visits, r.visit_ages, r.visits,
					r.day - first) AS by_visit,
				pk_tracking_internal.rollup_ages_of(r.nb_uniq_visitors, r.visitor_ages, r.visitors,
					r.day - first) AS by_visitor,
				sum(r.amount_1) AS amount_1, sum(r.amount_2) AS amount_2, sum(r.amount_3) AS amount_3,
				sum(r.amount_4) AS amount_4, sum(r.amount_5) AS amount_5, sum(r.amount_6) AS amount_6,
				sum(r.amount_7) AS amount_7, sum(r.amount_8) AS amount_8, min(r.minimum) AS minimum,
				max(r.maximum) AS maximum
			FROM pk_tracking.rollup_fact r
			WHERE r.idsite = idsite AND r.day BETWEEN first AND last
				AND r.kind = ANY (ARRAY(SELECT k.kind FROM pk_tracking_internal.rollup_fact_kind k))
			GROUP BY r.kind, r.idaction_1, r.idaction_2, r.idaction_3, r.number, r.words,
				r.consents) r;
		INSERT INTO pk_tracking.rollup_times (idsite, day, kind, idaction_1, consents, times)
		SELECT idsite, first, r.kind || ':' || span, r.idaction_1, r.consents,
			pk_tracking_internal.rollup_times_together(r.times)
		FROM pk_tracking.rollup_times r
		WHERE r.idsite = idsite AND r.day BETWEEN first AND last
			AND r.kind = ANY (ARRAY(SELECT k.kind FROM pk_tracking_internal.rollup_times_kind k))
		GROUP BY r.kind, r.idaction_1, r.consents;
		UPDATE pk_tracking.rollup_day d SET spans_built = d.spans_built || span
		WHERE d.idsite = idsite AND d.day = first;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_build_spans IS
	'adds up the weeks and months of a site whose days are all built';

/*
 * The condition over rows r of a kind, of the days from from_date on that a report reads
 * from roll-ups: those of whole months, then those of whole weeks, and the other days.
 * period_key, live_from, stale: as rollup_fact_source() has them; a span is read where it
 * lies within a period.
 */
CREATE FUNCTION pk_tracking_internal.rollup_days(kind text, idsite integer, from_date date,
	to_date date, live_from date, stale date[], period_key text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	ends CONSTANT date := least(live_from, to_date + 1);
	-- without a name the whole range is one period
	period CONSTANT text := substring(period_key FROM 'date_trunc\(''(\w+)''');
	s record;
	covered datemultirange := '{}';
	first_days date[];
	days date[];
	conditions text[] := '{}';
BEGIN
	FOR s IN SELECT * FROM pk_tracking_internal.rollup_spans() LOOP
		CONTINUE WHEN ends - from_date < s.least_days;
		SELECT coalesce(array_agg(d.day), '{}'),
				covered + coalesce(range_agg(daterange(d.day, d.next)), '{}')
			INTO first_days, covered
			FROM (
				SELECT d.day, (d.day + s.length)::date AS next
				FROM pk_tracking.rollup_day d
				WHERE d.idsite = idsite AND d.day BETWEEN from_date AND to_date
					AND s.span = ANY (d.spans_built)) d
			WHERE d.next <= ends AND NOT covered && daterange(d.day, d.next)
				AND (period IS NULL OR date_trunc(period, d.day) = date_trunc(period, d.next - 1))
				AND NOT EXISTS (SELECT FROM unnest(stale) AS u (day)
					WHERE u.day >= d.day AND u.day < d.next);
		IF first_days <> '{}' THEN
			-- hidden from statistics, which may be older than these rows and then tell of none
			conditions := conditions || format('r.kind = ANY (ARRAY(SELECT %L)) '
				'AND r.day = ANY (ARRAY(SELECT unnest(%L::date[])))', kind || ':' || s.span, first_days);
		END IF;
	END LOOP;
	IF conditions = '{}' THEN
		RETURN format('r.kind = %L AND r.day BETWEEN $7 AND $8 AND r.day < %L '
			'AND r.day <> ALL (%L::date[])', kind, live_from, stale);
	END IF;
	days := ARRAY(
		SELECT d.day FROM pk_tracking.rollup_day d
		WHERE d.idsite = idsite AND d.day BETWEEN from_date AND ends - 1
			AND d.day <> ALL (stale) AND NOT d.day <@ covered);
	IF days <> '{}' THEN
		conditions := conditions || format('r.kind = ANY (ARRAY(SELECT %L)) '
			'AND r.day = ANY (ARRAY(SELECT unnest(%L::date[])))', kind, days);
	END IF;
	RETURN '(' || array_to_string(conditions, ' OR ') || ')';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_days IS
	'part of a query: the rows of a kind of some days, or of their weeks and months; does not run it';
