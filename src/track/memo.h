/*
 * memo.h
 *		A batch's cache of results for recurring texts: the numbers of pages and
 *		titles, referrers, fingerprints.  track/batch.c says when a batch has
 *		one; log/writer_batch.c keeps the batch's visits.
 *
 * A result is kept under two seeded hashes of everything that it depends on.
 * The seeds are random, so that no client can make two texts collide.  Neither
 * the texts themselves nor addresses are kept.  A key has one slot, so memory is
 * bounded; a result that is replaced is computed again when needed.
 */
#ifndef PKT_MEMO_H
#define PKT_MEMO_H

#include "enrich/referrer.h"

typedef enum MemoKind
{
	MEMO_PAGE,
	MEMO_NAME,
	MEMO_REFERRER,
	MEMO_FINGERPRINT,
	MEMO_SESSION
} MemoKind;

#define MEMO_KINDS (MEMO_SESSION + 1)

typedef struct MemoKey
{
	MemoKind	kind;
	uint64		hash1;
	uint64		hash2;
} MemoKey;

typedef struct Memo Memo;

extern Memo *memo_create(void);
extern void memo_key_begin(const Memo *memo, MemoKey *key, MemoKind kind,
						   uint64 number, const void *site, const void *rules);
extern void memo_key_add(MemoKey *key, const void *bytes, size_t len);
extern bool memo_find_id(const Memo *memo, const MemoKey *key, int64 *id);
extern void memo_keep_id(Memo *memo, const MemoKey *key, int64 id);
extern bool memo_find_referrer(const Memo *memo, const MemoKey *key, Referrer *referrer);
extern void memo_keep_referrer(Memo *memo, const MemoKey *key, const Referrer *referrer);

#endif							/* PKT_MEMO_H */
