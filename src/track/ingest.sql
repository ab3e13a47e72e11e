-- ---------------------------------------------------------------------------
-- track/ingest: raw tables that are walked through
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
	COMMENT ON TABLE pk_tracking.ingest_run IS 'loads from raw tables, and what became of their hits; of hits without consent nothing, not even their number';
	COMMENT ON COLUMN pk_tracking.ingest_run.idrun IS 'number of the run';
	COMMENT ON COLUMN pk_tracking.ingest_run.way IS 'trigger (a statement of more than one row, or with rejected ones), ingest or replay';
	COMMENT ON COLUMN pk_tracking.ingest_run.raw_table IS 'raw table, as it was named then';
	COMMENT ON COLUMN pk_tracking.ingest_run.started IS 'when it began';
	COMMENT ON COLUMN pk_tracking.ingest_run.finished IS 'when it was done; NULL: it goes on, or was broken off';
	COMMENT ON COLUMN pk_tracking.ingest_run.hits IS 'hits so far: the sum of recorded, excluded, ignored and rejected';
	COMMENT ON COLUMN pk_tracking.ingest_run.recorded IS 'hits that are in the log';
	COMMENT ON COLUMN pk_tracking.ingest_run.rejected IS 'hits that were wrong: a row of rejected_hit for each';
	COMMENT ON COLUMN pk_tracking.ingest_run.visits_new IS 'recorded hits that began a visit';
	COMMENT ON COLUMN pk_tracking.ingest_run.visits_continued IS 'recorded hits that continued one';
	COMMENT ON COLUMN pk_tracking.ingest_run.excluded IS 'hits that were excluded, by reason';
	COMMENT ON COLUMN pk_tracking.ingest_run.ignored IS 'hits that needed no row, by reason';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_ingest_run() IS 'creates the table pk_tracking.ingest_run';

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
	COMMENT ON TABLE pk_tracking.rejected_hit IS 'rows of raw tables that were wrong: where they stand and why, and nothing of them';
	COMMENT ON COLUMN pk_tracking.rejected_hit.idrun IS 'run';
	COMMENT ON COLUMN pk_tracking.rejected_hit.position IS 'how-manieth row of the run, from 1';
	COMMENT ON COLUMN pk_tracking.rejected_hit.raw_table IS 'raw table, as it was named then';
	COMMENT ON COLUMN pk_tracking.rejected_hit.row_key IS 'primary key of the row, if that is one number or UUID';
	COMMENT ON COLUMN pk_tracking.rejected_hit.parameter IS 'parameter that was wrong, by its name in the tracking API';
	COMMENT ON COLUMN pk_tracking.rejected_hit.reason IS 'invalid_value, unknown_site, unreadable or duplicate_order';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_rejected_hit() IS 'creates the table pk_tracking.rejected_hit';

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
		idrun bigint,
		changed timestamptz NOT NULL DEFAULT now());
	COMMENT ON TABLE pk_tracking.ingest_position IS 'how far ingest() has come in raw tables';
	COMMENT ON COLUMN pk_tracking.ingest_position.raw_table IS 'raw table';
	COMMENT ON COLUMN pk_tracking.ingest_position.relation IS 'its oid';
	COMMENT ON COLUMN pk_tracking.ingest_position.storage IS 'its file: another one was written anew, and transactions tell nothing any more';
	COMMENT ON COLUMN pk_tracking.ingest_position.system_identifier IS 'the server whose transactions these are';
	COMMENT ON COLUMN pk_tracking.ingest_position.done_before IS 'rows of transactions before this one have been taken, all of them';
	COMMENT ON COLUMN pk_tracking.ingest_position.until_before IS 'rows of transactions from there to before this one are being taken, by key; NULL: none';
	COMMENT ON COLUMN pk_tracking.ingest_position.last_key IS 'key of the last one of them; NULL: none yet';
	COMMENT ON COLUMN pk_tracking.ingest_position.idrun IS 'run that is at it';
	COMMENT ON COLUMN pk_tracking.ingest_position.changed IS 'when it came there';
END
$$;
COMMENT ON FUNCTION pk_tracking_internal.make_ingest_position() IS 'creates the table pk_tracking.ingest_position';

CREATE FUNCTION pk_tracking_internal.row_xid(xmin xid) RETURNS xid8
AS 'MODULE_PATHNAME', 'pkt_row_xid' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking_internal.row_xid(xid) IS 'the transaction that a row''s xmin means, of the last 4 billion';

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
COMMENT ON PROCEDURE pk_tracking.ingest(regclass, jsonb, integer, name, boolean, text, text, boolean)
	IS 'tracks the rows of a raw table that it has not taken yet, in batches, each with a commit; consume: takes them away';

CREATE FUNCTION pk_tracking.replay(
	from_table regclass,
	mapping jsonb DEFAULT NULL,
	hit_order text DEFAULT 'time',
	on_error text DEFAULT 'reject',
	trusted boolean DEFAULT false)
RETURNS bigint
AS 'MODULE_PATHNAME', 'pkt_replay' LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION pk_tracking.replay(regclass, jsonb, text, text, boolean)
	IS 'runs a raw table into the empty log of its sites; returns the number of hits';
