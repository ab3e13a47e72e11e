/*
 * mark.h
 *		Marks of older days that were changed, for the roll-ups.
 *
 * See doc/internals.md, "Roll-ups".
 */
#ifndef PKT_MARK_H
#define PKT_MARK_H

#include "pgtime.h"

#include "log/log_types.h"

extern TimestampTz mark_today(pg_tz *tz);
extern void mark_note(Log *log, const Visit *before, const Visit *visit, TimestampTz from,
					  TimestampTz to, pg_tz *tz);
extern void mark_write(Log *log);
extern void mark_other_id(const Visit *before, const Visit *visit);

#endif							/* PKT_MARK_H */
