/*
 * separator.c
 *		Keys between the pages of a B-tree that are copies of deleted rows' keys.
 *
 * When a page is split, the key between its halves is copied from the row that comes
 * first on the right: as the high key of the left page, and into the page above, with
 * the link to the right page.  Suffix truncation leaves whole columns of it.  VACUUM
 * never changes it, so it outlives its row.
 *
 * It may be replaced by any key that lies between the last row of the left page and
 * the first one of the right page, and that is not greater.  (Whoever has read the
 * greater key above, and comes down to the left page with a key that now belongs to
 * the right one, moves right, as after a split.  With a key that was made greater, one
 * would come down to the right page and never look at the left one.)  The key of the
 * last row of the left page, with its TID, is such a key: the server itself makes it
 * where rows on both sides of a split are equal (_bt_truncate()).
 *
 * The copies lie in the left leaf; in the page above if that has both links; else as
 * the high key there and in the page above that, and so on.  All are changed in one
 * WAL record, so that no page ever disagrees with another.  Buffers are locked from
 * the leaves upwards, as splits and deletions of pages do; the right page is not
 * needed.  If a copy is not where it is expected, because the tree is being changed,
 * or if a page has no room for the longer key, nothing is changed.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/itup.h"
#include "access/nbtree.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/predicate.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/rel.h"

#include "admin/page_residue.h"
#include "admin/separator.h"
#include "base/compat.h"

/* An entry of the map from a page to the page above with the link to it. */
typedef struct Parent
{
	BlockNumber child;
	BlockNumber parent;
} Parent;

struct Separators
{
	Relation	index;
	BufferAccessStrategy strategy;
	HTAB	   *parents;		/* NULL until it is needed */
};

/* A place where a copy of the key lies. */
typedef struct Copy
{
	Buffer		buffer;
	OffsetNumber offset;
} Copy;

/* Do types of keys tell nobody apart: numbers and times? */
static bool
is_plain_number(Oid type)
{
	switch (type)
	{
		case BOOLOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return true;
		default:
			return false;
	}
}

static Buffer
read_page(Separators *separators, BlockNumber block, int mode)
{
	Buffer		buffer = ReadBufferExtended(separators->index, MAIN_FORKNUM, block, RBM_NORMAL,
											separators->strategy);

	LockBuffer(buffer, mode);
	return buffer;
}

/*
 * separators_open
 *		Prepares the replacement of an index's keys.  NULL if there is nothing to
 *		replace: the keys are numbers and times, or the index is of a version whose
 *		keys have no TID.
 */
Separators *
separators_open(Relation index, BufferAccessStrategy strategy)
{
	TupleDesc	tupdesc = RelationGetDescr(index);
	Separators *separators;
	bool		names = false;
	Buffer		buffer;
	uint32		version;

	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
		names |= !is_plain_number(TupleDescAttr(tupdesc, i)->atttypid);
	if (!names || RelationGetNumberOfBlocks(index) == 0)
		return NULL;
	separators = palloc0(sizeof(Separators));
	separators->index = index;
	separators->strategy = strategy;
	buffer = read_page(separators, BTREE_METAPAGE, BT_READ);
	version = BTPageGetMeta(BufferGetPage(buffer))->btm_version;
	UnlockReleaseBuffer(buffer);
	if (version < BTREE_VERSION)
	{
		pfree(separators);
		return NULL;
	}
	return separators;
}

void
separators_close(Separators *separators)
{
	if (separators == NULL)
		return;
	if (separators->parents != NULL)
		hash_destroy(separators->parents);
	pfree(separators);
}

/* Walks along a level and notes its links; returns the first page of the level below. */
static BlockNumber
note_level(Separators *separators, BlockNumber block)
{
	BlockNumber below = P_NONE;

	while (block != P_NONE)
	{
		Buffer		buffer;
		Page		page;
		BTPageOpaque opaque;
		OffsetNumber last;

		CHECK_FOR_INTERRUPTS();
		buffer = read_page(separators, block, BT_READ);
		page = BufferGetPage(buffer);
		opaque = BTPageGetOpaque(page);
		if (P_ISLEAF(opaque))
		{
			UnlockReleaseBuffer(buffer);
			break;
		}
		last = P_IGNORE(opaque) ? InvalidOffsetNumber : PageGetMaxOffsetNumber(page);
		for (OffsetNumber i = P_FIRSTDATAKEY(opaque); i <= last; i++)
		{
			IndexTuple	tuple = (IndexTuple) PageGetItem(page, PageGetItemId(page, i));
			BlockNumber child = BTreeTupleGetDownLink(tuple);
			Parent	   *entry = hash_search(separators->parents, &child, HASH_ENTER, NULL);

			entry->parent = block;
			if (below == P_NONE)
				below = child;
		}
		block = opaque->btpo_next;
		UnlockReleaseBuffer(buffer);
	}
	return below;
}

/* Reads the pages above the leaves, once. */
static void
note_parents(Separators *separators)
{
	HASHCTL		info = {.keysize = sizeof(BlockNumber),.entrysize = sizeof(Parent)};
	Buffer		buffer = read_page(separators, BTREE_METAPAGE, BT_READ);
	BlockNumber level = BTPageGetMeta(BufferGetPage(buffer))->btm_root;

	UnlockReleaseBuffer(buffer);
	separators->parents = hash_create("pk_tracking pages above", 1024, &info,
									  HASH_ELEM | HASH_BLOBS);
	while (level != P_NONE)
		level = note_level(separators, level);
}

/* Does a tuple begin with the columns that a key has? */
static bool
has_key(Relation index, IndexTuple tuple, IndexTuple key)
{
	TupleDesc	tupdesc = RelationGetDescr(index);
	int			natts = BTreeTupleGetNAtts(key, index);

	for (int i = 1; i <= natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i - 1);
		bool		null_a;
		bool		null_b;
		Datum		a = index_getattr(key, i, tupdesc, &null_a);
		Datum		b = index_getattr(tuple, i, tupdesc, &null_b);

		if (null_a != null_b ||
			(!null_a && !datum_image_eq(a, b, att->attbyval, att->attlen)))
			return false;
	}
	return true;
}

/* The high key of a leaf that has one and is in use; else NULL. */
static IndexTuple
high_key(Page page)
{
	BTPageOpaque opaque;

	if (PageIsNew(page))
		return NULL;
	opaque = BTPageGetOpaque(page);
	if (P_ISMETA(opaque) || !P_ISLEAF(opaque) || P_RIGHTMOST(opaque) || P_IGNORE(opaque) ||
		P_INCOMPLETE_SPLIT(opaque))
		return NULL;
	return (IndexTuple) PageGetItem(page, PageGetItemId(page, P_HIKEY));
}

/* The last row of a page with a high key; NULL if there is none. */
static IndexTuple
last_row(Page page)
{
	OffsetNumber last = PageGetMaxOffsetNumber(page);

	if (last < P_FIRSTKEY)
		return NULL;
	return (IndexTuple) PageGetItem(page, PageGetItemId(page, last));
}

/* Has the first row of a page this key? */
static bool
first_row_has_key(Separators *separators, BlockNumber block, IndexTuple key)
{
	Buffer		buffer = read_page(separators, block, BT_READ);
	Page		page = BufferGetPage(buffer);
	BTPageOpaque opaque = BTPageGetOpaque(page);
	bool		has = false;

	if (P_ISLEAF(opaque) && !P_IGNORE(opaque) &&
		PageGetMaxOffsetNumber(page) >= P_FIRSTDATAKEY(opaque))
		has = has_key(separators->index,
					  (IndexTuple) PageGetItem(page, PageGetItemId(page, P_FIRSTDATAKEY(opaque))),
					  key);
	UnlockReleaseBuffer(buffer);
	return has;
}

/* A key that is the last row's, with its TID. */
static IndexTuple
key_of_row(Relation index, IndexTuple row)
{
	int			natts = IndexRelationGetNumberOfKeyAttributes(index);
	IndexTuple	source = row;
	IndexTuple	key;
	Size		size;
	Size		total;

	if (natts < IndexRelationGetNumberOfAttributes(index))
		source = index_truncate_tuple(RelationGetDescr(index), row, natts);
	size = BTreeTupleIsPosting(source) ? BTreeTupleGetPostingOffset(source) :
		IndexTupleSize(source);
	total = MAXALIGN(size) + MAXALIGN(sizeof(ItemPointerData));
	key = palloc0(total);
	memcpy(key, source, size);
	key->t_info &= ~(INDEX_SIZE_MASK | INDEX_ALT_TID_MASK);
	key->t_info |= total;
	BTreeTupleSetNAtts(key, natts, true);
	ItemPointerCopy(BTreeTupleGetMaxHeapTID(row), BTreeTupleGetHeapTID(key));
	return key;
}

/* Are two keys the same but for their links? */
static bool
same_key(IndexTuple a, IndexTuple b)
{
	return IndexTupleSize(a) == IndexTupleSize(b) && a->t_info == b->t_info &&
		ItemPointerGetOffsetNumberNoCheck(&a->t_tid) ==
		ItemPointerGetOffsetNumberNoCheck(&b->t_tid) &&
		memcmp((char *) a + sizeof(IndexTupleData), (char *) b + sizeof(IndexTupleData),
			   IndexTupleSize(a) - sizeof(IndexTupleData)) == 0;
}

/* Where on a page is the link to another?  InvalidOffsetNumber: nowhere. */
static OffsetNumber
find_link(Page page, BlockNumber child)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);

	if (P_ISLEAF(opaque) || P_IGNORE(opaque) || P_ISMETA(opaque))
		return InvalidOffsetNumber;
	for (OffsetNumber i = P_FIRSTDATAKEY(opaque); i <= PageGetMaxOffsetNumber(page); i++)
	{
		IndexTuple	tuple = (IndexTuple) PageGetItem(page, PageGetItemId(page, i));

		if (BTreeTupleGetDownLink(tuple) == child)
			return i;
	}
	return InvalidOffsetNumber;
}

/*
 * Finds the copies of a key above the leaves, between a page and the one on its right,
 * and locks their pages.  copies[0] is that of the leaf.  Returns how many there are, 0
 * if they could not be found; n_locked says how many buffers are locked in either case.
 */
static int
lock_copies(Separators *separators, BlockNumber right, IndexTuple key, Copy *copies,
			int *n_locked)
{
	while (*n_locked < MAX_GENERIC_XLOG_PAGES)
	{
		Parent	   *entry = hash_search(separators->parents, &right, HASH_FIND, NULL);
		OffsetNumber offset;
		BTPageOpaque opaque;
		BlockNumber left;
		Buffer		buffer;
		Page		page;

		if (entry == NULL)
			return 0;
		buffer = read_page(separators, entry->parent, BT_WRITE);
		page = BufferGetPage(buffer);
		opaque = BTPageGetOpaque(page);
		offset = PageIsNew(page) ? InvalidOffsetNumber : find_link(page, right);
		if (offset != InvalidOffsetNumber && offset > P_FIRSTDATAKEY(opaque))
		{
			copies[*n_locked] = (Copy)
			{
				buffer, offset
			};
			(*n_locked)++;
			return same_key(key, (IndexTuple) PageGetItem(page, PageGetItemId(page, offset)))
				? *n_locked : 0;
		}
		left = offset == InvalidOffsetNumber ? P_NONE : opaque->btpo_prev;
		right = entry->parent;
		UnlockReleaseBuffer(buffer);
		if (left == P_NONE)
			return 0;

		/* the first link of its page has no key: the page on the left has it */
		buffer = read_page(separators, left, BT_WRITE);
		page = BufferGetPage(buffer);
		opaque = BTPageGetOpaque(page);
		copies[*n_locked] = (Copy)
		{
			buffer, P_HIKEY
		};
		(*n_locked)++;
		if (PageIsNew(page) || P_ISLEAF(opaque) || P_IGNORE(opaque) || P_INCOMPLETE_SPLIT(opaque) ||
			opaque->btpo_next != right ||
			!same_key(key, (IndexTuple) PageGetItem(page, PageGetItemId(page, P_HIKEY))))
			return 0;
	}
	return 0;
}

/* Overwrites all copies in one record; false, and nothing is done, if one has no room. */
static bool
write_copies(Relation index, const Copy *copies, int n, IndexTuple key)
{
	GenericXLogState *state = GenericXLogStart(index);

	for (int i = 0; i < n; i++)
	{
		Page		page = GenericXLogRegisterBuffer(state, copies[i].buffer, 0);
		IndexTuple	old = (IndexTuple) PageGetItem(page, PageGetItemId(page, copies[i].offset));

		BTreeTupleSetDownLink(key, BTreeTupleGetDownLink(old));
		if (!PageIndexTupleOverwrite(page, copies[i].offset, (Item) key, IndexTupleSize(key)))
		{
			GenericXLogAbort(state);
			return false;
		}
		(void) page_residue(index, BufferGetBlockNumber(copies[i].buffer), page, true);
	}
	GenericXLogFinish(state);
	return true;
}

/*
 * separator_replace
 *		Replaces the key between a page and the one on its right, if the page is a leaf
 *		and no row on either side has that key.  Returns whether pages were written; left
 *		becomes true if the key had to stay, and is not touched else.
 */
bool
separator_replace(Separators *separators, BlockNumber block, bool *left)
{
	Relation	index = separators->index;
	Copy		copies[MAX_GENERIC_XLOG_PAGES];
	int			n_locked = 1;
	bool		written = false;
	BlockNumber right;
	IndexTuple	old;
	IndexTuple	row;
	Buffer		buffer;
	Page		page;

	buffer = read_page(separators, block, BT_READ);
	page = BufferGetPage(buffer);
	old = high_key(page);
	if (old == NULL)
	{
		UnlockReleaseBuffer(buffer);
		return false;
	}
	row = last_row(page);
	if (row != NULL && has_key(index, row, old))
	{
		UnlockReleaseBuffer(buffer);
		return false;
	}
	old = CopyIndexTuple(old);
	right = BTPageGetOpaque(page)->btpo_next;
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	if (first_row_has_key(separators, right, old))
	{
		ReleaseBuffer(buffer);
		pfree(old);
		return false;
	}

	if (separators->parents == NULL)
		note_parents(separators);
	LockBuffer(buffer, BT_WRITE);
	copies[0] = (Copy)
	{
		buffer, P_HIKEY
	};
	page = BufferGetPage(buffer);
	if (high_key(page) != NULL && same_key(old, high_key(page)) &&
		BTPageGetOpaque(page)->btpo_next == right && (row = last_row(page)) != NULL)
	{
		IndexTuple	key = key_of_row(index, row);
		int			n = lock_copies(separators, right, old, copies, &n_locked);

		if (n > 0 && write_copies(index, copies, n, key))
		{
			/*
			 * what a serializable transaction has read there may be written
			 * on the right
			 */
			PredicateLockPageSplit(index, block, right);
			written = true;
		}
		pfree(key);
	}
	while (n_locked-- > 0)
		UnlockReleaseBuffer(copies[n_locked].buffer);
	pfree(old);
	if (!written)
		*left = true;
	return written;
}
