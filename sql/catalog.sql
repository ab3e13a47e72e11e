-- What \dx+, \df+ and \d+ show: every function has its schema, every object a
-- comment.  Where nothing else is said, a query lists offenders.
SET client_min_messages = warning;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
END $$;
\pset format unaligned
\pset tuples_only on

-- The API: a function that is not for users goes to pk_tracking_internal
SELECT DISTINCT p.proname FROM pg_proc p WHERE p.pronamespace = 'pk_tracking'::regnamespace ORDER BY 1;

-- Functions that are no members of the extension
SELECT p.oid::regprocedure FROM pg_proc p
WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace)
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e');

-- The internal schema holds functions, and a table that the install script fills
SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'pk_tracking_internal'::regnamespace AND c.relkind <> 'i' ORDER BY 1;

-- Every comment of functions, relations, columns of tables, views and types
CREATE TEMP VIEW described AS
	SELECT p.oid::regprocedure::text AS what, obj_description(p.oid, 'pg_proc') AS comment
	FROM pg_proc p WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace)
	UNION ALL
	SELECT c.oid::regclass::text, coalesce(obj_description(c.oid, 'pg_class'), obj_description(c.reltype, 'pg_type'))
	FROM pg_class c WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind NOT IN ('i', 'I', 'S', 't')
	UNION ALL
	SELECT format('%s.%s', c.oid::regclass, a.attname), col_description(c.oid, a.attnum)
	FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE c.relnamespace = 'pk_tracking'::regnamespace AND c.relkind NOT IN ('i', 'I', 'S', 't');
SELECT count(*) > 400 AS many FROM described;
SELECT d.what FROM described d WHERE d.comment IS NULL OR length(d.comment) < 3 ORDER BY 1;

-- The server's style: no full stop, no capital but of names, nothing outside this repository
SELECT d.what, d.comment FROM described d
WHERE d.comment ~ '\.$|\m(design|spec|section) [0-9]|\m(he|his|him|somebody|nobody|how-manieth)\M|\mroom\M'
	OR d.comment ~ '^[A-Z][a-z]' AND d.comment !~ '^(Matomo|English)' ORDER BY 1;

-- Messages and hints of functions in SQL: whole, no full stop in the one, one in the other
SELECT p.oid::regprocedure, m[1] FROM pg_proc p, regexp_matches(p.prosrc, 'MESSAGE = (?:format\()?''((?:[^'']|'''')*)''', 'g') m
WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND (m[1] ~ '\.$' OR m[1] ~ '^[A-Z][a-z]');
SELECT p.oid::regprocedure, m[1] FROM pg_proc p, regexp_matches(p.prosrc, '(?:HINT|DETAIL) = (?:format\()?''((?:[^'']|'''')*)''', 'g') m
WHERE p.pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace) AND (m[1] !~ '\.$' OR m[1] !~ '^[A-Z]');

-- The CHECKs of the log call functions in C only
SELECT con.conname, p.oid::regprocedure FROM pg_constraint con
	JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = con.oid AND d.refclassid = 'pg_proc'::regclass
	JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_language l ON l.oid = p.prolang
WHERE con.connamespace = 'pk_tracking'::regnamespace AND con.contype = 'c'
	AND (l.lanname <> 'c' OR p.provolatile <> 'i' OR p.proparallel <> 's');
DROP VIEW described;
