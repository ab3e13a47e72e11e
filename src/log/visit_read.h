/*
 * visit_read.h
 *		Reads visits from the log's tables.  Private to src/log.
 */
#ifndef PKT_VISIT_READ_H
#define PKT_VISIT_READ_H

#include "log/log_types.h"

extern bool visit_preferred(TimestampTz last_a, int64 idvisit_a, const Visit *b, bool older_first);
extern int	visit_lookup(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits);
extern int	visit_lookup_but(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits,
							 bool (*skip) (Log *log, int64 idvisit));
extern bool visit_newest_before(Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
								TimestampTz not_before, Visit *visit);
extern bool visit_newest_before_but(Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
									TimestampTz not_before, Visit *visit,
									bool (*skip) (Log *log, int64 idvisit));
extern int	visit_read_newest(Log *log, int32 idsite, const Lookup *lookup, int max,
							  Visit *visits, TimestampTz *floor, bool *complete);
extern bool visit_read_by_number(Log *log, int64 idvisit, Visit *visit);
extern bool visit_site_is_empty(Log *log, int32 idsite);

#endif							/* PKT_VISIT_READ_H */
