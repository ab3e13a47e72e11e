/*
 * batch.h
 *		Which hits go to PostgreSQL together, and what becomes of each.
 */
#ifndef EDGE_BATCH_H
#define EDGE_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "facts.h"
#include "hit.h"

/*
 * Connects to PostgreSQL.  config must stay; it may change by reload.  on_facts() is
 * called whenever the settings have been read.
 */
extern void batch_start(const Config *config, void (*on_facts) (const Facts *facts));

/*
 * Takes a hit: hit->done() is called once, now or later.  Until then the hit, and
 * what it points to, must stay.
 */
extern void batch_submit(Hit *hit);

/* To be called before the loop waits: sends what has come. */
extern void batch_prepare(void);

/* What was last read of the database's settings. */
extern const Facts *batch_facts(void);

/* Can hits be taken, by PostgreSQL or by the spool? */
extern bool batch_can_take(void);

/* Sets the numbers of metrics that are not counted as they come. */
extern void batch_count(void);

/* Can PostgreSQL take hits now? */
extern bool batch_is_connected(void);

/* Does anything wait or is under way? */
extern bool batch_is_empty(void);

extern void batch_stop(void);

#endif
