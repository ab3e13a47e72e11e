/*
 * anonymise.h
 *		What is left of a hit without consent (doc/internals.md, "Consent and
 *		anonymous visits").
 */
#ifndef PKT_ANONYMISE_H
#define PKT_ANONYMISE_H

#include "enrich/geoip.h"
#include "enrich/user_agent.h"
#include "request/hit.h"
#include "settings/settings.h"

extern DeviceLevel anonymous_device_level(const Hit *hit, const Settings *s);
extern GeoLevel anonymous_geo_level(const Settings *s);
extern void anonymise_hit(Hit *hit, const Settings *s);
extern const UserAgent *anonymise_device(const UserAgent *device, DeviceLevel level);
extern void anonymise_language(char *primary, DeviceLevel level);

#endif							/* PKT_ANONYMISE_H */
