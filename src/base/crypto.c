/*
 * crypto.c
 *		The server's cryptography, with its failures raised as errors; see crypto.h.
 */
#include "postgres.h"

#include "common/cryptohash.h"
#include "common/hmac.h"
#include "common/sha2.h"

#include "base/crypto.h"

void
random_bytes(void *buf, size_t len)
{
	if (!pg_strong_random(buf, len))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
}

void
sha256_bytes(const void *bytes, size_t len, uint8 *digest)
{
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(PG_SHA256);

	if (ctx == NULL ||
		pg_cryptohash_init(ctx) < 0 ||
		pg_cryptohash_update(ctx, bytes, len) < 0 ||
		pg_cryptohash_final(ctx, digest, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		/* the reason is a constant string: it outlives ctx */
		const char *reason = pg_cryptohash_error(ctx);

		pg_cryptohash_free(ctx);
		raise_hash_failure("SHA-256", reason);
	}
	pg_cryptohash_free(ctx);
}

const char *
hmac_sha256(const uint8 *key, size_t key_len, const void *message, size_t len, uint8 *dest)
{
	pg_hmac_ctx *ctx = pg_hmac_create(PG_SHA256);
	const char *problem = NULL;

	if (ctx == NULL)
		return "out of memory";

	if (pg_hmac_init(ctx, key, key_len) < 0 ||
		pg_hmac_update(ctx, message, len) < 0 ||
		pg_hmac_final(ctx, dest, PG_SHA256_DIGEST_LENGTH) < 0)
	{
		problem = pg_hmac_error(ctx);
		if (problem == NULL)
			problem = "unknown error";
	}
	pg_hmac_free(ctx);
	return problem;
}

void
raise_hash_failure(const char *algorithm, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("could not compute %s hash: %s", algorithm,
					reason != NULL ? reason : "unknown error")));
}
