/*
 * plan.h
 *		Kept plans: statements of ours that are prepared on first use.
 *
 * Callers run as the log's owner and are connected to SPI.
 */
#ifndef PKT_PLAN_H
#define PKT_PLAN_H

#include "postgres.h"

#include "executor/spi.h"

#define KEPT_PLAN_ARGS 72

/* A kept plan: prepared on first use, then kept until the backend ends. */
typedef struct KeptPlan
{
	const char *query;
	int			nargs;
	Oid			argtypes[KEPT_PLAN_ARGS];	/* InvalidOid: hexid */
	SPIPlanPtr	plan;
	Oid			hexid;			/* the id type that it was made for */
} KeptPlan;

extern int	plan_execute(KeptPlan *kept, Datum *values, const char *nulls, long count,
						 bool newest);
extern int	pin_search_path(void);

#endif							/* PKT_PLAN_H */
