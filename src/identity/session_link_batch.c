/*
 * session_link_batch.c
 *		Session links in the memory of a batch; see session_link_batch.h.
 */
#include "postgres.h"

#include "port/pg_bswap.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/wipe.h"
#include "identity/session_link_batch.h"
#include "identity/session_link_keys.h"

typedef struct SessionKey
{
	HexId		data;
	int32		idsite;
	int32		kind;
} SessionKey;

/* A session, and all its links. */
typedef struct SessionEntry
{
	SessionKey	key;
	char		status;

	/*
	 * [0]: links under this hour's key; [1]: under the previous hour's; by
	 * time
	 */
	int32		n[2];
	int32		size[2];
	SessionLink *kept[2];
} SessionEntry;

static inline uint32
hash_session(SessionKey key)
{
	uint64		h = key.data ^ ((uint64) (uint32) key.idsite << 8 | (uint64) key.kind) *
		UINT64CONST(0x9E3779B97F4A7C15);

	h ^= h >> 33;
	h *= UINT64CONST(0xff51afd7ed558ccd);
	return (uint32) (h >> 32);
}

#define SH_PREFIX sessions
#define SH_ELEMENT_TYPE SessionEntry
#define SH_KEY_TYPE SessionKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) hash_session(k)
#define SH_EQUAL(tb, a, b) \
	((a).data == (b).data && (a).idsite == (b).idsite && (a).kind == (b).kind)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A site that the batch has locked. */
typedef struct OwnSite
{
	int32		idsite;
	bool		empty;			/* it had no links when the batch locked it */
} OwnSite;

struct SessionLinkBatch
{
	Size		max;
	MemoryContext context;		/* of the sessions and their links */
	sessions_hash *sessions;
	bool		begun;
	int64		period;			/* the hour of the links */
	bool		has_previous;	/* the previous hour's key lives */
	int			n_sites;
	int			size_sites;
	OwnSite    *sites;

	/* links of this hour that the last look-up found */
	int			nlinked;
	int64		linked[SESSION_LINK_REMEMBERED];
};

SessionLinkBatch *
session_link_batch_create(Size max)
{
	SessionLinkBatch *batch = palloc0_object(SessionLinkBatch);

	batch->max = max;
	batch->context = wiped_context_create(CurrentMemoryContext, "pk_tracking session links");
	batch->size_sites = 8;
	batch->sites = palloc_array(OwnSite, batch->size_sites);
	return batch;
}

/* Forget all sessions. */
static void
forget_sessions(SessionLinkBatch *batch)
{
	MemoryContext old;

	wiped_context_reset(batch->context);
	old = MemoryContextSwitchTo(batch->context);
	batch->sessions = sessions_create(batch->context, 256, NULL);
	MemoryContextSwitchTo(old);
}

void
session_link_batch_own(SessionLinkBatch *batch, int32 idsite, TimestampTz now)
{
	int64		period = period_of(now);
	bool		has_previous = now < period_expires(period - 1);
	OwnSite    *site;

	if (!batch->begun || batch->period != period || batch->has_previous != has_previous)
	{
		/* a new hour: other keys, other HMACs */
		batch->begun = true;
		batch->period = period;
		batch->has_previous = has_previous;
		batch->n_sites = 0;
		forget_sessions(batch);
	}
	for (int i = 0; i < batch->n_sites; i++)
	{
		if (batch->sites[i].idsite == idsite)
			return;
	}
	if (batch->n_sites == batch->size_sites)
	{
		batch->size_sites *= 2;
		batch->sites = repalloc_array(batch->sites, OwnSite, batch->size_sites);
	}
	site = &batch->sites[batch->n_sites++];
	site->idsite = idsite;
	site->empty = !session_link_hour_has_links(period) &&
		!(has_previous && session_link_hour_has_links(period - 1));
}

/* Insert a link after those that are not later. */
static void
keep_link(SessionLinkBatch *batch, SessionEntry *e, int which, TimestampTz linked, int64 idvisit)
{
	SessionLink *kept;
	int			i;

	if (e->n[which] == e->size[which])
	{
		int			size = Max(e->size[which] * 2, 2);

		kept = MemoryContextAlloc(batch->context, size * sizeof(SessionLink));
		if (e->n[which] > 0)
		{
			memcpy(kept, e->kept[which], e->n[which] * sizeof(SessionLink));
			pfree(e->kept[which]);
		}
		e->kept[which] = kept;
		e->size[which] = size;
	}
	kept = e->kept[which];
	for (i = e->n[which]++; i > 0 && kept[i - 1].linked > linked; i--)
		kept[i] = kept[i - 1];
	kept[i].linked = linked;
	kept[i].idvisit = idvisit;
}

static void
keys_of(const SessionEntry *e, TimestampTz now, bool make, SessionLinkKeys *keys)
{
	uint64		bytes = pg_hton64(e->key.data);

	session_link_keys((SessionLinkKind) e->key.kind, e->key.idsite,
					  (const uint8 *) &bytes, sizeof(bytes), now, make, keys);
}

/* Read a session's links from the tables. */
static void
read_session(SessionLinkBatch *batch, SessionEntry *e, TimestampTz now, bool make)
{
	SessionLinkKeys keys;

	keys_of(e, now, make, &keys);
	for (int i = 0; i < 2; i++)
	{
		if (!keys.given[i])
			continue;
		e->kept[i] = session_link_read_all(batch->period - i, e->key.idsite, keys.link[i],
										   batch->context, &e->n[i]);
		e->size[i] = e->n[i];
	}
}

/* The session's entry, valid until the next call. */
static SessionEntry *
find_session(SessionLinkBatch *batch, SessionLinkKind kind, int32 idsite, HexId data,
			 TimestampTz now, bool make)
{
	SessionKey	key = {data, idsite, (int32) kind};
	SessionEntry *e;
	bool		found;
	bool		empty = false;

	if (MemoryContextMemAllocated(batch->context, false) > batch->max)
	{
		/* links that were added since are in the tables */
		forget_sessions(batch);
		for (int i = 0; i < batch->n_sites; i++)
			batch->sites[i].empty = false;
	}
	e = sessions_insert(batch->sessions, key, &found);
	if (found)
		return e;
	for (int i = 0; i < 2; i++)
	{
		e->n[i] = e->size[i] = 0;
		e->kept[i] = NULL;
	}
	for (int i = 0; i < batch->n_sites; i++)
	{
		if (batch->sites[i].idsite == idsite)
			empty = batch->sites[i].empty;
	}
	if (!empty)
		read_session(batch, e, now, make);
	return e;
}

int
session_link_batch_find(SessionLinkBatch *batch, SessionLinkKind kind, int32 idsite, HexId data,
						TimestampTz at, TimestampTz now, bool make, int64 *idvisits, int max)
{
	SessionEntry *e = find_session(batch, kind, idsite, data, now, make);
	FoundLink  *found;
	int			nfound = 0;
	int			n;

	batch->nlinked = 0;
	if (e->n[0] + e->n[1] == 0)
		return 0;
	found = palloc(4 * max * sizeof(FoundLink));
	for (int which = 0; which < 2; which++)
	{
		const SessionLink *kept = e->kept[which];
		int			after = e->n[which];

		while (after > 0 && kept[after - 1].linked > at)
			after--;
		for (int i = after - 1; i >= 0 && i >= after - max; i--)
		{
			found[nfound].idvisit = kept[i].idvisit;
			found[nfound].distance = (uint64) at - (uint64) kept[i].linked;
			found[nfound++].current = which == 0;
		}
		for (int i = after; i < e->n[which] && i < after + max; i++)
		{
			found[nfound].idvisit = kept[i].idvisit;
			found[nfound].distance = (uint64) kept[i].linked - (uint64) at;
			found[nfound++].current = which == 0;
		}
	}
	n = session_link_nearest(found, nfound, idvisits, max, batch->linked, &batch->nlinked);
	pfree(found);
	return n;
}

void
session_link_batch_add(SessionLinkBatch *batch, SessionLinkKind kind, int32 idsite, HexId data,
					   int64 idvisit, TimestampTz at, TimestampTz now)
{
	SessionEntry *e;
	SessionLinkKeys keys;

	for (int i = 0; i < batch->nlinked; i++)
	{
		if (batch->linked[i] == idvisit)
			return;
	}
	e = find_session(batch, kind, idsite, data, now, true);
	keys_of(e, now, true, &keys);
	session_link_add(idsite, &keys, idvisit, at);
	keep_link(batch, e, 0, at, idvisit);
}
