/*
 * language.c
 *		The browser's language list (spec matomo 1.6, test case 27).
 *
 * A language list is ASCII: what is not printable ASCII is dropped like white
 * space, so that a list may be cut anywhere and stays valid in every encoding.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "compat.h"
#include "enrich/language.h"

#define LANGUAGE_INPUT_MAX 1024
#define LANGUAGE_PRIMARY_MAX 20

PG_FUNCTION_INFO_V1(pkt_normalise_language);

/* True if the n bytes at s[pos] are the NUL-terminated word. */
static inline bool
word_at(const char *s, size_t n, size_t pos, const char *word)
{
	size_t		len = strlen(word);

	return n - pos >= len && memcmp(s + pos, word, len) == 0;
}

/*
 * Each of these deletes one kind of thing from the n bytes at s, in place, and
 * gives the new length.  They run one after the other over the whole list.
 */

/* A backslash and what it quotes. */
static size_t
drop_quoted_pairs(char *s, size_t n)
{
	size_t		from,
				to = 0;

	for (from = 0; from < n; from++)
	{
		if (s[from] == '\\' && from + 1 < n && s[from + 1] != '\n')
			from++;
		else
			s[to++] = s[from];
	}
	return to;
}

/* White space, control characters and bytes above 0x7e. */
static size_t
drop_blanks(char *s, size_t n)
{
	size_t		from,
				to = 0;

	for (from = 0; from < n; from++)
		if (s[from] > ' ' && s[from] < 0x7f && !IS_HIGHBIT_SET(s[from]))
			s[to++] = s[from];
	return to;
}

/* "(" up to the next ")". */
static size_t
drop_comments(char *s, size_t n)
{
	size_t		from,
				to = 0;

	for (from = 0; from < n; from++)
	{
		char	   *close;

		if (s[from] == '(' &&
			(close = memchr(s + from, ')', n - from)) != NULL)
			from = close - s;
		else
			s[to++] = s[from];
	}
	return to;
}

/* ";q=" and the digits and dots that follow, one at least. */
static size_t
drop_qualities(char *s, size_t n)
{
	size_t		from = 0,
				to = 0;

	while (from < n)
	{
		if (word_at(s, n, from, ";q="))
		{
			size_t		end = from + 3;

			while (end < n && ((s[end] >= '0' && s[end] <= '9') || s[end] == '.'))
				end++;
			if (end > from + 3)
			{
				from = end;
				continue;
			}
		}
		s[to++] = s[from++];
	}
	return to;
}

/* The first element that starts with "chrome:", and all that follows. */
static size_t
drop_chrome(const char *s, size_t n)
{
	size_t		pos;

	for (pos = 0; pos < n; pos++)
		if ((pos == 0 || s[pos - 1] == ',') && word_at(s, n, pos, "chrome:"))
			return (pos == 0) ? 0 : pos - 1;
	return n;
}

/* The first element that is "en-securid", with one of its commas. */
static size_t
drop_securid(char *s, size_t n)
{
	static const char word[] = "en-securid";
	const size_t len = sizeof(word) - 1;
	size_t		pos;

	for (pos = 0; pos < n; pos++)
	{
		size_t		first = pos,
					end = pos + len;

		if ((pos > 0 && s[pos - 1] != ',') || !word_at(s, n, pos, word) ||
			(end < n && s[end] != ','))
			continue;
		if (end < n)
			end++;
		else if (first > 0)
			first--;
		memmove(s + first, s + end, n - end);
		return n - (end - first);
	}
	return n;
}

/*
 * language_normalise
 *		Bring an Accept-Language value, or a LANG setting, into its plain form.
 *
 * Takes len bytes of any origin, of which 1024 count.  Writes a NUL-terminated
 * list without blanks, cut to buflen - 1 bytes, and gives its length.  Rule:
 * spec matomo 1.6, the steps in the order given there.
 */
size_t
language_normalise(const char *str, size_t len, char *buf, size_t buflen)
{
	char		work[LANGUAGE_INPUT_MAX];
	size_t		n = Min(len, sizeof(work));
	size_t		i;
	char	   *dot;

	if (buflen == 0)
		return 0;

	for (i = 0; i < n; i++)
		work[i] = (str[i] == '_') ? '-' : pg_ascii_tolower((unsigned char) str[i]);

	n = drop_quoted_pairs(work, n);
	n = drop_blanks(work, n);
	n = drop_comments(work, n);
	n = drop_qualities(work, n);
	dot = memchr(work, '.', n);	/* a charset */
	if (dot != NULL)
		n = dot - work;
	n = drop_chrome(work, n);
	n = drop_securid(work, n);

	/* Serbia once was Serbia and Montenegro */
	for (i = 0; i < n; i++)
		if (word_at(work, n, i, "sr-sp"))
			memcpy(work + i, "sr-rs", 5);

	n = Min(n, buflen - 1);
	memcpy(buf, work, n);
	buf[n] = '\0';
	return n;
}

/*
 * language_primary
 *		The first tag of a normalised list, at most 20 bytes of it.
 */
void
language_primary(const char *normalised, char *buf)
{
	size_t		n = Min(strcspn(normalised, ",;"), LANGUAGE_PRIMARY_MAX);

	memcpy(buf, normalised, n);
	buf[n] = '\0';
}

/*
 * pk_tracking.normalise_language(accept_language text) RETURNS text
 */
Datum
pkt_normalise_language(PG_FUNCTION_ARGS)
{
	text	   *list = PG_GETARG_TEXT_PP(0);
	char		buf[LANGUAGE_INPUT_MAX + 1];
	size_t		n;

	n = language_normalise(VARDATA_ANY(list), VARSIZE_ANY_EXHDR(list), buf, sizeof(buf));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf, n));
}
