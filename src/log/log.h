/*
 * log.h
 *		Reads visits from the log and writes what has changed.  Hides which
 *		relation a row lives in.
 *
 * Callers run as the log's owner and are connected to SPI.
 */
#ifndef PKT_LOG_H
#define PKT_LOG_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "base/plan.h"
#include "enrich/geoip.h"
#include "enrich/user_agent.h"
#include "visit/recognise.h"

/* What is written only when a visit begins. */
typedef struct NewVisit
{
	PktIp		location_ip;	/* masked; len 0: none */
	GeoLocation location;
	const UserAgent *device;
	bool		as_matomo;		/* unknown texts are empty there, not NULL */
	bool		has_details;	/* plugins and localtime may be told */
	const char *browser_lang;	/* "" if unknown */
	int32		plugins[HIT_PLUGINS];
	int64		localtime;		/* microseconds since midnight */
} NewVisit;

/* The log's relations, open for one engine call. */
typedef struct Log
{
	Relation	visits;
	Relation	by_visitor_id;	/* opened when needed */
	Relation	by_config;
	LOCKMODE	mode;
	MemoryContext context;		/* until it is closed */
	Relation	names;			/* the dictionary and its index, likewise */
	Relation	names_index;
	TupleTableSlot *names_slot;
	struct OpenLog *rows;		/* what writes rows without statements */
	bool		in_memory;		/* visits are kept in memory: log_open_batch() */
	int64		reach;			/* seconds: the longest visit that the look-ups of a pass reckoned with */
} Log;

extern void log_init(void);
extern Oid	log_owner(void);
extern bool log_has_user_code(void);

extern void log_open(Log *log, LOCKMODE mode);
extern bool log_open_batch(Log *log);
extern void log_flush(Log *log);
extern void log_close(Log *log);

extern int	log_lookup(Log *log, int32 idsite, const Lookup *lookup,
						 int max, Visit *visits);
extern bool log_read_visit(Log *log, int32 idsite, int64 idvisit, Visit *visit);
extern bool log_joined_by_fingerprint(Log *log, int64 idvisit);
extern bool log_longest_is_news(Log *log, int32 idsite);

extern int64 log_next_idvisit(void);
extern int64 log_next_idlink_va(void);
extern void log_insert_visit(Log *log, const Visit *visit, const NewVisit *extra);
extern bool log_update_visit(Log *log, const Visit *visit);
extern void log_insert_action(Log *log, const Visit *visit, const Hit *hit, const Action *action,
								int64 idlink_va, MatchedBy matched_by, Reason reason);

/* Actions of a visit that are looked at for a page view whose performance comes late. */
#define LOG_TIMINGS_LOOK_BACK 500
extern void log_update_timings(Log *log, int64 idvisit, const char *idpageview,
								 const int32 *timings);

#endif							/* PKT_LOG_H */
