/*
 * web_pool.h
 *		Transactions of the web pages on a pool of connections, each as the role of a
 *		session.
 *
 * A transaction is: BEGIN; web_enter(), which says whether the role may be had;
 * set_config('role', …, true); the statement; its end.  Every statement is a constant
 * of the daemon's or, for COPY, what api_report_copy() returned, and all values are
 * parameters.  After an error the session is discarded (DISCARD ALL), and a
 * connection that is not what it was before is closed.
 */
#ifndef EDGE_WEB_POOL_H
#define EDGE_WEB_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "text.h"

#define WEB_VALUES_MAX 4

typedef enum WebOutcome
{
	WEB_DONE,
	WEB_AWAY,					/* PostgreSQL cannot be had now */
	WEB_REFUSED,				/* the role may not, see refusal:
								 * web_enter()'s, or "link" */
	WEB_ERROR,					/* an error of PostgreSQL's, see sqlstate */
	WEB_TOO_LONG				/* more than can be answered */
} WebOutcome;

/* Texts are in the pool of the request, and end in a zero byte. */
typedef struct WebJob
{
	/*
	 * who: a role with its stamp (NULL: any), or the SHA-256 of a token in
	 * hex
	 */
	const char *role;
	const char *stamp;
	const char *token;

	/* what: NULL asks only whether the role may be had */
	const char *query;			/* returns a row of one text */
	const char *values[WEB_VALUES_MAX];
	int			nvalues;
	int			site_value;		/* this value, 1 …, is the site of a public
								 * link; 0: none */
	const char *arguments;		/* of pk_web.arguments, or NULL */
	bool		copy;			/* the text is a COPY statement, to be run */
	bool		write;

	/* what became of it */
	WebOutcome	outcome;
	const char *entered_role;
	const char *entered_stamp;
	const char *site;			/* of a public link, or NULL */
	const char *refusal;
	const char *sqlstate;
	const char *message;
	const char *detail;
	const char *hint;
	const char *result;
	size_t		result_len;
	const char *warnings;		/* of the statement, if it writes: JSON
								 * objects, joined by commas; NULL: none */

	Pool	   *pool;
	void	   *owner;
	void		(*done) (struct WebJob *job);

	struct WebJob *next;
	int64_t		since;
} WebJob;

extern void web_pool_start(const Config *config);

/* Takes a job: done() is called once, later.  Until then it must stay. */
extern void web_pool_submit(WebJob *job);
extern bool web_pool_is_connected(void);
extern bool web_pool_is_empty(void);
extern void web_pool_stop(void);

#endif
