/*
 * locks.h
 *		The locks of a hit, and those of a group: hits that are locked together.
 *
 * Every call takes its locks in the order of LockKind: site's gate, visitor
 * ids, fingerprint, visit, order id (doc/internals.md, "Locks").  log/lock.h
 * takes and releases a single lock.
 */
#ifndef PKT_LOCKS_H
#define PKT_LOCKS_H

#include "log/lock.h"
#include "track/work.h"

/*
 * Ids and fingerprints that a group locks one by one.  With more it locks whole
 * sites, or, if it came from strangers, is made several groups.
 */
#define GROUP_KEYS_MAX 64

/* A lock.  Keys are ordered by kind, then site, then key. */
typedef struct LockKey
{
	LockKind	kind;
	int32		idsite;
	uint64		key;
} LockKey;

/* The locks of a group (groups.c). */
typedef struct GroupLocks
{
	bool		exclusive;		/* holds its sites' gates exclusively: needs
								 * no other lock */
	bool		brief;			/* one of several groups of a document: its
								 * locks are only tried, and given back
								 * (stranger_groups.c) */
	int			n;
	int			size;
	LockKey    *keys;			/* in order */
	int			max;			/* with as many, no other lock is tried; 0: no
								 * limit */
	bool		too_many;		/* that has happened */
	bool		missed;			/* a lock could not be taken without waiting: */
	LockKey		missing;		/* this one, unless the hour has turned */
	bool		hour_turned;	/* the keys of sessions, and their locks, are
								 * outdated */
} GroupLocks;

#define MAX_ID_KEYS 16

/* The locks of one hit, apart from its site's gate. */
typedef struct Held
{
	GroupLocks *group;			/* of the hit's group; NULL: the hit is
								 * recorded alone */
	int32		idsite;
	int			n_ids;
	HexId		ids[MAX_ID_KEYS];	/* sorted; sessions' keys are among them */
	bool		has_fingerprint;
	HexId		fingerprint;
	bool		has_visit;
	int64		idvisit;
	bool		order;			/* the hit's order id */
} Held;

extern void held_init(Held *held, int32 idsite, GroupLocks *group);
extern void held_add_visitor_ids(Held *held, const Work *w, const Lookup *lookups, int n_lookups);
extern void held_add_session_keys(Held *held, const Work *w);
extern bool held_has_id(const Held *held, HexId id);
extern void held_lock_ids(Held *held);
extern bool held_lock_another_id(Held *held, HexId id);
extern bool held_lock_fingerprint(Held *held, HexId fingerprint);
extern bool held_lock_visit(Held *held, int64 idvisit);
extern bool held_lock_order(Held *held, const char *idorder);
extern void held_give_back_order(Held *held, const char *idorder);
extern void held_give_back(Held *held);

extern void group_locks_add(GroupLocks *locks, LockKind kind, int32 idsite, uint64 key);
extern void group_locks_add_ids(GroupLocks *locks, const Held *held);
extern void group_locks_remove(GroupLocks *locks, LockKind kind);
extern void group_locks_take(const GroupLocks *locks, LockKind kind);
extern bool group_locks_try(GroupLocks *locks, LockKind kind, int32 idsite, uint64 key);
extern void group_locks_give_back(const GroupLocks *locks);
extern int	group_locks_count(const GroupLocks *locks, LockKind kind);

#endif							/* PKT_LOCKS_H */
