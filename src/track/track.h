/*
 * track.h
 *		What the functions that track share: arguments and results.
 */
#ifndef PKT_TRACK_H
#define PKT_TRACK_H

#include "fmgr.h"

#include "track/engine.h"

#define TRACKED_COLUMNS 15

extern bool time_arg(FunctionCallInfo fcinfo, int n, Hit *hit);
extern void check_trusted(void);
extern void tracked_values(const Tracked *r, bool full, Datum *values, bool *nulls);

#endif							/* PKT_TRACK_H */
