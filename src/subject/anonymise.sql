
-- ---------------------------------------------------------------------------
-- subject/anonymise: takes out of stored visits what identifies people
--
-- Which columns there are, to which group each belongs and what it becomes is told by
-- anonymous_columns() (log/anonymous.c).
-- ---------------------------------------------------------------------------

/*
 * The groups that are meant.  A visit without a visitor id is an anonymous one, and is
 * counted as such: so that group takes with it all that an anonymous row must not hold.
 */
CREATE FUNCTION pk_tracking_internal.anonymise_groups(what text[]) RETURNS text[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	groups CONSTANT text[] := ARRAY(SELECT DISTINCT c.what FROM pk_tracking.anonymous_columns() c
		WHERE c.what IS NOT NULL ORDER BY 1);
	wrong text;
BEGIN
	IF array_ndims(what) > 1 THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'argument "what" must be an array of one dimension';
	ELSIF what IS NULL OR cardinality(what) = 0 OR array_position(what, NULL) IS NOT NULL THEN
		wrong := 'NULL';
	ELSE
		SELECT w INTO wrong FROM unnest(what) w WHERE w <> 'all' AND w <> ALL (groups) LIMIT 1;
	END IF;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('invalid value for argument "what": "%s"', wrong),
			HINT = format('Valid values are %s, and "all".',
				(SELECT string_agg(format('"%s"', g), ', ') FROM unnest(groups) g));
	END IF;
	RETURN CASE WHEN 'all' = ANY (what) THEN groups ELSE what END;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.anonymise_groups IS
	'the groups of columns that an argument "what" means; an error if one does not exist';

/*
 * A URL or other name by its number.  One that a hit has just come to use may still stand
 * among those that sweep_names() has taken out, until that puts it back.
 */
CREATE FUNCTION pk_tracking_internal.name_by_number(
	idsite integer, idaction bigint,
	OUT type smallint, OUT url_prefix smallint, OUT name text)
LANGUAGE plpgsql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
#variable_conflict use_column
DECLARE
	site CONSTANT integer := name_by_number.idsite;
	number CONSTANT bigint := name_by_number.idaction;
BEGIN
	SELECT a.type, a.url_prefix, a.name INTO type, url_prefix, name
		FROM pk_tracking.log_action a WHERE a.idsite = site AND a.idaction = number LIMIT 1;
	IF NOT FOUND THEN
		SELECT s.type, s.url_prefix, s.name INTO type, url_prefix, name
			FROM pk_tracking.swept_name s WHERE s.idsite = site AND s.idaction = number LIMIT 1;
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.name_by_number IS
	'a name of the dictionary, or one that sweep_names() has taken out of it for the moment';

/*
 * The same name without query and fragment, which is added if the site has not got it.
 * The number is that of names.c: the first 8 bytes of the SHA-256 of type and name.
 */
CREATE FUNCTION pk_tracking_internal.name_without_query(idsite integer, idaction bigint)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET jit = off
AS $$
DECLARE
	site CONSTANT integer := name_without_query.idsite;
	a record;
	short text;
	n bigint;
BEGIN
	a := pk_tracking_internal.name_by_number(site, idaction);
	short := substring(a.name from '^[^?#]*');
	IF a.name IS NULL OR short = a.name THEN
		RETURN idaction;
	END IF;
	n := ('x' || encode(substring(sha256(set_byte('\x00', 0, a.type)
		|| convert_to(short, current_setting('server_encoding'))) from 1 for 8), 'hex'))::bit(64)::bigint;
	LOOP
		IF EXISTS (SELECT FROM pk_tracking.log_action l WHERE l.idsite = site AND l.idaction = n
				AND l.type = a.type AND l.name = short) THEN
			RETURN n;
		ELSIF NOT EXISTS (SELECT FROM pk_tracking.log_action l
				WHERE l.idsite = site AND l.idaction = n) THEN
			INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)
				VALUES (n, site, a.type, a.url_prefix, short);
			RETURN n;
		END IF;
		n := n + 1;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.name_without_query IS
	'the number of the same URL without query and fragment';

/* The numbers of URLs with a query in these rows, and of the same URLs without it. */
CREATE FUNCTION pk_tracking_internal.urls_without_query(
	idsite integer, relation text, visits bigint[])
RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
	result jsonb;
BEGIN
	-- each name is looked up once, however many rows have it
	EXECUTE format('WITH used AS MATERIALIZED (
			SELECT DISTINCT c.id FROM pk_tracking.%1$I r, LATERAL (VALUES %2$s) AS c (id)
			WHERE r.idvisit = ANY ($2) AND c.id <> 0)
		SELECT coalesce(jsonb_object_agg(u.id, pk_tracking_internal.name_without_query($1, u.id)), ''{}'')
		FROM used u
		WHERE (pk_tracking_internal.name_by_number($1, u.id)).name ~ ''[?#]''', relation,
		(SELECT string_agg(format('(r.%I)', c.column_name), ', ')
			FROM pk_tracking.anonymous_columns() c
			WHERE c.relation = urls_without_query.relation AND c.becomes = 'without query'
				AND c.column_name ~ 'idaction'))
		INTO result USING idsite, visits;
	RETURN result;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.urls_without_query IS
	'numbers of URLs with a query that rows of visits refer to, and those of the URLs without it';

/* What the column becomes, as an SQL expression over its row r; $2: urls_without_query(). */
CREATE FUNCTION pk_tracking_internal.anonymous_value(column_name text, becomes text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format(CASE becomes
		WHEN 'null' THEN 'NULL'
		WHEN 'zero' THEN 'CASE WHEN r.%1$I IS NOT NULL THEN 0 END'
		WHEN 'one' THEN 'CASE WHEN r.%1$I IS NOT NULL THEN 1 END'
		WHEN 'undecided' THEN 'greatest(r.%1$I, 2)'
		WHEN 'zeros' THEN 'CASE family(r.%1$I) WHEN 4 THEN inet ''0.0.0.0'' WHEN 6 THEN inet ''::'' END'
		WHEN 'numbered' THEN 'CASE WHEN r.%1$I = ''0'' OR r.%1$I ~ ''^##[0-9]{1,10}$'' THEN r.%1$I ELSE ''##'' || n.number END'
		WHEN 'without query' THEN CASE WHEN column_name ~ 'idaction'
			THEN 'coalesce(($2 ->> r.%1$I::text)::bigint, r.%1$I)'
			ELSE 'substring(r.%1$I from ''^[^?#]*'')' END
		END, column_name)
$$;
COMMENT ON FUNCTION pk_tracking_internal.anonymous_value IS
	'what a column of a row of the log becomes, as an SQL expression';

/* The columns that some groups change in a table, as SET has them; NULL: none. */
CREATE FUNCTION pk_tracking_internal.anonymous_changes(relation text, groups text[])
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('%I = %s', c.column_name,
			pk_tracking_internal.anonymous_value(c.column_name, c.becomes)), ', ')
		FROM pk_tracking.anonymous_columns() c
		WHERE c.relation = anonymous_changes.relation AND c.becomes IS NOT NULL
			AND (c.what = ANY (groups)
				OR (c.must_be IS NOT NULL AND 'visitor_id' = ANY (groups)))
$$;
COMMENT ON FUNCTION pk_tracking_internal.anonymous_changes IS
	'what some groups change in a table, as an SQL list of assignments';

/* The rows of visits that anonymise_rows() would change, by table. */
CREATE FUNCTION pk_tracking_internal.count_changes(
	visits bigint[],
	groups text[],
	OUT n_visits bigint, OUT n_actions bigint, OUT n_conversions bigint, OUT n_items bigint,
	OUT n_links bigint)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN 'log_visit' = ANY (t.changed) THEN c.n_visits ELSE 0 END,
		CASE WHEN 'log_link_visit_action' = ANY (t.changed) THEN c.n_actions ELSE 0 END,
		CASE WHEN 'log_conversion' = ANY (t.changed) THEN c.n_conversions ELSE 0 END,
		CASE WHEN 'log_conversion_item' = ANY (t.changed) THEN c.n_items ELSE 0 END,
		CASE WHEN 'visitor_id' = ANY (groups) THEN c.n_links ELSE 0 END
	FROM pk_tracking_internal.count_rows(visits) c,
		(SELECT ARRAY(SELECT r FROM unnest(ARRAY['log_visit', 'log_link_visit_action',
				'log_conversion', 'log_conversion_item']) r
			WHERE pk_tracking_internal.anonymous_changes(r, groups) IS NOT NULL)) AS t (changed)
$$;
COMMENT ON FUNCTION pk_tracking_internal.count_changes IS
	'the number of rows of visits that some groups change, by table';

/*
 * Items of an order are numbered as those of an anonymous order are, by its buster.  An
 * order that has lost its row gets a number that no other of the visit has.
 */
CREATE FUNCTION pk_tracking_internal.anonymise_relation(
	idsite integer, relation text, visits bigint[], groups text[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off
SET enable_mergejoin = off
SET jit = off
AS $$
DECLARE
	urls jsonb := '{}';
	numbers text := '';
	changes text;
	n bigint;
BEGIN
	changes := pk_tracking_internal.anonymous_changes(relation, groups);
	IF changes IS NULL THEN
		RETURN 0;
	END IF;
	IF 'url_queries' = ANY (groups) AND relation <> 'log_conversion_item' THEN
		urls := pk_tracking_internal.urls_without_query(idsite, relation, visits);
	END IF;
	IF relation = 'log_conversion_item' THEN
		numbers := ' FROM (SELECT o.idvisit, o.idorder, coalesce(
				(SELECT c.buster FROM pk_tracking.log_conversion c
					WHERE c.idvisit = o.idvisit AND c.idgoal = 0
						AND (c.idorder = o.idorder OR c.order_conflict = o.idorder) LIMIT 1),
				5000000000 + row_number() OVER (PARTITION BY o.idvisit ORDER BY o.idorder)) AS number
			FROM (SELECT DISTINCT i.idvisit, i.idorder FROM pk_tracking.log_conversion_item i
				WHERE i.idvisit = ANY ($1)) o) n
			WHERE n.idvisit = r.idvisit AND n.idorder = r.idorder AND r.idvisit = ANY ($1)';
	ELSE
		numbers := ' WHERE r.idvisit = ANY ($1)';
	END IF;
	EXECUTE format('UPDATE pk_tracking.%I AS r SET %s%s', relation, changes, numbers)
		USING visits, urls;
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.anonymise_relation IS
	'changes the columns of some groups in the rows of visits in one table; returns the number of rows';

/* Items before conversions, whose order ids say which number they get.  The visits are locked. */
CREATE FUNCTION pk_tracking_internal.anonymise_rows(
	idsite integer,
	visits bigint[],
	groups text[],
	erasure uuid,
	OUT n_visits bigint, OUT n_actions bigint, OUT n_conversions bigint, OUT n_items bigint,
	OUT n_links bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	n record;
BEGIN
	-- a name that is found here must not be swept before we have committed
	LOCK TABLE pk_tracking.log_action IN ROW EXCLUSIVE MODE;
	PERFORM pk_tracking_internal.note_ranges(visits);
	n_items := pk_tracking_internal.anonymise_relation(idsite, 'log_conversion_item', visits, groups);
	n_conversions := pk_tracking_internal.anonymise_relation(idsite, 'log_conversion', visits, groups);
	n_actions := pk_tracking_internal.anonymise_relation(idsite, 'log_link_visit_action', visits,
		groups);
	n_visits := pk_tracking_internal.anonymise_relation(idsite, 'log_visit', visits, groups);
	n_links := CASE WHEN 'visitor_id' = ANY (groups)
		THEN pk_tracking_internal.erase_links(visits) ELSE 0 END;
	IF pk_tracking_internal.rows_can_be_kept() THEN
		n := pk_tracking_internal.count_changes(visits, groups);
		IF (n_visits, n_actions, n_conversions, n_items)
			IS DISTINCT FROM (n.n_visits, n.n_actions, n.n_conversions, n.n_items)
		THEN
			PERFORM pk_tracking_internal.raise_rows_kept();
		END IF;
	END IF;
	UPDATE pk_tracking.erasures e SET visits = e.visits + n_visits,
			actions = e.actions + n_actions, conversions = e.conversions + n_conversions,
			items = e.items + n_items, session_links = e.session_links + n_links
		WHERE e.iderasure = erasure;
	PERFORM pk_tracking_internal.erased_now(erasure);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.anonymise_rows IS
	'anonymises visits with their actions, conversions and items; returns how many of each';

/* Rows of visits, by table. */
CREATE FUNCTION pk_tracking_internal.count_rows(
	visits bigint[],
	OUT n_visits bigint, OUT n_actions bigint, OUT n_conversions bigint, OUT n_items bigint,
	OUT n_links bigint)
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (SELECT count(*) FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (visits)),
		(SELECT count(*) FROM pk_tracking.log_link_visit_action l WHERE l.idvisit = ANY (visits)),
		(SELECT count(*) FROM pk_tracking.log_conversion c WHERE c.idvisit = ANY (visits)),
		(SELECT count(*) FROM pk_tracking.log_conversion_item i WHERE i.idvisit = ANY (visits)),
		(SELECT count(*) FROM pk_tracking.session_link_0 l WHERE l.idvisit = ANY (visits))
			+ (SELECT count(*) FROM pk_tracking.session_link_1 l WHERE l.idvisit = ANY (visits))
$$;
COMMENT ON FUNCTION pk_tracking_internal.count_rows IS
	'the number of rows of visits, by table';

CREATE FUNCTION pk_tracking.anonymise_visits(
	idsite integer,
	from_date date,
	to_date date,
	what text[],
	dry_run boolean DEFAULT true,
	reason text DEFAULT NULL)
RETURNS TABLE (relation text, rows bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT ROWS 5
SET search_path = pg_catalog, pg_temp
SET row_security = off
AS $$
DECLARE
	site CONSTANT integer := anonymise_visits.idsite;
	groups CONSTANT text[] := pk_tracking_internal.anonymise_groups(what);
	batch CONSTANT integer := 1000;
	timezone text;
	visits bigint[];
	locked bigint[];
	erasure uuid;
	n record;
	total bigint[] := '{0,0,0,0,0}';
BEGIN
	PERFORM pk_tracking_internal.need_log();
	PERFORM pk_tracking_internal.need_site(site);
	IF (from_date BETWEEN '0001-01-01' AND '9999-12-31') IS NOT TRUE
		OR (to_date BETWEEN '0001-01-01' AND '9999-12-31') IS NOT TRUE
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'first and last day must be between 0001-01-01 and 9999-12-31';
	ELSIF from_date > to_date THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('first day (%s) must not be later than last day (%s)',
				to_char(from_date, 'YYYY-MM-DD'), to_char(to_date, 'YYYY-MM-DD'));
	END IF;
	SELECT s.timezone INTO timezone FROM pk_tracking.site s WHERE s.idsite = site;
	IF NOT coalesce(dry_run, true) THEN
		PERFORM pk_tracking_internal.need_read_committed();
		INSERT INTO pk_tracking.erasures AS e (function, mode, idsite, parameters, reason)
			VALUES ('anonymise_visits', 'anonymise', site, jsonb_build_object('from_date', from_date,
				'to_date', to_date, 'what', groups), anonymise_visits.reason)
			RETURNING e.iderasure INTO erasure;
		-- statements that keep visits of the site in memory are over, and none begins
		PERFORM pk_tracking_internal.subject_gate(site);
	END IF;
	visits := ARRAY(SELECT v.idvisit FROM pk_tracking.log_visit v
		WHERE v.idsite = site
			AND v.visit_first_action_time >= pk_tracking_internal.day_begin(from_date, timezone)
			AND v.visit_first_action_time < pk_tracking_internal.day_begin(to_date + 1, timezone)
		ORDER BY v.idvisit);
	FOR i IN 0 .. (cardinality(visits) - 1) / batch LOOP
		CONTINUE WHEN cardinality(visits) = 0;
		locked := visits[i * batch + 1 : (i + 1) * batch];
		IF erasure IS NULL THEN
			n := pk_tracking_internal.count_changes(locked, groups);
		ELSE
			PERFORM FROM pk_tracking.log_visit v WHERE v.idvisit = ANY (locked)
				ORDER BY v.idvisit FOR UPDATE;
			n := pk_tracking_internal.anonymise_rows(site, locked, groups, erasure);
		END IF;
		total := ARRAY[total[1] + n.n_visits, total[2] + n.n_actions, total[3] + n.n_conversions,
			total[4] + n.n_items, total[5] + n.n_links];
	END LOOP;
	RETURN QUERY SELECT * FROM pk_tracking_internal.counts_by_relation(total);
END
$$;
COMMENT ON FUNCTION pk_tracking.anonymise_visits IS
	'anonymises the visits that began on some days of a site: the groups of columns of anonymous_columns() that are named, or all; returns the number of rows by table; by default it only counts';

CREATE FUNCTION pk_tracking_internal.counts_by_relation(counts bigint[])
RETURNS TABLE (relation text, rows bigint)
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5
SET search_path = pg_catalog, pg_temp
AS $$
	VALUES ('log_visit', counts[1]), ('log_link_visit_action', counts[2]),
		('log_conversion', counts[3]), ('log_conversion_item', counts[4]),
		('session_link', counts[5])
$$;
COMMENT ON FUNCTION pk_tracking_internal.counts_by_relation IS
	'numbers of rows with the names of their tables';
