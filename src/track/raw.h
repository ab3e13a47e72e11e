/*
 * raw.h
 *		Rows of the user's raw tables: which column is which parameter, and what
 *		became of a run of them.
 */
#ifndef PKT_RAW_H
#define PKT_RAW_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/relcache.h"

#include "track/engine.h"

#define RAW_KEY_MAX 40			/* bytes of a key as text, and its NUL */

/* What a column's value is; types that are none of these cannot be mapped. */
typedef enum RawType
{
	RAW_TEXT,
	RAW_INT,
	RAW_NUMERIC,
	RAW_FLOAT,
	RAW_BOOL,
	RAW_INET,
	RAW_TIME,
	RAW_JSON,
	RAW_JSONB,
	RAW_HEXID,
	RAW_UUID
} RawType;

/* Where a value goes. */
typedef enum RawTarget
{
	RAW_FIELD,					/* a field of the table of hit fields */
	RAW_IP,
	RAW_AT,
	RAW_CONSENT,
	RAW_SESSION_COOKIE,
	RAW_HEADERS,
	RAW_QUERY,
	RAW_PARAMS,
	RAW_OTHER					/* a custom dimension */
} RawTarget;

/* A parameter and where it comes from. */
typedef struct RawBinding
{
	const char *name;
	RawTarget	target;
	const HitField *field;		/* of RAW_FIELD */
	int			phase;			/* lower ones are read first; what is read later wins */
	int			column;			/* in the map's columns; -1: constant */
	const char *constant;
} RawBinding;

/* A column that is read. */
typedef struct RawColumn
{
	AttrNumber	attnum;
	const char *name;
	Oid			typid;			/* a domain's base type */
	RawType		type;
	int16		width;			/* of an integer or a float; 0: json, or a timestamp without zone */
} RawColumn;

typedef enum RawOrder
{
	RAW_ORDER_GIVEN,
	RAW_ORDER_TIME
} RawOrder;

typedef struct RawMap
{
	char	   *table;			/* name for people, qualified */
	int			n_columns;
	RawColumn  *columns;
	int			n_bindings;
	RawBinding *bindings;
	int			key;			/* in columns: a primary key of one number or UUID; -1: none */
	bool		has_query;
	bool		has_params;
	bool		plain_key;		/* site and time need no look at other columns */
	bool		trusted;
	bool		raise;			/* a bad hit is an error */
	RawOrder	order;
} RawMap;

/* One row, as the map's columns want it. */
typedef struct RawRow
{
	int64		position;		/* in its statement, from 1 */
	Datum	   *values;
	bool	   *nulls;
} RawRow;

/* Hits of one chunk. */
typedef struct RawChunk
{
	int			n;
	int			size;
	Hit		  **hits;
	int64	   *positions;
	char	   **keys;			/* or NULL */
	MemoryContext context;		/* everything of the chunk */
} RawChunk;

/* Sites in ascending order; begins as zeros. */
typedef struct RawSites
{
	int			n;
	int			size;
	int32	   *idsites;
	int32		last;			/* the one added last */
} RawSites;

#define RAW_REASONS 32

typedef struct RawCount
{
	char	   *reason;
	int64		n;
} RawCount;

/* What has become of the hits so far. */
typedef struct RawRun
{
	const RawMap *map;
	const char *way;			/* trigger, ingest or replay */
	TimestampTz started;
	int64		idrun;			/* 0: no row yet */
	int64		hits;
	int64		recorded;
	int64		rejected;
	int64		visits_new;
	int64		visits_continued;
	int			n_excluded;
	RawCount	excluded[RAW_REASONS];
	int			n_ignored;
	RawCount	ignored[RAW_REASONS];
	MemoryContext context;
} RawRun;

extern RawMap *raw_map(Relation rel, Jsonb *options);
extern Jsonb *raw_options(Relation rel, Jsonb *mapping, const char *order,
						  const char *on_error, bool trusted);
extern int	raw_map_key(RawMap *map, Relation rel, const char *name);
extern char *raw_select_list(const RawMap *map, const char *alias);
extern Hit *raw_read(const RawMap *map, const RawRow *row);
extern void raw_site_and_time(const RawMap *map, const RawRow *row, int32 *idsite, TimestampTz *at);
extern int32 raw_site(const RawMap *map, const RawRow *row);
extern char *raw_key(const RawMap *map, const RawRow *row);

extern RawChunk *raw_chunk_create(void);
extern bool raw_chunk_add(RawChunk *chunk, const RawMap *map, const RawRow *row);
extern void raw_chunk_run(RawChunk *chunk, RawRun *run);

extern void raw_engine_run(Hit **hits, int n, Tracked *results, bool undo);

extern RawRun *raw_run_create(const RawMap *map, const char *way);
extern void raw_run_begin(RawRun *run);
extern void raw_run_write(RawRun *run, bool finished);
extern void raw_run_notice(const RawRun *run);

extern void raw_sites_add(RawSites *sites, int32 idsite);
extern void raw_sites_lock(const RawSites *sites);

#endif							/* PKT_RAW_H */
