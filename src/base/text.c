/*
 * text.c
 *		Text from clients: made valid, cut, and escaped where the rules require
 *		it.
 *
 * The rule for bytes that are not valid text: NUL bytes are removed, every
 * other invalid byte becomes U+FFFD (a question mark if the database's
 * encoding lacks it).  So a client can neither make an INSERT fail nor store
 * invalid bytes.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "base/text.h"
#include "base/wipe.h"

#define JSON_DEPTH_MAX 64		/* trackers need four levels */

/* Parsing a longer JSON text leaves more in memory than is worth keeping. */
#define PARSED_HERE_MAX 512

static char *utf8_to_server(char *str, size_t len, bool keep_escapes);

/* Is every byte plain ASCII and none of them NUL?  Eight at a time. */
static bool
is_plain(const char *str, size_t len)
{
	const uint64 ones = UINT64CONST(0x0101010101010101);
	const uint64 tops = UINT64CONST(0x8080808080808080);
	uint64		eight;

	for (; len >= sizeof(eight); str += sizeof(eight), len -= sizeof(eight))
	{
		memcpy(&eight, str, sizeof(eight));
		/* only a byte of 0 borrows without having its top bit set */
		if (((eight - ones) | eight) & tops)
			return false;
	}
	for (size_t i = 0; i < len; i++)
	{
		if ((signed char) str[i] <= 0)
			return false;
	}
	return true;
}

/* The body of text_clean() and text_decode(), which keeps escapes of invalid bytes. */
static char *
clean(const char *str, size_t len, bool from_utf8, bool keep_escapes)
{
	int			encoding = GetDatabaseEncoding();
	int			check;
	StringInfoData buf;
	size_t		i = 0;

	if (is_plain(str, len))
	{
		char	   *copy = palloc(len + 1);

		memcpy(copy, str, len);
		copy[len] = '\0';
		return copy;
	}

	if (encoding == PG_SQL_ASCII)
		check = PG_UTF8;
	else
		check = from_utf8 ? PG_UTF8 : encoding;

	initStringInfo(&buf);
	while (i < len)
	{
		int			l;

		if (str[i] == '\0')
		{
			i++;
			continue;
		}
		if (!IS_HIGHBIT_SET(str[i]))
		{
			appendStringInfoCharMacro(&buf, str[i]);
			i++;
			continue;
		}
		l = pg_encoding_mblen(check, str + i);
		if (l > 0 && i + l <= len &&
			pg_encoding_verifymbchar(check, str + i, len - i) == l)
		{
			appendBinaryStringInfo(&buf, str + i, l);
			i += l;
		}
		else
		{
			if (keep_escapes)
				appendStringInfo(&buf, "%%%02X", (unsigned char) str[i]);
			else if (check == PG_UTF8)
				appendBinaryStringInfo(&buf, "\xEF\xBF\xBD", 3);
			else
				appendStringInfoCharMacro(&buf, '?');
			i++;
		}
	}

	if (check == PG_UTF8 && encoding != PG_UTF8 && encoding != PG_SQL_ASCII)
		return utf8_to_server(buf.data, buf.len, keep_escapes);
	return buf.data;
}

/*
 * text_clean
 *		len bytes at str as a palloc'd string that is valid in the database's
 *		encoding.  from_utf8: the bytes should be UTF-8 (they were
 *		percent-escaped); otherwise they should be in the database's encoding.
 *		Never raises for its input.
 */
char *
text_clean(const char *str, size_t len, bool from_utf8)
{
	return clean(str, len, from_utf8, false);
}

/*
 * text_clean_own
 *		The same for palloc'd bytes with space for one more; if they are valid
 *		they are the result.
 */
char *
text_clean_own(char *str, size_t len, bool from_utf8)
{
	if (!is_plain(str, len))
		return text_clean(str, len, from_utf8);
	str[len] = '\0';
	return str;
}

/*
 * Convert valid UTF-8 to the database's encoding; characters that it lacks
 * become "?", or their escapes.
 */
static char *
utf8_to_server(char *str, size_t len, bool keep_escapes)
{
	Oid			proc = FindDefaultConversionProc(PG_UTF8, GetDatabaseEncoding());
	StringInfoData buf;
	size_t		i = 0;

	initStringInfo(&buf);
	while (i < len)
	{
		unsigned char one[MAX_CONVERSION_GROWTH * MAX_MULTIBYTE_CHAR_LEN + 1];
		int			l = pg_encoding_mblen(PG_UTF8, str + i);

		if (!IS_HIGHBIT_SET(str[i]))
			appendStringInfoCharMacro(&buf, str[i]);
		else if (OidIsValid(proc) &&
				 pg_do_encoding_conversion_buf(proc, PG_UTF8, GetDatabaseEncoding(),
											   (unsigned char *) str + i, l,
											   one, sizeof(one), true) == l)
			appendStringInfoString(&buf, (char *) one);
		else if (!keep_escapes)
			appendStringInfoCharMacro(&buf, '?');
		else
		{
			for (int j = 0; j < l; j++)
				appendStringInfo(&buf, "%%%02X", (unsigned char) str[i + j]);
		}
		i += l;
	}
	return buf.data;
}

/*
 * text_encoding
 *		The encoding with this name, as web pages call it; 0 if it is unknown
 *		or UTF-8, which needs no conversion.
 */
int
text_encoding(const char *name)
{
	/* browsers read the first name as the second; the server has the others */
	static const char *const aliases[][2] = {
		{"iso-8859-1", "win1252"}, {"latin1", "win1252"}, {"us-ascii", "win1252"},
		{"ascii", "win1252"},
		{"iso-8859-9", "win1254"}, {"iso-8859-11", "win874"}, {"tis-620", "win874"},
		{"gb2312", "gbk"}, {"gb_2312-80", "gbk"}, {"x-gbk", "gbk"}, {"cp936", "gbk"},
		{"big5-hkscs", "big5"}, {"x-x-big5", "big5"}, {"x-sjis", "sjis"}, {"windows-31j", "sjis"},
		{"ms_kanji", "sjis"}, {"cp932", "sjis"}, {"x-euc-jp", "euc_jp"}, {"euc-kr", "uhc"},
		{"ks_c_5601-1987", "uhc"}, {"cp949", "uhc"}, {"cp1250", "win1250"}, {"cp1251", "win1251"},
		{"cp1252", "win1252"}, {"cp1253", "win1253"}, {"cp1254", "win1254"}, {"cp1255", "win1255"},
		{"cp1256", "win1256"}, {"cp1257", "win1257"}, {"cp1258", "win1258"}, {"koi8", "koi8r"},
		{"cp866", "win866"}, {"ibm866", "win866"}
	};
	int			encoding;

	for (int i = 0; i < (int) lengthof(aliases); i++)
	{
		if (pg_strcasecmp(name, aliases[i][0]) == 0)
		{
			name = aliases[i][1];
			break;
		}
	}
	encoding = pg_char_to_encoding(name);
	return encoding < 0 || encoding == PG_UTF8 || encoding == PG_SQL_ASCII ||
		encoding == PG_MULE_INTERNAL ? 0 : encoding;
}

/*
 * text_convert
 *		Bytes in an encoding of text_encoding() as UTF-8; NULL if there is
 *		none, or if they are not valid in it.
 */
char *
text_convert(const char *str, size_t len, int encoding)
{
	Oid			proc;
	char	   *result;
	size_t		size = len * MAX_CONVERSION_GROWTH + 1;

	if (encoding == 0 || len > MaxAllocSize / MAX_CONVERSION_GROWTH - 1 ||
		pg_encoding_verifymbstr(encoding, str, (int) len) != (int) len)
		return NULL;
	proc = FindDefaultConversionProc(encoding, PG_UTF8);
	if (!OidIsValid(proc))
		return NULL;
	result = palloc(size);
	if (pg_do_encoding_conversion_buf(proc, encoding, PG_UTF8, (unsigned char *) str, (int) len,
									  (unsigned char *) result, (int) size, true) != (int) len)
	{
		pfree(result);
		return NULL;
	}
	return result;
}

/*
 * text_recode
 *		The same, but NULL also if the bytes are UTF-8 already, which trackers
 *		send whatever the page has.
 */
char *
text_recode(const char *str, size_t len, int encoding)
{
	if (encoding == 0 || is_plain(str, len) ||
		pg_encoding_verifymbstr(PG_UTF8, str, (int) len) == (int) len)
		return NULL;
	return text_convert(str, len, encoding);
}

/*
 * text_decode
 *		Bytes that were percent-escaped as valid text, palloc'd: UTF-8, else
 *		text in the given encoding (0: none).  Bytes that are neither keep
 *		their escapes, so that different words stay different.
 */
char *
text_decode(const char *str, size_t len, int encoding)
{
	char	   *utf8 = text_recode(str, len, encoding);

	if (utf8 != NULL)
		return clean(utf8, strlen(utf8), true, true);
	return clean(str, len, true, true);
}

/*
 * text_to_utf8
 *		len bytes at str, valid in the database's encoding, as a palloc'd string
 *		in UTF-8.  Characters without an equivalent become U+FFFD.
 */
char *
text_to_utf8(const char *str, size_t len)
{
	int			encoding = GetDatabaseEncoding();
	Oid			proc;
	StringInfoData buf;
	size_t		i = 0;

	/* of SQL_ASCII nothing is known; what clients escape is UTF-8 */
	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
		return pnstrdup(str, len);
	proc = FindDefaultConversionProc(encoding, PG_UTF8);
	initStringInfo(&buf);
	while (i < len)
	{
		unsigned char one[MAX_CONVERSION_GROWTH * MAX_MULTIBYTE_CHAR_LEN + 1];
		int			l = Min(pg_encoding_mblen(encoding, str + i), (int) (len - i));

		if (!IS_HIGHBIT_SET(str[i]))
			appendStringInfoCharMacro(&buf, str[i]);
		else if (OidIsValid(proc) &&
				 pg_do_encoding_conversion_buf(proc, encoding, PG_UTF8,
											   (unsigned char *) str + i, l,
											   one, sizeof(one), true) == l)
			appendStringInfoString(&buf, (char *) one);
		else
			appendStringInfoString(&buf, "\xEF\xBF\xBD");
		i += l;
	}
	return buf.data;
}

/* Entities that Matomo's input sanitising decodes, besides numeric ones. */
static const struct
{
	const char *name;			/* without "&", with ";" */
	uint32		codepoint;
}			entities[] =

{
	{"amp;", '&'}, {"lt;", '<'}, {"gt;", '>'}, {"quot;", '"'}, {"apos;", '\''},
	{"nbsp;", 0xA0}, {"copy;", 0xA9}, {"reg;", 0xAE}, {"laquo;", 0xAB}, {"raquo;", 0xBB},
	{"auml;", 0xE4}, {"ouml;", 0xF6}, {"uuml;", 0xFC}, {"Auml;", 0xC4}, {"Ouml;", 0xD6},
	{"Uuml;", 0xDC}, {"szlig;", 0xDF}, {"eacute;", 0xE9}, {"egrave;", 0xE8}, {"agrave;", 0xE0},
	{"ccedil;", 0xE7}, {"ndash;", 0x2013}, {"mdash;", 0x2014}, {"lsquo;", 0x2018},
	{"rsquo;", 0x2019}, {"ldquo;", 0x201C}, {"rdquo;", 0x201D}, {"bdquo;", 0x201E},
	{"bull;", 0x2022}, {"hellip;", 0x2026}, {"euro;", 0x20AC}, {"trade;", 0x2122}
};

/*
 * Decode the entity at str (after the "&").  Returns its length, 0 if it is
 * not an entity.
 */
static int
decode_entity(const char *str, uint32 *codepoint)
{
	if (str[0] == '#')
	{
		bool		hex = (str[1] == 'x' || str[1] == 'X');
		int			i = hex ? 2 : 1;
		int			start = i;
		uint32		c = 0;

		for (; i - start < 7; i++)
		{
			char		ch = str[i];

			if (ch >= '0' && ch <= '9')
				c = c * (hex ? 16 : 10) + (ch - '0');
			else if (hex && ch >= 'a' && ch <= 'f')
				c = c * 16 + (ch - 'a' + 10);
			else if (hex && ch >= 'A' && ch <= 'F')
				c = c * 16 + (ch - 'A' + 10);
			else
				break;
		}
		if (i == start || str[i] != ';')
			return 0;
		/* control characters and invalid code points are not decoded */
		if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
			return 0;
		*codepoint = c;
		return i + 1;
	}

	for (int i = 0; i < (int) lengthof(entities); i++)
	{
		size_t		l = strlen(entities[i].name);

		if (strncmp(str, entities[i].name, l) == 0)
		{
			*codepoint = entities[i].codepoint;
			return (int) l;
		}
	}
	return 0;
}

/* Does it look like a number?  Sanitising does not change numbers. */
static bool
is_numeric(const char *str)
{
	bool		digits = false;

	while (*str == ' ' || *str == '\t' || *str == '\n' || *str == '\r' || *str == '\v' ||
		   *str == '\f')
		str++;
	if (*str == '+' || *str == '-')
		str++;
	for (; *str >= '0' && *str <= '9'; str++)
		digits = true;
	if (*str == '.')
	{
		for (str++; *str >= '0' && *str <= '9'; str++)
			digits = true;
	}
	if (!digits)
		return false;
	if (*str == 'e' || *str == 'E')
	{
		str++;
		if (*str == '+' || *str == '-')
			str++;
		if (*str < '0' || *str > '9')
			return false;
		while (*str >= '0' && *str <= '9')
			str++;
	}
	while (*str == ' ' || *str == '\t' || *str == '\n' || *str == '\r' || *str == '\v' ||
		   *str == '\f')
		str++;
	return *str == '\0';
}

/*
 * text_sanitise
 *		Sanitise a text as Matomo does every text parameter: entities decoded,
 *		then the five markup characters escaped.  Returns str itself if nothing
 *		changes.
 */
char *
text_sanitise(char *str)
{
	StringInfoData buf;

	if (strpbrk(str, "&<>\"'") == NULL || is_numeric(str))
		return str;

	initStringInfo(&buf);
	for (const char *p = str; *p;)
	{
		uint32		c = (unsigned char) *p;
		int			l = 0;

		if (*p == '&')
			l = decode_entity(p + 1, &c);
		p += 1 + l;

		switch (c)
		{
			case '&':
				appendStringInfoString(&buf, "&amp;");
				break;
			case '<':
				appendStringInfoString(&buf, "&lt;");
				break;
			case '>':
				appendStringInfoString(&buf, "&gt;");
				break;
			case '"':
				appendStringInfoString(&buf, "&quot;");
				break;
			case '\'':
				appendStringInfoString(&buf, "&#039;");
				break;
			default:
				if (l == 0 || c < 0x80)
					appendStringInfoCharMacro(&buf, (char) c);
				else
				{
					unsigned char utf8[5] = {0};
					int			ul;

					unicode_to_utf8((pg_wchar) c, utf8);
					ul = pg_utf_mblen(utf8);
					appendStringInfoString(&buf, text_clean((char *) utf8, ul, true));
				}
		}
	}
	return buf.data;
}

/*
 * text_unescape
 *		Decode entities: those that text_sanitise() made, and those that
 *		clients sent.  Returns str itself if nothing changes.
 */
char *
text_unescape(char *str)
{
	StringInfoData buf;

	if (strchr(str, '&') == NULL)
		return str;

	initStringInfo(&buf);
	for (const char *p = str; *p;)
	{
		uint32		c = (unsigned char) *p;
		int			l = 0;

		if (*p == '&')
			l = decode_entity(p + 1, &c);
		p += 1 + l;
		if (l == 0 || c < 0x80)
			appendStringInfoCharMacro(&buf, (char) c);
		else
		{
			unsigned char utf8[5] = {0};

			unicode_to_utf8((pg_wchar) c, utf8);
			appendStringInfoString(&buf, text_clean((char *) utf8, pg_utf_mblen(utf8), true));
		}
	}
	return buf.data;
}

/*
 * text_unsanitise
 *		Undo text_sanitise(), in place: the five markup characters alone, so that
 *		a URL's "&copy=1" stays what it is.  Gives its argument.
 */
char *
text_unsanitise(char *str)
{
	static const struct
	{
		const char *escape;
		char		c;
	}			marks[] = {
		{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&#039;", '\''}
	};
	char	   *to = strchr(str, '&');

	if (to == NULL)
		return str;
	for (const char *p = to; *p;)
	{
		size_t		l = 0;

		for (int i = 0; *p == '&' && l == 0 && i < (int) lengthof(marks); i++)
		{
			size_t		escape_len = strlen(marks[i].escape);

			if (strncmp(p, marks[i].escape, escape_len) == 0)
			{
				l = escape_len;
				*to++ = marks[i].c;
			}
		}
		if (l == 0)
			*to++ = *p;
		p += l > 0 ? l : 1;
	}
	*to = '\0';
	return str;
}

/*
 * text_cut_bytes, text_cut_chars
 *		Cut in place at max bytes or characters, never inside a character.
 */
void
text_cut_bytes(char *str, int max)
{
	size_t		len = strlen(str);

	if (len > (size_t) max)
		str[pg_mbcliplen(str, (int) len, max)] = '\0';
}

void
text_cut_chars(char *str, int max)
{
	size_t		len = strlen(str);

	if (len > (size_t) max)
		str[pg_mbcharcliplen(str, (int) len, max)] = '\0';
}

/*
 * text_join_lines
 *		Make each line break a space, in place; gives its argument.
 */
char *
text_join_lines(char *str)
{
	char	   *to = str;

	if (strpbrk(str, "\r\n") == NULL)
		return str;
	for (const char *p = str; *p; p++)
	{
		if (*p == '\r' && p[1] == '\n')
			continue;
		*to++ = *p == '\r' || *p == '\n' ? ' ' : *p;
	}
	*to = '\0';
	return str;
}

/*
 * text_trim
 *		Remove white space at both ends and line breaks inside, in place.
 *		Rule: doc/internals.md, "Matomo: texts".
 */
char *
text_trim(char *str)
{
	char	   *end;
	char	   *to;

	while (*str == ' ' || *str == '\t' || *str == '\n' || *str == '\r' || *str == '\v')
		str++;
	end = str + strlen(str);
	while (end > str && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\n' || end[-1] == '\r' ||
						 end[-1] == '\v'))
		end--;
	*end = '\0';

	if (strpbrk(str, "\r\n") != NULL)
	{
		to = str;
		for (const char *p = str; *p; p++)
		{
			if (*p != '\r' && *p != '\n')
				*to++ = *p;
		}
		*to = '\0';
	}
	return str;
}

/*
 * text_json_is_deep
 *		Are its brackets nested deeper than those of any tracker, JSON_DEPTH_MAX?
 */
bool
text_json_is_deep(const char *json, size_t len)
{
	const char *end = json + len;
	bool		in_string = false;
	int			depth = 0;

	for (; json < end; json++)
	{
		if (in_string)
		{
			if (*json == '\\' && json + 1 < end)
				json++;
			else if (*json == '"')
				in_string = false;
		}
		else if (*json == '"')
			in_string = true;
		else if (*json == '[' || *json == '{')
		{
			if (++depth > JSON_DEPTH_MAX)
				return true;
		}
		else if (*json == ']' || *json == '}')
			depth--;
		else if (*json == ',')
			CHECK_FOR_INTERRUPTS();
	}
	return false;
}

/* Parse a text; NULL if jsonb cannot hold it. */
static Jsonb *
parse_jsonb(const char *str)
{
#if PG_VERSION_NUM >= 160000
	ErrorSaveContext escontext = {.type = T_ErrorSaveContext};
	Datum		result;

	if (!DirectInputFunctionCallSafe(jsonb_in, (char *) str, JSONBOID, -1, (Node *) &escontext,
									 &result))
		return NULL;
	return DatumGetJsonbP(result);
#else
	MemoryContext context = CurrentMemoryContext;
	Jsonb	   *volatile result = NULL;

	/* jsonb_in() holds no resource but memory, so its error can be ignored */
	PG_TRY();
	{
		result = DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(str)));
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION &&
			ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_PROGRAM_LIMIT_EXCEEDED &&
			error->sqlerrcode != ERRCODE_UNTRANSLATABLE_CHARACTER)
			PG_RE_THROW();
		FlushErrorState();
		FreeErrorData(error);
		result = NULL;
	}
	PG_END_TRY();
	return result;
#endif
}

/*
 * text_to_jsonb
 *		JSON that a client sent, valid in the database's encoding; NULL if
 *		jsonb cannot hold it (it is not JSON, has an escape that the encoding
 *		lacks, or a number out of range), or if it is nested deeper than
 *		JSON_DEPTH_MAX: exceeding the server's own limit is a hard error.
 */
Jsonb *
text_to_jsonb(const char *str)
{
	size_t		len = strlen(str);
	MemoryContext old;
	MemoryContext apart;
	Jsonb	   *result;

	if (text_json_is_deep(str, len))
		return NULL;
	if (len <= PARSED_HERE_MAX)
		return parse_jsonb(str);

	apart = wiped_context_create(CurrentMemoryContext, "pk_tracking JSON");
	old = MemoryContextSwitchTo(apart);
	result = parse_jsonb(str);
	MemoryContextSwitchTo(old);
	if (result != NULL)
		result = memcpy(palloc(VARSIZE(result)), result, VARSIZE(result));
	MemoryContextDelete(apart);
	return result;
}
