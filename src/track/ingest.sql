-- ---------------------------------------------------------------------------
-- track/ingest: loading raw tables
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking_internal.make_ingest_run() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE SEQUENCE pk_tracking.ingest_run_idrun_seq;
	CREATE TABLE pk_tracking.ingest_run (
		idrun bigint NOT NULL DEFAULT nextval('pk_tracking.ingest_run_idrun_seq') PRIMARY KEY,
		way text NOT NULL,
		raw_table text NOT NULL,
		started timestamptz NOT NULL,
		finished timestamptz,
		hits bigint NOT NULL DEFAULT 0,
		recorded bigint NOT NULL DEFAULT 0,
		rejected bigint NOT NULL DEFAULT 0,
		visits_new bigint NOT NULL DEFAULT 0,
		visits_continued bigint NOT NULL DEFAULT 0,
		excluded jsonb NOT NULL DEFAULT '{}',
		ignored jsonb NOT NULL DEFAULT '{}');
	ALTER SEQUENCE pk_tracking.ingest_run_idrun_seq OWNED BY pk_tracking.ingest_run.idrun;
	COMMENT ON TABLE pk_tracking.ingest_run IS
		'loads from raw tables and the outcome of their hits; hits without consent are not counted';
	COMMENT ON COLUMN pk_tracking.ingest_run.idrun IS 'number of the run';
	COMMENT ON COLUMN pk_tracking.ingest_run.way IS
		'trigger (a statement of several rows, or with rejected rows), ingest or replay';
	COMMENT ON COLUMN pk_tracking.ingest_run.raw_table IS 'name of the raw table at that time';
	COMMENT ON COLUMN pk_tracking.ingest_run.started IS 'time at which it began';
	COMMENT ON COLUMN pk_tracking.ingest_run.finished IS
		'time at which it finished; NULL: it is in progress or was interrupted';
	COMMENT ON COLUMN pk_tracking.ingest_run.hits IS
		'number of hits so far: the sum of recorded, excluded, ignored and rejected';
	COMMENT ON COLUMN pk_tracking.ingest_run.recorded IS 'number of hits recorded in the log';
	COMMENT ON COLUMN pk_tracking.ingest_run.rejected IS
		'number of rejected hits; rejected_hit has a row for each';
	COMMENT ON COLUMN pk_tracking.ingest_run.visits_new IS
		'number of recorded hits that began a visit';
	COMMENT ON COLUMN pk_tracking.ingest_run.visits_continued IS
		'number of recorded hits that continued a visit';
	COMMENT ON COLUMN pk_tracking.ingest_run.excluded IS 'numbers of excluded hits by reason';
	COMMENT ON COLUMN pk_tracking.ingest_run.ignored IS
		'numbers of hits that needed no row, by reason';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_ingest_run IS
	'creates the table pk_tracking.ingest_run';

CREATE FUNCTION pk_tracking_internal.make_rejected_hit() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.rejected_hit (
		idrun bigint NOT NULL REFERENCES pk_tracking.ingest_run ON DELETE CASCADE,
		position bigint NOT NULL,
		raw_table text NOT NULL,
		row_key text,
		parameter text NOT NULL,
		reason text NOT NULL);
	CREATE INDEX rejected_hit_run ON pk_tracking.rejected_hit (idrun, position);
	PERFORM pk_tracking_internal.identify_by_row('rejected_hit');
	PERFORM pk_tracking_internal.keep_out_of_statistics('rejected_hit');
	COMMENT ON TABLE pk_tracking.rejected_hit IS
		'rejected rows of raw tables: where they are and why they were rejected, without their contents';
	COMMENT ON COLUMN pk_tracking.rejected_hit.idrun IS 'run';
	COMMENT ON COLUMN pk_tracking.rejected_hit.position IS
		'ordinal number of the row within the run, from 1';
	COMMENT ON COLUMN pk_tracking.rejected_hit.raw_table IS 'name of the raw table at that time';
	COMMENT ON COLUMN pk_tracking.rejected_hit.row_key IS
		'primary key of the row, if it is a single number or UUID';
	COMMENT ON COLUMN pk_tracking.rejected_hit.parameter IS
		'name of the invalid parameter in the tracking API';
	COMMENT ON COLUMN pk_tracking.rejected_hit.reason IS
		'invalid_value, unknown_site, unreadable or duplicate_order';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rejected_hit IS
	'creates the table pk_tracking.rejected_hit';

CREATE FUNCTION pk_tracking_internal.make_ingest_position() RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CREATE TABLE pk_tracking.ingest_position (
		raw_table text NOT NULL PRIMARY KEY,
		relation oid NOT NULL,
		storage oid NOT NULL,
		system_identifier bigint NOT NULL,
		done_before xid8 NOT NULL,
		until_before xid8,
		last_key text,
		key_column name,
		greatest_key text,
		taken bigint NOT NULL DEFAULT 0,
		idrun bigint,
		changed timestamptz NOT NULL DEFAULT now());
	COMMENT ON TABLE pk_tracking.ingest_position IS 'progress of ingest() in each raw table';
	COMMENT ON COLUMN pk_tracking.ingest_position.raw_table IS 'raw table';
	COMMENT ON COLUMN pk_tracking.ingest_position.relation IS 'OID of the raw table';
	COMMENT ON COLUMN pk_tracking.ingest_position.storage IS
		'file node of the raw table; another one means that the table was rewritten, so that transaction ids are no longer comparable';
	COMMENT ON COLUMN pk_tracking.ingest_position.system_identifier IS
		'system identifier of the server that the transaction ids belong to';
	COMMENT ON COLUMN pk_tracking.ingest_position.done_before IS
		'all rows of transactions before this one have been loaded';
	COMMENT ON COLUMN pk_tracking.ingest_position.until_before IS
		'rows of transactions from done_before up to, but not including, this one are being loaded in the order of the key; NULL: none';
	COMMENT ON COLUMN pk_tracking.ingest_position.last_key IS
		'key of the last row loaded of these; NULL: none yet';
	COMMENT ON COLUMN pk_tracking.ingest_position.key_column IS
		'key of the rows loaded so far; ingest_resume() needs it';
	COMMENT ON COLUMN pk_tracking.ingest_position.greatest_key IS
		'greatest key loaded so far; NULL: not known, because the key was another one before';
	COMMENT ON COLUMN pk_tracking.ingest_position.taken IS 'number of rows loaded so far';
	COMMENT ON COLUMN pk_tracking.ingest_position.idrun IS 'run that is loading them';
	COMMENT ON COLUMN pk_tracking.ingest_position.changed IS 'time of the last change';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_ingest_position IS
	'creates the table pk_tracking.ingest_position';

CREATE FUNCTION pk_tracking_internal.row_xid(xmin xid) RETURNS xid8
AS 'MODULE_PATHNAME', 'pkt_row_xid' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.row_xid IS
	'the full transaction id of a row''s xmin, which must be one of the last 4 billion';

CREATE PROCEDURE pk_tracking.ingest(
	raw_table regclass,
	mapping jsonb DEFAULT NULL,
	batch integer DEFAULT 10000,
	key name DEFAULT NULL,
	consume boolean DEFAULT false,
	hit_order text DEFAULT 'given',
	on_error text DEFAULT 'reject',
	trusted boolean DEFAULT false)
AS 'MODULE_PATHNAME', 'pkt_ingest' LANGUAGE C;
COMMENT ON PROCEDURE pk_tracking.ingest IS
	'tracks the rows of a raw table that were not tracked yet, in batches with a commit each; consume: deletes them from the raw table';

CREATE FUNCTION pk_tracking.ingest_resume(
	raw_table regclass,
	up_to text DEFAULT NULL,
	key name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pkt_ingest_resume'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION pk_tracking.ingest_resume IS
	'lets ingest() go on with a raw table that was restored, upgraded or rewritten: its rows up to the key up_to, by default the greatest one that was loaded, count as loaded; returns the number of rows that do not';

CREATE FUNCTION pk_tracking.replay(
	from_table regclass,
	mapping jsonb DEFAULT NULL,
	hit_order text DEFAULT 'time',
	on_error text DEFAULT 'reject',
	trusted boolean DEFAULT false)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pkt_replay'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION pk_tracking.replay IS
	'tracks all rows of a raw table whose sites have an empty log; returns the number of hits';
