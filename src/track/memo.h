/*
 * memo.h
 *		What a batch has made of texts that come again and again: pages, titles,
 *		referrers, browsers.
 *
 * An answer is kept under two seeded hashes of all that it depends on; the
 * seeds are random, so that nobody outside can make two texts meet.  Neither
 * the texts asked for nor addresses are kept.  One slot for each place: memory
 * is bounded, and what is pushed out is made again.
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
