/*
 * parts.h
 *		Parts of the engine alone, and what they need from the log.
 *
 * Callers have entered the engine.
 */
#ifndef PKT_PARTS_H
#define PKT_PARTS_H

#include "enrich/referrer.h"

extern SiteUrl *parts_site_urls(int *n);
extern ReferrerList *parts_referrer_list(void);

#endif							/* PKT_PARTS_H */
