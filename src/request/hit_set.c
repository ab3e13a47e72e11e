/*
 * hit_set.c
 *		Values of hit fields: from text, and to text.
 *
 * What counts as an integer or a number follows Matomo; see doc/internals.md,
 * "Matomo: requests".
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/json.h"
#include "base/text.h"
#include "request/hit.h"

/* A time longer ago than this is a mistake. */
#define TIME_RANGE ((int64) 20 * 365 * USECS_PER_DAY)

/* So is one further in the future than clocks differ: nothing would ever be newer. */
#define TIME_AHEAD ((int64) 60 * USECS_PER_SEC)

#define FLOAT_MAX 64			/* bytes of a number */

/* Greatest exponent, and most digits before the dot: the columns hold no larger ones. */
#define EXPONENT_MAX 38

#define JSON_MAX (256 * 1024)	/* bytes; longer JSON counts as absent */

/* Bytes of what was parsed from a text: only lists of numbers or of lists have that many. */
#define PARSED_MAX (128 * 1024)

static char empty[] = "";

/* An integer must print back as it was sent: no blanks, plus sign or leading zeros. */
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
 * A number: a sign, digits with one dot, an exponent.  NULL if the text is
 * anything else, or too long or too large.
 */
static Numeric
parse_float(const char *value, size_t len)
{
	char		buf[FLOAT_MAX + 1];
	size_t		i = 0;
	size_t		digits = 0;
	int			whole = 0;		/* digits before the dot, without leading
								 * zeros */
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
 * hit_set_json
 *		Put a JSON value, which must last as long as the hit, into its field; NULL:
 *		it is not JSON.  One that is too long is none.
 */
void
hit_set_json(Hit *hit, const HitField *field, Jsonb *value)
{
	if (value != NULL && (VARSIZE(value) > JSON_MAX || !json_is_short(value)))
		value = NULL;
	*(Jsonb **) ((char *) hit + field->offset) = value;
	/* an order or a cart with bad items is refused, other hits are not */
	if (field->offset == offsetof(Hit, ec_items))
		hit->ec_items_bad = value == NULL;
}

/* Parse a JSON value; NULL if it is none, or too long. */
static Jsonb *
read_json(const char *value, size_t len)
{
	char	   *str;
	Jsonb	   *jsonb;

	if (len > JSON_MAX)
		return NULL;
	str = text_clean(value, len, true);
	jsonb = text_to_jsonb(str);
	pfree(str);
	if (jsonb != NULL && VARSIZE(jsonb) > PARSED_MAX)
	{
		pfree(jsonb);
		return NULL;
	}
	return jsonb;
}

/*
 * hit_set
 *		Put a value, len bytes as decoded from UTF-8, into its field.  An empty
 *		value counts as absent.  A bad value becomes the default or marks the
 *		hit invalid, as the table says; the error names the first parameter
 *		that is wrong.  Never raises for its input.
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

				/* the id is the first 16 characters of the cookie */
				good = len >= HEXID_TEXT_LEN && hexid_parse(value, HEXID_TEXT_LEN, &id->id);
				id->given = good;
				break;
			}

		case FIELD_JSON:
			hit_set_json(hit, field, read_json(value, len));
			break;

		case FIELD_CONSENT:
			{
				char	   *str = pnstrdup(value, len);
				Consent		consent;

				/* a refusal wins, whatever the order of the parameters */
				good = consent_parse(str, &consent);
				if (good && *(Consent *) where != CONSENT_DENIED)
					*(Consent *) where = consent;
				break;
			}

		case FIELD_UIA:
			/* a refusal wins over any other value */
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
 *		Set the time of the hit, cut to whole seconds.  now: when the statement
 *		came.  False, and nothing set, if it is infinite, more than 20 years ago,
 *		or more than a minute ahead of the clock; a statement may take long, and
 *		read rows that are younger than itself.
 */
bool
hit_set_time(Hit *hit, TimestampTz at, TimestampTz now)
{
	int64		rest;

	if (TIMESTAMP_NOT_FINITE(at) || at < now - TIME_RANGE ||
		(at > now + TIME_AHEAD && at > GetCurrentTimestamp() + TIME_AHEAD))
		return false;
	rest = at % USECS_PER_SEC;
	if (rest < 0)
		rest += USECS_PER_SEC;
	hit->at = at - rest;
	return true;
}

/*
 * hit_text
 *		A field as text, palloc'd or static; "" if it is absent or its default.
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

				/* 0 means absent unless the field has another value for that */
				if (n == field->absent || (n == 0 && field->absent == NOT_SENT))
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
			{
				Datum		number = NumericGetDatum(*(const Numeric *) where);

				return DatumGetCString(DirectFunctionCall1(numeric_out, number));
			}
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
