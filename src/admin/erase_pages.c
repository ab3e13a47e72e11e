/*
 * erase_pages.c
 *		Overwrites what deleted rows have left in the pages of tables and indexes.
 *
 * A page is looked at under a share lock, and written only if something is to be
 * overwritten.  Generic WAL carries it to standbys: GenericXLogFinish() zeroes
 * what lies between pd_lower and pd_upper, and so does its replay, although the
 * record does not hold it; bytes behind tuples are in the record, as zeros.  A
 * page is changed as a whole or not at all, so that whatever ends the backend
 * leaves pages that are clean and pages that are not yet.
 *
 * How it is decided what is still to be done: src/admin/erase_pages.sql.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/nbtree.h"
#include "access/relation.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "catalog/catalog.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#include "admin/page_residue.h"
#include "admin/separator.h"
#include "base/compat.h"

PG_FUNCTION_INFO_V1(pkt_check_erasable);
PG_FUNCTION_INFO_V1(pkt_wipe_pages);
PG_FUNCTION_INFO_V1(pkt_pages_to_vacuum);

/* A table that its owner, or a superuser, may have overwritten, with its TOAST table. */
static void
check_table(Relation rel)
{
	if (!pkt_class_ownercheck(RelationGetRelid(rel), GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER, get_relkind_objtype(rel->rd_rel->relkind),
					   RelationGetRelationName(rel));
	if (IsCatalogRelation(rel) || rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_rel->relam != HEAP_TABLE_AM_OID ||
		RELATION_IS_OTHER_TEMP(rel))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("cannot overwrite pages of relation \"%s\"",
						RelationGetRelationName(rel)),
				 errdetail("Only heap tables of users are overwritten.")));
}

/*
 * Opens a heap, its TOAST table or one of their B-trees, locked as by one who
 * writes rows: VACUUM goes on beside it, but truncates no file.  NULL: it has gone.
 */
static Relation
open_member(Oid relid, LOCKMODE mode)
{
	Relation	rel = try_relation_open(relid, mode);

	if (rel == NULL)
		return NULL;
	if (rel->rd_rel->relkind == RELKIND_INDEX)
	{
		if (!pkt_class_ownercheck(relid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, RelationGetRelationName(rel));
		if (rel->rd_rel->relam != BTREE_AM_OID || IsCatalogRelation(rel))
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("cannot overwrite pages of index \"%s\"",
							RelationGetRelationName(rel)),
					 errdetail("Only B-tree indexes of users are overwritten.")));
	}
	else if (rel->rd_rel->relkind == RELKIND_TOASTVALUE && !IsCatalogRelation(rel))
	{
		if (!pkt_class_ownercheck(relid, GetUserId()))
			aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(rel));
	}
	else
		check_table(rel);
	return rel;
}

/*
 * pkt_check_erasable
 *		SQL: check_erasable(relation regclass).  Raises an error if it is no heap table of
 *		a user, or not one that the caller owns.
 */
Datum
pkt_check_erasable(PG_FUNCTION_ARGS)
{
	Relation	rel = relation_open(PG_GETARG_OID(0), AccessShareLock);

	check_table(rel);
	relation_close(rel, AccessShareLock);
	PG_RETURN_VOID();
}

/* Overwrites what is left on a page; it is pinned.  Has anything been? */
static bool
wipe_page(Relation rel, Buffer buffer)
{
	GenericXLogState *state;
	Page		copy;
	bool		found;

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	state = GenericXLogStart(rel);
	copy = GenericXLogRegisterBuffer(state, buffer, 0);
	/* it may have changed since it was looked at */
	found = page_residue(rel, BufferGetBlockNumber(buffer), copy, true);
	if (found)
		GenericXLogFinish(state);
	else
		GenericXLogAbort(state);
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return found;
}

static Datum
block_array(List *blocks)
{
	Datum	   *values = palloc(sizeof(Datum) * Max(list_length(blocks), 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, blocks)
		values[n++] = Int64GetDatum((int64) (uint32) lfirst_int(cell));
	return PointerGetDatum(construct_array(values, n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
										   TYPALIGN_DOUBLE));
}

/*
 * pkt_wipe_pages
 *		SQL: wipe_pages(relation regclass, first bigint, max_pages bigint, before xid8)
 *		→ (pages_read, pages_written, next_page, to_vacuum bigint[], keys_left).  Of a
 *		heap, its TOAST table or a B-tree, from that page on, at most so many pages.
 *		next_page is NULL at the end; to_vacuum: pages of a heap with rows that were
 *		deleted before that transaction and that VACUUM has not taken away; keys_left: of
 *		how many pages of a B-tree the high key is that of no row and had to stay.
 */
Datum
pkt_wipe_pages(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	BlockNumber block = (BlockNumber) PG_GETARG_INT64(1);
	int64		max_pages = PG_GETARG_INT64(2);
	TransactionId before = XidFromFullTransactionId(PG_GETARG_FULLTRANSACTIONID(3));
	BufferAccessStrategy strategy = GetAccessStrategy(BAS_BULKREAD);
	int64		pages_read = 0;
	int64		pages_written = 0;
	int64		keys_left = 0;
	List	   *to_vacuum = NIL;
	Separators *separators = NULL;
	Datum		values[5];
	bool		nulls[5] = {false};
	TupleDesc	tupdesc;
	BlockNumber end = 0;
	Relation	rel;

	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rel = open_member(relid, RowExclusiveLock);
	if (rel != NULL)
		end = RelationGetNumberOfBlocks(rel);
	if (rel != NULL && rel->rd_rel->relkind == RELKIND_INDEX)
		separators = separators_open(rel, strategy);
	for (; block < end && pages_read < max_pages; block++)
	{
		bool		left = false;
		bool		written = false;
		Buffer		buffer;
		bool		found;

		CHECK_FOR_INTERRUPTS();
		if (separators != NULL)
			written = separator_replace(separators, block, &left);
		buffer = ReadBufferExtended(rel, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		found = page_residue(rel, block, BufferGetPage(buffer), false);
		if (rel->rd_rel->relkind != RELKIND_INDEX && page_needs_vacuum(rel, buffer, before))
			to_vacuum = lappend_int(to_vacuum, (int) block);
		LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
		pages_read++;
		written |= found && wipe_page(rel, buffer);
		pages_written += written;
		keys_left += left;
		ReleaseBuffer(buffer);
	}
	separators_close(separators);
	FreeAccessStrategy(strategy);
	values[0] = Int64GetDatum(pages_read);
	values[1] = Int64GetDatum(pages_written);
	values[2] = Int64GetDatum((int64) block);
	nulls[2] = block >= end;
	values[3] = block_array(to_vacuum);
	values[4] = Int64GetDatum(keys_left);
	if (rel != NULL)
		relation_close(rel, NoLock);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(tupdesc), values, nulls)));
}

/*
 * pkt_pages_to_vacuum
 *		SQL: pages_to_vacuum(relation regclass, pages bigint[], before xid8) → bigint[].
 *		Which of these pages of a heap still have rows that were deleted before that
 *		transaction and that VACUUM has not taken away?  Those beyond the table's end
 *		have none.
 */
Datum
pkt_pages_to_vacuum(PG_FUNCTION_ARGS)
{
	Relation	rel = open_member(PG_GETARG_OID(0), AccessShareLock);
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(1);
	TransactionId before = XidFromFullTransactionId(PG_GETARG_FULLTRANSACTIONID(2));
	List	   *to_vacuum = NIL;
	BlockNumber end = 0;
	Datum	   *pages;
	int			n;

	if (rel != NULL)
		end = RelationGetNumberOfBlocks(rel);
	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &pages,
					  NULL, &n);
	for (int i = 0; i < n; i++)
	{
		int64		page = DatumGetInt64(pages[i]);
		Buffer		buffer;

		CHECK_FOR_INTERRUPTS();
		if (page < 0 || page >= end)
			continue;
		buffer = ReadBuffer(rel, (BlockNumber) page);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
		if (page_needs_vacuum(rel, buffer, before))
			to_vacuum = lappend_int(to_vacuum, (int) page);
		UnlockReleaseBuffer(buffer);
	}
	if (rel != NULL)
		relation_close(rel, NoLock);
	PG_RETURN_DATUM(block_array(to_vacuum));
}
