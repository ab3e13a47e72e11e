/*
 * names.c
 *		The dictionary of names: URLs, titles and other texts of actions.
 *
 * An idaction is the first 8 bytes of SHA-256 over the type byte and the name
 * (design section 3), so that it needs no look-up and is the same everywhere.
 * Two names with one number are told apart by counting up.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/sha2.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/plan.h"
#include "base/text.h"
#include "base/url.h"
#include "log/log.h"
#include "log/names.h"
#include "log/writer_batch.h"

/*
 * Names known to be in the dictionary.  A name is recognised by two seeded
 * hashes of it; direct-mapped, so that memory is bounded however many
 * different URLs a backend sees.  The seeds are random: nobody outside can
 * make two names meet here.
 */
typedef struct KnownName
{
	uint64		hash1;
	uint64		hash2;
	int64		idaction;
	int32		idsite;			/* 0: the slot is empty */
} KnownName;

#define KNOWN_SLOTS 16384		/* 512 kB */
static KnownName *known = NULL;
static uint64 seed1,
			seed2;

/* Was something added that an abort would take back? */
static bool added_in_transaction = false;

/* The dictionary's table, once known; for its invalidations. */
static Oid	log_action_relid = InvalidOid;

static KeptPlan find_plan = {
	.query = "SELECT a.type, a.name, a.url_prefix FROM pk_tracking.log_action a"
	" WHERE a.idsite OPERATOR(pg_catalog.=) $1 AND a.idaction OPERATOR(pg_catalog.=) $2"
	" LIMIT 1",
	.nargs = 2, .argtypes = {INT4OID, INT8OID}
};

static KeptPlan add_plan = {
	.query = "INSERT INTO pk_tracking.log_action (idaction, idsite, type, url_prefix, name)"
	" VALUES ($1, $2, $3, $4, $5)",
	.nargs = 5, .argtypes = {INT8OID, INT4OID, INT2OID, INT2OID, TEXTOID}
};

/* The insert of a name, for who writes them row by row. */
const KeptPlan *
names_insert_plan(void)
{
	return &add_plan;
}

static void
forget_names(void)
{
	if (known != NULL)
		memset(known, 0, KNOWN_SLOTS * sizeof(KnownName));
}

static void
transaction_ended(XactEvent event, void *arg pg_attribute_unused())
{
	switch (event)
	{
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			if (added_in_transaction)
				forget_names();
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
		forget_names();
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

/* Called once when the library loads. */
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
 * Find the number of a name in the dictionary, and add it if it is not there.
 * No unique index stands behind it: a row may come twice, none has to wait.
 * A name with a prefix cut off and one without are two: the page of an event
 * shares its type with categories.
 */
static int64
find_or_add(int32 idsite, int type, int prefix, const char *name, size_t len)
{
	int64		idaction = name_hash(type, name, len);
	Datum		values[5];
	char		nulls[6] = "     ";

	for (;; idaction = (int64) ((uint64) idaction + 1))
	{
		bool		isnull;
		bool		same;

		/* 0 stands for "none" in the log's columns */
		if (idaction == 0)
			continue;

		if (batch_writer_active())
		{
			if (!bulk_find_name(idsite, idaction, type, prefix >= 0, name, len, &same))
				break;
			if (same)
				return idaction;
			continue;
		}

		values[0] = Int32GetDatum(idsite);
		values[1] = Int64GetDatum(idaction);
		if (plan_execute(&find_plan, values, NULL, 1, true) != SPI_OK_SELECT)
			elog(ERROR, "dictionary could not be read");
		if (SPI_processed == 0)
			break;

		{
			HeapTuple	tuple = SPI_tuptable->vals[0];
			TupleDesc	desc = SPI_tuptable->tupdesc;
			text	   *found = DatumGetTextPP(SPI_getbinval(tuple, desc, 2, &isnull));
			bool		cut;

			(void) SPI_getbinval(tuple, desc, 3, &isnull);
			cut = !isnull;
			same = DatumGetInt16(SPI_getbinval(tuple, desc, 1, &isnull)) == type &&
				cut == (prefix >= 0) &&
				VARSIZE_ANY_EXHDR(found) == len &&
				memcmp(VARDATA_ANY(found), name, len) == 0;
			SPI_freetuptable(SPI_tuptable);
		}
		if (same)
			return idaction;
	}

	added_in_transaction = true;
	if (batch_writer_active())
	{
		NewName		new = {idaction, idsite, (int16) type, prefix, name, len};

		bulk_add_name(&new);
		return idaction;
	}

	values[0] = Int64GetDatum(idaction);
	values[1] = Int32GetDatum(idsite);
	values[2] = Int16GetDatum(type);
	values[3] = Int16GetDatum(prefix);
	if (prefix < 0)
		nulls[3] = 'n';
	values[4] = PointerGetDatum(cstring_to_text_with_len(name, (int) len));
	if (plan_execute(&add_plan, values, nulls, 0, false) != SPI_OK_INSERT)
		elog(ERROR, "dictionary could not be written");
	return idaction;
}

/* The number of a name: from the cache, else from the dictionary. */
static int64
action_id(int32 idsite, int type, int prefix, const char *name)
{
	size_t		len = strlen(name);
	uint64		h1,
				h2;
	KnownName  *slot;
	int64		idaction;

	if (known == NULL)
	{
		KnownName  *slots;

		random_bytes(&seed1, sizeof(seed1));
		random_bytes(&seed2, sizeof(seed2));
		slots = MemoryContextAllocZero(TopMemoryContext, KNOWN_SLOTS * sizeof(KnownName));
		known = slots;
	}
	if (!OidIsValid(log_action_relid))
		log_action_relid = get_relname_relid("log_action", get_namespace_oid("pk_tracking", false));

	h1 = hash_bytes_extended((const unsigned char *) name, (int) len, seed1 + type + (prefix >= 0 ? 64 : 0));
	h2 = hash_bytes_extended((const unsigned char *) name, (int) len, seed2 + type + (prefix >= 0 ? 64 : 0));
	slot = &known[(h1 ^ (uint32) idsite) % KNOWN_SLOTS];
	if (slot->hash1 == h1 && slot->hash2 == h2 && slot->idsite == idsite)
		return slot->idaction;

	if (!(batch_writer_active() && bulk_known_name(idsite, h1, h2, &idaction)))
	{
		idaction = find_or_add(idsite, type, prefix, name, len);
		if (batch_writer_active())
			bulk_remember_name(idsite, h1, h2, idaction);
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
name_of_url(Log *log pg_attribute_unused(), int32 idsite, int type, const char *url)
{
	const char *rest;
	int			prefix;

	if (url == NULL)
		return 0;
	prefix = url_split_prefix(url, &rest);
	return action_id(idsite, type, prefix, rest);
}

/*
 * name_of_text
 *		The number of any other text, trimmed and cut at max_length bytes; 0 if
 *		nothing is left of it.
 */
int64
name_of_text(Log *log pg_attribute_unused(), int32 idsite, int type, const char *name, int max_length)
{
	char	   *clean = text_trim(pstrdup(name));

	text_cut_bytes(clean, max_length);
	if (clean[0] == '\0')
		return 0;
	return action_id(idsite, type, URL_NO_PREFIX, clean);
}
