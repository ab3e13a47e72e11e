/*
 * engine.c
 *		The engine: n hits of one call, in the order given.
 *
 * Each hit is prepared (prepare.c), which needs no look at the log; the hits to
 * be recorded form a group, which is locked and recorded (groups.c, record.c);
 * last the hits that were excluded are counted.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/spi.h"
#include "base/wipe.h"
#include "identity/salt.h"
#include "log/new_names.h"
#include "track/batch.h"
#include "track/engine.h"
#include "track/exclude_count.h"
#include "track/groups.h"
#include "track/locks.h"
#include "track/prepare.h"

/*
 * engine_enter
 *		Become the owner of the log, as referential integrity becomes the owner
 *		of a table, and connect to SPI.  The caller needs no right on any table.
 *		After an error the end of the (sub)transaction undoes it.
 */
void
engine_enter(EngineScope *scope)
{
	Oid			owner = log_owner();

	GetUserIdAndSecContext(&scope->save_user, &scope->save_sec_context);
	SetUserIdAndSecContext(owner, scope->save_sec_context |
						   SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);

	scope->caller = CurrentMemoryContext;
	spi_connect();
	/* an older log may lack tables that are read before it is opened */
	log_need_version();
	/* from here on everything lives in SPI's procedure context */
}

/* engine_leave: undo engine_enter. */
void
engine_leave(EngineScope *scope)
{
	spi_finish();
	wipe_stack();
	SetUserIdAndSecContext(scope->save_user, scope->save_sec_context);
	MemoryContextSwitchTo(scope->caller);
}

/* The words under which hits are counted that were recorded, but not wholly read. */
static const char *const reason_bad_money = "bad_money";
static const char *const reason_bad_address = "bad_address";

static const char *const reason_too_many_names = "too_many_names";

/* Likewise of hits that a fingerprint joined to a visit with another id. */
static const char *const reason_joined = "joined_other_id";

/*
 * Count the hits that were excluded, except those without consent, of which
 * nothing is stored at all; the hits whose amounts or addresses cannot be read;
 * and those that were joined to another id, which the log does not tell once the
 * visit's id has changed.
 */
static void
count_hits(const Work *work, int n)
{
	ExcludeCounts counts;

	counts.n = 0;
	for (int i = 0; i < n; i++)
	{
		Tracked    *r = work[i].result;

		if (r->outcome == OUTCOME_EXCLUDED && !tracked_nothing(r))
			exclude_count_add(&counts, work[i].site, work[i].hit->at, r->outcome_reason);
		if (r->outcome == OUTCOME_RECORDED && work[i].request.bad_money != NULL)
			exclude_count_add(&counts, work[i].site, work[i].hit->at, reason_bad_money);
		if (work[i].hit->address_bad && r->bad_parameter == NULL)
			r->bad_parameter = "ip";
		if (r->outcome == OUTCOME_RECORDED)
			r->outcome_reason = r->bad_parameter;
		if (r->outcome == OUTCOME_RECORDED && work[i].hit->address_bad)
			exclude_count_add(&counts, work[i].site, work[i].hit->at, reason_bad_address);
		if (r->outcome == OUTCOME_RECORDED && work[i].names_refused)
			exclude_count_add(&counts, work[i].site, work[i].hit->at, reason_too_many_names);
		if (r->joined_other_id)
			exclude_count_add(&counts, work[i].site, work[i].hit->at, reason_joined);
	}
	exclude_count_write(&counts);
}

/* Write down how many new names the hits have added, site by site. */
static void
count_names(const Work *work, int n)
{
	int			names = 0;

	for (int i = 0; i < n; i++)
	{
		if (!work[i].done || work[i].result->outcome != OUTCOME_RECORDED)
			continue;
		names += work[i].names_added;
		if (names > 0 && (i == n - 1 || work[i + 1].hit->idsite != work[i].hit->idsite))
		{
			new_names_write(work[i].hit->idsite, work[i].site->s.new_names_per_day, names);
			names = 0;
		}
	}
}

/*
 * engine_run
 *		Record n hits in the order given; results[i] tells what became of
 *		hits[i].  The caller has entered the engine.  A hit that is wrong is no
 *		error but OUTCOME_INVALID.  Errors: read_only_sql_transaction on a
 *		standby or in a read-only transaction, and what the server raises (lock_timeout,
 *		serialization_failure, …).
 */
void
engine_run(Hit **hits, int n, Tracked *results)
{
	Work	   *work = MemoryContextAllocHuge(CurrentMemoryContext, n * sizeof(Work));
	Work	  **group = palloc_array(Work *, n);
	int			n_group = 0;

	/*
	 * users' code: its visits would be kept in memory that ends with its
	 * statement
	 */
	if (batch_is_busy())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot track hits from a trigger or function that runs while hits are being written")));

	memset(work, 0, n * sizeof(Work));

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot track hits on a standby"),
				 errhint("Send them to the primary. Reports run on standbys, too.")));
	if (XactReadOnly)
		ereport(ERROR,
				(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
				 errmsg("cannot track hits in a read-only transaction"),
				 errhint("Begin the transaction with READ WRITE, and see to it that "
						 "default_transaction_read_only is off. match_visitor() only reads.")));

	/* settings that other sessions have committed are in force from now on */
	AcceptInvalidationMessages();

	for (int i = 0; i < n; i++)
	{
		work[i].hit = hits[i];
		work[i].result = &results[i];
		batch_share(&work[i]);
		prepare_hit(&work[i], true);
		if (!work[i].done)
			group[n_group++] = &work[i];
	}
	if (n_group > 0)
		group_record(group, n_group);
	count_names(work, n);
	count_hits(work, n);

	/*
	 * Last, because a table that is emptied stays locked to the end of the
	 * transaction.  Expired links of sessions go with the next call, whatever
	 * becomes of its hits.
	 */
	if (n <= GROUP_KEYS_MAX)
		salt_destroy_expired(GetCurrentTimestamp());
	session_link_destroy_expired(GetCurrentTimestamp());
}
