/*
 * config.c
 *		The configuration file.
 *
 * A line is "name = value"; # begins a comment at the start of a line or behind
 * white space.  A value may stand in single quotes, in which a quote is doubled.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "text.h"

#define LINE_MAX_LENGTH 4096

#define FIELD(f) .offset = offsetof(Config, f), .name = #f
#define KB (INT64_C(1) << 10)
#define MB (INT64_C(1) << 20)
#define GB (INT64_C(1) << 30)
#define SECOND INT64_C(1000)
#define DAY (86400 * SECOND)

const Option config_options[] = {
	{FIELD(listen), OPTION_TEXT, "127.0.0.1:8080",.description =
	"addresses with ports, and paths of Unix sockets, separated by commas"},
	{FIELD(direct), OPTION_BOOL, "off",.reloadable = true,.description =
	"browsers connect to the daemon itself, although it listens on loopback or on a socket"},
	{FIELD(trusted_proxies), OPTION_TEXT, "127.0.0.0/8, ::1, unix",.reloadable = true,
		.description = "addresses, networks and \"unix\" (sockets) from which headers of proxies"
	" are passed on"},

	{FIELD(database), OPTION_TEXT, "",.description =
	"connection string of PostgreSQL, such as dbname=stats user=tracker"},
	{FIELD(tracking), OPTION_BOOL, "on",.reloadable = true,.description =
	"record hits; off: all are answered with status 503"},
	{FIELD(connections), OPTION_NUMBER, "2", 1, 64,.description =
		"connections to PostgreSQL that record batches; two more wait for locks and take documents,"
	" and a third one empties the spool"},
	{FIELD(batch_max), OPTION_NUMBER, "200", 1, 10000, true,.description =
	"most hits in a transaction"},
	{FIELD(lock_timeout), OPTION_TIME, "250ms", 1, 60 * SECOND,.description =
	"longest that a batch waits for a lock before its hits are recorded one by one"},
	{FIELD(settings_interval), OPTION_TIME, "1min", SECOND, DAY, true,.description =
	"how often the settings in the database are read again"},

	{FIELD(queue_max), OPTION_NUMBER, "10000", 1, 10000000, true,.description =
	"most requests that wait in memory"},
	{FIELD(queue_max_size), OPTION_SIZE, "64MB", MB, 64 * GB, true,.description =
	"most memory of requests that wait"},
	{FIELD(answer_timeout), OPTION_TIME, "10s", 100, 600 * SECOND, true,.description =
	"longest that a request waits for PostgreSQL before it is answered with status 503"},

	{FIELD(spool_directory), OPTION_TEXT, "",.description =
	"directory of hits that wait for PostgreSQL on disk; empty: none"},
	{FIELD(spool_key_file), OPTION_TEXT, "/run/pk_tracking_httpd/spool.key",.description =
	"file of the key that wraps the keys of the spool"},
	{FIELD(spool_key_is_credential), OPTION_BOOL, "off",.description =
	"the key file is a credential of systemd, which outlives a power cut"},
	{FIELD(spool_after), OPTION_TIME, "1s", 10, 600 * SECOND, true,.description =
	"how long a hit waits for PostgreSQL in memory before it goes to the spool"},
	{FIELD(spool_max_age), OPTION_TIME, "24h", 60 * SECOND, 366 * DAY, true,.description =
	"age at which hits in the spool are destroyed"},
	{FIELD(spool_max_size), OPTION_SIZE, "1GB", MB, 1024 * GB, true,.description =
	"most bytes of the spool on disk"},

	{FIELD(body_max), OPTION_SIZE, "2MB", KB, 2 * MB, true,.description =
	"longest body of a request"},
	{FIELD(header_max), OPTION_SIZE, "16kB", KB, 64 * KB,.description =
	"longest header of a request, with its first line"},
	{FIELD(connections_max), OPTION_NUMBER, "4000", 1, 1000000,.description =
	"most connections of clients"},
	{FIELD(connections_per_address), OPTION_NUMBER, "100", 1, 1000000, true,.description =
	"most connections of an address that is no trusted proxy"},
	{FIELD(requests_per_address), OPTION_NUMBER, "200", 1, 1000000, true,.description =
	"most requests a second of an address that is no trusted proxy"},
	{FIELD(request_timeout), OPTION_TIME, "30s", 100, 3600 * SECOND, true,.description =
	"longest time in which a request must have come"},
	{FIELD(keepalive_timeout), OPTION_TIME, "15s", SECOND, 3600 * SECOND,.description =
	"how long a connection stays open without a request"},

	{FIELD(scripts), OPTION_TEXT, "",.reloadable = true,.description =
		"directory of matomo.js, piwik.js and ppas.js, which operators put there, and of a pk.js and"
	" consent.js that take the place of those installed; empty: none"},

	{FIELD(web_root), OPTION_TEXT, "",.description =
		"directory of the web pages of the statistics; the daemon then serves these and takes no"
	" hits; empty: it takes hits"},
	{FIELD(web_login), OPTION_TEXT, "",.description =
		"connection string by which a password is proved, where that of database would not ask for"
	" one; empty: that of database"},
	{FIELD(web_connections), OPTION_NUMBER, "4", 1, 64,.description =
	"connections to PostgreSQL of the web pages"},
	{FIELD(web_statement_timeout), OPTION_TIME, "30s", 100, 3600 * SECOND, true,.description =
	"longest that a report of the web pages may take"},
	{FIELD(web_session_idle), OPTION_TIME, "1h", 60 * SECOND, 30 * DAY, true,.description =
	"how long a session of the web pages lasts without a request"},
	{FIELD(web_session_max), OPTION_TIME, "12h", 60 * SECOND, 30 * DAY, true,.description =
	"how long it lasts at most"},

	{FIELD(user), OPTION_TEXT, "",.description =
	"user that the daemon becomes if it is started as root"},
	{FIELD(group), OPTION_TEXT, "",.description =
	"group that it becomes then; empty: the user's"},
	{FIELD(metrics_allow), OPTION_TEXT, "127.0.0.0/8, ::1, unix",.reloadable = true,
	.description = "addresses, networks and \"unix\" (sockets) that may read /metrics"},
};

const int	config_option_count = sizeof(config_options) / sizeof(config_options[0]);

/* A number with a unit, in the smallest one; false: it is none. */
static bool
parse_number(const Option *option, const char *value, int64_t *number)
{
	static const struct
	{
		OptionType	type;
		const char *unit;
		int64_t		factor;
	}			units[] = {
		{OPTION_TIME, "ms", 1}, {OPTION_TIME, "s", SECOND}, {OPTION_TIME, "min", 60 * SECOND},
		{OPTION_TIME, "h", 3600 * SECOND}, {OPTION_TIME, "d", DAY},
		{OPTION_SIZE, "B", 1}, {OPTION_SIZE, "kB", KB}, {OPTION_SIZE, "MB", MB},
		{OPTION_SIZE, "GB", GB},
	};
	char	   *end;
	int64_t		n;

	errno = 0;
	n = strtoll(value, &end, 10);
	if (end == value || errno != 0 || n < 0)
		return false;
	end += strspn(end, " ");
	if (option->type == OPTION_NUMBER)
	{
		*number = n;
		return *end == '\0';
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (units[i].type == option->type && strcmp(units[i].unit, end) == 0)
			return !__builtin_mul_overflow(n, units[i].factor, number);
	}
	return false;
}

/* Sets an option; false: the value is wrong. */
static bool
set_option(Config *config, const Option *option, const char *value)
{
	char	   *field = (char *) config + option->offset;
	int64_t		number;

	switch (option->type)
	{
		case OPTION_TEXT:
			free(*(char **) field);
			*(char **) field = must_strdup(value);
			return true;
		case OPTION_BOOL:
			if (strcasecmp(value, "on") != 0 && strcasecmp(value, "off") != 0)
				return false;
			*(bool *) field = strcasecmp(value, "on") == 0;
			return true;
		default:
			if (!parse_number(option, value, &number) || number < option->min ||
				number > option->max)
				return false;
			*(int64_t *) field = number;
			return true;
	}
}

static const Option *
find_option(const char *name)
{
	for (int i = 0; i < config_option_count; i++)
	{
		if (strcmp(config_options[i].name, name) == 0)
			return &config_options[i];
	}
	return NULL;
}

/* Cuts white space at both ends, in place. */
static char *
trim(char *str)
{
	char	   *end = str + strlen(str);

	while (end > str && isspace((unsigned char) end[-1]))
		*--end = '\0';
	return str + strspn(str, " \t\r\n");
}

/* The value behind "=", in place; NULL: a quote is missing, or text stands behind it. */
static char *
read_value(char *str)
{
	char	   *value = trim(str);
	char	   *in;
	char	   *out;

	if (*value != '\'')
	{
		for (char *p = value; *p != '\0'; p++)
		{
			if (*p == '#' && (p == value || isspace((unsigned char) p[-1])))
			{
				*p = '\0';
				break;
			}
		}
		return trim(value);
	}
	for (in = out = value + 1; *in != '\0'; in++)
	{
		if (*in == '\'' && *++in != '\'')
		{
			in += strspn(in, " \t");
			*out = '\0';
			return *in == '\0' || *in == '#' ? value + 1 : NULL;
		}
		*out++ = *in;
	}
	return NULL;
}

void
config_fault(ConfigReport report, bool *good, const char *format,...)
{
	char		message[1000];
	va_list		args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report(message);
	*good = false;
}

/* Reads one line; faults are reported, with what the option takes. */
static void
read_line(Config *config, char *line, const char *path, int number, ConfigReport report,
		  bool *good)
{
	static const char *const forms[] = {
		"text", "on or off", "a number", "a time with ms, s, min, h or d",
		"a size with B, kB, MB or GB"
	};
	char	   *name = trim(line);
	char	   *mark = strchr(name, '=');
	char	   *value;
	const Option *option;

	if (*name == '\0' || *name == '#')
		return;
	if (mark == NULL)
	{
		config_fault(report, good, "%s:%d: a line must be \"name = value\"", path, number);
		return;
	}
	*mark = '\0';
	name = trim(name);
	option = find_option(name);
	value = read_value(mark + 1);
	if (option == NULL)
		config_fault(report, good, "%s:%d: option \"%.100s\" does not exist", path, number, name);
	else if (value == NULL)
		config_fault(report, good,
					 "%s:%d: option \"%s\": a quote is not closed, or text stands behind it",
					 path, number, name);
	else if (!set_option(config, option, value))
	{
		if (option->type < OPTION_NUMBER)
			config_fault(report, good, "%s:%d: option \"%s\" must be %s", path, number, name,
						 forms[option->type]);
		else
			config_fault(report, good,
						 "%s:%d: option \"%s\" must be %s, from %" PRId64 " to %" PRId64 "%s",
						 path, number, name, forms[option->type], option->min, option->max,
						 option->type == OPTION_TIME ? " ms" :
						 option->type == OPTION_SIZE ? " B" : "");
	}
}

Config *
config_read(const char *path, ConfigReport report)
{
	Config	   *config = must_alloc(sizeof(Config));
	char		line[LINE_MAX_LENGTH];
	bool		good = true;
	FILE	   *file;
	int			number = 0;

	for (int i = 0; i < config_option_count; i++)
		(void) set_option(config, &config_options[i], config_options[i].value);
	if (path == NULL)
		return config;
	file = fopen(path, "re");
	if (file == NULL)
	{
		config_fault(report, &good, "could not open file \"%s\": %s", path, strerror(errno));
		config_free(config);
		return NULL;
	}
	while (fgets(line, sizeof(line), file) != NULL)
	{
		number++;
		if (strchr(line, '\n') == NULL && !feof(file))
		{
			config_fault(report, &good, "%s:%d: line is longer than %d bytes", path, number,
						 LINE_MAX_LENGTH - 2);
			break;
		}
		read_line(config, line, path, number, report, &good);
	}
	if (ferror(file))
		config_fault(report, &good, "could not read file \"%s\": %s", path, strerror(errno));
	fclose(file);
	if (!good)
	{
		config_free(config);
		return NULL;
	}
	return config;
}

void
config_free(Config *config)
{
	for (int i = 0; i < config_option_count; i++)
	{
		if (config_options[i].type == OPTION_TEXT)
			free(*(char **) ((char *) config + config_options[i].offset));
	}
	free(config);
}

void
config_take_over(Config *config, Config *new_config, ConfigReport report)
{
	for (int i = 0; i < config_option_count; i++)
	{
		const Option *option = &config_options[i];
		char	   *old_field = (char *) config + option->offset;
		char	   *new_field = (char *) new_config + option->offset;
		size_t		size = option->type == OPTION_TEXT ? sizeof(char *) :
			option->type == OPTION_BOOL ? sizeof(bool) : sizeof(int64_t);
		bool		same = option->type == OPTION_TEXT ?
			strcmp(*(char **) old_field, *(char **) new_field) == 0 :
			memcmp(old_field, new_field, size) == 0;

		if (same)
			continue;
		if (option->reloadable)
		{
			char		swap[sizeof(int64_t)];

			memcpy(swap, old_field, size);
			memcpy(old_field, new_field, size);
			memcpy(new_field, swap, size);
		}
		else
		{
			char		message[200];

			snprintf(message, sizeof(message),
					 "option \"%s\" cannot be changed without a restart", option->name);
			report(message);
		}
	}
	config_free(new_config);
}
