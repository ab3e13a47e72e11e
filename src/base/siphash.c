/*
 * siphash.c
 *		SipHash-2-4, as Aumasson and Bernstein have published it ("SipHash: a fast
 *		short-input PRF", 2012).
 *
 * Keys and messages are read as little-endian words, whatever the machine, so
 * that all machines compute the same; sql/siphash.sql has the published vectors.
 */
#include "postgres.h"

#include "port/pg_bswap.h"
#include "fmgr.h"

#include "base/compat.h"
#include "base/siphash.h"

PG_FUNCTION_INFO_V1(pkt_siphash);

#define ROTATE(x, bits) (((x) << (bits)) | ((x) >> (64 - (bits))))

static inline void
sip_round(uint64 v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = ROTATE(v[1], 13) ^ v[0];
	v[3] = ROTATE(v[3], 16) ^ v[2];
	v[0] = ROTATE(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = ROTATE(v[1], 17) ^ v[2];
	v[3] = ROTATE(v[3], 21) ^ v[0];
	v[2] = ROTATE(v[2], 32);
}

/* Eight bytes as a number, the lowest first. */
static inline uint64
read_word(const uint8 *bytes)
{
	uint64		word;

	memcpy(&word, bytes, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap64(word);
#endif
	return word;
}

static inline void
compress(uint64 v[4], uint64 word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

/*
 * siphash_key
 *		The key that these SIP_KEY_LEN bytes are.
 */
SipKey
siphash_key(const uint8 *bytes)
{
	SipKey		key = {read_word(bytes), read_word(bytes + 8)};

	return key;
}

/*
 * siphash_subkey
 *		A key for one use of several: hashes under different subkeys have nothing
 *		to do with each other, even of the same message.
 */
SipKey
siphash_subkey(const SipKey *key, uint64 label)
{
	uint64		message[2] = {label, 0};
	SipKey		subkey;

	subkey.k0 = siphash(key, message, sizeof(message));
	message[1] = 1;
	subkey.k1 = siphash(key, message, sizeof(message));
	return subkey;
}

/*
 * siphash
 *		The hash of len bytes.
 */
uint64
siphash(const SipKey *key, const void *message, size_t len)
{
	const uint8 *p = message;
	const uint8 *words_end = p + (len & ~(size_t) 7);
	uint64		last = (uint64) len << 56;
	uint64		v[4] = {
		key->k0 ^ UINT64CONST(0x736f6d6570736575),
		key->k1 ^ UINT64CONST(0x646f72616e646f6d),
		key->k0 ^ UINT64CONST(0x6c7967656e657261),
		key->k1 ^ UINT64CONST(0x7465646279746573)
	};

	for (; p < words_end; p += 8)
		compress(v, read_word(p));
	for (size_t i = 0; i < (len & 7); i++)
		last |= (uint64) p[i] << (8 * i);
	compress(v, last);

	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/*
 * pk_tracking_internal.siphash(key bytea, message bytea) RETURNS bytea
 *
 * The hash's eight bytes in the order of the published vectors, the lowest
 * first.  Errors: invalid_parameter_value if the key has another length.
 */
Datum
pkt_siphash(PG_FUNCTION_ARGS)
{
	bytea	   *key_bytes = PG_GETARG_BYTEA_PP(0);
	bytea	   *message = PG_GETARG_BYTEA_PP(1);
	bytea	   *result = palloc(VARHDRSZ + sizeof(uint64));
	SipKey		key;
	uint64		hash;

	if (VARSIZE_ANY_EXHDR(key_bytes) != SIP_KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("SipHash key must have %d bytes", SIP_KEY_LEN)));
	key = siphash_key((const uint8 *) VARDATA_ANY(key_bytes));
	hash = siphash(&key, VARDATA_ANY(message), VARSIZE_ANY_EXHDR(message));
	SET_VARSIZE(result, VARHDRSZ + sizeof(uint64));
	for (int i = 0; i < (int) sizeof(uint64); i++)
		VARDATA(result)[i] = (char) (hash >> (8 * i));
	PG_RETURN_BYTEA_P(result);
}
