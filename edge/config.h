/*
 * config.h
 *		The configuration file, whose options stand in one table.
 */
#ifndef EDGE_CONFIG_H
#define EDGE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Config
{
	/* where requests come from */
	char	   *listen;			/* list of addresses and sockets */
	bool		direct;
	char	   *trusted_proxies;	/* list of addresses and networks */

	/* where hits go */
	char	   *database;		/* connection string of libpq */
	bool		tracking;
	int64_t		connections;
	int64_t		batch_max;
	int64_t		lock_timeout;	/* ms */
	int64_t		settings_interval;	/* ms */

	/* what waits */
	int64_t		queue_max;		/* requests */
	int64_t		queue_max_size; /* bytes */
	int64_t		answer_timeout; /* ms */

	/* the spool */
	char	   *spool_directory;	/* "": none */
	char	   *spool_key_file;
	bool		spool_key_is_credential;
	int64_t		spool_after;	/* ms */
	int64_t		spool_max_age;	/* ms */
	int64_t		spool_max_size; /* bytes */

	/* limits */
	int64_t		body_max;		/* bytes */
	int64_t		header_max;		/* bytes */
	int64_t		connections_max;
	int64_t		connections_per_address;
	int64_t		requests_per_address;	/* a second */
	int64_t		request_timeout;	/* ms */
	int64_t		keepalive_timeout;	/* ms */

	/* pages and files */
	char	   *scripts;		/* directory, "": none */

	/* the web pages of the statistics */
	char	   *web_root;		/* directory, "": the daemon takes hits
								 * instead */
	char	   *web_login;		/* connection string, "": that of database */
	int64_t		web_connections;
	int64_t		web_statement_timeout;	/* ms */
	int64_t		web_session_idle;	/* ms */
	int64_t		web_session_max;	/* ms */

	/* the process */
	char	   *user;
	char	   *group;
	char	   *metrics_allow;	/* list of addresses and networks */
} Config;

typedef enum OptionType
{
	OPTION_TEXT,
	OPTION_BOOL,
	OPTION_NUMBER,
	OPTION_TIME,				/* in ms; written with ms, s, min, h or d */
	OPTION_SIZE					/* in bytes; written with B, kB, MB or GB */
} OptionType;

/* An option: the file, --check, the sample file and the manual are made from this. */
typedef struct Option
{
	size_t		offset;			/* in Config */
	const char *name;
	OptionType	type;
	const char *value;			/* default, as the file has it */
	int64_t		min;			/* of numbers, times, sizes */
	int64_t		max;
	bool		reloadable;		/* SIGHUP suffices */
	const char *description;
} Option;

extern const Option config_options[];
extern const int config_option_count;

/*
 * Reads a file (NULL: defaults only) into a new Config.  NULL after it has written
 * every fault, with file and line, by report().
 */
typedef void (*ConfigReport) (const char *message);

/* Reports a fault, formatted as by printf(), and sets *good to false. */
extern void config_fault(ConfigReport report, bool *good, const char *format,...)
			__attribute__((format(printf, 3, 4)));
extern Config *config_read(const char *path, ConfigReport report);
extern void config_free(Config *config);

/*
 * Takes the reloadable values of a new Config over into the old one and frees the
 * new one.  Names of other options that differ are reported.
 */
extern void config_take_over(Config *config, Config *new_config, ConfigReport report);

#endif
