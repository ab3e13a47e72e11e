-- ---------------------------------------------------------------------------
-- track/ingest: raw tables that are walked through
-- ---------------------------------------------------------------------------

CREATE FUNCTION pk_tracking.row_xid(xmin xid) RETURNS xid8
AS 'MODULE_PATHNAME', 'pkt_row_xid' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION pk_tracking.row_xid(xid) IS 'the transaction that a row''s xmin means, of the last 4 billion';
REVOKE ALL ON FUNCTION pk_tracking.row_xid(xid) FROM PUBLIC;

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
REVOKE ALL ON PROCEDURE pk_tracking.ingest(regclass, jsonb, integer, name, boolean, text, text, boolean) FROM PUBLIC;

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
REVOKE ALL ON FUNCTION pk_tracking.replay(regclass, jsonb, text, text, boolean) FROM PUBLIC;
