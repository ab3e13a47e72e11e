/*
 * group_write.c
 *		Recording the hits of a group that has its locks: one after the other, or
 *		with visits kept in memory; and what an attempt leaves that is rolled back.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "base/plan.h"
#include "base/wipe.h"
#include "track/batch.h"
#include "track/group_write.h"
#include "track/record.h"

#define FLUSH_CHECK 64			/* hits between two checks of memory */

/* Record the hits one after the other; false if a lock is missed. */
static bool
record_each(Log *log, Work **work, int n, GroupLocks *locks)
{
	bool		all = true;
	MemoryContext old = CurrentMemoryContext;
	MemoryContext context = NULL;

	/* only a group that will not be tried again may forget each hit at once */
	if (locks != NULL && locks->exclusive)
		context = wiped_context_create(old, "pk_tracking hit");
	for (int i = 0; i < n && all; i++)
	{
		if (context != NULL)
			MemoryContextSwitchTo(context);
		work[i]->log = log;
		batch_share(work[i]);
		all = record_hit(work[i], locks);
		MemoryContextSwitchTo(old);
		if (context != NULL)
			wiped_context_reset(context);
		if (i % FLUSH_CHECK == 0)
			log_flush(log);
	}
	return all;
}

/* Record the hits with visits kept in memory; false if the tables do not allow that. */
static bool
record_in_memory(Work **work, int n, GroupLocks *locks)
{
	bool		alone = !batch_is_open();
	bool		possible;

	if (alone)
		batch_begin(false);
	possible = batch_keep_visits();
	if (possible)
	{
		(void) record_each(batch_enter(), work, n, locks);
		batch_leave();
	}
	if (alone)
		batch_end();
	return possible;
}

/*
 * group_record_in_order
 *		Record the hits in their order.  locks: NULL if there is but one, which
 *		takes its own.  False if a lock is missed.
 */
bool
group_record_in_order(Work **work, int n, GroupLocks *locks)
{
	Log			log;
	int			guc_level = -1;
	bool		all;

	if (locks != NULL && locks->exclusive && record_in_memory(work, n, locks))
		return true;

	log_open(&log, RowExclusiveLock);

	/*
	 * Our own statements are qualified throughout.  Users' code on the log
	 * must not run with the owner's rights through the caller's search_path.
	 */
	if (log_has_user_code())
		guc_level = pin_search_path();
	all = record_each(&log, work, n, locks);
	log_close(&log);
	if (guc_level >= 0)
		AtEOXact_GUC(true, guc_level);
	return all;
}

/* By site and time, so by site and day. */
static int
compare_work(const void *a, const void *b)
{
	const Work *x = *(Work *const *) a;
	const Work *y = *(Work *const *) b;

	if (x->hit->idsite != y->hit->idsite)
		return x->hit->idsite < y->hit->idsite ? -1 : 1;
	if (x->hit->at != y->hit->at)
		return x->hit->at < y->hit->at ? -1 : 1;
	return 0;
}

/* group_by_day: the hits by site and day, in the current memory context. */
Work	  **
group_by_day(Work **work, int n)
{
	Work	  **by_day = palloc_array(Work *, n);

	memcpy(by_day, work, n * sizeof(Work *));
	qsort(by_day, n, sizeof(Work *), compare_work);
	return by_day;
}

/* group_reset_results: forget the results of an attempt that was rolled back. */
void
group_reset_results(Work **work, int n)
{
	Tracked		fresh;

	for (int i = 0; i < n; i++)
	{
		work[i]->done = false;
		memset(&fresh, 0, sizeof(fresh));
		memcpy(fresh.delete_cookies, work[i]->result->delete_cookies, sizeof(fresh.delete_cookies));
		*work[i]->result = fresh;
	}
}

/*
 * group_attempt_failed
 *		Roll back the subtransaction in which an error was raised, and raise it
 *		again: the caller's handler knows its own subtransaction only.
 */
void
group_attempt_failed(MemoryContext context, ResourceOwner owner)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	FlushErrorState();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	ReThrowError(error);
}
