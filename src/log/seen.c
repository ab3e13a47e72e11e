/*
 * seen.c
 *		A filter of keys: which ones may have been noted?
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "log/seen.h"

#define SEEN_MIN_BITS 1024

/* seen_create: an empty filter of at most that many bytes, but no less than 128. */
void
seen_create(Seen *seen, MemoryContext context, Size bytes)
{
	seen->n_bits = SEEN_MIN_BITS;
	while (seen->n_bits * 2 / 8 <= bytes)
		seen->n_bits *= 2;
	seen->bits = MemoryContextAllocZero(context, seen->n_bits / 8);
}

static inline uint64
bit_of(const Seen *seen, uint64 key, int i)
{
	return mix64(key + (uint64) i * UINT64CONST(0x9E3779B97F4A7C15)) & (seen->n_bits - 1);
}

/* seen_note: note a key; nothing if the filter was not created. */
void
seen_note(Seen *seen, uint64 key)
{
	for (int i = 0; i < 2 && seen->n_bits > 0; i++)
	{
		uint64		bit = bit_of(seen, key, i);

		seen->bits[bit / 8] |= (uint8) (1 << bit % 8);
	}
}

/* seen_maybe: false if the key was certainly not noted since the filter was created. */
bool
seen_maybe(const Seen *seen, uint64 key)
{
	for (int i = 0; i < 2; i++)
	{
		uint64		bit = bit_of(seen, key, i);

		if (!(seen->bits[bit / 8] & (1 << bit % 8)))
			return false;
	}
	return true;
}
