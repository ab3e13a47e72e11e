/*
 * stranger_groups.h
 *		A document of many visitors that came without a token: several groups.
 */
#ifndef PKT_STRANGER_GROUPS_H
#define PKT_STRANGER_GROUPS_H

#include "track/locks.h"

/* Locks that a document holds at any time, about. */
#define STRANGERS_LOCKS_MAX (4 * GROUP_KEYS_MAX)

extern bool came_from_strangers(Work **work, int n);
extern int	strangers_refuse_orders(Work **work, int n);
extern void stranger_groups_record(Work **work, int n);

#endif							/* PKT_STRANGER_GROUPS_H */
