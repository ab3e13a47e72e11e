/*
 * filter.c
 *		Filters of reports: the grammar of Matomo's segments, and the SQL that they
 *		stand for.
 *
 * A filter is a list of conditions NAME OPERATOR VALUE.  ";" is "and", "," is
 * "or", and as in Matomo "," binds more closely: a,b;c is (a or b) and c.  Values
 * are percent-encoded; an empty value stands for one that is absent.
 *
 * Of the text nothing gets into the SQL: that is made of the expressions of the
 * table of dimensions, and the values come back as an array, to be passed as a
 * parameter.  Errors name dimensions, operators and positions, never a value: it
 * may be somebody's user id.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "report/dimensions.h"

PG_FUNCTION_INFO_V1(pkt_filter_sql);

/* So that planning a filter takes no minutes. */
#define MAX_CONDITIONS 200

typedef enum FilterOperator
{
	IS_EQUAL,
	IS_NOT_EQUAL,
	CONTAINS,
	CONTAINS_NOT,
	BEGINS_WITH,
	BEGINS_NOT_WITH,
	ENDS_WITH,
	ENDS_NOT_WITH,
	IS_AT_LEAST,
	IS_AT_MOST,
	IS_GREATER,
	IS_LESS
} FilterOperator;

/* Of two that begin alike the longer one comes first. */
static const char *const operators[] = {
	[IS_EQUAL] = "==",
	[IS_NOT_EQUAL] = "!=",
	[CONTAINS] = "=@",
	[CONTAINS_NOT] = "!@",
	[BEGINS_WITH] = "=^",
	[BEGINS_NOT_WITH] = "!^",
	[ENDS_WITH] = "=$",
	[ENDS_NOT_WITH] = "!$",
	[IS_AT_LEAST] = ">=",
	[IS_AT_MOST] = "<=",
	[IS_GREATER] = ">",
	[IS_LESS] = "<"
};

/* NAME OPERATOR VALUE */
typedef struct Condition
{
	const Dimension *dimension;
	FilterOperator op;
	char	   *value;			/* decoded; empty: absent */
} Condition;

/* Where the reader is. */
typedef struct Reader
{
	const char *begin;
	const char *next;
} Reader;

/* What is written: SQL, and the values that it names. */
typedef struct Writer
{
	StringInfoData sql;
	List	   *values;
} Writer;

/* The number of the next character, for messages. */
static int
position(const Reader *r)
{
	return pg_mbstrlen_with_len(r->begin, r->next - r->begin) + 1;
}

static void
syntax_error(const Reader *r)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("syntax error in a filter at character %d", position(r)),
			 errhint("A filter is made of conditions such as countryCode==de, joined by \";\" for \"and\" and \",\" for \"or\".")));
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(Reader *r)
{
	while (is_space(*r->next))
		r->next++;
}

static const Dimension *
read_dimension(Reader *r)
{
	const char *start;
	const Dimension *dimension;

	skip_space(r);
	start = r->next;
	while (isalnum((unsigned char) *r->next) && !IS_HIGHBIT_SET(*r->next))
		r->next++;
	if (r->next == start)
		syntax_error(r);
	dimension = dimension_find(pnstrdup(start, r->next - start));
	if (dimension == NULL)
	{
		r->next = start;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown dimension in a filter at character %d", position(r)),
				 errhint("Valid dimensions are %s.", dimension_names())));
	}
	skip_space(r);
	return dimension;
}

static FilterOperator
read_operator(Reader *r)
{
	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		size_t		len = strlen(operators[i]);

		if (strncmp(r->next, operators[i], len) == 0)
		{
			r->next += len;
			return (FilterOperator) i;
		}
	}
	syntax_error(r);
	return IS_EQUAL;			/* keep compiler quiet */
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Up to the next ";" or ","; spaces around it do not count. */
static char *
read_value(Reader *r)
{
	StringInfoData value;
	const char *start;
	const char *end;

	skip_space(r);
	start = r->next;
	end = start + strcspn(start, ";,");
	r->next = end;
	while (end > start && is_space(end[-1]))
		end--;

	initStringInfo(&value);
	for (const char *c = start; c < end; c++)
	{
		if (*c == '%' && end - c > 2 && hex_digit(c[1]) >= 0 && hex_digit(c[2]) >= 0)
		{
			appendStringInfoChar(&value, (char) (hex_digit(c[1]) * 16 + hex_digit(c[2])));
			c += 2;
		}
		else
			appendStringInfoChar(&value, *c);
	}
	if (strlen(value.data) != (size_t) value.len ||
		!pg_verifymbstr(value.data, value.len, true))
	{
		r->next = start;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value in a filter at character %d is no text in the encoding of the database",
						position(r))));
	}
	return value.data;
}

/* The names of the operators that fit the type. */
static const char *
operators_of(DimensionType type)
{
	switch (type)
	{
		case DIMENSION_TEXT:
			return "== != =@ !@ =^ !^ =$ !$";
		case DIMENSION_NUMBER:
			return "== != > >= < <=";
		case DIMENSION_CHOICE:
			return "== !=";
	}
	return "";
}

static bool
operator_fits(FilterOperator op, DimensionType type)
{
	if (op == IS_EQUAL || op == IS_NOT_EQUAL)
		return true;
	if (op >= IS_AT_LEAST)
		return type == DIMENSION_NUMBER;
	return type == DIMENSION_TEXT;
}

static void
check_operator(const Condition *c)
{
	const Dimension *d = c->dimension;

	if (!operator_fits(c->op, d->type) ||
		(c->value[0] == '\0' && c->op != IS_EQUAL && c->op != IS_NOT_EQUAL))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 c->value[0] == '\0' ?
				 errmsg("operator \"%s\" of a filter needs a value", operators[c->op]) :
				 errmsg("operator \"%s\" of a filter does not fit dimension \"%s\"",
						operators[c->op], d->name),
				 errhint("Valid operators are %s; an empty value after == and != stands for an absent one.",
						 operators_of(d->type))));
}

static bool
is_number(const char *str)
{
	int			digits = 0;

	if (strlen(str) > 40)
		return false;
	if (*str == '-' || *str == '+')
		str++;
	for (; isdigit((unsigned char) *str); str++)
		digits++;
	if (*str == '.')
		str++;
	for (; isdigit((unsigned char) *str); str++)
		digits++;
	return digits > 0 && *str == '\0';
}

/* Makes of a word its code. */
static char *
code_of(const Dimension *d, const char *word)
{
	StringInfoData words;

	initStringInfo(&words);
	for (const DimensionWord *w = d->words; w->word != NULL; w++)
	{
		if (pg_strcasecmp(w->word, word) == 0)
			return psprintf("%d", w->code);
		appendStringInfo(&words, "%s%s", w == d->words ? "" : ", ", w->word);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for dimension \"%s\" of a filter", d->name),
			 errhint("Valid values are %s.", words.data)));
}

static void
check_value(Condition *c)
{
	const Dimension *d = c->dimension;

	if (c->value[0] == '\0')
		return;
	if (d->type == DIMENSION_CHOICE)
		c->value = code_of(d, c->value);
	else if (d->type == DIMENSION_NUMBER && !is_number(c->value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for dimension \"%s\" of a filter", d->name),
				 errhint("The value must be a number.")));
}

static Condition *
read_condition(Reader *r)
{
	Condition  *c = palloc(sizeof(Condition));

	c->dimension = read_dimension(r);
	c->op = read_operator(r);
	c->value = read_value(r);
	check_operator(c);
	check_value(c);
	return c;
}

/* A list of lists: conditions joined by "or", and these joined by "and". */
static List *
read_filter(const char *filter)
{
	Reader		r = {filter, filter};
	List	   *all = NIL;
	List	   *any = NIL;
	int			conditions = 0;

	for (;;)
	{
		if (++conditions > MAX_CONDITIONS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("filter has more than %d conditions", MAX_CONDITIONS)));
		any = lappend(any, read_condition(&r));
		if (*r.next == ',')
		{
			r.next++;
			continue;
		}
		all = lappend(all, any);
		any = NIL;
		if (*r.next == '\0')
			return all;
		r.next++;
	}
}

/* The parameter that holds the value. */
static char *
value_parameter(Writer *w, const char *value)
{
	w->values = lappend(w->values, pstrdup(value));
	return psprintf("($9)[%d]", list_length(w->values));
}

static void
write_text(Writer *w, const Condition *c)
{
	const char *e = c->dimension->expression;
	bool		negated = c->op == IS_NOT_EQUAL || c->op == CONTAINS_NOT ||
		c->op == BEGINS_NOT_WITH || c->op == ENDS_NOT_WITH;
	char	   *value = value_parameter(w, c->value);
	char	   *test;

	switch (c->op)
	{
		case CONTAINS:
		case CONTAINS_NOT:
			test = psprintf("strpos(lower(%s), lower(%s)) > 0", e, value);
			break;
		case BEGINS_WITH:
		case BEGINS_NOT_WITH:
			test = psprintf("starts_with(lower(%s), lower(%s))", e, value);
			break;
		case ENDS_WITH:
		case ENDS_NOT_WITH:
			test = psprintf("right(lower(%s), length(lower(%s))) = lower(%s)", e, value, value);
			break;
		default:
			test = psprintf("lower(%s) = lower(%s)", e, value);
			break;
	}
	appendStringInfo(&w->sql, negated ? "(%s) IS NOT TRUE" : "%s", test);
}

/* An absent value is less and greater than none, and unequal to all. */
static void
write_condition(Writer *w, const Condition *c)
{
	const Dimension *d = c->dimension;
	const char *e = d->expression;

	if (c->value[0] == '\0')
		appendStringInfo(&w->sql,
						 d->type != DIMENSION_TEXT ? "%s IS %s NULL" :
						 "nullif(%s, '') IS %s NULL",
						 e, c->op == IS_EQUAL ? "" : "NOT");
	else if (d->type == DIMENSION_TEXT)
		write_text(w, c);
	else if (c->op == IS_NOT_EQUAL)
		appendStringInfo(&w->sql, "(%s = %s::numeric) IS NOT TRUE", e,
						 value_parameter(w, c->value));
	else
		appendStringInfo(&w->sql, "%s %s %s::numeric", e,
						 c->op == IS_EQUAL ? "=" : operators[c->op],
						 value_parameter(w, c->value));
}

static void
write_filter(Writer *w, const List *filter)
{
	ListCell   *all;

	foreach(all, filter)
	{
		List	   *conditions = lfirst(all);
		ListCell   *any;

		appendStringInfoString(&w->sql, all == list_head(filter) ? "(" : " AND (");
		foreach(any, conditions)
		{
			if (any != list_head(conditions))
				appendStringInfoString(&w->sql, " OR ");
			write_condition(w, lfirst(any));
		}
		appendStringInfoChar(&w->sql, ')');
	}
}

/*
 * pkt_filter_sql
 *		SQL: filter_sql(filter) -> the condition over a visit v, and the array of
 *		the values, which it names as $9.
 */
Datum
pkt_filter_sql(PG_FUNCTION_ARGS)
{
	char	   *filter = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Writer		w = {.values = NIL};
	TupleDesc	desc;
	Datum		result[2];
	bool		nulls[2] = {false};
	Datum	   *values;
	int			n = 0;
	ListCell   *value;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	initStringInfo(&w.sql);
	write_filter(&w, read_filter(filter));

	values = palloc(sizeof(Datum) * Max(list_length(w.values), 1));
	foreach(value, w.values)
		values[n++] = CStringGetTextDatum(lfirst(value));
	result[0] = CStringGetTextDatum(w.sql.data);
	result[1] = PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, result, nulls)));
}
