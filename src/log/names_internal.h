/*
 * names_internal.h
 *		What the writers need of the dictionary.  Private to src/log.
 */
#ifndef PKT_NAMES_INTERNAL_H
#define PKT_NAMES_INTERNAL_H

#include "log/columns.h"
#include "log/log.h"
#include "log/names.h"
#include "log/row_writer.h"

extern void names_init(void);
extern bool name_is(const LogName *name, int16 type, bool cut, const text *other);
extern bool names_find(Log *log, const LogName *name, bool *same);
extern bool names_any_of_site(Log *log, int32 idsite);

/* the names that a batch has met, and among them those that it has yet to write */
typedef struct NewNames NewNames;

extern NewNames *new_names_create(uint32 max_known);
extern void new_names_begin(NewNames *names, MemoryContext context);
extern bool new_names_find(const NewNames *names, const LogName *name, bool *same);
extern void new_names_add(NewNames *names, const LogName *name);
extern void new_names_write(NewNames *names, RowWriter *w, int at_once);
extern uint64 new_names_key(const LogName *name);

#endif							/* PKT_NAMES_INTERNAL_H */
