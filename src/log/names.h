/*
 * names.h
 *		The dictionary of names: URLs, titles and other texts of actions.
 */
#ifndef PKT_NAMES_H
#define PKT_NAMES_H

#include "log/log_types.h"

extern int64 name_of_url(Log *log, int32 idsite, int type, const char *url);
extern int64 name_of_text(Log *log, int32 idsite, int type, const char *name, int max_length);

#endif							/* PKT_NAMES_H */
