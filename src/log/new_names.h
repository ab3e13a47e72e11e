/*
 * new_names.h
 *		How many new names the hits of strangers may add to the dictionary.
 */
#ifndef PKT_NEW_NAMES_H
#define PKT_NEW_NAMES_H

#include "postgres.h"

/* What is stored in place of a name that came too late. */
#define TOO_MANY_NAMES "(too many)"

extern void new_names_init(void);
extern bool new_names_take(int32 idsite, int32 limit);
extern void new_names_forget(void);
extern void new_names_write(int32 idsite, int32 limit, int n);

#endif							/* PKT_NEW_NAMES_H */
