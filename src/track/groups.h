/*
 * groups.h
 *		A group: the hits of one engine call, which are locked together.
 */
#ifndef PKT_GROUPS_H
#define PKT_GROUPS_H

#include "track/work.h"

extern void group_record(Work **work, int n);

#endif							/* PKT_GROUPS_H */
