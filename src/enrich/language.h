/*
 * language.h
 *		The browser's language list.
 */
#ifndef PKT_LANGUAGE_H
#define PKT_LANGUAGE_H

#include "postgres.h"

/*
 * Normalise an Accept-Language value of len bytes into buf (buflen bytes, NUL
 * included): lower case, "_" to "-", no quality values, comments or blanks.
 * Returns the length.  Reads at most 1024 bytes of input.  Never raises.
 */
extern size_t language_normalise(const char *str, size_t len, char *buf, size_t buflen);

/* The first language of a normalised list, with its region: into buf (6 bytes). */
extern void language_primary(const char *normalised, char *buf);

/* The country that the list suggests: into buf (3 bytes). */
extern void language_country(const char *normalised, bool guess, bool as_matomo, char *buf);

#endif							/* PKT_LANGUAGE_H */
