/*
 * seal.h
 *		AES-256-GCM, and the key that wraps the keys of the spool's segments.
 */
#ifndef EDGE_SEAL_H
#define EDGE_SEAL_H

#include <stdbool.h>
#include <stddef.h>

#define SEAL_KEY_SIZE 32
#define SEAL_KEY_ID_SIZE 8
#define SEAL_NONCE_SIZE 12
#define SEAL_TAG_SIZE 16

/* Random bytes for keys and nonces; false: there are none. */
extern bool seal_random(unsigned char *bytes, size_t size);

/*
 * Reads the wrapping key.  Not a credential: 32 bytes in a file in memory, of
 * this user alone, which is made if it is missing.  A credential: a file of at
 * least 32 bytes, all of which go into the key.  Writes the key's id, which may
 * be known to all.  On failure a message that names the file, and false.
 */
extern bool seal_load_key(const char *path, bool is_credential,
						  unsigned char key[SEAL_KEY_SIZE], unsigned char id[SEAL_KEY_ID_SIZE],
						  char *error, size_t error_size);

/*
 * Encrypts size bytes of plain to as many of sealed, and makes the tag, which
 * also covers context.  The same nonce must never come twice with the same key.
 */
extern bool seal(const unsigned char key[SEAL_KEY_SIZE],
				 const unsigned char nonce[SEAL_NONCE_SIZE],
				 const void *context, size_t context_size,
				 const void *plain, size_t size,
				 unsigned char *sealed, unsigned char tag[SEAL_TAG_SIZE]);

/* The reverse; false, with plain wiped: a byte of anything here is not what it was. */
extern bool seal_open(const unsigned char key[SEAL_KEY_SIZE],
					  const unsigned char nonce[SEAL_NONCE_SIZE],
					  const void *context, size_t context_size,
					  const unsigned char *sealed, size_t size,
					  const unsigned char tag[SEAL_TAG_SIZE], void *plain);

/* Overwrites secrets in memory; the compiler does not drop it. */
extern void seal_forget(void *secret, size_t size);

#endif
