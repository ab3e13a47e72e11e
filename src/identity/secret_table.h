/*
 * secret_table.h
 *		Unlogged tables of secrets that expire: emptied as a whole by TRUNCATE,
 *		since a deleted row stays readable in its file, and never by waiting for
 *		a lock.  What was destroyed, and when, is recorded.
 */
#ifndef PKT_SECRET_TABLE_H
#define PKT_SECRET_TABLE_H

#include "access/attnum.h"
#include "datatype/timestamp.h"

/* Every expiry is believed, however far ahead it is. */
#define SECRET_NO_HORIZON PG_INT64_MAX

typedef enum SecretTableState
{
	SECRET_TABLE_IN_USE,		/* empty, or a secret in it lives */
	SECRET_TABLE_BUSY,			/* another transaction uses it: the next call
								 * tries again */
	SECRET_TABLE_LOCKED			/* nothing in it lives, and it is locked */
} SecretTableState;

/* Time between two attempts on a table that another session uses. */
#define SECRET_RETRY_AFTER USECS_PER_SEC

/*
 * A module that keeps secrets of such tables in memory while a transaction
 * runs.  Neither function may raise.
 */
typedef struct SecretModule
{
	/*
	 * Wipe every secret in memory.  Called at the end of each transaction,
	 * and when a subtransaction is aborted.
	 */
	void		(*wipe) (void);

	/*
	 * Forget what a transaction or subtransaction did that was aborted, or
	 * prepared, which may be rolled back yet.  destroyed: it has emptied
	 * tables.  Called before wipe().
	 */
	void		(*forget) (bool destroyed);

	/*
	 * Set by the module when it empties a table, cleared at the transaction's
	 * end.
	 */
	bool		destroyed;
} SecretModule;

/* Have these functions called; once for each module, when the library loads. */
extern void secret_module_register(SecretModule *module);

/* The table of pk_tracking with this name; InvalidOid if there is none. */
extern Oid	secret_table_oid(const char *name);

/*
 * Does the table have pages, even of dead rows only?  False, too, if its lock
 * cannot be taken without waiting.
 */
extern bool secret_table_has_pages(Oid relid);

/*
 * Lock the table exclusively, to the end of the transaction, if that is possible
 * without waiting and no row of it lives at now.  A row lives while
 * now < expires <= now + horizon; expires is the number of that column.  A table
 * without pages is locked only with even_empty.  No lock is kept unless the
 * result is SECRET_TABLE_LOCKED.
 */
extern SecretTableState secret_table_lock_dead(Oid relid, AttrNumber expires,
											   TimestampTz now, int64 horizon,
											   bool even_empty);

/*
 * Lock the table exclusively, to the end of the transaction; false if that is
 * not possible without waiting.
 */
extern bool secret_table_lock(Oid relid);

/*
 * The callers of the two functions below are connected to SPI, may TRUNCATE the
 * table and write pk_tracking.secret_destroyed, and hold the table's exclusive
 * lock.
 */

/*
 * Record in pk_tracking.secret_destroyed that the secrets in the table are
 * destroyed at now, and delete records older than 30 days.  what: the values of
 * kind, idsite and period, as SQL expressions over the columns of t; the table
 * has columns created and expires.
 */
extern void secret_table_record(const char *name, const char *what, TimestampTz now);

/* Empty the table.  Error insufficient_privilege. */
extern void secret_table_truncate(const char *name);

#endif							/* PKT_SECRET_TABLE_H */
