-- ingest() after a restore: ingest_resume() says "taken up to here", and never doubles silently
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = ISO;
DO $$ BEGIN
	IF to_regclass('pk_tracking.log_visit') IS NULL THEN
		PERFORM pk_tracking.create_log();
	END IF;
	DELETE FROM pk_tracking.setting;
	TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position;
END $$;
SELECT pk_tracking.add_site('resume') AS site \gset
CREATE TABLE resume (id integer PRIMARY KEY, other bigint NOT NULL UNIQUE, idsite integer DEFAULT :site, url text, at timestamptz NOT NULL UNIQUE, u uuid NOT NULL UNIQUE);
CREATE FUNCTION resume_fill(first integer, last integer) RETURNS void LANGUAGE sql AS $$
	INSERT INTO resume (id, other, url, at, u) SELECT i, 1000 - i, 'https://resume.example/' || i, '2026-03-02 10:00+00'::timestamptz + i * interval '1 s', lpad(i::text, 32, '0')::uuid FROM generate_series(first, last) i $$;
CREATE VIEW tracked_rows AS SELECT count(*) AS hits, count(DISTINCT url) AS urls, max(length(url)) > 0 AS any FROM pk_tracking.action WHERE idsite = :site;
-- as after a restore: everything is there, but the position is another server's
CREATE FUNCTION restore() RETURNS void LANGUAGE sql AS $$
	UPDATE pk_tracking.ingest_position SET system_identifier = 1, relation = 1, storage = 1 $$;

-- 1. Nothing to resume
SELECT pk_tracking.ingest_resume('resume');
SELECT resume_fill(1, 10);
CALL pk_tracking.ingest('resume', batch => 4);
SELECT * FROM tracked_rows;
SELECT raw_table, key_column, greatest_key, taken FROM pk_tracking.ingest_position;
SELECT pk_tracking.ingest_resume('resume');

-- 2. A restore; rows came since, and some that were there had not been taken
SELECT resume_fill(11, 15);
SELECT restore();
CALL pk_tracking.ingest('resume');
SELECT pk_tracking.ingest_resume('resume', '9');
SELECT pk_tracking.ingest_resume('resume');
SELECT key_column, greatest_key, last_key, taken, until_before IS NOT NULL AS "a pass goes on" FROM pk_tracking.ingest_position;
CALL pk_tracking.ingest('resume', batch => 2);
SELECT * FROM tracked_rows;
CALL pk_tracking.ingest('resume');
SELECT resume_fill(16, 16);
CALL pk_tracking.ingest('resume');
SELECT * FROM tracked_rows;

-- 3. More rows up to the key than were taken: they are left out, and said so; a greater key likewise
INSERT INTO resume (id, other, url, at, u) VALUES (-1, 2000, 'https://resume.example/late', '2026-03-02 12:00+00', '10000000000000000000000000000000');
SELECT restore();
SELECT pk_tracking.ingest_resume('resume');
CALL pk_tracking.ingest('resume');
SELECT * FROM tracked_rows;
SELECT resume_fill(17, 20);
SELECT restore();
SELECT pk_tracking.ingest_resume('resume', '18');
CALL pk_tracking.ingest('resume');
SELECT * FROM tracked_rows;

-- 4. An interrupted pass; a table that was rewritten
SELECT resume_fill(21, 30);
CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
	IF (SELECT count(*) FROM pk_tracking.action WHERE url ~ 'resume.example/2[45]$') > 1 THEN RAISE 'stumbled'; END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER stumble AFTER INSERT ON pk_tracking.log_link_visit_action FOR EACH STATEMENT EXECUTE FUNCTION stumble();
\set VERBOSITY terse
CALL pk_tracking.ingest('resume', batch => 2);
\set VERBOSITY default
DROP TRIGGER stumble ON pk_tracking.log_link_visit_action;
-- not by another key: rows would be taken twice, or never
CALL pk_tracking.ingest('resume', key => 'other');
VACUUM FULL resume;
CALL pk_tracking.ingest('resume');
SELECT pk_tracking.ingest_resume('resume');
CALL pk_tracking.ingest('resume');
SELECT * FROM tracked_rows;

-- 5. Another key: which rows were taken is not known by it
SELECT resume_fill(31, 32);
CALL pk_tracking.ingest('resume', key => 'at');
SELECT key_column, greatest_key, taken FROM pk_tracking.ingest_position;
SELECT resume_fill(33, 34);
SELECT restore();
SELECT pk_tracking.ingest_resume('resume');
SELECT pk_tracking.ingest_resume('resume', 'nonsense');
SELECT pk_tracking.ingest_resume('resume', '2026-03-02 10:00:32+00');
SELECT pk_tracking.ingest_resume('resume', '2026-03-02 12:00:00+00');
CALL pk_tracking.ingest('resume', key => 'at');
SELECT * FROM tracked_rows;
SELECT restore();
SELECT pk_tracking.ingest_resume('resume', '2026-03-02 10:00:20+00');
SELECT pk_tracking.ingest_resume('resume', '00000000-0000-0000-0000-000000000034', 'u');

-- 6. Rows of a transaction that would be walked through again
SELECT restore();
BEGIN;
SELECT pk_tracking.ingest_resume('resume', '00000000-0000-0000-0000-000000000034', 'u');
ROLLBACK;
BEGIN;
SELECT resume_fill(35, 36);
SELECT pk_tracking.ingest_resume('resume', '00000000-0000-0000-0000-000000000036', 'u');
ROLLBACK;

-- 7. A table that was never loaded; the position of another table with its OID is not its own
CREATE TABLE resume_new (LIKE resume INCLUDING ALL);
INSERT INTO resume_new SELECT * FROM resume WHERE id BETWEEN 1 AND 6;
UPDATE pk_tracking.ingest_position SET relation = 'resume_new'::regclass WHERE raw_table = 'public.resume';
SELECT pk_tracking.ingest_resume('resume_new', '4');
SELECT raw_table, system_identifier = 1 AS foreign, key_column, greatest_key, taken FROM pk_tracking.ingest_position ORDER BY 1;
CALL pk_tracking.ingest('resume_new');
SELECT raw_table, greatest_key, taken FROM pk_tracking.ingest_position ORDER BY 1;
SELECT count(*) FROM pk_tracking.action WHERE idsite = :site AND url ~ '/[56]$';
SELECT pk_tracking.ingest_resume('resume_new', key => 'url');
SELECT pk_tracking.ingest_resume(NULL);

-- 8. Rows that were tracked and left there are not consumed, which would track them again
CALL pk_tracking.ingest('resume_new', consume => true);
SELECT count(*) FROM resume_new;
DELETE FROM resume_new WHERE id <= 6;
DELETE FROM pk_tracking.ingest_position WHERE relation = 'resume_new'::regclass;
INSERT INTO resume_new SELECT * FROM resume WHERE id = 7;
CALL pk_tracking.ingest('resume_new', consume => true);
SELECT (SELECT count(*) FROM resume_new) AS left, (SELECT count(*) FROM pk_tracking.action WHERE idsite = :site AND url ~ '/[67]$') AS actions;

DROP TABLE resume, resume_new;
DROP FUNCTION resume_fill, restore, stumble;
DROP VIEW tracked_rows;
TRUNCATE pk_tracking.ingest_run, pk_tracking.rejected_hit, pk_tracking.ingest_position;
