/*
 * store.h
 *		Reads visits from the log and writes what has changed.  Hides which
 *		relation a row lives in.
 *
 * Callers run as the log's owner and are connected to SPI.
 */
#ifndef PKT_STORE_H
#define PKT_STORE_H

#include "executor/spi.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

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
typedef struct Store
{
	Relation	visits;
	Relation	by_visitor_id;	/* opened when needed */
	Relation	by_config;
	LOCKMODE	mode;
	MemoryContext context;		/* until it is closed */
	Relation	names;			/* the dictionary and its index, likewise */
	Relation	names_index;
	TupleTableSlot *names_slot;
	struct OpenStore *rows;		/* what writes rows without statements */
	int64		reach;			/* seconds: the longest visit that the look-ups of a pass reckoned with */
} Store;

extern void store_init(void);
extern Oid	store_log_owner(void);
extern bool store_has_user_code(void);
extern int	store_pin_search_path(void);

extern void store_open(Store *store, LOCKMODE mode);
extern void store_close(Store *store);

extern int	store_lookup(Store *store, int32 idsite, const Lookup *lookup,
						 int max, Visit *visits);
extern bool store_read_visit(Store *store, int32 idsite, int64 idvisit, Visit *visit);
extern bool store_joined_by_fingerprint(int64 idvisit);
extern bool store_longest_is_news(Store *store, int32 idsite);

extern int64 store_next_idvisit(void);
extern int64 store_next_idlink_va(void);
extern void store_insert_visit(const Visit *visit, const NewVisit *extra);
extern bool store_update_visit(const Visit *visit);
extern void store_insert_action(const Visit *visit, const Hit *hit, const Action *action,
								int64 idlink_va, MatchedBy matched_by, Reason reason);

/* Actions of a visit that are looked at for a page view whose performance comes late. */
#define STORE_TIMINGS_LOOK_BACK 500
extern void store_update_timings(int64 idvisit, const char *idpageview,
								 const int32 *timings);

#define KEPT_PLAN_ARGS 72

/* A kept plan: prepared on first use, then for good. */
typedef struct KeptPlan
{
	const char *query;
	int			nargs;
	Oid			argtypes[KEPT_PLAN_ARGS];	/* InvalidOid: hexid */
	SPIPlanPtr	plan;
	Oid			hexid;			/* the id type that it was made for */
} KeptPlan;

extern int	store_execute(KeptPlan *kept, Datum *values, const char *nulls, long count,
						  bool newest);

#endif							/* PKT_STORE_H */
