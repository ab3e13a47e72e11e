/*
 * groups.h
 *		A group: the hits of one engine call, which are locked together.
 */
#ifndef PKT_GROUPS_H
#define PKT_GROUPS_H

#include "track/work.h"

/* Ids and fingerprints that a group locks one by one; with more it locks whole sites. */
#define GROUP_KEYS_MAX 64

extern void group_record(Work **work, int n);

#endif							/* PKT_GROUPS_H */
