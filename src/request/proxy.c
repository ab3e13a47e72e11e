/*
 * proxy.c
 *		The visitor's address behind proxies.  Rule:
 *		doc/internals.md, "Matomo: exclusions".
 *
 * A client can send any headers.  So only headers that the settings name are
 * read, and by default the last address of a list counts: the nearest proxy
 * wrote it.
 */
#include "postgres.h"

#include "base/text.h"
#include "request/headers.h"
#include "request/proxy.h"
#include "request/tracking_api.h"

/*
 * proxy_rules_create
 *		Rules made from the settings, in the current memory context.  They
 *		point into the settings.
 */
ProxyRules *
proxy_rules_create(const Settings *s)
{
	ProxyRules *rules = palloc0_object(ProxyRules);

	rules->headers = &s->proxy_client_headers;
	rules->proxies = ip_range_set((const char *const *) s->proxy_ips.items, s->proxy_ips.n);
	rules->last = s->proxy_ip_read_last_in_list;
	rules->keep_hidden = s->recognition_rules == RULES_MATOMO;
	return rules;
}

static bool
same_ip(PktIp a, PktIp b)
{
	(void) ip_fold(&a);
	(void) ip_fold(&b);
	return a.len == b.len && memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

/* Does the text contain the word "unknown", in any case? */
static bool
says_unknown(const char *str, size_t len)
{
	for (size_t i = 0; i + 7 <= len; i++)
	{
		if (pg_strncasecmp(str + i, "unknown", 7) == 0)
			return true;
	}
	return false;
}

/* What a header says. */
typedef enum Answer
{
	NOTHING_SAID,				/* it names no address, and hides none */
	ADDRESS_HIDDEN,				/* a proxy has put "unknown" in the place of
								 * the visitor's address */
	ADDRESS_FOUND				/* one that cannot be read counts as no
								 * address (ip->len 0) */
} Answer;

/*
 * The visitor's address in a list of them, as X-Forwarded-For has it.  Of lists,
 * and of lists only, proxies are ignored; if the first address counts, the
 * connection's own (remote) is a proxy too.
 */
static Answer
address_in(const char *value, const ProxyRules *rules, const PktIp *remote, PktIp *ip)
{
	bool		is_list = strchr(value, ',') != NULL;
	Answer		answer = NOTHING_SAID;

	for (;;)
	{
		size_t		len = strcspn(value, ",");
		size_t		blank = strspn(value, " \t");
		PktIp		entry;

		if (blank < len)
		{
			bool		good = ip_parse(value, len, &entry);

			if (!(is_list && good &&
				  (ip_range_set_has(&rules->proxies, &entry) ||
				   (!rules->last && same_ip(entry, *remote)))))
			{
				answer = says_unknown(value, len) ? ADDRESS_HIDDEN : ADDRESS_FOUND;
				*ip = entry;
				if (!rules->last)
					return answer;
			}
		}
		if (value[len] == '\0')
			return answer;
		value += len + 1;
	}
}

/*
 * Set the hit's address to that of a text, as a column or an argument has it: a
 * list may have been copied from a header.  Web servers log "-" where there is
 * nothing.
 */
static void
read_address(Hit *hit, const ProxyRules *rules)
{
	const PktIp none = {0};
	Answer		answer = address_in(hit->address, rules, &none, &hit->ip);

	if (answer != ADDRESS_FOUND)
		hit->ip = none;
	else
		hit->address_bad = hit->ip.len == 0 && strcmp(text_trim(hit->address), "-") != 0;
}

/*
 * proxy_client_ip
 *		Replace the hit's address, that of the connection, by the visitor's, if
 *		a header that the settings name has it.  Where such a header hides it and
 *		no other tells it, the hit has no address: the connection's is a proxy's,
 *		and all of its visitors would be one.  (By Matomo's rules they are.)
 */
void
proxy_client_ip(Hit *hit, const ProxyRules *rules)
{
	bool		hidden = false;

	if (hit->address != NULL)
		read_address(hit, rules);
	if (hit->headers == NULL)
		return;
	for (int i = 0; i < rules->headers->n; i++)
	{
		const char *name = rules->headers->items[i];
		char	   *value = tracking_api_header(hit->headers, name);
		PktIp		ip;
		Answer		answer;

		if (value == NULL)
			continue;
		if (strcmp(name, "forwarded") == 0)
			value = headers_forwarded_for(value);
		answer = address_in(value, rules, &hit->ip, &ip);
		if (answer == ADDRESS_FOUND)
		{
			hit->ip = ip;
			return;
		}
		hidden |= answer == ADDRESS_HIDDEN;
	}
	if (hidden && !rules->keep_hidden)
		memset(&hit->ip, 0, sizeof(hit->ip));
}
