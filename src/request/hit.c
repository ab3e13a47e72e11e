/*
 * hit.c
 *		The table of hit fields, and how a value gets into a Hit.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/text.h"
#include "request/hit.h"

PG_FUNCTION_INFO_V1(pkt_hit_fields);

/* Anything further away from now is a mistake, not a time (spec 6.3). */
#define TIME_RANGE ((int64) 20 * 365 * USECS_PER_DAY)

#define FLOAT_MAX 64			/* bytes of a number */
#define EXPONENT_MAX 38			/* of a number, and digits before its dot: the columns there hold no larger ones */

#define JSON_MAX (256 * 1024)	/* bytes; longer JSON counts as absent */

#define TEXT(name, member, max, unit, privacy, sanitise) \
	{name, sizeof(name) - 1, FIELD_TEXT, offsetof(Hit, member), max, unit, BAD_DEFAULT, privacy, sanitise}
#define NUMBER(name, member, type, bad, privacy) \
	{name, sizeof(name) - 1, type, offsetof(Hit, member), 0, UNIT_BYTES, bad, privacy, false}

/*
 * The table.  Bounds are those of spec matomo 6.2; what a bad value does is
 * spec 6.1: silently the default, but for ids, sites and negative times.  URLs,
 * titles and whatever else gets a number of the dictionary are cut where they
 * enter it (page_maximum_length), user ids where they have been hashed.
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
	NUMBER("bots", bots, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("consent", consent, FIELD_CONSENT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("uia", consent, FIELD_UIA, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("rmip", rmip, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("dda", dda, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("sh", sh, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
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
	TEXT("download", download, 0, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("link", link, 0, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("e_c", e_c, 0, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("e_a", e_a, 0, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("e_n", e_n, 0, UNIT_BYTES, PRIVACY_PERSON, true),
	NUMBER("e_v", e_v, FIELD_FLOAT, BAD_DEFAULT, PRIVACY_NONE),
	TEXT("c_n", c_n, 0, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("c_p", c_p, 0, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("c_t", c_t, 0, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("c_i", c_i, 0, UNIT_BYTES, PRIVACY_NONE, true),
	TEXT("search", search, 0, UNIT_BYTES, PRIVACY_PERSON, true),
	TEXT("search_cat", search_cat, 200, UNIT_CHARS, PRIVACY_NONE, true),
	NUMBER("search_count", search_count, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ca", ca, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
	TEXT("_pks", pks, 0, UNIT_BYTES, PRIVACY_NONE, false),
	TEXT("_pkn", pkn, 0, UNIT_BYTES, PRIVACY_NONE, false),
	NUMBER("_pkc", pkc, FIELD_LIST, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("_pkp", pkp, FIELD_FLOAT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("pf_net", timings[0], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE),
	NUMBER("pf_srv", timings[1], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE),
	NUMBER("pf_tfr", timings[2], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE),
	NUMBER("pf_dm1", timings[3], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE),
	NUMBER("pf_dm2", timings[4], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE),
	NUMBER("pf_onl", timings[5], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE),
	NUMBER("_cvar", visit_variables, FIELD_JSON, BAD_DEFAULT, PRIVACY_PERSON),
	NUMBER("cvar", page_variables, FIELD_JSON, BAD_DEFAULT, PRIVACY_PERSON),
	NUMBER("idgoal", idgoal, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ping", ping, FIELD_INT, BAD_DEFAULT, PRIVACY_NONE),
	TEXT("ec_id", ec_id, 100, UNIT_CHARS, PRIVACY_PERSON, true),
	NUMBER("revenue", revenue, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ec_st", ec_st, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ec_tx", ec_tx, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ec_sh", ec_sh, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ec_dt", ec_dt, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE),
	NUMBER("ec_items", ec_items, FIELD_JSON, BAD_DEFAULT, PRIVACY_NONE),
	TEXT("_rcn", rcn, 1024, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("_rck", rck, 1024, UNIT_BYTES, PRIVACY_PERSON, false),
	TEXT("_ref", ref, 1500, UNIT_CHARS, PRIVACY_PERSON, false),
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

/* What the fields are, for people: the view hit_fields. */
static const struct
{
	const char *name;
	const char *description;
}			descriptions[] =
{
	{"idsite", "number of the site"},
	{"rec", "1: record the hit; anything else excludes it"},
	{"url", "URL of the page; without it and urlref, the Referer header"},
	{"action_name", "title of the page"},
	{"urlref", "URL of the page before"},
	{"pv_id", "page view id: what belongs to one page view has the same"},
	{"uid", "user id of the site's own login"},
	{"cid", "visitor id that is to be used, 16 hex digits"},
	{"_id", "visitor id of the first-party cookie; shorter than 16 hex digits: ignored"},
	{"new_visit", "not 0: begin a new visit"},
	{"bots", "not 0: record it though a bot sent it"},
	{"consent", "granted, denied or unknown; 1, 0 or -1"},
	{"uia", "1: the visitor has refused consent; 0: he has not"},
	{"rmip", "1: the address is forgotten before anything is done with it"},
	{"dda", "1: no device data of an anonymous visitor"},
	{"sh", "0: no fingerprint of this hit; 1: one though the site makes none, which needs trust"},
	{"_idvc", "number of visits, by the visitor id cookie"},
	{"_idts", "time of the first visit, by the visitor id cookie"},
	{"_viewts", "time of the last visit, by the visitor id cookie"},
	{"_ects", "time of the last order, by the visitor id cookie"},
	{"fla", "Flash, 1 or 0"},
	{"java", "Java, 1 or 0"},
	{"qt", "QuickTime, 1 or 0"},
	{"realp", "RealPlayer, 1 or 0"},
	{"pdf", "PDF, 1 or 0"},
	{"wma", "Windows Media, 1 or 0"},
	{"ag", "Silverlight, 1 or 0"},
	{"cookie", "cookies enabled, 1 or 0"},
	{"res", "screen resolution, 1280x1024"},
	{"h", "hour of the visitor's clock"},
	{"m", "minute of the visitor's clock"},
	{"s", "second of the visitor's clock"},
	{"ua", "user agent, instead of the header"},
	{"uadata", "Client Hints"},
	{"lang", "Accept-Language, instead of the header"},
	{"download", "URL of a file that was downloaded"},
	{"link", "URL of another site that was clicked"},
	{"e_c", "event category; needs e_a"},
	{"e_a", "event action; needs e_c"},
	{"e_n", "event name"},
	{"e_v", "event value"},
	{"c_n", "content name"},
	{"c_p", "content piece"},
	{"c_t", "content target"},
	{"c_i", "content interaction; without it an impression"},
	{"search", "keyword of a site search"},
	{"search_cat", "category of a site search"},
	{"search_count", "number of a site search's results; below 0: unknown"},
	{"ca", "1: custom action, refused unless it is one of the known kinds"},
	{"_pks", "SKU of the product that the page shows"},
	{"_pkn", "name of the product that the page shows"},
	{"_pkc", "category of the product, or the page's own; a JSON list of up to 5"},
	{"_pkp", "price of the product that the page shows"},
	{"pf_net", "page performance: network"},
	{"pf_srv", "page performance: server"},
	{"pf_tfr", "page performance: transfer"},
	{"pf_dm1", "page performance: DOM processing"},
	{"pf_dm2", "page performance: DOM completion"},
	{"pf_onl", "page performance: on load"},
	{"_cvar", "custom variables of the visit: {\"1\": [\"name\", \"value\"]}, slots 1 to 5"},
	{"cvar", "custom variables of the action, as _cvar"},
	{"idgoal", "goal that is converted by hand; 0: order or cart"},
	{"ping", "1: heartbeat; no action"},
	{"ec_id", "order id; without it e-commerce hits are carts"},
	{"revenue", "revenue of a goal, an order or a cart"},
	{"ec_st", "sub total of an order"},
	{"ec_tx", "tax of an order"},
	{"ec_sh", "shipping costs of an order"},
	{"ec_dt", "discount of an order"},
	{"ec_items", "items of an order or a cart: [[SKU, name, category or list of five, price, quantity], ...]"},
	{"_rcn", "campaign that a conversion is attributed to"},
	{"_rck", "keyword of that campaign"},
	{"_ref", "referrer URL that a conversion is attributed to"},
	{"token_auth", "token; authenticates what needs trust"},
	{"country", "country of the visitor; needs trust"},
	{"region", "region of the visitor; needs trust"},
	{"city", "city of the visitor; needs trust"},
	{"lat", "latitude of the visitor, degrees; needs trust"},
	{"long", "longitude of the visitor, degrees; needs trust"},
	{"lon", "the same as long"},
	{"cip", "IP address of the client; needs trust"},
	{"cdt", "time of the hit, UTC or seconds since 1970; an old one needs trust"},
	{"cdo", "seconds that the hit lies before cdt or now"},
};

/* Open addressing over the table; a name is looked up for every parameter sent. */
#define SLOTS 256
static int16 slots[SLOTS];

static char empty[] = "";

/* A hit with every field at its default. */
static Hit	blank;

/* The fields that are cut. */
static int	n_bounded;
static const HitField *bounded[lengthof(fields)];

static inline uint32
name_slot(const char *name, size_t len)
{
	uint32		h = (uint32) len;

	for (size_t i = 0; i < len; i++)
		h = h * 33 + (unsigned char) name[i];
	return (h ^ (h >> 8)) % SLOTS;
}

/*
 * hit_init
 *		Make what is made once of the table.  Called when the library loads.
 */
void
hit_init(void)
{
	StaticAssertStmt(lengthof(fields) <= SLOTS / 2, "enlarge SLOTS");
	StaticAssertStmt(lengthof(fields) <= HIT_FIELDS_MAX, "enlarge HIT_FIELDS_MAX");

	for (int i = 0; i < SLOTS; i++)
		slots[i] = -1;
	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		uint32		slot = name_slot(fields[i].name, fields[i].name_len);

		while (slots[slot] >= 0)
			slot = (slot + 1) % SLOTS;
		slots[slot] = i;
		if (fields[i].type == FIELD_TEXT && fields[i].max > 0)
			bounded[n_bounded++] = &fields[i];
	}

	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		if (fields[i].type == FIELD_TEXT || fields[i].type == FIELD_LIST ||
			fields[i].type == FIELD_AMOUNT)
			*(char **) ((char *) &blank + fields[i].offset) = empty;
	}
	blank.cookie_header = blank.referer_header = empty;
	blank.local_h = blank.local_m = blank.local_s = blank.search_count = NOT_SENT;
	blank.sh = NOT_SENT;
	for (int i = 0; i < HIT_TIMINGS; i++)
		blank.timings[i] = NOT_SENT;
	blank.idgoal = -1;
	blank.consent = CONSENT_UNKNOWN;
}

/*
 * hit_field
 *		The field of that name, NULL if there is none.
 */
const HitField *
hit_field(const char *name, size_t len)
{
	if (len > 64)
		return NULL;
	for (uint32 slot = name_slot(name, len); slots[slot] >= 0; slot = (slot + 1) % SLOTS)
	{
		const HitField *f = &fields[slots[slot]];

		if (f->name_len == len && memcmp(f->name, name, len) == 0)
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
	Hit		   *hit = palloc_object(Hit);

	memcpy(hit, &blank, sizeof(Hit));
	return hit;
}

/*
 * hit_cut
 *		Cut texts, in place, to the bounds of the table.
 */
void
hit_cut(Hit *hit)
{
	for (int i = 0; i < n_bounded; i++)
	{
		const HitField *f = bounded[i];
		char	   *str = *(char **) ((char *) hit + f->offset);

		if (str[0] == '\0')
			continue;
		if (f->unit == UNIT_BYTES)
			text_cut_bytes(str, f->max);
		else
			text_cut_chars(str, f->max);
	}
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
 * A number as spec 6.1 wants it: a sign, digits with one dot, an exponent.
 * NULL if it is none, or too long or too large to be meant.
 */
static Numeric
parse_float(const char *value, size_t len)
{
	char		buf[FLOAT_MAX + 1];
	size_t		i = 0;
	size_t		digits = 0;
	int			whole = 0;		/* digits before the dot, but for leading zeros */
	int			exponent = 0;
	bool		negative = false;
	bool		dot = false;

	if (len > FLOAT_MAX)
		return NULL;
	if (i < len && (value[i] == '-' || value[i] == '+'))
		i++;
	for (; i < len && ((value[i] >= '0' && value[i] <= '9') || (value[i] == '.' && !dot)); i++)
	{
		if (value[i] == '.')
			dot = true;
		else
		{
			digits++;
			if (!dot && (whole > 0 || value[i] != '0'))
				whole++;
		}
	}
	if (digits == 0)
		return NULL;
	if (i < len && (value[i] == 'e' || value[i] == 'E'))
	{
		size_t		start;

		i++;
		if (i < len && (value[i] == '-' || value[i] == '+'))
			negative = value[i++] == '-';
		for (start = i; i < len && value[i] >= '0' && value[i] <= '9'; i++)
			exponent = Min(exponent * 10 + (value[i] - '0'), EXPONENT_MAX + 1);
		if (i == start || exponent > EXPONENT_MAX)
			return NULL;
	}
	if (i != len || whole + (negative ? 0 : exponent) > EXPONENT_MAX + 1)
		return NULL;
	memcpy(buf, value, len);
	buf[len] = '\0';
	return DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(buf),
											   ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
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
		case FIELD_LIST:
		case FIELD_AMOUNT:
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

		case FIELD_FLOAT:
			*(Numeric *) where = parse_float(value, len);
			good = *(Numeric *) where != NULL;
			break;

		case FIELD_MILLISECONDS:
			*(int32 *) where = NOT_SENT;
			if (parse_int(value, len, &n) && n <= HIT_TIMING_MAX && n != -1)
			{
				good = n >= 0;
				if (good)
					*(int32 *) where = (int32) n;
			}
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
			/* refused where it counts: with an order or a cart */
			if (field->offset == offsetof(Hit, ec_items))
				hit->ec_items_bad = *(Jsonb **) where == NULL;
			break;

		case FIELD_CONSENT:
			{
				char	   *str = pnstrdup(value, len);
				Consent		consent;

				/* a refusal wins, in whatever order they stand */
				good = consent_parse(str, &consent);
				if (good && *(Consent *) where != CONSENT_DENIED)
					*(Consent *) where = consent;
				break;
			}

		case FIELD_UIA:
			/* a refusal wins, whatever else is said */
			if (len == 1 && value[0] == '1')
				*(Consent *) where = CONSENT_DENIED;
			else if (len == 1 && value[0] == '0' && *(Consent *) where == CONSENT_UNKNOWN)
				*(Consent *) where = CONSENT_GRANTED;
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
		case FIELD_LIST:
		case FIELD_AMOUNT:
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
		case FIELD_FLOAT:
			if (*(const Numeric *) where != NULL)
				return DatumGetCString(DirectFunctionCall1(numeric_out,
														   NumericGetDatum(*(const Numeric *) where)));
			break;
		case FIELD_MILLISECONDS:
			if (*(const int32 *) where != NOT_SENT)
				return psprintf("%d", *(const int32 *) where);
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

/*
 * hit_field_description
 *		What a field of the table is, in words; NULL if nobody has said it.
 */
const char *
hit_field_description(const char *name)
{
	for (int i = 0; i < (int) lengthof(descriptions); i++)
	{
		if (strcmp(descriptions[i].name, name) == 0)
			return descriptions[i].description;
	}
	return NULL;
}

/*
 * pkt_hit_fields
 *		SQL: hit_field_table() → the table of hit fields, in its order.
 */
Datum
pkt_hit_fields(PG_FUNCTION_ARGS)
{
	static const char *const types[] = {
		[FIELD_TEXT] = "text",
		[FIELD_INT] = "integer",
		[FIELD_UNIXTIME] = "unix time",
		[FIELD_FLAG] = "flag",
		[FIELD_FLOAT] = "number",
		[FIELD_MILLISECONDS] = "milliseconds",
		[FIELD_ID] = "id",
		[FIELD_ID_COOKIE] = "id",
		[FIELD_JSON] = "json",
		[FIELD_AMOUNT] = "number",
		[FIELD_LIST] = "text or json list",
		[FIELD_CONSENT] = "consent",
		[FIELD_UIA] = "flag"
	};
	static const char *const privacy[] = {
		[PRIVACY_NONE] = "none",
		[PRIVACY_DEVICE] = "device",
		[PRIVACY_PERSON] = "person"
	};
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < (int) lengthof(fields); i++)
	{
		const HitField *f = &fields[i];
		const char *description = hit_field_description(f->name);
		bool		is_text = f->type == FIELD_TEXT || f->type == FIELD_LIST;
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = CStringGetTextDatum(f->name);
		values[1] = CStringGetTextDatum(types[f->type]);
		values[2] = Int32GetDatum(f->max);
		nulls[2] = f->max == 0;
		nulls[3] = !is_text;
		values[3] = is_text ? CStringGetTextDatum(f->unit == UNIT_BYTES ? "bytes" : "characters") : (Datum) 0;
		values[4] = CStringGetTextDatum(f->bad == BAD_INVALID ? "invalid" : is_text ? "repaired" : "ignored");
		values[5] = CStringGetTextDatum(privacy[f->privacy]);
		nulls[6] = description == NULL;
		values[6] = description ? CStringGetTextDatum(description) : (Datum) 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
