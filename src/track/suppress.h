/*
 * suppress.h
 *		People who are not to be tracked again, because forget_subject() was told so.
 */
#ifndef PKT_SUPPRESS_H
#define PKT_SUPPRESS_H

#include "request/hit.h"
#include "visit/lifecycle.h"

/*
 * Has the hit, as it was sent or as it was understood (id), a user id or visitor id
 * that is suppressed on its site?  Called by the log's owner, connected to SPI.
 */
extern bool hit_is_suppressed(const Hit *hit, const Identity *id);

#endif							/* PKT_SUPPRESS_H */
