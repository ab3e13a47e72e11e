/*
 * prepare.h
 *		Everything about a hit that needs no look at the log.
 */
#ifndef PKT_PREPARE_H
#define PKT_PREPARE_H

#include "track/work.h"

extern void prepare_hit(Work *w, bool came);

/*
 * Was the hit excluded for lack of consent?  Then nothing of it is stored, not
 * even that it came.
 */
extern bool tracked_nothing(const Tracked *result);

#endif							/* PKT_PREPARE_H */
