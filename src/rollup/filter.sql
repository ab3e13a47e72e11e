
-- ---------------------------------------------------------------------------
-- rollup/filter: filters that roll-ups can answer
-- ---------------------------------------------------------------------------

/*
 * The condition of a filter over the keys f.keys of a kind; NULL if roll-ups cannot
 * answer it.  They can where the filter looks at one column of the visit, which is
 * one of the keys, and if what the key does not tell apart (an absent value, and the
 * word for it) is all the same to the filter: that is tried out.  condition,
 * filter_values: as filter_condition() returns them.
 */
CREATE FUNCTION pk_tracking_internal.rollup_filter(kind text, idsite integer, timezone text,
	condition text, filter_values text[])
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
	col text;
	k record;
	told_apart boolean;
BEGIN
	IF condition ~ '\m(EXISTS|SELECT)\M|\{' THEN
		RETURN NULL;
	END IF;
	SELECT CASE WHEN count(DISTINCT m.matched[1]) = 1 THEN min(m.matched[1]) END INTO col
		FROM regexp_matches(condition, '\mv\.(\w+)', 'g') AS m (matched);
	-- the keys whose value is that of the column, but for the words for an absent one
	SELECT e.key, t.type, e.n INTO k
		FROM pk_tracking_internal.rollup_kind r
			CROSS JOIN LATERAL unnest(r.keys) WITH ORDINALITY AS e (key, n)
			JOIN LATERAL unnest(r.types) WITH ORDINALITY AS t (type, n) USING (n)
		WHERE r.kind = kind AND e.key IN (
			'v.' || col,
			format('nullif(v.%s, '''')', col),
			format('coalesce(nullif(v.%s, ''''), ''xx'')', col),
			format('coalesce(nullif(v.%s, ''''), ''UNK'')', col));
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	IF k.type = 'text' THEN
		EXECUTE format('SELECT bool_or(x.results > 1) FROM (
			SELECT count(DISTINCT (%s) IS TRUE) AS results
			FROM (VALUES (NULL), (''''), (''xx''), (''UNK'')) AS v (%I)
			GROUP BY %s) x', condition, col, k.key)
			INTO told_apart
			USING idsite, now(), now(), 0, 3, timezone, NULL::date, NULL::date, filter_values;
		IF told_apart THEN
			RETURN NULL;
		END IF;
	END IF;
	RETURN regexp_replace(condition, '\mv\.' || col || '\M', format('f.keys[%s]::%s', k.n, k.type), 'g');
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_filter IS
	'a filter as a condition over the keys of roll-ups; NULL: they cannot answer it';
