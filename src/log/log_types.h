/*
 * log_types.h
 *		The open log, and what a visit that begins is written with.
 */
#ifndef PKT_LOG_TYPES_H
#define PKT_LOG_TYPES_H

#include "executor/tuptable.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "visit/lifecycle.h"
#include "visit/recognise.h"

/*
 * What is written only when a visit begins.  NULL in texts: unknown, but ""
 * where a site wants it as Matomo has it.
 */
typedef struct NewVisit
{
	PktIp		location_ip;	/* masked; len 0: none */
	int64		asn;			/* 0: unknown */
	const char *organisation;
	const char *browser_lang;
	bool		has_details;	/* plugins and localtime may be stored */
	int32		plugins[HIT_PLUGINS];
	int64		localtime;		/* microseconds since midnight */
	const char *os;				/* Matomo's codes and versions, as UserAgent
								 * has them */
	const char *os_version;
	const char *browser_name;
	const char *browser_version;
	const char *browser_engine;
	int32		client_type;	/* ClientType */
	int32		device_type;	/* DeviceType */
	const char *device_brand;
	const char *device_model;
} NewVisit;

/* The new names of one hit. */
typedef struct HitNames
{
	int32		limit;			/* how many its site may get a day from hits
								 * like this one; 0: any number */
	int			added;			/* within the limit */
	bool		refused;		/* one came too late */
} HitNames;

/* The log, open for one call of the engine or for a batch. */
typedef struct Log
{
	const struct LogWriter *writer;
	LOCKMODE	mode;
	MemoryContext context;		/* until it is closed */
	Relation	visits;

	/* opened when they are needed */
	Relation	by_visitor_id;
	Relation	by_config;
	Relation	names;
	Relation	names_index;
	TupleTableSlot *names_slot;

	struct KnownRows *known_rows;	/* of one visit, in a batch; NULL: none */
	struct LogRows *rows;		/* of the tables that are written row by row;
								 * NULL: none */
	struct Batch *batch;		/* what a batch has in memory; NULL: none */
	struct BatchNames *batch_names; /* names that the batch has met; NULL:
									 * none */
	struct Marks *marks;		/* changed older days; NULL: none */
	HitNames	hit_names;		/* of the hit that is being recorded */
	int64		reach;			/* seconds: least bound of visit lengths that
								 * was used */
} Log;

#endif							/* PKT_LOG_TYPES_H */
