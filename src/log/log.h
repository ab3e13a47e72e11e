/*
 * log.h
 *		The log: finds visits and writes what has changed.
 *
 * Callers run as the log's owner and are connected to SPI.  How rows are
 * written is decided when the log is opened and kept in Log: see log/writer.h.
 */
#ifndef PKT_LOG_H
#define PKT_LOG_H

#include "log/log_types.h"

extern void log_init(void);
extern Oid	log_owner(void);
extern bool log_has_user_code(void);
extern void log_need_version(void);

extern void log_open(Log *log, LOCKMODE mode);
extern void log_lock(void);
extern bool log_open_batch(Log *log);
extern void log_flush(Log *log);
extern void log_close(Log *log);

extern int	log_lookup(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits);
extern bool log_newest_before(Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
							  TimestampTz not_before, Visit *visit);
extern bool log_read_visit(Log *log, int32 idsite, int64 idvisit, Visit *visit);
extern bool log_joined_by_fingerprint(Log *log, int64 idvisit);
extern bool log_longest_is_news(Log *log, int32 idsite);

extern int64 log_next_idvisit(void);
extern int64 log_next_idlink_va(void);
extern void log_insert_visit(Log *log, const Visit *visit, const NewVisit *new);
extern bool log_try_lock_visit(int64 idvisit);
extern bool log_update_visit(Log *log, const Visit *visit);
extern void log_insert_action(Log *log, const Visit *visit, const Hit *hit, const Action *action,
							  int64 idlink_va, MatchedBy matched_by, Reason reason);
extern void log_update_timings(Log *log, int64 idvisit, const char *idpageview,
							   const int32 *timings);

#endif							/* PKT_LOG_H */
