/*
 * fingerprint.h
 *		Fingerprints (the column config_id): a keyed hash of what a browser
 *		reveals; and visitor ids made from user ids.
 */
#ifndef PKT_FINGERPRINT_H
#define PKT_FINGERPRINT_H

#include "base/hexid.h"
#include "base/ip.h"

#define FINGERPRINT_PLUGINS 9

/*
 * Plugin flags as sent, in this order: fla java qt realp pdf wma ag cookie,
 * and one reserved place (always 0).  A flag is the integer as sent.
 */
typedef struct FingerprintInput
{
	const char *os;				/* "" if unknown; never NULL */
	const char *browser;
	const char *browser_version;
	const char *user_agent;		/* the user agent while devices are not
								 * detected, else "" */
	int32		plugins[FINGERPRINT_PLUGINS];
	PktIp		ip;				/* already masked according to the settings */
	const char *language;		/* normalised list, see language.h; its first
								 * 20 bytes are hashed */
	int32		idsite;			/* 0: across websites */
} FingerprintInput;

/*
 * HMAC-SHA-256 keyed with the salts, first 8 bytes.  daily may have length 0.
 * fingerprint.c documents the encoding; doc/recognition.md, "Fingerprint", has a
 * test vector.
 */
extern HexId fingerprint_hash(const FingerprintInput *in,
							  const uint8 *salt, size_t salt_len,
							  const uint8 *daily, size_t daily_len);

/* First 8 bytes of SHA-1(user id). */
extern HexId user_id_hash(const char *user_id, size_t len);

#define USER_ID_PSEUDONYM_LEN 40

/* sha1(user id || salt) as 40 lower-case hex digits and a NUL into buf (41 bytes). */
extern void user_id_pseudonym(const char *user_id, size_t len,
							  const uint8 *salt, size_t salt_len, char *buf);

#endif							/* PKT_FINGERPRINT_H */
