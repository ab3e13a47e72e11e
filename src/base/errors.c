/*
 * errors.c
 *		Errors that several modules raise; see errors.h.
 */
#include "postgres.h"

#include "base/errors.h"

void
raise_missing_site(int sqlerrcode, int32 idsite)
{
	ereport(ERROR,
			(errcode(sqlerrcode),
			 errmsg("site %d does not exist", idsite),
			 errhint("Add sites with pk_tracking.add_site().")));
}

void
raise_missing_log(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("the tracking log does not exist"),
			 errhint("Create it with pk_tracking.create_log().")));
}

void
errors_without_context(void)
{
	/* whoever catches the error puts back what was there at its own time */
	error_context_stack = NULL;
}

void
raise_out_of_memory(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_OUT_OF_MEMORY),
			 errmsg("out of memory")));
}
