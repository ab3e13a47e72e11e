/*
 * token.h
 *		Tokens: they allow a tracking URL to set parameters that need
 *		authentication.
 */
#ifndef PKT_TOKEN_H
#define PKT_TOKEN_H

#include "datatype/timestamp.h"

#define TOKEN_MAX 128			/* bytes; a longer one is no token */
#define TOKEN_HASH_LEN 32		/* SHA-256 */

/* A row of pk_tracking.token. */
typedef struct Token
{
	uint8		hash[TOKEN_HASH_LEN];
	int32		idsite;			/* 0: all sites */
	TimestampTz expires;		/* DT_NOEND: never */
} Token;

typedef enum TokenRights
{
	TOKEN_NONE,
	TOKEN_SITE,					/* of this site */
	TOKEN_ALL					/* of all sites */
} TokenRights;

/*
 * What a token allows on a site; idsite 0 asks only for tokens of all sites.
 * Callers have entered the engine.
 */
extern TokenRights token_rights(const char *token, int32 idsite);

#endif							/* PKT_TOKEN_H */
