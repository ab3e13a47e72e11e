/*
 * errors.h
 *		Errors that several modules raise, each worded once.
 *
 * None of the functions raise_... returns.
 */
#ifndef PKT_ERRORS_H
#define PKT_ERRORS_H

#include "base/compat.h"

/*
 * No site has this number.  sqlerrcode is ERRCODE_NO_DATA_FOUND where a row of
 * the table of sites was asked for, ERRCODE_INVALID_PARAMETER_VALUE where the
 * number came with a hit or as the argument of a report.
 */
pg_noreturn extern void raise_missing_site(int sqlerrcode, int32 idsite);

/* The tables of pk_tracking do not exist: undefined_table. */
pg_noreturn extern void raise_missing_log(void);

/*
 * To be called before an error about what a user wrote is raised, whose message says
 * all: without the statements and functions that were running, which would be the
 * text of a whole report.  It takes effect up to the next one who catches errors.
 */
extern void errors_without_context(void);

/* A library reported that it could not allocate memory: out_of_memory. */
pg_noreturn extern void raise_out_of_memory(void);

#endif							/* PKT_ERRORS_H */
