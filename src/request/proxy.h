/*
 * proxy.h
 *		The visitor's address behind proxies.
 */
#ifndef PKT_PROXY_H
#define PKT_PROXY_H

#include "base/ip_range.h"
#include "request/hit.h"
#include "settings/settings.h"

/* Rules made from the settings, once per configuration. */
typedef struct ProxyRules
{
	const TextList *headers;
	IpRangeSet	proxies;
	bool		last;			/* of a list the last address counts */
	bool		keep_hidden;	/* where a proxy hides the address, the
								 * connection's counts */
} ProxyRules;

extern ProxyRules *proxy_rules_create(const Settings *s);
extern void proxy_client_ip(Hit *hit, const ProxyRules *rules);

#endif							/* PKT_PROXY_H */
