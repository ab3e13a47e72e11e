/*
 * proxy.c
 *		The visitor's address behind proxies.  Rule:
 *		doc/internals.md, "Matomo: requests".
 *
 * A client can send any headers.  So only headers that the settings name are
 * read, and by default the last address of a list counts: the nearest proxy
 * wrote it.
 */
#include "postgres.h"

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
	return rules;
}

static bool
same_ip(const PktIp *a, const PktIp *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
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

/*
 * The visitor's address in the value of a header; false if the value has none.
 * An address that cannot be read counts as no address (ip->len 0).  Of lists,
 * and of lists only, proxies are ignored; if the first address counts, the
 * connection's own (remote) is a proxy too.
 */
static bool
address_in(const char *value, const ProxyRules *rules, const PktIp *remote, PktIp *ip)
{
	bool		is_list = strchr(value, ',') != NULL;
	bool		found = false;

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
				   (!rules->last && same_ip(&entry, remote)))))
			{
				found = !says_unknown(value, len);
				*ip = entry;
				if (!rules->last)
					return found;
			}
		}
		if (value[len] == '\0')
			return found;
		value += len + 1;
	}
}

/*
 * proxy_client_ip
 *		Replace the hit's address, that of the connection, by the visitor's, if
 *		a header that the settings name has it.
 */
void
proxy_client_ip(Hit *hit, const ProxyRules *rules)
{
	if (hit->headers == NULL)
		return;
	for (int i = 0; i < rules->headers->n; i++)
	{
		char	   *value = tracking_api_header(hit->headers, rules->headers->items[i]);
		PktIp		ip;

		if (value != NULL && address_in(value, rules, &hit->ip, &ip))
		{
			hit->ip = ip;
			return;
		}
	}
}
