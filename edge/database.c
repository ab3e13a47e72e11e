/*
 * database.c
 *		A connection to PostgreSQL in pipeline mode, which comes back by itself.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "text.h"

/* ms between two attempts to connect: doubled from the first to the second. */
#define RECONNECT_FIRST 50
#define RECONNECT_LAST 5000

/* ms in which a connection must be there. */
#define CONNECT_TIMEOUT 10000

/*
 * ms after which the server cancels a statement: later than any lock_timeout, so that
 * a lock never looks like a hit that takes too long, and sooner than documents are
 * given up here, so that none goes on alone.
 */
#define STATEMENT_TIMEOUT 110000

typedef enum LinkState
{
	LINK_WAITING,				/* for the next attempt */
	LINK_CONNECTING,
	LINK_PREPARING,
	LINK_READY
} LinkState;

struct Link
{
	LinkOptions options;
	LinkState	state;
	PGconn	   *conn;
	Watch	   *watch;
	Timer		timer;
	int64_t		wait;			/* ms before the next attempt */
	int			syncs;			/* under way */
	bool		failed;			/* sending failed: to be noticed by the loop */
	bool		ever;			/* it was connected before */
};

static void connect_now(void *context);
static void on_event(void *context, short events);

static void
close_connection(Link *link)
{
	if (link->watch != NULL)
		loop_unwatch(link->watch);
	link->watch = NULL;
	if (link->conn != NULL)
		PQfinish(link->conn);
	link->conn = NULL;
}

/* libpq's messages name hosts and users, but nothing of a hit. */
static void
lose(Link *link, const char *why)
{
	bool		ready = link->state == LINK_READY;
	char		message[500];

	snprintf(message, sizeof(message), "%s", why);
	message[strcspn(message, "\n")] = '\0';
	if (ready)
		log_line(LOG_LEVEL_ERROR, LOG_DATABASE_LOST, "connection to PostgreSQL lost: %s", message);
	else
		log_line(LOG_LEVEL_ERROR, LOG_DATABASE_LOST, "could not connect to PostgreSQL: %s",
				 message);
	close_connection(link);
	link->state = LINK_WAITING;
	link->syncs = 0;
	link->failed = false;
	link->timer.at = loop_now() + link->wait;
	link->wait = link->wait * 2 < RECONNECT_LAST ? link->wait * 2 : RECONNECT_LAST;
	if (ready)
		link->options.events->lost(link->options.owner);
}

void
link_drop(Link *link, const char *why)
{
	if (link->conn != NULL)
		lose(link, why);
}

/* The server's options: those of the connection string, then ours, which win. */
static void
add_server_options(const char *database, const char *ours, Text *options)
{
	PQconninfoOption *all = PQconninfoParse(database, NULL);

	for (PQconninfoOption *one = all; one != NULL && one->keyword != NULL; one++)
	{
		if (strcmp(one->keyword, "options") == 0 && one->val != NULL)
			text_printf(options, "%s ", one->val);
	}
	PQconninfoFree(all);
	text_add_str(options, ours);
}

/* The words of the caller's connection string, and ours, as libpq takes them. */
PGconn *
database_start(const char *database, const char *user, const char *password,
			   const char *server_options)
{
	const char *keywords[8];
	const char *values[8];
	Text		options = {0};
	PGconn	   *conn;
	int			n = 0;

	add_server_options(database, server_options, &options);
	keywords[n] = "fallback_application_name";
	values[n++] = "pk_tracking_httpd";
	/* expanded in its place: what stands behind it wins */
	keywords[n] = "dbname";
	values[n++] = database;
	if (user != NULL)
	{
		keywords[n] = "user";
		values[n++] = user;
		keywords[n] = "password";
		values[n++] = password;
	}
	keywords[n] = "client_encoding";
	values[n++] = "UTF8";
	keywords[n] = "options";
	values[n++] = options.data;
	keywords[n] = NULL;
	values[n] = NULL;
	conn = PQconnectStartParams(keywords, values, 1);
	text_free(&options);
	return conn;
}

static PGconn *
start_connection(const Link *link)
{
	char		options[200];

	snprintf(options, sizeof(options),
			 "-c lock_timeout=%" PRId64 " -c statement_timeout=%d"
			 " -c default_transaction_isolation=read\\ committed",
			 link->options.lock_timeout, STATEMENT_TIMEOUT);
	return database_start(link->options.database, NULL, NULL, options);
}

static void
watch_socket(Link *link, short events)
{
	int			fd = PQsocket(link->conn);

	/* while libpq connects, its socket may be another each time */
	if (link->watch != NULL)
		loop_unwatch(link->watch);
	link->watch = loop_watch(fd, events, on_event, link);
}

static void
connect_now(void *context)
{
	Link	   *link = context;

	if (link->state != LINK_WAITING)
	{
		lose(link, "timeout");
		return;
	}
	link->conn = start_connection(link);
	if (link->conn == NULL || PQstatus(link->conn) == CONNECTION_BAD)
	{
		lose(link, link->conn != NULL ? PQerrorMessage(link->conn) : "out of memory");
		return;
	}
	link->state = LINK_CONNECTING;
	link->timer.at = loop_now() + CONNECT_TIMEOUT;
	watch_socket(link, POLLOUT);
}

Link *
link_create(const LinkOptions *options)
{
	Link	   *link = must_alloc(sizeof(Link));

	link->options = *options;
	link->wait = RECONNECT_FIRST;
	link->timer.callback = connect_now;
	link->timer.context = link;
	link->timer.at = loop_now();
	loop_add_timer(&link->timer);
	return link;
}

void
link_free(Link *link)
{
	/* the timer stays in the loop's list: the process is about to end */
	link->timer.at = 0;
	close_connection(link);
}

bool
link_is_connected(const Link *link)
{
	return link->state == LINK_READY && !link->failed;
}

bool
link_is_idle(const Link *link)
{
	return link_is_connected(link) && link->syncs == 0;
}

static void
ignore_notice(void *context, const PGresult *result)
{
	(void) context;
	(void) result;
}

static void
flush(Link *link)
{
	int			left = PQflush(link->conn);

	if (left < 0)
		link->failed = true;
	loop_set_events(link->watch, POLLIN | (left != 0 ? POLLOUT : 0));
}

void
link_send(Link *link, const char *statement, int nparams, const char *const *values,
		  const int *lengths, const int *formats)
{
	if (!link->failed &&
		!PQsendQueryPrepared(link->conn, statement, nparams, values, lengths, formats, 0))
		link->failed = true;
}

void
link_sync(Link *link)
{
	link->syncs++;
	if (!link->failed && !PQpipelineSync(link->conn))
		link->failed = true;
	if (!link->failed)
		flush(link);
	/* the loop finds a socket that can be written, and then the failure */
	if (link->failed)
		loop_set_events(link->watch, POLLIN | POLLOUT);
}

/* Goes on with libpq's attempt to connect. */
static void
go_on_connecting(Link *link)
{
	switch (PQconnectPoll(link->conn))
	{
		case PGRES_POLLING_READING:
			watch_socket(link, POLLIN);
			return;
		case PGRES_POLLING_WRITING:
			watch_socket(link, POLLOUT);
			return;
		case PGRES_POLLING_OK:
			break;
		default:
			lose(link, PQerrorMessage(link->conn));
			return;
	}
	PQsetNoticeReceiver(link->conn, ignore_notice, NULL);
	if (PQsetnonblocking(link->conn, 1) != 0 || !PQenterPipelineMode(link->conn))
	{
		lose(link, PQerrorMessage(link->conn));
		return;
	}
	link->state = LINK_PREPARING;
	watch_socket(link, POLLIN);
	for (int i = 0; i < link->options.nstatements; i++)
	{
		if (!PQsendPrepare(link->conn, link->options.statements[i].name,
						   link->options.statements[i].query, 0, NULL))
			link->failed = true;
	}
	link_sync(link);
}

/* Of a connection whose statements were to be prepared. */
static bool
check_preparing(Link *link, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_PIPELINE_SYNC)
	{
		link->state = LINK_READY;
		link->timer.at = 0;
		link->wait = RECONNECT_FIRST;
		if (link->ever)
			metrics.reconnects++;
		log_line(LOG_LEVEL_INFO, link->ever ? LOG_DATABASE_LOST : LOG_ALWAYS,
				 "connected to PostgreSQL");
		link->ever = true;
		link->options.events->ready(link->options.owner);
		return true;
	}
	if (status == PGRES_FATAL_ERROR)
	{
		lose(link, PQresultErrorMessage(result));
		return false;
	}
	return true;
}

/* Takes what has come.  False: the connection is lost. */
static bool
take_results(Link *link)
{
	int			nothing = 0;

	/* between the results of two queries libpq returns NULL once or twice */
	while (link->syncs > 0 && !PQisBusy(link->conn) && nothing < 3)
	{
		PGresult   *result = PQgetResult(link->conn);
		bool		sync;

		if (result == NULL)
		{
			nothing++;
			continue;
		}
		nothing = 0;
		sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
		if (sync)
			link->syncs--;
		if (link->state == LINK_PREPARING)
		{
			bool		good = check_preparing(link, result);

			PQclear(result);
			if (!good)
				return false;
			continue;
		}
		/* libpq makes an error of a lost connection; it has no SQLSTATE */
		if (PQstatus(link->conn) == CONNECTION_BAD)
		{
			PQclear(result);
			break;
		}
		if (sync)
			link->options.events->synced(link->options.owner);
		else
			link->options.events->result(link->options.owner, result);
		PQclear(result);
		if (link->conn == NULL)
			return false;
	}
	return true;
}

static void
on_event(void *context, short events)
{
	Link	   *link = context;

	if (link->state == LINK_CONNECTING)
	{
		go_on_connecting(link);
		return;
	}
	if (!link->failed && (events & (POLLIN | POLLERR | POLLHUP)) != 0 &&
		!PQconsumeInput(link->conn))
		link->failed = true;
	/* what came before the end counts */
	if (!take_results(link))
		return;
	if (PQstatus(link->conn) == CONNECTION_BAD || link->failed)
	{
		lose(link, PQerrorMessage(link->conn));
		return;
	}
	flush(link);
	if (link->failed)
		lose(link, PQerrorMessage(link->conn));
}
