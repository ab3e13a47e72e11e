/*
 * referrer.h
 *		The referrer of a visit: its type, name, keyword and URL.  Pure: all
 *		input is passed as arguments.
 */
#ifndef PKT_REFERRER_H
#define PKT_REFERRER_H

#include "postgres.h"

#include "base/url.h"
#include "settings/settings.h"

/* log_visit.referer_type */
typedef enum ReferrerType
{
	REFERRER_DIRECT = 1,
	REFERRER_SEARCH = 2,
	REFERRER_WEBSITE = 3,
	REFERRER_CAMPAIGN = 6,
	REFERRER_SOCIAL = 7,
	REFERRER_AI_ASSISTANT = 8	/* not under Matomo's rules */
} ReferrerType;

typedef struct Referrer
{
	ReferrerType type;
	const char *name;			/* NULL for direct entries */
	const char *keyword;		/* NULL if there is none; "" for campaigns
								 * without one */
	const char *url;			/* "" if there is none; NULL to store NULL */
} Referrer;

/* One URL of a site: host without "www.", path with a slash at its end. */
typedef struct SiteUrl
{
	int32		idsite;
	char	   *host;
	char	   *path;
} SiteUrl;

/* A tracking parameter as it was sent. */
typedef struct ReferrerParam
{
	const char *name;
	const char *value;
} ReferrerParam;

typedef enum ReferrerKind
{
	KIND_SEARCH_ENGINE,
	KIND_SOCIAL_NETWORK,
	KIND_AI_ASSISTANT
} ReferrerKind;

/* Search engines, networks and assistants; the user's own win over those in code. */
typedef struct ReferrerList ReferrerList;

typedef struct ReferrerInput
{
	int32		idsite;
	const char *url;			/* page URL, as sent */
	const char *urlref;			/* referrer URL, as sent */
	int			n_params;		/* tracking parameters; those that the
								 * settings name are read */
	const ReferrerParam *params;
	int			n_sites;		/* URLs of this and of all other sites */
	const SiteUrl *sites;
	const Settings *s;
	const UrlRules *rules;		/* made from s */
	const ReferrerList *own;	/* NULL: none */
	const Referrer *visit;		/* of the visit that the hit would continue,
								 * or NULL */
} ReferrerInput;

/* The effect of a hit's referrer on the visit that the hit would continue. */
typedef enum ReferrerEffect
{
	REFERRER_KEEPS,				/* the visit keeps its referrer */
	REFERRER_REPLACES,			/* the visit was direct and takes the hit's
								 * referrer */
	REFERRER_NEW_CAMPAIGN,		/* a new visit begins */
	REFERRER_NEW_WEBSITE
} ReferrerEffect;

extern void referrer_detect(const ReferrerInput *in, Referrer *out);
extern void referrer_anonymise(Referrer *r, ReferrerAnonymisation how);
extern bool referrer_changed(const Referrer *visit, const Referrer *hit);
extern ReferrerEffect referrer_effect(const Referrer *visit, const Referrer *hit,
									  const Settings *s);

extern Referrer referrer_from_datum(Datum datum);

extern bool site_url_read(const char *url, int32 idsite, SiteUrl *out);

extern ReferrerList *referrer_list_create(void);
extern bool referrer_list_add(ReferrerList *list, ReferrerKind kind, const char *name,
							  const char *host, int n_params, char **params);
extern void referrer_list_finish(ReferrerList *list);

#endif							/* PKT_REFERRER_H */
