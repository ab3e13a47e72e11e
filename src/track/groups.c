/*
 * groups.c
 *		A group: the hits of one engine call, which are locked together.
 *
 * The group holds the locks of all its hits, so it takes them in the order in
 * which a hit that is recorded alone takes its few: gates, visitor ids,
 * fingerprints, visits, order ids, each by site and key.  A day's salt that has
 * to be made is locked between the ids and the fingerprints, as for a single
 * hit, by site and day.  The group does not know beforehand which visits its
 * hits will continue, nor under which earlier id a known visitor may turn out
 * to be looked for: those locks are only tried.  If one cannot be had, the
 * attempt is rolled back (it runs in a subtransaction, so its locks go too) and
 * the group begins again with that lock in its place among the others.
 *
 * So no engine call waits for a lock that comes before one it has taken, and no
 * two of them can deadlock.
 *
 * More than GROUP_KEYS_MAX ids and fingerprints would strain the server's table
 * of locks.  A document that came without a token is then made several groups
 * (stranger_groups.c), and never locks a site.  Any other group locks its sites,
 * and from EXCLUSIVE_ABOVE hits on it tries that once, without waiting, because
 * then it pays to keep visits in memory.
 *
 * A group that locks its sites exclusively holds their gates, which others
 * share, in exclusive mode, and needs no other lock.  It does not queue for the
 * gates, or all hits of the site would queue behind it: it tries all of them,
 * and if one cannot be had it gives back the others and sleeps, holding nothing.
 * So it blocks nobody, except with locks that an earlier call of its transaction
 * took: after such a call it does not wait but raises an error, because nothing
 * would detect two transactions that poll for each other's locks.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "identity/session_link_batch.h"
#include "track/batch.h"
#include "track/fingerprints.h"
#include "track/group_write.h"
#include "track/groups.h"
#include "track/locks.h"
#include "track/session.h"
#include "track/stranger_groups.h"

#define EXCLUSIVE_ABOVE 48		/* hits */
#define ATTEMPTS_MAX 20

typedef enum Attempt
{
	ATTEMPT_DONE,
	ATTEMPT_MISSED_LOCK,
	ATTEMPT_TOO_MANY_KEYS
} Attempt;

/* The last transaction of this session that has recorded a hit. */
static LocalTransactionId tracked_in = InvalidLocalTransactionId;

/* Forget what an attempt that was rolled back has found out. */
static void
reset(Work **work, int n, GroupLocks *locks)
{
	group_reset_results(work, n);
	/* the salt of fingerprints may have gone with the attempt */
	group_locks_remove(locks, LOCK_FINGERPRINT);
	for (int i = 0; i < n; i++)
	{
		work[i]->fingerprint_known = work[i]->anonymous;
		memset(&work[i]->id.config, 0, sizeof(work[i]->id.config));
		/* and so may the hour's key */
		work[i]->session.keys_made = false;
	}
	locks->missed = locks->hour_turned = false;
}

/* Take the group's locks in their order, then record its hits. */
static Attempt
lock_and_record(Work **work, int n, GroupLocks *locks)
{
	Work	  **by_day = group_by_day(work, n);

	/* making an hour's key may wait, so it comes before any lock */
	for (int i = 0; i < n; i++)
	{
		Held		held;

		held_init(&held, work[i]->hit->idsite, locks);
		session_make_keys(work[i]);
		held_add_session_keys(&held, work[i]);
		group_locks_add_ids(locks, &held);
	}
	if (group_locks_count(locks, LOCK_VISITOR_ID) > GROUP_KEYS_MAX)
		return ATTEMPT_TOO_MANY_KEYS;

	group_locks_take(locks, LOCK_GATE);
	group_locks_take(locks, LOCK_VISITOR_ID);

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		work_fingerprint(by_day[i], true);
		if (by_day[i]->id.config.given)
			group_locks_add(locks, LOCK_FINGERPRINT, by_day[i]->hit->idsite,
							by_day[i]->id.config.id);
	}
	if (group_locks_count(locks, LOCK_VISITOR_ID) +
		group_locks_count(locks, LOCK_FINGERPRINT) > GROUP_KEYS_MAX)
		return ATTEMPT_TOO_MANY_KEYS;

	group_locks_take(locks, LOCK_FINGERPRINT);
	group_locks_take(locks, LOCK_VISIT);
	group_locks_take(locks, LOCK_ORDER);
	if (group_record_in_order(work, n, locks))
		return ATTEMPT_DONE;
	return locks->too_many ? ATTEMPT_TOO_MANY_KEYS : ATTEMPT_MISSED_LOCK;
}

/* The same in a subtransaction, which is rolled back unless all is done. */
static Attempt
attempt(Work **work, int n, GroupLocks *locks)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	volatile Attempt result = ATTEMPT_MISSED_LOCK;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		result = lock_and_record(work, n, locks);
	}
	PG_CATCH();
	{
		group_attempt_failed(context, owner);
	}
	PG_END_TRY();
	if (result == ATTEMPT_DONE)
		ReleaseCurrentSubTransaction();
	else
		RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return result;
}

/*
 * Try to lock the gates of these sites exclusively, without waiting.  With
 * needs_session_key the hour's key must exist, too: a session that makes it may
 * be waiting for one of the gates.
 */
static bool
try_gates(const LockKey *gates, int n, bool needs_session_key)
{
	int			have = 0;

	while (have < n && lock_try_gate_exclusive(gates[have].idsite))
		have++;
	if (have == n && (!needs_session_key || session_link_ready(GetCurrentTimestamp())))
		return true;
	while (have > 0)
		lock_give_back_gate_exclusive(gates[--have].idsite);
	return false;
}

/* Try until it succeeds. */
static void
lock_gates(const LockKey *gates, int n, bool needs_session_key)
{
	TimestampTz began = GetCurrentTimestamp();

	for (;;)
	{
		if (try_gates(gates, n, needs_session_key))
			return;

		if (tracked_in == pkt_my_lxid())
			ereport(ERROR,
					(errcode(ERRCODE_LOCK_NOT_AVAILABLE),
					 errmsg("cannot track this many visitors in a transaction that has already tracked hits"),
					 errhint("Track a large bulk document in a transaction of its own.")));
		lock_nap(began);
	}
}

static bool
any_anonymous(Work **work, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (work[i]->anonymous)
			return true;
	}
	return false;
}

/* Record the hits of a group that holds the gates of its sites exclusively. */
static void
record_exclusively(Work **work, int n, GroupLocks *locks)
{
	TimestampTz now = GetCurrentTimestamp();

	/* keeps the links of sessions in memory, too, so that they need no keys */
	if (batch_is_unread())
		(void) batch_keep_visits();
	for (int i = 0; i < n; i++)
	{
		work[i]->session.now = now;
		batch_share(work[i]);
		if (work[i]->links == NULL)
			session_make_keys(work[i]);
	}
	for (int i = 0; work[0]->links != NULL && i < locks->n && locks->keys[i].kind == LOCK_GATE; i++)
		session_link_batch_own(work[0]->links, locks->keys[i].idsite, now);
	locks->exclusive = true;
	(void) group_record_in_order(work, n, locks);
}

/* Record the hits of a group with locks of their own; false if there are too many. */
static bool
record_with_keys(Work **work, int n, GroupLocks *locks)
{
	int			n_gates = locks->n;

	for (int i = 0; i < n && locks->n - n_gates <= GROUP_KEYS_MAX; i++)
	{
		Lookup		lookups[MAX_LOOKUPS];
		int			n_lookups;
		Held		held;

		if (work[i]->anonymous)
			continue;
		held_init(&held, work[i]->hit->idsite, locks);
		n_lookups = recognise_lookups(work[i]->hit, &work[i]->id, &work[i]->site->s, lookups);
		held_add_visitor_ids(&held, work[i], lookups, n_lookups);
		group_locks_add_ids(locks, &held);
	}
	if (locks->n - n_gates > GROUP_KEYS_MAX)
		return false;

	for (int tries = 1;; tries++)
	{
		Attempt		result = attempt(work, n, locks);

		if (result != ATTEMPT_MISSED_LOCK)
			return result == ATTEMPT_DONE;
		if (tries == ATTEMPTS_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not track the hits because their visits kept changing"),
					 errhint("Track them again.")));
		if (!locks->hour_turned)
			group_locks_add(locks, locks->missing.kind, locks->missing.idsite, locks->missing.key);
		reset(work, n, locks);
	}
}

/* Lock the group and record its hits. */
static void
lock_group(Work **work, int n)
{
	GroupLocks	locks = {.size = GROUP_KEYS_MAX};
	bool		needs_session_key = any_anonymous(work, n);
	bool		strangers = came_from_strangers(work, n);
	int			n_gates;

	/* what the tags of locks are made from changes only while nobody has this */
	log_lock();
	if (strangers)
	{
		n = strangers_refuse_orders(work, n);
		if (n == 0)
			return;
		locks.max = STRANGERS_LOCKS_MAX;
	}
	locks.keys = palloc_array(LockKey, locks.size);
	for (int i = 0; i < n; i++)
		group_locks_add(&locks, LOCK_GATE, work[i]->hit->idsite, 0);
	n_gates = locks.n;

	if (batch_keeps_visits())
		lock_gates(locks.keys, n_gates, needs_session_key);
	else if (n <= EXCLUSIVE_ABOVE || strangers ||
			 !try_gates(locks.keys, n_gates, needs_session_key))
	{
		if (record_with_keys(work, n, &locks))
			return;
		reset(work, n, &locks);
		if (strangers)
		{
			stranger_groups_record(work, n);
			return;
		}
		lock_gates(locks.keys, n_gates, needs_session_key);
	}
	record_exclusively(work, n, &locks);
}

/*
 * group_record
 *		Record n hits, n > 0, in their order.
 */
void
group_record(Work **work, int n)
{
	if (n == 1 && !batch_keeps_visits())
		(void) group_record_in_order(work, 1, NULL);
	else
		lock_group(work, n);
	tracked_in = pkt_my_lxid();
}
