-- What every document but README takes for granted.
\set QUIET on
\o /dev/null
CREATE EXTENSION pk_tracking CASCADE;
SELECT pk_tracking.create_log();
SELECT pk_tracking.add_site('My shop', ARRAY['https://shop.example.org'], 'Europe/Berlin');
\o
