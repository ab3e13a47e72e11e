/*
 * url_form.h
 *		The one form of URLs that mean the same.  Rule: doc/internals.md,
 *		"Equal URLs".
 *
 * Pure: no function reads the database, and none raises for what a client
 * sent.
 */
#ifndef PKT_URL_FORM_H
#define PKT_URL_FORM_H

#include "postgres.h"

#include "lib/stringinfo.h"

#include "base/url_parts.h"

extern char *url_host_form(const char *host, size_t len);
extern void url_append_origin(StringInfo buf, const Url *parts);
extern void url_append_form(StringInfo buf, UrlPart part);
extern char *url_form(const char *url);
extern void url_cut(char *url, int max);
extern char *url_without_user(char *url);

#endif							/* PKT_URL_FORM_H */
