/*
 * statement.c
 *		The SQL that the daemon sends, and what errors mean.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "log.h"
#include "metrics.h"
#include "statement.h"

const LinkStatement edge_statements[] = {
	{"number", "SELECT pk_tracking.track_batch($1, $2, $3)"},
	{"done", "SELECT pk_tracking.batch_done($1, $2, $3)"},
	{"settings", "SELECT name, value FROM pk_tracking.edge_settings()"},
	{"hit", "SELECT outcome, outcome_reason, cookie_name, cookie_value, cookie_max_age,"
		" delete_cookies FROM pk_tracking.track_request(query => $1, ip => $2, user_agent => $3,"
	" accept_language => $4, at => $5, headers => $6)"},
	{"document", "SELECT pk_tracking.track_requests_answer(document => $1, ip => $2,"
	" user_agent => $3, accept_language => $4, at => $5, headers => $6)"},
};

const int	edge_statement_count = sizeof(edge_statements) / sizeof(edge_statements[0]);

void
format_uuid(const unsigned char b[16], char uuid[UUID_LEN + 1])
{
	snprintf(uuid, UUID_LEN + 1,
			 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
			 b[13], b[14], b[15]);
}

void
make_uuid(char uuid[UUID_LEN + 1])
{
	unsigned char b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		fail("could not get random numbers");
	/* version 4 */
	b[6] = (unsigned char) ((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char) ((b[8] & 0x3f) | 0x80);
	format_uuid(b, uuid);
}

static void
send_about_batch(Link *link, const char *statement, const char *daemon, int64_t number,
				 const char *session)
{
	char		digits[24];
	const char *values[3] = {daemon, digits, session};

	snprintf(digits, sizeof(digits), "%" PRId64, number);
	link_send(link, statement, 3, values, NULL, NULL);
}

void
send_number(Link *link, const char *daemon, int64_t number, const char *session)
{
	send_about_batch(link, "number", daemon, number, session);
}

void
send_question(Link *link, const char *daemon, int64_t number, const char *session)
{
	send_about_batch(link, "done", daemon, number, session);
}

void
send_settings(Link *link)
{
	link_send(link, "settings", 0, NULL, NULL, NULL);
}

/* timestamptz in binary: microseconds since 2000. */
static void
put_time(int64_t time, char out[8])
{
	uint64_t	t = (uint64_t) (time - INT64_C(946684800000000));

	for (int i = 7; i >= 0; i--)
	{
		out[i] = (char) (t & 0xff);
		t >>= 8;
	}
}

void
send_hit(Link *link, const Hit *hit, bool with_time)
{
	char		at[8];
	const char *values[6] = {
		hit->query, hit->ip, hit->user_agent, hit->accept_language,
		with_time ? at : NULL, hit->headers
	};
	const int	lengths[6] = {0, 0, 0, 0, sizeof(at), 0};
	const int	formats[6] = {0, 0, 0, 0, 1, 0};

	put_time(hit->arrival, at);
	link_send(link, hit->is_document ? "document" : "hit", 6, values, lengths, formats);
}

Fate
fate_of(const Hit *hit, const char *sqlstate)
{
	static const char *const lock[] = {"40001", "40P01", "55P03"};

	/*
	 * classes: connection, login, resources, the operator's, the system's,
	 * rights …
	 */
	static const char *const away[] = {
		"08", "0A", "25", "28", "3D", "3F", "42", "53", "55", "57", "58", "F0"
	};

	for (size_t i = 0; i < sizeof(lock) / sizeof(lock[0]); i++)
	{
		if (strcmp(sqlstate, lock[i]) == 0)
			return FATE_WAIT;
	}
	if (strcmp(sqlstate, "57014") == 0)
		return FATE_CANCELLED;
	for (size_t i = 0; i < sizeof(away) / sizeof(away[0]); i++)
	{
		if (starts_with(sqlstate, away[i]))
			return FATE_AWAY;
	}
	if (hit->is_document && (starts_with(sqlstate, "22") || starts_with(sqlstate, "54")))
		return FATE_CLIENT;
	return FATE_FAIL;
}

void
refused(const char *sqlstate)
{
	metrics.database_refuses = 1;
	log_line(LOG_LEVEL_ERROR, LOG_BATCH_FAILED, "PostgreSQL cannot take hits now (SQLSTATE %s)",
			 sqlstate);
}

static const char *
column(const PGresult *result, int i, Pool *pool)
{
	return PQgetisnull(result, 0, i) ? NULL : pool_strdup(pool, PQgetvalue(result, 0, i));
}

/* What a hit's row says.  It counts when its unit is committed. */
void
read_row(Hit *hit, const PGresult *result)
{
	static const struct
	{
		const char *word;
		HitOutcome	outcome;
	}			words[] = {
		{"recorded", HIT_RECORDED}, {"ignored", HIT_IGNORED}, {"excluded", HIT_EXCLUDED},
		{"invalid", HIT_INVALID},
	};
	const char *word;

	memset(&hit->result, 0, sizeof(HitResult));
	if (PQntuples(result) != 1)
		return;
	if (hit->is_document)
	{
		hit->result.document = column(result, 0, hit->pool);
		hit->result.outcome = hit->result.document != NULL ? HIT_ANSWERED : HIT_FAILED;
		return;
	}
	word = PQgetvalue(result, 0, 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
	{
		if (strcmp(words[i].word, word) == 0)
			hit->result.outcome = words[i].outcome;
	}
	hit->result.reason = column(result, 1, hit->pool);
	hit->result.cookie_name = column(result, 2, hit->pool);
	hit->result.cookie_value = column(result, 3, hit->pool);
	hit->result.cookie_max_age = PQgetisnull(result, 0, 4) ? 0 : atoi(PQgetvalue(result, 0, 4));
	hit->result.delete_cookies = column(result, 5, hit->pool);
}
