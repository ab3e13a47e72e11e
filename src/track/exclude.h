/*
 * exclude.h
 *		Hits that are not recorded: bots, spam, and what the settings name
 *		(spec matomo 4.5).
 *
 * Nothing here reads the database, and nothing raises for what a client sent.
 */
#ifndef PKT_EXCLUDE_H
#define PKT_EXCLUDE_H

#include "enrich/referrer.h"
#include "enrich/user_agent.h"
#include "request/hit.h"
#include "track/exclude_spam.h"

/* What a site's settings exclude; made once per configuration. */
typedef struct ExcludeRules ExcludeRules;

typedef struct ExcludeInput
{
	const Hit  *hit;			/* with the full address */
	const UserAgent *device;
	const Settings *s;
	const ExcludeRules *rules;	/* made of s */
	int			n_urls;			/* URLs of this and of all other sites; */
	const SiteUrl *urls;		/* needed with exclude_unknown_urls only */
	const SpamList *spam;		/* NULL: none is known */
} ExcludeInput;

extern ExcludeRules *exclude_rules_create(const Settings *s);
extern const char *exclude_reason(const ExcludeInput *in);

#endif							/* PKT_EXCLUDE_H */
