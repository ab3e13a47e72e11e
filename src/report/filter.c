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

#include "base/errors.h"
#include "base/ip_range.h"
#include "report/dimensions.h"
#include "report/filter.h"

PG_FUNCTION_INFO_V1(pkt_filter_sql);

/*
 * So that planning a filter takes no minutes: most conditions, and most look-ups of
 * the names of one row that the planner may make joins of.  What it does for one
 * such join grows with the square of all.
 */
#define MAX_CONDITIONS 200
#define MAX_NAME_JOINS 8

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
	char	   *value;			/* decoded, as it is compared */
	bool		absent;			/* no value: asks whether there is one */
	bool		negated;		/* holds where its test does not */
	int			position;		/* of its operator, for messages */
} Condition;

/* Where the reader is. */
typedef struct Reader
{
	const char *begin;
	const char *next;
	const CustomDimensions *custom;
} Reader;

/* What is written: SQL, and the values that it names. */
typedef struct Writer
{
	StringInfoData sql;
	const char *parameter;		/* SQL for the array of values */
	List	   *values;
	int			names;			/* look-ups so far of names of the row asked
								 * for */
} Writer;

/* The tables of the scopes, by their aliases. */
static const struct
{
	const char *alias;
	const char *table;
}			tables[N_SCOPES] = {
	[SCOPE_VISIT] = {"v", "log_visit"},
	[SCOPE_ACTION] = {"l", "log_link_visit_action"},
	[SCOPE_CONVERSION] = {"c", "log_conversion"},
	[SCOPE_ITEM] = {"i", "log_conversion_item"}
};

/* The number of the next character, for messages. */
static int
position(const Reader *r)
{
	return pg_mbstrlen_with_len(r->begin, r->next - r->begin) + 1;
}

static void
syntax_error(const Reader *r)
{
	errors_without_context();
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
	dimension = dimension_find(pnstrdup(start, r->next - start), r->custom);
	if (dimension == NULL)
	{
		r->next = start;
		errors_without_context();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown dimension in a filter at character %d", position(r)),
				 errhint("Valid dimensions are %s.", dimension_names(false))));
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
		errors_without_context();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value in a filter at character %d is no text in the encoding of the database",
						position(r)),
				 errhint("The bytes after percent-decoding must be a text.")));
	}
	return value.data;
}

static bool
operator_fits(FilterOperator op, DimensionType type)
{
	if (op == IS_EQUAL || op == IS_NOT_EQUAL)
		return true;
	if (op >= IS_AT_LEAST)
		return type == DIMENSION_NUMBER;
	return type == DIMENSION_TEXT || type == DIMENSION_NAME || type == DIMENSION_URL;
}

static void
check_operator(const Condition *c)
{
	const Dimension *d = c->dimension;

	if (!operator_fits(c->op, d->type) ||
		(c->value[0] == '\0' && c->op != IS_EQUAL && c->op != IS_NOT_EQUAL))
	{
		errors_without_context();
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 c->value[0] == '\0' ?
				 errmsg("operator \"%s\" in a filter at character %d needs a value",
						operators[c->op], c->position) :
				 errmsg("operator \"%s\" in a filter at character %d does not fit dimension \"%s\"",
						operators[c->op], c->position, d->name),
				 errhint("Valid operators are %s; an empty value after == and != stands for an absent one.",
						 dimension_operators(d->type))));
	}
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

static void
value_error(const Condition *c, const char *hint)
{
	errors_without_context();
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for dimension \"%s\" in a filter at character %d",
					c->dimension->name, c->position),
			 errhint("%s", hint)));
}

/* The code of a word. */
static char *
code_of(const Condition *c)
{
	const Dimension *d = c->dimension;
	StringInfoData words;

	initStringInfo(&words);
	for (const DimensionWord *w = d->words; w->word != NULL; w++)
	{
		if (pg_strcasecmp(w->word, c->value) == 0)
			return psprintf("%d", w->code);
		appendStringInfo(&words, "%s%s", w == d->words ? "" : ", ", w->word);
	}
	value_error(c, psprintf("Valid values are %s.", words.data));
	return NULL;				/* keep compiler quiet */
}

/* A network in the form that the type inet reads. */
static char *
network_of(const Condition *c)
{
	IpRange		range;
	PktIp		ip = {0};

	if (!ip_range_parse(c->value, &range))
		value_error(c, "The value must be an IP address or a network such as 192.0.2.0/24.");
	ip.len = range.len;
	memcpy(ip.bytes, range.bytes, sizeof(ip.bytes));
	return psprintf("%s/%d",
					DatumGetCString(DirectFunctionCall1(inet_out, InetPGetDatum(ip_to_inet(&ip)))),
					range.bits);
}

/* Without what the dictionary leaves out of page URLs; Matomo ignores it, too. */
static char *
without_prefix(char *url)
{
	size_t		skip = pg_strncasecmp(url, "http://", 7) == 0 ? 7 :
		pg_strncasecmp(url, "https://", 8) == 0 ? 8 : 0;

	if (skip > 0 && pg_strncasecmp(url + skip, "www.", 4) == 0)
		skip += 4;
	return url + skip;
}

static void
check_value(Condition *c)
{
	const Dimension *d = c->dimension;

	if (c->value[0] == '\0')
		return;
	switch (d->type)
	{
		case DIMENSION_TEXT:
		case DIMENSION_NAME:
			break;
		case DIMENSION_URL:
			c->value = without_prefix(c->value);
			break;
		case DIMENSION_NUMBER:
			if (!is_number(c->value))
				value_error(c, "The value must be a number.");
			break;
		case DIMENSION_CHOICE:
			c->value = code_of(c);
			break;
		case DIMENSION_VISITOR:
			if (strspn(c->value, "0123456789abcdefABCDEF") != 16 || c->value[16] != '\0')
				value_error(c, "The value must be 16 hexadecimal digits.");
			break;
		case DIMENSION_ADDRESS:
			c->value = network_of(c);
			break;
	}
}

static Condition *
read_condition(Reader *r)
{
	Condition  *c = palloc(sizeof(Condition));

	c->dimension = read_dimension(r);
	c->position = position(r);
	c->op = read_operator(r);
	c->value = read_value(r);
	c->absent = c->value[0] == '\0';
	check_operator(c);
	check_value(c);
	c->negated = c->absent ? c->op == IS_EQUAL :
		c->op == IS_NOT_EQUAL || c->op == CONTAINS_NOT || c->op == BEGINS_NOT_WITH ||
		c->op == ENDS_NOT_WITH;
	return c;
}

/* A list of lists: conditions joined by "or", and these joined by "and". */
static List *
read_filter(const char *filter, const CustomDimensions *custom)
{
	Reader		r = {filter, filter, custom};
	List	   *all = NIL;
	List	   *any = NIL;
	int			conditions = 0;

	for (;;)
	{
		if (++conditions > MAX_CONDITIONS)
		{
			errors_without_context();
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("filter has more than %d conditions", MAX_CONDITIONS),
					 errhint("One condition with =@, =^ or =$ can stand for many values.")));
		}
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

/* SQL for a value. */
static char *
value_sql(Writer *w, const char *value)
{
	w->values = lappend(w->values, pstrdup(value));
	return psprintf("(%s)[%d]", w->parameter, list_length(w->values));
}

/* How a text compares with the value; to_the_letter: upper and lower case differ. */
static void
write_text_test(Writer *w, const Condition *c, const char *column, bool to_the_letter)
{
	char	   *value = value_sql(w, c->value);

	switch (c->op)
	{
		case CONTAINS:
		case CONTAINS_NOT:
			appendStringInfo(&w->sql, "strpos(lower(%s), lower(%s)) > 0", column, value);
			break;
		case BEGINS_WITH:
		case BEGINS_NOT_WITH:
			appendStringInfo(&w->sql, "starts_with(lower(%s), lower(%s))", column, value);
			break;
		case ENDS_WITH:
		case ENDS_NOT_WITH:
			appendStringInfo(&w->sql, "right(lower(%s), length(lower(%s))) = lower(%s)",
							 column, value, value);
			break;
		default:
			appendStringInfo(&w->sql, to_the_letter ? "%s = %s" : "lower(%s) = lower(%s)",
							 column, value);
			break;
	}
}

/*
 * The row of the dictionary that a column, or one of several, names.  here: asked
 * of the row itself, beside its other conditions.
 */
static void
write_name_test(Writer *w, const Condition *c, bool here)
{
	const Dimension *d = c->dimension;

	appendStringInfo(&w->sql, "EXISTS (SELECT FROM pk_tracking.log_action a WHERE a.idsite = $1"
					 " AND a.idaction IN (%s) AND a.type IN (%s) AND ",
					 d->expression, d->types);
	if (c->absent)
		appendStringInfoString(&w->sql, "a.name <> ''");
	else
		write_text_test(w, c, "pk_tracking.plain_text($1, a.name)", true);
	/* the planner makes no join of a sub-select with an offset */
	appendStringInfoString(&w->sql, here && w->names++ >= MAX_NAME_JOINS ? " OFFSET 0)" : ")");
}

/* A condition without its "not", over a row of its own scope. */
static void
write_test(Writer *w, const Condition *c, bool here)
{
	const Dimension *d = c->dimension;
	const char *e = d->expression;

	if (d->type == DIMENSION_NAME || d->type == DIMENSION_URL)
		write_name_test(w, c, here);
	else if (c->absent)
		appendStringInfo(&w->sql, d->type == DIMENSION_TEXT ?
						 "nullif(%s, '') IS NOT NULL" : "%s IS NOT NULL", e);
	else
	{
		switch (d->type)
		{
			case DIMENSION_TEXT:
				write_text_test(w, c, e, false);
				break;
			case DIMENSION_CHOICE:
				appendStringInfo(&w->sql, "%s = %s", e, c->value);	/* a code of ours */
				break;
			case DIMENSION_VISITOR:
				appendStringInfo(&w->sql, "%s::text = lower(%s)", e, value_sql(w, c->value));
				break;
			case DIMENSION_ADDRESS:
				appendStringInfo(&w->sql, "%s <<= %s::inet", e, value_sql(w, c->value));
				break;
			default:
				appendStringInfo(&w->sql, "%s %s %s::numeric", e,
								 c->op <= IS_NOT_EQUAL ? "=" : operators[c->op],
								 value_sql(w, c->value));
				break;
		}
	}
}

/* Rows of another table that belong to the visit of the row outer. */
static void
write_rows_begin(Writer *w, DimensionScope scope, const char *outer)
{
	const char *alias = tables[scope].alias;

	appendStringInfo(&w->sql,
					 "EXISTS (SELECT FROM pk_tracking.%s %s WHERE %s.idvisit = %s.idvisit"
					 " AND %s.idsite = $1 AND {range %s} AND ",
					 tables[scope].table, alias, alias, outer, alias, alias);
}

/* A condition over the row whose scope is scope and whose alias is outer. */
static void
write_condition(Writer *w, const Condition *c, DimensionScope scope)
{
	const Dimension *d = c->dimension;
	bool		here = d->scope == scope;
	bool		exists = !here || d->type == DIMENSION_NAME || d->type == DIMENSION_URL;

	/*
	 * the planner makes joins of EXISTS and of NOT EXISTS, but not of IS NOT
	 * TRUE
	 */
	if (c->negated)
		appendStringInfoString(&w->sql, exists ? "NOT " : "(");
	if (!here)
		write_rows_begin(w, d->scope, tables[scope].alias);
	if (!exists || !here)
		appendStringInfoChar(&w->sql, '(');
	write_test(w, c, here);
	if (!exists || !here)
		appendStringInfoChar(&w->sql, ')');
	if (!here)
		appendStringInfoChar(&w->sql, ')');
	if (c->negated && !exists)
		appendStringInfoString(&w->sql, ") IS NOT TRUE");
}

/*
 * Which scopes' rows a list of conditions looks at, as bits, if it is asked of a
 * visit.  A condition on the visit, one that is negated (no action of the visit
 * ...), and one that stands alone look at the visit as a whole.
 */
static DimensionScope
row_scope(const Condition *c)
{
	return c->negated || c->dimension->alone ? SCOPE_VISIT : c->dimension->scope;
}

static int
row_scopes(const List *any)
{
	int			scopes = 0;
	ListCell   *cell;

	foreach(cell, any)
		scopes |= 1 << row_scope(lfirst(cell));
	return scopes;
}

/* The conditions that look at the rows of one of these scopes, joined by "or". */
static void
write_any(Writer *w, const List *any, int scopes, bool in_row)
{
	ListCell   *cell;
	const char *separator = "(";

	foreach(cell, any)
	{
		const Condition *c = lfirst(cell);

		if ((scopes & (1 << row_scope(c))) == 0)
			continue;
		appendStringInfoString(&w->sql, separator);
		write_condition(w, c, in_row ? row_scope(c) : SCOPE_VISIT);
		separator = " OR ";
	}
	appendStringInfoChar(&w->sql, ')');
}

#define ROWS_ONLY(scopes) ((scopes) & ~(1 << SCOPE_VISIT))

/*
 * Conditions that name rows of several tables, or of the visit and of rows that
 * others name, too: for some action, conversion and item of the visit, or for none
 * where it has none, all of them hold.
 */
static void
write_joined(Writer *w, const List *all, int scopes)
{
	ListCell   *cell;
	const char *separator = " WHERE ";

	appendStringInfoString(&w->sql, "EXISTS (SELECT FROM (VALUES (true)) AS one(row)");
	for (int s = SCOPE_ACTION; s < N_SCOPES; s++)
	{
		const char *alias = tables[s].alias;

		if (scopes & (1 << s))
			appendStringInfo(&w->sql, " LEFT JOIN pk_tracking.%s %s ON %s.idvisit = v.idvisit"
							 " AND %s.idsite = $1 AND {range %s}",
							 tables[s].table, alias, alias, alias, alias);
	}
	foreach(cell, all)
	{
		if ((row_scopes(lfirst(cell)) & scopes) == 0)
			continue;
		appendStringInfoString(&w->sql, separator);
		write_any(w, lfirst(cell), ~0, true);
		separator = " AND ";
	}
	appendStringInfoChar(&w->sql, ')');
}

/* Conditions that name rows of one table: for one of its rows all of them hold. */
static void
write_rows(Writer *w, const List *all, DimensionScope scope)
{
	ListCell   *cell;
	const char *separator = "";

	write_rows_begin(w, scope, "v");
	foreach(cell, all)
	{
		if (ROWS_ONLY(row_scopes(lfirst(cell))) != 1 << scope)
			continue;
		appendStringInfoString(&w->sql, separator);
		write_any(w, lfirst(cell), 1 << scope, true);
		separator = " AND ";
	}
	appendStringInfoChar(&w->sql, ')');
}

/*
 * A filter over a visit v.  As in Matomo conditions on actions hold for the visits
 * that have such an action, and those that are joined by "and" for the same action;
 * likewise of conversions and of items.  A table of rows that all conditions look
 * at alone is asked by an EXISTS that the planner can make a join of.
 */
static void
write_visit_filter(Writer *w, const List *all)
{
	int			joined = 0;		/* scopes that must be asked together */
	int			used[N_SCOPES] = {0};
	const char *separator = "";
	ListCell   *cell;

	foreach(cell, all)
	{
		for (int s = SCOPE_ACTION; s < N_SCOPES; s++)
			used[s] += (row_scopes(lfirst(cell)) & (1 << s)) != 0;
	}
	foreach(cell, all)
	{
		int			scopes = row_scopes(lfirst(cell));
		int			rows = ROWS_ONLY(scopes);

		for (int s = SCOPE_ACTION; s < N_SCOPES; s++)
		{
			if ((rows & (1 << s)) != 0 && scopes != 1 << s && used[s] > 1)
				joined |= rows;
		}
	}
	/* what shares a table with those comes along, and so do its tables */
	for (int n = 0; n < N_SCOPES; n++)
	{
		foreach(cell, all)
		{
			int			rows = ROWS_ONLY(row_scopes(lfirst(cell)));

			if (rows & joined)
				joined |= rows;
		}
	}

	for (int s = SCOPE_ACTION; s < N_SCOPES; s++)
	{
		bool		pure = false;

		foreach(cell, all)
			pure |= row_scopes(lfirst(cell)) == 1 << s;
		if (pure && (joined & (1 << s)) == 0)
		{
			appendStringInfoString(&w->sql, separator);
			write_rows(w, all, s);
			separator = " AND ";
		}
	}
	if (joined != 0)
	{
		appendStringInfoString(&w->sql, separator);
		write_joined(w, all, joined);
		separator = " AND ";
	}
	foreach(cell, all)
	{
		int			scopes = row_scopes(lfirst(cell));
		bool		pure = ROWS_ONLY(scopes) == scopes && (scopes & (scopes - 1)) == 0;

		if (pure || (scopes & joined) != 0)
			continue;			/* written above */
		appendStringInfoString(&w->sql, separator);
		write_any(w, lfirst(cell), ~0, false);
		separator = " AND ";
	}
}

/* A filter over the action l itself, and its visit. */
static void
write_action_filter(Writer *w, const List *all)
{
	ListCell   *all_cell;
	ListCell   *any_cell;

	foreach(all_cell, all)
	{
		appendStringInfoString(&w->sql, all_cell == list_head(all) ? "(" : " AND (");
		foreach(any_cell, (List *) lfirst(all_cell))
		{
			if (any_cell != list_head((List *) lfirst(all_cell)))
				appendStringInfoString(&w->sql, " OR ");
			write_condition(w, lfirst(any_cell), SCOPE_ACTION);
		}
		appendStringInfoChar(&w->sql, ')');
	}
}

/*
 * filter_sql
 *		The SQL of a filter, and its values: see filter.h.
 */
char *
filter_sql(const char *filter, bool over_actions, const char *parameter,
		   const CustomDimensions *custom, List **values)
{
	Writer		w = {.parameter = parameter};

	initStringInfo(&w.sql);
	if (over_actions)
		write_action_filter(&w, read_filter(filter, custom));
	else
		write_visit_filter(&w, read_filter(filter, custom));
	*values = w.values;
	return w.sql.data;
}

/*
 * pkt_filter_sql
 *		SQL: filter_sql(filter text, over_actions boolean, parameter text,
 *		visit_dimensions integer[], action_dimensions integer[]) -> condition and
 *		values.
 */
Datum
pkt_filter_sql(PG_FUNCTION_ARGS)
{
	CustomDimensions custom = {
		.visit = dimension_numbers(PG_GETARG_ARRAYTYPE_P(3)),
		.action = dimension_numbers(PG_GETARG_ARRAYTYPE_P(4))
	};
	List	   *texts;
	char	   *sql;
	TupleDesc	desc;
	Datum		result[2];
	bool		nulls[2] = {false};
	Datum	   *values;
	int			n = 0;
	ListCell   *value;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	sql = filter_sql(text_to_cstring(PG_GETARG_TEXT_PP(0)), PG_GETARG_BOOL(1),
					 text_to_cstring(PG_GETARG_TEXT_PP(2)), &custom, &texts);
	values = palloc(sizeof(Datum) * Max(list_length(texts), 1));
	foreach(value, texts)
		values[n++] = CStringGetTextDatum(lfirst(value));
	result[0] = CStringGetTextDatum(sql);
	result[1] = PointerGetDatum(construct_array(values, n, TEXTOID, -1, false, TYPALIGN_INT));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, result, nulls)));
}
