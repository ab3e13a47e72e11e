/*
 * consent_window.c
 *		The window in which visitors are asked for consent.
 *
 * Defaults of texts and colours are in client/consent.js; a window that names
 * languages or colours names all that belongs to them, so that no text is in a
 * language of another and colours can be compared.
 */
#include "postgres.h"

#include <ctype.h>
#include <math.h>

#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "base/json.h"
#include "base/text.h"
#include "settings/consent_window.h"

#define WINDOW_MAX 32768
#define ASK_AGAIN_MAX 3650

/* WCAG 2.2, 1.4.3: text of normal size. */
#define CONTRAST_MIN 4.5

#define WINDOW_KEYS "texts, colors, position, policy_url, ask_again_days"
#define TEXT_KEYS "title, text, agree, refuse, policy"
#define COLOR_KEYS "background, text, button, button_text"

/* Is the string one of a list that is separated by ", "? */
static bool
is_listed(const char *list, const char *str, size_t len)
{
	for (const char *p = list; *p != '\0'; p += strspn(p, ", "))
	{
		size_t		n = strcspn(p, ",");

		if (n == len && strncmp(p, str, n) == 0)
			return true;
		p += n;
	}
	return false;
}

/* The first key of an object that is not in the list, palloc'd; NULL: there is none. */
static char *
unknown_key(JsonbContainer *object, const char *list)
{
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	v;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && !is_listed(list, v.val.string.val, v.val.string.len))
			return pnstrdup(v.val.string.val, v.val.string.len);
	}
	return NULL;
}

static JsonbValue *
member(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

/* A member that is an object; NULL: it is none. */
static JsonbContainer *
as_object(JsonbValue *v)
{
	if (v->type != jbvBinary || !JsonContainerIsObject(v->val.binary.data))
		return NULL;
	return v->val.binary.data;
}

/* A string with something to read: a blank button would be no choice. */
static bool
is_text(const JsonbValue *v)
{
	if (v == NULL || v->type != jbvString)
		return false;
	for (int i = 0; i < v->val.string.len; i++)
	{
		if ((unsigned char) v->val.string.val[i] > ' ')
			return true;
	}
	return false;
}

/* As HTML's attribute lang has it, in lower case: de, pt-br. */
static bool
is_language(const char *str)
{
	size_t		n = strspn(str, "abcdefghijklmnopqrstuvwxyz");

	if (n < 2 || n > 3)
		return false;
	for (str += n; *str == '-'; str += n)
	{
		str++;
		n = strspn(str, "abcdefghijklmnopqrstuvwxyz0123456789");
		if (n < 1 || n > 8)
			return false;
	}
	return *str == '\0';
}

static const char *
check_texts(JsonbContainer *texts, bool has_policy)
{
	static const char *const needed[] = {"title", "text", "agree", "refuse", "policy"};
	JsonbIterator *it = JsonbIteratorInit(texts);
	JsonbValue	v;
	JsonbIteratorToken token;
	char	   *language = NULL;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		JsonbContainer *object;
		const char *unknown;

		if (token == WJB_KEY)
		{
			language = pnstrdup(v.val.string.val, v.val.string.len);
			if (!is_language(language))
				return psprintf("\"%s\" in \"texts\" is no language such as de or pt-br.",
								language);
		}
		if (token != WJB_VALUE)
			continue;
		object = as_object(&v);
		if (object == NULL)
			return psprintf("The texts of language \"%s\" must be an object.", language);
		unknown = unknown_key(object, TEXT_KEYS);
		if (unknown != NULL)
			return psprintf("The texts of language \"%s\" have the unknown key \"%s\"; valid are"
							" %s.", language, unknown, TEXT_KEYS);
		for (int i = 0; i < (int) lengthof(needed); i++)
		{
			bool		optional = strcmp(needed[i], "policy") == 0 && !has_policy;
			JsonbValue *text = member(object, needed[i]);

			if (text == NULL ? !optional : !is_text(text))
				return psprintf("The texts of language \"%s\" need a text \"%s\".",
								language, needed[i]);
		}
	}
	return language == NULL ? "\"texts\" must have a language." : NULL;
}

/* "#rrggbb" → relative luminance, by WCAG 2.2. */
static bool
luminance(const JsonbValue *color, double *result)
{
	static const double weights[] = {0.2126, 0.7152, 0.0722};
	const char *str;

	if (!is_text(color) || color->val.string.len != 7 || color->val.string.val[0] != '#')
		return false;
	str = color->val.string.val + 1;

	*result = 0;
	for (int i = 0; i < 3; i++)
	{
		char		digits[3] = {str[2 * i], str[2 * i + 1], '\0'};
		double		c;

		if (!isxdigit((unsigned char) digits[0]) || !isxdigit((unsigned char) digits[1]))
			return false;
		c = (double) strtol(digits, NULL, 16) / 255;
		*result += weights[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return true;
}

static const char *
check_colors(JsonbContainer *colors)
{
	/* text and what is behind it */
	static const char *const pairs[][2] = {{"text", "background"}, {"button_text", "button"}};
	const char *unknown = unknown_key(colors, COLOR_KEYS);

	if (unknown != NULL)
		return psprintf("\"colors\" has the unknown key \"%s\"; valid are %s.",
						unknown, COLOR_KEYS);
	for (int i = 0; i < (int) lengthof(pairs); i++)
	{
		double		light[2];
		double		contrast;

		for (int j = 0; j < 2; j++)
		{
			if (!luminance(member(colors, pairs[i][j]), &light[j]))
				return psprintf("Color \"%s\" must be written as #rrggbb.", pairs[i][j]);
		}
		contrast = (Max(light[0], light[1]) + 0.05) / (Min(light[0], light[1]) + 0.05);
		if (contrast < CONTRAST_MIN)
			return psprintf("The contrast of colors \"%s\" and \"%s\" is %.2f; it must be"
							" 4.5 at least.",
							pairs[i][0], pairs[i][1], floor(contrast * 100) / 100);
	}
	return NULL;
}

/* http, https, or relative: browsers would run some other schemes as scripts. */
static bool
is_link(const JsonbValue *v)
{
	char	   *url;

	if (!is_text(v))
		return false;
	url = pnstrdup(v->val.string.val, v->val.string.len);
	for (const char *p = url; *p != '\0'; p++)
	{
		if ((unsigned char) *p <= ' ')
			return false;
	}
	if (pg_strncasecmp(url, "https://", 8) == 0 || pg_strncasecmp(url, "http://", 7) == 0)
		return true;
	return url[strcspn(url, ":/?#")] != ':';
}

static bool
is_days(const JsonbValue *v)
{
	const char *str;

	if (v->type != jbvNumeric)
		return false;
	str = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
	return strlen(str) <= 4 && strspn(str, "0123456789") == strlen(str) &&
		atoi(str) >= 1 && atoi(str) <= ASK_AGAIN_MAX;
}

const char *
check_consent_window(const char *str)
{
	Jsonb	   *jsonb;
	JsonbContainer *window;
	JsonbContainer *object;
	JsonbValue *v;
	JsonbValue *policy;
	const char *detail;

	if (*str == '\0')
		return NULL;
	if (strlen(str) > WINDOW_MAX || str[strspn(str, " \t\r\n")] != '{' ||
		!json_is_valid(str, strlen(str)))
		return "The value must be a JSON object of at most 32768 bytes, or empty.";

	jsonb = text_to_jsonb(str);
	if (jsonb == NULL)
		return "The value has something that jsonb cannot hold, such as \\u0000.";
	window = &jsonb->root;
	detail = unknown_key(window, WINDOW_KEYS);
	if (detail != NULL)
		return psprintf("The window has the unknown key \"%s\"; valid are %s.",
						detail, WINDOW_KEYS);

	policy = member(window, "policy_url");
	if (policy != NULL && !is_link(policy))
		return "\"policy_url\" must be a URL of http or https, or a path.";
	v = member(window, "position");
	if (v != NULL && !(is_text(v) && is_listed("bottom, center, top", v->val.string.val,
											   v->val.string.len)))
		return "\"position\" must be bottom, center or top.";
	v = member(window, "ask_again_days");
	if (v != NULL && !is_days(v))
		return "\"ask_again_days\" must be a whole number from 1 to 3650.";
	v = member(window, "texts");
	if (v != NULL)
	{
		if ((object = as_object(v)) == NULL)
			return "\"texts\" must be an object of languages.";
		if ((detail = check_texts(object, policy != NULL)) != NULL)
			return detail;
	}
	v = member(window, "colors");
	if (v != NULL)
	{
		if ((object = as_object(v)) == NULL)
			return "\"colors\" must be an object.";
		return check_colors(object);
	}
	return NULL;
}
