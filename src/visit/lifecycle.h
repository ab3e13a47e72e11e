/*
 * lifecycle.h
 *		Continue a visit or begin one, and what changes then: pure functions on
 *		structs, no database.  Live tracking, bulk and replay share them.
 */
#ifndef PKT_LIFECYCLE_H
#define PKT_LIFECYCLE_H

#include "request/hit.h"
#include "settings.h"
#include "visit/visit.h"

/* What the identity room has made of a hit. */
typedef struct Identity
{
	OptionalId	user;			/* hash of the user id, if it is to count as a visitor id */
	OptionalId	own;			/* the id that the hit brought itself */
	MatchedBy	own_source;		/* cid, third-party cookie or cookie */
	OptionalId	config;			/* fingerprint; not given: never matched */
	char	   *user_id;		/* as it is stored and compared, NULL: none */
} Identity;

typedef struct Decision
{
	bool		begin;			/* else continue */
	bool		known;			/* the visitor is known: a visit was found and counts */
	bool		excluded;		/* session limit: the hit is dropped */
	Reason		reason;
} Decision;

/* The action of a page view. */
typedef struct Action
{
	int64		idaction_url;	/* 0: none */
	int64		idaction_name;
	int64		idaction_url_ref;
	int64		idaction_name_ref;
	int32		pageview_position;
	int32		time_spent_ref_action;
	const char *idpageview;		/* NULL: none */
} Action;

extern OptionalId identity_visitor_id(const Identity *id);
extern bool is_user_id(const char *user_id);
extern Decision lifecycle_decide(const Hit *hit, const Identity *id,
								 const SiteConfig *site, const Visit *found);
extern Decision lifecycle_referrer(Decision d, ReferrerEffect effect);
extern void lifecycle_begin(const Hit *hit, const Identity *id, const Settings *s,
							const Visit *previous, HexId random_id, Visit *visit);
extern void lifecycle_continue(const Hit *hit, const Identity *id, const Settings *s,
							   Visit *visit);
extern void lifecycle_page_view(const Hit *hit, const Settings *s, bool begun,
								Visit *visit, Action *action);

#endif							/* PKT_LIFECYCLE_H */
