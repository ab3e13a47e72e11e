/*
 * custom.c
 *		Custom dimensions and custom variables.
 *
 * A site numbers its dimensions; each belongs to the visit or to the action.
 * The hit sends the value as dimensionN, or it is extracted from the page's
 * URL or title.  Pure: the table of dimensions is read elsewhere.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "regex/regex.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "base/json.h"
#include "base/text.h"
#include "base/url.h"
#include "base/url_form.h"
#include "request/tracking_api.h"
#include "visit/custom.h"

#define DIMENSION_MAX 250		/* characters of a value */
#define VARIABLE_MAX 200		/* characters of a name or value */
#define VARIABLE_SLOTS 5
#define DIMENSIONS_SENT_MAX 128 /* as many as the parameters that are kept */

/* A way to extract a value. */
typedef struct Extraction
{
	enum
	{
		FROM_URL,
		FROM_URL_PARAM,
		FROM_TITLE
	}			source;
	char	   *param;			/* name of the parameter */
	regex_t		expression;		/* for URL or title: its first group is the
								 * value */
} Extraction;

struct CustomDimension
{
	int32		idsite;
	int32		number;
	bool		of_visit;		/* else of the action */
	bool		case_sensitive;
	int			n_extractions;
	Extraction *extractions;
};

struct CustomDimensions
{
	MemoryContext context;		/* holds everything */
	int			n;
	int			max;
	CustomDimension *items;		/* sorted by site and number */
	MemoryContextCallback release;
};

/* Before 16, compiled expressions live outside of memory contexts. */
#if PG_VERSION_NUM < 160000
static void
release_expressions(void *arg)
{
	CustomDimensions *all = arg;

	for (int i = 0; i < all->n; i++)
	{
		for (int j = 0; j < all->items[i].n_extractions; j++)
		{
			if (all->items[i].extractions[j].source != FROM_URL_PARAM)
				pg_regfree(&all->items[i].extractions[j].expression);
		}
	}
}
#endif

/*
 * custom_dimensions_create
 *		Space for max dimensions, in the current memory context.
 */
CustomDimensions *
custom_dimensions_create(int max)
{
	CustomDimensions *all = palloc0_object(CustomDimensions);

	all->context = CurrentMemoryContext;
	all->max = max;
	all->items = palloc0_array(CustomDimension, max + 1);
#if PG_VERSION_NUM < 160000
	all->release.func = release_expressions;
	all->release.arg = all;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &all->release);
#endif
	return all;
}

static char *
member_text(JsonbContainer *object, const char *name)
{
	JsonbValue	buf;
	JsonbValue *v = getKeyJsonValueFromContainer(object, name, strlen(name), &buf);

	if (v == NULL || v->type != jbvString)
		return NULL;
	return pnstrdup(v->val.string.val, v->val.string.len);
}

/* Read one extraction of the list in the table; false if it is not valid. */
static void
add_extraction(CustomDimension *d, JsonbContainer *object)
{
	Extraction *e = &d->extractions[d->n_extractions];
	char	   *source = member_text(object, "dimension");
	char	   *pattern = member_text(object, "pattern");
	pg_wchar   *wide;
	int			n;

	if (source == NULL || pattern == NULL)
		return;
	if (strcmp(source, "urlparam") == 0)
	{
		e->source = FROM_URL_PARAM;
		e->param = pattern;
		d->n_extractions++;
		return;
	}
	if (strcmp(source, "url") == 0)
		e->source = FROM_URL;
	else if (strcmp(source, "action_name") == 0)
		e->source = FROM_TITLE;
	else
		return;
	wide = palloc((strlen(pattern) + 1) * sizeof(pg_wchar));
	n = pg_mb2wchar_with_len(pattern, wide, (int) strlen(pattern));
	if (pg_regcomp(&e->expression, wide, n, REG_ADVANCED | (d->case_sensitive ? 0 : REG_ICASE),
				   C_COLLATION_OID) == REG_OKAY)
		d->n_extractions++;
	pfree(wide);
}

/*
 * custom_dimensions_add
 *		Add a dimension of the table; call it in the order of sites and
 *		numbers.
 */
void
custom_dimensions_add(CustomDimensions *all, int32 idsite, int32 number, bool of_visit,
					  bool case_sensitive, Jsonb *extractions)
{
	CustomDimension *d;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;

	if (all->n == all->max)
		return;
	d = &all->items[all->n++];
	d->idsite = idsite;
	d->number = number;
	d->of_visit = of_visit;
	d->case_sensitive = case_sensitive;
	if (extractions == NULL || !JB_ROOT_IS_ARRAY(extractions) || JB_ROOT_COUNT(extractions) == 0)
		return;
	d->extractions = palloc0_array(Extraction, JB_ROOT_COUNT(extractions));
	it = JsonbIteratorInit(&extractions->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && value.type == jbvBinary &&
			JsonContainerIsObject(value.val.binary.data))
			add_extraction(d, value.val.binary.data);
	}
}

/* The first group of an expression in a text; NULL if it does not match. */
static char *
match(regex_t *expression, const char *str)
{
	size_t		len = strlen(str);
	pg_wchar   *wide = palloc((len + 1) * sizeof(pg_wchar));
	int			n = pg_mb2wchar_with_len(str, wide, (int) len);
	regmatch_t	found[2];
	char	   *result = NULL;

	CHECK_FOR_INTERRUPTS();
	if (expression->re_nsub >= 1 &&
		pg_regexec(expression, wide, n, 0, NULL, 2, found, 0) == REG_OKAY &&
		found[1].rm_so >= 0)
	{
		int			chars = (int) (found[1].rm_eo - found[1].rm_so);

		result = palloc(chars * pg_database_encoding_max_length() + 1);
		pg_wchar2mb_with_len(wide + found[1].rm_so, result, chars);
	}
	pfree(wide);
	return result;
}

/*
 * The same in a URL, as it was sent, else decoded; the value is decoded either
 * way, so that equal URLs give equal values.  Matomo compares what was sent.
 */
static char *
match_url(regex_t *expression, const char *url, const Settings *s)
{
	char	   *value = match(expression, url);
	char	   *decoded;

	if (s->recognition_rules == RULES_MATOMO)
		return value;
	decoded = url_unescape(value != NULL ? value : url);
	if (decoded == NULL)
		return value;
	return value != NULL ? decoded : match(expression, decoded);
}

/* A parameter of the page's URL, in its query or fragment; NULL if it has none. */
static char *
url_value(const char *url, const char *name, bool case_sensitive, const Settings *s)
{
	char	   *clean = url_clean(url);
	Url			parts;

	if (!url_split(clean, &parts))
		return NULL;
	for (int i = 0; i < 2; i++)
	{
		UrlPart		rest = i == 0 ? parts.query :
			s->recognition_rules == RULES_MATOMO ? parts.fragment :
			url_fragment_query(parts.fragment);
		UrlParam	param;
		char	   *found = NULL;

		while (url_next_param(&rest, &param))
		{
			char	   *sent = url_decode_part(param.name);

			if (case_sensitive ? strcmp(sent, name) == 0 : pg_strcasecmp(sent, name) == 0)
				found = url_decode_part(param.value);
		}
		if (found != NULL)
			return found;
	}
	return NULL;
}

/* The value of a dimension in the action's URL or the page's title, or NULL. */
static char *
extract(CustomDimension *d, const Hit *hit, const char *url, const Settings *s)
{
	for (int i = 0; i < d->n_extractions; i++)
	{
		Extraction *e = &d->extractions[i];
		char	   *value = NULL;

		switch (e->source)
		{
			case FROM_URL:
				if (url[0])
					value = match_url(&e->expression, url_without_user(pstrdup(url)), s);
				break;
			case FROM_URL_PARAM:
				if (url[0])
					value = url_value(url, e->param, d->case_sensitive, s);
				break;
			case FROM_TITLE:
				if (hit->action_name[0])
					value = match(&e->expression, hit->action_name);
				break;
		}
		if (value != NULL && value[0] != '\0')
			return value;
	}
	return NULL;
}

/* A text as it is stored: trimmed, cut, escaped under Matomo's rules. */
static char *
clean_text(char *str, int max, const Settings *s)
{
	if (s->recognition_rules == RULES_MATOMO)
		str = text_sanitise(str);
	else
		str = text_join_lines(str);
	str = text_trim(str);
	text_cut_chars(str, max);
	return str;
}

/* The index of a site's first dimension. */
static int
first_of_site(const CustomDimensions *all, int32 idsite)
{
	int			low = 0,
				high = all->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (all->items[middle].idsite < idsite)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The dimensions that the hit sends, or that the page gives; unknown numbers
 * are ignored.
 */
static void
read_dimensions(const Hit *hit, const char *url, const Settings *s, const CustomDimensions *all,
				CustomChanges *changes)
{
	JsonbParseState *states[2] = {NULL, NULL};
	JsonbValue *results[2] = {NULL, NULL};
	int			n_sent = 0;
	int32		numbers[DIMENSIONS_SENT_MAX];
	char	   *values[DIMENSIONS_SENT_MAX];
	int			position = 0;
	int			first = first_of_site(all, hit->idsite);

	if (first == all->n || all->items[first].idsite != hit->idsite)
		return;
	while (n_sent < DIMENSIONS_SENT_MAX &&
		   tracking_api_numbered(hit, "dimension", &position, &numbers[n_sent], &values[n_sent]))
		n_sent++;

	for (int i = first; i < all->n && all->items[i].idsite == hit->idsite; i++)
	{
		CustomDimension *d = &all->items[i];
		int			scope = d->of_visit ? 0 : 1;
		char	   *value = NULL;

		for (int j = n_sent - 1; value == NULL && j >= 0; j--)
		{
			if (numbers[j] == d->number)
				value = values[j];
		}
		if (value == NULL)
			value = extract(d, hit, url, s);
		if (value == NULL)
			continue;
		if (states[scope] == NULL)
			pushJsonbValue(&states[scope], WJB_BEGIN_OBJECT, NULL);
		json_push_text(&states[scope], WJB_KEY, psprintf("%d", d->number));
		json_push_text(&states[scope], WJB_VALUE, clean_text(value, DIMENSION_MAX, s));
	}
	for (int scope = 0; scope < 2; scope++)
	{
		if (states[scope] != NULL)
			results[scope] = pushJsonbValue(&states[scope], WJB_END_OBJECT, NULL);
	}
	if (results[0] != NULL)
		changes->visit_dimensions = JsonbValueToJsonb(results[0]);
	if (results[1] != NULL)
		changes->action_dimensions = JsonbValueToJsonb(results[1]);
}

/* A scalar of the list of a custom variable, as text; false if it is not a scalar. */
static bool
list_text(JsonbContainer *list, uint32 i, char **str)
{
	JsonbValue *v = getIthJsonbValueFromContainer(list, i);

	if (v == NULL)
		return false;
	*str = json_scalar_text(v);
	return *str != NULL;
}

/*
 * The valid ones of the custom variables that were sent, {"1": ["name",
 * "value"]}, in the same form; NULL if none is valid.
 */
static Jsonb *
read_variables(Jsonb *sent, const Settings *s)
{
	JsonbParseState *state = NULL;
	JsonbValue *result;

	if (sent == NULL || !JB_ROOT_IS_OBJECT(sent))
		return NULL;
	for (int slot = 1; slot <= VARIABLE_SLOTS; slot++)
	{
		char		key[2] = {(char) ('0' + slot), '\0'};
		JsonbValue	buf;
		JsonbValue *v = getKeyJsonValueFromContainer(&sent->root, key, 1, &buf);
		char	   *name;
		char	   *value;

		if (v == NULL || v->type != jbvBinary || !JsonContainerIsArray(v->val.binary.data) ||
			JsonContainerSize(v->val.binary.data) != 2 ||
			!list_text(v->val.binary.data, 0, &name) || !list_text(v->val.binary.data, 1, &value))
			continue;
		name = clean_text(name, VARIABLE_MAX, s);
		value = clean_text(value, VARIABLE_MAX, s);
		if (name[0] == '\0')
			continue;
		if (state == NULL)
			pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
		json_push_text(&state, WJB_KEY, pstrdup(key));
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		json_push_text(&state, WJB_ELEM, name);
		json_push_text(&state, WJB_ELEM, value);
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	if (state == NULL)
		return NULL;
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(result);
}

/*
 * custom_read
 *		The values that a hit sets.  url: what dimensions are extracted from;
 *		all may be NULL if there are no dimensions.
 */
void
custom_read(const Hit *hit, const char *url, const Settings *s, const CustomDimensions *all,
			CustomChanges *changes)
{
	memset(changes, 0, sizeof(*changes));
	if (all != NULL && all->n > 0)
		read_dimensions(hit, url, s, all, changes);
	changes->visit_variables = read_variables(hit->visit_variables, s);
	changes->action_variables = read_variables(hit->page_variables, s);
}

/*
 * custom_merge
 *		Merge changes into old values: a value replaces the old one of its
 *		number, an empty one removes it.  NULL if no value is left.
 */
Jsonb *
custom_merge(Jsonb *old, Jsonb *changes)
{
	JsonbParseState *state = NULL;
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	key,
				value;
	JsonbValue *result;
	Jsonb	   *sources[2] = {old, changes};
	int			n = 0;

	for (int i = 0; i < 2; i++)
	{
		if (sources[i] == NULL || !JB_ROOT_IS_OBJECT(sources[i]))
			continue;
		it = JsonbIteratorInit(&sources[i]->root);
		(void) JsonbIteratorNext(&it, &key, false);
		while ((token = JsonbIteratorNext(&it, &key, true)) == WJB_KEY)
		{
			JsonbValue *replaced = NULL;

			(void) JsonbIteratorNext(&it, &value, true);
			if (i == 0 && changes != NULL)
				replaced = findJsonbValueFromContainer(&changes->root, JB_FOBJECT, &key);
			if (replaced != NULL || (value.type == jbvString && value.val.string.len == 0))
				continue;
			if (n++ == 0)
				pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
			pushJsonbValue(&state, WJB_KEY, &key);
			pushJsonbValue(&state, WJB_VALUE, &value);
		}
	}
	if (n == 0)
		return NULL;
	result = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbValueToJsonb(result);
}
