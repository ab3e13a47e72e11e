/*
 * ip.h
 *		IP addresses in C memory, and their masking.
 */
#ifndef PKT_IP_H
#define PKT_IP_H

#include "fmgr.h"
#include "utils/inet.h"

/*
 * An address in network byte order.  len is 0 (none), 4 or 16; an IPv4-mapped
 * address has 16 bytes.  Bytes beyond len are 0.
 */
typedef struct PktIp
{
	uint8		len;
	uint8		bytes[16];
} PktIp;

#define IP_MASK_LEVEL_MAX 4

/* The address of an inet value, its netmask ignored. */
extern PktIp ip_from_inet(const inet *in);

/* A palloc'd inet (full-length netmask); ip->len must not be 0. */
extern inet *ip_to_inet(const PktIp *ip);

/*
 * Read an address from text.  White space around it, a "/n" suffix, "[...]"
 * brackets, and ":port" after an IPv4 or a bracketed IPv6 address are removed.
 * False, and ip->len = 0, if it is not an address.  Never raises.
 */
extern bool ip_parse(const char *str, size_t len, PktIp *ip);

/*
 * Make an IPv4 address, in place, of one that only writes it as IPv6:
 * IPv4-mapped, or 64:ff9b::a.b.c.d of NAT64.  True if it was one of them.
 */
extern bool ip_fold(PktIp *ip);

/* Zero the bytes that level (0..4) masks, in place. */
extern void ip_mask(PktIp *ip, int level);

/*
 * No address, or one that could not distinguish two visitors: every byte is
 * zero, or, of an IPv4-mapped address, the bytes of the IPv4 address, or, of a
 * 6to4 address, all after 2002.
 */
extern bool ip_is_blank(const PktIp *ip);

#endif							/* PKT_IP_H */
