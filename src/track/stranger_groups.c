/*
 * stranger_groups.c
 *		A document of many visitors that came without a token: several groups.
 *
 * Anybody can send such a document, as often as they like.  So it locks no site,
 * and holds few locks at any time, since all sessions share the server's table
 * of locks: it is recorded in groups of at most GROUP_KEYS_MAX ids and
 * fingerprints, and the locks of a group are given back when it is over, though
 * its rows are seen by others only after the transaction's end.
 *
 * A session that finds one of these rows outdated waits for our transaction, with
 * all its locks.  So once something is written we must wait for nobody: that
 * could be a deadlock.  What may take long comes first (the hour's key, gates,
 * daily salts), while no other lock is held; from then on locks are only tried.
 * What cannot be had is tried again for a little while, after giving back the
 * group's locks, and then its hit is refused.
 *
 * Nothing is lost or counted twice: a visit is continued only with its lock, and
 * only if no open transaction has changed its row.  But a session that looks for
 * the visitor of a group that is over does not see a visit that the group has
 * begun, and may begin another one (doc/concurrency.md, "Documents and loads").
 *
 * Locks of order ids are kept to the end of the transaction, or an order could
 * count twice.  And carts of one visit replace each other's items, all of whose
 * versions the next one has to pass, until the transaction ends.  So no document
 * of strangers has many orders and carts.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/wipe.h"
#include "request/tracking_api.h"
#include "track/fingerprints.h"
#include "track/group_write.h"
#include "track/locks.h"
#include "track/session.h"
#include "track/stranger_groups.h"

#define NAPS_MAX 50				/* of a document */
#define ORDERS_MAX GROUP_KEYS_MAX	/* and carts, of a document */
#define ORDER_ITEMS_MAX (10 * ITEMS_MAX)	/* of all of them */

static const char *const reason_busy = "busy";

/*
 * came_from_strangers
 *		Is there a hit of a document among them that came without a good token?
 */
bool
came_from_strangers(Work **work, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (work[i]->hit->in_bulk > 0 && !work[i]->hit->trusted)
			return true;
	}
	return false;
}

/* Do all that may have to wait, in the order in which single hits do it. */
static void
wait_first(Work **work, int n)
{
	TimestampTz now = GetCurrentTimestamp();
	GroupLocks	gates = {.size = 16};
	Work	  **by_day = group_by_day(work, n);

	for (int i = 0; i < n; i++)
	{
		/* the hour does not turn for this document */
		work[i]->session.now = now;
		session_make_keys(work[i]);
	}
	gates.keys = palloc_array(LockKey, gates.size);
	for (int i = 0; i < n; i++)
		group_locks_add(&gates, LOCK_GATE, work[i]->hit->idsite, 0);
	group_locks_take(&gates, LOCK_GATE);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		work_fingerprint(by_day[i], true);
	}
}

/* Note the keys of a hit. */
static void
add_keys(GroupLocks *locks, Work *w)
{
	Held		held;

	held_init(&held, w->hit->idsite, locks);
	if (!w->anonymous)
	{
		Lookup		lookups[MAX_LOOKUPS];
		int			n = recognise_lookups(w->hit, &w->id, &w->site->s, lookups);

		held_add_visitor_ids(&held, w, lookups, n);
	}
	held_add_session_keys(&held, w);
	group_locks_add_ids(locks, &held);
	if (w->id.config.given)
		group_locks_add(locks, LOCK_FINGERPRINT, w->hit->idsite, w->id.config.id);
}

/* How many of the hits, at least one, make a group: each may need a visit's lock, too. */
static int
group_length(Work **work, int n)
{
	GroupLocks	locks = {.size = 2 * GROUP_KEYS_MAX};
	int			length;

	locks.keys = palloc_array(LockKey, locks.size);
	for (length = 0; length < Min(n, GROUP_KEYS_MAX); length++)
	{
		add_keys(&locks, work[length]);
		if (length > 0 && locks.n > GROUP_KEYS_MAX)
			break;
	}
	pfree(locks.keys);
	return length;
}

/* Try to lock what the hits need; gives the number of the first one that misses a lock, else n. */
static int
try_keys(Work **work, int n, GroupLocks *locks)
{
	for (int i = 0; i < n; i++)
	{
		GroupLocks	own = {.size = 32};

		own.keys = palloc_array(LockKey, own.size);
		add_keys(&own, work[i]);
		for (int k = 0; k < own.n; k++)
		{
			if (!group_locks_try(locks, own.keys[k].kind, own.keys[k].idsite, own.keys[k].key))
				return i;
		}
	}
	return n;
}

/*
 * Record the hits of a group, in the current subtransaction.  Gives n if all are
 * recorded, with the locks given back; else the number of one that misses a
 * lock: the subtransaction is to be rolled back.
 */
static int
try_group(Work **work, int n)
{
	GroupLocks	locks = {.brief = true,.size = 4 * GROUP_KEYS_MAX};
	int			missed;

	locks.keys = palloc_array(LockKey, locks.size);
	missed = try_keys(work, n, &locks);
	if (missed < n)
		return missed;
	if (!group_record_in_order(work, n, &locks))
	{
		for (missed = 0; missed < n - 1 && work[missed]->done;)
			missed++;
		return missed;
	}
	group_locks_give_back(&locks);
	return n;
}

/* The same in a subtransaction of its own. */
static int
attempt(Work **work, int n)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile int missed = 0;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		missed = try_group(work, n);
	}
	PG_CATCH();
	{
		group_attempt_failed(context, owner);
	}
	PG_END_TRY();
	if (missed == n)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return missed;
}

/* Record a group, or refuse hits of it until the others are recorded. */
static void
record_group(Work **work, int n, int *naps)
{
	TimestampTz began = GetCurrentTimestamp();
	Work	  **left = palloc_array(Work *, n);
	int			n_left = n;

	memcpy(left, work, n * sizeof(Work *));
	while (n_left > 0)
	{
		int			missed = attempt(left, n_left);

		if (missed == n_left)
			return;
		group_reset_results(left, n_left);
		if (*naps < NAPS_MAX)
		{
			(*naps)++;
			lock_nap(began);
			continue;
		}
		work_finish(left[missed], OUTCOME_INVALID, reason_busy);
		n_left--;
		memmove(&left[missed], &left[missed + 1], (n_left - missed) * sizeof(Work *));
	}
}

/*
 * strangers_refuse_orders
 *		Refuse the orders and carts of a document that are too many; gives the
 *		number of hits that are left, in their order.
 */
int
strangers_refuse_orders(Work **work, int n)
{
	int			orders = 0;
	int			items = 0;
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		const ConversionRequest *request = &work[i]->request;

		if (request->kind == CONVERT_ORDER || request->kind == CONVERT_CART)
		{
			orders++;
			items += request->n_items;
			if (orders > ORDERS_MAX || items > ORDER_ITEMS_MAX)
			{
				work_finish(work[i], OUTCOME_INVALID, reason_bulk_requests_limit);
				continue;
			}
		}
		work[left++] = work[i];
	}
	return left;
}

/*
 * stranger_groups_record
 *		Record n hits of a document in their order.  The transaction may hold locks
 *		of earlier calls, none of this one.
 */
void
stranger_groups_record(Work **work, int n)
{
	MemoryContext context = wiped_context_create(CurrentMemoryContext, "pk_tracking strangers");
	int			naps = 0;

	wait_first(work, n);
	for (int i = 0; i < n;)
	{
		MemoryContext old = MemoryContextSwitchTo(context);
		int			length = group_length(work + i, n - i);

		record_group(work + i, length, &naps);
		MemoryContextSwitchTo(old);
		wiped_context_reset(context);
		i += length;
	}
	MemoryContextDelete(context);
}
