/*
 * plan.c
 *		Kept plans: statements of ours that are prepared on first use.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/guc.h"
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

static void
prepare(KeptPlan *kept)
{
	SPIPlanPtr	plan;
	Oid			types[lengthof(kept->argtypes)];
	StringInfoData sql;

	initStringInfo(&sql);
	if (kept->query != NULL)
		appendStringInfoString(&sql, kept->query);
	else
	{
		kept->nargs = 0;
		kept->make(kept, &sql);
	}
	for (int i = 0; i < kept->nargs; i++)
		types[i] = OidIsValid(kept->argtypes[i]) ? kept->argtypes[i] : hexid_type_oid();
	/* values never change the plan: spare the custom plans */
	plan = SPI_prepare_cursor(sql.data, kept->nargs, types, CURSOR_OPT_GENERIC_PLAN);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare_cursor failed: %s", SPI_result_code_string(SPI_result));
	if (SPI_keepplan(plan) != 0)
		elog(ERROR, "SPI_keepplan failed");
	pfree(sql.data);
	kept->plan = plan;
	kept->hexid = hexid_type_oid();
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

	/*
	 * A plan that has become invalid is planned again by the server itself; it
	 * may just be running further up, under a trigger, and must not be freed.
	 * Only the id type can change under its parameters: with the extension.
	 */
	if (kept->plan != NULL && kept->hexid != hexid_type_oid())
		kept->plan = NULL;
	if (kept->plan == NULL)
		prepare(kept);

	if (newest && IsolationUsesXactSnapshot())
	{
		Snapshot	latest;

		CommandCounterIncrement();
		latest = RegisterSnapshot(GetLatestSnapshot());
		rc = SPI_execute_snapshot(kept->plan, values, nulls, latest,
								  GetTransactionSnapshot(), false, true, count);
		UnregisterSnapshot(latest);
	}
	else
		rc = SPI_execute_snapshot(kept->plan, values, nulls, InvalidSnapshot,
								  InvalidSnapshot, false, true, count);
	/* SPI comes back in its own context, which lives as long as the call */
	MemoryContextSwitchTo(context);
	if (rc < 0)
		elog(ERROR, "SPI_execute_snapshot failed: %s", SPI_result_code_string(rc));
	return rc;
}
