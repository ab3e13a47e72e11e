/*
 * neighbours.h
 *		The rows of a visit among which the row of a late hit comes to stand.
 */
#ifndef PKT_NEIGHBOURS_H
#define PKT_NEIGHBOURS_H

#include "log/columns.h"
#include "log/log_types.h"

extern TimestampTz log_last_row(Log *log, int64 idvisit);
extern void log_read_neighbours(Log *log, int64 idvisit, TimestampTz at, ActionKind kind,
								Neighbours *neighbours);
extern void log_update_neighbours(Log *log, int64 idvisit, const Neighbours *neighbours,
								  const NeighbourChanges *changes);

/* for log.c: a row of the visit has been written */
extern void neighbours_note(Log *log, int64 idvisit, const Action *action, const ActionKey *key);

#endif							/* PKT_NEIGHBOURS_H */
