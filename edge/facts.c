/*
 * facts.c
 *		What the daemon must know of the settings in the database.
 */
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "text.h"

static void
add_name(char ***names, int *n, const char *name)
{
	*names = must_realloc(*names, (size_t) (*n + 1) * sizeof(char *));
	(*names)[(*n)++] = must_strdup(name);
}

Facts *
facts_create(bool defaults)
{
	Facts	   *facts = must_alloc(sizeof(Facts));

	if (!defaults)
		return facts;
	facts_add(facts, "cookie", "_pk_uid");
	facts_add(facts, "cookie", "_pk_anonymous");
	facts_add(facts, "cookie", "matomo_ignore");
	facts_add(facts, "opt_out_cookie", "matomo_ignore");
	return facts;
}

void
facts_free(Facts *facts)
{
	if (facts == NULL)
		return;
	for (int i = 0; i < facts->ncookies; i++)
		free(facts->cookies[i]);
	for (int i = 0; i < facts->nproxy_headers; i++)
		free(facts->proxy_headers[i]);
	free(facts->cookies);
	free(facts->proxy_headers);
	free(facts->opt_out_cookie);
	free(facts->sites);
	free(facts);
}

void
facts_add(Facts *facts, const char *name, const char *value)
{
	if (strcmp(name, "cookie") == 0)
		add_name(&facts->cookies, &facts->ncookies, value);
	else if (strcmp(name, "proxy_header") == 0)
		add_name(&facts->proxy_headers, &facts->nproxy_headers, value);
	else if (strcmp(name, "opt_out_cookie") == 0)
	{
		free(facts->opt_out_cookie);
		facts->opt_out_cookie = must_strdup(value);
	}
	else if (strcmp(name, "site") == 0)
	{
		facts->sites = must_realloc(facts->sites, (size_t) (facts->nsites + 1) * sizeof(int));
		facts->sites[facts->nsites++] = atoi(value);
	}
}

static int
compare_sites(const void *a, const void *b)
{
	int			x = *(const int *) a;
	int			y = *(const int *) b;

	return (x > y) - (x < y);
}

void
facts_complete(Facts *facts)
{
	if (facts->nsites > 0)
		qsort(facts->sites, (size_t) facts->nsites, sizeof(int), compare_sites);
	facts->known = true;
}

bool
facts_has_site(const Facts *facts, int idsite)
{
	return facts->nsites > 0 &&
		bsearch(&idsite, facts->sites, (size_t) facts->nsites, sizeof(int),
				compare_sites) != NULL;
}
