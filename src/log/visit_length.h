/*
 * visit_length.h
 *		The longest visit of each site, by which a look-up knows where it may
 *		stop.  Private to src/log.
 */
#ifndef PKT_VISIT_LENGTH_H
#define PKT_VISIT_LENGTH_H

#include "visit/visit.h"

extern int64 visit_length_bound(int32 idsite);
extern int64 visit_length_newest(int32 idsite);
extern int64 visit_length_step(int64 length);
extern void visit_length_publish(int32 idsite, int64 length);
extern void visit_length_cover(const Visit *visit);
extern void visit_length_forget(void);

#endif							/* PKT_VISIT_LENGTH_H */
