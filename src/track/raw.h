/*
 * raw.h
 *		Raw tables: tables of the user's whose rows are hits.  Which column is
 *		which parameter (raw_map.c), how a row becomes a hit (raw_row.c), and a
 *		run of rows through the engine (raw_run.c, raw_sort.c).
 */
#ifndef PKT_RAW_H
#define PKT_RAW_H

#include "postgres.h"

#include "fmgr.h"
#include "utils/jsonb.h"
#include "utils/relcache.h"

#include "track/engine.h"

#define RAW_KEY_MAX 40			/* bytes of a key as text, and its NUL */

/* Kinds of types; columns of others cannot be mapped. */
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
	int			phase;			/* lower ones are read first; what is read
								 * later wins */
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
	int16		width;			/* of an integer or a float; 0: json, or a
								 * timestamp without zone */
} RawColumn;

typedef enum RawOrder
{
	RAW_ORDER_GIVEN,
	RAW_ORDER_TIME
} RawOrder;

/* Options of attach(), ingest() and replay(), as they were passed. */
typedef struct RawOptions
{
	Jsonb	   *mapping;		/* NULL: columns are parameters by name */
	const char *order;
	const char *on_error;
	bool		trusted;
} RawOptions;

typedef struct RawMap
{
	char	   *table;			/* qualified name */
	int			n_columns;
	RawColumn  *columns;
	int			n_bindings;
	RawBinding *bindings;
	int			key;			/* in columns: a primary key of one number or
								 * UUID; -1: none */
	bool		has_query;
	bool		has_params;
	bool		plain_key;		/* site and time need no look at other columns */
	bool		trusted;
	bool		of_owner;		/* of a replay */
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

/* A row that SPI has read, and what it may be sorted by. */
typedef struct RawSpiRow
{
	RawRow		row;
	Datum		key;
	int32		idsite;
	TimestampTz at;
} RawSpiRow;

/*
 * How many hits a group has at most.  In a batch, whose visits stay in memory
 * from one group to the next, few: they are still in the processor's cache when
 * they are recorded.
 */
#define RAW_GROUP_MAX 20000
#define RAW_GROUP_IN_BATCH 500

/* A group of hits: those that go through the engine together. */
typedef struct RawGroup
{
	int			max;
	int			n;
	int			size;
	Hit		  **hits;
	int64	   *positions;
	char	  **keys;			/* or NULL */
	MemoryContext context;		/* of everything in the group */
} RawGroup;

/* Rows to be sorted by site, time and position. */
typedef struct RawSort RawSort;

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

/* What became of the hits so far. */
typedef struct RawRun
{
	const RawMap *map;
	const char *way;			/* trigger, ingest or replay */
	TimestampTz started;
	int64		idrun;			/* 0: no row yet */
	int64		hits;
	int64		recorded;
	int64		by_log;			/* ignored, excluded or rejected for what the
								 * log had */
	int64		rejected;
	int64		duplicates;		/* of these, orders that the site had */
	int64		visits_new;
	int64		visits_continued;
	int			n_excluded;
	RawCount	excluded[RAW_REASONS];
	int			n_ignored;
	RawCount	ignored[RAW_REASONS];
	MemoryContext context;
} RawRun;

extern RawMap *raw_map(Relation rel, Jsonb *options);
extern Oid	raw_table_arg(FunctionCallInfo fcinfo);
extern RawOptions raw_options_args(FunctionCallInfo fcinfo, int first, const char *default_order);
extern Relation raw_open(Oid relid, bool partitioned_too);
extern RawMap *raw_map_bare(Relation rel);
extern Jsonb *raw_options(Relation rel, const RawOptions *options);
extern int	raw_map_key(RawMap *map, Relation rel, const char *name);
extern char *raw_select_list(const RawMap *map, const char *alias);

extern RawSpiRow *raw_spi_rows(const RawMap *map, int first, int *n);
extern Hit *raw_read(const RawMap *map, const RawRow *row);
extern void raw_site_and_time(const RawMap *map, const RawRow *row, int32 *idsite, TimestampTz *at);
extern int32 raw_site(const RawMap *map, const RawRow *row);
extern char *raw_key(const RawMap *map, const RawRow *row);

extern RawGroup *raw_group_create(int max);
extern bool raw_group_add(RawGroup *group, const RawMap *map, const RawRow *row);
extern void raw_group_run(RawGroup *group, RawRun *run);

extern void raw_engine_run(Hit **hits, int n, Tracked *results, bool undo);

extern RawRun *raw_run_create(const RawMap *map, const char *way);
extern void raw_run_begin(RawRun *run);
extern void raw_run_write(RawRun *run, bool finished);
extern int64 raw_run_rejected(const RawRun *run, bool full);
extern void raw_run_notice(const RawRun *run, bool full);

extern void raw_sites_add(RawSites *sites, int32 idsite);
extern void raw_sites_lock(const RawSites *sites);

extern RawSort *raw_sort_begin(bool with_place);
extern void raw_sort_add(RawSort *sort, int32 idsite, TimestampTz at, int64 position,
						 ItemPointer place);
extern void raw_sort_perform(RawSort *sort);
extern bool raw_sort_next(RawSort *sort, int64 *position, ItemPointer place);
extern void raw_sort_end(RawSort *sort);

#endif							/* PKT_RAW_H */
