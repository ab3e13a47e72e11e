/*
 * action.h
 *		What kind of action a hit is, and the dictionary of names.
 */
#ifndef PKT_ACTION_H
#define PKT_ACTION_H

#include "request/hit.h"

/* Kinds of action (spec matomo 3.4). */
typedef enum ActionKind
{
	ACTION_PAGE_VIEW,
	ACTION_SITE_SEARCH,
	ACTION_CONTENT,
	ACTION_EVENT,
	ACTION_OUTLINK,
	ACTION_DOWNLOAD,
	ACTION_GOAL,				/* manual conversion: no action of its own */
	ACTION_ECOMMERCE,
	ACTION_PING
} ActionKind;

/* log_action.type */
#define ACTION_TYPE_URL 1
#define ACTION_TYPE_TITLE 4
#define ACTION_TYPE_SKU 5
#define ACTION_TYPE_ITEM_NAME 6
#define ACTION_TYPE_ITEM_CATEGORY 7

extern void action_init(void);
extern ActionKind action_kind(const Hit *hit);
extern const char *action_kind_word(ActionKind kind);

extern int64 action_page_url(int32 idsite, const char *url);
extern int64 action_title(int32 idsite, const char *title, int max_length);
extern int64 action_name(int32 idsite, int type, const char *name, int max_length);

#endif							/* PKT_ACTION_H */
