/*
 * web_pool.c
 *		Transactions of the web pages on a pool of connections, each as the role of a
 *		session.
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "log.h"
#include "loop.h"
#include "web_pool.h"

#define RECONNECT_FIRST 50
#define RECONNECT_LAST 5000
#define CONNECT_TIMEOUT 10000

/* ms for which a transaction may take longer than its statement. */
#define TRANSACTION_MORE 10000

/* Jobs that wait. */
#define WAITING_MAX 1000

/* The longest answer. */
#define RESULT_MAX (64 * 1024 * 1024)

#define WAITING_INTERVAL 1000

typedef enum State
{
	CONN_WAITING,				/* for the next attempt to connect */
	CONN_CONNECTING,
	CONN_IDLE,
	CONN_BUSY
} State;

typedef enum Step
{
	STEP_BEGIN,
	STEP_ENTER,
	STEP_ROLE,
	STEP_QUERY,
	STEP_COPY,
	STEP_END,
	STEP_CLEAN
} Step;

typedef struct Conn
{
	State		state;
	Step		step;
	PGconn	   *conn;
	Watch	   *watch;
	Timer		timer;			/* the next attempt, or the end of patience */
	int64_t		wait;
	bool		ever;
	bool		failed;			/* the transaction is to be rolled back */
	bool		copying;		/* rows of a COPY are coming */
	WebJob	   *job;			/* NULL: it is answered */
	Text		copied;
} Conn;

static const Config *config;
static Conn *conns;
static int	nconns;
static WebJob *first;
static WebJob **last = &first;
static int	nwaiting;
static Timer waiting_timer;

static void on_event(void *context, short events);
static void take_next(Conn *c);

static void
finish(WebJob *job)
{
	job->done(job);
}

/* The connection is lost or not to be used any more; its job is answered so. */
static void
lose(Conn *c, const char *why)
{
	WebJob	   *job = c->job;
	char		message[500];

	snprintf(message, sizeof(message), "%s", why);
	message[strcspn(message, "\n")] = '\0';
	if (c->state == CONN_IDLE || c->state == CONN_BUSY)
		log_line(LOG_LEVEL_ERROR, LOG_DATABASE_LOST, "connection to PostgreSQL lost: %s", message);
	else
		log_line(LOG_LEVEL_ERROR, LOG_DATABASE_LOST, "could not connect to PostgreSQL: %s",
				 message);
	if (c->watch != NULL)
		loop_unwatch(c->watch);
	c->watch = NULL;
	if (c->conn != NULL)
		PQfinish(c->conn);
	c->conn = NULL;
	c->copying = false;
	text_free(&c->copied);
	c->state = CONN_WAITING;
	c->job = NULL;
	c->timer.at = loop_now() + c->wait;
	c->wait = c->wait * 2 < RECONNECT_LAST ? c->wait * 2 : RECONNECT_LAST;
	if (job != NULL)
	{
		job->outcome = WEB_AWAY;
		finish(job);
	}
}

static void
flush(Conn *c)
{
	int			left = PQflush(c->conn);

	/* a failure is found by reading */
	loop_set_events(c->watch, POLLIN | (left > 0 ? POLLOUT : 0));
}

/* Sends the statement of a step; false: the connection is lost. */
static bool
send_step(Conn *c, Step step)
{
	WebJob	   *job = c->job;
	char		timeout[32];
	const char *values[WEB_VALUES_MAX];
	int			good = 0;

	c->step = step;
	switch (step)
	{
		case STEP_BEGIN:
			good = PQsendQuery(c->conn, job->write ? "BEGIN READ WRITE" : "BEGIN READ ONLY");
			break;
		case STEP_ENTER:
			values[0] = job->role;
			values[1] = job->token;
			good = PQsendQueryParams(c->conn,
									 "SELECT e.role, e.stamp, e.idsite, e.refusal,"
									 " current_user = session_user"
									 " FROM pk_tracking_internal.web_enter($1::name,"
									 " pg_catalog.decode($2, 'hex')) e",
									 2, NULL, values, NULL, NULL, 0);
			break;
		case STEP_ROLE:
			snprintf(timeout, sizeof(timeout), "%" PRId64, config->web_statement_timeout);
			values[0] = job->entered_role;
			values[1] = timeout;
			values[2] = job->arguments != NULL ? job->arguments : "{}";
			good = PQsendQueryParams(c->conn,
									 "SELECT pg_catalog.set_config('statement_timeout', $2, true),"
									 " pg_catalog.set_config('pk_web.arguments', $3, true),"
									 " pg_catalog.set_config('role', $1, true)",
									 3, NULL, values, NULL, NULL, 0);
			break;
		case STEP_QUERY:
			for (int i = 0; i < job->nvalues; i++)
				values[i] = i + 1 == job->site_value ? job->site : job->values[i];
			good = PQsendQueryParams(c->conn, job->query, job->nvalues, NULL, values, NULL, NULL,
									 0);
			break;
		case STEP_COPY:
			good = PQsendQuery(c->conn, job->result);
			break;
		case STEP_END:
			good = PQsendQuery(c->conn, c->failed || !job->write ? "ROLLBACK" : "COMMIT");
			break;
		case STEP_CLEAN:
			good = PQsendQuery(c->conn, c->failed ? "DISCARD ALL" : "RESET ROLE");
			break;
	}
	if (!good)
	{
		lose(c, PQerrorMessage(c->conn));
		return false;
	}
	flush(c);
	return true;
}

static const char *
kept(const Conn *c, const char *text)
{
	return text !=NULL ? pool_strdup(c->job->pool, text) : NULL;
}

/* The transaction has failed; only the first reason is kept. */
static void
fail_job(Conn *c, WebOutcome outcome)
{
	if (!c->failed)
		c->job->outcome = outcome;
	c->failed = true;
}

static const char *
column(const Conn *c, const PGresult *result, int i)
{
	return PQgetisnull(result, 0, i) ? NULL : kept(c, PQgetvalue(result, 0, i));
}

/* What web_enter() says.  False: the connection is lost. */
static bool
entered(Conn *c, const PGresult *result)
{
	WebJob	   *job = c->job;

	/* it cannot be, and nothing may be read if it is */
	if (PQntuples(result) != 1 || strcmp(PQgetvalue(result, 0, 4), "t") != 0)
	{
		lose(c, "a session had a role of an earlier request");
		return false;
	}
	job->entered_role = column(c, result, 0);
	job->entered_stamp = column(c, result, 1);
	job->site = column(c, result, 2);
	job->refusal = column(c, result, 3);
	/* what does not ask for the site of a public link is not for it */
	if (job->refusal == NULL && job->site != NULL && job->query != NULL && job->site_value == 0)
		job->refusal = "link";
	if (job->refusal == NULL && job->stamp != NULL && strcmp(job->stamp, job->entered_stamp) != 0)
		job->refusal = "role";
	if (job->refusal != NULL)
		fail_job(c, WEB_REFUSED);
	return true;
}

static void
take_error(Conn *c, const PGresult *result)
{
	WebJob	   *job = c->job;

	if (c->failed)
		return;
	if (c->step == STEP_ROLE)
	{
		/* a membership without the right to SET ROLE */
		job->refusal = "grant";
		fail_job(c, WEB_REFUSED);
		return;
	}
	job->sqlstate = kept(c, PQresultErrorField(result, PG_DIAG_SQLSTATE));
	job->message = kept(c, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	job->detail = kept(c, PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	job->hint = kept(c, PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
	fail_job(c, WEB_ERROR);
}

/* A result of the step.  False: the connection is lost. */
static bool
take_result(Conn *c, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);
	WebJob	   *job = c->job;

	if (status == PGRES_COPY_OUT)
	{
		c->copying = true;
		return true;
	}
	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
	{
		if (PQstatus(c->conn) == CONNECTION_BAD || c->step == STEP_CLEAN)
		{
			lose(c, PQresultErrorMessage(result));
			return false;
		}
		take_error(c, result);
		return true;
	}
	if (c->step == STEP_ENTER)
		return entered(c, result);
	if (c->step == STEP_QUERY && PQntuples(result) == 1)
	{
		job->result_len = (size_t) PQgetlength(result, 0, 0);
		if (job->result_len > RESULT_MAX)
			fail_job(c, WEB_TOO_LONG);
		else
			job->result = pool_strndup(job->pool, PQgetvalue(result, 0, 0), job->result_len);
	}
	return true;
}

/* All results of a step are here: the next one.  False: the connection is lost. */
static bool
next_step(Conn *c)
{
	WebJob	   *job = c->job;

	switch (c->step)
	{
		case STEP_BEGIN:
			return send_step(c, c->failed ? STEP_END : STEP_ENTER);
		case STEP_ENTER:
			return send_step(c, c->failed || job->query == NULL ? STEP_END : STEP_ROLE);
		case STEP_ROLE:
			return send_step(c, c->failed ? STEP_END : STEP_QUERY);
		case STEP_QUERY:
			return send_step(c, c->failed || !job->copy ? STEP_END : STEP_COPY);
		case STEP_COPY:
			if (!c->failed)
			{
				job->result = pool_strndup(job->pool, c->copied.data != NULL ? c->copied.data : "",
										   c->copied.len);
				job->result_len = c->copied.len;
			}
			text_free(&c->copied);
			return send_step(c, STEP_END);
		case STEP_END:
			if (PQtransactionStatus(c->conn) != PQTRANS_IDLE)
			{
				lose(c, "a transaction did not end");
				return false;
			}
			c->job = NULL;
			if (!send_step(c, STEP_CLEAN))
			{
				finish(job);
				return false;
			}
			finish(job);
			return true;
		case STEP_CLEAN:
			c->state = CONN_IDLE;
			c->timer.at = 0;
			c->wait = RECONNECT_FIRST;
			take_next(c);
			return c->state != CONN_WAITING;
	}
	return true;
}

/* What a COPY sends.  False: there will be more. */
static bool
take_copy(Conn *c)
{
	for (;;)
	{
		char	   *row = NULL;
		int			n = PQgetCopyData(c->conn, &row, 1);

		if (n == 0)
			return false;
		if (n < 0)
		{
			c->copying = false;
			return true;
		}
		if (c->copied.len + (size_t) n > RESULT_MAX)
			fail_job(c, WEB_TOO_LONG);
		else if (!c->failed)
			text_add(&c->copied, row, (size_t) n);
		PQfreemem(row);
	}
}

static void
take_results(Conn *c)
{
	while (c->state == CONN_BUSY && !PQisBusy(c->conn))
	{
		PGresult   *result;
		bool		good;

		result = PQgetResult(c->conn);
		if (result == NULL)
		{
			if (PQstatus(c->conn) == CONNECTION_BAD)
				lose(c, PQerrorMessage(c->conn));
			else if (next_step(c))
				continue;
			return;
		}
		good = take_result(c, result);
		PQclear(result);
		if (!good)
			return;
		if (c->copying && !take_copy(c))
			return;
	}
}

static void
start_job(Conn *c, WebJob *job)
{
	c->job = job;
	c->failed = false;
	c->state = CONN_BUSY;
	c->timer.at = loop_now() + 2 * config->web_statement_timeout + TRANSACTION_MORE;
	(void) send_step(c, STEP_BEGIN);
}

static bool
is_of_same_asker(const WebJob *job, const WebJob *other)
{
	if (job->token != NULL)
		return other->token != NULL;
	return other->token == NULL && strcmp(other->role, job->role) == 0;
}

/*
 * Who asks much must leave connections to others: a role all but one, tokens and
 * public links, of which anybody may have many, half of them together.
 */
static bool
has_its_share(const WebJob *job)
{
	int			share = job->token != NULL ? nconns / 2 : nconns - 1;
	int			n = 0;

	for (int i = 0; i < nconns; i++)
		n += conns[i].job != NULL && is_of_same_asker(job, conns[i].job);
	return n >= (share > 1 ? share : 1);
}

/* Nor may one fill the queue. */
static bool
waits_enough(const WebJob *job)
{
	int			n = 0;

	for (const WebJob *other = first; other != NULL; other = other->next)
		n += is_of_same_asker(job, other);
	return n >= WAITING_MAX / 2;
}

/* The next job that waits and may be done now, for a connection that is idle. */
static void
take_next(Conn *c)
{
	for (WebJob **place = &first; *place != NULL; place = &(*place)->next)
	{
		WebJob	   *job = *place;

		if (has_its_share(job))
			continue;
		*place = job->next;
		if (*place == NULL)
			last = place;
		nwaiting--;
		start_job(c, job);
		return;
	}
}

static void
serve_waiting(void)
{
	for (int i = 0; i < nconns && first != NULL; i++)
	{
		if (conns[i].state == CONN_IDLE)
			take_next(&conns[i]);
	}
}

static void
watch_socket(Conn *c, short events)
{
	/* while libpq connects, its socket may be another each time */
	if (c->watch != NULL)
		loop_unwatch(c->watch);
	c->watch = loop_watch(PQsocket(c->conn), events, on_event, c);
}

static void
add_member(Text *json, const char *name, const char *value)
{
	if (value == NULL)
		return;
	text_printf(json, "%s\"%s\":", json->data[json->len - 1] == '{' ? "" : ",", name);
	text_add_json(json, value);
}

/* Keeps the warnings of a statement that changes something, for whoever asked for it. */
static void
take_notice(void *context, const PGresult *result)
{
	Conn	   *c = context;
	WebJob	   *job = c->job;
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	Text		json = {0};

	if (job == NULL || !job->write || c->step != STEP_QUERY || severity == NULL ||
		strcmp(severity, "WARNING") != 0)
		return;
	if (job->warnings != NULL)
		text_printf(&json, "%s,", job->warnings);
	text_add_char(&json, '{');
	add_member(&json, "message", PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	add_member(&json, "detail", PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	add_member(&json, "hint", PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
	text_add_char(&json, '}');
	job->warnings = pool_strndup(job->pool, json.data, json.len);
	text_free(&json);
}

static void
go_on_connecting(Conn *c)
{
	switch (PQconnectPoll(c->conn))
	{
		case PGRES_POLLING_READING:
			watch_socket(c, POLLIN);
			return;
		case PGRES_POLLING_WRITING:
			watch_socket(c, POLLOUT);
			return;
		case PGRES_POLLING_OK:
			break;
		default:
			lose(c, PQerrorMessage(c->conn));
			return;
	}
	PQsetNoticeReceiver(c->conn, take_notice, c);
	if (PQsetnonblocking(c->conn, 1) != 0)
	{
		lose(c, PQerrorMessage(c->conn));
		return;
	}
	log_line(LOG_LEVEL_INFO, c->ever ? LOG_DATABASE_LOST : LOG_ALWAYS, "connected to PostgreSQL");
	c->ever = true;
	c->state = CONN_IDLE;
	c->timer.at = 0;
	watch_socket(c, POLLIN);
	take_next(c);
}

static void
on_event(void *context, short events)
{
	Conn	   *c = context;

	if (c->state == CONN_CONNECTING)
	{
		go_on_connecting(c);
		return;
	}
	if ((events & (POLLIN | POLLERR | POLLHUP)) != 0 && !PQconsumeInput(c->conn))
	{
		lose(c, PQerrorMessage(c->conn));
		return;
	}
	if (c->copying && !take_copy(c))
		return;
	take_results(c);
	if (c->conn != NULL)
		flush(c);
}

static void
connect_now(void *context)
{
	Conn	   *c = context;

	if (c->state != CONN_WAITING)
	{
		lose(c, "timeout");
		return;
	}
	c->conn = database_start(config->database, NULL, NULL,
							 "-c search_path=pg_catalog,pg_temp"
							 " -c default_transaction_isolation=read\\ committed"
							 " -c lock_timeout=5000 -c statement_timeout=30000"
							 " -c idle_in_transaction_session_timeout=60000"
							 " -c datestyle=iso -c intervalstyle=postgres -c timezone=UTC"
							 " -c bytea_output=hex -c row_security=on");
	if (c->conn == NULL || PQstatus(c->conn) == CONNECTION_BAD)
	{
		lose(c, c->conn != NULL ? PQerrorMessage(c->conn) : "out of memory");
		return;
	}
	c->state = CONN_CONNECTING;
	c->timer.at = loop_now() + CONNECT_TIMEOUT;
	watch_socket(c, POLLOUT);
}

/* Jobs that have waited too long. */
static void
look_at_waiting(void *context)
{
	int64_t		limit = loop_now() - config->answer_timeout;

	(void) context;
	waiting_timer.at = loop_now() + WAITING_INTERVAL;
	while (first != NULL && first->since < limit)
	{
		WebJob	   *job = first;

		first = job->next;
		if (first == NULL)
			last = &first;
		nwaiting--;
		job->outcome = WEB_AWAY;
		finish(job);
	}
	serve_waiting();
}

void
web_pool_start(const Config *new_config)
{
	config = new_config;
	nconns = (int) config->web_connections;
	conns = must_alloc((size_t) nconns * sizeof(Conn));
	for (int i = 0; i < nconns; i++)
	{
		conns[i] = (Conn)
		{
			.wait = RECONNECT_FIRST
		};
		conns[i].timer.callback = connect_now;
		conns[i].timer.context = &conns[i];
		conns[i].timer.at = loop_now();
		loop_add_timer(&conns[i].timer);
	}
	waiting_timer.callback = look_at_waiting;
	waiting_timer.at = loop_now() + WAITING_INTERVAL;
	loop_add_timer(&waiting_timer);
}

void
web_pool_submit(WebJob *job)
{
	job->outcome = WEB_DONE;
	job->since = loop_now();
	job->next = NULL;
	if (nwaiting >= WAITING_MAX || waits_enough(job))
	{
		job->outcome = WEB_AWAY;
		finish(job);
		return;
	}
	*last = job;
	last = &job->next;
	nwaiting++;
	serve_waiting();
}

bool
web_pool_is_connected(void)
{
	for (int i = 0; i < nconns; i++)
	{
		if (conns[i].state == CONN_IDLE || conns[i].state == CONN_BUSY)
			return true;
	}
	return false;
}

bool
web_pool_is_empty(void)
{
	for (int i = 0; i < nconns; i++)
	{
		if (conns[i].job != NULL)
			return false;
	}
	return first == NULL;
}

void
web_pool_stop(void)
{
	for (int i = 0; i < nconns; i++)
	{
		conns[i].timer.at = 0;
		if (conns[i].conn != NULL)
			PQfinish(conns[i].conn);
	}
}
