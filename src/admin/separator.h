/*
 * separator.h
 *		Keys between the pages of a B-tree that are copies of deleted rows' keys.
 */
#ifndef PKT_SEPARATOR_H
#define PKT_SEPARATOR_H

#include "postgres.h"

#include "storage/block.h"
#include "storage/bufmgr.h"
#include "utils/relcache.h"

/* What is kept while an index is read: its pages above the leaves. */
typedef struct Separators Separators;

extern Separators *separators_open(Relation index, BufferAccessStrategy strategy);
extern bool separator_replace(Separators *separators, BlockNumber block, bool *left);
extern void separators_close(Separators *separators);

#endif							/* PKT_SEPARATOR_H */
