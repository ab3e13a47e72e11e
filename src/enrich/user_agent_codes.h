/*
 * user_agent_codes.h
 *		Matomo's short codes for the names that the rules of uap-core give.
 */
#ifndef PKT_USER_AGENT_CODES_H
#define PKT_USER_AGENT_CODES_H

#include "postgres.h"

/* The kind of program that sent the hit, with Matomo's numbers. */
typedef enum ClientType
{
	CLIENT_UNKNOWN = 0,
	CLIENT_BROWSER = 1,
	CLIENT_LIBRARY = 2,
	CLIENT_FEED_READER = 3,
	CLIENT_MEDIA_PLAYER = 4,
	CLIENT_MOBILE_APP = 5,
	CLIENT_PIM = 6
} ClientType;

typedef enum SystemKind
{
	SYSTEM_DESKTOP,
	SYSTEM_MOBILE,
	SYSTEM_FEATURE_PHONE,
	SYSTEM_TV,
	SYSTEM_CONSOLE,
	SYSTEM_WATCH,
	SYSTEM_OTHER
} SystemKind;

typedef struct SystemCode
{
	const char *family;			/* the name in the rules, or ours */
	const char *name;			/* our name for it */
	char		code[4];
	SystemKind	kind;
} SystemCode;

typedef struct ClientCode
{
	const char *family;
	ClientType	type;
	const char *code;			/* of a browser, else NULL */
} ClientCode;

/* NULL if the table does not have it.  Case does not matter. */
extern const SystemCode *system_code(const char *family);
extern const ClientCode *client_code(const char *family);
extern const char *brand_code(const char *brand);

/* The reverse, for reports: the usual name of this code, or NULL. */
extern const char *system_name(const char *code);

/* The family of the system with this code, which may be the system itself; or NULL. */
extern const char *system_family(const char *code);
extern const char *client_name(const char *code);
extern const char *brand_name(const char *code);

/* The family of a brand that Client Hints name; NULL if it is not known. */
extern const char *hinted_family(const char *brand, bool mobile);

#endif							/* PKT_USER_AGENT_CODES_H */
