/*
 * index.h
 *		Tables that are read by an index and written without the executor.
 */
#ifndef PKT_INDEX_H
#define PKT_INDEX_H

#include "access/htup.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "base/compat.h"

#define INDEX_KEYS_MAX 3

/* What a table of the schema pk_tracking is read by. */
typedef struct IndexKeys
{
	const char *relation;
	int			n;
	const char *columns[INDEX_KEYS_MAX];
} IndexKeys;

extern Relation index_by_keys(Relation rel, const IndexKeys *keys, LOCKMODE mode);
extern RegProcedure index_equality(Relation index, int column);
extern char *index_key_list(const IndexKeys *keys);
pg_noreturn extern void raise_missing_index(const IndexKeys *keys);
extern void table_insert_row(Relation rel, HeapTuple tuple);

#endif							/* PKT_INDEX_H */
