/*
 * names.c
 *		The dictionary of names: URLs, titles and other texts of actions.
 *
 * An idaction is the first 8 bytes of SHA-256 over the type byte and the name,
 * so that it needs no look-up and is the same everywhere.  If two names
 * come to one number, the later one takes the next free number
 * (doc/internals.md, "Names, ownership, upgrade").
 *
 * No unique index stands behind the dictionary: a row may come twice, but no
 * hit has to wait for another transaction that brings the same name.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/text.h"
#include "base/url.h"
#include "log/names.h"
#include "log/names_internal.h"
#include "log/new_names.h"
#include "log/relations.h"
#include "log/seen.h"
#include "log/writer.h"

/*
 * This backend's cache of names that are in the dictionary.  A name is
 * recognised by two seeded hashes of it; direct-mapped, so that memory is bounded
 * however many different URLs a backend sees.  The seeds are random, so that no
 * client can make two names collide here.
 */
typedef struct CachedName
{
	uint64		hash1;
	uint64		hash2;
	int64		idaction;
	int32		idsite;			/* 0: the slot is empty */
} CachedName;

#define CACHE_SLOTS 16384		/* 512 kB */
static CachedName *cache = NULL;
static uint64 seed1,
			seed2;

/* Was something added that an abort would take back? */
static bool added_in_transaction = false;

/* The dictionary's table, once known; for its invalidations. */
static Oid	log_action_relid = InvalidOid;

/* A name whose number a batch has found out, by two hashes of it. */
typedef struct MetName
{
	uint64		hash1;			/* the site mixed in */
	uint64		hash2;
	int64		idaction;
	char		status;
} MetName;

#define SH_PREFIX met
#define SH_ELEMENT_TYPE MetName
#define SH_KEY_TYPE uint64
#define SH_KEY hash1
#define SH_HASH_KEY(tb, k) ((uint32) (k))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* A name that a batch has yet to write. */
typedef struct NameEntry
{
	uint64		key;			/* batch_names_key() */
	char		status;
	LogName    *name;
} NameEntry;

#define SH_PREFIX names
#define SH_ELEMENT_TYPE NameEntry
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(tb, k) ((uint32) mix64(k))
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct BatchNames
{
	uint32		max_met;
	met_hash   *met;			/* names met since the batch began, at most
								 * max_met; then all are forgotten */
	MemoryContext context;		/* of what follows: the names that are to be
								 * written, which batch_names_begin() forgets */
	names_hash *by_number;
	int			n;
	int			size;
	LogName   **list;			/* in the order in which they came */
};

static void
forget_names(void)
{
	if (cache != NULL)
		memset(cache, 0, CACHE_SLOTS * sizeof(CachedName));
}

static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			if (added_in_transaction)
			{
				forget_names();
				new_names_forget();
			}
			added_in_transaction = false;
			break;
		case XACT_EVENT_COMMIT:
			added_in_transaction = false;
			break;
		default:
			break;
	}
}

static void
subtransaction_ended(SubXactEvent event,
					 SubTransactionId mySubid pg_attribute_unused(),
					 SubTransactionId parentSubid pg_attribute_unused(),
					 void *arg pg_attribute_unused())
{
	if (event == SUBXACT_EVENT_ABORT_SUB && added_in_transaction)
	{
		forget_names();
		new_names_forget();
	}
}

static void
relation_changed(Datum arg pg_attribute_unused(), Oid relid)
{
	if (relid == InvalidOid || relid == log_action_relid)
	{
		forget_names();
		log_action_relid = InvalidOid;
	}
}

/* names_init: called once when the library loads. */
void
names_init(void)
{
	RegisterXactCallback(transaction_ended, NULL);
	RegisterSubXactCallback(subtransaction_ended, NULL);
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}

/* First 8 bytes of SHA-256 over the type byte and the name. */
static int64
name_hash(int type, const char *name, size_t len)
{
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	uint8		type_byte = (uint8) type;

	if (ctx == NULL ||
		pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, &type_byte, 1) < 0 ||
		pg_cryptohash_update(ctx, (const uint8 *) name, len) < 0 ||
		pg_cryptohash_final(ctx, digest, sizeof(digest)) < 0)
	{
		const char *reason = pg_cryptohash_error(ctx);

		pg_cryptohash_free(ctx);
		raise_hash_failure("SHA-256", reason);
	}
	pg_cryptohash_free(ctx);
	return (int64) hexid_from_bytes(digest);
}

/*
 * name_is
 *		Is the name the one that stands in the dictionary with this type, text
 *		and url_prefix (cut: it is not NULL)?  A name with a prefix cut off and
 *		one without are two: the page of an event shares its type with
 *		categories.
 */
bool
name_is(const LogName *name, int16 type, bool cut, const text *other)
{
	return name->type == type && (name->prefix >= 0) == cut &&
		VARSIZE_ANY_EXHDR(other) == name->len &&
		memcmp(VARDATA_ANY(other), name->text, name->len) == 0;
}

/* Open the dictionary to read it, if it is not open. */
static void
open_names(Log *log)
{
	MemoryContext old;

	if (log->names != NULL)
		return;
	log->names = table_open(log_relations.log_action, NoLock);
	log->names_index = index_open(log_relations.names_index, log->mode);
	old = MemoryContextSwitchTo(log->context);
	log->names_slot = table_slot_create(log->names, NULL);
	MemoryContextSwitchTo(old);
}

/* Find a row of the site in the dictionary, and of this number if n_keys is 2. */
static bool
scan_names(Log *log, int n_keys, int32 idsite, int64 idaction, const LogName *name, bool *same)
{
	ScanKeyData key[2];
	IndexScanDesc scan;
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	TupleTableSlot *slot;
	bool		found;

	open_names(log);
	slot = log->names_slot;
	ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(idsite));
	ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(idaction));
	scan = pkt_index_beginscan(log->names, log->names_index, snapshot, n_keys);
	index_rescan(scan, key, n_keys, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	if (found && name != NULL)
	{
		bool		isnull;
		int16		type = DatumGetInt16(slot_getattr(slot, log_relations.att_type, &isnull));
		Datum		found_text = slot_getattr(slot, log_relations.att_name, &isnull);

		(void) slot_getattr(slot, log_relations.att_prefix, &isnull);
		*same = name_is(name, type, !isnull, DatumGetTextPP(found_text));
	}
	ExecClearTuple(slot);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	return found;
}

/*
 * names_find
 *		Is there a name of that number in the dictionary, and is it the same?
 *		As committed now, or written by this transaction.
 */
bool
names_find(Log *log, const LogName *name, bool *same)
{
	return scan_names(log, 2, name->idsite, name->idaction, name, same);
}

/* names_any_of_site: is there any name of the site in the dictionary? */
bool
names_any_of_site(Log *log, int32 idsite)
{
	return scan_names(log, 1, idsite, 0, NULL, NULL);
}

/*
 * batch_names_create
 *		The names of a batch, in the current memory context: none yet.  max_met:
 *		of how many the number is remembered.
 */
BatchNames *
batch_names_create(uint32 max_met)
{
	BatchNames *names = palloc0_object(BatchNames);

	names->max_met = max_met;
	names->met = met_create(CurrentMemoryContext, 1024, NULL);
	return names;
}

/*
 * batch_names_begin
 *		Nothing is to be written any more; what comes is kept in the context,
 *		which the caller has emptied.
 */
void
batch_names_begin(BatchNames *names, MemoryContext context)
{
	names->context = context;
	names->by_number = names_create(context, 256, NULL);
	names->n = 0;
	names->size = 256;
	names->list = MemoryContextAlloc(context, names->size * sizeof(LogName *));
}

/* batch_names_key: site and number of a name in one. */
uint64
batch_names_key(const LogName *name)
{
	return (uint64) name->idaction ^ mix64((uint32) name->idsite);
}

/* batch_names_find: is a name of that number to be written, and is it the same? */
bool
batch_names_find(const BatchNames *names, const LogName *name, bool *same)
{
	NameEntry  *e = names_lookup(names->by_number, batch_names_key(name));

	if (e == NULL || e->name->idsite != name->idsite || e->name->idaction != name->idaction)
		return false;
	*same = e->name->type == name->type && (e->name->prefix >= 0) == (name->prefix >= 0) &&
		e->name->len == name->len && memcmp(e->name->text, name->text, name->len) == 0;
	return true;
}

/* batch_names_add: a name that is to be written. */
void
batch_names_add(BatchNames *names, const LogName *name)
{
	MemoryContext old = MemoryContextSwitchTo(names->context);
	LogName    *kept = palloc_object(LogName);
	bool		found;

	*kept = *name;
	kept->text = pnstrdup(name->text, name->len);

	/*
	 * one of another site, by a chance of 2^-64: the dictionary may have it
	 * twice
	 */
	names_insert(names->by_number, batch_names_key(name), &found)->name = kept;
	if (names->n == names->size)
	{
		names->size *= 2;
		names->list = repalloc_huge(names->list, names->size * sizeof(LogName *));
	}
	names->list[names->n++] = kept;
	MemoryContextSwitchTo(old);
}

/*
 * batch_names_write
 *		Write them, at most at_once together.  Resets the current memory context
 *		after each such portion.
 */
void
batch_names_write(BatchNames *names, RowWriter *w, int at_once)
{
	HeapTuple  *rows = MemoryContextAlloc(names->context, at_once * sizeof(HeapTuple));
	int			n = 0;

	for (int i = 0; i < names->n; i++)
	{
		const void *sources[N_SOURCES] = {[SOURCE_NAME] = names->list[i]};
		Datum		values[KEPT_PLAN_ARGS];
		char		nulls[KEPT_PLAN_ARGS];

		columns_values(&name_columns, name_columns.n, sources, values, nulls);
		rows[n++] = row_writer_form(w, values, nulls, name_columns.n);
		if (n == at_once || i == names->n - 1)
		{
			row_writer_insert(w, rows, n);
			MemoryContextReset(CurrentMemoryContext);
			n = 0;
		}
	}
}

/* The number of a name that this batch has met; false if it has not, or has forgotten. */
static bool
recall(const BatchNames *names, int32 idsite, uint64 hash1, uint64 hash2, int64 *idaction)
{
	MetName    *e = met_lookup(names->met, hash1 ^ mix64((uint32) idsite));

	if (e == NULL || e->hash2 != hash2)
		return false;
	*idaction = e->idaction;
	return true;
}

static void
remember(BatchNames *names, int32 idsite, uint64 hash1, uint64 hash2, int64 idaction)
{
	MetName    *e;
	bool		found;

	if (names->met->members >= names->max_met)
		met_reset(names->met);
	e = met_insert(names->met, hash1 ^ mix64((uint32) idsite), &found);
	e->hash2 = hash2;
	e->idaction = idaction;
}

/*
 * Find the number of a name in the dictionary, and add the name if it is not
 * there.  0 if it may not be added.
 */
static int64
find_or_add(Log *log, LogName *name)
{
	bool		same;

	name->idaction = name_hash(name->type, name->text, name->len);
	for (;;)
	{
		/* 0 stands for "none" in the log's columns */
		if (name->idaction != 0)
		{
			if (!log->writer->find_name(log, name, &same))
				break;
			if (same)
				return name->idaction;
		}
		/* another name has this number */
		name->idaction = (int64) ((uint64) name->idaction + 1);
	}
	if (log->hit_names.limit > 0)
	{
		if (!new_names_take(name->idsite, log->hit_names.limit))
			return 0;
		log->hit_names.added++;
	}
	added_in_transaction = true;
	log->writer->add_name(log, name);
	return name->idaction;
}

static int64 number_of(Log *log, int32 idsite, int type, int prefix, const char *text);

/* The number of what stands for the names that came too late, of this type. */
static int64
number_of_too_many(Log *log, int32 idsite, int type)
{
	int32		limit = log->hit_names.limit;
	int64		idaction;

	log->hit_names.refused = true;
	log->hit_names.limit = 0;
	idaction = number_of(log, idsite, type, URL_NO_PREFIX, TOO_MANY_NAMES);
	log->hit_names.limit = limit;
	return idaction;
}

/* The number of a name: from the cache, else from the dictionary. */
static int64
number_of(Log *log, int32 idsite, int type, int prefix, const char *text)
{
	LogName		name = {0};
	uint64		kind;
	uint64		h1,
				h2;
	CachedName *slot;
	int64		idaction;

	name.idsite = idsite;
	name.type = (int16) type;
	name.prefix = (int16) prefix;
	name.text = text;

	name.len = strlen(text);

	if (cache == NULL)
	{
		CachedName *slots;

		random_bytes(&seed1, sizeof(seed1));
		random_bytes(&seed2, sizeof(seed2));
		slots = MemoryContextAllocZero(TopMemoryContext, CACHE_SLOTS * sizeof(CachedName));
		cache = slots;
	}
	if (!OidIsValid(log_action_relid))
		log_action_relid = get_relname_relid("log_action", get_namespace_oid("pk_tracking", false));

	kind = type + (prefix >= 0 ? 64 : 0);
	h1 = hash_bytes_extended((const unsigned char *) text, (int) name.len, seed1 + kind);
	h2 = hash_bytes_extended((const unsigned char *) text, (int) name.len, seed2 + kind);
	slot = &cache[(h1 ^ (uint32) idsite) % CACHE_SLOTS];
	if (slot->hash1 == h1 && slot->hash2 == h2 && slot->idsite == idsite)
		return slot->idaction;

	if (log->batch_names == NULL || !recall(log->batch_names, idsite, h1, h2, &idaction))
	{
		idaction = find_or_add(log, &name);
		if (idaction == 0)
			return number_of_too_many(log, idsite, type);
		if (log->batch_names != NULL)
			remember(log->batch_names, idsite, h1, h2, idaction);
	}
	slot->hash1 = h1;
	slot->hash2 = h2;
	slot->idaction = idaction;
	slot->idsite = idsite;
	return idaction;
}

/*
 * name_of_url
 *		The number of a page's normalised URL, without its prefix; 0 if it is
 *		NULL.  type: ACTION_TYPE_URL, or _EVENT for the page of an event.
 */
int64
name_of_url(Log *log, int32 idsite, int type, const char *url)
{
	const char *rest;
	int			prefix;

	if (url == NULL)
		return 0;
	prefix = url_split_prefix(url, &rest);
	return number_of(log, idsite, type, prefix, rest);
}

/*
 * name_of_text
 *		The number of any other text, trimmed and cut at max_length bytes; 0 if
 *		nothing is left of it.
 */
int64
name_of_text(Log *log, int32 idsite, int type, const char *name, int max_length)
{
	char	   *clean = text_trim(pstrdup(name));

	text_cut_bytes(clean, max_length);
	if (clean[0] == '\0')
		return 0;
	return number_of(log, idsite, type, URL_NO_PREFIX, clean);
}
