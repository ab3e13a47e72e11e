/*
 * edge_batch.c
 *		Which batches of an HTTP daemon were committed: track_batch(), batch_done().
 *
 * A connection may break between COMMIT and its answer.  So each batch of a sender
 * (a connection of the daemon, or its spool) has a number, which is written to the
 * sender's row in the batch's own transaction.  On its next connection, with a new
 * session, the sender asks for the number.  The lock of the row makes that wait
 * for a transaction of the old session that is still open; and since the row then
 * names the new session, a batch that lies in the old connection and is executed
 * later is refused.  So the answer is final.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"

#include "base/plan.h"
#include "track/engine.h"

PG_FUNCTION_INFO_V1(pkt_track_batch);
PG_FUNCTION_INFO_V1(pkt_batch_done);

static KeptPlan note_plan = {
	.query = "INSERT INTO pk_tracking.edge_batch AS b (daemon, session, number, changed)"
	" VALUES ($1, $2, $3, pg_catalog.now()) ON CONFLICT (daemon)"
	" DO UPDATE SET number = EXCLUDED.number, changed = EXCLUDED.changed"
	" WHERE b.session OPERATOR(pg_catalog.=) EXCLUDED.session"
	" AND b.number OPERATOR(pg_catalog.<) EXCLUDED.number",
	.nargs = 3,.argtypes = {UUIDOID, UUIDOID, INT8OID}
};

/* The number of a session that was told before: it changes nothing. */
static KeptPlan look_plan = {
	.query = "SELECT number FROM pk_tracking.edge_batch"
	" WHERE daemon OPERATOR(pg_catalog.=) $1 AND session OPERATOR(pg_catalog.=) $2",
	.nargs = 2,.argtypes = {UUIDOID, UUIDOID}
};

static KeptPlan take_over_plan = {
	.query = "INSERT INTO pk_tracking.edge_batch AS b (daemon, session, number, changed)"
	" VALUES ($1, $2, 0, pg_catalog.now()) ON CONFLICT (daemon)"
	" DO UPDATE SET session = EXCLUDED.session, changed = EXCLUDED.changed RETURNING number",
	.nargs = 2,.argtypes = {UUIDOID, UUIDOID}
};

/*
 * pkt_track_batch
 *		SQL: track_batch(daemon, number, session).  Errors:
 *		object_not_in_prerequisite_state if the batch may not be committed.
 */
Datum
pkt_track_batch(PG_FUNCTION_ARGS)
{
	Datum		values[3] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(2), PG_GETARG_DATUM(1)};
	EngineScope scope;

	engine_enter(&scope);
	(void) plan_execute(&note_plan, values, NULL, 0, true);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("batch " INT64_FORMAT " cannot be committed any more",
						PG_GETARG_INT64(1)),
				 errdetail("Its number is not greater than the last one, or another session has "
						   "called batch_done() since.")));
	engine_leave(&scope);
	PG_RETURN_VOID();
}

/* The number that the plan returns; false: no row. */
static bool
read_number(KeptPlan *plan, Datum *values, int64 *number)
{
	bool		isnull;

	(void) plan_execute(plan, values, NULL, 0, true);
	if (SPI_processed == 0)
		return false;
	*number = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
										  &isnull));
	return true;
}

/*
 * pkt_batch_done
 *		SQL: batch_done(daemon, number, session) → boolean.
 */
Datum
pkt_batch_done(PG_FUNCTION_ARGS)
{
	Datum		values[2] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(2)};
	EngineScope scope;
	int64		committed = 0;

	engine_enter(&scope);
	if (!read_number(&look_plan, values, &committed))
		(void) read_number(&take_over_plan, values, &committed);
	engine_leave(&scope);
	PG_RETURN_BOOL(PG_GETARG_INT64(1) <= committed);
}
