-- ---------------------------------------------------------------------------
-- track/edge_batch: which batches of an HTTP daemon were committed
-- ---------------------------------------------------------------------------

-- An update must be HOT: no index but that of daemon.
CREATE TABLE pk_tracking.edge_batch (
	daemon uuid NOT NULL PRIMARY KEY,
	session uuid NOT NULL,
	number bigint NOT NULL,
	changed timestamptz NOT NULL
) WITH (fillfactor = 50);
REVOKE ALL ON TABLE pk_tracking.edge_batch FROM PUBLIC;
COMMENT ON TABLE pk_tracking.edge_batch IS
	'last batch of hits that each sender of an HTTP daemon has committed';
COMMENT ON COLUMN pk_tracking.edge_batch.daemon IS
	'sender: one of a daemon''s connections, or its spool';
COMMENT ON COLUMN pk_tracking.edge_batch.session IS
	'session of the sender that may commit batches; others are refused';
COMMENT ON COLUMN pk_tracking.edge_batch.number IS 'greatest number of a committed batch; 0: none';
COMMENT ON COLUMN pk_tracking.edge_batch.changed IS
	'begin of the transaction that last changed the row';

CREATE FUNCTION pk_tracking.track_batch(daemon uuid, number bigint, session uuid) RETURNS void
	AS 'MODULE_PATHNAME', 'pkt_track_batch' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking.track_batch IS
	'notes in its transaction that this is the daemon''s batch of that number; each must be greater than the last';

CREATE FUNCTION pk_tracking.batch_done(daemon uuid, number bigint, session uuid) RETURNS boolean
	AS 'MODULE_PATHNAME', 'pkt_batch_done' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION pk_tracking.batch_done IS
	'whether the daemon''s batch of that number was committed; from now on batches of its other sessions are refused, so that the answer stays true';
