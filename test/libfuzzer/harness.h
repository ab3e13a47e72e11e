/*
 * harness.h
 *		What the fuzz targets share.  Each target defines the two functions and
 *		the constant at the end.
 */
#ifndef PKT_HARNESS_H
#define PKT_HARNESS_H

#include "postgres.h"

#include "request/hit.h"
#include "settings/settings.h"

/* The configurations that hits are read under; site n + 1 has number n. */
extern const int n_configs;
extern const SiteConfig *fuzz_config(int n);

/* Everything that happens to a hit without a look at the log. */
extern void fuzz_hit(Hit *hit);

/* End the process with a message: something that must hold does not. */
pg_attribute_noreturn() extern void fuzz_broken(const char *format,...) pg_attribute_printf(1, 2);

#define MUST(condition) \
	((condition) ? (void) 0 : fuzz_broken("%s, line %d: not so: %s", __FILE__, __LINE__, #condition))

/* A text must be valid in the database's encoding. */
extern void fuzz_valid(const char *text);

/* A palloc'd string of len bytes, exactly as long as it needs to be. */
extern char *fuzz_string(const uint8_t *data, size_t len);

/*
 * A text as the server would hand it over: the input up to a NUL or an invalid
 * character.
 */
extern char *fuzz_text(const uint8_t *data, size_t len);

/* The next line of a text, which is moved after it; "" at the end. */
extern char *fuzz_line(char **rest);

/* Of the target. */
extern void fuzz_begin(void);
extern void fuzz_one(const uint8_t *data, size_t len);

/* May an input of this target raise that error?  Any other one is a fault. */
extern bool fuzz_may_raise(int sqlerrcode);

#endif							/* PKT_HARNESS_H */
