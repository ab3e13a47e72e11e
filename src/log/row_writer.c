/*
 * row_writer.c
 *		Writes rows of a plain table without a statement for each.
 *
 * An INSERT of one row spends most of its time in starting and ending the
 * executor.  A table that has nothing that needs the executor (triggers, rules,
 * generated columns, defaults of further columns, partitions) is
 * written here by the table's and the indexes' own methods, as COPY does it.
 * CHECKs and NOT NULL are left to the executor, and skipped where it is proven
 * that they hold.  See doc/internals.md, "Bulk writing".
 */
#include "postgres.h"

#include "access/brin.h"
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/hexid.h"
#include "log/row_writer.h"

/* numeric(9,6), as the coordinates are declared and made */
#define DEGREES_TYPMOD (((9 << 16) | 6) + VARHDRSZ)

/* A column whose value is known. */
typedef struct KnownColumn
{
	AttrNumber	att;
	int16		value;
} KnownColumn;

/* Put a column's value in place of the column. */
static Node *
fill_in(Node *node, void *context)
{
	KnownColumn *known = context;

	if (node == NULL)
		return NULL;
	if (IsA(node, Var) && ((Var *) node)->varattno == known->att)
		return (Node *) makeConst(INT2OID, -1, InvalidOid, sizeof(int16),
								  Int16GetDatum(known->value), false, true);
	return expression_tree_mutator(node, fill_in, context);
}

/* Is the CHECK true for every row with this consent? */
static bool
check_holds(const char *check, AttrNumber consent, int16 value)
{
	KnownColumn known = {consent, value};
	Node	   *result = eval_const_expressions(NULL, fill_in(stringToNode(check), &known));

	return IsA(result, Const) && !((Const *) result)->constisnull &&
		DatumGetBool(((Const *) result)->constvalue);
}

/*
 * row_writer_marks
 *		Is the function the trigger of mark.c, which passes over what is written here?
 */
bool
row_writer_marks(Oid funcid)
{
	char	   *name = get_func_name(funcid);

	return name != NULL && strcmp(name, "mark_changes") == 0 &&
		get_func_namespace(funcid) == get_namespace_oid("pk_tracking_internal", true);
}

/*
 * Does inserting or updating rows fire a trigger?  Ours passes over the engine's
 * statements, so it need not be fired.
 */
static bool
has_triggers(Relation rel)
{
	List	   *functions = NIL;
	ListCell   *lc;

	/* looking functions up may rebuild what hangs on rel: collect them first */
	for (int i = 0; rel->trigdesc != NULL && i < rel->trigdesc->numtriggers; i++)
	{
		const Trigger *t = &rel->trigdesc->triggers[i];

		if (TRIGGER_FOR_INSERT(t->tgtype) || TRIGGER_FOR_UPDATE(t->tgtype))
			functions = lappend_oid(functions, t->tgfoid);
	}
	foreach(lc, functions)
	{
		if (!row_writer_marks(lfirst_oid(lc)))
			return true;
	}
	return false;
}

/*
 * Why rows of the table must be written by the executor, whatever its columns
 * are; NULL if they need not.  Row security does not hold for the owner here,
 * even if it is forced (engine_enter()).
 */
static const char *
table_needs_executor(Relation rel, Oid owner)
{
	Oid			relid = RelationGetRelid(rel);

	if (rel->rd_rel->relkind != RELKIND_RELATION || rel->rd_rel->relispartition)
		return "it is partitioned, or no ordinary table";
	if (rel->rd_rel->relam != HEAP_TABLE_AM_OID)
		return "its access method is not heap";
	if (rel->rd_rel->relowner != owner)
		return "its owner is not that of log_visit";
	if (pg_class_aclcheck(relid, owner, ACL_INSERT) != ACLCHECK_OK ||
		pg_class_aclcheck(relid, owner, ACL_UPDATE) != ACLCHECK_OK ||
		pg_class_aclcheck(relid, owner, ACL_SELECT) != ACLCHECK_OK)
		return "its owner lacks privileges on it";
	if (rel->rd_rules != NULL)
		return "it has rules";
	if (has_triggers(rel))
		return "it has triggers";
	return NULL;
}

/*
 * Fill where the columns stand.  Why rows must be written by the executor, or
 * NULL.  given: set for the columns that we write.
 */
static const char *
read_columns(RowShape *shape, const ColumnTable *columns, Oid relid, TupleDesc desc, bool *given)
{
	const char *statements = NULL;

	for (int i = 0; i < columns->n; i++)
	{
		const Column *c = &columns->columns[i];
		Oid			type = OidIsValid(column_type(c)) ? column_type(c) : hexid_type_oid();
		Form_pg_attribute att;

		shape->att[i] = get_attnum(relid, c->name);
		if (shape->att[i] <= 0 || shape->att[i] > desc->natts)
		{
			statements = "it lacks a column";
			continue;
		}
		given[shape->att[i]] = true;
		att = TupleDescAttr(desc, shape->att[i] - 1);
		if (att->atttypid != type ||
			(att->atttypmod != -1 && (type != NUMERICOID || att->atttypmod != DEGREES_TYPMOD)))
			statements = "a column has another type than create_log() gives it";
		if (strcmp(c->name, "consent") == 0 && att->atttypid == INT2OID)
			shape->consent = shape->att[i];
	}
	return statements;
}

/*
 * The column that the index's predicate wants to be NOT NULL; 0 if the predicate
 * says more than that of one column.
 */
static AttrNumber
predicate_column(List *predicate)
{
	NullTest   *test = list_length(predicate) == 1 ? linitial(predicate) : NULL;

	if (test != NULL && IsA(test, NullTest) && test->nulltesttype == IS_NOT_NULL &&
		!test->argisrow && IsA(test->arg, Var))
		return ((Var *) test->arg)->varattno;
	return 0;
}

/* The indexes that a row without a value in one column does not belong into. */
static void
read_partial(RowShape *shape, Relation rel)
{
	List	   *indexes = RelationGetIndexList(rel);
	ListCell   *lc;

	foreach(lc, indexes)
	{
		Relation	index = index_open(lfirst_oid(lc), AccessShareLock);
		AttrNumber	att = predicate_column(RelationGetIndexPredicate(index));

		if (att > 0 && shape->n_partial < PARTIAL_INDEXES)
		{
			shape->partial[shape->n_partial].index = lfirst_oid(lc);
			shape->partial[shape->n_partial++].att = att;
		}
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
}

/*
 * row_shape_read
 *		Where the columns stand in their table, and whether its rows may be
 *		written here.  owner: the role that writes.
 */
void
row_shape_read(RowShape *shape, const ColumnTable *columns, Oid relid, Oid owner)
{
	Relation	rel = table_open(relid, AccessShareLock);
	TupleDesc	desc = CreateTupleDescCopyConstr(RelationGetDescr(rel));
	bool	   *given = palloc0_array(bool, desc->natts + 1);
	const char *of_table = table_needs_executor(rel, owner);
	const char *of_columns;
	bool		holds = true;

	memset(shape, 0, sizeof(RowShape));
	read_partial(shape, rel);
	table_close(rel, AccessShareLock);
	of_columns = read_columns(shape, columns, relid, desc, given);
	shape->may_end_early = true;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		/*
		 * there, what a row leaves out is read as the default that the column
		 * came with
		 */
		shape->may_end_early &= !att->atthasmissing;
		if (att->attisdropped)
			continue;
		/* only the executor knows defaults, identities, generated columns */
		if (att->attgenerated != '\0' || att->attidentity != '\0' ||
			(!given[i + 1] && att->atthasdef))
			of_columns = "a column has a default, an identity or an expression";
		if (att->attnotnull)
		{
			if (shape->n_not_null < KEPT_PLAN_ARGS)
				shape->not_null[shape->n_not_null++] = i + 1;
			else
				of_columns = "too many columns are NOT NULL";
		}
	}
	if (desc->constr != NULL)
	{
		for (int i = 0; i < desc->constr->num_check; i++)
		{
			const char *check = desc->constr->check[i].ccbin;

			holds &= shape->consent != 0 && check_holds(check, shape->consent, 0) &&
				check_holds(check, shape->consent, 1);
		}
	}
	shape->statements = of_table != NULL ? of_table : of_columns;
	shape->checks_hold = holds;
}

/*
 * row_writer_open, row_writer_close
 *		rel is open and locked, and stays so; at_once: how many rows are written
 *		together.  Everything lives in the current memory context, which must
 *		live to the end.
 */
void
row_writer_open(RowWriter *w, const RowShape *shape, Relation rel, int at_once)
{
	int			natts = RelationGetDescr(rel)->natts;

	w->shape = shape;
	w->rel = rel;
	w->context = CurrentMemoryContext;
	w->estate = NULL;
	w->indexes = NULL;
	w->plain_indexes = false;
	w->early = palloc0_array(TupleDesc, natts + 1);
	w->read = NULL;
	w->n_slots = at_once;
	w->slots = palloc0_array(TupleTableSlot *, at_once);
	/* a copy counts no references, of which many slots would make many */
	w->slot_desc = RelationGetDescr(rel);
	if (at_once > 1)
		w->slot_desc = CreateTupleDescCopy(w->slot_desc);
	w->values = palloc_array(Datum, natts);
	w->nulls = palloc_array(bool, natts);
	w->replace = palloc_array(bool, natts);
}

/*
 * Fill what is needed to put rows into an index without the executor.  False if
 * the index needs the executor: for expressions, other predicates, exclusion
 * constraints and deferred uniqueness.
 */
static bool
read_index(RowIndex *index, Relation rel, IndexInfo *info)
{
	memset(index, 0, sizeof(RowIndex));
	index->rel = rel;
	index->info = info;
	index->range = InvalidBlockNumber;
	if (info->ii_Expressions != NIL || info->ii_ExclusionOps != NULL ||
		!rel->rd_index->indimmediate)
		return false;
	if (info->ii_Predicate != NIL)
	{
		index->not_null = predicate_column(info->ii_Predicate);
		if (index->not_null <= 0)
			return false;
	}
	for (int i = 0; i < info->ii_NumIndexAttrs; i++)
	{
		if (info->ii_IndexAttrNumbers[i] <= 0)
			return false;
	}
	if (rel->rd_rel->relam == BRIN_AM_OID && info->ii_NumIndexAttrs == 1 &&
		rel->rd_opcintype[0] == TIMESTAMPTZOID &&
		rel->rd_opfamily[0] == get_opfamily_oid(BRIN_AM_OID,
												list_make2(makeString("pg_catalog"),
														   makeString("datetime_minmax_ops")),
												true))
	{
		index->minmax = true;
		index->pages = BrinGetPagesPerRange(rel);
	}
	return true;
}

/* Does no row of these belong into the index? */
static bool
is_for_others(const RowShape *shape, Oid index, HeapTuple *tuples, int n)
{
	for (int i = 0; i < shape->n_partial; i++)
	{
		if (shape->partial[i].index != index)
			continue;
		for (int k = 0; k < n; k++)
		{
			if (!heap_attisnull(tuples[k], shape->partial[i].att, NULL))
				return false;
		}
		return true;
	}
	return false;
}

/* Can the indexes that were left out stay closed for these rows, too? */
static bool
has_enough_indexes(RowWriter *w, HeapTuple *tuples, int n)
{
	if (w->all_indexes)
		return true;
	if (n == 0)
		return false;
	for (int i = 0; i < w->shape->n_partial; i++)
	{
		if (!is_for_others(w->shape, w->shape->partial[i].index, tuples, n))
			return false;
	}
	return true;
}

/* As ExecOpenIndices(), without the indexes that none of the n rows belongs into. */
static void
open_indexes(RowWriter *w, HeapTuple *tuples, int n)
{
	List	   *oids = RelationGetIndexList(w->rel);
	ResultRelInfo *result = w->result;
	ListCell   *lc;

	result->ri_IndexRelationDescs = palloc_array(Relation, list_length(oids) + 1);
	result->ri_IndexRelationInfo = palloc_array(IndexInfo *, list_length(oids) + 1);
	result->ri_NumIndices = 0;
	w->all_indexes = true;
	foreach(lc, oids)
	{
		Relation	index;

		if (n > 0 && is_for_others(w->shape, lfirst_oid(lc), tuples, n))
		{
			w->all_indexes = false;
			continue;
		}
		index = index_open(lfirst_oid(lc), RowExclusiveLock);
		result->ri_IndexRelationDescs[result->ri_NumIndices] = index;
		result->ri_IndexRelationInfo[result->ri_NumIndices++] = BuildIndexInfo(index);
	}
	list_free(oids);
}

/*
 * Open the executor's view of the table; an update that touches no index needs none.
 * For n rows of which none belongs into some index that stays closed, as it costs a new
 * visit a fiftieth to open one; n is 0 where all are needed.
 */
static void
open_result(RowWriter *w, HeapTuple *tuples, int n)
{
	MemoryContext old;

	if (w->estate != NULL)
	{
		if (has_enough_indexes(w, tuples, n))
			return;
		ExecCloseIndices(w->result);
	}
	old = MemoryContextSwitchTo(w->context);
	if (w->estate == NULL)
	{
		TriggerDesc *triggers = w->rel->trigdesc;

		/*
		 * The table's triggers are fired by DELETE and TRUNCATE alone (see
		 * table_needs_executor()), and without them nothing here allocates or
		 * raises: do not copy them for each row.
		 */
		w->estate = CreateExecutorState();
		w->result = makeNode(ResultRelInfo);
		w->rel->trigdesc = NULL;
		InitResultRelInfo(w->result, w->rel, 0, NULL, 0);
		w->rel->trigdesc = triggers;
	}
	open_indexes(w, tuples, n);

	w->indexes = palloc_array(RowIndex, w->result->ri_NumIndices + 1);
	w->plain_indexes = true;
	for (int i = 0; i < w->result->ri_NumIndices; i++)
	{
		IndexInfo  *info = w->result->ri_IndexRelationInfo[i];

		/* as the executor does with one that is not ready */
		w->plain_indexes &= info->ii_ReadyForInserts &&
			read_index(&w->indexes[i], w->result->ri_IndexRelationDescs[i], info);
	}
	MemoryContextSwitchTo(old);
}

void
row_writer_close(RowWriter *w)
{
	for (int i = 0; i < w->n_slots && w->slots[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(w->slots[i]);
	if (w->read != NULL)
		ExecDropSingleTupleTableSlot(w->read);
	if (w->estate != NULL)
	{
		ExecCloseIndices(w->result);
		FreeExecutorState(w->estate);
	}
}

/* A slot for rows that are to be written; they are made in their order. */
static TupleTableSlot *
slot_for_row(RowWriter *w, int i)
{
	if (w->slots[i] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(w->context);

		w->slots[i] = MakeSingleTupleTableSlot(w->slot_desc, &TTSOpsHeapTuple);
		MemoryContextSwitchTo(old);
	}
	return w->slots[i];
}

/* The table's first n columns. */
static TupleDesc
early_desc(RowWriter *w, int n)
{
	if (w->early[n] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(w->context);
		TupleDesc	desc = CreateTemplateTupleDesc(n);

		for (int i = 1; i <= n; i++)
			TupleDescCopyEntry(desc, i, RelationGetDescr(w->rel), i);
		w->early[n] = desc;
		MemoryContextSwitchTo(old);
	}
	return w->early[n];
}

/*
 * row_writer_form
 *		A row of the table's first n columns, in the order of its ColumnTable
 *		('n': NULL); further columns are NULL.  In the current memory context.
 */
HeapTuple
row_writer_form(RowWriter *w, const Datum *values, const char *nulls, int n)
{
	TupleDesc	desc = RelationGetDescr(w->rel);
	int			last = 0;

	memset(w->nulls, true, desc->natts * sizeof(bool));
	for (int i = 0; i < n; i++)
	{
		int			at = w->shape->att[i] - 1;

		if (nulls[i] == 'n')
			continue;
		w->values[at] = values[i];
		w->nulls[at] = false;
		last = Max(last, at);
	}
	return heap_form_tuple(w->shape->may_end_early ? early_desc(w, last + 1) : desc,
						   w->values, w->nulls);
}

/* row_writer_change: the row with other values in some columns. */
HeapTuple
row_writer_change(RowWriter *w, HeapTuple tuple, const AttrNumber *att,
				  const Datum *values, const char *nulls, int n)
{
	memset(w->replace, false, RelationGetDescr(w->rel)->natts * sizeof(bool));
	for (int i = 0; i < n; i++)
	{
		int			at = att[i] - 1;

		w->values[at] = values[i];
		w->nulls[at] = nulls[i] == 'n';
		w->replace[at] = true;
	}
	return heap_modify_tuple(tuple, RelationGetDescr(w->rel), w->values, w->nulls, w->replace);
}

/* Do CHECKs and NOT NULL hold?  Raises if not. */
static void
check_row(RowWriter *w, TupleTableSlot *slot, HeapTuple tuple)
{
	TupleDesc	desc = RelationGetDescr(w->rel);
	bool		sure = w->shape->checks_hold;

	if (sure && w->shape->consent != 0)
	{
		bool		isnull;
		int16		consent = DatumGetInt16(heap_getattr(tuple, w->shape->consent, desc, &isnull));

		sure = !isnull && (consent == 0 || consent == 1);
	}
	if (HeapTupleHasNulls(tuple))
	{
		for (int i = 0; i < w->shape->n_not_null; i++)
			sure &= !heap_attisnull(tuple, w->shape->not_null[i], desc);
	}
	if (!sure && desc->constr != NULL)
	{
		open_result(w, &tuple, 1);
		ExecConstraints(w->result, slot, w->estate);
	}
}

static void
add_to_indexes(RowWriter *w, TupleTableSlot *slot, bool update, bool only_summarizing)
{
	open_result(w, NULL, 0);
	if (w->result->ri_NumIndices > 0)
		list_free(pkt_insert_index_tuples(w->result, slot, w->estate, update, only_summarizing));
	ResetPerTupleExprContext(w->estate);
}

/*
 * Does the summary of the block's range include this time for sure?  It does if
 * a row of the same range with an equal or earlier time, and one with an equal
 * or later time, were put into the index before: a summary only ever grows, and
 * a new one is made of all rows of the range, those two among them.
 */
static bool
is_summarised(RowIndex *index, BlockNumber block, TimestampTz time)
{
	BlockNumber range = block / index->pages;

	if (index->range == range && time >= index->least && time <= index->greatest)
		return true;
	if (index->range != range)
	{
		index->range = range;
		index->least = index->greatest = time;
	}
	else
	{
		index->least = Min(index->least, time);
		index->greatest = Max(index->greatest, time);
	}
	return false;
}

/* Put the rows of the first n slots into one index. */
static void
fill_index(RowWriter *w, RowIndex *index, int n)
{
	IndexInfo  *info = index->info;
	IndexUniqueCheck unique = index->rel->rd_index->indisunique ?
		UNIQUE_CHECK_YES : UNIQUE_CHECK_NO;
	Datum		values[INDEX_MAX_KEYS];
	bool		nulls[INDEX_MAX_KEYS];
	MemoryContext old = MemoryContextSwitchTo(GetPerTupleMemoryContext(w->estate));

	for (int i = 0; i < n; i++)
	{
		TupleTableSlot *slot = w->slots[i];

		if (index->not_null > 0 &&
			heap_attisnull(((HeapTupleTableSlot *) slot)->tuple, index->not_null, NULL))
			continue;
		for (int k = 0; k < info->ii_NumIndexAttrs; k++)
			values[k] = slot_getattr(slot, info->ii_IndexAttrNumbers[k], &nulls[k]);
		if (index->minmax && !nulls[0] &&
			is_summarised(index, ItemPointerGetBlockNumber(&slot->tts_tid),
						  DatumGetTimestampTz(values[0])))
			continue;
		(void) index_insert(index->rel, values, nulls, &slot->tts_tid, w->rel, unique, false, info);
		ResetPerTupleExprContext(w->estate);
	}
	MemoryContextSwitchTo(old);
}

/*
 * row_writer_insert
 *		Write n rows, at most at_once of row_writer_open().  t_self of a
 *		single tuple is set to its place; several tuples are freed.  To see the
 *		rows the caller does CommandCounterIncrement().
 */
void
row_writer_insert(RowWriter *w, HeapTuple *tuples, int n)
{
	CommandId	cid = GetCurrentCommandId(true);

	Assert(n <= w->n_slots);
	for (int i = 0; i < n; i++)
	{
		TupleTableSlot *slot = slot_for_row(w, i);

		ExecStoreHeapTuple(tuples[i], slot, n > 1);
		slot->tts_tableOid = RelationGetRelid(w->rel);
		check_row(w, slot, tuples[i]);
	}
	if (n == 1)
	{
		heap_insert(w->rel, tuples[0], cid, 0, NULL);
		w->slots[0]->tts_tid = tuples[0]->t_self;
	}
	else
	{
		MemoryContext old;

		open_result(w, NULL, 0);
		old = MemoryContextSwitchTo(GetPerTupleMemoryContext(w->estate));
		heap_multi_insert(w->rel, w->slots, n, cid, 0, NULL);
		MemoryContextSwitchTo(old);
	}
	open_result(w, tuples, n > 1 ? 0 : 1);
	if (w->plain_indexes)
	{
		for (int i = 0; i < w->result->ri_NumIndices; i++)
			fill_index(w, &w->indexes[i], n);
	}
	else
	{
		for (int i = 0; i < n; i++)
			add_to_indexes(w, w->slots[i], false, false);
	}
	for (int i = 0; i < n; i++)
		ExecClearTuple(w->slots[i]);
}

/*
 * row_writer_read
 *		The row at tid, written by transaction xmin; NULL if that is not the
 *		newest version that this transaction may see.  Valid until the next
 *		call.
 */
HeapTuple
row_writer_read(RowWriter *w, ItemPointer tid, TransactionId xmin)
{
	HeapTuple	tuple;

	if (w->read == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(w->context);

		w->read = table_slot_create(w->rel, NULL);
		MemoryContextSwitchTo(old);
	}
	if (!table_tuple_fetch_row_version(w->rel, tid, SnapshotSelf, w->read))
		return NULL;
	tuple = ExecFetchSlotHeapTuple(w->read, false, NULL);
	return HeapTupleHeaderGetRawXmin(tuple->t_data) == xmin ? tuple : NULL;
}

/*
 * row_writer_update
 *		Write the row in place of the version at tid; false if that is not the
 *		newest any more.  tuple->t_self is set to its new place.  Error:
 *		serialization_failure if the transaction's snapshot does not show the
 *		version (REPEATABLE READ, SERIALIZABLE).
 */
bool
row_writer_update(RowWriter *w, ItemPointer tid, HeapTuple tuple)
{
	TupleTableSlot *slot = slot_for_row(w, 0);
	Snapshot	crosscheck = IsolationUsesXactSnapshot() ?
		GetTransactionSnapshot() : InvalidSnapshot;
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result	result;
	pkt_update_indexes indexes;

	/*
	 * raises the executor's error for a published table without a replica
	 * identity
	 */
	CheckCmdReplicaIdentity(w->rel, CMD_UPDATE);
	ExecStoreHeapTuple(tuple, slot, false);
	slot->tts_tableOid = RelationGetRelid(w->rel);
	check_row(w, slot, tuple);
	result = table_tuple_update(w->rel, tid, slot, GetCurrentCommandId(true), InvalidSnapshot,
								crosscheck, true, &failure, &mode, &indexes);
	if (result == TM_Ok)
	{
		if (pkt_any_index(indexes))
			add_to_indexes(w, slot, true, pkt_only_summarizing(indexes));
		tuple->t_self = slot->tts_tid;
	}
	ExecClearTuple(slot);
	if (result != TM_Ok && IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not serialize access due to concurrent update")));
	return result == TM_Ok;
}
