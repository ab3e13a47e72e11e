/*
 * batch.c
 *		Which hits go to PostgreSQL together, and what becomes of each.
 *
 * A lane is a connection with one job at a time.  A job is one or more units; a
 * unit is a transaction: its number (pk_tracking.track_batch()), then its hits,
 * pipelined, then a sync, which commits.
 *
 *	LANE_BATCH		takes all that has come, up to batch_max, as one unit, sorted by
 *					site and visitor, so that two of them take locks in one order.
 *					If it fails, each of its hits is a unit of its own.
 *	LANE_WAIT		takes hits that had to wait for a lock alone, again and again,
 *					one of each visitor at a time; while a visitor waits here, its
 *					later hits come here at once.  Reads the settings, too.
 *	LANE_DOCUMENT	takes documents, each a unit.
 *
 * If a connection is lost, its open units are in doubt: on the next connection
 * pk_tracking.batch_done() tells of each whether it was committed, and refuses it
 * for ever if not.  Only then is a hit answered or sent again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "database.h"
#include "drain.h"
#include "log.h"
#include "loop.h"
#include "metrics.h"
#include "statement.h"
#include "text.h"

/* ms */
#define TICK 50
#define PAUSE_AFTER_ERROR 500
#define DOCUMENT_TIMEOUT 120000

/*
 * A hit that was under way alone when so many connections broke, or that was
 * cancelled so often, is given up.
 */
#define LOST_MAX 3

/* For a quick look whether hits of a visitor wait; others may share its bucket. */
#define WAITING_BUCKETS 8192

typedef struct HitQueue
{
	Hit		   *first;
	Hit		  **last;
	uint64_t	n;
} HitQueue;

typedef struct Unit
{
	int64_t		number;
	char		daemon[UUID_LEN + 1];
	int			n;
	Hit		  **hits;			/* NULL where one was answered in doubt */
	int			results;		/* that have come: of the number, then of the
								 * hits */
	bool		failed;
	char		sqlstate[6];
	bool		committed;		/* as batch_done() says */
} Unit;

typedef enum LaneKind
{
	LANE_BATCH,
	LANE_WAIT,
	LANE_DOCUMENT
} LaneKind;

typedef enum LaneState
{
	LANE_AWAY,					/* no connection; units may be in doubt */
	LANE_FREE,
	LANE_WORKING,
	LANE_ASKING,				/* whether units were committed */
	LANE_READING				/* the settings */
} LaneState;

typedef struct Lane
{
	LaneKind	kind;
	LaneState	state;
	Link	   *link;
	char		daemon[UUID_LEN + 1];	/* new with each connection, as is the
										 * session */
	char		session[UUID_LEN + 1];
	int64_t		number;			/* last one used */
	Unit	   *units;
	int			nunits;
	int			current;		/* the next one whose sync is to come */
	int			answers;		/* of batch_done() that have come */
	HitQueue	each;			/* hits to be done one by one */
	int64_t		paused_until;
	int64_t		started;		/* the unit under way */
	Facts	   *facts;			/* being read */
} Lane;

static const Config *config;
static Lane *lanes;
static int	nlanes;
static HitQueue queue;			/* live hits */
static HitQueue waiting;		/* hits that wait for a lock */
static HitQueue documents;
static HitQueue to_spool;		/* hits to be written to the spool in this
								 * round */
static bool has_spool;
static uint64_t waiting_keys[WAITING_BUCKETS];	/* how many of them have such
												 * a key */
static uint64_t busy_keys[WAITING_BUCKETS]; /* likewise of those under way */
static uint64_t queue_size;		/* bytes of all that was submitted and is not
								 * done */
static int64_t waiting_at;		/* when they are tried again */
static int64_t facts_at;		/* when the settings are read again */
static Facts *facts;
static void (*on_facts) (const Facts *facts);
static Timer tick_timer;

/*
 * ---- Queues ----
 */

static void
push(HitQueue *q, Hit *hit)
{
	if (q->first == NULL)
		q->last = &q->first;
	hit->next = NULL;
	*q->last = hit;
	q->last = &hit->next;
	q->n++;
}

static Hit *
pop(HitQueue *q)
{
	Hit		   *hit = q->first;

	if (hit != NULL)
	{
		q->first = hit->next;
		q->n--;
	}
	return hit;
}

/* Puts hits, in their order, before those of the queue. */
static void
push_front(HitQueue *q, Hit **hits, int n)
{
	for (int i = n - 1; i >= 0; i--)
	{
		if (hits[i] == NULL)
			continue;
		hits[i]->next = q->first;
		if (q->first == NULL)
			q->last = &hits[i]->next;
		q->first = hits[i];
		q->n++;
	}
}

static size_t
bucket(const Hit *hit)
{
	return (hit->key ^ (uint64_t) hit->site * 31) % WAITING_BUCKETS;
}

static uint64_t *
waiting_key(const Hit *hit)
{
	return &waiting_keys[bucket(hit)];
}

static bool
same_visitor(const Hit *a, const Hit *b)
{
	return a->site == b->site && a->key == b->key;
}

static size_t
hit_size(const Hit *hit)
{
	return sizeof(Hit) + strlen(hit->query) +
		(hit->headers != NULL ? strlen(hit->headers) : 0) +
		(hit->user_agent != NULL ? strlen(hit->user_agent) : 0);
}

/* The end of a hit, whose result is set. */
static void
finish(Hit *hit, HitOutcome outcome)
{
	hit->result.outcome = outcome;
	metrics.queue--;
	queue_size -= hit_size(hit);
	switch (outcome)
	{
		case HIT_RECORDED:
		case HIT_COMMITTED:
			metrics.recorded++;
			break;
		case HIT_IGNORED:
			metrics.ignored++;
			break;
		case HIT_EXCLUDED:
			metrics.excluded++;
			break;
		case HIT_INVALID:
			metrics.invalid++;
			break;
		case HIT_ANSWERED:
			metrics.documents++;
			break;
		case HIT_SPOOLED:
			metrics.spooled++;
			break;
		case HIT_PENDING:
		case HIT_UNAVAILABLE:
			metrics.unavailable++;
			break;
		case HIT_FAILED:
			metrics.failed++;
			break;
	}
	hit->done(hit);
}

static void
push_waiting(Hit *hit)
{
	push(&waiting, hit);
	(*waiting_key(hit))++;
}

void
batch_submit(Hit *hit)
{
	static uint64_t serial;

	/* the clock may be set back; this order stays */
	hit->serial = ++serial;
	metrics.queue++;
	queue_size += hit_size(hit);
	hit->deadline = loop_now() + config->answer_timeout;
	hit->result.outcome = HIT_PENDING;
	if (metrics.queue > (uint64_t) config->queue_max ||
		queue_size > (uint64_t) config->queue_max_size)
	{
		log_line(LOG_LEVEL_WARNING, LOG_QUEUE_FULL,
				 "queue is full: requests are answered with status 503");
		finish(hit, HIT_UNAVAILABLE);
	}
	else if (has_spool && drain_is_busy())
		push(&to_spool, hit);
	else if (hit->is_document)
		push(&documents, hit);
	else if (*waiting_key(hit) > 0)
		push_waiting(hit);
	else
		push(&queue, hit);
}

/*
 * ---- Sending ----
 */

/* Begins a job of so many units. */
static Unit *
begin_job(Lane *lane, int nunits)
{
	lane->units = must_alloc((size_t) nunits * sizeof(Unit));
	lane->nunits = nunits;
	lane->current = 0;
	lane->state = LANE_WORKING;
	lane->started = loop_now();
	return lane->units;
}

static void
send_unit(Lane *lane, Unit *unit, Hit **hits, int n)
{
	unit->number = ++lane->number;
	unit->n = n;
	unit->hits = must_alloc((size_t) n * sizeof(Hit *));
	memcpy(unit->hits, hits, (size_t) n * sizeof(Hit *));
	snprintf(unit->daemon, sizeof(unit->daemon), "%s", lane->daemon);
	send_number(lane->link, unit->daemon, unit->number, lane->session);
	for (int i = 0; i < n; i++)
	{
		memset(&hits[i]->result, 0, sizeof(HitResult));
		busy_keys[bucket(hits[i])] += !hits[i]->is_document;
		/* one that is sent at once has the time of the server */
		send_hit(lane->link, hits[i], hits[i]->tries > 0);
		hits[i]->tries++;
	}
	link_sync(lane->link);
}

static void
end_job(Lane *lane)
{
	for (int i = 0; i < lane->nunits; i++)
		free(lane->units[i].hits);
	free(lane->units);
	lane->units = NULL;
	lane->nunits = lane->current = lane->answers = 0;
	lane->state = LANE_FREE;
}

/* Site, then visitor; hits of one visitor stay in the order in which they came. */
static int
compare_hits(const void *a, const void *b)
{
	const Hit  *x = *(Hit *const *) a;
	const Hit  *y = *(Hit *const *) b;

	if (x->site != y->site)
		return x->site < y->site ? -1 : 1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->serial > y->serial) - (x->serial < y->serial);
}

/*
 * Takes what has come as one unit.  A hit whose visitor has one under way on another
 * connection would wait for its commit, and all others with it: it stays.
 */
static void
send_batch(Lane *lane)
{
	HitQueue	rest = {0};
	Hit		  **hits = must_alloc((size_t) config->batch_max * sizeof(Hit *));
	int			n = 0;

	while (n < config->batch_max && queue.first != NULL)
	{
		Hit		   *hit = pop(&queue);

		if (*waiting_key(hit) > 0)
			push_waiting(hit);
		else if (busy_keys[bucket(hit)] > 0)
			push(&rest, hit);
		else
			hits[n++] = hit;
	}
	if (rest.first != NULL)
	{
		*rest.last = queue.first;
		rest.n += queue.n;
		if (queue.first == NULL)
			queue.last = rest.last;
		queue.first = rest.first;
		queue.n = rest.n;
	}
	if (n > 0)
	{
		qsort(hits, (size_t) n, sizeof(Hit *), compare_hits);
		metrics.batches++;
		metrics.batch_hits += (uint64_t) n;
		metrics_observe_batch(n);
		send_unit(lane, begin_job(lane, 1), hits, n);
	}
	free(hits);
}

/* Takes hits one by one: each a unit, all pipelined. */
static void
send_each(Lane *lane, HitQueue *q)
{
	int			n = (int) (q->n < (uint64_t) config->batch_max ? q->n :
						   (uint64_t) config->batch_max);
	Unit	   *units = begin_job(lane, n);

	for (int i = 0; i < n; i++)
	{
		Hit		   *hit = pop(q);

		send_unit(lane, &units[i], &hit, 1);
	}
}

/* Takes the first hit of each visitor that waits. */
static void
send_waiting(Lane *lane)
{
	HitQueue	chosen = {0};
	HitQueue	rest = {0};
	Hit		   *hit;

	while ((hit = pop(&waiting)) != NULL)
	{
		bool		first = chosen.n < (uint64_t) config->batch_max;

		for (Hit *other = chosen.first; other != NULL && first; other = other->next)
			first = !same_visitor(hit, other);
		push(first ? &chosen : &rest, hit);
		if (first)
			(*waiting_key(hit))--;
	}
	waiting = rest;
	if (waiting.first == NULL)
		waiting.last = &waiting.first;

	/* those under way still keep later hits of their visitors here */
	for (hit = chosen.first; hit != NULL; hit = hit->next)
		(*waiting_key(hit))++;
	send_each(lane, &chosen);
}

static void
read_facts(Lane *lane)
{
	lane->state = LANE_READING;
	lane->started = loop_now();
	lane->facts = facts_create(false);
	send_settings(lane->link);
	link_sync(lane->link);
}

/* Asks of each unit in doubt whether it was committed. */
static void
ask(Lane *lane)
{
	lane->state = LANE_ASKING;
	lane->started = loop_now();
	lane->answers = 0;
	for (int i = lane->current; i < lane->nunits; i++)
		send_question(lane->link, lane->units[i].daemon, lane->units[i].number, lane->session);
	link_sync(lane->link);
}

/* Gives a lane that is free something to do. */
static void
next_job(Lane *lane)
{
	if (lane->state != LANE_FREE || !link_is_idle(lane->link) || lane->paused_until > loop_now())
		return;
	if (lane->current < lane->nunits)
		ask(lane);
	else if (lane->each.first != NULL)
		send_each(lane, &lane->each);
	else if (lane->kind == LANE_BATCH && queue.first != NULL)
		send_batch(lane);
	else if (lane->kind == LANE_WAIT && facts_at <= loop_now())
		read_facts(lane);
	else if (lane->kind == LANE_WAIT && waiting.first != NULL && waiting_at <= loop_now())
		send_waiting(lane);
	else if (lane->kind == LANE_DOCUMENT && documents.first != NULL)
	{
		Hit		   *hit = pop(&documents);

		send_unit(lane, begin_job(lane, 1), &hit, 1);
	}
}

/*
 * ---- Results ----
 */

static void
on_result(void *owner, const PGresult *result)
{
	Lane	   *lane = owner;
	ExecStatusType status = PQresultStatus(result);
	const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	Unit	   *unit;

	if (lane->state == LANE_READING)
	{
		if (status != PGRES_TUPLES_OK)
		{
			log_line(LOG_LEVEL_ERROR, LOG_BATCH_FAILED,
					 "could not read the settings of tracking (SQLSTATE %s)",
					 sqlstate != NULL ? sqlstate : "unknown");
			facts_free(lane->facts);
			lane->facts = NULL;
			return;
		}
		for (int i = 0; i < PQntuples(result); i++)
			facts_add(lane->facts, PQgetvalue(result, i, 0), PQgetvalue(result, i, 1));
		return;
	}
	if (lane->state == LANE_ASKING)
	{
		if (status == PGRES_TUPLES_OK && lane->current + lane->answers < lane->nunits)
			lane->units[lane->current + lane->answers++].committed =
				PQgetvalue(result, 0, 0)[0] == 't';
		return;
	}
	if (lane->current >= lane->nunits)
		return;
	unit = &lane->units[lane->current];
	if (status == PGRES_FATAL_ERROR && !unit->failed)
	{
		unit->failed = true;
		snprintf(unit->sqlstate, sizeof(unit->sqlstate), "%s", sqlstate != NULL ? sqlstate : "");
	}
	else if (status == PGRES_TUPLES_OK && unit->results > 0 && unit->results <= unit->n)
		read_row(unit->hits[unit->results - 1], result);
	unit->results++;
}

/* A hit is to be sent again, alone. */
static void
send_again(Lane *lane, Hit *hit)
{
	if (hit->is_document)
		push(&documents, hit);
	else if (lane->kind == LANE_WAIT)
		push_waiting(hit);
	else
		push(&lane->each, hit);
}

/* A unit of one hit has failed. */
static void
hit_failed(Lane *lane, Hit *hit, const char *sqlstate)
{
	switch (fate_of(hit, sqlstate))
	{
		case FATE_WAIT:
			metrics.waits++;
			hit->blocked = true;

			/*
			 * it is sent again at once, and no tick would find it in the
			 * queue
			 */
			if (hit->is_document && hit->deadline <= loop_now())
				finish(hit, HIT_UNAVAILABLE);
			else if (hit->is_document)
				push(&documents, hit);
			else
				push_waiting(hit);
			break;
		case FATE_AWAY:
			refused(sqlstate);
			send_again(lane, hit);
			lane->paused_until = loop_now() + PAUSE_AFTER_ERROR;
			break;
		case FATE_CLIENT:
			finish(hit, HIT_INVALID);
			break;
		case FATE_CANCELLED:
			if (++hit->lost < LOST_MAX)
			{
				send_again(lane, hit);
				break;
			}
			/* FALLTHROUGH */
		case FATE_FAIL:
			log_line(LOG_LEVEL_ERROR, LOG_HIT_FAILED,
					 "a hit cannot be recorded (SQLSTATE %s)", sqlstate);
			finish(hit, HIT_FAILED);
			break;
	}
}

static void
unit_failed(Lane *lane, Unit *unit)
{
	if (unit->n == 1)
	{
		hit_failed(lane, unit->hits[0], unit->sqlstate);
		return;
	}
	metrics.batch_failures++;
	if (fate_of(unit->hits[0], unit->sqlstate) == FATE_AWAY)
	{
		refused(unit->sqlstate);
		push_front(&queue, unit->hits, unit->n);
		lane->paused_until = loop_now() + PAUSE_AFTER_ERROR;
		return;
	}
	for (int i = 0; i < unit->n; i++)
		push(&lane->each, unit->hits[i]);
}

/* A hit is no longer under way. */
static void
release(const Lane *lane, const Hit *hit)
{
	busy_keys[bucket(hit)] -= !hit->is_document;
	/* of the wait lane it kept others of its visitor behind it */
	if (lane->kind == LANE_WAIT)
		(*waiting_key(hit))--;
}

static void
release_unit(const Lane *lane, const Unit *unit)
{
	for (int i = 0; i < unit->n; i++)
	{
		if (unit->hits[i] != NULL)
			release(lane, unit->hits[i]);
	}
}

static void
unit_committed(Unit *unit)
{
	metrics.database_refuses = 0;
	for (int i = 0; i < unit->n; i++)
	{
		Hit		   *hit = unit->hits[i];

		if (hit != NULL)
			finish(hit, hit->result.outcome != HIT_PENDING ? hit->result.outcome : HIT_COMMITTED);
	}
}

/* The answers of batch_done() are there. */
static void
settle(Lane *lane)
{
	int			first = lane->current;

	if (first + lane->answers < lane->nunits)
	{
		/* it could not be asked: once more, on this connection or the next */
		lane->state = LANE_FREE;
		lane->paused_until = loop_now() + PAUSE_AFTER_ERROR;
		return;
	}
	for (int i = first; i < lane->nunits; i++)
	{
		Unit	   *unit = &lane->units[i];

		release_unit(lane, unit);
		if (unit->committed)
		{
			unit_committed(unit);
			continue;
		}
		for (int j = 0; j < unit->n; j++)
		{
			Hit		   *hit = unit->hits[j];

			if (hit == NULL)
				continue;
			hit->result.outcome = HIT_PENDING;
			/* only what the server was at can have broken it */
			if (i == first && ++hit->lost >= LOST_MAX && unit->n == 1)
			{
				log_line(LOG_LEVEL_ERROR, LOG_HIT_FAILED,
						 "a hit was given up: %d connections were lost while it was recorded",
						 hit->lost);
				finish(hit, HIT_FAILED);
			}
			else
				send_again(lane, hit);
		}
	}
	end_job(lane);
}

static void
on_synced(void *owner)
{
	Lane	   *lane = owner;

	switch (lane->state)
	{
		case LANE_READING:
			if (lane->facts != NULL)
			{
				facts_complete(lane->facts);
				if (config->spool_directory[0] != '\0')
					facts_save(lane->facts, config->spool_directory);
				facts_free(facts);
				facts = lane->facts;
				lane->facts = NULL;
				on_facts(facts);
			}
			facts_at = loop_now() + (facts->known ? config->settings_interval : PAUSE_AFTER_ERROR);
			lane->state = LANE_FREE;
			break;
		case LANE_ASKING:
			settle(lane);
			break;
		case LANE_WORKING:
			{
				Unit	   *unit = &lane->units[lane->current++];

				release_unit(lane, unit);
				if (unit->failed)
					unit_failed(lane, unit);
				else
					unit_committed(unit);
				/* the time that it may take is that of a unit */
				lane->started = loop_now();
				if (lane->current < lane->nunits)
					return;
				if (lane->kind == LANE_WAIT)
					waiting_at = loop_now() + TICK;
				end_job(lane);
			}
			break;
		case LANE_AWAY:
		case LANE_FREE:
			break;
	}
	next_job(lane);
}

static void
on_ready(void *owner)
{
	Lane	   *lane = owner;

	make_uuid(lane->daemon);
	make_uuid(lane->session);
	lane->state = LANE_FREE;
	lane->paused_until = 0;
	if (lane->kind == LANE_WAIT)
		facts_at = 0;
	next_job(lane);
}

static void
on_lost(void *owner)
{
	Lane	   *lane = owner;

	lane->state = LANE_AWAY;
	facts_free(lane->facts);
	lane->facts = NULL;

	/* an error that the server sent last says nothing of a commit */
	for (int i = lane->current; i < lane->nunits; i++)
	{
		lane->units[i].failed = false;
		lane->units[i].results = 0;
	}
}

/*
 * ---- Time ----
 */

/* The end of a hit's time in memory: the spool takes it, or it is given up. */
static void
time_is_over(Hit *hit)
{
	/* in the spool it would keep all others waiting */
	if (has_spool && !hit->blocked)
		push(&to_spool, hit);
	else
		finish(hit, HIT_UNAVAILABLE);
}

/* When a hit that waits for PostgreSQL, and not for a lock, goes to the spool. */
static bool
is_over(const Hit *hit)
{
	return loop_now() >= hit->deadline -
		(has_spool && !hit->blocked && config->answer_timeout > config->spool_after ?
		 config->answer_timeout - config->spool_after : 0);
}

/* Takes hits out of a queue whose time is over. */
static void
expire(HitQueue *q)
{
	HitQueue	rest = {0};
	Hit		   *hit;

	while ((hit = pop(q)) != NULL)
	{
		if (!is_over(hit))
			push(&rest, hit);
		else
			time_is_over(hit);
	}
	*q = rest;
	if (q->first == NULL)
		q->last = &q->first;
}

/*
 * Hits that wait for a lock: in the spool they would keep all others waiting.
 */
static void
expire_waiting(void)
{
	HitQueue	rest = {0};
	Hit		   *hit;

	while ((hit = pop(&waiting)) != NULL)
	{
		if (hit->deadline > loop_now())
		{
			push(&rest, hit);
			continue;
		}
		(*waiting_key(hit))--;
		finish(hit, HIT_UNAVAILABLE);
	}
	waiting = rest;
	if (waiting.first == NULL)
		waiting.last = &waiting.first;
}

/*
 * Hits in doubt: whether they are recorded will not be known in time.  The spool
 * will ask.
 */
static void
expire_in_doubt(Lane *lane)
{
	for (int i = lane->current; i < lane->nunits; i++)
	{
		Unit	   *unit = &lane->units[i];

		for (int j = 0; j < unit->n; j++)
		{
			Hit		   *hit = unit->hits[j];

			if (hit == NULL || !is_over(hit))
				continue;
			release(lane, hit);
			unit->hits[j] = NULL;
			hit->doubt_daemon = pool_strdup(hit->pool, unit->daemon);
			hit->doubt_number = unit->number;
			time_is_over(hit);
		}
	}
}

/* Can a hit be answered before it is recorded?  Not if it is wrong for sure. */
static bool
is_plausible(Hit *hit)
{
	if (hit->is_document || !facts->known || facts_site(facts, hit->site) != NULL)
		return true;
	hit->result.reason = "idsite";
	return false;
}

/* Writes what goes to the spool, and answers it: once a round, for one sync. */
static void
write_spool(void)
{
	HitQueue	added = {0};
	size_t		kept;
	Hit		   *hit;

	if (to_spool.first == NULL)
		return;
	while ((hit = pop(&to_spool)) != NULL)
	{
		memset(&hit->result, 0, sizeof(HitResult));
		if (!is_plausible(hit))
			finish(hit, HIT_INVALID);
		else if (drain_add(hit))
			push(&added, hit);
		else
			finish(hit, HIT_UNAVAILABLE);
	}
	kept = drain_sync();
	while ((hit = pop(&added)) != NULL)
	{
		finish(hit, kept > 0 ? HIT_SPOOLED : HIT_UNAVAILABLE);
		kept -= kept > 0;
	}
}

static void
tick(void *context)
{
	(void) context;
	expire(&queue);
	expire_waiting();
	expire(&documents);
	for (int i = 0; i < nlanes; i++)
	{
		Lane	   *lane = &lanes[i];
		int64_t		limit = lane->kind == LANE_DOCUMENT ? DOCUMENT_TIMEOUT : config->answer_timeout;

		expire(&lane->each);
		if (lane->state == LANE_AWAY || (lane->state == LANE_FREE && lane->nunits > 0))
			expire_in_doubt(lane);
		else if (lane->state != LANE_FREE && loop_now() - lane->started > limit)
			link_drop(lane->link, "PostgreSQL does not answer in time");
		next_job(lane);
	}
	write_spool();
	tick_timer.at = loop_now() + TICK;
}

void
batch_prepare(void)
{
	write_spool();
	if (queue.first == NULL && documents.first == NULL)
		return;
	for (int i = 0; i < nlanes; i++)
		next_job(&lanes[i]);
}

/*
 * ---- Life ----
 */

void
batch_start(const Config *new_config, void (*new_on_facts) (const Facts *facts))
{
	static const LinkEvents events = {on_ready, on_result, on_synced, on_lost};

	config = new_config;
	on_facts = new_on_facts;
	if (config->spool_directory[0] != '\0')
		facts = facts_load(config->spool_directory);
	if (facts == NULL)
		facts = facts_create(true);
	has_spool = drain_start(config);
	nlanes = (int) config->connections + 2;
	lanes = must_alloc((size_t) nlanes * sizeof(Lane));
	for (int i = 0; i < nlanes; i++)
	{
		Lane	   *lane = &lanes[i];
		LinkOptions options = {
			.database = config->database,.lock_timeout = config->lock_timeout,
			.statements = edge_statements,.nstatements = edge_statement_count,
			.events = &events,.owner = lane
		};

		lane->kind = i == 0 ? LANE_WAIT : i == 1 ? LANE_DOCUMENT : LANE_BATCH;
		lane->link = link_create(&options);
	}
	tick_timer.callback = tick;
	tick_timer.at = loop_now() + TICK;
	loop_add_timer(&tick_timer);
}

const Facts *
batch_facts(void)
{
	return facts;
}

bool
batch_is_connected(void)
{
	for (int i = 0; i < nlanes; i++)
	{
		if (lanes[i].kind == LANE_BATCH && link_is_connected(lanes[i].link))
			return true;
	}
	return false;
}

bool
batch_can_take(void)
{
	SpoolStatus status;

	return facts->known && (batch_is_connected() || drain_status(&status));
}

void
batch_count(void)
{
	SpoolStatus status;
	int64_t		age;

	metrics.database_up = batch_is_connected() && !metrics.database_refuses;
	if (!drain_status(&status))
		return;
	age = status.records > 0 ? loop_wall_time() - status.oldest : 0;
	metrics.spool_age = age > 0 ? (uint64_t) age / 1000000 : 0;
	metrics.spool_bytes = status.bytes;
	metrics.spool_records = status.records;
	metrics.spool_kept = status.kept;
	metrics.spool_refused = status.refused;
	metrics.spool_lost_key = status.lost;
	metrics.spool_lost_damage = status.damaged;
	metrics.spool_lost_age = status.expired;
}

bool
batch_is_empty(void)
{
	return metrics.queue == 0;
}

void
batch_stop(void)
{
	for (int i = 0; i < nlanes; i++)
		link_free(lanes[i].link);
	drain_stop();
}
