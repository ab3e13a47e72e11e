/*
 * url.h
 *		URLs: their parts, their query parameters, and the form in which they
 *		are stored.
 *
 * Pure: no function reads the database, and none raises for what a client
 * sent.
 */
#ifndef PKT_URL_H
#define PKT_URL_H

#include "postgres.h"

#include "base/text_list.h"

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

/* What a site removes from its URLs; made once per configuration. */
typedef struct UrlRules UrlRules;

/* Input of the rules. */
typedef struct UrlRulesInput
{
	bool		keep_fragment;
	bool		as_matomo;		/* parameters escaped, of equal ones the last */
	int			max_length;		/* bytes */
	int			n_lists;
	const TextList *const *lists;	/* names, or /expressions/, of parameters
									 * to remove */
} UrlRulesInput;

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
extern char *url_unescape(const char *str);
extern UrlPart url_fragment_query(UrlPart fragment);
extern char *url_param(UrlPart query, const char *name);

extern char *url_clean(const char *url);
extern char *url_lower(const char *str, size_t len);
extern char *url_host(const char *url);

extern UrlRules *url_rules_create(const UrlRulesInput *in);
extern char *url_normalise(const char *url, const UrlRules *rules);
extern char *url_keep_only(const char *url, const TextList *names);
extern char *url_normalise_without(const char *url, const UrlRules *rules,
								   const char *const *names);

#endif							/* PKT_URL_H */
