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
	uint8		bytes[SALT_MAX_LEN];
} Salt;

extern void salt_init(void);

/*
 * The callers of these three run as the log's owner and are connected to SPI.
 * The result stays valid until the end of the transaction.
 */

/* The instance's fingerprint salt.  Error if it is missing. */
extern const Salt *salt_instance(void);

/* The salt that anonymize_user_id appends to a user id. */
extern const Salt *salt_user_id(void);

/*
 * The salt of a site's local day.  day_end is the instant at which that day
 * ends in the site's time zone, now the wall clock.  With make, it is created
 * (race-free) when it does not exist, or when it outlived its time; without,
 * NULL is returned then.
 */
extern const Salt *salt_daily(int32 idsite, DateADT day, TimestampTz day_end,
							  TimestampTz now, bool make);

#endif							/* PKT_SALT_H */
