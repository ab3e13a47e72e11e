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

#include "base/siphash.h"

#define SALT_LEN 32
#define SALT_MAX_LEN 1024		/* of an imported salt for user ids */

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

/* The instance's fingerprint salt.  Error object_not_in_prerequisite_state if it was deleted. */
extern const Salt *salt_instance(void);

/*
 * Key of the hash that makes lock tags, and a number that changes with it.  The
 * caller has locked log_visit, so that no other session gets another key.
 */
extern const SipKey *salt_lock_key(uint64 *version);

/* The salt that anonymize_user_id appends to a user id. */
extern const Salt *salt_user_id(void);

/* The salt of the register of erasures. */
extern const Salt *salt_erasure(void);

/*
 * The salt of a site's local day.  day_end is the instant at which that day
 * ends in the site's time zone, now the wall clock.  If no unexpired salt exists,
 * it is created with make (race-free); without, the result is NULL.
 *
 * Creating one waits for a lock on (site, day), held to the end of the
 * transaction: callers that need several salts ask for them sorted by site and
 * day, before they lock anything else.
 */
extern const Salt *salt_daily(int32 idsite, DateADT day, TimestampTz day_end,
							  TimestampTz now, bool make);

/*
 * Make the salt of a future day, so that no session waits at midnight.  Never
 * waits for a lock, and costs nothing once the salt is known to exist.
 */
extern void salt_daily_prepare(int32 idsite, DateADT day, TimestampTz day_end,
							   TimestampTz now);

/*
 * Destroy expired salts, at most once an hour per backend.  Never waits for a
 * lock, and leaves a table that is locked to a later call.  A table that is
 * emptied stays locked to the end of the transaction: call it last, and not in
 * long statements.
 */
extern void salt_destroy_expired(TimestampTz now);

#endif							/* PKT_SALT_H */
