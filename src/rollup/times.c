/*
 * times.c
 *		Loading times of a day in a form that can be put together with other days'.
 *
 * A median of several days does not follow from the medians of each.  So a day
 * keeps all its times, how often each, which is as short as times are alike:
 * for each of the six times and for their sum the number of different values, and
 * in ascending order each value's distance from the one before and its number,
 * all as numbers of variable length, seven bits to a byte, low bits first.  The
 * distances are signed (the sign is the lowest bit), as the first one may be.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(pkt_rollup_times_add);
PG_FUNCTION_INFO_V1(pkt_rollup_times_merge);
PG_FUNCTION_INFO_V1(pkt_rollup_times_combine);
PG_FUNCTION_INFO_V1(pkt_rollup_times_pack);
PG_FUNCTION_INFO_V1(pkt_rollup_times_unpack);
PG_FUNCTION_INFO_V1(pkt_rollup_times_result);

#define PARTS 6					/* times that a browser sends */
#define SERIES (PARTS + 1)		/* and their sum */
#define FIRST_ROOM 32

/* How often a value is there. */
typedef struct Run
{
	int64		value;
	int64		count;
} Run;

typedef struct Series
{
	Run		   *runs;
	int			n;
	int			room;
} Series;

typedef struct Times
{
	MemoryContext context;
	Series		series[SERIES];
} Times;

static int
by_value(const void *a, const void *b)
{
	int64		x = ((const Run *) a)->value;
	int64		y = ((const Run *) b)->value;

	return (x > y) - (x < y);
}

/* Sort the runs, and make one of those of the same value. */
static void
tidy(Series *s)
{
	int			n = 0;

	if (s->n == 0)
		return;
	qsort(s->runs, s->n, sizeof(Run), by_value);
	for (int i = 1; i < s->n; i++)
	{
		if (s->runs[i].value == s->runs[n].value)
			s->runs[n].count += s->runs[i].count;
		else
			s->runs[++n] = s->runs[i];
	}
	s->n = n + 1;
}

static void
add(Times *t, Series *s, int64 value, int64 count)
{
	if (s->n == s->room)
	{
		if (s->room > 0)
			tidy(s);
		if (s->room == 0)
		{
			s->room = FIRST_ROOM;
			s->runs = MemoryContextAlloc(t->context, s->room * sizeof(Run));
		}
		else if (s->n > s->room / 2)
		{
			s->room *= 2;
			s->runs = repalloc_huge(s->runs, s->room * sizeof(Run));
		}
	}
	s->runs[s->n].value = value;
	s->runs[s->n].count = count;
	s->n++;
}

/* The state of the aggregate, which is made with the first row. */
static Times *
state_of(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	Times	   *t;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate of roll-ups called as a function");
	if (!PG_ARGISNULL(0))
		return (Times *) PG_GETARG_POINTER(0);
	t = MemoryContextAllocZero(context, sizeof(Times));
	t->context = context;
	return t;
}

/*
 * pkt_rollup_times_add
 *		SQL: takes the times of a page view, in milliseconds; NULL: not sent.  The
 *		sum is of those that were.
 */
Datum
pkt_rollup_times_add(PG_FUNCTION_ARGS)
{
	Times	   *t = state_of(fcinfo);
	int64		sum = 0;
	bool		any = false;

	for (int i = 0; i < PARTS; i++)
	{
		if (!PG_ARGISNULL(i + 1))
		{
			add(t, &t->series[i], PG_GETARG_INT32(i + 1), 1);
			sum += PG_GETARG_INT32(i + 1);
			any = true;
		}
	}
	if (any)
		add(t, &t->series[PARTS], sum, 1);
	PG_RETURN_POINTER(t);
}

static void
put_number(StringInfo buf, uint64 n)
{
	while (n >= 128)
	{
		appendStringInfoCharMacro(buf, (char) (n | 128));
		n >>= 7;
	}
	appendStringInfoCharMacro(buf, (char) n);
}

static uint64
get_number(const unsigned char **p, const unsigned char *end)
{
	uint64		n = 0;

	for (int shift = 0; *p < end && shift < 64; shift += 7)
	{
		unsigned char c = *(*p)++;

		n |= (uint64) (c & 127) << shift;
		if (c < 128)
			return n;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid loading times in a roll-up"),
			 errhint("Build the roll-ups anew with pk_tracking.rebuild_rollups().")));
}

/* Add what pkt_rollup_times_pack() has packed. */
static void
add_packed(Times *t, struct varlena *packed)
{
	const unsigned char *p = (const unsigned char *) VARDATA_ANY(packed);
	const unsigned char *end = p + VARSIZE_ANY_EXHDR(packed);

	for (int i = 0; i < SERIES; i++)
	{
		uint64		n = get_number(&p, end);
		int64		value = 0;

		while (n-- > 0)
		{
			uint64		distance = get_number(&p, end);

			value += (int64) (distance >> 1) ^ -(int64) (distance & 1);
			add(t, &t->series[i], value, (int64) get_number(&p, end));
		}
	}
}

/* pkt_rollup_times_merge: SQL: takes the times of a day, as pkt_rollup_times_pack() made them. */
Datum
pkt_rollup_times_merge(PG_FUNCTION_ARGS)
{
	Times	   *t = state_of(fcinfo);

	if (!PG_ARGISNULL(1))
		add_packed(t, PG_GETARG_BYTEA_PP(1));
	PG_RETURN_POINTER(t);
}

/* pkt_rollup_times_combine: SQL: adds another worker's state. */
Datum
pkt_rollup_times_combine(PG_FUNCTION_ARGS)
{
	Times	   *t = state_of(fcinfo);

	if (!PG_ARGISNULL(1))
	{
		const Times *other = (const Times *) PG_GETARG_POINTER(1);

		for (int i = 0; i < SERIES; i++)
		{
			for (int k = 0; k < other->series[i].n; k++)
				add(t, &t->series[i], other->series[i].runs[k].value,
					other->series[i].runs[k].count);
		}
	}
	PG_RETURN_POINTER(t);
}

/* pkt_rollup_times_unpack: SQL: a state that another worker has packed. */
Datum
pkt_rollup_times_unpack(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	Times	   *t;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "aggregate of roll-ups called as a function");
	t = MemoryContextAllocZero(context, sizeof(Times));
	t->context = context;
	add_packed(t, PG_GETARG_BYTEA_PP(0));
	PG_RETURN_POINTER(t);
}

/* pkt_rollup_times_pack: SQL: a bytea of all times; NULL of no rows. */
Datum
pkt_rollup_times_pack(PG_FUNCTION_ARGS)
{
	Times	   *t;
	StringInfoData buf;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	t = (Times *) PG_GETARG_POINTER(0);
	initStringInfo(&buf);
	appendStringInfoSpaces(&buf, VARHDRSZ);
	for (int i = 0; i < SERIES; i++)
	{
		Series	   *s = &t->series[i];
		int64		value = 0;

		tidy(s);
		put_number(&buf, s->n);
		for (int k = 0; k < s->n; k++)
		{
			int64		distance = s->runs[k].value - value;

			put_number(&buf, ((uint64) distance << 1) ^ (uint64) (distance >> 63));
			put_number(&buf, (uint64) s->runs[k].count);
			value = s->runs[k].value;
		}
	}
	SET_VARSIZE(buf.data, buf.len);
	PG_RETURN_BYTEA_P(buf.data);
}

/* The value at a position, from 0, of all values in order. */
static int64
value_at(const Series *s, int64 position)
{
	int			i = 0;

	while (position >= s->runs[i].count)
		position -= s->runs[i++].count;
	return s->runs[i].value;
}

/* As percentile_cont() does, to the bit. */
static float8
percentile(const Series *s, int64 n, float8 fraction)
{
	float8		position = fraction * (n - 1);
	int64		first = (int64) floor(position);
	int64		second = (int64) ceil(position);
	float8		low = (float8) value_at(s, first);
	float8		high = (float8) value_at(s, second);

	return first == second ? low : low + (position - floor(position)) * (high - low);
}

/*
 * pkt_rollup_times_result
 *		SQL: for each of the six times and for their sum the number of values,
 *		their sum, median and 95th percentile (NULL of none), as a double
 *		precision[] of 28 elements; NULL of no rows.
 */
Datum
pkt_rollup_times_result(PG_FUNCTION_ARGS)
{
	Datum		values[SERIES * 4];
	bool		nulls[SERIES * 4] = {false};
	int			dims[1] = {SERIES * 4};
	int			bounds[1] = {1};
	Times	   *t;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	t = (Times *) PG_GETARG_POINTER(0);
	for (int i = 0; i < SERIES; i++)
	{
		Series	   *s = &t->series[i];
		int64		n = 0;
		int64		sum = 0;

		tidy(s);
		for (int k = 0; k < s->n; k++)
		{
			n += s->runs[k].count;
			sum += s->runs[k].count * s->runs[k].value;
		}
		values[i * 4] = Float8GetDatum((float8) n);
		values[i * 4 + 1] = Float8GetDatum((float8) sum);
		nulls[i * 4 + 2] = nulls[i * 4 + 3] = n == 0;
		values[i * 4 + 2] = Float8GetDatum(n == 0 ? 0 : percentile(s, n, 0.5));
		values[i * 4 + 3] = Float8GetDatum(n == 0 ? 0 : percentile(s, n, 0.95));
	}
	PG_RETURN_ARRAYTYPE_P(construct_md_array(values, nulls, 1, dims, bounds, FLOAT8OID, 8,
											 FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
