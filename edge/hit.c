/*
 * hit.c
 *		A hit, or a document of hits, on its way to PostgreSQL.
 */
#include <stdlib.h>
#include <string.h>

#include "hit.h"

/* The first byte of a record in the spool. */
#define RECORD_VERSION 1

/* The length of a text that is NULL. */
#define NO_TEXT UINT32_MAX

/* FNV-1a: only equal ids must give equal keys. */
static uint64_t
hash(uint64_t seed, const char *str)
{
	uint64_t	h = seed ^ UINT64_C(0xcbf29ce484222325);

	for (; str != NULL && *str != '\0'; str++)
		h = (h ^ (unsigned char) *str) * UINT64_C(0x100000001b3);
	return h;
}

/* The key is made of the id that its visitor is recognised by first. */
void
hit_set_key(Hit *hit)
{
	static const char *const ids[] = {"uid", "cid", "_id"};
	char		value[128];

	if (query_value(hit->query, "idsite", value, sizeof(value)))
		hit->site = (int) strtol(value, NULL, 10);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
	{
		if (query_value(hit->query, ids[i], value, sizeof(value)) && value[0] != '\0')
		{
			/* cid and _id are the same id */
			hit->key = hash(i == 0, value);
			explicit_bzero(value, sizeof(value));
			return;
		}
	}
	hit->key = hash(hash(2, hit->ip), hit->user_agent);
	if (hit->ip == NULL || hit->ip[0] == '\0')
		hit->key = hash(hit->key, hit->headers);
}

int
hit_count(const Hit *hit)
{
	return hit->is_document ? json_count(hit->query, "requests") : 1;
}

static void
add_text(Text *record, const char *str)
{
	size_t		len = str != NULL ? strlen(str) : 0;
	uint32_t	n = str != NULL ? (uint32_t) len : NO_TEXT;

	text_add(record, &n, sizeof(n));
	text_add(record, str, len);
}

/*
 * A version, a flag, the number of the batch in doubt, and six texts, each behind
 * its length.  The bytes stay on this machine: numbers are in its order.
 */
void
hit_encode(const Hit *hit, Text *record)
{
	text_add_char(record, RECORD_VERSION);
	text_add_char(record, hit->is_document);
	text_add(record, &hit->doubt_number, sizeof(hit->doubt_number));
	add_text(record, hit->query);
	add_text(record, hit->ip);
	add_text(record, hit->user_agent);
	add_text(record, hit->accept_language);
	add_text(record, hit->headers);
	add_text(record, hit->doubt_daemon);
}

/* Reads a text at *p, which is moved behind it. */
static bool
read_text(Pool *pool, const char **p, const char *end, const char **str)
{
	uint32_t	n;

	if ((size_t) (end - *p) < sizeof(n))
		return false;
	memcpy(&n, *p, sizeof(n));
	*p += sizeof(n);
	*str = NULL;
	if (n == NO_TEXT)
		return true;
	if ((size_t) (end - *p) < n)
		return false;
	*str = pool_strndup(pool, *p, n);
	*p += n;
	return true;
}

Hit *
hit_decode(const void *record, size_t size)
{
	const char *p = record;
	const char *end = p + size;
	Pool	   *pool;
	Hit		   *hit;

	if (size < 2 + sizeof(int64_t) || p[0] != RECORD_VERSION || (p[1] & ~1) != 0)
		return NULL;
	pool = pool_create();
	hit = pool_alloc(pool, sizeof(Hit));
	memset(hit, 0, sizeof(Hit));
	hit->pool = pool;
	hit->is_document = p[1] != 0;
	memcpy(&hit->doubt_number, p + 2, sizeof(hit->doubt_number));
	p += 2 + sizeof(hit->doubt_number);
	if (!read_text(pool, &p, end, &hit->query) || hit->query == NULL ||
		!read_text(pool, &p, end, &hit->ip) ||
		!read_text(pool, &p, end, &hit->user_agent) ||
		!read_text(pool, &p, end, &hit->accept_language) ||
		!read_text(pool, &p, end, &hit->headers) ||
		!read_text(pool, &p, end, &hit->doubt_daemon) || p != end)
	{
		pool_free(pool);
		return NULL;
	}
	if (!hit->is_document)
		hit_set_key(hit);
	return hit;
}
