/*
 * memo.c
 *		What a batch has made of texts that come again and again.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "settings.h"
#include "track/memo.h"

#define SLOTS_MAX 16384			/* 56 bytes each */
#define SLOTS_MIN 512
#define TEXTS_MAX (1024 * 1024) /* bytes of answers' texts, then all begins anew */

typedef struct MemoSlot
{
	MemoKey		key;			/* MEMO_NONE: empty */
	MemoAnswer	answer;
} MemoSlot;

struct Memo
{
	uint64		seed1;
	uint64		seed2;
	uint32		n_slots;		/* a power of two */
	MemoSlot   *slots;
	MemoryContext texts;
};

/*
 * memo_create
 *		An empty memo in the current memory context.  It takes a small part of
 *		bulk_memory.
 */
Memo *
memo_create(void)
{
	Memo	   *memo = palloc_object(Memo);

	if (!pg_strong_random(&memo->seed1, sizeof(memo->seed1)) ||
		!pg_strong_random(&memo->seed2, sizeof(memo->seed2)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
	memo->n_slots = SLOTS_MAX;
	while (memo->n_slots > SLOTS_MIN &&
		   memo->n_slots * sizeof(MemoSlot) > (Size) pkt_bulk_memory * 1024 / 32)
		memo->n_slots /= 2;
	memo->slots = palloc0_array(MemoSlot, memo->n_slots);
	memo->texts = AllocSetContextCreate(CurrentMemoryContext, "pk_tracking memo", ALLOCSET_DEFAULT_SIZES);
	return memo;
}

/*
 * memo_key_begin, memo_key_add
 *		Make a key of everything that the answer depends on: a number, what has
 *		been made of settings, which is told by where it stands, and bytes, always
 *		in the same order.
 */
void
memo_key_begin(const Memo *memo, MemoKey *key, MemoKind kind,
			   uint64 number, const void *site, const void *rules)
{
	uint64		depends = number;

	/* none of it comes from outside: it need not be hashed well */
	depends = depends * UINT64CONST(0x9E3779B97F4A7C15) + (uintptr_t) site;
	depends = depends * UINT64CONST(0x9E3779B97F4A7C15) + (uintptr_t) rules;
	depends = depends * UINT64CONST(0x9E3779B97F4A7C15) + kind;
	key->kind = kind;
	key->hash1 = memo->seed1 + depends;
	key->hash2 = memo->seed2 + depends;
}

void
memo_key_add(MemoKey *key, const void *bytes, size_t len)
{
	key->hash1 = hash_bytes_extended(bytes, (int) len, key->hash1);
	key->hash2 = hash_bytes_extended(bytes, (int) len, key->hash2);
}

/* memo_find: the answer, NULL if none is kept; good until the next one is. */
const MemoAnswer *
memo_find(const Memo *memo, const MemoKey *key)
{
	const MemoSlot *slot = &memo->slots[key->hash1 & (memo->n_slots - 1)];

	return slot->key.kind == key->kind && slot->key.hash1 == key->hash1 &&
		slot->key.hash2 == key->hash2 ? &slot->answer : NULL;
}

static const char *
keep_text(const Memo *memo, const char *text)
{
	return text == NULL ? NULL : MemoryContextStrdup(memo->texts, text);
}

/* memo_keep: an answer; its texts are copied. */
void
memo_keep(Memo *memo, const MemoKey *key, const MemoAnswer *answer)
{
	MemoSlot   *slot = &memo->slots[key->hash1 & (memo->n_slots - 1)];

	if (key->kind == MEMO_REFERRER &&
		MemoryContextMemAllocated(memo->texts, false) > TEXTS_MAX)
	{
		for (uint32 i = 0; i < memo->n_slots; i++)
		{
			if (memo->slots[i].key.kind == MEMO_REFERRER)
				memo->slots[i].key.kind = MEMO_NONE;
		}
		MemoryContextReset(memo->texts);
	}
	slot->key = *key;
	slot->answer = *answer;
	if (key->kind == MEMO_REFERRER)
	{
		slot->answer.referrer.name = keep_text(memo, answer->referrer.name);
		slot->answer.referrer.keyword = keep_text(memo, answer->referrer.keyword);
		slot->answer.referrer.url = keep_text(memo, answer->referrer.url);
	}
}
