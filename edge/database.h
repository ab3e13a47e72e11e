/*
 * database.h
 *		A connection to PostgreSQL in pipeline mode, which comes back by itself.
 */
#ifndef EDGE_DATABASE_H
#define EDGE_DATABASE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Link Link;

/*
 * Begins to connect: libpq's connection string, then a user and a password, unless
 * they are NULL, then options of the server, which win.  NULL: no memory.
 */
extern PGconn *database_start(const char *database, const char *user, const char *password,
							  const char *server_options);

/* What the owner of a link is told; all are called from the loop. */
typedef struct LinkEvents
{
	/* connected, or connected again; statements are prepared */
	void		(*ready) (void *owner);

	/*
	 * a result of a query, in the order of the queries; an error and, of what
	 * came behind it up to the next sync, PGRES_PIPELINE_ABORTED
	 */
	void		(*result) (void *owner, const PGresult *result);

	/*
	 * everything up to a link_sync() is over: committed, if no result was an
	 * error
	 */
	void		(*synced) (void *owner);

	/* the connection is lost; what was sent and not synced is in doubt */
	void		(*lost) (void *owner);
} LinkEvents;

/* A statement that is prepared on each connection. */
typedef struct LinkStatement
{
	const char *name;
	const char *query;
} LinkStatement;

typedef struct LinkOptions
{
	const char *database;		/* connection string */
	int64_t		lock_timeout;	/* ms */
	const LinkStatement *statements;
	int			nstatements;
	const LinkEvents *events;
	void	   *owner;
} LinkOptions;

/* Begins to connect; texts and statements must stay. */
extern Link *link_create(const LinkOptions *options);
extern void link_free(Link *link);

/* Is it connected, and nothing under way? */
extern bool link_is_idle(const Link *link);
extern bool link_is_connected(const Link *link);

/*
 * Sends an execution of a prepared statement; values as PQsendQueryPrepared() takes
 * them.  Nothing goes out before link_sync(), but for what does not fit in the
 * buffer.  Errors come as lost().
 */
extern void link_send(Link *link, const char *statement, int nparams, const char *const *values,
					  const int *lengths, const int *formats);
extern void link_sync(Link *link);

/* Gives the connection up and connects anew; lost() is called. */
extern void link_drop(Link *link, const char *why);

#endif
