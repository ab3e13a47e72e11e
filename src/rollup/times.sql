
-- ---------------------------------------------------------------------------
-- rollup/times: loading times of pages, by day, page and consent
--
-- A median of several days does not follow from those of each: a day keeps all its
-- times, packed (src/rollup/times.c).
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.rollup_times_add(internal, integer, integer, integer,
	integer, integer, integer)
RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_times_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_add IS
	'part of the aggregate rollup_times()';

CREATE FUNCTION pk_tracking_internal.rollup_times_merge(internal, bytea) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_times_merge' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_merge IS
	'part of the aggregate rollup_times_of()';

CREATE FUNCTION pk_tracking_internal.rollup_times_pack(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'pkt_rollup_times_pack' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_pack IS
	'part of the aggregate rollup_times()';

CREATE FUNCTION pk_tracking_internal.rollup_times_result(internal) RETURNS double precision[]
AS 'MODULE_PATHNAME', 'pkt_rollup_times_result' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_result IS
	'part of the aggregate rollup_times_of()';

CREATE FUNCTION pk_tracking_internal.rollup_times_combine(internal, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_times_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_combine IS
	'part of the aggregates of loading times: adds what another worker has collected';

CREATE FUNCTION pk_tracking_internal.rollup_times_serialize(internal) RETURNS bytea
AS 'MODULE_PATHNAME', 'pkt_rollup_times_pack' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_serialize IS
	'part of the aggregates of loading times: packs what a worker has collected';

CREATE FUNCTION pk_tracking_internal.rollup_times_unpack(bytea, internal) RETURNS internal
AS 'MODULE_PATHNAME', 'pkt_rollup_times_unpack' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_unpack IS
	'part of the aggregates of loading times: unpacks what a worker has packed';

CREATE AGGREGATE pk_tracking_internal.rollup_times(integer, integer, integer, integer, integer,
	integer) (
	SFUNC = pk_tracking_internal.rollup_times_add, STYPE = internal, SSPACE = 4096,
	FINALFUNC = pk_tracking_internal.rollup_times_pack, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.rollup_times_combine,
	SERIALFUNC = pk_tracking_internal.rollup_times_serialize,
	DESERIALFUNC = pk_tracking_internal.rollup_times_unpack,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.rollup_times(integer, integer, integer, integer,
	integer, integer) IS 'packs loading times of page views';

CREATE AGGREGATE pk_tracking_internal.rollup_times_of(bytea) (
	SFUNC = pk_tracking_internal.rollup_times_merge, STYPE = internal, SSPACE = 4096,
	FINALFUNC = pk_tracking_internal.rollup_times_result, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.rollup_times_combine,
	SERIALFUNC = pk_tracking_internal.rollup_times_serialize,
	DESERIALFUNC = pk_tracking_internal.rollup_times_unpack,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.rollup_times_of(bytea) IS
	'of the six loading times and of their sum: number, sum, median and 95th percentile';

CREATE AGGREGATE pk_tracking_internal.rollup_times_together(bytea) (
	SFUNC = pk_tracking_internal.rollup_times_merge, STYPE = internal, SSPACE = 4096,
	FINALFUNC = pk_tracking_internal.rollup_times_pack, FINALFUNC_MODIFY = READ_WRITE,
	COMBINEFUNC = pk_tracking_internal.rollup_times_combine,
	SERIALFUNC = pk_tracking_internal.rollup_times_serialize,
	DESERIALFUNC = pk_tracking_internal.rollup_times_unpack,
	PARALLEL = SAFE);
COMMENT ON AGGREGATE pk_tracking_internal.rollup_times_together(bytea) IS
	'packs the loading times of several days together';

CREATE FUNCTION pk_tracking_internal.make_rollup_times() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.rollup_times (
		idsite integer NOT NULL,
		day date NOT NULL,
		idaction_1 bigint,
		consents smallint NOT NULL,
		kind text NOT NULL,
		times bytea NOT NULL);
	CREATE INDEX rollup_times_day ON pk_tracking.rollup_times (idsite, kind, day);
	PERFORM pk_tracking_internal.identify_by_row('rollup_times');
	COMMENT ON TABLE pk_tracking.rollup_times IS 'roll-ups of the loading times of pages';
	COMMENT ON COLUMN pk_tracking.rollup_times.idsite IS 'site';
	COMMENT ON COLUMN pk_tracking.rollup_times.day IS 'local day of the page views';
	COMMENT ON COLUMN pk_tracking.rollup_times.idaction_1 IS
		'number of the page''s URL or title; 0: without one; NULL: this kind is of all pages';
	COMMENT ON COLUMN pk_tracking.rollup_times.consents IS
		'0: of identified visits, 1: of anonymous ones';
	COMMENT ON COLUMN pk_tracking.rollup_times.kind IS 'by what they are counted';
	COMMENT ON COLUMN pk_tracking.rollup_times.times IS
		'how often each loading time was there, packed';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rollup_times IS
	'creates the table pk_tracking.rollup_times';

CREATE TABLE pk_tracking_internal.rollup_times_kind (
	kind text PRIMARY KEY,
	key text,
	condition text NOT NULL);
COMMENT ON TABLE pk_tracking_internal.rollup_times_kind IS
	'by what roll-ups keep loading times; filled when the extension is installed';
COMMENT ON COLUMN pk_tracking_internal.rollup_times_kind.kind IS 'name';
COMMENT ON COLUMN pk_tracking_internal.rollup_times_kind.key IS
	'an expression over an action l, the number of a name; NULL: of all together';
COMMENT ON COLUMN pk_tracking_internal.rollup_times_kind.condition IS
	'which actions l are page views';

/* The query of the times of some runs of days, as the columns of rollup_times but the site. */
CREATE FUNCTION pk_tracking_internal.rollup_times_query(kinds text[], runs text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format($query$
	SELECT t.day, f.idaction_1, t.consents, f.kind,
		pk_tracking_internal.rollup_times(t.time_network, t.time_server, t.time_transfer,
			t.time_dom_processing, t.time_dom_completion, t.time_on_load) AS times
	FROM (
		SELECT coalesce(run.day, (l.server_time AT TIME ZONE $6)::date) AS day,
			(l.consent >= 2)::integer::smallint AS consents, l.*
		FROM %s CROSS JOIN LATERAL (
			SELECT l.* FROM pk_tracking.log_link_visit_action l
			WHERE l.idsite = $1 AND l.server_time >= run.begins AND l.server_time < run.ends
				AND l.consent BETWEEN $4 AND $5
				AND coalesce(l.time_network, l.time_server, l.time_transfer, l.time_dom_processing,
					l.time_dom_completion, l.time_on_load) IS NOT NULL
			OFFSET 0) l) t
		CROSS JOIN LATERAL (VALUES %s) AS f (kind, idaction_1, holds)
	WHERE f.holds
	GROUP BY t.day, f.idaction_1, t.consents, f.kind$query$,
		runs, replace(string_agg(format('(%L, %s::bigint, %s)', k.kind, coalesce(k.key, 'NULL'),
			k.condition), ', '), 'l.', 't.'))
	FROM pk_tracking_internal.rollup_times_kind k WHERE k.kind = ANY (kinds)
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_query IS
	'text of the query of loading times for roll-ups, and for days that have none; does not run it';

/*
 * The loading times of a report as a relation: the period, if it is by period, and the
 * number of the name, if the kind has one, as k1 and k2 or k1; and times, as
 * rollup_times_of() returns them.  NULL if the report must read the log.  Rows are
 * put together in order, so that one page's times are in memory at a time.
 */
CREATE FUNCTION pk_tracking_internal.rollup_times_source(
	kind text,
	idsite integer,
	from_date date,
	to_date date,
	timezone text,
	span integer,
	period_key text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	l record;
	key_columns text;
BEGIN
	SELECT * INTO l
		FROM pk_tracking_internal.rollup_live('pk_tracking.rollup_times', idsite, from_date,
			to_date, timezone, span, false);
	IF l.usable IS NOT TRUE THEN
		RETURN NULL;
	END IF;
	key_columns := concat_ws(', ',
		format(period_key, '(f.day::timestamp AT TIME ZONE $6)'),
		(SELECT 'f.idaction_1' FROM pk_tracking_internal.rollup_times_kind k
			WHERE k.kind = kind AND k.key IS NOT NULL));
	RETURN format($query$(
			SELECT %1$s, pk_tracking_internal.rollup_times_of(f.times ORDER BY f.day) AS times
			FROM (
				SELECT r.day, coalesce(r.idaction_1, 0) AS idaction_1, r.times
				FROM pk_tracking.rollup_times r
				WHERE r.idsite = $1 AND %2$s
					AND CASE r.consents WHEN 0 THEN $4 < 2 ELSE $5 >= 2 END%3$s) f
			GROUP BY %4$s)$query$,
		(SELECT string_agg(format('%s AS k%s', e.key, e.n), ', ' ORDER BY e.n)
			FROM regexp_split_to_table(key_columns, ', (?=f.idaction)') WITH ORDINALITY AS e (key, n)),
		pk_tracking_internal.rollup_days(kind, idsite, from_date, to_date, l.live_from, l.stale,
			period_key),
		CASE WHEN l.runs IS NOT NULL THEN format(' UNION ALL (SELECT r.day, coalesce(r.idaction_1, 0), '
			'r.times FROM (%s) r)', pk_tracking_internal.rollup_times_query(ARRAY[kind], l.runs))
			ELSE '' END,
		(SELECT string_agg(n::text, ', ')
			FROM regexp_split_to_table(key_columns, ', (?=f.idaction)') WITH ORDINALITY AS e (key, n)));
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_times_source IS
	'text of a relation with the loading times of a report, from roll-ups; NULL: the report must read the log';
