/*
 * peers.h
 *		Addresses of clients and proxies, and lists of networks.
 */
#ifndef EDGE_PEERS_H
#define EDGE_PEERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* Who is at the other end; an IPv4 address that came as IPv6 is IPv4. */
typedef struct Peer
{
	bool		local;			/* a Unix socket, which has no address */
	bool		ipv6;
	unsigned char bytes[16];	/* 4 of IPv4 */
} Peer;

typedef struct PeerList PeerList;

extern void peer_read(Peer *peer, const struct sockaddr *address);
extern void peer_format(const Peer *peer, char text[INET6_ADDRSTRLEN]);

/* Reads an address as proxies write it, also with a port or in brackets. */
extern bool peer_parse(const char *text, size_t len, Peer *peer);
extern bool peer_is_loopback(const Peer *peer);

/*
 * Reads a list of addresses, networks such as 10.0.0.0/8, and "unix", separated by
 * commas.  NULL: bad_item, of size bytes, is the first item that is none of these.
 */
extern PeerList *peer_list_read(const char *str, char *bad_item, size_t size);
extern bool peer_list_has(const PeerList *list, const Peer *peer);
extern void peer_list_free(PeerList *list);

#endif
