/*
 * hit.c
 *		The table of hit fields, and hits made from it.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "request/hit.h"

PG_FUNCTION_INFO_V1(pkt_hit_fields);

/*
 * TEXT(name, member of Hit, longest, unit, privacy, HTML-escaped under matomo
 * rules?, description), INTEGER(name, member, value if absent, bad value,
 * privacy, description), OTHER(name, member, type, bad value, privacy,
 * description).
 */
#define TEXT(name, member, max, unit, privacy, sanitise, description) \
	{name, sizeof(name) - 1, FIELD_TEXT, offsetof(Hit, member), max, unit, 0, BAD_DEFAULT, \
		privacy, sanitise, description}
#define INTEGER(name, member, absent, bad, privacy, description) \
	{name, sizeof(name) - 1, FIELD_INT, offsetof(Hit, member), 0, UNIT_BYTES, absent, bad, \
		privacy, false, description}
#define OTHER(name, member, type, bad, privacy, description) \
	{name, sizeof(name) - 1, type, offsetof(Hit, member), 0, UNIT_BYTES, 0, bad, \
		privacy, false, description}

/*
 * The table.  A field that is only read is a member of Hit and a row here.
 *
 * Bounds, and the effect of a bad value, are those of Matomo: silently the
 * default, except for ids, sites and negative times; see doc/internals.md,
 * "Matomo: requests".  URLs, titles and other texts of the dictionary are cut
 * where they enter it (page_maximum_length), user ids after they were hashed.
 */
static const HitField fields[] =
{
	INTEGER("idsite", idsite, 0, BAD_INVALID, PRIVACY_NONE,
			"number of the site"),
	OTHER("rec", rec, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE,
		  "1: record the hit; any other value excludes it"),
	TEXT("url", url, 0, UNIT_BYTES, PRIVACY_PERSON, false,
		 "URL of the page; without it and urlref, the Referer header is used"),
	TEXT("action_name", action_name, 0, UNIT_BYTES, PRIVACY_PERSON, true,
		 "title of the page"),
	TEXT("urlref", urlref, 1500, UNIT_CHARS, PRIVACY_PERSON, false,
		 "URL of the previous page"),
	TEXT("cs", cs, 40, UNIT_BYTES, PRIVACY_NONE, false,
		 "character set of the page, if it is not UTF-8"),
	TEXT("pv_id", pv_id, 6, UNIT_CHARS, PRIVACY_NONE, true,
		 "page view id: the same for all hits of one page view"),
	TEXT("uid", user_id, 0, UNIT_CHARS, PRIVACY_PERSON, true,
		 "user id, as the site's own login knows it"),
	OTHER("cid", cid, FIELD_ID, BAD_INVALID, PRIVACY_PERSON,
		  "visitor id to use, 16 hex digits"),
	OTHER("_id", visitor_id, FIELD_ID_COOKIE, BAD_DEFAULT, PRIVACY_PERSON,
		  "visitor id of the first-party cookie; ignored if shorter than 16 hex digits"),
	OTHER("new_visit", new_visit, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE,
		  "not 0: begin a new visit"),
	OTHER("bots", bots, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE,
		  "not 0: record the hit even if a bot sent it"),
	OTHER("consent", consent, FIELD_CONSENT, BAD_DEFAULT, PRIVACY_NONE,
		  "granted, denied or unknown; 1, 0 or -1"),
	OTHER("uia", consent, FIELD_UIA, BAD_DEFAULT, PRIVACY_NONE,
		  "1: the visitor has refused consent; 0: the visitor has not"),
	OTHER("rmip", rmip, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE,
		  "1: the IP address is discarded before it is used"),
	OTHER("dda", dda, FIELD_FLAG, BAD_DEFAULT, PRIVACY_NONE,
		  "1: store no device data of an anonymous visitor"),
	INTEGER("sh", sh, NOT_SENT, BAD_DEFAULT, PRIVACY_NONE,
			"0: no fingerprint for this hit; 1: one even if the site uses none, which needs trust"),
	INTEGER("_idvc", idvc, 0, BAD_DEFAULT, PRIVACY_PERSON,
			"number of visits, as the visitor id cookie counts them"),
	OTHER("_idts", idts, FIELD_UNIXTIME, BAD_DEFAULT, PRIVACY_PERSON,
		  "time of the first visit, according to the visitor id cookie"),
	OTHER("_viewts", viewts, FIELD_UNIXTIME, BAD_DEFAULT, PRIVACY_PERSON,
		  "time of the last visit, according to the visitor id cookie"),
	OTHER("_ects", ects, FIELD_UNIXTIME, BAD_DEFAULT, PRIVACY_PERSON,
		  "time of the last order, according to the visitor id cookie"),
	INTEGER("fla", plugins[0], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"Flash, 1 or 0"),
	INTEGER("java", plugins[1], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"Java, 1 or 0"),
	INTEGER("qt", plugins[2], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"QuickTime, 1 or 0"),
	INTEGER("realp", plugins[3], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"RealPlayer, 1 or 0"),
	INTEGER("pdf", plugins[4], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"PDF, 1 or 0"),
	INTEGER("wma", plugins[5], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"Windows Media, 1 or 0"),
	INTEGER("ag", plugins[6], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"Silverlight, 1 or 0"),
	INTEGER("cookie", plugins[7], 0, BAD_DEFAULT, PRIVACY_DEVICE,
			"cookies enabled, 1 or 0"),
	TEXT("res", resolution, 9, UNIT_CHARS, PRIVACY_DEVICE, true,
		 "screen resolution, 1280x1024"),
	INTEGER("h", local_h, NOT_SENT, BAD_DEFAULT, PRIVACY_DEVICE,
			"hour by the visitor's clock"),
	INTEGER("m", local_m, NOT_SENT, BAD_DEFAULT, PRIVACY_DEVICE,
			"minute by the visitor's clock"),
	INTEGER("s", local_s, NOT_SENT, BAD_DEFAULT, PRIVACY_DEVICE,
			"second by the visitor's clock"),
	TEXT("ua", user_agent, 2048, UNIT_BYTES, PRIVACY_DEVICE, false,
		 "user agent, instead of the header"),
	OTHER("uadata", uadata, FIELD_JSON, BAD_DEFAULT, PRIVACY_DEVICE,
		  "Client Hints"),
	TEXT("lang", accept_language, 1024, UNIT_BYTES, PRIVACY_DEVICE, false,
		 "Accept-Language, instead of the header"),
	TEXT("download", download, 0, UNIT_BYTES, PRIVACY_PERSON, false,
		 "URL of a file that was downloaded"),
	TEXT("link", link, 0, UNIT_BYTES, PRIVACY_PERSON, false,
		 "URL of another site that was clicked"),
	TEXT("e_c", e_c, 0, UNIT_BYTES, PRIVACY_NONE, true,
		 "event category; needs e_a"),
	TEXT("e_a", e_a, 0, UNIT_BYTES, PRIVACY_NONE, true,
		 "event action; needs e_c"),
	TEXT("e_n", e_n, 0, UNIT_BYTES, PRIVACY_PERSON, true,
		 "event name"),
	OTHER("e_v", e_v, FIELD_FLOAT, BAD_DEFAULT, PRIVACY_NONE,
		  "event value"),
	TEXT("c_n", c_n, 0, UNIT_BYTES, PRIVACY_NONE, true,
		 "content name"),
	TEXT("c_p", c_p, 0, UNIT_BYTES, PRIVACY_NONE, true,
		 "content piece"),
	TEXT("c_t", c_t, 0, UNIT_BYTES, PRIVACY_NONE, true,
		 "content target"),
	TEXT("c_i", c_i, 0, UNIT_BYTES, PRIVACY_NONE, true,
		 "content interaction; without it an impression"),
	TEXT("search", search, 0, UNIT_BYTES, PRIVACY_PERSON, true,
		 "keyword of a site search"),
	TEXT("search_cat", search_cat, 200, UNIT_CHARS, PRIVACY_NONE, true,
		 "category of a site search"),
	INTEGER("search_count", search_count, NOT_SENT, BAD_DEFAULT, PRIVACY_NONE,
			"number of results of a site search; negative: unknown"),
	INTEGER("ca", ca, 0, BAD_DEFAULT, PRIVACY_NONE,
			"1: custom action, refused unless it is one of the known kinds"),
	TEXT("_pks", pks, 0, UNIT_BYTES, PRIVACY_NONE, false,
		 "SKU of the product that the page shows"),
	TEXT("_pkn", pkn, 0, UNIT_BYTES, PRIVACY_NONE, false,
		 "name of the product that the page shows"),
	OTHER("_pkc", pkc, FIELD_LIST, BAD_DEFAULT, PRIVACY_NONE,
		  "category of the product, or of the page itself; or a JSON list of up to 5"),
	OTHER("_pkp", pkp, FIELD_FLOAT, BAD_DEFAULT, PRIVACY_NONE,
		  "price of the product that the page shows"),
	OTHER("pf_net", timings[0], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE,
		  "page performance: network"),
	OTHER("pf_srv", timings[1], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE,
		  "page performance: server"),
	OTHER("pf_tfr", timings[2], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE,
		  "page performance: transfer"),
	OTHER("pf_dm1", timings[3], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE,
		  "page performance: DOM processing"),
	OTHER("pf_dm2", timings[4], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE,
		  "page performance: DOM completion"),
	OTHER("pf_onl", timings[5], FIELD_MILLISECONDS, BAD_INVALID, PRIVACY_NONE,
		  "page performance: on load"),
	OTHER("_cvar", visit_variables, FIELD_JSON, BAD_DEFAULT, PRIVACY_PERSON,
		  "custom variables of the visit: {\"1\": [\"name\", \"value\"]}, slots 1 to 5"),
	OTHER("cvar", page_variables, FIELD_JSON, BAD_DEFAULT, PRIVACY_PERSON,
		  "custom variables of the action, as _cvar"),
	INTEGER("idgoal", idgoal, -1, BAD_DEFAULT, PRIVACY_NONE,
			"goal that is converted by hand; 0: order or cart"),
	INTEGER("ping", ping, 0, BAD_DEFAULT, PRIVACY_NONE,
			"1: heartbeat; no action"),
	TEXT("ec_id", ec_id, 100, UNIT_CHARS, PRIVACY_PERSON, true,
		 "order id; e-commerce hits without one are carts"),
	OTHER("revenue", revenue, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE,
		  "revenue of a goal, an order or a cart"),
	OTHER("ec_st", ec_st, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE,
		  "sub total of an order"),
	OTHER("ec_tx", ec_tx, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE,
		  "tax of an order"),
	OTHER("ec_sh", ec_sh, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE,
		  "shipping costs of an order"),
	OTHER("ec_dt", ec_dt, FIELD_AMOUNT, BAD_DEFAULT, PRIVACY_NONE,
		  "discount of an order"),
	OTHER("ec_items", ec_items, FIELD_JSON, BAD_DEFAULT, PRIVACY_NONE,
		  "items of an order or a cart: "
		  "[[SKU, name, category or list of five, price, quantity], ...]"),
	TEXT("_rcn", rcn, 1024, UNIT_BYTES, PRIVACY_PERSON, false,
		 "campaign to which a conversion is attributed"),
	TEXT("_rck", rck, 1024, UNIT_BYTES, PRIVACY_PERSON, false,
		 "keyword of that campaign"),
	TEXT("_ref", ref, 1500, UNIT_CHARS, PRIVACY_PERSON, false,
		 "URL of the referrer to which a conversion is attributed"),
	TEXT("token_auth", token_auth, 0, UNIT_BYTES, PRIVACY_PERSON, false,
		 "token that makes the request trusted"),
	TEXT("country", country, 3, UNIT_CHARS, PRIVACY_PERSON, true,
		 "country of the visitor; needs trust"),
	TEXT("region", region, 3, UNIT_CHARS, PRIVACY_PERSON, true,
		 "region of the visitor; needs trust"),
	TEXT("city", city, 255, UNIT_CHARS, PRIVACY_PERSON, true,
		 "city of the visitor; needs trust"),
	TEXT("lat", latitude, 64, UNIT_BYTES, PRIVACY_PERSON, false,
		 "latitude of the visitor, degrees; needs trust"),
	TEXT("long", longitude, 64, UNIT_BYTES, PRIVACY_PERSON, false,
		 "longitude of the visitor, degrees; needs trust"),
	TEXT("lon", longitude, 64, UNIT_BYTES, PRIVACY_PERSON, false,
		 "the same as long"),
	TEXT("cip", cip, 64, UNIT_BYTES, PRIVACY_PERSON, false,
		 "IP address of the client; needs trust"),
	TEXT("cdt", cdt, 64, UNIT_BYTES, PRIVACY_NONE, false,
		 "time of the hit, UTC or seconds since 1970; an old one needs trust"),
	INTEGER("cdo", cdo, 0, BAD_DEFAULT, PRIVACY_NONE,
			"seconds by which the hit is older than cdt or now"),
};

/* Index of the table, by open addressing: every parameter that is sent is looked up. */
#define SLOTS 256
static int16 slots[SLOTS];

static char empty[] = "";

/* A hit with every field at its default. */
static Hit	blank;

/* The texts that have a bound. */
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
 *		Prepare what is derived from the table; once, when the library loads.
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
		void	   *where = (char *) &blank + fields[i].offset;

		switch (fields[i].type)
		{
			case FIELD_TEXT:
			case FIELD_LIST:
			case FIELD_AMOUNT:
				*(char **) where = empty;
				break;
			case FIELD_INT:
				*(int32 *) where = fields[i].absent;
				break;
			case FIELD_MILLISECONDS:
				*(int32 *) where = NOT_SENT;
				break;
			case FIELD_CONSENT:
			case FIELD_UIA:
				*(Consent *) where = CONSENT_UNKNOWN;
				break;
			case FIELD_UNIXTIME:
			case FIELD_FLAG:
			case FIELD_FLOAT:
			case FIELD_ID:
			case FIELD_ID_COOKIE:
			case FIELD_JSON:
				break;			/* 0, false, NULL or not given */
		}
	}
	/* not in the table: from the connection */
	blank.cookie_header = blank.referer_header = empty;
}

/*
 * hit_field
 *		The field with this name; NULL if the table does not have it.
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

/*
 * hit_fields
 *		The whole table, *n rows.
 */
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

/* A text cut at len bytes; of one that is shared, the same for all hits. */
static char *
cut_copy(SharedTexts *shared, const char *whole, size_t len)
{
	for (int i = 0; shared != NULL && i < shared->n; i++)
	{
		if (shared->whole[i] != whole)
			continue;
		if (shared->cut[i] == NULL)
			shared->cut[i] = MemoryContextStrdup(shared->context, pnstrdup(whole, len));
		return shared->cut[i];
	}
	return pnstrdup(whole, len);
}

/*
 * hit_cut
 *		Cut texts to the bounds of the table.  One that is too long is replaced by
 *		a copy.
 */
void
hit_cut(Hit *hit)
{
	for (int i = 0; i < n_bounded; i++)
	{
		const HitField *f = bounded[i];
		char	  **where = (char **) ((char *) hit + f->offset);
		size_t		len;

		if ((*where)[0] == '\0')
			continue;
		len = strlen(*where);
		if (len <= (size_t) f->max)
			continue;
		len = f->unit == UNIT_BYTES ? pg_mbcliplen(*where, (int) len, f->max) :
			pg_mbcharcliplen(*where, (int) len, f->max);
		*where = cut_copy(hit->shared, *where, len);
	}
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
		bool		is_text = f->type == FIELD_TEXT || f->type == FIELD_LIST;
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = CStringGetTextDatum(f->name);
		values[1] = CStringGetTextDatum(types[f->type]);
		values[2] = Int32GetDatum(f->max);
		nulls[2] = f->max == 0;
		nulls[3] = !is_text;
		if (is_text)
			values[3] = CStringGetTextDatum(f->unit == UNIT_BYTES ? "bytes" : "characters");
		values[4] = CStringGetTextDatum(f->bad == BAD_INVALID ? "invalid" :
										is_text ? "repaired" : "ignored");
		values[5] = CStringGetTextDatum(privacy[f->privacy]);
		values[6] = CStringGetTextDatum(f->description);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
