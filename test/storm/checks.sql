-- What must hold of the hits that were sent; reads setup.sql's tables and the views of
-- test/locks/invariants.sql.
\set ON_ERROR_STOP on
CREATE VIEW found AS
SELECT l.idpageview AS hit, l.idsite, l.idvisit FROM pk_tracking.log_link_visit_action l
UNION ALL
SELECT substr(k.idorder, 2), k.idsite, k.idvisit FROM pk_tracking.log_conversion k WHERE k.idorder IS NOT NULL;

-- Hits that are not where they belong.  Rows of "later" may wait for ingest(), those
-- of "taken" are there or were tracked.
CREATE VIEW wrong_hits AS
WITH logged AS (
	SELECT f.hit, count(*) AS n, count(DISTINCT f.idvisit) AS visits, min(f.idsite) AS idsite FROM found f GROUP BY f.hit
), waiting AS (
	SELECT t.hit FROM taken t
	UNION ALL
	SELECT l.hit FROM later l WHERE NOT EXISTS (SELECT FROM logged g WHERE g.hit = l.hit)
), at_hand AS (
	SELECT hit, sum(n) AS n FROM (SELECT g.hit, g.n FROM logged g UNION ALL SELECT w.hit, 1 FROM waiting w) x GROUP BY hit
)
SELECT 'hit is lost' AS rule, s.hit, s.road FROM sent s LEFT JOIN at_hand a USING (hit) WHERE s.state = 'A' AND a.n IS NULL
UNION ALL
SELECT 'hit is doubled', s.hit, s.road FROM sent s JOIN at_hand a USING (hit) WHERE a.n > 1
UNION ALL
SELECT 'refused hit is there', s.hit, s.road FROM sent s JOIN at_hand a USING (hit) WHERE s.state = 'E'
UNION ALL
SELECT 'nobody sent this hit', g.hit, '' FROM logged g LEFT JOIN sent s USING (hit) WHERE s.hit IS NULL
UNION ALL
SELECT 'hit is with another site', s.hit, s.road FROM sent s JOIN logged g USING (hit) JOIN kind k ON k.name = s.site WHERE k.idsite <> g.idsite;

-- people who have too many visits, and visits of several people
CREATE VIEW wrong_people AS
SELECT 'visit is doubled' AS rule, s.site || ' ' || s.who AS which
FROM sent s JOIN found f USING (hit) JOIN kind k ON k.name = s.site
GROUP BY s.site, s.who, k.may_split
HAVING count(DISTINCT f.idvisit) > 1 + CASE WHEN k.may_split THEN (SELECT c.n FROM crash c) ELSE 0 END
UNION ALL
SELECT 'visit of several people', f.idvisit::text
FROM sent s JOIN found f USING (hit)
GROUP BY f.idvisit
HAVING count(DISTINCT s.who) > 1;

-- the counts of loads
CREATE VIEW wrong_runs AS
SELECT 'run counts other hits' AS rule, r.raw_table AS which
FROM (SELECT i.raw_table, sum(i.hits) AS hits, sum(i.recorded) AS recorded FROM pk_tracking.ingest_run i GROUP BY i.raw_table) r
WHERE r.hits <> r.recorded OR r.hits <> (SELECT count(*) FROM found f JOIN sent s USING (hit) WHERE 'public.' || s.road = r.raw_table)
UNION ALL
SELECT 'row was rejected', j.raw_table || ' ' || j.row_key FROM pk_tracking.rejected_hit j
UNION ALL
SELECT 'row and hit differ', r.hit FROM raw r LEFT JOIN found f USING (hit) WHERE f.hit IS NULL
UNION ALL
SELECT 'row and hit differ', s.hit FROM sent s JOIN found f USING (hit) LEFT JOIN raw r USING (hit) WHERE s.road = 'raw' AND r.hit IS NULL;

-- everything
CREATE VIEW wrong AS
SELECT b.rule, concat_ws(' ', b.idsite, b.which) AS which FROM broken b
UNION ALL SELECT w.rule, w.hit || ' by ' || w.road FROM wrong_hits w
UNION ALL SELECT p.rule, p.which FROM wrong_people p
UNION ALL SELECT r.rule, r.which FROM wrong_runs r;
