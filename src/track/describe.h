/*
 * describe.h
 *		What a hit says of its visit and its action: referrer, place, names,
 *		dimensions, conversions.
 */
#ifndef PKT_DESCRIBE_H
#define PKT_DESCRIBE_H

#include "track/work.h"

extern void describe_referrer(Work *w, const Referrer *visit, Referrer *found);
extern void describe_place(Work *w, bool as_matomo, Visit *visit, NewVisit *new);
extern void describe_device(const UserAgent *device, bool as_matomo, NewVisit *new);
extern void describe_move(Work *w, Visit *visit);
extern bool describe_has_timings(const Hit *hit);
extern void describe_action(Work *w, Action *action);
extern void describe_custom(Work *w, Visit *visit, Action *action);
extern void describe_conversions(Work *w, const Decision *d, MatchedBy matched_by,
								 const Action *action, Visit *visit);

#endif							/* PKT_DESCRIBE_H */
