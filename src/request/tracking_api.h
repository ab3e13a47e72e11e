/*
 * tracking_api.h
 *		Reading hits by the table of hit fields: tracking URLs, JSON, request
 *		headers.
 */
#ifndef PKT_TRACKING_API_H
#define PKT_TRACKING_API_H

#include "utils/jsonb.h"

#include "request/hit.h"

#define QUERY_MAX (64 * 1024)	/* bytes of a tracking URL, or of an object of
								 * a bulk document */

/* Why a hit of a document without a token is invalid: there are too many of its kind. */
extern const char *const reason_bulk_requests_limit;

extern void tracking_api_read_query(Hit *hit, const char *query, size_t len);
extern int32 tracking_api_query_site(const char *query, size_t len);
extern void tracking_api_read_json(Hit *hit, Jsonb *params,
								   const char *const *skip, int n_skip);
extern void tracking_api_read_headers(Hit *hit, Jsonb *headers);
extern char *tracking_api_header(Jsonb *headers, const char *name);
extern char *tracking_api_param(const Hit *hit, const char *name);
extern char *tracking_api_other(const Hit *hit, const char *name);
extern char *tracking_api_list(const Hit *hit, const char *name);
extern bool tracking_api_numbered(const Hit *hit, const char *prefix, int *position,
								  int32 *number, char **value);
extern OptionalId tracking_api_cookie_id(const char *cookie_header, const char *name);
extern void tracking_api_authenticate(Hit *hit, const Settings *s);

#endif							/* PKT_TRACKING_API_H */
