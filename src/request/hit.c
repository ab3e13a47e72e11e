/*
 * hit.c
 *		The table of hit fields, and how a value gets into a Hit.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/timestamp.h"

#include "request/hit.h"
#include "request/text.h"

/* Anything further away from now is a mistake, not a time (spec 6.3). */
#define TIME_RANGE ((int64) 20 * 365 * USECS_PER_DAY)

#define JSON_MAX (256 * 1024)	/* bytes; longer JSON counts as absent */

#define TEXT(name, member, max, unit, privacy, sanitise) \
	{name, FIELD_TEXT, offsetof(Hit, member), max, unit, BAD_DEFAULT, privacy, sanitise}
#define NUMBER(name, member, type, bad, privacy) \
	{name, type, offsetof(Hit, member), 0, UNIT_BYTES, bad, privacy, false}

/*
 * The table.  Bounds are those of spec matomo 6.2; what a bad value does is
 * spec 6.1: silently the default, but for ids and sites.  URLs and titles are
 * cut where they enter the dictionary (page_maximum_length), user ids where
 * they have been hashed.
 */
static const HitField fields[] =
{
	NUMBER("idsite", idsite, FIELD_INT, BAD_INVALID, PRIVACY_NONE),
	NUMBER("rec", rec, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE),
	TEXT("url", url, 0, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("action_name", action_name, 0, UNIT_BYTES, PRIVACY_PERSON, true),
	TEXT("urlref", urlref, 1500, UNIT_CHARS, PRIVACY_PERSON, false),
	TEXT("pv_id", pv_id, 6, UNIT_CHARS, PRIVACY_NONE, true),
	TEXT("uid", user_id, 0, UNIT_CHARS, PRIVACY_PERSON, true),
	NUMBER("cid", cid, FIELD_ID, BAD_INVALID, PRIVACY_PERSON),
	NUMBER("_id", visitor_id, FIELD_ID_COOKIE, BAD_DEFAULT, PRIVACY_PERSON),
	NUMBER("new_visit", new_visit, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("uia", consent, FIELD_UIA, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("_idvc", idvc, FIELD_INT, BAD_DEFAULT, PRIVACY_PERSON),
	NUMBER("_idts", idts, FIELD_UNIXTIME, BAD_DEFAULT, PRIVACY_PERSON),
	NUMBER("_viewts", viewts, FIELD_UNIXTIME, BAD_DEFAULT, PRIVACY_PERSON),
	NUMBER("_ects", ects, FIELD_UNIXTIME, BAD_DEFAULT, PRIVACY_PERSON),
	NUMBER("fla", plugins[0], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("java", plugins[1], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("qt", plugins[2], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("realp", plugins[3], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("pdf", plugins[4], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("wma", plugins[5], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("ag", plugins[6], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("cookie", plugins[7], FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	TEXT("res", resolution, 9, UNIT_CHARS, PRIVACY_DEVICE, true),
	NUMBER("h", local_h, FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("m", local_m, FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	NUMBER("s", local_s, FIELD_INT, BAD_DEFAULT, PRIVACY_DEVICE),
	TEXT("ua", user_agent, 2048, UNIT_BYTES, PRIVACY_DEVICE, false),
	NUMBER("uadata", uadata, FIELD_JSON, BAD_DEFAULT, PRIVACY_DEVICE),
	TEXT("lang", accept_language, 1024, UNIT_BYTES, PRIVACY_DEVICE, false),
	TEXT("download", download, 1024, UNIT_BYTES, PRIVACY_NONE, false),
	TEXT("link", link, 1024, UNIT_BYTES, PRIVACY_NONE, false),
	TEXT("e_c", e_c, 1024, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("e_a", e_a, 1024, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("c_n", c_n, 1024, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("search", search, 1024, UNIT_BYTES, PRIVACY_PERSON, true),
	NUMBER("idgoal", idgoal, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ping", ping, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
	TEXT("ec_id", ec_id, 100, UNIT_CHARS, PRIVACY_PERSON, true),
	TEXT("token_auth", token_auth, 0, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("country", country, 3, UNIT_CHARS, PRIVACY_PERSON, true),
	TEXT("region", region, 3, UNIT_CHARS, PRIVACY_PERSON, true),
	TEXT("city", city, 255, UNIT_CHARS, PRIVACY_PERSON, true),
	TEXT("lat", latitude, 64, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("long", longitude, 64, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("lon", longitude, 64, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("cip", cip, 64, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("cdt", cdt, 64, UNIT_BYTES, PRIVACY_NONE, false),
	NUMBER("cdo", cdo, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
};

/* Open addressing over the table; a name is looked up for every parameter sent. */
#define SLOTS 256
static int16 slots[SLOTS];

static char empty[] = "";

/*
 * hit_init
 *		Fill the look-up table of names.  Called once when the library loads.
 */
void
hit_init(void)
{
	StaticAssertStmt(lengthof(fields) < SLOTS / 2, "enlarge SLOTS");

	for (int i = 0; i < SLOTS; i++)
		slots[i] = -1;
	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		uint32		h = hash_bytes((const unsigned char *) fields[i].name, strlen(fields[i].name));

		while (slots[h % SLOTS] >= 0)
			h++;
		slots[h % SLOTS] = i;
	}
}

/*
 * hit_field
 *		The field of that name, NULL if there is none.
 */
const HitField *
hit_field(const char *name, size_t len)
{
	uint32		h;

	if (len > 64)
		return NULL;
	h = hash_bytes((const unsigned char *) name, (int) len);
	for (; slots[h % SLOTS] >= 0; h++)
	{
		const HitField *f = &fields[slots[h % SLOTS]];

		if (strlen(f->name) == len && memcmp(f->name, name, len) == 0)
			return f;
	}
	return NULL;
}

/* The whole table. */
const HitField *
hit_fields(int *n)
{
	*n = lengthof(fields);
	return fields;
}

/*
 * hit_create
 *		A hit with every field at its default, in the current memory context.
 */
Hit *
hit_create(void)
{
	Hit		   *hit = palloc0_object(Hit);

	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		if (fields[i].type == FIELD_TEXT)
			*(char **) ((char *) hit + fields[i].offset) = empty;
	}
	hit->cookie_header = hit->referer_header = empty;
	hit->local_h = hit->local_m = hit->local_s = NOT_SENT;
	hit->idgoal = -1;
	hit->consent = CONSENT_UNKNOWN;
	return hit;
}

/*
 * An integer as spec 6.1 wants it: it must print back as it was sent, so no
 * blanks, no plus sign, no leading zeros.
 */
static bool
parse_int(const char *value, size_t len, int64 *result)
{
	size_t		i = 0;
	bool		negative = false;
	int64		n = 0;

	if (len > 0 && value[0] == '-')
	{
		negative = true;
		i++;
	}
	if (i >= len || len - i > 18)
		return false;
	if (value[i] == '0' && (len - i > 1 || negative))
		return false;
	for (; i < len; i++)
	{
		if (value[i] < '0' || value[i] > '9')
			return false;
		n = n * 10 + (value[i] - '0');
	}
	*result = negative ? -n : n;
	return true;
}

/*
 * hit_set
 *		Put a value, len bytes as decoded from UTF-8, into its field.  An empty
 *		value is an absent one.  A bad one becomes the default or marks the hit
 *		invalid, as the table says; the first parameter that is wrong is the
 *		one that is named.  Never raises for its input.
 */
void
hit_set(Hit *hit, const HitField *field, const char *value, size_t len)
{
	void	   *where = (char *) hit + field->offset;
	int64		n;
	bool		good = true;

	if (len == 0)
		return;

	switch (field->type)
	{
		case FIELD_TEXT:
			*(char **) where = text_clean(value, len, true);
			break;

		case FIELD_INT:
			good = parse_int(value, len, &n) && n >= PG_INT32_MIN && n <= PG_INT32_MAX;
			if (good)
				*(int32 *) where = (int32) n;
			if (good && field->offset == offsetof(Hit, cdo))
				hit->cdo_given = true;
			break;

		case FIELD_UNIXTIME:
			good = parse_int(value, len, &n);
			if (good)
				*(int64 *) where = n;
			break;

		case FIELD_FLAG:
			good = parse_int(value, len, &n);
			*(bool *) where = good && n != 0;
			break;

		case FIELD_ID:
			{
				OptionalId *id = where;

				good = len == HEXID_TEXT_LEN && hexid_parse(value, len, &id->id);
				id->given = good;
				break;
			}

		case FIELD_ID_COOKIE:
			{
				OptionalId *id = where;

				/* the first 16 characters count, what follows is the cookie's rest */
				good = len >= HEXID_TEXT_LEN && hexid_parse(value, HEXID_TEXT_LEN, &id->id);
				id->given = good;
				break;
			}

		case FIELD_JSON:
			*(Jsonb **) where = len > JSON_MAX ? NULL : text_to_jsonb(text_clean(value, len, true));
			break;

		case FIELD_CONSENT:
			{
				char	   *str = pnstrdup(value, len);

				good = consent_parse(str, (Consent *) where);
				break;
			}

		case FIELD_UIA:
			if (len == 1 && value[0] == '1')
				*(Consent *) where = CONSENT_DENIED;
			break;
	}

	if (!good && field->bad == BAD_INVALID && hit->invalid == NULL)
		hit->invalid = field->name;
}

/*
 * hit_set_time
 *		The time of the hit, cut to whole seconds.  False, and nothing set, if
 *		it is infinite or further than 20 years from now (spec 6.3).
 */
bool
hit_set_time(Hit *hit, TimestampTz at, TimestampTz now)
{
	int64		rest;

	if (TIMESTAMP_NOT_FINITE(at) || at < now - TIME_RANGE || at > now + TIME_RANGE)
		return false;
	rest = at % USECS_PER_SEC;
	if (rest < 0)
		rest += USECS_PER_SEC;
	hit->at = at - rest;
	return true;
}

/*
 * hit_text
 *		A field as text, "" if it is absent or its default.
 */
char *
hit_text(const Hit *hit, const HitField *field)
{
	const void *where = (const char *) hit + field->offset;

	switch (field->type)
	{
		case FIELD_TEXT:
			return *(char *const *) where;
		case FIELD_INT:
			{
				int32		n = *(const int32 *) where;

				if (n == NOT_SENT || (n == 0 && field->offset != offsetof(Hit, idgoal)) ||
					(n == -1 && field->offset == offsetof(Hit, idgoal)))
					break;
				return psprintf("%d", n);
			}
		case FIELD_UNIXTIME:
			if (*(const int64 *) where != 0)
				return psprintf(INT64_FORMAT, *(const int64 *) where);
			break;
		case FIELD_FLAG:
			if (*(const bool *) where)
				return pstrdup("1");
			break;
		case FIELD_ID:
		case FIELD_ID_COOKIE:
			if (((const OptionalId *) where)->given)
			{
				char	   *hex = palloc(HEXID_TEXT_LEN + 1);

				hexid_format(((const OptionalId *) where)->id, hex);
				return hex;
			}
			break;
		case FIELD_JSON:
			if (*(Jsonb *const *) where != NULL)
			{
				Jsonb	   *jb = *(Jsonb *const *) where;

				return JsonbToCString(NULL, &jb->root, VARSIZE(jb));
			}
			break;
		case FIELD_CONSENT:
		case FIELD_UIA:
			if (*(const Consent *) where == CONSENT_DENIED)
				return pstrdup("1");
			break;
	}
	return empty;
}
