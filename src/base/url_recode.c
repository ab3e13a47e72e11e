/*
 * url_recode.c
 *		URLs of pages in another character set than UTF-8.
 *
 * A browser escapes the query of a link in the character set of the page that
 * has it.  The escapes are made those of UTF-8, which is what all other code
 * expects.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#include "base/text.h"
#include "base/url.h"
#include "base/url_recode.h"

/*
 * Append a part without delimiters.  Characters of ASCII stay as they are,
 * escaped or not; a part that cannot be decoded as a whole stays whole.
 */
static void
append_recoded(StringInfo buf, const char *part, size_t len, int encoding)
{
	char	   *decoded = palloc(len + 1);
	size_t	   *from = palloc((len + 1) * sizeof(size_t));	/* where each byte
															 * stands in part */
	size_t		n = 0;

	for (size_t i = 0; i < len; n++)
	{
		from[n] = i;
		if (part[i] == '%' && i + 2 < len && url_hex_digit(part[i + 1]) >= 0 &&
			url_hex_digit(part[i + 2]) >= 0)
		{
			decoded[n] = (char) (url_hex_digit(part[i + 1]) * 16 + url_hex_digit(part[i + 2]));
			i += 3;
		}
		else
			decoded[n] = part[i++];
	}
	from[n] = len;

	if (text_recode(decoded, n, encoding) == NULL)
		appendBinaryStringInfo(buf, part, (int) len);
	else
	{
		for (size_t i = 0; i < n;)
		{
			int			l = pg_encoding_mblen(encoding, decoded + i);
			char	   *utf8 = NULL;

			if (IS_HIGHBIT_SET(decoded[i]))
				utf8 = text_convert(decoded + i, l, encoding);
			if (utf8 == NULL)
				appendBinaryStringInfo(buf, part + from[i], (int) (from[i + l] - from[i]));
			else
			{
				for (const char *p = utf8; *p; p++)
					appendStringInfo(buf, "%%%02X", (unsigned char) *p);
			}
			i += l;
		}
	}
	pfree(decoded);
	pfree(from);
}

/*
 * url_recode
 *		A URL with escapes of an encoding (text_encoding()) made those of UTF-8:
 *		the argument itself if it has none.
 */
char *
url_recode(char *url, int encoding)
{
	const char *p = strstr(url, "//");
	StringInfoData buf;

	if (encoding == 0 || strchr(url, '%') == NULL)
		return url;
	p = p != NULL ? p + 2 + strcspn(p + 2, "/?#") : url;
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, url, (int) (p - url));
	while (*p)
	{
		size_t		len = strcspn(p, "/?#&=;");

		if (len > 0)
			append_recoded(&buf, p, len, encoding);
		p += len;
		if (*p)
			appendStringInfoChar(&buf, *p++);
	}
	return buf.data;
}
