/*
 * text.h
 *		Text from clients: made valid, cut, and escaped where the rules require
 *		it.
 */
#ifndef PKT_TEXT_H
#define PKT_TEXT_H

#include "postgres.h"

#include "utils/jsonb.h"

extern char *text_clean(const char *str, size_t len, bool from_utf8);
extern char *text_clean_own(char *str, size_t len, bool from_utf8);
extern int	text_encoding(const char *name);
extern char *text_convert(const char *str, size_t len, int encoding);
extern char *text_recode(const char *str, size_t len, int encoding);
extern char *text_decode(const char *str, size_t len, int encoding);
extern char *text_to_utf8(const char *str, size_t len);
extern char *text_sanitise(char *str);
extern char *text_unescape(char *str);
extern char *text_unsanitise(char *str);
extern void text_cut_bytes(char *str, int max);
extern void text_cut_chars(char *str, int max);
extern char *text_join_lines(char *str);
extern char *text_trim(char *str);
extern bool text_json_is_deep(const char *json, size_t len);
extern Jsonb *text_to_jsonb(const char *str);

#endif							/* PKT_TEXT_H */
