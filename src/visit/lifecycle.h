/*
 * lifecycle.h
 *		Whether a hit continues a visit or begins one, and what it changes:
 *		pure functions on structs, for live tracking, batches and replay.
 */
#ifndef PKT_LIFECYCLE_H
#define PKT_LIFECYCLE_H

#include "request/hit.h"
#include "settings/settings.h"
#include "visit/action.h"
#include "visit/visit.h"

#define RESOLUTION_UNKNOWN "unknown"	/* config_resolution where none was
										 * sent */

/* The ids of a hit. */
typedef struct Identity
{
	OptionalId	user;			/* hash of the user id, if it counts as a
								 * visitor id */
	OptionalId	own;			/* the id that the hit sent */
	MatchedBy	own_source;		/* cid, third-party cookie or cookie */
	OptionalId	config;			/* the fingerprint; if not given, never
								 * matched */
	char	   *user_id;		/* as it is stored and compared, NULL: none */
} Identity;

typedef struct Decision
{
	bool		begin;			/* else continue */
	bool		known;			/* the visitor is known by a visit that was
								 * found */
	bool		excluded;		/* session limit: the hit is dropped */
	Reason		reason;
} Decision;

/*
 * An action: a row of log_link_visit_action.  In a number of the dictionary, 0
 * means none; the columns that only some kinds have store NULL for it.
 */
#define ACTION_CATEGORIES 5

typedef struct Action
{
	ActionKind	kind;
	NullableInt idaction_url;
	NullableInt idaction_name;
	NullableInt idaction_url_ref;
	NullableInt idaction_name_ref;
	NullableInt pageview_position;
	int32		time_spent_ref_action;
	ConsentState consent;		/* of the hit itself */
	const char *idpageview;		/* NULL: none */

	/* columns that a plain page view lacks: written only if this is set */
	bool		wide;
	int64		event_category;
	int64		event_action;
	Numeric		custom_float;	/* NULL: none */
	int64		content_name;
	int64		content_piece;
	int64		content_target;
	int64		content_interaction;
	int64		product_sku;
	int64		product_name;
	int64		product_categories[ACTION_CATEGORIES];
	Numeric		product_price;	/* NULL: none */
	const char *search_cat;		/* NULL: none */
	int32		search_count;	/* NOT_SENT: none */
	int32		timings[HIT_TIMINGS];	/* milliseconds; NOT_SENT: none */
	Jsonb	   *custom_dimensions;	/* NULL: none */
	Jsonb	   *custom_variables;
} Action;

/*
 * The rows of a visit around that of a late hit, in the order of their times; those
 * of one second in the order in which they arrived.
 */
typedef struct Neighbours
{
	TimestampTz previous;		/* time of the row before; DT_NOBEGIN: none */
	NullableInt url_ref;		/* what the last interaction before leaves as
								 * the previous page */
	NullableInt name_ref;
	bool		is_last_interaction;	/* no interaction stands behind */
	/* number of the row behind; NULL if that is none or began the visit */
	NullableInt next;
	TimestampTz next_at;		/* its time */
	/* rows whose previous page the hit is; none if it is no interaction */
	int			n_referring;
	int64	   *referring;
} Neighbours;

/* What a late hit changes in the rows behind its own. */
typedef struct NeighbourChanges
{
	int32		next_time_spent;
	NullableInt url_ref;
	NullableInt name_ref;
} NeighbourChanges;

extern OptionalId identity_visitor_id(const Identity *id);
extern bool is_user_id(const char *user_id);
extern Decision lifecycle_decide(const Hit *hit, ActionKind kind, const Identity *id,
								 const SiteConfig *site, const Visit *found);
extern Decision lifecycle_referrer(Decision d, ReferrerEffect effect);
extern void lifecycle_begin(const Hit *hit, const Identity *id, const Settings *s,
							const Visit *previous, HexId random_id, Visit *visit);
extern void lifecycle_history(const Hit *hit, const Visit *earlier, Visit *visit);
extern void lifecycle_begin_anonymous(const Hit *hit, const Settings *s, Visit *visit);
extern void lifecycle_stay_anonymous(const Hit *hit, const Settings *s, Visit *visit);
extern void lifecycle_upgrade(const Hit *hit, const Identity *id, const Settings *s,
							  const Visit *previous, HexId random_id, Visit *visit);
extern void lifecycle_continue(const Hit *hit, const Identity *id, const Settings *s,
							   Visit *visit);
extern bool lifecycle_is_late(const Hit *hit, const Settings *s, const Visit *visit);
extern void lifecycle_action(const Hit *hit, const Settings *s, bool begun,
							 const Neighbours *neighbours, Visit *visit, Action *action);
extern void lifecycle_neighbours(const Hit *hit, const Settings *s, const Neighbours *neighbours,
								 const Action *action, NeighbourChanges *changes);

#endif							/* PKT_LIFECYCLE_H */
