/*
 * token.h
 *		Tokens: they allow a tracking URL to set parameters that need
 *		authentication.
 */
#ifndef PKT_TOKEN_H
#define PKT_TOKEN_H

#define TOKEN_MAX 128			/* bytes; a longer one is no token */

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
