/*
 * log.c
 *		Opens the log, and dispatches each call to the writer chosen at that time.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "commands/sequence.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

#include "base/plan.h"
#include "log/columns.h"
#include "log/log.h"
#include "log/mark.h"
#include "log/mark_days.h"
#include "log/names_internal.h"
#include "log/new_names.h"
#include "log/neighbours.h"
#include "log/relations.h"
#include "log/visit_length.h"
#include "log/writer.h"

/* log_init: called once when the library loads. */
void
log_init(void)
{
	columns_init();
	relations_init();
	mark_days_init();
	names_init();
	new_names_init();
}

/*
 * log_owner
 *		The role whose rights the engine uses: the owner of log_visit.
 *		Error undefined_table, with a hint, if there is no log.
 */
Oid
log_owner(void)
{
	if (!log_relations.valid)
		relations_find();
	return log_relations.owner;
}

/*
 * log_has_user_code
 *		Does writing run a user's code that must not see the caller's
 *		search_path?  Asked with the log open: nobody can add such code then.
 */
bool
log_has_user_code(void)
{
	return log_relations.has_user_code;
}

/* log_need_version: an error if the log has not the version that this library writes. */
void
log_need_version(void)
{
	relations_need_version();
}

/*
 * log_open
 *		Open the log for an engine call (mode: RowExclusiveLock, or
 *		AccessShareLock to read only); the locks stay to the end of the
 *		transaction.  The current memory context must live until log_close().
 *		After an error nothing has to be closed: what was opened goes with the
 *		(sub)transaction and the memory context.
 */
void
log_open(Log *log, LOCKMODE mode)
{
	memset(log, 0, sizeof(Log));
	log->mode = mode;
	log->context = CurrentMemoryContext;
	log->reach = PG_INT64_MAX;
	relations_open(log, mode);
	log->writer = &writer_sql;
	/* in a read-only transaction a statement raises the right error */
	if (mode == RowExclusiveLock && log_relations.plain && !XactReadOnly)
	{
		log->writer = &writer_row;
		rows_open(log, 1);
	}
}

/*
 * log_lock
 *		Lock the log as log_open() does to write it, without opening it.
 */
void
log_lock(void)
{
	Log			log;

	memset(&log, 0, sizeof(Log));

	/*
	 * the other tables are locked when rows are written: only log_visit
	 * guards the salt
	 */
	relations_open(&log, AccessShareLock);
	LockRelationOid(RelationGetRelid(log.visits), RowExclusiveLock);
	table_close(log.visits, NoLock);
}

/*
 * log_open_batch
 *		Open the log to write the hits of a batch: what is read and written is
 *		kept in memory until log_close(), or until log_flush() finds it too much.
 *		False, and nothing open, if a table must be written by statements, for
 *		example because a user has put a trigger on it.  The caller holds the
 *		gates of all sites concerned exclusively.
 */
bool
log_open_batch(Log *log)
{
	log_open(log, RowExclusiveLock);
	if (log->writer != &writer_row || !log_relations.may_keep)
	{
		log_close(log);
		return false;
	}
	log->writer = &writer_batch;
	batch_open(log);
	return true;
}

/*
 * log_flush
 *		Call it between two hits: writes what a batch has in memory if that is
 *		more than its share of pk_tracking.bulk_memory.
 */
void
log_flush(Log *log)
{
	log->writer->flush(log);
}

/* log_close: write what is still in memory, and close the relations. */
void
log_close(Log *log)
{
	log->writer->close(log);
	mark_write(log);
	if (log->by_visitor_id != NULL)
		index_close(log->by_visitor_id, NoLock);
	if (log->by_config != NULL)
		index_close(log->by_config, NoLock);
	if (log->names != NULL)
	{
		ExecDropSingleTupleTableSlot(log->names_slot);
		index_close(log->names_index, NoLock);
		table_close(log->names, NoLock);
	}
	table_close(log->visits, NoLock);
}

/*
 * log_lookup
 *		The max most preferred visits that the look-up finds, best first, as
 *		committed now or written by this transaction.  Returns their number.  In
 *		a batch max is 1, and what the visit points to stays until the next
 *		log_flush(); else it is in the current memory context.
 */
int
log_lookup(Log *log, int32 idsite, const Lookup *lookup, int max, Visit *visits)
{
	return log->writer->lookup(log, idsite, lookup, max, visits);
}

/*
 * log_newest_before
 *		The visit of this visitor id on the site, as it stands now, that began
 *		last before a time, but not before not_before; false if there is none.
 *		Of visits that began at the same time, the one that was written last.
 *		What it points to lives as long as what log_lookup() finds.
 */
bool
log_newest_before(Log *log, int32 idsite, HexId idvisitor, TimestampTz before,
				  TimestampTz not_before, Visit *visit)
{
	return log->writer->newest_before(log, idsite, idvisitor, before, not_before, visit);
}

/* log_read_visit: the newest version of a visit of the site; false if there is none. */
bool
log_read_visit(Log *log, int32 idsite, int64 idvisit, Visit *visit)
{
	return log->writer->read_visit(log, idvisit, visit) && visit->idsite == idsite;
}

/* log_next_idvisit: the number of a visit that is about to be written, not before. */
int64
log_next_idvisit(void)
{
	return nextval_internal(log_relations.seq_visit, false);
}

/* log_next_idlink_va: likewise of an action. */
int64
log_next_idlink_va(void)
{
	return nextval_internal(log_relations.seq_action, false);
}

/*
 * log_insert_visit
 *		Write a visit that has begun; visit->idvisit is from log_next_idvisit().
 */
void
log_insert_visit(Log *log, const Visit *visit, const NewVisit *new)
{
	log->writer->insert_visit(log, visit, new);
}

/*
 * log_try_lock_visit
 *		Lock the row of a visit, so that updating it waits for nobody.  False if
 *		another open transaction has changed it.  In REPEATABLE READ and
 *		SERIALIZABLE, serialization_failure if one that has committed has.
 */
bool
log_try_lock_visit(int64 idvisit)
{
	static KeptPlan plan = {
		.query = "SELECT FROM pk_tracking.log_visit v"
		" WHERE v.idvisit OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE SKIP LOCKED",
		.nargs = 1,.argtypes = {INT8OID}
	};
	Datum		value = Int64GetDatum(idvisit);

	return plan_execute(&plan, &value, NULL, 1, false) == SPI_OK_SELECT && SPI_processed == 1;
}

/*
 * log_update_visit
 *		Write a visit that was continued.  False, and nothing written, if the
 *		version that was read is not the newest any more.  In REPEATABLE READ
 *		and SERIALIZABLE, serialization_failure if the transaction's snapshot
 *		does not show that version.
 */
bool
log_update_visit(Log *log, const Visit *visit)
{
	return log->writer->update_visit(log, visit);
}

/*
 * log_insert_action
 *		Write the row of an action of the visit; idlink_va is from
 *		log_next_idlink_va().
 */
void
log_insert_action(Log *log, const Visit *visit, const Hit *hit, const Action *action,
				  int64 idlink_va, MatchedBy matched_by, Reason reason)
{
	ActionKey	key = {idlink_va, hit->at, matched_by, reason};

	log->writer->insert_action(log, visit, action, &key);
	if (log->known_rows != NULL)
		neighbours_note(log, visit->idvisit, action, &key);
}

/*
 * log_update_timings
 *		Write page performance (HIT_TIMINGS numbers, NOT_SENT: keep what is
 *		there) to a page view that was written before, named by its page view
 *		id; nothing if the visit, which is locked, has none of that id.
 */
void
log_update_timings(Log *log, int64 idvisit, const char *idpageview, const int32 *timings)
{
	log->writer->update_timings(log, idvisit, idpageview, timings);
}

/* visit_values: a visit's row, as visit_columns has it. */
void
visit_values(const Visit *visit, const NewVisit *new, Datum *values, char *nulls)
{
	const void *sources[N_SOURCES] = {[SOURCE_VISIT] = visit,[SOURCE_NEW_VISIT] = new};

	columns_values(&visit_columns, visit_columns.n, sources, values, nulls);
}

/* action_values: an action's row, as action_columns has it; returns how many columns it has. */
int
action_values(const Visit *visit, const Action *action, const ActionKey *key,
			  Datum *values, char *nulls)
{
	const void *sources[N_SOURCES] = {
		[SOURCE_VISIT] = visit,[SOURCE_ACTION] = action,[SOURCE_ACTION_KEY] = key
	};
	int			n = action->wide ? action_columns.n : action_columns.n_every;

	columns_values(&action_columns, n, sources, values, nulls);
	return n;
}

/* raise_suppressed: a user's trigger or rule has suppressed the insert of a row. */
void
raise_suppressed(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("could not track the hit because its rows cannot be written"),
			 errhint("Look for a trigger or rule that suppresses inserts into the log's tables.")));
}

/*
 * log_longest_is_news
 *		Read the bound anew; true if it is larger than the one that the last
 *		look-up stopped by, which may then have stopped too early.  A commit
 *		makes rows visible a moment before its invalidation arrives, so a session
 *		that is about to begin a visit asks here.
 */
bool
log_longest_is_news(Log *log, int32 idsite)
{
	return !log->writer->alone && visit_length_newest(idsite) > log->reach;
}
