/*
 * site_rules.h
 *		Rules that are made once from a site's settings, and the contents of the
 *		user's tables, read once: both are kept until they change.
 *
 * Callers have entered the engine.  Results stay valid until the end of the
 * transaction, even if they are replaced meanwhile.
 */
#ifndef PKT_SITE_RULES_H
#define PKT_SITE_RULES_H

#include "base/url.h"
#include "enrich/referrer.h"
#include "identity/subject_key.h"
#include "request/proxy.h"
#include "track/exclude.h"
#include "visit/custom.h"
#include "visit/goal.h"

#define TOKEN_HASH_LEN 32		/* SHA-256 */

/* A row of pk_tracking.token. */
typedef struct Token
{
	uint8		hash[TOKEN_HASH_LEN];
	int32		idsite;			/* 0: all sites */
	TimestampTz expires;		/* DT_NOEND: never */
} Token;

/* A row of pk_tracking.suppressed. */
typedef struct SuppressedKey
{
	int32		idsite;
	uint8		hash[SUBJECT_KEY_LEN];
} SuppressedKey;

typedef struct SiteRules
{
	UrlRules   *url;
	ExcludeRules *exclude;
	ProxyRules *proxy;
} SiteRules;

extern void site_rules_init(void);

extern const SiteRules *site_rules(const SiteConfig *site);

/* The URLs of all sites; n of them. */
extern const SiteUrl *site_urls(int *n);

/* The scheme, host and port of a site's main URL; NULL if it has none. */
extern const char *site_root(int32 idsite);

/* The custom dimensions of all sites. */
extern const CustomDimensions *site_custom_dimensions(void);

/* The user's own search engines and networks. */
extern const ReferrerList *site_referrer_list(void);

/* The tokens of all sites; n of them. */
extern const Token *site_tokens(int *n);

/* Who is not to be tracked again, on all sites, by site and hash; n of them. */
extern const SuppressedKey *site_suppressed(int *n);

/* Hosts known for referrer spam, including the user's own. */
extern const SpamList *site_spam_list(void);

/* The user agents of programs: our own and the user's. */
extern PatternSet *site_automation(void);

/* The goals of a site that are not deleted, by number; n of them. */
extern const Goal *site_goals(int32 idsite, int *n);

#endif							/* PKT_SITE_RULES_H */
