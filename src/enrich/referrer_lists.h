/*
 * referrer_lists.h
 *		Search engines, social networks and AI assistants that are known
 *		without configuration.
 *
 * Lists are separated by blanks.  A host matches itself, also with "www.", and
 * of a network or an assistant its sub-domains; "{}" at its end means a country (de, co.uk,
 * com.br) or com, at its beginning a country.  After the host may follow the
 * beginning of the path to which an entry is limited.
 */
#ifndef PKT_REFERRER_LISTS_H
#define PKT_REFERRER_LISTS_H

#include "postgres.h"

typedef struct KnownEngine
{
	const char *name;
	const char *hosts;
	const char *parameters;		/* with the keyword; the first one found
								 * counts */

	/*
	 * Path, query and fragment on which no keyword is expected, besides the
	 * bare host; "*" at the end: any rest.  NULL: no others.
	 */
	const char *hidden;
} KnownEngine;

/* A network or an assistant. */
typedef struct KnownNetwork
{
	const char *name;
	const char *hosts;
} KnownNetwork;

extern const KnownEngine known_engines[];
extern const int n_known_engines;
extern const KnownNetwork known_networks[];
extern const int n_known_networks;
extern const KnownNetwork known_assistants[];
extern const int n_known_assistants;

#endif							/* PKT_REFERRER_LISTS_H */
