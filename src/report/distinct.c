/*
 * distinct.c
 *		The aggregate report_distinct(), of bigint and of text: how many different
 *		values there are.
 *
 * count(DISTINCT x) makes a sort of its own of each group's rows, and forces the
 * groups themselves to be made by a sort of all rows.  This aggregate only writes
 * down the values of its group, so that rows are grouped by hashing, in one pass;
 * the values are sorted in the end, as an array, which is already in order where
 * rows come in the order of time.  A hash table for each group would be slower: it is
 * searched at another place in memory for each row.
 *
 * Texts are compared byte by byte.  That is what any deterministic collation calls
 * equal.
 */
#include "postgres.h"

#include "catalog/pg_collation_d.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplesort.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(pkt_distinct_add);
PG_FUNCTION_INFO_V1(pkt_distinct_add_text);
PG_FUNCTION_INFO_V1(pkt_distinct_count);
PG_FUNCTION_INFO_V1(pkt_distinct_combine);
PG_FUNCTION_INFO_V1(pkt_distinct_send);
PG_FUNCTION_INFO_V1(pkt_distinct_receive);

/* Values that a group holds in itself: most groups are small. */
#define FEW		4

/* The values of a group, some of them several times. */
typedef struct Values
{
	MemoryContext context;		/* in which it grows */
	bool		texts;			/* text, else bigint */
	int64		count;
	int64		room;
	Size		text_size;		/* of the texts, which are copies */
	Datum	   *values;			/* few, or an array of its own */
	Tuplesortstate *sort;		/* what was too much for work_mem, or NULL */
	Datum		few[FEW];
} Values;

static inline int
compare_texts(Datum a, Datum b)
{
	text	   *x = (text *) DatumGetPointer(a);
	text	   *y = (text *) DatumGetPointer(b);
	Size		x_len = VARSIZE_ANY_EXHDR(x);
	Size		y_len = VARSIZE_ANY_EXHDR(y);
	int			result = memcmp(VARDATA_ANY(x), VARDATA_ANY(y), Min(x_len, y_len));

	return result != 0 ? result : x_len < y_len ? -1 : x_len > y_len;
}

static inline int
compare_numbers(Datum a, Datum b)
{
	int64		x = DatumGetInt64(a);
	int64		y = DatumGetInt64(b);

	return x < y ? -1 : x > y;
}

#define ST_SORT sort_numbers
#define ST_ELEMENT_TYPE Datum
#define ST_COMPARE(a, b) compare_numbers(*(a), *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_texts
#define ST_ELEMENT_TYPE Datum
#define ST_COMPARE(a, b) compare_texts(*(a), *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static inline bool
same_value(const Values *set, Datum a, Datum b)
{
	return set->texts ? compare_texts(a, b) == 0 : a == b;
}

/* Gives the copy of a text back. */
static void
drop(Values *set, Datum value)
{
	if (set->texts)
	{
		set->text_size -= VARSIZE_ANY(DatumGetPointer(value));
		pfree(DatumGetPointer(value));
	}
}

/* Leaves each value once. */
static void
remove_duplicates(Values *set)
{
	Datum	   *values = set->values;
	int64		kept = 0;

	if (set->texts)
		sort_texts(values, set->count);
	else
		sort_numbers(values, set->count);
	for (int64 i = 0; i < set->count; i++)
	{
		if (kept > 0 && same_value(set, values[i], values[kept - 1]))
			drop(set, values[i]);
		else
			values[kept++] = values[i];
	}
	set->count = kept;
}

/* Empties the array into the sort, which goes to disk. */
static void
empty_into_sort(Values *set)
{
	if (set->sort == NULL)
		set->sort = tuplesort_begin_datum(set->texts ? TEXTOID : INT8OID,
										  set->texts ? TextLessOperator : Int8LessOperator,
										  set->texts ? C_COLLATION_OID : InvalidOid,
										  false, work_mem, NULL, TUPLESORT_NONE);
	for (int64 i = 0; i < set->count; i++)
	{
		tuplesort_putdatum(set->sort, set->values[i], false);
		drop(set, set->values[i]);
	}
	set->count = 0;
}

/*
 * Makes room for one more, in the current memory context.  At least half of the
 * room is free afterwards, so that sorting for it is rare.
 */
static void
make_room(Values *set)
{
	Datum	   *values;

	remove_duplicates(set);
	if (set->count <= set->room / 2)
		return;
	if (set->room * 2 * sizeof(Datum) + set->text_size > (Size) work_mem * 1024)
	{
		empty_into_sort(set);
		return;
	}
	values = MemoryContextAllocHuge(CurrentMemoryContext, set->room * 2 * sizeof(Datum));
	memcpy(values, set->values, set->count * sizeof(Datum));
	if (set->values != set->few)
		pfree(set->values);
	set->values = values;
	set->room *= 2;
}

/* The sort may have files. */
static void
end_sort(Datum arg)
{
	Values	   *set = (Values *) DatumGetPointer(arg);

	if (set->sort != NULL)
		tuplesort_end(set->sort);
	set->sort = NULL;
}

/* A new group, which lives as long as the aggregate needs it. */
static Values *
new_values(FunctionCallInfo fcinfo, bool texts)
{
	MemoryContext context;
	Values	   *set;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate function called in non-aggregate context");
	set = MemoryContextAllocZero(context, sizeof(Values));
	set->context = context;
	set->texts = texts;
	set->room = FEW;
	set->values = set->few;
	return set;
}

static inline void
add_value(FunctionCallInfo fcinfo, Values *set, Datum value)
{
	/* rows of a visit come one after another */
	if (set->count > 0 && same_value(set, value, set->values[set->count - 1]))
		return;
	if (set->count == set->room)
	{
		bool		sorting = set->sort != NULL;
		MemoryContext before = MemoryContextSwitchTo(set->context);

		make_room(set);
		MemoryContextSwitchTo(before);
		if (!sorting && set->sort != NULL)
			AggRegisterCallback(fcinfo, end_sort, PointerGetDatum(set));
	}
	if (set->texts)
	{
		Size		size = VARSIZE_ANY(DatumGetPointer(value));
		void	   *copy = MemoryContextAlloc(set->context, size);

		value = PointerGetDatum(memcpy(copy, DatumGetPointer(value), size));
		set->text_size += size;
	}
	set->values[set->count++] = value;
}

/* The state of an aggregate's call, or NULL. */
static inline Values *
state(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : (Values *) PG_GETARG_POINTER(n);
}

static inline Datum
state_result(FunctionCallInfo fcinfo, Values *set)
{
	if (set == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(set);
}

/* SQL: report_distinct_add(internal, bigint) -> internal, the transition */
Datum
pkt_distinct_add(PG_FUNCTION_ARGS)
{
	Values	   *set = state(fcinfo, 0);

	if (!PG_ARGISNULL(1))
	{
		if (set == NULL)
			set = new_values(fcinfo, false);
		add_value(fcinfo, set, PG_GETARG_DATUM(1));
	}
	return state_result(fcinfo, set);
}

/* SQL: report_distinct_add(internal, text) -> internal, the transition */
Datum
pkt_distinct_add_text(PG_FUNCTION_ARGS)
{
	Values	   *set = state(fcinfo, 0);

	if (!PG_ARGISNULL(1))
	{
		if (set == NULL)
			set = new_values(fcinfo, true);
		add_value(fcinfo, set, PointerGetDatum(PG_GETARG_TEXT_PP(1)));
	}
	return state_result(fcinfo, set);
}

/* Prepares next_value(): no more values are added. */
static void
finish(Values *set)
{
	if (set->sort == NULL)
		remove_duplicates(set);
	else
	{
		empty_into_sort(set);
		tuplesort_performsort(set->sort);
	}
}

/* The next different value, or false; n: how many there have been, at first 0. */
static bool
next_value(Values *set, int64 *n, Datum *value)
{
	Datum		last = *value;
	bool		isnull;

	if (set->sort == NULL)
	{
		if (*n == set->count)
			return false;
		*value = set->values[(*n)++];
		return true;
	}
	while (pkt_tuplesort_getdatum(set->sort, value, &isnull))
	{
		if (*n == 0 || !same_value(set, *value, last))
		{
			if (set->texts && *n > 0)
				pfree(DatumGetPointer(last));
			(*n)++;
			return true;
		}
		if (set->texts)
			pfree(DatumGetPointer(*value));
	}
	return false;
}

/* SQL: report_distinct_count(internal) -> bigint, the result. */
Datum
pkt_distinct_count(PG_FUNCTION_ARGS)
{
	Values	   *set = state(fcinfo, 0);
	int64		n = 0;
	Datum		value = 0;

	if (set == NULL)
		PG_RETURN_INT64(0);
	finish(set);
	if (set->sort == NULL)
		PG_RETURN_INT64(set->count);
	while (next_value(set, &n, &value))
		;
	end_sort(PointerGetDatum(set));
	PG_RETURN_INT64(n);
}

/* SQL: report_distinct_combine(internal, internal) -> internal: adds another's values. */
Datum
pkt_distinct_combine(PG_FUNCTION_ARGS)
{
	Values	   *set = state(fcinfo, 0);
	Values	   *other = state(fcinfo, 1);
	int64		n = 0;
	Datum		value = 0;

	if (other != NULL)
	{
		if (set == NULL)
			set = new_values(fcinfo, other->texts);
		finish(other);
		while (next_value(other, &n, &value))
			add_value(fcinfo, set, value);
	}
	return state_result(fcinfo, set);
}

/*
 * SQL: report_distinct_send(internal) -> bytea, from a worker: whether they are
 * texts, then each different value, a text with its length in bytes before it.
 */
Datum
pkt_distinct_send(PG_FUNCTION_ARGS)
{
	Values	   *set = state(fcinfo, 0);
	int64		n = 0;
	Datum		value = 0;
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, set->texts);
	finish(set);
	while (next_value(set, &n, &value))
	{
		if (set->texts)
		{
			text	   *t = (text *) DatumGetPointer(value);

			pq_sendint32(&buf, VARSIZE_ANY_EXHDR(t));
			pq_sendbytes(&buf, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
		}
		else
			pq_sendint64(&buf, DatumGetInt64(value));
	}
	end_sort(PointerGetDatum(set));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* SQL: report_distinct_receive(bytea, internal) -> internal, in the leader. */
Datum
pkt_distinct_receive(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfoData buf;
	Values	   *set = palloc0(sizeof(Values));

	/* it is combined at once, so it lives where we are */
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	set->texts = pq_getmsgbyte(&buf) != 0;
	set->room = buf.len / (set->texts ? sizeof(int32) : sizeof(int64)) + 1;
	set->values = MemoryContextAllocHuge(CurrentMemoryContext, set->room * sizeof(Datum));
	while (buf.cursor < buf.len)
	{
		if (set->texts)
		{
			int			len = pq_getmsgint(&buf, sizeof(int32));
			text	   *t = cstring_to_text_with_len(pq_getmsgbytes(&buf, len), len);

			set->values[set->count++] = PointerGetDatum(t);
		}
		else
			set->values[set->count++] = Int64GetDatum(pq_getmsgint64(&buf));
	}
	pfree(buf.data);
	PG_RETURN_POINTER(set);
}
