/*
 * drain.c
 *		The way of hits through the spool: in, and from there to PostgreSQL.
 *
 * Records are sent in their order, a batch in a transaction, on a connection of
 * their own.  The batch's number is that of its last record, and its sender the
 * spool, so after a crash, or on a new connection, PostgreSQL tells up to which
 * record all are recorded (batch_done()).  A batch that fails is sent again record
 * by record.  A record that waits for a lock is tried until it has it; the others
 * wait behind it, and live hits behind them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "drain.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "statement.h"
#include "text.h"

/* ms */
#define TICK 50
#define PAUSE 500
#define EXPIRE_INTERVAL 60000
#define ANSWER_TIMEOUT 120000

/*
 * A record that was sent alone when so many connections broke, or that was
 * cancelled so often, is given up.
 */
#define LOST_MAX 3

typedef enum DrainState
{
	DRAIN_AWAY,					/* no connection */
	DRAIN_FREE,
	DRAIN_ASKING,				/* which of the hits are recorded */
	DRAIN_SENDING
} DrainState;

static const Config *config;
static Spool *spool;
static Link *link;
static DrainState state;
static char uuid[UUID_LEN + 1];
static char session[UUID_LEN + 1];
static Timer timer;
static int64_t paused_until;
static int64_t expire_at;
static int64_t started;

/* The records under way, in their order. */
static Hit **hits;
static int	room;				/* of that array */
static int	nhits;
static int	nsent;				/* the first of them, in this transaction */
static bool ask_position;		/* another session may have recorded some */
static int	answers;			/* that have come, one for each question */
static uint64_t unreadable;		/* the last record that was passed over */
static int	one_by_one;			/* so many are to be sent alone */
static bool failed;
static char sqlstate[6];

/* The record that was sent alone when a connection broke, or was cancelled. */
static uint64_t lost_number;
static int	lost_count;

static void next_step(void);

static void
report(void *context, const char *message)
{
	(void) context;
	log_line(LOG_LEVEL_WARNING, LOG_SPOOL, "%s", message);
}

/* The first n hits under way are over: recorded, or given up. */
static void
forget_hits(int n)
{
	for (int i = 0; i < n; i++)
		pool_free(hits[i]->pool);
	memmove(hits, hits + n, (size_t) (nhits - n) * sizeof(Hit *));
	nhits -= n;
}

static void
hits_done(int n)
{
	spool_done(spool, hits[n - 1]->number);
	forget_hits(n);
	one_by_one = one_by_one > n ? one_by_one - n : 0;
}

/* Room for a batch, whose size a reload may have raised. */
static void
make_room(void)
{
	if (room >= config->batch_max)
		return;
	room = (int) config->batch_max;
	hits = must_realloc(hits, (size_t) room * sizeof(Hit *));
}

/* Takes records out of the spool until a batch is full. */
static void
fetch(void)
{
	SpoolRecord record;

	make_room();
	while (nhits < config->batch_max && spool_next(spool, &record))
	{
		Hit		   *hit = hit_decode(record.data, record.length);

		if (hit == NULL)
		{
			log_line(LOG_LEVEL_ERROR, LOG_SPOOL, "a record of the spool is not readable");
			unreadable = record.number;
		}
		else
		{
			hit->number = record.number;
			hit->arrival = record.arrival;
			hits[nhits++] = hit;
		}
		spool_record_free(&record);
	}
}

/* Asks of each hit whether the spool, or the connection it is in doubt of, recorded it. */
static bool
ask(void)
{
	int			questions = 0;

	for (int i = 0; i < nhits; i++)
	{
		if (ask_position)
			send_question(link, uuid, (int64_t) hits[i]->number, session);
		if (hits[i]->doubt_daemon != NULL)
			send_question(link, hits[i]->doubt_daemon, hits[i]->doubt_number, session);
		questions += ask_position + (hits[i]->doubt_daemon != NULL);
	}
	if (questions == 0)
		return false;
	answers = 0;
	failed = false;
	state = DRAIN_ASKING;
	started = loop_now();
	link_sync(link);
	return true;
}

/*
 * Sends hits as one transaction.  Documents go alone, as those of the queue do.
 */
static void
send_hits(void)
{
	int			most = one_by_one > 0 || hits[0]->is_document ? 1 : nhits;

	nsent = 1;
	while (nsent < most && !hits[nsent]->is_document)
		nsent++;
	failed = false;
	state = DRAIN_SENDING;
	started = loop_now();
	send_number(link, uuid, (int64_t) hits[nsent - 1]->number, session);
	for (int i = 0; i < nsent; i++)
	{
		if (hits[i]->result.outcome == HIT_PENDING)
			send_hit(link, hits[i], true);
	}
	link_sync(link);
}

static void
next_step(void)
{
	if (state != DRAIN_FREE || !link_is_idle(link) || paused_until > loop_now())
		return;
	if (nhits == 0)
	{
		fetch();
		if (nhits == 0)
		{
			if (unreadable > 0)
				spool_done(spool, unreadable);
			unreadable = 0;
			return;
		}
		unreadable = 0;
		if (ask())
			return;
	}
	send_hits();
}

/* The answer to a question: the hits are numbered as ask() asked. */
static void
take_answer(bool yes)
{
	int			n = answers++;

	for (int i = 0; i < nhits; i++)
	{
		int			questions = ask_position + (hits[i]->doubt_daemon != NULL);

		if (n < questions)
		{
			if (ask_position && n == 0)
				hits[i]->recorded = yes;
			else if (yes)
				hits[i]->result.outcome = HIT_COMMITTED;
			return;
		}
		n -= questions;
	}
}

static void
on_result(void *owner, const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	(void) owner;
	if (status == PGRES_FATAL_ERROR && !failed)
	{
		const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);

		failed = true;
		snprintf(sqlstate, sizeof(sqlstate), "%s", code != NULL ? code : "");
	}
	else if (status == PGRES_TUPLES_OK && state == DRAIN_ASKING)
		take_answer(PQgetvalue(result, 0, 0)[0] == 't');
}

/* Begins anew with the first record that is not done, and asks for the position. */
static void
start_over(void)
{
	forget_hits(nhits);
	spool_rewind(spool);
	ask_position = true;
	one_by_one = 0;
}

static void
give_up_first(const char *why)
{
	log_line(LOG_LEVEL_ERROR, LOG_HIT_FAILED, "a hit of the spool was given up: %s", why);
	metrics.failed++;
	hits_done(1);
}

/* The first record, sent alone, broke the connection or was cancelled: too often? */
static bool
is_lost_too_often(void)
{
	lost_count = hits[0]->number == lost_number ? lost_count + 1 : 1;
	lost_number = hits[0]->number;
	return lost_count >= LOST_MAX;
}

static void
sending_failed(void)
{
	Fate		fate = fate_of(hits[0], sqlstate);

	if (strcmp(sqlstate, "55000") == 0)
	{
		/* another session of this spool was there */
		start_over();
		paused_until = loop_now() + PAUSE;
	}
	else if (fate == FATE_AWAY)
	{
		refused(sqlstate);
		paused_until = loop_now() + PAUSE;
	}
	else if (nsent > 1)
		one_by_one = nsent;
	else if (fate == FATE_WAIT)
		paused_until = loop_now() + TICK;
	else if (fate == FATE_CANCELLED && !is_lost_too_often())
		paused_until = loop_now() + TICK;
	else if (fate == FATE_CLIENT)
		hits_done(1);
	else
		give_up_first(sqlstate);
}

static void
on_synced(void *owner)
{
	(void) owner;
	if (state == DRAIN_ASKING)
	{
		state = DRAIN_FREE;
		if (failed)
		{
			start_over();
			paused_until = loop_now() + PAUSE;
			return;
		}
		/* what was recorded under the spool's name is done with all before it */
		for (int i = nhits; i > 0 && ask_position; i--)
		{
			if (hits[i - 1]->recorded)
			{
				hits_done(i);
				break;
			}
		}
		/* further batches can be recorded only if all of these are */
		ask_position = ask_position && nhits == 0;
	}
	else if (state == DRAIN_SENDING)
	{
		state = DRAIN_FREE;
		if (failed)
			sending_failed();
		else
		{
			metrics.database_refuses = 0;
			metrics.drained += (uint64_t) nsent;
			hits_done(nsent);
		}
	}
	next_step();
}

static void
on_ready(void *owner)
{
	(void) owner;
	make_uuid(session);
	state = DRAIN_FREE;
	paused_until = 0;
	start_over();
	next_step();
}

static void
on_lost(void *owner)
{
	int			sent = state == DRAIN_SENDING ? nsent : 0;

	(void) owner;

	/* a record alone that breaks the connection each time */
	if (sent == 1 && is_lost_too_often())
	{
		give_up_first("connections were lost while it was recorded");
		sent = 0;
	}
	state = DRAIN_AWAY;
	start_over();
	one_by_one = sent;
}

static void
tick(void *context)
{
	(void) context;
	if ((state == DRAIN_SENDING || state == DRAIN_ASKING) &&
		loop_now() - started > ANSWER_TIMEOUT)
		link_drop(link, "PostgreSQL does not answer in time");
	if (expire_at <= loop_now())
	{
		/* while PostgreSQL takes nothing, what was fetched is not exempt */
		if (state == DRAIN_FREE)
		{
			forget_hits(nhits);
			spool_rewind(spool);
		}
		spool_expire(spool, loop_wall_time());
		expire_at = loop_now() + EXPIRE_INTERVAL;
	}
	next_step();
	timer.at = loop_now() + TICK;
}

bool
drain_start(const Config *new_config)
{
	static const LinkEvents events = {on_ready, on_result, on_synced, on_lost};
	SpoolOptions options = {0};
	LinkOptions link_options = {0};
	char		error[500];

	config = new_config;
	if (config->spool_directory[0] == '\0')
		return false;
	options.directory = config->spool_directory;
	options.key_file = config->spool_key_file;
	options.key_is_credential = config->spool_key_is_credential;
	options.max_age = config->spool_max_age / 1000;
	options.max_size = config->spool_max_size;
	options.report = report;
	spool = spool_open(&options, error, sizeof(error));
	if (spool == NULL)
		fail("could not open the spool: %s", error);
	format_uuid(spool_uuid(spool), uuid);
	make_room();
	link_options.database = config->database;
	link_options.lock_timeout = config->lock_timeout;
	link_options.statements = edge_statements;
	link_options.nstatements = edge_statement_count;
	link_options.events = &events;
	link = link_create(&link_options);
	timer.callback = tick;
	timer.at = loop_now() + TICK;
	loop_add_timer(&timer);
	return true;
}

void
drain_stop(void)
{
	if (spool == NULL)
		return;
	link_free(link);
	spool_close(spool);
	spool = NULL;
}

void
drain_reload(void)
{
	if (spool != NULL)
		spool_set_limits(spool, config->spool_max_age / 1000, config->spool_max_size);
}

bool
drain_is_busy(void)
{
	return spool != NULL && (spool_waiting(spool) || spool_pending(spool) > 0);
}

bool
drain_add(const Hit *hit)
{
	Text		record = {0};
	SpoolResult result;

	hit_encode(hit, &record);
	result = spool_add(spool, record.data, record.len, hit->arrival);
	text_free(&record);
	if (result != SPOOL_OK)
		log_line(LOG_LEVEL_ERROR, LOG_SPOOL, "the spool cannot take hits: %s",
				 result == SPOOL_FULL ? "spool_max_size is reached" :
				 result == SPOOL_TOO_LONG ? "a hit is too long" :
				 result == SPOOL_NO_SPACE ? "the disk is full" : "its files cannot be written");
	return result == SPOOL_OK;
}

size_t
drain_sync(void)
{
	size_t		kept = 0;

	if (spool_pending(spool) > 0 && spool_sync(spool, &kept) != SPOOL_OK)
		log_line(LOG_LEVEL_ERROR, LOG_SPOOL, "hits could not be written to the spool");
	next_step();
	return kept;
}

bool
drain_status(SpoolStatus *status)
{
	if (spool == NULL)
		return false;
	spool_status(spool, status);
	return true;
}
