/*
 * ip_range.h
 *		Networks and patterns of IP addresses.
 */
#ifndef PKT_IP_RANGE_H
#define PKT_IP_RANGE_H

#include "base/ip.h"

/* A network: the first bits of an address.  IPv4-mapped and NAT64 ones are IPv4. */
typedef struct IpRange
{
	uint8		len;			/* 4 or 16 */
	uint8		bits;
	uint8		bytes[16];		/* 0 after the first bits */
} IpRange;

/* Sorted networks, none contained in another. */
typedef struct IpRangeSet
{
	int			n;
	IpRange    *ranges;
} IpRangeSet;

extern bool ip_range_parse(const char *str, IpRange *range);
extern IpRangeSet ip_range_set(const char *const *items, int n);
extern bool ip_range_set_has(const IpRangeSet *set, const PktIp *ip);

#endif							/* PKT_IP_RANGE_H */
