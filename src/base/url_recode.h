/*
 * url_recode.h
 *		URLs of pages in another character set than UTF-8.
 */
#ifndef PKT_URL_RECODE_H
#define PKT_URL_RECODE_H

#include "postgres.h"

extern char *url_recode(char *url, int encoding);

#endif							/* PKT_URL_RECODE_H */
