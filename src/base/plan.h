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
	const char *query;			/* NULL: make() writes it */
	int			nargs;
	Oid			argtypes[KEPT_PLAN_ARGS];	/* InvalidOid: hexid */

	/* in place of the three above */
	void		(*make) (struct KeptPlan *kept, StringInfo sql);
	bool		make_again;		/* when the plan has become invalid */

	SPIPlanPtr	plan;
	Oid			hexid;			/* the id type of parameters; InvalidOid:
								 * there are none */
} KeptPlan;

extern int	plan_execute(KeptPlan *kept, Datum *values, const char *nulls, long count,
						 bool newest);
extern void plan_read(KeptPlan *kept, Datum *values, long count);
extern void plan_write(KeptPlan *kept, Datum *values);
extern bool plan_is_running(void);
extern int	pin_search_path(void);

#endif							/* PKT_PLAN_H */
