/*
 * url.h
 *		Page URLs as the dictionary keeps them.
 */
#ifndef PKT_URL_H
#define PKT_URL_H

#include "postgres.h"

#define URL_NO_PREFIX (-1)

extern bool url_looks_like_one(const char *url);
extern int	url_split_prefix(const char *url, const char **rest);

#endif							/* PKT_URL_H */
