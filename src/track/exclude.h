/*
 * exclude.h
 *		Hits that are excluded: bots, spam, and what the settings name.
 *
 * Nothing here reads the database or raises an error for what a client sent.
 */
#ifndef PKT_EXCLUDE_H
#define PKT_EXCLUDE_H

#include "base/pattern.h"
#include "enrich/referrer.h"
#include "enrich/user_agent.h"
#include "request/hit.h"
#include "track/exclude_spam.h"

/* The rules of what a site's settings exclude; made once per configuration. */
typedef struct ExcludeRules ExcludeRules;

typedef struct ExcludeInput
{
	const Hit  *hit;			/* with the full address */
	const UserAgent *device;
	const Settings *s;
	const ExcludeRules *rules;	/* made from s */
	int			n_urls;			/* URLs of all sites; */
	const SiteUrl *urls;		/* only needed with exclude_unknown_urls */
	const SpamList *spam;		/* NULL: no spam is known */
	PatternSet *automation;		/* agents of programs; NULL: they are recorded */
} ExcludeInput;

extern ExcludeRules *exclude_rules_create(const Settings *s);
extern PatternSet *exclude_automation_create(const char *const *more, int n);
extern const char *exclude_reason(const ExcludeInput *in);

#endif							/* PKT_EXCLUDE_H */
