/*
 * writer_batch.h
 *		The visits of a statement with many hits, in memory: read once, written
 *		once.
 *
 * While it is at work nobody else may write visits of the sites concerned: the
 * caller holds their gates exclusively.
 */
#ifndef PKT_WRITER_BATCH_H
#define PKT_WRITER_BATCH_H

#include "log/log.h"
#include "log/row_writer.h"

/* What the store tells its bulk half. */
typedef struct BulkTables
{
	Relation	visits;
	Relation	actions;
	Relation	names;			/* the dictionary */
	const RowShape *visit_shape;
	const RowShape *action_shape;
	const RowShape *name_shape;
} BulkTables;

/* A row of the dictionary that is to be written. */
typedef struct NewName
{
	int64		idaction;
	int32		idsite;
	int16		type;
	int			prefix;			/* -1: none */
	const char *name;
	size_t		len;
} NewName;

extern bool batch_writer_begin(Log *log);
extern void batch_writer_end(void);
extern bool batch_writer_active(void);
extern void batch_writer_flush(void);

extern int	bulk_lookup(Log *log, int32 idsite, const Lookup *lookup, Visit *found);
extern void bulk_begin_visit(const Visit *v, const NewVisit *extra, const Datum *values, const char *nulls, int n);
extern bool bulk_continue_visit(const Visit *v);
extern void bulk_write_visit(int64 idvisit);
extern bool bulk_known_visit(int64 idvisit, Visit *visit);
extern void bulk_note_visit(const Visit *visit);
extern void bulk_write_actions(void);
extern void bulk_add_action(int64 idvisit, int64 idlink_va, const Datum *values, const char *nulls, int n);
extern bool bulk_update_timings(int64 idvisit, const char *idpageview, const int32 *timings);

extern bool bulk_known_name(int32 idsite, uint64 hash1, uint64 hash2, int64 *idaction);
extern void bulk_remember_name(int32 idsite, uint64 hash1, uint64 hash2, int64 idaction);
extern bool bulk_find_name(int32 idsite, int64 idaction, int type, bool prefix,
						   const char *name, size_t len, bool *same);
extern void bulk_add_name(const NewName *name);

/* the store's, for its bulk half */

/* Parameters of the insert of an action, from 0. */
#define ACTION_PARAM_URL 4
#define ACTION_PARAM_NAME 5
#define ACTION_PARAM_IDPAGEVIEW 14
#define ACTION_PARAM_EVENT_CATEGORY 16
#define ACTION_PARAM_TIMINGS 32

extern bool batch_writer_tables(Log *log, BulkTables *tables);
extern bool log_preferred(TimestampTz last_a, int64 idvisit_a, const Visit *b, bool older_first);
extern int	log_lookup_log(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits,
							 bool (*skip) (int64 idvisit));
extern int	log_newest_of_key(Log *log, int32 idsite, const Lookup *lookup, int max,
								Visit *visits, TimestampTz *floor, bool *complete);
extern bool log_site_has_names(Log *log, int32 idsite);
extern bool log_site_is_empty(Log *log, int32 idsite);
extern int64 log_newest_longest(int32 idsite);
extern int64 log_length_step(int64 length);
extern void log_publish_longest(int32 idsite, int64 length);
extern int	log_visit_changes(const Visit *v, bool seldom, bool no_continent,
								AttrNumber *att, Datum *values, char *nulls);
extern bool log_find_name(Log *log, int32 idsite, int64 idaction, int type, bool prefix,
							const char *name, size_t len, bool *same);

#endif							/* PKT_WRITER_BATCH_H */
