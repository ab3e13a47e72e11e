/*
 * siphash.h
 *		SipHash-2-4: a short hash under a secret key of 128 bits, from which
 *		neither the key nor the hash of another message can be computed.
 *
 * For what others can see, or could choose: hash_bytes_extended() with a secret
 * seed can be turned back.
 */
#ifndef PKT_SIPHASH_H
#define PKT_SIPHASH_H

#include "postgres.h"

#define SIP_KEY_LEN 16			/* bytes */

typedef struct SipKey
{
	uint64		k0;
	uint64		k1;
} SipKey;

extern SipKey siphash_key(const uint8 *bytes);
extern SipKey siphash_subkey(const SipKey *key, uint64 label);
extern uint64 siphash(const SipKey *key, const void *message, size_t len);

#endif							/* PKT_SIPHASH_H */
