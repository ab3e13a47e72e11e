/*
 * session.h
 *		The anonymous session of a hit without consent, or of one that gives it
 *		now.
 *
 * A session is found by its cookie or by a fingerprint over the full address,
 * and leads to its visit by links that identity/session_link.c keeps for 30 to
 * 90 minutes.
 */
#ifndef PKT_SESSION_H
#define PKT_SESSION_H

#include "track/work.h"

extern bool session_has_cookie(const Settings *s);
extern void session_identify(Work *w);
extern void session_make_keys(Work *w);
extern bool session_find_visit(Work *w, Visit *found, bool *is_found);
extern void session_link_visit(Work *w, int64 idvisit);

#endif							/* PKT_SESSION_H */
