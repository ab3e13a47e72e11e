/*
 * ranges.c
 *		Are rows that were deleted dead for everybody?
 *
 * A summary of a BRIN index that is made anew leaves out what no transaction can
 * see any more, and nothing else (src/subject/ranges.sql).
 */
#include "postgres.h"

#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "fmgr.h"
#include "storage/procarray.h"
#include "utils/rel.h"
#include "utils/xid8.h"

PG_FUNCTION_INFO_V1(pkt_deleted_for_all);

/*
 * pkt_deleted_for_all
 *		SQL: deleted_for_all(relation regclass, deleted xid8) → boolean.  Can no
 *		transaction see rows of the table any more that this one has deleted?  True
 *		for one that is yet to come: it is another server's.
 */
Datum
pkt_deleted_for_all(PG_FUNCTION_ARGS)
{
	FullTransactionId deleted = PG_GETARG_FULLTRANSACTIONID(1);
	FullTransactionId next = ReadNextFullTransactionId();
	Relation	rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	TransactionId oldest = GetOldestNonRemovableTransactionId(rel);
	uint64		age = (uint32) (XidFromFullTransactionId(next) - oldest);

	table_close(rel, AccessShareLock);

	/*
	 * how far back the oldest one lies is told by 32 bits, how far this one
	 * does by 64
	 */
	PG_RETURN_BOOL(FullTransactionIdFollowsOrEquals(deleted, next) ||
				   U64FromFullTransactionId(next) - U64FromFullTransactionId(deleted) > age);
}
