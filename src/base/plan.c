/*
 * plan.c
 *		Kept plans: statements of ours that are prepared on first use.
 */
#include "postgres.h"

#include "access/xact.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/hexid.h"
#include "base/plan.h"

/*
 * pin_search_path
 *		Let nothing that follows see the caller's search_path, until
 *		AtEOXact_GUC(true, result) or an error.
 */
int
pin_search_path(void)
{
	int			level = NewGUCNestLevel();

	(void) set_config_option("search_path", "pg_catalog, pg_temp",
							 PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	return level;
}

static SPIPlanPtr
prepare(KeptPlan *kept)
{
	SPIPlanPtr	plan;
	Oid			types[lengthof(kept->argtypes)];
	StringInfoData sql;
	Oid			hexid = InvalidOid;

	initStringInfo(&sql);
	if (kept->query != NULL)
		appendStringInfoString(&sql, kept->query);
	else
	{
		kept->nargs = 0;
		kept->make(kept, &sql);
	}
	for (int i = 0; i < kept->nargs; i++)
	{
		types[i] = kept->argtypes[i];
		if (!OidIsValid(types[i]))
			types[i] = hexid = hexid_type_oid();
	}
	/* values never change the plan: spare the custom plans */
	plan = SPI_prepare_cursor(sql.data, kept->nargs, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	pfree(sql.data);
	kept->hexid = hexid;
	kept->plan = plan;
	return plan;
}

/*
 * The plan, prepared if it is not.  The server plans an invalid one again by
 * itself; it may be running further up the stack, under a trigger, and must not
 * be freed.  What can change is the id type of parameters, with the extension,
 * and the text of a query that says so.
 */
static SPIPlanPtr
usable_plan(KeptPlan *kept)
{
	if (kept->plan == NULL ||
		(OidIsValid(kept->hexid) && kept->hexid != hexid_type_oid()) ||
		(kept->make_again && !SPI_plan_is_valid(kept->plan)))
		return prepare(kept);
	return kept->plan;
}

/*
 * The (sub)transaction that runs a plan of ours: after an error it is over, and
 * nothing has to be reset.
 */
typedef struct Running
{
	LocalTransactionId lxid;
	SubTransactionId subid;
} Running;

static Running running;

/* plan_is_running: is this code run by a statement of a kept plan, as a trigger? */
bool
plan_is_running(void)
{
	return running.lxid == pkt_my_lxid() && running.subid == GetCurrentSubTransactionId() &&
		running.subid != InvalidSubTransactionId;
}

/*
 * Run a plan without values in it, whatever plan_cache_mode the caller has set.
 * With debug_print_plan the server would show them to the caller: ids of visitors
 * that the hit was joined to.
 */
static int
execute(SPIPlanPtr plan, Datum *values, const char *nulls, Snapshot snapshot,
		Snapshot crosscheck, bool read_only, bool fire_triggers, long count)
{
	bool		forced = plan_cache_mode == PLAN_CACHE_MODE_FORCE_CUSTOM_PLAN;
	int			level = 0;
	int			rc;
	Running		before = running;

	if (forced)
	{
		level = NewGUCNestLevel();
		(void) set_config_option("plan_cache_mode", "auto", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
	running.lxid = pkt_my_lxid();
	running.subid = GetCurrentSubTransactionId();
	rc = SPI_execute_snapshot(plan, values, nulls, snapshot, crosscheck, read_only,
							  fire_triggers, count);
	running = before;
	if (forced)
		AtEOXact_GUC(true, level);
	return rc;
}

/*
 * plan_execute
 *		Run a kept plan.  newest: see and change the newest committed rows even
 *		in a REPEATABLE READ or SERIALIZABLE transaction, as referential
 *		integrity does it; changing a row that the transaction's snapshot does
 *		not show raises serialization_failure then.  Returns SPI's code.
 */
int
plan_execute(KeptPlan *kept, Datum *values, const char *nulls, long count, bool newest)
{
	int			rc;
	MemoryContext context = CurrentMemoryContext;
	SPIPlanPtr	plan = usable_plan(kept);

	if (newest && IsolationUsesXactSnapshot())
	{
		Snapshot	latest;

		CommandCounterIncrement();
		latest = RegisterSnapshot(GetLatestSnapshot());
		rc = execute(plan, values, nulls, latest, GetTransactionSnapshot(), false, true, count);
		UnregisterSnapshot(latest);
	}
	else
		rc = execute(plan, values, nulls, InvalidSnapshot, InvalidSnapshot, false, true, count);
	/* SPI comes back in its own context, which lives as long as the call */
	MemoryContextSwitchTo(context);
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(rc));
	return rc;
}

/*
 * plan_read
 *		Run a kept SELECT under the newest snapshot, read only; count: at most so
 *		many rows, 0: all.  Sets SPI_processed and SPI_tuptable.
 */
void
plan_read(KeptPlan *kept, Datum *values, long count)
{
	SPIPlanPtr	plan = usable_plan(kept);
	int			rc;

	/* a parallel leader cannot take a new snapshot */
	rc = execute(plan, values, NULL,
				 IsInParallelMode() ? GetActiveSnapshot() : GetLatestSnapshot(),
				 InvalidSnapshot, true, false, count);
	if (rc != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(rc));
}

/*
 * plan_write
 *		Run a kept INSERT that sees the newest committed rows, without regard to
 *		the transaction's snapshot.
 */
void
plan_write(KeptPlan *kept, Datum *values)
{
	SPIPlanPtr	plan = usable_plan(kept);
	int			rc;

	rc = execute(plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot, false, false, 0);
	if (rc != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(rc));
}
