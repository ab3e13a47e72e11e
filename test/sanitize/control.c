/*
 * control.c
 *		What sanitizers and assertions must catch: one wrong thing for each of
 *		them, and a right one.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/memutils.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(control);
extern PGDLLEXPORT Datum control(PG_FUNCTION_ARGS);

Datum
control(PG_FUNCTION_ARGS)
{
	/* so that the compiler knows nothing of them */
	volatile int n = 13;
	volatile int zero = 0;
	volatile char *p;
	volatile int result = 0;
	char		on_stack[13];
	int		   *number;

	switch (PG_GETARG_INT32(0))
	{
		case 0:					/* right */
			p = palloc(n);
			p[n - 1] = 1;
			result = p[n - 1];
			break;
		case 1:					/* one byte behind a chunk of a context */
			p = palloc(n);
			result = p[n];
			break;
		case 2:					/* a chunk that was freed */
			p = palloc(n);
			pfree(unvolatize(char *, p));
			result = p[0];
			break;
		case 3:					/* a context that was reset */
			{
				MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "control",
															  ALLOCSET_DEFAULT_SIZES);

				p = MemoryContextAlloc(context, n);
				MemoryContextReset(context);
				result = p[0];
				break;
			}
		case 4:					/* behind a block of malloc() */
			p = malloc(n);
			result = p[n];
			break;
		case 5:					/* behind a variable */
			p = on_stack;
			p[0] = 1;
			result = p[n];
			break;
		case 6:					/* undefined: a shift that is too long */
			result = 1 << (n + 20);
			break;
		case 7:					/* undefined: a signed overflow */
			result = PG_INT32_MAX - 1;
			result = result + n;
			break;
		case 8:					/* undefined: a pointer that is not aligned */
			number = (int *) ((char *) palloc(n) + n % 4);
			*number = n;
			result = *number;
			break;
		case 9:					/* undefined: copying from no place */
			p = palloc(n);
			memcpy(unvolatize(char *, p), (zero ? "x" : NULL), zero);
			break;
		case 10:
			Assert(zero);
			break;
	}
	PG_RETURN_INT32(result);
}
