/*
 * ip.h
 *		IP addresses in C memory, and their masking (spec matomo 4.2).
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
 * Parse an address as text, as spec 4.1 (3) cleans it: white space around, a
 * "/n" suffix, "[...]" brackets, ":port" after IPv4 or a bracketed IPv6.
 * False, and ip->len = 0, if it is no address.  Never raises.
 */
extern bool ip_parse(const char *str, size_t len, PktIp *ip);

/* Zero the bytes that level (0..4) masks, in place. */
extern void ip_mask(PktIp *ip, int level);

/*
 * No address, or nothing left of it that could tell two visitors apart: every
 * byte zero, or, of an IPv4-mapped address, those of the IPv4 inside it.
 */
extern bool ip_is_blank(const PktIp *ip);

#endif							/* PKT_IP_H */
