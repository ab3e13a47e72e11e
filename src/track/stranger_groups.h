/*
 * stranger_groups.h
 *		A document of many visitors that came without a token: several groups.
 */
#ifndef PKT_STRANGER_GROUPS_H
#define PKT_STRANGER_GROUPS_H

#include "track/work.h"

extern bool came_from_strangers(Work **work, int n);
extern void stranger_groups_record(Work **work, int n);

#endif							/* PKT_STRANGER_GROUPS_H */
