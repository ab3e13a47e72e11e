/*
 * session_link.c
 *		Joins the hits of an anonymous session: keys, links, and their
 *		destruction.  See doc/internals.md, "Session links".
 *
 * A link is the first 16 bytes of
 *
 *	HMAC-SHA-256(key, field(kind) field(idsite) field(data))
 *
 * where field(x) is the length of x in 4 bytes, big-endian, then x; kind is the
 * byte 'c' or 'f', idsite has 4 bytes, big-endian, and data are the bytes of
 * the cookie or of the fingerprint.  sql/session_link.sql computes it with
 * pgcrypto's hmac().  Only links are stored; data stays in memory.
 *
 * The key is 32 random bytes, a new one for each hour of the wall clock (UTC).
 * It is made when a session first needs it in its hour, or in the last minutes
 * of the hour before, and expires half an hour after its hour's end.  A
 * session's link is written under the hour's key, and again by each hit that
 * does not find it there: so it outlives the session's last hit by 30 to 90
 * minutes.
 *
 * Keys and links are stored in unlogged tables, which are in no WAL, backup or
 * replica, and which a crash empties together.  Two tables of each, used in
 * turn, are enough: hour H takes the tables of hour H - 2, whose key expired in
 * the middle of hour H - 1.  Links whose key has expired are dead: a new key is
 * random and gives other HMACs.  So after a key is lost no wrong match is
 * possible, even if the links made with it remain.
 *
 * Everything is read and written here without a query: no HMAC is ever a
 * parameter, which the server might log (auto_explain, for one), and a look-up
 * does not depend on a plan made while the table was empty.  Key bytes come from
 * pg_strong_random(), as those of pgcrypto's gen_random_bytes() do.
 *
 * Reads use SnapshotSelf: rows committed at that moment, and our own, in any
 * isolation level, without predicate locks.  That is enough since rows are never
 * updated, and since a session that must see a row holds the lock under which
 * the row was written.
 *
 * A session that has read a key holds its table's lock to the end of the
 * transaction, or until the subtransaction is aborted, which wipes the cached
 * key: so no table can be emptied and used again while its key is in use.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/index.h"
#include "base/spi.h"
#include "identity/secret_table.h"
#include "identity/session_link.h"
#include "identity/session_link_keys.h"

/* Our own class of advisory locks: for making an hour's key. */
#define LINK_LOCK_CLASS 0x706d

#define PREPARE_AHEAD (5 * USECS_PER_MINUTE)

/*
 * A key that expires later than this from now was made by a wrong clock.  A key
 * of the next hour is accepted: a clock may be set back a little.
 */
#define KEY_HORIZON (2 * PERIOD + AFTERLIFE)

/*
 * At the hour, other sessions wait until the transaction that made the key has
 * committed: a transaction that has been running for longer does not make it.
 */
#define SHORT_TRANSACTION (30 * USECS_PER_SEC)

#define SLOTS SESSION_LINK_TABLES
#define KEY_LEN 32
#define LINK_TABLE_NAME_LEN 16

/* Columns of pk_tracking.link_key_N */
#define NATTS_KEY 4
#define ANUM_KEY_PERIOD 1
#define ANUM_KEY_VALUE 2
#define ANUM_KEY_CREATED 3
#define ANUM_KEY_EXPIRES 4

/* Columns of pk_tracking.session_link_N; the first two are those of its index */
#define NATTS_LINK 4
#define ANUM_LINK_LINK 1
#define ANUM_LINK_LINKED 2
#define ANUM_LINK_IDVISIT 3
#define ANUM_LINK_IDSITE 4

const IndexKeys session_link_indexes[SESSION_LINK_TABLES] = {
	{"session_link_0", 2, {"link", "linked"}},
	{"session_link_1", 2, {"link", "linked"}},
};

/* Keys that were read or made in this transaction. */
typedef struct LinkKey
{
	bool		known;
	int64		period;
	uint8		bytes[KEY_LEN];
} LinkKey;

static LinkKey keys_cache[SLOTS];

/* The newest hour whose key this backend has seen prepared. */
static int64 prepared_period = PG_INT64_MIN;

/* When this backend last looked for expired keys, and when it will again. */
static TimestampTz last_destruction = 0;
static TimestampTz next_destruction = 0;

PG_FUNCTION_INFO_V1(pkt_destroy_expired_links);
PG_FUNCTION_INFO_V1(pkt_session_link);

/* ----- the cache ----- */

/* Wipe every key that this backend holds in memory.  Never raises. */
static void
wipe_cache(void)
{
	explicit_bzero(keys_cache, sizeof(keys_cache));
}

/* Forget what an aborted transaction or subtransaction did. */
static void
forget_work(bool destroyed)
{
	prepared_period = PG_INT64_MIN;
	if (destroyed)
		next_destruction = 0;
}

static SecretModule module = {.wipe = wipe_cache,.forget = forget_work};

void
session_link_init(void)
{
	secret_module_register(&module);
}

/* ----- hours ----- */

static inline int
slot_of(int64 period)
{
	return (int) (((period % SLOTS) + SLOTS) % SLOTS);
}

/* ----- tables ----- */

static void
key_table_name(int slot, char *buf)
{
	snprintf(buf, LINK_TABLE_NAME_LEN, "link_key_%d", slot);
}

static void
link_table_name(int slot, char *buf)
{
	snprintf(buf, LINK_TABLE_NAME_LEN, "session_link_%d", slot);
}

/*
 * Open a table with the rights of the current role.  The caller keeps its lock
 * to the end of the transaction.  Errors: insufficient_privilege;
 * undefined_table.
 */
static Relation
open_table(const char *name, LOCKMODE lockmode, AclMode rights)
{
	Oid			relid = secret_table_oid(name);
	AclResult	acl;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation \"%s.%s\" does not exist", "pk_tracking", name)));
	acl = pg_class_aclcheck(relid, GetUserId(), rights);
	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_TABLE, name);
	return table_open(relid, lockmode);
}

/* ----- keys ----- */

/* Read the hour's key into the cache; NULL if the table does not have it. */
static const uint8 *
find_key(int64 period)
{
	LinkKey    *entry = &keys_cache[slot_of(period)];
	char		name[LINK_TABLE_NAME_LEN];
	Relation	rel;
	TupleTableSlot *slot;
	TableScanDesc scan;
	bool		found = false;

	if (entry->known && entry->period == period)
		return entry->bytes;

	key_table_name(slot_of(period), name);
	rel = open_table(name, AccessShareLock, ACL_SELECT);
	slot = table_slot_create(rel, NULL);
	scan = table_beginscan(rel, SnapshotSelf, 0, NULL);
	while (!found && table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;
		Datum		start = slot_getattr(slot, ANUM_KEY_PERIOD, &isnull);
		bytea	   *value;

		if (isnull || DatumGetTimestampTz(start) != period * PERIOD)
			continue;
		/* too short to be toasted */
		value = DatumGetByteaPP(slot_getattr(slot, ANUM_KEY_VALUE, &isnull));
		if (isnull || VARSIZE_ANY_EXHDR(value) != KEY_LEN)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("session link key has an invalid length")));
		memcpy(entry->bytes, VARDATA_ANY(value), KEY_LEN);
		entry->period = period;
		entry->known = true;
		found = true;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	/* the lock is held while the key is cached */
	table_close(rel, found ? NoLock : AccessShareLock);
	return found ? entry->bytes : NULL;
}

/* Lock the making of an hour's key, to the end of the transaction. */
static bool
lock_period(int64 period, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (period >> 32), (uint32) period,
						 LINK_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * Empty a pair of tables if its key has expired.  Returns the number of tables
 * emptied; sets *busy if one should be emptied but another session uses it.
 */
static int
destroy_slot(int slot, TimestampTz now, bool *busy)
{
	char		key_name[LINK_TABLE_NAME_LEN];
	char		link_name[LINK_TABLE_NAME_LEN];
	Oid			key_relid;
	Oid			link_relid;
	bool		has_key;
	bool		has_links;
	int			n = 0;

	key_table_name(slot, key_name);
	link_table_name(slot, link_name);
	key_relid = secret_table_oid(key_name);
	link_relid = secret_table_oid(link_name);
	has_links = secret_table_has_pages(link_relid);

	switch (secret_table_lock_dead(key_relid, ANUM_KEY_EXPIRES, now, KEY_HORIZON, has_links))
	{
		case SECRET_TABLE_IN_USE:
			return 0;
		case SECRET_TABLE_BUSY:
			*busy = true;
			return 0;
		case SECRET_TABLE_LOCKED:
			break;
	}

	/*
	 * No session can use or make a key of these tables now.  The key goes
	 * first: without it the links reveal nothing.
	 */
	has_key = secret_table_has_pages(key_relid);
	if (has_key)
	{
		secret_table_record(key_name,
							"'link key', NULL::pg_catalog.int4,"
							" pg_catalog.to_char(t.period AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')",
							now);
		secret_table_truncate(key_name);
		n++;
	}
	explicit_bzero(&keys_cache[slot], sizeof(keys_cache[slot]));

	if (has_links)
	{
		if (secret_table_lock(link_relid))
		{
			secret_table_truncate(link_name);
			n++;
		}
		else
			*busy = true;
	}
	if (n == 0)
		UnlockRelationOid(key_relid, AccessExclusiveLock);
	return n;
}

/*
 * Make the hour's key.  The caller holds its lock and has found none.  The tables
 * may hold an expired key and its links: they are destroyed first, if the tables
 * can be locked.
 */
static void
make_key(int64 period, TimestampTz now)
{
	LinkKey    *entry = &keys_cache[slot_of(period)];
	char		name[LINK_TABLE_NAME_LEN];
	Relation	rel;
	Datum		values[NATTS_KEY];
	bool		nulls[NATTS_KEY] = {false};
	union
	{
		char		data[VARHDRSZ + KEY_LEN];
		int32		align;
	}			value;
	HeapTuple	tuple;
	bool		busy;

	PreventCommandIfReadOnly("INSERT");

	/* also removes the tuples of keys that were rolled back */
	if (destroy_slot(slot_of(period), now, &busy) > 0)
		module.destroyed = true;

	SET_VARSIZE(value.data, VARHDRSZ + KEY_LEN);
	random_bytes(VARDATA(value.data), KEY_LEN);

	values[ANUM_KEY_PERIOD - 1] = TimestampTzGetDatum(period * PERIOD);
	values[ANUM_KEY_VALUE - 1] = PointerGetDatum(value.data);
	values[ANUM_KEY_CREATED - 1] = TimestampTzGetDatum(now);
	values[ANUM_KEY_EXPIRES - 1] = TimestampTzGetDatum(period_expires(period));

	key_table_name(slot_of(period), name);
	rel = open_table(name, RowExclusiveLock, ACL_INSERT);
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	table_insert_row(rel, tuple);
	explicit_bzero(tuple->t_data, tuple->t_len);
	heap_freetuple(tuple);
	table_close(rel, NoLock);

	memcpy(entry->bytes, VARDATA(value.data), KEY_LEN);
	entry->period = period;
	entry->known = true;
	explicit_bzero(&value, sizeof(value));
}

/*
 * Make the next hour's key, unless another session is making it, so that no
 * session waits at the hour.
 */
static void
prepare_key(int64 period, TimestampTz now)
{
	char		name[LINK_TABLE_NAME_LEN];
	Oid			relid;

	if (prepared_period == period || XactReadOnly ||
		GetCurrentTimestamp() - GetCurrentTransactionStartTimestamp() > SHORT_TRANSACTION)
		return;

	/* another session may be emptying the table: do not wait for it */
	key_table_name(slot_of(period), name);
	relid = secret_table_oid(name);
	if (!OidIsValid(relid) || !ConditionalLockRelationOid(relid, AccessShareLock))
		return;

	if (find_key(period) != NULL)
		prepared_period = period;
	else if (lock_period(period, false) && find_key(period) == NULL)
	{
		/* our own lock must not keep make_key() from emptying the table */
		UnlockRelationOid(relid, AccessShareLock);
		if (ConditionalLockRelationOid(relid, RowExclusiveLock))
			make_key(period, now);
		return;
	}
	UnlockRelationOid(relid, AccessShareLock);
}

/* Compute a link, as the head of this file describes. */
static void
compute_link(const uint8 *key, SessionLinkKind kind, int32 idsite,
			 const uint8 *data, size_t len, uint8 *link)
{
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint8		head[4 + 1 + 4 + 4 + 4];
	uint32		n;

	n = pg_hton32(1);
	memcpy(head, &n, 4);
	head[4] = (uint8) kind;
	n = pg_hton32(4);
	memcpy(head + 5, &n, 4);
	n = pg_hton32((uint32) idsite);
	memcpy(head + 9, &n, 4);
	n = pg_hton32((uint32) len);
	memcpy(head + 13, &n, 4);

	if (ctx == NULL ||
		pg_hmac_init(ctx, key, KEY_LEN) < 0 ||
		pg_hmac_update(ctx, head, sizeof(head)) < 0 ||
		pg_hmac_update(ctx, data, len) < 0 ||
		pg_hmac_final(ctx, digest, sizeof(digest)) < 0)
	{
		const char *reason = pg_hmac_error(ctx);

		pg_hmac_free(ctx);
		raise_hash_failure("HMAC-SHA-256", reason);
	}
	pg_hmac_free(ctx);
	memcpy(link, digest, SESSION_LINK_LEN);
}

/*
 * The hour's key, made if it does not exist.  Without wait, NULL if another
 * transaction is making it.
 */
static const uint8 *
find_or_make_key(int64 period, TimestampTz now, bool wait)
{
	const uint8 *key;

	if (!lock_period(period, wait))
		return NULL;
	key = find_key(period);
	if (key == NULL)
	{
		make_key(period, now);
		key = keys_cache[slot_of(period)].bytes;
	}
	return key;
}

bool
session_link_ready(TimestampTz now)
{
	return RecoveryInProgress() || find_key(period_of(now)) != NULL ||
		find_or_make_key(period_of(now), now, false) != NULL;
}

void
session_link_keys(SessionLinkKind kind, int32 idsite, const uint8 *data, size_t len,
				  TimestampTz now, bool make, SessionLinkKeys *out)
{
	const uint8 *keys[2] = {NULL, NULL};

	memset(out, 0, sizeof(*out));
	out->period = period_of(now);

	/* a standby cannot even read unlogged tables */
	if (RecoveryInProgress())
		return;

	keys[0] = find_key(out->period);
	if (keys[0] == NULL && make)
		keys[0] = find_or_make_key(out->period, now, true);
	if (now < period_expires(out->period - 1))
		keys[1] = find_key(out->period - 1);

	for (int i = 0; i < 2; i++)
	{
		if (keys[i] == NULL)
			continue;
		compute_link(keys[i], kind, idsite, data, len, out->link[i]);
		memcpy(&out->lock_keys[i], out->link[i], sizeof(out->lock_keys[i]));
		out->given[i] = true;
	}

	/*
	 * by the hour's last minutes the last hour's key has expired: its table
	 * is free
	 */
	if (make && now >= (out->period + 1) * PERIOD - PREPARE_AHEAD)
		prepare_key(out->period + 1, now);
}

/* ----- links ----- */

/* Read up to max links in one direction from at; gives their number. */
static int
scan_links(Relation rel, Relation index, int32 idsite, const uint8 *link,
		   TimestampTz at, bool backward, FoundLink *found, int max)
{
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	ScanKeyData keys[2];
	IndexScanDesc scan;
	pg_uuid_t	uuid;
	int			n = 0;

	memcpy(uuid.data, link, UUID_LEN);
	ScanKeyInit(&keys[0], ANUM_LINK_LINK, BTEqualStrategyNumber, F_UUID_EQ,
				UUIDPGetDatum(&uuid));
	if (backward)
		ScanKeyInit(&keys[1], ANUM_LINK_LINKED, BTLessEqualStrategyNumber,
					F_TIMESTAMPTZ_LE, TimestampTzGetDatum(at));
	else
		ScanKeyInit(&keys[1], ANUM_LINK_LINKED, BTGreaterStrategyNumber,
					F_TIMESTAMPTZ_GT, TimestampTzGetDatum(at));

	scan = pkt_index_beginscan(rel, index, SnapshotSelf, 2);
	index_rescan(scan, keys, 2, NULL, 0);
	while (n < max &&
		   index_getnext_slot(scan, backward ? BackwardScanDirection : ForwardScanDirection, slot))
	{
		bool		isnull;
		TimestampTz linked;

		if (DatumGetInt32(slot_getattr(slot, ANUM_LINK_IDSITE, &isnull)) != idsite)
			continue;
		linked = DatumGetTimestampTz(slot_getattr(slot, ANUM_LINK_LINKED, &isnull));
		found[n].idvisit = DatumGetInt64(slot_getattr(slot, ANUM_LINK_IDVISIT, &isnull));
		found[n].distance = backward ? (uint64) at - (uint64) linked
			: (uint64) linked - (uint64) at;
		n++;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	return n;
}

static int
compare_links(const void *a, const void *b)
{
	const FoundLink *l = a;
	const FoundLink *r = b;

	if (l->distance != r->distance)
		return l->distance < r->distance ? -1 : 1;
	if (l->current != r->current)
		return l->current ? -1 : 1;
	if (l->idvisit != r->idvisit)
		return l->idvisit > r->idvisit ? -1 : 1;
	return 0;
}

int
session_link_nearest(FoundLink *found, int nfound, int64 *idvisits, int max, int64 *linked,
					 int *nlinked)
{
	int			n = 0;

	qsort(found, nfound, sizeof(FoundLink), compare_links);
	*nlinked = 0;
	for (int i = 0; i < nfound; i++)
	{
		bool		known = false;

		if (found[i].current && *nlinked < SESSION_LINK_REMEMBERED)
			linked[(*nlinked)++] = found[i].idvisit;
		for (int j = 0; j < n && !known; j++)
			known = idvisits[j] == found[i].idvisit;
		if (!known && n < max)
			idvisits[n++] = found[i].idvisit;
	}
	return n;
}

/* Open the hour's table of links and its index. */
static Relation
open_links(int64 period, Relation *index)
{
	const IndexKeys *keys = &session_link_indexes[slot_of(period)];
	Relation	rel = open_table(keys->relation, AccessShareLock, ACL_SELECT);

	*index = index_by_keys(rel, keys, AccessShareLock);
	if (*index == NULL)
		raise_missing_index(keys);
	return rel;
}

bool
session_link_find(int32 idsite, SessionLinkKeys *keys, TimestampTz at,
				  TimestampTz now, int64 *idvisits, int max, int *n)
{
	FoundLink  *found;
	int			nfound = 0;

	*n = 0;
	if (period_of(now) != keys->period)
		return false;

	found = palloc(4 * max * sizeof(FoundLink));
	for (int i = 0; i < 2; i++)
	{
		int64		period = keys->period - i;
		Relation	rel;
		Relation	index;
		int			first = nfound;

		if (!keys->given[i] || now >= period_expires(period))
			continue;

		rel = open_links(period, &index);
		nfound += scan_links(rel, index, idsite, keys->link[i], at, true,
							 found + nfound, max);
		nfound += scan_links(rel, index, idsite, keys->link[i], at, false,
							 found + nfound, max);
		for (int j = first; j < nfound; j++)
			found[j].current = (i == 0);

		index_close(index, NoLock);
		table_close(rel, NoLock);
	}
	*n = session_link_nearest(found, nfound, idvisits, max, keys->linked, &keys->nlinked);
	pfree(found);
	return true;
}

void
session_link_add(int32 idsite, const SessionLinkKeys *keys, int64 idvisit, TimestampTz at)
{
	char		name[LINK_TABLE_NAME_LEN];
	Relation	rel;
	Datum		values[NATTS_LINK];
	bool		nulls[NATTS_LINK] = {false};
	pg_uuid_t	uuid;
	HeapTuple	tuple;

	if (!keys->given[0])
		elog(ERROR, "session link key of this hour was not made");
	for (int i = 0; i < keys->nlinked; i++)
		if (keys->linked[i] == idvisit)
			return;

	memcpy(uuid.data, keys->link[0], UUID_LEN);
	values[ANUM_LINK_LINK - 1] = UUIDPGetDatum(&uuid);
	values[ANUM_LINK_LINKED - 1] = TimestampTzGetDatum(at);
	values[ANUM_LINK_IDVISIT - 1] = Int64GetDatum(idvisit);
	values[ANUM_LINK_IDSITE - 1] = Int32GetDatum(idsite);

	PreventCommandIfReadOnly("INSERT");
	link_table_name(slot_of(keys->period), name);
	rel = open_table(name, RowExclusiveLock, ACL_INSERT);
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	table_insert_row(rel, tuple);
	heap_freetuple(tuple);
	table_close(rel, NoLock);
}

bool
session_link_hour_has_links(int64 period)
{
	char		name[LINK_TABLE_NAME_LEN];

	if (find_key(period) == NULL)
		return false;
	link_table_name(slot_of(period), name);
	return secret_table_has_pages(secret_table_oid(name));
}

SessionLink *
session_link_read_all(int64 period, int32 idsite, const uint8 *link, MemoryContext context,
					  int32 *n)
{
	Relation	index;
	Relation	rel = open_links(period, &index);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	ScanKeyData key;
	IndexScanDesc scan;
	pg_uuid_t	uuid;
	SessionLink *links = NULL;
	int			size = 0;

	*n = 0;
	memcpy(uuid.data, link, UUID_LEN);
	ScanKeyInit(&key, ANUM_LINK_LINK, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&uuid));
	scan = pkt_index_beginscan(rel, index, SnapshotSelf, 1);
	index_rescan(scan, &key, 1, NULL, 0);
	while (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		bool		isnull;

		if (DatumGetInt32(slot_getattr(slot, ANUM_LINK_IDSITE, &isnull)) != idsite)
			continue;
		if (*n == size)
		{
			size = Max(size * 2, 2);
			links = links == NULL ? MemoryContextAlloc(context, size * sizeof(SessionLink)) :
				repalloc_array(links, SessionLink, size);
		}
		links[*n].linked = DatumGetTimestampTz(slot_getattr(slot, ANUM_LINK_LINKED, &isnull));
		links[*n].idvisit = DatumGetInt64(slot_getattr(slot, ANUM_LINK_IDVISIT, &isnull));
		(*n)++;
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(rel, NoLock);
	return links;
}

/* ----- destruction ----- */

/* Destroy expired keys and their links; gives the number of tables emptied. */
static int
destroy_slots(TimestampTz now, bool *busy)
{
	int			n = 0;

	*busy = false;
	for (int i = 0; i < SLOTS; i++)
		n += destroy_slot(i, now, busy);
	if (n > 0)
		module.destroyed = true;
	return n;
}

void
session_link_destroy_expired(TimestampTz now)
{
	bool		busy;

	if (now >= last_destruction && now < next_destruction)
		return;
	if (RecoveryInProgress() || XactReadOnly)
		return;

	destroy_slots(now, &busy);
	last_destruction = now;
	if (busy)
		next_destruction = now + SECRET_RETRY_AFTER;
	else
	{
		/* the next key expires in the middle of this hour or of the next */
		next_destruction = period_expires(period_of(now) - 1);
		if (next_destruction <= now)
			next_destruction += PERIOD;
	}
}

/* ----- SQL ----- */

/* Errors: invalid_parameter_value if a time is not finite. */
static void
check_time(TimestampTz t)
{
	if (TIMESTAMP_NOT_FINITE(t))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("times must be finite")));
}

/*
 * pk_tracking.destroy_expired_links(clock timestamptz) RETURNS integer
 *
 * The number of tables emptied.  Errors: invalid_parameter_value;
 * insufficient_privilege.
 */
Datum
pkt_destroy_expired_links(PG_FUNCTION_ARGS)
{
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(0);
	bool		busy;
	int			n;

	check_time(now);

	spi_connect();
	n = destroy_slots(now, &busy);
	spi_finish();
	PG_RETURN_INT32(n);
}

/*
 * pk_tracking_internal.session_link(idsite integer, kind text, data bytea,
 *		at timestamptz, clock timestamptz, idvisit bigint, max_visits integer,
 *		destroy boolean) RETURNS bigint[]
 *
 * The visits that a hit of an anonymous session would find.  With idvisit, also
 * links that visit; with destroy, also destroys what has expired, as a tracking
 * call does; with neither, writes nothing.  NULL if no key lives.  Errors:
 * invalid_parameter_value; insufficient_privilege; read_only_sql_transaction.
 */
Datum
pkt_session_link(PG_FUNCTION_ARGS)
{
	int32		idsite;
	char	   *kind;
	bytea	   *data;
	TimestampTz at;
	TimestampTz now;
	bool		add = !PG_ARGISNULL(5);
	int32		max;
	SessionLinkKeys keys;
	int64	   *idvisits;
	Datum	   *elements;
	int			n;

	for (int i = 0; i < 8; i++)
		if (i != 5 && PG_ARGISNULL(i))
			PG_RETURN_NULL();
	idsite = PG_GETARG_INT32(0);
	kind = text_to_cstring(PG_GETARG_TEXT_PP(1));
	data = PG_GETARG_BYTEA_PP(2);
	at = PG_GETARG_TIMESTAMPTZ(3);
	now = PG_GETARG_TIMESTAMPTZ(4);
	max = PG_GETARG_INT32(6);

	check_time(at);
	check_time(now);
	if (strcmp(kind, "cookie") != 0 && strcmp(kind, "fingerprint") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for argument \"kind\""),
				 errhint("Valid values are \"cookie\" and \"fingerprint\".")));
	if (max < 1 || max > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_visits must be between 1 and 1000")));

	idvisits = palloc(max * sizeof(int64));
	spi_connect();
	session_link_keys(kind[0] == 'c' ? SESSION_LINK_COOKIE : SESSION_LINK_FINGERPRINT,
					  idsite, (const uint8 *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data),
					  now, add, &keys);
	session_link_find(idsite, &keys, at, now, idvisits, max, &n);
	if (add)
		session_link_add(idsite, &keys, PG_GETARG_INT64(5), at);
	if (PG_GETARG_BOOL(7))
		session_link_destroy_expired(now);
	spi_finish();

	if (!keys.given[0] && !keys.given[1])
		PG_RETURN_NULL();
	elements = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(idvisits[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
