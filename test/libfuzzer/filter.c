/*
 * filter.c
 *		Fuzz target: filters of reports, which analysts write.
 *
 * The first byte chooses what the filter is over; the rest is the filter.
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "parser/parser.h"

#include "report/filter.h"

#include "harness.h"

void
fuzz_begin(void)
{
	(void) fuzz_config(0);
}

bool
fuzz_may_raise(int sqlerrcode)
{
	return sqlerrcode == ERRCODE_INVALID_PARAMETER_VALUE;
}

/* "SELECT WHERE sql", with the limits of time that the caller of a filter puts in. */
static char *
as_query(const char *sql)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfoString(&query, "SELECT WHERE ");
	for (const char *c = sql; *c != '\0'; c++)
	{
		if (strncmp(c, "{range ", 7) == 0 && strchr("vlci", c[7]) != NULL && c[8] == '}')
		{
			appendStringInfoString(&query, "true");
			c += 8;
		}
		else
			appendStringInfoChar(&query, *c);
	}
	return query.data;
}

/* One SELECT with a condition and nothing else. */
static void
check_sql(const char *sql)
{
	List	   *statements = raw_parser(as_query(sql), RAW_PARSE_DEFAULT);
	SelectStmt *select;

	MUST(list_length(statements) == 1);
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	MUST(IsA(select, SelectStmt));
	MUST(select->whereClause != NULL && select->targetList == NIL);
	MUST(select->op == SETOP_NONE && select->sortClause == NIL && select->lockingClause == NIL &&
		 select->groupClause == NIL && select->limitCount == NULL && select->withClause == NULL);
}

void
fuzz_one(const uint8_t *data, size_t len)
{
	static const int of_visit[] = {1, 2, 0};
	static const int of_action[] = {3, 0};
	const CustomDimensions custom = {.visit = of_visit,.action = of_action};
	List	   *values;
	ListCell   *cell;
	char	   *sql;
	int			n = 0;

	if (len < 1)
		return;
	sql = filter_sql(fuzz_text(data + 1, len - 1), (data[0] & 1) != 0, "$9", &custom, &values);
	check_sql(sql);
	foreach(cell, values)
	{
		char		name[32];

		fuzz_valid(lfirst(cell));
		snprintf(name, sizeof(name), "($9)[%d]", ++n);
		MUST(strstr(sql, name) != NULL);
	}
}
