/*
 * facts.h
 *		What the daemon must know of the settings in the database, as
 *		pk_tracking.edge_settings() returns it.
 */
#ifndef EDGE_FACTS_H
#define EDGE_FACTS_H

#include <stdbool.h>

typedef struct Site
{
	int			idsite;
	char	   *page;			/* what the script on its pages must know, as
								 * JSON on one line; NULL: not told */
} Site;

typedef struct Facts
{
	bool		known;			/* they were read */
	int			ncookies;
	char	  **cookies;		/* names of cookies to pass on */
	char	   *opt_out_cookie;
	int			nproxy_headers;
	char	  **proxy_headers;	/* in lower case */
	int			nsites;
	Site	   *sites;			/* sorted */
} Facts;

/* Empty, or with the defaults of the extension, which hold before they are read. */
extern Facts *facts_create(bool defaults);
extern void facts_free(Facts *facts);

/* A row of edge_settings(); names that are not known are ignored. */
extern void facts_add(Facts *facts, const char *name, const char *value);

/* After the last row. */
extern void facts_complete(Facts *facts);

/*
 * Keeps them in a file of a directory, for a start while PostgreSQL is away, and reads
 * them from there; NULL: there are none.  They hold no secret and nothing of a visitor.
 * A file that cannot be written does no harm.
 */
extern void facts_save(const Facts *facts, const char *directory);
extern Facts *facts_load(const char *directory);

/* NULL: there is no such site. */
extern const Site *facts_site(const Facts *facts, int idsite);

#endif
