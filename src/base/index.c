/*
 * index.c
 *		Tables that are read by an index and written without the executor.
 *
 * An administrator may give an index another name, build a second one or one of
 * another kind, or break off a REINDEX CONCURRENTLY, which leaves one behind
 * that is not valid.  So an index is found by what it is, not by its name.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "nodes/primnodes.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "base/compat.h"
#include "base/index.h"

/*
 * Does the index hold every row whose keys are not NULL?  Rows with a NULL in a
 * key are never looked for.
 */
static bool
predicate_serves(Relation index, int n)
{
	List	   *predicate = RelationGetIndexPredicate(index);
	ListCell   *lc;

	foreach(lc, predicate)
	{
		NullTest   *test = lfirst(lc);
		bool		of_key = false;

		if (!IsA(test, NullTest) || test->nulltesttype != IS_NOT_NULL || test->argisrow ||
			!IsA(test->arg, Var))
			return false;
		for (int i = 0; i < n; i++)
			of_key |= index->rd_index->indkey.values[i] == ((Var *) test->arg)->varattno;
		if (!of_key)
			return false;
	}
	return true;
}

/* Can rows be found by these keys in it, in ascending order of the last key? */
static bool
index_serves(Relation index, TupleDesc desc, const IndexKeys *keys)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisvalid || !form->indisready || !form->indislive ||
		index->rd_rel->relam != BTREE_AM_OID || form->indnkeyatts < keys->n)
		return false;
	for (int i = 0; i < keys->n; i++)
	{
		AttrNumber	att = form->indkey.values[i];

		if (att <= 0 || index->rd_indoption[i] != 0 ||
			strcmp(NameStr(TupleDescAttr(desc, att - 1)->attname), keys->columns[i]) != 0 ||
			index->rd_opfamily[i] != lookup_type_cache(TupleDescAttr(desc, att - 1)->atttypid,
													   TYPECACHE_BTREE_OPFAMILY)->btree_opf)
			return false;
	}
	return predicate_serves(index, keys->n);
}

/*
 * index_by_keys
 *		Open and lock the index of the table, which is locked, by which its rows
 *		can be found: a btree that is valid and begins with these keys in their
 *		types' own order.  Of several the one with the fewest columns, then the
 *		oldest.  NULL if there is none.
 */
Relation
index_by_keys(Relation rel, const IndexKeys *keys, LOCKMODE mode)
{
	TupleDesc	desc = RelationGetDescr(rel);
	List	   *indexes = RelationGetIndexList(rel);
	Relation	best = NULL;
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), mode);

		if (!index_serves(index, desc, keys) ||
			(best != NULL && best->rd_index->indnatts <= index->rd_index->indnatts))
		{
			index_close(index, mode);
			continue;
		}
		if (best != NULL)
			index_close(best, mode);
		best = index;
		if (best->rd_index->indnatts == keys->n)
			break;
	}
	list_free(indexes);
	return best;
}

/* index_equality: the function that compares keys of this column, from 0, of a btree. */
RegProcedure
index_equality(Relation index, int column)
{
	Oid			type = index->rd_opcintype[column];

	return get_opcode(get_opfamily_member(index->rd_opfamily[column], type, type,
										  BTEqualStrategyNumber));
}

/* index_key_list: the names of the columns, with commas. */
char *
index_key_list(const IndexKeys *keys)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < keys->n; i++)
		appendStringInfo(&buf, "%s%s", i > 0 ? ", " : "", keys->columns[i]);
	return buf.data;
}

/*
 * raise_missing_index
 *		The table has no index by which it could be read.  To read all of it for
 *		each hit would stop the site as well, and to pass over its rows would make
 *		known visitors new ones.
 */
void
raise_missing_index(const IndexKeys *keys)
{
	char	   *list = index_key_list(keys);

	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("relation \"pk_tracking.%s\" has no valid index on (%s)",
					keys->relation, list),
			 errhint("Create one with CREATE INDEX CONCURRENTLY ON pk_tracking.%s (%s).",
					 keys->relation, list)));
}

/* Write a row and its index entries by the executor's means. */
static void
insert_by_executor(Relation rel, HeapTuple tuple)
{
	EState	   *estate = CreateExecutorState();
	ResultRelInfo *result = makeNode(ResultRelInfo);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);

	InitResultRelInfo(result, rel, 0, NULL, 0);
	ExecOpenIndices(result, false);
	simple_heap_insert(rel, tuple);
	ExecStoreHeapTuple(tuple, slot, false);
	slot->tts_tableOid = RelationGetRelid(rel);
	list_free(pkt_insert_index_tuples(result, slot, estate, false, false));
	ExecDropSingleTupleTableSlot(slot);
	ExecCloseIndices(result);
	FreeExecutorState(estate);
}

/*
 * table_insert_row
 *		Write a row of an ordinary table, which is open and locked, as the server
 *		writes its catalogs: no trigger, default or CHECK.  Whatever indexes the
 *		table has are filled.
 */
void
table_insert_row(Relation rel, HeapTuple tuple)
{
	CatalogIndexState indexes = CatalogOpenIndexes(rel);
	bool		plain = true;

	/*
	 * catalogs have no such indexes, so the server's function cannot fill
	 * them
	 */
	for (int i = 0; i < indexes->ri_NumIndices; i++)
	{
		IndexInfo  *info = indexes->ri_IndexRelationInfo[i];

		plain &= info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
			info->ii_ExclusionOps == NULL &&
			indexes->ri_IndexRelationDescs[i]->rd_index->indimmediate;
	}
	if (plain)
		CatalogTupleInsertWithInfo(rel, tuple, indexes);
	CatalogCloseIndexes(indexes);
	if (!plain)
		insert_by_executor(rel, tuple);
}
