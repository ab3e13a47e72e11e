
-- ---------------------------------------------------------------------------
-- rollup/fact_tables: what was counted of actions, entries, exits and conversions
--
-- See doc/internals.md, "Roll-ups".
-- ---------------------------------------------------------------------------

/*
 * nb_visits of the days a to b is, over their rows, nb_visits and those of visits
 * whose age reaches back before a: rollup_since().  So each visit is counted on the
 * first of these days, and likewise each visitor.  Both consents together count a
 * visit twice that has acted under both: the rows with consents = 2 take off what is
 * too much.
 *
 * Columns that hold numbers of names are called idaction_..., here as in the log, and
 * so found by sweep_names().
 */
CREATE FUNCTION pk_tracking_internal.make_rollup_fact() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.rollup_fact (
		idsite integer NOT NULL,
		day date NOT NULL,
		nb_hits bigint NOT NULL,
		nb_visits integer NOT NULL,
		nb_uniq_visitors integer NOT NULL,
		consents smallint NOT NULL,
		kind text NOT NULL,
		idaction_1 bigint,
		idaction_2 bigint,
		idaction_3 bigint,
		number integer,
		words text[],
		amount_1 numeric,
		amount_2 numeric,
		amount_3 numeric,
		amount_4 numeric,
		amount_5 numeric,
		amount_6 numeric,
		amount_7 numeric,
		amount_8 numeric,
		minimum numeric,
		maximum numeric,
		visit_ages smallint[],
		visits integer[],
		visitor_ages smallint[],
		visitors integer[]);
	CREATE INDEX rollup_fact_day ON pk_tracking.rollup_fact (idsite, kind, day);
	PERFORM pk_tracking_internal.identify_by_row('rollup_fact');
	PERFORM pk_tracking_internal.keep_out_of_statistics('rollup_fact');
	COMMENT ON TABLE pk_tracking.rollup_fact IS
		'roll-ups of the reports that count actions, entries, exits and conversions';
	COMMENT ON COLUMN pk_tracking.rollup_fact.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.rollup_fact.day IS 'local day on which they happened';
	COMMENT ON COLUMN pk_tracking.rollup_fact.kind IS 'what is counted, and by what';
	COMMENT ON COLUMN pk_tracking.rollup_fact.idaction_1 IS
		'number of a name in log_action; 0: without one; NULL: this kind has none';
	COMMENT ON COLUMN pk_tracking.rollup_fact.idaction_2 IS 'number of a second name';
	COMMENT ON COLUMN pk_tracking.rollup_fact.idaction_3 IS 'number of a third name';
	COMMENT ON COLUMN pk_tracking.rollup_fact.number IS
		'a number by which this kind counts, such as a goal''s; else NULL';
	COMMENT ON COLUMN pk_tracking.rollup_fact.words IS
		'other values by which this kind counts; else NULL';
	COMMENT ON COLUMN pk_tracking.rollup_fact.consents IS
		'0: of identified visits, 1: of anonymous ones, 2: to be added to both where they are counted together';
	COMMENT ON COLUMN pk_tracking.rollup_fact.nb_hits IS 'how often it happened';
	COMMENT ON COLUMN pk_tracking.rollup_fact.nb_visits IS
		'visits with the same on no earlier day of a year';
	COMMENT ON COLUMN pk_tracking.rollup_fact.visit_ages IS
		'days since the visits in "visits" had the same last, ascending; NULL: there are none';
	COMMENT ON COLUMN pk_tracking.rollup_fact.visits IS 'visits by visit_ages';
	COMMENT ON COLUMN pk_tracking.rollup_fact.nb_uniq_visitors IS
		'identified visitors with the same on no earlier day of a year';
	COMMENT ON COLUMN pk_tracking.rollup_fact.visitor_ages IS
		'days since the visitors in "visitors" had the same last, ascending; NULL: there are none';
	COMMENT ON COLUMN pk_tracking.rollup_fact.visitors IS 'identified visitors by visitor_ages';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_1 IS 'a sum, by kind; NULL: none';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_2 IS 'another sum';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_3 IS 'another sum';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_4 IS 'another sum';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_5 IS 'another sum';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_6 IS 'another sum';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_7 IS 'another sum';
	COMMENT ON COLUMN pk_tracking.rollup_fact.amount_8 IS 'another sum';
	COMMENT ON COLUMN pk_tracking.rollup_fact.minimum IS 'the least of some values, by kind; NULL: none';
	COMMENT ON COLUMN pk_tracking.rollup_fact.maximum IS 'the greatest of them';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_fact IS
	'creates the table pk_tracking.rollup_fact';
