/*
 * row_writer.h
 *		Writes rows of a plain table without a statement for each.
 */
#ifndef PKT_ROW_WRITER_H
#define PKT_ROW_WRITER_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/relcache.h"

#include "log/columns.h"

/* Indexes that most rows may not belong into; more of them are opened for every row. */
#define PARTIAL_INDEXES 4

/* What is known of a table whose columns a ColumnTable names. */
typedef struct RowShape
{
	const char *statements;		/* why it must be written by the executor;
								 * NULL: it need not */
	bool		may_end_early;	/* a row may leave out columns at its end that
								 * are NULL */
	bool		checks_hold;	/* its CHECKs are true of any row of an
								 * identified visitor */
	AttrNumber	att[KEPT_PLAN_ARGS];	/* of each column of the ColumnTable */
	AttrNumber	consent;		/* the column of that name, 0: none */
	int			n_not_null;
	AttrNumber	not_null[KEPT_PLAN_ARGS];
	int			n_partial;
	struct
	{
		Oid			index;
		AttrNumber	att;		/* only rows with a value here belong into it */
	}			partial[PARTIAL_INDEXES];
} RowShape;

/* An index that rows are put into by its own method. */
typedef struct RowIndex
{
	Relation	rel;
	IndexInfo  *info;
	AttrNumber	not_null;		/* only rows with a value here belong into it;
								 * 0: all */
	bool		minmax;			/* BRIN, of the least and greatest timestamp
								 * of some pages */
	BlockNumber pages;			/* how many that are */
	BlockNumber range;			/* which of them least and greatest are of */
	TimestampTz least;
	TimestampTz greatest;
} RowIndex;

/* A table open for writing. */
typedef struct RowWriter
{
	const RowShape *shape;
	Relation	rel;
	MemoryContext context;
	EState	   *estate;			/* with result, once it is needed */
	ResultRelInfo *result;
	bool		all_indexes;	/* none was left out that rows without a value
								 * do not belong into */
	bool		plain_indexes;	/* indexes holds all that are open */
	RowIndex   *indexes;
	TupleDesc  *early;			/* [n]: of rows that end after n columns;
								 * NULL: not made yet */
	TupleTableSlot *read;		/* a row as it stands in the table */
	int			n_slots;
	TupleDesc	slot_desc;
	TupleTableSlot **slots;		/* made when they are needed */
	Datum	   *values;			/* by column, while a row is formed */
	bool	   *nulls;
	bool	   *replace;
} RowWriter;

extern bool row_writer_marks(Oid funcid);
extern void row_shape_read(RowShape *shape, const ColumnTable *columns, Oid relid, Oid owner);

extern void row_writer_open(RowWriter *w, const RowShape *shape, Relation rel, int at_once);
extern void row_writer_close(RowWriter *w);
extern HeapTuple row_writer_form(RowWriter *w, const Datum *values, const char *nulls, int n);
extern HeapTuple row_writer_change(RowWriter *w, HeapTuple tuple, const AttrNumber *att,
								   const Datum *values, const char *nulls, int n);
extern void row_writer_insert(RowWriter *w, HeapTuple *tuples, int n);
extern HeapTuple row_writer_read(RowWriter *w, ItemPointer tid, TransactionId xmin);
extern bool row_writer_update(RowWriter *w, ItemPointer tid, HeapTuple tuple);

#endif							/* PKT_ROW_WRITER_H */
