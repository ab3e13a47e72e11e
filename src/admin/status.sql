-- ---------------------------------------------------------------------------
-- admin/status: is everything as it should be?
-- ---------------------------------------------------------------------------

/*
 * If an attached table is no longer tracked, nothing fails, and the log alone does
 * not show it.
 */
CREATE FUNCTION pk_tracking_internal.raw_table_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	r record;
	options jsonb;
BEGIN
	FOR r IN
		SELECT g.tgrelid, c.relowner, c.relispartition, g.tgenabled,
			convert_from(rtrim(g.tgargs, '\x00'::bytea), getdatabaseencoding()) AS args,
			(SELECT count(*) FROM pg_partition_tree(g.tgrelid) t WHERE t.level > 0
				AND NOT EXISTS (SELECT FROM pg_trigger h WHERE h.tgrelid = t.relid
					AND h.tgfoid = g.tgfoid)) AS missing
		FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
		WHERE g.tgfoid = 'pk_tracking_internal.track_rows()'::regprocedure
		ORDER BY g.tgrelid::regclass::text
	LOOP
		item := format('raw table %s', r.tgrelid::regclass);
		value := 'attached';
		remark := NULL;
		IF r.tgenabled IN ('D', 'R') THEN
			remark := 'its trigger is disabled: inserted rows are not tracked';
		ELSIF r.missing > 0 THEN
			remark := format('%s of its partitions are newer than attach(): rows inserted directly into them are not tracked; attach the table again', r.missing);
		END IF;
		BEGIN
			options := r.args::jsonb;
			PERFORM pk_tracking_internal.raw_options(r.tgrelid, options->'mapping',
				options->>'order', options->>'on_error');
			IF (options->>'trusted')::boolean
				AND NOT has_function_privilege(r.relowner,
					'pk_tracking_internal.trusted_tracking()', 'EXECUTE') THEN
				remark := 'INSERT fails: its owner may no longer track with trusted => true';
			END IF;
		EXCEPTION WHEN OTHERS THEN
			remark := format('INSERT fails: %s', SQLERRM);
		END;
		-- partitions only if something is wrong
		IF NOT r.relispartition OR remark IS NOT NULL THEN
			RETURN NEXT;
		END IF;
	END LOOP;

	-- only its own session knows whether a load is in progress or was interrupted
	RETURN QUERY SELECT format('load %s', o.idrun),
		format('%s, %s hits, began %s', o.raw_table, o.hits,
			to_char(o.started AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')),
			concat_ws(' ', 'in progress or interrupted: CALL pk_tracking.ingest() again to load the rest;',
				'last batch ' || to_char(p.changed AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI'))
		FROM pk_tracking.ingest_run o LEFT JOIN pk_tracking.ingest_position p ON p.idrun = o.idrun
		WHERE o.finished IS NULL AND NOT EXISTS (SELECT FROM pk_tracking.ingest_run l
			WHERE l.raw_table = o.raw_table AND l.way = o.way AND l.idrun > o.idrun)
		ORDER BY o.idrun;
	RETURN QUERY SELECT 'rejected hits',
		format('%s in %s loads', count(*), count(DISTINCT j.idrun)),
			CASE WHEN count(*) > 0 THEN 'see pk_tracking.rejected_hit for the rows and the reasons' END
		FROM pk_tracking.rejected_hit j;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.raw_table_status IS
	'part of status(): attached tables, unfinished loads, rejected hits';

/*
 * Where the connection's address is taken for the visitor's, strangers behind one
 * proxy are one visitor.  The log tells that without any address being kept for
 * it: masks leave the prefixes of private networks, as long as they leave as many
 * bits.  A proxy's address is compared as far as the mask leaves it, which may not
 * be less than two bytes.
 */
CREATE FUNCTION pk_tracking_internal.proxy_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
	WITH mask AS MATERIALIZED (
		SELECT s.idsite, 32 - 8 * s.value::integer AS v4,
			(ARRAY[128, 64, 48, 24, 0])[s.value::integer + 1] AS v6
		FROM pk_tracking.settings s WHERE s.name = 'ip_mask_level' AND s.idsite IS NOT NULL),
	own AS MATERIALIZED (
		SELECT n.network, masklen(n.network) AS least
		FROM unnest('{127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,::1/128,fc00::/7,fe80::/10}'::cidr[]) n(network)
		UNION ALL
		SELECT CASE WHEN p.network ~ '\*' THEN
				(regexp_replace(p.network, '(\.\*)+$', '') || '/'
					|| 8 * pattern.parts)::cidr
			ELSE network(p.network::inet) END, 16
		FROM pk_tracking.settings s,
			unnest(s.value::text[]) p(network),
			LATERAL (SELECT array_length(string_to_array(
				regexp_replace(p.network, '(\.\*)+$', ''), '.'), 1) AS parts) pattern
		WHERE s.name = 'proxy_ips' AND s.idsite IS NULL),
	recent AS (
		SELECT v.location_ip, greatest(v.visit_total_actions, 1) AS hits,
			CASE family(v.location_ip) WHEN 4 THEN m.v4 ELSE m.v6 END AS bits
		FROM pk_tracking.log_visit v JOIN mask m ON m.idsite = v.idsite
		WHERE v.visit_first_action_time > now() - interval '1 hour'
			AND v.location_ip IS NOT NULL AND v.idvisitor IS NOT NULL),
	counted AS (
		-- ::1 is masked to ::
		SELECT sum(r.hits) AS hits, sum(r.hits) FILTER (
			WHERE (r.location_ip = '::' AND r.bits BETWEEN 24 AND 64) OR EXISTS (
			SELECT FROM own o WHERE family(o.network) = family(r.location_ip)
				AND r.bits >= o.least
				AND r.location_ip <<= set_masklen(o.network, least(masklen(o.network), r.bits)))) AS own
		FROM recent r)
	SELECT 'addresses',
		format('%s of %s hits of the last hour have loopback, private or proxy addresses',
			c.own, c.hits),
		'strangers behind a proxy merge into one visitor: name the header that holds their address in proxy_client_headers, and pass the headers'
	FROM counted c WHERE c.hits >= 10 AND c.own * 2 > c.hits
$$;
COMMENT ON FUNCTION pk_tracking_internal.proxy_status IS
	'part of status(): a row if most hits of the last hour came from proxies';

/*
 * A row that is anonymised moves to another page, which newer rows share: a BRIN index
 * then finds all times everywhere (doc/performance.md, "After a purge").
 */
CREATE FUNCTION pk_tracking_internal.brin_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('index %s', i.indexrelid::regclass), 'BRIN',
		format('anonymise_visits_older_than mixes old and new rows on its pages, and reports of a day read too many of them: replace it with a btree index on %I',
			a.attname)
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_am m ON m.oid = c.relam AND m.amname = 'brin'
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
	WHERE i.indrelid IN ('pk_tracking.log_visit'::regclass,
			'pk_tracking.log_link_visit_action'::regclass)
		AND i.indisvalid AND a.attname IN ('visit_first_action_time', 'server_time')
		AND EXISTS (SELECT FROM pk_tracking.settings s
			WHERE s.name = 'anonymise_visits_older_than' AND s.value::integer > 0)
		AND NOT EXISTS (SELECT FROM pg_index o JOIN pg_class b ON b.oid = o.indexrelid
				JOIN pg_am n ON n.oid = b.relam AND n.amname = 'btree'
			WHERE o.indrelid = i.indrelid AND o.indkey[0] = i.indkey[0]
				AND o.indisvalid AND o.indpred IS NULL)
	ORDER BY i.indexrelid::regclass::text
$$;
COMMENT ON FUNCTION pk_tracking_internal.brin_status IS
	'part of status(): BRIN indexes on times where visits are anonymised by age';

/*
 * What an administrator has done to indexes and tables shows in how hits fare, and
 * nowhere else.
 */
CREATE FUNCTION pk_tracking_internal.relation_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE sql STABLE PARALLEL UNSAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('look-up in %s', l.relation), format('no valid index on (%s)', l.keys),
		CASE WHEN l.relation = 'pk_tracking.log_action'::regclass
			THEN 'names are looked up by statements, row after row: create the index'
			ELSE 'hits that look there fail: create the index' END
	FROM pk_tracking_internal.lookup_indexes() l WHERE l.index IS NULL
	UNION ALL
	SELECT * FROM (SELECT format('index %s', i.indexrelid::regclass), 'not valid',
		format('is being built, or was left behind when that was broken off; every row of %s is written to it in vain: drop it',
			i.indrelid::regclass)
	FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
	WHERE c.relnamespace = 'pk_tracking'::regnamespace
		AND NOT (i.indisvalid AND i.indisready AND i.indislive)
	ORDER BY i.indexrelid::regclass::text) invalid
	UNION ALL
	SELECT * FROM (SELECT format('index %s', i.indexrelid::regclass), 'extra',
		format('is the same as %s: drop one of them', o.indexrelid::regclass)
	FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
		JOIN pg_index o ON o.indrelid = i.indrelid AND o.indexrelid < i.indexrelid
			AND o.indkey = i.indkey AND o.indclass = i.indclass AND o.indoption = i.indoption
			AND o.indcollation = i.indcollation AND o.indnkeyatts = i.indnkeyatts
			AND o.indexprs::text IS NOT DISTINCT FROM i.indexprs::text
			AND o.indpred::text IS NOT DISTINCT FROM i.indpred::text
			AND (o.indisunique OR NOT i.indisunique)
	WHERE c.relnamespace = 'pk_tracking'::regnamespace
		AND i.indisvalid AND i.indisready AND i.indislive
		AND o.indisvalid AND o.indisready AND o.indislive
	ORDER BY i.indexrelid::regclass::text) extra
	UNION ALL
	SELECT format('index %s', h.index), 'extra',
		format('is on %s, which hits change: each of them then writes to all indexes of log_visit', h.columns)
	FROM pk_tracking_internal.indexed_changes() h
	UNION ALL
	SELECT format('table %s', t.relation), 'slow',
		format('hits are written by a statement for each row, because %s', t.reason)
	FROM pk_tracking_internal.slow_tables() t
	UNION ALL
	SELECT * FROM pk_tracking_internal.brin_status()
$$;
COMMENT ON FUNCTION pk_tracking_internal.relation_status IS
	'part of status(): indexes that are missing, not valid or in the way, tables that make hits slow';

/*
 * Statistics that a user has asked for: of a column that ANALYZE passes over, of
 * several columns, and of the expressions of an index, which may be ids, too.
 * ANALYZE takes back none that it had made before it was told to pass over.
 */
CREATE FUNCTION pk_tracking_internal.statistics_status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
SET search_path = pg_catalog, pg_temp
AS $$
	WITH kept_out AS MATERIALIZED (
		SELECT a.attrelid, a.attnum, a.attname
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
			JOIN pg_type t ON t.oid = a.atttypid
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind IN ('r', 'p')
			AND a.attnum > 0
			AND (a.attstattarget = 0 OR t.typanalyze::text ~ 'hexid_typanalyze$')
		UNION SELECT p.relation, p.attnum, p.attname
		FROM pk_tracking_internal.private_columns() p),
	held AS MATERIALIZED (
		SELECT c.oid AS relation, s.attname
		FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname
			JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
		WHERE n.nspname = 'pk_tracking'
			AND (s.most_common_vals IS NOT NULL OR s.histogram_bounds IS NOT NULL))
	SELECT format('column %s.%I', p.relation::regclass, p.attname),
		'its statistics hold values',
		format('the server''s catalog keeps them longer than the rows: ALTER TABLE ... ALTER COLUMN ... SET STATISTICS 0, then as a superuser DELETE FROM pg_statistic WHERE starelid = %L::regclass AND staattnum = %s',
			p.relation::regclass, p.attnum)
	FROM pk_tracking_internal.private_columns() p
	WHERE p.attstattarget IS DISTINCT FROM 0
		OR EXISTS (SELECT FROM held h WHERE h.relation = p.relation AND h.attname = p.attname)
	UNION ALL
	SELECT format('statistics %s.%I', s.stxnamespace::regnamespace, s.stxname),
		format('hold values of %s', string_agg(k.attname, ', ' ORDER BY k.attnum)),
		'the server''s catalog keeps them longer than the rows: drop them'
	FROM pg_statistic_ext s JOIN kept_out k ON k.attrelid = s.stxrelid
	WHERE (k.attnum = ANY (s.stxkeys::smallint[]) AND 'm' = ANY (s.stxkind))
		OR ('e' = ANY (s.stxkind) AND EXISTS (SELECT FROM pg_depend d
			WHERE d.classid = 'pg_statistic_ext'::regclass AND d.objid = s.oid
				AND d.refclassid = 'pg_class'::regclass AND d.refobjid = k.attrelid
				AND d.refobjsubid = k.attnum))
	GROUP BY s.oid, s.stxnamespace, s.stxname
	UNION ALL
	SELECT format('index %s', i.indexrelid::regclass),
		format('its statistics hold values of %s',
			string_agg(DISTINCT k.attname::text, ', ')),
		'the server''s catalog keeps them longer than the rows: drop it, or make it anew and, before ANALYZE, ALTER INDEX ... ALTER COLUMN n SET STATISTICS 0'
	FROM pg_index i JOIN kept_out k ON k.attrelid = i.indrelid
		JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
			AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid
			AND d.refobjsubid = k.attnum
	WHERE i.indexprs IS NOT NULL AND NOT k.attnum = ANY (i.indkey::smallint[])
		AND EXISTS (SELECT FROM pg_attribute e WHERE e.attrelid = i.indexrelid
			AND i.indkey[e.attnum - 1] = 0 AND (e.attstattarget IS DISTINCT FROM 0
				OR EXISTS (SELECT FROM held h
					WHERE h.relation = e.attrelid AND h.attname = e.attname)))
	GROUP BY i.indexrelid
$$;
COMMENT ON FUNCTION pk_tracking_internal.statistics_status IS
	'part of status(): statistics of users'' own that hold what ANALYZE keeps out of the others';

CREATE FUNCTION pk_tracking.status()
RETURNS TABLE (item text, value text, remark text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n bigint;
	t timestamptz;
	r record;
BEGIN
	RETURN QUERY SELECT 'extension version', e.extversion, NULL::text
		FROM pg_extension e WHERE e.extname = 'pk_tracking';
	RETURN QUERY SELECT 'server version', current_setting('server_version'), NULL::text;

	-- the sources of locations and devices
	IF NOT EXISTS (SELECT FROM pk_tracking.geoip_files()) THEN
		RETURN QUERY SELECT 'GeoIP files', 'none',
			'no location except the country that the browser language suggests: set pk_tracking.geoip_city_file';
	END IF;
	RETURN QUERY SELECT format('GeoIP file (%s)', f.kind),
		concat_ws(', ', f.file, f.type,
			'built ' || to_char(f.built AT TIME ZONE 'UTC', 'YYYY-MM-DD')),
			coalesce(f.error,
				CASE WHEN f.age > interval '100 days' THEN 'built more than three months ago: addresses may have moved' END)
		FROM pk_tracking.geoip_files() f;
	RETURN QUERY SELECT 'user agent rules',
		CASE WHEN u.rules > 0 THEN format('%s, %s rules, of %s', u.file, u.rules,
				to_char(u.modified AT TIME ZONE 'UTC', 'YYYY-MM-DD')) ELSE 'none' END,
			CASE WHEN u.rules > 0 THEN coalesce(u.error,
					CASE WHEN u.modified < now() - interval '1 year' THEN 'more than a year old: newer browsers and devices may be unknown; newer rules are regexes.yaml of uap-core' END)
				ELSE format('systems, browsers, devices and bots are not detected (%s): install uap-core, or set pk_tracking.user_agent_rules_file', u.error) END
		FROM pk_tracking.user_agent_rules() u;

	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		RETURN QUERY SELECT 'log', 'missing', 'create it with pk_tracking.create_log()';
		RETURN;
	END IF;
	SELECT max(l.version) INTO n FROM pk_tracking.log_version l;
	RETURN QUERY SELECT 'log version', n::text,
		CASE WHEN n IS DISTINCT FROM 2
			THEN 'this extension writes version 2: run pk_tracking.upgrade_log()' END;
	RETURN QUERY SELECT 'log owner', pg_get_userbyid(c.relowner)::text, NULL::text
		FROM pg_class c WHERE c.oid = 'pk_tracking.log_visit'::regclass;
	SELECT count(*) INTO n FROM pk_tracking.site;
	RETURN QUERY SELECT 'sites', n::text,
		CASE WHEN n = 0 THEN 'add sites with pk_tracking.add_site()' END;

	RETURN QUERY SELECT 'unknown browsers',
		format('%s of %s visits of the last day', b.unknown, b.visits),
			CASE WHEN b.visits >= 100 AND b.unknown * 10 > b.visits
				THEN 'more than a tenth: programs (see exclude_automation), or user agent rules that are too old' END
		FROM (SELECT count(*) AS visits, count(*) FILTER (WHERE v.config_browser_name = 'UNK') AS unknown
			FROM pk_tracking.log_visit v
			WHERE v.visit_first_action_time > now() - interval '1 day'
				AND v.config_browser_name IS NOT NULL) b;

	SELECT coalesce(sum(e.hits), 0) INTO n
		FROM pk_tracking.site s JOIN pk_tracking.log_excluded e ON e.idsite = s.idsite
			AND e.day = (now() AT TIME ZONE s.timezone)::date
		-- hits that were recorded all the same
		WHERE e.reason NOT IN ('bad_money', 'bad_address', 'joined_other_id', 'too_many_names');
	RETURN QUERY SELECT 'excluded hits', format('%s today', n), NULL::text;
	SELECT coalesce(sum(e.hits), 0) INTO n
		FROM pk_tracking.settings j
			JOIN pk_tracking.site s ON s.idsite = j.idsite
			JOIN pk_tracking.log_excluded e ON e.idsite = s.idsite
		WHERE j.name = 'fingerprint_joins_known_ids' AND j.value = 'on'
			AND e.day >= (now() AT TIME ZONE s.timezone)::date - 1
			AND e.reason = 'joined_other_id';
	RETURN QUERY SELECT 'joins of different ids', format('%s today and yesterday', n),
		CASE WHEN n > 0 THEN 'fingerprints joined hits to visits of another visitor id: where strangers share an address, set fingerprint_joins_known_ids to off' END;

	SELECT coalesce(sum(e.hits), 0) INTO n
		FROM pk_tracking.site s JOIN pk_tracking.log_excluded e ON e.idsite = s.idsite
			AND e.day >= (now() AT TIME ZONE s.timezone)::date - 1
		WHERE e.reason = 'too_many_names';
	RETURN QUERY SELECT 'names too many', format('%s hits today and yesterday', n),
		CASE WHEN n > 0 THEN 'new URLs or titles beyond new_names_per_day are stored as (too many): leave out what makes URLs different (excluded_query_parameters), raise the limit, or send a token' END;
	SELECT count(*) INTO n FROM pk_tracking.log_conversion c
		WHERE c.order_conflict IS NOT NULL AND c.server_time > now() - interval '1 day';
	RETURN QUERY SELECT 'order id conflicts', format('%s in the last day', n),
		CASE WHEN n > 0 THEN 'different visitors sent the same order id: see order_conflict in pk_tracking.log_conversion; an order with a token gets its id' END;

	RETURN QUERY
		SELECT 'returning visitors',
			format('%s of the last %s identified visits',
				count(*) FILTER (WHERE v.visitor_returning > 0), count(*)),
			CASE WHEN count(*) = 1000 AND max(v.visitor_returning) = 0 AND EXISTS (
					SELECT FROM pk_tracking.settings b
						JOIN pk_tracking.settings p ON p.idsite = b.idsite
					WHERE b.name = 'returning_look_back' AND b.value = '0'
						AND p.name = 'recognition_rules' AND p.value = 'piwik')
				THEN 'earlier visits are looked for within the window only: set returning_look_back, or choose a recognition profile' END
		FROM (SELECT l.visitor_returning FROM pk_tracking.log_visit l
			WHERE l.idvisitor IS NOT NULL ORDER BY l.idvisit DESC LIMIT 1000) v;

	RETURN QUERY SELECT st.item, st.value, st.remark
		FROM pk_tracking_internal.rollup_status() st;
	RETURN QUERY SELECT st.item, st.value, st.remark
		FROM pk_tracking_internal.relation_status() st;
	RETURN QUERY SELECT st.item, st.value, st.remark
		FROM pk_tracking_internal.publication_status() st;
	RETURN QUERY SELECT st.item, st.value, st.remark
		FROM pk_tracking_internal.statistics_status() st;
	-- the register is the owner's; an administrator reads the rest
	IF has_function_privilege('pk_tracking_internal.erasure_status()', 'EXECUTE') THEN
		RETURN QUERY SELECT st.item, st.value, st.remark
			FROM pk_tracking_internal.erasure_status() st;
	END IF;
	RETURN QUERY SELECT st.item, st.value, st.remark
		FROM pk_tracking_internal.proxy_status() st;
	RETURN QUERY SELECT st.item, st.value, st.remark
		FROM pk_tracking_internal.raw_table_status() st;

	FOR r IN SELECT s.name, s.created FROM pk_tracking.salt s ORDER BY s.name LOOP
		RETURN QUERY SELECT format('salt %s', r.name),
			format('made %s', to_char(r.created AT TIME ZONE 'UTC', 'YYYY-MM-DD')), NULL::text;
	END LOOP;
	n := 0;
	FOR r IN
		SELECT c.oid::regclass AS name FROM pg_class c
		WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind = 'r'
			AND c.relname ~ '^(daily|late)_salt_[0-9]+$'
	LOOP
		-- unlogged tables cannot be read on a standby, and are empty there
		CONTINUE WHEN pg_is_in_recovery();
		EXECUTE format('SELECT $1 + count(*), least($2, min(d.created)) FROM %s d', r.name)
			INTO n, t USING n, t;
	END LOOP;
	RETURN QUERY SELECT 'daily salts', n::text,
		CASE WHEN n > 0 THEN format('oldest made %s',
			to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')) END;

	-- settings that contradict each other
	FOR r IN
		SELECT s.idsite,
			max(s.value) FILTER (WHERE s.name = 'fingerprint_ip') AS fingerprint_ip,
			max(s.value) FILTER (WHERE s.name = 'fingerprint_salt_rotation') AS rotation,
			max(s.value) FILTER (WHERE s.name = 'create_new_visit_after_midnight') AS midnight,
			max(s.value) FILTER (WHERE s.name = 'enable_fingerprinting_across_websites') AS across
		FROM pk_tracking.settings s
		GROUP BY s.idsite
		ORDER BY s.idsite NULLS FIRST
	LOOP
		item := CASE WHEN r.idsite IS NULL THEN 'settings of the instance'
			ELSE format('settings of site %s', r.idsite) END;
		IF r.fingerprint_ip = 'full'
			AND (r.rotation <> 'daily' OR r.midnight <> 'on' OR r.across = 'on') THEN
			value := 'fingerprint_ip = full';
			remark := 'fingerprints are made from full addresses, and their salt is never destroyed: its holder can try all addresses';
			RETURN NEXT;
		END IF;
		IF r.rotation = 'daily' AND (r.midnight <> 'on' OR r.across = 'on') THEN
			value := 'fingerprint_salt_rotation = daily';
			remark := 'has no effect if visits continue after midnight or fingerprints are the same on all websites';
			RETURN NEXT;
		END IF;
	END LOOP;
END
$$;
COMMENT ON FUNCTION pk_tracking.status IS
	'versions, rules and unknown browsers, the log, its indexes and how it is written, attached tables and loads, erased rows that are still in files, salts and their age, settings that contradict each other';

