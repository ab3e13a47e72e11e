/*
 * seen.h
 *		A filter of keys: which ones may have been noted?
 *
 * Two bits for each key in one array (a Bloom filter).  Private to src/log.
 */
#ifndef PKT_SEEN_H
#define PKT_SEEN_H

#include "postgres.h"

typedef struct Seen
{
	uint64		n_bits;			/* a power of two; 0: not created */
	uint8	   *bits;
} Seen;

extern void seen_create(Seen *seen, MemoryContext context, Size bytes);
extern void seen_note(Seen *seen, uint64 key);
extern bool seen_maybe(const Seen *seen, uint64 key);

/* Spread the bits of a number (the finaliser of MurmurHash3). */
static inline uint64
mix64(uint64 n)
{
	n ^= n >> 33;
	n *= UINT64CONST(0xff51afd7ed558ccd);
	n ^= n >> 33;
	n *= UINT64CONST(0xc4ceb9fe1a85ec53);
	n ^= n >> 33;
	return n;
}

#endif							/* PKT_SEEN_H */
