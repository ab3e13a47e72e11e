/*
 * drain.h
 *		The way of hits through the spool: in, and from there to PostgreSQL.
 */
#ifndef EDGE_DRAIN_H
#define EDGE_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "hit.h"
#include "spool.h"

/*
 * Opens the spool, if the configuration has one, and begins to connect.  False:
 * there is none.  Ends the process if it cannot be opened.
 */
extern bool drain_start(const Config *config);
extern void drain_stop(void);

/* After a reload. */
extern void drain_reload(void);

/* Does anything wait in the spool?  Live hits go behind it. */
extern bool drain_is_busy(void);

/* Adds a hit for the next drain_sync(); false: it is refused. */
extern bool drain_add(const Hit *hit);

/* How many of those that were added, the first ones, are kept. */
extern size_t drain_sync(void);

/* False: there is no spool. */
extern bool drain_status(SpoolStatus *status);

#endif
