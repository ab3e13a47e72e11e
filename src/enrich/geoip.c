/*
 * geoip.c
 *		Where an address is: MaxMind DB files, the cache in front of them.
 *
 * libmaxminddb maps the files and walks their search trees; every backend has
 * a handle of its own per file, opened when the first address is looked up,
 * the pages are shared through the page cache.  Files are looked at once a
 * transaction: one that has been replaced (by rename) is opened anew, and if
 * it is bad the old one, which is still mapped, stays in use.
 *
 * Records are decoded here, not by the library: one pass instead of a search
 * per field, no recursion, every read inside the section, so that a corrupt
 * file can give a wrong answer or none, but not crash a backend.  For the same
 * reason the metadata is checked before the library sees it.
 */
#include "postgres.h"

#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/fd.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/varlena.h"

#include <maxminddb.h>

#include "base/compat.h"
#include "base/text.h"
#include "enrich/geoip.h"
#include "settings/gucs.h"

/*
 * ---- The data format ----
 */

/* Types of values (MaxMind DB file format 2.0). */
#define VALUE_POINTER 1
#define VALUE_STRING 2
#define VALUE_DOUBLE 3
#define VALUE_UINT16 5
#define VALUE_UINT32 6
#define VALUE_MAP 7
#define VALUE_INT32 8
#define VALUE_UINT64 9
#define VALUE_ARRAY 11
#define VALUE_BOOLEAN 14
#define VALUE_FLOAT 15

/*
 * A map that is longer than this, pointers not followed, is corrupt, as is a
 * record with more keys in all the maps that are looked into.
 */
#define MAX_RECORD_LEN (64 * 1024)
#define MAX_RECORD_KEYS 1000

/* The same for metadata: values in all, and their nesting. */
#define MAX_METADATA_VALUES 10000
#define MAX_METADATA_DEPTH 16

/* The library looks for the metadata in as much of a file's end. */
#define MAX_METADATA_LEN (128 * 1024)
#define METADATA_MARKER "\xab\xcd\xefMaxMind.com"
#define METADATA_MARKER_LEN 14
#define DATA_SECTION_SEPARATOR 16

typedef struct Section
{
	const uint8 *data;
	size_t		size;
} Section;

typedef struct Value
{
	int			type;
	uint32		size;			/* of a map or an array: elements */
	const uint8 *data;			/* behind the control bytes */
	size_t		next;			/* offset behind it; of a map or an array: its first element's */
} Value;

/* big-endian, up to 8 bytes */
static uint64
read_uint(const uint8 *p, uint32 len)
{
	uint64		n = 0;

	while (len-- > 0)
		n = n << 8 | *p++;
	return n;
}

/*
 * Read the value at an offset; a pointer's size is then where it points to.
 * False if it is not inside the section.
 */
static bool
read_value(const Section *s, size_t at, Value *v)
{
	static const uint32 pointer_base[] = {0, 2048, 526336, 0};
	static const uint32 size_base[] = {29, 285, 65821};
	uint8		control;
	uint32		extra;

	if (at >= s->size)
		return false;
	control = s->data[at++];
	v->type = control >> 5;

	if (v->type == VALUE_POINTER)
	{
		uint32		len = (control >> 3 & 3) + 1;

		if (s->size - at < len)
			return false;
		v->size = (uint32) read_uint(s->data + at, len);
		if (len < 4)
			v->size += (uint32) (control & 7) << (8 * len);
		v->size += pointer_base[len - 1];
		v->data = s->data + at;
		v->next = at + len;
		return true;
	}

	if (v->type == 0)
	{
		if (at >= s->size)
			return false;
		v->type = 7 + s->data[at++];
		if (v->type > VALUE_FLOAT || v->type <= VALUE_MAP)
			return false;
	}
	v->size = control & 31;
	if (v->size >= 29)
	{
		extra = v->size - 28;
		if (s->size - at < extra)
			return false;
		v->size = size_base[extra - 1] + (uint32) read_uint(s->data + at, extra);
		at += extra;
	}

	v->data = s->data + at;
	v->next = at;
	if (v->type != VALUE_MAP && v->type != VALUE_ARRAY && v->type != VALUE_BOOLEAN)
	{
		if (s->size - at < v->size)
			return false;
		v->next += v->size;
	}
	return true;
}

/* Read the value at an offset, or what it points to.  *next: behind it. */
static bool
read_followed(const Section *s, size_t at, Value *v, size_t *next)
{
	if (!read_value(s, at, v))
		return false;
	*next = v->next;
	/* a pointer to a pointer is not allowed */
	return v->type != VALUE_POINTER ||
		(read_value(s, v->size, v) && v->type != VALUE_POINTER);
}

/* Offset behind the value at an offset, 0 if it ends nowhere before limit. */
static size_t
skip_value(const Section *s, size_t at, size_t limit)
{
	uint64		pending = 1;
	Value		v;

	while (pending > 0)
	{
		if (at >= limit || !read_value(s, at, &v))
			return 0;
		pending--;
		if (v.type == VALUE_MAP)
			pending += 2 * (uint64) v.size;
		else if (v.type == VALUE_ARRAY)
			pending += v.size;
		at = v.next;
	}
	return at;
}

static inline bool
string_is(const Value *v, const char *str, size_t len)
{
	return v->type == VALUE_STRING && v->size == len && memcmp(v->data, str, len) == 0;
}

/* A number that is not negative. */
static bool
value_uint(const Value *v, uint64 *n)
{
	if (v->type == VALUE_INT32 && v->size == 4 && (v->data[0] & 0x80))
		return false;
	if (!((v->type == VALUE_UINT16 || v->type == VALUE_UINT32 ||
		   v->type == VALUE_INT32 || v->type == VALUE_UINT64) && v->size <= 8))
		return false;
	*n = read_uint(v->data, v->size);
	return true;
}

/* A number, or a string that is one. */
static bool
value_double(const Value *v, double *d)
{
	uint64		n;

	if (v->type == VALUE_DOUBLE && v->size == 8)
	{
		n = read_uint(v->data, 8);
		memcpy(d, &n, 8);
	}
	else if (v->type == VALUE_FLOAT && v->size == 4)
	{
		uint32		n32 = (uint32) read_uint(v->data, 4);
		float		f;

		memcpy(&f, &n32, 4);
		*d = f;
	}
	else if (v->type == VALUE_STRING && v->size > 0 && v->size < 32)
	{
		char		str[32];
		char	   *end;

		memcpy(str, v->data, v->size);
		str[v->size] = '\0';
		if (strspn(str, "+-.0123456789") != v->size)
			return false;
		*d = strtod(str, &end);
		if (*end != '\0')
			return false;
	}
	else if (v->type == VALUE_INT32 && v->size == 4)
		*d = (int32) read_uint(v->data, 4);
	else if (value_uint(v, &n))
		*d = (double) n;
	else
		return false;
	return isfinite(*d);
}

/*
 * ---- From a record to a location ----
 */

typedef enum GeoField
{
	FIELD_NONE,
	FIELD_CONTINENT,
	FIELD_COUNTRY,
	FIELD_REGION_CODE,
	FIELD_REGION,
	FIELD_CITY,
	FIELD_LATITUDE,
	FIELD_LONGITUDE,
	FIELD_ASN,
	FIELD_ORGANISATION
} GeoField;
#define NFIELDS (FIELD_ORGANISATION + 1)

/* Maps that are looked into. */
typedef enum GeoMap
{
	MAP_NONE,
	MAP_TOP,
	MAP_CONTINENT,
	MAP_COUNTRY,
	MAP_REGISTERED_COUNTRY,
	MAP_REGION,					/* the first of an array */
	MAP_REGION_NAMES,
	MAP_CITY,
	MAP_CITY_NAMES,
	MAP_LOCATION,
	MAP_TRAITS
} GeoMap;

/* What a key means: a field if a scalar stands there, or the way to others. */
typedef struct GeoKey
{
	const char *name;
	uint8		len;
	uint8		map;			/* where the key stands */
	uint8		field;
	uint8		rank;			/* of several values of a field the lowest counts */
	uint8		into;			/* map or array of maps */
} GeoKey;

#define KEY(map, name, field, rank, into) {name, sizeof(name) - 1, map, field, rank, into}

/* Together by map, a map behind the one that leads to it. */
static const GeoKey city_keys[] = {
	/* MaxMind's layout: maps in a map */
	KEY(MAP_TOP, "continent", FIELD_CONTINENT, 2, MAP_CONTINENT),
	KEY(MAP_TOP, "country", FIELD_COUNTRY, 2, MAP_COUNTRY),
	KEY(MAP_TOP, "registered_country", FIELD_COUNTRY, 4, MAP_REGISTERED_COUNTRY),
	KEY(MAP_TOP, "subdivisions", FIELD_NONE, 0, MAP_REGION),
	KEY(MAP_TOP, "city", FIELD_CITY, 1, MAP_CITY),
	KEY(MAP_TOP, "location", FIELD_NONE, 0, MAP_LOCATION),
	/* the flat layouts of others */
	KEY(MAP_TOP, "continent_code", FIELD_CONTINENT, 1, MAP_NONE),
	KEY(MAP_TOP, "country_code", FIELD_COUNTRY, 1, MAP_NONE),
	KEY(MAP_TOP, "country_iso_code", FIELD_COUNTRY, 1, MAP_NONE),
	KEY(MAP_TOP, "region_code", FIELD_REGION_CODE, 1, MAP_NONE),
	KEY(MAP_TOP, "state1", FIELD_REGION, 1, MAP_NONE),
	KEY(MAP_TOP, "region", FIELD_REGION, 2, MAP_NONE),
	KEY(MAP_TOP, "region_name", FIELD_REGION, 3, MAP_NONE),
	KEY(MAP_TOP, "state", FIELD_REGION, 4, MAP_NONE),
	KEY(MAP_TOP, "city_name", FIELD_CITY, 2, MAP_NONE),
	KEY(MAP_TOP, "latitude", FIELD_LATITUDE, 1, MAP_NONE),
	KEY(MAP_TOP, "lat", FIELD_LATITUDE, 2, MAP_NONE),
	KEY(MAP_TOP, "longitude", FIELD_LONGITUDE, 1, MAP_NONE),
	KEY(MAP_TOP, "lng", FIELD_LONGITUDE, 2, MAP_NONE),
	KEY(MAP_TOP, "lon", FIELD_LONGITUDE, 2, MAP_NONE),

	KEY(MAP_CONTINENT, "code", FIELD_CONTINENT, 0, MAP_NONE),
	KEY(MAP_COUNTRY, "iso_code", FIELD_COUNTRY, 0, MAP_NONE),
	KEY(MAP_REGISTERED_COUNTRY, "iso_code", FIELD_COUNTRY, 3, MAP_NONE),
	KEY(MAP_REGION, "iso_code", FIELD_REGION_CODE, 0, MAP_NONE),
	KEY(MAP_REGION, "names", FIELD_NONE, 0, MAP_REGION_NAMES),
	KEY(MAP_REGION_NAMES, "en", FIELD_REGION, 0, MAP_NONE),
	KEY(MAP_CITY, "names", FIELD_NONE, 0, MAP_CITY_NAMES),
	KEY(MAP_CITY_NAMES, "en", FIELD_CITY, 0, MAP_NONE),
	KEY(MAP_LOCATION, "latitude", FIELD_LATITUDE, 0, MAP_NONE),
	KEY(MAP_LOCATION, "longitude", FIELD_LONGITUDE, 0, MAP_NONE)
};

static const GeoKey asn_keys[] = {
	KEY(MAP_TOP, "autonomous_system_number", FIELD_ASN, 0, MAP_NONE),
	KEY(MAP_TOP, "as_number", FIELD_ASN, 2, MAP_NONE),
	KEY(MAP_TOP, "asn", FIELD_ASN, 3, MAP_NONE),
	KEY(MAP_TOP, "autonomous_system_organization", FIELD_ORGANISATION, 0, MAP_NONE),
	KEY(MAP_TOP, "as_organization", FIELD_ORGANISATION, 2, MAP_NONE),
	KEY(MAP_TOP, "as_name", FIELD_ORGANISATION, 3, MAP_NONE),
	KEY(MAP_TOP, "organization", FIELD_ORGANISATION, 4, MAP_NONE),
	KEY(MAP_TOP, "organisation", FIELD_ORGANISATION, 4, MAP_NONE),
	KEY(MAP_TOP, "name", FIELD_ORGANISATION, 5, MAP_NONE),
	KEY(MAP_TOP, "traits", FIELD_NONE, 0, MAP_TRAITS),
	KEY(MAP_TRAITS, "autonomous_system_number", FIELD_ASN, 1, MAP_NONE),
	KEY(MAP_TRAITS, "autonomous_system_organization", FIELD_ORGANISATION, 1, MAP_NONE)
};

/* What a record says of each field; type 0: nothing. */
typedef struct GeoRecord
{
	Value		value[NFIELDS];
	uint8		rank[NFIELDS];
	int			keys;			/* seen so far, in all its maps */
} GeoRecord;

static inline bool
is_letter(uint8 c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
is_two_letters(const Value *v)
{
	return v->size == 2 && is_letter(v->data[0]) && is_letter(v->data[1]);
}

/* Continents by name, for files that lack the codes. */
static const struct
{
	const char *name;
	const char *code;
}			continents[] =
{
	{"Africa", "af"}, {"Antarctica", "an"}, {"Asia", "as"}, {"Europe", "eu"},
	{"North America", "na"}, {"Oceania", "oc"}, {"South America", "sa"}
};

/* Code of a continent, two bytes; false if the value is none. */
static bool
continent_code(const Value *v, char *code)
{
	if (is_two_letters(v))
	{
		code[0] = pg_ascii_tolower(v->data[0]);
		code[1] = pg_ascii_tolower(v->data[1]);
		return true;
	}
	for (int i = 0; i < (int) lengthof(continents); i++)
	{
		if (string_is(v, continents[i].name, strlen(continents[i].name)))
		{
			memcpy(code, continents[i].code, 2);
			return true;
		}
	}
	return false;
}

/* "AS64500" or 64500 */
static bool
asn_number(const Value *v, int64 *asn)
{
	uint64		n = 0;

	if (v->type == VALUE_STRING)
	{
		uint32		i = 0;

		if (v->size > 2 && pg_ascii_tolower(v->data[0]) == 'a' && pg_ascii_tolower(v->data[1]) == 's')
			i = 2;
		if (i == v->size || v->size - i > 10)
			return false;
		for (; i < v->size; i++)
		{
			if (v->data[i] < '0' || v->data[i] > '9')
				return false;
			n = n * 10 + (v->data[i] - '0');
		}
	}
	else if (!value_uint(v, &n))
		return false;
	if (n == 0 || n > PG_UINT32_MAX)
		return false;
	*asn = (int64) n;
	return true;
}

/* A region's code without its country's ("US-CA"); false if it is too long. */
static bool
trim_region_code(Value *v)
{
	if (v->size > 3 && v->data[2] == '-' && is_letter(v->data[0]) && is_letter(v->data[1]))
	{
		v->data += 3;
		v->size -= 3;
	}
	return v->size <= 3;
}

/* Note a value of a field, if it makes sense and none before it is better. */
static void
offer(GeoRecord *rec, const GeoKey *key, const Value *v)
{
	Value		trimmed = *v;
	char		code[2];
	int64		asn;
	double		d;

	if (rec->value[key->field].type != 0 && rec->rank[key->field] <= key->rank)
		return;
	switch ((GeoField) key->field)
	{
		case FIELD_NONE:
			return;
		case FIELD_CONTINENT:
			if (v->type != VALUE_STRING || !continent_code(v, code))
				return;
			break;
		case FIELD_COUNTRY:
			if (v->type != VALUE_STRING || !is_two_letters(v))
				return;
			break;
		case FIELD_REGION_CODE:
			if (v->type != VALUE_STRING || v->size == 0 || !trim_region_code(&trimmed))
				return;
			break;
		case FIELD_REGION:
		case FIELD_CITY:
		case FIELD_ORGANISATION:
			if (v->type != VALUE_STRING || v->size == 0)
				return;
			break;
		case FIELD_LATITUDE:
			if (!value_double(v, &d) || fabs(d) > 90)
				return;
			break;
		case FIELD_LONGITUDE:
			if (!value_double(v, &d) || fabs(d) > 180)
				return;
			break;
		case FIELD_ASN:
			if (!asn_number(v, &asn))
				return;
			break;
	}
	rec->value[key->field] = trimmed;
	rec->rank[key->field] = key->rank;
}

/*
 * Gather what a map says.  Recursion ends with the table of keys: three deep.
 * Gives the offset behind the map, 0 if it is corrupt.
 */
static size_t
read_map(const Section *s, const Value *map, GeoMap which,
		 const GeoKey *keys, int nkeys, GeoRecord *rec)
{
	size_t		at = map->next;
	size_t		limit = at + MAX_RECORD_LEN;

	/* a map's keys stand together, behind those of the map that leads to it */
	while (nkeys > 0 && keys->map != which)
	{
		keys++;
		nkeys--;
	}

	for (uint32 i = 0; i < map->size; i++)
	{
		Value		name;
		Value		v;
		size_t		value_at;
		size_t		next;
		const GeoKey *key = NULL;
		bool		inlined;

		if (at >= limit || ++rec->keys > MAX_RECORD_KEYS ||
			!read_followed(s, at, &name, &value_at) || name.type != VALUE_STRING)
			return 0;
		for (int k = 0; k < nkeys && keys[k].map == which; k++)
		{
			if (string_is(&name, keys[k].name, keys[k].len))
			{
				key = &keys[k];
				break;
			}
		}

		if (key == NULL)
			at = skip_value(s, value_at, limit);
		else
		{
			if (!read_followed(s, value_at, &v, &next))
				return 0;
			inlined = (v.data == s->data + next);	/* of a map or an array */

			if (v.type == VALUE_MAP && key->into != MAP_NONE)
			{
				size_t		end = read_map(s, &v, (GeoMap) key->into, keys, nkeys, rec);

				at = (end == 0 || inlined) ? end : next;
			}
			else if (v.type == VALUE_MAP || v.type == VALUE_ARRAY)
			{
				at = skip_value(s, value_at, limit);
				if (key->into == MAP_REGION && v.type == VALUE_ARRAY && v.size > 0 &&
					(!read_followed(s, v.next, &v, &next) ||
					 (v.type == VALUE_MAP && read_map(s, &v, MAP_REGION, keys, nkeys, rec) == 0)))
					return 0;
			}
			else
			{
				offer(rec, key, &v);
				at = next;
			}
		}
		if (at == 0)
			return 0;
	}
	return at;
}

/* Copy a text: valid, trimmed, cut between characters. */
static void
copy_text(char *to, const Value *v)
{
	/* no text that is worth more: a corrupt file may claim megabytes */
	char	   *clean = text_clean((const char *) v->data, Min(v->size, 4 * GEO_TEXT_SIZE), true);
	char	   *str = text_trim(clean);

	text_cut_bytes(str, GEO_TEXT_SIZE - 1);
	strlcpy(to, str, GEO_TEXT_SIZE);
	pfree(clean);
}

/* What a city file's record says.  False if that is nothing. */
static bool
read_city(const GeoRecord *rec, GeoLocation *loc)
{
	const Value *v = rec->value;

	if (v[FIELD_CONTINENT].type)
		continent_code(&v[FIELD_CONTINENT], loc->continent);
	if (v[FIELD_COUNTRY].type)
	{
		loc->country[0] = pg_ascii_tolower(v[FIELD_COUNTRY].data[0]);
		loc->country[1] = pg_ascii_tolower(v[FIELD_COUNTRY].data[1]);
	}
	if (v[FIELD_REGION_CODE].type)
		copy_text(loc->region, &v[FIELD_REGION_CODE]);
	if (v[FIELD_REGION].type && loc->region[0] == '\0')
		copy_text(loc->region, &v[FIELD_REGION]);
	if (v[FIELD_CITY].type)
		copy_text(loc->city, &v[FIELD_CITY]);
	if (v[FIELD_LATITUDE].type && v[FIELD_LONGITUDE].type)
	{
		value_double(&v[FIELD_LATITUDE], &loc->latitude);
		value_double(&v[FIELD_LONGITUDE], &loc->longitude);
		/* nobody lives at 0, 0: that is how some files say "unknown" */
		loc->has_coordinates = loc->latitude != 0 || loc->longitude != 0;
	}
	return loc->continent[0] || loc->country[0] || loc->region[0] || loc->city[0] ||
		loc->has_coordinates;
}

/* The same of an ASN file's. */
static bool
read_asn(const GeoRecord *rec, GeoLocation *loc)
{
	const Value *v = rec->value;

	if (v[FIELD_ASN].type)
		asn_number(&v[FIELD_ASN], &loc->asn);
	if (v[FIELD_ORGANISATION].type)
		copy_text(loc->organisation, &v[FIELD_ORGANISATION]);
	return loc->asn != 0 || loc->organisation[0];
}


/*
 * ---- Files ----
 */

typedef enum GeoKind
{
	KIND_CITY,
	KIND_ASN
} GeoKind;

/* Which file it was, and which version of it. */
typedef struct FileId
{
	dev_t		dev;
	ino_t		ino;
	off_t		size;
	struct timespec mtime;
} FileId;

/* A place of a file as it was read last; many networks lie in one place. */
#define RECORDS 256				/* of a file; a power of 2 */

typedef struct RecordEntry
{
	bool		used;
	bool		has_city;
	uint32		offset;			/* in the file's data */
	GeoLocation location;
} RecordEntry;

typedef struct GeoFile
{
	char	   *path;
	bool		is_open;
	MMDB_s		db;
	Section		data;
	RecordEntry *records;		/* of the open one, direct-mapped; NULL: none was read */
	FileId		db_id;			/* of the open one */
	bool		tried;
	FileId		tried_id;		/* of the last one that was looked at; good or bad */
	char	   *error;			/* NULL: none */
	bool		warn;			/* of the error, at the next look-up */
	bool		warned_missing;
} GeoFile;

/* One of the two lists. */
typedef struct GeoList
{
	const char *kind;
	const char *parameter;
	char	  **value;			/* the parameter's */
	char	   *seen;			/* the parameter when files was made */
	List	   *files;			/* of GeoFile * */
	char	   *error;			/* it cannot be read */
	bool		warn;
} GeoList;

static GeoList lists[] = {
	{"city", "pk_tracking.geoip_city_file", &pkt_geoip_city_file, NULL, NIL, NULL, false},
	{"asn", "pk_tracking.geoip_asn_file", &pkt_geoip_asn_file, NULL, NIL, NULL, false}
};

/* What the files are kept in. */
static MemoryContext geoip_context = NULL;

/* Transaction in which the files were last looked at. */
static TimestampTz checked_at = 0;


/*
 * The cache: full addresses and what they gave, direct-mapped.
 */
#define CACHE_SIZE 256			/* a power of 2 */

typedef struct CacheEntry
{
	bool		used;
	bool		has_city;
	bool		asked_asn;
	bool		has_asn;
	PktIp		ip;
	GeoLocation location;
} CacheEntry;

static CacheEntry *cache = NULL;
static uint64 cache_seed;

static void
forget_cache(void)
{
	/* addresses do not outlive their use */
	if (cache)
		memset(cache, 0, CACHE_SIZE * sizeof(CacheEntry));
}

static inline FileId
file_id(const struct stat *st)
{
	FileId		id = {0};

	id.dev = st->st_dev;
	id.ino = st->st_ino;
	id.size = st->st_size;
	id.mtime = st->st_mtim;
	return id;
}

static inline bool
same_inode(const FileId *a, const FileId *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

static inline bool
same_file(const FileId *a, const FileId *b)
{
	return same_inode(a, b) && a->size == b->size &&
		a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

static void
close_file(GeoFile *f)
{
	if (f->is_open)
	{
		f->is_open = false;
		MMDB_close(&f->db);
		if (f->records != NULL)
			pfree(f->records);
		f->records = NULL;
		forget_cache();
	}
}

static void
set_error(GeoFile *f, const char *error)
{
	if (f->error)
		pfree(f->error);
	f->error = NULL;
	if (error)
		f->error = MemoryContextStrdup(geoip_context, error);
}

/* Is the value at *at, with all that it points to, finite and inside? */
static bool
check_value(const Section *s, size_t *at, int depth, int *left)
{
	Value		v;
	size_t		next;
	uint64		n;

	if (depth > MAX_METADATA_DEPTH || --*left < 0 || !read_followed(s, *at, &v, &next))
		return false;
	if (v.type == VALUE_MAP || v.type == VALUE_ARRAY)
	{
		size_t		inner = v.next;
		bool		pointed = (v.data != s->data + next);

		n = (v.type == VALUE_MAP) ? 2 * (uint64) v.size : v.size;
		while (n-- > 0)
		{
			if (!check_value(s, &inner, depth + 1, left))
				return false;
		}
		*at = pointed ? next : inner;
	}
	else
		*at = next;
	return true;
}

/*
 * Is there sound metadata at the end of a file, and does the search tree that
 * it speaks of fit in?
 */
static bool
check_metadata(const char *end, size_t len, off_t file_size)
{
	Section		s = {NULL, 0};
	Value		map;
	size_t		at = 0;
	int			left = MAX_METADATA_VALUES;
	uint64		nodes = 0;
	uint64		bits = 0;

	for (size_t i = len; i-- > 0;)
	{
		if (len - i >= METADATA_MARKER_LEN &&
			memcmp(end + i, METADATA_MARKER, METADATA_MARKER_LEN) == 0)
		{
			s.data = (const uint8 *) end + i + METADATA_MARKER_LEN;
			s.size = len - i - METADATA_MARKER_LEN;
			break;
		}
	}
	if (s.data == NULL || !read_value(&s, 0, &map) || map.type != VALUE_MAP ||
		!check_value(&s, &at, 0, &left))
		return false;

	at = map.next;
	for (uint32 i = 0; i < map.size; i++)
	{
		Value		name;
		Value		v;
		size_t		value_at;
		size_t		next;

		if (!read_followed(&s, at, &name, &value_at) || !read_followed(&s, value_at, &v, &next))
			return false;
		if (string_is(&name, "node_count", 10))
			value_uint(&v, &nodes);
		else if (string_is(&name, "record_size", 11))
			value_uint(&v, &bits);
		at = skip_value(&s, value_at, s.size);
		if (at == 0)
			return false;
	}
	return nodes > 0 && nodes <= PG_UINT32_MAX &&
		(bits == 24 || bits == 28 || bits == 32) &&
		nodes * (bits / 4) + DATA_SECTION_SEPARATOR < (uint64) file_size;
}

/*
 * Open a file: into *db, of which version into *id.  NULL, or what is wrong
 * with it; *again: it may be better without having changed.
 */
static const char *
open_file(const char *path, MMDB_s *db, FileId *id, bool *again)
{
	struct stat st;
	const char *error = NULL;
	char	   *end;
	size_t		len;
	int			fd;
	int			status;

	*again = true;
	fd = OpenTransientFile(path, O_RDONLY | PG_BINARY | O_NONBLOCK);
	if (fd < 0)
		return psprintf("%s", strerror(errno));
	if (fstat(fd, &st) != 0)
	{
		error = psprintf("%s", strerror(errno));
		CloseTransientFile(fd);
		return error;
	}
	*id = file_id(&st);

	*again = false;
	if (!S_ISREG(st.st_mode))
	{
		CloseTransientFile(fd);
		return "not a regular file";
	}
	len = Min(st.st_size, MAX_METADATA_LEN);
	end = palloc(len + 1);
	errno = 0;
	if (pg_pread(fd, end, len, st.st_size - (off_t) len) != (ssize_t) len)
	{
		*again = true;
		error = errno ? psprintf("%s", strerror(errno)) : "the file is being written";
	}
	else if (!check_metadata(end, len, st.st_size))
		error = "not a MaxMind DB file, or a damaged one";
	pfree(end);
	CloseTransientFile(fd);
	if (error)
		return error;

	status = MMDB_open(path, MMDB_MODE_MMAP, db);
	if (status == MMDB_SUCCESS)
	{
		/* replaced between the two openings: come back */
		if (db->file_size == st.st_size &&
			db->metadata.node_count * (uint64) db->full_record_byte_size + DATA_SECTION_SEPARATOR < (uint64) db->file_size)
			return NULL;
		MMDB_close(db);
		*again = true;
		return "the file is being written";
	}
	*again = (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR || status == MMDB_OUT_OF_MEMORY_ERROR);
	return MMDB_strerror(status);
}

/* See whether a file has come, gone or changed. */
static void
check_file(GeoFile *f)
{
	struct stat st;
	FileId		id;
	MMDB_s		db;
	bool		again;
	const char *error;
	bool		was_known;

	if (stat(f->path, &st) != 0)
	{
		/* an open one stays in use */
		error = strerror(errno);
		if (f->error == NULL || strcmp(f->error, error) != 0)
			set_error(f, error);
		if (!f->warned_missing)
			f->warn = f->warned_missing = true;
		f->tried = false;
		return;
	}
	id = file_id(&st);
	if (f->tried && same_file(&id, &f->tried_id))
		return;
	if (f->is_open && same_file(&id, &f->db_id))
	{
		/* back again */
		f->tried = true;
		f->tried_id = id;
		f->warn = false;
		set_error(f, NULL);
		return;
	}

	/* One that was written to in place is no longer what we have checked. */
	if (f->is_open && same_inode(&id, &f->db_id))
		close_file(f);

	error = open_file(f->path, &db, &id, &again);
	if (error == NULL)
	{
		close_file(f);
		f->db = db;
		f->data.data = db.data_section;
		f->data.size = db.data_section_size;
		f->db_id = id;
		f->is_open = true;
		f->tried = true;
		f->tried_id = id;
		f->warn = false;
		forget_cache();
		set_error(f, NULL);
		return;
	}
	was_known = (f->error != NULL && strcmp(f->error, error) == 0);
	f->tried = !again;
	f->tried_id = id;
	if (!again || !was_known)
		f->warn = true;
	set_error(f, error);
}

static void
free_file(GeoFile *f)
{
	close_file(f);
	set_error(f, NULL);
	pfree(f->path);
	pfree(f);
}

/* Make a list's files from its parameter; those that stay keep their handles. */
static void
read_list(GeoList *list)
{
	const char *value = *list->value ? *list->value : "";
	char	   *seen = MemoryContextStrdup(geoip_context, value);
	char	   *raw = pstrdup(value);
	List	   *paths = NIL;
	List	   *files = NIL;
	List	   *old = list->files;
	bool		valid = SplitDirectoriesString(raw, ',', &paths);
	MemoryContext context = MemoryContextSwitchTo(geoip_context);
	ListCell   *lc;

	if (!valid)
		paths = NIL;			/* not half of it */
	foreach(lc, paths)
	{
		const char *path = lfirst(lc);
		GeoFile    *f = NULL;
		ListCell   *lo;

		foreach(lo, old)
		{
			GeoFile    *o = lfirst(lo);

			if (strcmp(o->path, path) == 0)
				f = o;
		}
		if (f == NULL)
		{
			f = palloc0(sizeof(GeoFile));
			f->path = pstrdup(path);
		}
		files = list_append_unique_ptr(files, f);
	}
	if (!valid && list->error == NULL)
		list->error = pstrdup("the list is not valid");
	MemoryContextSwitchTo(context);

	/* from here on nothing fails */
	list->files = files;
	foreach(lc, old)
	{
		if (!list_member_ptr(files, lfirst(lc)))
			free_file(lfirst(lc));
	}
	list_free(old);
	list_free_deep(paths);
	pfree(raw);
	if (valid && list->error)
	{
		pfree(list->error);
		list->error = NULL;
	}
	list->warn = !valid;
	if (list->seen)
		pfree(list->seen);
	list->seen = seen;
	forget_cache();
}

/* Look at the parameters, and once a transaction at the files. */
static void
check_files(bool anew, bool warn)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	bool		changed = false;

	if (geoip_context == NULL)
		geoip_context = AllocSetContextCreate(TopMemoryContext, "pk_tracking geoip", ALLOCSET_SMALL_SIZES);

	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		GeoList    *list = &lists[i];

		if (list->seen == NULL || strcmp(list->seen, *list->value ? *list->value : "") != 0)
		{
			read_list(list);
			changed = true;
		}
	}
	if (!changed && !anew && now == checked_at)
		return;

	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		ListCell   *lc;

		if (warn && lists[i].warn)
		{
			lists[i].warn = false;
			ereport(WARNING,
					(errcode(ERRCODE_CONFIG_FILE_ERROR),
					 errmsg("parameter \"%s\" is not a valid list of files", lists[i].parameter)));
		}
		foreach(lc, lists[i].files)
		{
			GeoFile    *f = lfirst(lc);

			check_file(f);
			if (warn && f->warn && f->error)
			{
				f->warn = false;
				ereport(WARNING,
						(errcode(ERRCODE_CONFIG_FILE_ERROR),
						 errmsg("could not use GeoIP file \"%s\": %s", f->path, f->error),
						 f->is_open ?
						 errdetail("The file that was opened before stays in use.") :
						 errdetail("Addresses are not located by it.")));
			}
		}
	}
	checked_at = now;
}


/*
 * ---- Look-up ----
 */

/* What the file's record at the offset says; false if that is nothing. */
static bool
read_record(GeoFile *f, GeoKind kind, uint32 offset, GeoLocation *loc)
{
	GeoRecord	rec;
	Value		top;
	size_t		next;

	memset(&rec, 0, sizeof(rec));
	if (!read_followed(&f->data, offset, &top, &next) || top.type != VALUE_MAP)
		return false;
	if (kind == KIND_CITY)
		return read_map(&f->data, &top, MAP_TOP, city_keys, lengthof(city_keys), &rec) != 0 &&
			read_city(&rec, loc);
	return read_map(&f->data, &top, MAP_TOP, asn_keys, lengthof(asn_keys), &rec) != 0 &&
		read_asn(&rec, loc);
}

/* The same of a place, into an empty location, from the cache if it is there. */
static bool
read_place(GeoFile *f, uint32 offset, GeoLocation *loc)
{
	RecordEntry *e;

	if (f->records == NULL)
		f->records = MemoryContextAllocZero(geoip_context, RECORDS * sizeof(RecordEntry));
	e = &f->records[(offset * 2654435769u) >> 24 & (RECORDS - 1)];
	if (!e->used || e->offset != offset)
	{
		memset(e, 0, sizeof(*e));
		e->has_city = read_record(f, KIND_CITY, offset, &e->location);
		e->offset = offset;
		e->used = true;
	}
	if (e->has_city)
		*loc = e->location;
	return e->has_city;
}

/* Ask a list's files in their order.  True if one knows the address. */
static bool
search_files(GeoKind kind, const struct sockaddr *addr, GeoLocation *loc)
{
	ListCell   *lc;

	foreach(lc, lists[kind].files)
	{
		GeoFile    *f = lfirst(lc);
		MMDB_lookup_result_s result;
		int			status;

		if (!f->is_open || (addr->sa_family == AF_INET6 && f->db.metadata.ip_version == 4))
			continue;
		result = MMDB_lookup_sockaddr(&f->db, addr, &status);
		if (status != MMDB_SUCCESS || !result.found_entry)
			continue;

		if (kind == KIND_CITY ? read_place(f, result.entry.offset, loc) :
			read_record(f, kind, result.entry.offset, loc))
			return true;
	}
	return false;
}

/* ::ffff:a.b.c.d */
static inline bool
is_v4_mapped(const PktIp *ip)
{
	static const uint8 prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	return ip->len == 16 && memcmp(ip->bytes, prefix, sizeof(prefix)) == 0;
}

/* The address's place in the cache, with what the city files say of it. */
static CacheEntry *
cached_location(const PktIp *ip, const struct sockaddr *addr)
{
	CacheEntry *e;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(geoip_context, CACHE_SIZE * sizeof(CacheEntry));
		if (!pg_strong_random(&cache_seed, sizeof(cache_seed)))
			cache_seed = (uint64) GetCurrentTimestamp() ^ ((uint64) MyProcPid << 32);
	}
	e = &cache[hash_bytes_extended(ip->bytes, ip->len, cache_seed) & (CACHE_SIZE - 1)];
	if (e->used && e->ip.len == ip->len && memcmp(e->ip.bytes, ip->bytes, ip->len) == 0)
		return e;

	memset(e, 0, sizeof(*e));	/* and not used, should this fail */
	e->has_city = search_files(KIND_CITY, addr, &e->location);
	e->ip = *ip;
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
	check_files(false, true);
	if (lists[KIND_CITY].files == NIL && (level < GEO_CITY || lists[KIND_ASN].files == NIL))
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
		e->has_asn = search_files(KIND_ASN, &addr.sa, &e->location);
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

List *
geoip_status(void)
{
	List	   *result = NIL;

	check_files(true, false);
	for (int i = 0; i < (int) lengthof(lists); i++)
	{
		ListCell   *lc;

		if (lists[i].error)
		{
			GeoFileStatus *st = palloc0(sizeof(GeoFileStatus));

			st->kind = lists[i].kind;
			st->error = pstrdup(lists[i].error);
			result = lappend(result, st);
		}
		foreach(lc, lists[i].files)
		{
			GeoFile    *f = lfirst(lc);
			GeoFileStatus *st = palloc0(sizeof(GeoFileStatus));

			st->path = pstrdup(f->path);
			st->kind = lists[i].kind;
			if (f->is_open)
			{
				const char *type = f->db.metadata.database_type;
				uint64		epoch = f->db.metadata.build_epoch;

				st->type = type ? text_clean(type, strnlen(type, GEO_TEXT_SIZE), true) : NULL;
				/* up to the year 9999 */
				if (epoch > 0 && epoch < UINT64CONST(253402300800))
				{
					st->has_built = true;
					st->built = time_t_to_timestamptz((pg_time_t) epoch);
				}
			}
			st->error = f->error ? pstrdup(f->error) : NULL;
			result = lappend(result, st);
		}
	}
	return result;
}

const char *
geoip_library_version(void)
{
	return MMDB_lib_version();
}


/*
 * ---- Functions for SQL ----
 */

PG_FUNCTION_INFO_V1(pkt_geoip);
PG_FUNCTION_INFO_V1(pkt_geoip_files);

/* geoip(inet) RETURNS location: NULL if nothing is known. */
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
			values[4] = DirectFunctionCall2(timestamp_mi,
											TimestampTzGetDatum(GetCurrentTransactionStartTimestamp()),
											TimestampTzGetDatum(st->built));
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
