/*
 * since.c
 *		Visits and visitors of a day of roll-ups that were not there before.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"

PG_FUNCTION_INFO_V1(pkt_rollup_since);

/* The array's elements, of the given type and size, none of which is null. */
static void *
elements_of(ArrayType *array, Oid type, int *n)
{
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_ELEMTYPE(array) != type || ARR_HASNULL(array))
		elog(ERROR, "not an array of a roll-up");
	return ARR_DATA_PTR(array);
}

/*
 * pkt_rollup_since
 *		SQL: how many of a day's visits or visitors had not done the same on the
 *		given number of days before it: those that never had (n), and the counts
 *		of those whose age, in days since they last had, is greater.  The arrays
 *		are a smallint[] and an integer[] of the same length, or both NULL.
 */
Datum
pkt_rollup_since(PG_FUNCTION_ARGS)
{
	int64		result = PG_ARGISNULL(0) ? 0 : PG_GETARG_INT32(0);
	int32		days = PG_ARGISNULL(3) ? 0 : PG_GETARG_INT32(3);

	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2))
	{
		int			n_ages;
		int			n_counts;
		int16	   *ages = elements_of(PG_GETARG_ARRAYTYPE_P(1), INT2OID, &n_ages);
		int32	   *counts = elements_of(PG_GETARG_ARRAYTYPE_P(2), INT4OID, &n_counts);

		for (int i = Min(n_ages, n_counts) - 1; i >= 0; i--)
		{
			if (ages[i] > days)
				result += counts[i];
		}
	}
	PG_RETURN_INT64(result);
}
