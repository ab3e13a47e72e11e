
-- ---------------------------------------------------------------------------
-- admin/web_api: what the daemon of the web pages asks as the role of a session
--
-- These functions run with the rights of that role.  Names come from the catalog,
-- quoted; what a user wrote is in the one parameter, and is cast from text.
--
-- public_site: NULL, or the site of a public link, which sees less.
-- ---------------------------------------------------------------------------

/*
 * The reports of a public link: sums only.  A new report is not among them until it
 * is named here.
 */
CREATE FUNCTION pk_tracking_internal.api_public_reports() RETURNS name[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT ARRAY['visits', 'visitors', 'consent', 'hours', 'countries', 'regions', 'cities',
		'languages', 'browsers', 'browser_versions', 'systems', 'system_versions', 'device_types',
		'device_brands', 'device_models', 'referrer_types', 'referrers', 'keywords', 'campaigns',
		'pages', 'titles', 'page_tree', 'entry_pages', 'entry_titles', 'exit_pages', 'exit_titles',
		'performance', 'downloads', 'outlinks', 'searches', 'search_categories',
		'searches_without_results', 'events', 'contents', 'content_names', 'content_pieces',
		'goals', 'goal_summary', 'conversions', 'orders', 'products', 'product_names',
		'product_categories', 'days_to_conversion', 'visits_to_conversion', 'cohorts']::name[]
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_public_reports IS
	'the reports that a public link shows';

/*
 * The reports that the caller may run: members of the extension whose names begin
 * with report_.  arguments and columns are JSON arrays in their order.
 */
CREATE FUNCTION pk_tracking_internal.api_reports(public_site integer)
RETURNS TABLE (name text, routine oid, comment text, arguments jsonb, columns jsonb)
LANGUAGE sql STABLE PARALLEL SAFE CALLED ON NULL INPUT ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT substr(p.proname, 8), p.oid, obj_description(p.oid, 'pg_proc'), a.arguments, a.columns
	FROM pg_proc p
		JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
			AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pk_tracking'
		CROSS JOIN LATERAL (
			SELECT coalesce(jsonb_agg(jsonb_build_object('name', u.name, 'type', u.type::regtype,
					'category', t.typcategory, 'default', u.n > p.pronargs - p.pronargdefaults)
					ORDER BY u.n) FILTER (WHERE u.mode = 'i'), '[]') AS arguments,
				coalesce(jsonb_agg(jsonb_build_object('name', u.name, 'type', u.type::regtype,
					'category', t.typcategory) ORDER BY u.n) FILTER (WHERE u.mode = 't'), '[]') AS columns
			FROM unnest(p.proargnames, p.proargmodes, p.proallargtypes)
					WITH ORDINALITY AS u(name, mode, type, n)
				JOIN pg_type t ON t.oid = u.type) a
	WHERE p.pronamespace = 'pk_tracking'::regnamespace AND starts_with(p.proname, 'report_')
		AND has_function_privilege(p.oid, 'EXECUTE')
		AND (api_reports.public_site IS NULL
			OR substr(p.proname, 8) = ANY (pk_tracking_internal.api_public_reports()))
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_reports IS
	'the reports that the caller may run, with arguments and columns';

CREATE FUNCTION pk_tracking_internal.api_report_list(public_site integer) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('reports', coalesce(json_agg(json_build_object('name', r.name,
		'comment', r.comment, 'arguments', r.arguments, 'columns', r.columns) ORDER BY r.name), '[]'))
	FROM pk_tracking_internal.api_reports(public_site) r
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_report_list IS
	'the reports that the caller may run, as the web API tells them';

/*
 * Arguments of a function, as SQL in named notation.  arguments: those that it has, as
 * api_reports() tells them; given: names of those to pass; source: the SQL by which
 * the statement finds their values as jsonb, a constant of this file.  An array is a
 * JSON array, or the text of one, in which null stands for no value, or its one item.
 */
CREATE FUNCTION pk_tracking_internal.api_argument_list(arguments jsonb, given text[], source text)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(format('%I => ', a ->> 'name') || format(CASE
			WHEN a ->> 'category' = 'A'
			THEN '(CASE pg_catalog.jsonb_typeof(%1$s -> %2$L) WHEN ''null'' THEN NULL ELSE '
				'ARRAY(SELECT pg_catalog.jsonb_array_elements_text(CASE pg_catalog.jsonb_typeof(%1$s -> %2$L) '
				'WHEN ''array'' THEN %1$s -> %2$L ELSE CASE WHEN pg_catalog.starts_with(%1$s ->> %2$L, ''['') '
				'THEN (%1$s ->> %2$L)::pg_catalog.jsonb ELSE pg_catalog.jsonb_build_array(%1$s -> %2$L) END END)) END)::%3$s'
			WHEN a ->> 'type' = 'jsonb'
			THEN '(CASE pg_catalog.jsonb_typeof(%1$s -> %2$L) WHEN ''string'' '
				'THEN (%1$s ->> %2$L)::pg_catalog.jsonb ELSE %1$s -> %2$L END)'
			ELSE '(%1$s ->> %2$L)::%3$s' END,
			source, a ->> 'name', a ->> 'type'), ', ')
	FROM jsonb_array_elements(arguments) a
	WHERE a ->> 'name' = ANY (given)
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_argument_list IS
	'arguments of a function as SQL, with values that the statement takes from JSON';

/*
 * The call of a report with the arguments of a request, as SQL: a relation r with
 * an ordinality.  arguments: those of the address.  source: the SQL by which the
 * statement finds them as jsonb, a constant of this file.
 */
CREATE FUNCTION pk_tracking_internal.api_report_call(
	report text,
	arguments jsonb,
	public_site integer,
	source text,
	OUT call text,
	OUT columns jsonb,
	OUT order_by text)
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- what a public link may say besides its site
	public_arguments CONSTANT text[] := '{from_date,to_date,period,visitors,folder,goal,acts}';
	chosen record;
	given text[];
	unknown text;
	missing text;
	list text;
	direction text;
	col text;
BEGIN
	SELECT * INTO chosen FROM pk_tracking_internal.api_reports(public_site) r WHERE r.name = report;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_function',
			MESSAGE = 'there is no such report, or it is not granted';
	END IF;
	SELECT coalesce(array_agg(k ORDER BY k), '{}') INTO given
		FROM jsonb_object_keys(arguments) AS k
		WHERE k NOT IN ('sort', 'limit', 'offset', 'format') AND arguments -> k <> '""';
	SELECT k INTO unknown FROM unnest(given) AS k
		WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(chosen.arguments) a WHERE a ->> 'name' = k)
			OR public_site IS NOT NULL AND k <> 'idsite' AND NOT k = ANY (public_arguments)
		LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('report "%s" has no argument "%s"', report, unknown),
			HINT = (SELECT format('Valid names are %s.', string_agg(format('"%s"', a ->> 'name'), ', '))
				FROM jsonb_array_elements(chosen.arguments) a);
	END IF;
	SELECT a ->> 'name' INTO missing FROM jsonb_array_elements(chosen.arguments) a
		WHERE NOT (a ->> 'default')::boolean AND NOT a ->> 'name' = ANY (given)
			AND (public_site IS NULL OR a ->> 'name' <> 'idsite');
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('argument "%s" of report "%s" is missing', missing, report);
	END IF;
	SELECT k INTO unknown FROM unnest(given) AS k
		JOIN jsonb_array_elements(chosen.arguments) a ON a ->> 'name' = k
		WHERE jsonb_typeof(arguments -> k) = 'array' AND a ->> 'category' <> 'A';
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('argument "%s" of report "%s" is given twice', unknown, report);
	END IF;
	-- report_part() is for report_evolution() alone: hours of a few visits are no sums
	IF 'visitors' = ANY (given) THEN
		PERFORM pk_tracking_internal.report_consents(arguments ->> 'visitors');
	END IF;

	list := concat_ws(', ',
		CASE WHEN public_site IS NOT NULL AND EXISTS (SELECT FROM jsonb_array_elements(chosen.arguments) a
				WHERE a ->> 'name' = 'idsite') THEN format('idsite => %s', public_site) END,
		pk_tracking_internal.api_argument_list(chosen.arguments,
			CASE WHEN public_site IS NULL THEN given ELSE array_remove(given, 'idsite') END, source));
	call := format('pk_tracking.%I(%s) WITH ORDINALITY AS r(%s, ordinality)', 'report_' || report, list,
		(SELECT string_agg(format('%I', c ->> 'name'), ', ') FROM jsonb_array_elements(chosen.columns) c));
	columns := chosen.columns;

	order_by := 'r.ordinality';
	IF coalesce(arguments ->> 'sort', '') <> '' THEN
		direction := CASE WHEN starts_with(arguments ->> 'sort', '-') THEN 'DESC' ELSE 'ASC' END;
		SELECT c ->> 'name' INTO col FROM jsonb_array_elements(chosen.columns) c
			WHERE c ->> 'name' = ltrim(arguments ->> 'sort', '-')
				AND c ->> 'type' NOT IN ('json', 'jsonb');
		IF NOT FOUND THEN
			RAISE EXCEPTION USING
				ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('report "%s" cannot be sorted by this', report),
				HINT = (SELECT format('Valid names are %s.', string_agg(format('"%s"', c ->> 'name'), ', '))
					FROM jsonb_array_elements(chosen.columns) c
					WHERE c ->> 'type' NOT IN ('json', 'jsonb'));
		END IF;
		order_by := format('r.%I %s NULLS LAST, r.ordinality', col, direction);
	END IF;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_report_call IS
	'a report with the arguments of a request as SQL; does not run it';

/* Argument limit or offset of a request. */
CREATE FUNCTION pk_tracking_internal.api_number(arguments jsonb, name text, value bigint,
	greatest_value bigint)
RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF coalesce(arguments ->> name, '') = '' THEN
		RETURN value;
	END IF;
	IF arguments ->> name !~ '^[0-9]{1,9}$' OR (arguments ->> name)::bigint > greatest_value THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('argument "%s" must be between 0 and %s', name, greatest_value);
	END IF;
	RETURN (arguments ->> name)::bigint;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_number IS 'limit or offset of a request';

CREATE FUNCTION pk_tracking_internal.api_report(report text, arguments jsonb, public_site integer)
RETURNS json
LANGUAGE plpgsql STABLE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows_wanted CONSTANT bigint := pk_tracking_internal.api_number(arguments, 'limit', 100, 10000);
	skipped CONSTANT bigint := pk_tracking_internal.api_number(arguments, 'offset', 0, 999999999);
	c record;
	answer json;
BEGIN
	SELECT * INTO c FROM pk_tracking_internal.api_report_call(report, arguments, public_site, '$1');
	EXECUTE format($query$
		SELECT json_build_object('rows',
			coalesce(json_agg(q.line ORDER BY q.n) FILTER (WHERE q.n <= $2 + $3), '[]'),
			'more', count(*) > $2)
		FROM (SELECT row_to_json((SELECT x FROM (SELECT %s) x)) AS line,
				row_number() OVER (ORDER BY %s) AS n
			FROM %s ORDER BY 2 OFFSET $3 LIMIT $2 + 1) q$query$,
		(SELECT string_agg(format('r.%I', k ->> 'name'), ', ') FROM jsonb_array_elements(c.columns) k),
		c.order_by, c.call)
		INTO answer USING arguments, rows_wanted, skipped;
	RETURN answer;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_report IS
	'rows of a report as the web API tells them';

/*
 * The statement for a report as CSV.  COPY takes no parameters: it reads the
 * arguments from the setting pk_web.arguments, which the daemon has set for the
 * transaction.  A text that a spreadsheet would take for a formula gets a quote
 * before it, also behind a separator of those that split lines at semicolons or tabs.
 */
CREATE FUNCTION pk_tracking_internal.api_report_copy(report text, arguments jsonb,
	public_site integer)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	rows_wanted CONSTANT bigint := pk_tracking_internal.api_number(arguments, 'limit', 1000000, 1000000);
	skipped CONSTANT bigint := pk_tracking_internal.api_number(arguments, 'offset', 0, 999999999);
	c record;
BEGIN
	SELECT * INTO c FROM pk_tracking_internal.api_report_call(report, arguments, public_site,
		'pg_catalog.current_setting(''pk_web.arguments'')::pg_catalog.jsonb');
	RETURN format('COPY (SELECT %s FROM %s ORDER BY %s OFFSET %s LIMIT %s) TO STDOUT (FORMAT csv, HEADER)',
		(SELECT string_agg(format(CASE
				WHEN k ->> 'category' IN ('N', 'B', 'D', 'T') THEN 'r.%1$I'
				ELSE 'pg_catalog.regexp_replace(r.%1$I::pg_catalog.text, '
					'''(^|[;\t\r\n])(?=\s*[-=+@\uff0d\uff1d\uff0b\uff20])|^(?=[\t\r\n])'', ''\1'''''', ''g'') AS %1$I'
				END, k ->> 'name'), ', ')
			FROM jsonb_array_elements(c.columns) k),
		c.call, c.order_by, skipped, rows_wanted);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_report_copy IS
	'the statement that writes a report as CSV; does not run it';

/*
 * What the pages ask first.  today: of the site's clock, the latest of all sites.  A
 * public link takes no filter, and sees no named ones.
 */
CREATE FUNCTION pk_tracking_internal.api_session(csrf text, public_site integer) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	sites json := '[]';
	segments json := '[]';
	dimensions json := '[]';
	today date := now() AT TIME ZONE 'UTC';
BEGIN
	IF to_regclass('pk_tracking.site') IS NOT NULL
		AND has_table_privilege('pk_tracking.site', 'SELECT')
	THEN
		SELECT coalesce(json_agg(json_build_object('idsite', s.idsite, 'name', s.name,
				'urls', s.urls, 'timezone', s.timezone, 'currency', s.currency,
				'ecommerce', s.ecommerce, 'today', (now() AT TIME ZONE s.timezone)::date)
				ORDER BY s.name, s.idsite), '[]'),
			coalesce(max((now() AT TIME ZONE s.timezone)::date), today)
			INTO sites, today
			FROM pk_tracking.site s
			WHERE public_site IS NULL OR s.idsite = public_site;
	END IF;
	IF public_site IS NULL AND to_regclass('pk_tracking.segment') IS NOT NULL
		AND has_table_privilege('pk_tracking.segment', 'SELECT')
		AND has_table_privilege('pk_tracking.custom_dimension', 'SELECT')
	THEN
		SELECT coalesce(json_agg(s ORDER BY s.idsite, s.name), '[]') INTO segments
			FROM pk_tracking.segment s;
		SELECT coalesce(json_agg(json_build_object('idsite', d.idsite, 'iddimension', d.iddimension,
				'name', d.name, 'scope', d.scope) ORDER BY d.idsite, d.iddimension), '[]') INTO dimensions
			FROM pk_tracking.custom_dimension d WHERE d.active;
	END IF;
	RETURN json_build_object(
		'role', CASE WHEN public_site IS NULL THEN current_user END,
		'csrf', csrf, 'public', public_site IS NOT NULL,
		'admin', public_site IS NULL
			AND has_function_privilege('pk_tracking.set_site'::regproc::oid, 'EXECUTE'),
		'daemon', CASE WHEN public_site IS NULL
			AND has_function_privilege('pk_tracking.set_site'::regproc::oid, 'EXECUTE')
			THEN session_user END,
		'sites', sites, 'segments', segments, 'dimensions', dimensions, 'today', today);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_session IS
	'what the web pages know of their session: role, CSRF token, sites, their named filters and custom dimensions';

-- administration

/* The functions that POST /api/admin/ calls: those of this list that the role may execute. */
CREATE FUNCTION pk_tracking_internal.api_admin_functions()
RETURNS TABLE (name text, routine oid, comment text, arguments jsonb)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT p.proname::text, p.oid, obj_description(p.oid, 'pg_proc'),
		(SELECT coalesce(jsonb_agg(jsonb_build_object('name', u.name, 'type', u.type::regtype,
				'category', t.typcategory, 'default', u.n > p.pronargs - p.pronargdefaults)
				ORDER BY u.n), '[]')
			FROM unnest(p.proargnames, p.proargtypes::oid[]) WITH ORDINALITY AS u(name, type, n)
				JOIN pg_type t ON t.oid = u.type)
	FROM pg_proc p
		JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
			AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'pk_tracking'
	WHERE p.pronamespace = 'pk_tracking'::regnamespace
		AND p.proname = ANY ('{set_site,reset_site,set_instance,reset_instance,add_site,change_site,
			apply_recognition_profile,apply_privacy_profile,add_goal,retire_goal,add_dimension,
			set_dimension_active,add_segment,set_segment,drop_segment,create_token,drop_token,
			create_web_token,drop_web_token}')
		AND has_function_privilege(p.oid, 'EXECUTE')
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_admin_functions IS
	'the functions that the caller may call by the web API, with their arguments';

CREATE FUNCTION pk_tracking_internal.api_call(function text, arguments jsonb) RETURNS json
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chosen record;
	given text[];
	wrong text;
	answer jsonb;
BEGIN
	SELECT * INTO chosen FROM pk_tracking_internal.api_admin_functions() f WHERE f.name = function;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_function',
			MESSAGE = 'there is no such function of the administration, or it is not granted';
	END IF;
	IF jsonb_typeof(arguments) <> 'object' THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'the arguments must be a JSON object';
	END IF;
	SELECT coalesce(array_agg(k ORDER BY k), '{}') INTO given FROM jsonb_object_keys(arguments) AS k;
	SELECT k INTO wrong FROM unnest(given) AS k
		WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(chosen.arguments) a WHERE a ->> 'name' = k)
		LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('function "%s" has no argument "%s"', function, wrong),
			HINT = (SELECT format('Valid names are %s.', string_agg(format('"%s"', a ->> 'name'), ', '))
				FROM jsonb_array_elements(chosen.arguments) a);
	END IF;
	SELECT a ->> 'name' INTO wrong FROM jsonb_array_elements(chosen.arguments) a
		WHERE NOT (a ->> 'default')::boolean AND NOT a ->> 'name' = ANY (given) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('argument "%s" of function "%s" is missing', wrong, function);
	END IF;
	EXECUTE format('SELECT to_jsonb(v) FROM pk_tracking.%I(%s) AS v', function,
		pk_tracking_internal.api_argument_list(chosen.arguments, given, '$1'))
		INTO answer USING arguments;
	RETURN json_build_object('result', answer);
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_call IS
	'calls a function of the administration as the web API does';

/*
 * The settings of a site, or of the instance (NULL), for a form.  Not from the view
 * settings, which shows all sites to whoever may read it.
 */
CREATE FUNCTION pk_tracking_internal.api_settings(idsite integer)
RETURNS TABLE (name text, value text, source text, type text, default_value text, matomo_value text,
	choices text[], minimum integer, maximum integer, instance_only boolean, protects text,
	description text)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE CALLED ON NULL INPUT ROWS 70
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	IF api_settings.idsite IS NOT NULL THEN
		PERFORM pk_tracking_internal.need_site(api_settings.idsite);
	END IF;
	RETURN QUERY
	SELECT d.name, pk_tracking_internal.setting_value(api_settings.idsite, d.name),
		CASE
			WHEN EXISTS (SELECT FROM pk_tracking.setting s
				WHERE s.idsite = api_settings.idsite AND s.name = d.name) THEN 'site'
			WHEN EXISTS (SELECT FROM pk_tracking.setting s
				WHERE s.idsite IS NULL AND s.name = d.name) THEN 'instance'
			WHEN d.matomo_value IS NOT NULL AND pk_tracking_internal.setting_value(
				api_settings.idsite, 'recognition_rules') = 'matomo' THEN 'rules'
			ELSE 'default' END,
		d.type, d.default_value, d.matomo_value, d.choices, d.minimum, d.maximum, d.instance_only,
		d.protects, d.description
	FROM pk_tracking.setting_definitions d
	ORDER BY d.number;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_settings IS
	'settings of a site, or of the instance, as a form shows them';

/* The roles that may log in, with their sites (NULL: all that they may read). */
CREATE FUNCTION pk_tracking_internal.api_users()
RETURNS TABLE (role name, analyst boolean, admin boolean, sites integer[], valid_until timestamptz)
LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 10
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT r.rolname,
		has_function_privilege(r.oid, 'pk_tracking.report_visits'::regproc::oid, 'EXECUTE'),
		has_function_privilege(r.oid, 'pk_tracking.set_site'::regproc::oid, 'EXECUTE'),
		pk_tracking_internal.sites_of_role(r.rolname),
		CASE WHEN isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END
	FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
	WHERE m.member = (SELECT s.oid FROM pg_roles s WHERE s.rolname = session_user)
	ORDER BY r.rolname
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_users IS 'the roles that may log in to the web pages';

/* What GET /api/admin/NAME returns: rows, of the sites that the role may read. */
CREATE FUNCTION pk_tracking_internal.api_admin(name text, arguments jsonb) RETURNS json
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	site CONSTANT integer := nullif(arguments ->> 'idsite', '')::integer;
	query text;
	answer json;
BEGIN
	IF NOT has_function_privilege('pk_tracking.set_site'::regproc::oid, 'EXECUTE')
		AND name NOT IN ('functions', 'tokens')
	THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = 'permission denied for the administration';
	END IF;
	query := CASE name
		WHEN 'sites' THEN 'SELECT s.* FROM pk_tracking.site s ORDER BY s.name, s.idsite'
		WHEN 'settings' THEN 'SELECT s.* FROM pk_tracking_internal.api_settings($1) s'
		WHEN 'goals' THEN 'SELECT g.* FROM pk_tracking.goal g WHERE g.idsite = $1 ORDER BY g.idgoal'
		WHEN 'dimensions' THEN 'SELECT d.* FROM pk_tracking.custom_dimension d WHERE d.idsite = $1 ORDER BY d.iddimension'
		WHEN 'segments' THEN 'SELECT s.* FROM pk_tracking.segment s WHERE s.idsite = $1 ORDER BY s.name'
		WHEN 'profiles' THEN 'SELECT p.* FROM pk_tracking_internal.recognition_profiles() p'
		WHEN 'exclusions' THEN 'SELECT e.* FROM pk_tracking.excluded e WHERE e.idsite = $1 AND e.day > current_date - 30 ORDER BY e.day DESC, e.reason'
		WHEN 'tracking_tokens' THEN 'SELECT left(encode(t.token_hash, ''hex''), 16) AS hash, t.idsite, t.name, t.created, t.expires FROM pk_tracking.token t ORDER BY t.created'
		WHEN 'tokens' THEN 'SELECT t.* FROM pk_tracking.web_tokens() t'
		WHEN 'code' THEN 'SELECT pk_tracking.tracking_code($1, $2) AS code'
		WHEN 'users' THEN 'SELECT u.* FROM pk_tracking_internal.api_users() u'
		WHEN 'status' THEN 'SELECT s.* FROM pk_tracking.status() s'
		WHEN 'functions' THEN 'SELECT f.name, f.comment, f.arguments FROM pk_tracking_internal.api_admin_functions() f ORDER BY f.name'
		END;
	IF query IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_function',
			MESSAGE = 'there is no such page of the administration';
	END IF;
	EXECUTE format('SELECT json_build_object(''rows'', coalesce(json_agg(row_to_json(q)), ''[]'')) FROM (%s) q', query)
		INTO answer USING site, arguments ->> 'url';
	RETURN answer;
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.api_admin IS
	'rows of a page of the administration as the web API tells them';
