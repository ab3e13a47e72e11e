/*
 * check.c
 *		Faults of a configuration that its table of options does not know.
 */
#include "check.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "peers.h"
#include "text.h"

static void
check_peers(const char *name, const char *list, ConfigReport report, bool *good)
{
	char		bad[100];
	PeerList   *peers = peer_list_read(list, bad, sizeof(bad));

	if (peers == NULL)
		config_fault(report, good, "option \"%s\" has an item that is no address: \"%s\"",
					 name, bad);
	else
		peer_list_free(peers);
}

/* A connection string may hold a password, so of a wrong one nothing is told. */
static void
check_database(const char *name, const char *database, ConfigReport report, bool *good)
{
	PQconninfoOption *options = PQconninfoParse(database, NULL);

	if (options == NULL)
		config_fault(report, good, "option \"%s\" is no connection string of libpq", name);
	PQconninfoFree(options);
}

static void
check_path(const char *name, const char *path, ConfigReport report, bool *good)
{
	if (path[0] != '\0' && path[0] != '/')
		config_fault(report, good, "option \"%s\" must be an absolute path", name);
}

static void
check_directory(const char *name, const char *path, ConfigReport report, bool *good)
{
	struct stat st;

	check_path(name, path, report, good);
	if (path[0] == '/' && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
		config_fault(report, good, "option \"%s\": there is no directory \"%s\"", name, path);
}

bool
split_listen_address(char *item, char **host, char **port)
{
	char	   *colon = strrchr(item, ':');
	long		number;

	*host = colon != NULL ? item : NULL;
	*port = colon != NULL ? colon + 1 : item;
	if (colon != NULL)
	{
		*colon = '\0';
		if (item[0] == '[' && colon[-1] == ']')
		{
			colon[-1] = '\0';
			(*host)++;
		}
	}
	if (**port == '\0' || (*port)[strspn(*port, "0123456789")] != '\0')
		return false;
	number = strtol(*port, NULL, 10);
	return number > 0 && number <= 65535;
}

static void
check_listen(const char *listen, ConfigReport report, bool *good)
{
	char	   *list = must_strdup(listen);
	char	   *rest = list;
	char	   *item;

	while ((item = strsep(&rest, ", \t")) != NULL)
	{
		char	   *copy = must_strdup(item);
		char	   *host;
		char	   *port;

		if (*item != '\0' && *item != '/' && !split_listen_address(copy, &host, &port))
			config_fault(report, good, "option \"listen\" has an item without a port: \"%s\"",
						 item);
		free(copy);
	}
	free(list);
}

bool
check_config(const Config *config, ConfigReport report)
{
	bool		good = true;

	check_listen(config->listen, report, &good);
	check_peers("trusted_proxies", config->trusted_proxies, report, &good);
	check_peers("metrics_allow", config->metrics_allow, report, &good);
	check_database("database", config->database, report, &good);
	check_database("web_login", config->web_login, report, &good);
	check_path("spool_directory", config->spool_directory, report, &good);
	check_path("spool_key_file", config->spool_key_file, report, &good);
	check_directory("scripts", config->scripts, report, &good);
	check_directory("web_root", config->web_root, report, &good);
	if (config->spool_directory[0] != '\0' && config->spool_key_file[0] == '\0')
		config_fault(report, &good, "option \"spool_key_file\" must be set for a spool");
	return good;
}
