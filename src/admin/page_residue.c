/*
 * page_residue.c
 *		What deleted rows leave in pages of heaps and B-trees.
 *
 * Pruning and VACUUM move the tuples that stay to the end of the page and leave
 * the bytes of the others where they were: between pd_lower and pd_upper, and
 * up to seven bytes behind each tuple, because tuples begin at multiples of
 * eight and PageAddItemExtended() copies their own bytes only.  No tuple of a
 * page overlaps these, and nobody reads them, so an exclusive lock on the buffer
 * suffices to overwrite them: a pin alone gives access to tuples, which stay.
 *
 * The metapage of a B-tree and its deleted pages (BTPageSetDeleted()) have no line
 * pointers; what they keep ends at pd_lower.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/transam.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"

#include "admin/page_residue.h"
#include "base/compat.h"

/* Is any byte of a span not zero?  Zeroes it, if asked. */
static bool
residue_in(char *from, const char *to, bool wipe)
{
	char	   *p = from;

	while (p < to && *p == 0)
		p++;
	if (p == to)
		return false;
	if (wipe)
		memset(p, 0, to - p);
	return true;
}

pg_noreturn static void
raise_damaged_page(Relation rel, BlockNumber block)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("page %u of relation \"%s\" is damaged", block,
					RelationGetRelationName(rel))));
}

/* Has a page no line pointers, although it is initialised? */
static bool
page_without_items(Relation rel, Page page)
{
	BTPageOpaque opaque;

	if (rel->rd_rel->relkind != RELKIND_INDEX)
		return false;
	opaque = BTPageGetOpaque(page);
	return P_ISMETA(opaque) || (P_ISDELETED(opaque) && P_HAS_FULLXID(opaque));
}

/*
 * page_residue
 *		Is there a byte that is not zero and belongs to no tuple?  With wipe, such
 *		bytes become zero.  The page is one of a heap or a B-tree: locked, or a copy.
 *		Raises data_corrupted if its line pointers lead out of it.
 */
bool
page_residue(Relation rel, BlockNumber block, Page page, bool wipe)
{
	PageHeader	header = (PageHeader) page;
	bool		used[BLCKSZ / MAXIMUM_ALIGNOF] = {0};
	OffsetNumber last;
	bool		found;

	if (PageIsNew(page))
		return false;
	if (header->pd_lower < SizeOfPageHeaderData || header->pd_lower > header->pd_upper ||
		header->pd_upper > header->pd_special || header->pd_special > BLCKSZ ||
		header->pd_special != MAXALIGN(header->pd_special))
		raise_damaged_page(rel, block);

	found = residue_in(page + header->pd_lower, page + header->pd_upper, wipe);
	if (page_without_items(rel, page))
		return found;

	last = PageGetMaxOffsetNumber(page);
	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		ItemId		item = PageGetItemId(page, i);
		unsigned	begin = ItemIdGetOffset(item);
		unsigned	end = begin + ItemIdGetLength(item);

		if (!ItemIdHasStorage(item))
			continue;
		if (begin < header->pd_upper || begin != MAXALIGN(begin) || end > header->pd_special)
			raise_damaged_page(rel, block);
		for (unsigned unit = begin / MAXIMUM_ALIGNOF; unit * MAXIMUM_ALIGNOF < end; unit++)
			used[unit] = true;
		found |= residue_in(page + end, page + MAXALIGN(end), wipe);
	}
	for (unsigned at = MAXALIGN(header->pd_upper); at < header->pd_special; at += MAXIMUM_ALIGNOF)
	{
		if (!used[at / MAXIMUM_ALIGNOF])
			found |= residue_in(page + at, page + at + MAXIMUM_ALIGNOF, wipe);
	}
	return found;
}

/*
 * page_needs_vacuum
 *		See page_residue.h.  Of a line pointer that is dead nobody knows since when,
 *		so each counts.
 */
bool
page_needs_vacuum(Relation rel, Buffer buffer, TransactionId before)
{
	Page		page = BufferGetPage(buffer);
	OffsetNumber last;

	if (PageIsNew(page))
		return false;
	last = PageGetMaxOffsetNumber(page);
	for (OffsetNumber i = FirstOffsetNumber; i <= last; i++)
	{
		ItemId		item = PageGetItemId(page, i);
		HeapTupleData tuple;
		TransactionId deleted;

		if (ItemIdIsDead(item))
			return true;
		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		tuple.t_tableOid = RelationGetRelid(rel);
		ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(buffer), i);
		switch (HeapTupleSatisfiesVacuumHorizon(&tuple, buffer, &deleted))
		{
			case HEAPTUPLE_RECENTLY_DEAD:
				break;
			case HEAPTUPLE_DEAD:
				deleted = HeapTupleHeaderGetXmin(tuple.t_data);
				break;
			default:
				continue;
		}
		if (TransactionIdPrecedes(deleted, before))
			return true;
	}
	return false;
}
