/*
 * ip_range.c
 *		Networks and patterns of IP addresses.  Rule: doc/internals.md,
 *		"Matomo: exclusions".
 *
 * Two networks are either disjoint or one contains the other.  So a set is
 * sorted, without networks that another one contains, and a look-up tests one
 * of them only: lists may be long, and every hit is looked up.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/ip_range.h"

#define RANGE_TEXT_MAX 45		/* the longest address */

/* Zero everything after the first bits. */
static void
keep_bits(uint8 *bytes, int len, int bits)
{
	for (int i = 0; i < len; i++)
	{
		int			kept = Max(0, Min(8, bits - 8 * i));

		bytes[i] &= (uint8) (0xff << (8 - kept));
	}
}

/*
 * "10.1.*", "10.1.*.*": one to three numbers, the rest asterisks.  False if it
 * is not such a pattern.
 */
static bool
parse_wildcard(const char *str, IpRange *range)
{
	int			part = 0;
	int			numbers = 0;

	for (;; part++)
	{
		size_t		len = strcspn(str, ".");

		if (part == 4)
			return false;
		if (len == 1 && *str == '*')
		{
			if (part == 0)
				return false;
		}
		else
		{
			int			value = 0;

			/* a number after an asterisk, or no number at all */
			if (numbers < part || len == 0 || len > 3 || strspn(str, "0123456789") < len)
				return false;
			for (size_t i = 0; i < len; i++)
				value = value * 10 + (str[i] - '0');
			if (value > 255)
				return false;
			range->bytes[numbers++] = (uint8) value;
		}
		if (str[len] == '\0')
			break;
		str += len + 1;
	}
	range->len = 4;
	range->bits = 8 * numbers;
	return numbers <= part;
}

/*
 * ip_range_parse
 *		Read an address, a network ("192.0.2.0/24", "2001:db8::/32") or an IPv4
 *		pattern ("192.0.2.*").  A network of IPv4-mapped or NAT64 addresses
 *		becomes the IPv4 network.  False if it is none of them.  Never raises.
 */
bool
ip_range_parse(const char *str, IpRange *range)
{
	const char *slash = strchr(str, '/');
	size_t		len = slash ? (size_t) (slash - str) : strlen(str);
	char		address[RANGE_TEXT_MAX + 1];
	int			bits;
	int			max;

	memset(range, 0, sizeof(*range));
	if (strchr(str, '*') != NULL)
		return parse_wildcard(str, range);

	if (len > RANGE_TEXT_MAX)
		return false;
	memcpy(address, str, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, range->bytes) == 1)
		range->len = 4;
	else if (inet_pton(AF_INET6, address, range->bytes) == 1)
		range->len = 16;
	else
		return false;

	bits = max = 8 * range->len;
	if (slash)
	{
		size_t		digits = strlen(slash + 1);

		if (digits == 0 || digits > 3 || strspn(slash + 1, "0123456789") != digits)
			return false;
		bits = atoi(slash + 1);
		if (bits > max)
			return false;
	}

	if (bits >= 96 && range->len == 16)
	{
		PktIp		ip = {.len = 16};

		/* the same address in two forms is one address */
		memcpy(ip.bytes, range->bytes, sizeof(ip.bytes));
		if (ip_fold(&ip))
		{
			range->len = ip.len;
			memcpy(range->bytes, ip.bytes, sizeof(ip.bytes));
			bits -= 96;
		}
	}
	range->bits = (uint8) bits;
	keep_bits(range->bytes, range->len, bits);
	return true;
}

/* Does the network hold the address, which is of the same family? */
static bool
holds(const IpRange *range, const uint8 *bytes)
{
	int			whole = range->bits / 8;
	int			rest = range->bits % 8;

	if (memcmp(range->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 || ((range->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

/* IPv4 first, then by address, the larger network first. */
static int
compare_ranges(const void *a, const void *b)
{
	const IpRange *x = a;
	const IpRange *y = b;
	int			c;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	c = memcmp(x->bytes, y->bytes, sizeof(x->bytes));
	return c != 0 ? c : (int) x->bits - (int) y->bits;
}

/*
 * ip_range_set
 *		The set of n networks and patterns, in the current memory context.
 *		Other texts are ignored.
 */
IpRangeSet
ip_range_set(const char *const *items, int n)
{
	IpRangeSet	set = {0, NULL};
	int			kept = 0;

	if (n == 0)
		return set;
	set.ranges = palloc_array(IpRange, n);
	for (int i = 0; i < n; i++)
	{
		if (ip_range_parse(items[i], &set.ranges[set.n]))
			set.n++;
	}
	qsort(set.ranges, set.n, sizeof(IpRange), compare_ranges);
	for (int i = 0; i < set.n; i++)
	{
		const IpRange *last = &set.ranges[Max(kept - 1, 0)];

		if (kept == 0 || last->len != set.ranges[i].len || !holds(last, set.ranges[i].bytes))
			set.ranges[kept++] = set.ranges[i];
	}
	set.n = kept;
	return set;
}

/*
 * ip_range_set_has
 *		Is the address in one of the networks?  False without an address.
 */
bool
ip_range_set_has(const IpRangeSet *set, const PktIp *ip)
{
	PktIp		folded;
	IpRange		key;
	int			low = 0;
	int			high = set->n;

	if (ip->len == 0 || set->n == 0)
		return false;
	folded = *ip;
	(void) ip_fold(&folded);
	key.len = folded.len;
	key.bits = 128;
	memcpy(key.bytes, folded.bytes, sizeof(key.bytes));

	/* the last one that does not begin after the address */
	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (compare_ranges(&set->ranges[middle], &key) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && set->ranges[low - 1].len == key.len &&
		holds(&set->ranges[low - 1], key.bytes);
}
