/*
 * url_parts.h
 *		URLs: their parts and their query parameters.
 *
 * Pure: no function reads the database, and none raises for what a client
 * sent.
 */
#ifndef PKT_URL_PARTS_H
#define PKT_URL_PARTS_H

#include "postgres.h"

#define URL_NO_PREFIX (-1)

/* A part of a longer string. */
typedef struct UrlPart
{
	const char *str;
	size_t		len;
} UrlPart;

/* A URL split into its parts; each points into it, without its delimiters. */
typedef struct Url
{
	UrlPart		scheme;			/* empty for "//host" */
	UrlPart		user;			/* user:password */
	UrlPart		host;			/* an IPv6 address with its brackets */
	UrlPart		port;
	UrlPart		path;			/* with its leading slash; may be empty */
	UrlPart		query;
	UrlPart		fragment;
	bool		has_query;		/* is there a "?", a "#"? */
	bool		has_fragment;
} Url;

/* One parameter as the query string has it. */
typedef struct UrlParam
{
	UrlPart		name;
	UrlPart		value;
	bool		has_value;		/* is there a "="? */
} UrlParam;

/* The value of a hexadecimal digit; -1 if it is none. */
static inline int
url_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

extern bool url_looks_like_one(const char *url);
extern int	url_split_prefix(const char *url, const char **rest);

extern bool url_split(const char *url, Url *parts);
extern bool url_next_param(UrlPart *query, UrlParam *param);
extern char *url_decode_part(UrlPart part);
extern char *url_param_name(UrlPart name);
extern char *url_unescape(const char *str);
extern UrlPart url_fragment_query(UrlPart fragment);
extern char *url_param(UrlPart query, const char *name);
extern char *url_lower(const char *str, size_t len);
extern char *url_host(const char *url);

#endif							/* PKT_URL_PARTS_H */
