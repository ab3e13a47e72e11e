/*
 * limits.h
 *		Connections and requests of each address.
 */
#ifndef EDGE_LIMITS_H
#define EDGE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "peers.h"

/* Addresses of an IPv6 network of 64 bits count as one; sockets are not limited. */

/* A connection begins: false if the address has so many; else limits_close() ends it. */
extern bool limits_open(const Peer *peer, int64_t most);
extern void limits_close(const Peer *peer);

/*
 * A request: false if there were more than so many a second.  After a pause there
 * may be as many as in BURST seconds at once.  now: ms.
 */
extern bool limits_request(const Peer *peer, int64_t per_second, int64_t now);

/* Forgets addresses that are quiet; to be called about once a second. */
extern void limits_forget(int64_t now);

#endif
