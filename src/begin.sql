-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION pk_tracking" to load this file. \quit

CREATE SCHEMA pk_tracking;
COMMENT ON SCHEMA pk_tracking IS
	'web analytics: tracking functions, and the tracking log that pk_tracking.create_log() creates';

CREATE SCHEMA pk_tracking_internal;
COMMENT ON SCHEMA pk_tracking_internal IS
	'functions that those of schema pk_tracking call; not for direct use';
