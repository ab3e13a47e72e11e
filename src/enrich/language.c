/*
 * language.c
 *		The browser's language list.  Rule:
 *		doc/internals.md, "Matomo: fingerprint".
 *
 * A language list is ASCII: other bytes and control characters are removed
 * like white space, so that a list may be cut anywhere and is valid in every
 * encoding.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/compat.h"
#include "enrich/language.h"

#define LANGUAGE_INPUT_MAX 1024

PG_FUNCTION_INFO_V1(pkt_normalise_language);

/* True if the n bytes at s[pos] are the NUL-terminated word. */
static inline bool
word_at(const char *s, size_t n, size_t pos, const char *word)
{
	size_t		len = strlen(word);

	return n - pos >= len && memcmp(s + pos, word, len) == 0;
}

/*
 * Each of these functions removes one kind of text from the n bytes at s, in
 * place, and gives the new length.  They run one after the other over the
 * whole list.
 */

/* A backslash and the character that it quotes. */
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
 *		Normalise an Accept-Language value, or a LANG setting.
 *
 * Takes len bytes from any source, of which it reads 1024.  Writes a
 * NUL-terminated list without blanks, cut to buflen - 1 bytes, and gives its
 * length.  The order of the steps matters.
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
	dot = memchr(work, '.', n); /* a charset */
	if (dot != NULL)
		n = dot - work;
	n = drop_chrome(work, n);
	n = drop_securid(work, n);

	/* Serbia was once Serbia and Montenegro */
	for (i = 0; i < n; i++)
		if (word_at(work, n, i, "sr-sp"))
			memcpy(work + i, "sr-rs", 5);

	n = Min(n, buflen - 1);
	memcpy(buf, work, n);
	buf[n] = '\0';
	return n;
}

/* ISO 639-1 */
static const char languages[] =
"aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
"da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht "
"hu hy hz "
"ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg "
"li ln lo lt lu lv "
"mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps "
"pt qu "
"rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl "
"tn to tr ts tt tw ty "
"ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/* ISO 3166-1 alpha-2 */
static const char countries[] =
"ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bl bm bn bo bq "
"br bs bt bv bw by bz "
"ca cc cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er "
"es et fi fj fk fm fo fr "
"ga gb gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in "
"io iq ir is it je jm jo jp "
"ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mf mg mh mk "
"ml mm mn mo mp mq mr ms mt "
"mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps "
"pt pw py qa re ro rs ru rw "
"sa sb sc sd se sg sh si sj sk sl sm sn so sr ss st sv sx sy sz tc td tf tg th tj tk tl tm "
"tn to tr tt tv tw tz "
"ua ug um us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw";

/* Languages of one country: language, country. */
static const char language_country_pairs[] =
"af-za am-et az-az be-by bg-bg bn-bd bs-ba ca-es cs-cz cy-gb da-dk de-de dv-mv dz-bt el-gr "
"es-es et-ee eu-es "
"fa-ir fi-fi fj-fj fo-fo fr-fr fy-nl ga-ie gl-es gu-in he-il hi-in hr-hr ht-ht hu-hu hy-am "
"id-id ig-ng is-is it-it "
"ja-jp jv-id ka-ge kk-kz kl-gl km-kh kn-in ko-kr ky-kg lb-lu lo-la lt-lt lv-lv mg-mg mi-nz "
"mk-mk ml-in mn-mn mr-in "
"ms-my mt-mt my-mm nb-no ne-np nl-nl nn-no no-no or-in pa-in pl-pl ps-af pt-pt ro-ro ru-ru "
"rw-rw si-lk sk-sk sl-si "
"sm-ws so-so sq-al sr-rs sv-se ta-in te-in tg-tj th-th tk-tm tl-ph to-to tr-tr tt-ru uk-ua "
"ur-pk uz-uz vi-vn xh-za "
"yo-ng zh-cn zu-za";

/* Is the two-letter code in a list of words of three bytes? */
static bool
on_list(const char *list, size_t len, const char *code)
{
	for (size_t i = 0; i < len; i += 3)
	{
		if (list[i] == code[0] && list[i + 1] == code[1])
			return true;
	}
	return false;
}

static inline bool
is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* Length of the subtag at str. */
static inline size_t
subtag(const char *str)
{
	return strcspn(str, "-,;");
}

/*
 * language_primary
 *		The first valid language of a normalised list, with its region if it
 *		has one: "de", "de-at"; "" if there is none.
 */
void
language_primary(const char *normalised, char *buf)
{
	buf[0] = '\0';
	for (const char *tag = normalised; *tag != '\0';)
	{
		size_t		n = subtag(tag);

		if (n == 2 && on_list(languages, sizeof(languages), tag))
		{
			const char *next = tag + n;

			memcpy(buf, tag, n);
			buf[n] = '\0';
			/* a script may come between */
			if (*next == '-' && subtag(next + 1) == 4)
				next += 5;
			if (*next == '-' && subtag(next + 1) == 2 && is_letter(next[1]) && is_letter(next[2]))
			{
				memcpy(buf + n, next, 3);
				buf[n + 3] = '\0';
			}
			return;
		}
		tag += strcspn(tag, ",");
		if (*tag == ',')
			tag++;
	}
}

/*
 * language_country
 *		The country that a normalised list suggests, two lower-case letters and
 *		a NUL, or "": its first region; else, with guess, the country of its
 *		first language if that is a language of one country.  as_matomo: two
 *		letters after any hyphen are taken for a region, even those of a
 *		script.
 */
void
language_country(const char *normalised, bool guess, bool as_matomo, char *buf)
{
	buf[0] = '\0';
	for (const char *p = strchr(normalised, '-'); p != NULL; p = strchr(p + 1, '-'))
	{
		if (is_letter(p[1]) && is_letter(p[2]) &&
			(as_matomo || subtag(p + 1) == 2) &&
			on_list(countries, sizeof(countries), p + 1))
		{
			memcpy(buf, p + 1, 2);
			buf[2] = '\0';
			return;
		}
	}
	if (guess && strcspn(normalised, ",;") == 2)
	{
		for (size_t i = 0; i < sizeof(language_country_pairs); i += 6)
		{
			if (memcmp(language_country_pairs + i, normalised, 2) == 0)
			{
				memcpy(buf, language_country_pairs + i + 3, 2);
				buf[2] = '\0';
				return;
			}
		}
	}
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
