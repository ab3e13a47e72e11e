/*
 * exclude_spam.h
 *		Referrer spam: hosts that send hits with themselves as referrer, to
 *		appear in reports.
 */
#ifndef PKT_EXCLUDE_SPAM_H
#define PKT_EXCLUDE_SPAM_H

#include "postgres.h"

#define SPAM_HOST_MIN 4			/* bytes: "t.co"; anything shorter is left out */

typedef struct SpamList SpamList;

extern SpamList *spam_list_create(void);
extern void spam_list_add(SpamList *list, const char *host);
extern void spam_list_finish(SpamList *list);
extern bool spam_list_finds(const SpamList *list, const char *urlref);

#endif							/* PKT_EXCLUDE_SPAM_H */
