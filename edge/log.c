/*
 * log.c
 *		A line for each problem, and none for a hit.
 *
 * Lines go to standard error, where systemd's journal takes them; it reads the
 * level from the number in front.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* Seconds between two lines of a kind. */
#define LOG_INTERVAL 60

static struct
{
	bool		seen;
	time_t		last;
	unsigned long left_out;
}			kinds[LOG_KINDS];

static void
write_line(LogLevel level, unsigned long left_out, const char *format, va_list args)
{
	static const char *const journal[] = {"<6>", "<4>", "<3>"};
	static const char *const words[] = {"", "warning: ", "error: "};
	char		line[1000];

	vsnprintf(line, sizeof(line), format, args);
	fprintf(stderr, "%s%s%s", getenv("JOURNAL_STREAM") != NULL ? journal[level] : "",
			words[level], line);
	if (left_out > 0)
		fprintf(stderr, " (and %lu more like this)", left_out);
	fputc('\n', stderr);
}

void
log_line(LogLevel level, LogKind kind, const char *format,...)
{
	va_list		args;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (kind != LOG_ALWAYS)
	{
		if (kinds[kind].seen && now.tv_sec - kinds[kind].last < LOG_INTERVAL)
		{
			kinds[kind].left_out++;
			return;
		}
		kinds[kind].seen = true;
		kinds[kind].last = now.tv_sec;
	}
	va_start(args, format);
	write_line(level, kinds[kind].left_out, format, args);
	va_end(args);
	kinds[kind].left_out = 0;
}

void
fail(const char *format,...)
{
	va_list		args;

	va_start(args, format);
	write_line(LOG_LEVEL_ERROR, 0, format, args);
	va_end(args);
	exit(1);
}
