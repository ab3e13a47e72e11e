/*
 * memo.c
 *		A batch's cache of results for recurring texts.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "utils/memutils.h"

#include "base/crypto.h"
#include "base/wipe.h"
#include "settings/gucs.h"
#include "settings/settings.h"
#include "track/memo.h"

/*
 * Slots of each kind, powers of two.  Pages and titles are many and may come
 * again at any time, while the hits of one visitor follow each other.
 */
static const uint32 wanted_slots[MEMO_KINDS] = {
	[MEMO_PAGE] = 16384,
	[MEMO_NAME] = 16384,
	[MEMO_REFERRER] = 4096,
	[MEMO_FINGERPRINT] = 4096,
	[MEMO_SESSION] = 4096
};

#define SLOTS_MIN 256
#define TEXTS_MAX (1024 * 1024) /* bytes of referrers' texts; then all are
								 * forgotten */

typedef struct MemoSlot
{
	uint64		hash1;
	uint64		hash2;			/* both 0: empty */
	union
	{
		int64		id;			/* a number of the dictionary, or a
								 * fingerprint */
		Referrer   *referrer;
	}			result;
} MemoSlot;

struct Memo
{
	uint64		seed1;
	uint64		seed2;
	uint32		n_slots[MEMO_KINDS];
	MemoSlot   *slots[MEMO_KINDS];
	MemoryContext texts;
};

/*
 * memo_create
 *		An empty memo in the current memory context.  It takes BULK_MEMO bytes
 *		for each kind at most.
 */
Memo *
memo_create(void)
{
	Memo	   *memo = palloc_object(Memo);

	random_bytes(&memo->seed1, sizeof(memo->seed1));
	random_bytes(&memo->seed2, sizeof(memo->seed2));
	for (int kind = 0; kind < MEMO_KINDS; kind++)
	{
		uint32		n = wanted_slots[kind];

		while (n > SLOTS_MIN && n * sizeof(MemoSlot) > BULK_MEMO)
			n /= 2;
		memo->n_slots[kind] = n;
		memo->slots[kind] = palloc0_array(MemoSlot, n);
	}
	memo->texts = wiped_context_create(CurrentMemoryContext, "pk_tracking memo");
	return memo;
}

/*
 * memo_key_begin, memo_key_add
 *		Make a key of everything that the result depends on: a number, the rules
 *		that were made from settings (site, rules: their addresses identify
 *		them), and bytes, always in the same order.
 */
void
memo_key_begin(const Memo *memo, MemoKey *key, MemoKind kind,
			   uint64 number, const void *site, const void *rules)
{
	uint64		depends = number;

	/* none of this comes from clients, so a weak hash will do */
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

static inline MemoSlot *
slot_of(const Memo *memo, const MemoKey *key)
{
	return &memo->slots[key->kind][key->hash1 & (memo->n_slots[key->kind] - 1)];
}

/*
 * memo_find_id, memo_keep_id
 *		The number or id under a key; false if there is none.
 */
bool
memo_find_id(const Memo *memo, const MemoKey *key, int64 *id)
{
	const MemoSlot *slot = slot_of(memo, key);

	if (slot->hash1 != key->hash1 || slot->hash2 != key->hash2)
		return false;
	*id = slot->result.id;
	return true;
}

void
memo_keep_id(Memo *memo, const MemoKey *key, int64 id)
{
	MemoSlot   *slot = slot_of(memo, key);

	slot->hash1 = key->hash1;
	slot->hash2 = key->hash2;
	slot->result.id = id;
}

/*
 * memo_find_referrer, memo_keep_referrer
 *		The same for a referrer; its texts are valid until the next one is kept.
 */
bool
memo_find_referrer(const Memo *memo, const MemoKey *key, Referrer *referrer)
{
	const MemoSlot *slot = slot_of(memo, key);

	if (slot->hash1 != key->hash1 || slot->hash2 != key->hash2)
		return false;
	*referrer = *slot->result.referrer;
	return true;
}

static const char *
keep_text(const Memo *memo, const char *text)
{
	return text == NULL ? NULL : MemoryContextStrdup(memo->texts, text);
}

void
memo_keep_referrer(Memo *memo, const MemoKey *key, const Referrer *referrer)
{
	MemoSlot   *slot = slot_of(memo, key);
	Referrer   *kept;

	if (MemoryContextMemAllocated(memo->texts, false) > Min(TEXTS_MAX, BULK_MEMO_TEXTS))
	{
		memset(memo->slots[MEMO_REFERRER], 0, memo->n_slots[MEMO_REFERRER] * sizeof(MemoSlot));
		wiped_context_reset(memo->texts);
	}
	kept = MemoryContextAlloc(memo->texts, sizeof(Referrer));
	kept->type = referrer->type;
	kept->name = keep_text(memo, referrer->name);
	kept->keyword = keep_text(memo, referrer->keyword);
	kept->url = keep_text(memo, referrer->url);
	slot->hash1 = key->hash1;
	slot->hash2 = key->hash2;
	slot->result.referrer = kept;
}
