-- Sanity of the extension's catalog entries, in the way of PostgreSQL's own
-- opr_sanity and type_sanity tests.  Where nothing else is said, a query lists
-- offenders, and there must be none.

CREATE TEMP VIEW member AS
	SELECT d.classid, d.objid
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pk_tracking';
CREATE TEMP VIEW my_proc AS
	SELECT p.* FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;
CREATE TEMP VIEW my_type AS
	SELECT t.* FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid;
CREATE TEMP VIEW my_operator AS
	SELECT o.* FROM pg_operator o JOIN member m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid;
CREATE TEMP VIEW my_opclass AS
	SELECT c.*, a.amname FROM pg_opclass c
	JOIN member m ON m.classid = 'pg_opclass'::regclass AND m.objid = c.oid
	JOIN pg_am a ON a.oid = c.opcmethod;
CREATE TEMP VIEW my_opfamily AS
	SELECT f.*, a.amname FROM pg_opfamily f
	JOIN member m ON m.classid = 'pg_opfamily'::regclass AND m.objid = f.oid
	JOIN pg_am a ON a.oid = f.opfmethod;
CREATE TEMP VIEW my_cast AS
	SELECT c.* FROM pg_cast c JOIN member m ON m.classid = 'pg_cast'::regclass AND m.objid = c.oid;
CREATE TEMP VIEW my_class AS
	SELECT c.* FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid;
-- functions behind operators, operator classes, casts between stored types and types
CREATE TEMP VIEW support AS
	SELECT oprcode::oid AS oid FROM my_operator
	UNION SELECT amproc::oid FROM pg_amproc p JOIN my_opfamily f ON f.oid = p.amprocfamily
	UNION SELECT castfunc FROM my_cast WHERE castfunc <> 0
	UNION SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typanalyze]::oid[])
		FROM my_type WHERE typtype = 'b' AND typelem = 0;

-- that the queries below have something to look at
SELECT (SELECT count(*) FROM my_proc) >= 21 AS procs, (SELECT count(*) FROM my_type WHERE typname = 'hexid') AS hexid,
	(SELECT count(*) FROM my_operator) >= 6 AS operators, (SELECT count(*) FROM my_opclass) >= 2 AS opclasses,
	(SELECT count(*) FROM my_opfamily) >= 2 AS opfamilies, (SELECT count(*) FROM my_cast) >= 4 AS casts,
	(SELECT count(*) FROM support) >= 17 AS support;


-- Operators

-- an operator that was only mentioned, never made
SELECT oid::regoperator FROM my_operator WHERE oprcode = 0 OR oprresult = 0;

-- a comparison without commutator, negator or estimators
SELECT oid::regoperator, oprcom::regoperator, oprnegate::regoperator, oprrest, oprjoin
FROM my_operator
WHERE oprkind = 'b' AND oprresult = 'boolean'::regtype
	AND (oprcom = 0 OR oprnegate = 0 OR oprrest = 0 OR oprjoin = 0);

-- the commutator takes the operands the other way round, and the way back leads here
SELECT o.oid::regoperator, c.oid::regoperator
FROM my_operator o LEFT JOIN pg_operator c ON c.oid = o.oprcom
WHERE o.oprcom <> 0
	AND (c.oid IS NULL OR c.oprkind <> 'b' OR c.oprleft <> o.oprright OR c.oprright <> o.oprleft
		OR c.oprresult <> o.oprresult OR c.oprcom <> o.oid);

-- the negator takes the same operands, is another operator, and the way back leads here
SELECT o.oid::regoperator, n.oid::regoperator
FROM my_operator o LEFT JOIN pg_operator n ON n.oid = o.oprnegate
WHERE o.oprnegate <> 0
	AND (n.oid IS NULL OR n.oprkind <> o.oprkind OR n.oprleft <> o.oprleft OR n.oprright <> o.oprright
		OR o.oprresult <> 'boolean'::regtype OR n.oprresult <> 'boolean'::regtype
		OR n.oprnegate <> o.oid OR n.oid = o.oid);

-- hashable and mergeable are equality operators only, and exactly those of an operator class
SELECT o.oid::regoperator, o.oprcanhash, o.oprcanmerge
FROM my_operator o
WHERE o.oprcanhash <> EXISTS (SELECT FROM pg_amop a JOIN pg_am m ON m.oid = a.amopmethod
			WHERE a.amopopr = o.oid AND m.amname = 'hash' AND a.amopstrategy = 1)
	OR o.oprcanmerge <> EXISTS (SELECT FROM pg_amop a JOIN pg_am m ON m.oid = a.amopmethod
			WHERE a.amopopr = o.oid AND m.amname = 'btree' AND a.amopstrategy = 3);

-- the function takes and gives what the operator does (which has two sides, all of them so far)
SELECT o.oid::regoperator, p.oid::regprocedure
FROM my_operator o LEFT JOIN pg_proc p ON p.oid = o.oprcode
WHERE p.oid IS NULL OR p.prorettype <> o.oprresult OR p.proretset OR p.prokind <> 'f'
	OR o.oprkind <> 'b' OR p.pronargs <> 2 OR p.proargtypes[0] <> o.oprleft OR p.proargtypes[1] <> o.oprright;

-- the estimators of an ordering operator are those of its place in the order, and the server's
SELECT o.oid::regoperator, a.amopstrategy, o.oprrest, o.oprjoin
FROM my_operator o
	JOIN pg_amop a ON a.amopopr = o.oid
	JOIN pg_am m ON m.oid = a.amopmethod AND m.amname = 'btree'
	JOIN (VALUES (1, 'scalarltsel', 'scalarltjoinsel'), (2, 'scalarlesel', 'scalarlejoinsel'),
		(3, 'eqsel', 'eqjoinsel'), (4, 'scalargesel', 'scalargejoinsel'),
		(5, 'scalargtsel', 'scalargtjoinsel')) w(strategy, rest, joinsel) ON w.strategy = a.amopstrategy
WHERE o.oprrest::oid <> to_regproc('pg_catalog.' || w.rest)
	OR o.oprjoin::oid <> to_regproc('pg_catalog.' || w.joinsel);
SELECT o.oid::regoperator, o.oprrest, o.oprjoin
FROM my_operator o JOIN my_operator n ON n.oid = o.oprnegate AND n.oprcanmerge
WHERE o.oprrest <> 'pg_catalog.neqsel'::regproc OR o.oprjoin <> 'pg_catalog.neqjoinsel'::regproc;

-- an ordering operator that may leak would keep its index from row security's use
SELECT o.oid::regoperator
FROM my_operator o JOIN pg_proc p ON p.oid = o.oprcode
WHERE NOT p.proleakproof
	AND EXISTS (SELECT FROM pg_amop a JOIN pg_am m ON m.oid = a.amopmethod
		WHERE a.amopopr = o.oid AND m.amname = 'btree');


-- Operator classes

-- valid by the server's own judgement (it says more in an INFO when not)
SELECT opcname, amname FROM my_opclass WHERE NOT amvalidate(oid);

-- complete: btree has order, sort support and equalimage, hash has both hashes
SELECT c.opcname, c.amname, w.num AS missing
FROM my_opclass c JOIN (VALUES ('btree', 1), ('btree', 2), ('btree', 4), ('hash', 1), ('hash', 2)) w(am, num) ON w.am = c.amname
WHERE NOT EXISTS (SELECT FROM pg_amproc p
	WHERE p.amprocfamily = c.opcfamily AND p.amproclefttype = c.opcintype
		AND p.amprocrighttype = c.opcintype AND p.amprocnum = w.num);
SELECT c.opcname, w.strategy AS missing
FROM my_opclass c CROSS JOIN generate_series(1, 5) w(strategy)
WHERE c.amname = 'btree'
	AND NOT EXISTS (SELECT FROM pg_amop a
		WHERE a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype
			AND a.amoprighttype = c.opcintype AND a.amopstrategy = w.strategy);

-- whatever can be sorted can be hashed, by default and with the same equality
SELECT b.opcname
FROM my_opclass b
	LEFT JOIN my_opclass h ON h.opcintype = b.opcintype AND h.amname = 'hash' AND h.opcdefault
	LEFT JOIN pg_amop be ON be.amopfamily = b.opcfamily AND be.amopstrategy = 3
	LEFT JOIN pg_amop he ON he.amopfamily = h.opcfamily AND he.amopstrategy = 1
WHERE b.amname = 'btree' AND (NOT b.opcdefault OR h.oid IS NULL OR be.amopopr IS DISTINCT FROM he.amopopr);


-- Types

-- a base type without binary I/O, or without a default operator class of each kind
SELECT oid::regtype, typreceive, typsend FROM my_type
WHERE typtype = 'b' AND typelem = 0
	AND (typreceive = 0 OR typsend = 0 OR typarray = 0
		OR NOT EXISTS (SELECT FROM my_opclass c WHERE c.opcintype = my_type.oid AND c.opcdefault AND c.amname = 'btree')
		OR NOT EXISTS (SELECT FROM my_opclass c WHERE c.opcintype = my_type.oid AND c.opcdefault AND c.amname = 'hash'));

-- a cast that comes unasked
SELECT castsource::regtype, casttarget::regtype, castcontext FROM my_cast WHERE castcontext <> 'e';


-- Functions

-- what stands behind operators, indexes, casts and types must be a function of
-- its arguments alone, never see a NULL and run in any worker
SELECT p.oid::regprocedure, p.provolatile, p.proisstrict, p.proparallel
FROM support s JOIN pg_proc p ON p.oid = s.oid
WHERE p.provolatile <> 'i' OR NOT p.proisstrict OR p.proparallel <> 's' OR p.prosecdef OR p.proconfig IS NOT NULL;

-- leakproof is said of nothing but comparison and hash functions
SELECT oid::regprocedure FROM my_proc p
WHERE proleakproof
	AND oid NOT IN (SELECT oprcode::oid FROM my_operator)
	AND NOT EXISTS (SELECT FROM pg_amproc a JOIN pg_am m ON m.amname IN ('btree', 'hash')
		JOIN pg_opfamily f ON f.oid = a.amprocfamily AND f.opfmethod = m.oid
		WHERE a.amproc = p.oid
			AND ((m.amname = 'btree' AND a.amprocnum = 1) OR (m.amname = 'hash' AND a.amprocnum IN (1, 2))));

-- an aggregate that cannot be split among workers
SELECT a.aggfnoid::regprocedure FROM pg_aggregate a JOIN my_proc p ON p.oid = a.aggfnoid
WHERE a.aggcombinefn = 0 OR p.proparallel <> 's';

-- security definer functions whose search_path is not pinned, with pg_temp at
-- its end (where it is not named, it comes first)
SELECT oid::regprocedure, proconfig FROM my_proc
WHERE prosecdef
	AND NOT EXISTS (SELECT FROM unnest(proconfig) c WHERE c ~ '^search_path=.*\mpg_temp"?$');

-- what PUBLIC may execute in the extension's own schemas
SELECT oid::regprocedure FROM pg_proc
WHERE pronamespace IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace)
	AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner))) a
		WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE');

-- and outside of it: the id type's functions only
SELECT oid::regprocedure FROM my_proc
WHERE pronamespace NOT IN ('pk_tracking'::regnamespace, 'pk_tracking_internal'::regnamespace)
	AND oid NOT IN (SELECT oid FROM support)
	AND NOT ('hexid'::regtype::oid = ANY (proargtypes::oid[]) AND prorettype = 'hexid'::regtype);

-- a function that is not loaded the way all others are
SELECT oid::regprocedure, probin FROM my_proc
WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'c') AND probin <> '$libdir/pk_tracking';


-- Comments: every object has one

SELECT oid::regprocedure FROM my_proc WHERE obj_description(oid, 'pg_proc') IS NULL;
SELECT oid::regtype FROM my_type
WHERE obj_description(oid, 'pg_type') IS NULL
	-- not those that come with another type or with a table
	AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = my_type.oid)
	AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = my_type.typrelid AND c.relkind <> 'c');
SELECT oid::regoperator FROM my_operator WHERE obj_description(oid, 'pg_operator') IS NULL;
SELECT opcname, amname FROM my_opclass WHERE obj_description(oid, 'pg_opclass') IS NULL;
SELECT opfname, amname FROM my_opfamily WHERE obj_description(oid, 'pg_opfamily') IS NULL;
SELECT castsource::regtype, casttarget::regtype FROM my_cast WHERE obj_description(oid, 'pg_cast') IS NULL;
SELECT n.nspname FROM pg_namespace n JOIN member m ON m.classid = 'pg_namespace'::regclass AND m.objid = n.oid
WHERE obj_description(n.oid, 'pg_namespace') IS NULL;
SELECT oid::regclass FROM my_class
WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND obj_description(oid, 'pg_class') IS NULL;
SELECT c.oid::regclass, a.attname FROM my_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
	AND col_description(c.oid, a.attnum) IS NULL;

-- "implementation of X operator" is said by the function behind operator X, and by no other
SELECT p.oid::regprocedure, obj_description(p.oid, 'pg_proc')
FROM my_proc p
WHERE (obj_description(p.oid, 'pg_proc') LIKE 'implementation of % operator') <> EXISTS (SELECT FROM my_operator o WHERE o.oprcode = p.oid
		AND obj_description(p.oid, 'pg_proc') = format('implementation of %s operator', o.oprname));

-- what forbids a kind of scan makes others cost enormously, and the server would compile them
SELECT oid::regprocedure FROM my_proc
WHERE 'enable_seqscan=off' = ANY (proconfig) AND NOT 'jit=off' = ANY (proconfig);

DROP VIEW support, my_class, my_cast, my_opfamily, my_opclass, my_operator, my_type, my_proc, member;
