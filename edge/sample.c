/*
 * sample.c
 *		The commented configuration file, made from the table of options.
 */
#include "sample.h"

#include <inttypes.h>
#include <string.h>

#include "config.h"

#define COLUMNS 78

/* Writes words as comment lines of at most so many columns. */
static void
write_comment(FILE *out, const char *text)
{
	int			column = 0;

	while (*text !='\0')
	{
		int			length = (int) strcspn(text, " ");

		if (column > 0 && column + 1 + length > COLUMNS)
		{
			fputc('\n', out);
			column = 0;
		}
		if (column == 0)
			column = fprintf(out, "# %.*s", length, text);
		else
			column += fprintf(out, " %.*s", length, text);
		text	  +=length;
		text	  +=strspn(text, " ");
	}
	fputc('\n', out);
}

/* A number of a time or size in the largest unit that says it exactly. */
static void
format_number(const Option *option, int64_t number, char *out, size_t size)
{
	static const struct
	{
		OptionType	type;
		int64_t		factor;
		const char *unit;
	}			units[] = {
		{OPTION_TIME, 86400000, "d"}, {OPTION_TIME, 3600000, "h"}, {OPTION_TIME, 60000, "min"},
		{OPTION_TIME, 1000, "s"}, {OPTION_TIME, 1, "ms"},
		{OPTION_SIZE, INT64_C(1) << 30, "GB"}, {OPTION_SIZE, INT64_C(1) << 20, "MB"},
		{OPTION_SIZE, INT64_C(1) << 10, "kB"}, {OPTION_SIZE, 1, "B"}, {OPTION_NUMBER, 1, ""},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		if (units[i].type == option->type && number % units[i].factor == 0)
		{
			snprintf(out, size, "%" PRId64 "%s", number / units[i].factor, units[i].unit);
			return;
		}
	}
}

static void
write_option(FILE *out, const Option *option)
{
	char		comment[1000];
	char		min[40];
	char		max[40];
	size_t		n;

	n = (size_t) snprintf(comment, sizeof(comment), "%s", option->description);
	if (option->type == OPTION_BOOL)
		n += (size_t) snprintf(comment + n, sizeof(comment) - n, "; on or off");
	else if (option->type != OPTION_TEXT)
	{
		format_number(option, option->min, min, sizeof(min));
		format_number(option, option->max, max, sizeof(max));
		n += (size_t) snprintf(comment + n, sizeof(comment) - n, "; %s to %s", min, max);
	}
	if (!option->reloadable)
		snprintf(comment + n, sizeof(comment) - n, " (needs a restart)");
	write_comment(out, comment);
	fprintf(out, "#%s = %s\n\n", option->name, option->value[0] != '\0' ? option->value : "''");
}

void
sample_write(FILE *out)
{
	fputs("# Configuration of pk_tracking_httpd; pk_tracking_httpd(8) and doc/edge.md tell\n"
		  "# more.  A line is \"name = value\"; a value with blanks at an end or a # stands in\n"
		  "# single quotes.  Each option is shown with its default.  After a change reload\n"
		  "# (SIGHUP), or restart where an option says so.\n"
		  "#\n"
		  "# Times have the units ms, s, min, h, d; sizes B, kB, MB, GB.\n\n", out);
	for (int i = 0; i < config_option_count; i++)
		write_option(out, &config_options[i]);
}
