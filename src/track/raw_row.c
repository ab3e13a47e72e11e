/*
 * raw_row.c
 *		A row of a raw table becomes a hit.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/inet.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "base/args.h"
#include "base/compat.h"
#include "base/json.h"
#include "base/text.h"
#include "base/wipe.h"
#include "request/tracking_api.h"
#include "track/raw.h"

#define RAW_TEXT_MAX (1024 * 1024)	/* bytes of a text that are read */

/* An integer column's value. */
static int64
int_value(const RawColumn *c, Datum value)
{
	return c->width == 2 ? DatumGetInt16(value) : c->width == 4 ? DatumGetInt32(value) :
		DatumGetInt64(value);
}

/*
 * A value as text, as the tracking API would send it; not terminated.  A time
 * becomes seconds since 1970.
 */
static const char *
value_text(const RawColumn *c, Datum value, size_t *len)
{
	char	   *str;

	switch (c->type)
	{
		case RAW_TEXT:
		case RAW_JSON:
			{
				text	   *t = DatumGetTextPP(value);

				*len = VARSIZE_ANY_EXHDR(t);
				return VARDATA_ANY(t);
			}
		case RAW_INT:
			str = palloc(MAXINT8LEN + 1);
			pg_lltoa(int_value(c, value), str);
			break;
		case RAW_NUMERIC:
			str = DatumGetCString(DirectFunctionCall1(numeric_out, value));
			break;
		case RAW_FLOAT:
			str = DatumGetCString(c->width == 4 ? DirectFunctionCall1(float4out, value) :
								  DirectFunctionCall1(float8out, value));
			break;
		case RAW_BOOL:
			str = pstrdup(DatumGetBool(value) ? "1" : "0");
			break;
		case RAW_INET:
			{
				PktIp		ip = ip_from_inet(DatumGetInetPP(value));

				str = DatumGetCString(DirectFunctionCall1(inet_out,
														  InetPGetDatum(ip_to_inet(&ip))));
				break;
			}
		case RAW_TIME:
			str = TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(value)) ? pstrdup("") :
				psprintf(INT64_FORMAT, (int64) timestamptz_to_time_t(DatumGetTimestampTz(value)));
			break;
		case RAW_JSONB:
			{
				Jsonb	   *jb = DatumGetJsonbP(value);

				str = JsonbToCString(NULL, &jb->root, VARSIZE(jb));
				break;
			}
		case RAW_HEXID:
			str = palloc(HEXID_TEXT_LEN + 1);
			hexid_format(DatumGetHexId(value), str);
			break;
		case RAW_UUID:
			str = DatumGetCString(DirectFunctionCall1(uuid_out, value));
			break;
		default:
			str = pstrdup("");
	}
	*len = strlen(str);
	return str;
}

static Jsonb *
value_jsonb(const RawColumn *c, Datum value)
{
	const char *str;
	size_t		len;

	if (c->type == RAW_JSONB)
		return DatumGetJsonbPCopy(value);
	str = value_text(c, value, &len);
	return text_to_jsonb(text_clean(str, Min(len, RAW_TEXT_MAX), false));
}

/* Put a text into its field; texts here are in the database's encoding. */
static void
set_field(Hit *hit, const HitField *field, const char *str, size_t len)
{
	if (field->type == FIELD_TEXT || field->type == FIELD_LIST)
	{
		bool		is_header = field->offset == offsetof(Hit, user_agent) ||
			field->offset == offsetof(Hit, accept_language);

		if (len > 0)
			*(char **) ((char *) hit + field->offset) =
				text_clean(str, is_header ? header_length(str, len) : Min(len, RAW_TEXT_MAX),
						   false);
	}
	else
		hit_set(hit, field, str, len);
}

static void
set_invalid(Hit *hit, const char *name)
{
	if (hit->invalid == NULL)
		hit->invalid = name;
}

/* The value as a time; false if it is none. */
static bool
value_time(const RawColumn *c, Datum value, TimestampTz *at)
{
	double		seconds;

	switch (c->type)
	{
		case RAW_TIME:
			/* one without time zone is taken as UTC */
			*at = DatumGetTimestampTz(value);
			return true;
		case RAW_INT:
			seconds = (double) int_value(c, value);
			break;
		case RAW_FLOAT:
			seconds = c->width == 4 ? DatumGetFloat4(value) : DatumGetFloat8(value);
			break;
		default:
			seconds = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
	}
	if (!(seconds > -1e11 && seconds < 1e11))
		return false;
	seconds -= (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * (double) SECS_PER_DAY;
	*at = (TimestampTz) (seconds * USECS_PER_SEC);
	return true;
}

/* Read the visitor's answer about consent. */
static void
read_consent(Hit *hit, const RawBinding *b, const RawColumn *c, Datum value)
{
	const char *str;
	size_t		len;
	Consent		consent;

	if (c == NULL)
		str = b->constant;
	else if (c->type == RAW_BOOL)
		str = DatumGetBool(value) ? "granted" : "denied";
	else
	{
		str = value_text(c, value, &len);
		str = pnstrdup(str, len);
	}
	len = strlen(str);
	/* an unknown word might mean no */
	if (len > 0 && !consent_parse(str, &consent))
		set_invalid(hit, "consent");
	else
		hit_set(hit, hit_field("consent", 7), str, len);
}

/* Read headers, or parameters in a JSON object. */
static void
read_object(Hit *hit, const RawBinding *b, const RawColumn *c, Datum value)
{
	Jsonb	   *jb = value_jsonb(c, value);

	if (jb == NULL || !JB_ROOT_IS_OBJECT(jb))
		set_invalid(hit, b->name);
	else if (b->target == RAW_HEADERS)
		tracking_api_read_headers(hit, jb);
	else
		tracking_api_read_json(hit, jb, NULL, 0);
}

/* Read a hit field, or a custom dimension, which is added to others. */
static void
read_parameter(Hit *hit, const RawBinding *b, const RawColumn *c, Datum value,
			   JsonbParseState **others)
{
	const char *str;
	size_t		len;

	if (c != NULL && b->target == RAW_FIELD && b->field->type == FIELD_JSON && c->type == RAW_JSONB)
	{
		hit_set_json(hit, b->field, DatumGetJsonbPCopy(value));
		return;
	}
	if (c != NULL)
		str = value_text(c, value, &len);
	else
	{
		str = b->constant;
		len = strlen(str);
	}
	if (b->target == RAW_FIELD)
		set_field(hit, b->field, str, len);
	else
	{
		if (*others == NULL)
			(void) pushJsonbValue(others, WJB_BEGIN_OBJECT, NULL);
		json_push_text(others, WJB_KEY, b->name);
		json_push_text(others, WJB_VALUE, text_clean(str, Min(len, RAW_TEXT_MAX), false));
	}
}

/* Read one parameter of a row. */
static void
read_binding(const RawMap *map, const RawBinding *b, const RawRow *row, Hit *hit,
			 JsonbParseState **others)
{
	const RawColumn *c = NULL;
	Datum		value = (Datum) 0;
	const char *str;
	size_t		len;
	TimestampTz at;

	if (b->column >= 0)
	{
		if (row->nulls[b->column])
		{
			/*
			 * now is not when it came: the table has been filled some time or
			 * other
			 */
			if (b->target == RAW_AT)
				set_invalid(hit, b->name);
			return;
		}
		c = &map->columns[b->column];
		value = row->values[b->column];
	}

	switch (b->target)
	{
		case RAW_IP:
			if (c->type == RAW_INET)
				hit->ip = ip_from_inet(DatumGetInetPP(value));
			else
			{
				/*
				 * the site's rules tell which address of a list is the
				 * visitor's
				 */
				str = value_text(c, value, &len);
				hit->address = text_clean(str, Min(len, RAW_TEXT_MAX), false);
			}
			break;

		case RAW_AT:
			if (!value_time(c, value, &at) ||
				!hit_set_time(hit, at, GetCurrentStatementStartTimestamp()))
				set_invalid(hit, "at");
			break;

		case RAW_CONSENT:
			read_consent(hit, b, c, value);
			break;

		case RAW_SESSION_COOKIE:
			str = value_text(c, value, &len);
			hit->session_cookie.given = len == HEXID_TEXT_LEN &&
				hexid_parse(str, len, &hit->session_cookie.id);
			break;

		case RAW_HEADERS:
		case RAW_PARAMS:
			read_object(hit, b, c, value);
			break;

		case RAW_QUERY:
			str = value_text(c, value, &len);
			if (len <= QUERY_MAX)
				str = pnstrdup(str, len);	/* the hit points into it */
			tracking_api_read_query(hit, str, len);
			break;

		case RAW_FIELD:
		case RAW_OTHER:
			read_parameter(hit, b, c, value, others);
			break;
	}
}

/*
 * raw_spi_rows
 *		The rows that SPI has just read, *n of them, in the current memory
 *		context.  The map's columns are those of the result from column first on.
 */
RawSpiRow *
raw_spi_rows(const RawMap *map, int first, int *n)
{
	RawSpiRow  *rows;

	wipe_at_end(SPI_tuptable->tuptabcxt);
	*n = (int) SPI_processed;
	rows = MemoryContextAllocHuge(CurrentMemoryContext, (*n + 1) * sizeof(RawSpiRow));
	memset(rows, 0, (*n + 1) * sizeof(RawSpiRow));
	for (int i = 0; i < *n; i++)
	{
		rows[i].row.position = i + 1;
		rows[i].row.values = palloc_array(Datum, map->n_columns + 1);
		rows[i].row.nulls = palloc_array(bool, map->n_columns + 1);
		for (int j = 0; j < map->n_columns; j++)
			rows[i].row.values[j] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
												  first + j, &rows[i].row.nulls[j]);
	}
	return rows;
}

/*
 * raw_read
 *		Make the hit of a row, in the current memory context, which must last as
 *		long as the hit; the row need not.  A wrong value makes the hit invalid
 *		and raises no error.
 */
Hit *
raw_read(const RawMap *map, const RawRow *row)
{
	Hit		   *hit = hit_create();
	JsonbParseState *others = NULL;
	bool		has_ip = false;
	bool		has_at = false;
	bool		own_cip = false;
	bool		own_cdt = false;

	/* rows without a query string are recorded unless a column says otherwise */
	hit->raw = true;
	hit->rec = !map->has_query;
	(void) hit_set_time(hit, GetCurrentStatementStartTimestamp(),
						GetCurrentStatementStartTimestamp());

	for (int i = 0; i < map->n_bindings; i++)
	{
		const RawBinding *b = &map->bindings[i];
		bool		given = b->column < 0 || !row->nulls[b->column];

		read_binding(map, b, row, hit, &others);
		if (b->target == RAW_PARAMS && !map->has_query)
			hit->rec = true;
		has_ip |= b->target == RAW_IP && given;
		has_at |= b->target == RAW_AT && given;
		if (b->field != NULL && given)
		{
			own_cip |= b->field->offset == offsetof(Hit, cip);
			own_cdt |= b->field->offset == offsetof(Hit, cdt) ||
				b->field->offset == offsetof(Hit, cdo);
		}
	}
	if (others != NULL)
		tracking_api_read_json(hit, JsonbValueToJsonb(pushJsonbValue(&others, WJB_END_OBJECT,
																	 NULL)), NULL, 0);

	/* as in track(), a column wins over params */
	if (!map->has_query && has_ip && !own_cip)
		hit->cip = pstrdup("");
	if (!map->has_query && has_at && !own_cdt)
	{
		hit->cdt = pstrdup("");
		hit->cdo_given = false;
	}
	hit->trusted = map->trusted;
	hit->of_owner = map->of_owner;
	return hit;
}

/* Does a column of its own say which site a row belongs to? */
static bool
has_own_site(const RawMap *map, const RawRow *row)
{
	for (int i = 0; map->plain_key && i < map->n_bindings; i++)
	{
		const RawBinding *b = &map->bindings[i];

		if (b->field != NULL && b->field->offset == offsetof(Hit, idsite))
			return b->column < 0 || !row->nulls[b->column] || !(map->has_query || map->has_params);
	}
	return false;
}

/*
 * raw_site_and_time
 *		The keys by which hits are sorted: the row's site, 0 if it has none, and
 *		its time.  Leaves memory in the current context.
 */
void
raw_site_and_time(const RawMap *map, const RawRow *row, int32 *idsite, TimestampTz *at)
{
	Hit		   *hit;

	if (!has_own_site(map, row))
		hit = raw_read(map, row);
	else
	{
		JsonbParseState *none = NULL;

		hit = hit_create();
		(void) hit_set_time(hit, GetCurrentStatementStartTimestamp(),
							GetCurrentStatementStartTimestamp());
		for (int i = 0; i < map->n_bindings; i++)
		{
			const RawBinding *b = &map->bindings[i];

			if (b->target == RAW_AT || (b->field != NULL &&
										b->field->offset == offsetof(Hit, idsite)))
				read_binding(map, b, row, hit, &none);
		}
	}
	*idsite = hit->idsite;
	*at = hit->at;
}

/*
 * raw_site
 *		The same for the site alone, and quicker.
 */
int32
raw_site(const RawMap *map, const RawRow *row)
{
	TimestampTz at;
	int32		idsite;
	bool		own = has_own_site(map, row);

	for (int i = 0; i < map->n_bindings; i++)
	{
		const RawBinding *b = &map->bindings[i];
		const RawColumn *c = b->column >= 0 ? &map->columns[b->column] : NULL;
		bool		given = c != NULL && !row->nulls[b->column];

		if (own && given && c->type == RAW_INT && b->field != NULL &&
			b->field->offset == offsetof(Hit, idsite))
		{
			int64		n = int_value(c, row->values[b->column]);

			return n > 0 && n <= PG_INT32_MAX ? (int32) n : 0;
		}
		if (!own && !map->has_params && b->target == RAW_QUERY && given)
		{
			size_t		len;
			const char *query = value_text(c, row->values[b->column], &len);

			return tracking_api_query_site(query, len);
		}
	}
	raw_site_and_time(map, row, &idsite, &at);
	return idsite;
}

/*
 * raw_key
 *		The row's primary key as text if it is one number or UUID, else NULL.
 */
char *
raw_key(const RawMap *map, const RawRow *row)
{
	const char *str;
	size_t		len;

	if (map->key < 0 || row->nulls[map->key])
		return NULL;
	str = value_text(&map->columns[map->key], row->values[map->key], &len);
	return pnstrdup(str, len);
}
