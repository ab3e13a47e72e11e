/*
 * facts.c
 *		What the daemon must know of the settings in the database.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	for (int i = 0; i < facts->nsites; i++)
		free(facts->sites[i].page);
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
		facts->sites = must_realloc(facts->sites, (size_t) (facts->nsites + 1) * sizeof(Site));
		facts->sites[facts->nsites++] = (Site)
		{
			.idsite = atoi(value)
		};
	}
	else if (strcmp(name, "page") == 0 && facts->nsites > 0)
	{
		/* of the site in the row before */
		Site	   *site = &facts->sites[facts->nsites - 1];

		free(site->page);
		site->page = must_strdup(value);
	}
}

static int
compare_sites(const void *a, const void *b)
{
	int			x = ((const Site *) a)->idsite;
	int			y = ((const Site *) b)->idsite;

	return (x > y) - (x < y);
}

void
facts_complete(Facts *facts)
{
	if (facts->nsites > 0)
		qsort(facts->sites, (size_t) facts->nsites, sizeof(Site), compare_sites);
	facts->known = true;
}

#define FACTS_FIRST "pk_tracking facts 1\n"
#define FACTS_LAST "end\n"

/* The longest is the window for consent of a site. */
#define FACTS_LINE_MAX 65536

static bool
save_names(FILE *file, const char *name, int n, char *const *values)
{
	for (int i = 0; i < n; i++)
	{
		if (strlen(values[i]) > FACTS_LINE_MAX - 100 || strchr(values[i], '\n') != NULL)
			return false;
		fprintf(file, "%s %s\n", name, values[i]);
	}
	return true;
}

void
facts_save(const Facts *facts, const char *directory)
{
	char		path[PATH_MAX];
	char		temporary[PATH_MAX];
	FILE	   *file;
	bool		good;

	if (snprintf(path, sizeof(path), "%s/facts", directory) >= (int) sizeof(path) ||
		snprintf(temporary, sizeof(temporary), "%s/facts.new", directory) >= (int) sizeof(path))
		return;
	file = fopen(temporary, "we");
	if (file == NULL)
		return;
	fputs(FACTS_FIRST, file);
	good = save_names(file, "cookie", facts->ncookies, facts->cookies) &&
		save_names(file, "proxy_header", facts->nproxy_headers, facts->proxy_headers) &&
		(facts->opt_out_cookie == NULL ||
		 save_names(file, "opt_out_cookie", 1, &facts->opt_out_cookie));
	for (int i = 0; i < facts->nsites && good; i++)
	{
		const Site *site = &facts->sites[i];

		fprintf(file, "site %d\n", site->idsite);
		good = site->page == NULL || save_names(file, "page", 1, &site->page);
	}
	fputs(FACTS_LAST, file);
	good = !ferror(file) && good;
	if (fclose(file) != 0 || !good || rename(temporary, path) != 0)
		(void) unlink(temporary);
}

Facts *
facts_load(const char *directory)
{
	char		path[PATH_MAX];
	char		line[FACTS_LINE_MAX];
	Facts	   *facts;
	FILE	   *file;
	bool		complete = false;

	if (snprintf(path, sizeof(path), "%s/facts", directory) >= (int) sizeof(path))
		return NULL;
	file = fopen(path, "re");
	if (file == NULL)
		return NULL;
	facts = facts_create(false);
	if (fgets(line, sizeof(line), file) != NULL && strcmp(line, FACTS_FIRST) == 0)
	{
		while (!complete && fgets(line, sizeof(line), file) != NULL)
		{
			char	   *value = strchr(line, ' ');

			complete = strcmp(line, FACTS_LAST) == 0;
			if (complete || value == NULL)
				continue;
			*value++ = '\0';
			value[strcspn(value, "\n")] = '\0';
			facts_add(facts, line, value);
		}
	}
	fclose(file);
	if (!complete)
	{
		facts_free(facts);
		return NULL;
	}
	facts_complete(facts);
	return facts;
}

const Site *
facts_site(const Facts *facts, int idsite)
{
	Site		wanted = {.idsite = idsite};

	if (facts->nsites == 0)
		return NULL;
	return bsearch(&wanted, facts->sites, (size_t) facts->nsites, sizeof(Site), compare_sites);
}
