/*
 * text.h
 *		Memory that is freed and wiped together, texts that grow, and the forms in
 *		which texts are written: UTF-8, JSON, query strings.
 */
#ifndef EDGE_TEXT_H
#define EDGE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Allocation that never fails: without memory the process ends with a message. */
extern void *must_alloc(size_t size);
extern void *must_realloc(void *old, size_t size);
extern char *must_strdup(const char *str);

/* Memory that lives as long as a request; it held an address, so it is wiped. */
typedef struct Pool Pool;

extern Pool *pool_create(void);
extern void pool_free(Pool *pool);
extern void *pool_alloc(Pool *pool, size_t size);
extern char *pool_strndup(Pool *pool, const char *str, size_t len);
extern char *pool_strdup(Pool *pool, const char *str);

/* A text that grows; data ends in a zero byte, and is NULL as long as nothing was added. */
typedef struct Text
{
	char	   *data;
	size_t		len;
	size_t		size;
} Text;

extern void text_add(Text *text, const void *data, size_t len);
extern void text_add_str(Text *text, const char *str);
extern void text_add_char(Text *text, char c);
extern void text_printf(Text *text, const char *format,...) __attribute__((format(printf, 2, 3)));

/* Wipes and frees it; it is empty then. */
extern void text_free(Text *text);

/* Adds a JSON string, with quotes; bytes that are not UTF-8 become U+FFFD. */
extern void text_add_json(Text *text, const char *str);

/* Length of the UTF-8 character at str, of at most len bytes; 0: it is none. */
extern size_t utf8_length(const char *str, size_t len);

/* A copy that is valid UTF-8: other bytes become U+FFFD. */
extern char *utf8_repair(Pool *pool, const char *str);

/*
 * A parameter of a query string: finds the last one of this name and writes its
 * decoded value, cut at size - 1 bytes, to value.  False: it is absent.
 */
extern bool query_value(const char *query, const char *name, char *value, size_t size);

/* A part of a query string, decoded.  NULL: a byte of it is zero. */
extern char *query_decode(Pool *pool, const char *text, size_t len);

/* The string under a name at the top of a JSON object, decoded.  NULL: there is none. */
extern char *json_text(Pool *pool, const char *json, const char *name);

/*
 * The scalar under a name at the top of a JSON object, as it is written, cut at size -
 * 1 bytes.  False: it is absent, or no scalar.  The text need not be JSON.
 */
extern bool json_scalar(const char *json, const char *name, char *value, size_t size);

/* The number of elements of the list under a name at the top of a JSON object; 0: none. */
extern int	json_count(const char *json, const char *name);

extern bool starts_with(const char *str, const char *prefix);

#endif
