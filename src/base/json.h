/*
 * json.h
 *		Scalars of JSON documents, read as text and written.
 */
#ifndef PKT_JSON_H
#define PKT_JSON_H

#include "postgres.h"

#include "utils/jsonb.h"

extern bool json_scalar(const JsonbValue *v, const char **str, size_t *len);
extern char *json_scalar_text(const JsonbValue *v);

extern bool json_is_short(Jsonb *jsonb);
extern bool json_is_valid(const char *str, size_t len);

extern void json_push_text(JsonbParseState **state, JsonbIteratorToken token, const char *str);
extern void json_push_number(JsonbParseState **state, JsonbIteratorToken token, int64 n);

#endif							/* PKT_JSON_H */
