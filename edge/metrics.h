/*
 * metrics.h
 *		What is counted.
 */
#ifndef EDGE_METRICS_H
#define EDGE_METRICS_H

#include <stdint.h>

#include "text.h"

typedef struct Metrics
{
	/* hits and documents by what became of them */
	uint64_t	recorded;
	uint64_t	ignored;
	uint64_t	excluded;
	uint64_t	invalid;
	uint64_t	documents;
	uint64_t	spooled;		/* answered when they lay in the spool */
	uint64_t	drained;		/* recorded from there */
	uint64_t	unavailable;	/* answered with status 503 */
	uint64_t	failed;			/* answered with status 500 */

	/* requests of other kinds */
	uint64_t	pages;			/* scripts, opt-out, preflights, health */
	uint64_t	refused;		/* malformed, too long, over a limit */
	uint64_t	untrusted_forwarded;	/* proxy headers of peers that are no
										 * proxies */

	/* PostgreSQL */
	uint64_t	batches;
	uint64_t	batch_hits;
	uint64_t	batch_failures; /* batches done again hit by hit */
	uint64_t	waits;			/* hits that had to wait for a lock */
	uint64_t	reconnects;
	uint64_t	queue;			/* requests that wait now */
	uint64_t	connections;	/* of clients, now */
	uint64_t	database_up;	/* 1: PostgreSQL takes hits */
	uint64_t	database_refuses;	/* 1: it did not take the last ones */

	/* the spool, now and since the start */
	uint64_t	spool_bytes;
	uint64_t	spool_records;
	uint64_t	spool_age;		/* of the oldest record, in seconds */
	uint64_t	spool_kept;
	uint64_t	spool_refused;
	uint64_t	spool_lost_key;
	uint64_t	spool_lost_damage;
	uint64_t	spool_lost_age;
} Metrics;

extern Metrics metrics;

/* The time from a hit's arrival to its answer; the hits of a transaction. */
extern void metrics_observe_latency(int64_t microseconds);
extern void metrics_observe_batch(int hits);

/* Writes all of it in the text format of Prometheus. */
extern void metrics_write(Text *text, const Metrics *m);

#endif
