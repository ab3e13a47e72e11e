/*
 * fingerprint.c
 *		Fingerprints (the column config_id): a keyed hash of what a browser
 *		reveals; and visitor ids made from user ids.
 *
 * The encoding, frozen on release:
 *
 *	config_id = first 8 bytes of HMAC-SHA-256(key, message), big-endian
 *	key       = instance salt || daily salt (nothing, if there is none)
 *	message   = eight fields, each as its length in bytes (4 bytes,
 *				big-endian), then its bytes:
 *
 *	1 os				texts in the database's encoding, empty if unknown
 *	2 browser
 *	3 browser_version
 *	4 user_agent		empty when devices are detected
 *	5 plugins			nine integers in decimal, joined by ",":
 *						fla,java,qt,realp,pdf,wma,ag,cookie,0
 *	6 ip				4 or 16 bytes in network order, empty if none
 *	7 language			the normalised list (language.h), its first 20 bytes
 *	8 idsite			decimal, empty across websites
 *
 * Test vectors (computed with Python's hmac module; key of 32 bytes 00 01 ..
 * 1f, then with a daily salt of 32 bytes 20 21 .. 3f after it):
 *
 *	WIN, FF, 3.6, "", 1,1,0,0,0,0,0,1,0, 156.5.0.0, fr, 1
 *		-> 6d2a7c2d3563c067, with the daily salt 59e71af9330af401
 *	all texts empty, all plugins 0, no ip, across websites
 *		-> 2c608804daaaa8bf, with the daily salt c07ae45423bba485
 *
 * SHA-1 and MD5 below are Matomo's hashes; no secret depends on them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/cryptohash.h"
#include "common/md5.h"
#include "common/sha1.h"
#include "common/sha2.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "base/args.h"
#include "base/compat.h"
#include "base/crypto.h"
#include "identity/fingerprint.h"

/* Bytes of the language list that are hashed. */
#define LANGUAGE_HASHED 20

/* A key of two salts of the usual length is on the stack. */
#define KEY_ON_STACK 128

/* Bytes to be hashed. */
typedef struct Piece
{
	const void *bytes;
	size_t		len;
} Piece;

PG_FUNCTION_INFO_V1(pkt_fingerprint_with_salt);
PG_FUNCTION_INFO_V1(pkt_matomo_config_id);
PG_FUNCTION_INFO_V1(pkt_user_id_pseudonym);
PG_FUNCTION_INFO_V1(pkt_user_id_visitor_id);

/*
 * hash_pieces
 *		Digest of n pieces, concatenated.
 *
 * Writes dest_len bytes, the full length of the digest.  Gives NULL, or the
 * reason of a failure.
 */
static const char *
hash_pieces(pg_cryptohash_type type, const Piece *pieces, int n,
			uint8 *dest, size_t dest_len)
{
	pg_cryptohash_ctx *ctx = pg_cryptohash_create(type);
	const char *problem = NULL;
	bool		ok;
	int			i;

	if (ctx == NULL)
		return "out of memory";

	ok = pg_cryptohash_init(ctx) >= 0;
	for (i = 0; ok && i < n; i++)
		ok = pg_cryptohash_update(ctx, pieces[i].bytes, pieces[i].len) >= 0;
	ok = ok && pg_cryptohash_final(ctx, dest, dest_len) >= 0;

	if (!ok)
	{
		/* the message is a constant string: it outlives ctx */
		problem = pg_cryptohash_error(ctx);
		if (problem == NULL)
			problem = "unknown error";
	}
	pg_cryptohash_free(ctx);
	return problem;
}

/* As hash_pieces(), for SHA-1; raises on failure. */
static void
sha1_pieces(const Piece *pieces, int n, uint8 *dest)
{
	const char *problem = hash_pieces(PG_SHA1, pieces, n, dest, SHA1_DIGEST_LENGTH);

	if (problem != NULL)
		raise_hash_failure("SHA-1", problem);
}

/* Append a field: its length, then its bytes. */
static inline void
append_field(StringInfo message, const void *bytes, size_t len)
{
	uint32		n = pg_hton32((uint32) len);

	appendBinaryStringInfo(message, (const char *) &n, sizeof(n));
	appendBinaryStringInfo(message, bytes, (int) len);
}

/*
 * fingerprint_hash
 *		Fingerprint of a browser.
 *
 * The head of this file documents the encoding.  salt_len and daily_len may be
 * 0.  Errors: internal_error if the server's cryptography fails.
 */
HexId
fingerprint_hash(const FingerprintInput *in,
				 const uint8 *salt, size_t salt_len,
				 const uint8 *daily, size_t daily_len)
{
	StringInfoData message;
	char		plugins[FINGERPRINT_PLUGINS * 12];
	char		idsite[12];
	uint8		key_on_stack[KEY_ON_STACK];
	uint8	   *key = key_on_stack;
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	size_t		key_len = salt_len + daily_len;
	int			len = 0;
	int			i;
	const char *problem;

	for (i = 0; i < FINGERPRINT_PLUGINS; i++)
	{
		if (i > 0)
			plugins[len++] = ',';
		len += pg_ltoa(in->plugins[i], plugins + len);
	}

	initStringInfo(&message);
	append_field(&message, in->os, strlen(in->os));
	append_field(&message, in->browser, strlen(in->browser));
	append_field(&message, in->browser_version, strlen(in->browser_version));
	append_field(&message, in->user_agent, strlen(in->user_agent));
	append_field(&message, plugins, len);
	append_field(&message, in->ip.bytes, in->ip.len);
	append_field(&message, in->language, strnlen(in->language, LANGUAGE_HASHED));
	append_field(&message, idsite, in->idsite != 0 ? pg_ltoa(in->idsite, idsite) : 0);

	if (key_len > sizeof(key_on_stack))
		key = palloc(key_len);
	if (salt_len > 0)
		memcpy(key, salt, salt_len);
	if (daily_len > 0)
		memcpy(key + salt_len, daily, daily_len);

	problem = hmac_sha256(key, key_len, message.data, message.len, digest);

	/* neither the salts nor the full IP outlive this call */
	explicit_bzero(key, key_len);
	explicit_bzero(message.data, message.len);
	if (key != key_on_stack)
		pfree(key);
	pfree(message.data);

	if (problem != NULL)
		raise_hash_failure("HMAC-SHA-256", problem);

	return hexid_from_bytes(digest);
}

/*
 * user_id_hash
 *		The visitor id of a user id: the first 8 bytes of its SHA-1.
 *
 * Rule: doc/internals.md, "Matomo: user ids".  Errors: internal_error, as
 * above.
 */
HexId
user_id_hash(const char *user_id, size_t len)
{
	Piece		piece = {user_id, len};
	uint8		digest[SHA1_DIGEST_LENGTH];

	sha1_pieces(&piece, 1, digest);
	return hexid_from_bytes(digest);
}

/*
 * user_id_pseudonym
 *		The text that is stored instead of a user id: SHA-1 of it and the salt,
 *		in hex.
 *
 * Rule: doc/internals.md, "Matomo: user ids".  Errors: internal_error, as
 * above.
 */
void
user_id_pseudonym(const char *user_id, size_t len,
				  const uint8 *salt, size_t salt_len, char *buf)
{
	Piece		pieces[2] = {{user_id, len}, {salt, salt_len}};
	uint8		digest[SHA1_DIGEST_LENGTH];

	sha1_pieces(pieces, 2, digest);
	hex_encode((const char *) digest, sizeof(digest), buf);
	buf[USER_ID_PSEUDONYM_LEN] = '\0';
}

/*
 * Read up to nine integers of a one-dimensional array; missing ones are 0.
 * Errors: array_subscript_error, null_value_not_allowed.
 */
static void
plugins_arg(ArrayType *array, int32 *plugins)
{
	int			n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));

	if (ARR_NDIM(array) > 1 || n > FINGERPRINT_PLUGINS)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("plugin flags must be a one-dimensional array of at most %d integers",
						FINGERPRINT_PLUGINS)));
	if (array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("plugin flags must not contain nulls")));
	if (n > 0)
		memcpy(plugins, ARR_DATA_PTR(array), n * sizeof(int32));
}

/*
 * pk_tracking.fingerprint_with_salt(salt bytea, os text, browser text,
 *		browser_version text, user_agent text, plugins integer[], ip inet,
 *		language text, idsite integer) RETURNS hexid
 *
 * salt is the whole key, the daily salt appended if there is one.  A NULL text
 * is empty, NULL plugins are all 0, a NULL ip is no address, a NULL idsite
 * means across websites.  The function does not mask or normalise anything.
 */
Datum
pkt_fingerprint_with_salt(PG_FUNCTION_ARGS)
{
	FingerprintInput in = {0};
	bytea	   *salt = PG_ARGISNULL(0) ? NULL : PG_GETARG_BYTEA_PP(0);

	in.os = arg_text(fcinfo, 1);
	in.browser = arg_text(fcinfo, 2);
	in.browser_version = arg_text(fcinfo, 3);
	in.user_agent = arg_text(fcinfo, 4);
	if (!PG_ARGISNULL(5))
		plugins_arg(PG_GETARG_ARRAYTYPE_P(5), in.plugins);
	if (!PG_ARGISNULL(6))
		in.ip = ip_from_inet(PG_GETARG_INET_PP(6));
	in.language = arg_text(fcinfo, 7);
	in.idsite = PG_ARGISNULL(8) ? 0 : PG_GETARG_INT32(8);

	PG_RETURN_HEXID(fingerprint_hash(&in,
									 salt ? (uint8 *) VARDATA_ANY(salt) : NULL,
									 salt ? VARSIZE_ANY_EXHDR(salt) : 0,
									 NULL, 0));
}

/*
 * pk_tracking.user_id_visitor_id(user_id text) RETURNS hexid
 */
Datum
pkt_user_id_visitor_id(PG_FUNCTION_ARGS)
{
	text	   *user_id = PG_GETARG_TEXT_PP(0);

	PG_RETURN_HEXID(user_id_hash(VARDATA_ANY(user_id), VARSIZE_ANY_EXHDR(user_id)));
}

/*
 * pk_tracking.user_id_pseudonym(user_id text, salt bytea) RETURNS text
 */
Datum
pkt_user_id_pseudonym(PG_FUNCTION_ARGS)
{
	text	   *user_id = PG_GETARG_TEXT_PP(0);
	bytea	   *salt = PG_GETARG_BYTEA_PP(1);
	char		buf[USER_ID_PSEUDONYM_LEN + 1];

	user_id_pseudonym(VARDATA_ANY(user_id), VARSIZE_ANY_EXHDR(user_id),
					  (uint8 *) VARDATA_ANY(salt), VARSIZE_ANY_EXHDR(salt), buf);
	PG_RETURN_TEXT_P(cstring_to_text(buf));
}

/*
 * pk_tracking.matomo_config_id(os text, browser text, browser_version text,
 *		ip text, language text, salt text, daily_salt text, idsite integer,
 *		fla integer, java integer, qt integer, realp integer, pdf integer,
 *		wma integer, ag integer, cookie integer) RETURNS hexid
 *
 * The first 8 bytes of the MD5 that Matomo computes: over these items,
 * concatenated without separators; see
 * doc/internals.md, "Matomo: fingerprint".  A NULL item is empty, a NULL flag
 * 0.  Errors: feature_not_supported if this server's OpenSSL refuses MD5.
 */
Datum
pkt_matomo_config_id(PG_FUNCTION_ARGS)
{
	/* argument of each flag in hash order; -1: an obsolete plugin, always 0 */
	static const int8 flags[] = {8, 9, -1, 10, 11, 12, 13, -1, 14, 15};
	StringInfoData s;
	const char *language = arg_text(fcinfo, 4);
	uint8		digest[MD5_DIGEST_LENGTH];
	Piece		piece;
	const char *problem;
	size_t		i;

	initStringInfo(&s);
	for (i = 0; i < 3; i++)
		appendStringInfoString(&s, arg_text(fcinfo, i));
	for (i = 0; i < lengthof(flags); i++)
		appendStringInfo(&s, "%d", (flags[i] < 0 || PG_ARGISNULL(flags[i])) ?
						 0 : PG_GETARG_INT32(flags[i]));
	appendStringInfoString(&s, arg_text(fcinfo, 3));
	appendBinaryStringInfo(&s, language, strnlen(language, LANGUAGE_HASHED));
	appendStringInfoString(&s, arg_text(fcinfo, 5));
	appendStringInfoString(&s, arg_text(fcinfo, 6));
	if (!PG_ARGISNULL(7))
		appendStringInfo(&s, "%d", PG_GETARG_INT32(7));

	piece.bytes = s.data;
	piece.len = s.len;
	problem = hash_pieces(PG_MD5, &piece, 1, digest, sizeof(digest));
	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("could not compute %s hash: %s", "MD5", problem),
				 errhint("The server's OpenSSL may run in FIPS mode, which has no MD5.")));

	PG_RETURN_HEXID(hexid_from_bytes(digest));
}
