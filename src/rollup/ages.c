/*
 * ages.c
 *		Of the visits or visitors of a day, how many days ago each was there last.
 *
 * An aggregate over the rows of the day and earlier rows of the same ids.  It keeps
 * sixteen bytes for a row and sorts them at the end: grouping by id in SQL takes
 * ten times the memory.  Another one makes of the results for the days of a week
 * or month that for the whole.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(pkt_rollup_ages_add);
PG_FUNCTION_INFO_V1(pkt_rollup_ages_combine);
PG_FUNCTION_INFO_V1(pkt_rollup_ages_serialize);
PG_FUNCTION_INFO_V1(pkt_rollup_ages_deserialize);
PG_FUNCTION_INFO_V1(pkt_rollup_ages_result);
PG_FUNCTION_INFO_V1(pkt_rollup_ages_of_add);
PG_FUNCTION_INFO_V1(pkt_rollup_ages_of_combine);
PG_FUNCTION_INFO_V1(pkt_rollup_ages_of_result);

#define FIRST_ROOM 4

/* When an id was there: days before the day, 0 on the day itself. */
typedef struct Seen
{
	int64		id;
	int32		age;
} Seen;

typedef struct Ages
{
	Seen	   *seen;
	int64		n;
	int64		room;
} Ages;

/* By id; the day itself comes first, then the latest. */
static inline int
by_id(const Seen *x, const Seen *y)
{
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->age > y->age) - (x->age < y->age);
}

#define ST_SORT sort_seen
#define ST_ELEMENT_TYPE Seen
#define ST_COMPARE(a, b) by_id(a, b)
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static int
by_age(const void *a, const void *b)
{
	return *(const int32 *) a - *(const int32 *) b;
}

/* Of an id only the day itself and the latest earlier row matter: drop the others. */
static void
tidy(Ages *a)
{
	int64		n = 0;

	sort_seen(a->seen, a->n);
	for (int64 i = 0; i < a->n; i++)
	{
		if (n > 0 && a->seen[n - 1].id == a->seen[i].id
			&& (a->seen[i].age == 0 || a->seen[n - 1].age != 0))
			continue;
		a->seen[n++] = a->seen[i];
	}
	a->n = n;
}

/* Of a week or month: ids are ages, and the second number how many have it: add them up. */
static void
sum_up(Ages *a)
{
	int64		n = 0;

	sort_seen(a->seen, a->n);
	for (int64 i = 0; i < a->n; i++)
	{
		if (n > 0 && a->seen[n - 1].id == a->seen[i].id)
			a->seen[n - 1].age += a->seen[i].age;
		else
			a->seen[n++] = a->seen[i];
	}
	a->n = n;
}

/* Add an element, after what makes fewer of them, if there is no room. */
static void
add(MemoryContext context, Ages *a, int64 id, int32 age, void (*make_fewer) (Ages *))
{
	if (a->n == a->room)
	{
		if (a->room == 0)
		{
			a->room = FIRST_ROOM;
			a->seen = MemoryContextAlloc(context, a->room * sizeof(Seen));
		}
		else
		{
			make_fewer(a);
			if (a->n > a->room / 2)
			{
				a->room *= 2;
				a->seen = repalloc_huge(a->seen, a->room * sizeof(Seen));
			}
		}
	}
	a->seen[a->n].id = id;
	a->seen[a->n].age = age;
	a->n++;
}

/* The state of the aggregate, which is made with the first row. */
static Ages *
state_of(FunctionCallInfo fcinfo, MemoryContext *context)
{
	if (!AggCheckCallContext(fcinfo, context))
		elog(ERROR, "aggregate of roll-ups called as a function");
	if (!PG_ARGISNULL(0))
		return (Ages *) PG_GETARG_POINTER(0);
	return MemoryContextAllocZero(*context, sizeof(Ages));
}

/*
 * pkt_rollup_ages_add
 *		SQL: takes an id, and how many days before the day it was there; NULL: on
 *		the day itself.  A row without an id does not count.
 */
Datum
pkt_rollup_ages_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	Ages	   *a = state_of(fcinfo, &context);

	if (!PG_ARGISNULL(1))
		add(context, a, PG_GETARG_INT64(1), PG_ARGISNULL(2) ? 0 : Max(PG_GETARG_INT32(2), 1),
			tidy);
	PG_RETURN_POINTER(a);
}

static Datum
combine(FunctionCallInfo fcinfo, void (*make_fewer) (Ages *))
{
	MemoryContext context;
	Ages	   *a = state_of(fcinfo, &context);

	if (!PG_ARGISNULL(1))
	{
		const Ages *other = (const Ages *) PG_GETARG_POINTER(1);

		for (int64 i = 0; i < other->n; i++)
			add(context, a, other->seen[i].id, other->seen[i].age, make_fewer);
	}
	PG_RETURN_POINTER(a);
}

/* pkt_rollup_ages_combine: SQL: adds another worker's state. */
Datum
pkt_rollup_ages_combine(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, tidy);
}

/* pkt_rollup_ages_of_combine: SQL: the same of the other aggregate. */
Datum
pkt_rollup_ages_of_combine(PG_FUNCTION_ARGS)
{
	return combine(fcinfo, sum_up);
}

/* pkt_rollup_ages_serialize: SQL: a worker's state, for the leader. */
Datum
pkt_rollup_ages_serialize(PG_FUNCTION_ARGS)
{
	Ages	   *a = (Ages *) PG_GETARG_POINTER(0);
	Size		size;
	bytea	   *result;

	size = VARHDRSZ + a->n * sizeof(Seen);
	result = palloc(size);
	SET_VARSIZE(result, size);
	if (a->n > 0)
		memcpy(VARDATA(result), a->seen, a->n * sizeof(Seen));
	PG_RETURN_BYTEA_P(result);
}

/* pkt_rollup_ages_deserialize: SQL: makes a state of that again. */
Datum
pkt_rollup_ages_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *packed = PG_GETARG_BYTEA_PP(0);
	MemoryContext context;
	Ages	   *a;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate of roll-ups called as a function");
	a = MemoryContextAllocZero(context, sizeof(Ages));
	a->n = a->room = VARSIZE_ANY_EXHDR(packed) / sizeof(Seen);
	if (a->n > 0)
	{
		a->seen = MemoryContextAllocHuge(context, a->n * sizeof(Seen));
		memcpy(a->seen, VARDATA_ANY(packed), a->n * sizeof(Seen));
	}
	PG_RETURN_POINTER(a);
}

/* The memory of a group that has its result serves the next one. */
static void
give_back(Ages *a)
{
	pfree(a->seen);
	a->seen = NULL;
	a->n = a->room = 0;
}

/* An array of n elements of a type without nulls; NULL of none. */
static Datum
array_of(Datum *values, int n, Oid type, int16 size, char align, bool *isnull)
{
	*isnull = n == 0;
	if (n == 0)
		return (Datum) 0;
	return PointerGetDatum(construct_array(values, n, type, size, true, align));
}

/* A row of the type rollup_seen. */
static Datum
result_of(TupleDesc desc, int64 fresh, Datum *ages, Datum *counts, int n)
{
	Datum		values[3];
	bool		nulls[3] = {false};

	values[0] = Int32GetDatum((int32) fresh);
	values[1] = array_of(ages, n, INT2OID, sizeof(int16), TYPALIGN_SHORT, &nulls[1]);
	values[2] = array_of(counts, n, INT4OID, sizeof(int32), TYPALIGN_INT, &nulls[2]);
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

/*
 * pkt_rollup_ages_result
 *		SQL: of the ids of the day: how many were not there before, the ages of the
 *		others in ascending order, as a smallint[], and how many have each, as an
 *		integer[]; both NULL if there are none.
 */
Datum
pkt_rollup_ages_result(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	int64		fresh = 0;
	int64		n = 0;
	int			kinds = 0;
	int32	   *ages = NULL;
	Datum	   *age_values = NULL;
	Datum	   *counts = NULL;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!PG_ARGISNULL(0))
	{
		Ages	   *a = (Ages *) PG_GETARG_POINTER(0);

		if (a->n > 0)
		{
			tidy(a);
			ages = palloc_extended(a->n * sizeof(int32), MCXT_ALLOC_HUGE);
			for (int64 i = 0; i < a->n; i++)
			{
				if (a->seen[i].age != 0)
					continue;
				if (i + 1 < a->n && a->seen[i + 1].id == a->seen[i].id)
					ages[n++] = a->seen[i + 1].age;
				else
					fresh++;
			}
			give_back(a);
			if (n > 0)
			{
				qsort(ages, n, sizeof(int32), by_age);
				age_values = palloc_extended(n * sizeof(Datum), MCXT_ALLOC_HUGE);
				counts = palloc_extended(n * sizeof(Datum), MCXT_ALLOC_HUGE);
			}
			for (int64 i = 0; i < n;)
			{
				int64		k = i;

				while (k < n && ages[k] == ages[i])
					k++;
				age_values[kinds] = Int16GetDatum((int16) Min(ages[i], PG_INT16_MAX));
				counts[kinds++] = Int32GetDatum((int32) (k - i));
				i = k;
			}
		}
	}
	return result_of(desc, fresh, age_values, counts, kinds);
}

/* The elements of a rollup_since() array, of the given type; NULL: none. */
static void *
elements(FunctionCallInfo fcinfo, int argument, Oid type, int *n)
{
	ArrayType  *array;

	*n = 0;
	if (PG_ARGISNULL(argument))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_ELEMTYPE(array) != type || ARR_HASNULL(array))
		elog(ERROR, "not an array of a roll-up");
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return ARR_DATA_PTR(array);
}

/*
 * pkt_rollup_ages_of_add
 *		SQL: takes what rollup_ages() has found for a day (an integer, a smallint[]
 *		and an integer[]), and how many days the day is after the first one of its
 *		week or month.  Whoever was there since then has been counted on another day.
 */
Datum
pkt_rollup_ages_of_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	Ages	   *a = state_of(fcinfo, &context);
	int32		days = PG_ARGISNULL(4) ? 0 : PG_GETARG_INT32(4);
	int			n_ages;
	int			n_counts;
	int16	   *ages = elements(fcinfo, 2, INT2OID, &n_ages);
	int32	   *counts = elements(fcinfo, 3, INT4OID, &n_counts);

	/* age 0: never before */
	if (!PG_ARGISNULL(1) && PG_GETARG_INT32(1) != 0)
		add(context, a, 0, PG_GETARG_INT32(1), sum_up);
	for (int i = 0; i < Min(n_ages, n_counts); i++)
	{
		if (ages[i] > days)
			add(context, a, ages[i] - days, counts[i], sum_up);
	}
	PG_RETURN_POINTER(a);
}

/* pkt_rollup_ages_of_result: SQL: as rollup_ages() has it, of the week or month as a day. */
Datum
pkt_rollup_ages_of_result(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	int64		fresh = 0;
	int			kinds = 0;
	Datum	   *ages = NULL;
	Datum	   *counts = NULL;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!PG_ARGISNULL(0))
	{
		Ages	   *a = (Ages *) PG_GETARG_POINTER(0);

		if (a->n > 0)
		{
			sum_up(a);
			ages = palloc(a->n * sizeof(Datum));
			counts = palloc(a->n * sizeof(Datum));
			for (int64 i = 0; i < a->n; i++)
			{
				if (a->seen[i].id == 0)
					fresh = a->seen[i].age;
				else if (a->seen[i].age != 0)
				{
					ages[kinds] = Int16GetDatum((int16) a->seen[i].id);
					counts[kinds++] = Int32GetDatum(a->seen[i].age);
				}
			}
			give_back(a);
		}
	}
	return result_of(desc, fresh, ages, counts, kinds);
}
