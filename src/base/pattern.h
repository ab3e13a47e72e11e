/*
 * pattern.h
 *		Items of a list setting that are a part of a text or a /regular
 *		expression/ (spec matomo 4.5, step 7).
 */
#ifndef PKT_PATTERN_H
#define PKT_PATTERN_H

#include "postgres.h"

/* The items of a list, ready to be looked for; made once per configuration. */
typedef struct PatternSet PatternSet;

extern const char *pattern_error(const char *item);
extern PatternSet *pattern_set_create(const char *const *items, int n);
extern bool pattern_set_matches(PatternSet *set, const char *text, size_t max);

#endif							/* PKT_PATTERN_H */
