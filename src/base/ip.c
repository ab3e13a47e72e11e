/*
 * ip.c
 *		IP addresses in C memory, and their masking.
 *
 * Nothing here allocates except ip_to_inet(), and no message carries an
 * address.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/inet.h"

#include "base/compat.h"
#include "base/ip.h"

/* Longest address as text: an IPv6 one that ends in a dotted IPv4. */
#define IP_TEXT_MAX 45

/* Bytes of an IPv6 address that each mask level keeps. */
static const uint8 ipv6_kept[IP_MASK_LEVEL_MAX + 1] = {16, 8, 6, 3, 0};

PG_FUNCTION_INFO_V1(pkt_mask_ip);
PG_FUNCTION_INFO_V1(pkt_parse_ip);

static inline bool
all_zero(const uint8 *bytes, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

/* ::ffff:a.b.c.d */
static inline bool
is_v4_mapped(const PktIp *ip)
{
	return ip->len == 16 && all_zero(ip->bytes, 10) &&
		ip->bytes[10] == 0xff && ip->bytes[11] == 0xff;
}

/* 2002:AABB:CCDD::/16, a 6to4 address: bytes 2 to 5 are the IPv4 address AA.BB.CC.DD. */
static inline bool
is_6to4(const PktIp *ip)
{
	return ip->len == 16 && ip->bytes[0] == 0x20 && ip->bytes[1] == 0x02;
}

/*
 * ip_fold
 *		Make an IPv4 address of one that only writes it as IPv6, in place:
 *		IPv4-mapped (::ffff:a.b.c.d, RFC 4291), or translated by NAT64
 *		(64:ff9b::a.b.c.d, RFC 6052).  True if it was one of them.
 *
 * A server that listens for both families sees IPv4 clients as mapped ones; one
 * behind NAT64 sees them under its prefix.  Networks that translate by a prefix
 * of their own (64:ff9b:1::/48) mean addresses that only they know.
 */
bool
ip_fold(PktIp *ip)
{
	static const uint8 nat64[12] = {0x00, 0x64, 0xff, 0x9b};

	if (ip->len != 16 ||
		(!is_v4_mapped(ip) && memcmp(ip->bytes, nat64, sizeof(nat64)) != 0))
		return false;
	memmove(ip->bytes, ip->bytes + 12, 4);
	memset(ip->bytes + 4, 0, 12);
	ip->len = 4;
	return true;
}

/*
 * ip_from_inet
 *		The address of an inet value; its netmask does not matter.
 *
 * Takes an inet with a short or a long header, not toasted.
 */
PktIp
ip_from_inet(const inet *in)
{
	PktIp		ip = {0};

	ip.len = (ip_family(in) == PGSQL_AF_INET) ? 4 : 16;
	memcpy(ip.bytes, ip_addr(in), ip.len);
	return ip;
}

/*
 * ip_to_inet
 *		A palloc'd inet of the address, netmask of full length.
 */
inet *
ip_to_inet(const PktIp *ip)
{
	inet	   *result = (inet *) palloc0(sizeof(inet));

	Assert(ip->len == 4 || ip->len == 16);

	ip_family(result) = (ip->len == 4) ? PGSQL_AF_INET : PGSQL_AF_INET6;
	ip_bits(result) = ip_maxbits(result);
	memcpy(ip_addr(result), ip->bytes, ip->len);
	SET_INET_VARSIZE(result);
	return result;
}

static inline bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* True if [p, end) is 1 to max decimal digits. */
static bool
is_number(const char *p, const char *end, int max)
{
	if (p >= end || end - p > max)
		return false;
	for (; p < end; p++)
		if (*p < '0' || *p > '9')
			return false;
	return true;
}

/*
 * ip_parse
 *		Read an address as clients, proxies and log files write it.
 *
 * Takes len bytes, not NUL-terminated, of any origin.  Gives true and the
 * address, or false and no address.  Rule: doc/internals.md, "Matomo: exclusions".
 * The address may be surrounded by white space, "/n", brackets, and ":port"
 * after an IPv4 or a bracketed address; the address itself is as inet_pton()
 * reads it: four decimal numbers without leading zeros, or an IPv6 address
 * without a zone.  Never raises, logs or allocates.
 */
bool
ip_parse(const char *str, size_t len, PktIp *ip)
{
	const char *p = str;
	const char *end = str + len;
	const char *sep;
	char		address[IP_TEXT_MAX + 1];

	memset(ip, 0, sizeof(PktIp));

	while (p < end && is_space(*p))
		p++;
	while (p < end && is_space(end[-1]))
		end--;
	if (p == end)
		return false;

	sep = memchr(p, '/', end - p);
	if (sep != NULL)
	{
		if (!is_number(sep + 1, end, 3))
			return false;
		end = sep;
	}

	if (p < end && *p == '[')
	{
		p++;
		sep = memchr(p, ']', end - p);
		if (sep == NULL)
			return false;
		if (sep + 1 < end && (sep[1] != ':' || !is_number(sep + 2, end, 5)))
			return false;
		end = sep;
	}
	else
	{
		/* a single colon: an IPv4 address and a port */
		sep = memchr(p, ':', end - p);
		if (sep != NULL && memchr(sep + 1, ':', end - sep - 1) == NULL)
		{
			if (!is_number(sep + 1, end, 5))
				return false;
			end = sep;
		}
	}

	if (end - p > IP_TEXT_MAX || memchr(p, '\0', end - p) != NULL)
		return false;
	memcpy(address, p, end - p);
	address[end - p] = '\0';

	if (strchr(address, ':') != NULL)
	{
		if (inet_pton(AF_INET6, address, ip->bytes) == 1)
			ip->len = 16;
	}
	else
	{
		if (inet_pton(AF_INET, address, ip->bytes) == 1)
			ip->len = 4;
	}

	/* a failed conversion may have written some bytes */
	if (ip->len == 0)
		memset(ip, 0, sizeof(PktIp));
	return ip->len != 0;
}

/*
 * ip_mask
 *		Zero the bytes that a mask level hides, in place.
 *
 * IPv4: the last level bytes.  IPv6: all but the first 64, 48, 24, 0 bits.  An
 * IPv6 address that holds an IPv4 one (IPv4-mapped, or its first 12 bytes
 * zero, "::1" too) keeps its prefix and has the IPv4 masked.  A 6to4 address
 * loses what either rule hides: its first 48 bits are 2002 and the IPv4 address,
 * which would outlast the mask of IPv6.  A level out of range counts as the
 * nearest one in range.
 */
void
ip_mask(PktIp *ip, int level)
{
	int			kept;

	level = Max(0, Min(level, IP_MASK_LEVEL_MAX));

	if (ip->len == 16 && !is_v4_mapped(ip) && !all_zero(ip->bytes, 12))
	{
		kept = ipv6_kept[level];
		if (level > 0 && is_6to4(ip))
			kept = Min(kept, 6 - level);
	}
	else if (ip->len > 0)
		kept = ip->len - level;
	else
		return;

	memset(ip->bytes + kept, 0, ip->len - kept);
}

/*
 * ip_is_blank
 *		Is there no byte left in the address that could distinguish two
 *		visitors?
 */
bool
ip_is_blank(const PktIp *ip)
{
	if (is_v4_mapped(ip))
		return all_zero(ip->bytes + 12, 4);
	if (is_6to4(ip))
		return all_zero(ip->bytes + 2, 14);
	return all_zero(ip->bytes, ip->len);
}

/*
 * pk_tracking.mask_ip(ip inet, level integer) RETURNS inet
 *
 * Errors: invalid_parameter_value if level is not 0 to 4.
 */
Datum
pkt_mask_ip(PG_FUNCTION_ARGS)
{
	PktIp		ip = ip_from_inet(PG_GETARG_INET_PP(0));
	int32		level = PG_GETARG_INT32(1);

	if (level < 0 || level > IP_MASK_LEVEL_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("IP mask level must be between 0 and %d", IP_MASK_LEVEL_MAX)));

	ip_mask(&ip, level);
	PG_RETURN_INET_P(ip_to_inet(&ip));
}

/*
 * pk_tracking.parse_ip(address text) RETURNS inet
 *
 * NULL if the text is not an address.
 */
Datum
pkt_parse_ip(PG_FUNCTION_ARGS)
{
	text	   *address = PG_GETARG_TEXT_PP(0);
	PktIp		ip;

	if (!ip_parse(VARDATA_ANY(address), VARSIZE_ANY_EXHDR(address), &ip))
		PG_RETURN_NULL();
	PG_RETURN_INET_P(ip_to_inet(&ip));
}
