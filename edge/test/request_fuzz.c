/*
 * request_fuzz.c
 *		libFuzzer target: what an HTTP request asks for, the spool's form of its
 *		hit, and what it is answered.
 *
 *   edge/test/run --fuzz 60 request
 *
 * modules: request hit answer optout facts peers text
 * libraries: libcrypto
 *
 * An input is "METHOD target", lines of headers, an empty line, and a body.  What
 * must hold: a hit's texts are ASCII or UTF-8, so that PostgreSQL takes them; its
 * headers are one JSON object; a hit that went through the spool is the same; no
 * header of an answer has a line break.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../answer.h"
#include "../optout.h"
#include "../peers.h"
#include "../request.h"

#define HEADERS 30

int			LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);

static void
check(bool good, const char *what)
{
	if (!good)
	{
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static bool
is_utf8(const char *str)
{
	for (size_t len = str != NULL ? strlen(str) : 0; len > 0;)
	{
		size_t		n = utf8_length(str, len);

		if (n == 0)
			return false;
		str += n;
		len -= n;
	}
	return true;
}

static bool
is_ascii(const char *str)
{
	for (; *str != '\0'; str++)
	{
		if (*str <= ' ' || *str > '~')
			return false;
	}
	return true;
}

static bool
same(const char *a, const char *b)
{
	return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

static void
check_answer(const Answer *answer)
{
	check(answer->status >= 200 && answer->status < 600, "a status that is none");
	for (int i = 0; i < answer->nheaders; i++)
		check(strpbrk(answer->headers[i].value, "\r\n") == NULL, "a header with a line break");
}

static void
check_hit(const Request *request)
{
	Hit		   *hit = request->hit;
	Text		record = {0};
	Hit		   *copy;

	check(hit->is_document ? is_utf8(hit->query) : is_ascii(hit->query), "query string");
	check(is_utf8(hit->user_agent) && is_utf8(hit->accept_language), "text that is not UTF-8");
	check(is_utf8(hit->headers), "headers that are not UTF-8");
	check(hit->headers == NULL || hit->headers[0] == '{', "headers that are no object");
	hit->doubt_number = 7;
	hit_encode(hit, &record);
	copy = hit_decode(record.data, record.len);
	check(copy != NULL, "a record that cannot be read");
	check(same(hit->query, copy->query) && same(hit->ip, copy->ip) &&
		  same(hit->user_agent, copy->user_agent) && same(hit->headers, copy->headers) &&
		  same(hit->accept_language, copy->accept_language) && hit->site == copy->site &&
		  hit->key == copy->key && hit->is_document == copy->is_document &&
		  copy->doubt_number == 7, "a record that is another hit");
	pool_free(copy->pool);
	/* what is cut is no record */
	for (size_t len = 0; len < record.len; len += record.len / 16 + 1)
		check(hit_decode(record.data, len) == NULL, "a part of a record");
	text_free(&record);
	check(hit_count(hit) >= 0, "a number of hits");
	for (int outcome = HIT_PENDING; outcome <= HIT_FAILED; outcome++)
	{
		HitResult	result = {
			.outcome = (HitOutcome) outcome,.reason = "do_not_track",.cookie_name = "_pk_uid",
			.cookie_value = "0123456789abcdef",.cookie_max_age = 7,
			.delete_cookies = "{a,\"b\\\"c\"}",.document = "{\"status\": \"success\"}"
		};
		Answer		answer;

		answer_hit(request, &result, &answer);
		check_answer(&answer);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	static Facts *facts;
	Pool	   *pool = pool_create();
	char	   *copy = pool_strndup(pool, (const char *) input, size);
	char	   *end = copy + size;
	RequestHeader headers[HEADERS];
	RawRequest	raw = {.method = copy,.headers = headers,.target = "/",.body = ""};
	char	   *line;
	char	   *next;
	Request    *request;
	Answer		answer;
	Peer		peer;

	if (facts == NULL)
	{
		facts = facts_create(true);
		facts_add(facts, "proxy_header", "x-forwarded-for");
		facts_add(facts, "proxy_header", "forwarded");
		facts_add(facts, "site", "1");
		facts_complete(facts);
	}
	next = memchr(copy, '\n', size);
	if (next != NULL)
		*next++ = '\0';
	line = strchr(copy, ' ');
	if (line != NULL)
	{
		*line = '\0';
		raw.target = line + 1;
	}
	while (next != NULL && next < end)
	{
		char	   *colon;

		line = next;
		next = memchr(line, '\n', (size_t) (end - line));
		if (next != NULL)
			*next++ = '\0';
		if (*line == '\0')
			break;
		colon = strchr(line, ':');
		if (colon == NULL || raw.nheaders == HEADERS)
			continue;
		*colon = '\0';
		headers[raw.nheaders++] = (RequestHeader)
		{
			line, colon + 1 + strspn(colon + 1, " ")
		};
	}
	if (next != NULL && next < end)
	{
		raw.body = next;
		raw.body_len = (size_t) (end - next);
	}
	raw.trusted = size % 2;
	raw.peer = size % 3 ? "192.0.2.7" : "";
	for (int i = 0; i < raw.nheaders; i++)
	{
		/* as libmicrohttpd hands them on */
		if (strpbrk(headers[i].value, "\r\n") != NULL)
			headers[i].value = "";
		(void) peer_parse(headers[i].value, strlen(headers[i].value), &peer);
	}

	request = request_read(pool, &raw, facts);
	if (request->hit != NULL)
		check_hit(request);
	else if (request->kind == REQUEST_OPT_OUT || request->kind == REQUEST_OPT_OUT_SCRIPT)
	{
		optout_answer(request, facts, &answer);
		check_answer(&answer);
	}
	else
	{
		answer_other(request, &answer);
		check_answer(&answer);
	}
	pool_free(pool);
	return 0;
}
