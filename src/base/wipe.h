/*
 * wipe.h
 *		Memory that held what a visitor sent, overwritten before it is freed.
 */
#ifndef PKT_WIPE_H
#define PKT_WIPE_H

#include "postgres.h"

extern void wipe_init(void);
extern void wipe_at_end(MemoryContext context);
extern MemoryContext wiped_context_create(MemoryContext parent, const char *name);
extern void wiped_context_reset(MemoryContext context);
extern MemoryContext wiped_call_begin(void);
extern void wiped_call_end(MemoryContext caller);
extern void wipe_stack(void);

#endif							/* PKT_WIPE_H */
