/*
 * limits.c
 *		Connections and requests of each address.
 *
 * A hash table with chains.  An address that has no connection, and whose bucket
 * is full again, is forgotten: addresses stay in memory no longer than needed.
 */
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "text.h"

#define BUCKETS 4096

/* Seconds' worth of requests that may come at once. */
#define BURST 5

typedef struct Address
{
	struct Address *next;
	unsigned char bytes[16];
	bool		ipv6;
	int64_t		connections;
	int64_t		spent;			/* thousandths of requests, at the time below */
	int64_t		at;
} Address;

static Address *buckets[BUCKETS];
static int	sweep;

static Address **
find(const Peer *peer)
{
	unsigned char bytes[16] = {0};
	uint32_t	h = peer->ipv6;
	Address   **place;

	memcpy(bytes, peer->bytes, peer->ipv6 ? 8 : 4);
	for (int i = 0; i < 8; i++)
		h = (h ^ bytes[i]) * 16777619u;
	h ^= h >> 15;
	for (place = &buckets[h % BUCKETS]; *place != NULL; place = &(*place)->next)
	{
		if ((*place)->ipv6 == peer->ipv6 && memcmp((*place)->bytes, bytes, 16) == 0)
			return place;
	}
	*place = must_alloc(sizeof(Address));
	memcpy((*place)->bytes, bytes, 16);
	(*place)->ipv6 = peer->ipv6;
	return place;
}

static void
forget(Address **place)
{
	Address    *address = *place;

	*place = address->next;
	explicit_bzero(address, sizeof(Address));
	free(address);
}

bool
limits_open(const Peer *peer, int64_t most)
{
	Address    *address;

	if (peer->local)
		return true;
	address = *find(peer);
	if (address->connections >= most)
		return false;
	address->connections++;
	return true;
}

void
limits_close(const Peer *peer)
{
	if (!peer->local)
		(*find(peer))->connections--;
}

bool
limits_request(const Peer *peer, int64_t per_second, int64_t now)
{
	Address    *address;
	int64_t		passed;

	if (peer->local)
		return true;
	address = *find(peer);
	passed = now - address->at;
	address->at = now;
	/* per second is thousandths per millisecond */
	address->spent = address->spent / per_second <= passed ? 0 :
		address->spent - passed * per_second;
	if (address->spent > (BURST * per_second - 1) * 1000)
		return false;
	address->spent += 1000;
	return true;
}

void
limits_forget(int64_t now)
{
	/* a tenth of the table each time */
	for (int i = 0; i < BUCKETS / 10; i++)
	{
		Address   **place = &buckets[sweep];

		sweep = (sweep + 1) % BUCKETS;
		while (*place != NULL)
		{
			if ((*place)->connections == 0 && now - (*place)->at > BURST * 1000)
				forget(place);
			else
				place = &(*place)->next;
		}
	}
}
