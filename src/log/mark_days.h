/*
 * mark_days.h
 *		Whether a change of an older day needs a mark, and writing it.  Private to
 *		src/log.
 *
 * See doc/internals.md, "Roll-ups".
 */
#ifndef PKT_MARK_DAYS_H
#define PKT_MARK_DAYS_H

#include "pgtime.h"
#include "utils/date.h"

#include "log/log_types.h"

extern void mark_days_init(void);
extern DateADT mark_day(TimestampTz at, pg_tz *tz);
extern TimestampTz mark_day_begin(DateADT day, pg_tz *tz);
extern bool mark_days_counted(int32 idsite, TimestampTz from, pg_tz *tz);
extern bool mark_days_looked(int32 idsite, int64 idvisit, HexId id, TimestampTz from);
extern bool mark_days_had_id(int32 idsite, HexId id);
extern void mark_days_write(int32 idsite, TimestampTz from, TimestampTz to);

#endif							/* PKT_MARK_DAYS_H */
