/*
 * batch.c
 *		A batch: the hits of one statement, and what they share.
 *
 * A statement may call engine_run() several times.  From the first group on
 * that locks its sites exclusively (groups.c), its hits share what is kept in
 * memory.  This file only says when that begins and ends: log/writer_batch.c
 * keeps the visits, memo.c results for recurring texts, and
 * identity/session_link_batch.c the links of anonymous sessions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "identity/session_link_batch.h"
#include "settings/gucs.h"
#include "track/batch.h"

static struct
{
	int			open;			/* how often begun and not ended: users' code
								 * may nest statements */
	bool		unread;			/* nobody reads the hits' results: no cookies
								 * are given out */
	MemoryContext context;		/* lives as long as the batch */
	SubTransactionId subid;		/* if this one fails, so does the batch */
	bool		busy;			/* a hit, or what was kept, is being written */
	bool		keeps_visits;	/* in memory; the rest is valid while it does */
	Log			log;
	Memo	   *memo;
	SessionLinkBatch *links;	/* NULL unless unread */
}			batch;

static void
forget(void)
{
	batch.keeps_visits = batch.busy = false;
	batch.memo = NULL;
	batch.links = NULL;
}

static void
abandon(void)
{
	batch.open = 0;
	forget();
}

static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PARALLEL_ABORT)
		abandon();
}

/* The subtransaction that failed is the batch's own, or one around it. */
static void
subtransaction_ended(SubXactEvent event, SubTransactionId mine,
					 SubTransactionId parent pg_attribute_unused(), void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && batch.open > 0 && mine <= batch.subid)
		abandon();
}

/* batch_init: called once, when the library loads. */
void
batch_init(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
}

/*
 * batch_begin, batch_end
 *		Enclose the calls of engine_run() for one statement.  Both belong between
 *		engine_enter() and engine_leave(), in the same subtransaction; the memory
 *		context in which the batch begins must live to its end.  Visits and
 *		actions are in the log after batch_end(); an error before it forgets
 *		them.  unread: nobody reads the results' cookies, so none are given out.
 */
void
batch_begin(bool unread)
{
	if (batch.open++ > 0)
		return;
	forget();
	batch.unread = unread;
	batch.context = CurrentMemoryContext;
	batch.subid = GetCurrentSubTransactionId();
}

void
batch_end(void)
{
	if (batch.open > 1)
	{
		batch.open--;
		return;
	}
	if (batch.keeps_visits)
	{
		/* users' code may run now, too: it must not begin another batch here */
		batch.busy = true;
		log_close(&batch.log);
	}
	batch.open = 0;
	forget();
}

bool
batch_is_open(void)
{
	return batch.open > 0;
}

/* batch_is_unread: is a batch open whose results nobody reads? */
bool
batch_is_unread(void)
{
	return batch.open > 0 && batch.unread;
}

/* batch_is_busy: is a hit of the batch, or what it has kept, being written now? */
bool
batch_is_busy(void)
{
	return batch.busy;
}

/*
 * batch_keep_visits
 *		Keep visits in memory from now on.  The caller holds the gates of their
 *		sites exclusively.  False if the log's tables do not allow it.
 */
bool
batch_keep_visits(void)
{
	MemoryContext old;

	if (batch.keeps_visits)
		return true;

	old = MemoryContextSwitchTo(batch.context);
	batch.keeps_visits = log_open_batch(&batch.log);
	if (batch.keeps_visits)
	{
		batch.memo = memo_create();
		if (batch.unread)
			batch.links = session_link_batch_create(BULK_LINKS);
	}
	MemoryContextSwitchTo(old);
	return batch.keeps_visits;
}

bool
batch_keeps_visits(void)
{
	return batch.keeps_visits;
}

/*
 * batch_enter, batch_leave
 *		Enclose the writing of hits into a batch that keeps visits.
 *		batch_enter() returns the batch's log.
 */
Log *
batch_enter(void)
{
	Assert(batch.keeps_visits);
	batch.busy = true;
	return &batch.log;
}

void
batch_leave(void)
{
	batch.busy = false;
}

/* batch_share: hand a hit what the hits of its batch share now. */
void
batch_share(Work *w)
{
	w->unread = batch_is_unread();
	w->memo = batch.memo;
	w->links = batch.links;
}
