/*
 * statement.h
 *		The SQL that the daemon sends, and what errors mean.
 */
#ifndef EDGE_STATEMENT_H
#define EDGE_STATEMENT_H

#include "database.h"
#include "hit.h"

#define UUID_LEN 36

/* What each link prepares. */
extern const LinkStatement edge_statements[];
extern const int edge_statement_count;

/* A random uuid. */
extern void make_uuid(char uuid[UUID_LEN + 1]);

/* A uuid of 16 bytes as text. */
extern void format_uuid(const unsigned char bytes[16], char uuid[UUID_LEN + 1]);

/* track_batch() and batch_done() */
extern void send_number(Link *link, const char *daemon, int64_t number, const char *session);
extern void send_question(Link *link, const char *daemon, int64_t number, const char *session);

/* edge_settings() */
extern void send_settings(Link *link);

/* track_request() or track_requests_answer(); with_time: pass the time of arrival. */
extern void send_hit(Link *link, const Hit *hit, bool with_time);

/* Sets a hit's result from its row, which counts when the transaction is committed. */
extern void read_row(Hit *hit, const PGresult *result);

typedef enum Fate
{
	FATE_WAIT,					/* a lock: try it again */
	FATE_AWAY,					/* PostgreSQL takes nothing now */
	FATE_CANCELLED,				/* it took too long: others may not */
	FATE_CLIENT,				/* a document that is none: its client's
								 * mistake */
	FATE_FAIL					/* this hit cannot be recorded */
} Fate;

/* What the failure of a hit means, by its SQLSTATE. */
extern Fate fate_of(const Hit *hit, const char *sqlstate);

/* PostgreSQL takes nothing now: FATE_AWAY.  Logged, and counted as not up. */
extern void refused(const char *sqlstate);

#endif
