/*
 * prepare.h
 *		Everything about a hit that needs no look at the log.
 */
#ifndef PKT_PREPARE_H
#define PKT_PREPARE_H

#include "track/work.h"

extern void prepare_hit(Work *w, bool came);

#endif							/* PKT_PREPARE_H */
