/*
 * geoip_mmdb.c
 *		The layout of MaxMind DB files; see geoip_mmdb.h.
 *
 * libmaxminddb maps the files and walks their search trees, but records are
 * decoded here: in one pass instead of a search per field, without unlimited
 * recursion, with every read inside the section, so that a corrupt file cannot
 * crash a backend.  For the same reason the metadata is checked before the
 * library reads it.
 */
#include "postgres.h"

#include <math.h>

#include "base/compat.h"
#include "base/text.h"
#include "enrich/geoip_mmdb.h"

/*
 * ---- Values ----
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
 * A map that is longer than this, without the data that pointers lead to, is
 * corrupt, as is a record with more keys in all the maps that are read.
 */
#define MAX_RECORD_LEN (64 * 1024)
#define MAX_RECORD_KEYS 1000

/* The same for metadata: number of values, and their nesting. */
#define MAX_METADATA_VALUES 10000
#define MAX_METADATA_DEPTH 16

#define METADATA_MARKER "\xab\xcd\xefMaxMind.com"
#define METADATA_MARKER_LEN 14

typedef struct Value
{
	int			type;
	uint32		size;			/* of a map or an array: elements */
	const uint8 *data;			/* after the control bytes */
	size_t		next;			/* offset after it; of a map or an array: of
								 * its first element */
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
 * Read the value at an offset; the size of a pointer is the offset that it
 * points to.  False if the value is not inside the section.
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

/* Read the value at an offset, following a pointer.  *next: the offset after it. */
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

/* The offset after the value at an offset; 0 if the value is corrupt or reaches limit. */
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

/* A number, or a string with one. */
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

/* Maps that are read. */
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

/* What a key means: a field if its value is a scalar, or a map to read. */
typedef struct GeoKey
{
	const char *name;
	uint8		len;
	uint8		map;			/* in which the key is */
	uint8		field;
	uint8		rank;			/* of several values of a field the one with
								 * the lowest wins */
	uint8		into;			/* the map that the value is, or an array of
								 * maps */
} GeoKey;

#define KEY(map, name, field, rank, into) {name, sizeof(name) - 1, map, field, rank, into}

/* Sorted by map, a map after the one that leads to it. */
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

/* A record's value of each field; type 0: it has none. */
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

/* Code of a continent, two bytes; false if the value is not a continent. */
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

		if (v->size > 2 &&
			pg_ascii_tolower(v->data[0]) == 'a' && pg_ascii_tolower(v->data[1]) == 's')
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

/* Remove the country's code from a region's ("US-CA"); false if the rest is too long. */
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

/* Keep a value of a field, if it is valid and none of a lower rank came before. */
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
 * Collect the fields of a map.  The table of keys limits the recursion to three
 * levels.  Returns the offset after the map, 0 if it is corrupt.
 */
static size_t
read_map(const Section *s, const Value *map, GeoMap which,
		 const GeoKey *keys, int nkeys, GeoRecord *rec)
{
	size_t		at = map->next;
	size_t		limit = at + MAX_RECORD_LEN;

	/* a map's keys are together, after those of the map that leads to it */
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
	/* a corrupt file may claim megabytes */
	char	   *clean = text_clean((const char *) v->data, Min(v->size, 4 * GEO_TEXT_SIZE), true);
	char	   *str = text_trim(clean);

	text_cut_bytes(str, GEO_TEXT_SIZE - 1);
	strlcpy(to, str, GEO_TEXT_SIZE);
	pfree(clean);
}

/* Fill the location from a city file's record; false if it has none of the fields. */
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
		/* some files write 0, 0 for unknown coordinates */
		loc->has_coordinates = loc->latitude != 0 || loc->longitude != 0;
	}
	return loc->continent[0] || loc->country[0] || loc->region[0] || loc->city[0] ||
		loc->has_coordinates;
}

/* The same from an ASN file's record. */
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

bool
geoip_read_record(const Section *data, GeoKind kind, uint32 offset, GeoLocation *loc)
{
	GeoRecord	rec;
	Value		top;
	size_t		next;

	memset(&rec, 0, sizeof(rec));
	if (!read_followed(data, offset, &top, &next) || top.type != VALUE_MAP)
		return false;
	if (kind == KIND_CITY)
		return read_map(data, &top, MAP_TOP, city_keys, lengthof(city_keys), &rec) != 0 &&
			read_city(&rec, loc);
	return read_map(data, &top, MAP_TOP, asn_keys, lengthof(asn_keys), &rec) != 0 &&
		read_asn(&rec, loc);
}


/*
 * ---- Metadata ----
 */

/* Is the value at *at, with all that it points to, finite and inside the section? */
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

bool
geoip_check_metadata(const char *end, size_t len, off_t file_size)
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
