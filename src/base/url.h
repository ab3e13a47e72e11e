/*
 * url.h
 *		The form in which URLs are stored.
 *
 * Pure: no function reads the database, and none raises for what a client
 * sent.
 */
#ifndef PKT_URL_H
#define PKT_URL_H

#include "postgres.h"

#include "base/text_list.h"
#include "base/url_parts.h"

/* What a site removes from its URLs; made once per configuration. */
typedef struct UrlRules UrlRules;

/* Input of the rules. */
typedef struct UrlRulesInput
{
	bool		keep_fragment;
	bool		as_matomo;		/* parameters escaped, of equal ones the last */
	int			max_length;		/* bytes */
	int			n_lists;
	const TextList *const *lists;	/* names, or /expressions/, of parameters
									 * to remove */
} UrlRulesInput;

extern char *url_clean(const char *url);

extern UrlRules *url_rules_create(const UrlRulesInput *in);
extern char *url_normalise(const char *url, const UrlRules *rules);
extern char *url_keep_only(const char *url, const TextList *names);
extern char *url_normalise_without(const char *url, const UrlRules *rules,
								   const char *const *names);

#endif							/* PKT_URL_H */
