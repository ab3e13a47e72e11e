/*
 * names_internal.h
 *		What the writers need of the dictionary.  Private to src/log.
 */
#ifndef PKT_NAMES_INTERNAL_H
#define PKT_NAMES_INTERNAL_H

#include "log/columns.h"
#include "log/log_types.h"
#include "log/row_writer.h"

extern void names_init(void);
extern bool name_is(const LogName *name, int16 type, bool cut, const text *other);
extern bool names_find(Log *log, const LogName *name, bool *same);
extern bool names_any_of_site(Log *log, int32 idsite);

/* The names that a batch has met, and among them those that it has yet to write. */
typedef struct BatchNames BatchNames;

extern BatchNames *batch_names_create(uint32 max_met);
extern void batch_names_begin(BatchNames *names, MemoryContext context);
extern bool batch_names_find(const BatchNames *names, const LogName *name, bool *same);
extern void batch_names_add(BatchNames *names, const LogName *name);
extern void batch_names_write(BatchNames *names, RowWriter *w, int at_once);
extern uint64 batch_names_key(const LogName *name);

#endif							/* PKT_NAMES_INTERNAL_H */
