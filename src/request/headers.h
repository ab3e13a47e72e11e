/*
 * headers.h
 *		Request headers in one form, whichever server wrote them.
 */
#ifndef PKT_HEADERS_H
#define PKT_HEADERS_H

#include "postgres.h"

#include "utils/jsonb.h"

extern Jsonb *headers_normalise(Jsonb *headers);
extern char *headers_forwarded_for(const char *value);

#endif							/* PKT_HEADERS_H */
