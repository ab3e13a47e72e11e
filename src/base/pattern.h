/*
 * pattern.h
 *		Items of a list setting that are searched for in a text: words, or
 *		/regular expressions/.
 */
#ifndef PKT_PATTERN_H
#define PKT_PATTERN_H

#include "postgres.h"

/* The items of a list, compiled; made once per configuration. */
typedef struct PatternSet PatternSet;

extern const char *pattern_error(const char *item);
extern PatternSet *pattern_set_create(const char *const *items, int n);
extern bool pattern_set_matches(PatternSet *set, const char *text, size_t max);

#endif							/* PKT_PATTERN_H */
