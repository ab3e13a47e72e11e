/*
 * tracking_api.c
 *		Reading hits by the table of hit fields: tracking URLs, JSON, request
 *		headers.  Rules: doc/internals.md, "Matomo: requests".
 */
#include "postgres.h"

#include "common/base64.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "base/json.h"
#include "base/text.h"
#include "request/headers.h"
#include "request/tracking_api.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* see tracking_api.h */
const char *const reason_bulk_requests_limit = "bulk_requests_limit";

#define OTHERS_MAX 128			/* parameters outside the table that are kept */

/* Classes of the bytes of a query string, so that one pass over it is enough. */
enum
{
	BYTE_AMP = 0x20,
	BYTE_EQ = 0x40,
	BYTE_PERCENT = 0x60,
	BYTE_PLUS = 0x80,
	BYTE_KIND = 0xE0,
	BYTE_HEX = 0x10,			/* a hex digit, with its value in the lower
								 * four bits */
	BYTE_HEX_VALUE = 0x0F
};

#define HEX(n) (BYTE_HEX | (n))
static const uint8 bytes[256] = {
	['&'] = BYTE_AMP,['='] = BYTE_EQ,['%'] = BYTE_PERCENT,['+'] = BYTE_PLUS,
	['0'] = HEX(0),['1'] = HEX(1),['2'] = HEX(2),['3'] = HEX(3),['4'] = HEX(4),
	['5'] = HEX(5),['6'] = HEX(6),['7'] = HEX(7),['8'] = HEX(8),['9'] = HEX(9),
	['a'] = HEX(10),['b'] = HEX(11),['c'] = HEX(12),['d'] = HEX(13),['e'] = HEX(14),
	['f'] = HEX(15),
	['A'] = HEX(10),['B'] = HEX(11),['C'] = HEX(12),['D'] = HEX(13),['E'] = HEX(14),
	['F'] = HEX(15)
};

/*
 * Decode percent-escapes and "+".  An invalid escape is not changed.  dst has
 * space for len bytes.  Returns the length; the result may hold any byte.
 */
static size_t
url_decode(const char *src, size_t len, char *dst)
{
	const unsigned char *p = (const unsigned char *) src;
	const unsigned char *end = p + len;
	char	   *to = dst;

	while (p < end)
	{
		unsigned char c = *p++;

		if (c == '+')
			c = ' ';
		else if (c == '%' && end - p >= 2 && (bytes[p[0]] & bytes[p[1]] & BYTE_HEX))
		{
			c = (unsigned char) ((bytes[p[0]] & BYTE_HEX_VALUE) << 4 |
								 (bytes[p[1]] & BYTE_HEX_VALUE));
			p += 2;
		}
		*to++ = (char) c;
	}
	return to - dst;
}

/* Is it the parameter with this name?  Names are hardly ever escaped. */
static bool
other_is(const HitParam *p, const char *name, size_t len)
{
	char		decoded[256];

	if (p->name_len == len && memcmp(p->name, name, len) == 0)
		return true;
	if (!p->escaped || p->name_len >= sizeof(decoded) || memchr(p->name, '%', p->name_len) == NULL)
		return false;
	return url_decode(p->name, p->name_len, decoded) == len && memcmp(decoded, name, len) == 0;
}

/* Keep a parameter that is not in the table of hit fields, up to a limit. */
static void
add_other(Hit *hit, const HitParam *param)
{
	if (hit->n_others == OTHERS_MAX)
		return;
	if (hit->others == NULL)
		hit->others = palloc_array(HitParam, OTHERS_MAX);
	hit->others[hit->n_others++] = *param;
}

/* The value of a parameter outside the table, cleaned. */
static char *
other_value(const Hit *hit, const HitParam *p)
{
	char	   *value;

	if (!p->escaped)
		return text_clean(p->value, p->value_len, false);
	value = palloc(p->value_len + 1);
	if (hit->encoding != 0)
		return text_decode(value, url_decode(p->value, p->value_len, value), hit->encoding);
	return text_clean(value, url_decode(p->value, p->value_len, value), true);
}

/*
 * tracking_api_other
 *		The value, cleaned, of a parameter that is not in the table of hit
 *		fields; "" if it is absent.  If it was sent twice, the last value
 *		counts.
 */
char *
tracking_api_other(const Hit *hit, const char *name)
{
	size_t		len = strlen(name);

	for (int i = hit->n_others - 1; i >= 0; i--)
	{
		if (other_is(&hit->others[i], name, len))
			return other_value(hit, &hit->others[i]);
	}
	return pstrdup("");
}

/*
 * tracking_api_list
 *		The values of a list ("name[]=a&name[]=b", or a JSON list) in the order
 *		sent, joined by ", "; "" if the list was not sent.
 */
char *
tracking_api_list(const Hit *hit, const char *name)
{
	char	   *list_name = psprintf("%s[]", name);
	size_t		len = strlen(list_name);
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < hit->n_others; i++)
	{
		char	   *value;

		if (!other_is(&hit->others[i], list_name, len))
			continue;
		value = other_value(hit, &hit->others[i]);
		if (value[0] != '\0')
			appendStringInfo(&buf, "%s%s", buf.len > 0 ? ", " : "", value);
	}
	return buf.data;
}

/*
 * tracking_api_numbered
 *		The next parameter whose name is prefix and a number from 1 (as in
 *		dimension1).  *position is 0 at first, and is advanced.  False if there
 *		are no more.  Values may be empty; of a parameter that was sent twice
 *		both are given, and the last should count.
 */
bool
tracking_api_numbered(const Hit *hit, const char *prefix, int *position,
					  int32 *number, char **value)
{
	size_t		len = strlen(prefix);

	while (*position < hit->n_others)
	{
		const HitParam *p = &hit->others[(*position)++];
		int32		n = 0;
		size_t		i;

		if (p->name_len <= len || p->name_len > len + 9 || memcmp(p->name, prefix, len) != 0 ||
			p->name[len] == '0')
			continue;
		for (i = len; i < p->name_len && p->name[i] >= '0' && p->name[i] <= '9'; i++)
			n = n * 10 + (p->name[i] - '0');
		if (i < p->name_len)
			continue;
		*number = n;
		*value = other_value(hit, p);
		return true;
	}
	return false;
}

/*
 * tracking_api_param
 *		Any parameter as text, "" if it is absent: one of the table as the hit
 *		has it, another one as sent.
 */
char *
tracking_api_param(const Hit *hit, const char *name)
{
	const HitField *field = hit_field(name, strlen(name));

	if (field == NULL)
		return tracking_api_other(hit, name);
	return hit_text(hit, field);
}

/* A parameter as the query string has it. */
typedef struct QueryParam
{
	const char *name;
	size_t		name_len;
	const char *value;			/* NULL: there is no "=" */
	size_t		value_len;
	bool		name_escaped;
	bool		value_escaped;
} QueryParam;

/* The part after the mark of "?…" or "https://host/matomo.php?…". */
static const char *
query_start(const char *query, size_t len)
{
	const char *mark = memchr(query, '?', len);

	if (mark != NULL && memchr(query, '=', mark - query) == NULL)
		return mark + 1;
	return query;
}

/* The next byte of a class from p on; end if there is none. */
static inline const char *
next_special(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i amp = _mm_set1_epi8('&');
	const __m128i eq = _mm_set1_epi8('=');
	const __m128i percent = _mm_set1_epi8('%');
	const __m128i plus = _mm_set1_epi8('+');

	for (; end - p >= 16; p += 16)
	{
		__m128i		chunk = _mm_loadu_si128((const __m128i *) p);
		__m128i		any = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(chunk, amp),
													_mm_cmpeq_epi8(chunk, eq)),
									   _mm_or_si128(_mm_cmpeq_epi8(chunk, percent),
													_mm_cmpeq_epi8(chunk, plus)));
		uint32		bits = (uint32) _mm_movemask_epi8(any);

		if (bits != 0)
			return p + pg_rightmost_one_pos32(bits);
	}
#endif
	while (p < end && (bytes[(unsigned char) *p] & BYTE_KIND) == 0)
		p++;
	return p;
}

/* The parameter at *query, which is moved after it; false at the end. */
static inline bool
next_param(const char **query, const char *end, QueryParam *param)
{
	const char *p = *query;

	if (p >= end)
		return false;
	param->name = p;
	param->name_len = 0;
	param->value = NULL;
	param->name_escaped = param->value_escaped = false;
	for (;; p++)
	{
		uint8		kind;

		p = next_special(p, end);
		if (p == end)
			break;
		kind = bytes[(unsigned char) *p] & BYTE_KIND;
		if (kind == BYTE_AMP)
			break;
		if (param->value != NULL)
		{
			if (kind == BYTE_EQ)
				continue;
			/* no more has to be known of it */
			param->value_escaped = true;
			p = memchr(p, '&', end - p);
			if (p == NULL)
				p = end;
			break;
		}
		else if (kind == BYTE_EQ)
		{
			param->name_len = p - param->name;
			param->value = p + 1;
		}
		else
			param->name_escaped |= kind == BYTE_PERCENT;
	}
	if (param->value == NULL)
	{
		param->name_len = p - param->name;
		param->value_len = 0;
	}
	else
		param->value_len = p - param->value;
	*query = p + 1;
	return true;
}

/* Its field in the table, or NULL.  Names are rarely escaped, and never need to be. */
static const HitField *
param_field(const QueryParam *param)
{
	char		name[65];

	if (param->name_escaped && param->name_len < sizeof(name))
		return hit_field(name, url_decode(param->name, param->name_len, name));
	return hit_field(param->name, param->name_len);
}

/* The encoding that the parameter cs names; 0 if none, or UTF-8. */
static int
sent_encoding(const QueryParam *cs)
{
	char		name[64];

	if (cs->value_len == 0 || cs->value_len >= sizeof(name))
		return 0;
	name[url_decode(cs->value, cs->value_len, name)] = '\0';
	return text_encoding(name);
}

/* Set a field from a decoded value, in the hit's encoding or UTF-8. */
static void
set_decoded(Hit *hit, const HitField *field, const char *value, size_t len)
{
	char	   *utf8 = text_recode(value, len, hit->encoding);

	if (utf8 != NULL)
		hit_set(hit, field, utf8, strlen(utf8));
	else
		hit_set(hit, field, value, len);
}

/*
 * tracking_api_read_query
 *		Read a tracking URL or its query string into a hit.  If a parameter is
 *		sent twice, the last value counts; unknown ones are skipped.  Query
 *		strings of more than QUERY_MAX bytes make the hit invalid.
 */
void
tracking_api_read_query(Hit *hit, const char *query, size_t len)
{
	const char *end = query + len;
	int			n_fields;
	const HitField *fields = hit_fields(&n_fields);
	QueryParam	param;
	QueryParam	sent[HIT_FIELDS_MAX];
	uint64		is_sent[HIT_FIELDS_MAX / 64] = {0};
	char	   *decoded = NULL;
	static const HitField *cs = NULL;

	if (len > QUERY_MAX)
	{
		hit->invalid = "query";
		hit->unreadable = true;
		return;
	}

	/* of a parameter that comes twice the last one counts: collect, then set */
	query = query_start(query, len);
	while (next_param(&query, end, &param))
	{
		const HitField *field = param_field(&param);

		if (field != NULL)
		{
			int			i = (int) (field - fields);

			sent[i] = param;
			is_sent[i / 64] |= UINT64CONST(1) << i % 64;
		}
		else if (param.value != NULL && param.name_len > 0)
		{
			HitParam	other = {param.name, param.value, param.name_len, param.value_len, true};

			add_other(hit, &other);
		}
	}

	/* the character set of the others */
	if (cs == NULL)
		cs = hit_field("cs", 2);
	if (is_sent[(cs - fields) / 64] & (UINT64CONST(1) << (cs - fields) % 64))
		hit->encoding = sent_encoding(&sent[cs - fields]);

	for (int word = 0; word < (int) lengthof(is_sent); word++)
	{
		for (uint64 bits = is_sent[word]; bits != 0; bits &= bits - 1)
		{
			int			i = word * 64 + pg_rightmost_one_pos64(bits);
			const HitField *field = &fields[i];
			const QueryParam *p = &sent[i];

			if (p->value_len == 0)
				continue;
			if (!p->value_escaped)
				hit_set(hit, field, p->value, p->value_len);
			else if (field->type == FIELD_TEXT || field->type == FIELD_LIST ||
					 field->type == FIELD_AMOUNT)
			{
				char	   *text = palloc(p->value_len + 1);

				size_t		n = url_decode(p->value, p->value_len, text);

				*(char **) ((char *) hit + field->offset) = hit->encoding == 0 ?
					text_clean_own(text, n, true) : text_decode(text, n, hit->encoding);
			}
			else
			{
				if (decoded == NULL)
					decoded = palloc(len + 1);
				set_decoded(hit, field, decoded, url_decode(p->value, p->value_len, decoded));
			}
		}
	}
	if (decoded != NULL)
		pfree(decoded);
}

/*
 * tracking_api_query_site
 *		The site that tracking_api_read_query() would find, or 0.
 */
int32
tracking_api_query_site(const char *query, size_t len)
{
	static const HitField *idsite = NULL;
	const char *end = query + len;
	QueryParam	param;
	QueryParam	last = {0};
	char		decoded[48];	/* no escaped number is that long */
	Hit			hit;

	if (len > QUERY_MAX)
		return 0;
	if (idsite == NULL)
		idsite = hit_field("idsite", 6);

	query = query_start(query, len);
	while (query < end)
	{
		const char *amp;

		/* its letters may be escaped */
		if (*query != 'i' && *query != '%')
		{
			amp = memchr(query, '&', end - query);
			query = amp != NULL ? amp + 1 : end;
		}
		else if (next_param(&query, end, &param) && param_field(&param) == idsite)
			last = param;
	}

	hit.idsite = 0;
	hit.invalid = NULL;
	if (last.value_len == 0 || last.value_len > sizeof(decoded))
		return 0;
	if (last.value_escaped)
		hit_set(&hit, idsite, decoded, url_decode(last.value, last.value_len, decoded));
	else
		hit_set(&hit, idsite, last.value, last.value_len);
	return hit.idsite;
}

/* Is it a list?  Objects cannot be sent in a tracking URL. */
static bool
json_is_list(const JsonbValue *v)
{
	return v->type == jbvBinary && JsonContainerIsArray(v->val.binary.data) &&
		!JsonContainerIsScalar(v->val.binary.data);
}

/* Keep the members of a list as a query string would: name[]=a&name[]=b. */
static void
add_list(Hit *hit, const JsonbValue *key, const JsonbValue *list)
{
	JsonbIterator *it = JsonbIteratorInit(list->val.binary.data);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *name = palloc(key->val.string.len + 2);

	memcpy(name, key->val.string.val, key->val.string.len);
	memcpy(name + key->val.string.len, "[]", 2);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		HitParam	other = {.name = name,.name_len = key->val.string.len + 2};

		CHECK_FOR_INTERRUPTS();
		if (token == WJB_ELEM && json_scalar(&value, &other.value, &other.value_len))
			add_other(hit, &other);
	}
}

/*
 * tracking_api_read_json
 *		As tracking_api_read_query(), from an object of parameters, with names
 *		and values as in the tracking API.  Texts are in the database's
 *		encoding.  The n_skip names in skip are not read: the caller sets these
 *		fields.  Errors: invalid_parameter_value for what is no object.
 */
void
tracking_api_read_json(Hit *hit, Jsonb *params, const char *const *skip, int n_skip)
{
	JsonbIterator *it = JsonbIteratorInit(&params->root);
	JsonbIteratorToken token;
	JsonbValue	key,
				value;

	if (!JB_ROOT_IS_OBJECT(params))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tracking parameters must be a JSON object")));

	token = JsonbIteratorNext(&it, &key, false);
	Assert(token == WJB_BEGIN_OBJECT);
	while ((token = JsonbIteratorNext(&it, &key, false)) == WJB_KEY)
	{
		const HitField *field = hit_field(key.val.string.val, key.val.string.len);
		const char *str;
		size_t		len;

		bool		skipped = false;

		CHECK_FOR_INTERRUPTS();
		(void) JsonbIteratorNext(&it, &value, true);
		for (int i = 0; field != NULL && i < n_skip; i++)
			skipped |= strcmp(field->name, skip[i]) == 0;
		if (skipped)
			continue;
		if (field != NULL && field->type == FIELD_JSON && value.type == jbvBinary)
		{
			hit_set_json(hit, field, JsonbValueToJsonb(&value));
			continue;
		}
		if (field != NULL && field->type == FIELD_LIST && json_is_list(&value))
		{
			Jsonb	   *list = JsonbValueToJsonb(&value);

			if (json_is_short(list))
				*(char **) ((char *) hit + field->offset) = JsonbToCString(NULL, &list->root,
																		   VARSIZE(list));
			continue;
		}
		if ((field == NULL || field->type == FIELD_TEXT) && json_is_list(&value))
			add_list(hit, &key, &value);
		if (!json_scalar(&value, &str, &len))
			continue;
		if (field == NULL)
		{
			HitParam	other = {key.val.string.val, str, key.val.string.len, len, false};

			add_other(hit, &other);
			continue;
		}
		if (field->type == FIELD_TEXT || field->type == FIELD_LIST)
			*(char **) ((char *) hit + field->offset) = text_clean(str, len, false);
		else
			hit_set(hit, field, str, len);
	}
}

/*
 * tracking_api_header
 *		A request header by its lower-case name, cleaned; NULL if it was not
 *		sent.  The headers have been normalised.
 */
char *
tracking_api_header(Jsonb *headers, const char *name)
{
	JsonbValue	buf;
	JsonbValue *v = getKeyJsonValueFromContainer(&headers->root, name, strlen(name), &buf);

	if (v == NULL || v->type != jbvString)
		return NULL;
	return text_clean(v->val.string.val, v->val.string.len, false);
}

/*
 * tracking_api_read_headers
 *		Read request headers.  Call it before reading the query: the query's
 *		values win.  Errors: invalid_parameter_value for what is no JSON object.
 */
void
tracking_api_read_headers(Hit *hit, Jsonb *headers)
{
	char	   *value;

	if (!JB_ROOT_IS_OBJECT(headers))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("headers must be a JSON object")));

	headers = headers_normalise(headers);
	hit->headers = headers;
	if ((value = tracking_api_header(headers, "cookie")) != NULL)
		hit->cookie_header = value;
	if (hit->user_agent[0] == '\0' && (value = tracking_api_header(headers, "user-agent")) != NULL)
		hit->user_agent = value;
	if (hit->accept_language[0] == '\0' && (value = tracking_api_header(headers,
																		"accept-language")) != NULL)
		hit->accept_language = value;
	/* the page's URL, if the query has none */
	if ((value = tracking_api_header(headers, "referer")) != NULL)
		hit->referer_header = value;
	/* "Bearer TOKEN" */
	if ((value = tracking_api_header(headers, "authorization")) != NULL &&
		pg_strncasecmp(value, "bearer ", 7) == 0)
		hit->token_auth = text_trim(value + 7);
}

/*
 * tracking_api_cookie_id
 *		The visitor id in the cookie with this name: 16 hex digits, or Matomo's
 *		form "0=" and the digits, plain or in base64, ":" and a signature.  Any
 *		other value has no id.
 */
OptionalId
tracking_api_cookie_id(const char *cookie_header, const char *name)
{
	OptionalId	result = {false, 0};
	size_t		name_len = strlen(name);

	for (const char *p = cookie_header; *p;)
	{
		size_t		l = strcspn(p, ";");
		char		buf[256];
		char		decoded[256];
		size_t		n;
		const char *value;

		while (l > 0 && *p == ' ')
			p++, l--;
		if (l > name_len && strncmp(p, name, name_len) == 0 && p[name_len] == '=' &&
			l - name_len - 1 < sizeof(buf))
		{
			n = url_decode(p + name_len + 1, l - name_len - 1, buf);
			value = buf;
			if (n > 2 && value[0] == '0' && value[1] == '=')
			{
				const char *colon;

				value += 2;
				n -= 2;
				colon = memchr(value, ':', n);
				if (colon != NULL)
					n = colon - value;
				if (n != HEXID_TEXT_LEN)
				{
					int			d = pg_b64_decode(value, (int) n, (void *) decoded,
												  sizeof(decoded));

					value = decoded;
					n = d < 0 ? 0 : d;
				}
			}
			if (n == HEXID_TEXT_LEN && hexid_parse(value, n, &result.id))
				result.given = true;
			return result;
		}
		p += l;
		if (*p == ';')
			p++;
	}
	return result;
}

/* A number of 1 to max digits at *p, which is moved after it; -1 if there is none. */
static int
digits(const char **p, int max)
{
	int			n = 0;
	int			i;

	for (i = 0; i < max && **p >= '0' && **p <= '9'; i++)
		n = n * 10 + (*(*p)++ - '0');
	return i == 0 ? -1 : n;
}

/*
 * "Z", "UTC", "GMT", "+hh", "+hh:mm" or "+hhmm" at *p, or nothing: seconds
 * east of Greenwich.  False if it is none of them.
 */
static bool
parse_zone(const char **p, int *east)
{
	bool		west = **p == '-';
	const char *start;
	int			h;
	int			m = 0;

	*east = 0;
	if (**p == '\0')
		return true;
	if (pg_strncasecmp(*p, "UTC", 3) == 0 || pg_strncasecmp(*p, "GMT", 3) == 0)
	{
		*p += 3;
		return true;
	}
	if (**p == 'Z' || **p == 'z')
	{
		(*p)++;
		return true;
	}
	if (**p != '+' && !west)
		return false;
	start = ++(*p);
	h = digits(p, 2);
	if (*p - start != 2)
		return false;
	if (**p == ':' || (**p >= '0' && **p <= '9'))
	{
		if (**p == ':')
			(*p)++;
		start = *p;
		m = digits(p, 2);
		if (*p - start != 2)
			return false;
	}
	if (h > 15 || m > 59)
		return false;
	*east = (h * MINS_PER_HOUR + m) * SECS_PER_MINUTE * (west ? -1 : 1);
	return true;
}

/*
 * A time as cdt has it: seconds since 1970, or a date, with or without a time
 * of day, with or without a time zone, else in UTC.  Fractions of a second are
 * cut.  False if it is none of them.
 */
static bool
parse_cdt(const char *str, TimestampTz *result)
{
	struct pg_tm tm;
	const char *p = str;
	size_t		len = strlen(str);
	char		sep;
	int			east = 0;
	Timestamp	ts;

	if (len > 0 && len <= 12 && strspn(str, "0123456789") == len)
	{
		*result = time_t_to_timestamptz((pg_time_t) strtoll(str, NULL, 10));
		return true;
	}

	memset(&tm, 0, sizeof(tm));
	while (*p == ' ')
		p++;
	str = p;
	tm.tm_year = digits(&p, 4);
	sep = *p;
	if (p - str != 4 || (sep != '-' && sep != '/'))
		return false;
	p++;
	tm.tm_mon = digits(&p, 2);
	if (*p++ != sep)
		return false;
	tm.tm_mday = digits(&p, 2);
	if (tm.tm_mon < 0 || tm.tm_mday < 0)
		return false;

	if (*p == 'T' || *p == 't' || (*p == ' ' && p[strspn(p, " ")] >= '0' &&
								   p[strspn(p, " ")] <= '9'))
	{
		p++;
		while (*p == ' ')
			p++;
		tm.tm_hour = digits(&p, 2);
		if (*p++ != ':')
			return false;
		tm.tm_min = digits(&p, 2);
		if (*p == ':')
		{
			p++;
			tm.tm_sec = digits(&p, 2);
			if (*p == '.' || *p == ',')
			{
				p++;
				if (strspn(p, "0123456789") == 0)
					return false;
				p += strspn(p, "0123456789");
			}
		}
	}
	while (*p == ' ')
		p++;
	if (!parse_zone(&p, &east))
		return false;
	while (*p == ' ')
		p++;
	if (*p != '\0' ||
		ValidateDate(DTK_DATE_M, true, false, false, &tm) != 0 ||
		tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 ||
		tm.tm_sec < 0 || tm.tm_sec > 59 ||
		tm2timestamp(&tm, 0, NULL, &ts) != 0)
		return false;
	*result = ts - east * USECS_PER_SEC;
	return true;
}

/* Set the client's time, if it may be used; false if it needs authentication. */
static bool
apply_time(Hit *hit, const Settings *s, bool trusted)
{
	TimestampTz t = hit->at;
	int64		age;

	if (hit->cdt[0] && !parse_cdt(hit->cdt, &t))
		return true;			/* not readable: the time of arrival */
	if (hit->cdo_given)
		t -= (hit->cdo < 0 ? -(int64) hit->cdo : hit->cdo) * USECS_PER_SEC;
	age = (hit->at - t) / USECS_PER_SEC;
	if (t > hit->at || age >= (int64) 20 * 365 * SECS_PER_DAY)
		return true;
	if (!trusted &&
		age >= s->tracking_requests_require_authentication_when_custom_timestamp_newer_than)
		return false;
	hit->at = t;
	return true;
}

/*
 * tracking_api_authenticate
 *		Apply the parameters that need authentication: the visitor's address,
 *		the time, and the location.  hit->trusted tells whether a valid token
 *		was sent, hit->at is the time of arrival.  Marks the hit invalid where
 *		a parameter is not allowed.
 */
void
tracking_api_authenticate(Hit *hit, const Settings *s)
{
	bool		trusted = hit->trusted || !s->tracking_requests_require_authentication;

	if (hit->in_bulk && s->bulk_requests_require_authentication && !trusted)
	{
		hit->invalid = "token_auth";
		return;
	}
	/* who may say anything is still a stranger */
	if (hit->in_bulk > s->bulk_requests_limit && !hit->trusted)
	{
		hit->invalid = reason_bulk_requests_limit;
		return;
	}

	if (hit->cip[0])
	{
		if (!trusted)
		{
			hit->invalid = "cip";
			return;
		}

		/*
		 * an invalid address counts as no address: the connection's is not
		 * the visitor's
		 */
		(void) ip_parse(hit->cip, strlen(hit->cip), &hit->ip);
	}

	if ((hit->cdt[0] || hit->cdo_given) && !apply_time(hit, s, trusted))
	{
		hit->invalid = hit->cdt[0] ? "cdt" : "cdo";
		return;
	}

	if (!trusted)
	{
		const struct
		{
			const char *value;
			const char *name;
		}			where[] = {
			{hit->country, "country"}, {hit->region, "region"}, {hit->city, "city"},
			{hit->latitude, "lat"}, {hit->longitude, "long"}
		};

		for (int i = 0; i < (int) lengthof(where); i++)
		{
			if (where[i].value[0])
			{
				hit->invalid = where[i].name;
				return;
			}
		}
	}
}
