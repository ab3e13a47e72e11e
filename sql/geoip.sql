-- Locations: what needs no file (test/tap/002_geoip.pl has the rest)
\set VERBOSITY terse

-- no files: nothing is known, and nothing is said about it
SELECT pk_tracking.geoip('203.0.113.77'), pk_tracking.geoip('2001:db8::77'), pk_tracking.geoip('::ffff:203.0.113.77/96') AS mapped;
SELECT pk_tracking.geoip(NULL);
SELECT * FROM pk_tracking.geoip_files();

-- a missing file: one warning a session
SET pk_tracking.geoip_city_file = '/nonexistent/city.mmdb';
SELECT pk_tracking.geoip('203.0.113.77');
SELECT pk_tracking.geoip('203.0.113.77') FROM generate_series(1, 2);
SELECT * FROM pk_tracking.geoip_files();

-- what is no such file
SET pk_tracking.geoip_city_file = '/nonexistent/city.mmdb, PG_VERSION , "base",';
SELECT pk_tracking.geoip('203.0.113.77');
SET pk_tracking.geoip_city_file = 'PG_VERSION', 'base';
SELECT pk_tracking.geoip('203.0.113.77');
SET pk_tracking.geoip_asn_file = 'global';
SELECT pk_tracking.geoip('203.0.113.77');
SELECT pk_tracking.geoip('203.0.113.77');
SELECT * FROM pk_tracking.geoip_files();

-- files are the superuser's to choose, and to see
CREATE ROLE regress_pkt_geoip;
SET ROLE regress_pkt_geoip;
SET pk_tracking.geoip_city_file = '/etc/passwd';
SELECT pk_tracking.geoip('203.0.113.77');
RESET ROLE;
DROP ROLE regress_pkt_geoip;

RESET pk_tracking.geoip_city_file;
RESET pk_tracking.geoip_asn_file;
SELECT pk_tracking.geoip('203.0.113.77');
SELECT * FROM pk_tracking.geoip_files();
\d pk_tracking.location
