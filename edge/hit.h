/*
 * hit.h
 *		A hit, or a document of hits, on its way to PostgreSQL.
 */
#ifndef EDGE_HIT_H
#define EDGE_HIT_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

typedef enum HitOutcome
{
	HIT_PENDING,

	/* as pk_tracking.tracked has it */
	HIT_RECORDED,
	HIT_IGNORED,
	HIT_EXCLUDED,
	HIT_INVALID,

	HIT_ANSWERED,				/* a document: result.document is its answer */
	HIT_COMMITTED,				/* it is recorded, and its row was lost */
	HIT_SPOOLED,				/* it lies in the spool */
	HIT_UNAVAILABLE,			/* PostgreSQL cannot take it now */
	HIT_FAILED					/* PostgreSQL cannot take it */
} HitOutcome;

/* What became of it; texts are in the hit's pool, and NULL if there are none. */
typedef struct HitResult
{
	HitOutcome	outcome;
	const char *reason;			/* outcome_reason */
	const char *cookie_name;
	const char *cookie_value;
	int			cookie_max_age; /* seconds */
	const char *delete_cookies; /* names, as PostgreSQL writes a text[] */
	const char *document;		/* answer of track_requests_answer() */
} HitResult;

typedef struct Hit
{
	struct Hit *next;			/* in whatever queue it is */
	Pool	   *pool;			/* holds the hit and its texts */

	/* the arguments of track_request(); NULL: none */
	bool		is_document;
	const char *query;			/* or the document */
	const char *ip;
	const char *user_agent;
	const char *accept_language;
	const char *headers;		/* a JSON object */
	int64_t		arrival;		/* microseconds since 1970, UTC */

	/* what it is sorted by, so that batches take locks in one order */
	int			site;
	uint64_t	key;			/* of the visitor; equal ids give equal keys */

	/* for the queue */
	int64_t		deadline;		/* ms of the monotonic clock */
	int			tries;			/* sent before; its time is then that of
								 * arrival */
	int			lost;			/* connections that were lost while it was
								 * under way, and times it was cancelled */
	bool		blocked;		/* it was tried alone, and waited for a lock */
	uint64_t	serial;			/* in the order in which they were submitted */
	uint64_t	number;			/* in the spool, if it came from there */
	bool		recorded;		/* that, as PostgreSQL says */

	/*
	 * It may be recorded already, in this batch of that sender's:
	 * batch_done() is to be asked.  NULL: it is not.
	 */
	const char *doubt_daemon;
	int64_t		doubt_number;

	HitResult	result;
	void		(*done) (struct Hit *hit);	/* called once, when result is set */
	void	   *owner;
} Hit;

/* Sets site and key from the query string, or from who sent it. */
extern void hit_set_key(Hit *hit);

/* How many hits a document seems to have. */
extern int	hit_count(const Hit *hit);

/* The form in which a hit lies in the spool, without its arrival. */
extern void hit_encode(const Hit *hit, Text *record);

/* The reverse: a hit in a pool of its own; NULL: it is no such record. */
extern Hit *hit_decode(const void *record, size_t size);

#endif
