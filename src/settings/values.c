/*
 * values.c
 *		Values of settings: reading, printing, comparing; see values.h.
 */
#include "postgres.h"

#include "common/string.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "base/compat.h"
#include "settings/values.h"

/* Longest value that is accepted, in bytes: lists of addresses may be long. */
#define MAX_VALUE_LEN (1024 * 1024)

/* White space as array_in() knows it: the locale does not matter. */
static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

char *
trim_blanks(const char *str)
{
	size_t		len;

	while (is_blank(*str))
		str++;
	len = strlen(str);
	while (len > 0 && is_blank(str[len - 1]))
		len--;
	return pnstrdup(str, len);
}

/*
 * Read a text[] literal of one dimension; arguments and result as those of
 * setting_parse().  array_in() cannot be used, since it raises, and an invalid
 * value that is stored must not stop tracking.
 */
static bool
parse_list(const SettingDef *def, const char *text, TextList *list, const char **detail)
{
	static const char *const form =
		"A list has the form {a,b}; items with commas, braces, quotes or backslashes "
		"are enclosed in double quotes.";
	const char *p;
	char	   *to = palloc(strlen(text) + 1);	/* large enough for all items
												 * and their NULs */
	int			max_items = 1;

	for (p = text; *p != '\0'; p++)
		if (*p == ',')
			max_items++;
	list->n = 0;
	list->items = palloc(mul_size(sizeof(char *), max_items));
	*detail = form;

	p = text;

	while (is_blank(*p))
		p++;
	if (*p++ != '{')
		return false;
	while (is_blank(*p))
		p++;
	if (*p == '}')
		p++;
	else
		for (;;)
		{
			char	   *item = to;
			char	   *end = to;	/* of the item, without trailing blanks */
			bool		quoted;

			while (is_blank(*p))
				p++;
			quoted = (*p == '"');
			if (quoted)
				p++;
			while (*p != '\0' && (quoted ? *p != '"' : strchr(",{}\"", *p) == NULL))
			{
				bool		escaped = (*p == '\\');

				if (escaped && *++p == '\0')
					return false;
				*to++ = *p;
				if (quoted || escaped || !is_blank(*p))
					end = to;
				p++;
			}
			if (quoted && *p++ != '"')
				return false;
			*end = '\0';
			to = end + 1;
			if (!quoted && (end == item || pg_strcasecmp(item, "null") == 0))
				return false;
			if (end == item)
			{
				/* it would match everything that is searched for it */
				*detail = "Items must not be empty.";
				return false;
			}
			if (def->normalise)
				def->normalise(item);
			if (def->check && (*detail = def->check(item)) != NULL)
				return false;
			*detail = form;
			list->items[list->n++] = item;

			while (is_blank(*p))
				p++;
			if (*p == ',')
				p++;
			else if (*p++ == '}')
				break;
			else
				return false;
		}
	while (is_blank(*p))
		p++;
	return *p == '\0';
}

char *
setting_valid_values(const SettingDef *def)
{
	StringInfoData buf;
	const SettingChoice *c;
	int			n = 0;
	int			i = 0;

	switch (def->type)
	{
		case TYPE_BOOL:
			return pstrdup("Valid values are \"on\" and \"off\".");

		case TYPE_INT:
			return psprintf("Valid values are integers between %d and %d.", def->min, def->max);

		case TYPE_ENUM:
			for (c = def->choices; c->name != NULL; c++)
				if (c->name[0] != '\0')
					n++;
			initStringInfo(&buf);
			appendStringInfoString(&buf, "Valid values are ");
			for (c = def->choices; c->name != NULL; c++)
				if (c->name[0] != '\0')
				{
					appendStringInfo(&buf, "%s\"%s\"",
									 i == 0 ? "" : i < n - 1 ? ", " : n > 2 ? ", and " : " and ",
									 c->name);
					i++;
				}
			appendStringInfoChar(&buf, '.');
			return buf.data;

		case TYPE_STRING:
		case TYPE_LIST:
			break;
	}
	elog(ERROR, "setting \"%s\" has no list of valid values", def->name);
	return NULL;				/* keep compiler quiet */
}

bool
setting_parse(const SettingDef *def, const char *text, void *dest, const char **detail)
{
	char	   *str;

	*detail = NULL;
	if (strlen(text) > MAX_VALUE_LEN)
	{
		*detail = "The value is longer than 1 MB.";
		return false;
	}

	switch (def->type)
	{
		case TYPE_BOOL:
			str = trim_blanks(text);
			return parse_bool(str, (bool *) dest);

		case TYPE_INT:
			{
				char	   *end;
				int			val;

				str = trim_blanks(text);
				errno = 0;
				val = strtoint(str, &end, 10);
				if (end == str || *end != '\0' || errno != 0 || val < def->min || val > def->max)
					return false;
				*(int32 *) dest = val;
				return true;
			}

		case TYPE_ENUM:
			{
				const SettingChoice *c;

				str = trim_blanks(text);
				for (c = def->choices; c->name != NULL; c++)
					if (pg_strcasecmp(c->name, str) == 0)
					{
						*(int *) dest = c->value;
						return true;
					}
				return false;
			}

		case TYPE_STRING:
			str = trim_blanks(text);
			if (def->normalise)
				def->normalise(str);
			if (def->check && (*detail = def->check(str)) != NULL)
				return false;
			*(char **) dest = str;
			return true;

		case TYPE_LIST:
			return parse_list(def, text, (TextList *) dest, detail);
	}
	return false;				/* not reached */
}

/* Append an item of a list as array_out() writes it. */
static void
append_item(StringInfo buf, const char *item)
{
	const char *p;
	bool		quote = (*item == '\0' || pg_strcasecmp(item, "null") == 0);

	for (p = item; *p != '\0' && !quote; p++)
		quote = is_blank(*p) || strchr("{},\"\\", *p) != NULL;
	if (!quote)
	{
		appendStringInfoString(buf, item);
		return;
	}
	appendStringInfoChar(buf, '"');
	for (p = item; *p != '\0'; p++)
	{
		if (*p == '"' || *p == '\\')
			appendStringInfoChar(buf, '\\');
		appendStringInfoChar(buf, *p);
	}
	appendStringInfoChar(buf, '"');
}

char *
setting_format(const SettingDef *def, const void *value)
{
	switch (def->type)
	{
		case TYPE_BOOL:
			return pstrdup(*(const bool *) value ? "on" : "off");

		case TYPE_INT:
			return psprintf("%d", *(const int32 *) value);

		case TYPE_ENUM:
			{
				const SettingChoice *c;

				for (c = def->choices; c->name != NULL; c++)
					if (c->value == *(const int *) value)
						return pstrdup(c->name);
				break;
			}

		case TYPE_STRING:
			return pstrdup(*(char *const *) value);

		case TYPE_LIST:
			{
				const TextList *list = value;
				StringInfoData buf;
				int			i;

				initStringInfo(&buf);
				appendStringInfoChar(&buf, '{');
				for (i = 0; i < list->n; i++)
				{
					if (i > 0)
						appendStringInfoChar(&buf, ',');
					append_item(&buf, list->items[i]);
				}
				appendStringInfoChar(&buf, '}');
				return buf.data;
			}
	}
	elog(ERROR, "setting \"%s\" has an impossible value", def->name);
	return NULL;				/* keep compiler quiet */
}

size_t
setting_value_size(const SettingDef *def)
{
	switch (def->type)
	{
		case TYPE_BOOL:
			return sizeof(bool);
		case TYPE_INT:
			return sizeof(int32);
		case TYPE_ENUM:
			return sizeof(int);
		case TYPE_STRING:
			return sizeof(char *);
		case TYPE_LIST:
			return sizeof(TextList);
	}
	return 0;					/* not reached */
}

int
setting_strength(const SettingDef *def, const void *value)
{
	switch (def->order)
	{
		case ORDER_NONE:
			return 0;
		case ORDER_ON_IS_STRONG:
			return *(const bool *) value ? 1 : 0;
		case ORDER_OFF_IS_STRONG:
			return *(const bool *) value ? 0 : 1;
		case ORDER_GREATER_IS_STRONG:
			return *(const int32 *) value;
		case ORDER_SMALLER_IS_STRONG:
			return *(const int32 *) value == 0 ? PG_INT32_MIN : -*(const int32 *) value;
		case ORDER_AS_LISTED:
			{
				int			i;

				for (i = 0; def->choices[i].name != NULL; i++)
					if (def->choices[i].value == *(const int *) value)
						return i;
				break;
			}
	}
	return 0;
}
