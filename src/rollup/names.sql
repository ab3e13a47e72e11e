
-- ---------------------------------------------------------------------------
-- rollup/names: names that the dictionary loses
--
-- A column of a roll-up that holds the number of a name is a bigint called idaction_...
-- as in the log.  Roll-ups do not keep a name in the dictionary: what was counted for a
-- name that is gone is counted for "(other)" from then on, on frozen days, too.
-- ---------------------------------------------------------------------------

/*
 * The number of "(other)" is the negative of the kind of name, so that reports find it as
 * they find every name.
 */
CREATE FUNCTION pk_tracking_internal.rollup_forget_names(idsites integer[], idactions bigint[],
	types smallint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE STRICT
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	r record;
	changed bigint;
	n bigint := 0;
BEGIN
	FOR r IN
		SELECT c.oid::regclass AS relation, quote_ident(a.attname) AS name
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
			AND c.relname ^@ 'rollup_' AND a.attname ^@ 'idaction_'
			AND a.atttypid = 'bigint'::regtype AND NOT a.attisdropped
		ORDER BY 1, 2
	LOOP
		EXECUTE format('UPDATE %1$s r SET %2$s = -g.type '
			'FROM (SELECT DISTINCT * FROM unnest($1, $2, $3)) AS g (idsite, idaction, type) '
			'WHERE r.idsite = g.idsite AND r.%2$s = g.idaction', r.relation, r.name)
			USING idsites, idactions, types;
		GET DIAGNOSTICS changed = ROW_COUNT;
		n := n + changed;
	END LOOP;
	IF n > 0 THEN
		INSERT INTO pk_tracking.log_action (idaction, idsite, type, name)
		SELECT DISTINCT -g.type, g.idsite, g.type, '(other)'
		FROM unnest(idsites, idactions, types) AS g (idsite, idaction, type)
		WHERE NOT EXISTS (SELECT FROM pk_tracking.log_action a
			WHERE a.idsite = g.idsite AND a.idaction = -g.type);
	END IF;
	RETURN n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.rollup_forget_names IS
	'lets roll-ups count for "(other)" what they have counted for names that are gone; returns how many cells';
