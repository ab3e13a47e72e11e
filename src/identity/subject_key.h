/*
 * subject_key.h
 *		Keyed hashes of what a person is known by: what the register of erasures and
 *		the list of the suppressed hold instead of ids.
 */
#ifndef PKT_SUBJECT_KEY_H
#define PKT_SUBJECT_KEY_H

#include "postgres.h"

#define SUBJECT_KEY_LEN 32		/* SHA-256 */

/* The kinds of keys that hits are compared by. */
#define SUBJECT_USER_ID "user_id"
#define SUBJECT_VISITOR_ID "visitor_id"

/*
 * HMAC-SHA-256 of kind, site and value under the salt "erasure", into hash.  A visitor
 * id's value is its 16 digits.  Callers are connected to SPI and may read salts.
 * Error object_not_in_prerequisite_state if the salt was deleted.
 */
extern void subject_key_hash(int32 idsite, const char *kind, const char *value, size_t len,
							 uint8 *hash);

#endif							/* PKT_SUBJECT_KEY_H */
