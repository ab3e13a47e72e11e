/*
 * salt.c
 *		Secret salts: one per instance, one per site and local day, one for user
 *		ids, one for lock tags.  See doc/internals.md, "Salts".
 *
 * The table pk_tracking.salt holds the salts that live as long as the instance.
 * Daily salts are in unlogged tables, which are in no WAL, backup or replica,
 * and which are emptied by TRUNCATE, since a deleted row stays readable in its
 * file:
 *
 *	daily_salt_0 .. 7	salts made before their day's end; table = day mod 8
 *	late_salt_0 .. 3	salts made later (imports of old days); table = UTC
 *						day of creation mod 4
 *
 * A daily salt lives two days from the later of its day's end and its creation.
 * An expired one is never used, even while its table is not emptied yet.  A day
 * that ends more than three days ahead comes from a wrong clock: its salt is
 * stored with the late ones and lives two days from its creation, so that it
 * does not delay the destruction of the salts in its daily table.
 *
 * The database (pgcrypto) makes a salt and C reads it; it is never a parameter
 * or a literal of a query, which the server might log.  The one exception is
 * import_salt(), whose argument comes from the caller.
 *
 * Every read uses the newest snapshot, as referential integrity does: a salt
 * that another session has committed is seen in REPEATABLE READ too, and no
 * second one is made.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/plan.h"
#include "base/siphash.h"
#include "base/spi.h"
#include "identity/salt.h"
#include "identity/secret_table.h"

/* Our own class of advisory locks: pg_advisory_lock() uses 1 and 2. */
#define SALT_LOCK_CLASS 0x706c

#define SALT_LIFETIME (2 * USECS_PER_DAY)

/* A day that ends later than this from now comes from a wrong clock. */
#define SALT_HORIZON (3 * USECS_PER_DAY)

#define DAILY_TABLES 8
#define LATE_TABLES 4
#define SALT_TABLES (DAILY_TABLES + LATE_TABLES)	/* daily ones first */

#define SALT_TABLE_NAME_LEN 16

/* Column numbers, the same in all of these tables. */
#define ANUM_SALT_EXPIRES 5

/* Queries with kept plans. */
enum
{
	QUERY_NAMED,				/* a row of pk_tracking.salt */
	QUERY_LATE,					/* a salt in one of the late tables */
	QUERY_DAILY,				/* a salt in a daily table; one for each */
	QUERY_MAKE = QUERY_DAILY + DAILY_TABLES,	/* make a salt; one for each
												 * table */
	QUERY_COUNT = QUERY_MAKE + SALT_TABLES
};

static KeptPlan plans[QUERY_COUNT]; /* run_query() fills them */

/* The cache: salts that were read in this transaction. */
typedef struct NamedSalt
{
	const char *name;
	bool		known;
	Salt		salt;
	uint8		bytes[SALT_MAX_LEN];
} NamedSalt;

static NamedSalt instance_salt = {.name = "fingerprint"};
static NamedSalt user_id_salt = {.name = "user_id"};
static NamedSalt lock_salt = {.name = "lock"};
static NamedSalt erasure_salt = {.name = "erasure"};

/* From the lock salt, kept for the backend's life; see salt_lock_key(). */
static SipKey lock_key;
static uint64 lock_key_version = 0; /* changes whenever it is read again */
static bool lock_key_known = false;
static Oid	salt_relid = InvalidOid;

/*
 * Where the lock salt has the key: its second half, because the first eight
 * bytes once seeded a hash that can be turned back.
 */
#define LOCK_KEY_OFFSET (SALT_LEN - SIP_KEY_LEN)

static void salt_relcache_callback(Datum arg, Oid relid);

typedef struct DailyKey
{
	int32		idsite;
	DateADT		day;
} DailyKey;

typedef struct DailySalt
{
	DailyKey	key;
	TimestampTz expires;
	struct DailySalt *next;		/* list of all entries, for wiping */
	Salt		salt;
	uint8		bytes[SALT_LEN];
} DailySalt;

static MemoryContext daily_context = NULL;
static HTAB *daily_cache = NULL;
static DailySalt *daily_list = NULL;

/* Future days whose salts this backend has seen; by site. */
#define PREPARED_SITES 64

static struct
{
	bool		valid;
	DailyKey	key;
}			prepared[PREPARED_SITES];

/* When this backend last looked for expired salts, and when it will again. */
static TimestampTz last_destruction = 0;
static TimestampTz next_destruction = 0;

PG_FUNCTION_INFO_V1(pkt_daily_salt_digest);
PG_FUNCTION_INFO_V1(pkt_destroy_expired_salts);
PG_FUNCTION_INFO_V1(pkt_export_salt);
PG_FUNCTION_INFO_V1(pkt_import_salt);
PG_FUNCTION_INFO_V1(pkt_prepare_daily_salt);
PG_FUNCTION_INFO_V1(pkt_renew_lock_salt);

/* ----- the cache ----- */

/* Wipe every salt that this backend holds in memory.  Never raises. */
static void
wipe_cache(void)
{
	NamedSalt  *named[] = {&instance_salt, &user_id_salt, &lock_salt, &erasure_salt};
	size_t		i;

	for (i = 0; i < lengthof(named); i++)
	{
		if (!named[i]->known)
			continue;
		explicit_bzero(named[i]->bytes, sizeof(named[i]->bytes));
		named[i]->known = false;
	}

	for (; daily_list != NULL; daily_list = daily_list->next)
		explicit_bzero(daily_list->bytes, sizeof(daily_list->bytes));
	if (daily_context != NULL)
		MemoryContextDelete(daily_context);
	daily_context = NULL;
	daily_cache = NULL;
}

/* Forget what an aborted transaction or subtransaction did. */
static void
forget_work(bool destroyed)
{
	memset(prepared, 0, sizeof(prepared));
	if (destroyed)
		next_destruction = 0;
}

static SecretModule module = {.wipe = wipe_cache,.forget = forget_work};

void
salt_init(void)
{
	secret_module_register(&module);
	CacheRegisterRelcacheCallback(salt_relcache_callback, (Datum) 0);
}

/* The cached salt of a site's day, NULL if there is none. */
static DailySalt *
cached_daily(int32 idsite, DateADT day)
{
	DailyKey	key = {idsite, day};

	if (daily_cache == NULL)
		return NULL;
	return hash_search(daily_cache, &key, HASH_FIND, NULL);
}

/*
 * Put a salt into the cache, in the entry of an expired one if there is one:
 * entries do not move.
 */
static DailySalt *
cache_daily(int32 idsite, DateADT day, const uint8 *bytes, TimestampTz expires)
{
	DailyKey	key = {idsite, day};
	DailySalt  *entry;
	bool		found;

	if (daily_cache == NULL)
	{
		HASHCTL		ctl;

		if (daily_context == NULL)
			daily_context = AllocSetContextCreate(TopMemoryContext,
												  "pk_tracking daily salts",
												  ALLOCSET_SMALL_SIZES);
		ctl.keysize = sizeof(DailyKey);
		ctl.entrysize = sizeof(DailySalt);
		ctl.hcxt = daily_context;
		daily_cache = hash_create("pk_tracking daily salts", 16, &ctl,
								  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	entry = hash_search(daily_cache, &key, HASH_ENTER, &found);
	if (!found)
	{
		entry->next = daily_list;
		daily_list = entry;
	}
	entry->expires = expires;
	entry->salt.len = SALT_LEN;
	entry->salt.bytes = entry->bytes;
	memcpy(entry->bytes, bytes, SALT_LEN);
	return entry;
}

/* ----- queries ----- */

/* The name of table i (0 .. SALT_TABLES - 1), without its schema. */
static void
salt_table_name(int i, char *buf)
{
	if (i < DAILY_TABLES)
		snprintf(buf, SALT_TABLE_NAME_LEN, "daily_salt_%d", i);
	else
		snprintf(buf, SALT_TABLE_NAME_LEN, "late_salt_%d", i - DAILY_TABLES);
}

static inline int
daily_table(DateADT day)
{
	return ((day % DAILY_TABLES) + DAILY_TABLES) % DAILY_TABLES;
}

static inline int
late_table(TimestampTz created)
{
	int64		day = created / USECS_PER_DAY - (created % USECS_PER_DAY < 0 ? 1 : 0);

	return DAILY_TABLES + (int) (((day % LATE_TABLES) + LATE_TABLES) % LATE_TABLES);
}

/*
 * The quoted name of pgcrypto's schema.
 * Errors: undefined_object if pgcrypto is not installed.
 */
static const char *
pgcrypto_schema(void)
{
	Oid			extension = get_extension_oid("pgcrypto", false);
	Oid			schema = InvalidOid;
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	char	   *name;

	/* 15 does not export get_extension_schema() */
	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(extension));
	scan = systable_beginscan(rel, ExtensionOidIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		schema = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	name = OidIsValid(schema) ? get_namespace_name(schema) : NULL;
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("schema of extension \"%s\" does not exist", "pgcrypto")));
	return quote_identifier(name);
}

/* Write a query, with all names qualified. */
static void
make_query(KeptPlan *kept, StringInfo sql)
{
	static const Oid daily_types[] = {INT4OID, DATEOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	static const char daily[] =
		"SELECT value, expires FROM pk_tracking.%s"
		" WHERE idsite OPERATOR(pg_catalog.=) $1"
		" AND day OPERATOR(pg_catalog.=) $2"
		" AND expires OPERATOR(pg_catalog.>) $3";
	int			query = kept - plans;
	char		table[SALT_TABLE_NAME_LEN];
	int			i;

	kept->nargs = query == QUERY_NAMED ? 1 : query < QUERY_MAKE ? 3 : 4;
	memcpy(kept->argtypes, daily_types, sizeof(daily_types));
	if (query == QUERY_NAMED)
	{
		kept->argtypes[0] = TEXTOID;
		appendStringInfoString(sql,
							   "SELECT value FROM pk_tracking.salt"
							   " WHERE name OPERATOR(pg_catalog.=) $1");
	}
	else if (query == QUERY_LATE)
	{
		for (i = DAILY_TABLES; i < SALT_TABLES; i++)
		{
			salt_table_name(i, table);
			if (i > DAILY_TABLES)
				appendStringInfoString(sql, " UNION ALL ");
			appendStringInfo(sql, daily, table);
		}
		appendStringInfoString(sql, " ORDER BY 2 DESC LIMIT 1");
	}
	else if (query < QUERY_MAKE)
	{
		salt_table_name(query - QUERY_DAILY, table);
		appendStringInfo(sql, daily, table);
	}
	else
	{
		/* in rare cases the row of an expired salt still exists */
		salt_table_name(query - QUERY_MAKE, table);
		appendStringInfo(sql,
						 "INSERT INTO pk_tracking.%s AS t (idsite, day, value, created, expires)"
						 " SELECT $1, $2, %s.gen_random_bytes(%d), $3, $4"
						 " ON CONFLICT (idsite, day) DO UPDATE"
						 " SET value = EXCLUDED.value, created = EXCLUDED.created,"
						 " expires = EXCLUDED.expires"
						 " WHERE t.expires OPERATOR(pg_catalog.<=) EXCLUDED.created",
						 table, pgcrypto_schema(), SALT_LEN);
	}
}

/*
 * Run a query under the newest snapshot.  Sets SPI_processed and SPI_tuptable.
 */
static void
run_query(int query, Datum *values)
{
	KeptPlan   *kept = &plans[query];

	kept->make = make_query;
	/* of what the query says, only the schema of pgcrypto can change */
	kept->make_again = query >= QUERY_MAKE;
	if (query < QUERY_MAKE)
		plan_read(kept, values, 1);
	else
		plan_write(kept, values);
}

/*
 * Move the salt from the first column of a query's first row to bytes, and wipe
 * it in the row.  Returns its length; -1 if it is NULL or longer than max.
 */
static int
take_salt(uint8 *bytes, int max)
{
	bool		isnull;
	Datum		datum = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
									  1, &isnull);
	struct varlena *value;
	int			len;

	if (isnull)
		return -1;
	value = PG_DETOAST_DATUM_PACKED(datum);
	len = VARSIZE_ANY_EXHDR(value);
	if (len <= max)
		memcpy(bytes, VARDATA_ANY(value), len);

	/* SPI's copy of the tuple, or the detoasted copy of the value */
	explicit_bzero(VARDATA_ANY(value), len);
	return (len <= max) ? len : -1;
}

/* ----- the instance's salts ----- */

/* What to do about a salt that is missing or damaged. */
static int
errhint_named(const NamedSalt *named)
{
	return named == &lock_salt ?
		errhint("Make it anew with pk_tracking.renew_lock_salt().") :
		errhint("Set it with pk_tracking.import_salt().");
}

static const Salt *
read_named(NamedSalt *named)
{
	Datum		values[1];

	if (named->known)
		return &named->salt;

	values[0] = CStringGetTextDatum(named->name);
	run_query(QUERY_NAMED, values);
	if (SPI_processed != 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("salt \"%s\" does not exist", named->name),
				 errhint_named(named)));

	named->salt.bytes = named->bytes;
	named->salt.len = take_salt(named->bytes, sizeof(named->bytes));
	SPI_freetuptable(SPI_tuptable);
	if (named->salt.len <= 0 || (named != &user_id_salt && named->salt.len != SALT_LEN))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("salt \"%s\" has an invalid length", named->name),
				 errhint_named(named)));
	named->known = true;
	return &named->salt;
}

/*
 * salt_instance
 *		The salt of all fingerprints of this instance.
 *
 * Errors: object_not_in_prerequisite_state if it was deleted.
 */
const Salt *
salt_instance(void)
{
	return read_named(&instance_salt);
}

/*
 * salt_user_id
 *		The salt that anonymize_user_id appends to a user id.
 *
 * Errors: as salt_instance().
 */
const Salt *
salt_user_id(void)
{
	return read_named(&user_id_salt);
}

/*
 * salt_erasure
 *		The salt of the hashes in the register of erasures and the list of the
 *		suppressed.
 *
 * Errors: as salt_instance().
 */
const Salt *
salt_erasure(void)
{
	return read_named(&erasure_salt);
}

/*
 * salt_lock_key
 *		The key of the hash that makes the tags of our locks: every role can see
 *		tags in pg_locks.  The same in all backends that have locks of ours:
 *		renew_lock_salt() says how.  Made with the extension, and read once per
 *		backend; version tells one that was read again from the one before.
 *
 * Errors: as salt_instance().
 */
const SipKey *
salt_lock_key(uint64 *version)
{
	if (!lock_key_known)
	{
		salt_relid = get_relname_relid("salt", get_namespace_oid("pk_tracking", false));
		lock_key = siphash_key(read_named(&lock_salt)->bytes + LOCK_KEY_OFFSET);
		/* or it would be found here, not read, after it was renewed */
		explicit_bzero(lock_salt.bytes, sizeof(lock_salt.bytes));
		lock_salt.known = false;
		lock_key_version++;
		lock_key_known = true;
	}
	*version = lock_key_version;
	return &lock_key;
}

/* The salt was renewed, or the extension dropped and created again. */
static void
salt_relcache_callback(Datum arg, Oid relid)
{
	(void) arg;

	if (relid == InvalidOid || relid == salt_relid)
		lock_key_known = false;
}

/* The salt with this name; error invalid_parameter_value. */
static NamedSalt *
named_salt(const text *name)
{
	NamedSalt  *named[] = {&instance_salt, &user_id_salt, &erasure_salt};
	size_t		i;

	for (i = 0; i < lengthof(named); i++)
		if (VARSIZE_ANY_EXHDR(name) == strlen(named[i]->name) &&
			memcmp(VARDATA_ANY(name), named[i]->name, VARSIZE_ANY_EXHDR(name)) == 0)
			return named[i];

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid salt name"),
			 errhint("Valid names are \"%s\", \"%s\", and \"%s\".",
					 instance_salt.name, user_id_salt.name, erasure_salt.name)));
	return NULL;				/* keep compiler quiet */
}

/* ----- daily salts ----- */

/*
 * Can the salt of a day that is needed at now be in a daily table?  In a late
 * one?  From the day's end until two days later it can be in either.
 */
static inline bool
may_be_daily(TimestampTz day_end, TimestampTz now)
{
	return day_end <= now + SALT_HORIZON && now < day_end + SALT_LIFETIME;
}

static inline bool
may_be_late(TimestampTz day_end, TimestampTz now)
{
	return day_end <= now || day_end > now + SALT_HORIZON;
}

/* Read an unexpired salt into the cache; NULL if the tables of this query have none. */
static DailySalt *
find_in(int query, int32 idsite, DateADT day, TimestampTz now)
{
	Datum		values[3];
	uint8		bytes[SALT_LEN];
	TimestampTz expires;
	bool		isnull;
	DailySalt  *entry;

	values[0] = Int32GetDatum(idsite);
	values[1] = DateADTGetDatum(day);
	values[2] = TimestampTzGetDatum(now);
	run_query(query, values);
	if (SPI_processed == 0)
	{
		SPI_freetuptable(SPI_tuptable);
		return NULL;
	}

	expires = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0],
												SPI_tuptable->tupdesc, 2, &isnull));
	if (take_salt(bytes, sizeof(bytes)) != SALT_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("daily salt has an invalid length")));
	SPI_freetuptable(SPI_tuptable);

	entry = cache_daily(idsite, day, bytes, expires);
	explicit_bzero(bytes, sizeof(bytes));
	return entry;
}

static DailySalt *
find_daily(int32 idsite, DateADT day, TimestampTz day_end, TimestampTz now)
{
	DailySalt  *entry = NULL;

	if (may_be_daily(day_end, now))
		entry = find_in(QUERY_DAILY + daily_table(day), idsite, day, now);
	if (entry == NULL && may_be_late(day_end, now))
		entry = find_in(QUERY_LATE, idsite, day, now);
	return entry;
}

/* Lock the making of the salt of a site's day, to the end of the transaction. */
static bool
lock_daily(int32 idsite, DateADT day, bool wait)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) idsite, (uint32) day,
						 SALT_LOCK_CLASS);
	return LockAcquire(&tag, ExclusiveLock, false, !wait) != LOCKACQUIRE_NOT_AVAIL;
}

/* ----- destruction ----- */

/*
 * Empty a table if it has rows (dead ones count) and all of them are expired.
 * True if it did.  Does not wait for locks, and keeps none unless it emptied
 * the table.  Sets *busy if it had to wait.
 */
static bool
destroy_table(int table, TimestampTz now, bool *busy)
{
	char		name[SALT_TABLE_NAME_LEN];

	salt_table_name(table, name);
	switch (secret_table_lock_dead(secret_table_oid(name), ANUM_SALT_EXPIRES, now,
								   SECRET_NO_HORIZON, false))
	{
		case SECRET_TABLE_IN_USE:
			return false;
		case SECRET_TABLE_BUSY:
			*busy = true;
			return false;
		case SECRET_TABLE_LOCKED:
			break;
	}

	secret_table_record(name,
						"'daily salt', t.idsite,"
						" pg_catalog.to_char(t.day::pg_catalog.timestamp, 'YYYY-MM-DD')",
						now);
	secret_table_truncate(name);
	return true;
}

/* Empty every table whose salts are all expired; the number of tables. */
static int
destroy_tables(TimestampTz now, bool *busy)
{
	int			n = 0;
	int			i;

	*busy = false;
	for (i = 0; i < SALT_TABLES; i++)
		if (destroy_table(i, now, busy))
			n++;
	return n;
}

/*
 * salt_destroy_expired
 *		Destroy what has expired; once an hour per backend, and again soon if
 *		somebody else was using one of the tables.
 *
 * Takes the wall clock.  Errors: insufficient_privilege if the caller may not
 * TRUNCATE the salts' tables.
 */
void
salt_destroy_expired(TimestampTz now)
{
	bool		busy;

	if (now >= last_destruction && now < next_destruction)
		return;
	if (RecoveryInProgress() || XactReadOnly)
		return;

	/* before, so that an error does not come back with every hit */
	last_destruction = now;
	next_destruction = now + USECS_PER_HOUR;
	if (destroy_tables(now, &busy) > 0)
		module.destroyed = true;
	if (busy)
		next_destruction = now + SECRET_RETRY_AFTER;
}

/*
 * Make the salt of a site's day.  The caller holds its lock and has found none.
 * The table may hold expired salts of eight days ago: they are destroyed first,
 * if the table can be locked.
 */
static void
make_daily(int32 idsite, DateADT day, TimestampTz day_end, TimestampTz now)
{
	bool		late = may_be_late(day_end, now);
	int			table = late ? late_table(now) : daily_table(day);
	bool		busy = false;	/* then its salts are destroyed later */
	Datum		values[4];

	destroy_table(table, now, &busy);

	values[0] = Int32GetDatum(idsite);
	values[1] = DateADTGetDatum(day);
	values[2] = TimestampTzGetDatum(now);
	values[3] = TimestampTzGetDatum((late ? now : day_end) + SALT_LIFETIME);
	run_query(QUERY_MAKE + table, values);
}

/*
 * salt_daily
 *		The salt of a site's local day.
 *
 * Takes the day, the instant of its end, and the wall clock.  Gives the salt, or
 * NULL if no unexpired one exists and make is not set.
 */
const Salt *
salt_daily(int32 idsite, DateADT day, TimestampTz day_end, TimestampTz now, bool make)
{
	DailySalt  *entry = cached_daily(idsite, day);

	if (entry != NULL && entry->expires > now)
		return &entry->salt;

	/* a standby cannot even read unlogged tables */
	if (!make && RecoveryInProgress())
		return NULL;

	entry = find_daily(idsite, day, day_end, now);
	if (entry == NULL && make)
	{
		lock_daily(idsite, day, true);
		entry = find_daily(idsite, day, day_end, now);
		if (entry == NULL)
		{
			make_daily(idsite, day, day_end, now);
			entry = find_daily(idsite, day, day_end, now);
			if (entry == NULL)
				elog(ERROR, "could not find the daily salt just made");
		}
	}
	return entry ? &entry->salt : NULL;
}

/*
 * salt_daily_prepare
 *		Make the salt of a future day, unless another session is making it.
 *
 * Arguments as of salt_daily().  Does nothing for a day that is over or ends
 * more than three days ahead.
 */
void
salt_daily_prepare(int32 idsite, DateADT day, TimestampTz day_end, TimestampTz now)
{
	DailyKey	key = {idsite, day};
	int			i = (uint32) idsite % PREPARED_SITES;

	if (prepared[i].valid && prepared[i].key.idsite == idsite &&
		prepared[i].key.day == day)
		return;
	if (may_be_late(day_end, now) || RecoveryInProgress() || XactReadOnly)
		return;

	if (find_daily(idsite, day, day_end, now) != NULL)
	{
		prepared[i].valid = true;
		prepared[i].key = key;
	}
	else if (lock_daily(idsite, day, false) &&
			 find_daily(idsite, day, day_end, now) == NULL)
		make_daily(idsite, day, day_end, now);
}

/* ----- SQL ----- */

/* Errors: invalid_parameter_value if a time is not finite. */
static void
check_times(DateADT day, TimestampTz day_end, TimestampTz now)
{
	if (DATE_NOT_FINITE(day) || TIMESTAMP_NOT_FINITE(day_end) || TIMESTAMP_NOT_FINITE(now))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("day and times must be finite")));
}

/*
 * pk_tracking.destroy_expired_salts() RETURNS integer
 *
 * The number of tables emptied.  Errors: insufficient_privilege.
 */
Datum
pkt_destroy_expired_salts(PG_FUNCTION_ARGS)
{
	int			n;
	bool		busy;

	(void) fcinfo;

	spi_connect();
	n = destroy_tables(GetCurrentTimestamp(), &busy);
	spi_finish();
	PG_RETURN_INT32(n);
}

/*
 * pk_tracking.export_salt(name text) RETURNS bytea
 *
 * Errors: invalid_parameter_value; object_not_in_prerequisite_state if the salt
 * is missing; insufficient_privilege.
 */
Datum
pkt_export_salt(PG_FUNCTION_ARGS)
{
	NamedSalt  *named = named_salt(PG_GETARG_TEXT_PP(0));
	const Salt *salt;
	bytea	   *result;

	spi_connect();
	/* without the cache, so that the query checks the right to read */
	wipe_cache();
	salt = read_named(named);
	spi_finish();

	result = (bytea *) palloc(VARHDRSZ + salt->len);
	SET_VARSIZE(result, VARHDRSZ + salt->len);
	memcpy(VARDATA(result), salt->bytes, salt->len);
	PG_RETURN_BYTEA_P(result);
}

/*
 * pk_tracking.import_salt(name text, value bytea) RETURNS void
 *
 * Errors: invalid_parameter_value if the name or the length is wrong;
 * insufficient_privilege.
 */
Datum
pkt_import_salt(PG_FUNCTION_ARGS)
{
	NamedSalt  *named = named_salt(PG_GETARG_TEXT_PP(0));
	bytea	   *value = PG_GETARG_BYTEA_PP(1);
	int			len = VARSIZE_ANY_EXHDR(value);
	Oid			types[2] = {TEXTOID, BYTEAOID};
	Datum		values[2];
	int			rc;

	if (named == &instance_salt && len != SALT_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("fingerprint salt must have %d bytes", SALT_LEN)));
	if (named == &erasure_salt && len != SALT_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("erasure salt must have %d bytes", SALT_LEN)));
	if (len < 1 || len > SALT_MAX_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("user ID salt must have 1 to %d bytes", SALT_MAX_LEN)));

	values[0] = CStringGetTextDatum(named->name);
	values[1] = PointerGetDatum(value);

	spi_connect();
	rc = SPI_execute_with_args("INSERT INTO pk_tracking.salt (name, value) VALUES ($1, $2)"
							   " ON CONFLICT (name) DO UPDATE"
							   " SET value = EXCLUDED.value, created = EXCLUDED.created",
							   2, types, values, NULL, false, 0);
	if (rc != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute_with_args failed: %s", SPI_result_code_string(rc));
	spi_finish();

	wipe_cache();
	PG_RETURN_VOID();
}

/*
 * pk_tracking_internal.daily_salt_digest(idsite integer, day date, day_end timestamptz,
 *		at timestamptz, make boolean) RETURNS bytea
 *
 * SHA-256 of the salt that a hit at this wall clock would use: it shows whether
 * two salts are the same without revealing them.  NULL if there is no salt.
 */
Datum
pkt_daily_salt_digest(PG_FUNCTION_ARGS)
{
	int32		idsite = PG_GETARG_INT32(0);
	DateADT		day = PG_GETARG_DATEADT(1);
	TimestampTz day_end = PG_GETARG_TIMESTAMPTZ(2);
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(3);
	bool		make = PG_GETARG_BOOL(4);
	const Salt *salt;
	bytea	   *result;

	check_times(day, day_end, now);

	spi_connect();
	salt = salt_daily(idsite, day, day_end, now, make);
	spi_finish();
	if (salt == NULL)
		PG_RETURN_NULL();

	result = (bytea *) palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	SET_VARSIZE(result, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
	sha256_bytes(salt->bytes, salt->len, (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}

/*
 * pk_tracking.prepare_daily_salt(idsite integer, day date, day_end timestamptz,
 *		at timestamptz) RETURNS void
 */
Datum
pkt_prepare_daily_salt(PG_FUNCTION_ARGS)
{
	int32		idsite = PG_GETARG_INT32(0);
	DateADT		day = PG_GETARG_DATEADT(1);
	TimestampTz day_end = PG_GETARG_TIMESTAMPTZ(2);
	TimestampTz now = PG_GETARG_TIMESTAMPTZ(3);

	check_times(day, day_end, now);

	spi_connect();
	salt_daily_prepare(idsite, day, day_end, now);
	spi_finish();
	PG_RETURN_VOID();
}

/*
 * pk_tracking.renew_lock_salt() RETURNS void
 *
 * All sessions that track must compute the same tags.  So this waits until no
 * transaction that has tracked hits is open, and holds up others to the end of
 * its own: whoever takes locks of ours has locked log_visit before, and with
 * that lock comes the invalidation that makes it read the new salt.
 *
 * Errors: insufficient_privilege; lock_not_available.
 */
Datum
pkt_renew_lock_salt(PG_FUNCTION_ARGS)
{
	StringInfoData sql;
	Oid			log_visit = secret_table_oid("log_visit");
	Oid			relid = secret_table_oid("salt");
	int			rc;

	(void) fcinfo;

	spi_connect();
	if (OidIsValid(log_visit) &&
		SPI_execute("LOCK TABLE pk_tracking.log_visit IN SHARE ROW EXCLUSIVE MODE",
					false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not lock the log");
	initStringInfo(&sql);
	appendStringInfo(&sql,
					 "INSERT INTO pk_tracking.salt (name, value)"
					 " VALUES ('lock', %s.gen_random_bytes(%d))"
					 " ON CONFLICT (name) DO UPDATE"
					 " SET value = EXCLUDED.value, created = EXCLUDED.created",
					 pgcrypto_schema(), SALT_LEN);
	rc = SPI_execute(sql.data, false, 0);
	if (rc != SPI_OK_INSERT)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(rc));
	spi_finish();

	wipe_cache();
	CacheInvalidateRelcacheByRelid(relid);
	CommandCounterIncrement();
	PG_RETURN_VOID();
}
