/*
 * record.h
 *		Recognise, decide and write one hit.
 */
#ifndef PKT_RECORD_H
#define PKT_RECORD_H

#include "track/locks.h"

extern bool record_hit(Work *w, GroupLocks *locks);

#endif							/* PKT_RECORD_H */
