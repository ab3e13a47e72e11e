/*
 * salt.h
 *		Secret salts: one per instance, one per site and local day, one for
 *		user ids.  Read by the log's owner alone; wiped from memory at the end
 *		of every transaction.
 */
#ifndef PKT_SALT_H
#define PKT_SALT_H

#include "datatype/timestamp.h"
#include "utils/date.h"

#define SALT_LEN 32
#define SALT_MAX_LEN 1024		/* an imported user-id salt may be any text */

typedef struct Salt
{
	int			len;
	const uint8 *bytes;
} Salt;

extern void salt_init(void);

/*
 * The callers of all functions below run as the log's owner and are connected
 * to SPI.  A result stays valid until the end of the transaction, or until a
 * subtransaction is aborted, whichever comes first.
 */

/* The instance's fingerprint salt.  Error if it is missing. */
extern const Salt *salt_instance(void);

/* Seed of the hash behind lock tags. */
extern uint64 salt_lock_seed(void);

/* The salt that anonymize_user_id appends to a user id. */
extern const Salt *salt_user_id(void);

/*
 * The salt of a site's local day.  day_end is the instant at which that day
 * ends in the site's time zone, now the wall clock.  With make, it is created
 * (race-free) when it does not exist, or when it outlived its time; without,
 * NULL is returned then.
 *
 * Creating takes a lock on (site, day) until the end of the transaction, and
 * waits for it: whoever needs several salts asks for them sorted by site and
 * day, and before locking anything else.
 */
extern const Salt *salt_daily(int32 idsite, DateADT day, TimestampTz day_end,
							  TimestampTz now, bool make);

/*
 * Make the salt of a day to come, so that nobody waits at midnight.  Never
 * waits for a lock, costs nothing when it is known to be there.
 */
extern void salt_daily_prepare(int32 idsite, DateADT day, TimestampTz day_end,
							   TimestampTz now);

/*
 * Destroy what has expired, at most once an hour per backend; never waits for
 * a lock nor fails for want of one.  A table that is emptied stays locked until
 * the end of the transaction: call it last, and not in long statements.
 */
extern void salt_destroy_expired(TimestampTz now);

#endif							/* PKT_SALT_H */
