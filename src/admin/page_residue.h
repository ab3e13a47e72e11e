/*
 * page_residue.h
 *		What deleted rows leave in pages of heaps and B-trees.
 */
#ifndef PKT_PAGE_RESIDUE_H
#define PKT_PAGE_RESIDUE_H

#include "postgres.h"

#include "storage/buf.h"
#include "storage/bufpage.h"
#include "utils/relcache.h"

/*
 * Finds, or zeroes, the bytes of a page that belong to no tuple.  See the head
 * of page_residue.c.
 */
extern bool page_residue(Relation rel, BlockNumber block, Page page, bool wipe);

/*
 * Has a heap's page, which is locked, rows that only VACUUM can take away: line
 * pointers that indexes may still refer to, or rows that a transaction before
 * this one has deleted, or that were rolled back?
 */
extern bool page_needs_vacuum(Relation rel, Buffer buffer, TransactionId before);

#endif							/* PKT_PAGE_RESIDUE_H */
