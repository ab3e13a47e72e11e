/*
 * hexid.c
 *		The id type: 8 bytes by value, an unsigned big-endian number.
 *
 * Text is 16 lower-case hex digits, the binary form is the 8 bytes, most
 * significant first.  So the order of the numbers, of the texts (collation
 * "C") and of the bytes is the same.
 *
 * Frozen on release, because users' disks hold it: the 8-byte datum, the order
 * (btree indexes, range partitions) and hexid_mix() (hash indexes, hash
 * partitions).
 *
 * No error here repeats its input: an id is personal data, and an error's text
 * ends in log files.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/sortsupport.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/hexid.h"

#define HEXID_BYTES 8
#define RANDOM_POOL 64			/* ids */

/*
 * Value of a hex digit, with HEX_DIGIT set; 0 for every other byte.  The flag
 * lets the parser look for a wrong byte once, at the end.
 */
#define HEX_DIGIT 0x10

static const uint8 hex_value[256] = {
	['0'] = HEX_DIGIT | 0,['1'] = HEX_DIGIT | 1,
	['2'] = HEX_DIGIT | 2,['3'] = HEX_DIGIT | 3,
	['4'] = HEX_DIGIT | 4,['5'] = HEX_DIGIT | 5,
	['6'] = HEX_DIGIT | 6,['7'] = HEX_DIGIT | 7,
	['8'] = HEX_DIGIT | 8,['9'] = HEX_DIGIT | 9,
	['a'] = HEX_DIGIT | 10,['A'] = HEX_DIGIT | 10,
	['b'] = HEX_DIGIT | 11,['B'] = HEX_DIGIT | 11,
	['c'] = HEX_DIGIT | 12,['C'] = HEX_DIGIT | 12,
	['d'] = HEX_DIGIT | 13,['D'] = HEX_DIGIT | 13,
	['e'] = HEX_DIGIT | 14,['E'] = HEX_DIGIT | 14,
	['f'] = HEX_DIGIT | 15,['F'] = HEX_DIGIT | 15,
};

/* What hexid_type_oid() found, and the hash under which TYPEOID knows it. */
static Oid	cached_type = InvalidOid;
static uint32 cached_type_hash = 0;

PG_FUNCTION_INFO_V1(hexid_in);
PG_FUNCTION_INFO_V1(hexid_out);
PG_FUNCTION_INFO_V1(hexid_recv);
PG_FUNCTION_INFO_V1(hexid_send);
PG_FUNCTION_INFO_V1(hexid_eq);
PG_FUNCTION_INFO_V1(hexid_ne);
PG_FUNCTION_INFO_V1(hexid_lt);
PG_FUNCTION_INFO_V1(hexid_le);
PG_FUNCTION_INFO_V1(hexid_gt);
PG_FUNCTION_INFO_V1(hexid_ge);
PG_FUNCTION_INFO_V1(hexid_cmp);
PG_FUNCTION_INFO_V1(hexid_sortsupport);
PG_FUNCTION_INFO_V1(hexid_equalimage);
PG_FUNCTION_INFO_V1(hexid_hash);
PG_FUNCTION_INFO_V1(hexid_hash_extended);
PG_FUNCTION_INFO_V1(hexid_smaller);
PG_FUNCTION_INFO_V1(hexid_larger);
PG_FUNCTION_INFO_V1(hexid_from_bytea);
PG_FUNCTION_INFO_V1(hexid_to_bytea);
PG_FUNCTION_INFO_V1(hexid_typanalyze);


/* For other modules */

/*
 * hexid_parse
 *		Read exactly 16 hex digits of either case.
 *
 * str need not end in a NUL.  False, with *result untouched, if len is not 16
 * or a byte is not a hex digit.  Allocates nothing and never raises.
 */
bool
hexid_parse(const char *str, size_t len, HexId *result)
{
	HexId		id = 0;
	uint8		all = HEX_DIGIT;

	if (len != HEXID_TEXT_LEN)
		return false;

	for (int i = 0; i < HEXID_TEXT_LEN; i++)
	{
		uint8		value = hex_value[(uint8) str[i]];

		all &= value;
		id = (id << 4) | (value & 0x0F);
	}

	if ((all & HEX_DIGIT) == 0)
		return false;

	*result = id;
	return true;
}

/*
 * hexid_format
 *		Write 16 lower-case hex digits and a NUL.
 *
 * buf has room for HEXID_TEXT_LEN + 1 bytes.
 */
void
hexid_format(HexId id, char *buf)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = HEXID_TEXT_LEN - 1; i >= 0; i--)
	{
		buf[i] = digits[id & 0x0F];
		id >>= 4;
	}
	buf[HEXID_TEXT_LEN] = '\0';
}

/*
 * hexid_from_bytes
 *		The id that the first 8 bytes at bytes form; they need no alignment.
 */
HexId
hexid_from_bytes(const uint8 *bytes)
{
	uint64		raw;

	memcpy(&raw, bytes, HEXID_BYTES);
	return (HexId) pg_ntoh64(raw);
}

/*
 * Forget the type's OID when its pg_type row changes (hashvalue 0: when any
 * may have changed).
 */
static void
forget_type_oid(Datum arg, int cacheid, uint32 hashvalue)
{
	(void) arg;
	(void) cacheid;

	if (hashvalue == 0 || hashvalue == cached_type_hash)
		cached_type = InvalidOid;
}

/*
 * The schema of the extension.  Error if the extension does not exist.  (The
 * server's own get_extension_schema() is not exported by every version.)
 */
static Oid
extension_schema(void)
{
	Relation	rel;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;
	Oid			result = InvalidOid;

	ScanKeyInit(&key, Anum_pg_extension_extname,
				BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("pk_tracking"));

	rel = table_open(ExtensionRelationId, AccessShareLock);
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		result = ((Form_pg_extension) GETSTRUCT(tuple))->extnamespace;
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	if (!OidIsValid(result))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"%s\" does not exist", "pk_tracking")));
	return result;
}

/*
 * hexid_random
 *		See hexid.h.  Reads many from the system at once, and wipes each when
 *		it returns it.
 */
HexId
hexid_random(void)
{
	static HexId pool[RANDOM_POOL];
	static int	left = 0;
	HexId		id;

	do
	{
		if (left == 0)
		{
			random_bytes(pool, sizeof(pool));
			left = RANDOM_POOL;
		}
		id = pool[--left];
		explicit_bzero(&pool[left], sizeof(HexId));
	} while (id == 0);
	return id;
}

/*
 * hexid_schema
 *		Name of the schema that the type and its operators are in, quoted for SQL.
 */
const char *
hexid_schema(void)
{
	return quote_identifier(get_namespace_name(extension_schema()));
}

/*
 * hexid_type_oid
 *		OID of the type hexid, whatever the extension's schema is.
 *
 * Remembered until its pg_type row changes.  Needs a transaction.  Error if
 * the extension or its type does not exist.
 */
Oid
hexid_type_oid(void)
{
	static bool callback_registered = false;
	Oid			type;

	if (OidIsValid(cached_type))
		return cached_type;

	if (!callback_registered)
	{
		CacheRegisterSyscacheCallback(TYPEOID, forget_type_oid, (Datum) 0);
		callback_registered = true;
	}

	type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
						   CStringGetDatum("hexid"),
						   ObjectIdGetDatum(extension_schema()));
	if (!OidIsValid(type))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type \"%s\" does not exist", "hexid"),
				 errdetail("It should be in the schema of extension \"%s\".",
						   "pk_tracking")));

	cached_type_hash = GetSysCacheHashValue1(TYPEOID, ObjectIdGetDatum(type));
	cached_type = type;
	return type;
}


/*
 * Input and output
 */

/*
 * hexid_in
 *		Text to id: 16 hex digits of either case, nothing before, between or
 *		after them.
 *
 * Anything else is a soft error, which says what is wrong and where, never the
 * value.
 */
Datum
hexid_in(PG_FUNCTION_ARGS)
{
	char	   *str = PG_GETARG_CSTRING(0);
	HexId		id;
	int			nchars;
	int			pos = 0;

	if (hexid_parse(str, strlen(str), &id))
		PG_RETURN_HEXID(id);

	nchars = pg_mbstrlen(str);
	if (nchars != HEXID_TEXT_LEN)
		ereturn(fcinfo->context, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s", "hexid"),
				 errdetail_plural("Expected exactly 16 hexadecimal digits, got %d character.",
								  "Expected exactly 16 hexadecimal digits, got %d characters.",
								  nchars, nchars)));

	/*
	 * Hex digits are one byte each, so up to the first wrong character bytes
	 * and characters agree.
	 */
	while (hex_value[(uint8) str[pos]] != 0)
		pos++;
	ereturn(fcinfo->context, (Datum) 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type %s", "hexid"),
			 errdetail("Character %d is not a hexadecimal digit.", pos + 1)));
}

/*
 * hexid_out
 *		Id to text: 16 lower-case hex digits.
 */
Datum
hexid_out(PG_FUNCTION_ARGS)
{
	char	   *result = palloc(HEXID_TEXT_LEN + 1);

	hexid_format(PG_GETARG_HEXID(0), result);
	PG_RETURN_CSTRING(result);
}

/*
 * hexid_recv
 *		Binary form to id: 8 bytes, most significant first.
 *
 * Any 8 bytes are an id.  Fewer are an error here; more are an error of the
 * caller, which checks that a receive function has read everything.
 */
Datum
hexid_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);

	PG_RETURN_HEXID(pq_getmsgint64(buf));
}

/*
 * hexid_send
 *		Id to binary form: 8 bytes, most significant first.
 */
Datum
hexid_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, PG_GETARG_HEXID(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}


/*
 * Comparison.  These never fail and depend on their arguments only, so they
 * are LEAKPROOF.
 */

/* Order of two ids: negative, 0 or positive. */
static inline int
hexid_compare(HexId a, HexId b)
{
	return (a > b) - (a < b);
}

Datum
hexid_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_HEXID(0) == PG_GETARG_HEXID(1));
}

Datum
hexid_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_HEXID(0) != PG_GETARG_HEXID(1));
}

Datum
hexid_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_HEXID(0) < PG_GETARG_HEXID(1));
}

Datum
hexid_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_HEXID(0) <= PG_GETARG_HEXID(1));
}

Datum
hexid_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_HEXID(0) > PG_GETARG_HEXID(1));
}

Datum
hexid_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_HEXID(0) >= PG_GETARG_HEXID(1));
}

/*
 * hexid_cmp
 *		btree support 1: unsigned order.
 */
Datum
hexid_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(hexid_compare(PG_GETARG_HEXID(0), PG_GETARG_HEXID(1)));
}

#if SIZEOF_DATUM < 8
/* Where 8 bytes do not fit a Datum, it points to them. */
static int
hexid_fastcmp(Datum x, Datum y, SortSupport ssup)
{
	(void) ssup;
	return hexid_compare(DatumGetHexId(x), DatumGetHexId(y));
}
#endif

/*
 * hexid_sortsupport
 *		btree support 2: the server's own comparator for unsigned datums, for
 *		which it has a specialised sort.
 */
Datum
hexid_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

#if SIZEOF_DATUM < 8
	ssup->comparator = hexid_fastcmp;
#else
	ssup->comparator = ssup_datum_unsigned_cmp;
#endif
	PG_RETURN_VOID();
}

/*
 * hexid_equalimage
 *		btree support 4: equal ids are the same bytes, so an index may merge
 *		its duplicates.
 *
 * Takes the OID of the opclass's input type, and ignores it.  Not the server's
 * btequalimage(), so that the answer does not depend on the server.
 */
Datum
hexid_equalimage(PG_FUNCTION_ARGS)
{
	(void) fcinfo;
	PG_RETURN_BOOL(true);
}

Datum
hexid_smaller(PG_FUNCTION_ARGS)
{
	HexId		a = PG_GETARG_HEXID(0);
	HexId		b = PG_GETARG_HEXID(1);

	PG_RETURN_HEXID(a < b ? a : b);
}

Datum
hexid_larger(PG_FUNCTION_ARGS)
{
	HexId		a = PG_GETARG_HEXID(0);
	HexId		b = PG_GETARG_HEXID(1);

	PG_RETURN_HEXID(a > b ? a : b);
}


/*
 * Hashing.
 *
 * FROZEN.  Users' hash indexes and hash partitions depend on these values; the
 * server's own hash functions are not used, because we cannot freeze them.
 * All arithmetic is on 64-bit numbers, modulo 2^64, so neither the machine's
 * byte order nor its word size matters:
 *
 *		mix(x):	x ^= x >> 30;  x *= 0xBF58476D1CE4E5B9;
 *				x ^= x >> 27;  x *= 0x94D049BB133111EB;
 *				x ^= x >> 31
 *		h(id, 0) = mix(id + 0x9E3779B97F4A7C15)
 *		h(id, seed) = mix(h(id, 0) ^ seed)		for any other seed
 *
 * which for seed 0 is the first output of the generator SplitMix64 started
 * with id.  hash is the lower half of h(id, 0), hash_extended is h(id, seed);
 * the server requires that the two agree for seed 0.
 *
 * Ids from SHA-256 would need no mixing, but clients may also make ids, by
 * counting for example.
 */
static inline uint64
hexid_mix(uint64 x)
{
	x ^= x >> 30;
	x *= UINT64CONST(0xBF58476D1CE4E5B9);
	x ^= x >> 27;
	x *= UINT64CONST(0x94D049BB133111EB);
	x ^= x >> 31;
	return x;
}

/* h(id, seed) as defined above. */
static inline uint64
hexid_hash64(HexId id, uint64 seed)
{
	uint64		h = hexid_mix(id + UINT64CONST(0x9E3779B97F4A7C15));

	if (seed != 0)
		h = hexid_mix(h ^ seed);
	return h;
}

/*
 * hexid_hash
 *		hash support 1: 32 bits.
 */
Datum
hexid_hash(PG_FUNCTION_ARGS)
{
	PG_RETURN_UINT32((uint32) hexid_hash64(PG_GETARG_HEXID(0), 0));
}

/*
 * hexid_hash_extended
 *		hash support 2: 64 bits, seeded.
 */
Datum
hexid_hash_extended(PG_FUNCTION_ARGS)
{
	uint64		seed = (uint64) PG_GETARG_INT64(1);

	PG_RETURN_UINT64(hexid_hash64(PG_GETARG_HEXID(0), seed));
}


/*
 * Casts
 */

/*
 * hexid_from_bytea
 *		bytea to id.  Error unless it is 8 bytes.
 */
Datum
hexid_from_bytea(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	int			len = (int) VARSIZE_ANY_EXHDR(bytes);

	if (len != HEXID_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid length of a byte string for type %s", "hexid"),
				 errdetail_plural("Expected exactly 8 bytes, got %d byte.",
								  "Expected exactly 8 bytes, got %d bytes.",
								  len, len)));

	PG_RETURN_HEXID(hexid_from_bytes((const uint8 *) VARDATA_ANY(bytes)));
}

/*
 * hexid_to_bytea
 *		Id to its 8 bytes, most significant first.
 */
Datum
hexid_to_bytea(PG_FUNCTION_ARGS)
{
	uint64		raw = pg_hton64(PG_GETARG_HEXID(0));
	bytea	   *result = (bytea *) palloc(VARHDRSZ + HEXID_BYTES);

	SET_VARSIZE(result, VARHDRSZ + HEXID_BYTES);
	memcpy(VARDATA(result), &raw, HEXID_BYTES);
	PG_RETURN_BYTEA_P(result);
}


/*
 * Statistics.  The server's own hold the commonest values and a histogram: ids
 * of visitors, in a catalog that is kept, logged and replicated whatever becomes
 * of the rows.
 */

/* What the server would do for the column. */
typedef struct StandardAnalysis
{
	AnalyzeAttrComputeStatsFunc compute;
	void	   *extra;
} StandardAnalysis;

/*
 * The server's statistics without values: the fraction of NULLs, the width, the
 * number of distinct values, the correlation with the rows' order.
 */
static void
compute_without_values(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch, int samplerows,
					   double totalrows)
{
	StandardAnalysis *standard = stats->extra_data;

	stats->extra_data = standard->extra;
	standard->compute(stats, fetch, samplerows, totalrows);
	stats->extra_data = standard;

	for (int i = 0; i < STATISTIC_NUM_SLOTS; i++)
	{
		if (stats->stakind[i] == STATISTIC_KIND_CORRELATION)
			continue;
		stats->stakind[i] = 0;
		stats->staop[i] = InvalidOid;
		stats->stacoll[i] = InvalidOid;
		stats->numnumbers[i] = 0;
		stats->stanumbers[i] = NULL;
		stats->numvalues[i] = 0;
		stats->stavalues[i] = NULL;
	}
}

/*
 * hexid_typanalyze
 *		How ANALYZE gathers statistics of a column or expression of ids.
 */
Datum
hexid_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);
	StandardAnalysis *standard;

	if (!std_typanalyze(stats))
		PG_RETURN_BOOL(false);
	standard = palloc_object(StandardAnalysis);
	standard->compute = stats->compute_stats;
	standard->extra = stats->extra_data;
	stats->compute_stats = compute_without_values;
	stats->extra_data = standard;
	PG_RETURN_BOOL(true);
}
