/*
 * geoip.c
 *		Locating addresses: the look-up, its cache, and the SQL functions.
 */
#include "postgres.h"

#include <math.h>
#include <netinet/in.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/crypto.h"
#include "base/siphash.h"
#include "enrich/geoip.h"
#include "enrich/geoip_file.h"

/*
 * The cache: locations, direct-mapped, under a hash of the address.  The key of
 * the hash is the backend's own, so nobody can find addresses that meet, and
 * with 64 bits they do not by chance.
 */
#define CACHE_SIZE 256			/* a power of 2 */

typedef struct CacheEntry
{
	bool		used;
	bool		has_city;
	bool		asked_asn;
	bool		has_asn;
	uint64		hash;
	GeoLocation location;
} CacheEntry;

static CacheEntry *cache = NULL;
static SipKey cache_key;

/* geoip_files_version under which its entries were made. */
static uint64 cache_version;

/* ::ffff:a.b.c.d */
static inline bool
is_v4_mapped(const PktIp *ip)
{
	static const uint8 prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return ip->len == 16 && memcmp(ip->bytes, prefix, sizeof(prefix)) == 0;
}

/* The address's entry in the cache, with its location in the city files. */
static CacheEntry *
cached_location(const PktIp *ip, const struct sockaddr *addr)
{
	CacheEntry *e;
	uint64		hash;

	/* locations are not kept longer than they are of use */
	if (cache != NULL && cache_version != geoip_files_version)
		memset(cache, 0, CACHE_SIZE * sizeof(CacheEntry));
	cache_version = geoip_files_version;

	if (cache == NULL)
	{
		random_bytes(&cache_key, sizeof(cache_key));
		cache = MemoryContextAllocZero(TopMemoryContext, CACHE_SIZE * sizeof(CacheEntry));
	}
	hash = siphash(&cache_key, ip->bytes, ip->len);
	e = &cache[hash & (CACHE_SIZE - 1)];
	if (e->used && e->hash == hash)
		return e;

	memset(e, 0, sizeof(*e));	/* the entry stays unused if this fails */
	e->has_city = geoip_files_search(KIND_CITY, addr, &e->location);
	e->hash = hash;
	e->used = true;
	return e;
}

bool
geoip_lookup(const PktIp *ip, GeoLevel level, GeoLocation *out)
{
	PktIp		v4 = {0};
	union
	{
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	}			addr;
	CacheEntry *e;
	bool		found;

	memset(out, 0, sizeof(*out));
	if (ip->len == 0 || level == GEO_NONE)
		return false;
	geoip_files_check(false, true);
	if (!geoip_files_given(KIND_CITY) && (level < GEO_CITY || !geoip_files_given(KIND_ASN)))
		return false;

	if (is_v4_mapped(ip))
	{
		v4.len = 4;
		memcpy(v4.bytes, ip->bytes + 12, 4);
		ip = &v4;
	}
	memset(&addr, 0, sizeof(addr));
	if (ip->len == 4)
	{
		addr.in.sin_family = AF_INET;
		memcpy(&addr.in.sin_addr, ip->bytes, 4);
	}
	else
	{
		addr.in6.sin6_family = AF_INET6;
		memcpy(&addr.in6.sin6_addr, ip->bytes, 16);
	}

	e = cached_location(ip, &addr.sa);
	if (level == GEO_CITY && !e->asked_asn)
	{
		e->has_asn = geoip_files_search(KIND_ASN, &addr.sa, &e->location);
		e->asked_asn = true;
	}

	if (level == GEO_CITY)
	{
		*out = e->location;
		return e->has_city || e->has_asn;
	}

	memcpy(out->continent, e->location.continent, sizeof(out->continent));
	found = out->continent[0];
	if (level >= GEO_COUNTRY)
	{
		memcpy(out->country, e->location.country, sizeof(out->country));
		found = found || out->country[0];
	}
	if (level >= GEO_REGION)
	{
		memcpy(out->region, e->location.region, sizeof(out->region));
		found = found || out->region[0];
	}
	return found;
}

void
geoip_make_anonymous(GeoLocation *location)
{
	location->has_coordinates = false;
	location->latitude = location->longitude = 0;
	location->asn = 0;
	memset(location->organisation, 0, sizeof(location->organisation));
}

Datum
geoip_degrees(double degrees)
{
	Assert(fabs(degrees) <= 180);
	return NumericGetDatum(int64_div_fast_to_numeric((int64) rint(degrees * 1e6), 6));
}


/*
 * ---- Functions for SQL ----
 */

PG_FUNCTION_INFO_V1(pkt_geoip);
PG_FUNCTION_INFO_V1(pkt_geoip_files);

/* geoip(inet) RETURNS location: NULL if the address is in no file. */
Datum
pkt_geoip(PG_FUNCTION_ARGS)
{
	PktIp		ip = ip_from_inet(PG_GETARG_INET_PP(0));
	GeoLocation loc;
	TupleDesc	desc;
	Datum		values[8] = {0};
	bool		nulls[8];

	if (!geoip_lookup(&ip, GEO_CITY, &loc))
		PG_RETURN_NULL();

	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != 8)
			elog(ERROR, "geoip() must return pk_tracking.location");
		fcinfo->flinfo->fn_extra = BlessTupleDesc(desc);
		MemoryContextSwitchTo(old);
	}
	desc = fcinfo->flinfo->fn_extra;

	memset(nulls, true, sizeof(nulls));
#define PUT_TEXT(i, str) \
	if ((str)[0] != '\0') \
		values[i] = CStringGetTextDatum(str), nulls[i] = false
	PUT_TEXT(0, loc.continent);
	PUT_TEXT(1, loc.country);
	PUT_TEXT(2, loc.region);
	PUT_TEXT(3, loc.city);
	PUT_TEXT(7, loc.organisation);
#undef PUT_TEXT
	if (loc.has_coordinates)
	{
		values[4] = geoip_degrees(loc.latitude);
		values[5] = geoip_degrees(loc.longitude);
		nulls[4] = nulls[5] = false;
	}
	if (loc.asn != 0)
	{
		values[6] = Int64GetDatum(loc.asn);
		nulls[6] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* geoip_files() RETURNS TABLE: the files of both lists. */
Datum
pkt_geoip_files(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		now = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	ListCell   *lc;

	InitMaterializedSRF(fcinfo, 0);
	foreach(lc, geoip_status())
	{
		GeoFileStatus *st = lfirst(lc);
		Datum		values[6] = {0};
		bool		nulls[6] = {false};

		if (st->path)
			values[0] = CStringGetTextDatum(st->path);
		else
			nulls[0] = true;
		values[1] = CStringGetTextDatum(st->kind);
		if (st->type)
			values[2] = CStringGetTextDatum(st->type);
		else
			nulls[2] = true;
		if (st->has_built)
		{
			values[3] = TimestampTzGetDatum(st->built);
			values[4] = DirectFunctionCall2(timestamp_mi, now, TimestampTzGetDatum(st->built));
		}
		else
			nulls[3] = nulls[4] = true;
		if (st->error)
			values[5] = CStringGetTextDatum(st->error);
		else
			nulls[5] = true;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
