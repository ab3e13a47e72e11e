/*
 * group_write.h
 *		Recording the hits of a group that has its locks.
 */
#ifndef PKT_GROUP_WRITE_H
#define PKT_GROUP_WRITE_H

#include "utils/resowner.h"

#include "base/compat.h"
#include "track/locks.h"

extern Work **group_by_day(Work **work, int n);
extern bool group_record_in_order(Work **work, int n, GroupLocks *locks);
extern void group_reset_results(Work **work, int n);
pg_noreturn extern void group_attempt_failed(MemoryContext context, ResourceOwner owner);

#endif							/* PKT_GROUP_WRITE_H */
