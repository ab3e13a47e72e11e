-- The database of test/storm/run: sites, raw tables, and what was sent.
-- :rules are the recognition rules.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
CREATE EXTENSION pk_tracking CASCADE;
SELECT pk_tracking.create_log();
SELECT pk_tracking.set_instance('recognition_rules', :'rules');

-- A person may have one visit more for each time that the server lost its unlogged
-- tables: daily salts and the links of anonymous sessions.
CREATE TABLE kind (name text PRIMARY KEY, idsite integer, may_split boolean);
INSERT INTO kind SELECT k.name, pk_tracking.add_site(k.name), k.name IN ('daily', 'nobody')
FROM unnest('{known,guest,user,daily,nobody,shop}'::text[]) WITH ORDINALITY k (name, n) ORDER BY n;
SELECT pk_tracking.set_site(k.idsite, s.setting, s.value)
FROM (VALUES ('daily', 'fingerprint_salt_rotation', 'daily'), ('daily', 'fingerprint_ip', 'full'), ('guest', 'fingerprint_salt_rotation', 'never'), ('nobody', 'consent_mode', 'ask_else_anonymous')) s (name, setting, value)
	JOIN kind k USING (name);

-- hit: the unique id, which is sent as pv_id; who: the person who sent it
CREATE TABLE raw (n bigserial PRIMARY KEY, hit text NOT NULL, idsite integer, at timestamptz, visitor_id hexid, url text);
CREATE TABLE later (LIKE raw INCLUDING ALL);
CREATE TABLE taken (LIKE raw INCLUDING ALL);
SELECT pk_tracking.attach('raw', '{"idsite": "idsite", "at": "at", "visitor_id": "visitor_id", "url": "url", "pv_id": "hit"}');

-- What the clients sent.  state: A acknowledged, U its answer was lost, E refused or rolled back.
CREATE TABLE sent (hit text PRIMARY KEY, site text, who integer, state "char", road text);
-- how often the server lost its unlogged tables
CREATE TABLE crash (n integer);
INSERT INTO crash VALUES (0);
