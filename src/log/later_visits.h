/*
 * later_visits.h
 *		The later visits of a visitor, whose days roll-ups count by the earlier ones.
 *		Private to src/log.
 */
#ifndef PKT_LATER_VISITS_H
#define PKT_LATER_VISITS_H

#include "log/log_types.h"

/* A visit that may have rows on later days. */
typedef struct LaterVisit
{
	int64		idvisit;
	TimestampTz first;
	TimestampTz last;
} LaterVisit;

extern int	later_visits(Log *log, int32 idsite, HexId idvisitor, int64 but_idvisit,
						 TimestampTz from, TimestampTz before, TimestampTz since,
						 LaterVisit **later);
extern void later_visits_widen(LaterVisit *later, int n);

#endif							/* PKT_LATER_VISITS_H */
