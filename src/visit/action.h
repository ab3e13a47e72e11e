/*
 * action.h
 *		The kind of action of a hit.
 */
#ifndef PKT_ACTION_H
#define PKT_ACTION_H

#include "request/hit.h"
#include "settings/settings.h"

/* Kinds of action.  See doc/internals.md, "Matomo: kinds of action". */
typedef enum ActionKind
{
	ACTION_PAGE_VIEW,
	ACTION_SITE_SEARCH,
	ACTION_CONTENT,
	ACTION_EVENT,
	ACTION_OUTLINK,
	ACTION_DOWNLOAD,
	ACTION_GOAL,				/* manual conversion: no action of its own */
	ACTION_ECOMMERCE,			/* order or cart: no action of its own */
	ACTION_PING					/* not an action: does not change the time
								 * spent on the last one */
} ActionKind;

/* log_action.type */
#define ACTION_TYPE_URL 1
#define ACTION_TYPE_OUTLINK 2
#define ACTION_TYPE_DOWNLOAD 3
#define ACTION_TYPE_TITLE 4
#define ACTION_TYPE_SKU 5
#define ACTION_TYPE_ITEM_NAME 6
#define ACTION_TYPE_ITEM_CATEGORY 7
#define ACTION_TYPE_SEARCH 8
#define ACTION_TYPE_EVENT 10	/* category, and the page URL of an event */
#define ACTION_TYPE_EVENT_ACTION 11
#define ACTION_TYPE_EVENT_NAME 12
#define ACTION_TYPE_CONTENT 13	/* name, and the page URL of content */
#define ACTION_TYPE_CONTENT_PIECE 14
#define ACTION_TYPE_CONTENT_TARGET 15
#define ACTION_TYPE_CONTENT_INTERACTION 16

/* A search within the site. */
typedef struct SiteSearch
{
	char	   *keyword;
	char	   *category;		/* "" if there is none */
} SiteSearch;

/* Does the kind have rows in log_link_visit_action? */
static inline bool
action_has_row(ActionKind kind)
{
	return kind < ACTION_GOAL;
}

/* Is it an interaction: something that becomes the previous page of what follows? */
static inline bool
is_interaction(ActionKind kind)
{
	return kind == ACTION_PAGE_VIEW || kind == ACTION_SITE_SEARCH;
}

extern ActionKind action_kind(const Hit *hit, const Settings *s, SiteSearch *search);
extern const char *action_invalid(ActionKind kind, const Hit *hit);
extern const char *action_kind_word(ActionKind kind);

#endif							/* PKT_ACTION_H */
