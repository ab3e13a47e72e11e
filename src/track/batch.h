/*
 * batch.h
 *		A batch: the hits of one statement, and what they share.
 */
#ifndef PKT_BATCH_H
#define PKT_BATCH_H

#include "track/work.h"

extern void batch_init(void);
extern void batch_begin(bool unread);
extern void batch_end(void);

/* the engine's */
extern bool batch_is_open(void);
extern bool batch_is_unread(void);
extern bool batch_is_busy(void);
extern bool batch_keep_visits(void);
extern bool batch_keeps_visits(void);
extern Log *batch_enter(void);
extern void batch_leave(void);
extern void batch_share(Work *w);

#endif							/* PKT_BATCH_H */
