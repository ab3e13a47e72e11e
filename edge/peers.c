/*
 * peers.c
 *		Addresses of clients and proxies, and lists of networks.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"
#include "text.h"

typedef struct Network
{
	Peer		peer;
	int			bits;
} Network;

struct PeerList
{
	int			n;
	Network    *networks;
};

void
peer_read(Peer *peer, const struct sockaddr *address)
{
	memset(peer, 0, sizeof(Peer));
	if (address->sa_family == AF_INET)
	{
		struct sockaddr_in in;

		memcpy(&in, address, sizeof(in));
		memcpy(peer->bytes, &in.sin_addr, 4);
	}
	else if (address->sa_family == AF_INET6)
	{
		struct sockaddr_in6 in6;

		memcpy(&in6, address, sizeof(in6));
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
			memcpy(peer->bytes, in6.sin6_addr.s6_addr + 12, 4);
		else
		{
			peer->ipv6 = true;
			memcpy(peer->bytes, &in6.sin6_addr, 16);
		}
	}
	else
		peer->local = true;
}

void
peer_format(const Peer *peer, char text[INET6_ADDRSTRLEN])
{
	text[		0] = '\0';

	if (!peer->local)
		inet_ntop(peer->ipv6 ? AF_INET6 : AF_INET, peer->bytes, text, INET6_ADDRSTRLEN);
}

bool
peer_is_loopback(const Peer *peer)
{
	static const unsigned char loopback[16] = {[15] = 1};

	return peer->local || (peer->ipv6 ? memcmp(peer->bytes, loopback, 16) == 0 :
						   peer->bytes[0] == 127);
}

/* One item of a list; false: it is none. */
static bool
read_network(const char *item, Network *network)
{
	char		address[INET6_ADDRSTRLEN];
	size_t		len = strcspn(item, "/");
	long		bits = -1;
	int			most;

	memset(network, 0, sizeof(Network));
	if (strcmp(item, "unix") == 0)
	{
		network->peer.local = true;
		return true;
	}
	if (len >= sizeof(address))
		return false;
	memcpy(address, item, len);
	address[len] = '\0';
	network->peer.ipv6 = strchr(address, ':') != NULL;
	most = network->peer.ipv6 ? 128 : 32;
	if (inet_pton(network->peer.ipv6 ? AF_INET6 : AF_INET, address, network->peer.bytes) != 1)
		return false;
	if (item[len] == '/')
	{
		char	   *end;

		if (item[len + 1] < '0' || item[len + 1] > '9')
			return false;
		bits = strtol(item + len + 1, &end, 10);
		if (*end != '\0' || bits > most)
			return false;
	}
	network->bits = bits < 0 ? most : (int) bits;
	return true;
}

PeerList *
peer_list_read(const char *str, char *bad_item, size_t size)
{
	PeerList   *list = must_alloc(sizeof(PeerList));

	while (*str != '\0')
	{
		size_t		len = strcspn(str, ", \t");
		char		item[INET6_ADDRSTRLEN + 8];
		Network		network;

		if (len > 0)
		{
			snprintf(item, sizeof(item), "%.*s", (int) (len < size ? len : size), str);
			if (len >= sizeof(item) || !read_network(item, &network))
			{
				snprintf(bad_item, size, "%s", item);
				peer_list_free(list);
				return NULL;
			}
			list->networks = must_realloc(list->networks,
										  (size_t) (list->n + 1) * sizeof(Network));
			list->networks[list->n++] = network;
		}
		str += len;
		str += strspn(str, ", \t");
	}
	return list;
}

bool
peer_list_has(const PeerList *list, const Peer *peer)
{
	for (int i = 0; i < list->n; i++)
	{
		const Network *network = &list->networks[i];
		int			whole = network->bits / 8;
		int			rest = network->bits % 8;

		if (network->peer.local != peer->local || network->peer.ipv6 != peer->ipv6)
			continue;
		if (memcmp(network->peer.bytes, peer->bytes, (size_t) whole) == 0 &&
			(rest == 0 ||
			 ((network->peer.bytes[whole] ^ peer->bytes[whole]) & (0xff00 >> rest) & 0xff) == 0))
			return true;
	}
	return false;
}

void
peer_list_free(PeerList *list)
{
	if (list != NULL)
		free(list->networks);
	free(list);
}

bool
peer_parse(const char *text, size_t len, Peer *peer)
{
	char		address[INET6_ADDRSTRLEN + 8];
	char	   *start = address;
	char	   *colon;

	memset(peer, 0, sizeof(Peer));
	while (len > 0 && (*text == ' ' || *text == '\t' || *text == '"'))
		text	  ++,
					len--;

	while (len > 0 && strchr(" \t\"", text[len - 1]) != NULL)
		len--;
	if (len == 0 || len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	if (address[0] == '[')
	{
		start++;
		start[strcspn(start, "]")] = '\0';
	}
	else if ((colon = strchr(address, ':')) != NULL && strchr(colon + 1, ':') == NULL)
		*colon = '\0';
	if (inet_pton(AF_INET, start, peer->bytes) == 1)
		return true;
	if (inet_pton(AF_INET6, start, peer->bytes) != 1)
		return false;
	peer->ipv6 = true;
	return true;
}
