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

/* No row of the table is too far ahead to be believed. */
#define SECRET_NO_HORIZON PG_INT64_MAX

typedef enum SecretTableState
{
	SECRET_TABLE_IN_USE,		/* empty, or a secret in it lives */
	SECRET_TABLE_BUSY,			/* somebody has it: the next call tries again */
	SECRET_TABLE_LOCKED			/* nothing in it lives, and it is locked */
} SecretTableState;

/* The table of pk_tracking with this name; InvalidOid if there is none. */
extern Oid	secret_table_oid(const char *name);

/* Has the table pages, whatever stands on them?  False, too, if it is locked. */
extern bool secret_table_has_pages(Oid relid);

/*
 * Take the table exclusively, to the end of the transaction, if that can be had
 * at once and no row of it lives at now.  A row lives while
 * now < expires <= now + horizon, expires being the column with that number.  A
 * table without pages counts only with even_empty.
 */
extern SecretTableState secret_table_lock_dead(Oid relid, AttrNumber expires,
											   TimestampTz now, int64 horizon,
											   bool even_empty);

/* Take the table exclusively, to the end of the transaction, if that can be had at once. */
extern bool secret_table_lock(Oid relid);

/*
 * The two below: callers are connected to SPI, may TRUNCATE the table and write
 * pk_tracking.secret_destroyed, and hold the table's exclusive lock.
 */

/*
 * Record that the secrets in the table go at now.  what: the values of kind,
 * idsite and period, as SQL expressions over the columns of t; the table has
 * columns created and expires.
 */
extern void secret_table_record(const char *name, const char *what, TimestampTz now);

extern void secret_table_truncate(const char *name);

#endif							/* PKT_SECRET_TABLE_H */
