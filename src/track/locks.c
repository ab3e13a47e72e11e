/*
 * locks.c
 *		The locks of a hit, and those of a group.
 *
 * A hit that is recorded alone waits for its locks.  The locks of a group are
 * taken before its first hit; a lock that a hit turns out to need in addition is
 * only tried, since waiting for it would break the order.
 */
#include "postgres.h"

#include "base/compat.h"
#include "track/locks.h"

/*
 * held_init
 *		No lock yet.  group: NULL for a hit that is recorded alone.
 */
void
held_init(Held *held, int32 idsite, GroupLocks *group)
{
	memset(held, 0, sizeof(Held));
	held->idsite = idsite;
	held->group = group;
}

/* Note an id that is to be locked, or has been. */
static void
add_id(Held *held, HexId id)
{
	int			i;

	for (i = 0; i < held->n_ids; i++)
	{
		if (held->ids[i] == id)
			return;
	}
	/* the visitor was given another id again and again while we waited */
	if (held->n_ids == MAX_ID_KEYS)
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not track the hit because the visitor's ID kept changing"),
				 errhint("Track it again.")));
	for (i = held->n_ids++; i > 0 && held->ids[i - 1] > id; i--)
		held->ids[i] = held->ids[i - 1];
	held->ids[i] = id;
}

/*
 * held_add_visitor_ids
 *		Note the ids that the look-ups look for, and the one that the hit will
 *		write, as ids to be locked.
 */
void
held_add_visitor_ids(Held *held, const Work *w, const Lookup *lookups, int n_lookups)
{
	OptionalId	vid = identity_visitor_id(&w->id);

	for (int i = 0; i < n_lookups; i++)
	{
		if (!lookups[i].by_config)
			add_id(held, lookups[i].key);
	}
	if (vid.given)
		add_id(held, vid.id);
}

/*
 * held_add_session_keys
 *		Note the keys of the hit's anonymous session as ids to be locked.
 */
void
held_add_session_keys(Held *held, const Work *w)
{
	const Session *session = &w->session;

	for (int i = 0; session->given && i < (int) lengthof(session->keys.given); i++)
	{
		if (session->keys.given[i])
			add_id(held, session->keys.lock_keys[i]);
	}
}

/* held_has_id: is the id among those that are locked? */
bool
held_has_id(const Held *held, HexId id)
{
	for (int i = 0; i < held->n_ids; i++)
	{
		if (held->ids[i] == id)
			return true;
	}
	return false;
}

static int
compare_keys(const LockKey *a, const LockKey *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->idsite != b->idsite)
		return a->idsite < b->idsite ? -1 : 1;
	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return 0;
}

/*
 * group_locks_add
 *		Note a lock in its place in the order.
 */
void
group_locks_add(GroupLocks *locks, LockKind kind, int32 idsite, uint64 key)
{
	LockKey		k = {kind, idsite, key};
	int			low = 0;
	int			high = locks->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (compare_keys(&locks->keys[middle], &k) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < locks->n && compare_keys(&locks->keys[low], &k) == 0)
		return;
	if (locks->n == locks->size)
	{
		locks->size *= 2;
		locks->keys = repalloc_array(locks->keys, LockKey, locks->size);
	}
	memmove(&locks->keys[low + 1], &locks->keys[low], (locks->n - low) * sizeof(LockKey));
	locks->keys[low] = k;
	locks->n++;
}

/* group_locks_add_ids: note the ids of a hit. */
void
group_locks_add_ids(GroupLocks *locks, const Held *held)
{
	for (int i = 0; i < held->n_ids; i++)
		group_locks_add(locks, LOCK_VISITOR_ID, held->idsite, held->ids[i]);
}

/* group_locks_remove: forget the locks of one kind. */
void
group_locks_remove(GroupLocks *locks, LockKind kind)
{
	int			kept = 0;

	for (int i = 0; i < locks->n; i++)
	{
		if (locks->keys[i].kind != kind)
			locks->keys[kept++] = locks->keys[i];
	}
	locks->n = kept;
}

/* group_locks_take: take all locks of one kind, in their order. */
void
group_locks_take(const GroupLocks *locks, LockKind kind)
{
	for (int i = 0; i < locks->n; i++)
	{
		if (locks->keys[i].kind == kind)
			lock_take(kind, locks->keys[i].idsite, locks->keys[i].key);
	}
}

/*
 * group_locks_give_back
 *		Give back the locks of a brief group, which has taken each once, but those
 *		of order ids.
 */
void
group_locks_give_back(const GroupLocks *locks)
{
	for (int i = locks->n - 1; i >= 0; i--)
	{
		if (locks->keys[i].kind != LOCK_ORDER)
			lock_give_back(locks->keys[i].kind, locks->keys[i].idsite, locks->keys[i].key);
	}
}

/* group_locks_count: how many locks of one kind are noted. */
int
group_locks_count(const GroupLocks *locks, LockKind kind)
{
	int			n = 0;

	for (int i = 0; i < locks->n; i++)
		n += locks->keys[i].kind == kind;
	return n;
}

/*
 * group_locks_try
 *		Take a lock that a hit of a group turns out to need, without waiting,
 *		because it is out of the order.  False if it cannot be had: the group
 *		begins again.
 */
bool
group_locks_try(GroupLocks *locks, LockKind kind, int32 idsite, uint64 key)
{
	int			n = locks->n;

	if (locks->exclusive)
		return true;
	if (locks->max > 0 && locks->n >= locks->max)
	{
		locks->missed = locks->too_many = true;
		return false;
	}
	if (lock_try(kind, idsite, key))
	{
		group_locks_add(locks, kind, idsite, key);
		/* a brief group gives each lock back once */
		if (locks->brief && locks->n == n)
			lock_give_back(kind, idsite, key);
		return true;
	}
	locks->missed = true;
	locks->missing.kind = kind;
	locks->missing.idsite = idsite;
	locks->missing.key = key;
	return false;
}

/*
 * held_lock_ids
 *		Lock the ids that are noted.  A group has locked them already.
 */
void
held_lock_ids(Held *held)
{
	if (held->group != NULL)
		return;
	for (int i = 0; i < held->n_ids; i++)
		lock_take(LOCK_VISITOR_ID, held->idsite, held->ids[i]);
}

static void
give_back_visit(Held *held)
{
	if (held->has_visit && held->group == NULL)
		lock_give_back(LOCK_VISIT, held->idsite, (uint64) held->idvisit);
	held->has_visit = false;
}

/*
 * held_give_back
 *		Give back all locks of a hit that is recorded alone but those of its gate
 *		and its order id.  The ids stay noted.
 */
void
held_give_back(Held *held)
{
	Assert(held->group == NULL);
	give_back_visit(held);
	if (held->has_fingerprint)
		lock_give_back(LOCK_FINGERPRINT, held->idsite, held->fingerprint);
	held->has_fingerprint = false;
	for (int i = held->n_ids - 1; i >= 0; i--)
		lock_give_back(LOCK_VISITOR_ID, held->idsite, held->ids[i]);
}

/*
 * held_lock_another_id
 *		Lock one more id.  If that means waiting, locks that come later in the
 *		order are given back first.  False if the hit's group misses the lock.
 */
bool
held_lock_another_id(Held *held, HexId id)
{
	if (held->group != NULL)
	{
		if (!group_locks_try(held->group, LOCK_VISITOR_ID, held->idsite, id))
			return false;
		add_id(held, id);
		return true;
	}
	give_back_visit(held);
	if (lock_try(LOCK_VISITOR_ID, held->idsite, id))
	{
		add_id(held, id);
		return true;
	}
	held_give_back(held);
	add_id(held, id);
	held_lock_ids(held);
	return true;
}

/*
 * held_lock_fingerprint
 *		Lock the hit's fingerprint, giving back the visit first, which comes
 *		later in the order.  False if it was locked already.
 */
bool
held_lock_fingerprint(Held *held, HexId fingerprint)
{
	if (held->has_fingerprint || held->group != NULL)
		return false;
	give_back_visit(held);
	lock_take(LOCK_FINGERPRINT, held->idsite, fingerprint);
	held->has_fingerprint = true;
	held->fingerprint = fingerprint;
	return true;
}

/*
 * held_lock_visit
 *		Lock the visit that the hit will continue.  False if we had to wait, so
 *		that the row that was read is outdated, or if the hit's group misses the
 *		lock.
 */
bool
held_lock_visit(Held *held, int64 idvisit)
{
	bool		at_once;

	if (held->has_visit && held->idvisit == idvisit)
		return true;
	give_back_visit(held);
	if (held->group != NULL)
		at_once = group_locks_try(held->group, LOCK_VISIT, held->idsite, (uint64) idvisit);
	else
		at_once = lock_try(LOCK_VISIT, held->idsite, (uint64) idvisit);
	if (!at_once && held->group == NULL)
		lock_take(LOCK_VISIT, held->idsite, (uint64) idvisit);
	held->has_visit = at_once || held->group == NULL;
	held->idvisit = idvisit;
	return at_once;
}

/*
 * held_lock_order
 *		Lock the hit's order id, the last lock in the order.  False if the hit's
 *		group misses it.
 */
bool
held_lock_order(Held *held, const char *idorder)
{
	if (held->order)
		return true;
	if (held->group == NULL)
		lock_take(LOCK_ORDER, held->idsite, lock_order_key(idorder));
	else if (!group_locks_try(held->group, LOCK_ORDER, held->idsite, lock_order_key(idorder)))
		return false;
	held->order = true;
	return true;
}

/* held_give_back_order: give back the lock of the hit's order id. */
void
held_give_back_order(Held *held, const char *idorder)
{
	if (held->order && held->group == NULL)
		lock_give_back(LOCK_ORDER, held->idsite, lock_order_key(idorder));
	held->order = false;
}
