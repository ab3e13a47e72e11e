/*
 * plan.h
 *		Kept plans: statements of ours that are prepared on first use.
 *
 * Callers are connected to SPI and may use the tables that a plan names.
 */
#ifndef PKT_PLAN_H
#define PKT_PLAN_H

#include "postgres.h"

#include "executor/spi.h"
#include "lib/stringinfo.h"

#define KEPT_PLAN_ARGS 72

/* A kept plan: prepared on first use, then kept until the backend ends. */
typedef struct KeptPlan
{
	const char *query;			/* NULL: make() says it */
	int			nargs;
	Oid			argtypes[KEPT_PLAN_ARGS];	/* InvalidOid: hexid */
	void		(*make) (struct KeptPlan *kept, StringInfo sql);	/* writes the query, and may set
																	 * nargs and argtypes */
	SPIPlanPtr	plan;
	Oid			hexid;			/* the id type that it was made for */
} KeptPlan;

extern int	plan_execute(KeptPlan *kept, Datum *values, const char *nulls, long count,
						 bool newest);
extern int	pin_search_path(void);

#endif							/* PKT_PLAN_H */
