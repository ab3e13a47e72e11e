/*
 * columns.h
 *		The columns of the log that the library reads and writes: one table for
 *		visits, one for actions and one for the dictionary of names.  (That of
 *		conversions stands in conversion_write.c.)  Private to src/log.
 *
 * A row of a table says what a column is called, which member of which struct
 * holds its value, what stands for NULL there and which hits write it.  All else
 * is derived from that: the INSERT and UPDATE statements, the types of their
 * parameters, the attribute numbers, reading a row, forming one, changing one
 * and the deep copy of a visit that a batch keeps.
 */
#ifndef PKT_COLUMNS_H
#define PKT_COLUMNS_H

#include "postgres.h"

#include "access/attnum.h"
#include "executor/tuptable.h"
#include "lib/stringinfo.h"

#include "base/plan.h"
#include "visit/lifecycle.h"

/* How a member of a struct becomes a value of the column's type. */
typedef enum ColumnKind
{
	COLUMN_INT2,				/* int16 */
	COLUMN_INT2_OF_INT,			/* int32 or an enum, cut to the range of int2 */
	COLUMN_INT4,				/* int32 */
	COLUMN_INT4_OR_NULL,		/* NullableInt */
	COLUMN_INT8,				/* int64 */
	COLUMN_INT8_OR_NULL,		/* NullableInt */
	COLUMN_TIMESTAMPTZ,			/* TimestampTz */
	COLUMN_TIME,				/* int64, microseconds since midnight */
	COLUMN_HEXID,				/* HexId */
	COLUMN_INET,				/* PktIp; len 0 is NULL */
	COLUMN_TEXT,				/* char *; NULL is NULL */
	COLUMN_NUMERIC,				/* Numeric; likewise */
	COLUMN_JSONB				/* Jsonb *; likewise */
} ColumnKind;

/* The struct that holds the value. */
typedef enum ColumnSource
{
	SOURCE_VISIT,				/* Visit: read from the log, too */
	SOURCE_NEW_VISIT,			/* NewVisit */
	SOURCE_ACTION,				/* Action */
	SOURCE_ACTION_KEY,			/* ActionKey */
	SOURCE_NAME,				/* LogName */
	SOURCE_CONVERSION,			/* a conversion's row, in conversion_write.c */
	N_SOURCES
} ColumnSource;

/* Which hits write the column.  A table stands in this order. */
typedef enum ColumnWriters
{
	EVERY_HIT,					/* INSERT, and of visits every UPDATE */
	SOME_HITS,					/* visits with seldom_changed; actions that
								 * are wide */
	FIRST_HIT					/* the INSERT of a visit alone */
} ColumnWriters;

/* When a number is NULL.  NULL is read as "none". */
typedef enum ColumnNull
{
	NULL_NEVER,
	NULL_IF_NONE,				/* if it is "none" */
	NULL_UNLESS_GIVEN			/* if the bool at "given" is false */
} ColumnNull;

typedef struct Column
{
	const char *name;
	ColumnKind	kind;
	ColumnSource source;
	int			offset;			/* in the struct */
	ColumnWriters writers;
	ColumnNull	null;
	int32		none;
	int			given;			/* offset of a bool in the struct; 0: there is
								 * none */
} Column;

typedef struct ColumnTable
{
	const char *relation;		/* in the schema pk_tracking */
	const Column *columns;
	int			n;

	/* filled by columns_init() */
	int			n_every;		/* columns that every hit writes; they come
								 * first */
	int			n_some;			/* and those that some hits write, too */
	int			n_read;			/* columns of Visit; they come before those of
								 * NewVisit */
} ColumnTable;

/* What an action's row has besides Visit and Action. */
typedef struct ActionKey
{
	int64		idlink_va;
	TimestampTz at;
	MatchedBy	matched_by;
	Reason		reason;
} ActionKey;

/* A name of the dictionary. */
typedef struct LogName
{
	int64		idaction;
	int32		idsite;
	int16		type;			/* ACTION_TYPE_... */
	int16		prefix;			/* what was cut off a URL, -1: nothing */
	const char *text;
	size_t		len;			/* of the text, without its NUL */
} LogName;

extern ColumnTable visit_columns;
extern ColumnTable action_columns;
extern ColumnTable name_columns;

extern void columns_init(void);
extern int	column_find(const ColumnTable *table, const char *name);
extern Oid	column_type(const Column *column);
extern bool column_reads_as(const Column *column, Oid type);

extern void columns_insert_plan(const ColumnTable *table, int n, KeptPlan *plan, StringInfo sql);
extern void columns_update_plan(const ColumnTable *table, int n, KeptPlan *plan, StringInfo sql);

extern void columns_values(const ColumnTable *table, int n, const void *const *sources,
						   Datum *values, char *nulls);
extern void columns_read_visit(TupleTableSlot *slot, const AttrNumber *att, Visit *visit);
extern void columns_keep_visit(Visit *kept, const Visit *visit, MemoryContext context);

#endif							/* PKT_COLUMNS_H */
