/*
 * token.c
 *		Tokens: they allow a tracking URL to set parameters that need
 *		authentication (doc/internals.md, "Security").
 *
 * Only the SHA-256 of a token's text is stored.  The token itself comes in a
 * client's request, and is never kept, logged or shown in an error.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/sha2.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/crypto.h"
#include "base/errors.h"
#include "base/spi.h"
#include "track/site_rules.h"
#include "track/token.h"

StaticAssertDecl(TOKEN_HASH_LEN == PG_SHA256_DIGEST_LENGTH, "tokens are hashed with SHA-256");

PG_FUNCTION_INFO_V1(pkt_create_token);

#define TOKEN_BYTES 32			/* random bytes of a new token */

/* Are two hashes equal?  The time does not depend on their bytes. */
static bool
same_hash(const uint8 *a, const uint8 *b)
{
	volatile uint8 difference = 0;

	for (int i = 0; i < TOKEN_HASH_LEN; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

/*
 * token_rights
 *		See token.h.  Every token of the table is compared, so that the time does
 *		not tell which of them was nearly right.
 */
TokenRights
token_rights(const char *token, int32 idsite)
{
	size_t		len = strlen(token);
	TokenRights rights = TOKEN_NONE;
	TimestampTz now = GetCurrentTimestamp();
	uint8		hash[TOKEN_HASH_LEN];
	const Token *tokens;
	int			n;

	if (len == 0 || len > TOKEN_MAX)
		return TOKEN_NONE;
	tokens = site_tokens(&n);
	sha256_bytes(token, len, hash);
	for (int i = 0; i < n; i++)
	{
		bool		same = same_hash(tokens[i].hash, hash);
		bool		counts = tokens[i].expires > now &&
			(tokens[i].idsite == 0 || tokens[i].idsite == idsite);
		TokenRights given = tokens[i].idsite == 0 ? TOKEN_ALL : TOKEN_SITE;

		if (same & counts)
			rights = Max(rights, given);
	}
	return rights;
}

/*
 * pkt_create_token
 *		SQL: create_token(idsite, name, expires) → text, the token itself, which
 *		is not stored anywhere.  It is made in C so that it is never an
 *		expression, a parameter or a literal of a statement.  Runs with the
 *		caller's rights.
 */
Datum
pkt_create_token(PG_FUNCTION_ARGS)
{
	uint8		bytes[TOKEN_BYTES];
	char		token[2 * TOKEN_BYTES + 1];
	bytea	   *hash = palloc(VARHDRSZ + TOKEN_HASH_LEN);
	Oid			argtypes[] = {BYTEAOID, INT4OID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[4];
	char		nulls[4];

	random_bytes(bytes, sizeof(bytes));
	for (int i = 0; i < TOKEN_BYTES; i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	sha256_bytes(token, strlen(token), (uint8 *) VARDATA(hash));
	SET_VARSIZE(hash, VARHDRSZ + TOKEN_HASH_LEN);

	values[0] = PointerGetDatum(hash);
	nulls[0] = ' ';
	for (int i = 0; i < 3; i++)
	{
		values[i + 1] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		nulls[i + 1] = PG_ARGISNULL(i) ? 'n' : ' ';
	}

	spi_connect();
	if (SPI_execute("SELECT pk_tracking_internal.need_log()", false, 1) != SPI_OK_SELECT)
		elog(ERROR, "could not check the log");
	if (!PG_ARGISNULL(0))
	{
		if (SPI_execute_with_args("SELECT FROM pk_tracking.site s"
								  " WHERE s.idsite OPERATOR(pg_catalog.=) $1",
								  1, &argtypes[1], &values[1], NULL, true, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not read sites");
		if (SPI_processed == 0)
			raise_missing_site(ERRCODE_NO_DATA_FOUND, PG_GETARG_INT32(0));
	}
	if (SPI_execute_with_args("INSERT INTO pk_tracking.token (token_hash, idsite, name, expires)"
							  " VALUES ($1, $2, $3, $4)",
							  4, argtypes, values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not store the token");
	spi_finish();
	PG_RETURN_TEXT_P(cstring_to_text(token));
}
