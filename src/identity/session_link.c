/*
 * session_link.c
 *		Joins the hits of an anonymous session (design section 7).
 *
 * A link is the first 16 bytes of
 *
 *	HMAC-SHA-256(key, field(kind) field(idsite) field(data))
 *
 * where field(x) is the length of x in 4 bytes, big-endian, then x; kind is the
 * byte 'c' or 'f', idsite has 4 bytes, big-endian, and data are the bytes of
 * the cookie or of the fingerprint.  sql/session_link.sql computes it with
 * pgcrypto's hmac().  Nothing but links is stored; data is in memory only.
 *
 * The key is 32 random bytes, another one for each hour of the wall clock
 * (UTC).  It is made when a session first needs it in its hour, or in the last
 * minutes of the hour before, and lives until half an hour after its hour's
 * end.  A session's link is written under the hour's key, and again by each
 * hit that does not find it there: so it outlives the session's last hit by 30
 * to 90 minutes.
 *
 * Keys and links stand in unlogged tables, which are in no WAL, backup or
 * replica, and empty after a crash, both at once.  Two tables of each in turn
 * are enough: hour H takes the tables of hour H - 2, whose key expired in the
 * middle of hour H - 1.  A key table tells about its table of links: links
 * without a living key are dead, since a new key is random and gives other
 * HMACs.  So a key that vanished can leave no wrong match, whatever happens to
 * the links made with it.
 *
 * Everything is read and written here without a query: no HMAC is ever a
 * parameter, which the server might log (auto_explain, for one), and a look-up
 * does not depend on a plan made while the table was empty.  Key bytes come from
 * pg_strong_random(), as those of pgcrypto's gen_random_bytes() do.
 *
 * Reads use SnapshotSelf: what is committed at that moment, or ours, in any
 * isolation level, and no predicate locks.  That is enough since rows are never
 * updated, and since whoever must see a row holds the lock under which it was
 * written.
 *
 * Who has read a key holds its table's lock to the end of the transaction, or
 * until the subtransaction is aborted, which wipes the cached key: so no table
 * can be emptied and used again under a key in use.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
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
#include "identity/secret_table.h"
#include "identity/session_link.h"

/* Our own class of advisory locks: who makes an hour's key. */
#define LINK_LOCK_CLASS 0x706d

#define PERIOD USECS_PER_HOUR
#define AFTERLIFE (30 * USECS_PER_MINUTE)	/* of a key, from its hour's end */
#define PREPARE_AHEAD (5 * USECS_PER_MINUTE)

/*
 * A key that expires later than this from now was made by a wrong clock.  One
 * of the next hour is none: a clock may be set back a little.
 */
#define KEY_HORIZON (2 * PERIOD + AFTERLIFE)

/*
 * Who makes the next key makes everybody wait for his commit at the hour: not
 * in a transaction that has been running for longer.
 */
#define SHORT_TRANSACTION (30 * USECS_PER_SEC)

/* Between two attempts on a table that somebody uses. */
#define RETRY_AFTER USECS_PER_SEC

#define SLOTS 2					/* pairs of tables in turn */
#define KEY_LEN 32
#define LINK_TABLE_NAME_LEN 16

/* Columns of pk_tracking.link_key_N */
#define NATTS_KEY 4
#define ANUM_KEY_PERIOD 1
#define ANUM_KEY_VALUE 2
#define ANUM_KEY_CREATED 3
#define ANUM_KEY_EXPIRES 4

/* Columns of pk_tracking.session_link_N; its index is on (link, linked) */
#define NATTS_LINK 4
#define ANUM_LINK_LINK 1
#define ANUM_LINK_LINKED 2
#define ANUM_LINK_IDVISIT 3
#define ANUM_LINK_IDSITE 4

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

/* When this backend last looked for expired keys, and when it shall again. */
static TimestampTz last_destruction = 0;
static TimestampTz next_destruction = 0;
static bool destroyed_in_xact = false;

/* A visit that was found. */
typedef struct FoundLink
{
	int64		idvisit;
	uint64		distance;		/* microseconds from the hit */
	bool		current;
} FoundLink;

PG_FUNCTION_INFO_V1(pkt_destroy_expired_links);
PG_FUNCTION_INFO_V1(pkt_session_link);

/* ----- the cache ----- */

/* Wipe every key that this backend holds in memory.  Never raises. */
static void
wipe_cache(void)
{
	explicit_bzero(keys_cache, sizeof(keys_cache));
}

/* Forget what a rolled-back transaction or subtransaction did. */
static void
forget_work(void)
{
	prepared_period = PG_INT64_MIN;
	if (destroyed_in_xact)
		next_destruction = 0;
}

static void
link_xact_callback(XactEvent event, void *arg)
{
	(void) arg;

	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
			forget_work();
			/* FALLTHROUGH */
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PREPARE:
			wipe_cache();
			destroyed_in_xact = false;
			break;
		default:
			break;
	}
}

static void
link_subxact_callback(SubXactEvent event, SubTransactionId mySubid,
					  SubTransactionId parentSubid, void *arg)
{
	(void) mySubid;
	(void) parentSubid;
	(void) arg;

	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		forget_work();
		wipe_cache();
	}
}

/*
 * session_link_init
 *		For _PG_init().
 */
void
session_link_init(void)
{
	RegisterXactCallback(link_xact_callback, NULL);
	RegisterSubXactCallback(link_subxact_callback, NULL);
}

/* ----- hours ----- */

static inline int64
period_of(TimestampTz t)
{
	return t / PERIOD - (t % PERIOD < 0 ? 1 : 0);
}

static inline TimestampTz
period_expires(int64 period)
{
	return (period + 1) * PERIOD + AFTERLIFE;
}

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
 * Open a table with the rights of the current role, its lock to be kept to the
 * end of the transaction.  Errors: insufficient_privilege; undefined_table.
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

/* Read the hour's key into the cache; NULL if there is none. */
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
		/* too short to be anywhere but in the page */
		value = DatumGetByteaPP(slot_getattr(slot, ANUM_KEY_VALUE, &isnull));
		if (isnull || VARSIZE_ANY_EXHDR(value) != KEY_LEN)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("a link key has an invalid length")));
		memcpy(entry->bytes, VARDATA_ANY(value), KEY_LEN);
		entry->period = period;
		entry->known = true;
		found = true;
	}
	table_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	/* its lock stays while the key is cached */
	table_close(rel, found ? NoLock : AccessShareLock);
	return found ? entry->bytes : NULL;
}

/* The right to make an hour's key, until the transaction's end. */
static bool
lock_period(int64 period, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) (period >> 32), (uint32) period,
						 LINK_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/*
 * Empty a pair of tables if its key has expired.  Gives the number of tables
 * emptied; *busy is set if something is due that somebody uses.
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
	 * Nobody can use or make a key of these tables now.  First the key:
	 * without it links mean nothing.
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
 * Make the hour's key, under its lock and having found none.  The tables may
 * hold what has expired: that goes first, if it can.
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

	/* also makes tuples of rolled-back keys go */
	if (destroy_slot(slot_of(period), now, &busy) > 0)
		destroyed_in_xact = true;

	SET_VARSIZE(value.data, VARHDRSZ + KEY_LEN);
	random_bytes(VARDATA(value.data), KEY_LEN);

	values[ANUM_KEY_PERIOD - 1] = TimestampTzGetDatum(period * PERIOD);
	values[ANUM_KEY_VALUE - 1] = PointerGetDatum(value.data);
	values[ANUM_KEY_CREATED - 1] = TimestampTzGetDatum(now);
	values[ANUM_KEY_EXPIRES - 1] = TimestampTzGetDatum(period_expires(period));

	key_table_name(slot_of(period), name);
	rel = open_table(name, RowExclusiveLock, ACL_INSERT);
	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	CatalogTupleInsert(rel, tuple);
	explicit_bzero(tuple->t_data, tuple->t_len);
	heap_freetuple(tuple);
	table_close(rel, NoLock);

	memcpy(entry->bytes, VARDATA(value.data), KEY_LEN);
	entry->period = period;
	entry->known = true;
	explicit_bzero(&value, sizeof(value));
}

/*
 * Make the next hour's key, if nobody else is at it, so that nobody waits at
 * the hour.
 */
static void
prepare_key(int64 period, TimestampTz now)
{
	char		name[LINK_TABLE_NAME_LEN];
	Oid			relid;

	if (prepared_period == period || XactReadOnly ||
		GetCurrentTimestamp() - GetCurrentTransactionStartTimestamp() > SHORT_TRANSACTION)
		return;

	/* somebody may be emptying it */
	key_table_name(slot_of(period), name);
	relid = secret_table_oid(name);
	if (!OidIsValid(relid) || !ConditionalLockRelationOid(relid, AccessShareLock))
		return;

	if (find_key(period) != NULL)
		prepared_period = period;
	else if (lock_period(period, false) && find_key(period) == NULL)
	{
		/* not that our own share should keep the table from being emptied */
		UnlockRelationOid(relid, AccessShareLock);
		if (ConditionalLockRelationOid(relid, RowExclusiveLock))
			make_key(period, now);
		return;
	}
	UnlockRelationOid(relid, AccessShareLock);
}

/* The link: see the head of this file. */
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
 * The hour's key, made if there is none.  NULL, without wait, if another
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

/* See session_link.h. */
bool
session_link_ready(TimestampTz now)
{
	return RecoveryInProgress() || find_key(period_of(now)) != NULL ||
		find_or_make_key(period_of(now), now, false) != NULL;
}

/*
 * session_link_keys
 *		What a cookie or a fingerprint is called under the keys that live.
 *
 * See session_link.h.  Errors: insufficient_privilege;
 * read_only_sql_transaction if a key must be made in one.
 */
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

	/* in the hour's last minutes the last hour's key has expired: its place is free */
	if (make && now >= (out->period + 1) * PERIOD - PREPARE_AHEAD)
		prepare_key(out->period + 1, now);
}

/* ----- links ----- */

/* Look up to max links up in one direction from at; gives how many. */
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
		found[n].distance = backward ? (uint64) at - (uint64) linked : (uint64) linked - (uint64) at;
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

/*
 * The visits of the links, at most max of them, the nearest first; gives how
 * many.  linked are those of this hour.
 */
static int
choose_links(FoundLink *found, int nfound, int64 *idvisits, int max, int64 *linked, int *nlinked)
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
	char		name[LINK_TABLE_NAME_LEN];
	Relation	rel;
	List	   *indexes;

	link_table_name(slot_of(period), name);
	rel = open_table(name, AccessShareLock, ACL_SELECT);
	indexes = RelationGetIndexList(rel);
	if (list_length(indexes) != 1)
		elog(ERROR, "pk_tracking.%s must have one index", name);
	*index = index_open(linitial_oid(indexes), AccessShareLock);
	list_free(indexes);
	return rel;
}

/*
 * session_link_find
 *		The visits that a session's links lead to.
 *
 * See session_link.h.
 */
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
	*n = choose_links(found, nfound, idvisits, max, keys->linked, &keys->nlinked);
	pfree(found);
	return true;
}

/*
 * session_link_add
 *		Link a visit under this hour's key.
 *
 * See session_link.h.  Errors: insufficient_privilege;
 * read_only_sql_transaction.
 */
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
		elog(ERROR, "no link key of this hour");
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
	CatalogTupleInsert(rel, tuple);
	heap_freetuple(tuple);
	table_close(rel, NoLock);
}

/* ----- links of a call with many hits ----- */

typedef struct SessionKey
{
	HexId		data;
	int32		idsite;
	int32		kind;
} SessionKey;

/* A link under this hour's key ([0] of a session's) or the last one's ([1]). */
typedef struct KeptLink
{
	TimestampTz linked;
	int64		idvisit;
} KeptLink;

/* A session, and all its links. */
typedef struct SessionEntry
{
	SessionKey	key;
	char		status;
	int32		n[2];
	int32		size[2];
	KeptLink   *kept[2];		/* by event time */
} SessionEntry;

static inline uint32
hash_session(SessionKey key)
{
	uint64		h = key.data ^ ((uint64) (uint32) key.idsite << 8 | (uint64) key.kind) * UINT64CONST(0x9E3779B97F4A7C15);

	h ^= h >> 33;
	h *= UINT64CONST(0xff51afd7ed558ccd);
	return (uint32) (h >> 32);
}

#define SH_PREFIX sessions
#define SH_ELEMENT_TYPE SessionEntry
#define SH_KEY_TYPE SessionKey
#define SH_KEY key
#define SH_HASH_KEY(tb, k) hash_session(k)
#define SH_EQUAL(tb, a, b) ((a).data == (b).data && (a).idsite == (b).idsite && (a).kind == (b).kind)
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A site that the call has for itself. */
typedef struct OwnSite
{
	int32		idsite;
	bool		empty;			/* it had no links when it became the call's own */
} OwnSite;

struct SessionLinks
{
	Size		max;
	MemoryContext context;		/* sessions and their links */
	sessions_hash *sessions;
	bool		begun;
	int64		period;			/* the hour that they are of */
	bool		has_last;		/* the last hour's key lives */
	int			n_sites;
	int			size_sites;
	OwnSite    *sites;

	/* the links of this hour that the last look-up met */
	int			nlinked;
	int64		linked[SESSION_LINK_REMEMBERED];
};

/*
 * session_links_create
 *		See session_link.h.
 */
SessionLinks *
session_links_create(Size max)
{
	SessionLinks *links = palloc0_object(SessionLinks);

	links->max = max;
	links->context = AllocSetContextCreate(CurrentMemoryContext, "pk_tracking session links", ALLOCSET_DEFAULT_SIZES);
	links->size_sites = 8;
	links->sites = palloc_array(OwnSite, links->size_sites);
	return links;
}

/* Forget all sessions. */
static void
forget_sessions(SessionLinks *links)
{
	MemoryContext old;

	MemoryContextReset(links->context);
	old = MemoryContextSwitchTo(links->context);
	links->sessions = sessions_create(links->context, 256, NULL);
	MemoryContextSwitchTo(old);
}

/* Does the hour have links that a living key leads to? */
static bool
has_links(int64 period)
{
	char		name[LINK_TABLE_NAME_LEN];

	if (find_key(period) == NULL)
		return false;
	link_table_name(slot_of(period), name);
	return secret_table_has_pages(secret_table_oid(name));
}

/*
 * session_links_own
 *		See session_link.h.
 */
void
session_links_own(SessionLinks *links, int32 idsite, TimestampTz now)
{
	int64		period = period_of(now);
	bool		has_last = now < period_expires(period - 1);
	OwnSite    *site;

	if (!links->begun || links->period != period || links->has_last != has_last)
	{
		/* the hour has turned: other links, other HMACs */
		links->begun = true;
		links->period = period;
		links->has_last = has_last;
		links->n_sites = 0;
		forget_sessions(links);
	}
	for (int i = 0; i < links->n_sites; i++)
	{
		if (links->sites[i].idsite == idsite)
			return;
	}
	if (links->n_sites == links->size_sites)
	{
		links->size_sites *= 2;
		links->sites = repalloc_array(links->sites, OwnSite, links->size_sites);
	}
	site = &links->sites[links->n_sites++];
	site->idsite = idsite;
	site->empty = !has_links(period) && !(has_last && has_links(period - 1));
}

/* Keep a link behind those that are not later. */
static void
keep_link(SessionLinks *links, SessionEntry *e, int which, TimestampTz linked, int64 idvisit)
{
	KeptLink   *kept;
	int			i;

	if (e->n[which] == e->size[which])
	{
		int			size = Max(e->size[which] * 2, 2);

		kept = MemoryContextAlloc(links->context, size * sizeof(KeptLink));
		if (e->n[which] > 0)
		{
			memcpy(kept, e->kept[which], e->n[which] * sizeof(KeptLink));
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
read_session(SessionLinks *links, SessionEntry *e, TimestampTz now, bool make)
{
	SessionLinkKeys keys;

	keys_of(e, now, make, &keys);
	for (int i = 0; i < 2; i++)
	{
		Relation	rel;
		Relation	index;
		TupleTableSlot *slot;
		ScanKeyData key;
		IndexScanDesc scan;
		pg_uuid_t	uuid;

		if (!keys.given[i])
			continue;
		rel = open_links(links->period - i, &index);
		slot = table_slot_create(rel, NULL);
		memcpy(uuid.data, keys.link[i], UUID_LEN);
		ScanKeyInit(&key, ANUM_LINK_LINK, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&uuid));
		scan = pkt_index_beginscan(rel, index, SnapshotSelf, 1);
		index_rescan(scan, &key, 1, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			bool		isnull;

			if (DatumGetInt32(slot_getattr(slot, ANUM_LINK_IDSITE, &isnull)) == e->key.idsite)
				keep_link(links, e, i,
						  DatumGetTimestampTz(slot_getattr(slot, ANUM_LINK_LINKED, &isnull)),
						  DatumGetInt64(slot_getattr(slot, ANUM_LINK_IDVISIT, &isnull)));
		}
		index_endscan(scan);
		ExecDropSingleTupleTableSlot(slot);
		index_close(index, NoLock);
		table_close(rel, NoLock);
	}
}

/* The session's entry; good until the next one is looked for. */
static SessionEntry *
find_session(SessionLinks *links, SessionLinkKind kind, int32 idsite, HexId data,
			 TimestampTz now, bool make)
{
	SessionKey	key = {data, idsite, (int32) kind};
	SessionEntry *e;
	bool		found;
	bool		empty = false;

	if (MemoryContextMemAllocated(links->context, false) > links->max)
	{
		/* from now on the tables are asked for what was added, too */
		forget_sessions(links);
		for (int i = 0; i < links->n_sites; i++)
			links->sites[i].empty = false;
	}
	e = sessions_insert(links->sessions, key, &found);
	if (found)
		return e;
	for (int i = 0; i < 2; i++)
	{
		e->n[i] = e->size[i] = 0;
		e->kept[i] = NULL;
	}
	for (int i = 0; i < links->n_sites; i++)
	{
		if (links->sites[i].idsite == idsite)
			empty = links->sites[i].empty;
	}
	if (!empty)
		read_session(links, e, now, make);
	return e;
}

/*
 * session_links_find
 *		As session_link_find(); gives the number of visits.  See session_link.h.
 */
int
session_links_find(SessionLinks *links, SessionLinkKind kind, int32 idsite, HexId data,
				   TimestampTz at, TimestampTz now, bool make, int64 *idvisits, int max)
{
	SessionEntry *e = find_session(links, kind, idsite, data, now, make);
	FoundLink  *found;
	int			nfound = 0;
	int			n;

	links->nlinked = 0;
	if (e->n[0] + e->n[1] == 0)
		return 0;
	found = palloc(4 * max * sizeof(FoundLink));
	for (int which = 0; which < 2; which++)
	{
		const KeptLink *kept = e->kept[which];
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
	n = choose_links(found, nfound, idvisits, max, links->linked, &links->nlinked);
	pfree(found);
	return n;
}

/*
 * session_links_add
 *		As session_link_add(), for the session that was looked for last.  See
 *		session_link.h.
 */
void
session_links_add(SessionLinks *links, SessionLinkKind kind, int32 idsite, HexId data,
				  int64 idvisit, TimestampTz at, TimestampTz now)
{
	SessionEntry *e;
	SessionLinkKeys keys;

	for (int i = 0; i < links->nlinked; i++)
	{
		if (links->linked[i] == idvisit)
			return;
	}
	e = find_session(links, kind, idsite, data, now, true);
	keys_of(e, now, true, &keys);
	session_link_add(idsite, &keys, idvisit, at);
	keep_link(links, e, 0, at, idvisit);
}

/* ----- destruction ----- */

/* Destroy what has expired; gives the number of tables emptied. */
static int
destroy_slots(TimestampTz now, bool *busy)
{
	int			n = 0;

	*busy = false;
	for (int i = 0; i < SLOTS; i++)
		n += destroy_slot(i, now, busy);
	if (n > 0)
		destroyed_in_xact = true;
	return n;
}

/*
 * session_link_destroy_expired
 *		Destroy what has expired.
 *
 * See session_link.h.  Errors: insufficient_privilege if the caller may not
 * TRUNCATE the tables.
 */
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
		next_destruction = now + RETRY_AFTER;
	else
	{
		/* the next key expires in the middle of this hour or of the next */
		next_destruction = period_expires(period_of(now) - 1);
		if (next_destruction <= now)
			next_destruction += PERIOD;
	}
}

/* ----- SQL ----- */

static void
connect_spi(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
finish_spi(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

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

	connect_spi();
	n = destroy_slots(now, &busy);
	finish_spi();
	PG_RETURN_INT32(n);
}

/*
 * pk_tracking_internal.session_link(idsite integer, kind text, data bytea,
 *		at timestamptz, clock timestamptz, idvisit bigint, max_visits integer,
 *		destroy boolean) RETURNS bigint[]
 *
 * What a hit of an anonymous session would find; with idvisit, links it then.
 * With destroy, ends as a tracking call does.  Without either nothing is
 * written.  NULL if no key lives.  Errors: invalid_parameter_value;
 * insufficient_privilege; read_only_sql_transaction.
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
				 errmsg("kind must be \"cookie\" or \"fingerprint\"")));
	if (max < 1 || max > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_visits must be between 1 and 1000")));

	idvisits = palloc(max * sizeof(int64));
	connect_spi();
	session_link_keys(kind[0] == 'c' ? SESSION_LINK_COOKIE : SESSION_LINK_FINGERPRINT,
					  idsite, (const uint8 *) VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data),
					  now, add, &keys);
	session_link_find(idsite, &keys, at, now, idvisits, max, &n);
	if (add)
		session_link_add(idsite, &keys, PG_GETARG_INT64(5), at);
	if (PG_GETARG_BOOL(7))
		session_link_destroy_expired(now);
	finish_spi();

	if (!keys.given[0] && !keys.given[1])
		PG_RETURN_NULL();
	elements = palloc(n * sizeof(Datum));
	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(idvisits[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
