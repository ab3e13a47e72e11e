/*
 * query.c
 *		Fuzz target: a tracking URL, as a web server hands it over.
 *
 * The first byte chooses the configuration, the second says what else the
 * connection tells; the rest is the URL.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "request/tracking_api.h"

#include "harness.h"

void
fuzz_begin(void)
{
	(void) fuzz_config(0);
}

bool
fuzz_may_raise(int sqlerrcode)
{
	(void) sqlerrcode;
	return false;
}

void
fuzz_one(const uint8_t *data, size_t len)
{
	Hit		   *hit;
	char	   *query;
	int32		idsite;

	if (len < 2)
		return;
	query = palloc(len - 2);
	memcpy(query, data + 2, len - 2);
	hit = hit_create();
	hit->at = (TimestampTz) 8 * 365 * 86400 * USECS_PER_SEC;
	hit->trusted = data[1] & 1;
	hit->in_bulk = data[1] & 2;
	hit->raw = data[1] & 4;
	MUST(ip_parse(data[1] & 8 ? "2001:db8::7" : "203.0.113.9", 11, &hit->ip));
	if (data[1] & 16)
		hit->user_agent = pstrdup("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0");
	if (data[1] & 32)
		hit->cookie_header = pstrdup("_pk_uid=0123456789abcdef; matomo_ignore=*");

	tracking_api_read_query(hit, query, len - 2);
	idsite = tracking_api_query_site(query, len - 2);
	MUST(idsite == hit->idsite);
	/* a hit of a site that is there */
	hit->idsite = data[0] % n_configs + 1;
	fuzz_hit(hit);
}
