/*
 * writer.h
 *		How the log is written: the choice that log_open() makes once.
 *
 * writer_sql writes by statements, so that constraints, triggers and rules are
 * the executor's.  writer_row writes each row at once by the table's own
 * methods, where nothing on the tables needs the executor.  writer_batch keeps
 * the visits of a statement with many hits in memory.  Private to src/log.
 */
#ifndef PKT_WRITER_H
#define PKT_WRITER_H

#include "base/compat.h"
#include "log/columns.h"
#include "log/log_types.h"
#include "log/row_writer.h"

typedef struct LogWriter
{
	/* nobody else writes visits of the same sites: what was read stays true */
	bool		alone;

	/* as the functions log_... of the same names */
	int			(*lookup) (Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits);
	bool		(*newest_before) (Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
								  TimestampTz not_before, Visit *visit);
	bool		(*read_visit) (Log *log, int64 idvisit, Visit *visit);
	void		(*insert_visit) (Log *log, const Visit *visit, const NewVisit *new);
	bool		(*update_visit) (Log *log, const Visit *visit);
	void		(*insert_action) (Log *log, const Visit *visit, const Action *action,
								  const ActionKey *key);
	void		(*update_timings) (Log *log, int64 idvisit, const char *idpageview,
								   const int32 *timings);

	/* is there a name of that number, and is it the same? */
	bool		(*find_name) (Log *log, const LogName *name, bool *same);
	void		(*add_name) (Log *log, const LogName *name);

	/* let statements see this visit, or its actions, as they stand now */
	void		(*settle_visit) (Log *log, int64 idvisit);
	void		(*settle_actions) (Log *log, int64 idvisit);

	void		(*flush) (Log *log);	/* make room, if too much is in memory */
	void		(*close) (Log *log);	/* write what is in memory, and close
										 * the tables */
} LogWriter;

extern const LogWriter writer_sql;
extern const LogWriter writer_row;
extern const LogWriter writer_batch;

extern void visit_values(const Visit *visit, const NewVisit *new, Datum *values, char *nulls);
extern int	action_values(const Visit *visit, const Action *action, const ActionKey *key,
						  Datum *values, char *nulls);
pg_noreturn extern void raise_suppressed(void);

/* writer_sql.c, for the others */
extern void sql_update_timings(Log *log, int64 idvisit, const char *idpageview,
							   const int32 *timings);
extern void nothing_to_settle(Log *log, int64 idvisit);
extern void nothing_to_flush(Log *log);

/* Actions of a visit that are looked at for a page view whose performance comes late. */
#define TIMINGS_LOOK_BACK 500

/* The tables that are written row by row, each opened when it is needed. */
typedef struct LogRows
{
	int			at_once;		/* rows that are written together */
	RowWriter  *visits;
	RowWriter  *actions;
	RowWriter  *names;
} LogRows;

extern void rows_open(Log *log, int at_once);
extern RowWriter *rows_of_visits(Log *log);
extern RowWriter *rows_of_actions(Log *log);
extern RowWriter *rows_of_names(Log *log);
extern void rows_close(Log *log);

extern void batch_open(Log *log);

#endif							/* PKT_WRITER_H */
