/*
 * crypto.h
 *		The server's cryptography, with its failures raised as errors.
 *
 * All failures are internal_error: they mean that the cryptographic library of
 * the server does not work.
 */
#ifndef PKT_CRYPTO_H
#define PKT_CRYPTO_H

#include "base/compat.h"

/* Fill buf with len bytes from the server's strong random source. */
extern void random_bytes(void *buf, size_t len);

/* SHA-256 of len bytes; writes PG_SHA256_DIGEST_LENGTH bytes to digest. */
extern void sha256_bytes(const void *bytes, size_t len, uint8 *digest);

/*
 * HMAC-SHA-256 of the message; writes PG_SHA256_DIGEST_LENGTH bytes to dest.  Gives
 * NULL, or the reason of a failure: the caller overwrites its secrets before it
 * raises.
 */
extern const char *hmac_sha256(const uint8 *key, size_t key_len, const void *message, size_t len,
							   uint8 *dest);

/*
 * Raise the error for a digest that could not be computed.  algorithm is its
 * name as users know it ("SHA-256"); reason is what pg_cryptohash_error() or
 * pg_hmac_error() says, or NULL.
 */
pg_noreturn extern void raise_hash_failure(const char *algorithm, const char *reason);

#endif							/* PKT_CRYPTO_H */
