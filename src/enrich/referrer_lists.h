/*
 * referrer_lists.h
 *		Search engines and social networks that are known by themselves.
 *
 * Lists are separated by blanks.  A host matches itself, with "www." too, and
 * of a network its sub-domains; "{}" in it stands for a country (de, co.uk,
 * com.br) or com at its end, and for a country at its beginning.  What follows
 * the host is the beginning of the path that an entry is for.
 */
#ifndef PKT_REFERRER_LISTS_H
#define PKT_REFERRER_LISTS_H

#include "postgres.h"

typedef struct KnownEngine
{
	const char *name;
	const char *hosts;
	const char *parameters;		/* that hold the keyword; the first one found counts */
	const char *hidden;			/* path, query and fragment where no keyword is
								 * expected, besides the bare host; "*" at the
								 * end: whatever follows.  NULL: nowhere else */
} KnownEngine;

typedef struct KnownNetwork
{
	const char *name;
	const char *hosts;
} KnownNetwork;

extern const KnownEngine known_engines[];
extern const int n_known_engines;
extern const KnownNetwork known_networks[];
extern const int n_known_networks;

#endif							/* PKT_REFERRER_LISTS_H */
