/*
 * log.h
 *		A line for each problem, and none for a hit.
 *
 * Nothing that a client sent is ever written: no query, address, cookie or header.
 */
#ifndef EDGE_LOG_H
#define EDGE_LOG_H

#include <stdnoreturn.h>

typedef enum LogLevel
{
	LOG_LEVEL_INFO,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_ERROR
} LogLevel;

/*
 * Kinds of problems that clients or an outage can cause again and again: of each
 * kind one line a minute, which says how many were left out.
 */
typedef enum LogKind
{
	LOG_ALWAYS,
	LOG_DATABASE_LOST,
	LOG_BATCH_FAILED,
	LOG_HIT_FAILED,
	LOG_QUEUE_FULL,
	LOG_LIMIT,
	LOG_SPOOL,
	LOG_FILE,
	LOG_LOGIN,
	LOG_KINDS
} LogKind;

extern void log_line(LogLevel level, LogKind kind, const char *format,...)
			__attribute__((format(printf, 3, 4)));

/* An error that the daemon cannot start with; ends the process with status 1. */
extern noreturn void fail(const char *format,...) __attribute__((format(printf, 1, 2)));

#endif
